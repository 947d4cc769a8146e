//! Safetensors: a JSON header with every tensor's dtype, shape and place.

use serde_json::{Map, Value};

use super::source::{Bits, Source, Stop};
use super::{Content, Section, Structure, Table};
use crate::base::units;

/// Tensors that are shown.
const MOST_TENSORS: usize = 5000;

/// Reads the header.
pub(super) fn read(source: &Source) -> Result<(Content, Option<String>), Stop> {
    const DAMAGED: Stop = Stop::Damaged("its header cannot be read");
    let length = Bits(source.get(0, 8)?).u64().ok_or(DAMAGED)?;
    let header = source.get(8, length)?;
    let header: Map<String, Value> = serde_json::from_slice(header).map_err(|_| DAMAGED)?;
    let mut rows = Vec::new();
    let (mut tensors, mut parameters, mut size) = (0_u64, 0_u64, 0_u64);
    let mut facts = Vec::new();
    for (name, tensor) in &header {
        if name == "__metadata__" {
            continue;
        }
        let numbers = |key: &str| -> Vec<u64> {
            let list = tensor.get(key).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_u64).collect()
        };
        let shape = numbers("shape");
        let bytes = match numbers("data_offsets").as_slice() {
            [from, to] => to.saturating_sub(*from),
            _ => 0,
        };
        tensors += 1;
        parameters =
            parameters.saturating_add(shape.iter().fold(1, |all, n| all.saturating_mul(*n)));
        size = size.saturating_add(bytes);
        if rows.len() < MOST_TENSORS {
            let dtype = tensor.get("dtype").and_then(Value::as_str).unwrap_or("?");
            let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
            rows.push(vec![name.clone(), dtype.to_owned(), shape.join(" × "), units::bytes(bytes)]);
        }
    }
    facts.push(("tensors", units::count(tensors)));
    facts.push(("parameters", units::count(parameters)));
    facts.push(("tensor bytes", units::bytes(size)));
    if tensors > rows.len() as u64 {
        facts.push(("shown", format!("the first {}", rows.len())));
    }
    let mut sections = vec![Section::facts(facts)];
    if let Some(Value::Object(metadata)) = header.get("__metadata__") {
        let row = |(key, value): (&String, &Value)| {
            vec![key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
        };
        let rows = metadata.iter().map(row).collect();
        let table = Table { header: Vec::new(), rows };
        sections.push(Section { title: Some("Metadata".into()), table });
    }
    let header = ["name", "dtype", "shape", "size"].map(str::to_owned).to_vec();
    sections.push(Section { title: Some("Tensors".into()), table: Table { header, rows } });
    Ok((Content::Structure(Structure::new("safetensors", sections)), None))
}
