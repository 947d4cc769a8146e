//! One `ZenML`, whichever way it is reached: what plans read and commits write.
//!
//! Things are known by id (a UUID) over REST; the `zenml` command takes ids as well. Every write
//! is whole: a configuration or a map of components replaces the former one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::rest::{self, Component, Error, Reference, Secret, ServerInfo, Stack, User};
use crate::base::secret_string::SecretString;

/// A `ZenML`.
#[derive(Clone, Debug)]
pub enum Remote {
    /// A server over REST.
    Server(rest::Client),
}

/// What changes in a component.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComponentChange<'a> {
    /// Its new name.
    pub name: Option<&'a str>,
    /// Its whole new configuration.
    pub configuration: Option<&'a Map<String, Value>>,
    /// All its labels.
    pub labels: Option<&'a Map<String, Value>>,
}

/// What changes in a stack.
#[derive(Clone, Copy, Debug, Default)]
pub struct StackChange<'a> {
    /// Its new name.
    pub name: Option<&'a str>,
    /// Ids of all its components by type.
    pub components: Option<&'a BTreeMap<String, Vec<String>>>,
    /// All its labels.
    pub labels: Option<&'a Map<String, Value>>,
}

/// Values of a secret by key, as they are to be; nothing deletes a key.
pub type NewValues<'a> = [(&'a str, Option<&'a SecretString>)];

impl Remote {
    /// What the server says of itself.
    pub async fn info(&self) -> Result<ServerInfo, Error> {
        match self {
            Self::Server(client) => client.info().await.cloned(),
        }
    }

    /// Who is signed in.
    pub async fn current_user(&self) -> Result<User, Error> {
        match self {
            Self::Server(client) => client.current_user().await,
        }
    }

    /// The secret that a store means by `name`, with its values.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        match self {
            Self::Server(client) => client.secret(name).await,
        }
    }

    /// Makes a public secret; answers its id.
    pub async fn create_secret(&self, name: &str, values: &NewValues<'_>) -> Result<String, Error> {
        match self {
            Self::Server(client) => client.create_secret(name, values).await,
        }
    }

    /// Sets or deletes some values of a secret.
    pub async fn update_secret(&self, id: &str, values: &NewValues<'_>) -> Result<(), Error> {
        match self {
            Self::Server(client) => client.update_secret(id, values).await,
        }
    }

    /// Deletes a secret; gone already is as good.
    pub async fn delete_secret(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::Server(client) => client.delete_secret(id).await,
        }
    }

    /// All components of a type; of all types where none is named.
    pub async fn components(&self, kind: Option<&str>) -> Result<Vec<Component>, Error> {
        match self {
            Self::Server(client) => client.components(kind).await,
        }
    }

    /// The component `name` of a type.
    pub async fn component(&self, kind: &str, name: &str) -> Result<Option<Component>, Error> {
        match self {
            Self::Server(client) => client.component(kind, name).await,
        }
    }

    /// The component with this id.
    pub async fn component_by_id(&self, id: &str) -> Result<Option<Component>, Error> {
        match self {
            Self::Server(client) => client.component_by_id(id).await,
        }
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
        match self {
            Self::Server(client) => {
                client.create_component(kind, name, flavor, configuration, labels).await
            }
        }
    }

    /// Changes the component `id` of a type.
    pub async fn update_component(
        &self,
        _kind: &str,
        id: &str,
        change: ComponentChange<'_>,
    ) -> Result<(), Error> {
        match self {
            Self::Server(client) => {
                let ComponentChange { name, configuration, labels } = change;
                let body = body([
                    ("name", name.map(|name| json!(name))),
                    ("configuration", configuration.map(|map| json!(map))),
                    ("labels", labels.map(|map| json!(map))),
                ]);
                client.update_component(id, &body).await
            }
        }
    }

    /// Deletes the component `id` of a type; refused while a stack uses it.
    pub async fn delete_component(&self, _kind: &str, id: &str) -> Result<(), Error> {
        match self {
            Self::Server(client) => client.delete_component(id).await,
        }
    }

    /// All stacks.
    pub async fn stacks(&self) -> Result<Vec<Stack>, Error> {
        match self {
            Self::Server(client) => client.stacks().await,
        }
    }

    /// The stack `name`.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, Error> {
        match self {
            Self::Server(client) => client.stack(name).await,
        }
    }

    /// The stack with this id.
    pub async fn stack_by_id(&self, id: &str) -> Result<Option<Stack>, Error> {
        match self {
            Self::Server(client) => client.stack_by_id(id).await,
        }
    }

    /// The stacks that use a component.
    pub async fn stacks_with(&self, component_id: &str) -> Result<Vec<Reference>, Error> {
        match self {
            Self::Server(client) => client.stacks_with(component_id).await,
        }
    }

    /// Makes a stack of components by id; answers its id.
    pub async fn create_stack(
        &self,
        name: &str,
        components: &BTreeMap<String, Vec<String>>,
        labels: &Map<String, Value>,
    ) -> Result<String, Error> {
        match self {
            Self::Server(client) => client.create_stack(name, components, labels).await,
        }
    }

    /// Changes the stack `id`.
    pub async fn update_stack(&self, id: &str, change: StackChange<'_>) -> Result<(), Error> {
        match self {
            Self::Server(client) => {
                let StackChange { name, components, labels } = change;
                let body = body([
                    ("name", name.map(|name| json!(name))),
                    ("components", components.map(|map| json!(map))),
                    ("labels", labels.map(|map| json!(map))),
                ]);
                client.update_stack(id, &body).await
            }
        }
    }

    /// Deletes the stack `id`; gone already is as good.
    pub async fn delete_stack(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::Server(client) => client.delete_stack(id).await,
        }
    }
}

fn body<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}
