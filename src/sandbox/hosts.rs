//! Which host means what.
//!
//! OSS answers on two levels of names (documentation, "Regions and endpoints"):
//! the region's own host, for the account's list of buckets, and one host below
//! it for each bucket. The form with `s3.` in front means the same service. A
//! custom domain is a bucket: with no name in front of it and no service behind it
//! (documentation, "Access OSS by custom domain names").

use std::str::FromStr;

use http::HeaderMap;

use crate::base::visible::visible;
use crate::model::bucket::{BucketError, BucketName};

/// A region the sandbox plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The general id, as in `eu-central-1`.
    pub id: String,
    /// The region's own host, as in `oss-eu-central-1.aliyuncs.com`.
    pub host: String,
    /// The port, where it is not the scheme's own.
    pub port: Option<u16>,
}

impl Region {
    /// Host and port, as `<Endpoint>` names it.
    pub fn endpoint(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The id as OSS writes it in `Location` and `LocationConstraint`.
    pub fn location(&self) -> String {
        format!("oss-{}", self.id)
    }
}

/// Every bucket is also bound to the custom domain `BUCKET.cname.localhost`. A client that puts
/// the bucket in front of its endpoint, as botocore does, reaches it with this for its endpoint.
pub const CNAME: &str = "cname.localhost";

/// A custom domain: a name that stands for a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The name, in lower case.
    pub name: String,
    /// The bucket.
    pub bucket: String,
}

/// Why a custom domain cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// It is not of the form `NAME=BUCKET`.
    #[error("a custom domain is given as NAME=BUCKET, as in data.localhost=zenml-demo")]
    Form,
    /// No host is named so.
    #[error(
        "{} is no name of a host; give one of letters, digits, hyphens and dots, as in data.localhost",
        visible(name)
    )]
    Name {
        /// The name.
        name: String,
    },
    /// No bucket is named so.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        let (name, bucket) = text.split_once('=').ok_or(DomainError::Form)?;
        let label = |label: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (1..=63).contains(&label.len()) && label.bytes().all(plain)
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return Err(DomainError::Name { name: name.to_owned() });
        }
        BucketName::parse(bucket)?;
        Ok(Self { name: name.to_ascii_lowercase(), bucket: bucket.to_owned() })
    }
}

/// What a request is addressed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The account's service in a region.
    Service(Region),
    /// A bucket's host in a region.
    Bucket(Region, String),
    /// A bucket's custom domain.
    Domain(String),
    /// A host that belongs to nobody here.
    Unknown(String),
}

impl Place {
    /// The bucket in the host.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Bucket(_, bucket) | Self::Domain(bucket) => Some(bucket),
            Self::Service(_) | Self::Unknown(_) => None,
        }
    }
}

/// The regions, the custom domains and their hosts.
#[derive(Clone, Debug)]
pub struct Hosts {
    regions: Vec<Region>,
    domains: Vec<Domain>,
}

impl Hosts {
    /// The hosts of `regions`; addresses such as `127.0.0.1` mean the first one's service.
    pub fn new(regions: Vec<Region>) -> Self {
        Self { regions, domains: Vec::new() }
    }

    /// With custom domains beside those below [`CNAME`].
    #[must_use]
    pub fn with_domains(self, domains: Vec<Domain>) -> Self {
        Self { domains, ..self }
    }

    /// The custom domains that were bound.
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// All regions.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The region with this id.
    pub fn region(&self, id: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.id == id)
    }

    /// What the `Host` header of a request means. The port is left aside.
    pub fn place(&self, headers: &HeaderMap) -> Place {
        let header = headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
        let name = name_of(header.unwrap_or_default()).to_ascii_lowercase();
        if let Some(domain) = self.domains.iter().find(|domain| domain.name == name) {
            return Place::Domain(domain.bucket.clone());
        }
        if let Some(bucket) = name.strip_suffix(CNAME).and_then(|front| front.strip_suffix('.')) {
            return Place::Domain(bucket.to_owned());
        }
        for region in &self.regions {
            let Some(front) = name.strip_suffix(region.host.as_str()) else { continue };
            match front.strip_suffix("s3.").unwrap_or(front) {
                "" => return Place::Service(region.clone()),
                bucket => {
                    if let Some(bucket) = bucket.strip_suffix('.') {
                        return Place::Bucket(region.clone(), bucket.to_owned());
                    }
                }
            }
        }
        match self.regions.first() {
            Some(first) if name == "localhost" || name.parse::<std::net::IpAddr>().is_ok() => {
                Place::Service(first.clone())
            }
            _ => Place::Unknown(name),
        }
    }
}

/// The name in front of a port; an IPv6 address without its brackets.
fn name_of(host: &str) -> &str {
    if let Some(address) = host.strip_prefix('[') {
        return address.split(']').next().unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str) -> Place {
        let region = |id: &str| Region {
            id: id.into(),
            host: format!("oss-{id}.localhost"),
            port: Some(9000),
        };
        let mut headers = HeaderMap::new();
        headers.insert(http::header::HOST, host.parse().unwrap());
        Hosts::new(vec![region("sandbox"), region("sandbox-b")])
            .with_domains(vec!["Data.Example.com=demo".parse().unwrap()])
            .place(&headers)
    }

    #[test]
    fn a_custom_domain_is_a_bucket() {
        for host in ["data.example.com", "DATA.example.com:9000", "demo.cname.localhost:9000"] {
            assert_eq!(place(host), Place::Domain("demo".into()), "{host}");
        }
        for host in ["demo.data.example.com", "cname.localhost", "example.com"] {
            assert!(matches!(place(host), Place::Unknown(_)), "{host}");
        }
        for text in ["a.b", "=demo", "a..b=demo", "a_b=demo", "a.b=", "a.b=UPPER", "a/b=demo"] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_bucket_stands_before_the_regions_host() {
        for host in ["demo.oss-sandbox-b.localhost:9000", "demo.s3.oss-sandbox-b.localhost"] {
            let Place::Bucket(region, bucket) = place(host) else { panic!("{host}") };
            assert_eq!((region.id.as_str(), bucket.as_str()), ("sandbox-b", "demo"));
        }
        assert!(matches!(place("a.b.oss-sandbox.localhost"), Place::Bucket(_, b) if b == "a.b"));
    }

    #[test]
    fn the_service_answers_on_its_own_host_and_on_addresses() {
        for host in [
            "OSS-sandbox.localhost:9000",
            "s3.oss-sandbox.localhost",
            "127.0.0.1:9000",
            "[::1]:9000",
        ] {
            assert!(
                matches!(place(host), Place::Service(region) if region.id == "sandbox"),
                "{host}"
            );
        }
    }

    #[test]
    fn other_hosts_are_nobodys() {
        for host in ["example.com", "xoss-sandbox.localhost", "oss-sandbox.localhost.evil"] {
            assert!(matches!(place(host), Place::Unknown(_)), "{host}");
        }
    }
}
