//! What is to be in `ZenML` beside what is there: the changes that a commit makes, as data.
//!
//! [`read`] asks one `ZenML` for all that a [`Plan`] touches, [`compare()`] says what lacks.

mod compare;
mod removal;
mod show;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::plan::{Plan, Step};
use super::remote::Remote;
use super::rest::{Component, Error, Secret, Stack};
use crate::base::visible::visible;
use crate::model::stack;

pub use compare::{compare, moved, users};
pub use removal::{Removal, removal};
pub use show::Call;

/// The label of everything that osstack makes, where `ZenML` has labels: secrets have none.
pub const MADE_BY: (&str, &str) = ("managed-by", "osstack");

/// The label that names the commit that made a thing.
pub const COMMIT_LABEL: &str = "osstack-commit";

/// Ids of what osstack made in one `ZenML` before, by [`Step::key`].
pub type Made = BTreeMap<String, String>;

/// What one `ZenML` holds of all that a plan touches.
#[derive(Debug, Default)]
pub struct Held {
    /// The secret that the store names, or what osstack made for it under another name.
    pub secret: Option<Secret>,
    /// Whether the values that are wanted are those that osstack gave that secret last.
    pub is_as_sent: bool,
    /// Names of components beside those of the plan that refer to the secret's other name.
    pub secret_users: Vec<String>,
    /// The components that the plan describes or the stack names.
    pub components: Vec<Component>,
    /// The stack.
    pub stack: Option<Stack>,
}

/// What happens to one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed.
    Update {
        /// Its id.
        id: String,
    },
    /// It is as it should be.
    Keep {
        /// Its id.
        id: String,
    },
    /// It is deleted.
    Delete {
        /// Its id.
        id: String,
    },
}

impl Action {
    /// The id of what is there.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Create => None,
            Self::Update { id } | Self::Keep { id } | Self::Delete { id } => Some(id),
        }
    }

    /// `+`, `~`, `=` or `-`.
    pub fn sign(&self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update { .. } => "~",
            Self::Keep { .. } => "=",
            Self::Delete { .. } => "-",
        }
    }
}

/// One field that differs. A value of a secret is never here: only `same`, `changed`, ….
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// `client_kwargs.endpoint_url`.
    pub name: String,
    /// What is there; nothing where the field is new.
    pub from: Option<String>,
    /// What is to be; nothing where the field goes.
    pub to: Option<String>,
}

/// What happens to one thing, and what it is to be then.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it is to be; for a deletion, what it was.
    pub step: Step,
    /// What happens.
    pub action: Action,
    /// What differs.
    pub fields: Vec<FieldChange>,
    /// The name it has now, where that differs.
    pub former_name: Option<String>,
    /// Whether somebody else made it.
    pub is_foreign: bool,
    /// The labels it has, which stay.
    pub labels: Map<String, Value>,
}

impl Change {
    /// The name it gets, behind the one it has where that differs: `old -> new`.
    pub fn title(&self) -> String {
        let name = self.step.name();
        match (&self.former_name, &self.action) {
            (Some(former), Action::Update { .. }) => format!("{} -> {name}", visible(former)),
            _ => name.to_string(),
        }
    }

    /// What differs beside the name.
    pub fn changed_fields(&self) -> impl Iterator<Item = &FieldChange> {
        self.fields.iter().filter(|field| self.former_name.is_none() || field.name != "name")
    }

    /// Whether more than a secret's name changes.
    pub fn changes_values(&self) -> bool {
        self.changed_fields().next().is_some()
    }

    /// Whether anything happens.
    pub fn is_needed(&self) -> bool {
        !matches!(self.action, Action::Keep { .. })
    }
}

/// All changes of one commit, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Each needs those before it.
    pub changes: Vec<Change>,
    /// Why there can be no commit, whole sentences that end in what to do.
    pub blockers: Vec<String>,
    /// What to know, whole sentences.
    pub notes: Vec<String>,
    /// Ids of the stack's components that the plan does not describe, by type and name.
    pub known: BTreeMap<(String, String), String>,
}

impl Changes {
    /// Whether there is nothing to do.
    pub fn is_noop(&self) -> bool {
        self.blockers.is_empty() && !self.changes.iter().any(Change::is_needed)
    }

    /// The things of others that would change.
    pub fn foreign(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.is_needed() && change.is_foreign)
    }

    /// Two that show the same have the same: what a commit must still be when it is confirmed.
    pub fn fingerprint(&self) -> String {
        let all: Vec<_> = self
            .changes
            .iter()
            .map(|change| (change.step.key(), &change.action, &change.fields, change.is_foreign))
            .collect();
        hex::encode(Sha256::digest(format!("{all:?}")))
    }
}

impl Step {
    /// Names the thing: `secret/NAME`, `orchestrator/NAME`, `stack/NAME`. No type of component is
    /// called secret or stack.
    pub fn key(&self) -> String {
        let kind = match self {
            Self::Secret { .. } => "secret",
            Self::Component { kind, .. } => kind.as_str(),
            Self::Stack { .. } => "stack",
        };
        format!("{kind}/{}", self.name())
    }
}

/// The labels of a thing that this commit makes.
pub fn labels(former: &Map<String, Value>, commit: &str) -> Map<String, Value> {
    let mut labels = former.clone();
    labels.insert(MADE_BY.0.to_owned(), json!(MADE_BY.1));
    labels.insert(COMMIT_LABEL.to_owned(), json!(commit));
    labels
}

/// Whether the labels say that osstack made it.
pub fn is_labelled(labels: &Map<String, Value>) -> bool {
    labels.get(MADE_BY.0).and_then(Value::as_str) == Some(MADE_BY.1)
}

/// Reads all that `plan` and `stack` touch. What has the wanted name counts; else what osstack
/// made for it before, under whatever name it has by now.
pub async fn read(
    remote: &Remote,
    plan: &Plan,
    secret: &str,
    stack: Option<&stack::Stack>,
    made: &Made,
) -> Result<Held, Error> {
    let components = async {
        let mut found = Vec::new();
        for (kind, name) in named(plan, stack) {
            let one =
                match (remote.component(kind, &name).await?, made.get(&format!("{kind}/{name}"))) {
                    (None, Some(id)) => remote.component_by_id(id).await?,
                    (found, _) => found,
                };
            found.extend(one);
        }
        Ok::<_, Error>(found)
    };
    let held_stack = async {
        let Some(stack) = stack else { return Ok(None) };
        let named = remote.stack(stack.name.as_str()).await?;
        match (named, made.get(&format!("stack/{}", stack.name))) {
            (None, Some(id)) => remote.stack_by_id(id).await,
            (named, _) => Ok(named),
        }
    };
    let held_secret = async {
        match (remote.secret(secret).await?, made.get(&format!("secret/{secret}"))) {
            (None, Some(id)) => remote.secret_by_id(id).await,
            (named, _) => Ok(named),
        }
    };
    let (held_secret, components, stack) = tokio::try_join!(held_secret, components, held_stack)?;
    let mut secret_users = Vec::new();
    if let Some(former) = held_secret.as_ref().filter(|held| held.name != secret) {
        let all = remote.components(None).await?;
        // the plan's own will refer to the new name
        let is_own = |one: &Component| {
            let is_described = |step: &Step| step.key() == format!("{}/{}", one.kind, one.name);
            plan.steps.iter().any(is_described) || made_for(plan, made, &one.id)
        };
        let others = users(&former.name, &all).filter(|one| !is_own(one));
        secret_users.extend(others.map(|one| one.name.clone()));
    }
    Ok(Held { secret: held_secret, is_as_sent: false, secret_users, components, stack })
}

/// Whether the component `id` is what osstack made for one that the plan describes.
fn made_for(plan: &Plan, made: &Made, id: &str) -> bool {
    plan.steps.iter().any(|step| made.get(&step.key()).is_some_and(|known| known == id))
}

/// Type and name of the components that the plan describes or the stack names, each once.
fn named(plan: &Plan, stack: Option<&stack::Stack>) -> BTreeSet<(&'static str, String)> {
    let described = plan.steps.iter().filter_map(|step| match step {
        Step::Component { kind, name, .. } => Some((*kind, name.to_string())),
        _ => None,
    });
    let named = stack.into_iter().flat_map(|stack| {
        stack
            .components
            .iter()
            .flat_map(|(kind, names)| names.iter().map(move |name| (*kind, name.to_string())))
    });
    described.chain(named).map(|(kind, name)| (kind.as_str(), name)).collect()
}
