//! From a key to the artifact versions whose data it is, and back.

use std::collections::HashMap;

/// The key that `uri` names in `bucket`: a folder without its slash, or a file. Nothing where it
/// lies elsewhere, or names the whole bucket.
pub fn key_in<'a>(uri: &'a str, bucket: &str) -> Option<&'a str> {
    let (found, key) = uri.strip_prefix("s3://")?.split_once('/')?;
    let key = key.trim_end_matches('/');
    (found == bucket && !key.is_empty()).then_some(key)
}

/// Whether `key` is `folder` itself or lies below it.
pub fn is_in(key: &str, folder: &str) -> bool {
    key.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Keys that versions have as their place, to find them by what lies below.
///
/// Answers are indexes into what it was made of: several versions may share one place
/// (`register_artifact` takes any), and one place may lie below another.
#[derive(Clone, Debug, Default)]
pub struct Places<'a> {
    by_key: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Places<'a> {
    /// The places `keys`; one that is nothing keeps its index free.
    pub fn new(keys: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut by_key: HashMap<&'a str, Vec<usize>> = HashMap::new();
        for (index, key) in keys.into_iter().enumerate() {
            if let Some(key) = key {
                by_key.entry(key).or_default().push(index);
            }
        }
        Self { by_key }
    }

    /// What `key` is the data of: those with the longest place that it is, or lies below.
    pub fn holding(&self, key: &str) -> &[usize] {
        let nearest = ancestors(key).find_map(|place| self.by_key.get(place));
        nearest.map(Vec::as_slice).unwrap_or_default()
    }

    /// All whose place `key` is, or lies below, the nearest ones first.
    pub fn around<'b>(&'b self, key: &'b str) -> impl Iterator<Item = usize> + 'b {
        ancestors(key).filter_map(|place| self.by_key.get(place)).flatten().copied()
    }
}

/// `a/b/c`, `a/b`, `a`.
fn ancestors(key: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(key);
    std::iter::from_fn(move || {
        let key = next?;
        next = key.rsplit_once('/').map(|(parent, _)| parent);
        Some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_lead_to_keys_of_their_own_bucket() {
        assert_eq!(key_in("s3://b/zen/a/", "b"), Some("zen/a"));
        assert_eq!(key_in("s3://b/zen//a", "b"), Some("zen//a"));
        for elsewhere in ["s3://b2/zen/a", "s3://b", "s3://b/", "gs://b/zen", "/local/zen", ""] {
            assert_eq!(key_in(elsewhere, "b"), None, "{elsewhere}");
        }
    }

    #[test]
    fn the_longest_place_counts_and_only_at_slashes() {
        let places = [Some("zen/a"), Some("zen/a/b"), None, Some("zen/a"), Some("zen/f.csv")];
        let places = Places::new(places);
        assert_eq!(places.holding("zen/a/x"), [0, 3]);
        assert_eq!(places.holding("zen/a/b/x/y"), [1]);
        assert_eq!(places.holding("zen/f.csv"), [4]);
        for none in ["zen/ab", "zen/f.csv.bak", "zen", "", "a"] {
            assert!(places.holding(none).is_empty(), "{none}");
        }
        assert_eq!(places.around("zen/a/b/x").collect::<Vec<_>>(), [1, 0, 3]);
        assert!(is_in("zen/a", "zen/a") && is_in("zen/a/x", "zen/a") && !is_in("zen/ab", "zen/a"));
    }
}
