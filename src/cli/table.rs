//! Columns that line up by the cells a text takes on a terminal.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::output::Paint;
use crate::base::visible::visible;

/// Between two columns.
const GAP: &str = "  ";

/// Rows under a title.
#[derive(Clone, Debug, Default)]
pub struct Table {
    title: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

/// One cell: text that may be shown, and its colour.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    paint: Option<Paint>,
    right: bool,
}

impl Cell {
    /// Text of our own.
    pub fn own(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Text from outside.
    pub fn outside(text: &str) -> Self {
        Self::own(visible(text).into_string())
    }

    /// A number: at the right end of its column.
    pub fn number(text: impl Into<String>) -> Self {
        Self { right: true, ..Self::own(text) }
    }

    /// The same in a colour.
    #[must_use]
    pub fn paint(mut self, paint: Paint) -> Self {
        self.paint = Some(paint);
        self
    }
}

impl Table {
    /// An empty table under `title`; without one the rows stand alone.
    pub fn new(title: &[&str]) -> Self {
        let title = title.iter().map(|word| Cell::own(*word).paint(Paint::Strong)).collect();
        Self { title, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, without blanks at their ends.
    pub fn lines(&self, colors: bool) -> Vec<String> {
        let title = (!self.title.is_empty()).then_some(&self.title);
        let rows: Vec<&Vec<Cell>> = title.into_iter().chain(&self.rows).collect();
        let columns = rows.iter().map(|row| row.len()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| width(&cell.text)).max().unwrap_or_default()
            })
            .collect();
        rows.iter().map(|row| line(row, &widths, colors)).collect()
    }
}

fn line(row: &[Cell], widths: &[usize], colors: bool) -> String {
    let mut out = String::new();
    // blanks are written before the next text only, so that none stands at the end
    let mut owed = String::new();
    for (cell, wanted) in row.iter().zip(widths) {
        let pad = " ".repeat(wanted.saturating_sub(width(&cell.text)));
        if cell.right {
            owed.push_str(&pad);
        }
        if !cell.text.is_empty() {
            out.push_str(&owed);
            owed.clear();
            match cell.paint {
                Some(paint) => out.push_str(&paint.on(&cell.text, colors)),
                None => out.push_str(&cell.text),
            }
        }
        if !cell.right {
            owed.push_str(&pad);
        }
        owed.push_str(GAP);
    }
    out
}

/// The cells `text` takes, cluster by cluster.
fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_cells_and_hold_no_control_character() {
        let mut table = Table::new(&["NAME", "CITY", "BYTES"]);
        table.row([Cell::own("a"), Cell::own("杭州"), Cell::number("7")]);
        table.row([Cell::outside("b\u{1b}[2J"), Cell::own("Bonn"), Cell::number("1,000")]);
        table.row([Cell::own("c")]);
        assert_eq!(
            table.lines(false),
            ["NAME        CITY  BYTES", "a           杭州      7", "b\\u{1b}[2J  Bonn  1,000", "c",]
        );
        assert!(table.lines(true).iter().any(|line| line.starts_with("\u{1b}[1mNAME")));
    }
}
