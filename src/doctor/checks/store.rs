//! The subject's artifact store is there.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, failed, passed};
use crate::model::finding::Finding;

pub(super) const CHECK: Check = Check {
    id: "store",
    title: "artifact store is defined",
    about: "The subject names an artifact store, and the catalog holds it.",
    needs: &[],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Finding {
    match &case.store {
        Ok(store) => passed(format!("{} is {}.", store.name, store.path()))
            .fact("store", store.name.as_str())
            .fact("path", store.path()),
        Err(missing) => failed(&missing.summary).next(&missing.next).fix(missing.fix.clone()),
    }
}
