//! The tab of secrets: access keys, and who uses them. No value is ever shown.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
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
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::{pane, panes};
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{line, row, wrap};

use super::detail::fields;
use super::failure_view::{self, settled};
use super::secret_form::SecretForm;
use super::unlock::Unlock;

/// The list of secrets and the selected one's details.
#[derive(Debug, Default)]
pub struct Secrets {
    rows: Vec<SecretRow>,
    scroll: Scroll,
    stand: Stand,
    /// The user closed the question for the passphrase: it is not asked again unasked.
    declined: bool,
}

/// How far the list got.
#[derive(Debug, Default)]
enum Stand {
    #[default]
    Loading,
    Loaded,
    /// Nothing was ever saved.
    NoKeystore,
    Locked,
    Failed(Failure),
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    New,
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
    FormClosed(Option<Name>),
    DeleteConfirmed(Name, Option<()>),
    UnlockedToDelete(Name, Option<()>),
    Deleted(Name, Outcome<Result<(), Failure>>),
}

impl Secrets {
    fn load() -> Step<Self> {
        Step::run(Effect::latest("list", ListSecrets, Msg::Listed))
    }

    fn selected(&self) -> Option<&SecretRow> {
        self.rows.get(self.scroll.selected())
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Listed(outcome) => match settled(outcome) {
                Ok(rows) => self.listed(rows),
                Err(failure) if failure.kind == FailureKind::Locked => {
                    return Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked));
                }
                Err(failure) => self.stand = Stand::Failed(failure),
            },
            Msg::Looked(outcome) => match settled(outcome) {
                Ok(report) if report.status.state == State::Absent => {
                    self.rows.clear();
                    self.stand = Stand::NoKeystore;
                }
                Ok(_) => {
                    self.rows.clear();
                    self.stand = Stand::Locked;
                    if !self.declined {
                        return Step::push(Unlock::new(), Msg::Unlocked);
                    }
                }
                Err(failure) => self.stand = Stand::Failed(failure),
            },
            // the list is read again when the window above is gone
            Msg::Unlocked(answer) => self.declined = answer.is_none(),
            Msg::FormClosed(name) => {
                if let Some(name) = name {
                    self.select(&name);
                }
            }
            Msg::DeleteConfirmed(name, Some(())) | Msg::UnlockedToDelete(name, Some(())) => {
                let delete = DeleteSecret { name: name.to_string() };
                let done = |outcome| Msg::Deleted(name, outcome);
                return Step::run(Effect::exclusive("keystore", delete, done));
            }
            Msg::DeleteConfirmed(_, None) | Msg::UnlockedToDelete(_, None) => {}
            Msg::Deleted(name, outcome) => match settled(outcome) {
                Err(failure) if failure.kind == FailureKind::Locked => {
                    return Step::push(Unlock::new(), |answer| Msg::UnlockedToDelete(name, answer));
                }
                Ok(()) => return Self::load().and_toast(Tone::Good, "the secret is deleted"),
                Err(failure) => return Step::toast(Tone::Bad, &failure.to_string()),
            },
        }
        Step::none()
    }

    fn listed(&mut self, rows: Vec<SecretRow>) {
        let kept = self.selected().map(|row| row.summary.name.clone());
        self.rows = rows;
        self.stand = Stand::Loaded;
        match kept {
            Some(name) => self.select(&name),
            None => self.scroll.clamp(self.rows.len()),
        }
    }

    fn select(&mut self, name: &Name) {
        let at = self.rows.iter().position(|row| row.summary.name == *name);
        self.scroll.select(at.unwrap_or(self.scroll.selected()));
        self.scroll.clamp(self.rows.len());
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::New => return Step::push(SecretForm::new(), Msg::FormClosed),
            Command::Edit => {
                if let Some(row) = self.selected() {
                    return Step::push(SecretForm::edit(&row.summary), Msg::FormClosed);
                }
            }
            Command::Delete => {
                if let Some(row) = self.selected() {
                    return delete(row);
                }
            }
            Command::Unlock => return Step::push(Unlock::new(), Msg::Unlocked),
            Command::Reload => return Self::load(),
            Command::Move(to) => {
                self.scroll.act(to, self.rows.len());
            }
        }
        Step::none()
    }

    /// What stands in place of the details while nothing is selected.
    fn words(&self) -> &'static str {
        match self.stand {
            Stand::Loading | Stand::Failed(_) => "",
            Stand::NoKeystore | Stand::Loaded => {
                "A secret is an access key of Alibaba Cloud that artifact stores sign with. \
                 It is kept sealed on this machine and leaves it only to sign requests.\n\n\
                 n enters the first one. A RAM user's key with rights on its bucket alone is \
                 better than the account's own."
            }
            Stand::Locked => "The keystore is locked. u asks for its passphrase.",
        }
    }
}

/// Asks before deleting; a secret in use is not deleted at all.
fn delete(row: &SecretRow) -> Step<Secrets> {
    let name = row.summary.name.clone();
    if !row.used_by.is_empty() {
        let users = row.used_by.join(", ");
        let text = format!("{name} is used by {users}: give these stores another secret first");
        return Step::toast(Tone::Bad, &text);
    }
    let text = format!(
        "The key {} is forgotten here. In Alibaba Cloud and in ZenML it stays as it is.",
        row.summary.short_id
    );
    let question = Confirm::new(&format!("Delete the secret {name}?"), text, "delete");
    Step::push(question, |answer| Msg::DeleteConfirmed(name, answer))
}

fn details(of: &SecretRow, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let summary = &of.summary;
    let values = if summary.has_token { 3 } else { 2 };
    let in_zenml: Vec<&str> = summary.key_names.names().into_iter().take(values).collect();
    let day = |at: time::OffsetDateTime| at.date().to_string();
    let users =
        if of.used_by.is_empty() { "no store yet".to_owned() } else { of.used_by.join(", ") };
    let rows = [
        ("AccessKey ID", summary.short_id.clone()),
        ("AccessKey secret", theme.dot().repeat(12)),
        ("session token", if summary.has_token { "yes, temporary" } else { "none" }.to_owned()),
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
        Bind::new(&["u"], Command::Unlock, "unlock…").when(|s| matches!(s.stand, Stand::Locked)),
        Bind::new(&["n"], Command::New, "new…"),
        Bind::new(&["e", "enter"], Command::Edit, "edit…").when(|s| s.selected().is_some()),
        Bind::new(&["D", "delete"], Command::Delete, "delete…").when(|s| s.selected().is_some()),
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
                self.scroll.mouse(mouse, self.rows.len());
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: [Column<'_>; 4] = [
            Column::new("name", Constraint::Fill(1)),
            Column::new("key", Constraint::Length(9)),
            Column::new("token", Constraint::Length(5)),
            Column::new("used", Constraint::Length(4)).right(),
        ];
        let [left, right] = panes(area, 50, 38, false);
        let inner = pane(frame, left, theme, "Secrets", true);
        let build = |index: usize| {
            self.rows.get(index).map_or_else(Row::default, |row| {
                let summary = &row.summary;
                Row::new([
                    summary.name.to_string(),
                    summary.short_id.clone(),
                    if summary.has_token { "yes" } else { "" }.to_owned(),
                    row.used_by.len().to_string(),
                ])
            })
        };
        let empty = match self.stand {
            Stand::Loading => "",
            Stand::Locked => "locked: u unlocks",
            Stand::Failed(_) => "they cannot be read",
            Stand::NoKeystore | Stand::Loaded => "none yet: n enters the first",
        };
        Table::new(&COLUMNS).empty(empty).view(
            frame,
            inner,
            theme,
            &self.scroll,
            self.rows.len(),
            build,
        );
        let title = self.selected().map_or_else(String::new, |row| row.summary.name.to_string());
        let inner = pane(frame, right, theme, &title, false);
        let room = usize::from(inner.width);
        let lines = match (&self.stand, self.selected()) {
            (Stand::Failed(failure), _) => failure_view::lines(failure, room, theme),
            (_, Some(row)) => details(row, room, theme),
            (_, None) => wrap(self.words(), room)
                .into_iter()
                .map(|text| Line::styled(text, Style::new()))
                .collect(),
        };
        for (index, text) in lines.into_iter().enumerate() {
            line(frame, row(inner, index), text);
        }
    }

    fn title(&self) -> String {
        "Secrets".to_owned()
    }
}
