//! The proxy between this machine and the bucket, where there is one, answers.

use super::tcp::{dial, lines};
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed};
use crate::model::finding::Finding;
use crate::ports::network::Network;

pub(super) const CHECK: Check = Check {
    id: "proxy",
    title: "the way out is open",
    about: "Requests go straight, or through the proxy that HTTPS_PROXY names, and that one answers.",
    needs: &["endpoint"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    Ok(match case.proxy()? {
        Some(proxy) => through(&proxy, &case.services.network).await,
        None => passed("No proxy stands in between.").fact("proxy", "none"),
    })
}

/// The proxy's own port: what lies behind it shows with the first request.
async fn through(proxy: &str, network: &Network) -> Finding {
    let wrong = |because: String| {
        failed(format!("The proxy {proxy} does not answer."))
            .because(because)
            .next("Check HTTPS_PROXY; NO_PROXY=aliyuncs.com goes past it.")
    };
    let uri: Option<http::Uri> = proxy.parse().ok();
    let Some((host, port)) =
        uri.as_ref().and_then(|uri| Some((uri.host()?, uri.port_u16().unwrap_or(80))))
    else {
        return wrong("its address has no host".to_owned());
    };
    let addresses = match network.resolve(host, port).await {
        Ok(addresses) => addresses,
        Err(error) => return wrong(error.to_string()),
    };
    match dial(network, &addresses).await {
        (Some(address), _) => passed(format!("The proxy {proxy} answers."))
            .fact("proxy", proxy)
            .fact("address", address.to_string())
            .fact("ZenML", "botocore heeds HTTPS_PROXY too, where ZenML runs"),
        (None, errors) => wrong(lines(&errors)),
    }
}
