//! Versions at the screen: told apart, read, had again, removed.

use http::Method;

use crate::sandbox_client::{Running, Signature::V2};
use crate::sandbox_versions::versioning;
use crate::user::User;

async fn put(sandbox: &Running, key: &str, body: &'static str) -> String {
    let put = sandbox.put(key, body).send(V2).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
    put.header("x-oss-version-id").to_owned()
}

async fn content(sandbox: &Running, key: &str) -> String {
    let get = sandbox.get(key).send(V2).await;
    if get.status.is_success() { get.text() } else { get.refusal().1 }
}

/// Goes to `prefix` of the demo's bucket.
async fn at(user: &mut User, prefix: &str) -> String {
    user.keys("4<enter>").await;
    user.stage.paste(&format!("s3://zenml-demo/{prefix}")).settle().await;
    user.stage.pass(std::time::Duration::from_secs(1));
    user.picture()
}

/// The words of a picture, however they are wrapped.
fn flat(picture: &str) -> String {
    picture.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn what_a_bucket_with_versions_lost_is_taken_back() {
    let mut user = User::of_demo();
    versioning(&user.sandbox, "Enabled").await;
    for name in ["a", "b", "c"] {
        put(&user.sandbox, &format!("kept/{name}"), "text").await;
    }
    let picture = at(&mut user, "kept/").await;
    assert!(picture.contains("3 objects"), "{picture}");
    let question = user.keys("D").await;
    assert!(flat(&question).contains("The bucket keeps its versions"), "{question}");
    insta::assert_snapshot!("versions_delete", question);
    let picture = user.keys("y").await;
    assert!(picture.contains("2 objects") && picture.contains("z takes it back"), "{picture}");
    assert_eq!(content(&user.sandbox, "kept/a").await, "NoSuchKey");
    let picture = user.keys("z").await;
    assert!(picture.contains("3 objects") && picture.contains("1 object back"), "{picture}");
    assert_eq!(content(&user.sandbox, "kept/a").await, "text");
    // many, and all below a prefix
    user.keys("  Dzenml-demo<enter>").await;
    assert_eq!(content(&user.sandbox, "kept/b").await, "NoSuchKey");
    let picture = user.keys("z").await;
    assert!(picture.contains("3 objects"), "{picture}");
    user.keys("h/kept<enter>Dkept/<enter>").await;
    assert_eq!(content(&user.sandbox, "kept/c").await, "NoSuchKey");
    user.keys("z").await;
    for name in ["a", "b", "c"] {
        assert_eq!(content(&user.sandbox, &format!("kept/{name}")).await, "text");
    }
}

#[tokio::test]
async fn a_deletion_that_was_sent_twice_is_taken_back_whole() {
    let mut user = User::of_demo();
    versioning(&user.sandbox, "Enabled").await;
    for name in ["a", "b", "c"] {
        put(&user.sandbox, &format!("kept/{name}"), "text").await;
    }
    at(&mut user, "kept/").await;
    // one object, then two of them by one request: done, but told only when asked again
    for (delete, yes, left) in [("D", "y", "2 objects"), ("  D", "zenml-demo<enter>", "1 object")] {
        user.keys(delete).await;
        user.sandbox.faults.change(|faults| faults.lost_share = 100);
        user.sandbox.faults.change_after(1, |faults| faults.lost_share = 0);
        let picture = user.keys(yes).await;
        assert!(picture.contains(left) && picture.contains("z takes it back"), "{picture}");
        let gone = if left == "1 object" { 2 } else { 1 };
        assert_eq!(markers(&user.sandbox).await, 2 * gone, "{picture}");
        let picture = user.keys("z").await;
        assert!(picture.contains("3 objects"), "{picture}");
        assert_eq!(markers(&user.sandbox).await, 0, "{picture}");
    }
}

/// How many delete markers the bucket holds.
async fn markers(sandbox: &Running) -> usize {
    let list = sandbox.get("").query("versions", "").send(V2).await;
    list.text().matches("<DeleteMarker>").count()
}

#[tokio::test]
async fn where_nothing_is_kept_no_undo_is_offered() {
    let mut user = User::of_demo();
    put(&user.sandbox, "lost/a", "first").await;
    put(&user.sandbox, "lost/b", "second").await;
    at(&mut user, "lost/").await;
    let question = user.keys("D").await;
    assert!(flat(&question).contains("keeps no versions: nothing takes it back"), "{question}");
    let picture = user.keys("y").await;
    assert!(picture.contains("a is deleted") && !picture.contains("takes it back"), "{picture}");
    // what was written while it is suspended has no version of its own
    versioning(&user.sandbox, "Suspended").await;
    let question = user.keys("D").await;
    assert!(flat(&question).contains("keeps no versions now"), "{question}");
    let picture = user.keys("y").await;
    assert!(picture.contains("b is deleted") && !picture.contains("takes it back"), "{picture}");
}

#[tokio::test]
async fn versions_of_an_object_are_told_apart_and_an_older_one_is_had_again() {
    let mut user = User::of_demo();
    put(&user.sandbox, "doc/v.txt", "before any").await;
    versioning(&user.sandbox, "Enabled").await;
    let first = put(&user.sandbox, "doc/v.txt", "the first").await;
    put(&user.sandbox, "doc/v.txt", "the second one").await;
    // its key begins so, and it is another object
    put(&user.sandbox, "doc/v.txt.bak", "another").await;
    at(&mut user, "doc/").await;
    let picture = user.keys("v").await;
    assert!(picture.contains("3 versions") && picture.contains("current"), "{picture}");
    assert!(picture.contains("null") && picture.contains(&first[..12]), "{picture}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("the second one"), "{picture}");
    let picture = user.keys("<esc>j<enter>").await;
    assert!(picture.contains("the first") && picture.contains("(version CAEQ"), "{picture}");
    let picture = user.keys("<esc>").await;
    assert!(picture.contains("z make current"), "{picture}");
    let picture = user.keys("z").await;
    assert!(picture.contains("4 versions"), "{picture}");
    assert_eq!(content(&user.sandbox, "doc/v.txt").await, "the first");
    // a deletion is one row more, and goes as it came
    user.sandbox.call(Method::DELETE, "doc/v.txt").send(V2).await;
    let picture = user.keys("Rg").await;
    assert!(picture.contains("4 versions, 1 delete marker"), "{picture}");
    let picture = user.keys("gz").await;
    assert!(picture.contains("4 versions") && !picture.contains("marker"), "{picture}");
    assert_eq!(content(&user.sandbox, "doc/v.txt").await, "the first");
}

#[tokio::test]
async fn the_viewer_leads_to_the_versions_and_shows_what_became_of_its_object() {
    let mut user = User::of_demo();
    versioning(&user.sandbox, "Enabled").await;
    put(&user.sandbox, "zenml/doc/v.txt", "the first").await;
    put(&user.sandbox, "zenml/doc/v.txt", "the second one").await;
    at(&mut user, "zenml/doc/").await;
    let picture = user.keys("<enter>v").await;
    assert!(picture.contains("2 versions"), "{picture}");
    let asked = user.keys("jd").await;
    assert!(asked.contains("Download zenml/doc/v.txt"), "{asked}");
    let picture = user.keys("<esc>z").await;
    assert!(picture.contains("3 versions"), "{picture}");
    let picture = user.keys("<esc>").await;
    assert!(picture.contains("the first") && !picture.contains("second"), "{picture}");
}

#[tokio::test]
async fn one_version_is_removed_for_good_only_after_a_question() {
    let mut user = User::of_demo();
    versioning(&user.sandbox, "Enabled").await;
    put(&user.sandbox, "doc/v.txt", "old").await;
    put(&user.sandbox, "doc/v.txt", "new").await;
    at(&mut user, "doc/").await;
    let question = user.keys("vD").await;
    assert!(
        question.contains("Remove this version?") && question.contains("for good"),
        "{question}"
    );
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("2 versions"), "keeping is the focus: {picture}");
    let picture = user.keys("Dy").await;
    assert!(picture.contains("1 version"), "{picture}");
    assert_eq!(content(&user.sandbox, "doc/v.txt").await, "old");
}

#[tokio::test]
async fn deleted_objects_below_a_prefix_are_found_and_had_again() {
    let mut user = User::of_demo();
    versioning(&user.sandbox, "Enabled").await;
    for key in ["doc/a", "doc/sub/b", "doc/c"] {
        put(&user.sandbox, key, "text").await;
    }
    user.sandbox.call(Method::DELETE, "doc/sub/b").send(V2).await;
    user.keys("4<enter>h/doc<enter>").await;
    let picture = user.keys("v").await;
    assert!(picture.contains("3 versions, 1 delete marker"), "{picture}");
    assert!(picture.contains("sub/b") && picture.contains("deleted"), "{picture}");
    insta::assert_snapshot!("versions_below", picture);
    let picture = user.keys("jjz").await;
    assert!(picture.contains("3 versions") && !picture.contains("marker"), "{picture}");
    assert_eq!(content(&user.sandbox, "doc/sub/b").await, "text");
}
