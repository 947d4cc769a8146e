//! What a check says.

use std::time::Duration;

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

    /// Adds what the server said.
    #[must_use]
    pub fn error(mut self, error: ServerError) -> Self {
        self.error = Some(error);
        self
    }
}
