//! This machine's clock agrees with the server's: signatures carry the time.

use time::Duration;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, warned, with_answer};
use crate::oss::Kind;

pub(super) const CHECK: Check = Check {
    id: "clock",
    title: "clock agrees",
    about: "This machine's clock and the server's differ by less than 5 minutes: signatures carry \
            the time, and OSS refuses 15.",
    needs: &["oss-server"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

/// More is refused (OSS, EC 0002-00000501).
const LIMIT: Duration = Duration::minutes(15);
/// From here on it is worth a word.
const WORTH_A_WORD: Duration = Duration::minutes(5);

const NEXT: &str = "Set the clock by a time server: timedatectl set-ntp true.";

fn run(case: &Case) -> Verdict {
    let first = case.first()?;
    let (meta, refusal) = match &first.answer {
        Ok(answer) => (Some(&answer.meta), None),
        Err(error) => (error.meta.as_ref(), Some(error).filter(|error| error.kind == Kind::Clock)),
    };
    let Some(date) = meta.and_then(|meta| meta.date) else {
        let finding = match refusal {
            Some(error) => {
                with_answer(failed("The server finds this machine's clock wrong."), error)
            }
            None => warned("The server does not tell its time."),
        };
        return Ok(finding.because("The answer has no Date.").next(NEXT));
    };
    let ahead = first.at - date;
    let finding = if let Some(error) = refusal {
        with_answer(failed(off(ahead)), error)
            .because("OSS takes requests that are 15 minutes old at the most.")
            .next(NEXT)
    } else if ahead.abs() > LIMIT {
        failed(off(ahead))
            .because("OSS takes requests that are 15 minutes old at the most.")
            .next(NEXT)
    } else if ahead.abs() > WORTH_A_WORD {
        warned(off(ahead)).because("OSS refuses requests from 15 minutes on.").next(NEXT)
    } else {
        passed(format!("The clocks differ by {} s.", ahead.whole_seconds().abs()))
    };
    Ok(finding.fact("difference", format!("{} s", ahead.whole_seconds())))
}

fn off(ahead: Duration) -> String {
    let minutes = ahead.whole_minutes().abs();
    let side = if ahead.is_negative() { "behind" } else { "ahead" };
    format!("This machine's clock is {minutes} min {side}.")
}
