//! The program with a screen.

pub mod demo;
pub mod open;
pub mod shell;
