//! The certificate is good for the bucket's host.

use time::{Duration, OffsetDateTime};

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, skipped, warned};
use crate::doctor::fix;
use crate::model::endpoint::Scheme;
use crate::model::finding::Finding;
use crate::ports::network::{CertificateProblem, TlsFacts, TlsProblem};

pub(super) const CHECK: Check = Check {
    id: "tls",
    title: "TLS is valid",
    about: "The server's certificate is trusted here, is for the bucket's host, and does not end \
            within a week.",
    needs: &["tcp"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    if case.endpoint()?.scheme() == Scheme::Http {
        return Ok(skipped("http to this machine goes without TLS"));
    }
    if let Some(proxy) = case.proxy()? {
        let because =
            format!("the proxy {proxy} stands in between; the next check goes through it");
        return Ok(skipped(because));
    }
    let host = case.host()?;
    let address = case.reached()?;
    let network = &case.services.network;
    let stream = match network.connect(address).await {
        Ok(stream) => stream,
        Err(error) => {
            return Ok(failed(format!("{address} answered once and then no more."))
                .because(error.to_string())
                .next("Try again; if it stays so, a firewall counts connections."));
        }
    };
    Ok(match network.tls_handshake(&host, stream).await {
        Ok(facts) => describe(&host, facts, case.services.clock.now()),
        Err(problem) => {
            let finding = explain(&host, &problem);
            match problem {
                TlsProblem::Certificate(CertificateProblem::WrongHost) => {
                    finding.fix(fix::plain_form(case.store()?))
                }
                _ => finding,
            }
        }
    })
}

/// From here on a certificate's end is worth a word: renewals come earlier.
const SOON: Duration = Duration::days(7);

fn describe(host: &str, facts: TlsFacts, now: OffsetDateTime) -> Finding {
    let ends = facts.certificate.as_ref().and_then(|certificate| certificate.not_after);
    let finding = match ends {
        Some(ends) if ends - now < SOON => {
            let days = (ends - now).whole_days().max(0);
            warned(format!("The certificate for {host} ends in {days} days."))
                .because("From then on nobody connects any more, ZenML included.")
                .next("Ask its owner to renew it (a custom domain's is in the OSS console).")
        }
        _ => passed(format!("{} with a certificate for {host}.", facts.version)),
    };
    let finding = finding
        .fact("name", host)
        .fact("version", facts.version)
        .fact("cipher", facts.cipher)
        .fact("chain", format!("{} certificates", facts.chain));
    let Some(certificate) = facts.certificate else { return finding };
    let finding =
        finding.fact("issued to", certificate.subject).fact("issued by", certificate.issuer);
    match ends {
        Some(ends) => finding
            .fact("ends", ends.date().to_string())
            .fact("days left", (ends - now).whole_days().to_string()),
        None => finding,
    }
}

fn explain(host: &str, problem: &TlsProblem) -> Finding {
    let next = match problem {
        TlsProblem::Certificate(CertificateProblem::Expired | CertificateProblem::NotYetValid) => {
            "Look at this machine's clock first; else the server's owner must renew it."
        }
        TlsProblem::Certificate(CertificateProblem::WrongHost) => {
            "Check the endpoint: the bucket stands in front of it, and the certificate must cover \
             that name (for a custom domain: <bucket>.<domain>)."
        }
        TlsProblem::Certificate(
            CertificateProblem::UnknownIssuer(_) | CertificateProblem::SelfSigned,
        ) => {
            "If a company proxy or an own CA stands in between, name its PEM file in \
             OSSTACK_CA_FILE; give ZenML the same (AWS_CA_BUNDLE). Else do not go on."
        }
        TlsProblem::Certificate(_) => {
            "Do not go on with this server; ask its owner for a certificate that holds."
        }
        TlsProblem::NotTls => "Check the port: https listens on 443.",
        TlsProblem::Handshake(_) => {
            "Ask whether a proxy or firewall breaks TLS; OSS itself speaks TLS 1.2 and 1.3."
        }
        TlsProblem::Timeout(_) => "Try again; a firewall may hold TLS back.",
        TlsProblem::Name(_) => "Correct the endpoint's host name.",
    };
    failed(format!("There is no trusted connection to {host}."))
        .because(problem.to_string())
        .next(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;
    use crate::ports::network::Certificate;

    #[test]
    fn a_certificate_that_ends_soon_is_worth_a_word() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let state = |days| {
            let certificate = Certificate {
                subject: "*.oss.example.com".into(),
                issuer: "CA".into(),
                not_after: Some(now + Duration::days(days)),
                self_signed: false,
            };
            let facts = TlsFacts {
                version: "TLS 1.3".into(),
                cipher: String::new(),
                chain: 2,
                certificate: Some(certificate),
            };
            describe("b.oss.example.com", facts, now).state
        };
        assert_eq!((state(6), state(8)), (State::Warned, State::Passed));
    }
}
