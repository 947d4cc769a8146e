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
    needs: &["write"],
    run: |case| Box::pin(run(case)),
};

const OFFSET: usize = 8;
const LENGTH: usize = 16;
/// No object's: the MD5 of nothing, and the probe holds something.
const OTHER_ETAG: &str = "D41D8CD98F00B204E9800998ECF8427E";

fn unreadable(summary: &str, error: Error) -> Box<Finding> {
    let finding = refused(summary, &error);
    Box::new(permissions::seen::<()>(finding, Action::GetObject, &Err(error)))
}

async fn run(case: &mut Case) -> Verdict {
    let (store, client, probe) = (case.store()?, case.client()?, case.probe()?);
    let bucket = &store.bucket;
    let head = client
        .head(bucket, probe.key.as_str())
        .await
        .map_err(|error| unreadable("The object just written is not to be seen.", error))?;
    let etag = head.value.etag.or_else(|| probe.etag.clone());
    let (offset, length) = (OFFSET as u64, LENGTH);
    let part = client
        .get_range(bucket, probe.key.as_str(), offset, length, etag.as_deref())
        .await
        .map_err(|error| unreadable("The object cannot be read by range.", error))?;
    let shown = etag.as_deref().map_or_else(|| "none".to_owned(), |it| visible(it).into_string());
    let told = |finding: Finding| {
        finding
            .worked(Action::GetObject)
            .fact("status", part.meta.status.to_string())
            .fact("etag", shown.clone())
    };
    if probe.body.get(OFFSET..OFFSET + LENGTH) != Some(part.value.bytes.as_ref()) {
        return Ok(told(failed("Other bytes came back than were written."))
            .because(format!("{LENGTH} bytes from {OFFSET} on were asked for."))
            .next("Something on the way changes answers (a caching proxy?): take it out."));
    }
    match client.get_range(bucket, probe.key.as_str(), offset, length, Some(OTHER_ETAG)).await {
        Err(error) if error.kind == Kind::Precondition => {
            Ok(told(passed("The bytes came back, and If-Match holds.")))
        }
        Ok(_) => Ok(told(warned("The server does not heed If-Match."))
            .because("ZenML would not notice that an artifact changes while it is read.")
            .next("Check that the endpoint is OSS itself and no gateway in front of it.")),
        Err(error) => Ok(told(refused("A read that must not match is answered oddly.", &error))),
    }
}
