//! What changes in ZenML for a stack, the commit of it, and the script that tells it by hand.

mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::activate::{ActivateStack, Activated};
use crate::ops::commit::{CommitStack, Committed, Committing, UndoCommit, Undone};
use crate::ops::commit_record::Progress;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::plan::{Against, Aim, ExportScript, LivePlan, MakePlan, StackPlan};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::split::pane;

use super::ask::Ask;
use super::failure_view::settled;
use super::unlock::when_locked;

/// The plan of one stack.
#[derive(Debug)]
pub struct PlanScreen {
    stack: String,
    against: Against,
    aim: Aim,
    planned: Option<Box<StackPlan>>,
    failure: Option<Failure>,
    face: Face,
    /// How far each change came, by its index, once it was committed.
    progress: BTreeMap<usize, Progress>,
    commit: Stage,
    lines: Lines,
}

/// What is shown of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Face {
    /// What changes.
    Rows,
    /// The same with the REST calls and commands of each change.
    Calls,
    /// The script for a ZenML that has none of it.
    Script,
}

/// Where the commit stands.
#[derive(Debug)]
enum Stage {
    /// Nothing was sent.
    Planned,
    /// On its way.
    Running,
    /// It was made.
    Made(Option<String>),
    /// It stopped, perhaps in the middle.
    Stopped(Failure),
    /// What it made was taken back.
    Undone(Undone),
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Commit,
    Undo,
    Activate,
    Replan,
    Export,
    Switch,
    CopyScript,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Made(Outcome<Result<Box<StackPlan>, Failure>>),
    Unlocked,
    Confirmed,
    UndoConfirmed,
    Progressed(Committing),
    Committed(Outcome<Result<Committed, Failure>>),
    Undone(Outcome<Result<Undone, Failure>>),
    Activated(Outcome<Result<Activated, Failure>>),
    FileNamed(PathBuf),
    OverwriteConfirmed(PathBuf),
    Exported(PathBuf, Outcome<Result<(), Failure>>),
}

impl PlanScreen {
    /// The plan for the stack of this name.
    pub fn new(stack: impl Into<String>) -> Self {
        Self::with(stack, Aim::Present)
    }

    /// The plan for it in the ZenML of this connection; of the usual one where none is named.
    pub fn against(stack: impl Into<String>, connection: Option<String>) -> Self {
        let against = connection.map_or(Against::Usual, Against::Named);
        Self { against, ..Self::new(stack) }
    }

    /// The plan that takes the stack of this name out of ZenML.
    pub fn removal(stack: impl Into<String>) -> Self {
        Self::with(stack, Aim::Absent)
    }

    fn with(stack: impl Into<String>, aim: Aim) -> Self {
        Self {
            stack: stack.into(),
            against: Against::Usual,
            aim,
            planned: None,
            failure: None,
            face: Face::Rows,
            progress: BTreeMap::new(),
            commit: Stage::Planned,
            lines: Lines::default(),
        }
    }

    fn make(&self) -> Step<Self> {
        let (stack, against) = (self.stack.clone(), self.against.clone());
        let job = MakePlan { stack, against, aim: self.aim };
        Step::run(Effect::latest("plan", job, Msg::Made))
    }

    fn live(&self) -> Option<&LivePlan> {
        self.planned.as_ref().and_then(|planned| planned.live.as_ref())
    }

    fn may_commit(&self) -> bool {
        let is_idle = matches!(self.commit, Stage::Planned);
        let is_possible =
            |live: &LivePlan| live.changes.blockers.is_empty() && !live.changes.is_noop();
        is_idle && self.live().is_some_and(is_possible)
    }

    fn may_undo(&self) -> bool {
        match &self.commit {
            Stage::Planned => self.live().is_some_and(|live| live.unfinished.is_some()),
            Stage::Stopped(_) => {
                let made =
                    |progress: &Progress| matches!(progress, Progress::Done | Progress::Sent);
                self.progress.values().any(made)
                    || self.live().is_some_and(|live| live.unfinished.is_some())
            }
            _ => false,
        }
    }

    fn may_activate(&self) -> bool {
        match &self.commit {
            Stage::Made(id) => id.is_some(),
            Stage::Planned => {
                let is_there = |live: &LivePlan| live.changes.is_noop();
                self.aim == Aim::Present && self.live().is_some_and(is_there)
            }
            _ => false,
        }
    }

    fn activate(&self) -> Step<Self> {
        let Some(live) = self.live() else { return Step::none() };
        let against = Against::Named(live.connection.to_string());
        let job = ActivateStack { stack: self.stack.clone(), against };
        Step::run(Effect::exclusive("commit", job, Msg::Activated))
    }

    fn may_plan(&self) -> bool {
        !matches!(self.commit, Stage::Running)
    }

    fn may_export(&self) -> bool {
        self.is_planned() && self.aim == Aim::Present
    }

    /// Why the name has to be typed before the commit, where it has.
    fn stake(&self) -> Option<String> {
        let live = self.live()?;
        let foreign: Vec<String> =
            live.changes.foreign().map(|change| change.step.key().replace('/', " ")).collect();
        if !foreign.is_empty() {
            return Some(format!("osstack did not make {}.", foreign.join(", ")));
        }
        let planned = self.planned.as_ref()?;
        if planned.is_protected {
            return Some("The stack is protected.".to_owned());
        }
        let check = &planned.check;
        if let Some(why) = &live.ends_soon {
            return Some(format!("{}.", visible(why)));
        }
        if self.aim == Aim::Present && !check.verdict.allows_commit() {
            let words = check.verdict.words(live.now);
            return Some(format!("No check says that the store works ({words})."));
        }
        None
    }

    fn ask_commit(&self) -> Step<Self> {
        let Some(live) = self.live() else { return Step::none() };
        if let Some(planned) = &self.planned
            && let Some(warning) = &planned.check.warning
        {
            return Step::toast(Tone::Bad, warning);
        }
        let needed = live.changes.changes.iter().filter(|change| change.is_needed()).count();
        let needed = u64::try_from(needed).unwrap_or(u64::MAX);
        let count = units::counted(needed, "change");
        let title = format!("Commit {} to {}?", self.stack, live.connection);
        let stake = self.stake();
        let text = match &stake {
            Some(stake) => format!("{count}. {stake}"),
            None => format!("{count}, one after the other; a step that fails can be taken back."),
        };
        let question = Confirm::new(&title, text, ["Commit", "Not yet"]);
        let question = if stake.is_some() { question.typed(&self.stack) } else { question };
        Step::ask(question, |()| Msg::Confirmed)
    }

    fn run_commit(&mut self) -> Step<Self> {
        let Some(live) = self.live() else { return Step::none() };
        let job = CommitStack {
            stack: self.stack.clone(),
            against: Against::Named(live.connection.to_string()),
            aim: self.aim,
            shown: Some(live.changes.fingerprint()),
            // the name was typed where one of these matters
            without_check: true,
            adopt: true,
            ending_key: true,
        };
        self.commit = Stage::Running;
        let effect = Effect::exclusive_stream("commit", job, Msg::Progressed, Msg::Committed);
        Step::run(effect)
    }

    fn run_undo(&mut self) -> Step<Self> {
        let Some(live) = self.live() else { return Step::none() };
        let against = Against::Named(live.connection.to_string());
        let job = UndoCommit { stack: self.stack.clone(), against };
        self.commit = Stage::Running;
        Step::run(Effect::exclusive("commit", job, Msg::Undone))
    }

    fn export(&self, path: PathBuf, overwrite: bool) -> Step<Self> {
        let job = ExportScript { stack: self.stack.clone(), path: path.clone(), overwrite };
        Step::run(Effect::exclusive("export", job, move |out| Msg::Exported(path, out)))
    }

    fn is_planned(&self) -> bool {
        self.planned.is_some()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Made(outcome) => match settled(outcome) {
                Ok(planned) => {
                    self.failure = None;
                    self.planned = Some(planned);
                    self.progress.clear();
                    self.commit = Stage::Planned;
                    Step::none()
                }
                Err(failure) => {
                    let unlock = when_locked(&failure, || Msg::Unlocked);
                    self.failure = Some(failure);
                    unlock.unwrap_or_else(Step::none)
                }
            },
            Msg::Unlocked => self.make(),
            Msg::Confirmed => self.run_commit(),
            Msg::UndoConfirmed => self.run_undo(),
            Msg::Progressed(Committing { index, progress }) => {
                self.progress.insert(index, progress);
                Step::none()
            }
            Msg::Committed(outcome) => match settled(outcome) {
                Ok(committed) => {
                    self.commit = Stage::Made(committed.stack_id);
                    let said = format!("committed {} to {}", self.stack, committed.connection);
                    Step::toast(Tone::Good, &said)
                }
                Err(failure) => {
                    let said = failure.summary.clone();
                    self.commit = Stage::Stopped(failure);
                    self.lines.rewind();
                    Step::toast(Tone::Bad, &said)
                }
            },
            Msg::Undone(outcome) => match settled(outcome) {
                Ok(undone) => {
                    let is_all = undone.left.is_empty();
                    self.commit = Stage::Undone(undone);
                    self.progress.clear();
                    if is_all {
                        Step::toast(Tone::Good, "what the commit made is taken back")
                    } else {
                        Step::toast(Tone::Warning, "some of it stays: the next plan names it")
                    }
                }
                Err(failure) => {
                    let said = failure.summary.clone();
                    self.commit = Stage::Stopped(failure);
                    Step::toast(Tone::Bad, &said)
                }
            },
            Msg::Activated(outcome) => match settled(outcome) {
                Ok(activated) => match activated.shown() {
                    Some(by) => {
                        let said = format!("{} is the active stack of {by}", self.stack);
                        Step::toast(Tone::Good, &said)
                    }
                    None => Step::toast(
                        Tone::Warning,
                        "no zenml on the PATH speaks with this ZenML: set \
                         ZENML_ACTIVE_STACK_ID where pipelines are started",
                    ),
                },
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
            Msg::FileNamed(path) => self.export(path, false),
            Msg::OverwriteConfirmed(path) => self.export(path, true),
            Msg::Exported(asked, outcome) => match settled(outcome) {
                Ok(()) => {
                    let path = visible(&asked.to_string_lossy());
                    let said = format!("wrote {path}; run it with: sh {path}");
                    Step::toast(Tone::Good, &said)
                }
                Err(failure) if failure.kind == FailureKind::Conflict => {
                    let name = asked.file_name().unwrap_or_default().to_string_lossy();
                    let title = format!("Replace {name}?");
                    let text = format!("{} is there already.", visible(&asked.to_string_lossy()));
                    let question = Confirm::new(&title, text, ["Replace", "Keep"]);
                    Step::ask(question, move |()| Msg::OverwriteConfirmed(asked))
                }
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
        }
    }
}

impl Screen for PlanScreen {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "plan";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["c"], Command::Commit, "commit…").when(Self::may_commit),
        Bind::new(&["a"], Command::Activate, "make active").when(Self::may_activate),
        Bind::new(&["u"], Command::Undo, "take back…").when(Self::may_undo),
        Bind::new(&["E", "w"], Command::Export, "export script…").when(Self::may_export),
        Bind::new(&["tab", "s"], Command::Switch, "calls, script").when(Self::is_planned),
        Bind::new(&["y"], Command::CopyScript, "copy script").when(Self::may_export),
        Bind::new(&["R"], Command::Replan, "plan again").when(Self::may_plan),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.make()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Move(to)) => self.lines.act(to),
            Event::Command(Command::Switch) => {
                self.face = match self.face {
                    Face::Rows if self.live().is_some() => Face::Calls,
                    Face::Rows | Face::Calls if self.aim == Aim::Present => Face::Script,
                    _ => Face::Rows,
                };
                self.lines.rewind();
            }
            Event::Command(Command::Commit) => return self.ask_commit(),
            Event::Command(Command::Undo) => {
                let title = format!("Take back the commit of {}?", self.stack);
                let text = "What it made is deleted, what it changed becomes what it was.";
                let question = Confirm::new(&title, text, ["Take back", "Leave"]);
                return Step::ask(question, |()| Msg::UndoConfirmed);
            }
            Event::Command(Command::Activate) => return self.activate(),
            Event::Command(Command::Replan) => {
                self.planned = None;
                self.failure = None;
                return self.make();
            }
            Event::Command(Command::Export) => {
                let initial = format!("./{}.sh", self.stack);
                let help = "a shell script; secret values are asked for when it runs, never in it";
                let ask = Ask::path("Export the plan as a script", "file", help, &initial);
                return Step::ask(ask, Msg::FileNamed);
            }
            Event::Command(Command::CopyScript) => {
                if let Some(planned) = &self.planned {
                    return Step::copy_text(&planned.script);
                }
            }
            Event::Msg(msg) => return self.hear(msg),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let rows: Vec<Line<'static>> = self.rows(usize::from(inner.width), theme);
        self.lines.view(frame, inner, theme, rows);
    }

    fn title(&self) -> String {
        match self.aim {
            Aim::Present => format!("Plan for {}", self.stack),
            Aim::Absent => format!("Plan to take {} out of ZenML", self.stack),
        }
    }

    fn is_dirty(&self) -> bool {
        matches!(self.commit, Stage::Running)
    }
}
