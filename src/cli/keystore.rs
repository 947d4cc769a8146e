//! `osstack keystore …`

use std::path::PathBuf;

use serde_json::json;

use super::args::Keystore as Verb;
use super::output::Paint;
use super::session::{Session, Stop};
use super::table::{Cell, Table};
use crate::base::units;
use crate::base::visible::visible;
use crate::keystore::{Copied, State, Status, WAYS, identity_from_env};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::{
    BackUpKeystore, ChangePassphrase, CreateKeystore, ExportKeystore, ForgetKeystore,
    KeystoreReport, KeystoreStatus, Opener, Protection, PurgeBackups, RememberKeystore,
    RestoreKeystore, RotateKeystore, TightenKeystore,
};

pub(super) async fn run(verb: Verb, session: &mut Session) -> Result<(), Stop> {
    match verb {
        Verb::Status => status(session).await,
        Verb::Unlock => unlock(session).await,
        Verb::Lock => {
            session.run(ForgetKeystore).await??;
            session.output.done("the OS keyring has forgotten the keystore", json!({}))
        }
        Verb::ChangePassphrase => change_passphrase(session).await,
        Verb::Rotate => {
            session.world()?.keystore.refuse_kept_elsewhere(None)?;
            let passphrase = session.present_passphrase()?;
            session.run(RotateKeystore { passphrase }).await??;
            let sentence = "the keystore has a new identity; backups keep the old one";
            session.output.done(sentence, json!({}))
        }
        Verb::Export { file } => export(file, session).await,
        Verb::Backup { folder } => {
            let shown = visible(&folder.to_string_lossy()).into_string();
            let copied = session.run(BackUpKeystore { folder: folder.clone() }).await??;
            if copied == Copied::SecretsAlone {
                session.output.note(
                    "the identity that opens them is kept elsewhere (OSSTACK_IDENTITY_FILE): \
                     keep a copy of that file too",
                );
            }
            session.output.done(&format!("copied to {shown}"), json!({ "folder": folder }))
        }
        Verb::Restore { path } => {
            let refused = session.world()?.keystore.refuse_kept_elsewhere(Some(&path));
            let opener = match (refused, identity_from_env(&session.machine.env)?) {
                (Ok(()), _) => Opener::Passphrase(session.present_passphrase()?),
                (Err(_), Some(identity)) => Opener::Identity(identity),
                (Err(refused), None) => return Err(refused.into()),
            };
            session.run(RestoreKeystore { path: path.clone(), opener }).await??;
            let sentence = "restored; what was there before stays as a numbered backup";
            session.output.done(sentence, json!({ "path": path }))
        }
        Verb::PurgeBackups { yes } => {
            session.confirm_deletion("the numbered backups of the keystore", yes)?;
            let count = session.run(PurgeBackups).await??;
            let done = format!("deleted {}", units::counted(count as u64, "backup"));
            session.output.done(&done, json!({ "deleted": count }))
        }
    }
}

/// Opens the keystore; makes it where there is none yet.
pub(super) async fn open_or_create(session: &mut Session) -> Result<(), Stop> {
    if session.world()?.keystore.status().state == State::Absent {
        return create(session).await;
    }
    session.open_keystore().await
}

/// Makes the keystore, with the passphrase that the environment or the person gives.
async fn create(session: &mut Session) -> Result<(), Stop> {
    let protection = if let Some(identity) = identity_from_env(&session.machine.env)? {
        Protection::Identity(identity)
    } else {
        if session.is_interactive() {
            session.output.note(
                "The first secret makes the keystore: two files of the age format, sealed with a \
                 passphrase.",
            );
        }
        let passphrase = session.chosen_passphrase("the new keystore")?;
        let remembers = session.run(KeystoreStatus).await??.remembered.is_ok();
        let ask = remembers && session.is_interactive();
        if ask && session.confirm("Shall the OS keyring open it in this desktop session?")? {
            Protection::PassphraseAndKeyring(passphrase)
        } else {
            Protection::Passphrase(passphrase)
        }
    };
    session.run(CreateKeystore { protection }).await??;
    let path = session.world()?.keystore.status().secrets;
    session.output.note(&format!("made the keystore {}", visible(&path.to_string_lossy())));
    Ok(())
}

async fn status(session: &mut Session) -> Result<(), Stop> {
    // what needs no question shows how many secrets there are
    let unasked = crate::ops::keystore::UnlockKeystore::Unasked;
    let opened = session.run(unasked).await?;
    let KeystoreReport { status, remembered } = session.run(KeystoreStatus).await??;
    let output = &mut session.output;
    let problem = match (&opened, status.state) {
        (Err(failure), State::Locked) if failure.kind != FailureKind::Locked => {
            Some(failure.summary.clone())
        }
        _ => None,
    };
    if output.is_json() {
        return output.done("", status_json(&status, remembered.as_ref().ok(), problem.as_deref()));
    }
    let mut table = Table::default();
    let mut row = |name: &str, value: String| {
        table.row([Cell::own(name).paint(Paint::Strong), Cell::own(value)]);
    };
    let path = |path: &PathBuf| visible(&path.to_string_lossy()).into_string();
    row("state", state_word(status.state).to_owned());
    row("secrets", path(&status.secrets));
    row("identity", path(&status.identity));
    if let Some(count) = status.count {
        row("holds", units::counted(count as u64, "secret"));
    }
    row(
        "OS keyring",
        match &remembered {
            Ok(true) => "remembers the identity".to_owned(),
            Ok(false) => "does not remember it (osstack keystore unlock)".to_owned(),
            Err(error) => error.to_string(),
        },
    );
    row("backups", status.backups.len().to_string());
    for loose in &status.loose {
        let (shown, mode, wanted) = (path(&loose.path), loose.mode, loose.wanted);
        row("open to others", format!("{shown} ({mode:03o}): chmod {wanted:03o}"));
    }
    if let Some(problem) = problem {
        row("problem", problem);
    }
    output.table(&table)
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Absent => "absent",
        State::Locked => "locked",
        State::Open => "open",
        State::Session => "session",
    }
}

fn status_json(
    status: &Status,
    remembered: Option<&bool>,
    problem: Option<&str>,
) -> serde_json::Value {
    let loose: Vec<_> = status
        .loose
        .iter()
        .map(|loose| {
            let (mode, wanted) = (format!("{:03o}", loose.mode), format!("{:03o}", loose.wanted));
            json!({ "path": loose.path.to_string_lossy(), "mode": mode, "wanted": wanted })
        })
        .collect();
    let backups: Vec<_> = status.backups.iter().map(|path| path.to_string_lossy()).collect();
    json!({
        "state": state_word(status.state),
        "secrets": status.secrets.to_string_lossy(),
        "identity": status.identity.to_string_lossy(),
        "generation": status.generation,
        "count": status.count,
        "remembered_in_keyring": remembered,
        "backups": backups,
        "open_to_others": loose,
        "problem": problem,
    })
}

async fn unlock(session: &mut Session) -> Result<(), Stop> {
    let Status { state, loose, .. } = session.world()?.keystore.status();
    if state != State::Absent {
        // before a passphrase is asked for in vain
        session.run(KeystoreStatus).await??.remembered.map_err(|error| {
            let failure = Failure::from(error);
            failure.hint(format!("every command asks for it instead: {WAYS}"))
        })?;
    }
    if let Some(first) = loose.first() {
        let shown = visible(&first.path.to_string_lossy()).into_string();
        let question = format!("Others may open {shown}. Take that right away?");
        if session.is_interactive() && session.confirm(&question)? {
            session.run(TightenKeystore).await??;
        }
    }
    session.open_keystore().await?;
    session.run(RememberKeystore).await??;
    session.output.done("the OS keyring opens the keystore from now on", json!({}))
}

async fn change_passphrase(session: &mut Session) -> Result<(), Stop> {
    if !session.is_interactive() {
        // the variables give the passphrase of now; there is no second set for the new one
        let failure = Failure::new(FailureKind::Locked, "the new passphrase is asked for");
        return Err(failure.hint("run it on a terminal").into());
    }
    session.open_keystore().await?;
    let new = session.ask_twice("the keystore, from now on")?;
    session.run(ChangePassphrase { new }).await??;
    let sentence = "the passphrase is changed; backups of identity.age still open with the old one";
    session.output.done(sentence, json!({}))
}

async fn export(file: PathBuf, session: &mut Session) -> Result<(), Stop> {
    session.open_keystore().await?;
    let passphrase = if session.is_interactive() {
        session.ask_twice("the export")?
    } else {
        session.chosen_passphrase("the export")?
    };
    session.run(ExportKeystore { path: file.clone(), passphrase }).await??;
    let shown = visible(&file.to_string_lossy()).into_string();
    session.output.done(&format!("exported to {shown}: age -d opens it"), json!({ "file": file }))
}
