//! A window to pick a component of a stack, or to make one on the spot.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect, Size};

use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::component::{Component, ComponentType};
use crate::model::flavor;
use crate::model::name::Name;
use crate::ops::failure::Failure;
use crate::ops::stores::LoadCatalog;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};

use super::component_form::ComponentForm;
use super::failure_view::{self, settled};

/// Picks a component of one type; the answer is its name. Where there is none to pick, the form of
/// a new one opens.
#[derive(Debug)]
pub struct ComponentPicker {
    kind: ComponentType,
    components: Vec<Component>,
    /// What ZenML itself has of that type under the name `default`.
    own: Option<&'static str>,
    scroll: Scroll,
    failure: Option<Failure>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Pick,
    New,
    Edit,
    Move(Move),
}

/// What the picker is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Loaded(Outcome<Result<Catalog, Failure>>),
    Made(Option<Name>),
    Edited(Name),
}

impl ComponentPicker {
    /// Picks one of `kind`.
    pub fn new(kind: ComponentType) -> Self {
        let own = flavor::default_of(kind).map(|flavor| flavor.name.as_str());
        Self { kind, components: Vec::new(), own, scroll: Scroll::default(), failure: None }
    }

    fn load() -> Step<Self> {
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::Loaded))
    }

    fn make(&self) -> Step<Self> {
        Step::push(ComponentForm::new(self.kind), Msg::Made)
    }

    fn selected(&self) -> Option<&Component> {
        self.components.get(self.scroll.selected())
    }

    fn is_described(&self) -> bool {
        self.selected().is_some()
    }

    fn count(&self) -> usize {
        self.components.len() + usize::from(self.own.is_some())
    }

    fn has_rows(&self) -> bool {
        self.count() > 0
    }

    /// The answer for the selected row; ZenML's own stands last.
    fn pick(&self) -> Option<Name> {
        match self.selected() {
            Some(component) => Some(component.name.clone()),
            None => self.own.and_then(|_| Name::parse("default").ok()),
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Loaded(outcome) => match settled(outcome) {
                Ok(catalog) => {
                    let mine = catalog.components().iter().filter(|it| it.kind == self.kind);
                    self.components = mine.cloned().collect();
                    if self.components.iter().any(|it| it.name.as_str() == "default") {
                        self.own = None;
                    }
                    if !self.has_rows() {
                        return self.make();
                    }
                }
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Made(Some(name)) => return Step::answer(name),
            Msg::Made(None) if self.has_rows() => {}
            Msg::Made(None) => return Step::close(),
            Msg::Edited(_) => return Self::load(),
        }
        Step::none()
    }
}

impl Screen for ComponentPicker {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Name;

    const NAME: &'static str = "component-picker";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Pick, "pick").when(Self::has_rows),
        Bind::new(&["n"], Command::New, "new…"),
        Bind::new(&["e"], Command::Edit, "edit…").when(Self::is_described),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        Self::load()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Pick) => {
                if let Some(name) = self.pick() {
                    return Step::answer(name);
                }
            }
            Event::Command(Command::New) => return self.make(),
            Event::Command(Command::Edit) => {
                if let Some(component) = self.selected() {
                    return Step::ask(ComponentForm::edit(component), Msg::Edited);
                }
            }
            Event::Command(Command::Move(to)) => {
                self.scroll.act(to, self.count());
            }
            Event::Mouse(mouse) => {
                self.scroll.mouse(mouse, self.count());
            }
            Event::Msg(msg) => return self.hear(msg),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: [Column<'_>; 2] = [
            Column::new("name", Constraint::Fill(1)),
            Column::new("flavor", Constraint::Length(24)),
        ];
        let inner = pane(frame, area, theme, &self.title(), true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        let build = |index: usize| match (self.components.get(index), self.own) {
            (Some(it), _) => Row::new([it.name.to_string(), visible(&it.flavor).into_string()]),
            (None, Some(own)) => Row::new(["default".to_owned(), format!("{own}, ZenML's own")]),
            (None, None) => Row::default(),
        };
        Table::new(&COLUMNS).view(frame, inner, theme, &self.scroll, self.count(), build);
    }

    fn title(&self) -> String {
        format!("Which {}?", self.kind.label())
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(60, 14))
    }
}
