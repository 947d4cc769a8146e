//! A stretch of a file as the body of a request: read again for each try, never held whole.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep_until};

use super::crc64::Crc64;
use super::transfer::Sums;
use super::transfer::link::Limit;

/// Read from the disk at a time; twice as much lies in memory for each request.
const READ: u64 = 256 << 10;

/// Bytes on their way that were handed over, of all parts of a transfer together.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// How many.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn take_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A stretch of a file. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Slice {
    file: Arc<File>,
    offset: u64,
    length: u64,
    meter: Arc<Meter>,
    limit: Option<Arc<Limit>>,
    last: Arc<Mutex<Try>>,
}

/// What became of the last try to send it.
#[derive(Debug, Default)]
struct Try {
    sent: u64,
    crc: Crc64,
    fault: Option<io::Error>,
}

impl Slice {
    /// `length` bytes of `file` from `offset` on. What is handed over counts on `meter`, as fast
    /// as `limit` lets it.
    pub fn new(
        file: Arc<File>,
        offset: u64,
        length: u64,
        meter: Arc<Meter>,
        limit: Option<Arc<Limit>>,
    ) -> Self {
        Self { file, offset, length, meter, limit, last: Arc::default() }
    }

    /// Bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The checksum of what was sent last.
    pub fn crc(&self) -> u64 {
        self.last().crc.value()
    }

    /// The MD5 of what is there now, as `Content-MD5` has it: a server that is told it takes no
    /// other bytes. Waits for the disk.
    pub(super) fn content_md5(&self) -> io::Result<String> {
        Ok(BASE64.encode(Sums::of(&self.file, self.offset, self.length)?.md5))
    }

    /// Why it could not be read, once.
    pub(super) fn take_fault(&self) -> Option<io::Error> {
        self.last().fault.take()
    }

    fn last(&self) -> MutexGuard<'_, Try> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes for one try, from the first on.
    pub(super) fn read(&self) -> Reading {
        let former = std::mem::take(&mut *self.last());
        self.meter.take_back(former.sent);
        let mut reading = Reading {
            slice: self.clone(),
            asked: 0,
            ready: Bytes::new(),
            coming: None,
            pause: None,
        };
        reading.ask();
        reading
    }
}

/// One try's way through the file.
pub(super) struct Reading {
    slice: Slice,
    /// Bytes that were asked of the disk.
    asked: u64,
    ready: Bytes,
    coming: Option<JoinHandle<io::Result<Bytes>>>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Reading {
    /// What has not been handed over yet.
    pub(super) fn left(&self) -> u64 {
        self.slice.length - self.slice.last().sent
    }

    /// Reads ahead.
    fn ask(&mut self) {
        let length = (self.slice.length - self.asked).min(READ);
        if length == 0 {
            return;
        }
        let (file, at) = (Arc::clone(&self.slice.file), self.slice.offset + self.asked);
        self.asked += length;
        self.coming = Some(tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, at)?;
            Ok(Bytes::from(bytes))
        }));
    }

    /// The next `most` bytes at most; `None` at the end.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        most: usize,
    ) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if self.ready.is_empty() {
            let Some(coming) = &mut self.coming else { return Poll::Ready(None) };
            let read = ready!(Pin::new(coming).poll(context)).map_err(io::Error::other);
            self.coming = None;
            match read.and_then(|read| read) {
                Ok(bytes) => self.ready = bytes,
                Err(error) => {
                    let passed_on = io::Error::new(error.kind(), error.to_string());
                    self.slice.last().fault = Some(error);
                    return Poll::Ready(Some(Err(passed_on)));
                }
            }
            self.ask();
        }
        let most = self.slice.limit.as_ref().map_or(most, |limit| limit.piece().min(most));
        let bytes = self.ready.split_to(self.ready.len().min(most));
        let length = bytes.len() as u64;
        if let Some(limit) = &self.slice.limit {
            self.pause = limit.reserve(length).map(|until| Box::pin(sleep_until(until)));
        }
        let mut last = self.slice.last();
        last.sent += length;
        last.crc.update(&bytes);
        drop(last);
        self.slice.meter.add(length);
        Poll::Ready(Some(Ok(bytes)))
    }
}
