//! A signed link opens the object for somebody without a key.

use std::time::Duration;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};

pub(super) const CHECK: Check = Check {
    id: "presign",
    title: "a signed link opens it",
    about: "A link signed for 20 minutes is opened without the key: osstack shares objects so. \
            ZenML itself makes none.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// Longer than a clock may be behind that OSS still accepts.
const LIFE: Duration = Duration::from_mins(20);

async fn run(case: &Case) -> Verdict {
    let (store, client, probe) = (case.store()?, case.client()?, case.probe()?);
    let bucket = &store.bucket;
    let url = client.presign("GET", bucket, Some(probe.key.as_str().into()), LIFE);
    let most = probe.body.len() + 1;
    let answer = client.get_presigned(bucket, &url, most).await.map_err(|error| {
        Box::new(
            hampered("A signed link is refused.", &error)
                .because("Links that osstack makes for others do not open; ZenML needs none."),
        )
    })?;
    if answer.value == probe.body {
        return Ok(passed("A signed link opens the object without the key."));
    }
    Ok(warned("A signed link opens something else than the object.")
        .because("The answer holds other bytes than were written.")
        .next("Look for a proxy or cache between this machine and OSS."))
}
