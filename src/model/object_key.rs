//! Keys of objects.

/// A key as OSS keeps it: 1 to 1023 bytes of UTF-8, not beginning with `/` or
/// `\` (OSS documentation, "Object naming conventions").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing there.
    #[error("a key is needed")]
    Empty,
    /// Over 1023 bytes.
    #[error("the key has {0} bytes; OSS takes 1023: shorten it")]
    Long(usize),
    /// Begins with a slash.
    #[error("a key on OSS cannot begin with / or \\: leave it out")]
    Slash,
}

impl ObjectKey {
    /// The key in `text`, exactly as it is: nothing is trimmed.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        match text {
            "" => Err(KeyError::Empty),
            _ if text.len() > 1023 => Err(KeyError::Long(text.len())),
            _ if text.starts_with(['/', '\\']) => Err(KeyError::Slash),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part, as files are named: `model.pkl` of `a/b/model.pkl`; all of it where that
    /// would be empty.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&self.0)
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oss_rules() {
        for good in ["a", "a//b", "tail/", "dots/../x", " ", "中文", "a\u{1b}b"] {
            assert_eq!(ObjectKey::parse(good).map(|key| key.0), Ok(good.to_owned()));
        }
        assert_eq!(ObjectKey::parse(""), Err(KeyError::Empty));
        assert_eq!(ObjectKey::parse("/a"), Err(KeyError::Slash));
        assert_eq!(ObjectKey::parse("\\a"), Err(KeyError::Slash));
        assert_eq!(ObjectKey::parse(&"x".repeat(1024)), Err(KeyError::Long(1024)));
    }
}
