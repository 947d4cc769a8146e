//! `osstack versions` and `revert`.

use serde_json::json;

use super::args::versions::{Revert, Versions};
use super::objects::{Found, Keys, Object, find, find_object};
use super::output::Output;
use super::rfc3339;
use super::session::{Session, Stop};
use crate::base::units;
use crate::base::visible::visible;
use crate::ops::objects::Place;
use crate::ops::versions::{
    ListVersions, RemoveVersion, Revert as RevertJob, Reverted, Versioning, Whose,
};
use crate::oss::versions::VersionEntry;

pub(super) async fn list(args: Versions, session: &mut Session) -> Result<(), Stop> {
    let (place, of, keys): (Place, Whose, Keys) = if args.recursive {
        let Found { place, key, keys } = find(&args.target, args.border, session).await?;
        (place, Whose::Below(key), keys)
    } else {
        let Object { place, key, keys, .. } =
            find_object(&args.target, args.border, session).await?;
        (place, Whose::Object(key), keys)
    };
    let mut count = 0_u64;
    let show = |output: &mut Output, page: Vec<VersionEntry>| {
        count += page.len() as u64;
        page.iter().try_for_each(|entry| say(output, entry, &keys))?;
        output.flush()
    };
    let versioning = session.follow(ListVersions { place, of }, show).await??;
    let output = &mut session.output;
    if count == 0 {
        output.note(&format!("there is no version of {}", visible(&args.target)));
    }
    match versioning {
        Versioning::Enabled | Versioning::Unknown => {}
        Versioning::Suspended => {
            output.note("the bucket keeps no versions now: what it kept stays");
        }
        Versioning::Never => {
            output.note("the bucket keeps no versions: what is overwritten or deleted is lost");
        }
    }
    Ok(())
}

fn say(output: &mut Output, entry: &VersionEntry, keys: &Keys) -> Result<(), Stop> {
    let VersionEntry { key, id, is_latest, is_marker, modified, size, etag, class } = entry;
    if output.is_json() {
        return output.json(&json!({
            "type": if *is_marker { "delete_marker" } else { "version" },
            "key": key, "version_id": id, "is_latest": is_latest,
            "last_modified": modified.map(rfc3339),
            "size": (!is_marker).then_some(size), "etag": etag,
            "storage_class": (!is_marker).then(|| class.as_str()),
            "location": keys.location(key),
        }));
    }
    let when = modified.map(units::moment).unwrap_or_default();
    let size = if *is_marker { "deleted".to_owned() } else { units::bytes(*size) };
    let mark = if *is_latest { "*" } else { " " };
    let (id, name) = (visible(id), keys.typed(key));
    output.line(&format!("{when:>19}  {size:>10} {mark} {id}  {name}"))
}

pub(super) async fn revert(args: Revert, session: &mut Session) -> Result<(), Stop> {
    let object = find_object(&args.target, args.border, session).await?;
    let (place, key, to) = (object.place.clone(), object.key.clone(), args.version.version_id);
    let id = to.clone();
    let done = session.run(RevertJob { place, key, to }).await?;
    let done = done.map_err(|failure| object.named(failure))?;
    let shown = visible(&args.target);
    let (sentence, markers) = match done {
        Reverted::Undeleted(markers) => (format!("{shown} is there again"), markers),
        Reverted::Copied => {
            (format!("{shown} is what that version was; what was current is kept behind it"), 0)
        }
    };
    let key = object.key.as_str();
    let fields = json!({
        "type": "reverted", "key": key, "version_id": id, "markers_removed": markers,
        "location": object.keys.location(key),
    });
    session.output.done(&sentence, fields)
}

/// `rm --version-id`: that version alone, for good.
pub(super) async fn remove(
    object: &Object,
    (id, shown): (String, &str),
    (dry_run, yes): (bool, bool),
    session: &mut Session,
) -> Result<(), Stop> {
    let (place, key) = (object.place.clone(), object.key.clone());
    let what = format!("version {} of {shown}", visible(&id));
    let fields = json!({
        "type": "deleted", "key": key.as_str(), "version_id": id, "dry_run": dry_run,
        "location": object.keys.location(key.as_str()),
    });
    if dry_run {
        return session.output.done(&format!("would delete {what}"), fields);
    }
    session.confirm_deletion(&format!("{what} for good"), yes)?;
    session.run(RemoveVersion { place, key, id }).await??;
    session.output.done(&format!("deleted {what}"), fields)
}
