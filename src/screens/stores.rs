//! The tab of artifact stores: what each is, and what ZenML gets of it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::catalog::Catalog;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointChoice, EndpointError};
use crate::model::name::Name;
use crate::model::store::{ArtifactStore, RegionId, StoreDraft};
use crate::ops::check::Subject;
use crate::ops::failure::Failure;
use crate::ops::history::{LoadHistory, LoadedHistory};
use crate::ops::objects::{MakeBucket, Place};
use crate::ops::stores::{DeleteStore, LoadCatalog};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::table::{Column, Row};
use crate::tui::widget::text::wrap;

use super::check::CheckScreen;
use super::detail::fields;
use super::explain;
use super::failure_view::settled;
use super::last_checks::LastChecks;
use super::list_detail::{Face, ListDetail};
use super::objects::Objects;
use super::store_form::StoreForm;
use super::unlock::when_locked;

/// What stands in place of the details while there is no store.
const WELCOME: &str = "An artifact store is a bucket of OSS and the way to it: secret, region, \
    endpoint, signature. ZenML keeps there what pipelines write.\n\nn makes the first one; a \
    secret can be entered on the way.";

/// The list of stores and the selected one's details.
#[derive(Debug, Default)]
pub struct Stores {
    list: ListDetail<Catalog, ArtifactStore>,
    checks: LastChecks,
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
    ChecksRead(Outcome<Result<LoadedHistory, Failure>>),
    FormSaved(Name),
    MakeConfirmed(Box<StoreDraft>),
    Made(Box<StoreDraft>, Outcome<Result<BucketName, Failure>>),
    DeleteConfirmed(Name),
    Deleted(Name, Outcome<Result<(), Failure>>),
}

/// Shows what lies in the bucket, below the store's own prefix.
pub(super) fn browse<S: Screen<World = World>>(store: &ArtifactStore) -> Step<S> {
    let place = Place::of(store.name.as_str());
    Step::show_with("browser", Objects::at(place, store.key_prefix()))
}

impl Stores {
    fn load() -> Step<Self> {
        Step::run(Effect::latest("list", LoadCatalog, Msg::Loaded)).and(Effect::latest(
            "checks",
            LoadHistory,
            Msg::ChecksRead,
        ))
    }

    fn has_selection(&self) -> bool {
        self.list.has_selection()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Loaded(outcome) => self.list.take(outcome),
            Msg::ChecksRead(outcome) => self.checks.take(outcome),
            // the list is being read again; the new row is selected when it is there
            Msg::FormSaved(name) => self.list.select(&name),
            Msg::MakeConfirmed(store) => {
                let kept = store.clone();
                let done = move |outcome| Msg::Made(kept, outcome);
                return Step::run(Effect::exclusive("make-bucket", MakeBucket { store }, done));
            }
            Msg::Made(draft, outcome) => match settled(outcome) {
                Ok(bucket) => {
                    return Step::toast(Tone::Good, &format!("the bucket {bucket} is made"));
                }
                Err(failure) => match when_locked(&failure, || Msg::MakeConfirmed(draft)) {
                    Some(step) => return step,
                    None => self.list.refuse(failure),
                },
            },
            Msg::DeleteConfirmed(name) => {
                let job = DeleteStore { name: name.to_string() };
                let done = move |outcome| Msg::Deleted(name, outcome);
                return Step::run(Effect::exclusive("catalog", job, done));
            }
            Msg::Deleted(name, outcome) => match settled(outcome) {
                Ok(()) => {
                    let said = format!("the store {name} is deleted");
                    return Self::load().and_toast(Tone::Good, &said);
                }
                Err(failure) => self.list.refuse(failure),
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
            (Command::New, _) => Step::ask(StoreForm::new(), Msg::FormSaved),
            (Command::Reload, _) => Self::load(),
            (Command::Browse, Some(store)) => browse(store),
            (Command::Edit, Some(store)) => Step::ask(StoreForm::edit(store), Msg::FormSaved),
            (Command::Check, Some(store)) => {
                Step::open(CheckScreen::new(Subject::Store(store.name.to_string())))
            }
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
            return Step::toast(Tone::Warning, &text);
        }
        let text = format!(
            "The bucket {} and what lies in it stay, as does ZenML's own entry.",
            store.bucket
        );
        let title = format!("Delete the store {name}?");
        let question = Confirm::new(&title, text, ["Delete", "Keep"]);
        Step::ask(question, |()| Msg::DeleteConfirmed(name))
    }

    fn users(&self, store: &ArtifactStore) -> String {
        let catalog = self.list.read().into_iter();
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
        lines.extend(self.checks.lines(Some(store), room, theme));
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

    /// What is wrong with single stores of the file.
    fn warnings(&self, theme: &Theme) -> Vec<String> {
        let all = self.list.read().map(Catalog::problems).unwrap_or_default().iter();
        let of_stores = all.filter(|problem| problem.entry.starts_with("artifact_store"));
        of_stores.map(|problem| format!("{} {problem}", theme.sign(Tone::Warning))).collect()
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
    let title = format!("Make the bucket {}?", store.bucket);
    let question = Confirm::new(&title, text, ["Make", "Not now"]);
    Step::ask(question, |()| Msg::MakeConfirmed(draft))
}

impl Screen for Stores {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "stores";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["b", "enter"], Command::Browse, "browse").when(Self::has_selection),
        Bind::new(&["n"], Command::New, "new…"),
        Bind::new(&["e"], Command::Edit, "edit…").when(Self::has_selection),
        Bind::new(&["c"], Command::Check, "check…").when(Self::has_selection),
        Bind::new(&["m"], Command::MakeBucket, "make bucket…").when(Self::has_selection),
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
        let face = Face {
            title: "Artifact stores",
            width: (40, 36),
            columns: &[
                Column::new("", Constraint::Length(1)),
                Column::new("name", Constraint::Fill(1)),
                Column::new("check", Constraint::Length(10)).right(),
            ],
            empty: "none yet: n makes the first",
            welcome: WELCOME,
            warnings: self.warnings(theme),
            waiting: Vec::new(),
        };
        let row = |store: &ArtifactStore| {
            let (tone, age) = self.checks.mark(Some(store));
            Row::new([
                Line::styled(theme.sign(tone), theme.tone(tone)),
                Line::raw(store.name.to_string()),
                Line::styled(age, theme.muted()),
            ])
        };
        let details = |store: &ArtifactStore, room| self.details(store, room, theme);
        self.list.view(frame, area, theme, &face, row, details);
    }

    fn title(&self) -> String {
        "Artifact stores".to_owned()
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.list.failure())
    }
}
