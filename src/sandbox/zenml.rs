//! A stand-in for `ZenML`'s REST API: as much of it as signing in, planning, committing and looking at
//! runs and artifacts ask for,
//! as a real 0.98 server answers (seen; the captures are under `tests/data/zenml`).
//!
//! It says so itself: its name is `sandbox`, and `GET /info` carries `metadata.stand_in`, which
//! every screen shows. What `tests/it/commit.rs` asks of it is asked of a real server too.

mod flavors;
pub mod named;
mod registry;
pub mod runs;
mod server;
mod things;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use self::registry::Registry;
use self::runs::Runs;
use super::Description;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;

/// The key that signs in: a dummy, the same in every stand-in.
pub const API_KEY: &str = "ZENKEY_sandboxSANDBOX0123456789";
/// The user that signs in with a password, and the password: dummies.
pub const USER: (&str, &str) = ("default", "sandbox-Passw0rd");

/// What goes wrong. Writes are counted from 0, over the stand-in's whole life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZenmlFaults {
    /// This write is done, and its answer never sent.
    pub answer_lost: Option<usize>,
    /// Repeats of a write that was done get no answer either.
    pub repeats_lost: bool,
    /// This write and all later ones are refused with this status, and nothing is done.
    pub refused_from: Option<(usize, u16)>,
    /// This write is refused with this status, once, and nothing is done.
    pub refused_once: Option<(usize, u16)>,
    /// From this write on the connection is closed before anything is done.
    pub gone_from: Option<usize>,
    /// At this write all tokens end, once.
    pub revoked_at: Option<usize>,
    /// Before this write somebody else makes what it would make.
    pub forestalled_at: Option<usize>,
    /// A proxy answers everything with a page of its own, with status 200.
    pub html_page: bool,
    /// The server is a workspace of `ZenML` Pro (`auth_scheme` `EXTERNAL`).
    pub is_pro: bool,
    /// The user may not read values of secrets.
    pub hides_values: bool,
    /// Types of components that it has beside those of 0.98.
    pub more_types: Vec<String>,
    /// Settings that every flavor has beside those of 0.98.
    pub more_settings: Vec<String>,
    /// Flavors of 0.98 that it does not have.
    pub no_flavors: Vec<String>,
    /// The version that it says it has, in place of 0.98.0.
    pub version: Option<String>,
}

/// A stand-in that listens; [`Zenml::serve`] answers.
pub struct Zenml {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    registry: Mutex<Registry>,
    faults: ZenmlFaultSwitch,
}

/// A handle on the faults of a running stand-in; clones switch the same ones.
#[derive(Clone, Debug, Default)]
pub struct ZenmlFaultSwitch(Arc<Mutex<ZenmlFaults>>);

impl ZenmlFaultSwitch {
    /// Changes faults, from the next request on.
    pub fn change(&self, change: impl FnOnce(&mut ZenmlFaults)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn now(&self) -> ZenmlFaults {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Zenml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zenml").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Zenml {
    /// Takes a free port of 127.0.0.1. Clients may connect from here on; they wait for
    /// [`Zenml::serve`].
    pub fn bind(clock: SharedClock, entropy: SharedEntropy, runs: Runs) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let registry = Mutex::new(Registry::new(clock, entropy, runs));
        let shared = Arc::new(Shared { registry, faults: ZenmlFaultSwitch::default() });
        Ok(Self { listener, address, shared })
    }

    /// Switches faults on before anything is asked.
    #[must_use]
    pub fn with_faults(self, faults: ZenmlFaults) -> Self {
        self.shared.faults.change(|all| *all = faults);
        self
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds what somebody made by hand over the bucket of `description`: a secret, a store that OSS
    /// refuses as it is, and a stack.
    pub fn add_by_hand(&self, description: &Description) {
        let mut registry = self.shared.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.add_by_hand(description);
    }

    /// Switches faults on and off while it runs.
    pub fn faults(&self) -> ZenmlFaultSwitch {
        self.shared.faults.clone()
    }

    /// A handle that tells how many writes were met so far.
    pub fn writes(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.registry.lock().unwrap_or_else(PoisonError::into_inner).writes
    }

    /// A handle that tells how many sign-ins were met so far.
    pub fn sign_ins(&self) -> impl Fn() -> usize + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.registry.lock().unwrap_or_else(PoisonError::into_inner).sign_ins
    }

    /// Answers until `cancel`; open connections end with it. Must run on a tokio runtime; where,
    /// the caller decides.
    pub async fn serve(self, cancel: CancellationToken) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        server::serve(listener, self.shared, cancel).await;
        Ok(())
    }
}
