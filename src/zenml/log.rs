//! Logs as ZenML keeps them: one JSON object a line, long messages in several
//! (`logging/step_logging.py`; captured with 0.98).

use serde_json::Value;
use time::OffsetDateTime;

use super::artifacts::read::moment;
use crate::model::preview::Level;

/// The longest line and the longest message that are kept whole; ZenML cuts messages at 5 KiB.
const LONGEST: usize = 1 << 20;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its level; none where the line is not ZenML's.
    pub level: Option<Level>,
    /// When it was written.
    pub time: Option<OffsetDateTime>,
    /// What it says; may hold several lines.
    pub message: String,
}

impl LogLine {
    /// Whether it is shown where `least` is the lowest level asked for: what has none always is.
    pub fn reaches(&self, least: Option<Level>) -> bool {
        self.level.is_none() || self.level >= least
    }
}

/// Reads a log piece by piece.
#[derive(Debug, Default)]
pub struct LogReader {
    /// A line whose end has not come yet.
    rest: Vec<u8>,
    /// A message whose later chunks have not come yet, and its id.
    begun: Option<(Option<String>, LogLine)>,
}

/// One line as it stands in the file.
struct Part {
    line: LogLine,
    id: Option<String>,
    index: u64,
    total: u64,
}

impl LogReader {
    /// Takes the next bytes; answers the messages that are whole by now.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<LogLine> {
        let mut whole = Vec::new();
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.keep(piece);
            let line = std::mem::take(&mut self.rest);
            self.line(&line, &mut whole);
        }
        self.keep(last);
        whole
    }

    /// The end is there.
    pub fn end(mut self) -> Vec<LogLine> {
        let mut whole = Vec::new();
        let line = std::mem::take(&mut self.rest);
        self.line(&line, &mut whole);
        whole.extend(self.begun.map(|(_, line)| line));
        whole
    }

    /// Takes an entry of the server's answer to `GET /runs/{id}/logs`.
    pub fn entry(&mut self, entry: &Value) -> Vec<LogLine> {
        let mut whole = Vec::new();
        match part(entry) {
            Some(part) => self.join(part, &mut whole),
            None => self.join(plain(&entry.to_string()), &mut whole),
        }
        whole
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LONGEST.saturating_sub(self.rest.len()).min(piece.len());
        self.rest.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    fn line(&mut self, bytes: &[u8], whole: &mut Vec<LogLine>) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        if !text.is_empty() {
            let read = serde_json::from_str(text).ok().and_then(|value| part(&value));
            self.join(read.unwrap_or_else(|| plain(text)), whole);
        }
    }

    fn join(&mut self, part: Part, whole: &mut Vec<LogLine>) {
        let Part { line, id, index, total } = part;
        match &mut self.begun {
            Some((begun, first)) if index > 0 && *begun == id => {
                if first.message.len() < LONGEST {
                    first.message.push_str(&line.message);
                }
            }
            _ => {
                whole.extend(self.begun.take().map(|(_, line)| line));
                self.begun = Some((id, line));
            }
        }
        if index + 1 >= total {
            whole.extend(self.begun.take().map(|(_, line)| line));
        }
    }
}

fn part(value: &Value) -> Option<Part> {
    let message = value.get("message")?.as_str()?.to_owned();
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let line = LogLine {
        level: number("level").map(Level::of),
        time: text("timestamp").and_then(moment),
        message,
    };
    Some(Part {
        line,
        id: text("id").map(str::to_owned),
        index: number("chunk_index").unwrap_or(0),
        total: number("total_chunks").unwrap_or(1),
    })
}

fn plain(text: &str) -> Part {
    let line = LogLine { level: None, time: None, message: text.to_owned() };
    Part { line, id: None, index: 0, total: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SAMPLE: &str = include_str!("../../tests/data/zenml/sample.log.jsonl");

    fn all(log: &str, piece: usize) -> Vec<LogLine> {
        let mut reader = LogReader::default();
        let mut lines: Vec<LogLine> =
            log.as_bytes().chunks(piece).flat_map(|bytes| reader.take(bytes)).collect();
        lines.extend(reader.end());
        lines
    }

    #[test]
    fn however_it_arrives_it_reads_the_same() {
        let whole = all(SAMPLE, usize::MAX);
        assert_eq!(whole.len(), 3);
        assert_eq!(whole[1].message, "Registered new pipeline: `demo`.");
        assert_eq!(whole[1].level, Some(Level::Info));
        assert_eq!(whole[1].time.unwrap().second(), 7);
        for piece in [1, 7, 100] {
            assert_eq!(all(SAMPLE, piece), whole);
        }
    }

    #[test]
    fn chunks_of_a_message_are_joined_and_one_cut_off_is_kept() {
        let chunk = |id: &str, index: u64, total: u64, message: &str| {
            json!({ "id": id, "chunk_index": index, "total_chunks": total, "level": 40,
                "message": message })
            .to_string()
        };
        let log = [
            chunk("a", 0, 3, "one "),
            chunk("a", 1, 3, "two "),
            chunk("a", 2, 3, "three"),
            chunk("b", 0, 2, "cut"),
            chunk("c", 0, 1, "alone"),
            "no JSON".to_owned(),
            chunk("d", 0, 2, "last"),
        ]
        .join("\n");
        let messages: Vec<_> = all(&log, 10).into_iter().map(|line| line.message).collect();
        assert_eq!(messages, ["one two three", "cut", "alone", "no JSON", "last"]);
    }

    #[test]
    fn levels_are_a_floor() {
        let line = |level| LogLine { level, time: None, message: String::new() };
        assert!(line(Some(Level::Error)).reaches(Some(Level::Warning)));
        assert!(!line(Some(Level::Info)).reaches(Some(Level::Warning)));
        assert!(line(Some(Level::Debug)).reaches(None));
        assert!(line(None).reaches(Some(Level::Critical)), "a traceback has no level of its own");
    }

    #[test]
    fn a_line_without_end_takes_no_more_than_its_share() {
        let mut reader = LogReader::default();
        let piece = vec![b'x'; 100_000];
        for _ in 0..40 {
            assert!(reader.take(&piece).is_empty());
        }
        assert_eq!(reader.end()[0].message.len(), LONGEST);
    }
}
