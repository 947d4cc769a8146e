//! Artifact stores: a bucket, how it is reached, and what ZenML is given.

use std::fmt;

use serde_json::{Map, Value, json};

use super::bucket::BucketName;
use super::endpoint::{Endpoint, EndpointChoice, EndpointError, EndpointKind};
use super::field::{FieldError, note};
use super::name::Name;
use super::region::{self, Region};
use super::residency::Residency;
use crate::base::nearest::nearest;
use crate::base::visible::visible;

/// Which S3 signature a store uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Signature {
    /// S3 V2, HMAC-SHA1: what ZenML's OSS page asks for (`signature_version: s3`).
    #[default]
    V2,
    /// S3 V4, HMAC-SHA256; needs a region for its scope.
    V4,
}

impl Signature {
    /// The word in files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V4 => "v4",
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V2 => "S3 V2",
            Self::V4 => "S3 V4",
        })
    }
}

/// The region a store names: of the table where it knows it, else by id alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionId {
    id: String,
    known: Option<&'static Region>,
}

impl RegionId {
    /// The region in `text`, with or without `oss-`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(known) = region::find(&text) {
            // finance rows share general ids: the OSS id is what tells them apart
            let shared = region::all().iter().filter(|other| other.id == known.id).count() > 1;
            let id = if shared { known.oss_id.clone() } else { known.id.clone() };
            return Ok(Self { id, known: Some(known) });
        }
        let plain = text.strip_prefix("oss-").unwrap_or(&text);
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if plain.is_empty() || plain.len() > 63 || !plain.bytes().all(letters) {
            return Err("a region id looks like eu-central-1: see `osstack regions`".into());
        }
        Ok(Self { id: plain.to_owned(), known: None })
    }

    /// Why no endpoint follows from it: the table does not know it.
    fn unknown(&self) -> String {
        let ids: Vec<&str> = region::all().iter().map(|region| region.id.as_str()).collect();
        let near = nearest(&self.id, &ids).map(|near| format!("did you mean {near}? "));
        format!(
            "osstack knows no region {}: {}osstack regions shows all; for a newer one give the \
             endpoint as a URL",
            self.id,
            near.unwrap_or_default()
        )
    }

    /// As it stands in `stacks.toml`.
    pub fn as_str(&self) -> &str {
        &self.id
    }

    /// The general id, as S3 V4 scopes use it.
    pub fn scope(&self) -> &str {
        self.known.map_or(&self.id, |region| &region.id)
    }

    /// The row of the table.
    pub fn known(&self) -> Option<&'static Region> {
        self.known
    }
}

/// An artifact store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactStore {
    /// Its name, here and in ZenML.
    pub name: Name,
    /// The bucket.
    pub bucket: BucketName,
    /// Keys begin with it: empty, or without slashes at its ends.
    pub prefix: String,
    /// Name of the secret.
    pub secret: Name,
    /// Where the bucket lies.
    pub region: Option<RegionId>,
    /// What ZenML is given.
    pub endpoint: EndpointChoice,
    /// How this machine reaches the bucket, where it differs.
    pub access: Option<EndpointChoice>,
    /// The signature, ZenML's and ours alike.
    pub signature: Signature,
    /// Where its data may lie.
    pub residency: Residency,
    /// Extras of the user, merged into what is written.
    pub extras: Extras,
}

/// What a user adds to the three free-form settings of ZenML's S3 store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Merged into `client_kwargs`.
    pub client_kwargs: Map<String, Value>,
    /// Merged into `config_kwargs`.
    pub config_kwargs: Map<String, Value>,
    /// Passed on as `s3_additional_kwargs`.
    pub s3_additional_kwargs: Map<String, Value>,
}

impl ArtifactStore {
    /// `s3://bucket[/prefix]`.
    pub fn path(&self) -> String {
        match self.prefix.as_str() {
            "" => format!("s3://{}", self.bucket),
            prefix => format!("s3://{}/{prefix}", self.bucket),
        }
    }

    /// What keys of this store begin with: empty, or the prefix and a slash.
    pub fn key_prefix(&self) -> String {
        if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) }
    }

    /// The endpoint ZenML is given.
    pub fn zenml_endpoint(&self) -> Result<Endpoint, EndpointError> {
        self.endpoint.resolve(self.known_region())
    }

    /// The endpoint this machine uses.
    pub fn access_endpoint(&self) -> Result<Endpoint, EndpointError> {
        self.access.as_ref().unwrap_or(&self.endpoint).resolve(self.known_region())
    }

    fn known_region(&self) -> Option<&'static Region> {
        self.region.as_ref().and_then(RegionId::known)
    }

    /// Why no name proves that the data stays where it may lie, where that is so: a URL or a domain
    /// of which the table does not know where it leads.
    pub fn residency_doubt(&self) -> Option<String> {
        let unknown = [self.zenml_endpoint(), self.access_endpoint()]
            .into_iter()
            .flatten()
            .find(|endpoint| endpoint.region().is_none());
        let host = unknown.filter(|_| !self.residency.is_empty())?.host().to_owned();
        Some(format!("nothing in the name {host} proves that its data lies in {}", self.residency))
    }

    /// The region of V4's scope: the store's, else the endpoint's own, else the one botocore
    /// falls back to.
    pub fn scope_region(&self) -> String {
        let own = self.region.as_ref().map(|region| region.scope().to_owned());
        let of_endpoint = || self.zenml_endpoint().ok()?.region().map(|region| region.id.clone());
        own.or_else(of_endpoint).unwrap_or_else(|| "us-east-1".to_owned())
    }

    /// ZenML's `client_kwargs`, exactly as its OSS page asks for, plus the user's extras.
    pub fn client_kwargs(&self) -> Result<Value, EndpointError> {
        let mut kwargs = json!({ "endpoint_url": self.zenml_endpoint()?.to_string() });
        if self.signature == Signature::V4 {
            merge(&mut kwargs, json!({ "region_name": self.scope_region() }));
        }
        merge(&mut kwargs, Value::Object(self.extras.client_kwargs.clone()));
        Ok(kwargs)
    }

    /// ZenML's `config_kwargs`.
    pub fn config_kwargs(&self) -> Value {
        let mut kwargs = match self.signature {
            Signature::V2 => {
                json!({ "signature_version": "s3", "s3": { "addressing_style": "virtual" } })
            }
            Signature::V4 => json!({ "s3": { "addressing_style": "virtual" } }),
        };
        merge(&mut kwargs, Value::Object(self.extras.config_kwargs.clone()));
        kwargs
    }
}

fn merge(into: &mut Value, extra: Value) {
    match (into, extra) {
        (Value::Object(into), Value::Object(extra)) => {
            for (name, value) in extra {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, extra) => *into = extra,
    }
}

/// What a form, a file or a command line holds of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreDraft {
    /// Store name.
    pub name: String,
    /// Bucket.
    pub bucket: String,
    /// Prefix, with or without slashes at its ends.
    pub prefix: String,
    /// Secret name.
    pub secret: String,
    /// Region id, with or without `oss-`; may be empty where the endpoint is a URL.
    pub region: String,
    /// `public`, … , `https://…` or `domain:…`; empty means `public`.
    pub endpoint: String,
    /// The same for this machine; empty means as `endpoint`.
    pub access: String,
    /// Signature.
    pub signature: Signature,
    /// Jurisdictions, countries or geography groups, with commas between; empty means anywhere.
    pub residency: String,
    /// The user's extras.
    pub extras: Extras,
}

impl StoreDraft {
    /// The store, or everything that is wrong.
    pub fn validate(&self) -> Result<ArtifactStore, Vec<FieldError>> {
        let mut problems = Vec::new();
        let name = note(&mut problems, "name", Name::parse(&self.name));
        let bucket = note(&mut problems, "bucket", BucketName::parse(&self.bucket));
        let prefix = note(&mut problems, "prefix", prefix(&self.prefix));
        let secret = note(&mut problems, "secret", Name::parse(&self.secret));
        let region = match self.region.trim() {
            "" => Some(None),
            text => note(&mut problems, "region", RegionId::parse(text)).map(Some),
        };
        let endpoint = match self.endpoint.trim() {
            "" => "public",
            text => text,
        };
        let named = region.as_ref().and_then(Option::as_ref);
        let endpoint = reachable(&mut problems, "endpoint", endpoint, named, region.is_some());
        let access = match self.access.trim() {
            "" => Some(None),
            text => reachable(&mut problems, "access", text, named, region.is_some()).map(Some),
        };
        let residency = note(&mut problems, "residency", Residency::parse(&self.residency));
        if let Some(residency) = &residency {
            let ways = [
                ("endpoint", endpoint.as_ref()),
                ("access", access.as_ref().and_then(Option::as_ref)),
            ];
            let region = named.and_then(RegionId::known);
            keep_inside(&mut problems, residency, region, ways);
        }
        self.check_extras(&mut problems);
        match (name, bucket, prefix, secret, region, endpoint, access, residency) {
            (
                Some(name),
                Some(bucket),
                Some(prefix),
                Some(secret),
                Some(region),
                Some(endpoint),
                Some(access),
                Some(residency),
            ) if problems.is_empty() => Ok(ArtifactStore {
                name,
                bucket,
                prefix,
                secret,
                region,
                endpoint,
                access,
                signature: self.signature,
                residency,
                extras: self.extras.clone(),
            }),
            _ => Err(problems),
        }
    }

    /// What osstack itself writes may not be written twice.
    fn check_extras(&self, problems: &mut Vec<FieldError>) {
        let mut refuse = |field, name: &str, instead: &str| {
            let message = format!("leave out {name}: it follows from {instead}");
            problems.push(FieldError::new(field, message));
        };
        if self.extras.client_kwargs.contains_key("endpoint_url") {
            refuse("client_kwargs", "endpoint_url", "endpoint");
        }
        if self.extras.client_kwargs.contains_key("region_name") && self.signature == Signature::V4
        {
            refuse("client_kwargs", "region_name", "region");
        }
        if self.extras.config_kwargs.contains_key("signature_version") {
            refuse("config_kwargs", "signature_version", "signature");
        }
        let s3 = self.extras.config_kwargs.get("s3");
        if s3.is_some_and(|s3| s3.get("addressing_style").is_some()) {
            refuse("config_kwargs", "addressing_style", "OSS, which takes virtual only");
        }
    }
}

fn reachable(
    problems: &mut Vec<FieldError>,
    field: &'static str,
    text: &str,
    region: Option<&RegionId>,
    region_is_fine: bool,
) -> Option<EndpointChoice> {
    let choice = note(problems, field, EndpointChoice::parse(text))?;
    match choice.resolve(region.and_then(RegionId::known)) {
        Ok(_) => {}
        // a region that is wrong already has its own message
        Err(EndpointError::NoRegion(_)) if !region_is_fine => {}
        Err(error @ EndpointError::NoRegion(_)) => {
            let message = region.map_or_else(|| error.to_string(), RegionId::unknown);
            problems.push(FieldError::new("region", message));
        }
        Err(error) => problems.push(FieldError::new(field, error)),
    }
    Some(choice)
}

/// Refuses what leads out of `residency`: the region, and ways in that are no kind of its own.
fn keep_inside(
    problems: &mut Vec<FieldError>,
    residency: &Residency,
    region: Option<&Region>,
    ways: [(&'static str, Option<&EndpointChoice>); 2],
) {
    if let Some(refusal) = region.and_then(|region| residency.refusal(region)) {
        let message = format!("{refusal}: choose {}", residency.examples());
        problems.push(FieldError::new("region", message));
    }
    for (field, choice) in ways {
        let own = |kind: &EndpointKind| !kind.is_global();
        let endpoint = match choice {
            Some(EndpointChoice::Kind(kind)) if own(kind) => None,
            choice => choice.and_then(|choice| choice.resolve(region).ok()),
        };
        if let Some(refusal) = endpoint.and_then(|endpoint| residency.refusal_of(&endpoint)) {
            let message = format!("{refusal}: choose public, or another of the region's own");
            problems.push(FieldError::new(field, message));
        }
    }
}

fn prefix(text: &str) -> Result<String, String> {
    if let Some((scheme, rest)) = text.trim().split_once("://") {
        let rest = rest.split_once('/').map_or("", |(_, rest)| rest).trim_matches('/');
        let instead = if rest.is_empty() {
            "leave it empty".into()
        } else {
            format!("write {}", visible(rest))
        };
        return Err(format!("the prefix is what follows {}://BUCKET/: {instead}", visible(scheme)));
    }
    let text = text.trim_matches(|c: char| c == '/' || c.is_whitespace());
    if text.len() > 512 {
        return Err(format!(
            "the prefix has {} bytes: 512 leave room for ZenML's keys",
            text.len()
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("the prefix holds a control character: type it again".into());
    }
    if let Some(dots) = text.split('/').find(|part| matches!(*part, "." | "..")) {
        return Err(format!(
            "{dots} leads nowhere in a bucket, whose keys are literal: leave it out"
        ));
    }
    if text.starts_with('\\') {
        return Err("OSS refuses keys that begin with \\".into());
    }
    Ok(text.to_owned())
}

impl From<&ArtifactStore> for StoreDraft {
    fn from(store: &ArtifactStore) -> Self {
        Self {
            name: store.name.to_string(),
            bucket: store.bucket.to_string(),
            prefix: store.prefix.clone(),
            secret: store.secret.to_string(),
            region: store.region.as_ref().map(|r| r.as_str().to_owned()).unwrap_or_default(),
            endpoint: store.endpoint.to_string(),
            access: store.access.as_ref().map(ToString::to_string).unwrap_or_default(),
            signature: store.signature,
            residency: store.residency.to_string(),
            extras: store.extras.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> StoreDraft {
        StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            prefix: "/zenml/".into(),
            secret: "alibaba_secret".into(),
            region: "oss-eu-central-1".into(),
            ..StoreDraft::default()
        }
    }

    #[test]
    fn zenml_gets_what_its_oss_page_asks_for() {
        let store = draft().validate().unwrap();
        assert_eq!(store.path(), "s3://your-bucket-name/zenml");
        assert_eq!(
            store.client_kwargs().unwrap().to_string(),
            r#"{"endpoint_url":"https://oss-eu-central-1.aliyuncs.com"}"#
        );
        assert_eq!(
            store.config_kwargs().to_string(),
            r#"{"signature_version":"s3","s3":{"addressing_style":"virtual"}}"#
        );
        let v4 = StoreDraft { signature: Signature::V4, ..draft() }.validate().unwrap();
        assert_eq!(
            v4.client_kwargs().unwrap().to_string(),
            r#"{"endpoint_url":"https://oss-eu-central-1.aliyuncs.com","region_name":"eu-central-1"}"#
        );
        assert_eq!(v4.config_kwargs().to_string(), r#"{"s3":{"addressing_style":"virtual"}}"#);
    }

    #[test]
    fn extras_are_merged_and_never_dropped() {
        let mut draft = draft();
        let extra = json!({ "s3": { "max_concurrent_requests": 4 }, "read_timeout": 9 });
        draft.extras.config_kwargs = extra.as_object().unwrap().clone();
        let store = draft.validate().unwrap();
        assert_eq!(
            store.config_kwargs(),
            json!({ "signature_version": "s3", "read_timeout": 9,
                    "s3": { "addressing_style": "virtual", "max_concurrent_requests": 4 } })
        );
        assert_eq!(StoreDraft::from(&store).validate().unwrap(), store);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let draft = StoreDraft {
            name: "a.b".into(),
            bucket: "Bad_Bucket".into(),
            endpoint: "https://x.com/path".into(),
            ..StoreDraft::default()
        };
        let fields: Vec<_> = draft.validate().unwrap_err().iter().map(|p| p.field).collect();
        assert_eq!(fields, ["name", "bucket", "secret", "endpoint"]);
        let fields = |draft: StoreDraft| -> Vec<_> {
            draft.validate().unwrap_err().iter().map(|p| p.field).collect()
        };
        assert_eq!(
            fields(StoreDraft { region: String::new(), ..super::tests::draft() }),
            ["region"]
        );
    }

    #[test]
    fn data_stays_in_the_named_jurisdictions() {
        let kept = |residency: &str| StoreDraft { residency: residency.into(), ..draft() };
        let refused = |draft: StoreDraft| {
            let problems = draft.validate().unwrap_err();
            let [problem] = problems.as_slice() else { panic!("{problems:?}") };
            (problem.field, problem.message.clone())
        };
        let store = kept("eu, UK").validate().unwrap();
        assert_eq!(store.residency.to_string(), "EU, UK");
        assert_eq!(store.residency_doubt(), None);
        assert_eq!(StoreDraft::from(&store).validate().unwrap(), store);

        let (field, message) = refused(kept("CN"));
        assert_eq!(field, "region");
        assert!(message.contains("lies in EU (DE), outside of CN: choose cn-"), "{message}");
        for way in ["accelerate", "accelerate-overseas", "https://oss-accelerate.aliyuncs.com"] {
            let (field, message) = refused(StoreDraft { endpoint: way.into(), ..kept("EU") });
            assert_eq!(field, "endpoint", "{way}");
            assert!(message.contains("acceleration"), "{message}");
            assert_eq!(refused(StoreDraft { access: way.into(), ..kept("DE") }).0, "access");
        }
        let elsewhere = "https://oss-cn-beijing.aliyuncs.com";
        assert_eq!(refused(StoreDraft { access: elsewhere.into(), ..kept("EU") }).0, "access");
        assert_eq!(refused(kept("Atlantis")).0, "residency");

        for own in ["https://oss.example.com", "domain:oss.example.com"] {
            let store = StoreDraft { endpoint: own.into(), ..kept("EU") }.validate().unwrap();
            assert!(store.residency_doubt().unwrap().contains("oss.example.com"), "{own}");
        }
        let anywhere = StoreDraft { endpoint: "https://oss.example.com".into(), ..draft() };
        assert_eq!(anywhere.validate().unwrap().residency_doubt(), None);
    }

    #[test]
    fn a_prefix_is_a_literal_beginning_of_keys() {
        for (text, words) in [
            ("s3://your-bucket-name/zenml/", "write zenml"),
            ("oss://your-bucket-name", "leave it empty"),
            ("../x", ".. leads nowhere"),
            ("a/./b", ". leads nowhere"),
            ("\\x", "begin with"),
            ("a\nb", "control character"),
        ] {
            let problem = prefix(text).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
        }
        assert_eq!(prefix("/a..b/...//c/").as_deref(), Ok("a..b/...//c"));
    }

    #[test]
    fn an_unknown_region_is_told_the_nearest() {
        let problems = StoreDraft { region: "eu-centrl-1".into(), ..draft() }.validate();
        let problems = problems.unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!(problem.field, "region");
        for words in ["eu-centrl-1", "did you mean eu-central-1?", "osstack regions"] {
            assert!(problem.message.contains(words), "{problem}");
        }
        let url = "https://oss-eu-centrl-1.example.com".to_owned();
        StoreDraft { region: "eu-centrl-1".into(), endpoint: url, ..draft() }.validate().unwrap();
    }

    #[test]
    fn finance_regions_keep_their_own_id() {
        let region = RegionId::parse("oss-cn-hzjbp").unwrap();
        assert_eq!(region.as_str(), "oss-cn-hzjbp");
        assert_eq!(region.scope(), "cn-hangzhou-finance");
        assert_eq!(RegionId::parse(region.as_str()), Ok(region));
    }
}
