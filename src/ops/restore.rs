//! Archived objects: how far each is from being read, and asking for them.

use futures_util::StreamExt as _;
use futures_util::stream;
use time::OffsetDateTime;

use super::failure::{Failure, FailureKind};
use super::marked::Marked;
use super::objects::until_cancelled;
use super::world::World;
use crate::base::job::{Context, Job};
use crate::model::bucket::BucketName;
use crate::oss::Client;
use crate::oss::listing::{ListRequest, StorageClass};
use crate::oss::object::ObjectInfo;
use crate::oss::restore::{Asked, Restoration, RestoreOptions};
use crate::oss::versions::At;

/// Objects asked for at a time.
const AT_A_TIME: usize = 16;

/// Looks how far archived objects are from being read, or asks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreMarked {
    /// Which; what is not archived below a prefix is passed over.
    pub marked: Marked,
    /// Which version of the objects that are named, where that is not the current one.
    pub version: Option<String>,
    /// How; `None` looks only.
    pub options: Option<RestoreOptions>,
}

/// An object, and how far it is from being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Where it lies; none where that is not known.
    pub class: Option<StorageClass>,
    /// How far it is, or why nobody knows.
    pub state: Result<State, Failure>,
}

/// How far an object is from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be read without.
    NotArchived,
    /// It has to be asked for. Of what was found below a prefix this is all that a listing says.
    Archived,
    /// It was asked for just now.
    Begun,
    /// It was asked for before.
    Ongoing,
    /// It can be read, until then where that is known.
    Readable(Option<OffsetDateTime>),
}

impl State {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotArchived => "not-archived",
            Self::Archived => "archived",
            Self::Begun => "begun",
            Self::Ongoing => "ongoing",
            Self::Readable(_) => "readable",
        }
    }

    /// In words for people, of one object.
    pub fn as_words(self) -> &'static str {
        match self {
            Self::NotArchived => "not archived",
            Self::Archived => "archived: to be restored before it can be read",
            Self::Begun | Self::Ongoing => "being restored",
            Self::Readable(_) => "restored for a while",
        }
    }

    /// By what a HEAD says; none where it names no class.
    pub fn of(info: &ObjectInfo) -> Option<Self> {
        if !info.class()?.is_archived() {
            return Some(Self::NotArchived);
        }
        Some(match info.restoration() {
            None => Self::Archived,
            Some(Restoration::Ongoing) => Self::Ongoing,
            Some(Restoration::Readable(until)) => Self::Readable(until),
        })
    }
}

impl Job<World> for RestoreMarked {
    type Item = Reached;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Reached>) -> Self::Out {
        let Marked { place, objects, prefixes, .. } = self.marked;
        let (client, bucket) = place.open(&context.world).await?;
        let (door, options) = ((&client, &bucket), self.options);
        let version = self.version.as_deref();
        let looks = objects.into_iter().map(|key| async move {
            let object = At { key: key.as_str(), version };
            let (size, class, state) = named(door, object, options).await;
            Reached { key: key.as_str().to_owned(), size, class, state }
        });
        tell(&context, looks).await?;
        for prefix in prefixes {
            let request = ListRequest { prefix, ..ListRequest::default() };
            let mut pages = client.walk(&bucket, request).at_most(1);
            while let Some(page) = until_cancelled(&context, pages.next()).await? {
                let page = page?.value;
                let archived = page.entries().filter(|entry| may_be_archived(entry.storage_class));
                let archived: Vec<(String, u64, StorageClass)> = archived
                    .map(|entry| (entry.key.to_owned(), entry.size, entry.storage_class))
                    .collect();
                let asks = archived.into_iter().map(|(key, size, class)| async move {
                    let state = match options {
                        None => Ok(State::Archived),
                        Some(options) => ask(door, At::from(&key), class, options).await,
                    };
                    Reached { key, size, class: Some(class), state }
                });
                tell(&context, asks).await?;
            }
        }
        Ok(())
    }
}

/// Whether an object of a class that is not known may need it, the server says.
fn may_be_archived(class: StorageClass) -> bool {
    class.is_archived() || class == StorageClass::Other
}

/// Reports what comes of `work`, some at a time, in order.
async fn tell(
    context: &Context<World, Reached>,
    work: impl Iterator<Item = impl Future<Output = Reached>>,
) -> Result<(), Failure> {
    let mut work = stream::iter(work).buffered(AT_A_TIME);
    while let Some(reached) = until_cancelled(context, work.next()).await? {
        // what concerns the key or the bucket concerns all others too
        let ends_all = matches!(
            &reached.state,
            Err(failure) if matches!(failure.kind, FailureKind::Network | FailureKind::Credentials)
        );
        let failure = reached.state.as_ref().err().filter(|_| ends_all).cloned();
        if !context.report(reached).await {
            return Err(Failure::cancelled());
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    Ok(())
}

/// An object that was named: looked at first, since a row may be old, and its class decides what
/// can be asked.
async fn named(
    (client, bucket): (&Client, &BucketName),
    object: At<'_>,
    options: Option<RestoreOptions>,
) -> (u64, Option<StorageClass>, Result<State, Failure>) {
    let info = match client.head(bucket, object).await {
        Ok(answer) => answer.value,
        Err(error) => return (0, None, Err(error.into())),
    };
    let (size, class) = (info.size.unwrap_or_default(), info.class());
    // a server that names no class, as S3's own does of what is not archived
    let (class, state) =
        (class.unwrap_or_default(), State::of(&info).unwrap_or(State::NotArchived));
    let state = match (options, state) {
        (Some(options), State::Archived | State::Readable(_)) => {
            let asked = ask((client, bucket), object, class, options).await;
            match (asked, state) {
                (Ok(State::Readable(None)), State::Readable(until)) => Ok(State::Readable(until)),
                (asked, _) => asked,
            }
        }
        _ => Ok(state),
    };
    (size, Some(class), state)
}

async fn ask(
    (client, bucket): (&Client, &BucketName),
    object: At<'_>,
    class: StorageClass,
    options: RestoreOptions,
) -> Result<State, Failure> {
    let asked = client.restore(bucket, object, class, options).await?.value;
    Ok(match asked {
        Asked::Begun => State::Begun,
        Asked::Ongoing => State::Ongoing,
        Asked::Prolonged => State::Readable(None),
        Asked::NotArchived => State::NotArchived,
    })
}
