//! The first rows of a parquet file, from the first pages of each column. A page is read as far as
//! its bytes are there; nothing is made room for by a number that stands in it.

use std::borrow::Cow;

use super::super::source::{Bits, Source, Stop};
use super::super::thrift::Value;
use super::super::{MOST_UNPACKED, Section, Table, gzip};
use super::leaf::Leaf;

/// Rows that are shown.
const MOST: usize = 100;
/// Columns of them.
const MOST_COLUMNS: usize = 100;
/// Chunks that together are no longer are read at once.
const TOGETHER: u64 = 512 << 10;
/// Bytes of pages that are looked at in all: chunks may be said to lie one over the other, and each
/// of their pages unpacks to a thousand times its bytes.
const MOST_PAGES: usize = 32 << 20;
/// What a page counts for beside its bytes.
const EMPTY: usize = 1 << 10;
/// Of each chunk, where all are too long: its dictionary and the first values, as a rule.
const EACH: u64 = 64 << 10;

/// The rows as a section, and which columns it leaves out, each with the reason.
pub(super) fn first(
    source: &Source,
    group: &Value<'_>,
    leaves: &[Leaf],
) -> Result<(Option<Section>, Vec<String>), Stop> {
    let wanted = group.int(3).and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0).min(MOST);
    let chunks: Vec<Option<Chunk>> = group.list(1).iter().map(Chunk::of).collect();
    let together = span(&chunks);
    let mut left = MOST_PAGES;
    let mut columns = Vec::new();
    let mut left_out = Vec::new();
    for (index, leaf) in leaves.iter().enumerate().take(MOST_COLUMNS) {
        let values = match chunks.get(index) {
            Some(Some(chunk)) => chunk.read(source, together, leaf, (wanted, &mut left))?,
            _ => Err("its place is not told"),
        };
        match values {
            Ok(values) => columns.push((leaf.name.clone(), values)),
            Err(why) => left_out.push(format!("{} ({why})", leaf.name)),
        }
    }
    if leaves.len() > MOST_COLUMNS {
        left_out.push(format!("columns after the first {MOST_COLUMNS}"));
    }
    let count = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    if count == 0 {
        return Ok((None, left_out));
    }
    let cell = |values: &Vec<Option<String>>, row: usize| match values.get(row) {
        Some(Some(text)) => text.clone(),
        Some(None) => "null".to_owned(),
        // its page is longer than what was read of it
        None => "…".to_owned(),
    };
    let row = |row| columns.iter().map(|(_, values)| cell(values, row)).collect();
    let rows = (0..count).map(row).collect();
    let header = columns.iter().map(|(name, _)| name.clone()).collect();
    let title = if count == 1 { "First row".into() } else { format!("First {count} rows") };
    Ok((Some(Section { title: Some(title), table: Table { header, rows } }), left_out))
}

/// Where the pages of a column lie.
#[derive(Debug)]
struct Chunk {
    offset: u64,
    length: u64,
    codec: i64,
}

impl Chunk {
    fn of(chunk: &Value<'_>) -> Option<Self> {
        let facts = chunk.field(3)?;
        let unsigned = |number| facts.int(number).and_then(|number| u64::try_from(number).ok());
        // a dictionary lies before the data; some writers put a zero where there is none
        let dictionary = unsigned(11).filter(|offset| *offset > 0);
        let data = unsigned(9)?;
        let offset = dictionary.map_or(data, |dictionary| dictionary.min(data));
        // of what lies in another file there is nothing to read here
        let is_here = chunk.bytes(1).is_none();
        is_here.then_some(Self { offset, length: unsigned(7)?, codec: facts.int(4)? })
    }

    /// The first values; of what cannot be read the reason.
    fn read(
        &self,
        source: &Source,
        together: Option<(u64, u64)>,
        leaf: &Leaf,
        (wanted, left): (usize, &mut usize),
    ) -> Result<Result<Vec<Option<String>>, &'static str>, Stop> {
        if leaf.repetition > 0 {
            return Ok(Err("lists"));
        }
        if !matches!(self.codec, 0..=2) {
            return Ok(Err(super::codec(self.codec)));
        }
        let length = self.length.min(source.total.saturating_sub(self.offset));
        let found = match together {
            Some((from, length)) => source.get(from, length).map(|all| {
                let skip = usize::try_from(self.offset - from).unwrap_or(usize::MAX);
                all.get(skip..).unwrap_or_default()
            }),
            None => source.get(self.offset, length.min(EACH)),
        };
        let bytes = match found {
            Ok(bytes) => bytes,
            Err(need @ Stop::Need { .. }) => return Err(need),
            Err(Stop::Spent) => return Ok(Err("it would be too much to read")),
            Err(Stop::Damaged(_)) => return Ok(Err("it lies behind the end")),
        };
        let bytes = bytes.get(..usize::try_from(length).unwrap_or(usize::MAX)).unwrap_or(bytes);
        Ok(self.values(bytes, leaf, (wanted, left)))
    }

    fn values(
        &self,
        mut bytes: &[u8],
        leaf: &Leaf,
        (wanted, left): (usize, &mut usize),
    ) -> Result<Vec<Option<String>>, &'static str> {
        let mut values = Vec::new();
        let mut dictionary: Vec<String> = Vec::new();
        while values.len() < wanted && !bytes.is_empty() {
            spend(EMPTY, left)?;
            let Some((header, rest)) = Value::parse_first(bytes) else { break };
            let size = header.int(3).and_then(|size| usize::try_from(size).ok());
            let size = size.ok_or("a page is damaged")?;
            let page = rest.get(..size).unwrap_or(rest);
            bytes = rest.get(size..).unwrap_or_default();
            if let Some(facts) = header.field(7) {
                let page = self.unpacked(page, left)?;
                let count = facts.int(1).and_then(|count| usize::try_from(count).ok());
                let plain = Plain { leaf, bits: Bits(&page), bit: 0 };
                dictionary = plain.take(count.unwrap_or(0)).collect();
            } else if let Some(facts) = header.field(5) {
                let page = self.unpacked(page, left)?;
                let mut bits = Bits(&page);
                let levels = if leaf.definition > 0 {
                    let length = bits.u32().ok_or("a page is damaged")?;
                    bits.counted(length.into()).ok_or("a page is damaged")?
                } else {
                    &[]
                };
                let page = Page { leaf, count: facts.int(1), levels, values: bits };
                page.read(facts.int(2), &dictionary, wanted, &mut values)?;
            } else if let Some(facts) = header.field(8) {
                let length = |number| facts.int(number).and_then(|it| u64::try_from(it).ok());
                let mut bits = Bits(page);
                bits.counted(length(6).unwrap_or(0)).ok_or("a page is damaged")?;
                let levels = bits.counted(length(5).unwrap_or(0)).ok_or("a page is damaged")?;
                let is_packed = facts.field(7) != Some(&Value::Bool(false));
                let rest =
                    if is_packed { self.unpacked(bits.0, left)? } else { Cow::Borrowed(bits.0) };
                let page = Page { leaf, count: facts.int(1), levels, values: Bits(&rest) };
                page.read(facts.int(4), &dictionary, wanted, &mut values)?;
            }
        }
        Ok(values)
    }

    /// What is in a page, as far as it is there and no longer than [`MOST_UNPACKED`].
    fn unpacked<'a>(
        &self,
        page: &'a [u8],
        left: &mut usize,
    ) -> Result<Cow<'a, [u8]>, &'static str> {
        let unpacked = match self.codec {
            1 => {
                let length = snap::raw::decompress_len(page).unwrap_or(usize::MAX);
                if length > MOST_UNPACKED {
                    return Err("its page is too long");
                }
                let unpacked = snap::raw::Decoder::new().decompress_vec(page);
                Cow::Owned(unpacked.map_err(|_| "its page is too long, or damaged")?)
            }
            2 => Cow::Owned(gzip::unpack(page).0),
            _ => Cow::Borrowed(page),
        };
        spend(unpacked.len(), left)?;
        Ok(unpacked)
    }
}

fn spend(bytes: usize, left: &mut usize) -> Result<(), &'static str> {
    *left = left.checked_sub(bytes).ok_or("its pages are too many")?;
    Ok(())
}

/// From where to where the chunks lie, unless that is too long.
fn span(chunks: &[Option<Chunk>]) -> Option<(u64, u64)> {
    let from = chunks.iter().flatten().map(|chunk| chunk.offset).min()?;
    let to =
        chunks.iter().flatten().map(|chunk| chunk.offset.saturating_add(chunk.length)).max()?;
    let length = to - from;
    (length <= TOGETHER).then_some((from, length))
}

/// A page of values.
struct Page<'a> {
    leaf: &'a Leaf,
    count: Option<i64>,
    /// Which of them are there.
    levels: &'a [u8],
    values: Bits<'a>,
}

impl Page<'_> {
    fn read(
        self,
        encoding: Option<i64>,
        dictionary: &[String],
        wanted: usize,
        values: &mut Vec<Option<String>>,
    ) -> Result<(), &'static str> {
        let Self { leaf, count, levels, values: mut bits } = self;
        let mut next: Box<dyn Iterator<Item = String>> = match (encoding, leaf.physical) {
            (Some(0), _) => Box::new(Plain { leaf, bits, bit: 0 }),
            (Some(2 | 8), _) => {
                let width = bits.u8().unwrap_or(0).into();
                let at = |index: u64| dictionary.get(usize::try_from(index).ok()?).cloned();
                Box::new(Hybrid::new(bits, width).map_while(at))
            }
            (Some(3), 0) => {
                bits.u32();
                Box::new(Hybrid::new(bits, 1).map(|bit| (bit != 0).to_string()))
            }
            _ => return Err("its encoding"),
        };
        let whole = u64::from(leaf.definition);
        let mut levels = Hybrid::new(Bits(levels), u64::BITS - whole.leading_zeros());
        let left = wanted.saturating_sub(values.len());
        let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0).min(left);
        for _ in 0..count {
            let is_there = whole == 0 || levels.next() == Some(whole);
            match is_there.then(|| next.next()) {
                None => values.push(None),
                Some(Some(value)) => values.push(Some(value)),
                Some(None) => break,
            }
        }
        Ok(())
    }
}

/// Values one behind the other.
struct Plain<'a> {
    leaf: &'a Leaf,
    bits: Bits<'a>,
    /// Of the byte that booleans are taken from.
    bit: u32,
}

impl Iterator for Plain<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let bytes = match self.leaf.physical {
            0 => {
                let byte = *self.bits.0.first()?;
                let value = byte >> self.bit & 1;
                self.bit = (self.bit + 1) % 8;
                if self.bit == 0 {
                    self.bits.u8();
                }
                return Some((value != 0).to_string());
            }
            1 | 4 => self.bits.take(4)?,
            2 | 5 => self.bits.take(8)?,
            3 => self.bits.take(12)?,
            6 => {
                let length = self.bits.u32()?;
                self.bits.counted(length.into())?
            }
            7 => self.bits.counted(u64::try_from(self.leaf.length).ok().filter(|it| *it > 0)?)?,
            _ => return None,
        };
        Some(self.leaf.cell(bytes))
    }
}

/// Small numbers of `width` bits, in runs of one number and runs of many (RLE and bit-packed).
struct Hybrid<'a> {
    bits: Bits<'a>,
    width: u32,
    run: Run<'a>,
}

enum Run<'a> {
    Same { number: u64, left: u64 },
    Packed { bytes: &'a [u8], at: u64, left: u64 },
}

impl<'a> Hybrid<'a> {
    fn new(bits: Bits<'a>, width: u32) -> Self {
        Self { bits, width, run: Run::Same { number: 0, left: 0 } }
    }

    fn next_run(&mut self) -> Option<Run<'a>> {
        if self.width > 32 {
            return None;
        }
        let head = self.bits.varint()?;
        let count = head >> 1;
        if head & 1 == 0 {
            let bytes = self.bits.counted(u64::from(self.width.div_ceil(8)))?;
            let number = bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
            return Some(Run::Same { number, left: count });
        }
        // eight numbers are `width` bytes; the last run may be cut
        let length = count.saturating_mul(self.width.into()).min(self.bits.0.len() as u64);
        let bytes = self.bits.counted(length)?;
        Some(Run::Packed { bytes, at: 0, left: count.saturating_mul(8) })
    }
}

impl Iterator for Hybrid<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            match &mut self.run {
                Run::Same { number, left } if *left > 0 => {
                    *left -= 1;
                    return Some(*number);
                }
                Run::Packed { bytes, at, left } if *left > 0 => {
                    *left -= 1;
                    let (from, shift) = (usize::try_from(*at / 8).ok()?, *at % 8);
                    *at += u64::from(self.width);
                    let last = usize::try_from((*at).div_ceil(8)).ok()?;
                    let held = bytes.get(from..last)?;
                    let number =
                        held.iter().rev().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
                    return Some(number >> shift & ((1 << self.width) - 1));
                }
                _ => self.run = self.next_run()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::leaf::leaves;
    use super::*;

    /// A page of no values, as its header and bytes.
    fn page(bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len() * 2).unwrap();
        // type, sizes, and what a page of data says: no values, plain
        let header = [0x15, 0, 0x15, 0, 0x15, length, 0x2C, 0x15, 0, 0x15, 0, 0, 0];
        [header.as_slice(), bytes].concat()
    }

    #[test]
    fn pages_that_unpack_to_much_more_end_at_a_limit() {
        let schema = [0x15, 0x02, 0x48, 1, b'x', 0];
        let root = Value::parse(&[0x48, 1, b'r', 0]).unwrap();
        let columns = leaves(&[root, Value::parse(&schema).unwrap()]);
        let [leaf] = &columns[..] else { panic!("{columns:?}") };
        let chunk = |codec| Chunk { offset: 0, length: 0, codec };
        let bomb = page(&[]).repeat(2);
        let mut left = 3 * EMPTY;
        assert_eq!(chunk(0).values(&bomb, leaf, (9, &mut left)), Ok(Vec::new()));
        assert_eq!(left, EMPTY);
        let why = chunk(0).values(&bomb, leaf, (9, &mut left));
        assert_eq!(why, Err("its pages are too many"));
        let zeros = snap::raw::Encoder::new().compress_vec(&[0; 1000]).unwrap();
        let mut left = 5000;
        let why = chunk(1).values(&page(&zeros).repeat(3), leaf, (9, &mut left));
        assert_eq!((why, left < 1000), (Err("its pages are too many"), true));
    }
}
