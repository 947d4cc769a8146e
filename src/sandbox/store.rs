//! Buckets and objects in memory. Keys are kept exactly as given and in the
//! order of their bytes, so a listing is a walk along the map.

pub mod listing;
mod uploads;
pub mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use time::{Duration, OffsetDateTime};

use crate::ports::entropy::{SharedEntropy, hex};

pub use self::uploads::{Part, Upload};
pub use self::versions::{Deleted, Version, Versioning};

/// Headers kept with an object: content type and the like, and `x-amz-meta-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// The user's own metadata, without the `x-amz-meta-` in front.
    pub metadata: BTreeMap<String, String>,
}

/// How an object came to be (`x-oss-object-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By one request.
    Normal,
    /// From parts.
    Multipart,
}

impl Kind {
    /// The word in headers and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multipart => "Multipart",
        }
    }
}

/// A storage class. OSS has colder ones; how S3 clients name them is not documented, so that the
/// names in listings, except `STANDARD`, are a guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageClass {
    /// `Standard`.
    #[default]
    Standard,
    /// `IA`.
    InfrequentAccess,
    /// `Archive`.
    Archive,
    /// `ColdArchive`.
    ColdArchive,
    /// `DeepColdArchive`.
    DeepColdArchive,
}

impl StorageClass {
    /// OSS's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::InfrequentAccess => "IA",
            Self::Archive => "Archive",
            Self::ColdArchive => "ColdArchive",
            Self::DeepColdArchive => "DeepColdArchive",
        }
    }

    /// Reads OSS's word or S3's (documentation on the move from AWS).
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "STANDARD" => Some(Self::Standard),
            "IA" | "STANDARD_IA" => Some(Self::InfrequentAccess),
            "ARCHIVE" | "GLACIER" => Some(Self::Archive),
            "COLDARCHIVE" | "COLD_ARCHIVE" => Some(Self::ColdArchive),
            "DEEPCOLDARCHIVE" | "DEEP_COLD_ARCHIVE" => Some(Self::DeepColdArchive),
            _ => None,
        }
    }

    /// Whether it has to be restored before it can be read.
    pub fn is_archived(self) -> bool {
        self.thaw("").is_some()
    }

    /// How long it takes to restore what is archived, by the tier that was asked for; nothing for
    /// one that the class does not have (documentation, "Restore objects", the longest of each).
    pub fn thaw(self, tier: &str) -> Option<Duration> {
        match (self, tier) {
            (Self::Archive, _) => Some(Duration::minutes(1)),
            (Self::ColdArchive, "Expedited") => Some(Duration::hours(1)),
            (Self::ColdArchive, "Standard" | "") => Some(Duration::hours(5)),
            (Self::ColdArchive, "Bulk") | (Self::DeepColdArchive, "Expedited") => {
                Some(Duration::hours(12))
            }
            (Self::DeepColdArchive, "Standard" | "") => Some(Duration::hours(48)),
            _ => None,
        }
    }
}

/// Whether an archived object can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// It must be restored.
    Frozen,
    /// It is being restored.
    Ongoing,
    /// It can be read until then.
    Until(OffsetDateTime),
}

/// How long what was restored stays so (documentation on the move from AWS: one day unless told
/// otherwise).
const THAWED: Duration = Duration::days(1);

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A stored object.
#[derive(Clone, Debug)]
pub struct Object {
    /// The content.
    pub data: Bytes,
    /// Upper-case hex, without quotes; with `-N` for N parts.
    pub etag: String,
    /// CRC-64/XZ of the content.
    pub crc64: u64,
    /// When it was written, in whole seconds.
    pub modified: OffsetDateTime,
    /// How it came to be.
    pub kind: Kind,
    /// What was said of it.
    pub description: Description,
    /// Where it lies.
    pub class: StorageClass,
    /// Its tags.
    pub tags: Tags,
    /// When it is restored, since it was last asked for.
    pub restored: Option<OffsetDateTime>,
    /// The id of this version, where the bucket keeps versions.
    pub version: Option<String>,
}

impl Object {
    /// An object written by one request.
    pub fn new(data: Bytes, modified: OffsetDateTime, description: Description) -> Self {
        Self {
            etag: hex::encode_upper(Md5::digest(&data)),
            crc64: crc64(&data),
            modified: whole_seconds(modified),
            kind: Kind::Normal,
            description,
            data,
            class: StorageClass::default(),
            tags: Tags::new(),
            restored: None,
            version: None,
        }
    }

    /// Whether it could be read at `now` if it is archived.
    pub fn restoration(&self, now: OffsetDateTime) -> Restoration {
        match self.restored {
            Some(restored) if now < restored => Restoration::Ongoing,
            Some(restored) if now < restored + THAWED => Restoration::Until(restored + THAWED),
            _ => Restoration::Frozen,
        }
    }
}

/// CRC-64/XZ, which OSS calls `crc64ecma`.
pub fn crc64(data: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, data)
}

fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}

/// A bucket.
#[derive(Debug)]
pub struct Bucket {
    /// The id of its region.
    pub region: String,
    /// When it was made.
    pub created: OffsetDateTime,
    /// Whether it keeps versions; `None` where it never did.
    pub versioning: Option<Versioning>,
    objects: BTreeMap<String, Arc<Object>>,
    /// All versions of a key, the oldest first, once versions are kept; else nothing.
    history: BTreeMap<String, Vec<Version>>,
    uploads: BTreeMap<String, Upload>,
}

/// Why the store does not do something. The names are OSS's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such bucket.
    #[error("The specified bucket does not exist.")]
    NoSuchBucket,
    /// The name is taken.
    #[error("The requested bucket name is not available.")]
    BucketAlreadyExists,
    /// It holds objects.
    #[error("The bucket you tried to delete is not empty.")]
    BucketNotEmpty,
    /// There is no such object.
    #[error("The specified key does not exist.")]
    NoSuchKey,
    /// There is no such version.
    #[error("The specified version does not exist.")]
    NoSuchVersion,
    /// The version only tells that the object was deleted.
    #[error("The specified method is not allowed against this resource.")]
    DeleteMarker,
    /// The key is taken.
    #[error("The object you specified already exists and can not be overwritten.")]
    FileAlreadyExists,
    /// It is archived.
    #[error("The operation is not valid for the object's state")]
    InvalidObjectState,
    /// It is being restored already.
    #[error("The restore operation is in progress.")]
    RestoreAlreadyInProgress,
    /// It is not archived.
    #[error("The operation is not supported for this resource")]
    OperationNotSupported,
    /// Its class is not restored in that way.
    #[error("The value of Tier is invalid.")]
    InvalidTier,
    /// There is no such upload.
    #[error("The specified upload does not exist.")]
    NoSuchUpload,
    /// A part is absent or another one.
    #[error("One or more of the specified parts could not be found or have another ETag.")]
    InvalidPart,
    /// Parts must rise.
    #[error("The list of parts was not in ascending order.")]
    InvalidPartOrder,
    /// A part but the last is below 100 KiB.
    #[error("Your proposed upload is smaller than the minimum allowed size.")]
    EntityTooSmall,
}

/// All buckets.
#[derive(Debug)]
pub struct Store {
    buckets: BTreeMap<String, Bucket>,
    entropy: SharedEntropy,
}

impl Store {
    /// Without buckets. `entropy` makes the ids of uploads.
    pub fn new(entropy: SharedEntropy) -> Self {
        Self { buckets: BTreeMap::new(), entropy }
    }

    /// The buckets in order.
    pub fn buckets(&self) -> impl Iterator<Item = (&str, &Bucket)> {
        self.buckets.iter().map(|(name, bucket)| (name.as_str(), bucket))
    }

    /// Keys and sizes of a bucket's objects, in order; none of a bucket that is not there.
    pub fn sizes(&self, bucket: &str) -> Vec<(String, u64)> {
        let objects = self.buckets.get(bucket).into_iter().flat_map(|bucket| &bucket.objects);
        objects.map(|(key, object)| (key.clone(), object.data.len() as u64)).collect()
    }

    /// A bucket.
    pub fn bucket(&self, name: &str) -> Result<&Bucket, StoreError> {
        self.buckets.get(name).ok_or(StoreError::NoSuchBucket)
    }

    fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, StoreError> {
        self.buckets.get_mut(name).ok_or(StoreError::NoSuchBucket)
    }

    /// Makes a bucket; one's own bucket of the same region may be made again, as OSS allows.
    pub fn create(
        &mut self,
        name: &str,
        region: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let bucket = self.buckets.entry(name.to_owned()).or_insert_with(|| Bucket {
            region: region.to_owned(),
            created: whole_seconds(now),
            versioning: None,
            objects: BTreeMap::new(),
            history: BTreeMap::new(),
            uploads: BTreeMap::new(),
        });
        if bucket.region == region { Ok(()) } else { Err(StoreError::BucketAlreadyExists) }
    }

    /// Removes an empty bucket.
    pub fn remove_bucket(&mut self, name: &str) -> Result<(), StoreError> {
        let bucket = self.bucket(name)?;
        if !bucket.objects.is_empty() || !bucket.history.is_empty() || !bucket.uploads.is_empty() {
            return Err(StoreError::BucketNotEmpty);
        }
        self.buckets.remove(name);
        Ok(())
    }

    /// An object.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Arc<Object>, StoreError> {
        self.bucket(bucket)?.objects.get(key).cloned().ok_or(StoreError::NoSuchKey)
    }

    /// Refuses a key that is taken, unless the bucket keeps what was there (documentation,
    /// "`PutObject`": `x-oss-forbid-overwrite` means nothing while versions are kept).
    pub fn free(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        let bucket = self.bucket(bucket)?;
        let taken = bucket.versioning.is_none() && bucket.objects.contains_key(key);
        if taken { Err(StoreError::FileAlreadyExists) } else { Ok(()) }
    }

    /// Writes an object over any former one, or beside it where versions are kept.
    pub fn put(
        &mut self,
        bucket: &str,
        key: &str,
        object: Object,
    ) -> Result<Arc<Object>, StoreError> {
        let id = self.new_version_id();
        Ok(self.bucket_mut(bucket)?.write(key, object, id))
    }

    /// Removes an object, or a version of it; one that is not there is removed too.
    pub fn delete(
        &mut self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Deleted, StoreError> {
        let id = self.new_version_id();
        let bucket = self.bucket_mut(bucket)?;
        Ok(match version {
            None => bucket.remove(key, id, whole_seconds(now)),
            Some(version) => bucket.remove_version(key, version),
        })
    }

    /// In the form of OSS's: `CAEQ…`.
    fn new_version_id(&self) -> String {
        format!("CAEQ{}", hex(self.entropy.as_ref(), 28))
    }

    fn new_upload_id(&self) -> String {
        hex(self.entropy.as_ref(), 32).to_ascii_uppercase()
    }
}
