//! What goes wrong with a `ZenML` server, sorted by what can be done about it.

use std::fmt;

use serde_json::Value;

use crate::ports::network::fault::FaultKind;

/// What a caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The server was not reached, or the connection broke.
    Network,
    /// The server is busy or broke: the same call may succeed later.
    Server,
    /// What answers is not `ZenML`'s API: a login page, a proxy, another program.
    NotZenml,
    /// Nobody is signed in, or the key, password or token is not taken.
    SignIn,
    /// The token that was kept has ended, and nothing is there to get another one with.
    TokenEnded,
    /// Signed in, and not allowed to.
    Denied,
    /// There is no such thing.
    NotFound,
    /// The name is taken, or the thing is in use.
    Conflict,
    /// The server refuses what it was told.
    Refused,
    /// The server is of a kind or version that osstack does not speak to.
    Unsupported,
    /// The `zenml` command is not there, is none, or does not do what one does.
    Command,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What the caller can do.
    pub kind: Kind,
    /// What was tried: `read the stacks`.
    pub action: String,
    /// What is wrong: the server's words where they are safe to show, else ours. Not made
    /// showable yet.
    pub message: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// The server's name for the call, for its log.
    pub request_id: Option<String>,
    /// Whether the server may have done what it was asked though its answer was lost.
    pub may_be_done: bool,
}

impl Error {
    /// An error without an answer.
    pub fn new(kind: Kind, action: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            action: action.into(),
            message: message.into(),
            status: None,
            request_id: None,
            may_be_done: false,
        }
    }

    /// The next step.
    pub fn next(&self) -> &'static str {
        match self.kind {
            Kind::Network => {
                "check the URL (osstack zenml status) and that the server runs, then try again"
            }
            Kind::Server => "try again in a while; the server's log says more",
            Kind::NotZenml => {
                "open the URL in a browser: behind a login page or proxy, use the address of the \
                 server itself"
            }
            Kind::SignIn => "sign in again: osstack zenml login",
            Kind::TokenEnded => {
                "sign in anew: zenml login, then osstack zenml login --found; or osstack zenml \
                 login URL --device"
            }
            Kind::Denied => "sign in as somebody who may: osstack zenml login",
            Kind::NotFound => "plan again: somebody may have deleted it",
            Kind::Conflict => "plan again: somebody may have changed it",
            Kind::Refused => "correct what it names and plan again",
            Kind::Unsupported => "osstack plan NAME --script works with any ZenML",
            Kind::Command => {
                "see what zenml status says in that environment, then name its command: osstack \
                 zenml login --command PATH"
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.action, self.message)
    }
}

impl std::error::Error for Error {}

/// The kind that a status stands for (`zen_server/exceptions.py`, 0.98).
pub(super) fn kind_of(status: u16) -> Kind {
    match status {
        401 => Kind::SignIn,
        403 => Kind::Denied,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        408 | 425 | 429 | 500..=599 => Kind::Server,
        _ => Kind::Refused,
    }
}

/// The server's words, out of any of its three shapes: `{"detail": [name, message]}`,
/// `{"detail": "text"}` and a bare `[name, message]`; or `OAuth`'s `error_description`.
pub(super) fn words(body: &Value) -> Option<String> {
    let detail = body.get("detail").unwrap_or(body);
    let text = match detail {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.get(1).or_else(|| parts.first())?.as_str()?.to_owned(),
        Value::Object(object) => {
            let said = object.get("error_description").or_else(|| object.get("error"))?;
            said.as_str()?.to_owned()
        }
        _ => return None,
    };
    // a KeyError's message is the quoted repr of a text; validation goes on for pages
    let text = text.trim().trim_matches(['\'', '"']);
    let first = text.lines().next().unwrap_or(text).trim();
    let short: String = first.chars().take(300).collect();
    (!short.is_empty()).then_some(short)
}

/// Whether a broken exchange certainly reached nobody.
pub(super) fn was_never_sent(kind: FaultKind) -> bool {
    use std::io::ErrorKind as Io;
    match kind {
        FaultKind::Proxy | FaultKind::Dns | FaultKind::Tls => true,
        FaultKind::Io(kind) => matches!(
            kind,
            Io::ConnectionRefused
                | Io::HostUnreachable
                | Io::NetworkUnreachable
                | Io::AddrNotAvailable
        ),
        FaultKind::LongHead | FaultKind::NotHttp | FaultKind::Closed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_shapes_of_errors_are_read() {
        let read = |body: Value| words(&body);
        assert_eq!(read(json!({"detail": ["KeyError", "'no such'"]})).unwrap(), "no such");
        assert_eq!(read(json!({"detail": "Not authenticated"})).unwrap(), "Not authenticated");
        assert_eq!(read(json!(["ValueError", "bad\nmore"])).unwrap(), "bad");
        let device = json!({"error": "authorization_pending", "error_description": "pending"});
        assert_eq!(read(device).unwrap(), "pending");
        for none in [json!({}), json!({"detail": []}), json!(3), json!({"detail": {"a": 1}})] {
            assert_eq!(words(&none), None, "{none}");
        }
    }
}
