//! Names to addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
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

/// Who knows addresses: the system's resolver, but for names that mean this machine, and names
/// that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts(Arc<BTreeMap<String, Vec<IpAddr>>>);

impl Hosts {
    /// One name more.
    pub(super) fn with(&self, name: &str, addresses: &[IpAddr]) -> Self {
        let mut hosts = BTreeMap::clone(&self.0);
        hosts.insert(plain(name), addresses.to_vec());
        Self(Arc::new(hosts))
    }

    /// The addresses given for `name`, or for a name above it.
    fn given(&self, name: &str) -> Option<&[IpAddr]> {
        let mut rest = Some(name);
        while let Some(name) = rest {
            if let Some(addresses) = self.0.get(name) {
                return Some(addresses);
            }
            rest = name.split_once('.').map(|(_, above)| above);
        }
        None
    }

    /// Looks `host` up. `localhost` and every name below it mean 127.0.0.1 and nothing else: RFC
    /// 6761 asks for it, and glibc's resolver does not know `bucket.localhost` (measured with
    /// 2.36).
    pub(super) async fn lookup(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let fail = |problem| ResolveError { host: host.to_owned(), problem };
        let name = plain(host);
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
        }
        let addresses: Vec<SocketAddr> = if let Some(given) = self.given(&name) {
            given.iter().map(|address| SocketAddr::from((*address, port))).collect()
        } else {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let asked = tokio::net::lookup_host((bare, port)).await;
            asked.map_err(|error| fail(problem_of(&error.to_string())))?.collect()
        };
        if addresses.is_empty() {
            return Err(fail(ResolveProblem::NoAddress));
        }
        // one bad address refuses the name: whoever controls it would choose which one is dialled
        match addresses.iter().find(|address| is_metadata(address.ip())) {
            Some(address) => Err(fail(ResolveProblem::Metadata(address.ip()))),
            None => Ok(addresses),
        }
    }
}

/// A name as names are compared.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
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

impl tower_service::Service<Name> for Hosts {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let hosts = self.clone();
        Box::pin(async move { Ok(hosts.lookup(name.as_str(), 0).await?.into_iter()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_localhost_name_is_this_machine() {
        for host in ["localhost", "bucket.oss.localhost", "Bucket.LOCALHOST."] {
            let addresses = Hosts::default().lookup(host, 9000).await.unwrap();
            assert_eq!(addresses, ["127.0.0.1:9000".parse().unwrap()], "{host}");
        }
    }

    #[tokio::test]
    async fn metadata_addresses_are_refused() {
        let refused = |error: ResolveError| matches!(error.problem, ResolveProblem::Metadata(_));
        for address in [
            "169.254.169.254",
            "100.100.100.200",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.0.1",
            "64:ff9b::a9fe:a9fe",
        ] {
            let error = Hosts::default().lookup(&format!("[{address}]"), 80).await.unwrap_err();
            assert!(refused(error), "{address}");
            // beside a good address, and for a name below
            let addresses = ["127.0.0.1", address].map(|address| address.parse().unwrap());
            let hosts = Hosts::default().with("Oss.example", &addresses);
            let error = hosts.lookup("bucket.oss.example.", 80).await.unwrap_err();
            assert!(refused(error), "{address}");
        }
        // where OSS's own internal endpoints lie (100.64.0.0/10)
        for address in ["127.0.0.1", "100.118.28.50", "100.100.100.201", "fd00:ec2::255"] {
            let hosts = Hosts::default().with("oss.example", &[address.parse().unwrap()]);
            assert_eq!(hosts.lookup("oss.example", 80).await.unwrap().len(), 1, "{address}");
        }
        let none = Hosts::default().with("oss.example", &[]).lookup("oss.example", 80).await;
        assert_eq!(none.unwrap_err().problem, ResolveProblem::NoAddress);
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
