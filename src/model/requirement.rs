//! What a stack needs beyond an artifact store and an orchestrator.
//!
//! ZenML says it when a run starts, from the validators of the stack's components
//! (`Stack.validate`); [`judge`] says it before, from the table of [flavors](super::flavor) and, of
//! settings, from what a ZenML told of its flavors. It judges what the catalog describes and what
//! ZenML itself calls `default`; of other names it says that it does not know them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::component::{Component, ComponentType};
use super::flavor::{self, Flavor, Flavors, Refuses, Validator};
use super::stack::Stack;
use super::store::ArtifactStore;
use crate::base::visible::visible;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// To be known.
    Note,
    /// May fail, for a reason that ZenML does not look at or the catalog does not hold.
    Doubt,
    /// ZenML refuses to run the stack, or to register the component.
    Refused,
}

/// One thing that is missing, clashes, or is to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Stable, kebab-case. Scripts read it.
    pub id: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// The type under which it is mended: the one that is missing, or whose component clashes.
    pub at: ComponentType,
    /// A sentence; showable.
    pub message: String,
    /// What to do.
    pub next: Option<String>,
    /// The file of ZenML that demands it.
    pub source: Option<String>,
}

/// What the catalog describes.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// Its components.
    pub components: &'a [Component],
    /// Its artifact stores, all of flavor `s3`.
    pub stores: &'a [ArtifactStore],
    /// The flavors to judge by.
    pub flavors: &'a Flavors,
}

/// A component of the stack, as far as it is known.
struct Part<'a> {
    kind: ComponentType,
    name: &'a str,
    flavor: Option<&'a Flavor>,
    settings: Cow<'a, Map<String, Value>>,
    /// Of a flavor of somebody's own.
    is_custom: bool,
    /// The word for the flavor, where the ZenML that was asked does not have it.
    is_absent: Option<&'a str>,
    /// A store of the catalog: its bucket is one of OSS.
    is_oss: bool,
}

impl<'a> Part<'a> {
    fn of(kind: ComponentType, name: &'a str, described: Described<'a>) -> Self {
        let empty = || Cow::Owned(Map::new());
        let found =
            described.components.iter().find(|it| it.kind == kind && it.name.as_str() == name);
        let (flavor, settings) = match found {
            Some(component) => {
                (component.known_flavor(described.flavors), Cow::Borrowed(&component.configuration))
            }
            None if name == "default" => (flavor::default_of(kind), empty()),
            None => (None, empty()),
        };
        let is_oss = kind == ComponentType::ArtifactStore
            && described.stores.iter().any(|store| store.name.as_str() == name);
        let flavor = if is_oss { flavor::find(kind, "s3") } else { flavor };
        Self {
            kind,
            name,
            flavor,
            settings,
            is_custom: found.is_some() && flavor.is_none(),
            is_absent: found
                .map(|component| component.flavor.as_str())
                .filter(|flavor| described.flavors.lacks(kind, flavor)),
            is_oss,
        }
    }

    /// `orchestrator gpu (kubernetes)`.
    fn words(&self) -> String {
        let flavor = self.flavor.map(|flavor| format!(" ({})", flavor.name)).unwrap_or_default();
        format!("{} {}{flavor}", self.kind.label(), visible(self.name))
    }

    fn is(&self, question: impl Fn(&Flavor, &Map<String, Value>) -> bool) -> bool {
        self.flavor.is_some_and(|flavor| question(flavor, &self.settings))
    }
}

/// What the stack of these names needs, lacks and does not stand, what matters most first.
pub fn judge<'a>(
    chosen: impl IntoIterator<Item = (ComponentType, &'a str)>,
    described: Described<'a>,
) -> Vec<Requirement> {
    let parts = chosen.into_iter().map(|(kind, name)| Part::of(kind, name, described));
    let mut case = Case { parts: parts.collect(), found: Vec::new() };
    case.flavors();
    case.settings();
    case.missing();
    case.clashes();
    case.stores();
    case.groups();
    case.beside();
    case.notes();
    case.found.sort_by_key(|it| std::cmp::Reverse(it.weight));
    case.found
}

/// The same of a stack of the catalog.
pub fn of_stack<'a>(stack: &'a Stack, described: Described<'a>) -> Vec<Requirement> {
    let names = stack.components.iter();
    judge(names.flat_map(|(kind, all)| all.iter().map(|name| (*kind, name.as_str()))), described)
}

/// The integrations that the stack's components need, each once.
pub fn integrations(stack: &Stack, described: Described<'_>) -> Vec<String> {
    let names = stack.components.iter();
    let names = names.flat_map(|(kind, all)| all.iter().map(|name| (*kind, name.as_str())));
    let mut found: Vec<String> = names
        .filter_map(|(kind, name)| Part::of(kind, name, described).flavor)
        .map(|flavor| flavor.integration.clone())
        .filter(|integration| !matches!(integration.as_str(), "built-in" | "custom"))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

struct Case<'a> {
    parts: Vec<Part<'a>>,
    found: Vec<Requirement>,
}

impl Case<'_> {
    fn store(&self) -> Option<&Part<'_>> {
        self.parts.iter().find(|part| part.kind == ComponentType::ArtifactStore)
    }

    /// Flavors that the ZenML that was asked does not have.
    fn flavors(&mut self) {
        for part in &self.parts {
            let Some(flavor) = part.is_absent else { continue };
            self.found.push(Requirement {
                id: "flavor-absent",
                weight: Weight::Refused,
                at: part.kind,
                message: format!(
                    "The ZenML that was asked has no flavor {} for the {}.",
                    visible(flavor),
                    part.words()
                ),
                next: Some(format!(
                    "Choose another flavor, a newer ZenML, or register it there: zenml {} flavor \
                     register SOURCE",
                    part.kind.as_str().replace('_', "-")
                )),
                source: None,
            });
        }
    }

    /// What is wrong with a component by itself.
    fn settings(&mut self) {
        for part in self.parts.iter().filter(|part| !part.is_oss && part.name != "default") {
            let Some(flavor) = part.flavor else { continue };
            for problem in flavor.schema.problems(&part.settings) {
                // another ZenML than the table's may see it otherwise
                let by = if flavor.is_told() {
                    String::new()
                } else {
                    format!(", by ZenML {}", flavor::zenml())
                };
                let is_refused = problem.is_refused && flavor.is_told();
                self.found.push(Requirement {
                    id: "component-settings",
                    weight: if is_refused { Weight::Refused } else { Weight::Doubt },
                    at: part.kind,
                    message: format!(
                        "The setting {} of the {}{by}: {}.",
                        visible(&problem.setting),
                        part.words(),
                        problem.message
                    ),
                    next: Some(update(part, &problem.setting)),
                    source: Some(flavor.config.clone()).filter(|file| !file.is_empty()),
                });
            }
        }
    }

    fn missing(&mut self) {
        let mut builds = Vec::new();
        for part in &self.parts {
            let validator = part.flavor.and_then(|flavor| flavor.validator(&part.settings));
            let Some(validator) = validator else { continue };
            let lacks = |need: &ComponentType| self.parts.iter().all(|part| part.kind != *need);
            for need in validator.needs.iter().copied().filter(lacks) {
                if need == ComponentType::ImageBuilder {
                    builds.push((part.words(), validator.source.as_str()));
                    continue;
                }
                self.found.push(Requirement {
                    id: "component-missing",
                    weight: Weight::Refused,
                    at: need,
                    message: format!("The {} needs {}.", part.words(), need.one()),
                    next: Some(format!(
                        "Add {} to the stack; osstack component register {} describes one",
                        need.one(),
                        need.as_str()
                    )),
                    source: Some(validator.source.clone()),
                });
            }
        }
        // Stack.validate_image_builder puts a local one in before it asks the validators
        if let Some((_, source)) = builds.first() {
            let words: Vec<&str> = builds.iter().map(|(words, _)| words.as_str()).collect();
            self.found.push(Requirement {
                id: "image-builder",
                weight: Weight::Note,
                at: ComponentType::ImageBuilder,
                message: format!(
                    "The {} needs an image builder: without one ZenML builds images with the Docker \
                     of the machine that starts the run.",
                    words.join(" and the ")
                ),
                next: None,
                source: Some((*source).to_owned()),
            });
        }
    }

    fn clashes(&mut self) {
        for part in &self.parts {
            let Some(flavor) = part.flavor else { continue };
            let Some(validator) = flavor.validator(&part.settings) else { continue };
            if flavor.stands_all(&part.settings) {
                continue;
            }
            let through_store = flavor.is_on(&part.settings, "store_context_in_artifact_store");
            for other in &self.parts {
                let is_local = other.is(Flavor::is_local);
                let is_store = other.kind == ComponentType::ArtifactStore;
                let clash = validator.refuses.iter().any(|refuses| match refuses {
                    Refuses::LocalStore => is_store && is_local,
                    Refuses::LocalContext => is_store && is_local && through_store,
                    Refuses::LocalRegistry => {
                        other.kind == ComponentType::ContainerRegistry && is_local
                    }
                    Refuses::LocalComponent => is_local,
                    Refuses::LocalPath => other.is(Flavor::has_local_path),
                });
                if clash {
                    self.found.push(Requirement {
                        id: "component-local",
                        weight: Weight::Refused,
                        at: other.kind,
                        message: format!(
                            "The {} runs elsewhere, and the {} is on this machine alone.",
                            part.words(),
                            other.words()
                        ),
                        next: Some(format!(
                            "Choose {} that is reached from there",
                            other.kind.one()
                        )),
                        source: Some(validator.source.clone()),
                    });
                }
            }
        }
    }

    fn stores(&mut self) {
        let Some(store) = self.store() else { return };
        let mut found = Vec::new();
        for part in &self.parts {
            let Some(flavor) = part.flavor else { continue };
            let Some(validator) = flavor.validator(&part.settings) else { continue };
            if let Some((wanted, instead)) = flavor.wants_store(&part.settings)
                && store.flavor.is_some_and(|it| it.name != wanted)
            {
                let or = instead.map(|setting| format!(", or the setting {setting}"));
                let or = or.unwrap_or_default();
                found.push(Requirement {
                    id: "store-flavor",
                    weight: Weight::Refused,
                    at: part.kind,
                    message: format!(
                        "The {} needs an artifact store of the flavor {wanted}{or}: {} is none.",
                        part.words(),
                        visible(store.name)
                    ),
                    next: Some(match instead {
                        Some(setting) => update(part, setting),
                        None => format!("Choose {} of another flavor", part.kind.one()),
                    }),
                    source: Some(validator.source.clone()),
                });
            } else if validator.reads_aws && store.is_oss {
                found.push(Requirement {
                    id: "store-of-aws",
                    weight: Weight::Doubt,
                    at: part.kind,
                    message: format!(
                        "The {} lets a service of AWS fetch the build context by the bucket's name, \
                         and AWS has no bucket of OSS.",
                        part.words()
                    ),
                    next: Some("Choose an image builder of another flavor: local, kaniko".to_owned()),
                    source: Some(validator.source.clone()),
                });
            }
        }
        self.found.extend(found);
    }

    fn groups(&mut self) {
        for part in &self.parts {
            let Some(flavor) = part.flavor else { continue };
            let Some(groups) = flavor.lacks(&part.settings) else { continue };
            let Some(validator) = flavor.validator(&part.settings) else { continue };
            let words: Vec<String> = groups.iter().map(|group| group.join(" and ")).collect();
            let (weight, or) = if validator.or_connector {
                let or = ", unless a service connector of Kubernetes is linked to it";
                (Weight::Doubt, or)
            } else {
                (Weight::Refused, "")
            };
            let first = groups.first().and_then(|group| group.first());
            self.found.push(Requirement {
                id: "component-settings",
                weight,
                at: part.kind,
                message: format!(
                    "The {} needs the setting {}{or}.",
                    part.words(),
                    words.join(", or ")
                ),
                next: first.map(|setting| update(part, setting)),
                source: Some(validator.source.clone()),
            });
        }
    }

    fn beside(&mut self) {
        for part in &self.parts {
            let validator = part.flavor.and_then(|flavor| flavor.validator(&part.settings));
            for (kind, wanted) in validator.into_iter().flat_map(Validator::beside) {
                let others = self.parts.iter().filter(|other| other.kind == kind);
                for other in others {
                    if other.flavor.is_none_or(|flavor| flavor.name == wanted) {
                        continue;
                    }
                    self.found.push(Requirement {
                        id: "component-flavor",
                        weight: Weight::Refused,
                        at: kind,
                        message: format!(
                            "The {} needs {} of the flavor {wanted}: the {} is none.",
                            part.words(),
                            kind.one(),
                            other.words()
                        ),
                        next: Some(format!("Choose {} of the flavor {wanted}", kind.one())),
                        source: validator.map(|it| it.source.clone()),
                    });
                }
            }
        }
    }

    fn notes(&mut self) {
        // Stack.requires_remote_server asks these two types alone
        let asks = [ComponentType::Orchestrator, ComponentType::StepOperator];
        let remote =
            self.parts.iter().find(|it| asks.contains(&it.kind) && it.is(Flavor::is_remote));
        if let Some(part) = remote {
            self.found.push(Requirement {
                id: "server",
                weight: Weight::Note,
                at: part.kind,
                message: format!(
                    "The {} runs elsewhere and asks ZenML from there: ZenML must be a server, not the \
                     database of this machine.",
                    part.words()
                ),
                next: None,
                source: Some("zenml/stack/stack.py".to_owned()),
            });
        }
        for part in self.parts.iter().filter(|part| part.flavor.is_none()) {
            let message = if part.is_custom {
                format!("The {} is of a flavor that nothing is known of.", part.words())
            } else {
                format!(
                    "The {} is not described here: it means what ZenML has of that name.",
                    part.words()
                )
            };
            self.found.push(Requirement {
                id: "not-judged",
                weight: Weight::Note,
                at: part.kind,
                message,
                next: None,
                source: None,
            });
        }
    }
}

fn update(part: &Part<'_>, setting: &str) -> String {
    let (kind, name, setting) = (part.kind.as_str(), visible(part.name), visible(setting));
    format!("osstack component update {kind} {name} --set {setting}=VALUE")
}

#[cfg(test)]
mod tests;
