//! Pictures by their own pixels, on terminals that take them.
//!
//! A screen leaves a hole of blank cells ([`Hole::cut`]) and says what belongs there
//! ([`Placed`]); the picture is written into it after the frame, once. It is scaled and encoded on
//! a thread of its own, as the terminal is read on one. Writing it takes the loop as long as the
//! terminal takes for so many bytes, which are bounded.
//!
//! Own code and not the crate `ratatui-image`: that hides whole escape sequences in the symbols of
//! cells, which [nothing here may do](crate::base::visible), asks the terminal what it can by
//! reading its input, which belongs to another thread, and starts `tmux`.

mod iterm2;
mod kitty;
mod sixel;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use tokio::sync::mpsc;

use crate::base::pixels::Pixels;
use crate::tui::event_loop::Wake;

/// The most that is sent of one picture: keys wait meanwhile.
const MOST_BYTES: usize = 256 << 10;
/// What marks the cells of a hole. Nobody sees it in a blank; but a cell that shows anything else
/// differs from it, so the frame without the picture writes over every cell that had it.
const MARK: Modifier = Modifier::HIDDEN;

/// How a terminal takes pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The graphics protocol of kitty, that Ghostty has too.
    Kitty,
    /// The inline images of iTerm2, that WezTerm and mintty have too.
    Iterm2,
    /// DEC's sixels: foot, mlterm, contour, xterm where it is told to.
    Sixel,
}

/// The pixels of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellSize {
    /// From side to side.
    pub width: u16,
    /// From top to bottom.
    pub height: u16,
}

/// Cells that are left blank for a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    area: Rect,
    cell: CellSize,
}

impl Hole {
    /// Leaves `area` blank, in which cells have that size.
    pub fn cut(frame: &mut Frame<'_>, area: Rect, cell: CellSize) -> Self {
        let area = area.intersection(frame.area());
        let blank = " ".repeat(usize::from(area.width));
        for y in area.top()..area.bottom() {
            frame.buffer_mut().set_string(area.x, y, &blank, Style::new().add_modifier(MARK));
        }
        Self { area, cell }
    }

    /// Pixels from side to side, and from top to bottom.
    fn pixels(&self) -> (usize, usize) {
        let pixels = |cells: u16, size: u16| usize::from(cells) * usize::from(size);
        (pixels(self.area.width, self.cell.width), pixels(self.area.height, self.cell.height))
    }
}

/// A picture and the hole it fills, from edge to edge.
#[derive(Clone, Debug)]
pub struct Placed {
    /// What is shown.
    pub pixels: Arc<Pixels>,
    /// Where.
    pub hole: Hole,
}

impl Placed {
    /// Whether nothing was drawn over any part of it.
    pub fn is_whole(&self, buffer: &Buffer) -> bool {
        let mut places = self.hole.area.positions();
        places.all(|place| buffer.cell(place).is_some_and(|cell| cell.modifier.contains(MARK)))
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pixels, &other.pixels) && self.hole == other.hole
    }

    /// In `size`, or in a smaller one that can be sent: as what `encode` makes of it.
    fn encoded(
        &self,
        mut size: (usize, usize),
        encode: impl Fn(&Pixels) -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        loop {
            let bytes = encode(&self.pixels.scaled(size))?;
            if bytes.len() <= MOST_BYTES || size.0.min(size.1) < 8 {
                return Some(bytes);
            }
            size = (size.0 * 3 / 4, size.1 * 3 / 4);
        }
    }

    /// No more pixels than it has, where the terminal makes it fill the hole.
    fn own_size(&self) -> (usize, usize) {
        let ((width, height), most) = (self.pixels.size(), self.hole.pixels());
        (width.min(most.0).max(1), height.min(most.1).max(1))
    }
}

impl Protocol {
    /// What shows the picture, with the cursor at the first cell of its hole.
    fn encode(self, placed: &Placed) -> Option<Vec<u8>> {
        let Rect { width, height, .. } = placed.hole.area;
        match self {
            Self::Kitty => placed.encoded(placed.own_size(), |pixels| {
                Some(kitty::show(&png(pixels)?, (width, height)))
            }),
            Self::Iterm2 => placed.encoded(placed.own_size(), |pixels| {
                Some(iterm2::show(&png(pixels)?, (width, height)))
            }),
            // no terminal scales them
            Self::Sixel => placed.encoded(placed.hole.pixels(), |pixels| Some(sixel::show(pixels))),
        }
    }

    /// All that is written to show it.
    fn written(self, placed: &Placed) -> Option<Vec<u8>> {
        let Rect { x, y, width, height } = placed.hole.area;
        let picture = self.encode(placed)?;
        let to = |row: u16| format!("\x1b[{};{}H", row.saturating_add(1), x.saturating_add(1));
        // the cursor stays where the frame left it
        let mut bytes = b"\x1b7".to_vec();
        // in the same cells nothing stays of another picture
        for row in (y..y.saturating_add(height)).filter(|_| self != Self::Kitty) {
            bytes.extend(to(row).bytes());
            bytes.extend(" ".repeat(usize::from(width)).bytes());
        }
        bytes.extend(to(y).bytes());
        bytes.extend(picture);
        bytes.extend(b"\x1b8");
        Some(bytes)
    }

    /// What takes it away again, where the cells written over it do not.
    pub(super) fn removal(self) -> &'static str {
        match self {
            Self::Kitty => kitty::REMOVAL,
            Self::Iterm2 | Self::Sixel => "",
        }
    }
}

/// As a file that both kitty and iTerm2 read.
#[cfg(feature = "pictures")]
fn png(pixels: &Pixels) -> Option<Vec<u8>> {
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    use image::{ExtendedColorType, ImageEncoder as _};

    let (width, height) = pixels.size();
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    encoder
        .write_image(pixels.rgb().as_flattened(), width, height, ExtendedColorType::Rgb8)
        .ok()?;
    Some(bytes)
}

/// Without decoders there are no pixels.
#[cfg(not(feature = "pictures"))]
fn png(_: &Pixels) -> Option<Vec<u8>> {
    None
}

/// A picture that is to be encoded, and its number.
type Order = (u64, Placed);

/// What is wanted on the terminal.
#[derive(Debug)]
struct Wanted {
    number: u64,
    placed: Placed,
    /// The size of the terminal: another one cleared it.
    screen: Rect,
    is_written: bool,
}

/// The picture on the terminal, and the thread that encodes the next one.
#[derive(Debug)]
pub(super) struct Pictures {
    protocol: Protocol,
    wanted: Option<Wanted>,
    last: u64,
    orders: Sender<Order>,
    encoded: Receiver<(u64, Vec<u8>)>,
}

impl Pictures {
    /// None yet. Whenever one is ready, `queue` is told.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub(super) fn new(protocol: Protocol, queue: mpsc::Sender<Wake>) -> io::Result<Self> {
        let (orders, ordered) = channel::<Order>();
        let (ready, encoded) = channel();
        thread::Builder::new().name("pictures".to_owned()).spawn(move || {
            while let Ok(mut order) = ordered.recv() {
                // what was passed over meanwhile nobody sees
                while let Ok(newer) = ordered.try_recv() {
                    order = newer;
                }
                let (number, placed) = order;
                let Some(bytes) = protocol.written(&placed) else { continue };
                if ready.send((number, bytes)).is_err()
                    || queue.blocking_send(Wake::PictureReady).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Self { protocol, wanted: None, last: 0, orders, encoded })
    }

    /// Whether the terminal has one that stays until it is removed.
    pub(super) fn is_kept(&self) -> bool {
        !self.protocol.removal().is_empty() && self.is_shown()
    }

    fn is_shown(&self) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.is_written)
    }

    /// The terminal was cleared.
    pub(super) fn forget(&mut self) {
        self.wanted = None;
    }

    /// Makes it so that `picture` alone is on the terminal of that size, when it is ready.
    pub(super) fn show(
        &mut self,
        out: &mut impl Write,
        picture: Option<Placed>,
        screen: Rect,
    ) -> io::Result<()> {
        let is_wanted = match (&self.wanted, &picture) {
            (Some(wanted), Some(placed)) => wanted.placed.is(placed) && wanted.screen == screen,
            (wanted, _) => wanted.is_none() && picture.is_none(),
        };
        if !is_wanted {
            if self.is_shown() {
                out.write_all(self.protocol.removal().as_bytes())?;
            }
            self.wanted = picture.map(|placed| {
                self.last += 1;
                // a thread that is gone draws nothing, and half blocks were not asked for
                let _gone = self.orders.send((self.last, placed.clone()));
                Wanted { number: self.last, placed, screen, is_written: false }
            });
        }
        while let Ok((number, bytes)) = self.encoded.try_recv() {
            let wanted = self.wanted.as_mut().filter(|wanted| wanted.number == number);
            if let Some(wanted) = wanted {
                out.write_all(&bytes)?;
                wanted.is_written = true;
            }
        }
        out.flush()
    }
}

#[cfg(test)]
#[cfg(feature = "pictures")]
mod tests;
