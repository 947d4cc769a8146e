//! The one way a file is written.
