//! One rung: what it is called, what it stands on, and how it says what it saw.

use std::fmt;

use futures_util::future::BoxFuture;

use super::case::Case;
use crate::base::visible::visible;
use crate::model::finding::{Finding, ServerError, State};
use crate::oss::{Error, Kind, Link};

/// One rung of the ladder.
#[derive(Clone, Copy)]
pub struct Check {
    /// Stable, kebab-case: `bucket-region`. Scripts read it.
    pub id: &'static str,
    /// As screens show it: `bucket is in this region`.
    pub title: &'static str,
    /// Ids of the checks that must not have failed.
    pub needs: &'static [&'static str],
    pub(super) run: Run,
}

/// Asks, and says what it saw. May be dropped at any await: what it leaves in the bucket it
/// announces beforehand to [`Case::traces`].
pub(super) type Run = for<'a> fn(&'a mut Case) -> BoxFuture<'a, Verdict>;

/// What a check saw; on the left of `?` what kept it from going on. Which of the two it is makes
/// no difference to the ladder: the finding's own state tells.
pub(super) type Verdict = Result<Finding, Box<Finding>>;

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
    let explained = error.explain();
    let finding = failed(summary).because(explained.meaning).next(explained.next);
    with_answer(finding, error)
}

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
        _ => error.status.is_none_or(|status| !(400..500).contains(&status)),
    }
}
