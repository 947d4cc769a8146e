//! What is typed to find names: words, a glob, a regular expression, or letters in their order.
//!
//! | typed | finds |
//! |---|---|
//! | `log zen` | names that hold every word, whatever the case |
//! | `*/model/*.npy` | whole names; `*` stops at a slash, `**` does not |
//! | `re:\.(json\|csv)$` | what the [regular expression](regex) finds anywhere |
//! | `~trnmdl` | names that hold the letters in this order, whatever the case |

use std::fmt;

use memchr::{memchr, memchr2};
use regex::{Regex, RegexBuilder};

/// The most that a compiled expression may take, in bytes.
const LARGEST: usize = 1 << 20;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// In lower case. None of them: everything matches.
    Words(Vec<String>),
    Expression(Regex),
    /// In lower case.
    Letters(Vec<char>),
}

/// Why an expression is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPattern(String);

impl fmt::Display for NoPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Result<Self, NoPattern> {
        if let Some(expression) = text.strip_prefix("re:") {
            return compiled(expression).map(|regex| Self(Kind::Expression(regex)));
        }
        if let Some(letters) = text.strip_prefix('~') {
            let letters = letters.to_lowercase();
            return Ok(Self(Kind::Letters(
                letters.chars().filter(|c| !c.is_whitespace()).collect(),
            )));
        }
        if text.contains('*') {
            return Self::glob(text.trim());
        }
        Ok(Self::words(text))
    }

    /// Every word, whatever the case.
    pub fn words(text: &str) -> Self {
        let text = text.to_lowercase();
        Self(Kind::Words(text.split_whitespace().map(str::to_owned).collect()))
    }

    /// A whole name, with `*` for anything but a slash, `**` for anything, `?` for one character.
    pub fn glob(glob: &str) -> Result<Self, NoPattern> {
        let mut expression = String::from("(?s)^");
        let mut rest = glob;
        while let Some(first) = rest.chars().next() {
            let (taken, means) = match rest {
                _ if rest.starts_with("**/") => ("**/", "(?:.*/)?".to_owned()),
                _ if rest.starts_with("**") => ("**", ".*".to_owned()),
                _ if first == '*' => ("*", "[^/]*".to_owned()),
                _ if first == '?' => ("?", "[^/]".to_owned()),
                _ => {
                    let one = rest.get(..first.len_utf8()).unwrap_or_default();
                    (one, regex::escape(one))
                }
            };
            expression.push_str(&means);
            rest = rest.strip_prefix(taken).unwrap_or_default();
        }
        expression.push('$');
        compiled(&expression).map(|regex| Self(Kind::Expression(regex)))
    }

    /// Whether it takes about as long as reading the names.
    pub fn is_quick(&self) -> bool {
        matches!(self.0, Kind::Words(_))
    }

    /// Whether `name` is one.
    pub fn matches(&self, name: &str) -> bool {
        match &self.0 {
            Kind::Words(words) => words.iter().all(|word| holds(name, word)),
            Kind::Expression(regex) => regex.is_match(name),
            Kind::Letters(letters) => {
                let mut wanted = letters.iter().peekable();
                for letter in name.chars().flat_map(char::to_lowercase) {
                    wanted.next_if(|next| **next == letter);
                }
                wanted.next().is_none()
            }
        }
    }

    /// Calls `found` with the index of each name that is one. The names stand one behind another
    /// in `names` and end at `ends`; of each the first `skip` bytes are not part of it.
    pub fn find_in(&self, names: &str, ends: &[u32], skip: usize, found: &mut impl FnMut(usize)) {
        if let Kind::Words(words) = &self.0
            && let Some(word) = words.iter().max_by_key(|word| word.len())
            && word.is_ascii()
        {
            let others: Vec<&String> = words.iter().filter(|other| *other != word).collect();
            return find_word(word, names, ends, skip, &mut |index, name| {
                if others.iter().all(|other| holds(name, other)) {
                    found(index);
                }
            });
        }
        let mut start = 0;
        for (index, end) in ends.iter().enumerate() {
            let end = *end as usize;
            if names.get(start + skip..end).is_some_and(|name| self.matches(name)) {
                found(index);
            }
            start = end;
        }
    }
}

fn compiled(expression: &str) -> Result<Regex, NoPattern> {
    let built = RegexBuilder::new(expression).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
    built.map_err(|error| {
        // its first lines draw the place; the last one says what is wrong
        let text = error.to_string();
        NoPattern(text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
    })
}

/// Whether `text` holds `word`, which is in lower case, whatever the case.
fn holds(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        // nearly every key; nothing is copied
        return at_anchor(text.as_bytes(), word.as_bytes(), Anchor::of(word.as_bytes())).is_some();
    }
    text.to_lowercase().contains(word)
}

/// The byte of a word that is looked for first: one that few names hold.
#[derive(Clone, Copy)]
struct Anchor {
    at: usize,
    lower: u8,
    upper: u8,
}

impl Anchor {
    fn of(word: &[u8]) -> Self {
        // UUIDs and dates fill most of a key
        let often = |byte: &u8| match byte {
            b'0'..=b'9' | b'a'..=b'f' | b'-' | b'/' => 2,
            b'o' | b't' | b'u' | b'p' | b'_' | b's' | b'n' | b'i' | b'r' => 1,
            _ => 0,
        };
        let rarest = word.iter().enumerate().min_by_key(|(_, byte)| often(byte));
        let (at, byte) = rarest.unwrap_or((0, &0));
        Self { at, lower: *byte, upper: byte.to_ascii_uppercase() }
    }

    fn next(self, text: &[u8]) -> Option<usize> {
        if self.lower == self.upper {
            memchr(self.lower, text)
        } else {
            memchr2(self.lower, self.upper, text)
        }
    }
}

/// Where `word` begins in `text`, whatever the case of ASCII letters.
fn at_anchor(text: &[u8], word: &[u8], anchor: Anchor) -> Option<usize> {
    if word.is_empty() {
        return Some(0);
    }
    let mut from = anchor.at;
    loop {
        let at = from + anchor.next(text.get(from..)?)?;
        let start = at - anchor.at;
        let is_it = text.get(start..start + word.len());
        if is_it.is_some_and(|found| found.eq_ignore_ascii_case(word)) {
            return Some(start);
        }
        from = at + 1;
    }
}

/// All names at once: the search runs over their text and only asks which name it is in where
/// it found something.
fn find_word<'a>(
    word: &str,
    names: &'a str,
    ends: &[u32],
    skip: usize,
    found: &mut impl FnMut(usize, &'a str),
) {
    let (text, word) = (names.as_bytes(), word.as_bytes());
    let anchor = Anchor::of(word);
    let (mut from, mut index, mut start) = (0, 0, 0);
    while let Some(at) = text.get(from..).and_then(|rest| at_anchor(rest, word, anchor)) {
        let at = from + at;
        // the name it begins in: rarely more than a few further on
        while let Some(end) = ends.get(index).filter(|end| **end as usize <= at) {
            start = *end as usize;
            index += 1;
        }
        let Some(end) = ends.get(index).map(|end| *end as usize) else { return };
        let is_inside = at >= start + skip && at + word.len() <= end;
        if is_inside && let Some(name) = names.get(start + skip..end) {
            found(index, name);
            (from, start) = (end, end);
            index += 1;
        } else {
            from = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn every_word_counts_and_case_does_not() {
        assert!(matches("", "anything"));
        assert!(matches("LOG zen", "zenml/x.log"));
        assert!(!matches("LOG zen", "zenml/x.txt"));
        assert!(matches("FUSÉE", "a/fusée.txt"));
        assert!(!matches("FUSÉE", "a/fusee.txt"));
        assert!(matches("aab", "AAAB"));
    }

    #[test]
    fn globs_are_of_the_whole_name_and_know_slashes() {
        assert!(matches("*.json", "a.json") && !matches("*.json", "a.jsonl"));
        assert!(!matches("*.json", "a/b.json") && matches("**.json", "a/b.json"));
        assert!(matches("**/b*", "b1") && matches("**/b*", "x/y/b1"));
        assert!(matches("a?c*", "abc") && !matches("a?c*", "a/c"));
        assert!(matches("(a)*", "(a)+") && !matches("(a)*", "a"));
    }

    #[test]
    fn expressions_and_letters() {
        assert!(matches(r"re:\.(json|csv)$", "a/b.csv") && !matches("re:^b", "a/b"));
        assert!(matches("~trnmdl", "TRaiN/MoDeL") && !matches("~trnmdl", "model/train"));
        let error = Pattern::parse("re:(").unwrap_err().to_string();
        assert_eq!(error, "unclosed group");
        assert!(Pattern::parse(&format!("re:{}", "(a{1000}){1000}")).is_err());
    }

    proptest! {
        #[test]
        fn many_names_at_once_are_the_same_as_each(
            names in proptest::collection::vec("p/[aAbB1/é]{0,5}", 0..20),
            pattern in "(re:|~)?[aAb1 /*p]{0,4}",
        ) {
            let Ok(pattern) = Pattern::parse(&pattern) else { return Ok(()) };
            let mut text = String::new();
            let mut ends = Vec::new();
            for name in &names {
                text.push_str(name);
                ends.push(u32::try_from(text.len()).unwrap());
            }
            for skip in [0, 2] {
                let mut found = Vec::new();
                pattern.find_in(&text, &ends, skip, &mut |index| found.push(index));
                let each = (0..names.len()).filter(|at| names[*at].get(skip..).is_some_and(|name| pattern.matches(name)));
                prop_assert_eq!(&found, &each.collect::<Vec<_>>(), "{:?}", pattern);
            }
        }
    }
}
