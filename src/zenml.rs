//! ZenML: what it is told, and what it writes.
//!
//! [`plan`] says what ZenML lacks, as data; the [`script`] is that plan for a
//! shell. [`layout`] recognises the keys that pipelines leave in a bucket.

pub mod layout;
pub mod plan;
pub mod script;
pub mod version;
