//! Artifact versions: lists, one with its lineage and files, and what a store holds that no
//! version names.

pub mod census;
pub mod store_tree;
mod which;

use time::OffsetDateTime;

use super::failure::{Failure, FailureKind};
use super::location::Location;
use super::objects::{Place, until_cancelled};
use super::runs::{NEWEST, PAGE, in_project};
use super::transfer::Remote;
use super::world::{World, store_of};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::object_key::ObjectKey;
use crate::oss::listing::ListRequest;
use crate::oss::object::Version;
use crate::zenml::artifacts::lineage::{Lineage, reads};
use crate::zenml::artifacts::read::{self, readable};
use crate::zenml::artifacts::{ArtifactVersion, Step};
use crate::zenml::remote::Remote as Zenml;
use crate::zenml::rest::Collection;

pub use which::Which;

/// Step runs on a page, and pages that are looked at for readers of a version.
const STEPS: u32 = 500;
const STEP_PAGES: u32 = 20;
/// Files of one version that are named.
pub const MOST_FILES: usize = 1000;

/// Lists artifact versions, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListArtifacts {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// Whose data lies in this store of the catalog.
    pub store: Option<String>,
    /// Of the artifact of this name.
    pub name: Option<String>,
    /// So many at the most, the newest first.
    pub limit: usize,
}

/// A version, and where its data lies for every command.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// It.
    pub version: ArtifactVersion,
    /// `STORE:KEY`; nothing where no store of the catalog reaches it.
    pub location: Option<String>,
}

impl Located {
    /// `version`, and its place by the stores of `catalog`.
    pub fn of(version: &ArtifactVersion, catalog: &Catalog) -> Self {
        let location = place_of(&version.uri, catalog).and_then(|(place, key)| {
            let store = catalog.store(&place.store)?;
            Some(Location::of(store, &key).to_string())
        });
        Self { version: version.clone(), location }
    }
}

/// Where the catalog reaches `uri`: the bucket's place, and the whole key without a slash at its
/// end.
pub fn place_of(uri: &str, catalog: &Catalog) -> Option<(Place, String)> {
    let location = Location::parse(uri.as_ref());
    let Location::Uri { .. } = &location else { return None };
    let (place, key) = location.resolve(catalog).ok()??;
    let key = key.trim_end_matches('/');
    (!key.is_empty()).then(|| (place, key.to_owned()))
}

impl Job<World> for ListArtifacts {
    type Item = Nothing;
    type Out = Result<Vec<Located>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let path = match &self.store {
            Some(name) => Some(store_of(&catalog, name)?.path()),
            None => None,
        };
        let zenml = world.zenml(self.connection.as_deref()).await?;
        let below = path.as_ref().map(|path| format!("startswith:{path}/"));
        let mut query = in_project(&zenml, &[NEWEST, ("hydrate", "true")]);
        query.extend(self.name.as_deref().map(|name| ("artifact", name)));
        query.extend(below.as_deref().map(|below| ("uri", below)));
        let is_meant = |one: &ArtifactVersion| {
            let below = |path: &String| {
                one.uri.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            };
            path.as_ref().is_none_or(below)
                && self.name.as_ref().is_none_or(|name| one.artifact == *name)
        };
        let size = PAGE.min(u32::try_from(self.limit).unwrap_or(PAGE)).max(1);
        let mut found: Vec<Located> = Vec::new();
        for number in 1.. {
            if found.len() >= self.limit {
                break;
            }
            let page = zenml.page(Collection::ArtifactVersions, &query, number, size);
            let page = until_cancelled(&context, page).await??;
            let is_last = page.is_last(number);
            let versions = readable(&page.items, read::artifact_version).items.into_iter();
            // a filter that a ZenML does not know is ignored there without a word
            let meant = versions.filter(is_meant);
            found.extend(meant.map(|version| Located::of(&version, &catalog)));
            if is_last {
                break;
            }
        }
        found.truncate(self.limit);
        Ok(found)
    }
}

/// Everything that is known of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribeArtifact {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// Which version.
    pub which: Which,
}

/// A version whole.
#[derive(Clone, Debug, PartialEq)]
pub struct ArtifactDetail {
    /// It, and where it lies.
    pub located: Located,
    /// The bucket's place and the whole key, where the catalog reaches them.
    pub place: Option<(Place, String)>,
    /// What it was made of, and what of it.
    pub lineage: Lineage,
    /// Where inputs and outputs around it lie: `STORE:KEY` by version id.
    pub around: Vec<(String, String)>,
    /// Its files.
    pub files: Files,
}

impl ArtifactDetail {
    /// `STORE:KEY` of an input, or of an output around it; nothing where no store reaches it.
    pub fn location_around(&self, version: &ArtifactVersion) -> Option<&str> {
        let mut known = self.around.iter();
        known.find(|(id, _)| *id == version.id).map(|(_, location)| location.as_str())
    }

    /// The same, or its URI.
    pub fn place_around<'a>(&'a self, version: &'a ArtifactVersion) -> &'a str {
        self.location_around(version).unwrap_or(&version.uri)
    }
}

/// A file of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The whole key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// As what it was listed, where the server says so.
    pub listed: Option<Version>,
}

/// What lies on the store of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// They themselves; [`MOST_FILES`] of them at the most.
    pub files: Vec<File>,
    /// There are more.
    pub is_cut: bool,
    /// Why they could not be listed.
    pub unread: Option<Failure>,
}

impl Files {
    /// The one that somebody would look at first: the largest that is neither a note on the
    /// Python version nor one of `aside`, ZenML's pictures and tables of it.
    pub fn main(&self, aside: &[&str]) -> Option<&File> {
        let rank = |file: &&File| {
            let key = file.key.as_str();
            let is_aside = aside.contains(&key) || key.ends_with("/python_version.txt");
            (!is_aside, file.size)
        };
        self.files.iter().rev().max_by_key(rank)
    }
}

impl Job<World> for DescribeArtifact {
    type Item = Nothing;
    type Out = Result<Box<ArtifactDetail>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let zenml = context.world.zenml(self.connection.as_deref()).await?;
        let version = self.which.find(&zenml);
        let version = until_cancelled(&context, version).await??;
        let lineage = until_cancelled(&context, lineage(&zenml, &version)).await??;
        let inputs = lineage.inputs().iter();
        let outputs = lineage.consumers.iter().flat_map(|step| &step.outputs);
        let around = inputs
            .chain(outputs)
            .filter_map(|(_, one)| Some((one.id.clone(), Located::of(one, &catalog).location?)))
            .collect();
        let place = place_of(&version.uri, &catalog);
        let files = match &place {
            Some((place, key)) => list_files(&context, place, key).await?,
            None => Files::default(),
        };
        let located = Located::of(&version, &catalog);
        Ok(Box::new(ArtifactDetail { located, place, lineage, around, files }))
    }
}

/// Finds the files of one URI: of a version, or a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindFiles {
    /// The folder or the file.
    pub uri: String,
    /// URIs of what ZenML made of it to be looked at: not its data.
    pub aside: Vec<String>,
}

/// Where files lie, and which they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The files.
    pub files: Files,
    /// The one to look at, and as what it was listed; nothing where there is none.
    pub main: Option<(Remote, Option<Version>)>,
}

impl Job<World> for FindFiles {
    type Item = Nothing;
    type Out = Result<Found, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let (place, key) = place_of(&self.uri, &catalog).ok_or_else(|| unreached(&self.uri))?;
        let mut files = list_files(&context, &place, &key).await?;
        if let Some(failure) = files.unread.take() {
            return Err(failure);
        }
        let aside: Vec<&str> = self
            .aside
            .iter()
            .filter_map(|uri| uri.strip_prefix("s3://")?.split_once('/'))
            .map(|(_, key)| key)
            .collect();
        let store = catalog.store(&place.store);
        let main = files.main(&aside).and_then(|file| {
            let key = ObjectKey::parse(&file.key).ok()?;
            Some((Remote::at(place, store, key), file.listed.clone()))
        });
        Ok(Found { files, main })
    }
}

fn unreached(uri: &str) -> Failure {
    let uri = visible(uri);
    let summary = format!("no store of the catalog reaches {uri}");
    Failure::new(FailureKind::NotFound, summary)
        .hint("enter the artifact store of that path: n in the tab of stores")
}

/// The files below `key`, or the one that it is. What OSS refuses is told, not fatal: the rest is
/// known without it.
async fn list_files<I>(
    context: &Context<World, I>,
    place: &Place,
    key: &str,
) -> Result<Files, Failure> {
    match until_cancelled(context, files(&context.world, place, key)).await? {
        Ok(files) => Ok(files),
        Err(failure) if failure.kind == FailureKind::Locked => Err(failure),
        Err(failure) => Ok(Files { unread: Some(failure), ..Files::default() }),
    }
}

async fn files(world: &World, place: &Place, key: &str) -> Result<Files, Failure> {
    let (client, bucket) = place.open(world).await?;
    let request = ListRequest { prefix: format!("{key}/"), ..ListRequest::default() };
    let mut pages = client.walk(&bucket, request).at_most(1);
    let mut files = Files::default();
    while let Some(page) = pages.next().await {
        let page = page?.value;
        files.files.extend(page.entries().map(|entry| File {
            key: entry.key.to_owned(),
            size: entry.size,
            listed: entry.version(),
        }));
        if files.files.len() > MOST_FILES {
            files.files.truncate(MOST_FILES);
            files.is_cut = true;
            break;
        }
    }
    if files.files.is_empty()
        && let Ok(key) = ObjectKey::parse(key)
    {
        match client.head(&bucket, key.as_str()).await {
            Ok(info) => {
                let (size, listed) = (info.value.size.unwrap_or(0), info.value.version());
                files.files.push(File { key: key.as_str().to_owned(), size, listed });
            }
            Err(error) if error.kind == crate::oss::Kind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(files)
}

/// One step up and down. `ZenML` has no filter for steps by what they read, so those since the
/// version was written are looked through, page by page.
async fn lineage(zenml: &Zenml, version: &ArtifactVersion) -> Result<Lineage, Failure> {
    let mut lineage = Lineage::default();
    if let Some(step) = &version.step {
        lineage.producer = step_of(zenml, step).await?;
    }
    let run = version.run.as_ref().or(lineage.producer.as_ref().and_then(|step| step.run.as_ref()));
    if let Some(run) = run {
        lineage.run = zenml.one(Collection::Runs, run).await?.as_ref().and_then(read::run);
    }
    let since = version.created.and_then(filter_time).map(|time| format!("gte:{time}"));
    let mut query = in_project(zenml, &[("sort_by", "asc:created")]);
    query.extend(since.as_deref().map(|since| ("created", since)));
    for number in 1..=STEP_PAGES {
        let page = zenml.page(Collection::Steps, &query, number, STEPS).await?;
        let readers = readable(&page.items, read::step).items.into_iter();
        lineage.consumers.extend(readers.filter(|step| reads(step, &version.id)));
        if page.is_last(number) {
            break;
        }
        lineage.is_cut = number == STEP_PAGES;
    }
    // a list tells no run of a step
    for step in &mut lineage.consumers {
        if let (None, Some(whole)) = (&step.run, step_of(zenml, &step.id).await?) {
            step.run = whole.run;
        }
    }
    Ok(lineage)
}

async fn step_of(zenml: &Zenml, id: &str) -> Result<Option<Step>, Failure> {
    Ok(zenml.one(Collection::Steps, id).await?.as_ref().and_then(read::step))
}

/// A time as `ZenML`'s filters take it: UTC, whole seconds, the fraction cut off
/// (`constants.py`, `FILTERING_DATETIME_FORMAT`).
fn filter_time(time: OffsetDateTime) -> Option<String> {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    time.to_offset(time::UtcOffset::UTC).format(&format).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_file_is_the_largest_that_is_data() {
        let file = |key: &str, size| File { key: key.to_owned(), size, listed: None };
        let files = |files: &[File]| Files { files: files.to_vec(), ..Files::default() };
        let main = |files: &Files, aside: &[&str]| files.main(aside).map(|file| file.key.clone());
        let frame = files(&[file("a/describe.csv", 9000), file("a/df.parquet.gzip", 2103)]);
        assert_eq!(main(&frame, &["a/describe.csv"]).as_deref(), Some("a/df.parquet.gzip"));
        let model = files(&[file("a/artifact.pkl", 3), file("a/python_version.txt", 6)]);
        assert_eq!(main(&model, &[]).as_deref(), Some("a/artifact.pkl"));
        let html = files(&[file("a/output.html", 11)]);
        let better_than_nothing = main(&html, &["a/output.html"]);
        assert_eq!(better_than_nothing.as_deref(), Some("a/output.html"));
        assert_eq!(files(&[]).main(&[]), None);
    }

    #[test]
    fn filters_take_whole_seconds() {
        let time = read::moment("2026-11-22T07:26:05.908122").unwrap();
        assert_eq!(filter_time(time).unwrap(), "2026-11-22 07:26:05");
    }
}
