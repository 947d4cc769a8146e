//! What is made, changed and deleted through `zenml`.
//!
//! Values of secrets reach it as the file at its stdin, which has no name: never as an argument
//! or a variable. One write may take several commands, where REST takes one call: after the first
//! that went well, an error says that something may be done.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Client, SURROUNDINGS, failed, words};
use crate::base::secret_string::SecretString;
use crate::model::component::ComponentType;
use crate::ports::process::{self, Ended, ProcessError, Program};
use crate::zenml::rest::{Component, ComponentChange, Error, Kind, NewValues, StackChange};
use crate::zenml::script::CommandLine;

impl Client {
    /// Makes a public secret; answers its id.
    pub async fn create_secret(&self, name: &str, values: &NewValues<'_>) -> Result<String, Error> {
        let action = "make ZenML's secret";
        let line = CommandLine::new(["secret", "create", name, FROM_STDIN]);
        self.zenml(action, &line, Some(values)).await?;
        let made = self.secret(name).await.map_err(after)?;
        made.map(|secret| secret.id).ok_or_else(|| not_there(action))
    }

    /// Gives a secret another name where there is one, sets some of its values and leaves the
    /// others; a value of nothing deletes its key.
    pub async fn update_secret(
        &self,
        id: &str,
        name: Option<&str>,
        values: &NewValues<'_>,
    ) -> Result<(), Error> {
        if let Some(name) = name {
            let line = CommandLine::new(["secret", "rename", id, "-n", name]);
            self.zenml("rename ZenML's secret", &line, None).await?;
        }
        if values.is_empty() {
            return Ok(());
        }
        let line = CommandLine::new(["secret", "update", id]);
        let sets = values.iter().any(|(_, value)| value.is_some());
        let gone = values.iter().filter(|(_, value)| value.is_none());
        let gone = gone.map(|(key, _)| format!("--remove-keys={key}"));
        let line = line.and(sets.then_some(FROM_STDIN)).and(gone);
        self.zenml("change ZenML's secret", &line, sets.then_some(values)).await
    }

    /// Deletes a secret; gone already is as good.
    pub async fn delete_secret(&self, id: &str) -> Result<(), Error> {
        let line = CommandLine::new(["secret", "delete", id, "-y"]);
        gone_is_as_good(self.zenml("delete ZenML's secret", &line, None).await)
    }

    /// Makes a component; answers its id.
    pub async fn create_component(
        &self,
        kind: &str,
        name: &str,
        flavor: &str,
        configuration: &Map<String, Value>,
        labels: &Map<String, Value>,
    ) -> Result<String, Error> {
        let action = "make ZenML's component";
        let line = CommandLine::new([noun(kind).as_str(), "register", name, "-f", flavor])
            .and(label_options(action, labels)?)
            .with_settings(&without_nulls(configuration));
        self.zenml(action, &line, None).await?;
        let made = self.component(kind, name).await.map_err(after)?;
        made.map(|component| component.id).ok_or_else(|| not_there(action))
    }

    /// Changes a component: what differs is set, what it is not to have any more is removed.
    pub async fn update_component(
        &self,
        id: &str,
        change: ComponentChange<'_>,
    ) -> Result<(), Error> {
        let action = "change ZenML's component";
        let there = self.component_by_id(id).await?;
        let there = there.ok_or_else(|| Error::new(Kind::NotFound, action, "it is gone"))?;
        let mut part = false;
        for line in component_lines(action, &there, change)? {
            let done = self.zenml(action, &line, None).await;
            done.map_err(|error| if part { after(error) } else { error })?;
            part = true;
        }
        Ok(())
    }

    /// Deletes a component; refused while a stack uses it, gone already is as good.
    pub async fn delete_component(&self, id: &str) -> Result<(), Error> {
        let Some(there) = self.component_by_id(id).await? else { return Ok(()) };
        let line = CommandLine::new([noun(&there.kind).as_str(), "delete", id]);
        gone_is_as_good(self.zenml("delete ZenML's component", &line, None).await)
    }

    /// Makes a stack of components by id; answers its id. Its labels follow: one whose making
    /// breaks off in between has none.
    pub async fn create_stack(
        &self,
        name: &str,
        components: &BTreeMap<String, Vec<String>>,
        labels: &Map<String, Value>,
    ) -> Result<String, Error> {
        let action = "make ZenML's stack";
        let line = CommandLine::new(["stack", "register", name])
            .and(component_options(action, components)?);
        self.zenml(action, &line, None).await?;
        let made = self.stack(name).await.map_err(after)?;
        let id = made.map(|stack| stack.id).ok_or_else(|| not_there(action))?;
        self.label_stack(&id, labels).await.map_err(after)?;
        Ok(id)
    }

    /// Changes a stack: its components, its labels, its name.
    pub async fn update_stack(&self, id: &str, change: StackChange<'_>) -> Result<(), Error> {
        let action = "change ZenML's stack";
        let there = self.stack_by_id(id).await?;
        let there = there.ok_or_else(|| Error::new(Kind::NotFound, action, "it is gone"))?;
        let StackChange { name, components, labels } = change;
        let mut lines = Vec::new();
        if let Some(components) = components {
            let ids = |kind: &str| {
                let there = there.components.get(kind).into_iter().flatten();
                there.map(|one| one.id.as_str()).collect::<Vec<_>>()
            };
            let differs = components.iter().any(|(kind, wanted)| *wanted != ids(kind));
            if differs {
                let line = CommandLine::new(["stack", "update", id]);
                lines.push(line.and(component_options(action, components)?));
            }
            // an update leaves the types alone that it does not name
            let gone = there.components.keys().filter(|kind| !ids(kind).is_empty());
            let gone = gone.filter(|kind| !components.contains_key(*kind));
            let gone: Vec<&str> =
                gone.map(|kind| option(action, kind)).collect::<Result<_, Error>>()?;
            if !gone.is_empty() {
                lines.push(CommandLine::new(["stack", "remove-component", id]).and(gone));
            }
        }
        if let Some(name) = name.filter(|name| *name != there.name) {
            lines.push(CommandLine::new(["stack", "rename", id, name]));
        }
        let mut part = false;
        let labels = labels.map(|labels| label_changes(&there.labels, labels));
        if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
            self.label_stack(id, &labels).await?;
            part = true;
        }
        for line in lines {
            let done = self.zenml(action, &line, None).await;
            done.map_err(|error| if part { after(error) } else { error })?;
            part = true;
        }
        Ok(())
    }

    /// Deletes a stack; gone already is as good. `ZenML` refuses while it is the active one.
    pub async fn delete_stack(&self, id: &str) -> Result<(), Error> {
        let line = CommandLine::new(["stack", "delete", id, "-y"]);
        let deleted = gone_is_as_good(self.zenml("delete ZenML's stack", &line, None).await);
        deleted.map_err(|mut error| {
            if error.message.contains("active stack") {
                let why = "it is the active stack of this zenml: first run zenml stack set default";
                why.clone_into(&mut error.message);
            }
            error
        })
    }

    /// Makes a stack the active one of this environment: of the repository one stands in, where
    /// there is one (`.zen`), else everywhere.
    pub async fn activate(&self, stack: &str) -> Result<(), Error> {
        let line = CommandLine::new(["stack", "set", stack]);
        self.zenml("make the stack the active one", &line, None).await
    }

    /// Runs one command to its end, `values` at its stdin.
    async fn zenml(
        &self,
        action: &str,
        line: &CommandLine,
        values: Option<&NewValues<'_>>,
    ) -> Result<(), Error> {
        // too old or none at all is said before anything is written
        self.info().await?;
        let program = Program {
            path: self.0.command.clone(),
            arguments: line.arguments().map(str::to_owned).collect(),
            surroundings: SURROUNDINGS,
        };
        let given: Vec<&SecretString> =
            values.into_iter().flatten().filter_map(|(_, value)| *value).collect();
        let (env, limits) = (&self.0.env, self.0.limits);
        let ended = match values {
            Some(values) => {
                process::run_with(&program, env, limits, &as_json(action, values)?).await
            }
            None => process::run(&program, env, limits).await,
        };
        match ended {
            Ok(Ended { code: Some(0), .. }) => Ok(()),
            Ok(Ended { code, stdout, stderr }) => {
                let said = if stderr.trim_ascii().is_empty() { stdout } else { stderr };
                let (kind, message) = words::read(&said, &given);
                let error = Error::new(kind, action, message);
                // one that a signal ended may have been at it
                Err(if code.is_none() { after(error) } else { error })
            }
            Err(error) => {
                let said = failed(action, &self.0.command.display().to_string(), &error);
                Err(if matches!(error, ProcessError::Start(_)) { said } else { after(said) })
            }
        }
    }
}

/// Where `zenml` finds the values: a file, since it refuses a pipe (seen with 0.98).
const FROM_STDIN: &str = "--values=@/dev/stdin";

/// Most bytes that `zenml` takes from a file (`MAX_ARGUMENT_VALUE_SIZE`, `cli/utils.py`, 0.98).
const MOST_VALUES: usize = 10_240;

fn as_json(action: &str, values: &NewValues<'_>) -> Result<SecretString, Error> {
    let values: BTreeMap<&str, &str> =
        values.iter().filter_map(|(key, value)| Some((*key, (*value)?.expose()))).collect();
    let json = serde_json::to_string(&values).map(SecretString::new);
    let json = json.map_err(|error| Error::new(Kind::Refused, action, error.to_string()))?;
    if json.expose().len() > MOST_VALUES {
        let message = format!("the zenml command takes values of {MOST_VALUES} bytes in all");
        return Err(Error::new(Kind::Refused, action, message));
    }
    Ok(json)
}

/// The commands that make `there` what `change` says, none of them needless. The name comes last:
/// where it stops before, the thing is found under its old name as well as by id.
fn component_lines(
    action: &str,
    there: &Component,
    change: ComponentChange<'_>,
) -> Result<Vec<CommandLine>, Error> {
    let ComponentChange { name, configuration, labels } = change;
    let noun = noun(&there.kind);
    let id = there.id.as_str();
    let settings = configuration.map(without_nulls).unwrap_or_default();
    let changed: Map<String, Value> = settings
        .iter()
        .filter(|(setting, value)| there.configuration.get(*setting) != Some(*value))
        .map(|(setting, value)| (setting.clone(), value.clone()))
        .collect();
    let gone: Vec<&str> = match configuration {
        Some(_) => {
            let there = there.configuration.iter().filter(|(_, value)| !value.is_null());
            let gone = there.filter(|(setting, _)| !settings.contains_key(*setting));
            gone.map(|(setting, _)| setting.as_str()).collect()
        }
        None => Vec::new(),
    };
    let labels = labels.map(|labels| label_changes(&there.labels, labels)).unwrap_or_default();
    let (unlabelled, labelled): (Map<_, _>, Map<_, _>) =
        labels.into_iter().partition(|(_, value)| value.is_null());
    let mut lines = Vec::new();
    if !changed.is_empty() || !labelled.is_empty() {
        let line = CommandLine::new([noun.as_str(), "update", id]);
        lines.push(line.and(label_options(action, &labelled)?).with_settings(&changed));
    }
    if !gone.is_empty() || !unlabelled.is_empty() {
        let labels = unlabelled.keys().flat_map(|label| ["-l", label]);
        let line = CommandLine::new([noun.as_str(), "remove-attribute", id]);
        lines.push(line.and(labels).and(gone));
    }
    if let Some(name) = name.filter(|name| *name != there.name) {
        lines.push(CommandLine::new([noun.as_str(), "rename", id, name]));
    }
    Ok(lines)
}

/// What makes the labels `there` those that are `wanted`: null for one that goes.
fn label_changes(there: &Map<String, Value>, wanted: &Map<String, Value>) -> Map<String, Value> {
    let gone = there.keys().filter(|label| !wanted.contains_key(*label));
    let gone = gone.map(|label| (label.clone(), Value::Null));
    let set = wanted.iter().filter(|(label, value)| there.get(*label) != Some(*value));
    gone.chain(set.map(|(label, value)| (label.clone(), value.clone()))).collect()
}

/// `-l label=value`; ZenML splits at every `=` (`get_parsed_labels`, `cli/utils.py`, 0.98).
fn label_options(action: &str, labels: &Map<String, Value>) -> Result<Vec<String>, Error> {
    let mut options = Vec::new();
    for (label, value) in labels {
        let value = value.as_str().filter(|value| !value.contains('=') && !label.contains('='));
        let Some(value) = value else {
            let message = format!("the zenml command cannot set the label {label}");
            return Err(Error::new(Kind::Refused, action, message));
        };
        options.extend(["-l".to_owned(), format!("{label}={value}")]);
    }
    Ok(options)
}

fn component_options(
    action: &str,
    components: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<String>, Error> {
    let mut options = Vec::new();
    for (kind, ids) in components {
        for id in ids {
            options.extend([option(action, kind)?.to_owned(), id.clone()]);
        }
    }
    Ok(options)
}

/// The option of `zenml stack` for a type of component.
fn option(action: &str, kind: &str) -> Result<&'static str, Error> {
    ComponentType::parse(kind).and_then(ComponentType::option).ok_or_else(|| {
        let message = format!("the type {kind} is not known here, nor how zenml takes it");
        Error::new(Kind::Unsupported, action, message)
    })
}

/// The group of commands for a type of component.
fn noun(kind: &str) -> String {
    kind.replace('_', "-")
}

fn without_nulls(settings: &Map<String, Value>) -> Map<String, Value> {
    let given = settings.iter().filter(|(_, value)| !value.is_null());
    given.map(|(setting, value)| (setting.clone(), value.clone())).collect()
}

fn gone_is_as_good(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(error) if error.kind == Kind::NotFound && !error.may_be_done => Ok(()),
        done => done,
    }
}

/// `error`, where something may be done already.
fn after(mut error: Error) -> Error {
    error.may_be_done = true;
    error
}

fn not_there(action: &str) -> Error {
    let message = "zenml said that it was done, and there is nothing";
    Error { may_be_done: true, ..Error::new(Kind::Command, action, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn there() -> Component {
        Component {
            id: "11".into(),
            name: "old".into(),
            kind: "artifact_store".into(),
            flavor: "s3".into(),
            configuration: object(&json!({ "path": "s3://a", "key": "k", "same": 1 })),
            labels: object(&json!({ "theirs": "x", "gone": "y" })),
            user_id: None,
            has_connector: false,
        }
    }

    fn lines(change: ComponentChange<'_>) -> Vec<String> {
        let lines = component_lines("change", &there(), change).unwrap();
        lines.iter().map(CommandLine::on_one_line).collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let configuration = object(&json!({ "path": "s3://b", "same": 1, "none": null }));
        let labels = object(&json!({ "theirs": "x", "ours": "z" }));
        let change = ComponentChange {
            name: Some("new"),
            configuration: Some(&configuration),
            labels: Some(&labels),
        };
        assert_eq!(
            lines(change),
            [
                "zenml artifact-store update 11 -l ours=z --path='s3://b'"
                    .replace("-l ours=z", "-l 'ours=z'"),
                "zenml artifact-store remove-attribute 11 -l gone key".to_owned(),
                "zenml artifact-store rename 11 new".to_owned(),
            ]
        );
        let there = there();
        let same = ComponentChange {
            name: Some("old"),
            configuration: Some(&there.configuration),
            labels: Some(&there.labels),
        };
        assert_eq!(lines(same), [""; 0]);
        assert_eq!(lines(ComponentChange::default()), [""; 0]);
    }

    #[test]
    fn a_label_that_no_option_carries_is_refused() {
        for labels in [json!({ "a": "b=c" }), json!({ "a=b": "c" }), json!({ "a": 1 })] {
            let error = label_options("make", &object(&labels)).unwrap_err();
            assert_eq!(error.kind, Kind::Refused);
        }
    }

    #[test]
    fn values_are_json_of_what_is_set() {
        let value = SecretString::new("a\"b".into());
        let json = as_json("make", &[("key", Some(&value)), ("gone", None)]).unwrap();
        assert_eq!(json.expose(), r#"{"key":"a\"b"}"#);
        let long = SecretString::new("x".repeat(MOST_VALUES));
        assert!(as_json("make", &[("key", Some(&long))]).is_err());
    }
}
