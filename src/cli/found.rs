//! `osstack found`

use serde_json::{Value, json};

use super::SCHEMA;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use super::zenml::found_json;
use crate::base::shell::quote;
use crate::model::name::Name;
use crate::ops::found::{End, Found, FoundKey, LookAround, Seen};
use crate::ops::keystore::UnlockKeystore;

pub(super) async fn run(session: &mut Session) -> Result<(), Stop> {
    // with the keystore open it is known what was taken before; nobody is asked for that
    let _locked = session.run(UnlockKeystore::Unasked).await?;
    let Seen { found, remarks } = session.run(LookAround).await??;
    let output = &mut session.output;
    if output.is_json() {
        let found: Vec<Value> = found.iter().map(json_of).collect();
        return output.json(&json!({ "schema": SCHEMA, "found": found, "remarks": remarks }));
    }
    let mut table = Table::new(&["FOUND", "WHAT", "WHERE", "TAKE IT OVER"]);
    for one in &found {
        let [kind, what, place, how] = cells(one);
        table.row([Cell::own(kind), Cell::outside(&what), Cell::own(place), Cell::own(how)]);
    }
    if found.is_empty() {
        output.note("nothing that can be taken over: osstack secret create NAME enters a key");
    } else {
        output.table(&table)?;
    }
    for remark in &remarks {
        output.note(&format!("note: {remark}"));
    }
    Ok(())
}

fn cells(found: &Found) -> [String; 4] {
    let (kind, what, place, known, how) = match found {
        Found::Login(login) => (
            "zenml login",
            format!("{}, {}", login.way.as_str(), login.signs_in.words()),
            login.origin.clone(),
            login.known.as_ref(),
            "osstack zenml login --found".to_owned(),
        ),
        Found::Key(key) => (
            "access key",
            key.words(),
            key.place.clone(),
            key.known.as_ref(),
            format!("osstack secret create NAME --from {}", word(&key.source)),
        ),
    };
    let how = known.map_or(how, |known| format!("done: {known}"));
    [kind.to_owned(), what, place, how]
}

/// As a shell takes it for one word; to it a colon is a letter.
fn word(source: &str) -> String {
    let letters = source.replace(':', "");
    if quote(&letters) == letters { source.to_owned() } else { quote(source) }
}

fn json_of(found: &Found) -> Value {
    match found {
        Found::Login(login) => {
            let mut value = found_json(login);
            if let Some(value) = value.as_object_mut() {
                value.insert("kind".into(), json!("zenml-login"));
            }
            value
        }
        Found::Key(key) => key_json(key),
    }
}

fn key_json(key: &FoundKey) -> Value {
    let seconds = match key.token {
        Some(End::In(left)) => Some(left.as_secs()),
        Some(End::Ago(_)) => Some(0),
        Some(End::Unknown) | None => None,
    };
    json!({
        "kind": "access-key",
        "source": key.source,
        "origin": key.place,
        "access_key_id": key.short_id,
        "has_session_token": key.token.is_some(),
        "seconds_left": seconds,
        "region": key.region,
        "secret": key.known.as_ref().map(Name::as_str),
    })
}
