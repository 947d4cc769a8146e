//! The `/` line: what is typed narrows a list down.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

use crate::base::pattern::{NoPattern, Pattern};
use crate::base::visible::visible;
use crate::tui::theme::Theme;
use crate::tui::widget::text_input::{Pasted, TextInput};

/// A filter that is being typed, stands, or is empty.
#[derive(Debug, Default)]
pub struct FilterInput {
    input: TextInput,
    open: bool,
}

impl FilterInput {
    /// Typing starts: while it is open, the screen captures text.
    pub fn open(&mut self) {
        self.open = true;
    }

    /// Typing ends, the filter stands.
    pub fn keep(&mut self) {
        self.open = false;
    }

    /// Typing ends, the filter is gone.
    pub fn clear(&mut self) {
        self.open = false;
        self.input.clear();
    }

    /// Whether it is being typed: the answer for `captures_text`.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether it narrows anything down.
    pub fn is_active(&self) -> bool {
        !self.input.is_empty()
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Takes a key of typing.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.input.key(key)
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) -> Pasted {
        self.input.paste(text)
    }

    /// Whether `text` is what is looked for. An expression that is none finds nothing.
    pub fn matches(&self, text: &str) -> bool {
        self.pattern().is_ok_and(|pattern| pattern.matches(text))
    }

    /// Those of `all` whose name is what is looked for: in their order, or the best match first
    /// where letters are looked for. For as many as a window shows.
    pub fn found_in<'a, T, N: AsRef<str>>(
        &self,
        all: impl IntoIterator<Item = &'a T>,
        name: impl Fn(&'a T) -> N,
    ) -> Vec<&'a T> {
        let Ok(pattern) = self.pattern() else { return Vec::new() };
        let all = all.into_iter();
        let mut found: Vec<&T> = all.filter(|one| pattern.matches(name(one).as_ref())).collect();
        if pattern.ranks() {
            found.sort_by_cached_key(|one| pattern.rank(name(one).as_ref()));
        }
        found
    }

    /// The same for many texts: reads what was typed once.
    pub fn pattern(&self) -> Result<Pattern, NoPattern> {
        Pattern::parse(self.text())
    }

    /// Draws `/text`, with the cursor while it is being typed.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        if area.is_empty() || !(self.open || self.is_active()) {
            return;
        }
        frame.buffer_mut().set_stringn(area.x, area.y, "/", 1, theme.key());
        let rest = Rect { x: area.x.saturating_add(1), width: area.width - 1, ..area };
        self.input.view(frame, rest, theme, Style::new(), self.open, false);
        if let Err(error) = self.pattern() {
            let text = format!(" {}", visible(&error.to_string()));
            let typed = u16::try_from(self.text().width()).unwrap_or(u16::MAX).saturating_add(2);
            let rest = Rect {
                x: area.x.saturating_add(typed),
                width: area.width.saturating_sub(typed),
                ..area
            };
            frame.buffer_mut().set_stringn(
                rest.x,
                rest.y,
                text,
                usize::from(rest.width),
                theme.bad(),
            );
        }
    }
}
