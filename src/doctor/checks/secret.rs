//! The store's secret is there.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, warned};
use crate::model::secret::id_hint;

pub(super) const CHECK: Check = Check {
    id: "secret",
    title: "secret is in the keystore",
    about: "The keystore holds the secret that the store names, and it has the form of a key of \
            Alibaba Cloud.",
    needs: &["store"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    let credentials = match &case.credentials {
        Ok(credentials) => credentials,
        Err(missing) => return Ok(failed(&missing.summary).next(&missing.next)),
    };
    let key = credentials.short_id();
    let id = credentials.access_key_id.as_str();
    let finding = if [id, credentials.secret_access_key.expose()].iter().any(|it| has_blanks(it)) {
        warned(format!("The key {key} holds blanks, which no key does."))
            .because("They are signed with, and OSS refuses the signature.")
            .next(format!(
                "Enter the secret again without them: osstack secret update {}",
                store.secret
            ))
    } else if id.starts_with("AKIA") || id.starts_with("ASIA") {
        warned(format!("The key {key} has the form of an AWS key."))
            .because("OSS knows keys of Alibaba Cloud only; theirs begin with LTAI.")
            .next("Make a RAM user's AccessKey in the console of Alibaba Cloud and enter that one.")
    } else {
        let finding = passed(format!("The secret {} holds the key {key}.", store.secret));
        match id_hint(id) {
            Some(hint) => finding.fact("note", hint),
            None => finding,
        }
    };
    let kind = if credentials.session_token.is_some() { "temporary" } else { "permanent" };
    Ok(finding.fact("access key", key).fact("kind", kind))
}

fn has_blanks(text: &str) -> bool {
    text.chars().any(char::is_whitespace)
}
