//! What the faults forbid of a known key: refusals of the account, the bucket,
//! the right and the service, in this order.

use http::StatusCode;

use super::action::Action;
use crate::sandbox::faults::Faults;
use crate::sandbox::hosts::Place;
use crate::sandbox::refusal::Refusal;

/// The refusal, where a fault forbids `action`. Codes and ECs are those of the documentation,
/// "HTTP 403 errors" and the EC pages; `QuotaExceeded` is a guess, and so is that `InDebt` has no EC.
pub(super) fn refusal(faults: &Faults, action: Action, place: &Place) -> Option<Refusal> {
    let forbidden = |code, ec: Option<&'static str>, message| {
        Some(Refusal::new(StatusCode::FORBIDDEN, code, ec, message))
    };
    if faults.user_disabled {
        return forbidden("UserDisable", Some("0003-00000801"), "UserDisable");
    }
    if faults.in_debt {
        return forbidden("InDebt", None, "Current user is indebted.");
    }
    if let Some(bucket) = place.bucket() {
        if faults.bucket_disabled {
            return forbidden("BucketDisable", Some("0003-00000908"), "BucketDisable");
        }
        if faults.other_account {
            let message = "The bucket you access does not belong to you.";
            return forbidden("AccessDenied", Some("0003-00000001"), message)
                .map(|refusal| refusal.with("Bucket", bucket));
        }
        if faults.policy_denied {
            let message = "Access denied by bucket policy.";
            return forbidden("AccessDenied", Some("0003-00000101"), message);
        }
    }
    let public = !matches!(place, Place::Domain(_));
    if faults.public_endpoint_forbidden && public && action.is_of_data() {
        return Some(Refusal::new(
            StatusCode::BAD_REQUEST,
            "PublicEndpointForbidden",
            "0048-00000401",
            "Not allowed using the OSS public endpoint , please use CNAME instead.",
        ));
    }
    if denied(faults, action) {
        return Some(Refusal::access_denied());
    }
    if faults.quota_used_up && action.stores() {
        let message = "The storage capacity quota has been exceeded.";
        return forbidden("QuotaExceeded", None, message);
    }
    let copies = matches!(action, Action::Copy | Action::UploadCopy);
    let uploads = matches!(
        action,
        Action::Upload | Action::UploadCopy | Action::EndUpload | Action::ListUploads
    );
    if (faults.copy_off && copies) || (faults.multipart_off && uploads) {
        return Some(Refusal::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            None,
            "A header you provided implies functionality that is not implemented.",
        ));
    }
    None
}

fn denied(faults: &Faults, action: Action) -> bool {
    let read =
        matches!(action, Action::Get { .. } | Action::Head | Action::Copy | Action::UploadCopy);
    (faults.writing_denied && action.writes())
        || (faults.reading_denied && read)
        || (faults.whole_read_denied && action == Action::Get { whole: true })
        || (faults.deleting_denied && action == Action::Delete)
        || (faults.listing_denied && action == Action::List)
        || (faults.versioning_denied && action == Action::ReadVersioning)
        || (faults.list_buckets_denied && action == Action::ListBuckets)
        || (faults.head_bucket_denied
            && matches!(action, Action::HeadBucket | Action::CreateBucket))
}
