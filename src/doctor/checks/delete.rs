//! The object can be deleted, and is gone then.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, refused};
use crate::doctor::permissions;
use crate::model::permission::Action;
use crate::oss::Kind;

pub(super) const CHECK: Check = Check {
    id: "delete",
    title: "it can be deleted",
    needs: &["write"],
    run: |case| Box::pin(run(case)),
};

async fn run(case: &mut Case) -> Verdict {
    let (store, client, probe) = (case.store()?, case.client()?, case.probe()?);
    let deletion = client.delete(&store.bucket, probe.key.as_str()).await;
    let seen = |finding| permissions::seen(finding, Action::DeleteObject, &deletion);
    if let Err(error) = &deletion {
        let finding =
            refused("The object cannot be deleted.", error).fact("key", probe.key.as_str());
        return Ok(seen(match error.kind {
            Kind::Permission => finding.next(
                "Allow oss:DeleteObject on the bucket's objects for this key: ZenML clears away \
                 failed steps and old artifacts.",
            ),
            _ => finding,
        }));
    }
    match client.head(&store.bucket, probe.key.as_str()).await {
        Ok(_) => Ok(failed("The object is still there after its deletion.")
            .because("The server said yes to the deletion and still answers for the object.")
            .next("Check for a retention policy (WORM) on the bucket, and for a caching proxy.")
            .fact("key", probe.key.as_str())),
        Err(error) => {
            // the deletion was answered with yes; a refused look back does not undo it
            case.traces.gone(&probe.key);
            let finding = seen(passed("The object is gone."));
            Ok(match error.kind {
                Kind::NotFound => finding,
                _ => finding.fact("look back", error.to_string()),
            })
        }
    }
}
