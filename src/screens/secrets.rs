//! The tab of secrets: access keys, and who uses them. No value is ever shown.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::units;
use crate::keystore::State;
use crate::model::name::Name;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::{KeystoreReport, KeystoreStatus};
use crate::ops::secrets::{DeleteSecret, ListSecrets, SecretRow};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::table::{Column, Row};

use super::detail::fields;
use super::failure_view::settled;
use super::found::FoundScreen;
use super::list_detail::{Face, ListDetail};
use super::secret_form::SecretForm;
use super::unlock::{Unlock, when_locked};

const WELCOME: &str = "A secret is an access key of Alibaba Cloud that artifact stores sign with. \
    It is kept sealed on this machine and leaves it only to sign requests.\n\n\
    n enters the first one, i shows keys that other tools keep on this machine. A RAM user's key \
    with rights on its bucket alone is better than the account's own.";

/// The list of secrets and the selected one's details.
#[derive(Debug, Default)]
pub struct Secrets {
    list: ListDetail<Vec<SecretRow>, SecretRow>,
    is_locked: bool,
    /// The user closed the question for the passphrase: it is not asked again unasked.
    declined: bool,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    New,
    Import,
    Edit,
    Delete,
    Unlock,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Listed(Outcome<Result<Vec<SecretRow>, Failure>>),
    Looked(Outcome<Result<KeystoreReport, Failure>>),
    Unlocked(Option<()>),
    FormSaved(Name),
    DeleteConfirmed(Name),
    Deleted(Name, Outcome<Result<(), Failure>>),
}

impl Secrets {
    fn load() -> Step<Self> {
        Step::run(Effect::latest("list", ListSecrets, Msg::Listed))
    }

    fn has_selection(&self) -> bool {
        self.list.has_selection()
    }

    fn take(&mut self, rows: Result<Vec<SecretRow>, Failure>) {
        self.is_locked = false;
        self.list.take(Outcome::Done(rows));
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Listed(outcome) => match settled(outcome) {
                Err(failure) if failure.kind == FailureKind::Locked => {
                    return Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked));
                }
                rows => self.take(rows),
            },
            // where nothing was ever saved, the list is empty
            Msg::Looked(outcome) => match settled(outcome).map(|report| report.status.state) {
                Ok(state) => {
                    self.take(Ok(Vec::new()));
                    self.is_locked = state != State::Absent;
                    if self.is_locked && !self.declined {
                        return Step::push(Unlock::new(), Msg::Unlocked);
                    }
                }
                Err(failure) => self.take(Err(failure)),
            },
            // the list is read again when the window above is gone
            Msg::Unlocked(answer) => self.declined = answer.is_none(),
            Msg::FormSaved(name) => self.list.select(&name),
            Msg::DeleteConfirmed(name) => {
                let delete = DeleteSecret { name: name.to_string() };
                let done = |outcome| Msg::Deleted(name, outcome);
                return Step::run(Effect::exclusive("keystore", delete, done));
            }
            Msg::Deleted(name, outcome) => match settled(outcome) {
                Ok(()) => {
                    let said = format!("the secret {name} is deleted");
                    return Self::load().and_toast(Tone::Good, &said);
                }
                Err(failure) => match when_locked(&failure, || Msg::DeleteConfirmed(name)) {
                    Some(step) => return step,
                    None => self.list.refuse(failure),
                },
            },
        }
        Step::none()
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        self.list.forget();
        if let Command::Move(to) = command {
            self.list.act(to);
            return Step::none();
        }
        match (command, self.list.selected()) {
            (Command::New, _) => Step::ask(SecretForm::new(), Msg::FormSaved),
            (Command::Import, _) => Step::open(FoundScreen::of_keys()),
            (Command::Unlock, _) => Step::push(Unlock::new(), Msg::Unlocked),
            (Command::Reload, _) => Self::load(),
            (Command::Edit, Some(row)) => Step::ask(SecretForm::edit(&row.summary), Msg::FormSaved),
            (Command::Delete, Some(row)) => delete(row),
            (_, _) => Step::none(),
        }
    }
}

/// Asks before deleting; a secret in use is not deleted at all.
fn delete(row: &SecretRow) -> Step<Secrets> {
    let name = row.summary.name.clone();
    if !row.used_by.is_empty() {
        let users = row.used_by.join(", ");
        let text = format!("{name} is used by {users}: give these stores another secret first");
        return Step::toast(Tone::Warning, &text);
    }
    let text = format!(
        "The key {} is forgotten here. In Alibaba Cloud and in ZenML it stays as it is.",
        row.summary.short_id
    );
    let title = format!("Delete the secret {name}?");
    let question = Confirm::new(&title, text, ["Delete", "Keep"]);
    Step::ask(question, |()| Msg::DeleteConfirmed(name))
}

/// `2026-11-27 20:00 UTC`.
fn minute(end: time::OffsetDateTime) -> String {
    let end = end.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", end.date(), end.hour(), end.minute())
}

fn details(of: &SecretRow, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let summary = &of.summary;
    let values = if summary.has_token { 3 } else { 2 };
    let in_zenml: Vec<&str> = summary.key_names.names().into_iter().take(values).collect();
    let day = |at: time::OffsetDateTime| at.date().to_string();
    let users =
        if of.used_by.is_empty() { "no store yet".to_owned() } else { of.used_by.join(", ") };
    let token = match (summary.has_token, summary.expires_at, of.left) {
        (false, ..) => "none".to_owned(),
        (true, Some(end), Some(left)) if left.is_zero() => format!("ended {}", minute(end)),
        (true, Some(end), Some(left)) => format!("{} ({} left)", minute(end), units::left(left)),
        (true, ..) => "yes, temporary; its end is not known".to_owned(),
    };
    let rows = [
        ("AccessKey ID", summary.short_id.clone()),
        ("AccessKey secret", theme.dot().repeat(12)),
        ("session token", token),
        ("in ZenML", in_zenml.join(", ")),
        ("used by", users),
        ("saved", format!("{} ({})", day(summary.updated), units::ago(of.age))),
        ("first saved", day(summary.created)),
    ];
    fields(&rows, room, theme)
}

impl Screen for Secrets {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "secrets";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["u"], Command::Unlock, "unlock…").when(|s| s.is_locked),
        Bind::new(&["n"], Command::New, "new…"),
        Bind::new(&["i"], Command::Import, "import…"),
        Bind::new(&["e", "enter"], Command::Edit, "edit…").when(Self::has_selection),
        Bind::new(&["D", "delete"], Command::Delete, "delete…").when(Self::has_selection),
        Bind::new(&["R", "f5"], Command::Reload, "refresh").quiet(),
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
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let (empty, welcome) = if self.is_locked {
            ("locked: u unlocks", "The keystore is locked. u asks for its passphrase.")
        } else {
            ("none yet: n enters the first", WELCOME)
        };
        let face = Face {
            title: "Secrets",
            width: (50, 38),
            columns: &[
                Column::new("name", Constraint::Fill(1)),
                Column::new("key", Constraint::Length(9)),
                Column::new("token", Constraint::Length(5)),
                Column::new("used", Constraint::Length(4)).right(),
            ],
            empty,
            welcome,
            warnings: Vec::new(),
            waiting: Vec::new(),
        };
        let row = |row: &SecretRow| {
            let summary = &row.summary;
            Row::new([
                summary.name.to_string(),
                summary.short_id.clone(),
                row.token_word().unwrap_or_default().to_owned(),
                row.used_by.len().to_string(),
            ])
        };
        let details = |row: &SecretRow, room| details(row, room, theme);
        self.list.view(frame, area, theme, &face, row, details);
    }

    fn title(&self) -> String {
        "Secrets".to_owned()
    }
}
