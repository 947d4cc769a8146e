//! What is said of objects and buckets besides their content: tags, rights, and
//! whether an archived one is restored.
//!
//! New buckets of OSS have Block Public Access on (documentation, "Block Public
//! Access"): here all do, so that every right is `private` and the rules refuse to
//! make one public. How OSS writes rights in answers to S3 clients is not
//! documented: S3's form is a guess.

use http::StatusCode;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetBucketAclInput, GetBucketAclOutput,
    GetObjectAclInput, GetObjectAclOutput, GetObjectTaggingInput, GetObjectTaggingOutput, Grant,
    Grantee, Owner, Permission, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput,
    PutObjectAclOutput, PutObjectTaggingInput, PutObjectTaggingOutput, RestoreObjectInput,
    RestoreObjectOutput, Tag, Type,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::{Answer, Circumstances, Operations};
use crate::base::url_encode;
use crate::sandbox::lists::OWNER_ID;
use crate::sandbox::store::{Restoration, StoreError, Tags};

/// What `x-amz-tagging` holds: the form of a query.
pub(super) fn tags_of_header(header: Option<&str>) -> S3Result<Tags> {
    let pieces = header.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
    let decode = |text: &str| {
        url_encode::decode(&text.replace('+', " ")).ok_or(S3ErrorCode::InvalidArgument)
    };
    let mut tags = Vec::new();
    for piece in pieces {
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        tags.push((decode(key)?, decode(value)?));
    }
    checked(tags)
}

/// At most 10 tags of other keys, a key of 1 to 128 characters, a value of at most 256 (OSS
/// documentation, "Object tagging").
fn checked(tags: Vec<(String, String)>) -> S3Result<Tags> {
    let count = tags.len();
    let fits = |(key, value): &(String, String)| {
        (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256
    };
    let sound = tags.iter().all(fits);
    let tags: Tags = tags.into_iter().collect();
    if count <= 10 && sound && tags.len() == count {
        return Ok(tags);
    }
    let message = "An object has at most 10 tags with different keys of 1 to 128 characters and values of at most 256.";
    Err(S3Error::with_message(S3ErrorCode::InvalidTag, message))
}

fn owner() -> Owner {
    Owner { id: Some(OWNER_ID.to_owned()), display_name: Some(OWNER_ID.to_owned()) }
}

/// `private`.
fn grants() -> Vec<Grant> {
    let grantee = Grantee {
        display_name: Some(OWNER_ID.to_owned()),
        email_address: None,
        id: Some(OWNER_ID.to_owned()),
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    let permission = Permission::from_static(Permission::FULL_CONTROL);
    vec![Grant { grantee: Some(grantee), permission: Some(permission) }]
}

impl Operations {
    pub(super) fn get_bucket_acl(
        &self,
        req: S3Request<GetBucketAclInput>,
    ) -> Answer<GetBucketAclOutput> {
        self.store().bucket(&req.input.bucket)?;
        let output = GetBucketAclOutput { owner: Some(owner()), grants: Some(grants()) };
        Ok(S3Response::new(output))
    }

    pub(super) fn put_bucket_acl(
        &self,
        req: S3Request<PutBucketAclInput>,
    ) -> Answer<PutBucketAclOutput> {
        // the rules let none but private through, which it is
        self.store().bucket(&req.input.bucket)?;
        Ok(S3Response::new(PutBucketAclOutput {}))
    }

    pub(super) fn get_object_acl(
        &self,
        req: S3Request<GetObjectAclInput>,
    ) -> Answer<GetObjectAclOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let key = met.key(&input.key);
        self.store().version(&input.bucket, &key, input.version_id.as_deref())?;
        let (owner, grants) = (Some(owner()), Some(grants()));
        Ok(S3Response::new(GetObjectAclOutput { owner, grants, request_charged: None }))
    }

    pub(super) fn put_object_acl(
        &self,
        req: S3Request<PutObjectAclInput>,
    ) -> Answer<PutObjectAclOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let key = met.key(&input.key);
        self.store().version(&input.bucket, &key, input.version_id.as_deref())?;
        Ok(S3Response::new(PutObjectAclOutput::default()))
    }

    pub(super) fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> Answer<GetObjectTaggingOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let key = met.key(&input.key);
        let object = self.store().version(&input.bucket, &key, input.version_id.as_deref())?;
        let tag = |(key, value): (&String, &String)| Tag {
            key: Some(key.clone()),
            value: Some(value.clone()),
        };
        let (tag_set, version_id) = (object.tags.iter().map(tag).collect(), object.version.clone());
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
    }

    pub(super) fn put_object_tagging(
        &self,
        req: S3Request<PutObjectTaggingInput>,
    ) -> Answer<PutObjectTaggingOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
        let tags: Option<Vec<_>> = input.tagging.tag_set.into_iter().map(pair).collect();
        let tags = checked(tags.ok_or(S3ErrorCode::MalformedXML)?)?;
        let (key, version) = (met.key(&input.key), input.version_id.as_deref());
        let object = self.store().change(&input.bucket, &key, version, |object| {
            object.tags = tags;
            Ok(())
        })?;
        let version_id = object.version.clone();
        Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
    }

    pub(super) fn delete_object_tagging(
        &self,
        req: S3Request<DeleteObjectTaggingInput>,
    ) -> Answer<DeleteObjectTaggingOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let (key, version) = (met.key(&input.key), input.version_id.as_deref());
        let object = self.store().change(&input.bucket, &key, version, |object| {
            object.tags.clear();
            Ok(())
        })?;
        let version_id = object.version.clone();
        Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
    }

    /// 202 for the first, 409 while it goes on, 200 where it is done (documentation,
    /// "`RestoreObject`"). `Days` of an S3 client is ignored: one day (documentation on the move
    /// from AWS). That its tier counts is a guess.
    pub(super) fn restore_object(
        &self,
        req: S3Request<RestoreObjectInput>,
    ) -> Answer<RestoreObjectOutput> {
        let met = Circumstances::of(&req)?;
        let input = req.input;
        let (key, version) = (met.key(&input.key), input.version_id.as_deref());
        let asked = input.restore_request.and_then(|asked| asked.glacier_job_parameters);
        let tier = asked.as_ref().map(|asked| asked.tier.as_str()).unwrap_or_default();
        let mut status = StatusCode::OK;
        self.store().change(&input.bucket, &key, version, |object| {
            let class = met.class(&key, object);
            if !class.is_archived() {
                return Err(StoreError::OperationNotSupported);
            }
            let takes = class.thaw(tier).ok_or(StoreError::InvalidTier)?;
            match object.restoration(met.now) {
                Restoration::Ongoing => return Err(StoreError::RestoreAlreadyInProgress),
                Restoration::Until(_) => {}
                Restoration::Frozen => {
                    object.restored = Some(met.now + takes);
                    status = StatusCode::ACCEPTED;
                }
            }
            Ok(())
        })?;
        let mut answer = S3Response::new(RestoreObjectOutput::default());
        // s3s does not heed the status of an answer; the server does
        answer.extensions.insert(status);
        Ok(answer)
    }
}
