//! Zip archives by the directory at their end: `NumPy`'s `.npz`, `PyTorch`'s checkpoints, others.

use super::npy::{Header, USUAL_HEADER};
use super::source::{Bits, Source, Stop};
use super::{Content, Section, Structure, Table, has_extension};
use crate::base::units;

/// Where the directory's end is looked for first: it has a comment but rarely.
const USUAL_TAIL: u64 = 4096;
/// The longest that end can be.
const LONGEST_TAIL: u64 = 22 + 65_535;
/// Members that are shown.
const MOST_MEMBERS: usize = 1000;
/// Arrays whose headers are read.
const MOST_HEADERS: usize = 64;

struct Member {
    name: String,
    method: u16,
    packed: u64,
    size: u64,
    offset: u64,
}

impl Member {
    fn is_array(&self) -> bool {
        has_extension(&self.name, &["npy"])
    }
}

/// Reads the directory; nothing where it is no archive.
pub(super) fn read(source: &Source) -> Result<Option<(Content, Option<String>)>, Stop> {
    if !source.first().starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    let (count, members) = directory(source)?;
    let arrays = members.iter().any(Member::is_array);
    let mut header = vec!["name", "size"];
    header.extend(if arrays { ["dtype", "shape"] } else { ["stored as", "packed"] });
    let mut rows = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let mut row = vec![member.name.clone(), units::bytes(member.size)];
        if arrays && member.is_array() {
            row.extend(array(source, member, index)?);
        } else {
            let way = match member.method {
                0 => "stored".to_owned(),
                8 => "deflate".to_owned(),
                other => format!("method {other}"),
            };
            row.extend([way, units::bytes(member.packed)]);
        }
        rows.push(row);
    }
    let size = members.iter().map(|member| member.size).fold(0, u64::saturating_add);
    let mut facts = vec![("members", units::count(count))];
    if count == members.len() as u64 {
        facts.push(("unpacked", units::bytes(size)));
    } else {
        facts.push(("shown", format!("the first {}", members.len())));
    }
    let table = Table { header: header.into_iter().map(str::to_owned).collect(), rows };
    let form = if arrays { "NumPy arrays" } else { "zip archive" };
    let sections = vec![Section::facts(facts), Section { title: Some("Members".into()), table }];
    Ok(Some((Content::Structure(Structure::new(form, sections)), None)))
}

/// How many members there are, and the first of them.
fn directory(source: &Source) -> Result<(u64, Vec<Member>), Stop> {
    const DAMAGED: Stop = Stop::Damaged("the directory at its end cannot be read");
    let (mut begins, mut tail) = source.tail(USUAL_TAIL)?;
    let mut found = end_record(tail);
    if found.is_none() && source.total > USUAL_TAIL {
        (begins, tail) = source.tail(LONGEST_TAIL)?;
        found = end_record(tail);
    }
    let at = found.ok_or(DAMAGED)?;
    let mut end = Bits(tail.get(at + 10..).ok_or(DAMAGED)?);
    let mut count = u64::from(end.u16().ok_or(DAMAGED)?);
    let mut size = u64::from(end.u32().ok_or(DAMAGED)?);
    let mut offset = u64::from(end.u32().ok_or(DAMAGED)?);
    if offset == u64::from(u32::MAX) || count == u64::from(u16::MAX) {
        // more than fits: the locator before the record says where the wide one lies
        let locator = (begins + at as u64).checked_sub(20).ok_or(DAMAGED)?;
        let mut locator = Bits(source.get(locator, 20)?);
        if locator.u32() == Some(0x0706_4B50) {
            let wide = locator.take(4).and_then(|_| locator.u64()).ok_or(DAMAGED)?;
            let mut wide = Bits(source.get(wide, 56)?);
            if wide.u32() != Some(0x0606_4B50) || wide.take(28).is_none() {
                return Err(DAMAGED);
            }
            count = wide.u64().ok_or(DAMAGED)?;
            size = wide.u64().ok_or(DAMAGED)?;
            offset = wide.u64().ok_or(DAMAGED)?;
        }
    }
    let mut bits = Bits(source.get(offset, size)?);
    let mut members = Vec::new();
    while members.len() < MOST_MEMBERS && (members.len() as u64) < count {
        members.push(member(&mut bits).ok_or(DAMAGED)?);
    }
    Ok((count, members))
}

/// Where the record lies that ends the directory: its comment reaches to the end of the file.
fn end_record(tail: &[u8]) -> Option<usize> {
    let mut places = memchr::memmem::rfind_iter(tail, b"PK\x05\x06");
    places.find(|at| {
        let mut bits = Bits(tail.get(at + 20..).unwrap_or_default());
        bits.u16().is_some_and(|comment| usize::from(comment) == bits.0.len())
    })
}

fn member(bits: &mut Bits<'_>) -> Option<Member> {
    if bits.u32()? != 0x0201_4B50 {
        return None;
    }
    bits.take(6)?;
    let method = bits.u16()?;
    bits.take(8)?;
    let mut packed = u64::from(bits.u32()?);
    let mut size = u64::from(bits.u32()?);
    let (name, extra, comment) = (bits.u16()?, bits.u16()?, bits.u16()?);
    bits.take(8)?;
    let mut offset = u64::from(bits.u32()?);
    let name = String::from_utf8_lossy(bits.take(name.into())?).into_owned();
    let mut extra = Bits(bits.take(extra.into())?);
    bits.take(comment.into())?;
    while let (Some(id), Some(length)) = (extra.u16(), extra.u16()) {
        let Some(field) = extra.take(length.into()) else { break };
        if id == 1 {
            // those that did not fit, in this order
            let mut field = Bits(field);
            for number in [&mut size, &mut packed, &mut offset] {
                if *number == u64::from(u32::MAX) {
                    *number = field.u64()?;
                }
            }
        }
    }
    Some(Member { name, method, packed, size, offset })
}

/// An array's dtype and shape, where its header can be had.
fn array(source: &Source, member: &Member, index: usize) -> Result<[String; 2], Stop> {
    if member.method != 0 {
        return Ok(["compressed".into(), String::new()]);
    }
    let unread = || ["not read".into(), String::new()];
    if index >= MOST_HEADERS {
        return Ok(unread());
    }
    // the local header repeats the name; its extra field is at most as long as NumPy's 20 bytes
    let wanted = 30 + member.name.len() as u64 + 64 + USUAL_HEADER.min(member.size);
    let length = wanted.min(source.total.saturating_sub(member.offset));
    let bytes = match source.get(member.offset, length) {
        Err(Stop::Spent | Stop::Damaged(_)) => return Ok(unread()),
        other => other?,
    };
    let header = || {
        let mut bits = Bits(bytes.strip_prefix(b"PK\x03\x04")?);
        bits.take(22)?;
        let (name, extra) = (bits.u16()?, bits.u16()?);
        bits.take(usize::from(name) + usize::from(extra))?;
        Header::parse(bits.0)
    };
    Ok(header().map_or_else(unread, |header| [header.dtype(), header.shape()]))
}
