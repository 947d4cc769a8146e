//! ZenML's stack components other than the artifact store.

use std::fmt;

use super::name::Name;

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
    pub configuration: serde_json::Map<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for kind in ComponentType::ALL {
            assert_eq!(ComponentType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ComponentType::parse("Step-Operator"), Some(ComponentType::StepOperator));
        assert_eq!(ComponentType::parse("registry"), None);
    }
}
