//! The file as text: reading what people and editors leave, writing back what was there.

use std::path::Path;
use std::time::Duration;

use toml_edit::{Document, DocumentMut, TomlError};

use super::edit::Edit;
use super::migrate::{Schema, migrate, schema_of};
use super::{Catalog, Content, Error, Problem, Severity, schema};
use crate::base::atomic_file;
use crate::base::visible::visible;

/// A catalog of 10,000 stacks is 330 kB; nothing honest is larger than this.
const MAX_BYTES: u64 = 16 << 20;
const BACKUPS: usize = 5;
/// How long an edit waits for another process's.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const BOM: char = '\u{feff}';

const HEADER: &str = "\
# The catalog of osstack: artifact stores, components and stacks.
# Edit it by hand or with osstack; comments, order and unknown keys stay as they are.
# Secrets do not belong here: stores name them, the keystore holds them.
schema = 1
";

/// The text of `path`, without a byte order mark, and the catalog it says.
pub(super) fn load(path: &Path) -> Result<(String, Catalog), Error> {
    let Some(bytes) = atomic_file::read(path, MAX_BYTES)? else {
        let catalog = Catalog {
            path: path.to_owned(),
            exists: false,
            newer: None,
            content: Content::default(),
        };
        return Ok((HEADER.to_owned(), catalog));
    };
    let text = decode(path, bytes)?;
    let catalog = parse(path, text.strip_prefix(BOM).unwrap_or(&text))?;
    Ok((text, catalog))
}

/// See [`Catalog::edit`].
pub(super) fn edit<T>(
    path: &Path,
    random: u64,
    change: impl FnOnce(&mut Edit) -> Result<T, Error>,
) -> Result<(T, Catalog), Error> {
    let options = atomic_file::Options { backups: BACKUPS, ..Default::default() };
    let _lock = atomic_file::lock(path, LOCK_WAIT, options.dir_mode)?;
    let (text, catalog) = load(path)?;
    if let Some(error) = catalog.read_only() {
        return Err(error);
    }
    let body = text.strip_prefix(BOM).unwrap_or(&text);
    let document = document(path, body)?.into_mut();
    let before = document.to_string();
    let mut edit = Edit::new(document);
    let answer = change(&mut edit)?;
    let mut document = edit.into_document();
    if document.to_string() == before {
        return Ok((answer, catalog));
    }
    if schema_of(document.as_table()) == Schema::Older {
        migrate(&mut document);
    }
    let written = restyle(&text, &document);
    // what cannot be read again is never written
    let edited = parse(path, written.strip_prefix(BOM).unwrap_or(&written))?;
    atomic_file::write(path, written.as_bytes(), random, &options)?;
    Ok((answer, edited))
}

/// The document's text with the byte order mark and the line ends of `original`.
fn restyle(original: &str, document: &DocumentMut) -> String {
    let mut text = document.to_string();
    if original.contains("\r\n") {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    if original.starts_with(BOM) {
        text.insert(0, BOM);
    }
    text
}

fn decode(path: &Path, bytes: Vec<u8>) -> Result<String, Error> {
    let refused = |what: &str| Error::NotText { path: path.to_owned(), what: what.to_owned() };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refused("UTF-16 text"));
    }
    if bytes.contains(&0) {
        return Err(refused("no text (it holds NUL bytes)"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let lines = error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count();
        refused(&format!("not UTF-8 in line {}", lines + 1))
    })
}

fn document<'t>(path: &Path, text: &'t str) -> Result<Document<&'t str>, Error> {
    let marked = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    if let Some(index) = text.lines().position(marked) {
        return Err(Error::ConflictMarker { path: path.to_owned(), line: index + 1 });
    }
    Document::parse(text).map_err(|error| syntax_error(path, text, &error))
}

fn parse(path: &Path, text: &str) -> Result<Catalog, Error> {
    let document = document(path, text)?;
    let mut content = schema::read(document.as_table(), text);
    let mut newer = None;
    match schema_of(document.as_table()) {
        Schema::Current => {}
        Schema::Newer(found) => newer = Some(found),
        Schema::Unreadable => return Err(Error::Schema(path.to_owned())),
        Schema::Older => content.problems.insert(
            0,
            Problem {
                severity: Severity::Warning,
                entry: String::new(),
                field: "schema".into(),
                message: "read as schema 1: write schema = 1 on the first line (the next change \
                    by osstack does)"
                    .into(),
                line: None,
            },
        ),
    }
    Ok(Catalog { path: path.to_owned(), exists: true, newer, content })
}

fn syntax_error(path: &Path, text: &str, error: &TomlError) -> Error {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let message: Vec<&str> = error.message().lines().map(str::trim).collect();
    Error::Syntax {
        path: path.to_owned(),
        line: line + 1,
        column,
        message: visible(&message.join("; ")).into_string(),
        excerpt: excerpt(text.lines().nth(line).unwrap_or_default()),
    }
}

/// A line as an error may show it: somebody may have put a key where none belongs, so a value is
/// shown only under the keys of the catalog that never hold one.
fn excerpt(line: &str) -> String {
    const SHOWN: [&str; 10] = [
        "schema",
        "path",
        "region",
        "endpoint",
        "access",
        "signature",
        "type",
        "flavor",
        "protected",
        "require_check",
    ];
    let line = match line.split_once('=') {
        Some((key, value)) if value.trim().is_empty() || SHOWN.contains(&key.trim()) => {
            line.to_owned()
        }
        Some((key, _)) => format!("{key}= …"),
        // neither a setting nor a header: it may be a pasted key
        None if !line.trim().is_empty() && !line.trim_start().starts_with('[') => "…".to_owned(),
        None => line.to_owned(),
    };
    let mut short: String = line.chars().take(120).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    visible(&short).into_string()
}
