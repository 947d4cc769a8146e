//! Waiting for a person or for stdin: reads that no cancellation reaches.
//!
//! They block, so a sign to stop that comes meanwhile can only end the process; nothing is under
//! way then that could be left half done. At any other time the work is asked to stop.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::terminal::Quiet;

/// What the process waits for; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    cancel: CancellationToken,
    input: Arc<Mutex<Option<Input>>>,
}

/// Where the awaited input comes from.
#[derive(Debug)]
enum Input {
    Stdin,
    /// Gives the terminal back when dropped.
    Question(#[expect(dead_code, reason = "held for its drop")] Quiet),
}

impl Waiting {
    /// For work that heeds `cancel`.
    pub fn new(cancel: CancellationToken) -> Self {
        Self { cancel, input: Arc::default() }
    }

    /// Asks the work to stop. Answers whether it will hear that: while input is awaited it does
    /// not, and the caller ends the process; the terminal has been given back then.
    pub fn stop(&self) -> bool {
        self.cancel.cancel();
        self.lock().take().is_none()
    }

    /// Holds `quiet` while a question stands; `None` where the work was asked to stop already.
    pub(super) fn question(&self, quiet: Quiet) -> Option<Awaited<'_>> {
        self.begin(Input::Question(quiet))
    }

    /// The look and the mark are one step, so that no sign is lost between them.
    fn begin(&self, input: Input) -> Option<Awaited<'_>> {
        let mut awaited = self.lock();
        if self.cancel.is_cancelled() {
            return None;
        }
        *awaited = Some(input);
        Some(Awaited(self))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Input>> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Input is awaited until this is dropped.
#[derive(Debug)]
pub(super) struct Awaited<'a>(&'a Waiting);

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

/// A reader whose reads are known to wait.
#[derive(Debug)]
pub struct AwaitedReader<R> {
    reader: R,
    waiting: Waiting,
}

impl<R> AwaitedReader<R> {
    /// Around `reader`.
    pub fn new(reader: R, waiting: Waiting) -> Self {
        Self { reader, waiting }
    }
}

impl<R: Read> Read for AwaitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let awaited = self.waiting.begin(Input::Stdin);
        let _awaited = awaited.ok_or_else(|| io::Error::other("stopped"))?;
        self.reader.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sign to stop comes while this is read.
    struct Stopped(Waiting, Vec<bool>);

    impl Read for Stopped {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.1.push(self.0.stop());
            Ok(0)
        }
    }

    #[test]
    fn a_sign_to_stop_is_heard_except_while_input_is_awaited() {
        let waiting = Waiting::default();
        let mut stdin = AwaitedReader::new(Stopped(waiting.clone(), Vec::new()), waiting.clone());
        assert_eq!(stdin.read(&mut [0]).unwrap(), 0);
        assert_eq!(stdin.reader.1, [false]);
        assert!(waiting.stop(), "nothing is awaited any more");
        assert!(waiting.cancel.is_cancelled());
        assert!(stdin.read(&mut [0]).is_err(), "nothing is awaited after a sign to stop");
        assert_eq!(stdin.reader.1, [false]);
    }
}
