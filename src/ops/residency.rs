//! The border: a store may name where its data may lie, and the bucket may lie elsewhere all the
//! same, behind a URL or a domain of its own. Whoever opens a place passes here first, and is
//! refused until a person has said yes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::job::{Context, Job, Nothing};
use crate::model::bucket::BucketName;
use crate::model::region::{self, Region};
use crate::model::store::ArtifactStore;
use crate::oss::{Client, Kind};

use super::failure::{Failure, FailureKind};
use super::objects::{Place, until_cancelled};
use super::world::World;

/// The buckets that may be read, for as long as this osstack runs and their stores stay the same.
#[derive(Debug, Default)]
pub(super) struct Border {
    open: Mutex<Vec<(ArtifactStore, BucketName)>>,
}

impl Border {
    /// Lets `bucket` through where it lies inside of `store`'s residency, or nothing tells that it
    /// does not. The server is asked once: also behind an endpoint of a region the bucket may be
    /// another one's, and the client would follow it there.
    pub(super) async fn guard(
        &self,
        client: &Client,
        store: &ArtifactStore,
        bucket: &BucketName,
    ) -> Result<(), Failure> {
        let is_open = |(of, named): &(ArtifactStore, BucketName)| of == store && named == bucket;
        if store.residency.is_empty() || self.lock().iter().any(is_open) {
            return Ok(());
        }
        let Looked { region, is_final } = look(client, store, bucket).await;
        if let Some(refusal) = region.and_then(|region| store.residency.refusal(region)) {
            return Err(refused(store, bucket, &refusal));
        }
        if is_final {
            self.open(store, bucket);
        }
        Ok(())
    }

    fn open(&self, store: &ArtifactStore, bucket: &BucketName) {
        self.lock().push((store.clone(), bucket.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(ArtifactStore, BucketName)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a bucket lies, as far as can be told.
struct Looked {
    region: Option<&'static Region>,
    /// Whether to look again would tell no more.
    is_final: bool,
}

async fn look(client: &Client, store: &ArtifactStore, bucket: &BucketName) -> Looked {
    let (told, is_final) = match client.bucket_location(bucket).await {
        Ok(answer) => (answer.value.as_deref().and_then(region::find), true),
        Err(error) => {
            let there = error.endpoint.as_deref().and_then(region::of_host);
            (there, error.kind == Kind::Permission)
        }
    };
    // an endpoint of a region serves no bucket of another one (EC 0003-00001403)
    let by_name = || store.access_endpoint().ok()?.region();
    Looked { region: told.or_else(by_name), is_final }
}

fn refused(store: &ArtifactStore, bucket: &BucketName, refusal: &str) -> Failure {
    let summary = format!("the data of {bucket} would cross a border: {refusal}");
    Failure::new(FailureKind::Border, summary)
        .hint("to read it all the same say yes in the browser, or add --across-border")
        .hint(format!("osstack check {} has the whole of it", store.name))
}

/// Opens the border for a place, or looks whether it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossBorder {
    /// Which bucket.
    pub place: Place,
    /// A person has said yes.
    pub is_allowed: bool,
}

impl Job<World> for CrossBorder {
    type Item = Nothing;
    /// A failure of the kind [`FailureKind::Border`] asks for a yes.
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &*context.world;
        let store = world.store(&self.place.store).await?;
        if store.residency.is_empty() {
            return Ok(());
        }
        if self.is_allowed {
            let bucket = self.place.bucket.as_ref().unwrap_or(&store.bucket);
            world.border.open(&store, bucket);
            return Ok(());
        }
        until_cancelled(&context, self.place.open(world)).await?.map(|_| ())
    }
}
