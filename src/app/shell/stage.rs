//! The shell without a terminal: keys are typed as text, frames are text.
//!
//! For tests under a paused clock: nothing sleeps, and [`Stage::settle`] ends
//! when the last effect has answered.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc;

use super::{Options, Shell, Tab};
use crate::tui::event_loop::{BATCH, Program as _, QUEUE, Signal, Wake};
use crate::tui::keymap::{Chord, clashes_among};
use crate::tui::runtime::Running;

/// A shell on a stage of text.
#[derive(Debug)]
pub struct Stage<W> {
    shell: Shell<W>,
    queue: mpsc::Receiver<Wake>,
    /// Messages that [`Stage::awaited`] took and nobody heard yet.
    waiting: Vec<Wake>,
    terminal: Terminal<TestBackend>,
    now: Duration,
}

impl<W: Send + Sync + 'static> Stage<W> {
    /// A stage of 80 by 24 cells with these tabs.
    pub fn new(world: Arc<W>, tabs: impl IntoIterator<Item = Tab<W>>) -> Self {
        Self::with(world, tabs, Options::default())
    }

    /// The same with options.
    pub fn with(
        world: Arc<W>,
        tabs: impl IntoIterator<Item = Tab<W>>,
        options: Options<W>,
    ) -> Self {
        let (sender, queue) = mpsc::channel(QUEUE);
        let shell = Shell::new(world, sender, tabs, options);
        let Ok(terminal) = Terminal::new(TestBackend::new(80, 24));
        let mut stage = Self { shell, queue, waiting: Vec::new(), terminal, now: Duration::ZERO };
        stage.resize(80, 24);
        stage
    }

    /// Types `keys`: letters as they are, chords in angle brackets:
    /// `n<tab>alibaba<ctrl-s>`. What is no chord is typed as letters.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(letter) = rest.chars().next() {
            let chord = rest.strip_prefix('<').and_then(|tail| {
                let end = tail.char_indices().skip(1).find(|(_, letter)| *letter == '>')?.0;
                let (name, tail) = tail.split_at_checked(end)?;
                Some((Chord::parse(name)?, tail.strip_prefix('>')?))
            });
            let (key, tail) = if let Some((chord, tail)) = chord {
                (chord.press(), tail)
            } else {
                let tail = rest.strip_prefix(letter).unwrap_or_default();
                (KeyEvent::from(KeyCode::Char(letter)), tail)
            };
            rest = tail;
            self.wake(Wake::Terminal(Event::Key(key)));
        }
        self
    }

    /// Pastes `text`.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.wake(Wake::Terminal(Event::Paste(text.to_owned())))
    }

    /// Clicks the left button on a cell.
    pub fn click(&mut self, column: u16, row: u16) -> &mut Self {
        let kind = MouseEventKind::Down(MouseButton::Left);
        let modifiers = crossterm::event::KeyModifiers::NONE;
        self.wake(Wake::Terminal(Event::Mouse(MouseEvent { kind, column, row, modifiers })))
    }

    /// Clicks on the first place where `text` stands; nothing happens when it stands nowhere.
    pub fn click_on(&mut self, text: &str) -> &mut Self {
        let picture = self.picture();
        let place = picture.lines().enumerate().find_map(|(row, line)| {
            let head = line.split_once(text)?.0;
            Some((crate::tui::widget::text::width(head), row))
        });
        if let Some((column, row)) = place {
            let cell = crate::tui::widget::text::cells;
            self.click(cell(column), cell(row));
        }
        self
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        self.wake(Wake::Signal(signal))
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.terminal.backend_mut().resize(width, height);
        self.wake(Wake::Terminal(Event::Resize(width, height)))
    }

    /// Lets `time` pass for the shell, with all the ticks that fall due.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        let end = self.now + time;
        while let Some(due) = self.shell.next_tick().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.shell.tick(self.now);
        }
        self.now = end;
        self
    }

    /// Waits until nothing runs any more and every answer has been heard.
    pub async fn settle(&mut self) -> &mut Self {
        loop {
            while let Ok(wake) = self.queue.try_recv() {
                self.shell.handle(wake, self.now);
            }
            if self.shell.runtime.running().next().is_none() {
                return self;
            }
            self.next().await;
        }
    }

    /// Waits for one message of one effect.
    pub async fn next(&mut self) -> &mut Self {
        if let Some(wake) = self.queue.recv().await {
            self.shell.handle(wake, self.now);
        }
        self
    }

    /// Waits until a message has come, without hearing it.
    pub async fn awaited(&mut self) -> &mut Self {
        if let Some(wake) = self.queue.recv().await {
            self.waiting.push(wake);
        }
        self
    }

    /// Hears what has come so far, as one turn of the loop does.
    pub fn heard(&mut self) -> &mut Self {
        let mut came = std::mem::take(&mut self.waiting);
        while came.len() < BATCH
            && let Ok(wake) = self.queue.try_recv()
        {
            came.push(wake);
        }
        for wake in came {
            self.shell.handle(wake, self.now);
        }
        self
    }

    /// What runs now, oldest first.
    pub fn running(&self) -> Vec<Running> {
        self.shell.runtime.running().collect()
    }

    /// Draws a frame that nobody looks at.
    pub fn draw(&mut self) -> &mut Self {
        let Ok(_frame) = self.terminal.draw(|frame| {
            let _picture = self.shell.view(frame);
        });
        self
    }

    /// The frame as text, one line a row, without the space at the ends of lines.
    pub fn picture(&mut self) -> String {
        self.draw();
        let buffer = self.terminal.backend().buffer();
        let mut picture = String::new();
        for row in buffer.content().chunks(usize::from(buffer.area.width).max(1)) {
            let mut skip = 0;
            let mut line = String::new();
            for cell in row {
                if skip == 0 {
                    line.push_str(cell.symbol());
                }
                let width = crate::tui::widget::text::width(cell.symbol());
                skip = skip.max(width).saturating_sub(1);
            }
            picture.push_str(line.trim_end());
            picture.push('\n');
        }
        picture
    }

    /// Chords that two rows of the layer on top claim at once.
    pub fn clashes(&self) -> Vec<String> {
        self.shell.top().map(|top| clashes_among(&top.layer.rows())).unwrap_or_default()
    }

    /// The shell.
    pub fn shell(&self) -> &Shell<W> {
        &self.shell
    }

    /// Whether the program is over.
    pub fn is_over(&self) -> bool {
        self.shell.is_over()
    }

    /// The text on its way to the clipboard.
    pub fn take_copy(&mut self) -> Option<String> {
        self.shell.take_copy()
    }

    /// Ends all work, as the end of the program does.
    pub async fn shutdown(self, limit: Duration) -> Vec<String> {
        drop(self.queue);
        self.shell.shutdown(limit).await
    }

    /// Hands anything that wakes the program to the shell.
    pub fn wake(&mut self, wake: Wake) -> &mut Self {
        self.shell.handle(wake, self.now);
        self
    }
}
