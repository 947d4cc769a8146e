//! `osstack explain`: works without network, keys or files.

use serde_json::{Value, json};

use super::SCHEMA;
use super::args::Explain;
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};
use crate::oss::error::explain::{self, Entry};

pub(super) fn run(args: Explain, session: &mut Session) -> Result<(), Stop> {
    let output = &mut session.output;
    let Some(code) = args.code else { return all(output) };
    let entry = explain::lookup(&code).ok_or_else(|| unknown(&code))?;
    if output.is_json() {
        return output.json(&entry_json(entry));
    }
    let named = entry.code.as_ref().map(|code| format!("{code}, ")).unwrap_or_default();
    output.line(&format!(
        "{}  {named}status {}",
        output.paint(Paint::Strong, &entry.id),
        entry.status
    ))?;
    let page = entry.page();
    let mut table = Table::default();
    let lines = [
        ("means", Some(&entry.meaning)),
        ("cause", Some(&entry.cause)),
        ("next", Some(&entry.next)),
        ("source", Some(&entry.source)),
        ("page", page.as_ref()),
    ];
    for (name, text) in lines {
        if let Some(text) = text {
            table.row([Cell::own(format!("  {name}")), Cell::own(text)]);
        }
    }
    output.table(&table)?;
    let ecs: Vec<&Entry> = explain::ecs_of(&entry.id).collect();
    if ecs.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.line("The EC beside it says more:")?;
    let mut table = Table::default();
    for ec in ecs {
        table.row([Cell::own(format!("  {}", ec.id)), Cell::own(&ec.meaning)]);
    }
    output.table(&table)
}

fn all(output: &mut Output) -> Result<(), Stop> {
    if output.is_json() {
        let entries: Vec<Value> = explain::all().iter().map(fields).collect();
        return output.json(&json!({ "schema": SCHEMA, "entries": entries }));
    }
    let mut table = Table::new(&["EC OR CODE", "KIND", "MEANS"]);
    for entry in explain::all() {
        let cells = [&entry.id, entry.kind.as_str(), &entry.meaning];
        table.row(cells.map(Cell::own));
    }
    output.table(&table)
}

fn entry_json(entry: &Entry) -> Value {
    let mut answer = json!({ "schema": SCHEMA });
    if let (Some(answer), Value::Object(fields)) = (answer.as_object_mut(), fields(entry)) {
        answer.extend(fields);
    }
    answer
}

fn fields(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "code": entry.code,
        "status": entry.status,
        "kind": entry.kind.as_str(),
        "meaning": entry.meaning,
        "cause": entry.cause,
        "next": entry.next,
        "source": entry.source,
        "page": entry.page(),
    })
}

fn unknown(code: &str) -> Failure {
    let summary = format!("'{}' is no EC or Code that osstack knows", visible(code));
    let failure = Failure::new(FailureKind::NotFound, summary);
    match explain::nearest(code) {
        Some(near) => failure.hint(format!("did you mean {}? osstack explain {}", near.id, near.id)),
        None => failure.hint("osstack explain lists them all; OSS's own pages take any EC: https://api.alibabacloud.com/troubleshoot"),
    }
}
