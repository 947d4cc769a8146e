//! What signs in at `ZenML`, sealed beside the secrets.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::document::{Unreadable, secret_string};
use super::{Error, Keystore};
use crate::base::secret_string::SecretString;
use crate::model::connection::SignIn;
use crate::model::name::Name;

impl Keystore {
    /// What signs in at the connection `name`; nothing where nothing is kept.
    pub fn sign_in(&self, name: &str) -> Result<Option<SignIn>, Error> {
        self.with_document(|document| {
            let found = document.sign_ins.iter().find(|(kept, _)| kept.as_str() == name);
            Ok(found.map(|(_, sign_in)| sign_in.duplicate()))
        })
    }

    /// Keeps what signs in at the connection `name`, in place of what was kept.
    pub fn put_sign_in(&self, name: &Name, sign_in: SignIn) -> Result<(), Error> {
        self.change(|document| {
            document.sign_ins.insert(name.clone(), sign_in);
            Ok(())
        })
    }

    /// Forgets what signs in at the connection `name`. Answers whether anything was kept; where
    /// nothing was, nothing is written.
    pub fn forget_sign_in(&self, name: &Name) -> Result<bool, Error> {
        if !self.with_document(|document| Ok(document.sign_ins.contains_key(name)))? {
            return Ok(false);
        }
        self.change(|document| Ok(document.sign_ins.remove(name).is_some()))
    }
}

/// A sign-in as it was written.
#[derive(Deserialize)]
pub(super) struct StoredSignIn {
    kind: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(deserialize_with = "secret_string")]
    value: SecretString,
    #[serde(default)]
    expires_at: Option<String>,
}

impl StoredSignIn {
    pub(super) fn into_sign_in(self) -> Result<SignIn, Unreadable> {
        let date =
            |text: String| OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| Unreadable::Foreign);
        Ok(match (self.kind.as_str(), self.user) {
            ("api-key", _) => SignIn::ApiKey(self.value),
            ("password", Some(user)) => SignIn::Password { user, password: self.value },
            ("token", _) => SignIn::Token {
                token: self.value,
                expires_at: self.expires_at.map(date).transpose()?,
            },
            _ => return Err(Unreadable::Foreign),
        })
    }
}

/// A sign-in as it is written; lives only while the document is sealed.
#[derive(Serialize)]
pub(super) struct ShownSignIn<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl<'a> ShownSignIn<'a> {
    pub(super) fn of(sign_in: &'a SignIn) -> Result<Self, time::error::Format> {
        let shown = |value: &'a SecretString| Self {
            kind: sign_in.kind(),
            user: None,
            value: value.expose(),
            expires_at: None,
        };
        Ok(match sign_in {
            SignIn::ApiKey(key) => shown(key),
            SignIn::Password { user, password } => Self { user: Some(user), ..shown(password) },
            SignIn::Token { token, expires_at } => Self {
                expires_at: expires_at.map(|at| at.format(&Rfc3339)).transpose()?,
                ..shown(token)
            },
        })
    }

    /// Room for its JSON, every character escaped.
    pub(super) fn size(&self) -> usize {
        256 + 6 * (self.value.len() + self.user.map_or(0, str::len))
    }
}
