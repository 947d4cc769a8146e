//! A key with a space, `+`, `%` and letters beyond ASCII comes back as it went.

use bytes::Bytes;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};
use crate::doctor::scratch::ODD;
use crate::oss::listing::ListRequest;

pub(super) const CHECK: Check = Check {
    id: "odd-key",
    title: "odd names survive",
    about: "A name with a space, +, % and 中文 is written, read and listed. ZenML's own keys are \
            plain; names of data and models in them need not be.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

const BODY: &[u8] = b"an odd name\n";

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let fails =
        |error| Box::new(hampered("A name beyond letters and digits does not work.", &error));
    let probe = case.put(ODD, Bytes::from_static(BODY)).await.map_err(fails)?;
    let key = probe.key.as_str();
    let prefix = key.get(..=case.folder().len()).unwrap_or(case.folder()).to_owned();
    let request = ListRequest { prefix, ..ListRequest::default() };
    let (read, listed) = tokio::join!(
        client.get_range(&store.bucket, key, 0, BODY.len(), None),
        client.list_page(&store.bucket, &request),
    );
    let read = read.map_err(fails)?;
    // who may not list has been told so by the rung that is about it
    let is_listed = listed.map_or(true, |page| page.entries().any(|entry| entry.key == key));
    if read.value.bytes == BODY && is_listed {
        return Ok(passed("An odd name came back as it went.").fact("name", ODD));
    }
    Ok(warned("An odd name comes back as another one.")
        .because("Something between this machine and OSS decodes names, or encodes them twice.")
        .next("Keep names of steps, data and models to letters, digits, - and _.")
        .fact("name", ODD))
}
