//! The client: one bucket service, one key. Cheap to clone; clones share
//! their connections.

mod buckets;
mod multipart;
mod objects;
mod pages;
mod rehearsal;
mod restore;
mod versions;
mod walk;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusoto_core::{Region, RusotoError};
use rusoto_s3::S3Client;

use super::dispatch::{Content, Core, OssDispatcher, Plan, Reply};
use super::error::{Error, Kind};
use super::heal::{Healed, Homes};
use super::object::Answer;
use super::presign;
use super::request::Request;
use super::retry::Budget;
use super::transport::Transport;
use super::versions::At;
use super::xml::Element;
use crate::base::url_encode;
use crate::model::bucket::BucketName;
use crate::model::endpoint::Endpoint;
use crate::model::secret::Credentials;
use crate::model::store::Signature;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::network::Network;

pub(super) use objects::Stretch;
pub use rehearsal::{DeleteGuard, Guard};
pub use walk::{MOST as MOST_PAGES, Walk};

/// Where to, and by which key.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// The service's host.
    pub endpoint: Endpoint,
    /// General region id, for the scope of S3 V4 (`eu-central-1`).
    pub scope_region: String,
    /// How requests are signed.
    pub signature: Signature,
    /// The key.
    pub credentials: Arc<Credentials>,
}

impl fmt::Debug for Access {
    /// Without the whole key id: this reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("endpoint", &self.endpoint.to_string())
            .field("scope_region", &self.scope_region)
            .field("signature", &self.signature)
            .field("key", &self.credentials.short_id())
            .finish()
    }
}

/// A client of OSS.
#[derive(Clone, Debug)]
pub struct Client {
    core: Arc<Core>,
    heals: bool,
}

impl Client {
    /// A client over `network`.
    pub fn new(
        network: &Network,
        clock: SharedClock,
        entropy: SharedEntropy,
        access: Access,
    ) -> Self {
        let transport = Transport::new(network);
        Self {
            core: Arc::new(Core {
                transport,
                clock,
                entropy,
                access,
                budget: Budget::default(),
                homes: Homes::default(),
                push_backs: AtomicU64::new(0),
            }),
            heals: true,
        }
    }

    /// The same client, for the diagnosis: it goes nowhere but where `access` says, also where the
    /// server names another endpoint.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.heals = false;
        self
    }

    /// Where to, and by which key.
    pub fn access(&self) -> &Access {
        &self.core.access
    }

    /// Where `bucket` was found, if that is elsewhere than the endpoint of [`Client::access`].
    pub fn healed(&self, bucket: &BucketName) -> Option<Healed> {
        self.core.homes.of(bucket)
    }

    /// All buckets that were found elsewhere.
    pub fn all_healed(&self) -> Vec<Healed> {
        self.core.homes.all()
    }

    /// An address by which anybody may send `method` to this object (`None`: the bucket) until it
    /// expires. S3 V4 allows 7 days at most; longer is cut to that.
    pub fn presign(
        &self,
        method: &str,
        bucket: &BucketName,
        object: Option<At<'_>>,
        expires: Duration,
    ) -> String {
        let Access { endpoint, scope_region, signature, credentials } = self.access();
        let home = self.healed(bucket).map(|healed| healed.to);
        let version = object.and_then(|object| object.version).into_iter();
        let endpoint = home.as_ref().unwrap_or(endpoint);
        let request = Request {
            method: method.to_owned(),
            scheme: endpoint.scheme().as_str(),
            authority: endpoint.authority(Some(bucket)),
            bucket: Some(bucket.clone()),
            path: format!("/{}", url_encode::path(object.map_or("", |object| object.key))),
            query: version.map(|id| ("versionId".to_owned(), Some(id.to_owned()))).collect(),
            ..Request::default()
        };
        let now = self.core.clock.now();
        presign::url(*signature, request, credentials, scope_region, now, expires)
    }

    /// How often the server has asked for less at a time, by 503 or 429.
    pub(super) fn push_backs(&self) -> u64 {
        self.core.push_backs.load(Ordering::Relaxed)
    }

    /// For names of files on their way.
    pub(super) fn entropy(&self) -> &SharedEntropy {
        &self.core.entropy
    }

    fn region(&self) -> Region {
        Region::Custom {
            name: self.core.access.scope_region.clone(),
            endpoint: self.core.access.endpoint.to_string(),
        }
    }

    fn dispatcher(&self, mut plan: Plan) -> OssDispatcher {
        plan.heals &= self.heals;
        OssDispatcher::new(&self.core, plan)
    }

    /// Sends one of rusoto's typed requests by `plan`.
    async fn call<T, E, F>(
        &self,
        plan: Plan,
        send: impl FnOnce(S3Client) -> F,
    ) -> Result<(Reply, T), Error>
    where
        F: Future<Output = Result<T, RusotoError<E>>>,
    {
        let action = plan.action;
        let dispatcher = self.dispatcher(plan);
        let client = rusoto_core::Client::new_not_signing(dispatcher.clone());
        let outcome = send(S3Client::new_with_client(client, self.region())).await;
        match (dispatcher.take(), outcome) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(reply)), Ok(value)) => Ok((reply, value)),
            (Some(Ok(reply)), Err(_)) => {
                let message = "the answer is not what this call gives";
                Err(Error::new(Kind::NotOss, action, message).with_meta(reply.meta))
            }
            (None, _) => Err(Error::new(Kind::Refused, action, "the request cannot be built")),
        }
    }
}

impl Reply {
    /// The checked document; empty where the call has none.
    fn document(&self) -> Element {
        match &self.content {
            Content::Document(document) => document.clone(),
            _ => Element::default(),
        }
    }

    fn with<T>(self, value: T) -> Answer<T> {
        Answer { meta: self.meta, value }
    }
}

/// A checked number that cannot be negative.
fn unsigned(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| number.try_into().ok())
}

/// Without the quotes that `ETag`s come in.
fn unquoted(etag: Option<&str>) -> Option<String> {
    etag.map(|etag| etag.trim_matches('"').to_owned())
}
