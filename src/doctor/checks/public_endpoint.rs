//! Objects may be reached by this endpoint, not only the bucket's settings.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused};
use crate::doctor::fix;
use crate::oss::Error;

pub(super) const CHECK: Check = Check {
    id: "public-endpoint",
    title: "objects may go this way",
    about: "Accounts opened since 2025-03-20 reach objects in mainland regions by internal \
            endpoints or custom domains only; the bucket itself answers all the same.",
    needs: &["bucket-region"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let missing = case.missing().map_err(|error| Box::new(refused("It has no name.", &error)))?;
    // GET, since a HEAD has no body to say why; any other answer is the business of other rungs
    let answer = client.get_range(&store.bucket, missing.as_str(), 0, 1, None).await;
    let endpoint = case.endpoint()?;
    let Some(error) = answer.as_ref().err().filter(|error| is_forbidden(error)) else {
        return Ok(passed(format!("{} serves objects.", endpoint.host())));
    };
    Ok(refused(format!("{} may not be reached by a public endpoint.", store.bucket), error)
        .because(
            "Accounts opened since 2025-03-20 reach objects in mainland regions by internal \
             endpoints or custom domains only.",
        )
        .next(
            "Bind a custom domain to the bucket and name it as the store's endpoint \
             (custom_domain), run ZenML inside Alibaba Cloud with the internal endpoint, or take \
             a region outside the mainland.",
        )
        .steps(fix::custom_domain(store, case.is_draft())))
}

fn is_forbidden(error: &Error) -> bool {
    error.code.as_deref() == Some("PublicEndpointForbidden")
        || error.ec.as_deref() == Some("0048-00000401")
}
