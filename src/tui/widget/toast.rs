//! Notices that stay for some seconds.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::tui::screen::Notice;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::text::{cells, fit_line};

/// The most at once; the oldest gives way. All stay in the log.
const MOST: usize = 3;

/// The notices on screen.
#[derive(Debug, Default)]
pub struct Toasts {
    shown: Vec<(Notice, Duration)>,
}

impl Toasts {
    /// Shows `notice` from `now` on; bad news stays longer.
    pub fn push(&mut self, notice: Notice, now: Duration) {
        let stay = match notice.tone {
            Tone::Neutral | Tone::Good => Duration::from_secs(4),
            Tone::Warning | Tone::Bad => Duration::from_secs(10),
        };
        self.shown.retain(|(other, _)| *other != notice);
        if self.shown.len() == MOST {
            self.shown.remove(0);
        }
        self.shown.push((notice, now + stay));
    }

    /// Drops those whose time is over.
    pub fn tick(&mut self, now: Duration) {
        self.shown.retain(|(_, until)| *until > now);
    }

    /// When the next one goes.
    pub fn next_tick(&self) -> Option<Duration> {
        self.shown.iter().map(|(_, until)| *until).min()
    }

    /// Draws them over the bottom of `area`, the newest lowest.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        for (above, (notice, _)) in self.shown.iter().rev().enumerate() {
            let above = cells(above).saturating_add(1);
            if above > area.height {
                return;
            }
            let style = theme.tone(notice.tone);
            let line = Line::from(vec![
                Span::raw(" "),
                Span::styled(theme.sign(notice.tone), style),
                Span::raw(" "),
                Span::styled(notice.text.as_str(), style),
                Span::raw(" "),
            ]);
            let line = fit_line(line, usize::from(area.width), theme);
            let width = cells(line.width());
            let place = Rect {
                x: area.right().saturating_sub(width),
                y: area.bottom().saturating_sub(above),
                width,
                height: 1,
            };
            frame.render_widget(Clear, place);
            frame.render_widget(line, place);
        }
    }
}
