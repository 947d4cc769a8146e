//! Runs, artifacts and orphans by their keys: the real program over a demo's files, the sandbox,
//! and a server that tells of what lies there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use osstack::app::open::{Face, options, tabs};
use osstack::app::shell::Stage;
use osstack::catalog::{Catalog, Put};
use osstack::keystore::keyring::NoKeyring;
use osstack::model::connection::ConnectionDraft;
use osstack::ops::artifacts::Which;
use osstack::ops::demo::furnish;
use osstack::ops::world::World;
use osstack::ports::clock::{FixedClock, SharedClock};
use osstack::ports::entropy::{SeededEntropy, SharedEntropy};
use osstack::ports::env::Env;
use osstack::ports::paths::Paths;
use osstack::sandbox::Seed;
use osstack::screens::artifact::ArtifactView;
use osstack::screens::artifacts::Artifacts;
use osstack::screens::census::CensusView;
use osstack::screens::run::RunView;
use osstack::screens::runs::Runs;
use osstack::tui::keymap::clashes;
use tempfile::TempDir;

use crate::closed_port::ClosedPort;
use crate::sandbox_client::{NOW, Running, Signature};
use crate::zenml_server::command::{PATH, ZenmlCommand};
use crate::zenml_server::{Server, State};

struct Demo {
    sandbox: Running,
    server: Option<Server>,
    home: TempDir,
    stage: Stage<World>,
}

impl Demo {
    /// With a connection to a server, named prod.
    async fn start() -> Self {
        let sandbox = Running::start(Seed::Demo);
        let server = Server::start(State::over(&keys(&sandbox).await));
        Self::over(sandbox, Some(server))
    }

    /// With a connection to a `zenml` command, named prod.
    async fn by_command() -> Self {
        let sandbox = Running::start(Seed::Demo);
        let keys = keys(&sandbox).await;
        Self::furnished(sandbox, None, |home| {
            let zenml = ZenmlCommand::start(State::over(&keys), &home.join("zenml"));
            let way = ConnectionDraft { command: PATH.into(), ..ConnectionDraft::default() };
            (Some(way), zenml.variables().to_vec())
        })
    }

    fn over(sandbox: Running, server: Option<Server>) -> Self {
        let url = server.as_ref().map(|server| server.url.clone());
        let way = url.map(|url| ConnectionDraft { url, ..ConnectionDraft::default() });
        Self::furnished(sandbox, server, |_| (way, Vec::new()))
    }

    fn furnished(
        sandbox: Running,
        server: Option<Server>,
        way: impl FnOnce(&Path) -> (Option<ConnectionDraft>, Vec<(String, String)>),
    ) -> Self {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let clock: SharedClock = Arc::new(FixedClock(NOW));
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(3));
        let env = furnish(home.path(), &sandbox.description, &clock, &entropy).unwrap();
        let paths = Paths::below(home.path());
        let (way, more) = way(home.path());
        let own = ["OSSTACK_HOME", "OSSTACK_IDENTITY_FILE"];
        let own = own.map(|name| (name.to_owned(), env.get(name).unwrap().to_owned()));
        let env = Env::new(own.into_iter().chain(more));
        if let Some(way) = way {
            let draft = ConnectionDraft { name: "prod".into(), ..way };
            let connection = draft.validate().unwrap();
            let put = Catalog::edit(&paths.catalog(), 7, |edit| {
                edit.put_connection(&connection, Put::New)
            });
            put.unwrap();
        }
        let world = World::new(env, paths, clock, entropy, Arc::new(NoKeyring)).unwrap();
        let face = Face { label: Some("sandbox"), ..Face::default() };
        let stage = Stage::with(Arc::new(world), tabs(), options(face));
        Self { sandbox, server, home, stage }
    }

    /// Types `keys` one by one, each after the answers to the one before.
    async fn keys(&mut self, keys: &str) -> String {
        self.stage.settle().await;
        let mut rest = keys;
        while !rest.is_empty() {
            let chord = rest.strip_prefix('<').and_then(|tail| tail.find('>'));
            let end = chord.map_or_else(|| rest.chars().next().unwrap().len_utf8(), |end| end + 2);
            self.stage.keys(&rest[..end]).settle().await;
            rest = &rest[end..];
        }
        self.picture()
    }

    fn picture(&mut self) -> String {
        self.stage.pass(Duration::from_secs(30));
        let picture = self.stage.picture();
        assert!(!picture.contains(&self.sandbox.description.secret_access_key), "{picture}");
        let home = self.home.path().to_str().unwrap();
        picture.replace(home, &"~".repeat(home.len()))
    }

    fn wide(&mut self) -> String {
        self.stage.resize(160, 48);
        let picture = self.picture();
        self.stage.resize(80, 24);
        picture
    }

    /// Draws at sizes that a window passes through while it is dragged.
    fn any_size(&mut self) {
        for width in [1, 2, 3, 41, 47, 69, 80, 101, 300] {
            for height in [1, 2, 3, 7, 10, 12, 17, 23, 100] {
                self.stage.resize(width, height);
                self.stage.picture();
            }
        }
        self.stage.resize(80, 24);
    }
}

/// What lies below the demo's prefix, with sizes.
async fn keys(sandbox: &Running) -> Vec<(String, u64)> {
    let list = sandbox.get("").query("list-type", "2").query("prefix", "zenml/");
    let xml = list.query("max-keys", "1000").send(Signature::V4).await.text();
    let part = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    xml.split("<Contents>")
        .skip(1)
        .map(|one| (part(one, "Key"), part(one, "Size").parse().unwrap()))
        .collect()
}

/// The row under the cursor.
fn marked(picture: &str) -> &str {
    picture.lines().find(|line| line.starts_with("│▸")).unwrap_or("")
}

#[tokio::test]
async fn from_launch_to_the_last_runs_model_in_three_keys() {
    let mut demo = Demo::start().await;
    let first = demo.keys("").await;
    assert!(first.contains("Runs of prod"), "it opens on the last run: {first}");
    assert!(marked(&first).contains("training"), "{first}");
    assert!(first.contains("train_model"), "its steps stand beside it: {first}");
    insta::assert_snapshot!("runs", first);
    insta::assert_snapshot!("runs_wide", demo.wide());
    demo.any_size();
    let run = demo.keys("<enter>").await;
    assert!(marked(&run).contains("model"), "{run}");
    insta::assert_snapshot!("run", run);
    insta::assert_snapshot!("run_wide", demo.wide());
    demo.any_size();
    let preview = demo.keys("<enter>").await;
    assert!(preview.contains("artifact.pkl"), "{preview}");
    assert!(preview.contains("never unpickled"), "the viewer that the browser has: {preview}");
}

#[tokio::test]
async fn who_has_begun_to_work_is_not_taken_elsewhere() {
    let mut demo = Demo::start().await;
    demo.stage.keys("j");
    let picture = demo.keys("").await;
    assert!(picture.contains("demo_stack") && !picture.contains("Runs of"), "{picture}");
    let mut demo = Demo::start().await;
    demo.stage.keys("2");
    let picture = demo.keys("").await;
    assert!(picture.contains("demo_store") && !picture.contains("Runs of"), "{picture}");
}

#[tokio::test]
async fn without_runs_or_a_server_it_opens_as_ever() {
    let server = Server::start(State::default());
    let mut demo = Demo::over(Running::start(Seed::Demo), Some(server));
    let picture = demo.keys("").await;
    assert!(picture.contains("demo_stack"), "{picture}");
    let picture = demo.keys("7").await;
    assert!(picture.contains("no run yet"), "{picture}");
    let mut demo = Demo::over(Running::start(Seed::Demo), None);
    let picture = demo.keys("7").await;
    assert!(picture.contains("osstack zenml login"), "{picture}");
}

#[tokio::test]
async fn a_command_tells_what_a_server_tells() {
    let (mut server, mut command) = (Demo::start().await, Demo::by_command().await);
    // it takes seconds to begin: unasked it is left alone
    let first = command.keys("").await;
    assert!(first.contains("demo_stack") && !first.contains("Runs of"), "{first}");
    server.keys("").await;
    for keys in ["7", "<enter>", "a", "jj<enter>", "<esc><esc><esc>4<enter>A", "m", "<enter>"] {
        let told = [server.keys(keys).await, command.keys(keys).await];
        let [server, command] = told.map(|picture| {
            // the last line names the ZenML that was spoken with
            picture.lines().rev().skip(1).map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(server, command, "after {keys}");
    }
}

#[tokio::test]
async fn a_run_that_failed_leads_to_its_log() {
    let mut demo = Demo::start().await;
    let mut picture = demo.keys("").await;
    for _ in 0..8 {
        if marked(&picture).contains('✗') {
            break;
        }
        picture = demo.keys("j").await;
    }
    let run = demo.keys("<enter>").await;
    assert!(marked(&run).contains("compare") || run.contains("failed"), "{run}");
    let log = demo.keys("<enter>").await;
    assert!(log.contains("JSON Lines") && log.contains("levels"), "{log}");
    let back = demo.keys("<esc>G").await;
    assert!(marked(&back).contains("log of the run"), "{back}");
    let log = demo.keys("L").await;
    assert!(log.contains("JSON Lines"), "{log}");
}

#[tokio::test]
async fn lineage_is_walked_up_and_down() {
    let mut demo = Demo::start().await;
    let model = demo.keys("<enter>a").await;
    insta::assert_snapshot!("artifact", model);
    insta::assert_snapshot!("artifact_wide", demo.wide());
    demo.any_size();
    let train = demo.keys("jj<enter>").await;
    assert!(train.contains("train:3"), "what it was made of: {train}");
    let back = demo.keys("<esc>j").await;
    assert!(marked(&back).contains("read by"), "{back}");
    let run = demo.keys("<enter>").await;
    assert!(run.contains("evaluate"), "the run of the reader: {run}");
    let report = demo.keys("<esc>j<enter>").await;
    assert!(report.contains("step") && report.contains("evaluate"), "{report}");
    let keys = demo.keys("A").await;
    assert!(keys.contains("uate/card/") && keys.contains("output.md"), "{keys}");
}

#[tokio::test]
async fn keys_and_artifacts_are_two_views_of_a_store() {
    let mut demo = Demo::start().await;
    let keys = demo.keys("4<enter>/train_model<enter><enter>j<enter>").await;
    assert!(keys.contains("zenml/train_model/model/"), "{keys}");
    let detail = demo.keys("<enter><enter>a").await;
    assert!(detail.contains("model:"), "the artifact of an object: {detail}");
    let tree = demo.keys("<esc>A").await;
    assert!(marked(&tree).contains("model"), "at the artifact one came from: {tree}");
    insta::assert_snapshot!("artifacts", tree);
    insta::assert_snapshot!("artifacts_wide", demo.wide());
    demo.any_size();
    let back = demo.keys("A").await;
    assert!(back.contains("artifact.pkl"), "and back to its keys: {back}");
    let folded = demo.keys("Ahhhh").await;
    assert!(marked(&folded).contains("▸ training"), "{folded}");
    let run = demo.keys("ljr").await;
    assert!(run.contains("training-2026"), "{run}");
}

#[tokio::test]
async fn orphans_and_missing_data_are_shown() {
    let mut demo = Demo::start().await;
    let census = demo.keys("4<enter>Am").await;
    insta::assert_snapshot!("census", census);
    insta::assert_snapshot!("census_wide", demo.wide());
    demo.any_size();
    assert!(census.contains("1 missing · 1 orphan"), "{census}");
    let missing = demo.keys("<enter>").await;
    assert!(missing.contains("the data is gone from the store"), "{missing}");
    let orphan = demo.keys("<esc>j<enter>").await;
    assert!(orphan.contains("checkpoint.pt"), "{orphan}");
}

#[tokio::test]
async fn without_a_server_the_keys_tell() {
    let mut demo = Demo::over(Running::start(Seed::Demo), None);
    let tree = demo.keys("4<enter>A").await;
    assert!(tree.contains("by the keys alone"), "{tree}");
    insta::assert_snapshot!("artifacts_by_keys", demo.keys("j").await);
    let keys = demo.keys("ljljl").await;
    assert!(keys.contains("vectors/") && keys.contains("data.npy"), "{keys}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_and_the_keys_tell() {
    let sandbox = Running::start(Seed::Demo);
    let closed = ClosedPort::new();
    let url = format!("http://{}", closed.address());
    let server = Server { url, ..Server::start(State::default()) };
    let mut demo = Demo::over(sandbox, Some(server));
    assert!(demo.server.is_some());
    let picture = demo.keys("7").await;
    assert!(picture.contains("cannot") && picture.contains("check the URL"), "{picture}");
    let tree = demo.keys("4<enter>A").await;
    assert!(tree.contains("by the keys alone") && tree.contains("cannot"), "{tree}");
}

#[test]
fn no_two_rows_claim_one_key() {
    let id = || Which::Id("1".into());
    let all = [
        clashes(&Runs::default()),
        clashes(&RunView::new(None, "1".into())),
        clashes(&ArtifactView::new(None, id())),
        clashes(&Artifacts::of("store".into(), String::new())),
        clashes(&CensusView::of(None, "store".into())),
    ];
    for found in all {
        assert!(found.is_empty(), "{found:?}");
    }
}

#[tokio::test]
async fn what_is_deleted_on_top_is_gone_from_the_screens_below() {
    let mut demo = Demo::start().await;
    let below = demo.keys("4<enter>/train_model<enter><enter>j<enter><enter><enter>").await;
    assert!(marked(&below).contains("artifact.pkl"), "{below}");
    let artifact = demo.keys("a").await;
    assert!(artifact.contains("file    artifact.pkl"), "{artifact}");
    let on_top = demo.keys("A").await;
    assert!(marked(&on_top).contains("artifact.pkl"), "{on_top}");
    demo.keys("Dy").await;
    demo.stage.pass(std::time::Duration::from_mins(1));
    for gone in ["", "<esc>", "<esc>"] {
        let picture = demo.keys(gone).await;
        assert!(picture.contains("python_version.txt"), "{picture}");
        assert!(!picture.contains("artifact.pkl"), "{picture}");
    }
}

/// Over a slow line each request is a wait.
#[tokio::test]
async fn the_newest_artifact_is_found_and_previewed_with_few_requests() {
    let mut demo = Demo::start().await;
    demo.keys("7").await;
    let store = demo.sandbox.faults.requests();
    let preview = demo.keys("<enter><enter>").await;
    assert!(preview.contains("pickle: never unpickled"), "{preview}");
    assert_eq!(demo.sandbox.faults.requests() - store, 2, "its files, and the beginning of one");
    let mut asked = demo.server.as_ref().unwrap().state.lock().unwrap().requests.clone();
    assert!(asked.len() <= 6, "{asked:#?}");
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), 6, "nothing is asked for twice: {asked:#?}");
    // what was read is shown again by the listing's ETag, here and as a file of the artifact
    for (keys, requests) in [("<esc><enter>", 1), ("<esc>a", 1), ("<enter>", 0)] {
        let before = demo.sandbox.faults.requests();
        let picture = demo.keys(keys).await;
        assert_eq!(demo.sandbox.faults.requests() - before, requests, "{keys}: {picture}");
    }
    assert!(demo.keys("").await.contains("pickle: never unpickled"));
}
