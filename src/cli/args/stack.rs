//! `osstack stack …`, as clap reads it.

#![allow(clippy::doc_markdown, reason = "these comments are the words of --help")]

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `osstack stack …`.
#[derive(Debug, Subcommand)]
pub enum Stack {
    /// Compose a new stack; the network is not touched
    Register(StackSettings),
    /// Change what is given, keep the rest
    Update(StackSettings),
    /// Names and components
    List,
    /// One stack
    Describe {
        /// The stack
        name: String,
    },
    /// Forget a stack; its store and its secret stay
    Delete {
        /// The stack
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Give a stack another name here; where ZenML has it from osstack, the next commit renames it
    /// there in place of making a second one
    Rename {
        /// The stack
        name: String,
        /// Its new name
        to: String,
        /// Do not ask, though the stack is protected
        #[arg(long, short)]
        yes: bool,
    },
    /// A second stack like the first
    Copy {
        /// The stack
        name: String,
        /// The new one's name
        to: String,
    },
    /// Make a committed stack the active one, as `zenml stack set` does
    Set {
        /// The stack
        name: String,
        /// The ZenML connection; else the stack's own, or the only one
        #[arg(long, value_name = "NAME")]
        connection: Option<String>,
    },
    /// Write the YAML that `zenml stack import` takes
    Export(StackExport),
    /// Read the YAML of `zenml stack export` into the catalog
    Import(StackImport),
}

/// `osstack stack export`.
#[derive(Args, Debug)]
pub struct StackExport {
    /// The stack
    pub name: String,
    /// The file; - is stdout
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// The version of ZenML that is to import it, which ZenML compares with its own
    #[arg(long, value_name = "VERSION")]
    pub zenml_version: Option<String>,
    /// Replace the file
    #[arg(long)]
    pub overwrite: bool,
}

/// `osstack stack import`.
#[derive(Args, Debug)]
pub struct StackImport {
    /// The file; - is stdin
    pub file: PathBuf,
    /// The stack's name here, instead of the one in the file
    #[arg(long)]
    pub name: Option<String>,
    /// The secret of an artifact store that names none
    #[arg(long, short)]
    pub secret: Option<String>,
    /// Replace entries of the catalog that say something else
    #[arg(long)]
    pub overwrite: bool,
    /// Do not ask, though a stack that is replaced is protected
    #[arg(long, short)]
    pub yes: bool,
}

/// Settings of a stack.
#[derive(Args, Debug)]
pub struct StackSettings {
    /// The stack's name
    pub name: String,
    /// Artifact store
    #[arg(long, short)]
    pub artifact_store: Option<String>,
    /// Orchestrator
    #[arg(long, short)]
    pub orchestrator: Option<String>,
    /// A further component, as often as needed; TYPE= takes it out
    #[arg(long, short, value_name = "TYPE=NAME")]
    pub component: Vec<String>,
    /// The ZenML connection it belongs to
    #[arg(long)]
    pub zenml: Option<String>,
    /// Changes ask for the typed name
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub protected: Option<bool>,
    /// ZenML hears of it only after a check of its store has passed
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    pub require_check: Option<bool>,
    /// Do not ask, though the stack is protected
    #[arg(long, short)]
    pub yes: bool,
}
