//! The ground floor: things with no idea of OSS, ZenML or screens.

pub mod atomic_file;
pub mod job;
pub mod nearest;
pub mod pace;
pub mod pattern;
pub mod pixels;
pub mod secret_string;
pub mod shell;
pub mod units;
pub(crate) mod unwind;
pub mod url_encode;
pub mod visible;
