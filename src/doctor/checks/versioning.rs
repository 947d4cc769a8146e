//! Whether the bucket keeps what is deleted.

use crate::base::visible::visible;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, warned};
use crate::doctor::permissions;
use crate::model::permission::Action;

pub(super) const CHECK: Check = Check {
    id: "versioning",
    title: "versioning is known",
    about: "Whether old versions stay after a deletion and cost on. OSS need not answer: a refusal \
            is a fact here, not a fault.",
    needs: &["head-bucket"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let answer = client.bucket_versioning(&store.bucket).await;
    let (summary, state) = match &answer {
        Ok(answer) => match answer.value.as_deref() {
            Some("Enabled") => (
                "The bucket keeps old versions: what ZenML deletes still lies there and costs.",
                "enabled".to_owned(),
            ),
            Some("Suspended") => (
                "The bucket once kept old versions, which still lie there and cost.",
                "suspended".to_owned(),
            ),
            Some(other) => {
                ("The bucket's versioning is unknown to us.", visible(other).into_string())
            }
            None => ("The bucket keeps no old versions.", "never enabled".to_owned()),
        },
        Err(error) => ("The bucket does not tell of its versioning.", format!("not told: {error}")),
    };
    let finding = match state.as_str() {
        // the run works; that a deletion frees the space does not hold
        "enabled" | "suspended" => warned(summary)
            .because("A deletion leaves the old version, which only its id or a rule removes.")
            .next(
                "Let a lifecycle rule of the bucket delete noncurrent versions (OSS console, \
                 Lifecycle), or keep them on purpose.",
            ),
        _ => passed(summary),
    };
    let finding = finding.fact("versioning", state);
    Ok(permissions::seen(finding, Action::GetBucketVersioning, &answer))
}
