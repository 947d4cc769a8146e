//! The terminal itself: taken on entry, given back in every way the program can end.
//!
//! Dropping the [`Session`] gives it back; so does the panic hook, before a
//! word is printed; so does a suspend. Nothing else touches modes.

use std::io::{self, Stdout, Write as _, stdout};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{
    self, DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, Event, KeyEventKind, MouseEventKind,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, window_size,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

use crate::base::unwind;
use crate::tui::event_loop::{Host, Signal, Wake};
use crate::tui::pictures::{CellSize, Pictures, Placed, Protocol};

/// The terminal in our hands: raw mode, alternate screen, bracketed paste,
/// focus reports and, unless switched off, the mouse.
#[derive(Debug)]
pub struct Session<C> {
    mouse: bool,
    taken: Arc<Taken>,
    clock: C,
    signals: Signals,
    pictures: Option<Pictures>,
}

/// What has to be given back.
#[derive(Debug, Default)]
struct Taken {
    terminal: AtomicBool,
    /// It keeps a picture of ours that does not go with the alternate screen.
    picture: AtomicBool,
}

impl<C: Fn() -> Duration> Session<C> {
    /// Takes the terminal, and makes sure that a panic of this thread gives it
    /// back. `clock` is the time since the start of the program.
    ///
    /// # Errors
    /// When standard output is no terminal, or signals cannot be listened to.
    pub fn enter(mouse: bool, clock: C) -> io::Result<Self> {
        let taken = Arc::new(Taken::default());
        let (signals, pictures) = (Signals::new()?, None);
        let session = Self { mouse, taken: Arc::clone(&taken), clock, signals, pictures };
        install_hook(taken);
        session.take()?;
        Ok(session)
    }

    /// Shows pictures by `protocol`, from the next frame on; `queue` wakes the loop for one that
    /// is ready. Answers the size of the cells they are put into; nothing where pictures are drawn
    /// without knowing it, and would run over what is around them.
    ///
    /// # Errors
    /// When the thread that encodes them cannot be made.
    pub fn show_pictures_by(
        &mut self,
        protocol: Protocol,
        queue: mpsc::Sender<Wake>,
    ) -> io::Result<Option<CellSize>> {
        // the others are told the size in cells
        let usual = (protocol != Protocol::Sixel).then_some(USUAL_CELL);
        let cell = cell_size().or(usual);
        if cell.is_some() {
            self.pictures = Some(Pictures::new(protocol, queue)?);
        }
        Ok(cell)
    }

    /// The face to draw on.
    ///
    /// # Errors
    /// When the size of the terminal cannot be read.
    pub fn terminal(&self) -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
        Terminal::new(CrosstermBackend::new(stdout()))
    }

    fn take(&self) -> io::Result<()> {
        self.taken.terminal.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)?;
        if self.mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        Ok(())
    }
}

/// Gives the terminal back if it is taken. Errors have nobody left to hear them.
fn give_back(taken: &Taken) {
    if taken.picture.swap(false, Ordering::SeqCst) {
        let _gone = stdout().write_all(Protocol::Kitty.removal().as_bytes());
    }
    if taken.terminal.swap(false, Ordering::SeqCst) {
        let _gone = execute!(
            stdout(),
            DisableMouseCapture,
            DisableFocusChange,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            crossterm::cursor::Show
        );
        let _gone = disable_raw_mode();
    }
}

impl<C> Drop for Session<C> {
    fn drop(&mut self) {
        give_back(&self.taken);
    }
}

impl<C: Fn() -> Duration> Host for Session<C> {
    fn now(&self) -> Duration {
        (self.clock)()
    }

    fn suspend(&mut self) {
        give_back(&self.taken);
        if let Some(pictures) = &mut self.pictures {
            pictures.forget();
        }
        stop_process();
        // If the terminal cannot be taken again, the next draw fails and ends the loop.
        let _gone = self.take();
    }

    fn show(&mut self, picture: Option<Placed>, screen: Rect) -> io::Result<()> {
        let Some(pictures) = &mut self.pictures else { return Ok(()) };
        let shown = pictures.show(&mut stdout().lock(), picture, screen);
        self.taken.picture.store(pictures.is_kept(), Ordering::SeqCst);
        shown
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        // OSC 52; the text is base64, so nothing in it can act on the terminal.
        write!(stdout(), "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        stdout().flush()
    }

    async fn signal(&mut self) -> Signal {
        self.signals.next().await
    }
}

/// Replaces the hook that would print the payload: it may quote a secret.
fn install_hook(taken: Arc<Taken>) {
    let screen = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(
            || "an unknown place".to_owned(),
            |place| format!("{}:{}", place.file(), place.line()),
        );
        // A job's panic is its answer; another thread's reaches us when it is joined.
        if unwind::hand_over(&place) || thread::current().id() != screen {
            return;
        }
        give_back(&taken);
        let _nobody = writeln!(
            io::stderr(),
            "osstack stopped because of a fault in osstack at {place}. \
             Your files are as they were last saved; please report this line."
        );
    }));
}

/// Reads the terminal on a thread of its own, into `queue`. A half escape
/// sequence blocks the reader inside the terminal library; here it blocks
/// nothing else.
///
/// # Errors
/// When the thread cannot be made.
pub fn read_input(queue: mpsc::Sender<Wake>) -> io::Result<()> {
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        loop {
            let wake = match event::read() {
                Ok(event) if is_noise(&event) => continue,
                Ok(event) => Wake::Terminal(event),
                Err(_gone) => Wake::InputEnded,
            };
            let last = matches!(wake, Wake::InputEnded);
            // before the size itself, so that the first frame of that size knows it
            let is_resized = matches!(wake, Wake::Terminal(Event::Resize(..)));
            let cell = is_resized.then(cell_size).flatten();
            if cell.is_some_and(|cell| queue.blocking_send(Wake::Cell(cell)).is_err()) {
                return;
            }
            if queue.blocking_send(wake).is_err() || last {
                return;
            }
        }
    })?;
    Ok(())
}

/// Where the terminal does not tell.
const USUAL_CELL: CellSize = CellSize { width: 10, height: 20 };

/// The pixels of a cell, as the system knows them of the terminal.
fn cell_size() -> Option<CellSize> {
    let size = window_size().ok()?;
    let pixels = |whole: u16, cells: u16, usual: u16| {
        let each = whole.checked_div(cells).filter(|each| *each > 1)?;
        Some(each.min(usual * 8))
    };
    Some(CellSize {
        width: pixels(size.width, size.columns, USUAL_CELL.width)?,
        height: pixels(size.height, size.rows, USUAL_CELL.height)?,
    })
}

/// Mouse moves without a button and key releases change nothing, but would
/// wake the loop all the time.
fn is_noise(event: &Event) -> bool {
    match event {
        Event::Mouse(mouse) => mouse.kind == MouseEventKind::Moved,
        Event::Key(key) => key.kind == KeyEventKind::Release,
        _ => false,
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    suspend: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            Some(()) = self.hang_up.recv() => Signal::HangUp,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.suspend.recv() => Signal::Suspend,
            else => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
fn stop_process() {
    use rustix::process::{Signal, getpid, kill_process};
    // We caught SIGTSTP; only SIGSTOP really stops, and returns on SIGCONT.
    let _impossible = kill_process(getpid(), Signal::STOP);
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_none) => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
fn stop_process() {}
