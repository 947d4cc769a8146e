//! Asking for archived objects.

use rusoto_s3::{GlacierJobParameters, RestoreObjectRequest, RestoreRequest, S3 as _};

use super::Client;
use crate::model::bucket::BucketName;
use crate::oss::dispatch::{Expect, Plan};
use crate::oss::error::Error;
use crate::oss::listing::StorageClass;
use crate::oss::object::Answer;
use crate::oss::restore::{Asked, RestoreOptions};
use crate::oss::retry::Repeat;
use crate::oss::versions::At;

impl Client {
    /// Asks for an archived object of `class`, or a version of it, to be made readable for a while: `RestoreObject`.
    /// Not among the calls that OSS's documentation of S3 compatibility names.
    pub async fn restore(
        &self,
        bucket: &BucketName,
        object: impl Into<At<'_>>,
        class: StorageClass,
        options: RestoreOptions,
    ) -> Result<Answer<Asked>, Error> {
        let At { key, version } = object.into();
        let plan = Plan::new("restore the object", Repeat::Always, Expect::Nothing);
        let tier = class.tier(options.tier);
        let asked = RestoreRequest {
            days: Some(i64::from(class.days(options.days))),
            glacier_job_parameters: tier
                .map(|tier| GlacierJobParameters { tier: tier.as_str().to_owned() }),
            ..RestoreRequest::default()
        };
        let request = RestoreObjectRequest {
            bucket: bucket.to_string(),
            key: key.to_owned(),
            version_id: version.map(ToOwned::to_owned),
            restore_request: Some(asked),
            ..RestoreObjectRequest::default()
        };
        match self.call(plan, |s3| async move { s3.restore_object(request).await }).await {
            Ok((reply, _)) => {
                let asked = if reply.meta.status == 202 { Asked::Begun } else { Asked::Prolonged };
                Ok(reply.with(asked))
            }
            Err(error) => {
                let asked = match error.code.as_deref() {
                    Some("RestoreAlreadyInProgress") => Asked::Ongoing,
                    Some("OperationNotSupported") if error.status == Some(400) => {
                        Asked::NotArchived
                    }
                    _ => return Err(error),
                };
                match error.meta.clone() {
                    Some(meta) => Ok(Answer { meta, value: asked }),
                    None => Err(error),
                }
            }
        }
    }
}
