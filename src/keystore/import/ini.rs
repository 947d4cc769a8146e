//! INI as ossutil (Go's `ini`) and the AWS tools (Python's `configparser`) read it. Nothing is an
//! error: a line that names nothing tells nothing.

/// What a line means that stands further in than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indented {
    /// The same as any other: Go.
    Counts,
    /// It belongs to the value above: Python.
    GoesOn,
}

/// `[name]` and what follows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section<'a> {
    /// As it is written, without quotes; empty before the first one.
    pub(super) name: &'a str,
    /// Names as they count, and values without quotes and remarks.
    entries: Vec<(String, &'a str)>,
}

impl<'a> Section<'a> {
    /// The last value of any of `names`, each in small letters without `_` and `-`; an empty one
    /// counts as not there.
    pub(super) fn get(&self, names: &[&str]) -> Option<&'a str> {
        let mut entries = self.entries.iter().rev();
        let found = entries.find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// The name behind a word in front of it: `temp` of `profile temp`, in any case and in quotes.
    pub(super) fn name_after(&self, word: &str) -> Option<&'a str> {
        let (first, rest) = self.name.split_once([' ', '\t'])?;
        first.eq_ignore_ascii_case(word).then(|| bare(rest))
    }
}

/// The sections of `text` in their order; one of the same name stands for itself.
pub(super) fn sections(text: &str, indented: Indented) -> Vec<Section<'_>> {
    let mut sections = vec![Section::default()];
    // how far in the last entry of the section stood
    let mut depth = None;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let words = line.trim();
        let here = line.len() - line.trim_start().len();
        let goes_on = indented == Indented::GoesOn && depth.is_some_and(|depth| here > depth);
        if words.is_empty() || words.starts_with(['#', ';']) || goes_on {
            continue;
        }
        let header = words.strip_prefix('[').and_then(|rest| Some(rest.rsplit_once(']')?.0));
        if let Some(name) = header {
            sections.push(Section { name: bare(name), entries: Vec::new() });
            depth = None;
            continue;
        }
        let Some((name, value)) = words.split_once(['=', ':']) else { continue };
        depth = Some(here);
        if let Some(section) = sections.last_mut() {
            let name = name.trim().to_ascii_lowercase().replace(['_', '-'], "");
            section.entries.push((name, bare(value)));
        }
    }
    sections
}

/// A value without the quotes around it, or without the remark behind it.
fn bare(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        let inside = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote));
        if let Some((inside, _)) = inside {
            return inside;
        }
    }
    let remark = [" #", " ;", "\t#", "\t;"].iter().filter_map(|sign| value.find(sign)).min();
    remark.and_then(|at| value.get(..at)).unwrap_or(value).trim_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_names_and_values() {
        let text = "\u{feff}early = 1\r\n[ a ] # remark\r\n; no = entry\r\nAccess-Key_ID=x=y\r\n\
                    quoted = \"# not a remark\" # one\nsingle: 'v'\nlast = 1\nlast = 2 ; two\n\
                    no entry\n[profile \"b c\"]\nempty =\nhash = a#b\n";
        let all = sections(text, Indented::Counts);
        let names: Vec<_> = all.iter().map(|section| section.name).collect();
        assert_eq!(names, ["", "a", "profile \"b c\""]);
        assert_eq!(all[0].get(&["early"]), Some("1"));
        let a = |name| all[1].get(&[name]);
        assert_eq!((a("accesskeyid"), a("quoted")), (Some("x=y"), Some("# not a remark")));
        assert_eq!((a("single"), a("last"), a("no")), (Some("v"), Some("2"), None));
        assert_eq!((all[2].get(&["empty"]), all[2].get(&["hash"])), (None, Some("a#b")));
        assert_eq!(
            (all[2].name_after("profile"), all[1].name_after("profile")),
            (Some("b c"), None)
        );
    }

    #[test]
    fn what_stands_further_in_belongs_to_the_value_above_for_python() {
        let text = "[default]\naws_access_key_id = x\ns3 =\n    region = nested\nregion = own\n\
                    [in]\n  region = all\n  output = json\n    region = nested\n";
        let region = |indented| -> Vec<_> {
            sections(text, indented).iter().map(|section| section.get(&["region"])).collect()
        };
        assert_eq!(region(Indented::GoesOn), [None, Some("own"), Some("all")]);
        assert_eq!(region(Indented::Counts), [None, Some("own"), Some("nested")]);
    }

    #[test]
    fn a_megabyte_of_anything_is_read_at_once() {
        for line in ["[", "[a]\n", "a=\n", "=\n", "\"", " ", "[a]\naccess_key_id=x\n", "a=\"\n"] {
            let text = line.repeat((1 << 20) / line.len());
            assert!(sections(&text, Indented::GoesOn).len() <= text.len());
        }
    }

    proptest! {
        #[test]
        fn nothing_is_made_up(text in "[a-z=:\"'#;\\[\\]\n\r\t \u{0}\u{feff}äß_-]{0,200}") {
            for indented in [Indented::Counts, Indented::GoesOn] {
                for section in sections(&text, indented) {
                    prop_assert!(text.contains(section.name));
                    for (name, value) in &section.entries {
                        prop_assert!(text.contains(value), "{name}: {value:?}");
                        prop_assert!(!value.contains('\n'));
                    }
                }
            }
        }

        #[test]
        fn what_a_tool_writes_is_read_back(
            name in "[a-z]{1,12}",
            entries in prop::collection::vec(("[a-z]{1,9}", "[A-Za-z0-9+/=.]{1,40}"), 0..6),
            quoted: bool,
            ending in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let quote = if quoted { "\"" } else { "" };
            let mut text = format!("[{name}]{ending}");
            let lines = entries.iter();
            let lines = lines.map(|(entry, value)| format!("{entry} = {quote}{value}{quote}{ending}"));
            text.extend(lines);
            let all = sections(&text, Indented::GoesOn);
            prop_assert_eq!(all.len(), 2);
            for (entry, _) in &entries {
                let last = entries.iter().rev().find(|(other, _)| other == entry).unwrap();
                prop_assert_eq!(all[1].get(&[entry.as_str()]), Some(last.1.as_str()));
            }
        }
    }
}
