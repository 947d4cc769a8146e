//! Somebody listens there.

use std::net::SocketAddr;

use crate::doctor::case::{Case, Lesson};
use crate::doctor::check::{Check, Seen, failed, passed, skipped};
use crate::doctor::fix;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Finding;
use crate::ports::network::{ConnectError, Network};

pub(super) const CHECK: Check = Check {
    id: "tcp",
    title: "port answers",
    about: "Somebody takes connections at one of the host's addresses, on the endpoint's port.",
    needs: &["dns"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Result<Seen, Box<Finding>> {
    if let Some(proxy) = case.proxy()? {
        return Ok(skipped(format!("the proxy {proxy} connects")).into());
    }
    let (reached, errors) = dial(&case.services.network, case.addresses()).await;
    let Some(address) = reached else {
        return Ok(explain(&errors, case.endpoint()?).fix(fix::from_outside(case.store()?)).into());
    };
    let finding = passed(format!("{address} answers.")).fact("address", address.to_string());
    let finding = errors
        .iter()
        .fold(finding, |finding, error| finding.fact("passed over", error.to_string()));
    Ok(Seen::teaching(finding, Lesson::Reached(address)))
}

/// The first address that answers, and what the ones before it said.
pub(super) async fn dial(
    network: &Network,
    addresses: &[SocketAddr],
) -> (Option<SocketAddr>, Vec<ConnectError>) {
    let mut errors = Vec::new();
    for address in addresses {
        match network.connect(*address).await {
            Ok(_) => return (Some(*address), errors),
            Err(error) => errors.push(error),
        }
    }
    (None, errors)
}

fn explain(errors: &[ConnectError], endpoint: &Endpoint) -> Finding {
    let port = endpoint.port();
    let next = if endpoint.is_internal() {
        "Internal hosts answer inside Alibaba Cloud only: let this machine go in by the public \
         endpoint (access = \"public\"); ZenML keeps the internal one."
            .to_owned()
    } else {
        match errors.last() {
            Some(ConnectError::Refused(_)) if endpoint.is_loopback() => format!(
                "Start what should listen on port {port} (the sandbox: `osstack sandbox`), or \
                 correct the port."
            ),
            Some(ConnectError::Refused(_)) => {
                format!("Correct the endpoint: OSS listens on 443 for https, this is port {port}.")
            }
            Some(ConnectError::Unreachable(_)) => {
                "Check this machine's connection, VPN and routes.".to_owned()
            }
            _ => format!("Ask whether a firewall or VPN keeps port {port} closed."),
        }
    };
    failed(format!("Nobody answers on port {port}.")).because(lines(errors)).next(next)
}

pub(super) fn lines(errors: &[ConnectError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_a_silence_and_no_way_are_told_apart() {
        let endpoint = Endpoint::parse("https://oss-eu-central-1.aliyuncs.com").unwrap();
        let at: SocketAddr = "203.0.113.7:443".parse().unwrap();
        let refused = explain(&[ConnectError::Refused(at)], &endpoint);
        let silent =
            explain(&[ConnectError::Timeout(at, std::time::Duration::from_secs(5))], &endpoint);
        let no_way = explain(&[ConnectError::Unreachable(at)], &endpoint);
        assert!(refused.because.unwrap().contains("refuses"));
        assert!(silent.because.unwrap().contains("does not answer"));
        assert!(no_way.because.unwrap().contains("cannot be reached"));
        assert!(refused.next != silent.next && silent.next != no_way.next);
        let inside = Endpoint::parse("https://oss-cn-beijing-internal.aliyuncs.com").unwrap();
        let hint = explain(&[ConnectError::Unreachable(at)], &inside).next.unwrap();
        assert!(hint.contains("access = \"public\""), "{hint}");
    }
}
