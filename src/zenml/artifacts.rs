//! Runs, steps and artifact versions, as a server tells of them, and what lies on the store of them.
//!
//! [`read`] takes them out of a server's answers. [`below`] leads from an object's key to the
//! versions it belongs to, [`census`] says which objects belong to none and which versions have
//! none, [`prune`] what may go. All of it is pure: who asks and who deletes is elsewhere.
//!
//! Texts are as the server has them; whoever shows one makes it visible first.

pub mod below;
pub mod census;
pub mod lineage;
pub mod prune;
pub mod read;
pub mod tree;

use serde_json::{Map, Value};
use time::OffsetDateTime;

/// How a run or a step stands: `completed`, `failed`, `running`, … (`enums.py`, `ExecutionStatus`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status(pub String);

/// How a [`Status`] is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It ended well.
    Good,
    /// It goes on, or waits to.
    Open,
    /// It was stopped, or did not run.
    Stopped,
    /// It failed.
    Bad,
}

impl Status {
    /// The server's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How to take it; a word of a newer server counts as going on.
    pub fn standing(&self) -> Standing {
        match self.0.as_str() {
            "completed" | "cached" => Standing::Good,
            "failed" => Standing::Bad,
            "cancelled" | "cancelling" | "stopped" | "stopping" | "skipped" | "retried" => {
                Standing::Stopped
            }
            _ => Standing::Open,
        }
    }
}

/// Where a log lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// `client`, `orchestrator`, `step`, `prepare_step`, ….
    pub source: String,
    /// The object.
    pub uri: String,
}

/// One run of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// A UUID.
    pub id: String,
    /// Its name; with the time in it unless somebody chose another.
    pub name: String,
    /// The pipeline's name; a run may have none.
    pub pipeline: Option<String>,
    /// How it stands.
    pub status: Status,
    /// Why it stands so, where the server knows.
    pub reason: Option<String>,
    /// When the server heard of it.
    pub created: Option<OffsetDateTime>,
    /// When it began; known where it was read by itself.
    pub started: Option<OffsetDateTime>,
    /// When it ended.
    pub ended: Option<OffsetDateTime>,
    /// The stack's name.
    pub stack: Option<String>,
    /// Who started it.
    pub user: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its logs.
    pub logs: Vec<LogFile>,
}

/// One run of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// A UUID: part of its outputs' keys.
    pub id: String,
    /// The step's name.
    pub name: String,
    /// How it stands.
    pub status: Status,
    /// The run it belongs to; known where it was read whole.
    pub run: Option<String>,
    /// When it began.
    pub started: Option<OffsetDateTime>,
    /// When it ended.
    pub ended: Option<OffsetDateTime>,
    /// What it read, by input.
    pub inputs: Vec<(String, ArtifactVersion)>,
    /// What it wrote, by output; of a cached step the versions of the step it stands for.
    pub outputs: Vec<(String, ArtifactVersion)>,
    /// Its logs.
    pub logs: Vec<LogFile>,
}

/// One version of an artifact.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArtifactVersion {
    /// A UUID.
    pub id: String,
    /// The artifact's name.
    pub artifact: String,
    /// Its version: a number as text, or a name somebody chose.
    pub version: String,
    /// Where its data lies: a folder, or a file where it was registered by hand.
    pub uri: String,
    /// `DataArtifact`, `ModelArtifact`, ….
    pub kind: String,
    /// The class that wrote it.
    pub materializer: Option<String>,
    /// The class of what was written: `pandas.DataFrame`.
    pub data_type: Option<String>,
    /// How it came to be: `step_output`, `manual`, `preexisting`, `external`.
    pub save_type: String,
    /// Bytes, as ZenML counted them when it wrote it; known where it was read whole.
    pub size: Option<u64>,
    /// When it was written.
    pub created: Option<OffsetDateTime>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The step run that wrote it; none where that is gone, or it was saved by hand.
    pub step: Option<String>,
    /// The run of that step.
    pub run: Option<String>,
    /// The project's id.
    pub project: Option<String>,
    /// The artifact store, as ZenML numbers it.
    pub store: Option<String>,
    /// Pictures and tables ZenML made of it.
    pub visualizations: Vec<Visualization>,
    /// What ZenML and the step noted of it.
    pub metadata: Map<String, Value>,
}

/// A picture or a table of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visualization {
    /// `csv`, `html`, `image`, `markdown`, `json`.
    pub kind: String,
    /// The object.
    pub uri: String,
}

impl ArtifactVersion {
    /// `model:7`, as the command line takes it.
    pub fn label(&self) -> String {
        format!("{}:{}", self.artifact, self.version)
    }
}
