//! What can be done here and now, from the rows that dispatch.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::keymap::KeyRow;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{cells, width};

/// A hint and where it stands in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Its row in the table given.
    pub row: usize,
    /// Its first cell, from the left of the footer.
    pub x: u16,
    /// Cells it takes.
    pub width: u16,
    chord: String,
    words: &'static str,
}

/// Places the hints of `rows` in `room` cells; the rows from `always` on keep
/// their place at the end even where the others do not all fit. Drawing and
/// clicking both ask here.
pub fn layout(rows: &[KeyRow], always: usize, room: u16) -> Vec<Hint> {
    let mut hints: Vec<Hint> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.active && !row.quiet && !row.chords.is_empty())
        .map(|(index, row)| {
            let chord = row.shown();
            let width = cells(width(&chord) + 1 + width(row.hint));
            Hint { row: index, x: 0, width, chord, words: row.hint }
        })
        .collect();
    let fixed: u16 =
        hints.iter().filter(|hint| hint.row >= always).map(|hint| hint.width + 2).sum();
    let mut left = room.saturating_sub(1).saturating_sub(fixed);
    let mut full = false;
    hints.retain(|hint| {
        if hint.row >= always {
            return true;
        }
        full |= hint.width + 2 > left;
        left = left.saturating_sub(hint.width + 2);
        !full
    });
    let mut x = 1;
    for hint in &mut hints {
        hint.x = x;
        x += hint.width + 2;
    }
    hints.retain(|hint| hint.x + hint.width <= room);
    hints
}

/// Draws the hints of `rows` on the first line of `area`.
pub fn view(frame: &mut Frame<'_>, area: Rect, theme: &Theme, rows: &[KeyRow], always: usize) {
    if area.is_empty() {
        return;
    }
    for hint in layout(rows, always, area.width) {
        let x = area.x.saturating_add(hint.x);
        let room = usize::from(hint.width);
        let buffer = frame.buffer_mut();
        let (x, _) = buffer.set_stringn(x, area.y, &hint.chord, room, theme.key());
        let _end = buffer.set_stringn(
            x.saturating_add(1),
            area.y,
            hint.words,
            room.saturating_sub(width(&hint.chord) + 1),
            Style::new(),
        );
    }
}

/// The row of the hint under column `x` of the footer.
pub fn hit(rows: &[KeyRow], always: usize, area: Rect, x: u16) -> Option<usize> {
    let x = x.checked_sub(area.x)?;
    layout(rows, always, area.width)
        .into_iter()
        .find(|hint| (hint.x..hint.x + hint.width).contains(&x))
        .map(|hint| hint.row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::Chord;

    fn row(chord: &str, hint: &'static str, active: bool) -> KeyRow {
        let chords = Chord::parse(chord).into_iter().collect();
        KeyRow { screen: "x", command: hint.to_owned(), chords, hint, active, quiet: false }
    }

    #[test]
    fn the_last_hints_keep_their_place() {
        let rows = [
            row("enter", "browse", true),
            row("x", "never", false),
            row("n", "new", true),
            row("c", "check", true),
            row("?", "help", true),
        ];
        let words = |room| -> Vec<&str> {
            layout(&rows, 4, room).into_iter().map(|hint| hint.words).collect()
        };
        assert_eq!(words(80), ["browse", "new", "check", "help"]);
        assert_eq!(words(24), ["browse", "help"]);
        assert_eq!(words(9), ["help"]);
        assert_eq!(words(3), [] as [&str; 0]);
        let area = Rect::new(0, 23, 80, 1);
        assert_eq!(hit(&rows, 4, area, 1), Some(0));
        assert_eq!(hit(&rows, 4, area, 13), None, "between two hints");
        assert_eq!(hit(&rows, 4, area, 15), Some(2), "an inactive row has no place");
    }
}
