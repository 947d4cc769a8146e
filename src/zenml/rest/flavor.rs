//! Flavors as a server describes them (capture 31).

use serde_json::Value;

use super::{Client, Error};
use crate::model::component::ComponentType;
use crate::model::flavor::{Flavor, Schema};

impl Client {
    /// The flavors of a type with their settings: ZenML's own, and those that somebody
    /// registered there.
    pub async fn flavors(&self, kind: ComponentType) -> Result<Vec<Flavor>, Error> {
        let query = [("hydrate", "true"), ("type", kind.as_str())];
        let found = self.list("/flavors", &query).await?;
        Ok(found.iter().filter_map(|body| read(kind, body)).collect())
    }
}

fn read(kind: ComponentType, body: &Value) -> Option<Flavor> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let name = text("/name")?;
    let schema = body.pointer("/metadata/config_schema").map(Schema::from_json_schema);
    Some(Flavor::of_server(
        kind,
        name,
        text("/body/display_name").unwrap_or(name),
        text("/body/integration").unwrap_or("custom"),
        schema.unwrap_or_default(),
    ))
}
