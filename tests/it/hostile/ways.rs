//! The way to the server: names, addresses, proxies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use osstack::model::endpoint::{Endpoint, EndpointError};
use osstack::oss::listing::ListRequest;
use osstack::oss::{Client, Error, Kind, Link};
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::server::{
    HASTY, KEY_ID, PAGE, Server, Way, bucket, client, list_error, network, ok, trusting,
};
use crate::closed_port::ClosedPort;

pub(super) const NAME: &str = "oss.example.test";

fn here() -> IpAddr {
    "127.0.0.1".parse().unwrap()
}

async fn list(client: &Client) -> Result<(), Error> {
    client.list_page(&bucket(), &ListRequest::default()).await.map(drop)
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_named() {
    let endpoint = Endpoint::parse("https://oss.nothing.invalid").unwrap();
    let error = list_error(&client(&network(), endpoint)).await;
    assert_eq!(error.kind, Kind::Network(Link::Dns), "{error}");
    assert!(error.to_string().contains("your-bucket-name.oss.nothing.invalid"), "{error}");
    // a name without addresses
    let endpoint = Endpoint::parse(&format!("https://{NAME}")).unwrap();
    let error = list_error(&client(&network().with_host(NAME, &[]), endpoint)).await;
    assert!(error.to_string().contains("no address"), "{error}");
}

#[tokio::test]
async fn metadata_addresses_are_never_dialled() {
    let server = Server::always(Way::Https, ok(PAGE)).await;
    for address in ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "::ffff:169.254.1.1"] {
        // also where only one of two addresses is one
        let addresses = [here(), address.parse().unwrap()];
        let network = network().with_host(NAME, &addresses);
        let error = list_error(&client(&network, server.endpoint(NAME))).await;
        assert_eq!(error.kind, Kind::Network(Link::Dns), "{address}: {error}");
        assert!(error.to_string().contains("metadata"), "{address}: {error}");
        let literal = if address.contains(':') { format!("[{address}]") } else { address.into() };
        let refused = Endpoint::parse(&format!("https://{literal}"));
        assert!(matches!(refused, Err(EndpointError::Metadata(_))), "{refused:?}");
    }
    assert_eq!(server.connections(), 0);
    // numbers that the system takes for addresses
    for name in ["0xa9fea9fe", "0x64646464.0xc8"] {
        if let Ok(endpoint) = Endpoint::parse(&format!("https://{name}")) {
            let error = client(&network(), endpoint).list_buckets().await.unwrap_err();
            let kinds = [Kind::Network(Link::Dns), Kind::Network(Link::Tls)];
            assert!(kinds.contains(&error.kind), "{name}: {error}");
        }
    }
}

/// An address that takes no connection and does not say so: its queue is full.
struct Dead {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Dead {
    async fn at(ip: IpAddr, port: u16) -> Option<Self> {
        let socket = if ip.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.ok()?;
        socket.bind(SocketAddr::new(ip, port)).ok()?;
        let listener = socket.listen(0).ok()?;
        let address = listener.local_addr().ok()?;
        let mut waiting = Vec::new();
        let patience = Duration::from_millis(200);
        while let Ok(stream) = tokio::time::timeout(patience, TcpStream::connect(address)).await {
            waiting.push(stream.ok()?);
            if waiting.len() > 64 {
                return None;
            }
        }
        Some(Self { address, _listener: listener, _waiting: waiting })
    }
}

#[tokio::test]
async fn a_dead_ipv6_beside_a_live_ipv4_costs_a_blink() {
    let server = Server::always(Way::Https, ok(PAGE)).await;
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let dead = Dead::at(v6, server.port).await.expect("this machine has ::1");
    assert_eq!(dead.address.port(), server.port);
    let network = network().with_host(NAME, &[v6, here()]);
    let began = Instant::now();
    list(&client(&network, server.endpoint(NAME))).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    // where all are dead it ends as well
    let alone = super::server::network().with_host(NAME, &[v6]).with_limits(HASTY);
    let error = list_error(&client(&alone, server.endpoint(NAME))).await;
    assert_eq!(error.kind, Kind::Network(Link::Timeout), "{error}");
}

#[tokio::test]
async fn one_of_several_addresses_is_enough() {
    let server = Server::always(Way::Https, ok(PAGE)).await;
    // nothing listens at the others
    let others: [IpAddr; 3] = ["::1", "127.0.0.77", "127.0.0.78"].map(|ip| ip.parse().unwrap());
    let network = network().with_host(NAME, &[others[0], others[1], others[2], here()]);
    list(&client(&network, server.endpoint(NAME))).await.unwrap();
    let network = super::server::network().with_host(NAME, &others);
    let error = list_error(&client(&network, server.endpoint(NAME))).await;
    assert_eq!(error.kind, Kind::Network(Link::Refused), "{error}");
}

/// A proxy that answers CONNECT as it is told.
pub(super) struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// `says` answers a head; after a 200 it leads to `target`.
    pub(super) async fn new(target: u16, says: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tunnels.spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else { return };
                        head.push(byte);
                    }
                    seen.lock().unwrap().push(String::from_utf8(head).unwrap());
                    match says {
                        "silence" => std::future::pending().await,
                        "endless" => while stream.write_all(&[b'a'; 4096]).await.is_ok() {},
                        _ => {
                            let _gone = stream.write_all(says.as_bytes()).await;
                        }
                    }
                    if says.contains(" 200 ") {
                        let mut inside = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
                        let _ended = copy_bidirectional(&mut stream, &mut inside).await;
                    }
                });
            }
        });
        Self { port, heads, _tasks: tasks }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The network of one who is told to go through it.
    pub(super) fn network(&self, more: &[(&str, &str)]) -> Network {
        let url = format!("http://127.0.0.1:{}", self.port);
        let variables = [("HTTPS_PROXY", url.as_str())].into_iter().chain(more.iter().copied());
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        trusting(&Env::new(variables))
    }
}

const GOOD: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[tokio::test]
async fn a_proxy_leads_there_and_learns_nothing_but_the_host() {
    let server = Server::always(Way::Https, ok(PAGE)).await;
    let proxy = Proxy::new(server.port, GOOD).await;
    let url = format!("http://me:canary@127.0.0.1:{}", proxy.port);
    // the name means nothing here: the proxy alone has to know it
    let network = proxy.network(&[("HTTPS_PROXY", &url)]);
    list(&client(&network, server.endpoint(NAME))).await.unwrap();
    let head = proxy.heads().remove(0);
    let line = format!("CONNECT your-bucket-name.{NAME}:{} HTTP/1.1\r\n", server.port);
    assert!(head.starts_with(&line), "{head}");
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
    assert!(!head.contains("AWS ") && !head.contains(KEY_ID), "{head}");
    let request = server.requests().remove(0);
    assert!(!request.to_lowercase().contains("proxy-authorization"), "{request}");
}

#[tokio::test]
async fn no_proxy_is_honoured_and_this_machine_needs_none() {
    let proxy = Proxy::new(1, GOOD).await;
    let server = Server::always(Way::Https, ok(PAGE)).await;
    for exception in [NAME, "example.test", ".example.test", "*"] {
        let network = proxy.network(&[("NO_PROXY", exception)]).with_host(NAME, &[here()]);
        list(&client(&network, server.endpoint(NAME))).await.expect(exception);
    }
    list(&client(&proxy.network(&[]), server.endpoint("oss.localhost"))).await.unwrap();
    assert_eq!(proxy.heads().len(), 0);
}

#[tokio::test]
async fn a_proxy_that_does_not_serve_is_named() {
    let server = Server::always(Way::Https, ok(PAGE)).await;
    for (says, words) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "asks for a user and password"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "says no"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", "says no"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "says no"),
        ("", "closed the connection"),
        ("HTTP/1.1 2", "closed the connection"),
        ("endless", ""),
    ] {
        let proxy = Proxy::new(server.port, says).await;
        let error = list_error(&client(&proxy.network(&[]), server.endpoint(NAME))).await;
        assert_eq!(error.kind, Kind::Network(Link::Proxy), "{says:?}: {error}");
        let said = error.to_string();
        let address = format!("the proxy 127.0.0.1:{} does not open", proxy.port);
        assert!(said.contains(&address) && said.contains(words), "{says:?}: {said}");
        assert!(error.explain().next.contains("HTTPS_PROXY"));
        assert_eq!(proxy.heads().len(), 1, "{says:?}: asking again changes nothing");
    }
    let proxy = Proxy::new(server.port, "silence").await;
    let network = proxy.network(&[]).with_limits(HASTY);
    let error = list_error(&client(&network, server.endpoint(NAME))).await;
    assert_eq!(error.kind, Kind::Network(Link::Timeout), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_not_taken_for_the_server() {
    let endpoint = Endpoint::parse(&format!("https://{NAME}")).unwrap();
    let closed = ClosedPort::new();
    let closed_proxy = format!("http://{}", closed.address());
    for (proxy, words) in [
        (closed_proxy.as_str(), "refused"),
        ("http://proxy.nothing.invalid:3128", "proxy.nothing.invalid"),
        ("https://127.0.0.1:1", "http:// only"),
        ("socks5://127.0.0.1:1", "http:// only"),
    ] {
        let env = Env::new([("HTTPS_PROXY".to_owned(), proxy.to_owned())]);
        let error = list_error(&client(&trusting(&env), endpoint.clone())).await;
        assert_eq!(error.kind, Kind::Network(Link::Proxy), "{proxy}: {error}");
        assert!(error.to_string().contains(words), "{proxy}: {error}");
    }
}

#[tokio::test]
async fn what_a_proxy_sends_in_the_servers_place_is_not_trusted() {
    // it ends the tunnel itself, with a certificate of its own
    let false_server =
        Server::certified(&super::server::certificate(&["oss.evil.test"]), true).await;
    let proxy = Proxy::new(false_server.port, GOOD).await;
    let endpoint = Endpoint::parse(&format!("https://{NAME}")).unwrap();
    let error = list_error(&client(&proxy.network(&[]), endpoint)).await;
    assert_eq!(error.kind, Kind::Network(Link::Tls), "{error}");
    assert!(false_server.requests().is_empty());
}
