//! Climbing: one check after the other, told as it happens, tidied up in every case.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::case::{Case, Services, Target};
use super::check::{Check, failed, skipped};
use super::checks::CHECKS;
use super::report::{Outcome, Report};
use crate::model::finding::{Finding, State};

/// What is told while the ladder fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The check of this id begins.
    Started(&'static str),
    /// A check has come to its end, or is passed over.
    Found(Finding),
}

/// Checks in their order.
#[derive(Clone, Copy, Debug)]
pub struct Ladder<'a> {
    checks: &'a [Check],
    patience: Duration,
}

impl Default for Ladder<'static> {
    /// All checks.
    fn default() -> Self {
        Self { checks: CHECKS, patience: Duration::from_secs(5) }
    }
}

impl Ladder<'_> {
    /// Climbs until the top or until `cancel`, and takes back what it wrote. `report` hears of
    /// every check, in their order.
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
        let since = |start| clock.instant().saturating_duration_since(start);
        // a listener that no longer listens must not hold up the tidying
        let tell = async |progress| {
            let _told = cancel.run_until_cancelled(report(progress)).await;
        };

        let subject = target.subject.clone();
        let mut case = Case::new(target, services);
        let mut findings: Vec<Finding> = Vec::with_capacity(self.checks.len());
        // which failed check keeps others from being tried
        let mut blocked: BTreeMap<&str, &str> = BTreeMap::new();
        let mut cut_short = false;
        for check in self.checks {
            let start = clock.instant();
            let mut finding = if cut_short || cancel.is_cancelled() {
                cut_short = true;
                stopped()
            } else if let Some(title) = check.needs.iter().find_map(|id| blocked.get(id).copied()) {
                blocked.insert(check.id, title);
                skipped(format!("'{title}' failed: nothing can be told before that is mended"))
            } else {
                tell(Progress::Started(check.id)).await;
                self.climb(check, &mut case, cancel).await.unwrap_or_else(|Stopped| {
                    cut_short = true;
                    stopped()
                })
            };
            finding.id = check.id;
            finding.took = since(start);
            if finding.state == State::Failed {
                blocked.insert(check.id, check.title);
            }
            findings.push(finding.clone());
            tell(Progress::Found(finding)).await;
        }

        let left_behind = match (&case.store, case.client()) {
            (Ok(store), Ok(client)) => {
                case.traces.clean_up(client, &store.bucket, self.patience).await
            }
            _ => Vec::new(),
        };
        let outcome = if cut_short { Outcome::Cancelled } else { Outcome::of(&findings) };
        let vantage = case.vantage();
        Report { subject, at, findings, outcome, took: since(begun), vantage, left_behind }
    }

    async fn climb(
        &self,
        check: &Check,
        case: &mut Case,
        cancel: &CancellationToken,
    ) -> Result<Finding, Stopped> {
        let traces = case.traces.clone();
        let mut running = AssertUnwindSafe((check.run)(case)).catch_unwind();
        let ended = match cancel.run_until_cancelled(&mut running).await {
            Some(ended) => ended,
            // a write broken off here could still arrive after the tidying: let it end first
            None if traces.in_flight() => {
                tokio::time::timeout(self.patience, running).await.map_err(|_| Stopped)?
            }
            None => return Err(Stopped),
        };
        Ok(match ended {
            Ok(Ok(finding)) => finding,
            Ok(Err(finding)) => *finding,
            Err(_panic) => failed("This check broke off.")
                .because("osstack itself has a fault here; the store may be well.")
                .next("Please report it, with this output."),
        })
    }
}

struct Stopped;

fn stopped() -> Finding {
    skipped("the diagnosis was stopped")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock};

    use bytes::Bytes;
    use tokio::task::JoinSet;

    use super::*;
    use crate::doctor::case::tests::services;
    use crate::doctor::check::passed;
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
        needs: &[],
        run: |case| {
            Box::pin(async {
                let key = ObjectKey::parse(KEY).unwrap();
                case.traces.announce(key);
                let bucket = &case.store()?.bucket;
                case.client()?
                    .put(bucket, KEY, Bytes::new(), &PutOptions::default())
                    .await
                    .unwrap();
                panic!("a fault of the check");
            })
        },
    };

    static CANCEL: OnceLock<CancellationToken> = OnceLock::new();

    /// Is cancelled between announcing an object and writing it.
    const CANCELLED: Check = Check {
        id: "cancelled",
        title: "is cancelled",
        needs: &[],
        run: |case| {
            Box::pin(async {
                let key = ObjectKey::parse(KEY).unwrap();
                case.traces.announce(key.clone());
                CANCEL.get().unwrap().cancel();
                let bucket = &case.store()?.bucket;
                case.client()?
                    .put(bucket, KEY, Bytes::new(), &PutOptions::default())
                    .await
                    .unwrap();
                case.traces.answered(&key);
                Ok(passed("written"))
            })
        },
    };

    const AFTER: Check = Check {
        id: "after",
        title: "comes after",
        needs: &[],
        run: |_| Box::pin(async { Ok(passed("reached")) }),
    };

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
        let target =
            Target { subject: "store/demo".into(), store: Ok(store), credentials: Ok(key) };
        let ladder = Ladder { checks, patience: Duration::from_secs(5) };
        let report = ladder.run(target, services, cancel, async |_| {}).await;
        let page = client.list_page(&bucket, &ListRequest::default()).await.unwrap();
        (report, page.len())
    }

    #[tokio::test]
    async fn a_check_that_panics_is_a_finding_and_its_object_is_taken_back() {
        let (report, objects) = climb(&[PANICS, AFTER], &CancellationToken::new()).await;
        assert_eq!(report.outcome, Outcome::Failed);
        let states: Vec<_> = report.findings.iter().map(|f| (f.id, f.state)).collect();
        assert_eq!(states, [("panics", State::Failed), ("after", State::Passed)]);
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
