//! Making a stack the active one: what `zenml stack set` does. No server knows of it; it is in the
//! configuration of the `zenml` at hand.

use std::path::PathBuf;

use super::connections::connection_of;
use super::failure::{Failure, FailureKind};
use super::plan::{Against, chosen, no_connection};
use super::world::{World, absent};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::zenml::remote::Remote;

/// Makes a stack that is in ZenML the active one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivateStack {
    /// The stack.
    pub stack: String,
    /// Which ZenML.
    pub against: Against,
}

/// How a stack becomes the active one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activated {
    /// Its id in ZenML.
    pub id: String,
    /// The `zenml` for which it is active now; where there is none that speaks with the same
    /// ZenML, `ZENML_ACTIVE_STACK_ID` does it for a shell.
    pub by: Option<PathBuf>,
}

impl Activated {
    /// The `zenml` for which it is active, showable.
    pub fn shown(&self) -> Option<String> {
        self.by.as_ref().map(|path| visible(&path.to_string_lossy()).into_string())
    }
}

impl Job<World> for ActivateStack {
    type Item = Nothing;
    type Out = Result<Activated, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = match chosen(&catalog, &self.stack, &self.against)? {
            Some(connection) => connection,
            None if catalog.connections().is_empty() => {
                return Err(no_connection("make a stack the active one"));
            }
            None => connection_of(&catalog, None)?,
        };
        let remote = world.remote(connection).await?;
        let Some(stack) = remote.stack(&self.stack).await? else {
            if catalog.stack(&self.stack).is_none()
                && catalog.invalid("stack", &self.stack).is_none()
            {
                let known: Vec<&str> =
                    catalog.stacks().iter().map(|stack| stack.name.as_str()).collect();
                return Err(absent("stack", &self.stack, &known).hint(format!(
                    "neither the catalog nor the ZenML {} has it",
                    connection.name
                )));
            }
            let summary = format!("ZenML has no stack {}", visible(&self.stack));
            return Err(Failure::new(FailureKind::NotFound, summary)
                .hint(format!("osstack commit {}", self.stack)));
        };
        let command = match &remote {
            Remote::Command(command) => Some(command.clone()),
            Remote::Server(_) => {
                let command = world.command("zenml");
                let server = remote.info().await?;
                // one that was never used would make itself a database to be asked
                let is_same = command.is_in_use()
                    && command.info().await.is_ok_and(|here| here.id == server.id);
                is_same.then_some(command)
            }
        };
        if let Some(command) = &command {
            command.activate(&stack.id).await?;
        }
        Ok(Activated { id: stack.id, by: command.map(|command| command.path().to_owned()) })
    }
}
