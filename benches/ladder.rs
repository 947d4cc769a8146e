//! All rungs of the ladder on the sandbox, over real sockets: without latency, and with 50 ms for
//! every request. Wall time of a whole run, its tidying included, least, median and most. The bars
//! are 150 ms and 2 s: rungs that do not stand on each other are climbed side by side.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, which stops where something is not as it should be"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use osstack::doctor::{CHECKS, Ladder, Outcome, Services, Target};
use osstack::model::store::StoreDraft;
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SystemEntropy;
use osstack::ports::env::Env;
use osstack::ports::network::Network;
use osstack::sandbox::{Sandbox, SandboxConfig, Seed};
use tokio_util::sync::CancellationToken;

const RUNS: usize = 20;
/// Latency of every request, and the most that the median of the whole ladder may take.
const BARS: [(Duration, Duration); 2] = [
    (Duration::ZERO, Duration::from_millis(150)),
    (Duration::from_millis(50), Duration::from_secs(2)),
];

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{} rungs", CHECKS.len());
    let mut is_over = false;
    for (latency, bar) in BARS {
        let times = (0..if quick { 5 } else { RUNS }).map(|_| runtime.block_on(climb(latency)));
        let mut times: Vec<Duration> = times.collect();
        times.sort_unstable();
        let median = times[times.len() / 2];
        println!(
            "latency {latency:?}: min {:?}  median {median:?}  max {:?}; the bar is {bar:?}",
            times[0],
            times[times.len() - 1]
        );
        is_over |= median > bar;
    }
    if is_over {
        println!("over the bar");
        // a quick run is on a machine that is busy with other things: it tells and does not judge
        if !quick && !cfg!(debug_assertions) {
            std::process::exit(1);
        }
    }
}

/// One run on a sandbox of its own.
async fn climb(latency: Duration) -> Duration {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let config = SandboxConfig::new(Seed::Demo, clock.clone(), entropy.clone());
    let sandbox = Sandbox::bind(config).unwrap();
    sandbox.faults().change(|faults| faults.latency = latency);
    let (is, key) = (sandbox.description(), sandbox.keys().permanent().duplicate());
    let stop = CancellationToken::new();
    let server = tokio::spawn(sandbox.serve(stop.clone()));
    let draft = StoreDraft {
        name: "demo".into(),
        bucket: is.bucket,
        prefix: "zenml".into(),
        secret: "demo".into(),
        region: is.region,
        endpoint: is.endpoint,
        ..StoreDraft::default()
    };
    let network = Network::new(&Env::default()).unwrap();
    let services = Services { network, clock, entropy };
    let store = Ok(draft.validate().unwrap());
    let target = Target {
        subject: "store/demo".into(),
        store,
        credentials: Ok(key),
        python: None,
        components: None,
    };
    let start = Instant::now();
    let cancel = CancellationToken::new();
    let report = Ladder::default().run(target, services, &cancel, async |_| {}).await;
    let took = start.elapsed();
    assert_eq!(report.outcome, Outcome::Warned, "{report:#?}");
    assert!(report.left_behind.is_empty());
    stop.cancel();
    server.await.unwrap().unwrap();
    took
}
