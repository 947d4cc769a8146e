//! A file can be made longer as s3fs does it: read, put together, written anew.

use bytes::Bytes;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};

pub(super) const CHECK: Check = Check {
    id: "append",
    title: "it can be appended to",
    about: "Logs of steps are files that grow: s3fs reads one whole, puts the new lines behind it \
            and writes it anew. Where that fails the run goes on without its logs.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

const FIRST: &[u8] = b"first line\n";
const BOTH: &[u8] = b"first line\nsecond line\n";

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let fails = |error| Box::new(hampered("A file cannot be appended to.", &error));
    let probe = case.put("append", Bytes::from_static(FIRST)).await.map_err(fails)?;
    let key = probe.key.as_str();
    let mut read = client.get(&store.bucket, key, None).await.map_err(fails)?.value.body;
    let (read, _) = read.up_to(FIRST.len()).await.map_err(fails)?;
    let longer = [read.as_ref(), BOTH.get(FIRST.len()..).unwrap_or_default()].concat();
    let probe = case.put_at(probe.key, longer.into()).await.map_err(fails)?;
    let key = probe.key.as_str();
    let read =
        client.get_range(&store.bucket, key, 0, BOTH.len() + 1, None).await.map_err(fails)?;
    if read.value.bytes == BOTH {
        return Ok(passed("A file grows when it is written anew."));
    }
    Ok(warned("A file that was written anew still reads as before.")
        .because("Logs of steps would be cut, or show what was there before.")
        .next("Check for a caching proxy, and that the bucket forbids no overwriting."))
}
