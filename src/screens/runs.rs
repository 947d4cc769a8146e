//! The runs of a ZenML, the newest first, each with its steps and outputs.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use time::OffsetDateTime;

use crate::base::units;
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::connection::Connection;
use crate::ops::connections::Disconnect;
use crate::ops::failure::Failure;
use crate::ops::runs::{ListRuns, ListedRuns, RunDetail, ShowRun};
use crate::ops::stores::LoadCatalog;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::table::{Column, Row};
use crate::zenml::artifacts::{Run, Standing, Status};

use super::connection_form::ConnectionForm;
use super::detail::fields;
use super::explain;
use super::failure_view::{self, settled};
use super::found::FoundScreen;
use super::import::Import;
use super::list_detail::{Face, ListDetail};
use super::run::RunView;
use super::unlock::when_locked;
use super::waiting;

/// Runs that are listed.
const MOST: usize = 200;

/// What stands in place of the details while there is no run.
const WELCOME: &str = "Once a pipeline has run, it stands here with its steps and what they \
    wrote.\n\nR asks again.";

/// The tab of runs.
#[derive(Debug, Default)]
pub struct Runs {
    list: ListDetail<ListedRuns, Run>,
    /// Names of the connections: those to servers first, which answer sooner than a command.
    connections: Vec<String>,
    /// Which of them is shown.
    at: usize,
    /// The steps of one run, by its id.
    steps: Option<(String, Result<RunDetail, Failure>)>,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    NextZenml,
    Import,
    SignIn,
    Found,
    Forget,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    CatalogRead(Outcome<Result<Catalog, Failure>>),
    Listed(Outcome<Result<ListedRuns, Failure>>),
    Unlocked,
    StepsRead(String, Outcome<Result<RunDetail, Failure>>),
    SignedIn,
    ForgetConfirmed(String),
    Forgotten(Outcome<Result<Connection, Failure>>),
}

/// How a status looks.
pub(super) fn tone(status: &Status) -> Tone {
    match status.standing() {
        Standing::Good => Tone::Good,
        Standing::Bad => Tone::Bad,
        Standing::Stopped => Tone::Warning,
        Standing::Open => Tone::Neutral,
    }
}

/// How long something took, where that is known.
pub(super) fn took(from: Option<OffsetDateTime>, to: Option<OffsetDateTime>) -> String {
    let span = from.zip(to).and_then(|(from, to)| Duration::try_from(to - from).ok());
    span.map(units::span).unwrap_or_default()
}

impl Runs {
    fn has_selection(&self) -> bool {
        self.list.has_selection()
    }

    fn has_no_zenml(&self) -> bool {
        !self.has_zenml()
    }

    fn has_zenml(&self) -> bool {
        !self.connections.is_empty()
    }

    fn has_several_zenmls(&self) -> bool {
        self.connections.len() > 1
    }

    fn connection(&self) -> Option<String> {
        self.connections.get(self.at).cloned()
    }

    /// Which connections there are comes first: without one that is named, several would be refused.
    fn load() -> Step<Self> {
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::CatalogRead))
    }

    fn list(&mut self) -> Step<Self> {
        self.spinner.start();
        let job = ListRuns { connection: self.connection(), pipeline: None, limit: MOST };
        Step::run(Effect::latest("runs", job, Msg::Listed))
    }

    /// Reads the steps of the selected run, unless they are there.
    fn read_steps(&mut self) -> Step<Self> {
        let Some(run) = self.list.selected() else { return Step::cancel("steps") };
        let id = run.id.clone();
        if self.steps.as_ref().is_some_and(|(known, _)| *known == id) {
            return Step::none();
        }
        self.steps = None;
        let job = ShowRun { connection: self.connection(), run: Some(id.clone()) };
        Step::run(Effect::latest("steps", job, move |outcome| Msg::StepsRead(id, outcome)))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Open => {
                let Some(run) = self.list.selected() else { return Step::none() };
                let read = self.steps.as_ref().filter(|(id, _)| *id == run.id);
                Step::open(match read {
                    Some((_, Ok(detail))) => RunView::of(self.connection(), detail.clone()),
                    _ => RunView::new(self.connection(), run.id.clone()),
                })
            }
            Command::NextZenml => {
                self.at = (self.at + 1) % self.connections.len().max(1);
                (self.list, self.steps) = (ListDetail::default(), None);
                self.list()
            }
            Command::Reload => Self::load(),
            Command::Import => Step::open(Import::new(self.connections.clone(), self.at)),
            Command::SignIn => Step::ask(ConnectionForm::new(), |_name| Msg::SignedIn),
            Command::Found => Step::open(FoundScreen::new()),
            Command::Forget => {
                let Some(name) = self.connection() else { return Step::none() };
                let title = format!("Forget the connection {name}?");
                let text = "What signs in there is forgotten too; ZenML keeps all that it has.";
                let question = Confirm::new(&title, text, ["Forget", "Keep"]);
                Step::ask(question, |()| Msg::ForgetConfirmed(name))
            }
            Command::Move(to) => {
                self.list.act(to);
                self.read_steps()
            }
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::SignedIn => Self::load(),
            Msg::ForgetConfirmed(name) => {
                let job = Disconnect { name: Some(name) };
                Step::run(Effect::exclusive("connections", job, Msg::Forgotten))
            }
            Msg::Forgotten(outcome) => match settled(outcome) {
                Ok(gone) => {
                    (self.list, self.steps) = (ListDetail::default(), None);
                    let said = format!("forgot the connection {}", gone.name);
                    Self::load().and_toast(Tone::Good, &said)
                }
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
            Msg::CatalogRead(outcome) => {
                let shown = self.connection();
                // why it cannot be read the list of runs says as well
                if let Ok(catalog) = settled(outcome) {
                    let (servers, commands): (Vec<_>, Vec<_>) =
                        catalog.connections().iter().partition(|one| one.way.is_server());
                    let all = servers.into_iter().chain(commands);
                    self.connections = all.map(|one| one.name.to_string()).collect();
                }
                let at = self.connections.iter().position(|name| Some(name) == shown.as_ref());
                self.at = at.unwrap_or(0);
                self.list()
            }
            Msg::Listed(outcome) => {
                self.spinner.stop();
                self.list.take(outcome);
                // a run that goes on has other steps by now
                self.steps = None;
                let locked = self.list.failure();
                if let Some(unlock) = locked.and_then(|it| when_locked(it, || Msg::Unlocked)) {
                    return unlock;
                }
                self.read_steps()
            }
            Msg::Unlocked => self.list(),
            Msg::StepsRead(id, outcome) => {
                self.steps = Some((id, settled(outcome)));
                Step::none()
            }
        }
    }

    fn row(&self, run: &Run, theme: &Theme) -> Row<'static> {
        let tone = tone(&run.status);
        let now = self.list.read().map(|listed| listed.now);
        let age = now.zip(run.created).map(|(now, created)| {
            // a server whose clock runs ahead has runs of the future
            units::ago(Duration::try_from(now - created).unwrap_or_default())
        });
        let name = run.pipeline.as_deref().unwrap_or(&run.name);
        Row::new([
            Line::styled(theme.sign(tone), theme.tone(tone)),
            Line::raw(visible(name).into_string()),
            Line::styled(age.unwrap_or_default(), theme.muted()),
        ])
    }

    fn details(&self, run: &Run, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let known = self.steps.as_ref().filter(|(id, _)| *id == run.id);
        let whole = known.and_then(|(_, read)| read.as_ref().ok());
        let mut lines = fields(&run_rows(whole.map_or(run, |whole| &whole.run)), room, theme);
        lines.push(Line::default());
        match known {
            None => {}
            Some((_, Err(failure))) => lines.extend(failure_view::lines(failure, room, theme)),
            Some((_, Ok(detail))) => {
                for step in &detail.steps {
                    let tone = tone(&step.status);
                    let outputs: Vec<String> =
                        step.outputs.iter().map(|(name, _)| visible(name).into_string()).collect();
                    lines.push(Line::from(vec![
                        Span::styled(theme.sign(tone), theme.tone(tone)),
                        Span::raw(format!(" {}  ", visible(&step.name))),
                        Span::styled(outputs.join(", "), theme.muted()),
                    ]));
                }
            }
        }
        lines
    }
}

/// What is known of a run, showable.
pub(super) fn run_rows(run: &Run) -> Vec<(&'static str, String)> {
    let shown = |text: &str| visible(text).into_string();
    let mut rows = vec![("status", shown(run.status.as_str()))];
    let mut say = |label, value: Option<String>| rows.extend(value.map(|value| (label, value)));
    say("reason", run.reason.as_deref().map(shown));
    say("pipeline", run.pipeline.as_deref().map(shown));
    say("stack", run.stack.as_deref().map(shown));
    say("by", run.user.as_deref().map(shown));
    say("began", run.started.or(run.created).map(|time| units::moment(time) + " UTC"));
    let span = took(run.started, run.ended);
    say("took", (!span.is_empty()).then_some(span));
    say("tags", (!run.tags.is_empty()).then(|| shown(&run.tags.join(", "))));
    rows
}

impl Screen for Runs {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "runs";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Open, "steps, outputs")
            .when(Self::has_selection),
        Bind::new(&["z"], Command::NextZenml, "next ZenML").when(Self::has_several_zenmls),
        Bind::new(&["i"], Command::Import, "stacks there…").when(Self::has_zenml),
        Bind::new(&["n"], Command::SignIn, "sign in…"),
        Bind::new(&["i"], Command::Found, "import…").when(Self::has_no_zenml),
        Bind::new(&["D"], Command::Forget, "forget ZenML…").when(Self::has_zenml),
        Bind::new(&["R", "f5"], Command::Reload, "reload").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        Self::load()
    }

    fn resumed(&mut self) -> Step<Self> {
        Self::load()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => self.command(command),
            Event::Msg(msg) => self.hear(msg),
            Event::Mouse(mouse) => {
                self.list.mouse(mouse);
                self.read_steps()
            }
            Event::Tick(now) => {
                self.spinner.tick(now);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let sign = self.spinner.sign(theme);
        let zenml = self.connection().map(|name| format!(" of {name}")).unwrap_or_default();
        let gap = if sign.is_empty() { "" } else { " " };
        let face = Face {
            title: &format!("Runs{zenml}{gap}{sign}"),
            width: (42, 34),
            columns: &[
                Column::new("", Constraint::Length(1)),
                Column::new("", Constraint::Fill(1)),
                Column::new("", Constraint::Length(10)).right(),
            ],
            empty: "no run yet",
            welcome: WELCOME,
            warnings: Vec::new(),
            waiting: waiting::words(&self.spinner, theme),
        };
        let row = |run: &Run| self.row(run, theme);
        let details = |run: &Run, room| self.details(run, room, theme);
        self.list.view(frame, area, theme, &face, row, details);
    }

    fn title(&self) -> String {
        "Runs".into()
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.list.failure())
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
