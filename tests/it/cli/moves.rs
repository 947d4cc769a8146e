//! `mv` and `sync`: what goes, what stays, what is left as it is.

use serde_json::{Value, json};

use super::bench::{Bench, Ran};

fn summary(ran: &Ran) -> Value {
    ran.lines().last().cloned().unwrap()
}

fn kinds(ran: &Ran) -> Vec<String> {
    ran.lines().iter().map(|line| line["type"].as_str().unwrap().to_owned()).collect()
}

/// The keys of the scratch store below `prefix`.
fn keys(bench: &Bench, prefix: &str) -> Vec<String> {
    let listed = bench.run(&["ls", "-r", &format!("scratch_store:{prefix}"), "--json"]).ok();
    listed.lines().iter().map(|line| line["key"].as_str().unwrap().to_owned()).collect()
}

fn tree(bench: &Bench) {
    std::fs::create_dir_all(bench.path("tree/sub")).unwrap();
    bench.write("tree/a.txt", "first");
    bench.write("tree/sub/b.txt", "second");
}

#[test]
fn what_is_moved_is_there_and_not_here() {
    let bench = Bench::furnished();
    tree(&bench);
    let planned = bench.run(&["mv", "-n", "-r", "tree/", "scratch_store:up/"]).ok();
    assert!(planned.out.contains("would move tree/a.txt"), "{planned:?}");
    assert!(bench.path("tree/a.txt").exists());
    let ran = bench.run(&["mv", "-r", "tree/", "scratch_store:up/"]).ok();
    assert!(ran.out.contains("moved tree/a.txt -> scratch_store:up/a.txt"), "{ran:?}");
    assert!(!bench.path("tree/a.txt").exists() && !bench.path("tree/sub/b.txt").exists());

    let ran = bench.run(&["mv", "scratch_store:up/a.txt", "scratch_store:other", "--json"]).ok();
    assert_eq!(ran.lines()[0]["type"], "moved");
    assert_eq!(ran.lines()[0]["proof"], "crc64", "{ran:?}");
    assert_eq!(bench.run(&["cat", "scratch_store:other"]).ok().out, "first");
    assert_eq!(bench.run(&["stat", "scratch_store:up/a.txt"]).code, 1);

    bench.run(&["mv", "-r", "scratch_store:up/", "down/"]).ok();
    assert_eq!(bench.read("down/sub/b.txt"), "second");
    assert_eq!(keys(&bench, "up/"), [""; 0]);
}

#[test]
fn folders_that_a_move_empties_go_as_well() {
    let bench = Bench::furnished();
    tree(&bench);
    for folder in ["tree/was_empty", "tree/sub/deep", "tree/mixed", "away"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
    }
    bench.write("tree/sub/deep/c.txt", "third");
    bench.write("tree/mixed/d.txt", "fourth");
    std::os::unix::fs::symlink(bench.path("away"), bench.path("tree/mixed/link")).unwrap();
    let planned = bench.run(&["mv", "-n", "-r", "tree", "scratch_store:up/"]);
    let would = "would remove the folder tree/sub/deep: all of it is moved\n\
                 would remove the folder tree/sub: all of it is moved\n";
    assert!(planned.out.ends_with(would), "{planned:?}");
    let ran = bench.run(&["mv", "-r", "tree", "scratch_store:up/", "--json"]);
    assert_eq!(ran.code, 4, "the link is skipped: {ran:?}");
    let gone: Vec<_> =
        ran.lines().into_iter().filter(|line| line["type"] == "removed-folder").collect();
    assert_eq!(
        gone.iter().map(|line| &line["path"]).collect::<Vec<_>>(),
        ["tree/sub/deep", "tree/sub"]
    );
    assert!(!bench.path("tree/sub").exists());
    for stays in ["tree/was_empty", "tree/mixed/link", "away"] {
        assert!(bench.path(stays).exists(), "{stays}");
    }

    // the root goes where it was named itself, and stays where what is in it was
    for (source, stays) in [("roots/", true), ("roots", false)] {
        std::fs::create_dir_all(bench.path("roots/in")).unwrap();
        bench.write("roots/in/x", "x");
        bench.run(&["mv", "-r", "--overwrite", source, "scratch_store:r/"]).ok();
        assert_eq!(bench.path("roots").exists(), stays, "{source}");
        assert!(!bench.path("roots/in").exists());
    }
    // what cannot be moved keeps its folder
    tree(&bench);
    bench.run(&["cp", "tree/a.txt", "scratch_store:t/sub/b.txt"]).ok();
    bench.run(&["mv", "-r", "tree/", "scratch_store:t/"]);
    assert_eq!(bench.read("tree/sub/b.txt"), "second");
    // a copy leaves all of them
    bench.run(&["cp", "-r", "tree/", "scratch_store:c/"]);
    assert!(bench.path("tree/sub").exists());
}

#[test]
fn what_could_not_be_moved_stays() {
    let bench = Bench::furnished();
    tree(&bench);
    bench.write("mine", "mine");
    bench.run(&["cp", "mine", "scratch_store:taken"]).ok();
    let taken = bench.run(&["mv", "tree/a.txt", "scratch_store:taken"]);
    assert_eq!(taken.code, 4, "{taken:?}");
    assert_eq!(bench.read("tree/a.txt"), "first");

    // onto itself, by either name of the bucket
    for to in ["scratch_store:taken", "s3://scratch-demo/taken"] {
        let itself = bench.run(&["mv", "--overwrite", "scratch_store:taken", to]);
        assert_ne!(itself.code, 0, "{itself:?}");
        assert_eq!(bench.run(&["cat", "scratch_store:taken"]).ok().out, "mine");
    }
    bench.run(&["cp", "mine", "scratch_store:d/1"]).ok();
    bench.run(&["cp", "tree/a.txt", "scratch_store:d/d/1"]).ok();
    let nested = bench.run(&["mv", "-r", "--overwrite", "scratch_store:d/", "scratch_store:d/d/"]);
    assert_eq!(nested.code, 4, "{nested:?}");
    assert!(nested.err.contains("is itself among what is copied"), "{nested:?}");
    assert_eq!(bench.run(&["cat", "scratch_store:d/1"]).ok().out, "mine");
    assert_eq!(bench.run(&["cat", "scratch_store:d/d/d/1"]).ok().out, "first");

    // a link is no file: what it leads to is not touched
    std::os::unix::fs::symlink(bench.path("mine"), bench.path("link")).unwrap();
    let link = bench.run(&["mv", "link", "scratch_store:linked"]);
    assert_eq!(link.code, 1, "{link:?}");
    assert_eq!(bench.read("mine"), "mine");
}

#[test]
fn a_source_that_may_not_be_deleted_stays_and_is_named() {
    let bench = Bench::furnished();
    bench.write("x", "x");
    bench.run(&["cp", "x", "scratch_store:x"]).ok();
    bench.faults.change(|faults| faults.deleting_denied = true);
    let ran = bench.run(&["mv", "scratch_store:x", "y", "--json"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(kinds(&ran), ["copied", "left", "summary"]);
    assert_eq!(summary(&ran)["left"], 1);
    assert_eq!(bench.read("y"), "x");
    assert_eq!(bench.run(&["cat", "scratch_store:x"]).ok().out, "x");
}

#[test]
fn sync_copies_what_differs_and_leaves_the_rest() {
    let bench = Bench::furnished();
    tree(&bench);
    let up = ["sync", "tree", "scratch_store:s", "--json"];
    let first = bench.run(&up).ok();
    assert_eq!(summary(&first)["copied"], 2, "{first:?}");
    let again = bench.run(&up).ok();
    assert_eq!((&summary(&again)["copied"], &summary(&again)["same"]), (&json!(0), &json!(2)));

    // another size; the same size and newer; only touched
    bench.write("tree/a.txt", "first and more");
    bench.write("tree/sub/c.txt", "third");
    bench.write("tree/sub/b.txt", "SECOND");
    for name in ["tree/sub/b.txt", "tree/sub/c.txt"] {
        let file = std::fs::File::options().write(true).open(bench.path(name)).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.set_modified(modified + std::time::Duration::from_hours(1)).unwrap();
    }
    let seen = bench.run(&["sync", "-n", "tree", "scratch_store:s"]).ok();
    let lines: Vec<&str> = seen.out.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    let to = |name: &str| format!("scratch_store:s/{name}");
    assert_eq!(lines, [to("sub/c.txt"), to("a.txt"), to("sub/b.txt")], "{seen:?}");
    let ran = bench.run(&up).ok();
    assert_eq!(summary(&ran)["copied"], 3, "{ran:?}");
    let touched = bench.run(&up).ok();
    assert_eq!(summary(&touched)["same"], 3, "the bytes are the same: {touched:?}");

    // and back
    let ran = bench.run(&["sync", "scratch_store:s", "back", "--json"]).ok();
    assert_eq!(summary(&ran)["copied"], 3, "{ran:?}");
    assert_eq!(bench.read("back/sub/b.txt"), "SECOND");
    let again = bench.run(&["sync", "scratch_store:s", "back", "--json"]).ok();
    assert_eq!(summary(&again)["same"], 3, "{again:?}");
    // a change that keeps size and time is seen by its checksum
    bench.write("back/sub/b.txt", "sECOND");
    let blind = bench.run(&["sync", "scratch_store:s", "back", "--json"]).ok();
    assert_eq!(summary(&blind)["same"], 3);
    let seen = bench.run(&["sync", "--checksum", "scratch_store:s", "back", "--json"]).ok();
    assert_eq!(summary(&seen)["copied"], 1);
    assert_eq!(bench.read("back/sub/b.txt"), "SECOND");
    // between buckets and prefixes
    let ran = bench.run(&["sync", "scratch_store:s", "scratch_store:t", "--json"]).ok();
    assert_eq!(summary(&ran)["copied"], 3, "{ran:?}");
    let again = bench.run(&["sync", "--checksum", "scratch_store:s", "scratch_store:t", "--json"]);
    assert_eq!(summary(&again.ok())["same"], 3);
}

#[test]
fn sync_deletes_only_where_that_was_said() {
    let bench = Bench::furnished();
    tree(&bench);
    bench.run(&["sync", "tree", "scratch_store:s"]).ok();
    bench.write("extra", "extra");
    for key in ["extra", "sub/extra", "keep.log", "folder/"] {
        bench.run(&["cp", "extra", &format!("scratch_store:s/{key}")]).ok();
    }
    let kept = bench.run(&["sync", "tree", "scratch_store:s"]).ok();
    assert!(!kept.out.contains("delete"), "{kept:?}");
    let words = ["sync", "tree", "scratch_store:s", "--delete", "--exclude", "*.log", "--json"];
    assert_eq!(bench.run(&words).code, 2, "nobody is there to confirm it");
    let seen = bench.run(&[&words[..], &["-n"]].concat()).ok();
    assert_eq!(summary(&seen)["extra"], 3, "{seen:?}");
    let ran = bench.run(&[&words[..], &["--yes"]].concat()).ok();
    assert_eq!((&summary(&ran)["deleted"], &summary(&ran)["same"]), (&json!(3), &json!(2)));
    assert_eq!(keys(&bench, "s/"), ["s/a.txt", "s/keep.log", "s/sub/b.txt"]);

    // on this machine: the empty folder goes too, what a link leads to does not
    bench.run(&["sync", "scratch_store:s", "back"]).ok();
    std::fs::create_dir(bench.path("back/old")).unwrap();
    bench.write("back/old/x", "x");
    std::os::unix::fs::symlink(bench.path("tree"), bench.path("back/link")).unwrap();
    let ran = bench.run(&["sync", "scratch_store:s", "back", "--delete", "--yes"]).ok();
    assert!(!bench.path("back/old").exists(), "{ran:?}");
    assert!(bench.path("tree/a.txt").exists() && bench.path("back/link").exists());
}

#[test]
fn sync_refuses_what_would_lose_everything() {
    let bench = Bench::furnished();
    tree(&bench);
    bench.run(&["sync", "tree", "scratch_store:s"]).ok();
    std::fs::create_dir(bench.path("empty")).unwrap();
    let empty = bench.run(&["sync", "empty", "scratch_store:s", "--delete", "--yes"]);
    assert_eq!(empty.code, 2, "{empty:?}");
    let typo = bench.run(&["sync", "scratch_store:typo", "tree", "--delete", "--yes"]);
    assert_eq!(typo.code, 2, "{typo:?}");
    let nested = bench.run(&["sync", "scratch_store:s", "scratch_store:s/in"]);
    assert_eq!(nested.code, 2, "{nested:?}");
    let nested = bench.run(&["sync", "scratch_store:s/sub", "s3://scratch-demo/s"]);
    assert_eq!(nested.code, 2, "{nested:?}");
    let nowhere = bench.run(&["sync", "nowhere", "scratch_store:s", "--delete", "--yes"]);
    assert_eq!(nowhere.code, 1, "{nowhere:?}");
    assert_eq!(keys(&bench, "s/").len(), 2);
    // what cannot be read at the source is not taken for gone
    std::os::unix::fs::symlink("/nowhere", bench.path("tree/link")).unwrap();
    bench.run(&["cp", "tree/a.txt", "scratch_store:s/link"]).ok();
    let careful = bench.run(&["sync", "tree", "scratch_store:s", "--delete", "--yes"]);
    assert!(careful.err.contains("nothing is deleted"), "{careful:?}");
    assert_eq!(keys(&bench, "s/").len(), 3);
}

/// From eight copies on the destination is listed once instead: what is taken is still left alone.
#[test]
fn many_copies_replace_nothing_either() {
    let bench = Bench::furnished();
    std::fs::create_dir(bench.path("many")).unwrap();
    for number in 0..20 {
        bench.write(&format!("many/{number:02}"), "new");
    }
    bench.write("mine", "mine");
    bench.run(&["cp", "mine", "scratch_store:m/07"]).ok();
    let ran = bench.run(&["cp", "-r", "many/", "scratch_store:m/", "--json"]);
    assert_eq!((&summary(&ran)["copied"], &summary(&ran)["skipped"]), (&json!(19), &json!(1)));
    assert_eq!(bench.run(&["cat", "scratch_store:m/07"]).ok().out, "mine");
    // whoever may not list may write all the same
    bench.faults.change(|faults| faults.listing_denied = true);
    let ran = bench.run(&["cp", "-r", "many/", "scratch_store:m/", "--json"]);
    assert_eq!((&summary(&ran)["copied"], &summary(&ran)["skipped"]), (&json!(0), &json!(20)));
    bench.faults.change(|faults| faults.listing_denied = false);
    assert_eq!(bench.run(&["cat", "scratch_store:m/07"]).ok().out, "mine");
    bench.run(&["cp", "-r", "scratch_store:m/", "back/"]).ok();
    assert_eq!(std::fs::read_dir(bench.path("back")).unwrap().count(), 20);
}

#[test]
fn keys_that_the_disk_takes_for_one_name_are_named_before_anything_is_written() {
    let bench = Bench::furnished();
    for (file, key) in [("one", "t/README"), ("two", "t/readme")] {
        bench.write(file, file);
        bench.run(&["cp", file, &format!("scratch_store:{key}")]).ok();
    }
    bench.run(&["cp", "-r", "scratch_store:t/", "both/"]).ok();
    assert_eq!(
        (bench.read("both/README"), bench.read("both/readme")),
        ("one".into(), "two".into())
    );

    // one file under both names, as a disk that folds case seems to have
    std::fs::create_dir(bench.path("folding")).unwrap();
    bench.write("folding/probe", "");
    std::fs::hard_link(bench.path("folding/probe"), bench.path("folding/PROBE")).unwrap();
    let said = "skipped scratch_store:t/readme: on this disk its name is that of \
                scratch_store:t/README, which is copied: copy this one by itself";
    let planned = bench.run(&["cp", "-n", "-r", "scratch_store:t/", "folding/new/"]).ok();
    assert!(planned.err.contains(said), "{planned:?}");
    assert!(!bench.path("folding/new").exists());
    let ran = bench.run(&["cp", "-r", "--overwrite", "scratch_store:t/", "folding/new/"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains(said), "{ran:?}");
    assert_eq!(bench.read("folding/new/README"), "one");
    assert!(!bench.path("folding/new/readme").exists());
}
