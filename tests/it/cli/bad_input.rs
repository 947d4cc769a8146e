//! What is refused, with which exit code and which words.

use std::sync::Arc;
use std::time::Duration;

use osstack::base::secret_string::SecretString;
use osstack::keystore::keyring::NoKeyring;
use osstack::keystore::{Keystore, Remember, Settings};
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::paths::Paths;

use super::KEY;
use super::bench::Bench;

/// Arguments, exit code, and what the message must say.
const REFUSED: &[(&[&str], i32, &str)] = &[
    (&[], 2, "osstack --help"),
    (&["demo"], 2, "terminal"),
    (&["nonsense"], 2, "unrecognized subcommand"),
    (&["secret", "create", "a.b", "--stdin"], 2, "a dot"),
    (&["secret", "create", "s", "--from-env"], 2, "OSS_ACCESS_KEY_ID"),
    (&["secret", "create", "s", "--stdin", "--from-env"], 2, "cannot be used with"),
    (&["secret", "get", "demo_secret", "--reveal"], 2, "terminal"),
    (&["secret", "get", "nothing"], 1, "osstack secret list"),
    (&["store", "register", "s"], 2, "bucket"),
    (&["store", "register", "s", "--bucket", "No_Bucket", "--secret", "x"], 2, "a-z, 0-9"),
    (
        &["store", "register", "s", "-b", "abc", "-s", "x", "-r", "eu-centrl-1"],
        2,
        "did you mean eu-central-1? osstack regions",
    ),
    (&["store", "register", "s", "-b", "abc", "-s", "x", "-p", "../x"], 2, "leave it out"),
    (&["store", "register", "s", "-b", "abc", "-s", "x", "-p", "s3://abc/x"], 2, "write x"),
    (&["store", "describe", "demo_stor"], 1, "did you mean demo_store"),
    (&["stack", "register", "k"], 2, "artifact store"),
    (&["stack", "register", "k", "-a", "a", "-o", "o", "-c", "registry=x"], 2, "its types are"),
    (&["stack", "rename", "demo_stack", "a b"], 2, "a blank"),
    (&["check", "nothing"], 1, "no stack or artifact store"),
    (&["plan", "nothing"], 1, "there are: demo_stack"),
    (&["ls", "nothing:"], 1, "there are:"),
    (&["ls", "./local"], 2, "STORE:KEY"),
    (&["ls", "s3://other-bucket/"], 1, "osstack artifact-store register"),
    (&["ls", "s3://No_Bucket/"], 2, "a-z, 0-9"),
    (&["cat", "demo_store:"], 2, "a key is needed"),
    (&["rm", "demo_store:"], 2, "a key is needed"),
    (&["presign", "demo_store:x", "-e", "8d"], 2, "7 days"),
    (&["presign", "demo_store:x", "-e", "soon"], 2, "12h"),
    (&["cp", "a", "b"], 2, "STORE:KEY"),
    (&["cp", "missing.txt", "demo_store:"], 1, "check the path"),
    (&["cp", "-r", "config", "scratch_store:name"], 2, "end the destination in /"),
    (&["cp", "config", "scratch_store:"], 2, "add -r"),
    (&["keystore", "change-passphrase"], 3, "terminal"),
    (&["keystore", "rotate"], 2, "identity is kept elsewhere"),
    (&["keystore", "backup", "data"], 1, "name another path"),
];

#[test]
fn refusals_say_what_to_do() {
    let bench = Bench::furnished();
    for (arguments, code, words) in REFUSED {
        let ran = bench.feed(arguments, KEY);
        assert_eq!(ran.code, *code, "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
        // the same for scripts, on stdout
        let json = bench.feed(&[arguments, &["--json"][..]].concat(), KEY);
        assert_eq!(json.code, *code, "{arguments:?}: {json:?}");
        assert!(json.json()["error"]["summary"].is_string(), "{arguments:?}: {json:?}");
    }
}

#[test]
fn endpoints_that_cannot_be() {
    let bench = Bench::empty();
    for (endpoint, words) in [
        ("http://oss-eu-central-1.aliyuncs.com", "https"),
        ("http://127.0.0.1.evil.tld", "https"),
        ("ftp://oss-eu-central-1.aliyuncs.com", "https://"),
        ("oss-eu-central-1.aliyuncs.com", "https://oss-eu-central-1.aliyuncs.com"),
        ("https://b-1.oss-eu-central-1.aliyuncs.com", "already in the endpoint"),
        ("https://oss-eu-central-1.aliyuncs.com/b-1", "/b-1"),
        ("https://u:canary-pw@oss-eu-central-1.aliyuncs.com", "user name"),
        ("https://100.100.100.200", "metadata"),
        ("https://10.0.0.1", "host name"),
        ("https://oss-eu-central-1.aliyuncs.com:99999", "1 to 65535"),
        ("internal", "choose a region"),
    ] {
        let arguments = ["store", "register", "s", "--bucket", "b-1", "--secret", "x"];
        let ran = bench.run(&[&arguments[..], &["--endpoint", endpoint]].concat());
        assert_eq!(ran.code, 2, "{endpoint}: {ran:?}");
        assert!(ran.err.contains(words), "{endpoint}: {}", ran.err);
        assert!(!ran.err.contains("canary-pw"), "{}", ran.err);
    }
    assert!(!bench.path("config/stacks.toml").exists());
}

#[test]
fn a_key_on_stdin_is_never_repeated() {
    let bench = Bench::empty();
    for input in [
        "",
        "canary",
        r#"{"access_key_id": "LTAI", "secret_access_key": canary}"#,
        r#"{"access_key_id": "LTAI", "secret_access_key": 5, "x": "canary"}"#,
        r#"{"access_key_id": "LTAI", "secret_access_key": "canary", "canary": 1}"#,
        r#"{"access_key_id": "LTAI", "secret_access_key": "can ary"}"#,
        r#"{"access_key_id": "STS.x", "secret_access_key": "canary"}"#,
    ] {
        let ran = bench.feed(&["secret", "create", "s", "--stdin"], input);
        assert_eq!(ran.code, 2, "{input}: {ran:?}");
        assert!(!ran.err.contains("canary") && !ran.err.contains("can ary"), "{}", ran.err);
    }
    assert!(!bench.path("data/secrets.age").exists());
}

#[test]
fn without_a_key_and_a_terminal_it_ends_at_once() {
    let mut bench = Bench::bare();
    let create = bench.feed(&["secret", "create", "s", "--stdin"], KEY);
    assert_eq!(create.code, 3, "{create:?}");
    for way in ["OSSTACK_PASSPHRASE_FILE", "OSSTACK_PASSPHRASE_FD", "OSSTACK_IDENTITY_FILE"] {
        assert!(create.err.contains(way), "{}", create.err);
    }
    assert!(!bench.path("data/secrets.age").exists());
    assert_eq!(bench.run(&["secret", "create", "s"]).code, 3, "nobody to ask for the values");
    assert_eq!(bench.run(&["secret", "list"]).ok().out, "", "no keystore has no secrets");

    with_passphrase(&mut bench);
    bench.unset("OSSTACK_PASSPHRASE_FILE");
    let locked = bench.run(&["secret", "list", "--json"]);
    assert_eq!((locked.code, &locked.json()["error"]["kind"]), (3, &"locked".into()));
    assert_eq!(bench.run(&["keystore", "status", "--json"]).ok().json()["state"], "locked");

    for (passphrase, code, words) in
        [("wrong\n", 1, "does not open"), ("", 2, "empty"), ("right\n", 0, "")]
    {
        bench.write("passphrase", passphrase);
        let file = bench.path("passphrase");
        bench.set("OSSTACK_PASSPHRASE_FILE", file.to_str().unwrap());
        let ran = bench.run(&["secret", "list"]);
        assert_eq!(ran.code, code, "{passphrase:?}: {ran:?}");
        assert!(ran.err.contains(words), "{passphrase:?}: {}", ran.err);
    }
    bench.set("OSSTACK_PASSPHRASE_FILE", "/nonexistent");
    assert_eq!(bench.run(&["secret", "list"]).code, 2);
    bench.unset("OSSTACK_PASSPHRASE_FILE");
    bench.set("OSSTACK_PASSPHRASE_FD", "99");
    assert_eq!(bench.run(&["secret", "list"]).code, 2);
}

/// A keystore that a passphrase in a file opens.
fn with_passphrase(bench: &mut Bench) -> Keystore {
    let keystore = Keystore::new(
        &Paths::below(&bench.path("")),
        Arc::new(SystemClock),
        Arc::new(SeededEntropy::new(5)),
        Arc::new(NoKeyring),
        Settings { work_factor: 2, lock_wait: Duration::from_secs(1) },
    );
    keystore.create(&SecretString::new("right".into()), Remember::No).unwrap();
    bench.write("passphrase", "right\n");
    let file = bench.path("passphrase");
    bench.set("OSSTACK_PASSPHRASE_FILE", file.to_str().unwrap());
    keystore
}

#[test]
fn what_is_said_of_a_lost_identity_brings_it_back() {
    let mut bench = Bench::bare();
    let keystore = with_passphrase(&mut bench);
    bench.feed(&["secret", "create", "s", "--stdin"], KEY).ok();
    keystore.rotate(&SecretString::new("right".into())).unwrap();
    std::fs::remove_file(bench.path("data/identity.age")).unwrap();
    for arguments in [&["secret", "list"][..], &["keystore", "backup", "copy"]] {
        let lost = bench.run(arguments);
        assert_eq!(lost.code, 1, "{lost:?}");
        assert!(lost.err.contains("identity.age is missing"), "{lost:?}");
        assert!(!bench.path("copy").exists());
    }
    let lost = bench.run(&["secret", "list"]).err;
    let command = lost.split_once("; osstack ").unwrap().1.trim();
    bench.run(&command.split(' ').collect::<Vec<_>>()).ok();
    assert!(bench.run(&["secret", "list"]).ok().out.contains('s'));
    bench.run(&["keystore", "backup", "copy"]).ok();
    let again = bench.run(&["keystore", "backup", "copy"]);
    assert!(again.code == 1 && again.err.contains("name another path"), "{again:?}");
    bench.run(&["keystore", "export", "export.age"]).ok();
    let again = bench.run(&["keystore", "export", "export.age"]);
    assert!(again.code == 1 && again.err.contains("name another path"), "{again:?}");
    // nobody has to be asked for what the form of a file tells
    bench.unset("OSSTACK_PASSPHRASE_FILE");
    bench.write("data/identity.age", "age-encryption.org/v1\n-> scr");
    let damaged = bench.run(&["keystore", "backup", "second"]);
    assert_eq!(damaged.code, 1, "{damaged:?}");
    assert!(damaged.err.contains("identity.age is damaged"), "{damaged:?}");
    assert!(!bench.path("second").exists());
}

#[test]
fn an_identity_that_is_kept_elsewhere_backs_up_and_restores() {
    let mut bench = Bench::furnished();
    let copied = bench.run(&["keystore", "backup", "copy"]).ok();
    assert!(copied.err.contains("OSSTACK_IDENTITY_FILE"), "{copied:?}");
    assert!(!bench.path("copy/identity.age").exists());
    bench.write("data/secrets.age", "");
    let damaged = bench.run(&["secret", "list"]);
    let command = damaged.err.split_once("; osstack ").unwrap().1.trim();
    bench.run(&command.split(' ').collect::<Vec<_>>()).ok();
    bench.run(&["secret", "list"]).ok();
    bench.run(&["keystore", "restore", "copy"]).ok();
    assert!(bench.run(&["secret", "list"]).ok().out.contains("demo_secret"));
    bench.unset("OSSTACK_IDENTITY_FILE");
    let lost = bench.run(&["keystore", "backup", "second"]);
    assert_eq!(lost.code, 1, "{lost:?}");
    assert!(lost.err.contains("identity.age is missing"), "{lost:?}");
    assert!(lost.err.contains("set OSSTACK_IDENTITY_FILE to it"), "{lost:?}");
}

#[test]
fn without_a_keyring_the_other_ways_are_named_before_a_passphrase_is_asked_for() {
    let mut bench = Bench::bare();
    with_passphrase(&mut bench);
    bench.unset("OSSTACK_PASSPHRASE_FILE");
    let ran = bench.run(&["keystore", "unlock"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for words in ["keyring", "use the passphrase", "OSSTACK_PASSPHRASE_FILE"] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn names_that_are_nowhere_yet_are_warned_of() {
    let bench = Bench::furnished();
    let store = ["-b", "abc", "-r", "eu-central-1"];
    let register = |rest: &[&str]| bench.run(&[&["store", "register"], rest, &store].concat()).ok();
    let dangling = register(&["a", "-s", "nowhere"]);
    assert!(dangling.err.contains("warning: there is no secret nowhere yet"), "{dangling:?}");
    assert!(dangling.err.contains("osstack secret create nowhere"), "{dangling:?}");
    assert_eq!(register(&["b", "-s", "demo_secret"]).err, "");
    let stack = |name: &str, store: &str| {
        bench.run(&["stack", "register", name, "-a", store, "-o", "default"]).ok().err
    };
    assert!(stack("ka", "a").contains("osstack secret create nowhere"));
    assert_eq!(stack("kb", "b"), "");
    let dangling = stack("kc", "demo_stor");
    assert!(dangling.contains("did you mean demo_store?"), "{dangling}");
    assert!(dangling.contains("osstack artifact-store register demo_stor"), "{dangling}");
}

#[test]
fn a_locked_keystore_is_not_opened_for_a_warning() {
    let mut bench = Bench::bare();
    let register = ["store", "register", "a", "-b", "abc", "-r", "eu-central-1", "-s", "nowhere"];
    assert!(bench.run(&register).ok().err.contains("there is no secret nowhere yet"));
    with_passphrase(&mut bench);
    bench.unset("OSSTACK_PASSPHRASE_FILE");
    let update = ["store", "update", "a", "-s", "nowhere"];
    assert_eq!(bench.run(&update).ok().err, "");
}

#[test]
fn damage_is_named_and_left_alone() {
    let bench = Bench::furnished();
    bench.write("data/secrets.age", "not an age file\n");
    let ran = bench.run(&["secret", "list"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("not a keystore"), "{}", ran.err);
    assert_eq!(bench.read("data/secrets.age"), "not an age file\n");

    let broken = "schema = 1\n[artifact_store.x]\npath = \"s3://b-1\nsecret = 'canary'\n";
    bench.write("config/stacks.toml", broken);
    for arguments in [&["stack", "list"][..], &["stack", "copy", "a", "b"]] {
        let ran = bench.run(arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("line 3, column"), "{}", ran.err);
    }
    assert_eq!(bench.read("config/stacks.toml"), broken);
}

#[test]
fn an_entry_that_does_not_count_is_not_called_absent() {
    let bench = Bench::furnished();
    let text = bench.read("config/stacks.toml");
    let section = "[artifact_store.demo_store]\n";
    let slip = format!("{section}config_kwargs = {{ s3 = {{ addressing_style = \"path\" }} }}\n");
    assert!(text.contains(section), "{text}");
    bench.write("config/stacks.toml", &text.replace(section, &slip));
    for words in [
        &["check", "demo_store"][..],
        &["plan", "demo_stack"],
        &["store", "describe", "demo_store"],
    ] {
        let ran = bench.run(words);
        assert_eq!(ran.code, 1, "{words:?}: {}", ran.err);
        assert!(ran.err.contains("is not valid: config_kwargs: leave out"), "{}", ran.err);
        assert!(ran.err.contains("next: mend line "), "{}", ran.err);
    }
    let ran = bench.run(&["check", "demo_stack"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("is not valid: config_kwargs: leave out"), "{}", ran.out);
}

#[test]
fn what_is_no_listing_is_never_an_empty_bucket() {
    let bench = Bench::demo();
    bench.faults.change(|faults| faults.html_page = true);
    for arguments in
        [&["ls", "demo_store:"][..], &["ls", "-r", "demo_store:"], &["du", "demo_store:"]]
    {
        let ran = bench.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains("not OSS"), "{}", ran.err);
        let json = bench.run(&[arguments, &["--json"]].concat());
        assert_eq!(json.lines().last().unwrap()["error"]["kind"], "network", "{json:?}");
    }
    bench.faults.change(|faults| (faults.html_page, faults.truncated_listing) = (false, true));
    assert_eq!(bench.run(&["ls", "-r", "demo_store:"]).code, 1);
    bench
        .faults
        .change(|faults| (faults.truncated_listing, faults.cut_body_after) = (false, Some(3)));
    let cut = bench.run(&["cp", "-r", "demo_store:load_rides/", "down"]);
    assert_eq!(cut.code, 1, "{cut:?}");
}

#[test]
fn a_failed_check_is_exit_code_one_and_names_the_next_step() {
    let bench = Bench::furnished();
    bench.faults.change(|faults| faults.key_disabled = true);
    let ran = bench.run(&["check", "demo_stack"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("✗") && ran.out.contains("next: "), "{}", ran.out);
    let json = bench.run(&["check", "store/demo_store", "--json"]).json();
    assert_eq!(json["outcome"], "failed");
    let failed = json["checks"].as_array().unwrap().iter().find(|check| check["state"] == "failed");
    assert_eq!(failed.unwrap()["error"]["ec"], "0002-00000904");
}
