//! Runs of pipelines, as a server tells of them, and their logs, which lie on the store.

use std::sync::Arc;

use serde_json::Value;
use time::OffsetDateTime;

use super::failure::{Failure, FailureKind};
use super::keystore::UnlockKeystore;
use super::location::Location;
use super::objects::until_cancelled;
use super::world::World;
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::keystore::State;
use crate::model::preview::Level;
use crate::oss;
use crate::zenml::artifacts::read::{self, readable};
use crate::zenml::artifacts::{ArtifactVersion, LogFile, Run, Step};
use crate::zenml::log::{LogLine, LogReader};
use crate::zenml::rest;

/// Newest first: what every list of runs and versions is asked for.
pub(super) const NEWEST: (&str, &str) = ("sort_by", "desc:created");
/// Things asked for at once where not all are wanted.
pub(super) const PAGE: u32 = 500;

/// `query` in the connection's project; in the server's default one where it names none.
pub(super) fn in_project<'a>(
    client: &'a rest::Client,
    query: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let project = client.project().map(|project| ("project", project));
    project.into_iter().chain(query.iter().copied()).collect()
}

/// Whether `text` is an id, as the server's paths take it; everything else is a name.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The newest runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRuns {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// Of this pipeline alone.
    pub pipeline: Option<String>,
    /// So many at the most.
    pub limit: usize,
}

impl Job<World> for ListRuns {
    type Item = Nothing;
    type Out = Result<ListedRuns, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let client = context.world.zenml(self.connection.as_deref()).await?;
        let listed = newest_runs(&client, self.pipeline.as_deref(), self.limit);
        let runs = until_cancelled(&context, listed).await??;
        Ok(ListedRuns { runs, now: context.world.clock.now() })
    }
}

/// Whether there is a run at all, to be known at the start without asking anybody for anything: a
/// keystore that needs a passphrase stays shut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeekLastRun {
    /// Which `ZenML`.
    pub connection: String,
}

impl Job<World> for SeekLastRun {
    type Item = Nothing;
    type Out = Result<bool, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        if world.keystore.state() == State::Locked {
            UnlockKeystore::Unasked.run(Context::alone(Arc::clone(world))).await?;
        }
        let client = world.zenml(Some(&self.connection)).await?;
        let newest = until_cancelled(&context, newest_runs(&client, None, 1)).await??;
        Ok(!newest.is_empty())
    }
}

/// Runs, and the time their ages are counted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRuns {
    /// The newest first.
    pub runs: Vec<Run>,
    /// When they were listed.
    pub now: OffsetDateTime,
}

/// The newest `limit` runs, of `pipeline` where one is named.
pub(in crate::ops) async fn newest_runs(
    client: &rest::Client,
    pipeline: Option<&str>,
    limit: usize,
) -> Result<Vec<Run>, Failure> {
    let named = pipeline.map(|name| format!("equals:{name}"));
    let mut query = in_project(client, &[NEWEST]);
    query.extend(named.as_deref().map(|name| ("pipeline_name", name)));
    let size = PAGE.min(u32::try_from(limit).unwrap_or(PAGE)).max(1);
    let mut runs = Vec::new();
    let mut number = 1;
    while runs.len() < limit {
        let page = client.page("/runs", &query, number, size).await?;
        let is_last = page.items.is_empty() || number >= page.total_pages;
        let found = readable(&page.items, read::run).items.into_iter();
        // a filter that a server does not know is ignored there without a word
        runs.extend(found.filter(|run| pipeline.is_none() || run.pipeline.as_deref() == pipeline));
        if is_last {
            break;
        }
        number += 1;
    }
    runs.truncate(limit);
    Ok(runs)
}

/// One run with its steps, and what they read and wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowRun {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// Id or name; the newest run where none is given.
    pub run: Option<String>,
}

/// A run whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunDetail {
    /// It.
    pub run: Run,
    /// Its steps, as they began.
    pub steps: Vec<Step>,
}

impl Job<World> for ShowRun {
    type Item = Nothing;
    type Out = Result<RunDetail, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let client = context.world.zenml(self.connection.as_deref()).await?;
        until_cancelled(&context, detail(&client, self.run.as_deref())).await?
    }
}

async fn detail(client: &rest::Client, which: Option<&str>) -> Result<RunDetail, Failure> {
    let run = find_run(client, which).await?;
    let of_run = [("pipeline_run_id", run.id.as_str()), ("sort_by", "asc:created")];
    let steps = client.list("/steps", &in_project(client, &of_run)).await?;
    let mut steps = readable(&steps, read::step).items;
    // steps tell of their outputs without sizes; this tells of all of them at once
    let whole = [("pipeline_run", run.id.as_str()), ("hydrate", "true")];
    let whole = client.list("/artifact_versions", &in_project(client, &whole)).await?;
    let whole = readable(&whole, read::artifact_version).items;
    for step in &mut steps {
        step.run = Some(run.id.clone());
        for (_, version) in step.inputs.iter_mut().chain(&mut step.outputs) {
            if let Some(known) = whole.iter().find(|known| known.id == version.id) {
                *version = ArtifactVersion::clone(known);
            }
        }
    }
    Ok(RunDetail { run, steps })
}

/// The run `which`, by id or name; the newest where none is given.
async fn find_run(client: &rest::Client, which: Option<&str>) -> Result<Run, Failure> {
    let Some(which) = which else {
        let newest = newest_runs(client, None, 1).await?.into_iter().next();
        let newest = newest.ok_or_else(|| {
            let summary = "the server has no run in this project yet";
            Failure::new(FailureKind::NotFound, summary)
                .hint("run a pipeline, or name the project: osstack zenml login --project NAME")
        })?;
        return find_by_id(client, &newest.id).await;
    };
    if is_id(which) {
        return find_by_id(client, which).await;
    }
    let equals = format!("equals:{which}");
    let query = in_project(client, &[("name", &equals), NEWEST]);
    let found = client.page("/runs", &query, 1, PAGE).await?;
    let found = readable(&found.items, read::run).items;
    let named = found.into_iter().find(|run| run.name == which);
    match named {
        Some(run) => find_by_id(client, &run.id).await,
        None => Err(no_run(which)),
    }
}

async fn find_by_id(client: &rest::Client, id: &str) -> Result<Run, Failure> {
    match client.get(&format!("/runs/{id}"), &[]).await {
        Ok(value) => read::run(&value).ok_or_else(|| no_run(id)),
        Err(error) if error.kind == rest::Kind::NotFound => Err(no_run(id)),
        Err(error) => Err(error.into()),
    }
}

fn no_run(which: &str) -> Failure {
    let summary = format!("there is no run '{}' that this user may see", visible(which));
    Failure::new(FailureKind::NotFound, summary).hint("osstack run list shows what there is")
}

/// Reads the logs of a run and its steps: from the store where the catalog has it, which needs no
/// server that reaches the bucket; else from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRunLogs {
    /// Which `ZenML`; the only one where none is named.
    pub connection: Option<String>,
    /// Id or name; the newest run where none is given.
    pub run: Option<String>,
    /// Of this step alone.
    pub step: Option<String>,
    /// From this level on.
    pub least: Option<Level>,
}

/// Some of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPart {
    /// The step's name; none for the run's own log.
    pub step: Option<String>,
    /// Who wrote it: `client`, `step`, ….
    pub source: String,
    /// The messages, in order.
    pub lines: Vec<LogLine>,
}

/// Whose log.
struct Owner<'a> {
    step: Option<&'a str>,
    /// `/runs/ID` or `/steps/ID`.
    path: String,
    log: &'a LogFile,
}

impl Job<World> for ReadRunLogs {
    type Item = LogPart;
    /// The run whose logs they are.
    type Out = Result<Run, Failure>;

    async fn run(self, context: Context<World, LogPart>) -> Self::Out {
        let client = context.world.zenml(self.connection.as_deref()).await?;
        let found = until_cancelled(&context, detail(&client, self.run.as_deref())).await??;
        let catalog = context.world.catalog().await?;
        let RunDetail { run, steps } = &found;
        if let Some(name) =
            self.step.as_deref().filter(|name| steps.iter().all(|s| s.name != *name))
        {
            let names: Vec<_> =
                steps.iter().map(|step| visible(&step.name).into_string()).collect();
            let summary = format!("the run has no step '{}'", visible(name));
            return Err(Failure::new(FailureKind::NotFound, summary)
                .hint(format!("its steps: {}", names.join(", "))));
        }
        let mut owners = Vec::new();
        if self.step.is_none() {
            for log in &run.logs {
                owners.push(Owner { step: None, path: format!("/runs/{}", run.id), log });
            }
        }
        for step in steps.iter().filter(|step| self.step.as_ref().is_none_or(|it| *it == step.name))
        {
            for log in &step.logs {
                let path = format!("/steps/{}", step.id);
                owners.push(Owner { step: Some(&step.name), path, log });
            }
        }
        for owner in owners {
            read_log(&context, &client, &catalog, &owner, self.least).await?;
        }
        Ok(found.run)
    }
}

async fn read_log(
    context: &Context<World, LogPart>,
    client: &rest::Client,
    catalog: &Catalog,
    owner: &Owner<'_>,
    least: Option<Level>,
) -> Result<(), Failure> {
    let mut reader = LogReader::default();
    let part = |lines: Vec<LogLine>| {
        let lines: Vec<_> = lines.into_iter().filter(|line| line.reaches(least)).collect();
        let step = owner.step.map(str::to_owned);
        (!lines.is_empty()).then(|| LogPart { step, source: owner.log.source.clone(), lines })
    };
    let location = Location::parse(owner.log.uri.as_ref());
    let place = match &location {
        Location::Uri { .. } => location.resolve(catalog).ok().flatten(),
        _ => None,
    };
    let Some((place, key)) = place else {
        let logs = format!("{}/logs", owner.path);
        let source = [("source", owner.log.source.as_str())];
        let entries = until_cancelled(context, client.get(&logs, &source)).await??;
        let entries = entries.as_array().or_else(|| entries.get("items").and_then(Value::as_array));
        let mut lines: Vec<LogLine> =
            entries.into_iter().flatten().flat_map(|entry| reader.entry(entry)).collect();
        lines.extend(reader.end());
        if let Some(part) = part(lines) {
            context.report(part).await;
        }
        return Ok(());
    };
    let (store, bucket) = place.open(&context.world).await?;
    let opened = match until_cancelled(context, store.get(&bucket, &key, None)).await? {
        Ok(opened) => opened.value,
        // a step that was cached, or broke off early, may name a log that nobody wrote
        Err(error) if error.kind == oss::Kind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut body = opened.body;
    while let Some(bytes) = until_cancelled(context, body.chunk()).await?? {
        if let Some(part) = part(reader.take(&bytes))
            && !context.report(part).await
        {
            return Err(Failure::cancelled());
        }
    }
    if let Some(part) = part(reader.end()) {
        context.report(part).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_names() {
        assert!(is_id("681656ff-a3af-417b-8469-3c74ef4f0be4"));
        for name in ["", "demo-2026_11_22-07_28_03_393508", "681656ff-a3af-417b-8469-3c74ef4f0beé"]
        {
            assert!(!is_id(name), "{name}");
        }
    }
}
