//! What can be made to go wrong while the sandbox runs: by a [`FaultSwitch`] in
//! tests, by name on the command line.

mod named;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use self::named::{FAULTS, Fault, FaultError, Setting};

/// The faults that are on. All are off by default; any may be combined. [`FAULTS`] tells each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every answer waits.
    pub latency: Duration,
    /// The head of an answer comes at once, its body after so long.
    pub slow_first_byte: Duration,
    /// So many of a hundred connections are closed in place of an answer.
    pub closed_share: u8,
    /// So many of a hundred requests are done, and their answers lost.
    pub lost_share: u8,
    /// The connection breaks after so many bytes of a body.
    pub cut_body_after: Option<usize>,
    /// The next requests get 503.
    pub unavailable: Option<Unavailable>,
    /// So many of a hundred requests get 503, evenly spread.
    pub unavailable_share: u8,
    /// So many of a hundred requests get 429, evenly spread.
    pub too_many_requests_share: u8,
    /// A proxy answers with a page of its own, with status 200.
    pub html_page: bool,
    /// Every answer is 200 with nothing in it.
    pub empty_answer: bool,
    /// Listings end in the middle; the length of the answer is right.
    pub truncated_listing: bool,
    /// Added to the server's clock.
    pub clock_offset: time::Duration,
    /// The certificate that https shows in place of the sound one.
    pub certificate: Option<BadCertificate>,
    /// S3 authentication is not enabled (EC 0002-00000031).
    pub s3_off: bool,
    /// S3 V2 is not enabled (EC 0002-00000032).
    pub v2_off: bool,
    /// S3 V4 is not enabled (EC 0002-00000033).
    pub v4_off: bool,
    /// The key is switched off (EC 0002-00000904).
    pub key_disabled: bool,
    /// What is said of every token.
    pub token: Option<BadToken>,
    /// The account or user is disabled (EC 0003-00000801).
    pub user_disabled: bool,
    /// The account is in debt; that this has no EC is a guess.
    pub in_debt: bool,
    /// The bucket is banned (EC 0003-00000908).
    pub bucket_disabled: bool,
    /// The bucket's policy denies everything (EC 0003-00000101).
    pub policy_denied: bool,
    /// The bucket is another account's (EC 0003-00000001).
    pub other_account: bool,
    /// The account must use a custom domain for objects (EC 0048-00000401).
    pub public_endpoint_forbidden: bool,
    /// The key may not list objects.
    pub listing_denied: bool,
    /// The key may not ask whether a bucket keeps versions.
    pub versioning_denied: bool,
    /// The key may not list buckets: usual for a RAM user.
    pub list_buckets_denied: bool,
    /// The key may not read objects.
    pub reading_denied: bool,
    /// The key may not write or delete objects, nor make buckets.
    pub writing_denied: bool,
    /// The key may not delete objects.
    pub deleting_denied: bool,
    /// The key may neither ask for the bucket's head nor make the bucket.
    pub head_bucket_denied: bool,
    /// A missing object is told as 403.
    pub missing_denied: bool,
    /// Multipart uploads are not implemented.
    pub multipart_off: bool,
    /// Copies are not implemented.
    pub copy_off: bool,
    /// Objects are read by ranges only, so that none can be read whole to append to it.
    pub whole_read_denied: bool,
    /// Nothing more may be stored.
    pub quota_used_up: bool,
    /// Objects below this prefix are archived; empty for all.
    pub archived_below: Option<String>,
    /// Objects of the default domain come as attachments (EC 0048-00000113).
    pub forced_download: bool,
    /// `Range` is ignored.
    pub range_ignored: bool,
    /// `If-Match` and its kin are ignored.
    pub if_match_ignored: bool,
    /// A gateway takes the plus in a key for a blank.
    pub plus_as_space: bool,
    /// Multi-delete needs no `Content-MD5`.
    pub md5_not_required: bool,
    /// Every page of a listing is the first one.
    pub pages_repeat: bool,
    /// Signed links are refused.
    pub presigning_denied: bool,
    /// The largest body of one request that writes an object whole.
    pub largest_put: Option<u64>,
}

/// OSS asks to slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// How many requests are still refused.
    pub requests: u32,
    /// Seconds in `Retry-After`.
    pub retry_after: u32,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadCertificate {
    /// It ended yesterday.
    Expired,
    /// No CA signed it.
    SelfSigned,
    /// It is another host's.
    WrongName,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// `SecurityTokenExpired`.
    Expired,
    /// `InvalidSecurityToken`.
    Invalid,
    /// `AccessKeyIdAndSecurityTokenNotMatch`.
    Mismatch,
}

/// A handle on the faults of a running sandbox; clones switch the same ones.
#[derive(Clone, Debug, Default)]
pub struct FaultSwitch(Arc<Mutex<Switched>>);

#[derive(Debug, Default)]
struct Switched {
    faults: Faults,
    /// Requests met so far.
    requests: u64,
    /// What changes, and before which request.
    later: Option<(u64, Later)>,
}

/// A change to come.
struct Later(Box<dyn FnOnce(&mut Faults) + Send>);

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").finish_non_exhaustive()
    }
}

impl FaultSwitch {
    /// Begins with `faults`.
    pub fn new(faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(Switched { faults, ..Switched::default() })))
    }

    /// Changes faults, from the next request on.
    pub fn change(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).faults);
    }

    /// How many requests were met so far.
    pub fn requests(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).requests
    }

    /// Changes faults once so many `more` requests were met: in the middle of something.
    pub fn change_after(&self, more: u64, change: impl FnOnce(&mut Faults) + Send + 'static) {
        let mut switched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = switched.requests.saturating_add(more);
        switched.later = Some((due, Later(Box::new(change))));
    }

    /// The certificate that a handshake meets.
    pub(super) fn certificate(&self) -> Option<BadCertificate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).faults.certificate
    }

    /// The faults that one request meets: each share is 100 where it is this request's turn, else
    /// 0. Uses up one of [`Faults::unavailable`].
    pub(super) fn meet(&self) -> Faults {
        let mut switched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = switched.requests;
        switched.requests = before.saturating_add(1);
        if let Some((_, Later(change))) = switched.later.take_if(|(due, _)| *due <= before) {
            change(&mut switched.faults);
        }
        let mut met = switched.faults.clone();
        for share in [
            &mut met.closed_share,
            &mut met.lost_share,
            &mut met.unavailable_share,
            &mut met.too_many_requests_share,
        ] {
            *share = if is_turn(*share, before) { 100 } else { 0 };
        }
        let unavailable = &mut switched.faults.unavailable;
        *unavailable = unavailable.and_then(|mut left| {
            left.requests = left.requests.saturating_sub(1);
            (left.requests > 0).then_some(left)
        });
        met
    }
}

/// Whether the request after `before` others is one of its share of a hundred. The first ones of
/// a share below 100 pass, so that a check that stops at its first failure sees some of each.
fn is_turn(share: u8, before: u64) -> bool {
    let due = |requests: u64| requests.saturating_mul(share.into()) / 100;
    due(before.saturating_add(1)) > due(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_spread_evenly() {
        for share in [0, 1, 20, 50, 99, 100] {
            let turns = (0..1000).filter(|before| is_turn(share, *before)).count();
            assert_eq!(turns, usize::from(share) * 10);
        }
        let turns: Vec<u64> = (0..10).filter(|before| is_turn(20, *before)).collect();
        assert_eq!(turns, [4, 9]);
    }

    #[test]
    fn requests_that_are_refused_are_counted_down() {
        let unavailable = Some(Unavailable { requests: 2, retry_after: 1 });
        let switch = FaultSwitch::new(Faults { unavailable, ..Faults::default() });
        let met: Vec<bool> = (0..3).map(|_| switch.meet().unavailable.is_some()).collect();
        assert_eq!(met, [true, true, false]);
    }
}
