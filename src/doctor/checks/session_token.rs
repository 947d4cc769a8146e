//! A temporary key has its token, and the two belong together.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::base::units;
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
    if credentials.session_token.is_none() {
        return Ok(passed(format!("{key} is a lasting key and needs none.")));
    }
    let now = case.services.clock.now();
    Ok(left(&key, credentials.expires_at, now, refusal.is_none(), secret.as_str()))
}

/// A run that takes longer than this is nothing out of the ordinary.
const A_RUN: Duration = Duration::from_hours(1);

/// A temporary key by the time it has left, which is what its owner said: neither key nor token
/// tells. `taken` means that the server has just taken it.
fn left(
    key: &str,
    end: Option<OffsetDateTime>,
    now: OffsetDateTime,
    taken: bool,
    secret: &str,
) -> Finding {
    const LASTING: &str = "For runs to come enter a RAM user's lasting key.";
    let Some(end) = end else {
        return warned(format!("{key} is a temporary key; when it ends is not known."))
            .because("Such keys last 12 hours at the most, and ZenML does not renew them.")
            .next(LASTING)
            .fact("ends", "not known");
    };
    let shown = end.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default();
    let left = end - now;
    if !left.is_positive() {
        let finding = failed(format!("{key} is a temporary key that has ended."));
        let finding = if taken {
            finding.because(
                "By the end that was entered with it; OSS took it a moment ago, so that it ends \
                 now or the entered end is wrong.",
            )
        } else {
            finding.because("ZenML does not renew it: every run fails from then on.")
        };
        return finding
            .next(format!(
                "Enter a new key with its token and end, or a lasting one: \
                 osstack secret update {secret}"
            ))
            .fact("ended", shown);
    }
    let left = left.unsigned_abs();
    let finding = warned(format!("{key} is a temporary key; it ends in {}.", units::left(left)));
    let finding = if left < A_RUN {
        finding.because("ZenML does not renew it: a run that takes longer fails in the middle.")
    } else {
        finding.because("ZenML does not renew it: runs fail from then on.")
    };
    finding.next(LASTING).fact("ends", shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;
    use time::macros::datetime;

    #[test]
    fn the_time_left_is_told() {
        let now = datetime!(2026-03-15 10:00 UTC);
        let at = |end| left("STS.…", end, now, true, "alibaba_secret");
        let unknown = at(None);
        assert_eq!(unknown.state, State::Warned);
        assert!(unknown.summary.contains("not known"), "{}", unknown.summary);
        let later = at(Some(datetime!(2026-03-15 14:05:59 +02:00)));
        assert_eq!(later.state, State::Warned);
        assert!(later.summary.ends_with("ends in 2 h 5 min."), "{}", later.summary);
        assert_eq!(later.facts, [("ends", "2026-03-15T12:05:59Z".to_owned())]);
        let soon = at(Some(datetime!(2026-03-15 10:59:59 UTC)));
        assert_eq!(soon.state, State::Warned);
        assert!(soon.summary.ends_with("ends in 59 min."), "{}", soon.summary);
        assert_ne!(soon.because, later.because);
        for end in [now, datetime!(2026-03-15 09:59 UTC)] {
            let over = at(Some(end));
            assert_eq!(over.state, State::Failed);
            assert!(over.next.unwrap().ends_with("osstack secret update alibaba_secret"));
        }
    }
}
