//! Places that are remembered at the screens, and gone back to.

use crate::user::User;

/// The row under the cursor.
fn at_cursor(picture: &str) -> &str {
    picture.lines().find(|line| line.starts_with("│▸")).unwrap_or("")
}

#[tokio::test]
async fn a_place_is_remembered_and_gone_back_to_after_a_restart() {
    let mut user = User::of_demo();
    let picture = user.keys("4'").await;
    assert!(picture.contains("no bookmark yet: b in the browser"), "{picture}");
    // the prefix one is in, by a name of one's own
    let asked = user.keys("<esc><enter>/logs<enter><enter>b").await;
    assert!(asked.contains("Bookmark logs"), "the name offered is the last part: {asked}");
    let picture = user.keys("<ctrl-u>what_ran<ctrl-s>").await;
    assert!(picture.contains("bookmarked as what_ran"), "{picture}");
    // an object, by the name that is offered
    let row = at_cursor(&picture).to_owned();
    let picture = user.keys("jm<ctrl-s>").await;
    assert!(picture.contains("bookmarked as "), "{row}: {picture}");
    // and one of an account's other bucket, through the key of this store
    user.keys("hhh/demo-b<enter><enter>b<ctrl-u>other<ctrl-s>").await;

    user.start_over().await;
    let listed = user.keys("4'").await;
    assert!(listed.contains("s3://zenml-demo/zenml/logs/"), "{listed}");
    insta::assert_snapshot!("bookmarks", listed);
    insta::assert_snapshot!("bookmarks_wide", user.wide());
    let picture = user.keys("/demo-b").await;
    assert!(picture.contains("1 of 3") && at_cursor(&picture).contains("other"), "{picture}");
    let picture = user.keys("<esc>/what<enter>").await;
    assert!(picture.contains("1 of 3"), "{picture}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("s3://zenml-demo/zenml/logs/ "), "{picture}");
    // from there to the other one, and the object is under the cursor
    let picture = user.keys("'j<enter>").await;
    assert_eq!(at_cursor(&picture), row_after(&picture, &row), "{picture}");
    // by the name, where a place is typed
    let picture = user.keys("@@other<ctrl-s>").await;
    assert!(picture.contains("s3://zenml-demo-b/ "), "{picture}");
}

/// The row below `row`, which was under the cursor once.
fn row_after<'a>(picture: &'a str, row: &str) -> &'a str {
    let name = row.trim_start_matches("│▸").split_whitespace().next().unwrap();
    let mut rows = picture.lines().skip_while(|line| !line.contains(name));
    rows.nth(1).unwrap_or("")
}

#[tokio::test]
async fn one_is_forgotten_when_that_is_confirmed_and_a_name_stands_for_one_place() {
    let mut user = User::of_demo();
    user.keys("4<enter>b<ctrl-s>").await;
    let picture = user.keys("m<ctrl-u>zenml<ctrl-s>").await;
    assert!(picture.contains("there is a bookmark zenml already"), "{picture}");
    // the same key where there is one; the focus is on what keeps it
    let asked = user.keys("<esc>b").await;
    assert!(asked.contains("Forget the bookmark zenml?"), "{asked}");
    let asked = user.keys("<enter>'d").await;
    assert!(asked.contains("Forget the bookmark zenml?"), "{asked}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("zenml"), "the focus is on what keeps it: {picture}");
    let picture = user.keys("r<ctrl-u>the_data<ctrl-s>").await;
    assert!(picture.contains("@the_data leads there"), "{picture}");
    assert!(at_cursor(&picture).contains("the_data"), "{picture}");
    let picture = user.keys("d<tab><enter>").await;
    assert!(picture.contains("forgot the bookmark the_data"), "{picture}");
    assert!(picture.contains("no bookmark yet"), "{picture}");
    user.keys("<esc>b<ctrl-s>").await;
    let picture = user.keys("b<tab><enter>").await;
    assert!(picture.contains("forgot the bookmark zenml"), "{picture}");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the user's own editor is played here")]
async fn one_whose_store_is_gone_says_so_and_a_damaged_file_stays_as_it_is() {
    let mut user = User::of_demo();
    let path = user.path("config/bookmarks.toml");
    let text = "# mine\n[bookmark.was]\nstore = 'old\u{202e}'\nuri = 's3://zenml-demo/zenml/x'\n\
                note = 'kept'\n\n[bookmark.odd]\nuri = 7\n";
    std::fs::write(&path, text).unwrap();
    let picture = user.keys("4'").await;
    assert!(picture.contains("old\\u{202e}: gone"), "{picture}");
    assert!(picture.contains("bookmark.odd: write store = "), "{picture}");
    insta::assert_snapshot!("bookmarks_gone", picture);
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("which was removed"), "{picture}");
    assert!(picture.contains("demo_store reaches the same bucket"), "{picture}");
    user.keys("<esc><esc><enter>b<ctrl-s>").await;
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written.starts_with(text.trim_end()) && written.contains("[bookmark.zenml]"),
        "{written}"
    );

    let damaged = format!("{written}[bookmark");
    std::fs::write(&path, &damaged).unwrap();
    let picture = user.keys("b").await;
    assert!(picture.contains("cannot be read"), "{picture}");
    let picture = user.keys("'").await;
    assert!(picture.contains("mend the file"), "{picture}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
}
