//! A window that shows what a fix would change, before anything is changed.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::base::visible::visible;
use crate::model::fix::Fix;
use crate::ops::world::World;
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Change, Theme};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, wrap};

/// Cells of the window.
const WIDTH: u16 = 76;

/// Shows a fix as the lines that go and come; the answer is the fix, to be applied.
#[derive(Debug)]
pub struct FixScreen {
    fix: Fix,
    /// What is changed, in words: `stacks.toml`, `this form`.
    place: &'static str,
    lines: Lines,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Apply,
    Move(Move),
}

impl FixScreen {
    /// Shows `fix`, which would change `place`.
    pub fn new(fix: Fix, place: &'static str) -> Self {
        Self { fix, place, lines: Lines::default() }
    }

    fn rows(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let room = room.saturating_sub(2);
        let plain = |text: &str| -> Vec<Line<'static>> {
            let shown = visible(text).into_string();
            wrap(&shown, room).into_iter().map(|text| Line::raw(format!(" {text}"))).collect()
        };
        let mut rows = plain(self.fix.summary());
        rows.push(Line::default());
        let place = match self.fix.secret() {
            Some(secret) => format!("the secret {secret}"),
            None => self.place.to_owned(),
        };
        rows.push(Line::styled(format!(" {place}"), theme.muted()));
        for change in self.fix.changes() {
            for (line, kind) in change.lines().into_iter().zip([Change::Remove, Change::Add]) {
                let Some(line) = line else { continue };
                let (sign, style) = theme.change(kind);
                let mut sign = sign;
                for part in wrap(&visible(&line).into_string(), room.saturating_sub(3)) {
                    rows.push(Line::from(vec![
                        Span::styled(format!(" {sign} "), style),
                        Span::styled(part, style),
                    ]));
                    sign = " ";
                }
            }
        }
        rows.push(Line::default());
        rows.extend(plain("Then the check runs again. Everything else stays as it is."));
        rows
    }
}

impl Screen for FixScreen {
    type World = World;
    type Command = Command;
    type Msg = ();
    type Answer = Fix;

    const NAME: &'static str = "fix";
    const KEYS: &'static [Bind<Self>] = &[Bind::new(&["enter", "y", "f"], Command::Apply, "apply")];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Apply) => Step::answer(self.fix.clone()),
            Event::Command(Command::Move(to)) => {
                self.lines.act(to);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let rows = self.rows(usize::from(inner.width), theme);
        self.lines.view(frame, inner, theme, rows);
    }

    fn title(&self) -> String {
        "Fix".to_owned()
    }

    fn popup(&self) -> Option<Size> {
        let rows = self.rows(usize::from(WIDTH) - 2, &Theme::default()).len();
        Some(Size::new(WIDTH, cells(rows + 2)))
    }

    fn is_confirmation(&self) -> bool {
        true
    }
}
