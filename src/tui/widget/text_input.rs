//! One line of text being typed, edited by grapheme cluster.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::Zeroizing;

use crate::base::visible::visible;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{cells, width};

/// The most a field takes, in bytes.
const LIMIT: usize = 64 * 1024;
/// The most a secret takes. The buffer has this size from the start, so that
/// growing it never leaves a copy behind.
const SECRET_LIMIT: usize = 4 * 1024;
/// Dots shown for a secret, whatever its length.
const DOTS: usize = 12;

/// A line of text with a cursor. The buffer is wiped on drop.
pub struct TextInput {
    value: Zeroizing<String>,
    /// Bytes before the cursor; always at the edge of a cluster.
    cursor: usize,
    limit: usize,
}

/// What a paste did to a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pasted {
    /// Invisible characters, and space at the ends, that were left out.
    pub removed: usize,
    /// It was longer than the field takes, and was not taken.
    pub too_long: bool,
    /// It had several lines, and was not taken.
    pub several_lines: bool,
}

impl Pasted {
    /// What to tell the user, if anything.
    pub fn notice(self) -> Option<String> {
        match self {
            Self { too_long: true, .. } => Some("too long to paste here; nothing was taken".into()),
            Self { several_lines: true, .. } => {
                Some("several lines; paste one line into this field".into())
            }
            Self { removed: 0, .. } => None,
            Self { removed: 1, .. } => Some("1 invisible character removed".into()),
            Self { removed, .. } => Some(format!("{removed} invisible characters removed")),
        }
    }
}

impl Default for TextInput {
    fn default() -> Self {
        Self::new("")
    }
}

impl TextInput {
    /// A line that holds `value`, the cursor at its end.
    pub fn new(value: &str) -> Self {
        Self { value: Zeroizing::new(value.to_owned()), cursor: value.len(), limit: LIMIT }
    }

    /// An empty line for a secret, in a buffer that never grows.
    pub fn secret() -> Self {
        let value = Zeroizing::new(String::with_capacity(SECRET_LIMIT));
        Self { value, cursor: 0, limit: SECRET_LIMIT }
    }

    /// What was typed.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Puts `value` in place of what was typed; what is beyond the limit is left out.
    pub fn set(&mut self, value: &str) {
        self.clear();
        self.insert(value);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.value.clear();
        self.cursor = 0;
    }

    /// Takes a key of typing or editing. Answers whether it was one.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Left if ctrl || alt => self.cursor = self.word_before(),
            KeyCode::Right if ctrl || alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.value.len(),
            KeyCode::Char('a') if ctrl => self.cursor = 0,
            KeyCode::Char('e') if ctrl => self.cursor = self.value.len(),
            KeyCode::Backspace if ctrl || alt => self.remove(self.word_before(), self.cursor),
            KeyCode::Backspace => self.remove(self.before(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.after()),
            KeyCode::Char('w') if ctrl => self.remove(self.word_before(), self.cursor),
            KeyCode::Char('u') if ctrl => self.remove(0, self.cursor),
            KeyCode::Char('k') if ctrl => self.remove(self.cursor, self.value.len()),
            KeyCode::Char(_) if !(key.modifiers - KeyModifiers::SHIFT).is_empty() => return false,
            KeyCode::Char(letter) if is_invisible(letter) => {}
            KeyCode::Char(letter) => self.insert(letter.encode_utf8(&mut [0; 4])),
            _ => return false,
        }
        true
    }

    /// Takes pasted text: space at the ends and invisible characters are left
    /// out; several lines, or more than the limit, are not taken at all.
    pub fn paste(&mut self, text: &str) -> Pasted {
        if text.len() > self.limit || self.value.len() + text.trim().len() > self.limit {
            return Pasted { too_long: true, ..Pasted::default() };
        }
        let trimmed = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        if trimmed.contains(['\n', '\r']) {
            return Pasted { several_lines: true, ..Pasted::default() };
        }
        let mut clean = Zeroizing::new(String::with_capacity(trimmed.len()));
        clean.extend(trimmed.chars().filter(|c| !is_invisible(*c)));
        let removed = text.chars().count() - clean.chars().count();
        self.insert(&clean);
        Pasted { removed, ..Pasted::default() }
    }

    /// Draws it on the first row of `area`; the real cursor stands on it when
    /// `focused`. `hidden` shows a fixed number of dots.
    pub fn view(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        theme: &Theme,
        style: Style,
        focused: bool,
        hidden: bool,
    ) {
        if area.is_empty() {
            return;
        }
        let room = usize::from(area.width);
        let (shown, at) = if hidden {
            let dots = if self.is_empty() { 0 } else { DOTS };
            (theme.dot().repeat(dots), dots)
        } else {
            self.window(room)
        };
        let column = cells(at.min(room.saturating_sub(1)));
        frame.buffer_mut().set_stringn(area.x, area.y, shown, room, style);
        if focused {
            frame.set_cursor_position(Position::new(area.x.saturating_add(column), area.y));
        }
    }

    /// The part around the cursor that fits `room` cells, and the cursor's cell in it.
    fn window(&self, room: usize) -> (String, usize) {
        let mut shown = String::new();
        let (mut skipped, mut used) = (0, 0);
        let (head, tail) = self.value.split_at_checked(self.cursor).unwrap_or_default();
        let before: Vec<String> =
            head.graphemes(true).map(|cluster| visible(cluster).into_string()).collect();
        let total: usize = before.iter().map(|cluster| width(cluster)).sum();
        for cluster in before {
            // The cursor itself takes a cell after the text before it.
            if total - skipped >= room.max(1) {
                skipped += width(&cluster);
            } else {
                used += width(&cluster);
                shown.push_str(&cluster);
            }
        }
        for cluster in tail.graphemes(true).take(room) {
            shown.push_str(visible(cluster).as_str());
        }
        (shown, used)
    }

    fn insert(&mut self, text: &str) {
        if self.value.len() + text.len() <= self.limit {
            self.value.insert_str(self.cursor, text);
            self.cursor += text.len();
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        if from < to {
            self.value.drain(from..to);
            self.cursor = from;
        }
    }

    fn before(&self) -> usize {
        let head = self.value.get(..self.cursor).unwrap_or_default();
        self.cursor - head.graphemes(true).next_back().map_or(0, str::len)
    }

    fn after(&self) -> usize {
        let tail = self.value.get(self.cursor..).unwrap_or_default();
        self.cursor + tail.graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let head = self.value.get(..self.cursor).unwrap_or_default();
        head.unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let tail = self.value.get(self.cursor..).unwrap_or_default();
        let next = tail.unicode_word_indices().next();
        self.cursor + next.map_or(tail.len(), |(at, word)| at + word.len())
    }
}

impl fmt::Debug for TextInput {
    /// Says the length alone: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextInput").field("bytes", &self.value.len()).finish_non_exhaustive()
    }
}

/// Controls, marks of direction, zero-width characters, tags.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut TextInput, code: KeyCode) {
        assert!(input.key(KeyEvent::from(code)));
    }

    fn ctrl(input: &mut TextInput, letter: char) {
        assert!(input.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)));
    }

    #[test]
    fn edits_whole_clusters() {
        let mut input = TextInput::new("a👨‍👩‍👧e\u{301}");
        press(&mut input, KeyCode::Backspace);
        assert_eq!(input.value(), "a👨‍👩‍👧");
        press(&mut input, KeyCode::Left);
        press(&mut input, KeyCode::Char('b'));
        press(&mut input, KeyCode::Delete);
        assert_eq!(input.value(), "ab");
    }

    #[test]
    fn words_and_ends() {
        let mut input = TextInput::new("oss cn shanghai");
        ctrl(&mut input, 'w');
        assert_eq!(input.value(), "oss cn ");
        press(&mut input, KeyCode::Home);
        press(&mut input, KeyCode::Right);
        ctrl(&mut input, 'u');
        assert_eq!(input.value(), "ss cn ");
        ctrl(&mut input, 'k');
        assert!(input.is_empty());
        press(&mut input, KeyCode::Backspace);
        press(&mut input, KeyCode::Delete);
        assert!(!input.key(KeyEvent::from(KeyCode::F(2))));
    }

    #[test]
    fn a_paste_is_cleaned_and_says_so() {
        let mut input = TextInput::default();
        let pasted = input.paste(" LTAI\u{200b}5t\r\n");
        assert_eq!(input.value(), "LTAI5t");
        assert_eq!(pasted.notice().unwrap(), "4 invisible characters removed");
        assert!(input.paste("a\nb").several_lines);
        assert!(input.paste(&"x".repeat(LIMIT + 1)).too_long);
        assert_eq!(input.value(), "LTAI5t");
        assert_eq!(input.paste("ok").notice(), None);
    }

    #[test]
    fn a_secret_keeps_to_its_buffer() {
        let mut input = TextInput::secret();
        let at = input.value.as_ptr();
        assert!(input.paste(&"x".repeat(SECRET_LIMIT + 1)).too_long);
        input.paste(&"x".repeat(SECRET_LIMIT));
        press(&mut input, KeyCode::Char('y'));
        assert_eq!(input.value().len(), SECRET_LIMIT);
        assert_eq!(input.value.as_ptr(), at);
        assert!(!format!("{input:?}").contains("xx"));
    }

    #[test]
    fn the_cursor_stays_in_the_window() {
        let mut input = TextInput::new("0123456789");
        assert_eq!(input.window(5), ("6789".to_owned(), 4));
        press(&mut input, KeyCode::Home);
        assert_eq!(input.window(5), ("01234".to_owned(), 0));
        assert_eq!(input.window(0).1, 0);
    }
}
