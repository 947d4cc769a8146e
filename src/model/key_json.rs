//! An access key as JSON, as programs hand it on.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::secret::{KeyNames, SecretDraft};
use crate::base::secret_string::SecretString;

/// By the names of ZenML's OSS page, of STS (`Credentials` of `AssumeRole`) and of RAM roles, of
/// aliyun-cli's external profiles, and of the AWS tools' `credential_process`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson {
    #[serde(alias = "AccessKeyId")]
    access_key_id: String,
    #[serde(alias = "access_key_secret", alias = "AccessKeySecret", alias = "SecretAccessKey")]
    secret_access_key: String,
    #[serde(default, alias = "sts_token", alias = "SecurityToken", alias = "SessionToken")]
    session_token: Option<String>,
    #[serde(default, alias = "Expiration", alias = "expiration")]
    expires_at: Option<String>,
    /// What else stands there and says nothing of the key.
    #[serde(default, rename = "Version", alias = "mode", alias = "Code")]
    _form: Option<IgnoredAny>,
    #[serde(default, rename = "LastUpdated", alias = "AccountId")]
    _beside: Option<IgnoredAny>,
}

/// Where text is no such JSON; serde's own message might quote a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the JSON expected (line {line}, column {column})")]
pub struct NoKeyJson {
    line: usize,
    column: usize,
}

/// The key that `text` holds, without a name yet.
pub fn parse(text: &[u8]) -> Result<SecretDraft, NoKeyJson> {
    let key: KeyJson = serde_json::from_slice(text)
        .map_err(|error| NoKeyJson { line: error.line(), column: error.column() })?;
    Ok(SecretDraft {
        name: String::new(),
        access_key_id: key.access_key_id,
        secret_access_key: SecretString::new(key.secret_access_key),
        session_token: SecretString::new(key.session_token.unwrap_or_default()),
        expires_at: key.expires_at.unwrap_or_default(),
        key_names: KeyNames::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_its_own_names() {
        for text in [
            r#"{"access_key_id": "LTAIx", "secret_access_key": "s"}"#,
            r#"{"mode": "AK", "access_key_id": "LTAIx", "access_key_secret": "s"}"#,
            r#"{"Version": 1, "AccessKeyId": "LTAIx", "SecretAccessKey": "s"}"#,
            r#"{"AccessKeyId": "LTAIx", "AccessKeySecret": "s", "Code": "Success",
                "LastUpdated": "2026-11-27T20:00:00Z"}"#,
        ] {
            let draft = parse(text.as_bytes()).unwrap();
            assert_eq!(
                (draft.access_key_id.as_str(), draft.secret_access_key.expose()),
                ("LTAIx", "s")
            );
        }
        let sts = r#"{"AccessKeyId": "STS.x", "AccessKeySecret": "s", "SecurityToken": "t",
            "Expiration": "2026-11-27T20:00:00Z"}"#;
        let draft = parse(sts.as_bytes()).unwrap();
        assert_eq!(draft.session_token.expose(), "t");
        assert_eq!(draft.expires_at, "2026-11-27T20:00:00Z");
    }

    #[test]
    fn what_is_no_key_is_refused_without_a_word_of_it() {
        for text in ["", "[]", r#"{"access_key_id": "canary"}"#, r#"{"secret": "canary"}"#] {
            let error = parse(text.as_bytes()).err().unwrap();
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
