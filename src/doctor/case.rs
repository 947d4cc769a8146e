//! The patient: what is checked, by which means, and what is known of it so far.

use std::net::SocketAddr;
use std::sync::Arc;

use time::OffsetDateTime;

use super::check::failed;
use super::report::Vantage;
use super::traces::Traces;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointError};
use crate::model::finding::Finding;
use crate::model::fix::Fix;
use crate::model::object_key::ObjectKey;
use crate::model::secret::Credentials;
use crate::model::store::ArtifactStore;
use crate::oss::{Access, Answer, Client, Error};
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::network::Network;

/// What is checked.
#[derive(Debug)]
pub struct Target {
    /// As reports name it: `stack/NAME`, `store/NAME`, or `draft`.
    pub subject: String,
    /// The artifact store, or why there is none.
    pub store: Result<ArtifactStore, Missing>,
    /// Its key, or why there is none.
    pub credentials: Result<Credentials, Missing>,
}

impl Target {
    /// The subject of a store that is not saved yet.
    pub const DRAFT: &str = "draft";
}

/// Something that the subject names and that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is not there: one sentence.
    pub summary: String,
    /// How to mend it.
    pub next: String,
    /// What osstack could change so that it is there.
    pub fix: Option<Fix>,
}

/// The means.
#[derive(Clone, Debug)]
pub struct Services {
    /// Resolver, TLS, proxy.
    pub network: Network,
    /// Time.
    pub clock: SharedClock,
    /// For the names of objects.
    pub entropy: SharedEntropy,
}

/// A target, the means, and what the checks learned on the way.
#[derive(Debug)]
pub struct Case {
    subject: String,
    pub(super) store: Result<ArtifactStore, Missing>,
    pub(super) credentials: Result<Arc<Credentials>, Missing>,
    /// The endpoint that this machine uses.
    pub(super) endpoint: Option<Result<Endpoint, EndpointError>>,
    pub(super) services: Services,
    pub(super) traces: Traces,
    client: Option<Client>,
    /// `dns`: where the bucket's host lies.
    pub(super) addresses: Vec<SocketAddr>,
    /// `tcp`: the one that answers.
    pub(super) reached: Option<SocketAddr>,
    /// `oss-server`: the first answer, and our clock when it came.
    pub(super) first: Option<First>,
    /// `write`: the object in the bucket.
    pub(super) probe: Option<Probe>,
}

/// The first answer of the server: to GET `?location` of the bucket, with our time when it came.
#[derive(Debug)]
pub(super) struct First {
    pub(super) answer: Result<Answer<Option<String>>, Error>,
    pub(super) at: OffsetDateTime,
}

/// The object that the writing check made.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) key: ObjectKey,
    pub(super) body: bytes::Bytes,
    pub(super) etag: Option<String>,
}

impl Case {
    pub(super) fn new(target: Target, services: Services) -> Self {
        let Target { subject, store, credentials } = target;
        let credentials = credentials.map(Arc::new);
        let endpoint = store.as_ref().ok().map(ArtifactStore::access_endpoint);
        let client = match (&store, &credentials, &endpoint) {
            (Ok(store), Ok(credentials), Some(Ok(endpoint))) => {
                let access = Access {
                    endpoint: endpoint.clone(),
                    scope_region: store.scope_region(),
                    signature: store.signature,
                    credentials: Arc::clone(credentials),
                };
                let Services { network, clock, entropy } = &services;
                let client = Client::new(network, Arc::clone(clock), Arc::clone(entropy), access);
                // a wrong region is to be reported, not healed
                Some(client.strict())
            }
            _ => None,
        };
        Self {
            subject,
            store,
            credentials,
            endpoint,
            services,
            traces: Traces::default(),
            client,
            addresses: Vec::new(),
            reached: None,
            first: None,
            probe: None,
        }
    }

    /// From where the store is looked at, once its endpoint is known.
    pub(super) fn vantage(&self) -> Option<Vantage> {
        let store = self.store.as_ref().ok()?;
        let endpoint = self.endpoint.as_ref()?.as_ref().ok()?;
        Some(Vantage {
            endpoint: endpoint.to_string(),
            access: store.access.as_ref().map(ToString::to_string),
            zenml_endpoint: store.zenml_endpoint().ok().map(|endpoint| endpoint.to_string()),
            proxy: self.services.network.proxy_for(&bucket_host(endpoint, &store.bucket)),
            signature: store.signature,
        })
    }

    /// How a setting of the store is changed, as next steps say it.
    pub(super) fn change(&self, setting: &str, value: &str) -> String {
        match &self.store {
            Ok(store) if !self.is_draft() => {
                format!("osstack artifact-store update {} --{setting} {value}", store.name)
            }
            _ => format!("set {setting} to {value}"),
        }
    }

    /// Whether there is no saved store yet that commands could name.
    pub(super) fn is_draft(&self) -> bool {
        self.subject == Target::DRAFT
    }

    // What a check needs and the ladder vouches for, since the checks that give it stand in
    // `needs`. The finding is for a table whose `needs` are wrong.

    pub(super) fn store(&self) -> Result<&ArtifactStore, Box<Finding>> {
        self.store.as_ref().map_err(|_| unknown("store"))
    }

    pub(super) fn endpoint(&self) -> Result<&Endpoint, Box<Finding>> {
        self.endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.as_ref().ok())
            .ok_or_else(|| unknown("endpoint"))
    }

    pub(super) fn client(&self) -> Result<&Client, Box<Finding>> {
        self.client.as_ref().ok_or_else(|| unknown("client"))
    }

    pub(super) fn reached(&self) -> Result<SocketAddr, Box<Finding>> {
        self.reached.ok_or_else(|| unknown("address"))
    }

    pub(super) fn first(&self) -> Result<&First, Box<Finding>> {
        self.first.as_ref().ok_or_else(|| unknown("first answer"))
    }

    pub(super) fn probe(&self) -> Result<&Probe, Box<Finding>> {
        self.probe.as_ref().ok_or_else(|| unknown("written object"))
    }

    /// The host that requests on the bucket's objects go to.
    pub(super) fn host(&self) -> Result<String, Box<Finding>> {
        Ok(bucket_host(self.endpoint()?, &self.store()?.bucket))
    }

    /// The proxy in between.
    pub(super) fn proxy(&self) -> Result<Option<String>, Box<Finding>> {
        Ok(self.services.network.proxy_for(&self.host()?))
    }
}

fn bucket_host(endpoint: &Endpoint, bucket: &BucketName) -> String {
    format!("{bucket}.{}", endpoint.host())
}

fn unknown(what: &str) -> Box<Finding> {
    let finding = failed(format!("The {what} is not known at this point."))
        .because("A check ran before those that it needs.")
        .next("This is a fault of osstack: please report it.");
    Box::new(finding)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::secret_string::SecretString;
    use crate::model::store::StoreDraft;
    use crate::ports::clock::SystemClock;
    use crate::ports::entropy::SeededEntropy;
    use crate::ports::env::Env;

    pub(in crate::doctor) fn services() -> Services {
        Services {
            network: Network::new(&Env::default()).unwrap(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(1)),
        }
    }

    /// A case of the store `alibaba_store`.
    pub(in crate::doctor) fn case(subject: &str, region: &str, endpoint: &str) -> Case {
        let draft = StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            secret: "alibaba_secret".into(),
            region: region.into(),
            endpoint: endpoint.into(),
            ..StoreDraft::default()
        };
        let credentials = Credentials {
            access_key_id: "LTAI5tExampleExample0001".into(),
            secret_access_key: SecretString::new("secret".into()),
            session_token: None,
        };
        let target = Target {
            subject: subject.into(),
            store: Ok(draft.validate().unwrap()),
            credentials: Ok(credentials),
        };
        Case::new(target, services())
    }
}
