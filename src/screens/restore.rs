//! Archived objects: how far each is from being read, and for how long and how soon they are
//! asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use time::OffsetDateTime;

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::failure::Failure;
use crate::ops::marked::Marked;
use crate::ops::restore::{Reached, RestoreMarked, State};
use crate::ops::world::World;
use crate::oss::listing::StorageClass;
use crate::oss::restore::{RestoreOptions, Tier};
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{fit_end, lines, rows_below};

use super::explain;
use super::failure_view::{self, marked as signed, settled};
use super::objects::said;
use super::unlock::when_locked;

/// Days that objects are kept readable; the last is more than `Archive` allows.
const DAYS: [u16; 4] = [1, 3, 7, 30];
/// How soon; the one that OSS takes by itself first.
const TIERS: [Tier; 3] = [Tier::Standard, Tier::Expedited, Tier::Bulk];
/// Between two looks at what is being restored, where that takes a minute.
const AGAIN: Duration = Duration::from_secs(15);
/// Cells of the window.
const SIZE: Size = Size { width: 74, height: 14 };

/// The window that restores what is marked.
#[derive(Debug)]
pub struct RestoreWindow {
    marked: Marked,
    /// Which version of the one object, where that is not the current one.
    version: Option<String>,
    days: usize,
    tier: usize,
    /// What the last look or request came to.
    seen: Option<Seen>,
    /// What the one that runs has come to so far.
    coming: Seen,
    failure: Option<Failure>,
    spinner: Spinner,
    now: Duration,
    looked: Option<Duration>,
}

/// How far all of it is.
#[derive(Debug, Default)]
struct Seen {
    classes: BTreeMap<StorageClass, u64>,
    bytes: u64,
    archived: u64,
    begun: u64,
    ongoing: u64,
    readable: u64,
    others: u64,
    /// Until when the first of them can be read.
    until: Option<OffsetDateTime>,
    failed: u64,
    example: Option<Failure>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Restore,
    Longer,
    Shorter,
    NextTier,
    Reload,
}

/// What the window is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Reached(Reached),
    Looked(Outcome<Result<(), Failure>>),
    Asked(Outcome<Result<(), Failure>>),
    Unlocked,
}

impl Seen {
    fn add(&mut self, reached: Reached) {
        let Reached { size, class, state, .. } = reached;
        match state {
            Ok(State::NotArchived) => {
                self.others += 1;
                return;
            }
            Ok(State::Archived) => self.archived += 1,
            Ok(State::Begun) => self.begun += 1,
            Ok(State::Ongoing) => self.ongoing += 1,
            Ok(State::Readable(until)) => {
                self.readable += 1;
                self.until = self.until.into_iter().chain(until).min();
            }
            Err(failure) => {
                self.failed += 1;
                self.example.get_or_insert(failure);
            }
        }
        self.bytes = self.bytes.saturating_add(size);
        if let Some(class) = class {
            *self.classes.entry(class).or_default() += 1;
        }
    }

    fn total(&self) -> u64 {
        self.archived + self.begun + self.ongoing + self.readable + self.failed
    }

    fn has(&self, is: impl Fn(StorageClass) -> bool) -> bool {
        self.classes.keys().any(|class| is(*class))
    }

    /// `Archive`, `2 Archive, 1 ColdArchive`.
    fn classes(&self) -> String {
        if self.classes.len() == 1 {
            return self.classes.keys().map(ToString::to_string).collect();
        }
        let each = self.classes.iter().map(|(class, count)| format!("{count} {class}"));
        each.collect::<Vec<_>>().join(", ")
    }
}

impl RestoreWindow {
    /// Looks how far what is marked is from being read.
    pub fn new(marked: Marked) -> Self {
        Self {
            marked,
            version: None,
            days: 0,
            tier: 0,
            seen: None,
            coming: Seen::default(),
            failure: None,
            spinner: Spinner::default(),
            now: Duration::ZERO,
            looked: None,
        }
    }

    /// The same of one version of the object that is marked.
    #[must_use]
    pub fn of_version(self, id: String) -> Self {
        Self { version: Some(id), ..self }
    }

    fn job(&self, options: Option<RestoreOptions>) -> RestoreMarked {
        let (marked, version) = (self.marked.clone(), self.version.clone());
        RestoreMarked { marked, version, options }
    }

    fn look(&mut self) -> Step<Self> {
        self.begin();
        let job = self.job(None);
        Step::run(Effect::latest_stream("look", job, Msg::Reached, Msg::Looked))
    }

    fn ask(&mut self) -> Step<Self> {
        self.begin();
        let options = RestoreOptions { days: self.days(), tier: self.tier() };
        let job = self.job(Some(options));
        Step::run(Effect::exclusive_stream("restore", job, Msg::Reached, Msg::Asked))
    }

    fn begin(&mut self) {
        (self.coming, self.failure) = (Seen::default(), None);
        self.looked = Some(self.now);
        self.spinner.start();
    }

    fn ended(&mut self, outcome: Outcome<Result<(), Failure>>) -> Step<Self> {
        self.spinner.stop();
        self.seen = Some(std::mem::take(&mut self.coming));
        let Err(failure) = settled(outcome) else { return Step::none() };
        let unlock = when_locked(&failure, || Msg::Unlocked);
        self.failure = Some(failure);
        unlock.unwrap_or_else(Step::none)
    }

    fn days(&self) -> u16 {
        DAYS.get(self.days).copied().unwrap_or(1)
    }

    fn tier(&self) -> Tier {
        TIERS.get(self.tier).copied().unwrap_or_default()
    }

    fn is_busy(&self) -> bool {
        self.spinner.is_running()
    }

    fn may_restore(&self) -> bool {
        let is_some = |seen: &Seen| seen.archived + seen.readable > 0;
        !self.is_busy() && self.seen.as_ref().is_some_and(is_some)
    }

    /// How many of [`DAYS`] some of it can have.
    fn choices(&self) -> usize {
        let is_long =
            self.seen.as_ref().is_some_and(|seen| seen.has(|class| class.most_days() > 7));
        if is_long { DAYS.len() } else { DAYS.len() - 1 }
    }

    fn may_be_longer(&self) -> bool {
        self.may_restore() && self.days + 1 < self.choices()
    }

    fn may_be_shorter(&self) -> bool {
        self.may_restore() && self.days > 0
    }

    fn has_tiers(&self) -> bool {
        let has = |seen: &Seen| seen.has(|class| class.tier(Tier::Standard).is_some());
        self.may_restore() && self.seen.as_ref().is_some_and(has)
    }

    /// Whether it soon changes by itself.
    fn is_awaited(&self) -> bool {
        self.failure.is_none()
            && self.seen.as_ref().is_some_and(|seen| {
                seen.begun + seen.ongoing > 0 && seen.has(|class| class == StorageClass::Archive)
            })
    }

    /// The longest wait of what is there.
    fn wait(&self, seen: &Seen) -> &'static str {
        seen.classes.keys().next_back().map_or("later", |class| class.wait(self.tier()))
    }

    fn said(&self, seen: &Seen, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut said = Vec::new();
        let mut say = |tone: Tone, text: &str| {
            said.extend(signed(theme.sign(tone), theme.tone(tone), text, room));
        };
        let objects = |count| units::counted(count, "object");
        let total = seen.total();
        if total == 0 {
            let text = match (self.marked.prefixes.is_empty(), seen.others) {
                (true, 1) => "it is not archived: it can be read as it is",
                _ => "nothing there is archived: all of it can be read as it is",
            };
            say(Tone::Good, text);
            return said;
        }
        if seen.archived > 0 {
            let (count, bytes) = (objects(seen.archived), units::bytes(seen.bytes));
            let (classes, wait) = (seen.classes(), self.wait(seen));
            let text = format!("{count} archived ({classes}, {bytes}): enter asks, then {wait}");
            say(Tone::Warning, &text);
        }
        if seen.begun > 0 {
            let text = format!("{} asked for: readable {}", objects(seen.begun), self.wait(seen));
            say(Tone::Good, &text);
        }
        if seen.ongoing > 0 {
            say(Tone::Neutral, &format!("{} being restored", objects(seen.ongoing)));
        }
        if seen.readable > 0 {
            let until = seen.until.map(units::moment);
            let until = until.map(|until| format!(" until {until} UTC")).unwrap_or_default();
            say(Tone::Good, &format!("{} can be read{until}", objects(seen.readable)));
        }
        if let Some(failure) = &seen.example {
            say(Tone::Bad, &format!("{} failed: {failure}", objects(seen.failed)));
        }
        if seen.archived > 0 {
            say(Tone::Neutral, "OSS bills a restore by its bytes");
        }
        if self.days() > 1 {
            let text = "over S3, OSS may keep it for 1 day whatever is asked: R tells until when";
            say(Tone::Neutral, text);
        }
        said
    }

    fn choice<'a>(
        label: &'static str,
        words: impl Iterator<Item = (bool, String)> + 'a,
        theme: &Theme,
    ) -> Line<'static> {
        let mut spans = vec![Span::styled(label, theme.muted())];
        for (on, words) in words {
            let mark = if on { theme.mark() } else { " " };
            let style = if on { theme.selected() } else { Style::new() };
            spans.extend([Span::styled(format!("{mark} {words} "), style), Span::raw("  ")]);
        }
        Line::from(spans)
    }
}

impl Screen for RestoreWindow {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "restore";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Restore, "restore").when(Self::may_restore),
        Bind::new(&["right", "l"], Command::Longer, "longer").when(Self::may_be_longer),
        Bind::new(&["left", "h"], Command::Shorter, "shorter").when(Self::may_be_shorter),
        Bind::new(&["t"], Command::NextTier, "how soon").when(Self::has_tiers),
        Bind::new(&["R", "f5"], Command::Reload, "look again").when(|s| !s.is_busy()),
    ];
    const MOVES: Moves<Command> = Moves::None;

    fn start(&mut self) -> Step<Self> {
        self.look()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Restore) => return self.ask(),
            Event::Command(Command::Longer) => {
                self.days = (self.days + 1).min(self.choices() - 1);
            }
            Event::Command(Command::Shorter) => self.days = self.days.saturating_sub(1),
            Event::Command(Command::NextTier) => self.tier = (self.tier + 1) % TIERS.len(),
            Event::Command(Command::Reload) | Event::Msg(Msg::Unlocked) => return self.look(),
            Event::Msg(Msg::Reached(reached)) => self.coming.add(reached),
            Event::Msg(Msg::Looked(outcome) | Msg::Asked(outcome)) => return self.ended(outcome),
            Event::Tick(now) => {
                self.now = now;
                self.spinner.tick(now);
                let since = now.saturating_sub(*self.looked.get_or_insert(now));
                if self.is_awaited() && !self.is_busy() && since >= AGAIN {
                    return self.look();
                }
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let room = usize::from(inner.width);
        let mut text = Vec::new();
        for key in self.marked.keys().take(2) {
            text.push(Line::raw(fit_end(visible(key).as_str(), room, theme)));
        }
        if let Some(more @ 1..) = self.marked.len().checked_sub(2) {
            text.push(Line::raw(format!("and {} more", units::count(more as u64))));
        }
        if self.may_restore() {
            let days = DAYS.iter().take(self.choices()).enumerate();
            let days =
                days.map(|(at, days)| (at == self.days, units::counted(u64::from(*days), "day")));
            text.push(Self::choice("readable for  ", days, theme));
        }
        if self.has_tiers() {
            let tiers = TIERS.iter().enumerate();
            let tiers = tiers.map(|(at, tier)| (at == self.tier, tier.as_str().to_owned()));
            text.push(Self::choice("how soon      ", tiers, theme));
        }
        text.push(Line::raw(""));
        if let Some(seen) = &self.seen {
            text.extend(self.said(seen, room, theme));
        }
        let sign = self.spinner.sign(theme);
        if !sign.is_empty() {
            let count = units::counted(self.coming.total(), "archived object");
            text.push(Line::raw(format!("{sign} {count} so far")));
        }
        if let Some(failure) = &self.failure {
            text.extend(failure_view::lines(failure, room, theme));
        }
        lines(frame, rows_below(inner, 0), text, theme);
    }

    fn title(&self) -> String {
        format!("Restore {}", said(&self.marked))
    }

    fn error_code(&self) -> Option<&str> {
        let example = self.seen.as_ref().and_then(|seen| seen.example.as_ref());
        explain::code_of_failure(self.failure.as_ref().or(example))
    }

    fn popup(&self) -> Option<Size> {
        Some(SIZE)
    }

    fn wants_tick(&self) -> bool {
        self.is_busy() || self.is_awaited()
    }
}
