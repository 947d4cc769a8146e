//! ZenML's stack components other than the artifact store.

use std::fmt;

use serde_json::{Map, Value};

use super::field::{FieldError, note};
use super::flavor::{self, Field, Flavor, Schema, SettingError};
use super::name::Name;
use crate::base::visible::visible;

/// The types ZenML 0.98 has (`enums.py`, `GET /component-types`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are ZenML's own and say it all")]
pub enum ComponentType {
    ArtifactStore,
    Orchestrator,
    ContainerRegistry,
    ImageBuilder,
    StepOperator,
    ExperimentTracker,
    ModelDeployer,
    ModelRegistry,
    Deployer,
    DataValidator,
    FeatureStore,
    Annotator,
    Alerter,
    LogStore,
    Sandbox,
}

impl ComponentType {
    /// Every type, mandatory ones first.
    pub const ALL: [Self; 15] = [
        Self::ArtifactStore,
        Self::Orchestrator,
        Self::ContainerRegistry,
        Self::ImageBuilder,
        Self::StepOperator,
        Self::ExperimentTracker,
        Self::ModelDeployer,
        Self::ModelRegistry,
        Self::Deployer,
        Self::DataValidator,
        Self::FeatureStore,
        Self::Annotator,
        Self::Alerter,
        Self::LogStore,
        Self::Sandbox,
    ];

    /// ZenML's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ArtifactStore => "artifact_store",
            Self::Orchestrator => "orchestrator",
            Self::ContainerRegistry => "container_registry",
            Self::ImageBuilder => "image_builder",
            Self::StepOperator => "step_operator",
            Self::ExperimentTracker => "experiment_tracker",
            Self::ModelDeployer => "model_deployer",
            Self::ModelRegistry => "model_registry",
            Self::Deployer => "deployer",
            Self::DataValidator => "data_validator",
            Self::FeatureStore => "feature_store",
            Self::Annotator => "annotator",
            Self::Alerter => "alerter",
            Self::LogStore => "log_store",
            Self::Sandbox => "sandbox",
        }
    }

    /// With its article: `an image builder`.
    pub fn one(self) -> String {
        let label = self.label();
        let article = if label.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        format!("{article} {label}")
    }

    /// As people write it: `artifact store`.
    pub fn label(self) -> String {
        self.as_str().replace('_', " ")
    }

    /// The type `word` names; `-` passes for `_`.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether every stack needs one (else ZenML answers 422).
    pub fn is_mandatory(self) -> bool {
        matches!(self, Self::ArtifactStore | Self::Orchestrator)
    }

    /// Whether a stack may hold several (ZenML since 0.96).
    pub fn allows_many(self) -> bool {
        matches!(self, Self::Alerter | Self::ExperimentTracker | Self::StepOperator | Self::Sandbox)
    }

    /// The option of `zenml stack register`.
    pub fn option(self) -> &'static str {
        match self {
            Self::ArtifactStore => "-a",
            Self::Orchestrator => "-o",
            Self::ContainerRegistry => "-c",
            Self::ModelRegistry => "-r",
            Self::StepOperator => "-s",
            Self::FeatureStore => "-f",
            Self::ModelDeployer => "-d",
            Self::ExperimentTracker => "-e",
            Self::Alerter => "-al",
            Self::Annotator => "-an",
            Self::DataValidator => "-dv",
            Self::ImageBuilder => "-i",
            Self::Deployer => "-D",
            Self::LogStore => "-l",
            Self::Sandbox => "-sb",
        }
    }
}

impl fmt::Display for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

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
    /// The row of the table; nothing for a flavor of somebody's own.
    pub fn known_flavor(&self) -> Option<&'static Flavor> {
        flavor::find(self.kind, &self.flavor)
    }

    /// What is wrong with its settings, as far as the table knows its flavor.
    pub fn problems(&self) -> Vec<SettingError> {
        let known = self.known_flavor();
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

    /// Gives a setting the value that `text` means; an empty one takes the setting out. Of a
    /// flavor that the table does not know the value is JSON, where it can be read as such.
    pub fn set(&mut self, setting: &str, text: &str) -> Result<(), SettingError> {
        let known = flavor::find(self.kind, self.flavor.trim());
        self.set_as(known.map(|known| &known.schema), setting, text)
    }

    /// The same by the settings that its flavor has, where they are known.
    pub fn set_as(
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

    /// The component, or everything that is wrong.
    pub fn validate(&self) -> Result<Component, ComponentProblems> {
        let mut fields = Vec::new();
        let name = note(&mut fields, "name", Name::parse(&self.name));
        if self.kind == ComponentType::ArtifactStore {
            let message = "an artifact store has its own form, and its own table in stacks.toml: \
                           [artifact_store.NAME]";
            fields.push(FieldError::new("type", message));
        }
        let flavor = self.flavor.trim().to_owned();
        if flavor.is_empty() {
            let names: Vec<&str> = flavor::of(self.kind).map(|it| it.name.as_str()).collect();
            let message = format!("a flavor is needed: {}, or your own", names.join(", "));
            fields.push(FieldError::new("flavor", message));
        }
        let known = flavor::find(self.kind, &flavor);
        let settings = known.map(|known| known.schema.problems(&self.configuration));
        let settings = settings.unwrap_or_default();
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
        let problems = draft.validate().unwrap_err();
        let fields: Vec<_> = problems.fields.iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["name", "flavor"]);
        draft.name = "acr".into();
        draft.flavor = "default".into();
        assert_eq!(draft.validate().unwrap_err().to_string(), "uri: it is needed");
        assert!(draft.set("url", "x").unwrap_err().message.contains("did you mean uri?"));
        draft.set("uri", "registry.cn-hangzhou.aliyuncs.com/zenml").unwrap();
        let component = draft.validate().unwrap();
        assert_eq!(ComponentDraft::from(&component), draft);
        draft.set("uri", " ").unwrap();
        assert!(draft.validate().is_err());

        let mut own = ComponentDraft::new(ComponentType::Alerter);
        own.flavor = "pager".into();
        own.name = "pager".into();
        own.set("retries", "3").unwrap();
        own.set("room", "ops").unwrap();
        let own = own.validate().unwrap();
        assert_eq!(own.configuration["retries"], 3);
        assert_eq!(own.configuration["room"], "ops");
        let store = ComponentDraft { kind: ComponentType::ArtifactStore, ..draft };
        assert!(store.validate().unwrap_err().to_string().contains("[artifact_store.NAME]"));
    }

    #[test]
    fn words_round_trip() {
        for kind in ComponentType::ALL {
            assert_eq!(ComponentType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ComponentType::parse("Step-Operator"), Some(ComponentType::StepOperator));
        assert_eq!(ComponentType::parse("registry"), None);
    }
}
