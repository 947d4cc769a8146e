//! `osstack restore`.

use serde_json::json;

use super::args::restore::Restore;
use super::objects::{Found, Keys, Object, find, find_object};
use super::output::Output;
use super::rfc3339;
use super::session::{Session, Stop};
use crate::base::units;
use crate::model::object_key::ObjectKey;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::marked::Marked;
use crate::ops::restore::{Reached, RestoreMarked, State};
use crate::oss::listing::StorageClass;
use crate::oss::restore::{RestoreOptions, Tier};

/// How many there are of each sort.
#[derive(Default)]
struct Tally {
    archived: u64,
    readable: u64,
    failed: u64,
    bytes: u64,
}

pub(super) async fn run(restore: Restore, session: &mut Session) -> Result<(), Stop> {
    let Restore { target, recursive, version, days, tier, dry_run, border } = restore;
    let options = RestoreOptions { days, tier: tier.into() };
    let asked = (!dry_run).then_some(options);
    if !recursive {
        let object = find_object(&target, border, session).await?;
        return one(&object, version.version_id, (asked, options.tier), session).await;
    }
    let Found { place, key: prefix, keys } = find(&target, border, session).await?;
    let (within, prefixes) = (prefix.clone(), vec![prefix]);
    let marked = Marked { place, within, objects: Vec::<ObjectKey>::new(), prefixes };
    let mut tally = Tally::default();
    let show = |output: &mut Output, reached: Reached| {
        tally.add(&reached);
        say(output, &reached, &keys, options.tier)
    };
    let ended =
        session.follow(RestoreMarked { marked, version: None, options: asked }, show).await?;
    tally.say(dry_run, &mut session.output)?;
    let is_partial = tally.archived + tally.readable > 0;
    match (ended, tally.failed) {
        (Err(failure), _) if is_partial => {
            Err(Failure { kind: FailureKind::Partial, ..failure }.into())
        }
        (Err(failure), _) => Err(failure.into()),
        (Ok(()), 0) => Ok(()),
        (Ok(()), _) if is_partial => Err(Stop::Code(FailureKind::Partial.exit_code())),
        (Ok(()), _) => Err(Stop::Code(FailureKind::Settings.exit_code())),
    }
}

async fn one(
    object: &Object,
    version: Option<String>,
    (options, tier): (Option<RestoreOptions>, Tier),
    session: &mut Session,
) -> Result<(), Stop> {
    let marked = Marked::one(object.place.clone(), object.key.clone());
    let mut seen = None;
    let show = |_: &mut Output, reached: Reached| {
        seen = Some(reached);
        Ok(())
    };
    let ended = session.follow(RestoreMarked { marked, version, options }, show).await?;
    let Some(reached) = seen else { return Ok(ended?) };
    if let Err(failure) = reached.state {
        return Err(object.named(failure).into());
    }
    say(&mut session.output, &reached, &object.keys, tier)
}

impl Tally {
    fn add(&mut self, reached: &Reached) {
        match &reached.state {
            Ok(State::Archived | State::Begun | State::Ongoing) => self.archived += 1,
            Ok(State::Readable(_)) => self.readable += 1,
            Ok(State::NotArchived) => return,
            Err(_) => self.failed += 1,
        }
        self.bytes = self.bytes.saturating_add(reached.size);
    }

    fn say(&self, dry_run: bool, output: &mut Output) -> Result<(), Stop> {
        let Self { archived, readable, failed, bytes } = *self;
        if output.is_json() {
            return output.done(
                "",
                json!({
                    "type": "summary", "dry_run": dry_run, "archived": archived,
                    "readable": readable, "failed": failed, "bytes": bytes,
                }),
            );
        }
        let all = units::counted(archived + readable + failed, "archived object");
        let failed = if failed == 0 { String::new() } else { format!(", {failed} failed") };
        output.note(&format!("{all}, {}{failed}", units::bytes(bytes)));
        Ok(())
    }
}

fn say(output: &mut Output, reached: &Reached, keys: &Keys, tier: Tier) -> Result<(), Stop> {
    let Reached { key, size, class, state } = reached;
    let until = match state {
        Ok(State::Readable(until)) => until.map(rfc3339),
        _ => None,
    };
    if output.is_json() {
        let failure = state.as_ref().err().map(ToString::to_string);
        return output.json(&json!({
            "type": "restore", "key": key, "size": size,
            "storage_class": class.map(StorageClass::as_str),
            "state": state.as_ref().map_or("failed", |state| state.as_str()),
            "readable_until": until, "message": failure, "location": keys.location(key),
        }));
    }
    let name = keys.typed(key);
    let wait = class.map(|class| class.wait(tier)).unwrap_or_default();
    let said = match state {
        Ok(State::NotArchived) => format!("{name} is not archived: it can be read"),
        Ok(State::Archived) => format!("{name} is archived"),
        Ok(State::Begun) => format!("{name} is asked for: it can be read {wait}"),
        Ok(State::Ongoing) => format!("{name} was asked for already: it comes {wait} from then"),
        Ok(State::Readable(_)) => match until {
            Some(until) => format!("{name} can be read until {until}"),
            None => format!("{name} can be read, and stays so for longer"),
        },
        Err(failure) => {
            output.note(&format!("{name}: {failure}"));
            return Ok(());
        }
    };
    output.line(&said)
}
