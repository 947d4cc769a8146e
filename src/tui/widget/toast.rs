//! Notices: good news goes by itself, bad news stays until it is dismissed.

use std::iter;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Clear;

use crate::tui::runtime::LayerId;
use crate::tui::screen::Notice;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::text::{cells, wrap};

/// The most at once; the oldest gives way. All stay in the log.
const MOST: usize = 3;

/// The notices on screen.
#[derive(Debug, Default)]
pub struct Toasts {
    shown: Vec<Shown>,
}

#[derive(Debug)]
struct Shown {
    notice: Notice,
    /// The time it goes, where it goes by itself.
    until: Option<Duration>,
    /// The layer that it is about, where it means nothing elsewhere.
    about: Option<LayerId>,
}

impl Toasts {
    /// Shows `notice` from `now` on; one that is `about` a layer as long as that is on top.
    pub fn push(&mut self, notice: Notice, about: Option<LayerId>, now: Duration) {
        let stay = match notice.tone {
            Tone::Neutral | Tone::Good => Some(Duration::from_millis(2500)),
            Tone::Warning => Some(Duration::from_secs(8)),
            Tone::Bad => None,
        };
        self.shown.retain(|other| other.notice != notice);
        if self.shown.len() == MOST {
            self.shown.remove(0);
        }
        let until = stay.map(|stay| now + stay);
        self.shown.push(Shown { notice, until, about });
    }

    /// Drops those that are about another layer than the one on top.
    pub fn only_about(&mut self, top: Option<LayerId>) {
        self.shown.retain(|one| one.about.is_none() || one.about == top);
    }

    /// Drops those whose time is over.
    pub fn tick(&mut self, now: Duration) {
        self.shown.retain(|one| one.until.is_none_or(|until| until > now));
    }

    /// When the next one goes.
    pub fn next_tick(&self) -> Option<Duration> {
        self.shown.iter().filter_map(|one| one.until).min()
    }

    /// Whether some are there that do not go by themselves.
    pub fn stay(&self) -> bool {
        self.shown.iter().any(|one| one.until.is_none())
    }

    /// Drops those that do not go by themselves.
    pub fn dismiss(&mut self) {
        self.shown.retain(|one| one.until.is_some());
    }

    /// Draws them over the bottom of `area`, the newest lowest.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let mut bottom = area.bottom();
        for Shown { notice, .. } in self.shown.iter().rev() {
            let style = theme.tone(notice.tone);
            // the sign, and a blank at either side of it and of the text
            let texts = wrap(notice.text.as_str(), usize::from(area.width).saturating_sub(4));
            let signs = [theme.sign(notice.tone)].into_iter().chain(iter::repeat(" "));
            let lines: Vec<Line<'_>> = texts
                .iter()
                .zip(signs)
                .map(|(text, sign)| {
                    let (sign, text) = (Span::styled(sign, style), Span::styled(text, style));
                    Line::from(vec![Span::raw(" "), sign, Span::raw(" "), text, Span::raw(" ")])
                })
                .collect();
            let width = cells(lines.iter().map(Line::width).max().unwrap_or(0)).min(area.width);
            let height = cells(lines.len());
            if bottom.saturating_sub(area.y) < height {
                return;
            }
            bottom -= height;
            let place = Rect { x: area.right().saturating_sub(width), y: bottom, width, height };
            frame.render_widget(Clear, place);
            frame.render_widget(Text::from(lines), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::visible::visible;

    #[test]
    fn good_news_goes_by_itself_and_bad_news_does_not() {
        let mut toasts = Toasts::default();
        toasts.push(Notice::new(Tone::Good, "saved"), None, Duration::ZERO);
        toasts.push(Notice::new(Tone::Bad, "refused"), None, Duration::ZERO);
        assert_eq!(toasts.next_tick(), Some(Duration::from_millis(2500)));
        toasts.tick(Duration::from_hours(1));
        assert!(toasts.stay() && toasts.shown.len() == 1);
        assert_eq!(toasts.next_tick(), None, "nothing wakes the program for it");
        toasts.dismiss();
        assert!(toasts.shown.is_empty());
    }

    #[test]
    fn what_is_spelled_out_already_is_not_spelled_out_again() {
        let said = format!("{} is deleted\r", visible("a\\b\u{202e}c"));
        let notice = Notice::new(Tone::Good, &said);
        assert_eq!(notice.text.as_str(), "a\\\\b\\u{202e}c is deleted\\u{d}");
    }
}
