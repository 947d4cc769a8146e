//! How much lies where: objects and bytes below a prefix, part by part, and uploads that nobody
//! ended, whose parts take space that no listing shows.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::failure::Failure;
use super::objects::{Place, until_cancelled};
use super::world::World;
use crate::base::job::{Context, Job, Nothing};
use crate::oss::listing::{ListRequest, Page, StorageClass};
use crate::oss::object::Upload;

/// Requests about uploads under way at a time.
const AT_ONCE: usize = 8;

/// Some objects, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many objects.
    pub objects: u64,
    /// Their bytes together.
    pub bytes: u64,
}

impl Usage {
    pub(super) fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What lies below a prefix, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// All of it.
    pub all: Usage,
    /// By the next part of the key: prefixes with their slash, in the order of keys; under the
    /// empty text what lies in no further prefix.
    pub parts: BTreeMap<String, Usage>,
    /// By where it lies.
    pub classes: BTreeMap<StorageClass, Usage>,
}

impl Sizes {
    /// Counts the objects of a page, whose keys begin with `prefix`.
    fn count(&mut self, page: &Page, prefix: &str) {
        for entry in page.entries() {
            let name = entry.key.get(prefix.len()..).unwrap_or_default();
            let part = name.find('/').and_then(|slash| name.get(..=slash)).unwrap_or_default();
            self.all.add(entry.size);
            self.classes.entry(entry.storage_class).or_default().add(entry.size);
            match self.parts.get_mut(part) {
                Some(usage) => usage.add(entry.size),
                None => self.parts.entry(part.to_owned()).or_default().add(entry.size),
            }
        }
    }

    /// The parts, largest first.
    pub fn largest_first(&self) -> Vec<(&str, Usage)> {
        let mut parts: Vec<_> =
            self.parts.iter().map(|(name, usage)| (name.as_str(), *usage)).collect();
        parts.sort_by_key(|(_, usage)| (!usage.bytes, !usage.objects));
        parts
    }
}

/// Counts objects and bytes below a prefix; so far, as pages come, and at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureSizes {
    /// Which bucket.
    pub place: Place,
    /// Keys begin with it; literal.
    pub prefix: String,
}

impl Job<World> for MeasureSizes {
    type Item = Sizes;
    type Out = Result<Sizes, Failure>;

    async fn run(self, context: Context<World, Sizes>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let request = ListRequest { prefix: self.prefix.clone(), ..ListRequest::default() };
        let mut pages = client.walk(&bucket, request);
        let (mut sizes, mut untold) = (Sizes::default(), 0);
        while let Some(page) = until_cancelled(&context, pages.next()).await? {
            sizes.count(&page?.value, &self.prefix);
            untold += 1;
            // many parts are told of more rarely: each time they are copied
            if untold > sizes.parts.len() / 256 {
                context.report_if_ready(sizes.clone());
                untold = 0;
            }
        }
        Ok(sizes)
    }
}

/// An upload that was begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// Which.
    pub upload: Upload,
    /// Bytes of the parts that are there.
    pub bytes: u64,
}

/// Lists the uploads below a prefix that were begun and not ended, with what they take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListUploads {
    /// Which bucket.
    pub place: Place,
    /// Keys begin with it; literal.
    pub prefix: String,
}

impl Job<World> for ListUploads {
    type Item = Nothing;
    type Out = Result<Vec<OpenUpload>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let uploads =
            until_cancelled(&context, client.list_uploads(&bucket, &self.prefix)).await??;
        let (client, bucket) = (&client, &bucket);
        let measured = stream::iter(uploads)
            .map(|upload| async move {
                let parts = client.list_parts(bucket, &upload.key, &upload.id).await?;
                let bytes = parts.iter().filter_map(|part| part.size).sum();
                Ok::<_, Failure>(OpenUpload { upload, bytes })
            })
            .buffered(AT_ONCE)
            .collect::<Vec<_>>();
        until_cancelled(&context, measured).await?.into_iter().collect()
    }
}

/// Ends uploads: what was sent of them is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortUploads {
    /// Which bucket.
    pub place: Place,
    /// Which.
    pub uploads: Vec<Upload>,
}

/// One that was ended, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aborted {
    /// Which.
    pub upload: Upload,
    /// Why it is still there.
    pub left: Option<Failure>,
}

impl Job<World> for AbortUploads {
    type Item = Nothing;
    type Out = Result<Vec<Aborted>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let (client, bucket) = (&client, &bucket);
        let aborted = stream::iter(self.uploads)
            .map(|upload| async move {
                let ended = client.abort_upload(bucket, &upload.key, &upload.id).await;
                Aborted { upload, left: ended.err().map(Failure::from) }
            })
            .buffered(AT_ONCE)
            .collect();
        until_cancelled(&context, aborted).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_count_for_the_next_part_of_their_key() {
        let object = |key: &str, size: u32, class: &str| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-03-15T10:20:30.000Z</LastModified>\
                 <Size>{size}</Size><StorageClass>{class}</StorageClass></Contents>"
            )
        };
        let body = [
            object("p/a/1", 10, "Standard"),
            object("p/a/b/2", 20, "IA"),
            object("p/b/3", 40, "IA"),
            object("p/x", 5, "Standard"),
        ];
        let body = format!("<ListBucketResult><Name>b</Name>{}</ListBucketResult>", body.concat());
        let mut sizes = Sizes::default();
        sizes.count(&Page::parse(body.as_bytes()).unwrap(), "p/");
        let usage = |objects, bytes| Usage { objects, bytes };
        assert_eq!(sizes.all, usage(4, 75));
        assert_eq!(
            sizes.largest_first(),
            [("b/", usage(1, 40)), ("a/", usage(2, 30)), ("", usage(1, 5))]
        );
        let classes: Vec<_> = sizes.classes.into_iter().collect();
        assert_eq!(
            classes,
            [
                (StorageClass::Standard, usage(2, 15)),
                (StorageClass::InfrequentAccess, usage(2, 60))
            ]
        );
    }
}
