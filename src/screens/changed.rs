//! What an action wrote, told to the screens that show it: also to those that others cover.

use super::artifact::{self, ArtifactView};
use super::objects::{self, Objects};
use super::viewer::{self, Viewer};
use crate::model::bucket::BucketName;
use crate::ops::objects::Place;
use crate::ops::world::World;
use crate::tui::screen::{Screen, Step};

/// Keys, and prefixes of keys, that are others than they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed(Vec<(Place, String)>);

impl Changed {
    /// These.
    pub(super) fn at(keys: impl IntoIterator<Item = (Place, String)>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// They themselves.
    pub(super) fn keys(&self) -> &[(Place, String)] {
        &self.0
    }

    /// Whether one of them lies below `prefix` in the `bucket` of `place`, or around that.
    pub(super) fn touches(
        &self,
        (place, bucket): (&Place, Option<&BucketName>),
        prefix: &str,
    ) -> bool {
        self.0.iter().any(|(other, key)| {
            let is_place =
                other == place || (other.bucket.is_some() && other.bucket.as_ref() == bucket);
            is_place && (key.starts_with(prefix) || (key.ends_with('/') && prefix.starts_with(key)))
        })
    }
}

/// Does `step`, and tells all that show something of what is `changed`.
pub(super) fn told<S: Screen<World = World>>(step: Step<S>, changed: &Changed) -> Step<S> {
    if changed.0.is_empty() {
        return step;
    }
    let (objects, artifacts, viewers) = (changed.clone(), changed.clone(), changed.clone());
    step.and_post_to_all::<Objects>(move || objects::Msg::Changed(objects.clone()))
        .and_post_to_all::<ArtifactView>(move || artifact::Msg::Changed(artifacts.clone()))
        .and_post_to_all::<Viewer>(move || viewer::Msg::Changed(viewers.clone()))
}
