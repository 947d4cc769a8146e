//! What earlier checks could not take back is taken away.

use futures_util::StreamExt as _;
use futures_util::stream;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed};
use crate::doctor::scratch::{is_ours, prefix_of_all};
use crate::oss::Error;
use crate::oss::listing::ListRequest;
use crate::oss::object::Upload;

pub(super) const CHECK: Check = Check {
    id: "leftovers",
    title: "earlier checks left nothing",
    about: "Objects and unfinished uploads that a check wrote and could not remove, since it was \
            killed or cut off, are removed when they are older than an hour.",
    needs: &["list", "residency"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// Younger ones may be those of a check that runs somewhere else at this moment.
const AGE: Duration = Duration::HOUR;
/// Removed at a time.
const AT_ONCE: usize = 8;

async fn run(case: &Case) -> Verdict {
    let (objects, uploads) = tokio::join!(objects(case), uploads(case));
    let objects = objects.map_err(|error| {
        Box::new(hampered("What earlier checks left cannot be listed.", &error))
    })?;
    // listing uploads is a right of its own, which ZenML does not need
    let (uploads, untold) = match uploads {
        Ok(uploads) => (uploads, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let found = objects.len() + uploads.len();
    let (store, client) = (case.store()?, case.client()?);
    let bucket = &store.bucket;
    let of_objects = stream::iter(objects)
        .map(|key| async move { client.delete(bucket, &key).await.err() })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect::<Vec<Error>>();
    let of_uploads = stream::iter(uploads)
        .map(|it| async move { client.abort_upload(bucket, &it.key, &it.id).await.err() })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect::<Vec<Error>>();
    let (mut errors, more) = tokio::join!(of_objects, of_uploads);
    errors.extend(more);
    let finding = match (errors.first(), found) {
        (Some(error), _) => {
            let stay = errors.len();
            let summary = format!("{stay} of {found} objects that earlier checks left stay there.");
            hampered(summary, error)
                .next(format!("Delete what begins with {}", prefix_of_all(&store.key_prefix())))
        }
        (None, 0) => passed("Earlier checks left nothing."),
        (None, _) => passed(format!("{found} objects of earlier checks were removed.")),
    };
    let finding = finding.fact("removed", (found - errors.len()).to_string());
    Ok(untold.into_iter().fold(finding, |finding, why| finding.fact("unfinished uploads", why)))
}

/// Keys of our form, old enough.
async fn objects(case: &Case) -> Result<Vec<String>, Error> {
    let (Ok(store), Ok(client)) = (case.store(), case.client()) else { return Ok(Vec::new()) };
    let prefix = store.key_prefix();
    let request = ListRequest { prefix: prefix_of_all(&prefix), ..ListRequest::default() };
    let mut pages = client.walk(&store.bucket, request).at_most(1);
    let mut old = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        let entries = page.entries().filter(|entry| {
            let written = OffsetDateTime::from_unix_timestamp(entry.last_modified).ok();
            is_ours(&prefix, entry.key) && is_old(case, written)
        });
        old.extend(entries.map(|entry| entry.key.to_owned()));
    }
    Ok(old)
}

async fn uploads(case: &Case) -> Result<Vec<Upload>, Error> {
    let (Ok(store), Ok(client)) = (case.store(), case.client()) else { return Ok(Vec::new()) };
    let prefix = store.key_prefix();
    let mut uploads = client.list_uploads(&store.bucket, &prefix_of_all(&prefix)).await?;
    uploads.retain(|upload| {
        let begun = upload.initiated.as_deref();
        let begun = begun.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        is_ours(&prefix, &upload.key) && is_old(case, begun)
    });
    Ok(uploads)
}

fn is_old(case: &Case, written: Option<OffsetDateTime>) -> bool {
    written.is_some_and(|written| case.services.clock.now() - written > AGE)
}
