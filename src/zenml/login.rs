//! What `zenml login` left on this machine: where the `zenml` of this user speaks to, and what
//! signs in there. Read, never written: ZenML rewrites these files without a lock.
//!
//! `config.yaml` names the store (`config/global_config.py`), `credentials.yaml` what signs in at
//! each server (`login/credentials.py`); `ZENML_STORE_…` variables overrule both. Seen with 0.98.

use std::path::PathBuf;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::lint::yaml;
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::model::connection::{ServerUrl, SignIn};
use crate::ports::env::Env;
use crate::ports::foreign_file::{self, place};

/// Where the `zenml` of this user speaks to.
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    /// What says so, showable: `~/.config/zenml/config.yaml`, or a variable.
    pub origin: String,
    /// Where.
    pub at: At,
    /// The active project, an id of that ZenML.
    pub active_project: Option<String>,
}

/// Where a `zenml` speaks to.
#[derive(Debug, PartialEq, Eq)]
pub enum At {
    /// A server.
    Server {
        /// Its URL.
        url: ServerUrl,
        /// What signs in there; a server on this machine may ask nobody. Of several the one that
        /// lasts longest: an API key, a password, a token.
        sign_in: Option<SignIn>,
    },
    /// A database of its own, which no server answers for.
    Database,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Nothing where ZenML was never used.
    pub login: Option<Login>,
    /// What was there and tells nothing: whole sentences, showable, that end in what to do.
    pub remarks: Vec<String>,
}

/// The folder of ZenML's own files (`utils/io_utils.py`, `click.get_app_dir`); nothing where there
/// is no home.
pub fn folder(env: &Env) -> Option<PathBuf> {
    if let Some(folder) = env.path("ZENML_CONFIG_PATH") {
        return Some(folder);
    }
    if cfg!(target_os = "macos") {
        return Some(env.path("HOME")?.join("Library/Application Support/zenml"));
    }
    let config = env.path("XDG_CONFIG_HOME").or_else(|| Some(env.path("HOME")?.join(".config")));
    Some(config?.join("zenml"))
}

/// Looks. Blocks on the disk.
pub fn read(env: &Env) -> Read {
    let mut remarks = Vec::new();
    let login = Files::new(env, &mut remarks).login();
    Read { login, remarks }
}

/// One look at the files and variables.
struct Files<'a> {
    env: &'a Env,
    remarks: &'a mut Vec<String>,
}

impl<'a> Files<'a> {
    fn new(env: &'a Env, remarks: &'a mut Vec<String>) -> Self {
        Self { env, remarks }
    }

    fn login(&mut self) -> Option<Login> {
        let config = self.mapping("config.yaml");
        let store = config.as_ref().and_then(|(_, config)| config.get("store")?.as_object());
        let of_store = |name: &str| store.and_then(|store| store.get(name)?.as_str());
        // either of the two puts the variables in place of the file's store
        let variable = ["ZENML_STORE_URL", "ZENML_STORE_TYPE"].into_iter();
        let variable = variable.into_iter().find(|name| self.env.get(name).is_some());
        let (origin, kind, url) = match (variable, &config) {
            (Some(variable), _) => {
                let (kind, url) = (self.env.get("ZENML_STORE_TYPE"), "ZENML_STORE_URL");
                (format!("the environment, {variable}"), kind, self.env.get(url))
            }
            (None, Some((place, _))) => (place.clone(), of_store("type"), of_store("url")),
            (None, None) => return None,
        };
        let is_http =
            url.is_some_and(|url| url.trim_start().to_ascii_lowercase().starts_with("http"));
        let at = match kind {
            Some("rest") => self.server(&origin, url.unwrap_or_default())?,
            None if is_http => self.server(&origin, url.unwrap_or_default())?,
            // a zenml that was used once and told nothing makes itself a database
            Some("sql") | None => At::Database,
            Some(other) => {
                let other = visible(other);
                self.remark(format!(
                    "{origin} names a store of the kind {other}, which osstack does not know: see \
                     zenml status, and sign in by hand, osstack zenml login URL"
                ));
                return None;
            }
        };
        let of_file = || config.as_ref()?.1.get("active_project_id")?.as_str();
        let project = self.env.get("ZENML_ACTIVE_PROJECT_ID").or_else(of_file);
        Some(Login { at, active_project: project.map(str::to_owned), origin })
    }

    fn server(&mut self, origin: &str, url: &str) -> Option<At> {
        match ServerUrl::parse(url) {
            Ok(url) => {
                let sign_in = self.sign_in_of_variables().or_else(|| self.sign_in(&url));
                Some(At::Server { url, sign_in })
            }
            Err(error) => {
                self.remark(format!("{origin} names no server: {error}"));
                None
            }
        }
    }

    fn sign_in_of_variables(&self) -> Option<SignIn> {
        let secret = |name: &str| Some(SecretString::new(self.env.get(name)?.to_owned()));
        if let Some(key) = secret("ZENML_STORE_API_KEY") {
            return Some(SignIn::ApiKey(key));
        }
        let user = self.env.get("ZENML_STORE_USERNAME")?.to_owned();
        let password = secret("ZENML_STORE_PASSWORD").or_else(|| {
            let is_empty = self.env.is_set("ZENML_STORE_PASSWORD");
            is_empty.then(|| SecretString::new(String::new()))
        })?;
        Some(SignIn::Password { user, password })
    }

    /// What `credentials.yaml` keeps for the server at `url`.
    fn sign_in(&mut self, url: &ServerUrl) -> Option<SignIn> {
        let (place, mut all) = self.mapping("credentials.yaml")?;
        let is_it = |key: &String| ServerUrl::parse(key).as_ref() == Ok(url);
        let key = all.keys().find(|key| is_it(key)).cloned()?;
        let Some(Value::Object(mut kept)) = all.remove(&key) else {
            self.remark(format!("{place} holds nothing readable for {url}: zenml login {url}"));
            return None;
        };
        let text = |of: &mut Map<String, Value>, name: &str| match of.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        if let Some(key) = text(&mut kept, "api_key").filter(|key| !key.is_empty()) {
            return Some(SignIn::ApiKey(SecretString::new(key)));
        }
        if let (Some(user), Some(password)) =
            (text(&mut kept, "username"), text(&mut kept, "password"))
        {
            return Some(SignIn::Password { user, password: SecretString::new(password) });
        }
        let Some(Value::Object(mut token)) = kept.remove("api_token") else { return None };
        let ends = text(&mut token, "expires_at");
        let token = text(&mut token, "access_token").filter(|token| !token.is_empty())?;
        Some(SignIn::Token {
            token: SecretString::new(token),
            expires_at: ends.as_deref().and_then(time),
        })
    }

    /// The mapping in a file of ZenML's folder, and where it is.
    fn mapping(&mut self, name: &str) -> Option<(String, Map<String, Value>)> {
        let path = folder(self.env)?.join(name);
        let file = match foreign_file::read(&path, self.env) {
            Ok(file) => file?,
            Err(error) => {
                self.remark(error.to_string());
                return None;
            }
        };
        let told = match yaml::parse(&file.text) {
            Ok(Some(Value::Object(mapping))) => return Some((file.place, mapping)),
            Ok(None) => return None,
            Ok(Some(_)) => "it holds no names and values".to_owned(),
            Err(error) => error.to_string(),
        };
        let place = place(&path, self.env);
        self.remark(format!(
            "{place} is not what ZenML writes ({told}): see zenml status, or sign in by hand, \
             osstack zenml login URL"
        ));
        None
    }

    fn remark(&mut self, sentence: String) {
        self.remarks.push(sentence);
    }
}

/// A time as pydantic writes it; one without a zone is UTC.
fn time(text: &str) -> Option<OffsetDateTime> {
    let bare = format_description!(
        version = 2,
        "[year]-[month]-[day][first [T] [ ]][hour]:[minute]:[second][optional [.[subsecond]]]"
    );
    let whole = OffsetDateTime::parse(text, &Rfc3339).ok();
    whole.or_else(|| Some(PrimitiveDateTime::parse(text, bare).ok()?.assume_utc()))
}

#[cfg(test)]
mod tests;
