//! Uploads in parts.

use bytes::Bytes;
use futures_util::FutureExt as _;
use osstack::oss::object::{PutOptions, UploadedPart};
use osstack::oss::{Kind, crc64};

use super::{Bench, Case, Outcome, refused, refused_head, same};

/// The smallest part but the last that S3 takes; OSS takes 100 KiB.
const PART: usize = 5 << 20;

pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    vec![
        ("upload in parts".into(), parts(at).boxed()),
        ("upload in parts compares checksums".into(), parts_compare(at).boxed()),
        ("upload in parts to an odd key".into(), odd_key(at).boxed()),
        ("list uploads of odd keys".into(), list_odd(at).boxed()),
        ("list the parts".into(), list_parts(at).boxed()),
        ("abort an upload".into(), abort(at).boxed()),
        ("send a part after the abort".into(), late_part(at).boxed()),
        ("complete with a part that is not there".into(), wrong_part(at).boxed()),
    ]
}

fn bytes() -> (Bytes, Bytes) {
    let mut first = b"the first part, ".repeat(PART / 16);
    first.resize(PART, b'.');
    (first.into(), Bytes::from_static(b"the last part"))
}

async fn parts(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key("parts/object"), &at.bucket);
    let (first, last) = bytes();
    let options =
        PutOptions { content_type: Some("application/x-model".into()), ..PutOptions::default() };
    let id = at.client.create_upload(bucket, &key, &options).await?.value;
    // parts come in any order
    let second = at.client.upload_part(bucket, &key, &id, 2, last.clone()).await?.value;
    let one = at.client.upload_part(bucket, &key, &id, 1, first.clone()).await?.value;
    let sent = [one, second];
    let uploads = at.client.list_uploads(bucket, &key).await?;
    let ids: Vec<&str> = uploads.iter().map(|upload| upload.id.as_str()).collect();
    same("uploads", ids, vec![id.as_str()])?;
    refused_head("not yet", at.client.head(bucket, &key).await, Kind::NotFound)?;

    let whole = Bytes::from([first, last].concat());
    let crc = crc64::of(&whole);
    let written = at.client.complete_upload(bucket, &key, &id, &sent, Some(crc)).await?.value;
    let info = at.client.head(bucket, &key).await?.value;
    same("size", info.size, Some(whole.len() as u64))?;
    same("type", info.content_type.as_deref(), Some("application/x-model"))?;
    let etag = written.etag.unwrap_or_default().to_ascii_lowercase();
    same("ETag", info.etag.unwrap_or_default().to_ascii_lowercase(), etag.clone())?;
    same("the ETag tells the parts", etag.ends_with("-2"), true)?;
    same("content", at.read(&key).await? == whole, true)?;
    let over = at.client.get_range(bucket, &key, PART as u64 - 2, 6, None).await?.value;
    same("over the seam", over.bytes, whole.slice(PART - 2..PART + 4))?;
    same("uploads in the end", at.client.list_uploads(bucket, &key).await?, Vec::new())
}

async fn parts_compare(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key("parts/compared"), &at.bucket);
    let only = Bytes::from_static(b"one part may be small");
    let options = PutOptions::default();
    let id = at.client.create_upload(bucket, &key, &options).await?.value;
    let part = at.client.upload_part(bucket, &key, &id, 1, only.clone()).await?.value;
    let crc = crc64::of(&only);
    let written = at.client.complete_upload(bucket, &key, &id, &[part], Some(crc)).await?;
    same("the server's CRC-64 was there", written.verified, true)
}

async fn list_parts(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key("parts/listed-parts"), &at.bucket);
    let id = at.client.create_upload(bucket, &key, &PutOptions::default()).await?.value;
    let mut sent = Vec::new();
    for (number, bytes) in [(1, "one"), (2, "two, longer"), (7, "")] {
        let bytes = Bytes::from_static(bytes.as_bytes());
        sent.push(at.client.upload_part(bucket, &key, &id, number, bytes).await?.value);
    }
    let listed = at.client.list_parts(bucket, &key, &id).await;
    at.client.abort_upload(bucket, &key, &id).await?;
    let rows = |parts: &[UploadedPart]| -> Vec<(u32, Option<u64>, String)> {
        let row = |part: &UploadedPart| (part.number, part.size, part.etag.to_ascii_lowercase());
        parts.iter().map(row).collect()
    };
    same("parts", rows(&listed?), rows(&sent))
}

const ODD: &str = "a b+%25&c/中文#?";

async fn odd_key(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key(&format!("parts/odd/{ODD}")), &at.bucket);
    let only = Bytes::from_static(b"odd");
    let id = at.client.create_upload(bucket, &key, &PutOptions::default()).await?.value;
    let part = at.client.upload_part(bucket, &key, &id, 1, only.clone()).await?.value;
    at.client.complete_upload(bucket, &key, &id, &[part], Some(crc64::of(&only))).await?;
    same("content", at.read(&key).await?, only)
}

async fn list_odd(at: &Bench) -> Outcome {
    let (folder, bucket) = (at.key("parts/listed/"), &at.bucket);
    let mut keys: Vec<String> =
        [ODD, "plain", "a//b", "it's \"<so>\""].map(|name| format!("{folder}{name}")).to_vec();
    let mut begun = Vec::new();
    for key in &keys {
        let id = at.client.create_upload(bucket, key, &PutOptions::default()).await?.value;
        begun.push((key.clone(), id));
    }
    let uploads = at.client.list_uploads(bucket, &folder).await;
    for (key, id) in begun {
        at.client.abort_upload(bucket, &key, &id).await?;
    }
    let mut seen: Vec<String> = uploads?.into_iter().map(|upload| upload.key).collect();
    seen.sort();
    keys.sort();
    same("uploads", seen, keys)
}

async fn abort(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key("parts/aborted"), &at.bucket);
    let id = at.client.create_upload(bucket, &key, &PutOptions::default()).await?.value;
    at.client.upload_part(bucket, &key, &id, 1, Bytes::from_static(b"x")).await?;
    at.client.abort_upload(bucket, &key, &id).await?;
    same("uploads", at.client.list_uploads(bucket, &key).await?, Vec::new())?;
    let parts = at.client.list_parts(bucket, &key, &id).await;
    refused("parts", parts, Kind::NotFound, "NoSuchUpload")?;
    refused_head("no object", at.client.head(bucket, &key).await, Kind::NotFound)
}

async fn late_part(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key("parts/late"), &at.bucket);
    let id = at.client.create_upload(bucket, &key, &PutOptions::default()).await?.value;
    at.client.abort_upload(bucket, &key, &id).await?;
    let late = at.client.upload_part(bucket, &key, &id, 1, Bytes::from_static(b"x")).await;
    refused("the part", late, Kind::NotFound, "NoSuchUpload")
}

async fn wrong_part(at: &Bench) -> Outcome {
    let (key, bucket) = (at.key("parts/wrong"), &at.bucket);
    let id = at.client.create_upload(bucket, &key, &PutOptions::default()).await?.value;
    at.client.upload_part(bucket, &key, &id, 1, Bytes::from_static(b"x")).await?;
    let etag = "00000000000000000000000000000000".to_owned();
    let parts = [UploadedPart { number: 2, etag, size: None }];
    let answer = at.client.complete_upload(bucket, &key, &id, &parts, Some(0)).await;
    at.client.abort_upload(bucket, &key, &id).await?;
    refused("complete", answer, Kind::Refused, "InvalidPart")
}
