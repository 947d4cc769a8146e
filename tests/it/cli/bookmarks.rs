//! `bookmark`, and `@NAME` where a place is typed.

use serde_json::json;

use super::bench::Bench;

#[test]
fn a_bookmark_stands_for_its_place_in_every_command() {
    let bench = Bench::furnished();
    bench.write("mine", "mine");
    bench.run(&["cp", "mine", "scratch_store:runs/today/a.txt"]).ok();
    assert!(bench.run(&["bookmark"]).ok().err.contains("no bookmarks yet"));
    let added = bench.run(&["bookmark", "add", "runs", "scratch_store:runs/"]).ok();
    assert!(added.out.contains("@runs is s3://scratch-demo/"), "{added:?}");

    let listed = bench.run(&["bookmark", "list", "--json"]).ok().json();
    assert_eq!(listed["bookmarks"][0]["name"], "runs");
    assert_eq!(listed["bookmarks"][0]["store"], "scratch_store");
    assert_eq!(listed["bookmarks"][0]["problem"], json!(null));
    assert!(bench.run(&["bookmark"]).ok().out.contains("@runs"));

    assert!(bench.run(&["ls", "-r", "@runs"]).ok().out.contains("runs/today/a.txt"));
    assert_eq!(bench.run(&["cat", "@runs/today/a.txt"]).ok().out, "mine");
    bench.run(&["cp", "@runs/today/a.txt", "down/"]).ok();
    assert_eq!(bench.read("down/a.txt"), "mine");
    bench.run(&["cp", "mine", "@runs/b.txt"]).ok();
    assert_eq!(bench.run(&["cat", "scratch_store:runs/b.txt"]).ok().out, "mine");
    bench.run(&["sync", "@runs", "copy"]).ok();
    assert_eq!(bench.read("copy/today/a.txt"), "mine");
    // of a bookmark, another
    bench.run(&["bookmark", "add", "today", "@runs/today"]).ok();
    assert_eq!(bench.run(&["cat", "@today/a.txt"]).ok().out, "mine");

    let taken = bench.run(&["bookmark", "add", "runs", "scratch_store:"]);
    assert!(taken.code == 1 && taken.err.contains("there is a bookmark runs already"), "{taken:?}");
    let taken = bench.run(&["bookmark", "rename", "runs", "today"]);
    assert!(
        taken.code == 1 && taken.err.contains("there is a bookmark today already"),
        "{taken:?}"
    );
    let renamed = bench.run(&["bookmark", "rename", "@runs", "all"]).ok();
    assert!(renamed.out.contains("@runs is @all now: s3://scratch-demo/"), "{renamed:?}");
    assert_eq!(bench.run(&["cat", "@all/today/a.txt"]).ok().out, "mine");
    let gone = bench.run(&["bookmark", "rename", "runs", "other"]);
    assert!(gone.code == 1 && gone.err.contains("there is no bookmark 'runs'"), "{gone:?}");
    bench.run(&["bookmark", "rename", "all", "runs"]).ok();
    bench.run(&["bookmark", "remove", "@runs"]).ok();
    let gone = bench.run(&["ls", "@runs"]);
    assert!(gone.code == 1 && gone.err.contains("there is no bookmark 'runs'"), "{gone:?}");
    // a file that is called so
    assert!(gone.err.contains("./@runs"), "{gone:?}");
    bench.write("@runs", "a file");
    bench.run(&["cp", "./@runs", "scratch_store:at"]).ok();
    assert_eq!(bench.run(&["cat", "scratch_store:at"]).ok().out, "a file");
}

#[test]
fn bookmarks_follow_a_store_that_is_renamed() {
    let bench = Bench::furnished();
    bench.run(&["artifact-store", "rename", "scratch_store", "before"]).ok();
    assert!(!bench.path("config/bookmarks.toml").exists(), "none is made for nothing");
    let text = "# mine\n[bookmark.b]\nstore = 'before' # here\nuri = 's3://scratch-demo/x'\n\
                [bookmark.a]\nstore = 'demo_store'\nuri = 's3://zenml-demo/'\n";
    bench.write("config/bookmarks.toml", text);
    bench.run(&["artifact-store", "rename", "before", "after"]).ok();
    let followed = text.replace("'before'", "\"after\"");
    assert_eq!(bench.read("config/bookmarks.toml"), followed);
    bench.run(&["ls", "@b"]).ok();
    // what cannot be read keeps no store from its name
    bench.write("config/bookmarks.toml", "[bookmark");
    bench.run(&["artifact-store", "rename", "after", "scratch_store"]).ok();
    assert_eq!(bench.read("config/bookmarks.toml"), "[bookmark");
}

#[test]
fn one_whose_store_is_gone_says_what_to_do() {
    let bench = Bench::furnished();
    bench.run(&["bookmark", "add", "all", "scratch_store:"]).ok();
    bench.run(&["bookmark", "add", "bad name", "scratch_store:"]);
    let text = bench.read("config/bookmarks.toml");
    assert!(text.starts_with("# The bookmarks of osstack") && !text.contains("bad"), "{text}");
    // by hand: a name that osstack gives itself is followed
    bench.write("config/bookmarks.toml", &text.replace("\"scratch_store\"", "\"former\""));
    bench.run(&["artifact-store", "rename", "scratch_store", "other"]).ok();
    let gone = bench.run(&["ls", "@all"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(gone.err.contains("'former', which was removed or renamed"), "{gone:?}");
    assert!(gone.err.contains("other reaches the same bucket"), "{gone:?}");
    let listed = bench.run(&["bookmark", "--json"]).ok().json();
    assert!(listed["bookmarks"][0]["problem"].as_str().unwrap().contains("renamed"), "{listed}");

    bench.write("config/bookmarks.toml", "[bookmark");
    for command in [&["bookmark"][..], &["bookmark", "remove", "all"], &["ls", "@all"]] {
        let failed = bench.run(command);
        assert!(failed.code == 1 && failed.err.contains("cannot be read: line 1"), "{failed:?}");
    }
    assert_eq!(bench.read("config/bookmarks.toml"), "[bookmark");
    bench.run(&["ls", "other:"]).ok();
}
