//! Servers that are broken, slow or not OSS at all, over real sockets: each must end in the right
//! kind of error, in time, and never in an empty bucket.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests stop where something is not as it should be"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use osstack::base::secret_string::SecretString;
use osstack::model::bucket::BucketName;
use osstack::model::endpoint::Endpoint;
use osstack::model::secret::Credentials;
use osstack::model::store::Signature;
use osstack::oss::listing::ListRequest;
use osstack::oss::object::{PutOptions, UploadedPart};
use osstack::oss::transfer::{self, Folder, Overwrite};
use osstack::oss::{Access, Client, Error, Kind, Link, crc64};
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::Entropy;
use osstack::ports::env::Env;
use osstack::ports::network::{Limits, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// No jitter, so that repeats follow at once.
#[derive(Debug)]
struct NoJitter;

impl Entropy for NoJitter {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// What the server does with one request.
enum Reply {
    /// Sends this, then closes.
    Once(Vec<u8>),
    /// Sends this and waits for the next request.
    Keep(Vec<u8>),
    /// Sends this, then more of the same byte for ever.
    Endless(Vec<u8>),
    /// Sends nothing.
    Silence,
    /// Closes without a word.
    Close,
}

fn with_head(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\n{headers}").into_bytes();
    if !headers.to_ascii_lowercase().contains("content-length") {
        out.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

fn ok(body: impl AsRef<[u8]>) -> Reply {
    Reply::Once(with_head("200 OK", "", body.as_ref()))
}

fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::Once(with_head(status, headers, body.as_ref()))
}

struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers the request number `n` (from 0) with `reply(n, head)`.
    async fn new(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let reply = Arc::new(reply);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, Arc::clone(&reply), Arc::clone(&seen)));
            }
        });
        Self { port, requests, _tasks: tasks }
    }

    async fn always(reply: Reply) -> Self {
        let reply = Mutex::new(reply);
        Self::new(move |_, _| match &*reply.lock().unwrap() {
            Reply::Once(bytes) => Reply::Once(bytes.clone()),
            Reply::Keep(bytes) => Reply::Keep(bytes.clone()),
            Reply::Endless(bytes) => Reply::Endless(bytes.clone()),
            Reply::Silence => Reply::Silence,
            Reply::Close => Reply::Close,
        })
        .await
    }

    fn client(&self) -> Client {
        let limits = Limits {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_millis(300),
            idle_read: Duration::from_millis(300),
            call: Duration::from_secs(60),
        };
        let network = Network::new(&Env::default()).unwrap().with_limits(limits);
        let access = Access {
            endpoint: Endpoint::parse(&format!("http://oss.localhost:{}", self.port)).unwrap(),
            scope_region: "eu-central-1".into(),
            signature: Signature::V2,
            credentials: Arc::new(Credentials {
                access_key_id: "LTAI5tExampleExample0001".into(),
                secret_access_key: SecretString::new("0123456789abcdefghijABCDEFGHIJ".into()),
                session_token: None,
            }),
        };
        Client::new(&network, Arc::new(SystemClock), Arc::new(NoJitter), access)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn converse(
    mut stream: TcpStream,
    reply: Arc<impl Fn(usize, &str) -> Reply>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let Some(head) = read_request(&mut stream).await else { return };
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(head.clone());
            seen.len() - 1
        };
        match reply(number, &head) {
            Reply::Once(bytes) => {
                let _gone = stream.write_all(&bytes).await;
                let _gone = stream.shutdown().await;
                return;
            }
            Reply::Keep(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reply::Endless(bytes) => {
                let mut more = bytes;
                while stream.write_all(&more).await.is_ok() {
                    more = vec![b'a'; 64 << 10];
                }
                return;
            }
            Reply::Silence => std::future::pending().await,
            Reply::Close => return,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}

fn bucket() -> BucketName {
    BucketName::parse("your-bucket-name").unwrap()
}

async fn list_error(server: &Server) -> Error {
    server.client().list_page(&bucket(), &ListRequest::default()).await.unwrap_err()
}

const PAGE: &str = "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name><KeyCount>1</KeyCount>\
                    <Contents><Key>k</Key><Size>1</Size>\
                    <LastModified>2026-03-15T10:20:30.000Z</LastModified></Contents>\
                    </ListBucketResult>";

#[tokio::test]
async fn a_good_page_comes_through() {
    let server = Server::always(ok(PAGE)).await;
    let page = server.client().list_page(&bucket(), &ListRequest::default()).await.unwrap();
    assert_eq!(page.entries().map(|entry| entry.key.to_owned()).collect::<Vec<_>>(), ["k"]);
    let request = server.requests().remove(0);
    assert!(request.starts_with("GET /?encoding-type=url&list-type=2&max-keys=1000 "), "{request}");
    let host = format!("host: your-bucket-name.oss.localhost:{}\r\n", server.port);
    assert!(request.contains(&host), "{request}");
    assert!(!request.contains("content-type"), "{request}");
}

#[tokio::test]
async fn a_login_portal_is_no_empty_bucket() {
    let html = "<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    let server = Server::always(ok(html)).await;
    let error = list_error(&server).await;
    assert_eq!(error.kind, Kind::NotOss);
    assert!(error.to_string().contains("login portal"), "{error}");
    let client = server.client();
    assert_eq!(client.list_buckets().await.unwrap_err().kind, Kind::NotOss);
    let put = client.put(&bucket(), "k", "x".into(), &PutOptions::default()).await;
    assert_eq!(put.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn nothing_is_no_empty_bucket() {
    let server = Server::always(ok("")).await;
    assert_eq!(list_error(&server).await.kind, Kind::NotOss);
    assert_eq!(server.client().list_buckets().await.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn xml_that_ends_early_ends_the_call_too() {
    let cut = "<ListBucketResult><Name>b</Name><Contents><Key>k</Key>";
    let server = Server::always(ok(cut)).await;
    assert_eq!(list_error(&server).await.kind, Kind::Truncated);
    assert_eq!(server.requests().len(), 5, "a listing is asked for five times");
    // rusoto's own reader would loop for ever on these
    let server = Server::always(ok("<ListAllMyBucketsResult><Buckets><Bucket>")).await;
    assert_eq!(server.client().list_buckets().await.unwrap_err().kind, Kind::Truncated);
    let server = Server::always(ok("<ListPartsResult><Part><Size>1</Size>")).await;
    let parts = server.client().list_parts(&bucket(), "k", "u").await;
    assert_eq!(parts.unwrap_err().kind, Kind::Truncated);
}

#[tokio::test]
async fn numbers_that_are_none_do_not_panic_in_rusoto() {
    let body = "<ListPartsResult><Part><PartNumber>one</PartNumber></Part></ListPartsResult>";
    let server = Server::always(ok(body)).await;
    let parts = server.client().list_parts(&bucket(), "k", "u").await;
    assert_eq!(parts.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn an_endless_body_is_cut_at_8_mib() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n<ListBucketResult>".to_vec();
    let server = Server::always(Reply::Endless(head)).await;
    assert_eq!(list_error(&server).await.kind, Kind::TooLarge);
}

#[tokio::test]
async fn an_endless_head_is_refused() {
    let head = b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec();
    let server = Server::always(Reply::Endless(head)).await;
    assert_eq!(list_error(&server).await.kind, Kind::TooLarge);
}

#[tokio::test]
async fn deep_nesting_and_dtds_are_refused() {
    for body in [
        format!("<ListBucketResult>{}", "<a>".repeat(200_000)),
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><ListBucketResult>&e;\
         </ListBucketResult>"
            .to_owned(),
    ] {
        let server = Server::always(ok(&body)).await;
        assert_eq!(list_error(&server).await.kind, Kind::NotOss);
        assert_eq!(server.client().list_buckets().await.unwrap_err().kind, Kind::NotOss);
    }
}

#[tokio::test]
async fn a_redirect_is_advice_and_nothing_is_sent_there() {
    let other = Server::always(ok(PAGE)).await;
    let location = format!("Location: http://elsewhere.localhost:{}/\r\n", other.port);
    let server = Server::always(answer("307 Temporary Redirect", &location, "")).await;
    let error = list_error(&server).await;
    assert_eq!(error.kind, Kind::Settings);
    assert!(error.explain().next.contains("elsewhere.localhost"), "{:?}", error.explain());
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn silence_ends_in_a_time_out() {
    let server = Server::always(Reply::Silence).await;
    let upload = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
    let error = server.client().put(&bucket(), "k", "x".into(), &upload).await.unwrap_err();
    assert_eq!(error.kind, Kind::Network(Link::Timeout));
    assert_eq!(server.requests().len(), 1, "what may have been done is not done again");
}

#[tokio::test]
async fn a_body_that_stops_ends_in_a_time_out() {
    let half = with_head("200 OK", "Content-Length: 1000\r\n", b"half");
    let server = Server::always(Reply::Keep(half)).await;
    let client = server.client();
    let mut download = client.get(&bucket(), "k", None).await.unwrap().value;
    assert_eq!(download.body.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
    let error = download.body.chunk().await.unwrap_err();
    assert_eq!(error.kind, Kind::Network(Link::Timeout));
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let busy = "<Error><Code>SlowDown</Code><Message>slow</Message></Error>";
    let server = Server::new(move |number, _| match number {
        0 | 1 => answer("503 Service Unavailable", "Retry-After: 0\r\n", busy),
        _ => ok(PAGE),
    })
    .await;
    server.client().list_page(&bucket(), &ListRequest::default()).await.unwrap();
    assert_eq!(server.requests().len(), 3);
    let denied = "<Error><Code>AccessDenied</Code><EC>0003-00000201</EC></Error>";
    let server = Server::always(answer("403 Forbidden", "", denied)).await;
    let error = list_error(&server).await;
    assert_eq!((error.kind, error.ec.as_deref()), (Kind::Permission, Some("0003-00000201")));
    assert_eq!(server.requests().len(), 1, "a refusal is final");
}

#[tokio::test]
async fn a_connection_closed_in_the_middle_is_no_answer() {
    let half = with_head("200 OK", "Content-Length: 5000\r\n", PAGE.as_bytes());
    let server = Server::always(Reply::Once(half)).await;
    assert_eq!(list_error(&server).await.kind, Kind::Truncated);
    let short = with_head("200 OK", "Content-Length: 40\r\n", PAGE.as_bytes());
    let server = Server::always(Reply::Once(short)).await;
    assert_eq!(list_error(&server).await.kind, Kind::Truncated);
    let server = Server::always(Reply::Close).await;
    assert_eq!(list_error(&server).await.kind, Kind::Network(Link::Closed));
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_connection_that_went_stale_costs_nothing_but_a_repeat() {
    let server = Server::new(|number, _| match number {
        0 | 2 => Reply::Keep(with_head("200 OK", "", PAGE.as_bytes())),
        _ => Reply::Close,
    })
    .await;
    let client = server.client();
    client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
    client.list_page(&bucket(), &ListRequest::default()).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn nobody_there_is_refused() {
    let server = Server::always(Reply::Close).await;
    let port = server.port;
    drop(server);
    // the port is free again once its listener is dropped with the task
    let server = Server { port, requests: Arc::default(), _tasks: JoinSet::new() };
    let refused = loop {
        let error = list_error(&server).await;
        if error.kind != Kind::Network(Link::Closed) {
            break error;
        }
    };
    assert_eq!(refused.kind, Kind::Network(Link::Refused));
}

#[tokio::test]
async fn headers_of_other_alphabets_arrive() {
    let mut reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-oss-meta-n: caf\xe9 ".to_vec();
    reply.extend_from_slice("目\r\nx-oss-hash-crc64ecma: many\r\n\r\n".as_bytes());
    let server = Server::always(Reply::Once(reply)).await;
    let info = server.client().head(&bucket(), "k").await.unwrap();
    assert_eq!(info.metadata, [("n".to_owned(), "caf\u{fffd} 目".to_owned())]);
    assert_eq!(info.crc64, None);
}

#[tokio::test]
async fn a_server_that_stands_still_is_left() {
    let page = PAGE.replace(
        "<KeyCount>",
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><KeyCount>",
    );
    let server = Server::always(ok(&page)).await;
    let mut pages = server.client().list_stream(&bucket(), ListRequest::default());
    assert!(pages.next().await.unwrap().is_ok());
    assert_eq!(pages.next().await.unwrap().unwrap_err().kind, Kind::NotOss);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_server_that_goes_round_is_left() {
    let server = Server::new(|_, head| {
        // page a leads to b, and b to a
        let (key, next) =
            if head.contains("continuation-token=b") { ("b", "a") } else { ("a", "b") };
        let more = format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>\
             <KeyCount>"
        );
        let page = PAGE.replace("<KeyCount>", &more);
        ok(page.replace("<Key>k</Key>", &format!("<Key>{key}</Key>")))
    })
    .await;
    let mut pages = server.client().list_stream(&bucket(), ListRequest::default());
    assert!(pages.next().await.unwrap().is_ok());
    assert!(pages.next().await.unwrap().is_ok());
    assert_eq!(pages.next().await.unwrap().unwrap_err().kind, Kind::NotOss);
    assert!(pages.next().await.is_none());

    let server = Server::new(|_, head| {
        let next = if head.contains("marker=b") { "a" } else { "b" };
        ok(format!(
            "<ListAllMyBucketsResult><IsTruncated>true</IsTruncated>\
             <NextMarker>{next}</NextMarker><Buckets/></ListAllMyBucketsResult>"
        ))
    })
    .await;
    assert_eq!(server.client().list_buckets().await.unwrap_err().kind, Kind::NotOss);

    let server = Server::new(|_, head| {
        let next = if head.contains("key-marker=b") { "a" } else { "b" };
        ok(format!(
            "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>\
             <NextKeyMarker>{next}</NextKeyMarker></ListMultipartUploadsResult>"
        ))
    })
    .await;
    let uploads = server.client().list_uploads(&bucket(), "").await;
    assert_eq!(uploads.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn an_error_in_a_good_answer_is_an_error() {
    let body = "<Error><Code>InvalidPart</Code><Message>no</Message></Error>";
    let server = Server::always(ok(body)).await;
    let parts = [UploadedPart { number: 1, etag: "a".into(), size: None }];
    let done = server.client().complete_upload(&bucket(), "k", "u", &parts, 0).await;
    assert_eq!(done.unwrap_err().code.as_deref(), Some("InvalidPart"));
}

#[tokio::test]
async fn a_head_without_reason_is_asked_again_as_a_get() {
    let body = "<Error><Code>NoSuchBucket</Code><EC>0015-00000101</EC></Error>";
    let server = Server::new(move |_, head| {
        if head.starts_with("HEAD") {
            answer("404 Not Found", "Content-Length: 99\r\n", "")
        } else {
            answer("404 Not Found", "", body)
        }
    })
    .await;
    let error = server.client().head(&bucket(), "k").await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("NoSuchBucket"));
    assert_eq!(error.action, "look at the object");
    let error = server.client().head_bucket(&bucket()).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("NoSuchBucket"));
}

#[tokio::test]
async fn a_range_answered_with_everything_is_cut() {
    let server = Server::always(ok("0123456789")).await;
    let client = server.client();
    let part = client.get_range(&bucket(), "k", 3, 4, None).await.unwrap();
    assert_eq!(&part.bytes[..], b"3456");
    let part = client.get_range(&bucket(), "k", 10, 4, None).await.unwrap();
    assert!(part.bytes.is_empty());
    let range = "Content-Range: bytes 5-8/10\r\n";
    let server = Server::always(answer("206 Partial Content", range, "5678")).await;
    let part = server.client().get_range(&bucket(), "k", 3, 4, None).await;
    assert_eq!(part.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn a_put_whose_checksum_differs_is_said() {
    let sum = format!("x-oss-hash-crc64ecma: {}\r\n", crc64::of(b"other"));
    let server = Server::always(answer("200 OK", &sum, "")).await;
    let put = server.client().put(&bucket(), "k", "bytes".into(), &PutOptions::default()).await;
    assert_eq!(put.unwrap_err().kind, Kind::Corrupt);
    let sum = format!("x-oss-hash-crc64ecma: {}\r\n", crc64::of(b"bytes"));
    let server = Server::always(answer("200 OK", &sum, "")).await;
    let put = server.client().put(&bucket(), "k", "bytes".into(), &PutOptions::default()).await;
    assert!(put.unwrap().verified);
}

async fn download(reply: Reply, folder: &std::path::Path) -> Result<bool, Error> {
    let server = Server::always(reply).await;
    let folder = Folder::open(folder).unwrap();
    let to = (&folder, std::path::Path::new("a/k"));
    let (bucket, cancel) = (bucket(), CancellationToken::new());
    let client = server.client();
    let seen = AtomicUsize::new(0);
    let progress = |progress: transfer::Progress| {
        seen.store(usize::try_from(progress.bytes).unwrap(), Ordering::Relaxed);
    };
    let refuse = Overwrite::Refuse;
    let done = transfer::download(&client, (&bucket, "k"), to, refuse, &progress, &cancel).await?;
    assert_eq!(seen.load(Ordering::Relaxed) as u64, done.bytes);
    Ok(done.verified)
}

fn files(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder.join("a")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn only_whole_and_equal_bytes_become_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let cut = with_head("200 OK", "Content-Length: 99\r\n", b"half");
    let error = download(Reply::Once(cut), folder.path()).await.unwrap_err();
    assert_eq!((error.kind, files(folder.path())), (Kind::Truncated, 0));
    let sum = format!("x-oss-hash-crc64ecma: {}\r\n", crc64::of(b"bytes"));
    let error = download(answer("200 OK", &sum, "bytez"), folder.path()).await.unwrap_err();
    assert_eq!((error.kind, files(folder.path())), (Kind::Corrupt, 0));
    assert!(download(answer("200 OK", &sum, "bytes"), folder.path()).await.unwrap());
    assert_eq!(std::fs::read(folder.path().join("a/k")).unwrap(), b"bytes");
    let error = download(ok("other"), folder.path()).await.unwrap_err();
    assert_eq!((error.kind, files(folder.path())), (Kind::Precondition, 1));
}

#[tokio::test]
async fn a_cancelled_download_leaves_nothing() {
    let half = with_head("200 OK", "Content-Length: 99\r\n", b"half");
    let server = Server::always(Reply::Keep(half)).await;
    let folder = tempfile::tempdir().unwrap();
    let root = Folder::open(folder.path()).unwrap();
    let to = (&root, std::path::Path::new("a/k"));
    let cancel = CancellationToken::new();
    let stop = |progress: transfer::Progress| {
        if progress.bytes > 0 {
            cancel.cancel();
        }
    };
    let client = server.client();
    let refuse = Overwrite::Refuse;
    let done = transfer::download(&client, (&bucket(), "k"), to, refuse, &stop, &cancel).await;
    assert_eq!(done.unwrap_err().kind, Kind::Cancelled);
    assert_eq!(files(folder.path()), 0);
}

/// A multipart upload of 33 MiB against a server that answers as OSS does; `fail` says which
/// request it answers with 403 instead.
async fn upload(fail: &'static str) -> (Result<bool, Error>, Vec<String>) {
    let bytes = vec![7_u8; 33 << 20];
    let whole = crc64::of(&bytes);
    let server = Server::new(move |_, head| {
        let line = head.lines().next().unwrap();
        if !fail.is_empty() && line.contains(fail) {
            return answer("403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
        }
        let etag = "ETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n";
        match line {
            _ if line.starts_with("POST /k?uploads ") => {
                ok("<InitiateMultipartUploadResult><UploadId>U</UploadId>\
                 </InitiateMultipartUploadResult>")
            }
            _ if line.starts_with("PUT") => answer("200 OK", etag, ""),
            _ if line.starts_with("POST /k?uploadId=U ") => answer(
                "200 OK",
                &format!("x-oss-hash-crc64ecma: {whole}\r\n"),
                "<CompleteMultipartUploadResult><ETag>\"A-3\"</ETag>\
                 </CompleteMultipartUploadResult>",
            ),
            _ => answer("204 No Content", "", ""),
        }
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), &bytes).unwrap();
    let client = server.client();
    let (bucket, cancel) = (bucket(), CancellationToken::new());
    let options = PutOptions::default();
    let target = (&bucket, "k");
    let done = transfer::upload(&client, file.path(), target, &options, &|_| {}, &cancel).await;
    let mut lines: Vec<_> = server
        .requests()
        .iter()
        .map(|head| head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned())
        .collect();
    lines.sort();
    (done.map(|done| done.verified), lines)
}

#[tokio::test]
async fn large_files_go_in_parts() {
    let (done, requests) = upload("").await;
    assert!(done.unwrap());
    assert_eq!(
        requests,
        [
            "POST /k?uploadId=U",
            "POST /k?uploads",
            "PUT /k?partNumber=1&uploadId=U",
            "PUT /k?partNumber=2&uploadId=U",
            "PUT /k?partNumber=3&uploadId=U",
        ]
    );
}

#[tokio::test]
async fn an_upload_that_fails_drops_its_parts() {
    for fail in ["PUT /k?partNumber=2", "POST /k?uploadId"] {
        let (done, requests) = upload(fail).await;
        assert_eq!(done.unwrap_err().kind, Kind::Permission);
        assert!(requests.contains(&"DELETE /k?uploadId=U".to_owned()), "{requests:?}");
    }
}
