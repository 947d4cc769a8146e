//! Each rung meets the fault that it is there for, and says whether pipelines run in spite of it.

use osstack::doctor::{Ladder, Outcome, Report};
use osstack::model::finding::{Finding, State};
use osstack::model::secret::Credentials;
use osstack::model::store::{Signature, StoreDraft};
use osstack::sandbox::OTHER_REGION;
use osstack::sandbox::faults::{BadCertificate, BadToken, Faults};
use osstack::sandbox::keys::Keys;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::doctor_bed::{Bed, code, fact, failed, found, ids, quiet, target};

/// What is said of a good store that meets this fault; nothing is left behind.
async fn meeting(change: impl FnOnce(&mut Faults)) -> Report {
    let bed = Bed::new();
    bed.meet(change);
    let report = bed.check(bed.target()).await;
    assert!(report.left_behind.is_empty(), "{report:#?}");
    assert_eq!(bed.keys().await, [""; 0]);
    report
}

/// The one rung that warns, beside multi-delete, which always does on OSS.
fn warned<'a>(report: &'a Report, id: &'static str) -> &'a Finding {
    assert_eq!(report.outcome, Outcome::Warned, "{report:#?}");
    let mut warned = ids(report, State::Warned);
    warned.retain(|other| *other != "multi-delete");
    assert_eq!(warned, [id], "{report:#?}");
    let finding = found(report, id);
    assert!(finding.because.is_some() && finding.next.is_some(), "{finding:#?}");
    finding
}

#[tokio::test]
async fn a_head_of_the_bucket_that_is_refused() {
    let report = meeting(|faults| faults.head_bucket_denied = true).await;
    let finding = failed(&report, "head-bucket");
    assert!(finding.because.as_deref().unwrap().contains("create the bucket"), "{finding:#?}");
}

#[tokio::test]
async fn a_missing_object_that_is_a_refusal() {
    let report = meeting(|faults| faults.missing_denied = true).await;
    let finding = failed(&report, "missing-object");
    assert_eq!(finding.error.as_ref().unwrap().status, Some(403));
    assert!(finding.because.as_deref().unwrap().contains("exists()"), "{finding:#?}");
}

#[tokio::test]
async fn objects_that_may_not_be_read() {
    let report = meeting(|faults| faults.reading_denied = true).await;
    assert_eq!(ids(&report, State::Failed), ["missing-object", "read-range"], "{report:#?}");
    let finding = found(&report, "read-range");
    assert!(finding.next.as_deref().unwrap().contains("oss:GetObject"), "{finding:#?}");
}

#[tokio::test]
async fn a_quota_that_is_used_up() {
    let report = meeting(|faults| faults.quota_used_up = true).await;
    assert_eq!(code(failed(&report, "write")).0, Some("QuotaExceeded"));
}

#[tokio::test]
async fn a_server_that_ignores_ranges() {
    let report = meeting(|faults| faults.range_ignored = true).await;
    let finding = failed(&report, "read-range");
    assert!(finding.summary.contains("Other bytes"), "{finding:#?}");
}

#[tokio::test]
async fn a_server_that_does_not_heed_if_match() {
    let report = meeting(|faults| faults.if_match_ignored = true).await;
    assert!(warned(&report, "read-range").summary.contains("If-Match"));
}

#[tokio::test]
async fn objects_that_cannot_be_read_whole_cannot_grow() {
    let report = meeting(|faults| faults.whole_read_denied = true).await;
    let finding = found(&report, "append");
    assert_eq!(finding.state, State::Warned, "{report:#?}");
    assert!(finding.summary.contains("appended"), "{finding:#?}");
}

#[tokio::test]
async fn no_copies() {
    let report = meeting(|faults| faults.copy_off = true).await;
    assert_eq!(code(warned(&report, "copy")).0, Some("NotImplemented"));
}

#[tokio::test]
async fn no_uploads_in_parts() {
    let report = meeting(|faults| faults.multipart_off = true).await;
    let finding = warned(&report, "multipart");
    assert!(finding.because.as_deref().unwrap().contains("50 MiB"), "{finding:#?}");
    // listing uploads is refused too, which says nothing of the store
    assert_eq!(found(&report, "leftovers").state, State::Passed);
}

#[tokio::test]
async fn a_gateway_that_takes_a_plus_for_a_blank() {
    let report = meeting(|faults| faults.plus_as_space = true).await;
    assert!(warned(&report, "odd-key").summary.contains("another"), "{report:#?}");
}

#[tokio::test]
async fn multi_delete_works_for_all_where_no_md5_is_asked_for() {
    let report = meeting(|faults| faults.md5_not_required = true).await;
    assert_eq!(report.outcome, Outcome::Passed, "{report:#?}");
    assert_eq!(
        ids(&report, State::Skipped),
        ["tls", "residency", "stack-components", "python", "rate"]
    );
}

#[tokio::test]
async fn multi_delete_of_the_newest_botocore_is_refused_with_the_pins_that_help() {
    let report = meeting(|_| {}).await;
    let finding = found(&report, "multi-delete");
    assert_eq!(code(finding), (Some("MissingArgument"), Some("0016-00000606")));
    assert_eq!(fact(finding, "by MD5"), "accepted");
    let next = finding.next.as_deref().unwrap();
    for pin in ["boto3<1.36", "s3fs<2025", "aiobotocore<2.18"] {
        assert!(next.contains(pin), "{next}");
    }
    assert!(finding.because.as_deref().unwrap().contains("artifact prune"));
}

#[tokio::test]
async fn archived_objects_that_lie_there() {
    let bed = Bed::new();
    let (client, bucket) = bed.client();
    let options = osstack::oss::object::PutOptions::default();
    for key in ["zenml/old/a", "zenml/old/b", "zenml/new", "other/old"] {
        client.put(&bucket, key, "x".into(), &options).await.unwrap();
    }
    bed.meet(|faults| faults.archived_below = Some("zenml/old/".into()));
    let report = bed.check(bed.target()).await;
    let finding = warned(&report, "storage-class");
    assert!(finding.summary.starts_with("2 of 3 objects"), "{finding:#?}");
    assert_eq!(fact(finding, "for example"), "zenml/old/a");
    assert_eq!(fact(finding, "objects"), "2 Archive, 1 Standard");
    assert_eq!(bed.keys().await.len(), 4);
}

#[tokio::test]
async fn uploads_of_the_newest_botocore_by_s3_v4_over_https() {
    let bed = Bed::with_tls().trusting();
    let draft = StoreDraft { signature: Signature::V4, ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    let finding = failed(&report, "write");
    assert_eq!(code(finding), (Some("InvalidArgument"), Some("0017-00000804")));
    assert!(finding.next.as_deref().unwrap().contains("when_required"), "{finding:#?}");
    assert_eq!(bed.keys().await, [""; 0]);

    let mut draft = draft;
    let settings = ["request_checksum_calculation", "response_checksum_validation"];
    for name in settings {
        draft.extras.config_kwargs.insert(name.into(), json!("when_required"));
    }
    let report = bed.check(target(&draft, bed.credentials())).await;
    assert_eq!(ids(&report, State::Warned), ["multi-delete"], "{report:#?}");
    assert_eq!(fact(found(&report, "write"), "sent"), "plain");
}

#[tokio::test]
async fn certificates_that_do_not_hold() {
    for (bad, word) in [
        (BadCertificate::Expired, "expired"),
        (BadCertificate::SelfSigned, "self-signed"),
        (BadCertificate::WrongName, "another host"),
    ] {
        let bed = Bed::with_tls().trusting();
        bed.meet(|faults| faults.certificate = Some(bad));
        let report = bed.check(bed.target()).await;
        let finding = failed(&report, "tls");
        assert!(finding.because.as_deref().unwrap().contains(word), "{finding:#?}");
    }
}

#[tokio::test]
async fn tokens_that_are_missing_expired_or_anothers() {
    let bed = Bed::new();
    let keys = Keys::default();
    let bare = Credentials { session_token: None, ..keys.temporary().duplicate() };
    let report = bed.check(target(&bed.draft(), bare)).await;
    let finding = failed(&report, "session-token");
    assert!(finding.summary.contains("without its session token"), "{finding:#?}");
    for (bad, word) in [
        (BadToken::Expired, "expired"),
        (BadToken::Mismatch, "does not fit"),
        (BadToken::Invalid, "does not fit"),
    ] {
        bed.meet(|faults| faults.token = Some(bad));
        let report = bed.check(target(&bed.draft(), keys.temporary().duplicate())).await;
        let finding = failed(&report, "session-token");
        assert!(finding.summary.contains(word), "{finding:#?}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_anothers_and_one_that_is_closed() {
    let report = meeting(|faults| faults.other_account = true).await;
    let finding = failed(&report, "bucket");
    assert!(finding.summary.contains("not ours"), "{finding:#?}");
    let report = meeting(|faults| faults.policy_denied = true).await;
    assert_eq!(code(failed(&report, "bucket")).1, Some("0003-00000101"));
    let report = meeting(|faults| faults.bucket_disabled = true).await;
    assert_eq!(code(failed(&report, "bucket")).0, Some("BucketDisable"));
    let report = meeting(|faults| faults.user_disabled = true).await;
    assert_eq!(code(failed(&report, "access-key")).0, Some("UserDisable"));
}

#[tokio::test]
async fn answers_with_nothing_in_them_are_not_oss() {
    let report = meeting(|faults| faults.empty_answer = true).await;
    failed(&report, "oss-server");
}

#[tokio::test]
async fn another_way_in_than_zenmls_is_said_and_another_region_is_wrong() {
    let bed = Bed::new();
    let access = bed.is.endpoint.replace("oss-sandbox", "s3.oss-sandbox");
    let draft = StoreDraft { access: access.clone(), ..bed.draft() };
    let report = bed.check(target(&draft, bed.credentials())).await;
    let finding = warned(&report, "vantage");
    assert!(finding.because.as_deref().unwrap().contains(&access), "{finding:#?}");
    assert_eq!(fact(finding, "ZenML uses"), bed.is.endpoint);
    assert_eq!(fact(finding, "used here"), access);
    assert_eq!(OTHER_REGION, bed.is.regions.last().unwrap().id);

    // what is served here by the one region is not to be had by ZenML in the other
    let draft = StoreDraft {
        region: String::new(),
        endpoint: "https://oss-cn-beijing-internal.aliyuncs.com".into(),
        access: "https://oss-eu-central-1.aliyuncs.com".into(),
        ..bed.draft()
    };
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    let target = target(&draft, bed.credentials());
    let report = Ladder::default()
        .run(target, bed.services(), &stop, async |progress| {
            use osstack::doctor::Progress;
            // before a name is asked for: nothing of this test leaves the machine
            if matches!(progress, Progress::Found(finding) if finding.id == "endpoint") {
                cancel.cancel();
            }
        })
        .await;
    assert_eq!(report.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn the_rate_is_measured_where_it_is_asked_for() {
    let bed = Bed::new();
    let report = Ladder::default()
        .with_rate(true)
        .run(bed.target(), bed.services(), &CancellationToken::new(), quiet)
        .await;
    let finding = found(&report, "rate");
    assert_eq!(finding.state, State::Passed, "{finding:#?}");
    assert!(fact(finding, "up").ends_with("/s") && fact(finding, "down").ends_with("/s"));
    assert_eq!(bed.keys().await, [""; 0]);
}

#[tokio::test]
async fn rights_are_seen_in_the_calls() {
    use osstack::model::permission::{Action, Grant};
    let report = meeting(|_| {}).await;
    let rights = report.rights();
    for action in [
        Action::ListBuckets,
        Action::GetBucketInfo,
        Action::GetBucketLocation,
        Action::ListObjects,
        Action::GetObject,
        Action::PutObject,
        Action::DeleteObject,
        Action::AbortMultipartUpload,
    ] {
        assert_eq!(rights.get(&action), Some(&Grant::Worked), "{action}");
    }
}
