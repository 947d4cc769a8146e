//! The stacks of the catalog, each with what it is made of and how its last check ended.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::units;
use crate::base::visible::visible;
use crate::catalog::{Catalog, Severity};
use crate::doctor::{Outcome as Ended, Report};
use crate::model::component::ComponentType;
use crate::model::finding::State;
use crate::model::name::Name;
use crate::model::stack::Stack;
use crate::model::store::ArtifactStore;
use crate::ops::check::Subject;
use crate::ops::failure::Failure;
use crate::ops::objects::Place;
use crate::ops::stacks::{CopyStack, DeleteStack, RenameStack};
use crate::ops::stores::LoadCatalog;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::{pane, panes};
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{line, row};

use super::ask::Ask;
use super::check::CheckScreen;
use super::failure_view::{self, settled};
use super::objects::Objects;
use super::plan::PlanScreen;
use super::stack_form::StackForm;

/// The tab of stacks.
#[derive(Debug, Default)]
pub struct Stacks {
    catalog: Option<Catalog>,
    failure: Option<Failure>,
    scroll: Scroll,
    /// How the checks of this session ended, by stack.
    checked: BTreeMap<String, Report>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Browse,
    New,
    Edit,
    Check,
    Plan,
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
    FormClosed(Option<Name>),
    CheckClosed(String, Option<Report>),
    RenameNamed(String, Option<Name>),
    CopyNamed(String, Option<Name>),
    DeleteConfirmed(String, Option<()>),
    Saved(Outcome<Result<Name, Failure>>),
    Deleted(Outcome<Result<(), Failure>>),
}

impl Stacks {
    fn stacks(&self) -> &[Stack] {
        self.catalog.as_ref().map(Catalog::stacks).unwrap_or_default()
    }

    fn selected(&self) -> Option<&Stack> {
        self.stacks().get(self.scroll.selected())
    }

    fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    fn is_loaded(&self) -> bool {
        self.catalog.is_some()
    }

    fn store(&self, stack: &Stack) -> Option<&ArtifactStore> {
        self.catalog.as_ref()?.store(stack.artifact_store()?.as_str())
    }

    fn load() -> Step<Self> {
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::Loaded))
    }

    fn select(&mut self, name: &Name) {
        if let Some(index) = self.stacks().iter().position(|stack| stack.name == *name) {
            self.scroll.select(index);
        }
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::New => {
                return match &self.catalog {
                    Some(catalog) => Step::push(StackForm::new(catalog), Msg::FormClosed),
                    None => Step::none(),
                };
            }
            Command::Reload => return Self::load(),
            Command::Move(to) => {
                let len = self.stacks().len();
                self.scroll.act(to, len);
                return Step::none();
            }
            _ => {}
        }
        let Some((stack, catalog)) = self.selected().zip(self.catalog.as_ref()) else {
            return Step::none();
        };
        let name = stack.name.to_string();
        match command {
            Command::Browse => match self.store(stack) {
                Some(store) => {
                    let place = Place::of(store.name.as_str());
                    Step::show_with("browser", Objects::at(place, store.key_prefix()))
                }
                None => Step::toast(
                    Tone::Warning,
                    "its artifact store is not in the catalog: register it first",
                ),
            },
            Command::Edit => Step::push(StackForm::edit(catalog, stack), Msg::FormClosed),
            Command::Check => {
                let screen = CheckScreen::new(Subject::Stack(name.clone()));
                Step::push(screen, move |report| Msg::CheckClosed(name, report))
            }
            Command::Plan => Step::open(PlanScreen::new(name)),
            Command::Rename => {
                let dialog = Ask::name(format!("Rename {name}"), &name);
                Step::push(dialog, move |to| Msg::RenameNamed(name, to))
            }
            Command::Copy => {
                let dialog = Ask::name(format!("Copy {name}"), &free_name(catalog, &name));
                Step::push(dialog, move |to| Msg::CopyNamed(name, to))
            }
            Command::Delete => {
                let text = "The stack leaves your catalog. Its artifact store, its secret and \
                            whatever ZenML has of it stay.";
                let question = Confirm::new(&format!("Delete the stack {name}?"), text, "Delete");
                let question = if stack.protected { question.typed(&name) } else { question };
                Step::push(question, move |yes| Msg::DeleteConfirmed(name, yes))
            }
            Command::New | Command::Reload | Command::Move(_) => Step::none(),
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Loaded(outcome) => {
                match settled(outcome) {
                    Ok(catalog) => {
                        self.failure = None;
                        self.catalog = Some(catalog);
                    }
                    Err(failure) => self.failure = Some(failure),
                }
                let len = self.stacks().len();
                self.scroll.clamp(len);
                Step::none()
            }
            Msg::FormClosed(None)
            | Msg::RenameNamed(_, None)
            | Msg::CopyNamed(_, None)
            | Msg::DeleteConfirmed(_, None) => Step::none(),
            Msg::FormClosed(Some(name)) => {
                self.select(&name);
                Self::load().and_toast(Tone::Good, &format!("saved {name}"))
            }
            Msg::CheckClosed(stack, report) => {
                if let Some(report) = report {
                    self.checked.insert(stack, report);
                }
                Step::none()
            }
            Msg::RenameNamed(name, Some(to)) => {
                let job = RenameStack { name, to: to.to_string() };
                Step::run(Effect::exclusive("catalog", job, Msg::Saved))
            }
            Msg::CopyNamed(name, Some(to)) => {
                let job = CopyStack { name, to: to.to_string() };
                Step::run(Effect::exclusive("catalog", job, Msg::Saved))
            }
            Msg::DeleteConfirmed(name, Some(())) => {
                Step::run(Effect::exclusive("catalog", DeleteStack { name }, Msg::Deleted))
            }
            Msg::Saved(outcome) => match settled(outcome) {
                Ok(name) => Self::load().and_toast(Tone::Good, &format!("saved {name}")),
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
            Msg::Deleted(outcome) => match settled(outcome) {
                Ok(()) => Self::load().and_toast(Tone::Good, "deleted"),
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
        }
    }

    fn view_list(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(1)),
            Column::new("", Constraint::Fill(1)),
            Column::new("", Constraint::Length(9)).right(),
        ];
        let inner = pane(frame, area, theme, "Stacks", true);
        let empty = if self.is_loaded() { "no stack yet: n makes one" } else { "" };
        let stacks = self.stacks();
        Table::new(COLUMNS).empty(empty).view(
            frame,
            inner,
            theme,
            &self.scroll,
            stacks.len(),
            |index| {
                let Some(stack) = stacks.get(index) else { return Row::default() };
                let report = self.checked.get(stack.name.as_str());
                let (tone, word) = report.map_or((Tone::Neutral, "unchecked"), standing);
                let protected = if stack.protected { " [protected]" } else { "" };
                let sign = Span::styled(theme.sign(tone), theme.tone(tone));
                let name = Line::from(vec![
                    Span::raw(stack.name.to_string()),
                    Span::styled(protected, theme.protected()),
                ]);
                Row::new([Line::from(sign), name, Line::styled(word, theme.muted())])
            },
        );
    }

    fn view_detail(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let title = self.selected().map_or_else(String::new, |stack| stack.name.to_string());
        let inner = pane(frame, area, theme, &title, false);
        let lines = match (&self.failure, self.selected()) {
            (Some(failure), _) => failure_view::lines(failure, usize::from(inner.width), theme),
            (None, Some(stack)) => self.detail(stack, theme),
            (None, None) if self.is_loaded() => welcome(theme),
            (None, None) => Vec::new(),
        };
        for (index, text) in lines.into_iter().enumerate() {
            line(frame, row(inner, index), text);
        }
    }

    fn detail(&self, stack: &Stack, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let mut field = |label: String, value: String| {
            lines.push(Line::from(vec![
                Span::styled(format!(" {label:15} "), theme.muted()),
                Span::raw(value),
            ]));
        };
        for (kind, names) in &stack.components {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            field(kind.label(), names.join(", "));
            if *kind == ComponentType::ArtifactStore {
                self.store_lines(stack, &mut field);
            }
        }
        field("ZenML".into(), "E shows and exports the plan".into());
        lines.push(Line::raw(""));
        if let Some(report) = self.checked.get(stack.name.as_str()) {
            lines.extend(report_lines(report, theme));
        } else {
            lines.push(Line::styled(" not checked in this session: c checks it", theme.muted()));
        }
        lines.extend(self.problem_lines(stack, theme));
        lines
    }

    fn store_lines(&self, stack: &Stack, field: &mut impl FnMut(String, String)) {
        let Some(store) = self.store(stack) else {
            field("  path".into(), "not in the catalog: what ZenML has of that name".into());
            return;
        };
        field("  path".into(), visible(&store.path()).into_string());
        if let Some(region) = &store.region {
            let city = region.known().map_or(String::new(), |known| format!("  {}", known.name));
            field("  region".into(), format!("{}{city}", region.as_str()));
        }
        field("  endpoint".into(), store.endpoint.to_string());
        if let Some(access) = &store.access {
            field("  from here".into(), access.to_string());
        }
        field("  signature".into(), format!("{}, virtual-hosted", store.signature));
        field("  secret".into(), store.secret.to_string());
    }

    fn problem_lines(&self, stack: &Stack, theme: &Theme) -> Vec<Line<'static>> {
        let problems = self.catalog.as_ref().map(Catalog::problems).unwrap_or_default();
        let entry = format!("stack.{}", stack.name);
        let of_stack = problems.iter().filter(|problem| problem.entry == entry);
        of_stack
            .map(|problem| {
                let tone = match problem.severity {
                    Severity::Error => Tone::Bad,
                    Severity::Warning => Tone::Warning,
                };
                Line::from(vec![
                    Span::styled(format!(" {} ", theme.sign(tone)), theme.tone(tone)),
                    Span::raw(visible(&problem.message).into_string()),
                ])
            })
            .collect()
    }
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

/// How a report stands, and the word for it.
fn standing(report: &Report) -> (Tone, &'static str) {
    match report.outcome {
        Ended::Passed => (Tone::Good, "passed"),
        Ended::Warned => (Tone::Warning, "warned"),
        Ended::Failed => (Tone::Bad, "failed"),
        Ended::Cancelled => (Tone::Neutral, "stopped"),
    }
}

fn report_lines(report: &Report, theme: &Theme) -> Vec<Line<'static>> {
    let (tone, word) = standing(report);
    let fine = report.findings.iter().filter(|f| f.state == State::Passed).count();
    let total = report.findings.len();
    let took: Duration = report.took;
    let mut lines = vec![Line::from(vec![
        Span::styled(format!(" {} ", theme.sign(tone)), theme.tone(tone)),
        Span::raw(format!("last check {word}: {fine} of {total}, {}", units::span(took))),
    ])];
    let odd = report.findings.iter().filter(|f| matches!(f.state, State::Failed | State::Warned));
    for finding in odd.take(3) {
        let tone = if finding.state == State::Failed { Tone::Bad } else { Tone::Warning };
        lines.push(Line::from(vec![
            Span::styled(format!("   {} ", theme.sign(tone)), theme.tone(tone)),
            Span::raw(visible(&finding.summary).into_string()),
        ]));
    }
    lines
}

fn welcome(theme: &Theme) -> Vec<Line<'static>> {
    vec![
        Line::raw(""),
        Line::styled(" A stack takes three steps:", theme.title()),
        Line::raw(""),
        Line::raw(" 1  a secret: the access key of Alibaba Cloud     tab 3, n"),
        Line::raw(" 2  an artifact store: region, bucket, prefix     tab 2, n"),
        Line::raw(" 3  the stack: store and orchestrator             here, n"),
        Line::raw(""),
        Line::raw(" c checks that it works before ZenML hears of it."),
        Line::styled(" `osstack demo` tries it without an account.", theme.muted()),
    ]
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
        Bind::new(&["e"], Command::Edit, "edit…").when(Self::has_selection),
        Bind::new(&["c"], Command::Check, "check…").when(Self::has_selection),
        Bind::new(&["E", "C"], Command::Plan, "plan, export…").when(Self::has_selection),
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
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let [left, right] = panes(area, 34, 30, false);
        self.view_list(frame, left, theme);
        self.view_detail(frame, right, theme);
    }

    fn title(&self) -> String {
        "Stacks".into()
    }
}
