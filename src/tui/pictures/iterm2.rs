//! The inline images of iTerm2: <https://iterm2.com/documentation-images.html>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Shows `png` in so many cells. The hole has the proportions as near as cells can have them, and
/// is filled to its edges.
pub(super) fn show(png: &[u8], (columns, rows): (u16, u16)) -> Vec<u8> {
    let (size, encoded) = (png.len(), STANDARD.encode(png));
    format!(
        "\x1b]1337;File=inline=1;size={size};width={columns};height={rows};\
         preserveAspectRatio=0;doNotMoveCursor=1:{encoded}\x07"
    )
    .into_bytes()
}
