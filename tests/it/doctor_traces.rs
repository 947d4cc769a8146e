//! What the diagnosis writes is gone afterwards: also after a cancel at any moment, and after a
//! kill by the next run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use osstack::doctor::{Ladder, Outcome, Services};
use osstack::model::finding::State;
use osstack::oss::object::PutOptions;
use osstack::ports::clock::{Clock, SystemClock};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;

use crate::doctor_bed::{Bed, fact, found, quiet};

/// Signing asks for the time: so it counts requests, and cancels at one of them.
#[derive(Debug)]
struct Countdown {
    left: AtomicUsize,
    cancel: CancellationToken,
}

impl Clock for Countdown {
    fn now(&self) -> OffsetDateTime {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cancel.cancel();
        }
        SystemClock.now()
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
}

#[tokio::test]
async fn a_cancel_at_any_request_leaves_nothing() {
    let bed = Bed::new();
    let mut after_writes = 0;
    for at in 1.. {
        let cancel = CancellationToken::new();
        let clock = Countdown { left: AtomicUsize::new(at), cancel: cancel.clone() };
        let services = Services { clock: Arc::new(clock), ..bed.services() };
        let report = Ladder::default().run(bed.target(), services, &cancel, quiet).await;
        assert!(report.left_behind.is_empty(), "at request {at}: {report:#?}");
        assert_eq!(bed.keys().await, [""; 0], "at request {at}");
        if report.outcome != Outcome::Cancelled {
            break;
        }
        after_writes += usize::from(found(&report, "write").state == State::Passed);
    }
    // the moments were those of the writing rungs, not all before them
    assert!(after_writes > 20, "{after_writes}");
}

/// A clock that is set by hand, for the server too.
#[derive(Debug)]
pub(crate) struct Set(pub(crate) Mutex<OffsetDateTime>);

impl Set {
    pub(crate) fn forward(&self, span: Duration) {
        *self.0.lock().unwrap() += span;
    }
}

impl Clock for Set {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
}

#[tokio::test]
async fn what_a_killed_check_left_is_swept_when_it_is_old_and_nothing_else_is() {
    let clock = Arc::new(Set(Mutex::new(SystemClock.now())));
    let bed = Bed::by_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (client, bucket) = bed.client();
    let options = PutOptions::default();
    let run = "zenml/.osstack-check-0123456789abcdef";
    let ours = [format!("{run}/small"), format!("{run}/a b+c%d 中文")];
    let not_ours = [
        format!("{run}/mine"),
        format!("{run}x/small"),
        "zenml/.osstack-check-".to_owned(),
        "other/.osstack-check-0123456789abcdef/small".to_owned(),
    ];
    for key in ours.iter().chain(&not_ours) {
        client.put(&bucket, key, "x".into(), &options).await.unwrap();
    }
    let parts = format!("{run}/parts");
    client.create_upload(&bucket, &parts, &options).await.unwrap();
    client.create_upload(&bucket, "zenml/model.bin", &options).await.unwrap();

    clock.forward(Duration::minutes(59));
    let report = bed.check(bed.target()).await;
    assert_eq!(fact(found(&report, "leftovers"), "removed"), "0", "{report:#?}");
    assert_eq!(bed.keys().await.len(), 8);

    clock.forward(Duration::minutes(2));
    let report = bed.check(bed.target()).await;
    let finding = found(&report, "leftovers");
    assert_eq!(finding.summary, "3 objects of earlier checks were removed.");
    let mut left = bed.keys().await;
    left.sort();
    let mut expected: Vec<String> = not_ours.to_vec();
    expected.push("zenml/model.bin".to_owned());
    expected.sort();
    assert_eq!(left, expected);
}

#[tokio::test]
async fn leftovers_that_may_not_be_removed_are_a_warning() {
    let clock = Arc::new(Set(Mutex::new(SystemClock.now())));
    let bed = Bed::by_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (client, bucket) = bed.client();
    let key = "zenml/.osstack-check-0123456789abcdef/small";
    client.put(&bucket, key, "x".into(), &PutOptions::default()).await.unwrap();
    clock.forward(Duration::hours(2));
    bed.meet(|faults| faults.deleting_denied = true);
    let report = bed.check(bed.target()).await;
    let finding = found(&report, "leftovers");
    assert_eq!(finding.state, State::Warned, "{finding:#?}");
    assert!(finding.next.as_deref().unwrap().ends_with("zenml/.osstack-check-"), "{finding:#?}");
}
