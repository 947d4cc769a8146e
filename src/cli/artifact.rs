//! `osstack artifact …`

use std::ffi::OsStr;

use serde_json::{Value, json};

use super::args::artifacts::Artifact as Verb;
use super::output::{Output, Paint};
use super::prune;
use super::run::{ago, open, run_json, step_json};
use super::session::{Session, Stop};
use super::store::load;
use super::table::{Cell, Table};
use super::{SCHEMA, rfc3339};
use crate::base::units;
use crate::base::visible::visible;
use crate::model::store::ArtifactStore;
use crate::ops::artifacts::census::TakeCensus;
use crate::ops::artifacts::{
    ArtifactDetail, DescribeArtifact, File, ListArtifacts, Located, Which,
};
use crate::ops::location::Location;
use crate::ops::world::store_of;
use crate::zenml::artifacts::census::{Orphan, Tally};
use crate::zenml::artifacts::{ArtifactVersion, Step};

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::List { store, name, limit, zenml } => {
            open(session).await?;
            let job = ListArtifacts { connection: zenml.connection, store, name, limit };
            let listed = session.run(job).await??;
            list(&listed, session)
        }
        Verb::Describe { artifact, zenml } => {
            open(session).await?;
            let place = session.location(OsStr::new(&artifact)).await?;
            let which = Which::parse(&artifact, place, &load(session).await?);
            let job = DescribeArtifact { connection: zenml.connection, which };
            let detail = session.run(job).await??;
            describe(&detail, &mut session.output)
        }
        Verb::Orphans { store, zenml } => orphans(store, zenml.connection, session).await,
        Verb::Missing { store, zenml } => missing(store, zenml.connection, session).await,
        Verb::Prune(args) => prune::run(args, session).await,
    }
}

/// A version as scripts read it.
pub(super) fn version_json(located: &Located) -> Value {
    let Located { version, location } = located;
    json!({
        "id": version.id,
        "name": version.artifact,
        "version": version.version,
        "type": version.kind,
        "uri": version.uri,
        "location": location,
        "size": version.size,
        "created": version.created.map(rfc3339),
        "data_type": version.data_type,
        "materializer": version.materializer,
        "save_type": version.save_type,
        "tags": version.tags,
        "step": version.step,
        "run": version.run,
        "artifact_store_id": version.store,
    })
}

fn bytes(size: Option<u64>) -> String {
    size.map_or_else(|| "-".to_owned(), units::bytes)
}

fn list(listed: &[Located], session: &mut Session) -> Result<(), Stop> {
    let now = session.machine.clock.now();
    let output = &mut session.output;
    if output.is_json() {
        let versions: Vec<Value> = listed.iter().map(version_json).collect();
        return output.json(&json!({ "schema": SCHEMA, "artifact_versions": versions }));
    }
    if listed.is_empty() {
        output.note("ZenML has no such artifact version in this project");
        return Ok(());
    }
    let mut table = Table::new(&["ARTIFACT", "TYPE", "SIZE", "WRITTEN", "WHERE"]);
    for one in listed {
        let Located { version, location } = one;
        table.row([
            Cell::outside(&version.label()),
            Cell::outside(version.kind.strip_suffix("Artifact").unwrap_or(&version.kind)),
            Cell::number(bytes(version.size)),
            Cell::own(ago(version.created, now)),
            Cell::outside(location.as_deref().unwrap_or(&version.uri)),
        ]);
    }
    output.table(&table)
}

fn describe(detail: &ArtifactDetail, output: &mut Output) -> Result<(), Stop> {
    let ArtifactDetail { located, lineage, files, .. } = detail;
    if output.is_json() {
        return output.done("", describe_json(detail));
    }
    let Located { version, location } = located;
    let mut table = Table::default();
    let mut row = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            table.row([Cell::own(name).paint(Paint::Strong), Cell::outside(value)]);
        }
    };
    let size = version.size.map(units::bytes);
    let written = version.created.map(rfc3339);
    let tags = (!version.tags.is_empty()).then(|| version.tags.join(", "));
    row("artifact", Some(&version.label()));
    row("id", Some(&version.id));
    row("uri", Some(&version.uri));
    row("location", location.as_deref());
    row("type", Some(&version.kind));
    row("data type", version.data_type.as_deref());
    row("materializer", version.materializer.as_deref());
    row("size", size.as_deref());
    row("written", written.as_deref());
    row("save type", Some(&version.save_type));
    row("tags", tags.as_deref());
    let run = lineage.run.as_ref();
    row("run", run.map(|run| run.name.as_str()).or(version.run.as_deref()));
    row("pipeline", run.and_then(|run| run.pipeline.as_deref()));
    row("stack", run.and_then(|run| run.stack.as_deref()));
    row("step", lineage.producer.as_ref().map(|step| step.name.as_str()));
    output.table(&table)?;
    let title = |output: &mut Output, text: &str| {
        let text = output.paint(Paint::Strong, text);
        output.line("").and_then(|()| output.line(&text))
    };
    if !lineage.inputs().is_empty() {
        title(output, "made of")?;
        output.table(&around(lineage.inputs(), detail))?;
    }
    if !lineage.consumers.is_empty() || lineage.is_cut {
        title(output, "read by")?;
        for step in &lineage.consumers {
            let run = step.run.as_deref().unwrap_or("-");
            output.line(&format!("  {}  in run {}", visible(&step.name), visible(run)))?;
            output.table(&around(&step.outputs, detail))?;
        }
        if lineage.is_cut {
            output.note(
                "there are more steps since then than were looked at: later ones may read it",
            );
        }
    }
    title(output, "files")?;
    if let Some(failure) = &files.unread {
        output.note(&format!("the files could not be listed: {failure}"));
    }
    let mut table = Table::default();
    for File { key, size, .. } in &files.files {
        table.row([Cell::number(format!("  {}", units::bytes(*size))), Cell::outside(key)]);
    }
    if files.files.is_empty() && files.unread.is_none() {
        let none = match detail.place {
            Some(_) => "  none: the data is gone from the store",
            None => "  not known: no store of the catalog reaches them",
        };
        output.line(none)?;
    }
    output.table(&table)?;
    if files.is_cut {
        output.note("there are more: osstack ls shows all");
    }
    Ok(())
}

fn around(versions: &[(String, ArtifactVersion)], detail: &ArtifactDetail) -> Table {
    let mut table = Table::default();
    for (name, version) in versions {
        table.row([
            Cell::own("   "),
            Cell::outside(name),
            Cell::outside(&version.label()),
            Cell::outside(detail.place_around(version)),
        ]);
    }
    table
}

fn describe_json(detail: &ArtifactDetail) -> Value {
    let ArtifactDetail { located, lineage, files, .. } = detail;
    let versions = |versions: &[(String, ArtifactVersion)]| -> Vec<Value> {
        let one = |(name, version): &(String, ArtifactVersion)| {
            json!({
                "name": name,
                "id": version.id,
                "artifact": version.artifact,
                "version": version.version,
                "uri": version.uri,
                "location": detail.location_around(version),
            })
        };
        versions.iter().map(one).collect()
    };
    let with_outputs = |step: &Step| {
        let mut json = step_json(step);
        if let Some(json) = json.as_object_mut() {
            json.insert("outputs".into(), versions(&step.outputs).into());
        }
        json
    };
    let visualizations: Vec<Value> = located
        .version
        .visualizations
        .iter()
        .map(|one| json!({ "type": one.kind, "uri": one.uri }))
        .collect();
    let list: Vec<Value> =
        files.files.iter().map(|file| json!({ "key": file.key, "size": file.size })).collect();
    let mut answer = version_json(located);
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("metadata".into(), Value::Object(located.version.metadata.clone()));
        answer.insert("visualizations".into(), visualizations.into());
        let run = lineage.run.as_ref().map(run_json);
        answer.insert("run_detail".into(), json!(run));
        let step = lineage.producer.as_ref().map(step_json);
        answer.insert("step_detail".into(), json!(step));
        answer.insert("made_of".into(), versions(lineage.inputs()).into());
        let readers: Vec<Value> = lineage.consumers.iter().map(with_outputs).collect();
        answer.insert("read_by".into(), readers.into());
        answer.insert("read_by_is_cut".into(), lineage.is_cut.into());
        answer.insert("files".into(), list.into());
        answer.insert("files_are_cut".into(), files.is_cut.into());
        let unread = files.unread.as_ref().map(ToString::to_string);
        answer.insert("files_unread".into(), json!(unread));
    }
    answer
}

pub(super) fn tally(tally: Tally) -> String {
    format!("{}  {}", units::bytes(tally.bytes), units::counted(tally.objects, "object"))
}

pub(super) fn tally_json(tally: Tally) -> Value {
    json!({ "objects": tally.objects, "bytes": tally.bytes })
}

/// One orphan, as it is found.
pub(super) fn show_orphan(
    output: &mut Output,
    orphan: &Orphan,
    store: &ArtifactStore,
) -> Result<(), Stop> {
    let location = Location::of(store, &format!("{}/", orphan.key)).to_string();
    if output.is_json() {
        let newest = time::OffsetDateTime::from_unix_timestamp(orphan.newest).map(rfc3339);
        return output.json(&json!({
            "type": "orphan",
            "key": orphan.key,
            "location": location,
            "objects": orphan.tally.objects,
            "bytes": orphan.tally.bytes,
            "newest": newest.ok(),
        }));
    }
    let bytes = units::bytes(orphan.tally.bytes);
    let objects = units::counted(orphan.tally.objects, "object");
    output.line(&format!("{bytes:>10}  {objects:>12}  {}", visible(&location)))
}

async fn orphans(
    name: String,
    connection: Option<String>,
    session: &mut Session,
) -> Result<(), Stop> {
    let store = store_of(&load(session).await?, &name)?.clone();
    session.open_keystore().await?;
    let show = |output: &mut Output, orphan: Orphan| {
        show_orphan(output, &orphan, &store)?;
        output.flush()
    };
    let counted = session.follow(TakeCensus { connection, store: name }, show).await??;
    let summary = counted.summary;
    let output = &mut session.output;
    if output.is_json() {
        return output.done(
            "",
            json!({
                "type": "summary",
                "orphan_folders": summary.orphan_folders,
                "orphans": tally_json(summary.orphans),
                "artifacts": tally_json(summary.artifacts),
                "young": tally_json(summary.young),
                "logs": tally_json(summary.logs),
                "code": tally_json(summary.code),
                "other": tally_json(summary.other),
                "artifact_versions": counted.versions,
            }),
        );
    }
    output.note(&format!(
        "{} of data that no artifact version names: {}",
        units::counted(summary.orphan_folders, "folder"),
        tally(summary.orphans)
    ));
    for (what, number) in [
        ("belongs to artifact versions", summary.artifacts),
        ("is younger than an hour, and may still be registered", summary.young),
        ("is logs", summary.logs),
        ("is code", summary.code),
        ("is nothing that ZenML writes by itself", summary.other),
    ] {
        if number.objects > 0 {
            output.note(&format!("  {}  {what}", tally(number)));
        }
    }
    if summary.orphan_folders > 0 {
        output.note(
            "another ZenML that writes to this path would have its data shown here as well; to \
             delete: osstack artifact prune --store STORE --orphans",
        );
    }
    Ok(())
}

async fn missing(
    name: String,
    connection: Option<String>,
    session: &mut Session,
) -> Result<(), Stop> {
    let store = store_of(&load(session).await?, &name)?.clone();
    session.open_keystore().await?;
    let counted = session.run(TakeCensus { connection, store: name }).await??;
    let located: Vec<Located> = counted
        .missing
        .into_iter()
        .map(|version| {
            let key = crate::zenml::artifacts::below::key_in(&version.uri, store.bucket.as_str());
            let location = key.map(|key| Location::of(&store, key).to_string());
            Located { version, location }
        })
        .collect();
    if !session.output.is_json() && located.is_empty() {
        let all = units::counted(counted.versions, "artifact version");
        return session.output.line(&format!("none is missing: {all} with data"));
    }
    list(&located, session)
}
