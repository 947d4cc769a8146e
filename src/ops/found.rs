//! What this machine has already and osstack can take over: a `zenml login`, access keys that
//! other tools keep.
//!
//! Looking copies no value: what is found is described, and read again when it is taken, so that
//! no list on a screen and no line of a log can hold one. The files of others stay as they are.

mod key;
mod login;

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::failure::Failure;
use super::world::World;
use crate::base::job::{Context, Job, Nothing};
use crate::base::units;

pub(super) use key::key_at;
pub use key::{FindKeys, FoundKey, SeenKeys, TakeKey};
pub use login::{FindLogin, FoundLogin, SeenLogin, SignsIn, TakeLogin};

/// How often a free name is sought with a number behind it.
const MOST_NUMBERS: u32 = 1000;

/// Something that can be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// By [`TakeLogin`].
    Login(FoundLogin),
    /// By [`TakeKey`].
    Key(FoundKey),
}

/// What a look came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// In the order in which it is worth taking.
    pub found: Vec<Found>,
    /// What was there and is not to be had: whole sentences, showable.
    pub remarks: Vec<String>,
}

impl Seen {
    /// Whether there is anything to say.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.remarks.is_empty()
    }
}

/// Looks for all that this machine has. Asks nobody: neither a server nor for a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAround;

impl Job<World> for LookAround {
    type Item = Nothing;
    type Out = Result<Seen, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let alone = || Context::alone(Arc::clone(&context.world));
        let SeenLogin { login, mut remarks } = FindLogin.run(alone()).await?;
        let keys = FindKeys.run(alone()).await?;
        remarks.extend(keys.skipped.into_iter().map(|skipped| skipped.said));
        let login = login.map(Found::Login).into_iter();
        let found = login.chain(keys.keys.into_iter().map(Found::Key)).collect();
        Ok(Seen { found, remarks })
    }
}

/// When something ends, as seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody said.
    Unknown,
    /// After so long.
    In(Duration),
    /// So long ago.
    Ago(Duration),
}

impl End {
    fn of(end: Option<OffsetDateTime>, now: OffsetDateTime) -> Self {
        let Some(end) = end else { return Self::Unknown };
        match Duration::try_from(end - now) {
            Ok(left) if !left.is_zero() => Self::In(left),
            _ => Self::Ago(Duration::try_from(now - end).unwrap_or_default()),
        }
    }

    /// `that ends in 4 h 59 min`; nothing where the end is not known.
    pub fn words(self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::In(left) => format!("that ends in {}", units::left(left)),
            Self::Ago(age) => format!("that ended {}", units::ago(age)),
        }
    }
}

/// `name`, or the first of `name-2`, `name-3`, … that is free.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..MOST_NUMBERS).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let taken = ["a", "a-2"];
        assert_eq!(free_name("a", |name| taken.contains(&name)), "a-3");
        assert_eq!(free_name("b", |name| taken.contains(&name)), "b");
        assert_eq!(free_name("c", |_| true), "c", "there is an end to looking");
    }

    #[test]
    fn ends_are_told_from_now() {
        let now = time::macros::datetime!(2026-11-27 12:00 UTC);
        let words = |end| End::of(end, now).words();
        assert_eq!(words(None), "");
        assert_eq!(words(Some(now + Duration::from_mins(299))), "that ends in 4 h 59 min");
        assert_eq!(words(Some(now - Duration::from_hours(3))), "that ended 3 h ago");
        assert_eq!(words(Some(now)), "that ended just now");
    }
}
