//! Everything a new user would make, over a sandbox: for `osstack demo` and for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::secret_string::SecretString;
use crate::catalog::{Catalog, Put as PutEntry};
use crate::keystore::keyring::NoKeyring;
use crate::keystore::{Identity, Keystore, Put, Settings, identity_from_env};
use crate::model::component::ComponentType;
use crate::model::connection::{ConnectionDraft, SignIn};
use crate::model::secret::{KeyNames, SecretDraft};
use crate::model::stack::{Stack, StackDraft};
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::env::Env;
use crate::ports::paths::Paths;
use crate::sandbox::{self, Description, seed};

use super::failure::Failure;

/// The secret's name.
pub const SECRET: &str = "demo_secret";
/// The store that holds artifacts as ZenML writes them.
pub const STORE: &str = "demo_store";
/// The connection to the stand-in for ZenML.
pub const CONNECTION: &str = "demo";
/// The store to play in.
pub const SCRATCH_STORE: &str = "scratch_store";

/// Fills the empty folder `home` for the sandbox of `description`: a keystore that opens by
/// itself, a secret, two stores, two stacks. Answers the variables that osstack then runs with.
///
/// The identity lies unsealed beside the keystore: it guards a key that opens this sandbox only.
/// Blocks on the disk.
pub fn furnish(
    home: &Path,
    description: &Description,
    clock: &SharedClock,
    entropy: &SharedEntropy,
) -> Result<Env, Failure> {
    let paths = Paths::below(home);
    let identity_file = keep_secret(home, &paths, description, clock, entropy)?;
    let stores = [
        store(STORE, sandbox::BUCKET, seed::PREFIX, description)?,
        store(SCRATCH_STORE, seed::SCRATCH, "", description)?,
    ];
    let stacks = [stack("demo_stack", STORE)?, stack("scratch_stack", SCRATCH_STORE)?];
    Catalog::edit(&paths.catalog(), entropy.next_u64(), |edit| {
        stores.iter().try_for_each(|store| edit.put_store(store, PutEntry::New))?;
        stacks.iter().try_for_each(|stack| edit.put_stack(stack, PutEntry::New))
    })?;
    let variable = |name: &str, path: &Path| (name.to_owned(), path.to_string_lossy().into_owned());
    let ca = description.ca.as_deref().map(|path| variable("OSSTACK_CA_FILE", path));
    let own = [variable("OSSTACK_HOME", home), variable("OSSTACK_IDENTITY_FILE", &identity_file)];
    Ok(Env::new(own.into_iter().chain(ca)))
}

/// Adds the connection [`CONNECTION`] to the stand-in at `url`, and seals the key that signs in
/// there. `env` is what [`furnish`] answered. Blocks on the disk.
pub fn connect(
    home: &Path,
    env: &Env,
    url: &str,
    clock: &SharedClock,
    entropy: &SharedEntropy,
) -> Result<(), Failure> {
    let paths = Paths::below(home);
    let draft = ConnectionDraft {
        name: CONNECTION.into(),
        url: url.to_owned(),
        ..ConnectionDraft::default()
    };
    let connection = draft.validate()?;
    Catalog::edit(&paths.catalog(), entropy.next_u64(), |edit| {
        edit.put_connection(&connection, PutEntry::New)
    })?;
    let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
    let keystore = Keystore::new(&paths, clock, entropy, Arc::new(NoKeyring), Settings::default());
    if let Some(identity) = identity_from_env(env)? {
        keystore.unlock_with_identity(identity)?;
    }
    let key = SignIn::ApiKey(SecretString::new(sandbox::zenml::API_KEY.to_owned()));
    Ok(keystore.put_sign_in(&connection.name, key)?)
}

/// Makes the keystore, and answers where its identity lies.
fn keep_secret(
    home: &Path,
    paths: &Paths,
    description: &Description,
    clock: &SharedClock,
    entropy: &SharedEntropy,
) -> Result<PathBuf, Failure> {
    let draft = SecretDraft {
        name: SECRET.into(),
        access_key_id: description.access_key_id.clone(),
        secret_access_key: SecretString::new(description.secret_access_key.clone()),
        session_token: SecretString::new(String::new()),
        expires_at: String::new(),
        key_names: KeyNames::Oss,
    };
    let secret = draft.validate()?;
    let identity = Identity::generate();
    let file = home.join("identity.txt");
    identity.write_unsealed(&file, entropy.next_u64())?;
    let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
    let keystore = Keystore::new(paths, clock, entropy, Arc::new(NoKeyring), Settings::default());
    keystore.create_with_identity(identity)?;
    keystore.put(secret, Put::New)?;
    Ok(file)
}

fn store(
    name: &str,
    bucket: &str,
    prefix: &str,
    description: &Description,
) -> Result<ArtifactStore, Failure> {
    let draft = StoreDraft {
        name: name.into(),
        bucket: bucket.into(),
        prefix: prefix.into(),
        secret: SECRET.into(),
        region: description.region.clone(),
        endpoint: description.endpoint.clone(),
        ..StoreDraft::default()
    };
    Ok(draft.validate()?)
}

fn stack(name: &str, store: &str) -> Result<Stack, Failure> {
    let components = [
        (ComponentType::ArtifactStore, vec![store.to_owned()]),
        (ComponentType::Orchestrator, vec!["default".to_owned()]),
    ];
    let components = components.into_iter().collect();
    let draft = StackDraft { name: name.into(), components, ..StackDraft::default() };
    Ok(draft.validate()?)
}
