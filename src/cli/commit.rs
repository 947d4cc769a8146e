//! `osstack commit`.

use serde_json::json;

use super::SCHEMA;
use super::args::Commit as CommitArgs;
use super::output::Paint;
use super::plan::{make, named, show};
use super::session::{Session, Stop};
use super::stack::{activate, say_active};
use crate::base::visible::visible;
use crate::ops::activate::Activated;
use crate::ops::commit::{CommitStack, Committed, Committing, UndoCommit, Undone};
use crate::ops::commit_record::Progress;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::plan::{Aim, LivePlan, MakePlan, no_connection};
use crate::zenml::changes::Change;

pub(super) async fn run(args: CommitArgs, session: &mut Session) -> Result<(), Stop> {
    let against = named(args.connection.clone());
    if args.undo {
        return undo(UndoCommit { stack: args.name, against }, args.yes, session).await;
    }
    let aim = if args.delete { Aim::Absent } else { Aim::Present };
    let plan = MakePlan { stack: args.name.clone(), against: against.clone(), aim };
    let planned = make(plan, session).await?;
    let live = planned.live.ok_or_else(|| no_connection("commit"))?;
    if !session.output.is_json() {
        show(&live, false, &mut session.output)?;
    }
    let mut job = CommitStack {
        stack: args.name.clone(),
        against,
        aim,
        shown: Some(live.changes.fingerprint()),
        without_check: args.without_check,
        adopt: args.adopt,
        ending_key: args.ending_key,
    };
    if live.changes.is_noop() {
        // a commit that stopped after its last change still has to be closed
        if live.unfinished.is_some() {
            session.run(job.clone()).await??;
        }
        return answer(&[], &live, None, args.set.then_some(&job), session).await;
    }
    if session.is_interactive() && !args.yes {
        ask(&mut job, &live, planned.check.verdict.allows_commit(), session).await?;
    }
    let changes = live.changes.changes.clone();
    let committed = session
        .follow(job.clone(), |output, Committing { index, progress }| {
            let Some(change) = changes.get(index) else { return Ok(()) };
            let subject = format!("{} {}", change.step.subject(), change.step.name());
            match progress {
                Progress::Sent => output.progress(&format!("{subject} …")),
                Progress::Done => {
                    output.end_progress();
                    if !output.is_json() {
                        let sign = output.paint(Paint::Good, change.action.sign());
                        output.line(&format!("{sign} {subject}: done"))?;
                    }
                }
                Progress::Planned | Progress::Undone => output.end_progress(),
            }
            Ok(())
        })
        .await?;
    match committed {
        Ok(Committed { changes, stack_id, .. }) => {
            let set = args.set.then_some(&job);
            answer(&changes, &live, stack_id.as_deref(), set, session).await
        }
        Err(failure) => broken_off(failure, &job, session).await,
    }
}

/// Asks before anything is sent; more where more is at stake.
async fn ask(
    job: &mut CommitStack,
    live: &LivePlan,
    is_checked: bool,
    session: &mut Session,
) -> Result<(), Stop> {
    let catalog = session.run(crate::ops::stores::LoadCatalog).await??;
    if let Some(stack) = catalog.stack(&job.stack) {
        session.confirm_protected(stack, false)?;
    }
    if job.aim == Aim::Present && !is_checked && !job.without_check {
        let question = format!(
            "No check says that the store works. Type {} to commit all the same: ",
            job.stack
        );
        if session.ask(&question)?.trim() != job.stack {
            return Err(cancelled());
        }
        job.without_check = true;
    }
    if !job.adopt && live.changes.foreign().next().is_some() {
        let question = format!(
            "Some of this was not made by osstack. Type {} to change it all the same: ",
            job.stack
        );
        if session.ask(&question)?.trim() != job.stack {
            return Err(cancelled());
        }
        job.adopt = true;
    }
    if let Some(why) = live.ends_soon.as_ref().filter(|_| !job.ending_key) {
        let question = format!("{}. Type {} to commit it all the same: ", visible(why), job.stack);
        if session.ask(&question)?.trim() != job.stack {
            return Err(cancelled());
        }
        job.ending_key = true;
    }
    let question = format!("Commit this to {}?", live.connection);
    if session.confirm(&question)? { Ok(()) } else { Err(cancelled()) }
}

fn cancelled() -> Stop {
    Failure::new(FailureKind::Cancelled, "nothing was sent")
        .hint("commit again when you like")
        .into()
}

/// Says what was done, and makes the stack of `set` the active one.
async fn answer(
    changes: &[Change],
    live: &LivePlan,
    stack_id: Option<&str>,
    set: Option<&CommitStack>,
    session: &mut Session,
) -> Result<(), Stop> {
    if !session.output.is_json() && !changes.is_empty() {
        let said = match stack_id {
            Some(id) if set.is_none() => format!(
                "Committed. To run pipelines on it: export ZENML_ACTIVE_STACK_ID={}",
                visible(id)
            ),
            Some(_) => "Committed.".to_owned(),
            None => "Done.".to_owned(),
        };
        session.output.line(&said)?;
    }
    let activated = match set {
        Some(job) => Some(activate(&job.stack, job.against.clone(), session).await?),
        None => None,
    };
    if session.output.is_json() {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| json!({ "change": change.action.sign(), "key": change.step.key() }))
            .collect();
        return session.output.json(&json!({
            "schema": SCHEMA,
            "connection": live.connection.as_str(),
            "changes": changes,
            "stack_id": activated.as_ref().map(|activated| &*activated.id).or(stack_id),
            "set_by": activated.as_ref().and_then(Activated::shown),
        }));
    }
    match (activated, set) {
        (Some(activated), Some(job)) => say_active(&job.stack, &activated, &mut session.output),
        _ => Ok(()),
    }
}

/// A commit stopped in the middle: offers to take it back.
async fn broken_off(
    failure: Failure,
    job: &CommitStack,
    session: &mut Session,
) -> Result<(), Stop> {
    session.output.end_progress();
    let may_be_undone = failure.hints.iter().any(|hint| hint.contains("--undo"));
    if !may_be_undone || !session.is_interactive() {
        return Err(failure.into());
    }
    session.output.failure(&failure);
    if session.confirm("Take back what this commit made?")? {
        let undo = UndoCommit { stack: job.stack.clone(), against: job.against.clone() };
        let undone = session.run(undo).await??;
        say(&undone, &job.stack, session)?;
    }
    Err(Stop::Code(failure.kind.exit_code()))
}

async fn undo(job: UndoCommit, yes: bool, session: &mut Session) -> Result<(), Stop> {
    session.open_keystore().await?;
    if session.is_interactive() && !yes && !session.confirm("Take back what the commit made?")? {
        return Err(cancelled());
    }
    let stack = job.stack.clone();
    let undone = session.run(job).await??;
    say(&undone, &stack, session)
}

fn say(undone: &Undone, stack: &str, session: &mut Session) -> Result<(), Stop> {
    let Undone { deleted, restored, left } = undone;
    let output = &mut session.output;
    if output.is_json() {
        return output.json(&json!({
            "schema": SCHEMA, "deleted": deleted, "restored": restored, "left": left,
        }));
    }
    for what in deleted {
        output.line(&format!("- {}: deleted", visible(what)))?;
    }
    for what in restored {
        output.line(&format!("~ {}: as it was", visible(what)))?;
    }
    for what in left {
        output.line(&format!("! {}", visible(what)))?;
    }
    if left.is_empty() {
        return output.line("All of it is taken back.");
    }
    let again = format!("What stays is named by: osstack plan {stack}");
    output.line(&format!("{again}, and tried again by: osstack commit {stack} --undo"))?;
    Err(Stop::Code(FailureKind::Partial.exit_code()))
}
