//! Connections, and the way of one request: faults, rules, s3s, and what OSS
//! puts on every answer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::{S3Host, VirtualHost};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::faults::{FaultSwitch, Faults};
use super::hosts::{Hosts, Place};
use super::keys::{Keys, Secrets};
use super::lists::{Lists, NAMESPACE};
use super::operations::{Circumstances, Operations};
use super::refusal::Refusal;
use super::rules::{Action, Admitted, Rules, asks_for_list, check_body};
use super::store::Store;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::{SharedEntropy, hex};

/// The largest body taken: all of it is held in memory. OSS's own limit is 5 GB.
const MAX_BODY: usize = 512 << 20;

/// The namespace of AWS's documents, which s3s writes.
const AWS_NAMESPACE: &[u8] = b"http://s3.amazonaws.com/doc/2006-03-01/";

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What all connections share.
pub(super) struct Server {
    pub(super) hosts: Arc<Hosts>,
    pub(super) keys: Arc<Keys>,
    pub(super) store: Arc<Mutex<Store>>,
    pub(super) faults: FaultSwitch,
    pub(super) clock: SharedClock,
    pub(super) entropy: SharedEntropy,
    pub(super) tls: Option<TlsAcceptor>,
    judge: S3Service,
}

impl Server {
    pub(super) fn new(
        (hosts, keys): (Arc<Hosts>, Arc<Keys>),
        store: Arc<Mutex<Store>>,
        faults: FaultSwitch,
        (clock, entropy): (SharedClock, SharedEntropy),
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let mut builder = S3ServiceBuilder::new(Operations { store: Arc::clone(&store) });
        builder.set_auth(Secrets(Arc::clone(&keys)));
        builder.set_host(BucketHosts(Arc::clone(&hosts)));
        builder.set_route(Lists { store: Arc::clone(&store), hosts: Arc::clone(&hosts) });
        let mut config = S3Config::default();
        // the clock is judged by the rules, on ours
        config.presigned_url_max_skew_time_secs = u32::MAX;
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        Self { hosts, keys, store, faults, clock, entropy, tls, judge: builder.build() }
    }

    /// Serves until cancelled; connections end with it.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener, cancel: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => {
                    let Ok((socket, _)) = accepted else {
                        // of the one connection, or no descriptor is free: others may end
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    };
                    let _ = socket.set_nodelay(true);
                    let server = Arc::clone(&self);
                    connections.spawn(async move {
                        match server.tls.clone() {
                            None => server.connection(socket).await,
                            Some(tls) => {
                                if let Ok(socket) = tls.accept(socket).await {
                                    server.connection(socket).await;
                                }
                            }
                        }
                    });
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, socket: impl AsyncRead + AsyncWrite + Unpin + 'static) {
        let service = service_fn(|request| {
            let server = Arc::clone(&self);
            async move { server.answer(request).await }
        });
        // how a connection ends is the client's affair
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(socket), service)
            .await;
    }

    /// One request. An error closes the connection without an answer.
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let begun = self.clock.instant();
        let faults = self.faults.meet();
        let now = self.clock.now() + faults.clock_offset;
        let id = hex(self.entropy.as_ref(), 24).to_ascii_uppercase();
        if !faults.latency.is_zero() {
            tokio::time::sleep(faults.latency).await;
        }
        if faults.closed_share > 0 {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if faults.html_page {
            return Ok(html_page());
        }
        if faults.empty_answer {
            return Ok(Response::new(whole(Bytes::new())));
        }
        let (parts, body) = request.into_parts();
        let head = (parts.method.clone(), host_of(&parts));
        let lists = asks_for_list(&parts.method, &parts.uri);
        let (mut parts, bytes) = match self.handle(parts, body, now, &faults).await {
            Ok(answer) => answer.into_parts(),
            Err(refusal) => refused(&refusal, &id, &head).into_parts(),
        };
        if faults.lost_share > 0 {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let elapsed = self.clock.instant().duration_since(begun).as_millis();
        let headers = [
            (header::SERVER, "AliyunOSS".to_owned()),
            (header::DATE, http_date(now)),
            (HeaderName::from_static("x-oss-request-id"), id.clone()),
            (HeaderName::from_static("x-amz-request-id"), id),
            (HeaderName::from_static("x-oss-server-time"), elapsed.to_string()),
        ];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                parts.headers.insert(name, value);
            }
        }
        if head.0 == Method::HEAD {
            return Ok(Response::from_parts(parts, whole(Bytes::new())));
        }
        let bytes =
            if faults.truncated_listing && lists { bytes.slice(..bytes.len() / 2) } else { bytes };
        if parts.status != StatusCode::NO_CONTENT && parts.status != StatusCode::NOT_MODIFIED {
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        }
        Ok(Response::from_parts(parts, sent(&bytes, &faults)))
    }

    fn admit(
        &self,
        parts: &Parts,
        now: OffsetDateTime,
        faults: &Faults,
    ) -> Result<Admitted, Refusal> {
        let retry_after = faults.unavailable.map(|unavailable| unavailable.retry_after);
        if let Some(seconds) = retry_after.or((faults.unavailable_share > 0).then_some(1)) {
            let message = "Please reduce your request rate.";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let refusal = Refusal::new(status, "SlowDown", "0004-00000302", message);
            return Err(Refusal { retry_after: Some(seconds), ..refusal });
        }
        if faults.too_many_requests_share > 0 {
            // of the pages of the documentation one names the code, none its EC: that there is
            // none is a guess, and so is the text
            let message = "Qps limit exceeded.";
            let status = StatusCode::TOO_MANY_REQUESTS;
            return Err(Refusal::new(status, "QpsLimitExceeded", None, message));
        }
        let rules = Rules { hosts: &self.hosts, keys: &self.keys, now, faults };
        rules.admit(parts, |bucket| {
            let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            store.bucket(bucket).ok().map(|bucket| bucket.region.clone())
        })
    }

    async fn handle(
        &self,
        mut parts: Parts,
        body: Incoming,
        now: OffsetDateTime,
        faults: &Faults,
    ) -> Result<Response<Bytes>, Refusal> {
        let admitted = match self.admit(&parts, now, faults) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                if !parts.headers.contains_key(header::EXPECT) {
                    // a client that is still sending would meet a reset and miss the answer
                    let _ = collect(body).await;
                }
                return Err(refusal);
            }
        };
        let body = collect(body).await?;
        check_body(&parts.headers, &body)?;
        let claim = admitted.claim.clone();
        claim.clone().into_header_form(&mut parts);
        let bucket = admitted.place.bucket().map(str::to_owned);
        let (key, action) = (admitted.key.clone(), admitted.action);
        let public = !matches!(admitted.place, Place::Domain(_));
        let signed = parts.clone();
        parts.extensions.insert(admitted);
        parts.extensions.insert(Circumstances { now, faults: faults.clone() });
        let request = Request::from_parts(parts, s3s::Body::from(body));
        let internal = || {
            let message = "We encountered an internal error. Please try again.";
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", None, message)
        };
        let answer = self.judge.call(request).await.map_err(|_| internal())?;
        let (mut parts, body) = answer.into_parts();
        if let Some(status) = parts.extensions.get::<StatusCode>() {
            parts.status = *status;
        }
        let bytes =
            http_body_util::BodyExt::collect(body).await.map_err(|_| internal())?.to_bytes();
        if parts.status.is_client_error() || parts.status.is_server_error() {
            let refusal = Refusal::from_s3s(parts.status, &bytes);
            let refusal = refusal.ok_or_else(internal)?;
            return Err(match (refusal.code.as_ref(), key, bucket) {
                ("SignatureDoesNotMatch", _, bucket) => claim.mismatch(&signed, bucket.as_deref()),
                ("NoSuchKey", ..) if faults.missing_denied => Refusal::access_denied(),
                ("NoSuchKey", Some(key), _) => refusal.with("Key", key),
                ("NoSuchBucket", _, Some(bucket)) => Refusal::no_such_bucket(&bucket),
                _ => refusal,
            });
        }
        let xml = HeaderValue::from_static("application/xml");
        let document = parts.headers.get(header::CONTENT_TYPE) == Some(&xml);
        // an object's own bytes are not ours to change, whatever their type
        let reads = matches!(action, Action::Get { .. });
        let bytes = if document && !reads { in_namespace(&bytes) } else { bytes };
        if reads && public && faults.forced_download {
            let headers = &mut parts.headers;
            headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
            headers.insert("x-oss-force-download", HeaderValue::from_static("true"));
            headers.insert("x-oss-ec", HeaderValue::from_static("0048-00000113"));
        }
        parts.headers.remove(header::TRANSFER_ENCODING);
        Ok(Response::from_parts(parts, bytes))
    }
}

/// s3s's documents in OSS's namespace.
fn in_namespace(xml: &Bytes) -> Bytes {
    match memchr::memmem::find(xml, AWS_NAMESPACE) {
        None => xml.clone(),
        Some(at) => {
            let (before, rest) = xml.split_at(at);
            let after = rest.get(AWS_NAMESPACE.len()..).unwrap_or_default();
            [before, NAMESPACE.as_bytes(), after].concat().into()
        }
    }
}

/// s3s is told the bucket that the rules found in the host.
struct BucketHosts(Arc<Hosts>);

impl S3Host for BucketHosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let mut headers = http::HeaderMap::new();
        let value = HeaderValue::from_str(host).map_err(|_| S3ErrorCode::InvalidURI)?;
        headers.insert(header::HOST, value);
        match self.0.place(&headers) {
            Place::Service(region) => Ok(VirtualHost::new(region.host)),
            Place::Bucket(region, bucket) => Ok(VirtualHost::new(region.host).with_bucket(bucket)),
            Place::Domain(bucket) => Ok(VirtualHost::new(host).with_bucket(bucket)),
            Place::Unknown(_) => Err(S3Error::new(S3ErrorCode::NoSuchBucket)),
        }
    }
}

async fn collect(body: Incoming) -> Result<Bytes, Refusal> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "EntityTooLarge",
            None,
            "Your proposed upload exceeds the maximum allowed size.",
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            None,
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        )),
    }
}

/// The answer to a refused request. HEAD has no body, so the EC goes into a header.
fn refused(refusal: &Refusal, id: &str, (method, host): &(Method, String)) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = refusal.status;
    let headers = answer.headers_mut();
    if let Some(ec) = refusal.ec {
        headers.insert("x-oss-ec", HeaderValue::from_static(ec));
    }
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if *method != Method::HEAD && refusal.status != StatusCode::NOT_MODIFIED {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        *answer.body_mut() = refusal.xml(id, host).into();
    }
    answer
}

/// The host of the request without its port: `HostId` echoes it.
fn host_of(parts: &Parts) -> String {
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    host.unwrap_or_default().split(':').next().unwrap_or_default().to_owned()
}

/// A page as the login of a hotel's network sends it.
fn html_page() -> Response<Body> {
    const PAGE: &str = "<!DOCTYPE html><html><head><title>Welcome</title></head>\
        <body><h1>Please sign in to use this network</h1></body></html>";
    let mut answer = Response::new(whole(Bytes::from_static(PAGE.as_bytes())));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The bytes as the faults let them through: late, or not all.
fn sent(bytes: &Bytes, faults: &Faults) -> Body {
    let cut = faults.cut_body_after.filter(|limit| *limit < bytes.len());
    let wait = faults.slow_first_byte;
    if cut.is_none() && wait.is_zero() {
        return whole(bytes.clone());
    }
    let bytes = bytes.slice(..cut.unwrap_or(bytes.len()));
    let begin = stream::once(async move {
        tokio::time::sleep(wait).await;
        Ok(Frame::data(bytes))
    });
    let end = stream::iter(cut).then(|_| async {
        // hyper drops what it has not written when a body fails: let it write first
        tokio::task::yield_now().await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    StreamBody::new(begin.chain(end)).boxed_unsync()
}

pub(super) fn http_date(now: OffsetDateTime) -> String {
    let now = now.to_offset(time::UtcOffset::UTC);
    // RFC 2822 with the zone as HTTP writes it
    now.format(&Rfc2822).unwrap_or_default().replace("+0000", "GMT")
}
