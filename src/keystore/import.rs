//! Access keys that other tools keep on this machine: found, never copied without being asked.
//!
//! Places and names: ossutil 1 (`lib/config.go`) and 2 (its configuration page), aliyun-cli
//! (`config/profile.go`), the Terraform provider, and the AWS tools, which people point at OSS.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::base::atomic_file;
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::ports::env::Env;

const AWS_ID: &str = "AWS_ACCESS_KEY_ID";
/// RFC 3339; botocore and the other SDKs of AWS read it beside `AWS_SESSION_TOKEN`.
const AWS_END: &str = "AWS_CREDENTIAL_EXPIRATION";

/// No configuration of such a tool is larger.
const MAX_BYTES: u64 = 1 << 20;

/// A key of another tool, as it stands there; a
/// [`SecretDraft`](crate::model::secret::SecretDraft) validates it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Where, made showable: `~/.aliyun/config.json, profile default`.
    pub origin: String,
    /// The id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: SecretString,
    /// The token of a temporary key.
    pub session_token: Option<SecretString>,
    /// When that ends, where the tool keeps it: RFC 3339, or as it stands there.
    pub expires_at: Option<String>,
    /// The region the tool uses with it.
    pub region: Option<String>,
}

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Keys, the ones of the environment first.
    pub keys: Vec<Found>,
    /// What was there and gave no key, with the reason.
    pub skipped: Vec<String>,
}

/// Looks at the environment and the files of ossutil, aliyun-cli and the AWS tools.
pub fn find(env: &Env) -> Findings {
    let mut findings = Findings { keys: from_env(env), skipped: Vec::new() };
    let Some(home) = env.path("HOME") else { return findings };
    let at = |variable: &str, usual: &str| env.path(variable).unwrap_or_else(|| home.join(usual));
    let ini = [
        at("OSSUTIL_CONFIG_FILE", ".ossutilconfig"),
        at("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
    ];
    for path in ini {
        if let Some((origin, text)) = read(&path, &home, &mut findings.skipped) {
            findings.keys.extend(from_ini(&text, &origin));
        }
    }
    let path = home.join(".aliyun/config.json");
    if let Some((origin, text)) = read(&path, &home, &mut findings.skipped) {
        from_aliyun(&text, &origin, &mut findings);
    }
    findings
}

/// The keys that variables hold, in the order of preference. Where several tools' variables name
/// the same id it is found once.
pub fn from_env(env: &Env) -> Vec<Found> {
    // id, secret, token, region; how long a token lasts only the AWS SDKs have a variable for
    const VARIABLES: [[&str; 4]; 6] = [
        ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN", "OSS_REGION"],
        [
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_SECURITY_TOKEN",
            "ALIBABA_CLOUD_REGION_ID",
        ],
        [
            "ALIBABACLOUD_ACCESS_KEY_ID",
            "ALIBABACLOUD_ACCESS_KEY_SECRET",
            "ALIBABACLOUD_SECURITY_TOKEN",
            "ALIBABACLOUD_REGION_ID",
        ],
        [
            "ALICLOUD_ACCESS_KEY_ID",
            "ALICLOUD_ACCESS_KEY_SECRET",
            "ALICLOUD_SECURITY_TOKEN",
            "ALICLOUD_REGION_ID",
        ],
        [
            "ALICLOUD_ACCESS_KEY",
            "ALICLOUD_SECRET_KEY",
            "ALICLOUD_SECURITY_TOKEN",
            "ALICLOUD_REGION",
        ],
        [AWS_ID, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"],
    ];
    let mut keys: Vec<Found> = Vec::new();
    for [id, secret, token, region] in VARIABLES {
        let (Some(id_value), Some(secret)) = (env.get(id), env.get(secret)) else { continue };
        if keys.iter().any(|key| key.access_key_id == id_value) {
            continue;
        }
        let token = env.get(token);
        let end = token.filter(|_| id == AWS_ID).and_then(|_| env.get(AWS_END));
        keys.push(Found {
            origin: format!("the environment, {id}"),
            access_key_id: id_value.to_owned(),
            secret_access_key: SecretString::new(secret.to_owned()),
            session_token: token.map(|token| SecretString::new(token.to_owned())),
            expires_at: end.map(str::to_owned),
            region: env.get(region).map(str::to_owned),
        });
    }
    keys
}

/// The keys of an INI file: ossutil 1 and 2, and the AWS tools' credentials. Names count whatever
/// their case and with or without `_` and `-`.
pub fn from_ini(text: &str, origin: &str) -> Vec<Found> {
    let mut keys = Vec::new();
    let mut section = Section::default();
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let next = Section { name: name.trim().to_owned(), ..Section::default() };
            keys.extend(std::mem::replace(&mut section, next).found(origin));
        } else if !line.starts_with(['#', ';']) {
            section.take(line);
        }
    }
    keys.extend(section.found(origin));
    keys
}

#[derive(Default)]
struct Section {
    name: String,
    id: String,
    secret: Zeroizing<String>,
    token: Zeroizing<String>,
    end: String,
    region: String,
}

impl Section {
    fn take(&mut self, line: &str) {
        let Some((name, value)) = line.split_once('=') else { return };
        let name = name.trim().to_ascii_lowercase().replace(['_', '-'], "");
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        match name.as_str() {
            "accesskeyid" | "accessid" | "awsaccesskeyid" => value.clone_into(&mut self.id),
            "accesskeysecret" | "accesskey" | "awssecretaccesskey" => {
                value.clone_into(&mut self.secret);
            }
            "ststoken" | "awssessiontoken" => value.clone_into(&mut self.token),
            // what saml2aws writes beside the three of AWS
            "xsecuritytokenexpires" => value.clone_into(&mut self.end),
            "region" => value.clone_into(&mut self.region),
            _ => {}
        }
    }

    fn found(self, origin: &str) -> Option<Found> {
        let token = (!self.token.is_empty()).then(|| SecretString::new(self.token.to_string()));
        let end = Some(self.end).filter(|end| token.is_some() && !end.is_empty());
        let found = Found {
            origin: format!("{origin}, [{}]", visible(&self.name)),
            secret_access_key: SecretString::new(self.secret.to_string()),
            session_token: token,
            expires_at: end,
            region: Some(self.region).filter(|region| !region.is_empty()),
            access_key_id: self.id,
        };
        (!found.access_key_id.is_empty() && !found.secret_access_key.is_empty()).then_some(found)
    }
}

#[derive(Deserialize)]
struct AliyunConfig {
    #[serde(default)]
    profiles: Vec<AliyunProfile>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AliyunProfile {
    name: String,
    mode: String,
    access_key_id: String,
    access_key_secret: String,
    sts_token: String,
    /// In seconds since 1970.
    sts_expiration: i64,
    region_id: String,
}

/// The profiles of aliyun-cli. The modes `AK` and `StsToken` hold a key, `CloudSSO` and `OAuth`
/// the temporary one that they last made, with its end; the others make one anew each time.
fn from_aliyun(text: &str, origin: &str, findings: &mut Findings) {
    let Ok(config) = serde_json::from_str::<AliyunConfig>(text) else {
        findings.skipped.push(format!("{origin}: not the JSON that aliyun-cli writes"));
        return;
    };
    for profile in config.profiles {
        let origin = format!("{origin}, profile {}", visible(&profile.name));
        let secret = SecretString::new(profile.access_key_secret);
        let token = SecretString::new(profile.sts_token);
        let holds_one = match profile.mode.as_str() {
            "AK" | "StsToken" => true,
            "CloudSSO" | "OAuth" => !token.is_empty(),
            _ => false,
        };
        if !holds_one {
            let mode = visible(&profile.mode);
            findings.skipped.push(format!("{origin}: mode {mode} holds no key of its own"));
        } else if !profile.access_key_id.is_empty() && !secret.is_empty() {
            findings.keys.push(Found {
                origin,
                access_key_id: profile.access_key_id,
                secret_access_key: secret,
                expires_at: (profile.sts_expiration > 0 && !token.is_empty())
                    .then(|| OffsetDateTime::from_unix_timestamp(profile.sts_expiration).ok())
                    .flatten()
                    .and_then(|end| end.format(&Rfc3339).ok()),
                session_token: Some(token).filter(|token| !token.is_empty()),
                region: Some(profile.region_id).filter(|region| !region.is_empty()),
            });
        }
    }
}

/// The text of `path` and how to name it; `None` where there is none.
fn read(
    path: &Path,
    home: &Path,
    skipped: &mut Vec<String>,
) -> Option<(String, Zeroizing<String>)> {
    let short = path.strip_prefix(home).map(|rest| PathBuf::from("~").join(rest));
    let origin = short.unwrap_or_else(|_| path.to_owned());
    let origin = visible(&origin.to_string_lossy()).into_string();
    match atomic_file::read(path, MAX_BYTES) {
        Ok(bytes) => match String::from_utf8(bytes?) {
            Ok(text) => return Some((origin, Zeroizing::new(text))),
            Err(_) => skipped.push(format!("{origin}: not UTF-8 text")),
        },
        Err(error) => skipped.push(error.to_string()),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(keys: &[Found]) -> Vec<(&str, &str, Option<&str>)> {
        keys.iter()
            .map(|key| {
                let token = key.session_token.as_ref().map(SecretString::expose);
                (key.access_key_id.as_str(), key.secret_access_key.expose(), token)
            })
            .collect()
    }

    #[test]
    fn ossutil_of_both_generations_and_aws() {
        let first = "[Credentials]\nlanguage=EN\nendpoint=oss-cn-hangzhou.aliyuncs.com\n\
                     accessKeyID=id1\naccessKeySecret=s=1==\n[Bucket-Endpoint]\nb=oss\n";
        assert_eq!(ids(&from_ini(first, "x")), [("id1", "s=1==", None)]);
        let second = "# mine\n[default]\r\naccess-key-id = \"id2\"\r\naccess_key_secret = s2\n\
                      region = cn-beijing\n[profile temp]\naccessKeyId=STS.3\n\
                      accessKeySecret=s3\nsts-token=t3\n[profile role]\nmode=EcsRamRole\n";
        let keys = from_ini(second, "~/.ossutilconfig");
        assert_eq!(ids(&keys), [("id2", "s2", None), ("STS.3", "s3", Some("t3"))]);
        assert_eq!(keys[0].region.as_deref(), Some("cn-beijing"));
        assert_eq!(keys[1].origin, "~/.ossutilconfig, [profile temp]");
        let aws = "[oss]\naws_access_key_id = LTAI4\naws_secret_access_key = s4\n\
                   aws_session_token = t4";
        assert_eq!(ids(&from_ini(aws, "x")), [("LTAI4", "s4", Some("t4"))]);
        assert_eq!(from_ini("", "x"), []);
        let ends = format!("{aws}\nx_security_token_expires = 2026-11-27T20:00:00+08:00");
        assert_eq!(
            from_ini(&ends, "x")[0].expires_at.as_deref(),
            Some("2026-11-27T20:00:00+08:00")
        );
        assert_eq!(from_ini(&ends.replace("aws_session_token", "x"), "x")[0].expires_at, None);
    }

    #[test]
    fn the_end_of_a_temporary_key_comes_with_it() {
        let config = r#"{"profiles":[
            {"name":"sso","mode":"CloudSSO","access_key_id":"STS.1","access_key_secret":"s1",
             "sts_token":"t1","sts_expiration":1795809600},
            {"name":"new","mode":"OAuth","sts_expiration":0},
            {"name":"sts","mode":"StsToken","access_key_id":"STS.2","access_key_secret":"s2",
             "sts_token":"t2"}]}"#;
        let mut findings = Findings::default();
        from_aliyun(config, "x", &mut findings);
        let ends: Vec<_> =
            findings.keys.iter().map(|key| key.expires_at.as_deref().unwrap_or("")).collect();
        assert_eq!(ends, ["2026-11-27T20:00:00Z", ""]);
        assert_eq!(findings.skipped, ["x, profile new: mode OAuth holds no key of its own"]);

        let variables = [
            ("AWS_ACCESS_KEY_ID", "STS.3"),
            ("AWS_SECRET_ACCESS_KEY", "s3"),
            ("AWS_SESSION_TOKEN", "t3"),
            ("AWS_CREDENTIAL_EXPIRATION", "2026-11-27T20:00:00Z"),
        ];
        let end_of = |variables: &[(&str, &str)]| {
            let owned = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            from_env(&Env::new(owned)).remove(0).expires_at
        };
        assert_eq!(end_of(&variables).as_deref(), Some("2026-11-27T20:00:00Z"));
        let others = [("OSS_ACCESS_KEY_ID", "LTAI4"), ("OSS_ACCESS_KEY_SECRET", "s4")];
        assert_eq!(end_of(&[&others[..], &variables].concat()), None, "it is another key's");
    }

    #[test]
    fn the_environment_and_files_of_a_home() {
        let home = tempfile::tempdir().unwrap();
        let aliyun = r#"{"current":"a","profiles":[
            {"name":"a","mode":"AK","access_key_id":"id5","access_key_secret":"s5","region_id":"cn-shanghai"},
            {"name":"b","mode":"RamRoleArn","access_key_id":"id6","access_key_secret":"s6"}]}"#;
        let options = atomic_file::Options::default();
        let file = home.path().join(".aliyun/config.json");
        atomic_file::write(&file, aliyun.as_bytes(), 1, &options).unwrap();
        atomic_file::write(&home.path().join(".ossutilconfig"), b"\xff", 1, &options).unwrap();
        let variables = [
            ("HOME", home.path().to_str().unwrap()),
            ("OSS_ACCESS_KEY_ID", "id7"),
            ("OSS_ACCESS_KEY_SECRET", "s7"),
            ("AWS_ACCESS_KEY_ID", "id7"),
            ("AWS_SECRET_ACCESS_KEY", "s7"),
            ("ALICLOUD_ACCESS_KEY", "no secret beside it"),
        ];
        let env = Env::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let findings = find(&env);
        assert_eq!(ids(&findings.keys), [("id7", "s7", None), ("id5", "s5", None)]);
        assert_eq!(findings.keys[1].origin, "~/.aliyun/config.json, profile a");
        assert_eq!(findings.keys[1].region.as_deref(), Some("cn-shanghai"));
        assert_eq!(
            findings.skipped,
            [
                "~/.ossutilconfig: not UTF-8 text",
                "~/.aliyun/config.json, profile b: mode RamRoleArn holds no key of its own",
            ]
        );
        assert_eq!(find(&Env::default()), Findings::default());
    }
}
