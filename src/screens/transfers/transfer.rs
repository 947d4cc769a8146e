//! One transfer of the tab, and what may be done with it.

use std::time::Duration;

use super::many::{self, Batch};
use crate::base::pace::Pace;
use crate::ops::failure::Failure;
use crate::ops::objects::Place;
use crate::ops::transfer::{Copy, Ends, Progress, Sum};
use crate::oss::transfer::Transferred;
use crate::tui::runtime::Ticket;
use crate::tui::theme::Tone;

/// One of them.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) id: u64,
    pub(super) work: Work,
    /// By which it can be ended, while it runs.
    pub(super) ticket: Option<Ticket>,
    pub(super) progress: Progress,
    pub(super) pace: Pace,
    pub(super) state: State,
}

/// What it does.
#[derive(Debug)]
pub(super) enum Work {
    /// Copies one file or object.
    One(Box<Copy>),
    /// Copies or moves several at once.
    Many(Box<Batch>),
}

/// How it stands.
#[derive(Debug)]
pub(super) enum State {
    Running,
    /// It was asked to stop and tidies up.
    Stopping,
    /// It was asked to stop and to keep what has arrived.
    Pausing,
    /// What has arrived is kept, also over a restart.
    Paused,
    Done(Transferred),
    /// Several came to their end, each in its way.
    Summed(Sum),
    /// Nothing is replaced unless the user says so.
    Taken(Failure),
    Stopped,
    Failed(Failure),
}

impl Work {
    /// Where from, showable.
    pub(super) fn source(&self) -> String {
        match self {
            Self::One(copy) => copy.source(),
            Self::Many(batch) => batch.source.clone(),
        }
    }

    /// Where to, showable.
    pub(super) fn destination(&self) -> String {
        match self {
            Self::One(copy) => copy.destination(),
            Self::Many(batch) => batch.destination.clone(),
        }
    }

    /// The keys in buckets that are others afterwards.
    pub(super) fn touched(&self) -> Vec<(Place, String)> {
        match self {
            Self::One(copy) => match &copy.ends {
                Ends::Upload { to, .. } | Ends::Server { to, .. } => {
                    vec![(to.place.clone(), to.key.as_str().to_owned())]
                }
                Ends::Download { .. } => Vec::new(),
            },
            Self::Many(batch) => batch.touched.clone(),
        }
    }
}

impl Transfer {
    pub(super) fn new(id: u64, work: Work, state: State) -> Self {
        let (progress, pace) = (Progress::default(), Pace::default());
        Self { id, work, ticket: None, progress, pace, state }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running | State::Stopping | State::Pausing)
    }

    /// Whether nothing more will come of it; one that is paused may go on.
    pub(super) fn has_ended(&self) -> bool {
        !self.is_running() && !matches!(self.state, State::Paused)
    }

    pub(super) fn has_all(&self) -> bool {
        self.progress.total == Some(self.progress.done)
    }

    /// How long it still takes at this rate.
    pub(super) fn left(&self) -> Option<Duration> {
        let missing = self.progress.total?.saturating_sub(self.progress.done);
        self.pace.left(missing)
    }

    pub(super) fn may_pause(&self) -> bool {
        let is_kept = match &self.work {
            // what is copied on the server has nothing that could be kept here
            Work::One(copy) => !matches!(copy.ends, Ends::Server { .. }),
            // of several those that are there are
            Work::Many(_) => true,
        };
        is_kept && self.ticket.is_some() && matches!(self.state, State::Running)
    }

    pub(super) fn may_cancel(&self) -> bool {
        match self.state {
            State::Running => self.ticket.is_some(),
            State::Paused => true,
            _ => false,
        }
    }

    pub(super) fn may_retry(&self) -> bool {
        match &self.state {
            State::Failed(_) | State::Stopped => true,
            State::Summed(sum) => !sum.failed.is_empty(),
            _ => false,
        }
    }

    pub(super) fn may_replace(&self) -> bool {
        match &self.state {
            State::Taken(_) => true,
            State::Summed(sum) => !sum.taken.is_empty(),
            _ => false,
        }
    }

    /// Whether it waits for the user.
    pub(super) fn is_wrong(&self) -> bool {
        match &self.state {
            State::Failed(_) | State::Taken(_) => true,
            State::Summed(sum) => matches!(many::tone(sum), Tone::Bad | Tone::Warning),
            _ => false,
        }
    }
}
