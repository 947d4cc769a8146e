//! The key: where ZenML takes it from, and whose it is.

use serde_json::json;

use super::Case;
use crate::base::visible::visible;
use crate::zenml::lint::CONNECTORS;
use crate::zenml::lint::Severity;
use crate::zenml::lint::read::{Given, Issuer};
use crate::zenml::version::Version;

impl Case {
    /// ZenML takes the first of: connector, secret, key, whatever botocore finds by itself
    /// (`S3ArtifactStore.get_credentials`).
    pub(super) fn keys(&mut self) {
        let (error, warning) = (Severity::Error, Severity::Warning);
        let said = self.findings.len();
        let store = &self.store;
        let named = store.text("authentication_secret").map(str::to_owned);
        let givens = [&store.key, &store.secret, &store.token];
        let any = givens.iter().any(|given| given.is_there());
        let plain = givens.iter().any(|given| matches!(given, Given::Plain(_)));
        let half = store.key.is_there() != store.secret.is_there();
        let issuer = match store.key {
            Given::Plain(issuer) => Some(issuer),
            _ => None,
        };
        let no_token = !store.token.is_there();
        let referred = givens.iter().find_map(|given| match given {
            Given::Reference(secret) => Some(secret.clone()),
            _ => None,
        });
        if let Some(connector) = store.connector.clone() {
            let meaning = format!(
                "The service connector {} wins over every key. {CONNECTORS}",
                visible(&connector)
            );
            let corrected = "no connector, and authentication_secret";
            self.mend(error, "connector", "connector", &meaning, corrected);
        }
        let secret = named.clone().or(referred).unwrap_or_else(|| self.secret_name());
        if let Some(id) = named.as_deref().filter(|name| is_uuid(name) || name.contains("{{")) {
            let meaning =
                format!("ZenML looks the secret up by its name, and {} is none.", visible(id));
            let corrected = "the name that zenml secret list shows";
            self.mend(error, "secret-name", "authentication_secret", &meaning, corrected);
        }
        let by_secret = format!("authentication_secret {}", visible(&secret));
        if plain {
            self.mend(
                warning,
                "key-plaintext",
                "key",
                "The key stands in the settings themselves: whoever may read the store reads it. \
                 Put it into a secret, and disable it at Alibaba Cloud once the new one works.",
                &by_secret,
            );
        }
        if issuer == Some(Issuer::Aws) {
            self.mend(
                error,
                "key-aws",
                "key",
                "The key has the form of an AWS key (AKIA…, ASIA…). OSS knows keys of Alibaba \
                 Cloud only: theirs begin with LTAI.",
                "an AccessKey of a RAM user",
            );
        }
        if named.is_some() && any {
            self.mend(
                warning,
                "key-ignored",
                "key",
                "There are a secret and a key. ZenML uses the secret and ignores the key.",
                &by_secret,
            );
        } else if half {
            self.mend(
                error,
                "key-incomplete",
                "key",
                "Of key and secret one is missing: nothing can be signed with half of it.",
                &by_secret,
            );
        } else if issuer == Some(Issuer::Sts) && no_token {
            let meaning = "A temporary key (STS.…) works with its token only.";
            self.mend(error, "key-token", "token", meaning, &by_secret);
        }
        if named.is_none() && !any && self.store.connector.is_none() && !self.store.partial {
            self.mend(
                warning,
                "secret-missing",
                "authentication_secret",
                "No key is named. Each machine then uses what it has in its environment or in \
                 ~/.aws, which pods and the ZenML server have not, or not of Alibaba Cloud.",
                &by_secret,
            );
        }
        if named.is_none() && self.findings.len() > said {
            self.mended.insert("authentication_secret".into(), json!(secret));
        }
    }

    /// `zenml secret create` with values, before the store.
    pub(super) fn secret_in_command(&mut self) {
        let Some(keys) = self.store.secret_keys.clone() else { return };
        let has = |pair: [&str; 2]| pair.iter().all(|name| keys.iter().any(|key| key == name));
        if !keys.is_empty() {
            self.mend(
                Severity::Warning,
                "secret-in-command",
                "authentication_secret",
                "The key stands in a command: it stays in the history of the shell, and other \
                 users see it while it runs.",
                "zenml secret create NAME -i, which asks",
            );
        }
        if has(["aws_access_key_id", "aws_secret_access_key"]) || keys.is_empty() {
            return;
        }
        if has(["access_key_id", "secret_access_key"]) {
            self.mend(
                Severity::Note,
                "secret-key-names",
                "authentication_secret",
                &format!(
                    "The names access_key_id and secret_access_key are read since ZenML {}.",
                    Version::PLAIN_KEY_NAMES
                ),
                "aws_access_key_id and aws_secret_access_key, which every version reads",
            );
        } else {
            self.mend(
                Severity::Error,
                "secret-keys",
                "authentication_secret",
                "The store does not find its key in this secret: it looks for certain names.",
                "access_key_id and secret_access_key (and session_token)",
            );
        }
    }

    /// Name of a secret to make, where the store has none.
    fn secret_name(&self) -> String {
        format!("{}_secret", self.store.name.as_deref().unwrap_or("oss"))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
