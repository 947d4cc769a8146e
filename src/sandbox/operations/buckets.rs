//! Buckets: their beginning, end, place and versioning.

use s3s::dto::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput,
    DeleteBucketInput, DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput,
    PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Response};

use super::{Answer, Circumstances, Operations};
use crate::sandbox::hosts::Place;
use crate::sandbox::rules::Admitted;
use crate::sandbox::store::Versioning;

impl Operations {
    pub(super) fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        let met = Circumstances::of(&req)?;
        let Some(Admitted { place: Place::Bucket(region, _), .. }) = req.extensions.get() else {
            return Err(S3ErrorCode::InvalidRequest.into());
        };
        self.store().create(&req.input.bucket, &region.id, met.now)?;
        let location = Some(format!("/{}", req.input.bucket));
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    pub(super) fn delete_bucket(
        &self,
        req: S3Request<DeleteBucketInput>,
    ) -> Answer<DeleteBucketOutput> {
        self.store().remove_bucket(&req.input.bucket)?;
        Ok(S3Response::new(DeleteBucketOutput {}))
    }

    pub(super) fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.store().bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    pub(super) fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        let location = format!("oss-{}", self.store().bucket(&req.input.bucket)?.region);
        Ok(S3Response::new(GetBucketLocationOutput {
            location_constraint: Some(BucketLocationConstraint::from(location)),
        }))
    }

    pub(super) fn get_bucket_versioning(
        &self,
        req: S3Request<GetBucketVersioningInput>,
    ) -> Answer<GetBucketVersioningOutput> {
        let status = self.store().bucket(&req.input.bucket)?.versioning.map(|state| match state {
            Versioning::Enabled => BucketVersioningStatus::ENABLED,
            Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
        });
        let status = status.map(BucketVersioningStatus::from_static);
        let output = GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() };
        Ok(S3Response::new(output))
    }

    pub(super) fn put_bucket_versioning(
        &self,
        req: S3Request<PutBucketVersioningInput>,
    ) -> Answer<PutBucketVersioningOutput> {
        let input = req.input;
        let status = input.versioning_configuration.status.ok_or(S3ErrorCode::MalformedXML)?;
        let state = match status.as_str() {
            BucketVersioningStatus::ENABLED => Versioning::Enabled,
            BucketVersioningStatus::SUSPENDED => Versioning::Suspended,
            _ => return Err(S3ErrorCode::MalformedXML.into()),
        };
        self.store().set_versioning(&input.bucket, state)?;
        Ok(S3Response::new(PutBucketVersioningOutput {}))
    }
}
