//! Secrets whose values lie elsewhere than in the keystore: a runner or a colleague has none.

use std::fmt;

use super::field::{FieldError, note};
use super::name::Name;
use crate::base::visible::visible;

/// Where the values of a secret are read when they are needed.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A key that another tool keeps on this machine, or one in the environment, as `osstack found`
    /// names it: `env`, `env:OSS_ACCESS_KEY_ID`, `aliyun:default`.
    Found(String),
    /// A program that prints the key as JSON, and its arguments.
    Process(Vec<String>),
    /// The secret of the same name in a `ZenML`; without a connection in the only one there is.
    Zenml(Option<Name>),
}

/// What the catalog says of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcedSecret {
    /// The secret's name, here and in `ZenML`.
    pub name: Name,
    /// Where its values are.
    pub source: SecretSource,
}

impl fmt::Debug for SecretSource {
    /// Without a program's arguments: this reaches logs, and people write keys into arguments.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({self})")
    }
}

impl fmt::Display for SecretSource {
    /// In a few words, showable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(source) => visible(source).fmt(f),
            Self::Process(command) => {
                let program = command.first().map_or("", String::as_str);
                write!(f, "the program {}", visible(program))
            }
            Self::Zenml(Some(connection)) => write!(f, "ZenML {connection}"),
            Self::Zenml(None) => f.write_str("ZenML"),
        }
    }
}

/// An entry as the catalog has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceDraft {
    /// The secret.
    pub name: String,
    /// `keystore`, `env`, `profile`, `process` or `zenml`.
    pub source: String,
    /// Of `env` the variable of the id, where not the first that is set; of `profile` which.
    pub profile: String,
    /// Of `process`.
    pub command: Vec<String>,
    /// Of `zenml`.
    pub connection: String,
}

impl SourceDraft {
    /// The secret, or everything that is wrong; nothing where it is the keystore after all.
    pub fn validate(&self) -> Result<Option<SourcedSecret>, Vec<FieldError>> {
        let mut problems = Vec::new();
        let name = note(&mut problems, "name", Name::parse(&self.name));
        let belongs = [
            ("profile", !self.profile.is_empty(), &["env", "profile"][..]),
            ("command", !self.command.is_empty(), &["process"]),
            ("connection", !self.connection.is_empty(), &["zenml"]),
        ];
        let source = self.source.as_str();
        for (field, is_given, sources) in belongs {
            if is_given && !sources.contains(&source) {
                let message = format!("goes with source = \"{}\" alone", sources.join("\" or \""));
                problems.push(FieldError::new(field, message));
            }
        }
        let found = match source {
            "keystore" => None,
            "env" if self.profile.is_empty() => Some(SecretSource::Found("env".to_owned())),
            "env" => Some(SecretSource::Found(format!("env:{}", self.profile))),
            "profile" if self.profile.is_empty() => {
                let message = "which one? osstack found names them: aliyun:default, ossutil, …";
                problems.push(FieldError::new("profile", message));
                None
            }
            "profile" => Some(SecretSource::Found(self.profile.clone())),
            "process" if self.command.first().is_none_or(String::is_empty) => {
                let message = "write the program and its arguments: [\"get-key\", \"--json\"]";
                problems.push(FieldError::new("command", message));
                None
            }
            "process" => Some(SecretSource::Process(self.command.clone())),
            "zenml" if self.connection.is_empty() => Some(SecretSource::Zenml(None)),
            "zenml" => note(&mut problems, "connection", Name::parse(&self.connection))
                .map(|connection| SecretSource::Zenml(Some(connection))),
            _ => {
                let message = "write one of keystore, env, profile, process, zenml";
                problems.push(FieldError::new("source", message));
                None
            }
        };
        match name {
            Some(name) if problems.is_empty() => {
                Ok(found.map(|source| SourcedSecret { name, source }))
            }
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(source: &str) -> SourceDraft {
        SourceDraft { name: "ci".into(), source: source.into(), ..SourceDraft::default() }
    }

    fn found(draft: &SourceDraft) -> Option<SecretSource> {
        draft.validate().unwrap().map(|secret| secret.source)
    }

    fn fields(draft: &SourceDraft) -> Vec<&'static str> {
        draft.validate().unwrap_err().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn each_source_takes_what_belongs_to_it() {
        assert_eq!(found(&draft("keystore")), None);
        assert_eq!(found(&draft("env")), Some(SecretSource::Found("env".into())));
        let profile =
            |source, profile: &str| SourceDraft { profile: profile.into(), ..draft(source) };
        let variable = profile("env", "AWS_ACCESS_KEY_ID");
        assert_eq!(found(&variable), Some(SecretSource::Found("env:AWS_ACCESS_KEY_ID".into())));
        let aliyun = profile("profile", "aliyun:ci");
        assert_eq!(found(&aliyun), Some(SecretSource::Found("aliyun:ci".into())));
        let command = vec!["get-key".to_owned(), "x".to_owned()];
        let process = SourceDraft { command: command.clone(), ..draft("process") };
        assert_eq!(found(&process), Some(SecretSource::Process(command)));
        assert_eq!(found(&draft("zenml")), Some(SecretSource::Zenml(None)));

        assert_eq!(fields(&draft("")), ["source"]);
        assert_eq!(fields(&draft("profile")), ["profile"]);
        assert_eq!(fields(&draft("process")), ["command"]);
        assert_eq!(fields(&profile("zenml", "x")), ["profile"]);
        let connection = SourceDraft { connection: "a b".into(), ..draft("zenml") };
        assert_eq!(fields(&connection), ["connection"]);
    }

    #[test]
    fn a_program_is_shown_without_its_arguments_and_without_controls() {
        let source = SecretSource::Process(vec!["a\u{1b}[2J".into(), "--token=canary".into()]);
        assert_eq!(source.to_string(), "the program a\\u{1b}[2J");
        assert!(!format!("{source:?}").contains("canary"));
    }
}
