//! What ZenML writes where, below a store's path.

/// What a key below the store's prefix is, by its form alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout<'a> {
    /// `{step}/{output}/{run}/{salt}/{file}` (`orchestrators/output_utils.py`, 0.68 to 0.98).
    StepOutput {
        /// The step's name.
        step: &'a str,
        /// The output's name.
        output: &'a str,
        /// Id of the step run, a UUID.
        run: &'a str,
        /// Eight hex digits that keep retries apart.
        salt: &'a str,
        /// The file, with the folders below; empty for the folder itself.
        file: &'a str,
    },
    /// `custom_artifacts/{name}/{id}/{file}`: what `save_artifact` writes (`artifacts/utils.py`).
    Custom {
        /// The artifact's name.
        name: &'a str,
        /// A UUID of its own.
        id: &'a str,
        /// The file, with the folders below; empty for the folder itself.
        file: &'a str,
    },
    /// `logs/{id}.log`, or `logs/{id}/{time}.log` on stores that cannot append.
    Log {
        /// Id of the log, a UUID.
        id: &'a str,
    },
    /// `code_uploads/{hash}.tar.gz`: code for orchestrators elsewhere (`utils/code_utils.py`).
    CodeUpload {
        /// Hash of the code.
        hash: &'a str,
    },
    /// Nothing that ZenML writes by itself.
    Other,
}

impl<'a> Layout<'a> {
    /// What `key` is; `key` begins after the store's prefix and its slash.
    pub fn of(key: &'a str) -> Self {
        custom(key)
            .or_else(|| log(key))
            .or_else(|| code_upload(key))
            .or_else(|| step_output(key))
            .unwrap_or(Self::Other)
    }
}

fn step_output(key: &str) -> Option<Layout<'_>> {
    let mut parts = key.splitn(5, '/');
    let (step, output) = (parts.next()?, parts.next()?);
    let (run, salt, file) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = !step.is_empty() && !output.is_empty() && is_uuid(run) && is_hex(salt, 8);
    fits.then_some(Layout::StepOutput { step, output, run, salt, file })
}

fn custom(key: &str) -> Option<Layout<'_>> {
    let mut parts = key.strip_prefix("custom_artifacts/")?.splitn(3, '/');
    let (name, id, file) = (parts.next()?, parts.next()?, parts.next()?);
    (!name.is_empty() && is_uuid(id)).then_some(Layout::Custom { name, id, file })
}

fn log(key: &str) -> Option<Layout<'_>> {
    let path = key.strip_prefix("logs/")?.strip_suffix(".log")?;
    let (id, time) = path.split_once('/').unwrap_or((path, "whole"));
    (is_uuid(id) && !time.is_empty() && !time.contains('/')).then_some(Layout::Log { id })
}

fn code_upload(key: &str) -> Option<Layout<'_>> {
    let hash = key.strip_prefix("code_uploads/")?.strip_suffix(".tar.gz")?;
    is_hex(hash, hash.len().max(1)).then_some(Layout::CodeUpload { hash })
}

/// `8-4-4-4-12` lower-case hex digits, as Python prints a UUID.
fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let fits = [8, 4, 4, 4, 12].into_iter().all(|n| groups.next().is_some_and(|g| is_hex(g, n)));
    fits && groups.next().is_none()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Keys that ZenML 0.98 wrote in two runs of a pipeline, with their sizes.
    const KEYS: &str = include_str!("../../tests/data/zenml/object-keys-s3.txt");
    const ID: &str = "681656ff-a3af-417b-8469-3c74ef4f0be4";

    #[test]
    fn everything_a_run_writes_is_recognised() {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for line in KEYS.lines() {
            let (key, _size) = line.rsplit_once(' ').unwrap();
            let kind = match Layout::of(key.strip_prefix("zen/").unwrap()) {
                Layout::StepOutput { .. } => "step output",
                Layout::Log { .. } => "log",
                Layout::Custom { .. } | Layout::CodeUpload { .. } | Layout::Other => key,
            };
            *kinds.entry(kind).or_default() += 1;
        }
        assert_eq!(kinds, BTreeMap::from([("log", 18), ("step output", 56)]));
    }

    #[test]
    fn parts_are_told_apart() {
        let key = format!("basics/a_dict/{ID}/c7a28315/0/data.json");
        let want = Layout::StepOutput {
            step: "basics",
            output: "a_dict",
            run: ID,
            salt: "c7a28315",
            file: "0/data.json",
        };
        assert_eq!(Layout::of(&key), want);
        let key = format!("custom_artifacts/model/{ID}/data.json");
        assert_eq!(Layout::of(&key), Layout::Custom { name: "model", id: ID, file: "data.json" });
        for key in [format!("logs/{ID}.log"), format!("logs/{ID}/1700000000.5.log")] {
            assert_eq!(Layout::of(&key), Layout::Log { id: ID });
        }
        let hash = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        let key = format!("code_uploads/{hash}.tar.gz");
        assert_eq!(Layout::of(&key), Layout::CodeUpload { hash });
    }

    #[test]
    fn steps_may_be_named_like_zenmls_own_folders() {
        let key = format!("logs/output/{ID}/c7a28315/data.json");
        assert!(matches!(Layout::of(&key), Layout::StepOutput { step: "logs", .. }));
    }

    #[test]
    fn everything_else_is_other() {
        for key in [
            String::new(),
            "a".to_owned(),
            "logs/x.log".to_owned(),
            format!("logs/{ID}.txt"),
            format!("logs/{ID}/a/b.log"),
            "code_uploads/.tar.gz".to_owned(),
            format!("step/out/{ID}/c7a28315"),
            format!("step/out/{}/c7a28315/x", ID.to_uppercase()),
            format!("/out/{ID}/c7a28315/x"),
            format!("step/out/{ID}/c7a2831é/x"),
            format!("custom_artifacts//{ID}/x"),
        ] {
            assert_eq!(Layout::of(&key), Layout::Other, "{key}");
        }
    }
}
