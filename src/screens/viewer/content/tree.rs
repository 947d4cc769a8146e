//! Which lines of a JSON document are in sight, and on which of them the cursor stands.

use ratatui::text::{Line, Span};

use super::spelled;
use crate::base::units;
use crate::model::preview::Document;
use crate::tui::theme::Theme;

/// Levels that stand open at first.
const OPEN: usize = 2;

/// A document whose objects and arrays fold.
#[derive(Debug)]
pub(super) struct Tree {
    /// By the lines of the document.
    folded: Vec<bool>,
    /// The lines in sight.
    shown: Vec<usize>,
    /// Which of them.
    pub(super) cursor: usize,
}

impl Tree {
    pub(super) fn new(document: &Document) -> Self {
        let mut tree = Self { folded: Vec::new(), shown: Vec::new(), cursor: 0 };
        tree.fold_from(document, OPEN);
        tree
    }

    pub(super) fn len(&self) -> usize {
        self.shown.len()
    }

    /// The line of the document that stands at `index`.
    pub(super) fn at(&self, index: usize) -> Option<usize> {
        self.shown.get(index).copied()
    }

    /// Unfolds all of it, or folds it as it was at first where nothing is folded.
    pub(super) fn toggle_all(&mut self, document: &Document) {
        let line = self.at(self.cursor);
        let from = if self.folded.contains(&true) { usize::MAX } else { OPEN };
        self.fold_from(document, from);
        // where its line went out of sight, the last one before it that did not
        let behind = line.map_or(0, |line| self.shown.partition_point(|shown| *shown <= line));
        self.cursor = behind.saturating_sub(1);
    }

    /// Folds or unfolds what the cursor's line opens or closes.
    pub(super) fn toggle(&mut self, document: &Document) {
        let Some((index, line)) = self.block(document) else { return };
        if let Some(folded) = self.folded.get_mut(line) {
            *folded = !*folded;
        }
        self.show(document);
        self.cursor = index;
    }

    /// Unfolds what is folded under the cursor, if it is.
    pub(super) fn unfold(&mut self, document: &Document) -> bool {
        let is_folded = self.at(self.cursor).is_some_and(|line| self.is_folded(line));
        if is_folded {
            self.toggle(document);
        }
        is_folded
    }

    /// Folds what is open under the cursor, or goes to what it lies in.
    pub(super) fn fold(&mut self, document: &Document) {
        match self.block(document) {
            Some((_, line)) if !self.is_folded(line) => self.toggle(document),
            _ => {
                let Some(depth) = self.at(self.cursor).map(|line| document.depth(line)) else {
                    return;
                };
                let is_above = |line: &usize| document.depth(*line) < depth;
                let above = self.shown.iter().take(self.cursor).rposition(is_above);
                self.cursor = above.unwrap_or(self.cursor);
            }
        }
    }

    /// The row at `index`: `▸ "losses": […] 12 items`.
    pub(super) fn row(
        &self,
        document: &Document,
        index: usize,
        theme: &Theme,
        stretch: impl FnOnce(&str) -> String,
    ) -> Line<'static> {
        let Some(line) = self.at(index) else { return Line::default() };
        let block = document.block(line);
        let is_folded = self.is_folded(line);
        let mark = match (block.is_some(), is_folded, theme.ascii) {
            (false, ..) => "  ",
            (true, false, false) => "▾ ",
            (true, true, false) => "▸ ",
            (true, false, true) => "- ",
            (true, true, true) => "+ ",
        };
        let mut spans = vec![Span::raw(format!("{}{mark}", "  ".repeat(document.depth(line))))];
        let mut text = stretch(&document.line(line));
        let Some(block) = block.filter(|_| is_folded) else {
            if document.goes_on(line) {
                text.push(',');
            }
            spans.extend(spelled(&text, 0, theme).spans);
            return Line::from(spans);
        };
        let (end, one) = if block.is_object { ('}', "member") } else { (']', "item") };
        text = format!("{text}{}{end}", theme.ellipsis());
        spans.extend(spelled(&text, 0, theme).spans);
        let count = units::counted(block.count as u64, one);
        spans.push(Span::styled(format!(" {count}"), theme.muted()));
        Line::from(spans)
    }

    fn is_folded(&self, line: usize) -> bool {
        self.folded.get(line).copied().unwrap_or(false)
    }

    /// What the cursor's line opens or closes: where it stands, and its line.
    fn block(&self, document: &Document) -> Option<(usize, usize)> {
        let line = self.at(self.cursor)?;
        if document.block(line).is_some() {
            return Some((self.cursor, line));
        }
        let closes = |opens: &usize| document.block(*opens).is_some_and(|it| it.last == line);
        let index = self.shown.iter().take(self.cursor).rposition(closes)?;
        Some((index, self.at(index)?))
    }

    fn fold_from(&mut self, document: &Document, depth: usize) {
        let folds = |line: usize| document.block(line).is_some() && document.depth(line) >= depth;
        self.folded = (0..document.len()).map(folds).collect();
        self.show(document);
    }

    fn show(&mut self, document: &Document) {
        self.shown.clear();
        let mut line = 0;
        while line < document.len() {
            self.shown.push(line);
            let block = document.block(line).filter(|_| self.is_folded(line));
            line = block.map_or(line, |block| block.last) + 1;
        }
    }
}
