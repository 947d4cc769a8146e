//! Many objects go in one request, in the form of the newest botocore and in that of older ones.

use bytes::Bytes;
use futures_util::future::{join, try_join};

use crate::base::visible::visible;
use crate::doctor::case::{Case, Probe};
use crate::doctor::check::{Check, Verdict, hampered, passed, warned, with_answer};
use crate::model::finding::Finding;
use crate::oss::client::DeleteGuard;
use crate::oss::object::NotDeleted;
use crate::oss::{Answer, Error, Kind};

pub(super) const CHECK: Check = Check {
    id: "multi-delete",
    title: "many can be deleted at once",
    about: "DeleteObjects as botocore 1.36 and newer sends it, with a CRC-32 and no Content-MD5, \
            and as older ones do. OSS refuses the newer form: zenml artifact prune, deleting \
            artifacts and renaming then fail, while pipelines run.",
    needs: &["write"],
    run: |case| Box::pin(async move { run(&case).await.into() }),
};

const PINS: &str = "Where ZenML should delete, pin boto3<1.36, s3fs<2025 and aiobotocore<2.18 (on \
                    its server too), or delete with osstack rm, which sends Content-MD5.";

type Deleted = Result<Answer<Vec<NotDeleted>>, Error>;

async fn run(case: &Case) -> Verdict {
    let put = |name| case.put(name, Bytes::from_static(b"one of many\n"));
    let (one, other) = try_join(put("many-1"), put("many-2"))
        .await
        .map_err(|error| Box::new(hampered("No two objects can be written.", &error)))?;
    let (newer, older) =
        join(delete(case, &one, DeleteGuard::Crc32), delete(case, &other, DeleteGuard::Md5)).await;
    Ok(judge(&newer?, &older?))
}

async fn delete(case: &Case, probe: &Probe, guard: DeleteGuard) -> Result<Deleted, Box<Finding>> {
    let (store, client) = (case.store()?, case.client()?);
    let keys = [probe.key.as_str()];
    let answer = client.delete_as_botocore(&store.bucket, &keys, guard).await;
    if answer.as_ref().is_ok_and(|left| left.value.is_empty()) {
        case.traces.gone(&probe.key);
    }
    Ok(answer)
}

fn judge(newer: &Deleted, older: &Deleted) -> Finding {
    let word = |deleted: &Deleted| match deleted {
        Ok(answer) => match answer.value.first() {
            None => "accepted".to_owned(),
            Some(left) => format!("left standing: {}", visible(&left.code)),
        },
        Err(error) => format!("refused: {error}"),
    };
    let works = |deleted: &Deleted| deleted.as_ref().is_ok_and(|left| left.value.is_empty());
    let is_denied = |deleted: &Deleted| match deleted {
        Ok(answer) => answer.value.iter().any(|left| left.code == "AccessDenied"),
        Err(error) => error.kind == Kind::Permission,
    };
    let finding = match (works(newer), works(older)) {
        (true, true) => passed("Many can be deleted at once, by new botocores and old ones."),
        (true, false) => warned("Only botocore 1.36 and newer can delete many at once.")
            .because("The older form, with Content-MD5, is refused.")
            .next("Where ZenML should delete, use boto3 1.36 or newer."),
        (false, _) if is_denied(newer) => warned("The key may not delete many objects at once.")
            .because("Deleting artifacts from ZenML fails; pipelines run.")
            .next("Allow oss:DeleteObject on the bucket's objects for this key."),
        (false, true) => warned("botocore 1.36 and newer cannot delete many at once here.")
            .because(
                "They send x-amz-checksum-crc32 in place of the Content-MD5 that OSS asks for: \
                 zenml artifact prune, deleting artifacts and renaming fail. Pipelines run.",
            )
            .next(PINS),
        (false, false) => warned("Nobody can delete many at once here.")
            .because("zenml artifact prune, deleting artifacts and renaming fail. Pipelines run.")
            .next("Delete objects one by one: osstack rm STORE:KEY."),
    };
    let finding = match newer {
        Err(error) => with_answer(finding, error),
        Ok(_) => finding,
    };
    finding.fact("by CRC-32", word(newer)).fact("by MD5", word(older))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;
    use crate::oss::Meta;

    fn judged(newer: Result<(), Kind>, older: Result<(), Kind>) -> Finding {
        let answer = |seen: Result<(), Kind>| -> Deleted {
            seen.map(|()| Answer { meta: Meta::default(), value: Vec::new() })
                .map_err(|kind| Error::new(kind, "delete objects", "no"))
        };
        judge(&answer(newer), &answer(older))
    }

    #[test]
    fn each_pair_of_answers_has_its_own_words() {
        let all = [
            judged(Ok(()), Ok(())),
            judged(Ok(()), Err(Kind::Refused)),
            judged(Err(Kind::Refused), Ok(())),
            judged(Err(Kind::Refused), Err(Kind::Refused)),
            judged(Err(Kind::Permission), Err(Kind::Permission)),
        ];
        let states: Vec<_> = all.iter().map(|finding| finding.state).collect();
        assert_eq!(states[0], State::Passed);
        assert!(states[1..].iter().all(|state| *state == State::Warned));
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other.summary != one.summary), "{one:?}");
        }
        assert!(all[2].next.as_deref().unwrap().contains("aiobotocore<2.18"));
    }
}
