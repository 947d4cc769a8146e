//! How far away the regions are.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Fuse, FusedFuture as _, FutureExt as _};
use futures_util::stream;
use futures_util::stream::StreamExt as _;

use crate::base::job::{Context, Job};
use crate::base::units;
use crate::model::endpoint::EndpointKind;
use crate::model::region::{self, Region};
use crate::ports::network::{Limits, Network};

use super::failure::Failure;
use super::world::World;

/// Endpoints measured at the same time.
const AT_ONCE: usize = 16;

/// Connections to each; what counts is the median.
const ROUNDS: usize = 3;

/// How long an internal endpoint may take: from inside it is milliseconds away, and from outside
/// its address, where the name has one, answers never.
const INSIDE: Duration = Duration::from_secs(2);

/// Measures what a connection to each target takes, step by step; and whether this machine stands
/// inside Alibaba's network, by the internal endpoint of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureLatency {
    /// Where to.
    pub targets: Vec<Target>,
    /// OSS id of the region whose internal endpoint is tried; else the first that answers.
    pub chosen: Option<String>,
}

/// One end of a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The OSS region id.
    pub region: String,
    /// Its host.
    pub host: String,
    /// The host that Alibaba's own network reaches.
    pub internal: Option<String>,
    /// The port of both.
    pub port: u16,
}

impl Target {
    /// The public endpoint of `region`, where it has one.
    pub fn public(region: &Region) -> Option<Self> {
        let host = |kind| region.host(kind).map(str::to_owned);
        Some(Self {
            region: region.oss_id.clone(),
            host: host(EndpointKind::Public)?,
            internal: host(EndpointKind::Internal),
            port: 443,
        })
    }
}

impl Default for MeasureLatency {
    /// All public endpoints of the table.
    fn default() -> Self {
        let targets = region::all().iter().filter_map(Target::public).collect();
        Self { targets, chosen: None }
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The OSS region id.
    pub region: String,
    /// The steps' times, or why there is no connection.
    pub took: Result<Timings, String>,
}

/// How long the steps of a connection take, each the median of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// The name server's answer; none where a proxy asks it.
    pub dns: Option<Duration>,
    /// TCP; none where it would lead to a proxy and say nothing of the region.
    pub tcp: Option<Duration>,
    /// TLS; through a proxy all from the first word to it.
    pub tls: Duration,
}

impl Timings {
    /// All steps together: what a first request waits before it is sent.
    pub fn total(&self) -> Duration {
        self.dns.unwrap_or_default() + self.tcp.unwrap_or_default() + self.tls
    }
}

/// Whether this machine stands inside Alibaba's network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The internal endpoint that was tried, and how long a connection took or why there is none.
    pub tried: Option<(String, Result<Duration, String>)>,
    /// A public name and its address, where that is one of 100.64/10: Alibaba's own name servers
    /// answer here, and lead inside (OSS endpoints have such addresses there).
    pub led_inside: Option<(String, IpAddr)>,
}

impl fmt::Display for Inside {
    /// One line; empty where nothing was tried.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tried {
            None => {}
            Some((host, Ok(took))) => {
                let took = units::span(*took);
                write!(f, "internal endpoints: reached from here ({host}, {took})")?;
            }
            Some((_, Err(why))) => {
                write!(f, "internal endpoints: not reached from here ({why})")?;
            }
        }
        if let Some((host, address)) = &self.led_inside {
            let gap = if self.tried.is_some() { "; " } else { "" };
            write!(f, "{gap}Alibaba's name servers answer here: {host} is {address}")?;
        }
        Ok(())
    }
}

impl Job<World> for MeasureLatency {
    /// As they come: the fastest first, as a rule.
    type Item = Measured;
    /// What is known at the end; stopping it is no failure.
    type Out = Result<Inside, Failure>;

    async fn run(self, context: Context<World, Measured>) -> Self::Out {
        let work = measure_all(self, &context);
        Ok(context.cancel.run_until_cancelled(work).await.unwrap_or_default())
    }
}

async fn measure_all(job: MeasureLatency, context: &Context<World, Measured>) -> Inside {
    let world = &*context.world;
    let internal: BTreeMap<String, (String, u16)> = job
        .targets
        .iter()
        .filter_map(|at| Some((at.region.clone(), (at.internal.clone()?, at.port))))
        .collect();
    let try_inside = |region: &str| {
        let at = internal.get(region).cloned();
        at.map(|(host, port)| reach_inside(world, host, port).fuse())
    };
    let mut inside = Inside::default();
    let mut trying = pin!(Fuse::terminated());
    if let Some(attempt) = job.chosen.as_deref().and_then(try_inside) {
        trying.set(attempt);
    }
    let measure = |target: Target| async move {
        let mut at = Measuring { world, target: &target, reached: None };
        let took = at.median().await;
        let address = at.reached.map(|address| (target.host.clone(), address.ip()));
        (Measured { region: target.region, took }, address)
    };
    let mut answers = stream::iter(job.targets).map(measure).buffer_unordered(AT_ONCE);
    loop {
        tokio::select! {
            Some((answer, address)) = answers.next() => {
                if inside.led_inside.is_none() {
                    inside.led_inside = address.filter(|(_, ip)| is_alibabas_own(*ip));
                }
                let is_first = inside.tried.is_none() && trying.is_terminated();
                if is_first && answer.took.is_ok()
                    && let Some(attempt) = try_inside(&answer.region)
                {
                    trying.set(attempt);
                }
                if !context.report(answer).await {
                    break;
                }
            }
            tried = &mut trying, if !trying.is_terminated() => inside.tried = Some(tried),
            else => break,
        }
    }
    inside
}

/// Shared address space (RFC 6598), in which OSS's own endpoints lie inside Alibaba's network.
fn is_alibabas_own(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            first == 100 && second & 0b1100_0000 == 64
        }
        IpAddr::V6(_) => false,
    }
}

async fn reach_inside(
    world: &World,
    host: String,
    port: u16,
) -> (String, Result<Duration, String>) {
    let limits = Limits { connect: INSIDE, ..world.network.limits() };
    let network = world.network.with_limits(limits);
    let took = match network.proxy_for(&host) {
        Some(proxy) => Err(format!("the proxy {proxy} stands in between")),
        None => connect(world, &network, (&host, port)).await,
    };
    (host, took)
}

async fn connect(
    world: &World,
    network: &Network,
    (host, port): (&str, u16),
) -> Result<Duration, String> {
    let addresses = network.resolve(host, port).await.map_err(|error| error.to_string())?;
    let mut problem = format!("{host} has no address");
    for address in addresses {
        let start = world.clock.instant();
        match network.connect(address).await {
            Ok(_) => return Ok(world.clock.instant().saturating_duration_since(start)),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(problem)
}

/// One endpoint under measurement.
struct Measuring<'a> {
    world: &'a World,
    target: &'a Target,
    /// The address that answers: later rounds do not wait for dead ones before it.
    reached: Option<SocketAddr>,
}

impl Measuring<'_> {
    async fn median(&mut self) -> Result<Timings, String> {
        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            rounds.push(self.once().await?);
        }
        let of = |step: fn(&Timings) -> Option<Duration>| {
            let mut times: Vec<Duration> = rounds.iter().filter_map(step).collect();
            times.sort_unstable();
            times.get(times.len() / 2).copied()
        };
        let tls = of(|timings| Some(timings.tls)).unwrap_or_default();
        Ok(Timings { dns: of(|timings| timings.dns), tcp: of(|timings| timings.tcp), tls })
    }

    async fn once(&mut self) -> Result<Timings, String> {
        let network = &self.world.network;
        let Target { host, port, .. } = self.target;
        let begun = self.now();
        if network.proxy_for(host).is_some() {
            network.dial(host, *port).await.map_err(|error| error.to_string())?;
            return Ok(Timings { dns: None, tcp: None, tls: self.since(begun) });
        }
        let mut addresses =
            network.resolve(host, *port).await.map_err(|error| error.to_string())?;
        let dns = self.since(begun);
        addresses.sort_by_key(|address| Some(*address) != self.reached);
        let mut problem = format!("{host} has no address");
        for address in addresses {
            let begun = self.now();
            let stream = match network.connect(address).await {
                Ok(stream) => stream,
                Err(error) => {
                    problem = error.to_string();
                    continue;
                }
            };
            let tcp = self.since(begun);
            self.reached = Some(address);
            let begun = self.now();
            let shaken = network.tls_handshake(host, stream).await;
            shaken.map_err(|error| error.to_string())?;
            return Ok(Timings { dns: Some(dns), tcp: Some(tcp), tls: self.since(begun) });
        }
        Err(problem)
    }

    fn now(&self) -> Instant {
        self.world.clock.instant()
    }

    fn since(&self, begun: Instant) -> Duration {
        self.now().saturating_duration_since(begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_addresses_are_alibabas_own() {
        let own = |text: &str| is_alibabas_own(text.parse().unwrap());
        assert!(own("100.64.0.1") && own("100.118.28.46") && own("100.127.255.255"));
        assert!(!own("100.63.0.1") && !own("100.128.0.1") && !own("47.88.1.1") && !own("::1"));
    }

    #[test]
    fn one_line_says_whether_this_machine_stands_inside() {
        let mut inside = Inside::default();
        assert_eq!(inside.to_string(), "");
        inside.tried = Some(("oss-a-internal.example".into(), Err("no such host name".into())));
        assert_eq!(
            inside.to_string(),
            "internal endpoints: not reached from here (no such host name)"
        );
        inside.tried = Some(("oss-a-internal.example".into(), Ok(Duration::from_millis(2))));
        inside.led_inside = Some(("oss-a.example".into(), [100, 118, 28, 46].into()));
        assert_eq!(
            inside.to_string(),
            "internal endpoints: reached from here (oss-a-internal.example, 2 ms); Alibaba's name \
             servers answer here: oss-a.example is 100.118.28.46"
        );
    }
}
