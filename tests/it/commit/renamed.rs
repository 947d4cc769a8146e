//! A secret that gets another name: ZenML's is renamed with it, unless others name it there.

use osstack::ops::commit::UndoCommit;
use osstack::ops::failure::FailureKind;
use osstack::ops::plan::{Against, Aim};
use osstack::ops::secrets::RenameSecret;
use osstack::sandbox::zenml::ZenmlFaults;
use serde_json::json;

use super::{Bed, Committer, KEPT, StandIn, commit_of, signs};

async fn rename(me: &Committer, from: &str, to: &str) {
    let job = RenameSecret { name: me.name(from), to: me.name(to) };
    assert_eq!(me.run(job).await.unwrap().stores, 1);
}

/// The secret that ZenML's store names.
async fn named_by_the_store(bed: &Bed, me: &Committer) -> String {
    let store = bed.client().component("artifact_store", &me.name("store")).await.unwrap().unwrap();
    store.configuration["authentication_secret"].as_str().unwrap().to_owned()
}

const RENAMED: [&str; 3] = ["~ secret/key", "~ artifact_store/store", KEPT[2]];

pub(super) async fn a_secret(bed: &Bed) {
    let me = Committer::connected(bed).await;
    me.commit().await.unwrap();
    let server = bed.client();
    let there = async |name: &str| server.secret(&me.name(name)).await.unwrap();
    let id = there("secret").await.unwrap().id;
    rename(&me, "secret", "key").await;
    let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), RENAMED);
    let change = &live.changes.changes[0];
    assert_eq!(change.title(), format!("{} -> {}", me.name("secret"), me.name("key")));
    assert!(!change.is_foreign && change.changed_fields().next().is_none(), "{change:?}");
    let call =
        format!(r#"PUT /api/v1/secrets/{id}?patch_values=true {{"name":"{}"}}"#, me.name("key"));
    assert_eq!(change.call().unwrap().to_string(), call);
    let commands: Vec<_> = change.commands().iter().map(ToString::to_string).collect();
    assert_eq!(
        commands,
        [format!("zenml secret rename {} -n {}", me.name("secret"), me.name("key"))]
    );
    me.commit().await.unwrap();
    assert_eq!(there("key").await.unwrap().id, id, "the same one");
    assert_eq!(there("secret").await, None, "and no second one");
    assert_eq!(named_by_the_store(bed, &me).await, me.name("key"));
    let value = bed.read(&me.name("key"), "secret_access_key").await;
    assert_eq!(value.unwrap(), "canary-of-the-commit-secret-01");
    assert_eq!(me.plan().await, ["= secret/key", KEPT[1], KEPT[2]]);

    // a new name and a new value at once
    rename(&me, "key", "secret").await;
    me.save_secret("LTAI5tExampleExample0003").await;
    let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), ["~ secret/secret", RENAMED[1], KEPT[2]]);
    let call = live.changes.changes[0].call().unwrap();
    assert_eq!(call.body.as_ref().unwrap()["name"], me.name("secret"));
    assert!(call.body.as_ref().unwrap()["values"].is_object(), "{call}");
    me.commit().await.unwrap();
    assert_eq!(there("secret").await.unwrap().id, id);
    let value = bed.read(&me.name("secret"), "access_key_id").await;
    assert_eq!(value.unwrap(), "LTAI5tExampleExample0003");
    assert_eq!(me.plan().await, KEPT);
    // it is still known as ours
    let absent = me.plan_of(&me.name("stack"), Aim::Absent).await.unwrap();
    assert_eq!(signs(&absent).last().unwrap(), "- secret/secret");
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
    assert_eq!(there("secret").await, None);
}

/// Renaming it would break what others made: it stays, and the plan says who names it.
pub(super) async fn a_secret_that_others_name(bed: &Bed) {
    let me = Committer::connected(bed).await;
    me.commit().await.unwrap();
    let server = bed.client();
    let refers = json!({ "uri": "registry", "authentication_secret": me.name("secret") });
    let (refers, none) = (refers.as_object().unwrap(), serde_json::Map::new());
    let registry = me.name("registry");
    let other = server
        .create_component("container_registry", &registry, "default", refers, &none)
        .await
        .unwrap();
    rename(&me, "secret", "key").await;
    let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), ["+ secret/key", RENAMED[1], KEPT[2]]);
    let notes = live.changes.notes.join(" ");
    assert!(notes.contains(&registry) && notes.contains("zenml secret delete"), "{notes}");
    me.commit().await.unwrap();
    let former = server.secret(&me.name("secret")).await.unwrap().expect("the registry names it");
    assert_eq!(named_by_the_store(bed, &me).await, me.name("key"));
    assert_eq!(me.plan().await, ["= secret/key", KEPT[1], KEPT[2]]);
    server.delete_component(&other).await.unwrap();
    server.delete_secret(&former.id).await.unwrap();
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
    assert_eq!(server.secret(&me.name("key")).await.unwrap(), None);
}

/// The store's change is refused after the secret's: taken back, the secret has its former name.
#[tokio::test]
async fn a_new_name_is_taken_back() {
    let zenml = StandIn::start();
    let me = Committer::connected(&zenml.bed).await;
    me.commit().await.unwrap();
    rename(&me, "secret", "key").await;
    let writes = zenml.writes();
    zenml.faults.change(|faults| faults.refused_from = Some((writes + 1, 500)));
    me.commit().await.unwrap_err();
    zenml.faults.change(|faults| *faults = ZenmlFaults::default());
    assert_eq!(me.plan().await, ["= secret/key", RENAMED[1], KEPT[2]], "it goes on from there");
    let undo = UndoCommit { stack: me.name("stack"), against: Against::Usual };
    let undone = me.run(undo).await.unwrap();
    assert_eq!((undone.restored.len(), undone.left.len()), (1, 0), "{undone:?}");
    let former = zenml.bed.client().secret(&me.name("secret")).await.unwrap();
    assert_eq!(former.unwrap().values.len(), 2, "with its values");
    assert_eq!(me.plan().await, RENAMED);
}

/// Killed between the keystore and the catalog, the same again goes on; a name that is taken or
/// not known is refused, and nothing is changed.
#[tokio::test]
async fn a_rename_that_stopped_goes_on_and_a_wrong_one_changes_nothing() {
    let zenml = StandIn::start();
    let me = Committer::connected(&zenml.bed).await;
    me.commit().await.unwrap();
    let run = async |from: &str, to: &str| {
        me.run(RenameSecret { name: from.into(), to: to.into() }).await
    };
    let (old, new) = (me.name("secret"), me.name("key"));
    for (from, to) in [("nobody", &*new), (&*old, &*old), ("nobody", &*old)] {
        let refused = run(from, to).await.unwrap_err();
        let kinds = [FailureKind::NotFound, FailureKind::Conflict];
        assert!(kinds.contains(&refused.kind), "{from} {to}: {refused:?}");
    }
    assert_eq!(me.plan().await, KEPT);
    let to = osstack::model::name::Name::parse(&new).unwrap();
    me.user.world.keystore.rename(&old, &to).unwrap();
    assert_eq!(run(&old, &new).await.unwrap().stores, 1);
    assert_eq!(me.plan().await, RENAMED);
}
