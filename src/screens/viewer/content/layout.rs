//! Tables in columns, and structures as the lines they take.

use ratatui::style::Style;

use crate::base::visible::visible;
use crate::model::preview::{Structure, Table};
use crate::tui::theme::Theme;
use crate::tui::widget::text::{self, fit};

/// Cells a column of a table takes at most; the rest is cut off, and marked.
const WIDEST_COLUMN: usize = 40;
/// The same of what a name stands for.
const WIDEST_FACT: usize = 400;
/// Rows that say how wide the columns are.
const MEASURED: usize = 200;

/// One line of a structure.
#[derive(Debug)]
pub(super) enum Row {
    Blank,
    Title(String),
    Header(Vec<String>, Vec<usize>),
    Cells(Vec<String>, Vec<usize>),
}

impl Row {
    /// Cells it takes.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Blank => 0,
            Self::Title(title) => visible(title).width(),
            Self::Header(_, widths) | Self::Cells(_, widths) => {
                widths.iter().map(|width| width + 2).sum()
            }
        }
    }

    /// Its text and its style.
    pub(super) fn shown(&self, theme: &Theme) -> (String, Style) {
        match self {
            Self::Blank => (String::new(), Style::new()),
            Self::Title(title) => (visible(title).into_string(), theme.title()),
            Self::Header(names, widths) => (cells(names, widths, theme), theme.muted()),
            Self::Cells(row, widths) => (cells(row, widths, theme), Style::new()),
        }
    }
}

/// The lines of a structure, section by section.
pub(super) fn rows(structure: &Structure) -> Vec<Row> {
    let mut rows = Vec::new();
    for section in &structure.sections {
        if let Some(title) = &section.title {
            rows.push(Row::Blank);
            rows.push(Row::Title(title.clone()));
        }
        let table = &section.table;
        let most = if section.title.is_none() { WIDEST_FACT } else { WIDEST_COLUMN };
        let widths = widths_up_to(table, most);
        if !table.header.is_empty() {
            rows.push(Row::Header(table.header.clone(), widths.clone()));
        }
        rows.extend(table.rows.iter().map(|row| Row::Cells(row.clone(), widths.clone())));
    }
    rows
}

/// Cells that each column takes.
pub(super) fn widths(table: &Table) -> Vec<usize> {
    widths_up_to(table, WIDEST_COLUMN)
}

fn widths_up_to(Table { header, rows }: &Table, most: usize) -> Vec<usize> {
    let mut widths = Vec::new();
    for cells in std::iter::once(header).chain(rows.iter().take(MEASURED)) {
        for (column, cell) in cells.iter().enumerate() {
            let width = visible(cell).width().min(most);
            match widths.get_mut(column) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    widths
}

/// Cells side by side.
pub(super) fn cells(cells: &[String], widths: &[usize], theme: &Theme) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let cell = fit(visible(cell).as_str(), *width, theme);
        let gap = width + 2 - text::width(&cell);
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', gap));
    }
    line
}
