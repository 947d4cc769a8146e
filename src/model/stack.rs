//! Stacks.

use std::collections::BTreeMap;

use super::component::ComponentType;
use super::field::{FieldError, note};
use super::name::Name;

/// A stack: names of components by type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its name.
    pub name: Name,
    /// At least an artifact store and an orchestrator.
    pub components: BTreeMap<ComponentType, Vec<Name>>,
    /// The ZenML connection it belongs to.
    pub zenml: Option<String>,
    /// Whether changes ask for the typed name.
    pub protected: bool,
    /// Whether ZenML hears of it only after a check of its store has passed.
    pub require_check: bool,
}

impl Stack {
    /// The artifact store's name.
    pub fn artifact_store(&self) -> Option<&Name> {
        self.components.get(&ComponentType::ArtifactStore).and_then(|names| names.first())
    }

    /// Whether the stack names `name` as its `kind`.
    pub fn uses(&self, kind: ComponentType, name: &str) -> bool {
        self.components
            .get(&kind)
            .is_some_and(|names| names.iter().any(|used| used.as_str() == name))
    }
}

/// What a form, a file or a command line holds of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackDraft {
    /// Stack name.
    pub name: String,
    /// Component names as typed, by type.
    pub components: BTreeMap<ComponentType, Vec<String>>,
    /// The ZenML connection, empty where any will do.
    pub zenml: String,
    /// Whether changes ask for the typed name.
    pub protected: bool,
    /// Whether ZenML hears of it only after a check of its store has passed.
    pub require_check: bool,
}

impl StackDraft {
    /// The stack, or everything that is wrong.
    pub fn validate(&self) -> Result<Stack, Vec<FieldError>> {
        let mut problems = Vec::new();
        let name = note(&mut problems, "name", Name::parse(&self.name));
        let mut components = BTreeMap::new();
        let others = self.components.keys().copied().filter(|kind| !kind.is_built_in());
        for kind in ComponentType::ALL.into_iter().chain(others) {
            let given = self.components.get(&kind).into_iter().flatten();
            let given: Vec<&String> = given.filter(|name| !name.trim().is_empty()).collect();
            if given.is_empty() {
                if kind.is_mandatory() {
                    let message = format!("every stack needs an {}", kind.label());
                    problems.push(FieldError::new(kind.as_str(), message));
                }
                continue;
            }
            if given.len() > 1 && !kind.allows_many() {
                let message = format!("a stack holds one {}: choose one", kind.label());
                problems.push(FieldError::new(kind.as_str(), message));
            }
            let names = given
                .into_iter()
                .filter_map(|name| note(&mut problems, kind.as_str(), Name::parse(name)));
            let names: Vec<Name> = names.collect();
            components.insert(kind, names);
        }
        match name {
            Some(name) if problems.is_empty() => Ok(Stack {
                name,
                components,
                zenml: Some(self.zenml.trim().to_owned()).filter(|zenml| !zenml.is_empty()),
                protected: self.protected,
                require_check: self.require_check,
            }),
            _ => Err(problems),
        }
    }
}

impl From<&Stack> for StackDraft {
    fn from(stack: &Stack) -> Self {
        let names = |names: &Vec<Name>| names.iter().map(ToString::to_string).collect();
        Self {
            name: stack.name.to_string(),
            components: stack.components.iter().map(|(kind, all)| (*kind, names(all))).collect(),
            zenml: stack.zenml.clone().unwrap_or_default(),
            protected: stack.protected,
            require_check: stack.require_check,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mandatory_and_single() {
        let mut draft = StackDraft { name: "custom_stack".into(), ..StackDraft::default() };
        let fields = |draft: &StackDraft| -> Vec<_> {
            draft.validate().unwrap_err().iter().map(|p| p.field).collect()
        };
        assert_eq!(fields(&draft), ["artifact_store", "orchestrator"]);
        draft.components.insert(ComponentType::ArtifactStore, vec!["a".into(), "b".into()]);
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        assert_eq!(fields(&draft), ["artifact_store"]);
        draft.components.insert(ComponentType::ArtifactStore, vec!["alibaba_store".into()]);
        draft.components.insert(ComponentType::Alerter, vec!["a".into(), "b".into()]);
        let stack = draft.validate().unwrap();
        assert_eq!(stack.artifact_store().map(Name::as_str), Some("alibaba_store"));
        assert_eq!(StackDraft::from(&stack), draft);
    }
}
