//! `NumPy`'s arrays: what the header says, and the values as far as they were read.

use super::source::{Bits, Source, Stop};
use super::{Content, Section, Structure, Table};
use crate::base::units;

/// The longest header that is read; `NumPy` itself refuses more than 10 000 bytes.
const LONGEST_HEADER: usize = 64 * 1024;
/// Bytes of a header that are read of an array within an archive.
pub(super) const USUAL_HEADER: u64 = 512;
/// Rows and columns of the sample.
const SAMPLE: (usize, usize) = (200, 12);

/// What an array's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// `<f4`, or the fields of a record.
    descr: String,
    fortran: bool,
    shape: Vec<u64>,
    /// Where the values begin.
    data: usize,
}

impl Header {
    /// Reads it; nothing where these bytes are no array.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits(bytes.strip_prefix(b"\x93NUMPY")?);
        let [major, _] = bits.array()?;
        let (start, length) = match major {
            1 => (10, usize::from(bits.u16()?)),
            2 | 3 => (12, usize::try_from(bits.u32()?).ok()?),
            _ => return None,
        };
        if length > LONGEST_HEADER {
            return None;
        }
        let text = std::str::from_utf8(bits.take(length)?).ok()?;
        let descr = after(text, "descr")?;
        let descr = match descr.strip_prefix('\'') {
            Some(rest) => rest.split_once('\'')?.0,
            None => balanced(descr)?,
        };
        let shape = after(text, "shape")?.strip_prefix('(')?.split_once(')')?.0;
        let shape: Result<Vec<u64>, _> = shape
            .split(',')
            .map(|part| part.trim().trim_end_matches('L'))
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect();
        Some(Self {
            descr: descr.to_owned(),
            fortran: after(text, "fortran_order")?.starts_with("True"),
            shape: shape.ok().filter(|shape| shape.len() <= 64)?,
            data: start + length,
        })
    }

    /// `float32`, or the record's fields as they stand.
    pub(super) fn dtype(&self) -> String {
        Dtype::parse(&self.descr).map_or_else(|| self.descr.clone(), Dtype::name)
    }

    /// `64 × 4`.
    pub(super) fn shape(&self) -> String {
        if self.shape.is_empty() {
            return "one value".into();
        }
        let sizes: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        sizes.join(" × ")
    }

    fn len(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |len, size| len.checked_mul(*size))
    }
}

/// What follows `'key':` in a Python dict.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// The brackets that `text` begins with, and what is in them.
fn balanced(text: &str) -> Option<&str> {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return text.get(..=at).filter(|text| text.len() > 1);
        }
    }
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dtype {
    kind: char,
    size: usize,
    big: bool,
}

impl Dtype {
    fn parse(descr: &str) -> Option<Self> {
        let mut chars = descr.chars();
        let order = chars.next().filter(|order| "<>|=".contains(*order))?;
        let kind = chars.next()?;
        let digits: String = chars.take_while(char::is_ascii_digit).collect();
        let size: usize = digits.parse().ok().or((kind == 'O').then_some(8))?;
        let size = if kind == 'U' { size.checked_mul(4)? } else { size };
        Some(Self { kind, size, big: order == '>' })
    }

    fn name(self) -> String {
        let bits = self.size.saturating_mul(8);
        let order = if self.big { ", big-endian" } else { "" };
        let name = match self.kind {
            'f' => format!("float{bits}"),
            'i' => format!("int{bits}"),
            'u' => format!("uint{bits}"),
            'c' => format!("complex{bits}"),
            'b' => "bool".into(),
            'M' => "datetime64".into(),
            'm' => "timedelta64".into(),
            'U' => format!("text of {} characters", self.size / 4),
            'S' => format!("{} bytes of text", self.size),
            'V' => format!("{} raw bytes", self.size),
            'O' => "Python objects".into(),
            other => format!("{other}{}", self.size),
        };
        name + order
    }

    /// The value of bytes that are as long as one.
    fn value(self, bytes: &[u8]) -> Value {
        let mut raw = [0; 8];
        if matches!(self.kind, 'U' | 'S') {
            return Value::Text(self.text(bytes));
        }
        if bytes.len() > raw.len() || bytes.is_empty() {
            return Value::Text(hex::encode(bytes.get(..8).unwrap_or(bytes)) + "…");
        }
        for (place, byte) in raw.iter_mut().zip(bytes) {
            *place = *byte;
        }
        if let (true, Some(raw)) = (self.big, raw.get_mut(..bytes.len())) {
            raw.reverse();
        }
        let number = u64::from_le_bytes(raw);
        let unused = 64 - 8 * u32::try_from(bytes.len()).unwrap_or(8);
        match (self.kind, self.size) {
            ('f', 2) => Value::Float(f64::from(half(u16::from_le_bytes([raw[0], raw[1]])))),
            ('f', 4) => {
                let [a, b, c, d, ..] = raw;
                // the shortest text of the float is wanted, not that of the double it fits in
                Value::Single(f32::from_le_bytes([a, b, c, d]))
            }
            ('f', 8) => Value::Float(f64::from_bits(number)),
            ('i' | 'M' | 'm', _) => Value::Int((number << unused).cast_signed() >> unused),
            ('u', _) => Value::Unsigned(number),
            ('b', 1) => Value::Text(if number == 0 { "False" } else { "True" }.into()),
            _ => Value::Text(hex::encode(bytes)),
        }
    }

    fn text(self, bytes: &[u8]) -> String {
        if self.kind == 'S' {
            return String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
        }
        let chars = bytes.as_chunks::<4>().0.iter().map(|unit| {
            let unit = if self.big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
            char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
        });
        chars.take(256).take_while(|c| *c != '\0').collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Float(f64),
    Single(f32),
    Int(i64),
    Unsigned(u64),
    Text(String),
}

impl Value {
    fn show(&self) -> String {
        match self {
            Self::Float(float) if *float != 0.0 && !(1e-5..1e16).contains(&float.abs()) => {
                format!("{float:e}")
            }
            Self::Float(float) => float.to_string(),
            Self::Single(float) if *float != 0.0 && !(1e-5..1e16).contains(&float.abs()) => {
                format!("{float:e}")
            }
            Self::Single(float) => float.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Unsigned(int) => int.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    fn is_nan(&self) -> bool {
        match self {
            Self::Float(float) => float.is_nan(),
            Self::Single(float) => float.is_nan(),
            _ => false,
        }
    }

    /// Whether it is less; texts are not compared.
    fn below(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a < b,
            (Self::Single(a), Self::Single(b)) => a < b,
            (Self::Int(a), Self::Int(b)) => a < b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a < b,
            _ => false,
        }
    }
}

/// A half-precision float.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1F), f32::from(bits & 0x3FF));
    sign * match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

/// Reads an array; nothing where it is none.
pub(super) fn read(source: &Source) -> Result<Option<(Content, Option<String>)>, Stop> {
    let bytes = source.first();
    if !bytes.starts_with(b"\x93NUMPY") {
        return Ok(None);
    }
    let header = Header::parse(bytes).ok_or(Stop::Damaged("its header cannot be read"))?;
    let len = header.len();
    let mut facts = vec![
        ("dtype", header.dtype()),
        ("shape", header.shape()),
        ("order", if header.fortran { "Fortran (columns first)" } else { "C (rows first)" }.into()),
        ("values", len.map_or_else(|| "too many".into(), units::count)),
    ];
    let values = bytes.get(header.data..).unwrap_or_default();
    let mut sections = Vec::new();
    let mut note = None;
    match Dtype::parse(&header.descr) {
        Some(Dtype { kind: 'O', .. }) => {
            note = Some("the values are a pickle: never unpickled (unpickling runs code)".into());
        }
        Some(dtype) if dtype.size > 0 => {
            let most = len.and_then(|len| usize::try_from(len).ok()).unwrap_or(usize::MAX);
            let values = || values.chunks_exact(dtype.size).take(most);
            facts.extend(range(dtype, values(), len));
            sections.push(sample(&header, dtype, values()));
        }
        _ => {}
    }
    sections.insert(0, Section::facts(facts));
    Ok(Some((Content::Structure(Structure::new("NumPy array", sections)), note)))
}

/// The least and the greatest of the values that were read.
fn range<'a>(
    dtype: Dtype,
    values: impl Iterator<Item = &'a [u8]>,
    len: Option<u64>,
) -> Vec<(&'static str, String)> {
    if !matches!(dtype.kind, 'f' | 'i' | 'u') || dtype.size > 8 {
        return Vec::new();
    }
    let (mut seen, mut nans) = (0_u64, 0_u64);
    let mut ends: Option<(Value, Value)> = None;
    for value in values.map(|bytes| dtype.value(bytes)) {
        seen += 1;
        if value.is_nan() {
            nans += 1;
            continue;
        }
        match &mut ends {
            None => ends = Some((value.clone(), value)),
            Some((least, _)) if value.below(least) => *least = value,
            Some((_, most)) if most.below(&value) => *most = value,
            Some(_) => {}
        }
    }
    let of = if len == Some(seen) {
        String::new()
    } else {
        format!(", of the first {}", units::count(seen))
    };
    let mut facts = Vec::new();
    if let Some((least, most)) = ends {
        facts.push(("range", format!("{} to {}{of}", least.show(), most.show())));
    }
    if nans > 0 {
        facts.push(("NaN", format!("{}{of}", units::count(nans))));
    }
    facts
}

/// The first values: by rows where they lie by rows, else one by one.
fn sample<'a>(header: &Header, dtype: Dtype, values: impl Iterator<Item = &'a [u8]>) -> Section {
    let across = match header.shape.as_slice() {
        [.., columns] if header.shape.len() > 1 && !header.fortran => {
            usize::try_from(*columns).unwrap_or(usize::MAX).max(1)
        }
        _ => 1,
    };
    let shown = across.min(SAMPLE.1);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (index, bytes) in values.enumerate() {
        let (down, column) = (index / across, index % across);
        if down >= SAMPLE.0 {
            break;
        }
        if column == 0 {
            rows.push(vec![down.to_string()]);
        }
        if let (true, Some(row)) = (column < shown, rows.last_mut()) {
            row.push(dtype.value(bytes).show());
        }
    }
    let mut names = vec![String::new()];
    if across == 1 {
        names.push("value".into());
    } else {
        names.extend((0..shown).map(|column| column.to_string()));
    }
    if shown < across {
        names.push(format!("… {} more", across - shown));
    }
    Section { title: Some("First values".into()), table: Table { header: names, rows } }
}
