//! What ZenML has beside the catalog, and taking it over: stacks, artifact stores, other
//! components, and the secrets of the stores where ZenML shows their values.
//!
//! What is taken over stays what somebody else made: a commit that changes it asks first.

use std::collections::{BTreeMap, BTreeSet};

use super::components::flavors_for;
use super::connections::connection_of;
use super::failure::{Failure, FailureKind};
use super::intake::{Became, Imported, Intake};
use super::world::{World, blocking};
use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::keystore;
use crate::model::component::ComponentType;
use crate::model::connection::Connection;
use crate::model::flavor::Flavors;
use crate::model::secret::{Credentials, KeyNames, SecretDraft};
use crate::zenml::changes::is_labelled;
use crate::zenml::lint::{self, CONNECTORS, Finding};
use crate::zenml::plan::settings;
use crate::zenml::remote::Remote;
use crate::zenml::rest::{self, Component, ServerInfo, Stack};
use crate::zenml::stack_file::Entry;

/// Lists what a ZenML has, beside the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyZenml {
    /// The connection; the only one where none is named.
    pub connection: Option<String>,
}

/// What a ZenML has.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// The connection.
    pub connection: Connection,
    /// What is behind it.
    pub server: ServerInfo,
    /// Its stacks, by name.
    pub stacks: Vec<StackThere>,
    /// Its artifact stores, by name.
    pub stores: Vec<StoreThere>,
}

/// A stack that ZenML has. Texts are as ZenML has them, not showable yet.
#[derive(Clone, Debug, PartialEq)]
pub struct StackThere {
    /// Its name.
    pub name: String,
    /// Names of its components by ZenML's word for their type.
    pub components: BTreeMap<String, Vec<String>>,
    /// Whether its artifact store is on OSS.
    pub is_on_oss: bool,
    /// Whether that store names no secret.
    pub lacks_secret: bool,
    /// What is wrong with that store for OSS.
    pub findings: Vec<Finding>,
    /// What the catalog has of it.
    pub here: Here,
    /// Who made it.
    pub maker: Maker,
}

/// An artifact store that ZenML has. Texts are as ZenML has them, not showable yet.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreThere {
    /// Its name.
    pub name: String,
    /// Its flavor.
    pub flavor: String,
    /// `s3://bucket/prefix`; empty where it has none.
    pub path: String,
    /// Whether it leads to OSS.
    pub is_on_oss: bool,
    /// Whether it leads to OSS and names no secret.
    pub lacks_secret: bool,
    /// What is wrong with it for OSS, where it leads there.
    pub findings: Vec<Finding>,
    /// Names of the stacks that use it.
    pub used_by: Vec<String>,
    /// What the catalog has of it.
    pub here: Here,
    /// Who made it.
    pub maker: Maker,
}

/// What the catalog has of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Here {
    /// Nothing.
    Nothing,
    /// The same.
    Same,
    /// The same as OSS needs it, which ZenML does not have yet: a commit mends it there.
    Mended,
    /// Something else under its name.
    Differs,
    /// Nothing, and it has no place here: why, showable.
    Unfit(String),
}

impl Here {
    /// The word in JSON and in lists.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "new",
            Self::Same => "same",
            Self::Mended => "mended",
            Self::Differs => "differs",
            Self::Unfit(_) => "unfit",
        }
    }
}

/// Who made a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// osstack, as its label says.
    Osstack,
    /// Some user.
    User,
    /// It came with ZenML.
    Zenml,
}

impl Maker {
    fn of(labels: &serde_json::Map<String, serde_json::Value>, user: Option<&String>) -> Self {
        match user {
            _ if is_labelled(labels) => Self::Osstack,
            Some(_) => Self::User,
            None => Self::Zenml,
        }
    }

    /// The word in JSON and in lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Osstack => "osstack",
            Self::User => "user",
            Self::Zenml => "zenml",
        }
    }
}

impl Job<World> for SurveyZenml {
    type Item = Nothing;
    type Out = Result<Survey, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = connection_of(&catalog, self.connection.as_deref())?.clone();
        let remote = world.remote(&connection).await?;
        let server = remote.info().await?;
        let there = There::read(&remote).await?;
        let There { stacks, components, flavors } = &there;
        let is_store = |one: &&Component| one.kind == ComponentType::ArtifactStore.as_str();
        let mut stores: Vec<StoreThere> = components
            .iter()
            .filter(is_store)
            .map(|store| store_there(&catalog, store, stacks))
            .collect();
        let mut stacks: Vec<StackThere> =
            stacks.iter().map(|stack| stack_there(&catalog, stack, components, flavors)).collect();
        stores.sort_by(|one, other| one.name.cmp(&other.name));
        stacks.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Survey { connection, server, stacks, stores })
    }
}

fn store_there(catalog: &Catalog, store: &Component, stacks: &[Stack]) -> StoreThere {
    let adopted = on_oss(store);
    let uses = |stack: &&Stack| stack.components.values().flatten().any(|one| one.id == store.id);
    let path = store.configuration.get("path").and_then(serde_json::Value::as_str);
    StoreThere {
        name: store.name.clone(),
        flavor: store.flavor.clone(),
        path: path.unwrap_or_default().to_owned(),
        is_on_oss: adopted.is_some(),
        lacks_secret: adopted.as_ref().is_some_and(|adopted| lacks_secret(catalog, adopted)),
        here: match &adopted {
            Some(_) => mended(
                here(Intake::of_components(
                    catalog,
                    Flavors::table(),
                    &[entry(store)],
                    unnamed(catalog, &store.name),
                )),
                catalog,
                std::iter::once(store),
            ),
            None if store.user_id.is_none() => Here::Unfit(OWN.to_owned()),
            None => Here::Unfit("it is not on OSS".to_owned()),
        },
        findings: adopted.map(|adopted| adopted.findings).unwrap_or_default(),
        used_by: stacks.iter().filter(uses).map(|stack| stack.name.clone()).collect(),
        maker: Maker::of(&store.labels, store.user_id.as_ref()),
    }
}

/// Of what came with ZenML: every ZenML has it.
const OWN: &str = "it comes with ZenML";

/// What stands for the secret of a store that names none, as long as nothing is written: nothing
/// where the catalog has a secret for it.
fn unnamed(catalog: &Catalog, store: &str) -> Option<&'static str> {
    catalog.store(store).is_none().then_some("secret")
}

/// Whether neither ZenML nor the catalog says which secret the store signs with.
fn lacks_secret(catalog: &Catalog, store: &lint::Adopted) -> bool {
    store.draft.secret.is_empty() && catalog.store(&store.draft.name).is_none()
}

/// What the catalog would hold of a component that is an artifact store on OSS.
fn on_oss(component: &Component) -> Option<lint::Adopted> {
    let is_s3 = component.kind == ComponentType::ArtifactStore.as_str() && component.flavor == "s3";
    if is_s3 { lint::adopt(&component.name, &component.configuration) } else { None }
}

fn stack_there(
    catalog: &Catalog,
    stack: &Stack,
    components: &[Component],
    flavors: &Flavors,
) -> StackThere {
    let used: Vec<&Component> = of_stack(stack, components).collect();
    let store = used.iter().find_map(|one| on_oss(one));
    let lacks_secret = store.as_ref().is_some_and(|store| lacks_secret(catalog, store));
    let secret = store.as_ref().and_then(|store| unnamed(catalog, &store.draft.name));
    let is_on_oss = store.is_some();
    let entries: Vec<Entry> = used.iter().copied().map(entry).collect();
    let names = stack.components.iter().map(|(kind, all)| {
        (kind.clone(), all.iter().map(|one| one.name.clone()).collect::<Vec<String>>())
    });
    StackThere {
        name: stack.name.clone(),
        components: names.collect(),
        is_on_oss,
        lacks_secret,
        findings: store.map(|store| store.findings).unwrap_or_default(),
        here: match &stack.user_id {
            Some(_) => mended(
                here(Intake::of_stack(catalog, flavors, &stack.name, &entries, secret)),
                catalog,
                used.iter().copied(),
            ),
            None => Here::Unfit(OWN.to_owned()),
        },
        maker: Maker::of(&stack.labels, stack.user_id.as_ref()),
    }
}

fn of_stack<'a>(
    stack: &'a Stack,
    components: &'a [Component],
) -> impl Iterator<Item = &'a Component> {
    let used = stack.components.values().flatten();
    used.filter_map(|one| components.iter().find(|component| component.id == one.id))
}

fn entry(component: &Component) -> Entry {
    Entry {
        kind: component.kind.clone(),
        name: component.name.clone(),
        flavor: component.flavor.clone(),
        configuration: component.configuration.clone(),
    }
}

/// The stack itself counts; a stack whose store differs is a stack that differs.
fn here(intake: Result<Intake, Failure>) -> Here {
    match intake.map(|intake| intake.entries()) {
        Err(failure) => Here::Unfit(visible(&failure.summary).into_string()),
        Ok(entries) if entries.iter().all(|(_, became)| *became == Became::Same) => Here::Same,
        Ok(entries) if entries.last().is_some_and(|(_, became)| *became == Became::New) => {
            Here::Nothing
        }
        Ok(_) => Here::Differs,
    }
}

/// What is the same only because it was made as OSS needs it: ZenML has a store as it was.
fn mended<'a>(
    here: Here,
    catalog: &Catalog,
    mut components: impl Iterator<Item = &'a Component>,
) -> Here {
    let is_otherwise = |component: &Component| {
        let kept = catalog.store(&component.name).and_then(|store| settings(store).ok());
        component.kind == ComponentType::ArtifactStore.as_str()
            && kept.is_some_and(|kept| kept != component.configuration)
    };
    if here == Here::Same && components.any(is_otherwise) { Here::Mended } else { here }
}

/// Takes stacks, stores and other components of a ZenML over into the catalog: all, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptFromZenml {
    /// The connection; the only one where none is named.
    pub connection: Option<String>,
    /// What is taken over.
    pub what: Vec<Adoptee>,
    /// The secret of a store that names none.
    pub secret: Option<String>,
    /// Whether entries and secrets that say something else are replaced; else they are a conflict.
    pub overwrite: bool,
}

/// What is taken over, by its name in ZenML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoptee {
    /// A stack with all that it names.
    Stack(String),
    /// Which components a stack has, and nothing of them but their names.
    StackAlone(String),
    /// One component; an artifact store with its secret.
    Component(ComponentType, String),
    /// The values of a secret alone.
    Secret(String),
}

/// What was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// What came into the catalog.
    pub imported: Imported,
    /// What became of the secrets, by name.
    pub secrets: Vec<(String, SecretTaken)>,
    /// The connection it came from.
    pub connection: String,
}

/// What became of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretTaken {
    /// Its values are in the keystore now.
    Taken,
    /// The keystore had the same.
    Same,
    /// The keystore has one, and ZenML shows none to compare it with.
    Kept,
    /// The keystore has other values, and keeps them.
    Differs,
    /// There is no keystore yet.
    NoKeystore,
    /// ZenML does not show its values to this user.
    Hidden,
    /// ZenML has none of that name.
    Absent,
    /// Its values are no access key.
    Unfit,
}

impl SecretTaken {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Same => "same",
            Self::Kept => "kept",
            Self::Differs => "differs",
            Self::NoKeystore => "no-keystore",
            Self::Hidden => "hidden",
            Self::Absent => "absent",
            Self::Unfit => "unfit",
        }
    }

    /// What there is to do, a sentence; nothing where all is well.
    pub fn next(self, name: &str) -> Option<String> {
        let enter = format!("enter its values: osstack secret create {name}");
        match self {
            Self::Taken | Self::Same | Self::Kept => None,
            Self::NoKeystore => Some(format!("There is no keystore yet for the secret; {enter}.")),
            Self::Differs => Some(format!(
                "The keystore keeps other values of the secret {name} than ZenML: osstack diff \
                 shows where."
            )),
            Self::Hidden => {
                Some(format!("ZenML does not show you the values of the secret {name}; {enter}."))
            }
            Self::Absent => Some(format!("ZenML has no secret {name}; {enter}.")),
            Self::Unfit => {
                Some(format!("ZenML's secret {name} holds no access key of OSS; {enter}."))
            }
        }
    }
}

impl Job<World> for AdoptFromZenml {
    type Item = Nothing;
    type Out = Result<Adopted, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = connection_of(&catalog, self.connection.as_deref())?.clone();
        let remote = world.remote(&connection).await?;
        let there = if self.what.iter().all(|what| matches!(what, Adoptee::Secret(_))) {
            There::default()
        } else {
            There::read(&remote).await?
        };
        let mut intake = Intake::default();
        let mut notes = Vec::new();
        for what in &self.what {
            let (more, note) = there.intake(&catalog, what, self.secret.as_deref())?;
            intake.add(more);
            notes.extend(note);
        }
        let replaced = intake.replaced();
        if !self.overwrite && !replaced.is_empty() {
            let summary = format!("the catalog says something else of: {}", replaced.join(", "));
            return Err(Failure::new(FailureKind::Conflict, summary)
                .hint("osstack diff STACK shows what differs")
                .hint("--overwrite replaces it with what ZenML has"));
        }
        let of_stores = intake.stores().map(|store| store.secret.to_string());
        let alone = self.what.iter().filter_map(|what| match what {
            Adoptee::Secret(name) => Some(name.clone()),
            _ => None,
        });
        let names: BTreeSet<String> = of_stores.chain(alone).collect();
        let mut secrets = Vec::new();
        for name in names {
            let taken = take_secret(world, &remote, &name, self.overwrite).await?;
            notes.extend(taken.next(&name));
            secrets.push((name, taken));
        }
        let mut imported = intake.write(world).await?;
        imported.notes.append(&mut notes);
        Ok(Adopted { imported, secrets, connection: connection.name.to_string() })
    }
}

/// What ZenML has, as far as it is asked for.
#[derive(Default)]
struct There {
    stacks: Vec<Stack>,
    components: Vec<Component>,
    /// Of the types that stacks use: which settings hold keys is for the flavor to say.
    flavors: Flavors,
}

impl There {
    async fn read(remote: &Remote) -> Result<Self, rest::Error> {
        let (stacks, components) = tokio::try_join!(remote.stacks(), remote.components(None))?;
        let kinds = components.iter().filter_map(|it| ComponentType::parse(&it.kind));
        let others = kinds.filter(|kind| *kind != ComponentType::ArtifactStore);
        let flavors = flavors_for(remote, others).await;
        Ok(Self { stacks, components, flavors })
    }

    /// What comes in with `what`, and what to know of it.
    fn intake(
        &self,
        catalog: &Catalog,
        what: &Adoptee,
        secret: Option<&str>,
    ) -> Result<(Intake, Option<String>), Failure> {
        let used: Vec<&Component> = match what {
            Adoptee::Secret(_) => Vec::new(),
            Adoptee::Stack(name) | Adoptee::StackAlone(name) => {
                of_stack(self.stack(name)?, &self.components).collect()
            }
            Adoptee::Component(kind, name) => vec![self.component(*kind, name)?],
        };
        let entries: Vec<Entry> = used.iter().copied().map(entry).collect();
        let intake = match what {
            Adoptee::Stack(name) => {
                Intake::of_stack(catalog, &self.flavors, name, &entries, secret)?
            }
            Adoptee::StackAlone(name) => {
                let intake = Intake::of_stack(catalog, &self.flavors, name, &entries, secret)?;
                return Ok((intake.without_components(), None));
            }
            Adoptee::Secret(_) | Adoptee::Component(..) => {
                Intake::of_components(catalog, &self.flavors, &entries, secret)?
            }
        };
        if let Adoptee::Component(kind, name) = what
            && intake.entries().is_empty()
        {
            let why = "artifact stores come from OSS alone, and what ZenML brings stays";
            return Err(no_place(&kind.label(), name).hint(why));
        }
        let bound = used.iter().find(|component| {
            component.has_connector && component.kind == ComponentType::ArtifactStore.as_str()
        });
        let note = bound.map(|store| {
            format!("A service connector is bound to {}. {CONNECTORS}", visible(&store.name))
        });
        Ok((intake, note))
    }

    fn stack(&self, name: &str) -> Result<&Stack, Failure> {
        let Some(stack) = self.stacks.iter().find(|stack| stack.name == name) else {
            return Err(there_is_no("stack", name, self.stacks.iter().map(|one| &one.name)));
        };
        if stack.user_id.is_none() {
            return Err(no_place("stack", name).hint(OWN));
        }
        Ok(stack)
    }

    fn component(&self, kind: ComponentType, name: &str) -> Result<&Component, Failure> {
        let of_kind = || self.components.iter().filter(|one| one.kind == kind.as_str());
        of_kind()
            .find(|one| one.name == name)
            .ok_or_else(|| there_is_no(&kind.label(), name, of_kind().map(|one| &one.name)))
    }
}

fn no_place(label: &str, name: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("the {label} {} has no place here", visible(name)))
}

fn there_is_no<'a>(label: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Failure {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let shown = visible(name);
    let failure =
        Failure::new(FailureKind::NotFound, format!("ZenML has no {label} named {shown}"));
    let known = visible(&known.join(", ")).into_string();
    failure.hint(if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has: {known}")
    })
}

/// Takes the values of the secret `name` into the keystore, where ZenML shows them.
async fn take_secret(
    world: &World,
    remote: &Remote,
    name: &str,
    overwrite: bool,
) -> Result<SecretTaken, Failure> {
    if world.keystore.state() == keystore::State::Absent {
        return Ok(SecretTaken::NoKeystore);
    }
    if world.source_of(name).await?.is_some() {
        return Ok(SecretTaken::Kept);
    }
    let kept = match world.credentials(name).await {
        Ok(kept) => Some(kept),
        Err(failure) if failure.kind == FailureKind::NotFound => None,
        Err(failure) => return Err(failure),
    };
    let Some(there) = remote.secret(name).await? else {
        return Ok(if kept.is_some() { SecretTaken::Kept } else { SecretTaken::Absent });
    };
    let Some(draft) = draft(name, &there) else {
        let is_hidden = there.values.values().any(Option::is_none);
        return Ok(match (kept, is_hidden) {
            (Some(_), true) => SecretTaken::Kept,
            (None, true) => SecretTaken::Hidden,
            (_, false) => SecretTaken::Unfit,
        });
    };
    let Ok(secret) = draft.validate() else { return Ok(SecretTaken::Unfit) };
    let is_same = |kept: &Credentials| kept.in_order() == secret.credentials.in_order();
    let put = match &kept {
        Some(kept) if is_same(kept) => return Ok(SecretTaken::Same),
        Some(_) if !overwrite => return Ok(SecretTaken::Differs),
        Some(_) => keystore::Put::Update,
        None => keystore::Put::New,
    };
    let keystore = std::sync::Arc::clone(&world.keystore);
    blocking(move || keystore.put(secret, put)).await??;
    Ok(SecretTaken::Taken)
}

/// The values by the names ZenML reads; the `aws_` ones win there where both are given.
pub(super) fn draft(name: &str, there: &rest::Secret) -> Option<SecretDraft> {
    let value = |key: &str| there.values.get(key).and_then(Option::as_ref);
    [KeyNames::Aws, KeyNames::Oss].into_iter().find_map(|key_names| {
        let [id, secret, token] = key_names.names();
        let (id, secret) = (value(id)?, value(secret)?);
        let token = value(token).map(SecretString::duplicate);
        Some(SecretDraft {
            name: name.to_owned(),
            access_key_id: id.expose().to_owned(),
            secret_access_key: secret.duplicate(),
            session_token: token.unwrap_or_else(|| SecretString::new(String::new())),
            expires_at: String::new(),
            key_names,
        })
    })
}
