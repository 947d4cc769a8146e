//! The same behind a `zenml` command: the stand-in Python of `tests/data/zenml-command` hands on
//! what it is asked, and is told what a server would say.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use osstack::base::url_encode::query as encoded;
use serde_json::{Value, json};

use super::State;

/// The command.
pub(crate) const PATH: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/zenml-command/bin/zenml");

/// A `zenml` command that answers as long as the test runs.
pub(crate) struct ZenmlCommand {
    pub(crate) state: Arc<Mutex<State>>,
    folder: PathBuf,
}

impl ZenmlCommand {
    /// Keeps its files in `folder`, which has to live as long.
    #[expect(clippy::disallowed_methods, reason = "what the stand-in is asked, it hands on here")]
    pub(crate) fn start(state: State, folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let [ask, reply] = ["ask", "reply"].map(|name| folder.join(name));
        let made = Command::new("mkfifo").args([&ask, &reply]).status().unwrap();
        assert!(made.success(), "{made}");
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            loop {
                let question = std::fs::read_to_string(&ask).unwrap();
                let question: Value = serde_json::from_str(&question).unwrap();
                let answer = answer(&mut shared.lock().unwrap(), &question);
                // who asked may be gone
                let _gone = std::fs::write(&reply, answer.to_string());
            }
        });
        Self { state, folder: folder.to_owned() }
    }

    /// What has to be in the environment of whoever starts it.
    pub(crate) fn variables(&self) -> [(String, String); 2] {
        let folder = self.folder.to_str().unwrap();
        [("ZENML_CONFIG_PATH", folder), ("PATH", "/usr/bin:/bin")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }
}

fn answer(state: &mut State, question: &Value) -> Value {
    let text = |name: &str| question[name].as_str().unwrap_or_default();
    let (of, id) = (text("of"), text("id"));
    let (method, target) = match text("ask") {
        "version" => return json!({ "answer": "0.98.0" }),
        "info" => ("GET", "/info".to_owned()),
        "page" => {
            let filters = question["query"].as_object().unwrap().iter();
            let mut query: Vec<String> = filters
                .map(|(name, value)| format!("{name}={}", encoded(value.as_str().unwrap())))
                .collect();
            query.push(format!("page={}&size={}", question["number"], question["size"]));
            ("GET", format!("/{of}?{}", query.join("&")))
        }
        "one" => ("GET", format!("/{of}/{id}")),
        "logs" => ("GET", format!("/{of}/{id}/logs?source={}", text("source"))),
        "delete_artifact_version" => {
            ("DELETE", format!("/artifact_versions/{id}?delete_from_artifact_store=false"))
        }
        other => panic!("{other} is not asked here"),
    };
    match state.answer(method, &target) {
        (200, answer) => json!({ "answer": answer }),
        (status, said) => {
            // in the words of ZenML's Python, where it has others than the server
            let (class, message) = match status {
                404 => (json!("KeyError"), json!("Unable to get one with ID: no such thing")),
                500.. => (json!("OperationalError"), said["detail"][1].clone()),
                _ => (said["detail"][0].clone(), said["detail"][1].clone()),
            };
            json!({ "error": { "kinds": [class, "Exception"], "message": message } })
        }
    }
}
