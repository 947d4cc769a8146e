//! The keystore as a whole: making it, opening it, and its upkeep.
//!
//! All of it runs off the event loop, since scrypt and the keyring take their time.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::keystore::keyring::KeyringError;
use crate::keystore::{Copied, Error, Identity, KeySource, Keystore, Loose, Remember, Status};

use super::failure::Failure;
use super::world::{World, blocking};

async fn with<T: Send + 'static>(
    world: &World,
    work: impl FnOnce(&Keystore) -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let keystore = Arc::clone(&world.keystore);
    Ok(blocking(move || work(&keystore)).await??)
}

/// How the keystore stands.
#[derive(Debug)]
pub struct KeystoreStatus;

/// What [`KeystoreStatus`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeystoreReport {
    /// Files, state, modes.
    pub status: Status,
    /// Whether the OS keyring remembers the identity, or why it cannot say.
    pub remembered: Result<bool, KeyringError>,
}

impl Job<World> for KeystoreStatus {
    type Item = Nothing;
    type Out = Result<KeystoreReport, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let look = |keystore: &Keystore| {
            Ok(KeystoreReport { status: keystore.status(), remembered: keystore.is_remembered() })
        };
        with(&context.world, look).await
    }
}

/// Makes the keystore, which is then open.
#[derive(Debug)]
pub struct CreateKeystore {
    /// How it is kept.
    pub protection: Protection,
}

/// How a new keystore is kept.
#[derive(Debug)]
pub enum Protection {
    /// Sealed with a passphrase, which is asked for each time.
    Passphrase(SecretString),
    /// The same, and the OS keyring opens it in this desktop session.
    PassphraseAndKeyring(SecretString),
    /// Sealed to an identity that is kept elsewhere, without a passphrase.
    Identity(Identity),
    /// In memory alone, gone at exit.
    SessionOnly,
}

impl Job<World> for CreateKeystore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let create = |keystore: &Keystore| match self.protection {
            Protection::Passphrase(passphrase) => keystore.create(&passphrase, Remember::No),
            Protection::PassphraseAndKeyring(passphrase) => {
                keystore.create(&passphrase, Remember::InKeyring)
            }
            Protection::Identity(identity) => keystore.create_with_identity(identity),
            Protection::SessionOnly => keystore.create_for_session(),
        };
        with(&context.world, create).await
    }
}

/// Opens the keystore.
#[derive(Debug)]
pub enum UnlockKeystore {
    /// With what `OSSTACK_IDENTITY_FILE`, `OSSTACK_PASSPHRASE_FD`, `OSSTACK_PASSPHRASE_FILE` or the
    /// OS keyring gives.
    Unasked,
    /// With the passphrase.
    Passphrase(SecretString),
}

impl Job<World> for UnlockKeystore {
    type Item = Nothing;
    /// What opened it, where nobody was asked.
    type Out = Result<Option<KeySource>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let unlock = move |keystore: &Keystore| match self {
            Self::Unasked => keystore.unlock_from_env(&world.env).map(Some),
            Self::Passphrase(passphrase) => keystore.unlock(&passphrase).map(|()| None),
        };
        with(&context.world, unlock).await
    }
}

/// Lets the OS keyring remember the identity of the open keystore.
#[derive(Debug)]
pub struct RememberKeystore;

impl Job<World> for RememberKeystore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        with(&context.world, Keystore::remember_in_keyring).await
    }
}

/// Makes the OS keyring forget, and drops keys from memory.
#[derive(Debug)]
pub struct ForgetKeystore;

impl Job<World> for ForgetKeystore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        context.world.lock();
        with(&context.world, Keystore::forget).await
    }
}

/// Seals the identity of the open keystore with another passphrase.
#[derive(Debug)]
pub struct ChangePassphrase {
    /// The new one.
    pub new: SecretString,
}

impl Job<World> for ChangePassphrase {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        with(&context.world, move |keystore| keystore.change_passphrase(&self.new)).await
    }
}

/// Makes a new identity under the same passphrase and seals all secrets to it.
#[derive(Debug)]
pub struct RotateKeystore {
    /// The passphrase it has.
    pub passphrase: SecretString,
}

impl Job<World> for RotateKeystore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        with(&context.world, move |keystore| keystore.rotate(&self.passphrase)).await
    }
}

/// Writes all secrets to one new file, sealed with a passphrase of its own.
#[derive(Debug)]
pub struct ExportKeystore {
    /// The file; it may not be there yet.
    pub path: PathBuf,
    /// What opens it.
    pub passphrase: SecretString,
}

impl Job<World> for ExportKeystore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        with(&context.world, move |keystore| keystore.export(&self.path, &self.passphrase)).await
    }
}

/// Copies both files, sealed as they are, to a folder. Opened first where nobody has to be asked,
/// since what opens is known to be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackUpKeystore {
    /// The folder.
    pub folder: PathBuf,
}

impl Job<World> for BackUpKeystore {
    type Item = Nothing;
    type Out = Result<Copied, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let back_up = move |keystore: &Keystore| {
            let opened_by = match keystore.unlock_from_env(&world.env) {
                Ok(source) => Some(source),
                Err(Error::NotGiven { .. }) => None,
                Err(error) => return Err(error),
            };
            keystore.backup(&self.folder, opened_by)
        };
        with(&context.world, back_up).await
    }
}

/// Takes the secrets of a backup; those of now stay as a numbered backup.
#[derive(Debug)]
pub struct RestoreKeystore {
    /// A folder that [`BackUpKeystore`] made, one `secrets.age.bak.N` or one `identity.age.bak.N`.
    pub path: PathBuf,
    /// What opens it.
    pub opener: Opener,
}

/// What opens a backup.
#[derive(Debug)]
pub enum Opener {
    /// The passphrase its identity is sealed with.
    Passphrase(SecretString),
    /// The identity itself, which is kept elsewhere.
    Identity(Identity),
}

impl Job<World> for RestoreKeystore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let restore = move |keystore: &Keystore| match self.opener {
            Opener::Passphrase(passphrase) => keystore.restore(&self.path, &passphrase),
            Opener::Identity(identity) => keystore.restore_with_identity(&self.path, identity),
        };
        with(&context.world, restore).await
    }
}

/// Takes files and folder of the keystore away from others' eyes.
#[derive(Debug)]
pub struct TightenKeystore;

impl Job<World> for TightenKeystore {
    type Item = Nothing;
    /// What was changed.
    type Out = Result<Vec<Loose>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        with(&context.world, Keystore::tighten_permissions).await
    }
}

/// Deletes the numbered backups, which former passphrases open.
#[derive(Debug)]
pub struct PurgeBackups;

impl Job<World> for PurgeBackups {
    type Item = Nothing;
    /// How many there were.
    type Out = Result<usize, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        with(&context.world, Keystore::purge_backups).await
    }
}
