//! Access keys that other tools keep on this machine.

use std::sync::Arc;

use time::OffsetDateTime;

use super::super::failure::{Failure, FailureKind};
use super::super::secrets::lies_elsewhere;
use super::super::world::{World, blocking};
use super::{End, free_name};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::keystore::import::{self, Findings, Skipped};
use crate::keystore::{Put, State};
use crate::model::name::Name;
use crate::model::secret::{KeyNames, Secret, id_hint, secret_hint, short_id};
use crate::ports::env::Env;

/// What the documentation of ZenML calls the secret.
const USUAL_NAME: &str = "alibaba_secret";

/// An access key of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Tool and profile, no two alike, showable: `aliyun:default`.
    pub source: String,
    /// Where it stands, showable: `~/.aliyun/config.json, profile default`.
    pub place: String,
    /// The id, shortened, showable.
    pub short_id: String,
    /// Whether it comes with a token, and when that ends.
    pub token: Option<End>,
    /// The region that the tool uses with it, showable.
    pub region: Option<String>,
    /// What is odd about it.
    pub hint: Option<&'static str>,
    /// The secret that has it already, as far as the keystore is open.
    pub known: Option<Name>,
    /// What to call it: free, as far as the keystore is open.
    pub name: String,
}

impl FoundKey {
    /// What it is, in a line: `LTAI…0001, a temporary key that ends in 2 h, of cn-hangzhou`.
    pub fn words(&self) -> String {
        let token = self.token.map(|end| format!(", a temporary key {}", end.words()));
        let token = token.unwrap_or_default();
        let region = self.region.as_ref().map(|region| format!(", of {region}"));
        format!("{}{}{}", self.short_id, token.trim_end(), region.unwrap_or_default())
    }
}

/// What a look came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenKeys {
    /// Keys, the ones of the environment first.
    pub keys: Vec<FoundKey>,
    /// What was there and gives no key.
    pub skipped: Vec<Skipped>,
}

impl SeenKeys {
    /// The key that `source` means: a whole source, or a tool alone where that has one key; of the
    /// environment the first.
    pub fn choose(&self, source: &str) -> Result<&FoundKey, Failure> {
        let shown = visible(source.trim());
        let of_tool = |key: &&FoundKey| {
            key.source.split_once(':').is_some_and(|(tool, _)| tool == shown.as_str())
        };
        if let Some(key) = self.keys.iter().find(|key| key.source == shown.as_str()) {
            return Ok(key);
        }
        let all: Vec<&FoundKey> = self.keys.iter().filter(of_tool).collect();
        match all.as_slice() {
            [only] => Ok(only),
            [first, ..] if shown.as_str() == "env" => Ok(first),
            [] => Err(self.absent(shown.as_str())),
            [..] => {
                let sources: Vec<&str> = all.iter().map(|key| key.source.as_str()).collect();
                let summary = format!("{shown} has several keys: {}", sources.join(", "));
                Err(Failure::new(FailureKind::Usage, summary).hint("name one of them"))
            }
        }
    }

    /// Says why there is no such key: what is wrong with what goes by that name, else what there is.
    fn absent(&self, source: &str) -> Failure {
        let is_tool = |other: &str| other.split_once(':').map_or(other, |(tool, _)| tool) == source;
        let tool = source.split_once(':').map_or(source, |(tool, _)| tool);
        let is_of_it = |other: &String| other == source || other == tool || is_tool(other);
        let skipped = self.skipped.iter().filter(|one| one.sources.iter().any(is_of_it));
        let summary = match source {
            "env" => "the environment holds no access key".to_owned(),
            _ => format!("no key is found under {source}"),
        };
        let failure = Failure::new(FailureKind::Usage, summary);
        let failure = skipped.fold(failure, |failure, one| failure.hint(one.said.clone()));
        let sources: Vec<&str> = self.keys.iter().map(|key| key.source.as_str()).collect();
        match (source, sources.as_slice()) {
            ("env", _) => failure
                .hint("set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (and OSS_SESSION_TOKEN)"),
            (_, []) => failure.hint("osstack found tells what is here; or enter the key by hand"),
            (_, some) => failure.hint(format!("there are: {}", some.join(", "))),
        }
    }
}

/// Looks at the environment and the files of ossutil, aliyun-cli and the AWS tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindKeys;

impl Job<World> for FindKeys {
    type Item = Nothing;
    type Out = Result<SeenKeys, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = context.world;
        blocking(move || {
            let (findings, kept) = (look(&world), kept(&world));
            describe(&findings, &kept, world.clock.now())
        })
        .await
    }
}

fn look(world: &World) -> Findings {
    import::find(&world.env, world.clock.now())
}

/// Names and ids of the secrets, where the keystore is open.
fn kept(world: &World) -> Vec<(Name, String)> {
    if !matches!(world.keystore.state(), State::Open | State::Session) {
        return Vec::new();
    }
    // what cannot be read is said where secrets are shown
    let names = world.keystore.list().unwrap_or_default().into_iter().map(|row| row.name);
    let id = |name: &Name| Some(world.keystore.get(name.as_str()).ok()?.credentials.access_key_id);
    names.filter_map(|name| Some((id(&name)?, name))).map(|(id, name)| (name, id)).collect()
}

fn describe(findings: &Findings, kept: &[(Name, String)], now: OffsetDateTime) -> SeenKeys {
    let is_taken = |name: &str| kept.iter().any(|(other, _)| other.as_str() == name);
    let keys = findings.keys.iter().map(|key| {
        let id = key.access_key_id.trim();
        let known = kept.iter().find(|(_, other)| other == id).map(|(name, _)| name.clone());
        let hint = id_hint(id).filter(|_| key.session_token.is_none());
        FoundKey {
            source: key.source.clone(),
            place: key.place.clone(),
            short_id: visible(&short_id(id)).into_string(),
            token: key.session_token.as_ref().map(|_| End::of(key.expires_at, now)),
            region: key.region.clone(),
            hint: hint.or_else(|| secret_hint(id, key.secret_access_key.expose())),
            name: known.as_ref().map_or_else(|| free_name(USUAL_NAME, is_taken), Name::to_string),
            known,
        }
    });
    SeenKeys { keys: keys.collect(), skipped: findings.skipped.clone() }
}

/// The key that `source` means, read where it is, as the secret `name`. Blocks on the disk.
pub(in crate::ops) fn key_at(
    source: &str,
    name: &Name,
    env: &Env,
    now: OffsetDateTime,
) -> Result<Secret, Failure> {
    let findings = import::find(env, now);
    let seen = describe(&findings, &[], now);
    let chosen = seen.choose(source).map_err(|failure| {
        let Failure { summary, hints, .. } = failure;
        let summary = format!("the secret {name} comes from {}: {summary}", visible(source));
        hints.into_iter().fold(Failure::new(FailureKind::Credentials, summary), Failure::hint)
    })?;
    let key = findings.keys.iter().find(|key| key.source == chosen.source);
    let key = key.ok_or_else(Failure::cancelled)?;
    Ok(key.draft(name.as_str(), KeyNames::default()).validate()?)
}

/// Copies an access key of another tool into the keystore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeKey {
    /// As it was shown: what stands there by now must be that key.
    pub found: FoundKey,
    /// What the secret is to be called.
    pub name: String,
    /// How ZenML is given it.
    pub key_names: KeyNames,
    /// Whether the name must be new or must exist.
    pub put: Put,
}

impl Job<World> for TakeKey {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        if let Some(elsewhere) = world.source_of(&self.name).await? {
            return Err(lies_elsewhere(&elsewhere));
        }
        blocking(move || {
            let all = look(&world);
            let is_it = |key: &&import::Found| {
                key.source == self.found.source
                    && visible(&short_id(key.access_key_id.trim())).as_str() == self.found.short_id
                    && key.session_token.is_some() == self.found.token.is_some()
            };
            let Some(key) = all.keys.iter().find(is_it) else {
                let summary = format!("{} has another key by now", self.found.place);
                return Err(
                    Failure::new(FailureKind::Conflict, summary).hint("look again: osstack found")
                );
            };
            let secret = key.draft(&self.name, self.key_names).validate()?;
            let name = secret.name.clone();
            world.keystore.put(secret, self.put)?;
            Ok(name)
        })
        .await?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: &str) -> FoundKey {
        FoundKey {
            source: source.into(),
            place: "x".into(),
            short_id: "LTAI…0001".into(),
            token: None,
            region: None,
            hint: None,
            known: None,
            name: USUAL_NAME.into(),
        }
    }

    #[test]
    fn a_source_is_named_whole_or_by_its_tool() {
        let sources =
            ["env:OSS_ACCESS_KEY_ID", "env:AWS_ACCESS_KEY_ID", "aliyun:a", "aws:x", "aws:y"];
        let seen = SeenKeys { keys: sources.map(key).into(), skipped: Vec::new() };
        let chosen = |source: &str| seen.choose(source).map(|key| key.source.clone());
        assert_eq!(chosen("aws:y").unwrap(), "aws:y");
        assert_eq!(chosen("aliyun").unwrap(), "aliyun:a");
        assert_eq!(chosen("env").unwrap(), "env:OSS_ACCESS_KEY_ID");
        assert!(chosen("aws").unwrap_err().summary.contains("aws:x, aws:y"));
    }

    #[test]
    fn a_key_that_is_not_found_has_its_reason() {
        let skipped = |sources: &[&str]| Skipped {
            sources: sources.iter().map(|source| (*source).to_owned()).collect(),
            said: sources.concat(),
        };
        let of = |keys: &[&str], source: &str| {
            let all = [&["aliyun:b"][..], &["aliyun:c"], &["ossutil"], &["aws:d", "aws:e"]];
            let keys = keys.iter().map(|source| key(source)).collect();
            let seen = SeenKeys { keys, skipped: all.into_iter().map(skipped).collect() };
            let error = seen.choose(source).unwrap_err();
            assert_eq!(error.kind, FailureKind::Usage);
            error.hints
        };
        let others = "there are: env:X";
        assert_eq!(of(&["env:X"], "aliyun:b"), ["aliyun:b", others]);
        assert_eq!(of(&["env:X"], "aliyun"), ["aliyun:b", "aliyun:c", others]);
        assert_eq!(of(&["env:X"], "aliyun:typo"), [others]);
        assert_eq!(of(&["env:X"], "ossutil:default"), ["ossutil", others], "its file is broken");
        assert_eq!(of(&["env:X"], "aws:e"), ["aws:daws:e", others]);
        assert_eq!(of(&["env:X"], "\u{1b}"), [others]);
        assert_eq!(
            of(&[], "aws:e").last().unwrap(),
            "osstack found tells what is here; or enter the key by hand"
        );
        assert!(of(&[], "env")[0].contains("OSS_ACCESS_KEY_ID"));
    }

    #[test]
    fn a_key_is_told_in_a_line() {
        let mut key = key("aws:x");
        assert_eq!(key.words(), "LTAI…0001");
        key.token = Some(End::Unknown);
        assert_eq!(key.words(), "LTAI…0001, a temporary key");
        key.token = Some(End::In(std::time::Duration::from_hours(2)));
        key.region = Some("cn-hangzhou".into());
        assert_eq!(key.words(), "LTAI…0001, a temporary key that ends in 2 h, of cn-hangzhou");
    }
}
