//! The tab of the browser: which store to look into. What lies there is [`Objects`], above it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};

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
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row};
use crate::tui::widget::text::fit_end;

use super::bookmarks::BookmarksView;
use super::buckets::Buckets;
use super::failure_view;
use super::list_detail::ListDetail;
use super::objects::Objects;

/// The stores of the catalog, to choose one from.
#[derive(Debug, Default)]
pub struct Browser {
    list: ListDetail<Catalog, ArtifactStore>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Buckets,
    Bookmarks,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Loaded(Outcome<Result<Catalog, Failure>>),
    BookmarkChosen((Place, String)),
}

impl Browser {
    fn has_selection(&self) -> bool {
        self.list.has_selection()
    }

    fn load() -> Step<Self> {
        Step::run(Effect::latest("catalog", LoadCatalog, Msg::Loaded))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        if let Command::Move(to) = command {
            self.list.act(to);
            return Step::none();
        }
        match (command, self.list.selected()) {
            (Command::Open, Some(store)) => {
                let place = Place::of(store.name.as_str());
                Step::open(Objects::at(place, store.key_prefix()))
            }
            (Command::Buckets, Some(store)) => Step::open(Buckets::of(store.name.to_string())),
            (Command::Bookmarks, _) => Step::ask(BookmarksView::default(), Msg::BookmarkChosen),
            (Command::Reload, _) => Self::load(),
            (_, _) => Step::none(),
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
        Bind::new(&["'"], Command::Bookmarks, "bookmarks"),
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
            Event::Msg(Msg::Loaded(outcome)) => self.list.take(outcome),
            Event::Msg(Msg::BookmarkChosen((place, key))) => {
                return Step::open(Objects::at_key(place, &key));
            }
            Event::Mouse(mouse) => self.list.mouse(mouse),
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
        if let Some(failure) = self.list.failure() {
            return failure_view::view(frame, inner, theme, failure);
        }
        let room = usize::from(inner.width).saturating_sub(2 + 24 + 18 + 2);
        let empty = "no artifact store yet: 2 and n make the first";
        self.list.table(frame, inner, theme, (COLUMNS, empty), |store| {
            let region = store.region.as_ref().map_or("", RegionId::as_str);
            Row::new([
                store.name.to_string(),
                fit_end(visible(&store.path()).as_str(), room, theme),
                region.to_owned(),
            ])
        });
    }

    fn title(&self) -> String {
        "Browser".into()
    }
}
