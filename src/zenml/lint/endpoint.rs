//! The endpoint: mended step by step by what [`Endpoint::parse`] says of it.

use super::{Finding, Severity};
use crate::base::visible::visible;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointError, EndpointKind};
use crate::model::region::{self, Region};

const SUBJECT: &str = "client_kwargs.endpoint_url";

/// More faults than one address has.
const MOST_FAULTS: usize = 8;

fn finding(severity: Severity, id: &'static str, meaning: impl Into<String>) -> Finding {
    Finding::new(severity, id, SUBJECT, meaning)
}

/// The endpoint that `text` should be, with what is wrong about it; nothing where it cannot be
/// told.
pub(super) fn judge(
    text: &str,
    bucket: Option<&BucketName>,
    findings: &mut Vec<Finding>,
) -> Option<Endpoint> {
    let mut address = text.trim().to_owned();
    let mut faults: Vec<Finding> = Vec::new();
    if let Some(without) = without_user(&address) {
        // told first: the words about other faults show the address
        let error = EndpointError::UserInfo;
        faults.push(finding(Severity::Error, id(&error), sentence(&error.to_string())));
        address = without;
    }
    let parsed = loop {
        match Endpoint::parse(&address) {
            Ok(endpoint) => break Some(endpoint),
            Err(error) => {
                let mended = mended(&address, &error);
                let severity = Severity::Error;
                faults.push(finding(severity, id(&error), sentence(&error.to_string())));
                match mended {
                    Some(mended) if faults.len() < MOST_FAULTS => address = mended,
                    _ => break None,
                }
            }
        }
    };
    let endpoint = parsed.and_then(|endpoint| in_table(endpoint, bucket, &mut faults));
    for fault in faults {
        let known = endpoint.as_ref().filter(|_| fault.severity == Severity::Error);
        let fault = match (&fault.corrected, known) {
            (None, Some(endpoint)) => fault.corrected(endpoint.to_string()),
            _ => fault,
        };
        findings.push(fault);
    }
    endpoint
}

fn id(error: &EndpointError) -> &'static str {
    match error {
        EndpointError::Empty => "endpoint-missing",
        EndpointError::NoScheme(_) | EndpointError::Scheme(_) => "endpoint-scheme",
        EndpointError::PlainHttp(_) => "endpoint-http",
        EndpointError::Path(_) | EndpointError::Query(_) => "endpoint-path",
        EndpointError::BucketInside { .. } => "endpoint-bucket",
        EndpointError::UserInfo => "endpoint-password",
        _ => "endpoint-host",
    }
}

/// The address with this one fault taken out; nothing where only the user can know.
fn mended(address: &str, error: &EndpointError) -> Option<String> {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at_checked(end)?;
    match error {
        EndpointError::NoScheme(_) => {
            Some(format!("https://{}", address.trim_matches(['\'', '"', '`', '/', ':'])))
        }
        EndpointError::Scheme(_) => {
            Some(format!("https://{}", rest.trim_matches(['\'', '"', '`'])))
        }
        EndpointError::PlainHttp(_) => {
            // port 80 was that of http
            Some(format!("https://{}", authority.trim_end_matches(":80")))
        }
        EndpointError::Path(_) | EndpointError::Query(_) => Some(format!("{scheme}://{authority}")),
        EndpointError::BucketInside { endpoint, .. } => Some(endpoint.clone()),
        _ => None,
    }
}

/// The address without `user:password@`, where it has them.
fn without_user(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| {
        (address.get(..scheme.len() + 3).unwrap_or_default(), rest)
    });
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest.get(..end)?.rfind('@')?;
    Some(format!("{scheme}{}", rest.get(at + 1..)?))
}

/// What the table of regions knows of an address that is well formed.
fn in_table(
    endpoint: Endpoint,
    bucket: Option<&BucketName>,
    faults: &mut Vec<Finding>,
) -> Option<Endpoint> {
    let host = endpoint.host();
    if endpoint.is_loopback() {
        return Some(endpoint);
    }
    if let Some(region) = endpoint.region() {
        faults.extend(of_region(&endpoint, region));
        return Some(endpoint);
    }
    let Some(service) = host.strip_suffix(".aliyuncs.com") else {
        return elsewhere(endpoint, bucket, faults);
    };
    if matches!(service.trim_start_matches("s3."), "oss-accelerate" | "oss-accelerate-overseas") {
        faults.push(finding(
            Severity::Note,
            "endpoint-accelerate",
            "Transfer acceleration must be switched on for the bucket, costs extra by the byte, and \
             leads requests across regions.",
        ));
        return Some(endpoint);
    }
    let internal = service.ends_with("-internal");
    let named = service.trim_start_matches("s3.").trim_end_matches("-internal");
    let named = named.trim_end_matches(".oss").trim_start_matches("oss-");
    let known = region::find(named);
    let (fault, meant) = if let Some(region) = known {
        let fault = "There is no such host: endpoints of OSS begin with oss- before the region.";
        (finding(Severity::Error, "endpoint-oss-prefix", fault), Some(region))
    } else {
        let near = by_city(named);
        let fault = format!(
            "OSS has no region {}: regions of China are named in pinyin, and no others can be \
             guessed either. See osstack regions.",
            visible(named)
        );
        (finding(Severity::Error, "endpoint-region", fault), near)
    };
    let kind = if internal { EndpointKind::Internal } else { EndpointKind::Public };
    let meant = meant.and_then(|region| region.host(kind).or(region.host(EndpointKind::Public)));
    let endpoint = meant.and_then(|host| Endpoint::parse(&format!("https://{host}")).ok());
    faults.push(fault);
    if let Some((endpoint, region)) = endpoint.as_ref().and_then(|e| Some((e, e.region()?))) {
        faults.extend(of_region(endpoint, region));
    }
    endpoint
}

/// A region whose city `named` ends in: `cn-hohhot` means Hohhot, `cn-huhehaote`.
fn by_city(named: &str) -> Option<&'static Region> {
    let city = named.rsplit('-').find(|part| part.bytes().any(|b| b.is_ascii_alphabetic()))?;
    let says = |region: &&Region| region.name.to_lowercase().contains(&city.to_lowercase());
    let open = |region: &&Region| region.host(EndpointKind::Public).is_some();
    let mut found = region::all().iter().filter(open).filter(says);
    let first = found.next().filter(|_| city.len() > 3)?;
    found.next().is_none().then_some(first)
}

fn of_region(endpoint: &Endpoint, region: &Region) -> Vec<Finding> {
    let mut found = Vec::new();
    match region.status.as_str() {
        "closed" => {
            let meaning =
                format!("The region {} is closed: no bucket is there any more.", region.id);
            found.push(
                finding(Severity::Error, "region-closed", meaning)
                    .corrected("a bucket in another region"),
            );
        }
        "closing" => {
            let meaning = format!("The region {} is being closed: move the bucket.", region.id);
            found.push(finding(Severity::Warning, "region-closed", meaning));
        }
        _ => {}
    }
    if endpoint.is_internal() {
        found.push(finding(
            Severity::Note,
            "endpoint-internal",
            "This endpoint is reached from inside Alibaba Cloud, in the same region, only: laptops \
             and a ZenML server elsewhere cannot use the store.",
        ));
    } else if region.mainland {
        found.push(finding(
            Severity::Note,
            "endpoint-mainland",
            "Accounts opened since 2025-03-20 may not read or write objects through public \
             endpoints of mainland regions: they need a custom domain, or the internal endpoint.",
        ));
    }
    found
}

/// A host of somebody else's.
fn elsewhere(
    endpoint: Endpoint,
    bucket: Option<&BucketName>,
    faults: &mut Vec<Finding>,
) -> Option<Endpoint> {
    let host = endpoint.host();
    if host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn") {
        faults.push(finding(
            Severity::Error,
            "endpoint-aws",
            "This is AWS, which has neither your bucket nor your key. The endpoint of OSS is \
             https://oss-REGION.aliyuncs.com: see osstack regions.",
        ));
        return None;
    }
    let inside = bucket.and_then(|bucket| host.strip_prefix(bucket.as_str())?.strip_prefix('.'));
    if let Some(domain) = inside {
        let without = Endpoint::parse(&format!("https://{domain}"));
        faults.push(finding(
            Severity::Error,
            "endpoint-bucket",
            "The host begins with the bucket, and botocore puts the bucket in front once more.",
        ));
        return without.ok();
    }
    faults.push(finding(
        Severity::Note,
        "endpoint-domain",
        format!(
            "A custom domain works where BUCKET.{} is the name bound to the bucket, with a \
             certificate for it: botocore puts the bucket in front.",
            visible(host)
        ),
    ));
    Some(endpoint)
}

/// What an error says, as a sentence of its own.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let dot = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{dot}", chars.as_str())
}
