//! Everything a HEAD says of one object, and what ZenML wrote it for.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::ops::failure::Failure;
use crate::ops::marked::Marked;
use crate::ops::objects::{Place, StatObject};
use crate::ops::restore::State;
use crate::ops::stores::LoadCatalog;
use crate::ops::versions::Whose;
use crate::ops::world::World;
use crate::oss::listing::StorageClass;
use crate::oss::object::ObjectInfo;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::pane;
use crate::zenml::layout::Layout;

use super::detail::fields;
use super::explain;
use super::failure_view::{self, settled};
use super::objects::uri;
use super::restore::RestoreWindow;
use super::unlock::when_locked;
use super::versions::Versions;

/// One object's details, in a window.
#[derive(Debug)]
pub struct Details {
    place: Place,
    key: ObjectKey,
    store: Option<ArtifactStore>,
    info: Option<ObjectInfo>,
    failure: Option<Failure>,
    spinner: Spinner,
    lines: Lines,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    CopyUri,
    Versions,
    Restore,
    Reload,
    Move(Move),
}

/// What the window is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    CatalogRead(Outcome<Result<Catalog, Failure>>),
    Found(Outcome<Result<ObjectInfo, Failure>>),
    Restored,
    Unlocked,
}

impl Details {
    /// Asks for what is known of `key`.
    pub fn new(place: Place, key: ObjectKey) -> Self {
        Self {
            place,
            key,
            store: None,
            info: None,
            failure: None,
            spinner: Spinner::default(),
            lines: Lines::default(),
        }
    }

    fn ask(&mut self) -> Step<Self> {
        self.failure = None;
        self.spinner.start();
        let (place, key) = (self.place.clone(), self.key.clone());
        let job = StatObject { place, key, version: None };
        Step::run(Effect::latest("details", job, Msg::Found))
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::CatalogRead(outcome) => {
                // without it only the layout stays unsaid
                let catalog = settled(outcome).ok();
                self.store = catalog.and_then(|all| all.store(&self.place.store).cloned());
            }
            Msg::Found(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(info) => self.info = Some(info),
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::Restored | Msg::Unlocked => return self.ask(),
        }
        Step::none()
    }

    fn uri(&self) -> Option<String> {
        uri(&self.place, self.store.as_ref(), &self.key)
    }

    fn is_archived(&self) -> bool {
        let class = self.info.as_ref().and_then(ObjectInfo::class);
        class.is_some_and(StorageClass::is_archived)
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("key", self.key.as_str().to_owned())];
        rows.extend(self.uri().map(|uri| ("uri", uri)));
        if let Some(info) = &self.info {
            rows.extend(info_rows(info));
        }
        // ZenML's layout begins behind the store's own prefix, and in the store's own bucket
        if let (None, Some(store)) = (&self.place.bucket, &self.store) {
            let below = self.key.as_str().strip_prefix(&store.key_prefix());
            rows.extend(below.map(Layout::of).map(layout_rows).unwrap_or_default());
        }
        rows
    }
}

fn info_rows(info: &ObjectInfo) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let mut say = |label, value: Option<String>| rows.extend(value.map(|value| (label, value)));
    say(
        "size",
        info.size.map(|size| match size {
            0..1024 => units::bytes(size),
            _ => format!("{} ({} bytes)", units::bytes(size), units::count(size)),
        }),
    );
    say("modified", info.last_modified.map(|time| units::moment(time) + " UTC"));
    say("class", info.storage_class.clone());
    say("restore", State::of(info).and_then(restore_words));
    say("content type", info.content_type.clone());
    say("ETag", info.etag.clone());
    say("CRC-64", info.crc64.map(|sum| sum.to_string()));
    let named = |name: &str| info.headers.get(name).map(ToOwned::to_owned);
    say("encoding", named("content-encoding"));
    say("object type", named("x-oss-object-type"));
    say("version", info.version_id().map(ToOwned::to_owned));
    for (name, value) in &info.metadata {
        say("metadata", Some(format!("{name} = {value}")));
    }
    say("request id", named("x-oss-request-id").or_else(|| named("x-amz-request-id")));
    rows
}

/// How far an archived object is from being read; nothing of others.
fn restore_words(state: State) -> Option<String> {
    let words = state.as_words();
    match state {
        State::NotArchived => None,
        State::Readable(Some(until)) => {
            Some(format!("{words}, until {} UTC", units::moment(until)))
        }
        _ => Some(words.to_owned()),
    }
}

fn layout_rows(layout: Layout<'_>) -> Vec<(&'static str, String)> {
    let rows: Vec<(&'static str, &str)> = match layout {
        Layout::StepOutput { step, output, run, salt, file } => vec![
            ("ZenML", "output of a step"),
            ("  step", step),
            ("  output", output),
            ("  step run", run),
            ("  salt", salt),
            ("  file", file),
        ],
        Layout::Custom { name, id, file } => vec![
            ("ZenML", "artifact saved by hand (save_artifact)"),
            ("  artifact", name),
            ("  id", id),
            ("  file", file),
        ],
        Layout::Log { id } => vec![("ZenML", "log"), ("  log", id)],
        Layout::CodeUpload { hash } => vec![("ZenML", "code of a pipeline"), ("  hash", hash)],
        Layout::Other => vec![("ZenML", "nothing that ZenML writes by itself")],
    };
    rows.into_iter().map(|(label, value)| (label, value.to_owned())).collect()
}

impl Screen for Details {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "details";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["y"], Command::CopyUri, "copy uri").when(|s| s.uri().is_some()),
        Bind::new(&["v"], Command::Versions, "versions…"),
        Bind::new(&["t"], Command::Restore, "restore…").when(Self::is_archived),
        Bind::new(&["R", "f5"], Command::Reload, "ask again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.ask().and(Effect::latest("catalog", LoadCatalog, Msg::CatalogRead))
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::CopyUri) => {
                return self.uri().map_or_else(Step::none, |uri| Step::copy(&uri));
            }
            Event::Command(Command::Versions) => {
                let (place, of) = (self.place.clone(), Whose::Object(self.key.clone()));
                return Step::open(Versions::new(place, self.store.clone(), of));
            }
            Event::Command(Command::Restore) => {
                let marked = Marked::one(self.place.clone(), self.key.clone());
                return Step::push(RestoreWindow::new(marked), |_| Msg::Restored);
            }
            Event::Command(Command::Reload) => return self.ask(),
            Event::Command(Command::Move(to)) => self.lines.act(to),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, "Details", true);
        let room = usize::from(inner.width);
        let rows: Vec<_> = self
            .rows()
            .into_iter()
            .map(|(label, value)| (label, visible(&value).into_string()))
            .collect();
        let mut lines = fields(&rows, room, theme);
        let sign = self.spinner.sign(theme);
        if !sign.is_empty() {
            lines.push(Line::raw(format!("{sign} asking")));
        }
        if let Some(failure) = &self.failure {
            lines.push(Line::default());
            lines.extend(failure_view::lines(failure, room, theme));
        }
        self.lines.view(frame, inner, theme, lines);
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn title(&self) -> String {
        visible(self.key.as_str()).into_string()
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(76, 20))
    }
}
