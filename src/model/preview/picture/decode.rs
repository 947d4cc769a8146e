//! From the bytes of a picture to its pixels.

use std::io::Cursor;

use image::{ImageError, ImageFormat, ImageReader, Limits};

use super::{MOST, Picture};
use crate::base::pixels::Pixels;

/// The most pixels that are decoded: what modern cameras take.
const MOST_DECODED: u64 = 64 << 20;
/// The most memory that decoding may take, in bytes.
const MEMORY: u64 = 320 << 20;

/// A picture in small, without what shines through: that is white. Of several frames the first.
pub(super) fn pixels(bytes: &[u8], picture: &Picture) -> Result<Pixels, &'static str> {
    let format = match picture.form {
        "PNG" => ImageFormat::Png,
        "GIF" => ImageFormat::Gif,
        "JPEG" => ImageFormat::Jpeg,
        _ => ImageFormat::WebP,
    };
    // known by its header, before room is made for a single one
    if u64::from(picture.width) * u64::from(picture.height) > MOST_DECODED {
        return Err("it has too many pixels");
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|error| match error {
        ImageError::Limits(_) => "it would take too much memory",
        ImageError::Unsupported(_) => "it is of a kind that is not known",
        _ => "it is damaged",
    })?;
    let small = if decoded.width().max(decoded.height()) > MOST {
        decoded.thumbnail(MOST, MOST)
    } else {
        decoded
    };
    let small = small.to_rgba8();
    let width = usize::try_from(small.width()).map_err(|_| "it has too many pixels")?;
    let on_white = |part: u8, alpha: u8| {
        let (part, alpha) = (u16::from(part), u16::from(alpha));
        u8::try_from((part * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    let rgb = small.pixels().map(|pixel| {
        let [red, green, blue, alpha] = pixel.0;
        [red, green, blue].map(|part| on_white(part, alpha))
    });
    Ok(Pixels::new(width, rgb.collect()))
}
