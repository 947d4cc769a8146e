//! Text from outside, made showable.
//!
//! Keys, messages and file names may hold anything: a terminal acts on some
//! characters, hides others, and draws many alike. Whoever deletes by what is
//! on the screen must not be misled, so [`visible`] spells out as `\u{..}`
//! what a terminal would act on or hide and what is drawn like something else;
//! a backslash is doubled. The spelling can be undone, so two different texts
//! never have the same one.
//!
//! Spelled out are:
//! - whatever Unicode does not call a printable character: controls, bidi
//!   marks, joiners, tags, the byte order mark, private and unassigned ones,
//!   and every blank but the plain space;
//! - characters that print nothing (fillers, variation selectors), and a plain
//!   space at either end;
//! - combining marks that have nothing to sit on, that come fifth or later, or
//!   that Unicode composes into one character (`e` and U+0301 against `é`);
//! - letters drawn like Latin ones in a word that mixes them with Latin or
//!   that holds nothing else, and punctuation drawn like ASCII's.
//!
//! Emoji stay together where they are sequences that Unicode recommends.

mod emoji;
mod look_alikes;

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Marks one character may carry: the most that living orthographies stack.
const MAX_MARKS: usize = 4;

/// Text that holds nothing a terminal would act on or hide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Visible(String);

/// Makes `text` showable.
pub fn visible(text: &str) -> Visible {
    if is_plain_ascii(text) {
        return Visible(text.to_owned());
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut word = Word::default();
    for (at, cluster) in text.grapheme_indices(true) {
        if at >= word.end {
            word = Word::at(text, at);
        }
        let at_edge = at == 0 || at + cluster.len() == text.len();
        if cluster == " " && at_edge {
            spell(' ', &mut out);
        } else if emoji::is_sequence(cluster) {
            out.push_str(cluster);
        } else {
            show_cluster(cluster, word.deceives, &mut out);
        }
    }
    Visible(out)
}

impl Visible {
    /// The showable text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The showable text, owned.
    pub fn into_string(self) -> String {
        self.0
    }

    /// The text in pieces, each with whether it is a spelling that stands for
    /// something else; widgets show those in reverse.
    pub fn segments(&self) -> impl Iterator<Item = (&str, bool)> {
        let mut rest = self.as_str();
        std::iter::from_fn(move || {
            let length = match rest.find('\\') {
                Some(0) if rest.starts_with("\\\\") => 2,
                Some(0) => rest.find('}').map_or(rest.len(), |brace| brace + 1),
                Some(plain) => plain,
                None => rest.len(),
            };
            let (segment, tail) = rest.split_at_checked(length)?;
            rest = tail;
            (!segment.is_empty()).then_some((segment, segment.starts_with('\\')))
        })
    }

    /// The cells it takes on a terminal, cluster by cluster as ratatui lays it out.
    pub fn width(&self) -> usize {
        self.0.graphemes(true).map(UnicodeWidthStr::width).sum()
    }
}

impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Makes a text of several lines showable that osstack itself has laid out: a script, a report.
/// Line breaks, indentation and backslashes stay, so it reads, and can be copied, as it was meant;
/// what a terminal would act on or hide is spelled out all the same.
pub fn visible_text(text: &str) -> Visible {
    let line = |line: &str| {
        let inner = line.trim_start_matches(' ');
        let shown = visible_sentence(inner.trim_end_matches(' '));
        " ".repeat(line.len() - inner.len()) + shown.as_str()
    };
    Visible(text.lines().map(line).collect::<Vec<_>>().join("\n"))
}

/// Makes a sentence of osstack's own showable, in which what came from outside has passed
/// [`visible`] already: that is not spelled out a second time.
pub fn visible_sentence(text: &str) -> Visible {
    let once = |part| if part == "\\\\" { "\\" } else { part };
    Visible(visible(text).segments().map(|(part, _)| once(part)).collect())
}

/// Nearly every key: nothing to look at closer.
fn is_plain_ascii(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' || byte == b' ';
    text.bytes().all(plain) && !text.starts_with(' ') && !text.ends_with(' ')
}

/// A run of letters, digits and marks, and whether its letters pose as Latin.
#[derive(Default)]
struct Word {
    end: usize,
    deceives: bool,
}

impl Word {
    fn at(text: &str, start: usize) -> Self {
        let rest = text.get(start..).unwrap_or_default();
        let outside = |c: char| !c.is_alphanumeric() && !is_combining_mark(c);
        let length = rest.find(outside).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        Self { end: start + length, deceives: look_alikes::poses_as_latin(word) }
    }
}

fn show_cluster(cluster: &str, deceives: bool, out: &mut String) {
    let is_composed = cluster.nfc().eq(cluster.chars());
    let mut marks = 0;
    let mut has_base = false;
    for (index, c) in cluster.chars().enumerate() {
        let mut stays = is_shown_as_itself(c) && (is_composed || index == 0);
        if is_combining_mark(c) {
            marks += 1;
            // what was spelled out ends in a brace, which is no base
            stays &= has_base && marks <= MAX_MARKS;
        } else {
            marks = 0;
            stays &= !(deceives && look_alikes::is_twin_letter(c));
        }
        if stays {
            out.push(c);
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            spell(c, out);
        }
        has_base = stays && c != ' ';
    }
}

fn spell(c: char, out: &mut String) {
    out.extend(c.escape_unicode());
}

/// Whether a terminal draws `c`, and as nothing but `c`.
fn is_shown_as_itself(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic() && c != '\\';
    }
    is_printable(c)
        && !prints_nothing(c)
        && !look_alikes::is_twin_of_ascii(c)
        && std::iter::once(c).nfc().eq(std::iter::once(c))
}

/// Neither Cc, Cf, Cs, Co, Cn, Zl, Zp nor Zs: the standard library carries that table for
/// `escape_debug`, which besides spells out whatever extends a cluster.
fn is_printable(c: char) -> bool {
    let is_halfwidth_voicing = matches!(c, '\u{ff9e}' | '\u{ff9f}');
    c.escape_debug().count() == 1 || is_combining_mark(c) || is_halfwidth_voicing
}

/// Printable by category, and yet blank: fillers, variation selectors, null glyphs.
fn prints_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{13441}'
            | '\u{13442}'
            | '\u{16fe4}'
            | '\u{1d159}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Undoes [`visible`].
    fn reveal(shown: &str) -> String {
        let mut out = String::new();
        let mut chars = shown.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('u') => {
                    let digits: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(&digits, 16).unwrap();
                    out.push(char::from_u32(code).unwrap());
                }
                other => out.extend(other),
            }
        }
        out
    }

    fn shown(text: &str) -> String {
        visible(text).into_string()
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "",
            "zenml/trainer/model/data.json",
            "a b",
            "a  b",
            "100% (final)~[1].csv",
            "Müller",
            "中文/ключ",
            "Москва",
            "αβγ",
            "Δx",
            "日本語ガ",
            "ｶﾞ",
            "हिन्दी",
            "ไทยกำ",
            "עברית",
            "한국어",
            "x²",
            "µm",
            "🚀",
            "🇩🇪",
            "👍🏽",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_acts_on_a_terminal_is_spelled() {
        assert_eq!(shown("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(shown("\r\n\t\0\u{7f}"), "\\u{d}\\u{a}\\u{9}\\u{0}\\u{7f}");
        assert_eq!(shown("\u{9b}\u{9d}\u{90}"), "\\u{9b}\\u{9d}\\u{90}");
    }

    #[test]
    fn what_is_hidden_is_spelled() {
        for hidden in [
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2066}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0e}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{378}',
            '\u{e000}',
            '\u{1d173}',
            '\u{e0041}',
            '\u{e0101}',
            '\u{10ffff}',
        ] {
            let want = format!("abc\\u{{{:x}}}gpj", u32::from(hidden));
            assert_eq!(shown(&format!("abc{hidden}gpj")), want);
        }
    }

    #[test]
    fn a_spelling_in_the_text_is_not_taken_for_ours() {
        assert_eq!(shown("a\\u{1b}"), "a\\\\u{1b}");
        assert_eq!(shown("a＼u{1b}"), "a\\u{ff3c}u{1b}");
    }

    #[test]
    fn blanks_at_the_ends_show() {
        assert_eq!(shown(" "), "\\u{20}");
        assert_eq!(shown("  "), "\\u{20}\\u{20}");
        assert_eq!(shown(" a b "), "\\u{20}a b\\u{20}");
    }

    #[test]
    fn marks_need_a_base_and_stop_at_four() {
        assert_eq!(shown("\u{301}a"), "\\u{301}a");
        assert_eq!(shown("a/\u{331}"), "a/\u{331}", "no composed form exists");
        assert_eq!(shown("a \u{331}"), "a \\u{331}");
        assert_eq!(shown("\u{200b}\u{331}"), "\\u{200b}\\u{331}");
        let five = format!("q{}", "\u{331}".repeat(6));
        assert_eq!(shown(&five), format!("q{}\\u{{331}}\\u{{331}}", "\u{331}".repeat(4)));
    }

    #[test]
    fn composed_and_decomposed_differ() {
        assert_eq!(shown("é"), "é");
        assert_eq!(shown("e\u{301}"), "e\\u{301}");
        assert_eq!(shown("\u{212b}"), "\\u{212b}", "ANGSTROM SIGN is drawn like Å");
        assert_eq!(shown("\u{1112}\u{1161}"), "\u{1112}\\u{1161}", "jamo that make 하");
        assert_eq!(shown("q\u{301}\u{323}"), "q\\u{301}\\u{323}", "not in canonical order");
    }

    #[test]
    fn letters_that_pose_as_latin_are_spelled() {
        assert_eq!(shown("p\u{430}ypal"), "p\\u{430}ypal");
        assert_eq!(
            shown("\u{441}\u{43e}\u{440}"),
            "\\u{441}\\u{43e}\\u{440}",
            "a word of twins alone"
        );
        assert_eq!(shown("bucket/\u{3bf}"), "bucket/\\u{3bf}");
        assert_eq!(shown("мир\u{61}"), "ми\\u{440}a", "one Latin letter at its end");
    }

    #[test]
    fn punctuation_that_poses_as_ascii_is_spelled() {
        assert_eq!(shown("a\u{2215}b\u{2024}c"), "a\\u{2215}b\\u{2024}c");
        assert_eq!(shown("\u{1d68a}\u{2170}"), "\\u{1d68a}\\u{2170}");
    }

    #[test]
    fn joiners_stay_in_recommended_emoji_alone() {
        for emoji in ["👩‍💻", "👩🏽‍💻", "🏳️‍🌈", "❤️‍🔥", "🏃‍♀️", "👨‍👩‍👧‍👦", "❤️", "🕵🏽‍♂️", "⛹️‍♀️"]
        {
            assert_eq!(shown(emoji), emoji);
        }
        assert_eq!(shown("🐱\u{200d}🐶"), "🐱\\u{200d}🐶");
        assert_eq!(shown("👩\u{200d}"), "👩\\u{200d}");
        assert_eq!(shown("👩\u{200d}💻🏽"), "👩\\u{200d}💻🏽");
        assert_eq!(shown("🚀\u{fe0f}"), "🚀\\u{fe0f}", "drawn the same without it");
        assert_eq!(shown("1\u{fe0f}\u{20e3}"), "1\\u{fe0f}\\u{20e3}");
    }

    #[test]
    fn segments_tell_spellings_from_text() {
        let text = visible("a\u{1b}\\b ");
        let segments: Vec<_> = text.segments().collect();
        assert_eq!(
            segments,
            [("a", false), ("\\u{1b}", true), ("\\\\", true), ("b", false), ("\\u{20}", true)]
        );
        assert_eq!(visible("").segments().count(), 0);
    }

    #[test]
    fn width_is_in_cells() {
        assert_eq!(visible("abc").width(), 3);
        assert_eq!(visible("中文").width(), 4);
        assert_eq!(visible("\u{1b}").width(), 6);
        assert_eq!(visible("👩‍💻").width(), 2);
    }

    /// Text rich in what matters here.
    fn hostile() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            '\\',
            'u',
            '{',
            '}',
            ' ',
            'a',
            'e',
            '\u{1b}',
            '\u{9b}',
            '\u{301}',
            '\u{331}',
            '\u{200d}',
            '\u{fe0f}',
            '\u{202e}',
            '\u{430}',
            '\u{43c}',
            '\u{3bf}',
            '\u{1f469}',
            '\u{1f4bb}',
            '\u{2764}',
            '\u{1f525}',
            '\u{1112}',
            '\u{1161}',
            '\u{e0041}',
            '\u{1f1e9}',
            '\u{1f3fd}',
            '\u{feff}',
            '/',
            '\n',
        ]);
        prop::collection::vec(prop_oneof![odd, any::<char>()], 0..24)
            .prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn no_control_comes_out(text in hostile()) {
            prop_assert!(!shown(&text).chars().any(char::is_control));
        }

        #[test]
        fn different_texts_stay_different(text in hostile()) {
            prop_assert_eq!(reveal(&shown(&text)), text);
        }

        #[test]
        fn segments_are_the_text(text in hostile()) {
            let shown = visible(&text);
            let joined: String = shown.segments().map(|(segment, _)| segment).collect();
            prop_assert_eq!(joined, shown.into_string());
        }

        #[test]
        fn composed_and_decomposed_never_share_a_spelling(text in hostile()) {
            let composed: String = text.nfc().collect();
            prop_assert_eq!(text == composed, shown(&text).nfc().eq(shown(&composed).nfc()));
        }
    }

    #[test]
    fn every_character_can_be_undone() {
        // every plane that has characters of a known use
        for c in ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}') {
            let text = format!("a{c}b");
            let out = shown(&text);
            assert_eq!(reveal(&out), text);
            assert!(!out.chars().any(char::is_control), "{out:?}");
        }
    }
}
