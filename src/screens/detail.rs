//! Labelled values, as the panes beside a list show them.

use ratatui::text::{Line, Span};

use crate::tui::theme::Theme;
use crate::tui::widget::text::{width, wrap};

/// Each value behind its label, in lines of at most `room` cells. What comes from outside must
/// have passed `visible`.
pub(super) fn fields<L: AsRef<str>>(
    rows: &[(L, String)],
    room: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let labels = rows.iter().map(|(label, _)| width(label.as_ref())).max().unwrap_or(0) + 1;
    let lines = rows.iter().map(|(label, value)| field(label.as_ref(), value, labels, room, theme));
    lines.flatten().collect()
}

fn field(
    label: &str,
    value: &str,
    labels: usize,
    room: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let wrapped = wrap(value, room.saturating_sub(labels)).into_iter().enumerate();
    wrapped
        .map(|(index, text)| {
            let label = if index == 0 { label } else { "" };
            let label = Span::styled(format!("{label:labels$}"), theme.muted());
            Line::from(vec![label, Span::raw(text)])
        })
        .collect()
}
