//! Names of secrets, artifact stores, components and stacks.
//!
//! ZenML itself refuses little (only control blanks in stacks and components;
//! anything for secrets over REST), but its own references break: a
//! `{{name.key}}` reference splits at the first dot, the command line wants
//! identifiers. So one rule for all: what works everywhere, shells included.

use std::fmt;

/// The longest name ZenML stores.
pub const MAX_LENGTH: usize = 255;

/// A name that ZenML, its references and a shell all take as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only blanks.
    #[error("a name is needed, for example alibaba_store")]
    Blank,
    /// Over [`MAX_LENGTH`].
    #[error("the name has {0} characters; ZenML keeps 255: shorten it")]
    Long(usize),
    /// A character that some part of ZenML or a shell would take apart.
    #[error("{0} cannot stand in a name: use letters, digits, _ and -")]
    Character(String),
    /// The first character is no letter, digit or underscore.
    #[error("a name begins with a letter, a digit or _")]
    Start,
}

impl Name {
    /// The name in `text`; blanks around it are dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Blank);
        }
        let length = text.chars().count();
        if length > MAX_LENGTH {
            return Err(NameError::Long(length));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !"_-".contains(*c)) {
            let shown = match odd {
                ' ' => "a blank".to_owned(),
                '.' => "a dot (ZenML splits references there)".to_owned(),
                '{' | '}' => format!("the brace {odd} (ZenML reads references there)"),
                _ => format!("'{}'", crate::base::visible::visible(&odd.to_string())),
            };
            return Err(NameError::Character(shown));
        }
        if text.starts_with('-') {
            return Err(NameError::Start);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_zenml_documents() {
        for good in ["alibaba_store", "default", "_x", "9-lives", " trimmed "] {
            assert_eq!(Name::parse(good).map(|name| name.to_string()), Ok(good.trim().to_owned()));
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Name::parse("  "), Err(NameError::Blank));
        assert_eq!(Name::parse(&"x".repeat(256)), Err(NameError::Long(256)));
        assert_eq!(Name::parse("-rf"), Err(NameError::Start));
        for bad in ["a.b", "{{x}}", "a b", "a\nb", "ü", "a/b", "a:b"] {
            assert!(matches!(Name::parse(bad), Err(NameError::Character(_))), "{bad}");
        }
    }
}
