//! Renaming, moving and copying what is marked, on the server.

use super::{Marks, Msg, Objects};
use crate::base::visible::visible;
use crate::model::object_key::ObjectKey;
use crate::ops::location::Locate;
use crate::ops::marked::Marked;
use crate::ops::objects::Place;
use crate::ops::transfer::{Many, Remote, RunMany, Target};
use crate::screens::ask::Ask;
use crate::screens::transfers::{self, Batch};
use crate::tui::effect::Effect;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;

/// What becomes of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// They stay.
    Copy,
    /// They go, each once its copy is there and was held against it.
    Move,
}

impl Objects {
    /// Asks where to: the whole key of one is filled in, of several the prefix they lie in.
    pub(super) fn ask_target(&self, verb: Verb) -> Step<Self> {
        let Some(mut marked) = self.marked() else { return Step::none() };
        let word = match verb {
            Verb::Copy => "Copy",
            Verb::Move => "Rename or move",
        };
        let title = format!("{word} {}", super::on_object::said(&marked));
        let only = marked.keys().next().filter(|_| marked.len() == 1).map(ToOwned::to_owned);
        if let ([], [prefix]) = (&marked.objects[..], &marked.prefixes[..]) {
            // what lies below it goes below the new one
            marked.within.clone_from(prefix);
        }
        let initial = only.unwrap_or_else(|| self.prefix.clone());
        let help = match marked.len() {
            1 => "a key of this bucket, or s3://BUCKET/KEY of another",
            _ => "a prefix of this bucket, or s3://BUCKET/PREFIX of another",
        };
        Step::ask(Ask::key(title, help, &initial), move |text| Msg::TargetNamed(marked, verb, text))
    }

    pub(super) fn find_target(&mut self, marked: Marked, verb: Verb, text: String) -> Step<Self> {
        if !["s3://", "oss://"].iter().any(|scheme| text.starts_with(scheme)) {
            return self.copy_to(marked, verb, self.place.clone(), text);
        }
        let job = Locate { text, near: self.place.clone() };
        let found = move |outcome| Msg::TargetFound(marked, verb, outcome);
        Step::run(Effect::latest("target", job, found))
    }

    pub(super) fn copy_to(
        &mut self,
        marked: Marked,
        verb: Verb,
        place: Place,
        mut key: String,
    ) -> Step<Self> {
        let is_one_object = marked.len() == 1 && marked.prefixes.is_empty();
        if !is_one_object && !key.is_empty() && !key.ends_with('/') {
            key.push('/');
        }
        // several into the prefix where they lie come to be what they are, as one does
        let is_there =
            if is_one_object { marked.keys().next() == Some(&key) } else { marked.within == key };
        if is_there && place == self.place {
            return Step::toast(Tone::Warning, "it is called so already: nothing was done");
        }
        self.marks = Marks::default();
        let (from, to) = (self.source(&marked), self.shown(&place, &key));
        let many = Many::Marked(marked, Target::Key(place, key));
        let job = RunMany { many, moves: verb == Verb::Move, overwrite: false };
        transfers::many(Batch::new(from, to, job))
    }

    /// A key or a prefix as it can be typed again, showable.
    fn shown(&self, place: &Place, key: &str) -> String {
        let store = self.store.as_ref().filter(|_| place.store == self.place.store);
        match ObjectKey::parse(key) {
            Ok(key) => Remote::at(place.clone(), store, key).shown(),
            Err(_) => format!("{}:{}", visible(&place.store), visible(key)),
        }
    }
}
