//! CRC-64/XZ, the checksum OSS keeps of every object, multipart ones too
//! (`x-oss-hash-crc64ecma`, decimal). Its name there says ECMA; it is the
//! reflected form, check value `995DC9BBDF1939FA` (Alibaba's Go and Python
//! SDKs).

use crc_fast::CrcAlgorithm::Crc64Xz;

/// A running checksum.
#[derive(Clone, Debug)]
pub struct Crc64(crc_fast::Digest);

impl Crc64 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(crc_fast::Digest::new(Crc64Xz))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum so far.
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Self::new()
    }
}

/// The checksum of two stretches, one behind the other, by those of each and the second's length.
pub fn joined(first: u64, second: u64, second_length: u64) -> u64 {
    crc_fast::checksum_combine(Crc64Xz, first, second, second_length)
}

/// The checksum of `bytes`.
pub fn of(bytes: &[u8]) -> u64 {
    crc_fast::checksum(Crc64Xz, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_is_osss() {
        assert_eq!(of(b"123456789"), 0x995D_C9BB_DF19_39FA);
        let mut running = Crc64::new();
        running.update(b"1234");
        running.update(b"56789");
        assert_eq!(running.value(), of(b"123456789"));
        assert_eq!(joined(of(b"1234"), of(b"56789"), 5), of(b"123456789"));
        assert_eq!(joined(of(b""), of(b"1"), 1), of(b"1"));
        assert_eq!(joined(of(b"1"), of(b""), 0), of(b"1"));
    }
}
