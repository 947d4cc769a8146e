//! The parts of an object that were read, and what a format still wants of it.

use bytes::Bytes;

/// Ranges that one preview may ask for after the first.
const MOST_RANGES: usize = 12;

/// Why a format cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// These bytes have to be read first.
    Need {
        /// Where they begin.
        offset: u64,
        /// How many they are.
        length: u64,
    },
    /// It would be more than may be read.
    Spent,
    /// The bytes are not what their format says.
    Damaged(&'static str),
}

/// An object as far as it was read. Formats parse it from the start each time more has come, and
/// name by [`Stop::Need`] what they lack: what they did before is cheap, and no state is left.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Bytes the object has.
    pub(super) total: u64,
    parts: Vec<(u64, Bytes)>,
    left: u64,
}

impl Source {
    /// The object's beginning, and how many bytes may be read besides.
    pub(super) fn new(first: Bytes, total: u64, left: u64) -> Self {
        Self { total, parts: vec![(0, first)], left }
    }

    /// One more part; what was asked for counts, not what came.
    pub(super) fn add(&mut self, offset: u64, asked: u64, bytes: Bytes) {
        self.left = self.left.saturating_sub(asked.max(1));
        self.parts.push((offset, bytes));
    }

    /// The beginning, as it was read first.
    pub(super) fn first(&self) -> &[u8] {
        self.parts.first().map(|(_, bytes)| &**bytes).unwrap_or_default()
    }

    /// Bytes that were read in all.
    pub(super) fn read(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>().min(self.total)
    }

    /// Whether `length` bytes more may be read.
    pub(super) fn affords(&self, length: u64) -> bool {
        length <= self.left && self.parts.len() <= MOST_RANGES
    }

    /// `length` bytes from `offset` on.
    pub(super) fn get(&self, offset: u64, length: u64) -> Result<&[u8], Stop> {
        let ends = offset.checked_add(length).filter(|ends| *ends <= self.total);
        if ends.is_none() {
            return Err(Stop::Damaged("it ends too early"));
        }
        let found = self.parts.iter().find_map(|(starts, bytes)| {
            let from = usize::try_from(offset.checked_sub(*starts)?).ok()?;
            bytes.get(from..)?.get(..usize::try_from(length).ok()?)
        });
        match found {
            Some(bytes) => Ok(bytes),
            None if self.affords(length) => Err(Stop::Need { offset, length }),
            None => Err(Stop::Spent),
        }
    }

    /// The last bytes, `length` at the most, and where they begin.
    pub(super) fn tail(&self, length: u64) -> Result<(u64, &[u8]), Stop> {
        let length = length.min(self.total);
        let offset = self.total - length;
        Ok((offset, self.get(offset, length)?))
    }
}

/// Reads numbers of the low end first from bytes, and stops at their end.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a>(pub(super) &'a [u8]);

impl<'a> Bits<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Seven bits a byte, the low ones first (LEB128).
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// `length` bytes whose number stands in the bytes themselves.
    pub(super) fn counted(&mut self, length: u64) -> Option<&'a [u8]> {
        self.take(usize::try_from(length).ok()?)
    }
}
