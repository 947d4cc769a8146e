//! A question before something that cannot be taken back.

use std::fmt;
use std::marker::PhantomData;

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::tui::keymap::{Bind, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, line, row, wrap};
use crate::tui::widget::text_input::TextInput;

/// Cells of the window.
const WIDTH: u16 = 64;

/// Asks, with the focus on the button that does nothing. The answer is `()` for the deed; a
/// dismissal does nothing either. Keys within 500 ms of a paste do not count.
pub struct Confirm<W> {
    title: String,
    text: String,
    deed: &'static str,
    refrain: &'static str,
    /// The name that has to be typed, and what was typed of it.
    typed: Option<(String, TextInput)>,
    on_deed: bool,
    world: PhantomData<fn() -> W>,
}

impl<W> Confirm<W> {
    /// Asks `title`, which names the thing: `Delete the stack gpu?`; `text` says what will
    /// happen, lines from outside made showable by the caller. The verbs of the buttons are the
    /// deed and what is done instead: `["Delete", "Keep"]`.
    pub fn new(title: &str, text: impl Into<String>, [deed, refrain]: [&'static str; 2]) -> Self {
        Self {
            title: visible(title).into_string(),
            text: text.into(),
            deed,
            refrain,
            typed: None,
            on_deed: false,
            world: PhantomData,
        }
    }

    /// Lets the deed through only when `name` has been typed.
    #[must_use]
    pub fn typed(mut self, name: &str) -> Self {
        self.typed = Some((name.to_owned(), TextInput::default()));
        self
    }

    fn may(&self) -> bool {
        self.typed.as_ref().is_none_or(|(name, typed)| typed.value() == name)
    }

    fn lines(&self) -> Vec<String> {
        wrap(&self.text, usize::from(WIDTH - 4))
    }
}

impl<W> fmt::Debug for Confirm<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Confirm({})", self.title)
    }
}

/// What the keys of a question do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Choose,
    Switch,
    Yes,
    No,
}

impl<W: Send + Sync + 'static> Screen for Confirm<W> {
    type World = W;
    type Command = Command;
    type Msg = ();
    type Answer = ();

    const NAME: &'static str = "confirm";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Choose, "choose"),
        Bind::new(&["tab", "left", "right", "shift-tab"], Command::Switch, "other button"),
        Bind::new(&["y"], Command::Yes, "yes").when(|confirm| confirm.typed.is_none()),
        Bind::new(&["n"], Command::No, "no").when(|confirm| confirm.typed.is_none()),
    ];
    const MOVES: Moves<Command> = Moves::None;

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Switch) => self.on_deed = !self.on_deed && self.may(),
            Event::Command(Command::Choose) if !self.on_deed => return Step::close(),
            Event::Command(Command::No) => return Step::close(),
            Event::Command(Command::Choose | Command::Yes) if self.may() => {
                return Step::answer(());
            }
            Event::Key(key) => self.type_name(key),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title, true);
        let lines = self.lines();
        let mut at = lines.len() + 1;
        for (index, text) in lines.into_iter().enumerate() {
            line(frame, row(inner, index), Line::raw(format!(" {text}")));
        }
        if let Some((name, typed)) = &self.typed {
            line(frame, row(inner, at), Line::raw(format!(" Type {} to go on:", visible(name))));
            let place = row(inner, at + 1);
            let field = Rect {
                x: place.x.saturating_add(1),
                width: place.width.saturating_sub(2),
                ..place
            };
            typed.view(frame, field, theme, theme.found(), true, false);
            at += 3;
        }
        let button = |word: &str, on: bool| {
            let mark = if on { theme.mark() } else { " " };
            let style = if on { theme.selected() } else { Style::new() };
            Span::styled(format!("{mark} {word} "), style)
        };
        let buttons = vec![
            Span::raw(" "),
            button(self.refrain, !self.on_deed),
            Span::raw("   "),
            button(self.deed, self.on_deed),
        ];
        let place = row(inner, at);
        if self.typed.is_none() && !place.is_empty() {
            frame.set_cursor_position(Position::new(place.x, place.y));
        }
        line(frame, place, Line::from(buttons));
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn captures_text(&self) -> bool {
        self.typed.is_some()
    }

    fn popup(&self) -> Option<Size> {
        let typed = if self.typed.is_some() { 3 } else { 0 };
        Some(Size::new(WIDTH, cells(self.lines().len() + typed + 4)))
    }

    fn is_confirmation(&self) -> bool {
        true
    }
}

impl<W> Confirm<W> {
    /// Typing the whole name moves the focus to the deed, anything else away from it.
    fn type_name(&mut self, key: KeyEvent) {
        if let Some((_, typed)) = &mut self.typed {
            typed.key(key);
            self.on_deed = self.may();
        }
    }
}
