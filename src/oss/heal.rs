//! A bucket that was asked for at the endpoint of another region. OSS refuses, having done nothing,
//! and names the right endpoint (EC 0003-00001403, `<Endpoint>`). Here stands when that advice is
//! followed, and what it led to.
//!
//! Signatures go to hosts of OSS alone: from an endpoint of the region table to another one of the
//! table, or from this machine to this machine. A custom domain is never left.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::error::Error;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, Scheme};

/// A bucket that lies elsewhere than its client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healed {
    /// The bucket.
    pub bucket: BucketName,
    /// The endpoint that the client was given.
    pub from: Endpoint,
    /// The one that the server named, and that answers for the bucket.
    pub to: Endpoint,
}

impl fmt::Display for Healed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, from, to } = self;
        let (there, here) = (to.host(), from.host());
        write!(
            f,
            "the bucket {bucket} lies at {there}, not at {here}: osstack asks there, ZenML does not; "
        )?;
        match to.region() {
            Some(region) => write!(f, "set the store's region to {}", region.id),
            None => write!(f, "set the store's endpoint to {to}"),
        }
    }
}

/// Where buckets were found to lie.
#[derive(Debug, Default)]
pub(super) struct Homes(Mutex<Vec<Healed>>);

impl Homes {
    /// Where `bucket` was found, if it was.
    pub(super) fn of(&self, bucket: &BucketName) -> Option<Healed> {
        let homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        homes.iter().find(|home| home.bucket == *bucket).cloned()
    }

    /// All of them, in the order they were found.
    pub(super) fn all(&self) -> Vec<Healed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps where a bucket lies; what was known of it before is replaced.
    pub(super) fn remember(&self, healed: Healed) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        homes.retain(|home| home.bucket != healed.bucket);
        if healed.from != healed.to {
            homes.push(healed);
        }
    }
}

/// The endpoint that `error` sends a request to, which was made to `asked`; `None` where it names
/// none, or one that is not followed.
pub(super) fn named_by(error: &Error, asked: &Endpoint) -> Option<Endpoint> {
    if !error.is_elsewhere() {
        return None;
    }
    let named = error.endpoint.as_deref()?.trim();
    let to = Endpoint::parse(&format!("{}://{named}", asked.scheme().as_str())).ok()?;
    let is_oss = |endpoint: &Endpoint| {
        endpoint.scheme() == Scheme::Https
            && endpoint.port() == Scheme::Https.default_port()
            && endpoint.region().is_some()
    };
    let within_oss = is_oss(asked) && is_oss(&to);
    let on_this_machine = asked.is_loopback() && to.is_loopback() && asked.port() == to.port();
    (to != *asked && (within_oss || on_this_machine)).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oss::object::Meta;

    fn named(asked: &str, endpoint: &str, ec: &str) -> Option<String> {
        let body = format!(
            "<Error><Code>AccessDenied</Code><EC>{ec}</EC><Endpoint>{endpoint}</Endpoint></Error>"
        );
        let meta = Meta { status: 403, ..Meta::default() };
        let error = Error::from_answer("test", meta, None, body.as_bytes());
        named_by(&error, &Endpoint::parse(asked).unwrap()).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn advice_is_followed_among_hosts_of_the_table_only() {
        let frankfurt = "https://oss-eu-central-1.aliyuncs.com";
        let beijing = "oss-cn-beijing.aliyuncs.com";
        let elsewhere = "0003-00001403";
        let https = |host: &str| Some(format!("https://{host}"));
        assert_eq!(named(frankfurt, beijing, elsewhere), https(beijing));
        assert_eq!(named(frankfurt, beijing, "0003-00000001"), None, "another refusal");
        let s3 = "https://s3.oss-eu-central-1.aliyuncs.com";
        assert_eq!(named(s3, beijing, elsewhere), https(beijing));
        for other in [
            "oss-cn-beijing.aliyuncs.com.evil.tld",
            "evil.tld",
            "oss-nowhere-1.aliyuncs.com",
            "ecs.aliyuncs.com",
            "b.oss-cn-beijing.aliyuncs.com",
            "oss-cn-beijing.aliyuncs.com:8443",
            "oss-cn-beijing.aliyuncs.com/x",
            "user@oss-cn-beijing.aliyuncs.com",
            "169.254.169.254",
            "oss.localhost",
            "oss-eu-central-1.aliyuncs.com",
            "",
        ] {
            assert_eq!(named(frankfurt, other, elsewhere), None, "{other}");
        }
        let domain = "https://oss.example.com";
        assert_eq!(named(domain, beijing, elsewhere), None, "a custom domain is never left");
    }

    #[test]
    fn this_machine_is_left_for_this_machine_only() {
        let here = "http://oss-a.localhost:9000";
        let at = |endpoint| named(here, endpoint, "0003-00001403");
        assert_eq!(at("oss-b.localhost:9000").as_deref(), Some("http://oss-b.localhost:9000"));
        assert_eq!(at("oss-b.localhost:9001"), None);
        assert_eq!(at("oss-b.localhost"), None);
        assert_eq!(at("oss-cn-beijing.aliyuncs.com"), None);
    }

    #[test]
    fn a_bucket_has_one_home() {
        let endpoint = |host: &str| Endpoint::parse(&format!("https://{host}")).unwrap();
        let bucket = BucketName::parse("your-bucket-name").unwrap();
        let healed = |to: &str| Healed {
            bucket: bucket.clone(),
            from: endpoint("oss-eu-central-1.aliyuncs.com"),
            to: endpoint(to),
        };
        let homes = Homes::default();
        homes.remember(healed("oss-cn-beijing.aliyuncs.com"));
        homes.remember(healed("oss-cn-hangzhou.aliyuncs.com"));
        assert_eq!(homes.all(), [healed("oss-cn-hangzhou.aliyuncs.com")]);
        let said = homes.of(&bucket).unwrap().to_string();
        assert!(
            said.ends_with("region to cn-hangzhou") && said.contains("oss-eu-central-1"),
            "{said}"
        );
        // moved to where the client looks
        homes.remember(healed("oss-eu-central-1.aliyuncs.com"));
        assert_eq!(homes.all(), []);
    }
}
