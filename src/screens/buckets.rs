//! All buckets that a store's key may list, of every region.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::model::bucket::BucketName;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::{BucketsOf, ListBuckets, Place};
use crate::ops::world::World;
use crate::oss::object::BucketEntry;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::filter_input::FilterInput;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{line, row};

use super::bookmarks::BookmarksView;
use super::browser::Browser;
use super::explain;
use super::failure_view::{self, settled};
use super::objects::Objects;
use super::unlock::when_locked;

/// The buckets of the key that `store` uses.
#[derive(Debug)]
pub struct Buckets {
    store: String,
    all: Option<Vec<BucketEntry>>,
    failure: Option<Failure>,
    filter: FilterInput,
    scroll: Scroll,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Filter,
    KeepFilter,
    ClearFilter,
    Stores,
    Bookmarks,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Listed(Outcome<Result<Vec<BucketEntry>, Failure>>),
    Unlocked,
    BookmarkChosen((Place, String)),
}

impl Buckets {
    /// Lists what the key of `store` may see.
    pub fn of(store: String) -> Self {
        Self {
            store,
            all: None,
            failure: None,
            filter: FilterInput::default(),
            scroll: Scroll::default(),
            spinner: Spinner::default(),
        }
    }

    fn load(&mut self) -> Step<Self> {
        self.failure = None;
        self.spinner.start();
        let of = BucketsOf::Store(self.store.clone());
        Step::run(Effect::latest("buckets", ListBuckets { of }, Msg::Listed))
    }

    fn matching(&self) -> Vec<&BucketEntry> {
        self.filter.found_in(self.all.iter().flatten(), |entry| &entry.name)
    }

    fn may_open(&self) -> bool {
        !self.filter.is_open() && !self.matching().is_empty()
    }

    fn is_narrowed(&self) -> bool {
        self.filter.is_open() || self.filter.is_active()
    }

    fn open(&self) -> Step<Self> {
        let name = self.matching().get(self.scroll.selected()).map(|entry| entry.name.clone());
        match name.as_deref().map(BucketName::parse) {
            Some(Ok(bucket)) => {
                let place = Place { store: self.store.clone(), bucket: Some(bucket) };
                Step::close()
                    .then(Step::show_with(Browser::NAME, Objects::at(place, String::new())))
            }
            Some(Err(error)) => Step::toast(Tone::Bad, &error.to_string()),
            None => Step::none(),
        }
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Open => return self.open(),
            Command::Filter => self.filter.open(),
            Command::KeepFilter => self.filter.keep(),
            Command::ClearFilter => self.filter.clear(),
            Command::Stores => return Step::close(),
            Command::Bookmarks => {
                return Step::ask(BookmarksView::default(), Msg::BookmarkChosen);
            }
            Command::Reload => return self.load(),
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
            Msg::Listed(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(buckets) => self.all = Some(buckets),
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(of_listing(failure));
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::Unlocked => return self.load(),
            Msg::BookmarkChosen((place, key)) => {
                let there = Objects::at_key(place, &key);
                return Step::close().then(Step::show_with(Browser::NAME, there));
            }
        }
        Step::none()
    }
}

/// A key that may not list buckets is usual, and no reason to stop.
fn of_listing(failure: Failure) -> Failure {
    if failure.kind == FailureKind::Credentials {
        return failure.hint("the store's own bucket can be opened all the same: esc, then enter");
    }
    failure
}

impl Screen for Buckets {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "buckets";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::KeepFilter, "keep filter").when(|s| s.filter.is_open()),
        Bind::new(&["esc"], Command::ClearFilter, "clear filter").when(Self::is_narrowed),
        Bind::new(&["enter", "l", "right"], Command::Open, "open").when(Self::may_open),
        Bind::new(&["h", "left", "backspace"], Command::Stores, "stores")
            .when(|s| !s.filter.is_open()),
        Bind::new(&["/"], Command::Filter, "filter").when(|s| !s.filter.is_open()),
        Bind::new(&["'"], Command::Bookmarks, "bookmarks").when(|s| !s.filter.is_open()),
        Bind::new(&["R", "f5"], Command::Reload, "reload").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.load()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
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
            Column::new("bucket", Constraint::Fill(1)),
            Column::new("region", Constraint::Length(24)),
            Column::new("made", Constraint::Length(20)),
        ];
        let title = format!("buckets of the key of {}", self.store);
        let matching = self.matching();
        let count = match (&self.all, self.is_narrowed()) {
            (None, _) => String::new(),
            (Some(all), true) => format!("{} of {}", matching.len(), all.len()),
            (Some(all), false) => all.len().to_string(),
        };
        let inner = counted_pane(frame, area, theme, (&title, &count), true);
        if let Some(failure) = &self.failure {
            return failure_view::view(frame, inner, theme, failure);
        }
        let sign = self.spinner.sign(theme);
        if !sign.is_empty() {
            return line(frame, inner, Line::raw(format!("{sign} asking")));
        }
        let empty = match (&self.all, self.is_narrowed()) {
            (None, _) => "",
            (Some(_), true) => "nothing matches",
            (Some(_), false) => "this key's account has no bucket",
        };
        let bottom = u16::from(self.is_narrowed()).min(inner.height);
        let list = Rect { height: inner.height - bottom, ..inner };
        let table = Table::new(COLUMNS).empty(empty);
        table.view(frame, list, theme, &self.scroll, matching.len(), |index| {
            let Some(entry) = matching.get(index) else { return Row::default() };
            let shown = |text: &Option<String>| {
                text.as_deref().map(|text| visible(text).into_string()).unwrap_or_default()
            };
            // the day is enough: 2026-02-03T10:20:30.000Z
            let made: String = shown(&entry.created).chars().take(10).collect();
            Row::new([visible(&entry.name).into_string(), shown(&entry.region), made])
        });
        self.filter.view(frame, row(inner, usize::from(list.height)), theme);
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn title(&self) -> String {
        "Buckets".into()
    }

    fn captures_text(&self) -> bool {
        self.filter.is_open()
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
