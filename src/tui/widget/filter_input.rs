//! The `/` line: what is typed narrows a list down.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

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

    /// Whether `text` holds every word typed, whatever the case.
    pub fn matches(&self, text: &str) -> bool {
        self.matcher().matches(text)
    }

    /// The same for many texts: reads the filter once.
    pub fn matcher(&self) -> Matcher {
        let words = self.text().to_lowercase();
        Matcher { words: words.split_whitespace().map(str::to_owned).collect() }
    }

    /// Draws `/text`, with the cursor while it is being typed.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        if area.is_empty() || !(self.open || self.is_active()) {
            return;
        }
        frame.buffer_mut().set_stringn(area.x, area.y, "/", 1, theme.key());
        let rest = Rect { x: area.x.saturating_add(1), width: area.width - 1, ..area };
        self.input.view(frame, rest, theme, Style::new(), self.open, false);
    }
}

/// The words of a filter.
#[derive(Clone, Debug)]
pub struct Matcher {
    words: Vec<String>,
}

impl Matcher {
    /// Whether `text` holds every word, whatever the case.
    pub fn matches(&self, text: &str) -> bool {
        if text.is_ascii() {
            // nearly every key; nothing is copied
            let holds = |word: &String| {
                let mut stretches = text.as_bytes().windows(word.len().max(1));
                stretches.any(|stretch| stretch.eq_ignore_ascii_case(word.as_bytes()))
            };
            return self.words.iter().all(holds);
        }
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_counts_and_case_does_not() {
        let mut filter = FilterInput::default();
        assert!(filter.matches("anything"));
        filter.paste("LOG zen");
        assert!(filter.matches("zenml/x.log"));
        assert!(!filter.matches("zenml/x.txt"));
        filter.clear();
        filter.paste("FUSÉE");
        assert!(filter.matches("a/fusée.txt"));
        assert!(!filter.matches("a/fusee.txt"));
    }
}
