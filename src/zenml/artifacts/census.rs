//! Which objects of a store belong to no artifact version, and which versions have no object.
//!
//! The listing streams through; what is kept is a number for each version and the one orphan that
//! is still growing. Keys come sorted, as OSS lists them (by bytes), so the objects of one folder
//! come one after the other.
//!
//! Only what ZenML's own layout makes an artifact's data can be an orphan: logs and code archives
//! are known by where they lie, and what has another form somebody else put there. A run writes
//! data first and registers it then, so what is younger than [`SETTLED`] is no orphan yet.

use std::time::Duration;

use time::OffsetDateTime;

use super::ArtifactVersion;
use super::below::{Places, is_in, key_in};
use crate::zenml::layout::Layout;

/// The age from which data that nobody registered counts as an orphan.
pub const SETTLED: Duration = Duration::from_hours(1);

/// Objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub objects: u64,
    /// Their bytes together.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn join(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A folder of data that no artifact version names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The whole key of the folder, without a slash at its end.
    pub key: String,
    /// What lies there.
    pub tally: Tally,
    /// When the last of it was written, in Unix seconds.
    pub newest: i64,
}

/// What a census came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects of artifact versions.
    pub artifacts: Tally,
    /// Objects of orphans.
    pub orphans: Tally,
    /// How many folders the orphans are.
    pub orphan_folders: u64,
    /// Objects that may become an artifact's: too young to tell.
    pub young: Tally,
    /// Logs.
    pub logs: Tally,
    /// Code archives.
    pub code: Tally,
    /// What ZenML's layout does not know.
    pub other: Tally,
}

/// A count of one store, object by object.
#[derive(Debug)]
pub struct Census<'a> {
    places: Places<'a>,
    /// Whether the version's place lies in the store, and what was found there.
    found: Vec<Option<Tally>>,
    prefix: &'a str,
    /// Unix seconds; what is younger may still be registered.
    settled: i64,
    growing: Option<Orphan>,
    summary: Summary,
}

impl<'a> Census<'a> {
    /// Of the store whose keys begin with `prefix` in `bucket`, against `versions`: all that the
    /// server has, of every project, or others' data would look like orphans.
    pub fn new(
        versions: &'a [ArtifactVersion],
        bucket: &str,
        prefix: &'a str,
        now: OffsetDateTime,
    ) -> Self {
        // a place around the whole store holds all of it
        let own = prefix.trim_end_matches('/');
        let concerns = |key: &&str| key.starts_with(prefix) || is_in(own, key);
        let keys: Vec<Option<&str>> =
            versions.iter().map(|one| key_in(&one.uri, bucket).filter(concerns)).collect();
        let found = keys.iter().map(|key| key.map(|_| Tally::default())).collect();
        let settled = now.unix_timestamp().saturating_sub(SETTLED.as_secs().cast_signed());
        Self {
            places: Places::new(keys),
            found,
            prefix,
            settled,
            growing: None,
            summary: Summary::default(),
        }
    }

    /// Takes the next object; answers the orphan that is whole by now.
    pub fn take(&mut self, key: &str, size: u64, modified: i64) -> Option<Orphan> {
        let nearest = self.places.holding(key).len();
        // an object in a place within a place is data of both
        for index in self.places.around(key) {
            if let Some(Some(tally)) = self.found.get_mut(index) {
                tally.add(size);
            }
        }
        if nearest > 0 {
            self.summary.artifacts.add(size);
            return self.whole();
        }
        let below = key.strip_prefix(self.prefix).unwrap_or_default();
        let folder = match Layout::of(below) {
            Layout::Log { .. } => {
                self.summary.logs.add(size);
                None
            }
            Layout::CodeUpload { .. } => {
                self.summary.code.add(size);
                None
            }
            Layout::Other => {
                self.summary.other.add(size);
                None
            }
            Layout::StepOutput { step, output, run, salt, .. } => {
                Some(format!("{}{step}/{output}/{run}/{salt}", self.prefix))
            }
            Layout::Custom { name, id, .. } => {
                Some(format!("{}custom_artifacts/{name}/{id}", self.prefix))
            }
        };
        let Some(folder) = folder else { return self.whole() };
        let ended = match &self.growing {
            Some(growing) if growing.key == folder => None,
            _ => self.whole(),
        };
        let growing = self.growing.get_or_insert_with(|| Orphan {
            key: folder,
            tally: Tally::default(),
            newest: i64::MIN,
        });
        growing.tally.add(size);
        growing.newest = growing.newest.max(modified);
        ended
    }

    /// The listing is at its end: the last orphan, and what is left to tell.
    pub fn end(mut self) -> (Option<Orphan>, Ended) {
        let last = self.whole();
        (last, Ended { summary: self.summary, found: self.found })
    }

    fn whole(&mut self) -> Option<Orphan> {
        let orphan = self.growing.take()?;
        if orphan.newest > self.settled {
            self.summary.young.join(orphan.tally);
            return None;
        }
        self.summary.orphans.join(orphan.tally);
        self.summary.orphan_folders += 1;
        Some(orphan)
    }
}

/// A census at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The numbers.
    pub summary: Summary,
    found: Vec<Option<Tally>>,
}

impl Ended {
    /// What was found of the version with this index; nothing where its place lies elsewhere.
    pub fn found(&self, index: usize) -> Option<Tally> {
        self.found.get(index).copied().flatten()
    }

    /// Indexes of the versions whose place lies in the store, and holds nothing.
    pub fn missing(&self) -> impl Iterator<Item = usize> + '_ {
        let numbered = self.found.iter().enumerate();
        numbered.filter(|(_, tally)| **tally == Some(Tally::default())).map(|(index, _)| index)
    }
}

/// Whether an orphan may be deleted now that `versions` are what the server has: asked once more
/// right before, since a run may have registered it in between.
pub fn is_still_orphan(key: &str, bucket: &str, versions: &[ArtifactVersion]) -> bool {
    let mut places = versions.iter().filter_map(|one| key_in(&one.uri, bucket));
    !places.any(|place| is_in(key, place) || is_in(place, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &str = include_str!("../../../tests/data/zenml/object-keys-s3.txt");
    const ID: &str = "681656ff-a3af-417b-8469-3c74ef4f0be4";
    const HOUR: i64 = 3600;
    const NOW: i64 = 1_000_000;

    fn version(uri: &str) -> ArtifactVersion {
        ArtifactVersion { id: uri.into(), uri: uri.into(), ..ArtifactVersion::default() }
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(NOW).unwrap()
    }

    fn count(versions: &[ArtifactVersion], objects: &[(&str, u64, i64)]) -> (Vec<Orphan>, Ended) {
        let mut census = Census::new(versions, "b", "zen/", now());
        let mut orphans: Vec<Orphan> = objects
            .iter()
            .filter_map(|(key, size, modified)| census.take(key, *size, *modified))
            .collect();
        let (last, ended) = census.end();
        orphans.extend(last);
        (orphans, ended)
    }

    /// The folders that the captured run left, as URIs.
    fn captured() -> (Vec<(&'static str, u64, i64)>, Vec<String>) {
        let objects: Vec<_> = KEYS
            .lines()
            .map(|line| line.rsplit_once(' ').unwrap())
            .map(|(key, size)| (key, size.parse().unwrap(), 0))
            .collect();
        let mut folders: Vec<String> = objects
            .iter()
            .filter(|(key, ..)| !key.starts_with("zen/logs/"))
            .map(|(key, ..)| format!("s3://b/{}", key.rsplit_once('/').unwrap().0))
            .collect();
        folders.dedup();
        (objects, folders)
    }

    #[test]
    fn a_captured_run_has_neither_orphans_nor_gaps() {
        let (objects, folders) = captured();
        let versions: Vec<_> = folders.iter().map(|uri| version(uri)).collect();
        let (orphans, ended) = count(&versions, &objects);
        assert_eq!((orphans.len(), ended.missing().count()), (0, 0));
        let Summary { artifacts, logs, other, .. } = ended.summary;
        assert_eq!((artifacts.objects, logs.objects, other.objects), (56, 18, 0));
        let frame = folders.iter().position(|uri| uri.ends_with("915b2d0d")).unwrap();
        assert_eq!(ended.found(frame), Some(Tally { objects: 3, bytes: 2196 }), "as ZenML counted");
    }

    #[test]
    fn what_nobody_registered_is_an_orphan_and_what_is_gone_is_missing() {
        let (objects, mut folders) = captured();
        let lost = folders.remove(3);
        folders.push("s3://b/zen/gone/out/x".to_owned());
        folders.push("s3://elsewhere/zen/gone".to_owned());
        folders.push("s3://b/other/prefix".to_owned());
        let versions: Vec<_> = folders.iter().map(|uri| version(uri)).collect();
        let (orphans, ended) = count(&versions, &objects);
        let [orphan] = orphans.as_slice() else { panic!("{orphans:?}") };
        assert_eq!(format!("s3://b/{}", orphan.key), lost);
        assert_eq!(orphan.tally, Tally { objects: 1, bytes: 3 });
        let missing: Vec<_> = ended.missing().map(|index| folders[index].as_str()).collect();
        assert_eq!(missing, ["s3://b/zen/gone/out/x"]);
        assert_eq!(ended.found(folders.len() - 1), None, "it lies elsewhere");
    }

    #[test]
    fn what_is_being_written_is_no_orphan_yet() {
        let folder = format!("zen/step/out/{ID}/c7a28315");
        let (old, new) = (format!("{folder}/a"), format!("{folder}/b"));
        let objects = [(old.as_str(), 5, 0), (new.as_str(), 7, NOW - HOUR + 1)];
        let (orphans, ended) = count(&[], &objects);
        assert!(orphans.is_empty(), "one object of it is young");
        assert_eq!(ended.summary.young, Tally { objects: 2, bytes: 12 });
        let (orphans, _) = count(&[], &[(&old, 5, 0), (&new, 7, NOW - HOUR)]);
        assert_eq!(orphans[0].tally, Tally { objects: 2, bytes: 12 });
    }

    #[test]
    fn what_zenml_did_not_write_as_an_artifact_is_no_orphan() {
        let log = format!("zen/logs/{ID}.log");
        let objects =
            [("zen/code_uploads/abc1.tar.gz", 1, 0), (&log, 2, 0), ("zen/notes.txt", 3, 0)];
        let (orphans, ended) = count(&[], &objects);
        assert!(orphans.is_empty());
        let Summary { code, logs, other, .. } = ended.summary;
        assert_eq!([code, logs, other].map(|tally| tally.bytes), [1, 2, 3]);
    }

    #[test]
    fn places_within_places_and_files_both_have_their_data() {
        let versions = ["s3://b/zen/in", "s3://b/zen/in/deep/f.csv", "s3://b/zen/in/"].map(version);
        let (_, ended) = count(&versions, &[("zen/in/deep/f.csv", 4, 0), ("zen/in.txt", 1, 0)]);
        assert_eq!(ended.missing().count(), 0);
        assert_eq!(ended.found(0), ended.found(1));
        assert_eq!(ended.summary.artifacts.objects, 1);
        assert_eq!(ended.summary.other.objects, 1);
    }

    #[test]
    fn a_place_around_the_store_leaves_no_orphan() {
        let key = format!("zen/step/out/{ID}/c7a28315/a");
        for (around, orphans) in [("s3://b/zen", 0), ("s3://b/ze", 1), ("s3://b", 1)] {
            assert_eq!(count(&[version(around)], &[(&key, 1, 0)]).0.len(), orphans, "{around}");
        }
    }

    #[test]
    fn an_orphan_that_was_registered_meanwhile_is_none() {
        let versions = [version("s3://b/zen/a/b")];
        assert!(!is_still_orphan("zen/a/b", "b", &versions));
        assert!(!is_still_orphan("zen/a/b/c", "b", &versions));
        assert!(!is_still_orphan("zen/a", "b", &versions));
        assert!(is_still_orphan("zen/a/bc", "b", &versions));
    }

    proptest! {
        #[test]
        fn every_object_is_counted_once(kept in proptest::collection::vec(any::<bool>(), 100)) {
            let (objects, folders) = captured();
            let kept: Vec<_> = folders.iter().zip(kept).filter(|(_, kept)| *kept)
                .map(|(uri, _)| version(uri)).collect();
            let (orphans, ended) = count(&kept, &objects);
            let Summary { artifacts, orphans: lost, logs, young, other, .. } = ended.summary;
            let all = [artifacts, lost, logs, young, other];
            prop_assert_eq!(all.iter().map(|tally| tally.objects).sum::<u64>(), 74);
            prop_assert_eq!(orphans.len(), folders.len() - kept.len());
            prop_assert_eq!(orphans.iter().map(|one| one.tally.bytes).sum::<u64>(), lost.bytes);
        }
    }
}
