//! Archived objects: what has to be asked before they can be read, and how far that is.

use time::OffsetDateTime;

use super::listing::StorageClass;
use super::object::{ObjectInfo, parse_http_date};

/// How soon an object of the two coldest classes is wanted; sooner costs more (OSS documentation,
/// "Restore objects").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// The soonest.
    Expedited,
    /// What OSS takes where nothing is said.
    #[default]
    Standard,
    /// The cheapest.
    Bulk,
}

impl Tier {
    /// Every one, the soonest first.
    pub const ALL: [Self; 3] = [Self::Expedited, Self::Standard, Self::Bulk];

    /// As requests have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expedited => "Expedited",
            Self::Standard => "Standard",
            Self::Bulk => "Bulk",
        }
    }
}

/// What a restore is to be like. The documentation of OSS says that it ignores the days of an S3
/// client ("Migrate from AWS", 2020), and nothing of the tier: what was granted shows afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// Days that the object is readable; cut to what its class allows.
    pub days: u16,
    /// How soon, where its class leaves a choice.
    pub tier: Tier,
}

/// How far the restore of an archived object is, by its `x-oss-restore`; none where it was not
/// asked for, or its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restoration {
    /// It goes on.
    Ongoing,
    /// The object can be read, until then where the server says so.
    Readable(Option<OffsetDateTime>),
}

/// What a server answers to being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It begins.
    Begun,
    /// It was begun before.
    Ongoing,
    /// It is readable already, and stays so for longer.
    Prolonged,
    /// There is nothing to restore.
    NotArchived,
}

impl StorageClass {
    /// Whether an object has to be restored before it can be read.
    pub fn is_archived(self) -> bool {
        matches!(self, Self::Archive | Self::ColdArchive | Self::DeepColdArchive)
    }

    /// Days that a restored object stays readable at the most (OSS documentation,
    /// "`RestoreObject`").
    pub fn most_days(self) -> u16 {
        if self == Self::Archive { 7 } else { 365 }
    }

    /// The days to ask for, where `wanted` are.
    pub fn days(self, wanted: u16) -> u16 {
        wanted.clamp(1, self.most_days())
    }

    /// The tier to ask for, where `wanted` is: none where the class has but one, the next sooner
    /// one where it has no such.
    pub fn tier(self, wanted: Tier) -> Option<Tier> {
        match (self, wanted) {
            (Self::DeepColdArchive, Tier::Bulk) => Some(Tier::Standard),
            (Self::ColdArchive | Self::DeepColdArchive, wanted) => Some(wanted),
            _ => None,
        }
    }

    /// How long a restore takes, about (OSS documentation, "Restore objects").
    pub fn wait(self, wanted: Tier) -> &'static str {
        match (self, self.tier(wanted)) {
            (Self::ColdArchive, Some(Tier::Expedited)) => "within an hour",
            (Self::ColdArchive, Some(Tier::Bulk)) => "in 5 to 12 hours",
            (Self::ColdArchive, _) => "in 2 to 5 hours",
            (Self::DeepColdArchive, Some(Tier::Expedited)) => "within 12 hours",
            (Self::DeepColdArchive, _) => "within 48 hours",
            _ => "in about a minute",
        }
    }
}

impl ObjectInfo {
    /// Where it lies, as far as the server says.
    pub fn class(&self) -> Option<StorageClass> {
        self.storage_class.as_deref().map(StorageClass::parse)
    }

    /// How far its restore is.
    pub fn restoration(&self) -> Option<Restoration> {
        let names = ["x-oss-restore", "x-amz-restore"];
        let said = names.iter().find_map(|name| self.headers.get(name))?;
        if said.contains("ongoing-request=\"true\"") {
            return Some(Restoration::Ongoing);
        }
        let rest = said.split_once("expiry-date=\"").map(|(_, rest)| rest);
        let until = rest.and_then(|rest| parse_http_date(rest.split('"').next()?));
        Some(Restoration::Readable(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oss::object::Headers;

    fn said(value: &'static str) -> Option<Restoration> {
        let mut map = http::HeaderMap::new();
        map.insert("x-amz-restore", http::HeaderValue::from_static(value));
        ObjectInfo { headers: Headers::of(&map), ..ObjectInfo::default() }.restoration()
    }

    #[test]
    fn how_far_a_restore_is_stands_in_a_header() {
        assert_eq!(ObjectInfo::default().restoration(), None);
        assert_eq!(said("ongoing-request=\"true\""), Some(Restoration::Ongoing));
        let ready = "ongoing-request=\"false\", expiry-date=\"Mon, 16 Mar 2026 10:21:30 GMT\"";
        let until = parse_http_date("Mon, 16 Mar 2026 10:21:30 GMT");
        assert_eq!(said(ready), Some(Restoration::Readable(until)));
        for odd in ["ongoing-request=\"false\"", "expiry-date=\"soon", ""] {
            assert_eq!(said(odd), Some(Restoration::Readable(None)), "{odd}");
        }
    }

    #[test]
    fn a_tier_is_asked_for_only_where_the_class_has_it() {
        use StorageClass::{Archive, ColdArchive, DeepColdArchive, Standard};
        for class in [Standard, Archive] {
            assert_eq!(class.tier(Tier::Expedited), None);
        }
        assert_eq!(ColdArchive.tier(Tier::Bulk), Some(Tier::Bulk));
        assert_eq!(DeepColdArchive.tier(Tier::Bulk), Some(Tier::Standard));
        assert_eq!([0, 3, 30].map(|days| Archive.days(days)), [1, 3, 7]);
        assert_eq!([30, 999].map(|days| ColdArchive.days(days)), [30, 365]);
    }
}
