//! Parquet by its footer (schema, row groups, statistics), and its first rows.
//!
//! The crate `parquet` reads whole column chunks, and makes room for as many bytes as a page says it
//! has before it has seen one; here a page is one structure of Thrift and a few bytes that are all
//! there.

mod leaf;
mod rows;

use std::cmp::Ordering;

use self::leaf::leaves;
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
    Ok(Some((Content::Structure(structure(source, &footer)?), None)))
}

fn structure(source: &Source, footer: &Value<'_>) -> Result<Structure, Stop> {
    let groups = footer.list(4);
    let unsigned = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let leaves = leaves(footer.list(2));
    let first = groups.first().map(|group| rows::first(source, group, &leaves)).transpose()?;
    let (first, left_out) = first.unwrap_or_default();
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
    facts.extend((!left_out.is_empty()).then(|| ("not read", left_out.join(", "))));
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
    let mut sections = vec![Section::facts(facts)];
    sections.extend(first);
    sections.push(Section { title: Some("Columns".into()), table: columns });
    sections.push(Section { title: Some("Row groups".into()), table: groups });
    Ok(Structure::new("parquet", sections))
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
