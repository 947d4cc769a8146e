//! What the buckets hold at the start.
//!
//! The demo's artifacts lie as `ZenML` 0.98 writes them:
//! `STEP/OUTPUT/STEP_RUN_ID/SALT/FILES`, `logs/ID.log`, `custom_artifacts/…`,
//! `code_uploads/HASH.tar.gz` below the store's prefix. The files in
//! `assets/demo` are what `ZenML`'s materializers leave of one small table: the
//! parquet file, the array, the pickle and the archives were made once with
//! pyarrow, numpy, pickle and tarfile, the picture with Pillow, the rest by hand.
//! Ids come from a fixed seed, times are counted back from the start.

mod logs;

use bytes::{BufMut as _, Bytes, BytesMut};
use time::{Duration, OffsetDateTime};

use super::store::{Description, Object, Store};
use super::{BUCKET, OTHER_REGION, REGION, Seed};
use crate::ports::entropy::{Entropy as _, SeededEntropy, hex};

/// The demo's second bucket, in the other region.
pub const OTHER_BUCKET: &str = "zenml-demo-b";
/// A bucket to play in.
pub const SCRATCH: &str = "scratch-demo";
/// The store's prefix in [`BUCKET`].
pub const PREFIX: &str = "zenml";

/// Bytes of the checkpoint: enough to see a download's progress.
const CHECKPOINT: usize = 12 << 20;
/// Keys below `many/`: three pages.
const MANY: usize = 2500;

/// Keys that break careless clients.
const ODD: &[&str] = &[
    "a b c.txt",
    "a+b=c&d.txt",
    "100%.txt",
    "%41 is not A.txt",
    "中文/报告.md",
    "emoji 🚀/fusée.txt",
    "a//b",
    "a",
    "tail/",
    "dots/../x",
    "dots/./y",
    "esc \u{1b}[31mred.txt",
    "gpj.\u{202e}txt.exe",
    "new\nline.txt",
    "e\u{301} is not \u{e9}.txt",
    "q?x#y;z:@,!$'()*~.txt",
    "CON",
    "back\\slash.txt",
];

type File = (&'static str, &'static [u8]);

macro_rules! asset {
    ($name:literal) => {
        ($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/", $name)))
    };
}

const FRAME: &[File] = &[asset!("describe.csv"), asset!("df.parquet.gzip"), asset!("sample.csv")];
const JSON: &[File] = &[asset!("data.json")];
const MODEL: &[File] = &[asset!("artifact.pkl"), asset!("python_version.txt")];
const ARRAY: &[File] = &[asset!("data.npy")];
const PICTURE: &[File] = &[asset!("output.png")];
const CARD: &[File] = &[asset!("output.md")];
const PAGE: &[File] = &[asset!("output.html")];
const FOLDER: &[File] = &[asset!("data.tar.gz")];
const CODE: File = asset!("code.tar.gz");

/// An output's name and files.
type Output = (&'static str, &'static [File]);

/// A pipeline: its name and its steps with their outputs.
struct Pipeline {
    name: &'static str,
    steps: &'static [(&'static str, &'static [Output])],
    /// How many days ago it ran.
    runs: &'static [i64],
}

const PIPELINES: &[Pipeline] = &[
    Pipeline {
        name: "training",
        steps: &[
            ("load_rides", &[("rides", FRAME)]),
            ("split_rides", &[("train", FRAME), ("test", FRAME), ("ratios", JSON)]),
            ("train_model", &[("model", MODEL), ("residuals", ARRAY)]),
            ("evaluate", &[("card", CARD), ("report", PAGE), ("loss", PICTURE)]),
        ],
        runs: &[0, 1, 8],
    },
    Pipeline {
        name: "tokenize",
        steps: &[("fetch_corpus", &[("corpus", FOLDER)]), ("embed", &[("vectors", ARRAY)])],
        runs: &[2, 30],
    },
    Pipeline {
        name: "monitor_drift",
        steps: &[
            ("load_window", &[("window", FRAME)]),
            ("compare", &[("drift", JSON), ("drift_page", PAGE)]),
        ],
        runs: &[0, 1, 2],
    },
];

/// Fills the store.
pub(super) fn fill(store: &mut Store, seed: Seed, now: OffsetDateTime) {
    let mut buckets = Filler { store, entropy: SeededEntropy::new(20_260_315), now };
    buckets.create(BUCKET, REGION, 40);
    if seed == Seed::Empty {
        return;
    }
    buckets.create(OTHER_BUCKET, OTHER_REGION, 12);
    buckets.create(SCRATCH, REGION, 3);
    for pipeline in PIPELINES {
        for days in pipeline.runs {
            buckets.run(BUCKET, pipeline, *days);
        }
    }
    if let Some(pipeline) = PIPELINES.last() {
        buckets.run(OTHER_BUCKET, pipeline, 5);
    }
    buckets.checkpoint();
    buckets.other_artifacts();
    for key in ODD {
        buckets.put(BUCKET, &format!("odd/{key}"), format!("This is {key:?}.\n"), 4);
    }
    for number in 0..MANY {
        buckets.put(BUCKET, &format!("many/{number:05}.json"), format!("{{\"n\":{number}}}\n"), 6);
    }
    buckets.put(SCRATCH, "notes.txt", "Anything may be done here.\n", 3);
}

struct Filler<'a> {
    store: &'a mut Store,
    entropy: SeededEntropy,
    now: OffsetDateTime,
}

impl Filler<'_> {
    fn create(&mut self, bucket: &str, region: &str, days: i64) {
        // a new store holds no bucket: the name is free
        let _ = self.store.create(bucket, region, self.now - Duration::days(days));
    }

    fn put(&mut self, bucket: &str, key: &str, data: impl Into<Bytes>, days: i64) {
        self.put_at(bucket, key, data, self.now - Duration::days(days));
    }

    fn put_at(&mut self, bucket: &str, key: &str, data: impl Into<Bytes>, when: OffsetDateTime) {
        // s3fs, which ZenML writes through, sets no type; OSS then stores this one
        let content_type = Some("application/octet-stream".to_owned());
        let description = Description { content_type, ..Description::default() };
        // the bucket was made above
        let _ = self.store.put(bucket, key, Object::new(data.into(), when, description));
    }

    fn uuid(&self) -> String {
        uuid(&self.entropy)
    }

    /// What one run of a pipeline leaves.
    fn run(&mut self, bucket: &str, pipeline: &Pipeline, days: i64) {
        let mut when = self.now - Duration::days(days) - Duration::minutes(25);
        let started = when;
        // today's run of this one broke off in its last step, which left nothing
        let failed = days == 0 && pipeline.name == "monitor_drift";
        let done = pipeline.steps.len().saturating_sub(usize::from(failed));
        for (step, outputs) in pipeline.steps.iter().take(done) {
            let run = self.uuid();
            when += Duration::seconds(70);
            for (output, files) in *outputs {
                let salt = hex(&self.entropy, 8);
                for (file, bytes) in *files {
                    let key = format!("{PREFIX}/{step}/{output}/{run}/{salt}/{file}");
                    self.put_at(bucket, &key, Bytes::from_static(bytes), when);
                }
            }
            let log = logs::step(&self.entropy, step, when);
            let key = format!("{PREFIX}/logs/{}.log", self.uuid());
            self.put_at(bucket, &key, log, when);
        }
        let log = logs::run(&self.entropy, pipeline.name, started, failed);
        let key = format!("{PREFIX}/logs/{}.log", self.uuid());
        self.put_at(bucket, &key, log, when);
    }

    fn checkpoint(&mut self) {
        let mut bytes = BytesMut::with_capacity(CHECKPOINT);
        let noise = SeededEntropy::new(12);
        while bytes.len() < CHECKPOINT {
            bytes.put_u64(noise.next_u64());
        }
        let (run, salt) = (self.uuid(), hex(&self.entropy, 8));
        let key = format!("{PREFIX}/train_model/checkpoint/{run}/{salt}/checkpoint.pt");
        self.put(BUCKET, &key, bytes, 1);
    }

    fn other_artifacts(&mut self) {
        for (name, files) in [("baseline_rides", FRAME), ("thresholds", JSON)] {
            let id = self.uuid();
            for (file, bytes) in files {
                let key = format!("{PREFIX}/custom_artifacts/{name}/{id}/{file}");
                self.put(BUCKET, &key, Bytes::from_static(bytes), 9);
            }
        }
        let hash = hex(&self.entropy, 40);
        let key = format!("{PREFIX}/code_uploads/{hash}.tar.gz");
        self.put(BUCKET, &key, Bytes::from_static(CODE.1), 8);
    }
}

/// A random UUID (version 4).
fn uuid(entropy: &SeededEntropy) -> String {
    let digits = |count| hex(entropy, count);
    format!("{}-{}-4{}-a{}-{}", digits(8), digits(4), digits(3), digits(3), digits(12))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::store::listing::Query;
    use super::*;
    use crate::model::object_key::ObjectKey;

    fn keys(seed: Seed, prefix: &str) -> Vec<String> {
        let mut store = Store::new(Arc::new(SeededEntropy::new(1)));
        fill(&mut store, seed, OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
        let query = Query { prefix, limit: 10_000, ..Query::default() };
        let page = store.bucket(BUCKET).unwrap().page(query);
        page.objects.into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn two_starts_hold_the_same_keys_and_an_empty_one_none() {
        assert_eq!(keys(Seed::Demo, ""), keys(Seed::Demo, ""));
        assert_eq!(keys(Seed::Demo, "many/").len(), MANY);
        assert_eq!(keys(Seed::Demo, "odd/").len(), ODD.len());
        assert!(keys(Seed::Empty, "").is_empty());
    }

    #[test]
    fn artifacts_lie_where_zenml_writes_them() {
        let layout = |key: &str| {
            let parts: Vec<&str> = key.split('/').collect();
            match parts.as_slice() {
                [PREFIX, "logs", log] => log.len() == 40,
                [PREFIX, "custom_artifacts", _, id, _] => id.len() == 36,
                [PREFIX, "code_uploads", hash] => hash.len() == 47,
                [PREFIX, _, _, run, salt, _] => run.len() == 36 && salt.len() == 8,
                _ => false,
            }
        };
        let keys = keys(Seed::Demo, "zenml/");
        assert!(keys.len() > 60, "{}", keys.len());
        for key in keys {
            assert!(layout(&key) && ObjectKey::parse(&key).is_ok(), "{key}");
        }
    }
}
