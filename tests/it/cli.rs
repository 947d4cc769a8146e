//! The command line as users and scripts meet it: the real program, a folder of its own and no
//! other environment, a sandbox to talk to.

mod bad_input;
pub(crate) mod bench;
mod bookmarks;
mod moves;
mod pages;
mod restore;
mod sources;
pub(crate) mod terminal;
mod versions;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use bench::{Bench, Ran, stop};

const KEY: &str = r#"{"access_key_id": "LTAI5tSandboxSandbox0001",
    "secret_access_key": "sandboxSANDBOX0123456789secret"}"#;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn from_a_key_to_a_plan() {
    let bench = Bench::empty();
    bench.feed(&["secret", "create", "alibaba_secret", "--stdin"], KEY).ok();
    let endpoint = bench.sandbox.endpoint.clone();
    let register = ["artifact-store", "register", "alibaba_store", "--bucket", "zenml-demo"];
    let rest = ["--prefix", "zenml", "--secret", "alibaba_secret", "--region", "sandbox"];
    let store =
        bench.run(&[&register[..], &rest, &["--endpoint", &endpoint, "--json"]].concat()).ok();
    assert_eq!(store.json()["zenml"]["client_kwargs"]["endpoint_url"], json!(endpoint));
    bench.run(&["stack", "register", "custom_stack", "-a", "alibaba_store", "-o", "default"]).ok();

    let check = bench.run(&["check", "custom_stack", "--json"]).ok().json();
    assert_eq!(check["subject"], "stack/custom_stack");
    // as on OSS itself: the newest botocore cannot delete many at once
    assert_eq!(check["outcome"], "warned", "{check}");
    assert!(check["checks"].as_array().unwrap().len() > 10);
    let rung =
        ["id", "state", "ms", "summary", "facts", "error", "because", "next", "steps", "fix"];
    assert_eq!(keys(&check["checks"][0]), rung);
    let all = bench.run(&["check", "--all"]).ok();
    assert!(all.out.starts_with("store/alibaba_store\n"), "{}", all.out);
    assert!(all.out.contains("store/alibaba_store: warned"), "{}", all.out);
    let all = bench.run(&["check", "--all", "--json"]).ok();
    assert_eq!(all.lines().len(), 1, "no heading: {all:?}");

    let plan = bench.run(&["plan", "custom_stack", "--json"]).ok().json();
    let steps: Vec<_> = plan["steps"].as_array().unwrap().iter().map(|s| &s["kind"]).collect();
    assert_eq!(steps, ["secret", "artifact_store", "stack"]);
    let script = bench.run(&["plan", "custom_stack", "--script"]).ok().out;
    assert!(script.starts_with("#!/bin/sh\n") && script.contains("zenml stack register"));
    assert!(!script.contains("0123456789secret"));

    let secret = bench.run(&["secret", "get", "alibaba_secret", "--json"]).ok();
    assert_eq!(secret.json()["used_by"], json!(["alibaba_store"]));
    assert!(!secret.out.contains("0123456789secret"));
    for verb in [["secret", "list"], ["store", "list"], ["stack", "list"]] {
        assert!(bench.run(&verb).ok().out.contains("alibaba_"), "{verb:?}");
    }
    let in_use = bench.run(&["secret", "delete", "alibaba_secret", "--yes"]);
    assert_eq!(in_use.code, 1);
    assert!(in_use.err.contains("alibaba_store"), "{}", in_use.err);
}

#[test]
fn what_lies_in_a_bucket() {
    let bench = Bench::demo();
    let page = bench.run(&["ls", "demo_store:", "--json"]).ok();
    let line = ["type", "key", "size", "last_modified", "etag", "storage_class", "location"];
    for entry in page.lines() {
        assert_eq!(keys(&entry), line);
        assert!(entry["key"].as_str().unwrap().starts_with("zenml/"), "{entry}");
    }
    let all = bench.run(&["ls", "s3://zenml-demo/zenml", "-r", "--json"]).ok().lines();
    let object = all.iter().find(|entry| entry["size"].as_u64() > Some(0)).unwrap();
    let key = object["key"].as_str().unwrap();
    let uri = format!("s3://zenml-demo/{key}");
    for entry in &all {
        let location = entry["location"].as_str().unwrap();
        assert!(location.starts_with("demo_store:"), "{entry}");
        assert_eq!(format!("zenml/{}", &location["demo_store:".len()..]), entry["key"]);
    }
    let location = object["location"].as_str().unwrap();
    let by_location = bench.run(&["stat", location, "--json"]).ok().json();
    assert_eq!(
        (&by_location["key"], &by_location["location"]),
        (&object["key"], &object["location"])
    );
    let plain = bench.run(&["stat", &uri]).ok().out;
    assert!(plain.lines().any(|line| line.starts_with("location") && line.ends_with(location)));

    let stat = bench.run(&["stat", &uri, "--json"]).ok().json();
    assert_eq!((&stat["key"], &stat["size"]), (&object["key"], &object["size"]));
    let cat = bench.run(&["cat", &uri]).ok();
    assert_eq!(cat.bytes.len() as u64, object["size"].as_u64().unwrap());
    let du = bench.run(&["du", "demo_store:", "--json"]).ok().json();
    assert_eq!(du["objects"], json!(all.len()));
    let each = bench.run(&["du", "--each", "demo_store:", "--json"]).ok().lines();
    let (total, parts) = each.split_last().unwrap();
    let sum = |name: &str| parts.iter().filter_map(|part| part[name].as_u64()).sum::<u64>();
    assert_eq!(total["objects"], json!(sum("objects")));
    assert_eq!(total["bytes"], json!(sum("bytes")));
    assert!(parts.is_sorted_by_key(|part| std::cmp::Reverse(part["bytes"].as_u64())));
    let uploads = bench.run(&["uploads", "demo_store:"]).ok().out;
    assert_eq!(uploads, "no upload below demo_store: is unfinished\n");

    let url = bench.run(&["presign", &uri, "--expires", "15m"]).ok().out;
    assert!(get(url.trim()).ends_with(&cat.bytes), "the link gives the object");

    bench.run(&["mb", "scratch_store"]).ok();
    let absent = bench.run(&["stat", "demo_store:nothing-here", "--json"]);
    assert_eq!(absent.code, 1);
    let failure = ["kind", "summary", "code", "ec", "request_id", "hints"];
    assert_eq!(keys(&absent.json()["error"]), failure);
    assert_eq!(absent.json()["error"]["kind"], "not-found");
    for verb in ["stat", "cat", "rm"] {
        for target in ["demo_store:nothing-here", "s3://zenml-demo/zenml/nothing-here"] {
            let absent = bench.run(&[verb, target]);
            let said = "there is no object demo_store:nothing-here";
            assert!(absent.code == 1 && absent.err.contains(said), "{absent:?}");
            assert!(absent.err.contains("osstack ls demo_store:"), "{absent:?}");
        }
    }
    let nothing = bench.run(&["ls", "demo_store:nothing-here/"]).ok();
    assert_eq!(nothing.out, "");
    assert_eq!(nothing.err, "there is nothing below demo_store:nothing-here/\n");
}

/// The answer to a plain GET, which only this machine's loopback is asked.
fn get(url: &str) -> Vec<u8> {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let port = host.rsplit(':').next().unwrap();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn copies_go_both_ways_and_replace_nothing() {
    let bench = Bench::furnished();
    let source = bench.path("source");
    std::fs::create_dir_all(source.join("sub")).unwrap();
    bench.write("source/a.txt", "first");
    bench.write("source/sub/b.txt", "second");
    let folder = format!("{}/", source.display());
    bench.run(&["cp", "-r", &folder, "scratch_store:up/"]).ok();
    bench.run(&["cp", "scratch_store:up/a.txt", "scratch_store:copied.txt"]).ok();
    assert_eq!(bench.run(&["cat", "scratch_store:copied.txt"]).ok().out, "first");

    let down = bench.path("down");
    let down = down.to_str().unwrap();
    let planned = bench.run(&["cp", "-n", "-r", "scratch_store:up/", down]).ok();
    assert!(planned.out.contains("would copy") && !bench.path("down").exists());
    bench.run(&["cp", "-r", "scratch_store:up/", down]).ok();
    assert_eq!(bench.read("down/sub/b.txt"), "second");

    // one name is taken: that one is skipped with its reason, the other one arrives
    std::fs::remove_file(bench.path("down/sub/b.txt")).unwrap();
    bench.write("down/a.txt", "mine");
    let again = bench.run(&["cp", "-r", "scratch_store:up/", down, "--json"]);
    assert_eq!(again.code, 4, "{again:?}");
    assert_eq!(
        (bench.read("down/a.txt"), bench.read("down/sub/b.txt")),
        ("mine".into(), "second".into())
    );
    let kinds: Vec<_> = again.lines().iter().map(|line| line["type"].clone()).collect();
    assert_eq!(kinds, ["copied", "skipped", "summary"]);
    let up = bench.run(&["cp", &format!("{folder}a.txt"), "scratch_store:copied.txt"]);
    assert_eq!(up.code, 4);
    assert!(up.err.contains("scratch_store:copied.txt is there already"), "{}", up.err);
    assert!(up.err.contains("--overwrite replaces it"), "{}", up.err);
    bench.run(&["cp", "--overwrite", &format!("{down}/a.txt"), "scratch_store:copied.txt"]).ok();
    assert_eq!(bench.run(&["cat", "scratch_store:copied.txt"]).ok().out, "mine");

    let some = bench.run(&["cp", "-n", "-r", "scratch_store:up/", down, "--exclude", "b*"]).ok();
    assert!(some.out.contains("a.txt") && !some.out.contains("b.txt"), "{some:?}");
    let some = bench.run(&["cp", "-n", "-r", &folder, "scratch_store:", "--include", "a.*"]).ok();
    assert!(some.out.contains("a.txt") && !some.out.contains("b.txt"), "{some:?}");
    let many = bench.run(&["cp", &folder, &folder, "scratch_store:name"]);
    assert_eq!(many.code, 2, "several into one name");
    let nothing = bench.run(&["cp", "-r", "scratch_store:nowhere/", down]);
    assert_eq!(nothing.code, 1);
}

#[test]
fn keys_that_lead_elsewhere_stay_below_the_folder() {
    let bench = Bench::furnished();
    bench.write("x", "x");
    let x = bench.path("x");
    let x = x.to_str().unwrap();
    for key in ["tree/../../escaped", "tree/a", "tree/a/b", "tree/\u{1b}[2J"] {
        bench.run(&["cp", x, &format!("scratch_store:{key}")]).ok();
    }
    let down = bench.path("in/down");
    let ran = bench.run(&["cp", "-r", "scratch_store:tree/", down.to_str().unwrap()]);
    assert_eq!(ran.code, 4, "`a` is a file and a folder: {ran:?}");
    assert!(!bench.path("escaped").exists() && !bench.path("in/escaped").exists());
    assert!(down.join(".%2E/.%2E/escaped").exists(), "{ran:?}");
    assert!(down.join("a/b").exists());
    for shown in [&ran.out, &ran.err, &bench.run(&["ls", "-r", "scratch_store:"]).ok().out] {
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn deleting_is_confirmed_by_a_word() {
    let bench = Bench::furnished();
    bench.write("x", "x");
    let x = bench.path("x");
    for key in ["d/1", "d/2", "keep"] {
        bench.run(&["cp", x.to_str().unwrap(), &format!("scratch_store:{key}")]).ok();
    }
    assert_eq!(bench.run(&["rm", "-r", "scratch_store:d/"]).code, 2);
    let seen = bench.run(&["rm", "-r", "-n", "scratch_store:d/"]).ok();
    assert_eq!(seen.out.lines().count(), 2);
    bench.faults.change(|faults| faults.writing_denied = true);
    let denied = bench.run(&["rm", "-r", "--yes", "scratch_store:d/", "--json"]);
    assert_eq!(denied.code, 1, "{denied:?}");
    let told = denied.lines();
    let summary = told.iter().find(|line| line["type"] == "summary").unwrap();
    assert_eq!((&summary["deleted"], &summary["left"]), (&json!(0), &json!(2)), "{told:?}");
    bench.faults.change(|faults| faults.writing_denied = false);
    let gone = bench.run(&["rm", "-r", "--yes", "scratch_store:d/", "--json"]).ok();
    assert_eq!(gone.lines().last().unwrap()["deleted"], 2);
    let one = bench.run(&["rm", "-r", "--yes", "scratch_store:keep"]).ok();
    assert_eq!(one.err, "deleted 1 object\n");
    bench.run(&["cp", x.to_str().unwrap(), "scratch_store:keep"]).ok();
    bench.run(&["rm", "scratch_store:keep"]).ok();
    assert_eq!(bench.run(&["rm", "scratch_store:keep"]).code, 1, "it is gone already");
}

#[test]
fn catalog_entries_change_and_keep_their_comments() {
    let bench = Bench::furnished();
    let mut text = bench.read("config/stacks.toml");
    text.push_str("\n# mine\n");
    bench.write("config/stacks.toml", &text);
    bench.run(&["store", "update", "demo_store", "--signature", "v4"]).ok();
    let store = bench.run(&["store", "describe", "demo_store", "--json"]).ok().json();
    assert_eq!(store["signature"], "v4");
    bench.run(&["stack", "rename", "demo_stack", "renamed"]).ok();
    bench.run(&["stack", "copy", "renamed", "second"]).ok();
    bench.run(&["stack", "update", "second", "-c", "alerter=slack", "--protected"]).ok();
    let stack = bench.run(&["stack", "describe", "second", "--json"]).ok().json();
    assert_eq!(stack["components"]["alerter"], json!(["slack"]));
    assert_eq!(bench.run(&["stack", "delete", "second"]).code, 2, "it is protected");
    bench.run(&["stack", "delete", "second", "--yes"]).ok();
    assert_eq!(bench.run(&["store", "delete", "demo_store"]).code, 1, "a stack uses it");
    assert_eq!(
        bench
            .run(&[
                "store",
                "register",
                "demo_store",
                "--bucket",
                "abc",
                "--secret",
                "s",
                "--region",
                "eu-central-1"
            ])
            .code,
        1,
        "the name is taken"
    );
    assert!(bench.read("config/stacks.toml").contains("# mine"));
}

#[test]
fn what_gets_another_name_keeps_what_names_it() {
    let bench = Bench::furnished();
    let named = |words: &[&str]| bench.run(&[words, &["--json"]].concat()).ok().json();
    let store = named(&["stack", "describe", "demo_stack"])["components"]["artifact_store"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let secret =
        named(&["artifact-store", "describe", &store])["secret"].as_str().unwrap().to_owned();
    let said = bench.run(&["secret", "rename", &secret, "key_two"]).ok().out;
    assert!(said.contains("the next commit renames it there"), "{said}");
    assert_eq!(named(&["artifact-store", "describe", &store])["secret"], "key_two");
    bench.run(&["ls", &format!("{store}:")]).ok();
    bench.run(&["artifact-store", "rename", &store, "store_two"]).ok();
    let stack = named(&["stack", "describe", "demo_stack"]);
    assert_eq!(stack["components"]["artifact_store"][0], "store_two");
    let said = bench.run(&["stack", "rename", "demo_stack", "stack_two"]).ok().err;
    assert!(said.contains("demo_stack is called stack_two here"), "{said}");
    for words in [
        ["secret", "rename", "no_such", "x"],
        ["artifact-store", "rename", &store, "x"],
        ["stack", "rename", "demo_stack", "x"],
    ] {
        assert_eq!(bench.run(&words).code, 1, "{words:?}");
    }
}

#[test]
fn the_region_table() {
    let bench = Bench::empty();
    let all = bench.run(&["regions", "--json"]).ok().json();
    assert!(all["regions"].as_array().unwrap().len() > 40);
    let one = bench.run(&["regions", "frankfurt"]).ok().out;
    assert!(one.contains("oss-eu-central-1") && one.lines().count() == 2, "{one}");
    assert_eq!(bench.run(&["regions", "atlantis"]).code, 1);
}

#[test]
fn codes_are_explained_without_any_file() {
    let bench = Bench::empty();
    let ec = bench.run(&["explain", "0003-00001403", "--json"]).ok().json();
    let fields =
        ["schema", "id", "code", "status", "kind", "meaning", "cause", "next", "source", "page"];
    assert_eq!(keys(&ec), fields);
    assert_eq!((&ec["code"], &ec["kind"]), (&json!("AccessDenied"), &json!("settings")));
    let code = bench.run(&["explain", "accessdenied"]).ok().out;
    assert!(code.starts_with("AccessDenied  status 403\n"), "{code}");
    assert!(code.contains("0003-00001403") && code.contains("  next "), "{code}");
    let all = bench.run(&["explain", "--json"]).ok().json();
    assert!(all["entries"].as_array().unwrap().len() > 80);
    assert!(bench.run(&["explain"]).ok().out.contains("NoSuchBucket"));
    let unknown = bench.run(&["explain", "NoSuchBuckte"]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("osstack explain NoSuchBucket"), "{}", unknown.err);
    assert_eq!(bench.run(&["explain", "a\u{1b}[2J", "--json"]).code, 1);
}

#[test]
fn a_bucket_of_another_region_is_found_and_that_is_said() {
    let bench = Bench::demo();
    let there = bench.sandbox.regions.last().unwrap().endpoint.clone();
    bench.run(&["store", "update", "demo_store", "--endpoint", &there]).ok();
    let page = bench.run(&["ls", "demo_store:"]).ok();
    assert!(!page.out.is_empty());
    let said = format!("note: the bucket {} lies at ", bench.sandbox.bucket);
    assert_eq!(page.err.matches(&said).count(), 1, "{}", page.err);
    // the check is about what ZenML does, which follows nobody
    let check = bench.run(&["check", "demo_store", "--json"]);
    assert_eq!(check.code, 1);
    let check = check.json();
    let rung = check["checks"].as_array().unwrap().iter().find(|c| c["id"] == "bucket-region");
    assert_eq!(rung.unwrap()["state"], "failed", "{check}");
}

#[test]
fn colours_come_when_asked_for() {
    let bench = Bench::furnished();
    assert!(bench.run(&["stack", "list", "--color", "always"]).ok().out.contains("\u{1b}[1m"));
    assert!(!bench.run(&["stack", "list"]).ok().out.contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let bench = Bench::demo();
    let mut child = bench.spawn(&["ls", "-r", "s3://zenml-demo/zenml"]);
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn the_sandbox_tells_where_it_is_and_stops_when_told() {
    let bench = Bench::empty();
    let mut child = bench.spawn(&["sandbox", "--tls"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let description: Value = serde_json::from_str(&line).unwrap();
    let expected = [
        "endpoint",
        "region",
        "bucket",
        "access_key_id",
        "secret_access_key",
        "temporary_key",
        "ca",
        "regions",
        "custom_domains",
    ];
    assert_eq!(keys(&description), expected);
    assert!(description["endpoint"].as_str().unwrap().starts_with("https://"));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, 0);
}

/// By the commands alone: a commit that breaks off in the middle is named and taken back; then it
/// goes through, is made active, diffed, and what somebody made by hand is listed and taken over.
#[test]
fn a_commit_breaks_off_is_taken_back_and_goes_through() {
    let bench = Bench::furnished();
    let commit = ["commit", "demo_stack", "--yes", "--without-check"];

    let server = bench.zenml(&["--zenml-fault", "refused-from=2"]);
    let broken = bench.run(&commit);
    assert!(broken.code == 1 && broken.err.contains("--undo"), "{broken:?}");
    let undone = bench.run(&["commit", "demo_stack", "--undo", "--yes"]);
    assert!(undone.err.contains("database is gone"), "the fault stays: {undone:?}");
    let plan = bench.run(&["plan", "demo_stack", "--json"]).ok().json();
    assert_eq!(plan["zenml"]["unfinished"]["steps"].as_array().unwrap().len(), 2, "{plan}");
    stop(server);

    let server = bench.zenml(&[]);
    let committed = bench.run(&[&commit[..], &["--set", "--json"]].concat()).ok().json();
    assert_eq!(committed["changes"].as_array().unwrap().len(), 3, "{committed}");
    assert_eq!(committed["set_by"], Value::Null, "no zenml is on this PATH");
    assert!(committed["stack_id"].is_string());
    let diff = bench.run(&["diff", "demo_stack", "--json", "--exit-code"]).ok().json();
    assert_eq!(diff["stacks"][0]["differs"], false, "{diff}");
    let there = bench.run(&["zenml", "import", "--json"]).ok().json();
    let by_hand = &there["artifact_stores"].as_array().unwrap()[1];
    assert_eq!((&by_hand["name"], &by_hand["here"]), (&json!("demo_store"), &json!("same")));
    let shown = bench.run(&["zenml", "import"]).ok().out;
    assert!(shown.contains("error: Without addressing_style"), "{shown}");
    // the stack brings its store along: it comes once
    let both = ["zenml", "import", "stack_by_hand", "artifact-store/store_by_hand", "--json"];
    let taken = bench.run(&both).ok().json();
    let entries = json!({
        "artifact store store_by_hand": "new",
        "stack stack_by_hand": "new",
        "secret secret_by_hand": "taken",
    });
    assert_eq!(taken["entries"], entries);
    let all = bench.run(&["zenml", "import", "--all"]).ok();
    assert!(all.out.contains("nothing on OSS that the catalog lacks"), "{all:?}");
    let own = bench.run(&["zenml", "import", "default"]);
    assert!(own.code == 2 && own.err.contains("comes with ZenML"), "{own:?}");
    let some = bench.run(&["zenml", "import", "demo_stack", "nowhere"]);
    assert!(some.code == 1 && some.err.contains("it has: "), "{some:?}");
    let differs = bench.run(&["diff", "stack_by_hand", "--exit-code"]);
    assert!(differs.code == 2 && differs.out.contains("config_kwargs.s3"), "{differs:?}");
    assert!(differs.out.contains("not made by osstack"), "{differs:?}");
    let unknown = bench.run(&["diff", "stack_by_hand", "--take-theirs", "secret/other", "--yes"]);
    assert!(unknown.code == 1 && unknown.err.contains("secret/secret_by_hand"), "{unknown:?}");
    let nothing = bench.run(&["diff", "demo_stack", "--take-theirs", "--yes"]).ok();
    assert!(nothing.out.contains("nothing to take"), "{nothing:?}");
    stop(server);

    for command in ["sandbox", "demo"] {
        let unknown = bench.run(&[command, "--zenml-fault", "nonsense"]);
        assert!(unknown.code == 2 && unknown.err.contains("--zenml-fault list"), "{unknown:?}");
        let list = bench.run(&[command, "--zenml-fault", "list"]).ok().out;
        assert!(list.contains("forestalled-at=N") && list.contains("refused-once=N"), "{list}");
    }
}

/// A fault that ends: the commit breaks off, and is taken back whole. The list of stacks says what
/// became of it at each step, and asks no ZenML for that.
#[test]
fn a_broken_commit_is_taken_back_whole_and_the_list_tells() {
    let bench = Bench::furnished();
    let server = bench.zenml(&["--zenml-fault", "refused-once=2"]);
    let commit = ["commit", "demo_stack", "--yes", "--without-check"];
    let state = || {
        let list = bench.run(&["stack", "list", "--json"]).ok().json();
        let stacks = list["stacks"].as_array().unwrap().iter();
        stacks.clone().find(|one| one["name"] == "demo_stack").unwrap()["commit"].clone()
    };
    let line = |what: &str| {
        let list = bench.run(&["stack", "list"]).ok().out;
        let line = list.lines().find(|line| line.starts_with("demo_stack"));
        assert!(line.unwrap().contains(what), "no {what}: {list}");
    };
    assert_eq!(state(), json!({ "state": "none", "at": null, "zenml": null }));
    line("not committed");
    let broken = bench.run(&commit);
    assert!(broken.code == 1 && broken.err.contains("database is gone"), "{broken:?}");
    assert_eq!(state()["state"], "broken_off");
    line("commit broken off just now");
    let undone = bench.run(&["commit", "demo_stack", "--undo", "--yes"]).ok();
    assert!(undone.out.contains("artifact store demo_store: deleted"), "{undone:?}");
    assert_eq!(state()["state"], "none");
    let plan = bench.run(&["plan", "demo_stack", "--json"]).ok().json();
    assert_eq!(plan["zenml"]["unfinished"], Value::Null, "{plan}");

    bench.run(&commit).ok();
    let committed = state();
    assert_eq!((&committed["state"], &committed["zenml"]), (&json!("committed"), &json!("here")));
    line("committed just now");
    bench.run(&["store", "update", "demo_store", "--access", "http://away.localhost:9"]).ok();
    assert_eq!(state()["state"], "committed", "how this machine gets there is no part of it");
    let nowhere = bench.run(&["stack", "set", "nosuch"]);
    assert!(nowhere.code == 1 && nowhere.err.contains("no stack 'nosuch'"), "{nowhere:?}");
    assert!(!nowhere.err.contains("osstack commit"), "{nowhere:?}");
    let known = bench.run(&["stack", "set", "scratch_stack"]);
    assert!(known.err.contains("osstack commit scratch_stack"), "{known:?}");

    // a store that moves leaves its artifacts behind, unless all of them stay below it
    let behind = "ZenML refuses to read it through demo_store";
    let moved = bench.run(&["store", "update", "demo_store", "--prefix", "elsewhere"]).ok();
    assert!(moved.err.contains(behind), "{moved:?}");
    assert_eq!(state()["state"], "changed");
    line("changed since its commit just now");
    let plan = bench.run(&["plan", "demo_stack"]).ok().out;
    let plan = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plan.contains(behind) && plan.contains("make a second store"), "{plan}");
    let above = bench.run(&["store", "update", "demo_store", "--prefix", ""]).ok();
    assert!(!above.err.contains(behind), "{above:?}");
    let plan = bench.run(&["plan", "demo_stack"]).ok().out;
    assert!(!plan.contains("stays there"), "{plan}");
    let never = bench.run(&["store", "update", "scratch_store", "--prefix", "x"]).ok();
    assert!(!never.err.contains("stays there"), "ZenML never heard of it: {never:?}");
    stop(server);
    assert_eq!(state()["state"], "changed", "nobody is asked for it");
}
