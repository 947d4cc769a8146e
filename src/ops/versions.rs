//! Versions of objects: which there are, which is the current one, and what takes a deletion or an
//! overwrite back. Where a bucket keeps none, nothing does.

use std::iter;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::failure::{Failure, FailureKind};
use super::objects::{Place, until_cancelled};
use super::world::World;
use crate::base::job::{Context, Job, Nothing};
use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;
use crate::oss::object::CopyOptions;
use crate::oss::versions::{At, Marker, VersionEntry};
use crate::oss::{self, Client, transfer};

/// Delete markers removed at a time.
const AT_A_TIME: usize = 16;

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versioning {
    /// Every write and deletion leaves what was there before.
    Enabled,
    /// What was kept stays; a write or deletion replaces what the version `null` was.
    Suspended,
    /// It never did.
    Never,
    /// Nobody knows: the key may not ask, or the server does not say.
    #[default]
    Unknown,
}

impl Versioning {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
            Self::Never => "never",
            Self::Unknown => "unknown",
        }
    }

    /// Asks for it. That a key may not ask does not mean that nothing is kept.
    pub(in crate::ops) async fn ask(client: &Client, bucket: &BucketName) -> Self {
        let answer = client.bucket_versioning(bucket).await;
        Self::of(answer.as_ref().map(|answer| answer.value.as_deref()))
    }

    fn of(answer: Result<Option<&str>, &oss::Error>) -> Self {
        match answer {
            Ok(Some("Enabled")) => Self::Enabled,
            Ok(Some("Suspended")) => Self::Suspended,
            Ok(None) => Self::Never,
            Ok(Some(_)) | Err(_) => Self::Unknown,
        }
    }
}

/// Which versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of one object.
    Object(ObjectKey),
    /// Of all objects whose keys begin with it; literal.
    Below(String),
}

/// Lists versions and delete markers, the newest of each key first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListVersions {
    /// Which bucket.
    pub place: Place,
    /// Of what.
    pub of: Whose,
}

impl Job<World> for ListVersions {
    type Item = Vec<VersionEntry>;
    type Out = Result<Versioning, Failure>;

    async fn run(self, context: Context<World, Vec<VersionEntry>>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let asked = Versioning::ask(&client, &bucket);
        let versioning = until_cancelled(&context, asked).await?;
        let prefix = match &self.of {
            Whose::Object(key) => key.as_str(),
            Whose::Below(prefix) => prefix.as_str(),
        };
        let mut from = None;
        loop {
            let page = client.list_versions(&bucket, prefix, from.as_ref());
            let mut page = until_cancelled(&context, page).await??.value;
            // the object comes before all whose keys begin with its own
            let is_past = matches!(&self.of, Whose::Object(key)
                if page.entries.iter().any(|entry| entry.key != key.as_str()));
            if let Whose::Object(key) = &self.of {
                page.entries.retain(|entry| entry.key == key.as_str());
            }
            if !context.report(page.entries).await || is_past || page.next.is_none() {
                return Ok(versioning);
            }
            from = page.next;
        }
    }
}

/// Removes delete markers: what they hide is there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeBack {
    /// Which bucket.
    pub place: Place,
    /// Which.
    pub markers: Vec<Marker>,
}

impl Job<World> for TakeBack {
    type Item = Nothing;
    /// How many are gone; and why not all, where some stayed.
    type Out = Result<(u64, Option<Failure>), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let remove = |marker: &Marker| {
            let (client, bucket, marker) = (&client, &bucket, marker.clone());
            async move { take_back((client, bucket), marker).await.err() }
        };
        let mut work = stream::iter(self.markers.iter().map(remove)).buffer_unordered(AT_A_TIME);
        let (mut back, mut why) = (0, None);
        while let Some(failed) = until_cancelled(&context, work.next()).await? {
            match failed {
                None => back += 1,
                Some(error) => {
                    why.get_or_insert(Failure::from(error));
                }
            }
        }
        match why {
            Some(failure) if back == 0 => Err(failure),
            why => Ok((back, why)),
        }
    }
}

/// Removes a delete marker, with those that the same deletion left where an answer of it was
/// lost.
async fn take_back(
    (client, bucket): (&Client, &BucketName),
    marker: Marker,
) -> Result<(), oss::Error> {
    let Marker { key, id, is_repeated } = marker;
    let mut others = Vec::new();
    let mut looked = Ok(());
    if is_repeated {
        match markers((client, bucket), &key, Some(&id)).await {
            Ok(found) => others = found.ids,
            // the one that is known goes all the same
            Err(error) => looked = Err(error),
        }
    }
    for id in iter::once(&id).chain(others.iter().filter(|other| **other != id)) {
        client.delete(bucket, At { key: &key, version: Some(id) }).await?;
    }
    looked
}

/// Makes an older version of an object the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revert {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// The version to be had again, by a copy of it; `None` removes the delete markers that hide
    /// the newest.
    pub to: Option<String>,
}

/// What a revert did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// So many delete markers are gone.
    Undeleted(u64),
    /// The version was copied: the one that was current stays behind it.
    Copied,
}

impl Job<World> for Revert {
    type Item = Nothing;
    type Out = Result<Reverted, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let key = self.key.as_str();
        let Some(id) = &self.to else {
            let undeleted = undelete((&client, &bucket), key);
            return Ok(Reverted::Undeleted(until_cancelled(&context, undeleted).await??));
        };
        let copied = copy_back((&client, &bucket), At { key, version: Some(id) });
        until_cancelled(&context, copied).await??;
        Ok(Reverted::Copied)
    }
}

/// Copies a version over what is current. The bucket has to keep that, else it would be lost.
async fn copy_back((client, bucket): (&Client, &BucketName), at: At<'_>) -> Result<(), Failure> {
    let versioning = Versioning::ask(client, bucket).await;
    let doubt = match versioning {
        Versioning::Enabled => None,
        Versioning::Suspended | Versioning::Never => {
            Some("the bucket keeps no versions now: what is current would be lost")
        }
        Versioning::Unknown => Some(
            "whether the bucket keeps versions now is not told to this key: what is current might \
             be lost",
        ),
    };
    if let Some(summary) = doubt {
        return Err(Failure::new(FailureKind::Conflict, summary)
            .hint("copy the version to another key, or to this machine: osstack cp --version-id"));
    }
    let info = client.head(bucket, at).await?.value;
    if info.size.is_some_and(|size| size >= transfer::Pieces::OSS.whole) {
        let summary = "the version is too large to be copied in one piece";
        return Err(Failure::new(FailureKind::Settings, summary)
            .hint("bring it here and back: osstack cp --version-id, then cp"));
    }
    let options = CopyOptions { if_match: info.etag, crc64: info.crc64, ..CopyOptions::default() };
    client.copy((bucket, at), (bucket, at.key), &options).await?;
    Ok(())
}

/// Removes the delete markers on top of the newest version.
async fn undelete((client, bucket): (&Client, &BucketName), key: &str) -> Result<u64, Failure> {
    let Markers { ids, hides_version } = markers((client, bucket), key, None).await?;
    if !hides_version {
        let summary = "no version of it is left to be had again";
        return Err(Failure::new(FailureKind::NotFound, summary)
            .hint("osstack versions shows what the bucket keeps"));
    }
    if ids.is_empty() {
        let summary = "it is not deleted";
        return Err(Failure::new(FailureKind::Conflict, summary)
            .hint("name the version to be had again: --version-id, from osstack versions"));
    }
    for id in &ids {
        client.delete(bucket, At { key, version: Some(id) }).await?;
    }
    Ok(ids.len() as u64)
}

/// Delete markers of an object with no version between them.
#[derive(Debug, Default)]
struct Markers {
    ids: Vec<String>,
    /// Whether a version lies behind them.
    hides_version: bool,
}

/// The newest delete markers of an object, or those around the marker `holding`.
async fn markers(
    (client, bucket): (&Client, &BucketName),
    key: &str,
    holding: Option<&String>,
) -> Result<Markers, oss::Error> {
    let (mut from, mut ids) = (None, Vec::new());
    loop {
        let page = client.list_versions(bucket, key, from.as_ref()).await?.value;
        let mut is_past = page.next.is_none();
        for entry in page.entries {
            if entry.key != key {
                is_past = true;
                break;
            }
            if entry.is_marker {
                ids.push(entry.id);
            } else if holding.is_none_or(|id| ids.contains(id)) {
                return Ok(Markers { ids, hides_version: true });
            } else {
                ids.clear();
            }
        }
        if is_past {
            let is_run = holding.is_none_or(|id| ids.contains(id));
            let ids = if is_run { ids } else { Vec::new() };
            return Ok(Markers { ids, hides_version: false });
        }
        from = page.next;
    }
}

/// Removes one version, or one delete marker, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveVersion {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// The version's id.
    pub id: String,
}

impl Job<World> for RemoveVersion {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let at = At { key: self.key.as_str(), version: Some(&self.id) };
        until_cancelled(&context, client.delete(&bucket, at)).await??;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_does_not_mean_that_nothing_is_kept() {
        let denied = oss::Error::new(oss::Kind::Permission, "ask for the versioning", "no");
        assert_eq!(Versioning::of(Err(&denied)), Versioning::Unknown);
        assert_eq!(Versioning::of(Ok(Some("Paused"))), Versioning::Unknown);
        assert_eq!(Versioning::of(Ok(None)), Versioning::Never);
        assert_eq!(Versioning::of(Ok(Some("Enabled"))), Versioning::Enabled);
    }
}
