//! HTML and Markdown as lines of text.

use super::{Passage, PassageKind};

/// Elements whose content is no text of the page.
const UNREAD: &[&str] = &["script", "style", "template", "noscript", "svg", "head"];
/// Elements that begin a line of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "title",
    "tr",
    "ul",
];

/// The text of a page: tags and scripts left out, entities decoded, blanks joined.
pub(super) fn html(page: &str) -> Vec<Passage> {
    let mut text = Lines::default();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.write(before);
        if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let is_tag =
            tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            text.write("<");
            rest = tag;
            continue;
        }
        let Some((inside, after)) = split_tag(tag) else { break };
        rest = after;
        let closes = inside.starts_with('/');
        let name = inside.trim_start_matches('/');
        let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        if UNREAD.contains(&name.as_str()) && !closes && !inside.ends_with('/') {
            if name == "head" {
                text.title(rest);
            }
            rest = past_end(rest, &name);
        } else if BLOCKS.contains(&name.as_str()) {
            text.block(&name, closes);
        } else if matches!(name.as_str(), "td" | "th") && closes {
            // two blanks tell cells apart; the end of the line takes them away
            text.line.push_str("  ");
            text.gap = false;
        }
    }
    if !rest.contains('<') {
        text.write(rest);
    }
    text.end_line();
    text.done
}

/// A tag's inside and what follows it; a `>` within quotes ends no tag.
fn split_tag(tag: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((tag.get(..at)?, tag.get(at + 1..)?)),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

/// What follows the end tag of `name`.
fn past_end<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = rest;
    while let Some((_, tag)) = from.split_once("</") {
        let is_it = tag.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name));
        if is_it {
            return tag.split_once('>').map_or("", |(_, after)| after);
        }
        from = tag;
    }
    ""
}

#[derive(Default)]
struct Lines {
    done: Vec<Passage>,
    line: String,
    heading: bool,
    preformatted: bool,
    /// A blank is due before the next word.
    gap: bool,
}

impl Lines {
    fn write(&mut self, text: &str) {
        let text = entities(text);
        if self.preformatted {
            for (index, line) in text.split('\n').enumerate() {
                if index > 0 {
                    self.end_line();
                }
                self.line.push_str(line.trim_end_matches('\r'));
            }
            return;
        }
        for c in text.chars() {
            if c.is_ascii_whitespace() {
                self.gap = true;
                continue;
            }
            if self.gap && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            self.gap = false;
            self.line.push(c);
        }
    }

    fn title(&mut self, head: &str) {
        let head = head.split_once("</head").map_or(head, |(head, _)| head);
        if let Some((_, title)) = head.split_once("<title>")
            && let Some((title, _)) = title.split_once('<')
        {
            self.heading = true;
            self.write(title);
            self.end_line();
            self.heading = false;
        }
    }

    fn block(&mut self, name: &str, closes: bool) {
        self.end_line();
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "title" => self.heading = !closes,
            "pre" => self.preformatted = !closes,
            "li" if !closes => self.line.push_str("- "),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        self.gap = false;
        let text = std::mem::take(&mut self.line);
        let kind = match (self.heading, self.preformatted) {
            (true, _) => PassageKind::Heading,
            (_, true) => PassageKind::Code,
            _ => PassageKind::Text,
        };
        if self.preformatted || !text.trim().is_empty() {
            self.done.push(Passage { kind, text: text.trim_end().to_owned() });
        }
    }
}

/// The text with the entities that pages are written with decoded; others stay as they are.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        out.push_str(before);
        let known = entity.split_once(';').filter(|(name, _)| name.len() <= 10);
        let decoded = known.and_then(|(name, after)| Some((entity_of(name)?, after)));
        if let Some((c, after)) = decoded {
            out.push(c);
            rest = after;
        } else {
            out.push('&');
            rest = entity;
        }
    }
    out + rest
}

fn entity_of(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "middot" => '·',
        "bull" => '•',
        "times" => '×',
        "plusmn" => '±',
        "deg" => '°',
        "sup2" => '²',
        "sup3" => '³',
        "micro" => 'µ',
        "euro" => '€',
        "copy" => '©',
        "laquo" => '«',
        "raquo" => '»',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "rarr" => '→',
        "larr" => '←',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        _ => return None,
    })
}

/// Markdown's lines by what they are; the marks of headings and fences are left out.
pub(super) fn markdown(text: &str) -> Vec<Passage> {
    let mut lines: Vec<Passage> = Vec::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        let (kind, text) = match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                continue;
            }
            (Some(_), _) => (PassageKind::Code, line),
            (None, Some(mark)) => {
                fence = Some(mark);
                continue;
            }
            (None, None) => {
                let level = start.len() - start.trim_start_matches('#').len();
                let rest = start.trim_start_matches('#');
                if (1..=6).contains(&level) && (rest.is_empty() || rest.starts_with(' ')) {
                    (PassageKind::Heading, rest.trim().trim_end_matches('#').trim_end())
                } else if let Some(quote) = start.strip_prefix('>') {
                    (PassageKind::Quote, quote.trim_start())
                } else {
                    (PassageKind::Text, line)
                }
            }
        };
        lines.push(Passage { kind, text: text.to_owned() });
    }
    lines
}
