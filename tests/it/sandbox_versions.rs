//! Buckets that keep versions.

use http::Method;
use osstack::sandbox::Seed;

use super::sandbox_client::{Answer, Call, Running, Signature};
use Signature::{V2, V4};

pub(crate) async fn versioning(sandbox: &Running, status: &str) {
    let xml =
        format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    let put = sandbox.call(Method::PUT, "").query("versioning", "");
    let put = Call { body: xml.into(), ..put }.send(V2).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
}

/// Key, id and whether it is the latest, of every version and delete marker in the answer.
fn told(page: &Answer) -> Vec<(String, String, String)> {
    let [keys, ids, latest] = ["Key", "VersionId", "IsLatest"].map(|name| page.all(name));
    keys.into_iter().zip(ids).zip(latest).map(|((key, id), latest)| (key, id, latest)).collect()
}

#[tokio::test]
async fn the_state_is_told_and_changes() {
    let sandbox = Running::start(Seed::Empty);
    let state = || sandbox.get("").query("versioning", "");
    let never = state().send(V2).await;
    assert!(never.status.is_success() && never.all("Status").is_empty(), "{}", never.text());
    for status in ["Enabled", "Suspended"] {
        versioning(&sandbox, status).await;
        assert_eq!(state().send(V4).await.element("Status"), status);
    }
}

#[tokio::test]
async fn old_versions_stay_until_they_are_deleted_by_their_id() {
    let sandbox = Running::start(Seed::Empty);
    sandbox.put("k", "before").send(V2).await;
    versioning(&sandbox, "Enabled").await;
    let write = async |body: &'static str| {
        let put = sandbox.put("k", body).send(V2).await;
        assert!(put.header("x-oss-version-id").starts_with("CAEQ"));
        put.header("x-amz-version-id").to_owned()
    };
    let (first, second) = (write("first").await, write("second").await);
    let version = |method, id: &str| sandbox.call(method, "k").query("versionId", id);
    for (id, body) in [("null", "before"), (&first, "first"), (&second, "second")] {
        let get = version(Method::GET, id).send(V4).await;
        assert_eq!((get.text().as_str(), get.header("x-oss-version-id")), (body, id));
    }
    let absent = version(Method::GET, "CAEQ0").send(V2).await;
    assert_eq!((absent.status.as_u16(), absent.refusal().1), (404, "NoSuchVersion".into()));

    let deleted = sandbox.call(Method::DELETE, "k").send(V2).await;
    let marker = deleted.header("x-amz-version-id").to_owned();
    assert_eq!((deleted.status.as_u16(), deleted.header("x-amz-delete-marker")), (204, "true"));
    assert_eq!(sandbox.get("k").send(V2).await.refusal().1, "NoSuchKey");
    assert!(sandbox.get("").send(V2).await.all("Key").is_empty());
    let of_marker = version(Method::GET, &marker).send(V2).await;
    assert_eq!(of_marker.status.as_u16(), 405);
    let list = sandbox.get("").query("versions", "").send(V2).await;
    let mut ids: Vec<String> = told(&list).into_iter().map(|(_, id, _)| id).collect();
    ids.sort();
    let mut expected = vec![marker.clone(), second.clone(), first.clone(), "null".to_owned()];
    expected.sort();
    assert_eq!(ids, expected, "{}", list.text());

    // a bucket with nothing but old versions is not empty
    let full = sandbox.call(Method::DELETE, "").send(V2).await;
    assert_eq!(full.refusal().1, "BucketNotEmpty");
    version(Method::DELETE, &marker).send(V2).await;
    assert_eq!(sandbox.get("k").send(V2).await.body, "second");
    version(Method::DELETE, &second).send(V4).await;
    assert_eq!(sandbox.get("k").send(V2).await.body, "first");
    for id in [first.as_str(), "null"] {
        assert_eq!(version(Method::DELETE, id).send(V2).await.status.as_u16(), 204);
    }
    assert_eq!(sandbox.call(Method::DELETE, "").send(V2).await.status.as_u16(), 204);
}

#[tokio::test]
async fn what_is_written_while_suspended_is_the_version_null() {
    let sandbox = Running::start(Seed::Empty);
    versioning(&sandbox, "Enabled").await;
    let kept = sandbox.put("k", "kept").send(V2).await.header("x-oss-version-id").to_owned();
    versioning(&sandbox, "Suspended").await;
    for body in ["a", "b"] {
        let put = sandbox.put("k", body).send(V2).await;
        assert_eq!(put.header("x-oss-version-id"), "null");
    }
    let list = sandbox.get("").query("versions", "").send(V2).await;
    let expected = [
        ("k".to_owned(), "null".to_owned(), "true".to_owned()),
        ("k".to_owned(), kept.clone(), "false".to_owned()),
    ];
    assert_eq!(told(&list), expected);
    sandbox.call(Method::DELETE, "k").send(V2).await;
    let old = sandbox.get("k").query("versionId", &kept).send(V2).await;
    assert_eq!(old.body, "kept");
    assert_eq!(sandbox.get("k").query("versionId", "null").send(V2).await.status.as_u16(), 405);
}

#[tokio::test]
async fn versions_are_listed_page_by_page() {
    let sandbox = Running::start(Seed::Empty);
    versioning(&sandbox, "Enabled").await;
    let mut written = Vec::new();
    for key in ["a/1", "a/2", "b", "c d"] {
        for body in ["old", "new"] {
            let put = sandbox.put(key, body).send(V2).await;
            written.push((key.to_owned(), put.header("x-oss-version-id").to_owned()));
        }
    }
    for size in ["1", "3", "100"] {
        let (mut found, mut key, mut id) = (Vec::new(), String::new(), String::new());
        loop {
            let mut call = sandbox.get("").query("versions", "").query("max-keys", size);
            if !key.is_empty() {
                call = call.query("key-marker", &key).query("version-id-marker", &id);
            }
            let page = call.send(V2).await;
            found.extend(told(&page).into_iter().map(|(key, id, _)| (key, id)));
            (key, id) = (page.element("NextKeyMarker"), page.element("NextVersionIdMarker"));
            if page.element("IsTruncated") == "false" {
                break;
            }
        }
        let mut expected = written.clone();
        for pair in expected.chunks_mut(2) {
            pair.reverse();
        }
        assert_eq!(found, expected, "{size} a page");
    }
    let folders = sandbox.get("").query("versions", "").query("delimiter", "/").send(V2).await;
    assert_eq!(folders.all("CommonPrefixes").len(), 1);
    assert_eq!(folders.all("Key"), ["b", "b", "c d", "c d"]);
    let after = sandbox.get("").query("versions", "").query("key-marker", "b").send(V2).await;
    assert_eq!(after.all("Key"), ["c d", "c d"]);
    let too_many = sandbox.get("").query("versions", "").query("max-keys", "1001").send(V2).await;
    assert_eq!(too_many.refusal().1, "InvalidArgument");
}

#[tokio::test]
async fn many_deletions_make_markers_and_remove_versions() {
    let sandbox = Running::start(Seed::Empty);
    versioning(&sandbox, "Enabled").await;
    let id = sandbox.put("a", "x").send(V2).await.header("x-oss-version-id").to_owned();
    sandbox.put("b", "x").send(V2).await;
    let xml = format!(
        "<Delete><Object><Key>a</Key><VersionId>{id}</VersionId></Object><Object><Key>b</Key></Object></Delete>"
    );
    let call = sandbox.call(Method::POST, "").query("delete", "");
    let call = call.header("content-md5", &super::sandbox_client::md5(xml.as_bytes()));
    let done = Call { body: xml.into(), ..call }.send(V2).await;
    assert_eq!(
        (done.all("VersionId"), done.all("DeleteMarker")),
        (vec![id], vec!["true".to_owned()])
    );
    let left = sandbox.get("").query("versions", "").send(V2).await;
    let keys: Vec<String> = told(&left).into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, ["b", "b"]);
}

#[tokio::test]
async fn tags_belong_to_a_version_and_nothing_is_overwritten() {
    let sandbox = Running::start(Seed::Empty);
    versioning(&sandbox, "Enabled").await;
    let put = |tags: &str| {
        let call = sandbox.put("k", "x").header("x-amz-tagging", tags);
        call.header("x-oss-forbid-overwrite", "true")
    };
    let old = put("a=1").send(V2).await.header("x-oss-version-id").to_owned();
    assert_eq!(put("a=2").send(V2).await.status.as_u16(), 200);
    let tags = |id: &str| sandbox.get("k").query("tagging", "").query("versionId", id);
    assert_eq!(tags(&old).send(V2).await.all("Value"), ["1"]);
    let end = sandbox.call(Method::DELETE, "k").query("tagging", "").query("versionId", &old);
    assert_eq!(end.send(V2).await.status.as_u16(), 204);
    assert!(tags(&old).send(V2).await.all("Value").is_empty());
    let newest = sandbox.get("k").query("tagging", "").send(V2).await;
    assert_eq!(newest.all("Value"), ["2"]);
}
