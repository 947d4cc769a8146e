//! Integration tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on should stop right there"
)]

mod artifacts;
mod bookmarks;
mod browser;
mod check;
mod cli;
mod closed_port;
mod commit;
mod components;
mod conformance;
mod doctor;
mod doctor_bed;
mod doctor_rungs;
mod doctor_table;
mod doctor_traces;
mod first_start;
mod fixes;
mod flavors;
mod hostile;
mod killed;
mod lint;
mod objects;
mod pictures;
mod previews;
mod pty;
mod readme;
mod regions;
mod residency;
mod restore;
mod sandbox_client;
mod sandbox_domains;
mod sandbox_faults;
mod sandbox_rules;
mod sandbox_settings;
mod sandbox_versions;
mod sandbox_wire;
mod screens_forms;
mod screens_runs;
mod script;
mod sizes;
mod story;
mod temporary_key;
mod tidy;
mod transfers;
mod user;
mod vectors;
mod versions;
mod zenml_command;
mod zenml_login;
mod zenml_server;
