//! The patient: what is checked, by which means, and what the rungs know of it when they begin.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use time::OffsetDateTime;

use super::check::failed;
use super::report::Vantage;
use super::scratch::Folder;
use super::traces::Traces;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointError, Scheme};
use crate::model::finding::Finding;
use crate::model::fix::Fix;
use crate::model::object_key::{KeyError, ObjectKey};
use crate::model::requirement::Requirement;
use crate::model::secret::Credentials;
use crate::model::store::{ArtifactStore, Signature};
use crate::oss::client::Guard;
use crate::oss::{Access, Answer, Client, Error, Kind};
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::network::Network;
use crate::zenml::python::Environment;
use crate::zenml::version::Version;

/// What is checked.
#[derive(Debug)]
pub struct Target {
    /// As reports name it: `stack/NAME`, `store/NAME`, or `draft`.
    pub subject: String,
    /// The artifact store, or why there is none.
    pub store: Result<ArtifactStore, Missing>,
    /// Its key, or why there is none.
    pub credentials: Result<Credentials, Missing>,
    /// What runs pipelines, or why it cannot be told; nothing where no Python was named.
    pub python: Option<Result<Environment, String>>,
    /// What a stack's components need of each other; nothing where the subject is no stack.
    pub components: Option<Vec<Requirement>>,
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

/// What never changes while the ladder is climbed.
#[derive(Debug)]
pub struct Patient {
    subject: String,
    pub(super) store: Result<ArtifactStore, Missing>,
    pub(super) credentials: Result<Arc<Credentials>, Missing>,
    /// The endpoint that this machine uses.
    pub(super) endpoint: Option<Result<Endpoint, EndpointError>>,
    pub(super) services: Services,
    pub(super) python: Option<Result<Environment, String>>,
    pub(super) components: Option<Vec<Requirement>>,
    /// Whether the line's speed is measured, which moves megabytes.
    pub(super) rate: bool,
    client: Option<Client>,
    folder: Folder,
}

/// What one rung is given: the patient, and what the rungs that ended before it began had found
/// out. Cheap to clone; every rung has its own.
#[derive(Clone, Debug)]
pub struct Case {
    patient: Arc<Patient>,
    pub(super) known: Known,
    pub(super) traces: Traces,
}

impl Deref for Case {
    type Target = Patient;

    fn deref(&self) -> &Patient {
        &self.patient
    }
}

/// What rungs have found out for those above.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    addresses: Arc<[SocketAddr]>,
    reached: Option<SocketAddr>,
    first: Option<Arc<First>>,
    probe: Option<Arc<Probe>>,
}

/// What one rung has found out for those above.
#[derive(Debug)]
pub(super) enum Lesson {
    /// `dns`: where the bucket's host lies.
    Addresses(Vec<SocketAddr>),
    /// `tcp`: the address that answers.
    Reached(SocketAddr),
    /// `oss-server`: the first answer.
    First(First),
    /// `write`: the object in the bucket.
    Written(Probe),
}

impl Known {
    pub(super) fn learn(&mut self, lesson: Lesson) {
        match lesson {
            Lesson::Addresses(addresses) => self.addresses = addresses.into(),
            Lesson::Reached(address) => self.reached = Some(address),
            Lesson::First(first) => self.first = Some(Arc::new(first)),
            Lesson::Written(probe) => self.probe = Some(Arc::new(probe)),
        }
    }
}

/// The first answer of the server: to GET `?location` of the bucket, with our time when it came.
#[derive(Debug)]
pub(super) struct First {
    pub(super) answer: Result<Answer<Option<String>>, Error>,
    pub(super) at: OffsetDateTime,
}

/// An object that a check made.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) key: ObjectKey,
    pub(super) body: Bytes,
    pub(super) etag: Option<String>,
    /// Whether the server's checksum was there and equal to ours.
    pub(super) verified: bool,
}

impl Case {
    pub(super) fn new(target: Target, services: Services, rate: bool, traces: Traces) -> Self {
        let Target { subject, store, credentials, python, components } = target;
        let credentials = credentials.map(Arc::new);
        let endpoint = store.as_ref().ok().map(ArtifactStore::access_endpoint);
        let prefix = store.as_ref().map(ArtifactStore::key_prefix).unwrap_or_default();
        let folder = Folder::new(&prefix, services.entropy.as_ref());
        let mut patient = Patient {
            subject,
            store,
            credentials,
            endpoint,
            services,
            python,
            components,
            rate,
            client: None,
            folder,
        };
        let signature = patient.store.as_ref().map(|store| store.signature);
        patient.client = signature.ok().and_then(|signature| patient.client_by(signature).ok());
        Self { patient: Arc::new(patient), known: Known::default(), traces }
    }

    /// The case as the rung `id` gets it now.
    pub(super) fn of(&self, id: &'static str) -> Self {
        Self { traces: self.traces.of(id), ..self.clone() }
    }

    // What a check needs and the ladder vouches for, since the checks that give it stand in
    // `needs`. The finding is for a table whose `needs` are wrong.

    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.known.addresses
    }

    pub(super) fn reached(&self) -> Result<SocketAddr, Box<Finding>> {
        self.known.reached.ok_or_else(|| unknown("address"))
    }

    pub(super) fn first(&self) -> Result<&First, Box<Finding>> {
        self.known.first.as_deref().ok_or_else(|| unknown("first answer"))
    }

    pub(super) fn probe(&self) -> Result<&Probe, Box<Finding>> {
        self.known.probe.as_deref().ok_or_else(|| unknown("written object"))
    }

    /// Writes the object `name` of this run as s3fs writes a small file.
    pub(super) async fn put(&self, name: &str, body: Bytes) -> Result<Probe, Error> {
        let key = self.key(name)?;
        self.put_at(key, body).await
    }

    /// The same over an object that is there.
    pub(super) async fn put_at(&self, key: ObjectKey, body: Bytes) -> Result<Probe, Error> {
        let (Ok(store), Ok(client)) = (self.store(), self.client()) else {
            return Err(Error::new(Kind::Refused, "write the object", "there is no store"));
        };
        let guard = self.guard(store);
        let sending = client.put_as_botocore(&store.bucket, key.as_str(), body.clone(), guard);
        let written = self.traces.writing(&key, sending).await?.value;
        Ok(Probe { key, body, etag: written.etag, verified: written.verified })
    }

    /// The key of the object `name` of this run.
    pub(super) fn key(&self, name: &str) -> Result<ObjectKey, Error> {
        self.folder.key(name).map_err(|error| no_room(&error))
    }

    /// The key of an object that nobody writes.
    pub(super) fn missing(&self) -> Result<ObjectKey, Error> {
        self.folder.missing().map_err(|error| no_room(&error))
    }

    /// What the keys of this run begin with.
    pub(super) fn folder(&self) -> &str {
        self.folder.prefix()
    }
}

fn no_room(error: &KeyError) -> Error {
    Error::new(Kind::Refused, "name the object", error.to_string())
}

/// Whether `ZenML` reaches the store by https.
pub(super) fn is_https(store: &ArtifactStore) -> bool {
    store.zenml_endpoint().is_ok_and(|endpoint| endpoint.scheme() == Scheme::Https)
}

impl Patient {
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

    /// The botocore that runs pipelines, where a Python was named that has one.
    pub(super) fn botocore(&self) -> Option<Version> {
        self.python.as_ref()?.as_ref().ok()?.version("botocore")
    }

    /// How that botocore, or the newest, guards an upload under the settings that are committed.
    pub(super) fn guard(&self, store: &ArtifactStore) -> Guard {
        if self.botocore().is_some_and(|version| version < Version::NEWER_CHECKSUMS) {
            return Guard::Nothing;
        }
        let config = store.config_kwargs();
        let setting =
            config.get("request_checksum_calculation").and_then(serde_json::Value::as_str);
        match (setting, store.signature) {
            (Some("when_required"), _) => Guard::Nothing,
            (_, Signature::V4) if is_https(store) => Guard::Trailer,
            _ => Guard::Header,
        }
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

    /// A client that signs by `signature`.
    pub(super) fn client_by(&self, signature: Signature) -> Result<Client, Box<Finding>> {
        let (store, endpoint) = (self.store()?, self.endpoint()?);
        let credentials = self.credentials.as_ref().map_err(|_| unknown("key"))?;
        let access = Access {
            endpoint: endpoint.clone(),
            scope_region: store.scope_region(),
            signature,
            credentials: Arc::clone(credentials),
        };
        let Services { network, clock, entropy } = &self.services;
        let client = Client::new(network, Arc::clone(clock), Arc::clone(entropy), access);
        // a wrong region is to be reported, not healed
        Ok(client.strict())
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
            expires_at: None,
        };
        let target = Target {
            subject: subject.into(),
            store: Ok(draft.validate().unwrap()),
            credentials: Ok(credentials),
            python: None,
            components: None,
        };
        Case::new(target, services(), false, Traces::default())
    }
}
