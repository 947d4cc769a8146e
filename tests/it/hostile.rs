//! Servers that are broken, slow, hostile or not OSS at all, over real sockets, http and https:
//! each must end in the right kind of error, in bounded time and memory, never in an empty bucket,
//! and no signature may reach anybody but the host that was asked.

mod answers;
mod certificates;
mod chaos;
mod elsewhere;
mod frames;
mod listings;
mod ranges;
mod repeats;
mod server;
mod stages;
mod transfers;
mod ways;

pub(crate) use ranges::noise;
