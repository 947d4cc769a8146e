//! Answers that came and are wrong: one table for a page of a listing, and every other call against
//! the worst of them.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use osstack::oss::listing::ListRequest;
use osstack::oss::object::{CopyOptions, PutOptions, UploadedPart};
use osstack::oss::versions::LeftBehind;
use osstack::oss::{Client, Error, Kind};

use super::server::{PAGE, Reply, Server, Way, answer, bucket, ok, refusal, with_head};

/// One wrong answer to a listing.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) reply: Reply,
    kind: Kind,
    /// What the message says.
    words: &'static str,
    /// How often the page is asked for.
    tries: usize,
}

fn case(name: &'static str, reply: Reply, kind: Kind, words: &'static str) -> Case {
    // a page that was cut off may come whole the next time
    let tries = if matches!(kind, Kind::Truncated | Kind::Retry) { 5 } else { 1 };
    Case { name, reply, kind, words, tries }
}

/// A page with `inside` in front of what it holds.
fn page(inside: &str) -> String {
    PAGE.replace("<KeyCount>", &format!("{inside}<KeyCount>"))
}

fn raw(text: impl AsRef<[u8]>) -> Reply {
    Reply::Once(text.as_ref().to_vec())
}

const LAUGHS: &str = "<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>\
    <!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><ListBucketResult>&c;</ListBucketResult>";
const OUTSIDE: &str = "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\
    <ListBucketResult><Name>&e;</Name></ListBucketResult>";
const REMOTE: &str = "<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'><ListBucketResult/>";

pub(super) fn cases() -> Vec<Case> {
    let html = "<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    let portal = "login portal";
    let mut cases = vec![
        case("a portal", ok(html), Kind::NotOss, portal),
        case("a portal in capitals", ok("\r\n <HTML>"), Kind::NotOss, portal),
        case("a portal that forbids", answer("403 Forbidden", "", html), Kind::NotOss, portal),
        case("a gateway's page", answer("502 Bad Gateway", "", html), Kind::NotOss, portal),
        case("nothing", ok(""), Kind::NotOss, "empty"),
        case("blanks", ok(" \r\n\t"), Kind::NotOss, "empty"),
        case("no content", raw("HTTP/1.1 204 No Content\r\n\r\n"), Kind::NotOss, "empty"),
        case("JSON", ok("{\"objects\": []}"), Kind::NotOss, "no XML"),
        case("bytes", ok([0x1f, 0x8b, 8, 0, 0xff, 0xfe]), Kind::NotOss, "no XML"),
        case("another document", ok("<ListAllMyBucketsResult/>"), Kind::NotOss, "belongs"),
        case("an empty document", ok("<ListBucketResult/>"), Kind::NotOss, "<Name> is missing"),
        case("two documents", ok(format!("{PAGE}{}", "<a/>")), Kind::NotOss, "second root"),
        case("the start alone", ok("<ListBucketResult><Name>b"), Kind::Truncated, "middle"),
        case("half a tag", ok("<ListBucketResult><Name>b</Na"), Kind::Truncated, "middle"),
        case("entities that multiply", ok(LAUGHS), Kind::NotOss, "DTD"),
        case("a file as entity", ok(OUTSIDE), Kind::NotOss, "DTD"),
        case("a DTD elsewhere", ok(REMOTE), Kind::NotOss, "DTD"),
        case("an entity of nobody", ok(PAGE.replace("<Key>k", "<Key>&e;")), Kind::NotOss, "no XML"),
        case(
            "broken UTF-8",
            ok(PAGE
                .replace("<Key>k", "<Key>\u{e9}")
                .into_bytes()
                .into_iter()
                .filter(|byte| *byte != 0xa9)
                .collect::<Vec<_>>()),
            Kind::NotOss,
            "no XML",
        ),
        case(
            "broken UTF-8 in an escape",
            ok(page("<EncodingType>url</EncodingType>").replace("<Key>k", "<Key>%ff%fe")),
            Kind::NotOss,
            "not UTF-8",
        ),
        case(
            "an unknown encoding",
            ok(page("<EncodingType>rot13</EncodingType>")),
            Kind::NotOss,
            "unknown encoding",
        ),
        case(
            "more without where",
            ok(page("<IsTruncated>true</IsTruncated>")),
            Kind::NotOss,
            "NextContinuationToken",
        ),
        case(
            "neither true nor false",
            ok(page("<IsTruncated>perhaps</IsTruncated>")),
            Kind::NotOss,
            "perhaps",
        ),
        case(
            "a date that is none",
            ok(PAGE.replace("2026-03-15T", "yesterday")),
            Kind::NotOss,
            "LastModified",
        ),
        case("no key", ok(PAGE.replace("<Key>k</Key>", "")), Kind::NotOss, "<Key> is missing"),
        case("no size", ok(PAGE.replace("<Size>1</Size>", "")), Kind::NotOss, "<Size>"),
        case(
            "more promised than sent",
            Reply::Once(with_head("200 OK", "Content-Length: 5000\r\n", PAGE.as_bytes())),
            Kind::Truncated,
            "middle",
        ),
        case(
            "less promised than sent",
            Reply::Once(with_head("200 OK", "Content-Length: 40\r\n", PAGE.as_bytes())),
            Kind::Truncated,
            "middle",
        ),
        case(
            "a length that is none",
            Reply::Once(with_head("200 OK", "Content-Length: many\r\n", PAGE.as_bytes())),
            Kind::NotOss,
            "HTTP",
        ),
        case(
            "a length beyond all numbers",
            Reply::Once(with_head("200 OK", "Content-Length: 99999999999999999999\r\n", b"")),
            Kind::NotOss,
            "HTTP",
        ),
        case(
            "two lengths",
            Reply::Once(with_head(
                "200 OK",
                "Content-Length: 1\r\nContent-Length: 2\r\n",
                PAGE.as_bytes(),
            )),
            Kind::NotOss,
            "HTTP",
        ),
        case(
            "chunks without an end",
            raw(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{PAGE}\r\n",
                PAGE.len()
            )),
            Kind::Truncated,
            "middle",
        ),
        case(
            "a chunk of no size",
            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n"),
            Kind::Truncated,
            "middle",
        ),
        case("no HTTP", raw("SSH-2.0-OpenSSH_9.6\r\n"), Kind::NotOss, "HTTP"),
        case("a status that is none", raw("HTTP/1.1 fine\r\n\r\n"), Kind::NotOss, "HTTP"),
        case(
            "10 MB in a header",
            Reply::Once(with_head(
                "200 OK",
                &format!("X-Long: {}\r\n", "a".repeat(10_000_000)),
                PAGE.as_bytes(),
            )),
            Kind::TooLarge,
            "head",
        ),
        case(
            "a thousand headers",
            Reply::Once(with_head("200 OK", &"X-Many: 1\r\n".repeat(1000), PAGE.as_bytes())),
            Kind::TooLarge,
            "head",
        ),
        case(
            "a head without end",
            Reply::Endless(b"HTTP/1.1 200 OK\r\nX-Long: ".to_vec(), vec![b'a'; 64 << 10]),
            Kind::TooLarge,
            "head",
        ),
        case(
            "a body without end",
            Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n<R>".to_vec(), vec![b'a'; 64 << 10]),
            Kind::TooLarge,
            "8192 KiB",
        ),
        case(
            "chunks without number",
            Reply::Endless(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
                b"1000\r\n".iter().copied().chain([b'a'; 0x1000]).chain(*b"\r\n").collect(),
            ),
            Kind::TooLarge,
            "8192 KiB",
        ),
        case(
            "a refusal without end",
            Reply::Endless(b"HTTP/1.1 403 Forbidden\r\n\r\n<Error>".to_vec(), vec![b'a'; 64 << 10]),
            Kind::Permission,
            "status 403",
        ),
        case(
            "a refusal as deep as the sea",
            refusal("403 Forbidden", "", &"<a>".repeat(15_000)),
            Kind::Permission,
            "status 403",
        ),
        case(
            "a refusal with escapes",
            refusal("400 Bad Request", "", "<Code>X</Code><Message>a&#27;[2Jb</Message>"),
            Kind::Refused,
            "a\\u{1b}[2Jb",
        ),
        case(
            "an error in a good answer",
            refusal("200 OK", "", "<Code>InternalError</Code>"),
            Kind::Retry,
            "InternalError",
        ),
        case(
            "a refusal in a good answer",
            refusal("200 OK", "", "<Code>AccessDenied</Code><EC>0003-00000201</EC>"),
            Kind::Permission,
            "0003-00000201",
        ),
    ];
    for size in ["many", "-1", "1e3", "0x10", "99999999999999999999", "1 2", "\u{0661}"] {
        let body = PAGE.replace("<Size>1<", &format!("<Size>{size}<"));
        cases.push(case("a size that is no number", ok(body), Kind::NotOss, "no number"));
    }
    for (name, tag) in [("open", "<a>"), ("closed", "</a>"), ("with a blank", "<a b='c'>")] {
        let body = format!("<ListBucketResult>{}", tag.repeat(200_000));
        cases.push(case(name, ok(body), Kind::NotOss, ""));
    }
    cases
}

/// What is not as it should be with a case.
async fn breach(way: Way, case: Case) -> Option<String> {
    let Case { name, reply, kind, words, tries } = case;
    let server = Server::always(way, reply).await;
    let client = server.client();
    let (bucket, request) = (bucket(), ListRequest::default());
    let listing = client.list_page(&bucket, &request);
    let outcome = tokio::time::timeout(Duration::from_mins(1), listing).await;
    let what = match &outcome {
        Err(_) => "it takes more than a minute".to_owned(),
        Ok(Ok(page)) => format!("{} objects", page.len()),
        Ok(Err(error)) => {
            let (said, next) = (error.to_string(), error.explain().next);
            let is_right = error.kind == kind
                && said.contains(words)
                && !said.chars().any(char::is_control)
                && next.ends_with('.')
                && server.requests().len() == tries
                // what was not sent was not kept either: 8 MiB, and what lies in sockets
                && server.sent() < 48 << 20;
            if is_right {
                return None;
            }
            let (tries, sent) = (server.requests().len(), server.sent());
            format!("{:?}: {said}; {next} ({tries} tries, {sent} bytes)", error.kind)
        }
    };
    Some(format!("{way:?}, {name}: {what}"))
}

#[tokio::test]
async fn a_wrong_page_is_named_and_never_an_empty_bucket() {
    for way in Way::BOTH {
        let all = stream::iter(cases()).map(|case| breach(way, case)).buffer_unordered(4);
        let breaches: Vec<String> = all.filter_map(std::future::ready).collect().await;
        assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    }
}

/// Every call whose answer is read, by its name.
async fn all_calls(client: &Client) -> Vec<(&'static str, Result<(), Error>)> {
    let bucket = bucket();
    let parts = [UploadedPart { number: 1, etag: "a".into(), size: None }];
    let keys = ["a".to_owned(), "b".to_owned()];
    let options = PutOptions::default();
    vec![
        ("list buckets", client.list_buckets().await.map(drop)),
        ("location", client.bucket_location(&bucket).await.map(drop)),
        ("list parts", client.list_parts(&bucket, "k", "u").await.map(drop)),
        ("list uploads", client.list_uploads(&bucket, "").await.map(drop)),
        ("begin", client.create_upload(&bucket, "k", &options).await.map(drop)),
        ("complete", client.complete_upload(&bucket, "k", "u", &parts, Some(0)).await.map(drop)),
        (
            "copy",
            client.copy((&bucket, "k"), (&bucket, "l"), &CopyOptions::default()).await.map(drop),
        ),
        ("delete many", client.delete_many(&bucket, &keys, &mut LeftBehind::default()).await),
    ]
}

#[tokio::test]
async fn no_other_call_falls_for_it_either() {
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let elements = format!("<ListPartsResult>{}", "<a/>".repeat(200_000));
    for body in [
        html,
        "",
        "{}",
        "<R>",
        LAUGHS,
        OUTSIDE,
        // rusoto's own reader would loop for ever on these, or panic
        "<ListAllMyBucketsResult><Buckets><Bucket>",
        "<ListPartsResult><Part><Size>1</Size>",
        "<ListPartsResult><Part><PartNumber>one</PartNumber></Part></ListPartsResult>",
        "<ListMultipartUploadsResult><MaxUploads>x</MaxUploads></ListMultipartUploadsResult>",
        "<InitiateMultipartUploadResult/>",
        &elements,
    ] {
        let server = Server::always(Way::Http, ok(body)).await;
        for (name, outcome) in all_calls(&server.client()).await {
            let kinds = [Kind::NotOss, Kind::Truncated];
            let kind = outcome.expect_err(name).kind;
            assert!(kinds.contains(&kind), "{name}: {kind:?} of {body:.60}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_portal_is_no_sign_of_a_write() {
    let html = "<!DOCTYPE html><html><body>Sign in to the network</body></html>";
    let server = Server::always(Way::Https, ok(html)).await;
    let client = server.client();
    let put = client.put(&bucket(), "k", "x".into(), &PutOptions::default()).await;
    assert_eq!(put.unwrap_err().kind, Kind::NotOss);
    assert_eq!(client.delete(&bucket(), "k").await.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn headers_of_other_alphabets_arrive() {
    let mut reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-oss-meta-n: caf\xe9 ".to_vec();
    reply.extend_from_slice("目\r\nx-oss-hash-crc64ecma: many\r\n\r\n".as_bytes());
    let server = Server::always(Way::Http, Reply::Once(reply)).await;
    let info = server.client().head(&bucket(), "k").await.unwrap();
    assert_eq!(info.metadata, [("n".to_owned(), "caf\u{fffd} 目".to_owned())]);
    assert_eq!(info.crc64, None);
}

#[tokio::test]
async fn a_range_answered_with_everything_is_cut() {
    let server = Server::always(Way::Http, ok("0123456789")).await;
    let client = server.client();
    let part = client.get_range(&bucket(), "k", 3, 4, None).await.unwrap();
    assert_eq!(&part.bytes[..], b"3456");
    let part = client.get_range(&bucket(), "k", 10, 4, None).await.unwrap();
    assert!(part.bytes.is_empty());
    let endless = Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'a'; 64 << 10]);
    let server = Server::always(Way::Http, endless).await;
    let part = server.client().get_range(&bucket(), "k", 0, 1000, None).await.unwrap();
    assert_eq!(part.bytes.len(), 1000);
    let range = "Content-Range: bytes 5-8/10\r\n";
    let server = Server::always(Way::Http, answer("206 Partial Content", range, "5678")).await;
    let part = server.client().get_range(&bucket(), "k", 3, 4, None).await;
    assert_eq!(part.unwrap_err().kind, Kind::NotOss);
}

#[tokio::test]
async fn a_head_without_reason_is_asked_again_as_a_get() {
    let server = Server::new(Way::Http, |_, head| {
        if head.starts_with("HEAD") {
            answer("404 Not Found", "Content-Length: 99\r\n", "")
        } else {
            refusal("404 Not Found", "", "<Code>NoSuchBucket</Code><EC>0015-00000101</EC>")
        }
    })
    .await;
    let error = server.client().head(&bucket(), "k").await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("NoSuchBucket"));
    assert_eq!(error.action, "look at the object");
    let error = server.client().head_bucket(&bucket()).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("NoSuchBucket"));
}
