//! The program with a screen.

pub mod demo;
pub mod open;
mod pictures;
pub mod shell;
