//! Places that are gone back to, by a name: `@NAME` wherever a place is typed.
//!
//! One file in the config folder, `bookmarks.toml`, the user's to edit: comments and keys that mean
//! nothing here stay. A place is kept as its URI, with the store whose key reaches it; no secret is
//! in it. What cannot be read is said and never overwritten.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml_edit::{DocumentMut, Item, Table, TableLike, TomlError, value};

use super::failure::{Failure, FailureKind};
use super::location::Location;
use super::objects::Place;
use super::world::{World, absent, blocking, store_of};
use crate::base::atomic_file;
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::bucket::BucketName;
use crate::model::name::Name;
use crate::ports::paths::Paths;

/// Thousands of bookmarks.
const MAX_BYTES: u64 = 4 << 20;
const LOCK_WAIT: Duration = Duration::from_secs(5);
const SCHEMA: i64 = 1;
const SECTION: &str = "bookmark";

/// What to do about a file that cannot be read.
const MEND: &str = "mend the file, or move it away: all else works without it";

const HEADER: &str = "\
# The bookmarks of osstack: places in buckets, by a name.
# Edit them by hand or with osstack bookmark; comments and unknown keys stay as they are.
schema = 1
";

/// A place by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// The name.
    pub name: Name,
    /// The store whose key and endpoint reach it.
    pub store: String,
    /// The bucket.
    pub bucket: BucketName,
    /// The whole key, or prefix.
    pub key: String,
}

impl fmt::Display for Bookmark {
    /// `s3://bucket/key`, exactly: it has to pass [`visible`] before it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl Bookmark {
    /// The bucket's place and the whole key or prefix; or that its store is gone, and what to do.
    pub fn resolve(&self, catalog: &Catalog) -> Result<(Place, String), Failure> {
        let Self { name, store, bucket, key } = self;
        if let Some(found) = catalog.store(store) {
            let bucket = (found.bucket != *bucket).then(|| bucket.clone());
            return Ok((Place { store: store.clone(), bucket }, key.clone()));
        }
        if catalog.invalid("artifact_store", store).is_some() {
            store_of(catalog, store)?;
        }
        let summary = format!(
            "the bookmark {name} is of the artifact store '{}', which was removed or renamed",
            visible(store)
        );
        let failure = Failure::new(FailureKind::NotFound, summary);
        let same = catalog.stores().iter().find(|other| other.bucket == *bucket);
        Err(match same {
            Some(same) => {
                let there = Location::of(same, key).to_string();
                failure.hint(format!(
                    "{} reaches the same bucket: remove the bookmark and add it again as {}",
                    same.name,
                    visible(&there)
                ))
            }
            None => failure.hint(format!(
                "register a store of that name, or forget it: osstack bookmark remove {name}"
            )),
        })
    }

    /// The key of what is called `rest` there.
    fn below(&self, rest: &str) -> String {
        let gap = if self.key.is_empty() || self.key.ends_with('/') { "" } else { "/" };
        format!("{}{gap}{rest}", self.key)
    }
}

/// All bookmarks, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bookmarks {
    all: Vec<Bookmark>,
    problems: Vec<String>,
}

impl Bookmarks {
    /// Those that can be read.
    pub fn all(&self) -> &[Bookmark] {
        &self.all
    }

    /// What is wrong with others, showable; they stay in the file.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn get(&self, name: &str) -> Result<&Bookmark, Failure> {
        let names: Vec<&str> = self.all.iter().map(|one| one.name.as_str()).collect();
        let found = self.all.iter().find(|one| one.name.as_str() == name);
        found.ok_or_else(|| {
            if !names.is_empty() {
                return absent("bookmark", name, &names);
            }
            let summary = format!("there is no bookmark '{}'", visible(name));
            Failure::new(FailureKind::NotFound, summary)
                .hint("make one: osstack bookmark add NAME STORE:KEY, or b in the browser")
        })
    }

    fn of(document: &Table) -> Self {
        let mut read = Self::default();
        let section = document.get(SECTION).and_then(Item::as_table_like);
        for (name, item) in section.into_iter().flat_map(|section| section.iter()) {
            match entry(name, item) {
                Ok(bookmark) => read.all.push(bookmark),
                Err(why) => read.problems.push(format!("bookmark.{}: {why}", visible(name))),
            }
        }
        read
    }

    fn load(path: &Path) -> Result<Self, Failure> {
        Ok(Self::of(document(path)?.as_table()))
    }
}

fn entry(name: &str, item: &Item) -> Result<Bookmark, String> {
    let form = "write store = \"NAME\" and uri = \"s3://BUCKET/KEY\"";
    let name = Name::parse(name).map_err(|error| error.to_string())?;
    let text = |key| item.get(key).and_then(Item::as_str).ok_or_else(|| form.to_owned());
    let (store, uri) = (text("store")?.to_owned(), text("uri")?);
    let rest = uri.strip_prefix("s3://").ok_or_else(|| form.to_owned())?;
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let bucket = BucketName::parse(bucket).map_err(|error| error.to_string())?;
    Ok(Bookmark { name, store, bucket, key: key.to_owned() })
}

fn path(paths: &Paths) -> PathBuf {
    paths.config.join("bookmarks.toml")
}

/// The file as it lies there; one that is no TOML, or a newer osstack's, is refused.
fn document(path: &Path) -> Result<DocumentMut, Failure> {
    let unreadable = |why: String, hint: &str| {
        let shown = visible(&path.to_string_lossy()).into_string();
        let summary = format!("the bookmarks in {shown} cannot be read: {why}");
        Failure::new(FailureKind::File, summary).hint(hint)
    };
    let bytes = atomic_file::read(path, MAX_BYTES)?;
    let text = match bytes {
        Some(bytes) => {
            String::from_utf8(bytes).map_err(|_| unreadable("it is no UTF-8 text".into(), MEND))?
        }
        None => HEADER.to_owned(),
    };
    let document: DocumentMut = text.parse().map_err(|error: TomlError| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        let what = visible(error.message().lines().next().unwrap_or_default()).into_string();
        unreadable(format!("line {line}: {what}"), MEND)
    })?;
    match document.get("schema").map(Item::as_integer) {
        None | Some(Some(..=SCHEMA)) => {}
        Some(Some(_)) => {
            return Err(unreadable("a newer osstack wrote it".into(), "update osstack"));
        }
        Some(None) => return Err(unreadable("schema is no number".into(), MEND)),
    }
    if document.get(SECTION).is_some_and(|section| !section.is_table_like()) {
        return Err(unreadable(format!("{SECTION} is no table"), MEND));
    }
    Ok(document)
}

/// Changes the file under its lock; where `change` fails nothing is written.
async fn edit<T: Send + 'static>(
    world: &World,
    change: impl FnOnce(&mut DocumentMut) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (path, random) = (path(&world.paths), world.entropy.next_u64());
    blocking(move || {
        let options = atomic_file::Options::default();
        let _lock = atomic_file::lock(&path, LOCK_WAIT, options.dir_mode)?;
        let mut document = document(&path)?;
        let answer = change(&mut document)?;
        atomic_file::write(&path, document.to_string().as_bytes(), random, &options)?;
        Ok(answer)
    })
    .await?
}

/// Reads a place as it is typed: what [`Location::parse`] reads, or `@NAME` for a bookmark and
/// `@NAME/REST` for what lies below it. A file that is called so is written `./@NAME`.
pub async fn location(world: &World, text: &OsStr) -> Result<Location, Failure> {
    let marked = text.to_str().and_then(|text| text.strip_prefix('@'));
    let parts = marked.map(|marked| marked.split_once('/').unwrap_or((marked, "")));
    let Some((name, rest)) = parts.filter(|(name, _)| Name::parse(name).is_ok()) else {
        return Ok(Location::parse(text));
    };
    let path = path(&world.paths);
    let bookmarks = blocking(move || Bookmarks::load(&path)).await??;
    let bookmark = bookmarks
        .get(name)
        .map_err(|failure| failure.hint(format!("a file of that name is written ./@{name}")))?;
    let (place, key) = bookmark.resolve(&world.catalog().await?)?;
    let key = if rest.is_empty() { key } else { bookmark.below(rest) };
    Ok(Location::Marked { place, bucket: bookmark.bucket.clone(), key })
}

/// Reads all bookmarks, and the stores they are of.
#[derive(Debug)]
pub struct ListBookmarks;

/// What [`ListBookmarks`] answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedBookmarks {
    /// The bookmarks.
    pub bookmarks: Bookmarks,
    /// The stores.
    pub catalog: Catalog,
}

impl Job<World> for ListBookmarks {
    type Item = Nothing;
    type Out = Result<ListedBookmarks, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let path = path(&context.world.paths);
        let bookmarks = blocking(move || Bookmarks::load(&path)).await??;
        Ok(ListedBookmarks { bookmarks, catalog: context.world.catalog().await? })
    }
}

/// Remembers a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddBookmark {
    /// By which name.
    pub name: Name,
    /// Where.
    pub place: Place,
    /// The whole key or prefix.
    pub key: String,
}

impl Job<World> for AddBookmark {
    type Item = Nothing;
    type Out = Result<Bookmark, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let Self { name, place: Place { store, bucket }, key } = self;
        let own = context.world.store(&store).await?.bucket;
        let bookmark = Bookmark { name, store, bucket: bucket.unwrap_or(own), key };
        edit(&context.world, move |document| {
            let section = document.entry(SECTION).or_insert_with(|| {
                let mut section = Table::new();
                section.set_implicit(true);
                Item::Table(section)
            });
            if let Some(there) = section.get(bookmark.name.as_str()) {
                return Err(taken(&bookmark.name, there));
            }
            let mut table = Table::new();
            table.decor_mut().set_prefix("\n");
            table.insert("store", value(&bookmark.store));
            table.insert("uri", value(bookmark.to_string()));
            if let Some(section) = section.as_table_like_mut() {
                section.insert(bookmark.name.as_str(), Item::Table(table));
            }
            Ok(bookmark)
        })
        .await
    }
}

/// That a name is a bookmark's already.
fn taken(name: &Name, there: &Item) -> Failure {
    let uri = there.get("uri").and_then(Item::as_str).unwrap_or("what cannot be read");
    let summary = format!("there is a bookmark {name} already: {}", visible(uri));
    let hint = "choose another name, or remove that one first";
    Failure::new(FailureKind::Conflict, summary).hint(hint)
}

/// Gives a bookmark another name; it stays where it is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameBookmark {
    /// Which.
    pub name: String,
    /// What it is called from now on.
    pub to: Name,
}

impl Job<World> for RenameBookmark {
    type Item = Nothing;
    type Out = Result<Bookmark, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let Self { name, to } = self;
        edit(&context.world, move |document| {
            let former = Bookmarks::of(document.as_table()).get(&name)?.clone();
            let section = document.get_mut(SECTION).and_then(Item::as_table_like_mut);
            if let Some(section) = section.filter(|_| name != to.as_str()) {
                if let Some(there) = section.get(to.as_str()) {
                    return Err(taken(&to, there));
                }
                if let Some(entry) = section.remove(&name) {
                    section.insert(to.as_str(), entry);
                }
            }
            Ok(Bookmark { name: to, ..former })
        })
        .await
    }
}

/// Makes the bookmarks of the store `from` those of `to`, which is what it is called now.
pub(in crate::ops) async fn follow_store(
    world: &World,
    from: &Name,
    to: &Name,
) -> Result<(), Failure> {
    let path = path(&world.paths);
    let is_of =
        |item: &Item, name: &Name| item.get("store").and_then(Item::as_str) == Some(name.as_str());
    let read = blocking(move || document(&path)).await??;
    let section = read.get(SECTION).and_then(Item::as_table_like);
    let is_meant = |section: &dyn TableLike| section.iter().any(|(_, item)| is_of(item, from));
    if from == to || !section.is_some_and(is_meant) {
        return Ok(());
    }
    let (from, to) = (from.clone(), to.clone());
    edit(world, move |document| {
        let section = document.get_mut(SECTION).and_then(Item::as_table_like_mut);
        let entries = section.into_iter().flat_map(|section| section.iter_mut());
        for (_, item) in entries.filter(|(_, item)| is_of(item, &from)) {
            if let Some(store) = item.get_mut("store").and_then(Item::as_value_mut) {
                let decor = store.decor().clone();
                *store = to.as_str().into();
                *store.decor_mut() = decor;
            }
        }
        Ok(())
    })
    .await
}

/// Forgets a bookmark, also one that cannot be read; what lies there stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveBookmark {
    /// Which.
    pub name: String,
}

impl Job<World> for RemoveBookmark {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        edit(&context.world, move |document| {
            let read = Bookmarks::of(document.as_table());
            let section = document.get_mut(SECTION).and_then(Item::as_table_like_mut);
            match section.and_then(|section| section.remove(&self.name)) {
                Some(_) => Ok(()),
                None => read.get(&self.name).map(|_| ()),
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Bookmarks {
        Bookmarks::of(text.parse::<DocumentMut>().unwrap().as_table())
    }

    #[test]
    fn entries_that_say_nothing_are_named_and_the_rest_counts() {
        let read = read(
            "[bookmark.a]\nstore = 's'\nuri = 's3://b-1/x\u{202e}/'\nnote = 'mine'\n\
             [bookmark.b]\nuri = 's3://b-1/'\n[bookmark.\"c d\"]\nstore = 's'\nuri = 's3://b-1/'\n\
             [bookmark.e]\nstore = 's'\nuri = 's3://B_/'\n[bookmark]\nf = 1\n",
        );
        let uris: Vec<String> = read.all().iter().map(ToString::to_string).collect();
        assert_eq!(uris, ["s3://b-1/x\u{202e}/"]);
        assert_eq!(read.problems().len(), 4, "{read:?}");
        assert!(read.problems()[0].contains("bookmark.b: write store ="), "{read:?}");
    }

    #[test]
    fn what_lies_below_is_named_as_below_a_folder() {
        let at = |key: &str| Bookmark {
            name: Name::parse("a").unwrap(),
            store: "s".into(),
            bucket: BucketName::parse("b-1").unwrap(),
            key: key.into(),
        };
        let below = ["", "x/", "x"].map(|key| at(key).below("y"));
        assert_eq!(below, ["y", "x/y", "x/y"]);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bookmarks.toml");
        assert_eq!(Bookmarks::load(&path).unwrap(), Bookmarks::default());
        for text in ["[bookmark", "schema = 9", "schema = 'x'", "bookmark = 1", "\u{1b}[2J"] {
            let options = atomic_file::Options::default();
            atomic_file::write(&path, text.as_bytes(), 1, &options).unwrap();
            let failure = Bookmarks::load(&path).unwrap_err();
            assert!(!failure.hints.is_empty() && !failure.summary.contains('\u{1b}'), "{failure}");
        }
    }
}
