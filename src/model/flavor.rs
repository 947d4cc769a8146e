//! The built-in table of ZenML's flavors: what each is told, where it runs, and what it demands of
//! the stack around it.
//!
//! The data is `assets/flavors.toml`, collected from ZenML's own wheel; its head says how. What a
//! server says of a flavor is read into the same [`Schema`].

mod json_schema;
mod known;
mod schema;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

pub use self::known::Flavors;
pub use self::schema::{Field, Kind, Schema, SettingError, is_reference};
use super::component::ComponentType;

/// One flavor of a type of component.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flavor {
    /// The type it is a flavor of.
    #[serde(rename = "type", deserialize_with = "component_type")]
    pub kind: ComponentType,
    /// ZenML's word: `kubernetes`, `spark-kubernetes`.
    pub name: String,
    /// As ZenML shows it: `Vertex AI`.
    pub title: String,
    /// What `zenml integration install` takes; `built-in` where nothing is to be installed.
    pub integration: String,
    /// The file of its settings in ZenML's wheel; empty where a server told of it.
    pub config: String,
    #[serde(default)]
    local: Vec<Condition>,
    #[serde(default)]
    local_path: Vec<Condition>,
    #[serde(default)]
    remote: bool,
    #[serde(default)]
    remote_unless: Vec<Condition>,
    /// Whether pipelines can be scheduled on it.
    #[serde(default)]
    pub schedules: bool,
    /// What it demands of its stack, where it demands anything.
    pub validator: Option<Validator>,
    /// Its settings.
    #[serde(rename = "fields")]
    pub schema: Schema,
}

/// What ZenML checks of a stack before a run, for the sake of one component.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// The file in ZenML's wheel.
    pub source: String,
    /// Types of which the stack must hold a component.
    #[serde(default, deserialize_with = "component_types")]
    pub needs: Vec<ComponentType>,
    /// What the stack must not hold.
    #[serde(default)]
    pub refuses: Vec<Refuses>,
    #[serde(default)]
    refuses_unless: Vec<Condition>,
    #[serde(default)]
    unless: Vec<Condition>,
    /// Groups of settings, of which one must be given whole.
    #[serde(default)]
    pub one_of: Vec<Vec<String>>,
    /// Whether a service connector does instead of [`Self::one_of`].
    #[serde(default)]
    pub or_connector: bool,
    /// The flavor that the artifact store must have.
    pub store: Option<String>,
    #[serde(default)]
    store_unless: Vec<Condition>,
    /// Flavors that components of other types must have.
    #[serde(default)]
    beside: BTreeMap<String, String>,
    /// Whether a service of AWS fetches what ZenML wrote into the artifact store, by the bucket's
    /// name.
    #[serde(default)]
    pub reads_aws: bool,
}

/// What a flavor does not stand in its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refuses {
    /// An artifact store on this machine.
    LocalStore,
    /// A container registry on this machine.
    LocalRegistry,
    /// Any component that relies on this machine.
    LocalComponent,
    /// Any component that keeps files on this machine.
    LocalPath,
    /// An artifact store on this machine, where the build context goes through it.
    LocalContext,
}

/// Something that holds of a component by its settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    #[serde(default)]
    setting: String,
    is: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Is {
    Always,
    True,
    Set,
    Unset,
    LocalPort,
    Loopback,
    NotRemote,
    File,
    LocalCluster,
}

/// What the name of a Kubernetes context on this machine holds (`KubernetesDeployerConfig`).
const LOCAL_CLUSTERS: [&str; 6] =
    ["k3d-", "kind-", "minikube", "docker-desktop", "colima", "rancher-desktop"];

impl Condition {
    fn holds(&self, flavor: &Flavor, settings: &Map<String, Value>) -> bool {
        let value = flavor.setting(settings, &self.setting);
        let text = value.and_then(Value::as_str).unwrap_or_default();
        let is_set = value.is_some_and(is_given);
        match self.is {
            Is::Always => true,
            Is::True => value.is_some_and(is_true),
            Is::Set => is_set,
            Is::Unset => !is_set,
            Is::LocalPort => text
                .trim_end_matches('/')
                .strip_prefix("localhost:")
                .is_some_and(|port| (4..=5).contains(&port.len()) && is_number(port)),
            Is::Loopback => matches!(text, "localhost" | "127.0.0.1"),
            Is::NotRemote => {
                let remote = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
                !remote && text != "databricks"
            }
            Is::File => text.starts_with("file:"),
            Is::LocalCluster => {
                let context = text.to_lowercase();
                LOCAL_CLUSTERS.iter().any(|part| context.contains(part))
            }
        }
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => text.trim().eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// What Python takes for true.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

impl Flavor {
    /// One that a server tells of. Where it runs and what it demands of its stack no server says:
    /// that is the table's, where the table has it.
    pub fn of_server(
        kind: ComponentType,
        name: &str,
        title: &str,
        integration: &str,
        schema: Schema,
    ) -> Self {
        let table = find(kind, name).cloned().unwrap_or_else(|| Self {
            kind,
            name: name.to_owned(),
            title: String::new(),
            integration: String::new(),
            config: String::new(),
            local: Vec::new(),
            local_path: Vec::new(),
            remote: false,
            remote_unless: Vec::new(),
            schedules: false,
            validator: None,
            schema: Schema::default(),
        });
        Self {
            title: title.to_owned(),
            integration: integration.to_owned(),
            config: String::new(),
            schema,
            ..table
        }
    }

    /// Whether a server told of it; else it is of the table.
    pub fn is_told(&self) -> bool {
        self.config.is_empty()
    }

    /// Whether it relies on the machine that starts the run (`is_local`).
    pub fn is_local(&self, settings: &Map<String, Value>) -> bool {
        self.any(&self.local, settings)
    }

    /// Whether it keeps files on that machine which runs need (`local_path`).
    pub fn has_local_path(&self, settings: &Map<String, Value>) -> bool {
        self.any(&self.local_path, settings)
    }

    /// Whether it runs elsewhere and asks ZenML from there (`is_remote`).
    pub fn is_remote(&self, settings: &Map<String, Value>) -> bool {
        self.remote && !self.any(&self.remote_unless, settings)
    }

    /// The validator, where these settings leave it in force.
    pub(super) fn validator(&self, settings: &Map<String, Value>) -> Option<&Validator> {
        self.validator.as_ref().filter(|validator| !self.any(&validator.unless, settings))
    }

    /// Whether it stands everything, for all that its validator refuses.
    pub(super) fn stands_all(&self, settings: &Map<String, Value>) -> bool {
        self.validator.as_ref().is_none_or(|it| self.any(&it.refuses_unless, settings))
    }

    /// The flavor that the artifact store must have, and the setting that does instead.
    pub(super) fn wants_store(
        &self,
        settings: &Map<String, Value>,
    ) -> Option<(&str, Option<&str>)> {
        let validator = self.validator(settings)?;
        let flavor = validator.store.as_deref()?;
        let instead = validator.store_unless.first().map(|condition| condition.setting.as_str());
        (!self.any(&validator.store_unless, settings)).then_some((flavor, instead))
    }

    /// The groups of settings of which one is missing; nothing where one is there.
    pub(super) fn lacks(&self, settings: &Map<String, Value>) -> Option<&[Vec<String>]> {
        let groups = self.validator(settings)?.one_of.as_slice();
        let given = |name: &String| self.setting(settings, name).is_some_and(is_given);
        let one = groups.iter().any(|group| group.iter().all(given));
        (!one && !groups.is_empty()).then_some(groups)
    }

    /// Whether the setting is given and true.
    pub(super) fn is_on(&self, settings: &Map<String, Value>, setting: &str) -> bool {
        self.setting(settings, setting).is_some_and(is_true)
    }

    fn any(&self, conditions: &[Condition], settings: &Map<String, Value>) -> bool {
        conditions.iter().any(|condition| condition.holds(self, settings))
    }

    /// The setting, or what it is where it is not given.
    fn setting<'a>(&'a self, settings: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
        settings.get(name).or_else(|| self.schema.field(name)?.default.as_ref())
    }
}

impl Validator {
    /// Flavors that components of other types must have.
    pub fn beside(&self) -> impl Iterator<Item = (ComponentType, &str)> {
        self.beside
            .iter()
            .filter_map(|(kind, flavor)| Some((ComponentType::parse(kind)?, flavor.as_str())))
    }
}

/// Every flavor, mandatory types first.
pub fn all() -> &'static [Flavor] {
    &TABLE.flavor
}

/// The version of ZenML that the table was collected from.
pub fn zenml() -> &'static str {
    &TABLE.zenml
}

/// The flavors of a type.
pub fn of(kind: ComponentType) -> impl Iterator<Item = &'static Flavor> {
    all().iter().filter(move |flavor| flavor.kind == kind)
}

/// The flavor `name` of a type.
pub fn find(kind: ComponentType, name: &str) -> Option<&'static Flavor> {
    of(kind).find(|flavor| flavor.name == name)
}

/// What ZenML itself has of the name `default`: it makes these at its first start
/// (`zen_stores/base_zen_store.py`), and nobody can change them.
pub fn default_of(kind: ComponentType) -> Option<&'static Flavor> {
    use ComponentType::{ArtifactStore, Deployer, Orchestrator};
    matches!(kind, ArtifactStore | Orchestrator | Deployer).then(|| find(kind, "local")).flatten()
}

#[derive(Deserialize)]
struct Table {
    zenml: String,
    flavor: Vec<Flavor>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "built in; a test parses it")]
    let table = toml::from_str(include_str!("../../assets/flavors.toml")).expect("flavors.toml");
    table
});

fn component_type<'de, D: Deserializer<'de>>(from: D) -> Result<ComponentType, D::Error> {
    typed(&String::deserialize(from)?)
}

fn component_types<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ComponentType>, D::Error> {
    Vec::<String>::deserialize(from)?.iter().map(|word| typed(word)).collect()
}

fn typed<E: serde::de::Error>(word: &str) -> Result<ComponentType, E> {
    ComponentType::parse(word).ok_or_else(|| E::custom(format!("{word} is no component type")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn flavor(kind: ComponentType, name: &str) -> &'static Flavor {
        find(kind, name).unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    #[test]
    fn the_table_is_whole() {
        // as many as a server of the same version answers (GET /flavors: total 82)
        assert_eq!((all().len(), zenml()), (82, "0.98.0"));
        for kind in ComponentType::ALL {
            assert!(of(kind).next().is_some(), "{kind} has no flavor");
        }
        for flavor in all() {
            let twins = of(flavor.kind).filter(|other| other.name == flavor.name).count();
            assert_eq!(twins, 1, "{} {}", flavor.kind, flavor.name);
            let validator = flavor.validator.as_ref();
            let given = validator.iter().flat_map(|it| it.one_of.iter().flatten());
            let conditions = [&flavor.local, &flavor.local_path, &flavor.remote_unless];
            let more = validator.iter().flat_map(|it| {
                [&it.unless, &it.refuses_unless, &it.store_unless].into_iter().flatten()
            });
            let named = conditions.into_iter().flatten().chain(more).map(|it| &it.setting);
            for setting in given.chain(named).filter(|setting| !setting.is_empty()) {
                let there = flavor.schema.field(setting).is_some();
                assert!(there, "{} {} has no {setting}", flavor.kind, flavor.name);
            }
            let stores = validator.and_then(|it| it.store.as_deref());
            assert!(stores.is_none_or(|name| find(ComponentType::ArtifactStore, name).is_some()));
            let beside = validator.into_iter().flat_map(Validator::beside);
            assert!(beside.into_iter().all(|(kind, name)| find(kind, name).is_some()));
        }
    }

    #[test]
    fn where_it_runs_depends_on_its_settings() {
        use ComponentType::{ContainerRegistry, Deployer, ExperimentTracker, Orchestrator};
        let kubernetes = flavor(Orchestrator, "kubernetes");
        assert!(kubernetes.is_remote(&Map::new()) && !kubernetes.is_local(&Map::new()));
        let local = map(json!({ "local": true }));
        assert!(kubernetes.is_local(&local) && !kubernetes.is_remote(&local));
        let airflow = flavor(Orchestrator, "airflow");
        assert!(airflow.is_local(&Map::new()), "by its default");
        assert!(airflow.validator(&Map::new()).is_none());
        assert!(airflow.validator(&map(json!({ "local": false }))).is_some());
        let registry = flavor(ContainerRegistry, "default");
        for (uri, is_local) in [
            ("localhost:5000", true),
            ("localhost:5000/", true),
            ("localhost:500", false),
            ("localhost:5000/x", false),
            ("registry.cn-hangzhou.aliyuncs.com/zenml", false),
        ] {
            assert_eq!(registry.is_local(&map(json!({ "uri": uri }))), is_local, "{uri}");
        }
        let deployer = flavor(Deployer, "kubernetes");
        assert!(deployer.is_local(&map(json!({ "kubernetes_context": "Kind-x" }))));
        let mlflow = flavor(ExperimentTracker, "mlflow");
        for (uri, is_local, keeps) in [
            ("", true, true),
            ("file:///x", true, true),
            ("/x", true, false),
            ("https://mlflow.example.com", false, false),
            ("databricks", false, false),
        ] {
            let settings = map(json!({ "tracking_uri": uri }));
            let is = (mlflow.is_local(&settings), mlflow.has_local_path(&settings));
            assert_eq!(is, (is_local, keeps), "{uri}");
        }
    }
}
