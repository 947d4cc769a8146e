//! Folders of this machine that a move empties: they go as well.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::base::job::{Context, Job, Nothing};
use crate::ops::failure::Failure;
use crate::ops::world::{World, blocking};

/// A folder that was walked for what is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    path: PathBuf,
    /// Where a link has taken a place on the way, the same path leads to another folder.
    id: Id,
    /// How much lay in it, of whatever kind.
    entries: usize,
}

/// Device and inode.
type Id = (u64, u64);

/// Of a folder, and of nothing else: a link is not followed.
fn id(path: &Path) -> io::Result<Option<Id>> {
    let facts = std::fs::symlink_metadata(path)?;
    Ok(facts.is_dir().then(|| (facts.dev(), facts.ino())))
}

impl Walked {
    /// The folder at `path` with so many `entries`; none of a link to one.
    pub(super) fn of(path: &Path, entries: usize) -> io::Result<Option<Self>> {
        Ok(id(path)?.map(|id| Self { path: path.to_owned(), id, entries }))
    }
}

/// The folders of `walked` in which nothing is left once the files `moved` are gone, the inner
/// ones first. One that was empty before is none of them, and keeps those around it.
pub fn emptied<'a>(
    walked: &'a [Walked],
    moved: impl IntoIterator<Item = &'a Path>,
) -> Vec<&'a Path> {
    let mut gone: BTreeMap<&Path, usize> = BTreeMap::new();
    for folder in moved.into_iter().filter_map(Path::parent) {
        *gone.entry(folder).or_default() += 1;
    }
    let mut inner_first: Vec<&Walked> = walked.iter().collect();
    inner_first.sort_by(|one, other| other.path.cmp(&one.path));
    inner_first.dedup_by(|one, other| one.path == other.path);
    let mut found = Vec::new();
    for Walked { path, entries, .. } in inner_first {
        if gone.get(path.as_path()) == Some(entries) {
            found.push(path.as_path());
            if let Some(around) = path.parent() {
                *gone.entry(around).or_default() += 1;
            }
        }
    }
    found
}

/// Removes the folders that a move has emptied. One that holds something by now stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveEmptied {
    /// The folders that were walked.
    pub walked: Vec<Walked>,
    /// The files that are gone.
    pub moved: Vec<PathBuf>,
}

impl Job<World> for RemoveEmptied {
    type Item = Nothing;
    /// Those that are gone, the inner ones first.
    type Out = Result<Vec<PathBuf>, Failure>;

    async fn run(self, _: Context<World, Nothing>) -> Self::Out {
        blocking(move || {
            let Self { walked, moved } = self;
            let mut removed = Vec::new();
            for path in emptied(&walked, moved.iter().map(PathBuf::as_path)) {
                let is_it =
                    |one: &Walked| one.path == path && id(path).is_ok_and(|id| id == Some(one.id));
                // the system itself refuses one that is not empty
                if walked.iter().any(is_it) && std::fs::remove_dir(path).is_ok() {
                    removed.push(path.to_owned());
                }
            }
            removed
        })
        .await
    }
}
