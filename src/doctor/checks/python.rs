//! The libraries that will run pipelines fit OSS, and the store's settings.

use crate::doctor::case::{Case, is_https};
use crate::doctor::check::{Check, Verdict, failed, passed, skipped, warned};
use crate::model::finding::Finding;
use crate::zenml::lint::{self, Severity, Uses};
use crate::zenml::python::{Environment, judge};

pub(super) const CHECK: Check = Check {
    id: "python",
    title: "the Python that runs fits",
    about: "The versions of zenml, s3fs and botocore in the environment that runs pipelines, and \
            what they do on OSS with this store's settings. Only where it is named.",
    needs: &["store"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Verdict {
    let environment = match &case.python {
        None => return Ok(skipped("no Python was named (--python PATH, or auto)")),
        Some(Err(why)) => {
            return Ok(failed("The Python that was named cannot be looked at.")
                .because(why)
                .next("Name the Python that runs ZenML, or the folder of its environment."));
        }
        Some(Ok(environment)) => environment,
    };
    let store = case.store()?;
    let settings = store.config_kwargs();
    let uses = Uses {
        signature: store.signature,
        https: is_https(store),
        checksum_settings: ["request_checksum_calculation", "response_checksum_validation"]
            .iter()
            .any(|name| settings.get(*name).is_some()),
    };
    Ok(tell(environment, &judge(environment, Some(uses))))
}

fn tell(environment: &Environment, judged: &[lint::Finding]) -> Finding {
    let worst = judged.iter().map(|finding| finding.severity).max();
    let place = &environment.place;
    let finding = match worst {
        Some(Severity::Error) => failed(format!("{place} cannot run pipelines on this store.")),
        Some(Severity::Warning) => warned(format!("{place} runs pipelines, with one thing less.")),
        _ => passed(format!("{place} fits.")),
    };
    let versions = environment.packages.iter();
    let finding = versions.fold(finding, |finding, (name, package)| {
        finding.fact(fact_name(name), package.version.as_str())
    });
    let bad: Vec<&lint::Finding> = judged
        .iter()
        .filter(|one| Some(one.severity) == worst && worst > Some(Severity::Note))
        .collect();
    let Some(first) = bad.first() else { return finding };
    let meanings: Vec<&str> = bad.iter().map(|one| one.meaning.as_str()).collect();
    let finding = finding.because(meanings.join(" "));
    match &first.corrected {
        Some(corrected) => finding.next(corrected),
        None => finding,
    }
}

/// Facts are named by the table, not by what was found.
fn fact_name(package: &str) -> &'static str {
    ["zenml", "s3fs", "boto3", "botocore", "aiobotocore", "fsspec", "aws-profile-manager"]
        .into_iter()
        .find(|name| *name == package)
        .unwrap_or("package")
}
