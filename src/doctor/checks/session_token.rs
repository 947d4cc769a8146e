//! A temporary key has its token, and the two belong together.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, refused, warned};

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
        Some(_) => warned(format!("{key} is a temporary key."))
            .because(
                "It ends after 12 hours at the most, ZenML does not renew it, and neither key nor \
                 token tells when.",
            )
            .next("For runs to come enter a RAM user's lasting key.")
            .fact("ends", "not told by the token"),
    })
}
