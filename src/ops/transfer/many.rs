//! What is marked on a screen, copied or moved as one transfer.

use std::path::PathBuf;

use tokio::sync::mpsc;

use super::plan::{Draft, To, own};
use super::tree::{self, Leaf};
use super::{Copies, Copy, CopyEvent, Progress, RunCopies, Skipped, Transferred};
use crate::base::job::{Context, Job, Nothing};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::marked::Marked;
use crate::ops::objects::Place;
use crate::ops::world::World;

/// Reports that may wait to be counted.
const AHEAD: usize = 64;

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Below a folder of this machine, made where it is not there.
    Folder(PathBuf),
    /// To this key; below it, where there are several or it ends in `/`.
    Key(Place, String),
}

/// What is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Many {
    /// What is marked, by its names.
    Marked(Marked, Target),
    /// What was planned before, and did not go well then.
    Planned(Vec<Copy>),
}

/// Copies or moves all of it, and sums up how that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMany {
    /// What.
    pub many: Many,
    /// Whether the sources go, each once its copy is there and was held against it.
    pub moves: bool,
    /// Whether what is there may be replaced.
    pub overwrite: bool,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// So many are at their end.
    pub ended: usize,
    /// Of so many.
    pub of: usize,
    /// Their bytes.
    pub progress: Progress,
}

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// So many were copied.
    pub copied: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those of them without a checksum to compare.
    pub unverified: u64,
    /// What cannot be copied, and why.
    pub skipped: Vec<Skipped>,
    /// What would have replaced something.
    pub taken: Vec<Copy>,
    /// What did not arrive, and why; what was stopped as well.
    pub failed: Vec<(Copy, Failure)>,
    /// Sources that were to go, and why each is still there.
    pub stayed: Vec<(Copy, Failure)>,
}

impl Job<World> for RunMany {
    type Item = Stage;
    /// A failure means that none was begun.
    type Out = Result<Sum, Failure>;

    async fn run(self, context: Context<World, Stage>) -> Self::Out {
        let Copies { copies, skipped, .. } = match self.many {
            Many::Planned(copies) => Copies { copies, ..Copies::default() },
            Many::Marked(marked, target) => plan(&context, &marked, target).await?,
        };
        let mut sum = Sum { skipped, ..Sum::default() };
        let mut stage = Stage { of: copies.len(), ..Stage::default() };
        let (items, mut events) = mpsc::channel(AHEAD);
        let inner = Context::new(context.world.clone(), context.cancel.clone(), items);
        let (moves, overwrite) = (self.moves, self.overwrite);
        let run = RunCopies { copies, moves, overwrite, limit: None }.run(inner);
        let count = async {
            while let Some(event) = events.recv().await {
                match event {
                    CopyEvent::Progress(progress) => stage.progress = progress,
                    CopyEvent::Ended { copy, result, stays } => {
                        stage.ended += 1;
                        sum.take(*copy, result, stays, overwrite);
                    }
                }
                context.report_if_ready(stage.clone());
            }
        };
        let (ran, ()) = tokio::join!(run, count);
        ran?;
        Ok(sum)
    }
}

impl Sum {
    fn take(
        &mut self,
        copy: Copy,
        result: Result<Transferred, Failure>,
        stays: Option<Failure>,
        overwrite: bool,
    ) {
        match result {
            Ok(done) => {
                self.copied += 1;
                self.bytes += done.bytes;
                self.unverified += u64::from(!done.proof.is_checksum());
                self.stayed.extend(stays.map(|failure| (copy, failure)));
            }
            // where replacing was allowed already, asking about it would not help
            Err(failure) if failure.kind == FailureKind::Conflict && !overwrite => {
                self.taken.push(copy);
            }
            Err(failure) => self.failed.push((copy, failure)),
        }
    }

    /// Adds what another try came to.
    pub fn join(&mut self, other: Self) {
        self.copied += other.copied;
        self.bytes += other.bytes;
        self.unverified += other.unverified;
        self.skipped.extend(other.skipped);
        self.taken.extend(other.taken);
        self.failed.extend(other.failed);
        self.stayed.extend(other.stayed);
    }

    /// Whether it was stopped before its end, and nothing else went wrong.
    pub fn was_stopped(&self) -> bool {
        let is_cancelled = |(_, failure): &(_, Failure)| failure.kind == FailureKind::Cancelled;
        !self.failed.is_empty() && self.failed.iter().all(is_cancelled)
    }
}

/// Finds out what `marked` means, each under its name below what all of it lies in.
async fn plan(
    context: &Context<World, Stage>,
    marked: &Marked,
    target: Target,
) -> Result<Copies, Failure> {
    let catalog = context.world.catalog().await?;
    let to = match target {
        Target::Folder(path) => To::Local(path),
        Target::Key(place, key) => To::Store { own: own(&catalog, &place, &key), place, key },
    };
    let (items, _nothing) = mpsc::channel::<Nothing>(1);
    let inner = Context::new(context.world.clone(), context.cancel.clone(), items);
    let Marked { place, within, objects, prefixes } = marked;
    let is_many = matches!(to, To::Local(_)) || !prefixes.is_empty() || objects.len() > 1;
    let mut draft = Draft::default();
    for key in objects {
        let name = key.as_str().get(within.len()..).unwrap_or_default().to_owned();
        let leaf = Leaf { at: key.clone(), name, facts: None };
        draft.fetch((place.clone(), own(&catalog, place, key.as_str())), leaf, &to, is_many);
    }
    for prefix in prefixes {
        let tree = tree::below(&inner, place, prefix, within.len()).await?;
        draft.skipped.extend(tree.skipped);
        let own = own(&catalog, place, prefix);
        for leaf in tree.leaves {
            draft.fetch((place.clone(), own), leaf, &to, is_many);
        }
    }
    draft.skip_clashes(&catalog, to.names().await?);
    Ok(draft.into())
}
