//! When to try again, and how long to wait before: a pure policy.

use std::sync::Mutex;
use std::time::Duration;

use time::OffsetDateTime;

use super::error::{Error, Kind, Link};

/// Tries in all.
pub const TRIES: u32 = 5;
/// The longest pause of our own choice.
const CAP: Duration = Duration::from_secs(20);
/// The longest pause a server may ask for.
pub const LONGEST_ASKED: Duration = Duration::from_mins(1);

/// Which failures a call may be repeated after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Any that may pass: doing it twice is doing it once.
    Always,
    /// Only where the server said that it did nothing.
    IfRefused,
}

/// Whether `error` may pass by itself, for a call of this sort.
pub fn may_pass(error: &Error, repeat: Repeat) -> bool {
    let refused = error.kind == Kind::Retry && matches!(error.status, Some(429 | 503));
    let unknown = match error.kind {
        Kind::Retry | Kind::Truncated => true,
        Kind::Network(link) => matches!(link, Link::Timeout | Link::Closed),
        _ => false,
    };
    // before a connection stands, nothing was done yet
    let before = matches!(error.kind, Kind::Network(Link::Refused | Link::Unreachable));
    refused || before || (repeat == Repeat::Always && unknown)
}

/// The pause before try `attempt + 2`: full jitter below min(20 s, 0.2 s * 2^attempt), or what
/// the server asks for, up to a minute.
pub fn pause(attempt: u32, random: u64, asked: Option<Duration>) -> Duration {
    if let Some(asked) = asked {
        return asked.min(LONGEST_ASKED);
    }
    let ceiling = Duration::from_millis(200).saturating_mul(1 << attempt.min(16)).min(CAP);
    let millis = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(random % (millis + 1))
}

/// `Retry-After`: seconds, or a date; nonsense counts as absent.
pub fn retry_after(value: &str, now: OffsetDateTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = super::object::parse_http_date(value)?;
    (date - now).try_into().ok()
}

/// Keeps the sum of all repeats near a tenth of the work, so that a server in trouble is not
/// asked five times as often by a thousand calls at once.
#[derive(Debug)]
pub struct Budget(Mutex<u32>);

/// In hundredths of a repeat.
const FULL: u32 = 1000;
const DEPOSIT: u32 = 9;
const PRICE: u32 = 100;

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(FULL))
    }
}

impl Budget {
    /// A call begins.
    pub fn deposit(&self) {
        if let Ok(mut level) = self.0.lock() {
            *level = (*level + DEPOSIT).min(FULL);
        }
    }

    /// Asks for one repeat.
    pub fn withdraw(&self) -> bool {
        let Ok(mut level) = self.0.lock() else { return false };
        let granted = *level >= PRICE;
        if granted {
            *level -= PRICE;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_cap_and_keep_their_jitter() {
        assert_eq!(pause(0, 0, None), Duration::ZERO);
        assert_eq!(pause(0, 200, None), Duration::from_millis(200));
        assert_eq!(pause(3, 1600, None), Duration::from_millis(1600));
        assert!(pause(40, u64::MAX, None) <= CAP);
        assert_eq!(pause(0, 7, Some(Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(pause(0, 7, Some(Duration::from_secs(99_999))), LONGEST_ASKED);
    }

    #[test]
    fn retry_after_in_seconds_or_as_a_date() {
        let now = OffsetDateTime::from_unix_timestamp(1_773_570_030).unwrap();
        assert_eq!(retry_after("3", now), Some(Duration::from_secs(3)));
        let date = "Sun, 15 Mar 2026 10:20:40 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(10)));
        assert_eq!(retry_after("Sun, 15 Mar 2026 10:00:00 GMT", now), None);
        assert_eq!(retry_after("-1", now), None);
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn a_storm_costs_a_tenth_more_requests_at_most() {
        let budget = Budget::default();
        let mut sent = 0;
        for _ in 0..1000 {
            budget.deposit();
            sent += 1;
            for _ in 1..TRIES {
                sent += u32::from(budget.withdraw());
            }
        }
        assert!(sent <= 1100, "{sent}");
    }

    #[test]
    fn a_write_that_must_not_happen_twice_is_repeated_only_where_nothing_happened() {
        let closed = Error::new(Kind::Network(Link::Closed), "x", "");
        let refused = Error::new(Kind::Network(Link::Refused), "x", "");
        let denied = Error::new(Kind::Permission, "x", "");
        assert!(may_pass(&closed, Repeat::Always) && !may_pass(&closed, Repeat::IfRefused));
        assert!(may_pass(&refused, Repeat::IfRefused));
        assert!(!may_pass(&denied, Repeat::Always));
    }
}
