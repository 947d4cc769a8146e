//! What is said of stacks.

use super::*;
use crate::model::name::Name;
use crate::model::store::StoreDraft;
use ComponentType::{
    ArtifactStore as Store, ContainerRegistry, Deployer, ExperimentTracker, ImageBuilder,
    ModelRegistry, Orchestrator, StepOperator,
};
use serde_json::json;

fn component(kind: ComponentType, flavor: &str, settings: &Value) -> Component {
    Component {
        name: Name::parse("it").unwrap(),
        kind,
        flavor: flavor.into(),
        configuration: settings.as_object().unwrap().clone(),
    }
}

fn oss() -> ArtifactStore {
    let draft = StoreDraft {
        name: "alibaba_store".into(),
        bucket: "your-bucket-name".into(),
        secret: "alibaba_secret".into(),
        region: "eu-central-1".into(),
        ..StoreDraft::default()
    };
    draft.validate().unwrap()
}

/// Ids of what is said of a store and these components, with the type under which.
fn said(store: &str, components: &[Component], more: &[(ComponentType, &str)]) -> Vec<String> {
    let stores = [oss()];
    let described = Described { components, stores: &stores, flavors: Flavors::table() };
    let own = components.iter().map(|it| (it.kind, it.name.as_str()));
    let chosen = [(Store, store)].into_iter().chain(own).chain(more.iter().copied());
    let found = judge(chosen, described);
    found.iter().map(|it| format!("{} {:?} {}", it.id, it.weight, it.at)).collect()
}

const CONTEXT: &str = "kubernetes_context";

#[test]
fn a_remote_orchestrator_needs_a_registry_and_no_local_store() {
    let context = json!({ CONTEXT: "prod" });
    let gpu = component(Orchestrator, "kubernetes", &context);
    let registry = component(ContainerRegistry, "default", &json!({ "uri": "r.example.com" }));
    let alone = said("alibaba_store", std::slice::from_ref(&gpu), &[]);
    assert_eq!(
        alone,
        [
            "component-missing Refused container_registry",
            "image-builder Note image_builder",
            "server Note orchestrator"
        ]
    );
    let builder = component(ImageBuilder, "local", &json!({}));
    let whole = [gpu.clone(), registry, builder.clone()];
    assert_eq!(said("alibaba_store", &whole, &[]), ["server Note orchestrator"]);
    let local = said("default", &whole, &[]);
    assert_eq!(local[0], "component-local Refused artifact_store");
    let here = component(ContainerRegistry, "default", &json!({ "uri": "localhost:5000" }));
    let whole = [gpu.clone(), here, builder];
    let local = said("alibaba_store", &whole, &[]);
    assert_eq!(local[0], "component-local Refused container_registry");
    // its own way out
    let settings = json!({ CONTEXT: "prod", "skip_local_validations": true });
    let lax = [component(Orchestrator, "kubernetes", &settings), whole[1].clone()];
    assert!(!said("default", &lax, &[]).iter().any(|it| it.starts_with("component-local")));
}

#[test]
fn settings_that_a_run_needs_are_asked_for() {
    let bare = [component(Orchestrator, "kubernetes", &json!({ "incluster": false }))];
    assert!(
        said("alibaba_store", &bare, &[]).contains(&"component-settings Doubt orchestrator".into())
    );
    let inside = [component(Orchestrator, "kubernetes", &json!({ "incluster": true }))];
    let found = said("alibaba_store", &inside, &[]);
    assert!(!found.iter().any(|it| it.starts_with("component-settings")), "{found:?}");
    let wrong = [component(ContainerRegistry, "default", &json!({ "url": "x" }))];
    let found = said("alibaba_store", &wrong, &[(Orchestrator, "default")]);
    let twice = "component-settings Doubt container_registry";
    assert_eq!(found, [twice, twice], "uri is missing, url is unknown, by a table of one version");
}

#[test]
fn stores_of_other_clouds_are_told() {
    let vertex = |settings: &Value| [component(Orchestrator, "vertex", settings)];
    let found = said("alibaba_store", &vertex(&json!({ "location": "x" })), &[]);
    assert!(found.contains(&"store-flavor Refused orchestrator".into()), "{found:?}");
    let rooted = vertex(&json!({ "location": "x", "pipeline_root": "gs://x" }));
    let found = said("alibaba_store", &rooted, &[]);
    assert!(!found.iter().any(|it| it.starts_with("store-flavor")), "{found:?}");
    let build = [component(ImageBuilder, "aws", &json!({ "code_build_project": "x" }))];
    let found = said("alibaba_store", &build, &[(Orchestrator, "default")]);
    assert!(found.contains(&"store-of-aws Doubt image_builder".into()), "{found:?}");
    let tracker = [component(ExperimentTracker, "mlflow", &json!({}))];
    let found = said("alibaba_store", &tracker, &[(Orchestrator, "default")]);
    assert_eq!(found, ["store-flavor Refused experiment_tracker"]);
    assert!(said("default", &tracker, &[(Orchestrator, "default")]).is_empty());
}

#[test]
fn what_stands_beside_is_looked_at_too() {
    let registry = component(ModelRegistry, "mlflow", &json!({}));
    let other = component(ExperimentTracker, "wandb", &json!({ "api_key": "{{w.k}}" }));
    let found = said("alibaba_store", &[registry, other], &[(Orchestrator, "default")]);
    assert_eq!(found, ["component-flavor Refused experiment_tracker"]);
    let sagemaker = [component(Orchestrator, "sagemaker", &json!({ "execution_role": "r" }))];
    let found = said("alibaba_store", &sagemaker, &[(Deployer, "default")]);
    assert!(found.contains(&"component-local Refused deployer".into()), "{found:?}");
}

#[test]
fn what_the_catalog_does_not_describe_is_not_judged() {
    let own = component(StepOperator, "homemade", &json!({ "x": 1 }));
    let found = said("alibaba_store", &[own], &[(Orchestrator, "gpu")]);
    assert_eq!(found, ["not-judged Note step_operator", "not-judged Note orchestrator"]);
    assert!(said("alibaba_store", &[], &[(Orchestrator, "default")]).is_empty());
    assert_eq!(said("elsewhere", &[], &[]), ["not-judged Note artifact_store"]);
}

#[test]
fn integrations_are_named_once() {
    let gpu = component(Orchestrator, "kubernetes", &json!({}));
    let stores = [oss()];
    let described = Described { components: &[gpu], stores: &stores, flavors: Flavors::table() };
    let mut draft = crate::model::stack::StackDraft { name: "s".into(), ..Default::default() };
    draft.components.insert(Store, vec!["alibaba_store".into()]);
    draft.components.insert(Orchestrator, vec!["it".into()]);
    assert_eq!(integrations(&draft.validate().unwrap(), described), ["kubernetes", "s3"]);
}

#[test]
fn what_a_zenml_told_counts_more_than_the_table() {
    let said = |settings: &Value, told: Vec<Flavor>| -> Vec<String> {
        let mut flavors = Flavors::default();
        flavors.tell(ContainerRegistry, told);
        let components = [component(ContainerRegistry, "default", settings)];
        let described = Described { components: &components, stores: &[], flavors: &flavors };
        let found = judge([(ContainerRegistry, "it")], described);
        found.iter().map(|it| format!("{} {:?}: {}", it.id, it.weight, it.message)).collect()
    };
    let schema = json!({ "properties": { "mirror": { "type": "string" } } });
    let schema = flavor::Schema::from_json_schema(&schema);
    let newer = Flavor::of_server(ContainerRegistry, "default", "Default", "built-in", schema);
    assert!(said(&json!({ "mirror": "r.example.com" }), vec![newer.clone()]).is_empty());
    let found = said(&json!({ "uri": "r.example.com" }), vec![newer]);
    assert!(found[0].starts_with("component-settings Refused: ") && !found[0].contains("by ZenML"));
    let found = said(&json!({ "uri": "r.example.com" }), Vec::new());
    let [absent] = found.as_slice() else { panic!("{found:?}") };
    assert!(absent.starts_with("flavor-absent Refused: ") && absent.contains("no flavor default"));
}
