//! Objects that are fetched by several ranges at once, from servers that fail in the middle.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use md5::{Digest as _, Md5};
use osstack::oss::transfer::{
    self, DownloadLeft, Folder, Journal, Left, Link, Overwrite, Proof, Run, Transferred,
};
use osstack::oss::{Error, Kind, crc64};
use osstack::ports::entropy::{Entropy as _, SeededEntropy};
use tokio_util::sync::CancellationToken;

use super::server::{Reply, Server, Way, bucket, refusal, with_head};

const PIECE: usize = 8 << 20;
/// Three pieces and a bit.
const SIZE: usize = 3 * PIECE + 12_345;

/// Bytes of which no stretch is like another.
pub(crate) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let entropy = SeededEntropy::new(seed);
    let mut bytes: Vec<u8> =
        (0..size.div_ceil(8)).flat_map(|_| entropy.next_u64().to_le_bytes()).collect();
    bytes.truncate(size);
    bytes
}

/// An object as a server tells of it.
#[derive(Clone)]
struct Object {
    bytes: Arc<Vec<u8>>,
    etag: String,
    crc64: Option<u64>,
}

impl Object {
    fn new(seed: u64) -> Self {
        let bytes = noise(seed, SIZE);
        let crc64 = Some(crc64::of(&bytes));
        Self { bytes: Arc::new(bytes), etag: format!("E{seed}-4"), crc64 }
    }

    /// What is asked for: from where to where, and of which `ETag`.
    fn asked(&self, head: &str) -> (usize, usize, Option<String>) {
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let range = header("range: bytes=").unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let to = to.parse::<usize>().unwrap().saturating_add(1).min(self.bytes.len());
        let etag = header("if-match: ").map(|etag| etag.trim_matches('"').to_owned());
        (from.parse().unwrap(), to, etag)
    }

    fn headers(&self) -> String {
        let crc = self.crc64.map(|crc| format!("x-oss-hash-crc64ecma: {crc}\r\n"));
        format!("ETag: \"{}\"\r\n{}", self.etag, crc.unwrap_or_default())
    }

    fn head(&self, from: usize, to: usize) -> String {
        let whole = self.bytes.len();
        let length = to - from;
        let range = format!("bytes {from}-{}/{whole}", to - 1);
        format!("{}Content-Range: {range}\r\nContent-Length: {length}\r\n", self.headers())
    }

    fn answer(&self, head: &str) -> Reply {
        let (from, to, etag) = self.asked(head);
        if etag.is_some_and(|etag| etag != self.etag) {
            return refusal("412 Precondition Failed", "", "<Code>PreconditionFailed</Code>");
        }
        Reply::Keep(with_head("206 Partial Content", &self.head(from, to), &self.bytes[from..to]))
    }

    /// The same, of which only `length` bytes come before the line breaks.
    fn cut(&self, head: &str, length: usize) -> Reply {
        let (from, to, _) = self.asked(head);
        let end = to.min(from + length);
        Reply::Once(with_head("206 Partial Content", &self.head(from, to), &self.bytes[from..end]))
    }
}

async fn fetch(
    server: &Server,
    folder: &Path,
    journal: Option<&Arc<dyn Journal>>,
) -> Result<Transferred, Error> {
    let folder = Folder::open(folder).unwrap();
    let (bucket, cancel) = (bucket(), CancellationToken::new());
    let seen = AtomicUsize::new(0);
    let progress = |progress: transfer::Progress| {
        seen.store(usize::try_from(progress.bytes).unwrap(), Ordering::Relaxed);
    };
    let run = Run {
        progress: &progress,
        cancel: &cancel,
        link: &Link::new(None),
        journal,
        unsynced: None,
    };
    let (from, to) = ((&bucket, "k"), (&folder, Path::new("k")));
    let done = transfer::download(&server.client(), from, to, Overwrite::Refuse, run).await?;
    assert_eq!(seen.load(Ordering::Relaxed) as u64, done.bytes, "no byte is counted twice");
    Ok(done)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn done(proof: Proof) -> Transferred {
    Transferred { bytes: SIZE as u64, proof, reused: 0, is_anew: false }
}

#[tokio::test]
async fn the_pieces_of_one_etag_make_the_file() {
    let object = Object::new(1);
    let source = object.clone();
    let server = Server::new(Way::Http, move |_, head| source.answer(head)).await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fetch(&server, folder.path(), None).await.unwrap(), done(Proof::Crc64));
    assert_eq!(names(folder.path()), ["k"]);
    assert!(std::fs::read(folder.path().join("k")).unwrap() == *object.bytes);
    let mut asked: Vec<_> = server.requests().iter().map(|head| object.asked(head)).collect();
    asked.sort();
    let of = Some(object.etag.clone());
    let due = [
        (0, PIECE, None),
        (PIECE, 2 * PIECE, of.clone()),
        (2 * PIECE, 3 * PIECE, of.clone()),
        (3 * PIECE, SIZE, of),
    ];
    assert_eq!(asked, due);
}

#[tokio::test]
async fn a_piece_that_breaks_off_goes_on_where_it_did() {
    let object = Object::new(2);
    let source = object.clone();
    // each piece comes in stretches of 3 MiB and a bit
    let server = Server::new(Way::Http, move |_, head| source.cut(head, (3 << 20) + 7)).await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fetch(&server, folder.path(), None).await.unwrap(), done(Proof::Crc64));
    assert!(std::fs::read(folder.path().join("k")).unwrap() == *object.bytes);
    assert_eq!(server.requests().len(), 3 * 3 + 1);
    let mut from: Vec<usize> = server.requests().iter().map(|head| object.asked(head).0).collect();
    from.sort_unstable();
    assert_eq!(from[1], (3 << 20) + 7, "nothing is asked for twice");
}

#[tokio::test]
async fn a_flipped_bit_becomes_no_file() {
    for crc in [true, false] {
        let mut object = Object::new(3);
        if !crc {
            object.etag = hex::encode(Md5::digest(&*object.bytes));
            object.crc64 = None;
        }
        let mut bytes = object.bytes.to_vec();
        bytes[2 * PIECE + 5] ^= 0x10;
        let source = Object { bytes: Arc::new(bytes), ..object.clone() };
        let server = Server::new(Way::Http, move |_, head| source.answer(head)).await;
        let folder = tempfile::tempdir().unwrap();
        let error = fetch(&server, folder.path(), None).await.unwrap_err();
        assert_eq!((error.kind, names(folder.path()).len()), (Kind::Corrupt, 0), "{error}");
    }
}

#[tokio::test]
async fn what_can_be_compared_is_compared_and_what_cannot_is_said() {
    let md5 = hex::encode(Md5::digest(&*Object::new(4).bytes));
    for (etag, proof) in [(md5, Proof::Md5), ("0123456789abcdef-4".into(), Proof::Length)] {
        let object = Object { etag, crc64: None, ..Object::new(4) };
        let server = Server::new(Way::Http, move |_, head| object.answer(head)).await;
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(fetch(&server, folder.path(), None).await.unwrap(), done(proof));
    }
}

#[tokio::test]
async fn an_object_that_changes_on_the_way_is_begun_anew() {
    let (old, new) = (Object::new(5), Object::new(6));
    for heeds_if_match in [true, false] {
        let (first, second) = (old.clone(), new.clone());
        let server = Server::new(Way::Http, move |number, head| {
            let object = if number == 0 { &first } else { &second };
            if heeds_if_match {
                return object.answer(head);
            }
            let (from, to, _) = object.asked(head);
            let bytes = &object.bytes[from..to];
            Reply::Keep(with_head("206 Partial Content", &object.head(from, to), bytes))
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let fetched = fetch(&server, folder.path(), None).await.unwrap();
        assert_eq!(fetched, Transferred { is_anew: true, ..done(Proof::Crc64) });
        assert!(std::fs::read(folder.path().join("k")).unwrap() == *new.bytes);
        assert_eq!(names(folder.path()), ["k"]);
    }
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_is_read_in_one() {
    let object = Object::new(7);
    let source = object.clone();
    let server = Server::new(Way::Http, move |_, _| {
        Reply::Once(with_head("200 OK", &source.headers(), &source.bytes))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fetch(&server, folder.path(), None).await.unwrap(), done(Proof::Crc64));
    assert_eq!(server.requests().len(), 1);
    assert!(std::fs::read(folder.path().join("k")).unwrap() == *object.bytes);
}

#[tokio::test]
async fn an_empty_object_becomes_an_empty_file() {
    let server = Server::new(Way::Http, |_, head| {
        if head.contains("\r\nrange: ") {
            return refusal("416 Range Not Satisfiable", "", "<Code>InvalidRange</Code>");
        }
        Reply::Once(with_head("200 OK", "x-oss-hash-crc64ecma: 0\r\n", b""))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let fetched = fetch(&server, folder.path(), None).await.unwrap();
    assert_eq!((fetched.bytes, fetched.proof), (0, Proof::Crc64));
    assert_eq!(std::fs::read(folder.path().join("k")).unwrap(), b"");
}

/// A journal in memory.
#[derive(Debug, Default)]
struct Memory(Mutex<Option<Left>>);

impl Journal for Memory {
    fn left(&self) -> Option<Left> {
        self.0.lock().unwrap().clone()
    }

    fn note(&self, left: &Left) {
        *self.0.lock().unwrap() = Some(left.clone());
    }

    fn forget(&self) {
        *self.0.lock().unwrap() = None;
    }
}

impl Memory {
    fn download(&self) -> DownloadLeft {
        match self.left() {
            Some(Left::Download(left)) => left,
            other => panic!("{other:?}"),
        }
    }
}

/// Fetches the first and the third piece of `object`; the others are refused.
async fn half(object: &Object, folder: &Path) -> Arc<Memory> {
    let source = object.clone();
    let server = Server::new(Way::Http, move |_, head| match source.asked(head).0 / PIECE {
        0 | 2 => source.answer(head),
        // no HTTP, and late, so that the others are there
        _ => Reply::Drip(Vec::new(), vec![b'x'], Duration::from_secs(1)),
    })
    .await;
    let memory = Arc::new(Memory::default());
    let journal: Arc<dyn Journal> = Arc::clone(&memory) as _;
    let error = fetch(&server, folder, Some(&journal)).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotOss, "{error}");
    memory
}

#[tokio::test]
async fn what_has_arrived_is_not_fetched_again() {
    let object = Object::new(8);
    let folder = tempfile::tempdir().unwrap();
    let memory = half(&object, folder.path()).await;
    let left = memory.download();
    assert_eq!(left.done.keys().copied().collect::<Vec<_>>(), [0, 2]);
    assert_eq!(names(folder.path()), std::slice::from_ref(&left.part));

    let source = object.clone();
    let server = Server::new(Way::Http, move |_, head| source.answer(head)).await;
    let journal: Arc<dyn Journal> = Arc::clone(&memory) as _;
    let fetched = fetch(&server, folder.path(), Some(&journal)).await.unwrap();
    let reused = 2 * PIECE as u64;
    assert_eq!(fetched, Transferred { reused, ..done(Proof::Crc64) });
    assert!(std::fs::read(folder.path().join("k")).unwrap() == *object.bytes);
    assert_eq!((names(folder.path()), memory.left()), (vec!["k".to_owned()], None));
    let mut asked: Vec<_> = server.requests().iter().map(|head| object.asked(head).0).collect();
    asked.sort_unstable();
    assert_eq!(asked, [PIECE, 3 * PIECE]);
    assert!(server.requests().iter().all(|head| object.asked(head).2.is_some()));
}

#[tokio::test]
async fn what_is_no_longer_what_arrived_is_fetched_again() {
    use std::os::unix::fs::FileExt as _;
    let object = Object::new(9);
    let folder = tempfile::tempdir().unwrap();
    let memory = half(&object, folder.path()).await;
    let part = folder.path().join(memory.download().part);
    let file = std::fs::File::options().write(true).open(part).unwrap();
    file.write_all_at(b"!", 2 * PIECE as u64 + 77).unwrap();

    let source = object.clone();
    let server = Server::new(Way::Http, move |_, head| source.answer(head)).await;
    let journal: Arc<dyn Journal> = Arc::clone(&memory) as _;
    let fetched = fetch(&server, folder.path(), Some(&journal)).await.unwrap();
    assert_eq!(fetched, Transferred { reused: PIECE as u64, ..done(Proof::Crc64) });
    assert!(std::fs::read(folder.path().join("k")).unwrap() == *object.bytes);
}

#[tokio::test]
async fn another_object_by_then_is_fetched_whole_and_said() {
    let (old, new) = (Object::new(10), Object::new(11));
    let folder = tempfile::tempdir().unwrap();
    let memory = half(&old, folder.path()).await;
    let source = new.clone();
    let server = Server::new(Way::Http, move |_, head| source.answer(head)).await;
    let journal: Arc<dyn Journal> = Arc::clone(&memory) as _;
    let fetched = fetch(&server, folder.path(), Some(&journal)).await.unwrap();
    assert_eq!(fetched, Transferred { is_anew: true, ..done(Proof::Crc64) });
    assert!(std::fs::read(folder.path().join("k")).unwrap() == *new.bytes);
    assert_eq!(names(folder.path()), ["k"], "the old part is gone");
}

#[tokio::test]
async fn what_does_not_fit_on_the_disk_is_not_begun() {
    let object = Object::new(12);
    let server = Server::new(Way::Http, move |_, head| {
        let (from, to, _) = object.asked(head);
        let head = object.head(from, to).replace(&format!("/{SIZE}"), "/4611686018427387904");
        Reply::Once(with_head("206 Partial Content", &head, &object.bytes[from..to]))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(&server, folder.path(), None).await.unwrap_err();
    assert_eq!(error.kind, Kind::Local);
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!((names(folder.path()).len(), server.requests().len()), (0, 1));
}
