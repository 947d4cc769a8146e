//! The seam between rusoto and the wire. rusoto builds a typed request and
//! hands it over unsigned; it gets back XML that was read whole and found
//! good, and no headers at all, since it unwraps the numbers in them. What it
//! does not know how to carry (headers, streams, our own errors) lies in the
//! call's answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rusoto_core::request::{
    DispatchSignedRequest, DispatchSignedRequestFuture, HttpDispatchError, HttpResponse,
};
use rusoto_core::signature::SignedRequest;
use tokio::time::Instant;

use super::client::Access;
use super::error::{Error, Kind, Link, WEB_PAGE, is_web_page};
use super::heal::{self, Healed, Homes};
use super::listing::Page;
use super::object::{Headers, Meta};
use super::payload::Slice;
use super::request::Request;
use super::retry::{self, Budget, Repeat};
use super::transport::{self, Body, Response, Transport};
use super::{address, sign_v2, sign_v4, xml};
use crate::model::endpoint::Endpoint;
use crate::model::store::Signature;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;

/// Calls whose bodies are larger take as long as their bytes do; the others have to end in
/// [`Limits::call`](crate::ports::network::Limits).
const SMALL: u64 = 64 << 10;

/// What all calls of a client share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) transport: Transport,
    pub(super) clock: SharedClock,
    pub(super) entropy: SharedEntropy,
    pub(super) access: Access,
    pub(super) budget: Budget,
    pub(super) homes: Homes,
    /// How often the server asked for less at a time.
    pub(super) push_backs: AtomicU64,
}

/// How one call is to be sent and read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// For messages: `list objects`.
    pub(super) action: &'static str,
    pub(super) repeat: Repeat,
    pub(super) expect: Expect,
    /// Follow the bucket to the endpoint that the server names.
    pub(super) heals: bool,
    /// Query values that rusoto has no field for.
    pub(super) query: Vec<(&'static str, String)>,
    /// Likewise headers.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The body, where it is read from a file.
    pub(super) file: Option<Slice>,
}

/// What a good answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// Nothing of interest.
    Nothing,
    /// XML with this root.
    Xml(&'static str),
    /// XML that our own parser will check.
    Listing,
    /// An object's bytes.
    Stream,
}

/// A good answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) meta: Meta,
    pub(super) headers: Headers,
    pub(super) content: Content,
}

/// Its body.
#[derive(Debug)]
pub(super) enum Content {
    Empty,
    Page(Page),
    Document(xml::Element),
    Stream(Body),
}

impl Plan {
    pub(super) fn new(action: &'static str, repeat: Repeat, expect: Expect) -> Self {
        Self {
            action,
            repeat,
            expect,
            heals: true,
            query: Vec::new(),
            headers: Vec::new(),
            file: None,
        }
    }
}

/// The dispatcher of one call.
#[derive(Clone, Debug)]
pub struct OssDispatcher {
    core: Arc<Core>,
    plan: Arc<Plan>,
    reply: Arc<Mutex<Option<Result<Reply, Error>>>>,
}

impl OssDispatcher {
    pub(super) fn new(core: &Arc<Core>, plan: Plan) -> Self {
        Self { core: Arc::clone(core), plan: Arc::new(plan), reply: Arc::default() }
    }

    /// What came of the call; `None` before it was sent.
    pub(super) fn take(&self) -> Option<Result<Reply, Error>> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, reply: Result<Reply, Error>) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
    }
}

impl DispatchSignedRequest for OssDispatcher {
    /// rusoto gives no time-out; ours are in the transport.
    #[expect(clippy::default_trait_access, reason = "the types are rusoto's own, of http 0.2")]
    fn dispatch(&self, request: SignedRequest, _: Option<Duration>) -> DispatchSignedRequestFuture {
        let call = self.clone();
        Box::pin(async move {
            match call.core.perform(&call.plan, request).await {
                Ok((reply, body)) => {
                    call.put(Ok(reply));
                    Ok(HttpResponse {
                        status: Default::default(),
                        body: rusoto_core::ByteStream::from(body.to_vec()),
                        headers: Default::default(),
                    })
                }
                Err(error) => {
                    let text = error.to_string();
                    call.put(Err(error));
                    Err(HttpDispatchError::new(text))
                }
            }
        })
    }
}

impl Core {
    /// Sends what rusoto built, repeating it as the plan allows. The second part of the answer
    /// is for rusoto to parse.
    async fn perform(&self, plan: &Plan, built: SignedRequest) -> Result<(Reply, Bytes), Error> {
        let mut request =
            address::virtual_hosted(built, &self.access.endpoint, plan.action).await?;
        for (name, value) in &plan.query {
            request.query.push(((*name).to_owned(), Some(value.clone())));
        }
        for (name, value) in &plan.headers {
            request.set_header(name, value.as_str());
        }
        let home = request.bucket.as_ref().filter(|_| plan.heals).and_then(|b| self.homes.of(b));
        let endpoint = home.map_or_else(|| self.access.endpoint.clone(), |home| home.to);
        request.move_to(&endpoint);
        let mut length = request.body.len() as u64;
        if let Some(file) = &plan.file {
            length = file.length();
            request.set_header("content-length", length.to_string());
            if self.access.signature == Signature::V4 {
                // to hash it, it would have to be read twice
                request.set_header("x-amz-content-sha256", sign_v4::UNSIGNED_PAYLOAD);
            }
        }
        let is_small = length <= SMALL;
        let deadline = is_small.then(|| Instant::now() + self.transport.limits().call);
        let error = match self.repeated(plan, &mut request, &endpoint, deadline).await {
            Err(error) if plan.heals => error,
            answer => return answer,
        };
        let (Some(bucket), Some(to)) = (request.bucket.clone(), heal::named_by(&error, &endpoint))
        else {
            return Err(error);
        };
        request.move_to(&to);
        let answer = self.repeated(plan, &mut request, &to, deadline).await;
        match &answer {
            // nobody there, or another one who sends us away: the first answer is the better one
            Err(other) if other.status.is_none() || other.is_elsewhere() => Err(error),
            _ => {
                let from = self.access.endpoint.clone();
                self.homes.remember(Healed { bucket, from, to });
                answer
            }
        }
    }

    /// Sends `request`, which goes to `endpoint`, as often as the plan and the budget allow.
    async fn repeated(
        &self,
        plan: &Plan,
        request: &mut Request,
        endpoint: &Endpoint,
        deadline: Option<Instant>,
    ) -> Result<(Reply, Bytes), Error> {
        self.budget.deposit();
        let mut attempt = 0;
        loop {
            // signed anew each time: the date is part of it
            let signed = self.sign(request, endpoint);
            let error = match self.until(deadline, plan, request).await {
                Ok((mut reply, body)) => {
                    reply.meta.repeats = attempt;
                    return Ok((reply, body));
                }
                Err(error) => error.with_signed_text(&signed),
            };
            if matches!(error.status, Some(429 | 503)) {
                self.push_backs.fetch_add(1, Ordering::Relaxed);
            }
            let pause = retry::pause(attempt, self.entropy.next_u64(), error.retry_after);
            let more = attempt + 1 < retry::TRIES
                && retry::may_pass(&error, plan.repeat)
                && deadline.is_none_or(|deadline| Instant::now() + pause < deadline);
            if !more || !self.budget.withdraw() {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Answers the string to sign, as the server's `<StringToSign>` repeats it.
    fn sign(&self, request: &mut Request, endpoint: &Endpoint) -> String {
        let Access { credentials, scope_region, signature, .. } = &self.access;
        // a bucket that was found elsewhere is signed for as of there
        let found = endpoint.region().filter(|_| *endpoint != self.access.endpoint);
        let scope_region = found.map_or(scope_region, |region| &region.id);
        let now = self.clock.now();
        match signature {
            Signature::V2 => sign_v2::sign(request, credentials, now),
            Signature::V4 => sign_v4::sign(request, credentials, scope_region, now).string_to_sign,
        }
    }

    /// One try, which ends at `deadline` at the latest.
    async fn until(
        &self,
        deadline: Option<Instant>,
        plan: &Plan,
        request: &Request,
    ) -> Result<(Reply, Bytes), Error> {
        let once = self.once(plan, request);
        let Some(deadline) = deadline else { return once.await };
        tokio::time::timeout_at(deadline, once).await.unwrap_or_else(|_| {
            let seconds = self.transport.limits().call.as_secs_f32();
            let message = format!("the answer takes more than {seconds} s");
            Err(Error::new(Kind::Network(Link::Timeout), plan.action, message))
        })
    }

    async fn once(&self, plan: &Plan, request: &Request) -> Result<(Reply, Bytes), Error> {
        let action = plan.action;
        let sent = self.transport.send(request, plan.file.as_ref(), action).await;
        let Response { meta, headers, mut body } = sent?;
        if !(200..300).contains(&meta.status) {
            let asked = headers.get("retry-after");
            let asked = asked.and_then(|value| retry::retry_after(value, self.clock.now()));
            // the status says enough where the body does not arrive
            let (body, _) = body.up_to(transport::MAX_ERROR).await.unwrap_or_default();
            let location = headers.get("location").map(ToOwned::to_owned);
            let error = Error::from_answer(action, meta, location, &body);
            return Err(error.with_retry_after(asked));
        }
        let (content, for_rusoto) = match plan.expect {
            Expect::Stream => (Content::Stream(body), Bytes::new()),
            Expect::Nothing => {
                // read to its end, so that the connection serves again
                let (bytes, _) = body.up_to(transport::MAX_ERROR).await?;
                if is_web_page(&bytes) {
                    return Err(Error::new(Kind::NotOss, action, WEB_PAGE).with_meta(meta));
                }
                (Content::Empty, Bytes::new())
            }
            Expect::Listing => {
                let bytes = body.whole(transport::MAX_XML).await?;
                // off the thread of the connections: many pages may come at a time
                let read = bytes.clone();
                let parsed = tokio::task::spawn_blocking(move || Page::parse(&read)).await;
                let page = parsed
                    .map_err(|_| Error::new(Kind::Refused, action, "reading the answer failed"))?
                    .map_err(|fault| not_understood(action, &meta, &fault, &bytes))?;
                (Content::Page(page), Bytes::new())
            }
            Expect::Xml(root) => {
                let bytes = body.whole(transport::MAX_XML).await?;
                let document = xml::read(&bytes, root)
                    .map_err(|fault| not_understood(action, &meta, &fault, &bytes))?;
                (Content::Document(document), bytes)
            }
        };
        Ok((Reply { meta, headers, content }, for_rusoto))
    }
}

/// A good status with a body that is not what belongs there; an `<Error>` may be one, too.
fn not_understood(action: &'static str, meta: &Meta, fault: &xml::Fault, bytes: &[u8]) -> Error {
    let kind = match fault {
        xml::Fault::Root { found, .. } if found == "Error" => {
            return Error::from_answer(action, meta.clone(), None, bytes);
        }
        xml::Fault::Incomplete => Kind::Truncated,
        _ => Kind::NotOss,
    };
    let error = if is_web_page(bytes) {
        Error::new(Kind::NotOss, action, WEB_PAGE)
    } else {
        Error::new(kind, action, fault.to_string())
    };
    error.with_meta(meta.clone())
}
