//! What some bytes of an object say, in a form a screen can show.
//!
//! Pure: bytes in, content out, or a range that is wanted besides ([`Reader`]). Nothing is
//! executed or unpickled, gzip and pages of parquet alone are unpacked, each no further than [a
//! limit](MOST_UNPACKED), and lists are cut, so a small object cannot become a large preview. No
//! length that stands in the bytes is believed before so many bytes were read.

mod gzip;
mod json;
mod markup;
mod npy;
mod parquet;
mod pickle;
mod picture;
mod reader;
mod safetensors;
mod source;
mod thrift;
mod zip;

use std::sync::Arc;

use serde_json::Value;

use self::json::Fault;
use crate::base::pixels::Pixels;

pub use self::json::{Block, Document};
pub use self::reader::{Next, Reader};

/// The most that is read of an object unless the user asks for more, in bytes.
pub const FIRST_READ: u64 = 256 * 1024;
/// What may be read besides of a form that describes itself elsewhere: with the beginning 1 MiB.
/// Where the user asks for more of the beginning, as much again may be read besides.
pub const BESIDES: u64 = (1 << 20) - FIRST_READ;

/// The most that is unpacked of a compressed object, however much of it was read.
pub const MOST_UNPACKED: usize = 1 << 20;

/// What to show of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The content by its form.
    pub content: Content,
    /// Bytes that were read.
    pub read: u64,
    /// Bytes the object has.
    pub total: u64,
    /// What should be known about it.
    pub note: Option<String>,
    /// More of the object may be read, but nothing more would be shown.
    pub is_full: bool,
}

/// The forms a preview takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Zero bytes.
    Empty,
    /// Plain text, by lines.
    Text(Vec<String>),
    /// One JSON document.
    Json(Document),
    /// A log or other records, one JSON object a line.
    Records(Vec<Record>),
    /// CSV or TSV.
    Table(Table),
    /// What a file of a known form says of itself.
    Structure(Structure),
    /// Markdown, or the text of a page of HTML.
    Prose(Vec<Passage>),
    /// Anything else: offset, hex and text.
    Hex(Vec<String>),
}

/// One line of JSON Lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The level, where the line is one of ZenML's logs.
    pub level: Option<Level>,
    /// Time of day, where there is one.
    pub time: Option<String>,
    /// The message, or the whole line where it is no log.
    pub text: String,
}

/// Python's logging levels, as ZenML writes them (10, 20, 30, 40, 50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are Python's own")]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl Level {
    /// The level of a number.
    pub fn of(number: u64) -> Self {
        match number {
            0..20 => Self::Debug,
            20..30 => Self::Info,
            30..40 => Self::Warning,
            40..50 => Self::Error,
            _ => Self::Critical,
        }
    }

    /// Five letters at most.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Error => "error",
            Self::Critical => "fatal",
        }
    }
}

/// Cells of a CSV or TSV file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The first row.
    pub header: Vec<String>,
    /// The others; short rows stay short.
    pub rows: Vec<Vec<String>>,
}

/// What a header or a directory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The name of the form.
    pub form: &'static str,
    /// What it says, by subject.
    pub sections: Vec<Section>,
    /// What it looks like, of a picture.
    pub pixels: Option<Arc<Pixels>>,
}

impl Structure {
    /// Words alone.
    fn new(form: &'static str, sections: Vec<Section>) -> Self {
        Self { form, sections, pixels: None }
    }
}

/// A part of a [`Structure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about; the first says it of the whole.
    pub title: Option<String>,
    /// Its rows; the header may be empty.
    pub table: Table,
}

impl Section {
    /// Names and what they stand for.
    fn facts(facts: Vec<(&'static str, String)>) -> Self {
        let rows = facts.into_iter().map(|(name, fact)| vec![name.to_owned(), fact]).collect();
        Self { title: None, table: Table { header: Vec::new(), rows } }
    }
}

/// A line of [`Content::Prose`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// What the line is.
    pub kind: PassageKind,
    /// Its text.
    pub text: String,
}

/// What a line of prose is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum PassageKind {
    Text,
    Heading,
    Code,
    Quote,
}

/// What plain bytes say: text, records, a table, or nothing but bytes.
fn content(key: &str, bytes: &[u8], whole: bool) -> (Content, Option<String>) {
    if bytes.is_empty() {
        return (Content::Empty, None);
    }
    let name = file_name(key);
    if has_extension(&name, &["pkl", "pickle"]) {
        let note = "pickle: shown as bytes, never unpickled (unpickling runs code)";
        return (Content::Hex(hex(bytes)), Some(note.into()));
    }
    let Some((mut text, note)) = decode(bytes, whole) else {
        return (Content::Hex(hex(bytes)), None);
    };
    if has_extension(&name, &["csv", "tsv"]) {
        let delimiter = if name.ends_with("tsv") { b'\t' } else { delimiter(&text) };
        if let Some(table) = table(&text, delimiter, whole) {
            return (Content::Table(table), note);
        }
    }
    if (has_extension(&name, &["jsonl", "ndjson", "log"]) || looks_like_records(&text))
        && let Some(records) = records(&text, whole)
    {
        return (Content::Records(records), note);
    }
    if has_extension(&name, &["json"]) || text.trim_start().starts_with(['{', '[']) {
        let is_named = has_extension(&name, &["json"]);
        match Document::parse(text) {
            Ok(document) => return (Content::Json(document), note),
            Err((back, fault)) => {
                let why = match fault {
                    Fault::Deep => Some("JSON, too deep to be folded: shown as text".to_owned()),
                    Fault::Invalid(_) if !whole => {
                        Some("JSON, as far as it was read: too long to be folded".to_owned())
                    }
                    Fault::Invalid(why) => is_named.then(|| format!("not valid JSON: {why}")),
                };
                if let Some(why) = why {
                    return (Content::Text(lines(&back)), note.or(Some(why)));
                }
                text = back;
            }
        }
    }
    if has_extension(&name, &["html", "htm"]) {
        let note = note.or_else(|| Some("HTML: its text alone".into()));
        return (Content::Prose(markup::html(&text)), note);
    }
    if has_extension(&name, &["md", "markdown"]) {
        return (Content::Prose(markup::markdown(&text)), note);
    }
    (Content::Text(lines(&text)), note)
}

fn file_name(key: &str) -> String {
    key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase()
}

fn has_extension(name: &str, wanted: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| wanted.contains(&extension))
}

/// The text, or nothing where the bytes are no text.
fn decode(bytes: &[u8], whole: bool) -> Option<(String, Option<String>)> {
    let utf16 = |little: bool| {
        let units = bytes.get(2..).unwrap_or_default().chunks_exact(2).filter_map(|pair| {
            let pair = <[u8; 2]>::try_from(pair).ok()?;
            Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
        });
        let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        Some((text.collect(), Some("UTF-16".to_owned())))
    };
    match bytes {
        [0xFF, 0xFE, ..] => return utf16(true),
        [0xFE, 0xFF, ..] => return utf16(false),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.iter().take(8192).any(|b| *b == 0) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some((text.to_owned(), None)),
        // a character cut by the end of the range is no fault of the object
        Err(error) if !whole && error.error_len().is_none() => {
            let valid = bytes.get(..error.valid_up_to())?;
            Some((String::from_utf8_lossy(valid).into_owned(), None))
        }
        Err(_) if is_latin(bytes) => {
            let text = bytes.iter().map(|byte| char::from(*byte)).collect();
            Some((text, Some("not UTF-8: read as Latin-1".into())))
        }
        Err(_) => {
            let text = String::from_utf8_lossy(bytes);
            let broken = text.matches(char::REPLACEMENT_CHARACTER).count();
            // more than one in twenty: not text in an odd encoding, but no text
            (broken * 20 <= text.chars().count())
                .then(|| (text.into_owned(), Some(format!("not UTF-8 in {broken} places"))))
        }
    }
}

/// Whether it may be text of one byte a letter: no controls of either half, few letters of the
/// upper one, and no letter that is UTF-8.
fn is_latin(bytes: &[u8]) -> bool {
    let control = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 0x7F..=0x9F);
    let upper = bytes.iter().filter(|byte| **byte >= 0xA0).count();
    let no_utf8 = bytes.utf8_chunks().all(|chunk| chunk.valid().is_ascii());
    no_utf8 && !bytes.iter().any(control) && upper * 4 <= bytes.len()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|mark| {
            // the first of equals wins, and max_by_key takes the last: commas count one more
            first.bytes().filter(|b| b == mark).count() * 2 + usize::from(*mark == b',')
        })
        .unwrap_or(b',')
}

fn table(text: &str, delimiter: u8, whole: bool) -> Option<Table> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows: Result<Vec<Vec<String>>, _> = reader
        .records()
        .map(|row| row.map(|row| row.iter().map(str::to_owned).collect()))
        .collect();
    let mut rows = rows.ok()?;
    if !whole && rows.len() > 1 {
        // the last row may be cut
        rows.pop();
    }
    let mut rows = rows.into_iter();
    Some(Table { header: rows.next()?, rows: rows.collect() })
}

fn looks_like_records(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let object = |line: Option<&str>| {
        line.is_some_and(|line| {
            line.starts_with('{') && serde_json::from_str::<Value>(line).is_ok()
        })
    };
    object(lines.next()) && object(lines.next())
}

fn records(text: &str, whole: bool) -> Option<Vec<Record>> {
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if !whole && !text.ends_with('\n') && lines.len() > 1 {
        lines.pop();
    }
    lines.iter().map(|line| record(line)).collect()
}

fn record(line: &str) -> Option<Record> {
    let value: Value = serde_json::from_str(line).ok()?;
    let object = value.as_object()?;
    let level = object.get("level").and_then(Value::as_u64).map(Level::of);
    let time = object.get("timestamp").and_then(Value::as_str).map(|time| {
        // 2026-11-22T07:18:07.300563Z: the day is the object's, the second is enough
        let day_off = time.split_once('T').map_or(time, |(_, time)| time);
        day_off.chars().take(8).collect()
    });
    let text = match object.get("message").and_then(Value::as_str) {
        Some(message) if level.is_some() => message.to_owned(),
        _ => line.to_owned(),
    };
    Some(Record { level, time, text })
}

fn hex(bytes: &[u8]) -> Vec<String> {
    let row = |(index, chunk): (usize, &[u8])| {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = chunk
            .iter()
            .map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' })
            .collect();
        format!("{:06x}  {:47}  {text}", index * 16, hex.join(" "))
    };
    bytes.chunks(16).take(256).enumerate().map(row).collect()
}

#[cfg(test)]
mod forms_tests;
#[cfg(test)]
mod gzip_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(key: &str, bytes: &[u8], total: u64) -> Preview {
        let reader = Reader::new(key, bytes.to_vec().into(), total, 0);
        let Next::Show(preview) = reader.look() else { panic!("it wants more") };
        preview
    }

    fn of(key: &str, text: &str) -> Content {
        preview(key, text.as_bytes(), text.len() as u64).content
    }

    #[test]
    fn a_zenml_log_by_level() {
        let line = r#"{"message":"Step `load` has started.","name":"x","level":30,"timestamp":"2026-11-22T07:18:07.300563Z","chunk_index":0}"#;
        let Content::Records(records) = of("zenml/logs/x.log", &format!("{line}\n{line}\n")) else {
            panic!("no records");
        };
        assert_eq!(records.len(), 2);
        assert_eq!(
            records[0],
            Record {
                level: Some(Level::Warning),
                time: Some("07:18:07".into()),
                text: "Step `load` has started.".into()
            }
        );
    }

    #[test]
    fn json_is_a_document_and_broken_json_is_said() {
        let whole = preview("data.json", br#"{"a":[1]}"#, 9);
        let Content::Json(document) = whole.content else { panic!("no document") };
        assert_eq!((document.len(), document.line(1)), (5, "\"a\": [".into()));
        let broken = preview("data.json", b"{\"a\":", 5);
        assert!(broken.note.unwrap().contains("not valid JSON"));
        let cut = preview("data.json", b"{\"a\":", 500);
        assert!(cut.note.unwrap().contains("as far as it was read"));
    }

    #[test]
    fn tables_drop_a_row_that_was_cut() {
        let Content::Table(table) = preview("x.csv", b"a,b\n1,\"x, y\"\n2,z", 500).content else {
            panic!("no table");
        };
        assert_eq!(table.header, ["a", "b"]);
        assert_eq!(table.rows, [["1", "x, y"]]);
        let Content::Table(table) = of("x.csv", "a;b\n1;2\n") else { panic!("no table") };
        assert_eq!(table.header, ["a", "b"]);
    }

    #[test]
    fn binary_is_hex_and_a_cut_character_is_text() {
        assert!(matches!(of("x.bin", "a\0b"), Content::Hex(_)));
        assert!(matches!(of("artifact.pkl", "plain"), Content::Hex(_)));
        let cut = preview("x.txt", "中".as_bytes().get(..2).unwrap(), 3);
        assert_eq!(cut.content, Content::Text(vec![]));
        assert_eq!(of("x", ""), Content::Empty);
    }

    #[test]
    fn latin_1_is_said_and_a_broken_utf_8_is_no_latin_1() {
        let latin = preview("x.txt", b"Gr\xFC\xDFe aus K\xF6ln\n", 16);
        assert_eq!(latin.content, Content::Text(vec!["Grüße aus Köln".into()]));
        assert_eq!(latin.note.as_deref(), Some("not UTF-8: read as Latin-1"));
        let broken = [b"a ".repeat(40).as_slice(), "中".as_bytes(), b"\xFF"].concat();
        let note = preview("x.txt", &broken, broken.len() as u64).note.unwrap();
        assert!(note.contains("not UTF-8 in 1 place"), "{note}");
    }
}
