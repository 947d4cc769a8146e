//! Which artifact version is meant.

use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::runs::{NEWEST, in_project, is_id};
use crate::zenml::artifacts::ArtifactVersion;
use crate::zenml::artifacts::below::{Places, key_in};
use crate::zenml::artifacts::read::{self, readable};
use crate::zenml::remote::Remote;
use crate::zenml::rest::{Collection, Kind};

/// Folders of one key that are asked about; ZenML's own layout needs two.
const MOST_FOLDERS: usize = 16;

/// A version as it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its id.
    Id(String),
    /// By the artifact's name, and a version of it; the newest where none is named.
    Name(String, Option<String>),
    /// The one whose data this is, or lies in: `s3://BUCKET/KEY`.
    Uri(String),
}

impl Which {
    /// Reads `text`: an id, `NAME`, `NAME:VERSION`, or the place that it is: `s3://…`, a bookmark,
    /// or `STORE:KEY` where the catalog has such a store and the key holds a slash.
    pub fn parse(text: &str, place: Location, catalog: &Catalog) -> Self {
        match place {
            _ if is_id(text) => Self::Id(text.to_owned()),
            Location::Uri { bucket, key } => Self::Uri(format!("s3://{bucket}/{key}")),
            Location::Marked { bucket, key, .. } => Self::Uri(format!("s3://{bucket}/{key}")),
            Location::Store { store, key } if key.contains('/') => match catalog.store(&store) {
                Some(found) => {
                    Self::Uri(format!("s3://{}/{}{key}", found.bucket, found.key_prefix()))
                }
                None => Self::Name(store, Some(key)),
            },
            _ => match text.rsplit_once(':') {
                // an output without a name of its own is `pipeline::step::output`
                Some((name, version)) if !version.is_empty() && !name.ends_with(':') => {
                    Self::Name(name.to_owned(), Some(version.to_owned()))
                }
                _ => Self::Name(text.trim_end_matches(':').to_owned(), None),
            },
        }
    }

    fn words(&self) -> String {
        let shown = |text: &str| visible(text).into_string();
        match self {
            Self::Id(id) => format!("with the id {}", shown(id)),
            Self::Name(name, None) => format!("of '{}'", shown(name)),
            Self::Name(name, Some(version)) => format!("'{}:{}'", shown(name), shown(version)),
            Self::Uri(uri) => format!("whose data is {}", shown(uri)),
        }
    }

    fn absent(&self) -> Failure {
        let summary =
            format!("ZenML has no artifact version {} that this user may see", self.words());
        Failure::new(FailureKind::NotFound, summary)
            .hint("osstack artifact list shows what there is")
    }

    /// Asks `ZenML` for it, with all that it knows of it.
    pub(super) async fn find(&self, zenml: &Remote) -> Result<ArtifactVersion, Failure> {
        let id = match self {
            Self::Id(id) => id.clone(),
            Self::Name(name, version) => {
                let equals = version.as_ref().map(|version| format!("equals:{version}"));
                let mut query = in_project(zenml, &[("artifact", name.as_str()), NEWEST]);
                query.extend(equals.as_deref().map(|version| ("version", version)));
                let found = self.listed(zenml, &query).await?;
                let is_meant = |one: &&ArtifactVersion| {
                    one.artifact == *name && version.as_ref().is_none_or(|it| one.version == *it)
                };
                found.iter().find(is_meant).ok_or_else(|| self.absent())?.id.clone()
            }
            Self::Uri(uri) => self.holding(zenml, uri).await?.ok_or_else(|| self.absent())?,
        };
        let found = zenml.one(Collection::ArtifactVersions, &id).await?;
        found.as_ref().and_then(read::artifact_version).ok_or_else(|| self.absent())
    }

    /// One page of versions; an artifact that does not exist is an empty one (`ZenML` says 404 to
    /// a name that it does not know).
    async fn listed(
        &self,
        zenml: &Remote,
        query: &[(&str, &str)],
    ) -> Result<Vec<ArtifactVersion>, Failure> {
        match zenml.page(Collection::ArtifactVersions, query, 1, 100).await {
            Ok(page) => Ok(readable(&page.items, read::artifact_version).items),
            Err(error) if error.kind == Kind::NotFound => Err(self.absent()),
            Err(error) => Err(error.into()),
        }
    }

    /// The id of the version that the object or folder `uri` belongs to: asks for each folder
    /// around it, the nearest first.
    async fn holding(&self, zenml: &Remote, uri: &str) -> Result<Option<String>, Failure> {
        let uri = uri.trim_end_matches('/');
        let bucket = uri.strip_prefix("s3://").and_then(|rest| rest.split('/').next());
        let Some(bucket) = bucket else { return Ok(None) };
        let Some(mut folder) = key_in(uri, bucket) else { return Ok(None) };
        for _ in 0..MOST_FOLDERS {
            let equals = format!("equals:s3://{bucket}/{folder}");
            let query = in_project(zenml, &[("uri", &equals), NEWEST]);
            let found = self.listed(zenml, &query).await?;
            // newest first: of several versions in one place the last one written is its data
            let places = Places::new(found.iter().map(|one| key_in(&one.uri, bucket)));
            let holding = places.holding(key_in(uri, bucket).unwrap_or_default());
            if let Some(version) = holding.first().and_then(|index| found.get(*index)) {
                return Ok(Some(version.id.clone()));
            }
            match folder.rsplit_once('/') {
                Some((parent, _)) => folder = parent,
                None => break,
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn all_ways_to_name_a_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stacks.toml");
        let text = "schema = 1\n[artifact_store.st]\npath = \"s3://b-1/zen\"\nsecret = \"s\"\n\
                    region = \"eu-central-1\"\n";
        let options = crate::base::atomic_file::Options::default();
        crate::base::atomic_file::write(&path, text.as_ref(), 1, &options).unwrap();
        let catalog = Catalog::load(&path).unwrap();
        let parse = |text: &str| Which::parse(text, Location::parse(OsStr::new(text)), &catalog);
        let name = |name: &str, version: Option<&str>| {
            Which::Name(name.into(), version.map(str::to_owned))
        };
        let id = "681656ff-a3af-417b-8469-3c74ef4f0be4";
        assert_eq!(parse(id), Which::Id(id.into()));
        assert_eq!(parse("model"), name("model", None));
        assert_eq!(parse("model:"), name("model", None));
        assert_eq!(parse("model:7"), name("model", Some("7")));
        assert_eq!(parse("demo::fit::output:7"), name("demo::fit::output", Some("7")));
        assert_eq!(parse("demo::fit::output"), name("demo::fit::output", None));
        assert_eq!(parse("st:7"), name("st", Some("7")));
        assert_eq!(parse("st:a/b.csv"), Which::Uri("s3://b-1/zen/a/b.csv".into()));
        assert_eq!(parse("model:a/b"), name("model", Some("a/b")));
        assert_eq!(parse("s3://b-1/x/y"), Which::Uri("s3://b-1/x/y".into()));
    }
}
