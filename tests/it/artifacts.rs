//! Runs, artifacts and pruning through the real program, against a server over what the demo's
//! bucket holds.

mod orphans;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::cli::bench::Bench;
use crate::zenml_server::command::{PATH, ZenmlCommand};
use crate::zenml_server::{Server, State};

struct Beds {
    bench: Bench,
    state: Arc<Mutex<State>>,
}

impl Beds {
    /// With a connection to a server.
    fn start() -> Self {
        let bench = Bench::demo();
        let server = Server::start(State::over(&keys(&bench)));
        Self::connected(bench, &format!("url = \"{}\"", server.url), server.state)
    }

    /// With a connection to a `zenml` command.
    fn by_command() -> Self {
        let mut bench = Bench::demo();
        let zenml = ZenmlCommand::start(State::over(&keys(&bench)), &bench.path("zenml"));
        for (name, value) in zenml.variables() {
            bench.set(&name, &value);
        }
        Self::connected(bench, &format!("command = \"{PATH}\""), zenml.state)
    }

    /// What has to hold whichever way there is.
    fn both() -> [Self; 2] {
        [Self::start(), Self::by_command()]
    }

    fn connected(bench: Bench, way: &str, state: Arc<Mutex<State>>) -> Self {
        let catalog = bench.read("config/stacks.toml");
        bench.write("config/stacks.toml", &format!("{catalog}\n[zenml.prod]\n{way}\n"));
        Self { bench, state }
    }

    fn json(&self, words: &[&str]) -> Value {
        self.bench.run(&[words, &["--json"]].concat()).ok().json()
    }

    fn labels(&self) -> BTreeSet<String> {
        let state = self.state.lock().unwrap();
        state.versions.iter().map(|one| format!("{}:{}", one.artifact, one.number)).collect()
    }

    fn requests(&self, method: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|one| one.starts_with(method)).cloned().collect()
    }
}

/// All keys of the demo's store, with their sizes.
fn keys(bench: &Bench) -> Vec<(String, u64)> {
    let listed = bench.run(&["ls", "demo_store:", "-r", "--json"]).ok().lines();
    let pair =
        |one: &Value| (one["key"].as_str().unwrap().to_owned(), one["size"].as_u64().unwrap());
    listed.iter().map(pair).collect()
}

#[test]
fn runs_are_listed_and_told_whole() {
    for beds in Beds::both() {
        let listed = beds.json(&["run", "list"]);
        let runs = listed["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 8);
        assert_eq!(runs[0]["name"], "training-2026_03_15-09_00_00", "the newest first");
        let drift = beds.json(&["run", "list", "--pipeline", "monitor_drift", "-n", "2"]);
        let statuses: Vec<_> =
            drift["runs"].as_array().unwrap().iter().map(|run| &run["status"]).collect();
        assert_eq!(statuses, ["failed", "completed"]);
        let table = beds.bench.run(&["run", "list"]).ok().out;
        assert!(table.starts_with("STATUS"), "{table}");

        let last = beds.json(&["run", "describe"]);
        assert_eq!(last["name"], runs[0]["name"], "without a name the newest is meant");
        let steps = last["steps"].as_array().unwrap();
        let names: Vec<_> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["load_rides", "split_rides", "train_model", "evaluate"]);
        let model = steps[2]["outputs"].as_array().unwrap();
        let model = model.iter().find(|one| one["output"] == "model").unwrap();
        assert!(model["size"].as_u64().unwrap() > 0, "sizes come with one request for all");
        let location = model["location"].as_str().unwrap();
        assert!(location.starts_with("demo_store:train_model/model/"), "{location}");
        assert!(!beds.bench.run(&["ls", &format!("{location}/")]).ok().out.is_empty());
        let by_name = beds.json(&["run", "describe", "tokenize-2026_03_02-09_00_00"]);
        assert_eq!(by_name["steps"].as_array().unwrap().len(), 2);
        let text = beds.bench.run(&["run", "describe", runs[0]["id"].as_str().unwrap()]).ok().out;
        assert!(text.contains("train_model  completed") && text.contains("4 min 42 s"), "{text}");

        let none = beds.bench.run(&["run", "describe", "nobody"]);
        assert_eq!(none.code, 1);
        assert!(none.err.contains("osstack run list"), "{none:?}");
    }
}

#[test]
fn logs_are_read_from_the_store_by_level() {
    for beds in Beds::both() {
        let all = beds.bench.run(&["run", "logs", "--json"]).ok().lines();
        assert!(all.iter().any(|line| line["step"].is_null() && line["source"] == "client"));
        assert!(all.iter().any(|line| line["step"] == "train_model"));
        let warnings =
            beds.bench.run(&["run", "logs", "--level", "warning", "--json"]).ok().lines();
        assert!(warnings.len() < all.len() && !warnings.is_empty());
        for line in &warnings {
            assert!(
                ["warn", "error", "fatal"].contains(&line["level"].as_str().unwrap()),
                "{line}"
            );
        }
        let step = beds.bench.run(&["run", "logs", "--step", "evaluate"]).ok().out;
        assert!(step.starts_with("== evaluate (step) =="), "{step}");
        let asked = beds.requests("GET");
        assert!(
            asked.iter().all(|one| !one.contains("/logs")),
            "the server need not reach the bucket"
        );
        let none = beds.bench.run(&["run", "logs", "--step", "no-such"]);
        assert!(none.code == 1 && none.err.contains("load_rides, split_rides"), "{none:?}");
    }
}

#[test]
fn an_artifact_is_described_with_what_is_around_it() {
    for beds in Beds::both() {
        let listed = beds.json(&["artifact", "list", "--store", "demo_store", "--name", "model"]);
        let versions = listed["artifact_versions"].as_array().unwrap();
        assert_eq!(versions.len(), 3);
        assert_eq!(versions[0]["version"], "3");
        let two = beds.json(&["artifact", "list", "--name", "model", "-n", "2"]);
        assert_eq!(two["artifact_versions"].as_array().unwrap(), &versions[..2], "the newest ones");
        let usual = beds.json(&["artifact", "list"]);
        assert_eq!(usual["artifact_versions"].as_array().unwrap().len(), 20, "as many as of runs");
        let elsewhere = beds.json(&["artifact", "list", "--store", "scratch_store"]);
        assert!(elsewhere["artifact_versions"].as_array().unwrap().is_empty());

        let model = beds.json(&["artifact", "describe", "model"]);
        assert_eq!(
            (&model["id"], &model["version"]),
            (&versions[0]["id"], &versions[0]["version"])
        );
        assert_eq!(model["run_detail"]["pipeline"], "training");
        assert_eq!(model["step_detail"]["name"], "train_model");
        assert_eq!(model["made_of"][0]["artifact"], "train");
        assert_eq!(model["read_by"][0]["name"], "evaluate");
        assert_eq!(model["read_by"][0]["run"], model["run"]);
        assert_eq!(model["read_by"].as_array().unwrap().len(), 1, "other runs read other versions");
        let files = model["files"].as_array().unwrap();
        assert_eq!(files.len(), 2);
        let key = files[0]["key"].as_str().unwrap();
        let uri = format!("s3://zenml-demo/{key}");
        beds.bench.run(&["bookmark", "add", "model_data", &uri]).ok();
        for name in [&uri, model["location"].as_str().unwrap(), "@model_data"] {
            assert_eq!(beds.json(&["artifact", "describe", name])["id"], model["id"], "{name}");
        }
        beds.bench.run(&["bookmark", "remove", "model_data"]).ok();
        let older = beds.json(&["artifact", "describe", "model:1"]);
        assert_eq!(older["version"], "1");
        let text = beds.bench.run(&["artifact", "describe", "model"]).ok().out;
        for part in ["made of", "read by", "files", "artifact.pkl", "demo_store:split_rides/train/"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        for name in ["no-such", "model:99", "demo_store:notes/of/mine.txt"] {
            let none = beds.bench.run(&["artifact", "describe", name]);
            assert!(none.code == 1 && none.err.contains("osstack artifact list"), "{none:?}");
        }
    }
}

#[test]
fn orphans_and_missing_data_are_found() {
    for beds in Beds::both() {
        let lines = beds.bench.run(&["artifact", "orphans", "demo_store", "--json"]).ok().lines();
        let (orphans, summary) = lines.split_at(lines.len() - 1);
        let [orphan] = orphans else { panic!("{orphans:?}") };
        assert!(orphan["key"].as_str().unwrap().starts_with("zenml/train_model/checkpoint/"));
        assert_eq!(orphan["bytes"], 12 << 20);
        assert_eq!(summary[0]["orphans"]["objects"], 1);
        assert!(summary[0]["logs"]["objects"].as_u64() > Some(10));
        assert_eq!(summary[0]["code"]["objects"], 1);
        let missing = beds.json(&["artifact", "missing", "demo_store"]);
        let missing = missing["artifact_versions"].as_array().unwrap();
        assert_eq!((missing.len(), &missing[0]["name"]), (1, &"forgotten".into()));

        beds.state.lock().unwrap().hides_one = true;
        let hidden = beds.bench.run(&["artifact", "orphans", "demo_store"]);
        assert_eq!(hidden.code, 1);
        assert!(hidden.err.contains("may not see 1 of"), "{hidden:?}");
        assert_eq!(hidden.out, "", "not one is called an orphan then");
    }
}

const PRUNE: [&str; 4] = ["artifact", "prune", "--store", "demo_store"];

#[test]
fn pruning_takes_data_and_metadata_of_what_no_run_uses() {
    for beds in Beds::both() {
        let prune = |words: &[&str]| beds.bench.run(&[&PRUNE, words].concat());
        let before = keys(&beds.bench);
        for (words, hint) in [
            (&["--yes"][..], "--older-than"),
            (&["--unused"], "--yes"),
            (&["--orphans"], "on a terminal"),
            (&["--orphans", "--yes"], "cannot be used with"),
        ] {
            let refused = prune(words);
            assert!(refused.code == 2 && refused.err.contains(hint), "{words:?}: {refused:?}");
        }
        let dry = prune(&["--unused", "--dry-run", "--json"]).ok().lines();
        let names: Vec<_> = dry.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["baseline_rides", "thresholds", "forgotten"], "the oldest first");
        let old = prune(&["--older-than", "1d", "--dry-run"]).ok();
        assert!(old.err.contains("a run has it as input or output"), "{old:?}");
        assert_eq!((keys(&beds.bench), beds.requests("DELETE").len()), (before.clone(), 0));

        let done = prune(&["--unused", "--yes", "--json"]).ok().lines();
        let summary = done.last().unwrap();
        assert_eq!((&summary["deleted"], &summary["left"]), (&3.into(), &0.into()));
        assert!(
            beds.labels().iter().all(|label| !names.iter().any(|name| label.starts_with(name)))
        );
        let after: BTreeSet<_> = keys(&beds.bench).into_iter().collect();
        let gone: Vec<_> = before.iter().filter(|key| !after.contains(*key)).collect();
        assert_eq!(gone.len(), 4, "three files of the frame, one of the thresholds");
        assert!(gone.iter().all(|(key, _)| key.starts_with("zenml/custom_artifacts/")), "{gone:?}");
        assert!(prune(&["--unused", "--yes"]).ok().err.contains("nothing is to go"));
    }
}

#[test]
fn a_server_that_breaks_in_between_leaves_nothing_dangling_after_the_next_run() {
    for beds in Beds::both() {
        let prune = |words: &[&str]| beds.bench.run(&[&PRUNE, words].concat());
        beds.state.lock().unwrap().broken_deletes = 1;
        let broken = prune(&["--unused", "--yes"]);
        assert_eq!(broken.code, 1, "{broken:?}");
        assert!(broken.err.contains("run the same again"), "{broken:?}");
        let left = |name: &str| {
            let keys = keys(&beds.bench);
            keys.iter().filter(|(key, _)| key.contains(&format!("/{name}/"))).count()
        };
        assert_eq!((left("baseline_rides"), left("thresholds")), (0, 1), "it went no further");
        assert!(
            beds.labels().contains("baseline_rides:1"),
            "data first: its metadata is still there"
        );
        let missing =
            || beds.json(&["artifact", "missing", "demo_store"])["artifact_versions"].clone();
        assert_eq!(missing().as_array().unwrap().len(), 2);
        let again = prune(&["--unused", "--yes", "--json"]).ok().lines();
        assert_eq!(again.last().unwrap()["deleted"], 3);
        assert_eq!((left("thresholds"), missing().as_array().unwrap().len()), (0, 0));
    }
}

/// Killed with SIGKILL while any one of its requests is on the way: whatever was done by then, the
/// same command ends the work, and what no version names any more is not left behind.
#[test]
fn killed_at_any_request_the_next_run_ends_the_work() {
    let words = [&PRUNE[..], &["--unused", "--yes"]].concat();
    let mut killed = 0;
    for request in 0.. {
        let beds = Beds::start();
        let (here, held) = std::sync::mpsc::channel();
        beds.state.lock().unwrap().held = Some((request, here));
        let mut child = beds.bench.spawn(&words);
        // the sender goes with the server's state: without a request to hold the child ends
        let is_held = loop {
            if held.recv_timeout(Duration::from_millis(10)).is_ok() {
                break true;
            }
            if child.try_wait().unwrap().is_some() {
                break false;
            }
        };
        if !is_held {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        beds.state.lock().unwrap().held = None;
        beds.bench.run(&words).ok();
        let labels = beds.labels();
        let unused = ["baseline_rides:1", "thresholds:1", "forgotten:1"];
        assert!(unused.iter().all(|label| !labels.contains(*label)), "{request}: {labels:?}");
        let left = keys(&beds.bench);
        let left: Vec<_> = left.iter().filter(|(key, _)| key.contains("/custom_art")).collect();
        assert!(left.is_empty(), "{request}: {left:?}");
    }
    assert!(killed >= 10, "planning takes some, and each of three versions two: {killed}");
}

#[test]
fn a_version_that_a_run_took_up_meanwhile_keeps_its_data() {
    for beds in Beds::both() {
        let before = keys(&beds.bench);
        {
            let mut state = beds.state.lock().unwrap();
            let id = state.version("thresholds:1").unwrap().id.clone();
            state.steps[0].inputs.push(("thresholds".into(), id));
        }
        let done = beds.bench.run(&[&PRUNE[..], &["--unused", "--yes"]].concat()).ok();
        assert!(!done.out.contains("thresholds"), "{done:?}");
        let thresholds = |keys: &[(String, u64)]| {
            keys.iter().filter(|(key, _)| key.contains("/thresholds/")).count()
        };
        assert_eq!(thresholds(&keys(&beds.bench)), thresholds(&before));
    }
}
