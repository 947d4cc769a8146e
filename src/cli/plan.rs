//! `osstack plan`.

use serde_json::{Map, Value, json};

use super::SCHEMA;
use super::args::Plan as PlanArgs;
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use crate::base::units;
use crate::base::visible::visible;
use crate::model::name::Name;
use crate::ops::commit_record::Progress;
use crate::ops::plan::{Against, Aim, CheckState, LivePlan, MakePlan, StackPlan};
use crate::zenml::changes::{Action, Change, FieldChange};
use crate::zenml::plan::Step;

/// What `--exit-code` answers where there are changes.
pub(super) const CHANGES: u8 = 2;

pub(super) async fn run(args: PlanArgs, session: &mut Session) -> Result<(), Stop> {
    let against =
        if args.offline || args.script { Against::Nothing } else { named(args.connection) };
    let aim = if args.delete { Aim::Absent } else { Aim::Present };
    let planned = make(MakePlan { stack: args.name.clone(), against, aim }, session).await?;
    let StackPlan { plan, commands, script, check, live, .. } = &planned;
    let output = &mut session.output;
    if let Some(warning) = &check.warning {
        output.note(warning);
    }
    if output.is_json() {
        let steps: Vec<Value> = plan.steps.iter().map(step_json).collect();
        let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
        output.json(&json!({
            "schema": SCHEMA,
            "stack": args.name,
            "steps": steps,
            "notes": live.as_ref().map_or(&plan.notes, |live| &live.changes.notes),
            "commands": commands,
            "check": check_json(check),
            "zenml": live.as_ref().map(live_json),
        }))?;
        return exit(args.exit_code, live.as_ref());
    }
    if args.script {
        return output.bytes(script.as_bytes());
    }
    let Some(live) = live else { return offline(&planned, output) };
    show(live, args.calls, output)?;
    let needed = live.changes.changes.iter().filter(|change| change.is_needed()).count();
    if needed > 0 && live.changes.blockers.is_empty() {
        let delete = if args.delete { " --delete" } else { "" };
        let adopt = live.changes.foreign().next().map_or("", |_| " --adopt");
        let count = units::counted(u64::try_from(needed).unwrap_or(u64::MAX), "change");
        output
            .line(&format!("{count}. To make them: osstack commit {}{delete}{adopt}", args.name))?;
    }
    exit(args.exit_code, Some(live))
}

/// The connection that was named.
pub(super) fn named(connection: Option<String>) -> Against {
    connection.map_or(Against::Usual, Against::Named)
}

/// Makes the plan, with the keystore open where there is one.
pub(super) async fn make(job: MakePlan, session: &mut Session) -> Result<StackPlan, Stop> {
    session.open_any_keystore().await?;
    Ok(*session.run(job).await??)
}

fn exit(wanted: bool, live: Option<&LivePlan>) -> Result<(), Stop> {
    let differs = live.is_some_and(|live| !live.changes.is_noop());
    if wanted && differs { Err(Stop::Code(CHANGES)) } else { Ok(()) }
}

/// The plan for a ZenML that has nothing of it.
fn offline(planned: &StackPlan, output: &mut Output) -> Result<(), Stop> {
    for step in &planned.plan.steps {
        let sign = output.paint(Paint::Good, "+");
        output.line(&format!("{sign} {} {}", step.subject(), step.name()))?;
        for (name, value) in step.fields() {
            output.line(&format!("    {} = {}", visible(&name), visible(&value)))?;
        }
    }
    for note in &planned.plan.notes {
        output.line(&format!("! {note}"))?;
    }
    output.line("This is for a ZenML that has none of it. As a shell script: add --script")
}

/// What differs in one ZenML.
pub(super) fn show(live: &LivePlan, calls: bool, output: &mut Output) -> Result<(), Stop> {
    let LivePlan { connection, server, changes, unfinished, now, .. } = live;
    output.line(&format!("In {connection} ({}):", server.title()))?;
    if let Some(commit) = unfinished {
        let age = (*now - commit.began).try_into().unwrap_or_default();
        output.line(&format!(
            "! A commit begun {} stopped in the middle: {}.",
            units::ago(age),
            commit.words()
        ))?;
    }
    for change in &changes.changes {
        let paint = match change.action {
            Action::Create => Paint::Good,
            Action::Update { .. } => Paint::Warn,
            Action::Delete { .. } => Paint::Bad,
            Action::Keep { .. } => Paint::Faint,
        };
        let sign = output.paint(paint, change.action.sign());
        let foreign =
            if change.is_foreign && change.is_needed() { " (not made by osstack)" } else { "" };
        output.line(&format!("{sign} {} {}{foreign}", change.step.subject(), change.title()))?;
        for field in change.changed_fields() {
            output.line(&format!("    {}", field_line(field)))?;
        }
        if calls {
            for line in calls_of(change) {
                output.line(&output.paint(Paint::Faint, &format!("    {line}")))?;
            }
        }
    }
    for note in &changes.notes {
        output.line(&format!("! {note}"))?;
    }
    if let Some(why) = &live.ends_soon {
        output.line(&format!("! {}", visible(why)))?;
    }
    for blocker in &changes.blockers {
        let sign = output.paint(Paint::Bad, "x");
        output.line(&format!("{sign} {blocker}"))?;
    }
    if changes.is_noop() {
        output.line("Nothing to do.")?;
    }
    Ok(())
}

fn field_line(field: &FieldChange) -> String {
    let name = visible(&field.name);
    let shown = |value: &Option<String>| value.as_deref().map(|value| visible(value).into_string());
    match (shown(&field.from), shown(&field.to)) {
        (None, Some(to)) => format!("{name}: {to}"),
        (Some(from), Some(to)) => format!("{name}: {from} -> {to}"),
        (Some(from), None) => format!("{name}: {from} -> (none)"),
        (None, None) => name.to_string(),
    }
}

fn calls_of(change: &Change) -> impl Iterator<Item = String> {
    let call = change.call().map(|call| visible(&call.to_string()).into_string());
    let commands: Vec<String> = change
        .commands()
        .iter()
        .map(|command| visible(&command.on_one_line()).into_string())
        .collect();
    call.into_iter().chain(commands)
}

fn check_json(check: &CheckState) -> Value {
    json!({
        "required": check.required,
        "verdict": check.verdict.as_str(),
        "warning": check.warning,
    })
}

/// The live part as JSON.
pub(super) fn live_json(live: &LivePlan) -> Value {
    let changes: Vec<Value> = live.changes.changes.iter().map(change_json).collect();
    json!({
        "connection": live.connection.as_str(),
        "server": {
            "name": live.server.name,
            "version": live.server.version.to_string(),
            "stand_in": live.server.is_stand_in,
        },
        "nothing_to_do": live.changes.is_noop(),
        "changes": changes,
        "blockers": live.changes.blockers,
        "key_ends_soon": live.ends_soon,
        "unfinished": live.unfinished.as_ref().map(|commit| json!({
            "began": super::rfc3339(commit.began),
            "steps": commit.touched().map(|step| json!({
                "key": step.key,
                "certain": step.progress == Progress::Done,
                "left": step.left,
            })).collect::<Vec<_>>(),
        })),
    })
}

fn change_json(change: &Change) -> Value {
    let fields: Vec<Value> = change
        .fields
        .iter()
        .map(|field| json!({ "name": field.name, "from": field.from, "to": field.to }))
        .collect();
    let commands: Vec<String> = change.commands().iter().map(ToString::to_string).collect();
    json!({
        "change": change.action.sign(),
        "kind": change.step.subject().replace(' ', "_"),
        "name": change.step.name().as_str(),
        "id": change.action.id(),
        "former_name": change.former_name,
        "made_by_osstack": !change.is_foreign,
        "fields": fields,
        "call": change.call().map(|call| json!({
            "method": call.method,
            "path": call.path,
            "body": call.body,
        })),
        "commands": commands,
    })
}

fn step_json(step: &Step) -> Value {
    let mut out = json!({
        "change": "+",
        "kind": step.subject().replace(' ', "_"),
        "name": step.name().as_str(),
    });
    let fields: Map<String, Value> = match step {
        Step::Secret { keys, .. } => [("values".to_owned(), json!(keys))].into_iter().collect(),
        Step::Component { flavor, configuration, .. } => [
            ("flavor".to_owned(), json!(flavor)),
            ("configuration".to_owned(), Value::Object(configuration.clone())),
        ]
        .into_iter()
        .collect(),
        Step::Stack { components, .. } => {
            let components: Map<String, Value> = components
                .iter()
                .map(|(kind, names)| {
                    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                    (kind.to_string(), json!(names))
                })
                .collect();
            [("components".to_owned(), Value::Object(components))].into_iter().collect()
        }
    };
    if let Some(out) = out.as_object_mut() {
        out.extend(fields);
    }
    out
}
