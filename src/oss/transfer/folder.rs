//! The folder downloads go to, and never leave: every step down is one name,
//! opened from the folder above by its descriptor and without following
//! symbolic links, so that neither a key nor a swapped link leads outside.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::ports::entropy::{self, Entropy};

/// What to do where the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse, also where the name was taken during the download.
    Refuse,
    /// The user confirmed that it may be replaced.
    Confirmed,
}

/// An open folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Folder {
    root: Arc<OwnedFd>,
}

impl Folder {
    /// Opens `path`, which must be a folder; it may itself be reached by links.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self { root: Arc::new(rustix::fs::open(path, flags, Mode::empty())?) })
    }

    /// That `relative` may be written to.
    pub(super) fn refuse_taken(&self, relative: &Path, overwrite: Overwrite) -> io::Result<()> {
        if overwrite == Overwrite::Confirmed {
            return Ok(());
        }
        match self.place(relative, false) {
            Ok((folder, name)) => refuse_taken(&folder, name),
            // its folders are still to be made
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// An empty part file beside `relative`, whose folders are made as needed.
    pub(super) fn part(
        &self,
        relative: &Path,
        overwrite: Overwrite,
        entropy: &dyn Entropy,
    ) -> io::Result<Part> {
        let (folder, name) = self.place(relative, true)?;
        let temporary = part_name(name, entropy);
        Part::open(folder, name, temporary, overwrite, OFlags::CREATE | OFlags::EXCL)
    }

    /// The part file that a download left beside `relative`.
    pub(super) fn reopen(
        &self,
        relative: &Path,
        temporary: &str,
        overwrite: Overwrite,
    ) -> io::Result<Part> {
        let (folder, name) = self.place(relative, false)?;
        if !is_part_name(temporary) {
            return Err(outside(Path::new(temporary)));
        }
        let part = Part::open(folder, name, temporary.to_owned(), overwrite, OFlags::empty());
        let part = part?;
        if part.file.metadata()?.is_file() {
            return Ok(part);
        }
        // not ours: it stays
        part.keep();
        Err(io::ErrorKind::InvalidInput.into())
    }

    /// Whether the part file `temporary` lies beside `relative`.
    pub(super) fn has_part(&self, relative: &Path, temporary: &str) -> bool {
        let found = self.place(relative, false).and_then(|(folder, _)| {
            Ok(rustix::fs::statat(&folder, temporary, AtFlags::SYMLINK_NOFOLLOW)?)
        });
        found.is_ok()
    }

    /// Removes the part file that a download left beside `relative`; gone already is as good.
    pub fn remove_part(&self, relative: &Path, temporary: &str) -> io::Result<()> {
        if !is_part_name(temporary) {
            return Err(outside(Path::new(temporary)));
        }
        let removed = self.place(relative, false).and_then(|(folder, _)| {
            Ok(rustix::fs::unlinkat(&folder, temporary, AtFlags::empty())?)
        });
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the file `relative`, and the folders that are empty then. A link goes itself, not
    /// what it leads to.
    pub fn remove(&self, relative: &Path) -> io::Result<()> {
        let (folder, name) = self.place(relative, false)?;
        rustix::fs::unlinkat(&folder, name, AtFlags::empty())?;
        rustix::fs::fsync(folder.as_fd())?;
        let above = relative.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
        for path in above {
            let (folder, name) = self.place(path, false)?;
            if rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The file `relative`, to be read.
    pub(super) fn read(&self, relative: &Path) -> io::Result<File> {
        let (folder, name) = self.place(relative, false)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?))
    }

    /// That so many bytes more fit on the disk, as far as it says.
    pub(super) fn has_room(&self, bytes: u64) -> io::Result<()> {
        let disk = rustix::fs::fstatvfs(&self.root)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) >= bytes {
            return Ok(());
        }
        Err(io::ErrorKind::StorageFull.into())
    }

    /// The folder that `relative` lies in, and its name there.
    fn place<'a>(&self, relative: &'a Path, makes: bool) -> io::Result<(OwnedFd, &'a OsStr)> {
        let mut names = Vec::new();
        for component in relative.components() {
            match component {
                Component::Normal(name) => names.push(name),
                _ => return Err(outside(relative)),
            }
        }
        let Some((name, folders)) = names.split_last() else { return Err(outside(relative)) };
        let mut folder = self.root.as_fd().try_clone_to_owned()?;
        for step in folders {
            folder = below(&folder, step, makes)?;
        }
        Ok((folder, name))
    }
}

/// `.name.<random>.part`, cut so that it stays a name.
fn part_name(name: &OsStr, entropy: &dyn Entropy) -> String {
    let mut shown = name.to_string_lossy().into_owned();
    while shown.len() > 200 {
        shown.pop();
    }
    format!(".{shown}.{}.part", entropy::hex(entropy, 16))
}

/// What [`part_name`] makes, as it comes back from a file that anybody may have written to.
fn is_part_name(name: &str) -> bool {
    let inside = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
    inside.is_some_and(|inside| !inside.is_empty() && !inside.contains('/'))
}

/// Opens the folder `name` in `folder`; with `makes` it is made where it is not there.
fn below(folder: &OwnedFd, name: &OsStr, makes: bool) -> io::Result<OwnedFd> {
    let mode = Mode::RWXU | Mode::RWXG | Mode::RWXO;
    match makes.then(|| rustix::fs::mkdirat(folder, name, mode)) {
        None | Some(Ok(()) | Err(Errno::EXIST)) => {}
        Some(Err(error)) => return Err(error.into()),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP | Errno::NOTDIR => io::Error::other(format!(
            "{} is a link or a file where a folder belongs",
            name.to_string_lossy()
        )),
        error => error.into(),
    })
}

fn refuse_taken(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

fn outside(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{} does not stay in the folder", path.display()),
    )
}

/// Folders in which names are that the disk may not have yet, each once: to sync one for every
/// file would cost as much as the files.
#[derive(Debug, Default)]
pub struct Unsynced(Mutex<BTreeMap<(u64, u64), OwnedFd>>);

impl Unsynced {
    pub(super) fn add(&self, folder: OwnedFd) -> io::Result<()> {
        let facts = rustix::fs::fstat(&folder)?;
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        folders.entry((facts.st_dev, facts.st_ino)).or_insert(folder);
        Ok(())
    }

    /// Waits for the disk: what was published is there for good then.
    pub fn sync(self) -> io::Result<()> {
        let folders = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        folders.values().try_for_each(|folder| Ok(rustix::fs::fsync(folder)?))
    }
}

/// A file on its way; removed when dropped before it was published.
#[derive(Debug)]
pub(super) struct Part {
    folder: OwnedFd,
    file: File,
    temporary: String,
    name: std::ffi::OsString,
    there: bool,
}

impl Part {
    fn open(
        folder: OwnedFd,
        name: &OsStr,
        temporary: String,
        overwrite: Overwrite,
        how: OFlags,
    ) -> io::Result<Self> {
        if overwrite == Overwrite::Refuse {
            refuse_taken(&folder, name)?;
        }
        let flags = how | OFlags::NOFOLLOW | OFlags::RDWR | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&folder, &*temporary, flags, mode)?;
        Ok(Self { folder, file: File::from(file), temporary, name: name.to_owned(), there: true })
    }

    /// What it is called until it is published.
    pub(super) fn name(&self) -> &str {
        &self.temporary
    }

    /// Leaves it where it is, to be opened again.
    pub(super) fn keep(mut self) {
        self.there = false;
    }

    /// The file to write to.
    pub(super) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Gives the file its name. It is there for good once its folder, which is answered, is
    /// [synced](Unsynced).
    pub(super) fn publish(mut self, overwrite: Overwrite) -> io::Result<OwnedFd> {
        self.file.sync_all()?;
        match overwrite {
            Overwrite::Confirmed => {
                rustix::fs::renameat(&self.folder, &*self.temporary, &self.folder, &*self.name)?;
            }
            Overwrite::Refuse => self.rename_if_free()?,
        }
        self.there = false;
        self.folder.try_clone()
    }

    fn rename_if_free(&self) -> io::Result<()> {
        let (folder, flags) = (&self.folder, RenameFlags::NOREPLACE);
        match rustix::fs::renameat_with(folder, &*self.temporary, folder, &*self.name, flags) {
            Err(Errno::INVAL | Errno::NOSYS) => {}
            done => return Ok(done?),
        }
        // file systems without it still refuse to link over a name
        rustix::fs::linkat(folder, &*self.temporary, folder, &*self.name, AtFlags::empty())?;
        Ok(rustix::fs::unlinkat(folder, &*self.temporary, AtFlags::empty())?)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.there {
            // nothing more can be done about it here; the name says what it is
            let _gone = rustix::fs::unlinkat(&self.folder, &*self.temporary, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::ports::entropy::SeededEntropy;

    fn part(root: &Path, relative: &str, overwrite: Overwrite) -> io::Result<Part> {
        let entropy = SeededEntropy::new(1);
        Folder::open(root)?.part(Path::new(relative), overwrite, &entropy)
    }

    fn names(root: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(root).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn text(path: &Path) -> String {
        let mut text = String::new();
        File::open(path).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_file_appears_when_it_is_published_and_is_private() {
        let root = tempfile::tempdir().unwrap();
        let part = part(root.path(), "a/b/c.txt", Overwrite::Refuse).unwrap();
        part.file().unwrap().write_all(b"new").unwrap();
        let folder = root.path().join("a/b");
        assert!(names(&folder).iter().all(|name| name.starts_with(".c.txt.")));
        part.publish(Overwrite::Refuse).unwrap();
        assert_eq!(names(&folder), ["c.txt"]);
        assert_eq!(text(&folder.join("c.txt")), "new");
        let mode = std::fs::metadata(folder.join("c.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_not_published_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        drop(part(root.path(), "x", Overwrite::Refuse).unwrap());
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn a_name_taken_meanwhile_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let late = part(root.path(), "x", Overwrite::Refuse).unwrap();
        File::create(root.path().join("x")).unwrap().write_all(b"old").unwrap();
        let error = late.publish(Overwrite::Refuse).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let error = part(root.path(), "x", Overwrite::Refuse).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(
            (names(root.path()), text(&root.path().join("x"))),
            (vec!["x".into()], "old".into())
        );
        part(root.path(), "x", Overwrite::Confirmed)
            .unwrap()
            .publish(Overwrite::Confirmed)
            .unwrap();
        assert_eq!(text(&root.path().join("x")), "");
    }

    #[test]
    fn nothing_leads_outside() {
        let root = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        symlink(other.path(), root.path().join("link")).unwrap();
        File::create(other.path().join("victim")).unwrap().write_all(b"safe").unwrap();
        symlink(other.path().join("victim"), root.path().join("file")).unwrap();
        for odd in ["../x", "a/../../x", "/etc/x", "..", "link/x", ""] {
            assert!(part(root.path(), odd, Overwrite::Confirmed).is_err(), "{odd}");
        }
        part(root.path(), "file", Overwrite::Confirmed)
            .unwrap()
            .publish(Overwrite::Confirmed)
            .unwrap();
        assert_eq!(text(&other.path().join("victim")), "safe");
        assert_eq!(names(other.path()), ["victim"]);
    }

    #[test]
    fn a_file_where_a_folder_belongs_is_named() {
        let root = tempfile::tempdir().unwrap();
        File::create(root.path().join("a")).unwrap();
        let error = part(root.path(), "a/b", Overwrite::Refuse).unwrap_err();
        assert!(error.to_string().contains("a is a link or a file"), "{error}");
    }
}
