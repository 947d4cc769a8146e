//! Transfers that were stopped before their end: one file each, so that the same copy goes on
//! where it was, after a pause, a broken line or a kill.
//!
//! A file holds names and how far it came, never a value of a secret. While a transfer runs, its
//! file is locked: a second osstack does not write into the same part.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Copy, Doors, Ends, Remote, open_folder, shown};
use crate::base::atomic_file::{self, Lock};
use crate::base::job::{Context, Job, Nothing};
use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::Place;
use crate::ops::world::{World, blocking};
use crate::oss;
use crate::oss::crc64;
use crate::oss::transfer::{Journal, Left};
use crate::ports::entropy::SharedEntropy;

const SCHEMA: u32 = 1;
const MAX_BYTES: u64 = 16 << 20;
/// What is not larger goes in one piece, and has nothing to go on from.
const ONE_PIECE: u64 = oss::transfer::PART;

/// One that was stopped just now may still write down how far it came.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// What one file holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    schema: u32,
    store: String,
    bucket: Option<String>,
    key: String,
    own: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The folder of a download.
    folder: Option<PathBuf>,
    /// The file: of a download below its folder.
    file: PathBuf,
    left: Left,
}

impl Record {
    /// Nothing where the ends cannot be written down, or nothing of it could be left.
    fn of(copy: &Copy, left: Left) -> Option<Self> {
        let (remote, folder, file) = match &copy.ends {
            Ends::Download { from, folder, relative } => {
                (from, Some(std::path::absolute(folder).ok()?), relative.clone())
            }
            Ends::Upload { from, to } => (to, None, std::path::absolute(from).ok()?),
            Ends::Server { .. } => return None,
        };
        folder.as_deref().unwrap_or(Path::new("")).to_str().and(file.to_str())?;
        Some(Self {
            schema: SCHEMA,
            store: remote.place.store.clone(),
            bucket: remote.place.bucket.as_ref().map(ToString::to_string),
            key: remote.key.as_str().to_owned(),
            own: remote.own,
            version: remote.version.clone(),
            folder,
            file,
            left,
        })
    }

    /// What it is of; what does not hold together is nothing.
    fn copy(&self) -> Option<Copy> {
        let bucket = match &self.bucket {
            Some(bucket) => Some(BucketName::parse(bucket).ok()?),
            None => None,
        };
        let place = Place { store: self.store.clone(), bucket };
        let key = ObjectKey::parse(&self.key).ok()?;
        let own = if key.as_str().is_char_boundary(self.own) { self.own } else { 0 };
        let remote = Remote { place, key, own, version: self.version.clone() };
        let (ends, size) = match (&self.left, &self.folder) {
            (Left::Download(left), Some(folder)) => {
                let (folder, relative) = (folder.clone(), self.file.clone());
                (Ends::Download { from: remote, folder, relative }, left.size)
            }
            (Left::Upload(left), None) => {
                (Ends::Upload { from: self.file.clone(), to: remote }, left.size)
            }
            _ => return None,
        };
        Some(Copy { ends, size: Some(size) })
    }

    fn arrived(&self) -> u64 {
        match &self.left {
            Left::Download(left) => left.arrived(),
            // the server knows, and is asked when it goes on
            Left::Upload(_) => 0,
        }
    }
}

/// Where the transfer of `copy` is remembered.
fn path_of(world: &World, copy: &Copy) -> Option<PathBuf> {
    let (kind, remote, local) = match &copy.ends {
        Ends::Download { from, folder, relative } => ("download", from, folder.join(relative)),
        Ends::Upload { from, to } => ("upload", to, from.clone()),
        Ends::Server { .. } => return None,
    };
    let local = std::path::absolute(local).ok()?;
    let bucket = remote.place.bucket.as_ref().map(ToString::to_string).unwrap_or_default();
    let parts = [kind, &remote.place.store, &bucket, remote.key.as_str(), local.to_str()?];
    let version = remote.version.iter().map(String::as_str);
    let parts: Vec<&str> = parts.into_iter().chain(version).collect();
    let name = format!("{:016x}.json", crc64::of(parts.join("\0").as_bytes()));
    Some(world.paths.transfers().join(name))
}

/// One transfer's file, locked.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    copy: Copy,
    entropy: SharedEntropy,
    left: Mutex<Option<Left>>,
    _lock: Lock,
}

impl Entry {
    /// Locks the file of `copy` and reads what was left; `None` where there is nothing to be
    /// remembered.
    pub(super) async fn open(world: &World, copy: &Copy) -> Result<Option<Arc<Self>>, Failure> {
        if copy.size.is_some_and(|size| size <= ONE_PIECE) {
            return Ok(None);
        }
        let Some(path) = path_of(world, copy) else { return Ok(None) };
        let (copy, entropy) = (copy.clone(), Arc::clone(&world.entropy));
        blocking(move || {
            let lock = match atomic_file::lock(&path, LOCK_WAIT, 0o700) {
                Ok(lock) => lock,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    let summary = format!("another osstack is copying {}", copy.source());
                    let failure = Failure::new(FailureKind::File, summary);
                    return Err(failure.hint("let it end, or stop it, and try again"));
                }
                Err(error) => return Err(error.into()),
            };
            let record = read(&path)
                .filter(|record| record.copy().is_some_and(|other| is_same(&other, &copy)));
            let left = Mutex::new(record.map(|record| record.left));
            Ok(Some(Arc::new(Self { path, copy, entropy, left, _lock: lock })))
        })
        .await?
    }
}

/// Whether both are the same transfer, however its folder was named.
fn is_same(one: &Copy, other: &Copy) -> bool {
    let absolute = |path: PathBuf| std::path::absolute(path).ok();
    match (&one.ends, &other.ends) {
        (
            Ends::Download { from, folder, relative },
            Ends::Download { from: other, folder: place, relative: name },
        ) => {
            (&from.place, &from.key) == (&other.place, &other.key)
                && absolute(folder.join(relative)) == absolute(place.join(name))
        }
        (Ends::Upload { from, to }, Ends::Upload { from: file, to: other }) => {
            (&to.place, &to.key) == (&other.place, &other.key)
                && absolute(from.clone()) == absolute(file.clone())
        }
        _ => false,
    }
}

fn read(path: &Path) -> Option<Record> {
    let bytes = atomic_file::read(path, MAX_BYTES).ok()??;
    serde_json::from_slice::<Record>(&bytes).ok().filter(|record| record.schema == SCHEMA)
}

/// Bytes of `copy` that arrived before it was stopped.
pub(super) fn arrived(world: &World, copy: &Copy) -> u64 {
    let is_one_piece = copy.size.is_some_and(|size| size <= ONE_PIECE);
    let path = path_of(world, copy).filter(|_| !is_one_piece);
    path.and_then(|path| read(&path)).map_or(0, |record| record.arrived())
}

impl Journal for Entry {
    fn left(&self) -> Option<Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, left: &Left) {
        let record = Record::of(&self.copy, left.clone());
        let json = record.and_then(|record| serde_json::to_vec(&record).ok());
        if let Some(json) = json {
            let options = atomic_file::Options::default();
            let random = self.entropy.next_u64();
            // a disk that takes no record is no reason to stop: it would begin anew next time
            let _unwritten = atomic_file::write(&self.path, &json, random, &options);
        }
    }

    fn forget(&self) {
        let _left = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _swept_later = atomic_file::remove(&self.path);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // while it is still locked, and only where nothing is left that it guards
        if !self.path.exists() {
            let _swept_later = atomic_file::remove(&lock_of(&self.path));
        }
    }
}

fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// A transfer that was stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// What.
    pub copy: Copy,
    /// Bytes that are known to have arrived.
    pub arrived: u64,
}

/// The transfers that were stopped before their end and do not run now. What there is nothing
/// left of is swept away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListUnfinished;

impl Job<World> for ListUnfinished {
    type Item = Nothing;
    type Out = Result<Vec<Unfinished>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let folder = context.world.paths.transfers();
        blocking(move || {
            let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.sort();
            let is_record = |path: &&PathBuf| path.extension().is_some_and(|end| end == "json");
            paths.iter().filter(is_record).filter_map(|path| unfinished(path)).collect()
        })
        .await
    }
}

fn unfinished(path: &Path) -> Option<Unfinished> {
    // one that runs is not unfinished, and not to be touched
    let _lock = atomic_file::lock(path, Duration::ZERO, 0o700).ok()?;
    let record = read(path)?;
    let copy = record.copy()?;
    let is_gone = match (&copy.ends, &record.left) {
        (Ends::Download { folder, relative, .. }, Left::Download(left)) => {
            let beside = folder.join(relative).with_file_name(&left.part);
            !beside.exists()
        }
        _ => false,
    };
    if is_gone {
        let _next_time = atomic_file::remove(path);
        let _next_time = atomic_file::remove(&lock_of(path));
        return None;
    }
    Some(Unfinished { arrived: record.arrived(), copy })
}

/// Drops what is left of a transfer: the part on this machine, or those in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropUnfinished {
    /// Which; one that left nothing is none.
    pub copies: Vec<Copy>,
}

impl Job<World> for DropUnfinished {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        for copy in &self.copies {
            drop_parts(&context.world, copy).await?;
        }
        Ok(())
    }
}

async fn drop_parts(world: &Arc<World>, copy: &Copy) -> Result<(), Failure> {
    let Some(entry) = Entry::open(world, copy).await? else { return Ok(()) };
    match (entry.left(), &copy.ends) {
        (Some(Left::Download(left)), Ends::Download { folder, relative, .. }) => {
            let (opened, relative) = (open_folder(folder).await?, relative.clone());
            let named = shown(&folder.join(&relative));
            blocking(move || opened.remove_part(&relative, &left.part)).await?.map_err(
                |error| {
                    let summary = format!("cannot remove the part of {named}: {error}");
                    Failure::new(FailureKind::File, summary).hint("remove it by hand")
                },
            )?;
        }
        (Some(Left::Upload(left)), Ends::Upload { to, .. }) => {
            let doors = Doors::open(world, std::slice::from_ref(copy)).await?;
            let (client, bucket) = doors.of(&to.place)?;
            match client.abort_upload(bucket, to.key.as_str(), &left.id).await {
                Err(error) if error.kind != oss::Kind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        _ => {}
    }
    blocking(move || entry.forget()).await
}
