//! Servers that are busy: when the client comes again, how long it waits, and how much it adds to
//! the load. The clock runs ahead while nothing happens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use osstack::oss::listing::ListRequest;
use osstack::oss::object::PutOptions;
use osstack::oss::{Client, Error, Kind};
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::network::Limits;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

use super::server::{
    HOST, PAGE, Reply, Server, Way, access, answer, bucket, client, list_error, network, ok,
    refusal, with_head,
};

const BUSY: &str = "503 Service Unavailable";

/// A server that is busy until its `tries`-th answer, and when it was asked.
async fn busy(headers: String, tries: usize) -> (Server, Arc<Mutex<Vec<Instant>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&times);
    let server = Server::new(Way::Http, move |number, _| {
        seen.lock().unwrap().push(Instant::now());
        match (number + 1).cmp(&tries) {
            std::cmp::Ordering::Less => refusal(BUSY, &headers, "<Code>ServiceUnavailable</Code>"),
            std::cmp::Ordering::Equal => ok(PAGE),
            std::cmp::Ordering::Greater => Reply::Close,
        }
    })
    .await;
    (server, times)
}

/// The pauses between the requests.
fn pauses(times: &Mutex<Vec<Instant>>) -> Vec<Duration> {
    times.lock().unwrap().windows(2).map(|two| two[1] - two[0]).collect()
}

/// Single requests have all the time of this world.
const UNHURRIED: Limits = Limits {
    connect: Duration::from_hours(1),
    first_byte: Duration::from_hours(1),
    idle_read: Duration::from_hours(1),
    call: Duration::from_mins(1),
};

fn unhurried(server: &Server) -> Client {
    client(&network().with_limits(UNHURRIED), server.endpoint(HOST))
}

fn http_date(from_now: i64) -> String {
    let at = OffsetDateTime::now_utc() + time::Duration::seconds(from_now);
    at.format(&Rfc2822).unwrap().replace("+0000", "GMT")
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_within_bounds() {
    let at_once = Duration::ZERO..Duration::from_secs(1);
    for (value, expected) in [
        ("0".to_owned(), at_once.clone()),
        ("3".to_owned(), Duration::from_secs(3)..Duration::from_secs(4)),
        (" 3 ".to_owned(), Duration::from_secs(3)..Duration::from_secs(4)),
        (http_date(10), Duration::from_secs(5)..Duration::from_secs(11)),
        // these say nothing that can be waited for: our own pause, which is zero here
        (http_date(-3600), at_once.clone()),
        ("-1".to_owned(), at_once.clone()),
        ("1.5".to_owned(), at_once.clone()),
        ("soon".to_owned(), at_once.clone()),
        (String::new(), at_once.clone()),
        ("9".repeat(40), at_once.clone()),
        ("Sun, 99 Foo 2026 10:20:30 GMT".to_owned(), at_once),
    ] {
        let (server, times) = busy(format!("Retry-After: {value}\r\n"), 2).await;
        let page = unhurried(&server).list_page(&bucket(), &ListRequest::default()).await;
        assert!(page.is_ok(), "{value:?}: {page:?}");
        let pauses = pauses(&times);
        assert!(
            matches!(pauses.as_slice(), [one] if expected.contains(one)),
            "{value:?}: {pauses:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_is_not_waited_for_longer_than_its_minute() {
    for value in ["60".to_owned(), "99999".to_owned(), u64::MAX.to_string(), http_date(86_400)] {
        let (server, times) = busy(format!("Retry-After: {value}\r\n"), 2).await;
        let began = Instant::now();
        let error = list_error(&unhurried(&server)).await;
        assert_eq!(error.kind, Kind::Retry);
        assert!(error.explain().next.contains("asks to wait"), "{:?}", error.explain());
        assert_eq!(times.lock().unwrap().len(), 1);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    // three times 25 s would be more than a minute
    let (server, times) = busy("Retry-After: 25\r\n".to_owned(), 9).await;
    assert_eq!(list_error(&unhurried(&server)).await.kind, Kind::Retry);
    assert_eq!(times.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_upload_waits_a_minute_at_most() {
    let (server, times) = busy("Retry-After: 99999\r\n".to_owned(), 2).await;
    let bytes = vec![7; 100 << 10];
    let put = unhurried(&server).put(&bucket(), "k", bytes.into(), &PutOptions::default()).await;
    assert!(put.is_ok(), "{put:?}");
    let pauses = pauses(&times);
    let minute = Duration::from_mins(1)..Duration::from_secs(61);
    assert!(matches!(pauses.as_slice(), [one] if minute.contains(one)), "{pauses:?}");
}

/// A thousand calls, sixteen at a time, each with its own jitter.
async fn storm(reply: Reply) -> (usize, Vec<Error>) {
    let server = Server::always(Way::Http, reply).await;
    let network = network().with_limits(UNHURRIED);
    let entropy = Arc::new(SeededEntropy::new(3));
    let access = access(server.endpoint(HOST));
    let client = Client::new(&network, Arc::new(SystemClock), entropy, access);
    let calls = stream::iter(0..1000).map(|_| list_error(&client)).buffer_unordered(16);
    let errors: Vec<Error> = calls.collect().await;
    (server.requests().len(), errors)
}

#[tokio::test(start_paused = true)]
async fn a_storm_costs_a_tenth_more_requests_at_most() {
    for reply in [
        Reply::Keep(with_head(BUSY, "", b"")),
        Reply::Keep(with_head(BUSY, "Retry-After: 1\r\n", b"")),
        Reply::Keep(with_head("429 Too Many Requests", "", b"")),
    ] {
        let (requests, errors) = storm(reply).await;
        assert!(errors.iter().all(|error| error.kind == Kind::Retry));
        assert!((1050..=1100).contains(&requests), "{requests} requests for 1000 calls");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_are_spread_between_nothing_and_a_growing_cap() {
    let (server, times) = busy(String::new(), 99).await;
    let entropy = Arc::new(SeededEntropy::new(1));
    let access = access(server.endpoint(HOST));
    let network = network().with_limits(UNHURRIED);
    let client = Client::new(&network, Arc::new(SystemClock), entropy, access);
    assert_eq!(list_error(&client).await.kind, Kind::Retry);
    let pauses = pauses(&times);
    assert_eq!(pauses.len(), 4);
    for (attempt, pause) in pauses.iter().enumerate() {
        let ceiling = Duration::from_millis(200 << attempt) + Duration::from_millis(50);
        assert!(*pause <= ceiling, "pause {attempt}: {pause:?}");
    }
    assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(50)), "{pauses:?}");
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again() {
    for (reply, tries) in [
        (refusal("403 Forbidden", "", "<Code>AccessDenied</Code>"), 1),
        (refusal("404 Not Found", "", "<Code>NoSuchBucket</Code>"), 1),
        (refusal("400 Bad Request", "", "<Code>InvalidArgument</Code>"), 1),
        (refusal("400 Bad Request", "", "<Code>RequestTimeout</Code>"), 5),
        (refusal("500 Internal Server Error", "", "<Code>InternalError</Code>"), 5),
        (refusal("501 Not Implemented", "", "<Code>NotImplemented</Code>"), 1),
        (answer("502 Bad Gateway", "", "busy"), 5),
        (answer("504 Gateway Timeout", "", ""), 5),
        (answer("429 Too Many Requests", "", ""), 5),
    ] {
        let server = Server::always(Way::Http, reply).await;
        let error = list_error(&server.client()).await;
        assert_eq!(server.requests().len(), tries, "{error}");
    }
    // what must not happen twice is repeated where the server says that nothing happened
    let once = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
    for (status, tries) in [(BUSY, 5), ("429 Too Many Requests", 5), ("500 Oh", 1), ("502 Oh", 1)] {
        let server = Server::always(Way::Http, answer(status, "", "")).await;
        let put = server.client().put(&bucket(), "k", "x".into(), &once).await;
        assert_eq!(put.unwrap_err().kind, Kind::Retry);
        assert_eq!(server.requests().len(), tries, "{status}");
    }
}

#[tokio::test]
async fn each_try_is_signed_anew_and_carries_the_whole_body() {
    let server = Server::new(Way::Https, |number, _| match number {
        0 => answer(BUSY, "", ""),
        _ => answer("200 OK", "", ""),
    })
    .await;
    let options = PutOptions::default();
    server.client().put(&bucket(), "k", "twelve bytes".into(), &options).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(request.contains("content-length: 12\r\n"), "{request}");
        assert!(request.contains("authorization: AWS "), "{request}");
    }
}
