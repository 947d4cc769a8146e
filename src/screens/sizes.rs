//! How much lies below a prefix, part by part, the largest first; and the uploads that nobody
//! ended. The answer is a prefix to go to in the browser.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::Place;
use crate::ops::usage::{
    AbortUploads, Aborted, ListUploads, MeasureSizes, OpenUpload, Sizes, Usage,
};
use crate::ops::world::World;
use crate::oss::listing::StorageClass;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::counted_pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, lines, rows_below};

use super::failure_view::{self, marked, settled};
use super::unlock::when_locked;

/// Cells of a bar.
const BAR: u64 = 12;
/// Uploads that a question names.
const NAMED: usize = 6;

/// The sizes of one prefix.
#[derive(Debug)]
pub struct SizesView {
    place: Place,
    prefix: String,
    sizes: Sizes,
    /// The parts, largest first.
    parts: Vec<(String, Usage)>,
    unfinished: Vec<OpenUpload>,
    is_whole: bool,
    failure: Option<Failure>,
    scroll: Scroll,
    spinner: Spinner,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Browse,
    EndUploads,
    Stop,
    Reload,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Counted(Sizes),
    Ended(Outcome<Result<Sizes, Failure>>),
    Unfinished(Outcome<Result<Vec<OpenUpload>, Failure>>),
    EndConfirmed,
    UploadsEnded(Outcome<Result<Vec<Aborted>, Failure>>),
    PrefixChosen(String),
    Unlocked,
}

impl SizesView {
    /// What lies below `prefix`; literal.
    pub fn of(place: Place, prefix: String) -> Self {
        Self {
            place,
            prefix,
            sizes: Sizes::default(),
            parts: Vec::new(),
            unfinished: Vec::new(),
            is_whole: false,
            failure: None,
            scroll: Scroll::default(),
            spinner: Spinner::default(),
        }
    }

    fn count(&mut self) -> Step<Self> {
        self.take(Sizes::default());
        (self.is_whole, self.failure) = (false, None);
        self.spinner.start();
        let (place, prefix) = (self.place.clone(), self.prefix.clone());
        let uploads = ListUploads { place: place.clone(), prefix: prefix.clone() };
        let job = MeasureSizes { place, prefix };
        Step::run(Effect::latest_stream("sizes", job, Msg::Counted, Msg::Ended))
            .and(Effect::latest("uploads", uploads, Msg::Unfinished))
    }

    /// Takes what was counted so far; the selected part stays selected.
    fn take(&mut self, sizes: Sizes) {
        let at = self.scroll.selected();
        let kept = self.parts.get(at).filter(|_| at > 0).map(|(name, _)| name.clone());
        let parts = sizes.largest_first().into_iter();
        self.parts = parts.map(|(name, usage)| (name.to_owned(), usage)).collect();
        self.sizes = sizes;
        let at = kept.and_then(|kept| self.parts.iter().position(|(name, _)| *name == kept));
        self.scroll.select(at.unwrap_or(0));
    }

    /// The prefix that is selected; `None` on what lies in no further one.
    fn selected(&self) -> Option<String> {
        let (name, _) = self.parts.get(self.scroll.selected())?;
        (!name.is_empty()).then(|| format!("{}{name}", self.prefix))
    }

    fn may_open(&self) -> bool {
        self.selected().is_some()
    }

    fn is_counting(&self) -> bool {
        self.spinner.is_running()
    }

    fn has_unfinished(&self) -> bool {
        !self.unfinished.is_empty()
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Open => match self.selected() {
                Some(prefix) => {
                    let below = Self::of(self.place.clone(), prefix);
                    Step::ask(below, Msg::PrefixChosen)
                }
                None => Step::none(),
            },
            Command::Browse => Step::answer(self.selected().unwrap_or_else(|| self.prefix.clone())),
            Command::EndUploads => {
                let count = units::counted(self.unfinished.len() as u64, "upload");
                let mut text = String::new();
                for one in self.unfinished.iter().take(NAMED) {
                    let since = one.upload.initiated.as_deref().unwrap_or("no date");
                    let (key, since) = (visible(&one.upload.key), visible(since));
                    let bytes = units::bytes(one.bytes);
                    text.extend([key.as_str(), "  ", &bytes, "  ", since.as_str(), "\n"]);
                }
                if self.unfinished.len() > NAMED {
                    let more = self.unfinished.len() - NAMED;
                    text.extend(["and ", &units::count(more as u64), " more\n"]);
                }
                text.push_str("\nOne that somebody still sends to fails.");
                let question = Confirm::new(&format!("End {count}?"), text, ["End", "Keep"]);
                Step::ask(question, |()| Msg::EndConfirmed)
            }
            Command::Stop => Step::cancel("sizes"),
            Command::Reload => self.count(),
            Command::Move(to) => {
                let len = self.parts.len();
                self.scroll.act(to, len);
                Step::none()
            }
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Counted(sizes) => self.take(sizes),
            Msg::Ended(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(sizes) => {
                        self.take(sizes);
                        self.is_whole = true;
                    }
                    Err(failure) => {
                        let unlock = when_locked(&failure, || Msg::Unlocked);
                        self.failure = Some(failure);
                        return unlock.unwrap_or_else(Step::none);
                    }
                }
            }
            // who may not list uploads is told nothing of them
            Msg::Unfinished(outcome) => self.unfinished = settled(outcome).unwrap_or_default(),
            Msg::EndConfirmed => {
                let uploads = self.unfinished.iter().map(|one| one.upload.clone()).collect();
                let job = AbortUploads { place: self.place.clone(), uploads };
                return Step::run(Effect::exclusive("uploads", job, Msg::UploadsEnded));
            }
            Msg::UploadsEnded(outcome) => {
                return match settled(outcome) {
                    Ok(ended) => {
                        let (gone, left) = counts(&ended);
                        self.unfinished.retain(|one| {
                            let is_it = |other: &&Aborted| other.upload == one.upload;
                            ended.iter().find(is_it).is_none_or(|other| other.left.is_some())
                        });
                        let tone = if left == 0 { Tone::Good } else { Tone::Warning };
                        Step::toast(tone, &said(gone, left))
                    }
                    Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
                };
            }
            Msg::PrefixChosen(prefix) => return Step::answer(prefix),
            Msg::Unlocked => return self.count(),
        }
        Step::none()
    }

    fn row(&self, at: usize, theme: &Theme) -> Row<'static> {
        let Some((name, usage)) = self.parts.get(at) else { return Row::default() };
        let share = |of: u64| {
            let all = u128::from(self.sizes.all.bytes).max(1);
            u64::try_from(u128::from(usage.bytes) * u128::from(of) / all).unwrap_or(of)
        };
        let full = usize::try_from(share(BAR)).unwrap_or(0);
        let bar = if theme.ascii { "#" } else { "█" };
        let name = if name.is_empty() {
            Line::styled("objects right here", theme.muted())
        } else {
            Line::styled(visible(name).into_string(), theme.title())
        };
        Row::new([
            Line::raw(units::bytes(usage.bytes)),
            Line::raw(format!("{} %", share(100))),
            Line::styled(bar.repeat(full), theme.ok()),
            name,
            Line::raw(units::count(usage.objects)),
        ])
    }

    /// What is said below the rows.
    fn below(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let is_plain = self.sizes.classes.keys().all(|class| *class == StorageClass::Standard);
        if !is_plain {
            let dot = format!(" {} ", theme.dot());
            let classes = self.sizes.classes.iter();
            let each =
                classes.map(|(class, usage)| format!("{class} {}", units::bytes(usage.bytes)));
            lines.push(Line::styled(each.collect::<Vec<_>>().join(&dot), theme.muted()));
        }
        if self.has_unfinished() {
            let bytes = self.unfinished.iter().map(|one| one.bytes).sum();
            let count = units::counted(self.unfinished.len() as u64, "unfinished upload");
            let text = format!("{count}, {}: paid for and in no listing", units::bytes(bytes));
            lines.extend(marked(theme.sign(Tone::Warning), theme.warn(), &text, room));
        }
        match &self.failure {
            Some(failure) if failure.kind == FailureKind::Cancelled => {
                let sign = theme.sign(Tone::Warning);
                lines.extend(marked(sign, theme.warn(), "stopped: R counts again", room));
            }
            Some(failure) => lines.extend(failure_view::lines(failure, room, theme)),
            None => {}
        }
        lines
    }
}

/// How many are gone, and how many stayed.
pub(crate) fn counts(ended: &[Aborted]) -> (usize, usize) {
    let left = ended.iter().filter(|one| one.left.is_some()).count();
    (ended.len() - left, left)
}

fn said(gone: usize, left: usize) -> String {
    let gone = format!("ended {}", units::counted(gone as u64, "upload"));
    if left == 0 { gone } else { format!("{gone}, {left} stayed") }
}

impl Screen for SizesView {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = String;

    const NAME: &'static str = "sizes";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["esc"], Command::Stop, "stop").when(Self::is_counting),
        Bind::new(&["enter", "l", "right"], Command::Open, "sizes below").when(Self::may_open),
        Bind::new(&["b"], Command::Browse, "browse"),
        Bind::new(&["x"], Command::EndUploads, "end uploads…").when(Self::has_unfinished),
        Bind::new(&["R", "f5"], Command::Reload, "count again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.count()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            Event::Mouse(mouse) => {
                let len = self.parts.len();
                self.scroll.mouse(mouse, len);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("size", Constraint::Length(10)).right(),
            Column::new("share", Constraint::Length(5)).right(),
            Column::new("", Constraint::Length(12)),
            Column::new("below", Constraint::Fill(1)),
            Column::new("objects", Constraint::Length(9)).right(),
        ];
        let sign = self.spinner.sign(theme);
        let gap = if sign.is_empty() { "" } else { " " };
        let Usage { objects, bytes } = self.sizes.all;
        let so_far = if self.is_whole { "" } else { " so far" };
        let objects = units::counted(objects, "object");
        let count = format!("{sign}{gap}{objects} · {}{so_far}", units::bytes(bytes));
        let title = format!("{}  {}  sizes", self.place.store, visible(&self.prefix));
        let inner = counted_pane(frame, area, theme, (&title, &count), true);
        let room = usize::from(inner.width);
        let mut below = self.below(room, theme);
        below.truncate(usize::from(inner.height / 2));
        let list = Rect { height: inner.height - cells(below.len()), ..inner };
        let table = Table::new(COLUMNS).empty(if self.is_whole { "nothing lies here" } else { "" });
        table.view(frame, list, theme, &self.scroll, self.parts.len(), |at| self.row(at, theme));
        lines(frame, rows_below(inner, usize::from(list.height)), below, theme);
    }

    fn title(&self) -> String {
        format!("Sizes of {} {}", self.place.store, visible(&self.prefix))
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
