//! Secrets, components and stacks as the stand-in keeps them, and as `ZenML` shows them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::registry::{Asked, Said};

#[derive(Clone, Debug)]
pub(super) struct Secret {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_private: bool,
    pub(super) user: String,
    pub(super) values: BTreeMap<String, String>,
    pub(super) created: String,
}

#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) flavor: String,
    /// Nobody, where it came with the server.
    pub(super) user: Option<String>,
    pub(super) configuration: Map<String, Value>,
    pub(super) labels: Map<String, Value>,
    pub(super) created: String,
}

#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) user: Option<String>,
    /// Ids by type.
    pub(super) components: BTreeMap<String, Vec<String>>,
    pub(super) labels: Map<String, Value>,
    pub(super) created: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    None,
    Keys,
    All,
}

pub(super) fn shown(secret: &Secret, shows: Shows) -> Value {
    let values = secret.values.iter().filter(|_| shows != Shows::None);
    let values = values.map(|(key, value)| {
        (key.clone(), if shows == Shows::All { json!(value) } else { Value::Null })
    });
    json!({
        "id": secret.id,
        "name": secret.name,
        "permission_denied": false,
        "body": {
            "created": secret.created, "updated": secret.created, "user_id": secret.user,
            "private": secret.is_private, "values": values.collect::<Map<String, Value>>(),
        },
        "metadata": {},
        "resources": {},
    })
}

pub(super) fn component(component: &Component) -> Value {
    json!({
        "id": component.id,
        "name": component.name,
        "permission_denied": false,
        "body": {
            "created": component.created, "updated": component.created,
            "user_id": component.user, "type": component.kind, "flavor_name": component.flavor,
        },
        "metadata": {
            "configuration": component.configuration, "labels": component.labels,
            "environment": {}, "secrets": [], "connector_resource_id": null, "connector": null,
        },
        "resources": {},
    })
}

/// One page of rows by name; `hydrate=false`, the default of lists, leaves `metadata` out.
pub(super) fn page(rows: Vec<(String, Value)>, asked: &Asked) -> Said {
    let name = asked.query.get("name").map(|name| name.strip_prefix("equals:").unwrap_or(name));
    let is_hydrated = asked.query.get("hydrate").map(String::as_str) == Some("true");
    let number = |name: &str, or: usize| {
        asked.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(or).max(1)
    };
    let (index, size) = (number("page", 1), number("size", 20));
    let fits = |row: &(String, Value)| name.is_none_or(|name| row.0 == name);
    let mut all: Vec<Value> = rows.into_iter().filter(fits).map(|(_, row)| row).collect();
    if !is_hydrated {
        for row in &mut all {
            if let Some(metadata) = row.get_mut("metadata") {
                *metadata = Value::Null;
            }
        }
    }
    let (total, pages) = (all.len(), all.len().div_ceil(size));
    let items: Vec<Value> = all.into_iter().skip((index - 1) * size).take(size).collect();
    Said::ok(json!({
        "index": index, "max_size": size, "total_pages": pages, "total": total, "items": items,
    }))
}
