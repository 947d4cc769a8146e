//! The store's prefix may be listed, as `ZenML` does before every read and write.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused};
use crate::doctor::permissions;
use crate::model::permission::Action;
use crate::oss::Kind;
use crate::oss::listing::ListRequest;

pub(super) const CHECK: Check = Check {
    id: "list",
    title: "it may be listed",
    about: "ZenML's exists() lists the prefix, one key folded at the slash, whenever HEAD says 404. \
            Where that is refused no artifact is written.",
    needs: &["head-bucket", "public-endpoint"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    // what s3fs sends for exists(): one key, folded at the slash
    let request = ListRequest {
        prefix: store.key_prefix(),
        delimiter: Some("/".to_owned()),
        max_keys: Some(1),
        ..ListRequest::default()
    };
    let path = store.path();
    let answer = client.list_page(&store.bucket, &request).await;
    let finding = match &answer {
        Ok(page) => {
            let seen = if page.is_empty() { "nothing yet" } else { "objects" };
            passed(format!("{path} can be listed.")).fact("holds", seen)
        }
        Err(error) => {
            let finding = refused(format!("{path} cannot be listed."), error);
            match error.kind {
                Kind::Permission => finding.next(
                    "Allow oss:ListObjects on the bucket for this key; without it ZenML takes \
                     every missing file for a refused one.",
                ),
                _ => finding,
            }
        }
    };
    Ok(permissions::seen(finding, Action::ListObjects, &answer))
}
