//! A preview in steps: what was read so far is shown, or a range is named that it takes besides.

use bytes::Bytes;

use super::gzip::{self, Unpacked};
use super::source::{Source, Stop};
use super::{Content, Preview, content, file_name, has_extension, npy, parquet, pickle};
use super::{picture, safetensors, zip};

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This is to be shown.
    Show(Preview),
    /// These bytes are to be read and [given](Reader::add).
    Need {
        /// Where they begin.
        offset: u64,
        /// How many they are.
        length: u64,
    },
}

/// One object that is being looked at.
#[derive(Clone, Debug)]
pub struct Reader {
    key: String,
    source: Source,
}

impl Reader {
    /// The object `key` of `total` bytes, `first` its beginning; `more` bytes may be read besides.
    pub fn new(key: &str, first: Bytes, total: u64, more: u64) -> Self {
        Self { key: key.to_owned(), source: Source::new(first, total, more) }
    }

    /// What was read from `offset` on when `asked` bytes were wanted.
    pub fn add(&mut self, offset: u64, asked: u64, bytes: Bytes) {
        self.source.add(offset, asked, bytes);
    }

    /// What to show, or what to read for it.
    pub fn look(&self) -> Next {
        let source = &self.source;
        let packed = match gzip::read(&self.key, source) {
            Err(Stop::Need { offset, length }) => return Next::Need { offset, length },
            Err(Stop::Spent | Stop::Damaged(_)) | Ok(None) => None,
            Ok(Some(unpacked)) => Some(unpacked),
        };
        let is_full = packed.as_ref().is_some_and(|packed| packed.is_full);
        let shown = match packed {
            Some(Unpacked { name, source, note, .. }) => {
                // nothing that is inside can be read by itself
                let (content, inner) = shown(&name, &source).unwrap_or((Content::Empty, None));
                let empty = content == Content::Empty;
                let content = if empty { Content::Text(Vec::new()) } else { content };
                let note = [Some(note), inner].into_iter().flatten().collect::<Vec<_>>().join("; ");
                Ok((content, Some(note)))
            }
            None => shown(&self.key, source),
        };
        match shown {
            Err((offset, length)) => Next::Need { offset, length },
            Ok((content, note)) => Next::Show(Preview {
                content,
                read: source.read(),
                total: source.total,
                note,
                is_full,
            }),
        }
    }
}

/// The content of `source`, or the range that has to be read for it.
fn shown(key: &str, source: &Source) -> Result<(Content, Option<String>), (u64, u64)> {
    let plain = || content(key, source.first(), source.first().len() as u64 >= source.total);
    Ok(match known(key, source) {
        Err(Stop::Need { offset, length }) => return Err((offset, length)),
        Ok(Some(known)) => known,
        Ok(None) => plain(),
        Err(Stop::Spent) => {
            let why = "what describes this file is longer than what is read of it at first";
            (plain().0, Some(why.to_owned()))
        }
        Err(Stop::Damaged(why)) => (plain().0, Some(format!("the file is damaged: {why}"))),
    })
}

/// The content by the form that the bytes show, or the name where they show none.
fn known(key: &str, source: &Source) -> Result<Option<(Content, Option<String>)>, Stop> {
    let name = file_name(key);
    if has_extension(&name, &["safetensors"]) {
        return safetensors::read(source).map(Some);
    }
    if has_extension(&name, &["pkl", "pickle"]) {
        return Ok(pickle::read(source));
    }
    if let Some(found) = npy::read(source)? {
        return Ok(Some(found));
    }
    if let Some(found) = parquet::read(source)? {
        return Ok(Some(found));
    }
    if let Some(found) = zip::read(source)? {
        return Ok(Some(found));
    }
    picture::read(source)
}
