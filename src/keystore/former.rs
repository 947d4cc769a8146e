//! What a commit replaced in `ZenML`, sealed until the commit has ended: former values of secrets
//! may not lie anywhere else, and without them nothing could be taken back after a kill.

use super::{Error, Keystore};
use crate::base::secret_string::SecretString;

impl Keystore {
    /// Keeps the JSON `text` of the thing `key` for the commit `commit`.
    pub fn put_former(&self, commit: &str, key: &str, text: SecretString) -> Result<(), Error> {
        self.change(|document| {
            document.former.insert(place(commit, key), text);
            Ok(())
        })
    }

    /// What [`Keystore::put_former`] kept.
    pub fn former(&self, commit: &str, key: &str) -> Result<Option<SecretString>, Error> {
        let place = place(commit, key);
        self.with_document(|document| Ok(document.former.get(&place).map(SecretString::duplicate)))
    }

    /// Forgets all that was kept for `commit`; where nothing was, nothing is written.
    pub fn forget_former(&self, commit: &str) -> Result<(), Error> {
        let of_commit = place(commit, "");
        let is_kept = |key: &String| key.starts_with(&of_commit);
        if !self.with_document(|document| Ok(document.former.keys().any(is_kept)))? {
            return Ok(());
        }
        self.change(|document| {
            document.former.retain(|key, _| !is_kept(key));
            Ok(())
        })
    }
}

fn place(commit: &str, key: &str) -> String {
    format!("{commit} {key}")
}
