//! What use cases run against.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::visible::visible;
use crate::catalog::{Catalog, Problem};
use crate::keystore::keyring::Keyring;
use crate::keystore::{self, Keystore};
use crate::model::connection::Connection;
use crate::model::secret::Credentials;
use crate::model::stack::Stack;
use crate::model::store::ArtifactStore;
use crate::oss::{Access, Client, Healed};
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::env::Env;
use crate::ports::network::Network;
use crate::ports::paths::Paths;
use crate::zenml::remote::Remote;

use super::failure::{Failure, FailureKind};
use super::preview_cache::PreviewCache;
use super::residency::Border;
use super::secret_source::{Asked, not_of_the_keystore};

/// The services of one running osstack.
#[derive(Debug)]
pub struct World {
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// The variables the process was started with.
    pub env: Env,
    /// Where files lie.
    pub paths: Paths,
    /// TLS, resolver, proxy.
    pub network: Network,
    /// Secrets.
    pub keystore: Arc<Keystore>,
    /// What may be read though it lies elsewhere than its store allows.
    pub(super) border: Border,
    /// Keys that programs and `ZenML` gave a moment ago.
    pub(super) asked: Asked,
    /// The catalog is somebody else's.
    pub(super) is_strangers: bool,
    /// What previews read last.
    pub(super) previews: PreviewCache,
    /// Kept for their connections, the last one used at the end.
    clients: Mutex<Vec<Client>>,
    /// Kept for their connections and tokens.
    zenml: ZenmlClients,
}

/// Clients of `ZenML`, each under the connection as it was then, the last one used at the end.
#[derive(Debug, Default)]
pub(super) struct ZenmlClients(Mutex<Vec<(Connection, Remote)>>);

impl ZenmlClients {
    /// The client of `connection`, where it is still the same.
    pub(super) fn get(&self, connection: &Connection) -> Option<Remote> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| other == connection)?;
        let used = kept.remove(at);
        let client = used.1.clone();
        kept.push(used);
        Some(client)
    }

    fn last(&self) -> Option<Remote> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last().map(|(_, client)| client.clone())
    }

    pub(super) fn keep(&self, connection: Connection, client: Remote) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other.name != connection.name);
        kept.push((connection, client));
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Clients kept at a time.
const MOST_CLIENTS: usize = 8;

impl World {
    /// The world that `env` and `paths` describe. Reads the CA file where one is named, and
    /// nothing else yet.
    pub fn new(
        env: Env,
        paths: Paths,
        clock: SharedClock,
        entropy: SharedEntropy,
        keyring: Arc<dyn Keyring>,
    ) -> Result<Self, Failure> {
        let network = Network::new(&env)?;
        let keystore = Keystore::new(
            &paths,
            Arc::clone(&clock),
            Arc::clone(&entropy),
            keyring,
            keystore::Settings::default(),
        );
        Ok(Self {
            clock,
            entropy,
            env,
            paths,
            network,
            keystore: Arc::new(keystore),
            border: Border::default(),
            asked: Asked::default(),
            is_strangers: false,
            previews: PreviewCache::default(),
            clients: Mutex::default(),
            zenml: ZenmlClients::default(),
        })
    }

    /// The catalog as it lies on disk now.
    pub async fn catalog(&self) -> Result<Catalog, Failure> {
        let path = self.paths.catalog();
        Ok(blocking(move || Catalog::load(&path)).await??)
    }

    /// What [`Catalog::edit`] wants: the file, and a number to name a temporary one.
    pub(super) fn catalog_edit(&self) -> (PathBuf, u64) {
        (self.paths.catalog(), self.entropy.next_u64())
    }

    /// A store of the catalog.
    pub async fn store(&self, name: &str) -> Result<ArtifactStore, Failure> {
        let catalog = self.catalog().await?;
        Ok(store_of(&catalog, name)?.clone())
    }

    /// The key a store signs with: from the keystore, unless the catalog says where else it is.
    pub async fn credentials(&self, secret: &str) -> Result<Credentials, Failure> {
        if let Some(secret) = self.source_of(secret).await? {
            return Box::pin(self.sourced(secret)).await;
        }
        if self.is_strangers {
            return Err(not_of_the_keystore(secret));
        }
        let keystore = Arc::clone(&self.keystore);
        let name = secret.to_owned();
        Ok(blocking(move || keystore.get(&name)).await??.credentials)
    }

    /// A client that reaches `store` from this machine.
    pub async fn client(&self, store: &ArtifactStore) -> Result<Client, Failure> {
        let credentials = self.credentials(store.secret.as_str()).await?;
        self.client_with(store, credentials)
    }

    /// The same with a key at hand.
    pub fn client_with(
        &self,
        store: &ArtifactStore,
        credentials: Credentials,
    ) -> Result<Client, Failure> {
        let access = Access {
            endpoint: store.access_endpoint()?,
            scope_region: store.scope_region(),
            signature: store.signature,
            credentials: Arc::new(credentials),
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients.iter().position(|client| *client.access() == access);
        let client = if let Some(index) = known {
            clients.remove(index)
        } else {
            let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
            Client::new(&self.network, clock, entropy, access)
        };
        clients.push(client.clone());
        if clients.len() > MOST_CLIENTS {
            clients.remove(0);
        }
        Ok(client)
    }

    /// The `ZenML` that was spoken with last, by its name, project and version, showable; and
    /// whether it is a stand-in.
    pub fn zenml_spoken_with(&self) -> Option<(String, bool)> {
        let client = self.zenml.last()?;
        let info = client.known_info()?;
        let name = visible(&info.name);
        let project = match &client {
            Remote::Server(server) => {
                format!("/{}", visible(server.project().unwrap_or("default")))
            }
            // which one is active there was not asked
            Remote::Command(_) => String::new(),
        };
        Some((format!("{name}{project} {}", info.version), info.is_stand_in))
    }

    pub(super) fn zenml_clients(&self) -> &ZenmlClients {
        &self.zenml
    }

    /// Buckets that were found elsewhere than their stores say, since the last [`World::lock`].
    pub fn healed(&self) -> Vec<Healed> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().flat_map(Client::all_healed).collect()
    }

    /// Drops what holds keys: the keystore's content, and the clients kept; and what was read with
    /// them. Work under way keeps its own until it ends.
    pub fn lock(&self) {
        self.keystore.lock();
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.zenml.clear();
        self.asked.clear();
        self.previews.clear();
    }
}

/// The artifact store `name`, or why it does not count.
pub fn store_of<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a ArtifactStore, Failure> {
    catalog.store(name).ok_or_else(|| {
        let known: Vec<&str> = catalog.stores().iter().map(|store| store.name.as_str()).collect();
        let invalid = catalog.invalid("artifact_store", name);
        invalid.map_or_else(|| absent("artifact store", name, &known), |it| left_out(catalog, it))
    })
}

/// The stack `name`, or why it does not count.
pub fn stack_of<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Stack, Failure> {
    catalog.stack(name).ok_or_else(|| {
        let known: Vec<&str> = catalog.stacks().iter().map(|stack| stack.name.as_str()).collect();
        let invalid = catalog.invalid("stack", name);
        invalid.map_or_else(|| absent("stack", name, &known), |it| left_out(catalog, it))
    })
}

/// An entry of the file that does not count.
pub(super) fn left_out(catalog: &Catalog, problem: &Problem) -> Failure {
    let path = catalog.path().to_string_lossy();
    let path = crate::base::visible::visible(&path);
    let at = problem.line.map(|line| format!("line {line} of ")).unwrap_or_default();
    let Problem { entry, field, message, .. } = problem;
    Failure::new(FailureKind::Settings, format!("{entry} is not valid: {field}: {message}"))
        .hint(format!("mend {at}{path}"))
}

/// There is no `what` called `name`; the nearest of `known` is offered.
pub fn absent(what: &str, name: &str, known: &[&str]) -> Failure {
    let shown = crate::base::visible::visible(name);
    let failure = Failure::new(FailureKind::NotFound, format!("there is no {what} '{shown}'"));
    let near = |other: &&&str| {
        let (other, name) = (other.to_ascii_lowercase(), name.to_ascii_lowercase());
        other.contains(&name) || name.contains(&other)
    };
    match (known.iter().find(near), known.is_empty()) {
        (Some(near), _) => failure.hint(format!("did you mean {near}?")),
        (None, false) => failure.hint(format!("there are: {}", known.join(", "))),
        (None, true) => failure.hint(format!("the catalog has no {what} yet: make one first")),
    }
}

/// Runs what reads disks or derives keys off the event loop.
pub async fn blocking<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let what = if error.is_cancelled() { "was stopped" } else { "ended unexpectedly" };
        Failure::new(FailureKind::Cancelled, format!("the work {what}")).hint("try again")
    })
}
