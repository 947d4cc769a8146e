//! The Python that runs: which libraries an environment holds, and what they do on OSS.
//!
//! Nothing of the environment is imported but Python's own `importlib.metadata`, so a broken
//! ZenML is read as well as a sound one. Where Python itself does not start, the folder of a
//! virtual environment still tells.

mod folder;
mod verdict;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::version::Version;
use crate::base::visible::visible;
use crate::ports::env::Env;
use crate::ports::process::{self, Ended, Limits, ProcessError, Program, Surroundings};

pub use verdict::judge;

/// What ZenML's S3 store stands on; all that is asked about.
const PACKAGES: [&str; 7] =
    ["zenml", "s3fs", "boto3", "botocore", "aiobotocore", "fsspec", "aws-profile-manager"];

/// A cold disk may take some seconds to start Python; the answer has a few kilobytes.
const LIMITS: Limits = Limits { time: Duration::from_secs(20), output: 1 << 20 };

/// What the line with the answer begins with: whatever runs at the start of this Python may say
/// something first.
const MARK: &str = "osstack-packages:";

/// Runs on every Python 3; `argv` are the packages.
const QUESTION: &str = r#"
import json, sys
try:
    from importlib import metadata
except ImportError:
    metadata = None
found = {}
for name in sys.argv[1:] if metadata else []:
    try:
        package = metadata.distribution(name)
        needs = [str(need) for need in package.requires or []]
        found[name] = {"version": str(package.version), "needs": needs}
    except Exception:
        pass
answer = {"python": "%d.%d.%d" % sys.version_info[:3], "packages": found}
print("\nosstack-packages:" + json.dumps(answer if metadata else {"python": answer["python"]}))
"#;

/// Which Python is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interpreter {
    /// That of the activated environment (`VIRTUAL_ENV`), else the `python3` on the `PATH`.
    Current,
    /// A Python, or the folder of a virtual environment.
    At(PathBuf),
}

impl Interpreter {
    /// `auto`, or a path.
    pub fn parse(text: &Path) -> Self {
        if text == Path::new("auto") { Self::Current } else { Self::At(text.to_owned()) }
    }

    /// The program, and the folder of its environment where that is known.
    fn find(&self, env: &Env) -> (PathBuf, Option<PathBuf>) {
        let path = match self {
            Self::At(path) => path.clone(),
            Self::Current => match env.path("VIRTUAL_ENV") {
                Some(folder) => folder,
                None => return (PathBuf::from("python3"), None),
            },
        };
        if path.is_dir() {
            return (path.join("bin").join("python"), Some(path));
        }
        let folder = path.parent().and_then(Path::parent).map(Path::to_owned);
        let folder = folder.filter(|folder| folder.join("pyvenv.cfg").is_file());
        (path, folder)
    }
}

/// The libraries of one Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Where it is, showable.
    pub place: String,
    /// Python's own version; nothing where it did not start and the folder alone was read.
    pub python: Option<String>,
    /// What is there of the packages that matter, by name.
    pub packages: BTreeMap<String, Package>,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// As its metadata has it, showable.
    pub version: String,
    /// What it needs: `botocore<1.43,>=1.42`.
    pub needs: Vec<String>,
}

impl Environment {
    /// The version of `package`, where it is there and has a number.
    pub fn version(&self, package: &str) -> Option<Version> {
        Version::parse(&self.packages.get(package)?.version)
    }
}

/// Why there is nothing to say of an environment.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// Nothing is there.
    #[error("there is no {0}: name a Python, or the folder of a virtual environment")]
    Absent(String),
    /// It did not start, or did not end.
    #[error("{place} {source}: name the Python that runs ZenML")]
    Process {
        /// What was started, showable.
        place: String,
        /// Why.
        source: ProcessError,
    },
    /// It ran, and did not answer as Python does.
    #[error("{place} is no Python 3: it answered {said}; name the Python that runs ZenML")]
    NotPython {
        /// What was started, showable.
        place: String,
        /// The begin of what it said, showable.
        said: String,
    },
    /// A Python too old to name its packages.
    #[error("{place} is Python {version}, and ZenML needs 3.9 or newer: name the one that runs it")]
    Old {
        /// What was started, showable.
        place: String,
        /// Its version, showable.
        version: String,
    },
}

/// Asks the Python that `interpreter` means.
pub async fn read(interpreter: &Interpreter, env: &Env) -> Result<Environment, PythonError> {
    let (path, folder) = interpreter.find(env);
    match ask(&path, env).await {
        Ok(environment) => Ok(environment),
        Err(error) => match folder.and_then(|folder| folder::read(&folder)) {
            Some(environment) => Ok(environment),
            None => Err(error),
        },
    }
}

async fn ask(path: &Path, env: &Env) -> Result<Environment, PythonError> {
    // -I: neither the folder one stands in nor PYTHON… variables; -B: leaves no files behind
    let words = ["-I", "-B", "-c", QUESTION].into_iter().chain(PACKAGES);
    let program = Program {
        path: path.to_owned(),
        arguments: words.map(str::to_owned).collect(),
        surroundings: Surroundings::default(),
    };
    let place = shown(path);
    match process::run(&program, env, LIMITS).await {
        Ok(ended) => answer(&ended, place),
        Err(ProcessError::Start(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(PythonError::Absent(place))
        }
        Err(source) => Err(PythonError::Process { place, source }),
    }
}

#[derive(Deserialize)]
struct Answer {
    python: String,
    packages: Option<BTreeMap<String, Told>>,
}

#[derive(Deserialize)]
struct Told {
    version: String,
    needs: Vec<String>,
}

fn answer(ended: &Ended, place: String) -> Result<Environment, PythonError> {
    let stdout = String::from_utf8_lossy(&ended.stdout);
    let line = stdout.lines().rev().find_map(|line| line.strip_prefix(MARK));
    let Some(answer) = line.and_then(|line| serde_json::from_str::<Answer>(line).ok()) else {
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let said = [&stderr, &stdout].into_iter().flat_map(|text| text.lines());
        let said = said.map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing");
        let said: String = said.chars().take(120).collect();
        return Err(PythonError::NotPython { place, said: visible(&said).into_string() });
    };
    let version = visible(&answer.python).into_string();
    let Some(packages) = answer.packages else {
        return Err(PythonError::Old { place, version });
    };
    let package = |(name, Told { version, needs }): (String, Told)| {
        let version = visible(&version).into_string();
        (name, Package { version, needs })
    };
    let known = |(name, _): &(String, Told)| PACKAGES.contains(&name.as_str());
    let packages = packages.into_iter().filter(known).map(package).collect();
    Ok(Environment { place, python: Some(version), packages })
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_string()
}

#[cfg(test)]
mod tests;
