//! `osstack check`.

use std::time::Duration;

use serde_json::{Value, json};

use super::args::Check;
use super::junit::{self, Checked};
use super::output::{Output, Paint, server_line};
use super::session::{Foreign, Session, Stop};
use super::store::load;
use super::table::{Cell, Table};
use super::{SCHEMA, rfc3339};
use crate::base::atomic_file::{self, Options};
use crate::base::units;
use crate::base::visible::visible;
use crate::catalog::Severity;
use crate::doctor::{CHECKS, Outcome, Progress, Report};
use crate::model::finding::{Finding, State};
use crate::model::fix::Fix;
use crate::model::permission::Grant;
use crate::model::store::ArtifactStore;
use crate::ops::check::{Besides, RunCheck, Subject};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::fix::{ApplyFix, Mending};
use crate::ops::history::{LoadHistory, LoadedHistory, Past, PastOutcome};
use crate::ops::stores::LoadCatalog;
use crate::ops::world::store_of;
use crate::zenml::python::Interpreter;

pub(super) async fn run(check: Check, session: &mut Session) -> Result<(), Stop> {
    let how = How {
        fix: check.fix,
        yes: check.yes,
        besides: Besides {
            rate: check.rate,
            python: check.python.as_deref().map(Interpreter::parse),
        },
    };
    if check.junit.is_some() && check.junit == check.file {
        let failure = Failure::new(FailureKind::Usage, "--file and --junit name the same file");
        return Err(failure
            .hint("the catalog would be lost: name another for what is found")
            .into());
    }
    if let (Some(name), true) = (&check.name, check.history) {
        return history(name, session).await;
    }
    session.foreign = check.file.clone().map(|file| Foreign { file, is_trusted: check.trust });
    let mut all: Vec<Checked> = Vec::new();
    let ended = every(&check, &how, session, &mut all).await;
    if let Some(file) = &check.junit {
        if let Err(Stop::Failure(failure)) = &ended {
            all.push(("osstack check".to_owned(), Err((**failure).clone())));
        }
        let random = session.machine.entropy.next_u64();
        let xml = junit::xml(&all).map_err(|error| {
            Failure::new(FailureKind::File, format!("the findings cannot be written: {error}"))
        })?;
        let options = Options { mode: 0o644, ..Options::default() };
        atomic_file::write(file, &xml, random, &options)?;
    }
    ended?;
    answer(all.iter().all(|(_, result)| result.as_ref().is_ok_and(passed)))
}

/// Checks all that is asked for; `all` gets what came of it.
async fn every(
    check: &Check,
    how: &How,
    session: &mut Session,
    all: &mut Vec<Checked>,
) -> Result<(), Stop> {
    let is_named = check.name.is_some();
    // a check of a whole file does not pass over what the file says badly
    if !is_named && check.file.is_some() {
        *all = left_out(session).await?;
    }
    let subjects = match &check.name {
        Some(name) => vec![Subject::parse(name)],
        None if check.all => every_store(session).await?,
        None => everything(session).await?,
    };
    for (nth, subject) in subjects.into_iter().enumerate() {
        let name = subject.to_string();
        if !is_named && !session.output.is_json() {
            let heading = session.output.paint(Paint::Strong, &name);
            let gap = if nth == 0 { "" } else { "\n" };
            session.output.line(&format!("{gap}{heading}"))?;
        }
        match checked(&subject, how, session).await {
            Ok(report) => all.push((report.subject.clone(), Ok(report))),
            // the others may still be checked, and the file tells of this one
            Err(Stop::Failure(failure)) if check.junit.is_some() => {
                session.output.failure(&failure);
                all.push((name, Err(*failure)));
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// What the arguments ask for.
struct How {
    fix: bool,
    yes: bool,
    besides: Besides,
}

/// Checks `subject`, and mends it where that was asked for.
async fn checked(subject: &Subject, how: &How, session: &mut Session) -> Result<Report, Stop> {
    if how.fix {
        return mend(subject, how, session).await;
    }
    let report = one(subject.clone(), &how.besides, session).await?;
    show(&report, &[], session)?;
    Ok(report)
}

/// Checks, fixes, and checks again until nothing is left that osstack can mend.
async fn mend(subject: &Subject, how: &How, session: &mut Session) -> Result<Report, Stop> {
    let mut mending = Mending::default();
    let mut done: Vec<Value> = Vec::new();
    loop {
        let report = one(subject.clone(), &how.besides, session).await?;
        let Some(fix) = mending.next(&report).cloned() else {
            show(&report, &done, session)?;
            return Ok(report);
        };
        if !session.output.is_json() {
            show_summary(&mut session.output, &report)?;
        }
        show_fix(&fix, session)?;
        if !how.yes && !session.is_interactive() {
            let failure = Failure::new(FailureKind::Usage, "there is no terminal to ask at");
            return Err(failure.hint("add --yes to apply what was shown").into());
        }
        if !how.yes && !session.confirm("Apply it?")? {
            show(&report, &done, session)?;
            return Ok(report);
        }
        session.run(ApplyFix { fix: fix.clone() }).await??;
        done.push(fix.to_json());
        mending.applied(fix);
    }
}

/// What a fix changes: part of the answer for people, a message beside JSON.
fn show_fix(fix: &Fix, session: &mut Session) -> Result<(), Stop> {
    let output = &mut session.output;
    let mut lines = vec![format!("fix: {}", fix.summary())];
    for change in fix.changes() {
        let signs = [(Paint::Bad, "-"), (Paint::Good, "+")];
        for (line, (paint, sign)) in change.lines().into_iter().zip(signs) {
            lines.extend(
                line.map(|line| output.paint(paint, &format!("    {sign} {}", visible(&line)))),
            );
        }
    }
    for line in lines {
        if output.is_json() {
            output.note(&line);
        } else {
            output.line(&line)?;
        }
    }
    Ok(())
}

/// How the checks of a store ended, or of a stack's store.
async fn history(name: &str, session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let stack = |name: &str| catalog.stack(name)?.artifact_store().map(ToString::to_string);
    let of_store = || name.strip_prefix("store/").unwrap_or(name).to_owned();
    let store = match name.strip_prefix("stack/") {
        Some(name) => stack(name).unwrap_or_else(|| name.to_owned()),
        None => stack(name).unwrap_or_else(of_store),
    };
    let store = store_of(&catalog, &store)?;
    let LoadedHistory { history, now } = session.run(LoadHistory).await??;
    let (verdict, past) = (history.verdict(store), history.of(store.name.as_str()));
    let output = &mut session.output;
    if output.is_json() {
        return output.json(&json!({
            "schema": SCHEMA,
            "store": store.name.as_str(),
            "verdict": verdict.as_str(),
            "checks": past.iter().rev().map(past_json).collect::<Vec<_>>(),
        }));
    }
    output.line(&format!("{}: {}", store.name, verdict.words(now)))?;
    let mut table = Table::default();
    for past in past.iter().rev() {
        let paint = match past.outcome {
            PastOutcome::Passed => Paint::Good,
            PastOutcome::Warned => Paint::Warn,
            PastOutcome::Failed => Paint::Bad,
        };
        let first = past.problems.first().map_or("", |problem| problem.summary.as_str());
        table.row([
            Cell::own(rfc3339(past.at)),
            Cell::own(past.outcome.as_str()).paint(paint),
            Cell::own(format!("{} of {}", past.passed, past.checks)),
            Cell::own(units::span(Duration::from_millis(past.ms))),
            Cell::outside(first),
        ]);
    }
    output.table(&table)
}

fn past_json(past: &Past) -> Value {
    let problems = past.problems.iter().map(|problem| {
        let state = if problem.failed { "failed" } else { "warned" };
        json!({ "id": problem.id, "state": state, "summary": problem.summary })
    });
    json!({
        "at": rfc3339(past.at),
        "subject": past.subject,
        "outcome": past.outcome.as_str(),
        "ms": past.ms,
        "passed": past.passed,
        "checks": past.checks,
        "problems": problems.collect::<Vec<_>>(),
    })
}

fn passed(report: &Report) -> bool {
    matches!(report.outcome, Outcome::Passed | Outcome::Warned)
}

fn answer(passed: bool) -> Result<(), Stop> {
    if passed { Ok(()) } else { Err(Stop::Code(1)) }
}

/// All stores.
async fn every_store(session: &mut Session) -> Result<Vec<Subject>, Stop> {
    let catalog = load(session).await?;
    if catalog.stores().is_empty() {
        let failure = Failure::new(FailureKind::NotFound, "the catalog has no artifact store yet");
        return Err(failure.hint("register one: osstack artifact-store register").into());
    }
    Ok(catalog.stores().iter().map(|store| Subject::Store(store.name.to_string())).collect())
}

/// The entries that do not count, each with why.
async fn left_out(session: &mut Session) -> Result<Vec<Checked>, Stop> {
    let catalog = session.run(LoadCatalog).await??;
    let mut all: Vec<Checked> = Vec::new();
    for problem in catalog.problems().iter().filter(|it| it.severity == Severity::Error) {
        let failure = Failure::new(FailureKind::Settings, problem.to_string());
        match all.last_mut() {
            Some((entry, Err(known))) if *entry == problem.entry => {
                known.hints.push(problem.to_string());
            }
            _ => all.push((problem.entry.clone(), Err(failure))),
        }
    }
    Ok(all)
}

/// All stacks, and the stores that no stack uses.
async fn everything(session: &mut Session) -> Result<Vec<Subject>, Stop> {
    let catalog = load(session).await?;
    let alone = |store: &&ArtifactStore| catalog.users_of_store(store.name.as_str()).is_empty();
    let stacks = catalog.stacks().iter().map(|stack| Subject::Stack(stack.name.to_string()));
    let stores = catalog.stores().iter().filter(alone);
    let stores = stores.map(|store| Subject::Store(store.name.to_string()));
    let all: Vec<Subject> = stacks.chain(stores).collect();
    if all.is_empty() {
        let shown = visible(&catalog.path().to_string_lossy()).into_string();
        let what =
            if catalog.exists() { "describes no stack and no store" } else { "is not there" };
        let failure = Failure::new(FailureKind::NotFound, format!("{shown} {what}"));
        return Err(failure.hint("name a stacks.toml as osstack writes it").into());
    }
    Ok(all)
}

async fn one(subject: Subject, besides: &Besides, session: &mut Session) -> Result<Report, Stop> {
    open_if_there_is_one(session).await?;
    let show = |output: &mut Output, progress: Progress| match progress {
        Progress::Found(finding) if !output.is_json() => {
            output.end_progress();
            show_finding(output, &finding)
        }
        Progress::Started(id) => {
            output.progress(&format!("… {}", title(id)));
            Ok(())
        }
        Progress::Found(_) => Ok(()),
    };
    let check = RunCheck { subject, besides: besides.clone() };
    let report = session.follow(check, show).await;
    session.output.end_progress();
    Ok(report??)
}

/// The end of a check, with the fixes that led there.
fn show(report: &Report, done: &[Value], session: &mut Session) -> Result<(), Stop> {
    let output = &mut session.output;
    if !output.is_json() {
        return show_summary(output, report);
    }
    let mut answer = report.to_json();
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("fixed".to_owned(), done.into());
    }
    output.json(&answer)
}

/// A store without any key is a finding, not a failure.
async fn open_if_there_is_one(session: &mut Session) -> Result<(), Stop> {
    use crate::keystore::State;
    if session.is_strangers() {
        return Ok(());
    }
    match session.world()?.keystore.status().state {
        State::Absent => Ok(()),
        _ => session.open_for_stores().await,
    }
}

fn title(id: &str) -> &str {
    CHECKS.iter().find(|check| check.id == id).map_or(id, |check| check.title)
}

fn show_finding(output: &mut Output, finding: &Finding) -> Result<(), Stop> {
    let (sign, paint) = match finding.state {
        State::Passed => ("✓", Paint::Good),
        State::Warned => ("!", Paint::Warn),
        State::Failed => ("✗", Paint::Bad),
        State::Skipped => ("·", Paint::Faint),
    };
    let sign = output.paint(paint, sign);
    let took = match finding.state {
        State::Skipped => String::new(),
        _ => format!("  {}", units::span(finding.took)),
    };
    output.line(&format!("{sign} {}{took}", title(finding.id)))?;
    if finding.state == State::Passed {
        return Ok(());
    }
    output.line(&format!("    {}", finding.summary))?;
    if finding.state == State::Skipped {
        return Ok(());
    }
    let said = finding.error.as_ref().and_then(server_line);
    let facts = finding.facts.iter().map(|(name, value)| format!("{name}: {value}"));
    let because = finding.because.clone();
    for line in because.into_iter().chain(said).chain(facts) {
        output.line(&format!("    {line}"))?;
    }
    if let Some(next) = &finding.next {
        output.line(&format!("    next: {next}"))?;
    }
    for (number, step) in finding.steps.iter().enumerate() {
        output.line(&format!("      {}. {step}", number + 1))?;
    }
    let mut fix = finding.fix.iter();
    fix.try_for_each(|fix| output.line(&format!("    --fix: {}", fix.summary())))
}

fn show_summary(output: &mut Output, report: &Report) -> Result<(), Stop> {
    let (passed, all) = (report.count(State::Passed), report.findings.len());
    let counts =
        [(State::Warned, "warned"), (State::Failed, "failed"), (State::Skipped, "skipped")];
    let others = counts.into_iter().filter_map(|(state, word)| match report.count(state) {
        0 => None,
        count => Some(format!(", {count} {word}")),
    });
    let others: String = others.collect();
    let took = units::span(report.took);
    let paint = match report.outcome {
        Outcome::Passed => Paint::Good,
        Outcome::Warned => Paint::Warn,
        Outcome::Failed | Outcome::Cancelled => Paint::Bad,
    };
    let outcome = output.paint(paint, report.outcome.as_str());
    let subject = &report.subject;
    output.line(&format!("{subject}: {outcome}; {passed} of {all} passed{others}; {took}"))?;
    let rights = report.rights();
    if !rights.is_empty() {
        let named = |grant| {
            let such = rights.iter().filter(|(_, seen)| **seen == grant);
            such.map(|(action, _)| action.as_str()).collect::<Vec<_>>().join(", ")
        };
        for grant in [Grant::Worked, Grant::Denied] {
            let named = named(grant);
            if !named.is_empty() {
                output.line(&format!("rights that {}: {named}", grant.as_words()))?;
            }
        }
    }
    if let Some(vantage) = &report.vantage {
        output.line(&format!("seen from {}", vantage.seen_from()))?;
        for open in vantage.does_not_prove() {
            output.line(&format!("not shown: {open}"))?;
        }
    }
    report.leftovers().iter().for_each(|leftovers| output.note(leftovers));
    Ok(())
}
