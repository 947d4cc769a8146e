//! A listing goes on where its page ends.

use futures_util::future::try_join;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, hampered, passed};
use crate::oss::listing::ListRequest;

pub(super) const CHECK: Check = Check {
    id: "list-paging",
    title: "listings go on page by page",
    about: "Two objects in pages of one: the second page begins where the first ended. From 1,001 \
            objects on ZenML's listdir, glob and rmtree depend on it.",
    needs: &["list", "write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

const NAMES: [&str; 2] = ["page-1", "page-2"];

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let [first, second] = NAMES.map(|name| case.put(name, bytes::Bytes::from_static(b"page")));
    try_join(first, second)
        .await
        .map_err(|error| Box::new(hampered("No two objects can be written.", &error)))?;
    let mut request = ListRequest {
        prefix: format!("{}page-", case.folder()),
        max_keys: Some(1),
        ..ListRequest::default()
    };
    let mut seen = Vec::new();
    // a third page would be one too many
    for _ in 0..=NAMES.len() {
        let page = client
            .list_page(&store.bucket, &request)
            .await
            .map_err(|error| Box::new(hampered("A listing does not go on.", &error)))?;
        seen.extend(page.entries().map(|entry| entry.key.to_owned()));
        request.continuation = page.next().map(ToOwned::to_owned);
        if request.continuation.is_none() {
            break;
        }
    }
    let expected = NAMES.map(|name| format!("{}{name}", case.folder()));
    if seen == expected {
        return Ok(passed("A listing goes on where its page ends."));
    }
    Ok(failed("A listing shows other objects than were written.")
        .because(format!("{} of {} came, or in another order.", seen.len(), NAMES.len()))
        .next("Check that the endpoint is OSS itself and no gateway or cache in front of it."))
}
