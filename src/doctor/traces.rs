//! What the diagnosis may have left in the bucket.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;
use crate::oss::{Client, Kind};

/// Keys that were, or may have been, written and are not yet known to be gone. Clones share the
/// list, so that it outlives a check that was dropped or panicked in the middle.
#[derive(Clone, Debug, Default)]
pub struct Traces(Arc<Mutex<Vec<Trace>>>);

#[derive(Clone, Debug)]
struct Trace {
    key: ObjectKey,
    /// The request that writes it is on its way.
    in_flight: bool,
}

impl Traces {
    /// `key` is about to be written. Said before the request goes out: nobody knows how far a
    /// request came that was broken off.
    pub(super) fn announce(&self, key: ObjectKey) {
        self.with(|traces| traces.push(Trace { key, in_flight: true }));
    }

    /// The request that writes `key` has been answered, whatever the answer.
    pub(super) fn answered(&self, key: &ObjectKey) {
        self.with(|traces| {
            for trace in traces.iter_mut().filter(|trace| trace.key == *key) {
                trace.in_flight = false;
            }
        });
    }

    /// `key` is known not to be there.
    pub(super) fn gone(&self, key: &ObjectKey) {
        self.with(|traces| traces.retain(|trace| trace.key != *key));
    }

    /// Whether a write is on its way at this moment.
    pub(super) fn in_flight(&self) -> bool {
        self.with(|traces| traces.iter().any(|trace| trace.in_flight))
    }

    /// Deletes what is left, within `limit` altogether. Answers the keys of which it is not known
    /// that they are gone.
    pub(super) async fn clean_up(
        &self,
        client: &Client,
        bucket: &BucketName,
        limit: Duration,
    ) -> Vec<ObjectKey> {
        let deleting = async {
            for key in self.keys() {
                match client.delete(bucket, key.as_str()).await {
                    Ok(_) => self.gone(&key),
                    Err(error) if error.kind == Kind::NotFound => self.gone(&key),
                    Err(_) => {}
                }
            }
        };
        // out of time: the keys that remain in the list are the answer
        let _in_time = tokio::time::timeout(limit, deleting).await;
        self.keys()
    }

    fn keys(&self) -> Vec<ObjectKey> {
        self.with(|traces| traces.iter().map(|trace| trace.key.clone()).collect())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Trace>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
