//! What is done with one object, and how one comes here.

use std::path::{Path, PathBuf};

use super::{Command, Marks, Msg, Objects};
use crate::base::units;
use crate::base::visible::visible;
use crate::model::object_key::ObjectKey;
use crate::ops::artifacts::Which;
use crate::ops::marked::Marked;
use crate::ops::transfer::{Copy, Many, RunMany, Target};
use crate::ops::versions::Whose;
use crate::screens::artifact::ArtifactView;
use crate::screens::details::Details;
use crate::screens::restore::RestoreWindow;
use crate::screens::share::ShareLink;
use crate::screens::transfers::{self, Batch, Transfers};
use crate::screens::versions::Versions;
use crate::tui::screen::Step;
use crate::tui::theme::Tone;

/// URIs that are copied at a time.
const URIS: usize = 1000;

impl Objects {
    pub(super) fn on_object(&self, command: Command) -> Step<Self> {
        match (command, self.selected_key()) {
            (Command::Details, Some(key)) => Step::open(Details::new(self.place.clone(), key)),
            (Command::Share, Some(key)) => Step::open(ShareLink::new(self.remote(key))),
            (Command::Download, Some(key)) if self.marks.is_empty() => {
                Step::ask(transfers::ask_folder(&key), move |folder| Msg::FolderNamed(key, folder))
            }
            (Command::Download, _) => {
                let Some(marked) = self.marked() else { return Step::none() };
                let ask = transfers::ask_folder_for(&said(&marked));
                Step::ask(ask, move |folder| Msg::FolderNamedForMany(marked, folder))
            }
            (Command::Restore, _) => match self.marked() {
                Some(marked) => Step::push(RestoreWindow::new(marked), |_| Msg::Restored),
                None => Step::none(),
            },
            (Command::Versions, key) => {
                let Some(row) = self.selected() else { return Step::none() };
                let below = || Whose::Below(format!("{}{}", self.prefix, row.name));
                let of = key.map_or_else(below, Whose::Object);
                Step::open(Versions::new(self.place.clone(), self.store.clone(), of))
            }
            (Command::Delete, _) => self.ask_delete(),
            (Command::CopyUri, _) => self.copy_uris(),
            _ => Step::none(),
        }
    }

    /// Downloads all that is marked, each under its name.
    pub(super) fn download(&mut self, marked: Marked, folder: PathBuf) -> Step<Self> {
        self.marks = Marks::default();
        let (from, to) = (self.source(&marked), visible(&folder.to_string_lossy()).into_string());
        let many = Many::Marked(marked, Target::Folder(folder));
        transfers::many(Batch::new(from, to, RunMany { many, moves: false, overwrite: false }))
    }

    /// `demo_store:a/b and 2 more`.
    pub(super) fn source(&self, marked: &Marked) -> String {
        let first = marked.keys().next().and_then(|key| ObjectKey::parse(key).ok());
        let first = first.map(|key| self.remote(key).shown()).unwrap_or_default();
        match marked.len() {
            1 => first,
            many => format!("{first} and {} more", units::count(many as u64 - 1)),
        }
    }

    fn copy_uris(&self) -> Step<Self> {
        let (Some(marked), Some(bucket)) = (self.marked(), self.bucket()) else {
            return Step::none();
        };
        if marked.len() > URIS {
            let text = format!("{} are too many to copy: mark fewer", marked.len());
            return Step::toast(Tone::Warning, &text);
        }
        let uris: Vec<String> = marked.keys().map(|key| format!("s3://{bucket}/{key}")).collect();
        match &uris[..] {
            [uri] => Step::copy(uri),
            uris => {
                let each = uris.iter().map(|uri| visible(uri).into_string());
                Step::copy_text(&each.collect::<Vec<_>>().join("\n"))
            }
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

    pub(super) fn upload(&self, file: &Path) -> Step<Self> {
        let name = file.file_name().and_then(|name| name.to_str());
        let key = name.map(|name| ObjectKey::parse(&format!("{}{name}", self.prefix)));
        match key {
            Some(Ok(key)) => {
                let copy = Copy::upload(file, self.remote(key));
                Step::post::<Transfers>(transfers::Msg::Asked(copy))
                    .and_toast(Tone::Neutral, "uploading: tab 5 shows how far it is")
            }
            Some(Err(error)) => Step::toast(Tone::Bad, &error.to_string()),
            None => {
                Step::toast(Tone::Bad, "a file's name must be UTF-8 to become a key: rename it")
            }
        }
    }
}

/// What is marked, in a word: the one name, or how many there are.
pub(in crate::screens) fn said(marked: &Marked) -> String {
    match marked.names().next() {
        Some(name) if marked.len() == 1 => visible(name).into_string(),
        _ => units::count(marked.len() as u64) + " marked",
    }
}
