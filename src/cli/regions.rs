//! `osstack regions`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::SCHEMA;
use super::args::Regions;
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::units;
use crate::base::visible::visible;
use crate::model::endpoint::EndpointKind;
use crate::model::region::{self, Region};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::regions::{MeasureLatency, Measured, Target};

pub(super) async fn run(args: Regions, session: &mut Session) -> Result<(), Stop> {
    let filter = args.filter.unwrap_or_default().to_lowercase();
    let regions: Vec<&Region> =
        region::all().iter().filter(|region| matches(region, &filter)).collect();
    if regions.is_empty() {
        let failure =
            Failure::new(FailureKind::NotFound, format!("no region holds '{}'", visible(&filter)));
        return Err(failure.hint("osstack regions shows all").into());
    }
    if args.latency {
        return latency(&regions, session).await;
    }
    let output = &mut session.output;
    if output.is_json() {
        let regions: Vec<Value> = regions.iter().map(|region| row_json(region)).collect();
        return output.json(&json!({ "schema": SCHEMA, "regions": regions }));
    }
    let mut table = Table::new(&["REGION", "CITY", "", "GROUP", "ENDPOINTS", "NOTE"]);
    for region in regions {
        let kinds: Vec<&str> = region.kinds().map(EndpointKind::as_str).collect();
        let status = Some(region.status.as_str()).filter(|status| *status != "active");
        let note = [status, region.note.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        table.row([
            Cell::own(&region.oss_id),
            Cell::own(&region.name),
            Cell::own(&region.name_zh),
            Cell::own(&region.group),
            Cell::own(kinds.join(", ")),
            Cell::own(note.join("; ")),
        ]);
    }
    output.table(&table)
}

fn matches(region: &Region, filter: &str) -> bool {
    [&region.id, &region.oss_id, &region.name, &region.name_zh, &region.group]
        .into_iter()
        .any(|text| text.to_lowercase().contains(filter))
}

fn row_json(region: &Region) -> Value {
    let endpoints: Map<String, Value> = region
        .kinds()
        .filter_map(|kind| Some((kind.to_string(), json!(region.host(kind)?))))
        .collect();
    json!({
        "id": region.id,
        "oss_id": region.oss_id,
        "name": region.name,
        "name_zh": region.name_zh,
        "group": region.group,
        "cloud": region.cloud,
        "status": region.status,
        "mainland": region.mainland,
        "note": region.note,
        "endpoints": endpoints,
    })
}

async fn latency(regions: &[&Region], session: &mut Session) -> Result<(), Stop> {
    let targets: Vec<Target> = regions.iter().copied().filter_map(Target::public).collect();
    let hosts: BTreeMap<String, String> =
        targets.iter().map(|target| (target.region.clone(), target.host.clone())).collect();
    let count = targets.len();
    let mut answers: Vec<Measured> = Vec::new();
    let show = |output: &mut Output, answer: Measured| {
        if output.is_json() {
            output.json(&measured_json(&answer, &hosts))?;
            output.flush()?;
        }
        answers.push(answer);
        output.progress(&format!("{} of {count} regions", answers.len()));
        Ok(())
    };
    let ended = session.follow(MeasureLatency { targets }, show).await;
    session.output.end_progress();
    ended??;
    let reached = answers.iter().any(|answer| answer.took.is_ok());
    if !session.output.is_json() {
        // those that do not answer come last
        answers
            .sort_by_key(|answer| (answer.took.is_err(), answer.took.clone().unwrap_or_default()));
        let mut table = Table::new(&["REGION", "TIME", "ENDPOINT"]);
        for answer in &answers {
            let time = match &answer.took {
                Ok(took) => Cell::number(units::span(*took)).paint(Paint::Good),
                Err(_) => Cell::number("-"),
            };
            let end = match &answer.took {
                Ok(_) => hosts.get(&answer.region).cloned().unwrap_or_default(),
                Err(why) => why.clone(),
            };
            table.row([Cell::own(&answer.region), time, Cell::outside(&end)]);
        }
        session.output.table(&table)?;
    }
    if reached || count == 0 {
        return Ok(());
    }
    let failure = Failure::new(FailureKind::Network, "no endpoint could be reached");
    Err(failure.hint("check the connection; a proxy is not used here").into())
}

fn measured_json(answer: &Measured, hosts: &BTreeMap<String, String>) -> Value {
    let millis = |took: &std::time::Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    json!({
        "region": answer.region,
        "endpoint": hosts.get(&answer.region),
        "ms": answer.took.as_ref().ok().map(millis),
        "problem": answer.took.as_ref().err(),
    })
}
