//! Secrets and stores entered by keys, over the real files and the sandbox.

use std::sync::Arc;
use std::time::Duration;

use osstack::app::shell::{Stage, Tab};
use osstack::base::secret_string::SecretString;
use osstack::keystore::keyring::NoKeyring;
use osstack::keystore::{Keystore, Put, Remember, Settings};
use osstack::model::secret::{KeyNames, SecretDraft};
use osstack::model::store::StoreDraft;
use osstack::ops::world::World;
use osstack::ports::clock::FixedClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::env::Env;
use osstack::ports::paths::Paths;
use osstack::sandbox::{Description, Seed};
use osstack::screens::secrets::Secrets;
use osstack::screens::stores::Stores;
use tempfile::TempDir;

use crate::sandbox_client::{NOW, Running};

const ID: &str = "LTAI5tExampleExample0001";
const CANARY: &str = "canaryCanaryCanaryCanary000001";
const PASSPHRASE: &str = "canary correct horse";

struct Home {
    folder: TempDir,
    world: Arc<World>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::below(folder.path());
        let clock: Arc<FixedClock> = Arc::new(FixedClock(NOW));
        let entropy = Arc::new(SeededEntropy::new(7));
        let keyring = Arc::new(NoKeyring);
        let keystore = Keystore::new(
            &paths,
            clock.clone(),
            entropy.clone(),
            keyring.clone(),
            Settings { work_factor: 2, ..Settings::default() },
        );
        let mut world = World::new(Env::default(), paths, clock, entropy, keyring).unwrap();
        world.keystore = Arc::new(keystore);
        Self { folder, world: Arc::new(world) }
    }

    /// With a keystore that holds one key, and stands open.
    fn with_key(id: &str, secret: &str) -> Self {
        let home = Self::new();
        let passphrase = SecretString::new(PASSPHRASE.into());
        home.world.keystore.create(&passphrase, Remember::No).unwrap();
        let draft = SecretDraft {
            name: "alibaba_secret".into(),
            access_key_id: id.into(),
            secret_access_key: SecretString::new(secret.into()),
            session_token: SecretString::new(String::new()),
            expires_at: String::new(),
            key_names: KeyNames::Oss,
        };
        home.world.keystore.put(draft.validate().unwrap(), Put::New).unwrap();
        home
    }

    fn catalog(&self) -> String {
        let path = self.folder.path().join("config/stacks.toml");
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[expect(clippy::disallowed_methods, reason = "the test plays the user's editor")]
    fn write_catalog(&self, text: &str) {
        std::fs::create_dir_all(self.folder.path().join("config")).unwrap();
        std::fs::write(self.folder.path().join("config/stacks.toml"), text).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "the test plays a disk in disorder")]
    fn write_instead_of_the_folder_of_data(&self) {
        std::fs::write(self.folder.path().join("data"), "a file").unwrap();
    }

    fn stage(&self) -> Watched {
        let tabs = [Tab::new("Stores", Stores::default()), Tab::new("Secrets", Secrets::default())];
        Watched(Stage::new(Arc::clone(&self.world), tabs))
    }
}

/// A stage on which no picture may hold a secret.
struct Watched(Stage<World>);

impl Watched {
    /// Types `keys` one by one, each after the answers to the one before.
    async fn keys(&mut self, keys: &str) {
        self.0.settle().await;
        let mut rest = keys;
        while !rest.is_empty() {
            let chord = rest.strip_prefix('<').and_then(|tail| tail.find('>'));
            let end = chord.map_or_else(|| rest.chars().next().unwrap().len_utf8(), |end| end + 2);
            self.0.keys(&rest[..end]).settle().await;
            rest = &rest[end..];
        }
        self.picture();
    }

    async fn paste(&mut self, text: &str) {
        self.0.paste(text).settle().await;
        self.picture();
    }

    fn picture(&mut self) -> String {
        let picture = self.0.picture();
        assert!(!picture.to_lowercase().contains("canary"), "{picture}");
        picture
    }

    fn wide(&mut self) -> String {
        self.0.resize(160, 48);
        let picture = self.picture();
        self.0.resize(80, 24);
        picture
    }

    /// Draws at sizes that a window passes through while it is dragged.
    fn any_size(&mut self) {
        for width in [1, 2, 3, 20, 41, 79, 109, 111, 300] {
            for height in [1, 2, 3, 9, 12, 23, 100] {
                self.0.resize(width, height);
                self.picture();
            }
        }
        self.0.resize(80, 24);
    }
}

#[tokio::test]
async fn the_first_secret_makes_the_keystore() {
    let home = Home::new();
    let mut stage = home.stage();
    stage.keys("2").await;
    insta::assert_snapshot!("secrets_empty", stage.picture());
    stage.keys("nalibaba_secret<tab>").await;
    stage.paste(&format!("AccessKey ID,AccessKey Secret\r\n{ID},{CANARY}\r\n")).await;
    insta::assert_snapshot!("secret_form", stage.picture());
    insta::assert_snapshot!("secret_form_wide", stage.wide());
    stage.any_size();

    stage.keys("<ctrl-s>").await;
    insta::assert_snapshot!("keystore_setup", stage.picture());
    insta::assert_snapshot!("keystore_setup_wide", stage.wide());
    stage.any_size();
    stage.keys("<tab>canary one<tab>canary two<enter>").await;
    insta::assert_snapshot!("keystore_setup_refused", stage.picture());
    // backing out loses nothing that was typed in the form
    stage.keys("<esc>").await;
    let picture = stage.picture();
    assert!(picture.contains("alibaba_secret") && picture.contains("not saved yet"), "{picture}");

    stage.keys(&format!("<ctrl-s><tab>{PASSPHRASE}<tab>{PASSPHRASE}<enter>")).await;
    insta::assert_snapshot!("secrets", stage.picture());
    insta::assert_snapshot!("secrets_wide", stage.wide());
    stage.any_size();
    let kept = home.world.keystore.get("alibaba_secret").unwrap().credentials;
    assert_eq!((kept.access_key_id.as_str(), kept.secret_access_key.expose()), (ID, CANARY));
    home.world.keystore.lock();
    home.world.keystore.unlock(&SecretString::new(PASSPHRASE.into())).unwrap();
}

#[tokio::test]
async fn a_keystore_that_cannot_be_made_says_why_and_keeps_what_was_typed() {
    let home = Home::new();
    let mut stage = home.stage();
    stage.keys(&format!("2nsecret<tab>{ID}<tab>")).await;
    stage.paste(CANARY).await;
    stage.keys("<ctrl-s>").await;
    home.write_instead_of_the_folder_of_data();
    stage.keys(&format!("<tab>{PASSPHRASE}<tab>{PASSPHRASE}<enter>")).await;
    let picture = stage.picture();
    for said in ["Open it", "Passphrase", "The same again", "✗ ", "chmod 700 it first"] {
        assert!(picture.contains(said), "no {said}: {picture}");
    }
    stage.any_size();
}

#[tokio::test]
async fn a_session_keystore_leaves_nothing_on_disk() {
    let home = Home::new();
    let mut stage = home.stage();
    stage.keys(&format!("2nsecret<tab>{ID}<tab>")).await;
    stage.paste(CANARY).await;
    stage.keys("<ctrl-s><left><enter>").await;
    assert_eq!(home.world.keystore.list().unwrap().len(), 1);
    assert!(!home.folder.path().join("data/secrets.age").exists());
}

#[tokio::test]
async fn a_locked_keystore_asks_and_slows_wrong_tries_down() {
    let home = Home::with_key(ID, CANARY);
    home.world.keystore.lock();
    let mut stage = home.stage();
    stage.keys("2").await;
    insta::assert_snapshot!("unlock", stage.picture());
    insta::assert_snapshot!("unlock_wide", stage.wide());
    stage.any_size();
    stage.keys("canary wrong<enter>").await;
    stage.0.pass(Duration::from_millis(300));
    insta::assert_snapshot!("unlock_wrong", stage.picture());
    stage.keys(&format!("{PASSPHRASE}<enter>")).await;
    assert!(stage.picture().contains("the next try in 1 s"), "{}", stage.picture());
    stage.0.pass(Duration::from_secs(1));
    stage.keys("<enter>").await;
    assert!(stage.picture().contains("alibaba_secret"), "{}", stage.picture());

    home.world.keystore.lock();
    stage.keys("R<esc>").await;
    assert!(stage.picture().contains("locked: u unlocks"), "a no is respected");
    stage.keys(&format!("u{PASSPHRASE}<enter>")).await;
    assert!(stage.picture().contains("alibaba_secret"));
}

#[tokio::test]
async fn hints_refuse_nothing_and_errors_come_at_once() {
    let home = Home::with_key(ID, CANARY);
    let mut stage = home.stage();
    stage.keys("2n<ctrl-s>").await;
    let picture = stage.picture();
    for said in ["a name is needed", "AccessKey ID is needed", "AccessKey secret is needed"] {
        assert!(picture.contains(said), "{picture}");
    }
    stage.keys("other<tab>AKIAIOSFODNN7EXAMPLE<tab>canary").await;
    assert!(stage.picture().contains("looks like an AWS key"), "{}", stage.picture());
    stage.keys("<ctrl-s>").await;
    assert_eq!(home.world.keystore.list().unwrap().len(), 2);
}

#[tokio::test]
async fn editing_a_secret_keeps_what_is_left_alone() {
    let home = Home::with_key(ID, CANARY);
    let mut stage = home.stage();
    stage.keys("2e").await;
    assert!(stage.picture().contains(ID), "the id is shown: {}", stage.picture());
    stage.keys("<shift-tab><right><tab><ctrl-s>").await;
    let kept = home.world.keystore.get("alibaba_secret").unwrap();
    assert_eq!(kept.credentials.secret_access_key.expose(), CANARY);
    // another id needs its own secret
    stage.keys("e<tab><shift-tab>X<ctrl-s>").await;
    assert!(stage.picture().contains("secret is needed"), "{}", stage.picture());
    // typed text is not lost unasked
    stage.keys("<esc>").await;
    assert!(stage.picture().contains("without saving?"), "{}", stage.picture());
}

#[tokio::test]
async fn a_secret_in_use_stays() {
    let home = Home::with_key(ID, CANARY);
    home.write_catalog(STORE);
    let mut stage = home.stage();
    stage.keys("2D").await;
    assert!(stage.picture().contains("used by alibaba_store"), "{}", stage.picture());
    home.write_catalog("schema = 1\n");
    stage.keys("RD<enter>").await;
    assert_eq!(home.world.keystore.list().unwrap().len(), 1, "the focus is on Keep");
    stage.keys("Dy").await;
    assert_eq!(home.world.keystore.list().unwrap().len(), 0);
}

const STORE: &str = "schema = 1
# mine
[artifact_store.alibaba_store]
path = \"s3://your-bucket-name/zenml\"
secret = \"alibaba_secret\"
region = \"eu-central-1\"
config_kwargs = { read_timeout = 9 }
team = \"vision\"
";

#[tokio::test]
async fn a_store_is_entered_with_its_secret_on_the_spot() {
    let home = Home::new();
    let mut stage = home.stage();
    stage.keys("").await;
    insta::assert_snapshot!("stores_empty", stage.picture());
    stage.keys("n<ctrl-s>").await;
    insta::assert_snapshot!("store_form_errors", stage.picture());
    stage.keys("alibaba_store<tab><enter>").await;
    assert!(stage.picture().contains("New secret"), "{}", stage.picture());
    stage.keys(&format!("alibaba_secret<tab>{ID}<tab>")).await;
    stage.paste(CANARY).await;
    stage.keys("<ctrl-s><left><enter>").await;
    assert!(stage.picture().contains("alibaba_secret"), "{}", stage.picture());
    stage.keys("<tab><enter>").await;
    insta::assert_snapshot!("region_picker", stage.picture());
    insta::assert_snapshot!("region_picker_wide", stage.wide());
    stage.any_size();
    stage.keys("法兰克福").await;
    assert!(stage.picture().contains("Regions: 1 of 45"), "{}", stage.picture());
    stage.keys("<enter><tab><tab>your-bucket-name<tab>zenml").await;
    insta::assert_snapshot!("store_form", stage.picture());
    insta::assert_snapshot!("store_form_wide", stage.wide());
    stage.any_size();
    stage.keys("<ctrl-o>").await;
    insta::assert_snapshot!("store_form_panel", stage.picture());
    stage.keys("<ctrl-s>").await;
    insta::assert_snapshot!("stores", stage.picture());
    insta::assert_snapshot!("stores_wide", stage.wide());
    stage.any_size();
    insta::assert_snapshot!("store_in_catalog", home.catalog());
}

#[tokio::test]
async fn ctrl_u_clears_what_narrows_a_list_down() {
    let home = Home::with_key(ID, CANARY);
    let mut stage = home.stage();
    stage.keys("n<tab><tab><enter>cn-shanghai").await;
    assert!(stage.picture().contains("Regions: 3 of 45"), "{}", stage.picture());
    stage.keys("<ctrl-u>").await;
    assert!(stage.picture().contains("Regions: 45 of 45"), "{}", stage.picture());
}

#[tokio::test]
async fn editing_a_store_keeps_what_the_form_does_not_show() {
    let home = Home::with_key(ID, CANARY);
    home.write_catalog(STORE);
    let mut stage = home.stage();
    stage.keys("e<end>2<ctrl-s>").await;
    let expected = STORE.replace("alibaba_store", "alibaba_store2");
    assert_eq!(home.catalog(), expected);
    assert!(stage.picture().contains("alibaba_store2"), "{}", stage.picture());
    stage.keys("e<tab><tab><tab><tab>x<ctrl-o>").await;
    let wide = stage.wide();
    assert!(wide.contains("\"read_timeout\": 9"), "{wide}");
}

#[tokio::test]
async fn a_bucket_in_the_url_is_split_on_a_key() {
    let home = Home::with_key(ID, CANARY);
    let mut stage = home.stage();
    stage.keys("ns<tab><tab><tab><left><left>").await;
    assert!(stage.picture().contains("own URL"), "{}", stage.picture());
    stage.keys("<tab>").await;
    stage.paste("https://my-bucket.oss-cn-beijing.aliyuncs.com").await;
    assert!(stage.picture().contains("ctrl-x splits it"), "{}", stage.picture());
    stage.keys("<ctrl-x>").await;
    let picture = stage.picture();
    assert!(picture.contains("https://oss-cn-beijing.aliyuncs.com"), "{picture}");
    assert!(!picture.contains("my-bucket.oss") && picture.contains("my-bucket"), "{picture}");
}

#[tokio::test]
async fn buckets_are_listed_made_and_taken() {
    let sandbox = Running::start(Seed::Demo);
    let home =
        Home::with_key(&sandbox.description.access_key_id, &sandbox.description.secret_access_key);
    let mut stage = home.stage();
    let endpoint = &sandbox.description.endpoint;
    stage.keys("nstore<tab><enter><enter><tab><tab><left><left><tab>").await;
    stage.paste(endpoint).await;
    stage.keys("<ctrl-b>").await;
    assert!(stage.0.picture().contains(&sandbox.description.bucket), "{}", stage.0.picture());
    stage.keys("new-bucket").await;
    assert!(stage.0.picture().contains("Not in the list"), "{}", stage.0.picture());
    stage.keys("<ctrl-u>").await;
    assert!(stage.0.picture().contains("type to narrow"), "it clears: {}", stage.0.picture());
    stage.keys("new-bucket<ctrl-n>").await;
    let picture = stage.0.picture();
    assert!(picture.contains("new-bucket") && picture.contains("New artifact store"), "{picture}");
    stage.keys("<ctrl-b>").await;
    assert!(stage.0.picture().contains("Buckets"));
    stage.any_size();
    sandbox.faults.change(|faults| faults.list_buckets_denied = true);
    stage.keys("<f5>").await;
    assert!(stage.0.picture().contains("may not list buckets"), "{}", stage.0.picture());
    sandbox.faults.change(|faults| faults.list_buckets_denied = false);
    stage.keys("<enter><ctrl-t>").await;
    let picture = stage.0.picture();
    assert!(!picture.contains("New artifact store"), "the draft is tested: {picture}");
    assert!(!home.catalog().contains("new-bucket"), "and not saved");
    stage.keys("<esc><ctrl-s>").await;
    let catalog = home.catalog();
    assert!(catalog.contains("s3://new-bucket"), "{catalog}");
}

#[tokio::test]
async fn the_bucket_of_a_store_is_made_on_a_key() {
    let sandbox = Running::start(Seed::Empty);
    let Description { endpoint, access_key_id, secret_access_key, .. } = &sandbox.description;
    let home = Home::with_key(access_key_id, secret_access_key);
    home.write_catalog(&format!(
        "schema = 1\n[artifact_store.fresh]\npath = \"s3://fresh-bucket\"\n\
         secret = \"alibaba_secret\"\nendpoint = \"{endpoint}\"\n"
    ));
    home.world.keystore.lock();
    let mut stage = home.stage();
    stage.keys("m").await;
    assert!(stage.picture().contains("Make the bucket fresh-bucket?"), "{}", stage.picture());
    // the keystore is locked: the window asks, and the bucket is made after it
    stage.keys(&format!("y{PASSPHRASE}<enter>")).await;
    assert!(stage.picture().contains("the bucket fresh-bucket is made"), "{}", stage.picture());
    sandbox.faults.change(|faults| faults.key_disabled = true);
    stage.keys("my").await;
    assert!(stage.picture().contains("HTTP 403"), "{}", stage.picture());
}

#[tokio::test]
async fn files_that_others_may_open_are_made_private() {
    let home = Home::with_key(ID, CANARY);
    home.world.keystore.lock();
    let file = home.folder.path().join("data/secrets.age");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&file, mode(0o644)).unwrap();
    let mut stage = home.stage();
    stage.keys("2").await;
    assert!(stage.picture().contains("(mode 644)"), "{}", stage.picture());
    stage.keys(&format!("<ctrl-p>{PASSPHRASE}<enter>")).await;
    assert!(stage.picture().contains("alibaba_secret"), "{}", stage.picture());
}

#[test]
fn no_chord_means_two_things() {
    use osstack::screens::bucket_picker::BucketPicker;
    use osstack::screens::connection_form::ConnectionForm;
    use osstack::screens::region_picker::RegionPicker;
    use osstack::screens::secret_form::SecretForm;
    use osstack::screens::secret_picker::SecretPicker;
    use osstack::screens::store_form::StoreForm;
    use osstack::screens::unlock::Unlock;
    use osstack::tui::keymap::clashes;

    let found = [
        clashes(&Stores::default()),
        clashes(&Secrets::default()),
        clashes(&StoreForm::new()),
        clashes(&SecretForm::new()),
        clashes(&ConnectionForm::new()),
        clashes(&SecretPicker::new("")),
        clashes(&BucketPicker::new(StoreDraft::default())),
        clashes(&RegionPicker::new("")),
        clashes(&Unlock::new()),
    ];
    assert_eq!(found.concat(), [""; 0]);
}
