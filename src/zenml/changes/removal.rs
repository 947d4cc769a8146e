//! What goes from `ZenML` with a stack.

use serde_json::Map;

use super::compare::{is_ours, users};
use super::{Action, Change, Changes, Made, is_labelled};
use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::model::name::Name;
use crate::zenml::plan::Step;
use crate::zenml::remote::Remote;
use crate::zenml::rest::{Component, Error};

/// A stack that is to go, with what only it uses.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// The stack.
    pub stack: &'a Name,
    /// The ids of what osstack made.
    pub made: &'a Made,
}

/// The changes that take a stack out of `ZenML`: the stack, then each component that osstack made
/// and no other stack uses, then the secret that no other store names. What others made stays.
pub async fn removal(remote: &Remote, removal: Removal<'_>) -> Result<Changes, Error> {
    let Removal { stack: name, made } = removal;
    let mut changes = Changes::default();
    let found = remote.stack(name.as_str()).await?;
    let stack = match (found, made.get(&format!("stack/{name}"))) {
        (None, Some(id)) => remote.stack_by_id(id).await?,
        (found, _) => found,
    };
    let Some(stack) = stack else {
        changes.notes.push(format!("ZenML has no stack {name}."));
        return Ok(changes);
    };
    if stack.user_id.is_none() {
        let blocker = format!("the stack {name} came with ZenML and cannot be deleted");
        changes.blockers.push(blocker);
    }
    // seen: "Unable to deregister active stack"; over REST nobody knows which one is active
    changes.notes.push(format!(
        "Where {name} is the active stack, the zenml command refuses to delete it: first zenml \
         stack set default."
    ));
    let components = stack.components.iter().map(|(kind, all)| {
        let names = all.iter().filter_map(|one| Name::parse(&one.name).ok()).collect();
        ComponentType::parse(kind).map(|kind| (kind, names))
    });
    changes.changes.push(Change {
        step: Step::Stack { name: name.clone(), components: components.flatten().collect() },
        action: Action::Delete { id: stack.id.clone() },
        fields: Vec::new(),
        former_name: (stack.name != name.as_str()).then(|| stack.name.clone()),
        is_foreign: !is_labelled(&stack.labels)
            && made.get(&format!("stack/{name}")) != Some(&stack.id),
        labels: stack.labels.clone(),
    });
    let mut gone: Vec<Component> = Vec::new();
    for (kind, all) in &stack.components {
        for one in all {
            let Some(component) = remote.component_by_id(&one.id).await? else { continue };
            let ours = is_labelled(&component.labels)
                || made.get(&format!("{kind}/{}", component.name)) == Some(&component.id);
            let others = remote.stacks_with(&one.id).await?;
            let others: Vec<&str> = others
                .iter()
                .filter(|other| other.id != stack.id)
                .map(|other| other.name.as_str())
                .collect();
            if !ours {
                continue;
            }
            if !others.is_empty() {
                let users = visible(&others.join(", ")).into_string();
                changes.notes.push(format!("{} stays: {users} uses it.", visible(&component.name)));
                continue;
            }
            gone.push(component);
        }
    }
    for component in &gone {
        let (Some(kind), Ok(name)) =
            (ComponentType::parse(&component.kind), Name::parse(&component.name))
        else {
            continue;
        };
        changes.changes.push(Change {
            step: Step::Component {
                name,
                kind,
                flavor: component.flavor.clone(),
                configuration: component.configuration.clone(),
            },
            action: Action::Delete { id: component.id.clone() },
            fields: Vec::new(),
            former_name: None,
            is_foreign: false,
            labels: component.labels.clone(),
        });
    }
    secret(remote, &gone, made, &mut changes).await?;
    Ok(changes)
}

/// Deletes the secret of the stores that go, where osstack made it and nothing else names it:
/// `ZenML` would delete it under the feet of others.
async fn secret(
    remote: &Remote,
    gone: &[Component],
    made: &Made,
    changes: &mut Changes,
) -> Result<(), Error> {
    let store = gone.iter().find(|one| one.kind == ComponentType::ArtifactStore.as_str());
    let named = store.and_then(|store| store.configuration.get("authentication_secret"));
    let Some(name) = named.and_then(serde_json::Value::as_str) else { return Ok(()) };
    let (secret, components) = tokio::try_join!(remote.secret(name), remote.components(None))?;
    let (Some(secret), Ok(name)) = (&secret, Name::parse(name)) else { return Ok(()) };
    let others =
        users(name.as_str(), &components).filter(|one| gone.iter().all(|g| g.id != one.id));
    let others: Vec<&str> = others.map(|one| one.name.as_str()).collect();
    if !others.is_empty() {
        let users = visible(&others.join(", ")).into_string();
        changes.notes.push(format!("The secret {name} stays: {users} names it."));
    } else if !is_ours(secret, made) {
        changes.notes.push(format!(
            "The secret {name} stays: osstack does not remember making it. Where nobody needs it: \
             zenml secret delete {name}."
        ));
    } else {
        changes.changes.push(Change {
            step: Step::Secret { name, keys: Vec::new() },
            action: Action::Delete { id: secret.id.clone() },
            fields: Vec::new(),
            former_name: None,
            is_foreign: false,
            labels: Map::new(),
        });
    }
    Ok(())
}
