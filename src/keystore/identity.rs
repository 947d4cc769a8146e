//! The key that opens the secrets.

use std::path::Path;

use age::secrecy::ExposeSecret;

use super::error::Error;
use super::sealed_file::{self, Plain, Refusal};
use crate::base::atomic_file;
use crate::base::secret_string::SecretString;

/// An X25519 identity of the age format (`AGE-SECRET-KEY-1…`).
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl Identity {
    /// A new one, from the system's randomness.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// The identity in the text of an identity file: the one line that is neither blank nor a
    /// comment.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identity = lines.next()?.parse().ok()?;
        lines.next().is_none().then_some(Self(identity))
    }

    /// The text of an identity file.
    pub fn to_text(&self) -> SecretString {
        SecretString::new(format!("{}\n", self.0.to_string().expose_secret()))
    }

    /// Writes the identity, **unsealed**, to a new file for its owner alone: for machines that
    /// are given `OSSTACK_IDENTITY_FILE`, and for the demo. `random` names a temporary file.
    pub fn write_unsealed(&self, path: &Path, random: u64) -> Result<(), Error> {
        let text = self.to_text();
        let options = atomic_file::Options::default();
        Ok(atomic_file::write_new(path, text.expose().as_bytes(), random, &options)?)
    }

    /// The public half, as age writes recipients.
    pub fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    pub(super) fn to_public(&self) -> age::x25519::Recipient {
        self.0.to_public()
    }

    pub(super) fn open(&self, sealed: &[u8]) -> Result<Plain, Refusal> {
        sealed_file::open(sealed, &self.0)
    }

    /// `identity.age`: the text sealed with a passphrase.
    pub(super) fn seal(
        &self,
        passphrase: &SecretString,
        work_factor: u8,
    ) -> Result<Vec<u8>, Error> {
        let passphrase = sealed_file::passphrase(passphrase, "the new passphrase")?;
        let recipient = sealed_file::passphrase_recipient(passphrase, work_factor);
        sealed_file::seal(self.to_text().expose().as_bytes(), &[&recipient])
    }

    /// The identity in `sealed`, the content of `path`.
    pub(super) fn unseal(
        sealed: &[u8],
        passphrase: &SecretString,
        path: &Path,
    ) -> Result<Self, Error> {
        let passphrase = sealed_file::passphrase(passphrase, "the passphrase")?;
        let plain = sealed_file::open(sealed, &sealed_file::passphrase_identity(passphrase))
            .map_err(|refusal| refusal.about(path, Error::WrongPassphrase))?;
        std::str::from_utf8(&plain)
            .ok()
            .and_then(Self::parse)
            .ok_or_else(|| Error::NotAKeystore(path.to_owned()))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity([redacted])")
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.to_text() == other.to_text()
    }
}
