//! What a request asks for, read from its head.

use http::Method;
use http::request::Parts;

use super::{asks_for_list, signed};
use crate::sandbox::hosts::Place;

/// What is asked for, as rights and faults tell requests apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The account's buckets.
    ListBuckets,
    /// A new bucket.
    CreateBucket,
    /// Whether a bucket is there.
    HeadBucket,
    /// Whether a bucket keeps versions.
    ReadVersioning,
    /// A bucket's end, or anything else said of a bucket: its place, rights.
    Bucket,
    /// A bucket's objects or their versions.
    List,
    /// A bucket's uploads under way, or the parts of one.
    ListUploads,
    /// An object's content.
    Get {
        /// No `Range` is asked for.
        whole: bool,
    },
    /// An object's head.
    Head,
    /// A new object by one request.
    Put,
    /// A copy.
    Copy,
    /// Objects' ends.
    Delete,
    /// A step of an upload that writes.
    Upload,
    /// A part copied from an object.
    UploadCopy,
    /// An upload's end without an object.
    EndUpload,
    /// Something said of an object: its rights and tags.
    ReadSetting,
    /// The same, changed; an archived object restored.
    WriteSetting,
}

impl Action {
    /// What `parts` ask of `place`; `object` where there is a key.
    pub(super) fn of(parts: &Parts, place: &Place, object: bool) -> Self {
        let has = |name: &str| signed::query_has(&parts.uri, name);
        let method = &parts.method;
        if !object {
            return match *method {
                Method::HEAD => Self::HeadBucket,
                Method::GET if asks_for_list(method, &parts.uri) => match place {
                    Place::Service(_) => Self::ListBuckets,
                    Place::Bucket(..) | Place::Domain(_) | Place::Unknown(_) => Self::List,
                },
                Method::GET if has("uploads") => Self::ListUploads,
                Method::GET if has("versions") => Self::List,
                Method::GET if has("versioning") => Self::ReadVersioning,
                Method::PUT if parts.uri.query().is_none() => Self::CreateBucket,
                Method::POST if has("delete") => Self::Delete,
                _ => Self::Bucket,
            };
        }
        let upload = has("uploads") || has("uploadId");
        let setting = ["acl", "tagging", "restore"].into_iter().any(has);
        let copies = parts.headers.contains_key("x-amz-copy-source");
        match *method {
            Method::HEAD => Self::Head,
            Method::GET if upload => Self::ListUploads,
            Method::GET if setting => Self::ReadSetting,
            Method::GET => Self::Get { whole: !parts.headers.contains_key("range") },
            Method::DELETE if upload => Self::EndUpload,
            _ if setting => Self::WriteSetting,
            Method::DELETE => Self::Delete,
            _ if upload && copies => Self::UploadCopy,
            _ if upload => Self::Upload,
            _ if copies => Self::Copy,
            _ => Self::Put,
        }
    }

    /// Whether this counts as a call of data, not of the management of buckets (EC page
    /// 0048-00000401).
    pub(super) fn is_of_data(self) -> bool {
        let is_of_buckets = matches!(
            self,
            Self::ListBuckets
                | Self::CreateBucket
                | Self::HeadBucket
                | Self::ReadVersioning
                | Self::Bucket
        );
        !is_of_buckets
    }

    /// Whether a bucket or an object is other than before.
    pub(super) fn writes(self) -> bool {
        self.stores()
            || matches!(
                self,
                Self::CreateBucket | Self::Delete | Self::EndUpload | Self::WriteSetting
            )
    }

    /// Whether bytes are added to a bucket.
    pub(super) fn stores(self) -> bool {
        matches!(self, Self::Put | Self::Copy | Self::Upload | Self::UploadCopy)
    }
}
