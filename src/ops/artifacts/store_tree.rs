//! A store's artifacts as a tree, from `ZenML` where one is known, else from the keys.

use crate::base::job::{Context, Job, Nothing};
use crate::catalog::Catalog;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::{Place, until_cancelled};
use crate::ops::runs::{NEWEST, in_project, newest_runs};
use crate::ops::world::{World, store_of};
use crate::oss::listing::ListRequest;
use crate::zenml::artifacts::read::{self, readable};
use crate::zenml::artifacts::tree::{Folders, Node, of_server};
use crate::zenml::artifacts::{ArtifactVersion, Run};
use crate::zenml::remote::Remote;
use crate::zenml::rest::Collection;

/// Runs that are read for their names; the artifacts of older ones stand together.
const MOST_RUNS: usize = 2000;

/// Reads the artifacts of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadStoreTree {
    /// The store, of the catalog.
    pub store: String,
}

/// A store's artifacts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreTree {
    /// Pipelines, or steps where no `ZenML` tells more.
    pub nodes: Vec<Node>,
    /// The versions that nodes name by index.
    pub versions: Vec<ArtifactVersion>,
    /// The runs that nodes name by index.
    pub runs: Vec<Run>,
    /// The connection that told it; none where the keys alone did.
    pub connection: Option<String>,
    /// Why `ZenML` did not tell it, though one is known.
    pub unasked: Option<Failure>,
}

/// The connection of a store: that of a stack which uses it and names one, else the first to a
/// server, which answers sooner than a command, else the first.
pub fn connection_of_store(catalog: &Catalog, store: &str) -> Option<String> {
    let known = catalog.connections();
    let users = catalog.users_of_store(store);
    let stacks = catalog.stacks().iter().filter(|stack| users.contains(&&stack.name));
    let named = stacks.filter_map(|stack| stack.zenml.as_deref());
    let mut named = named.filter_map(|name| catalog.connection(name));
    let server = known.iter().find(|connection| connection.way.is_server());
    named.next().or(server).or(known.first()).map(|connection| connection.name.to_string())
}

impl Job<World> for ReadStoreTree {
    type Item = Nothing;
    type Out = Result<StoreTree, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let store = store_of(&catalog, &self.store)?;
        let prefix = store.key_prefix();
        let mut tree = StoreTree::default();
        if let Some(name) = connection_of_store(&catalog, &self.store) {
            let told = async {
                let zenml = context.world.zenml(Some(&name)).await?;
                told(&zenml, &store.path()).await
            };
            match until_cancelled(&context, told).await? {
                Ok((versions, runs)) => {
                    let nodes = of_server(&versions, &runs, (store.bucket.as_str(), &prefix));
                    let connection = Some(name);
                    return Ok(StoreTree { nodes, versions, runs, connection, unasked: None });
                }
                Err(failure) if failure.kind == FailureKind::Locked => return Err(failure),
                Err(failure) => tree.unasked = Some(failure),
            }
        }
        let (client, bucket) = Place::of(self.store).open(&context.world).await?;
        let request = ListRequest { prefix: prefix.clone(), ..ListRequest::default() };
        let mut pages = client.walk(&bucket, request).in_order();
        let mut folders = Folders::default();
        while let Some(page) = until_cancelled(&context, pages.next()).await? {
            for entry in page?.value.entries() {
                folders.take(entry.key, &prefix);
            }
        }
        tree.nodes = folders.tree(&prefix);
        Ok(tree)
    }
}

/// The versions whose data lies below `path`, and the runs that they are of.
async fn told(zenml: &Remote, path: &str) -> Result<(Vec<ArtifactVersion>, Vec<Run>), Failure> {
    let below = format!("startswith:{path}/");
    let query = in_project(zenml, &[NEWEST, ("uri", &below)]);
    let versions = zenml.list(Collection::ArtifactVersions, &query).await?;
    let mut versions = readable(&versions, read::artifact_version).items;
    let is_below = |uri: &str| uri.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    versions.retain(|version| is_below(&version.uri));
    let runs = newest_runs(zenml, None, MOST_RUNS).await?;
    Ok((versions, runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_names_its_zenml_decides() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stacks.toml");
        let text = r#"schema = 1
[zenml.dev]
url = "https://dev.example.com"
[zenml.local]
command = "/venv/bin/zenml"
[zenml.prod]
url = "https://prod.example.com"
[artifact_store.a]
path = "s3://bucket-a/zen"
secret = "s"
region = "eu-central-1"
[artifact_store.b]
path = "s3://bucket-b/zen"
secret = "s"
region = "eu-central-1"
[artifact_store.c]
path = "s3://bucket-c/zen"
secret = "s"
region = "eu-central-1"
[stack.one]
components = { artifact_store = ["a"], orchestrator = ["default"] }
zenml = "prod"
[stack.two]
components = { artifact_store = ["c"], orchestrator = ["default"] }
zenml = "local"
"#;
        let options = crate::base::atomic_file::Options::default();
        crate::base::atomic_file::write(&path, text.as_ref(), 1, &options).unwrap();
        let catalog = Catalog::load(&path).unwrap();
        assert_eq!(catalog.connections().len(), 3, "{:?}", catalog.problems());
        assert_eq!(connection_of_store(&catalog, "a").as_deref(), Some("prod"));
        assert_eq!(connection_of_store(&catalog, "b").as_deref(), Some("dev"));
        assert_eq!(connection_of_store(&catalog, "c").as_deref(), Some("local"));
    }
}
