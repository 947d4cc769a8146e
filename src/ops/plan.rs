//! What ZenML would be told.

use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;

use super::commit_record::{self, Commit};
use super::commit_state;
use super::components::flavors_for;
use super::connections::connection_of;
use super::failure::{Failure, FailureKind};
use super::history::{self, Verdict};
use super::world::{World, blocking, stack_of, store_of};
use crate::base::job::{Context, Job, Nothing};
use crate::base::{atomic_file, units};
use crate::catalog::Catalog;
use crate::keystore::{self, Summary};
use crate::model::connection::Connection;
use crate::model::field::FieldError;
use crate::model::flavor::Flavors;
use crate::model::name::Name;
use crate::model::requirement::{self, Described};
use crate::model::secret::{Credentials, KeyNames};
use crate::model::secret_source::SecretSource;
use crate::model::stack::Stack;
use crate::model::store::ArtifactStore;
use crate::zenml::changes::{self, Change, Changes, Held};
use crate::zenml::lint::CONNECTORS;
use crate::zenml::plan::{Plan, SecretOutline, Step, Wanted, plan};
use crate::zenml::remote::Remote;
use crate::zenml::rest::ServerInfo;
use crate::zenml::script::{CommandLine, commands, script};
use crate::zenml::version::Version;

/// What it takes to have a stack in ZenML, or to take it out of there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakePlan {
    /// The stack.
    pub stack: String,
    /// Which ZenML it is compared with.
    pub against: Against,
    /// What is planned.
    pub aim: Aim,
}

/// Which ZenML a plan is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// The stack's own connection, else the only one there is; where there is none, none.
    #[default]
    Usual,
    /// The connection of this name.
    Named(String),
    /// None: the plan is for a ZenML that has nothing of it, and the network is asked nothing.
    Nothing,
}

/// What a plan brings about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Aim {
    /// ZenML has the stack as the catalog describes it.
    #[default]
    Present,
    /// ZenML has neither the stack nor what only it uses.
    Absent,
}

/// A plan in its forms.
#[derive(Clone, Debug, PartialEq)]
pub struct StackPlan {
    /// As data, for a ZenML that has nothing of it.
    pub plan: Plan,
    /// As the commands of `zenml`.
    pub commands: Vec<CommandLine>,
    /// As a script for `sh`; secret values are asked for when it runs, never in it.
    pub script: String,
    /// What is known of the store by its last check.
    pub check: CheckState,
    /// Beside what one ZenML has.
    pub live: Option<LivePlan>,
    /// Whether the catalog asks for the typed name before it changes.
    pub is_protected: bool,
}

/// What changes in one ZenML.
#[derive(Clone, Debug, PartialEq)]
pub struct LivePlan {
    /// The connection.
    pub connection: Name,
    /// What is behind it.
    pub server: ServerInfo,
    /// The changes.
    pub changes: Changes,
    /// A commit of the same stack that stopped in the middle.
    pub unfinished: Option<Commit>,
    /// Why the key should not go to ZenML unasked: it ends within a day.
    pub ends_soon: Option<String>,
    /// What time it is, for the ages of things.
    pub now: OffsetDateTime,
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
    type Out = Result<Box<StackPlan>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = chosen(&catalog, &self.stack, &self.against)?;
        let is_protected = catalog.stack(&self.stack).is_some_and(|stack| stack.protected);
        if self.aim == Aim::Absent {
            let connection = connection.ok_or_else(|| no_connection("take it out of ZenML"))?;
            let prepared = prepare_removal(world, &self.stack, connection).await?;
            return Ok(Box::new(StackPlan {
                plan: Plan { steps: Vec::new(), notes: Vec::new() },
                commands: prepared.live.changes.changes.iter().flat_map(Change::commands).collect(),
                script: String::new(),
                check: CheckState { required: false, verdict: Verdict::Never, warning: None },
                live: Some(prepared.live),
                is_protected,
            }));
        }
        let Some(connection) = connection else {
            let alone = wish(world, &catalog, &self.stack, None, Flavors::table()).await?;
            let Wish { plan, check, .. } = alone;
            let (commands, script) = (commands(&plan), script(&plan));
            let live = None;
            let plan = StackPlan { plan, commands, script, check, live, is_protected };
            return Ok(Box::new(plan));
        };
        let prepared = prepare(world, &catalog, &self.stack, connection).await?;
        let plan = prepared.plan;
        Ok(Box::new(StackPlan {
            commands: prepared.live.changes.changes.iter().flat_map(Change::commands).collect(),
            script: script(&plan),
            plan,
            check: prepared.check,
            live: Some(prepared.live),
            is_protected,
        }))
    }
}

/// The connection that a plan of `stack` is compared with.
pub(super) fn chosen<'a>(
    catalog: &'a Catalog,
    stack: &str,
    against: &Against,
) -> Result<Option<&'a Connection>, Failure> {
    let own = catalog.stack(stack).and_then(|stack| stack.zenml.as_deref());
    match (against, own) {
        (Against::Nothing, _) => Ok(None),
        (Against::Named(name), Some(own)) if name != own => {
            let summary =
                format!("the stack {stack} belongs to the connection {own}, not to {name}");
            Err(Failure::new(FailureKind::Settings, summary).hint(format!(
                "leave out --connection, or: osstack stack update {stack} --zenml {name}"
            )))
        }
        (Against::Named(name), _) => connection_of(catalog, Some(name)).map(Some),
        (Against::Usual, Some(own)) => connection_of(catalog, Some(own)).map(Some),
        (Against::Usual, None) if catalog.connections().is_empty() => Ok(None),
        (Against::Usual, None) => connection_of(catalog, None).map(Some),
    }
}

/// There is no ZenML to do `what` in.
pub fn no_connection(what: &str) -> Failure {
    Failure::new(FailureKind::NotFound, format!("no ZenML is known: cannot {what}"))
        .hint("osstack zenml login URL")
}

/// What is wanted of a stack, before any ZenML is asked.
struct Wish {
    stack: Stack,
    store: ArtifactStore,
    plan: Plan,
    check: CheckState,
}

async fn wish(
    world: &World,
    catalog: &Catalog,
    name: &str,
    server: Option<Version>,
    flavors: &Flavors,
) -> Result<Wish, Failure> {
    let stack = stack_of(catalog, name)?;
    let store = stack.artifact_store().map(ToString::to_string).unwrap_or_default();
    let store = store_of(catalog, &store)?;
    let secret = outline(world, store.secret.as_str()).await?;
    let wanted = Wanted {
        secret: secret.as_ref(),
        store,
        stack: Some(stack),
        components: catalog.components(),
        server,
    };
    let mut plan = plan(&wanted)?;
    plan.notes.extend(beyond_the_store(catalog, stack, flavors));
    let check = check_state(world, stack, store).await;
    Ok(Wish { stack: stack.clone(), store: store.clone(), plan, check })
}

/// All that a commit needs: what is wanted, what is there, what differs.
pub(super) struct Prepared {
    pub(super) remote: Remote,
    pub(super) plan: Plan,
    pub(super) held: Held,
    pub(super) credentials: Option<Credentials>,
    pub(super) check: CheckState,
    pub(super) live: LivePlan,
    /// Of what the catalog says; nothing where the stack goes.
    pub(super) definition: String,
}

/// Reads ZenML, and compares it with what the catalog wants.
pub(super) async fn prepare(
    world: &World,
    catalog: &Catalog,
    name: &str,
    connection: &Connection,
) -> Result<Prepared, Failure> {
    let remote = world.remote(connection).await?;
    let server = remote.info().await?;
    let described = stack_of(catalog, name)?.components.keys().copied();
    let others = described.filter(|kind| catalog.components().iter().any(|it| it.kind == *kind));
    let flavors = flavors_for(&remote, others).await;
    let Wish { stack, store, plan, check } =
        wish(world, catalog, name, Some(server.version), &flavors).await?;
    let record = commit_record::load(world, &connection.name, &server.id).await?;
    let secret = store.secret.as_str();
    let mut held = changes::read(&remote, &plan, secret, Some(&stack), &record.made).await?;
    let has_secret = plan.steps.iter().any(|step| matches!(step, Step::Secret { .. }));
    let credentials = if has_secret { Some(world.credentials(secret).await?) } else { None };
    if let (Some(there), Some(values)) = (&held.secret, &credentials) {
        let keystore = Arc::clone(&world.keystore);
        let (server, id, values) = (server.id.clone(), there.id.clone(), values.duplicate());
        held.is_as_sent = blocking(move || keystore.was_sent(&server, &id, &values)).await??;
    }
    let mut changes = changes::compare(&plan, secret, &held, &record.made, credentials.as_ref());
    changes.notes.extend(server.warnings());
    let mut live = live(world, connection, server, changes, record.commits.get(name).cloned());
    let end = credentials.as_ref().and_then(|credentials| credentials.expires_at);
    live.ends_soon = end.and_then(|end| ends_soon(secret, end, live.now));
    let definition = commit_state::definition(catalog, &stack);
    Ok(Prepared { remote, plan, held, credentials, check, live, definition })
}

/// Reads ZenML, and finds what goes with a stack. The catalog need not have it any more.
pub(super) async fn prepare_removal(
    world: &World,
    name: &str,
    connection: &Connection,
) -> Result<Prepared, Failure> {
    let remote = world.remote(connection).await?;
    let server = remote.info().await?;
    let record = commit_record::load(world, &connection.name, &server.id).await?;
    let stack = Name::parse(name).map_err(|error| vec![FieldError::new("name", error)])?;
    let removal = changes::Removal { stack: &stack, made: &record.made };
    let changes = changes::removal(&remote, removal).await?;
    let live = live(world, connection, server, changes, record.commits.get(name).cloned());
    Ok(Prepared {
        remote,
        plan: Plan { steps: Vec::new(), notes: Vec::new() },
        held: Held::default(),
        credentials: None,
        check: CheckState { required: false, verdict: Verdict::Never, warning: None },
        live,
        definition: String::new(),
    })
}

fn live(
    world: &World,
    connection: &Connection,
    server: ServerInfo,
    changes: Changes,
    last: Option<Commit>,
) -> LivePlan {
    LivePlan {
        connection: connection.name.clone(),
        server,
        changes,
        unfinished: last.filter(Commit::is_half_done),
        ends_soon: None,
        now: world.clock.now(),
    }
}

/// What to know of the stack's other components.
fn beyond_the_store(catalog: &Catalog, stack: &Stack, flavors: &Flavors) -> Vec<String> {
    let described = Described { flavors, ..catalog.described() };
    let needs = requirement::of_stack(stack, described).into_iter().map(|it| match it.next {
        Some(next) => format!("{} {next}.", it.message),
        None => it.message,
    });
    let mut notes: Vec<String> = needs.collect();
    let mut integrations = requirement::integrations(stack, described);
    integrations.retain(|integration| integration != "s3");
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

/// What to say of a temporary key that ends within a day of `now`.
fn ends_soon(secret: &str, end: OffsetDateTime, now: OffsetDateTime) -> Option<String> {
    let left = end - now;
    (left < time::Duration::DAY).then(|| {
        let when = if left.is_positive() {
            format!("ends in {}", units::left(left.unsigned_abs()))
        } else {
            "has ended".to_owned()
        };
        format!("the temporary key of the secret {secret} {when}: ZenML does not renew it")
    })
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

/// The secret without its values; nothing where the keystore has none of that name, and where it
/// is ZenML that has it.
async fn outline(world: &World, name: &str) -> Result<Option<SecretOutline>, Failure> {
    if let Some(secret) = world.source_of(name).await? {
        if matches!(secret.source, SecretSource::Zenml(_)) {
            return Ok(None);
        }
        let (name, key_names) = (secret.name.clone(), KeyNames::default());
        let has_token = world.sourced(secret).await?.session_token.is_some();
        return Ok(Some(SecretOutline { name, key_names, has_token }));
    }
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
        let plan = MakePlan { stack: self.stack, against: Against::Nothing, aim: Aim::Present };
        let plan = plan.run(context).await?;
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
