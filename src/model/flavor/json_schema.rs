//! A flavor's settings as a server describes them: JSON Schema as pydantic writes it.

use serde_json::{Map, Value};

use super::schema::{Field, Kind, Schema};
use crate::base::visible::visible;

/// More settings than any flavor has; the largest of ZenML 0.98 has 45.
const MOST_FIELDS: usize = 500;
/// How many alternatives and references of one setting are followed; none of ZenML's has ten.
const MOST_PARTS: usize = 100;
/// The longest description that is kept, in characters.
const LONGEST: usize = 400;

impl Schema {
    /// The settings in `schema`, a server's `config_schema`. What is not understood may be any
    /// value: the server has the last word.
    pub fn from_json_schema(schema: &Value) -> Self {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let definitions = schema.get("$defs").and_then(Value::as_object);
        let properties = properties.into_iter().flatten().take(MOST_FIELDS);
        let mut fields: Vec<Field> = properties
            .map(|(name, property)| {
                let mut field = Field {
                    name: name.clone(),
                    required: required.contains(&name.as_str()),
                    about: text(property.get("description")),
                    default: property.get("default").filter(|value| !is_empty(value)).cloned(),
                    sensitive: flag(property, "sensitive"),
                    deprecated: flag(property, "deprecated"),
                    ..Field::default()
                };
                let mut left = MOST_PARTS;
                read(&mut field, property, definitions, &mut left);
                if field.kinds.is_empty() {
                    field.kinds = ANY.to_vec();
                }
                field
            })
            .collect();
        fields.sort_by_key(|field| !field.required);
        Self { fields }
    }
}

const ANY: [Kind; 6] =
    [Kind::Boolean, Kind::Integer, Kind::Number, Kind::List, Kind::Object, Kind::Text];

/// Adds what `property` says of types, choices and limits.
fn read(
    field: &mut Field,
    property: &Value,
    definitions: Option<&Map<String, Value>>,
    left: &mut usize,
) {
    let Some(rest) = left.checked_sub(1) else { return };
    *left = rest;
    if let Some(definition) = referred(property, definitions) {
        return read(field, definition, definitions, left);
    }
    for several in ["anyOf", "oneOf", "allOf"] {
        for alternative in property.get(several).and_then(Value::as_array).into_iter().flatten() {
            read(field, alternative, definitions, left);
        }
    }
    let words = property.get("enum").and_then(Value::as_array).into_iter().flatten();
    for word in words.chain(property.get("const")).filter_map(Value::as_str) {
        if !field.choices.iter().any(|other| other == word) {
            field.choices.push(word.to_owned());
        }
    }
    field.sensitive |= property.get("format").and_then(Value::as_str) == Some("password");
    let number = |name: &str| property.get(name).and_then(Value::as_f64);
    field.min = number("minimum").or(field.min);
    field.max = number("maximum").or(field.max);
    field.above = number("exclusiveMinimum").or(field.above);
    let names = |object: &Value| -> Vec<String> {
        let properties = object.get("properties").and_then(Value::as_object);
        properties.into_iter().flat_map(Map::keys).take(MOST_FIELDS).cloned().collect()
    };
    let kind = match property.get("type").and_then(Value::as_str) {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("array") => {
            let item = property.get("items").and_then(|items| referred(items, definitions));
            field.keys.extend(item.map(names).unwrap_or_default());
            Kind::List
        }
        Some("object") => {
            field.keys.extend(names(property));
            Kind::Object
        }
        _ => return,
    };
    if !field.kinds.contains(&kind) {
        field.kinds.push(kind);
    }
}

/// The definition that `property` names.
fn referred<'a>(
    property: &Value,
    definitions: Option<&'a Map<String, Value>>,
) -> Option<&'a Value> {
    let name = property.get("$ref")?.as_str()?.rsplit('/').next()?;
    definitions?.get(name)
}

fn flag(property: &Value, name: &str) -> bool {
    property.get(name).and_then(Value::as_bool) == Some(true)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A description in one showable line.
fn text(description: Option<&Value>) -> String {
    let text = description.and_then(Value::as_str).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(LONGEST).collect();
    visible(&line).into_string()
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;
    use crate::model::component::ComponentType;
    use serde_json::json;

    const CAPTURE: &str = include_str!("../../../tests/data/zenml/flavor-s3.json");

    #[test]
    fn a_server_and_the_table_say_the_same_of_s3() {
        let answer: Value = serde_json::from_str(CAPTURE).unwrap();
        let schema = &answer["body"]["items"][0]["metadata"]["config_schema"];
        let read = Schema::from_json_schema(schema);
        let table = &find(ComponentType::ArtifactStore, "s3").unwrap().schema;
        let known = |schema: &Schema| -> Vec<Field> {
            let bare = |field: &Field| Field { about: String::new(), ..field.clone() };
            schema.fields.iter().map(bare).collect()
        };
        assert_eq!(known(&read), known(table));
        assert_eq!(read.fields[0].name, "path");
        assert!(read.field("secret").unwrap().sensitive);
        assert!(read.field("key").unwrap().about.starts_with("AWS access key ID"));
    }

    #[test]
    fn alternatives_references_and_limits_are_read() {
        let schema = json!({
            "required": ["size"],
            "$defs": {
                "Pull": { "enum": ["always", "missing"], "type": "string" },
                "Pod": { "properties": { "labels": {}, "env": {} }, "type": "object" },
            },
            "properties": {
                "pull": { "$ref": "#/$defs/Pull", "default": "missing" },
                "pods": { "anyOf": [{ "items": { "$ref": "#/$defs/Pod" }, "type": "array" }, { "type": "null" }] },
                "key": { "format": "password", "type": "string", "writeOnly": true },
                "odd": { "description": "a\u{1b}[31m b" },
                "size": { "anyOf": [{ "exclusiveMinimum": 0, "type": "integer" }, { "type": "string" }] },
            },
        });
        let schema = Schema::from_json_schema(&schema);
        let size = &schema.fields[0];
        assert_eq!((size.name.as_str(), size.above), ("size", Some(0.0)));
        assert_eq!(size.kinds, [Kind::Integer, Kind::Text]);
        let pull = schema.field("pull").unwrap();
        assert_eq!((pull.choices.len(), &pull.default), (2, &Some(json!("missing"))));
        assert_eq!(schema.field("pods").unwrap().keys, ["labels", "env"]);
        assert!(schema.field("key").unwrap().sensitive);
        let odd = schema.field("odd").unwrap();
        assert!(odd.parse("anything").is_ok() && !odd.about.contains('\u{1b}'));
    }

    #[test]
    fn what_is_no_schema_or_turns_in_circles_ends() {
        for odd in [json!(null), json!([1]), json!({ "properties": [1] })] {
            assert_eq!(Schema::from_json_schema(&odd), Schema::default());
        }
        let again = vec![json!({ "$ref": "#/$defs/A" }); 1000];
        let circle = json!({
            "$defs": { "A": { "anyOf": again } },
            "properties": { "a": { "$ref": "#/$defs/A" } },
        });
        assert_eq!(Schema::from_json_schema(&circle).fields[0].kinds, ANY);
    }
}
