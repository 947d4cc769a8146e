//! Files to objects and back, and objects to objects. A download appears under its name only when it
//! is whole and checked; an upload becomes an object only when it is.
//!
//! Large ones go in pieces, several at a time over one [`Link`], none of them held in memory. What
//! is stopped leaves nothing behind, unless a [`Journal`] remembers it: then it goes on where it
//! was, also after a kill.

mod copy;
mod disk;
mod download;
mod folder;
pub mod link;
mod parts;
mod sums;
mod upload;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::error::{Error, Kind};

pub use copy::{End, Pieces, copy};
pub use disk::Disk;
pub use download::{DownloadLeft, download};
pub use folder::{Folder, Overwrite, Unsynced};
pub use link::Link;
pub use sums::Sums;
pub use upload::{PART, UploadLeft, upload, was_completed};

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Of how many, where known.
    pub total: Option<u64>,
}

/// A finished transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// Bytes.
    pub bytes: u64,
    /// What was compared.
    pub proof: Proof,
    /// Bytes that had arrived before, of a transfer that was stopped.
    pub reused: u64,
    /// What had arrived before was of no use any more: it began anew.
    pub is_anew: bool,
}

/// By what is known that both sides hold the same bytes. Lengths are always compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The CRC-64/XZ that OSS keeps of the whole.
    Crc64,
    /// The `ETag`, which is the MD5 of the whole.
    Md5,
    /// Nothing but the length: the server gave no checksum.
    Length,
}

impl Proof {
    /// Whether a checksum of the whole was compared.
    pub fn is_checksum(self) -> bool {
        self != Self::Length
    }

    /// The word for it in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc64 => "crc64",
            Self::Md5 => "md5",
            Self::Length => "length",
        }
    }
}

/// How a transfer runs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Is told how far it is.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
    /// Stops it.
    pub cancel: &'a CancellationToken,
    /// The line, shared with others.
    pub link: &'a Arc<Link>,
    /// Remembers what is under way.
    pub journal: Option<&'a Arc<dyn Journal>>,
    /// Takes the folders that the disk is still to be waited for; where there is none, each
    /// download waits itself.
    pub unsynced: Option<&'a Arc<Unsynced>>,
}

impl Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// What is left of a transfer that was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// A part of a file on this machine.
    Download(DownloadLeft),
    /// Parts in the bucket.
    Upload(UploadLeft),
}

/// Where one transfer is remembered. Its calls wait for the disk.
pub trait Journal: Debug + Send + Sync {
    /// What was left last time.
    fn left(&self) -> Option<Left>;
    /// Remembers. What cannot be written down is begun anew next time, no more.
    fn note(&self, left: &Left);
    /// It is done, or of no use.
    fn forget(&self);
}

impl Run<'_> {
    /// Does what waits for the disk where it may wait.
    async fn with_journal<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Journal) -> T + Send + 'static,
    ) -> Option<T> {
        let journal = Arc::clone(self.journal?);
        tokio::task::spawn_blocking(move || work(&*journal)).await.ok()
    }

    async fn left(&self) -> Option<Left> {
        self.with_journal(|journal| journal.left()).await.flatten()
    }

    async fn note(&self, left: Left) {
        let _no_journal = self.with_journal(move |journal| journal.note(&left)).await;
    }

    async fn forget(&self) {
        let _no_journal = self.with_journal(|journal| journal.forget()).await;
    }
}

/// Whether it makes sense to go on later from what has arrived by now.
fn is_resumable(error: &Error) -> bool {
    match error.kind {
        Kind::Retry
        | Kind::Network(_)
        | Kind::Truncated
        | Kind::Cancelled
        | Kind::Credentials
        | Kind::Permission
        | Kind::Clock
        | Kind::Settings
        | Kind::NotOss
        | Kind::Local => true,
        Kind::NotFound | Kind::TooLarge | Kind::Precondition | Kind::Refused | Kind::Corrupt => {
            false
        }
    }
}

fn local(action: &'static str, path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    let message = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{path}: no space left")
        }
        io::ErrorKind::AlreadyExists => {
            let message = format!("{path} exists; confirm that it may be replaced");
            return Error::new(Kind::Precondition, action, message);
        }
        _ => format!("{path}: {error}"),
    };
    Error::new(Kind::Local, action, message)
}

/// Runs what waits for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
