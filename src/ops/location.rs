//! What a user types to name an object: `STORE:KEY`, `s3://BUCKET/KEY`, or a local path.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use crate::catalog::Catalog;
use crate::model::bucket::BucketName;
use crate::model::store::ArtifactStore;

use super::bookmarks;
use super::failure::{Failure, FailureKind};
use super::objects::Place;
use super::world::{World, store_of};
use crate::base::job::{Context, Job, Nothing};
use crate::base::url_encode;
use crate::base::visible::visible;

/// A place as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file or folder of this machine.
    Local(PathBuf),
    /// A key below a store's own prefix.
    Store {
        /// The store.
        store: String,
        /// The rest, literal.
        key: String,
    },
    /// As the `ZenML` dashboard shows it.
    Uri {
        /// The bucket.
        bucket: String,
        /// The whole key.
        key: String,
    },
    /// As a [bookmark](super::bookmarks) says, which knows its store.
    Marked {
        /// The bucket's place.
        place: Place,
        /// The bucket.
        bucket: BucketName,
        /// The whole key.
        key: String,
    },
}

impl Location {
    /// Reads `text`. A path with a colon is written `./a:b`. The address of an object on the web
    /// and of a page of OSS's console are read as what they show.
    pub fn parse(text: &OsStr) -> Self {
        let Some(word) = text.to_str() else { return Self::Local(text.into()) };
        if let Some(uri) = web_address(word) {
            return uri;
        }
        for scheme in ["s3://", "oss://"] {
            if let Some(rest) = word.strip_prefix(scheme) {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                return Self::Uri { bucket: bucket.into(), key: key.into() };
            }
        }
        match word.split_once(':') {
            Some((store, key)) if !store.is_empty() && !store.contains(['/', '\\', '.']) => {
                Self::Store { store: store.into(), key: key.into() }
            }
            _ => Self::Local(word.into()),
        }
    }

    /// Where `key`, the whole one, lies in the bucket of `store`: below its prefix, as people type
    /// it, or beside.
    pub fn of(store: &ArtifactStore, key: &str) -> Self {
        match key.strip_prefix(&store.key_prefix()) {
            Some(key) => Self::Store { store: store.name.to_string(), key: key.into() },
            None => Self::Uri { bucket: store.bucket.to_string(), key: key.into() },
        }
    }

    /// The bucket's place and the whole key (or prefix) meant; none for a local path.
    pub fn resolve(&self, catalog: &Catalog) -> Result<Option<(Place, String)>, Failure> {
        match self {
            Self::Local(_) => Ok(None),
            Self::Marked { place, key, .. } => Ok(Some((place.clone(), key.clone()))),
            Self::Store { store, key } => {
                let found = store_of(catalog, store)?;
                Ok(Some((Place::of(store), format!("{}{key}", found.key_prefix()))))
            }
            Self::Uri { bucket, key } => {
                let bucket = BucketName::parse(bucket)
                    .map_err(|error| Failure::new(FailureKind::Usage, error.to_string()))?;
                // the dashboard shows a store's own path without a slash at its end
                let serves =
                    |prefix: &str| key.starts_with(prefix) || prefix.strip_suffix('/') == Some(key);
                catalog
                    .stores()
                    .iter()
                    .filter(|store| store.bucket == bucket && serves(&store.key_prefix()))
                    .max_by_key(|store| store.prefix.len())
                    .map(|store| Some((Place::of(store.name.as_str()), key.clone())))
                    .ok_or_else(|| {
                        let summary = format!("no store of the catalog reaches s3://{bucket}/");
                        Failure::new(FailureKind::NotFound, summary)
                            .hint("register one: osstack artifact-store register")
                    })
            }
        }
    }
}

/// The object that an address of OSS names: `https://BUCKET.oss-REGION.aliyuncs.com/KEY?…`, or
/// the console's `https://oss.console.aliyun.com/bucket/oss-REGION/BUCKET/object?path=PREFIX`.
fn web_address(text: &str) -> Option<Location> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let rest = rest.split('#').next()?;
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    if host == "oss.console.aliyun.com" {
        let mut steps = path.split('/').skip_while(|step| *step != "bucket").skip(2);
        let bucket = steps.next().filter(|bucket| !bucket.is_empty())?.to_owned();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let path = pairs.find(|(name, _)| *name == "path").map_or("", |(_, value)| value);
        return Some(Location::Uri { bucket, key: url_encode::decode(path)? });
    }
    let (bucket, service) = host.split_once('.')?;
    let is_oss = service.ends_with(".aliyuncs.com") && service.contains("oss");
    is_oss.then_some(())?;
    Some(Location::Uri { bucket: bucket.to_owned(), key: url_encode::decode(path)? })
}

/// Finds the place that a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locate {
    /// As it was typed or pasted.
    pub text: String,
    /// Where one is: it reaches all of its bucket, also beside its store's prefix.
    pub near: Place,
}

impl Job<World> for Locate {
    type Item = Nothing;
    /// The bucket's place and the whole key or prefix.
    type Out = Result<(Place, String), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let text = self.text.trim();
        let location = bookmarks::location(&context.world, OsStr::new(text)).await?;
        if let Location::Uri { bucket, key } = &location {
            let store = store_of(&catalog, &self.near.store)?;
            if self.near.bucket.as_ref().unwrap_or(&store.bucket).as_str() == bucket {
                return Ok((self.near, key.clone()));
            }
        }
        location.resolve(&catalog)?.ok_or_else(|| {
            let summary = format!("'{}' names no place in a bucket", visible(text));
            let hint = "paste STORE:KEY, s3://BUCKET/KEY, @BOOKMARK or the address of an object";
            Failure::new(FailureKind::Usage, summary).hint(hint)
        })
    }
}

impl fmt::Display for Location {
    /// Exactly, as [`Location::parse`] reads it again where a store of the catalog reaches it; it
    /// has to pass [`visible`](crate::base::visible) before it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
            Self::Store { store, key } => write!(f, "{store}:{key}"),
            Self::Uri { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::Marked { bucket, key, .. } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_uris_and_paths() {
        let parse = |text: &str| Location::parse(OsStr::new(text));
        let store =
            |store: &str, key: &str| Location::Store { store: store.into(), key: key.into() };
        assert_eq!(parse("st:a/b:c"), store("st", "a/b:c"));
        assert_eq!(parse("st:"), store("st", ""));
        assert_eq!(parse("./a:b"), Location::Local("./a:b".into()));
        assert_eq!(parse("dir/a:b"), Location::Local("dir/a:b".into()));
        assert_eq!(parse("plain.txt"), Location::Local("plain.txt".into()));
        let uri = Location::Uri { bucket: "b-1".into(), key: "x//y".into() };
        assert_eq!(parse("s3://b-1/x//y"), uri);
        assert_eq!(parse("oss://b-1/x//y"), uri);
        let object = "https://b-1.oss-eu-central-1.aliyuncs.com/x//y?Expires=1&Signature=a%2Fb";
        assert_eq!(parse(object), uri);
        let page =
            "https://oss.console.aliyun.com/bucket/oss-eu-central-1/b-1/object?path=x%2F%2Fy";
        assert_eq!(parse(page), uri);
        assert!(!matches!(parse("https://example.com/a"), Location::Uri { .. }));
        for text in ["st:a/b:c", "st:", "./a:b", "s3://b-1/x//y"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn whole_keys_are_found_again_below_a_prefix_and_beside() {
        let draft = crate::model::store::StoreDraft {
            name: "st".into(),
            bucket: "b-1".into(),
            prefix: "zenml".into(),
            secret: "s".into(),
            region: "eu-central-1".into(),
            ..Default::default()
        };
        let store = draft.validate().unwrap();
        assert_eq!(Location::of(&store, "zenml/a:\u{1b}/b").to_string(), "st:a:\u{1b}/b");
        assert_eq!(Location::of(&store, "zenml-2/a").to_string(), "s3://b-1/zenml-2/a");
    }
}
