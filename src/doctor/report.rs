//! What the whole ladder says.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{checks, permissions};
use crate::base::visible::visible;
use crate::model::endpoint::Endpoint;
use crate::model::finding::{Finding, ServerError, State};
use crate::model::fix::Fix;
use crate::model::object_key::ObjectKey;
use crate::model::permission::{Action, Grant};
use crate::model::store::{ArtifactStore, Signature};

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
    /// The store's `access`, where it has one: then `endpoint` is that.
    pub access: Option<String>,
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

    /// From where the store was looked at, in words.
    pub fn seen_from(&self) -> String {
        let by = match &self.access {
            Some(access) if access.contains("://") => "by the store's access".to_owned(),
            Some(access) => format!("by the store's access ({access})"),
            None => "by the store's endpoint".to_owned(),
        };
        let proxy = match &self.proxy {
            Some(proxy) => format!("through the proxy {proxy}"),
            None => "without a proxy".to_owned(),
        };
        format!("this machine, {by}, {}, {proxy}, signed with {}", self.endpoint, self.signature)
    }

    /// What a pass from there leaves open, one sentence each.
    pub fn does_not_prove(&self) -> Vec<String> {
        let mut open = Vec::new();
        match &self.zenml_endpoint {
            Some(zenml) if self.differs() => {
                let inside = Endpoint::parse(zenml).is_ok_and(|endpoint| endpoint.is_internal());
                let inside = if inside { ", which answers inside Alibaba Cloud only" } else { "" };
                open.push(format!("That {zenml} works, which ZenML is given{inside}."));
            }
            Some(_) => {}
            None => open.push("Anything about ZenML's endpoint: it means no address.".to_owned()),
        }
        if self.proxy.is_some() {
            open.push("That the way without this proxy is open.".to_owned());
        }
        open.push(
            "That pods and the ZenML server reach it: their DNS, routes, proxies and clocks are \
             their own."
                .to_owned(),
        );
        open
    }
}

/// What a diagnosis found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `stack/NAME`, `store/NAME`, or `draft`.
    pub subject: String,
    /// What was checked, where it is there.
    pub store: Option<Box<ArtifactStore>>,
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

    /// What the report says of the store alone: a stack's other components leave it as it is.
    #[must_use]
    pub fn of_store(&self) -> Self {
        let mut report = self.clone();
        report.findings.retain(|finding| finding.id != checks::STACK_COMPONENTS);
        if report.outcome != Outcome::Cancelled {
            report.outcome = Outcome::of(&report.findings);
        }
        report
    }

    /// The first finding that failed: mend that one before the others.
    pub fn first_failure(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.state == State::Failed)
    }

    /// What osstack could change, each fix once, in the order of the findings.
    pub fn fixes(&self) -> Vec<&Fix> {
        let mut fixes: Vec<&Fix> = Vec::new();
        for fix in self.findings.iter().filter_map(|finding| finding.fix.as_ref()) {
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        fixes
    }

    /// What was seen of each right.
    pub fn rights(&self) -> BTreeMap<Action, Grant> {
        permissions::proven(&self.findings)
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
            "policy": self.store.as_deref().map(permissions::policy_of),
            "permissions": self.rights().iter().map(right).collect::<Map<_, _>>(),
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
        "access": vantage.access,
        "seen_from": vantage.seen_from(),
        "does_not_prove": vantage.does_not_prove(),
    })
}

fn right((action, grant): (&Action, &Grant)) -> (String, Value) {
    (action.to_string(), grant.as_str().into())
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
        "steps": finding.steps,
        "fix": finding.fix.as_ref().map(Fix::to_json),
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
