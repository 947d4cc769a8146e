//! What ZenML would be told.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::atomic_file;
use crate::base::job::{Context, Job, Nothing};
use crate::catalog::Catalog;
use crate::keystore::{self, Summary};
use crate::model::requirement;
use crate::model::stack::Stack;
use crate::model::store::ArtifactStore;
use crate::zenml::lint::CONNECTORS;
use crate::zenml::plan::{Plan, SecretOutline, Wanted, plan};
use crate::zenml::script::{CommandLine, commands, script};

use super::failure::Failure;
use super::history::{self, Verdict};
use super::world::{World, blocking, stack_of, store_of};

/// What it takes to have a stack in a ZenML that has none of it. Asks the network nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakePlan {
    /// The stack.
    pub stack: String,
}

/// A plan in its three forms.
#[derive(Clone, Debug, PartialEq)]
pub struct StackPlan {
    /// As data.
    pub plan: Plan,
    /// As the commands of `zenml`.
    pub commands: Vec<CommandLine>,
    /// As a script for `sh`; secret values are asked for when it runs, never in it.
    pub script: String,
    /// What is known of the store by its last check.
    pub check: CheckState,
}

/// What the last check says, for a stack that may ask for one.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckState {
    /// Whether the stack asks for a check before `ZenML` hears of it (`require_check`).
    pub required: bool,
    /// What is known; nothing where the history cannot be read.
    pub verdict: Verdict,
    /// Why `ZenML` should not hear of it yet, ending in what to do.
    pub warning: Option<String>,
}

impl Job<World> for MakePlan {
    type Item = Nothing;
    type Out = Result<StackPlan, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let stack = stack_of(&catalog, &self.stack)?;
        let name = stack.artifact_store().map(ToString::to_string).unwrap_or_default();
        let store = store_of(&catalog, &name)?;
        let secret = outline(world, store.secret.as_str()).await?;
        let wanted = Wanted {
            secret: secret.as_ref(),
            store,
            stack: Some(stack),
            components: catalog.components(),
            server: None,
        };
        let mut plan = plan(&wanted)?;
        plan.notes.extend(beyond_the_store(&catalog, stack));
        let check = check_state(world, stack, store).await;
        Ok(StackPlan { commands: commands(&plan), script: script(&plan), plan, check })
    }
}

/// What to know of the stack's other components.
fn beyond_the_store(catalog: &Catalog, stack: &Stack) -> Vec<String> {
    let described = catalog.described();
    let needs = requirement::of_stack(stack, described).into_iter().map(|it| match it.next {
        Some(next) => format!("{} {next}.", it.message),
        None => it.message,
    });
    let mut notes: Vec<String> = needs.collect();
    let mut integrations = requirement::integrations(stack, described);
    integrations.retain(|integration| *integration != "s3");
    if !integrations.is_empty() {
        notes.push(format!(
            "The flavors of this stack need, wherever ZenML runs: zenml integration install {} -y",
            integrations.join(" ")
        ));
        // whoever links one to the rest of the stack links it to the store as well
        notes.push(format!("Link no service connector to the artifact store. {CONNECTORS}"));
    }
    notes
}

async fn check_state(world: &World, stack: &Stack, store: &ArtifactStore) -> CheckState {
    // a history that cannot be read proves nothing
    let verdict = history::verdict(world, store).await.unwrap_or(Verdict::Never);
    let lacking = stack.require_check && !verdict.allows_commit();
    let warning = lacking.then(|| {
        let words = verdict.words(world.clock.now());
        format!(
            "the stack {0} asks for a check first (require_check), and its store {1} is: {words}; \
             run: osstack check stack/{0}",
            stack.name, store.name
        )
    });
    CheckState { required: stack.require_check, verdict, warning }
}

/// The secret without its values; nothing where the keystore has none of that name.
async fn outline(world: &World, name: &str) -> Result<Option<SecretOutline>, Failure> {
    let keystore = Arc::clone(&world.keystore);
    let summaries = match blocking(move || keystore.list()).await? {
        Ok(summaries) => summaries,
        Err(keystore::Error::Absent) => Vec::new(),
        Err(_) if world.keystore.status().state == keystore::State::Absent => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let found = summaries.into_iter().find(|summary| summary.name.as_str() == name);
    let outline =
        |Summary { name, key_names, has_token, .. }| SecretOutline { name, key_names, has_token };
    Ok(found.map(outline))
}

/// Writes the script of a plan to a file for its owner alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportScript {
    /// The stack.
    pub stack: String,
    /// The file.
    pub path: PathBuf,
    /// Whether a file that is there may be replaced; else it is a conflict.
    pub overwrite: bool,
}

impl Job<World> for ExportScript {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = Arc::clone(&context.world);
        let plan = MakePlan { stack: self.stack }.run(context).await?;
        let random = world.entropy.next_u64();
        blocking(move || {
            let options = atomic_file::Options::default();
            let write = if self.overwrite { atomic_file::write } else { atomic_file::write_new };
            write(&self.path, plan.script.as_bytes(), random, &options)
        })
        .await??;
        Ok(())
    }
}
