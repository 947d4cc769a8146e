//! `osstack sync`.

use serde_json::json;

use super::args::transfer::Sync as SyncArgs;
use super::copy::{Tally, filter, finish, open, run_copies, say_skipped, say_would};
use super::output::Output;
use super::session::{Session, Stop};
use crate::base::units;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::transfer::{DeleteExtra, Deleted, Differences, Extra, PlanSync};

pub(super) async fn run(args: SyncArgs, session: &mut Session) -> Result<(), Stop> {
    let from = session.location(&args.from).await?;
    let to = session.location(&args.to).await?;
    open(&[&from, &to], args.border, session).await?;
    let filter = filter(&args.include, &args.exclude)?;
    let (deletes, by_checksum) = (args.delete, args.checksum);
    let plan = PlanSync { from, to, filter, deletes, by_checksum };
    let found = session.run(plan).await??;
    let mut tally = Tally::default();
    for skipped in &found.skipped {
        tally.skipped += 1;
        say_skipped(&mut session.output, skipped)?;
    }
    if args.delete && !found.skipped.is_empty() {
        session.output.note("nothing is deleted: what was skipped may be there under its name");
    }
    if args.dry_run {
        return say_all(&found, &mut session.output);
    }
    let Differences { new, changed, same, extra, .. } = found;
    confirm(&extra, args.yes, session)?;
    run_copies(new, (false, args.limit_rate), &mut tally, session).await?;
    let taken = std::mem::take(&mut tally.conflicts);
    tally.say_taken(taken, "it was made meanwhile: sync again", session)?;
    run_copies(changed, (true, args.limit_rate), &mut tally, session).await?;
    let mut gone = 0;
    if tally.failed == 0 && !extra.is_empty() {
        let show = |output: &mut Output, one: Deleted| {
            if one.stays.is_none() {
                gone += 1;
            } else {
                tally.failed += 1;
            }
            say_deleted(output, &one)
        };
        session.follow(DeleteExtra { extra }, show).await??;
    } else if !extra.is_empty() {
        session.output.note("nothing is deleted, since not all of it could be copied");
    }
    finish(tally, &[("deleted", gone), ("same", same)], &mut session.output)
}

/// Asks before anything goes.
fn confirm(extra: &[Extra], yes: bool, session: &mut Session) -> Result<(), Stop> {
    if extra.is_empty() {
        return Ok(());
    }
    let what = units::counted(extra.len() as u64, "file");
    if !yes && !session.is_interactive() {
        let summary = format!("--delete would delete {what}, and nobody is there to confirm it");
        let failure = Failure::new(FailureKind::Usage, summary);
        return Err(failure.hint("add --yes, or -n to see").into());
    }
    session.confirm_deletion(&format!("{what} that the source does not have"), yes)
}

fn say_all(found: &Differences, output: &mut Output) -> Result<(), Stop> {
    found.new.iter().try_for_each(|copy| say_would(output, "copy", copy))?;
    found.changed.iter().try_for_each(|copy| say_would(output, "replace", copy))?;
    for extra in &found.extra {
        if output.is_json() {
            output.json(&json!({ "type": "would-delete", "at": extra.exact() }))?;
        } else {
            output.line(&format!("would delete {}", extra.shown()))?;
        }
    }
    if output.is_json() {
        let [new, changed, extra] =
            [found.new.len(), found.changed.len(), found.extra.len()].map(|length| length as u64);
        return output.json(&json!({
            "type": "summary", "new": new, "changed": changed, "same": found.same, "extra": extra,
            "skipped": found.skipped.len(),
        }));
    }
    output.note(&format!(
        "{} new, {} changed, {} the same, {} to be deleted",
        found.new.len(),
        found.changed.len(),
        found.same,
        found.extra.len(),
    ));
    Ok(())
}

fn say_deleted(output: &mut Output, one: &Deleted) -> Result<(), Stop> {
    let at = one.extra.shown();
    if output.is_json() {
        let kind = if one.stays.is_some() { "left" } else { "deleted" };
        return output.json(&json!({ "type": kind, "at": one.extra.exact(), "why": one.stays }));
    }
    match &one.stays {
        None => output.line(&format!("deleted {at}")),
        Some(why) => {
            output.note(&format!("stayed: {at}: {why}"));
            Ok(())
        }
    }
}
