//! What is missing or wrong in an artifact store that was made by hand.
//!
//! `read` finds the stores in what a user has of them: the table or the JSON and
//! YAML of `zenml artifact-store describe`, an exported stack, an answer of ZenML's REST API, or
//! the command that registered the store. [`lint`] holds each against what OSS takes and what
//! ZenML does with its settings, and says which command mends it. Values of keys are forgotten as
//! soon as they are read: a finding can only say that they were there.

mod adopt;
mod command;
mod endpoint;
mod kwargs;
mod literal;
mod read;
mod rules;
mod table;
pub(super) mod yaml;

use std::fmt;

use crate::model::store::Signature;
use crate::zenml::script::CommandLine;
use crate::zenml::version::Version;

pub use adopt::{Adopted, adopt};
pub use read::{Form, MOST_BYTES, Unreadable};

/// Why no service connector serves a store on OSS.
pub const CONNECTORS: &str = "ZenML's connectors hand out keys of AWS, which OSS does not know: \
                              there is none for Alibaba Cloud.";

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// To be known; nothing is wrong.
    Note,
    /// Works for some, or not for long, or is not safe.
    Warning,
    /// Does not work with OSS.
    Error,
}

impl Severity {
    /// The word in JSON and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that is missing, wrong or to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable, kebab-case: `endpoint-scheme`. Scripts read it.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The setting it is about: `client_kwargs.endpoint_url`, or a Python package.
    pub subject: &'static str,
    /// What it means: whole sentences, showable.
    pub meaning: String,
    /// What the setting should be, or what to do; showable.
    pub corrected: Option<String>,
}

impl Finding {
    /// A finding about `subject`.
    pub(super) fn new(
        severity: Severity,
        id: &'static str,
        subject: &'static str,
        meaning: impl Into<String>,
    ) -> Self {
        Self { id, severity, subject, meaning: meaning.into(), corrected: None }
    }

    /// Adds what the setting should be.
    #[must_use]
    pub(super) fn corrected(mut self, value: impl Into<String>) -> Self {
        self.corrected = Some(value.into());
        self
    }
}

/// What was read, store by store.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What it was read from.
    pub form: Form,
    /// The artifact stores in it, at least one.
    pub stores: Vec<Linted>,
}

/// What is to be said of one store.
#[derive(Clone, Debug, PartialEq)]
pub struct Linted {
    /// Its name, showable; nothing where the text does not hold it.
    pub name: Option<String>,
    /// What is wrong, in the order of ZenML's settings.
    pub findings: Vec<Finding>,
    /// The commands that mend it, where something is to be mended.
    pub commands: Vec<CommandLine>,
}

/// What of a store the libraries of Python treat in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Its signature.
    pub signature: Signature,
    /// Its endpoint is https; over http botocore sends nothing in chunks.
    pub https: bool,
    /// Its `config_kwargs` hold `request_checksum_calculation` or `response_checksum_validation`.
    pub checksum_settings: bool,
}

/// Reads `text` and judges every artifact store in it; `botocore` is the version that will run
/// them, where it is known.
pub fn lint(text: &str, botocore: Option<Version>) -> Result<Report, Unreadable> {
    let (form, stores) = read::read(text)?;
    let stores = stores.into_iter().map(|store| rules::judge(store, botocore)).collect();
    Ok(Report { form, stores })
}

impl Report {
    /// Whether a store has an error.
    pub fn has_errors(&self) -> bool {
        let mut findings = self.stores.iter().flat_map(|store| &store.findings);
        findings.any(|finding| finding.severity == Severity::Error)
    }
}
