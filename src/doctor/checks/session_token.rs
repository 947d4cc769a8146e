//! A temporary key has its token, and the two belong together.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, refused, warned};
use crate::model::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "session-token",
    title: "the session token fits",
    about: "A temporary key comes with its own session token, which has not expired. ZenML renews \
            none: when it ends, runs fail.",
    needs: &["clock"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

/// Codes of OSS that are about the token (documentation, "403 error codes").
const OF_TOKENS: [&str; 3] =
    ["InvalidSecurityToken", "SecurityTokenExpired", "AccessKeyIdAndSecurityTokenNotMatch"];

fn run(case: &Case) -> Verdict {
    let credentials = &case.client()?.access().credentials;
    let (key, secret) = (credentials.short_id(), &case.store()?.secret);
    let is_temporary = credentials.access_key_id.starts_with("STS.");
    let again =
        format!("Enter id, secret and token again, together: osstack secret update {secret}");
    if is_temporary && credentials.session_token.is_none() {
        return Ok(failed(format!("{key} is a temporary key without its session token."))
            .because("Ids that begin with STS. are known together with their token only.")
            .next(again));
    }
    let refusal = case.first()?.answer.as_ref().err();
    let about_token =
        refusal.filter(|error| error.code.as_deref().is_some_and(|code| OF_TOKENS.contains(&code)));
    if let Some(error) = about_token {
        return Ok(match error.code.as_deref() {
            Some("SecurityTokenExpired") => refused("The session token has expired.", error)
                .next("Take a new temporary key, or better a RAM user's lasting one."),
            _ => refused(format!("The session token does not fit {key}."), error).next(again),
        });
    }
    Ok(match &credentials.session_token {
        None => passed(format!("{key} is a lasting key and needs none.")),
        Some(_) => left(&key, credentials.expires_at, case.services.clock.now(), &again),
    })
}

/// A temporary key by the time it has left, which is what its owner said: neither key nor token
/// tells.
fn left(key: &str, end: Option<OffsetDateTime>, now: OffsetDateTime, again: &str) -> Finding {
    let lasting = "For runs to come enter a RAM user's lasting key.";
    let Some(end) = end else {
        return warned(format!("{key} is a temporary key."))
            .because(
                "It ends after 12 hours at the most, ZenML does not renew it, and nobody said \
                 when it ends.",
            )
            .next(lasting)
            .fact("ends", "not known");
    };
    let shown = end.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default();
    let Ok(left) = Duration::try_from(end - now) else {
        return failed(format!("{key} is a temporary key that has ended."))
            .because("ZenML does not renew it: every run fails from then on.")
            .next(again)
            .fact("ended", shown);
    };
    warned(format!("{key} is a temporary key; {} are left.", whole_minutes(left)))
        .because("ZenML does not renew it: runs fail from then on.")
        .next(lasting)
        .fact("ends", shown)
}

/// `3 h 20 min`, `7 min`.
fn whole_minutes(left: Duration) -> String {
    let minutes = left.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;
    use time::macros::datetime;

    #[test]
    fn the_time_left_is_told() {
        let now = datetime!(2026-03-15 10:00 UTC);
        let at = |end| left("STS.…", end, now, "again");
        assert_eq!(at(None).state, State::Warned);
        let soon = at(Some(datetime!(2026-03-15 12:05:59 UTC)));
        assert_eq!(soon.state, State::Warned);
        assert!(soon.summary.contains("2 h 5 min are left"), "{}", soon.summary);
        let over = at(Some(datetime!(2026-03-15 09:59 UTC)));
        assert_eq!(over.state, State::Failed);
        assert_eq!(over.next.as_deref(), Some("again"));
    }
}
