//! `osstack lint`.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::SCHEMA;
use super::args::Lint as LintArgs;
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use crate::base::visible::{visible, visible_text};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::lint::{Lint, Linted, Source, text_of};
use crate::zenml::lint::{Finding, MOST_BYTES, Severity};
use crate::zenml::python::{Environment, Interpreter};

pub(super) async fn run(args: LintArgs, session: &mut Session) -> Result<(), Stop> {
    let text = if args.file == Path::new("-") {
        from_stdin(&mut session.stdin)?
    } else {
        Source::File(args.file)
    };
    let python = args.python.as_deref().map(Interpreter::parse);
    let linted = session.run(Lint { text, python }).await??;
    let output = &mut session.output;
    if output.is_json() {
        output.json(&to_json(&linted))?;
    } else {
        show(output, &linted)?;
    }
    if linted.has_errors() { Err(Stop::Code(1)) } else { Ok(()) }
}

pub(super) fn from_stdin(stdin: &mut dyn Read) -> Result<Source, Stop> {
    let mut bytes = Zeroizing::new(Vec::new());
    let one_more = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let unreadable = |why: &str| {
        let failure = Failure::new(FailureKind::Usage, format!("cannot read stdin: {why}"));
        failure.hint("pipe the text in, or name a file")
    };
    let read = stdin.take(one_more).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&error.to_string()))?;
    let text = text_of(&bytes).ok_or_else(|| unreadable("it is no text (UTF-8)"))?;
    Ok(Source::Text(text))
}

fn show(output: &mut Output, linted: &Linted) -> Result<(), Stop> {
    for store in &linted.report.stores {
        let name = store.name.as_deref().unwrap_or("artifact store");
        let title = output.paint(Paint::Strong, name);
        output.line(&format!("{title}: {}", counts(&store.findings)))?;
        show_findings(output, &store.findings)?;
        if !store.commands.is_empty() {
            output.line("mend it:")?;
        }
        for command in &store.commands {
            output.line(visible_text(&command.to_string()).as_str())?;
        }
    }
    if let Some(judged) = &linted.environment {
        let title = output.paint(Paint::Strong, &judged.environment.place);
        output.line(&format!("{title}: {}", counts(&judged.findings)))?;
        output.line(&format!("    {}", versions(&judged.environment)))?;
        show_findings(output, &judged.findings)?;
    }
    Ok(())
}

fn show_findings(output: &mut Output, findings: &[Finding]) -> Result<(), Stop> {
    for finding in findings {
        let paint = match finding.severity {
            Severity::Note => Paint::Faint,
            Severity::Warning => Paint::Warn,
            Severity::Error => Paint::Bad,
        };
        let severity = output.paint(paint, &format!("{:7}", finding.severity));
        output.line(&format!("{severity} {} ({})", finding.id, finding.subject))?;
        output.line(&format!("    {}", finding.meaning))?;
        if let Some(corrected) = &finding.corrected {
            output.line(&format!("    better: {corrected}"))?;
        }
    }
    Ok(())
}

/// `2 errors, 1 note`.
fn counts(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|s| (count(s), s));
    let words: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() { "nothing is wrong".to_owned() } else { words.join(", ") }
}

/// `Python 3.11.7, zenml 0.98.0, …`.
fn versions(environment: &Environment) -> String {
    let python = environment.python.as_ref().map(|version| format!("Python {version}"));
    let packages = environment.packages.iter();
    let packages = packages.map(|(name, package)| format!("{} {}", visible(name), package.version));
    python.into_iter().chain(packages).collect::<Vec<_>>().join(", ")
}

fn to_json(linted: &Linted) -> Value {
    let stores: Vec<Value> = linted
        .report
        .stores
        .iter()
        .map(|store| {
            let commands: Vec<String> = store.commands.iter().map(ToString::to_string).collect();
            json!({
                "name": store.name,
                "findings": findings_json(&store.findings),
                "commands": commands,
            })
        })
        .collect();
    let environment = linted.environment.as_ref().map(|judged| {
        let packages = judged.environment.packages.iter();
        let packages: serde_json::Map<String, Value> =
            packages.map(|(name, package)| (name.clone(), json!(package.version))).collect();
        json!({
            "place": judged.environment.place,
            "python": judged.environment.python,
            "packages": packages,
            "findings": findings_json(&judged.findings),
        })
    });
    json!({
        "schema": SCHEMA,
        "form": linted.report.form.as_str(),
        "outcome": if linted.has_errors() { "failed" } else { "passed" },
        "stores": stores,
        "environment": environment,
    })
}

pub(super) fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let one = |finding: &Finding| {
        json!({
            "id": finding.id,
            "severity": finding.severity.as_str(),
            "subject": finding.subject,
            "meaning": finding.meaning,
            "corrected": finding.corrected,
        })
    };
    findings.iter().map(one).collect()
}
