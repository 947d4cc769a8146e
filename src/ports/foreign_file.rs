//! Files of other tools: read within limits, never written.
//!
//! Whatever lies there, a folder, a pipe, a link in a circle, gigabytes, is a finding and keeps
//! nobody waiting.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::env::Env;
use crate::base::visible::visible;

/// No configuration of such a tool is larger, in bytes.
pub const MOST: u64 = 1 << 20;

/// The text of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignFile {
    /// Where it is, showable: `~/.aliyun/config.json`.
    pub place: String,
    /// What it holds, without a byte order mark. It may hold keys.
    pub text: Zeroizing<String>,
}

/// Why a file that is there tells nothing; each begins with its place, showable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A folder, a pipe, a device.
    #[error("{0} is no file: move it away, or name the right one")]
    NoFile(String),
    /// A link to nothing, or in a circle.
    #[error("{0} is a link that leads nowhere: mend it, or delete it")]
    Link(String),
    /// More than [`MOST`].
    #[error("{0} has more than {size} KiB, so it is no such file: check what it is", size = MOST >> 10)]
    Large(String),
    /// No text.
    #[error("{0} is no UTF-8 text: check what it is")]
    NoText(String),
    /// The system refuses.
    #[error("{place} cannot be read ({why}): check who owns it and its folder")]
    Refused {
        /// The file.
        place: String,
        /// The system's words.
        why: String,
    },
}

/// Reads the file at `path` whole; nothing where there is none.
pub fn read(path: &Path, env: &Env) -> Result<Option<ForeignFile>, Unreadable> {
    let place = place(path, env);
    let refused = |error: &io::Error| Unreadable::Refused {
        place: place.clone(),
        why: visible(&error.to_string()).into_string(),
    };
    // opening a pipe would wait for somebody to write
    let waits = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(waits).open(path) {
        Ok(file) => file,
        Err(_) if path.is_symlink() && !path.exists() => return Err(Unreadable::Link(place)),
        Err(error) if is_nowhere(&error) => return Ok(None),
        // a socket cannot even be opened
        Err(_) if path.exists() && !path.is_file() => return Err(Unreadable::NoFile(place)),
        Err(error) => return Err(refused(&error)),
    };
    let about = file.metadata().map_err(|error| refused(&error))?;
    if !about.is_file() {
        return Err(Unreadable::NoFile(place));
    }
    if about.len() > MOST {
        return Err(Unreadable::Large(place));
    }
    // room for all of it: a buffer that grows would leave copies behind
    let size = usize::try_from(MOST).unwrap_or_default() + 1;
    let room = usize::try_from(about.len()).unwrap_or_default().saturating_add(1).min(size);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| refused(&error))?;
    if bytes.len() >= size {
        return Err(Unreadable::Large(place));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else { return Err(Unreadable::NoText(place)) };
    let text = Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned());
    Ok(Some(ForeignFile { place, text }))
}

/// Neither the file nor its folder is there.
fn is_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A path as people write it, showable: `~` is the home.
pub fn place(path: &Path, env: &Env) -> String {
    let home = env.path("HOME");
    let rest = home.as_deref().and_then(|home| path.strip_prefix(home).ok());
    let short = rest.map(|rest| PathBuf::from("~").join(rest));
    visible(&short.as_deref().unwrap_or(path).to_string_lossy()).into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::atomic_file;

    struct Home(tempfile::TempDir);

    impl Home {
        fn env(&self) -> Env {
            Env::new([("HOME".to_owned(), self.0.path().to_str().unwrap().to_owned())])
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, bytes: &[u8]) {
            let options = atomic_file::Options::default();
            atomic_file::write(&self.path(name), bytes, 1, &options).unwrap();
        }

        fn read(&self, name: &str) -> Result<Option<String>, String> {
            let read = read(&self.path(name), &self.env());
            read.map(|file| file.map(|file| file.text.to_string())).map_err(|e| e.to_string())
        }
    }

    #[test]
    fn a_file_is_read_and_named_as_people_name_it() {
        let home = Home(tempfile::tempdir().unwrap());
        home.write("a/b.ini", b"\xef\xbb\xbftext\r\n");
        let file = read(&home.path("a/b.ini"), &home.env()).unwrap().unwrap();
        assert_eq!((file.place.as_str(), file.text.as_str()), ("~/a/b.ini", "text\r\n"));
        assert_eq!(home.read("absent"), Ok(None));
        assert_eq!(home.read("a/b.ini/below-a-file"), Ok(None));
        std::os::unix::fs::symlink("a/b.ini", home.path("link")).unwrap();
        assert_eq!(home.read("link"), Ok(Some("text\r\n".into())));
    }

    #[test]
    fn what_is_no_file_is_named_and_keeps_nobody_waiting() {
        let home = Home(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.path("folder")).unwrap();
        std::os::unix::fs::symlink("circle", home.path("circle")).unwrap();
        std::os::unix::fs::symlink("absent", home.path("dangling")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", home.path("endless")).unwrap();
        let pipe = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, home.path("pipe"), pipe, 0o600.into(), 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(home.path("socket")).unwrap();
        for (name, said) in [
            ("folder", "~/folder is no file"),
            ("circle", "~/circle is a link that leads nowhere"),
            ("dangling", "~/dangling is a link that leads nowhere"),
            ("endless", "~/endless is no file"),
            ("pipe", "~/pipe is no file"),
            ("socket", "~/socket is no file"),
        ] {
            let error = home.read(name).unwrap_err();
            assert!(error.starts_with(said) && error.contains(": "), "{name}: {error}");
        }
    }

    #[test]
    fn what_no_configuration_is_tells_nothing() {
        let home = Home(tempfile::tempdir().unwrap());
        home.write("large", &vec![b'x'; 10 << 20]);
        home.write("full", &vec![b'x'; usize::try_from(MOST).unwrap()]);
        home.write("binary", b"\xff\xfe\x00");
        home.write("esc\u{1b}[2J", b"\xff");
        assert!(home.read("large").unwrap_err().contains("more than 1024 KiB"));
        assert_eq!(home.read("full").unwrap().unwrap().len(), 1 << 20);
        assert!(home.read("binary").unwrap_err().contains("no UTF-8 text"));
        assert!(home.read("esc\u{1b}[2J").unwrap_err().starts_with("~/esc\\u{1b}[2J is"));
    }
}
