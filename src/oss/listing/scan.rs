//! A scanner of the XML that listings are made of: tags, text, CDATA. It
//! knows nothing of listings and copies nothing that holds no entity.

use std::borrow::Cow;

use memchr::memmem;
use memchr::{memchr, memchr2};

use crate::oss::xml::{Fault, MAX_DEPTH};

/// What comes next at the level of elements; text between elements is passed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// `<name …>`
    Open(Name<'a>),
    /// `<name …/>`
    Empty(Name<'a>),
    /// `</name>`
    Close(&'a str),
    /// The document ends.
    End,
}

/// A place in a document.
#[derive(Clone, Copy)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

/// The name of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// As it is written.
    pub(super) whole: &'a str,
    /// Without its prefix.
    pub(super) local: &'a str,
}

impl<'a> Name<'a> {
    fn of(whole: &'a str) -> Self {
        let local = whole.split_once(':').map_or(whole, |(_, local)| local);
        Self { whole, local }
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// Takes the next `count` bytes.
    fn take(&mut self, count: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(count).unwrap_or((self.rest, ""));
        self.rest = tail;
        head
    }

    /// Passes `literal` if it comes next.
    pub(super) fn pass(&mut self, literal: &str) -> bool {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The text of the element `name` if that comes next, written as plainly as can be. It
    /// is what nearly all of a listing is made of; [`Self::tag`] reads the rest.
    #[expect(clippy::inline_always, reason = "comparing constants is what makes it fast")]
    #[inline(always)]
    pub(super) fn plain(&mut self, name: &str) -> Option<&'a str> {
        let inside = self.rest.strip_prefix('<')?.strip_prefix(name)?.strip_prefix('>')?;
        let (text, behind) = inside.split_at_checked(memchr2(b'<', b'&', inside.as_bytes())?)?;
        self.rest = behind.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')?;
        Some(text)
    }

    /// The next tag.
    pub(super) fn tag(&mut self) -> Result<Tag<'a>, Fault> {
        loop {
            if !self.pass("<") {
                let Some(at) = memchr(b'<', self.rest.as_bytes()) else {
                    self.rest = "";
                    return Ok(Tag::End);
                };
                self.skip(at + 1);
            }
            match self.rest.as_bytes().first() {
                Some(b'/') => {
                    self.skip(1);
                    return Ok(Tag::Close(self.close()?));
                }
                Some(b'?') => self.past("?>")?,
                Some(b'!') => {
                    if self.pass("!--") {
                        self.past("-->")?;
                    } else if self.pass("![CDATA[") {
                        self.past("]]>")?;
                    } else if self.rest.starts_with("!DOCTYPE") {
                        return Err(Fault::Dtd);
                    } else {
                        return Err(self.broken("<!"));
                    }
                }
                Some(_) => return self.open(),
                None => return Err(Fault::Incomplete),
            }
        }
    }

    fn past(&mut self, end: &str) -> Result<(), Fault> {
        let at = memmem::find(self.rest.as_bytes(), end.as_bytes()).ok_or(Fault::Incomplete)?;
        self.skip(at + end.len());
        Ok(())
    }

    fn open(&mut self) -> Result<Tag<'a>, Fault> {
        let bytes = self.rest.as_bytes();
        let ends = |byte: &u8| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n' | b'<');
        let end = bytes.iter().position(ends).ok_or(Fault::Incomplete)?;
        let name = Name::of(self.take(end));
        if name.whole.is_empty() {
            return Err(self.broken("a tag without a name"));
        }
        if self.pass(">") {
            return Ok(Tag::Open(name));
        }
        if self.pass("/>") {
            return Ok(Tag::Empty(name));
        }
        self.attributes(name)
    }

    /// Passes the attributes; `>` may stand in their values.
    fn attributes(&mut self, name: Name<'a>) -> Result<Tag<'a>, Fault> {
        let mut quote = None;
        let mut slash = false;
        for (at, byte) in self.rest.bytes().enumerate() {
            match (quote, byte) {
                (Some(open), _) => quote = Some(open).filter(|open| *open != byte),
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'<') => return Err(self.broken("< inside of a tag")),
                (None, b'>') => {
                    self.skip(at + 1);
                    return Ok(if slash { Tag::Empty(name) } else { Tag::Open(name) });
                }
                (None, _) => {}
            }
            slash = quote.is_none() && byte == b'/';
        }
        Err(Fault::Incomplete)
    }

    fn close(&mut self) -> Result<&'a str, Fault> {
        let end = memchr(b'>', self.rest.as_bytes()).ok_or(Fault::Incomplete)?;
        let name = self.take(end).trim_ascii_end();
        self.skip(1);
        Ok(name)
    }

    /// The text of the element `name`, whose open tag was just passed, up to behind its close
    /// tag. No elements inside.
    pub(super) fn text(&mut self, name: &str) -> Result<Cow<'a, str>, Fault> {
        let mut ahead = *self;
        let at = memchr2(b'<', b'&', self.rest.as_bytes()).ok_or(Fault::Incomplete)?;
        let text = ahead.take(at);
        if ahead.pass("</") && ahead.close()? == name {
            *self = ahead;
            return Ok(Cow::Borrowed(text));
        }
        self.pieces(name).map(Cow::Owned)
    }

    /// Text with entities, CDATA or comments in it.
    fn pieces(&mut self, name: &str) -> Result<String, Fault> {
        let mut out = String::new();
        loop {
            let at = memchr2(b'<', b'&', self.rest.as_bytes()).ok_or(Fault::Incomplete)?;
            out.push_str(self.take(at));
            if self.pass("&") {
                out.push(self.entity()?);
            } else if self.pass("</") {
                let close = self.close()?;
                return if close == name { Ok(out) } else { Err(self.broken("a wrong end tag")) };
            } else if self.pass("<![CDATA[") {
                let end = memmem::find(self.rest.as_bytes(), b"]]>").ok_or(Fault::Incomplete)?;
                out.push_str(self.take(end));
                self.skip(3);
            } else if self.pass("<!--") {
                self.past("-->")?;
            } else if self.pass("<?") {
                self.past("?>")?;
            } else if self.rest.len() < 2 {
                return Err(Fault::Incomplete);
            } else {
                return Err(self.broken("an element inside of text"));
            }
        }
    }

    fn entity(&mut self) -> Result<char, Fault> {
        // the longest that means anything is &#x10FFFF;
        let end = self.rest.bytes().take(12).position(|byte| byte == b';').ok_or_else(|| {
            if self.rest.len() < 12 { Fault::Incomplete } else { self.broken("a bare &") }
        })?;
        let entity = self.take(end);
        self.skip(1);
        let known = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => entity.strip_prefix('#').and_then(|number| {
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code).filter(|char| *char != '\0')
            }),
        };
        known.ok_or_else(|| self.broken("an unknown entity"))
    }

    /// Passes the element `name` with all inside of it; `depth` elements are open around it.
    pub(super) fn element(&mut self, name: &'a str, depth: usize) -> Result<(), Fault> {
        if depth >= MAX_DEPTH {
            return Err(Fault::Depth);
        }
        loop {
            if !self.rest.starts_with('<') {
                let text = memchr(b'<', self.rest.as_bytes()).ok_or(Fault::Incomplete)?;
                self.skip(text);
            }
            match self.tag()? {
                Tag::Open(inner) => self.element(inner.whole, depth + 1)?,
                Tag::Empty(_) => {}
                Tag::Close(close) if close == name => return Ok(()),
                Tag::Close(_) => return Err(self.broken("a wrong end tag")),
                Tag::End => return Err(Fault::Incomplete),
            }
        }
    }

    pub(super) fn broken(&self, what: &str) -> Fault {
        let near: String = self.rest.chars().take(24).collect();
        let near = crate::base::visible::visible(&near);
        Fault::Malformed(format!("{what} before {near}"))
    }
}
