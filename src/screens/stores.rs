//! The tab of artifact stores: what each is, and what ZenML gets of it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::catalog::{Catalog, Problem};
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointChoice, EndpointError};
use crate::model::name::Name;
use crate::model::store::{ArtifactStore, RegionId, StoreDraft};
use crate::ops::check::Subject;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::{MakeBucket, Place};
use crate::ops::stores::{DeleteStore, LoadCatalog};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::{pane, panes};
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};

use super::check::CheckScreen;
use super::detail::fields;
use super::failure_view::{self, settled};
use super::objects::Objects;
use super::store_form::StoreForm;
use super::unlock::Unlock;

/// What stands in place of the details while there is no store.
const WELCOME: &str = "An artifact store is a bucket of OSS and the way to it: secret, region, \
    endpoint, signature. ZenML keeps there what pipelines write.\n\nn makes the first one; a \
    secret can be entered on the way.";

/// The list of stores and the selected one's details.
#[derive(Debug, Default)]
pub struct Stores {
    catalog: Option<Catalog>,
    scroll: Scroll,
    /// Why the list cannot be read, or what the last command came to.
    failure: Option<Failure>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Browse,
    New,
    Edit,
    Check,
    MakeBucket,
    Delete,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Loaded(Outcome<Result<Catalog, Failure>>),
    FormClosed(Option<Name>),
    MakeConfirmed(Box<StoreDraft>, Option<()>),
    Unlocked(Box<StoreDraft>, Option<()>),
    Made(Box<StoreDraft>, Outcome<Result<BucketName, Failure>>),
    DeleteConfirmed(Name, Option<()>),
    Deleted(Outcome<Result<(), Failure>>),
}

/// Opens the diagnosis of a store or of what a form holds of one.
pub(super) fn check<S: Screen<World = World>>(subject: Subject) -> Step<S> {
    Step::open(CheckScreen::new(subject))
}

/// Shows what lies in the bucket, below the store's own prefix.
fn browse<S: Screen<World = World>>(store: &ArtifactStore) -> Step<S> {
    let place = Place::of(store.name.as_str());
    Step::show_with("browser", Objects::at(place, store.key_prefix()))
}

impl Stores {
    fn load() -> Step<Self> {
        Step::run(Effect::latest("list", LoadCatalog, Msg::Loaded))
    }

    fn list(&self) -> &[ArtifactStore] {
        self.catalog.as_ref().map_or(&[], Catalog::stores)
    }

    fn selected(&self) -> Option<&ArtifactStore> {
        self.list().get(self.scroll.selected())
    }

    fn select(&mut self, name: &Name) {
        let at = self.list().iter().position(|store| store.name == *name);
        self.scroll.select(at.unwrap_or(self.scroll.selected()));
        self.scroll.clamp(self.list().len());
    }

    /// What is wrong with single stores of the file.
    fn problems(&self) -> Vec<&Problem> {
        let all = self.catalog.as_ref().map_or(&[][..], Catalog::problems);
        all.iter().filter(|problem| problem.entry.starts_with("artifact_store")).collect()
    }

    fn make(draft: Box<StoreDraft>) -> Step<Self> {
        let kept = draft.clone();
        let make = MakeBucket { store: draft };
        let done = move |outcome| Msg::Made(kept, outcome);
        Step::run(Effect::exclusive("make-bucket", make, done))
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Loaded(outcome) => match settled(outcome) {
                Ok(catalog) => {
                    let kept = self.selected().map(|store| store.name.clone());
                    self.catalog = Some(catalog);
                    match kept {
                        Some(name) => self.select(&name),
                        None => self.scroll.clamp(self.list().len()),
                    }
                }
                Err(failure) => {
                    self.catalog = None;
                    self.failure = Some(failure);
                }
            },
            Msg::FormClosed(Some(name)) => {
                // the list is being read again; the new row is selected when it is there
                self.failure = None;
                self.select(&name);
            }
            Msg::MakeConfirmed(draft, Some(())) | Msg::Unlocked(draft, Some(())) => {
                return Self::make(draft);
            }
            Msg::FormClosed(None)
            | Msg::MakeConfirmed(_, None)
            | Msg::Unlocked(_, None)
            | Msg::DeleteConfirmed(_, None) => {}
            Msg::Made(draft, outcome) => match settled(outcome) {
                Ok(bucket) => {
                    return Step::toast(Tone::Good, &format!("the bucket {bucket} is made"));
                }
                Err(failure) if failure.kind == FailureKind::Locked => {
                    return Step::push(Unlock::new(), |answer| Msg::Unlocked(draft, answer));
                }
                Err(failure) => self.failure = Some(failure),
            },
            Msg::DeleteConfirmed(name, Some(())) => {
                let delete = DeleteStore { name: name.to_string() };
                return Step::run(Effect::exclusive("catalog", delete, Msg::Deleted));
            }
            Msg::Deleted(outcome) => match settled(outcome) {
                Ok(()) => return Self::load().and_toast(Tone::Good, "the store is deleted"),
                Err(failure) => self.failure = Some(failure),
            },
        }
        Step::none()
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        self.failure = self.failure.take().filter(|_| self.catalog.is_none());
        if let Command::Move(to) = command {
            self.scroll.act(to, self.list().len());
            return Step::none();
        }
        match (command, self.selected()) {
            (Command::New, _) => Step::push(StoreForm::new(), Msg::FormClosed),
            (Command::Reload, _) => {
                self.failure = None;
                Self::load()
            }
            (Command::Browse, Some(store)) => browse(store),
            (Command::Edit, Some(store)) => Step::push(StoreForm::edit(store), Msg::FormClosed),
            (Command::Check, Some(store)) => check(Subject::Store(store.name.to_string())),
            (Command::MakeBucket, Some(store)) => ask_to_make(store),
            (Command::Delete, Some(store)) => self.ask_to_delete(store),
            (_, _) => Step::none(),
        }
    }

    /// Asks before deleting; a store in use is not deleted at all.
    fn ask_to_delete(&self, store: &ArtifactStore) -> Step<Self> {
        let name = store.name.clone();
        let users = self.users(store);
        if !users.is_empty() {
            let text = format!("{name} is used by {users}: take it out of these stacks first");
            return Step::toast(Tone::Bad, &text);
        }
        let text = format!(
            "The bucket {} and what lies in it stay, as does ZenML's own entry.",
            store.bucket
        );
        let question = Confirm::new(&format!("Delete the store {name}?"), text, "delete");
        Step::push(question, |answer| Msg::DeleteConfirmed(name, answer))
    }

    fn users(&self, store: &ArtifactStore) -> String {
        let catalog = self.catalog.iter();
        let users = catalog.flat_map(|catalog| catalog.users_of_store(store.name.as_str()));
        users.map(Name::as_str).collect::<Vec<_>>().join(", ")
    }

    fn details(&self, store: &ArtifactStore, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let users = self.users(store);
        let access = store.access.as_ref();
        let access = access.map(|access| endpoint_words(access, store.access_endpoint()));
        let rows = [
            ("path", store.path()),
            ("region", region_words(store.region.as_ref())),
            ("endpoint", endpoint_words(&store.endpoint, store.zenml_endpoint())),
            ("access", access.unwrap_or_else(|| "the same".to_owned())),
            ("signature", store.signature.to_string()),
            ("secret", store.secret.to_string()),
            ("used by", if users.is_empty() { "no stack yet".to_owned() } else { users }),
        ];
        let mut lines = fields(&rows, room, theme);
        lines.push(Line::raw(""));
        lines.push(Line::styled("ZenML gets", theme.title()));
        let client =
            store.client_kwargs().map_or_else(|error| error.to_string(), |v| v.to_string());
        let config = store.config_kwargs().to_string();
        for (label, value) in [("client_kwargs", client), ("config_kwargs", config)] {
            lines.push(Line::styled(label, theme.muted()));
            lines.extend(wrap(&value, room).into_iter().map(Line::raw));
        }
        lines
    }

    fn view_list(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: [Column<'_>; 2] = [
            Column::new("name", Constraint::Fill(1)),
            Column::new("region", Constraint::Length(18)),
        ];
        let inner = pane(frame, area, theme, "Artifact stores", true);
        let mut problems = Vec::new();
        for problem in self.problems() {
            let text = format!("{} {problem}", theme.sign(Tone::Warning));
            problems.extend(wrap(&text, usize::from(inner.width)));
        }
        problems.truncate(usize::from(inner.height) / 3);
        let table = usize::from(inner.height).saturating_sub(problems.len());
        let build = |index: usize| {
            self.list().get(index).map_or_else(Row::default, |store| {
                let region = store.region.as_ref().map_or("-", RegionId::as_str);
                Row::new([store.name.to_string(), region.to_owned()])
            })
        };
        let empty = if self.catalog.is_some() { "none yet: n makes the first" } else { "" };
        Table::new(&COLUMNS).empty(empty).view(
            frame,
            Rect { height: cells(table), ..inner },
            theme,
            &self.scroll,
            self.list().len(),
            build,
        );
        for (index, text) in problems.into_iter().enumerate() {
            let place = row(rows_below(inner, table), index);
            line(frame, place, Line::styled(text, theme.warn()));
        }
    }
}

/// `public https://…`; an own URL alone.
fn endpoint_words(choice: &EndpointChoice, means: Result<Endpoint, EndpointError>) -> String {
    match (choice, means) {
        (EndpointChoice::Url(_), Ok(endpoint)) => endpoint.to_string(),
        (_, Ok(endpoint)) => format!("{choice} {endpoint}"),
        (_, Err(error)) => format!("{choice}: {error}"),
    }
}

fn region_words(region: Option<&RegionId>) -> String {
    match region.map(|region| (region, region.known())) {
        None => "not named".to_owned(),
        Some((id, None)) => format!("{} (not in the table)", id.as_str()),
        Some((id, Some(known))) => format!("{}, {}, {}", id.as_str(), known.name, known.name_zh),
    }
}

fn ask_to_make(store: &ArtifactStore) -> Step<Stores> {
    let draft = Box::new(StoreDraft::from(store));
    let place = store.region.as_ref().map_or_else(
        || "the region of its endpoint".to_owned(),
        |region| region_words(Some(region)),
    );
    let text = format!(
        "It is made private, in {place}, and belongs to the account of the secret {}.",
        store.secret
    );
    let question = Confirm::new(&format!("Make the bucket {}?", store.bucket), text, "make it");
    Step::push(question, |answer| Msg::MakeConfirmed(draft, answer))
}

impl Screen for Stores {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "stores";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["b", "enter"], Command::Browse, "browse").when(|s| s.selected().is_some()),
        Bind::new(&["n"], Command::New, "new…"),
        Bind::new(&["e"], Command::Edit, "edit…").when(|s| s.selected().is_some()),
        Bind::new(&["c"], Command::Check, "check…").when(|s| s.selected().is_some()),
        Bind::new(&["m"], Command::MakeBucket, "make bucket…").when(|s| s.selected().is_some()),
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
                let len = self.list().len();
                self.scroll.mouse(mouse, len);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let [left, right] = panes(area, 40, 36, false);
        self.view_list(frame, left, theme);
        let title = self.selected().map_or_else(String::new, |store| store.name.to_string());
        let inner = pane(frame, right, theme, &title, false);
        let room = usize::from(inner.width);
        let lines = match (&self.failure, self.selected()) {
            (Some(failure), _) => failure_view::lines(failure, room, theme),
            (None, Some(store)) => self.details(store, room, theme),
            (None, None) if self.catalog.is_some() => {
                wrap(WELCOME, room).into_iter().map(Line::raw).collect()
            }
            (None, None) => Vec::new(),
        };
        for (index, text) in lines.into_iter().enumerate() {
            line(frame, row(inner, index), text);
        }
    }

    fn title(&self) -> String {
        "Artifact stores".to_owned()
    }
}
