//! What this machine has already: a ZenML login, access keys of other tools. Each is taken over by
//! one key, after a window has shown what it is.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::model::name::Name;
use crate::ops::failure::Failure;
use crate::ops::found::{Found, FoundLogin, LookAround, Seen};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};

use super::failure_view::{self, marked, settled};
use super::import::Import;
use super::take_over::TakeOver;

/// What a stack takes, for whoever begins: the keys are those of the tabs.
pub(super) const STEPS: &str = "A stack takes three steps:\n\n\
    1  a secret: an access key             3, n\n\
    2  an artifact store: bucket, region   2, n\n\
    3  the stack: store and orchestrator      n";

/// The way that needs none of them: d on the first screens.
pub(super) const WITHOUT: &str = "d tries it without an account, as `osstack demo` does.";

/// What the program goes on as to show the demo: the command of that name.
pub const DEMO: &str = "demo";

/// What is said where nothing is there.
const NONE: &str = "Looked for: a zenml login, and access keys of ossutil, aliyun-cli, the AWS tools \
                    and the environment.\n\n\
                    A key is entered by hand on the tab of secrets: 3, n.";

/// The list of what was found.
#[derive(Debug, Default)]
pub struct FoundScreen {
    seen: Option<Seen>,
    failure: Option<Failure>,
    scroll: Scroll,
    /// It stands where osstack begins, over an empty catalog.
    is_start: bool,
    /// The cursor begins on the first access key.
    seeks_key: bool,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Take,
    NewStack,
    Demo,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    LookedAround(Outcome<Result<Seen, Failure>>),
    /// A key, or a login: then the connection that it became.
    Taken(Option<Name>),
}

/// The user wants to go on with a new stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewStackWanted;

impl FoundScreen {
    /// Looks around when it comes up.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, for whoever came for an access key.
    pub fn of_keys() -> Self {
        Self { seeks_key: true, ..Self::default() }
    }

    /// The first thing that a new user sees: what was found, and the way to a stack below it.
    pub fn at_start(seen: Seen) -> Self {
        Self { seen: Some(seen), is_start: true, ..Self::default() }
    }

    fn look() -> Step<Self> {
        Step::run(Effect::latest("look", LookAround, Msg::LookedAround))
    }

    fn found(&self) -> &[Found] {
        self.seen.as_ref().map(|seen| seen.found.as_slice()).unwrap_or_default()
    }

    fn selected(&self) -> Option<&Found> {
        self.found().get(self.scroll.selected())
    }

    fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    fn act(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Take => match self.selected() {
                Some(found) => Step::ask(TakeOver::new(found.clone()), Msg::Taken),
                None => Step::none(),
            },
            Command::NewStack => Step::answer(NewStackWanted),
            Command::Demo => Step::quit_for(DEMO),
            Command::Reload => Self::look(),
            Command::Move(to) => {
                let len = self.found().len();
                self.scroll.act(to, len);
                Step::none()
            }
        }
    }

    /// What stands under the list: what is to be known of the selected one, what is there and not
    /// to be had, and at the start the way to a stack, which is there as long as there is room.
    fn below(&self, room: usize, height: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if let Some(failure) = &self.failure {
            lines.extend(failure_view::lines(failure, room, theme));
        }
        let steps: Vec<Line<'_>> = if self.is_start {
            let steps = [STEPS, WITHOUT].into_iter().flat_map(|text| {
                let lines = wrap(text, room).into_iter().map(Line::raw);
                std::iter::once(Line::default()).chain(lines)
            });
            steps.collect()
        } else {
            Vec::new()
        };
        let about = match (self.selected(), &self.seen) {
            (Some(found), _) => about(found),
            (None, Some(_)) => vec![NONE.to_owned()],
            (None, None) => Vec::new(),
        };
        lines.extend(about.iter().flat_map(|text| wrap(text, room)).map(Line::raw));
        let remarks = self.seen.as_ref().map(|seen| seen.remarks.as_slice()).unwrap_or_default();
        if !remarks.is_empty() {
            lines.push(Line::default());
            let left = height.saturating_sub(lines.len() + steps.len()).max(2);
            lines.extend(remark_lines(remarks, room, left, theme));
        }
        lines.extend(steps);
        lines
    }
}

/// The remarks in at most `most` lines; how many did not fit is said.
fn remark_lines(remarks: &[String], room: usize, most: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (index, remark) in remarks.iter().enumerate() {
        let more = marked(theme.sign(Tone::Warning), theme.warn(), remark, room);
        let is_last = index + 1 == remarks.len();
        // the line that says how many are left needs its place too
        if lines.len() + more.len() + usize::from(!is_last) > most {
            let left = remarks.len() - index;
            let said = format!("{left} more that cannot be taken: osstack found names them");
            lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), &said, room));
            break;
        }
        lines.extend(more);
    }
    lines
}

/// What kind of thing it is, what it is, and where it stands; showable.
fn columns(found: &Found) -> [String; 3] {
    match found {
        Found::Login(login) => [
            "ZenML login".to_owned(),
            visible(login.way.as_str()).into_string(),
            login.origin.clone(),
        ],
        Found::Key(key) => {
            let region = key.region.as_deref().unwrap_or_default();
            let what = format!("{}  {region}", key.short_id).trim_end().to_owned();
            ["access key".to_owned(), what, key.place.clone()]
        }
    }
}

/// As whatever it is known already.
fn known(found: &Found) -> Option<&str> {
    let known = match found {
        Found::Login(login) => login.known.as_ref(),
        Found::Key(key) => key.known.as_ref(),
    };
    known.map(Name::as_str)
}

/// What there is to know of the selected one, showable.
fn about(found: &Found) -> Vec<String> {
    let mut lines = vec![match found {
        Found::Login(FoundLogin { signs_in, origin, .. }) => {
            format!("signed in by {}, in {origin}", signs_in.words())
        }
        Found::Key(key) => format!("{}, in {}", key.words(), key.place),
    }];
    if let Found::Key(key) = found {
        lines.extend(key.hint.map(str::to_owned));
    }
    lines.push(match known(found) {
        Some(name) => format!("taken over already, as {name}"),
        None => "enter shows what is copied, and asks; where it stands nothing is changed".into(),
    });
    lines
}

impl Screen for FoundScreen {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = NewStackWanted;

    const NAME: &'static str = "found";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Take, "take over…").when(Self::has_selection),
        Bind::new(&["n"], Command::NewStack, "new stack…").when(|screen| screen.is_start),
        Bind::new(&["d"], Command::Demo, "demo").when(|screen| screen.is_start),
        Bind::new(&["R", "f5"], Command::Reload, "look again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        if self.seen.is_some() { Step::none() } else { Self::look() }
    }

    fn resumed(&mut self) -> Step<Self> {
        Self::look()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.act(command),
            Event::Msg(Msg::LookedAround(outcome)) => match settled(outcome) {
                Ok(seen) => {
                    let is_key = |found: &Found| matches!(found, Found::Key(_));
                    if std::mem::take(&mut self.seeks_key) {
                        self.scroll.select(seen.found.iter().position(is_key).unwrap_or(0));
                    }
                    self.scroll.clamp(seen.found.len());
                    (self.seen, self.failure) = (Some(seen), None);
                }
                Err(failure) => self.failure = Some(failure),
            },
            Event::Mouse(mouse) => {
                let len = self.found().len();
                self.scroll.mouse(mouse, len);
            }
            // what that ZenML has on OSS is the next thing to be had; the way back leads here
            Event::Msg(Msg::Taken(Some(connection))) => {
                return Step::open(Import::new(vec![connection.to_string()], 0));
            }
            // a key: it is looked again as soon as the window is gone
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(1)),
            Column::new("", Constraint::Length(11)),
            Column::new("", Constraint::Fill(4)),
            Column::new("", Constraint::Fill(5)),
        ];
        let title = if self.is_start { "Welcome: this machine has" } else { "This machine has" };
        let inner = pane(frame, area, theme, title, true);
        let (room, height) = (usize::from(inner.width), usize::from(inner.height));
        let rows = self.found().len().max(1);
        let below = self.below(room, height.saturating_sub(rows + 1), theme);
        // a long list scrolls, and leaves half of the room to what is said below it
        let table = rows.min(height.saturating_sub(below.len() + 1).max(height / 2));
        let empty = if self.seen.is_some() { "nothing that can be taken over" } else { "" };
        let list = Rect { height: cells(table.min(height)), ..inner };
        let found = self.found();
        Table::new(COLUMNS).empty(empty).view(
            frame,
            list,
            theme,
            &self.scroll,
            found.len(),
            |index| found.get(index).map(|found| table_row(found, theme)).unwrap_or_default(),
        );
        let place = rows_below(inner, table + 1);
        for (index, text) in below.into_iter().enumerate() {
            line(frame, row(place, index), text);
        }
    }

    fn title(&self) -> String {
        "what this machine has".to_owned()
    }
}

fn table_row(found: &Found, theme: &Theme) -> Row<'static> {
    let tone = if known(found).is_some() { Tone::Good } else { Tone::Neutral };
    let [kind, what, place] = columns(found);
    Row::new([
        Line::from(Span::styled(theme.sign(tone), theme.tone(tone))),
        Line::raw(kind),
        Line::raw(what),
        Line::styled(place, theme.muted()),
    ])
}
