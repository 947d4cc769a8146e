//! What an object's first bytes look like, in the viewer and in the browser's preview pane.

mod layout;
mod picture;
mod tree;

use std::cell::Cell;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::base::units;
use crate::base::visible::visible;
use crate::model::preview::{Content, Document, Level, PassageKind, Preview, Record, Structure};
use crate::tui::keymap::Move;
use crate::tui::pictures::{Hole, Placed};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::text::{self, fit_line, row, rows_below};

use self::layout::{Row, cells, widths};
use self::tree::Tree;

/// Cells of one step to the side.
const STEP: usize = 8;

/// A preview being read: how far it is scrolled, and which levels of a log are shown.
#[derive(Debug)]
pub struct Reading {
    preview: Preview,
    /// Cells that each column of a table takes.
    widths: Vec<usize>,
    /// The lines of a structure.
    rows: Vec<Row>,
    /// What is folded of a JSON document.
    tree: Option<Tree>,
    /// Keys move a cursor in a document; else they scroll it.
    has_cursor: bool,
    least: Option<Level>,
    /// Which records of a log are shown.
    picked: Vec<usize>,
    top: Cell<usize>,
    left: usize,
    height: Cell<usize>,
    /// Left blank for the picture when it was drawn last.
    hole: Cell<Option<Hole>>,
}

impl Reading {
    /// `preview` from its beginning.
    pub fn new(preview: Preview) -> Self {
        let mut reading = Self {
            widths: match &preview.content {
                Content::Table(table) => widths(table),
                _ => Vec::new(),
            },
            rows: match &preview.content {
                Content::Structure(structure) => layout::rows(structure),
                _ => Vec::new(),
            },
            tree: match &preview.content {
                Content::Json(document) => Some(Tree::new(document)),
                _ => None,
            },
            has_cursor: false,
            preview,
            least: None,
            picked: Vec::new(),
            top: Cell::new(0),
            left: 0,
            height: Cell::new(0),
            hole: Cell::new(None),
        };
        reading.pick();
        reading
    }

    /// With a cursor, where lines fold.
    #[must_use]
    pub fn with_cursor(self) -> Self {
        Self { has_cursor: true, ..self }
    }

    /// More of the same object: place and levels stay.
    pub fn extend(&mut self, preview: Preview) {
        let (least, top, left) = (self.least, self.top.get(), self.left);
        *self = Self { least, left, has_cursor: self.has_cursor, ..Self::new(preview) };
        self.top.set(top);
        self.pick();
    }

    /// Whether there is more of it than was read.
    pub fn is_cut(&self) -> bool {
        self.preview.read < self.preview.total
    }

    /// Whether there would be more to see if more of it were read.
    pub fn may_grow(&self) -> bool {
        self.is_cut() && !self.preview.is_full
    }

    /// Whether records have levels to choose from.
    pub fn has_levels(&self) -> bool {
        match &self.preview.content {
            Content::Records(records) => records.iter().any(|record| record.level.is_some()),
            _ => false,
        }
    }

    /// Shows the levels from the next one up, and after the last one all.
    pub fn next_level(&mut self) {
        self.least = match self.least {
            None | Some(Level::Debug) => Some(Level::Info),
            Some(Level::Info) => Some(Level::Warning),
            Some(Level::Warning) => Some(Level::Error),
            Some(Level::Error | Level::Critical) => None,
        };
        self.pick();
        self.top.set(0);
    }

    /// Whether lines fold.
    pub fn is_tree(&self) -> bool {
        self.tree.is_some()
    }

    /// Folds or unfolds what the cursor stands on.
    pub fn toggle(&mut self) {
        if let Some((tree, document)) = self.folding() {
            tree.toggle(document);
        }
    }

    /// Unfolds all of it, or folds it as it was at first.
    pub fn toggle_all(&mut self) {
        if let Some((tree, document)) = self.folding() {
            tree.toggle_all(document);
        }
    }

    fn folding(&mut self) -> Option<(&mut Tree, &Document)> {
        match (&mut self.tree, &self.preview.content) {
            (Some(tree), Content::Json(document)) => Some((tree, document)),
            _ => None,
        }
    }

    /// Moves the cursor where there is one, and scrolls else; the end is minded when it is drawn.
    pub fn act(&mut self, to: Move) {
        let page = self.height.get();
        if let Some(tree) = self.tree.as_mut().filter(|_| self.has_cursor) {
            tree.cursor = to.from(tree.cursor, page).min(tree.len().saturating_sub(1));
            return;
        }
        self.top.set(to.from(self.top.get(), self.height.get()));
    }

    /// Unfolds what is folded; else scrolls to the right.
    pub fn right(&mut self) {
        if let Some((tree, document)) = self.folding()
            && tree.unfold(document)
        {
            return;
        }
        self.left = self.left.saturating_add(STEP).min(self.widest());
    }

    /// Scrolls back; where that is done folds, or goes to what a line lies in.
    pub fn left(&mut self) {
        if self.left == 0
            && let Some((tree, document)) = self.folding()
        {
            return tree.fold(document);
        }
        self.left = self.left.saturating_sub(STEP);
    }

    /// `JSON Lines · 3.2 KiB`, `CSV · first 256.0 KiB of 12.0 MiB`.
    pub fn heading(&self) -> String {
        let kind = match &self.preview.content {
            Content::Empty => "empty",
            Content::Text(_) | Content::Prose(_) => "text",
            Content::Json(_) => "JSON",
            Content::Records(_) => "JSON Lines",
            Content::Table(_) => "table",
            Content::Hex(_) => "bytes",
            Content::Structure(structure) => structure.form,
        };
        let total = units::bytes(self.preview.total);
        let size = if self.is_cut() && matches!(self.preview.content, Content::Structure(_)) {
            format!("{} read of {total}", units::bytes(self.preview.read))
        } else if self.is_cut() {
            format!("first {} of {total}", units::bytes(self.preview.read))
        } else {
            total
        };
        let levels = match self.least {
            None => String::new(),
            Some(level) => {
                let all = self.len();
                format!(" · {} and up: {} of {all}", level.as_str(), self.picked.len())
            }
        };
        format!("{kind} · {size}{levels}")
    }

    /// Draws note and content.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let mut head: Vec<Line<'_>> = Vec::new();
        if let Some(note) = &self.preview.note {
            let text = format!("{} {}", theme.sign(Tone::Neutral), visible(note));
            let lines = text::wrap(&text, usize::from(area.width));
            head.extend(lines.into_iter().map(Line::raw));
        }
        if let Content::Table(table) = &self.preview.content {
            let header = cells(&table.header, &self.widths, theme);
            head.push(Line::styled(past(&header, self.left), theme.title()));
        }
        if matches!(self.preview.content, Content::Empty) {
            head.push(Line::raw("The object is empty: it has no bytes."));
        }
        for (index, line) in head.iter().enumerate() {
            let line = fit_line(line.clone(), usize::from(area.width), theme);
            frame.render_widget(line, row(area, index));
        }
        let body = rows_below(area, head.len());
        let height = usize::from(body.height);
        self.height.set(height);
        let len = if self.least.is_some() { self.picked.len() } else { self.len() };
        let mut top = self.top.get().min(len.saturating_sub(height));
        let cursor = self.tree.as_ref().filter(|_| self.has_cursor).map(|tree| tree.cursor);
        if let Some(cursor) = cursor {
            // moved no more than it takes to keep the cursor in sight
            top = top.clamp((cursor + 1).saturating_sub(height), cursor);
        }
        self.top.set(top);
        if let Content::Structure(Structure { pixels: Some(pixels), .. }) = &self.preview.content {
            self.hole.set(picture::draw(frame, rows_below(body, len + 1), pixels, theme));
        }
        for (place, index) in (top..len).take(height).enumerate() {
            let index = match self.least {
                Some(_) => self.picked.get(place + top).copied(),
                None => Some(index),
            };
            let line = index.map(|index| self.line(index, usize::from(body.width), theme));
            let mut line = line.unwrap_or_default();
            if cursor == Some(top + place) {
                line = line.style(theme.selected());
            }
            frame.render_widget(line, row(body, place));
        }
    }

    /// The picture, where a hole was left for it.
    pub fn picture(&self) -> Option<Placed> {
        let hole = self.hole.get()?;
        match &self.preview.content {
            Content::Structure(Structure { pixels: Some(pixels), .. }) => {
                Some(Placed { pixels: Arc::clone(pixels), hole })
            }
            _ => None,
        }
    }

    fn len(&self) -> usize {
        match &self.preview.content {
            Content::Empty => 0,
            Content::Text(lines) | Content::Hex(lines) => lines.len(),
            Content::Json(_) => self.tree.as_ref().map_or(0, Tree::len),
            Content::Records(records) => records.len(),
            Content::Table(table) => table.rows.len(),
            Content::Structure(_) => self.rows.len(),
            Content::Prose(passages) => passages.len(),
        }
    }

    fn pick(&mut self) {
        if let (Some(least), Content::Records(records)) = (self.least, &self.preview.content) {
            let picked = records.iter().enumerate();
            let picked = picked.filter(|(_, record)| record.level >= Some(least));
            self.picked = picked.map(|(index, _)| index).collect();
        }
    }

    /// How far to the side there may be something.
    fn widest(&self) -> usize {
        match &self.preview.content {
            Content::Empty => 0,
            // every byte of a line may be spelled out in ten cells
            Content::Json(document) => document.widest() * 10,
            Content::Text(lines) | Content::Hex(lines) => {
                lines.iter().map(String::len).max().unwrap_or(0) * 10
            }
            Content::Records(records) => {
                records.iter().map(|record| record.text.len()).max().unwrap_or(0) * 10
            }
            Content::Table(_) => self.widths.iter().map(|width| width + 2).sum(),
            Content::Structure(_) => self.rows.iter().map(Row::width).max().unwrap_or(0),
            Content::Prose(passages) => {
                passages.iter().map(|passage| passage.text.len()).max().unwrap_or(0) * 10
            }
        }
    }

    fn line(&self, index: usize, room: usize, theme: &Theme) -> Line<'static> {
        let line = match &self.preview.content {
            Content::Empty => None,
            Content::Hex(lines) => lines.get(index).map(|line| Line::raw(past(line, self.left))),
            Content::Json(document) => self.tree.as_ref().map(|tree| {
                let stretch = |text: &str| self.stretch(text, room).to_owned();
                shifted(tree.row(document, index, theme, stretch).spans, self.left)
            }),
            Content::Text(lines) => {
                lines.get(index).map(|line| spelled(self.stretch(line, room), self.left, theme))
            }
            Content::Records(records) => {
                records.get(index).map(|record| self.record(record, room, theme))
            }
            Content::Table(table) => table
                .rows
                .get(index)
                .map(|row| Line::raw(past(&cells(row, &self.widths, theme), self.left))),
            Content::Structure(_) => self.rows.get(index).map(|row| {
                let (text, style) = row.shown(theme);
                Line::styled(past(&text, self.left), style)
            }),
            Content::Prose(passages) => passages.get(index).map(|passage| {
                let line = spelled(self.stretch(&passage.text, room), self.left, theme);
                match passage.kind {
                    PassageKind::Text => line,
                    PassageKind::Heading => line.style(theme.title()),
                    PassageKind::Code | PassageKind::Quote => line.style(theme.muted()),
                }
            }),
        };
        fit_line(line.unwrap_or_default(), room, theme)
    }

    /// The part of a line that can be in sight: a line may be a megabyte long, and a character
    /// takes no cell at the least.
    fn stretch<'a>(&self, line: &'a str, room: usize) -> &'a str {
        let end = line.char_indices().nth((self.left + room + 1) * 4);
        end.and_then(|(end, _)| line.get(..end)).unwrap_or(line)
    }

    fn record(&self, record: &Record, room: usize, theme: &Theme) -> Line<'static> {
        let mut spans = Vec::new();
        if let Some(level) = record.level {
            let tone = match level {
                Level::Debug | Level::Info => Tone::Neutral,
                Level::Warning => Tone::Warning,
                Level::Error | Level::Critical => Tone::Bad,
            };
            let word = format!("{} {:5} ", theme.sign(tone), level.as_str());
            spans.push(Span::styled(word, theme.tone(tone)));
        }
        if let Some(time) = &record.time {
            spans.push(Span::styled(format!("{} ", visible(time)), theme.muted()));
        }
        // the message alone moves to the side
        let text = record.text.replace('\n', " ");
        spans.extend(spelled(self.stretch(&text, room), self.left, theme).spans);
        Line::from(spans)
    }
}

/// `text` without its first `cells` cells; half of a wide character becomes a blank.
fn past(text: &str, cells: usize) -> String {
    let mut left = cells;
    let mut rest = String::new();
    for cluster in text.graphemes(true) {
        let width = text::width(cluster);
        if left == 0 {
            rest.push_str(cluster);
        } else if width > left {
            rest.extend(std::iter::repeat_n(' ', width - left));
            left = 0;
        } else {
            left -= width;
        }
    }
    rest
}

/// A line of a text with what a terminal would act on spelled out in reverse, `left` cells cut
/// off. Indentation stays as it is: blanks as blanks, a tab as an arrow to the next of four. So
/// does a backslash, since what stands for something else is told by its style.
fn spelled(line: &str, left: usize, theme: &Theme) -> Line<'static> {
    let body = line.trim_start_matches([' ', '\t']);
    let indent = line.strip_suffix(body).unwrap_or_default();
    let tab = if theme.ascii { ">   " } else { "→   " };
    let mut spans = Vec::new();
    for blank in indent.chars() {
        spans.push(if blank == '\t' { Span::styled(tab, theme.muted()) } else { Span::raw(" ") });
    }
    let body = body.trim_end_matches(' ');
    for (segment, stands_for) in visible(body).segments() {
        spans.push(match (segment, stands_for) {
            ("\\\\", _) => Span::raw("\\"),
            (segment, true) => Span::styled(segment.to_owned(), theme.spelled()),
            (segment, false) => Span::raw(segment.to_owned()),
        });
    }
    shifted(spans, left)
}

/// The spans without their first `left` cells.
fn shifted(spans: Vec<Span<'static>>, mut left: usize) -> Line<'static> {
    let mut rest: Vec<Span<'static>> = Vec::new();
    for span in spans {
        let width = span.width();
        if left == 0 {
            rest.push(span);
        } else if width > left {
            rest.push(Span::styled(past(&span.content, left), span.style));
            left = 0;
        } else {
            left -= width;
        }
    }
    Line::from(rest)
}

/// A name with what a terminal would act on spelled out in reverse: for keys and prefixes, where
/// two different ones never look the same.
pub fn name_spans(name: &str, style: Style, theme: &Theme) -> Vec<Span<'static>> {
    let name = visible(name);
    let span = |(segment, stands_for): (&str, bool)| {
        let style = if stands_for { style.patch(theme.spelled()) } else { style };
        Span::styled(segment.to_owned(), style)
    };
    name.segments().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preview::{Next, Reader};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Cell;

    fn read(key: &str, bytes: &[u8]) -> Reading {
        Reading::new(preview(key, bytes, bytes.len() as u64))
    }

    fn preview(key: &str, bytes: &[u8], total: u64) -> Preview {
        match Reader::new(key, bytes.to_vec().into(), total, 0).look() {
            Next::Show(preview) => preview,
            need @ Next::Need { .. } => panic!("{need:?}"),
        }
    }

    fn drawn(reading: &Reading, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| reading.view(frame, frame.area(), &Theme::default())).unwrap();
        let buffer = terminal.backend().buffer();
        let rows = buffer.content().chunks(usize::from(width));
        rows.map(|row| row.iter().map(Cell::symbol).collect::<String>())
            .map(|row| row.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn indentation_stays_and_controls_are_spelled() {
        let reading = read("a.txt", b"\tif x:\n  a\x1b[31mb C:\\x\n");
        assert_eq!(drawn(&reading, 30, 2), ["→   if x:", "  a\\u{1b}[31mb C:\\x"]);
    }

    #[test]
    fn a_document_folds_and_the_cursor_stays_in_sight() {
        let text = br#"{"a":{"b":[1,2,{"c":3}],"d":{"e":1}},"f":[]}"#;
        let mut reading = read("a.json", text).with_cursor();
        let first = [
            "▾ {",
            "  ▾ \"a\": {",
            "    ▸ \"b\": […] 3 items",
            "    ▸ \"d\": {…} 1 member",
            "    },",
            "    \"f\": []",
            "  }",
        ];
        assert_eq!(drawn(&reading, 30, 7), first);
        let enter = |reading: &mut Reading, moves: &[Move]| {
            for to in moves {
                reading.act(*to);
            }
            reading.toggle();
        };
        enter(&mut reading, &[Move::Down, Move::Down]);
        let open =
            ["    ▾ \"b\": [", "        1,", "        2,", "      ▸ {…} 1 member", "      ],"];
        assert_eq!(drawn(&reading, 30, 8)[2..7], open);
        // from within to what it lies in, and the closing line folds what it closes
        reading.act(Move::Down);
        reading.left();
        reading.left();
        assert_eq!(drawn(&reading, 30, 7), first);
        reading.right();
        for to in [Move::Last, Move::Up, Move::Up] {
            reading.act(to);
        }
        reading.left();
        assert_eq!(drawn(&reading, 30, 3)[1..], ["  ▸ \"a\": {…} 2 members", "    \"f\": []"]);
        // all of it, and as it was at first
        reading.toggle_all();
        assert_eq!(drawn(&reading, 30, 20).iter().filter(|row| row.contains('▸')).count(), 0);
        reading.act(Move::Last);
        assert_eq!(drawn(&reading, 30, 2), ["    \"f\": []", "  }"]);
        reading.toggle_all();
        assert_eq!(drawn(&reading, 30, 7), first);
    }

    #[test]
    fn a_table_keeps_its_header_and_moves_to_the_side() {
        let mut reading = read("t.csv", b"name,value\nalpha,1\nb,22\nc,3\n");
        assert_eq!(drawn(&reading, 20, 3), ["name   value", "alpha  1", "b      22"]);
        reading.act(Move::Last);
        assert_eq!(drawn(&reading, 20, 2), ["name   value", "c      3"]);
        reading.right();
        assert_eq!(drawn(&reading, 20, 2), ["alue", ""]);
        reading.left();
        assert_eq!(drawn(&reading, 20, 1), ["name   value"]);
    }

    #[test]
    fn a_log_is_narrowed_by_level() {
        let line = |level: u64, text: &str| {
            format!(
                "{{\"message\":\"{text}\",\"level\":{level},\
                 \"timestamp\":\"2026-11-22T07:18:07.3Z\"}}\n"
            )
        };
        let log = [line(20, "one"), line(40, "two"), line(30, "three")].concat();
        let mut reading = read("x.log", log.as_bytes());
        assert_eq!(
            drawn(&reading, 40, 3),
            ["· info  07:18:07 one", "✗ error 07:18:07 two", "! warn  07:18:07 three"]
        );
        reading.next_level();
        reading.next_level();
        assert!(reading.heading().contains("warn and up: 2 of 3"), "{}", reading.heading());
        assert_eq!(drawn(&reading, 40, 1), ["✗ error 07:18:07 two"]);
    }

    #[test]
    fn a_line_of_a_megabyte_is_drawn_in_part() {
        let reading = Reading::new(preview("x.txt", &vec![b'a'; 1 << 20], 12 << 20));
        assert_eq!(drawn(&reading, 5, 1), ["aaaa…"]);
        assert_eq!(reading.heading(), "text · first 1.0 MiB of 12.0 MiB");
    }

    #[test]
    fn wide_letters_are_not_halved() {
        assert_eq!(past("法兰克", 2), "兰克");
        assert_eq!(past("法兰克", 1), " 兰克");
        assert_eq!(past("ab", 5), "");
    }
}
