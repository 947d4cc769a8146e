//! The command line: the use cases without a screen.
//!
//! [`args`] reads the words, one module a noun runs them, [`output`] alone writes. A command that
//! needs a key asks at the terminal, or ends at once with exit code 3 naming the other ways.
//!
//! Exit codes: 0 done; 1 it failed; 2 bad usage; 3 a key or passphrase is needed and nobody is
//! there to ask; 4 partly done; 130 and the like ended by a signal before it could stop by itself.

pub mod args;
mod artifact;
mod bookmark;
mod check;
mod commit;
mod completions;
mod component;
mod copy;
mod diff;
mod explain;
mod found;
mod junit;
mod keystore;
mod lint;
mod man;
mod objects;
pub mod output;
mod plan;
mod prune;
mod regions;
mod restore;
mod run;
mod sandbox;
mod secret;
pub mod session;
mod stack;
mod stack_file;
mod store;
mod sync;
mod table;
pub mod terminal;
mod transfers;
mod usage;
mod versions;
pub mod waiting;
mod zenml;
mod zenml_import;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::ops::failure::{Failure, FailureKind};

use args::Command;
use copy::Verb;
use output::Output;
use session::{Session, Stop};

/// The version of the JSON that commands print.
const SCHEMA: u32 = 1;

/// The way where the screens do not go.
const WITHOUT_SCREEN: &str = "osstack secret create, artifact-store register, stack register, \
    check, plan, ls, cp do the same without screens: see osstack --help";

/// Runs `command` to its end and answers the exit code.
pub async fn run(command: Command, mut session: Session) -> u8 {
    let answer = Box::pin(dispatch(command, &mut session)).await;
    let answer = answer.and_then(|()| session.output.flush());
    session.say_healed();
    let code = match answer {
        Ok(()) | Err(Stop::Closed) => 0,
        Err(Stop::Code(code)) => code,
        Err(Stop::Failure(failure)) => {
            session.output.failure(&failure);
            failure.kind.exit_code()
        }
    };
    // a reader that went away was not there for the answer either
    let _gone = session.output.flush();
    code
}

async fn dispatch(command: Command, session: &mut Session) -> Result<(), Stop> {
    match command {
        Command::Demo(args) if !args.has_screen() => sandbox::list_zenml(&mut session.output),
        Command::Demo(_) => Err(no_screen().into()),
        Command::Sandbox(args) => sandbox::run(args, session).await,
        Command::Regions(args) => regions::run(args, session).await,
        Command::Secret(verb) => secret::run(verb, session).await,
        Command::ArtifactStore(verb) => store::run(verb, session).await,
        Command::Component(verb) => component::run(verb, session).await,
        Command::Stack(verb) => stack::run(verb, session).await,
        Command::Run(verb) => run::run(verb, session).await,
        Command::Artifact(verb) => artifact::run(verb, session).await,
        Command::Check(args) => check::run(args, session).await,
        Command::Lint(args) => lint::run(args, session).await,
        Command::Plan(args) => plan::run(args, session).await,
        Command::Zenml(verb) => zenml::run(verb, session).await,
        Command::Found => found::run(session).await,
        Command::Commit(args) => commit::run(args, session).await,
        Command::Diff(args) => diff::run(args, session).await,
        Command::Bookmark(args) => {
            bookmark::run(args.verb.unwrap_or(args::bookmark::Verb::List), session).await
        }
        Command::Ls(args) => objects::ls(args, session).await,
        Command::Stat(args) => objects::stat(args, session).await,
        Command::Cat(args) => objects::cat(args, session).await,
        Command::Cp(args) => copy::run(args, Verb::Copy, session).await,
        Command::Mv(args) => copy::run(args, Verb::Move, session).await,
        Command::Sync(args) => sync::run(args, session).await,
        Command::Transfers(args) => transfers::run(args, session).await,
        Command::Rm(args) => objects::rm(args, session).await,
        Command::Restore(args) => restore::run(args, session).await,
        Command::Versions(args) => versions::list(args, session).await,
        Command::Revert(args) => versions::revert(args, session).await,
        Command::Mb(args) => objects::mb(args, session).await,
        Command::Presign(args) => objects::presign(args, session).await,
        Command::Du(args) => usage::du(args, session).await,
        Command::Uploads(args) => usage::uploads(args, session).await,
        Command::Explain(args) => explain::run(args, session),
        Command::Keystore(verb) => keystore::run(verb, session).await,
        Command::Completions(args) => completions::run(&args, session),
        Command::Man(args) => man::run(&args, session),
    }
}

/// Says that the screens need a terminal, and which commands do without.
pub fn no_screen() -> Failure {
    Failure::new(FailureKind::Usage, "the screens need a terminal, and this is none")
        .hint(WITHOUT_SCREEN)
}

/// Says that `TERM=dumb` rules the screens out on a terminal, and what to do.
pub fn dumb_terminal() -> Failure {
    let summary = "TERM=dumb says that this terminal cannot draw, as the screens need";
    Failure::new(FailureKind::Usage, summary)
        .hint("if it can, say which it is: TERM=xterm-256color osstack")
        .hint(WITHOUT_SCREEN)
}

/// What clap says: help and version as answers, everything else as bad usage.
pub fn misread(error: &clap::Error, output: &mut Output) -> u8 {
    if !error.use_stderr() {
        let text = error.render().to_string();
        let _gone = output.bytes(text.as_bytes()).and_then(|()| output.flush());
        return 0;
    }
    let text = error.render().to_string();
    if output.is_json() {
        let text = text.trim().trim_start_matches("error: ");
        let (summary, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        let failure = Failure::new(FailureKind::Usage, summary);
        let hints = rest.split("\n\n").map(str::trim).filter(|hint| !hint.is_empty());
        output.failure(&hints.fold(failure, Failure::hint));
    } else {
        output.note(text.trim_end());
    }
    let _gone = output.flush();
    FailureKind::Usage.exit_code()
}

/// `2026-03-15T10:20:30Z`; whole seconds.
fn rfc3339(time: OffsetDateTime) -> String {
    let seconds = time.replace_nanosecond(0).unwrap_or(time);
    seconds.format(&Rfc3339).unwrap_or_default()
}
