//! Buckets, and keys that do not open them.

use bytes::Bytes;
use futures_util::FutureExt as _;
use osstack::model::bucket::BucketName;
use osstack::oss::Kind;
use osstack::oss::listing::ListRequest;
use osstack::oss::object::PutOptions;

use super::{Bench, Case, Outcome, refused, refused_head, same};

pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    vec![
        ("create the bucket again".into(), create_again(at).boxed()),
        ("head the bucket".into(), head(at).boxed()),
        ("head a bucket that is not there".into(), head_missing(at).boxed()),
        ("list a bucket that is not there".into(), list_missing(at).boxed()),
        ("the bucket's region".into(), location(at).boxed()),
        ("list buckets".into(), list_buckets(at).boxed()),
        ("wrong secret: head".into(), wrong_secret_head(at).boxed()),
        ("wrong secret: list".into(), wrong_secret_list(at).boxed()),
        ("wrong secret: put".into(), wrong_secret_put(at).boxed()),
        ("unknown key".into(), unknown_key(at).boxed()),
    ]
}

async fn create_again(at: &Bench) -> Outcome {
    at.client.create_bucket(&at.bucket).await?;
    at.client.head_bucket(&at.bucket).await?;
    Ok(())
}

async fn head(at: &Bench) -> Outcome {
    at.client.head_bucket(&at.bucket).await?;
    Ok(())
}

/// A name that nobody has.
fn missing(at: &Bench) -> BucketName {
    let random = at.root.trim_end_matches('/').rsplit('-').next().unwrap();
    BucketName::parse(&format!("missing-{random}")).unwrap()
}

async fn head_missing(at: &Bench) -> Outcome {
    let answer = at.client.head_bucket(&missing(at)).await;
    refused_head("head", answer, Kind::NotFound)
}

async fn list_missing(at: &Bench) -> Outcome {
    let answer = at.client.list_page(&missing(at), &ListRequest::default()).await;
    refused("list", answer, Kind::NotFound, "NoSuchBucket")
}

async fn location(at: &Bench) -> Outcome {
    let location = at.client.bucket_location(&at.bucket).await?.value;
    same("location", location, Some(format!("oss-{}", at.server.region)))
}

async fn list_buckets(at: &Bench) -> Outcome {
    let buckets = at.client.list_buckets().await?.value;
    let ours = buckets.iter().any(|bucket| bucket.name == at.bucket.as_str());
    same("the bucket is among them", ours, true)
}

async fn wrong_secret_head(at: &Bench) -> Outcome {
    let client = at.client_of(&at.server.access_key_id, "another-secret-0123456789abcde");
    let answer = client.head_bucket(&at.bucket).await;
    refused_head("head", answer, Kind::Credentials)
}

async fn wrong_secret_list(at: &Bench) -> Outcome {
    let client = at.client_of(&at.server.access_key_id, "another-secret-0123456789abcde");
    let answer = client.list_page(&at.bucket, &ListRequest::default()).await;
    refused("list", answer, Kind::Credentials, "SignatureDoesNotMatch")
}

async fn wrong_secret_put(at: &Bench) -> Outcome {
    let client = at.client_of(&at.server.access_key_id, "another-secret-0123456789abcde");
    let key = at.key("wrong-secret");
    let (bytes, options) = (Bytes::from_static(b"x"), PutOptions::default());
    let answer = client.put(&at.bucket, &key, bytes, &options).await;
    refused("put", answer, Kind::Credentials, "SignatureDoesNotMatch")?;
    refused_head("head", at.client.head(&at.bucket, &key).await, Kind::NotFound)
}

async fn unknown_key(at: &Bench) -> Outcome {
    let client = at.client_of("LTAI5tNobodyHasThisKey00", "another-secret-0123456789abcde");
    let answer = client.list_page(&at.bucket, &ListRequest::default()).await;
    refused("list", answer, Kind::Credentials, "InvalidAccessKeyId")
}
