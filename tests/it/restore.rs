//! Archived objects: what says that they are, what makes them readable, when.

use std::time::Duration;

use osstack::base::job::{Context, Job as _};
use osstack::model::object_key::ObjectKey;
use osstack::ops::keystore::UnlockKeystore;
use osstack::ops::marked::Marked;
use osstack::ops::objects::Place;
use osstack::ops::restore::{Reached, RestoreMarked, State};
use osstack::oss::listing::StorageClass;
use osstack::oss::restore::{RestoreOptions, Tier};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::sandbox_client::{Running, Signature::V2};
use crate::sandbox_versions::versioning;
use crate::user::User;

async fn put(sandbox: &Running, key: &str, class: &str) {
    let put = sandbox.put(key, "x=1").header("x-amz-storage-class", class).send(V2).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
}

/// Sets the sandbox's clock, not the client's.
fn later(sandbox: &Running, minutes: i64) {
    sandbox.faults.change(|faults| faults.clock_offset = time::Duration::minutes(minutes));
}

/// All that a job says.
async fn reached(user: &User, marked: Marked, options: Option<RestoreOptions>) -> Vec<Reached> {
    let (items, mut came) = mpsc::channel(64);
    let context = Context::new(user.world.clone(), CancellationToken::new(), items);
    RestoreMarked { marked, version: None, options }.run(context).await.unwrap();
    let mut all = Vec::new();
    while let Ok(one) = came.try_recv() {
        all.push(one);
    }
    all
}

#[tokio::test]
async fn an_archived_object_says_so_is_asked_for_and_is_read_a_minute_later() {
    let mut user = User::of_demo();
    put(&user.sandbox, "old/model.json", "GLACIER").await;
    user.keys("4<enter>").await;
    user.stage.paste("s3://zenml-demo/old/").settle().await;
    user.stage.pass(Duration::from_secs(1));
    let picture = user.picture();
    assert!(picture.contains("model.json") && picture.contains("Archive"), "{picture}");
    assert!(picture.contains("t restore…"), "{picture}");
    // what cannot be read says what to do
    let picture = user.keys("p").await;
    assert!(
        picture.contains("The object is archived.") && picture.contains("t in the"),
        "{picture}"
    );
    let picture = user.keys("t").await;
    insta::assert_snapshot!("restore", picture);
    let picture = user.keys("ll").await;
    assert!(picture.contains("▸ 7 days") && !picture.contains("longer"), "{picture}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("1 object asked for: readable in about a minute"), "{picture}");
    let picture = user.keys("R").await;
    assert!(picture.contains("1 object being restored"), "{picture}");
    // it looks by itself while that may change
    later(&user.sandbox, 1);
    user.stage.pass(Duration::from_millis(100)).pass(Duration::from_secs(16)).settle().await;
    let picture = user.picture();
    assert!(picture.contains("1 object can be read until 2026-03-16 10:21:30 UTC"), "{picture}");
    let picture = user.keys("<esc>").await;
    assert!(picture.contains("x=1") || picture.contains("\"x"), "read anew: {picture}");
    let picture = user.keys("i").await;
    assert!(picture.contains("restored for a while, until 2026-03-16 10:21:30"), "{picture}");
}

#[tokio::test]
async fn only_what_is_archived_below_a_prefix_is_asked_for() {
    let mut user = User::of_demo();
    let classes = [("a", "GLACIER"), ("b", "STANDARD"), ("c", "ColdArchive"), ("d", "STANDARD_IA")];
    for (name, class) in classes {
        put(&user.sandbox, &format!("old/{name}"), class).await;
    }
    user.keys("4<enter>h/old<enter>").await;
    let picture = user.keys("t").await;
    assert!(picture.contains("2 objects archived (1 Archive, 1 ColdArchive, 6 B)"), "{picture}");
    assert!(picture.contains("in 2 to 5 hours") && picture.contains("30 days"), "{picture}");
    let picture = user.keys("t").await;
    assert!(picture.contains("▸ Expedited") && picture.contains("within an hour"), "{picture}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("2 objects asked for"), "{picture}");
    // the tier was heard
    for (key, minutes, is_ready) in [("old/a", 1, true), ("old/c", 59, false), ("old/c", 60, true)]
    {
        later(&user.sandbox, minutes);
        let get = user.sandbox.get(key);
        let at = get.at + time::Duration::minutes(minutes);
        let get = crate::sandbox_client::Call { at, ..get }.send(V2).await;
        assert_eq!(get.status.is_success(), is_ready, "{key} after {minutes} min");
    }
}

#[tokio::test]
async fn an_older_version_is_restored_by_itself() {
    let mut user = User::of_demo();
    versioning(&user.sandbox, "Enabled").await;
    for _ in 0..2 {
        put(&user.sandbox, "old/a", "GLACIER").await;
    }
    let picture = user.keys("4<enter>h/old<enter>v").await;
    assert!(picture.contains("2 versions") && picture.contains("Archive"), "{picture}");
    let picture = user.keys("jt").await;
    assert!(picture.contains("1 object archived"), "{picture}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("1 object asked for"), "{picture}");
    let picture = user.keys("<esc>kt").await;
    assert!(picture.contains("1 object archived"), "the current one was not asked for: {picture}");
}

#[tokio::test]
async fn a_job_says_of_each_how_far_it_is() {
    let user = User::of_demo();
    UnlockKeystore::Unasked.run(Context::alone(user.world.clone())).await.unwrap();
    for (key, class) in [("a", "GLACIER"), ("b", "STANDARD"), ("d", "DeepColdArchive")] {
        put(&user.sandbox, key, class).await;
    }
    let keys = ["a", "b", "d", "gone"].map(|key| ObjectKey::parse(key).unwrap());
    let marked = Marked {
        place: Place::of("demo_store"),
        within: String::new(),
        objects: keys.to_vec(),
        prefixes: Vec::new(),
    };
    let states = |all: Vec<Reached>| -> Vec<String> {
        let said = |one: Reached| match one.state {
            Ok(state) => format!("{} {}", one.key, state.as_str()),
            Err(failure) => format!("{} {}", one.key, failure.kind.as_str()),
        };
        all.into_iter().map(said).collect()
    };
    let looked = reached(&user, marked.clone(), None).await;
    assert_eq!(looked[2].class, Some(StorageClass::DeepColdArchive));
    let expected = ["a archived", "b not-archived", "d archived", "gone not-found"];
    assert_eq!(states(looked), expected);
    // the coldest class has no such tier, and gets the one that is next
    let options = Some(RestoreOptions { days: 400, tier: Tier::Bulk });
    let asked = reached(&user, marked.clone(), options).await;
    assert_eq!(states(asked), ["a begun", "b not-archived", "d begun", "gone not-found"]);
    let again = reached(&user, marked.clone(), options).await;
    assert_eq!(states(again), ["a ongoing", "b not-archived", "d ongoing", "gone not-found"]);
    later(&user.sandbox, 1);
    let ready = reached(&user, marked, options).await;
    assert!(matches!(ready[0].state, Ok(State::Readable(Some(_)))), "{:?}", ready[0]);
}
