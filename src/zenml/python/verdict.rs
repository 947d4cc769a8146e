//! What the libraries of an environment do on OSS. Seen running: ZenML 0.98 with s3fs 2026.9 and
//! botocore 1.43, and with s3fs 2024.12 and botocore 1.35; the bounds come from their changelogs
//! and from the requirements of `zenml integration install s3`.

use super::Environment;
use crate::base::visible::visible;
use crate::model::store::Signature;
use crate::zenml::lint::{Finding, Severity, Uses};
use crate::zenml::version::Version;

/// The newest set that deletes on OSS as ZenML asks for it.
pub(super) const PINS: &str =
    "pip install 'boto3<1.36' 's3fs<2025' 'aiobotocore<2.18' aws-profile-manager";

/// Versions of ZenML, each with what goes wrong before it.
const ZENML: [(Version, Severity, &str, &str); 3] = [
    (
        version(0, 80, 0),
        Severity::Error,
        "zenml-old",
        "Its server speaks another REST API, which osstack does not",
    ),
    (
        version(0, 91, 2),
        Severity::Warning,
        "zenml-endpoint",
        "One of its two S3 clients ignores the endpoint: it asks AWS, with the id of your key",
    ),
    (
        Version::PLAIN_KEY_NAMES,
        Severity::Warning,
        "zenml-key-names",
        "Of a secret it reads aws_access_key_id and aws_secret_access_key only: on the secret set \
         key_names = \"aws\"",
    ),
];

/// What `zenml integration install s3` installs, and what that stands on.
const NEEDED: [&str; 3] = ["s3fs", "boto3", "aws-profile-manager"];

const fn version(major: u16, minor: u16, patch: u16) -> Version {
    Version { major, minor, patch }
}

/// What is to be said of `environment`, and of a store with it where one is meant.
pub fn judge(environment: &Environment, uses: Option<Uses>) -> Vec<Finding> {
    let mut findings = zenml(environment);
    findings.extend(integration(environment));
    findings.extend(conflicts(environment));
    if let Some(botocore) = environment.version("botocore") {
        findings.extend(botocore_on_oss(botocore, uses));
    }
    findings
}

fn zenml(environment: &Environment) -> Vec<Finding> {
    let subject = "zenml";
    let Some(package) = environment.packages.get("zenml") else {
        let meaning =
            "There is no ZenML in this environment: it is not the one that runs pipelines.";
        let finding = Finding::new(Severity::Error, "zenml-missing", subject, meaning);
        return vec![finding.corrected("name the Python that runs ZenML")];
    };
    let Some(found) = environment.version("zenml") else { return Vec::new() };
    let old = ZENML.iter().filter(|(since, ..)| found < *since);
    old.map(|(since, severity, id, what)| {
        let meaning = format!("ZenML {} is older than {since}. {what}.", package.version);
        Finding::new(*severity, id, subject, meaning)
            .corrected(format!("pip install 'zenml>={since}'"))
    })
    .collect()
}

fn integration(environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    let missing: Vec<&str> =
        NEEDED.into_iter().filter(|name| !environment.packages.contains_key(*name)).collect();
    if !missing.is_empty() {
        let meaning = format!(
            "The s3 integration is not complete, so ZenML loads no S3 store here: {} is missing.",
            missing.join(", ")
        );
        let finding = Finding::new(Severity::Error, "s3-integration", "s3fs", meaning);
        findings.push(finding.corrected(PINS));
    }
    if let Some(s3fs) = environment.version("s3fs") {
        // s3fs>2022.3.0,!=2025.3.1 (zenml/integrations/s3)
        if s3fs <= version(2022, 3, 0) || s3fs == version(2025, 3, 1) {
            let meaning = format!("ZenML excludes s3fs {s3fs}: its S3 store fails with it.");
            let finding = Finding::new(Severity::Error, "s3fs-excluded", "s3fs", meaning);
            findings.push(finding.corrected(PINS));
        }
    }
    findings
}

/// Packages that need other versions than are there, as `pip check` would say.
fn conflicts(environment: &Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, package) in &environment.packages {
        for need in &package.needs {
            let Some((needed, bounds)) = requirement(need) else { continue };
            let Some(there) = environment.packages.get(&needed) else { continue };
            let Some(number) = Version::parse(&there.version) else { continue };
            if bounds.split(',').any(|bound| holds(number, bound) == Some(false)) {
                let meaning = format!(
                    "{name} {} needs {needed}{}, and {} is there.",
                    package.version,
                    visible(&bounds),
                    there.version
                );
                let finding = Finding::new(Severity::Error, "conflict", "botocore", meaning);
                findings.push(finding.corrected(PINS));
            }
        }
    }
    findings
}

/// Name and bounds of `botocore (<1.43,>=1.42)`; nothing where a marker restricts it or nothing
/// bounds it.
fn requirement(need: &str) -> Option<(String, String)> {
    if need.contains(';') {
        return None;
    }
    let plain: String = need.chars().filter(|c| !c.is_whitespace() && !"()".contains(*c)).collect();
    let (name, bounds) = plain.split_at_checked(plain.find(['<', '>', '=', '!', '~'])?)?;
    let name = name.split('[').next()?.to_lowercase().replace(['_', '.'], "-");
    Some((name, bounds.to_owned()))
}

/// Whether `version` fits `<1.43`; nothing where the bound is of another kind.
fn holds(version: Version, bound: &str) -> Option<bool> {
    let number = |text: &str| Version::parse(text);
    if let Some(bound) = bound.strip_prefix("<=") {
        return Some(version <= number(bound)?);
    }
    if let Some(bound) = bound.strip_prefix(">=") {
        return Some(version >= number(bound)?);
    }
    if let Some(bound) = bound.strip_prefix("!=").filter(|bound| !bound.contains('*')) {
        return Some(version != number(bound)?);
    }
    if let Some(bound) = bound.strip_prefix("==").filter(|bound| !bound.contains('*')) {
        return Some(version == number(bound)?);
    }
    if let Some(bound) = bound.strip_prefix('<') {
        return Some(version < number(bound)?);
    }
    if let Some(bound) = bound.strip_prefix('>') {
        return Some(version > number(bound)?);
    }
    None
}

fn botocore_on_oss(botocore: Version, uses: Option<Uses>) -> Vec<Finding> {
    let subject = "botocore";
    let mut findings = Vec::new();
    if botocore < Version::NEWER_CHECKSUMS {
        if uses.is_some_and(|uses| uses.checksum_settings) {
            let meaning = format!(
                "botocore {botocore} raises TypeError on the store's checksum settings, which came \
                 with 1.36."
            );
            let finding = Finding::new(Severity::Error, "botocore-settings", subject, meaning);
            let corrected = "take request_checksum_calculation and response_checksum_validation out of config_kwargs";
            findings.push(finding.corrected(corrected));
        }
        return findings;
    }
    let chunks =
        |uses: Uses| uses.https && uses.signature == Signature::V4 && !uses.checksum_settings;
    if uses.is_some_and(chunks) {
        let meaning = format!(
            "With S3 V4 botocore {botocore} sends uploads in chunks (aws-chunked), and OSS refuses \
             every one."
        );
        let finding = Finding::new(Severity::Error, "botocore-uploads", subject, meaning);
        let corrected = "S3 V2, or request_checksum_calculation and response_checksum_validation = \
                         when_required in config_kwargs";
        findings.push(finding.corrected(corrected));
    }
    let meaning = format!(
        "botocore {botocore} deletes several objects without Content-MD5, and OSS refuses that: \
         zenml artifact prune, deleting in the dashboard and overwriting fail. Writing and reading \
         work."
    );
    let finding = Finding::new(Severity::Warning, "botocore-delete", subject, meaning);
    findings.push(finding.corrected(PINS));
    findings
}
