//! `osstack bookmark …`

use std::ffi::OsStr;

use serde_json::{Value, json};

use super::SCHEMA;
use super::args::bookmark::Verb;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::visible::visible;
use crate::model::name::Name;
use crate::ops::bookmarks::{
    AddBookmark, Bookmark, ListBookmarks, ListedBookmarks, RemoveBookmark, RenameBookmark,
};
use crate::ops::failure::{Failure, FailureKind};

use super::store::load;

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::List => list(session).await,
        Verb::Add { name, uri } => {
            let name = new_name(&name)?;
            let location = session.location(OsStr::new(&uri)).await?;
            let Some((place, key)) = location.resolve(&load(session).await?)? else {
                let summary = format!("'{}' names no place in a bucket", visible(&uri));
                let failure = Failure::new(FailureKind::Usage, summary);
                return Err(failure.hint("write STORE:KEY or s3://BUCKET/KEY").into());
            };
            let bookmark = session.run(AddBookmark { name, place, key }).await??;
            let said = format!("@{} is {}", bookmark.name, visible(&bookmark.to_string()));
            session.output.done(&said, fields(&bookmark, None))
        }
        Verb::Rename { name, to } => {
            let from = bare(&name).to_owned();
            let to = new_name(bare(&to))?;
            let bookmark = session.run(RenameBookmark { name: from.clone(), to }).await??;
            let (name, place) = (&bookmark.name, bookmark.to_string());
            let said = format!("@{} is @{name} now: {}", visible(&from), visible(&place));
            session.output.done(&said, fields(&bookmark, None))
        }
        Verb::Remove { name } => {
            let name = bare(&name).to_owned();
            session.run(RemoveBookmark { name: name.clone() }).await??;
            let said = format!("forgot the bookmark {}; what lies there stays", visible(&name));
            session.output.done(&said, json!({ "name": name }))
        }
    }
}

/// A name as it is typed elsewhere, too.
fn bare(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

fn new_name(text: &str) -> Result<Name, Failure> {
    Name::parse(text).map_err(|error| Failure::new(FailureKind::Usage, error.to_string()))
}

async fn list(session: &mut Session) -> Result<(), Stop> {
    let ListedBookmarks { bookmarks, catalog } = session.run(ListBookmarks).await??;
    let output = &mut session.output;
    for problem in bookmarks.problems() {
        output.note(&format!("bookmarks.toml: {problem}"));
    }
    let why = |bookmark: &Bookmark| bookmark.resolve(&catalog).err();
    if output.is_json() {
        let all = bookmarks.all().iter();
        let all: Vec<Value> = all.map(|one| fields(one, why(one).as_ref())).collect();
        return output.json(&json!({ "schema": SCHEMA, "bookmarks": all }));
    }
    if bookmarks.all().is_empty() {
        output.note("no bookmarks yet: osstack bookmark add NAME STORE:KEY, or b in the browser");
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "STORE", "PLACE"]);
    for bookmark in bookmarks.all() {
        table.row([
            Cell::own(format!("@{}", bookmark.name)),
            Cell::outside(&bookmark.store),
            Cell::outside(&bookmark.to_string()),
        ]);
    }
    output.table(&table)?;
    for failure in bookmarks.all().iter().filter_map(why) {
        output.note(&failure.to_string());
    }
    Ok(())
}

fn fields(bookmark: &Bookmark, problem: Option<&Failure>) -> Value {
    json!({
        "name": bookmark.name.as_str(),
        "store": bookmark.store,
        "uri": bookmark.to_string(),
        "problem": problem.map(ToString::to_string),
    })
}
