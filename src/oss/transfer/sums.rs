//! Checksums of what lies on this machine, to hold against those that servers tell.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use md5::{Digest as _, Md5};

use crate::oss::crc64::Crc64;

/// Read at a time.
const BATCH: usize = 256 << 10;

/// The checksums of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    /// As an `ETag` has it, where nothing was uploaded in parts or sealed by the server.
    pub md5: [u8; 16],
    /// CRC-64/XZ, as OSS has it of every object.
    pub crc64: u64,
}

impl Sums {
    /// Of a stretch of a file, which waits for the disk.
    pub(in crate::oss) fn of(file: &File, offset: u64, length: u64) -> io::Result<Self> {
        let (mut md5, mut crc) = (Md5::new(), Crc64::new());
        let mut buffer = vec![0; BATCH];
        let mut at = 0;
        while at < length {
            let wanted = usize::try_from(length - at).unwrap_or(usize::MAX).min(BATCH);
            let Some(bytes) = buffer.get_mut(..wanted) else { break };
            file.read_exact_at(bytes, offset + at)?;
            md5.update(&*bytes);
            crc.update(bytes);
            at += bytes.len() as u64;
        }
        Ok(Self { md5: md5.finalize().into(), crc64: crc.value() })
    }

    /// Of all of a file, which waits for the disk.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Self::of(&file, 0, length)
    }
}
