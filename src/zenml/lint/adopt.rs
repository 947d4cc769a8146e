//! A store made by hand, as an entry of the catalog: what its settings mean, in the catalog's own
//! words.

use serde_json::{Map, Value};

use super::kwargs::{mask_passwords, object};
use super::read::{Given, HandMade};
use super::rules::{KEY_ARGUMENTS, judge};
use super::{Finding, endpoint};
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointKind};
use crate::model::store::{Extras, Signature, StoreDraft};

/// A store as the catalog would hold it.
#[derive(Clone, Debug, PartialEq)]
pub struct Adopted {
    /// The entry, to be validated: what cannot be told from the settings is empty.
    pub draft: StoreDraft,
    /// What is wrong with the store as it was made.
    pub findings: Vec<Finding>,
}

/// What `settings` of a store of the flavor `s3` mean on OSS; nothing where they lead elsewhere: to
/// AWS, or to no endpoint at all. Keys in them are forgotten.
pub fn adopt(name: &str, settings: &Map<String, Value>) -> Option<Adopted> {
    let store =
        || HandMade::new(Some(name.to_owned()), Some("s3".to_owned()), settings.clone(), None);
    let draft = draft(&store(), name)?;
    let findings = judge(store(), None).findings;
    Some(Adopted { draft, findings })
}

fn draft(store: &HandMade, name: &str) -> Option<StoreDraft> {
    // what is wrong is told by `judge`
    let mut ignored = Vec::new();
    let mut kwargs = |setting: &'static str| {
        object(setting, store.settings.get(setting), false, &mut ignored).unwrap_or_default()
    };
    let mut client = kwargs("client_kwargs");
    let mut config = kwargs("config_kwargs");
    let additional = kwargs("s3_additional_kwargs");
    let path = store.text("path").unwrap_or_default().trim();
    let path = path.strip_prefix("s3://").unwrap_or(path);
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));

    let given = client.shift_remove("endpoint_url").or_else(|| config.shift_remove("endpoint_url"));
    let given = given.as_ref().and_then(Value::as_str)?;
    let parsed = BucketName::parse(bucket).ok();
    let endpoint = endpoint::judge(given, parsed.as_ref(), &mut ignored)?;

    let version = config.shift_remove("signature_version");
    let named = client.shift_remove("region_name").or_else(|| config.shift_remove("region_name"));
    let signature = match version.as_ref().and_then(Value::as_str) {
        Some("s3") => Signature::V2,
        // V4 without a region signs for us-east-1: nobody meant that on OSS
        None if named.is_none() => Signature::V2,
        _ => Signature::V4,
    };
    let region = endpoint.region().map(|region| region.id.clone());
    let region = region.or_else(|| named.as_ref().and_then(Value::as_str).map(str::to_owned));
    without_addressing(&mut config);
    client.retain(|name, _| !KEY_ARGUMENTS.contains(&name.as_str()));
    let extras = [&mut client, &mut config].into_iter().flat_map(Map::values_mut);
    extras.for_each(|value| {
        mask_passwords(value);
    });
    Some(StoreDraft {
        name: name.to_owned(),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        secret: secret(store),
        endpoint: kind_of(&endpoint).map_or_else(|| endpoint.to_string(), |it| it.to_string()),
        region: region.unwrap_or_default(),
        signature,
        extras: Extras {
            client_kwargs: client,
            config_kwargs: config,
            s3_additional_kwargs: additional,
        },
        ..StoreDraft::default()
    })
}

/// Virtual-hosted addressing follows from OSS, and nothing else works there.
fn without_addressing(config: &mut Map<String, Value>) {
    let Some(Value::Object(s3)) = config.get_mut("s3") else { return };
    s3.shift_remove("addressing_style");
    if s3.is_empty() {
        config.shift_remove("s3");
    }
}

/// The secret by name; else the one that key or secret refer to.
fn secret(store: &HandMade) -> String {
    let referred = [&store.key, &store.secret].into_iter().find_map(|given| match given {
        Given::Reference(secret) => Some(secret.clone()),
        _ => None,
    });
    store.text("authentication_secret").map(str::to_owned).or(referred).unwrap_or_default()
}

/// The kind of its region's endpoints that it is, reached by https alone.
fn kind_of(endpoint: &Endpoint) -> Option<EndpointKind> {
    let region = endpoint.region()?;
    let is = |kind: &EndpointKind| {
        region.host(*kind).is_some_and(|host| endpoint.to_string() == format!("https://{host}"))
    };
    region.kinds().find(is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::store::ArtifactStore;
    use serde_json::json;

    fn adopted(settings: &Value) -> Option<Adopted> {
        adopt("alibaba_store", settings.as_object().unwrap())
    }

    fn told(store: &ArtifactStore) -> Value {
        let mut settings = json!({
            "path": store.path(),
            "authentication_secret": store.secret.as_str(),
            "client_kwargs": store.client_kwargs().unwrap(),
            "config_kwargs": store.config_kwargs(),
        });
        let additional = &store.extras.s3_additional_kwargs;
        if !additional.is_empty() {
            settings["s3_additional_kwargs"] = json!(additional);
        }
        settings
    }

    #[test]
    fn what_zenml_is_told_means_the_store_it_came_from() {
        let base = StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            prefix: "zenml".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            ..StoreDraft::default()
        };
        let mut extras = Extras::default();
        extras.config_kwargs.insert("s3".into(), json!({ "payload_signing_enabled": true }));
        extras.config_kwargs.insert("request_checksum_calculation".into(), json!("when_required"));
        extras.s3_additional_kwargs.insert("ACL".into(), json!("private"));
        let own = "https://oss.example.com";
        for draft in [
            StoreDraft { endpoint: "public".into(), ..base.clone() },
            StoreDraft { endpoint: "internal".into(), signature: Signature::V4, ..base.clone() },
            StoreDraft { endpoint: "s3".into(), extras, ..base.clone() },
            StoreDraft { endpoint: own.into(), region: String::new(), ..base.clone() },
            StoreDraft { endpoint: own.into(), signature: Signature::V4, ..base },
        ] {
            let store = draft.validate().unwrap();
            let again = adopted(&told(&store)).unwrap().draft.validate().unwrap();
            assert_eq!(again, store);
        }
    }

    #[test]
    fn no_key_comes_along() {
        let settings = json!({
            "path": "s3://your-bucket-name",
            "key": "{{keys.id}}",
            "secret": "canary1",
            "client_kwargs": {
                "endpoint_url": "https://oss-eu-central-1.aliyuncs.com",
                "aws_secret_access_key": "canary2",
                "proxy": "http://user:canary3@proxy:1",
            },
            "config_kwargs": { "signature_version": "s3", "proxies": { "https": "http://u:canary4@p:1" } },
        });
        let adopted = adopted(&settings).unwrap();
        assert_eq!(adopted.draft.secret, "keys");
        assert!(!format!("{adopted:?}").contains("canary"), "{adopted:?}");
    }

    #[test]
    fn what_leads_elsewhere_is_left_alone() {
        let at = |endpoint: &str| {
            adopted(&json!({ "path": "s3://b", "client_kwargs": { "endpoint_url": endpoint } }))
        };
        assert_eq!(adopted(&json!({ "path": "s3://b" })), None);
        assert_eq!(at("https://s3.eu-central-1.amazonaws.com"), None);
        assert!(at("oss-eu-central-1.aliyuncs.com").is_some(), "the scheme was forgotten");
    }
}
