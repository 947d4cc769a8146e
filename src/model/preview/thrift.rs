//! Thrift's compact protocol, as far as a parquet file needs it. Numbers of fields alone, no
//! schema: what is unknown is kept or skipped, and damaged bytes end in `None`.

use super::source::Bits;

/// Values in one footer; each takes some forty bytes.
const MOST_VALUES: usize = 150_000;
/// Structures within structures.
const DEEPEST: usize = 16;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Bool(bool),
    Int(i64),
    /// Bytes or text.
    Bytes(&'a [u8]),
    List(Vec<Value<'a>>),
    /// Fields by number.
    Struct(Vec<(i16, Value<'a>)>),
    /// A map or a double, which a footer has no use for.
    Skipped,
}

impl<'a> Value<'a> {
    /// Reads the structure that `bytes` are.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        Self::parse_first(bytes).map(|(value, _)| value)
    }

    /// Reads the structure that `bytes` begin with, and answers what follows it.
    pub(super) fn parse_first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut parser = Parser { bits: Bits(bytes), left: MOST_VALUES };
        let value = parser.structure(0)?;
        Some((value, parser.bits.0))
    }

    pub(super) fn field(&self, number: i16) -> Option<&Value<'a>> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find_map(|(other, value)| (*other == number).then_some(value))
    }

    pub(super) fn int(&self, number: i16) -> Option<i64> {
        match self.field(number)? {
            Self::Int(int) => Some(*int),
            _ => None,
        }
    }

    pub(super) fn bytes(&self, number: i16) -> Option<&'a [u8]> {
        match self.field(number)? {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn text(&self, number: i16) -> Option<String> {
        self.bytes(number).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn list(&self, number: i16) -> &[Value<'a>] {
        match self.field(number) {
            Some(Self::List(list)) => list,
            _ => &[],
        }
    }
}

struct Parser<'a> {
    bits: Bits<'a>,
    left: usize,
}

impl<'a> Parser<'a> {
    fn zigzag(&mut self) -> Option<i64> {
        let number = self.bits.varint()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn structure(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut fields = Vec::new();
        let mut number = 0_i16;
        loop {
            let head = self.bits.u8()?;
            if head == 0 {
                return Some(Value::Struct(fields));
            }
            number = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).ok()?,
                step => number.checked_add(step.into())?,
            };
            let value = match head & 0xF {
                1 => Value::Bool(true),
                2 => Value::Bool(false),
                kind => self.value(kind, depth)?,
            };
            self.left = self.left.checked_sub(1)?;
            fields.push((number, value));
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<Value<'a>> {
        if depth >= DEEPEST {
            return None;
        }
        Some(match kind {
            1 | 2 => Value::Bool(self.bits.u8()? == 1),
            3 => Value::Int(i64::from(self.bits.u8()?.cast_signed())),
            4..=6 => Value::Int(self.zigzag()?),
            7 => {
                self.bits.take(8)?;
                Value::Skipped
            }
            8 => {
                let length = self.bits.varint()?;
                Value::Bytes(self.bits.counted(length)?)
            }
            9 | 10 => {
                let head = self.bits.u8()?;
                let length = match head >> 4 {
                    15 => self.bits.varint()?,
                    length => length.into(),
                };
                let mut list = Vec::new();
                for _ in 0..length {
                    self.left = self.left.checked_sub(1)?;
                    list.push(self.value(head & 0xF, depth + 1)?);
                }
                Value::List(list)
            }
            11 => {
                let length = self.bits.varint()?;
                let kinds = if length == 0 { 0 } else { self.bits.u8()? };
                for _ in 0..length {
                    self.left = self.left.checked_sub(1)?;
                    self.value(kinds >> 4, depth + 1)?;
                    self.value(kinds & 0xF, depth + 1)?;
                }
                Value::Skipped
            }
            12 => self.structure(depth + 1)?,
            _ => return None,
        })
    }
}
