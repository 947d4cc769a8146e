//! Where to cut a listing in two, so that both halves can be listed at once.
//!
//! Keys are read as numbers: their characters are digits, and the digits are the characters that
//! were seen so far, in their order. What was seen of a stretch says how densely keys lie in it,
//! and so how much is left of it. All of this is a guess that costs a request where it is wrong,
//! and no key: a listing that begins at any text gives what comes behind it.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "guesses, whose last digits mean nothing"
)]

use std::collections::BTreeSet;

/// The characters that keys are made of, as far as seen.
#[derive(Clone, Debug, Default)]
pub struct Alphabet {
    letters: Vec<char>,
    seen: BTreeSet<char>,
}

/// A stretch of a listing: from `first`, of which no less came, up to `until`.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// All keys begin with it.
    pub prefix: &'a str,
    /// The first key that came, or where it began.
    pub first: &'a str,
    /// How far it was listed.
    pub reached: &'a str,
    /// Where it ends; `None` where all keys with `prefix` do.
    pub until: Option<&'a str>,
    /// Keys from `first` to `reached`.
    pub seen: u64,
}

/// Fewer characters than this would leave no room between most keys.
const FEWEST: usize = 4;
/// The values of a stretch stay below 2 to this power.
const BITS: f64 = 120.0;

impl Alphabet {
    /// Adds the characters of a key.
    pub fn see(&mut self, key: &str) {
        for letter in key.chars() {
            if self.seen.insert(letter) {
                let at = self.letters.partition_point(|other| *other < letter);
                self.letters.insert(at, letter);
            }
        }
    }

    /// How many keys a stretch still holds, by what was seen of it, in keys; `None` where too
    /// little was seen for a guess.
    pub fn left(&self, stretch: &Stretch<'_>) -> Option<f64> {
        let ruler = self.ruler(stretch)?;
        let passed = ruler.reached.saturating_sub(ruler.first) as f64;
        let ahead = ruler.until.saturating_sub(ruler.reached) as f64;
        let seen = stretch.seen as f64;
        Some(if passed > 0.0 { seen / passed * ahead } else { f64::INFINITY })
    }

    /// A text between `reached` and `until`. In the middle where the guess of what is left rests
    /// on a good part of the stretch; nearer the less was seen of it, since a guess over a long
    /// way is mostly wrong.
    pub fn between(&self, stretch: &Stretch<'_>) -> Option<String> {
        let ruler = self.ruler(stretch)?;
        let ahead = ruler.until.saturating_sub(ruler.reached);
        let left = self.left(stretch)?.max(1.0);
        let share = (stretch.seen.max(1) as f64 / left).sqrt().min(0.5);
        let step = if share < 0.5 { (ahead as f64 * share) as u128 } else { ahead / 2 };
        let text = ruler.text(ruler.reached.saturating_add(step.max(1)), &self.letters);
        let is_inside = text.as_str() > stretch.reached
            && stretch.until.is_none_or(|until| text.as_str() < until);
        is_inside.then_some(text).or_else(|| behind_folder(stretch))
    }

    fn ruler<'a>(&self, stretch: &Stretch<'a>) -> Option<Ruler<'a>> {
        let base = (self.letters.len() as u128).max(FEWEST as u128) + 1;
        let places = (BITS / (base as f64).log2()) as usize;
        let shared = match stretch.until {
            Some(until) => shared(stretch.first, until),
            None => stretch.prefix.len().min(shared(stretch.prefix, stretch.first)),
        };
        let head = stretch.reached.get(..shared)?;
        let value = |text: &str| {
            let mut rest = text.get(shared..).unwrap_or_default().chars();
            (0..places).fold(0_u128, |value, _| {
                let digit = rest.next().map_or(0, |letter| self.digit(letter) + 1);
                value * base + digit
            })
        };
        let until = stretch.until.map_or_else(|| base.pow(places as u32) - 1, value);
        let (first, reached) = (value(stretch.first), value(stretch.reached));
        Some(Ruler { head, base, places, first, reached, until })
    }

    fn digit(&self, letter: char) -> u128 {
        let at = self.letters.partition_point(|other| *other < letter);
        at.min(self.letters.len().saturating_sub(1)) as u128
    }
}

/// The places of a stretch as numbers.
struct Ruler<'a> {
    /// What every key of the stretch begins with.
    head: &'a str,
    base: u128,
    places: usize,
    first: u128,
    reached: u128,
    until: u128,
}

impl Ruler<'_> {
    /// The text that stands at `value`.
    fn text(&self, mut value: u128, letters: &[char]) -> String {
        let mut digits = Vec::with_capacity(self.places);
        for _ in 0..self.places {
            digits.push(value % self.base);
            value /= self.base;
        }
        let digits = digits.into_iter().rev().take_while(|digit| *digit > 0);
        let tail = digits.filter_map(|digit| letters.get(usize::try_from(digit).ok()? - 1));
        // a few characters say where; more of them would only be noise
        self.head.chars().chain(tail.take(self.places).copied()).collect()
    }
}

/// The end of the innermost folder that all of what was seen lies in, if more may come behind
/// it: where keys share more characters than numbers can tell apart.
fn behind_folder(stretch: &Stretch<'_>) -> Option<String> {
    let shared = shared(stretch.first, stretch.reached);
    let shared = if stretch.first.is_empty() { stretch.reached.len() } else { shared };
    let folder = stretch.reached.get(..shared)?.rfind('/')?;
    // the character behind a slash
    let text = format!("{}0", stretch.reached.get(..folder)?);
    let is_inside = text.as_str() > stretch.reached
        && text.starts_with(stretch.prefix)
        && stretch.until.is_none_or(|until| text.as_str() < until);
    is_inside.then_some(text)
}

/// How many bytes of whole characters two texts begin with alike.
fn shared(one: &str, other: &str) -> usize {
    let alike = one.chars().zip(other.chars()).take_while(|(one, other)| one == other);
    alike.map(|(letter, _)| letter.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alphabet(keys: &[&str]) -> Alphabet {
        let mut alphabet = Alphabet::default();
        for key in keys {
            alphabet.see(key);
        }
        alphabet
    }

    #[test]
    fn the_middle_of_what_is_known_to_be_even() {
        let alphabet = alphabet(&["0123456789"]);
        let half = Stretch { prefix: "", first: "0", reached: "5", until: Some("8"), seen: 1000 };
        let left = alphabet.left(&half).unwrap();
        assert!((500.0..700.0).contains(&left), "{left}");
        let middle = alphabet.between(&half).unwrap();
        assert!(middle.starts_with('6'), "{middle}");
    }

    #[test]
    fn a_guess_over_a_long_way_goes_a_short_one() {
        let alphabet = alphabet(&["0123456789"]);
        let begun = Stretch {
            prefix: "a/",
            first: "a/00000000",
            reached: "a/00000999",
            until: None,
            seen: 1000,
        };
        let cut = alphabet.between(&begun).unwrap();
        assert!(cut.as_str() < "a/1", "{cut}");
    }

    #[test]
    fn what_shares_more_than_numbers_tell_apart_is_cut_behind_its_folder() {
        let deep = "x".repeat(200);
        let (first, reached) = (format!("{deep}/a"), format!("{deep}/b"));
        let alphabet = alphabet(&[&first, &reached]);
        let stretch = Stretch { prefix: "", first: "", reached: &reached, until: None, seen: 1000 };
        let cut = alphabet.between(&stretch).unwrap();
        assert!(cut > reached && !cut.starts_with(&format!("{deep}/")), "{cut}");
    }

    proptest! {
        #[test]
        fn a_cut_lies_inside(
            mut keys in proptest::collection::vec("[a-e目é/]{1,6}", 3),
            seen in 1_u64..5000,
            is_open: bool,
        ) {
            keys.sort();
            keys.dedup();
            prop_assume!(keys.len() == 3);
            let alphabet = alphabet(&keys.iter().map(String::as_str).collect::<Vec<_>>());
            let [first, reached, until] = &keys[..] else { unreachable!() };
            let until = (!is_open).then_some(until.as_str());
            let stretch = Stretch { prefix: "", first, reached, until, seen };
            if let Some(cut) = alphabet.between(&stretch) {
                prop_assert!(cut.as_str() > reached.as_str());
                prop_assert!(until.is_none_or(|until| cut.as_str() < until));
            }
        }
    }
}
