//! Signed addresses: a link that works without the key until it expires.

use std::time::Duration;

use time::OffsetDateTime;

use super::request::Request;
use super::{sign_v2, sign_v4};
use crate::model::secret::Credentials;
use crate::model::store::Signature;

/// The longest life of an S3 V4 link: 7 days (EC 0002-00000417 refuses more).
pub const LONGEST: Duration = Duration::from_hours(7 * 24);

/// The address that lets anybody send `request` until `now + expires`.
pub fn url(
    signature: Signature,
    request: Request,
    credentials: &Credentials,
    region: &str,
    now: OffsetDateTime,
    expires: Duration,
) -> String {
    match signature {
        Signature::V2 => url_v2(request, credentials, now, expires).0,
        Signature::V4 => url_v4(request, credentials, region, now, expires).0,
    }
}

/// The address by S3 V2, and what was signed.
pub fn url_v2(
    mut request: Request,
    credentials: &Credentials,
    now: OffsetDateTime,
    expires: Duration,
) -> (String, String) {
    let until = now.unix_timestamp().saturating_add_unsigned(expires.as_secs()).to_string();
    if let Some(token) = &credentials.session_token {
        request.set_header("x-amz-security-token", token.expose());
    }
    let text = sign_v2::string_to_sign(&request, &until);
    let signature = sign_v2::signature(&text, credentials);
    let mut add = |name: &str, value: String| request.query.push((name.to_owned(), Some(value)));
    add("AWSAccessKeyId", credentials.access_key_id.clone());
    add("Signature", signature);
    add("Expires", until);
    // what was signed as a header has to arrive, and a link carries no headers
    let moved: Vec<_> = request
        .headers
        .drain(..)
        .filter(|(name, _)| {
            name.starts_with("x-amz-") || name == "content-type" || name == "content-md5"
        })
        .collect();
    request.query.extend(moved.into_iter().map(|(name, value)| (name, Some(value))));
    (request.url(), text)
}

/// The address by S3 V4, and the forms that were signed.
pub fn url_v4(
    mut request: Request,
    credentials: &Credentials,
    region: &str,
    now: OffsetDateTime,
    expires: Duration,
) -> (String, sign_v4::Signed) {
    let timestamp = sign_v4::timestamp(now);
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.push("host");
    names.sort_unstable();
    let names = names.join(";");
    let mut add = |name: &str, value: String| request.query.push((name.to_owned(), Some(value)));
    add("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned());
    let scope = sign_v4::scope(&timestamp, region);
    add("X-Amz-Credential", format!("{}/{scope}", credentials.access_key_id));
    add("X-Amz-Date", timestamp.clone());
    add("X-Amz-Expires", expires.min(LONGEST).as_secs().to_string());
    add("X-Amz-SignedHeaders", names);
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token.expose().to_owned());
    }
    let signed =
        sign_v4::signed(&request, credentials, region, &timestamp, sign_v4::UNSIGNED_PAYLOAD);
    request.query.push(("X-Amz-Signature".to_owned(), Some(signed.signature.clone())));
    (request.url(), signed)
}
