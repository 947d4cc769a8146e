//! How fast bytes go there and back; measured where it is asked for, since it moves megabytes.

use std::time::Duration;

use bytes::Bytes;

use crate::base::units;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, skipped};

pub(super) const CHECK: Check = Check {
    id: "rate",
    title: "transfer rate",
    about: "One object of up to 8 MiB there and back, sized by a small one before it to take a few \
            seconds. Only where it is asked for.",
    needs: &["write", "round-trip"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// The first, which tells how large the second may be.
const TASTE: usize = 128 << 10;
const MOST: usize = 8 << 20;
/// How long one way should take at the most.
const SPAN: Duration = Duration::from_secs(3);

async fn run(case: &Case) -> Verdict {
    if !case.rate {
        return Ok(skipped("it was not asked for (--rate)"));
    }
    let (store, client, clock) = (case.store()?, case.client()?, &case.services.clock);
    let fails = |error| Box::new(hampered("The rate cannot be measured.", &error));
    let since = |start| clock.instant().saturating_duration_since(start);
    let start = clock.instant();
    let probe = case.put("rate", Bytes::from(vec![0; TASTE])).await.map_err(fails)?;
    let size = size_for(since(start));
    let start = clock.instant();
    let probe = case.put_at(probe.key, Bytes::from(vec![0; size])).await.map_err(fails)?;
    let up = since(start);
    let start = clock.instant();
    let read = client.get_range(&store.bucket, probe.key.as_str(), 0, size, None).await;
    let down = since(start);
    let got = read.map_err(fails)?.value.bytes.len();
    let (up, down) = (rate(size, up), rate(got, down));
    Ok(passed(format!("{up} up, {down} down."))
        .fact("up", up)
        .fact("down", down)
        .fact("measured with", units::bytes(size as u64)))
}

/// What goes within [`SPAN`] where [`TASTE`] took `taste`, which holds a round trip too: rather
/// too little than too much.
fn size_for(taste: Duration) -> usize {
    let times = SPAN.as_millis() / taste.as_millis().max(1);
    TASTE.saturating_mul(usize::try_from(times).unwrap_or(usize::MAX)).clamp(TASTE, MOST)
}

/// `1.5 MiB/s`.
fn rate(bytes: usize, took: Duration) -> String {
    let a_second = bytes as u128 * 1_000_000 / took.as_micros().max(1);
    format!("{}/s", units::bytes(u64::try_from(a_second).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_measured_with_less() {
        assert_eq!(size_for(Duration::ZERO), MOST);
        assert_eq!(size_for(Duration::from_millis(100)), 30 * TASTE);
        assert_eq!(size_for(Duration::from_mins(1)), TASTE);
    }
}
