//! From what a user types to single copies.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::local_path::{Collision, CollisionKind, Names, Reason, collisions, local_path};
use crate::model::name_filter::NameFilter;
use crate::model::object_key::ObjectKey;
use crate::model::store::ArtifactStore;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::objects::Place;
use crate::ops::world::{World, blocking};
use crate::oss::transfer::Disk;

use super::emptied::Walked;
use super::tree::{self, Facts, Leaf};
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
    /// Folders of this machine that were walked, which a move may empty.
    pub walked: Vec<Walked>,
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
        Ok(self.draft(&context).await?.into())
    }
}

impl PlanCopies {
    /// The same, with what was seen of each source on the way.
    pub(super) async fn draft(&self, context: &Context<World, Nothing>) -> Result<Draft, Failure> {
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
        let mut found = Draft::default();
        for source in &self.sources {
            match (source.resolve(&catalog)?, source) {
                (None, Location::Local(path)) => {
                    if matches!(to, To::Local(_)) {
                        return Err(two_local_ends());
                    }
                    let mut files = tree::files(path.clone(), self.recursive).await?;
                    found.skipped.append(&mut files.skipped);
                    found.walked.append(&mut files.walked);
                    for leaf in
                        files.leaves.into_iter().filter(|leaf| self.filter.takes(&leaf.name))
                    {
                        found.upload(leaf, &to, is_many);
                    }
                }
                (Some((place, key)), _) => {
                    let mut objects = tree::objects(context, &place, &key, self.recursive).await?;
                    found.skipped.append(&mut objects.skipped);
                    let own = own(&catalog, &place, &key);
                    for leaf in
                        objects.leaves.into_iter().filter(|leaf| self.filter.takes(&leaf.name))
                    {
                        found.fetch((place.clone(), own), leaf, &to, is_many);
                    }
                }
                (None, _) => return Err(Failure::cancelled()),
            }
        }
        found.skip_clashes(&catalog, to.names().await?);
        Ok(found)
    }
}

pub(super) enum To {
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

    /// Which names are one there.
    pub(super) async fn names(&self) -> Result<Names, Failure> {
        let Self::Local(path) = self else { return Ok(Names::Exact) };
        let path = path.clone();
        // a folder that cannot be looked at says so when it is written to
        Ok(blocking(move || Disk::of(&path)).await?.map_or(Names::Exact, |disk| disk.names))
    }

    /// The object called `name` below the destination, or the one that it names itself.
    fn remote(&self, name: &str, is_many: bool) -> Result<Remote, String> {
        let Self::Store { place, key, own } = self else {
            return Err("the destination is on this machine".to_owned());
        };
        let below = is_many || key.is_empty() || key.ends_with('/');
        let key = if below { format!("{key}{name}") } else { key.clone() };
        let key = ObjectKey::parse(&key).map_err(|error| error.to_string())?;
        Ok(Remote { place: place.clone(), key, own: *own, version: None })
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
pub(super) fn own(catalog: &Catalog, place: &Place, key: &str) -> usize {
    let prefix = catalog.store(&place.store).map(ArtifactStore::key_prefix).unwrap_or_default();
    if key.starts_with(&prefix) { prefix.len() } else { 0 }
}

fn two_local_ends() -> Failure {
    let failure = Failure::new(FailureKind::Usage, "both are on this machine: use the system's cp");
    failure.hint("to copy to or from a bucket, name one as STORE:KEY")
}

/// What a plan is made of.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Each with what was seen of its source.
    pub(super) copies: Vec<(Copy, Option<Facts>)>,
    pub(super) skipped: Vec<Skipped>,
    walked: Vec<Walked>,
}

impl From<Draft> for Copies {
    fn from(draft: Draft) -> Self {
        let copies = draft.copies.into_iter().map(|(copy, _)| copy).collect();
        Self { copies, skipped: draft.skipped, walked: draft.walked }
    }
}

impl Draft {
    fn skip(&mut self, source: String, reason: impl Into<String>) {
        self.skipped.push(Skipped { source, reason: reason.into() });
    }

    fn add(&mut self, ends: Ends, facts: Option<Facts>) {
        self.copies.push((Copy { ends, size: facts.map(|facts| facts.size) }, facts));
    }

    /// Adds the upload of a file.
    fn upload(&mut self, file: Leaf<PathBuf>, to: &To, is_many: bool) {
        let Leaf { at: from, name, facts } = file;
        match to.remote(&name, is_many) {
            Ok(to) => self.add(Ends::Upload { from, to }, facts),
            Err(reason) => self.skip(shown(&from), reason),
        }
    }

    /// Adds the copy of an object.
    pub(super) fn fetch(
        &mut self,
        (place, own): (Place, usize),
        object: Leaf<ObjectKey>,
        to: &To,
        is_many: bool,
    ) {
        let Leaf { at: key, name, facts } = object;
        let from = Remote { place, key, own, version: None };
        let source = visible(&from.typed()).into_string();
        match to {
            To::Local(path) if is_many || is_folder(path) => match local_path(&name) {
                Ok(relative) => {
                    let (folder, relative) = (path.clone(), relative.as_path().to_owned());
                    self.add(Ends::Download { from, folder, relative }, facts);
                }
                // the empty object that consoles make to show a folder holds nothing to copy
                Err(Reason::Folder) if facts.is_some_and(|facts| facts.size == 0) => {}
                Err(reason) => self.skip(source, reason.to_string()),
            },
            To::Local(path) => match path.file_name() {
                Some(name) => {
                    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                    let folder = folder.unwrap_or(Path::new(".")).to_owned();
                    self.add(Ends::Download { from, folder, relative: name.into() }, facts);
                }
                None => self.skip(source, "the destination names no file: end it in /"),
            },
            To::Store { .. } => match to.remote(&name, is_many) {
                Ok(to) => self.add(Ends::Server { from, to }, facts),
                Err(reason) => self.skip(source, reason),
            },
        }
    }

    /// Leaves out what cannot come to be beside the rest, where names are told apart as `names` are.
    pub(super) fn skip_clashes(&mut self, catalog: &Catalog, names: Names) {
        self.skip_taken_destinations(names);
        self.skip_destinations_that_are_sources(catalog);
        self.skip_files_in_the_way_of_folders(names);
    }

    /// Two sources of one name: the first one goes there, the others would replace it. (All
    /// copies of a plan go to one place.)
    fn skip_taken_destinations(&mut self, names: Names) {
        let mut taken = BTreeMap::new();
        for (copy, facts) in std::mem::take(&mut self.copies) {
            let name = match &copy.ends {
                Ends::Download { relative, .. } => names.fold(&relative.to_string_lossy()),
                Ends::Upload { to, .. } | Ends::Server { to, .. } => to.key.as_str().to_owned(),
            };
            match taken.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(self.copies.len());
                    self.copies.push((copy, facts));
                }
                Entry::Occupied(taken) => {
                    let (source, destination) = (copy.source(), copy.destination());
                    let first = self.copies.get(*taken.get()).map(|(first, _)| first);
                    let reason = match first {
                        Some(first) if first.destination() != destination => format!(
                            "on this disk its name is that of {}, which is copied: copy this one \
                             by itself under another name",
                            first.source()
                        ),
                        _ => format!(
                            "another source becomes {destination}: copy this one by itself under \
                             another name"
                        ),
                    };
                    self.skip(source, reason);
                }
            }
        }
    }

    /// An object that is copied onto itself, or onto another one that is copied as well: which of
    /// them is read first would be chance, and a move would delete what it made.
    fn skip_destinations_that_are_sources(&mut self, catalog: &Catalog) {
        // whatever the store: two may lead to one bucket
        let end = |remote: &Remote| (remote.place.bucket(catalog), remote.key.clone());
        let sources = self.copies.iter().filter_map(|(copy, _)| match &copy.ends {
            Ends::Server { from, .. } => Some(end(from)),
            _ => None,
        });
        let sources: BTreeSet<_> = sources.collect();
        for (copy, facts) in std::mem::take(&mut self.copies) {
            match &copy.ends {
                Ends::Server { to, .. } if sources.contains(&end(to)) => {
                    let reason = format!(
                        "{} is itself among what is copied: choose a destination beside it",
                        copy.destination()
                    );
                    self.skip(copy.source(), reason);
                }
                _ => self.copies.push((copy, facts)),
            }
        }
    }

    /// `a` and `a/b` are two objects, and one name on a disk: the tree goes first.
    fn skip_files_in_the_way_of_folders(&mut self, names: Names) {
        let downloads: Vec<(usize, Cow<'_, str>)> = self
            .copies
            .iter()
            .enumerate()
            .filter_map(|(index, (copy, _))| match &copy.ends {
                Ends::Download { relative, .. } => Some((index, relative.to_string_lossy())),
                _ => None,
            })
            .collect();
        let paths: Vec<&str> = downloads.iter().map(|(_, path)| &**path).collect();
        let source = |at: usize| {
            let (index, _) = downloads.get(at)?;
            Some((*index, self.copies.get(*index)?.0.source()))
        };
        let mut in_the_way: Vec<(usize, String)> = collisions(&paths, names)
            .into_iter()
            .filter(|collision| collision.kind == CollisionKind::FileAndFolder)
            .filter_map(|Collision { first, second, .. }| {
                Some((source(first)?.0, source(second)?.1))
            })
            .collect();
        in_the_way.sort_unstable();
        for (index, below) in in_the_way.into_iter().rev() {
            let (copy, _) = self.copies.remove(index);
            let reason = format!(
                "on a disk this name is a folder, for {below} goes below it: copy it by itself \
                 under another name"
            );
            self.skip(copy.source(), reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf<T>(at: T, name: &str, size: u64) -> Leaf<T> {
        let facts = Some(Facts { size, modified: None, md5: None });
        Leaf { at, name: name.to_owned(), facts }
    }

    fn destinations(names: &[&str], to: &To, is_many: bool) -> (Vec<String>, usize) {
        let mut draft = Draft::default();
        for name in names {
            let key = ObjectKey::parse(name).unwrap();
            draft.fetch((Place::of("st"), 0), leaf(key, name, 0), to, is_many);
        }
        draft.skip_files_in_the_way_of_folders(Names::Exact);
        (draft.copies.iter().map(|(copy, _)| copy.destination()).collect(), draft.skipped.len())
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
        let mut draft = Draft::default();
        let to = To::Store { place: Place::of("st"), key: "z/".into(), own: 0 };
        for (file, name) in [("one/a", "a"), ("two/a", "a"), ("two/b", "b")] {
            draft.upload(leaf(file.into(), name, 1), &to, true);
        }
        draft.skip_taken_destinations(Names::Exact);
        let left: Vec<String> = draft.copies.iter().map(|(copy, _)| copy.source()).collect();
        assert_eq!(left, ["one/a", "two/b"]);
        let [Skipped { source, reason }] = &draft.skipped[..] else { panic!("{draft:?}") };
        assert_eq!(source, "two/a");
        assert!(reason.contains("st:z/a"), "{reason}");
    }

    #[test]
    fn names_that_a_disk_takes_for_one_are_told_beforehand() {
        let keys = ["n/README", "n/Readme", "n/e\u{301}", "n/\u{e9}", "N/readme", "n"];
        let plan = |names| {
            let mut draft = Draft::default();
            for name in keys {
                let key = ObjectKey::parse(name).unwrap();
                draft.fetch(
                    (Place::of("st"), 0),
                    leaf(key, name, 0),
                    &To::Local("/d".into()),
                    true,
                );
            }
            draft.skip_taken_destinations(names);
            draft.skip_files_in_the_way_of_folders(names);
            draft.skipped
        };
        let said = |names| -> Vec<(String, String)> {
            let first = |reason: &str| reason.split_once(": ").unwrap().0.to_owned();
            plan(names).into_iter().map(|it| (it.source, first(&it.reason))).collect()
        };
        let same = |source: &str, first: &str| {
            (source.into(), format!("on this disk its name is that of {first}, which is copied"))
        };
        let folder = || {
            let why = "on a disk this name is a folder, for st:n/README goes below it";
            ("st:n".into(), why.into())
        };
        assert_eq!(said(Names::Exact), [folder()]);
        let accents = || same("st:n/\u{e9}", "st:n/e\\u{301}");
        assert_eq!(said(Names::Forms), [accents(), folder()]);
        let (case, above) =
            (same("st:n/Readme", "st:n/README"), same("st:N/readme", "st:n/README"));
        assert_eq!(said(Names::Folded), [case, accents(), above, folder()]);
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
}
