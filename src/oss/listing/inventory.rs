//! What a listing has brought so far: its pages as they came, and the orders they can be shown in.
//!
//! Pages are shared and never changed, so that a search or a sort reads them beside the screen
//! that shows them, and a million rows are copied by copying a thousand pointers. Pages come in any
//! order; each is wholly before or behind every other, since OSS lists by the bytes of the key.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::{MOST_ROWS, Page, StorageClass};
use crate::base::pattern::Pattern;
use crate::oss::object::Version;

/// One row, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The name below the prefix; of a prefix with its slash.
    pub name: &'a str,
    /// What is known of an object; a prefix has none of it on OSS.
    pub object: Option<Facts>,
}

/// What a listing says of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Bytes.
    pub size: u64,
    /// Unix seconds.
    pub modified: i64,
    /// Where it lies.
    pub class: StorageClass,
}

/// What rows are ordered by; prefixes come first in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As OSS lists them: by the bytes of the key.
    #[default]
    Name,
    /// Largest first.
    Size,
    /// Newest first.
    Time,
    /// The quickest to read first.
    Class,
}

impl Sort {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Name => Self::Size,
            Self::Size => Self::Time,
            Self::Time => Self::Class,
            Self::Class => Self::Name,
        }
    }

    /// What it means, the other way round or not.
    pub fn words(self, reversed: bool) -> &'static str {
        match (self, reversed) {
            (Self::Name, false) => "by name",
            (Self::Name, true) => "by name, last first",
            (Self::Size, false) => "largest first",
            (Self::Size, true) => "smallest first",
            (Self::Time, false) => "newest first",
            (Self::Time, true) => "oldest first",
            (Self::Class, false) => "by class",
            (Self::Class, true) => "by class, archived first",
        }
    }
}

/// An order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sorting {
    /// By what.
    pub by: Sort,
    /// The other way round; prefixes still come first.
    pub reversed: bool,
}

/// A row by its page and its place there; stays what it is while rows come, go out of sight, or
/// change order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(u32);

/// What a row is ordered by: prefixes first, then what is asked for, then the name.
type SortKey = (bool, u64, u32);

/// A row that was found, and how well it matches: the best have the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The row.
    pub id: RowId,
    rank: u32,
}

/// What has a place in an order.
pub trait Placed: Copy + PartialEq {
    /// What it is ordered by.
    type Key: Ord;

    /// That of this one.
    fn key(self, inventory: &Inventory, sorting: Sorting) -> Self::Key;
}

impl Placed for RowId {
    type Key = SortKey;

    fn key(self, inventory: &Inventory, sorting: Sorting) -> SortKey {
        inventory.key(sorting, self)
    }
}

impl Placed for Match {
    type Key = (u32, SortKey);

    /// The best come first unless an order was asked for.
    fn key(self, inventory: &Inventory, sorting: Sorting) -> Self::Key {
        let rank = if sorting == Sorting::default() { self.rank } else { 0 };
        (rank, inventory.key(sorting, self.id))
    }
}

/// Pages of one prefix. Cheap to clone.
#[derive(Clone, Default)]
pub struct Inventory {
    /// Bytes of the prefix, which every key begins with.
    prefix: usize,
    pages: Vec<Arc<Page>>,
    /// The pages by their keys.
    by_key: Vec<u32>,
    /// Of each page its place in `by_key`.
    ranks: Vec<u32>,
    /// The prefix itself, a "folder" of zero bytes: a row named by nothing.
    nameless: Option<RowId>,
}

impl fmt::Debug for Inventory {
    /// Without what it holds: this reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pages", self.pages.len())
    }
}

/// The place of an id's page: a page has no more than [`MOST_ROWS`] rows.
const PAGE: u32 = MOST_ROWS.ilog2();

impl RowId {
    fn of(page: u32, row: usize) -> Option<Self> {
        let row = u32::try_from(row).ok().filter(|row| *row < 1 << PAGE)?;
        Some(Self(page.checked_shl(PAGE)? | row))
    }

    /// The number of its page, in the order in which pages came, and its place there.
    fn place(self) -> (usize, usize) {
        let row = self.0 & ((1 << PAGE) - 1);
        ((self.0 >> PAGE) as usize, row as usize)
    }
}

impl Inventory {
    /// Nothing yet, of keys that begin with `prefix`.
    pub fn below(prefix: &str) -> Self {
        Self { prefix: prefix.len(), ..Self::default() }
    }

    /// Adds a page, and answers its rows in the order of names.
    pub fn add(&mut self, page: Page) -> Vec<RowId> {
        let number =
            u32::try_from(self.pages.len()).ok().filter(|number| number >> (32 - PAGE) == 0);
        let (Some(number), Some(least)) = (number, page.least()) else { return Vec::new() };
        let before = |other: &u32| {
            self.pages.get(*other as usize).and_then(|page| page.least()) < Some(least)
        };
        let rank = self.by_key.partition_point(before);
        let is_nameless = |entry: super::Entry<'_>| entry.key.len() == self.prefix;
        if page.entry(0).is_some_and(is_nameless) {
            self.nameless = RowId::of(number, page.prefix_count());
        }
        self.by_key.insert(rank, number);
        self.ranks.push(0);
        for (rank, number) in self.by_key.iter().enumerate().skip(rank) {
            if let Some(place) = self.ranks.get_mut(*number as usize) {
                *place = u32::try_from(rank).unwrap_or(u32::MAX);
            }
        }
        self.pages.push(Arc::new(page));
        self.rows_of(self.pages.len() - 1)
    }

    /// The rows of a page, by the number in which it came.
    pub fn rows_of(&self, page: usize) -> Vec<RowId> {
        let rows = self.pages.get(page).map_or(0, |page| page.prefix_count() + page.len());
        u32::try_from(page).map(|page| self.ids(page, 0..rows).collect()).unwrap_or_default()
    }

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// What is known of a row.
    pub fn row(&self, id: RowId) -> Option<Row<'_>> {
        let (page, row) = id.place();
        let page = self.pages.get(page)?;
        let name = |key: &str| key.len().min(self.prefix);
        let Some(object) = row.checked_sub(page.prefix_count()) else {
            let prefix = page.prefix(row)?;
            return Some(Row { name: prefix.get(name(prefix)..)?, object: None });
        };
        let entry = page.entry(object)?;
        let facts =
            Facts { size: entry.size, modified: entry.last_modified, class: entry.storage_class };
        Some(Row { name: entry.key.get(name(entry.key)..)?, object: Some(facts) })
    }

    /// Which version of its object a row was listed as, where the server says so.
    pub fn version(&self, id: RowId) -> Option<Version> {
        let (page, row) = id.place();
        let page = self.pages.get(page)?;
        page.entry(row.checked_sub(page.prefix_count())?)?.version()
    }

    /// All rows in an order.
    pub fn sorted(&self, sorting: Sorting) -> Vec<RowId> {
        let mut rows = self.prefixes(sorting);
        let mut objects = self.objects(sorting);
        if sorting.by != Sort::Name {
            objects.sort_unstable();
        }
        rows.extend(objects.into_iter().map(|(.., id)| id));
        rows
    }

    /// The first `count` rows in an order, or all of them: sooner than sorting the rest.
    pub fn first(&self, sorting: Sorting, count: usize) -> Vec<RowId> {
        let mut rows = self.prefixes(sorting);
        let count = count.saturating_sub(rows.len());
        let mut objects = self.objects(sorting);
        if count < objects.len() && sorting.by != Sort::Name {
            objects.select_nth_unstable(count);
        }
        objects.truncate(count);
        objects.sort_unstable();
        rows.extend(objects.into_iter().map(|(.., id)| id));
        rows
    }

    /// The rows that match, of those pages by their keys, in an order.
    pub fn find(&self, pattern: &Pattern, pages: Range<usize>, sorting: Sorting) -> Vec<Match> {
        let (mut prefixes, mut objects) = (Vec::new(), Vec::new());
        let numbers = self.by_key.iter().skip(pages.start).take(pages.len());
        for number in numbers {
            let Some(page) = self.pages.get(*number as usize) else { continue };
            let (texts, ends) = page.prefix_texts();
            pattern.find_in(texts, ends, self.prefix, &mut |at| {
                prefixes.extend(RowId::of(*number, at));
            });
            let (texts, ends) = page.keys();
            pattern.find_in(texts, ends, self.prefix, &mut |at| {
                objects.extend(RowId::of(*number, page.prefix_count() + at));
            });
        }
        prefixes.append(&mut objects);
        prefixes.retain(|id| Some(*id) != self.nameless);
        let mut found = prefixes.into_iter().map(|id| self.ranked(pattern, id)).collect::<Vec<_>>();
        self.sort(sorting, &mut found);
        found
    }

    /// A row, where it matches.
    pub fn matching(&self, pattern: &Pattern, id: RowId) -> Option<Match> {
        let is_one = self.row(id).is_some_and(|row| pattern.matches(row.name));
        is_one.then(|| self.ranked(pattern, id))
    }

    /// A row that matches, with how well.
    fn ranked(&self, pattern: &Pattern, id: RowId) -> Match {
        let rank = match self.row(id) {
            Some(row) if pattern.ranks() => pattern.rank(row.name),
            _ => 0,
        };
        Match { id, rank }
    }

    /// Puts some rows in order.
    pub fn sort<R: Placed>(&self, sorting: Sorting, rows: &mut [R]) {
        let key = |row: &R| row.key(self, sorting);
        if sorting != Sorting::default() || !rows.is_sorted_by_key(key) {
            rows.sort_by_cached_key(key);
        }
    }

    /// Merges `more` into `rows`, both in that order: from the end, a run at a time.
    pub fn merge<R: Placed>(&self, sorting: Sorting, rows: &mut Vec<R>, more: &[R]) {
        let key = |row: R| row.key(self, sorting);
        let (mut end, mut left) = (rows.len(), more.len());
        // whatever they hold, it is overwritten
        rows.extend_from_slice(more);
        while let Some(last) = left.checked_sub(1).and_then(|last| more.get(last)) {
            let wanted = key(*last);
            let ahead = rows.get(..end).unwrap_or_default();
            let at = ahead.partition_point(|row| key(*row) < wanted);
            rows.copy_within(at..end, at + left);
            end = at;
            let before = end.checked_sub(1).and_then(|before| rows.get(before)).copied();
            let run = more.get(..left).unwrap_or_default();
            let kept = before.map_or(0, |before| {
                let before = key(before);
                run.partition_point(|row| key(*row) < before)
            });
            if let (Some(place), Some(run)) =
                (rows.get_mut(end + kept..end + left), run.get(kept..))
            {
                place.copy_from_slice(run);
            }
            left = kept;
        }
    }

    /// Where a row is among `rows`, which are in that order.
    pub fn position<R: Placed>(&self, sorting: Sorting, rows: &[R], row: R) -> Option<usize> {
        let wanted = row.key(self, sorting);
        let at = rows.partition_point(|other| other.key(self, sorting) < wanted);
        (rows.get(at) == Some(&row)).then_some(at)
    }

    fn ids(&self, page: u32, rows: Range<usize>) -> impl Iterator<Item = RowId> {
        let ids = rows.filter_map(move |row| RowId::of(page, row));
        ids.filter(|id| Some(*id) != self.nameless)
    }

    /// All prefixes in an order.
    fn prefixes(&self, sorting: Sorting) -> Vec<RowId> {
        let of = |number: &u32| {
            let count = self.pages.get(*number as usize).map_or(0, |page| page.prefix_count());
            self.ids(*number, 0..count)
        };
        let mut rows: Vec<RowId> = self.by_key.iter().flat_map(of).collect();
        if sorting.reversed {
            rows.reverse();
        }
        rows
    }

    /// All objects with what they are ordered by; of names, that they stand in order already.
    fn objects(&self, sorting: Sorting) -> Vec<(u64, u32, RowId)> {
        let rows = self.pages.iter().map(|page| page.len()).sum();
        let mut objects = Vec::with_capacity(rows);
        for number in &self.by_key {
            let Some(page) = self.pages.get(*number as usize) else { continue };
            let first = page.prefix_count();
            for id in self.ids(*number, first..first + page.len()) {
                let (_, value, rank) = self.key(sorting, id);
                objects.push((value, rank, id));
            }
        }
        if sorting.by == Sort::Name && sorting.reversed {
            objects.reverse();
        }
        objects
    }

    fn key(&self, sorting: Sorting, id: RowId) -> SortKey {
        let (page, row) = id.place();
        let rank = self.ranks.get(page).copied().unwrap_or_default();
        let rank = rank << PAGE | u32::try_from(row).unwrap_or_default();
        let Some(page) = self.pages.get(page) else { return (true, 0, rank) };
        let object = row.checked_sub(page.prefix_count());
        let value = object.map_or(0, |at| match sorting.by {
            Sort::Name => 0,
            // large and late ones first, so the complement
            Sort::Size => page.sizes().get(at).map_or(0, |size| !size),
            Sort::Time => page.modified().get(at).map_or(0, |time| !u64::from(*time)),
            Sort::Class => page.class(at).map_or(0, |class| class as u64),
        });
        if sorting.reversed {
            (object.is_some(), !value, !rank)
        } else {
            (object.is_some(), value, rank)
        }
    }
}

#[cfg(test)]
mod tests;
