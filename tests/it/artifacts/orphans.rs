//! The deletion of orphans: it takes them and nothing else, whatever happens in between.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::time::Duration;

use osstack::base::units;
use osstack::sandbox::zenml::runs::Version;

use super::{Beds, keys};
use crate::cli::terminal::{Talk, talk};

const PRUNE: [&str; 5] = ["artifact", "prune", "--orphans", "--store", "demo_store"];
/// The exit code where some went and some stayed.
const IN_PART: u32 = 4;
const QUESTION: &str = "Type demo_store to delete";
/// Versions that the server forgets, so that their data becomes nobody's, and how many files they
/// have.
const FORGOTTEN: [(&str, usize); 3] = [("model:1", 2), ("rides:2", 3), ("drift:3", 1)];

/// The server forgets the version: its data is an orphan then.
fn forget(beds: &Beds, label: &str) -> Version {
    let mut state = beds.state.lock().unwrap();
    let version = state.version(label).unwrap().clone();
    state.versions.retain(|one| one.id != version.id);
    version
}

/// The key of the folder of a version's data.
fn folder(version: &Version) -> String {
    version.uri.strip_prefix("s3://zenml-demo/").unwrap().to_owned()
}

/// The folders of what the server forgot and of the checkpoint that it never knew, sorted.
fn orphaned(beds: &Beds) -> Vec<String> {
    let mut folders = FORGOTTEN.map(|(label, _)| folder(&forget(beds, label))).to_vec();
    let all = keys(&beds.bench);
    let (checkpoint, _) = all.iter().find(|(key, _)| key.contains("/checkpoint/")).unwrap();
    folders.push(checkpoint.rsplit_once('/').unwrap().0.to_owned());
    folders.sort();
    folders
}

fn below<'a>(
    keys: &'a [(String, u64)],
    folders: &'a [String],
) -> impl Iterator<Item = &'a (String, u64)> {
    keys.iter().filter(|(key, _)| folders.iter().any(|one| key.starts_with(&format!("{one}/"))))
}

/// What is left of the orphans.
fn left(beds: &Beds, folders: &[String]) -> usize {
    below(&keys(&beds.bench), folders).count()
}

/// A file of the user's, beside what there is.
fn put(beds: &Beds, key: &str) {
    beds.bench.write("new", "new");
    let (from, to) = (beds.bench.path("new"), key.replacen("zenml/", "demo_store:", 1));
    beds.bench.run(&["cp", from.to_str().unwrap(), &to]).ok();
}

/// Nothing but what lies in `folders` is gone, and the server was told of no deletion.
#[track_caller]
fn expect_others_stay(beds: &Beds, before: &[(String, u64)], folders: &[String]) {
    let after: BTreeSet<_> = keys(&beds.bench).into_iter().collect();
    let doomed: BTreeSet<_> = below(before, folders).collect();
    let lost: Vec<_> =
        before.iter().filter(|key| !after.contains(*key) && !doomed.contains(key)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(beds.requests("DELETE"), [""; 0], "no version goes");
}

#[test]
fn orphans_go_after_the_name_is_typed_and_nothing_else() {
    let beds = Beds::start();
    let folders = orphaned(&beds);
    // one that only begins as an orphan's folder does
    put(&beds, &format!("{}-2/x", folders[0]));
    let (before, labels) = (keys(&beds.bench), beds.labels());

    let dry = beds.bench.run(&[&PRUNE[..], &["--dry-run"]].concat()).ok();
    assert!(dry.err.contains("would delete 4 folders"), "{dry:?}");
    for wrong in ["y\r", "demo_stor\r", "\r", "\u{3}"] {
        let (shown, code) = talk(&beds.bench, &PRUNE, &[(QUESTION, wrong)]);
        assert!(code == 1 && shown.contains("stopped"), "{wrong:?}: {shown}");
    }
    assert_eq!(keys(&beds.bench), before, "nothing was changed");

    let (shown, code) = talk(&beds.bench, &PRUNE, &[(QUESTION, "demo_store\r")]);
    assert_eq!(code, 0, "{shown}");
    let bytes: u64 = below(&before, &folders).map(|(_, size)| size).sum();
    let objects = 1 + FORGOTTEN.map(|(_, files)| files).iter().sum::<usize>();
    let said = format!("deleted 4 folders, {}  {objects} objects", units::bytes(bytes));
    assert!(shown.contains(&said), "{said}: {shown}");
    for folder in &folders {
        assert!(shown.contains(&format!("deleted {folder}")), "{folder}: {shown}");
    }
    assert_eq!((left(&beds, &folders), beds.labels()), (0, labels));
    assert_eq!(keys(&beds.bench).len(), before.len() - objects);
    expect_others_stay(&beds, &before, &folders);
    let (shown, code) = talk(&beds.bench, &PRUNE, &[]);
    assert!(code == 0 && shown.contains("there are no orphans"), "{shown}");
}

/// Killed with SIGKILL at any of its requests to ZenML: the same command goes on where it was.
#[test]
fn killed_at_any_request_the_next_run_ends_the_work() {
    let mut killed = 0;
    for request in 0.. {
        let beds = Beds::start();
        let folders = orphaned(&beds);
        let before = keys(&beds.bench);
        let (here, held) = channel();
        beds.state.lock().unwrap().held = Some((request, here));
        let mut child = Talk::start(&beds.bench, &PRUNE);
        let mut is_asked = false;
        let is_held = loop {
            if held.recv_timeout(Duration::from_millis(10)).is_ok() {
                break true;
            }
            if child.has_ended() {
                break false;
            }
            // the census takes this many requests, then the question stands
            if !is_asked && beds.state.lock().unwrap().requests.len() == 3 && request > 2 {
                child.answer(QUESTION, "demo_store\r");
                is_asked = true;
            }
        };
        if !is_held {
            break;
        }
        child.kill();
        killed += 1;
        beds.state.lock().unwrap().held = None;
        let (shown, code) = talk(&beds.bench, &PRUNE, &[(QUESTION, "demo_store\r")]);
        assert_eq!(code, 0, "{request}: {shown}");
        assert_eq!(left(&beds, &folders), 0, "{request}: {shown}");
        expect_others_stay(&beds, &before, &folders);
    }
    assert!(killed >= 10, "the census takes some, and each of four folders two: {killed}");
}

/// The deletion of the first folder's second file is refused, or never answered and the program
/// killed, or stopped by ctrl-c: what went is told, and the same command goes on.
#[test]
fn broken_off_within_a_folder_it_tells_what_went_and_goes_on() {
    for broken in ["refused", "killed", "stopped"] {
        let beds = Beds::start();
        let folders = orphaned(&beds);
        let before = keys(&beds.bench);
        let first: Vec<_> = below(&before, &folders[1..2]).collect();
        assert!(first.len() > 1, "{first:?}");
        let (here, met) = channel();
        let mut child = Talk::start(&beds.bench, &PRUNE);
        child.wait_for(QUESTION);
        // two listings and one deletion of each folder before it; then two listings, one deletion
        let before_it = below(&before, &folders[..1]).count() as u64 + 2;
        beds.bench.faults.change_after(before_it + 3, move |faults| {
            match broken {
                "refused" => faults.deleting_denied = true,
                _ => faults.latency = Duration::from_hours(1),
            }
            here.send(()).unwrap();
        });
        child.answer(QUESTION, "demo_store\r");
        met.recv_timeout(Duration::from_secs(20)).unwrap();
        match broken {
            "killed" => child.kill(),
            other => {
                if other == "stopped" {
                    child.answer("", "\u{3}");
                }
                let (shown, code) = child.end();
                assert_eq!(code, IN_PART, "{shown}");
                let size: u64 = below(&before, &folders[..1]).map(|(_, size)| size).sum();
                let gone = format!("but for {}  1 object", units::bytes(first[0].1));
                assert!(shown.contains(&gone), "{gone}: {shown}");
                let both = units::bytes(size + first[0].1);
                assert!(shown.contains(&format!("deleted 1 folder, {both}")), "{both}: {shown}");
                assert!(shown.contains("run the same again"), "{shown}");
            }
        }
        beds.bench.faults.change(|faults| {
            faults.deleting_denied = false;
            faults.latency = Duration::ZERO;
        });
        let rest = below(&keys(&beds.bench), &folders[1..2]).count();
        assert_eq!(rest, first.len() - 1, "{broken}: it broke off in the middle");
        let (shown, code) = talk(&beds.bench, &PRUNE, &[(QUESTION, "demo_store\r")]);
        assert_eq!((code, left(&beds, &folders)), (0, 0), "{broken}: {shown}");
        expect_others_stay(&beds, &before, &folders);
    }
}

/// A run, or somebody by hand, may register the data while the question stands, or while the
/// orphans before it go.
#[test]
fn an_orphan_that_becomes_named_is_spared() {
    for while_it_runs in [false, true] {
        let beds = Beds::start();
        let spared = forget(&beds, "model:1");
        let folder = folder(&spared);
        let before = keys(&beds.bench);
        let mut child = Talk::start(&beds.bench, &PRUNE);
        child.wait_for(QUESTION);
        {
            let mut state = beds.state.lock().unwrap();
            if while_it_runs {
                // the checkpoint goes first: right before it the other one is named
                let name = |state: &mut osstack::sandbox::zenml::runs::Runs| {
                    state.versions.push(spared);
                };
                state.before = Some(("checkpoint".to_owned(), Box::new(name)));
            } else {
                state.versions.push(spared);
            }
        }
        child.answer(QUESTION, "demo_store\r");
        let (shown, code) = child.end();
        assert_eq!(code, IN_PART, "{shown}");
        assert!(shown.contains("an artifact version names it by now"), "{shown}");
        assert!(shown.contains("1 stayed"), "{shown}");
        let own = [folder];
        assert_eq!(left(&beds, &own), below(&before, &own).count(), "{shown}");
        let checkpoint = keys(&beds.bench).iter().any(|(key, _)| key.contains("/checkpoint/"));
        assert!(!checkpoint, "the other one goes: {shown}");
    }
}

#[test]
fn an_orphan_that_is_written_to_meanwhile_is_spared() {
    let beds = Beds::start();
    let own = [folder(&forget(&beds, "model:1"))];
    let before = keys(&beds.bench);
    let mut child = Talk::start(&beds.bench, &PRUNE);
    child.wait_for(QUESTION);
    put(&beds, &format!("{}/late.bin", own[0]));
    child.answer(QUESTION, "demo_store\r");
    let (shown, code) = child.end();
    assert!(code == IN_PART && shown.contains("written there since"), "{shown}");
    assert_eq!(left(&beds, &own), below(&before, &own).count() + 1, "{shown}");
    assert_eq!(beds.bench.run(&[&PRUNE[..], &["--dry-run"]].concat()).ok().out, "", "it is young");
}
