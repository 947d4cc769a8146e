//! Objects in parts.

use bytes::Bytes;
use http::HeaderValue;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part, Range, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::objects::{description, forbids_overwrite};
use super::settings::tags_of_header;
use super::{Answer, Circumstances, Operations, class, etag, invalid, size, whole};
use crate::base::url_encode;
use crate::sandbox::store::{Object, crc64};

impl Operations {
    pub(super) fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let met = Circumstances::of(&req)?;
        let forbids = forbids_overwrite(&req);
        let input = req.input;
        let class = class(input.storage_class.as_ref())?;
        let tags = tags_of_header(input.tagging.as_deref())?;
        let empty = Object::new(Bytes::new(), met.now, description!(input));
        let mut store = self.store();
        if forbids {
            store.free(&input.bucket, &input.key)?;
        }
        let id = store.begin_upload(&input.bucket, &input.key, Object { class, tags, ..empty })?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    pub(super) async fn upload_part(
        &self,
        req: S3Request<UploadPartInput>,
    ) -> Answer<UploadPartOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        check_part_number(input.part_number)?;
        let data = whole(input.body).await?;
        let crc64 = HeaderValue::from(crc64(&data));
        let at = (input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str());
        let etag = self.store().put_part(at, input.part_number, data, met.now)?;
        let output =
            UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..UploadPartOutput::default() };
        let mut answer = S3Response::new(output);
        answer.headers.insert("x-oss-hash-crc64ecma", crc64);
        Ok(answer)
    }

    pub(super) fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        check_part_number(input.part_number)?;
        let source = self.source(&met, &input.copy_source)?;
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
        let etag = self.store().put_part(at, input.part_number, data, met.now)?;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(ETag::Strong(etag)),
                last_modified: Some(met.now.into()),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        }))
    }

    pub(super) fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let met = Circumstances::of(&req)?;
        let forbids = forbids_overwrite(&req);
        let input = req.input;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let named: Option<Vec<(i32, String)>> = parts
            .into_iter()
            .map(|part| Some((part.part_number?, part.e_tag?.into_value())))
            .collect();
        let named = named.ok_or(S3ErrorCode::MalformedXML)?;
        let at = (input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str());
        let mut store = self.store();
        if forbids {
            store.free(at.0, at.1)?;
        }
        let object = store.complete_upload(at, &named, met.now)?;
        let headers = met.headers(&input.key, &object);
        let output = CompleteMultipartUploadOutput {
            e_tag: Some(etag(&object)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            ..CompleteMultipartUploadOutput::default()
        };
        Ok(S3Response::with_headers(output, headers))
    }

    pub(super) fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = req.input;
        self.store().abort_upload(&bucket, &key, &upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    pub(super) fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
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

    pub(super) fn list_multipart_uploads(
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
        let shown = |key: String| if encode { url_encode::query(&key) } else { key };
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
    Err(invalid("Part number must be an integer between 1 and 10000, inclusive."))
}
