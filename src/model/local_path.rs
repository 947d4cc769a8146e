//! Where a key lies on this machine's disk: never outside the chosen folder.
//!
//! A key may be `../x`, `/etc/x`, `a//b` or `CON`; copied as it is it would
//! leave the folder, lose a slash or not open. So bytes that some system reads
//! in its own way become `%XX`, on every system alike, for trees to be
//! portable. The spelling can be undone, so two keys never share a path; where
//! a file system itself folds case or accents, [`collisions`] tells before the
//! first byte is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// Bytes a name may have on ext4, APFS and NTFS alike.
const MAX_COMPONENT: usize = 255;
/// Bytes Linux takes for a path (`PATH_MAX`).
const MAX_PATH: usize = 4096;
/// Bytes kept of a name that is too long; the hash follows.
const KEPT: usize = 160;

/// A path below the chosen folder: its components are all plain names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelPath(String);

/// Why a key has no path of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No key at all.
    #[error("the key is empty: name an object")]
    Empty,
    /// A key that ends in `/`: consoles write those to show an empty folder.
    #[error("the key ends in / and marks a folder: there is no file to write")]
    Folder,
}

/// The path of `key` below the chosen folder.
pub fn local_path(key: &str) -> Result<RelPath, Reason> {
    if key.is_empty() {
        return Err(Reason::Empty);
    }
    if key.ends_with('/') {
        return Err(Reason::Folder);
    }
    let names: Vec<String> = key.split('/').map(local_name).collect();
    let path = names.join("/");
    if path.len() > MAX_PATH {
        return Ok(RelPath(shorten(&path.replace('/', "%2F"), key)));
    }
    Ok(RelPath(path))
}

impl RelPath {
    /// The path, with `/` between names.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, to be joined to the chosen folder.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The names from the top down; the last is the file's.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

/// Which names are one to a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Those of the same bytes.
    Exact,
    /// Those of the same text: `é` may be written as one character or as two.
    Forms,
    /// Those of the same text, whatever the case.
    Folded,
}

impl Names {
    /// What two paths are alike in where they are one.
    pub fn fold(self, path: &str) -> String {
        match self {
            Self::Exact => path.to_owned(),
            Self::Forms => path.nfc().collect(),
            Self::Folded => {
                // through upper case: `ß` and `SS`, `ſ` and `s` fall together
                let upper = path.nfc().flat_map(char::to_uppercase);
                upper.flat_map(char::to_lowercase).nfc().collect()
            }
        }
    }
}

/// Two paths that a file system cannot hold side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collision {
    /// Index of the one that came first.
    pub first: usize,
    /// Index of the one that collides with it.
    pub second: usize,
    /// How they collide.
    pub kind: CollisionKind,
}

/// How two paths collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollisionKind {
    /// They are one name there.
    SameName,
    /// `first` is a file where `second` needs a folder.
    FileAndFolder,
}

/// All collisions of `paths`, `/` between their names, where `names` are one; of the many below one
/// file, only the first.
pub fn collisions(paths: &[&str], names: Names) -> Vec<Collision> {
    let folded: Vec<String> = paths.iter().map(|path| names.fold(path)).collect();
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (second, path) in folded.iter().enumerate() {
        let first = *files.entry(path).or_insert(second);
        if first != second {
            found.push(Collision { first, second, kind: CollisionKind::SameName });
        }
    }
    let mut reported = BTreeSet::new();
    for (second, path) in folded.iter().enumerate() {
        let folders = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        for first in folders.filter_map(|folder| files.get(folder).copied()) {
            if reported.insert(first) {
                found.push(Collision { first, second, kind: CollisionKind::FileAndFolder });
            }
        }
    }
    found
}

/// One component as a file name.
fn local_name(component: &str) -> String {
    if component.is_empty() {
        // a name cannot hold a slash otherwise, so this one is free to mean "nothing here"
        return "%2F".to_owned();
    }
    let is_device = is_device(component);
    let last = component.len() - 1;
    let mut name = String::with_capacity(component.len());
    for (at, c) in component.char_indices() {
        let is_unsafe = match c {
            '\\' | ':' | '<' | '>' | '"' | '|' | '?' | '*' => true,
            // this covers `.` and `..`; Windows drops these at the end of a name
            '.' | ' ' => at == last,
            '%' => reads_as_escape(component.get(at + 1..).unwrap_or_default()),
            _ => c.is_control() || (is_device && at == 0),
        };
        if is_unsafe {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _infallible = write!(name, "%{byte:02X}");
            }
        } else {
            name.push(c);
        }
    }
    if name.len() > MAX_COMPONENT { shorten(&name, component) } else { name }
}

/// Whether `%` before `rest` would be taken for one of ours: `%XX`, or the mark of a hash.
fn reads_as_escape(rest: &str) -> bool {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    match rest.as_bytes() {
        [b'~', ..] => true,
        [high, low, ..] => is_digit(high) && is_digit(low),
        _ => false,
    }
}

/// Names Windows gives to devices in every folder and with any extension
/// (Microsoft, "Naming Files, Paths, and Namespaces").
fn is_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default().trim_end_matches(' ');
    let stem = stem.to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered.is_some_and(|number| {
            let mut chars = number.chars();
            let is_digit = chars.next().is_some_and(|c| "0123456789¹²³".contains(c));
            is_digit && chars.next().is_none()
        })
}

/// The beginning of `name`, and 128 bits of the hash of what it stands for. `%~` stands in no
/// other name.
fn shorten(name: &str, original: &str) -> String {
    let mut out = String::with_capacity(KEPT + 34);
    out.extend(name.chars().scan(0, |bytes, c| {
        *bytes += c.len_utf8();
        (*bytes <= KEPT).then_some(c)
    }));
    out.push_str("%~");
    for byte in Sha256::digest(original).iter().take(16) {
        let _infallible = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::url_encode;
    use proptest::prelude::*;
    use std::path::Component;

    fn path(key: &str) -> String {
        local_path(key).map(|path| path.0).unwrap()
    }

    /// Undoes [`local_path`] where nothing was shortened.
    fn key_of(path: &RelPath) -> String {
        // lower-case digits are no escape of ours, and the general decoder takes them
        let name = |name: &str| {
            let mut guarded = String::new();
            for (index, rest) in name.split('%').enumerate() {
                match index {
                    0 => {}
                    _ if reads_as_escape(rest) => guarded.push('%'),
                    _ => guarded.push_str("%25"),
                }
                guarded.push_str(rest);
            }
            let name = url_encode::decode(&guarded).unwrap();
            if name == "/" { String::new() } else { name }
        };
        path.components().map(name).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn plain_names_stay() {
        for key in [
            "zenml/trainer/model/data.json",
            "a",
            "-rf",
            "~",
            "$(x)",
            "%2e%2e",
            "100%",
            "%zz",
            ".hidden",
            "a b",
            "..a",
            "console.log",
            "COM10",
            "中文/é",
            "a.tar.gz",
        ] {
            assert_eq!(path(key), key);
        }
    }

    #[test]
    fn what_leads_elsewhere_is_escaped() {
        for (key, want) in [
            ("../../etc/x", ".%2E/.%2E/etc/x"),
            ("p/..", "p/.%2E"),
            (".", "%2E"),
            ("/abs", "%2F/abs"),
            ("dir//etc/x", "dir/%2F/etc/x"),
            ("..\\..\\x", "..%5C..%5Cx"),
            ("C:\\x", "C%3A%5Cx"),
            ("a\0b\u{1b}", "a%00b%1B"),
            ("\u{9b}", "%C2%9B"),
            ("CON", "%43ON"),
            ("aux.txt", "%61ux.txt"),
            ("x/COM1", "x/%43OM1"),
            ("lpt².tar.gz", "%6Cpt².tar.gz"),
            ("nul .txt", "%6Eul .txt"),
            ("trail.", "trail%2E"),
            ("trail ", "trail%20"),
            ("%2E%2E", "%252E%252E"),
            ("%~0", "%25~0"),
        ] {
            assert_eq!(path(key), want, "{key:?}");
        }
    }

    #[test]
    fn keys_without_a_file() {
        assert_eq!(local_path(""), Err(Reason::Empty));
        assert_eq!(local_path("a/"), Err(Reason::Folder));
        assert_eq!(local_path("/"), Err(Reason::Folder));
    }

    #[test]
    fn long_names_are_shortened_and_stay_apart() {
        assert_eq!(path(&"x".repeat(255)).len(), 255);
        let (a, b) = ("é".repeat(128), format!("{}e", "é".repeat(127)));
        assert!(path(&a).len() <= MAX_COMPONENT && path(&a).starts_with("éé"), "{}", path(&a));
        assert_ne!(path(&a), path(&format!("{b}x")));
        let short = path(&a);
        assert_ne!(path(&short), short, "a key cannot pose as a shortened one");
        let deep = format!("{}x", "0123456789/".repeat(400));
        let deeper = format!("{}y", "0123456789/".repeat(400));
        assert_eq!(local_path(&deep).unwrap().components().count(), 1);
        assert_ne!(path(&deep), path(&deeper));
    }

    #[test]
    fn collisions_are_seen_before_the_first_byte() {
        let keys = ["a", "b/C", "B/c", "a/b", "e\u{301}", "é", "x", "A/c", "straße", "STRASSE"];
        let paths: Vec<RelPath> = keys.iter().map(|key| local_path(key).unwrap()).collect();
        let paths: Vec<&str> = paths.iter().map(RelPath::as_str).collect();
        let same = |first, second| Collision { first, second, kind: CollisionKind::SameName };
        let below = |first, second| Collision { first, second, kind: CollisionKind::FileAndFolder };
        let folded = [same(1, 2), same(4, 5), same(8, 9), below(0, 3)];
        assert_eq!(collisions(&paths, Names::Folded), folded);
        assert_eq!(collisions(&paths, Names::Forms), [same(4, 5), below(0, 3)]);
        assert_eq!(collisions(&paths, Names::Exact), [below(0, 3)]);
        assert_eq!(collisions(&["A", "a/b"], Names::Folded), [below(0, 1)]);
        assert_eq!(collisions(&["A", "a/b"], Names::Exact), []);
    }

    fn hostile() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            "/", "..", ".", "\\", "%", "%2E", "%2F", "%~", "CON", "nul", ":", " ", "\0", "\u{85}",
            "a", "é", "~",
        ]);
        let any_text = any::<String>();
        prop::collection::vec(prop_oneof![3 => odd.prop_map(str::to_owned), 1 => any_text], 1..12)
            .prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn never_leaves_the_folder(key in hostile()) {
            if let Ok(path) = local_path(&key) {
                let names: Vec<Component<'_>> = path.as_path().components().collect();
                prop_assert!(names.iter().all(|name| matches!(name, Component::Normal(_))));
                prop_assert_eq!(names.len(), path.components().count());
                for name in path.components() {
                    prop_assert!(name.len() <= MAX_COMPONENT && !is_device(name));
                    prop_assert!(!name.ends_with(['.', ' ']) && !name.contains(['\\', ':']));
                    prop_assert!(!name.chars().any(char::is_control));
                }
            }
        }

        #[test]
        fn two_keys_never_share_a_path(key in hostile()) {
            if let Ok(path) = local_path(&key) && !path.as_str().contains("%~") {
                prop_assert_eq!(key_of(&path), key);
            }
        }

        #[test]
        fn plain_names_are_their_own_path(key in "[a-z0-9_-]{5,8}(/[a-z_-]{4,8}(\\.[a-z]{1,4})?){0,4}") {
            prop_assert_eq!(path(&key), key);
        }
    }
}
