//! Names to addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;

use crate::model::endpoint::is_metadata;

/// A name that could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {problem}")]
pub struct ResolveError {
    /// The name.
    pub host: String,
    /// What is wrong with it.
    pub problem: ResolveProblem,
}

/// Why a name has no usable address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveProblem {
    /// NXDOMAIN.
    #[error("there is no such host name")]
    NoSuchName,
    /// The name exists without an address.
    #[error("the name exists but has no address")]
    NoAddress,
    /// SERVFAIL, or no name server answers.
    #[error("the name server does not answer: is this machine online?")]
    ServerFailed,
    /// It points to a metadata service or to the local link.
    #[error("it resolves to {0}, a metadata or link-local address: refused")]
    Metadata(IpAddr),
    /// Anything else, as the system words it.
    #[error("{0}")]
    Other(String),
}

/// Looks `host` up. `localhost` and every name below it mean 127.0.0.1 and nothing else: RFC 6761
/// asks for it, and glibc's resolver does not know `bucket.localhost` (measured with 2.36).
pub(super) async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    let fail = |problem| ResolveError { host: host.to_owned(), problem };
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((bare, port))
        .await
        .map_err(|error| fail(problem_of(&error.to_string())))?
        .collect();
    if addresses.is_empty() {
        return Err(fail(ResolveProblem::NoAddress));
    }
    // one bad address refuses the name: whoever controls it would choose which one is dialled
    match addresses.iter().find(|address| is_metadata(address.ip())) {
        Some(address) => Err(fail(ResolveProblem::Metadata(address.ip()))),
        None => Ok(addresses),
    }
}

/// std keeps getaddrinfo's code to itself, so the text has to tell.
fn problem_of(text: &str) -> ResolveProblem {
    let text_lower = text.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| text_lower.contains(part));
    // glibc, musl, macOS, Windows
    if has(&[
        "name or service not known",
        "name does not resolve",
        "nodename nor servname",
        "no such host",
    ]) {
        return ResolveProblem::NoSuchName;
    }
    if has(&["no address associated", "name has no usable address", "no data"]) {
        return ResolveProblem::NoAddress;
    }
    if has(&["temporary failure", "try again", "non-recoverable failure", "server fail"]) {
        return ResolveProblem::ServerFailed;
    }
    ResolveProblem::Other(crate::base::visible::visible(text).into_string())
}

/// The same, as hyper-util's connector asks for it.
#[derive(Clone, Debug)]
pub(super) struct Resolver;

impl tower_service::Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move { Ok(lookup(name.as_str(), 0).await?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_localhost_name_is_this_machine() {
        for host in ["localhost", "bucket.oss.localhost", "Bucket.LOCALHOST."] {
            let addresses = lookup(host, 9000).await.unwrap();
            assert_eq!(addresses, ["127.0.0.1:9000".parse().unwrap()], "{host}");
        }
    }

    #[tokio::test]
    async fn metadata_addresses_are_refused() {
        for host in ["169.254.169.254", "100.100.100.200", "[fe80::1]", "[::ffff:169.254.0.1]"] {
            let error = lookup(host, 80).await.unwrap_err();
            assert!(matches!(error.problem, ResolveProblem::Metadata(_)), "{host}: {error}");
        }
        assert!(lookup("127.0.0.1", 80).await.is_ok());
    }

    #[test]
    fn the_systems_words_tell_the_cause() {
        let of = |text: &str| problem_of(&format!("failed to lookup address information: {text}"));
        assert_eq!(of("Name or service not known"), ResolveProblem::NoSuchName);
        assert_eq!(of("nodename nor servname provided, or not known"), ResolveProblem::NoSuchName);
        assert_eq!(of("Temporary failure in name resolution"), ResolveProblem::ServerFailed);
        assert_eq!(of("No address associated with hostname"), ResolveProblem::NoAddress);
        assert!(matches!(of("Memory allocation failure"), ResolveProblem::Other(_)));
    }
}
