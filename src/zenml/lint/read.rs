//! Recognises what a text is, and finds the artifact stores in it.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{command, table, yaml};

/// The longest text that is read, in bytes; an exported stack has some thousands.
pub const MOST_BYTES: usize = 1 << 20;

/// More stores than a list is read for.
const MOST_STORES: usize = 1000;

/// All settings of ZenML's S3 store (its flavor's `config_schema`, 0.98).
pub(super) const KNOWN_SETTINGS: [&str; 8] = [
    "authentication_secret",
    "path",
    "key",
    "secret",
    "token",
    "client_kwargs",
    "config_kwargs",
    "s3_additional_kwargs",
];

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The table of `zenml artifact-store describe`.
    Table,
    /// JSON of `describe --output json` or of the REST API.
    Json,
    /// YAML of `describe --output yaml` or of `zenml stack export`.
    Yaml,
    /// A command that registers or updates the store.
    Command,
}

impl Form {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Command => "command",
        }
    }
}

/// Why there is nothing to judge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing, or only blanks.
    #[error("there is no text")]
    Empty,
    /// Over [`MOST_BYTES`].
    #[error("the text has more than {MOST_BYTES} bytes, far more than a store takes")]
    Long,
    /// Begins as JSON and is none.
    #[error("line {line}, column {column}: this is no JSON: paste it whole")]
    Json {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// Neither a table nor a command nor JSON, and no YAML.
    #[error(transparent)]
    Yaml(#[from] yaml::YamlError),
    /// A command whose quotes do not end.
    #[error("the command ends inside of quotes: paste it whole, with the last quote")]
    OpenQuote,
    /// `--client_kwargs=@FILE`: what counts is in another file.
    #[error("the command takes {0} from a file: paste its contents in place of @…")]
    FromFile(String),
    /// It reads well, and no artifact store is in it.
    #[error("there is no artifact store in it")]
    NoStore,
    /// A component without its settings, as lists hold them.
    #[error(
        "it names an artifact store without its settings: take `zenml artifact-store describe NAME`"
    )]
    NoSettings,
}

/// A key or a part of it in the settings themselves; the value is forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Given {
    /// Not there.
    #[default]
    Nothing,
    /// `{{secret.key}}`: the name of the secret.
    Reference(String),
    /// The value itself.
    Plain(Issuer),
}

impl Given {
    fn of(value: Option<Value>) -> Self {
        let Some(Value::String(value)) = value else { return Self::Nothing };
        let value = Zeroizing::new(value);
        let text = value.trim();
        if text.is_empty() || text == "None" {
            return Self::Nothing;
        }
        let inner = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
        if let Some((secret, _)) = inner.and_then(|inner| inner.split_once('.')) {
            return Self::Reference(secret.trim().to_owned());
        }
        Self::Plain(match text.get(..4) {
            Some("AKIA" | "ASIA") => Issuer::Aws,
            Some("STS.") => Issuer::Sts,
            _ => Issuer::Other,
        })
    }

    pub(super) fn is_there(&self) -> bool {
        *self != Self::Nothing
    }
}

/// Who made a key, by the form of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issuer {
    /// `AKIA…`, `ASIA…`.
    Aws,
    /// `STS.…`: a temporary key of Alibaba Cloud, which needs its token.
    Sts,
    /// Anything else.
    Other,
}

/// A store as the text has it.
#[derive(Default)]
pub(super) struct HandMade {
    pub(super) name: Option<String>,
    pub(super) flavor: Option<String>,
    /// The settings but `key`, `secret` and `token`.
    pub(super) settings: Map<String, Value>,
    pub(super) key: Given,
    pub(super) secret: Given,
    pub(super) token: Given,
    /// The service connector.
    pub(super) connector: Option<String>,
    /// From a command line, where the three kwargs are JSON texts.
    pub(super) typed: bool,
    /// From a command that leaves what it does not name as it is.
    pub(super) partial: bool,
    /// The names of the values that the same text gives the store's secret.
    pub(super) secret_keys: Option<Vec<String>>,
}

impl HandMade {
    pub(super) fn new(
        name: Option<String>,
        flavor: Option<String>,
        mut settings: Map<String, Value>,
        connector: Option<String>,
    ) -> Self {
        settings.retain(|_, value| !value.is_null());
        let mut take = |name: &str| Given::of(settings.shift_remove(name));
        let (key, secret, token) = (take("key"), take("secret"), take("token"));
        Self { name, flavor, settings, key, secret, token, connector, ..Self::default() }
    }

    /// A setting that is text.
    pub(super) fn text(&self, setting: &str) -> Option<&str> {
        self.settings.get(setting)?.as_str().filter(|text| !text.is_empty())
    }
}

/// The form of `text`, and its stores.
pub(super) fn read(text: &str) -> Result<(Form, Vec<HandMade>), Unreadable> {
    if text.len() > MOST_BYTES {
        return Err(Unreadable::Long);
    }
    let text = without_colours(text.trim_start_matches('\u{feff}'));
    let text = text.trim();
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    if text.starts_with(['{', '[']) {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Unreadable::Json { line: error.line(), column: error.column() })?;
        return Ok((Form::Json, of_value(value)?));
    }
    if let Some(store) = table::read(text) {
        return Ok((Form::Table, vec![store]));
    }
    if let Some(stores) = command::read(text)? {
        return Ok((Form::Command, stores));
    }
    let value = yaml::parse(text)?.ok_or(Unreadable::Empty)?;
    Ok((Form::Yaml, of_value(value)?))
}

/// Takes out the colours of a terminal: `ESC [ … letter`.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let letter = piece.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        let rest = letter.and_then(|at| piece.get(at..)).map(|rest| {
            let mut rest = rest.chars();
            rest.next();
            rest.as_str()
        });
        out.push_str(rest.unwrap_or_default());
    }
    out
}

fn of_value(value: Value) -> Result<Vec<HandMade>, Unreadable> {
    let mut found = Found::default();
    found.search(value);
    match (found.stores.is_empty(), found.bare) {
        (false, _) => Ok(found.stores),
        (true, true) => Err(Unreadable::NoSettings),
        (true, false) => Err(Unreadable::NoStore),
    }
}

#[derive(Default)]
struct Found {
    stores: Vec<HandMade>,
    /// An artifact store without settings was seen.
    bare: bool,
}

impl Found {
    /// Depth is what the readers of JSON and YAML let through.
    fn search(&mut self, value: Value) {
        match value {
            Value::Array(items) => items.into_iter().for_each(|item| self.search(item)),
            Value::Object(map) => self.object(map),
            _ => {}
        }
    }

    fn object(&mut self, mut map: Map<String, Value>) {
        if self.stores.len() >= MOST_STORES {
            return;
        }
        if let Some(items) = map.shift_remove("items") {
            return self.search(items);
        }
        // a stack, exported or answered: its components by type, a list each or (before 0.98) one
        let components = map.shift_remove("components").or_else(|| nested(&mut map, "components"));
        if let Some(Value::Object(mut components)) = components {
            if let Some(stores) = components.shift_remove("artifact_store") {
                self.search(stores);
            }
            return;
        }
        let text = |map: &Map<String, Value>, name: &str| {
            let body = map.get("body").and_then(|body| body.get(name));
            map.get(name).or(body).and_then(Value::as_str).map(str::to_owned)
        };
        let kind = text(&map, "type");
        if kind.as_deref().is_some_and(|kind| kind != "artifact_store") {
            return;
        }
        let connector = connector(&map);
        let configuration =
            map.shift_remove("configuration").or_else(|| nested(&mut map, "configuration"));
        if let Some(Value::Object(settings)) = configuration {
            let flavor = text(&map, "flavor").or_else(|| text(&map, "flavor_name"));
            self.stores.push(HandMade::new(text(&map, "name"), flavor, settings, connector));
        } else if kind.is_some() {
            self.bare = true;
        } else if map.keys().any(|name| KNOWN_SETTINGS.contains(&name.as_str())) {
            self.stores.push(HandMade::new(None, None, map, None));
        } else if let Some(body) = map.shift_remove("body") {
            self.search(body);
        }
    }
}

/// What the REST API keeps below `metadata`.
fn nested(map: &mut Map<String, Value>, name: &str) -> Option<Value> {
    map.get_mut("metadata")?.as_object_mut()?.shift_remove(name)
}

/// The name of the service connector, in each form's own place.
fn connector(map: &Map<String, Value>) -> Option<String> {
    let metadata = map.get("metadata").and_then(|metadata| metadata.get("connector"));
    let connector = map.get("service_connector").or(metadata).or_else(|| map.get("connector"))?;
    match connector {
        Value::String(name) => Some(name.clone()),
        Value::Object(connector) => {
            let name = connector.get("name").and_then(Value::as_str);
            Some(name.unwrap_or("of this store").to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let refused = |text: &str| read(text).map(|(form, _)| form).unwrap_err();
        assert_eq!(refused(" \n"), Unreadable::Empty);
        assert_eq!(refused("# only a comment"), Unreadable::Empty);
        assert_eq!(refused(&"x".repeat(MOST_BYTES + 1)), Unreadable::Long);
        assert_eq!(refused("{\n\"a\": }"), Unreadable::Json { line: 2, column: 6 });
        assert!(matches!(refused(&"[".repeat(200_000)), Unreadable::Json { .. }));
        assert_eq!(refused("hello"), Unreadable::NoStore);
        assert_eq!(refused("a: *b"), Unreadable::Yaml(yaml::YamlError::Syntax { line: 1 }));
        assert_eq!(
            refused("zenml artifact-store register a --path='s3://b"),
            Unreadable::OpenQuote
        );
        let file =
            "zenml artifact-store register a -f s3 --path=s3://b --client_kwargs=@kwargs.json";
        assert_eq!(refused(file), Unreadable::FromFile("client_kwargs".into()));
        let bare =
            r#"{"items": [{"name": "a", "body": {"type": "artifact_store"}, "metadata": null}]}"#;
        assert_eq!(refused(bare), Unreadable::NoSettings);
        let other = r#"{"name": "a", "type": "orchestrator", "configuration": {}}"#;
        assert_eq!(refused(other), Unreadable::NoStore);
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(without_colours("\u{1b}[1;31ma\u{1b}[0m b\u{1b}["), "a b");
    }

    #[test]
    fn keys_are_forgotten() {
        let text = r#"{"path": "s3://a", "key": "AKIACANARY", "secret": "{{ keys.secret }}", "token": null}"#;
        let (_, stores) = read(text).unwrap();
        let store = &stores[0];
        assert_eq!(store.key, Given::Plain(Issuer::Aws));
        assert_eq!(store.secret, Given::Reference("keys".into()));
        assert_eq!(store.token, Given::Nothing);
        assert!(!format!("{:?}", store.settings).contains("CANARY"));
    }
}
