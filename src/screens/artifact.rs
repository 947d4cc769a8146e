//! One artifact version: what it is, what it was made of, what was made of it, its files.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::ops::artifacts::{ArtifactDetail, DescribeArtifact, Which};
use crate::ops::failure::Failure;
use crate::ops::objects::Place;
use crate::ops::stores::LoadCatalog;
use crate::ops::transfer::Remote;
use crate::ops::world::World;
use crate::oss::object::Version;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::{counted_pane, pane};
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, lines, row};
use crate::zenml::artifacts::ArtifactVersion;

use super::changed::Changed;
use super::detail::fields;
use super::explain;
use super::failure_view::{self, marked, settled};
use super::objects::Objects;
use super::run::RunView;
use super::unlock::when_locked;
use super::viewer::Viewer;
use super::waiting;

/// Rows that the list below keeps, however much is to be said above it.
const LEAST: u16 = 6;

/// An artifact version and what is around it.
#[derive(Debug)]
pub struct ArtifactView {
    connection: Option<String>,
    which: Which,
    detail: Option<Box<ArtifactDetail>>,
    store: Option<ArtifactStore>,
    failure: Option<Failure>,
    parts: Vec<Part>,
    scroll: Scroll,
    spinner: Spinner,
}

/// What a row stands for, by its place in the detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    File(usize),
    Input(usize),
    Reader(usize),
    Output(usize, usize),
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Run,
    Keys,
    CopyUri,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    CatalogRead(Outcome<Result<Catalog, Failure>>),
    Described(Outcome<Result<Box<ArtifactDetail>, Failure>>),
    Unlocked,
    Changed(Changed),
}

impl ArtifactView {
    /// Asks for the version that is meant.
    pub fn new(connection: Option<String>, which: Which) -> Self {
        Self {
            connection,
            which,
            detail: None,
            store: None,
            failure: None,
            parts: Vec::new(),
            scroll: Scroll::default(),
            spinner: Spinner::default(),
        }
    }

    fn ask(&mut self) -> Step<Self> {
        self.failure = None;
        self.spinner.start();
        let connection = self.connection.clone();
        let job = DescribeArtifact { connection, which: self.which.clone() };
        Step::run(Effect::latest("artifact", job, Msg::Described))
    }

    fn take(&mut self, detail: Box<ArtifactDetail>) -> Step<Self> {
        self.parts = (0..detail.files.files.len()).map(Part::File).collect();
        self.parts.extend((0..detail.lineage.inputs().len()).map(Part::Input));
        for (at, step) in detail.lineage.consumers.iter().enumerate() {
            self.parts.push(Part::Reader(at));
            self.parts.extend((0..step.outputs.len()).map(|output| Part::Output(at, output)));
        }
        self.scroll.clamp(self.parts.len());
        self.detail = Some(detail);
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::CatalogRead))
    }

    fn selected(&self) -> Option<Part> {
        self.parts.get(self.scroll.selected()).copied()
    }

    /// The version beside this one that the selected row is.
    fn other(&self, part: Part) -> Option<&(String, ArtifactVersion)> {
        let lineage = &self.detail.as_ref()?.lineage;
        match part {
            Part::Input(at) => lineage.inputs().get(at),
            Part::Output(step, output) => lineage.consumers.get(step)?.outputs.get(output),
            Part::File(_) | Part::Reader(_) => None,
        }
    }

    /// The selected file, and as what it was listed.
    fn file(&self, part: Part) -> Option<(Remote, Option<Version>)> {
        let Part::File(at) = part else { return None };
        let detail = self.detail.as_ref()?;
        let (place, _) = detail.place.as_ref()?;
        let file = detail.files.files.get(at)?;
        let key = ObjectKey::parse(&file.key).ok()?;
        Some((Remote::at(place.clone(), self.store.as_ref(), key), file.listed.clone()))
    }

    fn run_of(&self, part: Option<Part>) -> Option<&str> {
        let lineage = &self.detail.as_ref()?.lineage;
        match part {
            Some(Part::Reader(at)) => lineage.consumers.get(at)?.run.as_deref(),
            _ => lineage.run.as_ref().map(|run| run.id.as_str()),
        }
    }

    fn may_open(&self) -> bool {
        self.selected().is_some()
    }

    fn has_run(&self) -> bool {
        self.run_of(None).is_some()
    }

    fn has_place(&self) -> bool {
        self.detail.as_ref().is_some_and(|detail| detail.place.is_some())
    }

    fn is_read(&self) -> bool {
        self.detail.is_some()
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        let show_run = |id: Option<&str>| match id {
            Some(id) => Step::open(RunView::new(self.connection.clone(), id.to_owned())),
            None => Step::none(),
        };
        match command {
            Command::Open => {
                let Some(part) = self.selected() else { return Step::none() };
                if let Some((_, version)) = self.other(part) {
                    let which = Which::Id(version.id.clone());
                    return Step::open(Self::new(self.connection.clone(), which));
                }
                if let Some((file, listed)) = self.file(part) {
                    return Step::open(Viewer::new(file).listed_as(listed));
                }
                show_run(self.run_of(Some(part)))
            }
            Command::Run => show_run(self.run_of(None)),
            Command::Keys => match self.detail.as_ref().and_then(|detail| detail.place.clone()) {
                Some((place, key)) => Step::open(Objects::at(place, format!("{key}/"))),
                None => Step::none(),
            },
            Command::CopyUri => match &self.detail {
                Some(detail) => Step::copy(&detail.located.version.uri),
                None => Step::none(),
            },
            Command::Reload => self.ask(),
            Command::Move(to) => {
                let len = self.parts.len();
                self.scroll.act(to, len);
                Step::none()
            }
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::CatalogRead(outcome) => {
                // without it a download keeps the store's prefix in its path, no more
                let catalog = settled(outcome).ok();
                let place = self.detail.as_ref().and_then(|detail| detail.place.as_ref());
                let name = place.map(|(place, _)| place.store.as_str());
                self.store = name.and_then(|name| catalog?.store(name).cloned());
            }
            Msg::Described(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(detail) => return self.take(detail),
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::Unlocked => return self.ask(),
            Msg::Changed(changed) => {
                let place = self.detail.as_ref().and_then(|detail| detail.place.as_ref());
                let bucket = self.store.as_ref().map(|store| &store.bucket);
                let is_here = |(place, key): &(Place, String)| {
                    changed.touches((place, place.bucket.as_ref().or(bucket)), key)
                };
                if place.is_some_and(is_here) {
                    return self.ask();
                }
            }
        }
        Step::none()
    }

    fn part_row(&self, part: Part, theme: &Theme) -> Row<'static> {
        let Some(detail) = &self.detail else { return Row::default() };
        let shown = |text: &str| visible(text).into_string();
        if let Some((name, version)) = self.other(part) {
            let word = if matches!(part, Part::Input(_)) { "made of" } else { "  wrote" };
            return Row::new([
                Line::styled(word, theme.muted()),
                Line::raw(format!("{} as {}", shown(&version.label()), shown(name))),
                Line::styled(shown(detail.place_around(version)), theme.muted()),
            ]);
        }
        match part {
            Part::File(at) => {
                let Some(file) = detail.files.files.get(at) else { return Row::default() };
                let key = file.key.as_str();
                let folder = detail.place.as_ref().map_or("", |(_, folder)| folder.as_str());
                let name = key.strip_prefix(folder).unwrap_or(key).trim_start_matches('/');
                let name = if name.is_empty() { key } else { name };
                Row::new([
                    Line::styled("file", theme.muted()),
                    Line::raw(shown(name)),
                    Line::raw(units::bytes(file.size)),
                ])
            }
            Part::Reader(at) => {
                let Some(step) = detail.lineage.consumers.get(at) else { return Row::default() };
                Row::new([
                    Line::styled("read by", theme.muted()),
                    Line::raw(format!("step {}", shown(&step.name))),
                    Line::styled(
                        format!("run {}", shown(step.run.as_deref().unwrap_or("-"))),
                        theme.muted(),
                    ),
                ])
            }
            Part::Input(_) | Part::Output(..) => Row::default(),
        }
    }
}

/// What is known of a version, showable.
fn rows(detail: &ArtifactDetail) -> Vec<(&'static str, String)> {
    let version = &detail.located.version;
    let lineage = &detail.lineage;
    let shown = |text: &str| visible(text).into_string();
    let mut rows = Vec::new();
    let mut say = |label, value: Option<&str>| rows.extend(value.map(|it| (label, shown(it))));
    let run = lineage.run.as_ref();
    say("uri", Some(&version.uri));
    say("key", detail.located.location.as_deref());
    let class = version.data_type.as_deref();
    say("class", class.or(Some(&version.kind)));
    say("written by", version.materializer.as_deref());
    let size = version.size.map(units::bytes);
    say("size", size.as_deref());
    let written = version.created.map(|time| units::moment(time) + " UTC");
    say("written", written.as_deref());
    let pipeline = run.and_then(|run| run.pipeline.as_deref());
    say("pipeline", pipeline);
    say("run", run.map(|run| run.name.as_str()).or(version.run.as_deref()));
    say("step", lineage.producer.as_ref().map(|step| step.name.as_str()));
    say("stack", run.and_then(|run| run.stack.as_deref()));
    let tags = version.tags.join(", ");
    say("tags", Some(tags.as_str()).filter(|tags| !tags.is_empty()));
    if lineage.producer.is_none() {
        let how = match version.save_type.as_str() {
            "manual" => "saved by hand",
            "preexisting" => "registered where it lay",
            "external" => "given to a run from outside",
            _ => "by a step that is gone",
        };
        say("came", Some(how));
    }
    rows
}

impl Screen for ArtifactView {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "artifact";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Open, "open").when(Self::may_open),
        Bind::new(&["r"], Command::Run, "run").when(Self::has_run),
        Bind::new(&["A"], Command::Keys, "keys").when(Self::has_place),
        Bind::new(&["y"], Command::CopyUri, "copy uri").when(Self::is_read),
        Bind::new(&["R", "f5"], Command::Reload, "ask again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.ask()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            Event::Mouse(mouse) => {
                let len = self.parts.len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(7)),
            Column::new("", Constraint::Fill(2)),
            Column::new("", Constraint::Fill(3)),
        ];
        let room = usize::from(area.width.saturating_sub(2));
        let sign = self.spinner.sign(theme);
        let Some(detail) = self.detail.as_ref().filter(|_| self.failure.is_none()) else {
            let inner = counted_pane(frame, area, theme, ("Artifact", sign), true);
            match &self.failure {
                Some(failure) => failure_view::view(frame, inner, theme, failure),
                None => lines(frame, inner, waiting::lines(&self.spinner, room, theme), theme),
            }
            return;
        };
        let mut lines = fields(&rows(detail), room, theme);
        if let Some(failure) = &detail.files.unread {
            lines.extend(failure_view::lines(failure, room, theme));
        }
        let mark = theme.sign(Tone::Warning);
        let is_missing = detail.files.files.is_empty() && detail.files.unread.is_none();
        let notes = [
            (is_missing && detail.place.is_some(), "the data is gone from the store"),
            (detail.place.is_none(), "no store of the catalog reaches it: its files are not known"),
            (detail.files.is_cut, "it has more files than are shown: A lists all"),
            (detail.lineage.is_cut, "later steps may have read it too: there are too many"),
        ];
        for (_, note) in notes.iter().filter(|(holds, _)| *holds) {
            lines.extend(marked(mark, theme.warn(), note, room));
        }
        let most = area.height.saturating_sub(LEAST);
        let above = cells(lines.len() + 2).min(most);
        let [top, bottom] =
            Layout::vertical([Constraint::Length(above), Constraint::Fill(1)]).areas(area);
        let title = visible(&detail.located.version.label());
        let inner = counted_pane(frame, top, theme, (title.as_str(), sign), false);
        for (index, text) in lines.into_iter().take(usize::from(inner.height)).enumerate() {
            line(frame, row(inner, index), text);
        }
        let inner = pane(frame, bottom, theme, "files, lineage", true);
        let table = Table::new(COLUMNS).empty("neither files nor steps around it");
        table.view(frame, inner, theme, &self.scroll, self.parts.len(), |index| {
            self.parts.get(index).map(|part| self.part_row(*part, theme)).unwrap_or_default()
        });
    }

    fn title(&self) -> String {
        let label = self.detail.as_ref().map(|detail| detail.located.version.label());
        label.map_or_else(|| "Artifact".to_owned(), |label| visible(&label).into_string())
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
