//! Text that must not be seen: wiped when dropped, never printed.

use std::fmt;

use zeroize::Zeroizing;

/// A secret value. It has no `Display`, no `Clone` and no `Serialize`; its
/// `Debug` says nothing. Copying one is written out: [`SecretString::duplicate`].
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes over `value`; the buffer is wiped on drop.
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Name the reason where it is called.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A second copy, wiped on its own.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.0.as_str().to_owned())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for SecretString {
    /// Compares every byte whatever the first difference.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y)) == 0
    }
}

impl Eq for SecretString {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", SecretString::new("hunter2".into())), "[redacted]");
    }

    #[test]
    fn compares_by_value() {
        assert_eq!(SecretString::new("a".into()), SecretString::new("a".into()));
        assert_ne!(SecretString::new("a".into()), SecretString::new("ab".into()));
    }
}
