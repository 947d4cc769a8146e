//! A large object goes in parts, and an upload that was given up leaves nothing.

use bytes::Bytes;
use futures_util::future::try_join;

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};
use crate::doctor::permissions;
use crate::model::finding::Finding;
use crate::model::permission::Action;
use crate::oss::object::PutOptions;
use crate::oss::{Error, Kind, crc64};

pub(super) const CHECK: Check = Check {
    id: "multipart",
    title: "large ones go in parts",
    about: "Two parts become one object, and a second upload is aborted and leaves nothing. s3fs \
            sends artifacts of 50 MiB and more so; smaller ones do without.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

/// The least that OSS takes for a part that is not the last (documentation, "Limits": 100 KB).
const FIRST_PART: usize = 100 << 10;
const LAST_PART: &[u8] = b"the last part may be short";

async fn run(case: &Case) -> Verdict {
    let (whole, given_up) = tokio::join!(whole(case), given_up(case));
    let size = whole.map_err(|error| Box::new(explain(&error)))?;
    let finding = match given_up {
        Ok(finding) => finding.worked(Action::AbortMultipartUpload),
        Err(error) if error.kind == Kind::Cancelled => hampered("", &error),
        Err(error) => {
            let finding = hampered("An upload that was given up cannot be aborted.", &error)
                .because("Its parts stay in the bucket, unseen, and cost on.")
                .next(
                    "Allow oss:AbortMultipartUpload on the bucket's objects, or let a lifecycle \
                     rule remove unfinished uploads.",
                );
            permissions::seen::<()>(finding, Action::AbortMultipartUpload, &Err(error))
        }
    };
    Ok(finding.fact("size", format!("{size} bytes in 2 parts")))
}

fn explain(error: &Error) -> Finding {
    let finding = hampered("No object can be written in parts.", error);
    if error.kind == Kind::Cancelled {
        return finding;
    }
    let finding =
        finding.because("Artifacts of 50 MiB and more cannot be saved; smaller ones can.");
    match error.kind {
        Kind::Permission => {
            finding.next("Allow oss:PutObject on the bucket's objects without conditions.")
        }
        _ => finding,
    }
}

/// An object of two parts; how long it came out.
async fn whole(case: &Case) -> Result<u64, Error> {
    let (Ok(store), Ok(client)) = (case.store(), case.client()) else { return Ok(0) };
    let (bucket, traces) = (&store.bucket, &case.traces);
    let key = case.key("parts")?;
    let name = key.as_str();
    let parts = [Bytes::from(vec![b'x'; FIRST_PART]), Bytes::from_static(LAST_PART)];
    let sum = crc64::of(&parts.concat());
    let options = PutOptions::default();
    let id = traces.beginning(&key, client.create_upload(bucket, name, &options)).await?;
    let [first, last] = parts;
    let sent = try_join(
        client.upload_part(bucket, name, &id, 1, first),
        client.upload_part(bucket, name, &id, 2, last),
    );
    let (first, last) = sent.await?;
    let parts = [first.value, last.value];
    traces.writing(&key, client.complete_upload(bucket, name, &id, &parts, Some(sum))).await?;
    traces.ended(&id);
    let size = client.head(bucket, name).await?.value.size.unwrap_or_default();
    let expected = (FIRST_PART + LAST_PART.len()) as u64;
    if size == expected {
        return Ok(size);
    }
    let message = format!("the object has {size} bytes, its parts had {expected}");
    Err(Error::new(Kind::Corrupt, "complete the upload", message))
}

/// An upload that is aborted again, and is gone then.
async fn given_up(case: &Case) -> Result<Finding, Error> {
    let good = passed("Two parts became one object; an aborted upload left nothing.");
    let (Ok(store), Ok(client)) = (case.store(), case.client()) else { return Ok(good) };
    let (bucket, traces) = (&store.bucket, &case.traces);
    let key = case.key("aborted")?;
    let options = PutOptions::default();
    let id = traces.beginning(&key, client.create_upload(bucket, key.as_str(), &options)).await?;
    client.abort_upload(bucket, key.as_str(), &id).await?;
    traces.ended(&id);
    let listed = client.list_uploads(bucket, key.as_str()).await;
    let finding = match &listed {
        Ok(uploads) if uploads.iter().any(|upload| upload.id == id) => {
            warned("An aborted upload is still listed.")
                .because("Its parts may stay in the bucket, unseen, and cost on.")
                .next("Let a lifecycle rule of the bucket remove unfinished uploads.")
        }
        Ok(_) => good.fact("unfinished uploads", "none of ours"),
        // a right of its own, which ZenML does not need
        Err(error) => good.fact("unfinished uploads", error.to_string()),
    };
    Ok(permissions::seen(finding, Action::ListMultipartUploads, &listed))
}
