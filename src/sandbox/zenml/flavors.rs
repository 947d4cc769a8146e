//! The flavors of the stand-in: those of ZenML 0.98 as the table has them, and some of its own.

use serde_json::{Map, Value, json};

use super::ZenmlFaults;
use super::registry::{Asked, Said};
use super::things::page;
use crate::model::flavor::{self, Field, Flavor, Kind, Schema};

/// The flavors of the type that is asked for: the table's, one that somebody registered, and one
/// of each type that the table does not have.
pub(super) fn flavors(asked: &Asked, faults: &ZenmlFaults) -> Said {
    let table = flavor::all().iter().filter(|flavor| !faults.no_flavors.contains(&flavor.name));
    let table = table.map(|flavor| of_table(flavor, &faults.more_settings));
    let own = json!({
        "id": "7f6d1c52-0d3b-4b0e-9d5e-2f1a6f0f3a11",
        "name": "batch_queue",
        "body": {
            "type": "step_operator", "display_name": "Batch queue", "integration": "custom",
            "is_custom": true, "user_id": null,
        },
        "metadata": { "config_schema": {
            "type": "object",
            "required": ["queue"],
            "properties": {
                "queue": { "type": "string", "description": "Name of the queue that takes steps." },
                "priority": {
                    "type": "string", "enum": ["low", "normal", "high"], "default": "normal",
                    "description": "How soon steps of it run.",
                },
                "max_parallelism": { "anyOf": [{ "type": "integer" }, { "type": "null" }],
                    "default": null, "description": "Steps at a time." },
                "token": { "type": "string", "sensitive": true, "description": "Signs in there." },
            },
        } },
    });
    let more = faults.more_types.iter().map(|kind| {
        json!({
            "id": "0c7b1a8e-55c6-4b0f-8d7e-6f3f2f1b7c22",
            "name": "hosted",
            "body": {
                "type": kind, "display_name": "Hosted", "integration": "built-in",
                "is_custom": false, "user_id": null,
            },
            "metadata": { "config_schema": {
                "type": "object",
                "required": ["url"],
                "properties": { "url": { "type": "string", "description": "Where it is." } },
            } },
        })
    });
    let text = |flavor: &Value, at: &str| {
        flavor.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let kind = asked.query.get("type");
    let rows = table
        .chain(std::iter::once(own))
        .chain(more)
        .filter(|flavor| kind.is_none_or(|kind| text(flavor, "/body/type") == *kind))
        .map(|flavor| (text(&flavor, "/name"), flavor));
    page(rows.collect(), asked)
}

fn of_table(flavor: &Flavor, more_settings: &[String]) -> Value {
    let mut schema = flavor.schema.clone();
    schema.fields.extend(more_settings.iter().map(|setting| Field {
        name: setting.clone(),
        kinds: vec![Kind::Integer],
        about: "A setting of a newer ZenML.".to_owned(),
        ..Field::default()
    }));
    json!({
        "id": format!("{}/{}", flavor.kind, flavor.name),
        "name": flavor.name,
        "body": {
            "type": flavor.kind.as_str(), "display_name": flavor.title,
            "integration": flavor.integration, "is_custom": false, "user_id": null,
        },
        "metadata": { "config_schema": config_schema(&schema) },
    })
}

/// The settings as pydantic writes them into a schema.
fn config_schema(schema: &Schema) -> Value {
    let mut definitions = Map::new();
    let properties =
        schema.fields.iter().map(|field| (field.name.clone(), property(field, &mut definitions)));
    let properties: Map<String, Value> = properties.collect();
    let required = schema.fields.iter().filter(|field| field.required);
    let required: Vec<&str> = required.map(|field| field.name.as_str()).collect();
    json!({
        "type": "object", "required": required, "properties": properties, "$defs": definitions,
    })
}

fn property(field: &Field, definitions: &mut Map<String, Value>) -> Value {
    let kinds = field.kinds.iter().map(|kind| {
        let mut out = Map::new();
        let word = match kind {
            Kind::Text => "string",
            Kind::Integer => "integer",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::List => "array",
            Kind::Object => "object",
        };
        out.insert("type".into(), json!(word));
        if *kind == Kind::Text && !field.choices.is_empty() {
            out.insert("enum".into(), json!(field.choices));
        }
        if matches!(kind, Kind::Integer | Kind::Number) {
            let limits =
                [("minimum", field.min), ("maximum", field.max), ("exclusiveMinimum", field.above)];
            for (name, limit) in limits {
                out.extend(limit.map(|limit| (name.to_owned(), json!(limit))));
            }
        }
        if !field.keys.is_empty() {
            let keys = field.keys.iter().map(|key| (key.clone(), json!({})));
            let object = json!({ "type": "object", "properties": keys.collect::<Map<_, _>>() });
            let reference = json!({ "$ref": format!("#/$defs/{}", field.name) });
            definitions.insert(field.name.clone(), object);
            match kind {
                Kind::List => out.insert("items".into(), reference),
                _ => return reference,
            };
        }
        Value::Object(out)
    });
    let mut kinds: Vec<Value> = kinds.collect();
    if !field.required && field.default.is_none() {
        kinds.push(json!({ "type": "null" }));
    }
    let about = [("anyOf", json!(kinds)), ("description", json!(field.about))];
    let marks = [("sensitive", field.sensitive), ("deprecated", field.deprecated)];
    let marks =
        marks.into_iter().filter(|(_, is_set)| *is_set).map(|(mark, _)| (mark, json!(true)));
    let default = field.default.clone().map(|value| ("default", value));
    let all = about.into_iter().chain(marks).chain(default);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_stand_in_tells_is_what_the_table_says() {
        for flavor in flavor::all() {
            let read = Schema::from_json_schema(&config_schema(&flavor.schema));
            assert_eq!(read, flavor.schema, "{} {}", flavor.kind, flavor.name);
        }
    }
}
