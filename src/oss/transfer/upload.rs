//! Files to objects. A part is read from the file as it is sent, and again where it has to be sent
//! again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};

use super::link::Lane;
use super::parts::{MAX_PARTS, Upload};
use super::sums::Sums;
use super::{Left, Progress, Proof, Run, Transferred, is_resumable, local, on_disk};
use crate::model::bucket::BucketName;
use crate::oss::client::Client;
use crate::oss::crc64;
use crate::oss::error::{Error, Kind};
use crate::oss::object::{PutOptions, UploadedPart, Written};
use crate::oss::payload::{Meter, Slice};
use crate::oss::transport::CHANGED;

const ACTION: &str = "upload the file";
/// Files larger than this go in parts.
pub const PART: u64 = 8 << 20;
/// The largest part OSS takes.
const MAX_PART: u64 = 5 << 30;
/// How often bytes are sent again that did not arrive as they were.
const AGAIN: u32 = 3;
/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(100);

/// What is left of an upload: parts in the bucket, of a file that was so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadLeft {
    /// The server's handle.
    pub id: String,
    /// Of the file, in bytes.
    pub size: u64,
    /// Of the file, in nanoseconds since 1970.
    pub modified: Option<u128>,
    /// Bytes of a part.
    pub part: u64,
}

/// Sends a file, in parts where it is large. A failure or cancellation drops what has arrived,
/// unless a journal remembers it.
pub async fn upload(
    client: &Client,
    file: &Path,
    (bucket, key): (&BucketName, &str),
    options: &PutOptions,
    run: Run<'_>,
) -> Result<Transferred, Error> {
    let cancelled = || Error::cancelled(ACTION);
    let opened = run.cancel.run_until_cancelled(run.link.lane(client)).await;
    let lane = opened.ok_or_else(cancelled)?;
    let local = |error: io::Error| local(ACTION, file, &error);
    let path = file.to_owned();
    let source = on_disk(move || Source::open(&path)).await.map_err(local)?;
    let total = source.length;
    let send = Send { client, bucket, key, options, source: &source, run };
    (run.progress)(Progress { bytes: 0, total: Some(total) });
    if total <= PART {
        let work = run.cancel.run_until_cancelled(send.whole(lane));
        let written = work.await.ok_or_else(cancelled)?.map_err(|error| named(error, file))?;
        let proof = if written.verified { Proof::Crc64 } else { Proof::Length };
        return Ok(Transferred { bytes: total, proof, reused: 0, is_anew: false });
    }
    send.parts(lane).await.map_err(|error| named(error, file))
}

/// Whether an upload that a journal remembers had become the object, and only the answer was
/// lost; for callers that find the key taken.
pub async fn was_completed(
    client: &Client,
    file: &Path,
    (bucket, key): (&BucketName, &str),
    run: Run<'_>,
) -> Result<Option<Transferred>, Error> {
    let Some(Left::Upload(left)) = run.left().await else { return Ok(None) };
    let path = file.to_owned();
    let source = on_disk(move || Source::open(&path)).await;
    let source = source.map_err(|error| local(ACTION, file, &error))?;
    let (bytes, options) = (source.length, &PutOptions::default());
    let send = Send { client, bucket, key, options, source: &source, run };
    Ok(match send.take_up(&left).await? {
        TakenUp::Done => {
            run.forget().await;
            Some(Transferred { bytes, proof: Proof::Crc64, reused: bytes, is_anew: false })
        }
        TakenUp::Nothing | TakenUp::Parts(_) => None,
    })
}

/// What went wrong on this machine names the file.
fn named(error: Error, file: &Path) -> Error {
    if error.kind != Kind::Local {
        return error;
    }
    Error::new(Kind::Local, ACTION, format!("{}: {}", file.display(), error.message))
}

/// Parts of at least 8 MiB, whole MiB, at most 10,000 of them.
fn part_size(total: u64) -> Option<u64> {
    const MIB: u64 = 1 << 20;
    let size = total.div_ceil(MAX_PARTS).div_ceil(MIB).saturating_mul(MIB).max(PART);
    (size <= MAX_PART).then_some(size)
}

/// A file that must stay as it is while it is read.
struct Source {
    file: Arc<File>,
    length: u64,
    modified: Option<SystemTime>,
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let facts = std::fs::metadata(path)?;
        if !facts.is_file() {
            // not opened at all: a pipe would wait for whoever writes to it
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is no regular file"));
        }
        let file = File::open(path)?;
        let facts = file.metadata()?;
        Ok(Self { file: Arc::new(file), length: facts.len(), modified: facts.modified().ok() })
    }

    fn unchanged(&self) -> Result<(), Error> {
        let facts = self.file.metadata();
        let is_same = facts.is_ok_and(|facts| {
            facts.len() == self.length && facts.modified().ok() == self.modified
        });
        if is_same { Ok(()) } else { Err(Error::new(Kind::Local, ACTION, CHANGED)) }
    }

    /// As it is remembered.
    fn left(&self, id: String, part: u64) -> UploadLeft {
        let since = self.modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        UploadLeft { id, size: self.length, modified: since.map(|at| at.as_nanos()), part }
    }
}

#[derive(Clone, Copy)]
struct Send<'a> {
    client: &'a Client,
    bucket: &'a BucketName,
    key: &'a str,
    options: &'a PutOptions,
    source: &'a Source,
    run: Run<'a>,
}

/// What has been sent, and the checksum of each part of the file.
#[derive(Default)]
struct Parts {
    sent: BTreeMap<u32, (UploadedPart, u64)>,
}

impl Parts {
    fn bytes(&self) -> u64 {
        self.sent.values().filter_map(|(part, _)| part.size).sum()
    }

    fn crc(&self) -> u64 {
        self.sent.values().fold(crc64::of(b""), |crc, (part, own)| {
            crc64::joined(crc, *own, part.size.unwrap_or_default())
        })
    }

    fn list(&self) -> Vec<UploadedPart> {
        self.sent.values().map(|(part, _)| part.clone()).collect()
    }
}

impl Send<'_> {
    fn slice(&self, offset: u64, length: u64, meter: &Arc<Meter>) -> Slice {
        let (file, limit) = (Arc::clone(&self.source.file), self.run.link.limit());
        Slice::new(file, offset, length, Arc::clone(meter), limit)
    }

    /// Tells how far it is while `work` goes on.
    async fn watched<T>(&self, meter: &Meter, work: impl Future<Output = T>) -> T {
        let total = self.source.length;
        let mut looks = tokio::time::interval(LOOK);
        let mut work = std::pin::pin!(work);
        loop {
            let done = tokio::select! {
                biased;
                done = &mut work => Some(done),
                _ = looks.tick() => None,
            };
            (self.run.progress)(Progress { bytes: meter.value(), total: Some(total) });
            if let Some(done) = done {
                return done;
            }
        }
    }

    /// In one piece.
    async fn whole(&self, mut lane: Lane) -> Result<Written, Error> {
        let Self { client, bucket, key, options, source, .. } = self;
        let meter = Arc::default();
        let slice = self.slice(0, source.length, &meter);
        let mut tries = 0;
        loop {
            let file = slice.clone();
            let md5 = on_disk(move || file.content_md5()).await;
            let md5 = md5.map_err(|error| Error::new(Kind::Local, ACTION, error.to_string()))?;
            let work = client.put_file(bucket, key, (&slice, md5), options);
            let written = self.watched(&meter, work).await;
            source.unchanged()?;
            match written {
                Err(error) if error.kind == Kind::Corrupt && tries < AGAIN => tries += 1,
                written => {
                    let written = written?;
                    lane.carried(source.length);
                    return Ok(written.value);
                }
            }
        }
    }

    /// In parts, some of which may have arrived before.
    async fn parts(&self, lane: Lane) -> Result<Transferred, Error> {
        let Self { client, bucket, key, options, source, run } = self;
        let (total, cancel) = (source.length, run.cancel);
        let part = part_size(total).ok_or_else(|| {
            Error::new(Kind::Refused, ACTION, "OSS takes 10,000 parts of 5 GiB, and this is more")
        })?;
        let cancelled = || Error::cancelled(ACTION);
        let former = match run.left().await {
            Some(Left::Upload(left)) => Some(left),
            _ => None,
        };
        let taken_up = match &former {
            Some(left) => {
                let taken_up = cancel.run_until_cancelled(self.take_up(left)).await;
                taken_up.ok_or_else(cancelled)??
            }
            None => TakenUp::Nothing,
        };
        let is_anew = former.is_some() && matches!(taken_up, TakenUp::Nothing);
        let (left, mut parts) = match (taken_up, former) {
            (TakenUp::Done, _) => {
                run.forget().await;
                return Ok(Transferred {
                    bytes: total,
                    proof: Proof::Crc64,
                    reused: total,
                    is_anew,
                });
            }
            (TakenUp::Parts(parts), Some(left)) => (left, parts),
            (_, former) => {
                if let Some(UploadLeft { id, .. }) = former {
                    Upload { client, to: (bucket, key), id: &id }.drop_parts().await;
                }
                let begun = client.create_upload(bucket, key, options);
                let id = cancel.run_until_cancelled(begun).await.ok_or_else(cancelled)??.value;
                (source.left(id, part), Parts::default())
            }
        };
        run.note(Left::Upload(left.clone())).await;
        let reused = parts.bytes();
        let sent = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(cancelled()),
            sent = self.send(&left, &mut parts, lane) => sent,
        };
        match sent {
            Ok(is_verified) => {
                run.forget().await;
                let proof = if is_verified { Proof::Crc64 } else { Proof::Length };
                Ok(Transferred { bytes: total, proof, reused, is_anew })
            }
            Err(error) => {
                let is_same = source.unchanged().is_ok();
                if run.journal.is_none() || !is_same || !is_resumable(&error) {
                    run.forget().await;
                    Upload { client, to: (bucket, key), id: &left.id }.drop_parts().await;
                }
                Err(error)
            }
        }
    }

    /// What has arrived already of this very file, by the server's own list and the bytes here.
    async fn take_up(&self, left: &UploadLeft) -> Result<TakenUp, Error> {
        let Self { client, bucket, key, source, .. } = self;
        if *left != source.left(left.id.clone(), left.part) || left.part < PART {
            return Ok(TakenUp::Nothing);
        }
        let listed = match client.list_parts(bucket, key, &left.id).await {
            Ok(listed) => listed,
            // the upload is gone: it was dropped, or it was completed and the answer lost
            Err(error) if error.kind == Kind::NotFound => {
                return Ok(if self.is_there().await { TakenUp::Done } else { TakenUp::Nothing });
            }
            Err(error) => return Err(error),
        };
        let (file, left, total) = (Arc::clone(&source.file), left.clone(), source.length);
        let found = on_disk(move || {
            let mut parts = Parts::default();
            for part in listed {
                let offset = u64::from(part.number.saturating_sub(1)).saturating_mul(left.part);
                let length = left.part.min(total.saturating_sub(offset));
                if part.number == 0 || length == 0 || part.size != Some(length) {
                    continue;
                }
                let sums = Sums::of(&file, offset, length)?;
                if part.etag.eq_ignore_ascii_case(&hex::encode(sums.md5)) {
                    parts.sent.insert(part.number, (part, sums.crc64));
                }
            }
            Ok(parts)
        });
        let found = found.await.map_err(|error| Error::new(Kind::Local, ACTION, error.to_string()));
        Ok(TakenUp::Parts(found?))
    }

    /// Whether the object holds what the file does.
    async fn is_there(&self) -> bool {
        let Self { client, bucket, key, source, .. } = self;
        let Ok(info) = client.head(bucket, *key).await else { return false };
        if info.size != Some(source.length) {
            return false;
        }
        let (file, length) = (Arc::clone(&source.file), source.length);
        let sums = on_disk(move || Sums::of(&file, 0, length)).await;
        sums.is_ok_and(|sums| info.crc64 == Some(sums.crc64))
    }

    /// All parts that are missing, as many at a time as the line has lanes; then the object.
    /// Answers whether its checksum was compared.
    async fn send(&self, left: &UploadLeft, parts: &mut Parts, lane: Lane) -> Result<bool, Error> {
        let Self { client, bucket, key, source, run, .. } = self;
        let meter = Arc::new(Meter::default());
        meter.add(parts.bytes());
        let send = async |number: u32, mut lane: Lane| {
            let offset = u64::from(number - 1) * left.part;
            let length = left.part.min(source.length - offset);
            let slice = self.slice(offset, length, &meter);
            let mut tries = 0;
            loop {
                match client.upload_part_of_file(bucket, key, &left.id, number, &slice).await {
                    Err(error) if error.kind == Kind::Corrupt && tries < AGAIN => tries += 1,
                    sent => {
                        lane.carried(length);
                        return Ok::<_, Error>((number, sent?.value, slice.crc()));
                    }
                }
            }
        };
        let count = u32::try_from(source.length.div_ceil(left.part)).unwrap_or(u32::MAX);
        let missing: Vec<u32> = (1..=count).filter(|n| !parts.sent.contains_key(n)).collect();
        let work = async {
            let mut waiting = missing.into_iter().peekable();
            let mut under_way = FuturesUnordered::new();
            let mut first = Some(lane);
            loop {
                if let Some(lane) = first.take()
                    && let Some(number) = waiting.next()
                {
                    under_way.push(send(number, lane));
                }
                tokio::select! {
                    biased;
                    part = under_way.next() => {
                        let Some(part) = part else { break Ok(()) };
                        let (number, part, crc) = part?;
                        parts.sent.insert(number, (part, crc));
                    }
                    lane = run.link.lane(client), if waiting.peek().is_some() => {
                        first = Some(lane);
                    }
                }
            }
        };
        let all: Result<(), Error> = self.watched(&meter, work).await;
        all?;
        source.unchanged()?;
        let upload = Upload { client, to: (bucket, key), id: &left.id };
        upload.complete(&parts.list(), Some(parts.crc()), source.length).await
    }
}

/// What there is to go on with.
enum TakenUp {
    /// Nothing: it begins anew.
    Nothing,
    /// These parts.
    Parts(Parts),
    /// All of it.
    Done,
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
