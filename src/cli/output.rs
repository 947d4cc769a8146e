//! The one place that writes to stdout and stderr.
//!
//! stdout carries the answer alone: text for people, or JSON. Everything else goes to stderr. A
//! reader that went away (`osstack ls … | head`) ends the command quietly.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::SCHEMA;
use super::session::Stop;
use super::table::Table;
use crate::base::visible::visible;
use crate::model::finding::ServerError;
use crate::ops::failure::{Failure, FailureKind};

/// Where answers and messages go, and in which form.
pub struct Output {
    answer: Box<dyn Write + Send>,
    messages: Box<dyn Write + Send>,
    form: Form,
    /// Lines of the block that [`Output::live`] drew last.
    live: usize,
}

/// How answers look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// JSON on stdout.
    pub json: bool,
    /// Colours on stdout.
    pub answer_colors: bool,
    /// Colours on stderr.
    pub message_colors: bool,
    /// Somebody reads stdout as it comes.
    pub answer_is_seen: bool,
    /// Somebody reads stderr as it comes.
    pub messages_are_seen: bool,
}

/// What a colour says; the words beside it say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// As it should be.
    Good,
    /// To be known.
    Warn,
    /// Wrong.
    Bad,
    /// A title.
    Strong,
    /// Beside the point.
    Faint,
}

impl Paint {
    /// `text` in this colour (the 16 of every terminal), where `colors` are wanted.
    pub fn on(self, text: &str, colors: bool) -> String {
        let text = printable(text);
        let code = match self {
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Strong => "1",
            Self::Faint => "2",
        };
        if colors { format!("\x1b[{code}m{text}\x1b[0m") } else { text }
    }
}

impl Output {
    /// Writes answers to `answer` and messages to `messages`.
    pub fn new(answer: Box<dyn Write + Send>, messages: Box<dyn Write + Send>, form: Form) -> Self {
        Self { answer, messages, form, live: 0 }
    }

    /// Whether the answer is JSON.
    pub fn is_json(&self) -> bool {
        self.form.json
    }

    /// Whether the answer goes to a terminal.
    pub fn is_terminal(&self) -> bool {
        self.form.answer_is_seen
    }

    /// `text` as the answer shows it.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        paint.on(text, self.form.answer_colors)
    }

    /// One line of the answer. Text from outside has passed [`visible`].
    pub fn line(&mut self, text: &str) -> Result<(), Stop> {
        answered(writeln!(self.answer, "{text}"))
    }

    /// A table of the answer.
    pub fn table(&mut self, table: &Table) -> Result<(), Stop> {
        table.lines(self.form.answer_colors).iter().try_for_each(|line| self.line(line))
    }

    /// One JSON value on a line of its own.
    pub fn json(&mut self, value: &Value) -> Result<(), Stop> {
        self.line(&ascii_where_hidden(&value.to_string()))
    }

    /// That something was done: the fields in JSON, else a sentence.
    pub fn done(&mut self, sentence: &str, fields: Value) -> Result<(), Stop> {
        if !self.form.json {
            return self.line(sentence);
        }
        let mut answer = json!({ "schema": SCHEMA });
        if let (Some(answer), Value::Object(fields)) = (answer.as_object_mut(), fields) {
            answer.extend(fields);
        }
        self.json(&answer)
    }

    /// Bytes of the answer as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        answered(self.answer.write_all(bytes))
    }

    /// Sends on what was buffered.
    pub fn flush(&mut self) -> Result<(), Stop> {
        answered(self.answer.flush())
    }

    /// A message beside the answer. Text from outside has passed [`visible`].
    pub fn note(&mut self, text: &str) {
        self.titled("", text);
    }

    /// The same behind a title, which is ours and may be painted.
    fn titled(&mut self, title: &str, text: &str) {
        // where both lead to one place, what was said first stands first; that stdout is gone is
        // found with the next answer
        let _gone = self.answer.flush();
        // nobody is left to be told that stderr is gone
        let _gone = writeln!(self.messages, "{title}{}", printable(text));
    }

    /// A line that the next one replaces, where somebody watches.
    pub fn progress(&mut self, text: &str) {
        if self.form.messages_are_seen {
            let _gone = write!(self.messages, "\r\x1b[K{}", printable(text));
            let _gone = self.messages.flush();
        }
    }

    /// Lines that the next ones replace, where somebody watches; none take them away. They are
    /// few, and cut where the narrowest full terminal ends: a line that wraps would be two.
    pub fn live(&mut self, lines: &[String]) {
        if !self.form.messages_are_seen {
            return;
        }
        let mut block = String::new();
        if self.live > 0 {
            // up to where the last block began, and all below it away
            let _infallible = write!(block, "\x1b[{}A\x1b[J", self.live);
        }
        for line in lines {
            block.push_str(&printable(&line.chars().take(79).collect::<String>()));
            block.push('\n');
        }
        let _gone = self.messages.write_all(block.as_bytes());
        let _gone = self.messages.flush();
        self.live = lines.len();
    }

    /// Takes the progress line away.
    pub fn end_progress(&mut self) {
        self.progress("");
    }

    /// Says no: JSON on stdout, else words on stderr, ending in the next step.
    pub fn failure(&mut self, failure: &Failure) {
        if self.form.json {
            let _gone = self.json(&failure_json(failure));
            return;
        }
        let title = Paint::Bad.on("error:", self.form.message_colors);
        self.titled(&format!("{title} "), &failure.summary);
        if let Some(said) = failure.error.as_deref().and_then(server_line) {
            self.note(&format!("  {said}"));
        }
        for hint in &failure.hints {
            self.note(&format!("  next: {hint}"));
        }
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("form", &self.form).finish_non_exhaustive()
    }
}

fn answered(result: io::Result<()>) -> Result<(), Stop> {
    result.map_err(|error| {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Stop::Closed;
        }
        let summary = format!("cannot write the answer to stdout: {error}");
        let failure = Failure::new(FailureKind::File, summary);
        failure.hint("check where stdout goes, and the space there").into()
    })
}

/// `{"error": …}`.
pub fn failure_json(failure: &Failure) -> Value {
    let said = failure.error.as_deref().cloned().unwrap_or_default();
    let mut error = json!({
        "kind": failure.kind.as_str(),
        "summary": failure.summary,
        "code": said.code,
        "ec": said.ec,
        "request_id": said.request_id,
        "hints": failure.hints,
    });
    if let (Some(error), false) = (error.as_object_mut(), failure.fields.is_empty()) {
        let fields: Vec<Value> = failure
            .fields
            .iter()
            .map(|problem| json!({ "field": problem.field, "message": problem.message }))
            .collect();
        error.insert("fields".into(), fields.into());
    }
    json!({ "error": error })
}

/// What the server said, as one line.
pub fn server_line(said: &ServerError) -> Option<String> {
    let part = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{name} {}", visible(value)))
    };
    let parts = [
        said.status.map(|status| format!("status {status}")),
        part("code", &said.code),
        part("EC", &said.ec),
        part("request id", &said.request_id),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The last net, before any colour: our own texts hold no control character but the line break.
fn printable(text: &str) -> String {
    let is_fine = |c: char| !c.is_control() || c == '\n';
    if text.chars().all(is_fine) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_fine(c) { c.to_string() } else { visible_char(c) }).collect()
}

fn visible_char(c: char) -> String {
    visible(c.encode_utf8(&mut [0; 4])).into_string()
}

/// JSON whose strings spell out what a terminal would act on or hide; it reads back the same.
/// (Outside its strings JSON is ASCII, and there only a DEL could slip through.)
fn ascii_where_hidden(json: &str) -> String {
    if json.is_ascii() && !json.contains('\u{7f}') {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        let hidden = c == '\u{7f}' || (!c.is_ascii() && visible_char(c).starts_with('\\'));
        if hidden {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_hides_nothing_and_reads_back_the_same() {
        let value = json!({ "key": "a\u{9b}2J\u{202e}gpj\u{7f}\u{1b}[2J 中文 é" });
        let text = ascii_where_hidden(&value.to_string());
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text}");
        assert!(text.contains("中文"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut output = Output::new(Box::new(Gone), Box::new(Gone), Form::default());
        assert!(matches!(output.line("x"), Err(Stop::Closed)));
        output.note("nobody reads this");
    }

    #[derive(Clone, Default)]
    struct Shown(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn in_one_place_what_was_said_first_stands_first() {
        let shown = Shown::default();
        let answer = Box::new(io::BufWriter::new(shown.clone()));
        let mut output = Output::new(answer, Box::new(shown.clone()), Form::default());
        output.line("the plan").unwrap();
        output.note("a note");
        output.line("more").unwrap();
        output.failure(&Failure::new(FailureKind::File, "no"));
        let text = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "the plan\na note\nmore\nerror: no\n");
    }

    #[test]
    fn nothing_but_our_own_colours_reaches_the_terminal() {
        let shown = Shown::default();
        let form = Form { message_colors: true, messages_are_seen: true, ..Form::default() };
        let mut output = Output::new(Box::new(io::sink()), Box::new(shown.clone()), form);
        output.failure(&Failure::new(FailureKind::File, "a\x1b[2Jb").hint("c\x1b]0;d\x07"));
        let text = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("\x1b[31merror:\x1b[0m a"), "{text:?}");
        assert_eq!(text.matches('\x1b').count(), 2, "{text:?}");
        assert_eq!(Paint::Good.on("\x1b[2J", true).matches('\x1b').count(), 2);
    }

    #[test]
    fn failures_in_json_have_all_their_keys() {
        let failure = Failure::new(FailureKind::Conflict, "it is there").hint("choose another");
        assert_eq!(
            failure_json(&failure),
            json!({ "error": { "kind": "conflict", "summary": "it is there", "code": null,
                "ec": null, "request_id": null, "hints": ["choose another"] } })
        );
    }
}
