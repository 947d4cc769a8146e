use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

const OSS: &str = include_str!("../../../tests/data/listing/oss.xml");
const S3S: &str = include_str!("../../../tests/data/listing/s3s.xml");

fn fault(body: &str) -> Fault {
    Page::parse(body.as_bytes()).expect_err(body)
}

fn listing(inside: &str) -> String {
    format!("<ListBucketResult><Name>b</Name>{inside}</ListBucketResult>")
}

fn contents(inside: &str) -> String {
    listing(&format!("<Contents>{inside}</Contents>"))
}

const DATE: &str = "<LastModified>2026-03-15T10:20:30.000Z</LastModified>";

#[test]
fn a_page_in_osss_order() {
    let page = Page::parse(OSS.as_bytes()).unwrap();
    let entries: Vec<_> = page.entries().collect();
    assert_eq!(
        entries[0],
        Entry {
            key: "zenml/a b+c.txt",
            size: 25,
            last_modified: 1_773_570_030,
            etag: ETag::Upper(*b"\x5b\x3c\x1a\x2e\x05\x3d\x76\x3e\x1b\x00\x2c\xc6\x07\xc5\xa0\xfe"),
            storage_class: StorageClass::Standard,
        }
    );
    assert_eq!(entries[1].key, "zenml/目\u{1b}");
    assert_eq!(entries[1].etag, ETag::Odd("0CC175B9C0F1B6A831C399E269772661-3"));
    assert_eq!(entries[1].storage_class, StorageClass::InfrequentAccess);
    assert_eq!(entries.len(), 2);
    assert_eq!(page.prefixes().collect::<Vec<_>>(), ["zenml/deep/"]);
    assert_eq!(page.next(), Some("CgJiYw+/--"));
}

#[test]
fn a_page_that_says_only_at_its_end_how_its_keys_are_written() {
    let page = Page::parse(S3S.as_bytes()).unwrap();
    let keys: Vec<_> = page.entries().map(|entry| entry.key.to_owned()).collect();
    assert_eq!(keys, ["zenml/a b+c.txt", "plain"]);
    assert_eq!(page.prefixes().collect::<Vec<_>>(), ["zenml/deep/"]);
    let etag = page.entries().next().unwrap().etag;
    assert_eq!(etag.to_string(), "5b3c1a2e053d763e1b002cc607c5a0fe");
    assert_eq!(page.next(), None);
}

#[test]
fn keys_stand_as_they_are_where_nothing_is_encoded() {
    let body = contents(&format!("<Key> a%2B+b </Key><Size>1</Size>{DATE}"));
    assert_eq!(Page::parse(body.as_bytes()).unwrap().entries().next().unwrap().key, " a%2B+b ");
    let pieces = "a&amp;<![CDATA[<b&]]>&#x4e2d;<!-- no -->c";
    let body = contents(&format!("<Key>{pieces}</Key><Size>1</Size>{DATE}"));
    assert_eq!(Page::parse(body.as_bytes()).unwrap().entries().next().unwrap().key, "a&<b&中c");
}

#[test]
fn namespaces_and_attributes_are_passed() {
    let body = "<x:ListBucketResult xmlns:x=\"a>b\"><x:Name/><x:Contents a='/'><x:Key>k</x:Key>\
                <x:Size>1</x:Size ><x:LastModified>2026-03-15T10:20:30Z</x:LastModified>\
                </x:Contents></x:ListBucketResult>";
    assert_eq!(Page::parse(body.as_bytes()).unwrap().len(), 1);
}

#[test]
fn an_empty_bucket_is_one_that_the_server_names() {
    assert!(Page::parse(listing("<KeyCount>0</KeyCount>").as_bytes()).unwrap().is_empty());
    assert_eq!(fault(""), Fault::Empty);
    assert_eq!(fault(" \n"), Fault::Empty);
    assert_eq!(fault("<ListBucketResult/>"), Fault::Missing("Name"));
    assert!(matches!(fault("<html><body>Sign in</body></html>"), Fault::Root { .. }));
    assert!(matches!(fault("Sign in"), Fault::Malformed(_)));
}

#[test]
fn a_page_cut_anywhere_is_no_page() {
    for body in [OSS.trim_end(), S3S] {
        for end in 0..body.len() {
            let cut = &body.as_bytes()[..end];
            assert!(Page::parse(cut).is_err(), "{}", String::from_utf8_lossy(cut));
        }
    }
}

#[test]
fn numbers_and_dates_must_be_some() {
    let key = "<Key>k</Key>";
    assert_eq!(fault(&contents(&format!("{key}{DATE}"))), Fault::Missing("Size"));
    assert_eq!(fault(&contents(&format!("<Size>1</Size>{DATE}"))), Fault::Missing("Key"));
    assert_eq!(
        fault(&contents(&format!("<Key></Key><Size>1</Size>{DATE}"))),
        Fault::Missing("Key")
    );
    assert_eq!(fault(&contents(&format!("{key}<Size>1</Size>"))), Fault::Missing("LastModified"));
    for size in ["", "-1", "1e3", "99999999999999999999"] {
        let body = contents(&format!("{key}<Size>{size}</Size>{DATE}"));
        assert!(matches!(fault(&body), Fault::Number { .. }), "{size}");
    }
    assert!(matches!(fault(&listing("<KeyCount>x</KeyCount>")), Fault::Number { .. }));
    assert!(matches!(fault(&listing("<IsTruncated>yes</IsTruncated>")), Fault::Number { .. }));
    assert_eq!(
        fault(&listing("<IsTruncated>true</IsTruncated>")),
        Fault::Missing("NextContinuationToken")
    );
}

#[test]
fn attacks_are_refused() {
    let bomb = "<!DOCTYPE l [<!ENTITY a 'aaaa'>]><ListBucketResult>&a;</ListBucketResult>";
    assert_eq!(fault(bomb), Fault::Dtd);
    assert_eq!(fault(&listing(&"<a>".repeat(200_000))), Fault::Depth);
    let body = contents(&format!("<Key>&a;</Key><Size>1</Size>{DATE}"));
    assert!(matches!(fault(&body), Fault::Malformed(_)));
    let body = contents(&format!("<Key>a</Key><Key>b</Key><Size>1</Size>{DATE}"));
    assert!(matches!(fault(&body), Fault::Malformed(_)));
    assert!(matches!(fault(&format!("{OSS}<x/>")), Fault::Malformed(_)));
    assert!(matches!(Page::parse(b"<ListBucketResult>\xff"), Err(Fault::Malformed(_))));
    let body = contents(&format!("<Key>%ff</Key><Size>1</Size>{DATE}"));
    let body = body.replace("<Name>", "<EncodingType>url</EncodingType><Name>");
    assert!(matches!(fault(&body), Fault::Malformed(_)));
}

#[test]
fn an_object_takes_33_bytes_beside_its_key() {
    assert_eq!(size_of::<(u32, u32)>() + size_of::<u64>() + 16 + size_of::<Mark>(), 34);
}

#[test]
fn a_page_of_more_than_was_asked_for_is_refused() {
    let prefix = |at: usize| format!("<CommonPrefixes><Prefix>{at}/</Prefix></CommonPrefixes>");
    let page = |count: usize| listing(&(0..count).map(prefix).collect::<String>());
    assert_eq!(Page::parse(page(MOST_ROWS).as_bytes()).unwrap().prefix_count(), MOST_ROWS);
    assert!(matches!(fault(&page(MOST_ROWS + 1)), Fault::Malformed(_)));
}

#[test]
fn a_page_is_cut_where_the_next_begins() {
    let key = |key: &str| format!("<Contents><Key>{key}</Key><Size>1</Size>{DATE}</Contents>");
    let prefix =
        |prefix: &str| format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
    let body =
        listing(&format!("{}{}{}{}{}", key("b"), key("c"), key("d"), prefix("a/"), prefix("e/")));
    let whole = Page::parse(body.as_bytes()).unwrap();
    let cut = |after: Option<&str>, until: Option<&str>| {
        let mut page = whole.clone();
        if let Some(after) = after {
            page.keep_behind(after);
        }
        if let Some(until) = until {
            page.keep_until(until);
        }
        let keys = page.entries().map(|entry| entry.key.to_owned()).collect::<Vec<_>>().join(" ");
        let prefixes = page.prefixes().collect::<Vec<_>>().join(" ");
        (keys, prefixes, page.greatest().map(ToOwned::to_owned))
    };
    let told = |keys: &str, prefixes: &str, greatest: &str| {
        (keys.to_owned(), prefixes.to_owned(), Some(greatest.to_owned()))
    };
    assert_eq!(cut(None, None), told("b c d", "a/ e/", "e/"));
    assert_eq!(cut(Some("a/x"), Some("c")), told("b c", "", "c"));
    assert_eq!(cut(Some("b"), None), told("c d", "e/", "e/"));
    assert_eq!(cut(Some("d"), None), told("", "e/", "e/"));
    assert_eq!(cut(None, Some("e/")), told("b c d", "a/ e/", "e/"));
    assert_eq!(cut(None, Some("d0")), told("b c d", "a/", "d"));
    assert_eq!(cut(None, Some("A")), (String::new(), String::new(), None));
}

/// The same listing read by quick-xml, into plain strings.
#[derive(Debug, Default, PartialEq)]
struct Plain {
    objects: Vec<(String, String, String)>,
    prefixes: Vec<String>,
}

fn by_quick_xml(body: &str) -> Option<Plain> {
    let mut reader = Reader::from_str(body);
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut plain = Plain::default();
    let mut url = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                text.clear();
                if path.len() == 2 && path[1] == "Contents" {
                    plain.objects.push(Default::default());
                }
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().ok()? {
                Some(char) => text.push(char),
                None => text.push_str(quick_xml::escape::resolve_predefined_entity(&entity)?),
            },
            Event::End(_) => {
                let parts: Vec<_> = path.iter().map(String::as_str).collect();
                match parts.as_slice() {
                    [_, "EncodingType"] => url = text.trim_ascii().eq_ignore_ascii_case("url"),
                    [_, "Contents", "Key"] => plain.objects.last_mut()?.0.clone_from(&text),
                    [_, "Contents", "Size"] => plain.objects.last_mut()?.1.clone_from(&text),
                    [_, "Contents", "ETag"] => plain.objects.last_mut()?.2.clone_from(&text),
                    [_, "CommonPrefixes", "Prefix"] => plain.prefixes.push(text.clone()),
                    _ => {}
                }
                path.pop();
                text.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if url {
        let keys = plain.objects.iter_mut().map(|object| &mut object.0);
        for text in keys.chain(&mut plain.prefixes) {
            *text = crate::base::url_encode::decode(&text.replace('+', " "))?;
        }
    }
    path.is_empty().then_some(plain)
}

fn as_plain(page: &Page) -> Plain {
    Plain {
        objects: page
            .entries()
            .map(|entry| (entry.key.to_owned(), entry.size.to_string(), entry.etag.to_string()))
            .collect(),
        prefixes: page.prefixes().map(ToOwned::to_owned).collect(),
    }
}

/// One key in one of the ways XML can write it.
fn written(key: &str, url: bool, way: u8) -> String {
    let text = if url { crate::base::url_encode::path(key) } else { key.to_owned() };
    match way % 3 {
        0 => quick_xml::escape::escape(text.as_str()).into_owned(),
        1 if !text.contains("]]>") => format!("<![CDATA[{text}]]>"),
        _ => {
            text.chars().fold(String::new(), |text, char| text + &format!("&#{};", u32::from(char)))
        }
    }
}

proptest! {
    #[test]
    #[expect(clippy::format_push_string, reason = "readable, and only a test")]
    fn agrees_with_quick_xml(
        keys in prop::collection::vec(("[^\0\r]{1,12}", any::<u64>(), any::<u8>(), "[0-9a-f-]{0,40}"), 0..8),
        prefixes in prop::collection::vec("[^\0\r]{1,8}", 0..3),
        url in any::<bool>(),
        late in any::<bool>(),
        order in any::<bool>(),
        indent in "[ \n\t]{0,3}",
    ) {
        let mut inside = String::new();
        let encoding = if url { "<EncodingType>url</EncodingType>" } else { "" };
        for (key, size, way, etag) in &keys {
            let key = format!("{indent}<Key>{}</Key>", written(key, url, *way));
            let rest = format!(
                "{indent}{DATE}<ETag>{etag}</ETag><Owner><ID>1</ID></Owner><Size>{size}</Size>"
            );
            let (first, second) = if order { (&key, &rest) } else { (&rest, &key) };
            inside += &format!("<Contents>{first}{second}</Contents>{indent}");
        }
        for prefix in &prefixes {
            let prefix = written(prefix, url, 0);
            inside += &format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
        }
        let inside =
            if late { format!("{inside}{encoding}") } else { format!("{encoding}{inside}") };
        let body = listing(&inside);
        let page = Page::parse(body.as_bytes()).unwrap();
        prop_assert_eq!(Some(as_plain(&page)), by_quick_xml(&body));
        let ours: Vec<_> = page.entries().map(|entry| entry.key.to_owned()).collect();
        let theirs: Vec<_> = keys.iter().map(|key| key.0.clone()).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn one_byte_changed_is_a_fault_or_read_alike(
        body in prop::sample::select(vec![OSS, S3S]),
        at in any::<prop::sample::Index>(),
        byte in 0_u8..128,
    ) {
        let mut body = body.as_bytes().to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        if let (Ok(page), Ok(text)) = (Page::parse(&body), std::str::from_utf8(&body))
            && let Some(mut plain) = by_quick_xml(text)
        {
            for (_, size, etag) in &mut plain.objects {
                *size = size.trim_ascii().parse::<u64>().unwrap().to_string();
                *etag = etag.trim_ascii().trim_matches('"').to_owned();
            }
            prop_assert_eq!(as_plain(&page), plain);
        }
    }
}
