//! A bucket on the other side of the world: the first row of a list, of a new connection and of one
//! that is there, and a whole list, over a line of 250 ms there and back that loses 2 % of its
//! packets (Frankfurt to Shanghai), for 500,000 keys as ZenML writes them. What runs is the job
//! that the browser runs. Told in round trips, the median of several lines; the bars are 4 for a
//! new connection and 2 for one that is there.
//!
//! The line is a model between two sockets of this machine, since not every kernel can delay its
//! packets: a handshake takes a round trip, a window grows from ten segments (RFC 6928) and is
//! halved by a loss, a lost segment comes a round trip later, one at the end of a flight two (RFC
//! 8985), and what follows it waits. TLS 1.3 would add one round trip to a new connection.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a measurement, which stops where something is not as it should be"
)]

#[path = "served/bucket.rs"]
mod bucket;

use std::sync::Arc;
use std::time::{Duration, Instant};

use osstack::base::job::{Context, Job as _};
use osstack::keystore::keyring::NoKeyring;
use osstack::ops::demo::{STORE, furnish};
use osstack::ops::keystore::UnlockKeystore;
use osstack::ops::objects::{ListObjects, Place};
use osstack::ops::world::World;
use osstack::oss::listing::Page;
use osstack::ports::clock::{SharedClock, SystemClock};
use osstack::ports::entropy::{SharedEntropy, SystemEntropy};
use osstack::ports::paths::Paths;
use osstack::sandbox::{Sandbox, SandboxConfig, Seed};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const ROUND_TRIP: Duration = Duration::from_millis(250);
const LOSS: f64 = 0.02;
const SEGMENT: usize = 1460;
/// Round trips until the first row.
const BARS: [f64; 2] = [4.0, 2.0];

/// Which segments are lost: the same ones each time.
struct Luck {
    state: u64,
    loss: f64,
}

impl Luck {
    /// By `SplitMix64`.
    fn loses_one(&mut self) -> bool {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let mixed = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap();
        f64::from(mixed) < self.loss * f64::from(u32::MAX)
    }
}

/// Lets connections through to `to` as a long line would.
async fn line(listener: TcpListener, to: u16, seed: u64, loss: f64) {
    for number in 0.. {
        let (near, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            tokio::time::sleep(ROUND_TRIP).await;
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            let luck = |way| Luck { state: seed << 32 | number << 1 | way, loss };
            tokio::join!(one_way(near_in, far_out, luck(0)), one_way(far_in, near_out, luck(1)));
        });
    }
}

/// One direction of a connection: flights of as many segments as the window has room for.
async fn one_way(mut from: impl AsyncRead + Unpin, to: impl AsyncWrite + Unpin, mut luck: Luck) {
    let (flights, arriving) = mpsc::unbounded_channel();
    let sending = async move {
        let (mut window, mut threshold) = (10, usize::MAX);
        let mut last = tokio::time::Instant::now();
        loop {
            let mut flight = vec![0; window * SEGMENT];
            let Ok(mut count @ 1..) = from.read(&mut flight).await else { break };
            // what is there already goes along
            while count < flight.len() {
                let more = tokio::time::timeout(Duration::ZERO, from.read(&mut flight[count..]));
                let Ok(Ok(more @ 1..)) = more.await else { break };
                count += more;
            }
            flight.truncate(count);
            let segments = count.div_ceil(SEGMENT);
            let worst = (0..segments).filter(|_| luck.loses_one()).max();
            let late = match worst {
                // whether it is missed shows by those behind it
                Some(at) if at + 3 < segments => ROUND_TRIP,
                Some(_) => 2 * ROUND_TRIP,
                None => Duration::ZERO,
            };
            let now = tokio::time::Instant::now();
            last = last.max(now + ROUND_TRIP / 2 + late);
            if flights.send((last, flight)).is_err() {
                break;
            }
            if worst.is_some() {
                threshold = (window / 2).max(2);
                window = threshold;
            } else if segments == window {
                window = if window < threshold { window * 2 } else { window + 1 };
            } else {
                continue;
            }
            // the window opens with what the other side has confirmed
            tokio::time::sleep_until(now + ROUND_TRIP + late).await;
        }
    };
    tokio::join!(sending, deliver(arriving, to));
}

async fn deliver(
    mut arriving: mpsc::UnboundedReceiver<(tokio::time::Instant, Vec<u8>)>,
    mut to: impl AsyncWrite + Unpin,
) {
    while let Some((at, flight)) = arriving.recv().await {
        tokio::time::sleep_until(at).await;
        if to.write_all(&flight).await.is_err() {
            return;
        }
    }
    drop(to.shutdown().await);
}

/// A home whose store lies behind the line that listens on `port`.
fn world(home: &std::path::Path, port: u16) -> Arc<World> {
    let clock: SharedClock = Arc::new(SystemClock);
    let entropy: SharedEntropy = Arc::new(SystemEntropy);
    let config = SandboxConfig::new(Seed::Demo, Arc::clone(&clock), Arc::clone(&entropy));
    let sandbox = Sandbox::bind(config).unwrap();
    let mut description = sandbox.description();
    description.endpoint = format!("http://oss.localhost:{port}");
    let env = furnish(home, &description, &clock, &entropy).unwrap();
    Arc::new(World::new(env, Paths::below(home), clock, entropy, Arc::new(NoKeyring)).unwrap())
}

/// Lists below `prefix`; when the first page had come, when the last, and how many rows there are.
async fn list(world: &Arc<World>, prefix: &str, folded: bool) -> (Duration, Duration, usize) {
    let (pages, mut coming) = mpsc::channel::<Page>(1024);
    let place = Place::of(STORE);
    let job = ListObjects { place, prefix: prefix.to_owned(), folded, in_order: false };
    let context = Context::new(Arc::clone(world), CancellationToken::new(), pages);
    let began = Instant::now();
    let reading = async {
        let (mut first, mut rows) = (None, 0);
        while let Some(page) = coming.recv().await {
            first.get_or_insert_with(|| began.elapsed());
            rows += page.len();
        }
        (first, rows)
    };
    let (done, (first, rows)) = tokio::join!(job.run(context), reading);
    done.unwrap();
    (first.unwrap(), began.elapsed(), rows)
}

fn median(mut trips: Vec<f64>) -> f64 {
    trips.sort_by(f64::total_cmp);
    trips[trips.len() / 2]
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (keys, lines) = if quick { (20_000, 3) } else { (500_000, 15) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let is_slow = runtime.block_on(async {
        let shelf = Arc::new(bucket::Shelf::new("zenml", keys, Duration::ZERO));
        let far = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let to = far.local_addr().unwrap().port();
        tokio::spawn(bucket::accept(far, shelf));
        let mut is_slow = false;
        for loss in [0.0, LOSS] {
            println!("{keys} keys, {ROUND_TRIP:?} there and back, {} % lost", loss * 100.0);
            is_slow |= first_rows(to, if loss == 0.0 { 1 } else { lines }, loss).await;
            let (_home, world) = behind(to, 1, loss).await;
            let below = "zenml/step_7/";
            let (_, took, rows) = list(&world, below, false).await;
            println!("  {rows} keys below {below}, all of them  {took:.1?}");
        }
        is_slow
    });
    if is_slow {
        println!("over the bar");
        if !quick && !cfg!(debug_assertions) {
            std::process::exit(1);
        }
    }
}

/// A new line, and a world that has not used it yet.
async fn behind(to: u16, seed: u64, loss: f64) -> (tempfile::TempDir, Arc<World>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(line(listener, to, seed, loss));
    let home = tempfile::tempdir().unwrap();
    let world = world(home.path(), port);
    UnlockKeystore::Unasked.run(Context::alone(Arc::clone(&world))).await.unwrap();
    (home, world)
}

/// Opens the store, a step, an output and its versions; whether that is over the bars.
async fn first_rows(to: u16, lines: u64, loss: f64) -> bool {
    let mut trips = [Vec::new(), Vec::new()];
    for seed in 0..lines {
        let (_home, world) = behind(to, seed, loss).await;
        let mut prefix = "zenml/".to_owned();
        for (depth, next) in ["step_3/", "output_1/", ""].into_iter().enumerate() {
            let (first, ..) = list(&world, &prefix, true).await;
            trips[depth.min(1)].push(first.as_secs_f64() / ROUND_TRIP.as_secs_f64());
            prefix.push_str(next);
        }
    }
    let mut is_over = false;
    for (name, (trips, bar)) in
        ["a new connection", "one that is there"].into_iter().zip(trips.into_iter().zip(BARS))
    {
        let worst = trips.iter().copied().fold(0.0, f64::max);
        let middle = median(trips);
        is_over |= middle > bar;
        println!("  first row, {name:17}  {middle:.1} round trips ({worst:.1} at most); bar {bar}");
    }
    is_over
}
