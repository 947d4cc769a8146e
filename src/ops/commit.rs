//! Bringing a plan about in `ZenML`, step by step, so that it can go on or be taken back after a
//! kill at any moment.
//!
//! Every step is written to the [record](super::commit_record) before `ZenML` is asked and after
//! it answered. What a step replaces is sealed in the keystore first. Going on is planning anew:
//! what is there already is kept. Taking back walks the record backwards.

mod apply;
mod undo;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::commit_record::{self, Act, Commit, CommitStep, Progress};
use super::failure::{Failure, FailureKind};
use super::plan::{Against, Aim, Prepared, chosen, no_connection, prepare, prepare_removal};
use super::world::{World, blocking};
use crate::base::job::{Context, Job};
use crate::base::secret_string::SecretString;
use crate::keystore;
use crate::model::name::Name;
use crate::ports::entropy::uuid;
use crate::zenml::changes::{Action, Change};
use crate::zenml::plan::Step;
use crate::zenml::rest;

pub use undo::{UndoCommit, Undone};

/// Commits the plan of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStack {
    /// The stack.
    pub stack: String,
    /// Which ZenML.
    pub against: Against,
    /// What is brought about.
    pub aim: Aim,
    /// The [fingerprint](crate::zenml::changes::Changes::fingerprint) of the changes that were
    /// shown; where ZenML or the catalog changed since, nothing is sent.
    pub shown: Option<String>,
    /// Whether it goes on without a check that holds; recorded.
    pub without_check: bool,
    /// Whether what others made may be changed or deleted.
    pub adopt: bool,
    /// Whether a temporary key may go to ZenML that ends within a day.
    pub ending_key: bool,
}

/// What is reported on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committing {
    /// Which change, from 0.
    pub index: usize,
    /// How far it came.
    pub progress: Progress,
}

/// What a commit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    /// The connection.
    pub connection: Name,
    /// The changes that were made, in order.
    pub changes: Vec<Change>,
    /// The stack's id in ZenML; nothing where it is gone.
    pub stack_id: Option<String>,
}

impl Job<World> for CommitStack {
    type Item = Committing;
    type Out = Result<Committed, Failure>;

    async fn run(self, context: Context<World, Committing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = chosen(&catalog, &self.stack, &self.against)?;
        let connection = connection.ok_or_else(|| no_connection("commit"))?;
        let prepared = match self.aim {
            Aim::Present => prepare(world, &catalog, &self.stack, connection).await?,
            Aim::Absent => prepare_removal(world, &self.stack, connection).await?,
        };
        self.refuse(&prepared, world)?;
        let mut running = Running::begin(&context, &self, &prepared).await?;
        running.all(&prepared).await?;
        running.end().await?;
        let changes = prepared.live.changes.changes.into_iter();
        let stack_id = running.ids.remove(&format!("stack/{}", self.stack));
        Ok(Committed {
            connection: connection.name.clone(),
            changes: changes.filter(Change::is_needed).collect(),
            stack_id: stack_id.filter(|_| self.aim == Aim::Present),
        })
    }
}

impl CommitStack {
    /// Why there can be no commit now.
    fn refuse(&self, prepared: &Prepared, world: &World) -> Result<(), Failure> {
        let Self { stack, .. } = self;
        let changes = &prepared.live.changes;
        if let Some(blocker) = changes.blockers.first() {
            let failure = Failure::new(FailureKind::Settings, blocker.clone());
            return Err(changes.blockers.iter().skip(1).fold(failure, Failure::hint));
        }
        let differs = self.shown.as_ref().is_some_and(|shown| *shown != changes.fingerprint());
        if differs {
            let summary = "ZenML or the catalog changed since the plan was shown; nothing was sent";
            return Err(Failure::new(FailureKind::Conflict, summary)
                .hint(format!("look again: osstack plan {stack}")));
        }
        if changes.is_noop() {
            return Ok(());
        }
        if !self.adopt {
            let foreign: Vec<String> =
                changes.foreign().map(|change| change.step.key().replace('/', " ")).collect();
            if !foreign.is_empty() {
                let summary =
                    format!("osstack did not make what would change: {}", foreign.join(", "));
                return Err(Failure::new(FailureKind::Conflict, summary)
                    .hint("look at the plan, then add --adopt to change it all the same"));
            }
        }
        if let Some(why) = prepared.live.ends_soon.as_ref().filter(|_| !self.ending_key) {
            return Err(Failure::new(FailureKind::Credentials, why.clone())
                .hint("enter a lasting key of a RAM user: osstack secret update NAME")
                .hint("or add --ending-key"));
        }
        let check = &prepared.check;
        if self.aim == Aim::Absent || check.verdict.allows_commit() {
            return Ok(());
        }
        let words = check.verdict.words(world.clock.now());
        if self.without_check && !check.required {
            return Ok(());
        }
        let summary = format!("the store of {stack} is not known to work: {words}");
        let failure = Failure::new(FailureKind::Settings, summary)
            .hint(format!("osstack check stack/{stack}"));
        Err(if check.required {
            failure.hint("the stack asks for a check (require_check): nothing goes around it")
        } else {
            failure.hint("or add --without-check")
        })
    }
}

/// A commit under way.
struct Running<'a> {
    context: &'a Context<World, Committing>,
    connection: Name,
    server_id: String,
    stack: String,
    commit: String,
    /// Ids by key, of all that the stack needs.
    ids: BTreeMap<String, String>,
}

impl<'a> Running<'a> {
    /// Writes down what is going to be done.
    async fn begin(
        context: &'a Context<World, Committing>,
        what: &CommitStack,
        prepared: &Prepared,
    ) -> Result<Self, Failure> {
        let world = &context.world;
        let live = &prepared.live;
        let mut ids: BTreeMap<String, String> = live
            .changes
            .known
            .iter()
            .map(|((kind, name), id)| (format!("{kind}/{name}"), id.clone()))
            .collect();
        ids.extend(
            live.changes.changes.iter().filter_map(|change| {
                change.action.id().map(|id| (change.step.key(), id.to_owned()))
            }),
        );
        // one that stopped in the middle goes on under its own id, with what it made so far
        let former = live.unfinished.clone();
        let commit = former.as_ref().map_or_else(|| uuid(&*world.entropy), |one| one.id.clone());
        let steps = live.changes.changes.iter().filter(|change| change.is_needed());
        let steps = steps.map(|change| CommitStep {
            key: change.step.key(),
            act: match change.action {
                Action::Create => Act::Create,
                Action::Delete { .. } => Act::Delete,
                _ => Act::Update,
            },
            id: change.action.id().map(str::to_owned),
            progress: Progress::Planned,
            left: None,
        });
        let mut all: Vec<CommitStep> = former
            .iter()
            .flat_map(|one| one.touched().cloned())
            .map(|step| CommitStep { progress: Progress::Done, left: None, ..step })
            .collect();
        let fresh: Vec<CommitStep> = steps.collect();
        // what was asked for and is still to be made was not made
        all.retain(|step| !fresh.iter().any(|one| one.key == step.key && one.act == step.act));
        // and what was asked for and turns out to be there has an id by now
        for step in &mut all {
            step.id = step.id.take().or_else(|| ids.get(&step.key).cloned());
        }
        all.extend(fresh);
        let record = Commit {
            id: commit.clone(),
            began: world.clock.now(),
            has_ended: false,
            without_check: what.without_check && !prepared.check.verdict.allows_commit(),
            definition: prepared.definition.clone(),
            steps: all,
        };
        let stack = what.stack.clone();
        let (connection, server_id) = (live.connection.clone(), live.server.id.clone());
        commit_record::change(world, &connection, &server_id, move |all| {
            all.commits.insert(stack, record);
        })
        .await?;
        let stack = what.stack.clone();
        Ok(Self { context, connection, server_id, stack, commit, ids })
    }

    /// Makes every change, in order.
    async fn all(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        for (index, change) in prepared.live.changes.changes.iter().enumerate() {
            if !change.is_needed() {
                continue;
            }
            if self.context.cancel.is_cancelled() {
                return Err(self.stopped(Failure::cancelled()));
            }
            let key = change.step.key();
            if let Some(former) = apply::former(change, &prepared.held)? {
                self.seal(&key, former).await?;
            }
            self.forget_sent(change).await?;
            self.note(index, &key, Progress::Sent, None).await?;
            let made = apply::apply(
                &prepared.remote,
                change,
                &self.ids,
                prepared.credentials.as_ref(),
                &self.commit,
            );
            match made.await {
                Ok(id) => {
                    self.note(index, &key, Progress::Done, id.clone()).await?;
                    self.keep_sent(change, id.as_deref(), prepared).await?;
                    match id {
                        Some(id) => self.ids.insert(key, id),
                        None => self.ids.remove(&key),
                    };
                }
                Err(error) => {
                    if !error.may_be_done {
                        self.note(index, &key, Progress::Planned, None).await?;
                    }
                    return Err(self.stopped(failed(change, error)));
                }
            }
        }
        Ok(())
    }

    /// Writes down how far the change of `key` came, and reports it.
    async fn note(
        &self,
        index: usize,
        key: &str,
        progress: Progress,
        id: Option<String>,
    ) -> Result<(), Failure> {
        let (stack, key) = (self.stack.clone(), key.to_owned());
        commit_record::change(
            &self.context.world,
            &self.connection,
            &self.server_id,
            move |record| {
                let commit = record.commits.get_mut(&stack);
                let steps = commit.into_iter().flat_map(|commit| &mut commit.steps);
                let Some(step) = steps.filter(|step| step.key == key).last() else { return };
                step.progress = progress;
                if id.is_some() {
                    step.id.clone_from(&id);
                }
                if progress == Progress::Done {
                    match id {
                        Some(id) => record.made.insert(key, id),
                        None => record.made.remove(&key),
                    };
                }
            },
        )
        .await?;
        self.context.report(Committing { index, progress }).await;
        Ok(())
    }

    /// From here on it is not known what the secret holds, until ZenML answered.
    async fn forget_sent(&self, change: &Change) -> Result<(), Failure> {
        let Some(id) = change.action.id().filter(|_| gives_values(change)) else { return Ok(()) };
        forget_sent(&self.context.world, &self.server_id, id).await
    }

    /// Keeps what the secret `id` was given.
    async fn keep_sent(
        &self,
        change: &Change,
        id: Option<&str>,
        prepared: &Prepared,
    ) -> Result<(), Failure> {
        let values = prepared.credentials.as_ref().filter(|_| gives_values(change));
        let (Some(id), Some(values)) = (id, values) else { return Ok(()) };
        let keystore = Arc::clone(&self.context.world.keystore);
        let (server, id, values) = (self.server_id.clone(), id.to_owned(), values.duplicate());
        Ok(blocking(move || keystore.put_sent(&server, &id, &values)).await??)
    }

    /// Keeps what a change replaces where only the keystore's owner reads it.
    async fn seal(&self, key: &str, former: SecretString) -> Result<(), Failure> {
        let keystore = Arc::clone(&self.context.world.keystore);
        let (commit, key) = (self.commit.clone(), key.to_owned());
        blocking(move || match keystore.former(&commit, &key)? {
            // a commit that goes on keeps what was there before it began
            Some(_) => Ok(()),
            None => keystore.put_former(&commit, &key, former),
        })
        .await??;
        Ok(())
    }

    /// Nothing is left to take back.
    async fn end(&self) -> Result<(), Failure> {
        end(&self.context.world, &self.connection, &self.server_id, &self.stack, &self.commit).await
    }

    fn stopped(&self, failure: Failure) -> Failure {
        let Self { stack, .. } = self;
        failure
            .hint(format!("go on: osstack commit {stack}"))
            .hint(format!("or take back what was made: osstack commit {stack} --undo"))
    }
}

/// Whether `change` sets values of a secret, or deletes it.
fn gives_values(change: &Change) -> bool {
    let is_renamed = matches!(change.action, Action::Update { .. }) && !change.changes_values();
    matches!(change.step, Step::Secret { .. }) && !is_renamed
}

/// What the secret `id` holds is not known any more.
async fn forget_sent(world: &World, server: &str, id: &str) -> Result<(), Failure> {
    if world.keystore.state() == keystore::State::Absent {
        return Ok(());
    }
    let keystore = Arc::clone(&world.keystore);
    let (server, id) = (server.to_owned(), id.to_owned());
    Ok(blocking(move || keystore.forget_sent(&server, &id)).await??)
}

/// Marks a commit as ended, and forgets what it replaced.
async fn end(
    world: &World,
    connection: &Name,
    server_id: &str,
    stack: &str,
    commit: &str,
) -> Result<(), Failure> {
    let stack = stack.to_owned();
    commit_record::change(world, connection, server_id, move |record| {
        if let Some(commit) = record.commits.get_mut(&stack) {
            commit.has_ended = true;
        }
    })
    .await?;
    if world.keystore.state() == keystore::State::Absent {
        return Ok(());
    }
    let (keystore, commit) = (Arc::clone(&world.keystore), commit.to_owned());
    Ok(blocking(move || keystore.forget_former(&commit)).await??)
}

fn failed(change: &Change, error: rest::Error) -> Failure {
    let subject = format!("{} {}", change.step.subject(), change.step.name());
    let may_be_done = error.may_be_done;
    let mut failure = Failure::from(error);
    failure.summary = format!("{subject}: {}", failure.summary);
    if may_be_done {
        failure.summary.push_str("; whether ZenML did it is not known, the next plan will show");
    }
    failure
}
