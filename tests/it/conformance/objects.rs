//! One object at a time, and many to delete.

use bytes::Bytes;
use futures_util::FutureExt as _;
use md5::{Digest as _, Md5};
use osstack::oss::Kind;
use osstack::oss::object::{CopyOptions, PutOptions};
use osstack::oss::versions::LeftBehind;

use super::{Bench, Case, Outcome, refused, refused_head, same};

pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    vec![
        ("put, head, get".into(), put_head_get(at).boxed()),
        ("put replaces".into(), put_replaces(at).boxed()),
        ("put of nothing".into(), put_of_nothing(at).boxed()),
        ("put compares checksums".into(), put_compares(at).boxed()),
        ("put that may not replace".into(), put_may_not_replace(at).boxed()),
        ("head of what is not there".into(), head_missing(at).boxed()),
        ("get of what is not there".into(), get_missing(at).boxed()),
        ("get a range".into(), get_range(at).boxed()),
        ("get a range of nothing".into(), get_range_of_nothing(at).boxed()),
        ("get if it matches".into(), if_match(at).boxed()),
        ("copy".into(), copy(at).boxed()),
        ("copy of what is not there".into(), copy_missing(at).boxed()),
        ("delete".into(), delete(at).boxed()),
        ("delete many".into(), delete_many(at).boxed()),
    ]
}

async fn put_head_get(at: &Bench) -> Outcome {
    let key = at.key("object.json");
    let bytes = b"{\"accuracy\": 0.93}".as_slice();
    let options =
        PutOptions { content_type: Some("application/json".into()), ..PutOptions::default() };
    let md5 = hex::encode(Md5::digest(bytes));
    let lower = |etag: Option<String>| etag.map(|etag| etag.to_ascii_lowercase());
    let put = at.client.put(&at.bucket, &key, Bytes::from_static(bytes), &options).await?.value;
    same("ETag of the put", lower(put.etag), Some(md5.clone()))?;
    let head = at.client.head(&at.bucket, &key).await?.value;
    same("size", head.size, Some(bytes.len() as u64))?;
    same("ETag", lower(head.etag), Some(md5))?;
    same("type", head.content_type.as_deref(), Some("application/json"))?;
    same("a date is there", head.last_modified.is_some(), true)?;
    same("content", at.read(&key).await?, Bytes::from_static(bytes))
}

async fn put_replaces(at: &Bench) -> Outcome {
    let key = at.key("replaced");
    at.put(&key, b"the first").await?;
    at.put(&key, b"second").await?;
    same("content", at.read(&key).await?, Bytes::from_static(b"second"))
}

async fn put_of_nothing(at: &Bench) -> Outcome {
    let key = at.key("nothing");
    at.put(&key, b"").await?;
    same("size", at.client.head(&at.bucket, &key).await?.size, Some(0))?;
    same("content", at.read(&key).await?, Bytes::new())
}

async fn put_compares(at: &Bench) -> Outcome {
    let (key, bytes) = (at.key("compared"), Bytes::from_static(b"bytes"));
    let put = at.client.put(&at.bucket, &key, bytes, &PutOptions::default()).await?;
    same("the server's CRC-64 was there", put.verified, true)
}

async fn put_may_not_replace(at: &Bench) -> Outcome {
    let key = at.key("kept");
    let options = PutOptions { forbid_overwrite: true, ..PutOptions::default() };
    at.client.put(&at.bucket, &key, Bytes::from_static(b"first"), &options).await?;
    let second = at.client.put(&at.bucket, &key, Bytes::from_static(b"second"), &options).await;
    refused("the second", second, Kind::Precondition, "FileAlreadyExists")?;
    same("content", at.read(&key).await?, Bytes::from_static(b"first"))
}

async fn head_missing(at: &Bench) -> Outcome {
    let answer = at.client.head(&at.bucket, &at.key("missing")).await;
    refused_head("head", answer, Kind::NotFound)
}

async fn get_missing(at: &Bench) -> Outcome {
    let answer = at.client.get(&at.bucket, &at.key("missing"), None).await;
    refused("get", answer, Kind::NotFound, "NoSuchKey")
}

async fn get_range(at: &Bench) -> Outcome {
    let key = at.key("range");
    at.put(&key, b"0123456789").await?;
    for (offset, length, due) in
        [(0, 4, "0123"), (3, 4, "3456"), (8, 100, "89"), (9, 1, "9"), (10, 1, ""), (50, 5, "")]
    {
        let part = at.client.get_range(&at.bucket, &key, offset, length, None).await?.value;
        let what = format!("{length} bytes from {offset}");
        same(&what, part.bytes, Bytes::from(due))?;
        same("size of the whole", part.info.size, Some(10))?;
    }
    Ok(())
}

async fn get_range_of_nothing(at: &Bench) -> Outcome {
    let key = at.key("range-of-nothing");
    at.put(&key, b"").await?;
    let part = at.client.get_range(&at.bucket, &key, 0, 16, None).await?.value;
    same("content", part.bytes, Bytes::new())
}

async fn if_match(at: &Bench) -> Outcome {
    let key = at.key("if-match");
    at.put(&key, b"0123456789").await?;
    let etag = at.client.head(&at.bucket, &key).await?.value.etag.unwrap_or_default();
    let part = at.client.get_range(&at.bucket, &key, 2, 3, Some(&etag)).await?.value;
    same("part", part.bytes, Bytes::from_static(b"234"))?;
    at.client.get(&at.bucket, &key, Some(&etag)).await?;
    let other = "00000000000000000000000000000000";
    let whole = at.client.get(&at.bucket, &key, Some(other)).await;
    refused("the whole", whole, Kind::Precondition, "PreconditionFailed")?;
    let part = at.client.get_range(&at.bucket, &key, 2, 3, Some(other)).await;
    refused("a part", part, Kind::Precondition, "PreconditionFailed")
}

async fn copy(at: &Bench) -> Outcome {
    let (from, to) = (at.key("copy/from"), at.key("copy/to"));
    at.put(&from, b"to be copied").await?;
    let copied = at
        .client
        .copy((&at.bucket, &from), (&at.bucket, &to), &CopyOptions::default())
        .await?
        .value;
    let info = at.client.head(&at.bucket, &to).await?.value;
    same(
        "ETag",
        copied.etag.map(|etag| etag.to_ascii_lowercase()),
        info.etag.map(|etag| etag.to_ascii_lowercase()),
    )?;
    same("content", at.read(&to).await?, Bytes::from_static(b"to be copied"))?;
    same("the source", at.read(&from).await?, Bytes::from_static(b"to be copied"))
}

async fn copy_missing(at: &Bench) -> Outcome {
    let (from, to) = (at.key("missing"), at.key("copy/never"));
    let answer =
        at.client.copy((&at.bucket, &from), (&at.bucket, &to), &CopyOptions::default()).await;
    refused("copy", answer, Kind::NotFound, "NoSuchKey")
}

async fn delete(at: &Bench) -> Outcome {
    let key = at.key("deleted");
    at.put(&key, b"x").await?;
    at.client.delete(&at.bucket, &key).await?;
    refused_head("head", at.client.head(&at.bucket, &key).await, Kind::NotFound)?;
    // once more: what is not there counts as deleted
    at.client.delete(&at.bucket, &key).await?;
    Ok(())
}

async fn delete_many(at: &Bench) -> Outcome {
    let mut keys: Vec<String> = (0..12).map(|n| at.key(&format!("many/{n}"))).collect();
    for key in &keys {
        at.put(key, b"x").await?;
    }
    let stays = at.key("many/stays");
    at.put(&stays, b"x").await?;
    keys.push(at.key("many/never was"));
    let mut left = LeftBehind::default();
    at.client.delete_many(&at.bucket, &keys, &mut left).await?;
    same("left", left.objects, Vec::new())?;
    same("below", at.keys_below(&at.key("many/")).await?, vec![stays])
}

/// The last case: what the others wrote goes away.
pub(super) async fn leave_nothing(at: &Bench) -> Outcome {
    for begun in at.client.list_uploads(&at.bucket, &at.root).await? {
        at.client.abort_upload(&at.bucket, &begun.key, &begun.id).await?;
    }
    let keys = at.keys_below(&at.root).await?;
    let mut left = LeftBehind::default();
    at.client.delete_many(&at.bucket, &keys, &mut left).await?;
    same("left", left.objects, Vec::new())?;
    same("below", at.keys_below(&at.root).await?, Vec::new())?;
    same("uploads", at.client.list_uploads(&at.bucket, &at.root).await?, Vec::new())
}
