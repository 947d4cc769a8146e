//! From rusoto's path-style request to the only form OSS takes: the bucket in
//! front of the host.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use rusoto_core::signature::{SignedRequest, SignedRequestPayload};

use super::error::{Error, Kind};
use super::request::Request;
use crate::model::bucket::BucketName;
use crate::model::endpoint::Endpoint;

/// The largest body that is sent in one piece: 5 GB is OSS's own limit, ours
/// is what may lie in memory.
const MAX_BODY: usize = 256 << 20;

/// Rewrites what rusoto built. The escaped path is cut, never decoded, so that
/// `a//b`, `./x` and `../x` arrive as they are.
pub async fn virtual_hosted(
    built: SignedRequest,
    endpoint: &Endpoint,
    action: &'static str,
) -> Result<Request, Error> {
    let (bucket, path) = split(&built.canonical_uri, action)?;
    let query = built
        .params
        .iter()
        .map(|(name, value)| {
            // OSS tells `?uploads=` from `?uploads`, and rusoto always writes the former
            (name.clone(), value.clone().filter(|value| !value.is_empty()))
        })
        .collect();
    let body = match built.payload {
        None => Bytes::new(),
        Some(SignedRequestPayload::Buffer(bytes)) => bytes,
        Some(SignedRequestPayload::Stream(stream)) => collect(stream, action).await?,
    };
    let mut request = Request {
        method: built.method,
        scheme: endpoint.scheme().as_str(),
        authority: endpoint.authority(bucket.as_ref()),
        bucket,
        path,
        query,
        headers: Vec::new(),
        body,
    };
    let has_body = matches!(request.method.as_str(), "PUT" | "POST");
    for (name, values) in built.headers {
        // rusoto's content-type for requests without a body would only be signed for nothing
        let ours = matches!(name.as_str(), "host" | "content-length" | "user-agent")
            || (name == "content-type" && !has_body);
        if ours {
            continue;
        }
        for value in values {
            let value = String::from_utf8(value).ok().filter(|value| is_sendable(value));
            let Some(value) = value else {
                let message = format!("the header {name} can hold ASCII characters only");
                return Err(Error::new(Kind::Refused, action, message));
            };
            request.headers.push((name.clone(), value));
        }
    }
    if has_body {
        request.set_header("content-length", request.body.len().to_string());
    }
    Ok(request)
}

/// Signatures over other bytes break on the way (OSS documentation of user metadata).
fn is_sendable(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}

/// `/bucket/key` -> bucket and `/key`; `/` -> no bucket.
fn split(uri: &str, action: &'static str) -> Result<(Option<BucketName>, String), Error> {
    let rest = uri.strip_prefix('/').unwrap_or(uri);
    if rest.is_empty() {
        return Ok((None, "/".to_owned()));
    }
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let bucket = BucketName::parse(bucket)
        .map_err(|error| Error::new(Kind::Settings, action, error.to_string()))?;
    Ok((Some(bucket), format!("/{key}")))
}

async fn collect(
    mut stream: rusoto_core::ByteStream,
    action: &'static str,
) -> Result<Bytes, Error> {
    let broken = |error: std::io::Error| Error::new(Kind::Local, action, error.to_string());
    let Some(first) = stream.try_next().await.map_err(broken)? else { return Ok(Bytes::new()) };
    let Some(second) = stream.try_next().await.map_err(broken)? else { return Ok(first) };
    let mut body = Vec::from(first);
    body.extend_from_slice(&second);
    while let Some(chunk) = stream.try_next().await.map_err(broken)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Error::new(Kind::Refused, action, "too large for one request"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusoto_core::Region;

    fn built(method: &str, path: &str) -> SignedRequest {
        let region =
            Region::Custom { name: "eu-central-1".into(), endpoint: "https://x.example".into() };
        SignedRequest::new(method, "s3", &region, path)
    }

    async fn rewritten(mut built: SignedRequest) -> Request {
        built.complement();
        let endpoint = Endpoint::parse("https://oss-eu-central-1.aliyuncs.com").unwrap();
        virtual_hosted(built, &endpoint, "test").await.unwrap()
    }

    #[tokio::test]
    async fn odd_keys_arrive_as_they_are() {
        for (key, path) in [
            ("a//b", "/a//b"),
            ("./x/../y", "/./x/../y"),
            ("/lead", "//lead"),
            ("100%/50%25", "/100%25/50%2525"),
            ("a b?#", "/a%20b%3F%23"),
            ("tail/", "/tail/"),
        ] {
            let request = rewritten(built("GET", &format!("/my-bucket/{key}"))).await;
            assert_eq!(request.path, path);
            assert_eq!(request.authority, "my-bucket.oss-eu-central-1.aliyuncs.com");
            let uri: http::Uri = request.url().parse().unwrap();
            assert_eq!(uri.path(), path);
        }
    }

    #[tokio::test]
    async fn buckets_and_the_service() {
        let mut location = built("GET", "/my-bucket");
        location.add_param("location", "");
        let request = rewritten(location).await;
        assert_eq!(request.url(), "https://my-bucket.oss-eu-central-1.aliyuncs.com/?location");
        assert_eq!(request.header("content-type"), None);
        let request = rewritten(built("GET", "/")).await;
        assert_eq!((request.bucket, request.path.as_str()), (None, "/"));
    }

    #[tokio::test]
    async fn what_no_signature_survives_is_refused() {
        let mut put = built("PUT", "/my-bucket/a");
        put.add_header("x-amz-meta-name", "ü");
        put.complement();
        let endpoint = Endpoint::parse("https://oss-eu-central-1.aliyuncs.com").unwrap();
        let error = virtual_hosted(put, &endpoint, "put").await.unwrap_err();
        assert!(error.message.contains("x-amz-meta-name"), "{error}");
    }
}
