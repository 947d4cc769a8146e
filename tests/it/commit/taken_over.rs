//! What ZenML has beside the catalog: listed, taken over, and compared field by field.

use osstack::base::secret_string::SecretString;
use osstack::ops::adopt::{
    AdoptFromZenml, Adopted, Adoptee, Here, Maker, SecretTaken, SurveyZenml,
};
use osstack::ops::diff::{Diff, DiffStack, There};
use osstack::zenml::rest::ComponentChange;
use serde_json::{Map, Value, json};

use super::*;

const STORE: &str = "artifact_store";

impl Committer {
    async fn adopt(&self, what: Adoptee, overwrite: bool) -> Result<Adopted, Failure> {
        let connection = Some("prod".to_owned());
        let what = vec![what];
        self.run(AdoptFromZenml { connection, what, secret: None, overwrite }).await
    }

    async fn diff(&self) -> Diff {
        let job =
            DiffStack { stack: self.name("stack"), against: Against::Named("prod".to_owned()) };
        *self.run(job).await.unwrap()
    }
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("no object") };
    map
}

/// What one committed, another takes over with its secret; then both plan the same.
pub(super) async fn a_stack_of_somebody_else(bed: &Bed) {
    let them = Committer::connected(bed).await;
    them.commit().await.unwrap();
    let me = Committer::connected(bed).await;
    let theirs = |what: &str| them.name(what);
    let look = async || {
        let survey = me.run(SurveyZenml { connection: Some("prod".into()) }).await.unwrap();
        let store = survey.stores.iter().find(|one| one.name == theirs("store")).unwrap().clone();
        let stack = survey.stacks.iter().find(|one| one.name == theirs("stack")).unwrap().clone();
        (store, stack)
    };
    let (store, stack) = look().await;
    assert_eq!((store.maker, stack.maker), (Maker::Osstack, Maker::Osstack));
    assert_eq!((&store.here, &stack.here), (&Here::Nothing, &Here::Nothing));
    assert!(store.is_on_oss && stack.is_on_oss);
    assert_eq!(store.used_by, [theirs("stack")]);
    assert_eq!(stack.components[STORE], [theirs("store")]);

    let adopted = me.adopt(Adoptee::Stack(theirs("stack")), false).await.unwrap();
    assert_eq!(adopted.secrets, [(theirs("secret"), SecretTaken::Taken)]);
    let (mine, original) =
        (me.user.world.catalog().await.unwrap(), them.user.world.catalog().await.unwrap());
    assert_eq!(mine.store(&theirs("store")), original.store(&theirs("store")));
    assert_eq!(mine.stack(&theirs("stack")), original.stack(&theirs("stack")));
    let (store, stack) = look().await;
    assert_eq!((store.here, stack.here), (Here::Same, Here::Same));
    let live = me.plan_of(&theirs("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), KEPT);

    // nothing is replaced unasked: neither an entry nor a secret
    them.move_store("second").await;
    them.save_secret("LTAI5tExampleExample0009").await;
    them.commit().await.unwrap();
    let failure = me.adopt(Adoptee::Stack(theirs("stack")), false).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert!(failure.summary.ends_with(&theirs("store")), "{failure}");
    let secret = Adoptee::Secret(theirs("secret"));
    let adopted = me.adopt(secret, false).await.unwrap();
    assert_eq!(adopted.secrets, [(theirs("secret"), SecretTaken::Differs)]);
    assert_eq!(adopted.imported.notes.len(), 1);
    let adopted = me.adopt(Adoptee::Stack(theirs("stack")), true).await.unwrap();
    assert_eq!(adopted.secrets, [(theirs("secret"), SecretTaken::Taken)]);
    assert!(!format!("{adopted:?}").contains("Example0009"));
    let live = me.plan_of(&theirs("stack"), Aim::Present).await.unwrap();
    assert_eq!(signs(&live), KEPT);

    let gone = me.adopt(Adoptee::Stack(me.name("never")), false).await.unwrap_err();
    assert_eq!(gone.kind, FailureKind::NotFound);
    them.run(commit_of(&theirs("stack"), Aim::Absent)).await.unwrap();
}

/// A store that somebody made by hand: judged, taken over, mended by a commit that asks first.
pub(super) async fn a_store_made_by_hand(bed: &Bed) {
    let me = Committer::connected(bed).await;
    let server = bed.client();
    let none = Map::new();
    let by_hand = json!({
        "path": "s3://your-bucket-name/by-hand",
        "authentication_secret": me.name("keys"),
        "client_kwargs": { "endpoint_url": "https://oss-eu-central-1.aliyuncs.com" },
    });
    let name = me.name("byhand");
    let id = server.create_component(STORE, &name, "s3", &object(by_hand), &none).await.unwrap();
    let elsewhere = json!({ "path": "s3://aws-bucket" });
    let other = me.name("aws");
    let aws =
        server.create_component(STORE, &other, "s3", &object(elsewhere), &none).await.unwrap();

    let survey = me.run(SurveyZenml { connection: Some("prod".into()) }).await.unwrap();
    let found = survey.stores.iter().find(|one| one.name == name).unwrap();
    assert_eq!((found.maker, &found.here), (Maker::User, &Here::Nothing));
    let findings: Vec<&str> = found.findings.iter().map(|finding| finding.id).collect();
    assert!(findings.contains(&"addressing-missing"), "{findings:?}");
    let found = survey.stores.iter().find(|one| one.name == other).unwrap();
    assert!(!found.is_on_oss && matches!(found.here, Here::Unfit(_)));
    let default = survey.stores.iter().find(|one| one.name == "default").unwrap();
    assert_eq!(default.maker, Maker::Zenml);

    let adopted =
        me.adopt(Adoptee::Component(ComponentType::ArtifactStore, name.clone()), false).await;
    assert_eq!(adopted.unwrap().secrets, [(me.name("keys"), SecretTaken::Absent)]);
    let refused = me.adopt(Adoptee::Component(ComponentType::ArtifactStore, other), false).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Usage);

    // as a stack of the catalog it is mended, and only with the word
    let mut draft = me.stack_draft();
    draft.name = me.name("mended");
    draft.components.insert(ComponentType::ArtifactStore, vec![name.clone()]);
    me.run(SaveStack { draft, replaces: None }).await.unwrap();
    let keys = SecretDraft {
        name: me.name("keys"),
        access_key_id: "LTAI5tExampleExample0003".into(),
        secret_access_key: SecretString::new("canary-of-the-commit-secret-03".into()),
        session_token: SecretString::new(String::new()),
        expires_at: String::new(),
        key_names: KeyNames::Oss,
    };
    me.run(SaveSecret { draft: keys, put: Put::New }).await.unwrap();
    let job = commit_of(&me.name("mended"), Aim::Present);
    assert_eq!(me.run(job.clone()).await.unwrap_err().kind, FailureKind::Conflict);
    me.run(CommitStack { adopt: true, ..job }).await.unwrap();
    let store = server.component_by_id(&id).await.unwrap().unwrap();
    assert_eq!(store.configuration["config_kwargs"]["s3"]["addressing_style"], "virtual");
    let absent = commit_of(&me.name("mended"), Aim::Absent);
    me.run(CommitStack { adopt: true, ..absent }).await.unwrap();
    server.delete_component(&aws).await.unwrap();
}

/// What was changed behind osstack's back is shown field by field, and taken from either side.
pub(super) async fn what_differs(bed: &Bed) {
    let me = Committer::connected(bed).await;
    // what is asked of the bucket goes to the sandbox
    let sandbox = &me.user.sandbox.description;
    me.save_key(&sandbox.access_key_id, &sandbox.secret_access_key).await;
    let first = StoreDraft {
        bucket: sandbox.bucket.clone(),
        region: sandbox.region.clone(),
        endpoint: sandbox.endpoint.clone(),
        ..me.store("first")
    };
    let (bucket, region) = (&first.bucket, &first.region);
    me.put_store(first.clone()).await;
    let diff = me.diff().await;
    assert!(diff.things.iter().all(|thing| thing.there == There::Nothing));
    me.commit().await.unwrap();
    let diff = me.diff().await;
    assert!(!diff.differs_in_zenml(), "{diff:?}");
    assert_eq!(diff.bucket.lies_in, Ok(Some(region.clone())));
    assert_eq!(diff.bucket.zenml.as_ref(), Some(region));
    assert!(!diff.differs(), "{diff:?}");

    let server = bed.client();
    let store = server.component(STORE, &me.name("store")).await.unwrap().unwrap();
    let mut changed = store.configuration.clone();
    let theirs = format!("s3://{bucket}/theirs");
    changed["path"] = json!(theirs);
    changed["client_kwargs"] = json!({ "endpoint_url": "https://oss-cn-beijing.aliyuncs.com" });
    let change = ComponentChange { configuration: Some(&changed), ..ComponentChange::default() };
    server.update_component(&store.id, change).await.unwrap();
    let secret = server.secret(&me.name("secret")).await.unwrap().unwrap();
    let other = SecretString::new("canary-of-the-commit-secret-04".into());
    // an older ZenML has it under another name
    let key = secret.values.keys().find(|key| key.ends_with("secret_access_key")).unwrap();
    let values = [(key.as_str(), Some(&other))];
    server.update_secret(&secret.id, None, &values).await.unwrap();

    let diff = me.diff().await;
    let states: Vec<There> = diff.things.iter().map(|thing| thing.there).collect();
    assert_eq!(states, [There::Differs, There::Differs, There::Same]);
    let fields = &diff.things[1].fields;
    let path = fields.iter().find(|field| field.name == "path").unwrap();
    assert_eq!(path.from.as_deref(), Some(&*theirs));
    assert_eq!(path.to, Some(format!("s3://{bucket}/first")));
    assert_eq!(diff.bucket.zenml.as_deref(), Some("cn-beijing"));
    assert!(diff.bucket.differs(), "ZenML's endpoint leads to another region than the bucket's");
    assert!(!format!("{diff:?}").contains("canary"), "values are never in a diff");

    // theirs, thing by thing; then ours
    me.adopt(Adoptee::Secret(me.name("secret")), true).await.unwrap();
    let kept = me.user.world.credentials(&me.name("secret")).await.unwrap();
    assert_eq!(kept.secret_access_key.expose(), "canary-of-the-commit-secret-04");
    let diff = me.diff().await;
    let states: Vec<There> = diff.things.iter().map(|thing| thing.there).collect();
    assert_eq!(states, [There::Same, There::Differs, There::Same]);
    assert_eq!(diff.bucket.lies_in.unwrap_err().kind, FailureKind::Credentials);
    let store = Adoptee::Component(ComponentType::ArtifactStore, me.name("store"));
    me.adopt(store, true).await.unwrap();
    let catalog = me.user.world.catalog().await.unwrap();
    assert_eq!(catalog.store(&me.name("store")).unwrap().prefix.as_str(), "theirs");
    assert!(!me.diff().await.differs_in_zenml());
    me.put_store(first.clone()).await;
    me.commit().await.unwrap();
    assert!(!me.diff().await.differs_in_zenml());
    me.run(commit_of(&me.name("stack"), Aim::Absent)).await.unwrap();
}
