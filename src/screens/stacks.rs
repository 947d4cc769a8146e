//! The stacks of the catalog, each with what it is made of and how its last check ended.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::catalog::{Catalog, Severity};
use crate::model::component::ComponentType;
use crate::model::name::Name;
use crate::model::stack::Stack;
use crate::model::store::ArtifactStore;
use crate::ops::check::Subject;
use crate::ops::commit_state::{CommitState, CommitStates, LoadCommitStates};
use crate::ops::failure::Failure;
use crate::ops::found::{LookAround, Seen};
use crate::ops::history::{LoadHistory, LoadedHistory};
use crate::ops::runs::SeekLastRun;
use crate::ops::stacks::{CopyStack, DeleteStack, RenameStack};
use crate::ops::stores::LoadCatalog;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::table::{Column, Row};
use crate::tui::widget::text::cells;

use super::ask::Ask;
use super::check::CheckScreen;
use super::detail::fields;
use super::diff::DiffScreen;
use super::explain;
use super::failure_view::{marked, settled};
use super::found::{DEMO, FoundScreen, STEPS, WITHOUT};
use super::import::Import;
use super::last_checks::LastChecks;
use super::list_detail::{Face, ListDetail};
use super::plan::PlanScreen;
use super::runs::Runs;
use super::stack_form::StackForm;
use super::stores::browse;

/// The tab of stacks.
#[derive(Debug, Default)]
pub struct Stacks {
    list: ListDetail<Catalog, Stack>,
    checks: LastChecks,
    /// By stack; nothing where the record cannot be read, which a plan then says.
    commits: CommitStates,
    /// Somebody has begun to work here, or it is known what there is to show first.
    settled: bool,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Browse,
    New,
    Found,
    Demo,
    Edit,
    Check,
    Plan,
    Diff,
    Import,
    Rename,
    Copy,
    Delete,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Loaded(Outcome<Result<Catalog, Failure>>),
    LastRunSought(Outcome<Result<bool, Failure>>),
    LookedAround(Outcome<Result<Catalog, Failure>>, Outcome<Result<Seen, Failure>>),
    NewWanted,
    FormSaved(Name),
    ChecksRead(Outcome<Result<LoadedHistory, Failure>>),
    CommitsRead(Outcome<Result<CommitStates, Failure>>),
    RenameNamed(String, Name),
    CopyNamed(String, Name),
    DeleteConfirmed(String),
    Saved(Outcome<Result<Name, Failure>>),
    Deleted(String, Outcome<Result<(), Failure>>),
}

impl Stacks {
    fn has_selection(&self) -> bool {
        self.list.has_selection()
    }

    fn has_none(&self) -> bool {
        self.is_loaded() && !self.has_selection()
    }

    /// No ZenML is known: what there is to be taken over is on this machine.
    fn is_alone(&self) -> bool {
        self.is_loaded() && !self.has_zenml()
    }

    fn has_zenml(&self) -> bool {
        self.list.read().is_some_and(|catalog| !catalog.connections().is_empty())
    }

    fn is_loaded(&self) -> bool {
        self.list.is_read()
    }

    fn store(&self, stack: &Stack) -> Option<&ArtifactStore> {
        self.list.read()?.store(stack.artifact_store()?.as_str())
    }

    fn load() -> Step<Self> {
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::Loaded))
            .and(Effect::latest("checks", LoadHistory, Msg::ChecksRead))
            .and(Effect::latest("commits", LoadCommitStates, Msg::CommitsRead))
    }

    /// Takes the catalog. At the start, over an empty one, nothing is shown before it is known
    /// what this machine has that can be taken over.
    fn loaded(&mut self, outcome: Outcome<Result<Catalog, Failure>>) -> Step<Self> {
        let is_empty = matches!(&outcome, Outcome::Done(Ok(catalog)) if catalog.is_empty());
        if is_empty && !self.settled {
            let looked = |seen| Msg::LookedAround(outcome, seen);
            return Step::run(Effect::latest("look", LookAround, looked));
        }
        self.list.take(outcome);
        self.seek_last_run()
    }

    /// At the start, where a server is known: whoever has runs wants to see the last one first. A
    /// command takes seconds to answer; by then somebody is at work elsewhere.
    fn seek_last_run(&mut self) -> Step<Self> {
        let connections = self.list.read().map(Catalog::connections).unwrap_or_default();
        let server = connections.iter().find(|one| one.way.is_server());
        let Some(server) = server.filter(|_| !self.settled) else {
            self.settled = true;
            return Step::none();
        };
        let job = SeekLastRun { connection: server.name.to_string() };
        Step::run(Effect::latest("last run", job, Msg::LastRunSought))
    }

    fn saved(&mut self, name: &Name) -> Step<Self> {
        self.list.select(name);
        Self::load().and_toast(Tone::Good, &format!("saved {name}"))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        self.list.forget();
        self.settled = true;
        match command {
            Command::Move(to) => self.list.act(to),
            Command::Reload => return Self::load(),
            Command::Found => return Step::open(FoundScreen::new()),
            Command::Demo => return Step::quit_for(DEMO),
            _ => {
                if let Some(catalog) = self.list.read() {
                    return self.on_catalog(command, catalog);
                }
            }
        }
        Step::none()
    }

    fn on_catalog(&self, command: Command, catalog: &Catalog) -> Step<Self> {
        if command == Command::Import {
            let connections = catalog.connections().iter().map(|one| one.name.to_string());
            return Step::open(Import::new(connections.collect(), 0));
        }
        let Some(stack) = self.list.selected().filter(|_| command != Command::New) else {
            return Step::ask(StackForm::new(catalog), Msg::FormSaved);
        };
        let name = stack.name.to_string();
        match command {
            Command::Browse => match self.store(stack) {
                Some(store) => browse(store),
                None => Step::toast(
                    Tone::Warning,
                    "its artifact store is not in the catalog: 2 and n enter it, e chooses another",
                ),
            },
            Command::Edit => Step::ask(StackForm::edit(catalog, stack), Msg::FormSaved),
            Command::Check => Step::open(CheckScreen::new(Subject::Stack(name))),
            Command::Plan => Step::open(PlanScreen::new(name)),
            Command::Diff => Step::open(DiffScreen::new(name, None)),
            Command::Rename => {
                let dialog = Ask::name(format!("Rename {name}"), &name);
                Step::ask(dialog, move |to| Msg::RenameNamed(name, to))
            }
            Command::Copy => {
                let dialog = Ask::name(format!("Copy {name}"), &free_name(catalog, &name));
                Step::ask(dialog, move |to| Msg::CopyNamed(name, to))
            }
            Command::Delete => {
                let text = "The stack leaves your catalog. Its artifact store, its secret and \
                            whatever ZenML has of it stay.";
                let title = format!("Delete the stack {name}?");
                let question = Confirm::new(&title, text, ["Delete", "Keep"]);
                let question = if stack.protected { question.typed(&name) } else { question };
                Step::ask(question, move |()| Msg::DeleteConfirmed(name))
            }
            Command::New
            | Command::Found
            | Command::Demo
            | Command::Import
            | Command::Reload
            | Command::Move(_) => Step::none(),
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Loaded(outcome) => return self.loaded(outcome),
            Msg::LastRunSought(outcome) => {
                // why there is none the tab of runs says to whoever asks for it
                let has_runs = settled(outcome).unwrap_or(false);
                if has_runs && !std::mem::replace(&mut self.settled, true) {
                    return Step::offer(Runs::NAME);
                }
            }
            Msg::LookedAround(catalog, outcome) => {
                // somebody may have had it read anew meanwhile
                if !self.list.is_read() {
                    self.list.take(catalog);
                }
                // what cannot be looked at is nothing to begin with
                let seen = settled(outcome).unwrap_or_default();
                let is_first = !std::mem::replace(&mut self.settled, true);
                if is_first && !seen.is_empty() {
                    return Step::ask(FoundScreen::at_start(seen), |_| Msg::NewWanted);
                }
            }
            Msg::NewWanted => return self.command(Command::New),
            Msg::FormSaved(name) => return self.saved(&name),
            Msg::ChecksRead(outcome) => self.checks.take(outcome),
            Msg::CommitsRead(outcome) => self.commits = settled(outcome).unwrap_or_default(),
            Msg::RenameNamed(name, to) => {
                let job = RenameStack { name, to: to.to_string() };
                return Step::run(Effect::exclusive("catalog", job, Msg::Saved));
            }
            Msg::CopyNamed(name, to) => {
                let job = CopyStack { name, to: to.to_string() };
                return Step::run(Effect::exclusive("catalog", job, Msg::Saved));
            }
            Msg::DeleteConfirmed(name) => {
                let job = DeleteStack { name: name.clone() };
                let done = move |outcome| Msg::Deleted(name, outcome);
                return Step::run(Effect::exclusive("catalog", job, done));
            }
            Msg::Saved(outcome) => match settled(outcome) {
                Ok(name) => return self.saved(&name),
                Err(failure) => self.list.refuse(failure),
            },
            Msg::Deleted(name, outcome) => match settled(outcome) {
                Ok(()) => {
                    let said = format!("the stack {name} is deleted");
                    return Self::load().and_toast(Tone::Good, &said);
                }
                Err(failure) => self.list.refuse(failure),
            },
        }
        Step::none()
    }

    fn row(&self, stack: &Stack, theme: &Theme) -> Row<'static> {
        let (tone, word) = self.checks.mark(self.store(stack));
        let protected = if stack.protected { " [protected]" } else { "" };
        let sign = Span::styled(theme.sign(tone), theme.tone(tone));
        let name = Line::from(vec![
            Span::raw(stack.name.to_string()),
            Span::styled(protected, theme.protected()),
        ]);
        let commit = Line::styled(self.commit(stack).short(), theme.muted());
        Row::new([Line::from(sign), name, Line::styled(word, theme.muted()), commit])
    }

    fn commit(&self, stack: &Stack) -> CommitState {
        self.commits.get(&stack.name).cloned().unwrap_or_default()
    }

    /// As wide as what stands in the columns of checks and commits: the rest is for names.
    fn widths(&self) -> [Constraint; 2] {
        let rows = self.list.rows();
        let checks = rows.iter().map(|stack| self.checks.mark(self.store(stack)).1.len());
        let commits = rows.iter().map(|stack| self.commit(stack).short().len());
        [checks.max(), commits.max()]
            .map(|longest| Constraint::Length(cells(longest.unwrap_or_default().max(6))))
    }

    fn details(&self, stack: &Stack, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        for (kind, names) in &stack.components {
            let names: Vec<&str> = names.iter().map(Name::as_str).collect();
            rows.push((kind.label(), names.join(", ")));
            if *kind == ComponentType::ArtifactStore {
                let of_store = store_rows(self.store(stack)).into_iter();
                rows.extend(of_store.map(|(label, value)| (format!("  {label}"), value)));
            }
        }
        if stack.require_check {
            let said = "required before ZenML hears of it".to_owned();
            rows.push(("check".to_owned(), said));
        }
        let commit = self.commit(stack);
        let place = commit.known().map(|known| format!(", in {}", known.connection));
        rows.push(("ZenML".to_owned(), commit.words() + &place.unwrap_or_default()));
        rows.push((String::new(), "E shows and exports the plan".to_owned()));
        let mut lines = fields(&rows, room, theme);
        lines.push(Line::default());
        lines.extend(self.checks.lines(self.store(stack), room, theme));
        lines.extend(self.problem_lines(stack, room, theme));
        lines
    }

    fn problem_lines(&self, stack: &Stack, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let problems = self.list.read().map(Catalog::problems).unwrap_or_default();
        let entry = format!("stack.{}", stack.name);
        let of_stack = problems.iter().filter(|problem| problem.entry == entry);
        let lines = of_stack.map(|problem| {
            let tone = match problem.severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Warning,
            };
            marked(theme.sign(tone), theme.tone(tone), visible(&problem.message).as_str(), room)
        });
        lines.flatten().collect()
    }
}

/// What stands in place of the details while there is no stack.
fn welcome(has_zenml: bool) -> String {
    let there = if has_zenml {
        "i takes over the stacks that ZenML has."
    } else {
        "i takes over what this machine has: a zenml login, keys of other tools."
    };
    format!(
        "{STEPS}\n\n\
         c checks that it works before ZenML hears of it.\n\n\
         {there}\n\n\
         {WITHOUT}"
    )
}

/// What the stack's artifact store is, where the catalog has it.
fn store_rows(store: Option<&ArtifactStore>) -> Vec<(&'static str, String)> {
    let Some(store) = store else {
        return vec![("path", "not in the catalog: what ZenML has of that name".to_owned())];
    };
    let mut rows = vec![("path", visible(&store.path()).into_string())];
    if let Some(region) = &store.region {
        let city = region.known().map_or(String::new(), |known| format!("  {}", known.name));
        rows.push(("region", format!("{}{city}", region.as_str())));
    }
    // https is what everybody expects; without it an own URL mostly fits its line
    let endpoint = store.endpoint.to_string();
    let endpoint = endpoint.strip_prefix("https://").unwrap_or(&endpoint).to_owned();
    rows.push(("endpoint", endpoint));
    rows.extend(store.access.as_ref().map(|access| ("from here", access.to_string())));
    rows.push(("signature", format!("{}, virtual-hosted", store.signature)));
    rows.push(("secret", store.secret.to_string()));
    rows
}

/// The first free name after `name`: `gpu`, `gpu-2`, `gpu-3`.
fn free_name(catalog: &Catalog, name: &str) -> String {
    let mut number = 2;
    loop {
        let free = format!("{name}-{number}");
        if catalog.stack(&free).is_none() {
            return free;
        }
        number += 1;
    }
}

impl Screen for Stacks {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "stacks";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Browse, "browse").when(Self::has_selection),
        Bind::new(&["n"], Command::New, "new…").when(Self::is_loaded),
        Bind::new(&["i"], Command::Found, "import…").when(Self::is_alone).quiet(),
        Bind::new(&["d"], Command::Demo, "demo").when(Self::has_none),
        Bind::new(&["e"], Command::Edit, "edit…").when(Self::has_selection),
        Bind::new(&["c"], Command::Check, "check…").when(Self::has_selection),
        Bind::new(&["E", "C"], Command::Plan, "plan, export…").when(Self::has_selection),
        Bind::new(&["d"], Command::Diff, "diff…").when(Self::has_selection),
        Bind::new(&["i"], Command::Import, "from ZenML…").when(Self::has_zenml),
        Bind::new(&["w"], Command::Copy, "copy…").when(Self::has_selection),
        Bind::new(&["r"], Command::Rename, "rename…").when(Self::has_selection),
        Bind::new(&["D", "delete"], Command::Delete, "delete…").when(Self::has_selection),
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
                self.settled = true;
                self.list.mouse(mouse);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let [checks, commits] = self.widths();
        let is_empty = self.list.rows().is_empty();
        let [check, commit] = if is_empty { ["", ""] } else { ["check", "commit"] };
        let face = Face {
            title: "Stacks",
            // the words of welcome want the room that names do not need
            width: if is_empty { (34, 29) } else { (40, 38) },
            columns: &[
                Column::new("", Constraint::Length(1)),
                Column::new("", Constraint::Fill(1)),
                Column::new(check, checks).right(),
                Column::new(commit, commits).right(),
            ],
            empty: "no stack yet: n makes one",
            welcome: &welcome(self.has_zenml()),
            warnings: Vec::new(),
            waiting: Vec::new(),
        };
        let row = |stack: &Stack| self.row(stack, theme);
        let details = |stack: &Stack, room| self.details(stack, room, theme);
        self.list.view(frame, area, theme, &face, row, details);
    }

    fn title(&self) -> String {
        "Stacks".into()
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.list.failure())
    }
}
