//! Listings that do not come to an end, go back, or hold what no listing should.

use osstack::oss::Kind;
use osstack::oss::listing::ListRequest;

use super::server::{HOST, PAGE, Server, Way, bucket, ok, refusal};

/// A page of these keys, which goes on at `next`.
fn page(keys: &[&str], next: Option<&str>) -> String {
    let more = next.map_or_else(String::new, |next| {
        format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>"
        )
    });
    let rows = keys.iter().fold(String::new(), |rows, key| {
        rows + "<Contents><Key>"
            + key
            + "</Key><Size>1</Size><LastModified>2026-03-15T10:20:30.000Z</LastModified></Contents>"
    });
    format!("<ListBucketResult><Name>b</Name>{more}{rows}</ListBucketResult>")
}

/// The keys that came, and how it ended.
async fn all(server: &Server) -> (Vec<String>, Option<Kind>) {
    let mut pages = server.client().walk(&bucket(), ListRequest::default());
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => keys.extend(page.entries().map(|entry| entry.key.to_owned())),
            Err(error) => {
                assert!(pages.next().await.is_none(), "after an error there is nothing more");
                return (keys, Some(error.kind));
            }
        }
    }
    (keys, None)
}

#[tokio::test]
async fn a_good_page_comes_through() {
    for way in Way::BOTH {
        let server = Server::always(way, ok(PAGE)).await;
        assert_eq!(all(&server).await, (vec!["k".to_owned()], None));
        let request = server.requests().remove(0);
        let line = "GET /?encoding-type=url&list-type=2&max-keys=1000 ";
        assert!(request.starts_with(line), "{request}");
        let host = format!("host: your-bucket-name.{HOST}:{}\r\n", server.port);
        assert!(request.contains(&host), "{request}");
        assert!(!request.contains("content-type"), "{request}");
    }
}

#[tokio::test]
async fn a_page_that_repeats_its_token_is_the_last() {
    let server = Server::always(Way::Http, ok(page(&["a"], Some("t")))).await;
    assert_eq!(all(&server).await, (vec!["a".to_owned()], Some(Kind::NotOss)));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_goes_round_is_left() {
    let server = Server::new(Way::Http, |_, head| {
        let at_b = head.contains("continuation-token=b");
        ok(if at_b { page(&["b"], Some("a")) } else { page(&["a"], Some("b")) })
    })
    .await;
    assert_eq!(all(&server).await, (vec!["a".into(), "b".into()], Some(Kind::NotOss)));

    // ever new tokens, and never a key
    let server =
        Server::new(Way::Http, |number, _| ok(page(&[], Some(&format!("t{number}"))))).await;
    assert_eq!(all(&server).await, (vec![], Some(Kind::NotOss)));
    assert!(server.requests().len() < 20, "{}", server.requests().len());

    let server = Server::new(Way::Http, |_, head| {
        let next = if head.contains("marker=b") { "a" } else { "b" };
        ok(format!(
            "<ListAllMyBucketsResult><IsTruncated>true</IsTruncated>\
             <NextMarker>{next}</NextMarker><Buckets/></ListAllMyBucketsResult>"
        ))
    })
    .await;
    assert_eq!(server.client().list_buckets().await.unwrap_err().kind, Kind::NotOss);

    let server = Server::new(Way::Http, |_, head| {
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
async fn a_page_in_disorder_is_read_as_it_is() {
    let server = Server::always(Way::Http, ok(page(&["b", "a", "b"], None))).await;
    let (keys, end) = all(&server).await;
    assert_eq!((keys, end), (vec!["b".into(), "a".into(), "b".into()], None));
    // a second page that begins before the first one's end goes on only if it gets further
    let server = Server::new(Way::Http, |number, _| {
        ok(if number == 0 { page(&["a", "c"], Some("t")) } else { page(&["b", "d"], None) })
    })
    .await;
    assert_eq!(all(&server).await.0, ["a", "c", "b", "d"]);
}

#[tokio::test]
async fn keys_of_any_kind_arrive_unchanged() {
    let encoded = ["a%1B%5B2J", "%00", "%E2%80%AE", "%0D%0A", "x%2Fy", "a+b", "%2E%2E%2Fetc", "%"];
    let body = page(&encoded, None).replace("<Name>", "<EncodingType>url</EncodingType><Name>");
    let server = Server::always(Way::Http, ok(body)).await;
    let (keys, _) = all(&server).await;
    assert_eq!(keys, ["a\u{1b}[2J", "\0", "\u{202e}", "\r\n", "x/y", "a b", "../etc", "%"]);
    let plain = ["a\u{1}b", "%00", "<![CDATA[<x>]]>", "&#x1b;"];
    let server = Server::always(Way::Http, ok(page(&plain, None))).await;
    assert_eq!(all(&server).await.0, ["a\u{1}b", "%00", "<x>", "\u{1b}"]);
}

#[tokio::test]
async fn a_token_that_fits_no_address_ends_the_listing() {
    let server = Server::always(Way::Http, ok(page(&["a"], Some(&"t".repeat(100_000))))).await;
    let mut pages = server.client().walk(&bucket(), ListRequest::default());
    assert!(pages.next().await.unwrap().is_ok());
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert_eq!(server.requests().len(), 1);
}

const BUSY: &str = "503 Service Unavailable";

/// The names of a listing, in its order.
fn names() -> Vec<String> {
    (0..400).map(|number| format!("k{number:03}")).collect()
}

/// A server of [`names`] that heeds where to begin, in pages of twenty; but for the requests that
/// `refused` says.
async fn many(
    heeds_start: bool,
    refused: impl Fn(usize) -> bool + Send + Sync + 'static,
) -> Server {
    Server::new(Way::Http, move |number, head| {
        if refused(number) {
            return refusal(BUSY, "Retry-After: 0\r\n", "<Code>SlowDown</Code>");
        }
        let value = |name: &str| {
            let (_, rest) = head.split_once(&format!("{name}="))?;
            rest.split(['&', ' ']).next().map(str::to_owned)
        };
        let start = value("start-after").filter(|_| heeds_start);
        let after = value("continuation-token").or(start).unwrap_or_default();
        let names = names();
        let from = names.partition_point(|name| *name <= after);
        let rest = &names[from..];
        let page_of: Vec<&str> = rest.iter().take(20).map(String::as_str).collect();
        let next = (rest.len() > 20).then(|| page_of[19]);
        ok(page(&page_of, next))
    })
    .await
}

async fn names_of(server: &Server, most: usize) -> Vec<String> {
    let request = ListRequest { max_keys: Some(20), ..ListRequest::default() };
    let mut pages = server.client().walk(&bucket(), request).in_order().at_most(most);
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().entries().map(|entry| entry.key.to_owned()));
    }
    keys
}

#[tokio::test]
async fn a_server_that_is_asked_too_much_is_asked_for_less() {
    // those that are on their way are refused as often as they are repeated, and so is the next
    for last in [12, 14] {
        let server = many(true, move |number| (3..=last).contains(&number)).await;
        assert_eq!(names_of(&server, 2).await, names(), "{last}");
    }
    // one that is refused alone is refused
    let server = many(true, |number| number >= 3).await;
    let request = ListRequest { max_keys: Some(20), ..ListRequest::default() };
    let mut pages = server.client().walk(&bucket(), request).at_most(1);
    for _ in 0..3 {
        assert!(pages.next().await.unwrap().is_ok());
    }
    assert_eq!(pages.next().await.unwrap().unwrap_err().kind, Kind::Retry);
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_server_that_does_not_heed_where_to_begin_sends_no_key_twice() {
    let server = many(false, |_| false).await;
    assert_eq!(names_of(&server, 24).await, names());
    assert!(server.requests().iter().any(|head| head.contains("start-after=")), "it was cut");
}
