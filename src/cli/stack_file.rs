//! `osstack stack export` and `osstack stack import`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::args::{StackExport, StackImport};
use super::lint::from_stdin;
use super::session::{Session, Stop};
use super::stack::{composed, fields, warn_of_dangling};
use super::store::load;
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::intake::Imported;
use crate::ops::lint::{Source, read_file};
use crate::ops::stack_file::{ExportStack, ImportStack};
use crate::ops::world::blocking;

pub(super) async fn export(args: StackExport, session: &mut Session) -> Result<(), Stop> {
    let StackExport { name, file, zenml_version, overwrite } = args;
    let file = (file != Path::new("-")).then_some(file);
    let job =
        ExportStack { stack: name.clone(), zenml: zenml_version, file: file.clone(), overwrite };
    let yaml = session.run(job).await?.map_err(|failure| match failure.kind {
        FailureKind::Conflict => failure.hint("--overwrite replaces it"),
        _ => failure,
    })?;
    match file {
        None if session.output.is_json() => {
            session.output.done("", json!({ "name": name, "yaml": yaml }))
        }
        None => session.output.bytes(yaml.as_bytes()),
        Some(file) => {
            let shown = visible(&file.to_string_lossy()).into_string();
            let done =
                format!("wrote the stack {name}: zenml stack import {name} -f {shown} takes it");
            session.output.done(&done, json!({ "name": name, "file": shown }))
        }
    }
}

pub(super) async fn import(args: StackImport, session: &mut Session) -> Result<(), Stop> {
    let StackImport { file, name, secret, overwrite, yes } = args;
    let text = text_of(&file, session).await?;
    if overwrite {
        // a stack that is replaced may be protected, whichever of the two names it
        let named = crate::zenml::stack_file::read(text.expose()).map_err(Failure::from)?.name;
        let catalog = load(session).await?;
        if let Some(stack) = name.as_ref().or(named.as_ref()).and_then(|it| catalog.stack(it)) {
            session.confirm_protected(&stack.clone(), yes)?;
        }
    }
    let imported = session.run(ImportStack { text, name, secret, overwrite }).await??;
    show_imported(&imported, session)?;
    match imported.stacks.first() {
        Some(stack) => warn_of_dangling(&stack.name, session).await,
        None => Ok(()),
    }
}

/// Says what came into the catalog.
pub(super) fn show_imported(imported: &Imported, session: &mut Session) -> Result<(), Stop> {
    for note in &imported.notes {
        session.output.note(&format!("warning: {note}"));
    }
    let words =
        imported.entries.iter().map(|(entry, became)| format!("{} {entry}", became.as_str()));
    let words: Vec<String> = words.collect();
    let words = words.join(", ");
    let done = match imported.stacks.first() {
        Some(stack) => format!("imported the stack {}: {words}", composed(stack)),
        None => format!("imported: {words}"),
    };
    let mut out = imported.stacks.first().map_or_else(|| json!({}), fields);
    if let Some(out) = out.as_object_mut() {
        let entries: Map<String, Value> = imported
            .entries
            .iter()
            .map(|(entry, became)| (entry.clone(), became.as_str().into()))
            .collect();
        out.insert("entries".into(), Value::Object(entries));
        out.insert("notes".into(), json!(imported.notes));
    }
    session.output.done(&done, out)
}

async fn text_of(file: &Path, session: &mut Session) -> Result<SecretString, Stop> {
    let source = if file == Path::new("-") {
        from_stdin(&mut session.stdin)?
    } else {
        Source::File(file.to_owned())
    };
    match source {
        Source::Text(text) => Ok(text),
        Source::File(path) => Ok(blocking(move || read_file(&path)).await??),
    }
}
