//! A `ZenML` server over REST: the calls of 0.80 to 0.98, seen with 0.98.
//!
//! [`Client`] signs in when it must, once more after a 401, and repeats what may be repeated: reads,
//! and writes under one `Idempotency-Key`. It keeps no cookies, since the session cookie of a
//! password hides a bearer that is wrong, and follows no redirects. What it reads of things is
//! lenient: unknown fields are ignored, nulls are taken.

mod collection;
mod entity;
mod error;
pub(super) mod flavor;
mod sign_in;
mod wire;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};
use zeroize::Zeroizing;

use crate::base::secret_string::SecretString;
use crate::base::url_encode;
use crate::model::connection::{ServerUrl, SignIn};
use crate::ports::clock::SharedClock;
use crate::ports::entropy::{SharedEntropy, uuid};
use crate::ports::network::Network;

use super::version::Version;
use wire::{Body, Call, Failed, Wire};

pub use collection::{Collection, Page};
pub use entity::{
    Component, ComponentChange, NewValues, Reference, Secret, SecretValues, ServerInfo, Stack,
    StackChange, User,
};
pub use error::{Error, Kind};
pub use sign_in::{DeviceCode, DevicePoll};

/// Tries of one call in all.
const TRIES: u32 = 4;
/// Things on one page: ZenML takes up to 10,000 and answers 1,000 hydrated components at once.
pub(super) const PAGE: u32 = 1000;
/// Pages of one list; a server that never ends is none.
pub(super) const MOST_PAGES: u32 = 10_000;
/// The longest pause that a server may ask for between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Where the access token outlives the client.
pub trait Tokens: Send + Sync {
    /// The token that was kept last; the server may no longer take it.
    fn known(&self) -> BoxFuture<'_, Option<SecretString>>;

    /// Keeps a new one.
    fn learned(&self, token: SecretString) -> BoxFuture<'_, ()>;
}

/// One server; clones share connections and the token.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    wire: Wire,
    clock: SharedClock,
    entropy: SharedEntropy,
    sign_in: Option<SignIn>,
    project: Option<String>,
    token: Mutex<Held>,
    tokens: OnceLock<Box<dyn Tokens>>,
    info: OnceCell<ServerInfo>,
}

/// The access token in hand.
#[derive(Default)]
struct Held {
    token: Option<Arc<SecretString>>,
    /// [`Tokens::known`] was asked: a second time it would answer what the server just refused.
    has_asked: bool,
}

/// What is sent: method, path, query and body of one call.
struct Ask<'a> {
    method: http::Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<Zeroizing<Vec<u8>>>,
    is_private: bool,
}

impl Client {
    /// The server at `url`. Asks nothing yet.
    pub fn new(
        network: &Network,
        clock: SharedClock,
        entropy: SharedEntropy,
        url: ServerUrl,
        sign_in: Option<SignIn>,
        project: Option<String>,
    ) -> Self {
        Self(Arc::new(Shared {
            wire: Wire::new(network, url),
            clock,
            entropy,
            sign_in,
            project,
            token: Mutex::default(),
            tokens: OnceLock::new(),
            info: OnceCell::new(),
        }))
    }

    /// Lets the access token outlive this client, the one in hand first. Once said it stays.
    pub async fn keep_tokens(&self, tokens: Box<dyn Tokens>) {
        let tokens = self.0.tokens.get_or_init(|| tokens);
        let held = self.0.token.lock().await;
        if let Some(token) = &held.token {
            tokens.learned(token.duplicate()).await;
        }
    }

    /// Where it is.
    pub fn url(&self) -> &ServerUrl {
        self.0.wire.url()
    }

    /// The project that the connection names.
    pub fn project(&self) -> Option<&str> {
        self.0.project.as_deref()
    }

    /// What the server says of itself, asked once; needs no sign-in. Whether osstack
    /// speaks to it: [`ServerInfo::refusal`].
    pub async fn info(&self) -> Result<&ServerInfo, Error> {
        self.0
            .info
            .get_or_try_init(|| async {
                let call = Call {
                    method: http::Method::GET,
                    path: "/info".into(),
                    body: None,
                    bearer: None,
                    idempotency_key: None,
                    action: "ask what the server is",
                    is_private: false,
                };
                let answer = self.repeated(&call).await?;
                ServerInfo::read(&answer).ok_or_else(|| {
                    let message = "what answers is not ZenML: it names no version";
                    Error::new(Kind::NotZenml, call.action, message)
                })
            })
            .await
    }

    /// The same where it was asked already.
    pub fn known_info(&self) -> Option<&ServerInfo> {
        self.0.info.get()
    }

    /// The server's version.
    pub async fn version(&self) -> Result<Version, Error> {
        Ok(self.info().await?.version)
    }

    /// Reads one thing: `path` below `/api/v1`.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let action = format!("read {}", subject(path));
        self.ask(&Ask::read(path, query), &action).await
    }

    /// One page of a list, from 1, of `size` things at most.
    pub async fn page(
        &self,
        path: &str,
        query: &[(&str, &str)],
        page: u32,
        size: u32,
    ) -> Result<Page, Error> {
        let (page, size) = (page.to_string(), size.to_string());
        let query: Vec<(&str, &str)> =
            query.iter().copied().chain([("page", &*page), ("size", &*size)]).collect();
        let action = format!("list {}", subject(path));
        let body = self.ask(&Ask::read(path, &query), &action).await?;
        Page::take(body)
            .ok_or_else(|| Error::new(Kind::NotZenml, action, "the answer is no list of ZenML's"))
    }

    /// All of a list.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        for number in 1..=MOST_PAGES {
            let page = self.page(path, query, number, PAGE).await?;
            let is_last = page.is_last(number);
            all.extend(page.items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Makes something.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Error> {
        let action = format!("make {}", subject(path));
        self.ask(&Ask::write(http::Method::POST, path, &[], Some(body))?, &action).await
    }

    /// Changes something.
    pub async fn put(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Result<Value, Error> {
        let action = format!("change {}", subject(path));
        self.ask(&Ask::write(http::Method::PUT, path, query, Some(body))?, &action).await
    }

    /// Deletes something; it being gone already counts as done.
    pub async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Result<(), Error> {
        let action = format!("delete {}", subject(path));
        let ask = Ask::write(http::Method::DELETE, path, query, None::<&()>)?;
        match self.ask(&ask, &action).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One call, signed in; once more with a new token where the server no longer takes ours.
    async fn ask(&self, ask: &Ask<'_>, action: &str) -> Result<Value, Error> {
        let key = uuid(&*self.0.entropy);
        let keyed = (ask.method != http::Method::GET).then_some(&*key);
        let mut is_first = true;
        loop {
            let bearer = self.bearer().await?;
            let call = Call {
                method: ask.method.clone(),
                path: ask.path_and_query(),
                body: ask.body.as_ref().map(|body| Body::Json(body.clone())),
                bearer: bearer.as_deref(),
                idempotency_key: keyed,
                action,
                is_private: ask.is_private,
            };
            match self.repeated(&call).await {
                Err(error) if error.status == Some(401) && self.has_bare_token() => {
                    let message = "the server no longer takes the token kept for it".to_owned();
                    return Err(Error { kind: Kind::TokenEnded, message, ..error });
                }
                Err(error) if error.status == Some(401) && is_first => {
                    is_first = false;
                    self.forget(bearer.as_ref()).await;
                }
                answer => return answer,
            }
        }
    }

    /// Whether what signs in is a token, which cannot get another one.
    fn has_bare_token(&self) -> bool {
        matches!(self.0.sign_in, Some(SignIn::Token { .. }))
    }

    /// Sends `call` until it is answered, or trying again makes no sense.
    async fn repeated(&self, call: &Call<'_>) -> Result<Value, Error> {
        let mut attempt = 0;
        let mut may_be_done = false;
        loop {
            let Failed { mut error, may_pass, retry_after } = match self.0.wire.send(call).await {
                Ok(answer) => return Ok(answer.body),
                Err(failed) => failed,
            };
            may_be_done |= error.may_be_done && call.method != http::Method::GET;
            attempt += 1;
            if !may_pass || attempt >= TRIES {
                error.may_be_done = may_be_done;
                return Err(error);
            }
            let random = self.0.entropy.next_u64() % 100;
            let own = Duration::from_millis((100 << attempt) + random);
            tokio::time::sleep(retry_after.unwrap_or(own).min(LONGEST_PAUSE)).await;
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", self.url()).finish_non_exhaustive()
    }
}

impl<'a> Ask<'a> {
    fn read(path: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: http::Method::GET, path, query, body: None, is_private: is_private(path) }
    }

    fn write(
        method: http::Method,
        path: &'a str,
        query: &'a [(&'a str, &'a str)],
        body: Option<&impl Serialize>,
    ) -> Result<Self, Error> {
        let body = body.map(|body| {
            // room for what a secret may hold, so that no copy stays behind in a smaller buffer
            let mut json = Zeroizing::new(Vec::with_capacity(2 << 16));
            serde_json::to_writer(&mut *json, body).map(|()| json)
        });
        let body = body.transpose().map_err(|error| {
            Error::new(Kind::Refused, format!("write {}", subject(path)), error.to_string())
        })?;
        Ok(Self { method, path, query, body, is_private: is_private(path) })
    }

    fn path_and_query(&self) -> String {
        let mut out = url_encode::path(self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            out.push_str(&url_encode::query(name));
            out.push('=');
            out.push_str(&url_encode::query(value));
        }
        out
    }
}

/// What a path is about, for messages: `/artifact_versions/1` is about artifact versions.
fn subject(path: &str) -> String {
    let word = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    format!("ZenML's {}", word.replace(['_', '-'], " "))
}

/// Whether the server's words about a call to `path` may repeat secrets.
fn is_private(path: &str) -> bool {
    ["/secrets", "/components", "/login"].iter().any(|private| path.starts_with(private))
}
