//! This machine goes the way that `ZenML` will, or it is said that it does not.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, warned};
use crate::model::endpoint::Endpoint;

pub(super) const CHECK: Check = Check {
    id: "vantage",
    title: "seen the way ZenML will",
    about: "The endpoint used here is the one that ZenML is given. Where access names another, \
            all that follows says nothing of ZenML's own way.",
    needs: &["endpoint"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    let here = case.endpoint()?;
    let way = match case.proxy()? {
        Some(proxy) => format!("this machine, through the proxy {proxy}"),
        None => "this machine".to_owned(),
    };
    let zenml = match store.zenml_endpoint() {
        Ok(zenml) => zenml,
        Err(error) => {
            return Ok(failed("The endpoint that ZenML is given means no address.")
                .because(error.to_string())
                .next(format!("Correct it: {}", case.change("endpoint", "public"))));
        }
    };
    let finding = if zenml == *here {
        passed("ZenML is given the same endpoint.")
    } else if lie_apart(&zenml, here) {
        failed("ZenML is given an endpoint in another region than the one used here.")
            .because("A bucket lies in one region: what is reached here is not to be had there.")
            .next("Let endpoint and access name the same region.")
    } else {
        warned("Not seen the way ZenML will.")
            .because(format!(
                "This machine goes by {here}; ZenML is given {zenml}, not tried here."
            ))
            .next("Run the same check where the pipelines run.")
    };
    Ok(finding
        .fact("seen from", way)
        .fact("used here", here.to_string())
        .fact("ZenML uses", zenml.to_string()))
}

/// Whether both endpoints belong to regions, and not to one.
fn lie_apart(zenml: &Endpoint, here: &Endpoint) -> bool {
    match (zenml.region(), here.region()) {
        (Some(one), Some(other)) => one.oss_id != other.oss_id,
        _ => false,
    }
}
