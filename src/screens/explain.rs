//! What a code of OSS means: a window over whatever screen shows the error.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::detail::fields;
use crate::model::finding::ServerError;
use crate::ops::failure::Failure;
use crate::ops::world::World;
use crate::oss::error::explain::{self, Entry};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::lines::Lines;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::cells;

/// Cells of the window.
const WIDTH: u16 = 76;

/// One entry of the table of explanations; nothing of it comes from the network.
#[derive(Debug)]
pub struct Explain {
    entry: &'static Entry,
    lines: Lines,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    CopyPage,
    Move(Move),
}

/// The code of `error` that the table knows: the EC before the Code, since it says more.
pub(super) fn code_of(error: &ServerError) -> Option<&str> {
    let codes = [error.ec.as_deref(), error.code.as_deref()];
    codes.into_iter().flatten().find(|code| explain::lookup(code).is_some())
}

/// The code of what a command failed by.
pub(super) fn code_of_failure(failure: Option<&Failure>) -> Option<&str> {
    code_of(failure?.error.as_deref()?)
}

impl Explain {
    /// What the table says of `code`.
    pub fn new(code: &str) -> Option<Self> {
        Some(Self { entry: explain::lookup(code)?, lines: Lines::default() })
    }

    fn has_page(&self) -> bool {
        self.entry.page().is_some()
    }

    fn rows(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let entry = self.entry;
        let mut rows = vec![
            ("means", entry.meaning.clone()),
            ("cause", entry.cause.clone()),
            ("do", entry.next.clone()),
        ];
        rows.push(("status", entry.status.to_string()));
        rows.extend(entry.code.clone().map(|code| ("code", code)));
        rows.push(("source", entry.source.clone()));
        rows.extend(entry.page().map(|page| ("page", page)));
        fields(&rows, room, theme)
    }
}

impl Screen for Explain {
    type World = World;
    type Command = Command;
    type Msg = ();
    type Answer = ();

    const NAME: &'static str = "explain";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["y"], Command::CopyPage, "copy page").when(Self::has_page)];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::CopyPage) => {
                return self.entry.page().map_or_else(Step::none, |page| Step::copy(&page));
            }
            Event::Command(Command::Move(to)) => self.lines.act(to),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let rows = self.rows(usize::from(inner.width), theme);
        self.lines.view(frame, inner, theme, rows);
    }

    fn title(&self) -> String {
        format!("What {} means", self.entry.id)
    }

    fn popup(&self) -> Option<Size> {
        let rows = self.rows(usize::from(WIDTH) - 2, &Theme::default()).len();
        Some(Size::new(WIDTH, cells(rows + 2)))
    }
}
