//! Rows under a header; only the rows on screen are built.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::theme::Theme;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::text::{cells, fit_line, row};

/// Cells for the mark of the selection and of picked rows.
const MARK: u16 = 2;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    title: &'a str,
    width: Constraint,
    alignment: Alignment,
}

impl<'a> Column<'a> {
    /// A column whose cells start at the left.
    pub const fn new(title: &'a str, width: Constraint) -> Self {
        Self { title, width, alignment: Alignment::Left }
    }

    /// Its cells end at the right: for numbers.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.alignment = Alignment::Right;
        self
    }
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Row<'a> {
    cells: Vec<Line<'a>>,
    picked: bool,
    style: Style,
}

impl<'a> Row<'a> {
    /// A row of these cells. What comes from outside must have passed `visible`.
    pub fn new<T: Into<Line<'a>>>(cells: impl IntoIterator<Item = T>) -> Self {
        let cells = cells.into_iter().map(Into::into).collect();
        Self { cells, picked: false, style: Style::new() }
    }

    /// Belongs to a selection of several rows.
    #[must_use]
    pub fn picked(mut self, picked: bool) -> Self {
        self.picked = picked;
        self
    }

    /// The style of the whole row.
    #[must_use]
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

/// How a table looks; its rows are given when it is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    columns: &'a [Column<'a>],
    focused: bool,
    empty: &'a str,
}

impl<'a> Table<'a> {
    /// A table of these columns. Without a title in any there is no header.
    pub const fn new(columns: &'a [Column<'a>]) -> Self {
        Self { columns, focused: true, empty: "" }
    }

    /// Whether keys act on it now.
    #[must_use]
    pub const fn focused(mut self, focused: bool) -> Self {
        self.focused = focused;
        self
    }

    /// What is said in place of rows when there are none: say what to do.
    #[must_use]
    pub const fn empty(mut self, text: &'a str) -> Self {
        self.empty = text;
        self
    }

    /// Draws `len` rows; `build` is asked for those on screen alone.
    pub fn view<'r>(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        theme: &Theme,
        scroll: &Scroll,
        len: usize,
        build: impl Fn(usize) -> Row<'r>,
    ) {
        let mut body = area;
        if self.columns.iter().any(|column| !column.title.is_empty()) {
            let titles = self.columns.iter().map(|column| Line::from(column.title));
            self.draw(frame, row(area, 0), theme, Row::new(titles).style(theme.title()));
            body.y = body.y.saturating_add(1);
            body.height = body.height.saturating_sub(1);
        }
        let first = scroll.first_in(body, len);
        if body.is_empty() {
            return;
        }
        if len == 0 {
            let text = Line::styled(self.empty, theme.muted());
            frame.render_widget(fit_line(text, usize::from(body.width), theme), row(body, 0));
            return;
        }
        for (line, index) in (first..len).take(usize::from(body.height)).enumerate() {
            let place = row(body, line);
            let content = build(index);
            let selected = index == scroll.selected();
            let mark = match (selected, content.picked) {
                (true, _) => theme.mark(),
                (false, true) => theme.picked(),
                (false, false) => "",
            };
            self.draw(frame, place, theme, content);
            frame.buffer_mut().set_stringn(
                place.x,
                place.y,
                mark,
                usize::from(place.width),
                Style::new(),
            );
            if selected {
                let style =
                    if self.focused { theme.selected() } else { theme.selected_elsewhere() };
                frame.buffer_mut().set_style(place, style);
                if self.focused {
                    frame.set_cursor_position(Position::new(place.x, place.y));
                }
            }
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, place: Rect, theme: &Theme, row: Row<'_>) {
        if place.is_empty() {
            return;
        }
        let mark = MARK.min(place.width);
        let inner = Rect { x: place.x.saturating_add(mark), width: place.width - mark, ..place };
        let widths = self.columns.iter().map(|column| column.width);
        let places = Layout::horizontal(widths).spacing(1).split(inner);
        frame.buffer_mut().set_style(place, row.style);
        for ((cell, column), place) in row.cells.into_iter().zip(self.columns).zip(places.iter()) {
            let cell = fit_line(cell, usize::from(place.width), theme);
            frame.render_widget(cell.alignment(column.alignment), *place);
        }
    }
}

/// The widest of `texts` as a fixed width of at most `limit` cells.
pub fn widest<'a>(texts: impl IntoIterator<Item = &'a str>, limit: u16) -> Constraint {
    let widest = texts.into_iter().map(super::text::width).max().unwrap_or(0);
    Constraint::Length(cells(widest).min(limit))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::tui::keymap::Move;

    const COLUMNS: &[Column<'_>] = &[
        Column::new("key", Constraint::Fill(1)),
        Column::new("size", Constraint::Length(6)).right(),
    ];

    #[test]
    fn only_rows_on_screen_are_built() {
        let mut terminal = Terminal::new(TestBackend::new(24, 4)).unwrap();
        let mut scroll = Scroll::default();
        let asked = Cell::new(0);
        let mut draw = |scroll: &Scroll| {
            asked.set(0);
            let build = |index: usize| {
                asked.set(asked.get() + 1);
                Row::new([format!("a-rather-long-key-{index}"), index.to_string()])
                    .picked(index.is_multiple_of(2))
            };
            let table = Table::new(COLUMNS);
            terminal
                .draw(|frame| {
                    table.view(frame, frame.area(), &Theme::default(), scroll, 1_000_000, build);
                })
                .unwrap();
            assert_eq!(asked.get(), 3);
            terminal.backend().to_string()
        };
        insta::assert_snapshot!(draw(&scroll), @r#"
        "  key               size"
        "▸ a-rather-long-…      0"
        "  a-rather-long-…      1"
        "▪ a-rather-long-…      2"
        "#);
        scroll.act(Move::Last, 1_000_000);
        assert!(draw(&scroll).contains("▸ a-rather-long-… 999999"));
    }

    #[test]
    fn an_empty_table_says_what_to_do() {
        let mut terminal = Terminal::new(TestBackend::new(24, 2)).unwrap();
        let table = Table::new(COLUMNS).empty("n makes the first");
        let draw = |frame: &mut Frame<'_>| {
            let area = frame.area();
            table.view(frame, area, &Theme::PLAIN, &Scroll::default(), 0, |_| Row::default());
        };
        terminal.draw(draw).unwrap();
        assert!(terminal.backend().to_string().contains("n makes the first"));
    }
}
