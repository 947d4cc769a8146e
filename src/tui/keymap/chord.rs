//! One key with its modifiers, written as people write it: `ctrl-s`, `?`, `enter`.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key press, normalised so that equal intentions compare equal: shift is in
/// the letter, `ctrl-S` is `ctrl-s`, shift with Tab is [`KeyCode::BackTab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Chord {
    /// Reads `ctrl-s`, `alt-enter`, `shift-tab`, `f5`, `space`, `?`, `G`.
    ///
    /// It is `const`, so that a table with an unreadable chord does not compile.
    pub const fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text.as_bytes();
        loop {
            rest = match rest {
                [b'c', b't', b'r', b'l', b'-', rest @ ..] => {
                    modifiers = modifiers.union(KeyModifiers::CONTROL);
                    rest
                }
                [b'a', b'l', b't', b'-', rest @ ..] => {
                    modifiers = modifiers.union(KeyModifiers::ALT);
                    rest
                }
                _ => break,
            };
        }
        let code = match rest {
            b"enter" => KeyCode::Enter,
            b"esc" => KeyCode::Esc,
            b"tab" => KeyCode::Tab,
            b"shift-tab" => KeyCode::BackTab,
            b"space" => KeyCode::Char(' '),
            b"backspace" => KeyCode::Backspace,
            b"delete" => KeyCode::Delete,
            b"insert" => KeyCode::Insert,
            b"up" => KeyCode::Up,
            b"down" => KeyCode::Down,
            b"left" => KeyCode::Left,
            b"right" => KeyCode::Right,
            b"home" => KeyCode::Home,
            b"end" => KeyCode::End,
            b"pageup" => KeyCode::PageUp,
            b"pagedown" => KeyCode::PageDown,
            [b'f', digit @ b'1'..=b'9'] => KeyCode::F(*digit - b'0'),
            [b'f', b'1', digit @ b'0'..=b'2'] => KeyCode::F(*digit - b'0' + 10),
            [byte @ b'!'..=b'~'] => KeyCode::Char(*byte as char),
            _ => return None,
        };
        Some(Self { code, modifiers })
    }

    /// The chord that `key` means. `fold` makes full-width `：？／` and their
    /// kin act as their ASCII twins, as they should everywhere but in text.
    pub fn of(key: KeyEvent, fold: bool) -> Self {
        let modifiers = key.modifiers - KeyModifiers::SHIFT;
        let shift = key.modifiers.contains(KeyModifiers::SHIFT);
        let code = match key.code {
            KeyCode::Char(letter) => {
                let letter = if fold { fold_width(letter) } else { letter };
                KeyCode::Char(if modifiers.contains(KeyModifiers::CONTROL) {
                    letter.to_ascii_lowercase()
                } else if shift {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                })
            }
            KeyCode::Tab if shift => KeyCode::BackTab,
            other => other,
        };
        Self { code, modifiers }
    }

    /// Whether pressing it in a text field would type a character, or edit as in a shell's line.
    pub fn edits_text(self) -> bool {
        match self.code {
            KeyCode::Char('a' | 'e' | 'k' | 'u' | 'w')
                if self.modifiers == KeyModifiers::CONTROL =>
            {
                true
            }
            KeyCode::Char(_) => self.modifiers.is_empty(),
            _ => false,
        }
    }

    /// The key event that presses this chord: for clicks on hints and for tests.
    pub fn press(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

/// Full-width forms and the punctuation a Chinese input method gives instead.
fn fold_width(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter)
        }
        '\u{3000}' => ' ',
        '、' => '/',
        '。' => '.',
        '【' => '[',
        '】' => ']',
        other => other,
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(letter) => write!(f, "{letter}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::PageUp => f.write_str("pageup"),
            KeyCode::PageDown => f.write_str("pagedown"),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in
            ["ctrl-s", "alt-enter", "?", ":", "/", "G", "space", "esc", "shift-tab", "f1", "f12"]
        {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "ctrl-", "hyper-x", "f13", "ab", "ü"] {
            assert_eq!(Chord::parse(text), None, "{text}");
        }
    }

    #[test]
    fn equal_intentions_are_equal() {
        let press = |code, modifiers| Chord::of(KeyEvent::new(code, modifiers), true);
        let parse = |text| Chord::parse(text).unwrap();
        assert_eq!(press(KeyCode::Char('g'), KeyModifiers::SHIFT), parse("G"));
        assert_eq!(press(KeyCode::Char('S'), KeyModifiers::CONTROL), parse("ctrl-s"));
        assert_eq!(press(KeyCode::Tab, KeyModifiers::SHIFT), parse("shift-tab"));
        for (wide, plain) in [('：', ":"), ('？', "?"), ('／', "/"), ('ｑ', "q"), ('、', "/")]
        {
            assert_eq!(press(KeyCode::Char(wide), KeyModifiers::NONE), parse(plain));
        }
        let typed = Chord::of(KeyEvent::from(KeyCode::Char('？')), false);
        assert_ne!(typed, parse("?"), "a text field gets the letter itself");
    }
}
