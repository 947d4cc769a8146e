//! What a component can be told: names, types, and which of it is secret.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use crate::base::nearest::nearest;
use crate::base::visible::visible;

/// The settings of a flavor, in the order of forms: those that must be given first.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Schema {
    /// The settings.
    pub fields: Vec<Field>,
}

/// One setting.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What its value may be, one at least.
    #[serde(rename = "type", deserialize_with = "one_or_many")]
    pub kinds: Vec<Kind>,
    /// Whether ZenML refuses a component without it.
    #[serde(default)]
    pub required: bool,
    /// Whether it is a key or a password: it is given by reference to a secret only.
    #[serde(default)]
    pub sensitive: bool,
    /// Whether ZenML is about to forget it.
    #[serde(default)]
    pub deprecated: bool,
    /// The words it may be, where they are counted.
    #[serde(default)]
    pub choices: Vec<String>,
    /// The smallest number.
    pub min: Option<f64>,
    /// The largest number.
    pub max: Option<f64>,
    /// What a number must be larger than.
    pub above: Option<f64>,
    /// What it is where it is not given.
    pub default: Option<Value>,
    /// What the object, or each object of the list, may hold.
    #[serde(default)]
    pub keys: Vec<String>,
    /// What it is for; showable.
    #[serde(default)]
    pub about: String,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words of JSON")]
pub enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    List,
    Object,
}

/// What is wrong with one setting. It never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The setting.
    pub setting: String,
    /// What is wrong, ending in what to do; showable.
    pub message: String,
    /// Whether ZenML itself refuses it; else it would take it, to the user's harm.
    pub is_refused: bool,
}

/// Whether `text` is a reference to a secret's value, as ZenML reads one:
/// `{{\s*\S+?\.\S+\s*}}` (`utils/secret_utils.py`).
pub fn is_reference(text: &str) -> bool {
    let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    inner.map(str::trim).and_then(|inner| inner.split_once('.')).is_some_and(|(name, key)| {
        let plain = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        plain(name) && plain(key)
    })
}

impl Schema {
    /// The setting `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Everything that is wrong with `settings`.
    pub fn problems(&self, settings: &Map<String, Value>) -> Vec<SettingError> {
        let mut problems = Vec::new();
        let mut note = |setting: &str, is_refused, message| {
            problems.push(SettingError { setting: setting.to_owned(), message, is_refused });
        };
        for field in self.fields.iter().filter(|field| field.required) {
            let given = settings.get(&field.name).is_some_and(|value| match value {
                Value::Null => false,
                Value::String(text) => !text.trim().is_empty(),
                _ => true,
            });
            if !given {
                note(&field.name, true, "it is needed".to_owned());
            }
        }
        for (name, value) in settings {
            match self.field(name) {
                None => note(name, true, self.unknown(name)),
                Some(field) => {
                    if field.sensitive && holds_key(value) {
                        note(name, false, field.wants_reference());
                    } else if let Err(message) = field.check(value) {
                        note(name, true, message);
                    }
                }
            }
        }
        problems
    }

    /// Why the flavor has no setting `name`, and which is meant.
    pub fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        match nearest(&name.replace('-', "_"), &names) {
            Some(near) => format!("the flavor has no such setting: did you mean {near}?"),
            None if names.is_empty() => "the flavor has no settings: leave it out".to_owned(),
            None => "the flavor has no such setting: leave it out".to_owned(),
        }
    }

    /// Takes out what holds a key itself; the names of what was taken out.
    pub fn without_keys(&self, settings: &mut Map<String, Value>) -> Vec<String> {
        let mut taken = Vec::new();
        settings.retain(|name, value| {
            let secret = self.field(name).is_some_and(|field| field.sensitive) && holds_key(value);
            if secret {
                taken.push(name.clone());
            }
            !secret
        });
        taken
    }
}

/// Whether a value of a sensitive setting is more than a reference.
fn holds_key(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty() && !is_reference(text.trim()),
        _ => true,
    }
}

impl Field {
    /// The value that `text` means, typed in a form or an argument.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        if self.sensitive {
            return if is_reference(trimmed) {
                Ok(Value::String(trimmed.to_owned()))
            } else {
                Err(self.wants_reference())
            };
        }
        let value = self.kinds.iter().filter(|kind| **kind != Kind::Text).find_map(|kind| {
            let value = match kind {
                Kind::Boolean => truth(trimmed).map(Value::Bool),
                Kind::Integer => trimmed.parse::<i64>().ok().map(Value::from),
                Kind::Number => trimmed.parse().ok().and_then(Number::from_f64).map(Value::Number),
                Kind::List => list(trimmed, self.kinds.len() == 1 && self.keys.is_empty()),
                Kind::Object => {
                    serde_json::from_str(trimmed).ok().filter(|value: &Value| value.is_object())
                }
                Kind::Text => None,
            };
            value.filter(|value| self.is_in_range(value))
        });
        let text = || self.kinds.contains(&Kind::Text).then(|| Value::String(text.to_owned()));
        let value = value.or_else(text).filter(|value| self.is_chosen(value));
        value.ok_or_else(|| format!("write {}", self.expected()))
    }

    /// Whether ZenML takes `value`. As pydantic does, a text that means the value will do.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match value {
            Value::Null => !self.required,
            Value::String(text) => {
                return if is_reference(text.trim()) && self.kinds.contains(&Kind::Text) {
                    Ok(())
                } else {
                    self.parse(text).map(drop)
                };
            }
            Value::Bool(_) => self.kinds.contains(&Kind::Boolean),
            Value::Number(number) => {
                let whole = number.is_i64() || number.is_u64();
                self.kinds.contains(&Kind::Number) || (whole && self.kinds.contains(&Kind::Integer))
            }
            Value::Array(_) => self.kinds.contains(&Kind::List),
            Value::Object(_) => self.kinds.contains(&Kind::Object),
        };
        let fits = fits && self.is_in_range(value);
        if fits { Ok(()) } else { Err(format!("write {}", self.expected())) }
    }

    /// The value as one types it.
    pub fn shown(value: &Value) -> String {
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// What it is for, what it may be, and what it is by itself: the hint of a form. Showable.
    pub fn hint(&self) -> String {
        let mut parts = Vec::new();
        let about = self.about.trim_end_matches('.');
        if !about.is_empty() {
            parts.push(about.to_owned());
        }
        // text needs no word, and the words of a choice are seen
        let seen = self.kinds == [Kind::Text] || self.kinds == [Kind::Boolean];
        if !seen || self.sensitive {
            parts.push(self.expected());
        }
        if !self.keys.is_empty() {
            parts.push(format!("its names: {}", visible(&self.keys.join(", "))));
        }
        if let Some(default) = &self.default {
            parts.push(format!("default {}", visible(&Self::shown(default))));
        }
        parts.join("; ")
    }

    /// What it may be, as a command ends: `a whole number of at least 0`.
    pub fn expected(&self) -> String {
        if self.sensitive {
            return "{{SECRET.KEY}}, a reference to a secret of ZenML".to_owned();
        }
        if !self.choices.is_empty() {
            return format!("one of {}", visible(&self.choices.join(", ")));
        }
        let words: Vec<&str> = self
            .kinds
            .iter()
            .map(|kind| match kind {
                Kind::Text => "text",
                Kind::Integer => "a whole number",
                Kind::Number => "a number",
                Kind::Boolean => "true or false",
                Kind::List if self.keys.is_empty() && self.kinds.len() == 1 => {
                    "a list: a, b or [\"a\", \"b\"]"
                }
                Kind::List => "a list as JSON: [{\"name\": …}]",
                Kind::Object => "an object as JSON: {\"name\": …}",
            })
            .collect();
        let range = match (self.min, self.above, self.max) {
            (Some(min), _, Some(max)) => format!(" from {min} to {max}"),
            (Some(min), _, None) => format!(" of at least {min}"),
            (None, Some(above), Some(max)) => format!(" above {above} and up to {max}"),
            (None, Some(above), None) => format!(" above {above}"),
            (None, None, Some(max)) => format!(" up to {max}"),
            (None, None, None) => String::new(),
        };
        words.join(", or ") + &range
    }

    fn wants_reference(&self) -> String {
        format!("a key never stands in a file or an argument: write {}", self.expected())
    }

    fn is_in_range(&self, value: &Value) -> bool {
        let Some(number) = value.as_f64() else { return true };
        self.min.is_none_or(|min| number >= min)
            && self.max.is_none_or(|max| number <= max)
            && self.above.is_none_or(|above| number > above)
    }

    fn is_chosen(&self, value: &Value) -> bool {
        let word = value.as_str().unwrap_or_default();
        self.choices.is_empty() || is_reference(word) || self.choices.iter().any(|it| it == word)
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A list as JSON, or words with commas between where nothing else is meant.
fn list(text: &str, words: bool) -> Option<Value> {
    if text.starts_with('[') || !words {
        return serde_json::from_str(text).ok().filter(|value: &Value| value.is_array());
    }
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Some(items.map(Value::from).collect())
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Kind>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        One(Kind),
        Many(Vec<Kind>),
    }
    Ok(match Given::deserialize(from)? {
        Given::One(kind) => vec![kind],
        Given::Many(kinds) => kinds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(kinds: &[Kind]) -> Field {
        Field { name: "x".into(), kinds: kinds.to_vec(), ..Field::default() }
    }

    #[test]
    fn references_are_what_zenml_reads_as_one() {
        for good in ["{{a.b}}", "{{ a.b }}", "{{a.b.c}}"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["{{a}}", "a.b", "{{.b}}", "{{a.}}", "{{a b.c}}", "x{{a.b}}", "{{a.b}} "] {
            assert!(!is_reference(bad), "{bad}");
        }
    }

    #[test]
    fn texts_become_what_the_setting_is() {
        let whole = Field { min: Some(0.0), max: Some(9.0), ..field(&[Kind::Integer]) };
        assert_eq!(whole.parse(" 3 "), Ok(json!(3)));
        for bad in ["-1", "10", "3.5", "three", ""] {
            let said = whole.parse(bad).unwrap_err();
            assert_eq!(said, "write a whole number from 0 to 9", "{bad}");
        }
        assert_eq!(field(&[Kind::Boolean]).parse("Yes"), Ok(json!(true)));
        assert!(field(&[Kind::Boolean]).parse("1").is_err());
        assert_eq!(field(&[Kind::Number]).parse("0.5"), Ok(json!(0.5)));
        assert!(field(&[Kind::Number]).parse("nan").is_err());
        assert_eq!(field(&[Kind::List]).parse("a, b"), Ok(json!(["a", "b"])));
        assert_eq!(field(&[Kind::List]).parse("[1, 2]"), Ok(json!([1, 2])));
        assert!(field(&[Kind::List]).parse("[1, 2").is_err());
        assert_eq!(field(&[Kind::Object]).parse(r#"{"a": 1}"#), Ok(json!({ "a": 1 })));
        assert!(field(&[Kind::Object]).parse("[1]").is_err());
        let either = field(&[Kind::Integer, Kind::Text]);
        assert_eq!(either.parse("4"), Ok(json!(4)));
        assert_eq!(either.parse("4+"), Ok(json!("4+")));
        let words = Field { choices: vec!["a".into(), "b".into()], ..field(&[Kind::Text]) };
        assert_eq!(words.parse("a"), Ok(json!("a")));
        assert_eq!(words.parse("c").unwrap_err(), "write one of a, b");
    }

    #[test]
    fn keys_are_given_by_reference_alone_and_never_repeated() {
        let token = Field { sensitive: true, required: true, ..field(&[Kind::Text]) };
        assert_eq!(token.parse("{{slack.token}}"), Ok(json!("{{slack.token}}")));
        assert!(!token.parse("xoxb-canary").unwrap_err().contains("canary"));
        let schema = Schema { fields: vec![token] };
        let mut settings = Map::from_iter([("x".to_owned(), json!("xoxb-canary"))]);
        let problems = schema.problems(&settings);
        assert!(!problems[0].is_refused && !format!("{problems:?}").contains("canary"));
        assert_eq!(schema.without_keys(&mut settings), ["x"]);
        assert!(settings.is_empty());
    }

    #[test]
    fn what_zenml_would_refuse_is_told() {
        let mut uri = field(&[Kind::Text]);
        uri.required = true;
        let number = Field { name: "port".into(), ..field(&[Kind::Integer]) };
        let schema = Schema { fields: vec![uri, number] };
        let settings = json!({ "prt": 1, "port": "80", "nothing": null });
        let problems = schema.problems(settings.as_object().unwrap());
        let said: Vec<_> =
            problems.iter().map(|it| (it.setting.as_str(), it.message.as_str())).collect();
        assert_eq!(
            said,
            [
                ("x", "it is needed"),
                ("prt", "the flavor has no such setting: did you mean port?"),
                ("nothing", "the flavor has no such setting: leave it out"),
            ]
        );
        let problems = schema.problems(json!({ "x": 1, "port": 1.5 }).as_object().unwrap());
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
