//! The main job from an empty home to a downloaded artifact, typed as keys.

use osstack::base::secret_string::SecretString;
use osstack::keystore::{Put, Remember};
use osstack::model::secret::{KeyNames, SecretDraft};

use crate::closed_port::ClosedPort;
use crate::user::{PASSPHRASE, User};

/// The access key, pasted in one go as the console shows it.
async fn enter_secret(user: &mut User) {
    let picture = user.keys("").await;
    assert!(picture.contains("A stack takes three steps"), "{picture}");
    user.keys("3nalibaba_secret<tab>").await;
    let description = &user.sandbox.description;
    let (id, key) = (description.access_key_id.clone(), description.secret_access_key.clone());
    let picture = user.paste(&format!("{id}\n{key}\n")).await;
    assert!(picture.contains(&id), "the id is seen, the secret is not: {picture}");
    let picture = user.keys("<ctrl-s>").await;
    assert!(picture.contains("passphrase"), "{picture}");
    user.keys(&format!("<tab>{PASSPHRASE}<tab>{PASSPHRASE}<enter>")).await;
    let picture = user.wide();
    assert!(picture.contains("alibaba_secret") && picture.contains("keys ✓"), "{picture}");
    let kept = user.world.keystore.get("alibaba_secret").unwrap().credentials;
    assert_eq!((kept.access_key_id, kept.secret_access_key.expose()), (id, key.as_str()));
}

/// The store: an endpoint of one's own, a bucket out of the live list, tested before it is saved.
async fn enter_store(user: &mut User) {
    user.keys("2nalibaba_store<tab><enter><enter>").await;
    let picture = user.keys("<tab><tab><left><left>").await;
    assert!(picture.contains("alibaba_secret") && picture.contains("own URL"), "{picture}");
    user.keys("<tab>").await;
    let endpoint = user.sandbox.description.endpoint.clone();
    user.paste(&endpoint).await;
    let picture = user.keys("<ctrl-b>").await;
    for bucket in ["zenml-demo", "zenml-demo-b", "scratch-demo"] {
        assert!(picture.contains(bucket), "{picture}");
    }
    user.keys("zenml-demo<enter><tab>zenml").await;
    assert!(user.wide().contains("s3://zenml-demo/zenml"), "{}", user.wide());

    user.keys("<ctrl-t>").await;
    let picture = user.wide();
    assert!(picture.contains("Check of what is not saved yet"), "{picture}");
    assert!(picture.contains(" 0 failed"), "{picture}");
    let picture = user.keys("<esc><ctrl-s>").await;
    assert!(picture.contains("the store alibaba_store is in the catalog"), "{picture}");
}

/// The stack, and that it works.
async fn compose_stack(user: &mut User) {
    let picture = user.keys("1ncustom_stack").await;
    assert!(picture.contains("alibaba_store"), "the only store stands there: {picture}");
    let picture = user.keys("<ctrl-s>").await;
    assert!(
        picture.contains("saved custom_stack") && picture.contains("never checked"),
        "{picture}"
    );
    user.keys("c").await;
    let picture = user.wide();
    assert!(picture.contains("works, with something to know"), "{picture}");
    assert!(picture.contains(" 1 warned, 0 failed"), "{picture}");
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("last check warned"), "{picture}");
}

/// The plan, and its script in a file.
async fn export_plan(user: &mut User) {
    let picture = user.keys("E").await;
    for subject in ["secret alibaba_secret", "alibaba_store", "Nothing has been sent"] {
        assert!(picture.contains(subject), "{picture}");
    }
    user.keys("E<ctrl-u>").await;
    let file = user.path("custom_stack.sh");
    user.paste(file.to_str().unwrap()).await;
    let picture = user.keys("<ctrl-s>").await;
    assert!(picture.contains("wrote"), "{picture}");
    let script = std::fs::read_to_string(file).unwrap();
    let commands: Vec<&str> = script.lines().filter(|line| line.starts_with("zenml ")).collect();
    assert_eq!(
        commands,
        [
            "zenml integration install s3 -y",
            "zenml secret create alibaba_secret --values=@/dev/fd/3",
            "zenml artifact-store register alibaba_store -f s3 \\",
            "zenml stack register custom_stack -a alibaba_store -o default --set",
        ]
    );
    assert!(script.contains("--path='s3://zenml-demo/zenml'"), "{script}");
    assert!(script.contains(&user.sandbox.description.endpoint), "{script}");
    user.keys("<esc>").await;
}

/// From the stack to the bytes of an artifact.
async fn fetch_artifact(user: &mut User) {
    let picture = user.keys("<enter>").await;
    assert!(picture.contains("load_rides"), "{picture}");
    let picture = user.keys("/load_rides<enter><enter><enter><enter><enter>").await;
    assert!(picture.contains("describe.csv"), "{picture}");
    let picture = user.keys("p").await;
    assert!(picture.contains("distance_km"), "a preview: {picture}");
    let folder = user.path("down");
    user.keys("d<ctrl-u>").await;
    user.paste(folder.to_str().unwrap()).await;
    user.keys("<ctrl-s>").await;
    let picture = user.keys("5").await;
    assert!(picture.contains("100 %"), "{picture}");
    let bytes = std::fs::read(folder.join("describe.csv")).unwrap();
    assert_eq!(bytes, include_bytes!("../../assets/demo/describe.csv"));
}

/// What a stack's row offers besides.
async fn keep_house(user: &mut User) {
    let picture = user.keys("1w<ctrl-s>").await;
    assert!(picture.contains("custom_stack-2"), "{picture}");
    let picture = user.keys("Gr<ctrl-u>second_stack<ctrl-s>").await;
    assert!(picture.contains("saved second_stack"), "{picture}");
    let picture = user.keys("2D").await;
    assert!(picture.contains("is used by custom_stack, second_stack"), "{picture}");
    let picture = user.keys("3D").await;
    assert!(picture.contains("used by alibaba_store"), "{picture}");
    let picture = user.keys("1GD<enter>").await;
    assert!(picture.contains("second_stack"), "the focus is on Keep: {picture}");
    let picture = user.keys("GDy").await;
    assert!(picture.contains("second_stack is deleted"), "{picture}");
    assert!(!user.wide().contains("· second_stack"), "{}", user.wide());
}

#[tokio::test]
async fn from_an_empty_home_to_an_artifact() {
    let mut user = User::new();
    enter_secret(&mut user).await;
    enter_store(&mut user).await;
    compose_stack(&mut user).await;
    export_plan(&mut user).await;
    keep_house(&mut user).await;
    fetch_artifact(&mut user).await;
    // a new start knows all of it, once it has the passphrase
    user.world.lock();
    user.start_anew();
    let picture = user.keys("").await;
    assert!(picture.contains("custom_stack") && picture.contains("  locked"), "{picture}");
    let picture = user.keys("c").await;
    assert!(picture.contains("Passphrase"), "{picture}");
    user.keys(&format!("{PASSPHRASE}<enter>")).await;
    assert!(user.wide().contains("works, with something to know"), "{}", user.wide());
}

/// Keeps a key, and one store.
#[expect(clippy::disallowed_methods, reason = "the test plays the user's editor")]
fn furnish(user: &User, secret: &str, bucket: &str, endpoint: &str) {
    user.world.keystore.create(&SecretString::new(PASSPHRASE.into()), Remember::No).unwrap();
    let draft = SecretDraft {
        name: "alibaba_secret".into(),
        access_key_id: user.sandbox.description.access_key_id.clone(),
        secret_access_key: SecretString::new(secret.into()),
        session_token: SecretString::new(String::new()),
        expires_at: String::new(),
        key_names: KeyNames::Oss,
    };
    user.world.keystore.put(draft.validate().unwrap(), Put::New).unwrap();
    std::fs::create_dir_all(user.path("config")).unwrap();
    let catalog = format!(
        "schema = 1\n[artifact_store.alibaba_store]\npath = \"s3://{bucket}\"\n\
         secret = \"alibaba_secret\"\nendpoint = \"{endpoint}\"\n"
    );
    std::fs::write(user.path("config/stacks.toml"), catalog).unwrap();
}

/// Bucket, URL and secret of a store that does not work.
type Change<'a> = &'a dyn Fn(&User) -> [String; 3];

#[tokio::test]
async fn a_check_says_what_is_wrong_and_what_to_do() {
    let right = |user: &User| user.sandbox.description.secret_access_key.clone();
    let endpoint = |user: &User| user.sandbox.description.endpoint.clone();
    let nobody = ClosedPort::new();
    let closed = format!("http://oss-sandbox.localhost:{}", nobody.port());
    let wrong_key = "canaryCanaryCanaryCanary000001".to_owned();
    let cases: [(Change<'_>, [&str; 3]); 3] = [
        (
            &|user| [wrong_key.clone(), "zenml-demo".into(), endpoint(user)],
            ["is not accepted", "only the secret differs", "Enter the AccessKey secret again"],
        ),
        (
            &|user| [right(user), "no-such-bucket".into(), endpoint(user)],
            ["There is no bucket no-such-bucket", "means", "Correct the bucket's name"],
        ),
        (
            &|user| [right(user), "zenml-demo".into(), closed.clone()],
            ["Nobody answers on port", "refuses", "Start what should listen"],
        ),
    ];
    for (furnishing, said) in cases {
        let mut user = User::new();
        let [secret, bucket, endpoint] = furnishing(&user);
        furnish(&user, &secret, &bucket, &endpoint);
        user.keys("2c").await;
        let picture = user.wide();
        assert!(picture.contains("does not work"), "{picture}");
        for words in said {
            assert!(picture.contains(words), "no {words:?} in\n{picture}");
        }
    }
}
