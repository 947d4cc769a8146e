//! Which names of a tree are meant.

use crate::base::pattern::Pattern;

/// Names to take, and names to leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameFilter {
    /// One of these, where there are any.
    pub include: Vec<Pattern>,
    /// None of these.
    pub exclude: Vec<Pattern>,
}

impl NameFilter {
    /// Whether `name` is meant.
    pub fn takes(&self, name: &str) -> bool {
        let is_one = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        (self.include.is_empty() || is_one(&self.include)) && !is_one(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_excluded_is_not_taken_though_it_is_included() {
        let globs =
            |texts: &[&str]| texts.iter().map(|text| Pattern::glob(text).unwrap()).collect();
        let filter =
            NameFilter { include: globs(&["*.json", "x/**"]), exclude: globs(&["secret*"]) };
        let takes = ["a.json", "x/b", "secret.json", "y/b"].map(|name| filter.takes(name));
        assert_eq!(takes, [true, true, false, false]);
        assert!(NameFilter::default().takes("anything"));
    }
}
