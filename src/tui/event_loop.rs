//! The loop: one queue, one frame at most every 16 ms, asleep when idle.
//!
//! Everything that can wake the program is a [`Wake`] or a due tick. The frame
//! comes first in the `select!`, so a flood of messages cannot hold the screen
//! back; the tick comes second, so a flood cannot hold time back either.

use std::io;
use std::time::Duration;

use crossterm::event::Event as TerminalEvent;
use ratatui::backend::Backend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::tui::pictures::{CellSize, Placed};
use crate::tui::runtime::Reply;

/// Time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Messages handled before the clock and the screen get their turn again.
pub const BATCH: usize = 256;
/// Messages that may wait; senders wait beyond that.
pub const QUEUE: usize = 1_024;

/// Anything that wakes the program, but for time.
#[derive(Debug)]
pub enum Wake {
    /// A key, a paste, the mouse, a new size, the focus.
    Terminal(TerminalEvent),
    /// An effect reports or answers.
    Reply(Reply),
    /// The cells of the terminal have that size: before each new size of the whole.
    Cell(CellSize),
    /// A picture can be written that was asked for.
    PictureReady,
    /// A signal from outside.
    Signal(Signal),
    /// The terminal is gone.
    InputEnded,
}

/// What the operating system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: as if ctrl-c were pressed.
    Interrupt,
    /// SIGTERM: end in an orderly way.
    Terminate,
    /// SIGHUP: the terminal is gone; end at once.
    HangUp,
    /// SIGTSTP: stand still until continued.
    Suspend,
}

/// What the loop runs: the shell, or a toy in a test.
pub trait Program {
    /// Takes what woke the loop; `now` is the time since the start.
    fn handle(&mut self, wake: Wake, now: Duration);
    /// Time has come to [`Program::next_tick`].
    fn tick(&mut self, now: Duration);
    /// When it wants to be ticked, on the same clock as `now`; `None` lets the loop sleep.
    fn next_tick(&self) -> Option<Duration>;
    /// Draws everything but the picture it answers, which is for the host to show.
    fn view(&self, frame: &mut Frame<'_>) -> Option<Placed>;
    /// A text for the clipboard, if one waits.
    fn take_copy(&mut self) -> Option<String>;
    /// Whether the loop should end.
    fn is_over(&self) -> bool;
}

/// What the loop needs of its surroundings, replaced in tests.
pub trait Host {
    /// Time since the start of the program, never running backwards.
    fn now(&self) -> Duration;
    /// Gives the terminal back, stands still until continued, takes it again.
    fn suspend(&mut self);
    /// Makes it so that `picture` alone is over the frame that was drawn, on a terminal of that
    /// size; nothing is written where it is there already.
    fn show(&mut self, picture: Option<Placed>, screen: Rect) -> io::Result<()>;
    /// Hands `text` to the clipboard of the terminal.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// The next signal; pending for ever where there are none.
    fn signal(&mut self) -> impl Future<Output = Signal>;
}

/// Runs `program` until it is over. A signal that ends it is handed to it first.
///
/// # Errors
/// When the terminal cannot be drawn on.
pub async fn run<B: Backend, P: Program, H: Host>(
    terminal: &mut Terminal<B>,
    program: &mut P,
    queue: &mut mpsc::Receiver<Wake>,
    host: &mut H,
) -> Result<(), B::Error> {
    let mut last_frame: Option<Instant> = None;
    let mut dirty = true;
    while !program.is_over() {
        let now = Instant::now();
        let frame_due = last_frame.map_or(now, |last| last + FRAME);
        let tick_due = program.next_tick().map(|due| now + due.saturating_sub(host.now()));
        tokio::select! {
            biased;
            () = sleep_until(frame_due), if dirty => {
                let mut picture = None;
                let screen = terminal.draw(|frame| picture = program.view(frame))?.area;
                // a terminal that is gone fails the next frame
                let _gone = host.show(picture, screen);
                last_frame = Some(Instant::now());
                dirty = false;
            }
            () = sleep_until(tick_due.unwrap_or(now)), if tick_due.is_some() => {
                program.tick(host.now());
                dirty = true;
            }
            signal = host.signal() => {
                program.handle(Wake::Signal(signal), host.now());
                if signal == Signal::Suspend {
                    host.suspend();
                    // `Terminal::clear` asks the terminal where its cursor is, and the
                    // input thread would swallow the answer; a resize clears as well.
                    let size = terminal.size()?;
                    terminal.resize(Rect::new(0, 0, size.width, size.height))?;
                }
                dirty = true;
            }
            wake = queue.recv() => {
                // The sender lives in the program's runtime, so this is its end.
                let Some(wake) = wake else { return Ok(()) };
                program.handle(wake, host.now());
                for _ in 1..BATCH {
                    let Ok(wake) = queue.try_recv() else { break };
                    program.handle(wake, host.now());
                }
                dirty = true;
            }
        }
        if let Some(text) = program.take_copy() {
            // A terminal that refuses it has shown the text to be selected.
            let _refused = host.copy(&text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
