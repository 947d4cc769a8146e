//! Lines to choose from: a table of one column.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::tui::theme::Theme;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::table::{Column, Row, Table};

/// How a list looks; its lines are given when it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct List<'a>(Table<'a>);

impl<'a> List<'a> {
    /// A list that says `empty` when it has no lines.
    pub const fn new(empty: &'a str) -> Self {
        const ONE: &[Column<'static>] = &[Column::new("", Constraint::Fill(1))];
        Self(Table::new(ONE).empty(empty))
    }

    /// Whether keys act on it now.
    #[must_use]
    pub const fn focused(self, focused: bool) -> Self {
        Self(self.0.focused(focused))
    }

    /// Draws `len` lines; `build` is asked for those on screen alone.
    pub fn view<'r>(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        theme: &Theme,
        scroll: &Scroll,
        len: usize,
        build: impl Fn(usize) -> Line<'r>,
    ) {
        self.0.view(frame, area, theme, scroll, len, |index| Row::new([build(index)]));
    }
}
