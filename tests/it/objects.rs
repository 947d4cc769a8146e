//! What is done with the objects of the browser, one or several at once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use osstack::model::object_key::ObjectKey;
use osstack::ops::objects::{Link, Place};
use osstack::ops::transfer::Remote;
use osstack::screens::share::{self, ShareLink};
use osstack::tui::effect::Outcome;
use osstack::tui::screen::{Event, Screen as _};
use osstack::tui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::sandbox_client::NOW;
use crate::user::User;

/// The row under the cursor.
fn at_cursor(picture: &str) -> &str {
    picture.lines().find(|line| line.starts_with("│▸")).unwrap_or("")
}

/// All files below `folder`, by their names there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(&below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

/// 2,500 objects.
const MANY: &str = "4<enter>hg<enter>";

#[tokio::test]
async fn marks_stay_while_rows_are_sorted_and_filtered_and_go_with_the_prefix() {
    let mut user = User::of_demo();
    let picture = user.keys(&format!("{MANY}  j ")).await;
    assert!(picture.contains("3 objects") && picture.contains("marked"), "{picture}");
    assert!(at_cursor(&picture).contains("00004.json"), "marking moves on: {picture}");
    insta::assert_snapshot!("objects_marked", picture);
    let picture = user.keys("o").await;
    assert!(picture.contains("marked: 3 objects"), "{picture}");
    // all in sight of the filter, beside those that are out of it
    let picture = user.keys("/0249<enter><ctrl-a>").await;
    assert!(picture.contains("marked: 14 objects"), "{picture}");
    let picture = user.keys("<ctrl-a> ").await;
    assert!(picture.contains("marked: 4 objects"), "a second time unmarks: {picture}");
    let picture = user.keys("R").await;
    assert!(picture.contains("marked: 4 objects"), "they are found again: {picture}");
    assert!(picture.contains("11 of 2,500"), "and the filter goes on: {picture}");
    // first the filter, then the marks
    let picture = user.keys("<esc>").await;
    assert!(picture.contains("marked: 4 objects") && !picture.contains("11 of"), "{picture}");
    let picture = user.keys("<esc>").await;
    assert!(!picture.contains("marked") && picture.contains("s3://zenml-demo/many/"), "{picture}");
    let picture = user.keys(" h").await;
    assert!(!picture.contains("marked"), "{picture}");
}

#[tokio::test]
async fn what_is_marked_comes_down_as_one_transfer() {
    let mut user = User::of_demo();
    let picture = user.keys("4<enter>/logs<enter> <esc>/compare<enter> <esc>").await;
    assert!(picture.contains("marked: 2 prefixes"), "{picture}");
    let folder = user.path("down");
    user.keys("d<ctrl-u>").await;
    user.paste(folder.to_str().unwrap()).await;
    let picture = user.keys("<ctrl-s>").await;
    assert!(!picture.contains("marked"), "{picture}");
    let found = files(&folder);
    let below = |name: &str| found.iter().filter(|path| path.starts_with(name)).count();
    assert!(below("logs") > 0 && below("compare") > 0, "{found:?}");
    assert_eq!(below("logs") + below("compare"), found.len(), "{found:?}");
    user.stage.pass(Duration::from_secs(30));
    let picture = user.keys("5").await;
    assert!(picture.contains("and 1 more") && picture.contains("by checksum"), "{picture}");
    user.stage.pass(Duration::from_secs(30));
    // once more: nothing is replaced unless that is said
    user.keys("4/logs<enter> <esc>d<ctrl-u>").await;
    user.paste(folder.to_str().unwrap()).await;
    let picture = user.keys("<ctrl-s>5k").await;
    assert!(picture.contains("29 names taken"), "{picture}");
    let question = user.keys("<enter>").await;
    assert!(question.contains("Replace") && question.contains("/down/logs/"), "{question}");
    let picture = user.keys("y").await;
    assert!(picture.contains("done") && !picture.contains("taken"), "{picture}");
}

#[tokio::test]
async fn several_go_only_after_a_name_was_typed() {
    let mut user = User::of_demo();
    let question = user.keys(&format!("{MANY}  D")).await;
    assert!(question.contains("Delete 2 objects?"), "{question}");
    assert!(question.contains("Type zenml-demo to go on"), "{question}");
    insta::assert_snapshot!("objects_delete_several", question);
    let picture = user.keys("y<enter>").await;
    assert!(picture.contains("2,500 objects") && picture.contains("marked"), "{picture}");
    let picture = user.keys("Dzenml-demo<enter>").await;
    assert!(picture.contains("2,498 objects") && !picture.contains("marked"), "{picture}");
    assert!(!picture.contains("00000.json") && picture.contains("00002.json"), "{picture}");
}

#[tokio::test]
async fn a_prefix_is_counted_before_it_goes() {
    let mut user = User::of_demo();
    let question = user.keys("4<enter>/logs<enter>D").await;
    assert!(question.contains("Delete logs/?"), "{question}");
    assert!(
        question.contains("objects,") && question.contains("Type logs/ to go on"),
        "{question}"
    );
    let picture = user.keys("logs/<enter><esc>").await;
    assert!(picture.contains("10 prefixes") && !picture.contains("logs/"), "{picture}");
}

#[tokio::test]
async fn uris_of_all_that_is_marked_are_copied() {
    let mut user = User::of_demo();
    user.keys(&format!("{MANY}  y<tab><enter>")).await;
    let copied = user.stage.take_copy().unwrap();
    assert_eq!(copied, "s3://zenml-demo/many/00000.json\ns3://zenml-demo/many/00001.json");
}

/// `r` or `w` on what the cursor stands on, the text that is filled in, and another in its place.
async fn asks(user: &mut User, key: &str, filled_in: &str, typed: &str) -> String {
    let question = user.keys(key).await;
    assert!(question.contains(filled_in), "{question}");
    user.keys("<ctrl-u>").await;
    user.keys(typed).await;
    user.keys("<ctrl-s>").await;
    user.stage.pass(Duration::from_secs(30));
    user.picture()
}

#[tokio::test]
async fn an_object_is_renamed_on_the_server_and_the_list_follows() {
    let mut user = User::of_demo();
    user.keys(MANY).await;
    let question = user.keys("r").await;
    insta::assert_snapshot!("objects_rename", question);
    user.keys("<esc>").await;
    let picture = asks(&mut user, "r", "many/00000.json", "many/first one.json").await;
    assert!(picture.contains("2,500 objects") && !picture.contains("00000.json"), "{picture}");
    assert!(at_cursor(&picture).contains("first one.json"), "{picture}");
    let picture = user.keys("5").await;
    assert!(picture.contains("1 object, 8 B, moved: each held against"), "{picture}");
    // not over another, unless that is said
    user.keys("4g").await;
    let picture = asks(&mut user, "r", "many/00001.json", "many/00002.json").await;
    assert!(picture.contains("2,500 objects") && picture.contains("00001.json"), "{picture}");
    let picture = user.keys("5k").await;
    assert!(picture.contains("1 name taken"), "{picture}");
    let question = user.keys("<enter>").await;
    assert!(
        question.contains("Replace 1 object?") && question.contains("00002.json"),
        "{question}"
    );
    let picture = user.keys("y4").await;
    assert!(picture.contains("2,499 objects") && !picture.contains("00001.json"), "{picture}");
    // its own name
    let picture = user.keys("gr<ctrl-s>").await;
    assert!(picture.contains("called so already"), "{picture}");
}

#[tokio::test]
async fn a_prefix_is_copied_and_moved_with_all_below_it() {
    let mut user = User::of_demo();
    user.keys("4<enter>/logs<enter><esc>").await;
    let picture = asks(&mut user, "w", "zenml/logs/", "zenml/logs-kept").await;
    assert!(picture.contains("12 prefixes") && picture.contains("logs-kept/"), "{picture}");
    let picture = asks(&mut user, "r", "zenml/logs/", "zenml/old/logs/").await;
    assert!(picture.contains("12 prefixes") && !picture.contains(" logs/"), "{picture}");
    let below = user.keys("/old<enter><enter><enter>").await;
    let kept = user.keys("hh/kept<enter><enter>").await;
    assert!(below.contains("zenml/old/logs/") && kept.contains("zenml/logs-kept/"), "{kept}");
    assert!(below.contains("29 objects") && kept.contains("29 objects"), "{below}{kept}");
}

#[tokio::test]
async fn several_are_moved_into_a_prefix_of_another_bucket() {
    let mut user = User::of_demo();
    user.keys(&format!("{MANY}  ")).await;
    let picture = asks(&mut user, "r", "many/", "s3://scratch-demo/from/many").await;
    assert!(picture.contains("2,498 objects") && !picture.contains("marked"), "{picture}");
    user.stage.paste("s3://scratch-demo/from/many/").settle().await;
    let picture = user.picture();
    assert!(picture.contains("2 objects · 16 B") && picture.contains("00001.json"), "{picture}");
}

#[tokio::test]
async fn a_link_is_shared_for_as_long_as_is_chosen() {
    let mut user = User::of_demo();
    let picture = user.keys("4j<enter>Y").await;
    insta::assert_snapshot!("objects_share", picture);
    user.stage.pass(Duration::from_millis(100)).pass(Duration::from_secs(61));
    assert!(user.picture().contains("58:59 left"), "{}", user.picture());
    let picture = user.keys("ll").await;
    assert!(picture.contains("7 d 0:00:00 left") && !picture.contains("longer"), "{picture}");
    let picture = user.keys("hhh").await;
    assert!(picture.contains("15:00 left"), "{picture}");
    let picture = user.keys("c").await;
    assert!(picture.contains("its QR code needs a window"), "{picture}");
    user.stage.resize(160, 48);
    let picture = user.picture();
    assert!(picture.contains('▀') && !picture.contains("needs a window"), "{picture}");
    user.stage.resize(80, 24);
    user.keys("y<tab><enter>").await;
    let url = user.stage.take_copy().unwrap();
    assert!(url.contains("notes.txt?") && url.contains("Expires="), "{url}");
    user.stage.pass(Duration::from_millis(100)).pass(Duration::from_mins(16));
    let picture = user.picture();
    assert!(picture.contains("it has ended") && !picture.contains("copy the link"), "{picture}");
}

#[test]
fn a_link_of_a_temporary_key_says_that_it_ends_with_the_token() {
    let key = ObjectKey::parse("notes.txt").unwrap();
    let link = |token_ends| Link {
        url: "https://b.oss-eu-central-1.aliyuncs.com/k?x".into(),
        is_temporary: true,
        token_ends,
        until: NOW,
        life: Duration::from_mins(20),
    };
    let said = |link| {
        let mut share = ShareLink::new(Remote::at(Place::of("st"), None, key.clone()));
        let _none = share.update(Event::Msg(share::Msg::Signed(Outcome::Done(Ok(link)))));
        let mut terminal = Terminal::new(TestBackend::new(76, 24)).unwrap();
        terminal.draw(|frame| share.view(frame, frame.area(), &Theme::default())).unwrap();
        terminal.backend().to_string()
    };
    let (known, unknown) = (said(link(Some(NOW))), said(link(None)));
    assert!(known.contains("sooner than that: it ends with the key's session"), "{known}");
    assert!(unknown.contains("the key is temporary: the link ends with"), "{unknown}");
    assert!(known.contains("a browser saves it"), "{known}");
}
