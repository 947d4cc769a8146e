//! What lies below a prefix or a folder, each with what there is to compare it by.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::base::job::{Context, Nothing};
use crate::base::visible::visible;
use crate::model::object_key::ObjectKey;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::{Place, until_cancelled};
use crate::ops::world::{World, blocking};
use crate::oss::listing::ListRequest;

use super::emptied::Walked;
use super::plan::Skipped;
use super::shown;

/// What is known of a file or object before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Bytes.
    pub(super) size: u64,
    /// Unix seconds.
    pub(super) modified: Option<i64>,
    /// Of the bytes, as far as an object's `ETag` is one.
    pub(super) md5: Option<[u8; 16]>,
}

/// A file or object below a root.
#[derive(Clone, Debug)]
pub(super) struct Leaf<T> {
    /// Where.
    pub(super) at: T,
    /// What it is called below the root, `/` between its folders.
    pub(super) name: String,
    /// Nothing of an object that was not looked at.
    pub(super) facts: Option<Facts>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Tree<T> {
    pub(super) leaves: Vec<Leaf<T>>,
    /// What cannot be copied, and why.
    pub(super) skipped: Vec<Skipped>,
    /// The folders of this machine below the root, and the root where it was named itself and not
    /// as what is in it.
    pub(super) walked: Vec<Walked>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { leaves: Vec::new(), skipped: Vec::new(), walked: Vec::new() }
    }
}

/// The objects meant by `key`; all that begin with it where `recursive`.
pub(super) async fn objects(
    context: &Context<World, Nothing>,
    place: &Place,
    key: &str,
    recursive: bool,
) -> Result<Tree<ObjectKey>, Failure> {
    // names begin behind the last slash
    let cut = key.rfind('/').map_or(0, |slash| slash + 1);
    if !recursive {
        let mut found = Tree::default();
        let at = ObjectKey::parse(key).map_err(|error| {
            let failure = Failure::new(FailureKind::Usage, error.to_string());
            failure.hint("name an object, or add -r for all below a prefix")
        })?;
        let name = key.get(cut..).filter(|name| !name.is_empty()).unwrap_or(key).to_owned();
        found.leaves.push(Leaf { at, name, facts: None });
        return Ok(found);
    }
    below(context, place, key, cut).await
}

/// All objects whose keys begin with `prefix`, named by what stands behind the first `cut` bytes.
pub(super) async fn below(
    context: &Context<World, Nothing>,
    place: &Place,
    prefix: &str,
    cut: usize,
) -> Result<Tree<ObjectKey>, Failure> {
    let mut found = Tree::default();
    let (client, bucket) = place.open(&context.world).await?;
    let request = ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() };
    let mut pages = client.walk(&bucket, request).in_order();
    while let Some(page) = until_cancelled(context, pages.next()).await? {
        for entry in page?.value.entries() {
            let name = entry.key.get(cut..).unwrap_or_default().to_owned();
            let facts = Facts {
                size: entry.size,
                modified: Some(entry.last_modified),
                md5: entry.etag.md5(),
            };
            match ObjectKey::parse(entry.key) {
                Ok(at) => found.leaves.push(Leaf { at, name, facts: Some(facts) }),
                Err(error) => {
                    let source = visible(entry.key).into_string();
                    found.skipped.push(Skipped { source, reason: error.to_string() });
                }
            }
        }
    }
    Ok(found)
}

/// The files meant by `path`; those below it where it is a folder, and `recursive`.
pub(super) async fn files(path: PathBuf, recursive: bool) -> Result<Tree<PathBuf>, Failure> {
    blocking(move || {
        let unreadable = |error: std::io::Error| {
            let summary = format!("cannot read {}: {error}", shown(&path));
            Failure::new(FailureKind::File, summary).hint("check the path")
        };
        let facts = std::fs::metadata(&path).map_err(unreadable)?;
        if facts.is_dir() && !recursive {
            let summary = format!("{} is a folder", shown(&path));
            return Err(Failure::new(FailureKind::Usage, summary).hint("add -r to copy all of it"));
        }
        let ends_in_slash = path.as_os_str().to_string_lossy().ends_with('/');
        let own_name = match path.file_name().map(|name| name.to_str()) {
            Some(Some(name)) if !ends_in_slash => format!("{name}/"),
            Some(None) => {
                let summary = format!("the name {} is not UTF-8", shown(&path));
                return Err(Failure::new(FailureKind::Usage, summary).hint("rename it first"));
            }
            // `.`, `..`, `/` and `folder/`: what is below
            _ => String::new(),
        };
        let mut found = Tree::default();
        if facts.is_dir() {
            walk(&path, &own_name, &mut found).map_err(unreadable)?;
            found.leaves.sort_by(|one, other| one.at.cmp(&other.at));
        } else {
            let name = own_name.trim_end_matches('/').to_owned();
            found.leaves.push(Leaf { at: path.clone(), name, facts: Some(of_file(&facts)) });
        }
        Ok(found)
    })
    .await?
}

fn of_file(facts: &std::fs::Metadata) -> Facts {
    let since = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok();
    let modified = facts.modified().ok().and_then(since);
    let modified = modified.and_then(|since| i64::try_from(since.as_secs()).ok());
    Facts { size: facts.len(), modified, md5: None }
}

/// Everything below `folder`; links are named, not followed, for they may lead anywhere.
fn walk(folder: &Path, prefix: &str, found: &mut Tree<PathBuf>) -> std::io::Result<()> {
    let mut entries = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        entries += 1;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let mut skip = |reason: &str| {
            found.skipped.push(Skipped { source: shown(&path), reason: reason.to_owned() });
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            skip("its name is not UTF-8, as keys are: rename it");
            continue;
        };
        if kind.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), found)?;
        } else if kind.is_file() {
            let facts = Some(of_file(&entry.metadata()?));
            found.leaves.push(Leaf { at: path, name: format!("{prefix}{name}"), facts });
        } else {
            skip("it is a link or a device: copy what it leads to by itself");
        }
    }
    if !prefix.is_empty() {
        found.walked.extend(Walked::of(folder, entries)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_walked_without_following_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::File::create(root.join("sub/file")).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        let mut found = Tree::default();
        walk(&root, "tree/", &mut found).unwrap();
        let names: Vec<&str> = found.leaves.iter().map(|leaf| leaf.name.as_str()).collect();
        assert_eq!(names, ["tree/sub/file"]);
        assert_eq!(found.skipped.len(), 1);
    }
}
