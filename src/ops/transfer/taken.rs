//! Which keys of a destination are taken, listed once for all that is copied there: a request for
//! each would take as long as the copies.

use std::collections::HashSet;

use super::{Copy, CopyEvent, Doors, Ends, Remote};
use crate::base::job::Context;
use crate::ops::failure::Failure;
use crate::ops::objects::{Place, until_cancelled};
use crate::ops::world::World;
use crate::oss::listing::ListRequest;

/// For fewer each is asked about by itself.
const FEWEST: usize = 8;
/// Copies for which one more page may be listed: beyond it asking for each is no slower.
const A_PAGE: usize = 8;

/// The keys that were there when the copies began.
#[derive(Debug)]
pub(super) struct Taken {
    place: Place,
    keys: HashSet<String>,
}

impl Taken {
    /// What lies below the destination of `copies`; nothing where that is too much to list for
    /// them, or they go to several places.
    pub(super) async fn look(
        context: &Context<World, CopyEvent>,
        doors: &Doors,
        copies: &[Copy],
    ) -> Result<Option<Self>, Failure> {
        let ends = copies.iter().filter_map(|copy| match &copy.ends {
            Ends::Upload { to, .. } | Ends::Server { to, .. } => Some(to),
            Ends::Download { .. } => None,
        });
        let ends: Vec<&Remote> = ends.collect();
        let Some(first) = ends.first().filter(|_| ends.len() >= FEWEST) else { return Ok(None) };
        if ends.iter().any(|end| end.place != first.place) {
            return Ok(None);
        }
        let place = first.place.clone();
        let (client, bucket) = doors.of(&place)?;
        let prefix = common(ends.iter().map(|end| end.key.as_str()));
        let request = ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() };
        let (mut pages, mut keys) = (client.walk(bucket, request), HashSet::new());
        let mut left = ends.len() / A_PAGE;
        while let Some(page) = until_cancelled(context, pages.next()).await? {
            // who may write need not be allowed to list
            let Ok(page) = page else { return Ok(None) };
            keys.extend(page.value.entries().map(|entry| entry.key.to_owned()));
            if left == 0 {
                return Ok(None);
            }
            left -= 1;
        }
        Ok(Some(Self { place, keys }))
    }

    /// Whether an object has this key; nothing of places that were not listed.
    pub(super) fn has(&self, place: &Place, key: &str) -> Option<bool> {
        (self.place == *place).then(|| self.keys.contains(key))
    }
}

/// What all of `keys` begin with.
fn common<'a>(mut keys: impl Iterator<Item = &'a str>) -> &'a str {
    let first = keys.next().unwrap_or_default();
    keys.fold(first, |common, key| {
        let same = common.char_indices().zip(key.chars()).find(|((_, one), other)| one != other);
        let length = same.map_or(common.len().min(key.len()), |((at, _), _)| at);
        common.get(..length).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_beginning_ends_between_characters() {
        let of = |keys: &[&'static str]| common(keys.iter().copied());
        assert_eq!(of(&["a/b/c", "a/b/d", "a/bc"]), "a/b");
        assert_eq!(of(&["a/é", "a/è"]), "a/");
        assert_eq!(of(&["a", "abc"]), "a");
        assert_eq!(of(&["abc", "a"]), "a");
        assert_eq!(of(&["x", "y"]), "");
        assert_eq!(of(&[]), "");
    }
}
