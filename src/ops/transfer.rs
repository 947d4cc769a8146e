//! Copying between this machine and buckets, and within buckets.
//!
//! [`PlanCopies`] turns what a user types into [`struct@Copy`]s, each one file or object with both ends
//! named; [`RunCopy`] does one, [`RunCopies`] many. Nothing that exists is replaced unless that
//! was said, and a download never leaves the folder it was given.

mod emptied;
mod journal;
mod many;
mod plan;
mod room;
mod source;
mod sync;
mod taken;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use crate::base::job::{Context, Job};
use crate::base::visible::{Visible, visible};
use crate::model::bucket::BucketName;
use crate::model::local_path::{Reason, local_path};
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::oss::object::PutOptions;
use crate::oss::transfer::link::{Link, MOST};
use crate::oss::transfer::{self, Folder, Journal, Overwrite, Pieces, Run, Transferred, Unsynced};
use crate::oss::versions::At;
use crate::oss::{self, Client};

use super::failure::{Failure, FailureKind};
use super::objects::Place;
use super::world::{World, blocking};

use taken::Taken;

pub use emptied::{RemoveEmptied, Walked, emptied};
pub use journal::{DropUnfinished, ListUnfinished, Unfinished};
pub use many::{Many, RunMany, Stage, Sum, Target};
pub use plan::{Copies, PlanCopies, Skipped};
pub use room::CheckRoom;
pub use sync::{DeleteExtra, Deleted, Differences, Extra, PlanSync};

/// Copies at a time: more than there are requests, so that the disk is waited for by some while
/// others are on their way.
const AT_A_TIME: usize = 4 * MOST;

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// Bytes of the key that are the store's own prefix, which people do not type.
    pub own: usize,
    /// Which version of it, where that is not the current one.
    pub version: Option<String>,
}

/// One file or object to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// From where to where.
    pub ends: Ends,
    /// Bytes, where they are known beforehand.
    pub size: Option<u64>,
}

/// From where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// To this machine.
    Download {
        /// The object.
        from: Remote,
        /// The folder that is not left; made where it is not there.
        folder: PathBuf,
        /// The file below it.
        relative: PathBuf,
    },
    /// From this machine.
    Upload {
        /// The file.
        from: PathBuf,
        /// The object it becomes.
        to: Remote,
    },
    /// On the server, without passing this machine.
    Server {
        /// The object.
        from: Remote,
        /// What it becomes.
        to: Remote,
    },
}

impl Copy {
    /// The download of an object into `folder`, under the last part of its key made a file name.
    pub fn download(from: Remote, folder: impl Into<PathBuf>) -> Result<Self, Reason> {
        let relative = local_path(from.key.file_name())?.as_path().to_owned();
        let ends = Ends::Download { from, folder: folder.into(), relative };
        Ok(Self { ends, size: None })
    }

    /// The upload of a file.
    pub fn upload(from: impl Into<PathBuf>, to: Remote) -> Self {
        Self { ends: Ends::Upload { from: from.into(), to }, size: None }
    }

    /// From where to where, exactly: for JSON alone, since nothing of it is made showable.
    pub fn exact(&self) -> (String, String) {
        let local = |path: &Path| path.to_string_lossy().into_owned();
        match &self.ends {
            Ends::Download { from, folder, relative } => {
                (from.typed(), local(&folder.join(relative)))
            }
            Ends::Upload { from, to } => (local(from), to.typed()),
            Ends::Server { from, to } => (from.typed(), to.typed()),
        }
    }

    /// What it will be called where it goes, showable.
    pub fn name(&self) -> String {
        let destination = self.exact().1;
        let name = destination.rsplit('/').find(|part| !part.is_empty());
        visible(name.unwrap_or(&destination)).into_string()
    }

    /// Where from, showable.
    pub fn source(&self) -> String {
        visible(&self.exact().0).into_string()
    }

    /// Where to, showable.
    pub fn destination(&self) -> String {
        visible(&self.exact().1).into_string()
    }
}

impl Remote {
    /// The object `key`, whole, in the bucket of `store`.
    pub fn in_store(store: &ArtifactStore, key: ObjectKey) -> Self {
        Self::at(Place::of(store.name.as_str()), Some(store), key)
    }

    /// The object `key`, whole, in `place`; `store` is what the catalog says of the place's store,
    /// where it was read.
    pub fn at(place: Place, store: Option<&ArtifactStore>, key: ObjectKey) -> Self {
        let prefix = store.map(ArtifactStore::key_prefix).unwrap_or_default();
        let is_below = place.bucket.is_none() && key.as_str().starts_with(&prefix);
        let own = if is_below { prefix.len() } else { 0 };
        Self { place, key, own, version: None }
    }

    /// The version `id` of it.
    #[must_use]
    pub fn of_version(self, id: String) -> Self {
        Self { version: Some(id), ..self }
    }

    /// As calls name it.
    pub fn named(&self) -> At<'_> {
        At { key: self.key.as_str(), version: self.version.as_deref() }
    }

    /// The whole key, and which version of it, showable.
    pub fn whole(&self) -> Visible {
        match &self.version {
            None => visible(self.key.as_str()),
            Some(id) => visible(&format!("{} (version {id})", self.key.as_str())),
        }
    }

    /// As it can be typed again, showable.
    pub fn shown(&self) -> String {
        visible(&self.typed()).into_string()
    }

    /// As it can be typed again: `STORE:KEY`, or `s3://BUCKET/KEY` in a bucket that is not the
    /// store's own.
    pub(super) fn typed(&self) -> String {
        if let Some(bucket) = &self.place.bucket {
            return format!("s3://{bucket}/{}", self.key.as_str());
        }
        let key = self.key.as_str().get(self.own..).unwrap_or_default();
        format!("{}:{key}", self.place.store)
    }
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_string()
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that have arrived.
    pub done: u64,
    /// Of how many, where known.
    pub total: Option<u64>,
    /// What is under way, showable.
    pub current: String,
}

/// Copies one file or object. A name that is taken is a [`FailureKind::Conflict`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCopy {
    /// What.
    pub copy: Copy,
    /// Whether what is there may be replaced.
    pub overwrite: bool,
}

impl Job<World> for RunCopy {
    type Item = Progress;
    type Out = Result<Transferred, Failure>;

    async fn run(self, context: Context<World, Progress>) -> Self::Out {
        let doors = Doors::open(&context.world, std::slice::from_ref(&self.copy)).await?;
        let current = self.copy.source();
        let tell = |progress: transfer::Progress| {
            let transfer::Progress { bytes: done, total } = progress;
            context.report_if_ready(Progress { done, total, current: current.clone() });
        };
        doors.copy(&self.copy, self.overwrite, &tell, &context.cancel).await
    }
}

/// Copies or moves many, a few at a time. One that fails does not keep the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCopies {
    /// What.
    pub copies: Vec<Copy>,
    /// Whether the sources go, each once its copy is there and was held against it.
    pub moves: bool,
    /// Whether what is there may be replaced.
    pub overwrite: bool,
    /// The most that all of them together take of the line, in bytes a second.
    pub limit: Option<u64>,
}

/// What [`RunCopies`] reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyEvent {
    /// How far all of it is; may be left out where the listener is behind.
    Progress(Progress),
    /// One is at its end.
    Ended {
        /// Which.
        copy: Box<Copy>,
        /// What became of it.
        result: Result<Transferred, Failure>,
        /// Why a source that was to go is still there, though it was copied.
        stays: Option<Failure>,
    },
}

impl Job<World> for RunCopies {
    type Item = CopyEvent;
    /// A failure means that none was begun; how each fared was reported.
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, CopyEvent>) -> Self::Out {
        room::refuse_too_much(&context.world, &self.copies).await?;
        let mut doors = Doors::open(&context.world, &self.copies).await?;
        let total: Option<u64> = self.copies.iter().map(|copy| copy.size).sum();
        let size = total.map(|total| total / (self.copies.len() as u64).max(1));
        doors.link = Link::carrying(size, self.limit);
        if !self.overwrite {
            doors.taken = Taken::look(&context, &doors, &self.copies).await?;
        }
        let unsynced = Arc::new(Unsynced::default());
        // the source of a move goes only after its copy is there for good
        doors.unsynced = (!self.moves).then(|| Arc::clone(&unsynced));
        let tally = Tally { total, done: Mutex::default() };
        let (open, tally, context) = (&doors, &tally, &context);
        let run = |(index, copy): (usize, Copy)| async move {
            let current = copy.source();
            let tell = |progress: transfer::Progress| {
                let progress = tally.progress(index, progress.bytes, &current);
                context.report_if_ready(CopyEvent::Progress(progress));
            };
            let work = async {
                if context.cancel.is_cancelled() {
                    return Err(Failure::cancelled());
                }
                let stamp = if self.moves { Some(open.stamp(&copy).await?) } else { None };
                let done = open.copy(&copy, self.overwrite, &tell, &context.cancel).await?;
                let stays = match stamp {
                    Some(stamp) => open.remove_source(&copy, &stamp, done.proof).await.err(),
                    None => None,
                };
                Ok((done, stays))
            };
            let (result, stays) = match work.await {
                Ok((done, stays)) => (Ok(done), stays),
                Err(failure) => (Err(failure), None),
            };
            context.report(CopyEvent::Ended { copy: Box::new(copy), result, stays }).await;
        };
        let mut running =
            stream::iter(self.copies.into_iter().enumerate()).map(run).buffer_unordered(AT_A_TIME);
        while running.next().await.is_some() {}
        drop(running);
        doors.unsynced = None;
        let Some(unsynced) = Arc::into_inner(unsynced) else { return Ok(()) };
        blocking(move || unsynced.sync()).await?.map_err(|error| {
            let summary = format!("whether the disk has what was copied is not known: {error}");
            Failure::new(FailureKind::File, summary).hint("look at the disk, and copy again")
        })
    }
}

/// Bytes that have arrived, by copy: one that fails and is retried does not count twice.
struct Tally {
    total: Option<u64>,
    /// Of each, and of all together.
    done: Mutex<(BTreeMap<usize, u64>, u64)>,
}

impl Tally {
    fn progress(&self, index: usize, bytes: u64, current: &str) -> Progress {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let (each, all) = &mut *done;
        let before = each.insert(index, bytes).unwrap_or(0);
        *all = all.saturating_sub(before) + bytes;
        Progress { done: *all, total: self.total, current: current.to_owned() }
    }
}

/// The clients that some copies need, each made once, and the line that they share.
struct Doors {
    world: Arc<World>,
    link: Arc<Link>,
    /// Where many are copied: those folders are synced at the end.
    unsynced: Option<Arc<Unsynced>>,
    /// Where many are copied: what lies below the destination.
    taken: Option<Taken>,
    clients: Vec<(Place, Client, BucketName)>,
    folders: Mutex<BTreeMap<PathBuf, Arc<Folder>>>,
}

impl Doors {
    async fn open(world: &Arc<World>, copies: &[Copy]) -> Result<Self, Failure> {
        let mut clients: Vec<(Place, Client, BucketName)> = Vec::new();
        for copy in copies {
            let places = match &copy.ends {
                Ends::Download { from, .. } => [Some(&from.place), None],
                Ends::Upload { to, .. } => [Some(&to.place), None],
                Ends::Server { from, to } => [Some(&from.place), Some(&to.place)],
            };
            for place in places.into_iter().flatten() {
                if clients.iter().all(|(other, ..)| other != place) {
                    let (client, bucket) = place.open(world).await?;
                    clients.push((place.clone(), client, bucket));
                }
            }
        }
        let (link, unsynced, taken) = (Link::new(None), None, None);
        let folders = Mutex::default();
        Ok(Self { world: Arc::clone(world), link, unsynced, taken, clients, folders })
    }

    fn of(&self, place: &Place) -> Result<(&Client, &BucketName), Failure> {
        let found = self.clients.iter().find(|(other, ..)| other == place);
        let (_, client, bucket) = found.ok_or_else(Failure::cancelled)?;
        Ok((client, bucket))
    }

    /// The folder at `path`, opened once.
    async fn folder(&self, path: &Path) -> Result<Arc<Folder>, Failure> {
        let known = || self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known().get(path) {
            return Ok(Arc::clone(folder));
        }
        let folder = Arc::new(open_folder(path).await?);
        Ok(Arc::clone(known().entry(path.to_owned()).or_insert(folder)))
    }

    /// That no object has this key yet.
    async fn refuse_taken(
        &self,
        place: &Place,
        client: &Client,
        (bucket, key): (&BucketName, &str),
    ) -> Result<(), oss::Error> {
        let is_taken = match self.taken.as_ref().and_then(|taken| taken.has(place, key)) {
            Some(is_taken) => is_taken,
            None => match client.head(bucket, key).await {
                Ok(_) => true,
                Err(error) if error.kind == oss::Kind::NotFound => false,
                Err(error) => return Err(error),
            },
        };
        if !is_taken {
            return Ok(());
        }
        let message = "an object has this key";
        Err(oss::Error::new(oss::Kind::Precondition, "write the object", message))
    }

    async fn copy(
        &self,
        copy: &Copy,
        overwrite: bool,
        tell: &(dyn Fn(transfer::Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Transferred, Failure> {
        let entry = journal::Entry::open(&self.world, copy).await?;
        let entry = entry.map(|entry| entry as Arc<dyn Journal>);
        let run = Run {
            progress: tell,
            cancel,
            link: &self.link,
            journal: entry.as_ref(),
            unsynced: self.unsynced.as_ref(),
        };
        let done = match &copy.ends {
            Ends::Download { from, folder, relative } => {
                let (client, bucket) = self.of(&from.place)?;
                let folder = self.folder(folder).await?;
                let overwrite = if overwrite { Overwrite::Confirmed } else { Overwrite::Refuse };
                let from = (bucket, from.named());
                transfer::download(client, from, (&folder, relative), overwrite, run).await
            }
            Ends::Upload { from, to } => {
                let (client, bucket) = self.of(&to.place)?;
                let options = PutOptions { forbid_overwrite: !overwrite, ..PutOptions::default() };
                let (place, to) = (&to.place, (bucket, to.key.as_str()));
                let work = async {
                    if !overwrite {
                        // the option alone would not do: buckets with versions do not heed it
                        let free = self.refuse_taken(place, client, to);
                        let stopped = || oss::Error::cancelled("upload the file");
                        match cancel.run_until_cancelled(free).await.ok_or_else(stopped)? {
                            // it may be our own, of which only the last word was lost
                            Err(error) if is_taken(&error) => {
                                let done = transfer::was_completed(client, from, to, run).await?;
                                return done.ok_or(error);
                            }
                            free => free?,
                        }
                    }
                    transfer::upload(client, from, to, &options, run).await
                };
                work.await
            }
            Ends::Server { from, to } => {
                let ((reader, from_bucket), (writer, to_bucket)) =
                    (self.of(&from.place)?, self.of(&to.place)?);
                let (source, target) = (from.key.as_str(), to.key.as_str());
                let work = async {
                    if !overwrite {
                        let free = self.refuse_taken(&to.place, writer, (to_bucket, target));
                        let stopped = || oss::Error::cancelled("copy the object");
                        cancel.run_until_cancelled(free).await.ok_or_else(stopped)??;
                    }
                    let ends = ((reader, from_bucket, source), (writer, to_bucket, target));
                    transfer::copy(ends.0, ends.1, !overwrite, Pieces::OSS, run).await
                };
                work.await
            }
        };
        done.map_err(|error| named(error, &copy.destination()))
    }
}

/// Whether it says that something was found at the destination; where we found it, it comes
/// without an answer.
fn is_taken(error: &oss::Error) -> bool {
    error.kind == oss::Kind::Precondition
        && (error.status.is_none() || error.code.as_deref() == Some("FileAlreadyExists"))
}

/// A conflict names what is in the way; everything else is said by OSS's codes.
fn named(error: oss::Error, destination: &str) -> Failure {
    if error.kind != oss::Kind::Precondition {
        return error.into();
    }
    if is_taken(&error) {
        let summary = format!("{destination} is there already");
        return Failure::new(FailureKind::Conflict, summary)
            .hint("confirm that it may be replaced, or choose another name");
    }
    // a retention rule, an appendable object, …: to say that it may be replaced would not help
    Failure { kind: FailureKind::Settings, ..error.into() }
}

async fn open_folder(path: &Path) -> Result<Folder, Failure> {
    let path = path.to_owned();
    blocking(move || {
        let made = std::fs::create_dir_all(&path).and_then(|()| Folder::open(&path));
        made.map_err(|error| {
            let summary = format!("cannot open the folder {}: {error}", shown(&path));
            Failure::new(FailureKind::File, summary).hint("choose a folder you may write to")
        })
    })
    .await?
}
