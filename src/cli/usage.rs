//! `osstack du` and `osstack uploads`: what lies where, and what was never finished.

use serde_json::{Value, json};

use super::args::usage::{Du, Uploads};
use super::objects::{Found, find};
use super::output::Output;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::units;
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::usage::{AbortUploads, ListUploads, MeasureSizes, OpenUpload, Sizes, Usage};

pub(super) async fn du(du: Du, session: &mut Session) -> Result<(), Stop> {
    let Found { place, key: prefix, keys } = find(&du.target, du.border, session).await?;
    let show = |output: &mut Output, sizes: Sizes| {
        output.progress(&numbers(sizes.all));
        Ok(())
    };
    let sizes = session.follow(MeasureSizes { place, prefix: prefix.clone() }, show).await;
    session.output.end_progress();
    let sizes = sizes??;
    let output = &mut session.output;
    if du.each {
        let mut table = Table::default();
        for (name, usage) in sizes.largest_first() {
            let key = format!("{prefix}{name}");
            if output.is_json() {
                output.json(&json!({
                    "type": "part", "prefix": key, "objects": usage.objects,
                    "bytes": usage.bytes, "location": keys.location(&key),
                }))?;
            } else {
                table.row([
                    Cell::own(units::bytes(usage.bytes)),
                    Cell::own(units::counted(usage.objects, "object")),
                    Cell::own(keys.typed(&key).into_string()),
                ]);
            }
        }
        output.table(&table)?;
    }
    let classes: serde_json::Map<String, Value> = sizes
        .classes
        .iter()
        .map(|(class, usage)| {
            let usage = json!({ "objects": usage.objects, "bytes": usage.bytes });
            (class.as_str().to_owned(), usage)
        })
        .collect();
    let Usage { objects, bytes } = sizes.all;
    output.done(
        &format!("{}  {}", numbers(sizes.all), visible(&du.target)),
        json!({ "prefix": prefix, "objects": objects, "bytes": bytes, "classes": classes }),
    )
}

/// `3.1 GiB  12,408 objects`.
pub(super) fn numbers(usage: Usage) -> String {
    format!("{}  {}", units::bytes(usage.bytes), units::counted(usage.objects, "object"))
}

pub(super) async fn uploads(args: Uploads, session: &mut Session) -> Result<(), Stop> {
    let Found { place, key: prefix, keys } = find(&args.target, args.border, session).await?;
    let unfinished = session.run(ListUploads { place: place.clone(), prefix }).await??;
    let output = &mut session.output;
    if unfinished.is_empty() {
        let said = format!("no upload below {} is unfinished", visible(&args.target));
        return output.done(&said, json!({ "type": "summary", "uploads": 0, "bytes": 0 }));
    }
    let bytes: u64 = unfinished.iter().map(|one| one.bytes).sum();
    let count = unfinished.len() as u64;
    let mut table = Table::default();
    for OpenUpload { upload, bytes } in &unfinished {
        if output.is_json() {
            output.json(&json!({
                "type": "upload", "key": upload.key, "upload_id": upload.id,
                "initiated": upload.initiated, "bytes": bytes,
                "location": keys.location(&upload.key),
            }))?;
        } else {
            table.row([
                Cell::own(units::bytes(*bytes)),
                Cell::outside(upload.initiated.as_deref().unwrap_or("-")),
                Cell::own(keys.typed(&upload.key).into_string()),
            ]);
        }
    }
    output.table(&table)?;
    let what = format!("{}, {}", units::counted(count, "unfinished upload"), units::bytes(bytes));
    if !args.abort {
        let said = format!("{what}: --abort ends them");
        return output.done(&said, json!({ "type": "summary", "uploads": count, "bytes": bytes }));
    }
    if !args.yes && !session.is_interactive() {
        let summary = "--abort ends uploads, and nobody is there to confirm it";
        return Err(Failure::new(FailureKind::Usage, summary).hint("add --yes").into());
    }
    session.confirm_deletion(&what, args.yes)?;
    let uploads = unfinished.into_iter().map(|one| one.upload).collect();
    let ended = session.run(AbortUploads { place, uploads }).await??;
    let output = &mut session.output;
    let mut left = 0_u64;
    for one in &ended {
        if let Some(failure) = &one.left {
            left += 1;
            output.note(&format!("stayed: {}: {failure}", keys.typed(&one.upload.key)));
        }
    }
    let gone = count.saturating_sub(left);
    output.done(
        &format!("ended {}", units::counted(gone, "upload")),
        json!({ "type": "summary", "ended": gone, "left": left }),
    )?;
    if left > 0 { Err(Stop::Code(FailureKind::Partial.exit_code())) } else { Ok(()) }
}
