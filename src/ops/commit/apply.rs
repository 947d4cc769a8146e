//! One change, made in `ZenML`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::failure::{Failure, FailureKind};
use crate::base::secret_string::SecretString;
use crate::model::component::ComponentType;
use crate::model::name::Name;
use crate::model::secret::Credentials;
use crate::zenml::changes::{Action, COMMIT_LABEL, Change, Held, labels};
use crate::zenml::plan::Step;
use crate::zenml::remote::Remote;
use crate::zenml::rest::{ComponentChange, Error, Kind, StackChange};

/// Makes `change`; answers the id of what is there then. A name that somebody took meanwhile is a
/// conflict, unless it turns out to be our own, made by a try whose answer was lost.
pub(super) async fn apply(
    remote: &Remote,
    change: &Change,
    ids: &BTreeMap<String, String>,
    credentials: Option<&Credentials>,
    commit: &str,
) -> Result<Option<String>, Error> {
    match &change.action {
        Action::Keep { id } => Ok(Some(id.clone())),
        Action::Delete { id } => delete(remote, &change.step, id).await.map(|()| None),
        Action::Update { id } => {
            update(remote, change, id, ids, credentials, commit).await.map(|()| Some(id.clone()))
        }
        Action::Create => match create(remote, change, ids, credentials, commit).await {
            Ok(id) => Ok(Some(id)),
            Err(error) if error.kind == Kind::Conflict || error.may_be_done => {
                let made = made_by_us(remote, change, credentials, commit).await;
                // where it cannot be looked up, the first error says more
                made.unwrap_or(None).map_or(Err(error), |id| Ok(Some(id)))
            }
            Err(error) => Err(error),
        },
    }
}

async fn create(
    remote: &Remote,
    change: &Change,
    ids: &BTreeMap<String, String>,
    credentials: Option<&Credentials>,
    commit: &str,
) -> Result<String, Error> {
    let labels = labels(&change.labels, commit);
    match &change.step {
        Step::Secret { name, keys } => {
            let values = credentials.map(Credentials::in_order).unwrap_or_default();
            let values: Vec<_> =
                keys.iter().copied().zip(&values).map(|(key, value)| (key, Some(value))).collect();
            remote.create_secret(name.as_str(), &values).await
        }
        Step::Component { name, kind, flavor, configuration } => {
            let (kind, name) = (kind.as_str(), name.as_str());
            remote.create_component(kind, name, flavor, configuration, &labels).await
        }
        Step::Stack { name, components } => {
            let components = by_id(components, ids)?;
            remote.create_stack(name.as_str(), &components, &labels).await
        }
    }
}

async fn update(
    remote: &Remote,
    change: &Change,
    id: &str,
    ids: &BTreeMap<String, String>,
    credentials: Option<&Credentials>,
    commit: &str,
) -> Result<(), Error> {
    let labels = labels(&change.labels, commit);
    let name = change.former_name.is_some().then(|| change.step.name().as_str());
    match &change.step {
        Step::Secret { keys, .. } => {
            let values = credentials.map(Credentials::in_order).unwrap_or_default();
            let given = keys.iter().copied().zip(&values).map(|(key, value)| (key, Some(value)));
            let gone = change.fields.iter().filter(|field| field.to.is_none());
            let gone = gone.map(|field| (field.name.as_str(), None));
            let mut values: Vec<_> = given.chain(gone).collect();
            if !change.changes_values() {
                values.clear();
            }
            remote.update_secret(id, name, &values).await
        }
        Step::Component { configuration, .. } => {
            let change =
                ComponentChange { name, configuration: Some(configuration), labels: Some(&labels) };
            remote.update_component(id, change).await
        }
        Step::Stack { components, .. } => {
            let components = by_id(components, ids)?;
            let change = StackChange { name, components: Some(&components), labels: Some(&labels) };
            remote.update_stack(id, change).await
        }
    }
}

/// Deletes the thing `id`.
pub(super) async fn delete(remote: &Remote, step: &Step, id: &str) -> Result<(), Error> {
    match step {
        Step::Secret { .. } => remote.delete_secret(id).await,
        Step::Component { .. } => remote.delete_component(id).await,
        Step::Stack { .. } => remote.delete_stack(id).await,
    }
}

fn by_id(
    components: &BTreeMap<ComponentType, Vec<Name>>,
    ids: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let mut out = BTreeMap::new();
    for (kind, names) in components {
        let found = names.iter().map(|name| {
            ids.get(&format!("{kind}/{name}")).cloned().ok_or_else(|| {
                let message = format!("the {} {name} is not there any more", kind.label());
                Error::new(Kind::NotFound, "compose the stack", message)
            })
        });
        out.insert(kind.to_string(), found.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(out)
}

/// The id of what is there under the name of `change`, where this very commit made it.
async fn made_by_us(
    remote: &Remote,
    change: &Change,
    credentials: Option<&Credentials>,
    commit: &str,
) -> Result<Option<String>, Error> {
    let is_ours = |labels: &serde_json::Map<String, Value>| {
        labels.get(COMMIT_LABEL).and_then(Value::as_str) == Some(commit)
    };
    Ok(match &change.step {
        // a secret has no labels: one of mine with just these values is as good as made here
        Step::Secret { name, keys } => {
            let me = remote.current_user().await?;
            let values = credentials.map(Credentials::in_order).unwrap_or_default();
            let found = remote.secret(name.as_str()).await?;
            let found = found.filter(|secret| secret.user_id.as_ref() == Some(&me.id));
            let is_same = |secret: &crate::zenml::rest::Secret| {
                keys.iter().zip(&values).all(|(key, value)| {
                    secret.values.get(*key).is_some_and(|there| there.as_ref() == Some(value))
                })
            };
            found.filter(is_same).map(|secret| secret.id)
        }
        Step::Component { name, kind, .. } => {
            let found = remote.component(kind.as_str(), name.as_str()).await?;
            found.filter(|component| is_ours(&component.labels)).map(|component| component.id)
        }
        Step::Stack { name, .. } => {
            let found = remote.stack(name.as_str()).await?;
            found.filter(|stack| is_ours(&stack.labels)).map(|stack| stack.id)
        }
    })
}

/// What `change` replaces or deletes, as JSON that [`super::undo`] reads; nothing for what is new.
pub(super) fn former(change: &Change, held: &Held) -> Result<Option<SecretString>, Failure> {
    let Some(id) = change.action.id() else { return Ok(None) };
    let former = match &change.step {
        Step::Secret { name, .. } => {
            let values = held.secret.iter().flat_map(|secret| &secret.values);
            let values: BTreeMap<&str, Option<&str>> = values
                .map(|(key, value)| (key.as_str(), value.as_ref().map(SecretString::expose)))
                .collect();
            let there = held.secret.as_ref().map_or(name.as_str(), |secret| &secret.name);
            let mut former = json!({ "name": there, "values": values });
            if let (Action::Update { .. }, false) = (&change.action, change.changes_values()) {
                former = json!({ "name": there });
            }
            former
        }
        Step::Component { kind, flavor, configuration, .. } => {
            let there = held.components.iter().find(|one| one.id == id);
            json!({
                "name": there.map_or(change.step.name().as_str(), |one| &one.name),
                "type": kind.as_str(),
                "flavor": there.map_or(flavor, |one| &one.flavor),
                "configuration": there.map_or(configuration, |one| &one.configuration),
                "labels": change.labels,
            })
        }
        Step::Stack { name, .. } => {
            let there = held.stack.as_ref();
            let components: BTreeMap<&str, Vec<&str>> = there
                .iter()
                .flat_map(|stack| &stack.components)
                .map(|(kind, all)| (kind.as_str(), all.iter().map(|one| &*one.id).collect()))
                .collect();
            json!({
                "name": there.map_or(name.as_str(), |one| &one.name),
                "components": components,
                "labels": change.labels,
            })
        }
    };
    let text = serde_json::to_string(&former)
        .map_err(|error| Failure::new(FailureKind::File, error.to_string()))?;
    Ok(Some(SecretString::new(text)))
}
