//! The source of a move: it goes once its copy is there and was held against it, and only while it
//! is still what was copied.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::{Copy, Doors, Ends, Remote, shown};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::world::blocking;
use crate::oss::transfer::Proof;

/// By what a source is known again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Object { etag: Option<String>, size: Option<u64>, modified: Option<OffsetDateTime> },
    File { device: u64, inode: u64, size: u64, modified: Option<SystemTime> },
}

impl Doors {
    /// What the source of `copy` is now.
    pub(super) async fn stamp(&self, copy: &Copy) -> Result<Stamp, Failure> {
        match &copy.ends {
            Ends::Download { from, .. } | Ends::Server { from, .. } => {
                let (client, bucket) = self.of(&from.place)?;
                let info = client.head(bucket, from.named()).await?.value;
                let (etag, size, modified) = (info.etag, info.size, info.last_modified);
                Ok(Stamp::Object { etag, size, modified })
            }
            Ends::Upload { from, .. } => {
                let from = from.clone();
                blocking(move || of_file(&from)).await?
            }
        }
    }

    /// Removes the source of `copy`, which was `before`.
    pub(super) async fn remove_source(
        &self,
        copy: &Copy,
        before: &Stamp,
        proof: Proof,
    ) -> Result<(), Failure> {
        let source = copy.source();
        let stays = |why: &str| {
            let summary = format!("{source} was copied and is still there: {why}");
            Failure::new(FailureKind::Conflict, summary)
        };
        if !proof.is_checksum() {
            let why = "the server tells no checksum to hold the copy against";
            return Err(stays(why).hint("compare both, and remove it"));
        }
        if self.stamp(copy).await? != *before {
            return Err(stays("it changed meanwhile").hint("move it again"));
        }
        match &copy.ends {
            Ends::Download { from, .. } | Ends::Server { from, .. } => self.delete(from).await,
            Ends::Upload { from, .. } => {
                let from = from.clone();
                let removed = blocking(move || std::fs::remove_file(&from)).await?;
                removed.map_err(|error| stays(&error.to_string()).hint("remove it by hand"))
            }
        }
    }

    async fn delete(&self, object: &Remote) -> Result<(), Failure> {
        let (client, bucket) = self.of(&object.place)?;
        client.delete(bucket, object.key.as_str()).await?;
        Ok(())
    }
}

fn of_file(path: &Path) -> Result<Stamp, Failure> {
    let facts = std::fs::symlink_metadata(path).map_err(|error| {
        let summary = format!("cannot read {}: {error}", shown(path));
        Failure::new(FailureKind::File, summary).hint("check the path")
    })?;
    if !facts.is_file() {
        // what it leads to may be anything, and the link alone would be moved away from it
        let summary = format!("{} is no regular file: it cannot be moved", shown(path));
        return Err(Failure::new(FailureKind::File, summary).hint("copy what it leads to"));
    }
    Ok(Stamp::File {
        device: facts.dev(),
        inode: facts.ino(),
        size: facts.len(),
        modified: facts.modified().ok(),
    })
}
