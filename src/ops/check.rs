//! The diagnosis of a stack, a store, or what a form holds of one.

use std::fmt;
use std::sync::Arc;

use crate::base::job::{Context, Job};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::doctor::{Ladder, Missing, Progress, Report, Services, Target, fix};
use crate::model::requirement::{self, Requirement};
use crate::model::secret::Credentials;
use crate::model::stack::Stack;
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::zenml::python::{self, Interpreter};

use super::failure::{Failure, FailureKind};
use super::history;
use super::world::{World, absent, stack_of, store_of};

/// Climbs the ladder of checks. What fails there is in the report; a [`Failure`] means that it was
/// not climbed at all: nothing of that name, a draft with errors, a locked keystore.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCheck {
    /// What is checked.
    pub subject: Subject,
    /// What is looked at besides.
    pub besides: Besides,
}

/// What a check looks at only where it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Besides {
    /// How fast bytes go there and back; moves up to 16 MiB.
    pub rate: bool,
    /// The Python that runs pipelines.
    pub python: Option<Interpreter>,
}

/// What can be checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A stack: its artifact store, and that its components go together.
    Stack(String),
    /// An artifact store.
    Store(String),
    /// A stack of this name, else a store.
    Named(String),
    /// A store that is not saved yet.
    Draft(Box<StoreDraft>),
}

impl Subject {
    /// `stack/NAME` and `store/NAME` mean that one; a bare `NAME` a stack before a store.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some(("stack", name)) => Self::Stack(name.to_owned()),
            Some(("store", name)) => Self::Store(name.to_owned()),
            _ => Self::Named(text.to_owned()),
        }
    }
}

impl fmt::Display for Subject {
    /// As it is typed, showable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(name) => write!(f, "stack/{}", visible(name)),
            Self::Store(name) => write!(f, "store/{}", visible(name)),
            Self::Named(name) => visible(name).fmt(f),
            Self::Draft(_) => f.write_str(Target::DRAFT),
        }
    }
}

impl Job<World> for RunCheck {
    type Item = Progress;
    type Out = Result<Report, Failure>;

    async fn run(self, context: Context<World, Progress>) -> Self::Out {
        let world = &context.world;
        let Besides { rate, python } = self.besides;
        let python = match &python {
            None => None,
            Some(python) => tokio::select! {
                () = context.cancel.cancelled() => return Err(Failure::cancelled()),
                read = python::read(python, &world.env) => {
                    Some(read.map_err(|error| error.to_string()))
                }
            },
        };
        let target = Target { python, ..target(world, self.subject).await? };
        let services = Services {
            network: world.network.clone(),
            clock: Arc::clone(&world.clock),
            entropy: Arc::clone(&world.entropy),
        };
        let tell = |progress| async {
            // a caller without a screen does not listen, and still wants the report
            let _listens = context.report(progress).await;
        };
        let report =
            Ladder::default().with_rate(rate).run(target, services, &context.cancel, tell).await;
        let is_own = report.subject != Target::DRAFT && !world.paths.has_other_catalog();
        if let Some(store) = report.store.as_ref().filter(|_| is_own) {
            // the report is what was asked for; a history that cannot be kept says so when read
            let _kept = history::record(world, store, &report.of_store()).await;
        }
        Ok(report)
    }
}

async fn target(world: &World, subject: Subject) -> Result<Target, Failure> {
    let Found { subject, store, components } = match subject {
        Subject::Draft(draft) => Found {
            subject: Target::DRAFT.to_owned(),
            store: Ok(draft.validate()?),
            components: None,
        },
        Subject::Stack(name) => {
            let catalog = world.catalog().await?;
            stack(&catalog, stack_of(&catalog, &name)?)
        }
        Subject::Store(name) => {
            let catalog = world.catalog().await?;
            match mendable(&catalog, &name) {
                Some(found) => found,
                None => store(store_of(&catalog, &name)?.clone()),
            }
        }
        Subject::Named(name) => {
            let catalog = world.catalog().await?;
            let found = catalog.stack(&name).map(|found| stack(&catalog, found));
            let found = found.or_else(|| catalog.store(&name).cloned().map(store));
            match found.or_else(|| mendable(&catalog, &name)) {
                Some(found) => found,
                None => return Err(neither(&catalog, &name)),
            }
        }
    };
    let credentials = match &store {
        Ok(store) => credentials(world, store).await?,
        // never looked at: the check of the store stands before the secret's
        Err(missing) => Err(missing.clone()),
    };
    Ok(Target { subject, store, credentials, python: None, components })
}

/// What a subject means.
struct Found {
    /// As reports name it.
    subject: String,
    store: Result<ArtifactStore, Missing>,
    /// Of a stack.
    components: Option<Vec<Requirement>>,
}

fn store(store: ArtifactStore) -> Found {
    Found { subject: format!("store/{}", store.name), store: Ok(store), components: None }
}

fn stack(catalog: &Catalog, stack: &Stack) -> Found {
    Found {
        subject: format!("stack/{}", stack.name),
        store: its_store(catalog, stack),
        components: Some(requirement::of_stack(stack, catalog.described())),
    }
}

/// An entry that is there, says something wrong, and can be mended: a finding, with its fix.
fn mendable(catalog: &Catalog, name: &str) -> Option<Found> {
    let fix = fix::slips(catalog.broken_store(name)?)?;
    let failure = store_of(catalog, name).err()?;
    let missing = Missing {
        summary: format!("{}.", failure.summary),
        next: failure.hints.join("; "),
        fix: Some(fix),
    };
    Some(Found { subject: format!("store/{name}"), store: Err(missing), components: None })
}

/// Nothing of that name counts; what the file has and cannot be used is told before what is near.
fn neither(catalog: &Catalog, name: &str) -> Failure {
    for failure in [stack_of(catalog, name).err(), store_of(catalog, name).err()] {
        if let Some(failure) = failure.filter(|failure| failure.kind == FailureKind::Settings) {
            return failure;
        }
    }
    let stacks = catalog.stacks().iter().map(|stack| stack.name.as_str());
    let stores = catalog.stores().iter().map(|store| store.name.as_str());
    absent("stack or artifact store", name, &stacks.chain(stores).collect::<Vec<_>>())
}

fn its_store(catalog: &Catalog, stack: &Stack) -> Result<ArtifactStore, Missing> {
    let Some(name) = stack.artifact_store() else {
        return Err(Missing {
            summary: format!("The stack {} has no artifact store.", stack.name),
            next: format!("Give it one: osstack stack update {} -a STORE", stack.name),
            fix: None,
        });
    };
    if let Some(found) = mendable(catalog, name.as_str()) {
        return found.store;
    }
    if let Some(failure) =
        store_of(catalog, name.as_str()).err().filter(|it| it.kind == FailureKind::Settings)
    {
        let next = failure.hints.join("; ");
        return Err(Missing { summary: format!("{}.", failure.summary), next, fix: None });
    }
    catalog.store(name.as_str()).cloned().ok_or_else(|| Missing {
        summary: format!(
            "The stack {} names the artifact store {name}, which this catalog does not hold.",
            stack.name
        ),
        next: format!(
            "Register it (osstack artifact-store register {name} …), or give the stack another: \
             osstack stack update {} -a STORE",
            stack.name
        ),
        fix: None,
    })
}

/// The key; a secret that is not there is a finding, a keystore that is locked is not.
async fn credentials(
    world: &World,
    store: &ArtifactStore,
) -> Result<Result<Credentials, Missing>, Failure> {
    let secret = &store.secret;
    let is_elsewhere = !matches!(world.source_of(secret.as_str()).await, Ok(None));
    let key = match world.allow_address(store) {
        Ok(()) => world.credentials(secret.as_str()).await,
        Err(failure) => Err(failure),
    };
    match key {
        Ok(credentials) => Ok(Ok(credentials)),
        Err(failure) if world.is_strangers || is_elsewhere => Ok(Err(Missing {
            summary: format!("{}.", failure.summary),
            next: failure.hints.join("; "),
            fix: None,
        })),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(Err(Missing {
            summary: format!(
                "The store {} names the secret {}, which the keystore does not hold.",
                store.name, secret
            ),
            next: format!("Enter it: osstack secret create {secret}"),
            fix: None,
        })),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_say_what_they_mean() {
        assert_eq!(Subject::parse("stack/a"), Subject::Stack("a".into()));
        assert_eq!(Subject::parse("store/a"), Subject::Store("a".into()));
        assert_eq!(Subject::parse("a"), Subject::Named("a".into()));
        assert_eq!(Subject::parse("other/a"), Subject::Named("other/a".into()));
    }
}
