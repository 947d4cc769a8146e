//! `osstack check` without a face: whom a name means, and what a subject lacks.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::base::secret_string::SecretString;
use osstack::doctor::{Outcome, Report};
use osstack::keystore::Identity;
use osstack::keystore::Put;
use osstack::keystore::keyring::NoKeyring;
use osstack::model::component::{ComponentDraft, ComponentType};
use osstack::model::finding::{Finding, State};
use osstack::model::flavor::Flavors;
use osstack::model::secret::{KeyNames, SecretDraft};
use osstack::model::stack::StackDraft;
use osstack::model::store::StoreDraft;
use osstack::ops::check::{Besides, RunCheck, Subject};
use osstack::ops::components::SaveComponent;
use osstack::ops::failure::{Failure, FailureKind};
use osstack::ops::history::{LoadHistory, PastOutcome};
use osstack::ops::secrets::SaveSecret;
use osstack::ops::stacks::SaveStack;
use osstack::ops::stores::SaveStore;
use osstack::ops::world::World;
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::env::Env;
use osstack::ports::paths::Paths;

use crate::doctor_bed::Bed;

/// A world with the sandbox's key as `demo_secret` and its store as `demo_store`.
pub(crate) struct Home {
    world: Arc<World>,
    pub(crate) bed: Bed,
    _folder: tempfile::TempDir,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::new(
            Env::default(),
            Paths::below(folder.path()),
            Arc::new(SystemClock),
            Arc::new(SeededEntropy::new(9)),
            Arc::new(NoKeyring),
        )
        .unwrap();
        world.keystore.create_with_identity(Identity::generate()).unwrap();
        let home = Self { world: Arc::new(world), bed: Bed::new(), _folder: folder };
        home.enter_secret("demo_secret").await;
        home.register(home.bed.draft()).await;
        home
    }

    async fn enter_secret(&self, name: &str) {
        let draft = SecretDraft {
            name: name.into(),
            access_key_id: self.bed.is.access_key_id.clone(),
            secret_access_key: SecretString::new(self.bed.is.secret_access_key.clone()),
            session_token: SecretString::new(String::new()),
            expires_at: String::new(),
            key_names: KeyNames::Oss,
        };
        let save = SaveSecret { draft, put: Put::New };
        save.run(Context::alone(Arc::clone(&self.world))).await.unwrap();
    }

    pub(crate) async fn register(&self, draft: StoreDraft) {
        let save = SaveStore { draft, replaces: None };
        save.run(Context::alone(Arc::clone(&self.world))).await.unwrap();
    }

    pub(crate) async fn stack(&self, name: &str, store: &str) {
        let mut draft = StackDraft { name: name.into(), ..StackDraft::default() };
        draft.components.insert(ComponentType::ArtifactStore, vec![store.into()]);
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        let save = SaveStack { draft, replaces: None };
        save.run(Context::alone(Arc::clone(&self.world))).await.unwrap();
    }

    /// A stack `name` on `store` with a component of its own.
    pub(crate) async fn stack_with(&self, name: &str, store: &str, component: ComponentDraft) {
        let mut draft = StackDraft { name: name.into(), ..StackDraft::default() };
        draft.components.insert(ComponentType::ArtifactStore, vec![store.into()]);
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        draft.components.insert(component.kind, vec![component.name.clone()]);
        let save = SaveComponent { draft: component, replaces: None, flavors: Flavors::default() };
        save.run(Context::alone(Arc::clone(&self.world))).await.unwrap();
        let save = SaveStack { draft, replaces: None };
        save.run(Context::alone(Arc::clone(&self.world))).await.unwrap();
    }

    pub(crate) async fn check(&self, subject: Subject) -> Result<Report, Failure> {
        RunCheck { subject, besides: Besides::default() }
            .run(Context::alone(Arc::clone(&self.world)))
            .await
    }
}

fn found<'a>(report: &'a Report, id: &str) -> &'a Finding {
    report.findings.iter().find(|finding| finding.id == id).expect(id)
}

#[tokio::test]
async fn a_bare_name_means_a_stack_before_a_store() {
    let home = Home::new().await;
    let named = home.check(Subject::parse("demo_store")).await.unwrap();
    assert_eq!((named.subject.as_str(), named.outcome), ("store/demo_store", Outcome::Warned));

    home.stack("demo_store", "demo_store").await;
    let named = home.check(Subject::parse("demo_store")).await.unwrap();
    assert_eq!((named.subject.as_str(), named.outcome), ("stack/demo_store", Outcome::Warned));
    let exact = home.check(Subject::parse("store/demo_store")).await.unwrap();
    assert_eq!(exact.subject, "store/demo_store");
    assert_eq!(home.bed.keys().await, [""; 0]);
}

/// An orchestrator on Kubernetes, which needs a registry beside it.
pub(crate) fn kubernetes() -> ComponentDraft {
    let mut draft = ComponentDraft::new(ComponentType::Orchestrator);
    draft.name = "gpu".into();
    draft.flavor = "kubernetes".into();
    draft.set(None, "kubernetes_context", "prod").unwrap();
    draft
}

#[tokio::test]
async fn what_a_stack_lacks_fails_the_stack_and_not_its_store() {
    let home = Home::new().await;
    home.stack_with("gpu_stack", "demo_store", kubernetes()).await;
    let report = home.check(Subject::Stack("gpu_stack".into())).await.unwrap();
    let rung = found(&report, "stack-components");
    assert_eq!((rung.state, report.outcome), (State::Failed, Outcome::Failed));
    assert_eq!(rung.summary, "The orchestrator gpu (kubernetes) needs a container registry.");
    assert!(rung.because.as_deref().unwrap().contains("must be a server"), "{rung:?}");
    let history = LoadHistory.run(Context::alone(Arc::clone(&home.world))).await.unwrap().history;
    let past = history.of("demo_store").last().unwrap();
    assert_eq!(past.outcome, PastOutcome::Warned, "{past:?}");

    home.stack("plain_stack", "demo_store").await;
    let report = home.check(Subject::Stack("plain_stack".into())).await.unwrap();
    assert_eq!(found(&report, "stack-components").state, State::Passed);
    let report = home.check(Subject::Store("demo_store".into())).await.unwrap();
    assert_eq!(found(&report, "stack-components").state, State::Skipped);
}

#[tokio::test]
async fn a_draft_is_checked_without_being_saved() {
    let home = Home::new().await;
    let draft = StoreDraft { name: "other".into(), ..home.bed.draft() };
    let report = home.check(Subject::Draft(Box::new(draft.clone()))).await.unwrap();
    assert_eq!((report.subject.as_str(), report.outcome), ("draft", Outcome::Warned));
    assert!(home.world.store("other").await.is_err());

    let wrong = StoreDraft { bucket: "No_Bucket".into(), ..draft };
    let failure = home.check(Subject::Draft(Box::new(wrong))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert_eq!(failure.fields.first().map(|field| field.field), Some("bucket"));
}

#[tokio::test]
async fn a_stack_without_its_store_and_a_store_without_its_secret_are_findings() {
    let home = Home::new().await;
    home.stack("orphan", "gone_store").await;
    let report = home.check(Subject::Stack("orphan".into())).await.unwrap();
    assert_eq!(report.outcome, Outcome::Failed);
    let finding = found(&report, "store");
    assert!(finding.summary.contains("gone_store"), "{finding:#?}");
    assert!(
        finding.next.as_deref().unwrap().contains("osstack artifact-store register gone_store")
    );

    home.register(StoreDraft {
        name: "keyless".into(),
        secret: "gone_secret".into(),
        ..home.bed.draft()
    })
    .await;
    let report = home.check(Subject::Named("keyless".into())).await.unwrap();
    let finding = found(&report, "secret");
    assert_eq!(finding.state, State::Failed);
    assert_eq!(finding.next.as_deref(), Some("Enter it: osstack secret create gone_secret"));
    assert_eq!(found(&report, "tcp").state, State::Passed);
}

#[tokio::test]
async fn an_unknown_name_and_a_locked_keystore_are_failures() {
    let home = Home::new().await;
    let failure = home.check(Subject::Named("demo".into())).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.hints.iter().any(|hint| hint.contains("demo_store")), "{failure:?}");

    let fresh = Home::new().await;
    fresh.world.keystore.lock();
    let failure = fresh.check(Subject::Named("demo_store".into())).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Locked, "{failure:?}");
}
