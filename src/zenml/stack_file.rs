//! A stack in the YAML of `zenml stack export`, which `zenml stack import` reads.
//!
//! ZenML 0.98 writes a list of components for each type (`StackResponse.to_yaml`), older ones one
//! mapping; both are read. What is written is ZenML 0.98's shape, names in the order of the
//! alphabet as ZenML itself has them. Such a file holds no value of a secret.

mod write;

use serde_json::{Map, Value, json};

use super::lint::yaml::{self, YamlError};
use super::plan::settings;
use crate::base::visible::visible;
use crate::model::component::{Component, ComponentType};
use crate::model::endpoint::EndpointError;
use crate::model::flavor;
use crate::model::requirement::Described;
use crate::model::stack::Stack;

/// The longest text that is read, in bytes; an exported stack has some thousands.
pub const MOST_BYTES: usize = 1 << 20;
/// More components than a stack holds.
const MOST_COMPONENTS: usize = 200;

/// A stack as a file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackFile {
    /// Its name.
    pub name: Option<String>,
    /// The ZenML that wrote it.
    pub zenml: Option<String>,
    /// Its components, in the file's order.
    pub components: Vec<Entry>,
}

/// One component of the file.
#[derive(Clone, PartialEq)]
pub struct Entry {
    /// ZenML's word for the type; one that this osstack does not know stays a text.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its flavor.
    pub flavor: String,
    /// What the flavor is told. It may hold keys.
    pub configuration: Map<String, Value>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("flavor", &self.flavor)
            .field("settings", &self.configuration.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// Why a text is no stack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Over [`MOST_BYTES`].
    #[error("the file has more than {MOST_BYTES} bytes, far more than a stack takes")]
    Long,
    /// No YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// YAML without `components`.
    #[error("there is no stack in it: it has no components")]
    NoStack,
    /// More than any stack.
    #[error("it has more than {MOST_COMPONENTS} components")]
    Many,
    /// A component that cannot be told.
    #[error("the {kind} in it lacks {lacks}")]
    Entry {
        /// The type, showable.
        kind: String,
        /// What it lacks.
        lacks: &'static str,
    },
}

/// Why a stack cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// The endpoint of its store cannot be told.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// ZenML has it, the catalog does not.
    #[error(
        "the catalog does not describe the {kind} {name}: ZenML has it and exports it \
         (zenml stack export)"
    )]
    Unknown {
        /// Its type.
        kind: String,
        /// Its name.
        name: String,
    },
    /// A setting that is a key itself.
    #[error(
        "the {kind} {name} holds a key in {setting}, which does not leave the catalog: write \
         {{{{SECRET.KEY}}}} in its place"
    )]
    Key {
        /// Type of the component.
        kind: String,
        /// Its name.
        name: String,
        /// The setting.
        setting: String,
    },
}

/// The YAML of `stack` for the ZenML of version `zenml`.
pub fn export(stack: &Stack, described: Described<'_>, zenml: &str) -> Result<String, Unwritable> {
    let mut components = Map::new();
    for (kind, names) in &stack.components {
        let entries = names.iter().map(|name| entry(*kind, name.as_str(), described));
        let entries = entries.collect::<Result<Vec<Value>, _>>()?;
        components.insert(kind.as_str().to_owned(), Value::Array(entries));
    }
    let file = json!({
        "stack_name": stack.name.as_str(),
        "zenml_version": zenml,
        "components": components,
    });
    Ok(write::yaml(&file))
}

fn entry(kind: ComponentType, name: &str, described: Described<'_>) -> Result<Value, Unwritable> {
    let of = |flavor: &str, configuration: Map<String, Value>| {
        json!({
            "name": name,
            "type": kind.as_str(),
            "flavor": flavor,
            "configuration": configuration,
        })
    };
    if kind == ComponentType::ArtifactStore
        && let Some(store) = described.stores.iter().find(|store| store.name.as_str() == name)
    {
        return Ok(of("s3", settings(store)?));
    }
    let mine = |it: &&Component| it.kind == kind && it.name.as_str() == name;
    if let Some(component) = described.components.iter().find(mine) {
        let mut configuration = component.configuration.clone();
        let keys = component
            .known_flavor(described.flavors)
            .map(|it| it.schema.without_keys(&mut configuration));
        return match keys.unwrap_or_default().pop() {
            None => Ok(of(&component.flavor, configuration)),
            Some(setting) => {
                Err(Unwritable::Key { kind: kind.label(), name: name.to_owned(), setting })
            }
        };
    }
    match flavor::default_of(kind).filter(|_| name == "default") {
        Some(flavor) => Ok(of(&flavor.name, Map::new())),
        None => Err(Unwritable::Unknown { kind: kind.label(), name: name.to_owned() }),
    }
}

/// The stack in `text`.
pub fn read(text: &str) -> Result<StackFile, Unreadable> {
    if text.len() > MOST_BYTES {
        return Err(Unreadable::Long);
    }
    let value = yaml::parse(text.trim_start_matches('\u{feff}'))?;
    let Some(Value::Object(mut file)) = value else { return Err(Unreadable::NoStack) };
    let Some(Value::Object(types)) = file.shift_remove("components") else {
        return Err(Unreadable::NoStack);
    };
    let mut components = Vec::new();
    for (kind, given) in types {
        let given = match given {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in given {
            if components.len() >= MOST_COMPONENTS {
                return Err(Unreadable::Many);
            }
            components.push(component(&kind, item)?);
        }
    }
    if components.is_empty() {
        return Err(Unreadable::NoStack);
    }
    let text = |name: &str| file.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(StackFile { name: text("stack_name"), zenml: text("zenml_version"), components })
}

fn component(kind: &str, item: Value) -> Result<Entry, Unreadable> {
    let lacks = |lacks| Unreadable::Entry { kind: visible(kind).into_string(), lacks };
    let Value::Object(mut item) = item else { return Err(lacks("its name and its flavor")) };
    // a name of digits alone comes as a number
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let name = text(item.get("name")).ok_or_else(|| lacks("its name"))?;
    let flavor = text(item.get("flavor")).ok_or_else(|| lacks("its flavor"))?;
    let configuration = match item.shift_remove("configuration") {
        Some(Value::Object(map)) => map,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(lacks("a configuration of names and values")),
    };
    Ok(Entry { kind: kind.to_owned(), name, flavor, configuration })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flavor::Flavors;
    use crate::model::stack::StackDraft;
    use crate::model::store::ArtifactStore;
    use crate::zenml::lint::adopt;

    const CAPTURE: &str = include_str!("../../tests/data/zenml/stack-export.yaml");

    fn store_of(entry: &Entry) -> ArtifactStore {
        let adopted = adopt(&entry.name, &entry.configuration).unwrap();
        adopted.draft.validate().unwrap()
    }

    #[test]
    fn what_zenml_exported_is_written_again_byte_by_byte() {
        let file = read(CAPTURE).unwrap();
        assert_eq!(file.name.as_deref(), Some("custom_stack"));
        assert_eq!(file.zenml.as_deref(), Some("0.98.0"));
        let [store, orchestrator] = file.components.as_slice() else { panic!() };
        assert_eq!(
            (orchestrator.kind.as_str(), orchestrator.flavor.as_str()),
            ("orchestrator", "local")
        );
        let stores = [store_of(store)];
        assert_eq!(stores[0].region.as_ref().unwrap().as_str(), "cn-hangzhou");
        let name = "custom_stack".to_owned();
        let mut draft = StackDraft { name, ..StackDraft::default() };
        draft.components.insert(ComponentType::ArtifactStore, vec![store.name.clone()]);
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        let described = Described { components: &[], stores: &stores, flavors: Flavors::table() };
        let stack = draft.validate().unwrap();
        assert_eq!(export(&stack, described, "0.98.0").unwrap(), CAPTURE);
        let unknown = Described { components: &[], stores: &[], flavors: Flavors::table() };
        assert!(matches!(export(&stack, unknown, "0.98.0"), Err(Unwritable::Unknown { .. })));
    }

    #[test]
    fn older_files_have_one_mapping_a_type() {
        let older = "stack_name: s\nzenml_version: 0.75.0\ncomponents:\n  orchestrator:\n    name: \
                     123\n    flavor: local\n    type: orchestrator\n";
        let file = read(older).unwrap();
        assert_eq!((file.components.len(), file.components[0].name.as_str()), (1, "123"));
    }

    #[test]
    fn hostile_files_end_in_a_sentence() {
        assert_eq!(read(&"x".repeat(MOST_BYTES + 1)), Err(Unreadable::Long));
        for text in ["", "a: 1", "components: 3", "components: {}", "- 1", "components:\n  x: []"] {
            assert_eq!(read(text), Err(Unreadable::NoStack), "{text}");
        }
        for text in
            ["components: {x: 1}", "components: {x: {name: a}}", "components: {x: {flavor: a}}"]
        {
            assert!(matches!(read(text), Err(Unreadable::Entry { .. })), "{text}");
        }
        let bomb = "a: &a [1]\ncomponents: {x: *a}\n";
        assert!(matches!(read(bomb), Err(Unreadable::Yaml(_))));
        let one = "{name: a, flavor: b},".repeat(MOST_COMPONENTS + 1);
        assert_eq!(read(&format!("components: {{x: [{one}]}}")), Err(Unreadable::Many));
        let key = read(
            "components: {alerter: {name: a, flavor: slack, configuration: {slack_token: canary}}}",
        );
        assert!(!format!("{key:?}").contains("canary"));
    }
}
