//! Climbing: checks side by side as far as they do not stand on each other, told as it happens,
//! tidied up in every case.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio_util::sync::CancellationToken;

use super::case::{Case, Services, Target};
use super::check::{Check, STOPPED, Seen, failed, skipped};
use super::checks::CHECKS;
use super::report::{Outcome, Report};
use super::traces::Traces;
use crate::model::finding::{Finding, State};
use crate::ports::clock::SharedClock;

/// What is told while the ladder fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a few dozen a run, each told once")]
pub enum Progress {
    /// The check of this id begins; others may be running beside it.
    Started(&'static str),
    /// A check has come to its end, or is passed over, and so have all above it in the table.
    Found(Finding),
}

/// Checks in their order.
#[derive(Clone, Copy, Debug)]
pub struct Ladder<'a> {
    checks: &'a [Check],
    patience: Duration,
    rate: bool,
}

impl Default for Ladder<'static> {
    /// All checks, but without measuring the line's speed.
    fn default() -> Self {
        Self { checks: CHECKS, patience: Duration::from_secs(5), rate: false }
    }
}

impl Ladder<'_> {
    /// The same, measuring the line's speed or not: that moves up to 16 MiB.
    #[must_use]
    pub fn with_rate(self, rate: bool) -> Self {
        Self { rate, ..self }
    }

    /// Climbs until the top or until `cancel`, and takes back what it wrote. `report` hears of
    /// every check's end in the table's order, so that what is shown of it is always the same.
    ///
    /// Drop the future and nothing is tidied up any more: cancel it and wait.
    pub async fn run<F: Future<Output = ()>>(
        &self,
        target: Target,
        services: Services,
        cancel: &CancellationToken,
        report: impl Fn(Progress) -> F,
    ) -> Report {
        let clock = services.clock.clone();
        let (at, begun) = (clock.now(), clock.instant());
        // a listener that no longer listens must not hold up the tidying
        let tell = async |progress| {
            let _told = cancel.run_until_cancelled(report(progress)).await;
        };

        let subject = target.subject.clone();
        let mut case = Case::new(target, services, self.rate, Traces::new(cancel.clone()));
        let mut climb = Climb::new(self.checks);
        let mut running: FuturesUnordered<BoxFuture<'_, (usize, Seen)>> = FuturesUnordered::new();
        loop {
            for (at, check) in climb.ready(cancel.is_cancelled()) {
                tell(Progress::Started(check.id)).await;
                let (case, clock) = (case.of(check.id), clock.clone());
                running.push(self.ascend(at, check, case, clock, cancel).boxed());
            }
            while let Some(finding) = climb.next_to_tell() {
                tell(Progress::Found(finding)).await;
            }
            let Some((at, Seen { finding, lesson })) = running.next().await else { break };
            if let Some(lesson) = lesson {
                case.known.learn(lesson);
            }
            climb.settle(at, finding);
        }

        let left_behind = match (&case.store, case.client()) {
            (Ok(store), Ok(client)) => {
                case.traces.clean_up(client, &store.bucket, self.patience).await
            }
            _ => Vec::new(),
        };
        let findings = climb.findings();
        let cut_short = findings.iter().any(|it| it.because.as_deref() == Some(STOPPED));
        let outcome = if cut_short { Outcome::Cancelled } else { Outcome::of(&findings) };
        let took = clock.instant().saturating_duration_since(begun);
        let vantage = case.vantage();
        let store = case.store.as_ref().ok().cloned().map(Box::new);
        Report { subject, store, at, findings, outcome, took, vantage, left_behind }
    }

    /// One rung, from its first request to its finding.
    async fn ascend(
        &self,
        at: usize,
        check: &Check,
        case: Case,
        clock: SharedClock,
        cancel: &CancellationToken,
    ) -> (usize, Seen) {
        let start = clock.instant();
        let traces = case.traces.clone();
        let mut running = AssertUnwindSafe((check.run)(case)).catch_unwind();
        let ended = match cancel.run_until_cancelled(&mut running).await {
            Some(ended) => Some(ended),
            // a write broken off here could still arrive after the tidying: let it end first
            None if traces.in_flight() => tokio::time::timeout(self.patience, running).await.ok(),
            None => None,
        };
        let mut seen = match ended {
            Some(Ok(seen)) => seen,
            Some(Err(_panic)) => failed("This check broke off.")
                .because("osstack itself has a fault here; the store may be well.")
                .next("Please report it, with this output.")
                .into(),
            None => skipped(STOPPED).into(),
        };
        seen.finding.took = clock.instant().saturating_duration_since(start);
        (at, seen)
    }
}

/// How far every rung has come.
struct Climb<'a> {
    checks: &'a [Check],
    rungs: Vec<Rung>,
    /// How many have been told, from the top of the table.
    told: usize,
    /// Ids of rungs that failed, or were passed over because of one, and that one's title.
    blocked: BTreeMap<&'static str, &'static str>,
}

#[expect(clippy::large_enum_variant, reason = "a few dozen, and all of them end")]
enum Rung {
    Waiting,
    Running,
    Ended(Finding),
}

impl<'a> Climb<'a> {
    fn new(checks: &'a [Check]) -> Self {
        let rungs = checks.iter().map(|_| Rung::Waiting).collect();
        Self { checks, rungs, told: 0, blocked: BTreeMap::new() }
    }

    /// The rungs that may begin now; they count as running from here on. Those that never will
    /// are passed over. One walk is enough, since a check stands below those it needs.
    fn ready(&mut self, cut_short: bool) -> Vec<(usize, &'a Check)> {
        let mut ready = Vec::new();
        for (at, check) in self.checks.iter().enumerate() {
            if !matches!(self.rungs.get(at), Some(Rung::Waiting)) {
                continue;
            }
            let blocked = check.needs.iter().find_map(|id| self.blocked.get(id).copied());
            if cut_short {
                self.settle(at, skipped(STOPPED));
            } else if let Some(title) = blocked {
                self.blocked.insert(check.id, title);
                self.settle(
                    at,
                    skipped(format!("'{title}' failed: nothing can be told before that is mended")),
                );
            } else if check.needs.iter().all(|id| self.has_ended(id)) {
                self.put(at, Rung::Running);
                ready.push((at, check));
            }
        }
        ready
    }

    fn has_ended(&self, id: &str) -> bool {
        let at = self.checks.iter().position(|check| check.id == id);
        at.and_then(|at| self.rungs.get(at)).is_none_or(|rung| matches!(rung, Rung::Ended(_)))
    }

    fn settle(&mut self, at: usize, mut finding: Finding) {
        let Some(check) = self.checks.get(at) else { return };
        finding.id = check.id;
        if finding.state == State::Failed {
            self.blocked.insert(check.id, check.title);
        }
        self.put(at, Rung::Ended(finding));
    }

    fn put(&mut self, at: usize, rung: Rung) {
        if let Some(place) = self.rungs.get_mut(at) {
            *place = rung;
        }
    }

    /// The next finding in the table's order, once it is there.
    fn next_to_tell(&mut self) -> Option<Finding> {
        let Some(Rung::Ended(finding)) = self.rungs.get(self.told) else { return None };
        self.told += 1;
        Some(finding.clone())
    }

    fn findings(self) -> Vec<Finding> {
        let ended = |rung| match rung {
            Rung::Ended(finding) => Some(finding),
            Rung::Waiting | Rung::Running => None,
        };
        self.rungs.into_iter().filter_map(ended).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use bytes::Bytes;
    use tokio::task::JoinSet;

    use super::*;
    use crate::doctor::case::tests::services;
    use crate::doctor::check::{Verdict, passed};
    use crate::model::object_key::ObjectKey;
    use crate::model::store::StoreDraft;
    use crate::oss::listing::ListRequest;
    use crate::oss::object::PutOptions;
    use crate::oss::{Access, Client};
    use crate::sandbox::{Sandbox, SandboxConfig, Seed};

    const KEY: &str = ".osstack-check-test";

    /// Writes an object and falls over.
    const PANICS: Check = Check {
        id: "panics",
        title: "falls over",
        about: "",
        needs: &[],
        run: |case| {
            Box::pin(async move {
                write(&case, async {}).await.unwrap();
                panic!("a fault of the check");
            })
        },
    };

    /// Writes the object, doing `before` when that has been noted.
    async fn write(case: &Case, before: impl Future<Output = ()>) -> Verdict {
        let key = ObjectKey::parse(KEY).unwrap();
        let (store, client) = (case.store()?, case.client()?);
        let options = PutOptions::default();
        let put = async {
            before.await;
            client.put(&store.bucket, KEY, Bytes::new(), &options).await
        };
        case.traces.writing(&key, put).await.unwrap();
        Ok(passed("written"))
    }

    static CANCEL: OnceLock<CancellationToken> = OnceLock::new();

    /// Is cancelled between announcing an object and writing it.
    const CANCELLED: Check = Check {
        id: "cancelled",
        title: "is cancelled",
        about: "",
        needs: &[],
        run: |case| {
            Box::pin(
                async move { write(&case, async { CANCEL.get().unwrap().cancel() }).await.into() },
            )
        },
    };

    const AFTER: Check = Check {
        id: "after",
        title: "comes after",
        about: "",
        needs: &["panics", "cancelled"],
        run: |_| Box::pin(async { passed("reached").into() }),
    };

    /// Does not depend on the others.
    const BESIDE: Check = Check { id: "beside", needs: &[], ..AFTER };

    /// Climbs `checks` in a sandbox; also answers what is in the bucket then.
    async fn climb(checks: &[Check], cancel: &CancellationToken) -> (Report, usize) {
        let services = services();
        let (clock, entropy) = (Arc::clone(&services.clock), Arc::clone(&services.entropy));
        let sandbox = Sandbox::bind(SandboxConfig::new(Seed::Empty, clock, entropy)).unwrap();
        let (is, key) = (sandbox.description(), sandbox.keys().permanent().duplicate());
        let mut server = JoinSet::new();
        server.spawn(async { sandbox.serve(CancellationToken::new()).await.unwrap() });
        let draft = StoreDraft {
            name: "demo".into(),
            bucket: is.bucket,
            secret: "demo".into(),
            region: is.region,
            endpoint: is.endpoint,
            ..StoreDraft::default()
        };
        let store = draft.validate().unwrap();
        let access = Access {
            endpoint: store.access_endpoint().unwrap(),
            scope_region: store.scope_region(),
            signature: store.signature,
            credentials: Arc::new(key.duplicate()),
        };
        let Services { network, clock, entropy } = services.clone();
        let client = Client::new(&network, clock, entropy, access);
        let bucket = store.bucket.clone();
        let target = Target {
            subject: "store/demo".into(),
            store: Ok(store),
            credentials: Ok(key),
            python: None,
            components: None,
        };
        let ladder = Ladder { checks, patience: Duration::from_secs(5), rate: false };
        let report = ladder.run(target, services, cancel, async |_| {}).await;
        let page = client.list_page(&bucket, &ListRequest::default()).await.unwrap();
        (report, page.len())
    }

    #[tokio::test]
    async fn a_check_that_panics_is_a_finding_and_its_object_is_taken_back() {
        let (report, objects) = climb(&[PANICS, AFTER, BESIDE], &CancellationToken::new()).await;
        assert_eq!(report.outcome, Outcome::Failed);
        let states: Vec<_> = report.findings.iter().map(|f| (f.id, f.state)).collect();
        assert_eq!(
            states,
            [("panics", State::Failed), ("after", State::Skipped), ("beside", State::Passed),]
        );
        assert_eq!((objects, report.left_behind.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_write_in_flight_is_awaited_and_then_taken_back() {
        let cancel = CANCEL.get_or_init(CancellationToken::new);
        let (report, objects) = climb(&[CANCELLED, AFTER], cancel).await;
        assert_eq!(report.outcome, Outcome::Cancelled);
        let states: Vec<_> = report.findings.iter().map(|f| (f.id, f.state)).collect();
        assert_eq!(states, [("cancelled", State::Passed), ("after", State::Skipped)]);
        assert_eq!((objects, report.left_behind.len()), (0, 0));
    }
}
