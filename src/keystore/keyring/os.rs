//! The Secret Service of Linux desktops, over D-Bus.

use std::sync::mpsc;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};

use super::{Keyring, KeyringError};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;

/// A keyring that did not answer by then counts as absent.
const LIMIT: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug)]
pub(super) struct OsKeyring;

impl Keyring for OsKeyring {
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        let account = account.to_owned();
        within(LIMIT, move || match entry(&account)?.get_password() {
            Ok(value) => Ok(Some(SecretString::new(value))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(&error)),
        })
    }

    fn set(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        let (account, value) = (account.to_owned(), value.duplicate());
        within(LIMIT, move || {
            entry(&account)?.set_password(value.expose()).map_err(|error| explain(&error))
        })
    }

    fn delete(&self, account: &str) -> Result<(), KeyringError> {
        let account = account.to_owned();
        within(LIMIT, move || match entry(&account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(explain(&error)),
        })
    }
}

fn entry(account: &str) -> Result<Entry, KeyringError> {
    let store = zbus_secret_service_keyring_store::Store::new()
        .map_err(|error| KeyringError::NoService(root_cause(&error)))?;
    store.build("osstack", account, None).map_err(|error| explain(&error))
}

/// The library folds the Secret Service's errors into a few kinds; their text tells them apart.
fn explain(error: &Error) -> KeyringError {
    let text = root_cause(error);
    match error {
        Error::NoStorageAccess(_) if text.contains("dismissed") => KeyringError::Dismissed,
        Error::NoStorageAccess(_) => KeyringError::Locked,
        _ => KeyringError::Other(text),
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    visible(&cause.to_string()).into_string()
}

/// Runs `ask` on its own thread; one that never ends is left behind.
fn within<T: Send + 'static>(
    limit: Duration,
    ask: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let (answer, answered) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("keyring".into())
        .spawn(move || {
            let _nobody_waits_any_more = answer.send(ask());
        })
        .map_err(|error| KeyringError::Other(error.to_string()))?;
    match answered.recv_timeout(limit) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(KeyringError::Slow),
        // the thread panicked inside the keyring's library
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(KeyringError::Other("it broke off".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_hangs_is_given_up() {
        let (_never_sent, held) = mpsc::channel::<()>();
        let hangs = move || held.recv().map_err(|_| KeyringError::Locked);
        assert_eq!(within(Duration::from_millis(5), hangs), Err(KeyringError::Slow));
    }

    #[test]
    fn one_that_breaks_is_an_error() {
        let answer: Result<(), _> = within(LIMIT, || panic!("a library's fault"));
        assert_eq!(answer, Err(KeyringError::Other("it broke off".into())));
    }

    #[test]
    fn refusals_are_told_apart() {
        let no_access = |text: &str| Error::NoStorageAccess(text.into());
        assert_eq!(explain(&no_access("SS error: prompt dismissed")), KeyringError::Dismissed);
        assert_eq!(explain(&no_access("SS Error: object locked")), KeyringError::Locked);
        let failure = Error::PlatformFailure("a\u{1b}b".into());
        let KeyringError::Other(text) = explain(&failure) else { panic!("{failure:?}") };
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    #[ignore = "asks the keyring of the machine it runs on"]
    fn this_machine_answers() {
        println!("{:?}", OsKeyring.get("no such account"));
    }
}
