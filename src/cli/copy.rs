//! `osstack cp`.

use std::ffi::OsString;

use serde_json::json;

use super::SCHEMA;
use super::args::Copy as CopyArgs;
use super::output::Output;
use super::session::{Session, Stop};
use super::store::load;
use crate::base::pattern::Pattern;
use crate::base::units;
use crate::model::name_filter::NameFilter;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::location::Location;
use crate::ops::transfer::{Copies, Copy, CopyEvent, PlanCopies, Progress, RunCopies, Skipped};
use crate::oss::transfer::Transferred;

/// How the copies fared.
#[derive(Default)]
struct Tally {
    copied: u64,
    bytes: u64,
    skipped: u64,
    failed: u64,
    /// Copied without a checksum to compare.
    unverified: u64,
    /// Names that are taken: asked about at the end, where somebody can be.
    conflicts: Vec<(Copy, Failure)>,
    first_failure: Option<Failure>,
}

pub(super) async fn run(args: CopyArgs, session: &mut Session) -> Result<(), Stop> {
    let found = plan(&args, session).await?;
    let mut tally = Tally::default();
    for skipped in &found.skipped {
        tally.skipped += 1;
        say_skipped(&mut session.output, skipped)?;
    }
    if args.dry_run {
        found.copies.iter().try_for_each(|copy| say_would(&mut session.output, copy))?;
        return Ok(());
    }
    if found.copies.is_empty() && found.skipped.is_empty() {
        let failure = Failure::new(FailureKind::NotFound, "there is nothing to copy");
        return Err(failure.hint("look with osstack ls; prefixes are literal").into());
    }
    let limit = args.limit_rate;
    copy(found.copies, (args.overwrite, limit), &mut tally, session).await?;
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
        copy(copies, (true, limit), &mut tally, session).await?;
    } else {
        for (copy, failure) in conflicts {
            tally.skipped += 1;
            let reason = format!(
                "{}; --overwrite replaces it, another name leaves it alone",
                failure.summary
            );
            let skipped = Skipped { source: copy.source(), reason };
            say_skipped(&mut session.output, &skipped)?;
        }
    }
    finish(tally, &mut session.output)
}

async fn plan(args: &CopyArgs, session: &mut Session) -> Result<Copies, Stop> {
    let mut ends: Vec<Location> =
        args.paths.iter().map(OsString::as_os_str).map(Location::parse).collect();
    let Some(to) = ends.pop() else {
        return Err(
            Failure::new(FailureKind::Usage, "a source and a destination are needed").into()
        );
    };
    // a name that is not there is said before a passphrase is asked for
    let catalog = load(session).await?;
    let resolved = ends.iter().chain([&to]).map(|end| end.resolve(&catalog));
    let places: Vec<_> = resolved.collect::<Result<_, _>>()?;
    session.open_keystore().await?;
    for (place, _) in places.iter().flatten() {
        session.cross_border(place, args.border.across_border).await?;
    }
    let globs = |texts: &[String]| {
        let globs = texts.iter().map(|text| Pattern::glob(text));
        globs.collect::<Result<_, _>>().map_err(|error| {
            Failure::new(FailureKind::Usage, format!("a pattern cannot be used: {error}"))
                .hint("write a shorter one")
        })
    };
    let filter = NameFilter { include: globs(&args.include)?, exclude: globs(&args.exclude)? };
    let plan = PlanCopies { sources: ends, to, recursive: args.recursive, filter };
    Ok(session.run(plan).await??)
}

async fn copy(
    copies: Vec<Copy>,
    (overwrite, limit): (bool, Option<u64>),
    tally: &mut Tally,
    session: &mut Session,
) -> Result<(), Stop> {
    let count = copies.len();
    let mut ended = 0;
    let show = |output: &mut Output, event: CopyEvent| match event {
        CopyEvent::Progress(progress) => {
            output.progress(&progress_line(&progress, ended, count));
            Ok(())
        }
        CopyEvent::Ended { copy, result } => {
            ended += 1;
            output.end_progress();
            tally.note(*copy, result, overwrite, output)
        }
    };
    let answer = session.follow(RunCopies { copies, overwrite, limit }, show).await;
    session.output.end_progress();
    Ok(answer??)
}

fn progress_line(progress: &Progress, ended: usize, count: usize) -> String {
    let total = progress.total.map(|total| format!(" of {}", units::bytes(total)));
    format!(
        "{ended} of {count}  {}{}  {}",
        units::bytes(progress.done),
        total.unwrap_or_default(),
        progress.current
    )
}

impl Tally {
    fn note(
        &mut self,
        copy: Copy,
        result: Result<Transferred, Failure>,
        overwrite: bool,
        output: &mut Output,
    ) -> Result<(), Stop> {
        match result {
            Ok(done) => {
                self.copied += 1;
                self.bytes += done.bytes;
                self.unverified += u64::from(!done.proof.is_checksum());
                say_copied(output, &copy, done)
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
}

fn say_copied(output: &mut Output, copy: &Copy, done: Transferred) -> Result<(), Stop> {
    let (from, to, exact) = (copy.source(), copy.destination(), copy.exact());
    if output.is_json() {
        return output.json(&json!({
            "type": "copied", "from": exact.0, "to": exact.1,
            "size": done.bytes, "verified": done.proof.is_checksum(), "proof": done.proof.as_str(),
            "reused": done.reused, "anew": done.is_anew,
        }));
    }
    if done.is_anew {
        output.note(&format!("{from} changed since it was stopped: it was copied anew"));
    }
    let reused = match done.reused {
        0 => String::new(),
        reused => format!(", of which {} were there", units::bytes(reused)),
    };
    output.line(&format!("{from} -> {to}  {}{reused}", units::bytes(done.bytes)))
}

fn say_would(output: &mut Output, copy: &Copy) -> Result<(), Stop> {
    let (from, to, exact) = (copy.source(), copy.destination(), copy.exact());
    if output.is_json() {
        let line =
            json!({ "type": "would-copy", "from": exact.0, "to": exact.1, "size": copy.size });
        return output.json(&line);
    }
    output.line(&format!("would copy {from} -> {to}"))
}

fn say_skipped(output: &mut Output, skipped: &Skipped) -> Result<(), Stop> {
    let Skipped { source, reason } = skipped;
    if output.is_json() {
        return output.json(&json!({ "type": "skipped", "from": source, "reason": reason }));
    }
    output.note(&format!("skipped {source}: {reason}"));
    Ok(())
}

fn say_failed(output: &mut Output, copy: &Copy, failure: &Failure) -> Result<(), Stop> {
    let source = copy.source();
    if output.is_json() {
        let exact = copy.exact();
        let mut line = json!({ "type": "failed", "from": exact.0, "to": exact.1 });
        if let (Some(line), Some(error)) =
            (line.as_object_mut(), super::output::failure_json(failure).get("error"))
        {
            line.insert("error".into(), error.clone());
        }
        return output.json(&line);
    }
    output.note(&format!("failed {source}: {failure}"));
    Ok(())
}

fn finish(tally: Tally, output: &mut Output) -> Result<(), Stop> {
    let Tally { copied, bytes, skipped, failed, unverified, first_failure, .. } = tally;
    if output.is_json() {
        output.json(&json!({
            "type": "summary", "schema": SCHEMA,
            "copied": copied, "bytes": bytes, "skipped": skipped, "failed": failed,
            "verified": copied - unverified,
        }))?;
    } else if copied + skipped + failed > 1 {
        let size = units::bytes(bytes);
        let unverified = match unverified {
            0 => String::new(),
            count => format!("; {count} of them without a checksum to compare"),
        };
        let text =
            format!("copied {copied} ({size}), skipped {skipped}, failed {failed}{unverified}");
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
        let copy = Copy::upload("f", Remote { place: Place::of("st"), key, own: 0 });
        let conflict = || Err(Failure::new(FailureKind::Conflict, "it changed meanwhile"));
        let mut asked = Tally::default();
        asked.note(copy.clone(), conflict(), false, &mut output).unwrap();
        assert_eq!((asked.failed, asked.conflicts.len()), (0, 1));
        let mut tally = Tally::default();
        tally.note(copy, conflict(), true, &mut output).unwrap();
        assert_eq!((tally.failed, tally.conflicts.len()), (1, 0));
        assert!(matches!(finish(tally, &mut output), Err(Stop::Code(1))));
    }
}
