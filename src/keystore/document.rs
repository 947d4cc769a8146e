//! What `secrets.age` holds: one JSON document.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use super::error::Error;
use super::sealed_file::Plain;
use super::sign_ins::{ShownSignIn, StoredSignIn};
use crate::base::secret_string::SecretString;
use crate::model::connection::SignIn;
use crate::model::name::Name;
use crate::model::secret::{Credentials, KeyNames, Secret};

/// The format this program writes, and the only one there is.
const SCHEMA: u64 = 1;

/// All secrets, and what signs in at ZenML, by name.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Goes up with every write.
    pub(super) generation: u64,
    pub(super) entries: BTreeMap<Name, Entry>,
    /// By the connection's name.
    pub(super) sign_ins: BTreeMap<Name, SignIn>,
    /// What a commit under way replaced in ZenML, by commit and thing.
    pub(super) former: BTreeMap<String, SecretString>,
    /// Digests of what ZenML's secrets were given, by server and secret.
    pub(super) sent: BTreeMap<String, String>,
}

/// One secret with its dates.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) secret: Secret,
    pub(super) created: OffsetDateTime,
    pub(super) updated: OffsetDateTime,
}

/// Why a text is no document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// A later schema.
    Newer(u64),
    /// Anything else.
    Foreign,
}

impl Document {
    /// Reads `plain`.
    pub(super) fn parse(plain: &[u8]) -> Result<Self, Unreadable> {
        let foreign = |_| Unreadable::Foreign;
        let head: Head = serde_json::from_slice(plain).map_err(foreign)?;
        if head.schema > SCHEMA {
            return Err(Unreadable::Newer(head.schema));
        }
        let body: Body = serde_json::from_slice(plain).map_err(foreign)?;
        let entries = body.secrets.into_iter().map(|(name, stored)| {
            let name = Name::parse(&name).map_err(|_| Unreadable::Foreign)?;
            Ok((name.clone(), stored.into_entry(name)?))
        });
        let sign_ins = body.connections.into_iter().map(|(name, stored)| {
            let name = Name::parse(&name).map_err(|_| Unreadable::Foreign)?;
            Ok((name, stored.into_sign_in()?))
        });
        Ok(Self {
            generation: body.generation,
            entries: entries.collect::<Result<_, _>>()?,
            sign_ins: sign_ins.collect::<Result<_, _>>()?,
            former: body
                .former
                .into_iter()
                .map(|(key, text)| (key, SecretString::new(text)))
                .collect(),
            sent: body.sent,
        })
    }

    /// The text that [`Document::parse`] reads.
    pub(super) fn to_plain(&self) -> Result<Plain, Error> {
        let shown = ShownBody {
            schema: SCHEMA,
            generation: self.generation,
            secrets: self
                .entries
                .iter()
                .map(|(name, entry)| Ok((name.as_str(), Shown::of(entry)?)))
                .collect::<Result<_, time::error::Format>>()
                .map_err(|_| Error::Full)?,
            connections: self
                .sign_ins
                .iter()
                .map(|(name, sign_in)| Ok((name.as_str(), ShownSignIn::of(sign_in)?)))
                .collect::<Result<_, time::error::Format>>()
                .map_err(|_| Error::Full)?,
            former: self.former.iter().map(|(key, text)| (key.as_str(), text.expose())).collect(),
            sent: &self.sent,
        };
        // room for all of it: a buffer that grows would leave copies behind
        let size = |entry: &Entry| {
            let Credentials { access_key_id, secret_access_key, session_token, .. } =
                &entry.secret.credentials;
            let token = session_token.as_ref().map_or(0, |token| token.expose().len());
            1024 + 2 * (access_key_id.len() + secret_access_key.expose().len() + token)
        };
        let former: usize =
            self.former.iter().map(|(key, text)| 16 + key.len() + 6 * text.expose().len()).sum();
        let sign_ins: usize = shown.connections.values().map(ShownSignIn::size).sum();
        let sent: usize = self.sent.iter().map(|(key, text)| 16 + 6 * key.len() + text.len()).sum();
        let capacity =
            1024 + self.entries.values().map(size).sum::<usize>() + sign_ins + former + sent;
        let mut plain = Zeroizing::new(Vec::with_capacity(capacity));
        serde_json::to_writer(&mut *plain, &shown).map_err(|_| Error::Full)?;
        Ok(plain)
    }
}

#[derive(Deserialize)]
struct Head {
    schema: u64,
}

#[derive(Deserialize)]
struct Body {
    generation: u64,
    secrets: BTreeMap<String, Stored>,
    #[serde(default)]
    connections: BTreeMap<String, StoredSignIn>,
    #[serde(default)]
    former: BTreeMap<String, String>,
    #[serde(default)]
    sent: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Stored {
    access_key_id: String,
    #[serde(deserialize_with = "secret_string")]
    secret_access_key: SecretString,
    #[serde(default, deserialize_with = "maybe_secret_string")]
    session_token: Option<SecretString>,
    #[serde(default)]
    expires_at: Option<String>,
    key_names: String,
    created: String,
    updated: String,
}

impl Stored {
    fn into_entry(self, name: Name) -> Result<Entry, Unreadable> {
        let date =
            |text: &str| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| Unreadable::Foreign);
        let key_names = [KeyNames::Oss, KeyNames::Aws]
            .into_iter()
            .find(|names| names.as_str() == self.key_names)
            .ok_or(Unreadable::Foreign)?;
        let credentials = Credentials {
            access_key_id: self.access_key_id,
            secret_access_key: self.secret_access_key,
            session_token: self.session_token,
            expires_at: self.expires_at.as_deref().map(date).transpose()?,
        };
        Ok(Entry {
            secret: Secret { name, credentials, key_names },
            created: date(&self.created)?,
            updated: date(&self.updated)?,
        })
    }
}

pub(super) fn secret_string<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
    String::deserialize(from).map(SecretString::new)
}

fn maybe_secret_string<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::new))
}

#[derive(Serialize)]
struct ShownBody<'a> {
    schema: u64,
    generation: u64,
    secrets: BTreeMap<&'a str, Shown<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    connections: BTreeMap<&'a str, ShownSignIn<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    former: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sent: &'a BTreeMap<String, String>,
}

/// An entry as it is written; lives only while the document is sealed.
#[derive(Serialize)]
struct Shown<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    key_names: &'static str,
    created: String,
    updated: String,
}

impl<'a> Shown<'a> {
    fn of(entry: &'a Entry) -> Result<Self, time::error::Format> {
        let credentials = &entry.secret.credentials;
        Ok(Self {
            access_key_id: &credentials.access_key_id,
            secret_access_key: credentials.secret_access_key.expose(),
            session_token: credentials.session_token.as_ref().map(SecretString::expose),
            expires_at: credentials.expires_at.map(|end| end.format(&Rfc3339)).transpose()?,
            key_names: entry.secret.key_names.as_str(),
            created: entry.created.format(&Rfc3339)?,
            updated: entry.updated.format(&Rfc3339)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_schemas_and_other_json_are_told_apart() {
        let parse =
            |text: &str| Document::parse(text.as_bytes()).map(|document| document.generation);
        assert_eq!(parse(r#"{"schema":1,"generation":7,"secrets":{}}"#), Ok(7));
        assert_eq!(parse(r#"{"schema":2,"anything":[]}"#), Err(Unreadable::Newer(2)));
        for text in ["", "[]", "{}", r#"{"schema":1}"#, r#"{"schema":-1}"#] {
            assert_eq!(parse(text), Err(Unreadable::Foreign), "{text}");
        }
    }

    fn document(more: &str) -> String {
        format!(
            r#"{{"schema":1,"generation":3,"secrets":{{"alibaba_secret":{{
                "access_key_id":"STS.x","secret_access_key":"s","session_token":"t"{more},
                "key_names":"oss","created":"2026-03-01T00:00:00Z",
                "updated":"2026-03-01T00:00:00Z"}}}}}}"#
        )
    }

    fn end(plain: &[u8]) -> Option<OffsetDateTime> {
        let document = Document::parse(plain).unwrap();
        document.entries.into_values().next().unwrap().secret.credentials.expires_at
    }

    #[test]
    fn a_file_of_before_tokens_had_an_end_is_read_and_stays_as_it_was() {
        let old = document("");
        assert_eq!(end(old.as_bytes()), None);
        let written = Document::parse(old.as_bytes()).unwrap().to_plain().unwrap();
        assert!(!String::from_utf8_lossy(&written).contains("expires_at"));

        let told = document(r#","expires_at":"2026-11-27T20:00:00+08:00""#);
        let at = Some(time::macros::datetime!(2026-11-27 12:00 UTC));
        assert_eq!(end(told.as_bytes()), at);
        let written = Document::parse(told.as_bytes()).unwrap().to_plain().unwrap();
        assert_eq!(end(&written), at);
        let wrong = document(r#","expires_at":"soon""#);
        assert_eq!(Document::parse(wrong.as_bytes()).unwrap_err(), Unreadable::Foreign);
    }
}
