//! How stacks stand to their last commit, as this machine's record of it says. No ZenML is asked:
//! what somebody changed there since, only a plan shows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::commit_record::{Act, Commit, Progress, Record};
use super::failure::Failure;
use super::world::{World, blocking};
use crate::base::job::{Context, Job, Nothing};
use crate::base::units;
use crate::catalog::Catalog;
use crate::model::component::ComponentType;
use crate::model::name::Name;
use crate::model::stack::Stack;
use crate::model::store::RegionId;

/// How a stack stands to its last commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CommitState {
    /// osstack on this machine never brought it to a ZenML, or took it back or out of there.
    #[default]
    Never,
    /// Its commit stopped in the middle.
    BrokenOff(Known),
    /// The catalog says something else by now.
    Changed(Known),
    /// It went to ZenML as the catalog has it.
    Stands(Known),
}

/// What is known of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The connection.
    pub connection: Name,
    /// When it began, UTC.
    pub at: OffsetDateTime,
    /// How long ago that was, when it was looked up.
    pub age: Duration,
}

impl CommitState {
    /// `committed 2 d ago`, `changed since its commit 2 d ago`, `not committed`.
    pub fn words(&self) -> String {
        match self {
            Self::Never => "not committed".to_owned(),
            Self::BrokenOff(known) => format!("commit broken off {}", units::ago(known.age)),
            Self::Changed(known) => format!("changed since its commit {}", units::ago(known.age)),
            Self::Stands(known) => format!("committed {}", units::ago(known.age)),
        }
    }

    /// The same in a few cells, under the title `commit`: `2 d ago`, `changed`, `broken off`, `none`.
    pub fn short(&self) -> String {
        match self {
            Self::Never => "none".to_owned(),
            Self::BrokenOff(_) => "broken off".to_owned(),
            Self::Changed(_) => "changed".to_owned(),
            Self::Stands(known) => units::ago(known.age),
        }
    }

    /// The commit it goes by.
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Never => None,
            Self::BrokenOff(known) | Self::Changed(known) | Self::Stands(known) => Some(known),
        }
    }

    /// As scripts read it.
    pub fn fields(&self) -> Value {
        let state = match self {
            Self::Never => "none",
            Self::BrokenOff(_) => "broken_off",
            Self::Changed(_) => "changed",
            Self::Stands(_) => "committed",
        };
        let at = self.known().map(|known| {
            known.at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
        });
        let connection = self.known().map(|known| known.connection.as_str());
        json!({ "state": state, "at": at, "zenml": connection })
    }

    fn of(record: &Record, stack: &str, definition: &str, known: Known) -> Self {
        let Some(commit) = record.commits.get(stack) else { return Self::Never };
        if commit.is_half_done() {
            return Self::BrokenOff(known);
        }
        let key = format!("stack/{stack}");
        let took_out = |commit: &Commit| {
            let mut steps = commit.steps.iter();
            steps.any(|step| step.key == key && step.act == Act::Delete)
        };
        let went_through =
            commit.has_ended && commit.steps.iter().all(|step| step.progress != Progress::Undone);
        if went_through && took_out(commit) {
            return Self::Never;
        }
        // a record from before definitions were kept says nothing of changes
        let is_same = commit.definition.is_empty() || commit.definition == definition;
        match (went_through, record.made.contains_key(&key)) {
            (true, _) if is_same => Self::Stands(known),
            // what was taken back, or never began, left what an earlier commit made
            (true, _) | (false, true) => Self::Changed(known),
            (false, false) => Self::Never,
        }
    }
}

/// Of everything in the catalog that a commit of `stack` tells ZenML; the values of its secret are
/// not in it.
pub(super) fn definition(catalog: &Catalog, stack: &Stack) -> String {
    let stores = stack.components.get(&ComponentType::ArtifactStore).into_iter().flatten();
    let stores = stores.filter_map(|name| catalog.store(name.as_str())).map(|store| {
        json!([
            store.name.as_str(),
            store.path(),
            store.secret.as_str(),
            store.region.as_ref().map(RegionId::as_str),
            store.endpoint.to_string(),
            store.signature.as_str(),
            store.extras.client_kwargs,
            store.extras.config_kwargs,
            store.extras.s3_additional_kwargs,
        ])
    });
    let stores: Vec<Value> = stores.collect();
    let parts = stack.components.iter().flat_map(|(kind, names)| {
        names.iter().map(|name| {
            let described = catalog.component(*kind, name.as_str());
            let described = described.map(|it| json!([it.flavor, it.configuration]));
            json!([kind.as_str(), name.as_str(), described])
        })
    });
    let parts: Vec<Value> = parts.collect();
    hex::encode(Sha256::digest(json!([stack.name.as_str(), parts, stores]).to_string()))
}

/// Looks up how the stacks of the catalog stand to their commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadCommitStates;

/// What [`LoadCommitStates`] answers, by stack.
pub type CommitStates = BTreeMap<Name, CommitState>;

impl Job<World> for LoadCommitStates {
    type Item = Nothing;
    type Out = Result<CommitStates, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let now = world.clock.now();
        let mut out = CommitStates::new();
        for connection in catalog.connections() {
            let path = world.paths.commits(connection.name.as_str());
            let record = blocking(move || Record::read(&path)).await??;
            let mine = catalog.stacks().iter().filter(|stack| {
                stack.zenml.as_deref().is_none_or(|own| own == connection.name.as_str())
            });
            for stack in mine {
                let name = stack.name.as_str();
                let Some(commit) = record.commits.get(name) else { continue };
                let known = Known {
                    connection: connection.name.clone(),
                    at: commit.began,
                    age: (now - commit.began).try_into().unwrap_or_default(),
                };
                let state = CommitState::of(&record, name, &definition(&catalog, stack), known);
                let held = out.entry(stack.name.clone()).or_default();
                // of several ZenMLs the one that heard of it last counts
                let at = |state: &CommitState| state.known().map(|known| known.at);
                if at(&state) > at(held) {
                    *held = state;
                }
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::commit_record::CommitStep;
    use super::*;
    use time::macros::datetime;

    fn state(progress: Progress, act: Act, has_ended: bool, is_made: bool) -> String {
        let step = CommitStep { key: "stack/s".into(), act, id: None, progress, left: None };
        let commit = Commit {
            id: "c".into(),
            began: datetime!(2026-03-15 10:00 UTC),
            has_ended,
            without_check: false,
            definition: "as it was".into(),
            steps: vec![step],
        };
        let mut record = Record::default();
        record.commits.insert("s".into(), commit);
        if is_made {
            record.made.insert("stack/s".into(), "1".into());
        }
        let known = Known {
            connection: Name::parse("prod").unwrap(),
            at: datetime!(2026-03-15 10:00 UTC),
            age: Duration::from_hours(2),
        };
        let of = |definition| CommitState::of(&record, "s", definition, known.clone()).short();
        format!("{}, {}", of("as it was"), of("other"))
    }

    #[test]
    fn a_commit_stands_until_the_catalog_changes_or_it_is_taken_back() {
        use Act::{Create, Delete, Update};
        use Progress::{Done, Planned, Sent, Undone};
        assert_eq!(state(Done, Create, true, true), "2 h ago, changed");
        assert_eq!(state(Sent, Create, false, false), "broken off, broken off");
        assert_eq!(state(Undone, Create, true, false), "none, none");
        assert_eq!(state(Undone, Update, true, true), "changed, changed");
        assert_eq!(state(Planned, Create, false, false), "none, none");
        assert_eq!(state(Planned, Update, false, true), "changed, changed");
        assert_eq!(state(Done, Delete, true, false), "none, none");
    }
}
