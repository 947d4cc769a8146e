//! One run: its steps, what they wrote, and its logs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::artifacts::{FindFiles, Which};
use crate::ops::failure::Failure;
use crate::ops::runs::{RunDetail, ShowRun};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::lines;
use crate::zenml::artifacts::lineage::main_output;
use crate::zenml::artifacts::{ArtifactVersion, LogFile, Standing};

use super::artifact::ArtifactView;
use super::explain;
use super::failure_view::{self, settled};
use super::main_file::{self, Looked};
use super::runs::{tone, took};
use super::unlock::when_locked;
use super::waiting;

/// A run, step by step.
#[derive(Debug)]
pub struct RunView {
    connection: Option<String>,
    id: String,
    detail: Option<RunDetail>,
    failure: Option<Failure>,
    rows: Vec<Part>,
    scroll: Scroll,
    spinner: Spinner,
    /// What is to be looked at once the keystore is open.
    sought: Option<FindFiles>,
}

/// What a row stands for, by its place in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Step(usize),
    Output(usize, usize),
    Log(usize),
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Preview,
    Artifact,
    Log,
    CopyUri,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Read(Outcome<Result<RunDetail, Failure>>),
    Looked(Looked),
    Unlocked,
}

impl RunView {
    /// Reads the run `id`.
    pub fn new(connection: Option<String>, id: String) -> Self {
        Self {
            connection,
            id,
            detail: None,
            failure: None,
            rows: Vec::new(),
            scroll: Scroll::default(),
            spinner: Spinner::default(),
            sought: None,
        }
    }

    /// Shows a run as it was read a moment ago; it is asked for again where it may have gone on.
    pub fn of(connection: Option<String>, detail: RunDetail) -> Self {
        let mut view = Self::new(connection, detail.run.id.clone());
        view.take(detail);
        view
    }

    fn read(&mut self) -> Step<Self> {
        self.failure = None;
        self.spinner.start();
        let job = ShowRun { connection: self.connection.clone(), run: Some(self.id.clone()) };
        Step::run(Effect::latest("run", job, Msg::Read))
    }

    fn selected(&self) -> Option<Part> {
        self.rows.get(self.scroll.selected()).copied()
    }

    fn version(&self) -> Option<&ArtifactVersion> {
        let Some(Part::Output(step, output)) = self.selected() else { return None };
        self.detail.as_ref()?.steps.get(step)?.outputs.get(output).map(|(_, version)| version)
    }

    /// The log that belongs to the selected row: a step's own, else the run's.
    fn log(&self) -> Option<&LogFile> {
        let detail = self.detail.as_ref()?;
        match self.selected()? {
            Part::Log(at) => detail.run.logs.get(at),
            Part::Step(step) | Part::Output(step, _) => {
                let logs = &detail.steps.get(step)?.logs;
                logs.iter().find(|log| log.source == "step").or(logs.last())
            }
        }
    }

    fn has_output(&self) -> bool {
        self.version().is_some()
    }

    fn has_log(&self) -> bool {
        self.log().is_some()
    }

    fn may_open(&self) -> bool {
        self.has_output() || self.has_log()
    }

    fn look(&mut self, find: FindFiles) -> Step<Self> {
        self.sought = Some(find.clone());
        main_file::look(find, Msg::Looked)
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match (command, self.version(), self.log()) {
            (Command::Preview, Some(version), _) => {
                let find = main_file::of_version(version);
                self.look(find)
            }
            (Command::Preview | Command::Log, _, Some(log)) => {
                let find = main_file::of_log(&log.uri);
                self.look(find)
            }
            (Command::Artifact, Some(version), _) => {
                let which = Which::Id(version.id.clone());
                Step::open(ArtifactView::new(self.connection.clone(), which))
            }
            (Command::CopyUri, Some(version), _) => Step::copy(&version.uri),
            (Command::Reload, ..) => self.read(),
            (Command::Move(to), ..) => {
                let len = self.rows.len();
                self.scroll.act(to, len);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Read(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(detail) => self.take(detail),
                    Err(failure) => return self.refused(failure),
                }
            }
            Msg::Looked(looked) => match main_file::open(looked) {
                Ok(step) => {
                    self.sought = None;
                    return step;
                }
                Err(failure) => {
                    let unlock = when_locked(&failure, || Msg::Unlocked);
                    return unlock.unwrap_or_else(|| Step::toast(Tone::Bad, &failure.to_string()));
                }
            },
            Msg::Unlocked => {
                return match self.sought.take() {
                    Some(find) => self.look(find),
                    None => self.read(),
                };
            }
        }
        Step::none()
    }

    fn refused(&mut self, failure: Failure) -> Step<Self> {
        let unlock = when_locked(&failure, || Msg::Unlocked);
        self.failure = Some(failure);
        unlock.unwrap_or_else(Step::none)
    }

    fn take(&mut self, detail: RunDetail) {
        let is_first = self.detail.is_none();
        self.rows.clear();
        for (at, step) in detail.steps.iter().enumerate() {
            self.rows.push(Part::Step(at));
            self.rows.extend((0..step.outputs.len()).map(|output| Part::Output(at, output)));
        }
        self.rows.extend((0..detail.run.logs.len()).map(Part::Log));
        if is_first {
            let first = first_looked_at(&detail);
            let at = first.and_then(|part| self.rows.iter().position(|row| *row == part));
            self.scroll.select(at.unwrap_or(0));
        }
        self.scroll.clamp(self.rows.len());
        self.detail = Some(detail);
    }

    fn row(&self, part: Part, theme: &Theme) -> Row<'static> {
        let Some(detail) = &self.detail else { return Row::default() };
        let shown = |text: &str| visible(text).into_string();
        match part {
            Part::Step(at) => {
                let Some(step) = detail.steps.get(at) else { return Row::default() };
                let tone = tone(&step.status);
                Row::new([
                    Line::styled(theme.sign(tone), theme.tone(tone)),
                    Line::styled(shown(&step.name), theme.title()),
                    Line::styled(shown(step.status.as_str()), theme.tone(tone)),
                    Line::styled(took(step.started, step.ended), theme.muted()),
                ])
            }
            Part::Output(at, output) => {
                let found = detail.steps.get(at).and_then(|step| step.outputs.get(output));
                let Some((name, version)) = found else { return Row::default() };
                let kind = version.kind.strip_suffix("Artifact").unwrap_or(&version.kind);
                let class = version.data_type.as_deref().and_then(|it| it.rsplit('.').next());
                let size = version.size.map(units::bytes).unwrap_or_default();
                Row::new([
                    Line::raw(""),
                    Line::raw(format!("  {}  v{}", shown(name), shown(&version.version))),
                    Line::styled(shown(class.unwrap_or(kind)), theme.muted()),
                    Line::raw(size),
                ])
            }
            Part::Log(at) => {
                let Some(log) = detail.run.logs.get(at) else { return Row::default() };
                Row::new([
                    Line::raw(""),
                    Line::raw(format!("log of the run ({})", shown(&log.source))),
                    Line::raw(""),
                    Line::raw(""),
                ])
            }
        }
    }
}

/// Where a reader begins: at the step that failed; else at the model, or the largest output.
fn first_looked_at(detail: &RunDetail) -> Option<Part> {
    let failed = detail.steps.iter().position(|step| step.status.standing() == Standing::Bad);
    if let Some(at) = failed {
        return Some(Part::Step(at));
    }
    let outputs: Vec<_> = detail.steps.iter().flat_map(|step| step.outputs.clone()).collect();
    let (_, main) = main_output(&outputs)?;
    let places = detail.steps.iter().enumerate().flat_map(|(at, step)| {
        step.outputs.iter().enumerate().map(move |(output, (_, version))| (at, output, version))
    });
    let mut places = places.filter(|(.., version)| version.id == main.id);
    places.next().map(|(at, output, _)| Part::Output(at, output))
}

impl Screen for RunView {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "run";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Preview, "preview").when(Self::may_open),
        Bind::new(&["a"], Command::Artifact, "artifact…").when(Self::has_output),
        Bind::new(&["L"], Command::Log, "log").when(Self::has_log),
        Bind::new(&["y"], Command::CopyUri, "copy uri").when(Self::has_output).quiet(),
        Bind::new(&["R", "f5"], Command::Reload, "reload").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        let known = self.detail.as_ref().map(|detail| detail.run.status.standing());
        match known {
            Some(Standing::Good | Standing::Bad) => Step::none(),
            Some(_) | None => self.read(),
        }
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
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(1)),
            Column::new("step, output", Constraint::Fill(3)),
            Column::new("status, class", Constraint::Fill(2)),
            Column::new("time, size", Constraint::Length(12)).right(),
        ];
        let sign = self.spinner.sign(theme);
        let run = self.detail.as_ref().map(|detail| &detail.run);
        let name = run.map(|run| visible(&run.name).into_string()).unwrap_or_default();
        let status = run.map(|run| visible(run.status.as_str()).into_string()).unwrap_or_default();
        let gap = if sign.is_empty() { "" } else { " " };
        let status = format!("{sign}{gap}{status}");
        let inner = counted_pane(frame, area, theme, (&name, &status), true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        if self.detail.is_none() {
            let room = usize::from(inner.width);
            return lines(frame, inner, waiting::lines(&self.spinner, room, theme), theme);
        }
        let table = Table::new(COLUMNS).empty("the run has no step yet: R asks again");
        table.view(frame, inner, theme, &self.scroll, self.rows.len(), |index| {
            self.rows.get(index).map(|part| self.row(*part, theme)).unwrap_or_default()
        });
    }

    fn title(&self) -> String {
        let name = self.detail.as_ref().map_or(&self.id, |detail| &detail.run.name);
        visible(name).into_string()
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
