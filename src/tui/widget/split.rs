//! Panes side by side, each in its frame.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Block;

use crate::tui::theme::Theme;
use crate::tui::widget::text::{fit, fit_end, width};

/// A list at the left and its detail at the right. Where both do not fit, the
/// focused one has all the room: `second` says that this is the right one.
pub fn panes(area: Rect, percent: u16, least: u16, second: bool) -> [Rect; 2] {
    let none = Rect { width: 0, height: 0, ..area };
    if area.width < least.saturating_mul(2) {
        return if second { [none, area] } else { [area, none] };
    }
    let left = Constraint::Length((area.width.saturating_mul(percent) / 100).max(least));
    Layout::horizontal([left, Constraint::Fill(1)]).areas(area)
}

/// Draws a frame with a title and answers the room inside it. What comes from
/// outside must have passed `visible`.
pub fn pane(frame: &mut Frame<'_>, area: Rect, theme: &Theme, title: &str, focused: bool) -> Rect {
    let title = fit(title, usize::from(area.width.saturating_sub(4)), theme);
    framed(frame, area, theme, &title, "", focused)
}

/// The same with a path at the left of the top line and a count at its right. Where both do not
/// fit, the path loses its beginning: its end tells where one is.
pub fn counted_pane(
    frame: &mut Frame<'_>,
    area: Rect,
    theme: &Theme,
    (path, count): (&str, &str),
    focused: bool,
) -> Rect {
    let room = usize::from(area.width.saturating_sub(4));
    let count = fit(count, room, theme);
    let taken = if count.is_empty() { 0 } else { width(&count) + 3 };
    let path = fit_end(path, room.saturating_sub(taken), theme);
    framed(frame, area, theme, &path, &count, focused)
}

fn framed(
    frame: &mut Frame<'_>,
    area: Rect,
    theme: &Theme,
    left: &str,
    right: &str,
    focused: bool,
) -> Rect {
    let mut block = Block::bordered().border_set(theme.lines()).border_style(theme.border(focused));
    if !left.is_empty() {
        block = block.title(Line::styled(format!(" {left} "), theme.title()));
    }
    if !right.is_empty() {
        block = block.title(Line::raw(format!(" {right} ")).right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// A window of at most `width` and `height` in the middle of `area`.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x.saturating_add((area.width - width) / 2),
        y: area.y.saturating_add((area.height - height) / 2),
        width,
        height,
    }
}
