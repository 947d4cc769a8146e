//! How well a name holds letters in their order: together, at the beginnings of words, in its last
//! part.
//!
//! Of all places where the letters could be, the best is taken, as fzf's second algorithm and
//! helix do. `nucleo-matcher`, which is helix's, would do it as well; it is under MPL-2.0, knows
//! nothing of the last part of a prefix, which ends in a slash, and all that is needed of it is
//! this.

use std::ops::Range;

/// A letter that is there.
const MATCH: i32 = 16;
/// One behind another without a gap.
const TOGETHER: i32 = 7;
/// One at the beginning of a part, of a word, of a hump or number.
const PART: i32 = 10;
const WORD: i32 = 8;
const HUMP: i32 = 6;
/// One in the last part, which is what a row is known by.
const LAST_PART: i32 = 3;
/// The first letter typed counts so many times: it is rarely in the middle of a word.
const FIRST: i32 = 2;
/// A gap between two letters, and every further letter left out there.
const GAP: i32 = 4;
const LONGER: i32 = 1;
/// No way to have the letters there.
const NONE: i32 = i32::MIN / 2;
/// Only so many bytes at the end of a name are looked at, so that none takes long; names whose
/// letters lie before come last.
const WINDOW: usize = 256;

/// The bits of a rank that say how long the name is.
const LENGTH: u32 = 12;
const MOST: u32 = u32::MAX >> LENGTH;

/// One letter of a name.
struct Letter {
    /// In lower case.
    lower: char,
    /// What it is worth by where it stands.
    bonus: i32,
    /// Its bytes in the name.
    bytes: Range<usize>,
}

/// The best have the least; of equal ones the shorter. `letters` are in lower case, and `name`
/// holds them.
pub(super) fn rank(letters: &[char], name: &str) -> u32 {
    let text = spelled(name);
    let mut scores = Vec::new();
    let mut next = Vec::new();
    for (index, letter) in letters.iter().enumerate() {
        score(&text, *letter, (index > 0).then_some(&scores), &mut next);
        std::mem::swap(&mut scores, &mut next);
    }
    let best = scores.iter().max().map_or(0, |score| u32::try_from(*score).unwrap_or(0));
    let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
    (MOST - best.min(MOST)) << LENGTH | length.min((1 << LENGTH) - 1)
}

/// Where in `name` the letters are found that its rank is by, in order.
pub(super) fn places(letters: &[char], name: &str) -> Vec<Range<usize>> {
    let text = spelled(name);
    let mut rows: Vec<Vec<i32>> = Vec::with_capacity(letters.len());
    for letter in letters {
        let mut row = Vec::new();
        score(&text, *letter, rows.last(), &mut row);
        rows.push(row);
    }
    let mut places = Vec::with_capacity(letters.len());
    let mut behind: Option<usize> = None;
    for row in rows.iter().rev() {
        // what it is worth to go on from there, as `score` counted
        let worth = |at: usize, score: i32| match behind {
            None => score,
            Some(behind) if at + 1 == behind => score + TOGETHER,
            Some(behind) => score - gap(behind.saturating_sub(at + 2)),
        };
        let there = row.iter().enumerate().take(behind.unwrap_or(row.len()));
        let there = there.filter(|(_, score)| **score > NONE);
        let Some((at, _)) = there.max_by_key(|(at, score)| worth(*at, **score)) else {
            return Vec::new();
        };
        places.extend(text.get(at).map(|letter| letter.bytes.clone()));
        behind = Some(at);
    }
    places.reverse();
    places
}

/// What so many further letters between two cost.
fn gap(further: usize) -> i32 {
    GAP + LONGER * i32::try_from(further).unwrap_or(i32::MAX / 2)
}

/// The best that each place in `text` is worth where `wanted` is taken there, after the letters
/// before it, which are worth `before` by their last place.
fn score(text: &[Letter], wanted: char, before: Option<&Vec<i32>>, scores: &mut Vec<i32>) {
    scores.clear();
    let Some(before) = before else {
        let worth = |letter: &Letter| {
            if letter.lower == wanted { MATCH + FIRST * letter.bonus } else { NONE }
        };
        return scores.extend(text.iter().map(worth));
    };
    // the letter before right behind which this one stands, and any further ahead
    let (mut next_to, mut apart) = (NONE, NONE);
    for (letter, before) in text.iter().zip(before) {
        let best = (next_to + TOGETHER).max(apart);
        let is_there = letter.lower == wanted && best > NONE / 2;
        scores.push(if is_there { best + MATCH + letter.bonus } else { NONE });
        apart = (apart - LONGER).max(next_to - GAP);
        next_to = *before;
    }
}

/// The last letters of a name.
fn spelled(name: &str) -> Vec<Letter> {
    let from = name.ceil_char_boundary(name.len().saturating_sub(WINDOW));
    let last_part = name.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
    let (ahead, seen) = name.split_at_checked(from).unwrap_or(("", name));
    let mut before = ahead.chars().next_back().unwrap_or('/');
    let mut text = Vec::with_capacity(seen.len());
    for (start, letter) in seen.char_indices() {
        let start = from + start;
        let bytes = start..start + letter.len_utf8();
        let begins = match letter {
            _ if before == '/' => PART,
            _ if !before.is_alphanumeric() || !letter.is_alphanumeric() => WORD,
            _ if before.is_lowercase() && letter.is_uppercase() => HUMP,
            _ if !before.is_numeric() && letter.is_numeric() => HUMP,
            _ => 0,
        };
        let bonus = begins + if start < last_part { 0 } else { LAST_PART };
        let lower = letter.to_lowercase();
        text.extend(lower.map(|lower| Letter { lower, bonus, bytes: bytes.clone() }));
        before = letter;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::base::pattern::Pattern;

    fn ranked<'a>(pattern: &str, names: &[&'a str]) -> Vec<&'a str> {
        let pattern = Pattern::parse(pattern).unwrap();
        let mut names: Vec<&str> =
            names.iter().copied().filter(|name| pattern.matches(name)).collect();
        names.sort_by_key(|name| pattern.rank(name));
        names
    }

    /// The letters found in capitals.
    fn lit(pattern: &str, name: &str) -> String {
        let pattern = Pattern::parse(pattern).unwrap();
        let mut out = name.as_bytes().to_vec();
        for place in pattern.places(name) {
            out[place].make_ascii_uppercase();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_best_come_first() {
        for (pattern, names) in [
            // together
            ("~model", &["model.pkl", "mo_del.pkl", "m1o1d1e1l.pkl"][..]),
            // at beginnings of words, of humps, of parts
            ("~tl", &["train_loss.csv", "trainLoss.csv", "battle-x.csv"]),
            ("~run", &["x/run/", "x/my-run/", "x/prune/"]),
            // in the last part, also of a prefix
            ("~data", &["runs/data.csv", "data/runs.csv"]),
            ("~data", &["runs/data/", "data/runs/"]),
            // the shorter
            ("~log", &["a.log", "aa.log", "aaaa.log"]),
            // whatever the case
            ("~RD", &["README.md", "board.md"]),
        ] {
            let mut worst_first = names.to_vec();
            worst_first.reverse();
            assert_eq!(ranked(pattern, &worst_first), names, "{pattern}");
        }
    }

    #[test]
    fn letters_are_shown_where_they_count() {
        assert_eq!(lit("~model", "m-o/my_model.pkl"), "m-o/my_MODEL.pkl");
        assert_eq!(lit("~tl", "battle/train_loss.csv"), "battle/Train_Loss.csv");
        assert_eq!(lit("~xyz", "abc"), "abc");
        assert!(Pattern::words("a").places("a").is_empty());
        assert_eq!(Pattern::parse("~é").unwrap().places("aÉ"), vec![1..3]);
    }

    #[test]
    fn what_lies_far_ahead_comes_last_and_only_letters_rank() {
        let far = format!("model{}", "x".repeat(300));
        assert_eq!(ranked("~model", &[&far, "m_o_d_e_l"]), ["m_o_d_e_l", &far]);
        assert_eq!(Pattern::words("model").rank("model"), Pattern::words("model").rank("a/model"));
        assert!(!Pattern::parse("~ ").unwrap().ranks() && Pattern::parse("~a").unwrap().ranks());
    }

    proptest! {
        #[test]
        fn the_letters_shown_are_those_that_were_typed(
            letters in "[abAé/_]{1,4}",
            name in "[abAÉé/_x]{0,20}",
        ) {
            let pattern = Pattern::parse(&format!("~{letters}")).unwrap();
            let places = pattern.places(&name);
            if pattern.matches(&name) {
                let shown: String =
                    places.iter().filter_map(|place| name.get(place.clone())).collect();
                prop_assert_eq!(shown.to_lowercase(), letters.to_lowercase());
                prop_assert!(places.is_sorted_by(|one, other| one.end <= other.start));
            } else {
                prop_assert!(places.is_empty());
            }
        }
    }
}
