//! Bytes on their way from the line to a file, or to memory.

use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::oss::crc64::Crc64;

/// Where the bytes of a piece go.
#[derive(Debug)]
pub(super) struct Pour {
    /// The next byte.
    pub(super) at: u64,
    pub(super) crc: Crc64,
    writing: Option<JoinHandle<io::Result<Crc64>>>,
    /// What came, where no file takes it.
    pub(super) held: Vec<Bytes>,
}

impl Pour {
    /// Nothing yet; the first byte belongs at `at`.
    pub(super) fn from(at: u64) -> Self {
        Self { at, crc: Crc64::new(), writing: None, held: Vec::new() }
    }

    /// Keeps `batch` in memory.
    pub(super) fn hold(&mut self, batch: Vec<Bytes>) {
        for bytes in &batch {
            self.crc.update(bytes);
            self.at += bytes.len() as u64;
        }
        self.held.extend(batch);
    }

    /// Writes `batch` while the next one is on its way.
    pub(super) async fn write(
        &mut self,
        (file, pen): (&Arc<File>, &Arc<Mutex<()>>),
        batch: Vec<Bytes>,
    ) -> io::Result<()> {
        self.settle().await?;
        let (file, mut at, mut crc) = (Arc::clone(file), self.at, self.crc.clone());
        let pen = Arc::clone(pen);
        self.at += batch.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        self.writing = Some(tokio::task::spawn_blocking(move || {
            for bytes in &batch {
                crc.update(bytes);
            }
            let _mine = pen.lock().unwrap_or_else(PoisonError::into_inner);
            let mut left: Vec<IoSlice<'_>> =
                batch.iter().map(|bytes| IoSlice::new(bytes)).collect();
            let mut left = left.as_mut_slice();
            IoSlice::advance_slices(&mut left, 0);
            while !left.is_empty() {
                let written = rustix::io::retry_on_intr(|| rustix::io::pwritev(&*file, left, at))?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                at += written as u64;
                IoSlice::advance_slices(&mut left, written);
            }
            Ok(crc)
        }));
        Ok(())
    }

    /// Waits for what is being written.
    pub(super) async fn settle(&mut self) -> io::Result<()> {
        if let Some(writing) = self.writing.take() {
            self.crc = writing.await.map_err(io::Error::other)??;
        }
        Ok(())
    }
}
