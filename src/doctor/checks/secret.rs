//! The store's secret is there.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, warned};
use crate::model::fix::Fix;
use crate::model::secret::{Credentials, id_hint};

pub(super) const CHECK: Check = Check {
    id: "secret",
    title: "secret is at hand",
    about: "The keystore holds the secret that the store names, or it is where stacks.toml says, and \
            it has the form of a key of Alibaba Cloud.",
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
    let blanks = blanks(credentials);
    let finding = if blanks > 0 {
        failed(format!("The values of the secret {} hold blanks.", store.secret))
            .because("A key and its secret have none; a signature made with them is refused.")
            .next("Let osstack take them out, or paste the values again.")
            .fix(Fix::blanks(store.secret.clone(), blanks))
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

/// Blanks and line breaks in the values, which no form lets in: a file edited by hand does.
fn blanks(credentials: &Credentials) -> usize {
    let token = credentials.session_token.as_ref().map_or("", |token| token.expose());
    let values =
        [credentials.access_key_id.as_str(), credentials.secret_access_key.expose(), token];
    values.into_iter().flat_map(str::chars).filter(|c| c.is_whitespace()).count()
}
