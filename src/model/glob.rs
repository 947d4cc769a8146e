//! Patterns of names: `*.parquet`, `run-?/**`.

/// A pattern. `*` stands for anything but `/`, `**` for anything, `?` for one character but `/`,
/// and `\` takes the next character as it is. One without `/` is compared with the last part of a
/// name, one with it with all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Is(char),
    One,
    Any,
    All,
}

impl Glob {
    /// Reads a pattern; each text is one.
    pub fn parse(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '\\' => Token::Is(chars.next().unwrap_or('\\')),
                '?' => Token::One,
                '*' if chars.next_if_eq(&'*').is_some() => Token::All,
                '*' => Token::Any,
                c => Token::Is(c),
            });
        }
        Self(tokens)
    }

    /// Whether `name` is meant, parts of which are told by `/`.
    pub fn matches(&self, name: &str) -> bool {
        let is_of_whole = self.0.contains(&Token::Is('/')) || self.0.contains(&Token::All);
        let last = name.rsplit('/').next().unwrap_or(name);
        let name: Vec<char> = if is_of_whole { name } else { last }.chars().collect();
        // where each token may end, one after the other: no pattern makes it go back and forth
        let mut ends = vec![false; name.len() + 1];
        if let Some(first) = ends.first_mut() {
            *first = true;
        }
        for token in &self.0 {
            let mut next = vec![false; ends.len()];
            let mut runs = false;
            for (at, slot) in next.iter_mut().enumerate() {
                let before = at.checked_sub(1);
                let came = before.and_then(|before| ends.get(before)).copied().unwrap_or(false);
                let c = before.and_then(|before| name.get(before)).copied();
                let here = ends.get(at).copied().unwrap_or(false);
                *slot = match token {
                    Token::Is(due) => came && c == Some(*due),
                    Token::One => came && c != Some('/'),
                    Token::Any => here || runs && c != Some('/'),
                    Token::All => here || runs,
                };
                runs = *slot;
            }
            ends = next;
        }
        ends.last().copied().unwrap_or(false)
    }
}

/// Which names of a tree are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these, where there are any.
    pub include: Vec<Glob>,
    /// None of these.
    pub exclude: Vec<Glob>,
}

impl Filter {
    /// Whether `name` is meant.
    pub fn takes(&self, name: &str) -> bool {
        let is_one = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(name));
        (self.include.is_empty() || is_one(&self.include)) && !is_one(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_say() {
        for (pattern, yes, no) in [
            ("*.json", &["a.json", "x/y/.json", "x/a.json"][..], &["a.jsonl", "json", ""][..]),
            ("x/*.json", &["x/a.json"], &["a.json", "x/y/a.json", "y/x/a.json"]),
            ("x/**", &["x/a", "x/y/z", "x/"], &["x", "y/x/a"]),
            ("**/a", &["x/a", "x/y/a"], &["a", "x/ab"]),
            ("r?n", &["run", "x/r中n"], &["rn", "r/n", "ruun"]),
            ("\\*", &["*"], &["a", "\\*"]),
            ("a[1]", &["a[1]"], &["a1"]),
            ("", &[""], &["a"]),
            ("*", &["", "a", "x/y"], &[]),
        ] {
            let glob = Glob::parse(pattern);
            assert!(yes.iter().all(|name| glob.matches(name)), "{pattern}");
            assert!(!no.iter().any(|name| glob.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_made_to_take_long_does_not() {
        let name = "a".repeat(1024);
        assert!(!Glob::parse(&format!("{}b", "*a".repeat(100))).matches(&name));
    }

    #[test]
    fn what_is_excluded_is_not_taken_though_it_is_included() {
        let globs = |texts: &[&str]| texts.iter().map(|text| Glob::parse(text)).collect();
        let filter = Filter { include: globs(&["*.json", "x/**"]), exclude: globs(&["secret*"]) };
        let takes = ["a.json", "x/b", "secret.json", "y/b"].map(|name| filter.takes(name));
        assert_eq!(takes, [true, true, false, false]);
        assert!(Filter::default().takes("anything"));
    }
}
