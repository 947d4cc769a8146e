//! The core under the screens: an Elm loop with a stack of layers.
//!
//! A [`screen::Screen`] is a pure state machine with its own commands and
//! messages. It lives as a [`layer::Layer`] on the stack of a tab, asks for work by
//! returning [`effect::Effect`]s, and never sees a task, a clock or a file.
//! [`runtime::Runtime`] alone spawns, keeps tickets and drops stale answers;
//! [`event_loop`] alone waits; [`terminal`] alone touches the terminal.
//!
//! **Invariant:** no key is named outside a screen's `KEYS` and the tables of
//! [`keymap`]; dispatch, footer, help, palette and README read the same rows.
//!
//! **Invariant:** a screen never sees an answer to a question it no longer asks.

pub mod effect;
pub mod event_loop;
pub mod keymap;
pub mod layer;
pub mod log;
pub mod pictures;
mod plain;
pub mod runtime;
pub mod screen;
pub mod terminal;
pub mod theme;
pub mod widget;
