//! Pictures: form and size by their headers, and what they look like in small.

#[cfg(feature = "pictures")]
mod decode;

use std::sync::Arc;

use super::source::{Bits, Source, Stop};
use super::{Content, Section, Structure};
use crate::base::pixels::Pixels;
use crate::base::units;

/// The most pixels of a side that are kept: more than any terminal has cells, and enough where
/// it takes pixels.
#[cfg(feature = "pictures")]
const MOST: u32 = 768;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    form: &'static str,
    width: u32,
    height: u32,
    depth: Option<String>,
}

/// Reads a picture, all of it where that may be read; nothing where it is none that is known.
pub(super) fn read(source: &Source) -> Result<Option<(Content, Option<String>)>, Stop> {
    let bytes = source.first();
    let picture = png(bytes).or_else(|| gif(bytes)).or_else(|| webp(bytes)).or_else(|| jpeg(bytes));
    let Some(picture) = picture else { return Ok(None) };
    let pixels = u64::from(picture.width) * u64::from(picture.height);
    let mut facts = vec![
        ("size", format!("{} × {}", picture.width, picture.height)),
        ("pixels", units::count(pixels)),
    ];
    facts.extend(picture.depth.clone().map(|depth| ("colours", depth)));
    let (pixels, note) = match drawn(source, &picture) {
        Ok(pixels) => (pixels, None),
        Err(need @ Stop::Need { .. }) => return Err(need),
        Err(Stop::Spent) => (None, Some("too long to be drawn before more of it is read".into())),
        Err(Stop::Damaged(why)) => (None, Some(format!("it cannot be drawn: {why}"))),
    };
    let sections = vec![Section::facts(facts)];
    let structure = Structure { form: picture.form, sections, pixels: pixels.map(Arc::new) };
    Ok(Some((Content::Structure(structure), note)))
}

#[cfg(feature = "pictures")]
fn drawn(source: &Source, picture: &Picture) -> Result<Option<Pixels>, Stop> {
    let first = source.first();
    let rest = source.get(first.len() as u64, source.total - first.len() as u64)?;
    decode::pixels(&[first, rest].concat(), picture).map(Some).map_err(Stop::Damaged)
}

#[cfg(not(feature = "pictures"))]
fn drawn(_: &Source, _: &Picture) -> Result<Option<Pixels>, Stop> {
    Ok(None)
}

fn png(bytes: &[u8]) -> Option<Picture> {
    let mut bits = Bits(bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?);
    bits.take(4)?;
    (bits.take(4)? == b"IHDR").then_some(())?;
    let (width, height) = (u32::from_be_bytes(bits.array()?), u32::from_be_bytes(bits.array()?));
    let depth = bits.u8()?;
    let colours = match bits.u8()? {
        0 => "grey",
        2 => "RGB",
        3 => "palette",
        4 => "grey with alpha",
        6 => "RGB with alpha",
        _ => return None,
    };
    Some(Picture { form: "PNG", width, height, depth: Some(format!("{colours}, {depth} bits")) })
}

fn gif(bytes: &[u8]) -> Option<Picture> {
    let rest = bytes.strip_prefix(b"GIF87a").or_else(|| bytes.strip_prefix(b"GIF89a"))?;
    let mut bits = Bits(rest);
    let (width, height) = (bits.u16()?.into(), bits.u16()?.into());
    Some(Picture { form: "GIF", width, height, depth: None })
}

fn webp(bytes: &[u8]) -> Option<Picture> {
    let mut bits = Bits(bytes.strip_prefix(b"RIFF")?);
    bits.take(4)?;
    (bits.take(4)? == b"WEBP").then_some(())?;
    let chunk = bits.take(4)?;
    bits.take(4)?;
    let (width, height) = match chunk {
        b"VP8 " => {
            bits.take(3)?;
            (bits.take(3)? == [0x9D, 0x01, 0x2A]).then_some(())?;
            (u32::from(bits.u16()? & 0x3FFF), u32::from(bits.u16()? & 0x3FFF))
        }
        b"VP8L" => {
            (bits.u8()? == 0x2F).then_some(())?;
            let sizes = bits.u32()?;
            ((sizes & 0x3FFF) + 1, ((sizes >> 14) & 0x3FFF) + 1)
        }
        b"VP8X" => {
            bits.take(4)?;
            let mut size = || {
                let [a, b, c] = bits.array()?;
                Some(u32::from_le_bytes([a, b, c, 0]) + 1)
            };
            (size()?, size()?)
        }
        _ => return None,
    };
    Some(Picture { form: "WebP", width, height, depth: None })
}

fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let mut bits = Bits(bytes.strip_prefix(b"\xFF\xD8")?);
    loop {
        (bits.u8()? == 0xFF).then_some(())?;
        let mut marker = bits.u8()?;
        while marker == 0xFF {
            marker = bits.u8()?;
        }
        match marker {
            0x01 | 0xD0..=0xD8 => continue,
            // the picture itself begins, or ends, and no size came before
            0xD9 | 0xDA => return None,
            _ => {}
        }
        let length = u16::from_be_bytes(bits.array()?).checked_sub(2)?;
        let mut segment = Bits(bits.take(length.into())?);
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let depth = segment.u8()?;
            let height = u16::from_be_bytes(segment.array()?).into();
            let width = u16::from_be_bytes(segment.array()?).into();
            let colours = match segment.u8()? {
                1 => "grey",
                3 => "colour",
                _ => "four channels",
            };
            let depth = Some(format!("{colours}, {depth} bits"));
            return Some(Picture { form: "JPEG", width, height, depth });
        }
    }
}
