//! From TOML to the model: every entry through its draft, every problem with its line.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use toml_edit::{Item, Table, TableLike};

use super::toml_json::{plain, to_json, to_map};
use super::{Content, Problem, Severity};
use crate::base::nearest::nearest;
use crate::base::visible::visible;
use crate::model::component::{Component, ComponentType};
use crate::model::connection::{Connection, ConnectionDraft};
use crate::model::field::FieldError;
use crate::model::flavor::{self, Flavors};
use crate::model::name::Name;
use crate::model::secret_source::{SourceDraft, SourcedSecret};
use crate::model::stack::{Stack, StackDraft};
use crate::model::store::{ArtifactStore, Extras, Signature, StoreDraft};

pub(super) const STORE: &str = "artifact_store";
pub(super) const COMPONENT: &str = "component";
pub(super) const STACK: &str = "stack";
pub(super) const CONNECTION: &str = "zenml";

const SECRET: &str = "secret";

const TOP: [&str; 6] = ["schema", SECRET, STORE, COMPONENT, STACK, CONNECTION];
const SECRET_FIELDS: [&str; 4] = ["source", "profile", "command", "connection"];
const STORE_FIELDS: [&str; 10] = [
    "path",
    "secret",
    "region",
    "endpoint",
    "access",
    "signature",
    "residency",
    "client_kwargs",
    "config_kwargs",
    "s3_additional_kwargs",
];
const COMPONENT_FIELDS: [&str; 3] = ["type", "flavor", "configuration"];
const CONNECTION_FIELDS: [&str; 3] = ["url", "command", "project"];
const STACK_FIELDS: [&str; 4] = ["components", "zenml", "protected", "require_check"];

/// Reads all entries of `document`; `source` is its text, for the lines of problems.
pub(super) fn read(document: &Table, source: &str) -> Content {
    let mut content = Content::default();
    let mut notes = Notes { source, problems: Vec::new() };
    notes.unknown("", document, &TOP);
    for (section, name, table) in entries(document, SECRET, &mut notes) {
        let mut entry = Entry::new(section, name, table, &mut notes);
        content.secrets.extend(entry.secret());
    }
    for (section, name, table) in entries(document, STORE, &mut notes) {
        let mut entry = Entry::new(section, name, table, &mut notes);
        match entry.store() {
            Ok(store) => content.stores.push(store),
            Err(draft) => content.broken.extend(draft.map(|draft| *draft)),
        }
    }
    for (section, name, table) in entries(document, COMPONENT, &mut notes) {
        let mut entry = Entry::new(section, name, table, &mut notes);
        content.components.extend(entry.component());
    }
    for (section, name, table) in entries(document, STACK, &mut notes) {
        let mut entry = Entry::new(section, name, table, &mut notes);
        content.stacks.extend(entry.stack());
    }
    for (section, name, table) in entries(document, CONNECTION, &mut notes) {
        let mut entry = Entry::new(section, name, table, &mut notes);
        content.connections.extend(entry.connection());
    }
    content.problems = notes.problems;
    content
}

fn entries<'a>(
    document: &'a Table,
    section: &'static str,
    notes: &mut Notes<'_>,
) -> Vec<(&'static str, &'a str, &'a dyn TableLike)> {
    let Some(item) = document.get(section) else { return Vec::new() };
    let Some(table) = item.as_table_like() else {
        notes.error(section, "", format!("write [{section}.NAME]"), Some(item));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, item) in table.iter() {
        if let Some(entry) = item.as_table_like() {
            found.push((section, name, entry));
        } else {
            let entry = format!("{section}.{}", visible(name));
            notes.error(&entry, "", format!("write [{section}.NAME]"), Some(item));
        }
    }
    found
}

/// Problems as they are found.
struct Notes<'a> {
    source: &'a str,
    problems: Vec<Problem>,
}

impl Notes<'_> {
    fn error(&mut self, entry: &str, field: &str, message: String, at: Option<&Item>) {
        self.push(Severity::Error, entry, field, message, at.and_then(Item::span));
    }

    fn push(
        &mut self,
        severity: Severity,
        entry: &str,
        field: &str,
        message: String,
        span: Option<std::ops::Range<usize>>,
    ) {
        let before = span.and_then(|span| self.source.get(..span.start));
        let line = before.map(|before| before.bytes().filter(|byte| *byte == b'\n').count() + 1);
        let field = visible(field).into_string();
        self.problems.push(Problem { severity, entry: entry.to_owned(), field, message, line });
    }

    /// Warns of keys that mean nothing; they stay in the file.
    fn unknown(&mut self, entry: &str, table: &dyn TableLike, known: &[&str]) {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let message = match nearest(&underscored(key), known) {
                Some(near) => format!("unknown key, kept and not used: did you mean {near}?"),
                None => format!("unknown key, kept and not used: known are {}", known.join(", ")),
            };
            let span = table.key(key).and_then(toml_edit::Key::span);
            self.push(Severity::Warning, entry, key, message, span);
        }
    }
}

/// One table under reading.
struct Entry<'a, 'n, 's> {
    name: &'a str,
    /// `artifact_store.alibaba_store`.
    path: String,
    table: &'a dyn TableLike,
    notes: &'n mut Notes<'s>,
    /// Problems of earlier entries.
    before: usize,
}

impl<'a, 'n, 's> Entry<'a, 'n, 's> {
    fn new(
        section: &'static str,
        name: &'a str,
        table: &'a dyn TableLike,
        notes: &'n mut Notes<'s>,
    ) -> Self {
        let before = notes.problems.len();
        Self { name, path: format!("{section}.{}", visible(name)), table, notes, before }
    }

    fn secret(&mut self) -> Option<SourcedSecret> {
        self.notes.unknown(&self.path, self.table, &SECRET_FIELDS);
        let draft = SourceDraft {
            name: self.name.to_owned(),
            source: self.text("source"),
            profile: self.text("profile"),
            command: self.words("command"),
            connection: self.text("connection"),
        };
        let validated = draft.validate();
        self.valid(validated, |field| field).flatten()
    }

    /// The store; else what the entry says, where all of it could be read.
    fn store(&mut self) -> Result<ArtifactStore, Option<Box<StoreDraft>>> {
        self.notes.unknown(&self.path, self.table, &STORE_FIELDS);
        let (bucket, prefix) = self.bucket_and_prefix();
        let draft = StoreDraft {
            name: self.name.to_owned(),
            bucket,
            prefix,
            secret: self.text("secret"),
            region: self.text("region"),
            endpoint: self.endpoint("endpoint"),
            access: self.endpoint("access"),
            signature: self.signature(),
            residency: self.residency(),
            extras: Extras {
                client_kwargs: self.map("client_kwargs"),
                config_kwargs: self.map("config_kwargs"),
                s3_additional_kwargs: self.map("s3_additional_kwargs"),
            },
        };
        let readable = !self.failed();
        let validated = draft.validate();
        let store = self.valid(validated, |field| match field {
            "bucket" | "prefix" => "path",
            other => other,
        });
        store.ok_or_else(|| readable.then(|| Box::new(draft)))
    }

    fn component(&mut self) -> Option<Component> {
        self.notes.unknown(&self.path, self.table, &COMPONENT_FIELDS);
        let mut problems = Vec::new();
        let name = crate::model::field::note(&mut problems, "name", Name::parse(self.name));
        let word = self.text("type");
        let kind = ComponentType::parse(&word);
        if kind.is_none_or(|kind| kind == ComponentType::ArtifactStore) {
            let message = if kind.is_some() {
                "an artifact store has its own table: [artifact_store.NAME]".to_owned()
            } else {
                write_one()
            };
            problems.push(FieldError::new("type", message));
        }
        let flavor = self.text("flavor").trim().to_owned();
        if flavor.is_empty() {
            let message = "a flavor is needed, for example kubernetes";
            problems.push(FieldError::new("flavor", message));
        }
        let configuration = self.map("configuration");
        let component = match (name, kind) {
            (Some(name), Some(kind)) if problems.is_empty() => {
                Ok(Component { name, kind, flavor, configuration })
            }
            _ => Err(problems),
        };
        let component = self.valid(component, |field| field)?;
        if let Some(doubt) = component.kind.doubt() {
            let span = self.table.get("type").and_then(Item::span);
            self.notes.push(Severity::Warning, &self.path, "type", doubt, span);
        }
        // the flavor may be of another ZenML than the table's: nothing is left out for it
        for problem in component.problems(Flavors::table()) {
            let field = format!("configuration.{}", problem.setting);
            let message = format!("{} (by ZenML {})", problem.message, flavor::zenml());
            let span = self.table.get("configuration").and_then(Item::span);
            self.notes.push(Severity::Warning, &self.path, &field, message, span);
        }
        Some(component)
    }

    fn stack(&mut self) -> Option<Stack> {
        self.notes.unknown(&self.path, self.table, &STACK_FIELDS);
        let draft = StackDraft {
            name: self.name.to_owned(),
            components: self.stack_components(),
            zenml: self.text("zenml"),
            protected: self.flag("protected"),
            require_check: self.flag("require_check"),
        };
        let validated = draft.validate();
        self.valid(validated, |field| field)
    }

    fn connection(&mut self) -> Option<Connection> {
        self.notes.unknown(&self.path, self.table, &CONNECTION_FIELDS);
        let draft = ConnectionDraft {
            name: self.name.to_owned(),
            url: self.text("url"),
            command: self.text("command"),
            project: self.text("project"),
        };
        let validated = draft.validate();
        self.valid(validated, |field| field)
    }

    /// Whether something of this entry was wrong so far.
    fn failed(&self) -> bool {
        let mut own = self.notes.problems.iter().skip(self.before);
        own.any(|problem| problem.severity == Severity::Error)
    }

    /// The value, unless something was wrong; notes what the draft found.
    fn valid<T>(
        &mut self,
        validated: Result<T, Vec<FieldError>>,
        key: impl Fn(&'static str) -> &'static str,
    ) -> Option<T> {
        // what a broken value already said is not said again as missing
        let broken = self.failed();
        match validated {
            Ok(value) => (!broken).then_some(value),
            Err(problems) => {
                for FieldError { field, message } in problems {
                    let field = key(field);
                    let said = self.notes.problems.iter().skip(self.before).any(|problem| {
                        problem.severity == Severity::Error && problem.field == field
                    });
                    if !said {
                        self.error(field, message);
                    }
                }
                None
            }
        }
    }

    fn error(&mut self, field: &str, message: impl Into<String>) {
        let at = self.table.get(field);
        self.notes.error(&self.path, field, message.into(), at);
    }

    fn text(&mut self, field: &str) -> String {
        match self.table.get(field).map(|item| item.as_str().map(plain)) {
            None => String::new(),
            Some(Some(Ok(text))) => text.to_owned(),
            Some(Some(Err(problem))) => {
                self.error(field, problem);
                String::new()
            }
            Some(None) => {
                self.error(field, "write it as text, in quotes");
                String::new()
            }
        }
    }

    /// A list of texts.
    fn words(&mut self, field: &str) -> Vec<String> {
        let Some(item) = self.table.get(field) else { return Vec::new() };
        to_json(item).ok().and_then(texts).unwrap_or_else(|| {
            self.error(field, "write a list of texts: [\"program\", \"argument\"]");
            Vec::new()
        })
    }

    fn flag(&mut self, field: &str) -> bool {
        match self.table.get(field).map(Item::as_bool) {
            None => false,
            Some(Some(flag)) => flag,
            Some(None) => {
                self.error(field, "write true or false");
                false
            }
        }
    }

    fn map(&mut self, field: &str) -> Map<String, Json> {
        let Some(item) = self.table.get(field) else { return Map::new() };
        let map = match item.as_table_like() {
            Some(table) => to_map(table),
            None => Err("write a table: { name = \"value\" }".to_owned()),
        };
        map.unwrap_or_else(|problem| {
            self.error(field, problem);
            Map::new()
        })
    }

    fn bucket_and_prefix(&mut self) -> (String, String) {
        let path = self.text("path");
        let Some(rest) = path.trim().strip_prefix("s3://") else {
            self.error("path", "write s3://BUCKET or s3://BUCKET/PREFIX");
            return (String::new(), String::new());
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        (bucket.to_owned(), prefix.to_owned())
    }

    /// As the draft takes it: the text, or `domain:…` for `{ custom_domain = "…" }`.
    fn endpoint(&mut self, field: &'static str) -> String {
        let Some(table) = self.table.get(field).and_then(Item::as_table_like) else {
            return self.text(field);
        };
        let domain = table.get("custom_domain").and_then(Item::as_str);
        match domain {
            Some(domain) if table.len() == 1 => format!("domain:{domain}"),
            _ => {
                self.error(
                    field,
                    "write { custom_domain = \"oss.example.com\" }, or a kind in quotes",
                );
                String::new()
            }
        }
    }

    fn signature(&mut self) -> Signature {
        let word = self.text("signature");
        let found = [Signature::V2, Signature::V4].into_iter().find(|s| s.as_str() == word);
        if found.is_none() && !word.is_empty() {
            self.error("signature", "write \"v2\" or \"v4\"");
        }
        found.unwrap_or_default()
    }

    /// As the draft takes it: `["EU", "UK"]` with commas between, or one text.
    fn residency(&mut self) -> String {
        let Some(item) = self.table.get("residency") else { return String::new() };
        let areas = match to_json(item) {
            Ok(Json::String(area)) => Some(vec![area]),
            Ok(list) => texts(list),
            _ => None,
        };
        if let Some(areas) = areas {
            return areas.join(", ");
        }
        self.error("residency", "write a list of texts: [\"EU\"]");
        String::new()
    }

    fn stack_components(&mut self) -> BTreeMap<ComponentType, Vec<String>> {
        let mut components = BTreeMap::new();
        let Some(item) = self.table.get("components") else { return components };
        let Some(table) = item.as_table_like() else {
            self.error(
                "components",
                "write { artifact_store = [\"…\"], orchestrator = [\"default\"] }",
            );
            return components;
        };
        for (word, item) in table.iter() {
            let field = format!("components.{word}");
            let Some(kind) = ComponentType::parse(word) else {
                let message = format!("no component type: {}", write_one());
                self.notes.error(&self.path, &field, message, Some(item));
                continue;
            };
            if let Some(doubt) = kind.doubt() {
                self.notes.push(Severity::Warning, &self.path, &field, doubt, item.span());
            }
            let names = match to_json(item) {
                Ok(Json::String(name)) => Some(vec![name]),
                Ok(list) => texts(list),
                _ => None,
            };
            if let Some(names) = names {
                components.entry(kind).or_insert_with(Vec::new).extend(names);
            } else {
                let message = "write a list of names: [\"default\"]".to_owned();
                self.notes.error(&self.path, &field, message, Some(item));
            }
        }
        components
    }
}

/// A list in which all are texts.
fn texts(list: Json) -> Option<Vec<String>> {
    let Json::Array(all) = list else { return None };
    let text = |one| if let Json::String(text) = one { Some(text) } else { None };
    all.into_iter().map(text).collect()
}

/// What a word that cannot be a type at all should be.
fn write_one() -> String {
    let all = ComponentType::ALL.into_iter().skip(1).map(ComponentType::as_str);
    format!("write one of {}", all.collect::<Vec<_>>().join(", "))
}

/// `artifact-stores` is meant as `artifact_stores`.
fn underscored(word: &str) -> String {
    word.replace('-', "_")
}
