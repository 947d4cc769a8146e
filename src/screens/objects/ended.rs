//! How a listing ends, and what is asked before it may go on.

use super::{Msg, Objects, Progress};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::residency::CrossBorder;
use crate::screens::failure_view::settled;
use crate::screens::unlock::Unlock;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::screen::Step;
use crate::tui::widget::confirm::Confirm;

impl Objects {
    /// The listing is at its end: whole, stopped, or broken off. Where a person could let it go
    /// on, that is asked.
    pub(super) fn ended(&mut self, outcome: Outcome<Result<(), Failure>>) -> Step<Self> {
        self.spinner.stop();
        let failure = match settled(outcome) {
            Ok(()) => {
                self.progress = Progress::Whole;
                return Step::none();
            }
            Err(failure) if failure.kind == FailureKind::Cancelled => {
                self.progress = Progress::Stopped;
                return Step::none();
            }
            Err(failure) => failure,
        };
        let question = match failure.kind {
            FailureKind::Locked => Step::push(Unlock::new(), Msg::Unlocked),
            FailureKind::Border => {
                let title = "Read across the border?";
                let question = Confirm::new(title, failure.summary.as_str(), "Read");
                Step::push(question, Msg::BorderConfirmed)
            }
            _ => Step::none(),
        };
        self.progress = Progress::Broken(failure);
        question
    }

    /// A person has said yes.
    pub(super) fn cross_border(&self) -> Step<Self> {
        let cross = CrossBorder { place: self.place.clone(), is_allowed: true };
        Step::run(Effect::latest("border", cross, Msg::BorderOpened))
    }
}
