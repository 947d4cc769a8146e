//! XML answers other than listings: read whole, within bounds, before rusoto
//! sees them. rusoto's own reader loops for ever on a document that ends
//! early, takes a web page for an empty answer and panics on a bad number.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// The deepest nesting an answer of OSS can have, with room to spare.
pub const MAX_DEPTH: usize = 16;

/// The most elements: the longest answer is a page of 1000 uploads with some ten each. In memory
/// an element takes a hundred bytes, on the wire four are enough.
pub const MAX_ELEMENTS: usize = 50_000;

/// Elements whose text is a number; rusoto unwraps their parse.
const NUMBERS: [&str; 9] = [
    "Size",
    "PartNumber",
    "PartNumberMarker",
    "NextPartNumberMarker",
    "MaxParts",
    "MaxUploads",
    "MaxKeys",
    "KeyCount",
    "Days",
];

/// Elements whose text is `true` or `false`; likewise.
const BOOLEANS: [&str; 3] = ["IsTruncated", "IsLatest", "DeleteMarker"];

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing there.
    #[error("the answer is empty")]
    Empty,
    /// It ends before its root element does.
    #[error("the answer ends in the middle")]
    Incomplete,
    /// Another document than the one asked for.
    #[error("the answer is <{found}> where <{expected}> belongs")]
    Root {
        /// The name that belongs there.
        expected: &'static str,
        /// The name that stands there.
        found: String,
    },
    /// `<!DOCTYPE`.
    #[error("the answer holds a DTD, which OSS never sends")]
    Dtd,
    /// Nested too deep.
    #[error("the answer is nested deeper than 16 levels")]
    Depth,
    /// More elements than any answer has.
    #[error("the answer has more than 50,000 elements")]
    Elements,
    /// A number that is none.
    #[error("<{element}> holds {text:?}, which is no number")]
    Number {
        /// Which element.
        element: String,
        /// What it holds.
        text: String,
    },
    /// An element that must be there is not.
    #[error("<{0}> is missing")]
    Missing(&'static str),
    /// Not well formed, or not UTF-8.
    #[error("the answer is no XML: {0}")]
    Malformed(String),
}

/// An element, its text (of all pieces, entities resolved) and children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Text directly inside.
    pub text: String,
    /// Elements directly inside, in order.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// The document in `body`, whose root must be `root` in any namespace.
pub fn read(body: &[u8], root: &'static str) -> Result<Element, Fault> {
    let document = read_any(body)?;
    if document.name != root {
        return Err(Fault::Root { expected: root, found: document.name });
    }
    Ok(document)
}

/// The document in `body`, whatever its root.
pub fn read_any(body: &[u8]) -> Result<Element, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| Fault::Malformed(error.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(Fault::Empty);
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut done: Option<Element> = None;
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|error| malformed(&error))?;
        match event {
            Event::Start(_) | Event::Empty(_) if elements == MAX_ELEMENTS => {
                return Err(Fault::Elements);
            }
            Event::Start(start) if done.is_none() => {
                elements += 1;
                if open.len() >= MAX_DEPTH {
                    return Err(Fault::Depth);
                }
                let name = start.local_name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(empty) if done.is_none() => {
                elements += 1;
                let name = empty.local_name().as_ref().to_owned();
                close(&mut open, &mut done, Element { name, ..Element::default() })?;
            }
            Event::End(_) => {
                // quick-xml has already matched the names
                let element = open.pop().ok_or_else(|| unexpected("an end tag"))?;
                close(&mut open, &mut done, element)?;
            }
            Event::Text(piece) => add(&mut open, &piece)?,
            Event::CData(piece) => add(&mut open, &piece)?,
            Event::GeneralRef(entity) => {
                let resolved = match entity.resolve_char_ref().map_err(|error| malformed(&error))? {
                    Some(char) => char.to_string(),
                    None => resolve_predefined_entity(&entity)
                        .ok_or_else(|| unexpected("an unknown entity"))?
                        .to_owned(),
                };
                add(&mut open, &resolved)?;
            }
            Event::DocType(_) => return Err(Fault::Dtd),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Start(_) | Event::Empty(_) => return Err(unexpected("a second root element")),
            Event::Eof => break,
        }
    }
    if !open.is_empty() {
        return Err(Fault::Incomplete);
    }
    done.ok_or_else(|| unexpected("no element"))
}

fn close(open: &mut [Element], done: &mut Option<Element>, element: Element) -> Result<(), Fault> {
    check(&element, open.last())?;
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *done = Some(element),
    }
    Ok(())
}

fn check(element: &Element, parent: Option<&Element>) -> Result<(), Fault> {
    // what a deletion says yes or no by is in a list of versions the name of a marker
    let is_of_versions = parent.is_some_and(|parent| parent.name == "ListVersionsResult");
    if is_of_versions && element.name == "DeleteMarker" {
        return Ok(());
    }
    // no trimming: rusoto does not trim either
    let text = element.text.as_str();
    let bad = (NUMBERS.contains(&element.name.as_str()) && text.parse::<i64>().is_err())
        || (BOOLEANS.contains(&element.name.as_str()) && text.parse::<bool>().is_err());
    if bad {
        let text = text.chars().take(40).collect();
        return Err(Fault::Number { element: element.name.clone(), text });
    }
    Ok(())
}

fn add(open: &mut [Element], text: &str) -> Result<(), Fault> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(unexpected("text outside of the root element")),
    }
    Ok(())
}

fn unexpected(what: &str) -> Fault {
    Fault::Malformed(format!("{what} where none belongs"))
}

fn malformed(error: &impl std::fmt::Display) -> Fault {
    Fault::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_namespace_cdata_and_entities() {
        let body = "<?xml version=\"1.0\"?><x:Error xmlns:x='u'><x:Code>A&amp;B<![CDATA[<c>]]>&#33;\
                    </x:Code><!-- c --></x:Error>";
        let root = read(body.as_bytes(), "Error").unwrap();
        assert_eq!(root.text_of("Code"), Some("A&B<c>!"));
    }

    #[test]
    fn refuses_what_rusoto_would_choke_on() {
        let fault = |body: &str| read(body.as_bytes(), "R").unwrap_err();
        assert_eq!(fault(""), Fault::Empty);
        assert_eq!(fault("<R><A>1</A>"), Fault::Incomplete);
        assert_eq!(fault("<R"), fault("<R"));
        assert!(matches!(fault("<html></html>"), Fault::Root { .. }));
        assert_eq!(fault("<!DOCTYPE R [<!ENTITY a 'b'>]><R>&a;</R>"), Fault::Dtd);
        assert_eq!(fault(&"<R>".repeat(200_000)), Fault::Depth);
        assert_eq!(fault(&format!("<R>{}</R>", "<a/>".repeat(200_000))), Fault::Elements);
        assert_eq!(fault(&format!("<R>{}</R>", "<a></a>".repeat(200_000))), Fault::Elements);
        assert!(matches!(fault("<R><Size>many</Size></R>"), Fault::Number { .. }));
        assert!(matches!(fault("<R><IsTruncated>1</IsTruncated></R>"), Fault::Number { .. }));
        // rusoto reads what stands before an element within
        assert!(matches!(fault("<R><Size>many<x/></Size></R>"), Fault::Number { .. }));
        let marker = "<DeleteMarker>no<x/></DeleteMarker>";
        assert!(matches!(fault(&format!("<R>{marker}</R>")), Fault::Number { .. }));
        let list = format!("<ListVersionsResult>{marker}</ListVersionsResult>");
        assert!(read(list.as_bytes(), "ListVersionsResult").is_ok());
        assert!(matches!(fault("<R></S>"), Fault::Malformed(_)));
        assert!(matches!(fault("<R/><R/>"), Fault::Malformed(_)));
        assert!(matches!(fault("<R>&nope;</R>"), Fault::Malformed(_)));
        assert!(matches!(read(b"<R>\xff</R>", "R"), Err(Fault::Malformed(_))));
    }
}
