//! What comes from outside, taken apart and put together wrongly: good documents with pieces cut,
//! repeated, swapped and slipped in. `PROPTEST_CASES` says how many of them are tried.

use proptest::prelude::*;

use super::error::Error;
use super::heal;
use super::listing::Page;
use super::object::Meta;
use super::xml::{self, Element, Fault, MAX_DEPTH, MAX_ELEMENTS};
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointChoice, Scheme};

const LISTING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
    xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><Name>b</Name><Prefix>a/</Prefix>\
    <EncodingType>url</EncodingType><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>\
    <Contents><Key>a/%E7%9B%AE</Key><LastModified>2026-03-15T10:20:30.000Z</LastModified>\
    <ETag>\"5B3C1A2E053D763E1B002CC607C5A0FE\"</ETag><Type>Normal</Type><Size>344606</Size>\
    <StorageClass>Standard</StorageClass><Owner><ID>1</ID><DisplayName>1</DisplayName></Owner>\
    </Contents><Contents><Size>0</Size><ETag>&quot;x-2&quot;</ETag><Key>a/b &amp; c</Key>\
    <LastModified>2026-03-15T10:20:30Z</LastModified></Contents><CommonPrefixes>\
    <Prefix>a/d/</Prefix></CommonPrefixes><NextContinuationToken>ChR1c2Vy+/=\
    </NextContinuationToken><KeyCount>3</KeyCount></ListBucketResult>";

const REFUSAL: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  \
    <Code>AccessDenied</Code>\n  <Message>The bucket you are attempting to access must be \
    addressed using the specified endpoint.</Message>\n  <RequestId>65A1</RequestId>\n  \
    <HostId>b.oss-cn-hangzhou.aliyuncs.com</HostId><Bucket>b</Bucket>\
    <Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint><StringToSign>GET\n\n\nx</StringToSign>\
    <EC>0003-00001403</EC></Error>";

const PARTS: &str = "<ListPartsResult><Bucket>b</Bucket><PartNumberMarker>0</PartNumberMarker>\
    <IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>\"A\"</ETag>\
    <Size>5</Size></Part><Part><PartNumber>2</PartNumber><Size>6</Size></Part></ListPartsResult>";

const ENDPOINTS: [&str; 7] = [
    "https://oss-eu-central-1.aliyuncs.com",
    "https://s3.oss-cn-hangzhou-internal.aliyuncs.com:443/",
    "https://cn-hangzhou.oss.aliyuncs.com",
    "https://your-bucket-name.oss-cn-beijing.aliyuncs.com",
    "http://oss-sandbox.localhost:9000",
    "https://[fd00:ec2::254]:80",
    "domain:oss.example.com",
];

/// What means something to one parser or another.
const PIECES: [&str; 52] = [
    "<",
    ">",
    "</",
    "/>",
    "&",
    ";",
    "&#0;",
    "&#x1b;",
    "&#1114112;",
    "&lt;",
    "&nope;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x",
    "?>",
    "<!DOCTYPE x [<!ENTITY e 'f'>]>",
    "\u{feff}",
    "\0",
    "%",
    "%ff",
    "%00",
    "+",
    "\"",
    "'",
    "=",
    " ",
    "\r\n",
    "\u{202e}",
    "目",
    "-1",
    "1e9",
    "99999999999999999999",
    "<Contents>",
    "</Contents>",
    "<Key>",
    "</Key>",
    "<Contents/>",
    "<EncodingType>url</EncodingType>",
    "<Error>",
    "</Error>",
    "<a:Key xmlns:a='b'>",
    "://",
    "@",
    ":",
    "/",
    "?",
    "#",
    ".",
    "[::1]",
    "169.254.169.254",
];

/// One wrong move; places are counted round the text.
#[derive(Clone, Debug)]
enum Move {
    Cut(usize),
    Drop(usize, usize),
    Repeat(usize, usize, usize),
    Slip(usize, &'static str),
    Byte(usize, u8),
    Swap(usize, usize, usize),
}

fn one_move() -> impl Strategy<Value = Move> {
    let at = || any::<usize>();
    prop_oneof![
        1 => at().prop_map(Move::Cut),
        2 => (at(), 1..40_usize).prop_map(|(at, length)| Move::Drop(at, length)),
        2 => (at(), 1..60_usize, 1..40_usize).prop_map(|(at, length, n)| Move::Repeat(at, length, n)),
        4 => (at(), prop::sample::select(&PIECES[..])).prop_map(|(at, piece)| Move::Slip(at, piece)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Move::Byte(at, byte)),
        1 => (at(), at(), 1..40_usize).prop_map(|(a, b, length)| Move::Swap(a, b, length)),
    ]
}

fn moved(mut bytes: Vec<u8>, moves: Vec<Move>) -> Vec<u8> {
    for one in moves {
        let end = bytes.len();
        let place = |at: usize| at % (end + 1);
        let span = |at: usize, length: usize| place(at)..(place(at) + length).min(end);
        match one {
            Move::Cut(at) => bytes.truncate(place(at)),
            Move::Drop(at, length) => drop(bytes.drain(span(at, length))),
            Move::Repeat(at, length, times) => {
                let piece = bytes[span(at, length)].repeat(times);
                bytes.splice(place(at)..place(at), piece);
            }
            Move::Slip(at, piece) => {
                bytes.splice(place(at)..place(at), piece.bytes());
            }
            Move::Byte(at, byte) => {
                if let Some(old) = bytes.get_mut(place(at)) {
                    *old = byte;
                }
            }
            Move::Swap(a, b, length) => {
                let piece = bytes[span(a, length)].to_vec();
                bytes.splice(span(b, length), piece);
            }
        }
    }
    bytes
}

/// One of `seeds` after some wrong moves.
fn damaged(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let moves = prop::collection::vec(one_move(), 1..8);
    (prop::sample::select(seeds), moves)
        .prop_map(|(seed, moves)| moved(seed.as_bytes().to_vec(), moves))
}

/// Depth, elements and bytes of text.
fn measure(element: &Element) -> (usize, usize, usize) {
    element.children.iter().map(measure).fold((1, 1, element.text.len()), |sum, inner| {
        (sum.0.max(inner.0 + 1), sum.1 + inner.1, sum.2 + inner.2)
    })
}

/// Characters that are neither blanks nor byte order marks.
fn ink(body: &[u8]) -> usize {
    let text = String::from_utf8_lossy(body);
    text.chars().filter(|c| !c.is_whitespace() && *c != '\u{feff}').count()
}

proptest! {
    #[test]
    fn a_damaged_listing_is_a_page_or_a_fault(body in damaged(&[LISTING])) {
        match Page::parse(&body) {
            Ok(page) => {
                prop_assert_eq!(page.entries().count(), page.len());
                let keys: usize = page.entries().map(|entry| entry.key.len()).sum();
                prop_assert!(keys <= body.len());
                prop_assert!(page.entries().all(|entry| !entry.key.is_empty()));
                prop_assert!(page.next() != Some(""));
                // what the guard reads too, it reads alike
                if let Ok(root) = xml::read_any(&body) {
                    prop_assert_eq!(root.all("Contents").count(), page.len());
                }
            }
            Err(fault) => prop_assert!(!fault.to_string().is_empty()),
        }
    }

    #[test]
    fn a_damaged_document_is_small_or_refused(body in damaged(&[PARTS, REFUSAL, LISTING])) {
        match xml::read_any(&body) {
            Ok(root) => {
                let (depth, elements, text) = measure(&root);
                prop_assert!(depth <= MAX_DEPTH && elements <= MAX_ELEMENTS);
                prop_assert!(text <= body.len());
                let other = xml::read(&body, "Nobody");
                let is_other = matches!(other, Err(Fault::Root { .. }));
                prop_assert!(is_other || root.name == "Nobody");
            }
            // byte order marks are nothing, however many there are
            Err(fault) => prop_assert!(fault != Fault::Empty || ink(&body) < 8, "{fault:?}"),
        }
    }

    #[test]
    fn a_damaged_refusal_is_still_a_refusal_with_a_next_step(
        status in 200..600_u16,
        body in damaged(&[REFUSAL]),
    ) {
        let meta = Meta { status, ..Meta::default() };
        let error = Error::from_answer("test", meta, None, &body);
        prop_assert_eq!(error.status, Some(status));
        prop_assert!(!error.to_string().chars().any(char::is_control));
        let explanation = error.explain();
        prop_assert!(explanation.next.ends_with('.') && !explanation.meaning.is_empty());
        prop_assert!(!explanation.next.chars().any(char::is_control));
        // whatever it says, no signature leaves the family of hosts
        for asked in ["https://oss-eu-central-1.aliyuncs.com", "http://oss-a.localhost:9000"] {
            let asked = Endpoint::parse(asked).unwrap();
            if let Some(to) = heal::named_by(&error, &asked) {
                prop_assert_eq!(asked.is_loopback(), to.is_loopback());
                prop_assert!(to.is_loopback() || to.region().is_some());
                prop_assert_eq!(asked.port(), to.port());
            }
        }
    }

    #[test]
    fn a_damaged_endpoint_is_a_host_and_nothing_else(text in damaged(&ENDPOINTS)) {
        let text = String::from_utf8_lossy(&text);
        match EndpointChoice::parse(&text) {
            Ok(choice) => {
                prop_assert_eq!(EndpointChoice::parse(&choice.to_string()), Ok(choice));
            }
            Err(error) => prop_assert!(!error.to_string().chars().any(char::is_control)),
        }
        if let Ok(endpoint) = Endpoint::parse(&text) {
            prop_assert_eq!(Endpoint::parse(&endpoint.to_string()), Ok(endpoint.clone()));
            prop_assert!(endpoint.scheme() == Scheme::Https || endpoint.is_loopback());
            prop_assert!(endpoint.host().parse::<std::net::IpAddr>().is_err());
            // what is dialled is what was shown
            let bucket = BucketName::parse("your-bucket-name").unwrap();
            let url = format!("https://{}/k", endpoint.authority(Some(&bucket)));
            let uri: http::Uri = url.parse().unwrap();
            let host = format!("your-bucket-name.{}", endpoint.host());
            prop_assert_eq!(uri.host(), Some(host.as_str()));
            prop_assert_eq!(uri.path(), "/k");
        }
    }
}
