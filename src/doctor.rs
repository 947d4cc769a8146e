//! The diagnosis of an artifact store: a ladder of checks, each on top of what the ones below it
//! showed, from the endpoint's text to an object written and read back.
//!
//! Every check asks exactly as `ZenML` will: the same addressing, the store's own signature, the
//! same calls. A pass with another signature proves nothing. Only the way in may differ, where the
//! store names an `access` endpoint for this machine; the [`Vantage`] says so.
//!
//! Rungs that do not stand on each other are climbed side by side. What one learns is its answer,
//! which those above are given when they begin; nothing else is shared but the notes of what was
//! written ([`traces`]).
//!
//! A finding may carry a [`fix`], steps, and the [rights](permissions) that its calls proved.
//!
//! A new check is one file in [`checks`] and one row of [`CHECKS`], whose order is
//! the order on screen, in the documentation and in JSON.

pub mod case;
pub mod check;
pub mod checks;
pub mod fix;
pub mod ladder;
pub mod permissions;
pub mod report;
mod scratch;
pub mod traces;

pub use case::{Missing, Services, Target};
pub use check::Check;
pub use checks::CHECKS;
pub use ladder::{Ladder, Progress};
pub use report::{Outcome, Report, Vantage};
