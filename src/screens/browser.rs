//! The tab of the browser: which store to look into. What lies there is [`Objects`], above it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::store::{ArtifactStore, RegionId};
use crate::ops::failure::Failure;
use crate::ops::objects::Place;
use crate::ops::stores::LoadCatalog;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::fit_end;

use super::buckets::Buckets;
use super::failure_view::{self, settled};
use super::objects::Objects;

/// The stores of the catalog, to choose one from.
#[derive(Debug, Default)]
pub struct Browser {
    catalog: Option<Catalog>,
    failure: Option<Failure>,
    scroll: Scroll,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Buckets,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Loaded(Outcome<Result<Catalog, Failure>>),
}

impl Browser {
    fn stores(&self) -> &[ArtifactStore] {
        self.catalog.as_ref().map(Catalog::stores).unwrap_or_default()
    }

    fn selected(&self) -> Option<&ArtifactStore> {
        self.stores().get(self.scroll.selected())
    }

    fn has_selection(&self) -> bool {
        self.selected().is_some()
    }

    fn load() -> Step<Self> {
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::Loaded))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match (command, self.selected()) {
            (Command::Open, Some(store)) => {
                let place = Place::of(store.name.as_str());
                Step::open(Objects::at(place, store.key_prefix()))
            }
            (Command::Buckets, Some(store)) => Step::open(Buckets::of(store.name.to_string())),
            (Command::Reload, _) => Self::load(),
            (Command::Move(to), _) => {
                let len = self.stores().len();
                self.scroll.act(to, len);
                Step::none()
            }
            (Command::Open | Command::Buckets, None) => Step::none(),
        }
    }
}

impl Screen for Browser {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "browser";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter", "l", "right"], Command::Open, "open").when(Self::has_selection),
        Bind::new(&["b"], Command::Buckets, "all buckets").when(Self::has_selection),
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
            Event::Command(command) => return self.command(command),
            Event::Msg(Msg::Loaded(outcome)) => {
                match settled(outcome) {
                    Ok(catalog) => (self.catalog, self.failure) = (Some(catalog), None),
                    Err(failure) => self.failure = Some(failure),
                }
                let len = self.stores().len();
                self.scroll.clamp(len);
            }
            Event::Mouse(mouse) => {
                let len = self.stores().len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("store", Constraint::Length(24)),
            Column::new("path", Constraint::Fill(1)),
            Column::new("region", Constraint::Length(18)),
        ];
        let inner = pane(frame, area, theme, "Browse an artifact store", true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        let empty = match &self.catalog {
            Some(_) => "no artifact store yet: tab 2, n makes the first",
            None => "",
        };
        let room = usize::from(inner.width).saturating_sub(2 + 24 + 18 + 2);
        let stores = self.stores();
        let table = Table::new(COLUMNS).empty(empty);
        table.view(frame, inner, theme, &self.scroll, stores.len(), |index| {
            let Some(store) = stores.get(index) else { return Row::default() };
            let region = store.region.as_ref().map_or("", RegionId::as_str);
            Row::new([
                Line::raw(store.name.to_string()),
                Line::raw(fit_end(visible(&store.path()).as_str(), room, theme)),
                Line::raw(region.to_owned()),
            ])
        });
    }

    fn title(&self) -> String {
        "Browser".into()
    }
}
