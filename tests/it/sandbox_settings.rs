//! Tags, rights, classes, restored archives, and the limits of writing.

use http::Method;
use osstack::sandbox::Seed;
use osstack::sandbox::keys::Keys;
use time::Duration;

use super::sandbox_client::{Call, Running, Signature};
use Signature::{V2, V4};

fn with(call: Call, body: impl Into<bytes::Bytes>) -> Call {
    Call { body: body.into(), ..call }
}

fn tags(pairs: &[(&str, &str)]) -> String {
    let tag =
        |(key, value): &(&str, &str)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let tags: String = pairs.iter().map(tag).collect();
    format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
}

#[tokio::test]
async fn objects_have_tags() {
    let sandbox = Running::start(Seed::Empty);
    let tagging = |method| sandbox.call(method, "k").query("tagging", "");
    assert_eq!(tagging(Method::GET).send(V2).await.refusal().1, "NoSuchKey");
    let put = sandbox.put("k", "x").header("x-amz-tagging", "team=a%20b&stage=1+2");
    assert_eq!(put.send(V2).await.status.as_u16(), 200);
    let told = tagging(Method::GET).send(V4).await;
    assert_eq!(
        (told.all("Key"), told.all("Value")),
        (vec!["stage".to_owned(), "team".to_owned()], vec!["1 2".to_owned(), "a b".to_owned()],)
    );
    let copy = sandbox.put("copy", "").header("x-amz-copy-source", "/zenml-demo/k").send(V2).await;
    assert_eq!(copy.header("x-oss-tagging-count"), "2");

    let new = with(tagging(Method::PUT), tags(&[("a", "1"), ("b", ""), ("中", "文")]));
    assert_eq!(new.send(V2).await.status.as_u16(), 200);
    let head = sandbox.call(Method::HEAD, "k").send(V2).await;
    assert_eq!(head.header("x-oss-tagging-count"), "3");
    let long = "v".repeat(257);
    let eleven: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let eleven: Vec<(&str, &str)> = eleven.iter().map(|key| (key.as_str(), "")).collect();
    for bad in [&eleven[..], &[("a", "1"), ("a", "2")], &[("", "1")], &[("a", &long)]] {
        let answer = with(tagging(Method::PUT), tags(bad)).send(V2).await;
        assert_eq!((answer.status.as_u16(), answer.refusal().1), (400, "InvalidTag".into()));
    }
    assert_eq!(tagging(Method::GET).send(V2).await.all("Key"), ["a", "b", "中"]);
    assert_eq!(tagging(Method::DELETE).send(V4).await.status.as_u16(), 204);
    assert!(tagging(Method::GET).send(V2).await.all("Key").is_empty());
    assert_eq!(sandbox.get("k").send(V2).await.body, "x");
}

#[tokio::test]
async fn rights_are_private_and_cannot_be_public() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.put("k", "x").send(V2).await;
    for key in ["", "k"] {
        let acl = |method| sandbox.call(method, key).query("acl", "");
        let told = acl(Method::GET).send(V2).await;
        assert_eq!(told.all("Permission"), ["FULL_CONTROL"], "{}", told.text());
        assert_eq!(told.element("ID"), "1234567890123456");
        let public = acl(Method::PUT).header("x-amz-acl", "public-read").send(V4).await;
        assert_eq!((public.status.as_u16(), public.refusal().1), (403, "AccessDenied".into()));
        let other = acl(Method::PUT).header("x-amz-acl", "aws-exec-read").send(V4).await;
        assert_eq!(other.refusal().1, "InvalidArgument");
        let private = acl(Method::PUT).header("x-amz-acl", "private").send(V4).await;
        assert_eq!(private.status.as_u16(), 200, "{}", private.text());
    }
    let put = sandbox.put("new", "x").header("x-amz-acl", "public-read-write").send(V2).await;
    assert_eq!(put.status.as_u16(), 403);
    assert_eq!(sandbox.get("new").query("acl", "").send(V2).await.refusal().1, "NoSuchKey");
}

#[tokio::test]
async fn an_archived_object_is_read_after_it_is_restored_and_freezes_again() {
    let sandbox = Running::start(Seed::Empty);
    for (key, class) in [("a", "GLACIER"), ("b", "STANDARD_IA"), ("c", "STANDARD")] {
        let put = sandbox.put(key, "x").header("x-amz-storage-class", class).send(V2).await;
        assert_eq!(put.status.as_u16(), 200);
    }
    let unknown = sandbox.put("d", "x").header("x-amz-storage-class", "COLD").send(V2).await;
    assert_eq!(unknown.refusal().1, "InvalidStorageClass");
    let list = sandbox.get("").send(V2).await;
    assert_eq!(list.all("StorageClass"), ["Archive", "IA", "STANDARD"]);
    assert_eq!(
        sandbox.call(Method::HEAD, "a").send(V2).await.header("x-oss-storage-class"),
        "Archive"
    );
    assert_eq!(sandbox.get("b").send(V2).await.header("x-oss-storage-class"), "IA");

    let at = |call: Call, since: Duration| {
        sandbox.faults.change(|faults| faults.clock_offset = since);
        Call { at: super::sandbox_client::NOW + since, ..call }
    };
    let restore = |key: &str, since| {
        let call = sandbox.call(Method::POST, key).query("restore", "");
        at(with(call, "<RestoreRequest><Days>5</Days></RestoreRequest>"), since)
    };
    let frozen = |answer: super::sandbox_client::Answer| {
        assert_eq!(answer.refusal(), (403, "InvalidObjectState".into(), String::new()));
    };
    let never = restore("b", Duration::ZERO).send(V2).await;
    assert_eq!((never.status.as_u16(), never.refusal().1), (400, "OperationNotSupported".into()));
    frozen(sandbox.get("a").send(V2).await);
    assert_eq!(restore("a", Duration::ZERO).send(V2).await.status.as_u16(), 202);
    frozen(sandbox.get("a").send(V2).await);
    let again = restore("a", Duration::seconds(59)).send(V4).await;
    let expected = (409, "RestoreAlreadyInProgress".into(), "0016-00000701".into());
    assert_eq!(again.refusal(), expected);
    let head = at(sandbox.call(Method::HEAD, "a"), Duration::seconds(59)).send(V2).await;
    assert_eq!(head.header("x-oss-restore"), "ongoing-request=\"true\"");

    let minute = Duration::minutes(1);
    let read = at(sandbox.get("a"), minute).send(V2).await;
    assert_eq!(read.body, "x");
    let expected = "ongoing-request=\"false\", expiry-date=\"Mon, 16 Mar 2026 10:21:30 GMT\"";
    assert_eq!((read.header("x-oss-restore"), read.header("x-amz-restore")), (expected, expected));
    assert_eq!(restore("a", minute).send(V2).await.status.as_u16(), 200);
    frozen(at(sandbox.get("a"), minute + Duration::days(1)).send(V2).await);
    assert_eq!(restore("a", minute + Duration::days(1)).send(V2).await.status.as_u16(), 202);
}

#[tokio::test]
async fn what_is_archived_by_a_fault_can_be_restored_too() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.put("runs/a", "x").send(V2).await;
    sandbox.faults.change(|faults| faults.switch_on("archived=runs/").unwrap());
    let restore = sandbox.call(Method::POST, "runs/a").query("restore", "").send(V2).await;
    assert_eq!(restore.status.as_u16(), 202, "{}", restore.text());
    assert_eq!(sandbox.get("runs/a").send(V2).await.refusal().1, "InvalidObjectState");
    sandbox.faults.change(|faults| faults.switch_on("skew=1").unwrap());
    assert_eq!(sandbox.get("runs/a").send(V2).await.body, "x");
}

#[tokio::test]
async fn a_key_that_is_taken_is_not_overwritten_where_that_is_forbidden() {
    let sandbox = Running::start(Seed::Empty);
    let upload = sandbox.call(Method::POST, "k").query("uploads", "").send(V2).await;
    let id = upload.element("UploadId");
    let part = sandbox.put("k", "part").query("partNumber", "1").query("uploadId", &id);
    let etag = part.send(V2).await.header("etag").to_owned();
    let forbid = |call: Call| call.header("x-oss-forbid-overwrite", "true");
    let first = forbid(sandbox.put("k", "first")).send(V2).await;
    assert_eq!(first.status.as_u16(), 200);
    let copy = sandbox.put("k", "").header("x-amz-copy-source", "/zenml-demo/k");
    let complete = with(
        sandbox.call(Method::POST, "k").query("uploadId", &id),
        format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        ),
    );
    let begin = sandbox.call(Method::POST, "k").query("uploads", "");
    for call in [sandbox.put("k", "second"), copy, begin, complete.clone()] {
        let answer = forbid(call).send(V2).await;
        assert_eq!((answer.status.as_u16(), answer.refusal().1), (409, "FileAlreadyExists".into()));
    }
    assert_eq!(sandbox.get("k").send(V2).await.body, "first");
    let allowed = sandbox.put("k", "second").header("x-oss-forbid-overwrite", "false");
    assert_eq!(allowed.send(V2).await.status.as_u16(), 200);
    assert_eq!(complete.send(V2).await.status.as_u16(), 200);
    assert_eq!(sandbox.get("k").send(V2).await.body, "part");
}

#[tokio::test]
async fn parts_have_limits() {
    let sandbox = Running::start(Seed::Empty);
    let begin = sandbox.call(Method::POST, "k").query("uploads", "");
    let id = begin.header("x-amz-storage-class", "STANDARD_IA").send(V2).await.element("UploadId");
    let put = |number: &str, size: usize| {
        sandbox.put("k", vec![b'x'; size]).query("partNumber", number).query("uploadId", &id)
    };
    for number in ["0", "10001"] {
        assert_eq!(put(number, 1).send(V2).await.refusal().1, "InvalidArgument", "{number}");
    }
    let mut etags = Vec::new();
    for (number, size) in [("1", 102_400), ("2", 102_399), ("10000", 1)] {
        etags.push((number, put(number, size).send(V2).await.header("etag").to_owned()));
    }
    let complete = |parts: &[usize]| {
        let part = |place: &usize| {
            let (number, etag) = &etags[*place];
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        };
        let parts: String = parts.iter().map(part).collect();
        let xml = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        with(sandbox.call(Method::POST, "k").query("uploadId", &id), xml)
    };
    for (parts, code) in [(&[0, 1, 2][..], "EntityTooSmall"), (&[2, 0], "InvalidPartOrder")] {
        let answer = complete(parts).send(V2).await;
        assert_eq!((answer.status.as_u16(), answer.refusal().1), (400, code.to_owned()));
    }
    let done = complete(&[0, 2]).send(V4).await;
    assert!(done.element("ETag").ends_with("-2\""), "{}", done.text());
    let head = sandbox.call(Method::HEAD, "k").send(V2).await;
    assert_eq!(
        (head.header("content-length"), head.header("x-oss-storage-class")),
        ("102401", "IA")
    );
}

#[tokio::test]
async fn uploads_and_parts_are_listed_page_by_page() {
    let sandbox = Running::start(Seed::Empty);
    let mut ids = Vec::new();
    for key in ["a", "b", "b", "c d"] {
        let begun = sandbox.call(Method::POST, key).query("uploads", "").send(V2).await;
        ids.push((key.to_owned(), begun.element("UploadId")));
    }
    ids.sort();
    let (mut found, mut key, mut id) = (Vec::new(), String::new(), String::new());
    loop {
        let page = sandbox
            .get("")
            .query("uploads", "")
            .query("max-uploads", "1")
            .query("key-marker", &key)
            .query("upload-id-marker", &id)
            .send(V2)
            .await;
        found.extend(page.all("Key").into_iter().zip(page.all("UploadId")));
        (key, id) = (page.element("NextKeyMarker"), page.element("NextUploadIdMarker"));
        if page.element("IsTruncated") == "false" {
            break;
        }
    }
    assert_eq!(found, ids);

    let (key, id) = &ids[0];
    for number in ["3", "1", "2"] {
        let part = sandbox.put(key, "x").query("partNumber", number).query("uploadId", id);
        assert_eq!(part.send(V2).await.status.as_u16(), 200);
    }
    let (mut numbers, mut marker) = (Vec::new(), "0".to_owned());
    loop {
        let page = sandbox
            .get(key)
            .query("uploadId", id)
            .query("max-parts", "2")
            .query("part-number-marker", &marker)
            .send(V2)
            .await;
        numbers.extend(page.all("PartNumber"));
        marker = page.element("NextPartNumberMarker");
        if page.element("IsTruncated") == "false" {
            break;
        }
    }
    assert_eq!(numbers, ["1", "2", "3"]);
    let end = sandbox.call(Method::DELETE, key).query("uploadId", id);
    assert_eq!(end.clone().send(V2).await.status.as_u16(), 204);
    assert_eq!(end.send(V2).await.refusal().1, "NoSuchUpload");
}

#[tokio::test]
async fn a_presigned_url_of_a_temporary_key_carries_its_token() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.put("a b", "hello").send(V2).await;
    let keys = Keys::default();
    let key = keys.temporary();
    let token = key.session_token.as_ref().unwrap().expose();
    let call = Call {
        id: key.access_key_id.clone(),
        secret: key.secret_access_key.expose().to_owned(),
        ..sandbox.get("a b")
    };
    let v4 = call.clone().query("X-Amz-Security-Token", token).presigned(V4, 60);
    assert_eq!(v4.clone().transmit().await.unwrap().body, "hello");
    let v2 = call.clone().header("x-amz-security-token", token).presigned(V2, 60);
    let v2 = v2.header_into_query("x-amz-security-token");
    assert_eq!(v2.clone().transmit().await.unwrap().body, "hello");
    let without = call.presigned(V4, 60).transmit().await.unwrap();
    assert_eq!(without.refusal().1, "InvalidAccessKeyId");
    sandbox.faults.change(|faults| faults.switch_on("token-expired").unwrap());
    for url in [v2, v4] {
        assert_eq!(url.transmit().await.unwrap().refusal().1, "SecurityTokenExpired");
    }
}

#[tokio::test]
async fn everything_is_refused_where_the_bucket_is_elsewhere_or_absent() {
    let sandbox = Running::start(Seed::Empty);
    let sub = |method, key, name| sandbox.call(method, key).query(name, "");
    let calls = [
        sandbox.get("k"),
        sandbox.put("k", "x"),
        sandbox.call(Method::DELETE, "k"),
        sandbox.call(Method::DELETE, ""),
        sandbox.get("").query("list-type", "2"),
        sub(Method::GET, "", "versions"),
        sub(Method::GET, "", "versioning"),
        sub(Method::PUT, "", "versioning"),
        sub(Method::GET, "", "acl"),
        sub(Method::GET, "", "location"),
        sub(Method::GET, "", "uploads"),
        sub(Method::POST, "k", "uploads"),
        sub(Method::GET, "k", "tagging"),
        sub(Method::PUT, "k", "tagging"),
        sub(Method::GET, "k", "acl"),
        sub(Method::POST, "k", "restore"),
        sub(Method::POST, "", "delete"),
    ];
    for call in calls {
        let elsewhere =
            Call { host: call.host.replace("oss-sandbox", "oss-sandbox-b"), ..call.clone() };
        let expected = (403, "AccessDenied".into(), "0003-00001403".into());
        assert_eq!(elsewhere.send(V2).await.refusal(), expected, "{} {}", call.method, call.path);
        let absent = Call {
            host: call.host.replace("zenml-demo", "absent-bucket"),
            bucket: Some("absent-bucket".into()),
            ..call.clone()
        };
        let expected = (404, "NoSuchBucket".into(), "0015-00000101".into());
        assert_eq!(absent.send(V4).await.refusal(), expected, "{} {}", call.method, call.path);
    }
}
