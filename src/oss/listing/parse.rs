//! From XML to a page, in one pass. Nothing is assumed that the server did
//! not say: a document that ends early, another root, a number that is none,
//! a page that goes on without saying where are faults, never an empty bucket.

use memchr::memchr2;

use super::scan::{Name, Scanner, Tag};
use super::{Form, MOST_ROWS as MOST, Mark, Page, StorageClass};
use crate::base::url_encode;
use crate::oss::xml::Fault;

pub(super) fn page(body: &[u8]) -> Result<Page, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| {
        if error.error_len().is_none() {
            return Fault::Incomplete;
        }
        Fault::Malformed(error.to_string())
    })?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_ascii().is_empty() {
        return Err(Fault::Empty);
    }
    let mut reading = Reading::new(text, false);
    reading.document()?;
    if reading.url_encoded && reading.read_as_plain {
        // the server said so only behind the first key
        reading = Reading::new(text, true);
        reading.document()?;
    }
    Ok(reading.page)
}

/// What is known of an object so far.
#[derive(Default)]
struct Object {
    key_end: Option<u32>,
    size: Option<u64>,
    modified: Option<u32>,
    etag: Option<(Form, [u8; 16])>,
    class: StorageClass,
}

impl Object {
    fn size(&mut self, text: &str) -> Result<(), Fault> {
        self.size = Some(number("Size", text)?);
        Ok(())
    }

    fn modified(&mut self, text: &str) -> Result<(), Fault> {
        let text = text.trim_ascii();
        self.modified = Some(seconds(text).ok_or_else(|| bad("LastModified", text))?);
        Ok(())
    }

    fn class(&mut self, text: &str) {
        self.class = StorageClass::parse(text.trim_ascii());
    }

    fn put(self, page: &mut Page) -> Result<(), Fault> {
        let key_end = self.key_end.ok_or(Fault::Missing("Key"))?;
        let (size, modified) = (self.size.ok_or(Fault::Missing("Size"))?, self.modified);
        let modified = modified.ok_or(Fault::Missing("LastModified"))?;
        let (form, etag) = self.etag.unwrap_or((Form::Odd, [0; 16]));
        page.key_ends.push(key_end);
        page.sizes.push(size);
        page.modified.push(modified);
        page.etags.push(etag);
        page.marks.push(Mark { class: self.class, etag: form });
        Ok(())
    }
}

struct Reading<'a> {
    scanner: Scanner<'a>,
    page: Page,
    /// What becomes the page's keys and prefixes once all of it is known to be UTF-8.
    keys: Vec<u8>,
    prefixes: Vec<u8>,
    /// The reply says `<EncodingType>url</EncodingType>`.
    url_encoded: bool,
    /// A key was taken as it stands.
    read_as_plain: bool,
    truncated: bool,
    token: Option<String>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str, url_encoded: bool) -> Self {
        let mut page = Page::default();
        // an object takes some 300 bytes of XML, of which a third is its key
        let objects = text.len() / 320;
        page.key_ends.reserve(objects);
        page.sizes.reserve(objects);
        page.modified.reserve(objects);
        page.etags.reserve(objects);
        page.marks.reserve(objects);
        Self {
            scanner: Scanner::new(text),
            page,
            keys: Vec::with_capacity(text.len() / 4),
            prefixes: Vec::new(),
            url_encoded,
            read_as_plain: false,
            truncated: false,
            token: None,
        }
    }

    fn document(&mut self) -> Result<(), Fault> {
        const ROOT: &str = "ListBucketResult";
        let (root, empty) = match self.scanner.tag()? {
            Tag::Open(name) => (name, false),
            Tag::Empty(name) => (name, true),
            Tag::Close(_) => return Err(self.scanner.broken("an end tag")),
            Tag::End => return Err(Fault::Malformed("there is no element".into())),
        };
        if root.local != ROOT {
            let found = root.local.chars().take(64).collect();
            return Err(Fault::Root { expected: ROOT, found });
        }
        if empty {
            // every listing of OSS names at least its bucket
            return Err(Fault::Missing("Name"));
        }
        loop {
            while self.scanner.pass("<Contents>") {
                self.contents("Contents")?;
            }
            match self.scanner.tag()? {
                Tag::Open(name) => self.child(name)?,
                Tag::Empty(name) => empty_child(name)?,
                Tag::Close(name) if name == root.whole => break,
                Tag::Close(_) => return Err(self.scanner.broken("a wrong end tag")),
                Tag::End => return Err(Fault::Incomplete),
            }
        }
        if self.scanner.tag()? != Tag::End {
            return Err(self.scanner.broken("a second root element"));
        }
        self.finish()
    }

    fn finish(&mut self) -> Result<(), Fault> {
        let token = self.token.take().filter(|token| !token.is_empty());
        match (self.truncated, token) {
            (true, None) => return Err(Fault::Missing("NextContinuationToken")),
            // decoded without `+`: servers that do not encode tokens send base64
            (true, Some(token)) if self.url_encoded => {
                self.page.next = Some(
                    url_encode::decode(&token)
                        .ok_or_else(|| Fault::Malformed("a token that is no text".into()))?,
                );
            }
            (true, Some(token)) => self.page.next = Some(token),
            (false, _) => {}
        }
        if self.page.key_ends.len() + self.page.prefix_ends.len() > MOST {
            return Err(Fault::Malformed(format!("more than {MOST} keys in a page")));
        }
        let keys = std::mem::take(&mut self.keys);
        self.page.keys = decoded(keys, self.page.key_ends.iter().copied())?;
        let prefixes = std::mem::take(&mut self.prefixes);
        self.page.prefixes = decoded(prefixes, self.page.prefix_ends.iter().copied())?;
        // a page may be kept for as long as it is looked at
        self.page.keys.shrink_to_fit();
        self.page.key_ends.shrink_to_fit();
        self.page.sizes.shrink_to_fit();
        self.page.modified.shrink_to_fit();
        self.page.etags.shrink_to_fit();
        self.page.marks.shrink_to_fit();
        Ok(())
    }

    fn child(&mut self, name: Name<'a>) -> Result<(), Fault> {
        let Name { whole: name, local } = name;
        match local {
            "Contents" => self.contents(name),
            "CommonPrefixes" => self.common_prefixes(name),
            "EncodingType" => {
                let text = self.scanner.text(name)?;
                self.url_encoded = match text.trim_ascii() {
                    "" => false,
                    kind if kind.eq_ignore_ascii_case("url") => true,
                    kind => {
                        let kind: String = kind.chars().take(24).collect();
                        return Err(Fault::Malformed(format!("unknown encoding {kind:?}")));
                    }
                };
                Ok(())
            }
            "IsTruncated" => {
                let text = self.scanner.text(name)?;
                self.truncated = match text.trim_ascii() {
                    "true" => true,
                    "false" => false,
                    other => return Err(bad("IsTruncated", other)),
                };
                Ok(())
            }
            "NextContinuationToken" => {
                self.token = Some(self.scanner.text(name)?.into_owned());
                Ok(())
            }
            "KeyCount" => number("KeyCount", &self.scanner.text(name)?).map(drop),
            "MaxKeys" => number("MaxKeys", &self.scanner.text(name)?).map(drop),
            _ => self.scanner.element(name, 1),
        }
    }

    fn contents(&mut self, name: &str) -> Result<(), Fault> {
        let mut object = Object::default();
        loop {
            self.plain_fields(&mut object)?;
            if name == "Contents" && self.scanner.pass("</Contents>") {
                break;
            }
            match self.scanner.tag()? {
                Tag::Open(Name { whole, local }) => match local {
                    "Key" => {
                        let text = self.scanner.text(whole)?;
                        self.key(&mut object, &text)?;
                    }
                    "LastModified" => object.modified(&self.scanner.text(whole)?)?,
                    "ETag" => {
                        let text = self.scanner.text(whole)?;
                        object.etag = Some(self.etag(&text)?);
                    }
                    "Size" => object.size(&self.scanner.text(whole)?)?,
                    "StorageClass" => object.class(&self.scanner.text(whole)?),
                    _ => self.scanner.element(whole, 2)?,
                },
                Tag::Empty(inner) => match inner.local {
                    "Key" => return Err(Fault::Missing("Key")),
                    "Size" => return Err(bad("Size", "")),
                    "LastModified" => return Err(bad("LastModified", "")),
                    _ => {}
                },
                Tag::Close(close) if close == name => break,
                Tag::Close(_) => return Err(self.scanner.broken("a wrong end tag")),
                Tag::End => return Err(Fault::Incomplete),
            }
        }
        object.put(&mut self.page)
    }

    /// Takes what comes in OSS's order, and passes what it holds besides; all of it may be
    /// absent here.
    fn plain_fields(&mut self, object: &mut Object) -> Result<(), Fault> {
        if let Some(text) = self.scanner.plain("Key") {
            self.key(object, text)?;
        }
        if let Some(text) = self.scanner.plain("LastModified") {
            object.modified(text)?;
        }
        if let Some(text) = self.scanner.plain("ETag") {
            object.etag = Some(self.etag(text)?);
        }
        self.scanner.plain("Type");
        if let Some(text) = self.scanner.plain("Size") {
            object.size(text)?;
        }
        if let Some(text) = self.scanner.plain("StorageClass") {
            object.class(text);
        }
        let mut ahead = self.scanner;
        if ahead.pass("<Owner>")
            && ahead.plain("ID").is_some()
            && ahead.plain("DisplayName").is_some()
            && ahead.pass("</Owner>")
        {
            self.scanner = ahead;
        }
        Ok(())
    }

    fn key(&mut self, object: &mut Object, text: &str) -> Result<(), Fault> {
        if object.key_end.is_some() {
            return Err(self.scanner.broken("a second key"));
        }
        if text.is_empty() {
            return Err(Fault::Missing("Key"));
        }
        self.read_as_plain |= !self.url_encoded;
        object.key_end = Some(append(&mut self.keys, text, self.url_encoded)?);
        Ok(())
    }

    fn common_prefixes(&mut self, name: &'a str) -> Result<(), Fault> {
        loop {
            match self.scanner.tag()? {
                Tag::Open(inner) if inner.local == "Prefix" => {
                    let text = self.scanner.text(inner.whole)?;
                    self.read_as_plain |= !self.url_encoded;
                    let end = append(&mut self.prefixes, &text, self.url_encoded)?;
                    self.page.prefix_ends.push(end);
                }
                Tag::Open(inner) => self.scanner.element(inner.whole, 2)?,
                Tag::Empty(_) => {}
                Tag::Close(close) if close == name => return Ok(()),
                Tag::Close(_) => return Err(self.scanner.broken("a wrong end tag")),
                Tag::End => return Err(Fault::Incomplete),
            }
        }
    }

    fn etag(&mut self, text: &str) -> Result<(Form, [u8; 16]), Fault> {
        let text = text.trim_ascii().trim_matches('"');
        if let Some(etag) = hex_etag(text) {
            return Ok(etag);
        }
        let start = offset(self.page.odd_etags.len())?;
        self.page.odd_etags.push_str(text);
        let length = offset(text.len())?;
        let mut place = [0; 16];
        for (byte, value) in
            place.iter_mut().zip(start.to_le_bytes().into_iter().chain(length.to_le_bytes()))
        {
            *byte = value;
        }
        Ok((Form::Odd, place))
    }
}

fn empty_child(name: Name<'_>) -> Result<(), Fault> {
    match name.local {
        "Contents" => Err(Fault::Missing("Key")),
        "IsTruncated" => Err(bad("IsTruncated", "")),
        "KeyCount" => Err(bad("KeyCount", "")),
        "MaxKeys" => Err(bad("MaxKeys", "")),
        _ => Ok(()),
    }
}

/// Appends `text`, decoded where it is encoded, and answers where it ends. In encoded keys `+`
/// is a blank: a plus itself comes as `%2B` (so all of OSS's SDKs read them).
fn append(arena: &mut Vec<u8>, text: &str, url_encoded: bool) -> Result<u32, Fault> {
    let mut rest = text.as_bytes();
    while url_encoded && let Some(at) = memchr2(b'%', b'+', rest) {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        arena.extend_from_slice(plain);
        rest = match escape {
            [b'%', high, low, tail @ ..] if let Some(byte) = hex_byte(*high, *low) => {
                arena.push(byte);
                tail
            }
            [mark, tail @ ..] => {
                // a broken escape stays as it is
                arena.push(if *mark == b'+' { b' ' } else { *mark });
                tail
            }
            [] => &[],
        };
    }
    arena.extend_from_slice(rest);
    offset(arena.len())
}

/// The texts in `arena`, which end at `ends`, if each of them is UTF-8.
fn decoded(arena: Vec<u8>, mut ends: impl Iterator<Item = u32>) -> Result<String, Fault> {
    String::from_utf8(arena)
        .ok()
        .filter(|text| ends.all(|end| text.is_char_boundary(end as usize)))
        .ok_or_else(|| Fault::Malformed("a key that is not UTF-8".into()))
}

fn offset(length: usize) -> Result<u32, Fault> {
    u32::try_from(length).map_err(|_| Fault::Malformed("more than 4 GiB of keys".into()))
}

fn bad(element: &'static str, text: &str) -> Fault {
    Fault::Number { element: element.to_owned(), text: text.chars().take(40).collect() }
}

fn number(element: &'static str, text: &str) -> Result<u64, Fault> {
    digits(text.trim_ascii()).ok_or_else(|| bad(element, text))
}

/// Decimal digits and nothing else.
fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Unix seconds of `2026-03-15T10:20:30.000Z`, with or without a fraction.
fn seconds(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(19)?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2] =
        head
    else {
        return None;
    };
    let fraction = tail.strip_suffix(b"Z")?;
    let plain = match fraction {
        [] => true,
        [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !plain {
        return None;
    }
    let two = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
    };
    let (year, month, day) = (two(y1, y2)? * 100 + two(y3, y4)?, two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(i1, i2)?, two(s1, s2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // days since 0000-03-01 in years that begin in March, so that the leap day comes last
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let since_1970 = days.checked_sub(719_468)?;
    since_1970.checked_mul(86_400)?.checked_add(hour * 3600 + minute * 60 + second)
}

/// 32 hex digits, all of one case.
fn hex_etag(text: &str) -> Option<(Form, [u8; 16])> {
    let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut seen = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
        let (high, low) = (hex_digit(*high), hex_digit(*low));
        seen |= high | low;
        *byte = high << 4 | (low & 15);
    }
    match seen & (UPPER | LOWER | ODD) {
        0 | UPPER => Some((Form::Upper, bytes)),
        LOWER => Some((Form::Lower, bytes)),
        _ => None,
    }
}

/// The byte that two hex digits of any case write.
fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (hex_digit(high), hex_digit(low));
    ((high | low) & ODD == 0).then_some(high << 4 | (low & 15))
}

/// The value of a hex digit, with the marks of its case; [`ODD`] for anything else.
fn hex_digit(digit: u8) -> u8 {
    HEX.get(usize::from(digit)).copied().unwrap_or(ODD)
}

const UPPER: u8 = 0x10;
const LOWER: u8 = 0x20;
const ODD: u8 = 0x40;

/// Of every byte its value as a hex digit, and which case it is of.
#[expect(clippy::indexing_slicing, reason = "the compiler itself runs this, once")]
const HEX: [u8; 256] = {
    let mut table = [ODD; 256];
    let mut value = 0;
    while value < 16 {
        if value < 10 {
            table[b'0' as usize + value as usize] = value;
        } else {
            table[b'A' as usize + value as usize - 10] = value | UPPER;
            table[b'a' as usize + value as usize - 10] = value | LOWER;
        }
        value += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_the_time_crate() {
        for unix in [0, 951_782_399, 951_782_400, 1_773_570_030, 4_102_444_799, 4_294_967_295_i64] {
            let time = time::OffsetDateTime::from_unix_timestamp(unix).unwrap();
            let format = &time::format_description::well_known::Rfc3339;
            let text = time.format(format).unwrap();
            assert_eq!(seconds(&text), u32::try_from(unix).ok(), "{text}");
        }
        assert_eq!(seconds("2026-03-15T10:20:30.000Z"), Some(1_773_570_030));
        for bad in [
            "",
            "2026-03-15",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-03-15T24:00:00Z",
            "2026-03-15T10:20:30",
            "2026-03-15T10:20:30.Z",
            "1969-12-31T23:59:59Z",
            "2026-03-15 10:20:30Z",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(digits("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "18446744073709551616", "-1", "+1", "1 ", "1.0", "0x1"] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}
