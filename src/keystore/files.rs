//! The two files: their modes, their lock, reading and replacing them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::document::{Document, Unreadable};
use super::error::Error;
use super::identity::Identity;
use super::sealed_file::{self, Refusal};
use super::{Keystore, Loose};
use crate::base::atomic_file;
use crate::base::secret_string::SecretString;

/// Former contents kept beside each file.
const BACKUPS: usize = 5;

/// Tells one content of a file from another without reading it: each write makes a new inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64, u64, u64, i64, i64);

impl Stamp {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self(meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
    }
}

impl Keystore {
    pub(super) fn exists(&self) -> bool {
        // a dangling link is something, too
        [&self.secrets, &self.identity].into_iter().any(|path| path.symlink_metadata().is_ok())
    }

    pub(super) fn refuse_absent(&self) -> Result<(), Error> {
        if self.exists() { Ok(()) } else { Err(Error::Absent) }
    }

    pub(super) fn refuse_existing(&self) -> Result<(), Error> {
        if self.exists() { Err(Error::Exists(self.secrets.clone())) } else { Ok(()) }
    }

    pub(super) fn loose(&self) -> Vec<Loose> {
        let folder = self.secrets.parent().map(|folder| (folder, 0o700));
        let files = [(self.secrets.as_path(), 0o600), (self.identity.as_path(), 0o600)];
        let checked = folder.into_iter().chain(files).filter_map(|(path, wanted)| {
            let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
            (mode & 0o077 != 0).then(|| Loose { path: path.to_owned(), mode, wanted })
        });
        checked.collect()
    }

    pub(super) fn refuse_loose(&self) -> Result<(), Error> {
        match self.loose().into_iter().next() {
            Some(Loose { path, mode, wanted }) => Err(Error::Permission { path, mode, wanted }),
            None => Ok(()),
        }
    }

    pub(super) fn lock_files(&self) -> Result<atomic_file::Lock, Error> {
        Ok(atomic_file::lock(&self.secrets, self.settings.lock_wait, 0o700)?)
    }

    pub(super) fn write(&self, path: &Path, sealed: &[u8]) -> Result<(), Error> {
        let options = atomic_file::Options { backups: BACKUPS, ..Default::default() };
        Ok(atomic_file::write(path, sealed, self.entropy.next_u64(), &options)?)
    }

    pub(super) fn unseal_identity(&self, passphrase: &SecretString) -> Result<Identity, Error> {
        let unseal = |path: &Path| match atomic_file::read(path, sealed_file::MAX_BYTES)? {
            Some(sealed) => Identity::unseal(&sealed, passphrase, path),
            None => Err(Error::Missing { path: path.to_owned(), backup: None }),
        };
        // an identity that opens nothing any more would not help
        let is_good = |backup: &PathBuf| {
            unseal(backup).is_ok_and(|identity| self.secrets_of(&identity).is_some())
        };
        let good_backup = || atomic_file::backups(&self.identity).into_iter().find(is_good);
        unseal(&self.identity).map_err(|error| match error {
            Error::Damaged { path, .. } => Error::Damaged { path, backup: good_backup() },
            Error::Missing { path, .. } => Error::Missing { path, backup: good_backup() },
            other => other,
        })
    }

    /// The file of secrets that `identity` opens: the one of now, else the newest backup.
    pub(super) fn secrets_of(&self, identity: &Identity) -> Option<PathBuf> {
        let backups = atomic_file::backups(&self.secrets);
        let mut files = std::iter::once(self.secrets.clone()).chain(backups);
        files.find(|path| read_sealed(path, identity).is_ok())
    }

    /// What `secrets.age` holds now.
    pub(super) fn read_document(&self, identity: &Identity) -> Result<Document, Error> {
        let good_backup = || self.secrets_of(identity);
        match read_sealed(&self.secrets, identity) {
            Err(Error::Damaged { path, .. }) => Err(Error::Damaged { path, backup: good_backup() }),
            // age cannot tell another key from an altered header; a backup that opens can
            Err(Error::WrongIdentity(path)) => Err(match good_backup() {
                Some(backup) => Error::Damaged { path, backup: Some(backup) },
                None => Error::WrongIdentity(path),
            }),
            Err(Error::Missing { path, .. }) if atomic_file::backups(&path).is_empty() => {
                // creation was cut off after identity.age
                Ok(Document::default())
            }
            Err(Error::Missing { path, .. }) => Err(Error::Missing { path, backup: good_backup() }),
            other => other,
        }
    }

    pub(super) fn write_document(
        &self,
        document: &mut Document,
        identity: &Identity,
    ) -> Result<(), Error> {
        document.generation += 1;
        self.write_sealed(document, &[identity])
    }

    /// Seals `document` to all `identities`, and makes sure that each opens it before it replaces
    /// anything.
    pub(super) fn write_sealed(
        &self,
        document: &Document,
        identities: &[&Identity],
    ) -> Result<(), Error> {
        let plain = document.to_plain()?;
        let recipients: Vec<_> = identities.iter().map(|identity| identity.to_public()).collect();
        let recipients: Vec<&dyn age::Recipient> =
            recipients.iter().map(|recipient| recipient as _).collect();
        let sealed = sealed_file::seal(&plain, &recipients)?;
        for identity in identities {
            if identity.open(&sealed).as_ref() != Ok(&plain) {
                return Err(Error::WrongIdentity(self.secrets.clone()));
            }
        }
        self.write(&self.secrets, &sealed)
    }
}

/// The document in the sealed file `path`.
pub(super) fn read_sealed(path: &Path, identity: &Identity) -> Result<Document, Error> {
    let sealed = atomic_file::read(path, sealed_file::MAX_BYTES)?
        .ok_or_else(|| Error::Missing { path: path.to_owned(), backup: None })?;
    let plain = identity
        .open(&sealed)
        .map_err(|refusal: Refusal| refusal.about(path, Error::WrongIdentity(path.to_owned())))?;
    Document::parse(&plain).map_err(|unreadable| match unreadable {
        Unreadable::Newer(found) => {
            Error::Newer { path: path.to_owned(), found: found.to_string() }
        }
        Unreadable::Foreign => Error::NotAKeystore(path.to_owned()),
    })
}
