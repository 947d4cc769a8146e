//! What is typed to find names: words, a glob, a regular expression, or letters in their order.
//!
//! | typed | finds |
//! |---|---|
//! | `log zen` | names that hold every word, whatever the case |
//! | `*.npy` | names whose last part is such; with a slash or `**` whole names: `*/model/*.npy`. `*` stops at a slash, `**` does not |
//! | `re:\.(json\|csv)$` | what the [regular expression](regex) finds anywhere |
//! | `~trnmdl` | names that hold the letters in this order, whatever the case; the best match first |

mod rank;

use std::fmt;
use std::ops::Range;

use memchr::{memchr, memchr2};
use regex::{Regex, RegexBuilder};

/// The most that a compiled expression may take, in bytes.
const LARGEST: usize = 1 << 20;

/// What is looked for.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        let alike = std::mem::discriminant(&self.kind) == std::mem::discriminant(&other.kind);
        alike && self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[derive(Clone)]
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
            return Self::expression(text, expression);
        }
        if let Some(letters) = text.strip_prefix('~') {
            let letters = letters.to_lowercase();
            let letters = letters.chars().filter(|letter| !letter.is_whitespace()).collect();
            return Ok(Self { text: text.to_owned(), kind: Kind::Letters(letters) });
        }
        if text.contains('*') {
            return Self::glob(text.trim());
        }
        Ok(Self::words(text))
    }

    /// Every word, whatever the case.
    pub fn words(text: &str) -> Self {
        let lower = text.to_lowercase();
        let words = lower.split_whitespace().map(str::to_owned).collect();
        Self { text: text.to_owned(), kind: Kind::Words(words) }
    }

    /// A name with `*` for anything but a slash, `**` for anything, `?` for one character that is
    /// no slash, and `\\` before a character that is meant itself. One without a slash or `**` is
    /// compared with the last part of a name, one with it with all of it. All that is refused is
    /// one that is too long.
    pub fn glob(text: &str) -> Result<Self, NoPattern> {
        let is_of_whole = text.contains('/') || text.contains("**");
        let mut expression = String::from(if is_of_whole { "(?s)^" } else { "(?s)(?:^|/)" });
        let mut chars = text.chars().peekable();
        while let Some(letter) = chars.next() {
            let literal = |letter: char| regex::escape(letter.encode_utf8(&mut [0; 4]));
            match letter {
                '\\' => expression.push_str(&literal(chars.next().unwrap_or('\\'))),
                '?' => expression.push_str("[^/]"),
                '*' if chars.next_if_eq(&'*').is_some() => expression.push_str(".*"),
                '*' => expression.push_str("[^/]*"),
                letter => expression.push_str(&literal(letter)),
            }
        }
        expression.push('$');
        Self::expression(text, &expression)
    }

    fn expression(text: &str, expression: &str) -> Result<Self, NoPattern> {
        let kind = Kind::Expression(compiled(expression)?);
        Ok(Self { text: text.to_owned(), kind })
    }

    /// Whether it takes about as long as reading the names.
    pub fn is_quick(&self) -> bool {
        matches!(self.kind, Kind::Words(_))
    }

    /// Whether `name` is one.
    pub fn matches(&self, name: &str) -> bool {
        match &self.kind {
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

    /// Whether some names match better than others.
    pub fn ranks(&self) -> bool {
        matches!(&self.kind, Kind::Letters(letters) if !letters.is_empty())
    }

    /// How well `name`, which is one, matches: the best have the least. All are alike unless the
    /// pattern [ranks](Self::ranks).
    pub fn rank(&self, name: &str) -> u32 {
        match &self.kind {
            Kind::Letters(letters) if !letters.is_empty() => rank::rank(letters, name),
            _ => 0,
        }
    }

    /// The bytes of `name` that its rank is by, in order.
    pub fn places(&self, name: &str) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Letters(letters) => rank::places(letters, name),
            _ => Vec::new(),
        }
    }

    /// Calls `found` with the index of each name that is one. The names stand one behind another
    /// in `names` and end at `ends`; of each the first `skip` bytes are not part of it.
    pub fn find_in(&self, names: &str, ends: &[u32], skip: usize, found: &mut impl FnMut(usize)) {
        if let Kind::Words(words) = &self.kind
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
    fn globs_mean_what_they_say() {
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
            let glob = Pattern::glob(pattern).unwrap();
            assert!(yes.iter().all(|name| glob.matches(name)), "{pattern}");
            assert!(!no.iter().any(|name| glob.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn a_glob_made_to_take_long_does_not() {
        let name = "a".repeat(1024);
        assert!(!Pattern::glob(&format!("{}b", "*a".repeat(100))).unwrap().matches(&name));
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
