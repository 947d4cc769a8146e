//! Listing objects.

use rusoto_core::signature::SignedRequest;

use super::Client;
use crate::model::bucket::BucketName;
use crate::oss::dispatch::{Content, Expect, Plan};
use crate::oss::error::{Error, Kind};
use crate::oss::listing::{ListRequest, Page};
use crate::oss::object::Answer;
use crate::oss::retry::Repeat;

pub(super) const ACTION: &str = "list objects";
/// How many pages in a row may bring nothing new and still say that there is more.
const MOST_IDLE: u32 = 16;

impl Client {
    /// One page of a listing.
    pub async fn list_page(
        &self,
        bucket: &BucketName,
        request: &ListRequest,
    ) -> Result<Answer<Page>, Error> {
        let mut built = SignedRequest::new("GET", "s3", &self.region(), &format!("/{bucket}"));
        let max_keys = request.max_keys.unwrap_or(1000).clamp(1, 1000);
        built.add_param("list-type", "2");
        built.add_param("max-keys", &max_keys.to_string());
        // keys may hold what XML 1.0 cannot
        built.add_param("encoding-type", "url");
        let texts = [
            ("prefix", Some(&request.prefix)),
            ("delimiter", request.delimiter.as_ref()),
            ("start-after", request.start_after.as_ref()),
            ("continuation-token", request.continuation.as_ref()),
        ];
        for (name, value) in texts {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                built.add_param(name, value);
            }
        }
        let plan = Plan::new(ACTION, Repeat::Always, Expect::Listing);
        let dispatcher = self.dispatcher(plan);
        let client = rusoto_core::Client::new_not_signing(dispatcher.clone());
        let sent = client.sign_and_dispatch(built).await;
        match dispatcher.take() {
            Some(Ok(reply)) => match reply.content {
                Content::Page(page) => Ok(Answer { meta: reply.meta, value: page }),
                _ => Err(Error::new(Kind::NotOss, ACTION, "the answer is no listing")),
            },
            Some(Err(error)) => Err(error),
            None => {
                let message = match sent {
                    Err(error) => format!("the request cannot be built: {error:?}"),
                    Ok(_) => "the request was not sent".to_owned(),
                };
                Err(Error::new(Kind::Refused, ACTION, message))
            }
        }
    }

    /// All pages of a listing, one after the other.
    pub fn list_stream(&self, bucket: &BucketName, request: ListRequest) -> Pages {
        let progress = Progress::default();
        Pages { client: self.clone(), bucket: bucket.clone(), request, progress, done: false }
    }
}

/// The pages of a listing. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Pages {
    client: Client,
    bucket: BucketName,
    request: ListRequest,
    progress: Progress,
    done: bool,
}

/// How far a listing has come. Keys come in their order, so a listing that goes back, or that
/// stands still for long, goes round for ever.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    greatest: Option<String>,
    idle: u32,
}

impl Progress {
    /// Takes a page's greatest key; whether the listing goes on from there.
    pub(super) fn goes_on(&mut self, greatest: Option<&str>) -> bool {
        if greatest > self.greatest.as_deref() {
            *self = Self { greatest: greatest.map(ToOwned::to_owned), idle: 0 };
            return true;
        }
        self.idle += 1;
        let back = greatest.is_some() && greatest < self.greatest.as_deref();
        !back && self.idle <= MOST_IDLE
    }
}

impl Pages {
    /// The next page; `None` behind the last one.
    pub async fn next(&mut self) -> Option<Result<Answer<Page>, Error>> {
        if self.done {
            return None;
        }
        let answer = self.client.list_page(&self.bucket, &self.request).await;
        self.done = true;
        let page = match answer {
            Ok(page) => page,
            Err(error) => return Some(Err(error)),
        };
        if let Some(next) = page.next() {
            // a server that stands still or goes round would keep us here for ever
            let again = self.request.continuation.as_deref() == Some(next);
            if again || !self.progress.goes_on(page.greatest()) {
                let message = "the server sends the same page again and again";
                let error = Error::new(Kind::NotOss, ACTION, message);
                return Some(Err(error.with_meta(page.meta)));
            }
            self.request.continuation = Some(next.to_owned());
            self.done = false;
        }
        Some(Ok(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_may_rest_and_not_go_round() {
        let mut progress = Progress::default();
        assert!(
            [Some("a"), Some("b"), None, Some("b"), Some("c")]
                .map(|k| progress.goes_on(k))
                .iter()
                .all(|goes_on| *goes_on)
        );
        assert!((0..MOST_IDLE).all(|_| progress.goes_on(None)));
        assert!(!progress.goes_on(None));
        let mut progress = Progress::default();
        assert!(progress.goes_on(Some("a")) && progress.goes_on(Some("b")));
        assert!(!progress.goes_on(Some("a")));
    }
}
