//! Why the keystore says no, and what to do.

use std::path::{Path, PathBuf};

use super::keyring::KeyringError;
use crate::base::atomic_file;
use crate::base::shell;
use crate::base::visible::visible;

/// The ways to give a key where nobody can be asked.
pub const WAYS: &str = "run it on a terminal, or set OSSTACK_PASSPHRASE_FILE to a file that holds \
    the passphrase, OSSTACK_PASSPHRASE_FD to an open descriptor, or OSSTACK_IDENTITY_FILE to the \
    identity itself";

/// What went wrong. Each message ends in the next step; none holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was made yet.
    #[error("there is no keystore yet: save a secret to make one (osstack secret create NAME)")]
    Absent,
    /// Something is there already.
    #[error("there is a keystore already in {}: unlock it", shown(.0))]
    Exists(PathBuf),
    /// Nobody gave the passphrase in this session.
    #[error("the keystore is locked: unlock it (osstack keystore unlock)")]
    Locked,
    /// No source of a key is set.
    #[error("the keystore needs its passphrase{}: {WAYS}", .keyring.as_ref()
        .map(|error| format!(" (the OS keyring could not help: {error})")).unwrap_or_default())]
    NotGiven {
        /// Why the OS keyring had none, where that was a failure.
        keyring: Option<KeyringError>,
    },
    /// A source is there, with nothing in it.
    #[error("{0} gives an empty passphrase: put the passphrase in it")]
    Empty(String),
    /// Over 1 KiB.
    #[error("{0} is longer than 1024 bytes: is this the right one?")]
    LongPassphrase(String),
    /// The passphrase does not open `identity.age`.
    #[error("this passphrase does not open the keystore: try again")]
    WrongPassphrase,
    /// The identity does not open `secrets.age`.
    #[error("{} is sealed to another identity: unlock with the one it was made with", shown(.0))]
    WrongIdentity(PathBuf),
    /// The content is broken.
    #[error("{} is damaged: {}", shown(.path), restore_hint(.backup.as_deref()))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The newest backup that [`restore`](super::Keystore::restore) can take.
        backup: Option<PathBuf>,
    },
    /// The file is gone, though backups say it was there.
    #[error("{} is missing: {}", shown(.path), restore_hint(.backup.as_deref()))]
    Missing {
        /// The file.
        path: PathBuf,
        /// The newest backup that [`restore`](super::Keystore::restore) can take.
        backup: Option<PathBuf>,
    },
    /// Sealed to an identity without a passphrase.
    #[error(
        "there is no {}, so no passphrase opens these secrets: their identity is kept elsewhere \
        (OSSTACK_IDENTITY_FILE). To restore, set that; \
        to rotate, seal them anew with age itself (age -d -i OLD secrets.age | age -r NEW)",
        shown(.0)
    )]
    KeptElsewhere(PathBuf),
    /// A copy of it would not open.
    #[error(
        "nothing was copied: {} is {problem}; osstack secret list asks for the passphrase and \
        names the backup that helps, and where the identity is kept elsewhere, set \
        OSSTACK_IDENTITY_FILE to it",
        shown(.path)
    )]
    NotCopied {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Made by a newer program.
    #[error("{} was made by a newer version (format {found}): update osstack", shown(.path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// Something else stands there.
    #[error("{} is not a keystore: move it away, or restore a backup over it", shown(.0))]
    NotAKeystore(PathBuf),
    /// Over the bound; nothing was read.
    #[error("{} is larger than 16 MiB, which no keystore is: move it away", shown(.0))]
    TooLarge(PathBuf),
    /// The secrets together pass the bound; nothing was written.
    #[error("the secrets would no longer fit in 16 MiB: delete some first")]
    Full,
    /// More scrypt work asked than an honest file needs.
    #[error("{} asks for scrypt work factor {factor}, over 20: it was not made by osstack; \
        restore a backup", shown(.path))]
    ExcessiveWork {
        /// The file.
        path: PathBuf,
        /// What its header asks.
        factor: u8,
    },
    /// Others may read it.
    #[error("others may open {} (mode {mode:03o}): chmod {wanted:03o} it first \
        (osstack keystore unlock offers to)", shown(.path))]
    Permission {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        wanted: u32,
    },
    /// Another process is writing.
    #[error("another osstack is writing the keystore: try again in a moment")]
    Busy,
    /// The identity was replaced by another process.
    #[error("the keystore was given a new identity meanwhile: unlock it again")]
    Rotated,
    /// `New` of a name that is there.
    #[error("there is a secret '{0}' already: update it, or choose another name")]
    NameTaken(String),
    /// No such secret.
    #[error("there is no secret '{}': see osstack secret list", visible(.0))]
    NoSuchSecret(String),
    /// The source of a key cannot be read.
    #[error("{origin}: {problem}")]
    Source {
        /// The variable.
        origin: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Only on disk, while this keystore is in memory alone.
    #[error(
        "this keystore is kept for this session only, nothing of it is on disk: \
        make one with a passphrase first"
    )]
    SessionOnly,
    /// The OS keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keystore was rotated, and the OS keyring could not be told.
    #[error(
        "the keystore has its new identity, but the OS keyring still remembers the old one ({0}); \
        then let it remember the new one (osstack keystore unlock)"
    )]
    KeyringBehind(KeyringError),
    /// A file.
    #[error(transparent)]
    File(atomic_file::Error),
}

impl From<atomic_file::Error> for Error {
    fn from(error: atomic_file::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::WouldBlock => Self::Busy,
            std::io::ErrorKind::FileTooLarge => Self::TooLarge(error.path().to_owned()),
            _ => Self::File(error),
        }
    }
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_string()
}

fn restore_hint(backup: Option<&Path>) -> String {
    match backup {
        Some(backup) => {
            // as it can be pasted into a shell
            let backup = shell::quote(&shown(backup));
            format!("the newest good backup is {backup}; osstack keystore restore {backup}")
        }
        None => "no backup beside it opens; restore one of your own (osstack keystore restore)"
            .to_owned(),
    }
}
