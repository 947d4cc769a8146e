//! Buckets and objects in memory. Keys are kept exactly as given and in the
//! order of their bytes, so a listing is a walk along the map.

pub mod listing;
mod uploads;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use time::OffsetDateTime;

use crate::ports::entropy::{SharedEntropy, hex};

pub use self::uploads::{Part, Upload};

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
    objects: BTreeMap<String, Arc<Object>>,
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
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        });
        if bucket.region == region { Ok(()) } else { Err(StoreError::BucketAlreadyExists) }
    }

    /// Removes an empty bucket.
    pub fn remove_bucket(&mut self, name: &str) -> Result<(), StoreError> {
        let bucket = self.bucket(name)?;
        if !bucket.objects.is_empty() || !bucket.uploads.is_empty() {
            return Err(StoreError::BucketNotEmpty);
        }
        self.buckets.remove(name);
        Ok(())
    }

    /// An object.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Arc<Object>, StoreError> {
        self.bucket(bucket)?.objects.get(key).cloned().ok_or(StoreError::NoSuchKey)
    }

    /// Writes an object over any former one.
    pub fn put(&mut self, bucket: &str, key: &str, object: Object) -> Result<(), StoreError> {
        self.bucket_mut(bucket)?.objects.insert(key.to_owned(), Arc::new(object));
        Ok(())
    }

    /// Removes an object; one that is not there is removed too.
    pub fn delete(&mut self, bucket: &str, key: &str) -> Result<(), StoreError> {
        self.bucket_mut(bucket)?.objects.remove(key);
        Ok(())
    }

    fn new_upload_id(&self) -> String {
        hex(self.entropy.as_ref(), 32).to_ascii_uppercase()
    }
}
