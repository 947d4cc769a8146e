//! How far away the regions are.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use crate::base::job::{Context, Job};
use crate::model::endpoint::EndpointKind;
use crate::model::region::{self, Region};

use super::failure::Failure;
use super::world::World;

/// Connections tried at the same time.
const AT_ONCE: usize = 8;

/// Measures the time a TCP connection to each target takes, past any proxy; the name is looked up
/// first and does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureLatency {
    /// Where to.
    pub targets: Vec<Target>,
}

/// One end of a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The OSS region id.
    pub region: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Target {
    /// The public endpoint of `region`, where it has one.
    pub fn public(region: &Region) -> Option<Self> {
        let host = region.host(EndpointKind::Public)?.to_owned();
        Some(Self { region: region.oss_id.clone(), host, port: 443 })
    }
}

impl Default for MeasureLatency {
    /// All public endpoints of the table.
    fn default() -> Self {
        Self { targets: region::all().iter().filter_map(Target::public).collect() }
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The OSS region id.
    pub region: String,
    /// How long a connection took, or why there is none.
    pub took: Result<Duration, String>,
}

impl Job<World> for MeasureLatency {
    /// As they come: the fastest first, as a rule.
    type Item = Measured;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Measured>) -> Self::Out {
        let world = &*context.world;
        let measure = |target: Target| async move {
            Measured { took: connect(world, &target).await, region: target.region }
        };
        let mut answers = stream::iter(self.targets).map(measure).buffer_unordered(AT_ONCE);
        loop {
            tokio::select! {
                () = context.cancel.cancelled() => return Ok(()),
                answer = answers.next() => {
                    let Some(answer) = answer else { return Ok(()) };
                    if !context.report(answer).await {
                        return Ok(());
                    }
                }
            }
        }
    }
}

async fn connect(world: &World, target: &Target) -> Result<Duration, String> {
    let addresses = world.network.resolve(&target.host, target.port).await;
    let addresses = addresses.map_err(|error| error.to_string())?;
    let mut problem = format!("{} has no address", target.host);
    for address in addresses {
        let start = world.clock.instant();
        match world.network.connect(address).await {
            Ok(_) => return Ok(world.clock.instant().duration_since(start)),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(problem)
}
