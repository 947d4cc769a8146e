//! A window to pick a component of a stack, or to make one on the spot.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect, Size};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::component::{Component, ComponentType};
use crate::model::flavor::{self, Flavors};
use crate::model::name::Name;
use crate::ops::components::{LookThere, There};
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
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};

use super::component_form::ComponentForm;
use super::failure_view::{self, settled};

/// Picks a component of one type; the answer is its name. Where there is none to pick, the form of
/// a new one opens.
#[derive(Debug)]
pub struct ComponentPicker {
    kind: ComponentType,
    /// The connection of the stack, where it names one.
    connection: Option<String>,
    components: Vec<Component>,
    /// What else ZenML has; nothing until it answered.
    there: Option<There>,
    /// Why it did not.
    unasked: Option<String>,
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
    Looked(Outcome<Result<There, Failure>>),
    Made(Option<Name>),
    Edited(Name),
}

impl ComponentPicker {
    /// Picks one of `kind`, from the catalog or the ZenML of `connection`; where none is named,
    /// of the only one.
    pub fn new(kind: ComponentType, connection: Option<String>) -> Self {
        let own = flavor::default_of(kind).map(|flavor| flavor.name.as_str());
        Self {
            kind,
            connection,
            components: Vec::new(),
            there: None,
            unasked: None,
            own,
            scroll: Scroll::default(),
            failure: None,
        }
    }

    fn load(&self) -> Step<Self> {
        let look = LookThere { kind: self.kind, connection: self.connection.clone() };
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::Loaded)).and(Effect::latest(
            "there",
            look,
            Msg::Looked,
        ))
    }

    fn flavors(&self) -> Flavors {
        self.there.as_ref().map(|there| there.flavors.clone()).unwrap_or_default()
    }

    fn make(&self) -> Step<Self> {
        Step::push(ComponentForm::new(self.kind, self.flavors()), Msg::Made)
    }

    /// What ZenML has and the catalog does not describe, its own `default` left out.
    fn others(&self) -> &[(Name, String)] {
        self.there.as_ref().map(|there| there.components.as_slice()).unwrap_or_default()
    }

    fn selected(&self) -> Option<&Component> {
        self.components.get(self.scroll.selected())
    }

    fn is_described(&self) -> bool {
        self.selected().is_some()
    }

    fn count(&self) -> usize {
        self.components.len() + usize::from(self.own.is_some()) + self.others().len()
    }

    fn has_rows(&self) -> bool {
        self.count() > 0
    }

    /// Name and flavor of a row: the catalog's, ZenML's own, what else ZenML has.
    fn row(&self, index: usize) -> Option<(Name, String)> {
        if let Some(component) = self.components.get(index) {
            let flavor = visible(&component.flavor).into_string();
            return Some((component.name.clone(), flavor));
        }
        let index = index - self.components.len();
        match (self.own, index) {
            (Some(own), 0) => {
                Name::parse("default").ok().map(|name| (name, format!("{own}, ZenML's own")))
            }
            (own, index) => {
                let (name, flavor) = self.others().get(index - usize::from(own.is_some()))?;
                Some((name.clone(), format!("{}, in ZenML", visible(flavor))))
            }
        }
    }

    /// Where there is nothing to pick, once all have answered, the form of a new one opens.
    fn make_where_none(&self) -> Step<Self> {
        let have_answered = self.there.is_some() || self.unasked.is_some();
        if have_answered && self.failure.is_none() && !self.has_rows() {
            return self.make();
        }
        Step::none()
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
                    return self.make_where_none();
                }
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Looked(outcome) => {
                match settled(outcome) {
                    Ok(mut there) => {
                        there.components.retain(|(name, _)| name.as_str() != "default");
                        self.there = Some(there);
                    }
                    Err(failure) => self.unasked = Some(failure.summary),
                }
                return self.make_where_none();
            }
            Msg::Made(Some(name)) => return Step::answer(name),
            Msg::Made(None) if self.has_rows() => {}
            Msg::Made(None) => return Step::close(),
            Msg::Edited(_) => return self.load(),
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
        self.load()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Pick) => {
                if let Some((name, _)) = self.row(self.scroll.selected()) {
                    return Step::answer(name);
                }
            }
            Event::Command(Command::New) => return self.make(),
            Event::Command(Command::Edit) => {
                if let Some(component) = self.selected() {
                    return Step::ask(ComponentForm::edit(component, self.flavors()), Msg::Edited);
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
        let build = |index: usize| {
            let row = self.row(index);
            row.map_or_else(Row::default, |(name, flavor)| Row::new([name.to_string(), flavor]))
        };
        let notes = self.unasked.as_ref().map(|why| {
            wrap(&format!("What ZenML has is not known: {why}"), usize::from(inner.width))
        });
        let notes = notes.unwrap_or_default();
        let height = usize::from(inner.height).saturating_sub(notes.len());
        let rows = Rect { height: cells(height), ..inner };
        Table::new(&COLUMNS).view(frame, rows, theme, &self.scroll, self.count(), build);
        for (index, note) in notes.into_iter().enumerate() {
            let place = row(rows_below(inner, height), index);
            line(frame, place, Line::styled(note, theme.muted()));
        }
    }

    fn title(&self) -> String {
        format!("Which {}?", self.kind.label())
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(60, 14))
    }
}
