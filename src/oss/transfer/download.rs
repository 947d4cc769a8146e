//! Objects to files. The first answer tells size and `ETag`; what is larger than a piece is then
//! fetched by several ranges at a time, all of the same `ETag`, each written where it belongs. What
//! fits into memory is written in one go.

mod held;
mod left;
mod pour;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::folder::Part;
use super::link::Lane;
use super::{Folder, Left, Overwrite, Progress, Proof, Run, Transferred, Unsynced};
use super::{is_resumable, local, on_disk};
use crate::model::bucket::BucketName;
use crate::oss::client::{Client, Stretch};
use crate::oss::error::{Error, Kind};
use crate::oss::object::ObjectInfo;
use crate::oss::retry::{self, Repeat};
use crate::oss::versions::At;

pub use left::DownloadLeft;
use left::{crc_of, md5_of, md5_of_etag};
use pour::Pour;

const ACTION: &str = "download the object";
/// Bytes of one range.
const PIECE: u64 = 8 << 20;
/// Bytes that are written at a time; twice as many lie in memory for each range.
const BATCH: usize = 256 << 10;
/// Chunks that are written at a time: Linux takes 1,024 (`IOV_MAX`).
const CHUNKS: usize = 512;
/// How often an object that changes while it is read is begun anew.
const ANEW: u32 = 3;
/// Between two looks of the journal at how far it is.
const NOTED: Duration = Duration::from_secs(1);

/// Brings an object to `relative` below `folder`. Until it is complete it lies beside its place
/// as `.name.<random>.part`, which goes away on failure and cancellation, unless a journal
/// remembers it.
pub async fn download(
    client: &Client,
    (bucket, object): (&BucketName, impl Into<At<'_>>),
    (folder, relative): (&Folder, &Path),
    overwrite: Overwrite,
    run: Run<'_>,
) -> Result<Transferred, Error> {
    let object = object.into();
    let fetch = Fetch { client, bucket, object, folder, relative, overwrite, run };
    let cancelled = run.cancel.cancelled();
    let lane = tokio::select! {
        biased;
        () = cancelled => return Err(Error::cancelled(ACTION)),
        lane = run.link.lane(client) => lane,
    };
    fetch.all(lane).await
}

#[derive(Clone, Copy)]
struct Fetch<'a> {
    client: &'a Client,
    bucket: &'a BucketName,
    object: At<'a>,
    folder: &'a Folder,
    relative: &'a Path,
    overwrite: Overwrite,
    run: Run<'a>,
}

impl Fetch<'_> {
    async fn all(self, lane: Lane) -> Result<Transferred, Error> {
        let mut left = match self.run.left().await {
            Some(Left::Download(left)) if left.piece > 0 => Some(left),
            _ => None,
        };
        if let Some(done) = self.was_published(left.as_ref()).await {
            self.run.forget().await;
            return Ok(done);
        }
        let mut lane = Some(lane);
        let mut is_anew = false;
        let mut attempts = 0;
        loop {
            let outcome = self.once(left.take(), lane.take(), is_anew).await;
            attempts += 1;
            match outcome {
                // the object is another one by now
                Err(error) if has_changed(&error) && attempts < ANEW => is_anew = true,
                outcome => return outcome,
            }
        }
    }

    /// Where it was killed after the file had got its name, that is known by its checksum.
    async fn was_published(self, left: Option<&DownloadLeft>) -> Option<Transferred> {
        let left = left?;
        let (size, due) = (left.size, left.crc64?);
        if self.folder.has_part(self.relative, &left.part) {
            return None;
        }
        let file = self.folder.read(self.relative).ok()?;
        let length = file.metadata().ok()?.len();
        let crc = on_disk(move || crc_of(&file, 0, size)).await.ok()?;
        (length == size && crc == Some(due)).then_some(Transferred {
            bytes: size,
            proof: Proof::Crc64,
            reused: size,
            is_anew: false,
        })
    }

    async fn once(
        self,
        left: Option<DownloadLeft>,
        mut lane: Option<Lane>,
        is_anew: bool,
    ) -> Result<Transferred, Error> {
        let local = |error: io::Error| local(ACTION, self.relative, &error);
        let found = left.and_then(|left| {
            let part = self.folder.reopen(self.relative, &left.part, self.overwrite).ok()?;
            Some((part, left))
        });
        let (part, first, left) = if let Some((part, mut left)) = found {
            let file = part.file().map_err(local)?;
            let looked = on_disk(move || left.look_through(&file).map(|()| left)).await;
            (part, None, Some(looked.map_err(local)?))
        } else {
            self.folder.refuse_taken(self.relative, self.overwrite).map_err(local)?;
            let first = self.until_cancelled(self.ask(lane.take())).await?;
            if first.0.is_small() {
                let done = self.hold(first).await;
                self.run.forget().await;
                return done.map(|done| Transferred { is_anew, ..done });
            }
            let entropy = self.client.entropy();
            let part = self.folder.part(self.relative, self.overwrite, &**entropy);
            (part.map_err(local)?, Some(first), None)
        };
        let file = Arc::new(part.file().map_err(local)?);
        let mut sheet = Sheet::new(self, Some(file), left);
        let done = self.until_cancelled(Box::pin(sheet.fill(&part, first, lane))).await;
        let noting = sheet.noting().take();
        if let Some(noting) = noting {
            // not to be overtaken by what is written down at the end, also after a stop
            let _noted = noting.await;
        }
        match done {
            Ok((bytes, proof)) => {
                drop(sheet.file);
                let (overwrite, reused) = (self.overwrite, sheet.reused);
                let unsynced = self.run.unsynced.map(Arc::clone);
                let published =
                    on_disk(move || publish(part, overwrite, unsynced.as_deref())).await;
                self.run.forget().await;
                published.map_err(local)?;
                Ok(Transferred { bytes, proof, reused, is_anew })
            }
            Err(error) => {
                let keeps =
                    self.run.journal.is_some() && is_resumable(&error) && !has_changed(&error);
                match sheet.state() {
                    Some(left) if keeps && left.count() > 1 => {
                        self.run.note(Left::Download(left)).await;
                        part.keep();
                    }
                    _ => self.run.forget().await,
                }
                Err(error)
            }
        }
    }

    async fn until_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let done = self.run.cancel.run_until_cancelled(work).await;
        done.unwrap_or_else(|| Err(Error::cancelled(ACTION)))
    }

    /// Asks for the first piece; all of it may be no more than that.
    async fn ask(self, lane: Option<Lane>) -> Result<(Stretch, Lane), Error> {
        let lane = match lane {
            Some(lane) => lane,
            None => self.run.link.lane(self.client).await,
        };
        let stretch = match self.open(0, PIECE, None).await {
            // of nothing there is no first piece
            Err(error) if error.status == Some(416) => self.whole().await?,
            other => other?,
        };
        (self.run.progress)(Progress { bytes: 0, total: stretch.info.size });
        Ok((stretch, lane))
    }

    async fn open(&self, from: u64, to: u64, etag: Option<&str>) -> Result<Stretch, Error> {
        let Self { client, bucket, object, .. } = self;
        Ok(client.get_stretch(bucket, *object, from..to, etag).await?.value)
    }

    async fn whole(&self) -> Result<Stretch, Error> {
        let all = self.client.get(self.bucket, self.object, None).await?.value;
        Ok(Stretch { info: all.info, body: all.body, skip: 0, is_whole: true })
    }
}

/// Gives a file its name, for good: at once, or once the folders of many are synced.
fn publish(part: Part, overwrite: Overwrite, unsynced: Option<&Unsynced>) -> io::Result<()> {
    let folder = part.publish(overwrite)?;
    match unsynced {
        Some(unsynced) => unsynced.add(folder),
        None => Ok(rustix::fs::fsync(folder)?),
    }
}

/// Not the object that was begun with.
fn has_changed(error: &Error) -> bool {
    error.status == Some(412) || error.message == CHANGED
}

const CHANGED: &str = "the object changed while it was read";

/// That an answer is of the object that was begun with; for servers that do not look.
fn belongs(info: &ObjectInfo, left: &DownloadLeft) -> Result<(), Error> {
    let is_same = info.etag == left.etag && info.size == Some(left.size);
    if is_same { Ok(()) } else { Err(Error::new(Kind::Retry, ACTION, CHANGED)) }
}

/// A file that fills.
struct Sheet<'a> {
    fetch: Fetch<'a>,
    /// Nothing where what comes is [held].
    file: Option<Arc<File>>,
    /// One writes at a time: Linux locks a file for each write, and others would spin for it.
    pen: Arc<Mutex<()>>,
    arrived: AtomicU64,
    /// Once the size is known.
    left: Option<DownloadLeft>,
    /// The pieces that are there by now, each with its checksum.
    done: Mutex<BTreeMap<u64, u64>>,
    reused: u64,
    /// What is being written down of it.
    noting: Mutex<Option<JoinHandle<()>>>,
}

impl<'a> Sheet<'a> {
    fn new(fetch: Fetch<'a>, file: Option<Arc<File>>, left: Option<DownloadLeft>) -> Self {
        Self {
            fetch,
            file,
            pen: Arc::default(),
            arrived: AtomicU64::new(0),
            left,
            done: Mutex::default(),
            reused: 0,
            noting: Mutex::default(),
        }
    }

    /// All of the object, checked.
    async fn fill(
        &mut self,
        part: &Part,
        first: Option<(Stretch, Lane)>,
        lane: Option<Lane>,
    ) -> Result<(u64, Proof), Error> {
        let begun = match first {
            Some(first) => Some(self.begin(part, first).await?),
            None => self.resume(lane).await?,
        };
        let Some(left) = self.left.clone() else {
            // no more than a piece, or a server that knows no ranges
            let Some((_, stretch, lane)) = begun else { return Err(corrupt("size")) };
            let ObjectInfo { size, crc64: due, etag, .. } = stretch.info.clone();
            let pour = self.piece((0, size), stretch, lane).await?;
            let (crc, bytes) = (pour.crc.value(), pour.at);
            return self.checked(Came { bytes, crc, size, due, etag }).await;
        };
        if let Some(first) = begun {
            self.missing(&left, first).await?;
        }
        let left = self.state().unwrap_or(left);
        let (crc, bytes) = (left.crc(), left.arrived());
        let DownloadLeft { size, crc64: due, etag, .. } = left;
        self.checked(Came { bytes, crc, size: Some(size), due, etag }).await
    }

    /// How far it is by now.
    fn state(&self) -> Option<DownloadLeft> {
        let done = self.done().clone();
        self.left.as_ref().map(|left| DownloadLeft { done, ..left.clone() })
    }

    fn done(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noting(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.noting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches the pieces that are missing, as many at a time as the line has lanes.
    async fn missing(
        &self,
        left: &DownloadLeft,
        (first, stretch, lane): (u64, Stretch, Lane),
    ) -> Result<(), Error> {
        let Fetch { client, run, .. } = self.fetch;
        let is_missing = |index: &u64| *index != first && !left.done.contains_key(index);
        let mut waiting = (0..left.count()).filter(is_missing).peekable();
        let fetch = async |index: u64, stretch: Option<Stretch>, lane: Lane| {
            let (from, to) = left.bounds(index);
            let stretch = match stretch {
                Some(stretch) => stretch,
                None => self.fetch.open(from, to, left.etag.as_deref()).await?,
            };
            belongs(&stretch.info, left)?;
            let pour = self.piece((from, Some(to)), stretch, lane).await?;
            self.done().insert(index, pour.crc.value());
            Ok::<_, Error>(())
        };
        let mut noted = Instant::now();
        let mut flushing: Option<JoinHandle<()>> = None;
        let mut under_way = FuturesUnordered::new();
        under_way.push(fetch(first, Some(stretch), lane));
        loop {
            tokio::select! {
                biased;
                piece = under_way.next() => match piece {
                    None => return Ok(()),
                    Some(Err(error)) => return Err(error),
                    Some(Ok(())) => {
                        if let Some(file) = &self.file
                            && flushing.as_ref().is_none_or(JoinHandle::is_finished)
                        {
                            let file = Arc::clone(file);
                            // the disk begins while bytes still come: the wait at the end is short,
                            // and it is the one that counts
                            flushing = Some(tokio::task::spawn_blocking(move || {
                                let _at_the_end = file.sync_data();
                            }));
                        }
                        let is_idle = self.noting().as_ref().is_none_or(JoinHandle::is_finished);
                        if is_idle
                            && noted.elapsed() >= NOTED
                            && let (Some(journal), Some(now)) = (run.journal, self.state())
                        {
                            noted = Instant::now();
                            let journal = Arc::clone(journal);
                            *self.noting() = Some(tokio::task::spawn_blocking(move || {
                                journal.note(&Left::Download(now));
                            }));
                        }
                    }
                },
                lane = run.link.lane(client), if waiting.peek().is_some() => {
                    if let Some(index) = waiting.next() {
                        under_way.push(fetch(index, None, lane));
                    }
                }
            }
        }
    }

    /// Asks for the first piece that is missing; `None` where none is.
    async fn resume(&mut self, lane: Option<Lane>) -> Result<Option<(u64, Stretch, Lane)>, Error> {
        let Fetch { client, run, .. } = self.fetch;
        let Some(left) = self.left.take() else { return Ok(None) };
        let lane = match lane {
            Some(lane) => lane,
            None => run.link.lane(client).await,
        };
        let first = (0..left.count()).find(|index| !left.done.contains_key(index));
        let (from, to) = left.bounds(first.unwrap_or(0));
        // asked also where all is there: the object may be another one by now
        let stretch = self.fetch.open(from, to, left.etag.as_deref()).await?;
        belongs(&stretch.info, &left)?;
        self.done().clone_from(&left.done);
        self.reused = left.arrived();
        self.arrived.store(self.reused, Ordering::Relaxed);
        let total = Some(left.size);
        (run.progress)(Progress { bytes: self.reused, total });
        self.left = Some(left);
        Ok(first.map(|first| (first, stretch, lane)))
    }

    /// Remembers what there is to know of an object that is begun with.
    async fn begin(
        &mut self,
        part: &Part,
        (stretch, lane): (Stretch, Lane),
    ) -> Result<(u64, Stretch, Lane), Error> {
        let run = self.fetch.run;
        let info = &stretch.info;
        if let Some(size) = info.size {
            self.fetch.folder.has_room(size).map_err(|error| self.local(&error))?;
            if size > PIECE && !stretch.is_whole {
                let left = DownloadLeft {
                    part: part.name().to_owned(),
                    size,
                    etag: info.etag.clone(),
                    crc64: info.crc64,
                    piece: PIECE,
                    done: BTreeMap::new(),
                };
                run.note(Left::Download(left.clone())).await;
                self.left = Some(left);
            }
        }
        Ok((0, stretch, lane))
    }

    fn local(&self, error: &io::Error) -> Error {
        local(ACTION, self.fetch.relative, error)
    }

    /// Puts the bytes of a piece where they belong, asking again for what breaks off.
    async fn piece(
        &self,
        (from, to): (u64, Option<u64>),
        stretch: Stretch,
        mut lane: Lane,
    ) -> Result<Pour, Error> {
        let etag = stretch.info.etag.clone();
        let mut pour = Pour::from(from);
        let mut stretch = Ok(stretch);
        let mut tries = 0;
        loop {
            let before = pour.at;
            let poured = match stretch {
                Ok(stretch) if stretch.info.etag != etag => {
                    return Err(Error::new(Kind::Retry, ACTION, CHANGED));
                }
                Ok(stretch) => self.pour(&mut pour, to, stretch, &mut lane).await,
                Err(error) => Err(error),
            };
            let error = match poured {
                Ok(()) => return Ok(pour),
                Err(error) => error,
            };
            tries = if pour.at > before { 0 } else { tries + 1 };
            let may_pass = to.is_some() && retry::may_pass(&error, Repeat::Always);
            if !may_pass || tries >= retry::TRIES {
                return Err(error);
            }
            let entropy = self.fetch.client.entropy();
            tokio::time::sleep(retry::pause(tries, entropy.next_u64(), error.retry_after)).await;
            stretch = self.fetch.open(pour.at, to.unwrap_or(u64::MAX), etag.as_deref()).await;
        }
    }

    /// Takes what one answer brings.
    async fn pour(
        &self,
        pour: &mut Pour,
        to: Option<u64>,
        stretch: Stretch,
        lane: &mut Lane,
    ) -> Result<(), Error> {
        let Stretch { info, mut body, mut skip, .. } = stretch;
        let total = info.size;
        let mut batch = Vec::new();
        let mut gathered = 0;
        let read = loop {
            let missing = to.map(|to| to - pour.at - gathered as u64);
            if missing == Some(0) {
                break Ok(());
            }
            let mut chunk = match body.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if missing.is_none() => break Ok(()),
                Ok(None) => {
                    let arrived = pour.at + gathered as u64;
                    let message = format!("{arrived} bytes came, and more belong there");
                    break Err(Error::new(Kind::Truncated, ACTION, message));
                }
                Err(error) => break Err(error),
            };
            let passed = skip.min(chunk.len() as u64);
            skip -= passed;
            let mut chunk = chunk.split_off(usize::try_from(passed).unwrap_or(usize::MAX));
            chunk.truncate(
                missing
                    .map_or(usize::MAX, |missing| usize::try_from(missing).unwrap_or(usize::MAX)),
            );
            let length = chunk.len();
            gathered += length;
            batch.push(chunk);
            self.tell(length as u64, total, lane);
            lane.hold_back(length as u64).await;
            if gathered >= BATCH || batch.len() >= CHUNKS {
                gathered = 0;
                self.put(pour, std::mem::take(&mut batch)).await?;
            }
        };
        self.put(pour, batch).await?;
        pour.settle().await.map_err(|error| self.local(&error))?;
        read
    }

    async fn put(&self, pour: &mut Pour, batch: Vec<Bytes>) -> Result<(), Error> {
        let Some(file) = &self.file else {
            pour.hold(batch);
            return Ok(());
        };
        pour.write((file, &self.pen), batch).await.map_err(|error| self.local(&error))
    }

    fn tell(&self, bytes: u64, total: Option<u64>, lane: &mut Lane) {
        lane.carried(bytes);
        let arrived = self.arrived.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (self.fetch.run.progress)(Progress { bytes: arrived, total });
    }

    /// Compares what lies in the file with what the server says of the object.
    async fn checked(&self, came: Came) -> Result<(u64, Proof), Error> {
        let file = self.file.clone();
        let md5 = move || file.as_deref().map_or(Err(io::ErrorKind::NotFound.into()), md5_of);
        let (bytes, checked) = (came.bytes, on_disk(move || came.checked(md5)).await);
        Ok((bytes, checked.map_err(|error| self.local(&error))??))
    }
}

/// What came, and what the server says of it.
struct Came {
    bytes: u64,
    crc: u64,
    size: Option<u64>,
    due: Option<u64>,
    etag: Option<String>,
}

impl Came {
    /// By what is known that it is the object; its MD5 is asked for only where that tells.
    fn checked(
        self,
        md5: impl FnOnce() -> io::Result<[u8; 16]>,
    ) -> io::Result<Result<Proof, Error>> {
        let Self { bytes, crc, size, due, etag } = self;
        if size.is_some_and(|size| size != bytes) {
            let message = format!("{bytes} bytes came, and {} belong there", size.unwrap_or(0));
            return Ok(Err(Error::new(Kind::Truncated, ACTION, message)));
        }
        if let Some(due) = due {
            return Ok(if due == crc { Ok(Proof::Crc64) } else { Err(corrupt("CRC-64")) });
        }
        let Some(due) = etag.as_deref().and_then(md5_of_etag) else {
            return Ok(Ok(Proof::Length));
        };
        Ok(if md5()? == due { Ok(Proof::Md5) } else { Err(corrupt("MD5")) })
    }
}

fn corrupt(sum: &str) -> Error {
    let message = format!("the bytes that came are not those of the object ({sum} differs)");
    Error::new(Kind::Corrupt, ACTION, message)
}
