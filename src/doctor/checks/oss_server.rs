//! What answers is OSS, and no login portal, proxy or other store.

use crate::base::visible::visible;
use crate::doctor::case::{Case, First, Lesson};
use crate::doctor::check::{Check, Seen, failed, passed, refused, warned, with_answer};
use crate::model::finding::Finding;
use crate::oss::object::Meta;
use crate::oss::{Answer, Error, Kind};

pub(super) const CHECK: Check = Check {
    id: "oss-server",
    title: "the server is OSS",
    about: "The first signed request is answered, and by OSS: no sign-in page, proxy or other \
            store.",
    needs: &["secret", "proxy", "tls"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Result<Seen, Box<Finding>> {
    // a question that has an answer whatever the key may do, also for accounts that are kept
    // from objects by public endpoints
    let answer = case.client()?.bucket_location(&case.store()?.bucket).await;
    let at = case.services.clock.now();
    let finding = judge(&case.host()?, &answer);
    Ok(Seen::teaching(finding, Lesson::First(First { answer, at })))
}

fn judge(host: &str, answer: &Result<Answer<Option<String>>, Error>) -> Finding {
    let (meta, error) = match answer {
        Ok(answer) => (Some(&answer.meta), None),
        Err(error) => (error.meta.as_ref(), Some(error)),
    };
    let finding = match error {
        Some(error) if matches!(error.kind, Kind::Network(_)) => {
            refused(format!("{host} gives no answer."), error)
        }
        Some(error) if matches!(error.kind, Kind::NotOss | Kind::Truncated | Kind::TooLarge) => {
            stranger(host, error)
        }
        _ => match (Speaks::of(meta, error), error) {
            (Speaks::Oss, _) => passed(format!("{host} is OSS.")),
            (Speaks::S3, _) => warned(format!("{host} answers like S3, but not as OSS does."))
                .because("Its answer has a request id, and no header that only OSS sends.")
                .next("Check the endpoint; osstack keeps to the rules of OSS, others may differ."),
            (Speaks::Otherwise, Some(error)) => stranger(host, error),
            (Speaks::Otherwise, None) => {
                failed(format!("What answers at {host} is not OSS.")).next("Correct the endpoint.")
            }
        },
    };
    meta.map_or(finding.clone(), |meta| facts(finding, meta))
}

/// What the headers and the body of an answer show.
enum Speaks {
    Oss,
    S3,
    Otherwise,
}

impl Speaks {
    fn of(meta: Option<&Meta>, error: Option<&Error>) -> Self {
        let Some(meta) = meta else { return Self::Otherwise };
        let named = meta.server.as_deref().is_some_and(|server| server.contains("AliyunOSS"));
        let ec = meta.ec.is_some() || error.is_some_and(|error| error.ec.is_some());
        if named || ec || meta.server_time_ms.is_some() {
            Self::Oss
        } else if meta.request_id.is_some() {
            Self::S3
        } else {
            Self::Otherwise
        }
    }
}

fn stranger(host: &str, error: &Error) -> Finding {
    let because = visible(&error.message).into_string();
    with_answer(failed(format!("What answers at {host} is not OSS.")), error).because(because).next(
        "Open a web page to sign in to this network, look for a proxy, or correct the endpoint.",
    )
}

fn facts(finding: Finding, meta: &Meta) -> Finding {
    let shown = |text: &str| visible(text).into_string();
    let optional = [
        ("server", meta.server.as_deref().map(shown)),
        ("request id", meta.request_id.as_deref().map(shown)),
        ("server time", meta.server_time_ms.map(|millis| format!("{millis} ms"))),
    ];
    optional.into_iter().fold(finding, |finding, (name, value)| match value {
        Some(value) => finding.fact(name, value),
        None => finding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;

    fn state(meta: Meta) -> State {
        judge("b.example.com", &Ok(Answer { meta, value: None })).state
    }

    #[test]
    fn other_stores_are_told_from_oss() {
        let meta = Meta { status: 200, request_id: Some("65A1".into()), ..Meta::default() };
        let oss = Meta { server: Some("AliyunOSS".into()), ..meta.clone() };
        let minio = Meta { server: Some("MinIO".into()), ..meta };
        let nginx = Meta { status: 200, server: Some("nginx".into()), ..Meta::default() };
        assert_eq!(state(oss), State::Passed);
        assert_eq!(state(minio), State::Warned);
        assert_eq!(state(nginx), State::Failed);
    }
}
