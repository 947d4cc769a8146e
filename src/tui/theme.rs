//! Styles by meaning, and signs that carry the meaning without colour.
//!
//! The 16 ANSI colours over the terminal's own foreground and background, so
//! that light and dark themes both work. Nothing that matters is yellow, white
//! or dim alone, and no meaning is colour alone: every tone has a sign.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::tui::pictures::CellSize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tone {
    /// Nothing to say about it: unchecked, informative.
    Neutral,
    /// As it should be.
    Good,
    /// Works, but deserves a look.
    Warning,
    /// Does not work.
    Bad,
}

/// A row of a plan or of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Change {
    Add,
    Alter,
    Remove,
}

/// What the terminal can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colours may be used; false under `NO_COLOR`.
    pub colour: bool,
    /// Only ASCII may be used for our own signs; true where the locale is not UTF-8.
    pub ascii: bool,
    /// Of what is shown as it is: pictures.
    pub shades: Shades,
    /// How those are drawn.
    pub pictures: Drawing,
}

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    /// Not at all.
    Off,
    /// By half blocks, two pixels a cell.
    #[default]
    Blocks,
    /// By the terminal, in cells of that size.
    Pixels(CellSize),
}

/// How many colours there are besides the 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shades {
    /// None.
    Sixteen,
    /// The 240 that xterm has behind them.
    Indexed,
    /// All.
    #[default]
    True,
}

impl Default for Theme {
    fn default() -> Self {
        Self { colour: true, ascii: false, shades: Shades::True, pictures: Drawing::Blocks }
    }
}

impl Theme {
    /// No colour and no letters beyond ASCII.
    pub const PLAIN: Self =
        Self { colour: false, ascii: true, shades: Shades::Sixteen, pictures: Drawing::Blocks };

    fn tinted(&self, colour: Color, otherwise: Modifier) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new().add_modifier(otherwise) }
    }

    /// The style of `tone`.
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::Neutral => Style::new(),
            Tone::Good => self.ok(),
            Tone::Warning => self.warn(),
            Tone::Bad => self.bad(),
        }
    }

    /// Things as they should be.
    pub fn ok(&self) -> Style {
        self.tinted(Color::Green, Modifier::empty())
    }

    /// Things that deserve a look. Magenta, since yellow cannot be read on white.
    pub fn warn(&self) -> Style {
        self.tinted(Color::Magenta, Modifier::BOLD)
    }

    /// Things that do not work.
    pub fn bad(&self) -> Style {
        self.tinted(Color::Red, Modifier::BOLD).add_modifier(Modifier::BOLD)
    }

    /// An error under a field.
    pub fn error(&self) -> Style {
        self.bad()
    }

    /// What may be overlooked: help lines, units, separators. Never the only bearer of a meaning.
    pub fn muted(&self) -> Style {
        self.tinted(Color::DarkGray, Modifier::DIM)
    }

    /// Headings.
    pub fn title(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A key in a hint.
    pub fn key(&self) -> Style {
        self.tinted(Color::Cyan, Modifier::BOLD)
    }

    /// The row or field under the cursor; it also bears [`Theme::mark`].
    pub fn selected(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row that would be selected if its pane had the focus.
    pub fn selected_elsewhere(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The border of a pane.
    pub fn border(&self, focused: bool) -> Style {
        if focused { self.tinted(Color::Cyan, Modifier::BOLD) } else { self.muted() }
    }

    /// A protected stack, beside the word for it.
    pub fn protected(&self) -> Style {
        self.tinted(Color::Red, Modifier::REVERSED)
    }

    /// What is found by a filter or search.
    pub fn found(&self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
    }

    /// A spelling that stands for something a terminal would act on or hide. Underlined as well,
    /// since a selected row is in reverse as a whole.
    pub fn spelled(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED | Modifier::UNDERLINED)
    }

    /// The colour nearest to this one; nothing where there are too few for a picture.
    pub fn shade(&self, [red, green, blue]: [u8; 3]) -> Option<Color> {
        if !self.colour {
            return None;
        }
        // xterm's cube: 0, 95, 135, 175, 215, 255
        let step = |part: u8| match part {
            0..48 => 0,
            48..115 => 1,
            _ => (part - 35) / 40,
        };
        match self.shades {
            Shades::Sixteen => None,
            Shades::Indexed => {
                Some(Color::Indexed(16 + 36 * step(red) + 6 * step(green) + step(blue)))
            }
            Shades::True => Some(Color::Rgb(red, green, blue)),
        }
    }

    /// The sign of `tone`.
    pub fn sign(&self, tone: Tone) -> &'static str {
        match (tone, self.ascii) {
            (Tone::Neutral, false) => "·",
            (Tone::Neutral, true) => ".",
            (Tone::Good, false) => "✓",
            (Tone::Good, true) => "v",
            (Tone::Warning, _) => "!",
            (Tone::Bad, false) => "✗",
            (Tone::Bad, true) => "x",
        }
    }

    /// The sign and the style of `change`.
    pub fn change(&self, change: Change) -> (&'static str, Style) {
        match change {
            Change::Add => ("+", self.tinted(Color::Green, Modifier::BOLD)),
            Change::Alter => ("~", self.tinted(Color::Blue, Modifier::empty())),
            Change::Remove => ("-", self.tinted(Color::Red, Modifier::BOLD)),
        }
    }

    /// The mark before the selected row.
    pub fn mark(&self) -> &'static str {
        if self.ascii { ">" } else { "▸" }
    }

    /// The mark before a row that belongs to a multiple selection.
    pub fn picked(&self) -> &'static str {
        if self.ascii { "*" } else { "▪" }
    }

    /// What stands for text that was cut off.
    pub fn ellipsis(&self) -> &'static str {
        if self.ascii { "~" } else { "…" }
    }

    /// One dot of a hidden secret.
    pub fn dot(&self) -> &'static str {
        if self.ascii { "*" } else { "•" }
    }

    /// The lines of a frame.
    pub fn lines(&self) -> border::Set<'static> {
        if self.ascii {
            border::Set {
                top_left: "+",
                top_right: "+",
                bottom_left: "+",
                bottom_right: "+",
                vertical_left: "|",
                vertical_right: "|",
                horizontal_top: "-",
                horizontal_bottom: "-",
            }
        } else {
            border::PLAIN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TONES: [Tone; 4] = [Tone::Neutral, Tone::Good, Tone::Warning, Tone::Bad];

    #[test]
    fn every_tone_has_its_own_sign() {
        for theme in [Theme::default(), Theme::PLAIN] {
            let mut signs: Vec<_> = TONES.map(|tone| theme.sign(tone)).to_vec();
            signs.dedup();
            assert_eq!(signs.len(), TONES.len());
        }
        assert!(TONES.iter().all(|tone| Theme::PLAIN.sign(*tone).is_ascii()));
    }

    #[test]
    fn without_colour_there_is_none() {
        for tone in TONES {
            assert_eq!(Theme::PLAIN.tone(tone).fg, None);
        }
        assert_eq!(Theme::PLAIN.muted().fg, None);
        assert_eq!(Theme::PLAIN.key().fg, None);
    }
}
