//! `osstack demo`: the screens over a sandbox in this process, in a home that goes away.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::keystore::keyring::NoKeyring;
use crate::ops::demo::{connect, furnish};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::world::World;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::env::Env;
use crate::ports::paths::Paths;
use crate::sandbox::faults::Faults;
use crate::sandbox::zenml::runs::Runs;
use crate::sandbox::zenml::{Zenml, ZenmlFaults};
use crate::sandbox::{self, BUCKET, Sandbox, SandboxConfig, Seed};

use super::open::{self, Face, Left};

/// Every answer of the sandbox waits so long, so that it feels like a network.
const LATENCY: Duration = Duration::from_millis(20);

/// A furnished sandbox that answers until it is dropped, and the world over it.
#[derive(Debug)]
pub struct Demo {
    /// The services, over the temporary home.
    pub world: Arc<World>,
    cancel: CancellationToken,
    _home: TemporaryHome,
}

impl Demo {
    /// Starts the sandbox, its ZenML with `faults`, and furnishes a home below `folder`. Blocks on the disk.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox answers beside all screens, and ends with the demo"
    )]
    pub fn start(
        folder: &Path,
        faults: ZenmlFaults,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, Failure> {
        let home = TemporaryHome::new(folder, entropy.next_u64())?;
        let sandbox = Sandbox::bind(SandboxConfig {
            tls: Some(home.0.join("sandbox")),
            faults: Faults { latency: LATENCY, ..Faults::default() },
            ..SandboxConfig::new(Seed::Demo, Arc::clone(&clock), Arc::clone(&entropy))
        })?;
        let env = furnish(&home.0, &sandbox.description(), &clock, &entropy)?;
        let runs = Runs::over(&sandbox.objects(BUCKET), Runs::last_day(clock.now()));
        let zenml = Zenml::bind(Arc::clone(&clock), Arc::clone(&entropy), runs)
            .map_err(|source| sandbox::Error::Listen { port: 0, source })?
            .with_faults(faults);
        zenml.add_by_hand(&sandbox.description());
        connect(&home.0, &env, &zenml.url(), &clock, &entropy)?;
        let paths = Paths::below(&home.0);
        let world = World::new(env, paths, clock, entropy, Arc::new(NoKeyring))?;
        let cancel = CancellationToken::new();
        tokio::spawn(sandbox.serve(cancel.clone()));
        tokio::spawn(zenml.serve(cancel.clone()));
        Ok(Self { world: Arc::new(world), cancel, _home: home })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Runs the screens over a demo; `env` describes the terminal and where temporary files go.
pub async fn run(
    env: &Env,
    faults: ZenmlFaults,
    clock: SharedClock,
    entropy: SharedEntropy,
) -> Result<Left, Failure> {
    let folder = env.path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    let demo = Demo::start(&folder, faults, clock, entropy)?;
    let face = Face { label: Some("sandbox"), ..Face::of(env) };
    open::run(Arc::clone(&demo.world), face).await.map_err(|error| no_terminal(&error))
}

/// The terminal cannot be taken or drawn on.
pub fn no_terminal(error: &std::io::Error) -> Failure {
    let summary = format!("the terminal cannot be used: {error}");
    Failure::new(FailureKind::File, summary)
        .hint("osstack --help names the commands that do the same without a screen")
}

/// A folder of our own that goes away with all that is in it.
#[derive(Debug)]
struct TemporaryHome(PathBuf);

impl TemporaryHome {
    fn new(folder: &Path, random: u64) -> Result<Self, Failure> {
        let home = folder.join(format!("osstack-demo-{random:016x}"));
        // a folder that is there already is somebody else's: then this fails
        fs::DirBuilder::new().mode(0o700).create(&home).map_err(|error| {
            let summary = format!("cannot make the folder {}: {error}", home.display());
            Failure::new(FailureKind::File, summary).hint("set TMPDIR to a folder you may write to")
        })?;
        Ok(Self(home))
    }
}

impl Drop for TemporaryHome {
    fn drop(&mut self) {
        // it holds a dummy key of a sandbox that is gone: if it stays, nothing is lost
        let _stays = fs::remove_dir_all(&self.0);
    }
}
