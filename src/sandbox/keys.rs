//! The two keys that the sandbox knows.

use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3ErrorCode, S3Result};

use crate::base::secret_string::SecretString;
use crate::model::secret::Credentials;

/// A RAM user's key and a temporary one with its token. They open nothing but
/// a sandbox on this machine.
#[derive(Debug)]
pub struct Keys {
    permanent: Credentials,
    temporary: Credentials,
}

/// Fixed, so that a demo's catalog and a test's environment can name them.
impl Default for Keys {
    fn default() -> Self {
        let secret = |text: &str| SecretString::new(text.to_owned());
        Self {
            permanent: Credentials {
                access_key_id: "LTAI5tSandboxSandbox0001".to_owned(),
                secret_access_key: secret("sandboxSANDBOX0123456789secret"),
                session_token: None,
                expires_at: None,
            },
            temporary: Credentials {
                access_key_id: "STS.NSandboxSandboxSandbox001".to_owned(),
                secret_access_key: secret("sandboxSANDBOX0123456789temporarysecret0001"),
                session_token: Some(secret("CAISsandbox+token/with=signs")),
                expires_at: None,
            },
        }
    }
}

impl Keys {
    /// A sandbox with `permanent` for its key.
    pub fn with_permanent(permanent: Credentials) -> Self {
        Self { permanent, ..Self::default() }
    }

    /// The key that lasts.
    pub fn permanent(&self) -> &Credentials {
        &self.permanent
    }

    /// The key with a token.
    pub fn temporary(&self) -> &Credentials {
        &self.temporary
    }

    /// The key with this id.
    pub fn find(&self, id: &str) -> Option<&Credentials> {
        [&self.permanent, &self.temporary].into_iter().find(|key| key.access_key_id == id)
    }
}

/// s3s asks here for the secret it judges signatures by.
pub(super) struct Secrets(pub(super) std::sync::Arc<Keys>);

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let key = self.0.find(access_key).ok_or(S3ErrorCode::InvalidAccessKeyId)?;
        Ok(SecretKey::from(key.secret_access_key.expose()))
    }
}
