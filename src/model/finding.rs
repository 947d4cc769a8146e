//! What a check says.

use std::time::Duration;

use super::fix::Fix;
use super::permission::{Action, Grant};

/// How one rung of the ladder ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Passed,
    /// Works, but something should be known.
    Warned,
    /// Does not work.
    Failed,
    /// Not tried, because of another rung.
    Skipped,
}

impl State {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What the server itself said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// OSS's error code: `NoSuchBucket`.
    pub code: Option<String>,
    /// OSS's finer code: `0015-00000101`.
    pub ec: Option<String>,
    /// For Alibaba's support.
    pub request_id: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
}

/// The result of one rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's stable id: `bucket-region`.
    pub id: &'static str,
    /// How it ended.
    pub state: State,
    /// How long it took.
    pub took: Duration,
    /// One sentence.
    pub summary: String,
    /// Name and value of what was seen.
    pub facts: Vec<(&'static str, String)>,
    /// What the server said, where it said no.
    pub error: Option<ServerError>,
    /// What it means, where the summary is not enough.
    pub because: Option<String>,
    /// The next step, where there is one to take.
    pub next: Option<String>,
    /// The next steps in their order, where one sentence does not hold them.
    pub steps: Vec<String>,
    /// What osstack itself could change so that it works.
    pub fix: Option<Fix>,
    /// The rights that were seen to work, or were denied, in the order they were seen.
    pub rights: Vec<(Action, Grant)>,
}

impl Finding {
    /// A finding without details.
    pub fn new(id: &'static str, state: State, summary: impl Into<String>) -> Self {
        Self {
            id,
            state,
            took: Duration::ZERO,
            summary: summary.into(),
            facts: Vec::new(),
            error: None,
            because: None,
            next: None,
            steps: Vec::new(),
            fix: None,
            rights: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// Adds what it means.
    #[must_use]
    pub fn because(mut self, text: impl Into<String>) -> Self {
        self.because = Some(text.into());
        self
    }

    /// Adds the next step.
    #[must_use]
    pub fn next(mut self, text: impl Into<String>) -> Self {
        self.next = Some(text.into());
        self
    }

    /// Adds what to do in which order.
    #[must_use]
    pub fn steps(mut self, steps: impl IntoIterator<Item = String>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// Adds what would mend it, where there is something.
    #[must_use]
    pub fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix.or(self.fix);
        self
    }

    /// Adds that a call was seen to work which takes the right to `action`.
    #[must_use]
    pub fn worked(mut self, action: Action) -> Self {
        self.rights.push((action, Grant::Worked));
        self
    }

    /// Adds that a call was refused for want of the right to `action`.
    #[must_use]
    pub fn denied(mut self, action: Action) -> Self {
        self.rights.push((action, Grant::Denied));
        self
    }

    /// Adds what the server said.
    #[must_use]
    pub fn error(mut self, error: ServerError) -> Self {
        self.error = Some(error);
        self
    }
}
