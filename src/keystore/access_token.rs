//! The access token that a sign-in at `ZenML` brought, kept for the next run: `ZenML` takes most
//! of a second to tell an API key from a wrong one.
//!
//! Each connection has a small file of its own, sealed to the identity. It is no part of the
//! document: tokens come and go with each run, and would push the backups of secrets out.

use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::document::secret_string;
use super::{Error, Keystore, sealed_file};
use crate::base::atomic_file;
use crate::base::secret_string::SecretString;

#[derive(Serialize)]
struct Write<'a> {
    url: &'a str,
    token: &'a str,
}

#[derive(Deserialize)]
struct Read {
    url: String,
    #[serde(deserialize_with = "secret_string")]
    token: SecretString,
}

impl Keystore {
    /// Keeps the access token for the server at `url` in the file `path`. A keystore that is never
    /// written to disk keeps none.
    pub fn put_access_token(
        &self,
        path: &Path,
        url: &str,
        token: &SecretString,
    ) -> Result<(), Error> {
        let identity = match self.opened().as_ref() {
            None => return Err(Error::Locked),
            Some(open) if open.session => return Ok(()),
            Some(open) => open.identity.clone(),
        };
        let capacity = url.len() + token.expose().len() * 2 + 64;
        let mut plain = Zeroizing::new(Vec::with_capacity(capacity));
        let text = Write { url, token: token.expose() };
        serde_json::to_writer(&mut *plain, &text).map_err(|_| Error::Full)?;
        let sealed = sealed_file::seal(&plain, &[&identity.to_public()])?;
        let options = atomic_file::Options::default();
        Ok(atomic_file::write(path, &sealed, self.entropy.next_u64(), &options)?)
    }

    /// The access token for the server at `url` that the file `path` keeps. Nothing where there
    /// is none, or one for another server, or one that this identity does not open: signing in
    /// anew brings another.
    pub fn access_token(&self, path: &Path, url: &str) -> Result<Option<SecretString>, Error> {
        let identity = match self.opened().as_ref() {
            None => return Err(Error::Locked),
            Some(open) => open.identity.clone(),
        };
        let Some(sealed) = atomic_file::read(path, sealed_file::MAX_BYTES)? else {
            return Ok(None);
        };
        let Ok(plain) = identity.open(&sealed) else { return Ok(None) };
        let read = serde_json::from_slice::<Read>(&plain).ok();
        Ok(read.filter(|read| read.url == url).map(|read| read.token))
    }
}
