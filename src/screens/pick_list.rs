//! A window with a list to choose one entry from; typing narrows it down.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::ops::world::World;
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::filter_input::FilterInput;
use crate::tui::widget::list::List;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, row};

/// Entries to choose from; the answer is the chosen one.
#[derive(Debug)]
pub struct PickList {
    title: String,
    entries: Vec<String>,
    empty: &'static str,
    filter: FilterInput,
    scroll: Scroll,
}

impl PickList {
    /// Offers `entries` under `title`.
    pub fn new(title: impl Into<String>, entries: Vec<String>) -> Self {
        let mut filter = FilterInput::default();
        filter.open();
        Self { title: title.into(), entries, empty: "", filter, scroll: Scroll::default() }
    }

    /// What is said where there is nothing to choose.
    #[must_use]
    pub fn empty(mut self, text: &'static str) -> Self {
        self.empty = text;
        self
    }

    fn matching(&self) -> Vec<&String> {
        self.filter.found_in(&self.entries, String::as_str)
    }

    fn has_match(&self) -> bool {
        !self.matching().is_empty()
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take the selected entry.
    Pick,
    /// Move in the list.
    Move(Move),
}

impl Screen for PickList {
    type World = World;
    type Command = Command;
    type Msg = ();
    type Answer = String;

    const NAME: &'static str = "pick";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["enter"], Command::Pick, "choose").when(Self::has_match)];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Pick) => {
                let chosen = self.matching().get(self.scroll.selected()).map(ToString::to_string);
                if let Some(chosen) = chosen {
                    return Step::answer(chosen);
                }
            }
            Event::Command(Command::Move(to)) => {
                let len = self.matching().len();
                self.scroll.act(to, len);
            }
            Event::Key(key) => {
                self.filter.key(key);
                self.scroll.select(0);
            }
            Event::Paste(text) => {
                self.filter.paste(&text);
                self.scroll.select(0);
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title, true);
        let empty = if self.entries.is_empty() { self.empty } else { "nothing matches" };
        let matching = self.matching();
        let list = Rect { height: inner.height.saturating_sub(1), ..inner };
        List::new(empty).view(frame, list, theme, &self.scroll, matching.len(), |index| {
            Line::raw(
                matching.get(index).map(|text| visible(text).into_string()).unwrap_or_default(),
            )
        });
        self.filter.view(frame, row(inner, usize::from(list.height)), theme);
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(60, cells(self.entries.len().clamp(3, 14) + 3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    #[test]
    fn typing_narrows_down_and_enter_takes_the_selected_one() {
        let mut list = PickList::new("Store", vec!["alpha".into(), "beta".into(), "gamma".into()]);
        for letter in ['m', 'm'] {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            let _none = list.update(Event::Key(key));
        }
        let step = list.update(Event::Command(Command::Pick));
        assert_eq!(step.into_answer().as_deref(), Some("gamma"));
    }
}
