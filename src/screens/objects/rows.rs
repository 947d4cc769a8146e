//! What a prefix holds, page after page, and which of it is shown in what order.
//!
//! Names lie one behind another in one string, and everything else in columns beside it: a
//! million rows are a few large pieces of memory. Order and filter are lists of row numbers, so
//! that neither moves a row, and neither compares a name: OSS lists by the bytes of the key, so
//! that the order of arrival is the order of names.

use std::ops::Range;

use crate::oss::listing::{Page, StorageClass};
use crate::tui::widget::filter_input::FilterInput;

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
}

impl Sort {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Name => Self::Size,
            Self::Size => Self::Time,
            Self::Time => Self::Name,
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
        }
    }
}

/// A row by its arrival; stays what it is while rows come, go out of sight, or change order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowId(u32);

/// All rows that have arrived, and the order of those that are shown.
#[derive(Debug, Default)]
pub struct Rows {
    names: String,
    ends: Vec<usize>,
    /// Of a prefix nothing.
    facts: Vec<Option<Facts>>,
    bytes: u64,
    objects: u64,
    /// Every row, in order.
    order: Vec<u32>,
    /// The part of `order` that passes the filter, while there is one.
    narrowed: Option<Vec<u32>>,
    sort: Sort,
    reversed: bool,
}

/// What a row is ordered by: prefixes first, then what is asked for, then the name.
type SortKey = (bool, u64, u32);

impl Rows {
    /// No rows, to be ordered as `other` is.
    pub fn sorted_like(other: &Self) -> Self {
        Self { sort: other.sort, reversed: other.reversed, ..Self::default() }
    }

    /// Adds the rows of `page`, whose keys begin with `prefix`. The prefix itself, a "folder" of
    /// zero bytes, is a row named by nothing and left out.
    ///
    /// The page is put in order by itself and merged into the rest: the cost of a page grows with
    /// what lies behind its places, not with sorting everything anew.
    pub fn add(&mut self, page: &Page, prefix: &str, filter: &FilterInput) -> Arrived {
        let first = self.ends.len();
        for name in page.prefixes() {
            self.push(name.strip_prefix(prefix).unwrap_or(name), None);
        }
        for entry in page.entries() {
            let name = entry.key.strip_prefix(prefix).unwrap_or(entry.key);
            if !name.is_empty() {
                let facts = Facts {
                    size: entry.size,
                    modified: entry.last_modified,
                    class: entry.storage_class,
                };
                self.bytes = self.bytes.saturating_add(entry.size);
                self.objects += 1;
                self.push(name, Some(facts));
            }
        }
        let arrived = Arrived(first..self.ends.len());
        let numbers = arrived.0.clone().filter_map(|row| u32::try_from(row).ok());
        let mut more: Vec<u32> = numbers.collect();
        more.sort_unstable_by_key(|row| self.sort_key(*row));
        if let Some(mut narrowed) = self.narrowed.take() {
            let matcher = filter.matcher();
            let passing = more.iter().copied().filter(|row| matcher.matches(self.at(*row).name));
            self.merge(&mut narrowed, passing.collect());
            self.narrowed = Some(narrowed);
        }
        let mut order = std::mem::take(&mut self.order);
        self.merge(&mut order, more);
        self.order = order;
        arrived
    }

    /// Shows what passes `filter`. With `further` the filter says more than the one before, and
    /// what is out of sight stays so.
    pub fn narrow(&mut self, filter: &FilterInput, further: bool) {
        let before = self.narrowed.take().filter(|_| further);
        if filter.is_active() {
            let matcher = filter.matcher();
            let rows = before.as_ref().unwrap_or(&self.order).iter().copied();
            self.narrowed = Some(rows.filter(|row| matcher.matches(self.at(*row).name)).collect());
        }
    }

    /// Orders all rows.
    pub fn sort_by(&mut self, sort: Sort, reversed: bool) {
        (self.sort, self.reversed) = (sort, reversed);
        let mut order = std::mem::take(&mut self.order);
        order.sort_by_cached_key(|row| self.sort_key(*row));
        self.order = order;
        if let Some(mut narrowed) = self.narrowed.take() {
            narrowed.sort_by_cached_key(|row| self.sort_key(*row));
            self.narrowed = Some(narrowed);
        }
    }

    /// What rows are ordered by, and whether the other way round.
    pub fn sorted(&self) -> (Sort, bool) {
        (self.sort, self.reversed)
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.shown().len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.shown().is_empty()
    }

    /// How many rows have arrived.
    pub fn total(&self) -> usize {
        self.ends.len()
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
        self.row(*self.shown().get(index)?)
    }

    /// Which row is shown at `index`.
    pub fn id(&self, index: usize) -> Option<RowId> {
        self.shown().get(index).copied().map(RowId)
    }

    /// Where `row` is shown, if it is.
    pub fn position(&self, row: RowId) -> Option<usize> {
        let wanted = self.sort_key(row.0);
        self.shown().binary_search_by_key(&wanted, |row| self.sort_key(*row)).ok()
    }

    /// The row of that name among those that came with one page.
    pub fn find(&self, name: &str, among: &Arrived) -> Option<RowId> {
        let mut numbers = among.0.clone().filter_map(|row| u32::try_from(row).ok());
        numbers.find(|row| self.at(*row).name == name).map(RowId)
    }

    fn shown(&self) -> &[u32] {
        self.narrowed.as_ref().unwrap_or(&self.order)
    }

    fn push(&mut self, name: &str, facts: Option<Facts>) {
        self.names.push_str(name);
        self.ends.push(self.names.len());
        self.facts.push(facts);
    }

    fn row(&self, row: u32) -> Option<Row<'_>> {
        let row = usize::try_from(row).ok()?;
        let end = *self.ends.get(row)?;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |e| *e);
        Some(Row { name: self.names.get(start..end)?, object: *self.facts.get(row)? })
    }

    fn at(&self, row: u32) -> Row<'_> {
        self.row(row).unwrap_or(Row { name: "", object: None })
    }

    fn sort_key(&self, row: u32) -> SortKey {
        let facts = usize::try_from(row).ok().and_then(|row| *self.facts.get(row)?);
        // large and late ones first, so the complement
        let value = match (self.sort, facts) {
            (Sort::Name, _) | (_, None) => 0,
            (Sort::Size, Some(facts)) => !facts.size,
            (Sort::Time, Some(facts)) => !u64::try_from(facts.modified).unwrap_or(0),
        };
        if self.reversed { (facts.is_some(), !value, !row) } else { (facts.is_some(), value, row) }
    }

    /// Merges `more` into `rows`, both in order: from the end, a block at a time.
    fn merge(&self, rows: &mut Vec<u32>, more: Vec<u32>) {
        let mut end = rows.len();
        rows.resize(end + more.len(), 0);
        for (before, row) in more.into_iter().enumerate().rev() {
            let wanted = self.sort_key(row);
            let ahead = rows.get(..end).unwrap_or_default();
            let at = ahead.partition_point(|other| self.sort_key(*other) < wanted);
            // `before` rows of `more` still go in front of this one
            rows.copy_within(at..end, at + before + 1);
            if let Some(place) = rows.get_mut(at + before) {
                *place = row;
            }
            end = at;
        }
    }
}

/// The rows that came with one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived(Range<usize>);

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn page(objects: &[(&str, u64)], prefixes: &[&str]) -> Page {
        let mut xml = String::from(
            "<?xml version=\"1.0\"?><ListBucketResult><Name>b-1</Name><Prefix></Prefix>\
             <MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>",
        );
        for (key, size) in objects {
            write!(
                xml,
                "<Contents><Key>{key}</Key><LastModified>2026-03-15T10:20:30.000Z</LastModified>\
                 <ETag>\"x\"</ETag><Size>{size}</Size><StorageClass>Standard</StorageClass>\
                 </Contents>"
            )
            .unwrap();
        }
        for prefix in prefixes {
            write!(xml, "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>").unwrap();
        }
        xml.push_str("</ListBucketResult>");
        Page::parse(xml.as_bytes()).unwrap()
    }

    fn names(rows: &Rows) -> Vec<&str> {
        (0..rows.len()).filter_map(|index| rows.get(index)).map(|row| row.name).collect()
    }

    #[test]
    fn pages_fall_into_their_places() {
        let none = FilterInput::default();
        let mut rows = Rows::default();
        rows.add(&page(&[("p/a", 1), ("p/c", 9)], &["p/b/"]), "p/", &none);
        let came = rows.add(&page(&[("p/f", 5)], &["p/d/", "p/e/"]), "p/", &none);
        assert_eq!(names(&rows), ["b/", "d/", "e/", "a", "c", "f"]);
        let f = rows.find("f", &came).unwrap();
        assert_eq!(rows.position(f), Some(5));
        rows.sort_by(Sort::Size, false);
        assert_eq!(names(&rows), ["b/", "d/", "e/", "c", "f", "a"]);
        assert_eq!(rows.position(f), Some(4), "it is the same row elsewhere");
        rows.add(&page(&[("p/g", 7)], &[]), "p/", &none);
        assert_eq!(names(&rows), ["b/", "d/", "e/", "c", "g", "f", "a"]);
        rows.sort_by(Sort::Name, true);
        assert_eq!(names(&rows), ["e/", "d/", "b/", "g", "f", "c", "a"]);
        assert_eq!((rows.objects(), rows.bytes(), rows.total()), (4, 22, 7));
        assert_eq!(rows.find("a", &came), None, "it did not come with that page");
    }

    #[test]
    fn the_prefix_itself_is_no_row() {
        let mut rows = Rows::default();
        rows.add(&page(&[("p/", 0), ("p/x", 1)], &[]), "p/", &FilterInput::default());
        assert_eq!(names(&rows), ["x"]);
    }

    #[test]
    fn a_filter_holds_for_what_comes_later() {
        let mut filter = FilterInput::default();
        filter.paste("LOG");
        let mut rows = Rows::default();
        rows.add(&page(&[("a.log", 1), ("b.txt", 1)], &[]), "", &FilterInput::default());
        rows.narrow(&filter, false);
        rows.add(&page(&[("c.log", 1), ("d.txt", 1)], &[]), "", &filter);
        assert_eq!(names(&rows), ["a.log", "c.log"]);
        rows.narrow(&FilterInput::default(), false);
        assert_eq!(names(&rows), ["a.log", "b.txt", "c.log", "d.txt"]);
    }

    proptest! {
        #[test]
        fn merging_is_sorting(
            sizes in proptest::collection::vec(
                proptest::collection::vec((0_u64..9, any::<bool>()), 0..12), 1..6),
            by in 0_usize..3,
            reversed: bool,
        ) {
            let sort = [Sort::Name, Sort::Size, Sort::Time][by];
            let mut merged = Rows { sort, reversed, ..Rows::default() };
            let mut number = 0;
            for sizes in sizes {
                let mut objects = Vec::new();
                let mut prefixes = Vec::new();
                for (size, is_prefix) in sizes {
                    number += 1;
                    if is_prefix {
                        prefixes.push(format!("{number:03}/"));
                    } else {
                        objects.push((format!("{number:03}"), size));
                    }
                }
                let objects: Vec<_> = objects.iter().map(|(key, size)| (key.as_str(), *size)).collect();
                let prefixes: Vec<_> = prefixes.iter().map(String::as_str).collect();
                merged.add(&page(&objects, &prefixes), "", &FilterInput::default());
            }
            let by_merging: Vec<String> = names(&merged).into_iter().map(str::to_owned).collect();
            merged.sort_by(sort, reversed);
            prop_assert_eq!(by_merging, names(&merged));
        }
    }
}
