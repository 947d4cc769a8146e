//! Calls that carry exactly what botocore puts on them, so that what OSS says to ours it will say
//! to `ZenML`'s (seen on the wire of s3fs 2026.9 with botocore 1.43 and 1.35; the rules are in
//! botocore/httpchecksum.py). The diagnosis alone sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use crc_fast::CrcAlgorithm::Crc32IsoHdlc;
use md5::{Digest as _, Md5};
use quick_xml::escape::escape;
use rusoto_core::signature::SignedRequest;
use rusoto_s3::{GetBucketVersioningRequest, S3 as _};

use super::Client;
use super::objects::written;
use crate::model::bucket::BucketName;
use crate::oss::crc64;
use crate::oss::dispatch::{Content, Expect, OssDispatcher, Plan, Reply};
use crate::oss::error::{Error, Kind};
use crate::oss::object::{Answer, NotDeleted, Written};
use crate::oss::request::{Request, parse_query};
use crate::oss::retry::{self, Repeat};
use crate::oss::transport::{MAX_ERROR, Response};

/// How botocore guards the bytes of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Not at all: up to 1.35, and where `request_checksum_calculation` is `when_required`.
    Nothing,
    /// By `x-amz-checksum-crc32`: from 1.36 on with S3 V2, or over plain http.
    Header,
    /// By a trailer behind an aws-chunked body: from 1.36 on with S3 V4 over https.
    Trailer,
}

/// How botocore guards the list of a multi-delete, which it always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteGuard {
    /// `Content-MD5`: up to 1.35.
    Md5,
    /// `x-amz-checksum-crc32`: from 1.36 on.
    Crc32,
}

impl Client {
    /// `PutObject` as s3fs sends it for a file below 50 MiB.
    pub async fn put_as_botocore(
        &self,
        bucket: &BucketName,
        key: &str,
        bytes: Bytes,
        guard: Guard,
    ) -> Result<Answer<Written>, Error> {
        const ACTION: &str = "write the object";
        let mut plan = Plan::new(ACTION, Repeat::Always, Expect::Nothing);
        plan.headers.push(("expect", "100-continue".to_owned()));
        let crc = crc64::of(&bytes);
        let checksum = crc32(&bytes);
        let body = match guard {
            Guard::Nothing => bytes,
            Guard::Header => {
                plan.headers.extend(checksum_header(checksum));
                bytes
            }
            Guard::Trailer => {
                plan.headers.extend([
                    ("content-encoding", "aws-chunked".to_owned()),
                    ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned()),
                    ("x-amz-decoded-content-length", bytes.len().to_string()),
                    ("x-amz-sdk-checksum-algorithm", "CRC32".to_owned()),
                    ("x-amz-trailer", "x-amz-checksum-crc32".to_owned()),
                ]);
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(&bytes);
                let end = format!("\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
                chunk.extend_from_slice(end.as_bytes());
                chunk.into()
            }
        };
        let path = format!("/{bucket}/{key}");
        let mut built = SignedRequest::new("PUT", "s3", &self.region(), &path);
        built.set_payload(Some(body));
        written(ACTION, self.send(plan, built).await?, Some(crc))
    }

    /// A ranged `GetObject` as s3fs reads: of one version of the object only. The answer is at
    /// most the range's length.
    pub async fn get_as_botocore(
        &self,
        bucket: &BucketName,
        key: &str,
        range: std::ops::Range<u64>,
        if_match: Option<&str>,
    ) -> Result<Answer<Bytes>, Error> {
        const ACTION: &str = "read the object";
        let mut plan = Plan::new(ACTION, Repeat::Always, Expect::Stream);
        let last = range.end.saturating_sub(1);
        plan.headers.extend([
            ("range", format!("bytes={}-{last}", range.start)),
            ("x-amz-checksum-mode", "ENABLED".to_owned()),
        ]);
        plan.headers.extend(if_match.map(|etag| ("if-match", format!("\"{etag}\""))));
        let path = format!("/{bucket}/{key}");
        let built = SignedRequest::new("GET", "s3", &self.region(), &path);
        let reply = self.send(plan, built).await?;
        let Content::Stream(mut body) = reply.content else {
            return Err(Error::new(Kind::NotOss, ACTION, "the answer has no body"));
        };
        let most = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let (bytes, _) = body.up_to(most).await?;
        Ok(Answer { meta: reply.meta, value: bytes })
    }

    /// `DeleteObjects` as s3fs sends it for `rmtree` and `rename`. Answers what was left standing.
    pub async fn delete_as_botocore(
        &self,
        bucket: &BucketName,
        keys: &[&str],
        guard: DeleteGuard,
    ) -> Result<Answer<Vec<NotDeleted>>, Error> {
        let mut body = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for key in keys {
            body.push_str("<Object><Key>");
            body.push_str(&escape(*key));
            body.push_str("</Key></Object>");
        }
        body.push_str("<Quiet>true</Quiet></Delete>");
        let expect = Expect::Xml("DeleteResult");
        let mut plan = Plan::new("delete objects", Repeat::Always, expect);
        match guard {
            DeleteGuard::Md5 => {
                plan.headers.push(("content-md5", BASE64.encode(Md5::digest(&body))));
            }
            DeleteGuard::Crc32 => plan.headers.extend(checksum_header(crc32(body.as_bytes()))),
        }
        let mut built = SignedRequest::new("POST", "s3", &self.region(), &format!("/{bucket}"));
        built.add_param("delete", "");
        built.set_payload(Some(body.into_bytes()));
        let reply = self.send(plan, built).await?;
        let document = reply.document();
        let text = |row: &crate::oss::xml::Element, name| {
            row.text_of(name).map(ToOwned::to_owned).unwrap_or_default()
        };
        let left = document.all("Error").map(|row| NotDeleted {
            key: text(row, "Key"),
            code: text(row, "Code"),
            message: text(row, "Message"),
        });
        let left = left.collect();
        Ok(reply.with(left))
    }

    /// `GetBucketVersioning`: `Enabled`, `Suspended`, or nothing where it never was. Not among the
    /// calls that OSS's documentation of S3 compatibility names: a refusal means nothing.
    pub async fn bucket_versioning(
        &self,
        bucket: &BucketName,
    ) -> Result<Answer<Option<String>>, Error> {
        let expect = Expect::Xml("VersioningConfiguration");
        // a server that does not know the call may say so with 501: no reason to ask again
        let plan = Plan::new("ask for the versioning", Repeat::IfRefused, expect);
        let request =
            GetBucketVersioningRequest { bucket: bucket.to_string(), ..Default::default() };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.get_bucket_versioning(request).await }).await?;
        let status = reply.document().text_of("Status").map(ToOwned::to_owned);
        Ok(reply.with(status))
    }

    /// Fetches `url`, which [`Client::presign`] made for an object of `bucket`, as a stranger
    /// would: without a key. At most `most` bytes.
    pub async fn get_presigned(
        &self,
        bucket: &BucketName,
        url: &str,
        most: usize,
    ) -> Result<Answer<Bytes>, Error> {
        const ACTION: &str = "open the signed link";
        let endpoint = &self.access().endpoint;
        let authority = endpoint.authority(Some(bucket));
        let (path, query) = url
            .split_once("://")
            .and_then(|(_, rest)| rest.strip_prefix(authority.as_str()))
            .and_then(|rest| rest.split_once('?'))
            .ok_or_else(|| Error::new(Kind::Refused, ACTION, "the link leads elsewhere"))?;
        let request = Request {
            method: "GET".to_owned(),
            scheme: endpoint.scheme().as_str(),
            path: path.to_owned(),
            query: parse_query(query),
            authority,
            ..Request::default()
        };
        let mut attempt = 0;
        loop {
            let error = match self.fetch(&request, ACTION, most).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempt + 1 >= retry::TRIES || !retry::may_pass(&error, Repeat::Always) {
                return Err(error);
            }
            let random = self.entropy().next_u64();
            tokio::time::sleep(retry::pause(attempt, random, error.retry_after)).await;
            attempt += 1;
        }
    }

    async fn fetch(
        &self,
        request: &Request,
        action: &'static str,
        most: usize,
    ) -> Result<Answer<Bytes>, Error> {
        let Response { meta, headers, mut body } =
            self.core.transport.send(request, None, action).await?;
        if !(200..300).contains(&meta.status) {
            let (body, _) = body.up_to(MAX_ERROR).await.unwrap_or_default();
            let location = headers.get("location").map(ToOwned::to_owned);
            return Err(Error::from_answer(action, meta, location, &body));
        }
        let (bytes, _) = body.up_to(most).await?;
        Ok(Answer { meta, value: bytes })
    }

    /// Sends a request that rusoto has no type for.
    async fn send(&self, plan: Plan, built: SignedRequest) -> Result<Reply, Error> {
        let action = plan.action;
        let dispatcher = OssDispatcher::new(&self.core, plan);
        let client = rusoto_core::Client::new_not_signing(dispatcher.clone());
        // what rusoto says of it is said better in the dispatcher's own answer
        let _sent = client.sign_and_dispatch(built).await;
        let unsent = || Err(Error::new(Kind::Refused, action, "the request cannot be built"));
        dispatcher.take().unwrap_or_else(unsent)
    }
}

/// As the header has it: big-endian, in base64.
fn crc32(bytes: &[u8]) -> String {
    let sum = crc_fast::checksum(Crc32IsoHdlc, bytes);
    // the algorithm's 32 bits come in the low half of 64
    let [_, _, _, _, low @ ..] = sum.to_be_bytes();
    BASE64.encode(low)
}

fn checksum_header(checksum: String) -> [(&'static str, String); 2] {
    [("x-amz-checksum-crc32", checksum), ("x-amz-sdk-checksum-algorithm", "CRC32".to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_written_as_botocore_writes_it() {
        // what botocore 1.43 sent with these bodies (AwsCrtCrc32Checksum)
        assert_eq!(crc32(b"123456789"), "y/Q5Jg==");
        assert_eq!(crc32(b""), "AAAAAA==");
    }
}
