//! `osstack regions`.

use std::collections::BTreeMap;
use std::time::Duration;

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
use crate::ops::regions::{Inside, MeasureLatency, Measured, Target, Timings};

pub(super) async fn run(args: Regions, session: &mut Session) -> Result<(), Stop> {
    let filter = args.filter.unwrap_or_default().to_lowercase();
    let mut regions: Vec<&Region> =
        region::all().iter().filter(|region| has_code(region, &filter)).collect();
    if regions.is_empty() {
        regions = region::all().iter().filter(|region| matches(region, &filter)).collect();
    }
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
    let mut table = Table::new(&["REGION", "CITY", "", "LAW", "GROUP", "ENDPOINTS", "NOTE"]);
    for region in regions {
        let kinds: Vec<&str> = region.kinds().map(EndpointKind::as_str).collect();
        let status = Some(region.status.as_str()).filter(|status| *status != "active");
        let note = [status, region.note.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        table.row([
            Cell::own(&region.oss_id),
            Cell::own(&region.name),
            Cell::own(&region.name_zh),
            Cell::own(region.area()),
            Cell::own(&region.group),
            Cell::own(kinds.join(", ")),
            Cell::own(note.join("; ")),
        ]);
    }
    output.table(&table)
}

/// A code means its regions alone: as a part of a word `eu` would be in half of the table.
fn has_code(region: &Region, filter: &str) -> bool {
    [&region.jurisdiction, &region.country].iter().any(|code| code.to_lowercase() == filter)
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
        "country": region.country,
        "jurisdiction": region.jurisdiction,
        "cloud": region.cloud,
        "status": region.status,
        "mainland": region.mainland,
        "note": region.note,
        "endpoints": endpoints,
    })
}

/// Lines of the live block: what the smallest terminal shows, and some room.
const LIVE: usize = 12;

async fn latency(regions: &[&Region], session: &mut Session) -> Result<(), Stop> {
    let targets: Vec<Target> = regions.iter().copied().filter_map(Target::public).collect();
    let hosts: BTreeMap<String, String> =
        targets.iter().map(|target| (target.region.clone(), target.host.clone())).collect();
    let count = targets.len();
    let network = session.world()?.network.clone();
    let proxy = hosts.values().find_map(|host| network.proxy_for(host));
    let mut answers: Vec<Measured> = Vec::new();
    let show = |output: &mut Output, answer: Measured| {
        if output.is_json() {
            output.json(&measured_json(&answer, &hosts))?;
            output.flush()?;
        }
        answers.push(answer);
        answers.sort_by_key(order);
        if !output.is_json() {
            let mut lines = vec![format!("{} of {count} regions", answers.len())];
            let fastest = answers.iter().filter(|answer| answer.took.is_ok()).take(LIVE - 2);
            lines.extend(table(fastest, &hosts).lines(false));
            output.live(&lines);
        }
        Ok(())
    };
    let ended = session.follow(MeasureLatency { targets, chosen: None }, show).await;
    session.output.live(&[]);
    let inside = ended??;
    let reached = answers.iter().any(|answer| answer.took.is_ok());
    if session.output.is_json() {
        session.output.json(&inside_json(&inside, proxy.as_deref()))?;
    } else {
        session.output.table(&table(answers.iter(), &hosts))?;
        if let Some(proxy) = proxy {
            session.output.note(&format!(
                "through the proxy {proxy}: it asks for names, and TCP would lead to it alone; TLS \
                 counts from the first word to it"
            ));
        }
        if inside != Inside::default() {
            session.output.note(&visible(&inside.to_string()).into_string());
        }
    }
    if reached || count == 0 {
        return Ok(());
    }
    let failure = Failure::new(FailureKind::Network, "no endpoint could be reached");
    Err(failure.hint("check the connection, and HTTPS_PROXY where a proxy is needed").into())
}

/// Fastest first; those that do not answer last, in the order in which that was known.
fn order(answer: &Measured) -> (bool, Duration) {
    let total = answer.took.as_ref().map(Timings::total);
    (total.is_err(), total.unwrap_or_default())
}

fn table<'a>(
    answers: impl Iterator<Item = &'a Measured>,
    hosts: &BTreeMap<String, String>,
) -> Table {
    let mut table = Table::new(&["REGION", "DNS", "TCP", "TLS", "TOGETHER", "ENDPOINT"]);
    let span = |took: Option<Duration>| took.map_or_else(|| "-".to_owned(), units::span);
    for Measured { region, took } in answers {
        let host = hosts.get(region).map_or("", String::as_str);
        let (cells, end) = match took {
            Ok(timings) => {
                let Timings { dns, tcp, tls } = *timings;
                let all = Some(timings.total());
                ([dns, tcp, Some(tls), all].map(|took| Cell::number(span(took))), host)
            }
            Err(why) => ([const { None }; 4].map(|took| Cell::number(span(took))), why.as_str()),
        };
        let [dns, tcp, tls, all] = cells;
        let all = if took.is_ok() { all.paint(Paint::Good) } else { all };
        table.row([Cell::own(region), dns, tcp, tls, all, Cell::outside(end)]);
    }
    table
}

fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 10_000.0).round() / 10.0
}

fn measured_json(answer: &Measured, hosts: &BTreeMap<String, String>) -> Value {
    let timings = answer.took.as_ref().ok();
    json!({
        "region": answer.region,
        "endpoint": hosts.get(&answer.region),
        "ms": timings.map(|timings| millis(timings.total())),
        "dns_ms": timings.and_then(|timings| timings.dns).map(millis),
        "tcp_ms": timings.and_then(|timings| timings.tcp).map(millis),
        "tls_ms": timings.map(|timings| millis(timings.tls)),
        "problem": answer.took.as_ref().err(),
    })
}

fn inside_json(inside: &Inside, proxy: Option<&str>) -> Value {
    let tried = inside.tried.as_ref();
    json!({
        "internal": {
            "endpoint": tried.map(|(host, _)| host),
            "reached": tried.map(|(_, took)| took.is_ok()),
            "problem": tried.and_then(|(_, took)| took.as_ref().err()),
            "names_lead_inside": inside.led_inside.is_some(),
        },
        "proxy": proxy,
    })
}
