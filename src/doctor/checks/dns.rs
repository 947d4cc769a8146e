//! The bucket's host name has an address.

use crate::doctor::case::{Case, Lesson};
use crate::doctor::check::{Check, Seen, failed, passed, skipped};
use crate::doctor::fix;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Finding;
use crate::ports::network::{ResolveError, ResolveProblem};

pub(super) const CHECK: Check = Check {
    id: "dns",
    title: "name resolves",
    about: "The bucket's host name has an address, and none that OSS never has.",
    needs: &["endpoint"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Result<Seen, Box<Finding>> {
    if let Some(proxy) = case.proxy()? {
        return Ok(skipped(format!("the proxy {proxy} resolves the name")).into());
    }
    let host = case.host()?;
    let endpoint = case.endpoint()?;
    match case.services.network.resolve(&host, endpoint.port()).await {
        Ok(addresses) => {
            let shown: Vec<_> = addresses.iter().map(|it| it.ip().to_string()).collect();
            let shown = shown.join(", ");
            let finding = passed(format!("{host} is {shown}."));
            let finding = finding.fact("host", host).fact("addresses", shown);
            Ok(Seen::teaching(finding, Lesson::Addresses(addresses)))
        }
        Err(error) => Ok(explain(&error, endpoint).fix(fix::from_outside(case.store()?)).into()),
    }
}

fn explain(error: &ResolveError, endpoint: &Endpoint) -> Finding {
    let host = &error.host;
    let (summary, next) = match &error.problem {
        ResolveProblem::NoSuchName | ResolveProblem::NoAddress if endpoint.is_internal() => (
            format!("{host} is not known here."),
            "Internal hosts exist inside Alibaba Cloud only: let this machine go in by the public \
             endpoint (access = \"public\"); ZenML keeps the internal one."
                .to_owned(),
        ),
        ResolveProblem::NoSuchName | ResolveProblem::NoAddress => (
            format!("There is no host {host}."),
            "Check the spelling of region and endpoint: `osstack regions` lists them.".to_owned(),
        ),
        ResolveProblem::ServerFailed => (
            format!("The name server does not answer for {host}."),
            "Check that this machine is online, then its name server (/etc/resolv.conf)."
                .to_owned(),
        ),
        ResolveProblem::Metadata(address) => (
            format!("{host} leads to {address}."),
            "No OSS lies at a metadata or link-local address, and nothing was sent there: check \
             the endpoint and who runs your name server."
                .to_owned(),
        ),
        ResolveProblem::Other(_) => (
            format!("{host} cannot be resolved."),
            "Check that this machine is online, and the spelling of the endpoint.".to_owned(),
        ),
    };
    failed(summary).because(error.problem.to_string()).next(next).fact("host", host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(endpoint: &str, problem: ResolveProblem) -> Finding {
        let endpoint = Endpoint::parse(endpoint).unwrap();
        let host = format!("your-bucket-name.{}", endpoint.host());
        explain(&ResolveError { host, problem }, &endpoint)
    }

    #[test]
    fn five_problems_are_told_apart_and_each_has_its_own_next_step() {
        let public = "https://oss-eu-central-1.aliyuncs.com";
        let all = [
            finding(public, ResolveProblem::NoSuchName),
            finding("https://oss-eu-central-1-internal.aliyuncs.com", ResolveProblem::NoSuchName),
            finding(public, ResolveProblem::ServerFailed),
            finding(public, ResolveProblem::Metadata([169, 254, 169, 254].into())),
            finding(public, ResolveProblem::Other("out of memory".into())),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(one.because.is_some());
            assert!(all[at + 1..].iter().all(|other| other.next != one.next), "{one:?}");
        }
        assert!(all[0].next.as_deref().unwrap().contains("osstack regions"));
        assert!(all[1].next.as_deref().unwrap().contains("access = \"public\""));
        assert!(all[3].summary.contains("169.254.169.254"));
    }
}
