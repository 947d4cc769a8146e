//! What OSS and ZenML make of a store's settings. Each rule notes its findings and mends its
//! setting; what differs in the end becomes the commands.

use serde_json::{Map, Value, json};

use super::endpoint;
use super::kwargs::{mask_passwords, object};
use super::read::{Given, HandMade, Issuer, KNOWN_SETTINGS};
use super::{Finding, Linted, Severity, Uses};
use crate::base::visible::visible;
use crate::model::bucket::BucketName;
use crate::model::endpoint::{Endpoint, EndpointError};
use crate::model::store::{Signature, StoreDraft};
use crate::zenml::script::{CommandLine, shell_quote};
use crate::zenml::version::Version;

/// The store's name in commands where the text does not hold it.
const SOME_STORE: &str = "STORE";

/// Names of keys that belong in a secret and are found in `client_kwargs`.
const KEY_ARGUMENTS: [&str; 3] =
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

/// What is to be said of `store`, and how it is mended.
pub(super) fn judge(store: HandMade, botocore: Option<Version>) -> Linted {
    let mut case = Case { findings: Vec::new(), mended: Map::new(), store, botocore };
    case.flavor();
    let bucket = case.path();
    case.keys();
    case.secret_in_command();
    let uses = case.kwargs(bucket.as_ref());
    case.unknown_settings();
    let name = case.store.name.as_deref().map(|name| visible(name).into_string());
    let commands = case.commands();
    Linted { name, findings: case.findings, commands, uses }
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
            "http" | "https" => from_url(rest)?.trim_start_matches('/').to_owned(),
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
                return None;
            }
        };
        let draft = StoreDraft { prefix: prefix.to_owned(), ..StoreDraft::default() };
        let problems = draft.validate().err().unwrap_or_default();
        if let Some(problem) = problems.iter().find(|problem| problem.field == "prefix") {
            self.say(error, "path-prefix", subject, &format!("{}.", problem.message));
        }
        Some(bucket)
    }

    /// ZenML takes the first of: connector, secret, key, whatever botocore finds by itself
    /// (`S3ArtifactStore.get_credentials`).
    fn keys(&mut self) {
        let (error, warning) = (Severity::Error, Severity::Warning);
        let store = &self.store;
        let named = store.text("authentication_secret").map(str::to_owned);
        let givens = [&store.key, &store.secret, &store.token];
        let any = givens.iter().any(|given| given.is_there());
        let plain = givens.iter().any(|given| matches!(given, Given::Plain(_)));
        let half = store.key.is_there() != store.secret.is_there();
        let issuer = match store.key {
            Given::Plain(issuer) => Some(issuer),
            _ => None,
        };
        let no_token = !store.token.is_there();
        let referred = givens.iter().find_map(|given| match given {
            Given::Reference(secret) => Some(secret.clone()),
            _ => None,
        });
        if let Some(connector) = store.connector.clone() {
            let meaning = format!(
                "The service connector {} wins over every key. ZenML's connectors hand out keys of \
                 AWS, which OSS does not know: there is none for Alibaba Cloud.",
                visible(&connector)
            );
            let corrected = "no connector, and authentication_secret";
            self.mend(error, "connector", "connector", &meaning, corrected);
        }
        let secret = named.clone().or(referred).unwrap_or_else(|| self.secret_name());
        if let Some(id) = named.as_deref().filter(|name| is_uuid(name) || name.contains("{{")) {
            let meaning =
                format!("ZenML looks the secret up by its name, and {} is none.", visible(id));
            let corrected = "the name that zenml secret list shows";
            self.mend(error, "secret-name", "authentication_secret", &meaning, corrected);
        }
        let by_secret = format!("authentication_secret {}", visible(&secret));
        if plain {
            self.mend(
                warning,
                "key-plaintext",
                "key",
                "The key stands in the settings themselves: whoever may read the store reads it. \
                 Put it into a secret, and disable it at Alibaba Cloud once the new one works.",
                &by_secret,
            );
        }
        if issuer == Some(Issuer::Aws) {
            self.mend(
                error,
                "key-aws",
                "key",
                "The key has the form of an AWS key (AKIA…, ASIA…). OSS knows keys of Alibaba \
                 Cloud only: theirs begin with LTAI.",
                "an AccessKey of a RAM user",
            );
        }
        if named.is_some() && any {
            self.mend(
                warning,
                "key-ignored",
                "key",
                "There are a secret and a key. ZenML uses the secret and ignores the key.",
                &by_secret,
            );
        } else if half {
            self.mend(
                error,
                "key-incomplete",
                "key",
                "Of key and secret one is missing: nothing can be signed with half of it.",
                &by_secret,
            );
        } else if issuer == Some(Issuer::Sts) && no_token {
            let meaning = "A temporary key (STS.…) works with its token only.";
            self.mend(error, "key-token", "token", meaning, &by_secret);
        }
        if named.is_none() && !any && self.store.connector.is_none() && !self.store.partial {
            self.mend(
                warning,
                "secret-missing",
                "authentication_secret",
                "No key is named. Each machine then uses what it has in its environment or in \
                 ~/.aws, which pods and the ZenML server have not, or not of Alibaba Cloud.",
                &by_secret,
            );
        }
        let incomplete = any || !self.store.partial;
        if named.is_none() && incomplete {
            self.mended.insert("authentication_secret".into(), json!(secret));
        }
    }

    /// `zenml secret create` with values, before the store.
    fn secret_in_command(&mut self) {
        let Some(keys) = self.store.secret_keys.clone() else { return };
        let has = |pair: [&str; 2]| pair.iter().all(|name| keys.iter().any(|key| key == name));
        if !keys.is_empty() {
            self.mend(
                Severity::Warning,
                "secret-in-command",
                "authentication_secret",
                "The key stands in a command: it stays in the history of the shell, and other \
                 users see it while it runs.",
                "zenml secret create NAME -i, which asks",
            );
        }
        if has(["aws_access_key_id", "aws_secret_access_key"]) || keys.is_empty() {
            return;
        }
        if has(["access_key_id", "secret_access_key"]) {
            self.mend(
                Severity::Note,
                "secret-key-names",
                "authentication_secret",
                &format!(
                    "The names access_key_id and secret_access_key are read since ZenML {}.",
                    Version::PLAIN_KEY_NAMES
                ),
                "aws_access_key_id and aws_secret_access_key, which every version reads",
            );
        } else {
            self.mend(
                Severity::Error,
                "secret-keys",
                "authentication_secret",
                "The store does not find its key in this secret: it looks for certain names.",
                "access_key_id and secret_access_key (and session_token)",
            );
        }
    }

    fn kwargs(&mut self, bucket: Option<&BucketName>) -> Uses {
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
        let uses = self.config(&mut kwargs, config_known && look_at_config);
        if client_known && look_at_client {
            self.region(&mut kwargs, uses, endpoint.as_ref());
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
        uses
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

    fn config(&mut self, kwargs: &mut Kwargs, look: bool) -> Uses {
        let checksums = ["request_checksum_calculation", "response_checksum_validation"];
        if look {
            self.addressing(kwargs);
            self.signature_place(kwargs);
        }
        let checksum_settings = checksums.iter().any(|name| kwargs.config.contains_key(*name));
        let version = kwargs.config.get("signature_version").and_then(Value::as_str);
        let signature = if version == Some("s3") { Signature::V2 } else { Signature::V4 };
        let uses = Uses { signature, checksum_settings };
        if !look {
            return uses;
        }
        let required = kwargs.config.get(checksums[0]).and_then(Value::as_str);
        let plain_uploads = required == Some("when_required");
        let newer = self.botocore.map(|version| version >= Version::NEWER_CHECKSUMS);
        match version {
            Some("s3" | "s3v4") | None => {}
            Some(other) => {
                let meaning = format!(
                    "botocore knows no signature {} for S3: it has s3 (S3 V2) and s3v4.",
                    visible(other)
                );
                let subject = "config_kwargs.signature_version";
                self.mend(Severity::Error, "signature-unknown", subject, &meaning, "s3");
                kwargs.config.insert("signature_version".into(), json!("s3"));
                return Uses { signature: Signature::V2, checksum_settings };
            }
        }
        if signature == Signature::V4 && !plain_uploads && newer != Some(false) {
            let (corrected, settings): (&str, &[(&str, &str)]) = if version.is_some() {
                let corrected = "request_checksum_calculation and response_checksum_validation = \
                                 when_required, or signature_version = s3";
                (corrected, &[(checksums[0], "when_required"), (checksums[1], "when_required")])
            } else {
                ("\"signature_version\": \"s3\"", &[("signature_version", "s3")])
            };
            self.mend(
                Severity::Error,
                "uploads-chunked",
                "config_kwargs",
                "With S3 V4 botocore 1.36 and newer sends uploads over https in chunks \
                 (aws-chunked), and OSS refuses every one.",
                corrected,
            );
            for (name, value) in settings {
                kwargs.config.shift_insert(0, (*name).to_owned(), json!(value));
            }
        }
        if checksum_settings {
            let (severity, text) = match newer {
                Some(true) => return uses,
                Some(false) => (
                    Severity::Error,
                    "The botocore that runs raises TypeError on the checksum settings: they came with 1.36.",
                ),
                None => (
                    Severity::Note,
                    "The checksum settings came with botocore 1.36: older ones raise TypeError on them.",
                ),
            };
            self.say(severity, "checksums-botocore", "config_kwargs", text);
        }
        // what is written now, where nothing was said
        let signature = if kwargs.config.get("signature_version") == Some(&json!("s3")) {
            Signature::V2
        } else {
            signature
        };
        Uses { signature, checksum_settings }
    }

    fn addressing(&mut self, kwargs: &mut Kwargs) {
        let error = Severity::Error;
        let (subject, corrected) =
            ("config_kwargs.s3.addressing_style", "\"s3\": {\"addressing_style\": \"virtual\"}");
        let inside = kwargs.config.get("s3").and_then(|s3| s3.get("addressing_style")).cloned();
        let outside = kwargs.config.shift_remove("addressing_style");
        let outside = outside.or_else(|| kwargs.client.shift_remove("addressing_style"));
        let outside =
            outside.or_else(|| kwargs.config.get("s3").filter(|s3| s3.is_string()).cloned());
        let refused = "OSS takes the bucket in front of the host only (virtual), and refuses \
                       the rest with SecondLevelDomainForbidden.";
        match (inside.as_ref().and_then(Value::as_str), outside) {
            (Some("virtual"), None) => return,
            (_, Some(_)) => {
                let meaning = "addressing_style stands in the wrong place: botocore reads it below s3 in config_kwargs.";
                self.mend(error, "addressing-misplaced", subject, meaning, corrected);
            }
            (None, None) => {
                let meaning = format!(
                    "Without addressing_style botocore puts the bucket into the path. {refused}"
                );
                self.mend(error, "addressing-missing", subject, &meaning, corrected);
            }
            (Some(style), None) => {
                let meaning = format!(
                    "addressing_style is {}: with an endpoint of one's own botocore then puts the \
                     bucket into the path. {refused}",
                    visible(style)
                );
                self.mend(error, "addressing-path", subject, &meaning, corrected);
            }
        }
        let s3 = kwargs.config.entry("s3").or_insert_with(|| json!({}));
        if !s3.is_object() {
            *s3 = json!({});
        }
        if let Some(s3) = s3.as_object_mut() {
            s3.insert("addressing_style".into(), json!("virtual"));
        }
    }

    fn signature_place(&mut self, kwargs: &mut Kwargs) {
        let below = kwargs.config.get_mut("s3").and_then(Value::as_object_mut);
        let outside = below.and_then(|s3| s3.shift_remove("signature_version"));
        let outside = outside.or_else(|| kwargs.client.shift_remove("signature_version"));
        let Some(outside) = outside else { return };
        self.mend(
            Severity::Error,
            "signature-misplaced",
            "config_kwargs.signature_version",
            "signature_version stands in the wrong place: botocore reads it in config_kwargs, beside s3.",
            "in config_kwargs",
        );
        if !kwargs.config.contains_key("signature_version") {
            kwargs.config.shift_insert(0, "signature_version".into(), outside);
        }
    }

    fn region(&mut self, kwargs: &mut Kwargs, uses: Uses, endpoint: Option<&Endpoint>) {
        let subject = "client_kwargs.region_name";
        let of_endpoint = endpoint.and_then(Endpoint::region).map(|region| region.id.as_str());
        let named = kwargs.client.get("region_name").or(kwargs.config.get("region_name"));
        let named =
            named.and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned);
        let Some(named) = named else {
            if uses.signature == Signature::V4 {
                let corrected = of_endpoint.unwrap_or("the region of the bucket, as eu-central-1");
                let meaning = "S3 V4 signs for a region. Without region_name that is us-east-1, and \
                               OSS compares it with the bucket's.";
                self.mend(Severity::Error, "region-missing", subject, meaning, corrected);
                kwargs.client.insert("region_name".into(), json!(of_endpoint.unwrap_or("REGION")));
            }
            return;
        };
        let Some(region) = of_endpoint.filter(|region| *region != named) else { return };
        let (severity, harm) = match uses.signature {
            Signature::V4 => (Severity::Error, "S3 V4 signs for it, and OSS refuses the signature"),
            Signature::V2 => (Severity::Warning, "S3 V2 does not sign for it, S3 V4 would fail"),
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

    /// Name of a secret to make, where the store has none.
    fn secret_name(&self) -> String {
        format!("{}_secret", self.store.name.as_deref().unwrap_or("oss"))
    }

    fn commands(&self) -> Vec<CommandLine> {
        let store = shell_quote(self.store.name.as_deref().unwrap_or(SOME_STORE));
        let mut commands = Vec::new();
        if let Some(secret) = self.mended.get("authentication_secret").and_then(Value::as_str) {
            commands
                .push(CommandLine::new(format!("zenml secret create {} -i", shell_quote(secret))));
        }
        if !self.mended.is_empty() {
            let update = CommandLine::new(format!("zenml artifact-store update {store}"));
            commands.push(update.with_settings(&self.mended));
        }
        let givens = [
            ("key", &self.store.key),
            ("secret", &self.store.secret),
            ("token", &self.store.token),
        ];
        let given: Vec<&str> =
            givens.iter().filter(|(_, given)| given.is_there()).map(|(name, _)| *name).collect();
        if !given.is_empty() && !self.store.partial {
            let names = given.join(" ");
            commands.push(CommandLine::new(format!(
                "zenml artifact-store remove-attribute {store} {names}"
            )));
        }
        if self.store.connector.is_some() {
            commands.push(CommandLine::new(format!("zenml artifact-store disconnect {store}")));
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
fn from_url(rest: &str) -> Option<String> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match Endpoint::parse(&format!("https://{host}")) {
        Err(EndpointError::BucketInside { bucket, .. }) => Some(format!("{bucket}/{path}")),
        _ => Some(path.to_owned()),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
