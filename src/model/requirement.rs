//! What a stack needs beyond an artifact store and an orchestrator.
//!
//! ZenML says it when a run starts, from the validators of the stack's components
//! (`Stack.validate`); [`judge`] says it before, from the table of [flavors](super::flavor). It
//! judges what the catalog describes and what ZenML itself calls `default`; of other names it says
//! that it does not know them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::component::{Component, ComponentType};
use super::flavor::{self, Flavor, Refuses, Validator};
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
    pub source: Option<&'static str>,
}

/// What the catalog describes.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a> {
    /// Its components.
    pub components: &'a [Component],
    /// Its artifact stores, all of flavor `s3`.
    pub stores: &'a [ArtifactStore],
}

/// A component of the stack, as far as it is known.
struct Part<'a> {
    kind: ComponentType,
    name: &'a str,
    flavor: Option<&'static Flavor>,
    settings: Cow<'a, Map<String, Value>>,
    /// Of a flavor of somebody's own.
    is_custom: bool,
    /// A store of the catalog: its bucket is one of OSS.
    is_oss: bool,
}

impl<'a> Part<'a> {
    fn of(kind: ComponentType, name: &'a str, described: Described<'a>) -> Self {
        let empty = || Cow::Owned(Map::new());
        let found =
            described.components.iter().find(|it| it.kind == kind && it.name.as_str() == name);
        let (flavor, settings) = match found {
            Some(component) => (component.known_flavor(), Cow::Borrowed(&component.configuration)),
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
pub fn integrations(stack: &Stack, described: Described<'_>) -> Vec<&'static str> {
    let names = stack.components.iter();
    let names = names.flat_map(|(kind, all)| all.iter().map(|name| (*kind, name.as_str())));
    let mut found: Vec<&str> = names
        .filter_map(|(kind, name)| Part::of(kind, name, described).flavor)
        .map(|flavor| flavor.integration.as_str())
        .filter(|integration| *integration != "built-in")
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

    /// What is wrong with a component by itself.
    fn settings(&mut self) {
        for part in self.parts.iter().filter(|part| !part.is_oss && part.name != "default") {
            let Some(flavor) = part.flavor else { continue };
            for problem in flavor.schema.problems(&part.settings) {
                self.found.push(Requirement {
                    id: "component-settings",
                    weight: if problem.is_refused { Weight::Refused } else { Weight::Doubt },
                    at: part.kind,
                    message: format!(
                        "The setting {} of the {}: {}.",
                        visible(&problem.setting),
                        part.words(),
                        problem.message
                    ),
                    next: Some(update(part, &problem.setting)),
                    source: Some(&flavor.config),
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
                    source: Some(&validator.source),
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
                source: Some(source),
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
                        source: Some(&validator.source),
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
                    source: Some(&validator.source),
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
                    source: Some(&validator.source),
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
                source: Some(&validator.source),
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
                        source: validator.map(|it| it.source.as_str()),
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
                source: Some("zenml/stack/stack.py"),
            });
        }
        for part in self.parts.iter().filter(|part| part.flavor.is_none()) {
            let message = if part.is_custom {
                format!("The {} is of a flavor that the table does not know.", part.words())
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
mod tests {
    use super::*;
    use crate::model::name::Name;
    use crate::model::store::StoreDraft;
    use ComponentType::{
        ArtifactStore as Store, ContainerRegistry, Deployer, ExperimentTracker, ImageBuilder,
        ModelRegistry, Orchestrator, StepOperator,
    };
    use serde_json::json;

    fn component(kind: ComponentType, flavor: &str, settings: &Value) -> Component {
        Component {
            name: Name::parse("it").unwrap(),
            kind,
            flavor: flavor.into(),
            configuration: settings.as_object().unwrap().clone(),
        }
    }

    fn oss() -> ArtifactStore {
        let draft = StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            ..StoreDraft::default()
        };
        draft.validate().unwrap()
    }

    /// Ids of what is said of a store and these components, with the type under which.
    fn said(store: &str, components: &[Component], more: &[(ComponentType, &str)]) -> Vec<String> {
        let stores = [oss()];
        let described = Described { components, stores: &stores };
        let own = components.iter().map(|it| (it.kind, it.name.as_str()));
        let chosen = [(Store, store)].into_iter().chain(own).chain(more.iter().copied());
        let found = judge(chosen, described);
        found.iter().map(|it| format!("{} {:?} {}", it.id, it.weight, it.at)).collect()
    }

    const CONTEXT: &str = "kubernetes_context";

    #[test]
    fn a_remote_orchestrator_needs_a_registry_and_no_local_store() {
        let context = json!({ CONTEXT: "prod" });
        let gpu = component(Orchestrator, "kubernetes", &context);
        let registry = component(ContainerRegistry, "default", &json!({ "uri": "r.example.com" }));
        let alone = said("alibaba_store", std::slice::from_ref(&gpu), &[]);
        assert_eq!(
            alone,
            [
                "component-missing Refused container_registry",
                "image-builder Note image_builder",
                "server Note orchestrator"
            ]
        );
        let builder = component(ImageBuilder, "local", &json!({}));
        let whole = [gpu.clone(), registry, builder.clone()];
        assert_eq!(said("alibaba_store", &whole, &[]), ["server Note orchestrator"]);
        let local = said("default", &whole, &[]);
        assert_eq!(local[0], "component-local Refused artifact_store");
        let here = component(ContainerRegistry, "default", &json!({ "uri": "localhost:5000" }));
        let whole = [gpu.clone(), here, builder];
        let local = said("alibaba_store", &whole, &[]);
        assert_eq!(local[0], "component-local Refused container_registry");
        // its own way out
        let settings = json!({ CONTEXT: "prod", "skip_local_validations": true });
        let lax = [component(Orchestrator, "kubernetes", &settings), whole[1].clone()];
        assert!(!said("default", &lax, &[]).iter().any(|it| it.starts_with("component-local")));
    }

    #[test]
    fn settings_that_a_run_needs_are_asked_for() {
        let bare = [component(Orchestrator, "kubernetes", &json!({ "incluster": false }))];
        assert!(
            said("alibaba_store", &bare, &[])
                .contains(&"component-settings Doubt orchestrator".into())
        );
        let inside = [component(Orchestrator, "kubernetes", &json!({ "incluster": true }))];
        let found = said("alibaba_store", &inside, &[]);
        assert!(!found.iter().any(|it| it.starts_with("component-settings")), "{found:?}");
        let wrong = [component(ContainerRegistry, "default", &json!({ "url": "x" }))];
        let found = said("alibaba_store", &wrong, &[(Orchestrator, "default")]);
        let twice = "component-settings Refused container_registry";
        assert_eq!(found, [twice, twice], "uri is missing, url is unknown");
    }

    #[test]
    fn stores_of_other_clouds_are_told() {
        let vertex = |settings: &Value| [component(Orchestrator, "vertex", settings)];
        let found = said("alibaba_store", &vertex(&json!({ "location": "x" })), &[]);
        assert!(found.contains(&"store-flavor Refused orchestrator".into()), "{found:?}");
        let rooted = vertex(&json!({ "location": "x", "pipeline_root": "gs://x" }));
        let found = said("alibaba_store", &rooted, &[]);
        assert!(!found.iter().any(|it| it.starts_with("store-flavor")), "{found:?}");
        let build = [component(ImageBuilder, "aws", &json!({ "code_build_project": "x" }))];
        let found = said("alibaba_store", &build, &[(Orchestrator, "default")]);
        assert!(found.contains(&"store-of-aws Doubt image_builder".into()), "{found:?}");
        let tracker = [component(ExperimentTracker, "mlflow", &json!({}))];
        let found = said("alibaba_store", &tracker, &[(Orchestrator, "default")]);
        assert_eq!(found, ["store-flavor Refused experiment_tracker"]);
        assert!(said("default", &tracker, &[(Orchestrator, "default")]).is_empty());
    }

    #[test]
    fn what_stands_beside_is_looked_at_too() {
        let registry = component(ModelRegistry, "mlflow", &json!({}));
        let other = component(ExperimentTracker, "wandb", &json!({ "api_key": "{{w.k}}" }));
        let found = said("alibaba_store", &[registry, other], &[(Orchestrator, "default")]);
        assert_eq!(found, ["component-flavor Refused experiment_tracker"]);
        let sagemaker = [component(Orchestrator, "sagemaker", &json!({ "execution_role": "r" }))];
        let found = said("alibaba_store", &sagemaker, &[(Deployer, "default")]);
        assert!(found.contains(&"component-local Refused deployer".into()), "{found:?}");
    }

    #[test]
    fn what_the_catalog_does_not_describe_is_not_judged() {
        let own = component(StepOperator, "homemade", &json!({ "x": 1 }));
        let found = said("alibaba_store", &[own], &[(Orchestrator, "gpu")]);
        assert_eq!(found, ["not-judged Note step_operator", "not-judged Note orchestrator"]);
        assert!(said("alibaba_store", &[], &[(Orchestrator, "default")]).is_empty());
        assert_eq!(said("elsewhere", &[], &[]), ["not-judged Note artifact_store"]);
    }

    #[test]
    fn integrations_are_named_once() {
        let gpu = component(Orchestrator, "kubernetes", &json!({}));
        let stores = [oss()];
        let described = Described { components: &[gpu], stores: &stores };
        let mut draft = crate::model::stack::StackDraft { name: "s".into(), ..Default::default() };
        draft.components.insert(Store, vec!["alibaba_store".into()]);
        draft.components.insert(Orchestrator, vec!["it".into()]);
        assert_eq!(integrations(&draft.validate().unwrap(), described), ["kubernetes", "s3"]);
    }
}
