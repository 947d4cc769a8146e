//! Secrets, components and stacks in memory, and what is said of them.

mod by_hand;

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::flavors::flavors;
use super::runs::{PROJECT, Runs};
use super::things::{Component, Secret, Shows, Stack, component, page, shown};
use super::{API_KEY, USER, ZenmlFaults};
use crate::model::component::ComponentType;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::{SharedEntropy, hex, uuid};

/// Times are UTC without a zone (seen).
const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");

/// Settings of the S3 flavor (capture 31); others are refused.
const S3_SETTINGS: [&str; 8] = [
    "path",
    "authentication_secret",
    "key",
    "secret",
    "token",
    "client_kwargs",
    "config_kwargs",
    "s3_additional_kwargs",
];

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// Below `/api/v1/`.
    pub(super) path: Vec<String>,
    pub(super) query: BTreeMap<String, String>,
    pub(super) form: BTreeMap<String, String>,
    pub(super) body: Value,
    pub(super) bearer: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Said {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// An error of `ZenML`'s usual shape.
    pub(super) fn refusal(status: u16, name: &str, message: impl Into<String>) -> Self {
        Self { status, body: json!({ "detail": [name, message.into()] }) }
    }

    fn absent(what: &str, id: &str) -> Self {
        // the message of a KeyError is a quoted repr
        let message = format!("\"Unable to get {what} with ID '{id}': no such {what} exists.\"");
        Self::refusal(404, "KeyError", message)
    }
}

/// What the stand-in holds.
pub(super) struct Registry {
    clock: SharedClock,
    entropy: SharedEntropy,
    server_id: String,
    runs: Runs,
    /// The user's id.
    me: String,
    /// The id of somebody else.
    other: String,
    tokens: Vec<String>,
    secrets: Vec<Secret>,
    components: Vec<Component>,
    stacks: Vec<Stack>,
    /// First answers by `Idempotency-Key`.
    answered: BTreeMap<String, Said>,
    /// How many writes were met.
    pub(super) writes: usize,
    /// How many sign-ins were met.
    pub(super) sign_ins: usize,
    has_revoked: bool,
    has_refused: bool,
}

impl Registry {
    pub(super) fn new(clock: SharedClock, entropy: SharedEntropy, runs: Runs) -> Self {
        let [server_id, me, other, orchestrator, store, stack] =
            std::array::from_fn(|_| uuid(&*entropy));
        let mut registry = Self {
            clock,
            entropy,
            server_id,
            runs,
            me,
            other,
            tokens: Vec::new(),
            secrets: Vec::new(),
            components: Vec::new(),
            stacks: Vec::new(),
            answered: BTreeMap::new(),
            writes: 0,
            sign_ins: 0,
            has_revoked: false,
            has_refused: false,
        };
        let created = registry.now();
        for (id, kind) in [(&orchestrator, "orchestrator"), (&store, "artifact_store")] {
            registry.components.push(Component {
                id: id.clone(),
                name: "default".into(),
                kind: kind.into(),
                flavor: "local".into(),
                user: None,
                configuration: Map::new(),
                labels: Map::new(),
                created: created.clone(),
            });
        }
        let components = [("orchestrator", orchestrator), ("artifact_store", store)];
        registry.stacks.push(Stack {
            id: stack,
            name: "default".into(),
            user: None,
            components: components.map(|(kind, id)| (kind.to_owned(), vec![id])).into(),
            labels: Map::new(),
            created,
        });
        registry
    }

    fn now(&self) -> String {
        self.clock.now().format(TIME).unwrap_or_default()
    }

    /// Ends all tokens; whether this is the first time.
    pub(super) fn revoke(&mut self) -> bool {
        let is_first = !std::mem::replace(&mut self.has_revoked, true);
        if is_first {
            self.tokens.clear();
        }
        is_first
    }

    /// Refuses a write; whether this is the first time.
    pub(super) fn refuse(&mut self) -> bool {
        !std::mem::replace(&mut self.has_refused, true)
    }

    pub(super) fn repeated(&self, key: &str) -> Option<Said> {
        self.answered.get(key).cloned()
    }

    pub(super) fn remember(&mut self, key: String, said: &Said) {
        self.answered.insert(key, said.clone());
    }

    /// Somebody else makes what is about to be made.
    pub(super) fn forestall(&mut self, asked: &Asked) {
        let me = std::mem::replace(&mut self.me, self.other.clone());
        let mut body = asked.body.clone();
        if let Some(body) = body.as_object_mut() {
            body.remove("labels");
        }
        let (method, path) = (asked.method.clone(), asked.path.clone());
        let (query, form) = (BTreeMap::new(), BTreeMap::new());
        let theirs = Asked { method, path, query, form, body, bearer: None };
        let _made = self.route(&theirs, &ZenmlFaults::default());
        self.me = me;
    }

    pub(super) fn answer(&mut self, asked: &Asked, faults: &ZenmlFaults) -> Said {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (&asked.method, path.as_slice()) {
            (&Method::GET, ["info"]) => return Said::ok(self.info(faults)),
            (&Method::GET, ["version"]) => return Said::ok(json!(version(faults))),
            (&Method::POST, ["login"]) => return self.login(asked),
            _ => {}
        }
        match &asked.bearer {
            // another shape than the others (capture 07)
            None => Said { status: 401, body: json!({ "detail": "Not authenticated" }) },
            Some(token) if !self.tokens.contains(token) => Said::refusal(
                401,
                "CredentialsNotValid",
                "Authentication error: error decoding access token",
            ),
            Some(_) => self.route(asked, faults),
        }
    }

    fn info(&self, faults: &ZenmlFaults) -> Value {
        json!({
            "id": self.server_id,
            "name": "sandbox",
            "version": version(faults),
            "active": true,
            "debug": false,
            "deployment_type": "other",
            "database_type": "memory",
            "secrets_store_type": "memory",
            "auth_scheme": if faults.is_pro { "EXTERNAL" } else { "OAUTH2_PASSWORD_BEARER" },
            "server_url": "",
            "dashboard_url": "",
            "analytics_enabled": false,
            "metadata": { "stand_in": true },
        })
    }

    fn login(&mut self, asked: &Asked) -> Said {
        self.sign_ins += 1;
        let field = |name: &str| asked.form.get(name).map(String::as_str);
        let is_known = match (field("username"), field("password")) {
            (None, Some(key)) => key == API_KEY,
            (Some(user), password) => (user, password.unwrap_or_default()) == USER,
            (None, None) => false,
        };
        if !is_known {
            let message = "Authentication error: invalid username or password";
            return Said::refusal(401, "CredentialsNotValid", message);
        }
        let token = hex(&*self.entropy, 48);
        self.tokens.push(token.clone());
        Said::ok(json!({
            "access_token": token, "token_type": "bearer", "expires_in": null,
            "refresh_token": null, "csrf_token": null, "scope": null, "device_id": null,
            "device_metadata": null,
        }))
    }

    fn route(&mut self, asked: &Asked, faults: &ZenmlFaults) -> Said {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        match (asked.method.as_str(), path.as_slice()) {
            ("GET", ["current-user"]) => Said::ok(json!({
                "id": self.me, "name": USER.0, "permission_denied": false,
                "body": { "is_service_account": false, "is_admin": true, "active": true },
            })),
            ("GET", ["projects"]) => {
                let project = json!({ "id": PROJECT, "name": "default", "body": {} });
                page(vec![("default".to_owned(), project)], asked)
            }
            ("GET", ["component-types"]) => {
                let all = ComponentType::ALL.iter().map(|kind| kind.as_str());
                let more = faults.more_types.iter().map(String::as_str);
                Said::ok(all.chain(more).collect())
            }
            ("GET", ["flavors"]) => flavors(asked, faults),
            (_, ["secrets", rest @ ..]) => self.secrets(asked, rest, faults),
            (_, ["components", rest @ ..]) => self.components(asked, rest),
            (_, ["stacks", rest @ ..]) => self.stacks(asked, rest),
            (method, parts) => match self.runs.answer(method, parts, &asked.query) {
                Some((status, body)) => Said { status, body },
                None => Said { status: 404, body: json!({ "detail": "Not Found" }) },
            },
        }
    }

    fn secrets(&mut self, asked: &Asked, rest: &[&str], faults: &ZenmlFaults) -> Said {
        match (asked.method.as_str(), rest) {
            ("GET", []) => {
                // a list shows no values, not even keys (capture 23)
                let rows =
                    self.secrets.iter().map(|one| (one.name.clone(), shown(one, Shows::None)));
                page(rows.collect(), asked)
            }
            ("POST", []) => self.make_secret(asked),
            (method, [id]) => {
                let Some(at) = self.secrets.iter().position(|one| one.id == *id) else {
                    return Said::absent("secret", id);
                };
                let Some(secret) = self.secrets.get_mut(at) else {
                    return Said::absent("secret", id);
                };
                match method {
                    "GET" => {
                        let shows = if faults.hides_values { Shows::Keys } else { Shows::All };
                        Said::ok(shown(secret, shows))
                    }
                    "PUT" => {
                        if let Some(name) = asked.body.get("name").and_then(Value::as_str) {
                            name.clone_into(&mut secret.name);
                        }
                        if let Some(values) = asked.body.get("values").and_then(Value::as_object) {
                            if asked.query.get("patch_values").map(String::as_str) != Some("true") {
                                secret.values.clear();
                            }
                            for (key, value) in values {
                                match value.as_str() {
                                    Some(value) => {
                                        secret.values.insert(key.clone(), value.to_owned());
                                    }
                                    None => {
                                        secret.values.remove(key);
                                    }
                                }
                            }
                        }
                        Said::ok(shown(secret, Shows::All))
                    }
                    "DELETE" => {
                        // stores that name it are not asked (capture 69)
                        self.secrets.remove(at);
                        Said::ok(Value::Null)
                    }
                    _ => Said { status: 405, body: json!({ "detail": "Method Not Allowed" }) },
                }
            }
            _ => Said { status: 404, body: json!({ "detail": "Not Found" }) },
        }
    }

    fn make_secret(&mut self, asked: &Asked) -> Said {
        let values = asked.body.get("values").and_then(Value::as_object);
        let (Some(name), Some(values)) = (asked.body.get("name").and_then(Value::as_str), values)
        else {
            // the body of a 422 repeats what it was sent, secrets included, in a bare list
            // (capture 68)
            let message = format!("1 validation error: input_value={}", asked.body);
            return Said { status: 422, body: json!(["ValueError", message]) };
        };
        let is_private = asked.body.get("private").and_then(Value::as_bool).unwrap_or(false);
        if self.secrets.iter().any(|one| one.name == name && one.is_private == is_private) {
            let kind = if is_private { "private" } else { "public" };
            let message = format!("Found an existing {kind} secret with the same '{name}' name");
            return Said::refusal(409, "EntityExistsError", message);
        }
        let values = values
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        let secret = Secret {
            id: uuid(&*self.entropy),
            name: name.to_owned(),
            is_private,
            user: self.me.clone(),
            values: values.collect(),
            created: self.now(),
        };
        let said = shown(&secret, Shows::All);
        self.secrets.push(secret);
        Said::ok(said)
    }

    fn components(&mut self, asked: &Asked, rest: &[&str]) -> Said {
        match (asked.method.as_str(), rest) {
            ("GET", []) => {
                let kind = asked.query.get("type");
                let fits = |one: &&Component| kind.is_none_or(|kind| one.kind == *kind);
                let rows = self.components.iter().filter(fits);
                page(rows.map(|one| (one.name.clone(), component(one))).collect(), asked)
            }
            ("POST", []) => self.make_component(asked),
            (method, [id]) => {
                let Some(at) = self.components.iter().position(|one| one.id == *id) else {
                    return Said::absent("component", id);
                };
                let users = self
                    .stacks
                    .iter()
                    .filter(|stack| stack.components.values().flatten().any(|used| used == id));
                let users = users.count();
                let Some(found) = self.components.get_mut(at) else {
                    return Said::absent("component", id);
                };
                if method != "GET" && found.user.is_none() {
                    let message = "The default component cannot be changed";
                    return Said::refusal(403, "IllegalOperationError", message);
                }
                match method {
                    "GET" => Said::ok(component(found)),
                    "PUT" => {
                        if let Some(configuration) =
                            asked.body.get("configuration").and_then(Value::as_object)
                        {
                            if let Some(refusal) = refused(&found.flavor, configuration) {
                                return refusal;
                            }
                            // the whole of it (capture 38c)
                            found.configuration.clone_from(configuration);
                        }
                        if let Some(name) = asked.body.get("name").and_then(Value::as_str) {
                            name.clone_into(&mut found.name);
                        }
                        if let Some(labels) = asked.body.get("labels").and_then(Value::as_object) {
                            found.labels.clone_from(labels);
                        }
                        Said::ok(component(found))
                    }
                    "DELETE" if users > 0 => Said::refusal(
                        403,
                        "IllegalOperationError",
                        format!("the component cannot be deleted as it is part of {users} stacks"),
                    ),
                    "DELETE" => {
                        self.components.remove(at);
                        Said::ok(Value::Null)
                    }
                    _ => Said { status: 405, body: json!({ "detail": "Method Not Allowed" }) },
                }
            }
            _ => Said { status: 404, body: json!({ "detail": "Not Found" }) },
        }
    }

    fn make_component(&mut self, asked: &Asked) -> Said {
        let text = |name: &str| asked.body.get(name).and_then(Value::as_str).unwrap_or_default();
        let map = |name: &str| {
            asked.body.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (name, kind, flavor) = (text("name"), text("type"), text("flavor"));
        if self.components.iter().any(|one| one.name == name && one.kind == kind) {
            let message =
                format!("Found an existing {kind} component with the same name '{name}'.");
            return Said::refusal(409, "EntityExistsError", message);
        }
        let configuration = map("configuration");
        if let Some(refusal) = refused(flavor, &configuration) {
            return refusal;
        }
        let made = Component {
            id: uuid(&*self.entropy),
            name: name.to_owned(),
            kind: kind.to_owned(),
            flavor: flavor.to_owned(),
            user: Some(self.me.clone()),
            configuration,
            labels: map("labels"),
            created: self.now(),
        };
        let said = component(&made);
        self.components.push(made);
        Said::ok(said)
    }

    fn stacks(&mut self, asked: &Asked, rest: &[&str]) -> Said {
        match (asked.method.as_str(), rest) {
            ("GET", []) => {
                let used = asked.query.get("component_id");
                let fits = |one: &&Stack| {
                    used.is_none_or(|id| one.components.values().flatten().any(|used| used == id))
                };
                let rows = self.stacks.iter().filter(fits);
                page(rows.map(|one| (one.name.clone(), self.stack(one))).collect(), asked)
            }
            ("POST", []) => self.make_stack(asked),
            (method, [id]) => {
                let Some(at) = self.stacks.iter().position(|one| one.id == *id) else {
                    return Said::absent("stack", id);
                };
                let components = match self.composed(asked) {
                    Ok(components) => components,
                    Err(refusal) => return refusal,
                };
                let Some(found) = self.stacks.get_mut(at) else {
                    return Said::absent("stack", id);
                };
                if method != "GET" && found.user.is_none() {
                    let message = "The default stack cannot be changed";
                    return Said::refusal(403, "IllegalOperationError", message);
                }
                match method {
                    "GET" => {}
                    "PUT" => {
                        if let Some(name) = asked.body.get("name").and_then(Value::as_str) {
                            name.clone_into(&mut found.name);
                        }
                        if let Some(components) = components {
                            found.components = components;
                        }
                        if let Some(labels) = asked.body.get("labels").and_then(Value::as_object) {
                            found.labels.clone_from(labels);
                        }
                    }
                    "DELETE" => {
                        self.stacks.remove(at);
                        return Said::ok(Value::Null);
                    }
                    _ => {
                        return Said {
                            status: 405,
                            body: json!({ "detail": "Method Not Allowed" }),
                        };
                    }
                }
                self.stacks
                    .get(at)
                    .map_or_else(|| Said::absent("stack", id), |one| Said::ok(self.stack(one)))
            }
            _ => Said { status: 404, body: json!({ "detail": "Not Found" }) },
        }
    }

    /// The components that a body names by id; nothing where it names none.
    fn composed(&self, asked: &Asked) -> Result<Option<BTreeMap<String, Vec<String>>>, Said> {
        let Some(given) = asked.body.get("components").and_then(Value::as_object) else {
            return Ok(None);
        };
        let mut components = BTreeMap::new();
        for (kind, ids) in given {
            let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
            let ids: Vec<String> = ids.map(str::to_owned).collect();
            let known = |id: &&String| self.components.iter().any(|one| one.id == **id);
            if let Some(missing) = ids.iter().find(|id| !known(id)) {
                return Err(Said::absent("component", missing));
            }
            components.insert(kind.clone(), ids);
        }
        let lacks = |kind: &str| components.get(kind).is_none_or(Vec::is_empty);
        if lacks("orchestrator") || lacks("artifact_store") {
            let message = "Value error, Stack must have an orchestrator and an artifact store.";
            return Err(Said::refusal(422, "ValueError", message));
        }
        Ok(Some(components))
    }

    fn make_stack(&mut self, asked: &Asked) -> Said {
        let name = asked.body.get("name").and_then(Value::as_str).unwrap_or_default();
        if self.stacks.iter().any(|one| one.name == name) {
            let message = format!("Found an existing stack with the same name '{name}'.");
            return Said::refusal(409, "EntityExistsError", message);
        }
        let components = match self.composed(asked) {
            Ok(components) => components.unwrap_or_default(),
            Err(refusal) => return refusal,
        };
        let labels = asked.body.get("labels").and_then(Value::as_object);
        let made = Stack {
            id: uuid(&*self.entropy),
            name: name.to_owned(),
            user: Some(self.me.clone()),
            components,
            labels: labels.cloned().unwrap_or_default(),
            created: self.now(),
        };
        let said = self.stack(&made);
        self.stacks.push(made);
        Said::ok(said)
    }

    fn stack(&self, stack: &Stack) -> Value {
        let components: Map<String, Value> = stack
            .components
            .iter()
            .map(|(kind, ids)| {
                let all = self.components.iter().filter(|one| ids.contains(&one.id));
                (kind.clone(), all.map(component).collect())
            })
            .collect();
        json!({
            "id": stack.id,
            "name": stack.name,
            "permission_denied": false,
            "body": { "created": stack.created, "updated": stack.created, "user_id": stack.user },
            "metadata": {
                "components": components, "description": "", "environment": {}, "secrets": [],
                "labels": stack.labels,
            },
            "resources": {},
        })
    }
}

fn version(faults: &ZenmlFaults) -> &str {
    faults.version.as_deref().unwrap_or("0.98.0")
}

/// What the S3 flavor refuses (captures 36a to 36e).
fn refused(flavor: &str, configuration: &Map<String, Value>) -> Option<Said> {
    if flavor != "s3" {
        return None;
    }
    let unknown: Vec<&str> =
        configuration.keys().map(String::as_str).filter(|key| !S3_SETTINGS.contains(key)).collect();
    if !unknown.is_empty() {
        let message = format!("Invalid configuration keys {unknown:?} for s3 artifact_store.");
        return Some(Said::refusal(400, "ValueError", message));
    }
    match configuration.get("path").and_then(Value::as_str) {
        None => Some(Said::refusal(422, "ValueError", "1 validation error: path Field required")),
        Some(path) if !path.starts_with("s3://") => {
            Some(Said::refusal(500, "RuntimeError", format!("{path} is no path of s3://")))
        }
        Some(_) => None,
    }
}
