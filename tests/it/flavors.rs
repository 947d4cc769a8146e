//! Components by what the ZenML that is asked tells of its flavors, where it tells more or less
//! than the built-in table.

use osstack::model::component::ComponentType;
use osstack::ops::adopt::{AdoptFromZenml, Adoptee};
use serde_json::json;

use crate::cli::bench::{Bench, stop};
use crate::commit::{Committer, StandIn};

const REGISTER: [&str; 6] = ["component", "register", "orchestrator", "gpu", "-f", "kubernetes"];
const CONTEXT: [&str; 2] = ["--set", "kubernetes_context=prod"];
const NEWER: [&str; 2] = ["--set", "pods_at_once=3"];

/// A setting that only a newer ZenML has is taken by its type, planned and committed; that ZenML
/// judges what is typed wrong; without it the catalog stays good.
#[test]
fn a_setting_of_a_newer_zenml_is_taken() {
    let bench = Bench::furnished();
    let register = [&REGISTER[..], &CONTEXT, &NEWER].concat();
    let unknown = bench.run(&register);
    assert!(unknown.code == 2 && unknown.err.contains("no such setting"), "{unknown:?}");

    let zenml = bench.zenml(&["--zenml-fault", "more-setting=pods_at_once"]);
    let wrong = bench.run(&[&REGISTER[..], &CONTEXT, &["--set", "pods_at_once=many"]].concat());
    assert!(wrong.code == 2 && wrong.err.contains("write a whole number"), "{wrong:?}");
    let unnamed = ["component", "register", "orchestrator", "a b", "-f", "kubernetes"];
    let unnamed = bench.run(&unnamed);
    assert!(unnamed.code == 2 && unnamed.err.contains("name"), "{unnamed:?}");
    let typo = bench.run(&[&REGISTER[..], &CONTEXT, &["--set", "pods_at_onc=3"]].concat());
    assert!(typo.err.contains("did you mean pods_at_once?"), "{typo:?}");
    bench.run(&register).ok();
    let described = bench.run(&["component", "describe", "orchestrator", "gpu", "--json"]).ok();
    assert_eq!(described.json()["configuration"]["pods_at_once"], json!(3));
    let flavor = bench.run(&["component", "flavors", "orchestrator", "kubernetes"]).ok();
    assert!(
        flavor.out.contains("pods_at_once") && flavor.err.contains("as here tells"),
        "{flavor:?}"
    );

    let flavor = bench.run(&["component", "flavors", "orchestrator", "kubernetes", "--json"]).ok();
    assert_eq!(flavor.json()["told"], json!(true));
    bench.run(&["stack", "register", "s", "-a", "demo_store", "-o", "gpu"]).ok();
    let plan = bench.run(&["plan", "s"]).ok().out;
    assert!(plan.contains("pods_at_once") && !plan.contains("no such setting"), "{plan}");
    bench.run(&["commit", "s", "--yes", "--without-check"]).ok();
    let again = bench.run(&["plan", "s"]).ok().out;
    assert!(again.contains("Nothing to do"), "{again}");

    stop(zenml);
    let stack = bench.run(&["stack", "describe", "s"]).ok();
    assert!(stack.out.contains("gpu"), "{stack:?}");
    let flavor = bench.run(&["component", "flavors", "orchestrator", "kubernetes"]).ok();
    assert!(!flavor.out.contains("pods_at_once"), "{flavor:?}");
    assert!(flavor.err.contains("by the table of ZenML 0.98"), "{flavor:?}");
    let changed = ["component", "update", "orchestrator", "gpu", "-f", "kubernetes"];
    bench.run(&[&changed[..], &["--set", "kubernetes_context=other"]].concat()).ok();
    let described = bench.run(&["component", "describe", "orchestrator", "gpu", "--json"]).ok();
    assert_eq!(described.json()["configuration"]["pods_at_once"], json!(3), "it stays");
    let alone = bench.run(&[&changed[..], &["--set", "pods_at_once=4"]].concat());
    assert!(alone.code == 2 && alone.err.contains("without the flavors of here"), "{alone:?}");
}

/// What an older ZenML does not have is said before it is committed.
#[test]
fn a_flavor_that_an_older_zenml_lacks_is_told_in_the_plan() {
    let bench = Bench::furnished();
    bench.run(&[&REGISTER[..], &CONTEXT].concat()).ok();
    bench.run(&["stack", "register", "s", "-a", "demo_store", "-o", "gpu"]).ok();
    let offline = bench.run(&["plan", "s"]).ok().out;
    assert!(!offline.contains("no flavor kubernetes"), "{offline}");
    let zenml = bench.zenml(&["--zenml-fault", "no-flavor=kubernetes"]);
    let plan = bench.run(&["plan", "s"]).ok().out;
    assert!(plan.contains("The ZenML that was asked has no flavor kubernetes"), "{plan}");
    stop(zenml);
}

/// Form and picker go by the server: its settings, its flavors, and what it says of both.
#[tokio::test]
async fn the_form_is_made_of_what_the_server_tells() {
    let zenml = StandIn::start();
    zenml.faults.change(|faults| {
        faults.more_settings.push("pods_at_once".into());
        faults.no_flavors.push("sagemaker".into());
    });
    let mut me = Committer::tagged(&zenml.bed, "x").await;
    me.user.keys("1RGnqa<tab><tab><ctrl-o>n").await;
    let list = me.user.keys("gpu<tab><enter>").await;
    assert!(list.contains("kubeflow") && !list.contains("sagemaker"), "{list}");
    // the last of thirty-three settings below the fold
    let down = "<tab>".repeat(33);
    me.user.keys(&format!("kubernet<enter><tab>prod<tab><enter>{down}")).await;
    let wrong = me.user.keys("many<ctrl-s>").await;
    assert!(wrong.contains("Pods at once") && wrong.contains("write a whole number"), "{wrong}");
    let saved = me.user.keys("<backspace><backspace><backspace><backspace>3<ctrl-s>").await;
    assert!(saved.contains("the orchestrator gpu is in the catalog"), "{saved}");
    let catalog = me.user.world.catalog().await.unwrap();
    let made = catalog.component(ComponentType::Orchestrator, "gpu").unwrap();
    assert_eq!(made.configuration["pods_at_once"], json!(3));
    let composer = me.user.wide();
    assert!(!composer.contains("no such setting"), "{composer}");
}

/// Which settings of a flavor of somebody's own hold keys only the server tells: such a key is not
/// taken over into the catalog.
#[tokio::test]
async fn a_key_in_a_flavor_of_their_own_is_left_there() {
    let zenml = StandIn::start();
    let me = Committer::tagged(&zenml.bed, "x").await;
    let settings = json!({ "queue": "nightly", "token": "tok-canary" });
    let settings = settings.as_object().unwrap();
    let (kind, none) = (ComponentType::StepOperator, serde_json::Map::new());
    let server = zenml.bed.client();
    server.create_component(kind.as_str(), "steps", "batch_queue", settings, &none).await.unwrap();
    let job = AdoptFromZenml {
        connection: None,
        what: vec![Adoptee::Component(kind, "steps".into())],
        secret: None,
        overwrite: false,
    };
    let adopted = me.run(job).await.unwrap();
    let notes = adopted.imported.notes.join(" ");
    assert!(notes.contains("holds a key in token") && !notes.contains("canary"), "{notes}");
    let text = std::fs::read_to_string(me.user.path("config/stacks.toml")).unwrap();
    assert!(text.contains("queue = \"nightly\"") && !text.contains("canary"), "{text}");
}
