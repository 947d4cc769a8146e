//! YAML as ZenML exports it, and as people edit it.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Map, Value};

/// How deep a document may nest; an exported stack nests six times.
const MOST_DEEP: usize = 64;

/// Why a text is no YAML that is read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// It does not parse.
    #[error("line {line}: this is no YAML: check indentation and quotes there")]
    Syntax {
        /// Where, from 1.
        line: usize,
    },
    /// `*name` could make a small file a huge one.
    #[error("line {line}: names for repeated parts (&name, *name) are not read: write them out")]
    Alias {
        /// Where, from 1.
        line: usize,
    },
    /// Nested past all reason.
    #[error("line {line}: it nests more than {MOST_DEEP} deep")]
    Deep {
        /// Where, from 1.
        line: usize,
    },
}

impl From<ScanError> for YamlError {
    fn from(error: ScanError) -> Self {
        Self::Syntax { line: error.marker().line() }
    }
}

/// A list or a mapping that is not closed yet; a mapping with the name that waits for its value.
enum Open {
    List(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}

/// The first document in `text`; nothing where there is none.
pub(in crate::zenml) fn parse(text: &str) -> Result<Option<Value>, YamlError> {
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        let line = span.start.line();
        let done = match event {
            Event::Alias(_) => return Err(YamlError::Alias { line }),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= MOST_DEEP => {
                return Err(YamlError::Deep { line });
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Value::Array(items),
                Some(Open::Mapping(map, _)) => Value::Object(map),
                None => return Err(YamlError::Syntax { line }),
            },
            Event::Scalar(text, style, _, tag) => scalar(text, style, tag.as_deref()),
            Event::DocumentEnd | Event::StreamEnd => return Ok(None),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        match open.last_mut() {
            None => return Ok(Some(done)),
            Some(Open::List(items)) => items.push(done),
            Some(Open::Mapping(map, name)) => match (name.take(), done) {
                (Some(name), value) => {
                    map.insert(name, value);
                }
                (None, Value::String(text)) => *name = Some(text),
                (None, Value::Array(_) | Value::Object(_)) => {
                    return Err(YamlError::Syntax { line });
                }
                (None, plain) => *name = Some(plain.to_string()),
            },
        }
    }
    Ok(None)
}

/// As `PyYAML`'s safe loader takes it: only what is not quoted can be more than text.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    if style != ScalarStyle::Plain || tag.is_some() {
        return Value::String(text.into_owned());
    }
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "on" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "off" => Value::Bool(false),
        // PyYAML's numbers have a dot before the exponent: 1e5 is a text, perhaps a password
        plain if plain.contains(['e', 'E']) && !plain.contains('.') => text_of(plain),
        plain => plain.parse().map_or_else(|_| text_of(plain), Value::Number),
    }
}

fn text_of(plain: &str) -> Value {
    Value::String(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_zenml_writes() {
        let text = "a:\n- b: s3://x/y\n  c: {}\n  d: null\n- 1\ne: 'false'\nf: false\n1: x\n";
        let value = json!({ "a": [{ "b": "s3://x/y", "c": {}, "d": null }, 1], "e": "false", "f": false, "1": "x" });
        assert_eq!(parse(text), Ok(Some(value)));
        assert_eq!(parse("- 1e5\n- 1.0e+5\n"), Ok(Some(json!(["1e5", 1.0e5]))));
        assert_eq!(parse(""), Ok(None));
        assert_eq!(parse("# nothing\n"), Ok(None));
    }

    #[test]
    fn what_would_grow_or_nest_without_end_is_refused() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\n";
        assert_eq!(parse(bomb), Err(YamlError::Alias { line: 2 }));
        assert_eq!(parse(&"[".repeat(100)), Err(YamlError::Deep { line: 1 }));
        assert!(parse(&"[".repeat(100_000)).is_err());
        let lines: Vec<String> = (0..200).map(|n| format!("{}a:", " ".repeat(n))).collect();
        let indented = lines.join("\n");
        assert!(matches!(parse(&indented), Err(YamlError::Deep { .. })));
        assert!(matches!(parse("a: 'open"), Err(YamlError::Syntax { .. })));
        assert!(matches!(parse("? [a]\n: b"), Err(YamlError::Syntax { .. })));
    }
}
