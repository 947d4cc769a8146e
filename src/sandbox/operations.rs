//! What S3 asks of a store, answered from memory. s3s reads requests and writes
//! answers; the lists whose form differs on OSS are in [`super::lists`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, BucketLocationConstraint,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CopyPartResult, CopySource, CreateBucketInput, CreateBucketOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETag, ETagCondition, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, ObjectIdentifier, Part, PutObjectInput, PutObjectOutput, Range, StreamingBlob,
    Timestamp, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::faults::Faults;
use super::rules::Admitted;
use super::store::{Description, Object, Store, StoreError};

/// What holds while the server handles a request.
#[derive(Clone, Debug)]
pub(super) struct Circumstances {
    /// The server's time.
    pub(super) now: OffsetDateTime,
    /// The faults it meets.
    pub(super) faults: Faults,
}

/// The prefix below which objects are archived by a fault.
pub(super) fn archived_below(extensions: &Extensions) -> Option<&str> {
    extensions.get::<Circumstances>()?.faults.archived_below.as_deref()
}

/// The key as a gateway in front of OSS would pass it on.
fn passed_on<T>(req: &S3Request<T>, key: &str) -> String {
    if meets(req, |faults| faults.plus_as_space) { key.replace('+', " ") } else { key.to_owned() }
}

fn meets<T>(req: &S3Request<T>, fault: impl Fn(&Faults) -> bool) -> bool {
    req.extensions.get::<Circumstances>().is_some_and(|met| fault(&met.faults))
}

/// The store behind s3s.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) store: Arc<Mutex<Store>>,
}

/// What a request says of the object it makes: the inputs of put, copy and upload share these
/// fields, but no trait.
macro_rules! description {
    ($input:expr) => {
        Description {
            // OSS's default
            content_type: $input
                .content_type
                .or_else(|| Some("application/octet-stream".to_owned())),
            cache_control: $input.cache_control,
            content_disposition: $input.content_disposition,
            content_encoding: $input.content_encoding,
            content_language: $input.content_language,
            metadata: $input.metadata.unwrap_or_default().into_iter().collect(),
        }
    };
}

type Answer<T> = S3Result<S3Response<T>>;

impl Operations {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object a copy reads.
    fn source(&self, source: &CopySource) -> S3Result<Arc<Object>> {
        let CopySource::Bucket { bucket, key, .. } = source else {
            return Err(S3ErrorCode::NotImplemented.into());
        };
        Ok(self.store().object(bucket, key)?)
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            StoreError::BucketAlreadyExists => S3ErrorCode::BucketAlreadyExists,
            StoreError::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            StoreError::NoSuchKey => S3ErrorCode::NoSuchKey,
            StoreError::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            StoreError::InvalidPart => S3ErrorCode::InvalidPart,
            StoreError::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            StoreError::EntityTooSmall => S3ErrorCode::EntityTooSmall,
        };
        Self::with_message(code, error.to_string())
    }
}

fn now<T>(req: &S3Request<T>) -> OffsetDateTime {
    // put there by the server for every request
    req.extensions.get::<Circumstances>().map_or(OffsetDateTime::UNIX_EPOCH, |met| met.now)
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

/// `ETag`s as OSS compares them: whatever the case.
fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::ETag(etag) => etag.value().eq_ignore_ascii_case(&object.etag),
        ETagCondition::Any => true,
    }
}

fn etag(object: &Object) -> ETag {
    ETag::Strong(object.etag.clone())
}

fn size(length: usize) -> Option<i64> {
    i64::try_from(length).ok()
}

/// Refuses what `If-Match` and its kin exclude (RFC 9110, section 13.2.2).
fn check_conditions(
    object: &Object,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
) -> S3Result<()> {
    let changed = |since: Timestamp| object.modified > OffsetDateTime::from(since);
    let failed = match (if_match, if_unmodified_since) {
        (Some(condition), _) => !matches(condition, object),
        (None, Some(since)) => changed(since),
        (None, None) => false,
    };
    if failed {
        let message = "At least one of the pre-conditions you specified did not hold.";
        return Err(S3Error::with_message(S3ErrorCode::PreconditionFailed, message));
    }
    let same = match (if_none_match, if_modified_since) {
        (Some(condition), _) => matches(condition, object),
        (None, Some(since)) => !changed(since),
        (None, None) => false,
    };
    if same { Err(S3ErrorCode::NotModified.into()) } else { Ok(()) }
}

/// The headers OSS adds to answers about an object.
fn oss_headers(object: &Object) -> HeaderMap {
    let kind = object.kind.as_str();
    HeaderMap::from_iter([
        (HeaderName::from_static("x-oss-hash-crc64ecma"), HeaderValue::from(object.crc64)),
        (HeaderName::from_static("x-oss-object-type"), HeaderValue::from_static(kind)),
        (HeaderName::from_static("x-oss-storage-class"), HeaderValue::from_static("Standard")),
    ])
}

fn answer<T>(output: T, object: &Object) -> S3Response<T> {
    S3Response::with_headers(output, oss_headers(object))
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let Some(Admitted { place: super::hosts::Place::Bucket(region, _), .. }) =
            req.extensions.get::<Admitted>()
        else {
            return Err(S3ErrorCode::InvalidRequest.into());
        };
        self.store().create(&req.input.bucket, &region.id, now(&req))?;
        let location = Some(format!("/{}", req.input.bucket));
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        self.store().remove_bucket(&req.input.bucket)?;
        Ok(S3Response::new(DeleteBucketOutput {}))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.store().bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        let location = format!("oss-{}", self.store().bucket(&req.input.bucket)?.region);
        Ok(S3Response::new(GetBucketLocationOutput {
            location_constraint: Some(BucketLocationConstraint::from(location)),
        }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let key = passed_on(&req, &req.input.key);
        let object = self.store().object(&req.input.bucket, &key)?;
        if archived_below(&req.extensions).is_some_and(|prefix| key.starts_with(prefix)) {
            let message = "The operation is not valid for the object's state.";
            return Err(S3Error::with_message(S3ErrorCode::InvalidObjectState, message));
        }
        if !meets(&req, |faults| faults.if_match_ignored) {
            check_conditions(
                &object,
                req.input.if_match.as_ref(),
                req.input.if_none_match.as_ref(),
                req.input.if_modified_since.clone(),
                req.input.if_unmodified_since.clone(),
            )?;
        }
        let ranges = !meets(&req, |faults| faults.range_ignored);
        let input = req.input;
        let (data, content_range) = match input.range.filter(|_| ranges) {
            None => (object.data.clone(), None),
            Some(range) => {
                let whole = object.data.len();
                let range = range.check(whole as u64)?;
                let at = |position: u64| usize::try_from(position).unwrap_or(whole).min(whole);
                let data = object.data.slice(at(range.start)..at(range.end));
                let last = range.end.saturating_sub(1);
                (data, Some(format!("bytes {}-{last}/{whole}", range.start)))
            }
        };
        let described = object.description.clone();
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: size(data.len()),
            content_range,
            e_tag: Some(etag(&object)),
            last_modified: Some(object.modified.into()),
            content_type: input.response_content_type.or(described.content_type),
            cache_control: input.response_cache_control.or(described.cache_control),
            content_disposition: input
                .response_content_disposition
                .or(described.content_disposition),
            content_encoding: input.response_content_encoding.or(described.content_encoding),
            content_language: input.response_content_language.or(described.content_language),
            metadata: Some(described.metadata.into_iter().collect()),
            body: Some(StreamingBlob::from(s3s::Body::from(data))),
            ..GetObjectOutput::default()
        };
        Ok(answer(output, &object))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let key = passed_on(&req, &req.input.key);
        let conditions = !meets(&req, |faults| faults.if_match_ignored);
        let input = req.input;
        let object = self.store().object(&input.bucket, &key)?;
        if conditions {
            check_conditions(
                &object,
                input.if_match.as_ref(),
                input.if_none_match.as_ref(),
                input.if_modified_since,
                input.if_unmodified_since,
            )?;
        }
        let described = object.description.clone();
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: size(object.data.len()),
            e_tag: Some(etag(&object)),
            last_modified: Some(object.modified.into()),
            content_type: described.content_type,
            cache_control: described.cache_control,
            content_disposition: described.content_disposition,
            content_encoding: described.content_encoding,
            content_language: described.content_language,
            metadata: Some(described.metadata.into_iter().collect()),
            ..HeadObjectOutput::default()
        };
        Ok(answer(output, &object))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let (now, key) = (now(&req), passed_on(&req, &req.input.key));
        let input = req.input;
        let description = description!(input);
        let object = Object::new(whole(input.body).await?, now, description);
        let output = PutObjectOutput { e_tag: Some(etag(&object)), ..PutObjectOutput::default() };
        let answer = answer(output, &object);
        self.store().put(&input.bucket, &key, object)?;
        Ok(answer)
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let (now, key) = (now(&req), passed_on(&req, &req.input.key));
        let input = req.input;
        let source = self.source(&input.copy_source)?;
        let failed = input.copy_source_if_match.as_ref().is_some_and(|c| !matches(c, &source))
            || input.copy_source_if_none_match.as_ref().is_some_and(|c| matches(c, &source));
        if failed {
            return Err(S3ErrorCode::PreconditionFailed.into());
        }
        let replaces =
            input.metadata_directive.is_some_and(|directive| directive.as_str() == "REPLACE");
        let description = if replaces { description!(input) } else { source.description.clone() };
        let object = Object::new(source.data.clone(), now, description);
        let output = CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(etag(&object)),
                last_modified: Some(object.modified.into()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        };
        let answer = answer(output, &object);
        self.store().put(&input.bucket, &key, object)?;
        Ok(answer)
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        let key = passed_on(&req, &req.input.key);
        self.store().delete(&req.input.bucket, &key)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let DeleteObjectsInput { bucket, delete, .. } = req.input;
        if delete.objects.len() > 1000 || delete.objects.is_empty() {
            return Err(S3ErrorCode::MalformedXML.into());
        }
        let mut store = self.store();
        let mut deleted = Vec::new();
        for ObjectIdentifier { key, .. } in delete.objects {
            store.delete(&bucket, &key)?;
            deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (delete.quiet != Some(true)).then_some(deleted),
            ..DeleteObjectsOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let now = now(&req);
        let input = req.input;
        let description = description!(input);
        let id = self.store().begin_upload(&input.bucket, &input.key, description, now)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let now = now(&req);
        let input = req.input;
        check_part_number(input.part_number)?;
        let data = whole(input.body).await?;
        let crc64 = HeaderValue::from(super::store::crc64(&data));
        let at = (input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str());
        let etag = self.store().put_part(at, input.part_number, data, now)?;
        let output =
            UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..UploadPartOutput::default() };
        let mut answer = S3Response::new(output);
        answer.headers.insert("x-oss-hash-crc64ecma", crc64);
        Ok(answer)
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        let now = now(&req);
        let input = req.input;
        check_part_number(input.part_number)?;
        let source = self.source(&input.copy_source)?;
        let data = match &input.copy_source_range {
            None => source.data.clone(),
            Some(text) => {
                let length = source.data.len();
                let range = Range::parse(text).map_err(|_| S3ErrorCode::InvalidArgument)?;
                let range = range.check(length as u64)?;
                let at = |position: u64| usize::try_from(position).unwrap_or(length).min(length);
                source.data.slice(at(range.start)..at(range.end))
            }
        };
        let at = (input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str());
        let etag = self.store().put_part(at, input.part_number, data, now)?;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(ETag::Strong(etag)),
                last_modified: Some(now.into()),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let now = now(&req);
        let input = req.input;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let named: Option<Vec<(i32, String)>> = parts
            .into_iter()
            .map(|part| Some((part.part_number?, part.e_tag?.into_value())))
            .collect();
        let named = named.ok_or(S3ErrorCode::MalformedXML)?;
        let at = (input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str());
        let object = self.store().complete_upload(at, &named, now)?;
        let output = CompleteMultipartUploadOutput {
            e_tag: Some(etag(&object)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            ..CompleteMultipartUploadOutput::default()
        };
        Ok(answer(output, &object))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = req.input;
        self.store().abort_upload(&bucket, &key, &upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = req.input;
        let store = self.store();
        let upload = store.upload(&input.bucket, &input.key, &input.upload_id)?;
        let marker = input.part_number_marker;
        let limit = input.max_parts.unwrap_or(1000).clamp(0, 1000);
        let rest: Vec<Part> = upload
            .parts
            .iter()
            .filter(|(number, _)| marker.is_none_or(|marker| **number > marker))
            .map(|(number, part)| Part {
                part_number: Some(*number),
                e_tag: Some(ETag::Strong(part.etag.clone())),
                size: size(part.data.len()),
                last_modified: Some(part.modified.into()),
                ..Part::default()
            })
            .collect();
        let page: Vec<Part> =
            rest.iter().take(usize::try_from(limit).unwrap_or_default()).cloned().collect();
        let truncated = page.len() < rest.len();
        let next = page.last().and_then(|part| part.part_number).filter(|_| truncated);
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            max_parts: Some(limit),
            part_number_marker: input.part_number_marker,
            next_part_number_marker: next,
            is_truncated: Some(truncated),
            parts: Some(page),
            ..ListPartsOutput::default()
        }))
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        let input = req.input;
        let store = self.store();
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = (
            input.key_marker.clone().unwrap_or_default(),
            input.upload_id_marker.clone().unwrap_or_default(),
        );
        let limit = input.max_uploads.unwrap_or(1000).clamp(0, 1000);
        let mut rest: Vec<(String, String, OffsetDateTime)> = store
            .bucket(&input.bucket)?
            .uploads()
            .map(|(id, upload)| (upload.key.clone(), id.to_owned(), upload.begun))
            .filter(|(key, id, _)| key.starts_with(&prefix) && (key, id) > (&after.0, &after.1))
            .collect();
        rest.sort();
        let count = rest.len();
        rest.truncate(usize::try_from(limit).unwrap_or_default());
        let truncated = rest.len() < count;
        let last = rest.last().filter(|_| truncated).cloned();
        let encode = input.encoding_type.as_ref().is_some_and(|kind| kind.as_str() == "url");
        let shown = |key: String| if encode { crate::base::url_encode::query(&key) } else { key };
        let uploads = rest.into_iter().map(|(key, id, begun)| MultipartUpload {
            key: Some(shown(key)),
            upload_id: Some(id),
            initiated: Some(begun.into()),
            ..MultipartUpload::default()
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix.map(shown),
            encoding_type: input.encoding_type,
            max_uploads: Some(limit),
            is_truncated: Some(truncated),
            next_key_marker: last.as_ref().map(|(key, ..)| shown(key.clone())),
            next_upload_id_marker: last.map(|(_, id, _)| id),
            uploads: Some(uploads.collect()),
            ..ListMultipartUploadsOutput::default()
        }))
    }
}

/// 1 to 10000 (OSS documentation, "Limits").
fn check_part_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    let message = "Part number must be an integer between 1 and 10000, inclusive.";
    Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
}
