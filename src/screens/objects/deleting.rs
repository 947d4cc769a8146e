//! Deleting what is marked: counted and asked about first, and told of as it goes.

use std::collections::BTreeSet;

use super::go_to::folder_and_name;
use super::{Msg, Objects};
use crate::base::units;
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::marked::{DeleteMarked, Marked, MeasurePrefixes};
use crate::ops::objects::Deleted;
use crate::ops::usage::Usage;
use crate::ops::versions::{TakeBack, Versioning};
use crate::oss::object::NotDeleted;
use crate::oss::versions::Marker;
use crate::screens::changed::{self, Changed};
use crate::screens::unlock::when_locked;
use crate::tui::effect::Effect;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;
use crate::tui::widget::confirm::Confirm;

/// Names that a question lists.
const NAMED: usize = 6;

/// Objects whose deletion is remembered, to be taken back.
const UNDOABLE: u64 = 100_000;

/// How far a deletion is.
#[derive(Debug, Default)]
pub(super) struct Deletion {
    pub(super) gone: u64,
    left: u64,
    /// The first of those that stayed.
    example: Option<NotDeleted>,
    /// The delete markers that were left.
    markers: Vec<Marker>,
}

impl Objects {
    /// Counts what is not in the list, and looks whether the bucket keeps versions, before it
    /// asks.
    pub(super) fn ask_delete(&self) -> Step<Self> {
        let Some(marked) = self.marked() else { return Step::none() };
        let (place, prefixes) = (self.place.clone(), marked.prefixes.clone());
        let has_below = !prefixes.is_empty();
        let job = MeasurePrefixes { place, prefixes };
        let ask = Step::run(Effect::latest("measure", job, move |out| Msg::Measured(marked, out)));
        if has_below { ask.and_toast(Tone::Neutral, "counting what lies below") } else { ask }
    }

    pub(super) fn measured(
        &self,
        marked: Marked,
        measured: Result<(Usage, Versioning), Failure>,
    ) -> Step<Self> {
        match measured {
            Ok((usage, versioning)) => self.confirm_delete(marked, usage, versioning),
            Err(failure) if failure.kind == FailureKind::Cancelled => Step::none(),
            Err(failure) => when_locked(&failure, || Msg::Unlocked)
                .unwrap_or_else(|| Step::toast(Tone::Bad, &failure.to_string())),
        }
    }

    /// `below` is what lies in its prefixes.
    fn confirm_delete(&self, marked: Marked, below: Usage, versioning: Versioning) -> Step<Self> {
        let objects = marked.objects.len() as u64 + below.objects;
        let count = units::counted(objects, "object");
        let title = match marked.names().next() {
            Some(name) if marked.len() == 1 => format!("Delete {name}?"),
            _ => format!("Delete {count}?"),
        };
        let buttons = ["Delete", "Keep"];
        if let ([key], []) = (&marked.objects[..], &marked.prefixes[..]) {
            let key = visible(key.as_str());
            let text =
                format!("{key}\n\nIt is gone from the bucket for everybody.{}", kept(versioning));
            let question = Confirm::new(&title, text, buttons);
            return Step::ask(question, move |()| Msg::DeleteConfirmed(marked));
        }
        if objects == 0 {
            return Step::toast(Tone::Warning, "nothing lies there any more: R lists anew");
        }
        let mut text = String::new();
        for key in marked.keys().take(NAMED) {
            text.extend([visible(key).as_str(), "\n"]);
        }
        if let Some(more @ 1..) = marked.len().checked_sub(NAMED) {
            text.extend(["and ", &units::count(more as u64), " more\n"]);
        }
        let bytes = units::bytes(self.marked_bytes().saturating_add(below.bytes));
        let verb = if objects == 1 { "is" } else { "are" };
        text.extend([
            "\n",
            &count,
            ", ",
            &bytes,
            ", ",
            verb,
            " gone from the bucket for everybody.",
            kept(versioning),
        ]);
        // what can be typed: a prefix may hold what no keyboard has
        let own = marked.names().next().filter(|name| marked.len() == 1 && is_typeable(name));
        let bucket = self.bucket().map(ToString::to_string);
        let typed = own.map(ToOwned::to_owned).or(bucket).unwrap_or_else(|| "delete".to_owned());
        let question = Confirm::new(&title, text, buttons).typed(&typed);
        Step::ask(question, move |()| Msg::DeleteConfirmed(marked))
    }

    pub(super) fn delete(&mut self, marked: Marked) -> Step<Self> {
        self.deletion = Some(Deletion::default());
        self.undo.clear();
        let job = DeleteMarked { marked: marked.clone() };
        let ended = move |outcome| Msg::Deleted(marked, outcome);
        Step::run(Effect::exclusive_stream("delete", job, Msg::Removed, ended))
    }

    /// Takes the last deletion back.
    pub(super) fn take_back(&mut self) -> Step<Self> {
        let (place, markers) = (self.place.clone(), self.undo.clone());
        Step::run(Effect::exclusive("take-back", TakeBack { place, markers }, Msg::TakenBack))
    }

    pub(super) fn taken_back(
        &mut self,
        outcome: Result<(u64, Option<Failure>), Failure>,
    ) -> Step<Self> {
        match outcome {
            Ok((count, why)) => {
                let folders: BTreeSet<&str> =
                    self.undo.iter().map(|marker| folder_and_name(&marker.key).0).collect();
                let folders = folders.into_iter().map(|key| (self.place.clone(), key.to_owned()));
                let changed = Changed::at(folders);
                // those that stayed are tried again
                if why.is_none() {
                    self.undo.clear();
                }
                let said = format!("{} back", units::counted(count, "object"));
                let step = changed::told(self.list(), &changed);
                match why {
                    None => step.and_toast(Tone::Good, &said),
                    Some(why) => step.and_toast(Tone::Bad, &format!("{said}; {why}")),
                }
            }
            Err(failure) => when_locked(&failure, || Msg::UndoUnlocked)
                .unwrap_or_else(|| Step::toast(Tone::Bad, &failure.to_string())),
        }
    }

    pub(super) fn removed(&mut self, removed: Deleted) {
        if let Some(deletion) = &mut self.deletion {
            deletion.gone += removed.keys.len() as u64;
            deletion.left += removed.left.len() as u64;
            if deletion.example.is_none() {
                deletion.example = removed.left.into_iter().next();
            }
            if deletion.gone <= UNDOABLE {
                deletion.markers.extend(removed.markers);
            } else {
                // part of them would be half an undo
                deletion.markers = Vec::new();
            }
        }
    }

    pub(super) fn deleted(&mut self, marked: Marked, ended: Result<(), Failure>) -> Step<Self> {
        let Deletion { gone, left, example, markers } = self.deletion.take().unwrap_or_default();
        self.undo = markers;
        let failure = match ended {
            Err(failure) if gone == 0 && left == 0 => {
                return when_locked(&failure, || Msg::DeleteConfirmed(marked))
                    .unwrap_or_else(|| Step::toast(Tone::Bad, &failure.to_string()));
            }
            ended => ended.err(),
        };
        let is_one = marked.len() == 1 && marked.prefixes.is_empty();
        let said = match (marked.names().next(), gone) {
            (Some(name), 1) if is_one => format!("{} is deleted", visible(name)),
            _ => format!("deleted {}", units::counted(gone, "object")),
        };
        let why = match (failure, example) {
            (Some(failure), _) => Some(failure.to_string()),
            (None, Some(NotDeleted { key, code, message })) => {
                let (key, code, message) = (visible(&key), visible(&code), visible(&message));
                Some(format!("{} stayed, {key}: {message} ({code})", units::count(left)))
            }
            (None, None) => None,
        };
        self.seek = self.selected().map(|row| row.name.to_owned());
        let said = if self.undo.is_empty() { said } else { said + ": z takes it back" };
        let keys = marked.keys().map(|key| (self.place.clone(), key.to_owned()));
        let changed = Changed::at(keys);
        let step = changed::told(self.list(), &changed);
        match why {
            None => step.and_toast(Tone::Good, &said),
            Some(why) => step.and_toast(Tone::Bad, &format!("{said}; {why}")),
        }
    }
}

/// What becomes of what is deleted, where that is known to be something.
fn kept(versioning: Versioning) -> &'static str {
    match versioning {
        Versioning::Enabled => " The bucket keeps its versions: z takes it back, v shows them.",
        Versioning::Suspended => {
            " The bucket keeps no versions now: what was written since then is lost."
        }
        Versioning::Never => " The bucket keeps no versions: nothing takes it back.",
        Versioning::Unknown => "",
    }
}

/// Whether it is what it looks like.
fn is_typeable(name: &str) -> bool {
    name.is_ascii() && visible(name).as_str() == name
}
