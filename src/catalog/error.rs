//! Why the catalog says no, and what to do.

use std::path::PathBuf;

use super::shown;
use crate::base::atomic_file;
use crate::base::visible::visible;

/// What went wrong with the file as a whole, or with an edit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] atomic_file::Error),
    /// Another encoding, or no text at all.
    #[error("{} is {what}: save it as UTF-8", shown(.path))]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// A merge was left half done.
    #[error("{}, line {line}: a conflict of a merge is left here: choose a side and delete the \
        marker lines", shown(.path))]
    ConflictMarker {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// No TOML.
    #[error("{}, line {line}, column {column}: {message}\n  {excerpt}\nmend that line, or take a \
        backup (stacks.toml.bak.N)", shown(.path))]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// The parser's words, made showable.
        message: String,
        /// The line, made showable, without values that may be secret.
        excerpt: String,
    },
    /// `schema` is no number.
    #[error("{}: schema must be a whole number: write schema = 1", shown(.0))]
    Schema(PathBuf),
    /// Made by a newer program.
    #[error("{} has schema {found}, made by a newer version: it can be read but not changed; \
        update osstack", shown(.path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
    },
    /// The name is taken.
    #[error("there is {} '{}' already: update it, or choose another name", article(.what), visible(.name))]
    Exists {
        /// `artifact store`, `component` or `stack`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The name is unknown.
    #[error("there is no {what} '{}': see osstack {} list", visible(.name), command(.what))]
    Absent {
        /// `artifact store`, `component` or `stack`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Others name it.
    #[error("{what} '{}' is used by {}: change or delete those first", visible(.name), .users.join(", "))]
    InUse {
        /// `artifact store` or `component`.
        what: &'static str,
        /// The name.
        name: String,
        /// Who uses it.
        users: Vec<String>,
    },
    /// The entry is not what the caller had loaded.
    #[error("{what} '{}' was changed meanwhile by another program or hand: look at it again and \
        repeat the change", visible(.name))]
    Conflict {
        /// `artifact store`, `component` or `stack`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A section that is not a table.
    #[error("'{0}' is no table in stacks.toml: write [{0}.NAME]")]
    Section(&'static str),
    /// A value that TOML has no way to write.
    #[error("{field}: {problem}")]
    Value {
        /// The field.
        field: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
}

fn article(what: &str) -> String {
    let article = if what.starts_with('a') { "an" } else { "a" };
    format!("{article} {what}")
}

/// The noun of the command line.
fn command(what: &str) -> String {
    what.replace(' ', "-")
}
