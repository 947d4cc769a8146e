//! A terminal of the test's own, with a program on it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use portable_pty::{CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use vt100::{MouseProtocolMode, Screen};

/// Nothing new for so long means that nothing comes.
const DEADLINE: Duration = Duration::from_secs(20);

/// What comes from the program.
enum News {
    Bytes(Vec<u8>),
    Stopped,
    /// Its exit code; none where a signal killed it.
    Ended(Option<i32>),
    /// The other side of the terminal is closed, and all that was written is read.
    Closed,
}

/// A program on a terminal, which is read all the time and kept open past the program's end, so
/// that its modes can be looked at.
pub(super) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    slave: Option<Box<dyn SlavePty + Send>>,
    writer: Box<dyn Write + Send>,
    pid: Pid,
    has_ended: bool,
    /// Tells the reader to go.
    leave: Arc<AtomicBool>,
    news: Receiver<News>,
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// The modes of the line before the program had it.
    modes: String,
}

/// What is left of a program that has ended.
pub(super) struct Left {
    pub(super) code: Option<i32>,
    pub(super) bytes: Vec<u8>,
}

impl Terminal {
    /// A terminal of 80 by 24 cells with `command` on it, and no environment but `variables`.
    pub(super) fn run(mut command: CommandBuilder, variables: &[(&str, &str)]) -> Self {
        let pty = native_pty_system().openpty(size(80, 24)).unwrap();
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in variables {
            command.env(name, value);
        }
        let modes = modes(&*pty.master);
        let child = pty.slave.spawn_command(command).unwrap();
        let pid = Pid::from_raw(child.process_id().unwrap().cast_signed()).unwrap();
        let (sender, news) = channel();
        let leave = Arc::new(AtomicBool::new(false));
        read(pty.master.try_clone_reader().unwrap(), Arc::clone(&leave), sender.clone());
        watch(pid, sender);
        Self {
            writer: pty.master.take_writer().unwrap(),
            master: Some(pty.master),
            slave: Some(pty.slave),
            pid,
            has_ended: false,
            leave,
            news,
            parser: vt100::Parser::new(24, 80, 0),
            bytes: Vec::new(),
            modes,
        }
    }

    pub(super) fn send(&mut self, bytes: &str) {
        self.writer.write_all(bytes.as_bytes()).unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        self.resize_to(size(columns, rows));
    }

    /// The same by a terminal that knows the pixels of its cells.
    pub(super) fn resize_with(&mut self, columns: u16, rows: u16, cell: (u16, u16)) {
        let (pixel_width, pixel_height) = (columns * cell.0, rows * cell.1);
        self.resize_to(PtySize { pixel_width, pixel_height, ..size(columns, rows) });
    }

    fn resize_to(&mut self, size: PtySize) {
        self.parser.screen_mut().set_size(size.rows, size.cols);
        self.master.as_ref().unwrap().resize(size).unwrap();
    }

    /// Reads until the screen is as `what` wants it.
    pub(super) fn wait_until(&mut self, what: impl Fn(&Screen) -> bool) {
        while !what(self.parser.screen()) {
            self.hear();
        }
    }

    /// Reads until all that was written is as `what` wants it.
    pub(super) fn wait_until_written(&mut self, what: impl Fn(&[u8]) -> bool) {
        while !what(&self.bytes) {
            self.hear();
        }
    }

    fn hear(&mut self) {
        match self.news.recv_timeout(DEADLINE) {
            Ok(News::Bytes(bytes)) => self.take(&bytes),
            Ok(News::Stopped) => panic!("stopped: {}", self.picture()),
            Ok(News::Ended(code)) => panic!("ended with {code:?}: {}", self.picture()),
            Ok(News::Closed) | Err(_) => panic!("nothing more comes: {}", self.picture()),
        }
    }

    /// All that was written so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads until `text` is on the screen.
    pub(super) fn wait_for(&mut self, text: &str) {
        self.wait_until(|screen| screen.contents().contains(text));
    }

    /// Reads until the program stands still.
    pub(super) fn wait_until_stopped(&mut self) {
        loop {
            match self.news.recv_timeout(DEADLINE) {
                Ok(News::Bytes(bytes)) => self.take(&bytes),
                Ok(News::Stopped) => break,
                _ => panic!("it does not stop: {}", self.picture()),
            }
        }
        // what it wrote last may still lie in the terminal
        self.wait_until(|screen| !screen.alternate_screen());
    }

    /// Closes the terminal under the program, as a window that is closed does, and expects the
    /// program to end within `limit`.
    pub(super) fn hang_up(mut self, limit: Duration) {
        // the reader holds the terminal open too: it leaves with the next frame, that of the help
        self.leave.store(true, Ordering::SeqCst);
        self.send("?");
        while !matches!(self.news.recv_timeout(DEADLINE), Ok(News::Closed)) {}
        (self.slave, self.master, self.writer) = (None, None, Box::new(std::io::sink()));
        let ended = self.news.recv_timeout(limit);
        assert!(matches!(ended, Ok(News::Ended(_))), "still there after {limit:?}");
        self.has_ended = true;
    }

    /// Reads to the end of the program and of what it wrote. The modes of the line are then what
    /// they were.
    pub(super) fn end(mut self) -> Left {
        let code = loop {
            match self.news.recv_timeout(DEADLINE) {
                Ok(News::Bytes(bytes)) => self.take(&bytes),
                Ok(News::Ended(code)) => break code,
                _ => panic!("it does not end: {}", self.picture()),
            }
        };
        self.has_ended = true;
        self.expect_modes();
        self.slave = None;
        loop {
            match self.news.recv_timeout(DEADLINE) {
                Ok(News::Bytes(bytes)) => self.take(&bytes),
                Ok(News::Closed) => break,
                _ => panic!("the terminal does not close"),
            }
        }
        self.expect_given_back();
        Left { code, bytes: std::mem::take(&mut self.bytes) }
    }

    /// Reads until the terminal is in the hands of the program, and shows `text`.
    pub(super) fn wait_until_taken(&mut self, text: &str) {
        self.wait_until(|screen| is_taken(screen) && screen.contents().contains(text));
        // what is not known to the screen went out before it
        assert!(last(&self.bytes, b"\x1b[?1004h") > last(&self.bytes, b"\x1b[?1004l"), "focus");
        assert_ne!(self.modes_now(), self.modes, "a raw line");
    }

    /// The terminal is as it was before the program.
    pub(super) fn expect_given_back(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the user's own screen");
        assert!(!screen.bracketed_paste(), "pastes are plain");
        assert!(!screen.hide_cursor(), "the cursor is seen");
        assert_eq!(screen.mouse_protocol_mode(), MouseProtocolMode::None, "no mouse reports");
        assert!(
            last(&self.bytes, b"\x1b[?1004l") >= last(&self.bytes, b"\x1b[?1004h"),
            "no focus reports"
        );
    }

    /// The line works as it did before the program.
    pub(super) fn expect_modes(&self) {
        assert_eq!(self.modes_now(), self.modes);
    }

    fn modes_now(&self) -> String {
        modes(&**self.master.as_ref().unwrap())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.bytes.extend_from_slice(bytes);
    }

    fn picture(&self) -> String {
        self.parser.screen().contents()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.has_ended {
            let _gone = kill_process(self.pid, Signal::KILL);
        }
    }
}

/// With cells of 10 by 20 pixels.
fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: cols * 10, pixel_height: rows * 20 }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn is_taken(screen: &Screen) -> bool {
    screen.alternate_screen()
        && screen.bracketed_paste()
        && screen.hide_cursor()
        && screen.mouse_protocol_mode() != MouseProtocolMode::None
}

/// Where `part` stands last.
fn last(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part)
}

/// Reads the terminal until it is closed, or until it is told to leave and reads once more.
fn read(mut reader: Box<dyn Read + Send>, leave: Arc<AtomicBool>, news: Sender<News>) {
    spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            let next = match reader.read(&mut buffer) {
                Ok(0) | Err(_) => News::Closed,
                Ok(count) => News::Bytes(buffer[..count].to_vec()),
            };
            let closed = matches!(next, News::Closed);
            if news.send(next).is_err() || closed {
                return;
            }
            if leave.load(Ordering::SeqCst) {
                drop(reader);
                let _nobody = news.send(News::Closed);
                return;
            }
        }
    });
}

/// Tells when the program stops or ends.
fn watch(pid: Pid, news: Sender<News>) {
    spawn(move || {
        while let Ok(Some((_, status))) = waitpid(Some(pid), WaitOptions::UNTRACED) {
            let next =
                if status.stopped() { News::Stopped } else { News::Ended(status.exit_status()) };
            let ended = matches!(next, News::Ended(_));
            if news.send(next).is_err() || ended {
                return;
            }
        }
    });
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().spawn(work).unwrap();
}
