//! How long a request takes there and back.

use std::time::Duration;

use crate::base::units;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused, warned};

pub(super) const CHECK: Check = Check {
    id: "round-trip",
    title: "answers come quickly",
    about: "The median time of five small requests. A small pipeline makes some 240 of them, one \
            after the other.",
    needs: &["head-bucket"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// One is often slower: it opens a connection.
const TRIES: usize = 5;
/// Requests of one small pipeline run on S3 (244 were counted).
const OF_A_RUN: u32 = 240;
/// From here on a small run waits for four minutes.
const SLOW: Duration = Duration::from_secs(1);

async fn run(case: &Case) -> Verdict {
    let (store, client, clock) = (case.store()?, case.client()?, &case.services.clock);
    let mut times = Vec::with_capacity(TRIES);
    let mut inside = Vec::with_capacity(TRIES);
    for _ in 0..TRIES {
        let start = clock.instant();
        let answer = client.head_bucket(&store.bucket).await.map_err(|error| {
            Box::new(refused("HEAD of the bucket is refused after it was answered.", &error))
        })?;
        times.push(clock.instant().saturating_duration_since(start));
        inside.extend(answer.meta.server_time_ms.map(Duration::from_millis));
    }
    let Some(median) = median(&mut times) else { return Ok(warned("Nothing was measured.")) };
    let of_a_run = units::span(median * OF_A_RUN);
    let shown = units::span(median);
    let finding = if median < SLOW {
        passed(format!("A request takes {shown} there and back."))
    } else {
        warned(format!("A request takes {shown} there and back."))
            .because(format!("A small pipeline would wait {of_a_run} for the store alone."))
            .next("Run pipelines near the bucket's region, or choose a region near them.")
    };
    let finding = finding.fact("median", shown).fact("a small run waits", of_a_run);
    Ok(match self::median(&mut inside) {
        Some(inside) => finding.fact("of which inside OSS", units::span(inside)),
        None => finding,
    })
}

fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_request_is_not_the_median() {
        let mut times = [5, 900, 7, 6, 8].map(Duration::from_millis);
        assert_eq!(median(&mut times), Some(Duration::from_millis(7)));
        assert_eq!(median(&mut []), None);
    }
}
