//! `osstack component …`

use serde_json::{Value, json};

use super::SCHEMA;
use super::args::{Component as Verb, ComponentSettings};
use super::output::Paint;
use super::session::{Session, Stop};
use super::store::load;
use super::table::{Cell, Table};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::component::{Component, ComponentDraft, ComponentType};
use crate::model::flavor::{self, Field, Flavor, Flavors, SettingError};
use crate::model::name::Name;
use crate::ops::components::{
    DeleteComponent, KnowType, LookForFlavors, SaveComponent, component_of,
};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::UnlockKeystore;
use crate::ops::stores::LoadCatalog;

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    let named = match &verb {
        Verb::Register(settings) | Verb::Update(settings) => Some(settings.kind),
        Verb::Describe { kind, .. } | Verb::Delete { kind, .. } => Some(*kind),
        Verb::List { kind } | Verb::Flavors { kind, .. } => *kind,
    };
    if let Some(kind) = named {
        know(kind, session).await?;
    }
    match verb {
        Verb::Register(settings) => {
            let draft = ComponentDraft::new(settings.kind);
            let (draft, flavors) = laid_over(&draft, None, &settings, session).await?;
            save(SaveComponent { draft, replaces: None, flavors }, "registered", session).await
        }
        Verb::Update(settings) => {
            let catalog = load(session).await?;
            let former = component_of(&catalog, settings.kind, &settings.name)?.clone();
            let draft = ComponentDraft::from(&former);
            let (draft, flavors) = laid_over(&draft, Some(&former), &settings, session).await?;
            let replaces = Some(Box::new(former));
            save(SaveComponent { draft, replaces, flavors }, "updated", session).await
        }
        Verb::List { kind } => list(kind, session).await,
        Verb::Describe { kind, name } => describe(kind, &name, session).await,
        Verb::Delete { kind, name, yes } => {
            component_of(&load(session).await?, kind, &name)?;
            let what = format!("the {} {name} from the catalog", kind.label());
            session.confirm_deletion(&what, yes)?;
            session.run(DeleteComponent { name: name.clone() }).await??;
            let sentence = format!("deleted the {} {name}; ZenML keeps its own", kind.label());
            session.output.done(&sentence, json!({ "type": kind.as_str(), "name": name }))
        }
        Verb::Flavors { kind: Some(kind), flavor: Some(name) } => {
            show_flavor(kind, &name, session).await
        }
        Verb::Flavors { kind, .. } => flavors(kind, session).await,
    }
}

/// Refuses a type of components that nobody has. The keystore is needed only where a ZenML has to
/// be asked for it.
pub(super) async fn know(kind: ComponentType, session: &mut Session) -> Result<(), Stop> {
    if kind.is_built_in() {
        return Ok(());
    }
    if !load(session).await?.connections().is_empty() {
        session.open_any_keystore().await?;
    }
    Ok(session.run(KnowType { kind }).await??)
}

/// `draft` with what the arguments say, and the flavors that it is judged by. Only where the table
/// has no such flavor, or something against it, each ZenML is asked for its own: the first that
/// takes it decides.
async fn laid_over(
    draft: &ComponentDraft,
    former: Option<&Component>,
    settings: &ComponentSettings,
    session: &mut Session,
) -> Result<(ComponentDraft, Flavors), Stop> {
    let by = |flavors: &Flavors| -> Result<ComponentDraft, Failure> {
        let draft = overlay(draft.clone(), settings, flavors)?;
        draft.validate(flavors, former)?;
        Ok(draft)
    };
    let by_table = by(Flavors::table());
    // no ZenML mends a name, or a flavor that is not given
    if let Err(failure) = &by_table
        && !failure.fields.is_empty()
    {
        return Err(failure.clone().into());
    }
    if by_table.as_ref().is_ok_and(|draft| draft.known_flavor(Flavors::table()).is_some()) {
        return Ok((by_table?, Flavors::default()));
    }
    let mut refused = None;
    for (_, told) in told(Some(draft.kind), session).await? {
        let mut flavors = Flavors::default();
        flavors.tell(draft.kind, told);
        match by(&flavors) {
            Ok(draft) if draft.known_flavor(&flavors).is_some_and(Flavor::is_told) => {
                return Ok((draft, flavors));
            }
            Ok(_) => {}
            Err(failure) => refused = refused.or(Some(failure)),
        }
    }
    // what a ZenML says of its own flavor counts more than the table's word for it
    match refused {
        Some(failure) => Err(failure.into()),
        None => Ok((by_table?, Flavors::default())),
    }
}

/// `draft` with what the arguments say; what they leave out stays. All that is wrong is said at
/// once.
fn overlay(
    mut draft: ComponentDraft,
    settings: &ComponentSettings,
    flavors: &Flavors,
) -> Result<ComponentDraft, Failure> {
    draft.name.clone_from(&settings.name);
    if let Some(flavor) = &settings.flavor {
        draft.flavor.clone_from(flavor);
    }
    let schema = draft.known_flavor(flavors).map(|flavor| &flavor.schema);
    for setting in &settings.unset {
        draft.configuration.shift_remove(setting);
    }
    let mut wrong: Vec<SettingError> = Vec::new();
    for text in &settings.settings {
        // the text may be a key that somebody pasted: it is not repeated
        let (setting, value) = text.split_once('=').ok_or_else(|| {
            Failure::new(FailureKind::Usage, "a --set has no = in it").hint("write SETTING=VALUE")
        })?;
        wrong.extend(draft.set(schema, setting.trim(), value).err());
    }
    if wrong.is_empty() {
        return Ok(draft);
    }
    let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    let (kind, flavor) = (draft.kind.as_str(), visible(draft.flavor.trim()));
    Err(Failure::new(FailureKind::Usage, said.join("; "))
        .hint(format!("osstack component flavors {kind} {flavor} shows what can be set")))
}

async fn save(save: SaveComponent, what: &str, session: &mut Session) -> Result<(), Stop> {
    let kind = save.draft.kind;
    let flavor = visible(save.draft.flavor.trim());
    let is_known = save.draft.known_flavor(&save.flavors).is_some();
    let name = session.run(save).await??;
    if !is_known {
        let label = kind.label();
        session.output.note(&format!(
            "note: ZenML {} has no flavor {flavor} of the type {label}: fine where you made it \
             yourself",
            flavor::zenml()
        ));
    }
    let catalog = session.run(LoadCatalog).await??;
    let component = component_of(&catalog, kind, name.as_str())?;
    let done = format!("{what} the {} {name}: {}", kind.label(), visible(&component.flavor));
    session.output.done(&done, fields(&catalog, component))
}

async fn list(kind: Option<ComponentType>, session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let mut components: Vec<&Component> = catalog.components().iter().collect();
    components.retain(|component| kind.is_none_or(|kind| component.kind == kind));
    let output = &mut session.output;
    if output.is_json() {
        let components = components.iter().map(|component| fields(&catalog, component));
        let components: Vec<Value> = components.collect();
        return output.json(&json!({ "schema": SCHEMA, "components": components }));
    }
    if components.is_empty() {
        output.note("no components yet: osstack component register TYPE NAME --flavor FLAVOR");
        return Ok(());
    }
    let mut table = Table::new(&["TYPE", "NAME", "FLAVOR", "USED BY"]);
    for component in components {
        table.row([
            Cell::own(component.kind.as_str()),
            Cell::own(component.name.as_str()),
            Cell::outside(&component.flavor),
            Cell::own(users(&catalog, component).join(", ")),
        ]);
    }
    output.table(&table)
}

async fn describe(kind: ComponentType, name: &str, session: &mut Session) -> Result<(), Stop> {
    let catalog = load(session).await?;
    let component = component_of(&catalog, kind, name)?;
    let output = &mut session.output;
    if output.is_json() {
        return output.done("", fields(&catalog, component));
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            table.row([Cell::outside(name).paint(Paint::Strong), Cell::outside(value)]);
        }
    };
    row("name", component.name.as_str());
    row("type", kind.as_str());
    row("flavor", &component.flavor);
    for (setting, value) in &component.configuration {
        row(setting, &shown(component, setting, value));
    }
    row("demands", &component.known_flavor(Flavors::table()).map(demands).unwrap_or_default());
    row("used by", &users(&catalog, component).join(", "));
    output.table(&table)
}

/// A value as it may be shown: a key that a hand wrote into the file is not.
fn shown(component: &Component, setting: &str, value: &Value) -> String {
    let problems = component.problems(Flavors::table());
    let is_key = problems.iter().any(|problem| problem.setting == setting && !problem.is_refused);
    if is_key { "(a key: write {{SECRET.KEY}} in its place)".into() } else { Field::shown(value) }
}

fn users(catalog: &Catalog, component: &Component) -> Vec<String> {
    let users = catalog.users_of_component(component.kind, component.name.as_str());
    users.into_iter().map(Name::to_string).collect()
}

/// A component as scripts read it.
fn fields(catalog: &Catalog, component: &Component) -> Value {
    let mut configuration = component.configuration.clone();
    let left_out = component.known_flavor(Flavors::table());
    let left_out = left_out.map(|it| it.schema.without_keys(&mut configuration));
    json!({
        "name": component.name.as_str(),
        "type": component.kind.as_str(),
        "flavor": component.flavor,
        "configuration": configuration,
        "left_out": left_out.unwrap_or_default(),
        "used_by": users(catalog, component),
    })
}

/// `a container registry, an image builder`.
fn demands(flavor: &Flavor) -> String {
    let needs = flavor.validator.iter().flat_map(|validator| &validator.needs);
    needs.map(|kind| kind.one()).collect::<Vec<_>>().join(", ")
}

/// The flavors that each ZenML of the catalog has, with its connection.
/// Nobody is asked for a passphrase for it, and one that does not answer is said on stderr.
async fn told(
    kind: Option<ComponentType>,
    session: &mut Session,
) -> Result<Vec<(Name, Vec<Flavor>)>, Stop> {
    // a catalog that cannot be read does not keep anybody from the table
    let Ok(catalog) = session.run(LoadCatalog).await? else { return Ok(Vec::new()) };
    if catalog.connections().is_empty() {
        return Ok(Vec::new());
    }
    // where it stays closed, the connection that needs it says so
    let _opened = session.run(UnlockKeystore::Unasked).await?;
    let mut all = Vec::new();
    for (connection, flavors) in session.run(LookForFlavors { kind }).await?? {
        match flavors {
            Ok(flavors) => all.push((connection, flavors)),
            Err(failure) => {
                let summary = &failure.summary;
                let said = format!("note: without the flavors of {connection}'s own: {summary}");
                session.output.note(&said);
            }
        }
    }
    Ok(all)
}

async fn flavors(kind: Option<ComponentType>, session: &mut Session) -> Result<(), Stop> {
    let told = told(kind, session).await?;
    let all = flavor::all().iter().filter(|it| kind.is_none_or(|kind| it.kind == kind));
    let own = told.iter().flat_map(|(connection, flavors)| {
        let own = flavors.iter().filter(|it| flavor::find(it.kind, &it.name).is_none());
        own.map(|flavor| (flavor, Some(connection.as_str())))
    });
    let mut all: Vec<(&Flavor, Option<&str>)> =
        all.map(|flavor| (flavor, None)).chain(own).collect();
    all.sort_by_key(|(flavor, _)| flavor.kind);
    let output = &mut session.output;
    if output.is_json() {
        let flavors = all.iter().map(|(flavor, only_in)| flavor_fields(flavor, *only_in));
        let flavors: Vec<Value> = flavors.collect();
        let zenml = flavor::zenml();
        return output.json(&json!({ "schema": SCHEMA, "zenml": zenml, "flavors": flavors }));
    }
    let mut table = Table::new(&["TYPE", "FLAVOR", "INTEGRATION", "NEEDS BESIDE IT", "ONLY IN"]);
    for (flavor, only_in) in all {
        table.row([
            Cell::own(flavor.kind.as_str()),
            Cell::outside(&flavor.name),
            Cell::outside(&flavor.integration),
            Cell::own(demands(flavor)),
            Cell::own(only_in.unwrap_or_default()),
        ]);
    }
    output.table(&table)
}

async fn show_flavor(kind: ComponentType, name: &str, session: &mut Session) -> Result<(), Stop> {
    let told = told(Some(kind), session).await?;
    let told = told.iter().flat_map(|(connection, flavors)| {
        flavors.iter().map(|flavor| (connection.as_str(), flavor))
    });
    let mine = told.clone().find(|(_, flavor)| flavor.name == name);
    let table: Option<&Flavor> = flavor::find(kind, name);
    let flavor = mine.map(|(_, flavor)| flavor).or(table).ok_or_else(|| {
        let own = told.map(|(_, flavor)| flavor.name.as_str());
        let mut known: Vec<&str> = flavor::of(kind).map(|flavor| flavor.name.as_str()).collect();
        known.extend(own);
        known.sort_unstable();
        known.dedup();
        crate::ops::world::absent(&format!("flavor of the type {}", kind.label()), name, &known)
    })?;
    let output = &mut session.output;
    match mine {
        Some((connection, _)) => output.note(&format!("note: as {connection} tells it")),
        None => output.note(&format!("note: by the table of ZenML {}", flavor::zenml())),
    }
    let only_in = mine.map(|(connection, _)| connection).filter(|_| table.is_none());
    if output.is_json() {
        return output.done("", flavor_fields(flavor, only_in));
    }
    let mut table = Table::new(&["SETTING", "", "WHAT IT IS"]);
    for field in flavor.schema.fields.iter().filter(|field| !field.deprecated) {
        table.row([
            Cell::outside(&field.name),
            Cell::own(if field.required { "needed" } else { "" }).paint(Paint::Warn),
            Cell::outside(&field.hint()),
        ]);
    }
    output.table(&table)
}

/// A flavor as scripts read it; `only_in` is the connection whose ZenML told of it.
fn flavor_fields(flavor: &Flavor, only_in: Option<&str>) -> Value {
    let settings = flavor.schema.fields.iter().map(|field| {
        json!({
            "name": field.name,
            "expected": field.expected(),
            "required": field.required,
            "sensitive": field.sensitive,
            "deprecated": field.deprecated,
            "default": field.default,
            "about": field.about,
        })
    });
    let needs = flavor.validator.iter().flat_map(|validator| &validator.needs);
    json!({
        "type": flavor.kind.as_str(),
        "name": flavor.name,
        "title": flavor.title,
        "only_in": only_in,
        "told": flavor.is_told(),
        "integration": flavor.integration,
        "schedules": flavor.schedules,
        "needs": needs.map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "settings": settings.collect::<Vec<_>>(),
    })
}
