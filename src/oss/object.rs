//! What OSS answers, as plain data.

use std::fmt;
use std::ops::Deref;

use time::OffsetDateTime;

/// The facts every answer carries in its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// HTTP status.
    pub status: u16,
    /// `x-oss-request-id` or `x-amz-request-id`.
    pub request_id: Option<String>,
    /// `x-oss-ec`, also where there is no body to hold it.
    pub ec: Option<String>,
    /// The server's clock, by its `Date`.
    pub date: Option<OffsetDateTime>,
    /// `AliyunOSS`, as a rule.
    pub server: Option<String>,
    /// Milliseconds the server spent.
    pub server_time_ms: Option<u64>,
    /// How often it was asked before it answered so.
    pub repeats: u32,
}

/// A value, and the facts of the answer it came in.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The facts.
    pub meta: Meta,
    /// The value.
    pub value: T,
}

impl<T> Answer<T> {
    /// The same facts around another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { meta: self.meta, value: f(self.value) }
    }
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Response headers, names in lower case; bytes that are not UTF-8 are replaced.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Of an answer.
    pub(super) fn of(headers: &http::HeaderMap) -> Self {
        Self(
            headers
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect(),
        )
    }

    /// The first value under this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// All of them, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Meta {
    pub(super) fn of(status: u16, headers: &Headers) -> Self {
        let text = |name: &str| headers.get(name).map(ToOwned::to_owned);
        Self {
            status,
            request_id: text("x-oss-request-id").or_else(|| text("x-amz-request-id")),
            ec: text("x-oss-ec"),
            date: headers.get("date").and_then(parse_http_date),
            server: text("server"),
            server_time_ms: headers.number("x-oss-server-time"),
            repeats: 0,
        }
    }
}

/// `Sun, 15 Mar 2026 10:20:30 GMT`.
pub fn parse_http_date(text: &str) -> Option<OffsetDateTime> {
    // RFC 2822 is the same but for the zone's name
    let text = text.trim().strip_suffix("GMT")?;
    let format = &time::format_description::well_known::Rfc2822;
    OffsetDateTime::parse(&format!("{text}+0000"), format).ok()
}

/// A bucket in the list of all buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketEntry {
    /// Its name.
    pub name: String,
    /// `oss-cn-hangzhou`, where the server says so.
    pub region: Option<String>,
    /// When it was made, as the server writes it.
    pub created: Option<String>,
}

/// What a HEAD or GET says of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes of the whole object; `None` where the server does not say.
    pub size: Option<u64>,
    /// With its quotes cut off.
    pub etag: Option<String>,
    /// When it was last written.
    pub last_modified: Option<OffsetDateTime>,
    /// MIME type.
    pub content_type: Option<String>,
    /// `Standard`, `IA`, …, in whichever spelling the server uses.
    pub storage_class: Option<String>,
    /// CRC-64/XZ of the whole object.
    pub crc64: Option<u64>,
    /// The user's own, without `x-amz-meta-` or `x-oss-meta-`.
    pub metadata: Vec<(String, String)>,
    /// Every header.
    pub headers: Headers,
}

/// One version of an object: another `ETag` or size is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Without its quotes.
    pub etag: String,
    /// Bytes of the whole object.
    pub size: u64,
}

impl ObjectInfo {
    /// Its version's id, where the bucket keeps versions.
    pub fn version_id(&self) -> Option<&str> {
        ["x-oss-version-id", "x-amz-version-id"].iter().find_map(|name| self.headers.get(name))
    }

    /// Which version it is, where the server says so.
    pub fn version(&self) -> Option<Version> {
        let etag = self.etag.clone().filter(|etag| !etag.is_empty());
        Some(Version { etag: etag?, size: self.size? })
    }

    pub(super) fn of(headers: Headers) -> Self {
        let text = |names: [&str; 2]| {
            names.iter().find_map(|name| headers.get(name)).map(ToOwned::to_owned)
        };
        let metadata = headers
            .iter()
            .filter_map(|(name, value)| {
                let name = name
                    .strip_prefix("x-amz-meta-")
                    .or_else(|| name.strip_prefix("x-oss-meta-"))?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect();
        Self {
            size: whole_size(&headers),
            etag: headers.get("etag").map(|etag| etag.trim_matches('"').to_owned()),
            last_modified: headers.get("last-modified").and_then(parse_http_date),
            content_type: headers.get("content-type").map(ToOwned::to_owned),
            storage_class: text(["x-oss-storage-class", "x-amz-storage-class"]),
            crc64: headers.number("x-oss-hash-crc64ecma"),
            metadata,
            headers,
        }
    }
}

/// Of a part the whole stands behind the slash: `bytes 0-9/443`.
fn whole_size(headers: &Headers) -> Option<u64> {
    match headers.get("content-range") {
        Some(range) => range.rsplit_once('/')?.1.trim().parse().ok(),
        None => headers.number("content-length"),
    }
}

/// A stretch of an object.
#[derive(Clone, Debug)]
pub struct Part {
    /// The object.
    pub info: ObjectInfo,
    /// The bytes, from the offset asked for.
    pub bytes: bytes::Bytes,
}

/// What to write beside the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// MIME type; `application/octet-stream` where there is none.
    pub content_type: Option<String>,
    /// The user's own, without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
    /// Refuse to replace an object (has no effect in versioned buckets).
    pub forbid_overwrite: bool,
}

/// What a copy on the server is held to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Only of the object with this `ETag`.
    pub if_match: Option<String>,
    /// CRC-64/XZ that the copy must have.
    pub crc64: Option<u64>,
    /// Refuse to replace an object (has no effect in versioned buckets).
    pub forbid_overwrite: bool,
}

/// What a write left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// With its quotes cut off.
    pub etag: Option<String>,
    /// Whether the server's checksum was there and equal to ours.
    pub verified: bool,
}

/// A part of a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// From 1 on.
    pub number: u32,
    /// As the server named it.
    pub etag: String,
    /// Bytes, where known.
    pub size: Option<u64>,
}

/// An upload that was begun and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Of the object to be.
    pub key: String,
    /// The server's handle.
    pub id: String,
    /// When it was begun, as the server writes it.
    pub initiated: Option<String>,
}

/// One key that a multi-delete left standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDeleted {
    /// The key.
    pub key: String,
    /// `AccessDenied`, …
    pub code: String,
    /// The server's words.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http() {
        let date = parse_http_date("Sun, 15 Mar 2026 10:20:30 GMT").unwrap();
        assert_eq!(date.unix_timestamp(), 1_773_570_030);
        assert_eq!(crate::oss::sign_v2::http_date(date), "Sun, 15 Mar 2026 10:20:30 GMT");
        assert_eq!(parse_http_date("yesterday"), None);
    }

    #[test]
    fn metadata_of_either_spelling_and_bytes_that_are_no_text() {
        let mut map = http::HeaderMap::new();
        map.insert("x-oss-meta-a", http::HeaderValue::from_bytes(b"caf\xe9").unwrap());
        map.insert("x-amz-meta-b", http::HeaderValue::from_static("2"));
        map.insert("content-range", http::HeaderValue::from_static("bytes 0-9/443"));
        map.insert("content-length", http::HeaderValue::from_static("10"));
        let info = ObjectInfo::of(Headers::of(&map));
        assert_eq!(info.size, Some(443));
        let pairs = [("a".to_owned(), "caf\u{fffd}".to_owned()), ("b".into(), "2".into())];
        assert_eq!(info.metadata, pairs);
    }
}
