//! ZenML: what it is told, and what it writes.
//!
//! [`plan`] says what ZenML lacks, as data; the [`script`] is that plan for a
//! shell. [`stack_file`] is a stack in ZenML's own YAML. [`layout`] recognises the keys that
//! pipelines leave in a bucket; [`artifacts`] are the runs, and what a server tells of those keys.
//! [`lint`] says what is wrong with a store that was made by hand, [`python`]
//! what the libraries do that will run it.

pub mod artifacts;
pub mod changes;
pub mod command;
pub mod layout;
pub mod lint;
pub mod log;
pub mod login;
pub mod plan;
pub mod python;
pub mod remote;
pub mod rest;
pub mod script;
pub mod stack_file;
pub mod version;
