//! The catalog beside ZenML and beside the bucket, field by field.

use std::sync::Arc;

use super::failure::Failure;
use super::plan::{Against, Aim, MakePlan};
use super::world::{World, stack_of, store_of};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::model::endpoint::Endpoint;
use crate::model::name::Name;
use crate::model::region;
use crate::model::store::ArtifactStore;
use crate::zenml::changes::{Action, Change, Changes, FieldChange};
use crate::zenml::plan::Step;
use crate::zenml::rest::ServerInfo;

/// Compares what the catalog says of a stack with what a ZenML has of it, and its bucket with both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffStack {
    /// The stack.
    pub stack: String,
    /// Which ZenML.
    pub against: Against,
}

/// What differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// The stack.
    pub stack: String,
    /// The connection and what is behind it; nothing where no ZenML is known.
    pub zenml: Option<(Name, ServerInfo)>,
    /// Secret, components, stack, in the order of a commit.
    pub things: Vec<Thing>,
    /// The bucket of its artifact store.
    pub bucket: BucketDiff,
    /// What to know, whole sentences, showable.
    pub notes: Vec<String>,
}

/// One thing of a stack, here and in ZenML.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    /// What it is to be: as the catalog has it.
    pub step: Step,
    /// Whether ZenML has it, and has the same.
    pub there: There,
    /// What differs: `from` is ZenML's, `to` the catalog's. Never a value of a secret.
    pub fields: Vec<FieldChange>,
    /// Its name in ZenML, where that is another.
    pub other_name: Option<String>,
    /// Whether somebody else made what ZenML has.
    pub is_foreign: bool,
}

/// What ZenML has of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// Nothing.
    Nothing,
    /// The same.
    Same,
    /// Something else.
    Differs,
}

impl There {
    /// The word in JSON and in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "only here",
            Self::Same => "same",
            Self::Differs => "differs",
        }
    }
}

/// The bucket as catalog, ZenML and OSS have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketDiff {
    /// Its name, as the catalog has it.
    pub name: String,
    /// The region that the catalog names.
    pub here: Option<String>,
    /// The region that ZenML's endpoint leads to; nothing where ZenML has no such store.
    pub zenml: Option<String>,
    /// The region it lies in, as OSS says; else why that is not known.
    pub lies_in: Result<Option<String>, Failure>,
}

impl BucketDiff {
    /// Whether catalog or ZenML lead elsewhere than to the bucket; an unknown region differs from
    /// none.
    pub fn differs(&self) -> bool {
        let Ok(Some(lies_in)) = &self.lies_in else { return self.lies_in.is_err() };
        let elsewhere = |named: &Option<String>| named.as_ref().is_some_and(|it| it != lies_in);
        elsewhere(&self.here) || elsewhere(&self.zenml)
    }
}

impl Diff {
    /// Whether anything differs.
    pub fn differs(&self) -> bool {
        self.bucket.differs() || self.differs_in_zenml()
    }

    /// Whether ZenML has something else than the catalog.
    pub fn differs_in_zenml(&self) -> bool {
        self.things.iter().any(|thing| thing.there != There::Same)
    }
}

impl Job<World> for DiffStack {
    type Item = Nothing;
    type Out = Result<Box<Diff>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let catalog = world.catalog().await?;
        let stack = stack_of(&catalog, &self.stack)?;
        let store = stack.artifact_store().map(ToString::to_string).unwrap_or_default();
        let store = store_of(&catalog, &store)?;
        let plan = MakePlan { stack: self.stack.clone(), against: self.against, aim: Aim::Present };
        let (planned, lies_in) = tokio::join!(plan.run(context), lies_in(&world, store));
        let planned = planned?;
        let (about_plans, live) = (planned.plan.notes, planned.live);
        let changes = live.as_ref().map(|live| &live.changes);
        let bucket = BucketDiff {
            name: store.bucket.to_string(),
            here: store.region.as_ref().map(|region| usual(region.as_str())),
            zenml: changes.and_then(|changes| region_there(changes, store)).as_deref().map(usual),
            lies_in,
        };
        let mut notes = Vec::new();
        if let Some(changes) = changes {
            // what holds for every plan of this store says nothing of what differs
            let own = changes.notes.iter().filter(|note| !about_plans.contains(note));
            notes.extend(own.cloned());
            notes.extend(changes.blockers.iter().map(|why| format!("No commit as it is: {why}.")));
            notes.extend(other_bucket(changes, store));
        }
        let things = changes.map(|changes| changes.changes.iter().map(thing).collect());
        Ok(Box::new(Diff {
            stack: self.stack,
            things: things.unwrap_or_default(),
            zenml: live.map(|live| (live.connection, live.server)),
            bucket,
            notes,
        }))
    }
}

fn thing(change: &Change) -> Thing {
    Thing {
        step: change.step.clone(),
        there: match change.action {
            Action::Create => There::Nothing,
            Action::Keep { .. } => There::Same,
            Action::Update { .. } | Action::Delete { .. } => There::Differs,
        },
        fields: change.fields.clone(),
        other_name: change.former_name.clone(),
        is_foreign: change.is_foreign,
    }
}

/// Asks OSS where the bucket lies: the catalog's word for the region, where the table has it.
async fn lies_in(world: &World, store: &ArtifactStore) -> Result<Option<String>, Failure> {
    let client = world.client(store).await?;
    let answer = client.bucket_location(&store.bucket).await?;
    Ok(answer.value.map(|location| usual(&location)))
}

/// A region by the word that catalog, ZenML and OSS share, where the table has it.
fn usual(region: &str) -> String {
    match region::find(region) {
        Some(known) => known.oss_id.trim_start_matches("oss-").to_owned(),
        None => visible(region.strip_prefix("oss-").unwrap_or(region)).into_string(),
    }
}

/// The store's own change.
fn of_store<'a>(changes: &'a Changes, store: &ArtifactStore) -> Option<&'a Change> {
    changes.changes.iter().find(|change| match &change.step {
        Step::Component { kind, name, .. } => {
            *kind == ComponentType::ArtifactStore && *name == store.name
        }
        _ => false,
    })
}

/// The region that the endpoint in ZenML leads to.
fn region_there(changes: &Changes, store: &ArtifactStore) -> Option<String> {
    let change = of_store(changes, store)?;
    change.action.id()?;
    let named = |name: &str| {
        let field = change.fields.iter().find(|field| field.name == name)?;
        Some(field.from.clone())
    };
    let by_endpoint = |endpoint: String| {
        let endpoint = Endpoint::parse(&endpoint).ok()?;
        endpoint.region().map(|region| region.oss_id.clone())
    };
    match named("client_kwargs.endpoint_url") {
        Some(endpoint) => endpoint.and_then(by_endpoint),
        None => match named("client_kwargs.region_name") {
            Some(region) => region,
            None => store.region.as_ref().map(|region| region.as_str().to_owned()),
        },
    }
}

/// The bucket that was asked is the catalog's.
fn other_bucket(changes: &Changes, store: &ArtifactStore) -> Option<String> {
    let change = of_store(changes, store)?;
    let path = change.fields.iter().find(|field| field.name == "path")?.from.as_ref()?;
    let bucket = path.strip_prefix("s3://").unwrap_or(path).split('/').next().unwrap_or_default();
    (bucket != store.bucket.to_string()).then(|| {
        format!(
            "ZenML's store lies in the bucket {}; the bucket that was asked is the catalog's.",
            visible(bucket)
        )
    })
}
