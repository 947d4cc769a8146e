//! Questions to the person at the terminal.
//!
//! They go to the terminal itself, so that they work while stdin and stdout are pipes. Hidden
//! answers are not echoed. While a question stands the terminal's own line editing and signals
//! are off and `Line` edits, so that ctrl-c always finds the echo restored.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use super::waiting::Waiting;
use crate::base::secret_string::SecretString;

/// The longest answer, in bytes: an STS token has some 1,000.
const LONGEST: usize = 16 << 10;

/// Somebody who can be asked. `None` is a person who stopped: ctrl-c, ctrl-d.
pub trait Terminal: Send {
    /// Asks for a line, which is seen while it is typed.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;
    /// Asks for a line that is not seen.
    fn ask_hidden(&mut self, question: &str) -> io::Result<Option<SecretString>>;
}

/// The terminal that controls this process.
#[derive(Debug)]
pub struct ControllingTerminal {
    device: File,
    waiting: Waiting,
}

impl ControllingTerminal {
    /// Opens it, where there is one; `waiting` knows while a question stands.
    pub fn open(waiting: Waiting) -> Option<Self> {
        let device = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        Some(Self { device, waiting })
    }

    fn read_line(&self, question: &str, hidden: bool) -> io::Result<Option<SecretString>> {
        let mut device = &self.device;
        let Some(_awaited) = self.waiting.question(Quiet::new(device.try_clone()?)?) else {
            return Ok(None);
        };
        device.write_all(question.as_bytes())?;
        let mut line = Line::default();
        let mut byte = Zeroizing::new([0_u8; 1]);
        let answer = loop {
            if device.read(byte.as_mut())? == 0 {
                break None;
            }
            let [typed] = *byte;
            match line.feed(typed) {
                Step::Done => break Some(line.into_answer()),
                Step::Stopped => break None,
                Step::Typed(byte) if !hidden => device.write_all(&[byte])?,
                Step::RubbedOut if !hidden => device.write_all(b"\x08 \x08")?,
                Step::Cleared if !hidden => {
                    device.write_all(b"\r\x1b[K")?;
                    device.write_all(question.as_bytes())?;
                }
                Step::Typed(_) | Step::RubbedOut | Step::Cleared | Step::Silent => {}
            }
        };
        device.write_all(b"\n")?;
        Ok(answer)
    }
}

impl Terminal for ControllingTerminal {
    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let answer = self.read_line(question, false)?;
        Ok(answer.map(|answer| answer.expose().to_owned()))
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<Option<SecretString>> {
        self.read_line(question, true)
    }
}

/// Turns echo, line editing and signals off, and back on when dropped.
#[derive(Debug)]
pub(super) struct Quiet {
    device: File,
    before: Termios,
}

impl Quiet {
    fn new(device: File) -> io::Result<Self> {
        let before = tcgetattr(&device)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        // one byte at a time, however long it takes
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // what was typed ahead was not meant as an answer
        tcsetattr(&device, OptionalActions::Flush, &quiet)?;
        Ok(Self { device, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _gone = tcsetattr(&self.device, OptionalActions::Now, &self.before);
    }
}

/// A line as it is typed. Its buffer is wiped and never grows, so that no copy stays behind.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    escape: Escape,
}

/// Where in a sequence of an arrow key or a paste the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    No,
    Begun,
    Parameters,
}

/// What a byte did.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Nothing to see.
    Silent,
    /// This byte now ends the line.
    Typed(u8),
    /// The last character went away.
    RubbedOut,
    /// The whole line went away.
    Cleared,
    Done,
    Stopped,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(LONGEST)), escape: Escape::No }
    }
}

impl Line {
    fn feed(&mut self, byte: u8) -> Step {
        match (self.escape, byte) {
            (Escape::Begun, b'[' | b'O') => self.escape = Escape::Parameters,
            (Escape::Begun, _) | (Escape::Parameters, 0x40..=0x7e) => self.escape = Escape::No,
            (Escape::No, 0x1b) => self.escape = Escape::Begun,
            (Escape::No, b'\r' | b'\n') => return Step::Done,
            (Escape::No, 0x03) => return Step::Stopped,
            (Escape::No, 0x04) if self.bytes.is_empty() => return Step::Stopped,
            (Escape::No, 0x7f | 0x08) => return self.rub_out(),
            (Escape::No, 0x15) => {
                self.bytes.clear();
                return Step::Cleared;
            }
            (Escape::No, byte) if byte >= 0x20 && self.bytes.len() < LONGEST => {
                self.bytes.push(byte);
                return Step::Typed(byte);
            }
            // the numbers of a sequence, other control characters, more than there is room for
            (Escape::Parameters | Escape::No, _) => {}
        }
        Step::Silent
    }

    /// Takes the last character away, be it of several bytes.
    fn rub_out(&mut self) -> Step {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0xc0 != 0x80 {
                return Step::RubbedOut;
            }
        }
        Step::Silent
    }

    fn into_answer(self) -> SecretString {
        SecretString::new(String::from_utf8_lossy(&self.bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Result<String, Step> {
        let mut line = Line::default();
        for byte in bytes {
            match line.feed(*byte) {
                Step::Done => return Ok(line.into_answer().expose().to_owned()),
                Step::Stopped => return Err(Step::Stopped),
                _ => {}
            }
        }
        panic!("the line did not end")
    }

    #[test]
    fn lines_are_edited_by_hand() {
        assert_eq!(typed(b"abc\x7f\x7fd\r"), Ok("ad".into()));
        assert_eq!(typed("né\u{7f}o\n".as_bytes()), Ok("no".into()));
        assert_eq!(typed(b"wrong\x15right\n"), Ok("right".into()));
        assert_eq!(typed(b"a\x1b[D\x1b[200~b\x1bOPc\n"), Ok("abc".into()));
        assert_eq!(typed(b"a\x03"), Err(Step::Stopped));
        assert_eq!(typed(b"\x04"), Err(Step::Stopped));
        assert_eq!(typed(b"a\x04b\n"), Ok("ab".into()));
    }

    #[test]
    fn a_line_that_never_ends_takes_no_more_room() {
        let mut line = Line::default();
        for _ in 0..LONGEST + 100 {
            line.feed(b'x');
        }
        assert_eq!(line.bytes.len(), LONGEST);
        assert_eq!(line.bytes.capacity(), LONGEST);
    }
}
