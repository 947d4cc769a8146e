//! How checks ended, kept from one run of osstack to the next.
//!
//! One file in the state folder, by store; a stack's check is its store's. It holds no secret:
//! sentences of findings, which hold none, and of the store's definition a fingerprint only. It
//! may be lost or thrown away at any time; then nothing is known of checks until the next one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::failure::{Failure, FailureKind};
use super::world::{World, blocking};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::base::{atomic_file, units};
use crate::doctor::{Outcome, Report};
use crate::model::finding::State;
use crate::model::store::{ArtifactStore, RegionId};
use crate::ports::paths::Paths;

/// Checks kept of each store.
const CAP: usize = 50;
/// Far more than `CAP` checks of a hundred stores.
const MAX_BYTES: u64 = 16 << 20;
const SCHEMA: u32 = 1;
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// One check that came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// When it began, UTC.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// `stack/NAME` or `store/NAME`.
    pub subject: String,
    /// How it ended.
    pub outcome: PastOutcome,
    /// How long it took.
    pub ms: u64,
    /// How many rungs passed.
    pub passed: usize,
    /// How many there were.
    pub checks: usize,
    /// What failed or warned, in the ladder's order.
    pub problems: Vec<PastProblem>,
    /// Of the store's settings at that time.
    definition: String,
}

/// What a past check said of one rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastProblem {
    /// The check's id.
    pub id: String,
    /// Whether it failed; else it warned.
    pub failed: bool,
    /// Its sentence.
    pub summary: String,
}

/// Times as texts, `2026-03-15T10:20:30Z`.
pub(super) mod rfc3339 {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    pub(in crate::ops) fn serialize<S: Serializer>(
        at: &OffsetDateTime,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.format(&Rfc3339).map_err(S::Error::custom)?)
    }

    pub(in crate::ops) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<OffsetDateTime, D::Error> {
        let text = String::deserialize(from)?;
        OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)
    }
}

/// How a past check ended; one that was stopped is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum PastOutcome {
    Passed,
    Warned,
    Failed,
}

impl PastOutcome {
    /// The word on screens and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
        }
    }
}

/// The checks of all stores, each store's newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    stores: BTreeMap<String, Vec<Past>>,
}

/// What is known of a store by its last check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Never,
    /// The store was changed since.
    Outdated(Past),
    /// It holds for the store as it is now.
    Stands(Past),
}

#[derive(Serialize, Deserialize)]
struct File {
    schema: u32,
    stores: BTreeMap<String, Vec<Past>>,
}

impl Past {
    /// What is kept of `report`; nothing where it was stopped.
    fn of(report: &Report, store: &ArtifactStore) -> Option<Self> {
        let outcome = match report.outcome {
            Outcome::Passed => PastOutcome::Passed,
            Outcome::Warned => PastOutcome::Warned,
            Outcome::Failed => PastOutcome::Failed,
            Outcome::Cancelled => return None,
        };
        let odd = report.findings.iter().filter_map(|finding| {
            let failed = finding.state == State::Failed;
            (failed || finding.state == State::Warned).then(|| PastProblem {
                id: finding.id.to_owned(),
                failed,
                summary: visible(&finding.summary).into_string(),
            })
        });
        Some(Self {
            at: report.at,
            subject: report.subject.clone(),
            outcome,
            ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
            passed: report.count(State::Passed),
            checks: report.findings.len(),
            problems: odd.collect(),
            definition: fingerprint(store),
        })
    }

    /// How long ago it was at `now`; a clock that was set back makes it new.
    pub fn age(&self, now: OffsetDateTime) -> Duration {
        (now - self.at).try_into().unwrap_or_default()
    }
}

impl Verdict {
    /// The check it goes by.
    pub fn past(&self) -> Option<&Past> {
        match self {
            Self::Never => None,
            Self::Outdated(past) | Self::Stands(past) => Some(past),
        }
    }

    /// Whether a commit that asks for a check may go ahead: the store, as it is now, was seen to
    /// work.
    pub fn allows_commit(&self) -> bool {
        matches!(self, Self::Stands(past) if past.outcome != PastOutcome::Failed)
    }

    /// `passed 2 h ago`, `never checked`, `check older than its definition`.
    pub fn words(&self, now: OffsetDateTime) -> String {
        match self {
            Self::Never => "never checked".to_owned(),
            Self::Outdated(_) => "check older than its definition".to_owned(),
            Self::Stands(past) => {
                format!("{} {}", past.outcome.as_str(), units::ago(past.age(now)))
            }
        }
    }

    /// The same in a few cells: `2 h ago`, `never`, `outdated`.
    pub fn short(&self, now: OffsetDateTime) -> String {
        match self {
            Self::Never => "never".to_owned(),
            Self::Outdated(_) => "outdated".to_owned(),
            Self::Stands(past) => units::ago(past.age(now)),
        }
    }

    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Outdated(_) => "outdated",
            Self::Stands(past) => past.outcome.as_str(),
        }
    }
}

impl History {
    /// The checks of the store `name`, the newest last.
    pub fn of(&self, name: &str) -> &[Past] {
        self.stores.get(name).map_or(&[], Vec::as_slice)
    }

    /// What is known of `store`.
    pub fn verdict(&self, store: &ArtifactStore) -> Verdict {
        match self.of(store.name.as_str()).last() {
            None => Verdict::Never,
            Some(past) if past.definition == fingerprint(store) => Verdict::Stands(past.clone()),
            Some(past) => Verdict::Outdated(past.clone()),
        }
    }

    fn keep(&mut self, name: &str, past: Past) {
        let kept = self.stores.entry(name.to_owned()).or_default();
        kept.push(past);
        let above = kept.len().saturating_sub(CAP);
        kept.drain(..above);
    }

    fn read(path: &std::path::Path) -> Result<Self, Failure> {
        let Some(bytes) = atomic_file::read(path, MAX_BYTES)? else { return Ok(Self::default()) };
        let unreadable = |why: &str| {
            let shown = visible(&path.to_string_lossy()).into_string();
            let summary = format!("the history of checks in {shown} cannot be read: {why}");
            Failure::new(FailureKind::File, summary)
                .hint(format!("checks work without it: remove it with rm '{shown}'"))
        };
        let file: File = serde_json::from_slice(&bytes)
            .map_err(|error| unreadable(&visible(&error.to_string()).into_string()))?;
        if file.schema != SCHEMA {
            return Err(unreadable("a newer osstack wrote it"));
        }
        Ok(Self { stores: file.stores })
    }
}

/// Of everything that a check depends on; changes with every one of the store's settings.
fn fingerprint(store: &ArtifactStore) -> String {
    let settings = serde_json::json!([
        store.path(),
        store.secret.as_str(),
        store.region.as_ref().map(RegionId::as_str),
        store.endpoint.to_string(),
        store.access.as_ref().map(ToString::to_string),
        store.signature.as_str(),
        store.extras.client_kwargs,
        store.extras.config_kwargs,
        store.extras.s3_additional_kwargs,
    ]);
    hex::encode(Sha256::digest(settings.to_string()))
}

fn path(paths: &Paths) -> PathBuf {
    paths.state.join("checks.json")
}

/// What is known of `store` by its last check: for whoever must not go ahead without one.
pub async fn verdict(world: &World, store: &ArtifactStore) -> Result<Verdict, Failure> {
    let path = path(&world.paths);
    Ok(blocking(move || History::read(&path)).await??.verdict(store))
}

/// Adds a check that came to its end. A history that cannot be read stays as it is.
pub(super) async fn record(
    world: &World,
    store: &ArtifactStore,
    report: &Report,
) -> Result<(), Failure> {
    let Some(past) = Past::of(report, store) else { return Ok(()) };
    let (path, random) = (path(&world.paths), world.entropy.next_u64());
    let name = store.name.to_string();
    blocking(move || {
        let options = atomic_file::Options::default();
        let _lock = atomic_file::lock(&path, LOCK_WAIT, options.dir_mode)?;
        let mut history = History::read(&path)?;
        history.keep(&name, past);
        let file = File { schema: SCHEMA, stores: history.stores };
        let bytes = serde_json::to_vec(&file)
            .map_err(|error| Failure::new(FailureKind::File, error.to_string()))?;
        Ok(atomic_file::write(&path, &bytes, random, &options)?)
    })
    .await?
}

/// All checks that are known of, and what time it is.
#[derive(Debug)]
pub struct LoadHistory;

/// What [`LoadHistory`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedHistory {
    /// The checks.
    pub history: History,
    /// When they were read: ages count from here.
    pub now: OffsetDateTime,
}

impl Job<World> for LoadHistory {
    type Item = Nothing;
    type Out = Result<LoadedHistory, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let path = path(&context.world.paths);
        let now = context.world.clock.now();
        Ok(LoadedHistory { history: blocking(move || History::read(&path)).await??, now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::store::{Signature, StoreDraft};
    use time::macros::datetime;

    fn draft() -> StoreDraft {
        StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            ..StoreDraft::default()
        }
    }

    fn past(outcome: PastOutcome, at: OffsetDateTime) -> Past {
        Past {
            at,
            subject: "store/alibaba_store".into(),
            outcome,
            ms: 12,
            passed: 14,
            checks: 14,
            problems: Vec::new(),
            definition: fingerprint(&draft().validate().unwrap()),
        }
    }

    const AT: OffsetDateTime = datetime!(2026-03-15 10:00 UTC);

    #[test]
    fn a_verdict_holds_for_the_store_as_it_is() {
        let store = draft().validate().unwrap();
        let mut history = History::default();
        assert_eq!(history.verdict(&store), Verdict::Never);
        assert!(!history.verdict(&store).allows_commit());

        history.keep("alibaba_store", past(PastOutcome::Passed, AT));
        let verdict = history.verdict(&store);
        assert!(verdict.allows_commit());
        assert_eq!(verdict.words(datetime!(2026-03-15 12:00 UTC)), "passed 2 h ago");

        let other = StoreDraft { signature: Signature::V4, ..draft() }.validate().unwrap();
        let verdict = history.verdict(&other);
        assert!(!verdict.allows_commit());
        assert_eq!(verdict.words(AT), "check older than its definition");

        history.keep("alibaba_store", past(PastOutcome::Failed, AT));
        assert!(!history.verdict(&store).allows_commit());
    }

    #[test]
    fn the_oldest_go_first() {
        let mut history = History::default();
        for minute in 0..60 {
            let at = AT + time::Duration::minutes(minute);
            history.keep("alibaba_store", past(PastOutcome::Passed, at));
        }
        let kept = history.of("alibaba_store");
        assert_eq!(kept.len(), CAP);
        assert_eq!(kept.first().map(|past| past.at), Some(AT + time::Duration::minutes(10)));
    }

    #[test]
    fn what_cannot_be_read_is_said_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checks.json");
        assert_eq!(History::read(&path).unwrap(), History::default());
        for text in ["{", r#"{"schema":9,"stores":{}}"#] {
            atomic_file::write(&path, text.as_bytes(), 1, &atomic_file::Options::default())
                .unwrap();
            let failure = History::read(&path).unwrap_err();
            assert!(failure.hints.iter().any(|hint| hint.contains("remove it")), "{failure:?}");
        }
    }
}
