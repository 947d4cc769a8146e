//! Styled lines to read, scrolled as a whole; the lines are given when they are drawn.

use std::cell::Cell;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::tui::keymap::Move;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{fit_line, row};

/// How far lines are scrolled.
#[derive(Debug, Default)]
pub struct Lines {
    top: Cell<usize>,
    height: Cell<usize>,
}

impl Lines {
    /// Back to the first line.
    pub fn rewind(&mut self) {
        self.top.set(0);
    }

    /// Scrolls; the end is minded when it is drawn.
    pub fn act(&mut self, to: Move) {
        self.top.set(to.from(self.top.get(), self.height.get()));
    }

    /// Draws the part in sight; the last line does not scroll off the bottom. What comes from
    /// outside must have passed `visible`.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, lines: Vec<Line<'_>>) {
        let height = usize::from(area.height);
        self.height.set(height);
        let top = self.top.get().min(lines.len().saturating_sub(height));
        self.top.set(top);
        for (index, line) in lines.into_iter().skip(top).take(height).enumerate() {
            frame.render_widget(fit_line(line, usize::from(area.width), theme), row(area, index));
        }
    }
}
