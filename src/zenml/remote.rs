//! One `ZenML`, whichever way it is reached: what plans read and commits write.
//!
//! Things are known by id (a UUID) on both ways. Every write is whole: a configuration or a map
//! of components replaces the former one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::command;
use super::rest::{
    self, Collection, Component, ComponentChange, Error, Kind, NewValues, Page, Reference, Secret,
    ServerInfo, Stack, StackChange, User,
};
use crate::model::component::ComponentType;
use crate::model::flavor::Flavor;

/// A `ZenML`.
#[derive(Clone, Debug)]
pub enum Remote {
    /// A server over REST.
    Server(rest::Client),
    /// Whatever the `zenml` command of an environment is connected to.
    Command(command::Client),
}

/// Asks whichever way there is.
macro_rules! either {
    ($remote:expr, $client:ident => $call:expr) => {
        match $remote {
            Remote::Server($client) => $call.await,
            Remote::Command($client) => $call.await,
        }
    };
}

impl Remote {
    /// What `ZenML` says of itself.
    pub async fn info(&self) -> Result<ServerInfo, Error> {
        either!(self, client => client.info()).cloned()
    }

    /// The same where it was asked already.
    pub fn known_info(&self) -> Option<&ServerInfo> {
        match self {
            Self::Server(client) => client.known_info(),
            Self::Command(client) => client.known_info(),
        }
    }

    /// Who is signed in.
    pub async fn current_user(&self) -> Result<User, Error> {
        either!(self, client => client.current_user())
    }

    /// The secret that a store means by `name`, with its values.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        either!(self, client => client.secret(name))
    }

    /// Makes a public secret; answers its id.
    pub async fn create_secret(&self, name: &str, values: &NewValues<'_>) -> Result<String, Error> {
        either!(self, client => client.create_secret(name, values))
    }

    /// The secret with this id, with its values; nothing where it is gone.
    pub async fn secret_by_id(&self, id: &str) -> Result<Option<Secret>, Error> {
        either!(self, client => client.secret_by_id(id))
    }

    /// Gives a secret another name where there is one, sets some of its values and leaves the
    /// others; a value of nothing deletes its key.
    pub async fn update_secret(
        &self,
        id: &str,
        name: Option<&str>,
        values: &NewValues<'_>,
    ) -> Result<(), Error> {
        either!(self, client => client.update_secret(id, name, values))
    }

    /// Deletes a secret; gone already is as good.
    pub async fn delete_secret(&self, id: &str) -> Result<(), Error> {
        either!(self, client => client.delete_secret(id))
    }

    /// All components of a type; of all types where none is named.
    pub async fn components(&self, kind: Option<&str>) -> Result<Vec<Component>, Error> {
        either!(self, client => client.components(kind))
    }

    /// The component `name` of a type.
    pub async fn component(&self, kind: &str, name: &str) -> Result<Option<Component>, Error> {
        either!(self, client => client.component(kind, name))
    }

    /// The component with this id; nothing where it is gone.
    pub async fn component_by_id(&self, id: &str) -> Result<Option<Component>, Error> {
        either!(self, client => client.component_by_id(id))
    }

    /// Makes a component; answers its id.
    pub async fn create_component(
        &self,
        kind: &str,
        name: &str,
        flavor: &str,
        configuration: &Map<String, Value>,
        labels: &Map<String, Value>,
    ) -> Result<String, Error> {
        either!(self, client => client.create_component(kind, name, flavor, configuration, labels))
    }

    /// Changes the component `id`.
    pub async fn update_component(
        &self,
        id: &str,
        change: ComponentChange<'_>,
    ) -> Result<(), Error> {
        either!(self, client => client.update_component(id, change))
    }

    /// Deletes the component `id`; refused while a stack uses it.
    pub async fn delete_component(&self, id: &str) -> Result<(), Error> {
        either!(self, client => client.delete_component(id))
    }

    /// The types of components that there are, those that stacks must have first.
    pub async fn component_types(&self) -> Result<Vec<ComponentType>, Error> {
        either!(self, client => client.component_types())
    }

    /// The flavors of a type, or of all, with their settings.
    pub async fn flavors(&self, kind: Option<ComponentType>) -> Result<Vec<Flavor>, Error> {
        either!(self, client => client.flavors(kind))
    }

    /// All stacks.
    pub async fn stacks(&self) -> Result<Vec<Stack>, Error> {
        either!(self, client => client.stacks())
    }

    /// The stack `name`.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, Error> {
        either!(self, client => client.stack(name))
    }

    /// The stack with this id; nothing where it is gone.
    pub async fn stack_by_id(&self, id: &str) -> Result<Option<Stack>, Error> {
        either!(self, client => client.stack_by_id(id))
    }

    /// The stacks that use a component.
    pub async fn stacks_with(&self, component_id: &str) -> Result<Vec<Reference>, Error> {
        either!(self, client => client.stacks_with(component_id))
    }

    /// Makes a stack of components by id; answers its id.
    pub async fn create_stack(
        &self,
        name: &str,
        components: &BTreeMap<String, Vec<String>>,
        labels: &Map<String, Value>,
    ) -> Result<String, Error> {
        either!(self, client => client.create_stack(name, components, labels))
    }

    /// Changes the stack `id`.
    pub async fn update_stack(&self, id: &str, change: StackChange<'_>) -> Result<(), Error> {
        either!(self, client => client.update_stack(id, change))
    }

    /// Deletes the stack `id`; gone already is as good.
    pub async fn delete_stack(&self, id: &str) -> Result<(), Error> {
        either!(self, client => client.delete_stack(id))
    }

    /// The project that the connection names; where it names none, what is listed is of the
    /// server's default one, or of the one that is active for the command.
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Server(client) => client.project(),
            Self::Command(_) => None,
        }
    }

    /// One page of a list, from 1, of `size` things at most, filtered by `query` as the REST API
    /// filters: what it does not know there is ignored.
    pub async fn page(
        &self,
        of: Collection,
        query: &[(&str, &str)],
        page: u32,
        size: u32,
    ) -> Result<Page, Error> {
        match self {
            Self::Server(client) => client.page(&of.path(), query, page, size).await,
            Self::Command(client) => client.page(of, query, page, size).await,
        }
    }

    /// All of a list.
    pub async fn list(&self, of: Collection, query: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        for number in 1..=rest::MOST_PAGES {
            let page = self.page(of, query, number, rest::PAGE).await?;
            let is_last = page.is_last(number);
            all.extend(page.items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The one with this id, with all that is known of it; nothing where it is gone.
    pub async fn one(&self, of: Collection, id: &str) -> Result<Option<Value>, Error> {
        let found = match self {
            Self::Server(client) => client.get(&of.path_of(id), &[("hydrate", "true")]).await,
            Self::Command(client) => client.one(of, id).await,
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The entries of a log of a run or a step, as `ZenML` itself reads it from where it lies.
    pub async fn logs(&self, of: Collection, id: &str, source: &str) -> Result<Vec<Value>, Error> {
        let mut entries = match self {
            Self::Server(client) => {
                client.get(&format!("{}/logs", of.path_of(id)), &[("source", source)]).await?
            }
            Self::Command(client) => client.logs(of, id, source).await?,
        };
        // some servers answer with a page
        if let Some(items) = entries.get_mut("items") {
            entries = items.take();
        }
        Ok(match entries {
            Value::Array(entries) => entries,
            _ => Vec::new(),
        })
    }

    /// Deletes the metadata of an artifact version, and leaves its data alone; refused while a run
    /// has it, gone already is as good.
    pub async fn delete_artifact_version(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::Server(client) => {
                let query = [("delete_metadata", "true"), ("delete_from_artifact_store", "false")];
                client.delete(&Collection::ArtifactVersions.path_of(id), &query).await
            }
            Self::Command(client) => client.delete_artifact_version(id).await,
        }
    }
}
