//! A stack in the catalog beside ZenML and its bucket, field by field; either side may be taken.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::ops::adopt::{AdoptFromZenml, Adopted, Adoptee};
use crate::ops::diff::{BucketDiff, Diff, DiffStack, There, Thing};
use crate::ops::failure::Failure;
use crate::ops::plan::Against;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::table::{Column, Row};
use crate::zenml::changes::FieldChange;
use crate::zenml::plan::Step as Planned;

use super::explain;
use super::failure_view::{self, marked, settled};
use super::list_detail::{Face, ListDetail, Lists, Named};
use super::plan::PlanScreen;
use super::unlock::when_locked;
use super::waiting;

/// What differs of one stack.
#[derive(Debug)]
pub struct DiffScreen {
    stack: String,
    connection: Option<String>,
    list: ListDetail<Compared, Compare>,
    /// What the last one that was taken leaves to do.
    notes: Vec<String>,
    spinner: Spinner,
}

/// A diff as rows: the things of the stack, then its bucket.
#[derive(Debug)]
struct Compared {
    diff: Box<Diff>,
    rows: Vec<Compare>,
}

/// One row, by an id that no other has.
#[derive(Debug)]
struct Compare {
    id: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Thing(Box<Thing>),
    Bucket(Box<BucketDiff>),
}

impl Lists<Compare> for Compared {
    fn rows(&self) -> &[Compare] {
        &self.rows
    }
}

impl Named for Compare {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    TakeTheirs,
    TakeOurs,
    Again,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Compared(Outcome<Result<Box<Diff>, Failure>>),
    Unlocked,
    Confirmed(Adoptee),
    Taken(Outcome<Result<Adopted, Failure>>),
}

impl DiffScreen {
    /// The diff of the stack of this name, beside the connection that is named or the usual one.
    pub fn new(stack: impl Into<String>, connection: Option<String>) -> Self {
        Self {
            stack: stack.into(),
            connection,
            list: ListDetail::default(),
            notes: Vec::new(),
            spinner: Spinner::default(),
        }
    }

    fn compare(&mut self) -> Step<Self> {
        self.spinner.start();
        let against = self.connection.clone().map_or(Against::Usual, Against::Named);
        let job = DiffStack { stack: self.stack.clone(), against };
        Step::run(Effect::latest("diff", job, Msg::Compared))
    }

    /// The selected thing, where ZenML has something else of it under the same name.
    fn theirs(&self) -> Option<&Thing> {
        match &self.list.selected()?.what {
            What::Thing(thing) if thing.there == There::Differs && thing.other_name.is_none() => {
                Some(thing)
            }
            _ => None,
        }
    }

    fn may_take_theirs(&self) -> bool {
        self.theirs().is_some()
    }

    fn may_take_ours(&self) -> bool {
        self.list.read().is_some_and(|compared| compared.diff.differs_in_zenml())
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        self.list.forget();
        match command {
            Command::Move(to) => self.list.act(to),
            Command::Again => return self.compare(),
            Command::TakeOurs => {
                let connection = self.connection.clone();
                return Step::open(PlanScreen::against(self.stack.clone(), connection));
            }
            Command::TakeTheirs => {
                let Some(thing) = self.theirs() else { return Step::none() };
                let name = thing.step.name().to_string();
                let (what, place) = match &thing.step {
                    Planned::Secret { .. } => (Adoptee::Secret(name), "keystore"),
                    Planned::Component { kind, .. } => (Adoptee::Component(*kind, name), "catalog"),
                    Planned::Stack { .. } => (Adoptee::StackAlone(name), "catalog"),
                };
                let title =
                    format!("Take {} {} from ZenML?", thing.step.subject(), thing.step.name());
                let text = format!("It takes the place of what the {place} has.");
                let question = Confirm::new(&title, &text, ["Take theirs", "Keep mine"]);
                return Step::ask(question, move |()| Msg::Confirmed(what));
            }
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Compared(outcome) => {
                self.spinner.stop();
                self.list.take(compared(outcome));
                let failure = self.list.failure();
                return failure
                    .and_then(|it| when_locked(it, || Msg::Unlocked))
                    .unwrap_or_else(Step::none);
            }
            Msg::Unlocked => return self.compare(),
            Msg::Confirmed(what) => {
                let diff = self.list.read().and_then(|compared| compared.diff.zenml.as_ref());
                let connection = diff.map(|(connection, _)| connection.to_string());
                let what = vec![what];
                let job = AdoptFromZenml { connection, what, secret: None, overwrite: true };
                return Step::run(Effect::exclusive("catalog", job, Msg::Taken));
            }
            Msg::Taken(outcome) => match settled(outcome) {
                Ok(Adopted { secrets, .. }) => {
                    self.notes =
                        secrets.iter().filter_map(|(name, taken)| taken.next(name)).collect();
                    return self.compare().and_toast(Tone::Good, "taken from ZenML");
                }
                Err(failure) => self.list.refuse(failure),
            },
        }
        Step::none()
    }
}

fn compared(outcome: Outcome<Result<Box<Diff>, Failure>>) -> Outcome<Result<Compared, Failure>> {
    outcome.map(|diff| {
        diff.map(|diff| {
            let things = diff.things.iter().map(|thing| Compare {
                id: format!("{} {}", short(&thing.step), thing.step.name()),
                what: What::Thing(Box::new(thing.clone())),
            });
            let bucket = Compare {
                id: format!("bucket {}", diff.bucket.name),
                what: What::Bucket(Box::new(diff.bucket.clone())),
            };
            let rows = things.chain([bucket]).collect();
            Compared { diff, rows }
        })
    })
}

/// The thing in one word where its line is short.
fn short(step: &Planned) -> String {
    match step {
        Planned::Component { kind: ComponentType::ArtifactStore, .. } => "store".to_owned(),
        step => step.subject(),
    }
}

fn row(row: &Compare, theme: &Theme) -> Row<'static> {
    let (tone, word) = match &row.what {
        What::Thing(thing) => match thing.there {
            There::Nothing => (Tone::Neutral, "only here"),
            There::Same => (Tone::Good, "same"),
            There::Differs => (Tone::Warning, "differs"),
        },
        What::Bucket(bucket) => match &bucket.lies_in {
            Err(_) => (Tone::Bad, "not known"),
            Ok(_) if bucket.differs() => (Tone::Warning, "differs"),
            Ok(_) => (Tone::Good, "fits"),
        },
    };
    Row::new([
        Line::styled(theme.sign(tone), theme.tone(tone)),
        Line::raw(visible(&row.id).into_string()),
        Line::styled(word, theme.muted()),
    ])
}

fn details(row: &Compare, diff: &Diff, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = match &row.what {
        What::Thing(thing) => thing_lines(thing, room, theme),
        What::Bucket(bucket) => bucket_lines(bucket, room, theme),
    };
    for note in &diff.notes {
        lines.push(Line::default());
        lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), note, room));
    }
    lines
}

fn thing_lines(thing: &Thing, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    match thing.there {
        There::Nothing => {
            let said = "ZenML has none of that name: o plans to make it there.";
            lines.extend(marked(theme.sign(Tone::Neutral), theme.muted(), said, room));
        }
        There::Same => {
            lines.extend(marked(theme.sign(Tone::Good), theme.ok(), "ZenML has the same.", room));
        }
        There::Differs => {
            let fields = thing.fields.iter();
            lines.extend(fields.flat_map(|field| field_lines(field, room, theme)));
        }
    }
    if thing.is_foreign {
        let said = "osstack did not make what ZenML has: a commit asks first.";
        lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), said, room));
    }
    if thing.other_name.is_some() {
        let said = "A name is not taken over: rename it here, or commit.";
        lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), said, room));
    }
    lines
}

/// The field, and under it what either side says.
fn field_lines(field: &FieldChange, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let name = Line::styled(format!(" {}", visible(&field.name)), theme.title());
    let side = |label: &str, value: &Option<String>| {
        let value = value.as_deref().map_or("-".to_owned(), |it| visible(it).into_string());
        marked(label, theme.muted(), &value, room)
    };
    [name]
        .into_iter()
        .chain(side("  catalog ", &field.to))
        .chain(side("  ZenML   ", &field.from))
        .chain([Line::default()])
        .collect()
}

fn bucket_lines(bucket: &BucketDiff, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let region = match &bucket.lies_in {
        Ok(Some(region)) => region.clone(),
        Ok(None) => "there; OSS does not tell this key where".to_owned(),
        Err(failure) => {
            lines.extend(failure_view::lines(failure, room, theme));
            lines.push(Line::default());
            "not known".to_owned()
        }
    };
    lines.push(Line::styled(" region", theme.title()));
    for (label, value) in
        [("catalog", word(&bucket.here)), ("ZenML", word(&bucket.zenml)), ("bucket", region)]
    {
        lines.push(Line::from(vec![
            Span::styled(format!("  {label:8}"), theme.muted()),
            Span::raw(value),
        ]));
    }
    lines
}

impl Screen for DiffScreen {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "diff";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["t"], Command::TakeTheirs, "take theirs…").when(Self::may_take_theirs),
        Bind::new(&["o", "c"], Command::TakeOurs, "take ours: plan…").when(Self::may_take_ours),
        Bind::new(&["R", "f5"], Command::Again, "compare again"),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.compare()
    }

    fn resumed(&mut self) -> Step<Self> {
        self.compare()
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
        let beside = self.list.read().map(|compared| match &compared.diff.zenml {
            Some((connection, server)) => {
                let what = if server.is_stand_in { "a stand-in" } else { "ZenML" };
                format!("Beside {connection} ({what}): ")
            }
            None => "Beside its bucket: ".to_owned(),
        });
        let face = Face {
            // what it is beside stands first: a long name of the stack is cut, and is in the rows
            title: &format!("{}{}{gap}{sign}", beside.unwrap_or_default(), self.stack),
            width: (46, 40),
            columns: &[
                Column::new("", Constraint::Length(1)),
                Column::new("", Constraint::Fill(1)),
                Column::new("", Constraint::Length(9)).right(),
            ],
            empty: "",
            welcome: "",
            warnings: self.notes.clone(),
            waiting: waiting::words(&self.spinner, theme),
        };
        let diff = self.list.read().map(|compared| &*compared.diff);
        let row = |it: &Compare| row(it, theme);
        let details = |it: &Compare, room| {
            diff.map(|diff| details(it, diff, room, theme)).unwrap_or_default()
        };
        self.list.view(frame, area, theme, &face, row, details);
    }

    fn title(&self) -> String {
        format!("diff {}", self.stack)
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.list.failure())
    }
}
