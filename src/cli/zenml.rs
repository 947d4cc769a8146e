//! `osstack zenml …`

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use super::SCHEMA;
use super::args::{Login, Zenml as Verb};
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::atomic_file;
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::model::connection::{Connection, ConnectionDraft, ServerUrl, SignIn, Way};
use crate::model::name::Name;
use crate::ops::connections::{
    Connect, Connected, Disconnect, Greet, ListConnections, SignInWith, typed,
};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::found::{FindLogin, FoundLogin, SeenLogin, TakeLogin};

/// More than any key or password has, in bytes.
const LONGEST: u64 = 64 << 10;

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::Login(args) => login(args, session).await,
        Verb::Logout { name } => {
            session.open_any_keystore().await?;
            let gone = session.run(Disconnect { name }).await??;
            let sentence =
                format!("forgot the connection {}; ZenML keeps all that it has", gone.name);
            session.output.done(&sentence, json!({ "name": gone.name.as_str() }))
        }
        Verb::Status { name } => {
            session.open_any_keystore().await?;
            mention(session).await?;
            let connected = session.run(Greet { name }).await??;
            say(&connected, session)
        }
        Verb::List => list(session).await,
        Verb::Import(args) => super::zenml_import::run(args, session).await,
    }
}

async fn login(args: Login, session: &mut Session) -> Result<(), Stop> {
    if args.found {
        return take(args, session).await;
    }
    let url = args.url.clone().unwrap_or_default();
    let called = || ServerUrl::parse(&url).map_or("zenml".to_owned(), |it| it.short_name().into());
    let draft = ConnectionDraft {
        name: args.name.clone().unwrap_or_else(called),
        url: url.clone(),
        command: args.command.clone().unwrap_or_default(),
        project: args.project.clone().unwrap_or_default(),
    };
    // all that is wrong is said before anything is asked
    draft.validate()?;
    let with = sign_in(&args, session)?;
    if !matches!(with, SignInWith::Nothing) {
        super::keystore::open_or_create(session).await?;
    }
    let connected = session
        .follow(Connect { draft, with }, |output, page| {
            output.note(&format!(
                "Open {} and compare the code {}; this waits until you have confirmed.",
                visible(&page.page),
                visible(&page.user_code)
            ));
            Ok(())
        })
        .await??;
    say(&connected, session)
}

/// Takes over what `zenml login` left, after showing it.
async fn take(args: Login, session: &mut Session) -> Result<(), Stop> {
    let SeenLogin { login, remarks } = session.run(FindLogin).await??;
    let Some(found) = login else {
        let summary = "zenml has signed in nowhere on this machine";
        let hints =
            remarks.into_iter().fold(Failure::new(FailureKind::NotFound, summary), Failure::hint);
        return Err(hints.hint("zenml login URL, or osstack zenml login URL").into());
    };
    for remark in &remarks {
        session.output.note(&format!("note: {remark}"));
    }
    let name = args.name.unwrap_or_else(|| found.name.clone());
    for line in preview(&found, &name) {
        session.output.note(&line);
    }
    if !args.yes {
        if !session.is_interactive() {
            let summary = "it is taken over after asking, and nobody is there to ask";
            return Err(Failure::new(FailureKind::Usage, summary).hint("add --yes").into());
        }
        if !session.confirm("Take it over?")? {
            return Err(Failure::cancelled().into());
        }
    }
    if found.signs_in.is_kept() {
        super::keystore::open_or_create(session).await?;
    }
    let project = args.project.unwrap_or_default();
    let connected = session.run(TakeLogin { found, name, project }).await??;
    say(&connected, session)
}

/// What would be taken over, and what would become of it.
fn preview(found: &FoundLogin, name: &str) -> [String; 3] {
    let at = visible(found.way.as_str());
    let known = found.known.as_ref().is_some_and(|known| known.as_str() == name);
    let becomes = if known { "renews" } else { "becomes" };
    let kept = if found.signs_in.is_kept() {
        "what signs in is copied into the keystore, ZenML's files stay as they are"
    } else {
        "ZenML's files stay as they are"
    };
    [
        format!("found: {at} (in {})", found.origin),
        format!("signs in by: {}", found.signs_in.words()),
        format!("{becomes}: the connection {}; {kept}", visible(name)),
    ]
}

/// Says that there is a `zenml login` which no connection leads to yet.
async fn mention(session: &mut Session) -> Result<Option<FoundLogin>, Stop> {
    // what is odd about it is said where it is asked for
    let found = session.run(FindLogin).await?.ok().and_then(|seen| seen.login);
    let found = found.filter(|found| found.known.is_none());
    if let Some(found) = &found {
        session.output.note(&format!(
            "note: zenml leads to {}, signed in by {}; take it over: osstack zenml login --found",
            visible(found.way.as_str()),
            found.signs_in.words()
        ));
    }
    Ok(found)
}

/// How to sign in, with what the arguments name or somebody types.
fn sign_in(args: &Login, session: &mut Session) -> Result<SignInWith, Stop> {
    if args.no_sign_in || args.command.is_some() {
        return Ok(SignInWith::Nothing);
    }
    if args.device {
        return Ok(SignInWith::Browser);
    }
    if let Some(user) = &args.username {
        let password = match &args.password_file {
            Some(file) => from_file(file, "the password")?,
            None if session.is_interactive() => {
                session.ask_hidden(&format!("Password of {user} (not shown): "))?
            }
            None => return Err(nobody("a password is needed", "--password-file FILE").into()),
        };
        return Ok(SignInWith::Known(SignIn::Password { user: user.clone(), password }));
    }
    let key = if let Some(file) = &args.api_key_file {
        from_file(file, "the API key")?
    } else if args.api_key_stdin {
        let mut text = String::new();
        let read = (&mut session.stdin).take(LONGEST).read_to_string(&mut text);
        read.map_err(|error| {
            Failure::new(FailureKind::Usage, format!("stdin cannot be read: {error}"))
                .hint("give the API key on stdin, or --api-key-file FILE")
        })?;
        typed(&SecretString::new(text))
    } else if session.is_interactive() {
        typed(&session.ask_hidden("API key of a service account, ZENKEY_… (not shown): ")?)
    } else {
        let how = "--api-key-file FILE, --api-key-stdin, --username NAME, --device or --no-sign-in";
        return Err(nobody("something to sign in with is needed", how).into());
    };
    if key.is_empty() {
        let failure = Failure::new(FailureKind::Usage, "the API key is empty");
        return Err(failure
            .hint("make one: zenml service-account api-key create, or --username NAME")
            .into());
    }
    Ok(SignInWith::Known(SignIn::ApiKey(key)))
}

fn nobody(what: &str, how: &str) -> Failure {
    Failure::new(FailureKind::Locked, format!("{what}, and nobody is there to ask"))
        .hint(format!("add {how}"))
}

fn from_file(file: &Path, what: &str) -> Result<SecretString, Stop> {
    let refuse = |why: &str| {
        let shown = visible(&file.to_string_lossy()).into_string();
        let summary = format!("{what} cannot be read from {shown}: {why}");
        Failure::new(FailureKind::Usage, summary).hint("name a file that holds it and nothing else")
    };
    let bytes = atomic_file::read(file, LONGEST)?.ok_or_else(|| refuse("there is no such file"))?;
    let text = String::from_utf8(bytes).map_err(|_| refuse("it is no text"))?;
    Ok(typed(&SecretString::new(text)))
}

fn say(connected: &Connected, session: &mut Session) -> Result<(), Stop> {
    let Connected { connection, server, user, warnings } = connected;
    let output = &mut session.output;
    if output.is_json() {
        let mut value = row(connection);
        if let Some(value) = value.as_object_mut() {
            value.insert("schema".into(), json!(SCHEMA));
            value.insert(
                "server".into(),
                json!({
                    "id": server.id,
                    "name": server.name,
                    "version": server.version.to_string(),
                    "stand_in": server.is_stand_in,
                }),
            );
            value.insert("user".into(), json!(user.name));
            value.insert("warnings".into(), json!(warnings));
        }
        return output.json(&value);
    }
    let mut table = Table::default();
    let mut line = |name: &str, value: &str| table.row([Cell::own(name), Cell::outside(value)]);
    line("connection", connection.name.as_str());
    line("at", connection.way.as_str());
    line("server", &server.title());
    line("signed in as", &user.name);
    line("project", connection.project.as_deref().unwrap_or("the server's default"));
    output.table(&table)?;
    for warning in warnings {
        output.note(&format!("warning: {warning}"));
    }
    Ok(())
}

async fn list(session: &mut Session) -> Result<(), Stop> {
    let connections = session.run(ListConnections).await??;
    let found = mention(session).await?;
    let output = &mut session.output;
    if output.is_json() {
        let rows: Vec<Value> = connections.iter().map(row).collect();
        let found = found.as_ref().map(found_json);
        return output.json(&json!({ "schema": SCHEMA, "connections": rows, "found": found }));
    }
    if connections.is_empty() {
        output.note("no ZenML is known yet: osstack zenml login URL");
        return Ok(());
    }
    let mut table = Table::new(&["NAME", "AT", "PROJECT"]);
    for connection in &connections {
        table.row([
            Cell::own(connection.name.as_str()),
            Cell::outside(connection.way.as_str()),
            Cell::outside(connection.project.as_deref().unwrap_or_default()),
        ]);
    }
    output.table(&table)
}

/// A found login as scripts read it.
pub(super) fn found_json(found: &FoundLogin) -> Value {
    let (url, command) = ends(&found.way);
    json!({
        "origin": found.origin,
        "url": url,
        "command": command,
        "signs_in_by": found.signs_in.as_str(),
        "connection": found.known.as_ref().map(Name::as_str),
    })
}

/// URL or command.
fn ends(way: &Way) -> (Option<&str>, Option<&str>) {
    match way {
        Way::Server(url) => (Some(url.as_str()), None),
        Way::Command(path) => (None, Some(path.as_str())),
    }
}

fn row(connection: &Connection) -> Value {
    let (url, command) = ends(&connection.way);
    json!({
        "name": connection.name.as_str(),
        "url": url,
        "command": command,
        "project": connection.project,
    })
}
