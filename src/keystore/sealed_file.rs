//! age files: sealing, opening, and telling what is wrong with one that does not open.

use std::io::{Read, Write};
use std::path::Path;

use age::secrecy::SecretString as AgeString;
use age::{DecryptError, Decryptor, Encryptor, Recipient};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::error::Error;
use crate::base::secret_string::SecretString;

/// No file of the keystore is larger.
pub(super) const MAX_BYTES: u64 = 16 << 20;
/// The scrypt work factor of files we write: about 0.3 s and 128 MiB (measured; age's own choice
/// of 20 took 2.3 s and 1 GiB).
pub(super) const WORK_FACTOR: u8 = 17;
/// A file that asks for more is refused before the work.
const MAX_WORK_FACTOR: u8 = 20;
const MAX_PASSPHRASE: usize = 1024;

/// Bytes that are wiped on drop.
pub(super) type Plain = Zeroizing<Vec<u8>>;

/// A passphrase as it is used: NFC, so that é typed on any keyboard is the same é.
pub(super) fn passphrase(given: &SecretString, origin: &str) -> Result<AgeString, Error> {
    if given.is_empty() {
        return Err(Error::Empty(origin.to_owned()));
    }
    if given.expose().len() > MAX_PASSPHRASE {
        return Err(Error::LongPassphrase(origin.to_owned()));
    }
    // NFC makes a text at most three times as long: no reallocation leaves a copy behind
    let mut normal = String::with_capacity(given.expose().len() * 3);
    normal.extend(given.expose().nfc());
    Ok(AgeString::from(normal))
}

/// The recipient that stands for `passphrase`.
pub(super) fn passphrase_recipient(
    passphrase: AgeString,
    work_factor: u8,
) -> age::scrypt::Recipient {
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(work_factor.clamp(1, MAX_WORK_FACTOR));
    recipient
}

/// The identity that stands for `passphrase`.
pub(super) fn passphrase_identity(passphrase: AgeString) -> age::scrypt::Identity {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    identity
}

/// Seals `plain` to all `recipients`.
pub(super) fn seal(plain: &[u8], recipients: &[&dyn Recipient]) -> Result<Vec<u8>, Error> {
    let mut sealed = Vec::with_capacity(plain.len() + 1024);
    let encryptor = Encryptor::with_recipients(recipients.iter().copied());
    // writing to memory cannot fail, and neither of our kinds of recipients refuses
    let failed = |_| Error::Full;
    let mut writer =
        encryptor.map_err(|_| Error::Full)?.wrap_output(&mut sealed).map_err(failed)?;
    writer.write_all(plain).map_err(failed)?;
    writer.finish().map_err(failed)?;
    if u64::try_from(sealed.len()).is_ok_and(|size| size > MAX_BYTES) {
        return Err(Error::Full);
    }
    Ok(sealed)
}

/// Why a file does not open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not the key, or its part of the header was altered: age cannot tell.
    Key,
    /// The content is broken.
    Damaged,
    /// A later format.
    Newer(String),
    /// No age file.
    Foreign,
    /// Too much work.
    Work(u8),
}

impl Refusal {
    /// As an error about `path`, where the key is not what is wrong.
    pub(super) fn about(self, path: &Path, key: Error) -> Error {
        let path = path.to_owned();
        match self {
            Self::Key => key,
            Self::Damaged => Error::Damaged { path, backup: None },
            Self::Newer(found) => Error::Newer { path, found },
            Self::Foreign => Error::NotAKeystore(path),
            Self::Work(factor) => Error::ExcessiveWork { path, factor },
        }
    }
}

/// What a file is sealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SealedTo {
    /// A passphrase, as `identity.age`.
    Passphrase,
    /// An identity, as `secrets.age`.
    Identity,
}

/// Looks at `sealed` as far as one can without a key: a whole header, and a content that is not
/// cut off in its first tag.
pub(super) fn look(sealed: &[u8]) -> Result<SealedTo, Refusal> {
    /// The tag of a chunk of the content, in bytes (age specification, "Payload").
    const TAG: usize = 16;
    check_magic(sealed)?;
    let mut content = sealed;
    let decryptor = Decryptor::new_buffered(&mut content).map_err(|_| Refusal::Damaged)?;
    let by_passphrase = decryptor.is_scrypt();
    drop(decryptor);
    if content.len() <= TAG {
        return Err(Refusal::Damaged);
    }
    Ok(if by_passphrase { SealedTo::Passphrase } else { SealedTo::Identity })
}

/// Opens `sealed` with `identity`.
pub(super) fn open(sealed: &[u8], identity: &dyn age::Identity) -> Result<Plain, Refusal> {
    check_magic(sealed)?;
    let refused = |error| match error {
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => Refusal::Key,
        DecryptError::ExcessiveWork { required, .. } => Refusal::Work(required),
        _ => Refusal::Damaged,
    };
    let decryptor = Decryptor::new_buffered(sealed).map_err(refused)?;
    let mut reader = decryptor.decrypt(std::iter::once(identity)).map_err(refused)?;
    // the plain text is shorter than the sealed: no reallocation leaves a copy behind
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut plain).map_err(|_| Refusal::Damaged)?;
    Ok(plain)
}

/// Tells what is no age file from what is one of a later version.
fn check_magic(sealed: &[u8]) -> Result<(), Refusal> {
    const MAGIC: &[u8] = b"age-encryption.org/";
    if sealed.is_empty() || (sealed.len() < MAGIC.len() && MAGIC.starts_with(sealed)) {
        return Err(Refusal::Damaged);
    }
    let version = sealed.strip_prefix(MAGIC).ok_or(Refusal::Foreign)?;
    let version = version.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match version {
        b"v1" => Ok(()),
        // `v` and digits is a version; anything else is a broken line
        [b'v', digits @ ..]
            if (1..4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) =>
        {
            Err(Refusal::Newer(String::from_utf8_lossy(version).into_owned()))
        }
        _ => Err(Refusal::Damaged),
    }
}
