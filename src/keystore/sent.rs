//! What a `ZenML` was last sent, for where it does not show it again: as digests, which lie in the
//! sealed document and never leave it. An access key has entropy enough that its digest, sealed
//! beside the keys themselves, needs no key of its own.

use sha2::{Digest as _, Sha256};

use super::{Error, Keystore};
use crate::model::secret::Credentials;

impl Keystore {
    /// Keeps that the secret `id` of the server `server` was given these values.
    pub fn put_sent(&self, server: &str, id: &str, values: &Credentials) -> Result<(), Error> {
        if self.was_sent(server, id, values)? {
            return Ok(());
        }
        self.change(|document| {
            document.sent.insert(place(server, id), digest(values));
            Ok(())
        })
    }

    /// Whether these values are what that secret was given last.
    pub fn was_sent(&self, server: &str, id: &str, values: &Credentials) -> Result<bool, Error> {
        self.with_document(|document| {
            Ok(document.sent.get(&place(server, id)) == Some(&digest(values)))
        })
    }

    /// What that secret holds is not known any more. Where nothing was kept, nothing is written.
    pub fn forget_sent(&self, server: &str, id: &str) -> Result<(), Error> {
        let place = place(server, id);
        if !self.with_document(|document| Ok(document.sent.contains_key(&place)))? {
            return Ok(());
        }
        self.change(|document| {
            document.sent.remove(&place);
            Ok(())
        })
    }
}

fn place(server: &str, id: &str) -> String {
    format!("{server} {id}")
}

/// Of the values in ZenML's order; each behind its length, so that none runs into the next.
fn digest(values: &Credentials) -> String {
    let mut digest = Sha256::new();
    for value in values.in_order() {
        digest.update(value.expose().len().to_be_bytes());
        digest.update(value.expose().as_bytes());
    }
    hex::encode(digest.finalize())
}
