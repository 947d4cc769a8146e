//! Gzip: what its header and its end say. Nothing is unpacked.

use time::OffsetDateTime;

use super::source::{Bits, Source, Stop};
use super::{Content, Section, Structure};
use crate::base::units;

/// Reads header and end; nothing where it is none.
pub(super) fn read(source: &Source) -> Result<Option<(Content, Option<String>)>, Stop> {
    let Some(header) = source.first().strip_prefix(b"\x1F\x8B\x08") else { return Ok(None) };
    let mut bits = Bits(header);
    let flags = bits.u8().unwrap_or_default();
    let time = bits.u32().unwrap_or_default();
    bits.take(2);
    if flags & 4 != 0 {
        let length = bits.u16().unwrap_or_default();
        bits.take(length.into());
    }
    let mut facts = vec![("packed", units::bytes(source.total))];
    match source.tail(4) {
        Ok((_, end)) => {
            let size = Bits(end).u32().unwrap_or_default();
            let size = units::bytes(size.into());
            // the field has 32 bits, and a file of several members names the last one's
            let least = if source.total > 1 << 28 { " (or 4 GiB more)" } else { "" };
            facts.push(("unpacked", format!("{size} by its end{least}")));
        }
        Err(Stop::Spent) => {}
        Err(other) => return Err(other),
    }
    if flags & 8 != 0 {
        let name: Vec<u8> =
            bits.0.iter().copied().take(256).take_while(|byte| *byte != 0).collect();
        facts.push(("holds", name.iter().map(|byte| char::from(*byte)).collect()));
    }
    if let (1.., Ok(time)) = (time, OffsetDateTime::from_unix_timestamp(time.into())) {
        facts.push(("changed", units::moment(time) + " UTC"));
    }
    let structure = Structure { form: "gzip", sections: vec![Section::facts(facts)] };
    let note = "compressed: download it to see what is inside";
    Ok(Some((Content::Structure(structure), Some(note.into()))))
}
