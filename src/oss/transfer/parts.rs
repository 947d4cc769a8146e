//! The end of an upload in parts, wherever they came from.

use std::time::Duration;

use crate::model::bucket::BucketName;
use crate::oss::client::Client;
use crate::oss::error::{Error, Kind};
use crate::oss::object::UploadedPart;

/// The most parts of one object: OSS numbers them from 1 to this.
pub(super) const MAX_PARTS: u64 = 10_000;
/// How many answers of a completion may be lost.
const LOST: u32 = 4;
/// How long a broken upload may take to drop its parts.
const CLEAN_UP: Duration = Duration::from_secs(5);

/// An upload that was begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upload<'a> {
    pub(super) client: &'a Client,
    pub(super) to: (&'a BucketName, &'a str),
    /// The server's handle.
    pub(super) id: &'a str,
}

impl Upload<'_> {
    /// Makes the object of `total` bytes, and answers whether its checksum was compared.
    pub(super) async fn complete(
        &self,
        parts: &[UploadedPart],
        crc: Option<u64>,
        total: u64,
    ) -> Result<bool, Error> {
        let Self { client, to: (bucket, key), id } = self;
        let mut lost = 0;
        loop {
            let error = match client.complete_upload(bucket, key, id, parts, crc).await {
                Ok(written) => return Ok(written.verified),
                Err(error) => error,
            };
            let is_unknown = matches!(error.kind, Kind::Network(_) | Kind::Truncated | Kind::Retry);
            // an upload that is gone after its answer was lost was completed by then
            let is_gone = lost > 0 && error.code.as_deref() == Some("NoSuchUpload");
            if !is_unknown && !is_gone {
                return Err(error);
            }
            // the answer was lost, not necessarily the work
            match client.head(bucket, *key).await {
                Ok(info) if info.size == Some(total) && crc.is_some() && info.crc64 == crc => {
                    return Ok(true);
                }
                Ok(info) if is_gone && info.size == Some(total) && info.crc64.is_none() => {
                    return Ok(false);
                }
                _ if is_gone || lost == LOST => return Err(error),
                _ => lost += 1,
            }
        }
    }

    /// Drops what has arrived. What led here is what matters: parts that stay behind show among
    /// the uploads of the bucket.
    pub(super) async fn drop_parts(&self) {
        let Self { client, to: (bucket, key), id } = self;
        let aborted = client.abort_upload(bucket, key, id);
        let _left_behind = tokio::time::timeout(CLEAN_UP, aborted).await;
    }
}
