//! Which artifact versions may go, and in which order.
//!
//! ZenML lets go of a version's metadata only once no run has it as input or output
//! (`artifact_version_endpoints.py`, seen with 0.98: 400 "used in runs"); `zenml artifact prune`
//! takes exactly those (`only_unused`). So nothing else is ever taken here either: the data of a
//! version whose metadata must stay would leave a version without data.
//!
//! Of each version the data goes first, then the metadata. Whoever is stopped in between leaves
//! versions without data that no run uses: the next plan has them again, finds nothing to delete
//! and ends with the metadata. No journal is kept, since the server's list is one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use time::OffsetDateTime;

use super::ArtifactVersion;
use super::below::{Places, key_in};

/// What makes a version go: all that are given have to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// It was written longer ago.
    pub older_than: Option<Duration>,
    /// It is not among the newest so many of its artifact, those in use counted.
    pub keep_last: Option<usize>,
    /// No run has it as input or output; nothing else goes in any case, but what is in use is
    /// then not even named.
    pub unused: bool,
}

impl Rules {
    /// Whether nothing is said at all: then nothing goes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a version that the rules are against stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A run has it as input or output.
    Used,
    /// Its data is, or holds, or lies in that of this version, which stays.
    Shared(String),
    /// It was registered where it lay: ZenML did not write it.
    Preexisting,
    /// A model version holds it.
    OfModel,
}

impl Why {
    /// In words, ending in what to do.
    pub fn words(&self) -> String {
        match self {
            Self::Used => "a run has it as input or output: delete the run first".to_owned(),
            Self::Shared(other) => {
                format!("its data is also that of {other}, which stays: prune both, or neither")
            }
            Self::Preexisting => {
                "its data was there before ZenML: delete it by hand if it is not needed".to_owned()
            }
            Self::OfModel => "a model version holds it: delete that first".to_owned(),
        }
    }
}

/// A version that goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Doomed {
    /// It.
    pub version: ArtifactVersion,
    /// Where its data lies: the whole key of a folder without its slash, or of a file.
    pub key: String,
}

/// A version that the rules are against, and that stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// It.
    pub version: ArtifactVersion,
    /// Why.
    pub why: Why,
}

/// What goes, the oldest first, and what stays against the rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In this order.
    pub doomed: Vec<Doomed>,
    /// With why.
    pub kept: Vec<Kept>,
}

/// What there is to choose from.
#[derive(Clone, Copy, Debug)]
pub struct Stock<'a> {
    /// All versions the server has, of every project: their data must not go with another's.
    pub versions: &'a [ArtifactVersion],
    /// Ids of those that no run has.
    pub unused: &'a BTreeSet<String>,
    /// Ids of those that a model version holds.
    pub of_models: &'a BTreeSet<String>,
    /// Only what lies below it goes: bucket, and what the store's keys begin with.
    pub store: (&'a str, &'a str),
}

/// What goes by `rules`.
pub fn plan(stock: &Stock<'_>, rules: &Rules, now: OffsetDateTime) -> Plan {
    let (bucket, prefix) = stock.store;
    if rules.is_empty() {
        return Plan::default();
    }
    let versions = stock.versions;
    let keys: Vec<Option<&str>> = versions.iter().map(|one| key_in(&one.uri, bucket)).collect();
    let newest = newest(versions, rules.keep_last.unwrap_or(0));
    let mut fates: Vec<Option<Result<(), Why>>> = versions
        .iter()
        .zip(&keys)
        .map(|(version, key)| {
            let is_here = key.is_some_and(|key| key.starts_with(prefix) && key != prefix);
            let goes =
                is_here && !newest.contains(version.id.as_str()) && is_old(version, rules, now);
            let used = !stock.unused.contains(&version.id);
            (goes && !(rules.unused && used)).then(|| {
                if used {
                    Err(Why::Used)
                } else if version.save_type == "preexisting" {
                    Err(Why::Preexisting)
                } else if stock.of_models.contains(&version.id) {
                    Err(Why::OfModel)
                } else {
                    Ok(())
                }
            })
        })
        .collect();
    spare_shared(versions, &keys, &mut fates);
    let mut plan = Plan::default();
    for ((version, key), fate) in versions.iter().zip(&keys).zip(fates) {
        match (fate, key) {
            (Some(Ok(())), Some(key)) => {
                plan.doomed.push(Doomed { version: version.clone(), key: (*key).to_owned() });
            }
            (Some(Err(why)), _) => plan.kept.push(Kept { version: version.clone(), why }),
            _ => {}
        }
    }
    plan.doomed.sort_by(|a, b| age(&a.version).cmp(&age(&b.version)));
    plan
}

/// By when they were written, then by id: the order never depends on the server's.
fn age(version: &ArtifactVersion) -> (Option<OffsetDateTime>, &str) {
    (version.created, version.id.as_str())
}

/// One whose time is not known is never too old.
fn is_old(version: &ArtifactVersion, rules: &Rules, now: OffsetDateTime) -> bool {
    let Some(span) = rules.older_than else { return true };
    let span = time::Duration::try_from(span).unwrap_or(time::Duration::MAX);
    version.created.is_some_and(|created| created.saturating_add(span) < now)
}

/// Ids of the newest `count` of each artifact, wherever their data lies.
fn newest(versions: &[ArtifactVersion], count: usize) -> BTreeSet<&str> {
    let mut by_artifact: BTreeMap<&str, Vec<&ArtifactVersion>> = BTreeMap::new();
    for version in versions {
        by_artifact.entry(version.artifact.as_str()).or_default().push(version);
    }
    let newest = by_artifact.into_values().flat_map(|mut of_one| {
        of_one.sort_by(|a, b| age(b).cmp(&age(a)));
        of_one.into_iter().take(count)
    });
    newest.map(|version| version.id.as_str()).collect()
}

/// Data that is also another's stays as long as that other stays.
fn spare_shared(
    versions: &[ArtifactVersion],
    keys: &[Option<&str>],
    fates: &mut [Option<Result<(), Why>>],
) {
    let places = Places::new(keys.iter().copied());
    let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); versions.len()];
    for (index, key) in keys.iter().enumerate() {
        for other in key.iter().flat_map(|key| places.around(key)).filter(|other| *other != index) {
            for (from, to) in [(index, other), (other, index)] {
                if let Some(list) = neighbours.get_mut(from) {
                    list.push(to);
                }
            }
        }
    }
    // what stays saves its neighbours, and they theirs
    let stays = |fate: &Option<Result<(), Why>>| !matches!(fate, Some(Ok(())));
    let mut saving: Vec<usize> =
        fates.iter().enumerate().filter(|(_, fate)| stays(fate)).map(|(index, _)| index).collect();
    while let Some(index) = saving.pop() {
        let Some(saviour) = versions.get(index) else { continue };
        for &other in neighbours.get(index).into_iter().flatten() {
            if let Some(fate) = fates.get_mut(other).filter(|fate| !stays(fate)) {
                *fate = Some(Err(Why::Shared(saviour.label())));
                saving.push(other);
            }
        }
    }
}

#[cfg(test)]
mod tests;
