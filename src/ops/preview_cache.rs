//! What previews read, kept for when an object is looked at again.
//!
//! It is found by the `ETag` that a listing tells, so an object that was written anew is read
//! anew. Held in memory alone, and gone with the keys: [`World::lock`](super::world::World::lock).

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::oss::object::Version;

/// Bytes kept in all.
const MOST_KEPT: usize = 16 << 20;
/// What one takes besides its bytes, about: its names, and the store it was read through.
const ENTRY: usize = 1024;

/// An object, as one store's settings and key reach it. Without `Debug`: the key's id is in it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Reached {
    /// As the catalog had it: with other settings it may be another object.
    pub(super) store: ArtifactStore,
    pub(super) bucket: BucketName,
    pub(super) key: ObjectKey,
    /// The id of the access key: another one under the same name may not read it.
    pub(super) by: String,
}

/// What was read of one version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) version: Version,
    /// Its beginning.
    pub(super) first: Bytes,
    /// From where on, how much was asked for, and what came.
    pub(super) besides: Vec<(u64, u64, Bytes)>,
}

impl Parts {
    fn size(&self) -> usize {
        let besides = self.besides.iter().map(|(.., bytes)| bytes.len()).sum::<usize>();
        ENTRY + self.first.len() + besides
    }
}

/// The last ones read, [`MOST_KEPT`] at the most.
#[derive(Default)]
pub(super) struct PreviewCache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The one looked at last is at the end.
    objects: Vec<(Reached, Parts)>,
    size: usize,
    /// How often it was emptied.
    emptied: u64,
}

/// Says that nothing was emptied since: what was begun before keeps nothing behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since(u64);

impl fmt::Debug for PreviewCache {
    /// Without what it holds: this may reach logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} previews", self.lock().objects.len())
    }
}

impl PreviewCache {
    /// What was read of that version.
    pub(super) fn find(&self, object: &Reached, version: &Version) -> Option<Parts> {
        let mut kept = self.lock();
        let is_it = |(of, parts): &(Reached, Parts)| parts.version == *version && of == object;
        let at = kept.objects.iter().position(is_it)?;
        let found = kept.objects.remove(at);
        let parts = found.1.clone();
        kept.objects.push(found);
        Some(parts)
    }

    /// To be asked for before reading, and handed to [`PreviewCache::keep`].
    pub(super) fn since(&self) -> Since {
        Since(self.lock().emptied)
    }

    /// Keeps `parts` instead of what was kept of `object`; those not looked at for longest go.
    pub(super) fn keep(&self, since: Since, object: Reached, parts: Parts) {
        let mut kept = self.lock();
        if since != Since(kept.emptied) || parts.size() > MOST_KEPT {
            return;
        }
        kept.drop_where(|of| *of == object);
        kept.size += parts.size();
        kept.objects.push((object, parts));
        while kept.size > MOST_KEPT {
            let (_, oldest) = kept.objects.remove(0);
            kept.size -= oldest.size();
        }
    }

    /// Forgets what was read of `object`.
    pub(super) fn forget(&self, object: &Reached) {
        self.lock().drop_where(|of| of == object);
    }

    /// Forgets everything, also what is being read.
    pub(super) fn clear(&self) {
        let mut kept = self.lock();
        let emptied = kept.emptied + 1;
        *kept = Kept { emptied, ..Kept::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_where(&mut self, is_it: impl Fn(&Reached) -> bool) {
        self.objects.retain(|(of, _)| !is_it(of));
        self.size = self.objects.iter().map(|(_, parts)| parts.size()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::store::StoreDraft;

    fn object(key: &str) -> Reached {
        let draft = StoreDraft {
            name: "st".into(),
            bucket: "bucket".into(),
            secret: "key".into(),
            region: "eu-central-1".into(),
            ..StoreDraft::default()
        };
        let store = draft.validate().unwrap();
        let (bucket, key) = (store.bucket.clone(), ObjectKey::parse(key).unwrap());
        Reached { bucket, store, key, by: "LTAI".into() }
    }

    fn parts(etag: &str, size: usize) -> Parts {
        let version = Version { etag: etag.into(), size: size as u64 };
        Parts { version, first: vec![0; size].into(), besides: Vec::new() }
    }

    #[test]
    fn the_one_not_looked_at_for_longest_goes() {
        let cache = PreviewCache::default();
        let third = parts("e", MOST_KEPT / 3 - ENTRY);
        let has = |key| cache.find(&object(key), &third.version).is_some();
        for key in ["a", "b", "c"] {
            cache.keep(cache.since(), object(key), third.clone());
        }
        assert!(has("b") && has("a"), "all three fit");
        cache.keep(cache.since(), object("d"), third.clone());
        assert_eq!(["a", "b", "c", "d"].map(has), [true, true, false, true]);
        cache.keep(cache.since(), object("e"), parts("e", MOST_KEPT));
        assert_eq!(["d", "e"].map(has), [true, false], "what has no room leaves the others alone");
    }

    #[test]
    fn a_newer_version_takes_the_place_of_the_older_one() {
        let cache = PreviewCache::default();
        let (old, new) = (parts("old", 1), parts("new", 1));
        cache.keep(cache.since(), object("a"), old.clone());
        cache.keep(cache.since(), object("a"), new.clone());
        assert_eq!(cache.find(&object("a"), &old.version), None);
        assert_eq!(cache.find(&object("a"), &new.version), Some(new.clone()));
        let longer = Version { size: 2, ..new.version.clone() };
        assert_eq!(cache.find(&object("a"), &longer), None);
        let mut elsewhere = object("a");
        elsewhere.store.bucket = BucketName::parse("another").unwrap();
        assert_eq!(cache.find(&elsewhere, &new.version), None, "its store leads elsewhere now");
    }

    #[test]
    fn what_was_begun_before_it_was_emptied_is_not_kept() {
        let cache = PreviewCache::default();
        let (since, parts) = (cache.since(), parts("e", 1));
        cache.keep(since, object("a"), parts.clone());
        cache.clear();
        cache.keep(since, object("b"), parts.clone());
        assert_eq!(format!("{cache:?}"), "0 previews");
    }
}
