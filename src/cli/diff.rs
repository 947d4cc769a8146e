//! `osstack diff`.

use serde_json::{Value, json};

use super::SCHEMA;
use super::args::Diff as DiffArgs;
use super::output::{Output, Paint};
use super::plan::{CHANGES, named};
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use super::zenml_import::{adoptee, say_adopted};
use crate::base::visible::visible;
use crate::ops::adopt::{AdoptFromZenml, Adoptee};
use crate::ops::diff::{BucketDiff, Diff, DiffStack, There, Thing};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::plan::no_connection;
use crate::ops::stores::LoadCatalog;

pub(super) async fn run(args: DiffArgs, session: &mut Session) -> Result<(), Stop> {
    session.open_any_keystore().await?;
    let DiffArgs { name, connection, exit_code, take_theirs, yes } = args;
    let against = named(connection);
    if let (Some(stack), Some(things)) = (&name, take_theirs) {
        let diff = session.run(DiffStack { stack: stack.clone(), against }).await??;
        return take(&diff, &things, yes, session).await;
    }
    let names = if let Some(name) = name {
        vec![name]
    } else {
        let catalog = session.run(LoadCatalog).await??;
        catalog.stacks().iter().map(|stack| stack.name.to_string()).collect()
    };
    let mut diffs = Vec::new();
    for stack in names {
        let diff = session.run(DiffStack { stack, against: against.clone() }).await??;
        if !session.output.is_json() {
            show(&diff, &mut session.output)?;
        }
        diffs.push(diff);
    }
    if session.output.is_json() {
        let stacks: Vec<Value> = diffs.iter().map(|diff| to_json(diff)).collect();
        session.output.json(&json!({ "schema": SCHEMA, "stacks": stacks }))?;
    } else if diffs.is_empty() {
        session.output.note("there is no stack in the catalog: osstack stack register NAME");
    }
    if exit_code && diffs.iter().any(|diff| diff.differs()) {
        Err(Stop::Code(CHANGES))
    } else {
        Ok(())
    }
}

fn show(diff: &Diff, output: &mut Output) -> Result<(), Stop> {
    let title = output.paint(Paint::Strong, &diff.stack);
    match &diff.zenml {
        Some((connection, server)) => {
            let there = server.title();
            output.line(&format!("{title}: the catalog beside {connection} ({there})"))?;
        }
        None => output.line(&format!(
            "{title}: no ZenML is known (osstack zenml login URL); the catalog beside the bucket"
        ))?,
    }
    let mut table = Table::new(&["", "FIELD", "CATALOG", "ZENML"]);
    for thing in &diff.things {
        let paint = match thing.there {
            There::Nothing => Paint::Good,
            There::Same => Paint::Faint,
            There::Differs => Paint::Warn,
        };
        let other = thing.other_name.as_deref().map(|name| format!(", there called {name}"));
        let foreign = if thing.is_foreign { ", not made by osstack" } else { "" };
        let state = format!("{}{}{foreign}", thing.there.as_str(), other.unwrap_or_default());
        table.row([Cell::own(key(thing)), Cell::outside(&state).paint(paint)]);
        for field in thing.fields.iter().filter(|_| thing.there == There::Differs) {
            table.row([
                Cell::default(),
                Cell::outside(&field.name),
                Cell::outside(field.to.as_deref().unwrap_or("-")),
                Cell::outside(field.from.as_deref().unwrap_or("-")),
            ]);
        }
    }
    if !diff.things.is_empty() {
        output.table(&table)?;
    }
    show_bucket(&diff.bucket, output)?;
    for note in &diff.notes {
        output.line(&format!("! {note}"))?;
    }
    if diff.differs_in_zenml() {
        let name = &diff.stack;
        output.line(&format!("To take yours: osstack commit {name}"))?;
        if diff.things.iter().any(|thing| thing.there == There::Differs) {
            output.line(&format!("To take theirs: osstack diff {name} --take-theirs"))?;
        }
    } else if !diff.things.is_empty() && !diff.differs() {
        output.line("Nothing differs.")?;
    }
    Ok(())
}

fn show_bucket(bucket: &BucketDiff, output: &mut Output) -> Result<(), Stop> {
    let BucketDiff { name, here, zenml, lies_in } = bucket;
    let (paint, said) = match lies_in {
        Ok(Some(region)) if bucket.differs() => {
            let word = |named: &Option<String>| named.clone().unwrap_or_else(|| "-".to_owned());
            let (here, zenml) = (word(here), word(zenml));
            (Paint::Bad, format!("lies in {region}; the catalog says {here}, ZenML {zenml}"))
        }
        Ok(Some(region)) => (Paint::Faint, format!("lies in {region}, as it is said")),
        Ok(None) => (Paint::Faint, "is there; where, OSS does not tell this key".to_owned()),
        Err(failure) => (Paint::Bad, format!("not known: {}", failure.summary)),
    };
    let said = output.paint(paint, &said);
    output.line(&format!("bucket/{name}  {said}"))
}

/// How the answer names a thing, and how it is named to take it.
fn key(thing: &Thing) -> String {
    let key = thing.step.key();
    let (kind, name) = key.split_once('/').unwrap_or(("", &key));
    format!("{}/{name}", kind.replace('_', "-"))
}

fn to_json(diff: &Diff) -> Value {
    let things: Vec<Value> = diff
        .things
        .iter()
        .map(|thing| {
            let fields: Vec<Value> = thing
                .fields
                .iter()
                .map(|it| json!({ "name": it.name, "catalog": it.to, "zenml": it.from }))
                .collect();
            json!({
                "thing": key(thing),
                "state": thing.there.as_str(),
                "name_in_zenml": thing.other_name,
                "made_by_osstack": !thing.is_foreign,
                "fields": fields,
            })
        })
        .collect();
    let zenml = diff.zenml.as_ref().map(|(connection, server)| {
        json!({
            "connection": connection.as_str(),
            "name": server.name,
            "version": server.version.to_string(),
            "stand_in": server.is_stand_in,
        })
    });
    let BucketDiff { name, here, zenml: there, lies_in } = &diff.bucket;
    json!({
        "stack": diff.stack,
        "differs": diff.differs(),
        "zenml": zenml,
        "things": things,
        "bucket": {
            "name": name,
            "region_in_catalog": here,
            "region_in_zenml": there,
            "region": lies_in.as_ref().ok(),
            "error": lies_in.as_ref().err().map(|failure| &failure.summary),
        },
        "notes": diff.notes,
    })
}

/// Takes what ZenML has over into the catalog.
async fn take(diff: &Diff, named: &[String], yes: bool, session: &mut Session) -> Result<(), Stop> {
    let Some((connection, _)) = &diff.zenml else {
        return Err(no_connection("take what it has").into());
    };
    for name in named {
        let known = diff.things.iter().any(|thing| key(thing) == *name);
        if !known {
            let all: Vec<String> = diff.things.iter().map(key).collect();
            let summary = format!("{} is nothing of the stack {}", visible(name), diff.stack);
            return Err(Failure::new(FailureKind::NotFound, summary)
                .hint(format!("it has: {}", all.join(", ")))
                .into());
        }
    }
    let all: Vec<&Thing> = diff
        .things
        .iter()
        .filter(|thing| named.is_empty() || named.contains(&key(thing)))
        .filter(|thing| thing.there == There::Differs)
        .collect();
    if all.is_empty() {
        let what = json!({ "stack": diff.stack, "taken": [] });
        return session.output.done("ZenML has nothing else: there is nothing to take", what);
    }
    let renamed = all.iter().find_map(|thing| Some((key(thing), thing.other_name.as_deref()?)));
    if let Some((key, there)) = renamed {
        let there = visible(there);
        let summary = format!("{key} is called {there} in ZenML, and a name is not taken over");
        let how = "give it that name here, or the other one back there: osstack commit";
        return Err(Failure::new(FailureKind::Conflict, summary).hint(how).into());
    }
    if !session.output.is_json() {
        show(diff, &mut session.output)?;
    }
    let catalog = session.run(LoadCatalog).await??;
    if let Some(stack) = catalog.stack(&diff.stack) {
        session.confirm_protected(stack, yes)?;
    }
    let question = format!("Take {} from {connection} over?", words(&all));
    if !yes && session.is_interactive() && !session.confirm(&question)? {
        return Err(Failure::new(FailureKind::Cancelled, "nothing was changed").into());
    }
    let what = all.iter().map(|thing| match adoptee(&thing.step.key())? {
        // the stack alone: what else of it is to be taken is named
        Adoptee::Stack(name) => Ok(Adoptee::StackAlone(name)),
        what => Ok(what),
    });
    let what = what.collect::<Result<Vec<_>, Failure>>()?;
    let connection = Some(connection.to_string());
    let job = AdoptFromZenml { connection, what, secret: None, overwrite: true };
    let taken = session.run(job).await??;
    say_adopted(&taken, session)
}

fn words(things: &[&Thing]) -> String {
    things.iter().map(|thing| key(thing)).collect::<Vec<_>>().join(", ")
}
