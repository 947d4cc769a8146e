//! The endpoint's text means an address.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, warned};
use crate::doctor::fix;

pub(super) const CHECK: Check = Check {
    id: "endpoint",
    title: "endpoint is well formed",
    about: "The endpoint's text, or the region's row of the table, means a host; region and \
            endpoint agree.",
    needs: &["store"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    if let Some(Err(error)) = &case.endpoint {
        let setting = if store.access.is_some() { "access" } else { "endpoint" };
        return Ok(failed("The store's endpoint means no address.")
            .because(error.to_string())
            .next(format!("Correct it: {}", case.change(setting, "public")))
            .fix(fix::slips(&store.into())));
    }
    let endpoint = case.endpoint()?;
    let known = endpoint.region();
    let region = store.region.as_ref();
    let elsewhere = match (region, known) {
        (Some(region), Some(known)) => {
            region.scope() != known.id && region.as_str() != known.oss_id
        }
        _ => false,
    };
    let finding = if elsewhere {
        warned(format!("{endpoint} does not lie in the store's region."))
            .because("The store names one region and its endpoint belongs to another.")
            .next("Correct the one that is wrong; the bucket's own check tells which.")
    } else if let Some(slip) = fix::slips(&store.into()) {
        warned("The store's settings have a slip in them.")
            .because(slip.summary())
            .next("Let osstack mend it, or correct it by hand.")
            .fix(Some(slip))
    } else {
        passed(format!("Requests go to {}.", case.host()?))
    };
    let from = if store.access.is_some() { "access" } else { "endpoint" };
    let named = region.map(|region| region.as_str().to_owned());
    let named = named.or_else(|| known.map(|known| known.id.clone()));
    Ok(finding
        .fact("endpoint", endpoint.to_string())
        .fact("taken from", from)
        .fact("region", named.unwrap_or_else(|| "not in the table".to_owned()))
        .fact("signature", store.signature.to_string())
        .fact("addressing", "virtual-hosted"))
}
