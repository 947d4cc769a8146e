//! What botocore 1.44.5 signs, request by request: our signatures must be the same, byte for
//! byte. `OSSTACK_TEST_VECTORS=DIR` checks every `*.json` of a folder in the same way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests stop where something is not as it should be"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use osstack::base::secret_string::SecretString;
use osstack::model::bucket::BucketName;
use osstack::model::secret::Credentials;
use osstack::oss::request::{Request, parse_query};
use osstack::oss::{presign, sign_v2, sign_v4};
use serde_json::Value;
use time::OffsetDateTime;

/// Sent by the SDK's defaults, aws-chunked: ours to refuse, not to sign.
const NOT_OURS: &str = "negative-default-sdk";

struct Vector<'a>(&'a Value);

impl<'a> Vector<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.as_str()
    }

    fn need(&self, name: &str) -> Result<&'a str, String> {
        self.text(name).ok_or_else(|| format!("the vector has no {name}"))
    }

    fn credentials(&self) -> Result<Credentials, String> {
        let part = |name: &str| self.0["credentials"][name].as_str().map(ToOwned::to_owned);
        Ok(Credentials {
            access_key_id: part("access_key_id").ok_or("no access_key_id")?,
            secret_access_key: SecretString::new(part("secret_access_key").ok_or("no secret")?),
            session_token: part("session_token").map(SecretString::new),
            expires_at: None,
        })
    }

    fn now(&self) -> Result<OffsetDateTime, String> {
        let unix = self.0["clock_epoch"].as_i64().ok_or("no clock_epoch")?;
        OffsetDateTime::from_unix_timestamp(unix).map_err(|error| error.to_string())
    }

    /// The request as the client would hold it before signing.
    fn request(&self, method: &str, url: &str) -> Result<Request, String> {
        let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
        let (authority, rest) = rest.split_at(rest.find('/').ok_or("no path")?);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let bucket = self.text("bucket").map(ToOwned::to_owned);
        let hosted = |bucket: &String| authority.starts_with(&format!("{bucket}."));
        let v2 = self.need("signature")?.starts_with("v2");
        let mut path = path.to_owned();
        if let Some(bucket) = bucket.as_ref().filter(|bucket| v2 && !hosted(bucket)) {
            // botocore sends one call path style, and signs it as if it were not
            let below = path.strip_prefix(&format!("/{bucket}")).unwrap_or(&path);
            path = if below.is_empty() { "/".to_owned() } else { below.to_owned() };
        }
        let body = self.0["request"]["body_utf8"].as_str().unwrap_or_default();
        Ok(Request {
            method: method.to_owned(),
            scheme: if scheme == "http" { "http" } else { "https" },
            authority: authority.to_owned(),
            bucket: bucket.and_then(|bucket| BucketName::parse(&bucket).ok()),
            path,
            query: parse_query(query),
            headers: Vec::new(),
            body: body.to_owned().into(),
        })
    }
}

/// Whether one vector holds; `Ok(false)` where it is not ours to sign.
fn check(vector: &Value) -> Result<bool, String> {
    let vector = Vector(vector);
    if vector.text("profile") == Some(NOT_OURS) {
        return Ok(false);
    }
    match vector.need("signature")? {
        "v2" => check_v2(&vector)?,
        "v4" => check_v4(&vector)?,
        "v2-query" | "v4-query" => check_url(&vector)?,
        other => return Err(format!("unknown signature {other}")),
    }
    Ok(true)
}

fn same(what: &str, ours: &str, theirs: &str) -> Result<(), String> {
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{what}:\nours   {ours:?}\ntheirs {theirs:?}"))
    }
}

/// The vector's request with the headers that are there before signing.
fn unsigned(vector: &Vector<'_>) -> Result<Request, String> {
    let sent = &vector.0["request"];
    let method = sent["method"].as_str().ok_or("no method")?;
    let url = sent["url"].as_str().ok_or("no url")?;
    let mut request = vector.request(method, url)?;
    for (name, value) in sent["headers"].as_object().ok_or("no headers")? {
        let name = name.to_ascii_lowercase();
        let by_signing = ["authorization", "date", "x-amz-date", "x-amz-security-token"];
        if !by_signing.contains(&name.as_str()) {
            request.set_header(&name, value.as_str().unwrap_or_default());
        }
    }
    Ok(request)
}

fn check_v2(vector: &Vector<'_>) -> Result<(), String> {
    let mut request = unsigned(vector)?;
    let text = sign_v2::sign(&mut request, &vector.credentials()?, vector.now()?);
    same("string to sign", &text, vector.need("string_to_sign")?)?;
    let ours = request.header("authorization").unwrap_or_default();
    same("authorization", ours, vector.need("expected_authorization")?)?;
    let sent = vector.0["request"]["headers"]["Date"].as_str().unwrap_or_default();
    same("date", request.header("date").unwrap_or_default(), sent)
}

fn check_v4(vector: &Vector<'_>) -> Result<(), String> {
    let mut request = unsigned(vector)?;
    let payload = request.header("x-amz-content-sha256").ok_or("no payload hash")?.to_owned();
    let (credentials, region) = (vector.credentials()?, vector.need("region")?);
    let expected = vector.need("expected_authorization")?;
    // the scope's region is what the vector's own authorization names
    let scope_region = expected.split('/').nth(2).unwrap_or(region);
    let signed = if payload == sign_v4::UNSIGNED_PAYLOAD {
        let timestamp = sign_v4::timestamp(vector.now()?);
        request.set_header("x-amz-date", timestamp.as_str());
        if let Some(token) = &credentials.session_token {
            request.set_header("x-amz-security-token", token.expose());
        }
        let signed = sign_v4::signed(&request, &credentials, scope_region, &timestamp, &payload);
        let ours = sign_v4::authorization(&signed, &credentials, scope_region, &timestamp);
        request.set_header("authorization", ours);
        signed
    } else {
        let sent = vector.0["request"]["body_sha256"].as_str().unwrap_or_default();
        same("payload", &sign_v4::sha256_hex(&request.body), sent)?;
        sign_v4::sign(&mut request, &credentials, scope_region, vector.now()?)
    };
    same("canonical request", &signed.canonical_request, vector.need("canonical_request")?)?;
    same("string to sign", &signed.string_to_sign, vector.need("string_to_sign")?)?;
    same("authorization", request.header("authorization").unwrap_or_default(), expected)
}

fn check_url(vector: &Vector<'_>) -> Result<(), String> {
    let expected = vector.need("expected_url")?;
    let v2 = vector.need("signature")? == "v2-query";
    let method =
        if v2 { vector.need("string_to_sign")? } else { vector.need("canonical_request")? };
    let method = method.lines().next().unwrap_or_default();
    let mut request = vector.request(method, expected)?;
    // what signing adds is taken away; what else a link carries stays
    let added = |name: &str| {
        matches!(name, "AWSAccessKeyId" | "Signature" | "Expires")
            || name.eq_ignore_ascii_case("x-amz-security-token")
            || name.starts_with("X-Amz-")
    };
    request.query.retain(|(name, _)| !added(name));
    if let Some(kind) = vector.0["input"]["ContentType"].as_str() {
        request.query.retain(|(name, _)| name != "content-type");
        request.set_header("content-type", kind);
    }
    let expires = Duration::from_secs(vector.0["expires_in"].as_u64().ok_or("no expires_in")?);
    let (credentials, now) = (vector.credentials()?, vector.now()?);
    let ours = if v2 {
        let (url, text) = presign::url_v2(request, &credentials, now, expires);
        same("string to sign", &text, vector.need("string_to_sign")?)?;
        url
    } else {
        let region = vector.need("region")?;
        let (url, signed) = presign::url_v4(request, &credentials, region, now, expires);
        same("canonical request", &signed.canonical_request, vector.need("canonical_request")?)?;
        same("string to sign", &signed.string_to_sign, vector.need("string_to_sign")?)?;
        url
    };
    // the order of a query is free
    same("address", &sorted(&ours), &sorted(expected))
}

fn sorted(url: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_unstable();
    format!("{path}?{}", pairs.join("&"))
}

fn folders() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors");
    #[expect(clippy::disallowed_methods, reason = "tests are told by the environment")]
    let more = std::env::var("OSSTACK_TEST_VECTORS").ok().map(PathBuf::from);
    std::iter::once(own).chain(more).collect()
}

fn vectors(folder: &Path) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no *.json in {}", folder.display());
    files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let document: Value = serde_json::from_str(&text).unwrap();
            let vectors = document["vectors"].as_array().cloned();
            vectors.unwrap_or_else(|| panic!("{}: no vectors", file.display()))
        })
        .collect()
}

#[test]
fn every_signature_vector_holds() {
    for folder in folders() {
        let vectors = vectors(&folder);
        let mut signed = 0;
        let mut broken = Vec::new();
        for vector in &vectors {
            match check(vector) {
                Ok(ours) => signed += usize::from(ours),
                Err(why) => broken.push(format!("{}: {why}", vector["name"])),
            }
        }
        assert!(broken.is_empty(), "{} of {}:\n{}", broken.len(), vectors.len(), broken.join("\n"));
        println!("{}: {signed} of {} signed alike", folder.display(), vectors.len());
        assert!(signed > 0, "nothing to check in {}", folder.display());
    }
}

#[test]
fn a_vector_with_one_byte_altered_fails() {
    let folder = folders().remove(0);
    let mut altered = 0;
    for vector in vectors(&folder).iter().filter(|vector| vector["profile"] != NOT_OURS) {
        for name in ["expected_authorization", "expected_url", "string_to_sign"] {
            let Some(text) = vector[name].as_str() else { continue };
            let mut text = text.to_owned();
            let last = text.pop().unwrap();
            text.push(if last == 'A' { 'B' } else { 'A' });
            let mut vector = vector.clone();
            vector[name] = text.into();
            assert!(check(&vector).is_err(), "{}: {name} altered, and it held", vector["name"]);
            altered += 1;
        }
        let mut vector = vector.clone();
        vector["credentials"]["secret_access_key"] = "0123456789abcdefghijABCDEFGHIK".into();
        assert!(check(&vector).is_err(), "{}: another secret, and it held", vector["name"]);
    }
    assert!(altered > 100, "only {altered} were altered");
}
