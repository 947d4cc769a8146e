//! How fast something goes, over the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

/// The stretch of time that a rate is taken over.
const OVER: Duration = Duration::from_secs(5);

/// When so much was done, lately.
#[derive(Debug, Default)]
pub struct Pace {
    points: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Notes that `done` is done at `now`, a time since some beginning.
    pub fn note(&mut self, now: Duration, done: u64) {
        self.points.push_back((now, done));
        while self.points.front().is_some_and(|(at, _)| *at + OVER < now) {
            self.points.pop_front();
        }
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// How much a second; nothing before there is a stretch to measure.
    pub fn rate(&self) -> Option<u64> {
        let (first, last) = (self.points.front()?, self.points.back()?);
        let millis = last.0.saturating_sub(first.0).as_millis();
        let done = u128::from(last.1.saturating_sub(first.1));
        u64::try_from((done * 1000).checked_div(millis)?).ok()
    }

    /// How long `missing` still takes at this rate.
    pub fn left(&self, missing: u64) -> Option<Duration> {
        Some(Duration::from_secs(missing.checked_div(self.rate()?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(points: &[(u64, u64)]) -> Pace {
        let mut pace = Pace::default();
        for (ms, done) in points {
            pace.note(Duration::from_millis(*ms), *done);
        }
        pace
    }

    #[test]
    fn a_rate_needs_a_stretch_of_time() {
        assert_eq!(pace(&[]).rate(), None);
        assert_eq!(pace(&[(100, 5)]).rate(), None);
        let half = pace(&[(0, 0), (500, 1000)]);
        assert_eq!((half.rate(), half.left(4000)), (Some(2000), Some(Duration::from_secs(2))));
        let stuck = pace(&[(0, 1000), (500, 1000)]);
        assert_eq!((stuck.rate(), stuck.left(4000)), (Some(0), None), "no time is made up");
    }

    #[test]
    fn a_rate_forgets_what_is_long_ago() {
        let mut pace = pace(&[(0, 0), (1000, 9000)]);
        for second in 2..=7 {
            pace.note(Duration::from_secs(second), 9000);
        }
        assert_eq!(pace.rate(), Some(0));
    }
}
