//! The one way a file is written: whole or not at all.
//!
//! [`write()`] puts the bytes into a temporary file of the same folder, syncs it, reads it back,
//! keeps the old file as a numbered backup and renames; a crash or a full disk at any moment
//! leaves either the old content or the new. Two processes that read, change and write take
//! [`lock`] around all three. A path that is a symbolic link keeps being one: the file it points
//! to is replaced.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::visible::visible;

/// Between two tries for a lock.
const LOCK_STEP: Duration = Duration::from_millis(20);
/// A temporary file older than this, of a process that is gone, is rubbish.
const STALE: Duration = Duration::from_hours(1);

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The mode of a new file; one that exists keeps its own.
    pub mode: u32,
    /// The mode of folders made on the way.
    pub dir_mode: u32,
    /// How many former contents stay as `NAME.bak.N`, the highest `N` being the newest.
    pub backups: usize,
}

impl Default for Options {
    /// For the owner alone, without backups.
    fn default() -> Self {
        Self { mode: 0o600, dir_mode: 0o700, backups: 0 }
    }
}

/// What could not be done to which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} {}: {source}; {}", visible(&path.to_string_lossy()), next_step(source))]
pub struct Error {
    act: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Error {
    /// Names what was tried where.
    pub fn new(act: &'static str, path: &Path, source: io::Error) -> Self {
        Self { act, path: path.to_owned(), source }
    }

    /// The kind of the system's error; [`io::ErrorKind::WouldBlock`] where a lock stayed taken.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error)
    }
}

fn next_step(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "nothing was changed: free some space and try again"
        }
        io::ErrorKind::PermissionDenied => "check who owns it and its folder",
        io::ErrorKind::ReadOnlyFilesystem => {
            "the disk takes no changes: set OSSTACK_HOME to a folder that does"
        }
        io::ErrorKind::WouldBlock => "another osstack is writing it: try again in a moment",
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::AlreadyExists => "nothing is replaced: name another path",
        io::ErrorKind::NotADirectory => "a file stands where a folder should: move it away",
        io::ErrorKind::FileTooLarge => "check that it is the right file",
        _ => "nothing was changed: check the disk and try again",
    }
}

/// Held while a file is read, changed and written; freed on drop, and by the system when the
/// process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of `path`, the file `NAME.lock` beside it, waiting at most `wait`. Makes the
/// folder where there is none.
pub fn lock(path: &Path, wait: Duration, dir_mode: u32) -> Result<Lock, Error> {
    let target = resolve(path)?;
    let beside = sibling(&target, ".lock");
    make_folder(&target, dir_mode)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| Error::new("lock", &beside, error))?;
    let mut left = wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::Error(error)) => return Err(Error::new("lock", &beside, error)),
            Err(TryLockError::WouldBlock) if left.is_zero() => {
                return Err(Error::new("lock", path, io::ErrorKind::WouldBlock.into()));
            }
            Err(TryLockError::WouldBlock) => {
                let step = left.min(LOCK_STEP);
                std::thread::sleep(step);
                left -= step;
            }
        }
    }
}

/// Reads `path` whole, refusing more than `limit` bytes before reading them all. Answers `None`
/// where there is no such file; a link that points to nothing is an error.
pub fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let failed = |error| Error::new("read", path, error);
    let file = match File::open(resolve(path)?) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let size = file.metadata().map_err(failed)?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or_default());
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > limit) {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(Some(bytes))
}

/// Removes the file `path`; gone already is as good.
pub fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::new("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Replaces the content of `path` by `bytes`. `random` names the temporary file; it need not be
/// secret, since an existing name is refused.
pub fn write(path: &Path, bytes: &[u8], random: u64, options: &Options) -> Result<(), Error> {
    let target = resolve(path)?;
    make_folder(&target, options.dir_mode)?;
    let temporary = Temporary::create(&target, random, mode_of(&target).unwrap_or(options.mode))?;
    temporary.fill(bytes)?;
    if options.backups > 0 {
        back_up(&target, options.backups)?;
    }
    temporary.replace(&target)
}

/// As [`write()`], for a file that must not be there yet: refused with
/// [`io::ErrorKind::AlreadyExists`], also where it appears meanwhile.
pub fn write_new(path: &Path, bytes: &[u8], random: u64, options: &Options) -> Result<(), Error> {
    make_folder(path, options.dir_mode)?;
    let temporary = Temporary::create(path, random, options.mode)?;
    temporary.fill(bytes)?;
    // a link is refused where the name is taken; a rename would replace it
    fs::hard_link(&temporary.path, path).map_err(|error| Error::new("write", path, error))?;
    sync_folder(path)
}

/// The backups of `path`, the newest first.
pub fn backups(path: &Path) -> Vec<PathBuf> {
    let target = resolve(path).unwrap_or_else(|_| path.to_owned());
    let mut found = numbered(&target);
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The file meant: of a symbolic link the one it points to.
pub fn resolve(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    fs::canonicalize(path).map_err(|error| Error::new("follow the link", path, error))
}

/// `NAME` plus `suffix`, in the same folder.
fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn make_folder(path: &Path, mode: u32) -> Result<(), Error> {
    let folder = folder(path);
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .map_err(|error| Error::new("make the folder", folder, error))
}

fn mode_of(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = folder(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::new("sync the folder", folder, error))
}

/// `.NAME.PID.RANDOM.tmp`, removed on drop unless it has become the target.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    fn create(target: &Path, random: u64, mode: u32) -> Result<Self, Error> {
        let path = folder(target).join(format!(
            "{}{}.{random:016x}.tmp",
            temporary_prefix(target),
            std::process::id()
        ));
        let failed = |error| Error::new("write", target, error);
        let file = OpenOptions::new()
            .write(true)
            // O_EXCL: neither an existing file nor a link planted under the name is followed
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(failed)?;
        let this = Self { path, file };
        // the mode at creation is cut by the umask
        this.file.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed)?;
        sweep(target, &this);
        Ok(this)
    }

    /// Writes, syncs, and reads back what the system says it keeps.
    fn fill(&self, bytes: &[u8]) -> Result<(), Error> {
        let failed = |error| Error::new("write", &self.path, error);
        (&self.file).write_all(bytes).map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        if fs::read(&self.path).map_err(failed)? != bytes {
            return Err(failed(io::Error::other("it does not hold what was written")));
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "this module is the one place that renames")]
    fn replace(self, target: &Path) -> Result<(), Error> {
        fs::rename(&self.path, target).map_err(|error| Error::new("replace", target, error))?;
        sync_folder(target)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // after a rename the name is free, and no one else uses a name with our pid
        let _gone_or_swept_later = fs::remove_file(&self.path);
    }
}

fn temporary_prefix(target: &Path) -> String {
    format!(".{}.", target.file_name().unwrap_or_default().to_string_lossy())
}

/// Removes temporary files of `target` that a killed process left. What cannot be removed is left
/// for the next time.
fn sweep(target: &Path, own: &Temporary) {
    // the file system's own clock, so that the two times compare
    let Ok(now) = own.file.metadata().and_then(|meta| meta.modified()) else { return };
    let prefix = temporary_prefix(target);
    for entry in fs::read_dir(folder(target)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| pid_of(name.strip_prefix(&prefix)?));
        let Some(pid) = pid else { continue };
        let age = entry.metadata().and_then(|meta| meta.modified());
        let old = age.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > STALE));
        if old && !is_alive(pid) {
            let _next_time = fs::remove_file(entry.path());
        }
    }
}

/// The process in `PID.RANDOM.tmp`.
fn pid_of(rest: &str) -> Option<rustix::process::Pid> {
    let (pid, random) = rest.strip_suffix(".tmp")?.split_once('.')?;
    let is_ours = random.len() == 16 && random.bytes().all(|b| b.is_ascii_hexdigit());
    rustix::process::Pid::from_raw(pid.parse().ok().filter(|pid| *pid > 0 && is_ours)?)
}

fn is_alive(pid: rustix::process::Pid) -> bool {
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// Keeps the present content under the next number, and the newest `keep` of all.
fn back_up(target: &Path, keep: usize) -> Result<(), Error> {
    if !target.exists() {
        return Ok(());
    }
    let mut found = numbered(target);
    found.sort_unstable();
    let next = found.last().map_or(0, |(number, _)| *number) + 1;
    let backup = sibling(target, &format!(".bak.{next}"));
    fs::hard_link(target, &backup)
        // some file systems have no links
        .or_else(|_| fs::copy(target, &backup).map(drop))
        .map_err(|error| Error::new("back up", target, error))?;
    for (_, old) in found.iter().rev().skip(keep.saturating_sub(1)) {
        let _next_time = fs::remove_file(old);
    }
    Ok(())
}

fn numbered(target: &Path) -> Vec<(u64, PathBuf)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{name}.bak.");
    let entries = fs::read_dir(folder(target)).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
