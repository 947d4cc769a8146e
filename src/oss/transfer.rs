//! Files to objects and back. A download appears under its name only when it
//! is whole and checked; an upload that breaks off leaves no parts behind.

mod folder;

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::crc64::Crc64;
use super::error::{Error, Kind};
use super::object::{PutOptions, UploadedPart};
use crate::model::bucket::BucketName;

pub use folder::{Folder, Overwrite};

/// Files from this size on go in parts.
pub const PART: u64 = 16 << 20;
/// Parts on the way at a time; each lies in memory.
const IN_FLIGHT: usize = 4;
/// OSS numbers parts from 1 to this.
const MAX_PARTS: u64 = 10_000;
/// The largest part OSS takes.
const MAX_PART: u64 = 5 << 30;

/// How long a broken upload may take to drop its parts.
const CLEAN_UP: Duration = Duration::from_secs(5);

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
    /// Whether OSS's checksum was there and equal; length is always compared.
    pub verified: bool,
}

/// Brings an object to `relative` below `folder`. Until it is complete it lies beside its place
/// as `.name.<random>.part`, which goes away on failure and cancellation.
pub async fn download(
    client: &Client,
    (bucket, key): (&BucketName, &str),
    (folder, relative): (&Folder, &Path),
    overwrite: Overwrite,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Transferred, Error> {
    const ACTION: &str = "download the object";
    let local = |error: io::Error| local(ACTION, relative, &error);
    let part = folder.part(relative, overwrite, client.entropy()).map_err(local)?;
    let work = async {
        let answer = client.get(bucket, key, None).await?;
        let mut download = answer.value;
        let total = download.info.size;
        let mut file = tokio::fs::File::from_std(part.file().map_err(local)?);
        let mut crc = Crc64::new();
        let mut bytes = 0;
        progress(Progress { bytes, total });
        while let Some(chunk) = download.body.chunk().await? {
            crc.update(&chunk);
            file.write_all(&chunk).await.map_err(local)?;
            bytes += chunk.len() as u64;
            progress(Progress { bytes, total });
        }
        file.flush().await.map_err(local)?;
        file.sync_all().await.map_err(local)?;
        if total.is_some_and(|total| total != bytes) {
            let message = format!("{bytes} bytes came, and {} belong there", total.unwrap_or(0));
            return Err(Error::new(Kind::Truncated, ACTION, message));
        }
        if download.info.crc64.is_some_and(|theirs| theirs != crc.value()) {
            let message = "the bytes that came are not those of the object (CRC-64 differs)";
            return Err(Error::new(Kind::Corrupt, ACTION, message));
        }
        Ok(Transferred { bytes, verified: download.info.crc64.is_some() })
    };
    let done = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::cancelled(ACTION)),
        done = work => done,
    }?;
    part.publish(overwrite).map_err(local)?;
    Ok(done)
}

/// Sends a file. From 16 MiB on in parts, four at a time; a failure or cancellation drops what
/// has arrived.
pub async fn upload(
    client: &Client,
    file: &Path,
    (bucket, key): (&BucketName, &str),
    options: &PutOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Transferred, Error> {
    const ACTION: &str = "upload the file";
    let local = |error: io::Error| local(ACTION, file, &error);
    let mut source = Source::open(file).await.map_err(local)?;
    let total = source.length;
    progress(Progress { bytes: 0, total: Some(total) });
    if total < PART {
        let bytes = source.read(total).await.map_err(local)?;
        source.unchanged().await.map_err(local)?;
        let written = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::cancelled(ACTION)),
            written = client.put(bucket, key, bytes, options) => written?,
        };
        progress(Progress { bytes: total, total: Some(total) });
        return Ok(Transferred { bytes: total, verified: written.verified });
    }
    let part = part_size(total).ok_or_else(|| {
        Error::new(Kind::Refused, ACTION, "OSS takes 10,000 parts of 5 GiB, and this is more")
    })?;
    let id = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Error::cancelled(ACTION)),
        begun = client.create_upload(bucket, key, options) => begun?.value,
    };
    let target = Target { client, bucket, key, id: &id };
    let work = async {
        match target.send(&mut source, part, progress).await {
            Ok((parts, crc)) => target.complete(&parts, crc, total).await,
            Err(SendError::Local(error)) => Err(local(error)),
            Err(SendError::Remote(error)) => Err(error),
        }
    };
    let sent = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::cancelled(ACTION)),
        sent = work => sent,
    };
    match sent {
        Ok(verified) => Ok(Transferred { bytes: total, verified }),
        Err(error) => {
            // what led here is what matters; parts that stay behind show in list_uploads
            let aborted = client.abort_upload(bucket, key, &id);
            let _left_behind = tokio::time::timeout(CLEAN_UP, aborted).await;
            Err(error)
        }
    }
}

/// Parts of at least 16 MiB, whole MiB, at most 10,000 of them.
fn part_size(total: u64) -> Option<u64> {
    const MIB: u64 = 1 << 20;
    let size = total.div_ceil(MAX_PARTS).div_ceil(MIB).saturating_mul(MIB).max(PART);
    (size <= MAX_PART).then_some(size)
}

/// A file that must stay as it is while it is read.
struct Source {
    file: tokio::fs::File,
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Source {
    async fn open(path: &Path) -> io::Result<Self> {
        let file = tokio::fs::File::open(path).await?;
        let facts = file.metadata().await?;
        if !facts.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"));
        }
        Ok(Self { file, length: facts.len(), modified: facts.modified().ok() })
    }

    async fn read(&mut self, length: u64) -> io::Result<Bytes> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).await.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(),
            _ => error,
        })?;
        Ok(Bytes::from(bytes))
    }

    async fn unchanged(&mut self) -> io::Result<()> {
        let facts = self.file.metadata().await?;
        if facts.len() == self.length && facts.modified().ok() == self.modified {
            return Ok(());
        }
        Err(changed())
    }
}

fn changed() -> io::Error {
    io::Error::other("the file changed while it was read: send it again")
}

enum SendError {
    Local(io::Error),
    Remote(Error),
}

#[derive(Clone, Copy)]
struct Target<'a> {
    client: &'a Client,
    bucket: &'a BucketName,
    key: &'a str,
    id: &'a str,
}

impl Target<'_> {
    /// All parts in order, and the checksum of all bytes.
    async fn send(
        self,
        source: &mut Source,
        size: u64,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(Vec<UploadedPart>, u64), SendError> {
        let total = Some(source.length);
        let mut left = source.length;
        let mut arrived = 0;
        let mut crc = Crc64::new();
        let mut parts: Vec<UploadedPart> = Vec::new();
        let mut under_way = FuturesUnordered::new();
        let mut number = 0;
        while left > 0 || !under_way.is_empty() {
            if left > 0 && under_way.len() < IN_FLIGHT {
                let bytes = source.read(left.min(size)).await.map_err(SendError::Local)?;
                left -= bytes.len() as u64;
                number += 1;
                crc.update(&bytes);
                under_way.push(self.client.upload_part(
                    self.bucket,
                    self.key,
                    self.id,
                    number,
                    bytes,
                ));
                continue;
            }
            if let Some(part) = under_way.next().await {
                let part = part.map_err(SendError::Remote)?.value;
                arrived += part.size.unwrap_or(0);
                progress(Progress { bytes: arrived, total });
                parts.push(part);
            }
        }
        source.unchanged().await.map_err(SendError::Local)?;
        parts.sort_unstable_by_key(|part| part.number);
        Ok((parts, crc.value()))
    }

    /// Makes the object, and answers whether its checksum was compared.
    async fn complete(self, parts: &[UploadedPart], crc: u64, total: u64) -> Result<bool, Error> {
        let Self { client, bucket, key, id } = self;
        let mut is_lost = false;
        loop {
            let error = match client.complete_upload(bucket, key, id, parts, crc).await {
                Ok(written) => return Ok(written.verified),
                Err(error) => error,
            };
            let is_unknown = matches!(error.kind, Kind::Network(_) | Kind::Truncated | Kind::Retry);
            // an upload that is gone after its answer was lost was completed by then
            let is_gone = is_lost && error.code.as_deref() == Some("NoSuchUpload");
            if !is_unknown && !is_gone {
                return Err(error);
            }
            // the answer was lost, not necessarily the work
            match client.head(bucket, key).await {
                Ok(info) if info.size == Some(total) && info.crc64 == Some(crc) => return Ok(true),
                Ok(info) if is_gone && info.size == Some(total) && info.crc64.is_none() => {
                    return Ok(false);
                }
                _ if is_lost => return Err(error),
                _ => is_lost = true,
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fit_the_numbers_oss_has() {
        assert_eq!(part_size(PART), Some(PART));
        assert_eq!(part_size(10_000 * PART), Some(PART));
        assert_eq!(part_size(10_000 * PART + 1), Some(PART + (1 << 20)));
        assert_eq!(part_size(10_000 * MAX_PART), Some(MAX_PART));
        assert_eq!(part_size(10_000 * MAX_PART + 1), None);
    }
}
