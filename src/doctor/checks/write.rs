//! A small object can be written below the store's prefix.

use bytes::Bytes;

use crate::doctor::case::{Case, Probe};
use crate::doctor::check::{Check, Verdict, failed, may_have_happened, passed, refused};
use crate::doctor::permissions;
use crate::model::object_key::ObjectKey;
use crate::model::permission::Action;
use crate::oss::Kind;
use crate::oss::object::PutOptions;
use crate::ports::entropy;

pub(super) const CHECK: Check = Check {
    id: "write",
    title: "an object can be written",
    needs: &["bucket-region"],
    run: |case| Box::pin(run(case)),
};

/// Whoever finds it shall know what it is.
const BODY: &[u8] = b"Written by a check of osstack, which deletes it again.\n";

async fn run(case: &mut Case) -> Verdict {
    let (store, client) = (case.store()?, case.client()?);
    let random = entropy::hex(case.services.entropy.as_ref(), 16);
    let name = format!("{}.osstack-check-{random}", store.key_prefix());
    let key = match ObjectKey::parse(&name) {
        Ok(key) => key,
        Err(error) => {
            return Ok(failed("There is no room for an object below the prefix.")
                .because(error.to_string())
                .next("Shorten the store's prefix."));
        }
    };
    let body = Bytes::from_static(BODY);
    case.traces.announce(key.clone());
    let answer =
        client.put(&store.bucket, key.as_str(), body.clone(), &PutOptions::default()).await;
    case.traces.answered(&key);
    match answer {
        Ok(answer) => {
            let finding = passed(format!("{} bytes written.", body.len()))
                .worked(Action::PutObject)
                .fact("key", name)
                .fact("checksum", if answer.verified { "equal" } else { "not told" });
            let etag = answer.value.etag;
            case.probe = Some(Probe { key, body, etag });
            Ok(finding)
        }
        Err(error) => {
            if !may_have_happened(&error) {
                case.traces.gone(&key);
            }
            let finding = refused(format!("No object can be written to {}.", store.path()), &error);
            Ok(match error.kind {
                Kind::Permission => finding.next(
                    "Allow oss:PutObject on the bucket's objects for this key: every step of a \
                     pipeline writes.",
                ),
                _ => finding,
            }
            .fact("key", name))
            .map(|finding| permissions::seen::<()>(finding, Action::PutObject, &Err(error)))
        }
    }
}
