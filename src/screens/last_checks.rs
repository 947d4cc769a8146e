//! How lists show the last checks: a sign and an age in the row, the rest beside it.

use ratatui::text::Line;

use super::failure_view::{marked, settled};
use crate::base::units;
use crate::base::visible::visible;
use crate::model::store::ArtifactStore;
use crate::ops::failure::Failure;
use crate::ops::history::{LoadedHistory, PastOutcome, Verdict};
use crate::tui::effect::Outcome;
use crate::tui::theme::{Theme, Tone};

/// What was read of the history of checks.
#[derive(Debug, Default)]
pub(super) enum LastChecks {
    #[default]
    Unread,
    Read(LoadedHistory),
    Unreadable(Failure),
}

impl LastChecks {
    pub(super) fn take(&mut self, outcome: Outcome<Result<LoadedHistory, Failure>>) {
        *self = match settled(outcome) {
            Ok(loaded) => Self::Read(loaded),
            Err(failure) => Self::Unreadable(failure),
        };
    }

    /// How the last check of `store` stands, and how old it is in a few cells.
    pub(super) fn mark(&self, store: Option<&ArtifactStore>) -> (Tone, String) {
        match (self, store) {
            (Self::Read(loaded), Some(store)) => {
                let verdict = loaded.history.verdict(store);
                (tone(&verdict), verdict.short(loaded.now))
            }
            _ => (Tone::Neutral, String::new()),
        }
    }

    /// All that is kept of the last check of `store`.
    pub(super) fn lines(
        &self,
        store: Option<&ArtifactStore>,
        room: usize,
        theme: &Theme,
    ) -> Vec<Line<'static>> {
        let (loaded, store) = match (self, store) {
            (Self::Unread, _) | (_, None) => return Vec::new(),
            (Self::Unreadable(failure), _) => {
                let said = failure.to_string();
                return marked(theme.sign(Tone::Warning), theme.warn(), &said, room);
            }
            (Self::Read(loaded), Some(store)) => (loaded, store),
        };
        let verdict = loaded.history.verdict(store);
        let said = match &verdict {
            Verdict::Never => "never checked: c checks it".to_owned(),
            Verdict::Outdated(past) => format!(
                "changed since its last check ({} {}): c checks it again",
                past.outcome.as_str(),
                units::ago(past.age(loaded.now))
            ),
            Verdict::Stands(past) => format!(
                "last check {} {}: {} of {}, {}",
                past.outcome.as_str(),
                units::ago(past.age(loaded.now)),
                past.passed,
                past.checks,
                units::span(std::time::Duration::from_millis(past.ms))
            ),
        };
        let whole = tone(&verdict);
        let mut lines = marked(theme.sign(whole), theme.tone(whole), &said, room);
        let problems = match &verdict {
            Verdict::Stands(past) => past.problems.as_slice(),
            Verdict::Never | Verdict::Outdated(_) => &[],
        };
        for problem in problems.iter().take(3) {
            let tone = if problem.failed { Tone::Bad } else { Tone::Warning };
            let sign = format!("  {}", theme.sign(tone));
            let said = visible(&problem.summary);
            lines.extend(marked(&sign, theme.tone(tone), said.as_str(), room));
        }
        lines
    }
}

fn tone(verdict: &Verdict) -> Tone {
    match verdict {
        Verdict::Never | Verdict::Outdated(_) => Tone::Neutral,
        Verdict::Stands(past) => match past.outcome {
            PastOutcome::Passed => Tone::Good,
            PastOutcome::Warned => Tone::Warning,
            PastOutcome::Failed => Tone::Bad,
        },
    }
}
