//! A `zenml login` taken over: the real program on files as ZenML 0.98 writes them, and a stand-in
//! for the server. Files by ZenML's own client, and a real one: `tests/python/zenml_test.py`.

use std::sync::Arc;

use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::sandbox::zenml::runs::{PROJECT, Runs};
use osstack::sandbox::zenml::{API_KEY, USER, Zenml};
use serde_json::{Value, json};
use time::macros::date;
use tokio_util::sync::CancellationToken;

use crate::cli::bench::Bench;
use crate::cli::terminal::talk;

/// A machine whose `zenml` is signed in at a stand-in.
struct Machine {
    bench: Bench,
    url: String,
    _server: tokio::runtime::Runtime,
}

impl Machine {
    fn new() -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SeededEntropy::new(1)));
        let zenml = Zenml::bind(clock, entropy, Runs::over(&[], date!(2026 - 03 - 15))).unwrap();
        let url = zenml.url();
        let server = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        server.spawn(zenml.serve(CancellationToken::new()));
        let mut bench = Bench::empty();
        let home = bench.path("home");
        bench.set("HOME", home.to_str().unwrap());
        Self { bench, url, _server: server }
    }

    /// What `zenml login` writes, `kept` being what signs in.
    fn signed_in(&self, kept: &str) {
        let url = &self.url;
        let config = format!(
            "active_project_id: {PROJECT}\nstore:\n  type: rest\n  url: {url}\nversion: 0.98.0\n"
        );
        self.bench.write("home/.config/zenml/config.yaml", &config);
        let credentials = format!("{url}:\n  {kept}\n  url: {url}\n");
        self.bench.write("home/.config/zenml/credentials.yaml", &credentials);
    }

    /// A token as the server gives one for a password.
    fn token(&self) -> String {
        let form = format!("username={}&password={}", USER.0, USER.1);
        let answer = post(&self.url, "/api/v1/login", &form);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn files(&self) -> [String; 2] {
        ["config.yaml", "credentials.yaml"]
            .map(|name| self.bench.read(&format!("home/.config/zenml/{name}")))
    }
}

/// The body of the answer.
fn post(url: &str, path: &str, form: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = form.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn an_api_key_is_taken_over_and_the_files_stay() {
    let machine = Machine::new();
    let bench = &machine.bench;
    machine.signed_in(&format!("api_key: {API_KEY}"));
    let before = machine.files();

    let list = bench.run(&["zenml", "list", "--json"]).ok();
    let found = list.json()["found"].clone();
    assert_eq!(
        found,
        json!({ "origin": "~/.config/zenml/config.yaml", "url": machine.url, "command": null,
            "signs_in_by": "api-key", "connection": null })
    );
    let status = bench.run(&["zenml", "status"]);
    assert_eq!(status.code, 1);
    assert!(status.err.contains("osstack zenml login --found"), "{status:?}");

    let taken = bench.run(&["zenml", "login", "--found", "--yes", "--name", "prod"]).ok();
    for said in [machine.url.as_str(), "an API key", "the connection prod", "files stay"] {
        assert!(taken.err.contains(said), "no {said}: {taken:?}");
    }
    assert!(taken.out.contains("signed in as"), "{taken:?}");
    let again = bench.run(&["zenml", "status", "--json"]).ok();
    assert_eq!(again.json()["name"], "prod");
    assert_eq!(again.err, "", "it is taken over: nothing is left to say");
    assert_eq!(bench.run(&["zenml", "list", "--json"]).ok().json()["found"], Value::Null);
    assert_eq!(machine.files(), before);
    for ran in [&list, &status, &taken, &again] {
        assert!(!format!("{ran:?}").contains(API_KEY), "{ran:?}");
    }
    assert!(!bench.read("config/stacks.toml").contains("ZENKEY"));
}

#[test]
fn it_is_asked_for_before_anything_is_taken() {
    let machine = Machine::new();
    machine.signed_in(&format!("api_key: {API_KEY}"));
    let unasked = machine.bench.run(&["zenml", "login", "--found"]);
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert!(unasked.err.contains("add --yes"), "{unasked:?}");
    let login = ["zenml", "login", "--found"];
    let (shown, code) = talk(&machine.bench, &login, &[("[y/N] ", "\r")]);
    assert!(code == 1 && shown.contains("stopped"), "{shown}");
    assert!(!machine.bench.path("data/secrets.age").exists());
    assert!(!machine.bench.path("config/stacks.toml").exists());
    let (shown, code) = talk(&machine.bench, &login, &[("[y/N] ", "y\r")]);
    assert!(code == 0 && shown.contains("signed in as"), "{shown}");
    assert!(!shown.contains(API_KEY), "{shown}");
}

#[test]
fn a_password_is_taken_over() {
    let machine = Machine::new();
    machine.signed_in(&format!("username: {}\n  password: {}", USER.0, USER.1));
    let taken = machine.bench.run(&["zenml", "login", "--found", "--yes"]).ok();
    assert!(taken.err.contains("user name and password of default"), "{taken:?}");
    assert!(!format!("{taken:?}").contains(USER.1), "{taken:?}");
    machine.bench.run(&["zenml", "status"]).ok();
}

#[test]
fn a_token_that_ends_says_what_to_do_then() {
    let machine = Machine::new();
    let bench = &machine.bench;
    let with_end = |token: &str, end: &str| {
        machine.signed_in(&format!(
            "api_token:\n    access_token: {token}\n    expires_at: '{end}'\n    leeway: 60"
        ));
    };
    let again = "zenml login, then osstack zenml login --found";
    with_end(&machine.token(), "2026-01-01T00:00:00Z");
    let ended = bench.run(&["zenml", "login", "--found", "--yes"]);
    assert!(ended.err.contains("a token that ended"), "{ended:?}");
    assert!(ended.code == 1 && ended.err.contains(again), "{ended:?}");

    with_end(&machine.token(), "2999-01-01T00:00:00Z");
    let taken = bench.run(&["zenml", "login", "--found", "--yes"]).ok();
    assert!(taken.err.contains("a token that ends in"), "{taken:?}");
    bench.run(&["zenml", "status"]).ok();

    // taken back by the server before its end
    with_end("not-a-token", "2999-01-01T00:00:00Z");
    let refused = bench.run(&["zenml", "login", "--found", "--yes"]);
    assert!(refused.err.contains("renews: the connection zenml"), "{refused:?}");
    assert!(refused.err.contains("no longer takes the token"), "{refused:?}");
    assert!(refused.err.contains(again), "{refused:?}");
    bench.run(&["zenml", "status"]).ok();

    with_end(&machine.token(), "2999-01-01T00:00:00Z");
    bench.run(&["zenml", "login", "--found", "--yes"]).ok();
    let connections = bench.run(&["zenml", "list", "--json"]).ok().json();
    assert_eq!(connections["connections"].as_array().unwrap().len(), 1);
}

#[test]
fn a_name_that_is_taken_stays_with_its_server() {
    let machine = Machine::new();
    let bench = &machine.bench;
    bench.write("config/stacks.toml", "schema = 1\n[zenml.zenml]\nurl = \"http://127.0.0.1:9\"\n");
    machine.signed_in(&format!("api_key: {API_KEY}"));
    let taken = bench.run(&["zenml", "login", "--found", "--yes", "--json"]).ok();
    assert_eq!(taken.json()["name"], "zenml-2");
    assert!(bench.read("config/stacks.toml").contains("http://127.0.0.1:9"));
}

#[test]
fn without_a_login_nothing_is_taken() {
    let machine = Machine::new();
    let none = machine.bench.run(&["zenml", "login", "--found"]);
    assert!(none.code == 1 && none.err.contains("zenml login URL"), "{none:?}");
    machine.bench.write("home/.config/zenml/config.yaml", "store: [\u{1b}[2J");
    let damaged = machine.bench.run(&["zenml", "login", "--found"]);
    assert!(damaged.err.contains("is not what ZenML writes"), "{damaged:?}");
    assert!(!damaged.err.contains('\u{1b}'), "{damaged:?}");
    let list = machine.bench.run(&["zenml", "list"]).ok();
    assert!(list.err.contains("no ZenML is known yet"), "{list:?}");
}

#[test]
fn a_database_offers_the_command() {
    let mut machine = Machine::new();
    let sql = "store:\n  type: sql\n  url: sqlite:////home/me/zenml.db\n";
    machine.bench.write("home/.config/zenml/config.yaml", sql);
    let none = machine.bench.run(&["zenml", "login", "--found"]);
    assert!(none.err.contains("osstack zenml login --command PATH"), "{none:?}");
    machine.bench.write("bin/zenml", "#!/bin/sh\n");
    let bin = machine.bench.path("bin");
    machine.bench.set("PATH", bin.to_str().unwrap());
    let list = machine.bench.run(&["zenml", "list", "--json"]).ok().json();
    assert_eq!(list["found"]["command"], json!(bin.join("zenml")));
    let asked = machine.bench.run(&["zenml", "login", "--found"]);
    assert!(asked.code == 2 && asked.err.contains("signs in by: nothing"), "{asked:?}");
}
