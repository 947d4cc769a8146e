//! `osstack cp` and `osstack mv`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::SCHEMA;
use super::args::Border;
use super::args::transfer::Copy as CopyArgs;
use super::output::Output;
use super::session::{Session, Stop};
use super::store::load;
use crate::base::pace::Pace;
use crate::base::pattern::Pattern;
use crate::base::units;
use crate::base::visible::visible;
use crate::model::name_filter::NameFilter;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::transfer::{
    CheckRoom, Copies, Copy, CopyEvent, Ends, PlanCopies, Progress, RemoveEmptied, RunCopies,
    Skipped, emptied,
};
use crate::oss::transfer::Transferred;

/// What becomes of the sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verb {
    /// They stay.
    #[default]
    Copy,
    /// They go.
    Move,
}

impl Verb {
    fn done(self) -> &'static str {
        match self {
            Self::Copy => "copied",
            Self::Move => "moved",
        }
    }

    fn would(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Move => "move",
        }
    }
}

/// How the copies fared.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) verb: Verb,
    pub(super) copied: u64,
    pub(super) bytes: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    /// Copied without a checksum to compare.
    unverified: u64,
    /// Sources that were to go and stay.
    left: u64,
    /// Names that are taken: asked about at the end, where somebody can be.
    pub(super) conflicts: Vec<(Copy, Failure)>,
    first_failure: Option<Failure>,
    /// Files of this machine that are gone.
    moved: Vec<PathBuf>,
}

pub(super) async fn run(args: CopyArgs, verb: Verb, session: &mut Session) -> Result<(), Stop> {
    let found = plan(&args, session).await?;
    let mut tally = Tally { verb, ..Tally::default() };
    for skipped in &found.skipped {
        tally.skipped += 1;
        say_skipped(&mut session.output, skipped)?;
    }
    if args.dry_run {
        let word = verb.would();
        found.copies.iter().try_for_each(|copy| say_would(&mut session.output, word, copy))?;
        if verb == Verb::Move {
            for folder in emptied(&found.walked, found.copies.iter().filter_map(local_source)) {
                say_folder(&mut session.output, folder, true)?;
            }
        }
        return Ok(session.run(CheckRoom { copies: found.copies }).await??);
    }
    if found.copies.is_empty() && found.skipped.is_empty() {
        let failure =
            Failure::new(FailureKind::NotFound, &*format!("there is nothing to {}", verb.would()));
        return Err(failure.hint("look with osstack ls; prefixes are literal").into());
    }
    let limit = args.limit_rate;
    run_copies(found.copies, (args.overwrite, limit), &mut tally, session).await?;
    let conflicts = std::mem::take(&mut tally.conflicts);
    let again = match conflicts.len() {
        0 => false,
        count if session.is_interactive() => {
            let taken =
                if count == 1 { "1 name is taken" } else { &format!("{count} names are taken") };
            session.confirm(&format!("{taken}. Replace what is there?"))?
        }
        _ => false,
    };
    if again {
        let copies = conflicts.into_iter().map(|(copy, _)| copy).collect();
        run_copies(copies, (true, limit), &mut tally, session).await?;
    } else {
        tally.say_taken(
            conflicts,
            "--overwrite replaces it, another name leaves it alone",
            session,
        )?;
    }
    let moved = std::mem::take(&mut tally.moved);
    for folder in session.run(RemoveEmptied { walked: found.walked, moved }).await?? {
        say_folder(&mut session.output, &folder, false)?;
    }
    finish(tally, &[], &mut session.output)
}

/// The file of this machine that is copied.
fn local_source(copy: &Copy) -> Option<&Path> {
    match &copy.ends {
        Ends::Upload { from, .. } => Some(from),
        Ends::Download { .. } | Ends::Server { .. } => None,
    }
}

/// A folder that a move empties.
fn say_folder(output: &mut Output, folder: &Path, dry_run: bool) -> Result<(), Stop> {
    let path = folder.to_string_lossy();
    if output.is_json() {
        let kind = if dry_run { "would-remove-folder" } else { "removed-folder" };
        return output.json(&json!({ "type": kind, "path": path }));
    }
    let word = if dry_run { "would remove" } else { "removed" };
    output.line(&format!("{word} the folder {}: all of it is moved", visible(&path)))
}

async fn plan(args: &CopyArgs, session: &mut Session) -> Result<Copies, Stop> {
    let mut ends = Vec::with_capacity(args.paths.len());
    for path in &args.paths {
        ends.push(session.location(path).await?);
    }
    let Some(to) = ends.pop() else {
        return Err(
            Failure::new(FailureKind::Usage, "a source and a destination are needed").into()
        );
    };
    let all: Vec<&Location> = ends.iter().chain([&to]).collect();
    open(&all, args.border, session).await?;
    let filter = filter(&args.include, &args.exclude)?;
    let plan = PlanCopies { sources: ends, to, recursive: args.recursive, filter };
    let mut found = session.run(plan).await??;
    if let Some(id) = &args.version.version_id {
        name_version(&mut found, id)?;
    }
    Ok(found)
}

/// Makes the one download that version's.
fn name_version(found: &mut Copies, id: &str) -> Result<(), Failure> {
    let [Copy { ends: Ends::Download { from, .. }, size }] = &mut found.copies[..] else {
        let summary = "--version-id brings one version of one object to this machine";
        return Err(Failure::new(FailureKind::Usage, summary)
            .hint("osstack revert makes a version the current one, on the server"));
    };
    // what is known of the current one says nothing of others
    (from.version, *size) = (Some(id.to_owned()), None);
    Ok(())
}

/// Opens the keystore for what lies in buckets, and the border.
pub(super) async fn open(
    ends: &[&Location],
    border: Border,
    session: &mut Session,
) -> Result<(), Stop> {
    // a name that is not there is said before a passphrase is asked for
    let catalog = load(session).await?;
    let places: Vec<_> = ends.iter().map(|end| end.resolve(&catalog)).collect::<Result<_, _>>()?;
    session.open_for_stores().await?;
    for (place, _) in places.iter().flatten() {
        session.cross_border(place, border.across_border).await?;
    }
    Ok(())
}

/// The names that `--include` and `--exclude` mean.
pub(super) fn filter(include: &[String], exclude: &[String]) -> Result<NameFilter, Failure> {
    let globs = |texts: &[String]| {
        let globs = texts.iter().map(|text| Pattern::glob(text));
        globs.collect::<Result<_, _>>().map_err(|error| {
            Failure::new(FailureKind::Usage, format!("a pattern cannot be used: {error}"))
                .hint("write a shorter one")
        })
    };
    Ok(NameFilter { include: globs(include)?, exclude: globs(exclude)? })
}

/// Runs `copies`, and says how each fared.
pub(super) async fn run_copies(
    copies: Vec<Copy>,
    (overwrite, limit): (bool, Option<u64>),
    tally: &mut Tally,
    session: &mut Session,
) -> Result<(), Stop> {
    let clock = Arc::clone(&session.machine.clock);
    let began = clock.instant();
    let mut watch = Watch { count: copies.len(), ..Watch::default() };
    let moves = tally.verb == Verb::Move;
    let show = |output: &mut Output, event: CopyEvent| match event {
        CopyEvent::Progress(progress) => watch.show(began.elapsed(), &progress, output),
        CopyEvent::Ended { copy, result, stays } => {
            watch.ended += 1;
            output.end_progress();
            tally.note(*copy, result, stays, overwrite, output)
        }
    };
    let job = RunCopies { copies, moves, overwrite, limit };
    let answer = session.follow(job, show).await;
    session.output.end_progress();
    Ok(answer??)
}

/// Between two lines of JSON that say how far it is.
const TOLD: Duration = Duration::from_secs(1);

/// How far many copies are.
#[derive(Default)]
struct Watch {
    count: usize,
    ended: usize,
    pace: Pace,
    told: Duration,
}

impl Watch {
    fn show(
        &mut self,
        now: Duration,
        progress: &Progress,
        output: &mut Output,
    ) -> Result<(), Stop> {
        let Progress { done, total, current } = progress;
        self.pace.note(now, *done);
        let rate = self.pace.rate();
        let left = total.and_then(|total| self.pace.left(total.saturating_sub(*done)));
        if output.is_json() {
            if now < self.told + TOLD {
                return Ok(());
            }
            self.told = now;
            return output.json(&json!({
                "type": "progress", "done": done, "total": total, "rate": rate,
                "seconds_left": left.map(|left| left.as_secs()),
                "ended": self.ended, "of": self.count,
            }));
        }
        let mut text = format!("{} of {}  {}", self.ended, self.count, units::bytes(*done));
        if let Some(total) = total {
            let _infallible = write!(text, " of {}", units::bytes(*total));
        }
        if let Some(rate) = rate {
            let _infallible = write!(text, "  {}/s", units::bytes(rate));
        }
        if let Some(left) = left {
            let _infallible = write!(text, "  {} left", units::left(left));
        }
        output.progress(&format!("{text}  {current}"));
        Ok(())
    }
}

impl Tally {
    fn note(
        &mut self,
        copy: Copy,
        result: Result<Transferred, Failure>,
        stays: Option<Failure>,
        overwrite: bool,
        output: &mut Output,
    ) -> Result<(), Stop> {
        match result {
            Ok(done) => {
                self.copied += 1;
                self.bytes += done.bytes;
                self.unverified += u64::from(!done.proof.is_checksum());
                let verb = if stays.is_some() { Verb::Copy } else { self.verb };
                if verb == Verb::Move {
                    self.moved.extend(local_source(&copy).map(Path::to_owned));
                }
                say_copied(output, verb, &copy, done)?;
                let Some(failure) = stays else { return Ok(()) };
                self.left += 1;
                say_left(output, &copy, &failure)?;
                self.first_failure.get_or_insert(failure);
                Ok(())
            }
            // where replacing was allowed already, asking about it would not help
            Err(failure) if failure.kind == FailureKind::Conflict && !overwrite => {
                self.conflicts.push((copy, failure));
                Ok(())
            }
            Err(failure) => {
                self.failed += 1;
                say_failed(output, &copy, &failure)?;
                self.first_failure.get_or_insert(failure);
                Ok(())
            }
        }
    }

    /// Names that were taken and stay as they are.
    pub(super) fn say_taken(
        &mut self,
        conflicts: Vec<(Copy, Failure)>,
        next: &str,
        session: &mut Session,
    ) -> Result<(), Stop> {
        for (copy, failure) in conflicts {
            self.skipped += 1;
            let reason = format!("{}; {next}", failure.summary);
            say_skipped(&mut session.output, &Skipped { source: copy.source(), reason })?;
        }
        Ok(())
    }
}

fn say_copied(output: &mut Output, verb: Verb, copy: &Copy, done: Transferred) -> Result<(), Stop> {
    let (from, to, exact) = (copy.source(), copy.destination(), copy.exact());
    if output.is_json() {
        return output.json(&json!({
            "type": verb.done(), "from": exact.0, "to": exact.1,
            "size": done.bytes, "verified": done.proof.is_checksum(), "proof": done.proof.as_str(),
            "reused": done.reused, "anew": done.is_anew,
        }));
    }
    let word = if verb == Verb::Move { "moved " } else { "" };
    if done.is_anew {
        output.note(&format!("{from} changed since it was stopped: it was copied anew"));
    }
    let reused = match done.reused {
        0 => String::new(),
        reused => format!(", of which {} were there", units::bytes(reused)),
    };
    output.line(&format!("{word}{from} -> {to}  {}{reused}", units::bytes(done.bytes)))
}

pub(super) fn say_would(output: &mut Output, word: &str, copy: &Copy) -> Result<(), Stop> {
    let (from, to, exact) = (copy.source(), copy.destination(), copy.exact());
    if output.is_json() {
        let kind = format!("would-{word}");
        return output
            .json(&json!({ "type": kind, "from": exact.0, "to": exact.1, "size": copy.size }));
    }
    output.line(&format!("would {word} {from} -> {to}"))
}

pub(super) fn say_skipped(output: &mut Output, skipped: &Skipped) -> Result<(), Stop> {
    let Skipped { source, reason } = skipped;
    if output.is_json() {
        return output.json(&json!({ "type": "skipped", "from": source, "reason": reason }));
    }
    output.note(&format!("skipped {source}: {reason}"));
    Ok(())
}

/// A source that was copied, and was to go.
fn say_left(output: &mut Output, copy: &Copy, failure: &Failure) -> Result<(), Stop> {
    if output.is_json() {
        return say_wrong(output, "left", copy, failure);
    }
    output.note(&format!("stayed: {failure}"));
    Ok(())
}

fn say_failed(output: &mut Output, copy: &Copy, failure: &Failure) -> Result<(), Stop> {
    let source = copy.source();
    if output.is_json() {
        return say_wrong(output, "failed", copy, failure);
    }
    output.note(&format!("failed {source}: {failure}"));
    Ok(())
}

fn say_wrong(output: &mut Output, kind: &str, copy: &Copy, failure: &Failure) -> Result<(), Stop> {
    let exact = copy.exact();
    let mut line = json!({ "type": kind, "from": exact.0, "to": exact.1 });
    if let (Some(line), Some(error)) =
        (line.as_object_mut(), super::output::failure_json(failure).get("error"))
    {
        line.insert("error".into(), error.clone());
    }
    output.json(&line)
}

/// Sums up; `more` are the numbers that only this command has, by name.
pub(super) fn finish(tally: Tally, more: &[(&str, u64)], output: &mut Output) -> Result<(), Stop> {
    let Tally { verb, copied, bytes, skipped, failed, unverified, left, first_failure, .. } = tally;
    if output.is_json() {
        let mut line = json!({
            "type": "summary", "schema": SCHEMA,
            "copied": copied, "bytes": bytes, "skipped": skipped, "failed": failed,
            "verified": copied - unverified, "left": left,
        });
        if let Some(line) = line.as_object_mut() {
            line.extend(more.iter().map(|(name, number)| ((*name).to_owned(), json!(number))));
        }
        output.json(&line)?;
    } else if copied + skipped + failed > 1 || !more.is_empty() {
        let mut text = format!(
            "{} {copied} ({}), skipped {skipped}, failed {failed}",
            verb.done(),
            units::bytes(bytes),
        );
        for (name, number) in more {
            let _infallible = write!(text, ", {name} {number}");
        }
        if left > 0 {
            let _infallible = write!(text, "; {left} of the sources stayed");
        }
        if unverified > 0 {
            let _infallible = write!(text, "; {unverified} of them without a checksum to compare");
        }
        output.note(&text);
    }
    match first_failure {
        // nothing went well: the one reason is the answer
        Some(failure) if copied == 0 && skipped == 0 => Err(Stop::Code(failure.kind.exit_code())),
        None if skipped == 0 => Ok(()),
        _ => Err(Stop::Code(FailureKind::Partial.exit_code())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Form;
    use crate::model::object_key::ObjectKey;
    use crate::ops::objects::Place;
    use crate::ops::transfer::Remote;

    #[test]
    fn a_conflict_that_overwriting_does_not_solve_is_a_failure() {
        let mut output =
            Output::new(Box::new(std::io::sink()), Box::new(std::io::sink()), Form::default());
        let key = ObjectKey::parse("k").unwrap();
        let copy = Copy::upload("f", Remote { place: Place::of("st"), key, own: 0, version: None });
        let conflict = || Err(Failure::new(FailureKind::Conflict, "it changed meanwhile"));
        let mut asked = Tally::default();
        asked.note(copy.clone(), conflict(), None, false, &mut output).unwrap();
        assert_eq!((asked.failed, asked.conflicts.len()), (0, 1));
        let mut tally = Tally::default();
        tally.note(copy, conflict(), None, true, &mut output).unwrap();
        assert_eq!((tally.failed, tally.conflicts.len()), (1, 0));
        assert!(matches!(finish(tally, &[], &mut output), Err(Stop::Code(1))));
    }
}
