//! Connections to `ZenML`: a server over REST, or the `zenml` command of an environment.

use std::fmt;

use time::OffsetDateTime;

use super::field::{FieldError, note};
use super::name::Name;
use crate::base::secret_string::SecretString;

/// A way to one `ZenML`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its name, as stacks name it.
    pub name: Name,
    /// How it is reached.
    pub way: Way,
    /// The project whose runs and artifacts are shown; the server's default where none is named.
    pub project: Option<String>,
}

/// How a `ZenML` is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over REST.
    Server(ServerUrl),
    /// Through the `zenml` command at this path, with whatever that environment is connected to:
    /// for a local database, which has no server.
    Command(String),
}

impl Way {
    /// Whether it answers at once: a command takes seconds for each question.
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    /// As it is shown: the URL, or the command's path.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Server(url) => url.as_str(),
            Self::Command(path) => path,
        }
    }
}

/// Where a server answers: `https://zenml.example.com`, without `/api/v1`, user, query and the
/// slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerUrl(String);

/// Why a text is no server's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerUrlError {
    /// Nothing.
    #[error("the URL of the ZenML server is needed, for example https://zenml.example.com")]
    Blank,
    /// No scheme that a server is reached by.
    #[error("a ZenML server is reached by https:// or http://: write the URL whole")]
    Scheme,
    /// No host.
    #[error("the URL names no host: write it as the browser shows it, https://zenml.example.com")]
    Host,
    /// `user:password@`.
    #[error("leave user and password out of the URL: osstack asks for them and seals them")]
    User,
    /// `?` or `#`.
    #[error("leave out what follows ? or #: the URL ends at the server's path")]
    Query,
    /// A blank, a control or a character that no URL holds as it is.
    #[error("the URL holds a blank or a character that no URL has: paste it again")]
    Character,
}

impl ServerUrl {
    /// The URL in `text`, as a browser or `zenml status` shows it.
    pub fn parse(text: &str) -> Result<Self, ServerUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ServerUrlError::Blank);
        }
        if text.chars().any(|c| !c.is_ascii_graphic() || "\"'`<>\\{}|^".contains(c)) {
            return Err(ServerUrlError::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(ServerUrlError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "https" && scheme != "http" {
            return Err(ServerUrlError::Scheme);
        }
        if rest.contains(['?', '#']) {
            return Err(ServerUrlError::Query);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(ServerUrlError::User);
        }
        let authority = authority.to_ascii_lowercase();
        let parsed: http::uri::Authority = authority.parse().map_err(|_| ServerUrlError::Host)?;
        let no_port = parsed.port_u16().is_none() && authority.rsplit(']').next() != Some("");
        if parsed.host().is_empty() || (no_port && parsed.host() != authority) {
            return Err(ServerUrlError::Host);
        }
        // people paste what the browser shows, or the address of the API
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("api/v1").unwrap_or(path).trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self(format!("{scheme}://{authority}{slash}{path}")))
    }

    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for a connection there: the first part of the host's, as far as it is a name.
    pub fn short_name(&self) -> &str {
        let host = self.0.split("://").nth(1).unwrap_or_default();
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
        let first = host.split('.').next().unwrap_or_default();
        if is_address || Name::parse(first).is_err() { "zenml" } else { first }
    }

    /// Whether what is sent can be read on the way: plain http to another machine.
    pub fn is_readable_on_the_way(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else { return false };
        let authority = rest.split('/').next().unwrap_or(rest);
        let host = match authority.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or(six),
            None => authority.split(':').next().unwrap_or(authority),
        };
        let is_here = host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        !is_here
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a form, a file or a command line holds of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionDraft {
    /// Connection name.
    pub name: String,
    /// URL of the server; empty where the command is the way.
    pub url: String,
    /// Path of the `zenml` command; empty where the server is the way.
    pub command: String,
    /// The project, empty for the server's default.
    pub project: String,
}

impl ConnectionDraft {
    /// The connection, or everything that is wrong.
    pub fn validate(&self) -> Result<Connection, Vec<FieldError>> {
        let mut problems = Vec::new();
        let name = note(&mut problems, "name", Name::parse(&self.name));
        let way = match (self.url.trim(), self.command.trim()) {
            (_, "") => note(&mut problems, "url", ServerUrl::parse(&self.url)).map(Way::Server),
            ("", command) if command.contains('\0') => {
                problems.push(FieldError::new("command", "a path holds no NUL: type it again"));
                None
            }
            ("", command) => Some(Way::Command(command.to_owned())),
            _ => {
                let message = "a connection has a url or a command, not both: take one out";
                problems.push(FieldError::new("command", message));
                None
            }
        };
        match (name, way) {
            (Some(name), Some(way)) if problems.is_empty() => Ok(Connection {
                name,
                way,
                project: Some(self.project.trim().to_owned()).filter(|text| !text.is_empty()),
            }),
            _ => Err(problems),
        }
    }
}

impl From<&Connection> for ConnectionDraft {
    fn from(connection: &Connection) -> Self {
        let (url, command) = match &connection.way {
            Way::Server(url) => (url.to_string(), String::new()),
            Way::Command(path) => (String::new(), path.clone()),
        };
        let project = connection.project.clone().unwrap_or_default();
        Self { name: connection.name.to_string(), url, command, project }
    }
}

/// What signs in at a server; kept in the keystore under the connection's name.
#[derive(PartialEq, Eq)]
pub enum SignIn {
    /// The key of a service account, `ZENKEY_…`.
    ApiKey(SecretString),
    /// A user's name and password.
    Password {
        /// The name.
        user: String,
        /// May be empty: a server fresh from its installation has such a user.
        password: SecretString,
    },
    /// A bearer token that the server gave to this device, or that `zenml login` got.
    Token {
        /// The token.
        token: SecretString,
        /// When it ends, where the server said so.
        expires_at: Option<OffsetDateTime>,
    },
}

impl SignIn {
    /// The word in files and in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api-key",
            Self::Password { .. } => "password",
            Self::Token { .. } => "token",
        }
    }

    /// A second copy, wiped on its own.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::ApiKey(key) => Self::ApiKey(key.duplicate()),
            Self::Password { user, password } => {
                Self::Password { user: user.clone(), password: password.duplicate() }
            }
            Self::Token { token, expires_at } => {
                Self::Token { token: token.duplicate(), expires_at: *expires_at }
            }
        }
    }
}

impl fmt::Debug for SignIn {
    /// The kind alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_as_people_paste_them() {
        for (typed, kept) in [
            ("https://zenml.example.com", "https://zenml.example.com"),
            (" HTTPS://Zenml.Example.com/ ", "https://zenml.example.com"),
            ("http://127.0.0.1:8237/api/v1/", "http://127.0.0.1:8237"),
            ("https://x.org/zenml/", "https://x.org/zenml"),
            ("http://[::1]:80/a/api/v1", "http://[::1]:80/a"),
            ("http://[::1]", "http://[::1]"),
        ] {
            let url = ServerUrl::parse(typed).map(|url| url.to_string());
            assert_eq!(url.as_deref(), Ok(kept), "{typed}");
        }
    }

    #[test]
    fn urls_that_are_none_are_named() {
        use ServerUrlError as E;
        for (typed, error) in [
            ("", E::Blank),
            ("zenml.example.com", E::Scheme),
            ("ftp://x", E::Scheme),
            ("https:///x", E::Host),
            ("https://x:port", E::Host),
            ("https://me:pw@x", E::User),
            ("https://x/?a=b", E::Query),
            ("https://x/a b", E::Character),
        ] {
            assert_eq!(ServerUrl::parse(typed), Err(error), "{typed}");
        }
    }

    #[test]
    fn plain_http_is_private_on_this_machine_alone() {
        let readable = |text: &str| ServerUrl::parse(text).unwrap().is_readable_on_the_way();
        for here in ["http://localhost:8237", "http://127.0.0.1", "http://[::1]:9", "https://x"] {
            assert!(!readable(here), "{here}");
        }
        assert!(readable("http://zenml.internal"));
    }

    #[test]
    fn a_connection_is_called_after_its_host() {
        for (url, name) in [
            ("https://zenml-prod.example.com/x", "zenml-prod"),
            ("http://127.0.0.1:8237", "zenml"),
            ("http://[::1]:80", "zenml"),
            ("http://localhost:8237", "localhost"),
            ("http://-x.example.com", "zenml"),
        ] {
            assert_eq!(ServerUrl::parse(url).unwrap().short_name(), name, "{url}");
        }
    }

    #[test]
    fn a_connection_has_one_way() {
        let mut draft = ConnectionDraft { name: "prod".into(), ..ConnectionDraft::default() };
        let fields = |draft: &ConnectionDraft| -> Vec<_> {
            draft.validate().unwrap_err().iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(&draft), ["url"]);
        draft.command = "/venv/bin/zenml".into();
        let connection = draft.validate().unwrap();
        assert_eq!(ConnectionDraft::from(&connection), draft);
        draft.url = "https://zenml.example.com".into();
        assert_eq!(fields(&draft), ["command"]);
    }

    #[test]
    fn debug_shows_no_sign_in() {
        let key = SignIn::ApiKey(SecretString::new("canary".into()));
        assert_eq!(format!("{key:?}"), "api-key");
    }
}
