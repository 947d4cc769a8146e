//! How far something is, in one line.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::theme::Theme;
use crate::tui::widget::text::{cells, fit_line, line, width};

/// Draws a bar for `done` of `total`, with `label` after it. Without a total
/// there is no bar: nothing is made up.
pub fn gauge(
    frame: &mut Frame<'_>,
    area: Rect,
    theme: &Theme,
    done: u64,
    total: Option<u64>,
    label: &str,
) {
    let room = area.width.saturating_sub(cells(width(label))).saturating_sub(8).min(40);
    let mut spans = Vec::new();
    if let Some(total) = total.filter(|total| *total > 0) {
        let done = u128::from(done.min(total));
        let part = |of: u128| usize::try_from(done * of / u128::from(total)).unwrap_or(0);
        let full = part(u128::from(room));
        let (on, off) = if theme.ascii { ("#", "-") } else { ("█", "░") };
        spans.push(Span::styled(on.repeat(full), theme.ok()));
        spans.push(Span::styled(off.repeat(usize::from(room) - full), theme.muted()));
        spans.push(Span::raw(format!(" {:>3} % ", part(100))));
    }
    spans.push(Span::raw(label.to_owned()));
    line(frame, area, fit_line(Line::from(spans), usize::from(area.width), theme));
}
