//! `osstack plan`.

use serde_json::{Map, Value, json};

use super::SCHEMA;
use super::args::Plan as PlanArgs;
use super::output::Paint;
use super::session::{Session, Stop};
use crate::base::visible::visible;
use crate::keystore::State;
use crate::model::name::Name;
use crate::ops::plan::{MakePlan, StackPlan};
use crate::zenml::plan::Step;

pub(super) async fn run(args: PlanArgs, session: &mut Session) -> Result<(), Stop> {
    if session.world()?.keystore.status().state != State::Absent {
        session.open_keystore().await?;
    }
    let StackPlan { plan, commands, script, check } =
        session.run(MakePlan { stack: args.name.clone() }).await??;
    let output = &mut session.output;
    if let Some(warning) = &check.warning {
        output.note(warning);
    }
    if output.is_json() {
        let steps: Vec<Value> = plan.steps.iter().map(step_json).collect();
        let commands: Vec<String> = commands.iter().map(ToString::to_string).collect();
        return output.json(&json!({
            "schema": SCHEMA,
            "stack": args.name,
            "steps": steps,
            "notes": plan.notes,
            "commands": commands,
            "check": {
                "required": check.required,
                "verdict": check.verdict.as_str(),
                "warning": check.warning,
            },
        }));
    }
    if args.script {
        return output.bytes(script.as_bytes());
    }
    for step in &plan.steps {
        let sign = output.paint(Paint::Good, "+");
        output.line(&format!("{sign} {} {}", step.subject(), step.name()))?;
        for (name, value) in step.fields() {
            output.line(&format!("    {} = {}", visible(&name), visible(&value)))?;
        }
    }
    for note in &plan.notes {
        output.line(&format!("! {note}"))?;
    }
    output.line("This is for a ZenML that has none of it. As a shell script: add --script")
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
