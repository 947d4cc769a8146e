//! HEAD of the bucket is answered: s3fs asks so before it writes, and makes a bucket where it
//! hears no.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused};
use crate::doctor::permissions;
use crate::model::permission::Action;
use crate::oss::Kind;

pub(super) const CHECK: Check = Check {
    id: "head-bucket",
    title: "HEAD of the bucket is answered",
    about: "s3fs asks HEAD of the bucket in every makedirs; where that is refused it tries to \
            create the bucket, and the run fails with an error about CreateBucket.",
    needs: &["bucket-region"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    let bucket = &store.bucket;
    let answer = case.client()?.head_bucket(bucket).await;
    let seen = |finding| permissions::seen(finding, Action::GetBucketInfo, &answer);
    let Err(error) = &answer else {
        return Ok(seen(passed(format!("HEAD of {bucket} is answered."))));
    };
    // a HEAD has no body; the first answer to a GET may have told the rest of the same refusal
    let first = case.first()?.answer.as_ref().err();
    let whole = first.filter(|first| first.ec.is_some() && first.ec == error.ec);
    let finding =
        refused(format!("HEAD of the bucket {bucket} is refused."), whole.unwrap_or(error));
    Ok(seen(match error.kind {
        Kind::Permission => finding
            .because("ZenML's makedirs would then try to create the bucket, and fail at that.")
            .next("Allow oss:ListObjects and oss:GetBucketInfo on the bucket for this key."),
        _ => finding,
    }))
}
