//! The lists of objects and of buckets, whose form on OSS is not AWS's: other
//! defaults, other elements in another order, another namespace (OSS
//! documentation, "`ListObjectsV2` (`GetBucketV2`)", "`GetBucket` (`ListObjects`)",
//! "`ListBuckets` (`GetService`)").

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Extensions, HeaderMap, Method, Uri};
use quick_xml::escape::partial_escape;
use s3s::route::S3Route;
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use time::OffsetDateTime;
use time::macros::format_description;

use super::hosts::{Hosts, Place};
use super::operations::Circumstances;
use super::rules::{Admitted, asks_for_list, signed};
use super::store::listing::Query;
use super::store::{StorageClass, Store};
use crate::base::url_encode;

/// The namespace of OSS's documents.
pub(super) const NAMESPACE: &str = "http://doc.oss-cn-hangzhou.aliyuncs.com";

/// The account that owns all buckets.
pub(super) const OWNER_ID: &str = "1234567890123456";

/// Tokens begin with these bytes: in base64 `+//+`, so that a client which does not encode them
/// is found out here and not on OSS, whose tokens hold such characters too.
const TOKEN_MARK: [u8; 3] = [0xfb, 0xff, 0xfe];

/// Answers the lists.
pub(super) struct Lists {
    pub(super) store: Arc<Mutex<Store>>,
    pub(super) hosts: Arc<Hosts>,
}

#[async_trait::async_trait]
impl S3Route for Lists {
    fn is_match(
        &self,
        method: &Method,
        uri: &Uri,
        _headers: &HeaderMap,
        _extensions: &mut Extensions,
    ) -> bool {
        asks_for_list(method, uri)
    }

    async fn call(&self, req: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let admitted = req.extensions.get::<Admitted>().ok_or(S3ErrorCode::InvalidRequest)?;
        let asked = Asked(signed::pairs(&req.uri));
        let xml = match &admitted.place {
            Place::Bucket(_, bucket) | Place::Domain(bucket) => {
                self.objects(bucket, &asked, &Circumstances::of(&req)?)?
            }
            Place::Service(_) | Place::Unknown(_) => self.buckets(&asked)?,
        };
        let mut answer = S3Response::new(Body::from(xml));
        let kind = http::HeaderValue::from_static("application/xml");
        answer.headers.insert(http::header::CONTENT_TYPE, kind);
        Ok(answer)
    }
}

/// The query of a list.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|pair| pair.0 == name);
        found.map(|pair| pair.1.as_str()).unwrap_or_default()
    }

    /// 100 where nothing is said, at most 1000.
    fn limit(&self) -> S3Result<usize> {
        match self.get("max-keys") {
            "" => Ok(100),
            text => text
                .parse()
                .ok()
                .filter(|limit| *limit <= 1000)
                .ok_or_else(|| invalid("max-keys must be an integer between 0 and 1000.")),
        }
    }
}

fn invalid(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, message)
}

impl Lists {
    fn objects(&self, bucket: &str, asked: &Asked, met: &Circumstances) -> S3Result<String> {
        let second = asked.get("list-type") == "2";
        let encode = match asked.get("encoding-type") {
            "" => false,
            "url" => true,
            _ => return Err(invalid("encoding-type must be url.")),
        };
        let token = if met.faults.pages_repeat { "" } else { asked.get("continuation-token") };
        let after = match (second, token) {
            (false, _) => asked.get("marker").to_owned(),
            (true, "") => asked.get("start-after").to_owned(),
            (true, token) => {
                read_token(token).ok_or_else(|| invalid("The continuation token is invalid."))?
            }
        };
        let (prefix, delimiter) = (asked.get("prefix"), asked.get("delimiter"));
        let limit = asked.limit()?;
        let page = {
            let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.bucket(bucket)?.page(Query { prefix, delimiter, after: &after, limit })
        };
        let shown = |text: &str| if encode { url_encode::query(text) } else { text.to_owned() };

        let mut xml = Document::new("ListBucketResult");
        xml.element("Name", bucket);
        xml.element("Prefix", &shown(prefix));
        if second {
            xml.element("StartAfter", &shown(asked.get("start-after")));
            if !token.is_empty() {
                xml.element("ContinuationToken", token);
            }
        } else {
            xml.element("Marker", &shown(asked.get("marker")));
        }
        xml.element("MaxKeys", &limit.to_string());
        xml.element("Delimiter", &shown(delimiter));
        if encode {
            xml.element("EncodingType", "url");
        }
        xml.element("IsTruncated", if page.next.is_some() { "true" } else { "false" });
        if let Some(next) = &page.next {
            if second {
                xml.element("NextContinuationToken", &shown(&write_token(next)));
            } else {
                xml.element("NextMarker", &shown(next));
            }
        }
        let owner = !second || asked.get("fetch-owner") == "true";
        for (key, object) in &page.objects {
            xml.open("Contents");
            xml.element("Key", &shown(key));
            xml.element("LastModified", &timestamp(object.modified));
            xml.element("ETag", &format!("\"{}\"", object.etag));
            xml.element("Type", object.kind.as_str());
            xml.element("Size", &object.data.len().to_string());
            // samples of S3 answers have this in capitals; of the other classes there is none:
            // that they keep OSS's own words is a guess
            xml.element(
                "StorageClass",
                match met.class(key, object) {
                    StorageClass::Standard => "STANDARD",
                    class => class.as_str(),
                },
            );
            if owner {
                xml.owner();
            }
            xml.close("Contents");
        }
        for prefix in &page.prefixes {
            xml.open("CommonPrefixes");
            xml.element("Prefix", &shown(prefix));
            xml.close("CommonPrefixes");
        }
        if second {
            let count = page.objects.len() + page.prefixes.len();
            xml.element("KeyCount", &count.to_string());
        }
        Ok(xml.end("ListBucketResult"))
    }

    fn buckets(&self, asked: &Asked) -> S3Result<String> {
        let (prefix, marker) = (asked.get("prefix"), asked.get("marker"));
        let limit = asked.limit()?;
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let rest: Vec<_> = store
            .buckets()
            .filter(|(name, _)| name.starts_with(prefix) && *name > marker)
            .collect();
        let page = rest.get(..limit.min(rest.len())).unwrap_or_default();
        let next = page.last().filter(|_| page.len() < rest.len());

        let mut xml = Document::new("ListAllMyBucketsResult");
        if let Some((next, _)) = next {
            xml.element("Prefix", prefix);
            xml.element("Marker", marker);
            xml.element("MaxKeys", &limit.to_string());
            xml.element("IsTruncated", "true");
            xml.element("NextMarker", next);
        }
        xml.owner();
        xml.open("Buckets");
        for (name, bucket) in page {
            xml.open("Bucket");
            xml.element("CreationDate", &timestamp(bucket.created));
            if let Some(region) = self.hosts.region(&bucket.region) {
                xml.element("ExtranetEndpoint", &region.endpoint());
                xml.element("IntranetEndpoint", &region.endpoint());
                xml.element("Location", &region.location());
            }
            xml.element("Name", name);
            xml.element("Region", &bucket.region);
            xml.element("StorageClass", "Standard");
            xml.close("Bucket");
        }
        xml.close("Buckets");
        Ok(xml.end("ListAllMyBucketsResult"))
    }
}

/// A token is opaque to clients; here it is the last key told.
fn write_token(last: &str) -> String {
    BASE64.encode([&TOKEN_MARK, last.as_bytes()].concat())
}

/// Reads a token, whether or not the client undid the encoding that `encoding-type=url` put on it.
fn read_token(token: &str) -> Option<String> {
    let plain = url_encode::decode_bytes(token.as_bytes());
    let bytes = BASE64.decode(plain).ok()?;
    String::from_utf8(bytes.strip_prefix(&TOKEN_MARK)?.to_vec()).ok()
}

fn timestamp(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z");
    time.format(format).unwrap_or_default()
}

/// An XML document in the making. Text keeps control characters as they are, as OSS does without
/// `encoding-type=url`.
struct Document(String);

impl Document {
    fn new(root: &str) -> Self {
        Self(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">"))
    }

    fn open(&mut self, name: &str) {
        let _ = write!(self.0, "\n  <{name}>");
    }

    fn close(&mut self, name: &str) {
        let _ = write!(self.0, "</{name}>");
    }

    fn element(&mut self, name: &str, text: &str) {
        let _ = write!(self.0, "<{name}>{}</{name}>", partial_escape(text));
    }

    fn owner(&mut self) {
        let _ = write!(
            self.0,
            "<Owner><ID>{OWNER_ID}</ID><DisplayName>{OWNER_ID}</DisplayName></Owner>"
        );
    }

    fn end(mut self, root: &str) -> String {
        let _ = write!(self.0, "\n</{root}>\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_encoded_or_not() {
        for key in ["a", "中文/🙂", "x\u{1b}y", "100%+&="] {
            let token = write_token(key);
            assert!(token.starts_with("+//+"));
            assert_eq!(read_token(&token).as_deref(), Some(key));
            assert_eq!(read_token(&url_encode::query(&token)).as_deref(), Some(key));
        }
        assert_eq!(read_token("bm8="), None);
        assert_eq!(read_token("%"), None);
    }
}
