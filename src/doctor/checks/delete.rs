//! An object can be deleted, and is gone then.

use bytes::Bytes;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};
use crate::doctor::permissions;
use crate::model::permission::Action;
use crate::oss::Kind;

pub(super) const CHECK: Check = Check {
    id: "delete",
    title: "it can be deleted",
    about: "A single DELETE. Steps write and read without it; clearing away failed steps and old \
            artifacts needs it.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let probe = case
        .put("delete", Bytes::from_static(b"to be deleted\n"))
        .await
        .map_err(|error| Box::new(hampered("No second object can be written.", &error)))?;
    let key = probe.key.as_str();
    let deletion = client.delete(&store.bucket, key).await;
    let seen = |finding| permissions::seen(finding, Action::DeleteObject, &deletion);
    if let Err(error) = &deletion {
        let finding = hampered("The object cannot be deleted.", error).fact("key", key);
        return Ok(seen(match error.kind {
            Kind::Permission => finding
                .because("Pipelines run; what they leave, this check's objects too, stays.")
                .next(
                    "Allow oss:DeleteObject on the bucket's objects for this key: ZenML clears \
                     away failed steps and old artifacts.",
                ),
            _ => finding,
        }));
    }
    Ok(match client.head(&store.bucket, key).await {
        Ok(_) => warned("The object is still there after its deletion.")
            .because("The server said yes to the deletion and still answers for the object.")
            .next("Check for a retention policy (WORM) on the bucket, and for a caching proxy.")
            .fact("key", key),
        Err(error) => {
            // the deletion was answered with yes; a refused look back does not undo it
            case.traces.gone(&probe.key);
            let finding = seen(passed("The object is gone."));
            match error.kind {
                Kind::NotFound => finding,
                _ => finding.fact("look back", error.to_string()),
            }
        }
    })
}
