//! The `?` help and the `:` palette: all rows of the key tables, searched by
//! typing, run by enter.

use std::fmt;
use std::marker::PhantomData;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect, Size};
use ratatui::text::{Line, Span};

use crate::tui::keymap::{Bind, Chord, KeyRow, Move};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::filter_input::FilterInput;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::row;

/// Rows of key tables to choose from. The answer is the index of a row given.
pub struct Palette<W> {
    title: String,
    rows: Vec<KeyRow>,
    /// Rows that would do nothing now are listed too.
    all: bool,
    filter: FilterInput,
    found: Vec<usize>,
    scroll: Scroll,
    world: PhantomData<fn() -> W>,
}

impl<W> Palette<W> {
    /// The help: every row, those that do nothing now after the others.
    pub fn help(title: &str, rows: Vec<KeyRow>) -> Self {
        Self::new(format!("Keys: {title}"), rows, true)
    }

    /// The palette: what can be done now.
    pub fn commands(rows: Vec<KeyRow>) -> Self {
        Self::new("Commands".to_owned(), rows, false)
    }

    fn new(title: String, rows: Vec<KeyRow>, all: bool) -> Self {
        let mut filter = FilterInput::default();
        filter.open();
        let mut palette = Self {
            title,
            rows,
            all,
            filter,
            found: Vec::new(),
            scroll: Scroll::default(),
            world: PhantomData,
        };
        palette.find();
        palette
    }

    fn find(&mut self) {
        let matches = |row: &KeyRow| {
            let chords: Vec<String> = row.chords.iter().map(Chord::to_string).collect();
            let text = format!("{} {} {} {}", row.hint, row.command, row.screen, chords.join(" "));
            self.filter.matches(&text)
        };
        let pick = |active: bool| {
            let rows = self.rows.iter().enumerate();
            rows.filter(move |(_, row)| row.active == active)
                .filter(|(_, row)| matches(row))
                .map(|(index, _)| index)
        };
        let mut found: Vec<usize> = pick(true).collect();
        if self.all {
            found.extend(pick(false));
        }
        self.found = found;
        self.scroll.clamp(self.found.len());
    }
}

impl<W> fmt::Debug for Palette<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Palette({}, {} rows)", self.title, self.rows.len())
    }
}

/// What the keys of the palette do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Run,
    Move(Move),
}

impl<W: Send + Sync + 'static> Screen for Palette<W> {
    type World = W;
    type Command = Command;
    type Msg = ();
    type Answer = usize;

    const NAME: &'static str = "palette";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Run, "run"),
        Bind::new(&["up", "ctrl-p"], Command::Move(Move::Up), "up"),
        Bind::new(&["down", "ctrl-n"], Command::Move(Move::Down), "down"),
        Bind::new(&["pageup"], Command::Move(Move::PageUp), "page up").quiet(),
        Bind::new(&["pagedown"], Command::Move(Move::PageDown), "page down").quiet(),
    ];

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Move(to)) => {
                self.scroll.act(to, self.found.len());
            }
            Event::Command(Command::Run) => {
                let row = self.found.get(self.scroll.selected()).copied();
                let active = row.and_then(|row| self.rows.get(row)).is_some_and(|row| row.active);
                if let Some(row) = row.filter(|_| active) {
                    return Step::answer(row);
                }
            }
            Event::Key(key) => {
                self.filter.key(key);
                self.scroll.select(0);
                self.find();
            }
            Event::Paste(text) => {
                self.filter.paste(&text);
                self.find();
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: &[Column<'_>] = &[
            Column::new("", Constraint::Length(18)),
            Column::new("", Constraint::Fill(1)),
            Column::new("", Constraint::Length(12)),
        ];
        let inner = pane(frame, area, theme, &self.title, true);
        let body =
            Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
        let table = Table::new(COLUMNS).empty("nothing like that; esc closes");
        table.view(frame, body, theme, &self.scroll, self.found.len(), |index| {
            let Some(row) = self.found.get(index).and_then(|row| self.rows.get(*row)) else {
                return Row::default();
            };
            let chords: Vec<String> = row.chords.iter().map(Chord::to_string).collect();
            let hint = if row.active {
                Span::raw(row.hint)
            } else {
                Span::styled(format!("({}: not now)", row.hint), theme.muted())
            };
            Row::new([
                Line::styled(chords.join(" "), theme.key()),
                Line::from(hint),
                Line::styled(row.screen, theme.muted()),
            ])
        });
        // Drawn last: the real cursor belongs to what is typed.
        self.filter.view(frame, row(inner, 0), theme);
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(72, 20))
    }
}
