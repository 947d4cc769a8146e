//! The server copies an object by itself.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, hampered, passed, warned};
use crate::oss::Kind;
use crate::oss::object::CopyOptions;

pub(super) const CHECK: Check = Check {
    id: "copy",
    title: "it can be copied",
    about: "x-amz-copy-source within the bucket: fileio.copy and rename use it. Ordinary steps do \
            without.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let (store, client, probe) = (case.store()?, case.client()?, case.probe()?);
    let bucket = &store.bucket;
    let fails = |error| Box::new(hampered("The object cannot be copied.", &error));
    let to = case.key("copy").map_err(fails)?;
    let options = CopyOptions::default();
    let copying = client.copy((bucket, probe.key.as_str()), (bucket, to.as_str()), &options);
    case.traces.writing(&to, copying).await.map_err(|error| {
        let finding = hampered("The object cannot be copied.", &error);
        Box::new(match error.kind {
            Kind::Permission => finding
                .because("Steps that copy or rename files in the store fail; others work.")
                .next("Allow oss:GetObject and oss:PutObject on the bucket's objects."),
            _ => finding,
        })
    })?;
    let most = probe.body.len() + 1;
    let read = client.get_range(bucket, to.as_str(), 0, most, None).await.map_err(fails)?;
    if read.value.bytes == probe.body {
        return Ok(passed("The copy holds the same bytes."));
    }
    Ok(warned("The copy holds other bytes than the object.")
        .because("The server answered that it copied.")
        .next("Check that the endpoint is OSS itself and no gateway in front of it."))
}
