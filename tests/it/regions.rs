//! How far away endpoints are, over real sockets of this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use osstack::base::job::{Context, Job as _};
use osstack::keystore::keyring::NoKeyring;
use osstack::ops::regions::{Inside, MeasureLatency, Measured, Target};
use osstack::ops::world::World;
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::ports::paths::Paths;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto};
use tokio_util::sync::CancellationToken;

use crate::closed_port::ClosedPort;

/// Accepts TLS for some names, and the certificate to trust.
fn tls_for(names: &[&str]) -> (TlsAcceptor, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

fn world(variables: &[(&str, &str)], pem: Option<&str>) -> Arc<World> {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let env = Env::new(variables);
    let folder = tempfile::tempdir().unwrap();
    let network = Network::new(&env).unwrap();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SeededEntropy::new(1)));
    let paths = Paths::below(folder.path());
    let mut world = World::new(env, paths, clock, entropy, Arc::new(NoKeyring)).unwrap();
    world.network = pem.map_or(network.clone(), |pem| network.trusting(pem.as_bytes()).unwrap());
    Arc::new(world)
}

fn target(region: &str, host: &str, port: u16) -> Target {
    Target { region: region.into(), host: host.into(), internal: None, port }
}

/// All answers in the order in which they came, and the last word.
async fn measure(
    world: &Arc<World>,
    targets: Vec<Target>,
    cancel: &CancellationToken,
) -> (Vec<Measured>, Inside) {
    let (items, mut reported) = mpsc::channel(100);
    let context = Context::new(Arc::clone(world), cancel.clone(), items);
    let inside = MeasureLatency { targets, chosen: None }.run(context).await.unwrap();
    let mut answers = Vec::new();
    while let Ok(answer) = reported.try_recv() {
        answers.push(answer);
    }
    (answers, inside)
}

/// A server whose connections `serve` gets; answers its port.
async fn serve<F: Future<Output = ()> + Send + 'static>(
    tasks: &mut JoinSet<()>,
    serve: impl Fn(tokio::net::TcpStream) -> F + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream));
        }
    });
    port
}

#[tokio::test]
async fn three_steps_are_told_and_reasons_where_there_is_no_way() {
    let (acceptor, pem) = tls_for(&["oss.localhost"]);
    let mut tasks = JoinSet::new();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let good = serve(&mut tasks, move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    })
    .await;
    let plain = serve(&mut tasks, |mut stream| async move {
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let closed = ClosedPort::new();
    let mut targets = vec![
        target("good", "oss.localhost", good),
        target("other-name", "other.localhost", good),
        target("plain", "oss.localhost", plain),
        target("closed", "oss.localhost", closed.port()),
    ];
    targets[0].internal = Some("oss-internal.localhost".into());
    let world = world(&[], Some(&pem));
    let (answers, inside) = measure(&world, targets, &CancellationToken::new()).await;
    assert_eq!(answers.len(), 4);
    let of =
        |region: &str| answers.iter().find(|answer| answer.region == region).unwrap().took.clone();
    let timings = of("good").unwrap();
    assert_eq!(timings.total(), timings.dns.unwrap() + timings.tcp.unwrap() + timings.tls);
    assert!(of("other-name").unwrap_err().contains("another host name"));
    assert!(of("plain").unwrap_err().contains("http port"), "{:?}", of("plain"));
    assert!(of("closed").unwrap_err().contains("refuses"), "{:?}", of("closed"));
    let (host, reached) = inside.tried.unwrap();
    assert!(host == "oss-internal.localhost" && reached.is_ok());
    // three for the median and one that does not fit its name
    assert!(accepted.load(Ordering::SeqCst) > 3);
}

#[tokio::test]
async fn sixteen_are_measured_at_a_time() {
    let mut tasks = JoinSet::new();
    let gate = Arc::new(Barrier::new(16));
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    // nobody is sent away before sixteen are there
    let port = serve(&mut tasks, move |stream| {
        let (gate, now, most) = (Arc::clone(&gate), Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            gate.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            // nobody makes room for another one before all are counted out
            gate.wait().await;
            drop(stream);
        }
    })
    .await;
    let targets =
        (0..32).map(|number| target(&format!("r{number}"), "oss.localhost", port)).collect();
    let (answers, _) = measure(&world(&[], None), targets, &CancellationToken::new()).await;
    assert_eq!(answers.len(), 32);
    assert_eq!(seen.load(Ordering::SeqCst), 16);
}

#[tokio::test]
async fn stopping_ends_it_though_nobody_answers() {
    let mut tasks = JoinSet::new();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let port = serve(&mut tasks, move |stream| {
        stop.cancel();
        async move {
            std::future::pending::<()>().await;
            drop(stream);
        }
    })
    .await;
    let targets = vec![target("silent", "oss.localhost", port)];
    let world = world(&[], None);
    let measured = tokio::time::timeout(Duration::from_secs(4), measure(&world, targets, &cancel));
    let (answers, inside) = measured.await.expect("it ends before any limit");
    assert_eq!((answers.len(), inside), (0, Inside::default()));
}

#[tokio::test]
async fn through_a_proxy_only_the_whole_way_is_told() {
    let (acceptor, pem) = tls_for(&["oss.example.com"]);
    let mut tasks = JoinSet::new();
    let port = serve(&mut tasks, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = BufReader::new(stream);
            let (mut line, mut connect) = (String::new(), String::new());
            while stream.read_line(&mut line).await.unwrap_or_default() > 2 {
                connect.push_str(&line);
                line.clear();
            }
            let answer = if connect.starts_with("CONNECT oss.example.com:443 ") {
                "HTTP/1.1 200 OK\r\n\r\n"
            } else {
                "HTTP/1.1 403 Forbidden\r\n\r\n"
            };
            let _gone = stream.write_all(answer.as_bytes()).await;
            drop(acceptor.accept(stream).await);
        }
    })
    .await;
    let proxy = format!("http://127.0.0.1:{port}");
    let world = world(&[("HTTPS_PROXY", &proxy)], Some(&pem));
    let mut targets =
        vec![target("good", "oss.example.com", 443), target("bad", "other.example.com", 443)];
    targets[0].internal = Some("oss-internal.example.com".into());
    let (answers, inside) = measure(&world, targets, &CancellationToken::new()).await;
    let of =
        |region: &str| answers.iter().find(|answer| answer.region == region).unwrap().took.clone();
    let timings = of("good").unwrap();
    assert_eq!((timings.dns, timings.tcp), (None, None));
    let why = of("bad").unwrap_err();
    assert!(
        why.contains(&format!("127.0.0.1:{port}")) && why.contains("other.example.com"),
        "{why}"
    );
    assert!(inside.to_string().contains("stands in between"), "{inside}");
}
