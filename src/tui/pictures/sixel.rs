//! DEC's sixels: rows of six pixels, a colour at a time, out of a palette of 256.
//! <https://vt100.net/docs/vt3xx-gp/chapter14.html>

use std::collections::BTreeMap;

use crate::base::pixels::Pixels;

/// Colours that every terminal with sixels has.
const COLOURS: usize = 256;
/// Rows of pixels that are sent at once.
const BAND: usize = 6;

/// Shows the picture, a pixel for a pixel.
pub(super) fn show(pixels: &Pixels) -> Vec<u8> {
    let (width, height) = pixels.size();
    let (palette, indexed) = reduced(pixels);
    // the terminal's own aspect is overruled by that of the raster: square pixels
    let mut out = format!("\x1bP0;1;0q\"1;1;{width};{height}").into_bytes();
    for (index, colour) in palette.iter().enumerate() {
        let [red, green, blue] = colour.map(|part| (u16::from(part) * 100 + 127) / 255);
        out.extend(format!("#{index};2;{red};{green};{blue}").bytes());
    }
    for band in indexed.chunks(width.max(1) * BAND) {
        // which of the six rows of a column have the colour
        let mut colours: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for (row, indices) in band.chunks(width.max(1)).enumerate() {
            for (column, index) in indices.iter().enumerate() {
                let bits = colours.entry(*index).or_insert_with(|| vec![0; width]);
                if let Some(bits) = bits.get_mut(column) {
                    *bits |= 1 << row;
                }
            }
        }
        for (index, bits) in colours {
            out.extend(format!("#{index}").bytes());
            for run in bits.chunk_by(|one, other| one == other) {
                let sixel = 0x3f + run.first().copied().unwrap_or(0);
                match run.len() {
                    count @ ..=3 => out.extend(std::iter::repeat_n(sixel, count)),
                    count => {
                        out.extend(format!("!{count}").bytes());
                        out.push(sixel);
                    }
                }
            }
            // back to the first column
            out.push(b'$');
        }
        out.push(b'-');
    }
    out.extend(b"\x1b\\");
    out
}

/// At most [`COLOURS`] of its colours, and which of them each pixel has. Colours that agree in
/// their upper four bits count as one, by their average, so the flat ones of a plot stay as they
/// are; the rest goes to the nearest of those that are seen most.
fn reduced(pixels: &Pixels) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut seen: BTreeMap<[u8; 3], ([u64; 3], u64)> = BTreeMap::new();
    for pixel in pixels.rgb() {
        let (sums, count) = seen.entry(rough(*pixel)).or_default();
        *count += 1;
        for (sum, part) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(*part);
        }
    }
    let mut often: Vec<_> = seen.into_iter().collect();
    often.sort_by_key(|(_, (_, count))| std::cmp::Reverse(*count));
    let average = |(sums, count): ([u64; 3], u64)| {
        sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
    };
    let colours: Vec<_> = often.into_iter().map(|(rough, sum)| (rough, average(sum))).collect();
    let palette: Vec<[u8; 3]> = colours.iter().take(COLOURS).map(|(_, colour)| *colour).collect();
    let nearest: BTreeMap<[u8; 3], u8> = colours
        .into_iter()
        .map(|(rough, colour)| {
            let near = (0..=u8::MAX).zip(&palette).min_by_key(|(_, one)| distance(**one, colour));
            (rough, near.map_or(0, |(index, _)| index))
        })
        .collect();
    let index = |pixel: &[u8; 3]| nearest.get(&rough(*pixel)).copied().unwrap_or(0);
    (palette, pixels.rgb().iter().map(index).collect())
}

fn rough(colour: [u8; 3]) -> [u8; 3] {
    colour.map(|part| part >> 4)
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
}
