//! The components of a stack go together as ZenML demands.

use crate::doctor::case::Case;
use crate::doctor::check::{Check, failed, passed, skipped, warned};
use crate::model::finding::Finding;
use crate::model::requirement::{Requirement, Weight};

/// The id, by which a history of stores leaves it out.
pub(in crate::doctor) const ID: &str = "stack-components";

pub(super) const CHECK: Check = Check {
    id: ID,
    title: "its components go together",
    about: "What the flavors of a stack's components demand of it, which ZenML asks when a run \
            starts: a container registry, no component on this machine alone, settings. Only of \
            components that the catalog describes.",
    needs: &[],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Finding {
    match &case.components {
        None => skipped("a store alone has no other components"),
        Some(found) => tell(found),
    }
}

/// `found` has what matters most first.
fn tell(found: &[Requirement]) -> Finding {
    let Some(first) = found.first() else {
        return passed("Nothing is missing beside the store and the orchestrator.");
    };
    let (finding, rest) = match first.weight {
        Weight::Refused => (failed(&first.message), found.get(1..)),
        Weight::Doubt => (warned(&first.message), found.get(1..)),
        Weight::Note => (passed("ZenML runs a stack of these components."), Some(found)),
    };
    let rest: Vec<&str> = rest.into_iter().flatten().map(|it| it.message.as_str()).collect();
    let finding = if rest.is_empty() { finding } else { finding.because(rest.join(" ")) };
    let finding = match &first.next {
        Some(next) => finding.next(next),
        None => finding,
    };
    match first.source.as_ref().filter(|_| first.weight > Weight::Note) {
        Some(source) => finding.fact("demanded by", source),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::component::ComponentType;
    use crate::model::finding::State;

    fn requirement(weight: Weight, message: &str) -> Requirement {
        Requirement {
            id: "x",
            weight,
            at: ComponentType::Orchestrator,
            message: message.into(),
            next: Some("Mend it".into()),
            source: Some("zenml/x.py".into()),
        }
    }

    #[test]
    fn the_worst_is_the_summary_and_the_rest_is_said_too() {
        let [refused, doubt, note] = [Weight::Refused, Weight::Doubt, Weight::Note];
        let finding = tell(&[requirement(refused, "A."), requirement(note, "B.")]);
        assert_eq!((finding.state, finding.summary.as_str()), (State::Failed, "A."));
        assert_eq!(finding.because.as_deref(), Some("B."));
        assert_eq!(finding.facts, [("demanded by", "zenml/x.py".to_owned())]);
        assert_eq!(tell(&[requirement(doubt, "A.")]).state, State::Warned);
        let noted = tell(&[requirement(note, "A.")]);
        assert_eq!((noted.state, noted.because.as_deref()), (State::Passed, Some("A.")));
        assert!(noted.facts.is_empty());
        assert_eq!(tell(&[]).state, State::Passed);
    }
}
