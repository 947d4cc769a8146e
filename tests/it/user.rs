//! Somebody at the screens of osstack: the real program over real files and a sandbox, with keys
//! for hands and frames for eyes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use osstack::app::open::{Face, options, tabs};
use osstack::app::shell::Stage;
use osstack::base::job::{Context, Job as _};
use osstack::keystore::keyring::NoKeyring;
use osstack::keystore::{Keystore, Settings};
use osstack::ops::demo::furnish;
use osstack::ops::keystore::UnlockKeystore;
use osstack::ops::world::World;
use osstack::ports::clock::{FixedClock, SharedClock};
use osstack::ports::entropy::{SeededEntropy, SharedEntropy};
use osstack::ports::env::Env;
use osstack::ports::paths::Paths;
use osstack::sandbox::Seed;
use tempfile::TempDir;

use crate::sandbox_client::{NOW, Running};

/// The passphrase of the keystore, where the user makes one.
pub(crate) const PASSPHRASE: &str = "canary correct horse";

pub(crate) struct User {
    pub(crate) sandbox: Running,
    pub(crate) world: Arc<World>,
    pub(crate) stage: Stage<World>,
    home: TempDir,
}

/// The same in every run.
fn seeded() -> SharedEntropy {
    Arc::new(SeededEntropy::new(3))
}

impl User {
    /// Has what the demo has.
    pub(crate) fn of_demo() -> Self {
        Self::of_demo_with(seeded())
    }

    /// The same with another chance.
    pub(crate) fn of_demo_with(entropy: SharedEntropy) -> Self {
        Self::start(entropy, |home, sandbox, clock, entropy| {
            furnish(home, &sandbox.description, clock, entropy).unwrap()
        })
    }

    /// Has nothing yet, but the demo's buckets at the other end.
    pub(crate) fn new() -> Self {
        Self::start(seeded(), |_, _, _, _| Env::default())
    }

    /// The same, on a machine with these variables.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let owned = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Self::start(seeded(), |_, _, _, _| Env::new(owned))
    }

    fn start(
        entropy: SharedEntropy,
        furnish: impl FnOnce(&Path, &Running, &SharedClock, &SharedEntropy) -> Env,
    ) -> Self {
        let sandbox = Running::start(Seed::Demo);
        let home = tempfile::tempdir().unwrap();
        let clock: SharedClock = Arc::new(FixedClock(NOW));
        let env = furnish(home.path(), &sandbox, &clock, &entropy);
        let paths = Paths::below(home.path());
        let keyring = Arc::new(NoKeyring);
        let is_empty = env.get("OSSTACK_HOME").is_none();
        let mut world =
            World::new(env, paths.clone(), clock.clone(), entropy.clone(), keyring.clone())
                .unwrap();
        if is_empty {
            // a passphrase that is quickly tried, since a test has to
            let settings = Settings { work_factor: 2, ..Settings::default() };
            world.keystore = Arc::new(Keystore::new(&paths, clock, entropy, keyring, settings));
        }
        let world = Arc::new(world);
        Self { stage: stage(&world), sandbox, world, home }
    }

    /// Leaves, and starts osstack again.
    pub(crate) fn start_anew(&mut self) {
        self.stage = stage(&self.world);
    }

    /// Ends the process and starts another: nothing in memory is left. The keystore opens by
    /// itself, as the demo's does.
    pub(crate) async fn start_over(&mut self) {
        let World { env, paths, clock, entropy, .. } = &*self.world;
        let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
        let world =
            World::new(env.clone(), paths.clone(), clock, entropy, Arc::new(NoKeyring)).unwrap();
        self.world = Arc::new(world);
        let context = Context::alone(Arc::clone(&self.world));
        UnlockKeystore::Unasked.run(context).await.unwrap();
        self.start_anew();
    }

    /// Types `keys` one by one, each after the answers to the one before. No frame on the way
    /// shows a secret, or has a key that means two things; answers the last.
    pub(crate) async fn keys(&mut self, keys: &str) -> String {
        self.stage.settle().await;
        let mut rest = keys;
        while !rest.is_empty() {
            let chord = rest.strip_prefix('<').and_then(|tail| tail.find('>'));
            let end = chord.map_or_else(|| rest.chars().next().unwrap().len_utf8(), |end| end + 2);
            self.stage.keys(&rest[..end]).settle().await;
            self.picture();
            rest = &rest[end..];
        }
        self.picture()
    }

    /// Pastes `text`, and waits until keys are heard again.
    pub(crate) async fn paste(&mut self, text: &str) -> String {
        self.stage.paste(text).settle().await;
        self.stage.pass(Duration::from_secs(1));
        self.picture()
    }

    /// The frame.
    pub(crate) fn picture(&mut self) -> String {
        let picture = self.stage.picture();
        self.expect_no_secret("a frame", &picture);
        assert_eq!(self.stage.clashes(), Vec::<String>::new(), "{picture}");
        picture
    }

    /// The frame after the short messages have gone by, on a window with room.
    pub(crate) fn wide(&mut self) -> String {
        self.stage.pass(Duration::from_secs(30)).resize(160, 48);
        let picture = self.picture();
        self.stage.resize(80, 24);
        picture
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// No file, no message and no line of the log holds a secret.
    fn expect_no_trace(&self) {
        for entry in self.stage.shell().log().entries() {
            self.expect_no_secret("the log", &format!("{entry:?}"));
        }
        let mut folders = vec![self.home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                self.expect_no_secret(path.to_str().unwrap(), &String::from_utf8_lossy(&bytes));
            }
        }
    }

    fn expect_no_secret(&self, place: &str, text: &str) {
        let secret = &self.sandbox.description.secret_access_key;
        assert!(!text.contains(secret.as_str()), "the secret is in {place}: {text}");
        assert!(!text.contains("canary"), "the passphrase is in {place}: {text}");
    }
}

/// Whatever a user did, no secret is left behind: looked for at the end of every test.
impl Drop for User {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.expect_no_trace();
        }
    }
}

fn stage(world: &Arc<World>) -> Stage<World> {
    Stage::with(Arc::clone(world), tabs(), options(Face::default()))
}
