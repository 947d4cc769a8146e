//! Whether what is to come has room where it goes: known before any of it is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Copy, Ends, journal, shown};
use crate::base::job::{Context, Job, Nothing};
use crate::base::units;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::world::{World, blocking};
use crate::oss::transfer::Disk;

/// Looks whether these copies have room on this machine, as far as their sizes are known. A
/// failure says what is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRoom {
    /// What is to be copied.
    pub copies: Vec<Copy>,
}

impl Job<World> for CheckRoom {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        refuse_too_much(&context.world, &self.copies).await
    }
}

/// One folder that is written to.
#[derive(Default)]
struct Wanted {
    bytes: u64,
    copies: Vec<Copy>,
}

pub(super) async fn refuse_too_much(world: &Arc<World>, copies: &[Copy]) -> Result<(), Failure> {
    let mut folders: BTreeMap<PathBuf, Wanted> = BTreeMap::new();
    for copy in copies {
        if let (Ends::Download { folder, .. }, Some(size)) = (&copy.ends, copy.size) {
            let wanted = folders.entry(folder.clone()).or_default();
            wanted.bytes = wanted.bytes.saturating_add(size);
            wanted.copies.push(copy.clone());
        }
    }
    let world = Arc::clone(world);
    blocking(move || folders.iter().try_for_each(|(folder, wanted)| wanted.fits(&world, folder)))
        .await?
}

impl Wanted {
    fn fits(&self, world: &World, folder: &Path) -> Result<(), Failure> {
        // a folder that cannot be looked at says so when it is written to
        let Ok(Disk { free, .. }) = Disk::of(folder) else { return Ok(()) };
        if self.bytes <= free {
            return Ok(());
        }
        // what is there of it, whole or in part, has its room
        let there = self.copies.iter().map(|copy| there(world, copy)).sum();
        let bytes = self.bytes.saturating_sub(there);
        if bytes <= free {
            return Ok(());
        }
        let (bytes, free) = (units::bytes(bytes), units::bytes(free));
        let summary =
            format!("{bytes} are to come, and the disk of {} has {free} left", shown(folder));
        Err(Failure::new(FailureKind::File, summary)
            .hint("make room there, or choose a folder on another disk"))
    }
}

fn there(world: &World, copy: &Copy) -> u64 {
    let (Ends::Download { folder, relative, .. }, Some(size)) = (&copy.ends, copy.size) else {
        return 0;
    };
    let facts = std::fs::symlink_metadata(folder.join(relative));
    let whole = facts.map_or(0, |facts| facts.len());
    whole.max(journal::arrived(world, copy)).min(size)
}
