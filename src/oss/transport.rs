//! One request on the wire, one answer back, within limits of time and size.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use super::error::{Error, Kind, Link};
use super::object::{Headers, Meta};
use super::payload::{Reading, Slice};
use super::request::Request;
use crate::ports::network::fault::{Fault, FaultKind, below, innermost};
use crate::ports::network::{Connector, Limits, Network};

/// The largest XML answer: a full page of a listing has about 2 MiB at most.
pub const MAX_XML: usize = 8 << 20;
/// The largest error body.
pub const MAX_ERROR: usize = 64 << 10;
/// The largest head of an answer.
const MAX_HEAD: usize = 64 << 10;
/// What is handed to the socket at a time, so that progress shows.
const PIECE: usize = 64 << 10;
/// How long an answer that is read whole may take.
const WHOLE: Duration = Duration::from_mins(1);
/// The slowest a body may come: so many bytes in so long.
const SLOWEST: (u64, Duration) = (60 << 10, Duration::from_mins(1));
/// How much of a request may wait in this machine's buffers once it was handed over (Linux grows
/// a socket's to 4 MiB), and how slow a line may be to carry it away, in bytes a millisecond.
const BUFFERED: (u64, u64) = (4 << 20, 64);
/// A file must stay as it is while it is sent.
pub(super) const CHANGED: &str = "the file changed while it was read: send it again";
/// How long an idle connection is kept. OSS closes them after a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(50);

/// The connections to OSS, shared by all clones.
#[derive(Clone)]
pub struct Transport {
    client: Client<Connector, Pieces>,
    limits: Limits,
}

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub struct Response {
    /// Status and the usual facts.
    pub meta: Meta,
    /// All headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
}

impl Transport {
    /// A transport over `network`.
    pub fn new(network: &Network) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .http1_max_buf_size(MAX_HEAD)
            .build(network.connector());
        Self { client, limits: network.limits() }
    }

    /// The time limits.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Sends `request` as it stands, with the bytes of `file` where there is one. Redirects are
    /// answers like others.
    pub async fn send(
        &self,
        request: &Request,
        file: Option<&Slice>,
        action: &'static str,
    ) -> Result<Response, Error> {
        let unusable = |error: http::Error| Error::new(Kind::Refused, action, error.to_string());
        let sent = Sent::default();
        let mut builder =
            http::Request::builder().method(request.method.as_str()).uri(request.url());
        builder = builder.header("host", &request.authority);
        builder = builder.header("user-agent", concat!("osstack/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        // what was handed over last may still be on its way out
        let length = file.map_or(request.body.len() as u64, Slice::length);
        let limit =
            self.limits.first_byte + Duration::from_millis(length.min(BUFFERED.0) / BUFFERED.1);
        let rest = match file {
            Some(file) => Rest::File(file.read()),
            None => Rest::Bytes(request.body.clone()),
        };
        let body = Pieces { rest, sent: sent.clone() };
        let request = builder.body(body).map_err(unusable)?;
        let mut answer = self.client.request(request);
        // the limit counts from the last byte sent: a slow line may take long to send much
        let response = loop {
            let seen = sent.last();
            match tokio::time::timeout_at(seen + limit, &mut answer).await {
                Ok(response) => break response,
                Err(_) if sent.last() > seen => {}
                Err(_) => {
                    let message = format!("no answer within {} s", limit.as_secs_f32());
                    return Err(Error::new(Kind::Network(Link::Timeout), action, message));
                }
            }
        };
        let response = response.map_err(|error| match file.and_then(Slice::take_fault) {
            Some(fault) => unreadable(&fault, action),
            None => failure(&error, action),
        })?;
        let (parts, incoming) = response.into_parts();
        let headers = Headers::of(&parts.headers);
        let meta = Meta::of(parts.status.as_u16(), &headers);
        let pace = Pace::default();
        let body = Body { incoming, limit: self.limits.idle_read, action, pace };
        Ok(Response { meta, headers, body })
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A body on its way in.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    limit: Duration,
    action: &'static str,
    pace: Pace,
}

/// What came in the present minute of waiting. The reader's own pauses do not count: a pager may
/// stand still for as long as it likes.
#[derive(Debug, Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// Takes `bytes` that were `waited` for; whether they come fast enough.
    fn keeps(&mut self, waited: Duration, bytes: u64) -> bool {
        self.waited += waited;
        self.bytes += bytes;
        if self.waited < SLOWEST.1 {
            return true;
        }
        std::mem::take(self).bytes >= SLOWEST.0
    }
}

impl Body {
    /// The next piece; `None` at the end. A body that ends before its `Content-Length` is an
    /// error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let mut waited = Duration::ZERO;
        loop {
            let since = Instant::now();
            let frame = tokio::time::timeout(self.limit, self.incoming.frame()).await;
            waited += since.elapsed();
            let frame = frame.map_err(|_| {
                let message = format!("the answer stopped for {} s", self.limit.as_secs_f32());
                Error::new(Kind::Network(Link::Timeout), self.action, message)
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(cut_off(&error, self.action)),
                Some(Ok(frame)) => {
                    // trailers carry nothing of OSS
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return self.paced(waited, data).map(Some);
                    }
                }
            }
        }
    }

    /// A server that sends a byte now and then would otherwise keep us for ever.
    fn paced(&mut self, waited: Duration, data: Bytes) -> Result<Bytes, Error> {
        if self.pace.keeps(waited, data.len() as u64) {
            return Ok(data);
        }
        let message = "less than 1 KiB a second came for a minute";
        Err(Error::new(Kind::Network(Link::Timeout), self.action, message))
    }

    /// All of it, refusing more than `most` bytes, and to wait more than a minute.
    pub async fn whole(mut self, most: usize) -> Result<Bytes, Error> {
        let action = self.action;
        let (bytes, complete) =
            tokio::time::timeout(WHOLE, self.up_to(most)).await.map_err(|_| {
                let message = format!("the answer takes more than {} s", WHOLE.as_secs());
                Error::new(Kind::Network(Link::Timeout), action, message)
            })??;
        if complete {
            return Ok(bytes);
        }
        let message = format!("the answer has more than {} KiB", most >> 10);
        Err(Error::new(Kind::TooLarge, self.action, message))
    }

    /// At most `most` bytes, and whether that was all.
    pub async fn up_to(&mut self, most: usize) -> Result<(Bytes, bool), Error> {
        let hint = usize::try_from(self.incoming.size_hint().lower()).unwrap_or(most);
        let Some(first) = self.chunk().await? else { return Ok((Bytes::new(), true)) };
        if first.len() == hint && hint <= most {
            return Ok((first, true));
        }
        let mut bytes = BytesMut::with_capacity(hint.clamp(first.len(), most.max(first.len())));
        bytes.extend_from_slice(&first);
        while bytes.len() <= most {
            match self.chunk().await? {
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => return Ok((bytes.freeze(), true)),
            }
        }
        bytes.truncate(most);
        Ok((bytes.freeze(), false))
    }
}

/// When the last bytes of a request went out.
#[derive(Clone, Debug)]
struct Sent(Arc<Mutex<Instant>>);

impl Default for Sent {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Sent {
    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn now(&self) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }
}

/// A body on its way out, a piece at a time.
struct Pieces {
    rest: Rest,
    sent: Sent,
}

enum Rest {
    Bytes(Bytes),
    File(Reading),
}

impl Rest {
    fn left(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(reading) => reading.left(),
        }
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.sent.now();
        match &mut self.rest {
            Rest::Bytes(rest) if rest.is_empty() => Poll::Ready(None),
            Rest::Bytes(rest) => {
                let length = rest.len().min(PIECE);
                Poll::Ready(Some(Ok(Frame::data(rest.split_to(length)))))
            }
            Rest::File(reading) => {
                reading.poll_next(context, PIECE).map(|next| Some(next?.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.left())
    }
}

/// A file that could not be sent for its own sake.
fn unreadable(error: &io::Error, action: &'static str) -> Error {
    let message = match error.kind() {
        io::ErrorKind::UnexpectedEof => CHANGED.to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    Error::new(Kind::Local, action, message)
}

/// Sorts a failure to connect, to send, or to read the head of an answer.
fn failure(error: &(dyn StdError + 'static), action: &'static str) -> Error {
    let Fault { kind, message } = Fault::of(error);
    let kind = match kind {
        FaultKind::Proxy => Kind::Network(Link::Proxy),
        FaultKind::Dns => Kind::Network(Link::Dns),
        FaultKind::Tls => Kind::Network(Link::Tls),
        FaultKind::LongHead => {
            return Error::new(Kind::TooLarge, action, "the answer's head has more than 64 KiB");
        }
        FaultKind::NotHttp => Kind::NotOss,
        FaultKind::Closed => Kind::Network(Link::Closed),
        FaultKind::Io(kind) => Kind::Network(link(kind)),
    };
    Error::new(kind, action, message)
}

fn cut_off(error: &hyper::Error, action: &'static str) -> Error {
    if below::<std::io::Error>(error).is_some_and(|error| link(error.kind()) == Link::Timeout) {
        return Error::new(Kind::Network(Link::Timeout), action, innermost(error).to_string());
    }
    Error::new(Kind::Truncated, action, "the connection ended in the middle of the answer")
}

fn link(error: std::io::ErrorKind) -> Link {
    use std::io::ErrorKind as Io;
    match error {
        Io::ConnectionRefused => Link::Refused,
        Io::HostUnreachable | Io::NetworkUnreachable | Io::AddrNotAvailable => Link::Unreachable,
        Io::TimedOut => Link::Timeout,
        _ => Link::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_waiting_for_the_server_counts_as_slowness() {
        let mut pace = Pace::default();
        let second = Duration::from_secs(1);
        assert!((0..59).all(|_| pace.keeps(second, 10)));
        assert!(!pace.keeps(second, 10), "a minute of drops");
        // what lay ready is not slow, however late it was fetched
        assert!((0..1000).all(|_| pace.keeps(Duration::ZERO, 1)));
        assert!((0..600).all(|_| pace.keeps(second, 1 << 10)));
    }
}
