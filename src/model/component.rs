//! ZenML's stack components other than the artifact store.

use std::fmt;

use serde_json::{Map, Value};

use super::field::{FieldError, note};
use super::flavor::{Field, Flavor, Flavors, Schema, SettingError};
use super::name::Name;
use crate::base::visible::visible;

pub use super::component_type::ComponentType;

/// A component that the catalog describes; others are known by name alone and mean what ZenML has.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Its name, unique within its type.
    pub name: Name,
    /// Its type.
    pub kind: ComponentType,
    /// ZenML's flavor.
    pub flavor: String,
    /// What the flavor is told.
    pub configuration: Map<String, Value>,
}

impl Component {
    /// What is known of its flavor; nothing of one that somebody made and nobody told of.
    pub fn known_flavor<'a>(&self, flavors: &'a Flavors) -> Option<&'a Flavor> {
        flavors.find(self.kind, &self.flavor)
    }

    /// What is wrong with its settings, as far as its flavor is known.
    pub fn problems(&self, flavors: &Flavors) -> Vec<SettingError> {
        let known = self.known_flavor(flavors);
        known.map(|known| known.schema.problems(&self.configuration)).unwrap_or_default()
    }
}

/// What a form, a file or a command line holds of a component.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentDraft {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ComponentType,
    /// ZenML's flavor.
    pub flavor: String,
    /// What the flavor is told.
    pub configuration: Map<String, Value>,
}

/// What is wrong with a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentProblems {
    /// With its name, type or flavor.
    pub fields: Vec<FieldError>,
    /// With its settings.
    pub settings: Vec<SettingError>,
}

impl ComponentDraft {
    /// A component of `kind` that nothing is known of yet.
    pub fn new(kind: ComponentType) -> Self {
        Self { name: String::new(), kind, flavor: String::new(), configuration: Map::new() }
    }

    /// What is known of its flavor; nothing of one that somebody made and nobody told of.
    pub fn known_flavor<'a>(&self, flavors: &'a Flavors) -> Option<&'a Flavor> {
        flavors.find(self.kind, self.flavor.trim())
    }

    /// Gives a setting the value that `text` means by `schema`, the settings of its flavor; an
    /// empty one takes the setting out. Where they are not known the value is JSON, if it can be
    /// read as such.
    pub fn set(
        &mut self,
        schema: Option<&Schema>,
        setting: &str,
        text: &str,
    ) -> Result<(), SettingError> {
        let refuse = |message: String| SettingError {
            setting: setting.to_owned(),
            message,
            is_refused: true,
        };
        if text.trim().is_empty() {
            self.configuration.shift_remove(setting);
            return Ok(());
        }
        let value = match schema {
            Some(schema) => {
                let field = schema.field(setting);
                let field = field.ok_or_else(|| refuse(schema.unknown(setting)))?;
                field.parse(text).map_err(refuse)?
            }
            None => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        self.configuration.insert(setting.to_owned(), value);
        Ok(())
    }

    /// A setting as one types it; empty where it is not given.
    pub fn shown(&self, setting: &str) -> String {
        self.configuration.get(setting).map(Field::shown).unwrap_or_default()
    }

    /// The component, or everything that is wrong. What `former` has wrong in the same way stays
    /// as it is where only the table says so: a newer ZenML took it.
    pub fn validate(
        &self,
        flavors: &Flavors,
        former: Option<&Component>,
    ) -> Result<Component, ComponentProblems> {
        let mut fields = Vec::new();
        let name = note(&mut fields, "name", Name::parse(&self.name));
        if self.kind == ComponentType::ArtifactStore {
            let message = "an artifact store has its own form, and its own table in stacks.toml: \
                           [artifact_store.NAME]";
            fields.push(FieldError::new("type", message));
        }
        let flavor = self.flavor.trim().to_owned();
        if flavor.is_empty() {
            let names: Vec<&str> = flavors.of(self.kind).map(|it| it.name.as_str()).collect();
            let message = match names.as_slice() {
                [] => "a flavor is needed: one that your ZenML has".to_owned(),
                names => format!("a flavor is needed: {}, or your own", names.join(", ")),
            };
            fields.push(FieldError::new("flavor", message));
        }
        let known = self.known_flavor(flavors);
        let settings = known.map(|known| known.schema.problems(&self.configuration));
        let mut settings = settings.unwrap_or_default();
        if let Some(former) = former.filter(|_| known.is_some_and(|known| !known.is_told())) {
            let old = former.problems(flavors);
            let is_same =
                |name: &str| self.configuration.get(name) == former.configuration.get(name);
            settings.retain(|new| !new.is_refused || !old.contains(new) || !is_same(&new.setting));
        }
        match name {
            Some(name) if fields.is_empty() && settings.is_empty() => {
                let configuration = self.configuration.clone();
                Ok(Component { name, kind: self.kind, flavor, configuration })
            }
            _ => Err(ComponentProblems { fields, settings }),
        }
    }
}

impl From<&Component> for ComponentDraft {
    fn from(component: &Component) -> Self {
        Self {
            name: component.name.to_string(),
            kind: component.kind,
            flavor: component.flavor.clone(),
            configuration: component.configuration.clone(),
        }
    }
}

impl fmt::Display for ComponentProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.iter().map(ToString::to_string);
        let settings = self.settings.iter().map(ToString::to_string);
        f.write_str(&fields.chain(settings).collect::<Vec<_>>().join("; "))
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", visible(&self.setting), self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_becomes_a_component_by_its_flavor() {
        let mut draft = ComponentDraft::new(ComponentType::ContainerRegistry);
        let problems = draft.validate(Flavors::table(), None).unwrap_err();
        let fields: Vec<_> = problems.fields.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["name", "flavor"]);
        draft.name = "acr".into();
        draft.flavor = "default".into();
        assert_eq!(
            draft.validate(Flavors::table(), None).unwrap_err().to_string(),
            "uri: it is needed"
        );
        let registry = draft.known_flavor(Flavors::table()).map(|flavor| &flavor.schema);
        assert!(draft.set(registry, "url", "x").unwrap_err().message.contains("did you mean uri?"));
        draft.set(registry, "uri", "registry.cn-hangzhou.aliyuncs.com/zenml").unwrap();
        let component = draft.validate(Flavors::table(), None).unwrap();
        assert_eq!(ComponentDraft::from(&component), draft);
        draft.set(registry, "uri", " ").unwrap();
        assert!(draft.validate(Flavors::table(), None).is_err());

        let mut own = ComponentDraft::new(ComponentType::Alerter);
        own.flavor = "pager".into();
        own.name = "pager".into();
        own.set(None, "retries", "3").unwrap();
        own.set(None, "room", "ops").unwrap();
        let own = own.validate(Flavors::table(), None).unwrap();
        assert_eq!(own.configuration["retries"], 3);
        assert_eq!(own.configuration["room"], "ops");
        let store = ComponentDraft { kind: ComponentType::ArtifactStore, ..draft };
        assert!(
            store
                .validate(Flavors::table(), None)
                .unwrap_err()
                .to_string()
                .contains("[artifact_store.NAME]")
        );
    }
}
