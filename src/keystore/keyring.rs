//! The keyring of the desktop, which may remember the identity.
//!
//! It is a convenience: `identity.age` with its passphrase always exists, so losing the keyring
//! loses nothing. A keyring may ask the user, hang, or not be there; each call runs on a thread
//! of its own and is waited for three seconds.

use std::fmt::Debug;
use std::sync::Arc;

use crate::base::secret_string::SecretString;

/// Where an identity can be remembered, by account.
pub trait Keyring: Debug + Send + Sync {
    /// What is remembered.
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError>;
    /// Remembers `value`.
    fn set(&self, account: &str, value: &SecretString) -> Result<(), KeyringError>;
    /// Forgets; fine where there is nothing.
    fn delete(&self, account: &str) -> Result<(), KeyringError>;
}

/// Why the keyring did not help. The passphrase always does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Built without the feature `keyring`, or on a system that has none we know.
    #[error("this osstack was built without a keyring: use the passphrase")]
    NotBuilt,
    /// No bus, or no service on it.
    #[error("no keyring runs here ({0}): use the passphrase")]
    NoService(String),
    /// Nobody unlocked it.
    #[error("the OS keyring is locked: unlock it, or use the passphrase")]
    Locked,
    /// The user said no.
    #[error("the OS keyring's question was dismissed: use the passphrase")]
    Dismissed,
    /// No answer within the limit.
    #[error("the OS keyring did not answer within 3 s: use the passphrase")]
    Slow,
    /// What it remembers opens nothing (any more).
    #[error(
        "the OS keyring remembers an identity of another keystore: use the passphrase, \
        then let it remember again (osstack keystore unlock)"
    )]
    Stale,
    /// Anything else it says.
    #[error("the OS keyring says: {0}; use the passphrase")]
    Other(String),
}

/// No keyring at all: tests, the demo, builds without the feature.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeyring;

impl Keyring for NoKeyring {
    fn get(&self, _: &str) -> Result<Option<SecretString>, KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn set(&self, _: &str, _: &SecretString) -> Result<(), KeyringError> {
        Err(KeyringError::NotBuilt)
    }

    fn delete(&self, _: &str) -> Result<(), KeyringError> {
        Err(KeyringError::NotBuilt)
    }
}

/// The keyring of this system.
pub fn of_system() -> Arc<dyn Keyring> {
    #[cfg(feature = "keyring")]
    return Arc::new(os::OsKeyring);
    #[cfg(not(feature = "keyring"))]
    Arc::new(NoKeyring)
}

#[cfg(feature = "keyring")]
mod os;
