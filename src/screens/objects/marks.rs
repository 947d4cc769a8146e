//! Rows that are marked, to do one thing with all of them.

use std::collections::{BTreeSet, HashSet};

use super::{Objects, Rows};
use crate::model::object_key::ObjectKey;
use crate::ops::marked::Marked;
use crate::oss::listing::inventory::RowId;
use crate::tui::keymap::Move;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;

/// Rows that one key marks at once: in a frame's time.
pub(super) const MOST_AT_ONCE: usize = 50_000;

/// The rows of one listing that are marked, in sight or not.
#[derive(Debug, Default)]
pub(super) struct Marks {
    rows: BTreeSet<RowId>,
    objects: u64,
    bytes: u64,
    /// Names that were marked before the listing began anew, and have not come yet.
    sought: HashSet<String>,
}

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn has(&self, row: RowId) -> bool {
        self.rows.contains(&row)
    }

    /// How many prefixes, how many objects, and the bytes of those.
    pub(super) fn sums(&self) -> (u64, u64, u64) {
        ((self.rows.len() as u64).saturating_sub(self.objects), self.objects, self.bytes)
    }

    /// Marks a row, or takes the mark away.
    fn set(&mut self, rows: &Rows, row: RowId, on: bool) {
        let changed = if on { self.rows.insert(row) } else { self.rows.remove(&row) };
        let facts = rows.row(row).and_then(|row| row.object).filter(|_| changed);
        if let Some(facts) = facts {
            (self.objects, self.bytes) = if on {
                (self.objects + 1, self.bytes.saturating_add(facts.size))
            } else {
                (self.objects.saturating_sub(1), self.bytes.saturating_sub(facts.size))
            };
        }
    }

    /// Before the rows go and the same prefix is listed anew.
    pub(super) fn keep_names(&mut self, rows: &Rows) {
        let names = self.rows.iter().filter_map(|id| Some(rows.row(*id)?.name.to_owned()));
        let mut sought: HashSet<String> = names.collect();
        sought.extend(std::mem::take(&mut self.sought));
        *self = Self { sought, ..Self::default() };
    }

    /// Rows came: those that were marked before are again.
    pub(super) fn arrived(&mut self, rows: &Rows, came: &[RowId]) {
        if self.sought.is_empty() {
            return;
        }
        for id in came {
            if rows.row(*id).is_some_and(|row| self.sought.remove(row.name)) {
                self.set(rows, *id, true);
            }
        }
    }

    /// All have come: what was not among them is gone.
    pub(super) fn ended(&mut self) {
        self.sought.clear();
    }
}

impl Objects {
    /// Marks the selected row, or takes its mark away, and moves on.
    pub(super) fn mark(&mut self) -> Step<Self> {
        let at = self.scroll.selected();
        let Some(id) = self.rows.id(at) else { return Step::none() };
        if !self.may_be_marked(id) {
            return Step::toast(Tone::Warning, super::NO_KEY);
        }
        let on = !self.marks.has(id);
        self.marks.set(&self.rows, id, on);
        self.seek = None;
        let len = self.rows.len();
        if self.scroll.act(Move::Down, len) { self.read_selected() } else { Step::none() }
    }

    /// Marks all rows in sight of the filter; where all are, none.
    pub(super) fn mark_all(&mut self) {
        let shown = (0..self.rows.len()).filter_map(|at| self.rows.id(at));
        let shown: Vec<RowId> = shown.filter(|id| self.may_be_marked(*id)).collect();
        let on = !shown.iter().all(|id| self.marks.has(*id));
        for id in shown {
            self.marks.set(&self.rows, id, on);
        }
    }

    /// OSS itself refuses some keys that lie in a bucket.
    fn may_be_marked(&self, id: RowId) -> bool {
        self.rows.row(id).is_some_and(|row| {
            row.object.is_none()
                || ObjectKey::parse(&format!("{}{}", self.prefix, row.name)).is_ok()
        })
    }

    /// What the next act is upon: what is marked, else the selected row.
    pub(super) fn marked(&self) -> Option<Marked> {
        let (place, within) = (self.place.clone(), self.prefix.clone());
        let mut marked = Marked { place, within, objects: Vec::new(), prefixes: Vec::new() };
        let selected = self.rows.id(self.scroll.selected());
        let rows: Vec<RowId> = if self.marks.is_empty() {
            selected.into_iter().collect()
        } else {
            self.marks.rows.iter().copied().collect()
        };
        for row in rows.into_iter().filter_map(|id| self.rows.row(id)) {
            let key = format!("{}{}", self.prefix, row.name);
            match row.object {
                None => marked.prefixes.push(key),
                Some(_) => marked.objects.extend(ObjectKey::parse(&key)),
            }
        }
        marked.objects.sort();
        marked.prefixes.sort();
        (!marked.is_empty()).then_some(marked)
    }

    /// Bytes of the objects that the next act is upon.
    pub(super) fn marked_bytes(&self) -> u64 {
        let selected = || self.selected().and_then(|row| row.object).map_or(0, |facts| facts.size);
        if self.marks.is_empty() { selected() } else { self.marks.bytes }
    }
}
