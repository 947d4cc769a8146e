//! YAML as `PyYAML`'s `dump` lays it out: blocks, names in the order of the alphabet.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// `value` as a document.
pub(super) fn yaml(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

/// Writes a mapping or a list of at least one entry line by line, everything else in one.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort_unstable();
            for (index, name) in names.into_iter().enumerate() {
                // the first name of an entry stands behind its dash
                if index > 0 || out.is_empty() || out.ends_with('\n') {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str(&text(name));
                out.push(':');
                if let Some(value) = map.get(name) {
                    inner(value, indent, out);
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&" ".repeat(indent));
                out.push_str("- ");
                // a list in a list begins in a line of its own
                if item.as_array().is_some_and(|items| !items.is_empty()) {
                    out.pop();
                    out.push('\n');
                }
                block(item, indent + 2, out);
            }
        }
        plain => {
            out.push_str(&scalar(plain));
            out.push('\n');
        }
    }
}

/// What stands behind a name.
fn inner(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        // lists stand under the name they belong to
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(value, indent, out);
        }
        plain => {
            out.push(' ');
            block(plain, indent, out);
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        Value::Number(value) => number(value),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

/// YAML 1.1 reads `1e+20` as a text: a number has a point.
fn number(number: &Number) -> String {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        Some((digits, exponent)) if !digits.contains('.') => {
            let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
            format!("{digits}.0e{sign}{exponent}")
        }
        _ => text,
    }
}

/// Bare where no reader takes it for anything else, in double quotes otherwise: what JSON escapes,
/// YAML reads the same.
fn text(text: &str) -> String {
    // PyYAML's resolver: truths, null, numbers, dates, times of base 60, and the merge key
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+".contains(c);
    let bare = begins
        && text.chars().all(plain)
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if bare || is_version(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        // line ends and marks of YAML that JSON leaves alone
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') {
            let _infallible = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// `0.98.0`: two points make no number.
fn is_version(text: &str) -> bool {
    let mut parts = text.split('.');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.matches('.').count() == 2 && parts.all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zenml::lint::yaml::parse;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn blocks_are_laid_out_as_pyyaml_does() {
        let value = json!({
            "b": [{ "z": 1, "a": { "c": true } }, "x"],
            "a": { "empty": {}, "none": null, "list": [] },
            "c": [["deep", 1.5], []],
        });
        let text = "a:\n  empty: {}\n  list: []\n  none: null\nb:\n- a:\n    c: true\n  z: 1\n- x\nc:\n-\n  - deep\n  - 1.5\n- []\n";
        assert_eq!(yaml(&value), text);
    }

    #[test]
    fn texts_that_could_be_something_else_stand_in_quotes() {
        for quoted in [
            "",
            "yes",
            "No",
            "1",
            "1.5",
            "2026-01-01",
            "a: b",
            "#a",
            "a #b",
            "{{a.b}}",
            "*a",
            " a",
            "a:",
            "=",
            "<<",
            "-",
            "\u{85}",
            "12:30",
        ] {
            let out = text(quoted);
            assert!(out.starts_with('"'), "{quoted:?} became {out}");
        }
        for bare in ["s3://b/p", "https://oss-cn-hangzhou.aliyuncs.com", "0.98.0", "alibaba_cli"] {
            assert_eq!(text(bare), bare);
        }
        assert_eq!(yaml(&json!(1e300)).trim(), "1.0e+300");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in any_value()) {
            let file = json!({ "value": value });
            prop_assert_eq!(parse(&yaml(&file)).unwrap(), Some(file));
        }
    }
}
