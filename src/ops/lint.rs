//! Judges an artifact store that was made by hand, and the Python that runs it.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::zenml::lint::{self, Finding, MOST_BYTES, Severity};
use crate::zenml::python::{self, Environment, Interpreter, PythonError};

use super::failure::{Failure, FailureKind};
use super::world::{World, blocking};

/// Reads what a user has of a store, and says what is wrong with it. Asks the network nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Lint {
    /// Where the text is.
    pub text: Source,
    /// The Python that runs the store, where it is to be looked at too.
    pub python: Option<Interpreter>,
}

/// Where a text comes from. It may hold keys.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The text itself.
    Text(SecretString),
}

/// What there is to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Linted {
    /// Of the stores.
    pub report: lint::Report,
    /// Of the environment, with each store of the report.
    pub environment: Option<Judged>,
}

/// An environment, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What was found there.
    pub environment: Environment,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Linted {
    /// Whether anything has an error.
    pub fn has_errors(&self) -> bool {
        let findings = self.environment.iter().flat_map(|judged| &judged.findings);
        let mut findings = findings.map(|finding| finding.severity);
        self.report.has_errors() || findings.any(|severity| severity == Severity::Error)
    }
}

impl Job<World> for Lint {
    type Item = Nothing;
    type Out = Result<Linted, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let text = match self.text {
            Source::Text(text) => text,
            Source::File(path) => blocking(move || read_file(&path)).await??,
        };
        let environment = match &self.python {
            None => None,
            Some(interpreter) => tokio::select! {
                () = context.cancel.cancelled() => return Err(Failure::cancelled()),
                environment = python::read(interpreter, &world.env) => Some(environment?),
            },
        };
        let botocore = environment.as_ref().and_then(|environment| environment.version("botocore"));
        let report = lint::lint(text.expose(), botocore)?;
        let environment = environment.map(|environment| {
            // what depends on a store is said of the store itself
            let findings = python::judge(&environment, None);
            Judged { environment, findings }
        });
        Ok(Linted { report, environment })
    }
}

/// The text of a file, no longer than a text that is linted.
pub(crate) fn read_file(path: &std::path::Path) -> Result<SecretString, Failure> {
    let shown = visible(&path.to_string_lossy()).into_string();
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Usage, format!("cannot read {shown}: {why}"))
            .hint("check the path, or give - and the text on stdin")
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Zeroizing::new(Vec::new());
    let one_more = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    file.take(one_more).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    text_of(&bytes).ok_or_else(|| unreadable(&"it is no text (UTF-8)"))
}

/// `bytes` as text, where they are.
pub fn text_of(bytes: &[u8]) -> Option<SecretString> {
    std::str::from_utf8(bytes).ok().map(|text| SecretString::new(text.to_owned()))
}

impl From<lint::Unreadable> for Failure {
    fn from(error: lint::Unreadable) -> Self {
        Self::new(FailureKind::Usage, error.to_string()).hint(
            "give what zenml artifact-store describe NAME or zenml stack export shows, an answer of \
             the REST API, or the register command",
        )
    }
}

impl From<PythonError> for Failure {
    fn from(error: PythonError) -> Self {
        Self::new(FailureKind::Usage, error.to_string())
            .hint("--python PATH names it, --python auto takes the current one")
    }
}
