//! What dials for hyper: straight, or through a proxy's tunnel.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::Network;
use super::resolve::Hosts;

/// TCP by `Dial`, TLS over it where the scheme says https.
pub type Connector = hyper_rustls::HttpsConnector<Dial>;

type BoxError = Box<dyn StdError + Send + Sync>;

/// The proxy did not let us through.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} does not open the way to {host}: {problem}")]
pub struct ProxyError {
    /// Host and port of the proxy.
    pub proxy: String,
    /// Where it should have led.
    pub host: String,
    /// What went wrong, in words.
    pub problem: String,
}

/// The TCP leg.
#[derive(Clone, Debug)]
pub struct Dial {
    direct: HttpConnector<Hosts>,
    proxies: Arc<Matcher>,
}

/// Why a whole connection, by whatever way, did not come about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// No end in time.
    #[error("no connection within {0:?}")]
    Timeout(Duration),
    /// A step failed.
    #[error("{0}")]
    Failed(BoxError),
}

/// Connects as clients do, and closes at once.
pub(super) async fn dial(network: &Network, host: &str, port: u16) -> Result<(), BoxError> {
    let uri: Uri = format!("https://{host}:{port}/").parse()?;
    let mut connector = new(network);
    std::future::poll_fn(|context| connector.poll_ready(context)).await?;
    connector.call(uri).await.map(|_closed| ())
}

pub(super) fn new(network: &Network) -> Connector {
    let mut direct = HttpConnector::new_with_resolver(network.hosts.clone());
    // https passes through here as well; the layer above adds TLS
    direct.enforce_http(false);
    direct.set_nodelay(true);
    direct.set_connect_timeout(Some(network.limits.connect));
    let dial = Dial { direct, proxies: Arc::clone(&network.shared.proxies) };
    Connector::from((dial, network.tls_config()))
}

/// The proxy for `uri`; none for this machine itself.
pub(super) fn proxy_of(proxies: &Matcher, uri: &Uri) -> Option<Intercept> {
    let host = uri.host()?;
    let loopback = host == "localhost"
        || host.ends_with(".localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if loopback { None } else { proxies.intercept(uri) }
}

/// `host:port`, whatever else the URI holds.
pub(super) fn host_and_port(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    Some(match uri.port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = proxy_of(&self.proxies, &uri) else {
            let connecting = self.direct.call(uri);
            return Box::pin(async move { Ok(connecting.await?) });
        };
        let shown = host_and_port(proxy.uri()).unwrap_or_default();
        let host = uri.host().unwrap_or_default().to_owned();
        let refuse = move |problem: String| -> BoxError {
            Box::new(ProxyError { proxy: shown, host, problem })
        };
        if proxy.uri().scheme_str() != Some("http") {
            let scheme = proxy.uri().scheme_str().unwrap_or_default().to_owned();
            let reason = format!("a proxy is spoken to by http:// only, not {scheme}://");
            return Box::pin(async move { Err(refuse(reason)) });
        }
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.direct.clone());
        if let Some(password) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        let connecting = tunnel.call(uri);
        Box::pin(async move { connecting.await.map_err(|error| refuse(in_words(&error))) })
    }
}

/// hyper-util keeps the type of a tunnel's errors to itself, so the text has to tell.
fn in_words(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    match text.strip_prefix("tunnel error: ") {
        Some("proxy authorization required") => {
            "it asks for a user and password: write http://USER:PASSWORD@HOST:PORT".to_owned()
        }
        Some("unsuccessful") => "it says no, or is no proxy".to_owned(),
        Some("unexpected end of file") => "it closed the connection".to_owned(),
        Some("proxy response headers too long") => "its answer is too long".to_owned(),
        _ => text,
    }
}
