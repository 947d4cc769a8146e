//! Where secrets lie: two files of the age format.
//!
//! `secrets.age` holds all secrets as one JSON document, sealed to an X25519 identity;
//! `identity.age` holds that identity, sealed with the passphrase (scrypt). The stock `age` tool
//! opens both without osstack:
//!
//! ```text
//! age -d identity.age > identity.txt && age -d -i identity.txt secrets.age
//! ```
//!
//! There is no plain-text mode: where no key is given, nothing is written. A keystore made
//! [for one session](Keystore::create_for_session) lives in memory alone and is gone at exit.
//!
//! Every write takes the lock, reads the file again, applies the one change to what is there now,
//! seals it, opens the sealed bytes once more, and replaces the file
//! ([`base::atomic_file`](crate::base::atomic_file)); so two processes lose nothing of each other.
//!
//! **Everything here blocks**: on the disk, on scrypt (about 0.3 s), on the keyring (up to 3 s).
//! Async callers use `tokio::task::spawn_blocking`; [`Keystore`] is `Send + Sync` for that.

mod access_token;
mod document;
mod error;
mod files;
mod former;
mod identity;
pub mod import;
pub mod keyring;
mod sealed_file;
mod sent;
mod sign_ins;
mod source;
mod upkeep;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

use crate::base::atomic_file;
use crate::base::secret_string::SecretString;
use crate::model::name::Name;
use crate::model::secret::{KeyNames, Secret};
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::paths::Paths;

use document::{Document, Entry};
pub use error::{Error, WAYS};
use files::Stamp;
pub use identity::Identity;
use keyring::Keyring;
pub use source::{KeySource, identity_from_env, passphrase_from_env};
pub use upkeep::Copied;

/// The keystore of one user: a handle that many threads share.
#[derive(Debug)]
pub struct Keystore {
    secrets: PathBuf,
    identity: PathBuf,
    clock: SharedClock,
    entropy: SharedEntropy,
    keyring: Arc<dyn Keyring>,
    settings: Settings,
    open: Mutex<Option<Open>>,
    /// The [`State`] that frames show: `open` is held while files are read and opened.
    state: AtomicU8,
}

/// What tests turn down.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// scrypt's: its cost is two to the power of this.
    pub work_factor: u8,
    /// How long a write waits for another process's.
    pub lock_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { work_factor: sealed_file::WORK_FACTOR, lock_wait: Duration::from_secs(5) }
    }
}

/// What is in memory while the keystore is unlocked.
#[derive(Debug)]
struct Open {
    identity: Identity,
    document: Document,
    /// Which file the document was read from; `None` while there is none.
    stamp: Option<Stamp>,
    /// `identity.age` when it was unlocked.
    identity_stamp: Option<Stamp>,
    /// Nothing is on disk.
    session: bool,
}

/// Whether the OS keyring shall remember the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remember {
    /// The passphrase is asked each time.
    No,
    /// The keystore opens by itself in this desktop session.
    InKeyring,
}

/// What a write expects of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It must be free.
    New,
    /// It must be there.
    Update,
}

/// A secret without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub name: Name,
    /// First and last four characters of the access key id.
    pub short_id: String,
    /// Whether it is a temporary key with its token.
    pub has_token: bool,
    /// When that ends, where it is known.
    pub expires_at: Option<OffsetDateTime>,
    /// How `ZenML` is given it.
    pub key_names: KeyNames,
    /// When it was first saved.
    pub created: OffsetDateTime,
    /// When it was last saved.
    pub updated: OffsetDateTime,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether there is a keystore, and whether it is open.
    pub state: State,
    /// The file of secrets.
    pub secrets: PathBuf,
    /// The file of the sealed identity.
    pub identity: PathBuf,
    /// The number of writes so far, while open.
    pub generation: Option<u64>,
    /// How many secrets there are, while open.
    pub count: Option<usize>,
    /// Former contents of the secrets, newest first.
    pub backups: Vec<PathBuf>,
    /// Files and folders that others may open; unlocking is refused until
    /// [`Keystore::tighten_permissions`].
    pub loose: Vec<Loose>,
}

/// Whether there is a keystore, and whether it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No file yet.
    Absent,
    /// Files, but no key.
    Locked,
    /// Open.
    Open,
    /// In memory alone, gone at exit.
    Session,
}

impl State {
    fn of(number: u8) -> Self {
        let all = [Self::Locked, Self::Open, Self::Session];
        all.into_iter().find(|state| *state as u8 == number).unwrap_or(Self::Absent)
    }
}

/// A file or folder whose mode is too wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loose {
    /// Which.
    pub path: PathBuf,
    /// Its mode.
    pub mode: u32,
    /// What the mode should be.
    pub wanted: u32,
}

impl Keystore {
    /// The keystore below `paths`; looks whether there is one, and reads nothing yet.
    pub fn new(
        paths: &Paths,
        clock: SharedClock,
        entropy: SharedEntropy,
        keyring: Arc<dyn Keyring>,
        settings: Settings,
    ) -> Self {
        let keystore = Self {
            secrets: paths.secrets(),
            identity: paths.identity(),
            clock,
            entropy,
            keyring,
            settings,
            open: Mutex::new(None),
            state: AtomicU8::new(State::Absent as u8),
        };
        keystore.look(None);
        keystore
    }

    /// Whether it is there and open, as seen when that last changed here, or at the last
    /// [`Keystore::status`]. Waits for nothing: each frame may ask.
    pub fn state(&self) -> State {
        State::of(self.state.load(Ordering::Relaxed))
    }

    /// Notes for [`Keystore::state`] how things stand with `open` in memory.
    fn look(&self, open: Option<&Open>) -> State {
        let state = match open {
            Some(open) if open.session => State::Session,
            Some(_) => State::Open,
            None if self.exists() => State::Locked,
            None => State::Absent,
        };
        self.state.store(state as u8, Ordering::Relaxed);
        state
    }

    /// How things stand. Does not ask the keyring: see [`Keystore::is_remembered`].
    pub fn status(&self) -> Status {
        let open = self.opened();
        Status {
            state: self.look(open.as_ref()),
            secrets: self.secrets.clone(),
            identity: self.identity.clone(),
            generation: open.as_ref().map(|open| open.document.generation),
            count: open.as_ref().map(|open| open.document.entries.len()),
            backups: atomic_file::backups(&self.secrets),
            loose: self.loose(),
        }
    }

    /// Makes the keystore, which is then open. The keyring is asked first, so that its refusal
    /// leaves nothing half done.
    pub fn create(&self, passphrase: &SecretString, remember: Remember) -> Result<(), Error> {
        let identity = Identity::generate();
        let sealed = identity.seal(passphrase, self.settings.work_factor)?;
        self.create_files(identity, Some(&sealed), remember)
    }

    /// Makes a keystore without a passphrase, for an identity that is kept elsewhere:
    /// `OSSTACK_IDENTITY_FILE` opens it, or [`Keystore::unlock_with_identity`].
    pub fn create_with_identity(&self, identity: Identity) -> Result<(), Error> {
        self.create_files(identity, None, Remember::No)
    }

    fn create_files(
        &self,
        identity: Identity,
        sealed_identity: Option<&[u8]>,
        remember: Remember,
    ) -> Result<(), Error> {
        self.refuse_loose()?;
        self.refuse_existing()?;
        // without the lock: a keyring may take its time, or ask the user
        if remember == Remember::InKeyring {
            self.keyring.set(&self.account(), &identity.to_text())?;
        }
        self.create_locked(identity, sealed_identity).inspect_err(|_| {
            if remember == Remember::InKeyring {
                // it would open nothing; where it cannot be forgotten, unlocking says it is stale
                let _stale = self.keyring.delete(&self.account());
            }
        })
    }

    fn create_locked(
        &self,
        identity: Identity,
        sealed_identity: Option<&[u8]>,
    ) -> Result<(), Error> {
        let _lock = self.lock_files()?;
        self.refuse_existing()?;
        // the identity first: alone it is a keystore without secrets, the other way round nothing
        // would open them
        if let Some(sealed) = sealed_identity {
            self.write(&self.identity, sealed)?;
        }
        let mut document = Document::default();
        self.write_document(&mut document, &identity)?;
        self.set_open(identity, document);
        Ok(())
    }

    /// Opens an empty keystore that is **never written to disk**: its secrets vanish at exit.
    pub fn create_for_session(&self) -> Result<(), Error> {
        self.refuse_existing()?;
        self.hold(Open {
            identity: Identity::generate(),
            document: Document::default(),
            stamp: None,
            identity_stamp: None,
            session: true,
        });
        Ok(())
    }

    /// Opens with the passphrase.
    pub fn unlock(&self, passphrase: &SecretString) -> Result<(), Error> {
        self.refuse_absent()?;
        self.refuse_loose()?;
        let identity = self.unseal_identity(passphrase)?;
        self.unlock_with_identity(identity)
    }

    /// Opens with the identity itself.
    pub fn unlock_with_identity(&self, identity: Identity) -> Result<(), Error> {
        self.refuse_absent()?;
        self.refuse_loose()?;
        let document = self.read_document(&identity)?;
        self.set_open(identity, document);
        Ok(())
    }

    /// Drops identity and secrets from memory. A keystore made
    /// [for one session](Keystore::create_for_session) stays open: memory holds its only copy,
    /// which nothing could bring back.
    pub fn lock(&self) {
        let mut open = self.opened();
        if open.as_ref().is_none_or(|open| !open.session) {
            *open = None;
        }
        self.look(open.as_ref());
    }

    /// The secret `name`.
    pub fn get(&self, name: &str) -> Result<Secret, Error> {
        self.with_document(|document| {
            let entry = find(document, name)?;
            Ok(Secret {
                name: entry.secret.name.clone(),
                credentials: entry.secret.credentials.duplicate(),
                key_names: entry.secret.key_names,
            })
        })
    }

    /// All secrets without their values, by name.
    pub fn list(&self) -> Result<Vec<Summary>, Error> {
        self.with_document(|document| Ok(document.entries.values().map(summary).collect()))
    }

    /// Saves `secret`.
    pub fn put(&self, secret: Secret, put: Put) -> Result<(), Error> {
        let now = self.clock.now();
        self.change(move |document| {
            let former = document.entries.get(&secret.name);
            let created = match (put, former) {
                (Put::New, Some(_)) => return Err(Error::NameTaken(secret.name.to_string())),
                (Put::Update, None) => return Err(Error::NoSuchSecret(secret.name.to_string())),
                (Put::New, None) => now,
                (Put::Update, Some(former)) => former.created,
            };
            let name = secret.name.clone();
            document.entries.insert(name, Entry { secret, created, updated: now });
            Ok(())
        })
    }

    /// Gives the secret `from` the free name `to`.
    pub fn rename(&self, from: &str, to: &Name) -> Result<(), Error> {
        let now = self.clock.now();
        self.change(|document| {
            if document.entries.contains_key(to) {
                return Err(Error::NameTaken(to.to_string()));
            }
            let mut entry = remove(document, from)?;
            entry.secret.name = to.clone();
            entry.updated = now;
            document.entries.insert(to.clone(), entry);
            Ok(())
        })
    }

    /// Deletes the secret `name`. Backups still hold it: see [`Keystore::purge_backups`].
    pub fn delete(&self, name: &str) -> Result<(), Error> {
        self.change(|document| remove(document, name).map(drop))
    }

    fn opened(&self) -> MutexGuard<'_, Option<Open>> {
        // a panic elsewhere cannot leave half a change: each replaces the whole
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_open(&self, identity: Identity, document: Document) {
        self.hold(Open {
            identity,
            document,
            stamp: Stamp::of(&self.secrets),
            identity_stamp: Stamp::of(&self.identity),
            session: false,
        });
    }

    fn hold(&self, open: Open) {
        let mut held = self.opened();
        *held = Some(open);
        self.look(held.as_ref());
    }

    /// Shows the document as it is now, read again where another process has written it.
    fn with_document<T>(
        &self,
        look: impl FnOnce(&Document) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut state = self.opened();
        let open = state.as_mut().ok_or(Error::Locked)?;
        let stamp = Stamp::of(&self.secrets);
        if !open.session && stamp != open.stamp {
            open.document = self.read_again(&open.identity, open.identity_stamp)?;
            open.stamp = stamp;
        }
        look(&open.document)
    }

    fn read_again(
        &self,
        identity: &Identity,
        identity_stamp: Option<Stamp>,
    ) -> Result<Document, Error> {
        self.read_document(identity).map_err(|error| match error {
            Error::Damaged { .. } | Error::WrongIdentity(_)
                if Stamp::of(&self.identity) != identity_stamp =>
            {
                Error::Rotated
            }
            other => other,
        })
    }

    /// Applies `edit` to what is on disk now, and writes it. Where that fails, the old content
    /// stays, on disk and in memory.
    fn change<T>(&self, edit: impl FnOnce(&mut Document) -> Result<T, Error>) -> Result<T, Error> {
        let (identity, identity_stamp) = {
            let mut state = self.opened();
            let open = state.as_mut().ok_or(Error::Locked)?;
            if open.session {
                let answer = edit(&mut open.document)?;
                open.document.generation += 1;
                return Ok(answer);
            }
            (open.identity.clone(), open.identity_stamp)
        };
        self.refuse_loose()?;
        let _lock = self.lock_files()?;
        let mut document = self.read_again(&identity, identity_stamp)?;
        let answer = edit(&mut document)?;
        self.write_document(&mut document, &identity)?;
        // locked meanwhile by another thread: it stays locked
        if let Some(open) = self.opened().as_mut() {
            open.document = document;
            open.stamp = Stamp::of(&self.secrets);
        }
        Ok(answer)
    }

    fn account(&self) -> String {
        self.secrets.to_string_lossy().into_owned()
    }
}

fn find<'a>(document: &'a Document, name: &str) -> Result<&'a Entry, Error> {
    let entry = document.entries.values().find(|entry| entry.secret.name.as_str() == name);
    entry.ok_or_else(|| Error::NoSuchSecret(name.to_owned()))
}

fn remove(document: &mut Document, name: &str) -> Result<Entry, Error> {
    let name = find(document, name)?.secret.name.clone();
    document.entries.remove(&name).ok_or_else(|| Error::NoSuchSecret(name.to_string()))
}

fn summary(entry: &Entry) -> Summary {
    Summary {
        name: entry.secret.name.clone(),
        short_id: entry.secret.credentials.short_id(),
        has_token: entry.secret.credentials.session_token.is_some(),
        expires_at: entry.secret.credentials.expires_at,
        key_names: entry.secret.key_names,
        created: entry.created,
        updated: entry.updated,
    }
}

#[cfg(test)]
mod tests;
