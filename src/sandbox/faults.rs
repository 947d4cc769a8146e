//! What can be made to go wrong while the sandbox runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The faults that are on. All are off by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Added to the server's clock.
    pub clock_offset: time::Duration,
    /// S3 V2 is not enabled (EC 0002-00000032).
    pub v2_off: bool,
    /// S3 V4 is not enabled (EC 0002-00000033).
    pub v4_off: bool,
    /// The key may not list objects.
    pub listing_denied: bool,
    /// The key may not list buckets: usual for a RAM user.
    pub list_buckets_denied: bool,
    /// The key may not write or delete objects.
    pub writing_denied: bool,
    /// The key is switched off (EC 0002-00000904).
    pub key_disabled: bool,
    /// The account must use a custom domain for objects (EC 0048-00000401).
    pub public_endpoint_forbidden: bool,
    /// A proxy answers with a page of its own, with status 200.
    pub html_page: bool,
    /// Listings end in the middle; the length of the answer is right.
    pub truncated_listing: bool,
    /// The connection breaks after so many bytes of a body.
    pub cut_body_after: Option<usize>,
    /// So many requests get 503.
    pub unavailable: Option<Unavailable>,
    /// Every answer waits.
    pub latency: Duration,
}

/// OSS asks to slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// How many requests are still refused.
    pub requests: u32,
    /// Seconds in `Retry-After`.
    pub retry_after: u32,
}

/// A handle on the faults of a running sandbox; clones switch the same ones.
#[derive(Clone, Debug, Default)]
pub struct FaultSwitch(Arc<Mutex<Faults>>);

impl FaultSwitch {
    /// Begins with `faults`.
    pub fn new(faults: Faults) -> Self {
        Self(Arc::new(Mutex::new(faults)))
    }

    /// Changes faults, from the next request on.
    pub fn change(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The faults that one request meets. Uses up one of [`Faults::unavailable`].
    pub(super) fn meet(&self) -> Faults {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let met = faults.clone();
        faults.unavailable = faults.unavailable.and_then(|mut left| {
            left.requests = left.requests.saturating_sub(1);
            (left.requests > 0).then_some(left)
        });
        met
    }
}
