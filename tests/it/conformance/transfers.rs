//! Files to objects and back, and links.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use osstack::oss::object::PutOptions;
use osstack::oss::transfer::{self, Folder, Link, Overwrite, PART, Pieces, Run, Transferred};
use osstack::oss::{Error, Kind};
use tokio_util::sync::CancellationToken;

use super::{Bench, Case, Different, Outcome, refused, refused_head, same};
use crate::hostile::noise;

const HOUR: Duration = Duration::from_hours(1);

pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    vec![
        ("upload and download a small file".into(), small(at).boxed()),
        ("upload and download a large file".into(), large(at).boxed()),
        ("upload and download compare checksums".into(), compare(at).boxed()),
        ("download what is not there".into(), download_missing(at).boxed()),
        ("copy in one piece".into(), copied(at, 1 << 20).boxed()),
        ("copy in parts".into(), copied(at, (11 << 20) + 1).boxed()),
        ("copy in parts of what is not there".into(), copy_missing(at).boxed()),
        ("link".into(), link(at).boxed()),
        ("link to an odd key".into(), link_odd(at).boxed()),
        ("link to what is not there".into(), link_missing(at).boxed()),
        ("link that was changed".into(), link_changed(at).boxed()),
        ("link that has expired".into(), link_expired(at).boxed()),
    ]
}

async fn upload(at: &Bench, file: &Path, key: &str) -> Result<Transferred, Error> {
    let (options, cancel) = (PutOptions::default(), CancellationToken::new());
    let run = Run {
        progress: &|_| (),
        cancel: &cancel,
        link: &Link::new(None),
        journal: None,
        unsynced: None,
    };
    transfer::upload(&at.client, file, (&at.bucket, key), &options, run).await
}

async fn download(at: &Bench, key: &str, folder: &Path, name: &str) -> Result<Transferred, Error> {
    let cancel = CancellationToken::new();
    let folder = Folder::open(folder).unwrap();
    let to = (&folder, Path::new(name));
    let (from, refuse) = ((&at.bucket, key), Overwrite::Refuse);
    let run = Run {
        progress: &|_| (),
        cancel: &cancel,
        link: &Link::new(None),
        journal: None,
        unsynced: None,
    };
    transfer::download(&at.client, from, to, refuse, run).await
}

/// Sends a file of these bytes and brings it back.
async fn there_and_back(at: &Bench, key: &str, bytes: &[u8]) -> Result<(bool, bool), Different> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    tokio::fs::write(&file, bytes).await?;
    let up = upload(at, &file, key).await?;
    let down = download(at, key, folder.path(), "back").await?;
    same("bytes", (up.bytes, down.bytes), (bytes.len() as u64, bytes.len() as u64))?;
    let back = tokio::fs::read(folder.path().join("back")).await?;
    same("content", back == bytes, true)?;
    Ok((up.proof.is_checksum(), down.proof.is_checksum()))
}

async fn small(at: &Bench) -> Outcome {
    there_and_back(at, &at.key("files/small"), b"a small file").await.map(|_| ())
}

async fn large(at: &Bench) -> Outcome {
    let key = at.key("files/large");
    let size = usize::try_from(PART).unwrap() + 4321;
    let mut bytes = b"a large file".repeat(size / 12);
    bytes.resize(size, b'.');
    there_and_back(at, &key, &bytes).await?;
    let etag = at.client.head(&at.bucket, &key).await?.value.etag.unwrap_or_default();
    same("it went in parts", etag.ends_with("-2"), true)?;
    same("uploads", at.client.list_uploads(&at.bucket, &key).await?, Vec::new())
}

async fn compare(at: &Bench) -> Outcome {
    let compared = there_and_back(at, &at.key("files/compared"), b"compared").await?;
    same("the server's CRC-64 was there", compared, (true, true))
}

async fn download_missing(at: &Bench) -> Outcome {
    let folder = tempfile::tempdir()?;
    let answer = download(at, &at.key("files/missing"), folder.path(), "file").await;
    refused("download", answer, Kind::NotFound, "NoSuchKey")?;
    same("what is left of it", std::fs::read_dir(folder.path())?.count(), 0)
}

/// What a browser gets that knows nothing but the address.
/// 5 MiB is the least that S3 takes as a part.
const PIECES: Pieces = Pieces { whole: 8 << 20, part: 5 << 20 };

async fn copy(at: &Bench, from: &str, to: &str, forbid: bool) -> Result<Transferred, Error> {
    let cancel = CancellationToken::new();
    let run = Run {
        progress: &|_| (),
        cancel: &cancel,
        link: &Link::new(None),
        journal: None,
        unsynced: None,
    };
    let (from, to) = ((&at.client, &at.bucket, from), (&at.client, &at.bucket, to));
    transfer::copy(from, to, forbid, PIECES, run).await
}

async fn copied(at: &Bench, size: usize) -> Outcome {
    let (from, to) = (at.key(&format!("copied/{size} of ü")), at.key(&format!("copied/{size}")));
    let bytes = Bytes::from(noise(size as u64, size));
    let options = PutOptions {
        content_type: Some("application/x-model".into()),
        metadata: vec![("made-by".into(), "a test".into())],
        ..PutOptions::default()
    };
    at.client.put(&at.bucket, &from, bytes.clone(), &options).await?;
    let done = copy(at, &from, &to, true).await?;
    same("bytes", done.bytes, size as u64)?;
    let back = at.client.get_range(&at.bucket, &to, 0, size + 1, None).await?.value;
    same("content", back.bytes == bytes, true)?;
    same("type", back.info.content_type.as_deref(), Some("application/x-model"))?;
    same("metadata", back.info.metadata, options.metadata)?;
    let left = at.client.list_uploads(&at.bucket, &to).await?;
    same("uploads that are left", left.len(), 0)
}

async fn copy_missing(at: &Bench) -> Outcome {
    let (from, to) = (at.key("copied/missing"), at.key("copied/never"));
    refused_head("copy", copy(at, &from, &to, false).await, Kind::NotFound)
}

async fn fetch(at: &Bench, url: &str) -> Result<(u16, Bytes), Different> {
    let client = legacy::Client::builder(TokioExecutor::new()).build(at.network.connector());
    let request = http::Request::get(url).body(Empty::<Bytes>::new()).unwrap();
    let failed = |error: &dyn std::fmt::Display| Different(format!("{url}: {error}"));
    let answer = client.request(request).await.map_err(|error| failed(&error))?;
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.map_err(|error| failed(&error))?.to_bytes();
    Ok((status, bytes))
}

async fn link_to(at: &Bench, key: &str) -> Outcome {
    at.put(key, b"for whoever has the link").await?;
    let url = at.client.presign("GET", &at.bucket, Some(key.into()), HOUR);
    let due = (200, Bytes::from_static(b"for whoever has the link"));
    same("answer", fetch(at, &url).await?, due)
}

async fn link(at: &Bench) -> Outcome {
    link_to(at, &at.key("link/plain")).await
}

async fn link_odd(at: &Bench) -> Outcome {
    link_to(at, &at.key("link/a b+%25&c=1/中文#?")).await
}

async fn link_missing(at: &Bench) -> Outcome {
    let url = at.client.presign("GET", &at.bucket, Some((&at.key("link/missing")).into()), HOUR);
    same("status", fetch(at, &url).await?.0, 404)
}

async fn link_changed(at: &Bench) -> Outcome {
    let (key, other) = (at.key("link/mine"), at.key("link/others"));
    at.put(&key, b"mine").await?;
    at.put(&other, b"others").await?;
    let url = at.client.presign("GET", &at.bucket, Some((&key).into()), HOUR);
    let url = url.replace("link/mine", "link/others");
    same("status", fetch(at, &url).await?.0, 403)
}

async fn link_expired(at: &Bench) -> Outcome {
    let key = at.key("link/expired");
    at.put(&key, b"x").await?;
    let url = at.client_behind(2 * HOUR).presign("GET", &at.bucket, Some((&key).into()), HOUR);
    same("status", fetch(at, &url).await?.0, 403)
}
