//! The screens beside each hostile server: while the answer is awaited, read and judged, a key is
//! drawn within 100 ms, and a stop is answered within 200 ms; whatever comes, it is never shown as
//! an empty bucket.
//!
//! The bounds are the product's promise, far above what a frame takes. A machine that is busy
//! elsewhere may miss one; a program that waits where it should not misses it each time. So what
//! is late is tried again, and fails when it is late three times in a row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use osstack::app::open::{Face, options, tabs};
use osstack::app::shell::Stage;
use osstack::base::atomic_file;
use osstack::keystore::keyring::NoKeyring;
use osstack::ops::demo::furnish;
use osstack::ops::world::World;
use osstack::ports::clock::{Clock as _, SharedClock, SystemClock};
use osstack::ports::entropy::{SeededEntropy, SharedEntropy};
use osstack::ports::network::Network;
use osstack::ports::paths::Paths;
use osstack::sandbox::{Description, Seed};
use tempfile::TempDir;

use super::answers::cases;
use super::certificates::valid;
use super::server::{Door, HOST, PAGE, Reply, Server, Way, certificate, network, with_head};
use super::ways::{NAME, Proxy};
use crate::sandbox_client::Running;

const FRAME: Duration = Duration::from_millis(100);
const STOP: Duration = Duration::from_millis(200);
/// How long a server is watched that has not ended by itself.
const WATCHED: Duration = Duration::from_millis(120);
/// How long the loop waits for a message before it looks at the keys again.
const WAIT: Duration = Duration::from_millis(5);

/// A home whose catalog ends with a store at `server`, and somebody before the browser.
struct Watcher {
    stage: Stage<World>,
    _home: TempDir,
}

/// What was late.
#[derive(Debug, Default)]
struct Watched {
    longest_frame: Duration,
    stop: Duration,
    picture: String,
}

impl Watcher {
    async fn before(there: &There, sandbox: &Description) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock: SharedClock = Arc::new(SystemClock);
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(5));
        let env = furnish(home.path(), sandbox, &clock, &entropy).unwrap();
        let paths = Paths::below(home.path());
        let file = paths.catalog();
        let store = format!(
            "\n[artifact_store.zz_hostile]\npath = \"s3://your-bucket-name\"\n\
             secret = \"demo_secret\"\nregion = \"eu-central-1\"\n\
             endpoint = \"{}\"\n",
            there.endpoint
        );
        let text = std::fs::read_to_string(&file).unwrap() + &store;
        atomic_file::write(&file, text.as_bytes(), 1, &atomic_file::Options::default()).unwrap();
        let mut world = World::new(env, paths, clock, entropy, Arc::new(NoKeyring)).unwrap();
        world.network = there.network.clone();
        let stage = Stage::with(Arc::new(world), tabs(), options(Face::default()));
        let mut watcher = Self { stage, _home: home };
        watcher.stage.keys("4").settle().await;
        watcher.stage.keys("G<enter>");
        watcher
    }

    /// One turn of the loop: hears what came, takes a key, draws. Answers how long that took.
    async fn turn(&mut self, key: &str) -> Duration {
        let _nothing_came = tokio::time::timeout(WAIT, self.stage.awaited()).await;
        let began = SystemClock.instant();
        self.stage.heard().keys(key).draw();
        began.elapsed()
    }

    fn is_busy(&self) -> bool {
        !self.stage.running().is_empty()
    }

    async fn watch(mut self) -> Watched {
        let mut watched = Watched::default();
        let began = SystemClock.instant();
        while self.is_busy() && began.elapsed() < WATCHED {
            let frame = self.turn("j").await;
            watched.longest_frame = watched.longest_frame.max(frame);
        }
        let stopping = SystemClock.instant();
        // the first ends the listing, or else leaves it, which ends it too
        while self.is_busy() && stopping.elapsed() < 10 * STOP {
            self.turn("<esc>").await;
        }
        watched.stop = stopping.elapsed();
        watched.picture = self.stage.picture();
        watched
    }
}

/// Servers that no page of a listing stands for.
fn further() -> Vec<(&'static str, Reply)> {
    let page = |number: usize| {
        let row = |at: usize| {
            format!(
                "<Contents><Key>k{number:06}-{at:04}</Key><Size>1</Size>\
                 <LastModified>2026-03-15T10:20:30.000Z</LastModified></Contents>"
            )
        };
        let rows: String = (0..1000).map(row).collect();
        format!(
            "<ListBucketResult><Name>b</Name><KeyCount>1000</KeyCount>\
             <IsTruncated>true</IsTruncated>\
             <NextContinuationToken>t{number}</NextContinuationToken>{rows}</ListBucketResult>"
        )
    };
    vec![
        ("silence", Reply::Silence),
        ("a closed connection", Reply::Close),
        ("a reset", Reply::Reset(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec())),
        (
            "a byte now and then",
            Reply::Drip(
                with_head("200 OK", "Content-Length: 5000\r\n", b"<List"),
                b"BucketResult".to_vec(),
                Duration::from_millis(5),
            ),
        ),
        ("a full page", Reply::Once(with_head("200 OK", "", page(0).as_bytes()))),
        ("429", Reply::Keep(with_head("429 Too Many Requests", "Retry-After: 60\r\n", b""))),
        ("503", Reply::Keep(with_head("503 Service Unavailable", "Retry-After: 0\r\n", b""))),
        ("elsewhere", Reply::Once(with_head("302 Found", "Location: http://x.test/\r\n", b""))),
    ]
}

/// Where the store is, and the way there.
struct There {
    endpoint: String,
    network: Network,
}

impl There {
    fn at(server: &Server) -> Self {
        let scheme = if server.way == Way::Https { "https" } else { "http" };
        Self { endpoint: format!("{scheme}://{HOST}:{}", server.port), network: network() }
    }
}

/// What is late in three tries, or wrong in one.
async fn breach(name: &str, there: &There, sandbox: &Description) -> Option<String> {
    let endpoint = &there.endpoint;
    let mut last = Watched::default();
    for _ in 0..3 {
        last = Watcher::before(there, sandbox).await.watch().await;
        let said = last.picture.to_lowercase();
        if said.contains("nothing lies here") {
            return Some(format!("{endpoint}, {name}: shown as an empty bucket\n{}", last.picture));
        }
        if last.longest_frame < FRAME && last.stop < STOP {
            return None;
        }
    }
    let Watched { longest_frame, stop, .. } = last;
    Some(format!("{endpoint}, {name}: a frame took {longest_frame:?}, the stop {stop:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_keeps_a_frame_or_a_stop_waiting() {
    let sandbox = Running::start(Seed::Empty);
    let mut breaches = Vec::new();
    let mut watched = 0;
    for way in Way::BOTH {
        let answers = cases().into_iter().map(|case| (case.name, case.reply));
        for (name, reply) in answers.chain(further()) {
            let server = Server::always(way, reply).await;
            breaches.extend(breach(name, &There::at(&server), &sandbox.description).await);
            assert!(server.connections() > 0, "{name}: nobody came, nothing was watched");
            watched += 1;
        }
        let doors = [
            ("no greeting", Door::Silent),
            ("a slammed door", Door::Reset),
            ("another protocol", Door::Says(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())),
        ];
        for (name, door) in doors {
            let server = Server::shut(way, door).await;
            breaches.extend(breach(name, &There::at(&server), &sandbox.description).await);
            assert!(server.connections() > 0, "{name}: nobody came, nothing was watched");
            watched += 1;
        }
        // a listing that never ends: each page is good and names another
        let pages = AtomicUsize::new(0);
        let endless = Server::new(way, move |_, _| {
            let number = pages.fetch_add(1, Ordering::Relaxed);
            let more = format!(
                "<IsTruncated>true</IsTruncated>\
                 <NextContinuationToken>t{number}</NextContinuationToken>"
            );
            let body = PAGE
                .replace("<KeyCount>", &format!("{more}<KeyCount>"))
                .replace("<Key>k", &format!("<Key>k{number:09}"));
            Reply::Keep(with_head("200 OK", "", body.as_bytes()))
        })
        .await;
        breaches.extend(
            breach("a listing without end", &There::at(&endless), &sandbox.description).await,
        );
        watched += 1;
    }
    assert!(breaches.is_empty(), "{} of {watched}:\n{}", breaches.len(), breaches.join("\n"));
    assert!(watched > 130, "{watched}");
}

/// Certificates, names and proxies: what keeps a request from leaving.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_way_there_keeps_a_frame_or_a_stop_waiting() {
    let sandbox = Running::start(Seed::Empty);
    let mut breaches = Vec::new();
    for (name, params, by_authority) in [
        ("an expired certificate", valid(2020, 2021), true),
        ("another's certificate", certificate(&["oss.evil.test"]), true),
        ("a self-signed certificate", certificate(&[HOST]), false),
    ] {
        let server = Server::certified(&params, by_authority).await;
        breaches.extend(breach(name, &There::at(&server), &sandbox.description).await);
        assert!(server.connections() > 0, "{name}: nobody came, nothing was watched");
    }
    let closed = Server::always(Way::Http, Reply::Silence).await;
    let port = closed.port;
    drop(closed);
    let good = Server::always(Way::Https, Reply::Silence).await;
    let named = |endpoint: &str, network: Network| There { endpoint: endpoint.into(), network };
    let at = |address: &str| network().with_host(NAME, &[address.parse().unwrap()]);
    let mut ways = vec![
        ("nobody there", named(&format!("http://{HOST}:{port}"), network())),
        ("a name that is none", named("https://oss.nothing.invalid", network())),
        (
            "a name without address",
            named(&format!("https://{NAME}"), network().with_host(NAME, &[])),
        ),
        ("a metadata address", named(&format!("https://{NAME}"), at("169.254.169.254"))),
    ];
    let mut proxies = Vec::new();
    for says in [
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
        "silence",
        "endless",
    ] {
        let proxy = Proxy::new(good.port, says).await;
        ways.push((says, named(&format!("https://{NAME}"), proxy.network(&[]))));
        proxies.push(proxy);
    }
    for (name, there) in &ways {
        breaches.extend(breach(name.trim(), there, &sandbox.description).await);
    }
    assert!(breaches.is_empty(), "{}:\n{}", breaches.len(), breaches.join("\n"));
}
