//! A sign that something runs, for what takes longer than 200 ms.

use std::time::Duration;

use crate::tui::theme::Theme;

/// What is faster than this needs no sign: it would only flicker.
const PATIENCE: Duration = Duration::from_millis(200);

/// Turns while something runs. Give it every tick, and want ticks while it runs.
#[derive(Debug, Default)]
pub struct Spinner {
    running: bool,
    /// First tick since the start, and the latest one.
    ticks: Option<(Duration, Duration)>,
}

impl Spinner {
    /// Something began.
    pub fn start(&mut self) {
        *self = Self { running: true, ticks: None };
    }

    /// It ended.
    pub fn stop(&mut self) {
        *self = Self::default();
    }

    /// Whether something runs: the answer for `wants_tick`.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Time has come to `now`.
    pub fn tick(&mut self, now: Duration) {
        if self.running {
            self.ticks = Some((self.ticks.map_or(now, |(first, _)| first), now));
        }
    }

    /// How long it has been running, as far as ticks tell.
    pub fn elapsed(&self) -> Duration {
        self.ticks.map_or(Duration::ZERO, |(first, now)| now.saturating_sub(first))
    }

    /// The sign: empty for the first 200 ms and when nothing runs.
    pub fn sign(&self, theme: &Theme) -> &'static str {
        const TURN: [&str; 4] = ["⠋", "⠙", "⠴", "⠦"];
        const PLAIN: [&str; 4] = ["|", "/", "-", "\\"];
        let elapsed = self.elapsed();
        if elapsed < PATIENCE {
            return "";
        }
        let signs = if theme.ascii { PLAIN } else { TURN };
        let step = usize::try_from(elapsed.as_millis() / 100).unwrap_or(0) % signs.len();
        signs.get(step).copied().unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_quiet_at_first() {
        let theme = Theme::default();
        let mut spinner = Spinner::default();
        spinner.start();
        for ms in [1_000, 1_100] {
            spinner.tick(Duration::from_millis(ms));
            assert_eq!(spinner.sign(&theme), "");
        }
        spinner.tick(Duration::from_millis(1_200));
        assert_ne!(spinner.sign(&theme), "");
        spinner.stop();
        assert_eq!((spinner.sign(&theme), spinner.is_running()), ("", false));
    }
}
