//! Takes runs, steps and artifact versions out of a server's answers.
//!
//! Lenient: what is not known is left, null is nothing, a field of another type counts as absent.
//! Only what has no id, or may not be seen (`permission_denied`, then its body is null), is none.

use serde_json::Value;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{ArtifactVersion, LogFile, Run, Status, Step, Visualization};

/// Things of a list, and how many of them this user may not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Readable<T> {
    /// Those that may be seen, in the server's order.
    pub items: Vec<T>,
    /// How many were hidden, or were no such thing.
    pub hidden: usize,
}

/// Reads each of `items`.
pub fn readable<T>(items: &[Value], read: impl Fn(&Value) -> Option<T>) -> Readable<T> {
    let all: Vec<T> = items.iter().filter_map(read).collect();
    Readable { hidden: items.len() - all.len(), items: all }
}

/// A run.
pub fn run(value: &Value) -> Option<Run> {
    let id = id(value)?;
    let of = |pointer: &str| text(value, pointer);
    Some(Run {
        id,
        name: of("/name").unwrap_or_default(),
        pipeline: moved_text(value, "/pipeline/name").filter(|name| !name.is_empty()),
        status: Status(of("/body/status").unwrap_or_default()),
        reason: of("/body/status_reason").filter(|reason| !reason.is_empty()),
        created: time(value, "/body/created"),
        started: time(value, "/metadata/start_time"),
        ended: time(value, "/metadata/end_time"),
        stack: moved_text(value, "/stack/name"),
        user: moved_text(value, "/user/name"),
        tags: tags(value),
        logs: logs(value),
    })
}

/// A step run.
pub fn step(value: &Value) -> Option<Step> {
    let id = id(value)?;
    Some(Step {
        id,
        name: text(value, "/name").unwrap_or_default(),
        status: Status(text(value, "/body/status").unwrap_or_default()),
        run: text(value, "/metadata/pipeline_run_id"),
        started: time(value, "/body/start_time"),
        ended: time(value, "/body/end_time"),
        inputs: versions(moved(value, "/inputs")),
        outputs: versions(moved(value, "/outputs")),
        logs: logs(value),
    })
}

/// An artifact version.
pub fn artifact_version(value: &Value) -> Option<ArtifactVersion> {
    let id = id(value)?;
    let of = |pointer: &str| text(value, pointer);
    let metadata = value.pointer("/metadata/run_metadata").and_then(Value::as_object);
    let metadata = metadata.cloned().unwrap_or_default();
    let seen = items(value, "/metadata/visualizations").filter_map(|one| {
        let kind = text(one, "/body/type").unwrap_or_default();
        Some(Visualization { kind, uri: text(one, "/body/uri")? })
    });
    Some(ArtifactVersion {
        id,
        artifact: of("/body/artifact/name").unwrap_or_default(),
        version: of("/body/version").unwrap_or_default(),
        uri: of("/body/uri").unwrap_or_default(),
        kind: of("/body/type").unwrap_or_default(),
        materializer: source(value, "/body/materializer"),
        data_type: source(value, "/body/data_type"),
        save_type: of("/body/save_type").unwrap_or_default(),
        size: metadata.get("storage_size").and_then(Value::as_u64),
        created: time(value, "/body/created"),
        tags: tags(value),
        step: moved_text(value, "/producer_step_run_id"),
        run: moved_text(value, "/producer_pipeline_run_id"),
        project: of("/body/project_id").or_else(|| of("/metadata/project/id")),
        store: of("/body/artifact_store_id"),
        visualizations: seen.collect(),
        metadata,
    })
}

/// A time of ZenML's: UTC without a zone suffix, or RFC 3339 as in logs.
pub fn moment(text: &str) -> Option<OffsetDateTime> {
    use time::format_description::well_known::{Iso8601, Rfc3339};
    PrimitiveDateTime::parse(text, &Iso8601::DATE_TIME)
        .map(PrimitiveDateTime::assume_utc)
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339))
        .ok()
}

/// The id of what may be seen.
fn id(value: &Value) -> Option<String> {
    let hidden = value.get("permission_denied").and_then(Value::as_bool).unwrap_or(false);
    let seen = !hidden && value.get("body").is_some_and(Value::is_object);
    text(value, "/id").filter(|id| seen && !id.is_empty())
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

/// A field that ZenML moved: what 0.98 has in `resources` was in `body` or `metadata` before (all
/// of it in 0.80, of runs in 0.85 as well, the logs of steps in 0.92 still).
fn moved<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    let at = |part| value.get(part)?.pointer(field).filter(|found| !found.is_null());
    ["resources", "body", "metadata"].into_iter().find_map(at)
}

fn moved_text(value: &Value, field: &str) -> Option<String> {
    moved(value, field)?.as_str().map(str::to_owned)
}

fn time(value: &Value, pointer: &str) -> Option<OffsetDateTime> {
    moment(value.pointer(pointer)?.as_str()?)
}

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn tags(value: &Value) -> Vec<String> {
    let tags = moved(value, "/tags").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| text(tag, "/name")).collect()
}

/// Logs, the one of older servers (`logs`) as well as the list of newer ones.
fn logs(value: &Value) -> Vec<LogFile> {
    let old = moved(value, "/logs").filter(|log| log.is_object());
    let logs = items(value, "/resources/log_collection").chain(old);
    let mut found: Vec<LogFile> = Vec::new();
    for log in logs {
        let source = text(log, "/body/source").unwrap_or_default();
        let Some(uri) = text(log, "/body/uri") else { continue };
        if !found.iter().any(|known| known.uri == uri) {
            found.push(LogFile { source, uri });
        }
    }
    found
}

/// Versions by input or output; servers before 0.67 have one version a name, not a list of them.
fn versions(value: Option<&Value>) -> Vec<(String, ArtifactVersion)> {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.flat_map(|(name, one)| {
        let many = one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice);
        let read = many.iter().filter_map(artifact_version);
        read.map(|version| (name.clone(), version)).collect::<Vec<_>>()
    })
    .collect()
}

/// `module.attribute`; older servers have it as one text.
fn source(value: &Value, pointer: &str) -> Option<String> {
    let source = value.pointer(pointer)?;
    let attribute = source.get("attribute").and_then(Value::as_str);
    match (source.get("module").and_then(Value::as_str), attribute) {
        (Some(module), Some(attribute)) => Some(format!("{module}.{attribute}")),
        (Some(module), None) => Some(module.to_owned()),
        (None, _) => source.as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zenml::artifacts::Standing;
    use serde_json::json;

    macro_rules! capture {
        ($name:literal) => {
            body(include_str!(concat!("../../../tests/data/zenml/", $name, ".json")))
        };
    }

    /// The body that ZenML 0.98.0 answered.
    fn body(capture: &str) -> Value {
        serde_json::from_str::<Value>(capture).unwrap()["body"].take()
    }

    #[test]
    fn runs_are_read() {
        let listed = readable(capture!("54-runs-list")["items"].as_array().unwrap(), run);
        assert_eq!(listed.hidden, 0);
        let listed = &listed.items[0];
        let whole = run(&capture!("55-run-get")).unwrap();
        assert_eq!(whole.name, "demo-2026_11_22-07_28_03_393508");
        assert_eq!(whole.pipeline.as_deref(), Some("demo"));
        assert_eq!(whole.stack.as_deref(), Some("oss_strict_stack"));
        assert_eq!(whole.status.standing(), Standing::Good);
        assert_eq!(whole.logs[0].source, "client");
        let took = whole.ended.unwrap() - whole.started.unwrap();
        assert_eq!(took.whole_seconds(), 17);
        // a list tells everything but when it began and ended
        assert_eq!(*listed, Run { started: None, ended: None, ..whole });
    }

    #[test]
    fn steps_are_read_with_what_they_read_and_wrote() {
        let list = capture!("56-steps-list");
        let read = step(&list["items"][0]).unwrap();
        assert_eq!((read.name.as_str(), read.status.as_str()), ("basics", "completed"));
        assert_eq!(read.run.as_deref(), Some("56294e08-d340-45de-bd3e-b138ebea43f3"));
        assert_eq!(read.logs.len(), 2);
        assert!(read.inputs.is_empty());
        let (name, output) = &read.outputs[0];
        assert_eq!((name.as_str(), output.label().as_str()), ("a_dict", "a_dict:2"));
        assert!(output.uri.ends_with(&format!("{}/669120fa", read.id)));
        let bare = step(&capture!("70-run-steps")["items"][0]).unwrap();
        assert_eq!((bare.run, bare.outputs.len()), (None, 8));
    }

    #[test]
    fn artifact_versions_are_read() {
        let whole = artifact_version(&capture!("52-artifact-version-get")).unwrap();
        assert_eq!((whole.label().as_str(), whole.size), ("a_frame:1", Some(2196)));
        assert_eq!(whole.data_type.as_deref(), Some("pandas.DataFrame"));
        assert_eq!(whole.save_type, "step_output");
        assert_eq!(whole.visualizations.len(), 2);
        assert_eq!(whole.created, moment("2026-11-22T07:26:05.008122"));
        assert!(whole.created.is_some());
        let list = capture!("51b-artifact-versions-list-hydrated");
        assert_eq!(artifact_version(&list["items"][0]).unwrap(), whole);
        let list = capture!("58-artifact-versions-by-store");
        let bare = artifact_version(&list["items"][0]).unwrap();
        assert_eq!((bare.size, bare.metadata.len()), (None, 0));
        assert_eq!(bare.step.as_deref(), Some("681656ff-a3af-417b-8469-3c74ef4f0be4"));
    }

    #[test]
    fn what_older_servers_have_elsewhere_is_read() {
        // 0.80, as its models have it
        let old = run(&json!({ "id": "1", "name": "r", "body": {
            "status": "completed", "user": { "id": "u", "name": "me" },
            "pipeline": { "name": "p" }, "stack": { "name": "s" },
        }, "resources": { "tags": [{ "name": "t" }], "pipeline": null } }))
        .unwrap();
        let told = [old.pipeline, old.stack, old.user].map(Option::unwrap);
        assert_eq!((told.join(" ").as_str(), old.tags), ("p s me", vec!["t".into()]));
        let version = json!({ "id": "2", "body": {
            "artifact": { "name": "a" }, "version": "1", "producer_pipeline_run_id": "1",
        }, "metadata": { "producer_step_run_id": "3", "project": { "id": "4" } } });
        let old = artifact_version(&version).unwrap();
        assert_eq!([old.run, old.step, old.project].map(Option::unwrap), ["1", "3", "4"]);
        // the logs of a step are there in 0.92 as well
        let old = step(&json!({ "id": "3", "name": "s",
            "body": { "inputs": { "in": [version] }, "outputs": { "out": version } },
            "metadata": { "logs": { "body": { "uri": "s3://b/logs/1.log" } } } }))
        .unwrap();
        assert_eq!((old.inputs[0].0.as_str(), old.outputs[0].0.as_str()), ("in", "out"));
        assert_eq!(old.logs[0].uri, "s3://b/logs/1.log");
    }

    #[test]
    fn what_may_not_be_seen_is_counted_and_nulls_are_nothing() {
        let hidden = json!({ "id": "1", "permission_denied": true, "body": null });
        let bare = json!({ "id": "2", "permission_denied": false, "body": {},
            "metadata": null, "resources": null });
        let odd = json!({ "id": "3", "name": 7, "body": { "status": [], "version": 3,
            "materializer": "a.B", "created": "yesterday" },
            "resources": { "log_collection": [null, {}], "inputs": { "x": null },
                "outputs": [], "tags": null } });
        let items = [hidden, bare, odd, json!(null), json!({ "body": {} })];
        assert_eq!(readable(&items, run).hidden, 3);
        assert_eq!(readable(&items, step).items.len(), 2);
        let versions = readable(&items, artifact_version);
        assert_eq!((versions.items.len(), versions.hidden), (2, 3));
        assert_eq!(versions.items[1].materializer.as_deref(), Some("a.B"));
        assert_eq!(versions.items[1].created, None);
    }

    #[test]
    fn older_servers_have_one_version_and_one_log() {
        let version = json!({ "id": "v", "body": { "version": "1" } });
        let value = json!({ "id": "s", "body": {}, "resources": {
            "outputs": { "out": version },
            "logs": { "id": "l", "body": { "uri": "s3://b/logs/1.log" } } } });
        let step = step(&value).unwrap();
        assert_eq!((step.outputs.len(), step.logs.len()), (1, 1));
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        for text in ["2026-11-22T07:26:05.008122", "2026-11-22T07:26:05", "2026-11-22T07:26:05Z"] {
            assert_eq!(moment(text).unwrap().hour(), 7, "{text}");
        }
        assert_eq!(moment(""), None);
    }
}
