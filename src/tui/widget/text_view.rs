//! Long text to read: wrapped to the width and scrolled.

use std::cell::{Cell, RefCell};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::keymap::Move;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{row, wrap};

/// A text and how far it is scrolled. What comes from outside must have passed `visible`.
#[derive(Debug, Default)]
pub struct TextView {
    text: String,
    top: Cell<usize>,
    height: Cell<usize>,
    /// The lines for the width they were wrapped to: wrapping a megabyte for
    /// every frame would be felt.
    wrapped: RefCell<(u16, Vec<String>)>,
}

impl TextView {
    /// A view of `text` from its beginning.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Shows `text` in place of the former, from its beginning.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self::new(text);
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Scrolls; the end is minded when it is drawn.
    pub fn act(&mut self, to: Move) {
        self.top.set(to.from(self.top.get(), self.height.get()));
    }

    /// Draws the part in sight; the last line does not scroll off the bottom.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, _theme: &Theme) {
        if area.is_empty() {
            return;
        }
        let mut wrapped = self.wrapped.borrow_mut();
        if wrapped.0 != area.width {
            *wrapped = (area.width, wrap(&self.text, usize::from(area.width)));
        }
        let height = usize::from(area.height);
        self.height.set(height);
        let top = self.top.get().min(wrapped.1.len().saturating_sub(height));
        self.top.set(top);
        for (index, line) in wrapped.1.iter().skip(top).take(height).enumerate() {
            let place = row(area, index);
            let room = usize::from(place.width);
            frame.buffer_mut().set_stringn(place.x, place.y, line, room, Style::new());
        }
    }
}
