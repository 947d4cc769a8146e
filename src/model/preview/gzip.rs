//! Gzip: what is inside, as far as it was read. What goes in and what comes out are both limited,
//! so neither a bomb nor a million empty members take memory or time.

use crc_fast::CrcAlgorithm::Crc32IsoHdlc;
use miniz_oxide::inflate::TINFLStatus as Status;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::source::{Bits, Source, Stop};
use super::{MOST_UNPACKED, file_name};
use crate::base::units;

/// What is inside.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// What it would be called.
    pub(super) name: String,
    /// Its bytes, as an object of which no more can be read.
    pub(super) source: Source,
    /// How much of it that is, and what is wrong with it.
    pub(super) note: String,
    /// Reading more would not unpack more.
    pub(super) is_full: bool,
}

/// Why unpacking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All members are there, and right by their checksums.
    Whole,
    /// As above, and what follows is none.
    Trailing,
    /// The bytes end within a member.
    Short,
    /// [`MOST_UNPACKED`] is reached.
    Full,
    /// The bytes are not what they should be.
    Damaged(&'static str),
}

/// Unpacks what was read; nothing where it is no gzip.
pub(super) fn read(key: &str, source: &Source) -> Result<Option<Unpacked>, Stop> {
    if !source.first().starts_with(b"\x1F\x8B\x08") {
        return Ok(None);
    }
    let is_whole = source.first().len() as u64 >= source.total;
    let claimed = if is_whole { None } else { claimed(source)? };
    let (bytes, name, end) = unpack(source.first());
    let (size, least) = (bytes.len() as u64, bytes.len() as u64 + 1);
    let unpacked = units::bytes(size);
    let first = match claimed {
        // the field has 32 bits, and of several members it counts the last
        Some(claimed) if claimed > size => {
            format!(
                "of gzip, the first {unpacked} unpacked of {} by its end",
                units::bytes(claimed)
            )
        }
        _ => format!("of gzip, the first {unpacked} unpacked"),
    };
    let note = match end {
        End::Whole => format!("of gzip, all {unpacked} unpacked"),
        End::Trailing => format!("of gzip, all {unpacked} unpacked; what follows is no gzip"),
        End::Short if is_whole => format!("{first}; it is cut off there"),
        End::Short | End::Full => first,
        End::Damaged(why) => format!("{first}; it is damaged there: {why}"),
    };
    let total = match end {
        End::Whole | End::Trailing => size,
        _ => claimed.unwrap_or_default().max(least),
    };
    Ok(Some(Unpacked {
        name: inner_name(key, name),
        source: Source::new(bytes.into(), total, 0),
        note,
        is_full: end != End::Short,
    }))
}

/// The size that the last four bytes tell, where they may be read.
fn claimed(source: &Source) -> Result<Option<u64>, Stop> {
    match source.tail(4) {
        Ok((_, end)) => Ok(Bits(end).u32().map(u64::from)),
        Err(need @ Stop::Need { .. }) => Err(need),
        Err(Stop::Spent | Stop::Damaged(_)) => Ok(None),
    }
}

/// The object's name without what says that it is packed, or the name in the header.
fn inner_name(key: &str, header: Option<String>) -> String {
    let name = file_name(key);
    if let Some(name) = name.strip_suffix(".tgz") {
        return format!("{name}.tar");
    }
    let bare = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".gzip"));
    bare.map(str::to_owned).or(header).unwrap_or(name)
}

/// All members, one behind the other, and the name that the first one gives.
pub(super) fn unpack(mut packed: &[u8]) -> (Vec<u8>, Option<String>, End) {
    let mut room = vec![0; MOST_UNPACKED];
    let mut filled = 0;
    let mut inflater = Box::<DecompressorOxide>::default();
    let mut name = None;
    let mut is_first = true;
    let end = loop {
        let Some(header) = Header::parse(packed) else {
            // zeros behind the last member fill a block of a tape
            break match packed.iter().all(|byte| *byte == 0) {
                true if !is_first => End::Whole,
                _ if !is_first && !packed.starts_with(b"\x1F\x8B") => End::Trailing,
                _ => End::Short,
            };
        };
        if header.reserved {
            break End::Damaged("its header has unknown flags");
        }
        if is_first {
            name = header.name;
        }
        is_first = false;
        inflater.init();
        let free = room.get_mut(filled..).unwrap_or_default();
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_HAS_MORE_INPUT;
        let (status, taken, given) = decompress(&mut inflater, header.rest, free, 0, flags);
        let member = free.get(..given).unwrap_or_default();
        filled += member.len();
        match status {
            Status::Done => {}
            Status::HasMoreOutput => break End::Full,
            Status::NeedsMoreInput | Status::FailedCannotMakeProgress => break End::Short,
            _ => break End::Damaged("these bytes are no deflate"),
        }
        let mut trailer = Bits(header.rest.get(taken..).unwrap_or_default());
        let (Some(sum), Some(_)) = (trailer.u32(), trailer.u32()) else { break End::Short };
        if u64::from(sum) != crc_fast::checksum(Crc32IsoHdlc, member) {
            break End::Damaged("its checksum is another");
        }
        packed = trailer.0;
        if packed.is_empty() {
            break End::Whole;
        }
    };
    room.truncate(filled);
    (room, name, end)
}

/// What precedes the deflate stream of a member.
struct Header<'a> {
    name: Option<String>,
    reserved: bool,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads it; nothing where it is none, or not all of it is there.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut bits = Bits(bytes.strip_prefix(b"\x1F\x8B\x08")?);
        let flags = bits.u8()?;
        bits.take(6)?;
        if flags & 4 != 0 {
            let length = bits.u16()?;
            bits.take(length.into())?;
        }
        let mut text = |flag| {
            if flags & flag == 0 {
                return Some(None);
            }
            let length = memchr::memchr(0, bits.0)?;
            let text = bits.take(length)?;
            bits.take(1)?;
            Some(Some(text))
        };
        let name = text(8)?;
        text(16)?;
        if flags & 2 != 0 {
            bits.take(2)?;
        }
        let name = name.map(|name| name.iter().take(256).map(|byte| char::from(*byte)).collect());
        Some(Self { name, reserved: flags & 0xE0 != 0, rest: bits.0 })
    }
}
