//! What ZenML would be told about a stack, and the script that tells it.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::base::visible::{visible, visible_text};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::plan::{Against, Aim, ExportScript, MakePlan, StackPlan};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Change, Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::wrap;

use super::ask::Ask;
use super::failure_view::{self, settled};
use super::unlock::when_locked;

/// The plan of one stack.
#[derive(Debug)]
pub struct PlanScreen {
    stack: String,
    planned: Option<Box<StackPlan>>,
    failure: Option<Failure>,
    /// Whether the script is shown in place of the rows.
    as_script: bool,
    lines: Lines,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
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
    FileNamed(PathBuf),
    OverwriteConfirmed(PathBuf),
    Exported(PathBuf, Outcome<Result<(), Failure>>),
}

impl PlanScreen {
    /// The plan for the stack of this name.
    pub fn new(stack: impl Into<String>) -> Self {
        Self {
            stack: stack.into(),
            planned: None,
            failure: None,
            as_script: false,
            lines: Lines::default(),
        }
    }

    fn make(&self) -> Step<Self> {
        let job =
            MakePlan { stack: self.stack.clone(), against: Against::Usual, aim: Aim::Present };
        Step::run(Effect::latest("plan", job, Msg::Made))
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
                    Step::none()
                }
                Err(failure) => {
                    let unlock = when_locked(&failure, || Msg::Unlocked);
                    self.failure = Some(failure);
                    unlock.unwrap_or_else(Step::none)
                }
            },
            Msg::Unlocked => self.make(),
            Msg::FileNamed(path) => self.export(path, false),
            Msg::OverwriteConfirmed(path) => self.export(path, true),
            Msg::Exported(asked, outcome) => match settled(outcome) {
                Ok(()) => {
                    let said = format!("wrote {0}; run it with: sh {0}", asked.display());
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

    fn rows(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        match (&self.failure, &self.planned) {
            (Some(failure), _) => failure_view::lines(failure, room, theme),
            (None, Some(planned)) if self.as_script => script_lines(&planned.script),
            (None, Some(planned)) => plan_lines(planned, theme),
            (None, None) => Vec::new(),
        }
    }
}

fn plan_lines(planned: &StackPlan, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(
        " What ZenML would be told, in this order. Nothing has been sent.",
        theme.muted(),
    )];
    let (sign, style) = theme.change(Change::Add);
    for step in &planned.plan.steps {
        lines.push(Line::raw(""));
        lines.push(Line::from(vec![
            Span::styled(format!(" {sign} "), style),
            Span::styled(format!("{} {}", step.subject(), step.name()), theme.title()),
        ]));
        for (name, value) in step.fields() {
            lines.push(Line::from(vec![
                Span::styled(format!("     {:22} ", visible(&name)), theme.muted()),
                Span::raw(visible(&value).into_string()),
            ]));
        }
    }
    for note in &planned.plan.notes {
        lines.push(Line::raw(""));
        let mut first = true;
        for text in wrap(note, 74) {
            let sign = if first { theme.sign(Tone::Warning) } else { " " };
            first = false;
            lines.push(Line::from(vec![
                Span::styled(format!(" {sign} "), theme.warn()),
                Span::raw(visible(&text).into_string()),
            ]));
        }
    }
    lines
}

fn script_lines(script: &str) -> Vec<Line<'static>> {
    let shown = visible_text(script).into_string();
    shown.lines().map(|line| Line::raw(format!(" {line}"))).collect()
}

impl Screen for PlanScreen {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "plan";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["E", "w"], Command::Export, "export script…").when(Self::is_planned),
        Bind::new(&["tab", "s"], Command::Switch, "rows or script").when(Self::is_planned),
        Bind::new(&["y"], Command::CopyScript, "copy script").when(Self::is_planned),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.make()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Move(to)) => self.lines.act(to),
            Event::Command(Command::Switch) => {
                self.as_script = !self.as_script;
                self.lines.rewind();
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
        let rows = self.rows(usize::from(inner.width), theme);
        self.lines.view(frame, inner, theme, rows);
    }

    fn title(&self) -> String {
        format!("Plan for {}", self.stack)
    }
}
