//! Endpoints: what a store names, and the address it means.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bucket::BucketName;
use super::region::{self, Region};

/// The kinds of endpoint a region may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndpointKind {
    /// `oss-R.aliyuncs.com`.
    Public,
    /// `oss-R-internal.aliyuncs.com`: from inside Alibaba's network only.
    Internal,
    /// `R.oss.aliyuncs.com`: IPv4 and IPv6.
    DualStack,
    /// `oss-accelerate.aliyuncs.com`, switched on per bucket.
    Accelerate,
    /// `oss-accelerate-overseas.aliyuncs.com`, for buckets outside the mainland.
    AccelerateOverseas,
    /// `s3.oss-R.aliyuncs.com`: says by its name that the call is S3.
    S3,
    /// `s3.oss-R-internal.aliyuncs.com`.
    S3Internal,
}

impl EndpointKind {
    /// Every kind, in the order forms offer them.
    pub const ALL: [Self; 7] = [
        Self::Public,
        Self::Internal,
        Self::DualStack,
        Self::Accelerate,
        Self::AccelerateOverseas,
        Self::S3,
        Self::S3Internal,
    ];

    /// The word in `stacks.toml` and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::DualStack => "dual-stack",
            Self::Accelerate => "accelerate",
            Self::AccelerateOverseas => "accelerate-overseas",
            Self::S3 => "s3",
            Self::S3Internal => "s3-internal",
        }
    }

    /// The kind that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether one host serves all regions.
    pub fn is_global(self) -> bool {
        matches!(self, Self::Accelerate | Self::AccelerateOverseas)
    }
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a store says about its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointChoice {
    /// One of the region's own.
    Kind(EndpointKind),
    /// A URL typed by the user.
    Url(Endpoint),
    /// A domain such that `<bucket>.<domain>` is the name bound to the bucket.
    CustomDomain(String),
}

impl EndpointChoice {
    /// Reads `public`, `https://…` or `domain:oss.example.com`.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        if let Some(kind) = EndpointKind::parse(text) {
            return Ok(Self::Kind(kind));
        }
        if let Some(domain) = text.strip_prefix("domain:") {
            let endpoint = Endpoint::parse(&format!("https://{}", domain.trim()))?;
            return Ok(Self::CustomDomain(endpoint.host));
        }
        Endpoint::parse(text).map(Self::Url)
    }

    /// The address meant, given the store's region where the choice needs it.
    pub fn resolve(&self, region: Option<&Region>) -> Result<Endpoint, EndpointError> {
        match self {
            Self::Kind(kind) => {
                let region = region.ok_or(EndpointError::NoRegion(*kind))?;
                let host = region.host(*kind).ok_or_else(|| EndpointError::KindAbsent {
                    kind: *kind,
                    region: region.id.clone(),
                    kinds: region.kinds().map(EndpointKind::as_str).collect::<Vec<_>>().join(", "),
                })?;
                Ok(Endpoint { scheme: Scheme::Https, host: host.to_owned(), port: None })
            }
            Self::Url(endpoint) => Ok(endpoint.clone()),
            Self::CustomDomain(domain) => {
                Ok(Endpoint { scheme: Scheme::Https, host: domain.clone(), port: None })
            }
        }
    }
}

impl fmt::Display for EndpointChoice {
    /// The text that [`EndpointChoice::parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => write!(f, "{kind}"),
            Self::Url(endpoint) => write!(f, "{endpoint}"),
            Self::CustomDomain(domain) => write!(f, "domain:{domain}"),
        }
    }
}

/// http or https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Loopback only.
    Http,
    /// Everywhere else.
    Https,
}

impl Scheme {
    /// The scheme's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port where none is named.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The service host of OSS: scheme, lower-case host, port where it is not the
/// scheme's own. Buckets stand in front of the host, never in the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

/// Why a text is no endpoint, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing there.
    #[error("an endpoint is needed: a kind such as public, or https://HOST")]
    Empty,
    /// No `https://` in front.
    #[error("write the scheme too: https://{0}")]
    NoScheme(String),
    /// Neither http nor https.
    #[error("'{0}' is no scheme for OSS: use https://")]
    Scheme(String),
    /// `user@` in front of the host.
    #[error("leave out the user name: keys belong in a secret, never in an address")]
    UserInfo,
    /// Something after the host.
    #[error(
        "leave out '{0}': an endpoint ends with the host; the bucket and prefix have fields of their own"
    )]
    Path(String),
    /// `?` or `#`.
    #[error("leave out everything from '{0}': an endpoint has no query and no fragment")]
    Query(char),
    /// No number, or out of range.
    #[error("'{0}' is no port: use 1 to 65535")]
    Port(String),
    /// No host name.
    #[error("'{0}' is no host name")]
    Host(String),
    /// An IP address cannot carry the bucket.
    #[error(
        "OSS takes the bucket in front of the host, and '{0}' is an address that cannot carry one: use a host name (on this machine NAME.localhost)"
    )]
    Address(String),
    /// Instance metadata or link-local.
    #[error("'{0}' is a metadata or link-local address, never an OSS endpoint")]
    Metadata(String),
    /// http to somewhere else than this machine.
    #[error(
        "http would send keys' signatures and data in clear to {0}: use https (http goes to localhost only)"
    )]
    PlainHttp(String),
    /// An aliyuncs.com host that begins with a bucket.
    #[error(
        "the bucket '{bucket}' is already in the endpoint: the endpoint is {endpoint}, the bucket has its own field"
    )]
    BucketInside {
        /// What stands in front.
        bucket: String,
        /// The endpoint without it.
        endpoint: String,
    },
    /// A kind needs a region.
    #[error("choose a region: the {0} endpoint is the region's own")]
    NoRegion(EndpointKind),
    /// The region has no such endpoint.
    #[error("{region} has no {kind} endpoint: choose {kinds}")]
    KindAbsent {
        /// What was asked.
        kind: EndpointKind,
        /// Of which region.
        region: String,
        /// What it has.
        kinds: String,
    },
}

impl Endpoint {
    /// The endpoint in `text`, which must be a bare `scheme://host[:port]`; one trailing slash is
    /// dropped.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EndpointError::Empty);
        }
        let shown = |text: &str| crate::base::visible::visible(text).into_string();
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| EndpointError::NoScheme(shown(text)))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(EndpointError::Scheme(shown(scheme))),
        };
        let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        if let Some(mark) = tail.chars().find(|c| *c == '?' || *c == '#') {
            return Err(EndpointError::Query(mark));
        }
        if !matches!(tail, "" | "/") {
            return Err(EndpointError::Path(shown(tail)));
        }
        let (host, port) = split_port(authority)?;
        let host = host.to_ascii_lowercase();
        refuse_address(&host)?;
        if !is_host_name(&host) {
            return Err(EndpointError::Host(shown(&host)));
        }
        let port = port.filter(|port| *port != scheme.default_port());
        let endpoint = Self { scheme, host, port };
        if scheme == Scheme::Http && !endpoint.is_loopback() {
            return Err(EndpointError::PlainHttp(endpoint.host));
        }
        if let Some((bucket, host)) = split_bucket(&endpoint.host) {
            let bucket = bucket.to_owned();
            let endpoint = Self { host: host.to_owned(), ..endpoint };
            return Err(EndpointError::BucketInside { bucket, endpoint: endpoint.to_string() });
        }
        Ok(endpoint)
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The service host, lower case, without bucket or port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to dial.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    /// What the `Host` header says: the bucket's host, or the service's without one; the port
    /// only where it is not the scheme's own.
    pub fn authority(&self, bucket: Option<&BucketName>) -> String {
        let mut out = String::with_capacity(self.host.len() + 64);
        if let Some(bucket) = bucket {
            out.push_str(bucket.as_str());
            out.push('.');
        }
        out.push_str(&self.host);
        if let Some(port) = self.port {
            out.push(':');
            out.push_str(&port.to_string());
        }
        out
    }

    /// Whether the host can only mean this machine (RFC 6761: `localhost` and below).
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.ends_with(".localhost")
    }

    /// Whether the host is Alibaba's own.
    pub fn is_alibabas(&self) -> bool {
        self.host.ends_with(".aliyuncs.com")
    }

    /// Whether the host is one that only Alibaba's own network reaches.
    pub fn is_internal(&self) -> bool {
        self.host.ends_with("-internal.aliyuncs.com")
    }

    /// Whether this is transfer acceleration: one host for all regions.
    pub fn is_accelerated(&self) -> bool {
        region::is_accelerated(&self.host)
    }

    /// The region whose endpoint this is, where the table knows it.
    pub fn region(&self) -> Option<&'static Region> {
        region::of_host(&self.host)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority(None))
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    // [::1]:9000 has its colons inside the brackets
    let colon = match authority.rfind(']') {
        Some(end) => authority.get(end..).and_then(|tail| tail.find(':')).map(|at| end + at),
        None => authority.rfind(':'),
    };
    let Some(colon) = colon else { return Ok((authority, None)) };
    let (host, port) = authority.split_at(colon);
    let port = port.trim_start_matches(':');
    match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => {
            Ok((host, Some(number)))
        }
        _ => Err(EndpointError::Port(crate::base::visible::visible(port).into_string())),
    }
}

fn refuse_address(host: &str) -> Result<(), EndpointError> {
    let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() else {
        return Ok(());
    };
    if is_metadata(address) {
        return Err(EndpointError::Metadata(host.to_owned()));
    }
    Err(EndpointError::Address(host.to_owned()))
}

/// Link-local addresses and the metadata services of clouds (`100.100.100.200` is Alibaba's);
/// asked again of every address a name resolves to.
pub fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.octets() == [100, 100, 100, 200],
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
                || inner_v4(v6).is_some_and(|v4| is_metadata(IpAddr::V4(v4)))
        }
    }
}

/// The IPv4 address behind a mapped one, or behind NAT64's well-known prefix (RFC 6052).
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_ipv4_mapped(),
    }
}

fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // 64 fewer than DNS allows: the bucket and its dot come in front
    host.len() <= 253 - 64
        && host.split('.').all(label)
        && host.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// `bucket.oss-R.aliyuncs.com` -> (`bucket`, `oss-R.aliyuncs.com`).
fn split_bucket(host: &str) -> Option<(&str, &str)> {
    let service = host.strip_suffix(".aliyuncs.com")?;
    let labels: Vec<&str> = service.split('.').collect();
    let inside = match labels.as_slice() {
        // s3.oss-R, R.oss and the bare oss-R are whole endpoints
        [first, .., last] if last.starts_with("oss-") => {
            !(labels.len() == 2 && *first == "s3") && *first != *last
        }
        [_, _, .., last] if *last == "oss" => labels.len() > 2,
        _ => false,
    };
    if !inside {
        return None;
    }
    host.split_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> EndpointError {
        Endpoint::parse(text).expect_err(text)
    }

    #[test]
    fn takes_oss_and_loopback() {
        for good in [
            "https://oss-eu-central-1.aliyuncs.com",
            "https://s3.oss-cn-hangzhou-internal.aliyuncs.com",
            "https://cn-hangzhou.oss.aliyuncs.com",
            "https://oss.example.com:8443",
            "http://oss-sandbox.localhost:9000",
        ] {
            assert_eq!(Endpoint::parse(good).map(|e| e.to_string()), Ok(good.to_owned()));
        }
        let endpoint = Endpoint::parse(" HTTPS://OSS-cn-beijing.aliyuncs.com:443/ ").unwrap();
        assert_eq!(endpoint.to_string(), "https://oss-cn-beijing.aliyuncs.com");
        let bucket = BucketName::parse("your-bucket-name").unwrap();
        assert_eq!(
            endpoint.authority(Some(&bucket)),
            "your-bucket-name.oss-cn-beijing.aliyuncs.com"
        );
    }

    #[test]
    fn refuses_with_the_reason() {
        assert_eq!(refused(""), EndpointError::Empty);
        assert_eq!(
            refused("oss-x.aliyuncs.com"),
            EndpointError::NoScheme("oss-x.aliyuncs.com".into())
        );
        assert_eq!(refused("ftp://x.com"), EndpointError::Scheme("ftp".into()));
        assert_eq!(refused("https://me:pw@x.com"), EndpointError::UserInfo);
        assert_eq!(refused("https://x.com/bucket"), EndpointError::Path("/bucket".into()));
        assert_eq!(refused("https://x.com?a"), EndpointError::Query('?'));
        assert_eq!(refused("https://x.com:0"), EndpointError::Port("0".into()));
        assert_eq!(refused("https://x.com:99999"), EndpointError::Port("99999".into()));
        assert!(matches!(refused("http://127.0.0.1.evil.tld"), EndpointError::PlainHttp(_)));
        assert!(matches!(
            refused("http://oss-cn-beijing.aliyuncs.com"),
            EndpointError::PlainHttp(_)
        ));
        assert!(matches!(refused("https://169.254.169.254"), EndpointError::Metadata(_)));
        assert!(matches!(refused("https://100.100.100.200"), EndpointError::Metadata(_)));
        assert!(matches!(refused("http://[::1]:9000"), EndpointError::Address(_)));
        assert!(matches!(refused("https://x..com"), EndpointError::Host(_)));
        assert!(matches!(refused("https://a b.com"), EndpointError::Host(_)));
    }

    #[test]
    fn offers_to_split_the_bucket() {
        for host in
            ["oss-cn-beijing", "s3.oss-cn-beijing", "cn-beijing.oss", "oss-cn-beijing-internal"]
        {
            assert_eq!(
                refused(&format!("https://my-bucket.{host}.aliyuncs.com")),
                EndpointError::BucketInside {
                    bucket: "my-bucket".into(),
                    endpoint: format!("https://{host}.aliyuncs.com"),
                },
            );
        }
    }

    #[test]
    fn choices_round_trip_and_resolve() {
        for text in ["public", "dual-stack", "https://x.example.com", "domain:oss.example.com"] {
            assert_eq!(EndpointChoice::parse(text).unwrap().to_string(), text);
        }
        let frankfurt = region::find("eu-central-1");
        let at = |text: &str| EndpointChoice::parse(text).unwrap().resolve(frankfurt);
        assert_eq!(at("public").unwrap().host(), "oss-eu-central-1.aliyuncs.com");
        assert_eq!(at("accelerate").unwrap().host(), "oss-accelerate.aliyuncs.com");
        assert_eq!(at("domain:oss.example.com").unwrap().host(), "oss.example.com");
        let none = EndpointChoice::Kind(EndpointKind::Public).resolve(None);
        assert_eq!(none, Err(EndpointError::NoRegion(EndpointKind::Public)));
        let paris =
            EndpointChoice::Kind(EndpointKind::DualStack).resolve(region::find("us-west-1"));
        assert!(matches!(paris, Err(EndpointError::KindAbsent { .. })));
    }
}
