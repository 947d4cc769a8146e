//! The bucket is there, and the key's account may use it.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused};
use crate::oss::{Error, Kind};

pub(super) const CHECK: Check = Check {
    id: "bucket",
    title: "the bucket is there and ours",
    about: "A bucket of this name exists and belongs to the key's account, or lets it in. ZenML \
            registers stores on buckets that do not exist.",
    needs: &["access-key"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// EC of a request that came to another region than the bucket's.
pub(super) const OTHER_REGION: &str = "0003-00001403";
/// EC of a bucket that is another account's, or whose policy refuses the key.
const NOT_OURS: &str = "0003-00000001";

async fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    let there = passed(format!("The bucket {} is there.", store.bucket));
    let Err(error) = &case.first()?.answer else { return Ok(there) };
    let is_there = error.ec.as_deref() == Some(OTHER_REGION)
        || error.code.as_deref() == Some("PublicEndpointForbidden");
    if is_there {
        return Ok(there);
    }
    if error.kind != Kind::Permission || error.ec.as_deref() == Some(NOT_OURS) {
        return explain(case, error);
    }
    // the right to ask for the region is another one than that to use the bucket
    match case.client()?.head_bucket(&store.bucket).await {
        Ok(_) => Ok(there.fact("region", "the key may not ask (oss:GetBucketLocation)")),
        // what refuses a HEAD alone is told by the rung that is about it
        Err(head) if head.kind == Kind::Permission && head.ec != error.ec => Ok(there),
        // a HEAD has no body; the first answer to a GET told the rest of the same refusal
        Err(head) => explain(case, if head.ec == error.ec { error } else { &head }),
    }
}

fn explain(case: &Case, error: &Error) -> Verdict {
    let (store, endpoint) = (case.store()?, case.endpoint()?);
    let bucket = &store.bucket;
    let finding = |summary: String| refused(summary, error);
    Ok(match (error.code.as_deref(), error.kind) {
        (Some("NoSuchBucket"), _) | (None, Kind::NotFound) => {
            let make = if case.is_draft() {
                "make the bucket".to_owned()
            } else {
                format!("make it: osstack mb {}", store.name)
            };
            finding(format!("There is no bucket {bucket} at {}.", endpoint.host()))
                .next(format!("Correct the bucket's name or the region, or {make}"))
        }
        (Some("SecondLevelDomainForbidden"), _) => {
            finding(format!("{bucket} was not seen in front of the host.")).because(
                "OSS takes the bucket in the host name only, and that is how it was sent: \
                 something on the way rewrites the host.",
            )
        }
        _ if error.ec.as_deref() == Some(NOT_OURS) => {
            finding(format!("The bucket {bucket} is not ours."))
                .because(
                    "Names are shared by all accounts: this one belongs to another, or its \
                          policy refuses this key.",
                )
                .next("Correct the bucket's name, or enter a key of the account that owns it.")
        }
        (_, Kind::Permission) => finding(format!("The key may not use the bucket {bucket}.")),
        _ => finding(format!("The bucket {bucket} cannot be reached.")),
    })
}
