//! Access keys: kept in the keystore, named by stores.

use std::sync::Arc;
use std::time::Duration;

use crate::base::job::{Context, Job, Nothing};
use crate::catalog::Catalog;
use crate::keystore::{self, Put, Summary};
use crate::model::field::FieldError;
use crate::model::name::Name;
use crate::model::secret::{Secret, SecretDraft};
use crate::model::secret_source::SourcedSecret;

use super::commit_record;
use super::failure::{Failure, FailureKind};
use super::world::{World, blocking};

/// A secret as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRow {
    /// Name, shortened id, what is known without its values.
    pub summary: Summary,
    /// Names of the stores that use it.
    pub used_by: Vec<String>,
    /// Since it was last saved.
    pub age: Duration,
    /// What a temporary key has left, where its end is known: nothing once it has ended.
    pub left: Option<Duration>,
}

impl SecretRow {
    /// What a narrow column says of a temporary key's token.
    pub fn token_word(&self) -> Option<&'static str> {
        let has_ended = self.left.is_some_and(|left| left.is_zero());
        self.summary.has_token.then_some(if has_ended { "ended" } else { "yes" })
    }
}

/// All secrets, by name.
#[derive(Debug)]
pub struct ListSecrets;

impl Job<World> for ListSecrets {
    type Item = Nothing;
    type Out = Result<Vec<SecretRow>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let keystore = Arc::clone(&context.world.keystore);
        let summaries = blocking(move || keystore.list()).await??;
        // a broken catalog is said where the catalog is shown; keys stay reachable without it
        let catalog = context.world.catalog().await.ok();
        let users = |name: &Name| -> Vec<String> {
            let users = catalog.iter().flat_map(|all| all.users_of_secret(name.as_str()));
            users.map(ToString::to_string).collect()
        };
        let now = context.world.clock.now();
        let row = |summary: Summary| SecretRow {
            used_by: users(&summary.name),
            // a clock that was set back makes it new, not older than time
            age: (now - summary.updated).try_into().unwrap_or_default(),
            left: summary.expires_at.map(|end| (end - now).try_into().unwrap_or_default()),
            summary,
        };
        Ok(summaries.into_iter().map(row).collect())
    }
}

/// A secret whose values are not in the keystore, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcedRow {
    /// Its name.
    pub name: Name,
    /// Where its values are, showable.
    pub source: String,
    /// Names of the stores that use it.
    pub used_by: Vec<String>,
}

/// Those, in the order of the catalog. Nothing is read of where they are.
#[derive(Debug)]
pub struct ListSourced;

impl Job<World> for ListSourced {
    type Item = Nothing;
    type Out = Result<Vec<SourcedRow>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let row = |SourcedSecret { name, source }: &SourcedSecret| SourcedRow {
            name: name.clone(),
            source: source.to_string(),
            used_by: catalog
                .users_of_secret(name.as_str())
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        Ok(catalog.sourced_secrets().iter().map(row).collect())
    }
}

/// One secret with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetSecret {
    /// Its name.
    pub name: String,
}

/// What [`GetSecret`] answers.
#[derive(Debug, PartialEq, Eq)]
pub struct FoundSecret {
    /// As lists show it.
    pub row: SecretRow,
    /// With its values.
    pub secret: Secret,
}

impl Job<World> for GetSecret {
    type Item = Nothing;
    type Out = Result<FoundSecret, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        if let Some(secret) = context.world.source_of(&self.name).await? {
            return Err(lies_elsewhere(&secret));
        }
        let keystore = Arc::clone(&context.world.keystore);
        let secret = blocking(move || keystore.get(&self.name)).await??;
        let rows = ListSecrets.run(context).await?;
        let row = rows.into_iter().find(|row| row.summary.name == secret.name);
        // deleted by another process in between
        let row = row.ok_or_else(|| keystore::Error::NoSuchSecret(secret.name.to_string()))?;
        Ok(FoundSecret { row, secret })
    }
}

pub(super) fn lies_elsewhere(SourcedSecret { name, source }: &SourcedSecret) -> Failure {
    let summary = format!("the values of {name} are not in the keystore but in {source}");
    Failure::new(FailureKind::Usage, summary)
        .hint(format!("look there, or take [secret.{name}] out of stacks.toml"))
}

/// Keeps a new secret, or gives one other values.
#[derive(Debug)]
pub struct SaveSecret {
    /// What was entered.
    pub draft: SecretDraft,
    /// Whether the name must be new or must exist.
    pub put: Put,
}

impl Job<World> for SaveSecret {
    type Item = Nothing;
    type Out = Result<Name, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let secret = self.draft.validate()?;
        if let Some(elsewhere) = context.world.source_of(secret.name.as_str()).await? {
            return Err(lies_elsewhere(&elsewhere));
        }
        let name = secret.name.clone();
        let keystore = Arc::clone(&context.world.keystore);
        blocking(move || keystore.put(secret, self.put)).await??;
        Ok(name)
    }
}

/// Gives a secret another name, in the keystore and in all stores that use it; the next commit
/// renames it in ZenML too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameSecret {
    /// The name it has.
    pub name: String,
    /// The name it gets.
    pub to: String,
}

/// What [`RenameSecret`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamedSecret {
    /// Its name now.
    pub name: Name,
    /// How many stores use it.
    pub stores: usize,
}

impl Job<World> for RenameSecret {
    type Item = Nothing;
    type Out = Result<RenamedSecret, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let name = Name::parse(&self.to).map_err(|error| vec![FieldError::new("name", error)])?;
        let from = self.name;
        let catalog = world.catalog().await?;
        for name in [from.as_str(), name.as_str()] {
            if let Some(elsewhere) = world.source_of(name).await? {
                return Err(lies_elsewhere(&elsewhere));
            }
        }
        let is_used = !catalog.users_of_secret(&from).is_empty();
        let keystore = Arc::clone(&world.keystore);
        let (old, new) = (from.clone(), name.clone());
        let is_moved = blocking(move || {
            let is_free = match keystore.get(new.as_str()) {
                Err(keystore::Error::NoSuchSecret(_)) => true,
                found => found.map(|_| false)?,
            };
            match keystore.get(&old) {
                Ok(_) if is_free => Ok(false),
                Ok(_) => Err(keystore::Error::NameTaken(new.to_string())),
                // stopped before the stores followed: the same again goes on
                Err(keystore::Error::NoSuchSecret(_)) if is_used && !is_free => Ok(true),
                Err(error) => Err(error),
            }
        })
        .await??;
        // first: without it the next plan would make a second one
        if let Ok(from) = Name::parse(&from) {
            commit_record::rename(world, "secret", &from, &name).await?;
        }
        if !is_moved {
            let keystore = Arc::clone(&world.keystore);
            let (old, new) = (from.clone(), name.clone());
            blocking(move || keystore.rename(&old, &new)).await??;
        }
        let (path, random) = world.catalog_edit();
        let to = name.clone();
        let (stores, _) = blocking(move || {
            Catalog::edit(&path, random, |edit| Ok(edit.rename_secret_references(&from, &to)))
        })
        .await??;
        Ok(RenamedSecret { name, stores })
    }
}

/// Forgets a secret that no store uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteSecret {
    /// Its name.
    pub name: String,
}

impl Job<World> for DeleteSecret {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let users = catalog.users_of_secret(&self.name);
        // stores that have their key from elsewhere do not miss this one
        if !users.is_empty() && catalog.sourced_secret(&self.name).is_none() {
            let users: Vec<&str> = users.into_iter().map(Name::as_str).collect();
            let summary = format!("the secret {} is used by {}", self.name, users.join(", "));
            return Err(Failure::new(FailureKind::Conflict, summary)
                .hint("give these stores another secret first"));
        }
        let keystore = Arc::clone(&context.world.keystore);
        Ok(blocking(move || keystore.delete(&self.name)).await??)
    }
}
