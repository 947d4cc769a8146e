//! Keys that need no question: from files, descriptors and the OS keyring.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::Keystore;
use super::error::Error;
use super::files::read_sealed;
use super::identity::Identity;
use super::keyring::KeyringError;
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::ports::env::Env;

const IDENTITY_FILE: &str = "OSSTACK_IDENTITY_FILE";
const PASSPHRASE_FD: &str = "OSSTACK_PASSPHRASE_FD";
const PASSPHRASE_FILE: &str = "OSSTACK_PASSPHRASE_FILE";
/// An identity file is 75 bytes and comments; a passphrase at most 1 KiB.
const MAX_BYTES: usize = 16 << 10;

/// What opened the keystore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `OSSTACK_IDENTITY_FILE`.
    IdentityFile,
    /// `OSSTACK_PASSPHRASE_FD`.
    PassphraseFd,
    /// `OSSTACK_PASSPHRASE_FILE`.
    PassphraseFile,
    /// The OS keyring.
    Keyring,
}

impl Keystore {
    /// Opens with the first of `OSSTACK_IDENTITY_FILE`, `OSSTACK_PASSPHRASE_FD`,
    /// `OSSTACK_PASSPHRASE_FILE` that is set, else with the OS keyring. A source that is set and
    /// wrong is an error; the next is not tried. [`Error::NotGiven`] where there is none: then the
    /// caller may ask for the passphrase, or end with exit code 3.
    pub fn unlock_from_env(&self, env: &Env) -> Result<KeySource, Error> {
        self.refuse_absent()?;
        if let Some(identity) = identity_from_env(env)? {
            self.unlock_with_identity(identity)?;
            return Ok(KeySource::IdentityFile);
        }
        if let Some(passphrase) = passphrase_from_env(env)? {
            self.unlock(&passphrase)?;
            return Ok(if env.is_set(PASSPHRASE_FD) {
                KeySource::PassphraseFd
            } else {
                KeySource::PassphraseFile
            });
        }
        self.refuse_loose()?;
        self.unlock_from_keyring()
    }

    fn unlock_from_keyring(&self) -> Result<KeySource, Error> {
        let remembered = match self.keyring.get(&self.account()) {
            Ok(Some(text)) => text,
            Ok(None) | Err(KeyringError::NotBuilt) => {
                return Err(Error::NotGiven { keyring: None });
            }
            Err(error) => return Err(Error::NotGiven { keyring: Some(error) }),
        };
        let stale = || Error::NotGiven { keyring: Some(KeyringError::Stale) };
        let identity = Identity::parse(remembered.expose()).ok_or_else(stale)?;
        // after a rotation that the keyring did not hear of, backups still open with what it
        // remembers: no reason to call the file damaged and offer them
        if let Err(Error::WrongIdentity(_)) = read_sealed(&self.secrets, &identity) {
            return Err(stale());
        }
        self.unlock_with_identity(identity)?;
        Ok(KeySource::Keyring)
    }
}

/// The passphrase of `OSSTACK_PASSPHRASE_FD`, else of `OSSTACK_PASSPHRASE_FILE`; `None` where
/// neither is set. Also for making a keystore without a terminal. One line break at its end is
/// dropped.
pub fn passphrase_from_env(env: &Env) -> Result<Option<SecretString>, Error> {
    if env.is_set(PASSPHRASE_FD) {
        let given = env.get(PASSPHRASE_FD).unwrap_or_default();
        let number: u32 = given.parse().map_err(|_| Error::Source {
            origin: PASSPHRASE_FD,
            problem: format!("'{}' is no descriptor: give its number, as 3", visible(given)),
        })?;
        let path = format!("/dev/fd/{number}");
        return passphrase(PASSPHRASE_FD, Path::new(&path)).map(Some);
    }
    if env.is_set(PASSPHRASE_FILE) {
        let path = env.path(PASSPHRASE_FILE).unwrap_or_default();
        return passphrase(PASSPHRASE_FILE, &path).map(Some);
    }
    Ok(None)
}

fn passphrase(origin: &'static str, path: &Path) -> Result<SecretString, Error> {
    let text = read(origin, path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Error::Empty(origin.to_owned()));
    }
    Ok(SecretString::new(line.to_owned()))
}

/// The identity in `OSSTACK_IDENTITY_FILE`; `None` where it is not set. Also for making a keystore
/// without a passphrase.
pub fn identity_from_env(env: &Env) -> Result<Option<Identity>, Error> {
    if !env.is_set(IDENTITY_FILE) {
        return Ok(None);
    }
    let path = env.path(IDENTITY_FILE).unwrap_or_default();
    let text = read(IDENTITY_FILE, &path)?;
    Identity::parse(&text).map(Some).ok_or_else(|| Error::Source {
        origin: IDENTITY_FILE,
        problem: format!(
            "{} is no identity: it holds one line AGE-SECRET-KEY-1… (age -d identity.age makes it)",
            visible(&path.to_string_lossy())
        ),
    })
}

fn read(origin: &'static str, path: &Path) -> Result<Zeroizing<String>, Error> {
    let shown = visible(&path.to_string_lossy());
    let problem = |problem: String| Error::Source { origin, problem };
    if path.as_os_str().is_empty() {
        return Err(problem("it is set to nothing: set it to a path, or unset it".into()));
    }
    let unreadable =
        |error: std::io::Error| problem(format!("cannot read {shown}: {error}; check the path"));
    let file = File::open(path).map_err(unreadable)?;
    if file.is_terminal() {
        return Err(problem(format!("{shown} is a terminal: give a pipe or a file")));
    }
    // preallocated: a buffer that grows would leave copies behind
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MAX_BYTES));
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::LongPassphrase(origin.to_owned()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        problem(format!("{shown} is not UTF-8 text: check that it is the right file"))
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}
