//! Names of what the diagnosis writes: `PREFIX.osstack-check-RUN/NAME`, where RUN is 16 hex digits
//! of the run's own and NAME one of a few. Nothing else is ever written, and nothing else swept.

use crate::model::object_key::{KeyError, ObjectKey};
use crate::ports::entropy::{Entropy, hex};

/// What names of the diagnosis begin with, below the store's prefix.
const MARK: &str = ".osstack-check-";
/// Hex digits of a run.
const DIGITS: usize = 16;

/// The object with the name that clients get wrong: a space, signs that an address escapes, and
/// letters beyond ASCII.
pub(super) const ODD: &str = "a b+c%d 中文";

/// The names there are.
const NAMES: [&str; 12] = [
    "small", "append", "copy", "parts", "aborted", "delete", "many-1", "many-2", "page-1",
    "page-2", "rate", ODD,
];

/// The place of one run.
#[derive(Clone, Debug)]
pub(super) struct Folder(String);

impl Folder {
    /// A place of its own below the keys that begin with `prefix`.
    pub(super) fn new(prefix: &str, entropy: &dyn Entropy) -> Self {
        Self(format!("{prefix}{MARK}{}/", hex(entropy, DIGITS)))
    }

    /// What keys in it begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.0
    }

    /// The key of the object `name`.
    pub(super) fn key(&self, name: &str) -> Result<ObjectKey, KeyError> {
        debug_assert!(NAMES.contains(&name) || name == MISSING, "{name} would never be swept");
        ObjectKey::parse(&format!("{}{name}", self.0))
    }

    /// The key of an object that is never there.
    pub(super) fn missing(&self) -> Result<ObjectKey, KeyError> {
        self.key(MISSING)
    }
}

const MISSING: &str = "missing";

/// What everything of the diagnosis begins with, below the keys that begin with `prefix`.
pub(super) fn prefix_of_all(prefix: &str) -> String {
    format!("{prefix}{MARK}")
}

/// Whether `key` is exactly of the form that a run gives its objects.
pub(super) fn is_ours(prefix: &str, key: &str) -> bool {
    let rest = key.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(MARK));
    let Some((run, name)) = rest.and_then(|rest| rest.split_once('/')) else { return false };
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    run.len() == DIGITS && run.bytes().all(is_digit) && NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::entropy::SeededEntropy;

    #[test]
    fn only_what_a_run_wrote_is_ours() {
        let folder = Folder::new("zenml/", &SeededEntropy::new(1));
        for name in NAMES {
            assert!(is_ours("zenml/", folder.key(name).unwrap().as_str()), "{name}");
        }
        for other in [
            "zenml/.osstack-check-",
            "zenml/.osstack-check-0123456789abcdef",
            "zenml/.osstack-check-0123456789abcdef/",
            "zenml/.osstack-check-0123456789abcdef/mine",
            "zenml/.osstack-check-0123456789ABCDEF/small",
            "zenml/.osstack-check-0123456789abcde/small",
            "zenml/.osstack-check-0123456789abcdef/small/small",
            "other/.osstack-check-0123456789abcdef/small",
            ".osstack-check-0123456789abcdef/small",
            "zenml/x/.osstack-check-0123456789abcdef/small",
        ] {
            assert!(!is_ours("zenml/", other), "{other}");
        }
    }
}
