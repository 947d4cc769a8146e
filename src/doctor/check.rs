//! One rung: what it is called, what it stands on, and how it says what it saw.

use std::fmt;

use futures_util::future::BoxFuture;

use super::case::{Case, Lesson};
use crate::base::visible::visible;
use crate::model::finding::{Finding, ServerError, State};
use crate::oss::{Error, Kind, Link};

/// One rung of the ladder.
///
/// What a rung says follows one rule. *Failed*: `ZenML`'s own `S3ArtifactStore`, through s3fs with
/// exactly the settings that are committed, fails in an ordinary pipeline run, which lists, looks,
/// writes and reads small objects. *Warned*: such a run works, and something else will not: a
/// clean-up, an artifact of 50 MiB, a run elsewhere, a run tomorrow.
#[derive(Clone, Copy)]
pub struct Check {
    /// Stable, kebab-case: `bucket-region`. Scripts read it.
    pub id: &'static str,
    /// As screens show it: `the bucket is in this region`.
    pub title: &'static str,
    /// What is asked, and why it matters to `ZenML`: one sentence or two.
    pub about: &'static str,
    /// Ids of the checks that must have ended, and not failed.
    pub needs: &'static [&'static str],
    pub(super) run: Run,
}

/// Asks, and says what it saw. May be dropped at any await; what it leaves in the bucket it writes
/// through [`Traces`](super::traces::Traces) alone.
pub(super) type Run = fn(Case) -> BoxFuture<'static, Seen>;

/// What a check saw; on the left of `?` what kept it from going on. Which of the two it is makes
/// no difference to the ladder: the finding's own state tells.
pub(super) type Verdict = Result<Finding, Box<Finding>>;

/// A finding, and what the rungs above may build on.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) finding: Finding,
    pub(super) lesson: Option<Lesson>,
}

impl Seen {
    pub(super) fn teaching(finding: Finding, lesson: Lesson) -> Self {
        Self { finding, lesson: Some(lesson) }
    }
}

impl From<Finding> for Seen {
    fn from(finding: Finding) -> Self {
        Self { finding, lesson: None }
    }
}

impl From<Verdict> for Seen {
    fn from(verdict: Verdict) -> Self {
        verdict.unwrap_or_else(|finding| *finding).into()
    }
}

impl From<Result<Seen, Box<Finding>>> for Seen {
    fn from(seen: Result<Seen, Box<Finding>>) -> Self {
        seen.unwrap_or_else(|finding| (*finding).into())
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("id", &self.id)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

// The id and the time taken are the ladder's to fill in.

pub(super) fn passed(summary: impl Into<String>) -> Finding {
    Finding::new("", State::Passed, summary)
}

pub(super) fn warned(summary: impl Into<String>) -> Finding {
    Finding::new("", State::Warned, summary)
}

pub(super) fn skipped(because: impl Into<String>) -> Finding {
    let because = because.into();
    Finding::new("", State::Skipped, format!("Not tried: {because}.")).because(because)
}

pub(super) fn failed(summary: impl Into<String>) -> Finding {
    Finding::new("", State::Failed, summary)
}

/// `summary` failed because OSS, or the way to it, said `error`; means and next step are those of
/// the error's own explanation.
pub(super) fn refused(summary: impl Into<String>, error: &Error) -> Finding {
    explained(failed(summary), error)
}

/// The same where an ordinary run of a pipeline does without.
pub(super) fn hampered(summary: impl Into<String>, error: &Error) -> Finding {
    explained(warned(summary), error)
}

fn explained(finding: Finding, error: &Error) -> Finding {
    if error.kind == Kind::Cancelled {
        return skipped(STOPPED);
    }
    let words = error.explain();
    with_answer(finding.because(words.meaning).next(words.next), error)
}

/// Why nothing more is tried after a cancel.
pub(super) const STOPPED: &str = "the diagnosis was stopped";

/// Adds what the server itself said.
pub(super) fn with_answer(finding: Finding, error: &Error) -> Finding {
    let shown = |text: &Option<String>| text.as_deref().map(|text| visible(text).into_string());
    let finding = match error.message.as_str() {
        "" => finding,
        message => finding.fact("answer", visible(message).into_string()),
    };
    if error.status.is_none() {
        return finding;
    }
    finding.error(ServerError {
        code: shown(&error.code),
        ec: shown(&error.ec),
        request_id: shown(&error.request_id),
        status: error.status,
    })
}

/// Whether a write that failed so may have happened all the same.
pub(super) fn may_have_happened(error: &Error) -> bool {
    match error.kind {
        Kind::Network(link) => matches!(link, Link::Timeout | Link::Closed),
        Kind::Cancelled => false,
        // 501: the server does not even know the call
        _ => error.status.is_none_or(|status| !(400..500).contains(&status) && status != 501),
    }
}
