//! Rights of RAM, the access control of Alibaba Cloud.

use std::fmt;

/// A right on OSS that reading, writing or checking a store takes.
///
/// Names and levels are those of OSS's own table (alibabacloud.com/help/en/oss/user-guide/
/// authorization-syntax-and-elements, 2026-02). That HEAD of a bucket over S3 takes
/// `oss:GetBucketInfo` is not written there: it is the right of the native call that asks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The account's list of buckets.
    ListBuckets,
    /// Makes a bucket.
    PutBucket,
    /// Whether the bucket is there.
    GetBucketInfo,
    /// The region it lies in.
    GetBucketLocation,
    /// Whether it keeps former versions.
    GetBucketVersioning,
    /// Listings, with and without delimiter.
    ListObjects,
    /// Uploads that were begun and not ended.
    ListMultipartUploads,
    /// GET and HEAD of an object, and the source of a copy.
    GetObject,
    /// Every way to write: in one piece, in parts, as a copy.
    PutObject,
    /// Single and many at once.
    DeleteObject,
    /// Gives an upload in parts up.
    AbortMultipartUpload,
    /// What an upload in parts has so far.
    ListParts,
}

/// What a right is given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The whole account.
    Service,
    /// A bucket.
    Bucket,
    /// Objects of a bucket.
    Object,
}

impl Action {
    /// Every one, in the order of a policy.
    pub const ALL: [Self; 12] = [
        Self::ListBuckets,
        Self::PutBucket,
        Self::GetBucketInfo,
        Self::GetBucketLocation,
        Self::GetBucketVersioning,
        Self::ListObjects,
        Self::ListMultipartUploads,
        Self::GetObject,
        Self::PutObject,
        Self::DeleteObject,
        Self::AbortMultipartUpload,
        Self::ListParts,
    ];

    /// As policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListBuckets => "oss:ListBuckets",
            Self::PutBucket => "oss:PutBucket",
            Self::GetBucketInfo => "oss:GetBucketInfo",
            Self::GetBucketLocation => "oss:GetBucketLocation",
            Self::GetBucketVersioning => "oss:GetBucketVersioning",
            Self::ListObjects => "oss:ListObjects",
            Self::ListMultipartUploads => "oss:ListMultipartUploads",
            Self::GetObject => "oss:GetObject",
            Self::PutObject => "oss:PutObject",
            Self::DeleteObject => "oss:DeleteObject",
            Self::AbortMultipartUpload => "oss:AbortMultipartUpload",
            Self::ListParts => "oss:ListParts",
        }
    }

    /// What it is given on.
    pub fn level(self) -> Level {
        match self {
            Self::ListBuckets => Level::Service,
            Self::PutBucket
            | Self::GetBucketInfo
            | Self::GetBucketLocation
            | Self::GetBucketVersioning
            | Self::ListObjects
            | Self::ListMultipartUploads => Level::Bucket,
            Self::GetObject
            | Self::PutObject
            | Self::DeleteObject
            | Self::AbortMultipartUpload
            | Self::ListParts => Level::Object,
        }
    }

    /// Whether `ZenML` cannot run without it. The others help osstack: to say where a bucket
    /// lies, to find leftovers, to choose from a list.
    pub fn is_needed_by_zenml(self) -> bool {
        matches!(
            self,
            Self::GetBucketInfo
                | Self::ListObjects
                | Self::GetObject
                | Self::PutObject
                | Self::DeleteObject
                | Self::AbortMultipartUpload
                | Self::ListParts
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What became of a call that takes a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It worked: the key has the right.
    Worked,
    /// OSS refused it for want of the right.
    Denied,
}

impl Grant {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worked => "worked",
            Self::Denied => "denied",
        }
    }

    /// Behind "rights that": `worked`, `were denied`.
    pub fn as_words(self) -> &'static str {
        match self {
            Self::Worked => "worked",
            Self::Denied => "were denied",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_once_and_is_named_as_policies_do() {
        for (at, action) in Action::ALL.iter().enumerate() {
            assert!(!Action::ALL[..at].contains(action), "{action} stands twice");
            assert_eq!(action.as_str(), format!("oss:{action:?}"));
        }
    }
}
