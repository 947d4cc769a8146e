//! Characters drawn like others (chosen from Unicode's confusables, UTS #39).

/// Whether the word would be read as Latin though it is not: it holds twins of
/// Latin letters beside Latin ones, or no other letters than twins.
pub(super) fn poses_as_latin(word: &str) -> bool {
    if word.is_ascii() {
        return false;
    }
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    letters.clone().any(is_latin) || letters.all(is_twin_letter)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{aa}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Whether `c` is a letter of another script that is drawn like a Latin one.
pub(super) fn is_twin_letter(c: char) -> bool {
    const CYRILLIC: &str = "ЀЁЅІЇЈАВЕКМНОРСТУХасеорухѐёѕіїјҮүһӀӏӐӑӒӓӔӕӖӗӦӧԁԚԛԜԝ";
    // U+03BC is a twin of the micro sign
    const GREEK: &str = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧμνοϲϳϹͿ";
    const ARMENIAN: &str = "ՕՍհոսցքօ";
    match c {
        '\u{370}'..='\u{3ff}' => GREEK.contains(c),
        '\u{400}'..='\u{52f}' => CYRILLIC.contains(c),
        '\u{530}'..='\u{58f}' => ARMENIAN.contains(c),
        // Coptic, Lisu and Cherokee: capitals of Latin shape nearly throughout
        '\u{13a0}'..='\u{13ff}'
        | '\u{2c80}'..='\u{2cff}'
        | '\u{a4d0}'..='\u{a4ff}'
        | '\u{ab70}'..='\u{abbf}' => true,
        _ => false,
    }
}

/// Whether `c` is drawn like an ASCII character wherever it stands: punctuation
/// that could fake a path or our own spelling, letters that are ASCII's in
/// another coat.
pub(super) fn is_twin_of_ascii(c: char) -> bool {
    const SLASHES: &str =
        "\u{2044}\u{2215}\u{2571}\u{29f8}\u{2216}\u{29f5}\u{29f9}\u{fe68}\u{ff3c}";
    const POINTS: &str = "\u{2024}\u{2010}\u{2011}\u{2212}\u{2236}\u{a789}\u{1c3}\u{1c0}";
    const LETTERS: &str = "\u{251}\u{261}";
    // mathematical letters and digits, Roman numerals
    matches!(c, '\u{1d400}'..='\u{1d7ff}' | '\u{2160}'..='\u{217f}')
        || SLASHES.contains(c)
        || POINTS.contains(c)
        || LETTERS.contains(c)
}
