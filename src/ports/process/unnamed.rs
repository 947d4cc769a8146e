//! A file without a name, for what a child reads and nobody else may.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;

/// A file that holds `bytes`, at its begin. On Linux it is memory, sealed against changes; else it
/// lost its name before it was written.
pub(super) fn holding(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file = file()?;
    file.write_all(bytes)?;
    file.rewind()?;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{SealFlags, fcntl_add_seals};
        let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        fcntl_add_seals(&file, all)?;
    }
    Ok(file.into())
}

#[cfg(target_os = "linux")]
fn file() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    // the child gets it as its stdin, which is not closed; nobody else started meanwhile does
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    Ok(File::from(memfd_create("osstack", flags)?))
}

#[cfg(not(target_os = "linux"))]
fn file() -> io::Result<File> {
    tempfile::tempfile()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn it_is_read_from_its_begin_and_never_changed() {
        let mut file = File::from(holding(b"values").unwrap());
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "values");
        if cfg!(target_os = "linux") {
            assert!(file.write_all(b"more").is_err());
            assert!(file.set_len(0).is_err());
        }
    }
}
