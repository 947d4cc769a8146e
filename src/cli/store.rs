//! `osstack artifact-store …`

use serde_json::{Value, json};

use super::SCHEMA;
use super::args::{SignatureVersion, Store as Verb, StoreSettings};
use super::output::Paint;
use super::secret::warn_of_absent;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::doctor::permissions;
use crate::model::bucket::BucketName;
use crate::model::store::{ArtifactStore, RegionId, Signature, StoreDraft};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::stores::{DeleteStore, LoadCatalog, SaveStore, SavedStore};
use crate::ops::world::store_of;

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::Register(settings) => {
            let name = settings.name.clone();
            let draft = overlay(StoreDraft::default(), settings);
            save(draft, None, &format!("registered the artifact store {name}"), session).await
        }
        Verb::Update(settings) => {
            let former = store_of(&load(session).await?, &settings.name)?.clone();
            let name = settings.name.clone();
            let draft = overlay(StoreDraft::from(&former), settings);
            let done = format!("updated the artifact store {name}");
            save(draft, Some(Box::new(former)), &done, session).await
        }
        Verb::Rename { name, to } => {
            let former = store_of(&load(session).await?, &name)?.clone();
            let draft = StoreDraft { name: to.clone(), ..StoreDraft::from(&former) };
            let done = format!(
                "renamed the artifact store {name} to {to} here; where ZenML has it from osstack, \
                 the next commit renames it there"
            );
            save(draft, Some(Box::new(former)), &done, session).await
        }
        Verb::List => list(session).await,
        Verb::Describe { name } => describe(&name, session).await,
        Verb::Policy { name } => policy(&name, session).await,
        Verb::Delete { name, yes } => delete(name, yes, session).await,
    }
}

/// JSON in either case: it is there to be pasted into the RAM console.
async fn policy(name: &str, session: &mut Session) -> Result<(), Stop> {
    let policy = match name.strip_prefix("s3://") {
        Some(path) => {
            let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
            let bucket = BucketName::parse(bucket).map_err(|error| {
                Failure::new(FailureKind::Usage, error.to_string())
                    .hint("write s3://BUCKET or s3://BUCKET/PREFIX")
            })?;
            permissions::policy(&bucket, prefix)
        }
        None => permissions::policy_of(store_of(&load(session).await?, name)?),
    };
    if session.output.is_json() {
        return session.output.json(&policy);
    }
    session.output.line(&format!("{policy:#}"))
}

/// The catalog, with what is odd in it said on stderr.
pub(super) async fn load(session: &mut Session) -> Result<Catalog, Stop> {
    let catalog = session.run(LoadCatalog).await??;
    let file = catalog.path().file_name().unwrap_or_default().to_string_lossy();
    let file = visible(&file);
    for problem in catalog.problems() {
        session.output.note(&format!("{file}: {problem}"));
    }
    Ok(catalog)
}

/// `draft` with what the arguments say; what they leave out stays.
fn overlay(mut draft: StoreDraft, settings: StoreSettings) -> StoreDraft {
    draft.name = settings.name;
    let texts = [
        (&mut draft.bucket, settings.bucket),
        (&mut draft.prefix, settings.prefix),
        (&mut draft.secret, settings.secret),
        (&mut draft.region, settings.region),
        (&mut draft.endpoint, settings.endpoint),
        (&mut draft.access, settings.access),
        (&mut draft.residency, settings.residency),
    ];
    for (field, given) in texts {
        if let Some(given) = given {
            *field = given;
        }
    }
    if let Some(version) = settings.signature {
        draft.signature = match version {
            SignatureVersion::V2 => Signature::V2,
            SignatureVersion::V4 => Signature::V4,
        };
    }
    draft
}

async fn save(
    draft: StoreDraft,
    replaces: Option<Box<ArtifactStore>>,
    done: &str,
    session: &mut Session,
) -> Result<(), Stop> {
    let SavedStore { name, moved } = session.run(SaveStore { draft, replaces }).await??;
    let catalog = session.run(LoadCatalog).await??;
    let store = store_of(&catalog, name.as_str())?;
    if let Some(doubt) = store.residency_doubt() {
        session.output.note(&format!("{doubt}: osstack check {name} asks where the bucket lies"));
    }
    if let Some(moved) = moved {
        session.output.note(&format!("warning: {moved}"));
    }
    let done = format!("{}: {}", visible(done), store.path());
    session.output.done(&done, fields(&catalog, store)?)?;
    warn_of_absent(store.secret.as_str(), session).await
}

async fn list(session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let output = &mut session.output;
    if output.is_json() {
        let stores = catalog.stores().iter().map(|store| fields(&catalog, store));
        let stores: Vec<Value> = stores.collect::<Result<_, _>>()?;
        return output.json(&json!({ "schema": SCHEMA, "artifact_stores": stores }));
    }
    if catalog.stores().is_empty() {
        output.note("no artifact stores yet: osstack artifact-store register NAME …");
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "PATH", "REGION", "ENDPOINT", "SIGNATURE", "SECRET"]);
    for store in catalog.stores() {
        table.row([
            Cell::own(store.name.as_str()),
            Cell::outside(&store.path()),
            Cell::own(store.region.as_ref().map_or("-", RegionId::as_str)),
            Cell::own(store.endpoint.to_string()),
            Cell::own(store.signature.as_str()),
            Cell::own(store.secret.as_str()),
        ]);
    }
    output.table(&table)
}

async fn describe(name: &str, session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let store = store_of(&catalog, name)?;
    let output = &mut session.output;
    if output.is_json() {
        return output.done("", fields(&catalog, store)?);
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            table.row([Cell::own(name).paint(Paint::Strong), Cell::outside(value)]);
        }
    };
    let region = store.region.as_ref();
    let city = region.and_then(RegionId::known).map(|known| format!(" ({})", known.name));
    row("name", store.name.as_str());
    row("path", &store.path());
    row("secret", store.secret.as_str());
    row("region", &format!("{}{}", region.map_or("-", RegionId::as_str), city.unwrap_or_default()));
    row("endpoint", &format!("{} ({})", store.endpoint, store.zenml_endpoint()?));
    if let Some(access) = &store.access {
        row("access from here", &format!("{access} ({})", store.access_endpoint()?));
    }
    row("residency", &store.residency.to_string());
    row("signature", &store.signature.to_string());
    row("client_kwargs", &store.client_kwargs()?.to_string());
    row("config_kwargs", &store.config_kwargs().to_string());
    row("used by", &users(&catalog, store).join(", "));
    output.table(&table)
}

fn users(catalog: &Catalog, store: &ArtifactStore) -> Vec<String> {
    catalog.users_of_store(store.name.as_str()).into_iter().map(ToString::to_string).collect()
}

/// A store as scripts read it, and what ZenML gets.
fn fields(catalog: &Catalog, store: &ArtifactStore) -> Result<Value, Failure> {
    let mut zenml = json!({
        "flavor": "s3",
        "path": store.path(),
        "authentication_secret": store.secret.as_str(),
        "client_kwargs": store.client_kwargs()?,
        "config_kwargs": store.config_kwargs(),
    });
    let additional = &store.extras.s3_additional_kwargs;
    if let (Some(zenml), false) = (zenml.as_object_mut(), additional.is_empty()) {
        zenml.insert("s3_additional_kwargs".into(), Value::Object(additional.clone()));
    }
    Ok(json!({
        "name": store.name.as_str(),
        "path": store.path(),
        "bucket": store.bucket.as_str(),
        "prefix": store.prefix,
        "secret": store.secret.as_str(),
        "region": store.region.as_ref().map(RegionId::as_str),
        "endpoint": store.endpoint.to_string(),
        "access": store.access.as_ref().map(ToString::to_string),
        "signature": store.signature.as_str(),
        "residency": store.residency.areas().collect::<Vec<_>>(),
        "zenml": zenml,
        "used_by": users(catalog, store),
    }))
}

async fn delete(name: String, yes: bool, session: &mut Session) -> Result<(), Stop> {
    store_of(&load(session).await?, &name)?;
    session.confirm_deletion(&format!("the artifact store {name} from the catalog"), yes)?;
    session.run(DeleteStore { name: name.clone() }).await??;
    let done = format!("deleted the artifact store {name}; its bucket stays as it is");
    session.output.done(&done, json!({ "name": name }))
}
