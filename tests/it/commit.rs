//! Plans, commits, changes, renames, undoing and removal against a ZenML over a socket: the
//! stand-in always, a real server where one is named by `OSSTACK_ZENML_URL` and
//! `OSSTACK_ZENML_API_KEY_FILE` (`cargo test real_zenml -- --ignored`).

mod at_the_screen;
mod broken_off;
mod hidden_values;
mod renamed;
mod signed_in;
mod taken_over;

use std::sync::Arc;

use osstack::base::job::{Context, Job};
use osstack::base::secret_string::SecretString;
use osstack::keystore::Put;
use osstack::model::component::ComponentType;
use osstack::model::connection::{ConnectionDraft, ServerUrl, SignIn};
use osstack::model::flavor::{self, Flavor};
use osstack::model::secret::{KeyNames, SecretDraft};
use osstack::model::stack::StackDraft;
use osstack::model::store::StoreDraft;
use osstack::ops::commit::{CommitStack, Committed, UndoCommit};
use osstack::ops::connections::{Connect, SignInWith};
use osstack::ops::failure::{Failure, FailureKind};
use osstack::ops::keystore::UnlockKeystore;
use osstack::ops::plan::{Against, Aim, LivePlan, MakePlan};
use osstack::ops::secrets::SaveSecret;
use osstack::ops::stacks::{RenameStack, SaveStack};
use osstack::ops::stores::SaveStore;
use osstack::ops::world::World;
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SystemEntropy;
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::zenml::runs::Runs;
use osstack::sandbox::zenml::{API_KEY, Zenml, ZenmlFaultSwitch};
use osstack::zenml::rest;
use osstack::zenml::version::Version;
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::user::User;

/// A ZenML that tests commit to.
pub(crate) struct Bed {
    pub(crate) url: String,
    pub(crate) api_key: String,
}

impl Bed {
    /// The one that the environment names.
    #[expect(clippy::disallowed_methods, reason = "a test that somebody asked for by hand")]
    fn real() -> Self {
        let url = std::env::var("OSSTACK_ZENML_URL").expect("OSSTACK_ZENML_URL names a server");
        let file = std::env::var("OSSTACK_ZENML_API_KEY_FILE")
            .expect("OSSTACK_ZENML_API_KEY_FILE names the file of an API key for it");
        let api_key = std::fs::read_to_string(file).unwrap().trim().to_owned();
        Self { url, api_key }
    }

    /// Whether it reads the names of ZenML's OSS page, and not the `aws_` ones alone.
    async fn reads_plain_names(&self) -> bool {
        self.client().info().await.unwrap().version >= Version::PLAIN_KEY_NAMES
    }

    /// A value of a secret as its S3 store reads it (`aws_secret_schema.py`).
    async fn read(&self, secret: &str, what: &str) -> Option<String> {
        let values = self.client().secret(secret).await.unwrap().unwrap().values;
        let plain = self.reads_plain_names().await.then(|| values.get(what)).flatten();
        let value = values.get(&format!("aws_{what}")).or(plain)?;
        Some(value.as_ref()?.expose().to_owned())
    }

    /// Somebody who looks at it without osstack's ops.
    pub(crate) fn client(&self) -> rest::Client {
        rest::Client::new(
            &Network::new(&Env::default()).unwrap(),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            ServerUrl::parse(&self.url).unwrap(),
            Some(SignIn::ApiKey(SecretString::new(self.api_key.clone()))),
            None,
        )
    }
}

/// A stand-in that runs until it is dropped.
pub(crate) struct StandIn {
    pub(crate) bed: Bed,
    pub(crate) faults: ZenmlFaultSwitch,
    count: Box<dyn Fn() -> usize>,
    count_sign_ins: Box<dyn Fn() -> usize>,
    stop: DropGuard,
    serving: tokio::task::JoinHandle<()>,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        Self::of(Self::bound())
    }

    fn bound() -> Zenml {
        Zenml::bind(Arc::new(SystemClock), Arc::new(SystemEntropy), Runs::default()).unwrap()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the caller that decides where it runs"
    )]
    fn of(zenml: Zenml) -> Self {
        let cancel = CancellationToken::new();
        let bed = Bed { url: zenml.url(), api_key: API_KEY.into() };
        let (faults, count) = (zenml.faults(), Box::new(zenml.writes()));
        let count_sign_ins = Box::new(zenml.sign_ins());
        let stop = cancel.clone().drop_guard();
        let serving = tokio::spawn(async move { zenml.serve(cancel).await.unwrap() });
        Self { bed, faults, count, count_sign_ins, stop, serving }
    }

    /// Ends it: from here on nobody answers.
    async fn stop(self) {
        drop(self.stop);
        self.serving.await.unwrap();
    }

    /// How many sign-ins it met so far.
    fn sign_ins(&self) -> usize {
        (self.count_sign_ins)()
    }

    /// How many writes it met so far.
    pub(crate) fn writes(&self) -> usize {
        (self.count)()
    }
}

/// Somebody with a catalog, connected.
pub(crate) struct Committer {
    pub(crate) user: User,
    /// Keeps names apart on a server that others use too.
    tag: String,
}

impl Committer {
    pub(crate) async fn connected(bed: &Bed) -> Self {
        Self::tagged(bed, &format!("{:x}", SystemEntropy.next())).await
    }

    /// The same whose names all end in `tag`.
    pub(crate) async fn tagged(bed: &Bed, tag: &str) -> Self {
        // alike, two would send the same Idempotency-Key, and hear the answer to the other's call
        let user = User::of_demo_with(Arc::new(SystemEntropy));
        let tag = tag.to_owned();
        let me = Self { user, tag };
        me.run(UnlockKeystore::Unasked).await.unwrap();
        let draft = ConnectionDraft {
            name: "prod".into(),
            url: bed.url.clone(),
            ..ConnectionDraft::default()
        };
        let sign_in = SignIn::ApiKey(SecretString::new(bed.api_key.clone()));
        me.run(Connect { draft, with: SignInWith::Known(sign_in) }).await.unwrap();
        me.save_secret("LTAI5tExampleExample0001").await;
        me.run(SaveStore { draft: me.store("first"), replaces: None }).await.unwrap();
        me.run(SaveStack { draft: me.stack_draft(), replaces: None }).await.unwrap();
        me
    }

    pub(crate) async fn run<J: Job<World>>(&self, job: J) -> J::Out {
        job.run(Context::alone(Arc::clone(&self.user.world))).await
    }

    pub(crate) fn name(&self, what: &str) -> String {
        format!("{what}_{}", self.tag)
    }

    async fn save_secret(&self, id: &str) {
        self.save_key(id, "canary-of-the-commit-secret-01").await;
    }

    async fn save_key(&self, id: &str, secret: &str) {
        let name = self.name("secret");
        let is_known =
            self.user.world.keystore.list().unwrap().iter().any(|one| one.name.as_str() == name);
        let draft = SecretDraft {
            access_key_id: id.into(),
            secret_access_key: SecretString::new(secret.into()),
            session_token: SecretString::new(String::new()),
            expires_at: String::new(),
            key_names: KeyNames::Oss,
            name,
        };
        let put = if is_known { Put::Update } else { Put::New };
        self.run(SaveSecret { draft, put }).await.unwrap();
    }

    fn store(&self, prefix: &str) -> StoreDraft {
        StoreDraft {
            name: self.name("store"),
            bucket: "your-bucket-name".into(),
            prefix: prefix.into(),
            secret: self.name("secret"),
            region: "eu-central-1".into(),
            ..StoreDraft::default()
        }
    }

    fn stack_draft(&self) -> StackDraft {
        let mut draft = StackDraft { name: self.name("stack"), ..StackDraft::default() };
        draft.components.insert(ComponentType::ArtifactStore, vec![self.name("store")]);
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        draft
    }

    pub(crate) async fn move_store(&self, prefix: &str) {
        self.put_store(self.store(prefix)).await;
    }

    async fn put_store(&self, draft: StoreDraft) {
        let catalog = self.user.world.catalog().await.unwrap();
        let former = catalog.store(&self.name("store")).unwrap().clone();
        let job = SaveStore { draft, replaces: Some(Box::new(former)) };
        self.run(job).await.unwrap();
    }

    pub(crate) async fn plan_of(&self, stack: &str, aim: Aim) -> Result<LivePlan, Failure> {
        let job = MakePlan { stack: stack.to_owned(), against: Against::Usual, aim };
        self.run(job).await.map(|planned| planned.live.unwrap())
    }

    pub(crate) async fn plan(&self) -> Vec<String> {
        signs(&self.plan_of(&self.name("stack"), Aim::Present).await.unwrap())
    }

    pub(crate) async fn commit(&self) -> Result<Committed, Failure> {
        self.run(commit_of(&self.name("stack"), Aim::Present)).await
    }
}

/// A commit that asks for no check.
pub(crate) fn commit_of(stack: &str, aim: Aim) -> CommitStack {
    CommitStack {
        stack: stack.to_owned(),
        against: Against::Usual,
        aim,
        shown: None,
        without_check: true,
        adopt: false,
        ending_key: false,
    }
}

/// `+ secret/x`, without what keeps names apart.
pub(crate) fn signs(live: &LivePlan) -> Vec<String> {
    let all = live.changes.changes.iter();
    all.map(|change| {
        let key = change.step.key();
        let key = key.rsplit_once('_').map_or(key.as_str(), |(key, _)| key);
        format!("{} {key}", change.action.sign())
    })
    .collect()
}

trait Next {
    fn next(&self) -> u64;
}

impl Next for SystemEntropy {
    fn next(&self) -> u64 {
        use osstack::ports::entropy::Entropy as _;
        self.next_u64()
    }
}

const NEW: [&str; 3] = ["+ secret/secret", "+ artifact_store/store", "+ stack/stack"];
const KEPT: [&str; 3] = ["= secret/secret", "= artifact_store/store", "= stack/stack"];

/// Plan, commit, nothing to do, changes of each part, a new name, removal.
async fn a_whole_life(bed: &Bed) {
    let me = Committer::connected(bed).await;
    assert_eq!(me.plan().await, NEW);
    let committed = me.commit().await.unwrap();
    assert_eq!(committed.changes.len(), 3);
    let server = bed.client();
    let store = server.component("artifact_store", &me.name("store")).await.unwrap().unwrap();
    assert_eq!(
        serde_json::Value::Object(store.configuration),
        json!({
            "path": "s3://your-bucket-name/first",
            "authentication_secret": me.name("secret"),
            "client_kwargs": { "endpoint_url": "https://oss-eu-central-1.aliyuncs.com" },
            "config_kwargs": { "signature_version": "s3", "s3": { "addressing_style": "virtual" } },
        })
    );
    let secret = server.secret(&me.name("secret")).await.unwrap().unwrap();
    let names = if bed.reads_plain_names().await { KeyNames::Oss } else { KeyNames::Aws };
    assert!(secret.values.keys().eq(names.names().iter().take(2)), "{:?}", secret.values.keys());
    let value = async |what: &str| bed.read(&me.name("secret"), what).await;
    assert_eq!(value("access_key_id").await.unwrap(), "LTAI5tExampleExample0001");
    assert_eq!(value("secret_access_key").await.unwrap(), "canary-of-the-commit-secret-01");
    let stack = server.stack(&me.name("stack")).await.unwrap().unwrap();
    assert_eq!(Some(&stack.id), committed.stack_id.as_ref());
    assert_eq!(stack.components["artifact_store"][0].id, store.id);
    assert_eq!(me.plan().await, KEPT);

    // only what changed is changed, field by field
    me.move_store("second").await;
    let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), [KEPT[0], "~ artifact_store/store", KEPT[2]]);
    let fields = &live.changes.changes[1].fields;
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].name, "path");
    assert_eq!(fields[0].to.as_deref(), Some("s3://your-bucket-name/second"));
    me.commit().await.unwrap();
    me.save_secret("LTAI5tExampleExample0002").await;
    let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), ["~ secret/secret", KEPT[1], KEPT[2]]);
    assert_eq!(live.changes.changes[0].fields.len(), 1);
    assert!(!format!("{live:?}").contains("Example0002"), "values are never in a plan");
    me.commit().await.unwrap();
    let secret = server.secret(&me.name("secret")).await.unwrap().unwrap();
    assert_eq!(secret.values.len(), 2, "the value that stays is still there");
    assert_eq!(me.plan().await, KEPT);

    // a stack that was renamed is renamed, not made again
    let renamed = me.name("renamed");
    me.run(RenameStack { name: me.name("stack"), to: renamed.clone() }).await.unwrap();
    let live = me.plan_of(&renamed, Aim::Present).await.unwrap();
    assert_eq!(signs(&live), [KEPT[0], KEPT[1], "~ stack/renamed"]);
    assert_eq!(live.changes.changes[2].former_name, Some(me.name("stack")));
    me.run(commit_of(&renamed, Aim::Present)).await.unwrap();
    let again = server.stack(&renamed).await.unwrap().unwrap();
    assert_eq!(again.id, stack.id);
    assert_eq!(server.stack(&me.name("stack")).await.unwrap(), None);

    // and goes with all that only it uses
    let live = me.plan_of(&renamed, Aim::Absent).await.unwrap();
    assert_eq!(signs(&live), ["- stack/renamed", "- artifact_store/store", "- secret/secret"]);
    me.run(commit_of(&renamed, Aim::Absent)).await.unwrap();
    assert_eq!(server.stack(&renamed).await.unwrap(), None);
    assert_eq!(server.component("artifact_store", &me.name("store")).await.unwrap(), None);
    assert_eq!(server.secret(&me.name("secret")).await.unwrap(), None);
}

/// What somebody else made is not changed unasked, and nothing is sent then.
async fn what_others_made(bed: &Bed) {
    let me = Committer::connected(bed).await;
    let server = bed.client();
    let configuration = json!({ "path": "s3://theirs/x" });
    let (kind, none) = ("artifact_store", serde_json::Map::new());
    let theirs = server
        .create_component(kind, &me.name("store"), "s3", configuration.as_object().unwrap(), &none)
        .await
        .unwrap();
    assert_eq!(me.plan().await, [NEW[0], "~ artifact_store/store", NEW[2]]);
    let failure = me.commit().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.summary.contains("did not make"), "{failure}");
    assert_eq!(server.secret(&me.name("secret")).await.unwrap(), None, "nothing was sent");
    // without a connection of its own nothing marks it; with the word it is taken over
    let job = commit_of(&me.name("stack"), Aim::Present);
    me.run(CommitStack { adopt: true, ..job }).await.unwrap();
    let store = server.component_by_id(&theirs).await.unwrap().unwrap();
    assert_eq!(store.configuration["path"], "s3://your-bucket-name/first");
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
}

/// Whatever names the values of a secret have that was there, ZenML reads what was committed.
async fn names_that_were_there(bed: &Bed) {
    let me = Committer::connected(bed).await;
    let (server, name) = (bed.client(), me.name("secret"));
    let theirs = SecretString::new("canary-of-theirs".into());
    let set = |name: &'static str| (name, Some(&theirs));
    let [[id, secret, _], [aws_id, aws_secret, _]] =
        [KeyNames::Oss, KeyNames::Aws].map(KeyNames::names);
    let made = server.create_secret(&name, &[set(id), set(secret)]).await.unwrap();
    let ours = [Some("LTAI5tExampleExample0001"), Some("canary-of-the-commit-secret-01")];
    // the plain ones alone, then the same beside what goes before them
    let both = vec![set(aws_id), set(aws_secret)];
    let one = vec![set(aws_id), (aws_secret, None)];
    for added in [Vec::new(), both, one] {
        server.update_secret(&made, None, &added).await.unwrap();
        let job = commit_of(&me.name("stack"), Aim::Present);
        me.run(CommitStack { adopt: true, ..job }).await.unwrap();
        let mut read = Vec::new();
        for what in [id, secret] {
            read.push(bed.read(&name, what).await);
        }
        let read: Vec<_> = read.iter().map(Option::as_deref).collect();
        assert_eq!(read, ours, "beside {added:?}");
        assert_eq!(me.plan().await, KEPT);
    }
    me.run(CommitStack { adopt: true, ..commit_of(&me.name("stack"), Aim::Absent) }).await.unwrap();
    assert_eq!(server.secret(&name).await.unwrap(), None);
}

/// A secret that was there before the stack stays when the stack goes, though only our store names
/// it; one that we made stays while anything else refers to it.
async fn secrets_that_stay(bed: &Bed) {
    let me = Committer::connected(bed).await;
    let server = bed.client();
    let [id, value] = ["LTAI5tExampleExample0001", "canary-of-the-commit-secret-01"]
        .map(|text| SecretString::new(text.into()));
    let is_older = server.version().await.unwrap() < Version::PLAIN_KEY_NAMES;
    let [id_name, value_name, _] =
        if is_older { KeyNames::Aws.names() } else { KeyNames::Oss.names() };
    let values = [(id_name, Some(&id)), (value_name, Some(&value))];
    server.create_secret(&me.name("secret"), &values).await.unwrap();
    assert_eq!(me.plan().await, [KEPT[0], NEW[1], NEW[2]]);
    me.commit().await.unwrap();
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
    let theirs = server.secret(&me.name("secret")).await.unwrap().expect("it is not ours");
    server.delete_secret(&theirs.id).await.unwrap();

    me.commit().await.unwrap();
    let none = serde_json::Map::new();
    let refers = json!({ "uri": "registry", "authentication_secret": me.name("secret") });
    let refers = refers.as_object().unwrap();
    let kind = "container_registry";
    let other = server
        .create_component(kind, &me.name("registry"), "default", refers, &none)
        .await
        .unwrap();
    let absent = me.plan_of(&me.name("stack"), Aim::Absent).await.unwrap();
    assert_eq!(signs(&absent), ["- stack/stack", "- artifact_store/store"]);
    assert!(absent.changes.notes.iter().any(|note| note.contains("registry")), "{absent:?}");
    server.delete_component(&other).await.unwrap();
    let absent = me.plan_of(&me.name("stack"), Aim::Absent).await.unwrap();
    assert_eq!(signs(&absent).last().unwrap(), "- secret/secret");
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
}

/// A plan that is not the one that was shown is not committed.
async fn a_plan_that_changed(bed: &Bed) {
    let me = Committer::connected(bed).await;
    let live = me.plan_of(&me.name("stack"), Aim::Present).await.unwrap();
    me.move_store("elsewhere").await;
    let job = commit_of(&me.name("stack"), Aim::Present);
    let job = CommitStack { shown: Some(live.changes.fingerprint()), ..job };
    let failure = me.run(job).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(me.plan().await, NEW);
    let none = me.run(UndoCommit { stack: me.name("stack"), against: Against::Usual }).await;
    assert_eq!(none.unwrap_err().kind, FailureKind::NotFound);
}

/// A temporary key that ends within a day is not committed unasked.
async fn a_key_that_ends(bed: &Bed) {
    let me = Committer::connected(bed).await;
    // the clock of the tests stands in March 2026
    let draft = SecretDraft {
        name: me.name("secret"),
        access_key_id: "STS.NExampleExample0001".into(),
        secret_access_key: SecretString::new("canary-of-the-commit-secret-02".into()),
        session_token: SecretString::new("canary-token".into()),
        expires_at: "2026-03-15T20:00:00Z".into(),
        key_names: KeyNames::Oss,
    };
    me.run(SaveSecret { draft, put: Put::Update }).await.unwrap();
    let failure = me.commit().await.unwrap_err();
    assert!(failure.summary.contains("ends in"), "{failure}");
    assert_eq!(me.plan().await, NEW);
    let job = commit_of(&me.name("stack"), Aim::Present);
    me.run(CommitStack { ending_key: true, ..job }).await.unwrap();
    let secret = bed.client().secret(&me.name("secret")).await.unwrap().unwrap();
    assert_eq!(secret.values.len(), 3);
    // a lasting key takes the token away, which would be refused with it
    me.save_secret("LTAI5tExampleExample0001").await;
    me.commit().await.unwrap();
    let secret = bed.client().secret(&me.name("secret")).await.unwrap().unwrap();
    assert_eq!(secret.values.len(), 2);
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
}

/// A store that no check proved is not committed unasked.
async fn an_unchecked_store(bed: &Bed) {
    let me = Committer::connected(bed).await;
    let job = commit_of(&me.name("stack"), Aim::Present);
    let failure = me.run(CommitStack { without_check: false, ..job }).await.unwrap_err();
    assert!(failure.summary.contains("never checked"), "{failure}");
    assert!(failure.hints.iter().any(|hint| hint.contains("osstack check")), "{failure}");
    assert_eq!(me.plan().await, NEW);
}

async fn all(bed: &Bed) {
    a_whole_life(bed).await;
    what_others_made(bed).await;
    names_that_were_there(bed).await;
    a_plan_that_changed(bed).await;
    an_unchecked_store(bed).await;
    secrets_that_stay(bed).await;
    a_key_that_ends(bed).await;
    renamed::a_secret(bed).await;
    renamed::a_secret_that_others_name(bed).await;
    taken_over::a_stack_of_somebody_else(bed).await;
    taken_over::a_store_made_by_hand(bed).await;
    taken_over::what_differs(bed).await;
}

#[tokio::test]
async fn the_stand_in_lives_through_it() {
    let stand_in = StandIn::start();
    all(&stand_in.bed).await;
}

/// Of the flavors that both know, this server says what `assets/flavors.toml` says.
async fn the_table_of_flavors_holds(bed: &Bed) {
    let server = bed.client();
    if server.version().await.unwrap().to_string() != flavor::zenml() {
        return;
    }
    let mut seen = 0;
    for kind in ComponentType::ALL {
        for there in server.flavors(Some(kind)).await.unwrap() {
            let Some(known) = flavor::find(kind, &there.name) else { continue };
            let names = |flavor: &Flavor| {
                let mut names: Vec<(String, bool, bool)> = flavor
                    .schema
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), field.required, field.sensitive))
                    .collect();
                names.sort();
                names
            };
            assert_eq!(names(known), names(&there), "{kind} {}", there.name);
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen} flavors were compared");
}

#[tokio::test]
async fn one_of_an_older_zenml_lives_through_it() {
    let stand_in = StandIn::start();
    stand_in.faults.change(|faults| faults.version = Some("0.92.0".into()));
    all(&stand_in.bed).await;
}

#[tokio::test]
#[ignore = "needs a real server: OSSTACK_ZENML_URL and OSSTACK_ZENML_API_KEY_FILE"]
async fn real_zenml() {
    let bed = Bed::real();
    all(&bed).await;
    the_table_of_flavors_holds(&bed).await;
}
