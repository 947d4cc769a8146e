//! What is marked in a listing, and how all of it is measured and deleted.

use super::failure::Failure;
use super::objects::{Deleted, Place, delete_below, delete_keys, until_cancelled};
use super::usage::Usage;
use super::versions::Versioning;
use super::world::World;
use crate::base::job::{Context, Job, Nothing};
use crate::model::object_key::ObjectKey;
use crate::oss::listing::ListRequest;

/// Keys deleted between two reports.
const AT_ONCE: usize = 1000;

/// Objects and prefixes of one listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Which bucket.
    pub place: Place,
    /// What their keys begin with, and their names leave out.
    pub within: String,
    /// The objects.
    pub objects: Vec<ObjectKey>,
    /// All that lies below these; literal.
    pub prefixes: Vec<String>,
}

impl Marked {
    /// One object alone.
    pub fn one(place: Place, key: ObjectKey) -> Self {
        let within = key.as_str().strip_suffix(key.file_name()).unwrap_or_default().to_owned();
        Self { place, within, objects: vec![key], prefixes: Vec::new() }
    }

    /// How many rows that are.
    pub fn len(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their keys and prefixes, whole.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let objects = self.objects.iter().map(ObjectKey::as_str);
        objects.chain(self.prefixes.iter().map(String::as_str))
    }

    /// Their names, as they are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|key| key.strip_prefix(&self.within).unwrap_or(key))
    }
}

/// Counts what lies below prefixes, and asks whether its deletion could be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasurePrefixes {
    /// Which bucket.
    pub place: Place,
    /// Which; literal.
    pub prefixes: Vec<String>,
}

impl Job<World> for MeasurePrefixes {
    type Item = Nothing;
    type Out = Result<(Usage, Versioning), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let versioning = until_cancelled(&context, Versioning::ask(&client, &bucket)).await?;
        let mut all = Usage::default();
        for prefix in self.prefixes {
            let request = ListRequest { prefix, ..ListRequest::default() };
            let mut pages = client.walk(&bucket, request);
            while let Some(page) = until_cancelled(&context, pages.next()).await? {
                page?.value.entries().for_each(|entry| all.add(entry.size));
            }
        }
        Ok((all, versioning))
    }
}

/// Deletes what is marked; stopping it leaves the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteMarked {
    /// What.
    pub marked: Marked,
}

impl Job<World> for DeleteMarked {
    type Item = Deleted;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Deleted>) -> Self::Out {
        let Marked { place, objects, prefixes, .. } = self.marked;
        let (client, bucket) = place.open(&context.world).await?;
        for keys in objects.chunks(AT_ONCE) {
            if context.cancel.is_cancelled() {
                return Err(Failure::cancelled());
            }
            let keys = keys.iter().map(|key| key.as_str().to_owned()).collect();
            delete_keys(&context, (&client, &bucket), keys).await?;
        }
        for prefix in prefixes {
            delete_below(&context, (&client, &bucket), prefix).await?;
        }
        Ok(())
    }
}
