//! `osstack transfers`: what was stopped before its end.

use serde_json::json;

use super::args::transfer::Transfers;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::shell::quote;
use crate::base::units;
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::transfer::{DropUnfinished, ListUnfinished, Unfinished};

pub(super) async fn run(args: Transfers, session: &mut Session) -> Result<(), Stop> {
    let unfinished = session.run(ListUnfinished).await??;
    let output = &mut session.output;
    let count = unfinished.len() as u64;
    let mut table = Table::default();
    for Unfinished { copy, arrived } in &unfinished {
        let (from, to) = copy.exact();
        if output.is_json() {
            output.json(&json!({
                "type": "transfer", "from": from, "to": to, "size": copy.size, "arrived": arrived,
            }))?;
        } else {
            // of an upload the server knows how much has arrived
            let arrived = if *arrived == 0 { "some".into() } else { units::bytes(*arrived) };
            let of = copy.size.map(|size| format!(" of {}", units::bytes(size)));
            table.row([
                Cell::own(format!("{arrived}{}", of.unwrap_or_default())),
                Cell::own(
                    visible(&format!("osstack cp {} {}", quote(&from), quote(&to))).to_string(),
                ),
            ]);
        }
    }
    output.table(&table)?;
    if !args.drop || unfinished.is_empty() {
        let said = match count {
            0 => "no transfer was stopped before its end".to_owned(),
            _ => format!(
                "{}: the same command goes on, --drop drops what has arrived",
                units::counted(count, "unfinished transfer")
            ),
        };
        return output.done(&said, json!({ "type": "summary", "transfers": count }));
    }
    if !args.yes && !session.is_interactive() {
        let summary = "--drop drops what has arrived, and nobody is there to confirm it";
        return Err(Failure::new(FailureKind::Usage, summary).hint("add --yes").into());
    }
    session.confirm_deletion(&format!("what has arrived of {count}"), args.yes)?;
    session.open_for_stores().await?;
    let mut left = 0_u64;
    for Unfinished { copy, .. } in unfinished {
        let source = copy.source();
        if let Err(failure) = session.run(DropUnfinished { copies: vec![copy] }).await? {
            left += 1;
            session.output.note(&format!("stayed: {source}: {failure}"));
        }
    }
    let gone = count.saturating_sub(left);
    session.output.done(
        &format!("dropped {gone}"),
        json!({ "type": "summary", "dropped": gone, "left": left }),
    )?;
    if left > 0 { Err(Stop::Code(FailureKind::Partial.exit_code())) } else { Ok(()) }
}
