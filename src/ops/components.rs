//! Components of the catalog other than artifact stores.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;

use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::{Catalog, Put};
use crate::model::component::{Component, ComponentDraft, ComponentProblems, ComponentType};
use crate::model::flavor::{Flavor, Flavors};
use crate::model::name::Name;
use crate::zenml::remote::Remote;

use super::connections::connection_of;
use super::failure::{Failure, FailureKind};
use super::world::{World, absent, blocking};

/// Writes a component to the catalog. The network is not touched.
#[derive(Clone, Debug, PartialEq)]
pub struct SaveComponent {
    /// What was entered.
    pub draft: ComponentDraft,
    /// The component as it was loaded; nothing where it is new. Refused where the file says
    /// otherwise by now.
    pub replaces: Option<Box<Component>>,
    /// The flavors to judge its settings by.
    pub flavors: Flavors,
}

impl Job<World> for SaveComponent {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let component = self.draft.validate(&self.flavors, self.replaces.as_deref())?;
        let name = component.name.clone();
        let (path, random) = context.world.catalog_edit();
        blocking(move || {
            Catalog::edit(&path, random, |edit| match self.replaces {
                None => edit.put_component(&component, Put::New),
                Some(former) => {
                    if former.name != component.name {
                        edit.rename_component(former.name.as_str(), &component.name)?;
                    }
                    let former = Component { name: component.name.clone(), ..*former };
                    edit.put_component(&component, Put::Update(&former))
                }
            })
        })
        .await??;
        Ok(name)
    }
}

/// Forgets a component that no stack uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteComponent {
    /// Its name.
    pub name: String,
}

impl Job<World> for DeleteComponent {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (path, random) = context.world.catalog_edit();
        blocking(move || Catalog::edit(&path, random, |edit| edit.delete_component(&self.name)))
            .await??;
        Ok(())
    }
}

/// What a ZenML has of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookThere {
    /// The type.
    pub kind: ComponentType,
    /// The connection; else the only one.
    pub connection: Option<String>,
}

/// What a ZenML has of one type, beside the catalog.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct There {
    /// The connection that was asked; none where there is none, or several.
    pub connection: Option<String>,
    /// Name and flavor of components that the catalog does not describe and a stack can name.
    pub components: Vec<(Name, String)>,
    /// The flavors to go by: that ZenML's, where one was asked.
    pub flavors: Flavors,
}

impl Job<World> for LookThere {
    type Item = Nothing;
    type Out = Result<There, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let Ok(connection) = connection_of(&catalog, self.connection.as_deref()) else {
            return Ok(There::default());
        };
        let remote = world.remote(connection).await?;
        let kind = self.kind;
        let components = remote.components(Some(kind.as_str())).await?;
        let components = components.into_iter().filter_map(|component| {
            let name = Name::parse(&component.name).ok()?;
            let is_other = catalog.component(kind, name.as_str()).is_none();
            is_other.then_some((name, component.flavor))
        });
        let components = components.collect();
        let flavors = flavors_for(&remote, [kind]).await;
        Ok(There { connection: Some(connection.name.to_string()), components, flavors })
    }
}

/// The flavors that `remote` has of these types. Where it does not tell of one, the table has to
/// do: what is done to ZenML does not hang on it.
pub(super) async fn flavors_for(
    remote: &Remote,
    kinds: impl IntoIterator<Item = ComponentType>,
) -> Flavors {
    let kinds: BTreeSet<ComponentType> = kinds.into_iter().collect();
    let asked = kinds.into_iter().map(async |kind| (kind, remote.flavors(Some(kind)).await));
    let mut flavors = Flavors::default();
    for (kind, told) in join_all(asked).await {
        if let Ok(told) = told {
            flavors.tell(kind, told);
        }
    }
    flavors
}

/// The types of components that a ZenML has; where there is none to ask, those of ZenML 0.98.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookForTypes {
    /// The connection; else the only one.
    pub connection: Option<String>,
}

/// Of what a stack can be composed.
#[derive(Clone, Debug, PartialEq)]
pub struct Types {
    /// The types, those that stacks must have first.
    pub kinds: Vec<ComponentType>,
    /// The flavors of the types of which the catalog describes a component.
    pub flavors: Flavors,
}

impl Job<World> for LookForTypes {
    type Item = Nothing;
    type Out = Result<Types, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let Ok(connection) = connection_of(&catalog, self.connection.as_deref()) else {
            return Ok(Types { kinds: ComponentType::ALL.to_vec(), flavors: Flavors::default() });
        };
        let remote = world.remote(connection).await?;
        let kinds = remote.component_types().await?;
        let described = catalog.components().iter().map(|component| component.kind);
        let flavors = flavors_for(&remote, described).await;
        Ok(Types { kinds, flavors })
    }
}

/// Refuses a type that neither ZenML 0.98 has nor the catalog nor any ZenML that is known. Only
/// for one that is not built in anything is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowType {
    /// The type.
    pub kind: ComponentType,
}

impl Job<World> for KnowType {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (kind, world) = (self.kind, &context.world);
        let Some(doubt) = kind.doubt() else { return Ok(()) };
        let catalog = world.catalog().await?;
        if catalog.components().iter().any(|component| component.kind == kind) {
            return Ok(());
        }
        let mut said = Vec::new();
        for connection in catalog.connections() {
            let asked = match world.remote(connection).await {
                Ok(remote) => remote.component_types().await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            match asked {
                Ok(types) if types.contains(&kind) => return Ok(()),
                Ok(_) => said.push(format!("{} has it not", connection.name)),
                Err(failure) => said
                    .push(format!("{} could not be asked: {}", connection.name, failure.summary)),
            }
        }
        let failure = Failure::new(FailureKind::Usage, doubt);
        Err(if said.is_empty() {
            failure.hint("osstack zenml login URL: then the ZenML there is asked for its types")
        } else {
            failure.hint(said.join("; "))
        })
    }
}

/// How long a server may take to tell of its flavors: the table does without it.
const PATIENCE: Duration = Duration::from_secs(8);
/// The same of a `zenml` command: Python takes seconds to start, longer on a busy machine.
const PATIENCE_WITH_COMMAND: Duration = Duration::from_secs(45);

/// The flavors that each ZenML has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookForFlavors {
    /// Of this type only.
    pub kind: Option<ComponentType>,
}

impl Job<World> for LookForFlavors {
    type Item = Nothing;
    /// By connection, or why it did not tell.
    type Out = Result<Vec<(Name, Result<Vec<Flavor>, Failure>)>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let mut out = Vec::new();
        for connection in world.catalog().await?.connections() {
            let ask = async {
                let remote = world.remote(connection).await?;
                Ok(remote.flavors(self.kind).await?)
            };
            let patience =
                if connection.way.is_server() { PATIENCE } else { PATIENCE_WITH_COMMAND };
            let told = tokio::time::timeout(patience, ask).await.unwrap_or_else(|_| {
                let summary = format!("no answer within {} s", patience.as_secs());
                Err(Failure::new(FailureKind::Network, summary))
            });
            out.push((connection.name.clone(), told));
        }
        Ok(out)
    }
}

/// The component `name` of a type, or why it does not count.
pub fn component_of<'a>(
    catalog: &'a Catalog,
    kind: ComponentType,
    name: &str,
) -> Result<&'a Component, Failure> {
    catalog.component(kind, name).ok_or_else(|| {
        if let Some(problem) = catalog.invalid("component", name) {
            let summary = format!("the component {} is not valid: {problem}", visible(name));
            return Failure::new(FailureKind::Settings, summary).hint("mend it in stacks.toml");
        }
        let other = catalog.components().iter().find(|it| it.name.as_str() == name);
        if let Some(other) = other {
            let label = other.kind.label();
            let summary = format!("{name} is no {}: it is {}", kind.label(), other.kind.one());
            return Failure::new(FailureKind::NotFound, summary)
                .hint(format!("name its type: {}", label.replace(' ', "_")));
        }
        let mine = catalog.components().iter().filter(|it| it.kind == kind);
        let known: Vec<&str> = mine.map(|it| it.name.as_str()).collect();
        absent(&kind.label(), name, &known)
    })
}

impl From<ComponentProblems> for Failure {
    fn from(problems: ComponentProblems) -> Self {
        let summary = problems.to_string();
        Self { fields: problems.fields, ..Self::new(FailureKind::Usage, summary) }
    }
}
