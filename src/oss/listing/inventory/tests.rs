use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

pub(super) fn page(objects: &[(&str, u64)], prefixes: &[&str]) -> Page {
    let mut xml = String::from(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>b-1</Name><Prefix></Prefix>\
         <MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>",
    );
    for (key, size) in objects {
        let second = size % 60;
        write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>2026-03-15T10:20:{second:02}.000Z\
             </LastModified><ETag>\"x\"</ETag><Size>{size}</Size>\
             <StorageClass>Standard</StorageClass></Contents>"
        )
        .unwrap();
    }
    for prefix in prefixes {
        write!(xml, "<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>").unwrap();
    }
    xml.push_str("</ListBucketResult>");
    Page::parse(xml.as_bytes()).unwrap()
}

fn names<'a>(inventory: &'a Inventory, rows: &[RowId]) -> Vec<&'a str> {
    rows.iter().map(|id| inventory.row(*id).unwrap().name).collect()
}

const ALL: [Sort; 4] = [Sort::Name, Sort::Size, Sort::Time, Sort::Class];

#[test]
fn pages_that_come_late_stand_where_they_belong() {
    let mut inventory = Inventory::default();
    inventory.add(page(&[("e", 3), ("f", 1)], &["d/"]));
    inventory.add(page(&[("b", 2)], &["a/"]));
    let by = |by, reversed| inventory.sorted(Sorting { by, reversed });
    assert_eq!(names(&inventory, &by(Sort::Name, false)), ["a/", "d/", "b", "e", "f"]);
    assert_eq!(names(&inventory, &by(Sort::Name, true)), ["d/", "a/", "f", "e", "b"]);
    assert_eq!(names(&inventory, &by(Sort::Size, false)), ["a/", "d/", "e", "b", "f"]);
}

#[test]
fn the_prefix_itself_is_no_row() {
    let mut inventory = Inventory::below("p/");
    let came = inventory.add(page(&[("p/", 0), ("p/x", 1)], &[]));
    assert_eq!(names(&inventory, &came), ["x"]);
    assert_eq!(inventory.sorted(Sorting::default()), came);
    let all = Pattern::words("");
    let found = inventory.find(&all, 0..1, Sorting::default());
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), came);
}

/// Pages of rows with those sizes, or prefixes, all in the order of keys.
fn pages(rows: &[Vec<(u64, bool)>]) -> Vec<Page> {
    let mut number = 0;
    rows.iter()
        .map(|rows| {
            let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
            for (size, is_prefix) in rows {
                number += 1;
                if *is_prefix {
                    prefixes.push(format!("p/{number:03}/"));
                } else {
                    objects.push((format!("p/{number:03}"), *size));
                }
            }
            let objects: Vec<_> = objects.iter().map(|(key, size)| (key.as_str(), *size)).collect();
            page(&objects, &prefixes.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect()
}

proptest! {
    #[test]
    fn merging_the_first_and_sorting_agree(
        rows in proptest::collection::vec(
            proptest::collection::vec((0_u64..9, any::<bool>()), 0..12), 1..6),
        by in 0_usize..4,
        reversed: bool,
        shuffled in any::<prop::sample::Index>(),
        first in 0_usize..20,
        needle in "[0-3/]{0,2}",
    ) {
        let sorting = Sorting { by: ALL[by], reversed };
        let mut pages = pages(&rows);
        let turn = shuffled.index(pages.len());
        pages.rotate_left(turn);
        let mut inventory = Inventory::below("p/");
        let mut merged = Vec::new();
        for page in pages {
            let mut more = inventory.add(page);
            inventory.sort(sorting, &mut more);
            inventory.merge(sorting, &mut merged, &more);
        }
        let sorted = inventory.sorted(sorting);
        prop_assert_eq!(&merged, &sorted);
        let top = inventory.first(sorting, first);
        prop_assert!(top.len() >= first.min(sorted.len()) && sorted.starts_with(&top));
        for (at, id) in sorted.iter().enumerate() {
            prop_assert_eq!(inventory.position(sorting, &sorted, *id), Some(at));
        }
        let pattern = Pattern::words(&needle);
        let found = inventory.find(&pattern, 0..inventory.pages(), sorting);
        let matching = sorted.iter().copied().filter(|id| {
            inventory.row(*id).is_some_and(|row| row.name.contains(&needle))
        });
        let found: Vec<RowId> = found.iter().map(|row| row.id).collect();
        prop_assert_eq!(found, matching.collect::<Vec<_>>());

        // letters: the best first by name, wherever their pages came from; else as asked for
        let letters = Pattern::parse(&format!("~{needle}")).unwrap();
        let mut found = Vec::new();
        for page in (0..inventory.pages()).rev() {
            let more = inventory.find(&letters, page..page + 1, sorting);
            inventory.merge(sorting, &mut found, &more);
        }
        let mut ranked: Vec<RowId> = sorted.iter().copied()
            .filter(|id| letters.matches(inventory.row(*id).unwrap().name))
            .collect();
        if sorting == Sorting::default() {
            ranked.sort_by_key(|id| letters.rank(inventory.row(*id).unwrap().name));
        }
        for (at, row) in found.iter().enumerate() {
            prop_assert_eq!(inventory.matching(&letters, row.id), Some(*row));
            prop_assert_eq!(inventory.position(sorting, &found, *row), Some(at));
        }
        prop_assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), ranked);
    }
}
