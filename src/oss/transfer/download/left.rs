//! What lies in a part file already, and whether it is what arrived.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use crate::oss::crc64::{self, Crc64};

/// Read at a time.
const READ: usize = 256 << 10;

/// What is left of a download: a part of the file, beside its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadLeft {
    /// The name of the part file.
    pub part: String,
    /// Of the object, in bytes.
    pub size: u64,
    /// Of the object.
    pub etag: Option<String>,
    /// Of the object.
    pub crc64: Option<u64>,
    /// Bytes of a piece.
    pub piece: u64,
    /// The pieces that are there, each with its checksum.
    pub done: BTreeMap<u64, u64>,
}

impl DownloadLeft {
    /// Bytes that are there.
    pub fn arrived(&self) -> u64 {
        self.done.keys().map(|index| self.bounds(*index)).map(|(from, to)| to - from).sum()
    }

    /// Where a piece begins and ends.
    pub(super) fn bounds(&self, index: u64) -> (u64, u64) {
        let from = index.saturating_mul(self.piece).min(self.size);
        (from, from.saturating_add(self.piece).min(self.size))
    }

    pub(super) fn count(&self) -> u64 {
        self.size.div_ceil(self.piece.max(1))
    }

    /// The checksum of the whole, once all is there.
    pub(super) fn crc(&self) -> u64 {
        self.done.iter().fold(crc64::of(b""), |crc, (index, piece)| {
            let (from, to) = self.bounds(*index);
            crc64::joined(crc, *piece, to - from)
        })
    }

    /// Forgets the pieces that are not in `file` as they were.
    pub(super) fn look_through(&mut self, file: &File) -> io::Result<()> {
        let mut kept = BTreeMap::new();
        for (index, due) in &self.done {
            let (from, to) = self.bounds(*index);
            if *index < self.count() && crc_of(file, from, to)? == Some(*due) {
                kept.insert(*index, *due);
            }
        }
        self.done = kept;
        Ok(())
    }
}

/// The checksum of a stretch of a file; `None` where it ends before.
pub(super) fn crc_of(file: &File, from: u64, to: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; READ];
    let mut crc = Crc64::new();
    let mut at = from;
    while at < to {
        let wanted = usize::try_from(to - at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(room) = buffer.get_mut(..wanted) else { return Ok(None) };
        match file.read_at(room, at)? {
            0 => return Ok(None),
            read => {
                crc.update(room.get(..read).unwrap_or_default());
                at += read as u64;
            }
        }
    }
    Ok(Some(crc.value()))
}

/// The MD5 that an `ETag` is, where it is one.
pub(super) fn md5_of_etag(etag: &str) -> Option<[u8; 16]> {
    let mut md5 = [0; 16];
    hex::decode_to_slice(etag, &mut md5).ok()?;
    Some(md5)
}

pub(super) fn md5_of(file: &File) -> io::Result<[u8; 16]> {
    let mut md5 = Md5::new();
    let mut buffer = vec![0; READ];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut buffer, at)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(md5.finalize().into());
        };
        md5.update(bytes);
        at += read as u64;
    }
}
