//! Uploads in parts.

use std::ops::Range;

use bytes::Bytes;
use rusoto_core::ByteStream;
use rusoto_s3::{
    AbortMultipartUploadRequest, CompleteMultipartUploadRequest, CompletedMultipartUpload,
    CompletedPart, CreateMultipartUploadRequest, ListMultipartUploadsRequest, ListPartsRequest,
    S3 as _, UploadPartCopyRequest, UploadPartRequest,
};

use super::objects::{copy_source, metadata, one_piece, quoted, written};
use super::{Client, unquoted, unsigned};
use crate::base::url_encode;
use crate::model::bucket::BucketName;
use crate::oss::crc64;
use crate::oss::dispatch::{Expect, Plan, Reply};
use crate::oss::error::{Error, Kind};
use crate::oss::object::{Answer, Meta, PutOptions, Upload, UploadedPart, Written};
use crate::oss::payload::Slice;
use crate::oss::retry::Repeat;

impl Client {
    /// Begins an upload and answers its id.
    pub async fn create_upload(
        &self,
        bucket: &BucketName,
        key: &str,
        options: &PutOptions,
    ) -> Result<Answer<String>, Error> {
        const ACTION: &str = "begin the upload";
        let expect = Expect::Xml("InitiateMultipartUploadResult");
        let mut plan = Plan::new(ACTION, Repeat::IfRefused, expect);
        if options.forbid_overwrite {
            plan.headers.push(("x-oss-forbid-overwrite", "true".to_owned()));
        }
        let request = CreateMultipartUploadRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            content_type: options.content_type.clone(),
            metadata: metadata(options),
            ..Default::default()
        };
        let (reply, output) =
            self.call(plan, |s3| async move { s3.create_multipart_upload(request).await }).await?;
        if let Some(id) = output.upload_id.filter(|id| !id.is_empty()) {
            return Ok(reply.with(id));
        }
        let message = "the answer names no upload id";
        Err(Error::new(Kind::NotOss, ACTION, message).with_meta(reply.meta))
    }

    /// Sends one part, numbered from 1 to 10 000.
    pub async fn upload_part(
        &self,
        bucket: &BucketName,
        key: &str,
        upload: &str,
        number: u32,
        bytes: Bytes,
    ) -> Result<Answer<UploadedPart>, Error> {
        let (crc, size) = (crc64::of(&bytes), bytes.len() as u64);
        let to = (bucket, key, upload, number);
        let reply = self.send_part(to, Some(one_piece(bytes)), None).await?;
        sent_part(reply, number, size, crc)
    }

    /// The same with bytes that are read from a file as they are sent.
    pub(in crate::oss) async fn upload_part_of_file(
        &self,
        bucket: &BucketName,
        key: &str,
        upload: &str,
        number: u32,
        file: &Slice,
    ) -> Result<Answer<UploadedPart>, Error> {
        let reply = self.send_part((bucket, key, upload, number), None, Some(file.clone())).await?;
        sent_part(reply, number, file.length(), file.crc())
    }

    async fn send_part(
        &self,
        (bucket, key, upload, number): (&BucketName, &str, &str, u32),
        body: Option<ByteStream>,
        file: Option<Slice>,
    ) -> Result<Reply, Error> {
        let plan = Plan { file, ..Plan::new(SEND_PART, Repeat::Always, Expect::Nothing) };
        let request = UploadPartRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            upload_id: upload.to_owned(),
            part_number: number.into(),
            body,
            ..Default::default()
        };
        Ok(self.call(plan, |s3| async move { s3.upload_part(request).await }).await?.0)
    }

    /// Makes a part of a stretch of an object with this `ETag`, on the server. OSS gives no
    /// checksum of it.
    pub async fn copy_part(
        &self,
        (from, etag): ((&BucketName, &str), Option<&str>),
        range: Range<u64>,
        (bucket, key): (&BucketName, &str),
        (upload, number): (&str, u32),
    ) -> Result<Answer<UploadedPart>, Error> {
        const ACTION: &str = "copy a part";
        let plan = Plan::new(ACTION, Repeat::Always, Expect::Xml("CopyPartResult"));
        let request = UploadPartCopyRequest {
            copy_source: copy_source((from.0, from.1.into())),
            copy_source_if_match: etag.map(quoted),
            copy_source_range: Some(format!(
                "bytes={}-{}",
                range.start,
                range.end.saturating_sub(1)
            )),
            bucket: bucket.to_string(),
            key: key.to_owned(),
            upload_id: upload.to_owned(),
            part_number: number.into(),
            ..Default::default()
        };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.upload_part_copy(request).await }).await?;
        let Some(etag) = unquoted(reply.document().text_of("ETag")) else {
            return Err(without_etag(ACTION, reply.meta));
        };
        let size = Some(range.end - range.start);
        Ok(reply.with(UploadedPart { number, etag, size }))
    }

    /// Makes one object of the parts. `crc` is the checksum of all bytes, where it is known. Not
    /// repeated where the answer is lost: ask by [`Client::head`] whether it was done.
    pub async fn complete_upload(
        &self,
        bucket: &BucketName,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
        crc: Option<u64>,
    ) -> Result<Answer<Written>, Error> {
        const ACTION: &str = "complete the upload";
        let expect = Expect::Xml("CompleteMultipartUploadResult");
        let plan = Plan::new(ACTION, Repeat::IfRefused, expect);
        let parts = parts
            .iter()
            .map(|part| CompletedPart {
                e_tag: Some(format!("\"{}\"", part.etag)),
                part_number: Some(part.number.into()),
            })
            .collect();
        let request = CompleteMultipartUploadRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            upload_id: upload.to_owned(),
            multipart_upload: Some(CompletedMultipartUpload { parts: Some(parts) }),
            ..Default::default()
        };
        let (reply, output) = self
            .call(plan, |s3| async move { s3.complete_multipart_upload(request).await })
            .await?;
        let answer = written(ACTION, reply, crc)?;
        Ok(answer
            .map(|sum| Written { etag: unquoted(output.e_tag.as_deref()).or(sum.etag), ..sum }))
    }

    /// Drops an upload and its parts.
    pub async fn abort_upload(
        &self,
        bucket: &BucketName,
        key: &str,
        upload: &str,
    ) -> Result<Answer<()>, Error> {
        let plan = Plan::new("drop the upload", Repeat::Always, Expect::Nothing);
        let request = AbortMultipartUploadRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            upload_id: upload.to_owned(),
            ..Default::default()
        };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.abort_multipart_upload(request).await }).await?;
        Ok(reply.with(()))
    }

    /// The parts of an upload that have arrived.
    pub async fn list_parts(
        &self,
        bucket: &BucketName,
        key: &str,
        upload: &str,
    ) -> Result<Vec<UploadedPart>, Error> {
        const ACTION: &str = "list the parts";
        let mut parts = Vec::new();
        let mut marker: Option<i64> = None;
        loop {
            let plan = Plan::new(ACTION, Repeat::Always, Expect::Xml("ListPartsResult"));
            let request = ListPartsRequest {
                bucket: bucket.to_string(),
                key: key.to_owned(),
                upload_id: upload.to_owned(),
                max_parts: Some(1000),
                part_number_marker: marker,
                ..Default::default()
            };
            let (reply, output) =
                self.call(plan, |s3| async move { s3.list_parts(request).await }).await?;
            parts.extend(output.parts.unwrap_or_default().into_iter().filter_map(|part| {
                Some(UploadedPart {
                    number: u32::try_from(part.part_number?).ok()?,
                    etag: unquoted(part.e_tag.as_deref())?,
                    size: unsigned(part.size),
                })
            }));
            if output.is_truncated != Some(true) {
                return Ok(parts);
            }
            let next = output.next_part_number_marker;
            if next.is_none() || next <= marker {
                return Err(stuck(ACTION).with_meta(reply.meta));
            }
            marker = next;
        }
    }

    /// Uploads below `prefix` that were begun and not ended.
    pub async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
    ) -> Result<Vec<Upload>, Error> {
        const ACTION: &str = "list uploads";
        let mut uploads = Vec::new();
        let mut marker: (Option<String>, Option<String>) = (None, None);
        loop {
            let plan = Plan::new(ACTION, Repeat::Always, Expect::Xml("ListMultipartUploadsResult"));
            let request = ListMultipartUploadsRequest {
                bucket: bucket.to_string(),
                encoding_type: Some("url".to_owned()),
                max_uploads: Some(1000),
                prefix: Some(prefix.to_owned()),
                key_marker: marker.0.clone(),
                upload_id_marker: marker.1.clone(),
                ..Default::default()
            };
            let (reply, output) = self
                .call(plan, |s3| async move { s3.list_multipart_uploads(request).await })
                .await?;
            let encoded = output.encoding_type.as_deref() == Some("url");
            let decode = |text: String| {
                let decoded = encoded.then(|| url_encode::decode(&text.replace('+', " ")));
                decoded.flatten().unwrap_or(text)
            };
            let rows = output.uploads.unwrap_or_default().into_iter().filter_map(|upload| {
                Some(Upload {
                    key: decode(upload.key?),
                    id: upload.upload_id?,
                    initiated: upload.initiated,
                })
            });
            let rows: Vec<Upload> = rows.collect();
            // uploads come by key; those of one key by their time, which markers do not tell
            let is_new = rows.first().is_some_and(|first| !uploads.contains(first));
            uploads.extend(rows);
            if output.is_truncated != Some(true) {
                return Ok(uploads);
            }
            let next = (output.next_key_marker.map(decode), output.next_upload_id_marker);
            let goes_on = next.0 > marker.0 || (next.0 == marker.0 && is_new);
            if next.0.is_none() || next == marker || !goes_on {
                return Err(stuck(ACTION).with_meta(reply.meta));
            }
            marker = next;
        }
    }
}

const SEND_PART: &str = "send a part";

fn sent_part(
    reply: Reply,
    number: u32,
    size: u64,
    crc: u64,
) -> Result<Answer<UploadedPart>, Error> {
    let Answer { meta, value } = written(SEND_PART, reply, Some(crc))?;
    let Some(etag) = value.etag else {
        return Err(without_etag(SEND_PART, meta));
    };
    Ok(Answer { meta, value: UploadedPart { number, etag, size: Some(size) } })
}

fn without_etag(action: &'static str, meta: Meta) -> Error {
    Error::new(Kind::NotOss, action, "the answer names no ETag for the part").with_meta(meta)
}

fn stuck(action: &'static str) -> Error {
    Error::new(Kind::NotOss, action, "the server says there is more, and not where it goes on")
}
