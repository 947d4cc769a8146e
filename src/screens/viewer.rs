//! One object, as far as its first bytes tell: text, records, a table, or bytes.

pub mod content;

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::model::preview::{FIRST_READ, Preview};
use crate::ops::failure::Failure;
use crate::ops::marked::Marked;
use crate::ops::objects::PreviewObject;
use crate::ops::transfer::Remote;
use crate::ops::world::World;
use crate::oss::object::Version;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::pictures::Placed;
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::text::line;

use self::content::Reading;
use super::changed::Changed;
use super::details::Details;
use super::explain;
use super::failure_view::{self, settled};
use super::restore::RestoreWindow;
use super::transfers;
use super::unlock::when_locked;
use super::versions::Versions;

/// The most that is read: what a screen can show and a user will scroll.
const MOST_READ: u64 = 1 << 20;

/// The beginning of one object over the whole tab.
#[derive(Debug)]
pub struct Viewer {
    object: Remote,
    /// Which version of it was listed, while that is what is to be seen.
    listed: Option<Version>,
    limit: u64,
    reading: Option<Reading>,
    failure: Option<Failure>,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    More,
    NextLevel,
    Fold,
    FoldAll,
    Left,
    Right,
    Details,
    Versions,
    Download,
    Restore,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Read(Outcome<Result<Preview, Failure>>),
    Restored,
    Unlocked,
    Changed(Changed),
    FolderNamed(PathBuf),
}

impl Viewer {
    /// Reads the beginning of `object`.
    pub fn new(object: Remote) -> Self {
        Self {
            object,
            listed: None,
            limit: FIRST_READ,
            reading: None,
            failure: None,
            spinner: Spinner::default(),
        }
    }

    /// That it was listed as this version: read already, it is not asked for again.
    #[must_use]
    pub fn listed_as(self, listed: Option<Version>) -> Self {
        Self { listed, ..self }
    }

    fn read(&mut self) -> Step<Self> {
        self.failure = None;
        self.spinner.start();
        let Remote { place, key, version, .. } = self.object.clone();
        let (limit, listed) = (self.limit, self.listed.clone());
        let job = PreviewObject { place, key, version, limit, listed };
        Step::run(Effect::latest("preview", job, Msg::Read))
    }

    fn may_read_more(&self) -> bool {
        let grows = self.reading.as_ref().is_some_and(Reading::may_grow);
        grows && self.limit < MOST_READ && !self.spinner.is_running()
    }

    fn has_levels(&self) -> bool {
        self.reading.as_ref().is_some_and(Reading::has_levels)
    }

    fn is_tree(&self) -> bool {
        self.reading.as_ref().is_some_and(Reading::is_tree)
    }

    fn is_current(&self) -> bool {
        self.object.version.is_none()
    }

    fn is_archived(&self) -> bool {
        self.is_current() && self.failure.as_ref().is_some_and(Failure::is_archived)
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::More => {
                self.limit = self.limit.saturating_mul(2).min(MOST_READ);
                return self.read();
            }
            Command::Reload => {
                self.listed = None;
                return self.read();
            }
            Command::Details => {
                let Remote { place, key, .. } = self.object.clone();
                return Step::open(Details::new(place, key));
            }
            Command::Versions => return Step::open(Versions::of(self.object.clone())),
            Command::Download => {
                return Step::ask(transfers::ask_folder(&self.object.key), Msg::FolderNamed);
            }
            Command::Restore => {
                let Remote { place, key, .. } = self.object.clone();
                let window = RestoreWindow::new(Marked::one(place, key));
                return Step::push(window, |_| Msg::Restored);
            }
            Command::NextLevel
            | Command::Fold
            | Command::FoldAll
            | Command::Left
            | Command::Right
            | Command::Move(_) => {}
        }
        let Some(reading) = &mut self.reading else { return Step::none() };
        match command {
            Command::NextLevel => reading.next_level(),
            Command::Fold => reading.toggle(),
            Command::FoldAll => reading.toggle_all(),
            Command::Left => reading.left(),
            Command::Right => reading.right(),
            Command::Move(to) => reading.act(to),
            _ => {}
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Read(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(preview) => match &mut self.reading {
                        Some(reading) => reading.extend(preview),
                        None => self.reading = Some(Reading::new(preview).with_cursor()),
                    },
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            Msg::Restored | Msg::Unlocked => return self.read(),
            Msg::Changed(changed) => {
                let Remote { place, key, .. } = &self.object;
                let is_it = changed.touches((place, place.bucket.as_ref()), key.as_str());
                if is_it && self.is_current() {
                    (self.listed, self.reading) = (None, None);
                    return self.read();
                }
            }
            Msg::FolderNamed(folder) => return transfers::download(self.object.clone(), folder),
        }
        Step::none()
    }
}

impl Screen for Viewer {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "viewer";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["m"], Command::More, "read more").when(Self::may_read_more),
        Bind::new(&["L"], Command::NextLevel, "levels").when(Self::has_levels),
        Bind::new(&["enter"], Command::Fold, "fold").when(Self::is_tree),
        Bind::new(&["z"], Command::FoldAll, "fold all").when(Self::is_tree).quiet(),
        Bind::new(&["h", "left"], Command::Left, "left").quiet(),
        Bind::new(&["l", "right"], Command::Right, "right").quiet(),
        Bind::new(&["i"], Command::Details, "details…").when(Self::is_current),
        Bind::new(&["v"], Command::Versions, "versions…").when(Self::is_current).quiet(),
        Bind::new(&["d"], Command::Download, "download…"),
        Bind::new(&["t"], Command::Restore, "restore…").when(Self::is_archived),
        Bind::new(&["R", "f5"], Command::Reload, "read again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.read()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => self.command(command),
            Event::Msg(msg) => self.hear(msg),
            Event::Tick(now) => {
                self.spinner.tick(now);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let title = self.object.whole();
        let heading = self.reading.as_ref().map(Reading::heading).unwrap_or_default();
        let inner = counted_pane(frame, area, theme, (title.as_str(), &heading), true);
        match (&self.failure, &self.reading) {
            (Some(failure), _) => failure_view::view(frame, inner, theme, failure),
            (None, Some(reading)) => reading.view(frame, inner, theme),
            (None, None) => {
                let sign = self.spinner.sign(theme);
                if !sign.is_empty() {
                    line(frame, inner, Line::raw(format!("{sign} reading")));
                }
            }
        }
    }

    fn picture(&self) -> Option<Placed> {
        self.reading.as_ref().and_then(Reading::picture)
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn title(&self) -> String {
        self.object.whole().into_string()
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
