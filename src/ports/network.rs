//! The network: one TLS configuration, resolver and proxy for all clients.
//!
//! Clients dial through [`Network::connector`]; the diagnosis takes the same
//! steps one by one: [`Network::resolve`], [`Network::connect`],
//! [`Network::tls_handshake`].

mod certificate;
mod connector;
pub mod fault;
mod resolve;
mod tls;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use tokio::net::TcpStream;

pub use certificate::Certificate;
pub use connector::{Connector, DialError, ProxyError};
pub use resolve::{ResolveError, ResolveProblem};
pub use tls::{CertificateProblem, TlsFacts, TlsProblem, certificate_problem};

use self::resolve::Hosts;
use super::env::Env;

/// How long each step may take. There is no limit on a whole transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One TCP connection, or one TLS handshake.
    pub connect: Duration,
    /// From the last byte sent to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle_read: Duration,
    /// A call that moves no object's bytes, a page of a listing say, with all its repeats.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(15),
            idle_read: Duration::from_secs(30),
            call: Duration::from_mins(1),
        }
    }
}

/// What can be wrong with the network's settings.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The CA file is not there or not readable.
    #[error("cannot read the CA file {path}: {source}. Set OSSTACK_CA_FILE to a PEM file")]
    CaFile {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The CA file holds no certificate.
    #[error("{0} holds no PEM certificate (-----BEGIN CERTIFICATE-----): give a CA file in PEM")]
    NoCertificate(String),
    /// rustls refused its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Why a TCP connection failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("{0} refuses the connection: nothing listens on that port")]
    Refused(SocketAddr),
    /// No route.
    #[error("{0} cannot be reached from this network")]
    Unreachable(SocketAddr),
    /// No answer in time.
    #[error("{0} does not answer within {1:?}")]
    Timeout(SocketAddr, Duration),
    /// Anything else.
    #[error("the connection to {0} failed: {1}")]
    Other(SocketAddr, std::io::Error),
}

/// A handle on the network; clones share everything.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
    limits: Limits,
    hosts: Hosts,
}

struct Shared {
    tls: Arc<rustls::ClientConfig>,
    roots: Arc<rustls::RootCertStore>,
    extra_roots: Vec<rustls_pki_types::CertificateDer<'static>>,
    proxies: Arc<Matcher>,
}

impl Network {
    /// The network as the environment describes it: the system's root certificates, those of
    /// `OSSTACK_CA_FILE`, and the proxy of `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    pub fn new(env: &Env) -> Result<Self, NetworkError> {
        let extra_roots = match env.path("OSSTACK_CA_FILE") {
            Some(path) => read_ca_file(&path)?,
            None => Vec::new(),
        };
        let first =
            |names: [&str; 2]| names.iter().find_map(|name| env.get(name)).unwrap_or("").to_owned();
        let proxies = Matcher::builder()
            .all(first(["ALL_PROXY", "all_proxy"]))
            .https(first(["HTTPS_PROXY", "https_proxy"]))
            .no(first(["NO_PROXY", "no_proxy"]))
            .build();
        Self::assemble(extra_roots, Arc::new(proxies), Limits::default())
    }

    fn assemble(
        extra_roots: Vec<rustls_pki_types::CertificateDer<'static>>,
        proxies: Arc<Matcher>,
        limits: Limits,
    ) -> Result<Self, NetworkError> {
        let roots = tls::roots(&extra_roots);
        let tls = Arc::new(tls::config(Arc::clone(&roots))?);
        let shared = Arc::new(Shared { tls, roots, extra_roots, proxies });
        Ok(Self { shared, limits, hosts: Hosts::default() })
    }

    /// The same network, trusting the certificates in `pem` too: the sandbox's own CA.
    pub fn trusting(&self, pem: &[u8]) -> Result<Self, NetworkError> {
        let mut roots = self.shared.extra_roots.clone();
        roots.extend(tls::certificates(pem, "the given CA")?);
        let proxies = Arc::clone(&self.shared.proxies);
        Ok(Self { hosts: self.hosts.clone(), ..Self::assemble(roots, proxies, self.limits)? })
    }

    /// The same network with other time limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// The same network, in which `name` and every name below it has these addresses, as a line
    /// of a hosts file says it. What is refused of a name server is refused here too.
    #[must_use]
    pub fn with_host(&self, name: &str, addresses: &[IpAddr]) -> Self {
        Self { hosts: self.hosts.with(name, addresses), ..self.clone() }
    }

    /// The time limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The one TLS configuration, for clients that bring their own transport.
    pub fn tls_config(&self) -> Arc<rustls::ClientConfig> {
        Arc::clone(&self.shared.tls)
    }

    /// What dials for hyper: names, proxy, TCP and TLS.
    pub fn connector(&self) -> Connector {
        connector::new(self)
    }

    /// The proxy that https to `host` goes through, without its user and password.
    /// This machine itself is never reached through one.
    pub fn proxy_for(&self, host: &str) -> Option<String> {
        let uri = format!("https://{host}/").parse().ok()?;
        let proxy = connector::proxy_of(&self.shared.proxies, &uri)?;
        let uri = proxy.uri();
        Some(format!("{}://{}", uri.scheme_str()?, connector::host_and_port(uri)?))
    }

    /// A connection to `host` by the way that clients take, TLS on top and a proxy in between
    /// where there is one, closed at once.
    pub async fn dial(&self, host: &str, port: u16) -> Result<(), DialError> {
        // to the proxy, from there, and TLS: three steps of the one limit
        let limit = self.limits.connect * 3;
        match tokio::time::timeout(limit, connector::dial(self, host, port)).await {
            Ok(dialled) => dialled.map_err(DialError::Failed),
            Err(_) => Err(DialError::Timeout(limit)),
        }
    }

    /// The addresses of `host`, each with `port`.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
        self.hosts.lookup(host, port).await
    }

    /// A TCP connection to `address`, past any proxy.
    pub async fn connect(&self, address: SocketAddr) -> Result<TcpStream, ConnectError> {
        use std::io::ErrorKind;
        let limit = self.limits.connect;
        match tokio::time::timeout(limit, TcpStream::connect(address)).await {
            Err(_) => Err(ConnectError::Timeout(address, limit)),
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(match error.kind() {
                ErrorKind::ConnectionRefused => ConnectError::Refused(address),
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                    ConnectError::Unreachable(address)
                }
                ErrorKind::TimedOut => ConnectError::Timeout(address, limit),
                _ => ConnectError::Other(address, error),
            }),
        }
    }

    /// A TLS handshake with `host` over `stream`: what was agreed and who answered.
    pub async fn tls_handshake(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsFacts, TlsProblem> {
        tls::handshake(Arc::clone(&self.shared.roots), host, stream, self.limits.connect).await
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn read_ca_file(
    path: &Path,
) -> Result<Vec<rustls_pki_types::CertificateDer<'static>>, NetworkError> {
    let pem = std::fs::read(path)
        .map_err(|source| NetworkError::CaFile { path: path.to_owned(), source })?;
    tls::certificates(&pem, &path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(variables: &[(&str, &str)]) -> Network {
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Network::new(&Env::new(variables)).unwrap()
    }

    #[test]
    fn the_proxy_is_shown_without_its_password_and_never_for_this_machine() {
        let network = network(&[
            ("HTTPS_PROXY", "http://user:canary@proxy.example:3128"),
            ("NO_PROXY", "internal.example"),
        ]);
        assert_eq!(
            network.proxy_for("oss-eu-central-1.aliyuncs.com").as_deref(),
            Some("http://proxy.example:3128")
        );
        assert_eq!(network.proxy_for("a.internal.example"), None);
        assert_eq!(network.proxy_for("bucket.oss.localhost"), None);
        assert_eq!(network.proxy_for("127.0.0.1"), None);
        assert!(!format!("{network:?}").contains("canary"));
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let env = Env::new([("OSSTACK_CA_FILE".to_owned(), "/nonexistent/ca.pem".to_owned())]);
        let error = Network::new(&env).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/ca.pem"), "{error}");
        assert!(matches!(network(&[]).trusting(b"no pem"), Err(NetworkError::NoCertificate(_))));
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        // bound and not listened on: nobody else gets the port meanwhile
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        let error = network(&[]).connect(address).await.unwrap_err();
        assert!(matches!(error, ConnectError::Refused(_)), "{error}");
    }
}
