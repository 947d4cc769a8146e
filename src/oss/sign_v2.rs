//! S3 signature version 2: HMAC-SHA1 over a few lines of the request. OSS
//! calls it the S3 V1-style signature of S3 clients; `signature_version: s3`
//! in botocore.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use time::OffsetDateTime;

use super::request::Request;
use crate::model::secret::Credentials;

/// Query names that belong to the resource (botocore `HmacV1Auth.QSAOfInterest`).
const SUB_RESOURCES: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// What is signed. `date` is the `Date` header, or the expiry of a signed address.
pub fn string_to_sign(request: &Request, date: &str) -> String {
    let mut out = String::with_capacity(256);
    let line = |name| request.header(name).unwrap_or_default().trim();
    for part in [&request.method, line("content-md5"), line("content-type"), date] {
        out.push_str(part);
        out.push('\n');
    }
    for (name, value) in amz_headers(request) {
        out.push_str(&name);
        out.push(':');
        out.push_str(&value);
        out.push('\n');
    }
    out.push_str(&resource(request));
    out
}

/// `x-amz-*`, sorted; repeated ones joined by commas.
fn amz_headers(request: &Request) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| name.starts_with("x-amz-")) {
        match headers.iter_mut().find(|(seen, _)| seen == name) {
            Some((_, joined)) => {
                joined.push(',');
                joined.push_str(value.trim());
            }
            None => headers.push((name.clone(), value.trim().to_owned())),
        }
    }
    headers.sort();
    headers
}

/// `/bucket` and the escaped path, then the sub-resources, sorted and not escaped.
fn resource(request: &Request) -> String {
    let mut out = String::new();
    if let Some(bucket) = &request.bucket {
        out.push('/');
        out.push_str(bucket.as_str());
    }
    out.push_str(&request.path);
    let mut parts: Vec<_> =
        request.query.iter().filter(|(name, _)| SUB_RESOURCES.contains(&name.as_str())).collect();
    parts.sort();
    for (at, (name, value)) in parts.into_iter().enumerate() {
        out.push(if at == 0 { '?' } else { '&' });
        out.push_str(name);
        if let Some(value) = value {
            out.push('=');
            out.push_str(value);
        }
    }
    out
}

/// The signature of `text`.
pub fn signature(text: &str, credentials: &Credentials) -> String {
    // HMAC takes keys of any length
    let Ok(mut mac) =
        Hmac::<Sha1>::new_from_slice(credentials.secret_access_key.expose().as_bytes())
    else {
        return String::new();
    };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Signs `request` in its headers and answers what was signed.
pub fn sign(request: &mut Request, credentials: &Credentials, now: OffsetDateTime) -> String {
    let date = http_date(now);
    request.remove_header("authorization");
    // with x-amz-date the Date line would have to be empty: one of the two, and that is Date
    request.remove_header("x-amz-date");
    request.set_header("date", date.as_str());
    if let Some(token) = &credentials.session_token {
        request.set_header("x-amz-security-token", token.expose());
    }
    let text = string_to_sign(request, &date);
    let signature = signature(&text, credentials);
    let authorization = format!("AWS {}:{signature}", credentials.access_key_id);
    request.set_header("authorization", authorization);
    text
}

/// `Sun, 15 Mar 2026 10:20:30 GMT`.
pub fn http_date(time: OffsetDateTime) -> String {
    use time::macros::format_description;
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    time.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
}
