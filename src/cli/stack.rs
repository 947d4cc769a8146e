//! `osstack stack …`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::SCHEMA;
use super::args::{Stack as Verb, StackSettings};
use super::output::Output;
use super::output::Paint;
use super::secret::warn_of_absent;
use super::session::{Session, Stop};
use super::store::load;
use super::table::{Cell, Table};
use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::model::name::Name;
use crate::model::requirement::{self, Weight};
use crate::model::stack::{Stack, StackDraft};
use crate::ops::activate::{ActivateStack, Activated};
use crate::ops::commit_record::ListUnfinished;
use crate::ops::commit_state::{CommitStates, LoadCommitStates};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::plan::Against;
use crate::ops::stacks::{CopyStack, DeleteStack, RenameStack, SaveStack};
use crate::ops::stores::LoadCatalog;
use crate::ops::world::{stack_of, store_of};

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::Register(settings) => {
            let draft = overlay(StackDraft::default(), settings)?;
            know_types(&draft, session).await?;
            let name = session.run(SaveStack { draft, replaces: None }).await??;
            done("registered", &name, session).await?;
            warn_of_dangling(&name, session).await
        }
        Verb::Update(settings) => update(settings, session).await,
        Verb::List => list(session).await,
        Verb::Describe { name } => describe(&name, session).await,
        Verb::Delete { name, yes } => {
            let stack = stack_of(&load(session).await?, &name)?.clone();
            session.confirm_protected(&stack, yes)?;
            if !stack.protected {
                session.confirm_deletion(&format!("the stack {name} from the catalog"), yes)?;
            }
            session.run(DeleteStack { name: name.clone() }).await??;
            let sentence = format!("deleted the stack {name}; its store and secret stay");
            session.output.done(&sentence, json!({ "name": name }))
        }
        Verb::Rename { name, to, yes } => {
            let stack = stack_of(&load(session).await?, &name)?.clone();
            session.confirm_protected(&stack, yes)?;
            let former = name.clone();
            let name = session.run(RenameStack { name, to }).await??;
            session.output.note(&format!(
                "{} is called {name} here from now on; where ZenML has it from osstack, the next \
                 commit renames it there",
                visible(&former)
            ));
            done("renamed", &name, session).await
        }
        Verb::Copy { name, to } => {
            let name = session.run(CopyStack { name, to }).await??;
            done("copied", &name, session).await
        }
        Verb::Set { name, connection } => set(name, connection, session).await,
        Verb::Export(args) => super::stack_file::export(args, session).await,
        Verb::Import(args) => super::stack_file::import(args, session).await,
    }
}

async fn set(stack: String, connection: Option<String>, session: &mut Session) -> Result<(), Stop> {
    session.open_any_keystore().await?;
    let against = connection.map_or(Against::Usual, Against::Named);
    let activated = activate(&stack, against, session).await?;
    let output = &mut session.output;
    if output.is_json() {
        return output.json(&json!({
            "schema": SCHEMA,
            "name": stack,
            "stack_id": activated.id,
            "set_by": activated.shown(),
        }));
    }
    say_active(&stack, &activated, output)
}

/// Makes a stack that is in ZenML the active one.
pub(super) async fn activate(
    stack: &str,
    against: Against,
    session: &mut Session,
) -> Result<Activated, Stop> {
    Ok(session.run(ActivateStack { stack: stack.to_owned(), against }).await??)
}

/// Says which `zenml` it is active for, or what makes it so for a shell.
pub(super) fn say_active(
    stack: &str,
    activated: &Activated,
    output: &mut Output,
) -> Result<(), Stop> {
    if let Some(by) = activated.shown() {
        return output.line(&format!("{stack} is the active stack of {by}"));
    }
    output.note("no zenml on the PATH speaks with that server; for this shell:");
    output.line(&format!("export ZENML_ACTIVE_STACK_ID={}", visible(&activated.id)))
}

async fn update(settings: StackSettings, session: &mut Session) -> Result<(), Stop> {
    let former = stack_of(&load(session).await?, &settings.name)?.clone();
    session.confirm_protected(&former, settings.yes)?;
    let draft = overlay(StackDraft::from(&former), settings)?;
    know_types(&draft, session).await?;
    let name = session.run(SaveStack { draft, replaces: Some(Box::new(former)) }).await??;
    done("updated", &name, session).await?;
    warn_of_dangling(&name, session).await
}

/// Warns of a store that the catalog does not have (ZenML may), of a store's secret that the
/// keystore does not have, and of what the components lack.
pub(super) async fn warn_of_dangling(stack: &Name, session: &mut Session) -> Result<(), Stop> {
    let catalog = session.run(LoadCatalog).await??;
    let stack = stack_of(&catalog, stack.as_str())?;
    for name in stack.components.get(&ComponentType::ArtifactStore).into_iter().flatten() {
        match store_of(&catalog, name.as_str()) {
            Ok(store) => warn_of_absent(store.secret.as_str(), session).await?,
            Err(absent) => {
                let absent = absent.hint(format!(
                    "fine where ZenML has it, else: osstack artifact-store register {name}"
                ));
                session.output.note(&format!("warning: {absent}"));
            }
        }
    }
    for need in requirement::of_stack(stack, catalog.described()) {
        if need.weight > Weight::Note {
            let next = need.next.map(|next| format!(" {next}.")).unwrap_or_default();
            session.output.note(&format!("warning: {}{next}", need.message));
        }
    }
    Ok(())
}

async fn done(what: &str, name: &Name, session: &mut Session) -> Result<(), Stop> {
    let catalog = session.run(LoadCatalog).await??;
    let stack = stack_of(&catalog, name.as_str())?;
    session.output.done(&format!("{what} the stack {name}: {}", composed(stack)), fields(stack))
}

/// `draft` with what the arguments say; what they leave out stays.
fn overlay(mut draft: StackDraft, settings: StackSettings) -> Result<StackDraft, Failure> {
    draft.name = settings.name;
    let mandatory = [
        (ComponentType::ArtifactStore, settings.artifact_store),
        (ComponentType::Orchestrator, settings.orchestrator),
    ];
    for (kind, given) in mandatory {
        if let Some(given) = given {
            draft.components.insert(kind, vec![given]);
        }
    }
    let mut further: BTreeMap<ComponentType, Vec<String>> = BTreeMap::new();
    for text in &settings.component {
        let (kind, name) = component(text)?;
        let names = further.entry(kind).or_default();
        if !name.is_empty() {
            names.push(name.to_owned());
        }
    }
    draft.components.extend(further);
    if let Some(zenml) = settings.zenml {
        draft.zenml = zenml;
    }
    draft.protected = settings.protected.unwrap_or(draft.protected);
    draft.require_check = settings.require_check.unwrap_or(draft.require_check);
    Ok(draft)
}

async fn know_types(draft: &StackDraft, session: &mut Session) -> Result<(), Stop> {
    for kind in draft.components.keys() {
        super::component::know(*kind, session).await?;
    }
    Ok(())
}

/// `TYPE=NAME`.
fn component(text: &str) -> Result<(ComponentType, &str), Failure> {
    let refuse = |summary: String| {
        let types = ComponentType::ALL.map(ComponentType::as_str).join(", ");
        Failure::new(FailureKind::Usage, summary)
            .hint(format!("write TYPE=NAME, TYPE one of {types}"))
    };
    let (kind, name) = text
        .split_once('=')
        .ok_or_else(|| refuse(format!("'{}' names no type of component", visible(text))))?;
    let kind = ComponentType::parse(kind)
        .ok_or_else(|| refuse(format!("'{}' is no type of component", visible(kind))))?;
    Ok((kind, name))
}

async fn list(session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let states = session.run(LoadCommitStates).await?;
    let output = &mut session.output;
    let states = states.unwrap_or_else(|failure| {
        output.note(&format!("note: what was committed is not known: {failure}"));
        CommitStates::new()
    });
    let state = |stack: &Stack| states.get(&stack.name).cloned().unwrap_or_default();
    if output.is_json() {
        let stacks = catalog.stacks().iter().map(|stack| {
            let mut fields = fields(stack);
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("commit".into(), state(stack).fields());
            }
            fields
        });
        let stacks: Vec<Value> = stacks.collect();
        return output.json(&json!({ "schema": SCHEMA, "stacks": stacks }));
    }
    if catalog.stacks().is_empty() {
        output.note("no stacks yet: osstack stack register NAME -a STORE -o ORCHESTRATOR");
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "COMPONENTS", "ZENML", "COMMIT", ""]);
    for stack in catalog.stacks() {
        table.row([
            Cell::own(stack.name.as_str()),
            Cell::own(composed(stack)),
            Cell::outside(stack.zenml.as_deref().unwrap_or("-")),
            Cell::own(state(stack).words()),
            Cell::own(if stack.protected { "protected" } else { "" }).paint(Paint::Warn),
        ]);
    }
    output.table(&table)
}

async fn describe(name: &str, session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let stack = stack_of(&catalog, name)?;
    let unfinished = session.run(ListUnfinished { stack: name.to_owned() }).await??;
    let output = &mut session.output;
    if output.is_json() {
        let mut all = fields(stack);
        if let Some(all) = all.as_object_mut() {
            let unfinished = unfinished.iter().map(|(connection, commit)| {
                json!({ "connection": connection.as_str(), "left": commit.words() })
            });
            all.insert("unfinished".to_owned(), unfinished.collect());
        }
        return output.done("", all);
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: &str| {
        table.row([Cell::own(name).paint(Paint::Strong), Cell::outside(value)]);
    };
    row("name", stack.name.as_str());
    for (kind, names) in &stack.components {
        row(&kind.label(), &joined(names));
    }
    if let Some(zenml) = &stack.zenml {
        row("zenml", zenml);
    }
    row("protected", if stack.protected { "yes" } else { "no" });
    row("require_check", if stack.require_check { "yes" } else { "no" });
    output.table(&table)?;
    for (connection, commit) in &unfinished {
        output.line(&format!(
            "! In {connection} a commit stopped in the middle: {}. Go on: osstack commit {name}; \
             take it back: osstack commit {name} --undo",
            commit.words()
        ))?;
    }
    Ok(())
}

fn joined(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// `artifact_store=a, orchestrator=b`.
pub(super) fn composed(stack: &Stack) -> String {
    let parts = stack.components.iter().map(|(kind, names)| format!("{kind}={}", joined(names)));
    parts.collect::<Vec<_>>().join(", ")
}

/// A stack as scripts read it.
pub(super) fn fields(stack: &Stack) -> Value {
    let components: Map<String, Value> = stack
        .components
        .iter()
        .map(|(kind, names)| {
            let names: Vec<&str> = names.iter().map(Name::as_str).collect();
            (kind.to_string(), json!(names))
        })
        .collect();
    json!({
        "name": stack.name.as_str(),
        "components": components,
        "zenml": stack.zenml,
        "protected": stack.protected,
        "require_check": stack.require_check,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_named_by_type() {
        assert_eq!(component("step-operator=a").unwrap(), (ComponentType::StepOperator, "a"));
        assert_eq!(component("alerter=").unwrap(), (ComponentType::Alerter, ""));
        for bad in ["alerter", "=a", "a b=c"] {
            assert_eq!(component(bad).unwrap_err().kind, FailureKind::Usage, "{bad}");
        }
    }
}
