//! Calls on objects.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream;
use rusoto_core::ByteStream;
use rusoto_s3::{
    CopyObjectRequest, Delete, DeleteObjectRequest, DeleteObjectsRequest, GetObjectRequest,
    HeadObjectRequest, ObjectIdentifier, PutObjectRequest, S3 as _,
};

use super::{Client, unquoted};
use crate::base::url_encode;
use crate::model::bucket::BucketName;
use crate::oss::crc64;
use crate::oss::dispatch::{Content, Expect, Plan, Reply};
use crate::oss::error::{Error, Kind};
use crate::oss::object::{Answer, CopyOptions, NotDeleted, ObjectInfo, Part, PutOptions, Written};
use crate::oss::payload::Slice;
use crate::oss::retry::Repeat;
use crate::oss::transport::Body;
use crate::oss::versions::{At, LeftBehind, Marker};

const WRITE: &str = "write the object";
/// Keys in one multi-delete (OSS documentation of `DeleteMultipleObjects`).
const DELETE_BATCH: usize = 1000;

/// The bytes of an object on its way out.
enum Sent {
    Bytes(ByteStream),
    /// With the MD5 of what is to arrive.
    File(Slice, String),
}

/// An object on its way in.
#[derive(Debug)]
pub struct Download {
    /// The object.
    pub info: ObjectInfo,
    /// Its bytes.
    pub body: Body,
}

/// A stretch of an object on its way in.
#[derive(Debug)]
pub(in crate::oss) struct Stretch {
    /// The object.
    pub(in crate::oss) info: ObjectInfo,
    /// Its bytes, behind `skip` that were not asked for.
    pub(in crate::oss) body: Body,
    /// What is to be passed over.
    pub(in crate::oss) skip: u64,
    /// The server sends all of the object, whatever was asked for.
    pub(in crate::oss) is_whole: bool,
}

impl Client {
    /// What there is to know of an object without reading it.
    pub async fn head(
        &self,
        bucket: &BucketName,
        object: impl Into<At<'_>>,
    ) -> Result<Answer<ObjectInfo>, Error> {
        const ACTION: &str = "look at the object";
        let object = object.into();
        let error = match self.bare_head(ACTION, bucket, object).await {
            // a HEAD has no body to say why: the same question as a GET has
            Err(error) if error.is_silent() => error,
            answer => return answer,
        };
        match self.part(bucket, object, 0, 1, None).await {
            Err(why) if !why.is_silent() => Err(why.of_action(ACTION)),
            // the GET found where the bucket lies
            Ok(_) if error.is_elsewhere() => self.bare_head(ACTION, bucket, object).await,
            _ => Err(error),
        }
    }

    async fn bare_head(
        &self,
        action: &'static str,
        bucket: &BucketName,
        At { key, version }: At<'_>,
    ) -> Result<Answer<ObjectInfo>, Error> {
        let plan = Plan::new(action, Repeat::Always, Expect::Nothing);
        let request = HeadObjectRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            version_id: version.map(ToOwned::to_owned),
            ..Default::default()
        };
        let (reply, _) = self.call(plan, |s3| async move { s3.head_object(request).await }).await?;
        Ok(object(reply))
    }

    /// At most `length` bytes from `offset` on; fewer where the object ends, none behind its
    /// end. With `if_match` only of the object with this `ETag`.
    pub async fn get_range(
        &self,
        bucket: &BucketName,
        object: impl Into<At<'_>>,
        offset: u64,
        length: usize,
        if_match: Option<&str>,
    ) -> Result<Answer<Part>, Error> {
        let object = object.into();
        match self.part(bucket, object, offset, length, if_match).await {
            // there is nothing at this offset, of an empty object not even at 0
            Err(error) if error.status == Some(416) => {
                let info = self.head(bucket, object).await?;
                Ok(info.map(|info| Part { info, bytes: Bytes::new() }))
            }
            other => other,
        }
    }

    async fn part(
        &self,
        bucket: &BucketName,
        object: At<'_>,
        offset: u64,
        length: usize,
        if_match: Option<&str>,
    ) -> Result<Answer<Part>, Error> {
        let range = offset..offset.saturating_add(length.max(1) as u64);
        let Answer { meta, value } = self.get_stretch(bucket, object, range, if_match).await?;
        let Stretch { info, mut body, mut skip, .. } = value;
        if skip > 0 && info.size.is_some_and(|size| size <= offset) {
            return Ok(Answer { meta, value: Part { info, bytes: Bytes::new() } });
        }
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let Some(mut chunk) = body.chunk().await? else { break };
            let passed = skip.min(chunk.len() as u64);
            skip -= passed;
            let rest = chunk.split_off(usize::try_from(passed).unwrap_or(usize::MAX));
            let wanted = rest.len().min(length - bytes.len());
            bytes.extend_from_slice(rest.get(..wanted).unwrap_or_default());
        }
        // it may be kept for long
        bytes.shrink_to_fit();
        Ok(Answer { meta, value: Part { info, bytes: Bytes::from(bytes) } })
    }

    /// The bytes of `range`, as a stream. With `if_match` only of the object with this `ETag`.
    pub(in crate::oss) async fn get_stretch(
        &self,
        bucket: &BucketName,
        object: At<'_>,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<Answer<Stretch>, Error> {
        const ACTION: &str = "read the object";
        let asked = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        let answer = self.open(ACTION, bucket, object, Some(asked), if_match).await?;
        let Answer { meta, value: Download { info, body } } = answer;
        let starts = match info.headers.get("content-range") {
            Some(range) => range
                .trim()
                .strip_prefix("bytes ")
                .and_then(|range| range.split('-').next()?.parse::<u64>().ok()),
            None => Some(0),
        };
        // some servers answer a range with the whole object, OSS too where it lies behind the end
        let is_whole = meta.status == 200;
        let skip = match starts {
            Some(starts) if starts == range.start => 0,
            Some(0) if is_whole => range.start,
            _ => {
                let message = "the server sends another range than the one asked for";
                return Err(Error::new(Kind::NotOss, ACTION, message).with_meta(meta));
            }
        };
        Ok(Answer { meta, value: Stretch { info, body, skip, is_whole } })
    }

    /// The whole object, as a stream.
    pub async fn get(
        &self,
        bucket: &BucketName,
        object: impl Into<At<'_>>,
        if_match: Option<&str>,
    ) -> Result<Answer<Download>, Error> {
        self.open("read the object", bucket, object.into(), None, if_match).await
    }

    async fn open(
        &self,
        action: &'static str,
        bucket: &BucketName,
        At { key, version }: At<'_>,
        range: Option<String>,
        if_match: Option<&str>,
    ) -> Result<Answer<Download>, Error> {
        let mut plan = Plan::new(action, Repeat::Always, Expect::Stream);
        if range.is_some() {
            // else OSS answers a range behind the end with the whole object
            plan.headers.push(("x-oss-range-behavior", "standard".to_owned()));
        }
        let request = GetObjectRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            version_id: version.map(ToOwned::to_owned),
            range,
            if_match: if_match.map(quoted),
            ..Default::default()
        };
        let (reply, _) = self.call(plan, |s3| async move { s3.get_object(request).await }).await?;
        match reply.content {
            Content::Stream(body) => {
                let info = ObjectInfo::of(reply.headers);
                Ok(Answer { meta: reply.meta, value: Download { info, body } })
            }
            _ => Err(Error::new(Kind::NotOss, action, "the answer has no body")),
        }
    }

    /// Writes an object in one piece, and compares the server's checksum with ours.
    pub async fn put(
        &self,
        bucket: &BucketName,
        key: &str,
        bytes: Bytes,
        options: &PutOptions,
    ) -> Result<Answer<Written>, Error> {
        let crc = crc64::of(&bytes);
        let reply = self.put_body(bucket, key, Sent::Bytes(one_piece(bytes)), options).await?;
        written(WRITE, reply, Some(crc))
    }

    /// The same with bytes that are read from a file as they are sent; `md5` is what they are.
    pub(in crate::oss) async fn put_file(
        &self,
        bucket: &BucketName,
        key: &str,
        (file, md5): (&Slice, String),
        options: &PutOptions,
    ) -> Result<Answer<Written>, Error> {
        let body = Sent::File(file.clone(), md5);
        let reply = self.put_body(bucket, key, body, options).await?;
        written(WRITE, reply, Some(file.crc()))
    }

    async fn put_body(
        &self,
        bucket: &BucketName,
        key: &str,
        sent: Sent,
        options: &PutOptions,
    ) -> Result<Reply, Error> {
        // repeated after a lost answer, it would be refused for what it wrote itself
        let repeat = if options.forbid_overwrite { Repeat::IfRefused } else { Repeat::Always };
        let mut plan = Plan::new(WRITE, repeat, Expect::Nothing);
        let body = match sent {
            Sent::Bytes(bytes) => Some(bytes),
            Sent::File(file, md5) => {
                plan.file = Some(file);
                plan.headers.push(("content-md5", md5));
                None
            }
        };
        if options.forbid_overwrite {
            plan.headers.push(("x-oss-forbid-overwrite", "true".to_owned()));
        }
        let request = PutObjectRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            body,
            content_type: options.content_type.clone(),
            metadata: metadata(options),
            ..Default::default()
        };
        Ok(self.call(plan, |s3| async move { s3.put_object(request).await }).await?.0)
    }

    /// Copies on the server, below 1 GiB.
    pub async fn copy<'a>(
        &self,
        from: (&BucketName, impl Into<At<'a>>),
        to: (&BucketName, &str),
        options: &CopyOptions,
    ) -> Result<Answer<Written>, Error> {
        const ACTION: &str = "copy the object";
        let repeat = if options.forbid_overwrite { Repeat::IfRefused } else { Repeat::Always };
        let mut plan = Plan::new(ACTION, repeat, Expect::Xml("CopyObjectResult"));
        if options.forbid_overwrite {
            plan.headers.push(("x-oss-forbid-overwrite", "true".to_owned()));
        }
        let request = CopyObjectRequest {
            copy_source: copy_source((from.0, from.1.into())),
            copy_source_if_match: options.if_match.as_deref().map(quoted),
            bucket: to.0.to_string(),
            key: to.1.to_owned(),
            ..Default::default()
        };
        let (reply, _) = self.call(plan, |s3| async move { s3.copy_object(request).await }).await?;
        let etag = unquoted(reply.document().text_of("ETag"));
        let answer = written(ACTION, reply, options.crc64)?;
        Ok(answer.map(|sum| Written { etag: etag.or(sum.etag), ..sum }))
    }

    /// Deletes one object, or one version of it for good. One that is not there counts as
    /// deleted. Answers the delete marker that is left in its place, where versions are kept.
    pub async fn delete(
        &self,
        bucket: &BucketName,
        object: impl Into<At<'_>>,
    ) -> Result<Answer<Option<Marker>>, Error> {
        let At { key, version } = object.into();
        let plan = Plan::new("delete the object", Repeat::Always, Expect::Nothing);
        let request = DeleteObjectRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            version_id: version.map(ToOwned::to_owned),
            ..Default::default()
        };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.delete_object(request).await }).await?;
        let header = |names: [&str; 2]| names.iter().find_map(|name| reply.headers.get(name));
        let is_marker = header(["x-oss-delete-marker", "x-amz-delete-marker"]) == Some("true");
        let id = header(["x-oss-version-id", "x-amz-version-id"]);
        let id = id.filter(|_| is_marker && version.is_none());
        let marker = Marker::left(key, id, reply.meta.repeats);
        Ok(reply.with(marker))
    }

    /// Deletes objects, a thousand a request. Those that were left standing are added to what is
    /// `left`, also where a request fails: then its keys are, and those that were not asked for
    /// any more.
    pub async fn delete_many(
        &self,
        bucket: &BucketName,
        keys: &[String],
        left: &mut LeftBehind,
    ) -> Result<(), Error> {
        // XML 1.0 cannot hold control characters, and readers change line ends
        let (plain, odd): (Vec<&String>, Vec<&String>) =
            keys.iter().partition(|key| !key.chars().any(char::is_control));
        let mut batches = odd.chunks(1).chain(plain.chunks(DELETE_BATCH));
        while let Some(batch) = batches.next() {
            let answer = match batch {
                [key] => self.delete_one(bucket, key).await,
                batch => self.delete_batch(bucket, batch).await,
            };
            match answer {
                Ok(LeftBehind { objects, markers }) => {
                    left.objects.extend(objects);
                    left.markers.extend(markers);
                }
                Err(error) => {
                    let rest = batch.iter().chain(batches.flatten());
                    left.objects.extend(rest.map(|key| not_deleted(key, &error)));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    async fn delete_one(&self, bucket: &BucketName, key: &str) -> Result<LeftBehind, Error> {
        let mut left = LeftBehind::default();
        match self.delete(bucket, key).await {
            Ok(answer) => left.markers.extend(answer.value),
            Err(error) => match error.kind {
                Kind::Permission | Kind::Precondition | Kind::Refused => {
                    left.objects.push(not_deleted(key, &error));
                }
                _ => return Err(error),
            },
        }
        Ok(left)
    }

    async fn delete_batch(
        &self,
        bucket: &BucketName,
        keys: &[&String],
    ) -> Result<LeftBehind, Error> {
        let plan = Plan::new("delete objects", Repeat::Always, Expect::Xml("DeleteResult"));
        let objects = keys
            .iter()
            .map(|key| ObjectIdentifier { key: (*key).clone(), version_id: None })
            .collect();
        let request = DeleteObjectsRequest {
            bucket: bucket.to_string(),
            // not quiet: what is not named in the answer was not deleted
            delete: Delete { objects, quiet: Some(false) },
            ..Default::default()
        };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.delete_objects(request).await }).await?;
        let document = reply.document();
        let gone: BTreeSet<&str> =
            document.all("Deleted").filter_map(|row| row.text_of("Key")).collect();
        let markers = document.all("Deleted").filter_map(|row| {
            let is_marker = row.text_of("DeleteMarker") == Some("true");
            let id = row.text_of("DeleteMarkerVersionId").filter(|_| is_marker);
            Marker::left(row.text_of("Key")?, id, reply.meta.repeats)
        });
        let markers = markers.filter(|marker| keys.contains(&&marker.key)).collect();
        let left = keys.iter().filter(|key| !gone.contains(key.as_str())).map(|key| {
            let error = document.all("Error").find(|row| row.text_of("Key") == Some(key));
            let text = |name| error.and_then(|error| error.text_of(name)).unwrap_or_default();
            let message = match error {
                Some(_) => text("Message").to_owned(),
                None => "the server does not say what became of it".to_owned(),
            };
            NotDeleted { key: (*key).clone(), code: text("Code").to_owned(), message }
        });
        Ok(LeftBehind { objects: left.collect(), markers })
    }
}

fn not_deleted(key: &str, error: &Error) -> NotDeleted {
    NotDeleted {
        key: key.to_owned(),
        code: error.code.clone().unwrap_or_default(),
        message: error.message.clone(),
    }
}

/// The user's own words for an object, as requests have them.
pub(super) fn metadata(options: &PutOptions) -> Option<HashMap<String, String>> {
    let given = !options.metadata.is_empty();
    given.then(|| options.metadata.iter().cloned().collect())
}

/// An `ETag` as headers have it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{}\"", etag.trim_matches('"'))
}

/// An object as the header of a copy names it.
pub(super) fn copy_source((bucket, At { key, version }): (&BucketName, At<'_>)) -> String {
    let version = version.map(|id| format!("?versionId={}", url_encode::query(id)));
    format!("/{bucket}/{}{}", url_encode::path(key), version.unwrap_or_default())
}

fn object(reply: Reply) -> Answer<ObjectInfo> {
    Answer { meta: reply.meta, value: ObjectInfo::of(reply.headers) }
}

pub(super) fn one_piece(bytes: Bytes) -> ByteStream {
    let length = bytes.len();
    ByteStream::new_with_size(stream::once(std::future::ready(Ok(bytes))), length)
}

/// What a write left, once the server's checksum was compared with `crc`, where both are known.
pub(super) fn written(
    action: &'static str,
    reply: Reply,
    crc: Option<u64>,
) -> Result<Answer<Written>, Error> {
    let theirs =
        reply.headers.get("x-oss-hash-crc64ecma").and_then(|text| text.trim().parse::<u64>().ok());
    let compared = theirs.zip(crc);
    if compared.is_some_and(|(theirs, ours)| theirs != ours) {
        let message = "the server received other bytes than were sent (CRC-64 differs)";
        return Err(Error::new(Kind::Corrupt, action, message).with_meta(reply.meta));
    }
    let etag = unquoted(reply.headers.get("etag"));
    Ok(reply.with(Written { etag, verified: compared.is_some() }))
}
