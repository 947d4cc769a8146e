//! Pages of a listing, kept small: one text for all keys, and beside it columns of 33 bytes an
//! object in all. A page is what the browser keeps as it came, a million keys as a thousand pages.

pub mod inventory;
mod parse;
mod scan;
pub mod split;

use std::fmt;

use super::object::Version;
use super::xml::Fault;

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// Keys begin with it, literally.
    pub prefix: String,
    /// Keys are cut behind it and come as prefixes; `None` for all keys below.
    pub delimiter: Option<String>,
    /// Only keys after this one.
    pub start_after: Option<String>,
    /// Where the page before left off.
    pub continuation: Option<String>,
    /// Keys and prefixes a page, 1 to 1000; `None` for 1000. OSS's own default is 100.
    pub max_keys: Option<u16>,
}

/// Storage classes, in both vocabularies of OSS's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StorageClass {
    /// `Standard`, `STANDARD`.
    #[default]
    Standard,
    /// `IA`, `STANDARD_IA`.
    InfrequentAccess,
    /// `Archive`, `GLACIER`: restore first.
    Archive,
    /// `ColdArchive`: restore first.
    ColdArchive,
    /// `DeepColdArchive`: restore first.
    DeepColdArchive,
    /// One we do not know.
    Other,
}

impl StorageClass {
    /// The class named by `text`, whatever its case.
    pub fn parse(text: &str) -> Self {
        let is = |names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        if is(&["Standard"]) {
            Self::Standard
        } else if is(&["IA", "STANDARD_IA"]) {
            Self::InfrequentAccess
        } else if is(&["Archive", "GLACIER"]) {
            Self::Archive
        } else if is(&["ColdArchive", "COLD_ARCHIVE"]) {
            Self::ColdArchive
        } else if is(&["DeepColdArchive", "DEEP_COLD_ARCHIVE", "DEEP_ARCHIVE"]) {
            Self::DeepColdArchive
        } else {
            Self::Other
        }
    }

    /// OSS's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::InfrequentAccess => "IA",
            Self::Archive => "Archive",
            Self::ColdArchive => "ColdArchive",
            Self::DeepColdArchive => "DeepColdArchive",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for StorageClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An object in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The whole key.
    pub key: &'a str,
    /// Bytes.
    pub size: u64,
    /// Unix seconds.
    pub last_modified: i64,
    /// Without its quotes; empty where the server names none.
    pub etag: ETag<'a>,
    /// Where it lies.
    pub storage_class: StorageClass,
}

impl Entry<'_> {
    /// Which version of its object it is, where the server says so.
    pub fn version(&self) -> Option<Version> {
        let etag = self.etag.to_string();
        (!etag.is_empty()).then_some(Version { etag, size: self.size })
    }
}

/// An `ETag`, as a page keeps it; its text is its `Display`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ETag<'a> {
    /// 32 hex digits in upper case: an MD5, as OSS writes it.
    Upper([u8; 16]),
    /// 32 hex digits in lower case.
    Lower([u8; 16]),
    /// Anything else: of parts (`…-3`), of another kind, none.
    Odd(&'a str),
}

impl ETag<'_> {
    /// The MD5 of the bytes, where it may be one.
    pub fn md5(self) -> Option<[u8; 16]> {
        match self {
            Self::Upper(md5) | Self::Lower(md5) => Some(md5),
            Self::Odd(_) => None,
        }
    }
}

impl fmt::Display for ETag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upper(md5) => f.write_str(&hex::encode_upper(md5)),
            Self::Lower(md5) => f.write_str(&hex::encode(md5)),
            Self::Odd(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for ETag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Keys and prefixes of a page, at the most: a request asks for 1,000.
pub const MOST_ROWS: usize = 1024;

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    keys: String,
    key_ends: Vec<u32>,
    sizes: Vec<u64>,
    /// Unix seconds; reach to the year 2106.
    modified: Vec<u32>,
    etags: Vec<[u8; 16]>,
    marks: Vec<Mark>,
    odd_etags: String,
    prefixes: String,
    prefix_ends: Vec<u32>,
    next: Option<String>,
}

/// What is small of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    class: StorageClass,
    etag: Form,
}

/// How the 16 bytes of an `ETag` are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Upper,
    Lower,
    /// A place in `odd_etags`: where it starts and how long it is, 4 bytes each.
    Odd,
}

impl Page {
    /// Reads an answer to `ListObjectsV2` whole; see [`Fault`] for what is refused.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        parse::page(body)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.key_ends.len()
    }

    /// Whether there is neither object nor prefix.
    pub fn is_empty(&self) -> bool {
        self.key_ends.is_empty() && self.prefix_ends.is_empty()
    }

    /// The object at `index`, in the server's order.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        let mark = self.marks.get(index)?;
        Some(Entry {
            key: text_at(&self.keys, &self.key_ends, index)?,
            size: *self.sizes.get(index)?,
            last_modified: (*self.modified.get(index)?).into(),
            etag: self.etag(mark.etag, *self.etags.get(index)?),
            storage_class: mark.class,
        })
    }

    /// The objects, in the server's order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).filter_map(|index| self.entry(index))
    }

    /// All keys one behind another, and where each ends: what a search reads.
    pub fn keys(&self) -> (&str, &[u32]) {
        (&self.keys, &self.key_ends)
    }

    /// The bytes of each object.
    pub fn sizes(&self) -> &[u64] {
        &self.sizes
    }

    /// When each object was written, in Unix seconds.
    pub fn modified(&self) -> &[u32] {
        &self.modified
    }

    /// Where the object at `index` lies.
    pub fn class(&self, index: usize) -> Option<StorageClass> {
        self.marks.get(index).map(|mark| mark.class)
    }

    /// How many prefixes the delimiter cut.
    pub fn prefix_count(&self) -> usize {
        self.prefix_ends.len()
    }

    /// The prefix at `index`, in the server's order.
    pub fn prefix(&self, index: usize) -> Option<&str> {
        text_at(&self.prefixes, &self.prefix_ends, index)
    }

    /// The prefixes that the delimiter cut, in the server's order.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        (0..self.prefix_count()).filter_map(|index| self.prefix(index))
    }

    /// All prefixes one behind another, and where each ends.
    pub fn prefix_texts(&self) -> (&str, &[u32]) {
        (&self.prefixes, &self.prefix_ends)
    }

    /// The least key or prefix. A page is in order: OSS lists by the bytes of the key.
    pub fn least(&self) -> Option<&str> {
        let key = text_at(&self.keys, &self.key_ends, 0);
        key.into_iter().chain(self.prefix(0)).min()
    }

    /// The greatest key or prefix, in the order of keys.
    pub fn greatest(&self) -> Option<&str> {
        let keys = (0..self.len()).filter_map(|at| text_at(&self.keys, &self.key_ends, at));
        keys.chain(self.prefixes()).max()
    }

    /// Where the next page begins; `None` on the last one.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Drops what does not come behind `after`: prefixes that stand for keys that do, and what a
    /// server sends that does not heed where to begin.
    pub(super) fn keep_behind(&mut self, after: &str) {
        if self.prefixes().any(|prefix| prefix <= after) {
            self.keep_prefixes(|prefix| prefix > after);
        }
        let keys = (0..self.len()).filter_map(|at| text_at(&self.keys, &self.key_ends, at));
        let gone = keys.take_while(|key| *key <= after).count();
        let cut = gone.checked_sub(1).and_then(|last| self.key_ends.get(last)).copied();
        let Some(cut) = cut else { return };
        self.keys.drain(..cut as usize);
        self.key_ends.drain(..gone);
        self.key_ends.iter_mut().for_each(|end| *end -= cut);
        self.sizes.drain(..gone);
        self.modified.drain(..gone);
        self.etags.drain(..gone);
        self.marks.drain(..gone);
    }

    /// Drops what comes behind `until`.
    pub(super) fn keep_until(&mut self, until: &str) {
        let keys = (0..self.len()).filter_map(|at| text_at(&self.keys, &self.key_ends, at));
        let kept = keys.take_while(|key| *key <= until).count();
        let end = kept.checked_sub(1).and_then(|last| self.key_ends.get(last)).copied();
        self.keys.truncate(end.unwrap_or(0) as usize);
        self.key_ends.truncate(kept);
        self.sizes.truncate(kept);
        self.modified.truncate(kept);
        self.etags.truncate(kept);
        self.marks.truncate(kept);
        self.keep_prefixes(|prefix| prefix <= until);
    }

    fn keep_prefixes(&mut self, keep: impl Fn(&str) -> bool) {
        let kept: Vec<String> =
            self.prefixes().filter(|prefix| keep(prefix)).map(str::to_owned).collect();
        self.prefixes.clear();
        self.prefix_ends.clear();
        for prefix in kept {
            self.prefixes.push_str(&prefix);
            // no longer than the text that was there
            self.prefix_ends.push(u32::try_from(self.prefixes.len()).unwrap_or(u32::MAX));
        }
    }

    fn etag(&self, form: Form, bytes: [u8; 16]) -> ETag<'_> {
        match form {
            Form::Upper => ETag::Upper(bytes),
            Form::Lower => ETag::Lower(bytes),
            Form::Odd => {
                let [s0, s1, s2, s3, l0, l1, l2, l3, ..] = bytes;
                let start = u32::from_le_bytes([s0, s1, s2, s3]);
                let length = u32::from_le_bytes([l0, l1, l2, l3]);
                ETag::Odd(stretch(&self.odd_etags, start, start.saturating_add(length)))
            }
        }
    }
}

/// The text at `index` of those that end at `ends`.
fn text_at<'a>(texts: &'a str, ends: &[u32], index: usize) -> Option<&'a str> {
    let end = *ends.get(index)?;
    let start = index.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end);
    texts.get(start as usize..end as usize)
}

fn stretch(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
