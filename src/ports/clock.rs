//! Time, given from outside so that tests hold it.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// Where the time comes from.
pub trait Clock: Debug + Send + Sync {
    /// The time of day, UTC.
    fn now(&self) -> OffsetDateTime;

    /// A point for measuring spans; never goes back.
    fn instant(&self) -> Instant;

    /// How long the machine has slept since it was started, which [`Clock::instant`] does not
    /// count. Nothing where the system does not tell.
    fn asleep(&self) -> Duration {
        Duration::ZERO
    }
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

    /// By the clocks of Linux that differ in this alone (`clock_gettime(2)`).
    #[cfg(target_os = "linux")]
    fn asleep(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        let since_start = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        slept(since_start(ClockId::Boottime), since_start(ClockId::Monotonic))
    }
}

/// What the clock that counts sleep is ahead of the one that does not; they are not read at the
/// same moment.
#[cfg(any(test, target_os = "linux"))]
fn slept(with_sleep: Duration, without: Duration) -> Duration {
    with_sleep.saturating_sub(without)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_awake_is_not_time_asleep() {
        let seconds = Duration::from_secs;
        assert_eq!(slept(seconds(100), seconds(30)), seconds(70));
        assert_eq!(slept(seconds(30), seconds(31)), seconds(0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_how_long_it_slept() {
        use rustix::time::{ClockId, clock_gettime};
        let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap();
        let slept = read(ClockId::Boottime).saturating_sub(read(ClockId::Monotonic));
        assert!(SystemClock.asleep().abs_diff(slept) < Duration::from_secs(1));
        assert!(read(ClockId::Boottime) + Duration::from_secs(1) > read(ClockId::Monotonic));
    }
}
