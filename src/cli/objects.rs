//! `osstack ls`, `stat`, `cat`, `rm`, `mb` and `presign`.

use std::ffi::OsStr;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::args::{Border, Ls, MakeBucket, OneObject, Presign, Remove};
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use super::store::load;
use super::table::{Cell, Table};
use super::usage::numbers;
use super::{SCHEMA, rfc3339, versions};
use crate::base::units;
use crate::base::visible::{Visible, visible};
use crate::model::object_key::ObjectKey;
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::objects::{
    DeleteObject, DeletePrefix, Link, ListObjects, MakeBucket as MakeBucketJob, Place,
    PresignObject, ReadObject, StatObject,
};
use crate::ops::restore::State;
use crate::ops::usage::MeasureSizes;
use crate::ops::world::store_of;
use crate::oss::listing::{Entry, Page};
use crate::oss::object::NotDeleted;

/// What a target names: the bucket's place, and the whole key or prefix.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) keys: Keys,
}

/// How the keys of a bucket are shown.
#[derive(Clone)]
pub(super) struct Keys {
    store: ArtifactStore,
    /// Bytes of a key that are the store's own prefix, which was not typed.
    own: usize,
}

impl Keys {
    /// A key as it would be typed in place of the target, showable.
    pub(super) fn typed(&self, key: &str) -> Visible {
        visible(key.get(self.own..).unwrap_or(key))
    }

    /// A key as every command takes it, exactly: for JSON.
    pub(super) fn location(&self, key: &str) -> String {
        Location::of(&self.store, key).to_string()
    }
}

/// Finds what `text` names, and opens the keystore for it and the border.
pub(super) async fn find(text: &str, border: Border, session: &mut Session) -> Result<Found, Stop> {
    let location = session.location(OsStr::new(text)).await?;
    let catalog = load(session).await?;
    let Some((place, key)) = location.resolve(&catalog)? else {
        let summary = format!("'{}' names no store", visible(text));
        let failure = Failure::new(FailureKind::Usage, summary);
        return Err(failure.hint("write STORE:KEY, s3://BUCKET/KEY or @BOOKMARK").into());
    };
    let store = store_of(&catalog, &place.store)?.clone();
    let own = match location {
        Location::Store { .. } => store.key_prefix().len(),
        _ => 0,
    };
    session.open_for_stores().await?;
    session.cross_border(&place, border.across_border).await?;
    Ok(Found { place, key, keys: Keys { store, own } })
}

/// One object that a target names.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) place: Place,
    pub(super) key: ObjectKey,
    pub(super) keys: Keys,
    /// As every command takes it, exactly.
    location: String,
}

pub(super) async fn find_object(
    text: &str,
    border: Border,
    session: &mut Session,
) -> Result<Object, Stop> {
    let Found { place, key, keys } = find(text, border, session).await?;
    let location = keys.location(&key);
    Ok(Object { place, key: object_key(&key, keys.own)?, keys, location })
}

impl Object {
    /// Where the server says that there is no such object, says which, and of which store.
    pub(super) fn named(&self, failure: Failure) -> Failure {
        let said = failure.error.as_deref();
        let is_absent = said.is_some_and(|said| {
            said.status == Some(404) && said.code.as_deref() != Some("NoSuchBucket")
        });
        if !is_absent {
            return failure;
        }
        let summary = format!("there is no object {}", visible(&self.location));
        let look = format!("osstack ls {}: shows what there is", self.place.store);
        Failure { summary, ..failure }.hint(look)
    }
}

fn object_key(key: &str, own: usize) -> Result<ObjectKey, Failure> {
    let typed = key.get(own..).unwrap_or_default();
    let parsed = if typed.is_empty() { ObjectKey::parse("") } else { ObjectKey::parse(key) };
    parsed.map_err(|error| Failure::new(FailureKind::Usage, error.to_string()))
}

pub(super) async fn ls(ls: Ls, session: &mut Session) -> Result<(), Stop> {
    let Some(target) = &ls.target else { return ls_stores(session).await };
    let Found { place, key: prefix, keys } = find(target, ls.border, session).await?;
    let list = ListObjects { place, prefix, folded: !ls.recursive, in_order: true };
    let mut is_empty = true;
    let show = |output: &mut Output, page: Page| {
        is_empty &= page.is_empty();
        show_page(output, &page, &keys)?;
        output.flush()
    };
    session.follow(list, show).await??;
    if is_empty {
        session.output.note(&format!("there is nothing below {}", visible(target)));
    }
    Ok(())
}

async fn ls_stores(session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let output = &mut session.output;
    if output.is_json() {
        return catalog.stores().iter().try_for_each(|store| {
            let name = store.name.as_str();
            output.json(&json!({ "type": "artifact_store", "name": name, "path": store.path() }))
        });
    }
    let mut table = Table::default();
    for store in catalog.stores() {
        table.row([Cell::own(format!("{}:", store.name)), Cell::outside(&store.path())]);
    }
    output.table(&table)
}

/// Lines whose columns are wide enough for what OSS holds, so that they can stream.
fn show_page(output: &mut Output, page: &Page, keys: &Keys) -> Result<(), Stop> {
    for prefix in page.prefixes() {
        if output.is_json() {
            output.json(&prefix_json(prefix, keys))?;
        } else {
            let name = keys.typed(prefix);
            output.line(&format!("{:>19}  {:>10}  {name}", "-", "-"))?;
        }
    }
    for entry in page.entries() {
        if output.is_json() {
            output.json(&entry_json(&entry, keys))?;
        } else {
            let when = OffsetDateTime::from_unix_timestamp(entry.last_modified);
            let when = when.map(units::moment).unwrap_or_default();
            let size = units::bytes(entry.size);
            let name = keys.typed(entry.key);
            output.line(&format!("{when:>19}  {size:>10}  {name}"))?;
        }
    }
    Ok(())
}

fn entry_json(entry: &Entry<'_>, keys: &Keys) -> Value {
    let modified = OffsetDateTime::from_unix_timestamp(entry.last_modified).map(rfc3339);
    json!({
        "type": "object",
        "key": entry.key,
        "size": entry.size,
        "last_modified": modified.ok(),
        "etag": entry.etag.to_string(),
        "storage_class": entry.storage_class.as_str(),
        "location": keys.location(entry.key),
    })
}

fn prefix_json(prefix: &str, keys: &Keys) -> Value {
    json!({
        "type": "prefix",
        "key": prefix,
        "size": null,
        "last_modified": null,
        "etag": null,
        "storage_class": null,
        "location": keys.location(prefix),
    })
}

pub(super) async fn stat(target: OneObject, session: &mut Session) -> Result<(), Stop> {
    let object = find_object(&target.target, target.border, session).await?;
    let Object { place, key, location, .. } = &object;
    let version = target.version.version_id;
    let stat = StatObject { place: place.clone(), key: key.clone(), version };
    let info = session.run(stat).await?.map_err(|failure| object.named(failure))?;
    let output = &mut session.output;
    let modified = info.last_modified.map(rfc3339);
    // of what is not archived nothing is said
    let state = State::of(&info).filter(|state| *state != State::NotArchived);
    let until = match state {
        Some(State::Readable(until)) => until.map(rfc3339),
        _ => None,
    };
    if output.is_json() {
        let metadata: serde_json::Map<String, Value> =
            info.metadata.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        return output.json(&json!({
            "schema": SCHEMA,
            "key": key.as_str(),
            "size": info.size,
            "last_modified": modified,
            "etag": info.etag,
            "content_type": info.content_type,
            "storage_class": info.storage_class,
            "restore": state.map(State::as_str),
            "readable_until": until,
            "version_id": info.version_id(),
            "crc64": info.crc64.map(|crc| crc.to_string()),
            "metadata": metadata,
            "location": location,
        }));
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            table.row([Cell::outside(name).paint(Paint::Strong), Cell::outside(value)]);
        }
    };
    let size = info.size.map(|size| format!("{} ({size} bytes)", units::bytes(size)));
    let crc = info.crc64.map(|crc| crc.to_string());
    row("key", Some(key.as_str()));
    row("location", Some(location));
    row("size", size.as_deref());
    row("last modified", modified.as_deref());
    row("etag", info.etag.as_deref());
    row("content type", info.content_type.as_deref());
    row("storage class", info.storage_class.as_deref());
    row("restore", state.map(State::as_words));
    row("readable until", until.as_deref());
    row("version", info.version_id());
    row("crc-64", crc.as_deref());
    for (name, value) in &info.metadata {
        row(name, Some(value));
    }
    output.table(&table)
}

pub(super) async fn cat(target: OneObject, session: &mut Session) -> Result<(), Stop> {
    let object = find_object(&target.target, target.border, session).await?;
    let version = target.version.version_id;
    let read = ReadObject { place: object.place.clone(), key: object.key.clone(), version };
    let show = |output: &mut Output, bytes: bytes::Bytes| output.bytes(&bytes);
    session.follow(read, show).await?.map_err(|failure| object.named(failure))?;
    session.output.flush()
}

pub(super) async fn mb(mb: MakeBucket, session: &mut Session) -> Result<(), Stop> {
    let store = store_of(&load(session).await?, &mb.store)?.clone();
    session.open_for_stores().await?;
    let draft = Box::new(StoreDraft::from(&store));
    let bucket = session.run(MakeBucketJob { store: draft }).await??;
    let endpoint = store.access_endpoint()?;
    session.output.done(
        &format!("the bucket {bucket} is there, by {endpoint}"),
        json!({ "bucket": bucket.as_str(), "endpoint": endpoint.to_string() }),
    )
}

pub(super) async fn presign(presign: Presign, session: &mut Session) -> Result<(), Stop> {
    let expires = span(&presign.expires)?;
    let version = presign.version.version_id;
    let Object { place, key, .. } = find_object(&presign.target, presign.border, session).await?;
    let Link { url, is_temporary, .. } =
        session.run(PresignObject { place, key, version, expires }).await??;
    let until = session.machine.clock.now() + expires;
    let output = &mut session.output;
    if output.is_json() {
        return output.json(&json!({
            "schema": SCHEMA, "url": url, "expires_at": rfc3339(until),
            "ends_with_session_token": is_temporary,
        }));
    }
    output.note(&format!("whoever has this link can read the object until {}", rfc3339(until)));
    if is_temporary {
        output
            .note("the key is temporary: the link ends with its session token, if that is sooner");
    }
    output.line(&url)
}

/// `30s`, `15m`, `12h`, `7d`.
pub(super) fn span(text: &str) -> Result<Duration, Failure> {
    let refuse = || {
        let summary = format!("'{}' is no span of time", visible(text));
        Failure::new(FailureKind::Usage, summary).hint("write a number and s, m, h or d: 12h")
    };
    let text = text.trim();
    let unit = text.chars().next_back().ok_or_else(refuse)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(refuse()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse());
    }
    let number: u64 = digits.parse().map_err(|_| refuse())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(refuse)
}

pub(super) async fn rm(rm: Remove, session: &mut Session) -> Result<(), Stop> {
    if rm.recursive { rm_below(rm, session).await } else { rm_one(rm, session).await }
}

async fn rm_one(rm: Remove, session: &mut Session) -> Result<(), Stop> {
    let object = find_object(&rm.target, rm.border, session).await?;
    let Object { place, key, location, .. } = object.clone();
    let shown = visible(&rm.target).into_string();
    if let Some(id) = rm.version.version_id {
        return versions::remove(&object, (id, &shown), (rm.dry_run, rm.yes), session).await;
    }
    // OSS says yes to deleting what is not there; whoever mistyped a key should know
    let stat = StatObject { place: place.clone(), key: key.clone(), version: None };
    session.run(stat).await?.map_err(|failure| object.named(failure))?;
    let fields = json!({
        "type": "deleted", "key": key.as_str(), "dry_run": rm.dry_run, "location": location,
    });
    if rm.dry_run {
        return session.output.done(&format!("would delete {shown}"), fields);
    }
    session.confirm_deletion(&shown, rm.yes)?;
    let marker = session.run(DeleteObject { place, key }).await??;
    session.output.done(&format!("deleted {shown}"), fields)?;
    if marker.is_some() {
        session
            .output
            .note(&format!("its versions are kept: osstack revert {shown} takes it back"));
    }
    Ok(())
}

async fn rm_below(rm: Remove, session: &mut Session) -> Result<(), Stop> {
    if !rm.yes && !rm.dry_run && !session.is_interactive() {
        let summary = "rm -r deletes all below a prefix, and nobody is there to confirm it";
        return Err(Failure::new(FailureKind::Usage, summary)
            .hint("add --yes, or -n to see")
            .into());
    }
    let Found { place, key: prefix, keys } = find(&rm.target, rm.border, session).await?;
    let shown = visible(&rm.target).into_string();
    if rm.dry_run {
        let list = ListObjects { place, prefix, folded: false, in_order: true };
        let show = |output: &mut Output, page: Page| {
            page.entries().try_for_each(|entry| say_deleted(output, entry.key, &keys, true))
        };
        session.follow(list, show).await??;
        return Ok(());
    }
    if !rm.yes {
        let measure = MeasureSizes { place: place.clone(), prefix: prefix.clone() };
        let usage = session.run(measure).await??.all;
        session.confirm_deletion(&format!("{} below {shown}", numbers(usage)), false)?;
    }
    let (mut gone, mut left, mut is_kept) = (0_u64, 0_u64, false);
    let show = |output: &mut Output, page: crate::ops::objects::Deleted| {
        gone += page.keys.len() as u64;
        left += page.left.len() as u64;
        is_kept |= !page.markers.is_empty();
        page.keys.iter().try_for_each(|key| say_deleted(output, key, &keys, false))?;
        page.left.iter().try_for_each(|object| say_left(output, object, &keys))
    };
    // what went is gone: it is told however this ended
    let ended = session.follow(DeletePrefix { place, prefix }, show).await?;
    let output = &mut session.output;
    if output.is_json() {
        let summary = json!({ "type": "summary", "deleted": gone, "left": left });
        output.done("", summary)?;
    } else {
        let left = if left == 0 { String::new() } else { format!(", {left} stayed") };
        output.note(&format!("deleted {}{left}", units::counted(gone, "object")));
        if is_kept {
            output.note("their versions are kept: osstack revert takes the deletion of one back");
        }
    }
    match (ended, gone, left) {
        (Err(failure), 0, _) => Err(failure.into()),
        (Err(failure), ..) => Err(Failure { kind: FailureKind::Partial, ..failure }.into()),
        (Ok(()), _, 0) => Ok(()),
        (Ok(()), 0, _) => Err(Stop::Code(FailureKind::Credentials.exit_code())),
        (Ok(()), ..) => Err(Stop::Code(FailureKind::Partial.exit_code())),
    }
}

fn say_deleted(output: &mut Output, key: &str, keys: &Keys, dry_run: bool) -> Result<(), Stop> {
    if output.is_json() {
        return output.json(&json!({
            "type": "deleted", "key": key, "dry_run": dry_run, "location": keys.location(key),
        }));
    }
    let word = if dry_run { "would delete" } else { "deleted" };
    output.line(&format!("{word} {}", keys.typed(key)))
}

fn say_left(output: &mut Output, object: &NotDeleted, keys: &Keys) -> Result<(), Stop> {
    let NotDeleted { key, code, message } = object;
    if output.is_json() {
        return output.json(&json!({
            "type": "left", "key": key, "code": code, "message": message,
            "location": keys.location(key),
        }));
    }
    let (key, code, message) = (keys.typed(key), visible(code), visible(message));
    output.note(&format!("stayed: {key}: {message} ({code})"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_links() {
        for (text, seconds) in [("30s", 30), ("15m", 900), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "h", "12", "-1h", "+1h", "1w", "1.5h", "99999999999999999999d", "1é", "é"]
        {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert!(span("999999999999999999d").is_err());
    }

    #[test]
    fn the_stores_prefix_alone_is_no_object() {
        assert!(object_key("zenml/", 6).is_err());
        assert_eq!(object_key("zenml/a", 6).unwrap().as_str(), "zenml/a");
    }
}
