//! `osstack check`.

use super::args::Check;
use super::output::{Output, Paint, server_line};
use super::session::{Session, Stop};
use super::store::load;
use crate::base::units;
use crate::doctor::{CHECKS, Outcome, Progress, Report};
use crate::model::finding::{Finding, State};
use crate::ops::check::{RunCheck, Subject};
use crate::ops::failure::{Failure, FailureKind};

pub(super) async fn run(check: Check, session: &mut Session) -> Result<(), Stop> {
    let stores = match check.name {
        Some(name) => {
            let report = one(Subject::parse(&name), session).await?;
            return answer(passed(&report));
        }
        None => every_store(session).await?,
    };
    let mut all_passed = true;
    for (nth, store) in stores.into_iter().enumerate() {
        if !session.output.is_json() {
            let heading = session.output.paint(Paint::Strong, &format!("store/{store}"));
            let gap = if nth == 0 { "" } else { "\n" };
            session.output.line(&format!("{gap}{heading}"))?;
        }
        all_passed &= passed(&one(Subject::Store(store), session).await?);
    }
    answer(all_passed)
}

fn passed(report: &Report) -> bool {
    matches!(report.outcome, Outcome::Passed | Outcome::Warned)
}

fn answer(passed: bool) -> Result<(), Stop> {
    if passed { Ok(()) } else { Err(Stop::Code(1)) }
}

/// The names of all stores.
async fn every_store(session: &mut Session) -> Result<Vec<String>, Stop> {
    let catalog = load(session).await?;
    if catalog.stores().is_empty() {
        let failure = Failure::new(FailureKind::NotFound, "the catalog has no artifact store yet");
        return Err(failure.hint("register one: osstack artifact-store register").into());
    }
    Ok(catalog.stores().iter().map(|store| store.name.to_string()).collect())
}

async fn one(subject: Subject, session: &mut Session) -> Result<Report, Stop> {
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
    let report = session.follow(RunCheck { subject }, show).await;
    session.output.end_progress();
    let report = report??;
    let output = &mut session.output;
    if output.is_json() {
        output.json(&report.to_json())?;
    } else {
        show_summary(output, &report)?;
    }
    Ok(report)
}

/// A store without any key is a finding, not a failure.
async fn open_if_there_is_one(session: &mut Session) -> Result<(), Stop> {
    use crate::keystore::State;
    match session.world()?.keystore.status().state {
        State::Absent => Ok(()),
        _ => session.open_keystore().await,
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
    finding.next.iter().try_for_each(|next| output.line(&format!("    next: {next}")))
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
    if let Some(vantage) = report.vantage.as_ref().filter(|vantage| vantage.differs()) {
        let zenml = vantage.zenml_endpoint.as_deref().unwrap_or("nothing yet");
        output.line(&format!("checked by {}; ZenML is given {zenml}", vantage.endpoint))?;
    }
    report.leftovers().iter().for_each(|leftovers| output.note(leftovers));
    Ok(())
}
