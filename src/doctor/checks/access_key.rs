//! OSS knows the key, and the secret belongs to it.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused, warned};
use crate::model::endpoint::EndpointChoice;
use crate::model::finding::Finding;
use crate::model::permission::Action;
use crate::oss::{Error, Kind};

pub(super) const CHECK: Check = Check {
    id: "access-key",
    title: "the key is accepted",
    about: "OSS knows the key, it is enabled, and the secret belongs to it.",
    needs: &["signature", "session-token"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let key = client.access().credentials.short_id();
    let choice = store.access.as_ref().unwrap_or(&store.endpoint);
    if matches!(choice, EndpointChoice::CustomDomain(_)) {
        // such a domain is the bucket's: the list of buckets is not to be had there
        let finding = by_the_bucket(&key, case.first()?.answer.as_ref().err());
        return Ok(finding.fact("asked", "the bucket"));
    }
    let bucket = store.bucket.as_str();
    Ok(match client.list_buckets().await {
        Ok(answer) => {
            let own = answer.value.iter().any(|entry| entry.name == bucket);
            passed(format!("{key} is accepted."))
                .worked(Action::ListBuckets)
                .fact("buckets", answer.value.len().to_string())
                .fact("own bucket", if own { "among them" } else { "not among them" })
        }
        Err(error) if error.kind == Kind::Permission && !is_blocked(&error) => {
            // refusing this right, OSS has accepted the signature
            passed(format!("{key} is accepted.")).denied(Action::ListBuckets).fact(
                "buckets",
                "the key may not list them, as usual for a RAM user (oss:ListBuckets)",
            )
        }
        Err(error) if decides(&error) => explain(&key, &error),
        Err(error) => by_the_bucket(&key, case.first()?.answer.as_ref().err())
            .fact("list of buckets", error.to_string()),
    })
}

/// Whether an answer is about the key, and not about what was asked.
fn decides(error: &Error) -> bool {
    matches!(error.kind, Kind::Credentials | Kind::Clock | Kind::Network(_) | Kind::NotOss)
        || is_blocked(error)
}

/// The account itself is blocked.
fn is_blocked(error: &Error) -> bool {
    matches!(error.code.as_deref(), Some("UserDisable" | "InDebt" | "InDebtOverdue"))
}

/// What the bucket's own answer says of the key.
fn by_the_bucket(key: &str, refusal: Option<&Error>) -> Finding {
    match refusal {
        None => passed(format!("{key} is accepted.")),
        Some(error) if decides(error) => explain(key, error),
        Some(error) if error.kind == Kind::Permission => passed(format!("{key} is accepted.")),
        Some(_) => warned(format!("Whether {key} is accepted cannot be told from the answer."))
            .because("The server answers before it looks at the key.")
            .next("See what the bucket's own check says."),
    }
}

fn explain(key: &str, error: &Error) -> Finding {
    let finding = refused(format!("{key} is not accepted."), error);
    // of two equal texts only the secret can make two signatures
    match (&error.string_to_sign, &error.our_string_to_sign) {
        (Some(theirs), Some(ours)) if theirs.trim() == ours.trim() => finding
            .because("The server signed the very text that we signed: only the secret differs.")
            .next("Enter the AccessKey secret again: all 30 characters, no blanks."),
        (Some(_), Some(_)) => finding
            .because("The server saw another request than we signed.")
            .next("A proxy changes requests on the way: go past it (NO_PROXY), then try again."),
        _ => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;

    #[test]
    fn the_buckets_answer_decides_where_the_list_is_not_to_be_had() {
        let state = |kind| by_the_bucket("LTAI", Some(&Error::new(kind, "x", "y"))).state;
        assert_eq!(by_the_bucket("LTAI", None).state, State::Passed);
        assert_eq!(state(Kind::Permission), State::Passed);
        assert_eq!(state(Kind::Credentials), State::Failed);
        assert_eq!(state(Kind::NotFound), State::Warned);
    }
}
