//! The three settings that are objects, and the many ways to write one that is none.

use serde_json::{Map, Value};

use super::literal;
use super::{Finding, Severity};

/// The object that `value` means, with what is wrong about the way it is written. Nothing where it
/// cannot be told: then nothing more can be said of what should be in it either.
pub(super) fn object(
    setting: &'static str,
    value: Option<&Value>,
    typed: bool,
    findings: &mut Vec<Finding>,
) -> Option<Map<String, Value>> {
    let error = |id, meaning: String| Finding::new(Severity::Error, id, setting, meaning);
    let text = match value {
        None | Some(Value::Null) => return Some(Map::new()),
        Some(Value::Object(map)) => return Some(map.clone()),
        Some(Value::String(text)) => text.trim(),
        Some(_) => {
            let meaning = format!("{setting} is neither a JSON object nor a text that holds one.");
            findings
                .push(error("kwargs-type", meaning).corrected("a JSON object: {\"name\": value}"));
            return None;
        }
    };
    if text.is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => {
            if !typed {
                let meaning = format!(
                    "{setting} is a text that holds an object. ZenML takes both and keeps the object."
                );
                findings.push(Finding::new(Severity::Note, "kwargs-text", setting, meaning));
            }
            return Some(map);
        }
        Ok(Value::String(inner)) => {
            if let Ok(Value::Object(map)) = serde_json::from_str(&inner) {
                let meaning = format!(
                    "{setting} is quoted twice: ZenML unpacks one text and finds another in it \
                     where it needs an object."
                );
                findings.push(error("kwargs-quotes", meaning).corrected("one pair of quotes less"));
                return Some(map);
            }
        }
        _ => {}
    }
    let bare = text.trim_matches(['\'', '"', '`', '“', '”', '‘', '’']);
    let straight = bare.replace(['“', '”'], "\"").replace(['‘', '’'], "'");
    for (candidate, what) in [
        (bare, "stands in quotes of its own, which reach ZenML"),
        (straight.as_str(), "has the curved quotes of a word processor"),
    ] {
        if let Ok(Value::Object(map)) = serde_json::from_str(candidate) {
            let meaning =
                format!("{setting} {what}: JSON has straight double quotes, inside only.");
            findings.push(
                error("kwargs-quotes", meaning).corrected("the object alone, in straight quotes"),
            );
            return Some(map);
        }
    }
    if let Some(Value::Object(map)) = literal::parse(&straight) {
        let meaning = format!(
            "{setting} is written as Python prints a dict. ZenML reads JSON, with double quotes."
        );
        findings.push(error("kwargs-json", meaning).corrected("the same as JSON"));
        return Some(map);
    }
    let meaning = format!(
        "{setting} is no JSON object, so ZenML refuses it. Often a shell took the quotes away."
    );
    findings.push(error("kwargs-json", meaning).corrected("the JSON object in single quotes"));
    None
}

/// Puts `USER:PASSWORD` in place of what addresses below `value` hold of the kind; whether any did.
pub(super) fn mask_passwords(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let Some((scheme, rest)) = text.split_once("://") else { return false };
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let Some(at) = rest.get(..end).and_then(|authority| authority.rfind('@')) else {
                return false;
            };
            let host = rest.get(at..).unwrap_or_default();
            let masked = format!("{scheme}://USER:PASSWORD{host}");
            *text = masked;
            true
        }
        // every one of them, not up to the first
        Value::Array(items) => items.iter_mut().fold(false, |any, item| mask_passwords(item) | any),
        Value::Object(map) => map.values_mut().fold(false, |any, item| mask_passwords(item) | any),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_way_to_write_an_object_is_told() {
        let map = json!({ "a": "b" });
        for (text, typed, id) in [
            (r#"{"a": "b"}"#, true, None),
            (r#"{"a": "b"}"#, false, Some("kwargs-text")),
            (r#""{\"a\": \"b\"}""#, true, Some("kwargs-quotes")),
            (r#"'{"a": "b"}'"#, true, Some("kwargs-quotes")),
            ("{“a”: “b”}", true, Some("kwargs-quotes")),
            ("{'a': 'b'}", true, Some("kwargs-json")),
        ] {
            let mut findings = Vec::new();
            let read = object("client_kwargs", Some(&json!(text)), typed, &mut findings);
            assert_eq!(read.as_ref(), map.as_object(), "{text}");
            assert_eq!(findings.first().map(|finding| finding.id), id, "{text}");
        }
        for (value, id) in [(json!("{a: b}"), "kwargs-json"), (json!([1]), "kwargs-type")] {
            let mut findings = Vec::new();
            assert_eq!(object("client_kwargs", Some(&value), true, &mut findings), None);
            assert_eq!(findings[0].id, id);
        }
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        let mut value = json!({ "a": ["http://u:p@x:1/y", "http://v:q@z"], "b": "http://x/a@b" });
        assert!(mask_passwords(&mut value));
        let masked = json!({ "a": ["http://USER:PASSWORD@x:1/y", "http://USER:PASSWORD@z"], "b": "http://x/a@b" });
        assert_eq!(value, masked);
    }
}
