//! The script of a plan, run by a real `sh` against a `zenml` that only takes notes.
#![expect(clippy::disallowed_methods, reason = "these tests are about a shell, so they start one")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use osstack::base::shell;
use osstack::model::component::{Component, ComponentType};
use osstack::model::name::Name;
use osstack::model::secret::KeyNames;
use osstack::model::stack::StackDraft;
use osstack::model::store::StoreDraft;
use osstack::zenml::plan::{SecretOutline, Wanted, plan};
use osstack::zenml::script::script;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use proptest::prelude::*;
use serde_json::json;

/// Writes down its arguments, one a line, its environment, and what it is handed over.
const ZENML: &str = r#"#!/bin/sh
printf '%s\n' "$@" >>"$NOTES/arguments"
env >>"$NOTES/environment"
for argument; do
    case $argument in
    --values=@*)
        file=${argument#--values=@}
        [ -f "$file" ] || exit 7
        cat "$file" >>"$NOTES/values"
        ls -A "$TMPDIR" >>"$NOTES/left"
        ;;
    esac
done
[ "$1" != "${FAIL_AT-}" ]
"#;

fn a_script(has_token: bool) -> String {
    let name = |text: &str| Name::parse(text).unwrap();
    let store = StoreDraft {
        name: "alibaba_store".into(),
        bucket: "your-bucket-name".into(),
        prefix: "it's/zenml".into(),
        secret: "alibaba_secret".into(),
        region: "eu-central-1".into(),
        ..StoreDraft::default()
    };
    let mut stack = StackDraft { name: "custom_stack".into(), ..StackDraft::default() };
    stack.components.insert(ComponentType::ArtifactStore, vec!["alibaba_store".into()]);
    stack.components.insert(ComponentType::Orchestrator, vec!["gpu".into()]);
    let gpu = Component {
        name: name("gpu"),
        kind: ComponentType::Orchestrator,
        flavor: "kubernetes".into(),
        configuration: json!({ "note": "$(touch x) `y` \"z\"\n'w' \\" })
            .as_object()
            .unwrap()
            .clone(),
    };
    let secret =
        SecretOutline { name: name("alibaba_secret"), key_names: KeyNames::Oss, has_token };
    let wanted = Wanted {
        secret: Some(&secret),
        store: &store.validate().unwrap(),
        stack: Some(&stack.validate().unwrap()),
        components: &[gpu],
        server: None,
    };
    script(&plan(&wanted).unwrap())
}

struct Run {
    output: Output,
    notes: tempfile::TempDir,
}

impl Run {
    fn of(script: &str, environment: &[(&str, &str)]) -> Self {
        let notes = prepared(script);
        let output = Command::new("sh")
            .arg(notes.path().join("script"))
            .env_clear()
            .envs(surroundings(notes.path()))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Self { output, notes }
    }

    fn noted(&self, name: &str) -> String {
        noted(self.notes.path(), name)
    }
}

fn noted(notes: &Path, name: &str) -> String {
    fs::read_to_string(notes.join(name)).unwrap_or_default()
}

/// A folder with the script and the `zenml` that it will find.
fn prepared(script: &str) -> tempfile::TempDir {
    let notes = tempfile::tempdir().unwrap();
    let zenml = notes.path().join("bin/zenml");
    for folder in ["bin", "tmp"] {
        fs::create_dir(notes.path().join(folder)).unwrap();
    }
    fs::write(&zenml, ZENML).unwrap();
    fs::set_permissions(&zenml, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(notes.path().join("script"), script).unwrap();
    notes
}

fn surroundings(notes: &Path) -> [(&'static str, String); 3] {
    [
        ("PATH", format!("{}/bin:/usr/bin:/bin", notes.display())),
        ("NOTES", notes.display().to_string()),
        ("TMPDIR", format!("{}/tmp", notes.display())),
    ]
}
const KEY: [(&str, &str); 2] =
    [("OSS_ACCESS_KEY_ID", "LTAIcanary"), ("OSS_ACCESS_KEY_SECRET", r#"canary\"quoted$x`%s"#)];

#[test]
fn values_reach_zenml_by_an_open_file_alone() {
    let run = Run::of(&a_script(false), &KEY);
    assert!(run.output.status.success(), "{:?}", run.output);
    let values: serde_json::Value = serde_json::from_str(&run.noted("values")).unwrap();
    assert_eq!(values, json!({ "access_key_id": KEY[0].1, "secret_access_key": KEY[1].1 }));
    assert_eq!(run.noted("left"), "", "the file has no name while zenml runs");
    for place in ["arguments", "environment"] {
        assert!(!run.noted(place).is_empty() && !run.noted(place).contains("canary"), "{place}");
    }
    let seen = [run.output.stdout, run.output.stderr].concat();
    assert!(!String::from_utf8(seen).unwrap().contains("canary"));
}

#[test]
fn zenml_gets_the_arguments_that_the_plan_means() {
    let run = Run::of(&a_script(false), &KEY);
    let want = [
        "integration\ninstall\ns3\n-y",
        "secret\ncreate\nalibaba_secret\n--values=@/dev/fd/3",
        "artifact-store\nregister\nalibaba_store\n-f\ns3",
        "--path=s3://your-bucket-name/it's/zenml\n--authentication_secret=alibaba_secret",
        r#"--client_kwargs={"endpoint_url":"https://oss-eu-central-1.aliyuncs.com"}"#,
        r#"--config_kwargs={"signature_version":"s3","s3":{"addressing_style":"virtual"}}"#,
        "orchestrator\nregister\ngpu\n-f\nkubernetes\n--note=$(touch x) `y` \"z\"\n'w' \\",
        "stack\nregister\ncustom_stack\n-a\nalibaba_store\n-o\ngpu\n--set\n",
    ];
    assert_eq!(run.noted("arguments"), want.join("\n"));
}

#[test]
fn a_temporary_key_brings_its_token() {
    let run = Run::of(&a_script(true), &[KEY[0], KEY[1], ("OSS_SESSION_TOKEN", "token")]);
    let values: serde_json::Value = serde_json::from_str(&run.noted("values")).unwrap();
    assert_eq!(values["session_token"], "token");
}

#[test]
fn it_stops_where_zenml_does_and_leaves_nothing() {
    let run = Run::of(&a_script(false), &[KEY[0], KEY[1], ("FAIL_AT", "secret")]);
    assert!(!run.output.status.success());
    assert!(!run.noted("arguments").contains("register"));
    assert_eq!(fs::read_dir(run.notes.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn without_a_key_or_a_terminal_nothing_begins() {
    let run = Run::of(&a_script(false), &KEY[..1]);
    assert_eq!(run.output.status.code(), Some(3));
    // half a key of the environment and half a typed one would be a key that nobody has checked
    let said = String::from_utf8_lossy(&run.output.stderr).into_owned();
    assert!(said.contains("set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET both"), "{said}");
    let run = Run::of(&a_script(false), &[KEY[0], ("OSS_ACCESS_KEY_SECRET", "two words")]);
    assert_eq!(run.output.status.code(), Some(2));
    assert_eq!(run.noted("arguments"), "");
}

#[test]
fn a_typed_key_is_not_echoed() {
    let notes = prepared(&a_script(false));
    let terminal = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new("sh");
    command.arg(notes.path().join("script"));
    command.env_clear();
    for (name, value) in surroundings(notes.path()) {
        command.env(name, value);
    }
    let mut shell = terminal.slave.spawn_command(command).unwrap();
    drop(terminal.slave);
    let mut reader = terminal.master.try_clone_reader().unwrap();
    let mut writer = terminal.master.take_writer().unwrap();
    let mut screen = Vec::new();
    for (prompt, typed) in
        [("KEY_ID (not shown): ", "LTAIcanary\n"), ("SECRET (not shown): ", "canary\n")]
    {
        while !screen.ends_with(prompt.as_bytes()) {
            let mut byte = [0];
            assert_eq!(reader.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&screen));
            screen.push(byte[0]);
        }
        writer.write_all(typed.as_bytes()).unwrap();
    }
    // Linux answers EIO once the last writer is gone
    let _end = reader.read_to_end(&mut screen);
    assert!(shell.wait().unwrap().success());
    let screen = String::from_utf8(screen).unwrap();
    assert!(!screen.contains("canary"), "{screen}");
    let values: serde_json::Value = serde_json::from_str(&noted(notes.path(), "values")).unwrap();
    assert_eq!(values, json!({ "access_key_id": "LTAIcanary", "secret_access_key": "canary" }));
}

/// Words rich in what a shell acts on; without NUL, and without the separator used below.
fn words() -> impl Strategy<Value = Vec<String>> {
    let odd: Vec<char> = "'\"\\$`!*?~#&;|<>(){}[]=@% \t\n-\u{1b}é中".chars().collect();
    let other = any::<char>().prop_filter("reserved", |c| !"\0\u{1e}".contains(*c));
    let character = prop_oneof![prop::sample::select(odd), other];
    let word = prop::collection::vec(character, 0..20).prop_map(String::from_iter);
    prop::collection::vec(word, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_word_comes_back_from_the_shell(words in words()) {
        let quoted: Vec<String> = words.iter().map(|word| shell::quote(word)).collect();
        let line = format!("printf '%s\\036' {}", quoted.join(" "));
        let output = Command::new("sh").arg("-c").arg(line).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        prop_assert_eq!(text.split_terminator('\u{1e}').collect::<Vec<_>>(), words);
    }
}
