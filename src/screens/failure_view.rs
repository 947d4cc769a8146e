//! A failure as every screen shows it: what, the server's own words, the next step.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::model::finding::ServerError;
use crate::ops::failure::{Failure, FailureKind};
use crate::tui::effect::Outcome;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::text::{line, row, width, wrap};

/// The lines of `failure`, each at most `room` cells: the summary after its sign, the server's
/// codes, and every hint after an arrow.
pub fn lines(failure: &Failure, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = marked(theme.sign(Tone::Bad), theme.bad(), &failure.summary, room);
    if let Some(said) = failure.error.as_deref().and_then(server_words) {
        lines.extend(marked(" ", theme.muted(), &said, room));
    }
    let arrow = if theme.ascii { ">" } else { "→" };
    for hint in &failure.hints {
        lines.extend(marked(arrow, theme.key(), hint, room));
    }
    lines
}

/// Draws `failure` from the top of `area`, as far as it fits.
pub fn view(frame: &mut Frame<'_>, area: Rect, theme: &Theme, failure: &Failure) {
    for (index, text) in lines(failure, usize::from(area.width), theme).into_iter().enumerate() {
        line(frame, row(area, index), text);
    }
}

/// Rows that `failure` takes in an area of `width` cells.
pub fn height(failure: &Failure, width: u16) -> usize {
    lines(failure, usize::from(width), &Theme::default()).len()
}

/// What an effect came to, its own end included: a fault or a refusal is a failure like others.
pub fn settled<T>(outcome: Outcome<Result<T, Failure>>) -> Result<T, Failure> {
    let kind = match &outcome {
        Outcome::Cancelled => FailureKind::Cancelled,
        _ => FailureKind::Conflict,
    };
    outcome.or_reason().map_err(|reason| Failure::new(kind, reason)).flatten()
}

/// `code NoSuchBucket · EC 0015-00000101 · HTTP 404 · request id …`, of what there is.
fn server_words(said: &ServerError) -> Option<String> {
    let part = |label: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{label} {}", visible(value)))
    };
    let parts = [
        part("code", &said.code),
        part("EC", &said.ec),
        said.status.map(|status| format!("HTTP {status}")),
        part("request id", &said.request_id),
    ];
    let words = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    (!words.is_empty()).then_some(words)
}

/// `text` wrapped behind `sign`, later lines indented under the first.
pub(super) fn marked(sign: &str, style: Style, text: &str, room: usize) -> Vec<Line<'static>> {
    let indent = width(sign) + 1;
    let wrapped = wrap(text, room.saturating_sub(indent)).into_iter().enumerate();
    wrapped
        .map(|(index, text)| {
            let sign = if index == 0 { format!("{sign} ") } else { " ".repeat(indent) };
            Line::from(vec![Span::styled(sign, style), Span::raw(text)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_the_server_said_and_what_to_do() {
        let mut failure = Failure::new(FailureKind::NotFound, "the bucket is not there")
            .hint("make it: m on the store, or choose another one");
        failure.error = Some(Box::new(ServerError {
            code: Some("NoSuch\u{1b}[31mBucket".into()),
            ec: Some("0015-00000101".into()),
            request_id: None,
            status: Some(404),
        }));
        let shown: Vec<String> =
            lines(&failure, 40, &Theme::default()).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "✗ the bucket is not there",
                "  code NoSuch\\u{1b}[31mBucket · EC",
                "  0015-00000101 · HTTP 404",
                "→ make it: m on the store, or choose",
                "  another one",
            ]
        );
    }

    #[test]
    fn an_effect_that_did_not_run_is_a_failure_too() {
        let refused: Outcome<Result<(), Failure>> = Outcome::Refused;
        assert!(settled(refused).unwrap_err().summary.contains("already running"));
        assert_eq!(settled(Outcome::Done(Ok(3))), Ok(3));
    }
}
