//! The flavors to go by: those of the ZenML that was asked, else those of the table.

use std::collections::BTreeMap;

use super::{Flavor, find, of};
use crate::model::component::ComponentType;

/// What is known of flavors. Of a type that a ZenML told of, only what it told counts: it may be
/// older or newer than the table. Of any other the table speaks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flavors {
    told: BTreeMap<ComponentType, Vec<Flavor>>,
}

impl Flavors {
    /// The table alone, where there is no ZenML to ask. So is the default.
    pub fn table() -> &'static Self {
        static TABLE: Flavors = Flavors { told: BTreeMap::new() };
        &TABLE
    }

    /// Takes what a ZenML told of a type: all flavors of it that it has.
    pub fn tell(&mut self, kind: ComponentType, flavors: Vec<Flavor>) {
        self.told.insert(kind, flavors);
    }

    /// The flavors of a type that can be chosen.
    pub fn of(&self, kind: ComponentType) -> Box<dyn Iterator<Item = &Flavor> + '_> {
        match self.told.get(&kind) {
            Some(told) => Box::new(told.iter()),
            None => Box::new(of(kind).map(|flavor| -> &Flavor { flavor })),
        }
    }

    /// The flavor `name` of a type; of the table, where the ZenML does not have it.
    pub fn find(&self, kind: ComponentType, name: &str) -> Option<&Flavor> {
        let told = self.told.get(&kind).into_iter().flatten().find(|flavor| flavor.name == name);
        told.or_else(|| find(kind, name))
    }

    /// Whether the ZenML told of the type, and has no flavor of that name.
    pub fn lacks(&self, kind: ComponentType, name: &str) -> bool {
        self.told.get(&kind).is_some_and(|told| told.iter().all(|flavor| flavor.name != name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Schema;
    use super::*;
    use serde_json::json;

    const KIND: ComponentType = ComponentType::Orchestrator;

    #[test]
    fn what_a_zenml_tells_counts_for_the_type_that_it_told_of() {
        let settings = json!({ "properties": { "pods": { "type": "integer" } } });
        let schema = Schema::from_json_schema(&settings);
        let mut flavors = Flavors::default();
        assert_eq!(flavors.of(KIND).count(), of(KIND).count());
        assert!(!flavors.lacks(KIND, "own"), "nobody was asked");
        flavors
            .tell(KIND, vec![Flavor::of_server(KIND, "kubernetes", "K8s", "kubernetes", schema)]);

        let names: Vec<_> = flavors.of(KIND).map(|flavor| flavor.name.as_str()).collect();
        assert_eq!(names, ["kubernetes"]);
        let told = flavors.find(KIND, "kubernetes").unwrap();
        assert!(told.schema.field("pods").is_some() && told.schema.field("incluster").is_none());
        let table = find(KIND, "kubernetes").unwrap();
        assert_eq!(told.validator, table.validator, "no server tells what a stack needs");
        assert!(told.is_told() && !table.is_told());

        assert!(flavors.lacks(KIND, "sagemaker") && !flavors.lacks(KIND, "kubernetes"));
        assert!(flavors.find(KIND, "sagemaker").is_some_and(|it| !it.is_told()));
        assert!(flavors.of(ComponentType::Alerter).count() > 1);
        assert!(!flavors.lacks(ComponentType::Alerter, "own"));
    }
}
