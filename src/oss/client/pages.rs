//! One page of a listing.

use rusoto_core::signature::SignedRequest;

use super::Client;
use crate::model::bucket::BucketName;
use crate::oss::dispatch::{Content, Expect, Plan};
use crate::oss::error::{Error, Kind};
use crate::oss::listing::{ListRequest, Page};
use crate::oss::object::Answer;
use crate::oss::retry::Repeat;

pub(super) const ACTION: &str = "list objects";

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
}
