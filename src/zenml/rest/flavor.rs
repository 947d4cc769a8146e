//! Types of components and their flavors, as a server describes them (captures 31 and 32).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Client, Error};
use crate::model::component::ComponentType;
use crate::model::flavor::{Flavor, Schema};

impl Client {
    /// The types of components that this ZenML has, those that stacks must have first.
    pub async fn component_types(&self) -> Result<Vec<ComponentType>, Error> {
        let body = self.get("/component-types", &[]).await?;
        Ok(types(&body))
    }

    /// The flavors of a type, or of all, with their settings: ZenML's own, and those that somebody
    /// registered there.
    pub async fn flavors(&self, kind: Option<ComponentType>) -> Result<Vec<Flavor>, Error> {
        let of_type = kind.as_ref().map(|kind| ("type", kind.as_str()));
        let query: Vec<_> = std::iter::once(("hydrate", "true")).chain(of_type).collect();
        let found = self.list("/flavors", &query).await?;
        Ok(found.iter().filter_map(read).collect())
    }
}

/// Types out of a list of words.
pub(in crate::zenml) fn types(words: &Value) -> Vec<ComponentType> {
    let words = words.as_array().into_iter().flatten().filter_map(Value::as_str);
    let types: BTreeSet<ComponentType> = words.filter_map(ComponentType::parse).collect();
    types.into_iter().collect()
}

/// A flavor with its settings.
pub(in crate::zenml) fn read(body: &Value) -> Option<Flavor> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let name = text("/name")?;
    let kind = ComponentType::parse(text("/body/type")?)?;
    let schema = body.pointer("/metadata/config_schema").map(Schema::from_json_schema);
    Some(Flavor::of_server(
        kind,
        name,
        text("/body/display_name").unwrap_or(name),
        text("/body/integration").unwrap_or("custom"),
        schema.unwrap_or_default(),
    ))
}
