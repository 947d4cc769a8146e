//! What is wanted beside what is there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Action, Change, Changes, FieldChange, Held, Made, is_labelled};
use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::model::name::Name;
use crate::model::secret::{Credentials, KeyNames};
use crate::zenml::plan::{Plan, Step, text};
use crate::zenml::rest::{Component, Secret, Stack};

/// The changes that bring `plan` about where `held` is there. `credentials` are the values of the
/// plan's secret, where it has one.
pub fn compare(
    plan: &Plan,
    secret: &str,
    held: &Held,
    made: &Made,
    credentials: Option<&Credentials>,
) -> Changes {
    let mut changes = Changes { notes: plan.notes.clone(), ..Changes::default() };
    let planned = plan.steps.iter().any(|step| matches!(step, Step::Secret { .. }));
    let is_named = held.secret.as_ref().is_some_and(|held| held.name == secret);
    if !planned && !is_named {
        changes.blockers.push(format!(
            "the secret {secret} is neither in the keystore nor in ZenML: \
             osstack secret create {secret}"
        ));
    }
    for step in &plan.steps {
        match step {
            Step::Secret { name, keys } => {
                let change = secret_change(name, keys, held, made, credentials);
                let former = held.secret.as_ref().map(|secret| secret.name.as_str());
                if let (Action::Create, Some(former)) = (&change.action, former) {
                    let former = visible(former);
                    changes.notes.push(format!(
                        "The secret {former} is not renamed, since {} refers to it: {name} is made \
                         beside it. Where nothing needs it any more: zenml secret delete {former}.",
                        visible(&held.secret_users.join(", ")),
                    ));
                } else if held.secret.as_ref().is_some_and(|secret| secret.is_private) {
                    changes.notes.push(format!(
                        "The secret {name} is private in ZenML: others who use the store cannot \
                         read it."
                    ));
                }
                let is_hidden = |secret: &Secret| secret.values.values().any(Option::is_none);
                if !change.changes_values() && held.secret.as_ref().is_some_and(is_hidden) {
                    changes.notes.push(format!(
                        "ZenML does not show the values of the secret {name} to this user. They \
                         are the same as last sent; what somebody else set there since cannot be \
                         seen."
                    ));
                }
                changes.changes.push(change);
            }
            Step::Component { .. } => component_change(step, held, made, &mut changes),
            Step::Stack { name, components } => {
                stack_change(step, name, components, held, made, &mut changes);
            }
        }
    }
    changes
}

/// Whether osstack made the secret, or changed it when it was told to: as it remembers, since
/// secrets have no labels. That only our own stores name it proves nothing: it may have been there
/// before them.
pub(super) fn is_ours(secret: &Secret, made: &Made) -> bool {
    made.iter().any(|(key, id)| key.starts_with("secret/") && *id == secret.id)
}

/// The components, of whatever type, that name the secret or refer to a value of it
/// (`{{name.key}}`).
pub fn users<'a>(
    secret: &'a str,
    components: &'a [Component],
) -> impl Iterator<Item = &'a Component> {
    components.iter().filter(move |component| {
        let named = component.configuration.get("authentication_secret");
        let refers = |value: &Value| refers(value, secret);
        named.and_then(Value::as_str) == Some(secret)
            || component.configuration.values().any(refers)
    })
}

fn refers(value: &Value, secret: &str) -> bool {
    match value {
        Value::String(text) => text.split("{{").skip(1).any(|inner| {
            inner.trim_start().strip_prefix(secret).is_some_and(|rest| rest.starts_with('.'))
        }),
        Value::Array(items) => items.iter().any(|item| refers(item, secret)),
        Value::Object(map) => map.values().any(|item| refers(item, secret)),
        _ => false,
    }
}

fn secret_change(
    name: &Name,
    keys: &[&'static str],
    held: &Held,
    made: &Made,
    credentials: Option<&Credentials>,
) -> Change {
    let change = |keys: Vec<&'static str>, action, fields, is_foreign| Change {
        step: Step::Secret { name: name.clone(), keys },
        action,
        fields,
        former_name: None,
        is_foreign,
        labels: Map::new(),
    };
    let field = |name: &str, from: Option<&str>, to: Option<&str>| FieldChange {
        name: name.to_owned(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    // one that is renamed under the feet of others is as good as deleted for them
    let usable = |secret: &&Secret| secret.name == name.as_str() || held.secret_users.is_empty();
    let Some(secret) = held.secret.as_ref().filter(usable) else {
        let fields = keys.iter().map(|key| field(key, None, Some("new"))).collect();
        return change(keys.to_vec(), Action::Create, fields, false);
    };
    let keys = kept_names(keys, secret);
    let former_name = (secret.name != name.as_str()).then(|| secret.name.clone());
    let mut fields = Vec::new();
    if let Some(former) = &former_name {
        fields.push(field("name", Some(former), Some(name.as_str())));
    }
    let wanted = credentials.map(Credentials::in_order).unwrap_or_default();
    for (key, wanted) in keys.iter().zip(&wanted) {
        match secret.values.get(*key) {
            None => fields.push(field(key, None, Some("new"))),
            Some(Some(there)) if there == wanted => {}
            Some(Some(_)) => fields.push(field(key, Some("set"), Some("changed"))),
            // without the right to read values (READ_SECRET_VALUE) nobody can tell
            Some(None) if held.is_as_sent => {}
            Some(None) => fields.push(field(key, Some("not shown"), Some("set again"))),
        }
    }
    // a token that is left behind would go with the new key, and be refused
    let tokens = ["session_token", "aws_session_token"];
    let left = tokens
        .into_iter()
        .filter(|token| secret.values.contains_key(*token) && !keys.contains(token));
    fields.extend(left.map(|token| field(token, Some("set"), None)));
    let is_foreign = !is_ours(secret, made);
    let id = secret.id.clone();
    let action = if fields.is_empty() { Action::Keep { id } } else { Action::Update { id } };
    Change { former_name, ..change(keys, action, fields, is_foreign) }
}

/// A secret that is there keeps the names its values have: whatever reads it reads those. But where
/// the `aws_` names are wanted, a server or a client may know no others; and where they are there,
/// ZenML reads them before the plain ones.
fn kept_names(keys: &[&'static str], secret: &Secret) -> Vec<&'static str> {
    let aws = KeyNames::Aws.names();
    if aws.iter().take(2).any(|name| secret.values.contains_key(*name)) {
        return aws.into_iter().take(keys.len()).collect();
    }
    keys.to_vec()
}

fn component_change(step: &Step, held: &Held, made: &Made, changes: &mut Changes) {
    let Step::Component { name, kind, flavor, configuration } = step else { return };
    let all = &held.components;
    let named = all.iter().find(|one| one.kind == kind.as_str() && one.name == name.as_str());
    let ours = made.get(&step.key());
    let there = named.or_else(|| all.iter().find(|one| Some(&one.id) == ours));
    let Some(there) = there else {
        let fields = flat(configuration).into_iter().map(|(name, to)| FieldChange {
            name,
            from: None,
            to: Some(to),
        });
        let flavor = FieldChange { name: "flavor".into(), from: None, to: Some(flavor.clone()) };
        changes.changes.push(Change {
            step: step.clone(),
            action: Action::Create,
            fields: std::iter::once(flavor).chain(fields).collect(),
            former_name: None,
            is_foreign: false,
            labels: Map::new(),
        });
        return;
    };
    let shown = visible(&there.flavor);
    if there.flavor != *flavor {
        changes.blockers.push(format!(
            "ZenML has a {} {name} of flavor {shown}, which cannot become {flavor}: give yours \
             another name, or delete that one in ZenML",
            kind.label(),
        ));
    }
    if there.has_connector {
        changes.notes.push(format!(
            "A service connector is bound to {name}: ZenML signs in with that, not with the \
             secret. Connectors do not serve OSS: remove it with zenml {} disconnect {name}.",
            kind.as_str().replace('_', "-"),
        ));
    }
    if *kind == ComponentType::ArtifactStore {
        let path = |configuration: &Map<String, Value>| {
            configuration.get("path").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (from, to) = (path(&there.configuration), path(configuration));
        changes.notes.extend(moved(name, &from, &to));
    }
    let mut fields = Vec::new();
    let former_name = (there.name != name.as_str()).then(|| there.name.clone());
    if let Some(former) = &former_name {
        let (from, to) = (Some(former.clone()), Some(name.to_string()));
        fields.push(FieldChange { name: "name".into(), from, to });
    }
    fields.extend(differences(&flat(&there.configuration), &flat(configuration)));
    let is_foreign = !is_labelled(&there.labels) && ours != Some(&there.id);
    if there.user_id.is_none() && !fields.is_empty() {
        changes.blockers.push(format!(
            "the {} {name} came with ZenML and cannot be changed: give yours another name",
            kind.label()
        ));
    }
    let id = there.id.clone();
    let action = if fields.is_empty() { Action::Keep { id } } else { Action::Update { id } };
    changes.changes.push(Change {
        step: step.clone(),
        action,
        fields,
        former_name,
        is_foreign,
        labels: there.labels.clone(),
    });
}

/// What moving a store's path does to the artifacts that are there: their versions keep their
/// URIs, and a store refuses whatever does not begin with its path (`base_artifact_store.py`,
/// `_validate_path`). Nothing where all of them still do.
pub fn moved(store: &Name, from: &str, to: &str) -> Option<String> {
    if from.starts_with(to) {
        return None;
    }
    let (from, to) = (visible(from), visible(to));
    Some(format!(
        "What was written under {from} stays there under its old URIs, and ZenML refuses to read \
         it through {store} once that is at {to} (\"outside of artifact store bounds\"): where it \
         is still needed, leave {store} as it is and make a second store for {to}."
    ))
}

fn stack_change(
    step: &Step,
    name: &Name,
    components: &BTreeMap<ComponentType, Vec<Name>>,
    held: &Held,
    made: &Made,
    changes: &mut Changes,
) {
    for (kind, names) in components {
        for name in names {
            let key = format!("{kind}/{name}");
            if changes.changes.iter().any(|change| change.step.key() == key) {
                continue;
            }
            let is_it = |one: &&Component| one.kind == kind.as_str() && one.name == name.as_str();
            match held.components.iter().find(is_it) {
                Some(one) => {
                    let known = (kind.as_str().to_owned(), name.to_string());
                    changes.known.insert(known, one.id.clone());
                }
                None => changes.blockers.push(format!(
                    "the {} {name} is neither in the catalog nor in ZenML: register it, or choose \
                     another for the stack",
                    kind.label()
                )),
            }
        }
    }
    let wanted: BTreeMap<String, String> = components
        .iter()
        .map(|(kind, names)| (kind.to_string(), joined(names.iter().map(Name::as_str))))
        .collect();
    let Some(there) = &held.stack else {
        let fields = wanted
            .into_iter()
            .map(|(name, to)| FieldChange { name, from: None, to: Some(to) })
            .collect();
        changes.changes.push(Change {
            step: step.clone(),
            action: Action::Create,
            fields,
            former_name: None,
            is_foreign: false,
            labels: Map::new(),
        });
        return;
    };
    let mut fields = Vec::new();
    let former_name = (there.name != name.as_str()).then(|| there.name.clone());
    if let Some(former) = &former_name {
        let (from, to) = (Some(former.clone()), Some(name.to_string()));
        fields.push(FieldChange { name: "name".into(), from, to });
    }
    fields.extend(differences(&present(there, changes), &wanted));
    let is_foreign = !is_labelled(&there.labels) && made.get(&step.key()) != Some(&there.id);
    if there.user_id.is_none() && !fields.is_empty() {
        changes.blockers.push(format!(
            "the stack {name} came with ZenML and cannot be changed: give yours another name"
        ));
    }
    let id = there.id.clone();
    let action = if fields.is_empty() { Action::Keep { id } } else { Action::Update { id } };
    changes.changes.push(Change {
        step: step.clone(),
        action,
        fields,
        former_name,
        is_foreign,
        labels: there.labels.clone(),
    });
}

/// Names of a stack's components by type, those that are being renamed under their new name.
fn present(there: &Stack, changes: &Changes) -> BTreeMap<String, String> {
    let renamed = |id: &str| {
        let of = changes.changes.iter().find(|change| change.action.id() == Some(id))?;
        of.former_name.is_some().then(|| of.step.name().as_str())
    };
    let used = there.components.iter().filter(|(_, all)| !all.is_empty());
    used.map(|(kind, all)| {
        let names = all.iter().map(|one| renamed(&one.id).unwrap_or(&one.name));
        (kind.clone(), joined(names))
    })
    .collect()
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.join(", ")
}

/// Settings by name, those inside an object under `object.name`.
fn flat(configuration: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (name, value) in configuration {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                let inner = inner.iter().map(|(key, value)| (format!("{name}.{key}"), text(value)));
                out.extend(inner);
            }
            Value::Null => {}
            other => {
                out.insert(name.clone(), text(other));
            }
        }
    }
    out
}

fn differences(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let gone = from.iter().filter(|(name, _)| !to.contains_key(*name));
    let gone = gone.map(|(name, value)| FieldChange {
        name: name.clone(),
        from: Some(value.clone()),
        to: None,
    });
    let changed = to.iter().filter(|(name, value)| from.get(*name) != Some(*value));
    let changed = changed.map(|(name, value)| FieldChange {
        name: name.clone(),
        from: from.get(name).cloned(),
        to: Some(value.clone()),
    });
    let mut all: Vec<FieldChange> = changed.chain(gone).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whoever_names_a_secret_or_a_value_of_it_uses_it() {
        let uses = |configuration: Value| {
            let Value::Object(configuration) = configuration else { panic!("no object") };
            let component = Component {
                id: "1".into(),
                name: "tracker".into(),
                kind: "experiment_tracker".into(),
                flavor: "mlflow".into(),
                configuration,
                labels: Map::new(),
                user_id: None,
                has_connector: false,
            };
            users("sec", &[component]).count() == 1
        };
        assert!(uses(json!({ "authentication_secret": "sec" })));
        assert!(uses(json!({ "tracking_username": "{{sec.access_key_id}}" })));
        assert!(uses(json!({ "headers": { "X": ["Bearer {{ sec.token }}"] } })));
        assert!(!uses(json!({ "authentication_secret": "second", "uri": "sec" })));
        assert!(!uses(json!({ "a": "{{second.key}}", "b": "{{se.key}}", "c": "sec.key" })));
    }
}
