//! A small client for the sandbox that signs on its own, sharing no code with
//! either side.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "it serves tests only: what does not fit must stop them"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use osstack::ports::clock::FixedClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::sandbox::faults::FaultSwitch;
use osstack::sandbox::{Description, Sandbox, SandboxConfig, Seed};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::{datetime, format_description};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-15 10:20:30 UTC);

/// A sandbox that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) description: Description,
    pub(crate) faults: FaultSwitch,
    address: std::net::SocketAddr,
    _stop: DropGuard,
}

impl Running {
    pub(crate) fn start(seed: Seed) -> Self {
        Self::start_with(seed, None)
    }

    pub(crate) fn start_with(seed: Seed, tls: Option<std::path::PathBuf>) -> Self {
        Self::start_configured(seed, |config| config.tls = tls)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the caller that decides where it runs"
    )]
    pub(crate) fn start_configured(seed: Seed, configure: impl FnOnce(&mut SandboxConfig)) -> Self {
        let (clock, entropy) = (Arc::new(FixedClock(NOW)), Arc::new(SeededEntropy::new(1)));
        let mut config = SandboxConfig::new(seed, clock, entropy);
        configure(&mut config);
        let sandbox = Sandbox::bind(config).unwrap();
        let cancel = CancellationToken::new();
        let running = Self {
            description: sandbox.description(),
            faults: sandbox.faults(),
            address: sandbox.address(),
            _stop: cancel.clone().drop_guard(),
        };
        tokio::spawn(sandbox.serve(cancel));
        running
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// The service's host.
    pub(crate) fn host(&self) -> String {
        format!("oss-sandbox.localhost:{}", self.address.port())
    }

    /// A call to the bucket every sandbox has.
    pub(crate) fn call(&self, method: Method, key: &str) -> Call {
        let host = format!("{}.{}", self.description.bucket, self.host());
        Call {
            address: self.address,
            method,
            host,
            bucket: Some(self.description.bucket.clone()),
            path: format!("/{}", encode(key, true)),
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: Bytes::new(),
            id: self.description.access_key_id.clone(),
            secret: self.description.secret_access_key.clone(),
            at: NOW,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Call {
        self.call(Method::GET, key)
    }

    pub(crate) fn put(&self, key: &str, body: impl Into<Bytes>) -> Call {
        Call { body: body.into(), ..self.call(Method::PUT, key) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    None,
    V2,
    V4,
}

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) method: Method,
    pub(crate) host: String,
    pub(crate) bucket: Option<String>,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) at: OffsetDateTime,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The texts of all elements of this name, unescaped.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let unescape =
            |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let text = self.text();
        let pieces = text.split(&open).skip(1);
        pieces.map(|piece| unescape(piece.split(&close).next().unwrap())).collect()
    }

    pub(crate) fn element(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    /// Status, code and EC of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        (self.status.as_u16(), self.element("Code"), self.element("EC"))
    }
}

impl Call {
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Moves a header into the query, as botocore does when it presigns for S3 V2.
    pub(crate) fn header_into_query(mut self, name: &str) -> Self {
        let value = self.headers.remove(name).unwrap();
        self.query(name, &value)
    }

    fn query_string(&self) -> String {
        let pair = |(name, value): (&String, &String)| match value.as_str() {
            "" => encode(name, false),
            value => format!("{}={}", encode(name, false), encode(value, false)),
        };
        self.query.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// Signs in the headers and sends.
    pub(crate) async fn send(self, signature: Signature) -> Answer {
        self.try_send(signature).await.unwrap()
    }

    /// The same; an error where the connection breaks.
    pub(crate) async fn try_send(mut self, signature: Signature) -> Result<Answer, hyper::Error> {
        match signature {
            Signature::None => {}
            Signature::V2 => {
                let date = http_date(self.at);
                self.headers.insert("date".into(), date.clone());
                let signature = self.v2(&date);
                self.headers.insert("authorization".into(), format!("AWS {}:{signature}", self.id));
            }
            Signature::V4 => {
                let hash = hex::encode(Sha256::digest(&self.body));
                self.headers.entry("x-amz-content-sha256".into()).or_insert(hash);
                self.headers.insert("x-amz-date".into(), basic(self.at));
                self.headers.insert("host".into(), self.host.clone());
                let names: Vec<&str> = self.headers.keys().map(String::as_str).collect();
                let names = names.join(";");
                let signature = self.v4(&names, &self.headers["x-amz-content-sha256"]);
                let credential = format!("{}/{}", self.id, scope(self.at));
                self.headers.remove("host");
                self.headers.insert(
                    "authorization".into(),
                    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"),
                );
            }
        }
        self.transmit().await
    }

    /// Signs in the query.
    pub(crate) fn presigned(mut self, signature: Signature, seconds: i64) -> Self {
        if signature == Signature::V2 {
            let expires = (self.at.unix_timestamp() + seconds).to_string();
            let signature = self.v2(&expires);
            let id = self.id.clone();
            return self
                .query("AWSAccessKeyId", &id)
                .query("Expires", &expires)
                .query("Signature", &signature);
        }
        let credential = format!("{}/{}", self.id, scope(self.at));
        let date = basic(self.at);
        self = self
            .query("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
            .query("X-Amz-Credential", &credential)
            .query("X-Amz-Date", &date)
            .query("X-Amz-Expires", &seconds.to_string())
            .query("X-Amz-SignedHeaders", "host");
        self.headers.insert("host".into(), self.host.clone());
        let signature = self.v4("host", "UNSIGNED-PAYLOAD");
        self.headers.remove("host");
        self.query("X-Amz-Signature", &signature)
    }

    fn v2(&self, date: &str) -> String {
        let header = |name: &str| self.headers.get(name).cloned().unwrap_or_default();
        let amz: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-amz-"))
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let amz = amz.concat();
        let signed = [
            "acl",
            "delete",
            "location",
            "partNumber",
            "restore",
            "tagging",
            "uploadId",
            "uploads",
            "versionId",
            "versioning",
            "versions",
        ];
        let sub: Vec<String> = self
            .query
            .iter()
            .filter(|(name, _)| signed.contains(&name.as_str()))
            .map(|(name, value)| match value.as_str() {
                "" => name.clone(),
                value => format!("{name}={value}"),
            })
            .collect();
        let bucket = self.bucket.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
        let mark = if sub.is_empty() { "" } else { "?" };
        let text = format!(
            "{}\n{}\n{}\n{date}\n{amz}{bucket}{}{mark}{}",
            self.method,
            header("content-md5"),
            header("content-type"),
            self.path,
            sub.join("&")
        );
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        BASE64.encode(mac.finalize().into_bytes())
    }

    fn v4(&self, names: &str, hash: &str) -> String {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name, false), encode(value, false)))
            .collect();
        let headers: Vec<String> =
            names.split(';').map(|name| format!("{name}:{}\n", self.headers[name])).collect();
        let headers = headers.concat();
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{names}\n{hash}",
            self.method,
            self.path,
            query.join("&")
        );
        let scope = scope(self.at);
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            basic(self.at),
            hex::encode(Sha256::digest(canonical))
        );
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for piece in scope.split('/').chain([text.as_str()]) {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(piece.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        hex::encode(key)
    }

    /// Sends as it is. An error where the connection breaks.
    pub(crate) async fn transmit(self) -> Result<Answer, hyper::Error> {
        let socket = tokio::net::TcpStream::connect(self.address).await.unwrap();
        self.transmit_over(socket).await
    }

    #[expect(clippy::disallowed_methods, reason = "the connection needs a task of its own")]
    pub(crate) async fn transmit_over(
        self,
        socket: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Answer, hyper::Error> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
        let driver = tokio::spawn(connection);
        let query = self.query_string();
        let target = match query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        };
        let mut request = http::Request::builder()
            .method(self.method.clone())
            .uri(target)
            .header("host", &self.host);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = sender.send_request(request.body(Full::new(self.body)).unwrap()).await?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        driver.abort();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

pub(crate) fn md5(body: &[u8]) -> String {
    BASE64.encode(md5::Md5::digest(body))
}

fn basic(at: OffsetDateTime) -> String {
    at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap()
}

fn scope(at: OffsetDateTime) -> String {
    format!("{}/sandbox/s3/aws4_request", &basic(at)[..8])
}

pub(crate) fn http_date(at: OffsetDateTime) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at.format(format).unwrap()
}

pub(crate) fn encode(text: &str, path: bool) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || (path && b == b'/');
    let byte = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(byte).collect()
}
