//! `restore`: what is archived, and when it can be read.

use serde_json::json;

use super::bench::Bench;

#[test]
fn what_is_archived_is_asked_for_and_told_of() {
    let bench = Bench::furnished();
    std::fs::create_dir_all(bench.path("tree")).unwrap();
    for name in ["a", "b", "c"] {
        bench.write(&format!("tree/{name}"), "text");
    }
    bench.run(&["cp", "-r", "tree/", "scratch_store:tree/"]).ok();
    let plain = bench.run(&["restore", "scratch_store:tree/a"]).ok();
    assert_eq!(plain.out, "tree/a is not archived: it can be read\n");
    assert!(!bench.run(&["stat", "scratch_store:tree/a"]).ok().out.contains("restore"));

    bench.faults.change(|faults| faults.switch_on("archived=tree/").unwrap());
    let cat = bench.run(&["cat", "scratch_store:tree/a"]);
    assert!(cat.code == 1 && cat.err.contains("osstack restore"), "{cat:?}");
    let stat = bench.run(&["stat", "scratch_store:tree/a", "--json"]).ok().json();
    assert_eq!((&stat["restore"], &stat["readable_until"]), (&json!("archived"), &json!(null)));
    let looked = bench.run(&["restore", "-n", "scratch_store:tree/a"]).ok();
    assert_eq!(looked.out, "tree/a is archived\n");
    let asked = bench.run(&["restore", "scratch_store:tree/a"]).ok();
    assert_eq!(asked.out, "tree/a is asked for: it can be read in about a minute\n");
    let again = bench.run(&["restore", "scratch_store:tree/a", "--json"]).ok().json();
    assert_eq!((&again["state"], &again["storage_class"]), (&json!("ongoing"), &json!("Archive")));

    let below = bench.run(&["restore", "-r", "scratch_store:tree/", "--json"]).ok().lines();
    let states: Vec<_> = below.iter().map(|line| line["state"].clone()).collect();
    assert_eq!(states, [json!("ongoing"), json!("begun"), json!("begun"), json!(null)]);
    assert_eq!(below[3]["archived"], 3);
    assert_eq!(below[0]["location"], "scratch_store:tree/a");
    bench.faults.change(|faults| faults.switch_on("skew=1").unwrap());
    let ready = bench.run(&["restore", "scratch_store:tree/a"]).ok().out;
    assert!(ready.starts_with("tree/a can be read until 20"), "{ready}");
    assert_eq!(bench.run(&["cat", "scratch_store:tree/a"]).ok().out, "text");
    let stat = bench.run(&["stat", "scratch_store:tree/a", "--json"]).ok().json();
    assert_eq!(stat["restore"], "readable");
    assert!(stat["readable_until"].as_str().unwrap().starts_with("20"), "{stat}");

    let absent = bench.run(&["restore", "scratch_store:nothing"]);
    assert!(absent.code == 1 && absent.err.contains("there is no object"), "{absent:?}");
    for bad in [["--days", "0"], ["--days", "366"], ["--tier", "fast"]] {
        let bad = [&["restore", "scratch_store:tree/a"][..], &bad].concat();
        assert_eq!(bench.run(&bad).code, 2, "{bad:?}");
    }
}

#[test]
fn one_version_is_asked_for_by_its_id() {
    let bench = Bench::furnished();
    bench.keep_versions("scratch-demo");
    for text in ["first", "second"] {
        bench.write("k", text);
        bench.run(&["cp", "k", "scratch_store:k", "--overwrite"]).ok();
    }
    let told = bench.run(&["versions", "scratch_store:k", "--json"]).ok().lines();
    let old = told[1]["version_id"].as_str().unwrap();
    bench.faults.change(|faults| faults.switch_on("archived").unwrap());
    let asked = bench.run(&["restore", "scratch_store:k", "--version-id", old]).ok();
    assert!(asked.out.contains("is asked for"), "{asked:?}");
    let again = bench.run(&["restore", "scratch_store:k", "--version-id", old, "--json"]).ok();
    assert_eq!(again.json()["state"], "ongoing");
    let current = bench.run(&["restore", "-n", "scratch_store:k", "--json"]).ok().json();
    assert_eq!(current["state"], "archived", "the current one was not asked for");
    assert_eq!(bench.run(&["restore", "-r", "scratch_store:", "--version-id", old]).code, 2);
}

#[test]
fn a_key_that_may_not_restore_ends_it_and_says_so() {
    let bench = Bench::furnished();
    bench.write("a", "text");
    bench.run(&["cp", "a", "scratch_store:a"]).ok();
    bench.faults.change(|faults| {
        faults.switch_on("archived").unwrap();
        faults.switch_on("read-only").unwrap();
    });
    for target in [&["scratch_store:a"][..], &["-r", "scratch_store:"]] {
        let denied = bench.run(&[&["restore"][..], target].concat());
        assert!(denied.code == 1 && denied.err.contains("cannot restore the object"), "{denied:?}");
    }
}
