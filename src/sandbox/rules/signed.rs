//! How a request says who sent it: `AWS id:signature`, `AWS4-HMAC-SHA256 …`, or
//! the same in the query (AWS, "Signing and authenticating REST requests" for S3
//! V2, "Signature Version 4" for S3 V4).

use std::fmt::Write as _;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use sha2::{Digest as _, Sha256};
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use crate::base::url_encode;
use crate::sandbox::refusal::Refusal;

/// Query names that S3 V2 signs, sorted.
const SUB_RESOURCES: &[&str] = &[
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// Which way of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HMAC-SHA1.
    V2,
    /// `AWS4-HMAC-SHA256`.
    V4,
}

/// What a request says of its sender, not yet believed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which way of signing.
    pub version: Version,
    /// The key's id.
    pub access_key_id: String,
    /// The signature, as sent.
    pub signature: String,
    /// The token of a temporary key.
    pub token: Option<String>,
    /// When it was signed; a V2 URL does not tell.
    pub date: Option<OffsetDateTime>,
    /// When a presigned URL ends.
    pub expires: Option<OffsetDateTime>,
    /// `DATE/REGION/s3/aws4_request` of V4.
    scope: String,
    /// The names of V4's signed headers, joined by `;`.
    signed_headers: String,
    in_query: bool,
}

impl Claim {
    /// Whether the signature stands in the query: a signed link.
    pub fn is_in_query(&self) -> bool {
        self.in_query
    }

    /// Reads the claim; `None` where there is none.
    pub fn read(parts: &Parts) -> Result<Option<Self>, Refusal> {
        let query = pairs(&parts.uri);
        let value = |name: &str| query.iter().find(|pair| pair.0 == name).map(|p| p.1.as_str());
        if value("X-Amz-Signature").is_some() {
            return v4_query(&value).map(Some);
        }
        if let Some(signature) = value("Signature") {
            return v2_query(signature, &value).map(Some);
        }
        let Some(header) = header(&parts.headers, "authorization") else { return Ok(None) };
        if parts.headers.contains_key("x-oss-security-token") {
            // EC page 0002-00000009: the native header does not go with an S3 signature
            let refusal = Refusal::argument(
                "x-oss-security-token",
                "",
                "The token of an S3 request goes into x-amz-security-token.",
            );
            return Err(Refusal { ec: Some("0002-00000009"), ..refusal });
        }
        if let Some(fields) = header.strip_prefix("AWS4-HMAC-SHA256 ") {
            return v4_header(fields, &parts.headers).map(Some);
        }
        if let Some((id, signature)) =
            header.strip_prefix("AWS ").and_then(|pair| pair.rsplit_once(':'))
        {
            return Ok(Some(v2_header(id, signature, &parts.headers)));
        }
        Err(Refusal::argument(
            "Authorization",
            header.split(' ').next().unwrap_or_default(),
            "The authorization is invalid: this service speaks S3 V2 and S3 V4.",
        ))
    }

    /// Turns a presigned request into one that carries the same signature in its headers, over
    /// the same string. (V2: the Date line of a URL is its `Expires`. V4: all but the signature
    /// stays in the query, where it is signed.)
    pub fn into_header_form(self, parts: &mut Parts) {
        if !self.in_query {
            return;
        }
        let mut headers: Vec<(HeaderName, String)> = Vec::new();
        let mut kept = Vec::new();
        for piece in parts.uri.query().unwrap_or_default().split('&') {
            let (name, value) = split(piece);
            match (self.version, name.as_str()) {
                (Version::V4, "X-Amz-Signature")
                | (Version::V2, "Signature" | "AWSAccessKeyId") => {}
                (Version::V2, "Expires") => headers.push((http::header::DATE, value)),
                // botocore moves these headers into the query, yet signs them as headers
                (Version::V2, _) if is_moved(&name) => {
                    headers.extend(name.to_ascii_lowercase().parse().ok().map(|n| (n, value)));
                }
                (Version::V4, "X-Amz-Date") => {
                    headers.push((HeaderName::from_static("x-amz-date"), value));
                    kept.push(piece);
                }
                _ => kept.push(piece),
            }
        }
        if self.version == Version::V4 {
            let hash = HeaderName::from_static("x-amz-content-sha256");
            headers.push((hash, "UNSIGNED-PAYLOAD".to_owned()));
        }
        headers.push((http::header::AUTHORIZATION, self.header_value()));
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                parts.headers.insert(name, value);
            }
        }
        let mut target = parts.uri.path().to_owned();
        if !kept.is_empty() {
            target = format!("{target}?{}", kept.join("&"));
        }
        if let Ok(uri) = target.parse::<Uri>() {
            parts.uri = uri;
        }
    }

    fn header_value(&self) -> String {
        match self.version {
            Version::V2 => format!("AWS {}:{}", self.access_key_id, self.signature),
            Version::V4 => format!(
                "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                self.access_key_id, self.scope, self.signed_headers, self.signature
            ),
        }
    }

    /// What the refusal of a wrong signature tells. `parts` is in header form, `bucket` the one
    /// in the host.
    pub fn mismatch(&self, parts: &Parts, bucket: Option<&str>) -> Refusal {
        let to_sign = self.string_to_sign(parts, bucket);
        let bytes: Vec<String> = to_sign.bytes().map(|byte| format!("{byte:02X}")).collect();
        // quoted answers give -307 for V2 in the query; for V2 in the header none is known
        let ec = match self.version {
            Version::V2 => "0002-00000307",
            Version::V4 => "0002-00000429",
        };
        let refusal = Refusal::new(
            StatusCode::FORBIDDEN,
            "SignatureDoesNotMatch",
            ec,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        )
        .with("AWSAccessKeyId", self.access_key_id.clone())
        .with("SignatureProvided", self.signature.clone())
        .with("StringToSign", to_sign)
        .with("StringToSignBytes", bytes.join(" "));
        match self.version {
            Version::V2 => refusal,
            Version::V4 => {
                let canonical = canonical_request(parts, &self.signed_headers);
                refusal.with("CanonicalRequest", canonical)
            }
        }
    }

    /// The string the sender should have signed.
    pub fn string_to_sign(&self, parts: &Parts, bucket: Option<&str>) -> String {
        let of = |name| header(&parts.headers, name).unwrap_or_default();
        match self.version {
            Version::V4 => {
                let canonical = canonical_request(parts, &self.signed_headers);
                let hash = hex::encode(Sha256::digest(canonical));
                format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", of("x-amz-date"), self.scope)
            }
            Version::V2 => {
                let date = if of("x-amz-date").is_empty() { of("date") } else { "" };
                let (md5, kind) = (of("content-md5"), of("content-type"));
                let mut text = format!("{}\n{md5}\n{kind}\n{date}\n", parts.method);
                let mut amz: Vec<&str> = parts.headers.keys().map(HeaderName::as_str).collect();
                amz.retain(|name| name.starts_with("x-amz-"));
                amz.sort_unstable();
                for name in amz {
                    let _ = writeln!(text, "{name}:{}", joined(&parts.headers, name));
                }
                if let Some(bucket) = bucket {
                    let _ = write!(text, "/{bucket}");
                }
                text.push_str(parts.uri.path());
                let query = pairs(&parts.uri);
                let mut join = '?';
                for name in SUB_RESOURCES {
                    let Some((_, value)) = query.iter().find(|pair| pair.0 == *name) else {
                        continue;
                    };
                    text.push(join);
                    join = '&';
                    text.push_str(name);
                    if !value.is_empty() {
                        let _ = write!(text, "={value}");
                    }
                }
                text
            }
        }
    }
}

/// Whether the query has this name.
pub(in crate::sandbox) fn query_has(uri: &Uri, name: &str) -> bool {
    pairs(uri).iter().any(|pair| pair.0 == name)
}

fn canonical_request(parts: &Parts, signed_headers: &str) -> String {
    let path = url_encode::decode_bytes(parts.uri.path().as_bytes());
    let path = url_encode::path(&String::from_utf8_lossy(&path));
    let mut query: Vec<String> = pairs(&parts.uri)
        .iter()
        .map(|(name, value)| format!("{}={}", url_encode::query(name), url_encode::query(value)))
        .collect();
    query.sort();
    let mut text = format!("{}\n{path}\n{}\n", parts.method, query.join("&"));
    for name in signed_headers.split(';') {
        // V4 takes runs of blanks for one, V2 does not
        let value = joined(&parts.headers, name);
        let value: Vec<&str> = value.split_ascii_whitespace().collect();
        let _ = writeln!(text, "{name}:{}", value.join(" "));
    }
    let hash = header(&parts.headers, "x-amz-content-sha256").unwrap_or("UNSIGNED-PAYLOAD");
    let _ = write!(text, "\n{signed_headers}\n{hash}");
    text
}

fn v2_header(id: &str, signature: &str, headers: &HeaderMap) -> Claim {
    let date = header(headers, "x-amz-date").or_else(|| header(headers, "date"));
    Claim {
        version: Version::V2,
        access_key_id: id.to_owned(),
        signature: signature.to_owned(),
        token: header(headers, "x-amz-security-token").map(str::to_owned),
        date: date.and_then(|text| {
            OffsetDateTime::parse(text, &Rfc2822).ok().or_else(|| basic_time(text))
        }),
        expires: None,
        scope: String::new(),
        signed_headers: String::new(),
        in_query: false,
    }
}

fn v2_query<'a>(
    signature: &str,
    value: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Claim, Refusal> {
    let expires = value("Expires").unwrap_or_default();
    let ends = expires.parse().ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    let Some(ends) = ends else {
        return Err(Refusal::argument("Expires", expires, "Expires must be a Unix time."));
    };
    Ok(Claim {
        version: Version::V2,
        access_key_id: value("AWSAccessKeyId").unwrap_or_default().to_owned(),
        signature: signature.to_owned(),
        token: value("x-amz-security-token").map(str::to_owned),
        date: None,
        expires: Some(ends),
        scope: String::new(),
        signed_headers: String::new(),
        in_query: true,
    })
}

fn v4_header(fields: &str, headers: &HeaderMap) -> Result<Claim, Refusal> {
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let (id, scope) = credential(field("Credential"))?;
    let date = header(headers, "x-amz-date").and_then(basic_time);
    let date = date.or_else(|| OffsetDateTime::parse(header(headers, "date")?, &Rfc2822).ok());
    Ok(Claim {
        version: Version::V4,
        access_key_id: id,
        signature: field("Signature").to_owned(),
        token: header(headers, "x-amz-security-token").map(str::to_owned),
        date,
        expires: None,
        scope,
        signed_headers: field("SignedHeaders").to_owned(),
        in_query: false,
    })
}

fn v4_query<'a>(value: &impl Fn(&str) -> Option<&'a str>) -> Result<Claim, Refusal> {
    let (id, scope) = credential(value("X-Amz-Credential").unwrap_or_default())?;
    let made = value("X-Amz-Date").and_then(basic_time);
    let given = value("X-Amz-Expires");
    let Some(made) = made else {
        let given = value("X-Amz-Date").unwrap_or_default();
        return Err(Refusal::argument(
            "X-Amz-Date",
            given,
            "X-Amz-Date must be YYYYMMDD'T'hhmmss'Z'.",
        ));
    };
    // 1 second to 7 days (EC page 0002-00000417); missing: -416
    let seconds = given.and_then(|text| text.parse::<i64>().ok());
    let Some(seconds) = seconds.filter(|seconds| (1..=604_800).contains(seconds)) else {
        let ec = if given.is_none() { "0002-00000416" } else { "0002-00000417" };
        let message = "X-Amz-Expires must be between 1 and 604800.";
        let refusal = Refusal::argument("X-Amz-Expires", given.unwrap_or_default(), message);
        return Err(Refusal { ec: Some(ec), ..refusal });
    };
    Ok(Claim {
        version: Version::V4,
        access_key_id: id,
        signature: value("X-Amz-Signature").unwrap_or_default().to_owned(),
        token: value("X-Amz-Security-Token").map(str::to_owned),
        date: Some(made),
        expires: Some(made + Duration::seconds(seconds)),
        scope,
        signed_headers: value("X-Amz-SignedHeaders").unwrap_or_default().to_owned(),
        in_query: true,
    })
}

/// Id and scope. OSS checks the scope's form; its region may be any (EC samples sign
/// `us-east-1` for a Hangzhou bucket).
fn credential(text: &str) -> Result<(String, String), Refusal> {
    let pieces: Vec<&str> = text.split('/').collect();
    match pieces.as_slice() {
        [id, date, region, "s3", "aws4_request"]
            if !id.is_empty() && date.len() == 8 && !region.is_empty() =>
        {
            Ok(((*id).to_owned(), format!("{date}/{region}/s3/aws4_request")))
        }
        _ => Err(Refusal::argument(
            "Credential",
            text,
            "The credential must be ID/YYYYMMDD/REGION/s3/aws4_request.",
        )),
    }
}

/// Names that botocore writes into a V2 URL in place of the headers it signed.
fn is_moved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-amz-") || name == "content-type" || name == "content-md5"
}

fn basic_time(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    PrimitiveDateTime::parse(text, format).ok().map(PrimitiveDateTime::assume_utc)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// All values of a header, trimmed, joined by commas.
fn joined(headers: &HeaderMap, name: &str) -> String {
    let values =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.map(|value| value.trim().to_owned()).collect::<Vec<_>>().join(",")
}

/// Name and value of one piece of a query, decoded as forms are: `+` is a blank.
fn split(piece: &str) -> (String, String) {
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    let decode = |text: &str| {
        let bytes = url_encode::decode_bytes(text.replace('+', " ").as_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    };
    (decode(name), decode(value))
}

/// The query's names and values.
pub(in crate::sandbox) fn pairs(uri: &Uri) -> Vec<(String, String)> {
    let query = uri.query().unwrap_or_default();
    query.split('&').filter(|piece| !piece.is_empty()).map(split).collect()
}
