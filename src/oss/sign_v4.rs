//! S3 signature version 4: HMAC-SHA256 over a canonical form of the request.
//! Never aws-chunked, which OSS refuses (EC 0017-00000804).

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::request::Request;
use crate::base::url_encode;
use crate::model::secret::Credentials;

/// In place of a body's hash.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Headers on the way of which others may write, so that they are not signed.
const UNSIGNED_HEADERS: [&str; 11] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "expect",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-oss-s3-compat",
];

/// A request in the three forms of the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Every signed part, one a line.
    pub canonical_request: String,
    /// Date, scope and the hash of the above.
    pub string_to_sign: String,
    /// Hex.
    pub signature: String,
    /// The names of the signed headers, joined by `;`.
    pub signed_headers: String,
}

/// `20260315T102030Z`.
pub fn timestamp(time: OffsetDateTime) -> String {
    use time::macros::format_description;
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    time.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
}

/// `20260315/eu-central-1/s3/aws4_request`.
pub fn scope(timestamp: &str, region: &str) -> String {
    format!("{}/{region}/s3/aws4_request", day(timestamp))
}

fn day(timestamp: &str) -> &str {
    timestamp.get(..8).unwrap_or_default()
}

/// Lower-case hex of the SHA-256 of `bytes`.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Signs what stands in `request`; `payload` is the body's hash or [`UNSIGNED_PAYLOAD`].
pub fn signed(
    request: &Request,
    credentials: &Credentials,
    region: &str,
    timestamp: &str,
    payload: &str,
) -> Signed {
    let headers = canonical_headers(request);
    let signed_headers =
        headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let mut canonical = String::with_capacity(512);
    for part in [&request.method, &request.path, &canonical_query(request)] {
        canonical.push_str(part);
        canonical.push('\n');
    }
    for (name, value) in &headers {
        canonical.push_str(name);
        canonical.push(':');
        canonical.push_str(value);
        canonical.push('\n');
    }
    canonical.push('\n');
    canonical.push_str(&signed_headers);
    canonical.push('\n');
    canonical.push_str(payload);
    let scope = scope(timestamp, region);
    let hash = sha256_hex(canonical.as_bytes());
    let string_to_sign = format!("AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hash}");
    let signature = hex::encode(hmac(&key(credentials, timestamp, region), &string_to_sign));
    Signed { canonical_request: canonical, string_to_sign, signature, signed_headers }
}

/// Signs `request` in its headers and answers what was signed.
pub fn sign(
    request: &mut Request,
    credentials: &Credentials,
    region: &str,
    now: OffsetDateTime,
) -> Signed {
    let timestamp = timestamp(now);
    // a body in aws-chunked form is not hashed, nor one that lies in a file: its kind stands in
    // place of the hash
    let streamed = request
        .header("x-amz-content-sha256")
        .filter(|kind| kind.starts_with("STREAMING-") || *kind == UNSIGNED_PAYLOAD);
    let payload = streamed.map_or_else(|| sha256_hex(&request.body), ToOwned::to_owned);
    request.remove_header("authorization");
    request.set_header("x-amz-date", timestamp.as_str());
    request.set_header("x-amz-content-sha256", payload.as_str());
    if let Some(token) = &credentials.session_token {
        request.set_header("x-amz-security-token", token.expose());
    }
    let signed = signed(request, credentials, region, &timestamp, &payload);
    let authorization = authorization(&signed, credentials, region, &timestamp);
    request.set_header("authorization", authorization);
    signed
}

/// The `Authorization` header.
pub fn authorization(
    signed: &Signed,
    credentials: &Credentials,
    region: &str,
    timestamp: &str,
) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
        credentials.access_key_id,
        scope(timestamp, region),
        signed.signed_headers,
        signed.signature
    )
}

/// Sorted; runs of blanks inside a value become one.
fn canonical_headers(request: &Request) -> Vec<(String, String)> {
    let mut headers = vec![("host".to_owned(), request.authority.clone())];
    let signed = |name: &str| !UNSIGNED_HEADERS.contains(&name) && name != "host";
    for (name, value) in request.headers.iter().filter(|(name, _)| signed(name)) {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        match headers.iter_mut().find(|(seen, _)| seen == name) {
            Some((_, joined)) => {
                joined.push(',');
                joined.push_str(&value);
            }
            None => headers.push((name.clone(), value)),
        }
    }
    headers.sort();
    headers
}

/// Escaped and sorted; a name without a value gets its `=` here, though not on the wire.
fn canonical_query(request: &Request) -> String {
    let mut pairs: Vec<(String, String)> = request
        .query
        .iter()
        .map(|(name, value)| {
            (url_encode::query(name), url_encode::query(value.as_deref().unwrap_or_default()))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn key(credentials: &Credentials, timestamp: &str, region: &str) -> Vec<u8> {
    let secret = zeroize::Zeroizing::new(format!("AWS4{}", credentials.secret_access_key.expose()));
    [day(timestamp), region, "s3", "aws4_request"]
        .iter()
        .fold(secret.as_bytes().to_vec(), |key, part| hmac(&key, part))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
