//! Parquet by its footer: schema, row groups, statistics. Pages of values are not read.
//!
//! The crate `parquet` brings some thirty others even without its features, and trusts the lengths
//! that it reads; a footer is one structure of Thrift.

use std::cmp::Ordering;

use time::OffsetDateTime;

use super::source::{Bits, Source, Stop};
use super::thrift::Value;
use super::{Content, Section, Structure, Table};
use crate::base::units;

/// What is read of the end first: most footers are shorter.
const USUAL_FOOTER: u64 = 64 * 1024;
/// The longest footer that is read.
const LONGEST_FOOTER: u64 = 4 << 20;
/// Columns and row groups that are shown.
const MOST_ROWS: usize = 1000;

/// Reads the footer; nothing where it is no parquet file.
pub(super) fn read(source: &Source) -> Result<Option<(Content, Option<String>)>, Stop> {
    if source.first().starts_with(b"PARE") {
        return Err(Stop::Damaged("its footer is encrypted"));
    }
    if !source.first().starts_with(b"PAR1") {
        return Ok(None);
    }
    let (_, tail) = source.tail(USUAL_FOOTER)?;
    let (rest, end) = tail.split_last_chunk::<8>().ok_or(Stop::Damaged("it ends too early"))?;
    let (length, magic) = end.split_at(4);
    if magic != b"PAR1" {
        return Err(Stop::Damaged("it does not end as parquet does"));
    }
    let length = u64::from(Bits(length).u32().unwrap_or_default());
    if length > LONGEST_FOOTER {
        return Err(Stop::Spent);
    }
    let begins = usize::try_from(length).ok().and_then(|length| rest.len().checked_sub(length));
    let footer = if let Some(begins) = begins {
        rest.get(begins..).unwrap_or_default()
    } else {
        let begins = source.total.checked_sub(length + 8);
        source.get(begins.ok_or(Stop::Damaged("its footer is longer than itself"))?, length)?
    };
    let footer = Value::parse(footer).ok_or(Stop::Damaged("its footer cannot be read"))?;
    Ok(Some((Content::Structure(structure(&footer)), None)))
}

fn structure(footer: &Value<'_>) -> Structure {
    let groups = footer.list(4);
    let unsigned = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let leaves = leaves(footer.list(2));
    let mut facts = vec![
        ("rows", units::count(unsigned(footer.int(3)))),
        ("columns", units::count(leaves.len() as u64)),
        ("row groups", units::count(groups.len() as u64)),
    ];
    if let Some(writer) = footer.text(6) {
        facts.push(("written by", writer));
    }
    let keys: Vec<String> = footer.list(5).iter().filter_map(|pair| pair.text(1)).collect();
    if !keys.is_empty() {
        facts.push(("metadata", keys.join(", ")));
    }
    if leaves.len() > MOST_ROWS || groups.len() > MOST_ROWS {
        facts.push(("shown", format!("the first {MOST_ROWS} columns and row groups")));
    }
    let mut columns = Vec::new();
    for (index, leaf) in leaves.iter().take(MOST_ROWS).enumerate() {
        let chunks = groups.iter().filter_map(|group| group.list(1).get(index)?.field(3));
        let chunks: Vec<&Value<'_>> = chunks.collect();
        let size: u64 =
            chunks.iter().map(|chunk| unsigned(chunk.int(7))).fold(0, u64::saturating_add);
        let codec = chunks.first().and_then(|chunk| chunk.int(4)).map_or("", codec);
        let statistics: Vec<&Value<'_>> = chunks.iter().filter_map(|it| it.field(12)).collect();
        let nulls: Option<Vec<i64>> = (statistics.len() == chunks.len())
            .then(|| statistics.iter().map(|it| it.int(3)).collect())
            .flatten();
        let nulls = nulls.map(|nulls| {
            nulls.iter().fold(0, |all: u64, n| all.saturating_add(unsigned(Some(*n))))
        });
        let end = |[field, old]: [i16; 2], wanted: Ordering| {
            let ends = statistics.iter().filter_map(|it| {
                leaf.value(it.bytes(field).or_else(|| it.bytes(old).filter(|_| leaf.is_plain()))?)
            });
            let end = ends.reduce(|a, b| if a.partial_cmp(&b) == Some(wanted) { a } else { b });
            end.map_or_else(String::new, |end| leaf.show(&end))
        };
        columns.push(vec![
            leaf.name.clone(),
            leaf.kind(),
            units::bytes(size),
            codec.to_owned(),
            nulls.map(units::count).unwrap_or_default(),
            end([6, 2], Ordering::Less),
            end([5, 1], Ordering::Greater),
        ]);
    }
    let header = ["column", "type", "size", "codec", "nulls", "least", "greatest"];
    let columns = Table { header: header.map(str::to_owned).to_vec(), rows: columns };
    let row = |(index, group): (usize, &Value<'_>)| {
        let size = units::bytes(unsigned(group.int(2)));
        vec![index.to_string(), units::count(unsigned(group.int(3))), size]
    };
    let rows = groups.iter().take(MOST_ROWS).enumerate().map(row).collect();
    let groups = Table { header: ["#", "rows", "unpacked"].map(str::to_owned).to_vec(), rows };
    Structure {
        form: "parquet",
        sections: vec![
            Section::facts(facts),
            Section { title: Some("Columns".into()), table: columns },
            Section { title: Some("Row groups".into()), table: groups },
        ],
    }
}

/// A column that holds values.
struct Leaf {
    name: String,
    physical: i64,
    length: i64,
    optional: bool,
    converted: Option<i64>,
    scale: Option<u32>,
    /// The number of the logical type and, of times, the number of its unit.
    logical: Option<(i16, Option<i16>)>,
}

/// The leaves of the schema's tree, which lies flat, with their paths.
fn leaves(schema: &[Value<'_>]) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    // of each group that is open its path's length and how many children are still to come
    let mut path = String::new();
    let mut open: Vec<(usize, i64)> = Vec::new();
    for element in schema.iter().skip(1) {
        while let Some((length, 0)) = open.last() {
            path.truncate(*length);
            open.pop();
        }
        if let Some((_, left)) = open.last_mut() {
            *left -= 1;
        }
        let name = element.text(4).unwrap_or_default();
        let children = element.int(5).unwrap_or(0);
        if children > 0 && open.len() < 32 && path.len() < 1024 {
            open.push((path.len(), children));
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
            converted: element.int(6),
            scale: element.int(7).and_then(|scale| u32::try_from(scale).ok()),
            logical,
        });
    }
    leaves
}

#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum End {
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
    fn is_plain(&self) -> bool {
        matches!(self.physical, 0..=2 | 4 | 5) && !self.is_unsigned()
    }

    fn is_unsigned(&self) -> bool {
        matches!(self.converted, Some(11..=14))
    }

    /// `timestamp (us), may be null`.
    fn kind(&self) -> String {
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

    fn value(&self, bytes: &[u8]) -> Option<End> {
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

    fn show(&self, end: &End) -> String {
        match end {
            End::Bool(bool) => bool.to_string(),
            End::Int(int) => {
                self.time(*int).or_else(|| self.decimal(*int)).unwrap_or(int.to_string())
            }
            End::Float(float) => float.to_string(),
            End::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        }
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

fn codec(number: i64) -> &'static str {
    match number {
        0 => "none",
        1 => "snappy",
        2 => "gzip",
        3 => "lzo",
        4 => "brotli",
        5 => "lz4",
        6 => "zstd",
        7 => "lz4 raw",
        _ => "?",
    }
}
