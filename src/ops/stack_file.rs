//! Stacks as files of ZenML's own: out of the catalog, and into it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::atomic_file;
use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::model::flavor::{self, Flavors};
use crate::zenml::stack_file::{self, Unreadable, Unwritable};

use super::failure::{Failure, FailureKind};
use super::intake::{Imported, Intake};
use super::world::{World, blocking, stack_of};

/// Writes a stack as `zenml stack export` does. Asks the network nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportStack {
    /// The stack.
    pub stack: String,
    /// The ZenML that is to import it; nothing for the one that the table of flavors is of.
    pub zenml: Option<String>,
    /// The file; nothing where the text alone is wanted.
    pub file: Option<PathBuf>,
    /// Whether a file that is there may be replaced; else it is a conflict.
    pub overwrite: bool,
}

impl Job<World> for ExportStack {
    type Item = Nothing;
    /// The YAML.
    type Out = Result<String, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let catalog = world.catalog().await?;
        let stack = stack_of(&catalog, &self.stack)?;
        let zenml = self.zenml.as_deref().unwrap_or(flavor::zenml());
        let text = stack_file::export(stack, catalog.described(), zenml)?;
        let Some(path) = self.file else { return Ok(text) };
        let random = world.entropy.next_u64();
        let bytes = text.clone().into_bytes();
        blocking(move || {
            let options = atomic_file::Options::default();
            let write = if self.overwrite { atomic_file::write } else { atomic_file::write_new };
            write(&path, &bytes, random, &options)
        })
        .await??;
        Ok(text)
    }
}

/// Reads such a file into the catalog: stores on OSS as artifact stores, the rest as components.
#[derive(Debug, PartialEq, Eq)]
pub struct ImportStack {
    /// The YAML. Somebody may have written keys into it.
    pub text: SecretString,
    /// The stack's name here; nothing for the one in the file.
    pub name: Option<String>,
    /// The secret of a store that names none.
    pub secret: Option<String>,
    /// Whether entries that say something else may be replaced; else they are a conflict.
    pub overwrite: bool,
}

impl Job<World> for ImportStack {
    type Item = Nothing;
    type Out = Result<Imported, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let file = stack_file::read(self.text.expose())?;
        let catalog = context.world.catalog().await?;
        let name = self.name.or(file.name).unwrap_or_default();
        let intake = Intake::of_stack(
            &catalog,
            Flavors::table(),
            &name,
            &file.components,
            self.secret.as_deref(),
        )?;
        let taken = intake.replaced();
        if !self.overwrite && !taken.is_empty() {
            let summary = format!("the catalog says something else of: {}", taken.join(", "));
            return Err(Failure::new(FailureKind::Conflict, summary)
                .hint("--overwrite replaces them with what the file says")
                .hint("--name NAME gives the stack another name"));
        }
        intake.write(&context.world).await
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::new(FailureKind::Usage, error.to_string())
            .hint("give what zenml stack export wrote, whole")
    }
}

impl From<Unwritable> for Failure {
    fn from(error: Unwritable) -> Self {
        Self::new(FailureKind::Settings, error.to_string())
    }
}
