//! Versions of one object, or of all below a prefix: what was overwritten or deleted, where the
//! bucket keeps it, and what brings it back.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::marked::Marked;
use crate::ops::objects::Place;
use crate::ops::transfer::Remote;
use crate::ops::versions::{ListVersions, RemoveVersion, Revert, Reverted, Versioning, Whose};
use crate::ops::world::World;
use crate::oss::versions::VersionEntry;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, lines, rows_below};

use super::changed::{self, Changed};
use super::explain;
use super::failure_view::{self, marked, settled};
use super::restore::RestoreWindow;
use super::share::ShareLink;
use super::transfers;
use super::unlock::when_locked;
use super::viewer::Viewer;

/// Rows that are listed at the most.
const MOST: usize = 10_000;

/// A list of versions and delete markers, the newest of each key first.
#[derive(Debug)]
pub struct Versions {
    place: Place,
    store: Option<ArtifactStore>,
    /// The one object whose versions these are, where it is known without the store.
    object: Option<Remote>,
    of: Whose,
    rows: Vec<VersionEntry>,
    versioning: Option<Versioning>,
    failure: Option<Failure>,
    scroll: Scroll,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Download,
    Share,
    CopyId,
    Restore,
    Revert,
    Remove,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Listed(Vec<VersionEntry>),
    Ended(Outcome<Result<Versioning, Failure>>),
    FolderNamed(Remote, PathBuf),
    RemoveConfirmed(ObjectKey, String),
    Removed(ObjectKey, String, Outcome<Result<(), Failure>>),
    Reverted(ObjectKey, Option<String>, Outcome<Result<Reverted, Failure>>),
    RevertUnlocked(ObjectKey, Option<String>),
    Unlocked,
}

impl Versions {
    /// Lists the versions `of` what lies in `place`; `store` is what the catalog says of its
    /// store, where that was read.
    pub fn new(place: Place, store: Option<ArtifactStore>, of: Whose) -> Self {
        Self {
            place,
            store,
            object: None,
            of,
            rows: Vec::new(),
            versioning: None,
            failure: None,
            scroll: Scroll::default(),
            spinner: Spinner::default(),
        }
    }

    /// Lists the versions of `object`.
    pub fn of(object: Remote) -> Self {
        let (place, of) = (object.place.clone(), Whose::Object(object.key.clone()));
        Self { object: Some(object), ..Self::new(place, None, of) }
    }

    fn list(&mut self) -> Step<Self> {
        self.rows.clear();
        (self.versioning, self.failure) = (None, None);
        self.spinner.start();
        let job = ListVersions { place: self.place.clone(), of: self.of.clone() };
        Step::run(Effect::latest_stream("versions", job, Msg::Listed, Msg::Ended))
    }

    fn selected(&self) -> Option<&VersionEntry> {
        self.rows.get(self.scroll.selected())
    }

    /// The selected version, where it is none of a deletion.
    fn object(&self) -> Option<Remote> {
        let entry = self.selected().filter(|entry| !entry.is_marker)?;
        let remote = if let Some(object) = &self.object {
            object.clone()
        } else {
            let key = ObjectKey::parse(&entry.key).ok()?;
            Remote::at(self.place.clone(), self.store.as_ref(), key)
        };
        Some(remote.of_version(entry.id.clone()))
    }

    fn has_object(&self) -> bool {
        self.object().is_some()
    }

    fn is_archived(&self) -> bool {
        self.has_object() && self.selected().is_some_and(|entry| entry.class.is_archived())
    }

    fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    /// Whether a copy of the selected version leaves what is current behind it.
    fn may_revert(&self) -> bool {
        let is_older = self.selected().is_some_and(|entry| !entry.is_latest && !entry.is_marker);
        is_older && self.versioning == Some(Versioning::Enabled)
    }

    /// Whether the selected row hides an object that could be there.
    fn may_undelete(&self) -> bool {
        self.selected().is_some_and(|entry| {
            let is_version = |other: &&VersionEntry| !other.is_marker && other.key == entry.key;
            entry.is_latest && entry.is_marker && self.rows.iter().any(|other| is_version(&other))
        })
    }

    /// A bucket that never kept versions has nothing but the objects themselves.
    fn may_remove(&self) -> bool {
        self.has_selection() && self.versioning.is_some_and(|state| state != Versioning::Never)
    }

    fn revert(&self, key: ObjectKey, to: Option<String>) -> Step<Self> {
        let job = Revert { place: self.place.clone(), key: key.clone(), to: to.clone() };
        let done = move |outcome| Msg::Reverted(key, to, outcome);
        Step::run(Effect::exclusive("revert", job, done))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        let key = self.selected().and_then(|entry| ObjectKey::parse(&entry.key).ok());
        match (command, key, self.object()) {
            (Command::Open, _, Some(object)) => Step::open(Viewer::new(object)),
            (Command::Download, _, Some(object)) => {
                let ask = transfers::ask_folder(&object.key);
                Step::ask(ask, move |folder| Msg::FolderNamed(object, folder))
            }
            (Command::Share, _, Some(object)) => Step::open(ShareLink::new(object)),
            (Command::CopyId, ..) => match self.selected() {
                Some(entry) => Step::copy(&entry.id),
                None => Step::none(),
            },
            (Command::Restore, Some(key), Some(Remote { version: Some(id), .. })) => {
                let marked = Marked::one(self.place.clone(), key);
                Step::open(RestoreWindow::new(marked).of_version(id))
            }
            (Command::Revert, Some(key), object) => {
                self.revert(key, object.and_then(|object| object.version))
            }
            (Command::Remove, Some(key), _) => self.ask_remove(key),
            (Command::Reload, ..) => self.list(),
            (Command::Move(to), ..) => {
                let len = self.rows.len();
                self.scroll.act(to, len);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn ask_remove(&self, key: ObjectKey) -> Step<Self> {
        let Some(entry) = self.selected() else { return Step::none() };
        let what = match (entry.is_marker, entry.is_latest) {
            (true, true) => "The delete marker goes: the version behind it is there again.",
            (true, false) => "The delete marker goes; the object stays as it is.",
            (false, true) => {
                "The current version is gone for good: the one before it takes its place."
            }
            (false, false) => "This older version is gone for good: nothing brings it back.",
        };
        let when = entry.modified.map(units::moment).unwrap_or_default();
        let text =
            format!("{}\nof {when} UTC, {}\n\n{what}", visible(key.as_str()), visible(&entry.id));
        let title = if entry.is_marker { "Remove the marker?" } else { "Remove this version?" };
        let id = entry.id.clone();
        let question = Confirm::new(title, text, ["Remove", "Keep"]);
        Step::ask(question, move |()| Msg::RemoveConfirmed(key, id))
    }

    fn remove(&self, key: ObjectKey, id: String) -> Step<Self> {
        let job = RemoveVersion { place: self.place.clone(), key: key.clone(), id: id.clone() };
        let done = move |outcome| Msg::Removed(key, id, outcome);
        Step::run(Effect::exclusive("remove-version", job, done))
    }

    /// Lists anew, and tells those that show the object.
    fn changed(&mut self, key: &ObjectKey) -> Step<Self> {
        let touched = [(self.place.clone(), key.as_str().to_owned())];
        changed::told(self.list(), &Changed::at(touched))
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Listed(page) => {
                self.rows.extend(page);
                if self.rows.len() >= MOST {
                    self.rows.truncate(MOST);
                    return Step::cancel("versions");
                }
            }
            Msg::Ended(outcome) => {
                self.spinner.stop();
                self.scroll.clamp(self.rows.len());
                match settled(outcome) {
                    Ok(versioning) => self.versioning = Some(versioning),
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::FolderNamed(object, folder) => return transfers::download(object, folder),
            Msg::RemoveConfirmed(key, id) => return self.remove(key, id),
            Msg::Removed(key, id, outcome) => match settled(outcome) {
                Ok(()) => return self.changed(&key).and_toast(Tone::Good, "removed"),
                Err(failure) => {
                    return when_locked(&failure, || Msg::RemoveConfirmed(key, id))
                        .unwrap_or_else(|| Step::toast(Tone::Bad, &failure.to_string()));
                }
            },
            Msg::Reverted(key, to, outcome) => match settled(outcome) {
                Ok(reverted) => {
                    let said = match reverted {
                        Reverted::Undeleted(_) => "it is there again",
                        Reverted::Copied => "that version is current; the one before it is kept",
                    };
                    return self.changed(&key).and_toast(Tone::Good, said);
                }
                Err(failure) => {
                    return when_locked(&failure, || Msg::RevertUnlocked(key, to))
                        .unwrap_or_else(|| Step::toast(Tone::Bad, &failure.to_string()));
                }
            },
            Msg::RevertUnlocked(key, to) => return self.revert(key, to),
            Msg::Unlocked => return self.list(),
        }
        Step::none()
    }

    fn row(&self, at: usize, theme: &Theme) -> Row<'static> {
        let Some(entry) = self.rows.get(at) else { return Row::default() };
        let (state, style) = match (entry.is_marker, entry.is_latest) {
            (true, true) => ("deleted", theme.warn()),
            (true, false) => ("was deleted", theme.muted()),
            (false, true) => ("current", theme.ok()),
            (false, false) => ("older", Style::new()),
        };
        let size = if entry.is_marker { "-".to_owned() } else { units::bytes(entry.size) };
        let class = if entry.is_marker { "-" } else { entry.class.as_str() };
        let named = match &self.of {
            Whose::Object(_) => visible(&entry.id),
            Whose::Below(prefix) => visible(entry.key.strip_prefix(prefix).unwrap_or(&entry.key)),
        };
        Row::new([
            Line::styled(state, style),
            Line::raw(entry.modified.map(units::moment).unwrap_or_default()),
            Line::raw(size),
            Line::raw(class),
            Line::raw(named.into_string()),
        ])
    }

    /// What there is to know of the bucket.
    fn note(&self) -> Option<(Tone, &'static str)> {
        match self.versioning? {
            Versioning::Enabled => None,
            Versioning::Suspended => {
                Some((Tone::Warning, "the bucket keeps no versions now: what it kept stays"))
            }
            Versioning::Never => Some((
                Tone::Neutral,
                "the bucket keeps no versions: what is overwritten or deleted is lost",
            )),
            Versioning::Unknown => Some((
                Tone::Neutral,
                "whether the bucket keeps versions is not known: the key may not ask, or the \
                 server does not say",
            )),
        }
    }
}

impl Screen for Versions {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "versions";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Open, "preview").when(Self::has_object),
        Bind::new(&["z"], Command::Revert, "undelete").when(Self::may_undelete),
        Bind::new(&["z"], Command::Revert, "make current").when(Self::may_revert),
        Bind::new(&["d"], Command::Download, "download…").when(Self::has_object),
        Bind::new(&["Y"], Command::Share, "share link…").when(Self::has_object),
        Bind::new(&["t"], Command::Restore, "restore…").when(Self::is_archived),
        Bind::new(&["y"], Command::CopyId, "copy id").when(Self::has_selection),
        Bind::new(&["D", "delete"], Command::Remove, "remove…").when(Self::may_remove),
        Bind::new(&["R", "f5"], Command::Reload, "list again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.list()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            Event::Mouse(mouse) => {
                let len = self.rows.len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let named = match &self.of {
            Whose::Object(_) => "version",
            Whose::Below(_) => "name",
        };
        let columns = [
            Column::new("", Constraint::Length(11)),
            Column::new("written (UTC)", Constraint::Length(19)),
            Column::new("size", Constraint::Length(10)).right(),
            Column::new("class", Constraint::Length(8)),
            Column::new(named, Constraint::Fill(1)),
        ];
        let sign = self.spinner.sign(theme);
        let gap = if sign.is_empty() { "" } else { " " };
        let markers = self.rows.iter().filter(|entry| entry.is_marker).count() as u64;
        let versions = units::counted(self.rows.len() as u64 - markers, "version");
        let markers = match markers {
            0 => String::new(),
            count => format!(", {}", units::counted(count, "delete marker")),
        };
        let count = format!("{sign}{gap}{versions}{markers}");
        let inner = counted_pane(frame, area, theme, (&self.title(), &count), true);
        let room = usize::from(inner.width);
        let mut below = match (&self.failure, self.note()) {
            (Some(failure), _) if failure.kind == FailureKind::Cancelled => {
                let text = "these are the first: there are more than a list holds";
                marked(theme.sign(Tone::Warning), theme.warn(), text, room)
            }
            (Some(failure), _) => failure_view::lines(failure, room, theme),
            (None, Some((tone, text))) => marked(theme.sign(tone), theme.tone(tone), text, room),
            (None, None) => Vec::new(),
        };
        below.truncate(usize::from(inner.height / 2).max(1));
        let list = Rect { height: inner.height.saturating_sub(cells(below.len())), ..inner };
        let empty = if self.versioning.is_some() { "no version is kept here" } else { "" };
        let table = Table::new(&columns).empty(empty);
        table.view(frame, list, theme, &self.scroll, self.rows.len(), |at| self.row(at, theme));
        lines(frame, rows_below(inner, usize::from(list.height)), below, theme);
    }

    fn title(&self) -> String {
        let whose = match &self.of {
            Whose::Object(key) => key.as_str(),
            Whose::Below(prefix) => prefix,
        };
        format!("Versions of {}", visible(whose))
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
