//! What is done to the keystore as a whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::document::Document;
use super::error::Error;
use super::files::{Stamp, read_sealed};
use super::identity::Identity;
use super::keyring::KeyringError;
use super::sealed_file::{self, Refusal, SealedTo};
use super::source::KeySource;
use super::{Keystore, Loose};
use crate::base::atomic_file;
use crate::base::secret_string::SecretString;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// All that the passphrase needs.
    Both,
    /// The secrets; their identity is kept elsewhere.
    SecretsAlone,
}

impl Keystore {
    /// Seals the identity with another passphrase; `secrets.age` stays as it is. The keystore
    /// must be open.
    ///
    /// Backups of `identity.age` still open with the old passphrase, to the same identity: after
    /// a leak, [`Keystore::rotate`] and [`Keystore::purge_backups`].
    pub fn change_passphrase(&self, new: &SecretString) -> Result<(), Error> {
        let (identity, stamp) = self.open_identity()?;
        let sealed = identity.seal(new, self.settings.work_factor)?;
        self.refuse_loose()?;
        let _lock = self.lock_files()?;
        self.read_again(&identity, stamp)?;
        self.write(&self.identity, &sealed)?;
        self.reopen(identity)
    }

    /// Gives the keystore a new identity under the same passphrase, and seals the secrets to it.
    /// Backups keep the old one. With [`Error::KeyringBehind`] that is done, and the OS keyring
    /// still remembers the old identity.
    pub fn rotate(&self, passphrase: &SecretString) -> Result<(), Error> {
        let new = self.rotate_files(passphrase)?;
        if self.is_remembered() == Ok(true) {
            let told = self.keyring.set(&self.account(), &new.to_text());
            told.map_err(Error::KeyringBehind)?;
        }
        Ok(())
    }

    /// Refuses to ask for a passphrase that opens nothing: the secrets, of here or of the backup
    /// `from`, were sealed to an identity that is kept elsewhere.
    pub fn refuse_kept_elsewhere(&self, from: Option<&Path>) -> Result<(), Error> {
        let [secrets, identity] = match from {
            Some(folder) if folder.is_dir() => self.both_in(folder),
            Some(file) if is_sealed_identity(file) => return Ok(()),
            _ => [self.secrets.clone(), self.identity.clone()],
        };
        // one that was lost left backups
        let is_sealed = identity.symlink_metadata().is_ok()
            || !atomic_file::backups(&identity).is_empty()
            || secrets.symlink_metadata().is_err();
        if is_sealed { Ok(()) } else { Err(Error::KeptElsewhere(identity)) }
    }

    fn both_in(&self, folder: &Path) -> [PathBuf; 2] {
        [&self.secrets, &self.identity].map(|own| folder.join(own.file_name().unwrap_or_default()))
    }

    fn rotate_files(&self, passphrase: &SecretString) -> Result<Identity, Error> {
        self.refuse_absent()?;
        self.refuse_kept_elsewhere(None)?;
        self.refuse_loose()?;
        let _lock = self.lock_files()?;
        let old = self.unseal_identity(passphrase)?;
        let mut document = self.read_document(&old)?;
        let new = Identity::generate();
        let sealed = new.seal(passphrase, self.settings.work_factor)?;
        document.generation += 1;
        // sealed to both until identity.age has changed: at each moment the two files fit
        self.write_sealed(&document, &[&old, &new])?;
        self.write(&self.identity, &sealed)?;
        self.write_sealed(&document, &[&new])?;
        self.set_open(new.clone(), document);
        Ok(new)
    }

    /// Writes all secrets, **sealed with `passphrase`**, to the new file `path`; `age -d` shows
    /// them as JSON.
    pub fn export(&self, path: &Path, passphrase: &SecretString) -> Result<(), Error> {
        let passphrase = sealed_file::passphrase(passphrase, "the passphrase of the export")?;
        let plain = self.with_document(Document::to_plain)?;
        let recipient = sealed_file::passphrase_recipient(passphrase, self.settings.work_factor);
        let sealed = sealed_file::seal(&plain, &[&recipient])?;
        self.write_copy(path, &sealed)
    }

    /// Copies both files, sealed as they are, to the folder `path`, which may not hold others of
    /// that name. What would not open again is refused, as far as that can be told: of an open
    /// keystore by opening it, else by the files' form. `opened_by` is what opened it, where
    /// anything did: only the identity of [`KeySource::IdentityFile`] may lie elsewhere.
    pub fn backup(&self, path: &Path, opened_by: Option<KeySource>) -> Result<Copied, Error> {
        self.refuse_absent()?;
        let _lock = self.lock_files()?;
        let is_elsewhere =
            opened_by == Some(KeySource::IdentityFile) && self.identity.symlink_metadata().is_err();
        let identity = if is_elsewhere {
            None
        } else {
            Some(fit_to_copy(&self.identity, SealedTo::Passphrase)?)
        };
        let secrets = fit_to_copy(&self.secrets, SealedTo::Identity)?;
        if let Ok((identity, _)) = self.open_identity() {
            self.read_document(&identity)?;
        }
        let copied = if is_elsewhere { Copied::SecretsAlone } else { Copied::Both };
        let [to_secrets, to_identity] = self.both_in(path);
        for taken in [&to_secrets, &to_identity] {
            if taken.symlink_metadata().is_ok() {
                let error = std::io::ErrorKind::AlreadyExists.into();
                return Err(atomic_file::Error::new("write", taken, error).into());
            }
        }
        if let Some(identity) = identity {
            self.write_copy(&to_identity, &identity)?;
        }
        self.write_copy(&to_secrets, &secrets).inspect_err(|_| {
            // half a backup looks like one
            let _gone = fs::remove_file(&to_identity);
        })?;
        Ok(copied)
    }

    /// Takes the secrets from `path`: a folder made by [`Keystore::backup`], one file
    /// `secrets.age.bak.N` of the present identity, or one file `identity.age.bak.N`, with the
    /// newest secrets beside it that it opens. `passphrase` is the one of that identity. All is
    /// opened before anything is replaced; what is replaced stays as a backup.
    pub fn restore(&self, path: &Path, passphrase: &SecretString) -> Result<(), Error> {
        self.refuse_loose()?;
        self.refuse_kept_elsewhere(Some(path))?;
        let [secrets, sealed_identity] = if path.is_dir() {
            self.both_in(path).map(Some)
        } else if is_sealed_identity(path) {
            [None, Some(path.to_owned())]
        } else {
            [Some(path.to_owned()), None]
        };
        let is_new = sealed_identity.is_some();
        let sealed_identity = sealed_identity.unwrap_or_else(|| self.identity.clone());
        let sealed = atomic_file::read(&sealed_identity, sealed_file::MAX_BYTES)?
            .ok_or_else(|| Error::Missing { path: sealed_identity.clone(), backup: None })?;
        let identity = Identity::unseal(&sealed, passphrase, &sealed_identity)?;
        let secrets = secrets
            .or_else(|| self.secrets_of(&identity))
            .ok_or_else(|| Error::WrongIdentity(self.secrets.clone()))?;
        let mut document = read_sealed(&secrets, &identity)?;
        let _lock = self.lock_files()?;
        let former = if is_new { self.present_identity(&identity, passphrase) } else { None };
        self.number_anew(&mut document, former.as_ref().unwrap_or(&identity));
        // as when rotating: sealed to both until identity.age has changed. Where nobody can open
        // the present secrets, these still come first: cut off here, the former identity finds
        // them damaged and the backup of its own
        let both: Vec<&Identity> = former.iter().chain([&identity]).collect();
        self.write_sealed(&document, &both)?;
        if is_new {
            self.write(&self.identity, &sealed)?;
        }
        if former.is_some() {
            self.write_sealed(&document, &[&identity])?;
        }
        self.set_open(identity, document);
        Ok(())
    }

    /// The same where the identity is kept elsewhere: `path` is a folder made by
    /// [`Keystore::backup`], or one file `secrets.age.bak.N`, that `identity` opens.
    pub fn restore_with_identity(&self, path: &Path, identity: Identity) -> Result<(), Error> {
        self.refuse_loose()?;
        let whole = path.is_dir().then(|| self.both_in(path));
        let secrets = whole.map_or_else(|| path.to_owned(), |[secrets, _]| secrets);
        let mut document = read_sealed(&secrets, &identity)?;
        let _lock = self.lock_files()?;
        self.number_anew(&mut document, &identity);
        self.write_sealed(&document, &[&identity])?;
        self.set_open(identity, document);
        Ok(())
    }

    /// Never a number that was already used, where the present one can still be read.
    fn number_anew(&self, document: &mut Document, present: &Identity) {
        if let Ok(present) = read_sealed(&self.secrets, present) {
            document.generation = document.generation.max(present.generation);
        }
        document.generation += 1;
    }

    /// The identity that opens the secrets of now, where it is another than `new`: from memory, or
    /// by `passphrase`.
    fn present_identity(&self, new: &Identity, passphrase: &SecretString) -> Option<Identity> {
        let opens = |identity: &Identity| read_sealed(&self.secrets, identity).is_ok();
        if opens(new) {
            return None;
        }
        let in_memory = self.open_identity().ok().map(|(identity, _)| identity);
        in_memory.filter(opens).or_else(|| self.unseal_identity(passphrase).ok().filter(opens))
    }

    /// Deletes the numbered backups of both files, which open with former passphrases and hold
    /// deleted secrets. Answers how many went.
    pub fn purge_backups(&self) -> Result<usize, Error> {
        let _lock = self.lock_files()?;
        let all: Vec<PathBuf> = [&self.secrets, &self.identity]
            .into_iter()
            .flat_map(|path| atomic_file::backups(path))
            .collect();
        for backup in &all {
            fs::remove_file(backup)
                .map_err(|error| atomic_file::Error::new("delete", backup, error))?;
        }
        Ok(all.len())
    }

    /// The `chmod` that [`Error::Permission`] speaks of; answers what was changed.
    pub fn tighten_permissions(&self) -> Result<Vec<Loose>, Error> {
        let loose = self.loose();
        for Loose { path, wanted, .. } in &loose {
            fs::set_permissions(path, Permissions::from_mode(*wanted))
                .map_err(|error| atomic_file::Error::new("change the mode of", path, error))?;
        }
        Ok(loose)
    }

    /// Lets the OS keyring remember the identity: [`Keystore::unlock_from_env`] then needs no
    /// passphrase.
    pub fn remember_in_keyring(&self) -> Result<(), Error> {
        let (identity, _) = self.open_identity()?;
        Ok(self.keyring.set(&self.account(), &identity.to_text())?)
    }

    /// Makes the OS keyring forget.
    pub fn forget(&self) -> Result<(), Error> {
        Ok(self.keyring.delete(&self.account())?)
    }

    /// Whether the OS keyring remembers an identity; asks it.
    pub fn is_remembered(&self) -> Result<bool, KeyringError> {
        Ok(self.keyring.get(&self.account())?.is_some())
    }

    /// A new file for the owner alone.
    fn write_copy(&self, path: &Path, sealed: &[u8]) -> Result<(), Error> {
        let options = atomic_file::Options::default();
        Ok(atomic_file::write_new(path, sealed, self.entropy.next_u64(), &options)?)
    }

    pub(super) fn open_identity(&self) -> Result<(Identity, Option<Stamp>), Error> {
        let state = self.opened();
        let open = state.as_ref().ok_or(Error::Locked)?;
        if open.session {
            return Err(Error::SessionOnly);
        }
        Ok((open.identity.clone(), open.identity_stamp))
    }

    fn reopen(&self, identity: Identity) -> Result<(), Error> {
        let document = self.read_document(&identity)?;
        self.set_open(identity, document);
        Ok(())
    }
}

/// The content of `path`, which has the form of what is sealed to `wanted`.
fn fit_to_copy(path: &Path, wanted: SealedTo) -> Result<Vec<u8>, Error> {
    let unfit = |problem| Error::NotCopied { path: path.to_owned(), problem };
    let sealed = atomic_file::read(path, sealed_file::MAX_BYTES)?;
    let sealed = sealed.ok_or_else(|| unfit("missing"))?;
    match sealed_file::look(&sealed) {
        Ok(found) if found == wanted => Ok(sealed),
        Ok(SealedTo::Passphrase) => Err(unfit("sealed with a passphrase, as no secrets are")),
        Ok(SealedTo::Identity) => Err(unfit("sealed without a passphrase")),
        Err(Refusal::Foreign) => Err(unfit("no age file")),
        Err(Refusal::Newer(_)) => Err(unfit("of a newer format")),
        Err(_) => Err(unfit("damaged")),
    }
}

/// Whether `path` is one of the files `identity.age`, and not one of secrets.
fn is_sealed_identity(path: &Path) -> bool {
    let sealed = atomic_file::read(path, sealed_file::MAX_BYTES).ok().flatten();
    sealed.is_some_and(|sealed| sealed_file::look(&sealed) == Ok(SealedTo::Passphrase))
}
