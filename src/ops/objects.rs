//! What lies in a bucket: listing, details, previews, links, deleting.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use time::OffsetDateTime;

use crate::base::job::{Context, Job, Nothing};
use crate::catalog::Catalog;
use crate::model::bucket::BucketName;
use crate::model::object_key::ObjectKey;
use crate::model::preview::{BESIDES, Next, Preview, Reader};
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::oss::crc64;
use crate::oss::listing::{ListRequest, Page};
use crate::oss::object::{BucketEntry, NotDeleted, ObjectInfo, Part, Version};
use crate::oss::presign::LONGEST as LONGEST_LINK;
use crate::oss::versions::{At, LeftBehind, Marker};
use crate::oss::{Client, Healed};

use super::failure::{Failure, FailureKind};
use super::preview_cache::{Parts, Reached, Since};
use super::world::{World, blocking};

/// A bucket as a store reaches it: the store's own, or another of the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the store whose key and endpoint are used.
    pub store: String,
    /// The bucket, where it is not the store's own.
    pub bucket: Option<BucketName>,
}

impl Place {
    /// A store's own bucket.
    pub fn of(store: impl Into<String>) -> Self {
        Self { store: store.into(), bucket: None }
    }

    /// Which bucket that is; none where the catalog does not have the store.
    pub fn bucket(&self, catalog: &Catalog) -> Option<BucketName> {
        self.bucket.clone().or_else(|| Some(catalog.store(&self.store)?.bucket.clone()))
    }

    /// The client and the bucket, unless it lies where its store's data may not lie and nobody has
    /// said yes to that ([`residency`](super::residency)).
    pub async fn open(&self, world: &World) -> Result<(Client, BucketName), Failure> {
        let store = world.store(&self.store).await?;
        let client = world.client(&store).await?;
        let bucket = self.bucket.as_ref().unwrap_or(&store.bucket).clone();
        world.border.guard(&client, &store, &bucket).await?;
        Ok((client, bucket))
    }
}

/// The buckets that a store's key may list, of every region.
#[derive(Debug)]
pub struct ListBuckets {
    /// The store, or what a form holds of one; the bucket may still be empty.
    pub of: BucketsOf,
}

/// Whose buckets.
#[derive(Debug)]
pub enum BucketsOf {
    /// A store of the catalog.
    Store(String),
    /// A draft that has a secret and an endpoint.
    Draft(Box<StoreDraft>),
}

impl Job<World> for ListBuckets {
    type Item = Nothing;
    type Out = Result<Vec<BucketEntry>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let store = match self.of {
            BucketsOf::Store(name) => world.store(&name).await?,
            BucketsOf::Draft(draft) => nameless(&draft)?,
        };
        let client = world.client(&store).await?;
        Ok(until_cancelled(&context, client.list_buckets()).await??.value)
    }
}

/// A draft whose name and bucket do not matter yet.
fn nameless(draft: &StoreDraft) -> Result<ArtifactStore, Failure> {
    let mut draft = draft.clone();
    draft.name = "draft".into();
    // a valid stand-in: listing buckets never names it
    draft.bucket = "bucket".into();
    Ok(draft.validate()?)
}

/// Makes a bucket in the region of the store's endpoint.
#[derive(Debug)]
pub struct MakeBucket {
    /// The store whose bucket it is.
    pub store: Box<StoreDraft>,
}

impl Job<World> for MakeBucket {
    type Item = Nothing;
    type Out = Result<BucketName, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let draft = StoreDraft { name: "draft".into(), ..*self.store };
        let store = draft.validate()?;
        let client = context.world.client(&store).await?;
        until_cancelled(&context, client.create_bucket(&store.bucket)).await??;
        Ok(store.bucket)
    }
}

/// Lists what lies below a prefix, page by page, many at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjects {
    /// Which bucket.
    pub place: Place,
    /// Keys begin with it; literal.
    pub prefix: String,
    /// Fold at `/`.
    pub folded: bool,
    /// Report pages in the order of keys; else as they come, which is sooner.
    pub in_order: bool,
}

/// Keys of the first page: what fills a screen, and comes in few round trips on a new connection.
const FIRST_PAGE: u16 = 100;

impl Job<World> for ListObjects {
    type Item = Page;
    /// Where the bucket lies, if that is not where the store says.
    type Out = Result<Option<Healed>, Failure>;

    async fn run(self, context: Context<World, Page>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let request = ListRequest {
            prefix: self.prefix,
            delimiter: self.folded.then(|| "/".to_owned()),
            ..ListRequest::default()
        };
        let pages = client.walk(&bucket, request).beginning_with(FIRST_PAGE);
        let mut pages = if self.in_order { pages.in_order() } else { pages };
        while let Some(page) = until_cancelled(&context, pages.next()).await? {
            if !context.report(page?.value).await {
                break;
            }
        }
        Ok(client.healed(&bucket))
    }
}

/// What `work` answers, unless the job is told to stop first.
pub(in crate::ops) async fn until_cancelled<I, T>(
    context: &Context<World, I>,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    context.cancel.run_until_cancelled(work).await.ok_or_else(Failure::cancelled)
}

/// One object's details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatObject {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// Which version of it, where that is not the current one.
    pub version: Option<String>,
}

impl Job<World> for StatObject {
    type Item = Nothing;
    type Out = Result<ObjectInfo, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let object = At { key: self.key.as_str(), version: self.version.as_deref() };
        Ok(until_cancelled(&context, client.head(&bucket, object)).await??.value)
    }
}

/// Reads the beginning of an object, and where its form keeps what describes it elsewhere that as
/// well, and says what it is. What was read of a version is kept, and not asked for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewObject {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// Which version of it, where that is not the current one; nothing of it is kept.
    pub version: Option<String>,
    /// Bytes at the most.
    pub limit: u64,
    /// As what it was listed; nothing of it that was read before is shown without.
    pub listed: Option<Version>,
}

impl Job<World> for PreviewObject {
    type Item = Nothing;
    type Out = Result<Preview, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let store = world.store(&self.place.store).await?;
        let bucket = self.place.bucket.as_ref().unwrap_or(&store.bucket).clone();
        let by = world.credentials(store.secret.as_str()).await?.access_key_id;
        let object = Reached { store, bucket, key: self.key, by };
        let since = world.previews.since();
        let version = self.version.as_deref();
        let listed = self.listed.filter(|_| version.is_none());
        let kept = listed.and_then(|version| world.previews.find(&object, &version));
        let was_kept = kept.is_some();
        let (context, place, object) = (&context, &self.place, &object);
        let mut ranges = Ranges { context, place, object, version, door: None, since };
        match ranges.look(self.limit, kept).await {
            // it was written anew since it was listed
            Err(failure) if was_kept && failure.kind == FailureKind::Conflict => {
                world.previews.forget(object);
                ranges.look(self.limit, None).await
            }
            looked => looked,
        }
    }
}

/// Reads ranges of an object; its place is opened for the first of them.
struct Ranges<'a> {
    context: &'a Context<World, Nothing>,
    place: &'a Place,
    object: &'a Reached,
    version: Option<&'a str>,
    door: Option<(Client, BucketName)>,
    since: Since,
}

impl Ranges<'_> {
    async fn get(&mut self, range: Range<u64>, etag: Option<&str>) -> Result<Part, Failure> {
        let door = match self.door.take() {
            Some(door) => door,
            None => self.place.open(&self.context.world).await?,
        };
        let (client, bucket) = self.door.insert(door);
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let object = At { key: self.object.key.as_str(), version: self.version };
        let get = client.get_range(bucket, object, range.start, length, etag);
        Ok(until_cancelled(self.context, get).await??.value)
    }

    /// What to show of the object, of which `kept` was read before.
    async fn look(&mut self, limit: u64, kept: Option<Parts>) -> Result<Preview, Failure> {
        let mut is_new = false;
        let (first, total, version, mut besides) =
            if let Some(Parts { version, mut first, besides }) = kept {
                let read = first.len() as u64;
                if read < limit.min(version.size) {
                    let more = self.get(read..limit, Some(&version.etag)).await?;
                    first = [first, more.bytes].concat().into();
                    is_new = true;
                }
                (first, version.size, Some(version), besides)
            } else {
                // one request: the range's answer names the size of the whole
                let part = self.get(0..limit, None).await?;
                is_new = true;
                let total = part.info.size.unwrap_or(part.bytes.len() as u64);
                let version = part.info.version();
                (part.bytes, total, version, Vec::new())
            };
        let shown = first.slice(..first.len().min(usize::try_from(limit).unwrap_or(usize::MAX)));
        let key = self.object.key.as_str();
        let mut reader = Reader::new(key, shown, total, limit.max(BESIDES));
        for (offset, asked, bytes) in &besides {
            reader.add(*offset, *asked, Bytes::clone(bytes));
        }
        let preview = loop {
            let parsed = blocking(move || (reader.look(), reader));
            let (next, back) = until_cancelled(self.context, parsed).await??;
            reader = back;
            match next {
                Next::Show(preview) => break preview,
                Next::Need { offset, length } => {
                    // what comes later must be of the object that came first
                    let etag = version.as_ref().map(|version| version.etag.as_str());
                    let range = offset..offset.saturating_add(length);
                    let bytes = self.get(range, etag).await?.bytes;
                    is_new = true;
                    reader.add(offset, length, bytes.clone());
                    besides.push((offset, length, bytes));
                }
            }
        };
        if let Some(version) = version.filter(|_| is_new && self.version.is_none()) {
            let (of, parts) = (self.object.clone(), Parts { version, first, besides });
            self.context.world.previews.keep(self.since, of, parts);
        }
        Ok(preview)
    }
}

/// Reads a whole object, piece by piece, and proves at the end that it was all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadObject {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// Which version of it, where that is not the current one.
    pub version: Option<String>,
}

impl Job<World> for ReadObject {
    type Item = Bytes;
    type Out = Result<ObjectInfo, Failure>;

    async fn run(self, context: Context<World, Bytes>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        let object = At { key: self.key.as_str(), version: self.version.as_deref() };
        let get = client.get(&bucket, object, None);
        let opened = until_cancelled(&context, get).await??.value;
        let (info, mut body) = (opened.info, opened.body);
        let (mut read, mut sum) = (0, crc64::Crc64::new());
        while let Some(bytes) = until_cancelled(&context, body.chunk()).await?? {
            read += bytes.len() as u64;
            sum.update(&bytes);
            if !context.report(bytes).await {
                return Err(Failure::cancelled());
            }
        }
        let whole = info.size.is_none_or(|size| size == read);
        if !whole || info.crc64.is_some_and(|theirs| theirs != sum.value()) {
            let summary = "the bytes that arrived are not those of the object";
            return Err(Failure::new(FailureKind::Network, summary)
                .hint("what was written is not to be trusted: read it again"));
        }
        Ok(info)
    }
}

/// Deletes one object, by a single delete as every version of botocore can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObject {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
}

impl Job<World> for DeleteObject {
    type Item = Nothing;
    /// The delete marker that is left in its place, where versions are kept.
    type Out = Result<Option<Marker>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        Ok(until_cancelled(&context, client.delete(&bucket, self.key.as_str())).await??.value)
    }
}

/// Makes a link that works without a key until it ends. Asks the network nothing, unless the
/// store's residency makes it ask where the bucket lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresignObject {
    /// Which bucket.
    pub place: Place,
    /// The object.
    pub key: ObjectKey,
    /// Which version of it, where that is not the current one.
    pub version: Option<String>,
    /// How long it works: 7 days at most with S3 V4.
    pub expires: Duration,
}

/// A link that works without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub url: String,
    /// It was signed with a temporary key: it ends with that key's session token, if not before
    /// (OSS documentation, "Authorized access": of the two the shorter validity counts).
    pub is_temporary: bool,
    /// When that token ends, where it is known.
    pub token_ends: Option<OffsetDateTime>,
    /// When the link ends, as far as is known: by its signature, or sooner with the token.
    pub until: OffsetDateTime,
    /// How long that is from now.
    pub life: Duration,
}

impl Link {
    /// Whether a browser saves what it leads to in place of showing it: OSS says so on its own
    /// domains (OSS documentation, EC 0048-00000113).
    pub fn is_saved(&self) -> bool {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', '?']).next().is_some_and(|host| host.ends_with(".aliyuncs.com"))
    }
}

impl Job<World> for PresignObject {
    type Item = Nothing;
    type Out = Result<Link, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        if self.expires.is_zero() || self.expires > LONGEST_LINK {
            // OSS refuses more with S3 V4 only; a link that outlives its purpose is no better with V2
            let summary = "a link lives from 1 second to 7 days";
            return Err(Failure::new(FailureKind::Usage, summary).hint("try 1h, 12h or 7d"));
        }
        let (client, bucket) = self.place.open(&context.world).await?;
        let object = At { key: self.key.as_str(), version: self.version.as_deref() };
        let url = client.presign("GET", &bucket, Some(object), self.expires);
        let credentials = &client.access().credentials;
        let is_temporary = credentials.session_token.is_some();
        let token_ends = credentials.expires_at.filter(|_| is_temporary);
        let now = context.world.clock.now();
        let signed = now + self.expires;
        let until = token_ends.map_or(signed, |end| end.min(signed));
        let life = Duration::try_from(until - now).unwrap_or_default();
        Ok(Link { url, is_temporary, token_ends, until, life })
    }
}

/// Deletes all objects whose keys begin with a prefix: page by page, so that stopping it leaves
/// the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletePrefix {
    /// Which bucket.
    pub place: Place,
    /// Keys begin with it; literal.
    pub prefix: String,
}

/// One page of a deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The keys that are gone.
    pub keys: Vec<String>,
    /// Those that stayed, and why.
    pub left: Vec<NotDeleted>,
    /// The delete markers of those that are gone, where versions are kept.
    pub markers: Vec<Marker>,
}

impl Job<World> for DeletePrefix {
    type Item = Deleted;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Deleted>) -> Self::Out {
        let (client, bucket) = self.place.open(&context.world).await?;
        delete_below(&context, (&client, &bucket), self.prefix).await
    }
}

/// Deletes and reports all objects whose keys begin with `prefix`.
pub(in crate::ops) async fn delete_below(
    context: &Context<World, Deleted>,
    (client, bucket): (&Client, &BucketName),
    prefix: String,
) -> Result<(), Failure> {
    let request = ListRequest { prefix, ..ListRequest::default() };
    let mut pages = client.walk(bucket, request).at_most(1);
    while let Some(page) = until_cancelled(context, pages.next()).await? {
        let page = page?.value;
        let keys = page.entries().map(|entry| entry.key.to_owned()).collect();
        delete_keys(context, (client, bucket), keys).await?;
    }
    Ok(())
}

/// Deletes and reports these objects.
pub(in crate::ops) async fn delete_keys(
    context: &Context<World, Deleted>,
    (client, bucket): (&Client, &BucketName),
    mut keys: Vec<String>,
) -> Result<(), Failure> {
    let mut left_behind = LeftBehind::default();
    let done = client.delete_many(bucket, &keys, &mut left_behind).await;
    let LeftBehind { objects: left, markers } = left_behind;
    let stayed: BTreeSet<&str> = left.iter().map(|object| object.key.as_str()).collect();
    keys.retain(|key| !stayed.contains(key.as_str()));
    context.report(Deleted { keys, left, markers }).await;
    Ok(done?)
}
