//! Previews that read more than the beginning of an object, and those that read nothing at all.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::base::secret_string::SecretString;
use osstack::keystore::Put;
use osstack::model::object_key::ObjectKey;
use osstack::model::preview::{Content, FIRST_READ, Preview};
use osstack::model::secret::{KeyNames, SecretDraft};
use osstack::ops::failure::{Failure, FailureKind};
use osstack::ops::keystore::UnlockKeystore;
use osstack::ops::objects::{Place, PreviewObject, StatObject};
use osstack::ops::secrets::SaveSecret;
use osstack::oss::object::{PutOptions, Version};

use crate::user::User;

const RIDES: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preview/rides.parquet"));

async fn put(user: &User, key: &str, bytes: Vec<u8>) {
    let (client, bucket) = Place::of("demo_store").open(&user.world).await.unwrap();
    client.put(&bucket, key, bytes.into(), &PutOptions::default()).await.unwrap();
}

async fn version(user: &User, key: &str) -> Option<Version> {
    let job = StatObject {
        place: Place::of("demo_store"),
        key: ObjectKey::parse(key).unwrap(),
        version: None,
    };
    job.run(Context::alone(Arc::clone(&user.world))).await.unwrap().version()
}

/// A preview, and how many requests it took.
async fn look(
    user: &User,
    key: &str,
    limit: u64,
    listed: Option<&Version>,
) -> (Result<Preview, Failure>, u64) {
    let before = user.sandbox.faults.requests();
    let (key, listed) = (ObjectKey::parse(key).unwrap(), listed.cloned());
    let job = PreviewObject { place: Place::of("demo_store"), key, version: None, limit, listed };
    let looked = job.run(Context::alone(Arc::clone(&user.world))).await;
    (looked, user.sandbox.faults.requests() - before)
}

async fn text(user: &User, key: &str, listed: Option<&Version>) -> (String, u64) {
    let (looked, requests) = look(user, key, FIRST_READ, listed).await;
    let Content::Text(lines) = looked.unwrap().content else { panic!("no text") };
    (lines.concat(), requests)
}

#[tokio::test]
async fn a_long_parquet_file_is_read_at_both_ends() {
    let mut user = User::of_demo();
    user.start_over().await;
    let (magic, rest) = RIDES.split_at(4);
    let long = [magic, vec![0; 3 << 20].as_slice(), rest].concat();
    let total = long.len() as u64;
    let key = "zenml/big.parquet";
    put(&user, key, long).await;
    let (read, requests) = look(&user, key, FIRST_READ, None).await;
    let read = read.unwrap();
    let Content::Structure(structure) = &read.content else { panic!("{read:?}") };
    assert_eq!(structure.sections[0].table.rows[0], ["rows", "100"]);
    assert_eq!((read.total, read.read, requests), (total, FIRST_READ + 64 * 1024, 2));
    // both parts are still there
    let listed = version(&user, key).await;
    assert_eq!(look(&user, key, FIRST_READ, listed.as_ref()).await, (Ok(read), 0));
}

#[tokio::test]
async fn what_was_read_is_not_asked_for_again_until_it_changes_or_the_keys_are_locked() {
    let mut user = User::of_demo();
    user.start_over().await;
    let key = "zenml/note.txt";
    put(&user, key, b"one".to_vec()).await;
    let one = version(&user, key).await;
    assert_eq!(text(&user, key, one.as_ref()).await, ("one".into(), 1));
    assert_eq!(text(&user, key, one.as_ref()).await, ("one".into(), 0));
    assert_eq!(text(&user, key, None).await, ("one".into(), 1), "nobody knows what is there now");
    put(&user, key, b"two".to_vec()).await;
    let two = version(&user, key).await;
    assert_eq!(text(&user, key, two.as_ref()).await, ("two".into(), 1));
    assert_eq!(text(&user, key, two.as_ref()).await, ("two".into(), 0));
    user.world.lock();
    let (locked, requests) = look(&user, key, FIRST_READ, two.as_ref()).await;
    assert_eq!((locked.unwrap_err().kind, requests), (FailureKind::Locked, 0));
    UnlockKeystore::Unasked.run(Context::alone(Arc::clone(&user.world))).await.unwrap();
    assert_eq!(text(&user, key, two.as_ref()).await, ("two".into(), 1));
}

#[tokio::test]
async fn another_key_under_the_same_name_sees_nothing_that_was_read_before() {
    let mut user = User::of_demo();
    user.start_over().await;
    let key = "zenml/note.txt";
    put(&user, key, b"one".to_vec()).await;
    let listed = version(&user, key).await;
    text(&user, key, listed.as_ref()).await;
    assert_eq!(text(&user, key, listed.as_ref()).await, ("one".into(), 0));
    let secret = user.world.store("demo_store").await.unwrap().secret;
    let draft = SecretDraft {
        name: secret.to_string(),
        access_key_id: "LTAIsomebodyelse".into(),
        secret_access_key: SecretString::new("of-no-use".to_owned()),
        session_token: SecretString::new(String::new()),
        expires_at: String::new(),
        key_names: KeyNames::default(),
    };
    let save = SaveSecret { draft, put: Put::Update };
    save.run(Context::alone(Arc::clone(&user.world))).await.unwrap();
    let (looked, _) = look(&user, key, FIRST_READ, listed.as_ref()).await;
    assert_eq!(looked.unwrap_err().kind, FailureKind::Credentials);
}

#[tokio::test]
async fn more_of_it_is_the_rest_alone_and_never_of_another_version() {
    let mut user = User::of_demo();
    user.start_over().await;
    let key = "zenml/long.txt";
    let long = |letter: u8| vec![letter; 4 * usize::try_from(FIRST_READ).unwrap()];
    put(&user, key, long(b'a')).await;
    let listed = version(&user, key).await;
    let half = look(&user, key, 2 * FIRST_READ, None).await.0.unwrap();
    user.start_over().await;
    look(&user, key, FIRST_READ, listed.as_ref()).await.0.unwrap();
    let (more, requests) = look(&user, key, 2 * FIRST_READ, listed.as_ref()).await;
    assert_eq!((more.as_ref(), requests), (Ok(&half), 1));
    let (less, requests) = look(&user, key, FIRST_READ, listed.as_ref()).await;
    assert_eq!((less.unwrap().read, requests), (FIRST_READ, 0));
    // written anew behind the listing's back
    put(&user, key, long(b'b')).await;
    let (all, _) = look(&user, key, 3 * FIRST_READ, listed.as_ref()).await;
    let Content::Text(lines) = all.unwrap().content else { panic!("no text") };
    assert!(lines.concat().bytes().all(|letter| letter == b'b'));
}

#[tokio::test]
async fn the_viewer_shows_at_once_what_the_pane_has_read() {
    let mut user = User::of_demo();
    user.keys("4j<enter>").await;
    let before = user.sandbox.faults.requests();
    let pane = user.keys("p").await;
    assert!(pane.contains("Anything may be done here."), "{pane}");
    assert_eq!(user.sandbox.faults.requests() - before, 1);
    let viewer = user.keys("p<enter>").await;
    assert!(viewer.contains("Anything may be done here.") && viewer.contains("text"), "{viewer}");
    assert_eq!(user.sandbox.faults.requests() - before, 1);
    user.keys("R").await;
    assert_eq!(user.sandbox.faults.requests() - before, 2, "asked to read again");
}

/// Puts an object into the scratch bucket, and opens it in the viewer.
async fn viewed(user: &mut User, key: &str, bytes: Vec<u8>) -> String {
    user.start_over().await;
    let (client, bucket) = Place::of("scratch_store").open(&user.world).await.unwrap();
    client.put(&bucket, key, bytes.into(), &PutOptions::default()).await.unwrap();
    user.keys(&format!("4j<enter>/{key}<enter><enter>")).await
}

#[tokio::test]
async fn a_json_document_folds_from_the_third_level_on() {
    let mut user = User::of_demo();
    let json = br#"{"model":{"name":"trip","layers":[{"units":64,"act":"relu"},{"units":1}],
        "weights":[0.125,1e-9,12345678901234567890]},"tags":["a","\u00e9"],"empty":{},
        "metrics":{"loss":{"train":[3,2,1],"test":[4]}}}"#;
    let first = viewed(&mut user, "model.json", json.to_vec()).await;
    insta::assert_snapshot!("viewer_json_folded", first);
    insta::assert_snapshot!("viewer_json_folded_wide", user.wide());
    let open = user.keys("jjj<enter>jjl").await;
    insta::assert_snapshot!("viewer_json_unfolded", open);
    let all = user.keys("z").await;
    assert!(!all.contains('▸') && all.contains("12345678901234567890"), "{all}");
    let outer = user.keys("hhhhhhh").await;
    assert!(outer.contains("▸ {…} 4 members"), "{outer}");
}

/// As `gzip` writes it, with a name in its header.
fn gzip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes);
    let mut out = b"\x1F\x8B\x08\x08\0\0\0\0\0\x03".to_vec();
    out.extend(name.bytes().chain([0]));
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, 6));
    out.extend(u32::try_from(sum).unwrap().to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}

#[tokio::test]
async fn what_is_inside_of_gzip_is_shown_in_the_viewer_and_in_the_pane() {
    let mut user = User::of_demo();
    let rides: Vec<String> = (0..40).map(|ride| format!("{ride},Köln,{}\n", ride % 7)).collect();
    let rides = format!("ride_id,city,minutes\n{}", rides.concat());
    let viewer = viewed(&mut user, "rides.csv.gz", gzip("rides.csv", rides.as_bytes())).await;
    insta::assert_snapshot!("viewer_gzip", viewer);
    insta::assert_snapshot!("viewer_gzip_wide", user.wide());
    let pane = user.keys("<esc>p").await;
    insta::assert_snapshot!("preview_gzip", pane);

    // cut off in the middle: what came is shown, and that it is not all
    let mut cut = gzip("log.txt", rides.repeat(50).as_bytes());
    cut.truncate(cut.len() / 2);
    let viewer = viewed(&mut user, "log.txt.gz", cut).await;
    assert!(viewer.contains("it is cut off there") && viewer.contains("0,Köln,0"), "{viewer}");
    // whose bytes are none: said, not hidden
    let noise = [gzip("x", b"").as_slice()[..12].to_vec(), vec![0xFF; 64]].concat();
    let viewer = viewed(&mut user, "noise.gz", noise).await;
    assert!(viewer.contains("it is damaged there"), "{viewer}");
}
