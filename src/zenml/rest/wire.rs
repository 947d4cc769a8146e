//! One request, one answer, within limits of time and size; nothing of `ZenML` yet but its shapes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;

use super::error::{Error, Kind, kind_of, was_never_sent, words};
use crate::base::secret_string::SecretString;
use crate::model::connection::ServerUrl;
use crate::ports::network::fault::Fault;
use crate::ports::network::{Connector, Network};

/// The largest answer that is read: a page of 1,000 components has some 4 MiB.
const MOST: usize = 64 << 20;
/// The largest head of an answer.
const MAX_HEAD: usize = 64 << 10;
/// From the request to the end of the answer.
const WHOLE: Duration = Duration::from_secs(30);
/// How long an idle connection is kept; uvicorn closes them after five seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// The connections to one server.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: Client<Connector, Full<Bytes>>,
    url: ServerUrl,
}

/// What is asked.
pub(super) struct Call<'a> {
    pub(super) method: http::Method,
    /// Below `/api/v1`, percent-encoded, with its query.
    pub(super) path: String,
    pub(super) body: Option<Body>,
    pub(super) bearer: Option<&'a SecretString>,
    /// The same for every try of one write, so that the server does it once
    /// (`zen_server/request_management.py`).
    pub(super) idempotency_key: Option<&'a str>,
    /// For messages.
    pub(super) action: &'a str,
    /// Whether the server's words about a refusal may hold what it was sent.
    pub(super) is_private: bool,
}

/// What goes with a request. It may hold secrets and is wiped where it ends.
pub(super) enum Body {
    Json(zeroize::Zeroizing<Vec<u8>>),
    Form(zeroize::Zeroizing<String>),
}

/// An answer that the server means as success.
pub(super) struct Answer {
    pub(super) body: Value,
}

/// What may be tried again.
pub(super) struct Failed {
    pub(super) error: Error,
    /// Whether the same call may pass by itself.
    pub(super) may_pass: bool,
    /// What the server asks for.
    pub(super) retry_after: Option<Duration>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, may_pass: false, retry_after: None }
    }
}

impl Wire {
    pub(super) fn new(network: &Network, url: ServerUrl) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .http1_max_buf_size(MAX_HEAD)
            .build(network.connector());
        Self { client, url }
    }

    pub(super) fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Sends `call` once. Redirects are not followed: the bearer would go elsewhere.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let exchange = self.exchange(call);
        tokio::time::timeout(WHOLE, exchange).await.unwrap_or_else(|_elapsed| {
            let message = format!("no whole answer within {} s", WHOLE.as_secs());
            Err(lost(Error::new(Kind::Network, call.action, message)))
        })
    }

    async fn exchange(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let request = self.request(call)?;
        let response = self.client.request(request).await.map_err(|error| {
            let fault = Fault::of(&error);
            let error = Error::new(Kind::Network, call.action, fault.message);
            if was_never_sent(fault.kind) {
                Failed { error, may_pass: true, retry_after: None }
            } else {
                lost(error)
            }
        })?;
        let (parts, incoming) = response.into_parts();
        let status = parts.status.as_u16();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = header("x-request-id").map(str::to_owned);
        let is_json = header(CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
        let retry_after = header(RETRY_AFTER.as_str())
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs);
        let failed = |kind, message: String| Error {
            status: Some(status),
            request_id: request_id.clone(),
            ..Error::new(kind, call.action, message)
        };
        if parts.status.is_redirection() {
            let to = header("location").unwrap_or("nowhere");
            let message = format!("the server sends elsewhere, to {to}: give that URL instead");
            return Err(failed(Kind::NotZenml, message).into());
        }
        let bytes = read(incoming, call.action).await.map_err(|error| Failed {
            error: Error { status: Some(status), ..error.error },
            ..error
        })?;
        if !is_json {
            // any path outside the API gives the dashboard's page with 200 (seen with 0.98)
            let kind = if status >= 500 { Kind::Server } else { Kind::NotZenml };
            let message = format!("what answers ({status}) is no JSON, as ZenML's API would send");
            let may_pass = matches!(status, 502..=504);
            return Err(Failed { error: failed(kind, message), may_pass, retry_after });
        }
        let body: Value = serde_json::from_slice(&bytes).map_err(|_| {
            let message = "the answer is cut off or no JSON".to_owned();
            failed(Kind::NotZenml, message)
        })?;
        if parts.status.is_success() {
            return Ok(Answer { body });
        }
        let kind = kind_of(status);
        let said = words(&body).filter(|_| !(call.is_private && matches!(status, 400 | 422)));
        let said = said.filter(|_| status != 422 || body.is_object());
        let message = said.unwrap_or_else(|| match kind {
            // the body of a 422 repeats what it was sent, secrets included (seen with 0.98)
            Kind::Refused => format!("the server refuses what it was told ({status})"),
            _ => format!("the server answers {status}"),
        });
        let may_pass = matches!(status, 429 | 502..=504);
        Err(Failed { error: failed(kind, message), may_pass, retry_after })
    }

    fn request(&self, call: &Call<'_>) -> Result<http::Request<Full<Bytes>>, Error> {
        let uri = format!("{}/api/v1{}", self.url, call.path);
        let mut builder = http::Request::builder()
            .method(call.method.clone())
            .uri(uri)
            .header("accept", "application/json")
            .header("user-agent", concat!("osstack/", env!("CARGO_PKG_VERSION")));
        if let Some(bearer) = call.bearer {
            let mut value = http::HeaderValue::from_str(&format!("Bearer {}", bearer.expose()))
                .map_err(|_| {
                    let message = "the token holds what no header can carry";
                    Error::new(Kind::SignIn, call.action, message)
                })?;
            value.set_sensitive(true);
            builder = builder.header("authorization", value);
        }
        if let Some(key) = call.idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        let body = match &call.body {
            None => Bytes::new(),
            Some(Body::Json(json)) => {
                builder = builder.header(CONTENT_TYPE, "application/json");
                Bytes::copy_from_slice(json)
            }
            Some(Body::Form(form)) => {
                builder = builder.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                Bytes::copy_from_slice(form.as_bytes())
            }
        };
        builder.body(Full::new(body)).map_err(|error| {
            Error::new(Kind::Refused, call.action, format!("no request can be made: {error}"))
        })
    }
}

async fn read(mut incoming: Incoming, action: &str) -> Result<Bytes, Failed> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| {
            let message = format!("the answer broke off: {}", Fault::of(&error).message);
            lost(Error::new(Kind::Network, action, message))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MOST {
            let message = format!("the answer has more than {} MiB", MOST >> 20);
            return Err(Error::new(Kind::NotZenml, action, message).into());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// The answer did not arrive; what was asked may be done.
fn lost(error: Error) -> Failed {
    Failed { error: Error { may_be_done: true, ..error }, may_pass: true, retry_after: None }
}
