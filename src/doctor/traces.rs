//! What the diagnosis may have left in the bucket.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::check::may_have_happened;
use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;
use crate::oss::{Answer, Client, Error, Kind};

/// Every write of the diagnosis goes through here: it is noted before its request goes out, since
/// nobody knows how far a request came that was broken off, and none begins any more after a
/// cancel. Clones share the notes, which so outlive a rung that was dropped or panicked in the
/// middle.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    notes: Arc<Mutex<Vec<Trace>>>,
    cancel: CancellationToken,
    /// The rung that writes.
    rung: &'static str,
}

#[derive(Clone, Debug)]
struct Trace {
    rung: &'static str,
    key: ObjectKey,
    what: What,
    /// The request that writes it is on its way.
    in_flight: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Object,
    /// An upload in parts; its id, once the server has told it.
    Upload(Option<String>),
}

impl Traces {
    /// Of nothing yet. After `cancel` nothing is written any more.
    pub(super) fn new(cancel: CancellationToken) -> Self {
        Self { cancel, ..Self::default() }
    }

    /// The same notes, in the hands of `rung`.
    pub(super) fn of(&self, rung: &'static str) -> Self {
        Self { rung, ..self.clone() }
    }

    /// Sends `request`, which writes the object `key`.
    pub(super) async fn writing<T>(
        &self,
        key: &ObjectKey,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let is_new = self.begin(key, What::Object)?;
        let answer = request.await;
        match &answer {
            // an object written before stays where its rewriting is refused
            Err(error) if is_new && !may_have_happened(error) => self.gone(key),
            _ => self.arrived(key, &What::Object),
        }
        answer
    }

    /// Sends `request`, which begins an upload of `key` in parts, and answers its id.
    pub(super) async fn beginning(
        &self,
        key: &ObjectKey,
        request: impl Future<Output = Result<Answer<String>, Error>>,
    ) -> Result<String, Error> {
        let unknown = What::Upload(None);
        self.begin(key, unknown.clone())?;
        let answer = request.await;
        self.with(|notes| notes.retain(|trace| !trace.is(key, &unknown)));
        match &answer {
            Ok(id) => self.note(key, What::Upload(Some(id.value.clone())), false),
            Err(error) if may_have_happened(error) => self.note(key, unknown, false),
            Err(_) => {}
        }
        answer.map(|answer| answer.value)
    }

    /// The object `key` is known not to be there.
    pub(super) fn gone(&self, key: &ObjectKey) {
        self.with(|notes| notes.retain(|trace| !trace.is(key, &What::Object)));
    }

    /// The upload `id` is known to have ended.
    pub(super) fn ended(&self, id: &str) {
        self.with(|notes| {
            notes.retain(|trace| !matches!(&trace.what, What::Upload(Some(own)) if own == id));
        });
    }

    /// Whether a write of this rung is on its way at this moment.
    pub(super) fn in_flight(&self) -> bool {
        self.with(|notes| notes.iter().any(|trace| trace.in_flight && trace.rung == self.rung))
    }

    /// Removes what is left, within `limit` altogether. Answers the keys of which it is not known
    /// that they are gone.
    pub(super) async fn clean_up(
        &self,
        client: &Client,
        bucket: &BucketName,
        limit: Duration,
    ) -> Vec<ObjectKey> {
        let notes = self.with(|notes| notes.clone());
        let removing = join_all(notes.iter().map(|trace| self.remove(trace, client, bucket)));
        // out of time: the keys that remain in the notes are the answer
        let _in_time = tokio::time::timeout(limit, removing).await;
        let mut left: Vec<_> =
            self.with(|notes| notes.iter().map(|trace| trace.key.clone()).collect());
        left.sort();
        left.dedup();
        left
    }

    async fn remove(&self, trace: &Trace, client: &Client, bucket: &BucketName) {
        let key = trace.key.as_str();
        let is_gone = match &trace.what {
            What::Object => is_gone(&client.delete(bucket, key).await),
            What::Upload(Some(id)) => is_gone(&client.abort_upload(bucket, key, id).await),
            What::Upload(None) => drop_all(client, bucket, key).await,
        };
        if is_gone {
            self.with(|notes| notes.retain(|other| !other.is(&trace.key, &trace.what)));
        }
    }

    /// Answers whether nothing was known of it.
    fn begin(&self, key: &ObjectKey, what: What) -> Result<bool, Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::cancelled("write to the bucket"));
        }
        let known = self.with(|notes| {
            let known = notes.iter_mut().find(|trace| trace.is(key, &what));
            known.map(|trace| trace.in_flight = true).is_some()
        });
        if !known {
            self.note(key, what, true);
        }
        Ok(!known)
    }

    fn note(&self, key: &ObjectKey, what: What, in_flight: bool) {
        let trace = Trace { rung: self.rung, key: key.clone(), what, in_flight };
        self.with(|notes| notes.push(trace));
    }

    fn arrived(&self, key: &ObjectKey, what: &What) {
        self.with(|notes| {
            for trace in notes.iter_mut().filter(|trace| trace.is(key, what)) {
                trace.in_flight = false;
            }
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Trace>) -> T) -> T {
        look(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Trace {
    fn is(&self, key: &ObjectKey, what: &What) -> bool {
        self.key == *key && self.what == *what
    }
}

fn is_gone<T>(answer: &Result<T, Error>) -> bool {
    answer.as_ref().err().is_none_or(|error| error.kind == Kind::NotFound)
}

/// Drops every upload of `key`: the answer that would have named ours was lost.
async fn drop_all(client: &Client, bucket: &BucketName, key: &str) -> bool {
    let Ok(uploads) = client.list_uploads(bucket, key).await else { return false };
    let dropped = uploads
        .iter()
        .filter(|upload| upload.key == key)
        .map(|upload| client.abort_upload(bucket, key, &upload.id));
    join_all(dropped).await.iter().all(is_gone)
}
