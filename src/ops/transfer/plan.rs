//! From what a user types to single copies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::local_path::{CollisionKind, Reason, RelPath, collisions, local_path};
use crate::model::name_filter::NameFilter;
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::objects::{Place, until_cancelled};
use crate::ops::world::{World, blocking};
use crate::oss::listing::ListRequest;

use super::{Copy, Ends, Remote, shown};

/// Finds out what is to be copied. Trees are walked or listed; nothing is copied yet.
///
/// With `recursive`, a source `a/b` leads to names that begin with `b`, and `a/b/` to the names
/// below it: what stands before the last `/` is left out. Prefixes are literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanCopies {
    /// From where; all of this machine, or none.
    pub sources: Vec<Location>,
    /// To where. With several sources or `recursive` a folder, or a key that ends in `/`.
    pub to: Location,
    /// Everything below.
    pub recursive: bool,
    /// Which of it, by their names below the destination.
    pub filter: NameFilter,
}

/// What is to be copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// What can be.
    pub copies: Vec<Copy>,
    /// What cannot be, and why.
    pub skipped: Vec<Skipped>,
}

/// Something that is not copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What, showable.
    pub source: String,
    /// Why, ending in what to do.
    pub reason: String,
}

impl Job<World> for PlanCopies {
    type Item = Nothing;
    type Out = Result<Copies, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let to = match (self.to.resolve(&catalog)?, &self.to) {
            (Some((place, key)), _) => To::Store { own: own(&catalog, &place, &key), place, key },
            (None, Location::Local(path)) => To::Local(path.clone()),
            (None, _) => return Err(Failure::cancelled()),
        };
        let is_many = self.recursive || self.sources.len() > 1;
        if is_many && !to.is_folder(self.recursive) {
            let summary = format!("{} is no folder, and several are to be copied", to.shown());
            let failure = Failure::new(FailureKind::Usage, summary);
            return Err(failure.hint("end the destination in /"));
        }
        let mut found = Copies::default();
        for source in &self.sources {
            match (source.resolve(&catalog)?, source) {
                (None, Location::Local(path)) => {
                    if matches!(to, To::Local(_)) {
                        return Err(two_local_ends());
                    }
                    let (files, skipped) = files_of(path.clone(), self.recursive).await?;
                    found.skipped.extend(skipped);
                    let takes = |(_, name, _): &(PathBuf, String, u64)| self.filter.takes(name);
                    for (file, name, size) in files.into_iter().filter(takes) {
                        found.upload(file, &name, size, &to, is_many);
                    }
                }
                (Some((place, key)), _) => {
                    let (objects, skipped) =
                        objects_of(&context, &place, &key, self.recursive).await?;
                    found.skipped.extend(skipped);
                    let own = own(&catalog, &place, &key);
                    let takes = |(_, name, _): &Found| self.filter.takes(name);
                    for (key, name, size) in objects.into_iter().filter(takes) {
                        found.fetch(
                            Remote { place: place.clone(), key, own },
                            &name,
                            size,
                            &to,
                            is_many,
                        );
                    }
                }
                (None, _) => return Err(Failure::cancelled()),
            }
        }
        found.skip_taken_destinations();
        found.skip_files_in_the_way_of_folders();
        Ok(found)
    }
}

enum To {
    Local(PathBuf),
    Store { place: Place, key: String, own: usize },
}

impl To {
    /// Whether names can be put below it. With `may_be_new` a folder of this machine that is not
    /// there will be made.
    fn is_folder(&self, may_be_new: bool) -> bool {
        match self {
            Self::Store { key, .. } => key.is_empty() || key.ends_with('/'),
            Self::Local(path) => is_folder(path) || (may_be_new && !path.exists()),
        }
    }

    /// The object called `name` below the destination, or the one that it names itself.
    fn remote(&self, name: &str, is_many: bool) -> Result<Remote, String> {
        let Self::Store { place, key, own } = self else {
            return Err("the destination is on this machine".to_owned());
        };
        let below = is_many || key.is_empty() || key.ends_with('/');
        let key = if below { format!("{key}{name}") } else { key.clone() };
        let key = ObjectKey::parse(&key).map_err(|error| error.to_string())?;
        Ok(Remote { place: place.clone(), key, own: *own })
    }

    fn shown(&self) -> String {
        match self {
            Self::Local(path) => shown(path),
            Self::Store { place, key, own } => {
                let typed = key.get(*own..).unwrap_or_default();
                visible(&format!("{}:{typed}", place.store)).into_string()
            }
        }
    }
}

/// A folder that is there, or a name that can only be one's.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/')
}

/// How much of `key` is the store's own prefix.
fn own(catalog: &Catalog, place: &Place, key: &str) -> usize {
    let prefix = catalog.store(&place.store).map(ArtifactStore::key_prefix).unwrap_or_default();
    if key.starts_with(&prefix) { prefix.len() } else { 0 }
}

fn two_local_ends() -> Failure {
    let failure = Failure::new(FailureKind::Usage, "both are on this machine: use the system's cp");
    failure.hint("to copy to or from a bucket, name one as STORE:KEY")
}

impl Copies {
    fn skip(&mut self, source: String, reason: impl Into<String>) {
        self.skipped.push(Skipped { source, reason: reason.into() });
    }

    /// Adds the upload of `file`, called `name` below the destination.
    fn upload(&mut self, file: PathBuf, name: &str, size: u64, to: &To, is_many: bool) {
        match to.remote(name, is_many) {
            Ok(to) => {
                self.copies.push(Copy { ends: Ends::Upload { from: file, to }, size: Some(size) });
            }
            Err(reason) => self.skip(shown(&file), reason),
        }
    }

    /// Adds the copy of an object, called `name` below the destination.
    fn fetch(&mut self, from: Remote, name: &str, size: Option<u64>, to: &To, is_many: bool) {
        let source = visible(&from.typed()).into_string();
        match to {
            To::Local(path) if is_many || is_folder(path) => match local_path(name) {
                Ok(relative) => {
                    let (folder, relative) = (path.clone(), relative.as_path().to_owned());
                    let ends = Ends::Download { from, folder, relative };
                    self.copies.push(Copy { ends, size });
                }
                // the empty object that consoles make to show a folder holds nothing to copy
                Err(Reason::Folder) if size == Some(0) => {}
                Err(reason) => self.skip(source, reason.to_string()),
            },
            To::Local(path) => match path.file_name() {
                Some(name) => {
                    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                    let folder = folder.unwrap_or(Path::new(".")).to_owned();
                    let ends = Ends::Download { from, folder, relative: name.into() };
                    self.copies.push(Copy { ends, size });
                }
                None => self.skip(source, "the destination names no file: end it in /"),
            },
            To::Store { .. } => match to.remote(name, is_many) {
                Ok(to) => self.copies.push(Copy { ends: Ends::Server { from, to }, size }),
                Err(reason) => self.skip(source, reason),
            },
        }
    }

    /// Two sources of one name: the first one goes there, the others would replace it. (All
    /// copies of a plan go to one place.)
    fn skip_taken_destinations(&mut self) {
        let mut taken = BTreeSet::new();
        for copy in std::mem::take(&mut self.copies) {
            let destination = match &copy.ends {
                Ends::Download { folder, relative, .. } => folder.join(relative).into_os_string(),
                Ends::Upload { to, .. } | Ends::Server { to, .. } => to.key.as_str().into(),
            };
            if taken.insert(destination) {
                self.copies.push(copy);
            } else {
                let reason = format!(
                    "another source becomes {}: copy this one by itself under another name",
                    copy.destination()
                );
                self.skip(copy.source(), reason);
            }
        }
    }

    /// `a` and `a/b` are two objects, and one name on a disk: the tree goes first.
    fn skip_files_in_the_way_of_folders(&mut self) {
        let downloads: Vec<(usize, RelPath)> = self
            .copies
            .iter()
            .enumerate()
            .filter_map(|(index, copy)| match &copy.ends {
                Ends::Download { relative, .. } => {
                    // what was made by `local_path` is its own path
                    Some((index, local_path(&relative.to_string_lossy()).ok()?))
                }
                _ => None,
            })
            .collect();
        let paths: Vec<RelPath> = downloads.iter().map(|(_, path)| path.clone()).collect();
        let mut in_the_way: Vec<usize> = collisions(&paths)
            .into_iter()
            .filter(|collision| collision.kind == CollisionKind::FileAndFolder)
            .filter_map(|collision| downloads.get(collision.first).map(|(index, _)| *index))
            .collect();
        in_the_way.sort_unstable();
        for index in in_the_way.into_iter().rev() {
            let copy = self.copies.remove(index);
            self.skip(
                copy.source(),
                "on a disk this name is a folder, for keys below it: copy it by itself under \
                 another name",
            );
        }
    }
}

/// An object, its name below the destination, and its size.
type Found = (ObjectKey, String, Option<u64>);
type Objects = (Vec<Found>, Vec<Skipped>);

/// The objects meant by `key`, each with its name below the destination.
async fn objects_of(
    context: &Context<World, Nothing>,
    place: &Place,
    key: &str,
    recursive: bool,
) -> Result<Objects, Failure> {
    // names begin behind the last slash
    let cut = key.rfind('/').map_or(0, |slash| slash + 1);
    if !recursive {
        let parsed = ObjectKey::parse(key).map_err(|error| {
            let failure = Failure::new(FailureKind::Usage, error.to_string());
            failure.hint("name an object, or add -r for all below a prefix")
        })?;
        let name = key.get(cut..).filter(|name| !name.is_empty()).unwrap_or(key).to_owned();
        return Ok((vec![(parsed, name, None)], Vec::new()));
    }
    let (client, bucket) = place.open(&context.world).await?;
    let request = ListRequest { prefix: key.to_owned(), ..ListRequest::default() };
    let mut pages = client.walk(&bucket, request).in_order();
    let mut found = Objects::default();
    while let Some(page) = until_cancelled(context, pages.next()).await? {
        for entry in page?.value.entries() {
            let name = entry.key.get(cut..).unwrap_or_default().to_owned();
            match ObjectKey::parse(entry.key) {
                Ok(key) => found.0.push((key, name, Some(entry.size))),
                Err(error) => {
                    let source = visible(entry.key).into_string();
                    found.1.push(Skipped { source, reason: error.to_string() });
                }
            }
        }
    }
    Ok(found)
}

type Files = (Vec<(PathBuf, String, u64)>, Vec<Skipped>);

/// The files meant by `path`, each with its name below the destination.
async fn files_of(path: PathBuf, recursive: bool) -> Result<Files, Failure> {
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
        if !facts.is_dir() {
            let name = own_name.trim_end_matches('/').to_owned();
            return Ok((vec![(path.clone(), name, facts.len())], Vec::new()));
        }
        let mut found = Files::default();
        walk(&path, &own_name, &mut found).map_err(unreadable)?;
        found.0.sort();
        Ok(found)
    })
    .await?
}

/// Everything below `folder`; links are named, not followed, for they may lead anywhere.
fn walk(folder: &Path, prefix: &str, found: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let mut skip = |reason: &str| {
            found.1.push(Skipped { source: shown(&path), reason: reason.to_owned() });
        };
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            skip("its name is not UTF-8, as keys are: rename it");
            continue;
        };
        if kind.is_dir() {
            walk(&path, &format!("{prefix}{name}/"), found)?;
        } else if kind.is_file() {
            let size = entry.metadata()?.len();
            found.0.push((path, format!("{prefix}{name}"), size));
        } else {
            skip("it is a link or a device: copy what it leads to by itself");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(key: &str) -> Remote {
        Remote { place: Place::of("st"), key: ObjectKey::parse(key).unwrap(), own: 0 }
    }

    fn destinations(names: &[&str], to: &To, is_many: bool) -> (Vec<String>, usize) {
        let mut copies = Copies::default();
        for name in names {
            copies.fetch(remote(name), name, Some(0), to, is_many);
        }
        copies.skip_files_in_the_way_of_folders();
        (copies.copies.iter().map(Copy::destination).collect(), copies.skipped.len())
    }

    #[test]
    fn downloads_stay_below_and_files_give_way_to_folders() {
        let to = To::Local("/d".into());
        let (paths, skipped) =
            destinations(&["../../etc/x", "a", "a/b", "tail/", "CON"], &to, true);
        assert_eq!(paths, ["/d/.%2E/.%2E/etc/x", "/d/a/b", "/d/%43ON"]);
        assert_eq!(skipped, 1);
    }

    #[test]
    fn the_second_source_of_a_name_is_skipped() {
        let mut copies = Copies::default();
        let to = To::Store { place: Place::of("st"), key: "z/".into(), own: 0 };
        copies.upload("one/a".into(), "a", 1, &to, true);
        copies.upload("two/a".into(), "a", 1, &to, true);
        copies.upload("two/b".into(), "b", 1, &to, true);
        copies.skip_taken_destinations();
        let left: Vec<String> = copies.copies.iter().map(Copy::source).collect();
        assert_eq!(left, ["one/a", "two/b"]);
        let [Skipped { source, reason }] = &copies.skipped[..] else { panic!("{copies:?}") };
        assert_eq!(source, "two/a");
        assert!(reason.contains("st:z/a"), "{reason}");
    }

    #[test]
    fn one_object_may_be_given_a_name() {
        let file = To::Local("/nowhere/x.txt".into());
        assert_eq!(destinations(&["a b"], &file, false).0, ["/nowhere/x.txt"]);
        let folder = To::Local("/nowhere/".into());
        assert_eq!(destinations(&["a"], &folder, false).0, ["/nowhere/a"]);
        let key = To::Store { place: Place::of("other"), key: "z".into(), own: 0 };
        assert_eq!(destinations(&["a"], &key, false).0, ["other:z"]);
        let prefix = To::Store { place: Place::of("other"), key: "z/".into(), own: 0 };
        assert_eq!(destinations(&["a"], &prefix, false).0, ["other:z/a"]);
    }

    #[test]
    fn trees_are_walked_without_following_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::File::create(root.join("sub/file")).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
        let mut found = Files::default();
        walk(&root, "tree/", &mut found).unwrap();
        let names: Vec<&str> = found.0.iter().map(|(_, name, _)| name.as_str()).collect();
        assert_eq!(names, ["tree/sub/file"]);
        assert_eq!(found.1.len(), 1);
    }
}
