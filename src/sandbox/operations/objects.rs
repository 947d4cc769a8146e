//! Objects, whole: read, written, copied, deleted.

use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectIdentifier, PutObjectInput,
    PutObjectOutput, StreamingBlob,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::settings::tags_of_header;
use super::{Answer, Circumstances, Conditions, Operations, class, etag, matches, size, whole};
use crate::sandbox::store::Object;

/// What `CopyObject` takes; more is copied part by part (OSS documentation, "`CopyObject`": below
/// 1 GB; the code is a guess).
const MAX_COPY: usize = 1 << 30;

/// What a request says of the object it makes: the inputs of put, copy and upload share these
/// fields, but no trait.
macro_rules! description {
    ($input:expr) => {
        $crate::sandbox::store::Description {
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
pub(super) use description;

/// Whether the request must not replace an object. S3 has no such header: it is read as sent.
pub(super) fn forbids_overwrite<T>(req: &S3Request<T>) -> bool {
    let value = req.headers.get("x-oss-forbid-overwrite");
    value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

impl Operations {
    /// The object a copy reads.
    pub(super) fn source(&self, met: &Circumstances, source: &CopySource) -> S3Result<Arc<Object>> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(S3ErrorCode::NotImplemented.into());
        };
        let object = self.store().version(bucket, key, version_id.as_deref())?;
        met.readable(key, &object)?;
        Ok(object)
    }

    pub(super) fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let key = met.key(&input.key);
        let object = self.store().version(&input.bucket, &key, input.version_id.as_deref())?;
        met.readable(&key, &object)?;
        let conditions = Conditions {
            equals: input.if_match,
            differs: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        };
        conditions.check(&met, &object)?;
        let (data, content_range) = match input.range.filter(|_| !met.faults.range_ignored) {
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
        Ok(S3Response::with_headers(output, met.headers(&key, &object)))
    }

    pub(super) fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let key = met.key(&input.key);
        let object = self.store().version(&input.bucket, &key, input.version_id.as_deref())?;
        let conditions = Conditions {
            equals: input.if_match,
            differs: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        };
        conditions.check(&met, &object)?;
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
        Ok(S3Response::with_headers(output, met.headers(&key, &object)))
    }

    pub(super) async fn put_object(
        &self,
        req: S3Request<PutObjectInput>,
    ) -> Answer<PutObjectOutput> {
        let met = Circumstances::of(&req)?;
        let forbids = forbids_overwrite(&req);
        let input = req.input;
        let key = met.key(&input.key);
        let class = class(input.storage_class.as_ref())?;
        let tags = tags_of_header(input.tagging.as_deref())?;
        let description = description!(input);
        let object = Object::new(whole(input.body).await?, met.now, description);
        let object = Object { class, tags, ..object };
        let mut store = self.store();
        if forbids {
            store.free(&input.bucket, &key)?;
        }
        let object = store.put(&input.bucket, &key, object)?;
        let output = PutObjectOutput { e_tag: Some(etag(&object)), ..PutObjectOutput::default() };
        Ok(S3Response::with_headers(output, met.headers(&key, &object)))
    }

    pub(super) fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let met = Circumstances::of(&req)?;
        let forbids = forbids_overwrite(&req);
        let input = req.input;
        let key = met.key(&input.key);
        let source = self.source(&met, &input.copy_source)?;
        check_copy(source.data.len())?;
        let failed = input.copy_source_if_match.as_ref().is_some_and(|c| !matches(c, &source))
            || input.copy_source_if_none_match.as_ref().is_some_and(|c| matches(c, &source));
        if failed && !met.faults.if_match_ignored {
            return Err(S3ErrorCode::PreconditionFailed.into());
        }
        let class = class(input.storage_class.as_ref())?;
        let tags = match input.tagging_directive {
            Some(directive) if directive.as_str() == "REPLACE" => {
                tags_of_header(input.tagging.as_deref())?
            }
            _ => source.tags.clone(),
        };
        let description = match input.metadata_directive {
            Some(directive) if directive.as_str() == "REPLACE" => description!(input),
            _ => source.description.clone(),
        };
        let object = Object::new(source.data.clone(), met.now, description);
        let mut store = self.store();
        if forbids {
            store.free(&input.bucket, &key)?;
        }
        let object = store.put(&input.bucket, &key, Object { class, tags, ..object })?;
        let output = CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(etag(&object)),
                last_modified: Some(object.modified.into()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        };
        Ok(S3Response::with_headers(output, met.headers(&key, &object)))
    }

    pub(super) fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let version = input.version_id.as_deref();
        let key = met.key(&input.key);
        let deleted = self.store().delete(&input.bucket, &key, version, met.now)?;
        Ok(S3Response::new(DeleteObjectOutput {
            delete_marker: deleted.marker.then_some(true),
            version_id: deleted.version,
            ..DeleteObjectOutput::default()
        }))
    }

    pub(super) fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let met = Circumstances::of(&req)?;
        let DeleteObjectsInput { bucket, delete, .. } = req.input;
        if delete.objects.len() > 1000 || delete.objects.is_empty() {
            return Err(S3ErrorCode::MalformedXML.into());
        }
        let mut store = self.store();
        let mut told = Vec::new();
        for ObjectIdentifier { key, version_id, .. } in delete.objects {
            let deleted = store.delete(&bucket, &key, version_id.as_deref(), met.now)?;
            told.push(DeletedObject {
                key: Some(key),
                delete_marker: deleted.marker.then_some(true),
                // of a marker just made; of a version, its own id
                delete_marker_version_id: deleted.version.filter(|_| deleted.marker),
                version_id,
            });
        }
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (delete.quiet != Some(true)).then_some(told),
            ..DeleteObjectsOutput::default()
        }))
    }
}

fn check_copy(size: usize) -> S3Result<()> {
    if size < MAX_COPY {
        return Ok(());
    }
    let message = "The object exceeds the maximum size of CopyObject; copy it part by part.";
    Err(S3Error::with_message(S3ErrorCode::EntityTooLarge, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gibibyte_is_too_much_for_one_copy() {
        assert!(check_copy(MAX_COPY - 1).is_ok());
        let refused = check_copy(MAX_COPY).unwrap_err();
        assert_eq!(refused.code().as_str(), "EntityTooLarge");
    }
}
