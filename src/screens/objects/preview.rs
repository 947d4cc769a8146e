//! The pane beside the rows: a preview that follows the cursor.

use std::collections::BTreeMap;

use super::{Msg, Objects};
use crate::model::object_key::ObjectKey;
use crate::model::preview::{FIRST_READ, Preview};
use crate::ops::failure::Failure;
use crate::ops::objects::PreviewObject;
use crate::screens::viewer::content::Reading;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::Move;
use crate::tui::screen::Step;

/// Previews that are kept for coming back; each is up to 256 KiB, and of a picture up to 2 MiB.
const KEPT: usize = 16;

/// What the pane has to show.
#[derive(Debug, Default)]
pub(super) struct Pane {
    /// By key, so that going back shows at once what was read already.
    pub(super) read: BTreeMap<ObjectKey, Result<Reading, Failure>>,
}

impl Objects {
    /// What was read of the selected object.
    pub(super) fn reading(&self) -> Option<&Result<Reading, Failure>> {
        self.pane.as_ref()?.read.get(&self.selected_key()?)
    }

    pub(super) fn scroll_preview(&mut self, to: Move) {
        let key = self.selected_key();
        let read = self.pane.as_mut().zip(key).and_then(|(pane, key)| pane.read.get_mut(&key));
        if let Some(Ok(reading)) = read {
            reading.act(to);
        }
    }

    /// Reads for the pane what the cursor stands on, unless it was read already.
    pub(super) fn read_selected(&mut self) -> Step<Self> {
        let (key, listed) = (self.selected_key(), self.rows.version(self.scroll.selected()));
        let Some(pane) = &mut self.pane else { return Step::none() };
        let Some(key) = key.filter(|key| !pane.read.contains_key(key)) else {
            return Step::cancel("preview");
        };
        let (place, limit) = (self.place.clone(), FIRST_READ);
        let job = PreviewObject { place, key: key.clone(), version: None, limit, listed };
        Step::run(Effect::latest("preview", job, move |out| Msg::Previewed(key, out)))
    }

    /// Reads again what was not readable.
    pub(super) fn read_anew(&mut self) -> Step<Self> {
        if let Some(pane) = &mut self.pane {
            pane.read.retain(|_, read| read.is_ok());
        }
        self.read_selected()
    }

    pub(super) fn previewed(&mut self, key: ObjectKey, out: Outcome<Result<Preview, Failure>>) {
        if let (Some(pane), Outcome::Done(read)) = (&mut self.pane, out) {
            if pane.read.len() >= KEPT {
                pane.read.clear();
            }
            pane.read.insert(key, read.map(Reading::new));
        }
    }
}
