//! A bucket that keeps versions, and objects that are archived.

use bytes::Bytes;
use futures_util::FutureExt as _;
use osstack::model::bucket::BucketName;
use osstack::oss::listing::StorageClass;
use osstack::oss::object::{CopyOptions, PutOptions};
use osstack::oss::restore::{Asked, RestoreOptions, Tier};
use osstack::oss::versions::{At, LeftBehind, VersionEntry};
use osstack::oss::{Error, Kind};

use super::{Bench, Case, Different, Outcome, refused, same};

/// Those of a server that was told to have such a bucket, or such an object.
pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    if let Some(name) = &at.server.versioned {
        let kept = || Kept { at, bucket: BucketName::parse(name).unwrap() };
        cases.extend([
            ("versions: whether they are kept".into(), told(kept()).boxed()),
            ("versions: two told apart".into(), told_apart(kept()).boxed()),
            ("versions: read by id".into(), read_by_id(kept()).boxed()),
            ("versions: marker after a delete".into(), marker(kept()).boxed()),
            ("versions: markers after many deletes".into(), markers(kept()).boxed()),
            ("versions: undo of a delete".into(), undo(kept()).boxed()),
            ("versions: an older one copied back".into(), copied_back(kept()).boxed()),
            ("versions: one deleted for good".into(), for_good(kept()).boxed()),
            ("versions: id of nothing".into(), id_of_nothing(kept()).boxed()),
        ]);
    }
    if let Some((bucket, key)) = &at.server.archived {
        let bucket = || BucketName::parse(bucket).unwrap();
        cases.extend([
            ("restore: what is archived".into(), restore(at, bucket(), key).boxed()),
            ("restore: what is not archived".into(), restore_standard(at).boxed()),
            ("restore: what is not there".into(), restore_missing(at).boxed()),
        ]);
    }
    cases
}

/// The bucket that keeps them.
struct Kept<'a> {
    at: &'a Bench,
    bucket: BucketName,
}

impl Kept<'_> {
    async fn put(&self, key: &str, text: &'static str) -> Outcome {
        let (bytes, options) = (Bytes::from_static(text.as_bytes()), PutOptions::default());
        self.at.client.put(&self.bucket, key, bytes, &options).await?;
        Ok(())
    }

    async fn read(&self, object: impl Into<At<'_>>) -> Result<String, Error> {
        let part = self.at.client.get_range(&self.bucket, object, 0, 100, None).await?.value;
        Ok(String::from_utf8_lossy(&part.bytes).into_owned())
    }

    /// All there is of `key`, the newest first.
    async fn all(&self, key: &str) -> Result<Vec<VersionEntry>, Different> {
        let page = self.at.client.list_versions(&self.bucket, key, None).await?.value;
        same("all on one page", page.next, None)?;
        let is_it = |entry: &VersionEntry| entry.key == key;
        Ok(page.entries.into_iter().filter(is_it).collect())
    }

    /// The same, of an object that was written as `first` and then as `second one`.
    async fn two(&self, key: &str) -> Result<[VersionEntry; 2], Different> {
        self.put(key, "first").await?;
        self.put(key, "second one").await?;
        let all = self.all(key).await?;
        all.try_into().map_err(|all| Different(format!("{all:?} in place of two versions")))
    }
}

/// Which is the latest, which a marker, and how long each is.
fn facts(entries: &[VersionEntry]) -> Vec<(bool, bool, u64)> {
    entries.iter().map(|entry| (entry.is_latest, entry.is_marker, entry.size)).collect()
}

async fn told(kept: Kept<'_>) -> Outcome {
    let client = &kept.at.client;
    let state = client.bucket_versioning(&kept.bucket).await?.value;
    same("of a bucket that keeps them", state.as_deref(), Some("Enabled"))?;
    let state = client.bucket_versioning(&kept.at.bucket).await?.value;
    same("of one that never did", state, None)
}

async fn told_apart(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/a b%&c");
    let [new, old] = kept.two(&key).await?;
    // its key begins so, and it is another object
    kept.put(&format!("{key}.bak"), "another").await?;
    same("versions", facts(&kept.all(&key).await?), vec![(true, false, 10), (false, false, 5)])?;
    same("ids differ", new.id != old.id, true)?;
    same("dates are there", new.modified.is_some() && old.modified.is_some(), true)?;
    same("ETags differ", new.etag.is_some() && new.etag != old.etag, true)
}

async fn read_by_id(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/read");
    let [new, old] = kept.two(&key).await?;
    for (entry, text) in [(&new, "second one"), (&old, "first")] {
        let object = At { key: &key, version: Some(&entry.id) };
        same("content", kept.read(object).await?.as_str(), text)?;
        let size = kept.at.client.head(&kept.bucket, object).await?.size;
        same("size", size, Some(text.len() as u64))?;
    }
    same("the current one", kept.read(&key).await?.as_str(), "second one")
}

async fn marker(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/deleted");
    kept.two(&key).await?;
    let left = kept.at.client.delete(&kept.bucket, &key).await?.value;
    let all = kept.all(&key).await?;
    same("versions", facts(&all), vec![(true, true, 0), (false, false, 10), (false, false, 5)])?;
    same("the marker", left.map(|left| left.id), all.first().map(|entry| entry.id.clone()))?;
    refused("the object", kept.read(&key).await, Kind::NotFound, "NoSuchKey")
}

async fn markers(kept: Kept<'_>) -> Outcome {
    let keys = ["x", "y"].map(|name| kept.at.key(&format!("versions/many/{name}")));
    for key in &keys {
        kept.put(key, "text").await?;
    }
    let mut left = LeftBehind::default();
    kept.at.client.delete_many(&kept.bucket, &keys, &mut left).await?;
    same("left", left.objects, Vec::new())?;
    let mut told: Vec<(String, String)> =
        left.markers.into_iter().map(|marker| (marker.key, marker.id)).collect();
    told.sort();
    let mut there = Vec::new();
    for key in &keys {
        let newest = kept.all(key).await?.into_iter().next();
        there.extend(newest.filter(|entry| entry.is_marker).map(|entry| (entry.key, entry.id)));
    }
    same("markers", told, there)
}

async fn undo(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/undone");
    kept.two(&key).await?;
    let left = kept.at.client.delete(&kept.bucket, &key).await?.value;
    let id = left.map(|marker| marker.id).unwrap_or_default();
    kept.at.client.delete(&kept.bucket, At { key: &key, version: Some(&id) }).await?;
    same("versions", facts(&kept.all(&key).await?), vec![(true, false, 10), (false, false, 5)])?;
    same("content", kept.read(&key).await?.as_str(), "second one")
}

async fn copied_back(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/copied back");
    let [_, old] = kept.two(&key).await?;
    let (client, bucket) = (&kept.at.client, &kept.bucket);
    let from = At { key: &key, version: Some(&old.id) };
    let options = CopyOptions { if_match: old.etag.clone(), ..CopyOptions::default() };
    client.copy((bucket, from), (bucket, &key), &options).await?;
    same("content", kept.read(&key).await?.as_str(), "first")?;
    let due = vec![(true, false, 5), (false, false, 10), (false, false, 5)];
    same("versions", facts(&kept.all(&key).await?), due)
}

async fn for_good(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/for good");
    let [new, _] = kept.two(&key).await?;
    let object = At { key: &key, version: Some(&new.id) };
    let left = kept.at.client.delete(&kept.bucket, object).await?.value;
    same("the marker", left, None)?;
    same("versions", facts(&kept.all(&key).await?), vec![(true, false, 5)])?;
    same("content", kept.read(&key).await?.as_str(), "first")?;
    refused("that version", kept.read(object).await, Kind::NotFound, "NoSuchVersion")
}

async fn id_of_nothing(kept: Kept<'_>) -> Outcome {
    let key = kept.at.key("versions/no such id");
    let [_, old] = kept.two(&key).await?;
    let other = kept.at.key("versions/of another");
    kept.put(&other, "another").await?;
    // an id as they are there, of another object
    let object = At { key: &other, version: Some(&old.id) };
    refused("that version", kept.read(object).await, Kind::NotFound, "NoSuchVersion")
}

const A_DAY: RestoreOptions = RestoreOptions { days: 1, tier: Tier::Standard };

async fn restore(at: &Bench, bucket: BucketName, key: &str) -> Outcome {
    let class = StorageClass::Archive;
    let asked = at.client.restore(&bucket, key, class, A_DAY).await?.value;
    // with the signature before it was asked already
    same("asked", asked != Asked::NotArchived, true)?;
    let info = at.client.head(&bucket, key).await?.value;
    same("how far it is is told", info.restoration().is_some(), true)
}

async fn restore_standard(at: &Bench) -> Outcome {
    let key = at.key("not archived");
    at.put(&key, b"x").await?;
    let asked = at.client.restore(&at.bucket, &key, StorageClass::Archive, A_DAY).await?.value;
    same("asked", asked, Asked::NotArchived)
}

async fn restore_missing(at: &Bench) -> Outcome {
    let key = at.key("missing");
    let answer = at.client.restore(&at.bucket, &key, StorageClass::Archive, A_DAY).await;
    refused("restore", answer, Kind::NotFound, "NoSuchKey")
}

/// After the cases: what they wrote goes away, for good.
pub(super) async fn leave_nothing(at: &Bench, bucket: &BucketName) -> Outcome {
    for entry in at.client.list_versions(bucket, &at.root, None).await?.value.entries {
        at.client.delete(bucket, At { key: &entry.key, version: Some(&entry.id) }).await?;
    }
    let left = at.client.list_versions(bucket, &at.root, None).await?.value.entries;
    same("left", facts(&left), Vec::new())
}
