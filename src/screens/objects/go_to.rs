//! From prefix to prefix: in and out, back and forth, and to a place that was typed or pasted: a
//! URI, a store's key, an address of the web.

use super::{LISTED_ANEW, Marks, Msg, NO_KEY, Objects, Spot};
use crate::ops::failure::Failure;
use crate::ops::location::Locate;
use crate::ops::objects::Place;
use crate::screens::ask::Ask;
use crate::screens::changed::Changed;
use crate::screens::viewer::Viewer;
use crate::tui::effect::Effect;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;

pub(super) fn ask() -> Step<Objects> {
    let help = "STORE:KEY, s3://BUCKET/KEY, @BOOKMARK or an address; pasting works without this";
    Step::ask(Ask::text("Go to", "place", help), Msg::PlaceNamed)
}

pub(super) fn folder_and_name(key: &str) -> (&str, Option<String>) {
    let (folder, name) = key.split_at(key.rfind('/').map_or(0, |slash| slash + 1));
    (folder, (!name.is_empty()).then(|| name.to_owned()))
}

impl Objects {
    pub(super) fn go(&mut self, prefix: String, select: Option<String>) -> Step<Self> {
        self.prefix = prefix;
        self.is_flat = false;
        self.marks = Marks::default();
        self.filter.clear();
        self.scroll.select(0);
        self.seek = select;
        self.list().and_cancel("preview")
    }

    pub(super) fn spot(&self) -> Spot {
        let selected = self.selected().map(|row| row.name.to_owned()).unwrap_or_default();
        Spot { prefix: self.prefix.clone(), selected }
    }

    /// Goes to a prefix, from where one can come back.
    pub(super) fn enter(&mut self, prefix: String, select: Option<String>) -> Step<Self> {
        self.back.push(self.spot());
        self.forward.clear();
        self.go(prefix, select)
    }

    pub(super) fn back(&mut self) -> Step<Self> {
        let Some(spot) = self.back.pop() else { return Step::none() };
        self.forward.push(self.spot());
        self.go(spot.prefix, Some(spot.selected))
    }

    pub(super) fn forward(&mut self) -> Step<Self> {
        let Some(spot) = self.forward.pop() else { return Step::none() };
        self.back.push(self.spot());
        self.go(spot.prefix, Some(spot.selected))
    }

    pub(super) fn up(&mut self) -> Step<Self> {
        let inner = self.prefix.strip_suffix('/').unwrap_or(&self.prefix);
        let cut = inner.rfind('/').map_or(0, |slash| slash + 1);
        let (parent, child) = self.prefix.split_at(cut);
        let (parent, child) = (parent.to_owned(), child.to_owned());
        self.enter(parent, Some(child))
    }

    pub(super) fn open(&mut self) -> Step<Self> {
        let Some(row) = self.selected() else { return Step::none() };
        if row.object.is_none() {
            let prefix = format!("{}{}", self.prefix, row.name);
            return self.enter(prefix, None);
        }
        match self.selected_key() {
            Some(key) => {
                let listed = self.rows.version(self.scroll.selected());
                Step::open(Viewer::new(self.remote(key)).listed_as(listed))
            }
            None => Step::toast(Tone::Warning, NO_KEY),
        }
    }

    /// Something wrote to these keys and prefixes: where the list shows them it is asked for anew.
    pub(super) fn changed(&mut self, changed: &Changed) -> Step<Self> {
        if !changed.touches((&self.place, self.bucket()), &self.prefix) {
            return Step::none();
        }
        if self.rows.total() > LISTED_ANEW {
            return Step::toast(Tone::Neutral, "this list is not as it was: R lists anew");
        }
        let spot = self.spot();
        let selected = format!("{}{}", spot.prefix, spot.selected);
        // what was moved is looked for under its new name
        let renamed = match changed.keys() {
            [(_, to), from @ ..] if from.iter().any(|(_, key)| *key == selected) => {
                let name = to.strip_prefix(&self.prefix);
                name.and_then(|name| name.split_inclusive('/').next()).map(ToOwned::to_owned)
            }
            _ => None,
        };
        self.seek = Some(renamed.unwrap_or(spot.selected));
        self.list()
    }

    pub(super) fn locate(&self, text: String) -> Step<Self> {
        let job = Locate { text, near: self.place.clone() };
        Step::run(Effect::latest("locate", job, Msg::Located))
    }

    /// Goes to the folder of a key, and selects the key there.
    pub(super) fn located(&mut self, found: Result<(Place, String), Failure>) -> Step<Self> {
        let (place, key) = match found {
            Ok(found) => found,
            Err(failure) => return Step::toast(Tone::Bad, &failure.to_string()),
        };
        if place != self.place {
            return Step::open(Self::at_key(place, &key));
        }
        let (prefix, name) = folder_and_name(&key);
        self.enter(prefix.to_owned(), name)
    }

    /// The folder of a key, with the key selected.
    pub fn at_key(place: Place, key: &str) -> Self {
        let (prefix, name) = folder_and_name(key);
        Self { seek: name, ..Self::at(place, prefix.to_owned()) }
    }
}
