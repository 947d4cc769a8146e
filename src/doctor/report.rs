//! What the whole ladder says.

use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::base::visible::visible;
use crate::model::finding::{Finding, ServerError, State};
use crate::model::object_key::ObjectKey;
use crate::model::store::Signature;

/// The ladder's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `ZenML` can work with it.
    Passed,
    /// It can, and something should be known.
    Warned,
    /// It cannot.
    Failed,
    /// Nobody waited for the end.
    Cancelled,
}

impl Outcome {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Of findings that came to their end.
    pub(super) fn of(findings: &[Finding]) -> Self {
        let any = |state| findings.iter().any(|finding| finding.state == state);
        match () {
            () if any(State::Failed) => Self::Failed,
            () if any(State::Warned) => Self::Warned,
            () => Self::Passed,
        }
    }
}

/// From where the store was looked at, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// The endpoint that this machine used.
    pub endpoint: String,
    /// The one that `ZenML` is given, where it can be told.
    pub zenml_endpoint: Option<String>,
    /// The proxy in between, without its password.
    pub proxy: Option<String>,
    /// The signature, `ZenML`'s and ours alike.
    pub signature: Signature,
}

impl Vantage {
    /// Whether this machine took another way in than `ZenML` will.
    pub fn differs(&self) -> bool {
        self.zenml_endpoint.as_ref() != Some(&self.endpoint)
    }
}

/// What a diagnosis found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `stack/NAME`, `store/NAME`, or `draft`.
    pub subject: String,
    /// When it began, UTC.
    pub at: OffsetDateTime,
    /// One for each check, in the table's order.
    pub findings: Vec<Finding>,
    /// All in one word.
    pub outcome: Outcome,
    /// From the first check to the last thing tidied up.
    pub took: Duration,
    /// From where; nothing where there was no endpoint.
    pub vantage: Option<Vantage>,
    /// Objects of the diagnosis that are, or may be, still in the bucket.
    pub left_behind: Vec<ObjectKey>,
}

/// The version of the JSON below.
const SCHEMA: u32 = 1;

impl Report {
    /// How many findings are in `state`.
    pub fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }

    /// The first finding that failed: mend that one before the others.
    pub fn first_failure(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.state == State::Failed)
    }

    /// The report as scripts read it. Field names stay; new ones may join them.
    pub fn to_json(&self) -> Value {
        let left_behind: Vec<_> = self.left_behind.iter().map(ObjectKey::as_str).collect();
        json!({
            "schema": SCHEMA,
            "subject": self.subject,
            "outcome": self.outcome.as_str(),
            "at": self.at.format(&Rfc3339).ok(),
            "ms": millis(self.took),
            "vantage": self.vantage.as_ref().map(vantage),
            "checks": self.findings.iter().map(finding).collect::<Vec<_>>(),
            "left_behind": left_behind,
        })
    }

    /// What to do about objects that could not be removed; nothing where there are none.
    pub fn leftovers(&self) -> Option<String> {
        let keys: Vec<_> =
            self.left_behind.iter().map(|key| visible(key.as_str()).into_string()).collect();
        (!keys.is_empty()).then(|| {
            let keys = keys.join(", ");
            format!("This object of the check may still be in the bucket, delete it: {keys}")
        })
    }
}

fn vantage(vantage: &Vantage) -> Value {
    json!({
        "endpoint": vantage.endpoint,
        "zenml_endpoint": vantage.zenml_endpoint,
        "proxy": vantage.proxy,
        "signature": vantage.signature.as_str(),
    })
}

fn finding(finding: &Finding) -> Value {
    let facts: Map<String, Value> = finding
        .facts
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    json!({
        "id": finding.id,
        "state": finding.state.as_str(),
        "ms": millis(finding.took),
        "summary": finding.summary,
        "facts": facts,
        "error": finding.error.as_ref().map(error),
        "because": finding.because,
        "next": finding.next,
    })
}

fn error(error: &ServerError) -> Value {
    json!({
        "code": error.code,
        "ec": error.ec,
        "request_id": error.request_id,
        "status": error.status,
    })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
