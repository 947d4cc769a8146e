//! Secrets whose values lie elsewhere, read where they are.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::failure::{Failure, FailureKind};
use super::found::key_at;
use super::world::{World, blocking, left_out};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::key_json;
use crate::model::name::Name;
use crate::model::secret::{Credentials, Secret, SecretDraft};
use crate::model::secret_source::{SecretSource, SourcedSecret};
use crate::model::store::ArtifactStore;
use crate::ports::process::{self, Limits, Program, Surroundings};

/// A program may ask somebody at a browser for a sign-in.
const LIMITS: Limits = Limits { time: Duration::from_mins(1), output: 64 << 10 };
/// How long a key that a program or ZenML gave is used before it is asked for again.
const FRESH: Duration = Duration::from_mins(5);
/// What takes a stranger's file for one's own.
const TRUST: &str = "read the file, and add --trust if it may use your keystore and run programs";
/// A temporary key is not used up to its last moment: requests take time.
const MARGIN: time::Duration = time::Duration::minutes(1);

/// Keys that were asked for a moment ago.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    keys: Vec<(SourcedSecret, Instant, Credentials)>,
    /// How often all of it was dropped.
    cleared: u64,
}

impl Asked {
    fn get(&self, secret: &SourcedSecret, world: &World) -> Option<Credentials> {
        let kept = &mut self.lock().keys;
        let now = (world.clock.instant(), world.clock.now());
        kept.retain(|(_, at, key)| {
            let is_fresh = now.0.saturating_duration_since(*at) < FRESH;
            is_fresh && key.expires_at.is_none_or(|end| end - MARGIN > now.1)
        });
        kept.iter().find(|(other, ..)| other == secret).map(|(.., key)| key.duplicate())
    }

    /// What [`Asked::keep`] is to be told of the time before a question.
    fn cleared(&self) -> u64 {
        self.lock().cleared
    }

    /// Keeps a key, unless all were dropped while it was asked for.
    fn keep(&self, cleared: u64, secret: SourcedSecret, at: Instant, key: Credentials) {
        let mut kept = self.lock();
        if kept.cleared == cleared {
            kept.keys.retain(|(other, ..)| *other != secret);
            kept.keys.push((secret, at, key));
        }
    }

    pub(super) fn clear(&self) {
        let mut kept = self.lock();
        kept.keys.clear();
        kept.cleared += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// What the catalog says of where the secret is, if not in the keystore. A catalog that cannot
    /// be read says nothing: whoever needs it says why. An entry that says something wrong is no
    /// leave to take the keystore's key of that name.
    pub(super) async fn source_of(&self, secret: &str) -> Result<Option<SourcedSecret>, Failure> {
        let Ok(catalog) = self.catalog().await else { return Ok(None) };
        let source = catalog.sourced_secret(secret).cloned();
        match catalog.invalid("secret", secret).filter(|_| source.is_none()) {
            Some(problem) => Err(left_out(&catalog, problem)),
            None => Ok(source),
        }
    }

    /// The values of a secret that lies elsewhere.
    pub(super) async fn sourced(&self, secret: SourcedSecret) -> Result<Credentials, Failure> {
        // what the environment holds was put there for this run
        let is_of_env = matches!(&secret.source, SecretSource::Found(source)
            if source.split(':').next() == Some("env"));
        if self.is_strangers && !is_of_env {
            return Err(strangers(&secret));
        }
        if let Some(key) = self.asked.get(&secret, self) {
            return Ok(key);
        }
        let cleared = self.asked.cleared();
        let key = self.ask(&secret.source, &secret.name).await?.credentials;
        // what lies in a file or a variable is read anew: it costs nothing, and may have changed
        if !matches!(secret.source, SecretSource::Found(_)) {
            self.asked.keep(cleared, secret, self.clock.instant(), key.duplicate());
        }
        Ok(key)
    }

    async fn ask(&self, source: &SecretSource, name: &Name) -> Result<Secret, Failure> {
        match source {
            SecretSource::Process(command) => self.printed(command, name).await,
            SecretSource::Zenml(connection) => {
                let connection = connection.as_ref().map(Name::as_str);
                let remote = self.zenml(connection).await?;
                let there = remote.secret(name.as_str()).await?;
                let draft = there.as_ref().and_then(|it| super::adopt::draft(name.as_str(), it));
                let draft = draft.ok_or_else(|| no_values(name))?;
                Ok(draft.validate()?)
            }
            SecretSource::Found(source) => {
                let (source, name) = (source.clone(), name.clone());
                let (env, now) = (self.env.clone(), self.clock.now());
                blocking(move || key_at(&source, &name, &env, now)).await?
            }
        }
    }

    /// What a program prints.
    async fn printed(&self, command: &[String], name: &Name) -> Result<Secret, Failure> {
        let Some((path, arguments)) = command.split_first() else { return Err(no_values(name)) };
        let program = Program {
            path: path.into(),
            arguments: arguments.to_vec(),
            surroundings: Surroundings::default(),
        };
        let refused = |said: String| {
            let summary = format!("the secret {name} comes from {}, which {said}", visible(path));
            Failure::new(FailureKind::Credentials, summary)
                .hint("run it by hand to see what it says")
        };
        let ended = process::run(&program, &self.env, LIMITS).await;
        let ended = ended.map_err(|error| refused(error.to_string()))?;
        let printed = Zeroizing::new(ended.stdout);
        if ended.code != Some(0) {
            let code = ended.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            return Err(refused(format!("ended with {code}")));
        }
        let draft =
            key_json::parse(&printed).map_err(|error| refused(format!("printed {error}")))?;
        let draft = SecretDraft { name: name.to_string(), ..draft };
        Ok(draft.validate()?)
    }

    /// Keeps signatures and tokens from addresses of a stranger's choice.
    pub(super) fn allow_address(&self, store: &ArtifactStore) -> Result<(), Failure> {
        let Ok(endpoint) = store.access_endpoint() else { return Ok(()) };
        if !self.is_strangers || endpoint.is_alibabas() || endpoint.is_loopback() {
            return Ok(());
        }
        let summary = format!(
            "the store {} would sign requests for {}, which is no address of OSS, by a file that is \
             not trusted",
            store.name,
            visible(endpoint.host())
        );
        Err(Failure::new(FailureKind::Usage, summary).hint(TRUST))
    }

    /// A world whose catalog is somebody else's: it starts no program that stands there, and keeps
    /// the keystore's keys and sign-ins from addresses that stand there.
    #[must_use]
    pub fn of_a_stranger(mut self) -> Self {
        self.is_strangers = true;
        self
    }
}

/// Whether no store of the catalog needs the keystore: what signs in at ZenML lies there.
pub fn needs_no_keystore(catalog: &Catalog) -> bool {
    let lies_elsewhere = |name: &Name| {
        let secret = catalog.sourced_secret(name.as_str());
        secret.is_some_and(|secret| !matches!(secret.source, SecretSource::Zenml(_)))
    };
    let stores = catalog.stores();
    !stores.is_empty() && stores.iter().all(|store| lies_elsewhere(&store.secret))
}

fn strangers(secret: &SourcedSecret) -> Failure {
    let SourcedSecret { name, source } = secret;
    let summary = format!("the secret {name} comes from {source}, by a file that is not trusted");
    Failure::new(FailureKind::Usage, summary).hint(TRUST)
}

/// A secret of which somebody else's file does not say where it is.
pub(super) fn not_of_the_keystore(name: &str) -> Failure {
    let name = visible(name);
    let summary = format!("the file does not say where the values of the secret {name} are");
    Failure::new(FailureKind::Usage, summary)
        .hint(format!("write [secret.{name}] with its source into it"))
        .hint(TRUST)
}

fn no_values(name: &Name) -> Failure {
    Failure::new(FailureKind::NotFound, format!("ZenML shows no access key in a secret {name}"))
        .hint("who signs in there must be allowed to read its values; else give it another source")
}
