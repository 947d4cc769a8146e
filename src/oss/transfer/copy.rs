//! Objects to objects on the server, without passing this machine.

use std::ops::Range;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::parts::{MAX_PARTS, Upload};
use super::{Progress, Proof, Run, Transferred};
use crate::model::bucket::BucketName;
use crate::oss::client::Client;
use crate::oss::error::{Error, Kind};
use crate::oss::object::{CopyOptions, ObjectInfo, PutOptions, UploadedPart};

const ACTION: &str = "copy the object";

/// One end of a copy.
pub type End<'a> = (&'a Client, &'a BucketName, &'a str);

/// In how many pieces objects are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// What is smaller goes in one request, in bytes.
    pub whole: u64,
    /// Bytes of a part of what is not.
    pub part: u64,
}

impl Pieces {
    /// One request takes less than 1 GiB (OSS documentation of `CopyObject`); parts are smaller,
    /// so that each is answered well before a request is given up.
    pub const OSS: Self = Self { whole: 1 << 30, part: 128 << 20 };
}

/// Copies an object as it is when this begins: one that changes meanwhile is refused. The copy is
/// held against the original by checksum, where the server tells one of both.
pub async fn copy(
    from: End<'_>,
    to: End<'_>,
    forbid_overwrite: bool,
    pieces: Pieces,
    run: Run<'_>,
) -> Result<Transferred, Error> {
    let work = copy_all(from, to, forbid_overwrite, pieces, run);
    // an upload in parts cleans up by itself, and so ends by itself
    let copied = work.await?;
    Ok(Transferred { bytes: copied.0, proof: copied.1, reused: 0, is_anew: false })
}

async fn copy_all(
    from: End<'_>,
    to: End<'_>,
    forbid_overwrite: bool,
    pieces: Pieces,
    run: Run<'_>,
) -> Result<(u64, Proof), Error> {
    let lane = until_cancelled(run, async { Ok(run.link.lane(to.0).await) }).await?;
    let original = until_cancelled(run, from.0.head(from.1, from.2)).await?.value;
    let Some(size) = original.size else {
        return Err(Error::new(Kind::NotOss, ACTION, "the server does not say how large it is"));
    };
    (run.progress)(Progress { bytes: 0, total: Some(size) });
    let is_compared = if size < pieces.whole {
        let options = CopyOptions {
            if_match: original.etag.clone(),
            crc64: original.crc64,
            forbid_overwrite,
        };
        let copied = to.0.copy((from.1, from.2), (to.1, to.2), &options);
        until_cancelled(run, copied).await?.verified
    } else {
        drop(lane);
        in_parts((from, &original, size), to, forbid_overwrite, pieces.part, run).await?
    };
    (run.progress)(Progress { bytes: size, total: Some(size) });
    let proof = if is_compared {
        Proof::Crc64
    } else {
        compared(&original, &*until_cancelled(run, to.0.head(to.1, to.2)).await?)?
    };
    Ok((size, proof))
}

async fn until_cancelled<T>(
    run: Run<'_>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    run.cancel.run_until_cancelled(work).await.ok_or_else(|| Error::cancelled(ACTION))?
}

/// Holds the copy against the original.
fn compared(original: &ObjectInfo, copy: &ObjectInfo) -> Result<Proof, Error> {
    let differ = |what: &str| {
        let message = format!("the copy is another object than the original ({what} differs)");
        Err(Error::new(Kind::Corrupt, ACTION, message))
    };
    if copy.size != original.size {
        return differ("length");
    }
    if let (Some(ours), Some(theirs)) = (original.crc64, copy.crc64) {
        return if ours == theirs { Ok(Proof::Crc64) } else { differ("CRC-64") };
    }
    // two ETags that are no MD5s differ by the number of parts alone
    let is_md5 = |etag: &String| etag.len() == 32 && etag.bytes().all(|b| b.is_ascii_hexdigit());
    match (original.etag.as_ref().filter(|e| is_md5(e)), copy.etag.as_ref().filter(|e| is_md5(e))) {
        (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) => Ok(Proof::Md5),
        _ => Ok(Proof::Length),
    }
}

async fn in_parts(
    (from, original, size): (End<'_>, &ObjectInfo, u64),
    (client, bucket, key): End<'_>,
    forbid_overwrite: bool,
    part: u64,
    run: Run<'_>,
) -> Result<bool, Error> {
    let options = PutOptions {
        content_type: original.content_type.clone(),
        metadata: original.metadata.clone(),
        forbid_overwrite,
    };
    let begun = client.create_upload(bucket, key, &options);
    let id = until_cancelled(run, begun).await?.value;
    let upload = Upload { client, to: (bucket, key), id: &id };
    let work = async {
        let parts = all_parts((from, original, size), upload, part, run).await?;
        upload.complete(&parts, original.crc64, size).await
    };
    let done = until_cancelled(run, work).await;
    if done.is_err() {
        upload.drop_parts().await;
    }
    done
}

/// The ranges of `size` bytes, each of at least `part`.
fn ranges(size: u64, part: u64) -> impl Iterator<Item = Range<u64>> {
    let part = part.max(size.div_ceil(MAX_PARTS));
    (0..size.div_ceil(part)).map(move |index| index * part..size.min((index + 1) * part))
}

async fn all_parts(
    (from, original, size): (End<'_>, &ObjectInfo, u64),
    upload: Upload<'_>,
    part: u64,
    run: Run<'_>,
) -> Result<Vec<UploadedPart>, Error> {
    let copy = async |number: u32, range: Range<u64>| {
        let mut lane = run.link.lane(upload.client).await;
        let source = ((from.1, from.2), original.etag.as_deref());
        let bytes = range.end - range.start;
        let part = upload.client.copy_part(source, range, upload.to, (upload.id, number)).await?;
        lane.carried(bytes);
        Ok::<_, Error>(part.value)
    };
    let mut under_way: FuturesUnordered<_> =
        (1..).zip(ranges(size, part)).map(|(number, range)| copy(number, range)).collect();
    let (mut parts, mut bytes) = (Vec::new(), 0);
    while let Some(part) = under_way.next().await {
        let part = part?;
        bytes += part.size.unwrap_or_default();
        (run.progress)(Progress { bytes, total: Some(size) });
        parts.push(part);
    }
    parts.sort_by_key(|part| part.number);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_all_of_it_in_as_many_as_oss_numbers() {
        assert_eq!(ranges(10, 4).collect::<Vec<_>>(), [0..4, 4..8, 8..10]);
        assert_eq!(ranges(4, 4).last(), Some(0..4));
        assert_eq!(ranges(0, 4).count(), 0);
        let many: Vec<_> = ranges(10_001, 1).collect();
        assert_eq!((many.len(), many.last().cloned()), (5001, Some(10_000..10_001)));
    }

    #[test]
    fn a_copy_is_held_against_its_original() {
        let of = |crc64, etag: &str| ObjectInfo {
            size: Some(3),
            crc64,
            etag: Some(etag.to_owned()),
            ..ObjectInfo::default()
        };
        let md5 = "0CC175B9C0F1B6A831C399E269772661";
        let proof = |one, other| compared(&one, &other).map_err(|error| error.kind);
        assert_eq!(proof(of(Some(1), "x"), of(Some(1), "y-2")), Ok(Proof::Crc64));
        assert_eq!(proof(of(Some(1), md5), of(Some(2), md5)), Err(Kind::Corrupt));
        assert_eq!(proof(of(None, md5), of(Some(2), &md5.to_lowercase())), Ok(Proof::Md5));
        assert_eq!(proof(of(None, "x-2"), of(None, "x-2")), Ok(Proof::Length));
        assert_eq!(proof(of(Some(1), md5), ObjectInfo::default()), Err(Kind::Corrupt));
    }
}
