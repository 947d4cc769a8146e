//! Commits that break off: at each step, by refusals, lost answers, a server that goes, a token
//! that ends, somebody who was faster, and a kill. Each ends in a state that the next plan shows
//! truly; going on makes nothing twice, and taking back leaves nothing.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::base::secret_string::SecretString;
use osstack::model::connection::{ConnectionDraft, SignIn};
use osstack::ops::commit::UndoCommit;
use osstack::ops::commit_record::{ListUnfinished, Progress};
use osstack::ops::connections::{Connect, SignInWith};
use osstack::ops::failure::FailureKind;
use osstack::ops::plan::{Against, Aim};
use osstack::sandbox::zenml::ZenmlFaults;
use tokio_util::sync::CancellationToken;

use super::{Committer, KEPT, NEW, StandIn, commit_of};

/// What a plan shows after the first `made` of the three steps.
fn after(made: usize) -> Vec<&'static str> {
    KEPT.iter().take(made).chain(NEW.iter().skip(made)).copied().collect()
}

async fn undo(me: &Committer) -> osstack::ops::commit::Undone {
    me.run(UndoCommit { stack: me.name("stack"), against: Against::Usual }).await.unwrap()
}

#[tokio::test]
async fn a_refusal_at_each_step_is_gone_on_from_or_taken_back() {
    for step in 0..3 {
        let zenml = StandIn::start();
        let me = Committer::connected(&zenml.bed).await;
        for go_on in [false, true] {
            let writes = zenml.writes();
            zenml.faults.change(|faults| faults.refused_from = Some((writes + step, 500)));
            let failure = me.commit().await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::Network, "{failure}");
            let hints = failure.hints.join("; ");
            assert!(hints.contains("--undo") && hints.contains("go on"), "{failure}");
            assert_eq!(me.plan().await, after(step), "step {step}");
            zenml.faults.change(|faults| *faults = ZenmlFaults::default());
            let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
            assert_eq!(live.unfinished.is_some(), step > 0, "what is half made is named");
            if go_on {
                me.commit().await.unwrap();
                assert_eq!(me.plan().await, KEPT);
            } else if step > 0 {
                let undone = undo(&me).await;
                assert_eq!((undone.deleted.len(), undone.left.len()), (step, 0), "{undone:?}");
                assert_eq!(me.plan().await, NEW);
            }
        }
    }
}

#[tokio::test]
async fn a_lost_answer_makes_nothing_twice() {
    for step in 0..3 {
        let zenml = StandIn::start();
        let me = Committer::connected(&zenml.bed).await;
        // the repeat under the same key gets the first answer
        zenml.faults.change(|faults| faults.answer_lost = Some(step));
        me.commit().await.unwrap();
        assert_eq!(me.plan().await, KEPT);
        me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();

        // where no repeat is answered either, what is there is looked at
        let lost = zenml.writes() + step;
        zenml.faults.change(|faults| {
            (faults.answer_lost, faults.repeats_lost) = (Some(lost), true);
        });
        me.commit().await.unwrap();
        zenml.faults.change(|faults| *faults = ZenmlFaults::default());
        assert_eq!(me.plan().await, KEPT);
        let server = zenml.bed.client();
        assert_eq!(server.stacks().await.unwrap().len(), 2, "the default one and ours");
        assert_eq!(server.components(Some("artifact_store")).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn a_server_that_goes_is_gone_on_with_when_it_is_back() {
    for step in 0..3 {
        let zenml = StandIn::start();
        let me = Committer::connected(&zenml.bed).await;
        zenml.faults.change(|faults| faults.gone_from = Some(step));
        let failure = me.commit().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Network, "{failure}");
        assert!(failure.summary.contains("not known"), "{failure}");
        zenml.faults.change(|faults| *faults = ZenmlFaults::default());
        assert_eq!(me.plan().await, after(step));
        me.commit().await.unwrap();
        assert_eq!(me.plan().await, KEPT);
    }
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_renewed() {
    for step in 0..3 {
        let zenml = StandIn::start();
        let me = Committer::connected(&zenml.bed).await;
        zenml.faults.change(|faults| faults.revoked_at = Some(step));
        me.commit().await.unwrap();
        assert_eq!(me.plan().await, KEPT);
    }
}

#[tokio::test]
async fn what_somebody_made_meanwhile_is_theirs() {
    for step in 0..3 {
        let zenml = StandIn::start();
        let me = Committer::connected(&zenml.bed).await;
        zenml.faults.change(|faults| faults.forestalled_at = Some(step));
        let failure = me.commit().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Conflict, "{failure}");
        zenml.faults.change(|faults| *faults = ZenmlFaults::default());
        let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
        assert!(live.changes.changes[step].is_foreign, "step {step}: {live:#?}");
        if step > 0 {
            let undone = undo(&me).await;
            // what theirs uses by now stays
            assert_eq!(undone.deleted.len() + undone.left.len(), step, "{undone:?}");
        }
        let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
        assert!(live.changes.changes[step].action.id().is_some(), "theirs is still there");
    }
}

/// What cannot be taken back stays named, and is tried again.
#[tokio::test]
async fn what_stays_is_named_until_it_is_taken_back() {
    let zenml = StandIn::start();
    let me = Committer::connected(&zenml.bed).await;
    zenml.faults.change(|faults| faults.refused_from = Some((2, 500)));
    me.commit().await.unwrap_err();
    zenml.faults.change(|faults| *faults = ZenmlFaults::default());
    let server = zenml.bed.client();
    let none = serde_json::Map::new();
    let id = async |kind: &str, name: &str| server.component(kind, name).await.unwrap().unwrap().id;
    let components = [
        ("orchestrator".to_owned(), vec![id("orchestrator", "default").await]),
        ("artifact_store".to_owned(), vec![id("artifact_store", &me.name("store")).await]),
    ];
    let theirs = server.create_stack("theirs", &components.into(), &none).await.unwrap();
    for _ in 0..2 {
        let undone = undo(&me).await;
        assert_eq!((undone.deleted.len(), undone.left.len()), (0, 2), "{undone:?}");
        let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
        let words = live.unfinished.expect("it is named").words();
        assert!(words.contains("made (a stack uses it)"), "{words}");
        assert!(words.contains("made (something else names it)"), "{words}");
        let listed = me.run(ListUnfinished { stack: me.name("stack") }).await.unwrap();
        assert_eq!((listed.len(), listed[0].1.words()), (1, words));
    }
    assert_eq!(me.plan().await, after(2), "and is still known as ours");
    server.delete_stack(&theirs).await.unwrap();
    let undone = undo(&me).await;
    assert_eq!((undone.deleted.len(), undone.left.len()), (2, 0), "{undone:?}");
    assert_eq!(me.plan().await, NEW);
    assert!(me.run(ListUnfinished { stack: me.name("stack") }).await.unwrap().is_empty());
    let again = UndoCommit { stack: me.name("stack"), against: Against::Usual };
    assert_eq!(me.run(again).await.unwrap_err().kind, FailureKind::NotFound);
}

/// The work is dropped on the spot, as a kill drops it: after each thing that is written down.
#[tokio::test]
async fn a_kill_at_each_step_is_gone_on_from() {
    for (step, at) in (0..3).flat_map(|step| [(step, Progress::Sent), (step, Progress::Done)]) {
        for go_on in [true, false] {
            let zenml = StandIn::start();
            let me = Committer::connected(&zenml.bed).await;
            let (items, mut reported) = tokio::sync::mpsc::channel(1);
            let world = Arc::clone(&me.user.world);
            let context = Context::new(world, CancellationToken::new(), items);
            let mut work = Box::pin(commit_of(&me.name("stack"), Aim::Present).run(context));
            loop {
                tokio::select! {
                    biased;
                    Some(item) = reported.recv() => {
                        if (item.index, item.progress) == (step, at) {
                            break;
                        }
                    }
                    ended = &mut work => panic!("{ended:?}"),
                }
            }
            drop(work);
            let made = step + usize::from(at == Progress::Done);
            let shown = me.plan().await;
            // what was asked for may have been done before the kill
            assert!(shown == after(made) || shown == after(made + 1), "{step} {at:?}: {shown:?}");
            if go_on {
                me.commit().await.unwrap();
                assert_eq!(me.plan().await, KEPT);
            } else {
                // the last thing written down may be that all is done
                let job = UndoCommit { stack: me.name("stack"), against: Against::Usual };
                if me.run(job).await.is_err() {
                    assert_eq!((step, at), (2, Progress::Done));
                    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
                }
                assert_eq!(me.plan().await, NEW, "{step} {at:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_zenml_is_named() {
    let zenml = StandIn::start();
    let me = Committer::connected(&zenml.bed).await;
    let connect = async |key: &str| {
        let draft = ConnectionDraft {
            name: "other".into(),
            url: zenml.bed.url.clone(),
            ..ConnectionDraft::default()
        };
        let sign_in = SignIn::ApiKey(SecretString::new(key.into()));
        me.run(Connect { draft, with: SignInWith::Known(sign_in) }).await
    };
    let refused = connect("ZENKEY_canary-wrong").await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Credentials, "{refused}");
    zenml.faults.change(|faults| faults.html_page = true);
    let refused = me.plan_of(&me.name("stack"), Aim::Present).await;
    // what the server said of itself is remembered, what it lists is not
    assert!(refused.unwrap_err().summary.contains("no JSON"));
    let refused = connect(&zenml.bed.api_key).await.unwrap_err();
    assert!(refused.summary.contains("no JSON"), "{refused}");
    zenml.faults.change(|faults| *faults = ZenmlFaults { is_pro: true, ..ZenmlFaults::default() });
    let refused = connect(&zenml.bed.api_key).await.unwrap_err();
    assert!(refused.summary.contains("ZenML Pro"), "{refused}");
    let version =
        |version: &str| ZenmlFaults { version: Some(version.into()), ..ZenmlFaults::default() };
    zenml.faults.change(|faults| *faults = version("0.75.0"));
    let refused = connect(&zenml.bed.api_key).await.unwrap_err();
    assert!(refused.summary.contains("0.80.0"), "{refused}");
    for (number, word) in
        [("0.90.0", "0.91.2"), ("0.92.0", "aws_access_key_id"), ("0.99.0", "newer")]
    {
        zenml.faults.change(|faults| *faults = version(number));
        let connected = connect(&zenml.bed.api_key).await.unwrap();
        let said = connected.warnings.join(" ");
        assert!(said.contains(word), "{number}: {said}");
    }
}
