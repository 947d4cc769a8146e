//! Fixes, applied to what is saved.

use std::sync::Arc;

use super::failure::Failure;
use super::world::{World, blocking};
use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::catalog::Catalog;
use crate::doctor::Report;
use crate::keystore::Put;
use crate::model::fix::Fix;
use crate::model::name::Name;
use crate::model::secret::SecretDraft;

/// Writes a fix: to the catalog, where comments and unknown keys stay, or to the keystore.
/// Refused where what it begins with has changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplyFix {
    /// As a report offered it.
    pub fix: Fix,
}

impl Job<World> for ApplyFix {
    type Item = Nothing;
    type Out = Result<(), Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        if let Some(secret) = self.fix.secret() {
            return without_blanks(world, secret.clone()).await;
        }
        let Some(name) = self.fix.store().map(ToOwned::to_owned) else { return Ok(()) };
        let (path, random) = world.catalog_edit();
        blocking(move || Catalog::edit(&path, random, |edit| edit.mend_store(&name, &self.fix)))
            .await??;
        Ok(())
    }
}

async fn without_blanks(world: &World, name: Name) -> Result<(), Failure> {
    let keystore = Arc::clone(&world.keystore);
    blocking(move || {
        let secret = keystore.get(name.as_str())?;
        let plain = |text: &SecretString| {
            let plain = text.expose().chars().filter(|c| !c.is_whitespace()).collect();
            SecretString::new(plain)
        };
        let credentials = &secret.credentials;
        let id = credentials.access_key_id.chars().filter(|c| !c.is_whitespace()).collect();
        let token = credentials.session_token.as_ref();
        let draft = SecretDraft {
            name: secret.name.to_string(),
            access_key_id: id,
            secret_access_key: plain(&credentials.secret_access_key),
            session_token: token.map_or_else(|| SecretString::new(String::new()), plain),
            expires_at: credentials.end_as_text(),
            key_names: secret.key_names,
        };
        let mended = draft.validate().map_err(Failure::from)?;
        keystore.put(mended, Put::Update).map_err(Failure::from)
    })
    .await??;
    Ok(())
}

/// Fixes one after the other, each followed by another check: never the same twice, never one
/// that takes another back, and not for ever.
#[derive(Clone, Debug, Default)]
pub struct Mending {
    applied: Vec<Fix>,
}

/// A store has not this many independent faults that osstack can mend.
const ROUNDS: usize = 6;

impl Mending {
    /// The next fix that `report` offers.
    pub fn next<'r>(&self, report: &'r Report) -> Option<&'r Fix> {
        report.fixes().into_iter().find(|fix| self.may(fix))
    }

    /// Whether `fix` leads on.
    pub fn may(&self, fix: &Fix) -> bool {
        let stale = |applied: &Fix| applied == fix || fix.undoes(applied);
        self.applied.len() < ROUNDS && !self.applied.iter().any(stale)
    }

    /// `fix` has been applied.
    pub fn applied(&mut self, fix: Fix) {
        self.applied.push(fix);
    }

    /// How many have been.
    pub fn count(&self) -> usize {
        self.applied.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Outcome;
    use crate::model::finding::{Finding, State};
    use crate::model::store::{Signature, StoreDraft};
    use std::time::Duration;
    use time::OffsetDateTime;

    fn draft(signature: Signature) -> StoreDraft {
        StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            signature,
            ..StoreDraft::default()
        }
    }

    fn report(fix: Option<Fix>) -> Report {
        Report {
            subject: "store/alibaba_store".into(),
            store: None,
            at: OffsetDateTime::UNIX_EPOCH,
            findings: vec![Finding::new("signature", State::Failed, "no").fix(fix)],
            outcome: Outcome::Failed,
            took: Duration::ZERO,
            vantage: None,
            left_behind: Vec::new(),
        }
    }

    #[test]
    fn two_faults_that_call_for_each_others_cure_end() {
        let to_v4 = Fix::signature(draft(Signature::V2), Signature::V4);
        let to_v2 = Fix::signature(draft(Signature::V4), Signature::V2);
        let mut mending = Mending::default();
        let first = report(to_v4.clone());
        assert_eq!(mending.next(&first), to_v4.as_ref());
        mending.applied(to_v4.unwrap());
        assert_eq!(mending.next(&first), None);
        assert_eq!(mending.next(&report(to_v2)), None);
        assert_eq!(mending.count(), 1);
    }

    #[test]
    fn rounds_are_bounded() {
        let mut mending = Mending::default();
        let regions = ["cn-beijing", "cn-shanghai", "cn-hangzhou", "us-west-1", "us-east-1"];
        for region in regions.into_iter().chain(["ap-southeast-1"]) {
            mending.applied(Fix::region(draft(Signature::V2), region).unwrap());
        }
        let one_more = Fix::region(draft(Signature::V2), "cn-chengdu");
        assert_eq!(mending.next(&report(one_more)), None);
    }
}
