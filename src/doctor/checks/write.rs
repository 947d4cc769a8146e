//! A small object can be written below the store's prefix, with the headers that botocore sends.

use bytes::Bytes;

use crate::doctor::case::{Case, Lesson};
use crate::doctor::check::{Check, Seen, passed, refused};
use crate::doctor::permissions;
use crate::model::finding::Finding;
use crate::model::permission::Action;
use crate::oss::client::Guard;
use crate::oss::{Error, Kind};

pub(super) const CHECK: Check = Check {
    id: "write",
    title: "an object can be written",
    about: "A small object as the newest botocore sends it under the settings that ZenML is given: \
            with Expect and its CRC-32 header, with neither, or with S3 V4 over https as \
            aws-chunked, which OSS refuses.",
    needs: &["head-bucket", "public-endpoint", "residency"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// Whoever finds it shall know what it is.
const BODY: &[u8] = b"Written by a check of osstack, which deletes it again.\n";
/// EC of an aws-chunked body.
const CHUNKED: &str = "0017-00000804";

async fn run(case: &Case) -> Result<Seen, Box<Finding>> {
    let store = case.store()?;
    let sent = match case.guard(store) {
        Guard::Nothing => "plain",
        Guard::Header => "x-amz-checksum-crc32 in the head",
        Guard::Trailer => "aws-chunked, x-amz-checksum-crc32 behind the body",
    };
    let probe = case.put("small", Bytes::from_static(BODY)).await.map_err(|error| {
        let summary = format!("No object can be written to {}.", store.path());
        let finding = advise(case, refused(summary, &error), &error).fact("sent", sent);
        Box::new(permissions::seen::<()>(finding, Action::PutObject, &Err(error)))
    })?;
    let finding = passed(format!("{} bytes written.", probe.body.len()))
        .worked(Action::PutObject)
        .fact("key", probe.key.as_str())
        .fact("checksum", if probe.verified { "equal" } else { "not told" })
        .fact("sent", sent);
    Ok(Seen::teaching(finding, Lesson::Written(probe)))
}

fn advise(case: &Case, finding: Finding, error: &Error) -> Finding {
    if error.ec.as_deref() == Some(CHUNKED) {
        return finding
            .because(
                "From botocore 1.36 on S3 V4 over https sends uploads in aws-chunked pieces, \
                 unless config_kwargs says otherwise.",
            )
            .next(format!(
                "Take S3 V2: {}; or put request_checksum_calculation = \"when_required\" and \
                 response_checksum_validation = \"when_required\" into the store's config_kwargs.",
                case.change("signature", "v2")
            ));
    }
    match error.kind {
        Kind::Permission => finding.next(
            "Allow oss:PutObject on the bucket's objects for this key: every step of a pipeline \
             writes.",
        ),
        _ => finding,
    }
}
