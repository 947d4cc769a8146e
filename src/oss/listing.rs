//! Pages of a listing, kept small: one text for all keys, 40 bytes an object
//! beside it.

mod parse;
mod scan;

use std::fmt;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The whole key.
    pub key: &'a str,
    /// Bytes.
    pub size: u64,
    /// Unix seconds.
    pub last_modified: i64,
    /// Without its quotes; empty where the server names none.
    pub etag: String,
    /// Where it lies.
    pub storage_class: StorageClass,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    keys: String,
    rows: Vec<Row>,
    odd_etags: String,
    prefixes: String,
    prefix_ends: Vec<u32>,
    next: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    size: u64,
    etag: Etag,
    key_end: u32,
    /// Unix seconds; reach to the year 2106.
    modified: u32,
    class: StorageClass,
}

/// 32 hex digits are kept as 16 bytes; anything else as a place in `odd_etags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Etag {
    Upper([u8; 16]),
    Lower([u8; 16]),
    Odd { start: u32, length: u32 },
}

impl Page {
    /// Reads an answer to `ListObjectsV2` whole; see [`Fault`] for what is refused.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        parse::page(body)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is neither object nor prefix.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.prefix_ends.is_empty()
    }

    /// The objects, in the server's order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let key = stretch(&self.keys, start, row.key_end);
            start = row.key_end;
            Entry {
                key,
                size: row.size,
                last_modified: row.modified.into(),
                etag: self.etag(row.etag),
                storage_class: row.class,
            }
        })
    }

    /// The prefixes that the delimiter cut, in the server's order.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.prefix_ends.iter().map(move |&end| {
            let prefix = stretch(&self.prefixes, start, end);
            start = end;
            prefix
        })
    }

    /// The greatest key or prefix, in the order of keys.
    pub(super) fn greatest(&self) -> Option<&str> {
        let mut start = 0;
        let keys = self.rows.iter().map(|row| {
            let key = stretch(&self.keys, start, row.key_end);
            start = row.key_end;
            key
        });
        keys.chain(self.prefixes()).max()
    }

    /// Where the next page begins; `None` on the last one.
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    fn etag(&self, etag: Etag) -> String {
        match etag {
            Etag::Upper(bytes) => hex::encode_upper(bytes),
            Etag::Lower(bytes) => hex::encode(bytes),
            Etag::Odd { start, length } => {
                stretch(&self.odd_etags, start, start.saturating_add(length)).to_owned()
            }
        }
    }
}

fn stretch(text: &str, start: u32, end: u32) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
