//! Deletes artifact versions that may go, data and metadata, and orphans.
//!
//! Who is stopped, or killed, at any point starts the same again: the plan is made anew from what
//! `ZenML` and the store hold by then ([`crate::zenml::artifacts::prune`]).

use std::collections::BTreeSet;

use serde_json::Value;

use super::artifacts::census::{all_below, all_in_bucket};
use super::failure::{Failure, FailureKind};
use super::objects::{Place, until_cancelled};
use super::world::{World, store_of};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::model::bucket::BucketName;
use crate::oss;
use crate::oss::listing::ListRequest;
use crate::zenml::artifacts::ArtifactVersion;
use crate::zenml::artifacts::below::is_in;
use crate::zenml::artifacts::census::{Orphan, Tally, is_still_orphan};
use crate::zenml::artifacts::prune::{Doomed, Plan, Rules, Stock, plan};
use crate::zenml::artifacts::read::{self, readable};
use crate::zenml::remote::Remote;
use crate::zenml::rest::{Collection, Kind};

/// Says what would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPrune {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// The store, of the catalog.
    pub store: String,
    /// What makes a version go.
    pub rules: Rules,
}

impl Job<World> for PlanPrune {
    type Item = Nothing;
    type Out = Result<Plan, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let store = store_of(&world.catalog().await?, &self.store)?.clone();
        let zenml = world.zenml(self.connection.as_deref()).await?;
        let bucket = store.bucket.as_str();
        let versions = until_cancelled(&context, all_in_bucket(&zenml, bucket)).await??;
        let unused = until_cancelled(&context, unused(&zenml, &versions)).await??;
        let of_models = until_cancelled(&context, of_models(&zenml)).await??;
        let prefix = store.key_prefix();
        let ids = unused.iter().map(|version| version.id.clone()).collect();
        let stock = Stock {
            versions: &versions,
            unused: &ids,
            of_models: &of_models,
            store: (bucket, &prefix),
        };
        let mut plan = plan(&stock, &self.rules, world.clock.now());
        for doomed in &mut plan.doomed {
            // those were read whole: with their sizes
            if let Some(whole) = unused.iter().find(|one| one.id == doomed.version.id) {
                doomed.version = ArtifactVersion::clone(whole);
            }
        }
        Ok(plan)
    }
}

/// The versions among `versions` that no run has, read whole.
async fn unused(
    zenml: &Remote,
    versions: &[ArtifactVersion],
) -> Result<Vec<ArtifactVersion>, Failure> {
    let projects: BTreeSet<&str> =
        versions.iter().filter_map(|one| one.project.as_deref()).collect();
    let mut all = Vec::new();
    for project in projects {
        let query = [("project", project), ("only_unused", "true"), ("hydrate", "true")];
        let listed = zenml.list(Collection::ArtifactVersions, &query).await?;
        all.extend(readable(&listed, read::artifact_version).items);
    }
    // a ZenML that does not know the filter ignores it without a word, and answers with all:
    // what a step that is still there has as its output is in use whatever it says
    all.retain(|version| version.step.is_none());
    Ok(all)
}

/// Ids of the versions that a model version holds; a `ZenML` without models has none.
async fn of_models(zenml: &Remote) -> Result<BTreeSet<String>, Failure> {
    let listed = match zenml.list(Collection::ModelVersionArtifacts, &[]).await {
        Ok(listed) => listed,
        Err(error) if error.kind == Kind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error.into()),
    };
    let held = |link: &Value| {
        let id = link.pointer("/body/artifact_version/id").or_else(|| link.get("artifact_version"));
        Some(id?.as_str()?.to_owned())
    };
    Ok(listed.iter().filter_map(held).collect())
}

/// Carries out what [`PlanPrune`] said, version by version: its data, then its metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Prune {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// The store, of the catalog.
    pub store: String,
    /// What goes.
    pub doomed: Vec<Doomed>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pruned {
    /// Data and metadata are gone.
    Gone {
        /// The version, or an orphan's folder.
        name: String,
        /// What lay there; nothing where it was gone before.
        data: Tally,
    },
    /// It stays.
    Left {
        /// The version, or an orphan's folder.
        name: String,
        /// Why.
        why: Failure,
        /// What of its data is gone all the same: it was stopped in the middle.
        data: Tally,
    },
}

impl Pruned {
    fn of(name: String, ended: Result<(), Failure>, data: Tally) -> Self {
        match ended {
            Ok(()) => Self::Gone { name, data },
            Err(why) => Self::Left { name, why, data },
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Versions or folders that are gone.
    pub gone: u64,
    /// Those that stayed though they should have gone.
    pub left: u64,
    /// Data that is gone.
    pub data: Tally,
}

impl Totals {
    /// Counts one in.
    pub fn count(&mut self, pruned: &Pruned) {
        let data = match pruned {
            Pruned::Gone { data, .. } => {
                self.gone += 1;
                data
            }
            Pruned::Left { data, .. } => {
                self.left += 1;
                data
            }
        };
        self.data.objects += data.objects;
        self.data.bytes = self.data.bytes.saturating_add(data.bytes);
    }
}

impl Job<World> for Prune {
    type Item = Pruned;
    /// What is gone and what stayed. One that stays does not keep the others, unless ZenML or the
    /// store was not reached or lets nobody in: then it would be so with all, and data would
    /// go whose metadata stays.
    type Out = Result<Totals, Failure>;

    async fn run(self, context: Context<World, Pruned>) -> Self::Out {
        let zenml = context.world.zenml(self.connection.as_deref()).await?;
        let (oss, bucket) = Place::of(self.store).open(&context.world).await?;
        let mut totals = Totals::default();
        for doomed in self.doomed {
            let name = doomed.version.label();
            let mut data = Tally::default();
            let one = prune_one(&zenml, &oss, &bucket, &doomed, &mut data);
            let ended = until_cancelled(&context, one).await.flatten();
            let pruned = Pruned::of(name, ended, data);
            totals.count(&pruned);
            let ends_all = ends_all(&pruned);
            if !context.report(pruned).await {
                return Err(Failure::cancelled());
            }
            if let Some(why) = ends_all {
                return Err(why);
            }
        }
        Ok(totals)
    }
}

/// Why no other needs to be tried either, where that is so.
fn ends_all(pruned: &Pruned) -> Option<Failure> {
    match pruned {
        Pruned::Left { why, .. }
            if matches!(
                why.kind,
                FailureKind::Network | FailureKind::Credentials | FailureKind::Cancelled
            ) =>
        {
            Some(why.clone())
        }
        _ => None,
    }
}

/// Data first: stopped in between, a version without data is left, which the next plan has again.
async fn prune_one(
    zenml: &Remote,
    oss: &oss::Client,
    bucket: &BucketName,
    doomed: &Doomed,
    gone: &mut Tally,
) -> Result<(), Failure> {
    let id = doomed.version.id.as_str();
    // a run may have taken it up since the plan was made
    let again = [("id", id), ("only_unused", "true")];
    let project = doomed.version.project.as_deref().map(|project| ("project", project));
    let again: Vec<_> = project.into_iter().chain(again).collect();
    let found = zenml.list(Collection::ArtifactVersions, &again).await?;
    let found = readable(&found, read::artifact_version).items;
    let is_free = found.iter().any(|version| version.id == id && version.step.is_none());
    if !is_free {
        // gone meanwhile, by somebody else's hand: its data is nobody's then, and an orphan
        let summary = format!("{} is used by a run by now, or gone", doomed.version.label());
        let summary = visible(&summary).into_string();
        return Err(Failure::new(FailureKind::Conflict, summary)
            .hint("plan again: osstack artifact prune --dry-run"));
    }
    delete_below(oss, bucket, &doomed.key, gone).await?;
    Ok(zenml.delete_artifact_version(id).await?)
}

/// Deletes the object `key` and all below it, one by one: OSS refuses the multi-delete that
/// s3fs sends. What is gone is counted into `gone`, however it ends.
async fn delete_below(
    oss: &oss::Client,
    bucket: &BucketName,
    key: &str,
    gone: &mut Tally,
) -> Result<(), Failure> {
    let request = ListRequest { prefix: key.to_owned(), ..ListRequest::default() };
    let mut pages = oss.walk(bucket, request).at_most(1);
    while let Some(page) = pages.next().await {
        for entry in page?.value.entries() {
            // the listing has `key-2/x` too: only what is at a slash is below
            if is_in(entry.key, key) {
                oss.delete(bucket, entry.key).await?;
                gone.objects += 1;
                gone.bytes = gone.bytes.saturating_add(entry.size);
            }
        }
    }
    Ok(())
}

/// Deletes data that no artifact version names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PruneOrphans {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// The store, of the catalog.
    pub store: String,
    /// What goes.
    pub orphans: Vec<Orphan>,
}

impl Job<World> for PruneOrphans {
    type Item = Pruned;
    /// What is gone and what stayed.
    type Out = Result<Totals, Failure>;

    async fn run(self, context: Context<World, Pruned>) -> Self::Out {
        let world = &context.world;
        let zenml = world.zenml(self.connection.as_deref()).await?;
        let (oss, bucket) = Place::of(self.store).open(world).await?;
        // asked once more: a run may have registered one since they were found
        let versions = all_in_bucket(&zenml, bucket.as_str());
        let versions = until_cancelled(&context, versions).await??;
        let mut totals = Totals::default();
        for orphan in self.orphans {
            let mut data = Tally::default();
            let ended = if is_still_orphan(&orphan.key, bucket.as_str(), &versions) {
                let one = prune_orphan(&zenml, &oss, &bucket, &orphan, &mut data);
                until_cancelled(&context, one).await.flatten()
            } else {
                Err(named_by_now())
            };
            let pruned = Pruned::of(orphan.key, ended, data);
            totals.count(&pruned);
            let ends_all = ends_all(&pruned);
            if !context.report(pruned).await {
                return Err(Failure::cancelled());
            }
            if let Some(why) = ends_all {
                return Err(why);
            }
        }
        Ok(totals)
    }
}

fn named_by_now() -> Failure {
    Failure::new(FailureKind::Conflict, "an artifact version names it by now")
        .hint("it is no orphan: nothing is to be done")
}

/// Deletes one orphan, unless it was registered or written to while the ones before it went: with
/// many that takes its time.
async fn prune_orphan(
    zenml: &Remote,
    oss: &oss::Client,
    bucket: &BucketName,
    orphan: &Orphan,
    gone: &mut Tally,
) -> Result<(), Failure> {
    let Orphan { key, newest, .. } = orphan;
    let named = all_below(zenml, &format!("s3://{bucket}/{key}")).await?;
    if !is_still_orphan(key, bucket.as_str(), &named) {
        return Err(named_by_now());
    }
    let request = ListRequest { prefix: key.clone(), ..ListRequest::default() };
    let mut pages = oss.walk(bucket, request).at_most(1);
    while let Some(page) = pages.next().await {
        let page = page?.value;
        let mut own = page.entries().filter(|entry| is_in(entry.key, key));
        if own.any(|entry| entry.last_modified > *newest) {
            let summary = "something was written there since it was counted";
            return Err(Failure::new(FailureKind::Conflict, summary)
                .hint("look again later: osstack artifact orphans STORE"));
        }
    }
    delete_below(oss, bucket, key, gone).await
}
