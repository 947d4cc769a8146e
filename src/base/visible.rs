//! Text from outside, made showable.

use std::fmt;

/// Text that holds nothing a terminal would act on or hide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Visible(String);

/// Makes `text` showable.
pub fn visible(text: &str) -> Visible {
    Visible(text.escape_debug().to_string())
}

impl Visible {
    /// The showable text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The showable text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
