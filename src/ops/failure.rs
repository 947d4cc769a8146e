//! The one shape in which a use case says no.

use std::fmt;

use crate::base::atomic_file;
use crate::base::visible::visible;
use crate::keystore::keyring::KeyringError;
use crate::model::endpoint::EndpointError;
use crate::model::field::FieldError;
use crate::model::finding::ServerError;
use crate::ports::network::NetworkError;
use crate::zenml::plan::PlanError;
use crate::zenml::rest;
use crate::{catalog, keystore, oss, sandbox};

/// What the caller can do about a failure; decides exit code and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Say it differently: a value is missing or wrong.
    Usage,
    /// There is nothing of that name.
    NotFound,
    /// It is there already, or in use, or has changed meanwhile.
    Conflict,
    /// The keystore must be opened first.
    Locked,
    /// The key is wrong, off or not allowed to.
    Credentials,
    /// The store's settings do not fit the bucket.
    Settings,
    /// The data lies outside of where it may: to be confirmed first.
    Border,
    /// The network or the server; later may do.
    Network,
    /// A file of this machine, or its keyring.
    File,
    /// The user stopped it.
    Cancelled,
    /// Some of it was done.
    Partial,
}

impl FailureKind {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Locked => "locked",
            Self::Credentials => "credentials",
            Self::Settings => "settings",
            Self::Border => "border",
            Self::Network => "network",
            Self::File => "file",
            Self::Cancelled => "cancelled",
            Self::Partial => "partial",
        }
    }

    /// The exit code of the command line.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::Border => 2,
            Self::Locked => 3,
            Self::Partial => 4,
            _ => 1,
        }
    }
}

/// A use case's no: what, from where, and the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the caller can do.
    pub kind: FailureKind,
    /// One sentence.
    pub summary: String,
    /// What the server said, where it was asked.
    pub error: Option<Box<ServerError>>,
    /// Next steps, the best one first.
    pub hints: Vec<String>,
    /// What is wrong with which field of a draft.
    pub fields: Vec<FieldError>,
}

impl Failure {
    /// A failure with one sentence and no hint yet.
    pub fn new(kind: FailureKind, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { kind, summary, error: None, hints: Vec::new(), fields: Vec::new() }
    }

    /// The user stopped it.
    pub fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled, "stopped").hint("start it again when you like")
    }

    /// Whether the object has to be restored before it can be read.
    pub fn is_archived(&self) -> bool {
        let code = self.error.as_ref().and_then(|error| error.code.as_deref());
        code == Some("InvalidObjectState")
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)?;
        for hint in &self.hints {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<Vec<FieldError>> for Failure {
    fn from(fields: Vec<FieldError>) -> Self {
        let summary = fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Self { fields, ..Self::new(FailureKind::Usage, summary) }
    }
}

impl From<EndpointError> for Failure {
    fn from(error: EndpointError) -> Self {
        Self::new(FailureKind::Settings, error.to_string())
    }
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        Self::new(FailureKind::Usage, visible(&error.to_string()).into_string())
    }
}

impl From<oss::Error> for Failure {
    /// What it means and what to do come from OSS's own codes ([`oss::error::explain`]).
    fn from(error: oss::Error) -> Self {
        use oss::Kind;
        let kind = match error.kind {
            Kind::Retry
            | Kind::Network(_)
            | Kind::NotOss
            | Kind::Truncated
            | Kind::TooLarge
            | Kind::Corrupt => FailureKind::Network,
            Kind::Credentials | Kind::Permission => FailureKind::Credentials,
            Kind::Settings | Kind::Clock | Kind::Refused => FailureKind::Settings,
            Kind::NotFound => FailureKind::NotFound,
            Kind::Precondition => FailureKind::Conflict,
            Kind::Local => FailureKind::File,
            Kind::Cancelled => FailureKind::Cancelled,
        };
        let explanation = error.explain();
        let message = visible(&error.message).into_string();
        let mut summary = format!("cannot {}: {}", error.action, explanation.meaning);
        // the server's own words, or those of the system below, say more than a kind can
        if !message.is_empty() && message != explanation.meaning {
            summary = format!("{summary} ({message})");
        }
        let said = ServerError {
            code: error.code.clone(),
            ec: error.ec.clone(),
            request_id: error.request_id.clone(),
            status: error.status,
        };
        let mut failure = Self::new(kind, summary).hint(explanation.next);
        failure.error = (said != ServerError::default()).then(|| Box::new(said));
        failure
    }
}

impl From<keystore::Error> for Failure {
    fn from(error: keystore::Error) -> Self {
        use keystore::Error;
        let kind = match &error {
            Error::Locked | Error::NotGiven { .. } => FailureKind::Locked,
            Error::Absent | Error::NoSuchSecret(_) => FailureKind::NotFound,
            Error::Exists(_) | Error::NameTaken(_) | Error::Busy | Error::Rotated => {
                FailureKind::Conflict
            }
            Error::File(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                FailureKind::Conflict
            }
            Error::WrongPassphrase | Error::WrongIdentity(_) => FailureKind::Credentials,
            Error::Empty(_)
            | Error::LongPassphrase(_)
            | Error::Source { .. }
            | Error::KeptElsewhere(_)
            | Error::SessionOnly => FailureKind::Usage,
            Error::KeyringBehind(_) => FailureKind::Partial,
            _ => FailureKind::File,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        keystore::Error::from(error).into()
    }
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Self {
        use catalog::Error;
        let kind = match &error {
            Error::Exists { .. } | Error::InUse { .. } | Error::Conflict { .. } => {
                FailureKind::Conflict
            }
            Error::Absent { .. } => FailureKind::NotFound,
            Error::Value { .. } => FailureKind::Usage,
            _ => FailureKind::File,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::new(FailureKind::Settings, error.to_string())
    }
}

impl From<rest::Error> for Failure {
    fn from(error: rest::Error) -> Self {
        use rest::Kind;
        let kind = match error.kind {
            Kind::Network | Kind::Server | Kind::NotZenml => FailureKind::Network,
            Kind::SignIn | Kind::TokenEnded | Kind::Denied => FailureKind::Credentials,
            Kind::NotFound => FailureKind::NotFound,
            Kind::Conflict => FailureKind::Conflict,
            Kind::Refused | Kind::Unsupported | Kind::Command => FailureKind::Settings,
        };
        let mut failure =
            Self::new(kind, visible(&error.to_string()).into_string()).hint(error.next());
        if error.status.is_some() {
            failure.error = Some(Box::new(ServerError {
                code: None,
                ec: None,
                request_id: error.request_id,
                status: error.status,
            }));
        }
        failure
    }
}

impl From<atomic_file::Error> for Failure {
    fn from(error: atomic_file::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::AlreadyExists => FailureKind::Conflict,
            _ => FailureKind::File,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<sandbox::Error> for Failure {
    fn from(error: sandbox::Error) -> Self {
        Self::new(FailureKind::File, error.to_string())
    }
}
