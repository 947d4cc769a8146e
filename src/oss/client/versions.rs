//! Calls on versions of objects. Not among those that OSS's documentation of S3 compatibility
//! names: a refusal means that nothing is known of them, not that there are none.

use rusoto_s3::{ListObjectVersionsRequest, S3 as _};

use super::Client;
use crate::model::bucket::BucketName;
use crate::oss::dispatch::{Expect, Plan};
use crate::oss::error::{Error, Kind};
use crate::oss::object::Answer;
use crate::oss::retry::Repeat;
use crate::oss::versions::VersionPage;

/// Versions of a page.
const PAGE: i64 = 1000;

impl Client {
    /// A page of the versions of all objects whose keys begin with `prefix`, from where the page
    /// before left off.
    pub async fn list_versions(
        &self,
        bucket: &BucketName,
        prefix: &str,
        from: Option<&(String, String)>,
    ) -> Result<Answer<VersionPage>, Error> {
        const ACTION: &str = "list versions";
        let plan = Plan::new(ACTION, Repeat::Always, Expect::Xml("ListVersionsResult"));
        let id = from.map(|(_, id)| id.clone()).filter(|id| !id.is_empty());
        let request = ListObjectVersionsRequest {
            bucket: bucket.to_string(),
            encoding_type: Some("url".to_owned()),
            key_marker: from.map(|(key, _)| key.clone()),
            version_id_marker: id,
            max_keys: Some(PAGE),
            prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
            ..ListObjectVersionsRequest::default()
        };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.list_object_versions(request).await }).await?;
        let page = VersionPage::of(&reply.document());
        // a page that does not lead on goes round for ever
        let page = page.filter(|page| page.next.is_none() || page.next.as_ref() != from);
        let Some(page) = page else {
            let message = "the answer is no list of versions";
            return Err(Error::new(Kind::NotOss, ACTION, message).with_meta(reply.meta));
        };
        Ok(reply.with(page))
    }
}
