//! What is done with one object, and how one comes here.

use std::path::Path;
use std::time::Duration;

use super::{Command, Msg, Objects, uri};
use crate::base::visible::visible;
use crate::model::object_key::ObjectKey;
use crate::ops::artifacts::Which;
use crate::ops::failure::Failure;
use crate::ops::objects::{DeleteObject, Link, PresignObject};
use crate::ops::transfer::Copy;
use crate::screens::artifact::ArtifactView;
use crate::screens::details::Details;
use crate::screens::transfers::{self, Transfers};
use crate::tui::effect::Effect;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;
use crate::tui::widget::confirm::Confirm;

/// How long a shared link works.
const LINK_LIFE: Duration = Duration::from_hours(1);

impl Objects {
    pub(super) fn on_object(&self, command: Command) -> Step<Self> {
        let Some(key) = self.selected_key() else { return Step::none() };
        let place = self.place.clone();
        match command {
            Command::Details => Step::open(Details::new(place, key)),
            Command::Download => {
                Step::ask(transfers::ask_folder(&key), move |folder| Msg::FolderNamed(key, folder))
            }
            Command::Share => {
                let job = PresignObject { place, key, expires: LINK_LIFE };
                Step::run(Effect::latest("share", job, Msg::Presigned))
            }
            Command::Delete => {
                let title = format!("Delete {}?", key.file_name());
                let text = format!(
                    "{}\n\nIt is gone from the bucket for everybody.",
                    visible(key.as_str())
                );
                let question = Confirm::new(&title, text, ["Delete", "Keep"]);
                Step::ask(question, move |()| Msg::DeleteConfirmed(key))
            }
            Command::CopyUri => match uri(&self.place, self.store.as_ref(), &key) {
                Some(uri) => Step::copy(&uri),
                None => Step::none(),
            },
            _ => Step::none(),
        }
    }

    /// The artifact that the selected object or prefix is data of.
    pub(super) fn artifact(&self) -> Step<Self> {
        let (Some(row), Some(bucket)) = (self.selected(), self.bucket()) else {
            return Step::none();
        };
        let uri = format!("s3://{bucket}/{}{}", self.prefix, row.name);
        Step::open(ArtifactView::new(self.zenml.clone(), Which::Uri(uri)))
    }

    pub(super) fn delete(&self, key: ObjectKey) -> Step<Self> {
        let job = DeleteObject { place: self.place.clone(), key: key.clone() };
        Step::run(Effect::exclusive("delete", job, move |outcome| Msg::Deleted(key, outcome)))
    }

    pub(super) fn upload(&self, file: &Path) -> Step<Self> {
        let name = file.file_name().and_then(|name| name.to_str());
        let key = name.map(|name| ObjectKey::parse(&format!("{}{name}", self.prefix)));
        match key {
            Some(Ok(key)) => {
                let copy = Copy::upload(file, self.remote(key));
                Step::post::<Transfers>(transfers::Msg::Asked(copy))
                    .and_toast(Tone::Neutral, "uploading: tab 5 shows how far it is; R lists anew")
            }
            Some(Err(error)) => Step::toast(Tone::Bad, &error.to_string()),
            None => {
                Step::toast(Tone::Bad, "a file's name must be UTF-8 to become a key: rename it")
            }
        }
    }
}

/// Hands out a link that was signed.
pub(super) fn shared(link: Result<Link, Failure>) -> Step<Objects> {
    match link {
        Ok(link) => {
            let until = if link.is_temporary {
                "a link for one hour, or until the key's session token ends"
            } else {
                "a link that works for one hour"
            };
            Step::copy(&link.url).then(Step::toast(Tone::Good, until))
        }
        Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
    }
}
