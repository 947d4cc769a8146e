//! Values of TOML as JSON and back: what a store's extras and a component's configuration hold.

use serde_json::{Map, Number, Value as Json};
use toml_edit::{Array, InlineTable, Item, TableLike, Value as Toml};

/// The JSON of a TOML item. What neither JSON nor `ZenML` could hold is named.
pub(super) fn to_json(item: &Item) -> Result<Json, String> {
    if let Some(table) = item.as_table_like() {
        return to_map(table).map(Json::Object);
    }
    if let Some(tables) = item.as_array_of_tables() {
        let tables = tables.iter().map(|table| to_map(table).map(Json::Object));
        return tables.collect::<Result<_, _>>().map(Json::Array);
    }
    item.as_value().map_or(Ok(Json::Null), value_to_json)
}

/// The JSON object of a TOML table.
pub(super) fn to_map(table: &dyn TableLike) -> Result<Map<String, Json>, String> {
    table.iter().map(|(name, item)| Ok((plain(name)?.to_owned(), to_json(item)?))).collect()
}

fn value_to_json(value: &Toml) -> Result<Json, String> {
    match value {
        Toml::String(text) => Ok(Json::String(plain(text.value())?.to_owned())),
        Toml::Integer(number) => Ok((*number.value()).into()),
        Toml::Float(number) => Number::from_f64(*number.value())
            .map(Json::Number)
            .ok_or_else(|| "nan and inf are no numbers that ZenML takes: write another".into()),
        Toml::Boolean(truth) => Ok((*truth.value()).into()),
        Toml::Datetime(_) => Err("ZenML takes no dates: write it as text, in quotes".into()),
        Toml::Array(array) => {
            array.iter().map(value_to_json).collect::<Result<_, _>>().map(Json::Array)
        }
        Toml::InlineTable(table) => to_map(table).map(Json::Object),
    }
}

/// Text without NUL, which TOML can write and nothing after it takes.
pub(super) fn plain(text: &str) -> Result<&str, String> {
    if text.contains('\0') {
        return Err("it holds a NUL character: take it out".into());
    }
    Ok(text)
}

/// The TOML of a JSON value.
pub(super) fn to_toml(json: &Json) -> Result<Toml, String> {
    Ok(match json {
        Json::Null => return Err("TOML has no null: leave the value out".into()),
        Json::Bool(truth) => (*truth).into(),
        Json::String(text) => plain(text)?.into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) if number.is_f64() => float.into(),
            _ => return Err(format!("{number} is too large for TOML: write it as text")),
        },
        Json::Array(values) => {
            Toml::Array(values.iter().map(to_toml).collect::<Result<Array, _>>()?)
        }
        Json::Object(map) => Toml::InlineTable(to_inline(map)?),
    })
}

/// The inline table of a JSON object.
pub(super) fn to_inline(map: &Map<String, Json>) -> Result<InlineTable, String> {
    map.iter().map(|(name, json)| Ok((plain(name)?, to_toml(json)?))).collect()
}
