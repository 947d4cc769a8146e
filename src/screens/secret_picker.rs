//! A window to pick the secret of a store, or to make one on the spot.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect, Size};

use crate::keystore::State;
use crate::model::name::Name;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::{KeystoreReport, KeystoreStatus};
use crate::ops::secrets::{ListSecrets, SecretRow};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};

use super::failure_view::{self, settled};
use super::secret_form::SecretForm;
use super::unlock::Unlock;

/// Picks a secret; the answer is its name. Where there is none yet, the form of a new one opens.
#[derive(Debug)]
pub struct SecretPicker {
    /// The secret that the cursor begins on.
    current: String,
    rows: Vec<SecretRow>,
    scroll: Scroll,
    failure: Option<Failure>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Pick,
    New,
    Move(Move),
}

/// What the picker is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Listed(Outcome<Result<Vec<SecretRow>, Failure>>),
    Looked(Outcome<Result<KeystoreReport, Failure>>),
    Unlocked(Option<()>),
    Made(Option<Name>),
}

impl SecretPicker {
    /// Picks one, the cursor on `current`.
    pub fn new(current: &str) -> Self {
        Self {
            current: current.to_owned(),
            rows: Vec::new(),
            scroll: Scroll::default(),
            failure: None,
        }
    }

    fn load() -> Step<Self> {
        Step::run(Effect::latest("list", ListSecrets, Msg::Listed))
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Listed(outcome) => match settled(outcome) {
                Ok(rows) if rows.is_empty() => return make(),
                Ok(rows) => {
                    let current = |row: &SecretRow| row.summary.name.as_str() == self.current;
                    self.scroll.select(rows.iter().position(current).unwrap_or(0));
                    self.rows = rows;
                }
                Err(failure) if failure.kind == FailureKind::Locked => {
                    return Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked));
                }
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Looked(outcome) => match settled(outcome) {
                Ok(report) if report.status.state == State::Absent => return make(),
                Ok(_) => return Step::push(Unlock::new(), Msg::Unlocked),
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Unlocked(Some(())) => return Self::load(),
            Msg::Made(Some(name)) => return Step::answer(name),
            Msg::Made(None) if !self.rows.is_empty() => {}
            Msg::Made(None) | Msg::Unlocked(None) => return Step::close(),
        }
        Step::none()
    }
}

fn make() -> Step<SecretPicker> {
    Step::push(SecretForm::new(), Msg::Made)
}

impl Screen for SecretPicker {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Name;

    const NAME: &'static str = "secret-picker";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Pick, "pick").when(|picker| !picker.rows.is_empty()),
        Bind::new(&["n"], Command::New, "new…"),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        Self::load()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Pick) => {
                if let Some(row) = self.rows.get(self.scroll.selected()) {
                    return Step::answer(row.summary.name.clone());
                }
            }
            Event::Command(Command::New) => return make(),
            Event::Command(Command::Move(to)) => {
                self.scroll.act(to, self.rows.len());
            }
            Event::Mouse(mouse) => {
                self.scroll.mouse(mouse, self.rows.len());
            }
            Event::Msg(msg) => return self.hear(msg),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: [Column<'_>; 2] =
            [Column::new("name", Constraint::Fill(1)), Column::new("key", Constraint::Length(9))];
        let inner = pane(frame, area, theme, "Secrets", true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        let build = |index: usize| {
            self.rows.get(index).map_or_else(Row::default, |row| {
                Row::new([row.summary.name.to_string(), row.summary.short_id.clone()])
            })
        };
        Table::new(&COLUMNS).view(frame, inner, theme, &self.scroll, self.rows.len(), build);
    }

    fn title(&self) -> String {
        "Secrets".to_owned()
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(52, 14))
    }
}
