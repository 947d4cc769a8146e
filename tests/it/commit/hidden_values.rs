//! A ZenML that does not show the values of secrets: what was last sent is known, what may have
//! arrived is not.

use osstack::base::secret_string::SecretString;
use osstack::model::secret::KeyNames;
use osstack::ops::commit::UndoCommit;
use osstack::ops::keystore::UnlockKeystore;
use osstack::ops::plan::{Against, Aim, LivePlan};
use osstack::sandbox::zenml::ZenmlFaults;

use super::{Committer, KEPT, StandIn};

const FIRST: &str = "LTAI5tExampleExample0001";
const SECOND: &str = "LTAI5tExampleExample0002";

/// A stand-in that hides values from the first.
async fn hiding() -> (StandIn, Committer) {
    let zenml = StandIn::start();
    zenml.faults.change(|faults| faults.hides_values = true);
    let me = Committer::connected(&zenml.bed).await;
    (zenml, me)
}

async fn plan(me: &Committer) -> LivePlan {
    me.plan_of(&me.name("stack"), Aim::Present).await.unwrap()
}

/// How many values the plan would set again.
fn set_again(live: &LivePlan) -> usize {
    let fields = live.changes.changes[0].fields.iter();
    fields.filter(|field| field.from.as_deref() == Some("not shown")).count()
}

#[tokio::test]
async fn the_same_as_last_sent_is_nothing_to_do_and_says_so() {
    let (zenml, mut me) = hiding().await;
    me.commit().await.unwrap();
    let live = plan(&me).await;
    assert!(live.changes.is_noop(), "{live:?}");
    let notes = live.changes.notes.join(" ");
    assert!(notes.contains("same as last sent") && notes.contains("cannot be seen"), "{notes}");
    let writes = zenml.writes();
    me.commit().await.unwrap();
    assert_eq!(zenml.writes(), writes, "nothing is sent");

    me.user.start_over().await;
    me.run(UnlockKeystore::Unasked).await.unwrap();
    assert!(plan(&me).await.changes.is_noop(), "it outlives the program");
    // the bytes of a file that anybody may read tell nothing of it
    let open = std::fs::read_to_string(me.user.world.paths.commits("prod")).unwrap();
    assert!(!open.contains("sent"), "{open}");
}

#[tokio::test]
async fn other_values_are_sent_and_so_are_those_of_before() {
    let (_zenml, me) = hiding().await;
    me.commit().await.unwrap();
    for id in [SECOND, FIRST] {
        me.save_secret(id).await;
        let live = plan(&me).await;
        assert_eq!(set_again(&live), 2, "{live:?}");
        assert!(!live.changes.notes.join(" ").contains("last sent"), "{live:?}");
        me.commit().await.unwrap();
        assert_eq!(me.plan().await, KEPT);
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_not_known() {
    let (zenml, me) = hiding().await;
    me.commit().await.unwrap();
    me.save_secret(SECOND).await;
    zenml.faults.change(|faults| faults.gone_from = Some(zenml.writes()));
    me.commit().await.unwrap_err();
    zenml.faults.change(|faults| faults.gone_from = None);
    me.save_secret(FIRST).await;
    assert_eq!(set_again(&plan(&me).await), 2, "the second may have arrived");
    me.commit().await.unwrap();
    assert_eq!(me.plan().await, KEPT);
}

/// The secret was changed, the store was refused: what taking back leaves cannot be seen.
#[tokio::test]
async fn what_was_taken_back_is_not_known() {
    let (zenml, me) = hiding().await;
    me.commit().await.unwrap();
    me.save_secret(SECOND).await;
    me.move_store("second").await;
    zenml.faults.change(|faults| faults.refused_from = Some((zenml.writes() + 1, 500)));
    me.commit().await.unwrap_err();
    zenml.faults.change(|faults| {
        *faults = ZenmlFaults { hides_values: true, ..ZenmlFaults::default() };
    });
    assert_eq!(set_again(&plan(&me).await), 0, "the second arrived");
    let undo = UndoCommit { stack: me.name("stack"), against: Against::Usual };
    let undone = me.run(undo).await.unwrap();
    assert_eq!(undone.left.len(), 1, "{undone:?}");
    for id in [FIRST, SECOND] {
        me.save_secret(id).await;
        assert_eq!(set_again(&plan(&me).await), 2, "{id}");
    }
}

#[tokio::test]
async fn what_osstack_never_sent_is_set_again() {
    let (zenml, me) = hiding().await;
    let [id, value] =
        [FIRST, "canary-of-the-commit-secret-01"].map(|text| SecretString::new(text.into()));
    let values: Vec<_> = KeyNames::Oss.names().into_iter().zip([Some(&id), Some(&value)]).collect();
    zenml.bed.client().create_secret(&me.name("secret"), &values).await.unwrap();
    assert_eq!(set_again(&plan(&me).await), 2);
}

#[tokio::test]
async fn a_deleted_secret_is_forgotten() {
    let (_zenml, me) = hiding().await;
    me.commit().await.unwrap();
    let live = plan(&me).await;
    let id = live.changes.changes[0].action.id().unwrap().to_owned();
    let keystore = &me.user.world.keystore;
    let values = || keystore.get(&me.name("secret")).unwrap().credentials;
    let was_sent = || keystore.was_sent(&live.server.id, &id, &values());
    assert!(was_sent().unwrap());
    me.run(super::commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
    assert!(!was_sent().unwrap());
}
