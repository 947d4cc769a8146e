//! The words of the field as types, valid by construction.
//!
//! What a form, a TOML file or a command line holds is a *draft* of strings;
//! its `validate` is the only way to the valid type, so all three refuse the
//! same things with the same words.

pub mod bucket;
pub mod component;
pub mod component_type;
pub mod connection;
pub mod endpoint;
pub mod field;
pub mod finding;
pub mod fix;
pub mod flavor;
pub mod key_json;
pub mod local_path;
pub mod name;
pub mod name_filter;
pub mod object_key;
pub mod permission;
pub mod preview;
pub mod region;
pub mod requirement;
pub mod residency;
pub mod secret;
pub mod secret_source;
pub mod stack;
pub mod store;
