//! The graphics protocol of kitty: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most of base64 that one sequence may carry.
const CHUNK: usize = 4096;

/// Takes our picture away, and what the terminal keeps of it. There is one at a time, so one
/// number does for all; it spells "oss", so as to be nobody else's.
pub(super) const REMOVAL: &str = "\x1b_Ga=d,d=I,i=7304051,q=2\x1b\\";

/// Shows `png` in so many cells, the cursor staying where it is. `q=2`: the terminal answers
/// nothing, which would come among the keys.
pub(super) fn show(png: &[u8], (columns, rows): (u16, u16)) -> Vec<u8> {
    let encoded = STANDARD.encode(png);
    let mut sequence = Vec::with_capacity(encoded.len() + encoded.len() / 128 + 128);
    let chunks = encoded.as_bytes().chunks(CHUNK);
    let last = chunks.len().saturating_sub(1);
    for (index, chunk) in chunks.enumerate() {
        let more = u8::from(index < last);
        let control = match index {
            0 => format!("a=T,f=100,i=7304051,q=2,C=1,c={columns},r={rows},m={more}"),
            _ => format!("q=2,m={more}"),
        };
        sequence.extend(b"\x1b_G");
        sequence.extend(control.bytes());
        sequence.push(b';');
        sequence.extend(chunk);
        sequence.extend(b"\x1b\\");
    }
    sequence
}
