//! The types of ZenML's stack components.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::base::nearest::nearest;

/// The types ZenML 0.98 has (`enums.py`, `GET /component-types`), and whatever a server has beside
/// them: history added three to the first twelve, and others will follow.
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
    /// One that a server told of: its name, and no more is known of it.
    Other(Word),
}

/// The name of a type that ZenML 0.98 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(&'static str);

/// The longest name of a type.
const LONGEST: usize = 64;
/// How many names of types are kept at most. They are kept for ever, which makes a type a value
/// to copy; what answers on the network does not fill the memory by that.
const MOST: usize = 256;

static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl Word {
    /// `text` as the name of a type: `[a-z][a-z0-9_]*`.
    fn keep(text: String) -> Option<Self> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fits = text.len() <= LONGEST
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(is_word);
        if !fits {
            return None;
        }
        let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = words.get(text.as_str()) {
            return Some(Self(known));
        }
        if words.len() >= MOST {
            return None;
        }
        let kept: &'static str = text.leak();
        words.insert(kept);
        Some(Self(kept))
    }
}

impl ComponentType {
    /// The types of ZenML 0.98, mandatory ones first.
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
            Self::Other(Word(word)) => word,
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

    /// The type `word` names; `-` passes for `_`. Any word may be one: whether a ZenML has it, only
    /// that ZenML knows.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace('-', "_");
        let built_in = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        built_in.or_else(|| Word::keep(word).map(Self::Other))
    }

    /// Whether ZenML 0.98 has it.
    pub fn is_built_in(self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// What is to be said of a type that ZenML 0.98 does not have.
    pub fn doubt(self) -> Option<String> {
        let Self::Other(Word(word)) = self else { return None };
        let all = Self::ALL.map(Self::as_str);
        let meant = match nearest(word, &all) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("its types are {}", all.join(", ")),
        };
        Some(format!("ZenML 0.98 has no component type {word}, fine where yours has it: {meant}"))
    }

    /// Whether every stack needs one (else ZenML answers 422).
    pub fn is_mandatory(self) -> bool {
        matches!(self, Self::ArtifactStore | Self::Orchestrator)
    }

    /// Whether a stack may hold several (ZenML since 0.96).
    pub fn allows_many(self) -> bool {
        matches!(self, Self::Alerter | Self::ExperimentTracker | Self::StepOperator | Self::Sandbox)
    }

    /// The option of `zenml stack register`; of a type that ZenML 0.98 does not have it is not
    /// known.
    pub fn option(self) -> Option<&'static str> {
        Some(match self {
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
            Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
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
    }

    #[test]
    fn a_type_that_nobody_knows_yet_is_a_type() {
        let other = ComponentType::parse("Quantum-Solver").unwrap();
        assert_eq!((other.as_str(), other.is_built_in()), ("quantum_solver", false));
        assert_eq!(ComponentType::parse("quantum_solver"), Some(other));
        assert!(other > ComponentType::Sandbox, "after those of the table");
        assert_eq!(other.option(), None);
        let doubt = |word| ComponentType::parse(word).and_then(ComponentType::doubt);
        assert!(doubt("orchestartor").unwrap().contains("did you mean orchestrator?"));
        assert_eq!(doubt("orchestrator"), None);
        for bad in ["", " ", "a b", "7", "_a", "ä", "a\u{1b}", &"a".repeat(65)] {
            assert_eq!(ComponentType::parse(bad), None, "{bad}");
        }
    }
}
