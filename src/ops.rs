//! Use cases: each a plain struct that runs itself against the [`World`](world::World).
//!
//! Screens run them through `tui::runtime`, the command line through
//! [`Context::alone`](crate::base::job::Context::alone). A use case that fails answers a
//! [`Failure`](failure::Failure), which ends in the next step.

pub mod activate;
pub mod adopt;
pub mod artifacts;
pub mod bookmarks;
pub mod check;
pub mod commit;
pub mod commit_record;
pub mod commit_state;
pub mod components;
pub mod connections;
pub mod demo;
pub mod diff;
pub mod failure;
pub mod fix;
pub mod found;
pub mod history;
pub mod intake;
pub mod inventory;
pub mod keystore;
pub mod lint;
pub mod location;
pub mod marked;
pub mod objects;
pub mod plan;
mod preview_cache;
pub mod prune;
pub mod regions;
pub mod residency;
pub mod restore;
pub mod runs;
pub mod secret_source;
pub mod secrets;
pub mod stack_file;
pub mod stacks;
pub mod stores;
pub mod transfer;
pub mod usage;
pub mod versions;
pub mod world;
