//! One JSON document as the lines it takes indented, each by its places in the text: numbers stay
//! as they were written, and a line costs no more than a few numbers.

use std::ops::Range;

use serde::de::IgnoredAny;

/// Levels a document may have: further in, indentation says nothing any more.
const DEEPEST: usize = 128;

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: String,
    lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// The name of a member, with its quotes.
    name: Option<(u32, u32)>,
    /// A value that fits on a line, or the bracket that opens or closes one that does not.
    value: (u32, u32),
    /// How far it is indented.
    depth: u8,
    /// Whether a comma follows.
    goes_on: bool,
    /// Where it opens an object or array that is not empty.
    block: Option<Block>,
}

/// What a line opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line that closes it.
    pub last: usize,
    /// Its members or items.
    pub count: usize,
    /// Whether it has members.
    pub is_object: bool,
}

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What the text breaks, and where.
    Invalid(String),
    /// More than [`DEEPEST`].
    Deep,
}

impl Document {
    /// Reads `text`, which is given back where it is none.
    pub(super) fn parse(text: String) -> Result<Self, (String, Fault)> {
        // nothing is built, so that depth takes no stack
        if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
            return Err((text, Fault::Invalid(error.to_string())));
        }
        match scan(&text) {
            Some(lines) => Ok(Self { text, lines }),
            None => Err((text, Fault::Deep)),
        }
    }

    /// How many lines it takes with all of it unfolded.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// A document has one line at the least.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What line `at` opens.
    pub fn block(&self, at: usize) -> Option<Block> {
        self.lines.get(at)?.block
    }

    /// How many levels line `at` lies in.
    pub fn depth(&self, at: usize) -> usize {
        self.lines.get(at).map_or(0, |line| line.depth.into())
    }

    /// Whether a comma ends line `at`.
    pub fn goes_on(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|line| line.goes_on)
    }

    /// Line `at` without its indentation and comma. What was written `\u00e9` is read `é`.
    pub fn line(&self, at: usize) -> String {
        let Some(line) = self.lines.get(at) else { return String::new() };
        let mut out = String::new();
        if let Some(name) = line.name {
            out.push_str(&readable(self.slice(name)));
            out.push_str(": ");
        }
        out.push_str(&readable(self.slice(line.value)));
        out
    }

    /// Bytes of the longest line, indented.
    pub fn widest(&self) -> usize {
        let length = |(start, end): (u32, u32)| (end - start) as usize;
        let of = |line: &Line| {
            let name = line.name.map_or(0, |name| length(name) + 2);
            usize::from(line.depth) * 2 + name + length(line.value) + 1
        };
        self.lines.iter().map(of).max().unwrap_or(0)
    }

    fn slice(&self, (start, end): (u32, u32)) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// A string with its escapes read, as far as they need not stay; what is empty without the blanks
/// in it; anything else as it is.
fn readable(token: &str) -> String {
    if token.len() > 1 && token.starts_with(['{', '[']) {
        return token.split_whitespace().collect();
    }
    if token.contains('\\')
        && let Ok(text) = serde_json::from_str::<String>(token)
        && let Ok(written) = serde_json::to_string(&text)
    {
        return written;
    }
    token.to_owned()
}

/// An object or array that is still open.
struct Open {
    /// The line that opens it.
    line: usize,
    count: usize,
    is_object: bool,
}

/// The lines of a valid document; none where it is too deep.
fn scan(text: &str) -> Option<Vec<Line>> {
    let bytes = text.as_bytes();
    let mut lines: Vec<Line> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut name = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let depth = u8::try_from(open.len()).ok()?;
        let mut push = |value: Range<usize>, depth: u8, name| {
            let place = |at: usize| u32::try_from(at).ok();
            let value = (place(value.start)?, place(value.end)?);
            lines.push(Line { name, value, depth, goes_on: false, block: None });
            Some(())
        };
        match byte {
            b'{' | b'[' => {
                if let Some(parent) = open.last_mut() {
                    parent.count += 1;
                }
                let inside = at + 1 + blanks(bytes, at + 1);
                if matches!(bytes.get(inside), Some(b'}' | b']')) {
                    push(at..inside + 1, depth, name.take())?;
                    at = inside + 1;
                    continue;
                }
                if open.len() >= DEEPEST {
                    return None;
                }
                push(at..at + 1, depth, name.take())?;
                open.push(Open { line: lines.len() - 1, count: 0, is_object: *byte == b'{' });
                at += 1;
            }
            b'}' | b']' => {
                let Open { line, count, is_object } = open.pop()?;
                push(at..at + 1, depth.saturating_sub(1), None)?;
                let last = lines.len() - 1;
                lines.get_mut(line)?.block = Some(Block { last, count, is_object });
                at += 1;
            }
            b',' => {
                lines.last_mut()?.goes_on = true;
                at += 1;
            }
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            _ => {
                let end = at + token(bytes.get(at..)?);
                let behind = end + blanks(bytes, end);
                if bytes.get(behind) == Some(&b':') {
                    name = Some((u32::try_from(at).ok()?, u32::try_from(end).ok()?));
                    at = behind + 1;
                    continue;
                }
                if let Some(parent) = open.last_mut() {
                    parent.count += 1;
                }
                push(at..end, depth, name.take())?;
                at = end;
            }
        }
    }
    Some(lines)
}

fn blanks(bytes: &[u8], at: usize) -> usize {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    bytes.get(at..).unwrap_or_default().iter().take_while(is_blank).count()
}

/// Bytes of the string, number or word that `bytes` begin with.
fn token(bytes: &[u8]) -> usize {
    if bytes.first() != Some(&b'"') {
        let is_end = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
        return bytes.iter().position(is_end).unwrap_or(bytes.len());
    }
    let mut at = 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        // whatever was escaped
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.to_owned()).unwrap()
    }

    /// All of it, as an indented document is written.
    fn written(document: &Document) -> String {
        let line = |at: usize| {
            let comma = if document.goes_on(at) { "," } else { "" };
            format!("{}{}{comma}", "  ".repeat(document.depth(at)), document.line(at))
        };
        (0..document.len()).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn numbers_stay_and_escapes_are_read() {
        let text = r#" { "a\u00e9" : [ 1.50, 12345678901234567890123 , [ ] ],"b":{ },"c":"\"\u001b, ]" } "#;
        let document = document(text);
        let want = [
            "{",
            "  \"aé\": [",
            "    1.50,",
            "    12345678901234567890123,",
            "    []",
            "  ],",
            "  \"b\": {},",
            "  \"c\": \"\\\"\\u001b, ]\"",
            "}",
        ];
        assert_eq!(written(&document), want.join("\n"));
        let block = |last, count, is_object| Some(Block { last, count, is_object });
        assert_eq!(document.block(0), block(8, 3, true));
        assert_eq!(document.block(1), block(5, 3, false));
        assert_eq!(
            (document.block(4), document.goes_on(1), document.goes_on(5)),
            (None, false, true)
        );
    }

    #[test]
    fn what_is_too_deep_or_no_json_is_given_back() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(document(&deep(DEEPEST)).len(), 2 * DEEPEST - 1);
        let deeper = deep(1 << 19);
        assert_eq!(Document::parse(deeper.clone()), Err((deeper, Fault::Deep)));
        let Err((text, Fault::Invalid(why))) = Document::parse("{\"a\":}".into()) else { panic!() };
        assert!(text == "{\"a\":}" && why.contains("line 1"), "{why}");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<Option<bool>>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\[\\]{},:\"\\\\ ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 6, |inner| {
            let member = (any::<String>(), inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(Value::from),
                prop::collection::vec(member, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_is_indented_as_serde_does(value in value()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(written(&document(&value.to_string())), pretty.clone());
            prop_assert_eq!(written(&document(&pretty)), pretty);
        }
    }
}
