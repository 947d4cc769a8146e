//! The catalog: `stacks.toml`, the user's own description of stores, components and stacks.
//!
//! [`Catalog::load`] reads the file into model types. A file that is no TOML is an [`Error`] with
//! line and column; an entry that is not valid is left out and named among
//! [`Catalog::problems`], so that one slip does not hide the rest.
//!
//! [`Catalog::edit`] takes the lock, reads the file again, changes the entries it is told to and
//! leaves every other byte: comments, order and unknown keys are the user's. A file that cannot
//! be read is never overwritten. The former contents stay as `stacks.toml.bak.N`.
//!
//! All of this blocks on the disk; async callers use `tokio::task::spawn_blocking`.

mod edit;
mod error;
mod file;
mod migrate;
mod schema;
mod toml_json;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::base::visible::visible;
use crate::model::component::{Component, ComponentType};
use crate::model::connection::Connection;
use crate::model::flavor::Flavors;
use crate::model::name::Name;
use crate::model::requirement::Described;
use crate::model::secret_source::SourcedSecret;
use crate::model::stack::Stack;
use crate::model::store::{ArtifactStore, StoreDraft};

pub use edit::{Edit, Put};
pub use error::Error;

/// What `stacks.toml` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    path: PathBuf,
    exists: bool,
    newer: Option<i64>,
    content: Content,
}

/// The entries, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    secrets: Vec<SourcedSecret>,
    stores: Vec<ArtifactStore>,
    /// Entries of stores that are written well and say something wrong.
    broken: Vec<StoreDraft>,
    components: Vec<Component>,
    stacks: Vec<Stack>,
    connections: Vec<Connection>,
    problems: Vec<Problem>,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The entry counts; something in it does not.
    Warning,
    /// The entry is left out.
    Error,
}

/// What is wrong with one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the entry still counts.
    pub severity: Severity,
    /// `artifact_store.alibaba_store`, made showable; empty for the file as a whole.
    pub entry: String,
    /// The field, made showable; empty for the entry as a whole.
    pub field: String,
    /// What is wrong, ending in what to do.
    pub message: String,
    /// Its line, from 1, where it is known.
    pub line: Option<usize>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        for part in [&self.entry, &self.field].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "{part}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Catalog {
    /// Reads `path`. No file is an empty catalog.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Ok(file::load(path)?.1)
    }

    /// Changes the file under its lock; see [`Edit`]. `random` names a temporary file. Where
    /// `change` fails nothing is written. Answers what `change` answered and the catalog as it is
    /// then.
    pub fn edit<T>(
        path: &Path,
        random: u64,
        change: impl FnOnce(&mut Edit) -> Result<T, Error>,
    ) -> Result<(T, Self), Error> {
        file::edit(path, random, change)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a file.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// Whether nothing is described, well or badly.
    pub fn is_empty(&self) -> bool {
        self.stores().is_empty()
            && self.components().is_empty()
            && self.stacks().is_empty()
            && self.connections().is_empty()
            && self.sourced_secrets().is_empty()
            && self.problems().is_empty()
    }

    /// Why the catalog takes no changes, where it does not.
    pub fn read_only(&self) -> Option<Error> {
        self.newer.map(|found| Error::Newer { path: self.path.clone(), found })
    }

    /// What is wrong with single entries.
    pub fn problems(&self) -> &[Problem] {
        &self.content.problems
    }

    /// Why `section.name` (`artifact_store.alibaba_store`) is left out, where the file has it.
    pub fn invalid(&self, section: &str, name: &str) -> Option<&Problem> {
        let entry = format!("{section}.{}", visible(name));
        let invalid =
            |problem: &&Problem| problem.severity == Severity::Error && problem.entry == entry;
        self.problems().iter().find(invalid)
    }

    /// The artifact stores.
    pub fn stores(&self) -> &[ArtifactStore] {
        &self.content.stores
    }

    /// The artifact store `name`.
    pub fn store(&self, name: &str) -> Option<&ArtifactStore> {
        self.stores().iter().find(|store| store.name.as_str() == name)
    }

    /// What the entry `name` says where it is no valid store; what is wrong stands among the
    /// [problems](Self::problems).
    pub fn broken_store(&self, name: &str) -> Option<&StoreDraft> {
        self.content.broken.iter().find(|draft| draft.name == name)
    }

    /// The components that are no artifact stores.
    pub fn components(&self) -> &[Component] {
        &self.content.components
    }

    /// The component `name` of a type.
    pub fn component(&self, kind: ComponentType, name: &str) -> Option<&Component> {
        self.components().iter().find(|it| it.kind == kind && it.name.as_str() == name)
    }

    /// What stacks can be composed of, for [`judge`](crate::model::requirement::judge), by the
    /// table of flavors.
    pub fn described(&self) -> Described<'_> {
        Described {
            components: self.components(),
            stores: self.stores(),
            flavors: Flavors::table(),
        }
    }

    /// The stacks that use the component `name` of a type.
    pub fn users_of_component(&self, kind: ComponentType, name: &str) -> Vec<&Name> {
        self.content.stacks_with(kind, name)
    }

    /// The stacks.
    pub fn stacks(&self) -> &[Stack] {
        &self.content.stacks
    }

    /// The stack `name`.
    pub fn stack(&self, name: &str) -> Option<&Stack> {
        self.stacks().iter().find(|stack| stack.name.as_str() == name)
    }

    /// The connections to `ZenML`.
    pub fn connections(&self) -> &[Connection] {
        &self.content.connections
    }

    /// The connection `name`.
    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections().iter().find(|connection| connection.name.as_str() == name)
    }

    /// Secrets whose values are not in the keystore.
    pub fn sourced_secrets(&self) -> &[SourcedSecret] {
        &self.content.secrets
    }

    /// Where the values of the secret `name` are, if not in the keystore.
    pub fn sourced_secret(&self, name: &str) -> Option<&SourcedSecret> {
        self.sourced_secrets().iter().find(|secret| secret.name.as_str() == name)
    }

    /// The stores that use the secret `name`.
    pub fn users_of_secret(&self, name: &str) -> Vec<&Name> {
        let users = self.stores().iter().filter(|store| store.secret.as_str() == name);
        users.map(|store| &store.name).collect()
    }

    /// The stacks that use the artifact store `name`.
    pub fn users_of_store(&self, name: &str) -> Vec<&Name> {
        self.content.stacks_with(ComponentType::ArtifactStore, name)
    }
}

impl Content {
    fn stacks_with(&self, kind: ComponentType, name: &str) -> Vec<&Name> {
        self.stacks.iter().filter(|stack| stack.uses(kind, name)).map(|stack| &stack.name).collect()
    }
}

/// A path as it may be shown.
fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_string()
}

#[cfg(test)]
mod tests;
