//! Fixes: what could be written differently so that a store works.
//!
//! A fix is a store's settings as they are and as they would be; what it changes is the
//! difference. So a fix cannot say one thing and do another, and one for a saved store and one for
//! a draft in a form are the same thing. Where the secret's values themselves are at fault, the
//! fix says only how many blanks go: values are never shown.

use serde_json::{Map, Value};

use super::endpoint::EndpointChoice;
use super::name::Name;
use super::store::{Signature, StoreDraft};

/// What would mend a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    summary: String,
    mend: Mend,
}

/// What a fix is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mend {
    Store { before: Box<StoreDraft>, after: Box<StoreDraft> },
    Blanks { secret: Name, count: usize },
}

/// One setting before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key in `stacks.toml`; of a secret, the word `values`.
    pub field: &'static str,
    /// What stands there; nothing where the setting is absent.
    pub old: Option<String>,
    /// What would stand there.
    pub new: Option<String>,
}

impl Fix {
    /// Other settings: `edit` makes them out of `before`. `None` where that changes nothing that a
    /// fix may change, or where the outcome would not be a valid store.
    ///
    /// `summary` says in one sentence what is done and why.
    pub fn of(
        before: impl Into<StoreDraft>,
        summary: impl Into<String>,
        edit: impl FnOnce(&mut StoreDraft),
    ) -> Option<Self> {
        let before = before.into();
        let mut after = before.clone();
        edit(&mut after);
        if after.validate().is_err() {
            return None;
        }
        let mend = Mend::Store { before: Box::new(before), after: Box::new(after) };
        let fix = Self { summary: summary.into(), mend };
        (!fix.changes().is_empty()).then_some(fix)
    }

    /// The bucket lies in the region `to`.
    pub fn region(before: impl Into<StoreDraft>, to: &str) -> Option<Self> {
        Self::of(before, format!("Name the region that the bucket lies in, {to}."), |draft| {
            to.clone_into(&mut draft.region);
        })
    }

    /// The bucket is reached at `to`, which the server named: what this machine uses changes,
    /// which is `access` where the store has one and `endpoint` else.
    pub fn endpoint(before: impl Into<StoreDraft>, to: &EndpointChoice) -> Option<Self> {
        Self::of(before, format!("Go where the bucket lies, {to}."), |draft| {
            let used =
                if draft.access.is_empty() { &mut draft.endpoint } else { &mut draft.access };
            *used = to.to_string();
        })
    }

    /// This machine goes in by `to`; what `ZenML` is given stays.
    pub fn access(before: impl Into<StoreDraft>, to: &EndpointChoice) -> Option<Self> {
        let summary =
            format!("Let this machine go in by the {to} endpoint; ZenML's own stays as it is.");
        Self::of(before, summary, |draft| draft.access = to.to_string())
    }

    /// The server takes the signature `to`.
    pub fn signature(before: impl Into<StoreDraft>, to: Signature) -> Option<Self> {
        Self::of(before, format!("Sign with {to}, which the server takes."), |draft| {
            draft.signature = to;
        })
    }

    /// The values of `secret` hold `count` blanks that belong to none of them.
    pub fn blanks(secret: Name, count: usize) -> Option<Self> {
        let mend = Mend::Blanks { secret, count };
        let fix = Self { summary: "Take the blanks out of the secret's values.".into(), mend };
        (count > 0).then_some(fix)
    }

    /// What is done and why.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What it changes, never empty.
    pub fn changes(&self) -> Vec<Change> {
        match &self.mend {
            Mend::Store { before, after } => {
                let change = |field: &Field| {
                    let [old, new] = [before, after].map(|draft| (field.get)(draft));
                    (old != new).then_some(Change { field: field.key, old, new })
                };
                FIELDS.iter().filter_map(change).collect()
            }
            Mend::Blanks { count, .. } => {
                let blanks = if *count == 1 { "blank" } else { "blanks" };
                let new = Some(format!("{count} {blanks} removed"));
                vec![Change { field: "values", old: None, new }]
            }
        }
    }

    /// The store it mends.
    pub fn store(&self) -> Option<&str> {
        match &self.mend {
            Mend::Store { before, .. } => Some(&before.name),
            Mend::Blanks { .. } => None,
        }
    }

    /// Whether `draft` still stands where the fix begins.
    pub fn fits(&self, draft: &StoreDraft) -> bool {
        let Mend::Store { before, after } = &self.mend else { return false };
        FIELDS.iter().all(|field| {
            let [old, new] = [before, after].map(|draft| (field.get)(draft));
            old == new || (field.get)(draft) == old
        })
    }

    /// Whether it takes back what `other` does.
    pub fn undoes(&self, other: &Self) -> bool {
        let back = |change: Change| Change { old: change.new, new: change.old, ..change };
        self.secret() == other.secret()
            && self.changes().into_iter().map(back).collect::<Vec<_>>() == other.changes()
    }

    /// The secret it mends.
    pub fn secret(&self) -> Option<&Name> {
        match &self.mend {
            Mend::Store { .. } => None,
            Mend::Blanks { secret, .. } => Some(secret),
        }
    }

    /// `draft` with the changes; what the fix does not touch stays as it is there.
    #[must_use]
    pub fn applied_to(&self, draft: &StoreDraft) -> StoreDraft {
        let mut mended = draft.clone();
        if let Mend::Store { before, after } = &self.mend {
            for field in FIELDS.iter().filter(|field| (field.get)(before) != (field.get)(after)) {
                (field.take)(&mut mended, after);
            }
        }
        mended
    }

    /// As scripts read it.
    pub fn to_json(&self) -> Value {
        let changes = self.changes();
        let changes = changes.iter().map(|Change { field, old, new }| {
            serde_json::json!({ "field": field, "old": old, "new": new })
        });
        serde_json::json!({ "summary": self.summary, "changes": changes.collect::<Vec<_>>() })
    }
}

impl Change {
    /// The lines of `stacks.toml` that go and come, where it is a setting of a store; of a secret
    /// what is done to it.
    pub fn lines(&self) -> [Option<String>; 2] {
        let line = |value: &Option<String>| {
            value.as_ref().map(|value| match (self.field, value.strip_prefix("domain:")) {
                ("values", _) => value.clone(),
                (field, Some(domain)) => {
                    format!("{field} = {{ custom_domain = {} }}", Value::from(domain))
                }
                (field @ ("client_kwargs" | "config_kwargs"), _) => format!("{field} = {value}"),
                (field, None) => format!("{field} = {}", Value::from(value.as_str())),
            })
        };
        [line(&self.old), line(&self.new)]
    }
}

/// A setting that fixes may change: its key in `stacks.toml`, its text, and how it is taken over.
struct Field {
    key: &'static str,
    get: fn(&StoreDraft) -> Option<String>,
    take: fn(&mut StoreDraft, &StoreDraft),
}

const FIELDS: &[Field] = &[
    Field {
        key: "path",
        get: |draft| {
            let slash = if draft.prefix.is_empty() { "" } else { "/" };
            Some(format!("s3://{}{slash}{}", draft.bucket, draft.prefix))
        },
        take: |to, from| {
            to.bucket.clone_from(&from.bucket);
            to.prefix.clone_from(&from.prefix);
        },
    },
    Field {
        key: "region",
        get: |draft| given(&draft.region),
        take: |to, from| to.region.clone_from(&from.region),
    },
    Field {
        key: "endpoint",
        get: |draft| given(&draft.endpoint),
        take: |to, from| to.endpoint.clone_from(&from.endpoint),
    },
    Field {
        key: "access",
        get: |draft| given(&draft.access),
        take: |to, from| to.access.clone_from(&from.access),
    },
    Field {
        key: "signature",
        get: |draft| Some(draft.signature.as_str().to_owned()),
        take: |to, from| to.signature = from.signature,
    },
    Field {
        key: "client_kwargs",
        get: |draft| table(&draft.extras.client_kwargs),
        take: |to, from| to.extras.client_kwargs.clone_from(&from.extras.client_kwargs),
    },
    Field {
        key: "config_kwargs",
        get: |draft| table(&draft.extras.config_kwargs),
        take: |to, from| to.extras.config_kwargs.clone_from(&from.extras.config_kwargs),
    },
];

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// An inline table as TOML writes it, as far as its values are not tables themselves.
fn table(map: &Map<String, Value>) -> Option<String> {
    let entries: Vec<String> =
        map.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    (!entries.is_empty()).then(|| format!("{{ {} }}", entries.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::EndpointKind;

    fn draft() -> StoreDraft {
        StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            prefix: "zenml".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            endpoint: "internal".into(),
            ..StoreDraft::default()
        }
    }

    #[test]
    fn a_fix_is_its_difference_and_leaves_the_rest() {
        let fix = Fix::region(draft(), "cn-beijing").unwrap();
        let [change] = fix.changes().try_into().unwrap();
        assert_eq!(
            change.lines(),
            [r#"region = "eu-central-1""#, r#"region = "cn-beijing""#].map(|s| Some(s.to_owned()))
        );
        // what was typed meanwhile stays
        let typed = StoreDraft { prefix: "other".into(), ..draft() };
        let mended = fix.applied_to(&typed);
        assert_eq!((mended.region.as_str(), mended.prefix.as_str()), ("cn-beijing", "other"));
    }

    #[test]
    fn what_changes_nothing_or_ends_in_no_store_is_no_fix() {
        assert_eq!(Fix::region(draft(), "eu-central-1"), None);
        assert_eq!(Fix::region(draft(), "no region"), None);
        assert_eq!(Fix::signature(draft(), Signature::V2), None);
        assert_eq!(Fix::blanks(Name::parse("s").unwrap(), 0), None);
    }

    #[test]
    fn access_changes_and_the_endpoint_of_production_does_not() {
        let public = EndpointChoice::Kind(EndpointKind::Public);
        let fix = Fix::access(draft(), &public).unwrap();
        let fields: Vec<_> = fix.changes().iter().map(|change| change.field).collect();
        assert_eq!(fields, ["access"]);
        // a store with an access of its own is mended there
        let mended = fix.applied_to(&draft());
        let there = EndpointChoice::parse("domain:oss.example.com").unwrap();
        let fix = Fix::endpoint(mended, &there).unwrap();
        let [change] = fix.changes().try_into().unwrap();
        let [_, new] = change.lines();
        assert_eq!(new.as_deref(), Some(r#"access = { custom_domain = "oss.example.com" }"#));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let fix = Fix::blanks(Name::parse("alibaba_secret").unwrap(), 3).unwrap();
        assert_eq!(
            fix.to_json().to_string(),
            r#"{"summary":"Take the blanks out of the secret's values.","changes":[{"field":"values","old":null,"new":"3 blanks removed"}]}"#
        );
    }
}
