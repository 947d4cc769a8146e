//! Runs, steps and artifact versions, as `ZenML` 0.98 tells them of what the demo's bucket holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

/// The project's id.
pub const PROJECT: &str = "f8cf76bc-0dff-4dca-b6d3-8f1c4627b66b";

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// The newest first.
    pub runs: Vec<Run>,
    /// Of all runs.
    pub steps: Vec<Step>,
    /// Of all artifacts.
    pub versions: Vec<Version>,
    /// One version is not for this user to see.
    pub hides_one: bool,
}

/// A run of a pipeline, which `demo_stack` ran.
#[derive(Clone, Debug)]
pub struct Run {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Of which pipeline.
    pub pipeline: &'static str,
    /// `completed`, `failed`, ….
    pub status: &'static str,
    /// UTC, without a zone.
    pub created: String,
    /// Where its log lies.
    pub log: String,
}

/// A step of a run.
#[derive(Clone, Debug)]
pub struct Step {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of its run.
    pub run: String,
    /// `completed`, `failed`, ….
    pub status: &'static str,
    /// UTC, without a zone.
    pub created: String,
    /// Names, and ids of versions.
    pub inputs: Vec<(String, String)>,
    /// Names, and ids of versions.
    pub outputs: Vec<(String, String)>,
    /// Where its log lies.
    pub log: String,
}

/// A version of an artifact.
#[derive(Clone, Debug)]
pub struct Version {
    /// A UUID.
    pub id: String,
    /// Of which artifact.
    pub artifact: String,
    /// Which one.
    pub number: String,
    /// Where its data lies.
    pub uri: String,
    /// UTC, without a zone.
    pub created: String,
    /// In bytes.
    pub size: u64,
    /// `step_output`, `manual`, ….
    pub save_type: &'static str,
}

/// A pipeline's name, its steps with what each reads, how many days before the last one its runs were.
type Pipeline = (&'static str, &'static [(&'static str, &'static str)], &'static [i64]);

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
        &[0, 1, 8],
    ),
    ("tokenize", &[("fetch_corpus", ""), ("embed", "corpus")], &[2, 13]),
    ("monitor_drift", &[("load_window", ""), ("compare", "window")], &[3, 4, 5]),
];

impl Runs {
    /// The runs that `keys` with their sizes, below `s3://zenml-demo/zenml/`, are left of; the
    /// checkpoint is left out, and so is no version's. The last run was on the day `last`.
    pub fn over(keys: &[(String, u64)], last: Date) -> Self {
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
                let day = last.saturating_sub(Duration::days(*day));
                let time = |minute: usize| format!("{day}T09:{minute:02}:00.000001");
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
                        log: logs.next().unwrap_or_default(),
                    });
                }
                state.runs.push(Run {
                    id: run,
                    name: format!("{pipeline}-{}-09_00_00", day.to_string().replace('-', "_")),
                    pipeline,
                    status: if is_broken { "failed" } else { "completed" },
                    created: time(0),
                    log: logs.next().unwrap_or_default(),
                });
            }
        }
        for (folder, size) in folders.iter().filter(|(key, _)| key.starts_with("custom_artifacts"))
        {
            state.versions.push(Version {
                id: id(),
                artifact: folder.split('/').nth(1).unwrap_or_default().to_owned(),
                number: "1".into(),
                uri: format!("s3://zenml-demo/zenml/{folder}"),
                created: format!("{}T09:00:00", last.saturating_sub(Duration::days(9))),
                size: *size,
                save_type: "manual",
            });
        }
        state.versions.push(Version {
            id: id(),
            artifact: "forgotten".into(),
            number: "1".into(),
            uri: "s3://zenml-demo/zenml/load_rides/forgotten/gone/c7a28315".into(),
            created: format!("{}T09:00:00", last.saturating_sub(Duration::days(8))),
            size: 12,
            save_type: "step_output",
        });
        state.runs.sort_by(|a, b| b.created.cmp(&a.created));
        state
    }

    /// The last day whose runs lie behind us: they are at nine in the morning, UTC.
    pub fn last_day(now: OffsetDateTime) -> Date {
        let now = now.to_offset(UtcOffset::UTC);
        if now.hour() < 10 { now.saturating_sub(Duration::DAY).date() } else { now.date() }
    }

    /// The version `artifact:number`.
    pub fn version(&self, label: &str) -> Option<&Version> {
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

    /// What `ZenML` answers to `method` of the path's `parts`, below `/api/v1/`; nothing where it is
    /// none of runs, steps and artifact versions.
    pub fn answer(
        &mut self,
        method: &str,
        parts: &[&str],
        query: &BTreeMap<String, String>,
    ) -> Option<(u16, Value)> {
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
        let found = match (method, parts) {
            ("GET", ["model_version_artifacts"]) => return Some(paged(&[], query)),
            ("GET", ["runs"]) => {
                let runs = self
                    .runs
                    .iter()
                    .filter(|run| fits("pipeline_name", run.pipeline) && fits("name", &run.name));
                return Some(paged(
                    &runs.map(|run| Self::run_json(run, list_hydrate)).collect::<Vec<_>>(),
                    query,
                ));
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
                return Some(paged(&json.collect::<Vec<_>>(), query));
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
                    *first =
                        json!({ "id": first.get("id"), "permission_denied": true, "body": null });
                }
                return Some(paged(&json, query));
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
                if !self.is_unused(id) {
                    return Some((400, json!({ "detail": ["ValueError", "used in runs"] })));
                }
                self.versions.retain(|version| version.id != *id);
                Some(Value::Null)
            }
            _ => return None,
        };
        Some(match found {
            Some(found) => (200, found),
            None => (404, json!({ "detail": ["KeyError", "'no such thing'"] })),
        })
    }
}

fn paged(items: &[Value], query: &BTreeMap<String, String>) -> (u16, Value) {
    let number = |name: &str, or: usize| {
        query.get(name).and_then(|text| text.parse().ok()).unwrap_or(or).max(1)
    };
    let (page, size) = (number("page", 1), number("size", 20));
    let (total, pages) = (items.len(), items.len().div_ceil(size));
    let items: Vec<&Value> = items.iter().skip((page - 1) * size).take(size).collect();
    let body = json!({ "index": page, "max_size": size, "total_pages": pages, "total": total,
        "items": items });
    (200, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn no_run_lies_ahead_at_any_hour() {
        let files = ["load_rides/rides", "split_rides/train", "evaluate/card"];
        let keys = files.map(|step| (format!("zenml/{step}/run/c7a28315/file"), 1));
        for hour in 0..24 {
            let now = datetime!(2026-03-15 00:00 UTC) + Duration::hours(hour);
            let runs = Runs::over(&keys, Runs::last_day(now));
            let run = runs.runs.iter().map(|one| &one.created);
            let step = runs.steps.iter().map(|one| &one.created);
            let version = runs.versions.iter().map(|one| &one.created);
            let last = run.chain(step).chain(version).max().unwrap();
            let until = format!("{}T{hour:02}:00:00", now.date());
            assert!(*last <= until, "{last} at {until}");
        }
        assert_eq!(Runs::last_day(datetime!(2026-03-15 18:00 +09:00)), date!(2026 - 03 - 14));
        assert_eq!(Runs::last_day(datetime!(2026-03-15 10:00 UTC)), date!(2026 - 03 - 15));
    }
}
