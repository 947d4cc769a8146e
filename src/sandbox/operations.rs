//! What S3 asks of a store, answered from memory. s3s reads requests and writes
//! answers; the lists whose form differs on OSS are in [`super::lists`].

#[expect(clippy::needless_pass_by_value, reason = "every operation is handed its whole request")]
mod buckets;
mod objects;
#[expect(clippy::needless_pass_by_value, reason = "every operation is handed its whole request")]
mod settings;
mod uploads;
mod versions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::dto;
use s3s::dto::{ETag, ETagCondition, StreamingBlob, Timestamp};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::faults::Faults;
use super::store::{Object, Restoration, StorageClass, Store, StoreError};

/// What holds while the server handles a request.
#[derive(Clone, Debug)]
pub(super) struct Circumstances {
    /// The server's time.
    pub(super) now: OffsetDateTime,
    /// The faults it meets.
    pub(super) faults: Faults,
}

impl Circumstances {
    /// Those that the server put beside the request.
    pub(super) fn of<T>(req: &S3Request<T>) -> S3Result<Self> {
        req.extensions.get().cloned().ok_or_else(|| S3ErrorCode::InternalError.into())
    }

    /// The key as a gateway in front of OSS would pass it on.
    fn key(&self, key: &str) -> String {
        if self.faults.plus_as_space { key.replace('+', " ") } else { key.to_owned() }
    }

    /// The class an object has, or by a fault seems to have.
    pub(super) fn class(&self, key: &str, object: &Object) -> StorageClass {
        match &self.faults.archived_below {
            Some(prefix) if key.starts_with(prefix) => StorageClass::Archive,
            _ => object.class,
        }
    }

    /// Refuses to read what is archived and not restored.
    fn readable(&self, key: &str, object: &Object) -> S3Result<()> {
        let restored = object.restoration(self.now);
        if self.class(key, object).is_archived() && !matches!(restored, Restoration::Until(_)) {
            return Err(StoreError::InvalidObjectState.into());
        }
        Ok(())
    }

    /// The headers OSS adds to answers about an object.
    fn headers(&self, key: &str, object: &Object) -> HeaderMap {
        let class = self.class(key, object);
        let mut headers = HeaderMap::from_iter([
            (HeaderName::from_static("x-oss-hash-crc64ecma"), HeaderValue::from(object.crc64)),
            (
                HeaderName::from_static("x-oss-object-type"),
                HeaderValue::from_static(object.kind.as_str()),
            ),
            (
                HeaderName::from_static("x-oss-storage-class"),
                HeaderValue::from_static(class.as_str()),
            ),
        ]);
        let restored = match object.restoration(self.now) {
            Restoration::Frozen => None,
            Restoration::Ongoing => Some("ongoing-request=\"true\"".to_owned()),
            Restoration::Until(end) => {
                let end = super::server::http_date(end);
                Some(format!("ongoing-request=\"false\", expiry-date=\"{end}\""))
            }
        };
        let count = Some(object.tags.len()).filter(|count| *count > 0);
        let texts = [
            ("x-oss-restore", restored.clone()),
            ("x-amz-restore", restored),
            ("x-oss-version-id", object.version.clone()),
            ("x-amz-version-id", object.version.clone()),
            ("x-oss-tagging-count", count.map(|count| count.to_string())),
            ("x-amz-tagging-count", count.map(|count| count.to_string())),
        ];
        for (name, text) in texts {
            if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }
}

/// The store behind s3s.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) store: Arc<Mutex<Store>>,
}

type Answer<T> = S3Result<S3Response<T>>;

impl Operations {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// s3s asks for one trait of all operations; each is a method of the same name in a file of its
/// kind. Only those that read a body wait.
macro_rules! operations {
    (
        at once { $($name:ident: $input:ident => $output:ident,)* }
        with a body { $($reads:ident: $read:ident => $told:ident,)* }
    ) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(async fn $name(&self, req: S3Request<dto::$input>) -> Answer<dto::$output> {
                Self::$name(self, req)
            })*
            $(async fn $reads(&self, req: S3Request<dto::$read>) -> Answer<dto::$told> {
                Self::$reads(self, req).await
            })*
        }
    };
}

operations! {
    at once {
        create_bucket: CreateBucketInput => CreateBucketOutput,
        delete_bucket: DeleteBucketInput => DeleteBucketOutput,
        head_bucket: HeadBucketInput => HeadBucketOutput,
        get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput,
        get_bucket_acl: GetBucketAclInput => GetBucketAclOutput,
        put_bucket_acl: PutBucketAclInput => PutBucketAclOutput,
        get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput,
        put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput,
        list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput,
        get_object: GetObjectInput => GetObjectOutput,
        head_object: HeadObjectInput => HeadObjectOutput,
        copy_object: CopyObjectInput => CopyObjectOutput,
        delete_object: DeleteObjectInput => DeleteObjectOutput,
        delete_objects: DeleteObjectsInput => DeleteObjectsOutput,
        restore_object: RestoreObjectInput => RestoreObjectOutput,
        get_object_acl: GetObjectAclInput => GetObjectAclOutput,
        put_object_acl: PutObjectAclInput => PutObjectAclOutput,
        get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput,
        put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput,
        delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput,
        create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput,
        upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput,
        complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput,
        abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput,
        list_parts: ListPartsInput => ListPartsOutput,
        list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput,
    }
    with a body {
        put_object: PutObjectInput => PutObjectOutput,
        upload_part: UploadPartInput => UploadPartOutput,
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            StoreError::BucketAlreadyExists => S3ErrorCode::BucketAlreadyExists,
            StoreError::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            StoreError::NoSuchKey => S3ErrorCode::NoSuchKey,
            StoreError::NoSuchVersion => S3ErrorCode::NoSuchVersion,
            StoreError::DeleteMarker => S3ErrorCode::MethodNotAllowed,
            StoreError::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            StoreError::InvalidPart => S3ErrorCode::InvalidPart,
            StoreError::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            StoreError::EntityTooSmall => S3ErrorCode::EntityTooSmall,
            StoreError::InvalidTier => S3ErrorCode::InvalidArgument,
            StoreError::InvalidObjectState => S3ErrorCode::InvalidObjectState,
            StoreError::RestoreAlreadyInProgress => S3ErrorCode::RestoreAlreadyInProgress,
            StoreError::FileAlreadyExists => {
                return oss_error(StatusCode::CONFLICT, "FileAlreadyExists", error.to_string());
            }
            StoreError::OperationNotSupported => {
                let status = StatusCode::BAD_REQUEST;
                return oss_error(status, "OperationNotSupported", error.to_string());
            }
        };
        Self::with_message(code, error.to_string())
    }
}

/// An error whose code S3 does not have.
fn oss_error(status: StatusCode, code: &'static str, message: String) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message)
}

/// The class a request asks for.
fn class(asked: Option<&dto::StorageClass>) -> S3Result<StorageClass> {
    match asked {
        None => Ok(StorageClass::Standard),
        Some(class) => StorageClass::from_name(class.as_str())
            .ok_or_else(|| S3ErrorCode::InvalidStorageClass.into()),
    }
}

async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let pieces: Vec<Bytes> = body
        .try_collect()
        .await
        .map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
    Ok(match pieces.as_slice() {
        [one] => one.clone(),
        many => many.concat().into(),
    })
}

fn etag(object: &Object) -> ETag {
    ETag::Strong(object.etag.clone())
}

fn size(length: usize) -> Option<i64> {
    i64::try_from(length).ok()
}

/// `ETag`s as OSS compares them: whatever the case.
fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::ETag(etag) => etag.value().eq_ignore_ascii_case(&object.etag),
        ETagCondition::Any => true,
    }
}

/// `If-Match` and its kin.
struct Conditions {
    equals: Option<ETagCondition>,
    differs: Option<ETagCondition>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// Refuses what they exclude (RFC 9110, section 13.2.2).
    fn check(self, met: &Circumstances, object: &Object) -> S3Result<()> {
        if met.faults.if_match_ignored {
            return Ok(());
        }
        let changed = |since: Timestamp| object.modified > OffsetDateTime::from(since);
        let failed = match (self.equals, self.unmodified_since) {
            (Some(condition), _) => !matches(&condition, object),
            (None, Some(since)) => changed(since),
            (None, None) => false,
        };
        if failed {
            let message = "At least one of the pre-conditions you specified did not hold.";
            return Err(S3Error::with_message(S3ErrorCode::PreconditionFailed, message));
        }
        let same = match (self.differs, self.modified_since) {
            (Some(condition), _) => matches(&condition, object),
            (None, Some(since)) => !changed(since),
            (None, None) => false,
        };
        if same { Err(S3ErrorCode::NotModified.into()) } else { Ok(()) }
    }
}
