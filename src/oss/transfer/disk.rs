//! What the disk that a download goes to can hold: found out before anything is written there, and
//! without writing.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::model::local_path::Names;

/// Names of a folder that are tried, at the most.
const TRIED: usize = 32;

/// A disk, as seen from one folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Which names are one to it.
    pub names: Names,
    /// Bytes that may still be written.
    pub free: u64,
}

impl Disk {
    /// The disk of `path`, which need not be there yet.
    pub fn of(path: &Path) -> io::Result<Self> {
        let folder = nearest(path)?;
        let space = rustix::fs::statvfs(&folder)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        Ok(Self { names: names(&folder), free })
    }
}

/// The folder itself, or the last one above it that is there.
fn nearest(path: &Path) -> io::Result<PathBuf> {
    let there = path.ancestors().find(|above| above.is_dir());
    let there = there.filter(|there| !there.as_os_str().is_empty());
    fs::canonicalize(there.unwrap_or(Path::new(".")))
}

/// Some folders fold case on a disk that else does not, so it is asked about the folder itself:
/// by its flags, by a name in it, by its own name, and last by what such a disk is known for.
fn names(folder: &Path) -> Names {
    let folds = if has_flag(folder) {
        true
    } else {
        let inside = || {
            fs::read_dir(folder).ok()?.take(TRIED).flatten().find_map(|entry| folds(&entry.path()))
        };
        let itself = || folds(folder).filter(|_| is_of_the_disk_above(folder));
        inside().or_else(itself).unwrap_or_else(|| is_known_to_fold(folder))
    };
    match folds {
        true => Names::Folded,
        // HFS+ and APFS, with case told apart
        false if cfg!(target_vendor = "apple") => Names::Forms,
        false => Names::Exact,
    }
}

/// Whether what lies at `path` is found under its name with small and capital letters exchanged;
/// nothing where it has none.
fn folds(path: &Path) -> Option<bool> {
    let name = path.file_name()?.to_str()?;
    let other: String = name.chars().map(exchanged).collect();
    if other == name {
        return None;
    }
    let is_same =
        |one: &Metadata, other: &Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    let itself = fs::symlink_metadata(path).ok()?;
    match fs::symlink_metadata(path.with_file_name(other)) {
        Ok(other) => Some(is_same(&itself, &other)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

fn exchanged(letter: char) -> char {
    if letter.is_ascii_uppercase() {
        letter.to_ascii_lowercase()
    } else {
        letter.to_ascii_uppercase()
    }
}

fn is_of_the_disk_above(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|facts| facts.dev()).ok();
    folder.parent().is_some_and(|above| device(above) == device(folder))
}

/// Linux: a folder of ext4, f2fs or tmpfs that was told to fold case (`chattr +F`).
#[cfg(target_os = "linux")]
fn has_flag(folder: &Path) -> bool {
    /// `FS_CASEFOLD_FL` of `linux/fs.h`.
    const CASEFOLD: u32 = 0x4000_0000;
    let flags = fs::File::open(folder).and_then(|folder| Ok(rustix::fs::ioctl_getflags(folder)?));
    flags.is_ok_and(|flags| flags.bits() & CASEFOLD != 0)
}

/// Linux: the disks of Windows, DOS, macOS and of their servers.
#[cfg(target_os = "linux")]
fn is_known_to_fold(folder: &Path) -> bool {
    /// The magic numbers of msdos and vfat, exFAT, NTFS by either driver, HFS, HFS+, CIFS, SMB2
    /// (`linux/magic.h` and the drivers' own headers).
    const FOLD: [u64; 8] = [
        0x0000_4d44,
        0x2011_bab0,
        0x5346_544e,
        0x7366_746e,
        0x0000_4244,
        0x0000_482b,
        0xff53_4d42,
        0xfe53_4d42,
    ];
    let kind = rustix::fs::statfs(folder).map(|facts| facts.f_type);
    // how wide the field is, is the architecture's
    let kind = kind.ok().and_then(|kind| u64::try_from(kind).ok());
    kind.is_some_and(|kind| FOLD.contains(&kind))
}

#[cfg(not(target_os = "linux"))]
fn has_flag(_folder: &Path) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn is_known_to_fold(_folder: &Path) -> bool {
    cfg!(any(target_vendor = "apple", windows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_disk_is_asked_without_writing_and_also_where_the_folder_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("not/there")] {
            let disk = Disk::of(&path).unwrap();
            assert_eq!(disk.names, Names::Exact, "tests run on a disk that tells case apart");
            assert!(disk.free > 0);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_name_that_is_there_either_way_says_that_case_is_folded() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("Ab1"), folder.path().join("aB1"));
        fs::File::create(&one).unwrap();
        assert_eq!(folds(&one), Some(false));
        // two names of one file, as a disk that folds case seems to have
        fs::hard_link(&one, &other).unwrap();
        assert_eq!(folds(&one), Some(true));
        assert_eq!(names(folder.path()), Names::Folded);
        fs::remove_file(&other).unwrap();
        fs::File::create(&other).unwrap();
        assert_eq!(folds(&one), Some(false), "two files are not one");
        let plain = folder.path().join("1-2");
        fs::File::create(&plain).unwrap();
        assert_eq!(folds(&plain), None);
    }
}
