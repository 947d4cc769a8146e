//! Components of the catalog other than artifact stores.

use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::{Catalog, Put};
use crate::model::component::{Component, ComponentDraft, ComponentProblems, ComponentType};
use crate::model::flavor::{self, Flavor};
use crate::model::name::Name;
use crate::zenml::remote::Remote;

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
}

impl Job<World> for SaveComponent {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let component = self.draft.validate()?;
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

/// What the ZenML of the only connection has of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookThere {
    /// The type.
    pub kind: ComponentType,
}

/// What a ZenML has of one type, beside the catalog and the table of flavors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct There {
    /// The connection that was asked; none where there is none, or several.
    pub connection: Option<String>,
    /// Name and flavor of components that the catalog does not describe and a stack can name.
    pub components: Vec<(Name, String)>,
    /// Flavors that the table does not have: somebody registered them.
    pub flavors: Vec<Flavor>,
}

impl Job<World> for LookThere {
    type Item = Nothing;
    type Out = Result<There, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let [connection] = catalog.connections() else { return Ok(There::default()) };
        let remote = world.remote(connection).await?;
        let kind = self.kind;
        let components = remote.components(Some(kind.as_str())).await?;
        let components = components.into_iter().filter_map(|component| {
            let name = Name::parse(&component.name).ok()?;
            let is_other = catalog.component(kind, name.as_str()).is_none();
            is_other.then_some((name, component.flavor))
        });
        let flavors = match &remote {
            Remote::Server(client) => client.flavors(kind).await?,
            // the command lists names alone
            Remote::Command(_) => Vec::new(),
        };
        let is_own = |flavor: &Flavor| flavor::find(kind, &flavor.name).is_none();
        Ok(There {
            connection: Some(connection.name.to_string()),
            components: components.collect(),
            flavors: flavors.into_iter().filter(is_own).collect(),
        })
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
