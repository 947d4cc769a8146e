//! Pictures by their headers: form and size. Nothing is decoded.

use super::source::{Bits, Source};
use super::{Content, Section, Structure};
use crate::base::units;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    form: &'static str,
    width: u32,
    height: u32,
    depth: Option<String>,
}

/// Reads the header; nothing where it is no picture that is known.
pub(super) fn read(source: &Source) -> Option<(Content, Option<String>)> {
    let bytes = source.first();
    let picture =
        png(bytes).or_else(|| gif(bytes)).or_else(|| webp(bytes)).or_else(|| jpeg(bytes))?;
    let pixels = u64::from(picture.width) * u64::from(picture.height);
    let mut facts = vec![
        ("size", format!("{} × {}", picture.width, picture.height)),
        ("pixels", units::count(pixels)),
    ];
    facts.extend(picture.depth.map(|depth| ("colours", depth)));
    let structure = Structure { form: picture.form, sections: vec![Section::facts(facts)] };
    Some((Content::Structure(structure), None))
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
