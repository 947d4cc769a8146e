//! The bookmarks: places by a name, to go to or to forget.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::model::name::Name;
use crate::ops::bookmarks::{
    Bookmark, ListBookmarks, ListedBookmarks, RemoveBookmark, RenameBookmark,
};
use crate::ops::failure::Failure;
use crate::ops::objects::Place;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::filter_input::FilterInput;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, fit_end, lines, row, rows_below, wrap};

use super::ask::Ask;
use super::failure_view::{self, settled};

/// Cells of a name; of a store.
const NAME: u16 = 24;
const STORE: u16 = 20;

/// All bookmarks. The answer is where the chosen one leads.
#[derive(Debug, Default)]
pub struct BookmarksView {
    read: Option<ListedBookmarks>,
    failure: Option<Failure>,
    filter: FilterInput,
    scroll: Scroll,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Go,
    Rename,
    Remove,
    CopyUri,
    Filter,
    KeepFilter,
    ClearFilter,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Read(Outcome<Result<ListedBookmarks, Failure>>),
    RenameNamed(Name, Name),
    Renamed(Outcome<Result<Bookmark, Failure>>),
    RemoveConfirmed(Name),
    Removed(Name, Outcome<Result<(), Failure>>),
}

impl BookmarksView {
    fn load() -> Step<Self> {
        Step::run(Effect::latest("bookmarks", ListBookmarks, Msg::Read))
    }

    fn all(&self) -> &[Bookmark] {
        self.read.as_ref().map(|read| read.bookmarks.all()).unwrap_or_default()
    }

    fn matching(&self) -> Vec<&Bookmark> {
        self.filter.found_in(self.all(), |one| format!("{} {one}", one.name))
    }

    fn selected(&self) -> Option<&Bookmark> {
        self.matching().get(self.scroll.selected()).copied()
    }

    fn may_act(&self) -> bool {
        !self.filter.is_open() && self.selected().is_some()
    }

    fn is_narrowed(&self) -> bool {
        self.filter.is_open() || self.filter.is_active()
    }

    fn go(&self) -> Step<Self> {
        let chosen = self.selected().zip(self.read.as_ref());
        match chosen.map(|(bookmark, read)| bookmark.resolve(&read.catalog)) {
            Some(Ok(there)) => Step::answer(there),
            Some(Err(failure)) => Step::toast(Tone::Bad, &failure.to_string()),
            None => Step::none(),
        }
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Go => return self.go(),
            Command::Rename => {
                let Some(bookmark) = self.selected() else { return Step::none() };
                let name = bookmark.name.clone();
                let ask = Ask::name(format!("Rename the bookmark {name}"), name.as_str());
                return Step::ask(ask, |to| Msg::RenameNamed(name, to));
            }
            Command::Remove => {
                let Some(bookmark) = self.selected() else { return Step::none() };
                let name = bookmark.name.clone();
                return Step::ask(forget(bookmark), |()| Msg::RemoveConfirmed(name));
            }
            Command::CopyUri => {
                let uri = self.selected().map(ToString::to_string);
                return uri.map_or_else(Step::none, |uri| Step::copy(&uri));
            }
            Command::Filter => self.filter.open(),
            Command::KeepFilter => self.filter.keep(),
            Command::ClearFilter => self.filter.clear(),
            Command::Reload => return Self::load(),
            Command::Move(to) => {
                let len = self.matching().len();
                self.scroll.act(to, len);
            }
        }
        let len = self.matching().len();
        self.scroll.clamp(len);
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Read(outcome) => {
                match settled(outcome) {
                    Ok(read) => (self.read, self.failure) = (Some(read), None),
                    Err(failure) => self.failure = Some(failure),
                }
                let len = self.matching().len();
                self.scroll.clamp(len);
                Step::none()
            }
            Msg::RenameNamed(name, to) => {
                let job = RenameBookmark { name: name.to_string(), to };
                Step::run(Effect::exclusive("bookmarks-file", job, Msg::Renamed))
            }
            Msg::Renamed(outcome) => match settled(outcome) {
                Ok(bookmark) => {
                    let said = format!("renamed: @{} leads there", bookmark.name);
                    Self::load().and_toast(Tone::Good, &said)
                }
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
            Msg::RemoveConfirmed(name) => {
                let job = RemoveBookmark { name: name.to_string() };
                let done = move |outcome| Msg::Removed(name, outcome);
                Step::run(Effect::exclusive("bookmarks-file", job, done))
            }
            Msg::Removed(name, outcome) => match settled(outcome) {
                Ok(()) => {
                    Self::load().and_toast(Tone::Good, &format!("forgot the bookmark {name}"))
                }
                Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
            },
        }
    }

    fn row(&self, bookmark: &Bookmark, room: usize, theme: &Theme) -> Row<'static> {
        let Bookmark { name, store, .. } = bookmark;
        let catalog = self.read.as_ref().map(|read| &read.catalog);
        let is_there = catalog.is_none_or(|catalog| catalog.store(store).is_some());
        let uri = fit_end(visible(&bookmark.to_string()).as_str(), room, theme);
        let store = visible(store);
        let store = if is_there {
            Line::raw(store.into_string())
        } else {
            Line::styled(format!("{} {store}: gone", theme.sign(Tone::Bad)), theme.bad())
        };
        Row::new([Line::styled(name.to_string(), theme.title()), Line::raw(uri), store])
    }
}

/// Asks before a bookmark goes.
pub(super) fn forget(bookmark: &Bookmark) -> Confirm<World> {
    let title = format!("Forget the bookmark {}?", bookmark.name);
    let text = format!("{} stays as it is.", visible(&bookmark.to_string()));
    Confirm::new(&title, text, ["Forget", "Keep"])
}

impl Screen for BookmarksView {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = (Place, String);

    const NAME: &'static str = "bookmarks";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::KeepFilter, "keep filter").when(|s| s.filter.is_open()),
        Bind::new(&["esc"], Command::ClearFilter, "clear filter").when(Self::is_narrowed),
        Bind::new(&["enter", "l", "right"], Command::Go, "go there").when(Self::may_act),
        Bind::new(&["/"], Command::Filter, "filter").when(|s| !s.filter.is_open()),
        Bind::new(&["r"], Command::Rename, "rename…").when(Self::may_act),
        Bind::new(&["d", "D", "delete"], Command::Remove, "forget…").when(Self::may_act),
        Bind::new(&["y"], Command::CopyUri, "copy uri").when(Self::may_act),
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
            Event::Msg(msg) => return self.hear(msg),
            Event::Key(key) => {
                self.filter.key(key);
                self.scroll.select(0);
            }
            Event::Paste(text) if self.filter.is_open() => {
                self.filter.paste(&text);
                self.scroll.select(0);
            }
            Event::Mouse(mouse) => {
                let len = self.matching().len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("bookmark", Constraint::Length(NAME)),
            Column::new("place", Constraint::Fill(1)),
            Column::new("store", Constraint::Length(STORE)),
        ];
        let matching = self.matching();
        let all = self.all().len();
        let count = match (&self.read, self.is_narrowed()) {
            (None, _) => String::new(),
            (Some(_), true) => format!("{} of {all}", matching.len()),
            (Some(_), false) => all.to_string(),
        };
        let inner = counted_pane(frame, area, theme, ("Bookmarks", &count), true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        let problems = self.read.as_ref().map(|read| read.bookmarks.problems());
        let problems = problems.unwrap_or_default().iter();
        let mut below: Vec<Line<'_>> = problems
            .flat_map(|problem| {
                wrap(&format!("bookmarks.toml: {problem}"), usize::from(inner.width))
            })
            .map(|text| Line::styled(text, theme.warn()))
            .collect();
        below.truncate(usize::from(inner.height / 2));
        let filter = usize::from(self.is_narrowed());
        let taken = cells(below.len() + filter).min(inner.height);
        let list = Rect { height: inner.height - taken, ..inner };
        let empty = match (&self.read, self.is_narrowed()) {
            (None, _) => "",
            (Some(_), true) => "nothing matches",
            (Some(_), false) => "no bookmark yet: b in the browser remembers a prefix, m a row",
        };
        let room = inner.width.saturating_sub(2 + NAME + 1 + STORE + 1);
        let table = Table::new(COLUMNS).empty(empty);
        table.view(frame, list, theme, &self.scroll, matching.len(), |index| {
            let bookmark = matching.get(index);
            bookmark.map(|one| self.row(one, usize::from(room), theme)).unwrap_or_default()
        });
        let below_at = usize::from(list.height);
        let filter_at = below_at + below.len();
        lines(frame, rows_below(inner, below_at), below, theme);
        self.filter.view(frame, row(inner, filter_at), theme);
    }

    fn title(&self) -> String {
        "Bookmarks".into()
    }

    fn captures_text(&self) -> bool {
        self.filter.is_open()
    }
}
