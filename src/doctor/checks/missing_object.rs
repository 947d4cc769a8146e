//! An object that is not there is a 404 and not a refusal.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, refused};
use crate::oss::Kind;

pub(super) const CHECK: Check = Check {
    id: "missing-object",
    title: "a missing object is a 404",
    about: "ZenML's exists() takes 404 for no. A 403, which servers give to keys that may not \
            list, raises PermissionError before the first artifact is written.",
    needs: &["head-bucket", "public-endpoint"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let missing = case.missing().map_err(|error| Box::new(refused("It has no name.", &error)))?;
    Ok(match client.head(&store.bucket, missing.as_str()).await {
        Err(error) if error.kind == Kind::NotFound => passed("A missing object is a 404."),
        Err(error) if error.kind == Kind::Permission => {
            refused("A missing object is answered with a refusal.", &error)
                .because(
                    "OSS keeps from this key whether an object is there; ZenML's exists() raises \
                     PermissionError on a 403.",
                )
                .next(
                    "Allow oss:GetObject on the bucket's objects and oss:ListObjects on the \
                     bucket for this key.",
                )
        }
        Err(error) => refused("A missing object cannot be asked for.", &error),
        Ok(_) => failed("An object that nobody wrote is said to be there.")
            .because("ZenML would overwrite nothing and read what is not there.")
            .next("Check the endpoint: something between this machine and OSS answers by itself."),
    })
}
