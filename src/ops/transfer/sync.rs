//! Making one tree like another: what is new or different is copied, what is the same is left, and
//! where that was asked for, what the source does not have is deleted.
//!
//! Same is what has the same size and is not older than its source; where it is older, or wherever
//! that was asked for, the checksums decide. So a tree that was only touched is not sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::plan::{Draft, PlanCopies, Skipped};
use super::tree::{self, Facts};
use super::{Copy, Doors, Ends, Remote, open_folder, shown};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::name_filter::NameFilter;
use crate::model::object_key::ObjectKey;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::objects::{Place, until_cancelled};
use crate::ops::world::{World, blocking};
use crate::oss::transfer::Sums;
use crate::oss::versions::LeftBehind;

/// Checksums that are compared at a time.
const AT_A_TIME: usize = 8;
/// Objects that are deleted between two words of how far it is.
const BATCH: usize = 1000;

/// Finds out what it takes to make all below one place like all below another. Nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSync {
    /// What is to be had: a folder or a prefix.
    pub from: Location,
    /// Where: a folder or a prefix.
    pub to: Location,
    /// Which names, at both ends: others are neither copied nor deleted.
    pub filter: NameFilter,
    /// Whether what the source does not have goes.
    pub deletes: bool,
    /// Whether checksums decide wherever the sizes are the same.
    pub by_checksum: bool,
}

/// What it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What is not there yet.
    pub new: Vec<Copy>,
    /// What is there and another.
    pub changed: Vec<Copy>,
    /// How many are the same.
    pub same: u64,
    /// What goes.
    pub extra: Vec<Extra>,
    /// What cannot be copied. Where there is something of it nothing goes: it may be the same.
    pub skipped: Vec<Skipped>,
}

/// What the source does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// A file below a folder.
    File {
        /// The folder.
        folder: PathBuf,
        /// The file below it.
        relative: PathBuf,
    },
    /// An object.
    Object(Remote),
}

impl Extra {
    /// Which, exactly: for JSON alone.
    pub fn exact(&self) -> String {
        match self {
            Self::File { folder, relative } => folder.join(relative).to_string_lossy().into_owned(),
            Self::Object(remote) => remote.typed(),
        }
    }

    /// Which, showable.
    pub fn shown(&self) -> String {
        visible(&self.exact()).into_string()
    }
}

impl Job<World> for PlanSync {
    type Item = Nothing;
    type Out = Result<Differences, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (from, to) = (below(&self.from), below(&self.to));
        refuse_one_in_the_other(&context.world.catalog().await?, &from, &to)?;
        let plan = PlanCopies {
            sources: vec![from],
            to: to.clone(),
            recursive: true,
            filter: self.filter.clone(),
        };
        let draft = plan.draft(&context).await?;
        let there = There::at(&context, &to).await?;
        let mut found = self.compare(&context, &draft, &there).await?;
        if self.deletes && draft.skipped.is_empty() {
            let kept = draft.copies.iter().map(|(copy, _)| name(copy)).collect();
            found.extra = there.beside(&kept, &self.filter);
            if draft.copies.is_empty() && !found.extra.is_empty() {
                let summary = "there is nothing at the source: all at the destination would go";
                return Err(Failure::new(FailureKind::Usage, summary)
                    .hint("check the source; to delete all of it: osstack rm -r"));
            }
        }
        found.skipped = draft.skipped;
        Ok(found)
    }
}

impl PlanSync {
    async fn compare(
        &self,
        context: &Context<World, Nothing>,
        draft: &Draft,
        there: &There,
    ) -> Result<Differences, Failure> {
        let mut found = Differences::default();
        let mut unsure = Vec::new();
        for (copy, ours) in &draft.copies {
            let (Some(ours), Some(theirs)) = (ours, there.facts.get(&name(copy))) else {
                found.new.push(copy.clone());
                continue;
            };
            match likeness(ours, theirs, self.by_checksum) {
                Some(true) => found.same += 1,
                Some(false) => found.changed.push(copy.clone()),
                None => unsure.push((copy, ours, theirs)),
            }
        }
        let copies: Vec<Copy> = unsure.iter().map(|(copy, ..)| (*copy).clone()).collect();
        let doors = &Doors::open(&context.world, &copies).await?;
        let look = async |(copy, ours, theirs): (&Copy, &Facts, &Facts)| {
            doors.holds_the_same(copy, ours, theirs).await.map(|same| (copy.clone(), same))
        };
        let mut looks = stream::iter(unsure).map(look).buffered(AT_A_TIME);
        while let Some(looked) = until_cancelled(context, looks.next()).await? {
            match looked? {
                (_, true) => found.same += 1,
                (copy, false) => found.changed.push(copy),
            }
        }
        Ok(found)
    }
}

/// Whether both hold the same; nothing where only the checksums tell.
fn likeness(ours: &Facts, theirs: &Facts, by_checksum: bool) -> Option<bool> {
    if ours.size != theirs.size {
        return Some(false);
    }
    if let (Some(ours), Some(theirs)) = (ours.md5, theirs.md5)
        && ours == theirs
    {
        return Some(true);
    }
    let is_older = match (ours.modified, theirs.modified) {
        (Some(ours), Some(theirs)) => theirs < ours,
        _ => true,
    };
    (!is_older && !by_checksum).then_some(true)
}

impl Doors {
    /// Whether both ends of `copy`, of one size, hold the same bytes. Where no checksum tells they
    /// do not.
    async fn holds_the_same(
        &self,
        copy: &Copy,
        ours: &Facts,
        theirs: &Facts,
    ) -> Result<bool, Failure> {
        let crc64 = async |remote: &Remote| {
            let (client, bucket) = self.of(&remote.place)?;
            Ok::<_, Failure>(client.head(bucket, remote.key.as_str()).await?.crc64)
        };
        let (file, remote, md5) = match &copy.ends {
            Ends::Server { from, to } => {
                let (one, other) = futures_util::try_join!(crc64(from), crc64(to))?;
                return Ok(one.is_some() && one == other);
            }
            Ends::Download { from, folder, relative } => (folder.join(relative), from, ours.md5),
            Ends::Upload { from, to } => (from.clone(), to, theirs.md5),
        };
        let sums = blocking(move || {
            Sums::of_file(&file).map_err(|error| {
                let summary = format!("cannot read {}: {error}", shown(&file));
                Failure::new(FailureKind::File, summary).hint("check the file")
            })
        })
        .await??;
        // an ETag that is another may be no MD5 at all: of what a key of KMS seals it is not
        Ok(md5 == Some(sums.md5) || crc64(remote).await? == Some(sums.crc64))
    }
}

/// What lies at the destination, by [`name`].
struct There {
    facts: BTreeMap<String, Facts>,
    at: At,
}

enum At {
    Folder(PathBuf),
    /// The prefix itself need not be a key: in a bucket without one it is empty.
    Prefix {
        place: Place,
        prefix: String,
        own: usize,
    },
}

impl There {
    async fn at(context: &Context<World, Nothing>, to: &Location) -> Result<Self, Failure> {
        let catalog = context.world.catalog().await?;
        if let Some((place, prefix)) = to.resolve(&catalog)? {
            let tree = tree::objects(context, &place, &prefix, true).await?;
            let leaves = tree.leaves.into_iter();
            // what consoles make to show a folder is no file that lacks at the source
            let is_object =
                |key: &ObjectKey, facts: &Facts| facts.size > 0 || !key.as_str().ends_with('/');
            let facts = leaves
                .filter_map(|leaf| Some((leaf.at, leaf.facts?)))
                .filter(|(key, facts)| is_object(key, facts))
                .map(|(key, facts)| (key.as_str().to_owned(), facts))
                .collect();
            let own = super::plan::own(&catalog, &place, &prefix);
            return Ok(Self { facts, at: At::Prefix { place, prefix, own } });
        }
        let Location::Local(folder) = to else { return Err(Failure::cancelled()) };
        let tree = match tree::files(folder.clone(), true).await {
            Ok(tree) => tree,
            // it will be made
            Err(_) if !folder.exists() => tree::Tree::default(),
            Err(failure) => return Err(failure),
        };
        let leaves = tree.leaves.into_iter();
        let facts = leaves.filter_map(|leaf| Some((leaf.name, leaf.facts?))).collect();
        Ok(Self { facts, at: At::Folder(folder.clone()) })
    }

    /// What is there beside `kept`, of the names that are meant.
    fn beside(&self, kept: &BTreeSet<String>, filter: &NameFilter) -> Vec<Extra> {
        let rest = self.facts.keys().filter(|name| !kept.contains(*name));
        match &self.at {
            At::Folder(folder) => rest
                .filter(|name| filter.takes(name) && !is_part(name))
                .map(|name| Extra::File { folder: folder.clone(), relative: name.into() })
                .collect(),
            At::Prefix { place, prefix, own } => rest
                .filter(|key| filter.takes(key.strip_prefix(prefix.as_str()).unwrap_or(key)))
                .filter_map(|key| ObjectKey::parse(key).ok())
                .map(|key| {
                    Extra::Object(Remote { place: place.clone(), key, own: *own, version: None })
                })
                .collect(),
        }
    }
}

/// What a download that was stopped goes on from.
fn is_part(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.strip_prefix('.').is_some_and(|name| name.strip_suffix(".part").is_some())
}

/// What `copy` makes: the file below its folder, or the whole key.
fn name(copy: &Copy) -> String {
    match &copy.ends {
        Ends::Download { relative, .. } => relative.to_string_lossy().into_owned(),
        Ends::Upload { to, .. } | Ends::Server { to, .. } => to.key.as_str().to_owned(),
    }
}

/// What is deleted or written at one end would be read at the other.
fn refuse_one_in_the_other(
    catalog: &Catalog,
    from: &Location,
    to: &Location,
) -> Result<(), Failure> {
    let (Some((one, from)), Some((other, to))) = (from.resolve(catalog)?, to.resolve(catalog)?)
    else {
        return Ok(());
    };
    let is_apart = one.bucket(catalog) != other.bucket(catalog)
        || !(from.starts_with(&to) || to.starts_with(&from));
    if is_apart {
        return Ok(());
    }
    let summary = "one of the two prefixes lies in the other, in one bucket";
    Err(Failure::new(FailureKind::Usage, summary).hint("choose two that lie beside each other"))
}

/// A place as what is below it is named.
fn below(place: &Location) -> Location {
    let ended = |text: &str| match text {
        "" => String::new(),
        text if text.ends_with('/') => text.to_owned(),
        text => format!("{text}/"),
    };
    match place {
        Location::Local(path) => Location::Local(path.join("")),
        Location::Store { store, key } => Location::Store { store: store.clone(), key: ended(key) },
        Location::Uri { bucket, key } => Location::Uri { bucket: bucket.clone(), key: ended(key) },
        Location::Marked { place, bucket, key } => {
            Location::Marked { place: place.clone(), bucket: bucket.clone(), key: ended(key) }
        }
    }
}

/// Deletes what a [`PlanSync`] found beside what is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteExtra {
    /// What.
    pub extra: Vec<Extra>,
}

/// One that was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Which.
    pub extra: Extra,
    /// Why it stays, where it does.
    pub stays: Option<String>,
}

impl Job<World> for DeleteExtra {
    type Item = Deleted;
    /// A failure means that the rest was not tried; what became of each was reported.
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Deleted>) -> Self::Out {
        let mut objects: Vec<Remote> = Vec::new();
        for extra in self.extra {
            match extra {
                Extra::Object(remote) => objects.push(remote),
                Extra::File { folder, relative } => {
                    let opened = open_folder(&folder).await?;
                    let file = relative.clone();
                    let removed = blocking(move || opened.remove(&file)).await?;
                    let stays = removed.err().map(|error| error.to_string());
                    let extra = Extra::File { folder, relative };
                    context.report(Deleted { extra, stays }).await;
                }
            }
        }
        // all of one destination
        let Some(first) = objects.first().cloned() else { return Ok(()) };
        let (client, bucket) = first.place.open(&context.world).await?;
        for batch in objects.chunks(BATCH) {
            let keys: Vec<String> =
                batch.iter().map(|remote| remote.key.as_str().to_owned()).collect();
            let mut left = LeftBehind::default();
            let work = client.delete_many(&bucket, &keys, &mut left);
            let ended = until_cancelled(&context, work).await?;
            for remote in batch {
                let stays = left.objects.iter().find(|one| one.key == remote.key.as_str());
                let stays = stays.map(|one| format!("{} ({})", one.message, one.code));
                context.report(Deleted { extra: Extra::Object(remote.clone()), stays }).await;
            }
            ended?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(size: u64, modified: i64, md5: Option<u8>) -> Facts {
        Facts { size, modified: Some(modified), md5: md5.map(|byte| [byte; 16]) }
    }

    #[test]
    fn sizes_then_times_then_checksums_decide() {
        let like = |theirs, by_checksum| likeness(&facts(5, 100, Some(1)), &theirs, by_checksum);
        assert_eq!(like(facts(4, 200, Some(1)), false), Some(false), "another size");
        assert_eq!(like(facts(5, 100, None), false), Some(true), "not older");
        assert_eq!(like(facts(5, 99, None), false), None, "older: the bytes decide");
        assert_eq!(like(facts(5, 99, Some(1)), true), Some(true), "the same ETag");
        assert_eq!(like(facts(5, 200, Some(2)), true), None, "an ETag need not be an MD5");
        let undated = Facts { modified: None, ..facts(5, 0, None) };
        assert_eq!(like(undated, false), None);
    }

    #[test]
    fn what_is_below_is_meant_however_it_was_typed() {
        let parse = |text: &str| Location::parse(std::ffi::OsStr::new(text));
        for (one, other) in [("st:a", "st:a/"), ("s3://b/k", "s3://b/k/"), ("folder", "folder/")] {
            assert_eq!(below(&parse(one)), below(&parse(other)));
        }
        assert_eq!(below(&parse("st:")), parse("st:"));
        assert_eq!(below(&parse("s3://b")), parse("s3://b/"));
    }

    #[test]
    fn neither_parts_nor_what_is_filtered_out_goes() {
        let names = ["a", "b", "sub/.x.1.part", "keep.log", "sub/c"];
        let there = There {
            facts: names.iter().map(|name| ((*name).to_owned(), facts(1, 1, None))).collect(),
            at: At::Folder("/d".into()),
        };
        let exclude = vec![crate::base::pattern::Pattern::glob("*.log").unwrap()];
        let filter = NameFilter { exclude, ..NameFilter::default() };
        let kept = ["a".to_owned()].into_iter().collect();
        let gone: Vec<String> = there.beside(&kept, &filter).iter().map(Extra::exact).collect();
        assert_eq!(gone, ["/d/b", "/d/sub/c"]);
    }
}
