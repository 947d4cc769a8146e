//! The plan screen against the stand-in: what changes, the question, each step, what broke off and
//! how it is taken back.

use osstack::sandbox::Seed;
use osstack::sandbox::zenml::ZenmlFaults;
use osstack::zenml::rest::ComponentChange;

use osstack::model::component::ComponentType;

use super::{Committer, StandIn};
use crate::pictures::still;
use crate::sandbox_client::Running;
use crate::user::{PASSPHRASE, User};

/// The plan of `stack_x`, opened from the list of stacks.
async fn planned(zenml: &StandIn) -> Committer {
    let mut me = Committer::tagged(&zenml.bed, "x").await;
    me.user.keys("1RG").await;
    let plan = me.user.keys("E").await;
    assert!(plan.contains("+ secret secret_x"), "{plan}");
    me
}

#[tokio::test]
async fn a_commit_is_asked_for_by_name_shown_and_then_there_is_nothing_to_do() {
    let zenml = StandIn::start();
    let mut me = planned(&zenml).await;
    insta::assert_snapshot!("plan", still(&me.user.picture()));
    insta::assert_snapshot!("plan_wide", still(&me.user.wide()));
    let asked = me.user.keys("c").await;
    assert!(asked.contains("never") && asked.contains("Type stack_x"), "{asked}");
    let kept = me.user.keys("<enter>").await;
    assert!(kept.contains("Nothing has been sent"), "{kept}");
    me.user.keys("cstack_x").await;
    let done = me.user.keys("<enter>").await;
    assert!(done.contains("Committed.") && done.contains("stack stack_x  done"), "{done}");
    // the stand-in speaks with no zenml of this machine
    let active = me.user.keys("a").await;
    assert!(active.contains("ZENML_ACTIVE_STACK_ID"), "{active}");
    let left = me.user.keys("2").await;
    assert!(!left.contains("ZENML_ACTIVE_STACK_ID"), "what to do there is not said here: {left}");
    let log = me.user.keys("6").await;
    assert!(log.contains("activate stack: stack stack_") && !log.contains(" {"), "{log}");
    let again = me.user.keys("1R").await;
    assert!(again.contains("Nothing to do"), "{again}");
    assert!(!again.contains("commit\u{2026}"), "no key for what cannot be done: {again}");
}

#[tokio::test]
async fn what_broke_off_is_named_and_taken_back() {
    let zenml = StandIn::start();
    let mut me = planned(&zenml).await;
    zenml.faults.change(|faults| faults.refused_from = Some((2, 500)));
    me.user.keys("cstack_x").await;
    let broken = me.user.keys("<enter>").await;
    assert!(broken.contains("the database is gone"), "{broken}");
    insta::assert_snapshot!("broken_off", still(&me.user.wide()));
    zenml.faults.change(|faults| *faults = ZenmlFaults::default());
    let named = me.user.keys("R").await;
    assert!(named.contains("stopped in the middle"), "{named}");
    me.user.keys("u").await;
    let undone = me.user.keys("<tab><enter>").await;
    assert!(undone.contains("artifact store store_x: deleted"), "{undone}");
    let again = me.user.keys("R").await;
    assert!(again.contains("+ secret secret_x") && !again.contains("stopped"), "{again}");
}

#[tokio::test]
async fn a_server_is_signed_in_to_and_forgotten() {
    let zenml = StandIn::start();
    let mut user = User::new();
    let none = user.keys("7").await;
    assert!(none.contains("osstack zenml login"), "{none}");
    user.keys("n").await;
    user.paste(&zenml.bed.url).await;
    insta::assert_snapshot!("sign_in", still(&user.picture()));
    insta::assert_snapshot!("sign_in_wide", still(&user.wide()));
    // nothing is kept of a key that is refused
    user.keys("<tab><tab><tab>").await;
    user.paste("ZENKEY_canary-of-nobody").await;
    user.keys("<ctrl-s>").await;
    user.keys(&format!("<tab>{PASSPHRASE}<tab>{PASSPHRASE}<enter>")).await;
    let refused = user.picture();
    assert!(refused.contains("invalid username or password"), "{refused}");
    user.keys("<ctrl-u>").await;
    user.paste(&zenml.bed.api_key).await;
    let signed_in = user.keys("<ctrl-s>").await;
    assert!(signed_in.contains("prod is sandbox"), "{signed_in}");
    let catalog = std::fs::read_to_string(user.path("config/stacks.toml")).unwrap();
    assert!(catalog.contains("[zenml.prod]") && !catalog.contains(&zenml.bed.api_key), "{catalog}");
    user.keys("D").await;
    let gone = user.keys("<tab><enter>").await;
    assert!(gone.contains("osstack zenml login"), "{gone}");
}

/// What somebody made by hand is shown with its faults, taken over, mended by a commit; a change
/// behind osstack's back is shown, and taken from there.
#[tokio::test]
async fn what_was_made_by_hand_is_taken_over_and_mended() {
    let sandbox = Running::start(Seed::Empty);
    let zenml = StandIn::bound();
    zenml.add_by_hand(&sandbox.description);
    let zenml = StandIn::of(zenml);
    let mut me = Committer::tagged(&zenml.bed, "x").await;
    let there = me.user.keys("1RGi").await;
    assert!(there.contains("stack stack_by_hand") && there.contains("not here"), "{there}");
    me.user.keys("<down>").await;
    insta::assert_snapshot!("import", still(&me.user.picture()));
    insta::assert_snapshot!("import_wide", still(&me.user.wide()));
    let taken = me.user.keys("<home>t").await;
    assert!(!taken.contains("not here"), "{taken}");
    let key = me.user.world.credentials("secret_by_hand").await.unwrap();
    assert_eq!(key.access_key_id, sandbox.description.access_key_id);

    me.user.keys("d<down>").await;
    insta::assert_snapshot!("diff", still(&me.user.picture()));
    insta::assert_snapshot!("diff_wide", still(&me.user.wide()));
    let plan = me.user.keys("o").await;
    assert!(plan.contains("~ artifact store store_by_hand"), "{plan}");
    me.user.keys("cstack_by_hand").await;
    let done = me.user.keys("<enter>").await;
    assert!(done.contains("Committed."), "{done}");
    let same = me.user.keys("<esc>").await;
    assert!(same.contains("ZenML has the same"), "{same}");

    let server = zenml.bed.client();
    let store = server.component("artifact_store", "store_by_hand").await.unwrap().unwrap();
    let mut changed = store.configuration.clone();
    changed["path"] = serde_json::json!(format!("s3://{}/moved", sandbox.description.bucket));
    let change = ComponentChange { configuration: Some(&changed), ..ComponentChange::default() };
    server.update_component(&store.id, change).await.unwrap();
    let differs = me.user.keys("R").await;
    assert!(differs.contains("/moved") && differs.contains("/by_hand"), "{differs}");
    let same = me.user.keys("t<tab><enter>").await;
    assert!(same.contains("ZenML has the same"), "{same}");
    let catalog = me.user.world.catalog().await.unwrap();
    assert_eq!(catalog.store("store_by_hand").unwrap().prefix.as_str(), "moved");
}

/// What ZenML has of a type is offered beside the catalog's, and a flavor that somebody registered
/// there has a form of its own.
#[tokio::test]
async fn a_component_is_picked_or_made_from_what_zenml_has() {
    let zenml = StandIn::start();
    let mut me = Committer::tagged(&zenml.bed, "x").await;
    let server = zenml.bed.client();
    let none = serde_json::Map::new();
    let kind = "orchestrator";
    let settings = serde_json::json!({ "kubernetes_context": "prod" });
    let settings = settings.as_object().unwrap();
    server.create_component(kind, "cluster", "kubernetes", settings, &none).await.unwrap();
    let picker = me.user.keys("1RGn<tab><tab><ctrl-o>").await;
    assert!(picker.contains("cluster") && picker.contains("kubernetes, in ZenML"), "{picker}");
    insta::assert_snapshot!("picker_there", still(&picker));
    let chosen = me.user.keys("<end><enter>").await;
    assert!(chosen.contains("cluster"), "{chosen}");

    // the form of a flavor that only the server knows
    me.user.keys("<tab><tab><enter><tab><tab><ctrl-o>qa_steps<tab><enter>").await;
    let list = me.user.keys("batch").await;
    assert!(list.contains("batch_queue"), "{list}");
    let form = me.user.keys("<enter>").await;
    insta::assert_snapshot!("form_of_the_server", still(&form));
    let empty = me.user.keys("<ctrl-s>").await;
    assert!(empty.contains("queue"), "{empty}");
    let saved = me.user.keys("nightly<ctrl-s>").await;
    assert!(saved.contains("qa_steps"), "{saved}");
    let catalog = me.user.world.catalog().await.unwrap();
    let made = catalog.component(ComponentType::StepOperator, "qa_steps").unwrap();
    assert_eq!(made.flavor, "batch_queue");
    assert_eq!(made.configuration["queue"], "nightly");
}

/// The composer asks for the types that the server has: one that no table knows among them, and
/// none that an older one lacks. What is entered before the answer stays.
#[tokio::test]
async fn the_composer_asks_for_the_types_of_the_server() {
    let zenml = StandIn::start();
    zenml.faults.change(|faults| faults.more_types.push("quantum_solver".into()));
    let mut me = Committer::tagged(&zenml.bed, "x").await;
    let form = me.user.keys("1RGnqa<tab><enter>store_x<enter><tab><tab><enter>").await;
    assert!(form.contains("qa"), "{form}");
    let form = me.user.wide();
    assert!(form.contains("Quantum solver") && form.contains("Log store"), "{form}");
    let tabs = "<tab>".repeat(13);
    me.user.keys(&format!("{tabs}<ctrl-o>")).await;
    let made = me.user.keys("q1<tab><tab>http://q<ctrl-s>").await;
    assert!(made.contains("the quantum solver q1 is in the catalog"), "{made}");
    let saved = me.user.keys("<ctrl-s>").await;
    assert!(saved.contains("saved qa"), "{saved}");
    let catalog = me.user.world.catalog().await.unwrap();
    let kind = ComponentType::parse("quantum_solver").unwrap();
    assert!(catalog.stack("qa").unwrap().uses(kind, "q1"));
}

/// Where ZenML is gone the picker works with what the catalog has, and says so.
#[tokio::test]
async fn a_picker_does_without_a_zenml_that_is_gone() {
    let zenml = StandIn::start();
    let mut me = Committer::tagged(&zenml.bed, "x").await;
    me.user.keys("1RG").await;
    zenml.stop().await;
    me.user.start_over().await;
    let picker = me.user.keys("1Gn<tab><tab><ctrl-o>").await;
    assert!(picker.contains("What ZenML has is not known"), "{picker}");
    let chosen = me.user.keys("<enter>").await;
    assert!(chosen.contains("default"), "{chosen}");
}
