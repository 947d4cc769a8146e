//! Artifact stores of the catalog.

use crate::base::job::{Context, Job, Nothing};
use crate::catalog::{Catalog, Put};
use crate::model::name::Name;
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::zenml::changes;

use super::bookmarks;
use super::commit_record;
use super::failure::Failure;
use super::world::{World, blocking};

/// The whole catalog as it lies on disk now: stores, components, stacks and what is odd in it.
#[derive(Debug)]
pub struct LoadCatalog;

impl Job<World> for LoadCatalog {
    type Item = Nothing;
    type Out = Result<Catalog, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        context.world.catalog().await
    }
}

/// Writes a store to the catalog. The network is not touched.
#[derive(Clone, Debug, PartialEq)]
pub struct SaveStore {
    /// What was entered.
    pub draft: StoreDraft,
    /// The store as it was loaded; nothing where it is new. Refused where the file says otherwise
    /// by now.
    pub replaces: Option<Box<ArtifactStore>>,
}

/// A store that is in the catalog now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedStore {
    /// Its name.
    pub name: Name,
    /// What the edit does to the artifacts of a store that ZenML has already.
    pub moved: Option<String>,
}

impl Job<World> for SaveStore {
    type Item = Nothing;
    type Out = Result<SavedStore, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let store = self.draft.validate()?;
        let (name, to) = (store.name.clone(), store.path());
        let (path, random) = context.world.catalog_edit();
        let former = self.replaces.as_ref().map(|former| (former.name.clone(), former.path()));
        blocking(move || {
            Catalog::edit(&path, random, |edit| match self.replaces {
                None => edit.put_store(&store, Put::New),
                Some(former) => {
                    if former.name != store.name {
                        edit.rename_store(former.name.as_str(), &store.name)?;
                    }
                    let former = ArtifactStore { name: store.name.clone(), ..*former };
                    edit.put_store(&store, Put::Update(&former))
                }
            })
        })
        .await??;
        let mut moved = None;
        if let Some((former, from)) = former {
            commit_record::rename(&context.world, "artifact_store", &former, &name).await?;
            // a file that cannot be read is said wherever a bookmark is used
            let _unread = bookmarks::follow_store(&context.world, &former, &name).await;
            // the catalog has it by now: a record that cannot be read is said by the next plan
            let is_there = commit_record::has_made(&context.world, "artifact_store", &name);
            if is_there.await.unwrap_or(false) {
                moved = changes::moved(&name, &from, &to);
            }
        }
        Ok(SavedStore { name, moved })
    }
}

/// Forgets a store that no stack uses; the bucket stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteStore {
    /// Its name.
    pub name: String,
}

impl Job<World> for DeleteStore {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (path, random) = context.world.catalog_edit();
        blocking(move || Catalog::edit(&path, random, |edit| edit.delete_store(&self.name)))
            .await??;
        Ok(())
    }
}
