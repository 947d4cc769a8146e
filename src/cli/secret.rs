//! `osstack secret …`

use std::io::Read;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::args::{KeyNames, Secret as Verb, SecretValues};
use super::output::Paint;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use super::{SCHEMA, rfc3339};
use crate::base::secret_string::SecretString;
use crate::base::{units, visible::visible};
use crate::keystore::{Put, State};
use crate::model::field::FieldError;
use crate::model::key_json;
use crate::model::name::Name;
use crate::model::secret::{self, SecretDraft, id_hint, secret_hint, split_pasted};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::found::{FindKeys, TakeKey};
use crate::ops::keystore::UnlockKeystore;
use crate::ops::secrets::{
    DeleteSecret, GetSecret, ListSecrets, ListSourced, RenameSecret, RenamedSecret, SaveSecret,
    SecretRow, SourcedRow,
};

/// More than any key with its token has, in bytes.
const LONGEST_STDIN: usize = 64 << 10;

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::Create(values) => create(values, session).await,
        Verb::Update(values) => update(values, session).await,
        Verb::List => list(session).await,
        Verb::Get { name, reveal } => get(&name, reveal, session).await,
        Verb::Rename { name, to } => rename(name, to, session).await,
        Verb::Delete { name, yes } => delete(name, yes, session).await,
    }
}

/// Warns of a secret that the keystore does not have, where the keystore tells without a question.
pub(super) async fn warn_of_absent(name: &str, session: &mut Session) -> Result<(), Stop> {
    let is_there = match session.run(UnlockKeystore::Unasked).await? {
        Ok(_) => session.run(GetSecret { name: name.to_owned() }).await?.is_ok(),
        // nothing at all is there yet
        Err(failure) => failure.kind != FailureKind::NotFound,
    };
    if !is_there {
        let make = format!("osstack secret create {name}");
        let warning = format!("warning: there is no secret {name} yet; make it: {make}");
        session.output.note(&warning);
    }
    Ok(())
}

async fn create(values: SecretValues, session: &mut Session) -> Result<(), Stop> {
    let key_names = values.key_names.map(Into::into).unwrap_or_default();
    if let Some(source) = source(&values) {
        return take(&source, values, key_names, Put::New, session).await;
    }
    let draft = draft(values, key_names, session)?;
    // all that is wrong is said before a passphrase is asked for
    draft.validate()?;
    super::keystore::open_or_create(session).await?;
    save(draft, Put::New, session).await
}

async fn update(values: SecretValues, session: &mut Session) -> Result<(), Stop> {
    session.open_keystore().await?;
    let former = session.run(GetSecret { name: values.name.clone() }).await??;
    let key_names = values.key_names.map_or(former.secret.key_names, Into::into);
    if let Some(source) = source(&values) {
        return take(&source, values, key_names, Put::Update, session).await;
    }
    let draft = draft(values, key_names, session)?;
    save(draft, Put::Update, session).await
}

/// Which key of another tool is meant, where one is.
fn source(values: &SecretValues) -> Option<String> {
    values.from.clone().or_else(|| values.from_env.then(|| "env".to_owned()))
}

/// Copies the key of another tool, after showing which.
async fn take(
    source: &str,
    values: SecretValues,
    key_names: secret::KeyNames,
    put: Put,
    session: &mut Session,
) -> Result<(), Stop> {
    let SecretValues { name, yes, .. } = values;
    // all that is wrong is said before a passphrase is asked for
    let parsed = Name::parse(&name);
    parsed.map_err(|error| Failure::from(vec![FieldError::new("name", error.to_string())]))?;
    let found = session.run(FindKeys).await??.choose(source)?.clone();
    session.output.note(&format!("taken from {}: {}", found.place, found.words()));
    if let Some(hint) = found.hint {
        session.output.note(&format!("note: {hint}"));
    }
    if let Some(known) = found.known.as_ref().filter(|known| known.as_str() != name) {
        session.output.note(&format!("note: the secret {known} has this key already"));
    }
    let question = format!("Keep it as {}? What it is copied from stays as it is.", visible(&name));
    if !yes && session.is_interactive() && !session.confirm(&question)? {
        return Err(Failure::cancelled().into());
    }
    super::keystore::open_or_create(session).await?;
    let name = session.run(TakeKey { found, name, key_names, put }).await??;
    done(&name, put, session)
}

fn done(name: &Name, put: Put, session: &mut Session) -> Result<(), Stop> {
    let done = if put == Put::New { "created" } else { "updated" };
    session.output.done(&format!("{done} the secret {name}"), json!({ "name": name.as_str() }))
}

async fn save(draft: SecretDraft, put: Put, session: &mut Session) -> Result<(), Stop> {
    let (id, secret) = (&draft.access_key_id, draft.secret_access_key.expose());
    for hint in [id_hint(id), secret_hint(id, secret)].into_iter().flatten() {
        session.output.note(&format!("note: {hint}"));
    }
    let name = session.run(SaveSecret { draft, put }).await??;
    done(&name, put, session)
}

/// The values, from where the arguments say: never from the arguments themselves.
fn draft(
    values: SecretValues,
    key_names: secret::KeyNames,
    session: &mut Session,
) -> Result<SecretDraft, Stop> {
    let key = if values.stdin {
        from_stdin(&mut session.stdin)?
    } else if session.is_interactive() {
        from_terminal(session)?
    } else {
        let failure =
            Failure::new(FailureKind::Locked, "a key is needed, and nobody is there to ask");
        return Err(failure
            .hint(
                "run it on a terminal, or add --from SOURCE (osstack found), or --stdin with JSON",
            )
            .into());
    };
    Ok(SecretDraft {
        name: values.name,
        access_key_id: key.id,
        secret_access_key: key.secret,
        session_token: key.token,
        expires_at: key.end,
        key_names,
    })
}

struct Key {
    id: String,
    secret: SecretString,
    token: SecretString,
    /// When a temporary key ends; empty where nobody said so.
    end: String,
}

fn from_terminal(session: &mut Session) -> Result<Key, Stop> {
    let id = session.ask("AccessKey ID: ")?;
    // pasted as `id,secret`: the secret is on the screen then, and still need not be typed again
    if let Some((id, secret)) = split_pasted(&id) {
        let (token, end) = (SecretString::new(String::new()), String::new());
        return Ok(Key { id, secret, token, end });
    }
    let secret = session.ask_hidden("AccessKey secret (not shown): ")?;
    if !id.trim().starts_with("STS.") {
        let (token, end) = (SecretString::new(String::new()), String::new());
        return Ok(Key { id, secret, token, end });
    }
    let token = session.ask_hidden("Session token (not shown): ")?;
    let end = session.ask("It ends at (Expiration, 2026-11-27T20:00:00Z; empty if unknown): ")?;
    Ok(Key { id, secret, token, end })
}

fn from_stdin(stdin: &mut dyn Read) -> Result<Key, Stop> {
    const FORM: &str = r#"give {"access_key_id": "…", "secret_access_key": "…"} on stdin, and "session_token" and "expires_at" with a temporary key; the Credentials of an STS answer will do"#;
    let refuse = |summary: String| Stop::from(Failure::new(FailureKind::Usage, summary).hint(FORM));
    // room for all of it: a buffer that grows would leave copies behind
    let mut text = Zeroizing::new(Vec::with_capacity(LONGEST_STDIN + 1));
    let read = stdin.take(LONGEST_STDIN as u64 + 1).read_to_end(&mut text);
    read.map_err(|error| refuse(format!("stdin cannot be read: {error}")))?;
    if text.len() > LONGEST_STDIN {
        return Err(refuse("stdin holds more than 64 KiB, which no key has".into()));
    }
    if text.trim_ascii().is_empty() {
        return Err(refuse("stdin is empty".into()));
    }
    let draft = key_json::parse(&text).map_err(|error| refuse(format!("stdin is {error}")))?;
    Ok(Key {
        id: draft.access_key_id,
        secret: draft.secret_access_key,
        token: draft.session_token,
        end: draft.expires_at,
    })
}

async fn list(session: &mut Session) -> Result<(), Stop> {
    let rows = if session.world()?.keystore.status().state == State::Absent {
        Vec::new()
    } else {
        session.open_keystore().await?;
        session.run(ListSecrets).await??
    };
    let elsewhere = session.run(ListSourced).await??;
    let output = &mut session.output;
    if output.is_json() {
        let kept = rows.iter().map(row_json);
        let secrets: Vec<Value> = kept.chain(elsewhere.iter().map(sourced_json)).collect();
        return output.json(&json!({ "schema": SCHEMA, "secrets": secrets }));
    }
    if rows.is_empty() && elsewhere.is_empty() {
        output.note(
            "no secrets yet: osstack secret create NAME; osstack found names keys that are here",
        );
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "KEY", "TOKEN", "NAMES IN ZENML", "USED BY"]);
    for row in &rows {
        let summary = &row.summary;
        table.row([
            Cell::own(summary.name.as_str()),
            Cell::outside(&summary.short_id),
            Cell::own(row.token_word().unwrap_or("no")),
            Cell::own(summary.key_names.as_str()),
            Cell::own(row.used_by.join(", ")),
        ]);
    }
    for row in &elsewhere {
        table.row([
            Cell::own(row.name.as_str()),
            Cell::own(format!("from {}", row.source)),
            Cell::own(""),
            Cell::own(""),
            Cell::own(row.used_by.join(", ")),
        ]);
    }
    output.table(&table)
}

fn sourced_json(row: &SourcedRow) -> Value {
    json!({ "name": row.name.as_str(), "source": row.source, "used_by": row.used_by })
}

fn row_json(row: &SecretRow) -> Value {
    let summary = &row.summary;
    json!({
        "name": summary.name.as_str(),
        "access_key_id": summary.short_id,
        "has_session_token": summary.has_token,
        "expires_at": summary.expires_at.map(rfc3339),
        "key_names": summary.key_names.as_str(),
        "created": rfc3339(summary.created),
        "updated": rfc3339(summary.updated),
        "used_by": row.used_by,
    })
}

async fn get(name: &str, reveal: bool, session: &mut Session) -> Result<(), Stop> {
    if reveal && !session.output.is_terminal() {
        let failure = Failure::new(FailureKind::Usage, "values are shown on a terminal only");
        return Err(failure.hint("leave out --reveal, or do not redirect stdout").into());
    }
    session.open_keystore().await?;
    let found = session.run(GetSecret { name: name.to_owned() }).await??;
    let names = found.secret.key_names.names();
    let credentials = &found.secret.credentials;
    let shown = |value: Option<&SecretString>| match value {
        None => None,
        Some(value) if reveal => Some(value.expose().to_owned()),
        Some(_) => Some("[hidden]".to_owned()),
    };
    let secret = shown(Some(&credentials.secret_access_key));
    let token = shown(credentials.session_token.as_ref());
    let output = &mut session.output;
    if output.is_json() {
        let mut value = row_json(&found.row);
        if let Some(value) = value.as_object_mut() {
            value.insert("schema".into(), json!(SCHEMA));
            value.insert("access_key_id".into(), json!(credentials.access_key_id));
            if reveal {
                value.insert("secret_access_key".into(), json!(secret));
                value.insert("session_token".into(), json!(token));
            }
        }
        return output.json(&value);
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([Cell::own(name).paint(Paint::Strong), Cell::outside(&value)]);
        }
    };
    let [id_name, secret_name, token_name] = names;
    row("name", Some(found.secret.name.to_string()));
    row(id_name, Some(credentials.access_key_id.clone()));
    row(secret_name, secret);
    row(token_name, token);
    row("ends", found.row.summary.expires_at.map(rfc3339));
    row("created", Some(rfc3339(found.row.summary.created)));
    row("updated", Some(rfc3339(found.row.summary.updated)));
    row("used by", Some(found.row.used_by.join(", ")).filter(|users| !users.is_empty()));
    output.table(&table)
}

async fn rename(name: String, to: String, session: &mut Session) -> Result<(), Stop> {
    session.open_keystore().await?;
    let RenamedSecret { name, stores } =
        session.run(RenameSecret { name: name.clone(), to }).await??;
    let with = match stores {
        0 => String::new(),
        count => format!(
            " here and in {}; where ZenML has it from osstack, the next commit renames it there",
            units::counted(count as u64, "store")
        ),
    };
    session.output.done(
        &format!("renamed the secret to {name}{with}"),
        json!({ "name": name.as_str(), "stores": stores }),
    )
}

async fn delete(name: String, yes: bool, session: &mut Session) -> Result<(), Stop> {
    session.open_keystore().await?;
    session.confirm_deletion(&format!("the secret {}", visible(&name)), yes)?;
    session.run(DeleteSecret { name: name.clone() }).await??;
    session.output.done(
        &format!("deleted the secret {}; backups of the keystore still hold it", visible(&name)),
        json!({ "name": name }),
    )
}

impl From<KeyNames> for secret::KeyNames {
    fn from(names: KeyNames) -> Self {
        match names {
            KeyNames::Oss => Self::Oss,
            KeyNames::Aws => Self::Aws,
        }
    }
}
