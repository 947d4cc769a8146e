//! A first start on a machine that has been used: what other tools keep there is found, shown
//! without a value, taken over one by one, and left as it is.

use std::path::Path;
use std::sync::Arc;

use osstack::ports::clock::FixedClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::sandbox::Seed;
use osstack::sandbox::zenml::runs::Runs;
use osstack::sandbox::zenml::{API_KEY, Zenml};
use osstack::screens::found::FoundScreen;
use osstack::tui::keymap::clashes;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::macros::date;
use tokio_util::sync::CancellationToken;

use crate::cli::bench::Bench;
use crate::cli::terminal::talk;
use crate::sandbox_client::{NOW, Running};
use crate::user::{PASSPHRASE, User};

/// What other tools keep, below the home.
const FILES: &[(&str, &str)] = &[
    (
        ".ossutilconfig",
        "[Credentials]\nlanguage=EN\nendpoint=oss-cn-hangzhou.aliyuncs.com\n\
         accessKeyID=LTAI5tExampleExample0001\naccessKeySecret=canaryCanaryCanaryCanary000001\n",
    ),
    (
        ".aliyun/config.json",
        r#"{"current":"default","profiles":[
        {"name":"default","mode":"StsToken","access_key_id":"STS.NUExampleExampleExample2",
         "access_key_secret":"canary2","sts_token":"canary3","region_id":"eu-central-1"},
        {"name":"role","mode":"RamRoleArn","access_key_id":"LTAI5tExampleExample0003",
         "access_key_secret":"canary4"},
        {"name":"ecs","mode":"EcsRamRole"}]}"#,
    ),
    (
        ".aws/credentials",
        "[default]\naws_access_key_id=AKIAEXAMPLEEXAMPLE00\naws_secret_access_key=canary5\n\
         [oss]\naws_access_key_id=LTAI5tExampleExample0006\n\
         aws_secret_access_key=canaryCanaryCanaryCanary000006\n",
    ),
];
const CONFIG: &str = ".config/zenml/config.yaml";
const CREDENTIALS: &str = ".config/zenml/credentials.yaml";

#[expect(clippy::disallowed_methods, reason = "the other tools are played here")]
fn write(home: &Path, name: &str, text: &str) {
    let path = home.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A home with what all the tools keep; ZenML has signed in at `url` with `kept`.
fn home(url: &str, kept: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        write(home.path(), name, text);
    }
    write(home.path(), CONFIG, &format!("store:\n  type: rest\n  url: {url}\nversion: 0.98.0\n"));
    write(home.path(), CREDENTIALS, &format!("{url}:\n  {kept}\n  url: {url}\n"));
    home
}

/// Every file below `folder`, with what it holds.
fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push((path.display().to_string(), std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

fn user(home: &TempDir) -> User {
    User::with(&[("HOME", home.path().to_str().unwrap())])
}

const TOKEN: &str = "api_token:\n    access_token: canary7\n    expires_at: '2026-03-15T15:19:30Z'";

#[tokio::test]
async fn what_the_machine_has_is_the_first_thing_seen() {
    let home = home("https://zenml.example.com", TOKEN);
    let before = contents(home.path());
    let mut user = user(&home);
    let picture = user.keys("").await;
    insta::assert_snapshot!("first_start", picture);
    insta::assert_snapshot!("first_start_wide", user.stage.resize(160, 48).picture());
    user.stage.resize(80, 24);
    // the steps below are no empty words
    assert!(user.keys("n").await.contains("New stack"));
    assert!(user.keys("<esc>").await.contains("A stack takes three steps"));
    assert!(user.keys("i").await.contains("zenml.example.com"), "and back to the list");
    assert_eq!(contents(home.path()), before);
}

#[tokio::test]
async fn each_is_taken_over_by_one_key_after_it_was_shown() {
    let clock = Arc::new(FixedClock(NOW));
    let runs = Runs::over(&[], date!(2026 - 03 - 15));
    let zenml = Zenml::bind(clock, Arc::new(SeededEntropy::new(1)), runs).unwrap();
    let sandbox = Running::start(Seed::Empty);
    zenml.add_by_hand(&sandbox.description);
    let home = home(&zenml.url(), &format!("api_key: {API_KEY}"));
    let before = contents(home.path());
    let stop = CancellationToken::new();
    let serving = zenml.serve(stop.clone());
    let using = async {
        let mut user = user(&home);
        user.keys("<enter>").await;
        insta::assert_snapshot!("take_over_login", crate::pictures::still(&user.picture()));
        // the keystore is made on the way
        let setup = user.keys("<enter>").await;
        assert!(setup.contains("A keystore for your access keys"), "{setup}");
        let taken = user.keys(&format!("<tab>{PASSPHRASE}<tab>{PASSPHRASE}<enter>")).await;
        assert!(taken.contains("signed in as default"), "{taken}");
        // straight on to what that ZenML has on OSS, and back to the rest of this machine
        assert!(taken.contains("stack stack_by_hand") && taken.contains("not here"), "{taken}");
        let back = user.keys("<esc>").await;
        assert!(back.contains("taken over already, as zenml"), "{back}");

        user.keys("j<enter>").await;
        insta::assert_snapshot!("take_over_key", crate::pictures::still(&user.picture()));
        let taken = user.keys("<enter>").await;
        assert!(taken.contains("the secret alibaba_secret is kept"), "{taken}");
        // the next one gets another name by itself
        let next = user.keys("jj<enter>").await;
        assert!(next.contains("LTAI…0006") && next.contains("alibaba_secret-2"), "{next}");
        user.keys("<enter>").await;
        let all = user.wide();
        insta::assert_snapshot!("first_start_taken_wide", crate::pictures::still(&all));

        let kept = |name: &str| user.world.keystore.get(name).unwrap().credentials;
        assert_eq!(kept("alibaba_secret").access_key_id, "LTAI5tExampleExample0001");
        assert_eq!(kept("alibaba_secret-2").access_key_id, "LTAI5tExampleExample0006");
        assert!(user.world.keystore.sign_in("zenml").unwrap().is_some());
        user.start_anew();
        assert!(!user.keys("").await.contains("Welcome"), "it is no first start any more");
    };
    tokio::select! {
        () = using => {}
        ended = serving => panic!("{ended:?}"),
    }
    stop.cancel();
    assert_eq!(contents(home.path()), before);
}

#[tokio::test]
async fn what_cannot_be_taken_says_why_and_keeps_the_window() {
    let home = home(
        "http://127.0.0.1:9",
        "api_token: {access_token: t, expires_at: '2026-01-01T00:00:00Z'}",
    );
    let mut user = user(&home);
    user.world.keystore.create_for_session().unwrap();
    let picture = user.keys("").await;
    assert!(picture.contains("signed in by a token that ended"), "{picture}");
    let refused = user.keys("<enter><enter>").await;
    assert!(refused.contains("Take it over") && refused.contains('✗'), "{refused}");
    // a name that no ZenML takes
    let refused = user.keys("<esc>j<enter><end>.x<enter>").await;
    assert!(refused.contains("a dot"), "{refused}");
    // the key behind the name is another by now
    write(home.path(), FILES[0].0, "[Credentials]\naccessKeyID=LTAI5tOther\naccessKeySecret=s\n");
    let refused = user.keys("<ctrl-u>fine<enter>").await;
    assert!(refused.contains("has another key by now"), "{refused}");
    assert_eq!(user.world.keystore.list().unwrap().len(), 0);
}

#[tokio::test]
async fn nobody_is_led_away_from_what_they_began() {
    let home = home("https://zenml.example.com", TOKEN);
    let mut user = user(&home);
    // the form was opened before the look came to anything
    user.stage.keys("3n").settle().await;
    assert!(user.picture().contains("New secret"), "{}", user.picture());
}

#[tokio::test]
async fn the_list_opens_where_it_is_of_use() {
    let home = home("https://zenml.example.com", TOKEN);
    let mut user = user(&home);
    for (keys, selected) in [("3i", "▸ · access key  LTAI…0001"), ("<esc>7i", "▸ · ZenML login")]
    {
        let picture = user.keys(keys).await;
        assert!(picture.contains("This machine has"), "{keys}: {picture}");
        assert!(picture.contains(selected), "{keys}: {picture}");
        assert!(!picture.contains("three steps"), "{picture}");
    }
    let mut nobody = User::new();
    let picture = nobody.keys("3i").await;
    insta::assert_snapshot!("nothing_found", picture);
}

#[tokio::test]
async fn hostile_files_neither_stop_the_start_nor_reach_the_screen_raw() {
    let home = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(".ossutilconfig", home.path().join(".ossutilconfig")).unwrap();
    std::fs::create_dir_all(home.path().join(".aws/credentials")).unwrap();
    write(home.path(), ".aliyun/config.json", &"[".repeat(100_000));
    write(home.path(), CONFIG, "store: {type: \"x\\e[2J\u{202e}\"}\n");
    let name = "x".repeat(300);
    let profile = |number| format!("[profile {number}]\nmode=\u{9b}2J\u{202e}{name}\n");
    let long: String = (0..500).map(profile).collect();
    write(home.path(), ".config-of-ossutil", &long);
    let other = home.path().join(".config-of-ossutil");
    let mut user = User::with(&[
        ("HOME", home.path().to_str().unwrap()),
        ("OSSUTIL_CONFIG_FILE", other.to_str().unwrap()),
        ("OSS_ACCESS_KEY_ID", "LTAI\u{1b}[2J\u{202e}"),
        ("OSS_ACCESS_KEY_SECRET", "canary"),
    ]);
    let picture = user.keys("").await;
    assert!(picture.contains("Welcome") && picture.contains("more that cannot be"), "{picture}");
    assert!(picture.contains("three steps"), "the way on stays in sight: {picture}");
    for width in [1, 2, 3, 20, 41, 79, 109, 300] {
        for height in [1, 2, 3, 9, 12, 23, 100] {
            let picture = user.stage.resize(width, height).picture();
            assert!(!picture.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{picture}");
        }
    }
}

#[test]
fn no_chord_means_two_things() {
    assert_eq!(clashes(&FoundScreen::new()), [""; 0]);
}

/// The same on the command line.
fn bench(home: &TempDir) -> Bench {
    let mut bench = Bench::empty();
    bench.set("HOME", home.path().to_str().unwrap());
    bench
}

#[test]
fn the_command_line_lists_the_same() {
    let home = home("https://zenml.example.com", "api_key: canary8");
    let bench = bench(&home);
    let plain = bench.run(&["found"]).ok();
    for said in [
        "https://zenml.example.com, an API key",
        "osstack zenml login --found",
        "LTAI…0001, of cn-hangzhou",
        "osstack secret create NAME --from ossutil:Credentials",
        "STS.…ple2, a temporary key, of eu-central-1",
        "~/.aliyun/config.json, profile default",
    ] {
        assert!(plain.out.contains(said), "no {said}: {plain:?}");
    }
    for said in ["mode RamRoleArn takes on a role", "mode EcsRamRole", "a key of AWS itself"] {
        assert!(plain.err.contains(said), "no {said}: {plain:?}");
    }
    assert!(!format!("{plain:?}").contains("canary"), "{plain:?}");
    let json = bench.run(&["found", "--json"]).ok();
    assert!(!json.out.contains("canary") && !json.out.contains("ExampleExample"), "{json:?}");
    let json = json.json();
    let sources: Vec<&Value> =
        json["found"].as_array().unwrap().iter().map(|one| &one["source"]).collect();
    let expected =
        [Value::Null, json!("ossutil:Credentials"), json!("aliyun:default"), json!("aws:oss")];
    assert_eq!(sources, expected.iter().collect::<Vec<_>>());
    assert_eq!(json["found"][0]["kind"], "zenml-login");
    assert_eq!(json["remarks"].as_array().unwrap().len(), 3);
    let none = Bench::bare().run(&["found"]).ok();
    assert!(none.out.is_empty() && none.err.contains("osstack secret create"), "{none:?}");
}

#[test]
fn a_secret_is_made_and_renewed_from_what_another_tool_keeps() {
    let home = home("https://zenml.example.com", "api_key: canary8");
    let before = contents(home.path());
    let bench = bench(&home);
    let made = bench.run(&["secret", "create", "s", "--from", "aliyun"]).ok();
    assert!(made.err.contains("taken from ~/.aliyun/config.json, profile default: STS.…ple2"));
    assert!(!format!("{made:?}").contains("canary"), "{made:?}");
    let shown = bench.run(&["secret", "get", "s", "--json"]).ok().json();
    assert_eq!(shown["access_key_id"], "STS.NUExampleExampleExample2");
    assert_eq!(shown["has_session_token"], true);
    let found = bench.run(&["found", "--json"]).ok().json();
    assert_eq!(found["found"][2]["secret"], "s", "{found}");
    bench.run(&["secret", "update", "s", "--from", "aws:oss"]).ok();
    let shown = bench.run(&["secret", "get", "s", "--json"]).ok().json();
    assert_eq!(shown["access_key_id"], "LTAI5tExampleExample0006");

    for (arguments, said) in [
        (&["secret", "create", "s", "--from", "aws:oss"][..], "s"),
        (&["secret", "create", "t", "--from", "aws:default"], "a key of AWS itself"),
        (&["secret", "create", "t", "--from", "aliyun:role"], "mode RamRoleArn"),
        (&["secret", "create", "t", "--from", "nonsense\u{1b}"], "there are: ossutil:Credentials"),
        (&["secret", "create", "a.b", "--from", "aws:oss"], "a dot"),
        (&["secret", "create", "t", "--from", "aws", "--stdin"], "cannot be used with"),
    ] {
        let refused = bench.run(arguments);
        assert!(refused.code != 0 && refused.err.contains(said), "{arguments:?}: {refused:?}");
        assert!(!refused.err.contains('\u{1b}'), "{refused:?}");
    }
    assert_eq!(contents(home.path()), before);
}

#[test]
fn at_a_terminal_it_is_asked_for_first() {
    let home = home("https://zenml.example.com", "api_key: canary8");
    let bench = bench(&home);
    let create = ["secret", "create", "s", "--from", "ossutil"];
    let (shown, code) = talk(&bench, &create, &[("[y/N] ", "n\r")]);
    assert!(code == 1 && shown.contains("LTAI…0001") && !shown.contains("canary"), "{shown}");
    assert_eq!(bench.run(&["secret", "get", "s"]).code, 1);
    let (shown, code) = talk(&bench, &create, &[("[y/N] ", "y\r")]);
    assert!(code == 0 && shown.contains("created the secret s"), "{shown}");
    let yes = [&create[..3], &["--from", "aws", "--yes"]].concat();
    let update: Vec<&str> =
        yes.iter().map(|word| if *word == "create" { "update" } else { word }).collect();
    let (shown, code) = talk(&bench, &update, &[]);
    assert!(code == 0 && shown.contains("updated the secret s"), "{shown}");
}
