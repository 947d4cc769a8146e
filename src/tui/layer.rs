//! A screen on a stack, its types forgotten.

use std::fmt;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::tui::keymap::{self, KeyRow, Move, Moves, Remap};
use crate::tui::log::Log;
use crate::tui::pictures::Placed;
use crate::tui::screen::{Act, AnyMsg, Event, Screen};
use crate::tui::theme::Theme;

/// What a layer hears beside its commands.
pub enum Input {
    /// A key that no table claims, while the layer captures text.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
    /// A mouse event in cells of the whole terminal.
    Mouse(MouseEvent),
    /// The terminal has a new size.
    Resize(Size),
    /// The terminal got or lost the focus.
    Focus(bool),
    /// Time since the start of the program.
    Tick(Duration),
    /// A message of the type its screen expects; any other is ignored.
    Msg(AnyMsg),
}

impl fmt::Debug for Input {
    /// Names the kind; keys and pastes may be a secret being typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key",
            Self::Paste(_) => "Paste",
            Self::Mouse(_) => "Mouse",
            Self::Resize(_) => "Resize",
            Self::Focus(_) => "Focus",
            Self::Tick(_) => "Tick",
            Self::Msg(_) => "Msg",
        })
    }
}

/// A [`Screen`] as the shell sees it. [`Mounted`] implements it for all of them.
#[allow(missing_docs, reason = "each is the method of Screen of that name")]
pub trait Layer<W>: Send {
    fn name(&self) -> &'static str;
    fn title(&self) -> String;
    fn badge(&self) -> String;
    fn captures_text(&self) -> bool;
    fn is_dirty(&self) -> bool;
    fn wants_tick(&self) -> bool;
    fn popup(&self) -> Option<Size>;
    fn is_confirmation(&self) -> bool;
    fn error_code(&self) -> Option<&str>;
    fn start(&mut self) -> Vec<Act<W>>;
    fn resumed(&mut self) -> Vec<Act<W>>;
    fn observe(&mut self, log: &Log);
    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme);
    fn picture(&self) -> Option<Placed>;
    /// Replaces chords by those of the user.
    fn remap(&mut self, remap: &Remap);
    /// Its key rows as they stand now, in the order of dispatch.
    fn rows(&self) -> Vec<KeyRow>;
    /// Runs a row of [`Layer::rows`], if it is active.
    fn run(&mut self, row: usize) -> Vec<Act<W>>;
    /// Takes anything else.
    fn feed(&mut self, input: Input) -> Vec<Act<W>>;
}

/// A screen with its key table resolved.
pub struct Mounted<S> {
    screen: S,
    remap: Remap,
}

impl<S: Screen> Mounted<S> {
    /// Mounts `screen` with its own keys.
    pub fn new(screen: S) -> Self {
        Self { screen, remap: Remap::new() }
    }
}

impl<S: Screen> fmt::Debug for Mounted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mounted").field(&S::NAME).finish()
    }
}

impl<S: Screen> Layer<S::World> for Mounted<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn title(&self) -> String {
        self.screen.title()
    }

    fn badge(&self) -> String {
        self.screen.badge()
    }

    fn captures_text(&self) -> bool {
        self.screen.captures_text()
    }

    fn is_dirty(&self) -> bool {
        self.screen.is_dirty()
    }

    fn wants_tick(&self) -> bool {
        self.screen.wants_tick()
    }

    fn popup(&self) -> Option<Size> {
        self.screen.popup()
    }

    fn is_confirmation(&self) -> bool {
        self.screen.is_confirmation()
    }

    fn error_code(&self) -> Option<&str> {
        self.screen.error_code()
    }

    fn start(&mut self) -> Vec<Act<S::World>> {
        self.screen.start().into_acts()
    }

    fn resumed(&mut self) -> Vec<Act<S::World>> {
        self.screen.resumed().into_acts()
    }

    fn observe(&mut self, log: &Log) {
        self.screen.observe(log);
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        self.screen.view(frame, area, theme);
    }

    fn picture(&self) -> Option<Placed> {
        self.screen.picture()
    }

    fn remap(&mut self, remap: &Remap) {
        self.remap.clone_from(remap);
    }

    fn rows(&self) -> Vec<KeyRow> {
        let mut rows = keymap::rows(Some(&self.screen), &self.remap);
        if self.screen.captures_text() {
            rows.iter_mut().for_each(KeyRow::leave_letters);
        }
        rows
    }

    fn run(&mut self, row: usize) -> Vec<Act<S::World>> {
        match keymap::command(&self.screen, row) {
            Some(command) => self.screen.update(Event::Command(command)).into_acts(),
            None => Vec::new(),
        }
    }

    fn feed(&mut self, input: Input) -> Vec<Act<S::World>> {
        let event = match input {
            Input::Key(key) => Event::Key(key),
            Input::Paste(text) => Event::Paste(text),
            Input::Mouse(mouse) => match (S::MOVES, mouse.kind) {
                // The wheel moves in every list alike.
                (Moves::List(make), MouseEventKind::ScrollUp) => Event::Command(make(Move::Up)),
                (Moves::List(make), MouseEventKind::ScrollDown) => Event::Command(make(Move::Down)),
                _ => Event::Mouse(mouse),
            },
            Input::Resize(size) => Event::Resize(size),
            Input::Focus(focus) => Event::Focus(focus),
            Input::Tick(now) => Event::Tick(now),
            Input::Msg(message) => match message.downcast::<S::Msg>() {
                Ok(message) => Event::Msg(*message),
                Err(_other_screen) => return Vec::new(),
            },
        };
        self.screen.update(event).into_acts()
    }
}
