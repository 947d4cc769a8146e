//! Taking back what a commit made, the last first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::commit_record::{self, Act, Commit, CommitStep, Progress};
use super::super::failure::{Failure, FailureKind};
use super::super::plan::{Against, chosen, no_connection};
use super::super::world::{World, blocking};
use super::{end, forget_sent};
use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::zenml::changes::{COMMIT_LABEL, users};
use crate::zenml::remote::Remote;
use crate::zenml::rest::{ComponentChange, Error, Kind, StackChange};

/// Takes back the last commit of a stack, where it stopped in the middle. What cannot be taken back
/// stays in the record with the reason: plans name it, and the same again tries it anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoCommit {
    /// The stack.
    pub stack: String,
    /// Which ZenML.
    pub against: Against,
}

/// What was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// What was made and is gone.
    pub deleted: Vec<String>,
    /// What was changed and is as it was.
    pub restored: Vec<String>,
    /// What stays as the commit left it, with the reason.
    pub left: Vec<String>,
}

impl Job<World> for UndoCommit {
    type Item = Nothing;
    type Out = Result<Undone, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = chosen(&catalog, &self.stack, &self.against)?;
        let connection = connection.ok_or_else(|| no_connection("take a commit back"))?;
        let remote = world.remote(connection).await?;
        let server = remote.info().await?;
        let record = commit_record::load(world, &connection.name, &server.id).await?;
        let commit = record.commits.get(&self.stack).filter(|commit| commit.is_half_done());
        let Some(commit) = commit.cloned() else {
            let summary = format!("no commit of {} stopped in the middle", self.stack);
            return Err(Failure::new(FailureKind::NotFound, summary).hint(format!(
                "what osstack made goes with: osstack commit {} --delete",
                self.stack
            )));
        };
        let mut undone = Undone::default();
        let undo = Undo { world, remote: &remote, commit: &commit, server_id: &server.id };
        for step in commit.touched().rev() {
            let left = undo.step(step, &mut undone).await.map_err(|error| {
                let mut failure = error;
                failure.summary = format!("{}: {}", step.key.replace('/', " "), failure.summary);
                failure.hint(format!("try again: osstack commit {} --undo", self.stack))
            })?;
            let (stack, step, stays) = (self.stack.clone(), step.clone(), left.is_some());
            commit_record::change(world, &connection.name, &server.id, move |record| {
                let steps = record.commits.get_mut(&stack).into_iter();
                let mut steps = steps.flat_map(|commit| &mut commit.steps);
                if let Some(one) = steps.find(|one| one.key == step.key && one.act == step.act) {
                    one.left = left.map(str::to_owned);
                    if !stays {
                        one.progress = Progress::Undone;
                    }
                }
                if !stays && step.act == Act::Create {
                    record.made.remove(&step.key);
                }
            })
            .await?;
        }
        let record = commit_record::load(world, &connection.name, &server.id).await?;
        let is_left = |commit: &Commit| commit.touched().next().is_some();
        if !record.commits.get(&self.stack).is_some_and(is_left) {
            end(world, &connection.name, &server.id, &self.stack, &commit.id).await?;
        }
        Ok(undone)
    }
}

/// Of what is not there any more.
const GONE: &str = "it is gone meanwhile";

struct Undo<'a> {
    world: &'a World,
    remote: &'a Remote,
    commit: &'a Commit,
    server_id: &'a str,
}

impl Undo<'_> {
    /// Answers why it stays, where it is still there.
    async fn step(
        &self,
        step: &CommitStep,
        undone: &mut Undone,
    ) -> Result<Option<&'static str>, Failure> {
        let (kind, name) = step.key.split_once('/').unwrap_or((&step.key, ""));
        let shown = format!("{} {name}", kind.replace('_', " "));
        let left = match step.act {
            Act::Create => {
                let Some(id) = self.made(step, kind, name).await? else { return Ok(None) };
                let left = self.delete(kind, name, &id).await?;
                if left.is_none() {
                    undone.deleted.push(shown.clone());
                }
                left
            }
            Act::Update | Act::Delete => {
                let id = step.id.as_deref().filter(|_| step.act == Act::Update);
                if let ("secret", Some(id)) = (kind, id) {
                    forget_sent(self.world, self.server_id, id).await?;
                }
                let left = match self.former(&step.key).await? {
                    Some(former) => self.restore(kind, id, &former).await?,
                    None => Some("what it was is not known any more"),
                };
                if left.is_none() {
                    undone.restored.push(shown.clone());
                }
                left
            }
        };
        undone.left.extend(left.map(|why| format!("{shown}: {why}")));
        // what somebody deleted meanwhile is not there to be taken back
        Ok(left.filter(|why| *why != GONE))
    }

    /// Deletes what the commit made; nothing, or why it stays: others may use it by now.
    async fn delete(
        &self,
        kind: &str,
        name: &str,
        id: &str,
    ) -> Result<Option<&'static str>, Error> {
        match kind {
            "stack" => self.remote.delete_stack(id).await?,
            "secret" => {
                // ZenML would delete it under the feet of what names it
                let components = self.remote.components(None).await?;
                if users(name, &components).next().is_some() {
                    return Ok(Some("something else names it"));
                }
                self.remote.delete_secret(id).await?;
            }
            _ => {
                if !self.remote.stacks_with(id).await?.is_empty() {
                    return Ok(Some("a stack uses it"));
                }
                self.remote.delete_component(id).await?;
            }
        }
        Ok(None)
    }

    /// The id of what the step made; where its answer was lost, what bears the commit's label. A
    /// secret bears none: one whose making was not answered is left to the next plan.
    async fn made(
        &self,
        step: &CommitStep,
        kind: &str,
        name: &str,
    ) -> Result<Option<String>, Error> {
        if let Some(id) = &step.id {
            return Ok(Some(id.clone()));
        }
        let is_ours = |labels: &Map<String, Value>| {
            labels.get(COMMIT_LABEL).and_then(Value::as_str) == Some(&*self.commit.id)
        };
        Ok(match kind {
            "secret" => {
                let me = self.remote.current_user().await?;
                // it was not there when the commit began
                let found = self.remote.secret(name).await?;
                found.filter(|secret| secret.user_id == Some(me.id)).map(|secret| secret.id)
            }
            "stack" => {
                let found = self.remote.stack(name).await?;
                found.filter(|stack| is_ours(&stack.labels)).map(|stack| stack.id)
            }
            kind => {
                let found = self.remote.component(kind, name).await?;
                found.filter(|one| is_ours(&one.labels)).map(|one| one.id)
            }
        })
    }

    async fn former(&self, key: &str) -> Result<Option<Value>, Failure> {
        let keystore = Arc::clone(&self.world.keystore);
        let (commit, key) = (self.commit.id.clone(), key.to_owned());
        let former = blocking(move || keystore.former(&commit, &key)).await??;
        Ok(former.and_then(|text| serde_json::from_str(text.expose()).ok()))
    }

    /// Brings back what `former` says; nothing, or why it could not.
    async fn restore(
        &self,
        kind: &str,
        id: Option<&str>,
        former: &Value,
    ) -> Result<Option<&'static str>, Error> {
        let name = former.get("name").and_then(Value::as_str).unwrap_or_default();
        let map =
            |name: &str| former.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let labels = map("labels");
        let restored = match kind {
            "secret" => {
                let values = map("values");
                if let (Some(id), None) = (id, former.get("values")) {
                    // nothing but its name changed
                    return unless_gone(self.remote.update_secret(id, Some(name), &[]).await);
                }
                if values.is_empty() || values.values().any(Value::is_null) {
                    return Ok(Some("ZenML does not show its former values to this user"));
                }
                let values: BTreeMap<String, SecretString> = values
                    .into_iter()
                    .filter_map(|(key, value)| match value {
                        Value::String(text) => Some((key, SecretString::new(text))),
                        _ => None,
                    })
                    .collect();
                let given: Vec<_> =
                    values.iter().map(|(key, value)| (key.as_str(), Some(value))).collect();
                match id {
                    Some(id) => self.remote.update_secret(id, Some(name), &given).await,
                    None => self.remote.create_secret(name, &given).await.map(drop),
                }
            }
            "stack" => {
                let components: BTreeMap<String, Vec<String>> = map("components")
                    .into_iter()
                    .map(|(kind, ids)| (kind, serde_json::from_value(ids).unwrap_or_default()))
                    .collect();
                match id {
                    Some(id) => {
                        let change = StackChange {
                            name: Some(name),
                            components: Some(&components),
                            labels: Some(&labels),
                        };
                        self.remote.update_stack(id, change).await
                    }
                    None => self.remote.create_stack(name, &components, &labels).await.map(drop),
                }
            }
            kind => {
                let configuration = map("configuration");
                let flavor = former.get("flavor").and_then(Value::as_str).unwrap_or_default();
                match id {
                    Some(id) => {
                        let change = ComponentChange {
                            name: Some(name),
                            configuration: Some(&configuration),
                            labels: Some(&labels),
                        };
                        self.remote.update_component(id, change).await
                    }
                    None => self
                        .remote
                        .create_component(kind, name, flavor, &configuration, &labels)
                        .await
                        .map(drop),
                }
            }
        };
        unless_gone(restored)
    }
}

/// Nothing, or why it could not be brought back.
fn unless_gone(restored: Result<(), Error>) -> Result<Option<&'static str>, Error> {
    match restored {
        Ok(()) => Ok(None),
        Err(error) if error.kind == Kind::NotFound => Ok(Some(GONE)),
        Err(error) => Err(error),
    }
}
