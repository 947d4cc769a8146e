//! The rules of OSS that come before anything is done: pure, over the head of
//! a request and a given time.
//!
//! s3s judges the signature afterwards; here stands what it does not do or does
//! otherwise: addressing, regions, the clock (always ours), switched-off
//! signatures, aws-chunked bodies, demanded headers. Presigned URLs are turned
//! into the header form with the same signature, since s3s would judge their
//! expiry by the machine's clock.

mod action;
mod rights;
pub mod signed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Uri};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use self::signed::{Claim, Version};
use super::faults::{BadToken, Faults};
use super::hosts::{Hosts, Place};
use super::keys::Keys;
use super::refusal::Refusal;
use crate::base::secret_string::SecretString;
use crate::base::url_encode;
use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;

pub use self::action::Action;

/// How far a client's clock may be off (EC page 0002-00000501).
pub const MAX_SKEW: Duration = Duration::minutes(15);

/// What a request is judged by.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Which host means what.
    pub hosts: &'a Hosts,
    /// The known keys.
    pub keys: &'a Keys,
    /// The server's time.
    pub now: OffsetDateTime,
    /// Faults that are on.
    pub faults: &'a Faults,
}

/// A request that may go on to the judge of signatures.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// What it is addressed to.
    pub place: Place,
    /// The object's key.
    pub key: Option<String>,
    /// How it is signed.
    pub claim: Claim,
    /// What it asks for.
    pub action: Action,
}

impl Rules<'_> {
    /// Judges the head of a request. `region_of` tells the region id of a bucket that exists.
    ///
    /// The order is the one a client can tell from answers: addressing and the
    /// bucket's region also refuse unsigned requests, then come key and clock,
    /// then what the request asks.
    pub fn admit(
        &self,
        parts: &Parts,
        region_of: impl Fn(&str) -> Option<String>,
    ) -> Result<Admitted, Refusal> {
        let place = self.hosts.place(&parts.headers);
        let key = key_of(parts)?;
        let creates = parts.method == Method::PUT && key.is_none() && parts.uri.query().is_none();
        match &place {
            Place::Service(_) if key.is_some() => return Err(path_style()),
            Place::Unknown(host) => return Err(Refusal::no_such_bucket(host)),
            Place::Bucket(region, bucket) => {
                if BucketName::parse(bucket).is_err() {
                    return Err(Refusal::new(
                        StatusCode::BAD_REQUEST,
                        "InvalidBucketName",
                        "0015-00000001",
                        "The specified bucket is not valid.",
                    )
                    .with("BucketName", bucket));
                }
                match region_of(bucket) {
                    None if !creates => return Err(Refusal::no_such_bucket(bucket)),
                    Some(home) if home != region.id && !creates => {
                        return Err(self.elsewhere(bucket, &home));
                    }
                    _ => {}
                }
            }
            Place::Domain(bucket) if region_of(bucket).is_none() => {
                return Err(Refusal::no_such_bucket(bucket));
            }
            Place::Service(_) | Place::Domain(_) => {}
        }
        let claim = Claim::read(parts)?.ok_or_else(anonymous)?;
        self.known_key(&claim)?;
        self.in_time(&claim)?;
        if self.faults.presigning_denied && claim.is_in_query() {
            return Err(Refusal::access_denied());
        }
        if let Some(key) = &key
            && ObjectKey::parse(key).is_err()
        {
            return Err(Refusal::invalid_object_name(key));
        }
        no_chunks(&parts.headers)?;
        if parts.method == Method::POST
            && key.is_none()
            && signed::query_has(&parts.uri, "delete")
            && !self.faults.md5_not_required
            && !parts.headers.contains_key("content-md5")
        {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "MissingArgument",
                "0016-00000606",
                "Missing Some Required Arguments.",
            )
            .with("ArgumentName", "Content-MD5"));
        }
        not_public(&parts.headers)?;
        let action = Action::of(parts, &place, key.is_some());
        if let Some(refusal) = self.too_large(&parts.headers, action) {
            return Err(refusal);
        }
        match rights::refusal(self.faults, action, &place) {
            // s3s has not judged the signature yet, but a client cannot tell
            Some(refusal) => Err(refusal),
            None => Ok(Admitted { place, key, claim, action }),
        }
    }

    /// OSS itself takes 5 GiB (OSS documentation, "`PutObject`").
    fn too_large(&self, headers: &HeaderMap, action: Action) -> Option<Refusal> {
        let most = self.faults.largest_put.filter(|_| action == Action::Put)?;
        let length = headers.get("content-length")?.to_str().ok()?.parse::<u64>().ok()?;
        (length > most).then(|| {
            let message = "Your proposed upload exceeds the maximum allowed size.";
            Refusal::new(StatusCode::BAD_REQUEST, "EntityTooLarge", None, message)
        })
    }

    fn elsewhere(&self, bucket: &str, home: &str) -> Refusal {
        let refusal = Refusal::new(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "0003-00001403",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        )
        .with("Bucket", bucket);
        match self.hosts.region(home) {
            Some(region) => refusal.with("Endpoint", region.endpoint()),
            None => refusal,
        }
    }

    fn known_key(&self, claim: &Claim) -> Result<(), Refusal> {
        let forbidden = |code, ec: Option<&'static str>, message| {
            Refusal::new(StatusCode::FORBIDDEN, code, ec, message)
        };
        let off = match claim.version {
            _ if self.faults.s3_off => Some("0002-00000031"),
            Version::V2 => self.faults.v2_off.then_some("0002-00000032"),
            Version::V4 => self.faults.v4_off.then_some("0002-00000033"),
        };
        if let Some(ec) = off {
            // the documentation gives the EC alone: code and message are a guess
            let message = "The signature version is not enabled. Please contact technical support.";
            return Err(forbidden("AccessDenied", Some(ec), message));
        }
        let unknown = |ec| {
            let message = "The Access Key Id you provided does not exist in our records.";
            forbidden("InvalidAccessKeyId", Some(ec), message)
                .with("AWSAccessKeyId", claim.access_key_id.clone())
        };
        let key = self.keys.find(&claim.access_key_id).ok_or_else(|| unknown("0002-00000902"))?;
        if self.faults.key_disabled {
            return Err(unknown("0002-00000904"));
        }
        let expected = key.session_token.as_ref().map(SecretString::expose);
        let bad = match (expected, claim.token.as_deref()) {
            (Some(_), None) => return Err(unknown("0002-00000902")),
            (_, Some(_)) if self.faults.token.is_some() => self.faults.token,
            (Some(expected), Some(given)) if expected != given => Some(BadToken::Invalid),
            (None, Some(_)) => Some(BadToken::Mismatch),
            _ => None,
        };
        // documentation, "HTTP 403 errors"; it gives no EC
        let (code, message) = match bad {
            None => return Ok(()),
            Some(BadToken::Expired) => {
                ("SecurityTokenExpired", "The security token you provided has expired.")
            }
            Some(BadToken::Invalid) => {
                ("InvalidSecurityToken", "The security token you provided is invalid.")
            }
            Some(BadToken::Mismatch) => (
                "AccessKeyIdAndSecurityTokenNotMatch",
                "The OSS access key id and security token you provided does not match.",
            ),
        };
        Err(forbidden(code, None, message))
    }

    fn in_time(&self, claim: &Claim) -> Result<(), Refusal> {
        if let Some(ends) = claim.expires {
            if self.now > ends {
                let ec = (claim.version == Version::V4).then_some("0002-00000418");
                let message = "Request has expired.";
                return Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", ec, message)
                    .with("Expires", text(ends))
                    .with("ServerTime", text(self.now)));
            }
            // a V4 URL also tells when it was made: not in the future; V2 has no such time
            if claim.date.is_none_or(|date| date - self.now <= MAX_SKEW) {
                return Ok(());
            }
        }
        let Some(date) = claim.date else {
            let message = "OSS authentication requires a valid Date.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", None, message));
        };
        if (self.now - date).abs() <= MAX_SKEW {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "RequestTimeTooSkewed",
            "0002-00000501",
            "The difference between the request time and the current time is too large.",
        )
        .with("MaxAllowedSkewMilliseconds", MAX_SKEW.whole_milliseconds().to_string())
        .with("RequestTime", text(date))
        .with("ServerTime", text(self.now)))
    }
}

/// Judges a body that came whole: its `Content-MD5` and the hash that V4 signed.
pub fn check_body(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(given) = header("content-md5")
        && BASE64.decode(given.trim()).ok().as_deref() != Some(Md5::digest(body).as_slice())
    {
        let message = "The Content-MD5 you specified was invalid.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidDigest", None, message)
            .with("Content-MD5", given));
    }
    if let Some(given) = header("x-amz-content-sha256")
        && given.len() == 64
        && !given.eq_ignore_ascii_case(&hex::encode(Sha256::digest(body)))
    {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "XAmzContentSHA256Mismatch",
            "0002-00000427",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    Ok(())
}

/// Whether this asks a bucket for its objects or the service for its buckets: a GET of the root
/// whose query holds nothing but what such a list takes.
pub(super) fn asks_for_list(method: &Method, uri: &Uri) -> bool {
    const TAKES: [&str; 10] = [
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "list-type",
        "marker",
        "max-keys",
        "prefix",
        "start-after",
        "x-id",
    ];
    let signs = |name: &str| {
        name.starts_with("X-Amz-") || ["Signature", "Expires", "AWSAccessKeyId"].contains(&name)
    };
    let of_list = |name: &str| TAKES.contains(&name) || signs(name);
    method == Method::GET
        && uri.path() == "/"
        && signed::pairs(uri).iter().all(|(name, _)| of_list(name))
}

/// The key in the path: all behind the first slash, decoded once and not normalised.
fn key_of(parts: &Parts) -> Result<Option<String>, Refusal> {
    let path = parts.uri.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(None);
    }
    url_encode::decode(path).map(Some).ok_or_else(|| Refusal::invalid_object_name(path))
}

/// OSS takes one kind of aws-chunked body only (EC page 0017-00000804), and none without a length.
fn no_chunks(headers: &HeaderMap) -> Result<(), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let encoding = header("content-encoding");
    let hash = header("x-amz-content-sha256");
    let chunked = encoding.split(',').any(|one| one.trim().eq_ignore_ascii_case("aws-chunked"));
    let refused = |name, value: &str| {
        let message =
            "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.";
        let refusal = Refusal::argument(name, value, message);
        Err(Refusal { ec: Some("0017-00000804"), ..refusal })
    };
    match hash {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(()),
        _ if hash.starts_with("STREAMING-") => refused("x-amz-content-sha256", hash),
        _ if chunked => refused("Content-Encoding", encoding),
        _ if header("transfer-encoding").eq_ignore_ascii_case("chunked") => Err(Refusal::new(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            None,
            "You must provide the Content-Length HTTP header.",
        )),
        _ => Ok(()),
    }
}

/// All buckets here have Block Public Access on, as new ones of OSS do. (The documentation names
/// the rights; that the refusal is `AccessDenied` with this text is a guess.)
fn not_public(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(acl) = headers.get("x-amz-acl").and_then(|value| value.to_str().ok()) else {
        return Ok(());
    };
    match acl {
        "private" | "default" => Ok(()),
        "public-read" | "public-read-write" => {
            let message = "Put public acl is not allowed: Block Public Access is on.";
            Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", None, message))
        }
        _ => Err(Refusal::argument("x-amz-acl", acl, "This acl is not supported.")),
    }
}

fn path_style() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "SecondLevelDomainForbidden",
        "0003-00001401",
        "The bucket you are attempting to access must be addressed using OSS third level domain. Please use virtual hosted style to access.",
    )
}

fn anonymous() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "AccessDenied",
        "0003-00000905",
        "Anonymous access is forbidden for this operation.",
    )
}

/// A time as error documents write it.
fn text(time: OffsetDateTime) -> String {
    let seconds = time.replace_nanosecond(0).unwrap_or(time);
    seconds.format(&Rfc3339).unwrap_or_default()
}
