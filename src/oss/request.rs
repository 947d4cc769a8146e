//! A request as it goes on the wire and into a signature.

use bytes::Bytes;

use crate::base::url_encode;
use crate::model::bucket::BucketName;
use crate::model::endpoint::Endpoint;

/// Everything a signature looks at, final: what is signed here is what is
/// sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// What the `Host` header says, bucket in front.
    pub authority: String,
    /// The bucket, which S3 V2 signs though the host holds it.
    pub bucket: Option<BucketName>,
    /// Escaped path below the bucket, beginning with `/`; never normalised.
    pub path: String,
    /// Names and values, not escaped; a name without `=` has no value.
    pub query: Vec<(String, Option<String>)>,
    /// Lower-case names and values, without `host`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// Points it to another endpoint.
    pub fn move_to(&mut self, endpoint: &Endpoint) {
        self.scheme = endpoint.scheme().as_str();
        self.authority = endpoint.authority(self.bucket.as_ref());
    }

    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Sets a header, replacing what stood there.
    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.remove_header(name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Drops a header.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(header, _)| header != name);
    }

    /// The query as it is sent, without `?`.
    pub fn query_string(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.query {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(&url_encode::query(name));
            if let Some(value) = value {
                out.push('=');
                out.push_str(&url_encode::query(value));
            }
        }
        out
    }

    /// The whole address.
    pub fn url(&self) -> String {
        let mut url = format!("{}://{}{}", self.scheme, self.authority, self.path);
        if !self.query.is_empty() {
            url.push('?');
            url.push_str(&self.query_string());
        }
        url
    }
}

/// Reads an escaped query string back into names and values.
pub fn parse_query(text: &str) -> Vec<(String, Option<String>)> {
    let decode = |text: &str| url_encode::decode(text).unwrap_or_else(|| text.to_owned());
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (decode(name), Some(decode(value))),
            None => (decode(pair), None),
        })
        .collect()
}
