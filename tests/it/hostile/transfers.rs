//! Files on their way against servers that fail in the middle.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use osstack::oss::object::PutOptions;
use osstack::oss::transfer::{self, Folder, Link, Overwrite, PART, Run};
use osstack::oss::{Error, Kind, crc64};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::server::{Reply, Server, Way, answer, bucket, ok, refusal, with_head};

#[tokio::test]
async fn a_put_whose_checksum_differs_is_said() {
    let put = async |sum: u64| {
        let sum = format!("x-oss-hash-crc64ecma: {sum}\r\n");
        let server = Server::always(Way::Http, answer("200 OK", &sum, "")).await;
        server.client().put(&bucket(), "k", "bytes".into(), &PutOptions::default()).await
    };
    assert_eq!(put(crc64::of(b"other")).await.unwrap_err().kind, Kind::Corrupt);
    assert!(put(crc64::of(b"bytes")).await.unwrap().verified);
}

async fn download(reply: Reply, folder: &Path) -> Result<bool, Error> {
    let server = Server::always(Way::Http, reply).await;
    let folder = Folder::open(folder).unwrap();
    let to = (&folder, Path::new("a/k"));
    let (bucket, cancel) = (bucket(), CancellationToken::new());
    let client = server.client();
    let seen = AtomicUsize::new(0);
    let progress = |progress: transfer::Progress| {
        seen.store(usize::try_from(progress.bytes).unwrap(), Ordering::Relaxed);
    };
    let refuse = Overwrite::Refuse;
    let run = Run {
        progress: &progress,
        cancel: &cancel,
        link: &Link::new(None),
        journal: None,
        unsynced: None,
    };
    let done = transfer::download(&client, (&bucket, "k"), to, refuse, run).await?;
    assert_eq!(seen.load(Ordering::Relaxed) as u64, done.bytes);
    Ok(done.proof.is_checksum())
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("a")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn only_whole_and_equal_bytes_become_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let cut = with_head("200 OK", "Content-Length: 99\r\n", b"half");
    for reply in [Reply::Once(cut.clone()), Reply::Reset(cut)] {
        let error = download(reply, folder.path()).await.unwrap_err();
        assert_eq!(files(folder.path()), 0, "{error}");
        assert!(matches!(error.kind, Kind::Truncated | Kind::Network(_)), "{error}");
    }
    let sum = format!("x-oss-hash-crc64ecma: {}\r\n", crc64::of(b"bytes"));
    let error = download(answer("200 OK", &sum, "bytez"), folder.path()).await.unwrap_err();
    assert_eq!((error.kind, files(folder.path())), (Kind::Corrupt, 0));
    assert!(download(answer("200 OK", &sum, "bytes"), folder.path()).await.unwrap());
    assert_eq!(std::fs::read(folder.path().join("a/k")).unwrap(), b"bytes");
    let error = download(ok("other"), folder.path()).await.unwrap_err();
    assert_eq!((error.kind, files(folder.path())), (Kind::Precondition, 1));
}

#[tokio::test]
async fn a_cancelled_download_leaves_nothing_and_answers_at_once() {
    let half = with_head("200 OK", "Content-Length: 99\r\n", b"half");
    let server = Server::always(Way::Https, Reply::Keep(half)).await;
    let folder = tempfile::tempdir().unwrap();
    let root = Folder::open(folder.path()).unwrap();
    let to = (&root, Path::new("a/k"));
    let cancel = CancellationToken::new();
    let began = std::sync::OnceLock::new();
    let stop = |progress: transfer::Progress| {
        if progress.bytes > 0 {
            tokio::time::pause();
            began.get_or_init(Instant::now);
            cancel.cancel();
        }
    };
    let client = server.client();
    let refuse = Overwrite::Refuse;
    let run = Run {
        progress: &stop,
        cancel: &cancel,
        link: &Link::new(None),
        journal: None,
        unsynced: None,
    };
    let done = transfer::download(&client, (&bucket(), "k"), to, refuse, run).await;
    assert_eq!(done.unwrap_err().kind, Kind::Cancelled);
    assert!(began.get().unwrap().elapsed() < Duration::from_millis(200));
    assert_eq!(files(folder.path()), 0);
}

/// A file that goes in two parts.
fn large() -> (tempfile::NamedTempFile, u64) {
    let bytes = vec![7_u8; LARGE];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), &bytes).unwrap();
    (file, crc64::of(&bytes))
}

const LARGE: usize = 9 << 20;
const _IN_TWO: () = assert!(LARGE as u64 > PART && LARGE as u64 <= 2 * PART);

/// What OSS answers to a request of an upload, but for its completion.
fn as_oss(head: &str) -> Reply {
    let line = head.lines().next().unwrap();
    match line {
        _ if line.starts_with("POST /k?uploads ") => ok(
            "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>",
        ),
        _ if line.starts_with("PUT") => {
            answer("200 OK", "ETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n", "")
        }
        _ => answer("204 No Content", "", ""),
    }
}

fn completed(crc: u64) -> Reply {
    let body =
        "<CompleteMultipartUploadResult><ETag>\"A-3\"</ETag></CompleteMultipartUploadResult>";
    answer("200 OK", &format!("x-oss-hash-crc64ecma: {crc}\r\n"), body)
}

/// Uploads the large file; the sorted first lines of what was asked.
async fn upload(server: &Server, file: &Path) -> (Result<bool, Error>, Vec<String>) {
    let (bucket, cancel) = (bucket(), CancellationToken::new());
    let options = PutOptions::default();
    let (client, target) = (server.client(), (&bucket, "k"));
    let run = Run {
        progress: &|_| {},
        cancel: &cancel,
        link: &Link::new(None),
        journal: None,
        unsynced: None,
    };
    let done = transfer::upload(&client, file, target, &options, run).await;
    let heads = server.requests();
    let lines = heads.iter().map(|head| head.lines().next().unwrap());
    let mut lines: Vec<_> =
        lines.map(|line| line.trim_end_matches(" HTTP/1.1").to_owned()).collect();
    lines.sort();
    (done.map(|done| done.proof.is_checksum()), lines)
}

#[tokio::test]
async fn large_files_go_in_parts() {
    let (file, crc) = large();
    let server = Server::new(Way::Http, move |_, head| {
        if head.starts_with("POST /k?uploadId=U ") { completed(crc) } else { as_oss(head) }
    })
    .await;
    let (done, requests) = upload(&server, file.path()).await;
    assert!(done.unwrap());
    assert_eq!(
        requests,
        [
            "POST /k?uploadId=U",
            "POST /k?uploads",
            "PUT /k?partNumber=1&uploadId=U",
            "PUT /k?partNumber=2&uploadId=U",
        ]
    );
}

#[tokio::test]
async fn an_upload_that_fails_drops_its_parts() {
    let (file, _) = large();
    for fail in ["PUT /k?partNumber=2", "POST /k?uploadId"] {
        let server = Server::new(Way::Http, move |_, head| {
            if head.starts_with(fail) {
                return refusal("403 Forbidden", "", "<Code>AccessDenied</Code>");
            }
            as_oss(head)
        })
        .await;
        let (done, requests) = upload(&server, file.path()).await;
        assert_eq!(done.unwrap_err().kind, Kind::Permission);
        assert!(requests.contains(&"DELETE /k?uploadId=U".to_owned()), "{requests:?}");
    }
}

/// How the server answers a completion and the HEAD after it, each time; the last stays.
struct Script {
    name: &'static str,
    completions: Vec<Reply>,
    heads: Vec<Reply>,
    /// Whether the upload is done, and verified; else the kind of its failure.
    outcome: Result<bool, Kind>,
    /// Completions and HEADs that were asked for.
    asked: (usize, usize),
}

fn scripts(crc: u64) -> Vec<Script> {
    let head = |crc: Option<u64>, size: usize| {
        let sum = crc.map(|crc| format!("x-oss-hash-crc64ecma: {crc}\r\n")).unwrap_or_default();
        answer("200 OK", &format!("Content-Length: {size}\r\n{sum}"), "")
    };
    let there = head(Some(crc), LARGE);
    let other = head(Some(crc + 1), LARGE);
    let absent = answer("404 Not Found", "Content-Length: 0\r\nx-oss-ec: 0026-00000001\r\n", "");
    let gone = refusal("404 Not Found", "", "<Code>NoSuchUpload</Code>");
    let broken = refusal("200 OK", "", "<Code>InternalError</Code>");
    let script = |name, completions: &[&Reply], heads: &[&Reply], outcome, asked| {
        let replies = |replies: &[&Reply]| replies.iter().map(|reply| (*reply).clone()).collect();
        Script { name, completions: replies(completions), heads: replies(heads), outcome, asked }
    };
    let done = &completed(crc);
    let lost = &Reply::Close;
    let late = Err(Kind::Network(osstack::oss::Link::Closed));
    vec![
        script("done, the answer lost", &[lost], &[&there], Ok(true), (1, 1)),
        script("not done, the answer lost", &[lost, done], &[&absent], Ok(true), (2, 1)),
        script("done late", &[lost, &gone], &[&absent, &there], Ok(true), (2, 2)),
        script(
            "done late, no checksum",
            &[lost, &gone],
            &[&absent, &head(None, LARGE)],
            Ok(false),
            (2, 2),
        ),
        script("somebody else's object", &[lost, lost], &[&other, &other], late, (5, 5)),
        script(
            "gone, and somebody else's",
            &[lost, &gone],
            &[&other, &other],
            Err(Kind::NotFound),
            (2, 2),
        ),
        script("gone from the start", &[&gone], &[&there], Err(Kind::NotFound), (1, 0)),
        script("an error in a good answer", &[&broken], &[&absent], Err(Kind::Retry), (5, 5)),
        script("an error, then done", &[&broken, done], &[&absent], Ok(true), (2, 1)),
        script(
            "a part is missing",
            &[&refusal("200 OK", "", "<Code>InvalidPart</Code>")],
            &[&there],
            Err(Kind::Refused),
            (1, 0),
        ),
        script("other bytes", &[&completed(crc + 1)], &[&there], Err(Kind::Corrupt), (1, 0)),
    ]
}

#[tokio::test]
async fn a_completion_of_unknown_outcome_is_looked_at() {
    let (file, crc) = large();
    for Script { name, completions, heads, outcome, asked } in scripts(crc) {
        let counts = (AtomicUsize::new(0), AtomicUsize::new(0));
        let counts = std::sync::Arc::new(counts);
        let counted = std::sync::Arc::clone(&counts);
        let server = Server::new(Way::Http, move |_, head| {
            let next = |replies: &[Reply], count: &AtomicUsize| {
                let at = count.fetch_add(1, Ordering::Relaxed).min(replies.len() - 1);
                replies[at].clone()
            };
            match head {
                _ if head.starts_with("POST /k?uploadId=U ") => next(&completions, &counted.0),
                _ if head.starts_with("HEAD") => next(&heads, &counted.1),
                _ => as_oss(head),
            }
        })
        .await;
        let (done, requests) = upload(&server, file.path()).await;
        assert_eq!(done.map_err(|error| error.kind), outcome, "{name}");
        let (completions, heads) = &*counts;
        let seen = (completions.load(Ordering::Relaxed), heads.load(Ordering::Relaxed));
        assert_eq!(seen, asked, "{name}: {requests:?}");
        let dropped = requests.iter().any(|line| line.starts_with("DELETE"));
        assert_eq!(dropped, outcome.is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_cancelled_upload_answers_at_once_and_drops_its_parts() {
    let (file, _) = large();
    for silent in ["POST /k?uploads ", "PUT /k?partNumber=2", "POST /k?uploadId"] {
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let began = std::sync::Arc::new(std::sync::OnceLock::new());
        let clock = std::sync::Arc::clone(&began);
        let server = Server::new(Way::Http, move |_, head| {
            if !head.starts_with(silent) {
                return as_oss(head);
            }
            clock.get_or_init(Instant::now);
            stop.cancel();
            Reply::Silence
        })
        .await;
        let (bucket, client) = (bucket(), server.client());
        let (target, options) = ((&bucket, "k"), PutOptions::default());
        let link = Link::new(None);
        let run =
            Run { progress: &|_| {}, cancel: &cancel, link: &link, journal: None, unsynced: None };
        let work = transfer::upload(&client, file.path(), target, &options, run);
        let error = work.await.unwrap_err();
        assert_eq!(error.kind, Kind::Cancelled, "{silent}");
        let took = began.get().unwrap().elapsed();
        assert!(took < Duration::from_secs(1), "{silent}: {took:?}");
        let dropped = server.requests().iter().any(|head| head.starts_with("DELETE"));
        assert_eq!(dropped, silent != "POST /k?uploads ", "{silent}: what began is dropped");
    }
}
