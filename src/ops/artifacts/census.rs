//! Counts a store against `ZenML`: orphans, and versions whose data is gone.

use serde_json::Value;

use crate::base::job::{Context, Job};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::{Place, until_cancelled};
use crate::ops::world::{World, store_of};
use crate::oss::listing::ListRequest;
use crate::zenml::artifacts::ArtifactVersion;
use crate::zenml::artifacts::census::{Census, Orphan, Summary};
use crate::zenml::artifacts::read::{self, readable};
use crate::zenml::remote::Remote;
use crate::zenml::rest::Collection;

/// Counts a store whole. Orphans are reported as they are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeCensus {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// The store, of the catalog.
    pub store: String,
}

/// What a census came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// The numbers.
    pub summary: Summary,
    /// How many versions have their data in the store, or should.
    pub versions: u64,
    /// Versions that have none.
    pub missing: Vec<ArtifactVersion>,
}

impl Job<World> for TakeCensus {
    type Item = Orphan;
    type Out = Result<Counted, Failure>;

    async fn run(self, context: Context<World, Orphan>) -> Self::Out {
        let world = &context.world;
        let store = store_of(&world.catalog().await?, &self.store)?.clone();
        let zenml = world.zenml(self.connection.as_deref()).await?;
        // what is written while the listing runs is younger than any orphan
        let now = world.clock.now();
        let versions = all_in_bucket(&zenml, store.bucket.as_str());
        let versions = until_cancelled(&context, versions).await??;
        let prefix = store.key_prefix();
        let mut census = Census::new(&versions, store.bucket.as_str(), &prefix, now);
        let (oss, bucket) = Place::of(self.store).open(world).await?;
        let request = ListRequest { prefix: prefix.clone(), ..ListRequest::default() };
        let mut pages = oss.walk(&bucket, request).in_order();
        while let Some(page) = until_cancelled(&context, pages.next()).await? {
            for entry in page?.value.entries() {
                let whole = census.take(entry.key, entry.size, entry.last_modified);
                if let Some(orphan) = whole
                    && !context.report(orphan).await
                {
                    return Err(Failure::cancelled());
                }
            }
        }
        let (last, ended) = census.end();
        if let Some(orphan) = last {
            context.report(orphan).await;
        }
        let here = (0..versions.len()).filter(|index| ended.found(*index).is_some()).count();
        let missing = ended.missing().filter_map(|index| versions.get(index).cloned()).collect();
        Ok(Counted { summary: ended.summary, versions: here as u64, missing })
    }
}

/// Every version whose data lies in `bucket`, of every project: one that was left out would make
/// its data look like nobody's, so it is an error that some may not be seen.
pub(in crate::ops) async fn all_in_bucket(
    zenml: &Remote,
    bucket: &str,
) -> Result<Vec<ArtifactVersion>, Failure> {
    all_below(zenml, &format!("s3://{bucket}")).await
}

/// The same of those whose URI begins with `uri`.
pub(in crate::ops) async fn all_below(
    zenml: &Remote,
    uri: &str,
) -> Result<Vec<ArtifactVersion>, Failure> {
    let mut all = Vec::new();
    let below = format!("startswith:{uri}");
    for project in projects(zenml).await? {
        let query = [("project", project.as_str()), ("uri", &below), ("sort_by", "asc:created")];
        let listed = zenml.list(Collection::ArtifactVersions, &query).await?;
        let found = readable(&listed, read::artifact_version);
        if found.hidden > 0 {
            let summary = format!(
                "this user may not see {} of ZenML's artifact versions: what belongs to \
                 nobody and what to them cannot be told apart",
                found.hidden
            );
            return Err(Failure::new(FailureKind::Credentials, summary)
                .hint("sign in as somebody who may see all: osstack zenml login"));
        }
        all.extend(found.items);
    }
    Ok(all)
}

/// Ids of the projects.
async fn projects(zenml: &Remote) -> Result<Vec<String>, Failure> {
    let listed = zenml.list(Collection::Projects, &[]).await?;
    let id = |project: &Value| Some(project.get("id")?.as_str()?.to_owned());
    let found: Vec<String> = listed.iter().filter_map(id).collect();
    if found.is_empty() {
        let summary = "ZenML shows this user no project";
        return Err(Failure::new(FailureKind::Credentials, summary)
            .hint("sign in as somebody who may see one: osstack zenml login"));
    }
    Ok(found)
}
