//! `osstack run …`

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::args::artifacts::Run as Verb;
use super::artifact::version_json;
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use super::store::load;
use super::table::{Cell, Table};
use super::{SCHEMA, rfc3339};
use crate::base::units;
use crate::base::visible::{visible, visible_text};
use crate::keystore::State;
use crate::model::preview::Level;
use crate::ops::artifacts::Located;
use crate::ops::runs::{ListRuns, ListedRuns, LogPart, ReadRunLogs, RunDetail, ShowRun};
use crate::zenml::artifacts::{Run, Standing, Status, Step};

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::List { pipeline, limit, zenml } => {
            open(session).await?;
            let connection = zenml.connection;
            let listed = session.run(ListRuns { connection, pipeline, limit }).await??;
            list(&listed, session)
        }
        Verb::Describe { run, zenml } => {
            open(session).await?;
            let connection = zenml.connection;
            let detail = session.run(ShowRun { connection, run }).await??;
            describe(detail, session).await
        }
        Verb::Logs { run, step, level, zenml } => {
            open(session).await?;
            let least = level.map(Level::from);
            let connection = zenml.connection;
            let logs = ReadRunLogs { connection, run, step, least };
            let mut titled = None;
            let show = |output: &mut Output, part: LogPart| show_log(output, &part, &mut titled);
            session.follow(logs, show).await??;
            Ok(())
        }
    }
}

/// Opens the keystore, where there is one: what signs in lies there.
pub(super) async fn open(session: &mut Session) -> Result<(), Stop> {
    if session.world()?.keystore.status().state == State::Absent {
        return Ok(());
    }
    session.open_keystore().await
}

pub(super) fn paint(status: &Status) -> Paint {
    match status.standing() {
        Standing::Good => Paint::Good,
        Standing::Bad => Paint::Bad,
        Standing::Open => Paint::Strong,
        Standing::Stopped => Paint::Warn,
    }
}

/// How long ago, at `now`; a clock that is behind the server's says just now.
pub(super) fn ago(time: Option<OffsetDateTime>, now: OffsetDateTime) -> String {
    let age = time.map(|time| Duration::try_from(now - time).unwrap_or_default());
    age.map_or_else(|| "-".to_owned(), units::ago)
}

fn list(listed: &ListedRuns, session: &mut Session) -> Result<(), Stop> {
    let ListedRuns { runs, now } = listed;
    let output = &mut session.output;
    if output.is_json() {
        let runs: Vec<Value> = runs.iter().map(run_json).collect();
        return output.json(&json!({ "schema": SCHEMA, "runs": runs }));
    }
    if runs.is_empty() {
        output.note("no runs yet: the first shows once a pipeline ran");
        return Ok(());
    }
    let mut table = Table::new(&["STATUS", "PIPELINE", "NAME", "STARTED", "STACK"]);
    for run in runs {
        table.row([
            Cell::outside(run.status.as_str()).paint(paint(&run.status)),
            Cell::outside(run.pipeline.as_deref().unwrap_or("-")),
            Cell::outside(&run.name),
            Cell::own(ago(run.created, *now)),
            Cell::outside(run.stack.as_deref().unwrap_or("-")),
        ]);
    }
    output.table(&table)
}

async fn describe(detail: RunDetail, session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let RunDetail { run, steps } = detail;
    let located = |step: &Step| -> [Vec<(String, Located)>; 2] {
        [&step.inputs, &step.outputs].map(|versions| {
            let of = |(name, one): &(String, _)| (name.clone(), Located::of(one, &catalog));
            versions.iter().map(of).collect()
        })
    };
    let steps: Vec<_> = steps.iter().map(|step| (step, located(step))).collect();
    let output = &mut session.output;
    if output.is_json() {
        let mut answer = run_json(&run);
        let steps: Vec<Value> = steps
            .iter()
            .map(|(step, [inputs, outputs])| {
                let named = |versions: &[(String, Located)]| -> Vec<Value> {
                    versions.iter().map(|(name, one)| named_json(name, one)).collect()
                };
                let mut json = step_json(step);
                if let Some(json) = json.as_object_mut() {
                    json.insert("inputs".into(), named(inputs).into());
                    json.insert("outputs".into(), named(outputs).into());
                }
                json
            })
            .collect();
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("steps".into(), steps.into());
        }
        return output.done("", answer);
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: &str| {
        table.row([Cell::own(name).paint(Paint::Strong), Cell::outside(value)]);
    };
    row("name", &run.name);
    row("id", &run.id);
    row("pipeline", run.pipeline.as_deref().unwrap_or("-"));
    row("status", run.status.as_str());
    if let Some(reason) = &run.reason {
        row("reason", reason);
    }
    row("stack", run.stack.as_deref().unwrap_or("-"));
    row("started by", run.user.as_deref().unwrap_or("-"));
    if let Some(began) = run.started.or(run.created) {
        row("began", &rfc3339(began));
        if let Some(took) = run.ended.and_then(|ended| Duration::try_from(ended - began).ok()) {
            row("took", &units::span(took));
        }
    }
    output.table(&table)?;
    for (step, [inputs, outputs]) in &steps {
        output.line("")?;
        let name = output.paint(Paint::Strong, visible(&step.name).as_str());
        let status = output.paint(paint(&step.status), visible(step.status.as_str()).as_str());
        output.line(&format!("{name}  {status}"))?;
        let mut table = Table::default();
        for (word, versions) in [("in", inputs), ("out", outputs)] {
            for (name, one) in versions {
                let place = one.location.as_deref().unwrap_or(&one.version.uri);
                table.row([
                    Cell::own(format!("  {word}")).paint(Paint::Faint),
                    Cell::outside(name),
                    Cell::outside(&one.version.label()),
                    Cell::number(one.version.size.map_or_else(|| "-".to_owned(), units::bytes)),
                    Cell::outside(place),
                ]);
            }
        }
        output.table(&table)?;
    }
    Ok(())
}

fn named_json(name: &str, located: &Located) -> Value {
    let mut json = version_json(located);
    if let Some(json) = json.as_object_mut() {
        json.insert("output".into(), name.into());
    }
    json
}

/// A run as scripts read it.
pub(super) fn run_json(run: &Run) -> Value {
    let time = |time: Option<OffsetDateTime>| time.map(rfc3339);
    json!({
        "id": run.id,
        "name": run.name,
        "pipeline": run.pipeline,
        "status": run.status.as_str(),
        "status_reason": run.reason,
        "created": time(run.created),
        "started": time(run.started),
        "ended": time(run.ended),
        "stack": run.stack,
        "user": run.user,
        "tags": run.tags,
    })
}

/// A step as scripts read it, without what it read and wrote.
pub(super) fn step_json(step: &Step) -> Value {
    let time = |time: Option<OffsetDateTime>| time.map(rfc3339);
    json!({
        "id": step.id,
        "name": step.name,
        "status": step.status.as_str(),
        "run": step.run,
        "started": time(step.started),
        "ended": time(step.ended),
    })
}

/// Messages under a title that says whose they are, said anew where that changes.
fn show_log(
    output: &mut Output,
    part: &LogPart,
    last: &mut Option<(Option<String>, String)>,
) -> Result<(), Stop> {
    let LogPart { step, source, lines } = part;
    for line in lines.iter().filter(|_| output.is_json()).cloned().collect::<Vec<_>>() {
        output.json(&json!({
            "step": step,
            "source": source,
            "level": line.level.map(Level::as_str),
            "timestamp": line.time.map(rfc3339),
            "message": line.message,
        }))?;
    }
    if output.is_json() {
        return output.flush();
    }
    let owner = (step.clone(), source.clone());
    if last.as_ref() != Some(&owner) {
        let title = match step {
            Some(step) => format!("== {} ({}) ==", visible(step), visible(source)),
            None => format!("== run ({}) ==", visible(source)),
        };
        let title = output.paint(Paint::Strong, &title);
        output.line(&title)?;
        *last = Some(owner);
    }
    for line in lines {
        let time = line.time.map(rfc3339).unwrap_or_default();
        let level = line.level.map(Level::as_str).unwrap_or_default();
        let paint = match line.level {
            Some(Level::Error | Level::Critical) => Paint::Bad,
            Some(Level::Warning) => Paint::Warn,
            _ => Paint::Faint,
        };
        let level = output.paint(paint, &format!("{level:5}"));
        output.line(&format!("{time:20}  {level}  {}", visible_text(&line.message)))?;
    }
    output.flush()
}
