//! A server that misbehaves as it is told, and clients for it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use osstack::base::secret_string::SecretString;
use osstack::model::bucket::BucketName;
use osstack::model::endpoint::Endpoint;
use osstack::model::secret::Credentials;
use osstack::model::store::Signature;
use osstack::oss::listing::ListRequest;
use osstack::oss::{Access, Client, Error};
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::Entropy;
use osstack::ports::env::Env;
use osstack::ports::network::{Limits, Network};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// No jitter, so that repeats follow at once.
#[derive(Debug)]
pub(super) struct NoJitter;

impl Entropy for NoJitter {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// What the server does with one request.
#[derive(Clone)]
pub(super) enum Reply {
    /// Sends this, then closes.
    Once(Vec<u8>),
    /// Sends this and waits for the next request.
    Keep(Vec<u8>),
    /// Sends the first, then the second for ever.
    Endless(Vec<u8>, Vec<u8>),
    /// Sends the first, then a byte of the second now and then.
    Drip(Vec<u8>, Vec<u8>, Duration),
    /// Sends nothing.
    Silence,
    /// Closes without a word.
    Close,
    /// Sends this, then resets the connection.
    Reset(Vec<u8>),
}

/// What the server does with a connection before it reads anything.
#[derive(Clone)]
pub(super) enum Door {
    /// Reads requests.
    Open,
    /// Takes the connection and says nothing, not even for TLS.
    Silent,
    /// Takes the connection and resets it.
    Reset,
    /// Says this, whoever speaks first by the protocol, and nothing else.
    Says(Vec<u8>),
}

/// How the server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Http,
    Https,
}

impl Way {
    pub(super) const BOTH: [Self; 2] = [Self::Http, Self::Https];
}

pub(super) fn with_head(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status}\r\n{headers}").into_bytes();
    if !headers.to_ascii_lowercase().contains("content-length") {
        out.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

pub(super) fn ok(body: impl AsRef<[u8]>) -> Reply {
    Reply::Once(with_head("200 OK", "", body.as_ref()))
}

pub(super) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::Once(with_head(status, headers, body.as_ref()))
}

/// An XML error as OSS words it.
pub(super) fn refusal(status: &str, headers: &str, inside: &str) -> Reply {
    answer(status, headers, format!("<?xml version=\"1.0\"?><Error>{inside}</Error>"))
}

/// What everybody may look at.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    /// Bytes that the other side took.
    sent: AtomicU64,
}

pub(super) struct Server {
    pub(super) way: Way,
    pub(super) port: u16,
    seen: Arc<Seen>,
    count: watch::Receiver<usize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers the request number `n` (from 0) with `reply(n, head)`.
    pub(super) async fn new(
        way: Way,
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let acceptor = (way == Way::Https).then(|| acceptor(&certificate(&names()), true));
        Self::behind(Door::Open, way, acceptor, reply).await
    }

    pub(super) async fn always(way: Way, reply: Reply) -> Self {
        Self::new(way, move |_, _| reply.clone()).await
    }

    /// Nobody gets as far as to send a request.
    pub(super) async fn shut(way: Way, door: Door) -> Self {
        Self::behind(door, way, None, |_, _| Reply::Close).await
    }

    /// https with a certificate of its own.
    pub(super) async fn certified(params: &CertificateParams, by_authority: bool) -> Self {
        let acceptor = acceptor(params, by_authority);
        Self::behind(Door::Open, Way::Https, Some(acceptor), |_, _| ok(PAGE)).await
    }

    async fn behind(
        door: Door,
        way: Way,
        acceptor: Option<TlsAcceptor>,
        reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, count) = watch::channel(0);
        let seen = Arc::new(Seen::default());
        let desk = Arc::new(Desk { reply, seen: Arc::clone(&seen), tell });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                desk.seen.connections.fetch_add(1, Ordering::Relaxed);
                let (door, acceptor) = (door.clone(), acceptor.clone());
                connections.spawn(receive(stream, door, acceptor, Arc::clone(&desk)));
            }
        });
        Self { way, port, seen, count, _tasks: tasks }
    }

    /// The endpoint with this host.
    pub(super) fn endpoint(&self, host: &str) -> Endpoint {
        let scheme = match self.way {
            Way::Http => "http",
            Way::Https => "https",
        };
        Endpoint::parse(&format!("{scheme}://{host}:{}", self.port)).unwrap()
    }

    /// A client that waits long.
    pub(super) fn client(&self) -> Client {
        client(&network(), self.endpoint(HOST))
    }

    /// A client that waits for a blink.
    pub(super) fn hasty_client(&self) -> Client {
        client(&network().with_limits(HASTY), self.endpoint(HOST))
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Bytes that clients took, or the system took for them.
    pub(super) fn sent(&self) -> u64 {
        self.seen.sent.load(Ordering::Relaxed)
    }

    /// Waits until so many requests came.
    pub(super) async fn asked(&self, times: usize) {
        self.count.clone().wait_for(|count| *count >= times).await.unwrap();
    }
}

/// The client's host, where nothing else is said.
pub(super) const HOST: &str = "oss.localhost";

/// Long enough for a loaded machine.
const PATIENT: Limits = Limits {
    connect: Duration::from_secs(5),
    first_byte: Duration::from_secs(15),
    idle_read: Duration::from_secs(15),
    call: Duration::from_mins(1),
};

/// For servers that never answer.
pub(super) const HASTY: Limits = Limits {
    connect: Duration::from_millis(300),
    first_byte: Duration::from_millis(300),
    idle_read: Duration::from_millis(300),
    call: Duration::from_mins(1),
};

/// A network that trusts the test's own authority.
pub(super) fn network() -> Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| trusting(&Env::default())).clone()
}

/// The same with an environment.
pub(super) fn trusting(env: &Env) -> Network {
    let pem = authority().pem();
    Network::new(env).unwrap().trusting(pem.as_bytes()).unwrap().with_limits(PATIENT)
}

/// As credentials that must not leak.
pub(super) const KEY_ID: &str = "LTAI5tExampleExample0001";

pub(super) fn access(endpoint: Endpoint) -> Access {
    Access {
        endpoint,
        scope_region: "eu-central-1".into(),
        signature: Signature::V2,
        credentials: Arc::new(Credentials {
            access_key_id: KEY_ID.into(),
            secret_access_key: SecretString::new("0123456789abcdefghijABCDEFGHIJ".into()),
            session_token: None,
            expires_at: None,
        }),
    }
}

pub(super) fn client(network: &Network, endpoint: Endpoint) -> Client {
    Client::new(network, Arc::new(SystemClock), Arc::new(NoJitter), access(endpoint))
}

pub(super) fn bucket() -> BucketName {
    BucketName::parse("your-bucket-name").unwrap()
}

pub(super) async fn list_error(client: &Client) -> Error {
    client.list_page(&bucket(), &ListRequest::default()).await.unwrap_err()
}

pub(super) const PAGE: &str = "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name>\
    <KeyCount>1</KeyCount><Contents><Key>k</Key><Size>1</Size>\
    <LastModified>2026-03-15T10:20:30.000Z</LastModified></Contents></ListBucketResult>";

/// Who signs the certificates.
pub(super) fn authority() -> &'static CertifiedIssuer<'static, KeyPair> {
    static AUTHORITY: OnceLock<CertifiedIssuer<'static, KeyPair>> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Example Proxy CA");
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    })
}

/// A certificate for hosts and what lies one label below.
pub(super) fn certificate(hosts: &[&str]) -> CertificateParams {
    let names = hosts.iter().flat_map(|host| [(*host).to_owned(), format!("*.{host}")]);
    CertificateParams::new(names.collect::<Vec<_>>()).unwrap()
}

fn names() -> [&'static str; 4] {
    [HOST, "oss-a.localhost", "oss-b.localhost", "oss.example.test"]
}

/// What shakes hands with `params`, signed by the authority or by themselves.
pub(super) fn acceptor(params: &CertificateParams, by_authority: bool) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = if by_authority {
        params.signed_by(&key, authority()).unwrap()
    } else {
        params.self_signed(&key).unwrap()
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Where requests are answered and written down.
struct Desk<F> {
    reply: F,
    seen: Arc<Seen>,
    tell: watch::Sender<usize>,
}

type Wire = Either<TcpStream, Box<TlsStream<TcpStream>>>;

async fn receive(
    stream: TcpStream,
    door: Door,
    acceptor: Option<TlsAcceptor>,
    desk: Arc<Desk<impl Fn(usize, &str) -> Reply>>,
) {
    let wire = match (door, acceptor) {
        (Door::Silent, _) => return std::future::pending().await,
        (Door::Reset, _) => return stream.set_zero_linger().unwrap(),
        (Door::Says(bytes), _) => {
            let mut stream = stream;
            let _gone = stream.write_all(&bytes).await;
            return std::future::pending().await;
        }
        (Door::Open, None) => Either::Left(stream),
        (Door::Open, Some(acceptor)) => match acceptor.accept(stream).await {
            Ok(stream) => Either::Right(Box::new(stream)),
            // the client has seen the certificate
            Err(_) => return,
        },
    };
    converse(wire, desk).await;
}

async fn converse(mut wire: Wire, desk: Arc<Desk<impl Fn(usize, &str) -> Reply>>) {
    while let Some(head) = read_request(&mut wire).await {
        let number = {
            let mut requests = desk.seen.requests.lock().unwrap();
            requests.push(head.clone());
            requests.len() - 1
        };
        desk.tell.send_replace(number + 1);
        let mut send = async |bytes: &[u8]| {
            let sent = wire.write_all(bytes).await.and(wire.flush().await);
            desk.seen.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            sent.is_ok()
        };
        match (desk.reply)(number, &head) {
            Reply::Once(bytes) => {
                send(&bytes).await;
                let _gone = wire.shutdown().await;
                return;
            }
            Reply::Keep(bytes) => {
                if !send(&bytes).await {
                    return;
                }
            }
            Reply::Endless(first, more) => {
                if send(&first).await {
                    while send(&more).await {}
                }
                return;
            }
            Reply::Drip(first, more, every) => {
                if !send(&first).await {
                    return;
                }
                for byte in more.iter().cycle() {
                    tokio::time::sleep(every).await;
                    if !send(&[*byte]).await {
                        return;
                    }
                }
            }
            Reply::Silence => std::future::pending().await,
            Reply::Close => return,
            Reply::Reset(bytes) => {
                send(&bytes).await;
                return match &wire {
                    Either::Left(stream) => stream.set_zero_linger().unwrap(),
                    Either::Right(stream) => stream.get_ref().0.set_zero_linger().unwrap(),
                };
            }
        }
    }
}

async fn read_request(stream: &mut Wire) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}
