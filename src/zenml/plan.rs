//! The steps that bring a stack to ZenML, as data.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::version::Version;
use crate::base::visible::visible;
use crate::model::component::{Component, ComponentType};
use crate::model::endpoint::EndpointError;
use crate::model::name::Name;
use crate::model::secret::KeyNames;
use crate::model::stack::Stack;
use crate::model::store::{ArtifactStore, Signature};

/// A secret as far as a plan needs it: without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretOutline {
    /// Its name.
    pub name: Name,
    /// Which names the values get.
    pub key_names: KeyNames,
    /// Whether it is a temporary key with its token.
    pub has_token: bool,
}

/// What is to be in ZenML.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The store's secret; `None` where ZenML has it and keeps it.
    pub secret: Option<&'a SecretOutline>,
    /// The artifact store.
    pub store: &'a ArtifactStore,
    /// The stack; `None` where only the store is wanted.
    pub stack: Option<&'a Stack>,
    /// All components that the catalog describes; the stack picks its own.
    pub components: &'a [Component],
    /// The server's version, where it is known.
    pub server: Option<Version>,
}

/// What to do, in order, and what to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Each needs those before it.
    pub steps: Vec<Step>,
    /// Advice, whole sentences.
    pub notes: Vec<String>,
}

/// One thing to be made in ZenML.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A secret. Its values come from the keystore at the last moment.
    Secret {
        /// Its name.
        name: Name,
        /// The names its values get: id, secret and, where there is one, token.
        keys: Vec<&'static str>,
    },
    /// The artifact store or another component.
    Component {
        /// Its name.
        name: Name,
        /// Its type.
        kind: ComponentType,
        /// ZenML's flavor.
        flavor: String,
        /// What the flavor is told.
        configuration: Map<String, Value>,
    },
    /// The stack.
    Stack {
        /// Its name.
        name: Name,
        /// Names of components by type.
        components: BTreeMap<ComponentType, Vec<Name>>,
    },
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The endpoint cannot be told.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A setting that no command line can carry.
    #[error(
        "the {kind} {name} has a setting {setting} that ZenML cannot be given: a setting is named \
         like a Python variable and holds no NUL; correct it in stacks.toml"
    )]
    Setting {
        /// Type of the component.
        kind: String,
        /// Its name.
        name: Name,
        /// The setting, showable.
        setting: String,
    },
}

/// What it takes to have `wanted` in a ZenML that has none of it.
pub fn plan(wanted: &Wanted<'_>) -> Result<Plan, PlanError> {
    let key_names = wanted.secret.map(|secret| effective_names(secret, wanted.server));
    let mut steps = Vec::new();
    if let Some((secret, names)) = wanted.secret.zip(key_names) {
        let values = if secret.has_token { 3 } else { 2 };
        let keys = names.names().into_iter().take(values).collect();
        steps.push(Step::Secret { name: secret.name.clone(), keys });
    }
    steps.push(store_step(wanted.store)?);
    if let Some(stack) = wanted.stack {
        let used = |component: &&Component| {
            component.kind != ComponentType::ArtifactStore
                && stack.uses(component.kind, component.name.as_str())
        };
        for component in wanted.components.iter().filter(used) {
            steps.push(component_step(component)?);
        }
        let (name, components) = (stack.name.clone(), stack.components.clone());
        steps.push(Step::Stack { name, components });
    }
    Ok(Plan { steps, notes: notes(wanted, key_names)? })
}

impl Step {
    /// What is made: `secret`, `artifact store`, `stack`, …
    pub fn subject(&self) -> String {
        match self {
            Self::Secret { .. } => "secret".to_owned(),
            Self::Component { kind, .. } => kind.label(),
            Self::Stack { .. } => "stack".to_owned(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        match self {
            Self::Secret { name, .. } | Self::Component { name, .. } | Self::Stack { name, .. } => {
                name
            }
        }
    }

    /// What it is told, name and value; of a secret the names alone.
    pub fn fields(&self) -> Vec<(String, String)> {
        match self {
            Self::Secret { keys, .. } => vec![("values".to_owned(), keys.join(", "))],
            Self::Component { flavor, configuration, .. } => {
                let flavor = ("flavor".to_owned(), flavor.clone());
                let settings =
                    configuration.iter().map(|(name, value)| (name.clone(), text(value)));
                std::iter::once(flavor).chain(settings).collect()
            }
            Self::Stack { components, .. } => components
                .iter()
                .map(|(kind, names)| {
                    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                    (kind.to_string(), names.join(", "))
                })
                .collect(),
        }
    }
}

/// A setting as one types it: text bare, everything else as JSON.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn effective_names(secret: &SecretOutline, server: Option<Version>) -> KeyNames {
    if server.is_some_and(|server| server < Version::PLAIN_KEY_NAMES) {
        return KeyNames::Aws;
    }
    secret.key_names
}

fn store_step(store: &ArtifactStore) -> Result<Step, PlanError> {
    Ok(Step::Component {
        name: store.name.clone(),
        kind: ComponentType::ArtifactStore,
        flavor: "s3".to_owned(),
        configuration: settings(store)?,
    })
}

/// The settings of a store, as ZenML is given them.
pub fn settings(store: &ArtifactStore) -> Result<Map<String, Value>, EndpointError> {
    let mut configuration = Map::new();
    configuration.insert("path".into(), json!(store.path()));
    configuration.insert("authentication_secret".into(), json!(store.secret.as_str()));
    configuration.insert("client_kwargs".into(), store.client_kwargs()?);
    configuration.insert("config_kwargs".into(), store.config_kwargs());
    let additional = &store.extras.s3_additional_kwargs;
    if !additional.is_empty() {
        configuration.insert("s3_additional_kwargs".into(), Value::Object(additional.clone()));
    }
    Ok(configuration)
}

fn component_step(component: &Component) -> Result<Step, PlanError> {
    // ZenML's command line takes identifiers (cli/utils.py), and no argument can hold a NUL
    let fits = |setting: &str, value: &Value| {
        let identifier = |c: char| c.is_alphanumeric() || c == '_';
        let starts = setting.starts_with(|c: char| c.is_alphabetic() || c == '_');
        starts && setting.chars().all(identifier) && !text(value).contains('\0')
    };
    let odd = component.configuration.iter().find(|(setting, value)| !fits(setting, value));
    if let Some((setting, _)) = odd {
        return Err(PlanError::Setting {
            kind: component.kind.label(),
            name: component.name.clone(),
            setting: visible(setting).into_string(),
        });
    }
    Ok(Step::Component {
        name: component.name.clone(),
        kind: component.kind,
        flavor: component.flavor.clone(),
        configuration: component.configuration.clone(),
    })
}

fn notes(wanted: &Wanted<'_>, key_names: Option<KeyNames>) -> Result<Vec<String>, PlanError> {
    let store = wanted.store;
    let mut notes = Vec::new();
    if store.signature == Signature::V4 {
        notes.push(v4_note(store));
    }
    // botocore 1.36 sends x-amz-checksum-crc32 in place of the Content-MD5 that OSS asks for
    notes.push(
        "ZenML deletes artifacts (prune, overwrite, dashboard) with a request that OSS refuses \
         from botocore 1.36 on: where ZenML should delete, install 'boto3<1.36' 's3fs<2025' \
         'aiobotocore<2.18', or delete with osstack rm."
            .to_owned(),
    );
    match (wanted.secret, key_names) {
        (Some(secret), Some(names)) if secret.key_names != names => notes.push(format!(
            "ZenML before {} reads only {}: the secret {} gets those names.",
            Version::PLAIN_KEY_NAMES,
            names.names().iter().take(2).copied().collect::<Vec<_>>().join(" and "),
            secret.name,
        )),
        (Some(secret), Some(KeyNames::Oss)) => notes.push(format!(
            "The secret's key names are read since ZenML {}: where an image or a client is older, \
             set key_names = \"aws\" on the secret {}.",
            Version::PLAIN_KEY_NAMES,
            secret.name,
        )),
        (None, _) => notes.push(format!(
            "The secret {} must be in ZenML already: ZenML itself does not check.",
            store.secret
        )),
        _ => {}
    }
    if store.zenml_endpoint()?.is_internal() {
        notes.push(
            "The endpoint is reached from inside Alibaba's network only: steps that run elsewhere, \
             this machine among them, cannot use the store."
                .to_owned(),
        );
    }
    Ok(notes)
}

fn v4_note(store: &ArtifactStore) -> String {
    let configured = |name: &str| store.extras.config_kwargs.get(name).is_some();
    if configured("request_checksum_calculation") || configured("response_checksum_validation") {
        return "The checksum settings in config_kwargs need botocore 1.36 or newer wherever steps \
                run: older ones raise TypeError on them."
            .to_owned();
    }
    "S3 V4 as planned works with botocore up to 1.35. From 1.36 on OSS refuses every write, unless \
     the store's config_kwargs also say request_checksum_calculation = \"when_required\" and \
     response_checksum_validation = \"when_required\", which older ones do not know: find the \
     version with pip show botocore where steps run."
        .to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::stack::StackDraft;
    use crate::model::store::StoreDraft;

    pub(in crate::zenml) fn store(signature: Signature) -> ArtifactStore {
        let draft = StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            prefix: "zenml".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            signature,
            ..StoreDraft::default()
        };
        draft.validate().unwrap()
    }

    pub(in crate::zenml) fn stack() -> Stack {
        let mut draft = StackDraft { name: "custom_stack".into(), ..StackDraft::default() };
        draft.components.insert(ComponentType::ArtifactStore, vec!["alibaba_store".into()]);
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        draft.validate().unwrap()
    }

    pub(in crate::zenml) fn secret(key_names: KeyNames) -> SecretOutline {
        let name = Name::parse("alibaba_secret").unwrap();
        SecretOutline { name, key_names, has_token: false }
    }

    fn component(name: &str, configuration: &Value) -> Component {
        Component {
            name: Name::parse(name).unwrap(),
            kind: ComponentType::Orchestrator,
            flavor: "kubernetes".into(),
            configuration: configuration.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn a_stack_is_planned_from_the_ground_up() {
        let (store, mut stack, secret) = (store(Signature::V2), stack(), secret(KeyNames::Oss));
        let gpu = component("gpu", &json!({ "kubernetes_context": "prod" }));
        let unused = component("spare", &json!({}));
        stack.components.insert(ComponentType::Orchestrator, vec![gpu.name.clone()]);
        let components = [gpu, unused];
        let wanted = Wanted {
            secret: Some(&secret),
            store: &store,
            stack: Some(&stack),
            components: &components,
            server: None,
        };
        let plan = plan(&wanted).unwrap();
        let rows: Vec<String> =
            plan.steps.iter().map(|step| format!("{} {}", step.subject(), step.name())).collect();
        assert_eq!(
            rows,
            [
                "secret alibaba_secret",
                "artifact store alibaba_store",
                "orchestrator gpu",
                "stack custom_stack"
            ]
        );
        let fields = |index: usize| -> Vec<String> {
            plan.steps[index]
                .fields()
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect()
        };
        assert_eq!(fields(0), ["values=access_key_id, secret_access_key"]);
        assert_eq!(
            fields(1),
            [
                "flavor=s3",
                "path=s3://your-bucket-name/zenml",
                "authentication_secret=alibaba_secret",
                r#"client_kwargs={"endpoint_url":"https://oss-eu-central-1.aliyuncs.com"}"#,
                r#"config_kwargs={"signature_version":"s3","s3":{"addressing_style":"virtual"}}"#,
            ]
        );
        assert_eq!(fields(2), ["flavor=kubernetes", "kubernetes_context=prod"]);
        assert_eq!(fields(3), ["artifact_store=alibaba_store", "orchestrator=gpu"]);
    }

    fn notes_of(signature: Signature, names: KeyNames, server: &str) -> Vec<String> {
        let (store, mut secret) = (store(signature), secret(names));
        secret.has_token = true;
        let wanted = Wanted {
            secret: Some(&secret),
            store: &store,
            stack: None,
            components: &[],
            server: Version::parse(server),
        };
        let plan = plan(&wanted).unwrap();
        let Some(Step::Secret { keys, .. }) = plan.steps.first() else { panic!("no secret") };
        assert_eq!(keys.len(), 3);
        std::iter::once(keys.join(" ")).chain(plan.notes).collect()
    }

    #[test]
    fn an_older_server_gets_the_names_it_reads() {
        let plain = "access_key_id secret_access_key session_token";
        let aws = "aws_access_key_id aws_secret_access_key aws_session_token";
        let notes = notes_of(Signature::V2, KeyNames::Oss, "0.98.0");
        assert_eq!(notes[0], plain);
        assert!(notes[2].contains("since ZenML 0.93.0"), "{notes:?}");
        let notes = notes_of(Signature::V2, KeyNames::Oss, "0.92.0");
        assert_eq!(notes[0], aws);
        assert!(notes[2].contains("before 0.93.0 reads only aws_access_key_id"), "{notes:?}");
        let notes = notes_of(Signature::V2, KeyNames::Aws, "0.98.0");
        assert_eq!((notes[0].as_str(), notes.len()), (aws, 2));
    }

    #[test]
    fn v4_says_which_botocore_it_needs() {
        let notes = notes_of(Signature::V4, KeyNames::Aws, "0.98.0");
        assert!(notes[1].contains("up to 1.35") && notes[1].contains("when_required"), "{notes:?}");
        let mut store = store(Signature::V4);
        let name = "request_checksum_calculation";
        store.extras.config_kwargs.insert(name.into(), json!("when_required"));
        assert!(v4_note(&store).contains("1.36 or newer"));
    }

    #[test]
    fn settings_that_no_command_carries_are_refused() {
        let (store, mut stack) = (store(Signature::V2), stack());
        for configuration in [json!({ "a b": 1 }), json!({ "x": "a\0b" }), json!({ "": 1 })] {
            let odd = component("gpu", &configuration);
            stack.components.insert(ComponentType::Orchestrator, vec![odd.name.clone()]);
            let wanted = Wanted {
                secret: None,
                store: &store,
                stack: Some(&stack),
                components: &[odd],
                server: None,
            };
            assert!(matches!(plan(&wanted), Err(PlanError::Setting { .. })));
        }
    }
}
