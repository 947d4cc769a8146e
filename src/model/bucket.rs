//! Bucket names, as OSS allows them.

use std::fmt;

/// 3 to 63 of `a-z 0-9 -`, beginning and ending with a letter or digit
/// (OSS documentation, "Bucket naming conventions"; no dots, no underscores).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName(String);

/// Why a text is no bucket name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// Nothing there.
    #[error("a bucket is needed, for example your-bucket-name")]
    Empty,
    /// Too short or too long.
    #[error("a bucket name has 3 to 63 characters, this one {0}")]
    Length(usize),
    /// A character OSS refuses.
    #[error("'{0}' cannot stand in a bucket name: OSS takes a-z, 0-9 and - only")]
    Character(String),
    /// A hyphen at an end.
    #[error("a bucket name begins and ends with a letter or a digit")]
    Edge,
}

impl BucketName {
    /// The bucket named by `text`; blanks around it are dropped.
    pub fn parse(text: &str) -> Result<Self, BucketError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BucketError::Empty);
        }
        if let Some(odd) =
            text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-'))
        {
            let shown = crate::base::visible::visible(&odd.to_string()).into_string();
            return Err(BucketError::Character(shown));
        }
        if !(3..=63).contains(&text.len()) {
            return Err(BucketError::Length(text.len()));
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(BucketError::Edge);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oss_rules() {
        assert!(BucketName::parse("your-bucket-name").is_ok());
        assert_eq!(BucketName::parse(""), Err(BucketError::Empty));
        assert_eq!(BucketName::parse("ab"), Err(BucketError::Length(2)));
        assert_eq!(BucketName::parse(&"a".repeat(64)), Err(BucketError::Length(64)));
        assert_eq!(BucketName::parse("-abc"), Err(BucketError::Edge));
        for bad in ["my_bucket", "My-bucket", "a.bucket", "büc"] {
            assert!(matches!(BucketName::parse(bad), Err(BucketError::Character(_))), "{bad}");
        }
    }
}
