//! The sandbox's rules against requests that botocore signed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what does not fit must stop them"
)]

use http::request::Parts;
use http::{Method, Request};
use osstack::base::secret_string::SecretString;
use osstack::model::secret::Credentials;
use osstack::sandbox::Refusal;
use osstack::sandbox::faults::Faults;
use osstack::sandbox::hosts::{Hosts, Region};
use osstack::sandbox::keys::Keys;
use osstack::sandbox::rules::{Admitted, Rules, signed::Claim};
use serde_json::Value;
use time::OffsetDateTime;

const FILES: [&str; 2] =
    [include_str!("../data/vectors/sigv2.json"), include_str!("../data/vectors/sigv4.json")];

fn vectors() -> Vec<Value> {
    let read = |text| serde_json::from_str::<Value>(text).unwrap()["vectors"].take();
    FILES.into_iter().flat_map(|text| read(text).as_array().unwrap().clone()).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// The head of the request as it would reach a server.
fn head(vector: &Value) -> Parts {
    let request = &vector["request"];
    let (method, url) = if request.is_object() {
        (text(request, "method"), text(request, "url"))
    } else {
        // a URL's method stands in what was signed: V4 signs the hash of the canonical request
        let signed = vector["canonical_request"].as_str();
        let signed = signed.unwrap_or_else(|| text(vector, "string_to_sign"));
        (signed.split('\n').next().unwrap(), text(vector, "expected_url"))
    };
    let rest = url.split_once("://").unwrap().1;
    let (host, target) = rest.split_once('/').unwrap_or((rest, ""));
    let mut builder = Request::builder()
        .method(method.parse::<Method>().unwrap())
        .uri(format!("/{target}"))
        .header("host", host);
    if let Some(headers) = request["headers"].as_object() {
        for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            builder = builder.header(name, value.as_str().unwrap());
        }
    }
    builder.body(()).unwrap().into_parts().0
}

fn judge(vector: &Value, late: time::Duration) -> Result<Admitted, Refusal> {
    let hosts = Hosts::new(vec![Region {
        id: "eu-central-1".into(),
        host: "oss-eu-central-1.aliyuncs.com".into(),
        port: None,
    }]);
    let key = &vector["credentials"];
    let secret = |name| key[name].as_str().map(|text| SecretString::new(text.to_owned()));
    let keys = Keys::with_permanent(Credentials {
        access_key_id: text(key, "access_key_id").to_owned(),
        secret_access_key: secret("secret_access_key").unwrap(),
        session_token: secret("session_token"),
        expires_at: None,
    });
    let clock =
        OffsetDateTime::from_unix_timestamp(vector["clock_epoch"].as_i64().unwrap()).unwrap();
    let faults = Faults::default();
    let rules = Rules { hosts: &hosts, keys: &keys, now: clock + late, faults: &faults };
    rules.admit(&head(vector), |bucket| {
        (bucket == "example-bucket").then(|| "eu-central-1".to_owned())
    })
}

#[test]
fn what_newer_sdks_send_by_default_is_refused() {
    let vectors = vectors();
    let negative: Vec<_> =
        vectors.iter().filter(|vector| vector["profile"] == "negative-default-sdk").collect();
    assert!(!negative.is_empty());
    for vector in negative {
        let refusal = judge(vector, time::Duration::ZERO).unwrap_err();
        assert_eq!((refusal.code.as_ref(), refusal.status.as_u16()), ("InvalidArgument", 400));
        assert_eq!(refusal.ec, Some("0017-00000804"), "{}", vector["name"]);
    }
}

#[test]
fn what_osstack_and_zenml_send_is_admitted_and_understood_as_signed() {
    let (mut admitted, mut refused) = (0, 0);
    for vector in vectors().iter().filter(|vector| vector["profile"] != "negative-default-sdk") {
        let name = text(vector, "name");
        let parts = head(vector);
        match judge(vector, time::Duration::ZERO) {
            Ok(Admitted { claim, place, .. }) => {
                let mut parts = parts;
                claim.clone().into_header_form(&mut parts);
                let bucket = match place {
                    osstack::sandbox::hosts::Place::Bucket(_, bucket) => Some(bucket),
                    _ => None,
                };
                assert_eq!(
                    claim.string_to_sign(&parts, bucket.as_deref()),
                    text(vector, "string_to_sign"),
                    "{name}"
                );
                admitted += 1;
            }
            Err(refusal) => {
                // what botocore sends and OSS does not take
                let why = match refusal.code.as_ref() {
                    "SecondLevelDomainForbidden" => name == "get_bucket_location",
                    "MissingArgument" => name == "delete_objects",
                    // it asks for public-read
                    "AccessDenied" => name == "put_object_acl",
                    _ => false,
                };
                assert!(why, "{name}: {refusal:?}");
                refused += 1;
            }
        }
    }
    assert!(admitted > 100 && refused >= 2, "{admitted} {refused}");
}

#[test]
fn fifteen_minutes_are_the_limit_and_urls_end_when_they_say() {
    let vectors = vectors();
    let named = |name: &'static str| vectors.iter().filter(move |vector| vector["name"] == name);
    let minutes = time::Duration::minutes;
    for vector in named("head_object") {
        assert!(judge(vector, minutes(15)).is_ok() && judge(vector, minutes(-15)).is_ok());
        for late in [minutes(16), minutes(-16)] {
            let refusal = judge(vector, late).unwrap_err();
            assert_eq!(refusal.code, "RequestTimeTooSkewed");
            assert_eq!(refusal.ec, Some("0002-00000501"));
        }
    }
    let mut urls = 0;
    for vector in named("presign_get") {
        let lasts = time::Duration::seconds(vector["expires_in"].as_i64().unwrap());
        assert!(judge(vector, lasts).is_ok());
        let refusal = judge(vector, lasts + time::Duration::SECOND).unwrap_err();
        assert_eq!(
            (refusal.code.as_ref(), refusal.message.as_ref()),
            ("AccessDenied", "Request has expired.")
        );
        urls += 1;
    }
    assert_eq!(urls, 2);
}

#[test]
fn a_url_of_more_than_seven_days_is_refused() {
    let url = "/a?X-Amz-Credential=id/20260315/r/s3/aws4_request&X-Amz-Date=20260315T102030Z\
               &X-Amz-SignedHeaders=host&X-Amz-Signature=0";
    for (expires, ec) in [
        ("", "0002-00000416"),
        ("&X-Amz-Expires=0", "0002-00000417"),
        ("&X-Amz-Expires=604801", "0002-00000417"),
        ("&X-Amz-Expires=x", "0002-00000417"),
    ] {
        let parts = Request::get(format!("{url}{expires}")).body(()).unwrap().into_parts().0;
        assert_eq!(Claim::read(&parts).unwrap_err().ec, Some(ec), "{expires}");
    }
}
