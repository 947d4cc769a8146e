//! What a server holds, read leniently: unknown fields are ignored, nulls are taken.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::{Client, Error, Kind};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::zenml::version::Version;

/// What a server says of itself to anybody (`GET /info`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// Its id, a UUID; stays over restarts.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Whether it was set up; else somebody has to open its dashboard first.
    pub is_active: bool,
    /// How it wants to be signed in to: `OAUTH2_PASSWORD_BEARER`, `NO_AUTH`, `EXTERNAL`, ….
    pub auth_scheme: String,
    /// Whether it is osstack's own stand-in and no `ZenML`.
    pub is_stand_in: bool,
}

impl ServerInfo {
    pub(in crate::zenml) fn read(body: &Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let stand_in = body.pointer("/metadata/stand_in").and_then(Value::as_bool);
        Some(Self {
            id: text("id").to_owned(),
            name: text("name").to_owned(),
            version: Version::parse(text("version"))?,
            is_active: body.get("active").and_then(Value::as_bool).unwrap_or(true),
            auth_scheme: text("auth_scheme").to_owned(),
            is_stand_in: stand_in.unwrap_or(false),
        })
    }

    /// `ZenML 0.98.0`; of the stand-in that it is one.
    pub fn software(&self) -> String {
        let stand_in = if self.is_stand_in { ", a stand-in" } else { "" };
        format!("ZenML {}{stand_in}", self.version)
    }

    /// Its name and what it is; showable.
    pub fn title(&self) -> String {
        format!("{}, {}", visible(&self.name), self.software())
    }

    /// Why osstack does not work with it, ending in what to do; nothing where it does.
    pub fn refusal(&self) -> Option<String> {
        if self.version < Version::OLDEST {
            return Some(format!(
                "the server has ZenML {}, whose API is another: it takes {} or newer",
                self.version,
                Version::OLDEST
            ));
        }
        if !self.is_active {
            return Some("the server is not set up yet: open it in a browser first".to_owned());
        }
        match self.auth_scheme.as_str() {
            "EXTERNAL" => Some(
                "this is a workspace of ZenML Pro, which signs in through its own control plane: \
                 that way is not known here; use the zenml command of an environment that is \
                 logged in (osstack zenml login --command PATH)"
                    .to_owned(),
            ),
            "HTTP_BASIC" => Some(
                "the server wants HTTP basic sign-in, which is not known here: use the zenml \
                 command of an environment that is logged in (osstack zenml login --command PATH)"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// What to know about its version, whole sentences.
    pub fn warnings(&self) -> Vec<String> {
        let version = self.version;
        let mut warnings = Vec::new();
        if version < Version::ENDPOINT_KEPT {
            warnings.push(format!(
                "ZenML {version} asks AWS, not your endpoint, whether the bucket keeps versions, \
                 and sends the key id there (fixed in {}): update it.",
                Version::ENDPOINT_KEPT
            ));
        }
        if version < Version::PLAIN_KEY_NAMES {
            warnings.push(format!(
                "ZenML {version} reads only aws_access_key_id and aws_secret_access_key of a \
                 secret (others since {}): the secret gets those names.",
                Version::PLAIN_KEY_NAMES
            ));
        }
        if version.is_later_series(Version::NEWEST_TESTED) {
            warnings.push(format!(
                "ZenML {version} is newer than the newest that was tried, {}: look at what the \
                 plan says before you commit.",
                Version::NEWEST_TESTED
            ));
        }
        warnings
    }
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// A UUID.
    pub id: String,
    /// The name.
    pub name: String,
    /// Whether it is a service account.
    pub is_service_account: bool,
}

impl User {
    pub(in crate::zenml) fn read(body: &Value) -> Option<Self> {
        let is_service_account = body.pointer("/body/is_service_account").and_then(Value::as_bool);
        Some(Self {
            id: text(body, "/id")?,
            name: text(body, "/name").unwrap_or_default(),
            is_service_account: is_service_account.unwrap_or(false),
        })
    }
}

/// Values of a secret by key; nothing where the server does not show one to this user.
pub type SecretValues = BTreeMap<String, Option<SecretString>>;

/// A secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Secret {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether only its maker sees it.
    pub is_private: bool,
    /// Who made it.
    pub user_id: Option<String>,
    /// Its values.
    pub values: SecretValues,
}

/// A component.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type, as the server writes it: servers know more types than we do.
    pub kind: String,
    /// Its flavor.
    pub flavor: String,
    /// What the flavor is told.
    pub configuration: Map<String, Value>,
    /// Labels.
    pub labels: Map<String, Value>,
    /// Who made it; nobody made what came with the server.
    pub user_id: Option<String>,
    /// Whether a service connector is bound to it.
    pub has_connector: bool,
}

/// A thing by id and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Reference {
    fn read(one: &Value) -> Option<Self> {
        Some(Self { id: text(one, "/id")?, name: text(one, "/name")? })
    }
}

/// A stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Labels.
    pub labels: Map<String, Value>,
    /// Its components by type.
    pub components: BTreeMap<String, Vec<Reference>>,
    /// Who made it; nobody made what came with the server.
    pub user_id: Option<String>,
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// The id of whoever made it, whom ZenML 0.80 tells whole.
fn owner(body: &Value) -> Option<String> {
    text(body, "/body/user_id").or_else(|| text(body, "/body/user/id"))
}

fn map(value: &Value, pointer: &str) -> Map<String, Value> {
    value.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}

impl Secret {
    /// Takes a secret out of an answer, values and all.
    pub(in crate::zenml) fn take(mut body: Value) -> Option<Self> {
        let values = match body.pointer_mut("/body/values").map(Value::take) {
            Some(Value::Object(values)) => values,
            _ => Map::new(),
        };
        let values = values.into_iter().map(|(key, value)| match value {
            Value::String(value) => (key, Some(SecretString::new(value))),
            _ => (key, None),
        });
        Some(Self {
            id: text(&body, "/id")?,
            name: text(&body, "/name")?,
            is_private: body.pointer("/body/private").and_then(Value::as_bool).unwrap_or(false),
            user_id: owner(&body),
            values: values.collect(),
        })
    }
}

impl Component {
    /// Reads a hydrated component.
    pub fn read(body: &Value) -> Option<Self> {
        let connector = body
            .pointer("/metadata/connector")
            .or_else(|| body.pointer("/resources/service_connector"));
        Some(Self {
            id: text(body, "/id")?,
            name: text(body, "/name")?,
            kind: text(body, "/body/type")?,
            flavor: text(body, "/body/flavor_name")
                .or_else(|| text(body, "/body/flavor"))
                .unwrap_or_default(),
            configuration: map(body, "/metadata/configuration"),
            labels: map(body, "/metadata/labels"),
            user_id: owner(body),
            has_connector: connector.is_some_and(|connector| !connector.is_null()),
        })
    }
}

impl Stack {
    /// Reads a hydrated stack.
    pub fn read(body: &Value) -> Option<Self> {
        let components = body.pointer("/metadata/components").and_then(Value::as_object);
        let references = |all: &Value| -> Vec<Reference> {
            let all = all.as_array().into_iter().flatten();
            all.filter_map(Reference::read).collect()
        };
        Some(Self {
            id: text(body, "/id")?,
            name: text(body, "/name")?,
            labels: map(body, "/metadata/labels"),
            components: components
                .into_iter()
                .flatten()
                .map(|(kind, all)| (kind.clone(), references(all)))
                .collect(),
            user_id: owner(body),
        })
    }
}

/// The body of a secret's creation or change; borrows the values for as long as the request is made.
struct WrittenSecret<'a> {
    name: Option<&'a str>,
    is_new: bool,
    values: &'a NewValues<'a>,
}

impl serde::Serialize for WrittenSecret<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let values: BTreeMap<&str, Option<&str>> = self
            .values
            .iter()
            .map(|(key, value)| (*key, value.map(SecretString::expose)))
            .collect();
        let mut out = to.serialize_map(None)?;
        if let Some(name) = self.name {
            out.serialize_entry("name", name)?;
        }
        if self.is_new {
            out.serialize_entry("private", &false)?;
        }
        if self.is_new || !values.is_empty() {
            out.serialize_entry("values", &values)?;
        }
        out.end()
    }
}

impl fmt::Debug for WrittenSecret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrittenSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What changes in a component. Every write is whole: a configuration replaces the former one.
#[derive(Clone, Copy, Debug, Default)]
pub struct ComponentChange<'a> {
    /// Its new name.
    pub name: Option<&'a str>,
    /// Its whole new configuration.
    pub configuration: Option<&'a Map<String, Value>>,
    /// All its labels.
    pub labels: Option<&'a Map<String, Value>>,
}

/// What changes in a stack.
#[derive(Clone, Copy, Debug, Default)]
pub struct StackChange<'a> {
    /// Its new name.
    pub name: Option<&'a str>,
    /// Ids of all its components by type.
    pub components: Option<&'a BTreeMap<String, Vec<String>>>,
    /// All its labels.
    pub labels: Option<&'a Map<String, Value>>,
}

/// Values of a secret by key, as they are to be; nothing deletes a key.
pub type NewValues<'a> = [(&'a str, Option<&'a SecretString>)];

fn body<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}

fn unreadable(what: &str) -> Error {
    let message = format!("the answer is no {what} of ZenML's");
    Error::new(Kind::NotZenml, format!("read the {what}"), message)
}

const HYDRATED: (&str, &str) = ("hydrate", "true");

impl Client {
    /// Who is signed in.
    pub async fn current_user(&self) -> Result<User, Error> {
        let body = self.get("/current-user", &[]).await?;
        User::read(&body).ok_or_else(|| unreadable("user"))
    }

    /// The projects that this user sees.
    pub async fn projects(&self) -> Result<Vec<Reference>, Error> {
        let found = self.list("/projects", &[]).await?;
        Ok(found.iter().filter_map(Reference::read).collect())
    }

    /// The secret that a store means by `name`, with its values: the public one; where there is
    /// none, this user's private one (client.py, `get_secret_by_name_and_private_status`, seen).
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        let equals = format!("equals:{name}");
        let found = self.list("/secrets", &[("name", &equals)]).await?;
        let mut found: Vec<Secret> = found.into_iter().filter_map(Secret::take).collect();
        found.retain(|secret| secret.name == name);
        found.sort_by_key(|secret| secret.is_private);
        let Some(first) = found.into_iter().next() else { return Ok(None) };
        // a list shows no values, not even keys
        self.secret_by_id(&first.id).await
    }

    /// The secret with this id, with its values; nothing where it is gone.
    pub async fn secret_by_id(&self, id: &str) -> Result<Option<Secret>, Error> {
        match self.get(&format!("/secrets/{id}"), &[]).await {
            Ok(body) => Secret::take(body).map(Some).ok_or_else(|| unreadable("secret")),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a public secret; answers its id.
    pub async fn create_secret(&self, name: &str, values: &NewValues<'_>) -> Result<String, Error> {
        let body = self
            .post("/secrets", &WrittenSecret { name: Some(name), is_new: true, values })
            .await?;
        Secret::take(body).map(|secret| secret.id).ok_or_else(|| unreadable("secret"))
    }

    /// Gives a secret another name where there is one, sets some of its values and leaves the
    /// others; a value of nothing deletes its key.
    pub async fn update_secret(
        &self,
        id: &str,
        name: Option<&str>,
        values: &NewValues<'_>,
    ) -> Result<(), Error> {
        // without patch_values the server drops every key that is not sent
        let query = [("patch_values", "true")];
        let body = WrittenSecret { name, is_new: false, values };
        self.put(&format!("/secrets/{id}"), &query, &body).await.map(drop)
    }

    /// Deletes a secret.
    pub async fn delete_secret(&self, id: &str) -> Result<(), Error> {
        self.delete(&format!("/secrets/{id}"), &[]).await
    }

    /// All components of a type; of every type where none is named.
    pub async fn components(&self, kind: Option<&str>) -> Result<Vec<Component>, Error> {
        let kind = kind.map(|kind| ("type", kind));
        let query: Vec<(&str, &str)> = [HYDRATED].into_iter().chain(kind).collect();
        let found = self.list("/components", &query).await?;
        Ok(found.iter().filter_map(Component::read).collect())
    }

    /// The component `name` of a type.
    pub async fn component(&self, kind: &str, name: &str) -> Result<Option<Component>, Error> {
        let equals = format!("equals:{name}");
        let query = [HYDRATED, ("type", kind), ("name", &equals)];
        let found = self.list("/components", &query).await?;
        Ok(found
            .iter()
            .filter_map(Component::read)
            .find(|one| one.name == name && one.kind == kind))
    }

    /// The component with this id; nothing where it is gone.
    pub async fn component_by_id(&self, id: &str) -> Result<Option<Component>, Error> {
        match self.get(&format!("/components/{id}"), &[HYDRATED]).await {
            Ok(body) => Component::read(&body).map(Some).ok_or_else(|| unreadable("component")),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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
        let body = json!({
            "name": name,
            "type": kind,
            "flavor": flavor,
            "configuration": configuration,
            "labels": labels,
        });
        let made = self.post("/components", &body).await?;
        text(&made, "/id").ok_or_else(|| unreadable("component"))
    }

    /// Changes a component.
    pub async fn update_component(
        &self,
        id: &str,
        change: ComponentChange<'_>,
    ) -> Result<(), Error> {
        let ComponentChange { name, configuration, labels } = change;
        let body = body([
            ("name", name.map(|name| json!(name))),
            ("configuration", configuration.map(|map| json!(map))),
            ("labels", labels.map(|map| json!(map))),
        ]);
        self.put(&format!("/components/{id}"), &[], &body).await.map(drop)
    }

    /// Deletes a component; the server refuses while a stack uses it.
    pub async fn delete_component(&self, id: &str) -> Result<(), Error> {
        self.delete(&format!("/components/{id}"), &[]).await
    }

    /// All stacks.
    pub async fn stacks(&self) -> Result<Vec<Stack>, Error> {
        let found = self.list("/stacks", &[HYDRATED]).await?;
        Ok(found.iter().filter_map(Stack::read).collect())
    }

    /// The stack `name`.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, Error> {
        let equals = format!("equals:{name}");
        let found = self.list("/stacks", &[HYDRATED, ("name", &equals)]).await?;
        Ok(found.iter().filter_map(Stack::read).find(|stack| stack.name == name))
    }

    /// The stack with this id; nothing where it is gone.
    pub async fn stack_by_id(&self, id: &str) -> Result<Option<Stack>, Error> {
        match self.get(&format!("/stacks/{id}"), &[HYDRATED]).await {
            Ok(body) => Stack::read(&body).map(Some).ok_or_else(|| unreadable("stack")),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names of the stacks that use a component.
    pub async fn stacks_with(&self, component_id: &str) -> Result<Vec<Reference>, Error> {
        let found = self.list("/stacks", &[("component_id", component_id)]).await?;
        Ok(found.iter().filter_map(Reference::read).collect())
    }

    /// Makes a stack of components by id; answers its id.
    pub async fn create_stack(
        &self,
        name: &str,
        components: &BTreeMap<String, Vec<String>>,
        labels: &Map<String, Value>,
    ) -> Result<String, Error> {
        let body =
            json!({ "name": name, "description": "", "components": components, "labels": labels });
        let made = self.post("/stacks", &body).await?;
        text(&made, "/id").ok_or_else(|| unreadable("stack"))
    }

    /// Changes a stack.
    pub async fn update_stack(&self, id: &str, change: StackChange<'_>) -> Result<(), Error> {
        let StackChange { name, components, labels } = change;
        let body = body([
            ("name", name.map(|name| json!(name))),
            ("components", components.map(|map| json!(map))),
            ("labels", labels.map(|map| json!(map))),
        ]);
        self.put(&format!("/stacks/{id}"), &[], &body).await.map(drop)
    }

    /// Deletes a stack.
    pub async fn delete_stack(&self, id: &str) -> Result<(), Error> {
        self.delete(&format!("/stacks/{id}"), &[]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_made_it_is_known_on_old_servers_too() {
        let made_by = |body: Value| Component::read(&body).unwrap().user_id;
        let component = |user: Value| {
            let mut body = json!({ "id": "1", "name": "store", "body": user });
            body["body"]["type"] = json!("artifact_store");
            body
        };
        assert_eq!(made_by(component(json!({ "user_id": "me" }))), Some("me".into()));
        assert_eq!(made_by(component(json!({ "user": { "id": "me" } }))), Some("me".into()));
        // came with ZenML
        assert_eq!(made_by(component(json!({ "user": null }))), None);
    }
}
