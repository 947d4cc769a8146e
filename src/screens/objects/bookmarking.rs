//! Places that are remembered by a name.

use super::{Msg, Objects};
use crate::base::visible::visible;
use crate::model::name::Name;
use crate::ops::bookmarks::{
    AddBookmark, Bookmark, ListBookmarks, ListedBookmarks, RemoveBookmark,
};
use crate::ops::failure::Failure;
use crate::screens::ask::Ask;
use crate::screens::bookmarks::forget;
use crate::tui::effect::Effect;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;

/// Characters of a name that is offered.
const OFFERED: usize = 40;

impl Objects {
    /// Bookmarks the prefix one is in, or forgets that.
    pub(super) fn bookmark_prefix(&self) -> Step<Self> {
        look_up(self.prefix.clone())
    }

    /// The same of the selected row.
    pub(super) fn bookmark_row(&self) -> Step<Self> {
        let row = self.selected().map(|row| format!("{}{}", self.prefix, row.name));
        row.map_or_else(Step::none, look_up)
    }

    /// Asks for a name; of a place that has one already, whether it is to be forgotten.
    pub(super) fn bookmarks_read(
        &self,
        key: String,
        read: Result<ListedBookmarks, Failure>,
    ) -> Step<Self> {
        let ListedBookmarks { bookmarks, catalog } = match read {
            Ok(read) => read,
            Err(failure) => return Step::toast(Tone::Bad, &failure.to_string()),
        };
        let bucket = self.place.bucket(&catalog);
        let is_here = |one: &&Bookmark| {
            one.store == self.place.store && Some(&one.bucket) == bucket.as_ref() && one.key == key
        };
        let Some(here) = bookmarks.all().iter().find(is_here) else {
            return self.ask_bookmark(key);
        };
        let (name, question) = (here.name.clone(), forget(here));
        Step::ask(question, |()| Msg::ForgetBookmark(name))
    }

    fn ask_bookmark(&self, key: String) -> Step<Self> {
        let last = key.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let shown = if last.is_empty() { self.place.store.as_str() } else { last };
        let title = format!("Bookmark {}", visible(shown));
        let ask = Ask::name(title, &offered(shown));
        Step::ask(ask, |name| Msg::BookmarkNamed(name, key))
    }

    pub(super) fn add_bookmark(&self, name: Name, key: String) -> Step<Self> {
        let job = AddBookmark { name, place: self.place.clone(), key };
        Step::run(Effect::exclusive("bookmarks-file", job, Msg::Bookmarked))
    }
}

fn look_up(key: String) -> Step<Objects> {
    let read = |outcome| Msg::BookmarksRead(key, outcome);
    Step::run(Effect::latest("bookmarks", ListBookmarks, read))
}

pub(super) fn remove_bookmark(name: Name) -> Step<Objects> {
    let job = RemoveBookmark { name: name.to_string() };
    let done = move |outcome| Msg::BookmarkForgotten(name, outcome);
    Step::run(Effect::exclusive("bookmarks-file", job, done))
}

pub(super) fn bookmarked(added: Result<Bookmark, Failure>) -> Step<Objects> {
    match added {
        Ok(Bookmark { name, .. }) => {
            Step::toast(Tone::Good, &format!("bookmarked as {name}: ' lists, @{name} leads here"))
        }
        Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
    }
}

/// A name like `text`, of what may stand in one.
fn offered(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    let name: String =
        text.chars().take(OFFERED).map(|letter| if fits(letter) { letter } else { '_' }).collect();
    name.trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_a_name() {
        for text in ["a.b c", "--x", "\u{202e}中", &"x".repeat(2000)] {
            assert!(Name::parse(&offered(text)).is_ok(), "{text}");
        }
        assert_eq!(offered("model.pkl"), "model_pkl");
    }
}
