//! The tables of `zenml artifact-store describe`, drawn by the library `rich` for a terminal of
//! any width.

use serde_json::{Map, Value};

use super::literal;
use super::read::{HandMade, KNOWN_SETTINGS};

/// The store in `text`, where it holds such a table.
///
/// A cell that is too wide goes on in the next line, and a name in the first column may end in
/// `…`. What went on is put together without a blank: the values hold none but between the parts
/// of a dict, where blanks mean nothing.
pub(super) fn read(text: &str) -> Option<HandMade> {
    let mut settings = Map::new();
    let mut connector = None;
    let mut inside = Inside::Nothing;
    for (name, value) in rows(text) {
        match (name.as_str(), value.as_str()) {
            (head, "VALUE") if head.starts_with("COMPONENT") => inside = Inside::Settings,
            (head, "VALUE") if head.starts_with("PROPERTY") => inside = Inside::Connector,
            (_, "VALUE") => inside = Inside::Nothing,
            _ => match inside {
                Inside::Settings => {
                    settings.insert(full_name(&name), typed(value));
                }
                Inside::Connector if name.starts_with("NAME") => connector = Some(value),
                Inside::Connector | Inside::Nothing => {}
            },
        }
    }
    let head: String = text.lines().take_while(|line| cells(line).is_none()).map(joined).collect();
    let flavor = quoted(&head, "of flavor '");
    let name = quoted(&head, "rtifact_Store '").or_else(|| title(&head));
    (!settings.is_empty()).then(|| HandMade::new(name, flavor, settings, connector))
}

enum Inside {
    Nothing,
    Settings,
    Connector,
}

/// Rows of two cells, put together from their lines.
fn rows(text: &str) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        match cells(line) {
            Some((name, value)) => {
                match rows.last_mut() {
                    // older tables have no line between rows: a name begins one
                    Some(row) if goes_on && (name.is_empty() || row.0.is_empty()) => {
                        row.0.push_str(name);
                        row.1.push_str(value);
                    }
                    _ => rows.push((name.to_owned(), value.to_owned())),
                }
                goes_on = true;
            }
            None => goes_on = false,
        }
    }
    rows
}

fn cells(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.trim().split(['│', '┃', '|']).map(str::trim);
    match (cells.next(), cells.next(), cells.next(), cells.next(), cells.next()) {
        (Some(""), Some(name), Some(value), Some(""), None) => Some((name, value)),
        _ => None,
    }
}

/// ZenML shows names in capitals; a cut one means the setting that begins so.
fn full_name(shown: &str) -> String {
    let name = shown.to_lowercase();
    let Some(begin) = name.strip_suffix('…') else { return name };
    let known = KNOWN_SETTINGS.iter().find(|known| known.starts_with(begin));
    known.map_or_else(|| begin.to_owned(), |known| (*known).to_owned())
}

fn typed(value: String) -> Value {
    if value == "None" {
        return Value::Null;
    }
    if value.starts_with('{') {
        return literal::parse(&value).unwrap_or(Value::String(value));
    }
    Value::String(value)
}

fn joined(line: &str) -> String {
    format!("{} ", line.trim())
}

fn quoted(text: &str, before: &str) -> Option<String> {
    let (_, after) = text.split_once(before)?;
    after.split_once('\'').map(|(name, _)| name.to_owned())
}

/// `'NAME' ARTIFACT_STORE Component Configuration`, where the sentence above was not pasted.
fn title(head: &str) -> Option<String> {
    let (before, _) = head.split_once("' ARTIFACT_STORE")?;
    before.rsplit_once('\'').map(|(_, name)| name.to_owned())
}
