//! A link to one object that works without a key, for as long as is chosen.
//!
//! The link itself is not on the screen until it is copied: whoever has it can read the object.
//! Nor is its QR code, until that is asked for and where the window has room.

use std::time::Duration;

use qrcode::{Color as Module, EcLevel, QrCode};
use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use crate::base::units;
use crate::base::visible::visible;
use crate::ops::failure::Failure;
use crate::ops::objects::{Link, PresignObject};
use crate::ops::transfer::Remote;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, fit_end, lines, rows_below};

use super::failure_view::{self, marked, settled};
use super::unlock::when_locked;

/// How long a link can work, and the words for it; S3 V4 takes 7 days at most.
const LIVES: [(&str, Duration); 4] = [
    ("15 min", Duration::from_mins(15)),
    ("1 hour", Duration::from_hours(1)),
    ("1 day", Duration::from_hours(24)),
    ("7 days", Duration::from_hours(7 * 24)),
];
/// Cells of the window without a code.
const WIDTH: u16 = 72;
/// Rows of the window above the code, with its frame.
const ROWS: u16 = 9;
/// Light modules around a code, by which readers find it.
const MARGIN: usize = 2;

/// The window that shares one object.
#[derive(Debug)]
pub struct ShareLink {
    object: Remote,
    /// Which of the lives.
    life: usize,
    link: Option<Result<Signed, Failure>>,
    /// Its code is asked for.
    with_code: bool,
    now: Duration,
}

/// A link that was signed, and since when.
#[derive(Debug)]
struct Signed {
    link: Link,
    /// By the time of the program; nothing until it is told.
    since: Option<Duration>,
    code: Option<Code>,
}

/// A square of light and dark modules.
#[derive(Debug)]
struct Code {
    width: usize,
    dark: Vec<bool>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Copy,
    Longer,
    Shorter,
    Code,
}

/// What the window is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Signed(Outcome<Result<Link, Failure>>),
    Unlocked,
}

impl Code {
    /// The code of `text`; none where it is too long for one.
    fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let dark = code.to_colors().into_iter().map(|module| module == Module::Dark).collect();
        Some(Self { width: code.width(), dark })
    }

    fn is_dark(&self, column: usize, row: usize) -> bool {
        let inner = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < self.width);
        let at = inner(column).zip(inner(row)).map(|(column, row)| row * self.width + column);
        at.and_then(|at| self.dark.get(at)).copied().unwrap_or(false)
    }

    /// Modules of a side, with the margin.
    fn side(&self) -> usize {
        self.width + 2 * MARGIN
    }

    /// Two modules a cell, one above the other; dark on light whatever the terminal's own are.
    fn lines(&self) -> Vec<Line<'static>> {
        let style = Style::new().fg(Color::Black).bg(Color::White);
        let rows = (0..self.side()).step_by(2);
        let row = |row: usize| {
            let cell =
                |column: usize| match (self.is_dark(column, row), self.is_dark(column, row + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                };
            Line::styled((0..self.side()).map(cell).collect::<String>(), style)
        };
        rows.map(row).collect()
    }
}

impl ShareLink {
    /// Makes a link of one hour to `object`.
    pub fn new(object: Remote) -> Self {
        Self { object, life: 1, link: None, with_code: false, now: Duration::ZERO }
    }

    fn sign(&mut self) -> Step<Self> {
        self.link = None;
        let expires = LIVES.get(self.life).map_or(Duration::ZERO, |(_, life)| *life);
        let Remote { place, key, version, .. } = self.object.clone();
        let job = PresignObject { place, key, version, expires };
        Step::run(Effect::latest("sign", job, Msg::Signed))
    }

    fn signed(&self) -> Option<&Signed> {
        self.link.as_ref()?.as_ref().ok()
    }

    /// Its code, where that is asked for.
    fn code(&self) -> Option<&Code> {
        self.signed()?.code.as_ref().filter(|_| self.with_code)
    }

    fn has_link(&self) -> bool {
        self.signed().is_some_and(|signed| !self.left(signed).is_zero())
    }

    fn may_be_longer(&self) -> bool {
        self.life + 1 < LIVES.len()
    }

    fn may_be_shorter(&self) -> bool {
        self.life > 0
    }

    /// How long it still works.
    fn left(&self, signed: &Signed) -> Duration {
        let since = signed.since.unwrap_or(self.now);
        signed.link.life.saturating_sub(self.now.saturating_sub(since))
    }

    fn lives(&self, theme: &Theme) -> Line<'static> {
        let mut spans = vec![Span::styled("works for  ", theme.muted())];
        for (index, (words, _)) in LIVES.iter().enumerate() {
            let on = index == self.life;
            let mark = if on { theme.mark() } else { " " };
            let style = if on { theme.selected() } else { Style::new() };
            spans.push(Span::styled(format!("{mark} {words} "), style));
            spans.push(Span::raw("  "));
        }
        Line::from(spans)
    }

    /// What is said of a link, above its code.
    fn said(&self, signed: &Signed, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let Signed { link, .. } = signed;
        let left = self.left(signed);
        let mut said = Vec::new();
        let mut say = |tone: Tone, text: &str| {
            said.extend(marked(theme.sign(tone), theme.tone(tone), text, room));
        };
        if left.is_zero() {
            say(Tone::Bad, "it has ended: choose again how long one works");
            return said;
        }
        let until = units::moment(link.until);
        say(Tone::Good, &format!("{} left, until {until} UTC", clock(left)));
        match (link.is_temporary, link.token_ends) {
            (true, Some(end)) if end == link.until => {
                say(Tone::Warning, "sooner than that: it ends with the key's session token");
            }
            (true, None) => {
                let text = "the key is temporary: the link ends with its session token, if that is \
                            sooner";
                say(Tone::Warning, text);
            }
            _ => {}
        }
        if link.is_saved() {
            say(Tone::Neutral, "a browser saves it and does not show it: OSS's own domain says so");
        }
        say(Tone::Neutral, "whoever has it can read the object, and nobody can take it back");
        said
    }
}

/// `59:58`, `23:59:58`, `6 d 23:59:58`.
fn clock(left: Duration) -> String {
    let seconds = left.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{seconds:02}"),
        (0, _) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days} d {hours}:{minutes:02}:{seconds:02}"),
    }
}

impl Screen for ShareLink {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "share";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["y", "enter"], Command::Copy, "copy the link").when(Self::has_link),
        Bind::new(&["right", "l"], Command::Longer, "longer").when(Self::may_be_longer),
        Bind::new(&["left", "h"], Command::Shorter, "shorter").when(Self::may_be_shorter),
        Bind::new(&["c"], Command::Code, "QR code").when(Self::has_link),
    ];
    const MOVES: Moves<Command> = Moves::None;

    fn start(&mut self) -> Step<Self> {
        self.sign()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Longer) => {
                self.life = (self.life + 1).min(LIVES.len() - 1);
                return self.sign();
            }
            Event::Command(Command::Shorter) => {
                self.life = self.life.saturating_sub(1);
                return self.sign();
            }
            Event::Command(Command::Code) => self.with_code = !self.with_code,
            Event::Command(Command::Copy) => {
                return self.signed().map_or_else(Step::none, |one| Step::copy(&one.link.url));
            }
            Event::Msg(Msg::Signed(outcome)) => match settled(outcome) {
                Ok(link) => {
                    let code = Code::of(&link.url);
                    self.link = Some(Ok(Signed { link, since: None, code }));
                }
                Err(failure) => {
                    let unlock = when_locked(&failure, || Msg::Unlocked);
                    self.link = Some(Err(failure));
                    return unlock.unwrap_or_else(Step::none);
                }
            },
            Event::Msg(Msg::Unlocked) => return self.sign(),
            Event::Tick(now) => {
                self.now = now;
                if let Some(Ok(signed)) = &mut self.link {
                    signed.since.get_or_insert(now);
                }
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let title = format!("Share {}", visible(self.object.key.file_name()));
        let inner = pane(frame, area, theme, &title, true);
        let room = usize::from(inner.width);
        let key = fit_end(self.object.whole().as_str(), room, theme);
        let mut said = vec![Line::raw(key), self.lives(theme), Line::raw("")];
        let mut code = None;
        match &self.link {
            Some(Ok(signed)) => {
                said.extend(self.said(signed, room, theme));
                code = self.code().filter(|_| !theme.ascii && self.has_link());
            }
            Some(Err(failure)) => said.extend(failure_view::lines(failure, room, theme)),
            None => said.push(Line::styled("signing", theme.muted())),
        }
        if let Some(code) = code {
            let free = usize::from(inner.height).saturating_sub(said.len() + 1);
            said.push(Line::raw(""));
            if code.side() <= room && code.side().div_ceil(2) <= free {
                said.extend(code.lines().into_iter().map(Line::centered));
            } else {
                let (columns, rows) = (code.side() + 2, code.side().div_ceil(2) + 11);
                let text = format!("its QR code needs a window of {columns}x{rows}");
                said.push(Line::styled(text, theme.muted()));
            }
        }
        lines(frame, rows_below(inner, 0), said, theme);
    }

    fn title(&self) -> String {
        format!("Share {}", self.object.whole())
    }

    fn popup(&self) -> Option<Size> {
        let side = self.code().map_or(0, Code::side);
        let width = cells(side + 2).max(WIDTH);
        Some(Size::new(width, ROWS.saturating_add(cells(side.div_ceil(2)))))
    }

    fn wants_tick(&self) -> bool {
        self.has_link()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_to_the_second() {
        let of = |seconds| clock(Duration::from_secs(seconds));
        assert_eq!([of(59), of(900), of(3599)], ["0:59", "15:00", "59:59"]);
        assert_eq!([of(3600), of(86_399)], ["1:00:00", "23:59:59"]);
        assert_eq!([of(86_400), of(604_799)], ["1 d 0:00:00", "6 d 23:59:59"]);
    }

    #[test]
    fn a_code_has_a_light_margin_and_its_three_marks() {
        let code = Code::of("https://example.com/").unwrap();
        let last = code.side() - 1;
        assert!((0..=last).all(|at| !code.is_dark(at, 0) && !code.is_dark(last, at)));
        let far = last - MARGIN;
        for (column, row) in [(MARGIN, MARGIN), (far, MARGIN), (MARGIN, far)] {
            assert!(code.is_dark(column, row), "{column} {row}");
        }
        let lines = code.lines();
        assert_eq!((lines.len(), lines[0].width()), (code.side().div_ceil(2), code.side()));
        assert!(Code::of(&"x".repeat(4000)).is_none());
    }
}
