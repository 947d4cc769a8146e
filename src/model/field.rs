//! What is wrong with one field of a draft.

use std::fmt;

/// One problem: which field, what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name as in `stacks.toml` and on the command line.
    pub field: &'static str,
    /// What is wrong, ending in what to do.
    pub message: String,
}

impl FieldError {
    /// A problem of `field`.
    pub fn new(field: &'static str, message: impl fmt::Display) -> Self {
        Self { field, message: message.to_string() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Takes the value or notes the problem of `field`, so that a draft reports all at once.
pub fn note<T, E: fmt::Display>(
    problems: &mut Vec<FieldError>,
    field: &'static str,
    result: Result<T, E>,
) -> Option<T> {
    result.map_err(|error| problems.push(FieldError::new(field, error))).ok()
}
