//! Runs of pipelines, as `ZenML` tells of them, and their logs, which lie on the store.

use std::sync::Arc;

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
use crate::zenml::remote::Remote;
use crate::zenml::rest::Collection;

/// Newest first: what every list of runs and versions is asked for.
pub(super) const NEWEST: (&str, &str) = ("sort_by", "desc:created");
/// Things asked for at once where not all are wanted.
pub(super) const PAGE: u32 = 500;

/// `query` in the connection's project; in [`ZenML`'s own choice](Remote::project) where it names
/// none.
pub(super) fn in_project<'a>(
    zenml: &'a Remote,
    query: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let project = zenml.project().map(|project| ("project", project));
    project.into_iter().chain(query.iter().copied()).collect()
}

/// Whether `text` is an id, as `ZenML` takes it; everything else is a name.
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
        let zenml = context.world.zenml(self.connection.as_deref()).await?;
        let listed = newest_runs(&zenml, self.pipeline.as_deref(), self.limit);
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
        let zenml = world.zenml(Some(&self.connection)).await?;
        let newest = until_cancelled(&context, newest_runs(&zenml, None, 1)).await??;
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
    zenml: &Remote,
    pipeline: Option<&str>,
    limit: usize,
) -> Result<Vec<Run>, Failure> {
    let named = pipeline.map(|name| format!("equals:{name}"));
    let mut query = in_project(zenml, &[NEWEST]);
    query.extend(named.as_deref().map(|name| ("pipeline_name", name)));
    let size = PAGE.min(u32::try_from(limit).unwrap_or(PAGE)).max(1);
    let mut runs = Vec::new();
    let mut number = 1;
    while runs.len() < limit {
        let page = zenml.page(Collection::Runs, &query, number, size).await?;
        let is_last = page.is_last(number);
        let found = readable(&page.items, read::run).items.into_iter();
        // a filter that a ZenML does not know is ignored there without a word
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
        let zenml = context.world.zenml(self.connection.as_deref()).await?;
        until_cancelled(&context, detail(&zenml, self.run.as_deref())).await?
    }
}

async fn detail(zenml: &Remote, which: Option<&str>) -> Result<RunDetail, Failure> {
    let run = find_run(zenml, which).await?;
    let of_run = [("pipeline_run_id", run.id.as_str()), ("sort_by", "asc:created")];
    let steps = zenml.list(Collection::Steps, &in_project(zenml, &of_run)).await?;
    let mut steps = readable(&steps, read::step).items;
    // steps tell of their outputs without sizes; this tells of all of them at once
    let whole = [("pipeline_run", run.id.as_str()), ("hydrate", "true")];
    let whole = zenml.list(Collection::ArtifactVersions, &in_project(zenml, &whole)).await?;
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
async fn find_run(zenml: &Remote, which: Option<&str>) -> Result<Run, Failure> {
    let Some(which) = which else {
        let newest = newest_runs(zenml, None, 1).await?.into_iter().next();
        let newest = newest.ok_or_else(|| {
            let summary = "ZenML has no run in this project yet";
            Failure::new(FailureKind::NotFound, summary)
                .hint("run a pipeline, or name the project: osstack zenml login --project NAME")
        })?;
        return find_by_id(zenml, &newest.id).await;
    };
    if is_id(which) {
        return find_by_id(zenml, which).await;
    }
    let equals = format!("equals:{which}");
    let query = in_project(zenml, &[("name", &equals), NEWEST]);
    let found = zenml.page(Collection::Runs, &query, 1, PAGE).await?;
    let found = readable(&found.items, read::run).items;
    let named = found.into_iter().find(|run| run.name == which);
    match named {
        Some(run) => find_by_id(zenml, &run.id).await,
        None => Err(no_run(which)),
    }
}

async fn find_by_id(zenml: &Remote, id: &str) -> Result<Run, Failure> {
    let found = zenml.one(Collection::Runs, id).await?;
    found.as_ref().and_then(read::run).ok_or_else(|| no_run(id))
}

fn no_run(which: &str) -> Failure {
    let summary = format!("there is no run '{}' that this user may see", visible(which));
    Failure::new(FailureKind::NotFound, summary).hint("osstack run list shows what there is")
}

/// Reads the logs of a run and its steps: from the store where the catalog has it, which needs no
/// `ZenML` that reaches the bucket; else through `ZenML`.
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
    of: Collection,
    id: &'a str,
    log: &'a LogFile,
}

impl Job<World> for ReadRunLogs {
    type Item = LogPart;
    /// The run whose logs they are.
    type Out = Result<Run, Failure>;

    async fn run(self, context: Context<World, LogPart>) -> Self::Out {
        let zenml = context.world.zenml(self.connection.as_deref()).await?;
        let found = until_cancelled(&context, detail(&zenml, self.run.as_deref())).await??;
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
                owners.push(Owner { step: None, of: Collection::Runs, id: &run.id, log });
            }
        }
        for step in steps.iter().filter(|step| self.step.as_ref().is_none_or(|it| *it == step.name))
        {
            for log in &step.logs {
                let step_name = Some(step.name.as_str());
                owners.push(Owner { step: step_name, of: Collection::Steps, id: &step.id, log });
            }
        }
        for owner in owners {
            read_log(&context, &zenml, &catalog, &owner, self.least).await?;
        }
        Ok(found.run)
    }
}

async fn read_log(
    context: &Context<World, LogPart>,
    zenml: &Remote,
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
        let entries = zenml.logs(owner.of, owner.id, &owner.log.source);
        let entries = until_cancelled(context, entries).await??;
        let mut lines: Vec<LogLine> =
            entries.iter().flat_map(|entry| reader.entry(entry)).collect();
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
