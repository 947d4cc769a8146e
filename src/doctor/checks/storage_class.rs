//! What lies below the prefix can be read at once.

use std::collections::BTreeMap;

use crate::base::visible::visible;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};
use crate::oss::listing::ListRequest;

pub(super) const CHECK: Check = Check {
    id: "storage-class",
    title: "nothing there is archived",
    about: "The storage classes of the first 1,000 objects below the prefix. Archived ones must be \
            restored first: loading such an artifact fails.",
    needs: &["list"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let request = ListRequest { prefix: store.key_prefix(), ..ListRequest::default() };
    let page = client
        .list_page(&store.bucket, &request)
        .await
        .map_err(|error| Box::new(hampered("The objects cannot be listed.", &error)))?;
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut archived = Vec::new();
    for entry in page.entries().filter(|entry| !entry.key.starts_with(case.folder())) {
        *classes.entry(entry.storage_class.as_str()).or_default() += 1;
        if entry.storage_class.is_archived() {
            archived.push(visible(entry.key).into_string());
        }
    }
    let seen: usize = classes.values().sum();
    let classes: Vec<_> = classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
    let more = if page.next().is_some() { ", and more that were not looked at" } else { "" };
    let finding = match archived.first() {
        None => passed("None of the objects looked at is archived."),
        Some(example) => warned(format!("{} of {seen} objects are archived.", archived.len()))
            .because(
                "OSS gives an archived object out only after it was restored; loading such an \
                 artifact fails with InvalidObjectState.",
            )
            .next(
                "Restore what is still needed (osstack restore), and keep lifecycle rules that \
                 archive away from this prefix.",
            )
            .fact("for example", example.as_str()),
    };
    let shown = if classes.is_empty() { "none yet".to_owned() } else { classes.join(", ") };
    Ok(finding.fact("objects", format!("{shown}{more}")))
}
