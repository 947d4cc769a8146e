//! What `ZenML` has by the hundred, whichever way it is asked.

use serde_json::Value;

/// Things of one kind, which are listed page by page and filtered by whoever has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    /// Runs of pipelines.
    Runs,
    /// Runs of steps.
    Steps,
    /// Versions of artifacts.
    ArtifactVersions,
    /// Which artifact versions a model version holds.
    ModelVersionArtifacts,
    /// Projects.
    Projects,
}

impl Collection {
    /// Its name in the REST API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Steps => "steps",
            Self::ArtifactVersions => "artifact_versions",
            Self::ModelVersionArtifacts => "model_version_artifacts",
            Self::Projects => "projects",
        }
    }

    /// Below `/api/v1`.
    pub(in crate::zenml) fn path(self) -> String {
        format!("/{}", self.as_str())
    }

    /// One of it, below `/api/v1`.
    pub(in crate::zenml) fn path_of(self, id: &str) -> String {
        format!("/{}/{id}", self.as_str())
    }
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What is on it.
    pub items: Vec<Value>,
    /// How many there are in all.
    pub total: u64,
    /// How many pages there are of this size.
    pub total_pages: u32,
}

impl Page {
    /// Takes it out of an answer; nothing where that is no list.
    pub(in crate::zenml) fn take(mut body: Value) -> Option<Self> {
        let number = |name: &str| body.get(name).and_then(Value::as_u64).unwrap_or(0);
        let (total, last) = (number("total"), number("total_pages"));
        let Value::Array(items) = body.get_mut("items")?.take() else { return None };
        Some(Self { items, total, total_pages: u32::try_from(last).unwrap_or(u32::MAX) })
    }

    /// Whether none comes after it, as the page `number`.
    pub fn is_last(&self, number: u32) -> bool {
        self.items.is_empty() || number >= self.total_pages
    }
}
