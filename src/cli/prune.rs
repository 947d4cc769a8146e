//! `osstack artifact prune`

use std::collections::BTreeMap;

use serde_json::json;

use super::args::artifacts::Prune as Args;
use super::artifact::{show_orphan, tally};
use super::objects::span;
use super::output::Output;
use super::session::{Session, Stop};
use super::store::load;
use crate::base::job::Job;
use crate::base::units;
use crate::base::visible::visible;
use crate::model::store::ArtifactStore;
use crate::ops::artifacts::census::TakeCensus;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::prune::{PlanPrune, Prune, PruneOrphans, Pruned, Totals};
use crate::ops::world::{World, store_of};
use crate::zenml::artifacts::census::Orphan;
use crate::zenml::artifacts::prune::{Doomed, Kept, Plan, Rules};

pub(super) async fn run(args: Args, session: &mut Session) -> Result<(), Stop> {
    let store = store_of(&load(session).await?, &args.store)?.clone();
    if args.orphans {
        return orphans(args, &store, session).await;
    }
    let older_than = args.older_than.as_deref().map(span).transpose()?;
    let rules = Rules { older_than, keep_last: args.keep_last, unused: args.unused };
    if rules.is_empty() {
        let failure = Failure::new(FailureKind::Usage, "nothing says which versions are to go");
        return Err(failure.hint("add --older-than 30d, --keep-last N or --unused").into());
    }
    if !args.yes && !args.dry_run && !session.is_interactive() {
        let summary = "prune deletes data, and nobody is there to confirm it";
        return Err(Failure::new(FailureKind::Usage, summary)
            .hint("add --yes, or --dry-run to see")
            .into());
    }
    session.open_keystore().await?;
    let connection = args.zenml.connection;
    let plan = PlanPrune { connection: connection.clone(), store: args.store.clone(), rules };
    let Plan { doomed, kept } = session.run(plan).await??;
    doomed.iter().try_for_each(|one| say_planned(&mut session.output, one, &store))?;
    say_kept(&mut session.output, &kept)?;
    let known: u64 = doomed.iter().filter_map(|one| one.version.size).sum();
    let versions = units::counted(doomed.len() as u64, "artifact version");
    let what = format!("{versions} ({}), data and metadata", units::bytes(known));
    if doomed.is_empty() {
        session.output.note("nothing is to go by these rules");
        return Ok(());
    }
    if args.dry_run {
        session.output.note(&format!("would delete {what}"));
        return Ok(());
    }
    session.output.flush()?;
    session.confirm_deletion(&what, args.yes)?;
    let prune = Prune { connection, store: args.store, doomed };
    follow(prune, "artifact version", session).await
}

async fn orphans(args: Args, store: &ArtifactStore, session: &mut Session) -> Result<(), Stop> {
    if !args.dry_run && !session.is_interactive() {
        let summary = "orphans are deleted on a terminal alone, after their store's name is typed";
        return Err(Failure::new(FailureKind::Usage, summary)
            .hint("run it on a terminal, or with --dry-run to see")
            .into());
    }
    session.open_keystore().await?;
    let connection = args.zenml.connection;
    let census = TakeCensus { connection: connection.clone(), store: args.store.clone() };
    let mut orphans: Vec<Orphan> = Vec::new();
    let show = |output: &mut Output, orphan: Orphan| {
        show_orphan(output, &orphan, store)?;
        orphans.push(orphan);
        Ok(())
    };
    let counted = session.follow(census, show).await??;
    if orphans.is_empty() {
        session.output.note("there are no orphans");
        return Ok(());
    }
    let folders = units::counted(counted.summary.orphan_folders, "folder");
    let what = format!("{folders}, {}", tally(counted.summary.orphans));
    if args.dry_run {
        session.output.note(&format!("would delete {what}"));
        return Ok(());
    }
    session.output.flush()?;
    session.output.note(
        "osstack knows of one ZenML alone: what another one wrote to this path looks like an \
         orphan too",
    );
    let question = format!("Type {} to delete {what} for good: ", args.store);
    if session.ask(&question)?.trim() != args.store {
        let stopped = Failure::new(FailureKind::Cancelled, "stopped");
        return Err(stopped.hint("nothing was changed").into());
    }
    let prune = PruneOrphans { connection, store: args.store, orphans };
    follow(prune, "folder", session).await
}

fn say_planned(output: &mut Output, one: &Doomed, store: &ArtifactStore) -> Result<(), Stop> {
    let location = Location::of(store, &one.key).to_string();
    let version = &one.version;
    if output.is_json() {
        return output.json(&json!({
            "type": "planned",
            "id": version.id,
            "name": version.artifact,
            "version": version.version,
            "size": version.size,
            "location": location,
        }));
    }
    let size = version.size.map_or_else(|| "-".to_owned(), units::bytes);
    output.line(&format!("{size:>10}  {}  {}", visible(&version.label()), visible(&location)))
}

/// In words one line a reason: in use is mostly nearly everything.
fn say_kept(output: &mut Output, kept: &[Kept]) -> Result<(), Stop> {
    let mut reasons: BTreeMap<String, Vec<&Kept>> = BTreeMap::new();
    for one in kept {
        reasons.entry(one.why.words()).or_default().push(one);
    }
    for (why, of_one) in reasons {
        if output.is_json() {
            for Kept { version, .. } in of_one {
                let (id, name) = (&version.id, &version.artifact);
                output.json(&json!({
                    "type": "kept", "id": id, "name": name, "version": version.version, "why": why,
                }))?;
            }
            continue;
        }
        let number = units::counted(of_one.len() as u64, "version");
        let example = of_one.first().map(|one| one.version.label()).unwrap_or_default();
        output.note(&format!("kept: {number}, as {}: {}", visible(&example), visible(&why)));
    }
    Ok(())
}

fn say(output: &mut Output, pruned: &Pruned) -> Result<(), Stop> {
    match pruned {
        Pruned::Gone { name, data } if output.is_json() => output.json(&json!({
            "type": "gone", "name": name, "objects": data.objects, "bytes": data.bytes,
        }))?,
        Pruned::Left { name, why, data } if output.is_json() => output.json(&json!({
            "type": "left", "name": name, "why": why.to_string(),
            "objects": data.objects, "bytes": data.bytes,
        }))?,
        Pruned::Gone { name, data } => {
            output.line(&format!("deleted {}  {}", visible(name), tally(*data)))?;
        }
        Pruned::Left { name, why, data } if data.objects > 0 => {
            let gone = tally(*data);
            output.note(&format!("stayed, but for {gone}: {}: {why}", visible(name)));
        }
        Pruned::Left { name, why, .. } => {
            output.note(&format!("stayed: {}: {why}", visible(name)));
        }
    }
    output.flush()
}

/// What went is gone: it is told however this ended.
async fn follow<J>(prune: J, noun: &str, session: &mut Session) -> Result<(), Stop>
where
    J: Job<World, Item = Pruned, Out = Result<Totals, Failure>>,
{
    let mut totals = Totals::default();
    let show = |output: &mut Output, pruned: Pruned| {
        totals.count(&pruned);
        say(output, &pruned)
    };
    let ended = session.follow(prune, show).await?;
    let output = &mut session.output;
    if output.is_json() {
        let fields = json!({
            "type": "summary",
            "deleted": totals.gone,
            "left": totals.left,
            "objects": totals.data.objects,
            "bytes": totals.data.bytes,
        });
        output.done("", fields)?;
    } else {
        let left =
            if totals.left == 0 { String::new() } else { format!(", {} stayed", totals.left) };
        let gone = units::counted(totals.gone, noun);
        output.note(&format!("deleted {gone}, {}{left}", tally(totals.data)));
    }
    match (ended, totals.gone, totals.left) {
        (Err(failure), gone, _) => {
            let kind = if gone > 0 { FailureKind::Partial } else { failure.kind };
            let again = "run the same again: it goes on where it was stopped";
            Err(Failure { kind, ..failure }.hint(again).into())
        }
        (Ok(_), _, 0) => Ok(()),
        (Ok(_), 0, _) => Err(Stop::Code(FailureKind::Conflict.exit_code())),
        (Ok(_), ..) => Err(Stop::Code(FailureKind::Partial.exit_code())),
    }
}
