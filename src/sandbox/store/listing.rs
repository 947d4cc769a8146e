//! One page of a bucket's keys.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{Bucket, Object};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// Keys that begin so.
    pub prefix: &'a str,
    /// Keys with this behind the prefix are told as one common prefix; empty for none.
    pub delimiter: &'a str,
    /// Only what comes after this key or common prefix.
    pub after: &'a str,
    /// At most so many keys and common prefixes together.
    pub limit: usize,
}

/// What is found.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Keys in order.
    pub objects: Vec<(String, Arc<Object>)>,
    /// Common prefixes in order.
    pub prefixes: Vec<String>,
    /// The last key or common prefix of a page that is not the last one.
    pub next: Option<String>,
}

impl Bucket {
    /// The page that `query` asks for.
    pub fn page(&self, query: Query<'_>) -> Page {
        page(&self.objects, query)
    }
}

fn page(objects: &BTreeMap<String, Arc<Object>>, query: Query<'_>) -> Page {
    let mut page = Page::default();
    let mut last: Option<String> = None;
    let from = if query.after >= query.prefix {
        Bound::Excluded(query.after)
    } else {
        Bound::Included(query.prefix)
    };
    // a common prefix that the page before told; a key that is the prefix itself is a plain key
    let told = Some(query.after).filter(|after| {
        !query.delimiter.is_empty()
            && after.ends_with(query.delimiter)
            && after.len() > query.prefix.len()
    });
    for (key, object) in objects.range::<str, _>((from, Bound::Unbounded)) {
        let Some(rest) = key.strip_prefix(query.prefix) else { break };
        if told.is_some_and(|told| key.starts_with(told)) {
            continue;
        }
        let common = (!query.delimiter.is_empty())
            .then(|| rest.split_once(query.delimiter))
            .flatten()
            .map(|(front, _)| format!("{}{front}{}", query.prefix, query.delimiter));
        if common.is_some() && common.as_ref() == page.prefixes.last() {
            continue;
        }
        if page.objects.len() + page.prefixes.len() >= query.limit {
            // no key asked for, none left out
            page.next = last;
            break;
        }
        last = Some(common.clone().unwrap_or_else(|| key.clone()));
        match common {
            Some(common) => page.prefixes.push(common),
            None => page.objects.push((key.clone(), Arc::clone(object))),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::super::Description;
    use super::*;

    fn keys(keys: &[&str]) -> BTreeMap<String, Arc<Object>> {
        let object =
            Arc::new(Object::new(Bytes::new(), OffsetDateTime::UNIX_EPOCH, Description::default()));
        keys.iter().map(|key| ((*key).to_owned(), Arc::clone(&object))).collect()
    }

    fn all(
        objects: &BTreeMap<String, Arc<Object>>,
        query: Query<'_>,
    ) -> (Vec<String>, Vec<String>) {
        let (mut found, mut prefixes) = (Vec::new(), Vec::new());
        let mut after = query.after.to_owned();
        loop {
            let page = page(objects, Query { after: &after, ..query });
            assert!(page.objects.len() + page.prefixes.len() <= query.limit);
            found.extend(page.objects.into_iter().map(|(key, _)| key));
            prefixes.extend(page.prefixes);
            let Some(next) = page.next else { return (found, prefixes) };
            assert!(next > after, "no progress after {next:?}");
            after = next;
        }
    }

    #[test]
    fn folders_are_told_once_whatever_the_page() {
        let objects = keys(&["a", "a/", "a//b", "a/c", "b/1", "b/2", "b0", "c"]);
        for limit in 1..9 {
            let query = Query { delimiter: "/", limit, ..Query::default() };
            assert_eq!(
                all(&objects, query),
                (vec!["a".into(), "b0".into(), "c".into()], vec!["a/".into(), "b/".into()])
            );
            let below = Query { prefix: "a/", ..query };
            assert_eq!(all(&objects, below), (vec!["a/".into(), "a/c".into()], vec!["a//".into()]));
        }
    }

    #[test]
    fn nothing_asked_for_is_a_whole_answer() {
        let page = page(&keys(&["a"]), Query::default());
        assert!(page.objects.is_empty() && page.next.is_none());
    }

    proptest! {
        #[test]
        fn pages_hold_every_key_once(names in prop::collection::btree_set("[ab/\u{e9}]{1,6}", 0..40), limit in 1..7_usize) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (found, _) = all(&keys(&names), Query { limit, ..Query::default() });
            prop_assert_eq!(found, names);
        }

        #[test]
        fn every_key_is_told_or_below_a_told_prefix(names in prop::collection::btree_set("[ab/]{1,6}", 0..40), limit in 1..7_usize) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let (found, prefixes) = all(&keys(&names), Query { limit, delimiter: "/", ..Query::default() });
            let mut folders: Vec<String> = names.iter().filter_map(|name| Some(format!("{}/", name.split_once('/')?.0))).collect();
            folders.dedup();
            prop_assert_eq!(prefixes, folders);
            let plain: Vec<&str> = names.into_iter().filter(|name| !name.contains('/')).collect();
            prop_assert_eq!(found, plain);
        }
    }
}
