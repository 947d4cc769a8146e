//! `versions`, `revert` and `--version-id`.

use serde_json::{Value, json};

use super::bench::Bench;

/// Ids and kinds of all versions of `target`, the newest first.
fn versions(bench: &Bench, target: &str) -> Vec<(String, String, bool)> {
    let told = bench.run(&["versions", target, "--json"]).ok().lines();
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    told.iter()
        .map(|line| {
            (text(line, "type"), text(line, "version_id"), line["is_latest"].as_bool().unwrap())
        })
        .collect()
}

#[test]
fn an_older_version_is_read_brought_here_and_made_current() {
    let bench = Bench::furnished();
    bench.keep_versions("scratch-demo");
    let object = "scratch_store:dir/k";
    for text in ["first", "second"] {
        bench.write("k", text);
        bench.run(&["cp", "k", object, "--overwrite"]).ok();
    }
    let told = versions(&bench, object);
    assert_eq!((told.len(), told[0].2, told[1].2), (2, true, false), "{told:?}");
    let old = told[1].1.as_str();
    let plain = bench.run(&["versions", object]).ok().out;
    assert!(plain.lines().nth(1).unwrap().contains(old), "{plain}");
    assert_eq!(bench.run(&["cat", object]).ok().out, "second");
    assert_eq!(bench.run(&["cat", object, "--version-id", old]).ok().out, "first");
    let stat = bench.run(&["stat", object, "--version-id", old, "--json"]).ok().json();
    assert_eq!((&stat["size"], &stat["version_id"]), (&json!(5), &json!(old)));
    bench.run(&["cp", object, "old.txt", "--version-id", old]).ok();
    assert_eq!(bench.read("old.txt"), "first");
    let link = bench.run(&["presign", object, "--version-id", old]).ok().out;
    assert!(link.contains("versionId="), "{link}");
    let usage = bench.run(&["cp", "k", object, "--version-id", old]);
    assert!(usage.code == 2 && usage.err.contains("osstack revert"), "{usage:?}");

    bench.run(&["revert", object, "--version-id", old]).ok();
    assert_eq!(bench.run(&["cat", object]).ok().out, "first");
    assert_eq!(versions(&bench, object).len(), 3);
    let absent = bench.run(&["cat", object, "--version-id", "CAEQ0"]);
    assert_eq!(absent.code, 1, "{absent:?}");
}

#[test]
fn a_deletion_is_taken_back_and_a_version_goes_for_good() {
    let bench = Bench::furnished();
    bench.keep_versions("scratch-demo");
    let object = "scratch_store:k";
    bench.write("k", "text");
    bench.run(&["cp", "k", object]).ok();
    let early = bench.run(&["revert", object]);
    assert!(early.code == 1 && early.err.contains("not deleted"), "{early:?}");
    let gone = bench.run(&["rm", object]).ok();
    assert!(gone.err.contains("osstack revert scratch_store:k takes it back"), "{gone:?}");
    assert_eq!(bench.run(&["cat", object]).code, 1);
    let told = versions(&bench, object);
    assert_eq!((told[0].0.as_str(), told[1].0.as_str()), ("delete_marker", "version"));
    // also while it is deleted
    assert_eq!(bench.run(&["cat", object, "--version-id", &told[1].1]).ok().out, "text");
    bench.run(&["cp", object, "back.txt", "--version-id", &told[1].1]).ok();
    assert_eq!(bench.read("back.txt"), "text");
    let back = bench.run(&["revert", object, "--json"]).ok().json();
    assert_eq!(back["markers_removed"], 1);
    assert_eq!(bench.run(&["cat", object]).ok().out, "text");

    let id = told[1].1.as_str();
    let would = bench.run(&["rm", object, "--version-id", id, "-n"]).ok().out;
    assert!(would.starts_with("would delete version CAEQ"), "{would}");
    bench.run(&["rm", object, "--version-id", id]).ok();
    assert_eq!(versions(&bench, object), []);
    let nothing = bench.run(&["revert", object]);
    assert!(nothing.code == 1 && nothing.err.contains("no version of it is left"), "{nothing:?}");
}

#[test]
fn what_a_key_may_not_ask_is_not_taken_for_kept() {
    let bench = Bench::furnished();
    bench.keep_versions("scratch-demo");
    let object = "scratch_store:k";
    for text in ["first", "second"] {
        bench.write("k", text);
        bench.run(&["cp", "k", object, "--overwrite"]).ok();
    }
    let old = versions(&bench, object)[1].1.clone();
    bench.faults.change(|faults| faults.versioning_denied = true);
    let revert = bench.run(&["revert", object, "--version-id", &old]);
    assert!(revert.code == 1 && revert.err.contains("might be lost"), "{revert:?}");
    assert!(revert.err.contains("osstack cp --version-id"), "{revert:?}");
    assert_eq!(bench.run(&["cat", object]).ok().out, "second");
    // a deletion loses nothing, and the marker itself says that it can be taken back
    let gone = bench.run(&["rm", object]).ok();
    assert!(gone.err.contains("osstack revert"), "{gone:?}");
    bench.run(&["revert", object]).ok();
    assert_eq!(bench.run(&["cat", object]).ok().out, "second");
}

#[test]
fn a_bucket_that_keeps_none_says_so_and_loses_nothing_to_a_revert() {
    let bench = Bench::furnished();
    bench.write("k", "text");
    bench.run(&["cp", "k", "scratch_store:k"]).ok();
    let told = bench.run(&["versions", "scratch_store:k"]).ok();
    assert!(told.out.contains("null") && told.err.contains("keeps no versions"), "{told:?}");
    let revert = bench.run(&["revert", "scratch_store:k", "--version-id", "null"]);
    assert!(revert.code == 1 && revert.err.contains("would be lost"), "{revert:?}");
    let gone = bench.run(&["rm", "scratch_store:k"]).ok();
    assert!(!gone.err.contains("revert"), "{gone:?}");
}
