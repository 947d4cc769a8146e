//! A change as the REST call and the `zenml` command that make it.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{Action, Change, MADE_BY};
use crate::model::component::ComponentType;
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
                if !is_new && !self.changes_values() {
                    return Value::Object(body);
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

    /// The equal commands of `zenml`; none where nothing happens. Each was run against ZenML 0.98
    /// by hand.
    pub fn commands(&self) -> Vec<CommandLine> {
        let noun = noun(&self.step);
        let name = self.step.name().as_str();
        let mut commands = Vec::new();
        if let (Some(former), Action::Update { .. }) = (&self.former_name, &self.action) {
            let rename = CommandLine::new([&noun, "rename", former]);
            commands.push(match &self.step {
                Step::Secret { .. } => rename.and(["-n", name]),
                Step::Component { .. } | Step::Stack { .. } => rename.and([name]),
            });
        }
        match &self.action {
            Action::Keep { .. } => {}
            Action::Create => commands.push(crate::zenml::script::command(&self.step)),
            Action::Delete { .. } => {
                let there = self.former_name.as_deref().unwrap_or(name);
                let delete = CommandLine::new([&noun, "delete", there]);
                // components go unasked, and know no -y
                let asks = !matches!(self.step, Step::Component { .. });
                commands.push(delete.and(asks.then_some("-y")));
            }
            Action::Update { .. } => commands.extend(self.update(&noun)),
        }
        commands
    }

    fn update(&self, noun: &str) -> Vec<CommandLine> {
        let name = self.step.name().as_str();
        let real = self.fields.iter().filter(|field| field.name != "name");
        if real.clone().next().is_none() {
            return Vec::new();
        }
        let gone = real.clone().filter(|field| field.to.is_none());
        match &self.step {
            Step::Secret { .. } => {
                let update = CommandLine::new(["secret", "update", name, "--values=@/dev/fd/3"]);
                vec![update.and(gone.map(|field| format!("--remove-keys={}", field.name)))]
            }
            Step::Component { configuration, .. } => {
                let update = CommandLine::new([noun, "update", name]).with_settings(configuration);
                // an object inside a setting is replaced with the setting
                let mut gone = gone.filter(|field| !field.name.contains('.')).peekable();
                let removes = gone.peek().is_some();
                let remove = CommandLine::new([noun, "remove-attribute", name])
                    .and(gone.map(|field| &field.name));
                std::iter::once(update).chain(removes.then_some(remove)).collect()
            }
            Step::Stack { components, .. } => {
                let update = CommandLine::new(["stack", "update", name]);
                let update = update.and(crate::zenml::script::options(components));
                // an update leaves the types alone that it does not name
                let mut gone =
                    gone.filter_map(|field| ComponentType::parse(&field.name)).peekable();
                let removes = gone.peek().is_some();
                let remove = CommandLine::new(["stack", "remove-component", name])
                    .and(gone.map(crate::zenml::script::option));
                let updates = real.clone().any(|field| field.to.is_some());
                updates.then_some(update).into_iter().chain(removes.then_some(remove)).collect()
            }
        }
    }
}

/// What `zenml` calls the kind of thing.
fn noun(step: &Step) -> String {
    match step {
        Step::Secret { .. } => "secret".to_owned(),
        Step::Component { kind, .. } => kind.as_str().replace('_', "-"),
        Step::Stack { .. } => "stack".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zenml::changes::FieldChange;
    use std::collections::BTreeMap;

    fn change(step: Step, action: Action, former: Option<&str>, gone: &[&str]) -> Change {
        let field = |name: &str, to: Option<&str>| FieldChange {
            name: name.to_owned(),
            from: Some("there".to_owned()),
            to: to.map(str::to_owned),
        };
        let fields = gone.iter().map(|name| field(name, None));
        Change {
            step,
            action,
            fields: fields.chain([field("other", Some("new"))]).collect(),
            former_name: former.map(str::to_owned),
            is_foreign: false,
            labels: Map::new(),
        }
    }

    fn lines(change: &Change) -> Vec<String> {
        change.commands().iter().map(CommandLine::on_one_line).collect()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn update() -> Action {
        Action::Update { id: "1".into() }
    }

    fn delete() -> Action {
        Action::Delete { id: "1".into() }
    }

    #[test]
    fn a_secret_is_updated_renamed_and_deleted_as_zenml_wants_it() {
        let step = Step::Secret { name: name("key"), keys: vec!["access_key_id"] };
        let changed = change(step.clone(), update(), Some("it's"), &["session_token"]);
        assert_eq!(
            lines(&changed),
            [
                r"zenml secret rename 'it'\''s' -n key",
                "zenml secret update key --values=@/dev/fd/3 --remove-keys=session_token",
            ]
        );
        assert_eq!(lines(&change(step, delete(), None, &[])), ["zenml secret delete key -y"]);
    }

    #[test]
    fn what_a_component_loses_is_removed_by_name() {
        let configuration = json!({ "path": "s3://b" }).as_object().unwrap().clone();
        let kind = ComponentType::ArtifactStore;
        let step = Step::Component { name: name("oss"), kind, flavor: "s3".into(), configuration };
        let gone = ["client_kwargs.region_name", "secret"];
        assert_eq!(
            lines(&change(step.clone(), update(), None, &gone)),
            [
                "zenml artifact-store update oss --path='s3://b'",
                "zenml artifact-store remove-attribute oss secret",
            ]
        );
        assert_eq!(lines(&change(step, delete(), None, &[])), ["zenml artifact-store delete oss"]);
    }

    #[test]
    fn a_stack_loses_the_types_that_are_not_named_any_more() {
        let components = BTreeMap::from([(ComponentType::Orchestrator, vec![name("k8s")])]);
        let step = Step::Stack { name: name("prod"), components };
        let gone = ["image_builder", "alerter"];
        assert_eq!(
            lines(&change(step.clone(), update(), Some("old"), &gone)),
            [
                "zenml stack rename old prod",
                "zenml stack update prod -o k8s",
                "zenml stack remove-component prod -i -al",
            ]
        );
        let mut only_less = change(step.clone(), update(), None, &gone);
        only_less.fields.retain(|field| field.to.is_none());
        assert_eq!(lines(&only_less), ["zenml stack remove-component prod -i -al"]);
        // under the name that it has
        let removed = change(step, delete(), Some("theirs"), &[]);
        assert_eq!(lines(&removed), ["zenml stack delete theirs -y"]);
    }
}
