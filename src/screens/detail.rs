//! Labelled values, as the panes beside a list show them.

use ratatui::text::{Line, Span};

use crate::tui::theme::Theme;
use crate::tui::widget::text::{width, wrap};

/// Each value behind its label, in lines of at most `room` cells. What comes from outside must
/// have passed `visible`.
pub(super) fn fields(rows: &[(&str, String)], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let labels = rows.iter().map(|(label, _)| width(label)).max().unwrap_or(0) + 1;
    rows.iter().flat_map(|(label, value)| field(label, value, labels, room, theme)).collect()
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
