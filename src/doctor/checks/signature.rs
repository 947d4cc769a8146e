//! OSS takes the signature version that the store names.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused};
use crate::doctor::fix;
use crate::model::store::Signature;
use crate::oss::Error;

pub(super) const CHECK: Check = Check {
    id: "signature",
    title: "the signature is accepted",
    about: "Accounts have S3 V2 and S3 V4 switched on each by itself; where the store's is off, \
            the other one is tried.",
    needs: &["clock"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

async fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    let own = store.signature;
    let refusal = case.first()?.answer.as_ref().err();
    let Some(error) = refusal.filter(|error| is_switched_off(error)) else {
        return Ok(passed(format!("{own} is not refused.")).fact("signature", own.to_string()));
    };
    let other = match own {
        Signature::V2 => Signature::V4,
        Signature::V4 => Signature::V2,
    };
    let finding = refused(format!("{own} is switched off for this account."), error);
    let answer = case.client_by(other)?.bucket_location(&store.bucket).await;
    let finding = finding.fact("signature", own.to_string());
    Ok(match answer.as_ref().err().filter(|error| is_switched_off(error)) {
        None => finding
            .fact("tried instead", format!("{other}: not refused"))
            .next(format!("Take the other one: {}", case.change("signature", other.as_str())))
            .fix(fix::other_signature(store)),
        Some(_) => finding
            .fact("tried instead", format!("{other}: switched off too"))
            .next("Ask Alibaba's support to switch on S3 signatures for this account."),
    })
}

/// The account does not take this signature (OSS, EC pages 0002-00000031 to -033).
fn is_switched_off(error: &Error) -> bool {
    matches!(error.ec.as_deref(), Some("0002-00000031" | "0002-00000032" | "0002-00000033"))
}
