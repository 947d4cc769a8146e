//! An OSS for this machine alone: `osstack sandbox`, the demo and the tests.
//!
//! Buckets live in memory and are reached as `BUCKET.oss-sandbox.localhost:PORT`.
//! `s3s` reads requests, judges signatures and writes most answers; in front of
//! it stand the rules by which OSS differs from S3 (`rules`), behind it a
//! store that keeps any key exactly (`store`). What OSS does is taken from its
//! documentation and from answers quoted by its users; none of it was compared
//! with OSS itself. Where neither tells, the sandbox does as S3 does and its
//! documentation says "a guess".
//!
//! ```text
//! connection ─ faults ─ rules ─ s3s ┬ operations ┬ store
//!                  └────── refusal  └ lists ─────┘
//! ```

pub mod faults;
pub mod hosts;
pub mod keys;
mod lists;
mod operations;
mod refusal;
pub mod rules;
pub mod seed;
mod server;
pub mod store;
mod tls;
pub mod zenml;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::faults::{FaultSwitch, Faults};
use self::hosts::{CNAME, Domain, Hosts, Region};
use self::keys::Keys;
use self::server::Server;
use self::store::Store;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;

pub use self::refusal::Refusal;
pub use self::tls::TlsError;

/// The region whose hosts are `oss-sandbox.localhost` and below.
pub const REGION: &str = "sandbox";
/// A second region, so that a wrong one can be rehearsed.
pub const OTHER_REGION: &str = "sandbox-b";
/// The bucket that every sandbox begins with, in [`REGION`].
pub const BUCKET: &str = "zenml-demo";

/// How to start.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// https, with the CA's certificate written into this folder.
    pub tls: Option<PathBuf>,
    /// What goes wrong from the start.
    pub faults: Faults,
    /// Custom domains beside `BUCKET.cname.localhost`, which every bucket has.
    pub domains: Vec<Domain>,
    /// The server's time.
    pub clock: SharedClock,
    /// Ids of requests and uploads.
    pub entropy: SharedEntropy,
    /// What the buckets hold.
    pub seed: Seed,
}

impl SandboxConfig {
    /// On any free port, over http, without faults.
    pub fn new(seed: Seed, clock: SharedClock, entropy: SharedEntropy) -> Self {
        let (faults, domains) = (Faults::default(), Vec::new());
        Self { port: 0, tls: None, faults, domains, clock, entropy, seed }
    }
}

/// What a sandbox begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seed {
    /// The bucket [`BUCKET`], empty.
    #[default]
    Empty,
    /// Three buckets with artifacts as `ZenML` writes them, odd keys and a long folder.
    Demo,
}

/// What a client needs to know; `osstack sandbox` prints it as its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// The URL of the first region.
    pub endpoint: String,
    /// The first region's id.
    pub region: String,
    /// A bucket in it.
    pub bucket: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key's secret: a dummy, the same in every sandbox.
    pub secret_access_key: String,
    /// A key that goes with a token.
    pub temporary_key: TemporaryKey,
    /// The CA's certificate, where https is served.
    pub ca: Option<PathBuf>,
    /// All regions.
    pub regions: Vec<RegionDescription>,
    /// Names under which buckets are served as under a custom domain: also with the fault
    /// `public-endpoint-forbidden`.
    pub custom_domains: Vec<CustomDomain>,
}

/// A key with its token: dummies, the same in every sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemporaryKey {
    /// The key's id.
    pub access_key_id: String,
    /// The key's secret.
    pub secret_access_key: String,
    /// The token.
    pub session_token: String,
}

/// A bucket's custom domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomDomain {
    /// The bucket.
    pub bucket: String,
    /// The URL that stands for it.
    pub url: String,
    /// The endpoint for clients that put the bucket in front of it, as botocore does: there is one
    /// where the name begins with the bucket's.
    pub endpoint: Option<String>,
}

/// A region's id and URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegionDescription {
    /// The id.
    pub id: String,
    /// The URL.
    pub endpoint: String,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port cannot be had.
    #[error(
        "the sandbox cannot listen on port {port} of 127.0.0.1: {source}; give another one, or 0 for any free one"
    )]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// There is no https.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A sandbox that listens; [`Sandbox::serve`] answers.
pub struct Sandbox {
    listener: TcpListener,
    server: Arc<Server>,
    address: SocketAddr,
    ca: Option<PathBuf>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Takes the port and fills the store. Clients may connect from here on; they wait for
    /// [`Sandbox::serve`].
    pub fn bind(config: SandboxConfig) -> Result<Self, Error> {
        let failed = |source| Error::Listen { port: config.port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let region = |id: &str| Region {
            id: id.to_owned(),
            host: format!("oss-{id}.localhost"),
            port: Some(address.port()),
        };
        let regions = vec![region(REGION), region(OTHER_REGION)];
        let hosts = Arc::new(Hosts::new(regions).with_domains(config.domains));
        let faults = FaultSwitch::new(config.faults);
        let now = config.clock.now();
        let (acceptor, ca) = match &config.tls {
            None => (None, None),
            Some(folder) => {
                let random = config.entropy.next_u64();
                let (acceptor, file) =
                    tls::acceptor(&hosts, &faults, folder, now, (address, random))?;
                (Some(acceptor), Some(file))
            }
        };
        let mut store = Store::new(Arc::clone(&config.entropy));
        seed::fill(&mut store, config.seed, now);
        let server = Arc::new(Server::new(
            (hosts, Arc::new(Keys::default())),
            Arc::new(Mutex::new(store)),
            faults,
            (config.clock, config.entropy),
            acceptor,
        ));
        Ok(Self { listener, server, address, ca })
    }

    /// What a client needs to know.
    pub fn description(&self) -> Description {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        let regions: Vec<RegionDescription> = self
            .server
            .hosts
            .regions()
            .iter()
            .map(|region| RegionDescription {
                id: region.id.clone(),
                endpoint: format!("{scheme}://{}", region.endpoint()),
            })
            .collect();
        let port = self.address.port();
        let store = self.server.store.lock().unwrap_or_else(PoisonError::into_inner);
        let cname = store.buckets().map(|(bucket, _)| (format!("{bucket}.{CNAME}"), bucket));
        let bound = self.server.hosts.domains().iter();
        let bound = bound.map(|domain| (domain.name.clone(), domain.bucket.as_str()));
        let domain = |(name, bucket): (String, &str)| {
            let below = name.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.'));
            CustomDomain {
                bucket: bucket.to_owned(),
                url: format!("{scheme}://{name}:{port}"),
                endpoint: below.map(|below| format!("{scheme}://{below}:{port}")),
            }
        };
        let custom_domains = cname.chain(bound).map(domain).collect();
        let (key, temporary) = (self.server.keys.permanent(), self.server.keys.temporary());
        let token = temporary.session_token.as_ref().map(|token| token.expose().to_owned());
        Description {
            endpoint: regions.first().map(|region| region.endpoint.clone()).unwrap_or_default(),
            region: REGION.to_owned(),
            bucket: BUCKET.to_owned(),
            access_key_id: key.access_key_id.clone(),
            // a dummy that opens this sandbox only; its reader must have it
            secret_access_key: key.secret_access_key.expose().to_owned(),
            temporary_key: TemporaryKey {
                access_key_id: temporary.access_key_id.clone(),
                secret_access_key: temporary.secret_access_key.expose().to_owned(),
                session_token: token.unwrap_or_default(),
            },
            ca: self.ca.clone(),
            regions,
            custom_domains,
        }
    }

    /// 127.0.0.1 and the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Both keys, the lasting one and the one with a token.
    pub fn keys(&self) -> &Keys {
        &self.server.keys
    }

    /// Keys and sizes of the objects of a bucket, in order.
    pub fn objects(&self, bucket: &str) -> Vec<(String, u64)> {
        let store = self.server.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.sizes(bucket)
    }

    /// Switches faults on and off while it runs.
    pub fn faults(&self) -> FaultSwitch {
        self.server.faults.clone()
    }

    /// Answers until `cancel`; open connections end with it. Must run on a tokio runtime; where,
    /// the caller decides.
    pub async fn serve(self, cancel: CancellationToken) -> Result<(), Error> {
        let failed = |source| Error::Listen { port: self.address.port(), source };
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(failed)?;
        self.server.serve(listener, cancel).await;
        Ok(())
    }
}
