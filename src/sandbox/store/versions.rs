//! Versions. A bucket keeps them from the day it is told to (documentation,
//! "Versioning"): every write then adds one, and a deletion adds a delete marker.
//! While it is suspended, writes replace the one version whose id is `null`.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{Bucket, Object, Store, StoreError};

/// The id of what was written while no versions were kept.
pub const NULL: &str = "null";

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It does.
    Enabled,
    /// It did.
    Suspended,
}

/// A version of an object.
#[derive(Clone, Debug)]
pub struct Version {
    /// The id.
    pub id: String,
    /// When it was written.
    pub modified: OffsetDateTime,
    /// The object; `None` for a delete marker.
    pub object: Option<Arc<Object>>,
}

/// What a deletion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version that was made or removed, where versions are kept.
    pub version: Option<String>,
    /// Whether that is a delete marker.
    pub marker: bool,
}

/// Which versions are asked for.
#[derive(Clone, Debug, Default)]
pub struct VersionQuery {
    /// Keys that begin so.
    pub prefix: String,
    /// Keys with this behind the prefix are told as one common prefix; empty for none.
    pub delimiter: String,
    /// Only what comes after this key or common prefix…
    pub after: String,
    /// … or after this version of it.
    pub after_version: Option<String>,
    /// At most so many versions and common prefixes together.
    pub limit: usize,
}

/// A version in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The key.
    pub key: String,
    /// The version's id.
    pub id: String,
    /// Whether it is the newest one.
    pub latest: bool,
    /// When it was written.
    pub modified: OffsetDateTime,
    /// The object; `None` for a delete marker.
    pub object: Option<Arc<Object>>,
}

/// What is found.
#[derive(Clone, Debug, Default)]
pub struct VersionPage {
    /// Versions in the order of their keys, the newest of a key first.
    pub versions: Vec<Listed>,
    /// Common prefixes in order.
    pub prefixes: Vec<String>,
    /// Key or common prefix and version of the last one told, of a page that is not the last.
    pub next: Option<(String, Option<String>)>,
}

impl Bucket {
    /// Writes an object; `id` names its version where versions are kept.
    pub(super) fn write(&mut self, key: &str, mut object: Object, id: String) -> Arc<Object> {
        if let Some(versioning) = self.versioning {
            object.version = Some(versioning.id(id));
        }
        let object = Arc::new(object);
        match &object.version {
            None => {
                self.objects.insert(key.to_owned(), Arc::clone(&object));
            }
            Some(id) => {
                let (id, modified) = (id.clone(), object.modified);
                self.push(key, Version { id, modified, object: Some(Arc::clone(&object)) });
            }
        }
        object
    }

    /// Removes the object, or marks it as deleted.
    pub(super) fn remove(&mut self, key: &str, id: String, now: OffsetDateTime) -> Deleted {
        let Some(versioning) = self.versioning else {
            self.objects.remove(key);
            return Deleted::default();
        };
        let id = versioning.id(id);
        self.push(key, Version { id: id.clone(), modified: now, object: None });
        Deleted { version: Some(id), marker: true }
    }

    /// Removes one version.
    pub(super) fn remove_version(&mut self, key: &str, id: &str) -> Deleted {
        if self.versioning.is_none() {
            if id == NULL {
                self.objects.remove(key);
            }
            return Deleted::default();
        }
        let versions = self.history.entry(key.to_owned()).or_default();
        let found = versions.iter().position(|version| version.id == id);
        let marker = found.map(|place| versions.remove(place).object.is_none());
        self.settle(key);
        Deleted { version: Some(id.to_owned()), marker: marker == Some(true) }
    }

    fn push(&mut self, key: &str, version: Version) {
        let versions = self.history.entry(key.to_owned()).or_default();
        if version.id == NULL {
            versions.retain(|other| other.id != NULL);
        }
        versions.push(version);
        self.settle(key);
    }

    /// The newest version is the object, unless it is a delete marker.
    fn settle(&mut self, key: &str) {
        let newest = self.history.get(key).and_then(|versions| versions.last());
        match newest {
            None => {
                self.history.remove(key);
                self.objects.remove(key);
            }
            Some(Version { object: None, .. }) => {
                self.objects.remove(key);
            }
            Some(Version { object: Some(object), .. }) => {
                self.objects.insert(key.to_owned(), Arc::clone(object));
            }
        }
    }

    fn version(&self, key: &str, id: Option<&str>) -> Result<Arc<Object>, StoreError> {
        let Some(id) = id else {
            return self.objects.get(key).cloned().ok_or(StoreError::NoSuchKey);
        };
        if self.versioning.is_none() {
            let object = self.objects.get(key).filter(|_| id == NULL);
            return object.cloned().ok_or(StoreError::NoSuchVersion);
        }
        let versions = self.history.get(key);
        let version = versions.and_then(|versions| versions.iter().find(|one| one.id == id));
        let version = version.ok_or(StoreError::NoSuchVersion)?;
        version.object.clone().ok_or(StoreError::DeleteMarker)
    }

    /// All versions in the order of a list. A bucket that never kept versions has one of each.
    fn listed(&self) -> Vec<Listed> {
        if self.versioning.is_none() {
            let one = |(key, object): (&String, &Arc<Object>)| Listed {
                key: key.clone(),
                id: NULL.to_owned(),
                latest: true,
                modified: object.modified,
                object: Some(Arc::clone(object)),
            };
            return self.objects.iter().map(one).collect();
        }
        let of_key = |(key, versions): (&String, &Vec<Version>)| -> Vec<Listed> {
            let listed = |(place, version): (usize, &Version)| Listed {
                key: key.clone(),
                id: version.id.clone(),
                latest: place == 0,
                modified: version.modified,
                object: version.object.clone(),
            };
            versions.iter().rev().enumerate().map(listed).collect()
        };
        self.history.iter().flat_map(of_key).collect()
    }

    /// The page that `query` asks for.
    pub fn versions(&self, query: &VersionQuery) -> VersionPage {
        let VersionQuery { prefix, delimiter, after, after_version, limit } = query;
        let mut page = VersionPage::default();
        let mut last = None;
        // the versions of the marked key are told up to the marked one
        let mut told = after_version.is_some();
        for listed in self.listed() {
            let Some(rest) = listed.key.strip_prefix(prefix.as_str()) else { continue };
            if listed.key < *after {
                continue;
            }
            if listed.key == *after && !after.is_empty() {
                let skip = told || after_version.is_none();
                told = told && after_version.as_ref() != Some(&listed.id);
                if skip {
                    continue;
                }
            }
            let common = (!delimiter.is_empty())
                .then(|| rest.split_once(delimiter.as_str()))
                .flatten()
                .map(|(front, _)| format!("{prefix}{front}{delimiter}"));
            if common.as_ref().is_some_and(|common| common == after)
                || (common.is_some() && common.as_ref() == page.prefixes.last())
            {
                continue;
            }
            if page.versions.len() + page.prefixes.len() >= *limit {
                page.next = last;
                break;
            }
            if let Some(common) = common {
                last = Some((common.clone(), None));
                page.prefixes.push(common);
            } else {
                last = Some((listed.key.clone(), Some(listed.id.clone())));
                page.versions.push(listed);
            }
        }
        page
    }
}

impl Versioning {
    /// The id of what is written now.
    fn id(self, new: String) -> String {
        match self {
            Self::Enabled => new,
            Self::Suspended => NULL.to_owned(),
        }
    }
}

impl Store {
    /// Keeps versions from now on, or no longer. What is there already is the version `null`.
    pub fn set_versioning(&mut self, bucket: &str, state: Versioning) -> Result<(), StoreError> {
        let bucket = self.bucket_mut(bucket)?;
        if bucket.versioning.replace(state).is_none() {
            for (key, object) in &mut bucket.objects {
                Arc::make_mut(object).version = Some(NULL.to_owned());
                let (modified, object) = (object.modified, Some(Arc::clone(object)));
                let version = Version { id: NULL.to_owned(), modified, object };
                bucket.history.insert(key.clone(), vec![version]);
            }
        }
        Ok(())
    }

    /// An object, or a version of it.
    pub fn version(
        &self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
    ) -> Result<Arc<Object>, StoreError> {
        self.bucket(bucket)?.version(key, id)
    }

    /// Changes what is said of an object or a version of it.
    pub fn change(
        &mut self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
        change: impl FnOnce(&mut Object) -> Result<(), StoreError>,
    ) -> Result<Arc<Object>, StoreError> {
        let bucket = self.bucket_mut(bucket)?;
        let mut object = bucket.version(key, id)?;
        change(Arc::make_mut(&mut object))?;
        let versions = bucket.history.get_mut(key);
        let version = versions.and_then(|versions| {
            versions.iter_mut().find(|one| Some(&one.id) == object.version.as_ref())
        });
        match version {
            Some(version) => {
                version.object = Some(Arc::clone(&object));
                bucket.settle(key);
            }
            None => {
                bucket.objects.insert(key.to_owned(), Arc::clone(&object));
            }
        }
        Ok(object)
    }
}
