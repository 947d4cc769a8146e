//! Access keys that other tools keep on this machine: found, never copied without being asked.
//!
//! Places and names: ossutil 1 (`lib/config.go`) and 2 (its configuration page), aliyun-cli
//! (`config/profile.go`), the Terraform provider, and the AWS tools, which people point at OSS.
//! Found is what OSS takes as it stands there, a key or a temporary key with its token; whatever
//! else is there is named with the reason.

mod aliyun;
mod aws;
mod ini;
mod ossutil;
mod variables;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::model::region;
use crate::model::secret::{KeyNames, SecretDraft, short_id};
use crate::ports::env::Env;
use crate::ports::foreign_file::{self, ForeignFile};

/// Keys, and keys that are named only, of one tool: whoever has more has no configuration there.
const MOST: usize = 100;

/// A key of another tool that OSS takes.
#[derive(PartialEq, Eq)]
pub struct Found {
    /// Tool and profile, no two alike, showable: `aliyun:default`, `env:OSS_ACCESS_KEY_ID`.
    pub source: String,
    /// Where it stands, showable: `~/.aliyun/config.json, profile default`.
    pub place: String,
    /// The id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: SecretString,
    /// The token of a temporary key.
    pub session_token: Option<SecretString>,
    /// When that ends, where the tool keeps it.
    pub expires_at: Option<OffsetDateTime>,
    /// The region the tool uses with it, showable.
    pub region: Option<String>,
}

impl Found {
    /// What is kept of it as the secret `name`.
    pub fn draft(&self, name: &str, key_names: KeyNames) -> SecretDraft {
        let token = self.session_token.as_ref().map(SecretString::duplicate);
        let end = self.expires_at.filter(|_| token.is_some());
        SecretDraft {
            name: name.to_owned(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.duplicate(),
            session_token: token.unwrap_or_else(|| SecretString::new(String::new())),
            expires_at: end.and_then(|end| end.format(&Rfc3339).ok()).unwrap_or_default(),
            key_names,
        }
    }
}

impl fmt::Debug for Found {
    /// Without the whole key id: this reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("source", &self.source)
            .field("access_key_id", &short_id(&self.access_key_id))
            .finish_non_exhaustive()
    }
}

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Keys, the ones of the environment first.
    pub keys: Vec<Found>,
    /// What was there and gives no key.
    pub skipped: Vec<Skipped>,
}

/// What was there and gives no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it would be called, as [`Found::source`]; the tool alone where all of it is meant.
    pub sources: Vec<String>,
    /// A whole sentence, showable, that begins with the place.
    pub said: String,
}

/// Looks at the environment and the files of ossutil, aliyun-cli and the AWS tools; `now` tells
/// which temporary keys have ended. Blocks on the disk.
pub fn find(env: &Env, now: OffsetDateTime) -> Findings {
    let mut findings = Findings::default();
    let tools: [(&str, Look); 4] = [
        ("env", variables::find),
        ("ossutil", ossutil::find),
        ("aliyun", aliyun::find),
        ("aws", aws::find),
    ];
    for (tool, look) in tools {
        let mut search = Search { tool, env, now, found: Findings::default(), left_out: 0 };
        look(&mut search);
        search.end(&mut findings);
    }
    findings
}

/// How one tool is looked at.
type Look = fn(&mut Search<'_>);

/// A look at what one tool has.
struct Search<'a> {
    tool: &'static str,
    env: &'a Env,
    now: OffsetDateTime,
    found: Findings,
    /// What was past [`MOST`].
    left_out: usize,
}

impl Search<'_> {
    /// The file that `variable` names, else the one below the home.
    fn file(&mut self, variable: Option<&str>, usual: &str) -> Option<ForeignFile> {
        let path = variable.and_then(|name| self.env.path(name));
        let path: PathBuf = path.or_else(|| Some(self.env.path("HOME")?.join(usual)))?;
        match foreign_file::read(&path, self.env) {
            Ok(file) => file,
            Err(error) => {
                self.skip_all(error.to_string());
                None
            }
        }
    }

    /// What this tool calls a key of `profile`.
    fn source(&self, profile: &str) -> String {
        format!("{}:{}", self.tool, visible(profile))
    }

    /// Keeps `key` if OSS takes it; else says why not.
    fn judge(&mut self, key: Found) {
        match unfit(&key, self.now) {
            Some(why) => self.name(vec![key.source], format!("{}: {why}", key.place)),
            None if self.found.keys.len() < MOST => self.found.keys.push(key),
            None => self.left_out += 1,
        }
    }

    /// Names a profile that is no key for us.
    fn skip(&mut self, profile: &str, place: &str, why: &str) {
        self.name(vec![self.source(profile)], format!("{place}: {why}"));
    }

    /// Names what is wrong with all that this tool has.
    fn skip_all(&mut self, said: String) {
        self.name(vec![self.tool.to_owned()], said);
    }

    fn name(&mut self, sources: Vec<String>, said: String) {
        if self.found.skipped.len() < MOST {
            self.found.skipped.push(Skipped { sources, said });
        } else {
            self.left_out += 1;
        }
    }

    /// Hands all of it over, each key with a source of its own.
    fn end(self, to: &mut Findings) {
        let Findings { mut keys, mut skipped } = self.found;
        let mut seen: HashMap<String, usize> = HashMap::new();
        for key in &mut keys {
            let count = seen.entry(key.source.clone()).or_default();
            *count += 1;
            if *count > 1 {
                key.source = format!("{}#{count}", key.source);
            }
        }
        if self.left_out > 0 {
            let Self { tool, left_out, .. } = self;
            let said = format!("{tool}: {left_out} more are not shown, which is more than fits");
            skipped.push(Skipped { sources: vec![tool.to_owned()], said });
        }
        to.keys.extend(keys);
        to.skipped.extend(skipped);
    }
}

/// Why OSS would not take `key`; nothing where it may.
fn unfit(key: &Found, now: OffsetDateTime) -> Option<String> {
    if is_of_aws(&key.access_key_id) {
        return Some(OF_AWS.to_owned());
    }
    if key.session_token.is_some() && key.expires_at.is_some_and(|end| end <= now) {
        return Some("the temporary key has ended: sign in with that tool, then look again".into());
    }
    // the name is chosen later
    let problems = key.draft("name", KeyNames::Oss).validate().err()?;
    problems.into_iter().next().map(|problem| problem.message)
}

const OF_AWS: &str = "a key of AWS itself (AKIA…, ASIA…), which OSS does not know";

fn is_of_aws(id: &str) -> bool {
    id.starts_with("AKIA") || id.starts_with("ASIA")
}

/// What a profile does that holds no key, as a sentence goes on after its place. `mode` counts
/// whatever its case; empty is an ordinary key.
fn way_without_a_key(mode: &str) -> Option<String> {
    let does = match mode.to_ascii_lowercase().as_str() {
        "" | "ak" | "ststoken" => return None,
        "ramrolearn" | "chainableramrolearn" | "oidc" | "oidcrolearn" => {
            "takes on a role anew each time, so there is no key to keep"
        }
        "ecsramrole" => "asks the ECS machine it runs on each time, so there is no key to keep",
        "external" | "process" => "runs a program each time, so there is no key to keep",
        "credentialsuri" => "asks a web address each time, so there is no key to keep",
        "cloudsso" | "oauth" => "has no key at the moment: sign in with that tool, then look again",
        "bearertoken" => "has a token that OSS does not take",
        "rsakeypair" => "signs with a key pair, which OSS does not take",
        "anonymous" => "signs nothing",
        _ => "is none that osstack knows",
    };
    Some(format!("mode {} {does}", visible(mode)))
}

/// A region as it is shown: that of the endpoint, else the one a tool names.
fn region(named: Option<&str>, endpoint: Option<&str>) -> Option<String> {
    let host = endpoint.and_then(|url| url.rsplit("://").next()?.split(['/', ':']).next());
    // whoever points the AWS tools at OSS may have left a region of AWS beside it
    let of_endpoint = host.and_then(region::of_host).map(|region| region.id.as_str());
    let named = named.filter(|name| !name.is_empty());
    of_endpoint.or(named).map(|id| visible(id).into_string())
}

/// When a token ends, where that can be read.
fn end(text: Option<&str>) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text?.trim(), &Rfc3339).ok()
}

fn secret(text: &str) -> SecretString {
    SecretString::new(text.to_owned())
}

#[cfg(test)]
mod tests;
