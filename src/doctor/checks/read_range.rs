//! The object comes back by range, and only as long as it is the same: `ZenML` reads with
//! `If-Match`.

use crate::base::visible::visible;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, refused, warned};
use crate::doctor::permissions;
use crate::model::finding::Finding;
use crate::model::permission::Action;
use crate::oss::{Error, Kind};

pub(super) const CHECK: Check = Check {
    id: "read-range",
    title: "it can be read back by range",
    about: "HEAD, then a range with If-Match, as ZenML reads every artifact; with the ETag of \
            another object the answer has to be 412.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

const RANGE: std::ops::Range<usize> = 8..24;
/// No object's: the MD5 of nothing, and the probe holds something.
const OTHER_ETAG: &str = "D41D8CD98F00B204E9800998ECF8427E";

fn unreadable(summary: &str, error: Error) -> Box<Finding> {
    let finding = refused(summary, &error);
    let finding = match error.kind {
        Kind::Permission => finding.next(
            "Allow oss:GetObject on the bucket's objects for this key: every step reads what the \
             one before it wrote.",
        ),
        _ => finding,
    };
    Box::new(permissions::seen::<()>(finding, Action::GetObject, &Err(error)))
}

async fn run(case: &Case) -> Verdict {
    let (store, client, probe) = (case.store()?, case.client()?, case.probe()?);
    let (bucket, key) = (&store.bucket, probe.key.as_str());
    let range = RANGE.start as u64..RANGE.end as u64;
    let head = client
        .head(bucket, key)
        .await
        .map_err(|error| unreadable("The object just written is not to be seen.", error))?;
    let etag = head.value.etag.or_else(|| probe.etag.clone());
    let (part, mismatch) = tokio::join!(
        client.get_as_botocore(bucket, key, range.clone(), etag.as_deref()),
        client.get_as_botocore(bucket, key, range.clone(), Some(OTHER_ETAG)),
    );
    let part = part.map_err(|error| unreadable("The object cannot be read by range.", error))?;
    let shown = etag.as_deref().map_or_else(|| "none".to_owned(), |it| visible(it).into_string());
    let told = |finding: Finding| {
        finding
            .worked(Action::GetObject)
            .fact("status", part.meta.status.to_string())
            .fact("etag", shown.clone())
    };
    if probe.body.get(RANGE) != Some(part.value.as_ref()) || part.meta.status != 206 {
        return Ok(told(failed("Other bytes came back than were asked for."))
            .because(format!("Bytes {} to {} were asked for.", RANGE.start, RANGE.end - 1))
            .next("Something on the way changes answers (a caching proxy?): take it out."));
    }
    Ok(told(match mismatch {
        Err(error) if error.kind == Kind::Precondition => {
            passed("The bytes came back, and If-Match holds.")
        }
        Ok(_) => warned("The server does not heed If-Match.")
            .because("ZenML would not notice that an artifact changes while it is read.")
            .next("Check that the endpoint is OSS itself and no gateway in front of it."),
        Err(error) => refused("A read that must not match is answered oddly.", &error),
    }))
}
