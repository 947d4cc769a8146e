//! Calls on buckets.

use rusoto_s3::{
    CreateBucketConfiguration, CreateBucketRequest, GetBucketLocationRequest, HeadBucketRequest,
    S3 as _,
};

use super::Client;
use crate::model::bucket::BucketName;
use crate::oss::dispatch::{Expect, Plan};
use crate::oss::error::{Error, Kind};
use crate::oss::listing::ListRequest;
use crate::oss::object::{Answer, BucketEntry};
use crate::oss::retry::Repeat;

impl Client {
    /// All buckets of the key's account, of every region. A RAM user without the service-level
    /// right `oss:ListBuckets` gets [`Kind::Permission`] and may still use single buckets.
    pub async fn list_buckets(&self) -> Result<Answer<Vec<BucketEntry>>, Error> {
        const ACTION: &str = "list buckets";
        let mut buckets = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let expect = Expect::Xml("ListAllMyBucketsResult");
            let mut plan = Plan::new(ACTION, Repeat::Always, expect);
            // OSS pages at 100 and rusoto asks for no number
            plan.query.push(("max-keys", "1000".to_owned()));
            plan.query.extend(marker.iter().map(|marker| ("marker", marker.clone())));
            let (reply, _) = self.call(plan, |s3| async move { s3.list_buckets().await }).await?;
            // rusoto's type has neither region nor paging
            let document = reply.document();
            let rows = document.child("Buckets").into_iter().flat_map(|rows| rows.all("Bucket"));
            buckets.extend(rows.filter_map(|row| {
                let text = |name| row.text_of(name).map(ToOwned::to_owned);
                Some(BucketEntry {
                    name: text("Name")?,
                    region: text("Location").or_else(|| text("BucketRegion")),
                    created: text("CreationDate"),
                })
            }));
            if document.text_of("IsTruncated") != Some("true") {
                return Ok(reply.with(buckets));
            }
            let next = document.text_of("NextMarker").map(ToOwned::to_owned);
            // buckets come by name: a marker that does not grow goes round for ever
            if next <= marker {
                let message = "the server says there is more, and not where it goes on";
                return Err(Error::new(Kind::NotOss, ACTION, message).with_meta(reply.meta));
            }
            marker = next;
        }
    }

    /// Whether the bucket is there and this key may reach it.
    pub async fn head_bucket(&self, bucket: &BucketName) -> Result<Answer<()>, Error> {
        const ACTION: &str = "reach the bucket";
        let error = match self.bare_head_bucket(ACTION, bucket).await {
            // a HEAD has no body to say why: the same question as a GET has
            Err(error) if error.is_silent() => error,
            answer => return answer,
        };
        let one = ListRequest { max_keys: Some(1), ..ListRequest::default() };
        match self.list_page(bucket, &one).await {
            Err(why) if !why.is_silent() => Err(why.of_action(ACTION)),
            // the GET found where the bucket lies
            Ok(_) if error.is_elsewhere() => self.bare_head_bucket(ACTION, bucket).await,
            _ => Err(error),
        }
    }

    async fn bare_head_bucket(
        &self,
        action: &'static str,
        bucket: &BucketName,
    ) -> Result<Answer<()>, Error> {
        let plan = Plan::new(action, Repeat::Always, Expect::Nothing);
        let request = HeadBucketRequest { bucket: bucket.to_string(), ..Default::default() };
        let (reply, ()) =
            self.call(plan, |s3| async move { s3.head_bucket(request).await }).await?;
        Ok(reply.with(()))
    }

    /// Makes the bucket in the endpoint's region, private. Making one's own again succeeds.
    pub async fn create_bucket(&self, bucket: &BucketName) -> Result<Answer<()>, Error> {
        let mut plan = Plan::new("create the bucket", Repeat::IfRefused, Expect::Nothing);
        // where a new bucket is to lie is the user's to say
        plan.heals = false;
        let request = CreateBucketRequest {
            bucket: bucket.to_string(),
            // OSS takes the region from the host; a constraint could only contradict it
            create_bucket_configuration: None::<CreateBucketConfiguration>,
            ..Default::default()
        };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.create_bucket(request).await }).await?;
        Ok(reply.with(()))
    }

    /// Where the bucket lies: `oss-eu-central-1`.
    pub async fn bucket_location(
        &self,
        bucket: &BucketName,
    ) -> Result<Answer<Option<String>>, Error> {
        let expect = Expect::Xml("LocationConstraint");
        let plan = Plan::new("ask for the bucket's region", Repeat::Always, expect);
        let request = GetBucketLocationRequest { bucket: bucket.to_string(), ..Default::default() };
        let (reply, _) =
            self.call(plan, |s3| async move { s3.get_bucket_location(request).await }).await?;
        // the root's own text, which rusoto leaves out
        let location = Some(reply.document().text.trim().to_owned());
        Ok(reply.with(location.filter(|location| !location.is_empty())))
    }
}
