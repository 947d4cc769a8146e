//! To a place that was typed or pasted: a URI, a store's key, an address of the web.

use super::{Msg, Objects};
use crate::ops::failure::Failure;
use crate::ops::location::Locate;
use crate::ops::objects::Place;
use crate::screens::ask::Ask;
use crate::tui::effect::Effect;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;

pub(super) fn ask() -> Step<Objects> {
    let help = "STORE:KEY, s3://BUCKET/KEY or the address of an object; pasting works without this";
    Step::ask(Ask::text("Go to", "place", help), Msg::PlaceNamed)
}

impl Objects {
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
        let (prefix, name) = key.split_at(key.rfind('/').map_or(0, |slash| slash + 1));
        let name = (!name.is_empty()).then(|| name.to_owned());
        if place != self.place {
            let mut there = Self::at(place, prefix.to_owned());
            there.seek = name;
            return Step::open(there);
        }
        self.back.push(self.spot());
        self.forward.clear();
        self.go(prefix.to_owned(), name)
    }
}
