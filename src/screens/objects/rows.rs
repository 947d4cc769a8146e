//! Which of what has arrived is shown, in what order.
//!
//! Order and filter are lists of row numbers, so that neither moves a row. Both are worked out at
//! once as far as a frame has time for it; the rest of a long list is left to a job, whose answers
//! come here: [`Rows::found`], [`Rows::ordered`].

use std::ops::Range;

use crate::base::pattern::Pattern;
use crate::ops::inventory::{FindRows, SortRows, pages_at_once};
use crate::oss::listing::Page;
use crate::oss::listing::inventory::{Inventory, Match, Row, RowId, Sorting};
use crate::oss::object::Version;

/// So many pages are sorted at once.
const SORTED_AT_ONCE: usize = 64;
/// Of more, so many rows are there at once.
const WINDOW: usize = 512;

/// All rows that have arrived, and the order of those that are shown.
#[derive(Debug, Default)]
pub struct Rows {
    inventory: Inventory,
    sorting: Sorting,
    /// Every row, in order; while a job sorts, the first ones.
    order: Vec<RowId>,
    /// The pages that came while a job sorts those before.
    unordered: Option<Range<usize>>,
    /// Those that pass the filter, while there is one.
    narrowed: Option<Narrowed>,
    total: usize,
    bytes: u64,
    objects: u64,
}

/// The rows that pass a filter.
#[derive(Debug)]
struct Narrowed {
    pattern: Pattern,
    rows: Vec<Match>,
    /// All pages were searched.
    is_whole: bool,
}

impl Rows {
    /// No rows yet of what lies below `prefix`, to be ordered as `other` is.
    pub fn like(other: &Self, prefix: &str) -> Self {
        Self { inventory: Inventory::below(prefix), sorting: other.sorting, ..Self::default() }
    }

    /// Adds a page, and answers its rows.
    pub fn add(&mut self, page: Page) -> Vec<RowId> {
        let at = self.inventory.pages();
        let came = self.inventory.add(page);
        self.total += came.len();
        for row in came.iter().filter_map(|id| self.inventory.row(*id)) {
            if let Some(facts) = row.object {
                self.objects += 1;
                self.bytes = self.bytes.saturating_add(facts.size);
            }
        }
        let mut more = came.clone();
        self.inventory.sort(self.sorting, &mut more);
        if let Some(narrowed) = &mut self.narrowed {
            let passes = |id: &RowId| self.inventory.matching(&narrowed.pattern, *id);
            let mut passing: Vec<Match> = more.iter().filter_map(passes).collect();
            self.inventory.sort(self.sorting, &mut passing);
            self.inventory.merge(self.sorting, &mut narrowed.rows, &passing);
        }
        match &mut self.unordered {
            Some(pages) => pages.end = at + 1,
            None => self.inventory.merge(self.sorting, &mut self.order, &more),
        }
        came
    }

    /// Shows what matches `pattern`; `None` shows all. With `further` it says more than the one
    /// before, and what is out of sight stays so. Answers the job that looks at the rest.
    pub fn narrow(&mut self, pattern: Option<Pattern>, further: bool) -> Option<FindRows> {
        let before = self.narrowed.take();
        let pattern = pattern?;
        let at_once = pages_at_once(&pattern);
        let few = before
            .filter(|before| further && before.is_whole && before.rows.len() <= at_once * 1000);
        if let Some(Narrowed { mut rows, .. }) = few {
            rows.retain(|row| self.inventory.matching(&pattern, row.id).is_some());
            self.narrowed = Some(Narrowed { pattern, rows, is_whole: true });
            return None;
        }
        let rows = self.inventory.find(&pattern, 0..at_once, self.sorting);
        let is_whole = at_once >= self.inventory.pages();
        let job = (!is_whole).then(|| FindRows {
            inventory: self.inventory.clone(),
            pattern: pattern.clone(),
            from: at_once,
            sorting: self.sorting,
        });
        self.narrowed = Some(Narrowed { pattern, rows, is_whole });
        job
    }

    /// Takes what the job found.
    pub fn found(&mut self, mut more: Vec<Match>) {
        if let Some(narrowed) = &mut self.narrowed {
            self.inventory.sort(self.sorting, &mut more);
            self.inventory.merge(self.sorting, &mut narrowed.rows, &more);
        }
    }

    /// The job looked at all.
    pub fn searched(&mut self) {
        if let Some(narrowed) = &mut self.narrowed {
            narrowed.is_whole = true;
        }
    }

    /// Whether a job still looks for more.
    pub fn is_searching(&self) -> bool {
        self.narrowed.as_ref().is_some_and(|narrowed| !narrowed.is_whole)
    }

    /// Orders all rows. Answers the job that does so where there are many; until then the first
    /// ones are there.
    pub fn sort_by(&mut self, sorting: Sorting) -> Option<SortRows> {
        self.sorting = sorting;
        self.unordered = None;
        if let Some(narrowed) = &mut self.narrowed {
            self.inventory.sort(sorting, &mut narrowed.rows);
        }
        if self.inventory.pages() <= SORTED_AT_ONCE {
            self.order = self.inventory.sorted(sorting);
            return None;
        }
        self.order = self.inventory.first(sorting, WINDOW);
        let pages = self.inventory.pages();
        self.unordered = Some(pages..pages);
        Some(SortRows { inventory: self.inventory.clone(), sorting })
    }

    /// Takes what the job put in order.
    pub fn ordered(&mut self, rows: Vec<RowId>) {
        let Some(since) = self.unordered.take() else { return };
        self.order = rows;
        for page in since {
            let mut more = self.inventory.rows_of(page);
            self.inventory.sort(self.sorting, &mut more);
            self.inventory.merge(self.sorting, &mut self.order, &more);
        }
    }

    /// What rows are ordered by.
    pub fn sorting(&self) -> Sorting {
        self.sorting
    }

    /// Whether the best matches come first: where letters are looked for, and no order was asked
    /// for.
    pub fn is_ranked(&self) -> bool {
        self.sorting == Sorting::default()
            && self.narrowed.as_ref().is_some_and(|narrowed| narrowed.pattern.ranks())
    }

    /// What the filter found of a name that is shown: its bytes, in order.
    pub fn places(&self, name: &str) -> Vec<Range<usize>> {
        self.narrowed.as_ref().map(|narrowed| narrowed.pattern.places(name)).unwrap_or_default()
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.narrowed.as_ref().map_or(self.order.len(), |narrowed| narrowed.rows.len())
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows have arrived.
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many of them are objects.
    pub fn objects(&self) -> u64 {
        self.objects
    }

    /// Bytes of all objects that have arrived.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The row shown at `index`.
    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        self.inventory.row(self.id(index)?)
    }

    /// What is known of a row, in sight or not.
    pub fn row(&self, row: RowId) -> Option<Row<'_>> {
        self.inventory.row(row)
    }

    /// Which version of its object the row shown at `index` is.
    pub fn version(&self, index: usize) -> Option<Version> {
        self.inventory.version(self.id(index)?)
    }

    /// Which row is shown at `index`.
    pub fn id(&self, index: usize) -> Option<RowId> {
        match &self.narrowed {
            None => self.order.get(index).copied(),
            Some(narrowed) => narrowed.rows.get(index).map(|row| row.id),
        }
    }

    /// Where `row` is shown, if it is.
    pub fn position(&self, row: RowId) -> Option<usize> {
        let Some(Narrowed { pattern, rows, .. }) = &self.narrowed else {
            return self.inventory.position(self.sorting, &self.order, row);
        };
        let row = self.inventory.matching(pattern, row)?;
        self.inventory.position(self.sorting, rows, row)
    }

    /// The row of that name among these.
    pub fn find(&self, name: &str, among: &[RowId]) -> Option<RowId> {
        let is_it = |id: &&RowId| self.inventory.row(**id).is_some_and(|row| row.name == name);
        among.iter().find(is_it).copied()
    }
}
