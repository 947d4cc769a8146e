//! What a ZenML has beside the catalog: its stacks and artifact stores, each with what is wrong
//! for OSS, to be taken over.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::ops::adopt::{
    AdoptFromZenml, Adopted, Adoptee, Here, Maker, SecretTaken, StackThere, StoreThere, Survey,
    SurveyZenml,
};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::table::{Column, Row};
use crate::zenml::lint::{Finding, Severity};

use super::detail::fields;
use super::diff::DiffScreen;
use super::explain;
use super::failure_view::{marked, settled};
use super::list_detail::{Face, ListDetail, Lists, Named};
use super::secret_picker::SecretPicker;
use super::unlock::when_locked;
use super::waiting;

/// What stands in place of the details while ZenML has nothing.
const WELCOME: &str = "This ZenML has neither stacks nor artifact stores.";

/// What one ZenML has.
#[derive(Debug)]
pub struct Import {
    /// Names of the connections there are.
    connections: Vec<String>,
    /// Which of them is shown.
    at: usize,
    list: ListDetail<Listed, Thing>,
    /// What the last one that was taken over leaves to do.
    notes: Vec<String>,
    spinner: Spinner,
}

/// A survey as rows: stacks, then stores.
#[derive(Debug)]
struct Listed {
    survey: Survey,
    rows: Vec<Thing>,
}

/// A stack or a store, by an id that no other has.
#[derive(Debug)]
struct Thing {
    id: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Stack(StackThere),
    Store(StoreThere),
}

impl Lists<Thing> for Listed {
    fn rows(&self) -> &[Thing] {
        &self.rows
    }
}

impl Named for Thing {
    fn id(&self) -> &str {
        &self.id
    }

    fn title(&self) -> String {
        visible(self.name()).into_string()
    }
}

impl Thing {
    fn name(&self) -> &str {
        match &self.what {
            What::Stack(stack) => &stack.name,
            What::Store(store) => &store.name,
        }
    }

    fn here(&self) -> &Here {
        match &self.what {
            What::Stack(stack) => &stack.here,
            What::Store(store) => &store.here,
        }
    }

    fn maker(&self) -> Maker {
        match &self.what {
            What::Stack(stack) => stack.maker,
            What::Store(store) => store.maker,
        }
    }

    fn findings(&self) -> &[Finding] {
        match &self.what {
            What::Stack(stack) => &stack.findings,
            What::Store(store) => &store.findings,
        }
    }

    fn lacks_secret(&self) -> bool {
        match &self.what {
            What::Stack(stack) => stack.lacks_secret,
            What::Store(store) => store.lacks_secret,
        }
    }

    fn adoptee(&self) -> Adoptee {
        match &self.what {
            What::Stack(stack) => Adoptee::Stack(stack.name.clone()),
            What::Store(store) => {
                Adoptee::Component(ComponentType::ArtifactStore, store.name.clone())
            }
        }
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Take,
    Diff,
    NextConnection,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Surveyed(Outcome<Result<Survey, Failure>>),
    Unlocked,
    SecretPicked(Adoptee, String),
    OverwriteConfirmed(Adoptee, Option<String>),
    Taken(Adoptee, Option<String>, Outcome<Result<Adopted, Failure>>),
}

impl Import {
    /// What the connections lead to, beginning with the one at `at`.
    pub fn new(connections: Vec<String>, at: usize) -> Self {
        Self {
            connections,
            at,
            list: ListDetail::default(),
            notes: Vec::new(),
            spinner: Spinner::default(),
        }
    }

    fn connection(&self) -> Option<String> {
        self.connections.get(self.at).cloned()
    }

    fn has_several(&self) -> bool {
        self.connections.len() > 1
    }

    fn may_take(&self) -> bool {
        let may = |thing: &Thing| matches!(thing.here(), Here::Nothing | Here::Differs);
        self.list.selected().is_some_and(may)
    }

    fn may_diff(&self) -> bool {
        self.list.selected().is_some_and(|thing| {
            matches!(thing.what, What::Stack(_))
                && matches!(thing.here(), Here::Same | Here::Mended | Here::Differs)
        })
    }

    fn survey(&mut self) -> Step<Self> {
        self.spinner.start();
        let job = SurveyZenml { connection: self.connection() };
        Step::run(Effect::latest("survey", job, Msg::Surveyed))
    }

    fn take(&self, what: Adoptee, secret: Option<String>, overwrite: bool) -> Step<Self> {
        let connection = self.connection();
        let job = AdoptFromZenml {
            connection,
            what: vec![what.clone()],
            secret: secret.clone(),
            overwrite,
        };
        let done = move |outcome| Msg::Taken(what, secret, outcome);
        Step::run(Effect::exclusive("catalog", job, done))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        self.list.forget();
        match command {
            Command::Move(to) => self.list.act(to),
            Command::Reload => return self.survey(),
            Command::NextConnection => {
                self.at = (self.at + 1) % self.connections.len().max(1);
                (self.list, self.notes) = (ListDetail::default(), Vec::new());
                return self.survey();
            }
            Command::Take => {
                let Some(thing) = self.list.selected() else { return Step::none() };
                let what = thing.adoptee();
                if thing.lacks_secret() {
                    return Step::ask(SecretPicker::new(""), |name| {
                        Msg::SecretPicked(what, name.to_string())
                    });
                }
                return self.take(what, None, false);
            }
            Command::Diff => {
                if let Some(thing) = self.list.selected() {
                    return Step::open(DiffScreen::new(thing.name(), self.connection()));
                }
            }
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Surveyed(outcome) => {
                self.spinner.stop();
                self.list.take(listed(outcome));
                let failure = self.list.failure();
                return failure
                    .and_then(|it| when_locked(it, || Msg::Unlocked))
                    .unwrap_or_else(Step::none);
            }
            Msg::Unlocked => return self.survey(),
            Msg::SecretPicked(what, secret) => return self.take(what, Some(secret), false),
            Msg::OverwriteConfirmed(what, secret) => return self.take(what, secret, true),
            Msg::Taken(what, secret, outcome) => match settled(outcome) {
                Ok(Adopted { imported, secrets, .. }) => {
                    let left = secrets.iter().filter_map(|(name, taken)| taken.next(name));
                    self.notes = left.collect();
                    let keys = secrets.iter().filter(|(_, it)| *it == SecretTaken::Taken);
                    let keys = keys.map(|(name, _)| format!("the values of the secret {name}"));
                    let entries = imported.entries.iter().map(|(entry, _)| entry.clone());
                    let all: Vec<String> = entries.chain(keys).collect();
                    let said = format!("taken over: {}", visible(&all.join(", ")));
                    return self.survey().and_toast(Tone::Good, &said);
                }
                Err(failure) if failure.kind == FailureKind::Conflict => {
                    let text = format!("{}. What ZenML has takes its place.", failure.summary);
                    let question = Confirm::new("Replace it?", &text, ["Replace", "Keep"]);
                    return Step::ask(question, move |()| Msg::OverwriteConfirmed(what, secret));
                }
                Err(failure) => self.list.refuse(failure),
            },
        }
        Step::none()
    }
}

fn listed(outcome: Outcome<Result<Survey, Failure>>) -> Outcome<Result<Listed, Failure>> {
    outcome.map(|survey| {
        survey.map(|survey| {
            let stacks = survey.stacks.iter().map(|stack| Thing {
                id: format!("stack/{}", stack.name),
                what: What::Stack(stack.clone()),
            });
            let stores = survey.stores.iter().map(|store| Thing {
                id: format!("store/{}", store.name),
                what: What::Store(store.clone()),
            });
            let mut rows: Vec<Thing> = stacks.chain(stores).collect();
            // the cursor begins on what can be taken over
            rows.sort_by_key(|thing| matches!(thing.here(), Here::Unfit(_)));
            Listed { survey, rows }
        })
    })
}

/// What the catalog has of it, as a column says it.
fn here_word(here: &Here, theme: &Theme) -> Line<'static> {
    match here {
        Here::Nothing => Line::styled("not here", theme.ok()),
        Here::Same => Line::styled("same", theme.muted()),
        Here::Mended => Line::styled("mended", theme.ok()),
        Here::Differs => Line::styled("differs", theme.warn()),
        Here::Unfit(_) => Line::styled("-", theme.muted()),
    }
}

fn row(thing: &Thing, theme: &Theme) -> Row<'static> {
    let kind = match &thing.what {
        What::Stack(_) => "stack",
        What::Store(_) => "store",
    };
    let worst = thing.findings().iter().map(|finding| finding.severity).max();
    let sign = match worst {
        Some(Severity::Error) => Span::styled(theme.sign(Tone::Bad), theme.bad()),
        Some(Severity::Warning) => Span::styled(theme.sign(Tone::Warning), theme.warn()),
        _ => Span::raw(" "),
    };
    Row::new([
        Line::from(sign),
        Line::styled(kind, theme.muted()),
        Line::raw(visible(thing.name()).into_string()),
        here_word(thing.here(), theme),
    ])
}

fn details(thing: &Thing, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let shown = |text: &str| visible(text).into_string();
    let made_by = match thing.maker() {
        Maker::Osstack => "osstack",
        Maker::User => "a user of this ZenML",
        Maker::Zenml => "ZenML itself",
    };
    let mut rows = Vec::new();
    match &thing.what {
        What::Stack(stack) => rows.extend(
            stack.components.iter().map(|(kind, names)| (kind.replace('_', " "), names.join(", "))),
        ),
        What::Store(store) => {
            rows.push(("flavor".to_owned(), store.flavor.clone()));
            if !store.path.is_empty() {
                rows.push(("path".to_owned(), store.path.clone()));
            }
            if !store.used_by.is_empty() {
                rows.push(("used by".to_owned(), store.used_by.join(", ")));
            }
        }
    }
    rows.push(("made by".to_owned(), made_by.to_owned()));
    let rows: Vec<(String, String)> =
        rows.into_iter().map(|(label, value)| (shown(&label), shown(&value))).collect();
    let mut lines = fields(&rows, room, theme);
    lines.push(Line::default());
    for finding in thing.findings().iter().filter(|it| it.severity > Severity::Note) {
        let (tone, style) = match finding.severity {
            Severity::Error => (Tone::Bad, theme.bad()),
            _ => (Tone::Warning, theme.warn()),
        };
        lines.extend(marked(theme.sign(tone), style, &finding.meaning, room));
    }
    if thing.findings().iter().any(|finding| finding.severity == Severity::Error) {
        let said = match thing.here() {
            Here::Mended => "Here it is as OSS needs it: a commit mends it in ZenML.",
            _ => "Taken over it is as OSS needs it; a commit then mends it in ZenML.",
        };
        lines.extend(marked(" ", theme.muted(), said, room));
    }
    if let Here::Unfit(why) = thing.here() {
        lines.extend(marked(" ", theme.muted(), &format!("Not taken over: {why}."), room));
    }
    lines
}

impl Screen for Import {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "import";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["t", "enter"], Command::Take, "take over").when(Self::may_take),
        Bind::new(&["d"], Command::Diff, "diff…").when(Self::may_diff),
        Bind::new(&["z"], Command::NextConnection, "next ZenML").when(Self::has_several),
        Bind::new(&["R", "f5"], Command::Reload, "look again"),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.survey()
    }

    fn resumed(&mut self) -> Step<Self> {
        self.survey()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => self.command(command),
            Event::Msg(msg) => self.hear(msg),
            Event::Mouse(mouse) => {
                self.list.mouse(mouse);
                Step::none()
            }
            Event::Tick(now) => {
                self.spinner.tick(now);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let sign = self.spinner.sign(theme);
        let gap = if sign.is_empty() { "" } else { " " };
        let of = self.list.read().map_or_else(
            || self.connection().unwrap_or_default(),
            |listed| {
                let Survey { connection, server, .. } = &listed.survey;
                format!("{} ({})", connection.name, server.software())
            },
        );
        let face = Face {
            title: &format!("In {of}{gap}{sign}"),
            width: (50, 40),
            columns: &[
                Column::new("", Constraint::Length(1)),
                Column::new("", Constraint::Length(5)),
                Column::new("", Constraint::Fill(1)),
                Column::new("", Constraint::Length(10)).right(),
            ],
            empty: "nothing",
            welcome: WELCOME,
            warnings: self.notes.clone(),
            waiting: waiting::words(&self.spinner, theme),
        };
        let row = |thing: &Thing| row(thing, theme);
        let details = |thing: &Thing, room| details(thing, room, theme);
        self.list.view(frame, area, theme, &face, row, details);
    }

    fn title(&self) -> String {
        "import".into()
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.list.failure())
    }
}
