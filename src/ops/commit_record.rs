//! What osstack made in the `ZenML` of one connection, and how far its commits came.
//!
//! One file a connection, written before and after every single change, so that a kill at any
//! moment leaves it known what was asked and what was answered. It holds names and ids, never a
//! value: what a change replaced is sealed in the keystore until the commit has ended.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::failure::{Failure, FailureKind};
use super::history::rfc3339;
use super::world::{World, blocking};
use crate::base::atomic_file;
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::model::name::Name;
use crate::zenml::changes::Made;

const SCHEMA: u32 = 1;
const LOCK_WAIT: Duration = Duration::from_secs(2);
const MAX_BYTES: u64 = 64 << 20;

/// The record of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    schema: u32,
    /// Which server the ids are of; another one under the same URL knows none of them.
    #[serde(default)]
    pub server_id: String,
    /// Ids of what osstack made there: `secret/NAME`, `artifact_store/NAME`, `stack/NAME`.
    #[serde(default)]
    pub made: Made,
    /// The last commit of each stack.
    #[serde(default)]
    pub commits: BTreeMap<String, Commit>,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// A UUID; also a label of what the commit made.
    pub id: String,
    /// When it began, UTC.
    #[serde(with = "rfc3339")]
    pub began: OffsetDateTime,
    /// Whether it came to its end, or was taken back.
    pub has_ended: bool,
    /// Whether it went on without a check that holds.
    pub without_check: bool,
    /// Of what the catalog said at that time; nothing in older records.
    #[serde(default)]
    pub definition: String,
    /// Its changes, in order.
    pub steps: Vec<CommitStep>,
}

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStep {
    /// The thing: `secret/NAME`.
    pub key: String,
    /// What happens to it.
    pub act: Act,
    /// Its id, once known.
    pub id: Option<String>,
    /// How far it came.
    pub progress: Progress,
    /// Why it could not be taken back, where that was tried: it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Act {
    Create,
    Update,
    Delete,
}

/// How far a change came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// Nothing was asked yet.
    Planned,
    /// `ZenML` was asked; whether it did it is not known.
    Sent,
    /// `ZenML` did it.
    Done,
    /// It was done and taken back.
    Undone,
}

impl Commit {
    /// The changes that are made, or may be.
    pub fn touched(&self) -> impl DoubleEndedIterator<Item = &CommitStep> {
        let is_touched =
            |step: &&CommitStep| matches!(step.progress, Progress::Sent | Progress::Done);
        self.steps.iter().filter(is_touched)
    }

    /// How far it came, in words: `secret x made, artifact store y perhaps made`.
    pub fn words(&self) -> String {
        let said = self.touched().map(|step| {
            let (kind, name) = step.key.split_once('/').unwrap_or((&step.key, ""));
            let thing = format!("{} {name}", kind.replace('_', " "));
            let perhaps = if step.progress == Progress::Sent { "perhaps " } else { "" };
            let act = match step.act {
                Act::Create => "made",
                Act::Update => "changed",
                Act::Delete => "deleted",
            };
            let left = step.left.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("{thing} {perhaps}{act}{left}")
        });
        visible(&said.collect::<Vec<_>>().join(", ")).into_string()
    }

    /// Whether it stopped in the middle with something made, or perhaps made.
    pub fn is_half_done(&self) -> bool {
        !self.has_ended && self.touched().next().is_some()
    }
}

impl Record {
    /// Reads the record of a connection; none is an empty one.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let unreadable = |why: &str| {
            let shown = visible(&path.to_string_lossy()).into_string();
            let summary = format!("cannot read what was committed, {shown}: {why}");
            Failure::new(FailureKind::File, summary)
                .hint(format!("move {shown} away: osstack then knows its own by their labels"))
        };
        let Some(bytes) = atomic_file::read(path, MAX_BYTES)? else { return Ok(Self::default()) };
        let record: Self =
            serde_json::from_slice(&bytes).map_err(|error| unreadable(&error.to_string()))?;
        if record.schema > SCHEMA {
            return Err(unreadable("a newer version wrote it"));
        }
        Ok(record)
    }

    /// What it knows of the server `id`: of another server, nothing.
    #[must_use]
    pub fn of_server(self, id: &str) -> Self {
        if self.server_id == id || self.server_id.is_empty() {
            return self;
        }
        Self::default()
    }
}

/// The record of a connection, as far as it is of the server `server_id`.
pub(super) async fn load(
    world: &World,
    connection: &Name,
    server_id: &str,
) -> Result<Record, Failure> {
    let path = world.paths.commits(connection.as_str());
    let record = blocking(move || Record::read(&path)).await??;
    Ok(record.of_server(server_id))
}

/// What commits of a stack left in the middle, or could not take back, by connection. No `ZenML` is
/// asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListUnfinished {
    /// The stack.
    pub stack: String,
}

impl Job<World> for ListUnfinished {
    type Item = Nothing;
    type Out = Result<Vec<(Name, Commit)>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let mut all = Vec::new();
        for connection in world.catalog().await?.connections() {
            let path = world.paths.commits(connection.name.as_str());
            let mut record = blocking(move || Record::read(&path)).await??;
            let commit = record.commits.remove(&self.stack).filter(Commit::is_half_done);
            all.extend(commit.map(|commit| (connection.name.clone(), commit)));
        }
        Ok(all)
    }
}

/// Changes the record of a connection under its lock.
pub(super) async fn change<T: Send + 'static>(
    world: &World,
    connection: &Name,
    server_id: &str,
    edit: impl FnOnce(&mut Record) -> T + Send + 'static,
) -> Result<T, Failure> {
    let path = world.paths.commits(connection.as_str());
    let random = world.entropy.next_u64();
    let server_id = server_id.to_owned();
    blocking(move || {
        let options = atomic_file::Options::default();
        let _lock = atomic_file::lock(&path, LOCK_WAIT, options.dir_mode)?;
        let mut record = Record::read(&path)?.of_server(&server_id);
        record.schema = SCHEMA;
        record.server_id = server_id;
        let answer = edit(&mut record);
        let bytes = serde_json::to_vec_pretty(&record)
            .map_err(|error| Failure::new(FailureKind::File, error.to_string()))?;
        atomic_file::write(&path, &bytes, random, &options)?;
        Ok(answer)
    })
    .await?
}

/// Follows a thing of the catalog to its new name, in the records of all connections, so that the
/// next plan renames it in `ZenML` in place of making a second one.
pub(super) async fn rename(
    world: &World,
    kind: &'static str,
    from: &Name,
    to: &Name,
) -> Result<(), Failure> {
    if from == to {
        return Ok(());
    }
    let connections: Vec<Name> = world
        .catalog()
        .await?
        .connections()
        .iter()
        .map(|connection| connection.name.clone())
        .collect();
    for connection in connections {
        let path = world.paths.commits(connection.as_str());
        let record = blocking(move || Record::read(&path)).await??;
        let (from_key, to_key) = (format!("{kind}/{from}"), format!("{kind}/{to}"));
        let is_stack = kind == "stack";
        let is_known = record.made.contains_key(&from_key)
            || (is_stack && record.commits.contains_key(from.as_str()));
        if !is_known {
            continue;
        }
        let (from, to) = (from.to_string(), to.to_string());
        change(world, &connection, &record.server_id, move |record| {
            if let Some(id) = record.made.remove(&from_key) {
                record.made.insert(to_key, id);
            }
            if let Some(commit) = is_stack.then(|| record.commits.remove(&from)).flatten() {
                record.commits.insert(to, commit);
            }
        })
        .await?;
    }
    Ok(())
}

/// Whether osstack brought a thing to the ZenML of any connection, and it is still there for all
/// this machine knows.
pub(super) async fn has_made(
    world: &World,
    kind: &'static str,
    name: &Name,
) -> Result<bool, Failure> {
    let key = format!("{kind}/{name}");
    for connection in world.catalog().await?.connections() {
        let path = world.paths.commits(connection.name.as_str());
        if blocking(move || Record::read(&path)).await??.made.contains_key(&key) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn another_server_knows_nothing_of_it() {
        let mut record = Record { server_id: "a".into(), ..Record::default() };
        record.made.insert("stack/x".into(), "1".into());
        assert_eq!(record.clone().of_server("a"), record);
        assert_eq!(record.of_server("b"), Record::default());
    }

    #[test]
    fn half_done_is_what_was_asked_and_did_not_end() {
        let step = |progress| CommitStep {
            key: "secret/s".into(),
            act: Act::Create,
            id: None,
            progress,
            left: None,
        };
        let mut commit = Commit {
            id: "c".into(),
            began: datetime!(2026-03-15 10:00 UTC),
            has_ended: false,
            without_check: false,
            definition: String::new(),
            steps: vec![step(Progress::Planned)],
        };
        assert!(!commit.is_half_done());
        commit.steps = vec![step(Progress::Sent), step(Progress::Planned)];
        assert!(commit.is_half_done());
        commit.has_ended = true;
        assert!(!commit.is_half_done());
    }
}
