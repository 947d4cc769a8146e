//! Time, given from outside so that tests hold it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use time::OffsetDateTime;

/// Where the time comes from.
pub trait Clock: Debug + Send + Sync {
    /// The time of day, UTC.
    fn now(&self) -> OffsetDateTime;

    /// A point for measuring spans; never goes back.
    fn instant(&self) -> Instant;
}

/// A clock that many hold.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> OffsetDateTime {
        std::time::SystemTime::now().into()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that stands at one time of day; spans still pass.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub OffsetDateTime);

impl Clock for FixedClock {
    fn now(&self) -> OffsetDateTime {
        self.0
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
}
