//! A change as the REST call and the `zenml` command that make it.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};

use super::{Action, Change, MADE_BY};
use crate::model::name::Name;
use crate::zenml::plan::Step;
use crate::zenml::script::CommandLine;

/// A REST call as it is shown: without values of secrets, ids of what is not there yet as names.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `POST`.
    pub method: &'static str,
    /// `/api/v1/components`.
    pub path: String,
    /// What is sent; nothing for a deletion.
    pub body: Option<Value>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(f, " {body}"))
    }
}

impl Change {
    /// The REST call; nothing where nothing happens.
    pub fn call(&self) -> Option<Call> {
        let place = match &self.step {
            Step::Secret { .. } => "secrets",
            Step::Component { .. } => "components",
            Step::Stack { .. } => "stacks",
        };
        let at = |id: &str| format!("/api/v1/{place}/{id}");
        Some(match &self.action {
            Action::Keep { .. } => return None,
            Action::Create => {
                let (method, path) = ("POST", format!("/api/v1/{place}"));
                Call { method, path, body: Some(self.body(true)) }
            }
            Action::Update { id } => {
                let query = if place == "secrets" { "?patch_values=true" } else { "" };
                let path = format!("{}{query}", at(id));
                Call { method: "PUT", path, body: Some(self.body(false)) }
            }
            Action::Delete { id } => Call { method: "DELETE", path: at(id), body: None },
        })
    }

    fn body(&self, is_new: bool) -> Value {
        let mut body = Map::new();
        let name = self.step.name().as_str();
        if is_new || self.former_name.is_some() {
            body.insert("name".into(), json!(name));
        }
        match &self.step {
            Step::Secret { keys, .. } => {
                if is_new {
                    body.insert("private".into(), json!(false));
                }
                let hidden = keys.iter().map(|key| ((*key).to_owned(), json!("…")));
                let gone = self.fields.iter().filter(|field| field.to.is_none());
                let gone = gone.map(|field| (field.name.clone(), Value::Null));
                body.insert("values".into(), Value::Object(hidden.chain(gone).collect()));
            }
            Step::Component { kind, flavor, configuration, .. } => {
                if is_new {
                    body.insert("type".into(), json!(kind.as_str()));
                    body.insert("flavor".into(), json!(flavor));
                }
                body.insert("configuration".into(), Value::Object(configuration.clone()));
            }
            Step::Stack { components, .. } => {
                let names = components.iter().map(|(kind, names)| {
                    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                    (kind.to_string(), json!(names))
                });
                body.insert("components".into(), Value::Object(names.collect()));
            }
        }
        if !matches!(self.step, Step::Secret { .. }) {
            body.insert("labels".into(), json!({ MADE_BY.0: MADE_BY.1 }));
        }
        Value::Object(body)
    }

    /// The equal commands of `zenml`; none where nothing happens.
    pub fn commands(&self) -> Vec<CommandLine> {
        let noun = match &self.step {
            Step::Secret { .. } => "secret".to_owned(),
            Step::Component { kind, .. } => kind.as_str().replace('_', "-"),
            Step::Stack { .. } => "stack".to_owned(),
        };
        let name = self.step.name();
        let mut commands = Vec::new();
        if let (Some(former), Action::Update { .. }) = (&self.former_name, &self.action) {
            let former = crate::base::shell::quote(former);
            commands.push(CommandLine::new(format!("zenml {noun} rename {former} {name}")));
        }
        match &self.action {
            Action::Keep { .. } => {}
            Action::Create => commands.push(crate::zenml::script::command(&self.step)),
            Action::Delete { .. } => {
                let yes = if matches!(self.step, Step::Component { .. }) { "" } else { " -y" };
                commands.push(CommandLine::new(format!("zenml {noun} delete {name}{yes}")));
            }
            Action::Update { .. } => commands.extend(self.update(&noun)),
        }
        commands
    }

    fn update(&self, noun: &str) -> Vec<CommandLine> {
        let name = self.step.name();
        let real = self.fields.iter().filter(|field| field.name != "name");
        if real.clone().next().is_none() {
            return Vec::new();
        }
        match &self.step {
            Step::Secret { .. } => {
                let head = format!("zenml secret update {name} --values=@/dev/fd/3");
                let gone = self.fields.iter().filter(|field| field.to.is_none());
                let head =
                    gone.fold(head, |head, field| format!("{head} --remove-keys={}", field.name));
                vec![CommandLine::new(head)]
            }
            Step::Component { configuration, .. } => {
                let gone = real.filter(|field| field.to.is_none() && !field.name.contains('.'));
                let gone: Vec<String> =
                    gone.map(|field| crate::base::shell::quote(&field.name)).collect();
                let mut commands = vec![
                    CommandLine::new(format!("zenml {noun} update {name}"))
                        .with_settings(configuration),
                ];
                if !gone.is_empty() {
                    let gone = gone.join(" ");
                    let head = format!("zenml {noun} remove-attribute {name} {gone}");
                    commands.push(CommandLine::new(head));
                }
                commands
            }
            Step::Stack { components, .. } => {
                let mut head = format!("zenml stack update {name}");
                for (kind, names) in components {
                    for name in names {
                        let _infallible = write!(head, " {} {name}", kind.option());
                    }
                }
                vec![CommandLine::new(head)]
            }
        }
    }
}
