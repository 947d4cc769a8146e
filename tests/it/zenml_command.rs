//! The way through the `zenml` command, against a `zenml` and a Python that take notes
//! (`tests/data/zenml-command`). The real ones: `tests/python/command_test.py`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::FutureExt as _;
use osstack::base::secret_string::SecretString;
use osstack::model::component::ComponentType;
use osstack::ports::env::Env;
use osstack::ports::process::Limits;
use osstack::zenml::command::Client;
use osstack::zenml::remote::Remote;
use osstack::zenml::rest::{Collection, ComponentChange, Kind, StackChange};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const CANARY: &str = "canary-of-the-command-01";
const LIMITS: Limits = Limits { time: Duration::from_secs(30), output: 1 << 20 };

/// An environment with a `zenml`, which sees [`Self::notes`] as its configuration.
struct Stand {
    notes: TempDir,
}

impl Stand {
    /// A sound one of this version.
    fn of(version: &str) -> Self {
        let stand = Self { notes: tempfile::tempdir().unwrap() };
        stand.answers("version", &json!({ "answer": version }));
        let info = json!({ "id": "5e4e4e", "name": "local", "version": version, "active": true });
        stand.answers("info", &json!({ "answer": info }));
        stand.answers("user", &json!({ "answer": { "id": "u1", "name": "default", "body": {} } }));
        stand
    }

    fn path(&self, name: &str) -> PathBuf {
        self.notes.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        #[expect(clippy::disallowed_methods, reason = "what the stand-in reads")]
        std::fs::write(self.path(name), text).unwrap();
    }

    fn answers(&self, question: &str, answer: &Value) {
        self.put(&format!("{question}.answer"), &answer.to_string());
    }

    fn noted(&self, name: &str) -> String {
        let bytes = std::fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn env(&self, more: &[(&str, &str)]) -> Env {
        let config = self.notes.path().to_str().unwrap();
        let own = [("PATH", "/usr/bin:/bin"), ("ZENML_CONFIG_PATH", config)];
        let all = own.iter().chain(more);
        Env::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn client(&self) -> Client {
        self.client_with(LIMITS)
    }

    fn client_with(&self, limits: Limits) -> Client {
        Client::new(zenml().to_str().unwrap(), &self.env(&[]), limits)
    }
}

fn zenml() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/zenml-command/bin/zenml")
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn component(name: &str, configuration: &Value) -> Value {
    json!({
        "id": "c1",
        "name": name,
        "body": { "type": "artifact_store", "flavor_name": "s3", "user_id": "u1" },
        "metadata": { "configuration": configuration, "labels": { "gone": "x" }, "connector": null },
    })
}

#[tokio::test]
async fn values_reach_zenml_by_a_file_without_a_name_alone() {
    let stand = Stand::of("0.98.0");
    let body = json!({ "private": false, "user_id": "u1", "values": { "key": CANARY } });
    stand.answers("secret", &json!({ "answer": { "id": "s1", "name": "oss", "body": body } }));
    let client = stand.client();
    let value = SecretString::new(CANARY.into());
    let values = [("secret_access_key", Some(&value)), ("session_token", None)];
    assert_eq!(client.create_secret("oss", &values).await.unwrap(), "s1");
    client.update_secret("s1", None, &values).await.unwrap();
    client.update_secret("s1", None, &[("session_token", None)]).await.unwrap();
    client.delete_secret("s1").await.unwrap();
    let read = client.secret("oss").await.unwrap().unwrap();
    assert_eq!(read.values["key"], Some(SecretString::new(CANARY.into())));
    let arguments = stand.noted("arguments").replace('\n', " ");
    assert_eq!(
        arguments,
        "secret create oss --values=@/dev/stdin \
         secret update s1 --values=@/dev/stdin --remove-keys=session_token \
         secret update s1 --remove-keys=session_token \
         secret delete s1 -y "
    );
    let json = format!(r#"{{"secret_access_key":"{CANARY}"}}"#);
    assert_eq!(stand.noted("values"), json.repeat(2));
    for noted in ["seen", "arguments", "questions"] {
        assert!(!stand.noted(noted).contains(CANARY), "{noted}: {}", stand.noted(noted));
    }
    if cfg!(target_os = "linux") {
        let seen = stand.noted("seen");
        assert!(seen.contains("NO_COLOR=1") && seen.contains("ZENML_ANALYTICS_OPT_IN=false"));
    }
    assert!(!format!("{client:?} {read:?}").contains(CANARY));
}

#[tokio::test]
async fn one_python_answers_all_that_is_asked() {
    let stand = Stand::of("0.98.0");
    let stack = json!({
        "id": "t1",
        "name": "prod",
        "body": { "user_id": "u1" },
        "metadata": { "labels": {}, "components": {
            "orchestrator": [{ "id": "o1", "name": "default" }],
        } },
    });
    stand.answers("stacks", &json!({ "answer": [stack] }));
    stand.answers(
        "stack",
        &json!({ "error": {
        "kinds": ["KeyError", "Exception"],
        "message": "Unable to get stack with ID 'x': No stack with this ID found",
    } }),
    );
    stand.answers(
        "components",
        &json!({ "answer": [component("oss", &json!({ "path": "s3://a" }))] }),
    );
    let client = stand.client();
    assert_eq!(client.info().await.unwrap().id, "5e4e4e");
    assert_eq!(client.current_user().await.unwrap().name, "default");
    assert_eq!(client.stacks().await.unwrap().len(), 1);
    assert_eq!(client.stacks_with("o1").await.unwrap()[0].name, "prod");
    assert!(client.stack("other").await.unwrap().is_none());
    assert!(client.stack_by_id("x").await.unwrap().is_none());
    let store = client.component("artifact_store", "oss").await.unwrap().unwrap();
    assert_eq!(store.configuration["path"], "s3://a");
    let questions = stand.noted("questions");
    let asked = |what: &str| questions.lines().filter(|line| line.contains(what)).count();
    assert_eq!((asked(r#""ask":"version""#), asked(r#""ask":"info""#)), (1, 1), "{questions}");
    assert!(questions.contains(r#"{"component":"o1","ask":"stacks"}"#), "{questions}");
}

#[tokio::test]
async fn lists_are_asked_for_page_by_page_as_of_the_rest_api() {
    let stand = Stand::of("0.98.0");
    let page = json!({ "index": 1, "total": 3, "total_pages": 2, "items": [{ "id": "v1" }] });
    stand.answers("page", &json!({ "answer": page }));
    let kinds = ["KeyError", "LookupError", "Exception"];
    let message =
        "Unable to get artifact version with ID 'v1': No artifact version with this ID found";
    let gone = json!({ "kinds": kinds, "message": message });
    stand.answers("one", &json!({ "error": gone }));
    stand.answers("delete_artifact_version", &json!({ "error": gone }));
    stand.answers("logs", &json!({ "answer": [{ "message": "said" }] }));
    stand.answers("types", &json!({ "answer": ["orchestrator", "hovercraft", ""] }));
    stand.answers(
        "flavors",
        &json!({ "answer": [{ "name": "s3", "body": {
        "type": "artifact_store", "display_name": "S3", "integration": "s3",
    } }] }),
    );
    let zenml = Remote::Command(stand.client());
    let query = [("uri", "startswith:s3://a"), ("hydrate", "true")];
    let all = zenml.list(Collection::ArtifactVersions, &query).await.unwrap();
    assert_eq!(all.len(), 2, "one of each page");
    assert_eq!(zenml.one(Collection::ArtifactVersions, "v1").await.unwrap(), None);
    zenml.delete_artifact_version("v1").await.unwrap();
    let entries = zenml.logs(Collection::Steps, "s1", "step").await.unwrap();
    assert_eq!(entries, [json!({ "message": "said" })]);
    let types = zenml.component_types().await.unwrap();
    assert_eq!(
        types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        ["orchestrator", "hovercraft"]
    );
    let kind = ComponentType::parse("artifact_store");
    assert_eq!(zenml.flavors(kind).await.unwrap()[0].name, "s3");
    for question in [
        r#"{"of":"artifact_versions","query":{"uri":"startswith:s3://a","hydrate":"true"},"number":2,"size":1000,"ask":"page"}"#,
        r#"{"of":"artifact_versions","id":"v1","ask":"one"}"#,
        r#"{"id":"v1","ask":"delete_artifact_version"}"#,
        r#"{"of":"steps","id":"s1","source":"step","ask":"logs"}"#,
        r#"{"kind":"artifact_store","ask":"flavors"}"#,
    ] {
        let question: Value = serde_json::from_str(question).unwrap();
        let questions = stand.noted("questions");
        let mut asked = questions.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert!(asked.any(|asked| asked == question), "{question}: {questions}");
    }
    assert_eq!(stand.noted("arguments"), "", "no command was run");

    stand.answers("page", &json!({ "answer": [] }));
    let error = zenml.list(Collection::Runs, &[]).await.unwrap_err();
    assert!(error.kind == Kind::Command && error.action == "list ZenML's runs", "{error:?}");
    let used = json!({ "kinds": ["ValueError", "Exception"], "message": "it is used in runs" });
    stand.answers("delete_artifact_version", &json!({ "error": used }));
    let error = zenml.delete_artifact_version("v1").await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "it is used in runs"));
}

/// The Python is kept while it can answer what is so; another one takes its place where it cannot.
#[tokio::test]
async fn a_python_that_ended_or_knows_another_configuration_is_replaced() {
    let stand = Stand::of("0.98.0");
    stand.answers("stacks", &json!({ "answer": [] }));
    stand.put("instead", r#"echo $$ >>"$notes/started""#);
    stand.put("config.yaml", "active_project_id: one");
    let started = || {
        let noted = stand.noted("started");
        noted.lines().map(|line| line.parse().unwrap()).collect::<Vec<i32>>()
    };
    let client = stand.client();
    client.stacks().await.unwrap();
    // whoever no longer waits leaves the Python to the next
    assert!(client.stacks().now_or_never().is_none());
    client.stacks().await.unwrap();
    assert_eq!(started().len(), 1);
    let pid = rustix::process::Pid::from_raw(started()[0]).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    client.stacks().await.unwrap();
    assert_eq!(started().len(), 2);
    stand.put("config.yaml", "active_project_id: two");
    client.stacks().await.unwrap();
    client.stacks().await.unwrap();
    assert_eq!(started().len(), 3);
}

#[tokio::test]
async fn what_differs_becomes_commands() {
    let stand = Stand::of("0.98.0");
    let there = component("old", &json!({ "path": "s3://a", "secret": "k" }));
    stand.answers("component", &json!({ "answer": there }));
    let stack = json!({
        "id": "t1",
        "name": "prod",
        "body": {},
        "metadata": { "labels": {}, "components": {
            "orchestrator": [{ "id": "o1", "name": "default" }],
            "image_builder": [{ "id": "i1", "name": "kaniko" }],
        } },
    });
    stand.answers("stack", &json!({ "answer": stack.clone() }));
    stand.answers("stacks", &json!({ "answer": [stack] }));
    stand.answers("label_stack", &json!({ "answer": null }));
    let client = stand.client();
    let configuration = object(&json!({ "path": "s3://b", "env": "@x" }));
    let change = ComponentChange {
        name: Some("new"),
        configuration: Some(&configuration),
        labels: Some(&Map::new()),
    };
    client.update_component("c1", change).await.unwrap();
    client.delete_component("c1").await.unwrap();
    let components = BTreeMap::from([("orchestrator".to_owned(), vec!["o2".to_owned()])]);
    let labels = object(&json!({ "managed-by": "osstack" }));
    assert_eq!(client.create_stack("prod", &components, &labels).await.unwrap(), "t1");
    let change =
        StackChange { name: Some("prod"), components: Some(&components), labels: Some(&labels) };
    client.update_stack("t1", change).await.unwrap();
    client.activate("t1").await.unwrap();
    client.delete_stack("t1").await.unwrap();
    assert_eq!(
        stand.noted("arguments").replace('\n', " "),
        "artifact-store update c1 -- --path=s3://b --env=@@x \
         artifact-store remove-attribute c1 -l gone secret \
         artifact-store rename c1 new \
         artifact-store delete c1 \
         stack register prod -o o2 \
         stack update t1 -o o2 \
         stack remove-component t1 -i \
         stack set t1 \
         stack delete t1 -y "
    );
    let label = r#"{"id":"t1","labels":{"managed-by":"osstack"},"ask":"label_stack"}"#;
    assert_eq!(stand.noted("questions").matches(label).count(), 2);
}

#[tokio::test]
async fn each_way_to_be_no_zenml_is_named() {
    let stand = Stand::of("0.98.0");
    let flat = stand.path("zenml");
    stand.put("zenml", "no program");
    // executable, and not asked: nothing says which Python it would be
    stand.put("alone", "#!/bin/sh\n");
    let alone = stand.path("alone");
    std::fs::set_permissions(&alone, std::fs::Permissions::from_mode(0o755)).unwrap();
    let asked = async |path: &Path| {
        Client::new(path.to_str().unwrap(), &stand.env(&[]), LIMITS).info().await.cloned()
    };
    for (path, words) in [
        (Path::new("/nowhere/zenml"), "there is no command /nowhere/zenml"),
        (Path::new("zenml-that-is-nowhere"), "there is no command zenml-that-is-nowhere"),
        (stand.notes.path(), "is no command"),
        (&flat, "is not executable"),
    ] {
        let error = asked(path).await.unwrap_err();
        assert_eq!(error.kind, Kind::Command, "{error}");
        assert!(error.message.contains(words), "{error}");
        assert!(error.next().contains("--command"), "{}", error.next());
    }
    let error = asked(&alone).await.unwrap_err();
    assert!(error.message.contains("no Python stands in it or beside it"), "{error}");
    let redirected = stand.env(&[("ZENML_STORE_API_KEY", CANARY)]);
    let client = Client::new(zenml().to_str().unwrap(), &redirected, LIMITS);
    let error = client.info().await.unwrap_err().to_string();
    assert!(error.contains("ZENML_STORE_API_KEY is set") && !error.contains(CANARY), "{error}");
}

#[tokio::test]
async fn a_python_without_a_zenml_that_is_understood_is_named() {
    let refused = async |stand: &Stand, limits| {
        let error = stand.client_with(limits).stacks().await.unwrap_err();
        assert!(stand.noted("arguments").is_empty());
        (error.kind, error.message)
    };
    let stand = Stand::of("0.75.0");
    let (kind, message) = refused(&stand, LIMITS).await;
    assert_eq!(kind, Kind::Unsupported);
    assert!(message.contains("0.75.0") && message.contains("0.80.0"), "{message}");

    let stand = Stand::of("0.98.0");
    let kinds = ["PackageNotFoundError", "ModuleNotFoundError", "ImportError", "Exception"];
    let error = json!({ "kinds": kinds, "message": "zenml" });
    stand.answers("version", &json!({ "error": error }));
    let (kind, message) = refused(&stand, LIMITS).await;
    assert_eq!(kind, Kind::Command);
    assert!(message.contains("has no ZenML that works"), "{message}");

    for (script, words) in [
        ("exit 3", "ended without an answer"),
        ("read -r it; printf 'osstack-answer:{\"ans'; exit 0", "ended without an answer"),
        ("read -r it; echo 'osstack-answer:{\"ans'; exit 0", "the answer is none of ZenML's"),
        ("read -r it; echo osstack-answer:7; exit 0", "the answer is none of ZenML's"),
        ("while :; do echo more; done", "said more than 1000 bytes"),
    ] {
        stand.put("instead", script);
        let (kind, message) = refused(&stand, Limits { output: 1000, ..LIMITS }).await;
        assert_eq!(kind, Kind::Command, "{script}");
        assert!(message.contains(words), "{script}: {message}");
    }
    stand.put("instead", "sleep 600");
    let (kind, message) =
        refused(&stand, Limits { time: Duration::from_millis(50), ..LIMITS }).await;
    assert_eq!(kind, Kind::Command);
    assert!(message.contains("did not end within"), "{message}");
}

#[tokio::test]
async fn what_zenml_says_when_it_fails_is_understood() {
    let stand = Stand::of("0.98.0");
    let client = stand.client();
    client.info().await.unwrap();
    let value = SecretString::new(CANARY.into());
    let values = [("key", Some(&value))];
    let create = async |then: &str| {
        stand.put("then", then);
        client.create_secret("oss", &values).await.unwrap_err()
    };
    let taken = "printf '\\033[31mError: \\033[0mSecret with name already exists.\\n' >&2; exit 1";
    let error = create(taken).await;
    assert_eq!((error.kind, error.may_be_done), (Kind::Conflict, false));
    assert_eq!(error.message, "Secret with name already exists.");

    let traceback = format!(
        "printf 'Traceback (most recent call last):\\n  File \"x\"\\nValueError: {CANARY} is bad\\n' >&2; exit 1"
    );
    let error = create(&traceback).await;
    assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "… is bad"));

    // it may have been at it
    let error = create("kill -9 $$").await;
    assert!(error.may_be_done, "{error:?}");
    // says that all is well, and there is nothing
    stand.answers("secret", &json!({ "answer": null }));
    let error = create("exit 0").await;
    assert!(error.may_be_done && error.message.contains("there is nothing"), "{error:?}");

    stand.put("then", "echo \"Error: Could not find a secret with name 'x'\" >&2; exit 1");
    client.delete_secret("gone").await.unwrap();
    stand.put(
        "then",
        "echo \"Error: Unable to deregister active stack 'prod'. Make sure\" >&2; exit 1",
    );
    let error = client.delete_stack("t1").await.unwrap_err();
    assert_eq!(error.kind, Kind::Conflict);
    assert!(error.message.contains("zenml stack set default"), "{error}");
}

#[tokio::test]
async fn a_zenml_that_hangs_is_ended() {
    let stand = Stand::of("0.98.0");
    stand.put("then", "sleep 600");
    let client = stand.client_with(Limits { time: Duration::from_secs(2), ..LIMITS });
    let error = client.delete_secret("s1").await.unwrap_err();
    assert_eq!((error.kind, error.may_be_done), (Kind::Command, true));
    assert!(error.message.contains("did not end within 2 s"), "{error}");
}
