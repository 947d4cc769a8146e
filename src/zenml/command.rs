//! A `ZenML` through the `zenml` command of an environment: the way to a local database, which has
//! no server.
//!
//! What is read comes from that environment's own Python: one process for as long as the client
//! lives and asks, which imports ZenML once and answers in the shape of the REST API. It takes
//! 300 MB, so it ends when nobody has asked for five minutes; the next question starts another, and
//! so does one after ZenML's configuration changed. A `zenml` command takes 3 to 7 s, shows a page
//! of a list, and prints a secret's values as a table or not at all.
//! What is written goes by the `zenml` command, the same that a plan shows; why not the deletion of
//! artifact versions is said in `command/artifacts.rs`.

mod artifacts;
mod words;
mod write;

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, OnceCell};
use zeroize::Zeroizing;

use super::login;
use super::rest::{Component, Error, Kind, Reference, Secret, ServerInfo, Stack, User, flavor};
use super::version::Version;
use crate::model::component_type::ComponentType;
use crate::model::flavor::Flavor;
use crate::ports::env::Env;
use crate::ports::process::{Dialog, Limits, ProcessError, Program, Surroundings};

/// The first use makes a database (17 s seen), every command imports ZenML (3 to 7 s); a list of
/// thousands of things with all their settings is some megabytes.
pub const LIMITS: Limits = Limits { time: Duration::from_mins(1), output: 64 << 20 };

/// What ZenML looks at to find its own files (`utils/io_utils.py`, `click.get_app_dir`), and what
/// keeps it from colours, questions and browsers.
const SURROUNDINGS: Surroundings = Surroundings {
    passed: &["ZENML_CONFIG_PATH", "XDG_CONFIG_HOME", "ZENML_REPOSITORY_PATH"],
    set: &[
        ("NO_COLOR", "1"),
        ("ZENML_LOGGING_COLORS_DISABLED", "true"),
        ("ZENML_ENABLE_RICH_TRACEBACK", "false"),
        ("ZENML_ANALYTICS_OPT_IN", "false"),
        ("AUTO_OPEN_DASHBOARD", "false"),
    ],
};

/// Variables that send a `zenml` elsewhere than its configuration says. They are not passed on,
/// since one of them is a key: with them osstack would speak with another ZenML than the user.
const REDIRECTIONS: [&str; 3] = ["ZENML_STORE_URL", "ZENML_STORE_TYPE", "ZENML_STORE_API_KEY"];

/// Answers questions, a line each.
const ANSWERS: &str = include_str!("command/answers.py");

/// What an answer begins with.
const MARK: &str = "osstack-answer:";

/// One `zenml` command; clones share the process that answers.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    command: PathBuf,
    env: Env,
    limits: Limits,
    /// The Python, while it can be asked.
    python: Mutex<Option<Python>>,
    info: OnceCell<ServerInfo>,
}

/// The process that answers.
struct Python {
    dialog: Dialog,
    /// ZenML's configuration as it was: ZenML reads it once.
    configuration: Option<Vec<u8>>,
}

impl Client {
    /// The `zenml` command at this path, or of this name on the `PATH`. Starts nothing yet.
    pub fn new(command: &str, env: &Env, limits: Limits) -> Self {
        Self(Arc::new(Shared {
            command: found(command, env),
            env: env.clone(),
            limits,
            python: Mutex::default(),
            info: OnceCell::new(),
        }))
    }

    /// Where the command is.
    pub fn path(&self) -> &Path {
        &self.0.command
    }

    /// Whether this user has used a `zenml` before: asking one that was never used makes a
    /// database.
    pub fn is_in_use(&self) -> bool {
        self.0.command.is_file() && self.configuration_file().is_some_and(|at| at.is_file())
    }

    fn configuration_file(&self) -> Option<PathBuf> {
        Some(login::folder(&self.0.env)?.join("config.yaml"))
    }

    fn configuration(&self) -> Option<Vec<u8>> {
        std::fs::read(self.configuration_file()?).ok()
    }

    /// What the ZenML behind the command says of itself, asked once. A ZenML that is too old is an
    /// error.
    pub async fn info(&self) -> Result<&ServerInfo, Error> {
        let info = self.0.info.get_or_try_init(|| async {
            // without importing it: the import is what fails in a broken environment
            let action = "ask which ZenML this is";
            let version = self.ask(action, "version", json!({})).await?;
            let version = version.as_str().and_then(Version::parse);
            let Some(version) = version else { return Err(unreadable(action)) };
            if version < Version::OLDEST {
                let message = format!(
                    "it has ZenML {version}, which is another: it takes {} or newer",
                    Version::OLDEST
                );
                return Err(Error::new(Kind::Unsupported, action, message));
            }
            let info = self.ask(action, "info", json!({})).await?;
            ServerInfo::read(&info).ok_or_else(|| unreadable(action))
        });
        info.await
    }

    /// The same where it was asked already.
    pub fn known_info(&self) -> Option<&ServerInfo> {
        self.0.info.get()
    }

    /// Who is signed in.
    pub async fn current_user(&self) -> Result<User, Error> {
        let action = "ask who is signed in";
        let body = self.read(action, "user", json!({})).await?;
        User::read(&body).ok_or_else(|| unreadable(action))
    }

    /// The secret that a store means by `name`, with its values: the public one; where there is
    /// none, this user's private one.
    pub async fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        let action = "read ZenML's secrets";
        match self.read(action, "secret", json!({ "name": name })).await? {
            Value::Null => Ok(None),
            body => Secret::take(body).map(Some).ok_or_else(|| unreadable(action)),
        }
    }

    /// The secret with this id, with its values; nothing where it is gone.
    pub async fn secret_by_id(&self, id: &str) -> Result<Option<Secret>, Error> {
        let action = "read ZenML's secrets";
        match self.read(action, "secret", json!({ "id": id })).await {
            Ok(body) => Secret::take(body).map(Some).ok_or_else(|| unreadable(action)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All components of a type; of every type where none is named.
    pub async fn components(&self, kind: Option<&str>) -> Result<Vec<Component>, Error> {
        self.all_components(json!({ "kind": kind })).await
    }

    /// The component `name` of a type.
    pub async fn component(&self, kind: &str, name: &str) -> Result<Option<Component>, Error> {
        let found = self.all_components(json!({ "kind": kind, "name": name })).await?;
        Ok(found.into_iter().find(|one| one.name == name && one.kind == kind))
    }

    async fn all_components(&self, which: Value) -> Result<Vec<Component>, Error> {
        let found = self.list("list ZenML's components", "components", which).await?;
        Ok(found.iter().filter_map(Component::read).collect())
    }

    /// The component with this id; nothing where it is gone.
    pub async fn component_by_id(&self, id: &str) -> Result<Option<Component>, Error> {
        let action = "read ZenML's components";
        match self.read(action, "component", json!({ "id": id })).await {
            Ok(body) => Component::read(&body).map(Some).ok_or_else(|| unreadable(action)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All stacks.
    pub async fn stacks(&self) -> Result<Vec<Stack>, Error> {
        self.all_stacks(json!({})).await
    }

    /// The stack `name`.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, Error> {
        let found = self.all_stacks(json!({ "name": name })).await?;
        Ok(found.into_iter().find(|stack| stack.name == name))
    }

    async fn all_stacks(&self, which: Value) -> Result<Vec<Stack>, Error> {
        let found = self.list("list ZenML's stacks", "stacks", which).await?;
        Ok(found.iter().filter_map(Stack::read).collect())
    }

    /// The stack with this id; nothing where it is gone.
    pub async fn stack_by_id(&self, id: &str) -> Result<Option<Stack>, Error> {
        let action = "read ZenML's stacks";
        match self.read(action, "stack", json!({ "id": id })).await {
            Ok(body) => Stack::read(&body).map(Some).ok_or_else(|| unreadable(action)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The stacks that use a component.
    pub async fn stacks_with(&self, component_id: &str) -> Result<Vec<Reference>, Error> {
        let found = self.all_stacks(json!({ "component": component_id })).await?;
        Ok(found.into_iter().map(|Stack { id, name, .. }| Reference { id, name }).collect())
    }

    /// The types of components that this ZenML has, those that stacks must have first.
    pub async fn component_types(&self) -> Result<Vec<ComponentType>, Error> {
        let body = self.read("list ZenML's component types", "types", json!({})).await?;
        Ok(flavor::types(&body))
    }

    /// The flavors of a type, or of all, with their settings: ZenML's own, and those that somebody
    /// registered there.
    pub async fn flavors(&self, kind: Option<ComponentType>) -> Result<Vec<Flavor>, Error> {
        let which = json!({ "kind": kind.map(ComponentType::as_str) });
        let found = self.list("list ZenML's flavors", "flavors", which).await?;
        Ok(found.iter().filter_map(flavor::read).collect())
    }

    /// Sets labels of a stack, and takes away those of null: the command line has no labels of
    /// stacks (0.98).
    async fn label_stack(&self, id: &str, labels: &Map<String, Value>) -> Result<(), Error> {
        let question = json!({ "id": id, "labels": labels });
        self.read("label ZenML's stack", "label_stack", question).await.map(drop)
    }

    async fn list(&self, action: &str, what: &str, which: Value) -> Result<Vec<Value>, Error> {
        match self.read(action, what, which).await? {
            Value::Array(found) => Ok(found),
            _ => Err(unreadable(action)),
        }
    }

    /// Asks once it is known to be a ZenML that can be asked.
    async fn read(&self, action: &str, what: &str, which: Value) -> Result<Value, Error> {
        self.info().await?;
        self.ask(action, what, which).await
    }

    async fn ask(&self, action: &str, what: &str, mut question: Value) -> Result<Value, Error> {
        if let Some(question) = question.as_object_mut() {
            question.retain(|_, value| !value.is_null());
            question.insert("ask".into(), json!(what));
        }
        let question = question.to_string();
        let mut kept = self.0.python.lock().await;
        kept.take_if(|python| python.configuration != self.configuration());
        let was_there = kept.is_some();
        let mut answer = self.put(&mut kept, action, &question).await?;
        if was_there && matches!(answer, Err(ProcessError::Mute)) {
            // it ended for want of questions; none does harm when it is asked twice
            *kept = None;
            answer = self.put(&mut kept, action, &question).await?;
        }
        let answer = answer.map_err(|error| failed(action, &self.python_shown(), &error));
        let answer = answer.and_then(|answer| match serde_json::from_slice(&answer) {
            Ok(Value::Object(answer)) => Ok(answer),
            _ => Err(unreadable(action)),
        });
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                *kept = None;
                return Err(error);
            }
        };
        if let Some(python) = &mut *kept {
            // the first use makes it
            python.configuration = self.configuration();
        }
        drop(kept);
        if let Some(answer) = answer.remove("answer") {
            return Ok(answer);
        }
        let error = answer.get("error").unwrap_or(&Value::Null);
        let kinds = error.get("kinds").and_then(Value::as_array).into_iter().flatten();
        let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        let class = kinds.first().copied().unwrap_or_default();
        let (_, said) = words::read(format!("{class}: {message}").as_bytes(), &[]);
        let kind = words::kind(&kinds, message);
        Err(if kind == Kind::Command {
            let message = format!("{} has no ZenML that works: {said}", self.python_shown());
            Error::new(kind, action, message)
        } else {
            Error::new(kind, action, said)
        })
    }

    /// Asks the Python, which is started where none runs.
    async fn put(
        &self,
        kept: &mut Option<Python>,
        action: &str,
        question: &str,
    ) -> Result<Result<Zeroizing<Vec<u8>>, ProcessError>, Error> {
        let python = match kept {
            Some(python) => python,
            none => none.insert(Python {
                configuration: self.configuration(),
                dialog: self.start(action)?,
            }),
        };
        Ok(python.dialog.ask(question, MARK).await)
    }

    /// Starts the Python that runs the command.
    fn start(&self, action: &str) -> Result<Dialog, Error> {
        let refuse = |message: String| Error::new(Kind::Command, action, message);
        let Shared { command, env, limits, .. } = &*self.0;
        if let Some(name) = REDIRECTIONS.iter().find(|name| env.get(name).is_some()) {
            return Err(refuse(format!(
                "{name} is set, so your zenml speaks with another ZenML than its configuration \
                 names: unset it, or sign in at that server, osstack zenml login URL"
            )));
        }
        let shown = command.display();
        match command.metadata() {
            Ok(about) if !about.is_file() => {
                return Err(refuse(format!("{shown} is no command")));
            }
            Ok(about) if about.permissions().mode() & 0o111 == 0 => {
                return Err(refuse(format!("{shown} is not executable")));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(refuse(format!("there is no command {shown}")));
            }
            Err(error) => return Err(refuse(format!("{shown} cannot be looked at: {error}"))),
        }
        let python = interpreter(command).ok_or_else(|| {
            refuse(format!("{shown} is no zenml command: no Python stands in it or beside it"))
        })?;
        let program = Program {
            path: python,
            arguments: ["-B", "-c", ANSWERS].map(str::to_owned).to_vec(),
            surroundings: SURROUNDINGS,
        };
        Dialog::start(&program, env, *limits)
            .map_err(|error| failed(action, &self.python_shown(), &error))
    }

    fn python_shown(&self) -> String {
        let python = interpreter(&self.0.command).unwrap_or_default();
        python.display().to_string()
    }
}

/// Why `program` came to no end that can be used.
fn failed(action: &str, program: &str, error: &ProcessError) -> Error {
    let message = match error {
        ProcessError::Start(error) if error.kind() == ErrorKind::NotFound => {
            format!("there is no command {program}")
        }
        ProcessError::Start(error) if error.kind() == ErrorKind::PermissionDenied => {
            format!("{program} is not executable")
        }
        error => format!("{program} {error}"),
    };
    Error::new(Kind::Command, action, message)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("command", &self.0.command).finish_non_exhaustive()
    }
}

fn unreadable(action: &str) -> Error {
    Error::new(Kind::Command, action, "the answer is none of ZenML's")
}

/// A name without a slash is looked for on the `PATH`, `~` is the home.
fn found(command: &str, env: &Env) -> PathBuf {
    if let (Some(rest), Some(home)) = (command.strip_prefix("~/"), env.path("HOME")) {
        return home.join(rest);
    }
    if command.contains('/') {
        return PathBuf::from(command);
    }
    let places = env.get("PATH").unwrap_or_default().split(':').filter(|place| !place.is_empty());
    let mut all = places.map(|place| Path::new(place).join(command));
    all.find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(command))
}

/// The Python that runs `command`: that of its first line (pip, pipx and uv write it there), else
/// the one beside it.
fn interpreter(command: &Path) -> Option<PathBuf> {
    let mut begin = Vec::new();
    File::open(command).ok()?.take(512).read_to_end(&mut begin).ok()?;
    let begin = String::from_utf8_lossy(&begin);
    let line = begin.lines().next().and_then(|line| line.strip_prefix("#!")).map(str::trim);
    let named = line.map(Path::new).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        path.is_absolute() && name.starts_with("python")
    });
    if let Some(named) = named {
        return Some(named.to_owned());
    }
    let real = command.canonicalize().ok()?;
    let folder = real.parent()?;
    ["python", "python3"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file())
}
