//! A selection and the part of a list that is on screen.
//!
//! Drawing takes `&self`, yet only drawing knows the height: the offset and
//! the last area live in cells here and nowhere else.

use std::cell::Cell;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use crate::tui::keymap::Move;

/// Which of many rows is selected, and which is the first on screen.
#[derive(Debug, Default)]
pub struct Scroll {
    selected: usize,
    offset: Cell<usize>,
    area: Cell<Rect>,
}

impl Scroll {
    /// The selected row; past the end when the list has shrunk, see [`Scroll::clamp`].
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Selects a row.
    pub fn select(&mut self, row: usize) {
        self.selected = row;
    }

    /// Keeps the selection inside a list of `len` rows.
    pub fn clamp(&mut self, len: usize) {
        self.selected = self.selected.min(len.saturating_sub(1));
    }

    /// Moves the selection in a list of `len` rows. Answers whether it moved.
    pub fn act(&mut self, to: Move, len: usize) -> bool {
        let before = self.selected;
        self.selected = to.from(before, usize::from(self.area.get().height));
        self.clamp(len);
        self.selected != before
    }

    /// The row under a click, in a list of `len` rows.
    pub fn row_at(&self, at: Position, len: usize) -> Option<usize> {
        let area = self.area.get();
        let row = self.offset.get() + usize::from(at.y.saturating_sub(area.y));
        (area.contains(at) && row < len).then_some(row)
    }

    /// A mouse event over a list of `len` rows: the wheel moves the selection, the left button
    /// selects. Answers whether a row was clicked.
    pub fn mouse(&mut self, mouse: MouseEvent, len: usize) -> bool {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => _ = self.act(Move::Up, len),
            MouseEventKind::ScrollDown => _ = self.act(Move::Down, len),
            MouseEventKind::Down(MouseButton::Left) => {
                let clicked = self.row_at(at, len);
                self.selected = clicked.unwrap_or(self.selected);
                return clicked.is_some();
            }
            _ => {}
        }
        false
    }

    /// For drawing `len` rows into `area`: the first row on screen, moved no
    /// more than it takes to keep the selection in sight.
    pub fn first_in(&self, area: Rect, len: usize) -> usize {
        self.first_with(area, len, self.selected)
    }

    /// The same for a list whose row to be kept in sight only drawing knows.
    pub fn first_with(&self, area: Rect, len: usize, kept: usize) -> usize {
        self.area.set(area);
        let height = usize::from(area.height).max(1);
        let kept = kept.min(len.saturating_sub(1));
        let lowest = (kept + 1).saturating_sub(height);
        let offset = self.offset.get().clamp(lowest, kept);
        let offset = offset.min(len.saturating_sub(height)).max(lowest);
        self.offset.set(offset);
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_stays_in_sight_and_the_view_moves_little() {
        let mut scroll = Scroll::default();
        let area = Rect::new(0, 2, 10, 4);
        assert_eq!(scroll.first_in(area, 10), 0);
        for _ in 0..4 {
            scroll.act(Move::Down, 10);
        }
        assert_eq!((scroll.selected(), scroll.first_in(area, 10)), (4, 1));
        scroll.act(Move::Up, 10);
        assert_eq!(scroll.first_in(area, 10), 1, "no need to move");
        scroll.act(Move::Last, 10);
        assert_eq!((scroll.selected(), scroll.first_in(area, 10)), (9, 6));
        assert_eq!(scroll.row_at(Position::new(3, 3), 10), Some(7));
        assert_eq!(scroll.row_at(Position::new(3, 9), 10), None);
        assert_eq!(scroll.first_in(area, 2), 0, "a list that shrank");
        assert_eq!(scroll.first_in(Rect::default(), 0), 0);
    }
}
