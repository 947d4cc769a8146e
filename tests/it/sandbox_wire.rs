//! The sandbox over real sockets, as a client meets it.

use http::{Method, StatusCode};
use osstack::ports::clock::{Clock as _, SystemClock};
use osstack::sandbox::faults::Unavailable;
use osstack::sandbox::keys::Keys;
use osstack::sandbox::{Description, Seed};
use proptest::prelude::*;

use super::sandbox_client::{Running, Signature, encode, http_date, md5};
use Signature::{V2, V4};

const BOTH: [Signature; 2] = [V2, V4];

#[tokio::test]
async fn keys_are_kept_exactly_and_listed_in_the_order_of_their_bytes() {
    let sandbox = Running::start(Seed::Empty);
    let long = "k".repeat(1023);
    let mut keys = vec![
        "a",
        "a/b",
        "a//b",
        "tail/",
        "dots/../x",
        "./y",
        "a b",
        "a+b",
        "100%",
        "%41",
        "中文/键",
        "🙂",
        "esc\u{1b}[31m",
        "rlo\u{202e}txt",
        "q?x#y;z:&=@,!$'()*",
        "line\nbreak",
        "\u{0}",
        "\"<>",
        &long,
    ];
    for (number, key) in keys.iter().enumerate() {
        let signature = BOTH[number % 2];
        let put = sandbox.put(key, key.as_bytes().to_vec()).send(signature).await;
        assert_eq!(put.status, StatusCode::OK, "{key:?}: {}", put.text());
        let other = BOTH[(number + 1) % 2];
        assert_eq!(sandbox.get(key).send(other).await.body, key.as_bytes(), "{key:?}");
    }
    keys.sort_unstable();
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = sandbox
            .get("")
            .query("list-type", "2")
            .query("max-keys", "4")
            .query("encoding-type", "url")
            .query("continuation-token", &token)
            .send(V2)
            .await;
        found.extend(page.all("Key"));
        token = page.element("NextContinuationToken");
        if page.element("IsTruncated") == "false" {
            break;
        }
    }
    let encoded: Vec<String> = keys.iter().map(|key| encode(key, false)).collect();
    assert_eq!(found, encoded);
}

#[tokio::test]
async fn keys_that_oss_refuses_are_refused() {
    let sandbox = Running::start(Seed::Empty);
    for key in ["/lead", "\\lead", &"k".repeat(1024)] {
        let answer = sandbox.put(key, "x").send(V2).await;
        assert_eq!(answer.refusal(), (400, "InvalidObjectName".into(), String::new()), "{key}");
    }
}

#[tokio::test]
async fn addressing_and_regions() {
    let sandbox = Running::start(Seed::Demo);
    let mut path_style = sandbox.get("zenml-demo/many/00001.json");
    path_style.host = sandbox.host();
    path_style.bucket = None;
    let answer = path_style.send(V2).await;
    assert_eq!(
        answer.refusal(),
        (403, "SecondLevelDomainForbidden".into(), "0003-00001401".into())
    );
    assert!(answer.element("HostId").starts_with("oss-sandbox.localhost"));

    let mut elsewhere = sandbox.get("");
    elsewhere.host = elsewhere.host.replace("oss-sandbox", "oss-sandbox-b");
    let answer = elsewhere.send(V2).await;
    assert_eq!(answer.refusal(), (403, "AccessDenied".into(), "0003-00001403".into()));
    assert_eq!(answer.element("Endpoint"), sandbox.host());
    assert_eq!(answer.element("Bucket"), "zenml-demo");

    for (bucket, expected) in [
        ("missing-bucket", (404, "NoSuchBucket".into(), "0015-00000101".into())),
        ("a.b", (400, "InvalidBucketName".into(), "0015-00000001".into())),
    ] {
        let mut call = sandbox.get("");
        call.host = format!("{bucket}.{}", sandbox.host());
        call.bucket = Some(bucket.into());
        assert_eq!(call.send(V2).await.refusal(), expected);
    }

    let mut buckets = sandbox.get("");
    buckets.host = sandbox.host();
    buckets.bucket = None;
    for signature in BOTH {
        let answer = buckets.clone().send(signature).await;
        assert_eq!(answer.all("Name"), ["scratch-demo", "zenml-demo", "zenml-demo-b"]);
        assert_eq!(answer.all("Location"), ["oss-sandbox", "oss-sandbox", "oss-sandbox-b"]);
        let page = buckets.clone().query("max-keys", "1").query("marker", "scratch-demo");
        let page = page.send(signature).await;
        assert_eq!(
            (page.all("Name").join(","), page.element("NextMarker")),
            ("zenml-demo".into(), "zenml-demo".into())
        );
    }
    let location = sandbox.get("").query("location", "").send(V2).await;
    assert!(location.text().contains(">oss-sandbox</LocationConstraint>"), "{}", location.text());
}

#[tokio::test]
async fn signatures_are_judged() {
    let sandbox = Running::start(Seed::Empty);
    for (signature, ec) in [(V2, "0002-00000307"), (V4, "0002-00000429")] {
        let mut wrong = sandbox.get("");
        wrong.secret = "wrong".into();
        let answer = wrong.send(signature).await;
        assert_eq!(answer.refusal(), (403, "SignatureDoesNotMatch".into(), ec.into()));
        let begin = if signature == V2 { "GET\n\n\n" } else { "AWS4-HMAC-SHA256\n2026" };
        let to_sign = answer.element("StringToSign");
        assert!(to_sign.starts_with(begin), "{to_sign}");
        let bytes: Vec<String> = to_sign.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(answer.element("StringToSignBytes"), bytes.join(" "));
        let recommended = answer.element("RecommendDoc");
        assert_eq!(recommended, format!("https://api.alibabacloud.com/troubleshoot?q={ec}"));

        let mut unknown = sandbox.get("");
        unknown.id = "LTAI5tNobody".into();
        let answer = unknown.send(signature).await;
        assert_eq!(answer.refusal(), (403, "InvalidAccessKeyId".into(), "0002-00000902".into()));

        for minutes in [-16, 16] {
            let mut skewed = sandbox.get("");
            skewed.at += time::Duration::minutes(minutes);
            let answer = skewed.send(signature).await;
            let expected = (403, "RequestTimeTooSkewed".into(), "0002-00000501".into());
            assert_eq!(answer.refusal(), expected);
            assert_eq!(answer.header("date"), http_date(super::sandbox_client::NOW));
        }
    }
    let anonymous = sandbox.get("").send(Signature::None).await;
    assert_eq!(anonymous.refusal(), (403, "AccessDenied".into(), "0003-00000905".into()));
}

#[tokio::test]
async fn a_head_request_tells_the_ec_in_a_header() {
    let sandbox = Running::start(Seed::Empty);
    let answer = sandbox.call(Method::HEAD, "nope").send(V2).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-oss-ec")), (404, "0026-00000001"));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn presigned_urls_work_until_they_end() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.put("a b/中", "hello").send(V2).await;
    for signature in BOTH {
        sandbox.faults.change(|faults| faults.clock_offset = time::Duration::seconds(60));
        let url = sandbox.get("a b/中").presigned(signature, 60);
        assert_eq!(url.clone().transmit().await.unwrap().body, "hello");
        let mut forged = url.clone();
        forged.path = "/other".into();
        let answer = forged.transmit().await.unwrap();
        assert_eq!(answer.refusal().1, "SignatureDoesNotMatch");
        sandbox.faults.change(|faults| faults.clock_offset = time::Duration::seconds(61));
        let answer = url.transmit().await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.element("Message")),
            (403, "Request has expired.".into())
        );
    }
}

#[tokio::test]
async fn a_temporary_key_needs_its_token() {
    let sandbox = Running::start(Seed::Empty);
    let keys = Keys::default();
    let key = keys.temporary();
    let token = key.session_token.as_ref().unwrap().expose();
    let mut call = sandbox.get("");
    call.id.clone_from(&key.access_key_id);
    call.secret = key.secret_access_key.expose().to_owned();
    for signature in BOTH {
        let good = call.clone().header("x-amz-security-token", token);
        assert_eq!(good.send(signature).await.status, StatusCode::OK);
        assert_eq!(call.clone().send(signature).await.refusal().1, "InvalidAccessKeyId");
        let wrong = call.clone().header("x-amz-security-token", "x").send(signature).await;
        assert_eq!(wrong.refusal().1, "InvalidSecurityToken");
        let alien = sandbox.get("").header("x-amz-security-token", token).send(signature).await;
        assert_eq!(alien.refusal().1, "AccessKeyIdAndSecurityTokenNotMatch");
    }
    let url = call.header("x-amz-security-token", token).presigned(V2, 60);
    let url = url.header_into_query("x-amz-security-token");
    assert_eq!(url.transmit().await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn buckets_are_made_where_they_are_asked_for_and_removed_when_empty() {
    let sandbox = Running::start(Seed::Empty);
    let bucket = |method: Method, region: &str, key: &str| {
        let mut call = sandbox.call(method, key);
        call.host = format!("new-bucket.{}", sandbox.host().replace("oss-sandbox", region));
        call.bucket = Some("new-bucket".into());
        call
    };
    assert_eq!(bucket(Method::HEAD, "oss-sandbox", "").send(V2).await.status.as_u16(), 404);
    assert_eq!(bucket(Method::PUT, "oss-sandbox-b", "").send(V2).await.status.as_u16(), 200);
    let taken = bucket(Method::PUT, "oss-sandbox", "").send(V4).await;
    assert_eq!((taken.status.as_u16(), taken.element("Code")), (409, "BucketAlreadyExists".into()));
    assert_eq!(bucket(Method::PUT, "oss-sandbox-b", "k").send(V4).await.status.as_u16(), 200);
    let full = bucket(Method::DELETE, "oss-sandbox-b", "").send(V2).await;
    assert_eq!((full.status.as_u16(), full.element("Code")), (409, "BucketNotEmpty".into()));
    assert_eq!(bucket(Method::DELETE, "oss-sandbox-b", "k").send(V2).await.status.as_u16(), 204);
    assert_eq!(bucket(Method::DELETE, "oss-sandbox-b", "").send(V2).await.status.as_u16(), 204);
    let gone = bucket(Method::GET, "oss-sandbox-b", "").send(V2).await;
    assert_eq!(gone.refusal().1, "NoSuchBucket");
}

#[tokio::test]
async fn answers_wait_for_the_latency_that_is_switched_on() {
    let sandbox = Running::start(Seed::Empty);
    let wait = std::time::Duration::from_millis(40);
    sandbox.faults.change(|faults| faults.latency = wait);
    let begun = SystemClock.instant();
    assert_eq!(sandbox.get("").send(V2).await.status, StatusCode::OK);
    assert!(SystemClock.instant() - begun >= wait);
}

#[tokio::test]
async fn a_refused_upload_still_gets_its_answer() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.faults.change(|faults| faults.writing_denied = true);
    let answer = sandbox.put("k", vec![0; 8 << 20]).send(V2).await;
    assert_eq!(answer.refusal().1, "AccessDenied");
}

#[tokio::test]
async fn aws_chunked_bodies_are_refused_and_nothing_is_stored() {
    let sandbox = Running::start(Seed::Empty);
    let chunked = sandbox
        .put("k", "5\r\nhello\r\n0\r\n\r\n")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let answer = chunked.send(V4).await;
    assert_eq!(answer.refusal(), (400, "InvalidArgument".into(), "0017-00000804".into()));
    assert_eq!(answer.element("ArgumentName"), "x-amz-content-sha256");
    assert_eq!(sandbox.get("k").send(V4).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bodies_are_compared_with_what_was_said_of_them() {
    let sandbox = Running::start(Seed::Empty);
    let answer = sandbox.put("k", "x").header("content-md5", &md5(b"y")).send(V2).await;
    assert_eq!(answer.refusal().1, "InvalidDigest");
    let other = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(b"y"));
    let answer = sandbox.put("k", "x").header("x-amz-content-sha256", &other).send(V4).await;
    assert_eq!(answer.refusal().1, "XAmzContentSHA256Mismatch");
    assert_eq!(sandbox.get("k").send(V2).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn multi_delete_demands_its_md5() {
    let sandbox = Running::start(Seed::Empty);
    for key in ["a", "b", "c"] {
        sandbox.put(key, "x").send(V2).await;
    }
    let xml = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
    let mut call = sandbox.call(Method::POST, "").query("delete", "");
    call.body = xml.into();
    let answer = call.clone().send(V2).await;
    assert_eq!(answer.refusal(), (400, "MissingArgument".into(), "0016-00000606".into()));
    assert_eq!(answer.element("ArgumentName"), "Content-MD5");
    let done = call.header("content-md5", &md5(xml.as_bytes())).send(V2).await;
    assert_eq!(done.all("Key"), ["a", "b"]);
    assert!(done.text().contains("http://doc.oss-cn-hangzhou.aliyuncs.com"), "{}", done.text());
    assert_eq!(sandbox.get("").send(V2).await.all("Key"), ["c"]);
}

#[tokio::test]
async fn lists_have_osss_defaults_and_form() {
    let sandbox = Running::start(Seed::Demo);
    let list = || sandbox.get("").query("list-type", "2").query("prefix", "many/");
    let page = list().send(V2).await;
    assert_eq!((page.all("Key").len(), page.element("MaxKeys")), (100, "100".into()));
    let page = list().query("max-keys", "1000").send(V4).await;
    assert_eq!((page.all("Key").len(), page.element("KeyCount")), (1000, "1000".into()));
    assert_eq!(list().query("max-keys", "1001").send(V2).await.refusal().1, "InvalidArgument");

    // a token goes back as it came, or with the encoding undone
    let page = list().query("encoding-type", "url").send(V2).await;
    let encoded = page.element("NextContinuationToken");
    let decoded = osstack::base::url_encode::decode(&encoded).unwrap();
    assert!(encoded.contains("%2B") && decoded.contains('+'));
    for token in [encoded, decoded] {
        let next = list().query("continuation-token", &token).send(V2).await;
        assert_eq!(next.element("Key"), "many/00100.json");
    }
    let bad = list().query("continuation-token", "nonsense").send(V2).await;
    assert_eq!(bad.refusal().1, "InvalidArgument");

    let first = list().query("max-keys", "1").query("start-after", "many/00009.json");
    let text = first.send(V2).await.text();
    assert!(text.contains("<ListBucketResult xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\">"));
    let order = [
        "<Key>many/00010.json<",
        "<LastModified>2026-03-09T10:20:30.000Z<",
        "<ETag>\"",
        "<Type>Normal<",
        "<Size>9<",
        "<StorageClass>STANDARD<",
    ];
    let at: Vec<usize> = order.iter().map(|part| text.find(part).expect(part)).collect();
    assert!(at.is_sorted(), "{text}");

    let folders = sandbox.get("").query("delimiter", "/").send(V2).await;
    assert_eq!(
        folders.all("CommonPrefixes"),
        ["<Prefix>many/</Prefix>", "<Prefix>odd/</Prefix>", "<Prefix>zenml/</Prefix>"]
    );
}

#[tokio::test]
async fn objects_carry_what_oss_says_of_them() {
    let sandbox = Running::start(Seed::Empty);
    let put = sandbox.put("digits", "123456789").header("x-amz-meta-who", "me").send(V2).await;
    let etag = "\"25F9E794323B453885F5181F1B624D0B\"";
    assert_eq!(put.header("etag"), etag);
    // CRC-64/XZ of "123456789" is 0x995dc9bbdf1939fa
    assert_eq!(put.header("x-oss-hash-crc64ecma"), 0x995d_c9bb_df19_39fa_u64.to_string());
    assert_eq!((put.header("server"), put.header("x-oss-request-id").len()), ("AliyunOSS", 24));
    assert!(put.header("x-oss-server-time").parse::<u64>().is_ok());
    for method in [Method::GET, Method::HEAD] {
        let answer = sandbox.call(method.clone(), "digits").send(V4).await;
        assert_eq!((answer.header("content-length"), answer.header("x-amz-meta-who")), ("9", "me"));
        assert_eq!((answer.header("etag"), answer.header("x-oss-object-type")), (etag, "Normal"));
    }
    let part =
        sandbox.get("digits").header("range", "bytes=2-4").header("if-match", &etag.to_lowercase());
    let part = part.send(V2).await;
    assert_eq!((part.status.as_u16(), part.header("content-range")), (206, "bytes 2-4/9"));
    assert_eq!(part.body, "345");
    let beyond = sandbox.get("digits").header("range", "bytes=9-").send(V2).await;
    assert_eq!(beyond.refusal(), (416, "InvalidRange".into(), String::new()));
    assert_eq!(
        sandbox.get("digits").header("if-match", "\"0\"").send(V2).await.status.as_u16(),
        412
    );
    let same = sandbox.get("digits").header("if-none-match", etag).send(V2).await;
    assert_eq!((same.status.as_u16(), same.body.len()), (304, 0));
    let copy =
        sandbox.put("copy 2", "").header("x-amz-copy-source", "/zenml-demo/digits").send(V2).await;
    assert_eq!(copy.element("ETag"), etag);
    assert_eq!(sandbox.get("copy 2").send(V2).await.header("x-amz-meta-who"), "me");
}

#[tokio::test]
async fn an_object_from_parts() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.put("source", "0123456789").send(V2).await;
    let begun = sandbox.call(Method::POST, "big file").query("uploads", "").send(V2).await;
    let id = begun.element("UploadId");
    let part = |number: &str, body: Vec<u8>| {
        sandbox.put("big file", body).query("partNumber", number).query("uploadId", &id)
    };
    let first = part("1", vec![b'x'; 100 * 1024]).send(V2).await.header("etag").to_owned();
    let copied = part("2", Vec::new())
        .header("x-amz-copy-source", "/zenml-demo/source")
        .header("x-amz-copy-source-range", "bytes=3-5")
        .send(V4)
        .await
        .element("ETag");
    let parts = sandbox.get("big file").query("uploadId", &id).send(V4).await;
    assert_eq!(parts.all("PartNumber"), ["1", "2"]);
    assert_eq!(part("10001", vec![]).send(V2).await.refusal().1, "InvalidArgument");
    let mut complete = sandbox.call(Method::POST, "big file").query("uploadId", &id);
    complete.body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{first}</ETag></Part>\
         <Part><PartNumber>2</PartNumber><ETag>{copied}</ETag></Part></CompleteMultipartUpload>"
    )
    .into();
    let done = complete.clone().send(V2).await;
    assert!(done.element("ETag").ends_with("-2\""), "{}", done.text());
    let whole = sandbox.get("big file").send(V2).await;
    assert_eq!((whole.body.len(), &whole.body[102_400..]), (102_403, b"345".as_slice()));
    assert_eq!(whole.header("x-oss-object-type"), "Multipart");
    assert_eq!(complete.send(V2).await.refusal().1, "NoSuchUpload");
}

#[tokio::test]
async fn faults_are_met_while_they_are_on() {
    let sandbox = Running::start(Seed::Demo);
    let list = || sandbox.get("").query("list-type", "2");
    let faults = &sandbox.faults;
    let off = || faults.change(|faults| *faults = osstack::sandbox::faults::Faults::default());

    faults.change(|faults| (faults.v2_off, faults.v4_off) = (true, true));
    assert_eq!(list().send(V2).await.refusal().2, "0002-00000032");
    assert_eq!(list().send(V4).await.refusal().2, "0002-00000033");
    off();
    faults.change(|faults| faults.key_disabled = true);
    assert_eq!(list().send(V2).await.refusal().2, "0002-00000904");
    off();
    faults.change(|faults| faults.listing_denied = true);
    assert_eq!(list().send(V2).await.refusal().1, "AccessDenied");
    assert_eq!(sandbox.get("many/00001.json").send(V2).await.status.as_u16(), 200);
    off();
    faults.change(|faults| faults.public_endpoint_forbidden = true);
    for call in [list(), sandbox.get("many/00001.json"), sandbox.put("k", "x")] {
        let expected = (400, "PublicEndpointForbidden".into(), "0048-00000401".into());
        assert_eq!(call.send(V4).await.refusal(), expected);
    }
    assert_eq!(sandbox.get("").query("location", "").send(V2).await.status.as_u16(), 200);
    off();
    faults.change(|faults| faults.unavailable = Some(Unavailable { requests: 2, retry_after: 3 }));
    for _ in 0..2 {
        let answer = list().send(V2).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "3"));
    }
    assert_eq!(list().send(V2).await.status.as_u16(), 200);
    faults.change(|faults| faults.html_page = true);
    let page = list().send(V2).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html"));
    off();
    faults.change(|faults| faults.truncated_listing = true);
    let half = list().send(V2).await;
    assert_eq!(half.header("content-length"), half.body.len().to_string());
    assert!(half.text().contains("<Key>") && !half.text().contains("</ListBucketResult>"));
    off();
    faults.change(|faults| faults.cut_body_after = Some(10));
    let broken = sandbox.get("zenml").query("list-type", "2").presigned(V2, 60).transmit().await;
    assert!(broken.is_err());
}

#[tokio::test]
async fn https_is_trusted_by_whoever_trusts_the_ca() {
    use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
    use std::sync::Arc;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

    let folder = tempfile::tempdir().unwrap();
    let sandbox = Running::start_with(Seed::Empty, Some(folder.path().to_owned()));
    let Description { ca, endpoint, .. } = sandbox.description.clone();
    assert!(endpoint.starts_with("https://"));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca.unwrap()).unwrap()).unwrap();
    // the certificate is of the sandbox's time, not of today's
    let at = u64::try_from(super::sandbox_client::NOW.unix_timestamp()).unwrap();
    let time = Arc::new(At(at));
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let socket = tokio::net::TcpStream::connect(sandbox.address()).await.unwrap();
    let name = ServerName::try_from("zenml-demo.oss-sandbox.localhost").unwrap();
    let socket = connector.connect(name, socket).await.unwrap();
    let call = sandbox.get("").presigned(V2, 60);
    assert_eq!(call.transmit_over(socket).await.unwrap().status, StatusCode::OK);
}

/// A clock for rustls that stands.
#[derive(Debug)]
struct At(u64);

impl tokio_rustls::rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<rustls_pki_types::UnixTime> {
        let at = std::time::Duration::from_secs(self.0);
        Some(rustls_pki_types::UnixTime::since_unix_epoch(at))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_key_is_stored_and_found(key in "[^/\\\\].{0,40}", number in 0..2_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let sandbox = Running::start(Seed::Empty);
            let put = sandbox.put(&key, "x").send(BOTH[number]).await;
            assert_eq!(put.status, StatusCode::OK, "{}", put.text());
            let list = sandbox.get("").query("encoding-type", "url").send(BOTH[number]).await;
            assert_eq!(list.all("Key"), [encode(&key, false)]);
        });
    }
}
