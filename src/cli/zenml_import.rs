//! `osstack zenml import`.

use serde_json::{Map, Value, json};

use super::SCHEMA;
use super::args::Import as ImportArgs;
use super::output::{Output, Paint};
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::visible::visible;
use crate::model::component::ComponentType;
use crate::ops::adopt::{AdoptFromZenml, Adopted, Adoptee, Here, StackThere, StoreThere};
use crate::ops::adopt::{Maker, Survey, SurveyZenml};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::stores::LoadCatalog;
use crate::zenml::lint::{Finding, Severity};

pub(super) async fn run(args: ImportArgs, session: &mut Session) -> Result<(), Stop> {
    let ImportArgs { things, all, connection, secret, overwrite, yes } = args;
    let things = things.iter().map(|thing| adoptee(thing)).collect::<Result<Vec<_>, _>>()?;
    session.open_any_keystore().await?;
    let things = if all || things.is_empty() {
        let survey = session.run(SurveyZenml { connection: connection.clone() }).await??;
        if !all {
            return list(&survey, &mut session.output);
        }
        new_ones(&survey)
    } else {
        things
    };
    if things.is_empty() {
        let said = "ZenML has nothing on OSS that the catalog lacks";
        return session.output.done(said, json!({ "entries": {} }));
    }
    if overwrite {
        let catalog = session.run(LoadCatalog).await??;
        for thing in &things {
            if let Adoptee::Stack(name) = thing
                && let Some(stack) = catalog.stack(name)
            {
                session.confirm_protected(stack, yes)?;
            }
        }
    }
    let job = AdoptFromZenml { connection, what: things, secret, overwrite };
    let adopted = session.run(job).await??;
    say_adopted(&adopted, session)
}

/// What `word` names: `NAME` or `stack/NAME` a stack, `secret/NAME` a secret, `TYPE/NAME` a
/// component.
pub(super) fn adoptee(word: &str) -> Result<Adoptee, Failure> {
    let Some((kind, name)) = word.split_once('/') else {
        return Ok(Adoptee::Stack(word.to_owned()));
    };
    let name = name.to_owned();
    match kind {
        "stack" => Ok(Adoptee::Stack(name)),
        "secret" => Ok(Adoptee::Secret(name)),
        "store" => Ok(Adoptee::Component(ComponentType::ArtifactStore, name)),
        kind => {
            ComponentType::parse(kind).map(|kind| Adoptee::Component(kind, name)).ok_or_else(|| {
                let summary = format!("{} is no type of component", visible(kind));
                Failure::new(FailureKind::Usage, summary)
                    .hint("name a stack, or TYPE/NAME: artifact-store/alibaba_store")
            })
        }
    }
}

/// All that is on OSS and not in the catalog: stacks first, since they bring their stores.
fn new_ones(survey: &Survey) -> Vec<Adoptee> {
    let stacks: Vec<&StackThere> =
        survey.stacks.iter().filter(|one| one.is_on_oss && one.here == Here::Nothing).collect();
    let comes_along =
        |store: &StoreThere| stacks.iter().any(|stack| store.used_by.contains(&stack.name));
    let stores = survey
        .stores
        .iter()
        .filter(|one| one.is_on_oss && one.here == Here::Nothing && !comes_along(one));
    let stores =
        stores.map(|one| Adoptee::Component(ComponentType::ArtifactStore, one.name.clone()));
    stacks.iter().map(|one| Adoptee::Stack(one.name.clone())).chain(stores).collect()
}

fn list(survey: &Survey, output: &mut Output) -> Result<(), Stop> {
    if output.is_json() {
        return output.json(&to_json(survey));
    }
    let Survey { connection, server, stacks, stores } = survey;
    output.line(&format!("In {} ({}):", connection.name, server.title()))?;
    let mut table = Table::new(&["ARTIFACT STORE", "PATH", "HERE", "MADE BY", "USED BY"]);
    for store in stores {
        table.row([
            Cell::outside(&store.name),
            Cell::outside(if store.path.is_empty() { &store.flavor } else { &store.path }),
            here_cell(&store.here),
            maker_cell(store.maker),
            Cell::outside(&store.used_by.join(", ")),
        ]);
    }
    output.table(&table)?;
    findings(stores, output)?;
    let mut table = Table::new(&["STACK", "COMPONENTS", "HERE", "MADE BY"]);
    for stack in stacks {
        let names: Vec<&str> = stack.components.values().flatten().map(String::as_str).collect();
        table.row([
            Cell::outside(&stack.name),
            Cell::outside(&names.join(", ")),
            here_cell(&stack.here),
            maker_cell(stack.maker),
        ]);
    }
    output.table(&table)?;
    output.line("To take one over: osstack zenml import STACK, or artifact-store/NAME; or --all")
}

/// What is wrong, each once, with the stores it is wrong in.
fn findings(stores: &[StoreThere], output: &mut Output) -> Result<(), Stop> {
    /// Names that stand behind one finding.
    const MOST: usize = 4;
    let mut seen: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for store in stores {
        for finding in store.findings.iter().filter(|it| it.severity > Severity::Note) {
            match seen.iter_mut().find(|(other, _)| other.meaning == finding.meaning) {
                Some((_, names)) => names.push(&store.name),
                None => seen.push((finding, vec![&store.name])),
            }
        }
    }
    for (finding, names) in seen {
        let paint = if finding.severity == Severity::Error { Paint::Bad } else { Paint::Warn };
        let severity = output.paint(paint, finding.severity.as_str());
        let shown: Vec<&str> = names.iter().copied().take(MOST).collect();
        let shown = visible(&shown.join(", ")).into_string();
        let more = names.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        output.line(&format!("{severity}: {} ({shown}{more})", finding.meaning))?;
    }
    Ok(())
}

fn here_cell(here: &Here) -> Cell {
    match here {
        Here::Nothing => Cell::own("not yet").paint(Paint::Good),
        Here::Same => Cell::own("same").paint(Paint::Faint),
        Here::Mended => Cell::own("mended here").paint(Paint::Good),
        Here::Differs => Cell::own("differs").paint(Paint::Warn),
        Here::Unfit(why) => Cell::own(why.as_str()).paint(Paint::Faint),
    }
}

fn maker_cell(maker: Maker) -> Cell {
    Cell::own(maker.as_str()).paint(Paint::Faint)
}

fn to_json(survey: &Survey) -> Value {
    let why = |here: &Here| match here {
        Here::Unfit(why) => Some(why.clone()),
        _ => None,
    };
    let stores: Vec<Value> = survey
        .stores
        .iter()
        .map(|store| {
            json!({
                "name": store.name,
                "flavor": store.flavor,
                "path": store.path,
                "on_oss": store.is_on_oss,
                "here": store.here.as_str(),
                "unfit": why(&store.here),
                "made_by": store.maker.as_str(),
                "used_by": store.used_by,
                "findings": super::lint::findings_json(&store.findings),
            })
        })
        .collect();
    let stacks: Vec<Value> = survey
        .stacks
        .iter()
        .map(|stack| {
            json!({
                "name": stack.name,
                "components": stack.components,
                "on_oss": stack.is_on_oss,
                "here": stack.here.as_str(),
                "unfit": why(&stack.here),
                "made_by": stack.maker.as_str(),
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "connection": survey.connection.name.as_str(),
        "server": {
            "name": survey.server.name,
            "version": survey.server.version.to_string(),
            "stand_in": survey.server.is_stand_in,
        },
        "artifact_stores": stores,
        "stacks": stacks,
    })
}

/// Says what came into the catalog and the keystore.
pub(super) fn say_adopted(adopted: &Adopted, session: &mut Session) -> Result<(), Stop> {
    /// What is said on a terminal; JSON has all of it.
    const MOST: usize = 12;
    let output = &mut session.output;
    let notes = &adopted.imported.notes;
    for note in notes.iter().take(MOST) {
        output.note(&format!("warning: {note}"));
    }
    if notes.len() > MOST {
        output.note(&format!("warning: and {} more; --json has all", notes.len() - MOST));
    }
    let entries = adopted.imported.entries.iter();
    let entries = entries.map(|(entry, became)| (entry.clone(), became.as_str()));
    let secrets = adopted.secrets.iter();
    let secrets = secrets.map(|(name, taken)| (format!("secret {name}"), taken.as_str()));
    let entries: Vec<(String, &str)> = entries.chain(secrets).collect();
    // what did not come is in the warnings, with what to do
    let came = |became: &str| matches!(became, "new" | "replaced" | "taken");
    let words: Vec<String> = entries
        .iter()
        .filter(|(_, became)| came(became))
        .map(|(entry, became)| format!("{became} {}", visible(entry)))
        .collect();
    let said = if words.is_empty() {
        "the catalog has that already, as OSS needs it; a commit mends ZenML".to_owned()
    } else {
        let shown: Vec<&str> = words.iter().map(String::as_str).take(MOST).collect();
        let more = words.len().saturating_sub(MOST);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        format!("taken over: {}{more}", shown.join(", "))
    };
    let map: Map<String, Value> =
        entries.iter().map(|(entry, became)| (entry.clone(), json!(became))).collect();
    let connection = &adopted.connection;
    output.done(&said, json!({ "connection": connection, "entries": map, "notes": notes }))
}
