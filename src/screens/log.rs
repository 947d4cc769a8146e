//! The tab of the log: what was asked of the world, by which screen, and how it ended.
//!
//! What is here are jobs in plain words, made of their `Debug`, and notices that were shown; jobs
//! that hold a secret hold it in a type that does not show itself.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

use crate::base::units;
use crate::ops::world::World;
use crate::tui::effect::Outcome;
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::log::{Entry, Log};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::{counted_pane, pane};
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{line, row, wrap};

/// Rows of the lower part.
const DETAIL: u16 = 6;

/// All entries of this session, newest first.
#[derive(Debug, Default)]
pub struct LogScreen {
    entries: Vec<Entry>,
    scroll: Scroll,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Move(Move),
}

/// An entry as it is shown.
struct Shown<'a> {
    at: Duration,
    tone: Tone,
    screen: &'static str,
    what: &'a str,
    how: String,
}

fn shown(entry: &Entry) -> Shown<'_> {
    match entry {
        Entry::Told(at, notice) => Shown {
            at: *at,
            tone: notice.tone,
            screen: "",
            what: notice.text.as_str(),
            how: "shown".into(),
        },
        Entry::Effect(record) => {
            let (tone, how) = match &record.ended {
                None => (Tone::Neutral, "running".to_owned()),
                Some((Outcome::Done(()), took)) => (Tone::Good, units::span(*took)),
                Some((Outcome::Refused, _)) => (Tone::Warning, "refused".into()),
                Some((Outcome::Cancelled, took)) => {
                    (Tone::Neutral, format!("cancelled, {}", units::span(*took)))
                }
                Some((Outcome::Panicked(place), _)) => (Tone::Bad, format!("fault, {place}")),
            };
            let what = record.what.as_str();
            Shown { at: record.at, tone, screen: record.screen, what, how }
        }
    }
}

impl LogScreen {
    fn selected(&self) -> Option<&Entry> {
        self.entries.get(self.scroll.selected())
    }

    fn view_list(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'static>] = &[
            Column::new("", Constraint::Length(1)),
            Column::new("after", Constraint::Length(12)).right(),
            Column::new("screen", Constraint::Length(12)),
            Column::new("what", Constraint::Fill(1)),
            Column::new("ended", Constraint::Length(18)),
        ];
        let count = units::count(self.entries.len() as u64);
        let inner = counted_pane(frame, area, theme, ("Log, newest first", &count), true);
        let table = Table::new(COLUMNS).empty("nothing was asked yet");
        table.view(frame, inner, theme, &self.scroll, self.entries.len(), |index| {
            let Some(entry) = self.entries.get(index).map(shown) else { return Row::default() };
            Row::new([
                Line::styled(theme.sign(entry.tone), theme.tone(entry.tone)),
                Line::raw(units::span(entry.at)),
                Line::raw(entry.screen),
                Line::raw(entry.what),
                Line::raw(entry.how),
            ])
        });
    }
}

impl Screen for LogScreen {
    type World = World;
    type Command = Command;
    type Msg = ();
    type Answer = ();

    const NAME: &'static str = "log";
    const KEYS: &'static [Bind<Self>] = &[];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let len = self.entries.len();
        match event {
            Event::Command(Command::Move(to)) => _ = self.scroll.act(to, len),
            Event::Mouse(mouse) => _ = self.scroll.mouse(mouse, len),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let detail = DETAIL.min(area.height / 3);
        let parts = [Constraint::Fill(1), Constraint::Length(detail)];
        let [list, detail] = Layout::vertical(parts).areas(area);
        self.view_list(frame, list, theme);
        let Some(entry) = self.selected().map(shown) else { return };
        let inner = pane(frame, detail, theme, &entry.how, false);
        for (index, text) in wrap(entry.what, usize::from(inner.width)).into_iter().enumerate() {
            line(frame, row(inner, index), Line::raw(text));
        }
    }

    fn title(&self) -> String {
        "Log".into()
    }

    fn observe(&mut self, log: &Log) {
        // at the top one stays with the newest; elsewhere on the entry where one is
        let kept = self.selected().filter(|_| self.scroll.selected() > 0).cloned();
        self.entries = log.entries().rev().cloned().collect();
        if let Some(kept) = kept {
            let at = self.entries.iter().position(|entry| entry.is(&kept));
            self.scroll.select(at.unwrap_or(self.scroll.selected()));
        }
        self.scroll.clamp(self.entries.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::screen::Notice;

    #[test]
    fn the_selection_stays_on_its_entry_unless_that_is_the_newest() {
        let mut log = Log::default();
        let mut screen = LogScreen::default();
        let mut tell = |screen: &mut LogScreen, text| {
            log.told(Duration::ZERO, Notice::new(Tone::Good, text));
            screen.observe(&log);
        };
        let selected = |screen: &LogScreen| shown(screen.selected().unwrap()).what.to_owned();
        tell(&mut screen, "one");
        tell(&mut screen, "two");
        assert_eq!(selected(&screen), "two");
        let _none = screen.update(Event::Command(Command::Move(Move::Down)));
        tell(&mut screen, "three");
        assert_eq!(selected(&screen), "one");
    }
}
