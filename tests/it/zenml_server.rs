//! A server that answers for runs, steps and artifact versions as ZenML 0.98 does, over what the
//! demo's bucket holds: as much of it as reading and pruning artifacts ask for.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "f8cf76bc-0dff-4dca-b6d3-8f1c4627b66b";

/// What the server holds.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) runs: Vec<Run>,
    pub(crate) steps: Vec<Step>,
    pub(crate) versions: Vec<Version>,
    /// `METHOD /path?query`, below `/api/v1`.
    pub(crate) requests: Vec<String>,
    /// So many deletions are answered with 500.
    pub(crate) broken_deletes: usize,
    /// After so many requests the next one is held without an answer, and that it is here is said.
    pub(crate) held: Option<(usize, Sender<()>)>,
    /// One version is not for this user to see.
    pub(crate) hides_one: bool,
}

pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) pipeline: &'static str,
    pub(crate) status: &'static str,
    pub(crate) created: String,
    pub(crate) log: String,
}

pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) run: String,
    pub(crate) status: &'static str,
    pub(crate) created: String,
    pub(crate) inputs: Vec<(String, String)>,
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) log: String,
}

#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) artifact: String,
    pub(crate) number: String,
    pub(crate) uri: String,
    pub(crate) created: String,
    pub(crate) size: u64,
    pub(crate) save_type: &'static str,
}

/// A pipeline's name, its steps with what each reads, the days of its runs in March 2026.
type Pipeline = (&'static str, &'static [(&'static str, &'static str)], &'static [u8]);

/// Pipelines of the demo.
const PIPELINES: &[Pipeline] = &[
    (
        "training",
        &[
            ("load_rides", ""),
            ("split_rides", "rides"),
            ("train_model", "train"),
            ("evaluate", "model"),
        ],
        &[15, 14, 7],
    ),
    ("tokenize", &[("fetch_corpus", ""), ("embed", "corpus")], &[13, 2]),
    ("monitor_drift", &[("load_window", ""), ("compare", "window")], &[12, 11, 10]),
];

impl State {
    /// The runs that `keys` with their sizes, below `s3://zenml-demo/zenml/`, are left of; the
    /// checkpoint is left out, and so are no one's.
    pub(crate) fn over(keys: &[(String, u64)]) -> Self {
        let mut folders: BTreeMap<&str, u64> = BTreeMap::new();
        let mut logs = Vec::new();
        for (key, size) in keys {
            let below = key.strip_prefix("zenml/").unwrap_or_default();
            if below.starts_with("logs/") {
                logs.push(format!("s3://zenml-demo/{key}"));
            } else if let Some((folder, _)) = below.rsplit_once('/') {
                *folders.entry(folder).or_default() += size;
            }
        }
        let mut state = Self::default();
        let mut logs = logs.into_iter().cycle();
        let mut number = 0;
        let mut id = || {
            number += 1;
            format!("00000000-0000-4000-a000-{number:012}")
        };
        for (pipeline, steps, days) in PIPELINES {
            for (at, day) in days.iter().enumerate() {
                let run = id();
                let time = |minute: usize| format!("2026-03-{day:02}T09:{minute:02}:00.000001");
                let is_broken = *pipeline == "monitor_drift" && at == 0;
                let mut known: BTreeMap<String, String> = BTreeMap::new();
                for (nth, (step, input)) in steps.iter().enumerate() {
                    // the at-th run of this step, in the order of ids
                    let mut of_step: Vec<&str> = folders
                        .keys()
                        .filter(|folder| folder.starts_with(&format!("{step}/")))
                        .filter(|folder| !folder.contains("/checkpoint/"))
                        .filter_map(|folder| folder.split('/').nth(2))
                        .collect();
                    of_step.sort_unstable();
                    of_step.dedup();
                    let Some(step_run) = of_step.get(at) else { continue };
                    let inputs = known.get(*input).map(|id| ((*input).to_owned(), id.clone()));
                    let mut outputs = Vec::new();
                    for (folder, size) in &folders {
                        let parts: Vec<&str> = folder.split('/').collect();
                        let [name, output, run, _salt] = parts.as_slice() else { continue };
                        if name != step || run != step_run {
                            continue;
                        }
                        let version = id();
                        known.insert((*output).to_owned(), version.clone());
                        outputs.push(((*output).to_owned(), version.clone()));
                        state.versions.push(Version {
                            id: version,
                            artifact: (*output).to_owned(),
                            number: (days.len() - at).to_string(),
                            uri: format!("s3://zenml-demo/zenml/{folder}"),
                            created: time(nth + 1),
                            size: *size,
                            save_type: "step_output",
                        });
                    }
                    state.steps.push(Step {
                        id: (*step_run).to_owned(),
                        name: (*step).to_owned(),
                        run: run.clone(),
                        status: if is_broken && nth == 1 { "failed" } else { "completed" },
                        created: time(nth + 1),
                        inputs: inputs.into_iter().collect(),
                        outputs,
                        log: logs.next().unwrap(),
                    });
                }
                state.runs.push(Run {
                    id: run,
                    name: format!("{pipeline}-2026_03_{day:02}-09_00_00"),
                    pipeline,
                    status: if is_broken { "failed" } else { "completed" },
                    created: time(0),
                    log: logs.next().unwrap(),
                });
            }
        }
        for (folder, size) in folders.iter().filter(|(key, _)| key.starts_with("custom_artifacts"))
        {
            state.versions.push(Version {
                id: id(),
                artifact: folder.split('/').nth(1).unwrap().to_owned(),
                number: "1".into(),
                uri: format!("s3://zenml-demo/zenml/{folder}"),
                created: "2026-03-06T09:00:00".into(),
                size: *size,
                save_type: "manual",
            });
        }
        state.versions.push(Version {
            id: id(),
            artifact: "forgotten".into(),
            number: "1".into(),
            uri: "s3://zenml-demo/zenml/load_rides/forgotten/gone/c7a28315".into(),
            created: "2026-03-07T09:00:00".into(),
            size: 12,
            save_type: "step_output",
        });
        state.runs.sort_by(|a, b| b.created.cmp(&a.created));
        state
    }

    pub(crate) fn version(&self, label: &str) -> Option<&Version> {
        self.versions.iter().find(|one| format!("{}:{}", one.artifact, one.number) == label)
    }

    fn producer(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.outputs.iter().any(|(_, output)| output == id))
    }

    fn is_unused(&self, id: &str) -> bool {
        !self
            .steps
            .iter()
            .any(|step| step.inputs.iter().chain(&step.outputs).any(|(_, version)| version == id))
    }

    fn version_json(&self, version: &Version, hydrate: bool) -> Value {
        let step = self.producer(&version.id);
        let metadata = json!({ "visualizations": [],
            "run_metadata": { "storage_size": version.size } });
        json!({
            "id": version.id,
            "permission_denied": false,
            "body": {
                "created": version.created,
                "project_id": PROJECT,
                "artifact": { "id": "a", "name": version.artifact, "body": {} },
                "version": version.number,
                "uri": version.uri,
                "type": if version.artifact == "model" { "ModelArtifact" } else { "DataArtifact" },
                "save_type": version.save_type,
                "artifact_store_id": "d6647d8a-5353-416f-9367-bac6786bcc80",
                "data_type": { "module": "pandas", "attribute": "DataFrame" },
                "materializer": { "module": "zenml.materializers", "attribute": "Some" },
            },
            "metadata": if hydrate { metadata } else { Value::Null },
            "resources": {
                "tags": [],
                "producer_step_run_id": step.map(|step| &step.id),
                "producer_pipeline_run_id": step.map(|step| &step.run),
            },
        })
    }

    fn step_json(&self, step: &Step, hydrate: bool) -> Value {
        let by_name = |list: &[(String, String)]| {
            let one = |(name, id): &(String, String)| {
                let version = self.versions.iter().find(|version| version.id == *id)?;
                Some((name.clone(), json!([self.version_json(version, false)])))
            };
            Value::Object(list.iter().filter_map(one).collect())
        };
        let metadata = json!({ "pipeline_run_id": step.run });
        json!({
            "id": step.id,
            "name": step.name,
            "permission_denied": false,
            "body": { "created": step.created, "status": step.status,
                "start_time": step.created, "end_time": step.created.replace(":00.", ":42.") },
            "metadata": if hydrate { metadata } else { Value::Null },
            "resources": {
                "inputs": by_name(&step.inputs),
                "outputs": by_name(&step.outputs),
                "log_collection": [{ "id": "l", "body": { "uri": step.log, "source": "step" } }],
            },
        })
    }

    fn run_json(run: &Run, hydrate: bool) -> Value {
        let end = run.created.replace("T09:00:00", "T09:04:42");
        json!({
            "id": run.id,
            "name": run.name,
            "permission_denied": false,
            "body": { "created": run.created, "status": run.status },
            "metadata": if hydrate {
                json!({ "start_time": run.created, "end_time": end })
            } else {
                Value::Null
            },
            "resources": {
                "pipeline": { "name": run.pipeline },
                "stack": { "name": "demo_stack" },
                "user": { "name": "ada" },
                "log_collection": [{ "id": "l", "body": { "uri": run.log, "source": "client" } }],
            },
        })
    }

    fn answer(&mut self, method: &str, target: &str) -> (u16, Value) {
        self.requests.push(format!("{method} {target}"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let hydrate = query.get("hydrate").is_none_or(|value| value == "true");
        let list_hydrate = query.get("hydrate").is_some_and(|value| value == "true");
        let asked = |name: &str| query.get(name).map(String::as_str);
        let fits = |name: &str, have: &str| match asked(name) {
            None => true,
            Some(wanted) => match wanted.split_once(':') {
                Some(("equals", wanted)) => have == wanted,
                Some(("startswith", wanted)) => have.starts_with(wanted),
                Some(("gte", wanted)) => have >= wanted.replace(' ', "T").as_str(),
                _ => have == wanted,
            },
        };
        let found = match (method, parts.as_slice()) {
            ("GET", ["info"]) => Some(json!({ "id": "s", "name": "prod", "version": "0.98.0",
                "active": true, "auth_scheme": "NO_AUTH" })),
            ("GET", ["projects"]) => {
                return paged(vec![json!({ "id": PROJECT, "body": {} })], &query);
            }
            ("GET", ["model_version_artifacts"]) => return paged(Vec::new(), &query),
            ("GET", ["runs"]) => {
                let runs = self
                    .runs
                    .iter()
                    .filter(|run| fits("pipeline_name", run.pipeline) && fits("name", &run.name));
                return paged(runs.map(|run| Self::run_json(run, list_hydrate)).collect(), &query);
            }
            ("GET", ["steps"]) => {
                let mut steps: Vec<&Step> = self
                    .steps
                    .iter()
                    .filter(|step| fits("pipeline_run_id", &step.run))
                    .filter(|step| fits("created", &step.created))
                    .collect();
                steps.sort_by(|a, b| a.created.cmp(&b.created));
                let json = steps.iter().map(|step| self.step_json(step, list_hydrate));
                return paged(json.collect(), &query);
            }
            ("GET", ["artifact_versions"]) => {
                let of_run = |version: &Version| {
                    asked("pipeline_run").is_none_or(|run| {
                        let mut steps = self.steps.iter().filter(|step| step.run == run);
                        steps.any(|step| {
                            let mut all = step.inputs.iter().chain(&step.outputs);
                            all.any(|(_, id)| *id == version.id)
                        })
                    })
                };
                let mut versions: Vec<&Version> = self
                    .versions
                    .iter()
                    .filter(|one| fits("uri", &one.uri) && fits("artifact", &one.artifact))
                    .filter(|one| fits("version", &one.number) && fits("id", &one.id))
                    .filter(|one| asked("only_unused") != Some("true") || self.is_unused(&one.id))
                    .filter(|one| of_run(one))
                    .collect();
                versions.sort_by(|a, b| b.created.cmp(&a.created));
                let json = versions.iter().map(|one| self.version_json(one, list_hydrate));
                let mut json: Vec<Value> = json.collect();
                if let (true, Some(first)) = (self.hides_one, json.first_mut()) {
                    *first = json!({ "id": first["id"], "permission_denied": true, "body": null });
                }
                return paged(json, &query);
            }
            ("GET", ["runs", id]) => {
                self.runs.iter().find(|run| run.id == *id).map(|run| Self::run_json(run, hydrate))
            }
            ("GET", ["steps", id]) => {
                let found = self.steps.iter().find(|step| step.id == *id);
                found.map(|step| self.step_json(step, hydrate))
            }
            ("GET", ["artifact_versions", id]) => {
                let found = self.versions.iter().find(|version| version.id == *id);
                found.map(|version| self.version_json(version, hydrate))
            }
            ("DELETE", ["artifact_versions", id]) => {
                if self.broken_deletes > 0 {
                    self.broken_deletes -= 1;
                    return (500, json!({ "detail": ["RuntimeError", "the database is gone"] }));
                }
                if !self.is_unused(id) {
                    return (400, json!({ "detail": ["ValueError", "used in runs"] }));
                }
                assert_eq!(asked("delete_from_artifact_store"), Some("false"), "{target}");
                self.versions.retain(|version| version.id != *id);
                Some(Value::Null)
            }
            _ => None,
        };
        match found {
            Some(found) => (200, found),
            None => (404, json!({ "detail": ["KeyError", "'no such thing'"] })),
        }
    }
}

fn paged(items: Vec<Value>, query: &BTreeMap<String, String>) -> (u16, Value) {
    let number = |name: &str, or: usize| query.get(name).map_or(or, |text| text.parse().unwrap());
    let (page, size) = (number("page", 1), number("size", 20));
    let (total, pages) = (items.len(), items.len().div_ceil(size));
    let items: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
    let body = json!({ "index": page, "max_size": size, "total_pages": pages, "total": total,
        "items": items });
    (200, body)
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).unwrap()
}

/// A server that answers as long as the test runs.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "a server of the test's own")]
    pub(crate) fn start(state: State) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { url, state }
    }
}

/// One connection, request by request, until the client closes it.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        reader.read_line(&mut first).ok()?;
        let mut words = first.split_whitespace();
        let (method, target) = (words.next()?, words.next()?);
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        let target = target.strip_prefix("/api/v1").unwrap_or(target);
        let (status, body) = {
            let mut state = state.lock().unwrap();
            if let Some((left, here)) = &mut state.held {
                if *left == 0 {
                    here.send(()).ok()?;
                    drop(state);
                    // until the client is gone
                    reader.read_line(&mut String::new()).ok()?;
                    return None;
                }
                *left -= 1;
            }
            state.answer(method, target)
        };
        let body = body.to_string();
        let answer = format!(
            "HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        (&mut &*stream).write_all(answer.as_bytes()).ok()?;
    }
}
