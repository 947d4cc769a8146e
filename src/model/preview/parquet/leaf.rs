//! The columns of a schema, and how their values are written.

use time::OffsetDateTime;

use super::super::source::Bits;
use super::super::thrift::Value;
use crate::base::units;

/// A column that holds values.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) name: String,
    pub(super) physical: i64,
    pub(super) length: i64,
    optional: bool,
    /// How many of the names on its path may be missing, and how many repeat.
    pub(super) definition: u32,
    pub(super) repetition: u32,
    converted: Option<i64>,
    scale: Option<u32>,
    /// The number of the logical type and, of times, the number of its unit.
    logical: Option<(i16, Option<i16>)>,
}

/// The leaves of the schema's tree, which lies flat, with their paths.
pub(super) fn leaves(schema: &[Value<'_>]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    // of each group that is open its path's length, how many children are still to come, and the
    // levels above it
    let mut path = String::new();
    let (mut definition, mut repetition) = (0, 0);
    let mut open: Vec<(usize, i64, (u32, u32))> = Vec::new();
    for element in schema.iter().skip(1) {
        while let Some((length, 0, levels)) = open.last() {
            path.truncate(*length);
            (definition, repetition) = *levels;
            open.pop();
        }
        if let Some((_, left, _)) = open.last_mut() {
            *left -= 1;
        }
        let (may_miss, repeats) = match element.int(3) {
            Some(1) => (1, 0),
            Some(2) => (1, 1),
            _ => (0, 0),
        };
        let name = element.text(4).unwrap_or_default();
        let children = element.int(5).unwrap_or(0);
        if children > 0 && open.len() < 32 && path.len() < 1024 {
            open.push((path.len(), children, (definition, repetition)));
            (definition, repetition) = (definition + may_miss, repetition + repeats);
            path.push_str(&name);
            path.push('.');
            continue;
        }
        let logical = match element.field(10) {
            Some(Value::Struct(fields)) => fields.first().map(|(number, inner)| {
                let unit = match inner.field(2) {
                    Some(Value::Struct(unit)) => unit.first().map(|(number, _)| *number),
                    _ => None,
                };
                (*number, unit)
            }),
            _ => None,
        };
        leaves.push(Leaf {
            name: format!("{path}{name}"),
            physical: element.int(1).unwrap_or(-1),
            length: element.int(2).unwrap_or(0),
            optional: element.int(3) == Some(1),
            definition: definition + may_miss,
            repetition: repetition + repeats,
            converted: element.int(6),
            scale: element.int(7).and_then(|scale| u32::try_from(scale).ok()),
            logical,
        });
    }
    leaves
}

#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum End {
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(Vec<u8>),
}

impl Leaf {
    fn is_text(&self) -> bool {
        matches!(self.logical, Some((1 | 4 | 12, _))) || matches!(self.converted, Some(0 | 4 | 19))
    }

    /// Whether the old statistics, whose order nobody wrote down, can be believed.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.physical, 0..=2 | 4 | 5) && !self.is_unsigned()
    }

    fn is_unsigned(&self) -> bool {
        matches!(self.converted, Some(11..=14))
    }

    /// `timestamp (us), may be null`.
    pub(super) fn kind(&self) -> String {
        let unit = |unit: Option<i16>| match unit {
            Some(1) => "ms",
            Some(2) => "us",
            Some(3) => "ns",
            _ => "?",
        };
        let kind = match (self.logical, self.converted, self.physical) {
            (Some((1, _)), ..) | (_, Some(0), _) => "text".into(),
            (Some((5, _)), ..) | (_, Some(5), _) => "decimal".into(),
            (Some((6, _)), ..) | (_, Some(6), _) => "date".into(),
            (Some((7, it)), ..) => format!("time ({})", unit(it)),
            (Some((8, it)), ..) => format!("timestamp ({})", unit(it)),
            (_, Some(9), _) => "timestamp (ms)".into(),
            (_, Some(10), _) => "timestamp (us)".into(),
            (Some((12, _)), ..) | (_, Some(19), _) => "JSON".into(),
            (Some((14, _)), ..) => "UUID".into(),
            (_, Some(at @ 11..=14), _) => format!("uint{}", 8_u32 << (at - 11)),
            (_, Some(at @ 15..=18), _) => format!("int{}", 8_u32 << (at - 15)),
            (.., 0) => "bool".into(),
            (.., 1) => "int32".into(),
            (.., 2) => "int64".into(),
            (.., 3) => "int96".into(),
            (.., 4) => "float32".into(),
            (.., 5) => "float64".into(),
            (.., 6) => "bytes".into(),
            (.., 7) => format!("{} bytes", self.length),
            _ => "?".into(),
        };
        if self.optional { kind + "?" } else { kind }
    }

    /// What the bytes of a value are, where that has an order.
    pub(super) fn value(&self, bytes: &[u8]) -> Option<End> {
        let mut bits = Bits(bytes);
        Some(match self.physical {
            0 => End::Bool(bits.u8()? != 0),
            1 if self.is_unsigned() => End::Int(bits.u32()?.into()),
            1 => End::Int(bits.u32()?.cast_signed().into()),
            2 if self.is_unsigned() => End::Int(i64::try_from(bits.u64()?).ok()?),
            2 => End::Int(bits.u64()?.cast_signed()),
            4 => End::Float(f32::from_le_bytes(bits.array()?).into()),
            5 => End::Float(f64::from_le_bytes(bits.array()?)),
            6 | 7 if self.is_text() => End::Bytes(bytes.get(..bytes.len().min(256))?.to_vec()),
            _ => return None,
        })
    }

    pub(super) fn show(&self, end: &End) -> String {
        match end {
            End::Bool(bool) => bool.to_string(),
            End::Int(int) => {
                self.time(*int).or_else(|| self.decimal(*int)).unwrap_or(int.to_string())
            }
            End::Float(float) => float.to_string(),
            End::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// Any value by its bytes.
    pub(super) fn cell(&self, bytes: &[u8]) -> String {
        if let Some(end) = self.value(bytes) {
            return self.show(&end);
        }
        if self.physical == 3 {
            return int96(bytes).unwrap_or_default();
        }
        if self.is_decimal() {
            return big_endian(bytes)
                .and_then(|int| self.decimal(i64::try_from(int).ok()?).or(Some(int.to_string())))
                .unwrap_or_else(|| hex(bytes));
        }
        // many writers do not say which bytes are text
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control()) => {
                text.chars().take(256).collect()
            }
            _ => hex(bytes),
        }
    }

    fn is_decimal(&self) -> bool {
        matches!(self.logical, Some((5, _))) || self.converted == Some(5)
    }

    fn decimal(&self, int: i64) -> Option<String> {
        let scale = self.scale.filter(|scale| (1..19).contains(scale))?;
        let one = 10_i64.checked_pow(scale)?;
        let sign = if int < 0 { "-" } else { "" };
        let (whole, part) =
            (int.unsigned_abs() / one.unsigned_abs(), int.unsigned_abs() % one.unsigned_abs());
        Some(format!("{sign}{whole}.{part:0width$}", width = scale as usize))
    }

    /// A date or a time as it is written.
    fn time(&self, int: i64) -> Option<String> {
        let nanos = match (self.logical, self.converted) {
            (Some((6, _)), _) | (_, Some(6)) => {
                let day = OffsetDateTime::from_unix_timestamp(int.checked_mul(86_400)?).ok()?;
                return Some(day.date().to_string());
            }
            (Some((8, Some(1))), _) | (None, Some(9)) => 1_000_000,
            (Some((8, Some(2))), _) | (None, Some(10)) => 1000,
            (Some((8, Some(3))), _) => 1,
            _ => return None,
        };
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(int) * nanos).ok()?;
        Some(units::moment(time))
    }
}

/// The first bytes, where they are no text.
fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    format!("0x{}{more}", hex::encode(bytes.get(..SHOWN).unwrap_or(bytes)))
}

fn big_endian(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let fill = if first & 0x80 == 0 { 0 } else { 0xFF };
    let mut whole = [fill; 16];
    whole.get_mut(16_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(whole))
}

/// Nanoseconds of a day, and the day as astronomers count it: how Spark and Impala wrote times.
fn int96(bytes: &[u8]) -> Option<String> {
    const UNIX: i64 = 2_440_588;
    let mut bits = Bits(bytes);
    let (nanos, day) = (bits.u64()?, bits.u32()?);
    let seconds = (i64::from(day) - UNIX).checked_mul(86_400)?;
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Some(units::moment(OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?))
}
