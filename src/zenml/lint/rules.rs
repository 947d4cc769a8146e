//! What OSS and ZenML make of a store's settings. Each rule notes its findings and mends its
//! setting; what differs in the end becomes the commands.

mod config;
mod keys;

use serde_json::{Map, Value, json};

use super::endpoint::{self, sentence};
use super::kwargs::{mask_passwords, object};
use super::read::{Given, HandMade, KNOWN_SETTINGS};
use super::{Finding, Linted, Severity};
use crate::base::visible::visible;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointError};
use crate::model::store::{Signature, StoreDraft};
use crate::zenml::script::CommandLine;
use crate::zenml::version::Version;

/// The store's name in commands where the text does not hold it.
const SOME_STORE: &str = "STORE";

/// Names of keys that belong in a secret and are found in `client_kwargs`.
pub(super) const KEY_ARGUMENTS: [&str; 3] =
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// What is to be said of `store`, and how it is mended.
pub(super) fn judge(store: HandMade, botocore: Option<Version>) -> Linted {
    let mut case = Case { findings: Vec::new(), mended: Map::new(), store, botocore };
    case.flavor();
    let bucket = case.path();
    case.keys();
    case.secret_in_command();
    case.kwargs(bucket.as_ref());
    case.unknown_settings();
    let name = case.store.name.as_deref().map(|name| visible(name).into_string());
    let commands = case.commands();
    Linted { name, findings: case.findings, commands }
}

struct Case {
    store: HandMade,
    findings: Vec<Finding>,
    /// Settings as they should be, where they differ.
    mended: Map<String, Value>,
    botocore: Option<Version>,
}

impl Case {
    fn say(&mut self, severity: Severity, id: &'static str, subject: &'static str, meaning: &str) {
        self.findings.push(Finding::new(severity, id, subject, meaning));
    }

    /// The same with what the setting should be.
    fn mend(
        &mut self,
        severity: Severity,
        id: &'static str,
        subject: &'static str,
        meaning: &str,
        corrected: &str,
    ) {
        self.findings.push(Finding::new(severity, id, subject, meaning).corrected(corrected));
    }

    fn flavor(&mut self) {
        if let Some(flavor) = self.store.flavor.as_deref().filter(|flavor| *flavor != "s3") {
            let meaning = format!(
                "The flavor is {}. ZenML reaches OSS through the flavor s3; a store's flavor cannot be \
                 changed, so register a new one.",
                visible(flavor)
            );
            self.mend(Severity::Error, "flavor", "flavor", &meaning, "s3");
        }
    }

    fn path(&mut self) -> Option<BucketName> {
        let (error, subject) = (Severity::Error, "path");
        let Some(given) = self.store.text("path").map(str::to_owned) else {
            if !self.store.partial {
                let meaning = "A store needs its bucket.";
                self.mend(error, "path-missing", subject, meaning, "s3://BUCKET/PREFIX");
            }
            return None;
        };
        let path = given.trim().trim_matches(['\'', '"', '`']).trim();
        if path != given {
            let meaning = "Quotes or blanks stand around the path. ZenML takes quotes away; older ones did not.";
            self.mend(
                Severity::Note,
                "path-quotes",
                subject,
                meaning,
                &visible(path).into_string(),
            );
        }
        let (scheme, rest) = path.split_once("://").unwrap_or(("", path));
        let rest = match scheme {
            "s3" => rest.to_owned(),
            "http" | "https" => from_url(rest).trim_start_matches('/').to_owned(),
            _ => rest.trim_start_matches('/').to_owned(),
        };
        let path = format!("s3://{rest}");
        if scheme != "s3" {
            let meaning = "The path begins with s3://, also for OSS: ZenML refuses every other.";
            self.mend(error, "path-scheme", subject, meaning, visible(&path).as_str());
        }
        if path != given {
            self.mended.insert("path".into(), json!(path));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((&rest, ""));
        if bucket.is_empty() {
            let meaning =
                "There is no bucket in the path. ZenML registers such a store all the same.";
            self.mend(error, "path-bucket", subject, meaning, "s3://BUCKET/PREFIX");
            self.mended.shift_remove("path");
            return None;
        }
        let bucket = match BucketName::parse(bucket) {
            Ok(bucket) => bucket,
            Err(problem) => {
                let meaning = format!("No bucket of OSS is called {}: {problem}.", visible(bucket));
                self.say(error, "bucket-name", subject, &meaning);
                self.mended.shift_remove("path");
                return None;
            }
        };
        let draft = StoreDraft { prefix: prefix.to_owned(), ..StoreDraft::default() };
        let problems = draft.validate().err().unwrap_or_default();
        if let Some(problem) = problems.iter().find(|problem| problem.field == "prefix") {
            let corrected = format!("s3://{bucket}/PREFIX");
            self.mend(error, "path-prefix", subject, &sentence(&problem.message), &corrected);
            // only the user knows which prefix it should be
            self.mended.shift_remove("path");
        }
        Some(bucket)
    }

    fn kwargs(&mut self, bucket: Option<&BucketName>) {
        let typed = self.store.typed;
        let mut read = |setting: &'static str| {
            object(setting, self.store.settings.get(setting), typed, &mut self.findings)
        };
        let client = read("client_kwargs");
        let config = read("config_kwargs");
        let _judged = read("s3_additional_kwargs");
        let given = |setting: &str| self.store.settings.contains_key(setting);
        let look_at_client = given("client_kwargs") || !self.store.partial;
        let look_at_config = given("config_kwargs") || !self.store.partial;
        let (client_known, config_known) = (client.is_some(), config.is_some());
        let mut kwargs = Kwargs {
            client: client.clone().unwrap_or_default(),
            config: config.clone().unwrap_or_default(),
        };
        if client_known {
            self.keys_in_client(&mut kwargs);
        }
        let endpoint =
            if client_known && look_at_client { self.endpoint(&mut kwargs, bucket) } else { None };
        let look = config_known && look_at_config;
        let signature = look.then(|| self.config(&mut kwargs).signature);
        if client_known && look_at_client {
            self.region(&mut kwargs, signature, endpoint.as_ref());
            self.verify(&mut kwargs);
        }
        for (map, setting) in [(&kwargs.client, "client_kwargs"), (&kwargs.config, "config_kwargs")]
        {
            let looked = if setting == "client_kwargs" { look_at_client } else { look_at_config };
            let former = if setting == "client_kwargs" { &client } else { &config };
            let asis = self.store.settings.get(setting).is_some_and(|value| match value {
                Value::String(text) => {
                    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
                }
                other => other.is_object(),
            });
            if looked && (former.as_ref() != Some(map) || !asis) && !map.is_empty() {
                self.mended.insert(setting.into(), Value::Object(map.clone()));
            }
        }
    }

    fn keys_in_client(&mut self, kwargs: &mut Kwargs) {
        let before = kwargs.client.len();
        kwargs.client.retain(|name, _| !KEY_ARGUMENTS.contains(&name.as_str()));
        if kwargs.client.len() < before {
            self.mend(
                Severity::Error,
                "key-misplaced",
                "client_kwargs",
                "client_kwargs hold a key: s3fs is given it twice and stops with TypeError, and \
                 whoever may read the store reads it.",
                "authentication_secret",
            );
        }
        let (client, config) = (&mut kwargs.client, &mut kwargs.config);
        let endpoint = client.shift_remove("endpoint_url");
        let masked = client.values_mut().chain(config.values_mut());
        if masked.fold(false, |any, value| mask_passwords(value) | any) {
            self.say(
                Severity::Warning,
                "password-in-address",
                "config_kwargs",
                "An address holds a user and a password: whoever may read the store reads them. \
                 Put them in where the commands below say USER:PASSWORD.",
            );
        }
        if let Some(endpoint) = endpoint {
            client.shift_insert(0, "endpoint_url".into(), endpoint);
        }
    }

    fn endpoint(&mut self, kwargs: &mut Kwargs, bucket: Option<&BucketName>) -> Option<Endpoint> {
        let error = Severity::Error;
        let subject = "client_kwargs.endpoint_url";
        let misplaced = kwargs.config.shift_remove("endpoint_url");
        let misplaced = misplaced.or_else(|| self.store.settings.get("endpoint_url").cloned());
        if misplaced.is_some() {
            let meaning =
                "The endpoint stands outside of client_kwargs, where it is refused or ignored.";
            self.mend(error, "endpoint-misplaced", subject, meaning, "in client_kwargs");
        }
        let given = kwargs.client.get("endpoint_url").cloned().or(misplaced);
        let text = given.as_ref().and_then(Value::as_str).unwrap_or_default();
        let endpoint = if text.trim().is_empty() {
            self.mend(
                error,
                "endpoint-missing",
                subject,
                "Without an endpoint the store is looked for at AWS, and the key is sent there.",
                "https://oss-REGION.aliyuncs.com",
            );
            None
        } else {
            endpoint::judge(text, bucket, &mut self.findings)
        };
        let mended = endpoint.as_ref().map(ToString::to_string);
        // ZenML drops one slash at the end by itself
        let is_fine = mended.as_deref() == Some(text.trim_end_matches('/'));
        let value = match mended {
            Some(_) if is_fine => text.to_owned(),
            Some(mended) => mended,
            None => "https://oss-REGION.aliyuncs.com".to_owned(),
        };
        kwargs.client.shift_insert(0, "endpoint_url".into(), json!(value));
        endpoint
    }

    fn region(
        &mut self,
        kwargs: &mut Kwargs,
        signature: Option<Signature>,
        endpoint: Option<&Endpoint>,
    ) {
        let subject = "client_kwargs.region_name";
        let of_endpoint = endpoint.and_then(Endpoint::region).map(|region| region.id.as_str());
        let named = kwargs.client.get("region_name").or(kwargs.config.get("region_name"));
        let named =
            named.and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
        let Some(named) = named else {
            if signature == Some(Signature::V4) {
                let corrected = of_endpoint.unwrap_or("the region of the bucket, as eu-central-1");
                let meaning = "S3 V4 signs for a region. Without region_name that is us-east-1, and \
                               OSS compares it with the bucket's.";
                self.mend(Severity::Error, "region-missing", subject, meaning, corrected);
                kwargs.client.insert("region_name".into(), json!(of_endpoint.unwrap_or("REGION")));
            }
            return;
        };
        let Some(region) = of_endpoint.filter(|region| *region != named) else { return };
        let (severity, harm) = match signature {
            Some(Signature::V4) => {
                (Severity::Error, "S3 V4 signs for it, and OSS refuses the signature")
            }
            _ => (Severity::Warning, "S3 V2 does not sign for it, S3 V4 would fail"),
        };
        let meaning = format!(
            "The region {} is not that of the endpoint, {region}: {harm}.",
            visible(&named)
        );
        self.mend(severity, "region-mismatch", subject, &meaning, region);
        kwargs.config.shift_remove("region_name");
        kwargs.client.insert("region_name".into(), json!(region));
    }

    fn verify(&mut self, kwargs: &mut Kwargs) {
        let off = [json!(false), json!("false"), json!("False")];
        if kwargs.client.get("verify").is_some_and(|verify| off.contains(verify)) {
            kwargs.client.shift_remove("verify");
            self.mend(
                Severity::Warning,
                "tls-verify",
                "client_kwargs.verify",
                "Certificates are not looked at: whoever is in between reads and changes what goes \
                 over the line.",
                "leave verify out, or name the file of your own authority",
            );
        }
    }

    fn unknown_settings(&mut self) {
        let known = |name: &str| KNOWN_SETTINGS.contains(&name) || name == "endpoint_url";
        let unknown: Vec<String> =
            self.store.settings.keys().filter(|name| !known(name)).cloned().collect();
        for name in unknown {
            let place = match name.as_str() {
                "region_name" | "verify" => "belongs in client_kwargs",
                "signature_version" | "addressing_style" => "belongs in config_kwargs",
                _ => "is none",
            };
            let meaning = format!(
                "ZenML's S3 store knows no setting {}, so it refuses the store: that name {place}.",
                visible(&name)
            );
            self.mend(
                Severity::Error,
                "unknown-setting",
                "configuration",
                &meaning,
                "leave it out",
            );
        }
    }

    fn commands(&self) -> Vec<CommandLine> {
        let store = self.store.name.as_deref().unwrap_or(SOME_STORE);
        let mut commands = Vec::new();
        let secret = self.mended.get("authentication_secret").and_then(Value::as_str);
        // a secret that the key refers to need not be made
        let givens = [&self.store.key, &self.store.secret, &self.store.token];
        let is_there = |secret: &str| {
            givens.iter().any(|given| matches!(given, Given::Reference(name) if name == secret))
        };
        if let Some(secret) = secret.filter(|secret| !is_there(secret)) {
            commands.push(CommandLine::new(["secret", "create", secret, "-i"]));
        }
        if !self.mended.is_empty() {
            let update = CommandLine::new(["artifact-store", "update", store]);
            commands.push(update.with_settings(&self.mended));
        }
        let givens = [
            ("key", &self.store.key),
            ("secret", &self.store.secret),
            ("token", &self.store.token),
        ];
        let given: Vec<&str> =
            givens.iter().filter(|(_, given)| given.is_there()).map(|(name, _)| *name).collect();
        let by_secret = secret.or(self.store.text("authentication_secret")).is_some();
        if !given.is_empty() && by_secret {
            let remove = CommandLine::new(["artifact-store", "remove-attribute", store]);
            commands.push(remove.and(given));
        }
        if self.store.connector.is_some() {
            commands.push(CommandLine::new(["artifact-store", "disconnect", store]));
        }
        commands
    }
}

/// Both objects, as they should be.
struct Kwargs {
    client: Map<String, Value>,
    config: Map<String, Value>,
}

/// `bucket.host/prefix` or `host/bucket/prefix` of a URL as `bucket/prefix`.
fn from_url(rest: &str) -> String {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match Endpoint::parse(&format!("https://{host}")) {
        Err(EndpointError::BucketInside { bucket, .. }) => format!("{bucket}/{path}"),
        _ => path.to_owned(),
    }
}
