//! Access keys.

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::field::{FieldError, note};
use super::name::Name;
use crate::base::secret_string::SecretString;

/// What signs a request.
#[derive(PartialEq, Eq)]
pub struct Credentials {
    /// `LTAI…`, or `STS.…` with a token.
    pub access_key_id: String,
    /// The key's secret.
    pub secret_access_key: SecretString,
    /// The token of a temporary key.
    pub session_token: Option<SecretString>,
    /// When a temporary key ends, where whoever entered it said so: neither key nor token tells.
    pub expires_at: Option<OffsetDateTime>,
}

impl Credentials {
    /// A second copy, wiped on its own.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.duplicate(),
            session_token: self.session_token.as_ref().map(SecretString::duplicate),
            expires_at: self.expires_at,
        }
    }

    /// Id, secret and, where there is one, token: in the order of [`KeyNames::names`].
    pub fn in_order(&self) -> Vec<SecretString> {
        let id = SecretString::new(self.access_key_id.clone());
        let token = self.session_token.as_ref().map(SecretString::duplicate);
        [id, self.secret_access_key.duplicate()].into_iter().chain(token).collect()
    }

    /// The end as a draft holds it; empty where it is not known.
    pub fn end_as_text(&self) -> String {
        self.expires_at.and_then(|end| end.format(&Rfc3339).ok()).unwrap_or_default()
    }

    /// The id as screens show it: first and last four characters.
    pub fn short_id(&self) -> String {
        short_id(&self.access_key_id)
    }
}

impl fmt::Debug for Credentials {
    /// Without the whole key id: this reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.short_id())
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// First and last four characters of an access key id.
pub fn short_id(id: &str) -> String {
    let length = id.chars().count();
    if length <= 8 {
        return id.to_owned();
    }
    let first: String = id.chars().take(4).collect();
    let last: String = id.chars().skip(length - 4).collect();
    format!("{first}…{last}")
}

/// Which names the values get in ZenML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyNames {
    /// `access_key_id`, `secret_access_key`, `session_token`: as ZenML's OSS page writes them,
    /// read since ZenML 0.93.0.
    #[default]
    Oss,
    /// `aws_access_key_id`, …: read by every ZenML version.
    Aws,
}

impl KeyNames {
    /// The names of id, secret and token.
    pub fn names(self) -> [&'static str; 3] {
        match self {
            Self::Oss => ["access_key_id", "secret_access_key", "session_token"],
            Self::Aws => ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"],
        }
    }

    /// The word in files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oss => "oss",
            Self::Aws => "aws",
        }
    }
}

/// A named access key.
#[derive(Debug, PartialEq, Eq)]
pub struct Secret {
    /// The secret's name, here and in ZenML.
    pub name: Name,
    /// The key.
    pub credentials: Credentials,
    /// How ZenML is given it.
    pub key_names: KeyNames,
}

/// What a form, stdin or the environment holds of a secret.
pub struct SecretDraft {
    /// ZenML secret name.
    pub name: String,
    /// `AccessKey` ID.
    pub access_key_id: String,
    /// `AccessKey` secret.
    pub secret_access_key: SecretString,
    /// STS token, empty where there is none.
    pub session_token: SecretString,
    /// When it ends, RFC 3339 as STS says it (`Expiration`); empty where that is not known.
    pub expires_at: String,
    /// How ZenML is given it.
    pub key_names: KeyNames,
}

impl fmt::Debug for SecretDraft {
    /// Without the whole key id: this reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretDraft")
            .field("name", &self.name)
            .field("access_key_id", &short_id(&self.access_key_id))
            .field("secret_access_key", &self.secret_access_key)
            .field("session_token", &self.session_token)
            .field("expires_at", &self.expires_at)
            .field("key_names", &self.key_names)
            .finish()
    }
}

impl SecretDraft {
    /// The secret, or everything that is wrong.
    pub fn validate(&self) -> Result<Secret, Vec<FieldError>> {
        let mut problems = Vec::new();
        let name = note(&mut problems, "name", Name::parse(&self.name));
        let id = note(&mut problems, "access_key_id", value("AccessKey ID", &self.access_key_id));
        let secret = self.secret_access_key.expose();
        let secret = note(&mut problems, "secret_access_key", value("AccessKey secret", secret));
        let token = match self.session_token.expose().trim() {
            "" => Some(None),
            token => note(&mut problems, "session_token", value("session token", token)).map(Some),
        };
        if token == Some(None) && id.as_deref().is_some_and(|id| id.starts_with("STS.")) {
            problems.push(FieldError::new(
                "session_token",
                "a temporary key (STS.…) works with its token only: paste it here",
            ));
        }
        let expires_at = note(&mut problems, "expires_at", end(&self.expires_at));
        if expires_at.flatten().is_some() && token == Some(None) {
            problems.push(FieldError::new(
                "expires_at",
                "only a temporary key ends: enter its session token, or leave this empty",
            ));
        }
        match (name, id, secret, token) {
            (Some(name), Some(access_key_id), Some(secret), Some(token)) if problems.is_empty() => {
                Ok(Secret {
                    name,
                    credentials: Credentials {
                        access_key_id,
                        secret_access_key: SecretString::new(secret),
                        session_token: token.map(SecretString::new),
                        expires_at: expires_at.flatten(),
                    },
                    key_names: self.key_names,
                })
            }
            _ => Err(problems),
        }
    }
}

/// When a temporary key ends; nothing where nothing is said.
fn end(text: &str) -> Result<Option<OffsetDateTime>, &'static str> {
    match text.trim() {
        "" => Ok(None),
        text => OffsetDateTime::parse(text, &Rfc3339).map(Some).map_err(
            |_| "write the time as STS answers it (Expiration), for example 2026-11-27T20:00:00Z",
        ),
    }
}

/// A value as a request header takes it: no blanks around, none of them inside.
fn value(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("the {what} is needed"));
    }
    if text.len() > 8192 {
        return Err(format!("the {what} is too long to be one ({} bytes)", text.len()));
    }
    // a control or blank inside would break the signature header (seen with a pasted newline)
    if text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(format!(
            "the {what} holds a blank, a line break or a character that is not ASCII: paste it again"
        ));
    }
    Ok(text.to_owned())
}

/// A hint on the form of an `AccessKey` ID: never a refusal, since old keys differ.
pub fn id_hint(id: &str) -> Option<&'static str> {
    let id = id.trim();
    if id.starts_with("AKIA") || id.starts_with("ASIA") {
        return Some("this looks like an AWS key: Alibaba's begin with LTAI");
    }
    if id.starts_with("STS.") {
        return Some("a temporary key: it needs its session token and ends with it");
    }
    if id.starts_with("TMP.") {
        return Some("a console session key: it ends with the session; make a RAM user's key");
    }
    if id.starts_with("LTAI") {
        return (id.len() != 24 && id.len() != 16 && id.len() > 4)
            .then_some("LTAI keys have 24 characters: is this all of it?");
    }
    (!id.is_empty()).then_some("Alibaba's key ids begin with LTAI (24 characters): is this one?")
}

/// A hint on the form of an `AccessKey` secret.
pub fn secret_hint(id: &str, secret: &str) -> Option<&'static str> {
    let (id, secret) = (id.trim(), secret.trim());
    (id.starts_with("LTAI") && !secret.is_empty() && secret.len() != 30)
        .then_some("an AccessKey secret has 30 characters: is this all of it?")
}

/// Id and secret out of what the console gives: two lines, or its `AccessKey.csv`
/// (`AccessKey ID,AccessKey Secret` and a line of values).
pub fn split_pasted(text: &str) -> Option<(String, SecretString)> {
    let text = text.trim_start_matches('\u{feff}').trim();
    // terminals paste a line break as CR, files have LF or both
    let lines: Vec<&str> =
        text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_header = |line: &str| line.to_ascii_lowercase().replace(' ', "").contains("accesskeyid");
    let pair = |id: &str, secret: &str| {
        let clean = |text: &str| text.trim().trim_matches('"').trim().to_owned();
        let (id, secret) = (clean(id), clean(secret));
        let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        (plain(&id) && plain(&secret)).then(|| (id, SecretString::new(secret)))
    };
    match lines.as_slice() {
        [header, values, ..] if is_header(header) && values.contains(',') => {
            // a RAM user's csv may hold user name and others in front: the header tells where
            let at = |want: &str| {
                header.split(',').position(|name| {
                    name.trim().trim_matches('"').to_ascii_lowercase().replace(' ', "") == want
                })
            };
            let cells: Vec<&str> = values.split(',').collect();
            let id = cells.get(at("accesskeyid")?)?;
            let secret = cells.get(at("accesskeysecret")?)?;
            pair(id, secret)
        }
        [id, secret] => pair(after_label(id), after_label(secret)),
        [one] if one.contains(',') => one
            .split_once(',')
            .and_then(|(id, secret)| if secret.contains(',') { None } else { pair(id, secret) }),
        _ => None,
    }
}

/// The console's dialog copies as `AccessKey ID LTAI…` or `AccessKey ID: LTAI…`.
fn after_label(line: &str) -> &str {
    if line.to_ascii_lowercase().starts_with("accesskey") {
        line.rsplit([' ', ':', '：', '=']).next().unwrap_or(line)
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(id: &str, secret: &str, token: &str) -> SecretDraft {
        SecretDraft {
            name: "alibaba_secret".into(),
            access_key_id: id.into(),
            secret_access_key: SecretString::new(secret.into()),
            session_token: SecretString::new(token.into()),
            expires_at: String::new(),
            key_names: KeyNames::Oss,
        }
    }

    #[test]
    fn values_are_trimmed_and_whole() {
        let secret = draft(" LTAI5tExample \n", "s3cret\n", "").validate().unwrap();
        assert_eq!(secret.credentials.access_key_id, "LTAI5tExample");
        assert_eq!(secret.credentials.secret_access_key.expose(), "s3cret");
        let problems = draft("LT AI", "", "").validate().unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        let problems = draft("STS.abc", "x", "").validate().unwrap_err();
        assert_eq!(problems.first().map(|p| p.field), Some("session_token"));
    }

    #[test]
    fn a_temporary_key_may_say_when_it_ends() {
        let mut draft = draft("STS.abc", "x", "token");
        draft.expires_at = " 2026-11-27T20:00:00Z ".into();
        let end = draft.validate().unwrap().credentials.expires_at.unwrap();
        assert_eq!(end.unix_timestamp(), 1_795_809_600);
        draft.expires_at = "tomorrow".into();
        assert_eq!(draft.validate().unwrap_err()[0].field, "expires_at");
        let mut lasting = self::draft("LTAI5tExample", "x", "");
        lasting.expires_at = "2026-11-27T20:00:00Z".into();
        assert_eq!(lasting.validate().unwrap_err()[0].field, "expires_at");
    }

    #[test]
    fn debug_shows_no_value() {
        let draft = draft("LTAI5tExampleExample0001", "canary-secret", "canary-token");
        for text in [format!("{draft:?}"), format!("{:?}", draft.validate().unwrap())] {
            assert!(!text.contains("canary") && !text.contains("Example"), "{text}");
            assert!(text.contains("LTAI…0001"), "{text}");
        }
    }

    #[test]
    fn pasted_pairs() {
        let csv = "\u{feff}AccessKey ID,AccessKey Secret\r\nLTAIid,thesecret\r\n";
        let ram = "User Name,Logon Password,AccessKey ID,AccessKey Secret\nme,pw,LTAIid,thesecret";
        let lines = "LTAIid\nthesecret\n";
        let dialog = "AccessKey ID LTAIid\nAccessKey Secret thesecret";
        let typed = "LTAIid\rthesecret\r";
        for text in [csv, ram, lines, dialog, typed, "LTAIid,thesecret"] {
            let (id, secret) = split_pasted(text).expect(text);
            assert_eq!((id.as_str(), secret.expose()), ("LTAIid", "thesecret"), "{text}");
        }
        for text in ["LTAIid", "a\nb\nc", "two words\nsecret with blanks"] {
            assert!(split_pasted(text).is_none(), "{text}");
        }
    }

    #[test]
    fn hints_follow_the_form() {
        assert!(id_hint("AKIAIOSFODNN7EXAMPLE").unwrap().contains("AWS"));
        assert_eq!(id_hint("LTAI5tExampleExample0001"), None);
        assert_eq!(id_hint(""), None);
        assert_eq!(short_id("LTAI5tExampleExample0001"), "LTAI…0001");
    }
}
