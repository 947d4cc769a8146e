//! What goes wrong with OSS, sorted by what can be done about it.

pub mod explain;

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use serde::Deserialize;

use super::object::Meta;
use super::xml;
use crate::base::visible::visible;

pub use explain::Explanation;

/// What a caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The server is busy or broke: the same call may succeed later.
    Retry,
    /// The access key is unknown, disabled, expired, or its secret is wrong.
    Credentials,
    /// Region, endpoint, addressing or signature do not fit the bucket.
    Settings,
    /// Bucket, object or upload is not there.
    NotFound,
    /// The key is right and may not do this.
    Permission,
    /// This machine's clock is off.
    Clock,
    /// The server was not reached, or the connection broke.
    #[serde(skip)]
    Network(Link),
    /// What answered is not OSS: a login portal, a proxy's page, an empty body.
    NotOss,
    /// The answer ended before it was complete.
    Truncated,
    /// The answer is larger than such an answer can be.
    TooLarge,
    /// `If-Match` or forbid-overwrite did not hold.
    Precondition,
    /// The server refuses the request as it stands.
    Refused,
    /// The bytes are not those the checksum names.
    Corrupt,
    /// This machine's disk: no space, no right, a name in use.
    Local,
    /// Stopped by the user.
    Cancelled,
}

/// Where on the way to the server it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// The host name does not resolve.
    Dns,
    /// Nothing listens there.
    Refused,
    /// No route.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The certificate, or the handshake.
    Tls,
    /// The proxy.
    Proxy,
    /// The connection ended in the middle.
    Closed,
}

impl Kind {
    /// The word in `explain.toml` and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Credentials => "credentials",
            Self::Settings => "settings",
            Self::NotFound => "not-found",
            Self::Permission => "permission",
            Self::Clock => "clock",
            Self::Network(_) => "network",
            Self::NotOss => "not-oss",
            Self::Truncated => "truncated",
            Self::TooLarge => "too-large",
            Self::Precondition => "precondition",
            Self::Refused => "refused",
            Self::Corrupt => "corrupt",
            Self::Local => "local",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A failed call. Cheap to move; the parts are those of [`Details`].
#[derive(Clone, PartialEq)]
pub struct Error(Box<Details>);

/// What is known about a failure. Texts are the server's own, unfiltered:
/// show them through [`visible`].
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// What a caller can do.
    pub kind: Kind,
    /// What was being done: `list objects`.
    pub action: &'static str,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
    /// `<Code>`, for example `AccessDenied`.
    pub code: Option<String>,
    /// `<EC>`, OSS's own finer code: `0003-00001403`.
    pub ec: Option<String>,
    /// The server's words, or ours where none came.
    pub message: String,
    /// For Alibaba's support.
    pub request_id: Option<String>,
    /// The host as the server saw it; an echo, never advice.
    pub host_id: Option<String>,
    /// `<Endpoint>`: where the bucket really lies, for EC 0003-00001403.
    pub endpoint: Option<String>,
    /// Where a redirect points; never followed.
    pub location: Option<String>,
    /// What the server signed, for a signature that does not match; tokens are cut out.
    pub string_to_sign: Option<String>,
    /// What we signed, in the same case.
    pub our_string_to_sign: Option<String>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The answer's facts, where one came; its date shows the server's clock.
    pub meta: Option<Meta>,
}

impl Error {
    /// A failure without an answer from the server.
    pub fn new(kind: Kind, action: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            action,
            status: None,
            code: None,
            ec: None,
            message: message.into(),
            request_id: None,
            host_id: None,
            endpoint: None,
            location: None,
            string_to_sign: None,
            our_string_to_sign: None,
            retry_after: None,
            meta: None,
        }))
    }

    /// The user stopped it.
    pub fn cancelled(action: &'static str) -> Self {
        Self::new(Kind::Cancelled, action, "stopped")
    }

    /// The failure that an answer with a bad status, or with `<Error>` in it, describes.
    pub(super) fn from_answer(
        action: &'static str,
        meta: Meta,
        location: Option<String>,
        body: &[u8],
    ) -> Self {
        let status = meta.status;
        let mut error = Self::new(Kind::Refused, action, String::new());
        let details = &mut error.0;
        details.status = Some(status);
        details.request_id.clone_from(&meta.request_id);
        details.ec.clone_from(&meta.ec);
        details.location = location;
        details.meta = Some(meta);
        match xml::read(body, "Error") {
            Ok(root) => {
                let text = |name| root.text_of(name).map(ToOwned::to_owned);
                details.code = text("Code");
                details.ec = text("EC").or(details.ec.take());
                details.message = text("Message").unwrap_or_default();
                details.request_id = text("RequestId").or(details.request_id.take());
                details.host_id = text("HostId");
                details.endpoint = text("Endpoint");
                details.string_to_sign = text("StringToSign").map(|text| without_token(&text));
            }
            Err(_) if is_web_page(body) => {
                details.kind = Kind::NotOss;
                WEB_PAGE.clone_into(&mut details.message);
                return error;
            }
            Err(_) => {}
        }
        if details.message.is_empty() {
            details.message = format!("the server answers with status {status}");
        }
        details.kind = explain::kind(status, details.code.as_deref(), details.ec.as_deref());
        error
    }

    /// Adds what we signed, where the server says that the signature differs.
    pub(super) fn with_signed_text(mut self, text: &str) -> Self {
        if self.code.as_deref() == Some("SignatureDoesNotMatch") {
            self.0.our_string_to_sign = Some(without_token(text));
        }
        self
    }

    pub(super) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(super) fn with_meta(mut self, meta: Meta) -> Self {
        self.0.status = Some(meta.status);
        self.0.request_id.clone_from(&meta.request_id);
        self.0.meta = Some(meta);
        self
    }

    /// The same failure of another action: of the call that was repeated to learn more.
    pub(super) fn of_action(mut self, action: &'static str) -> Self {
        self.0.action = action;
        self
    }

    /// Whether an answer came without the body that would say why, as after a HEAD: neither
    /// `Code` nor `EC`, or an `EC` that calls for an `<Endpoint>`.
    pub(super) fn is_silent(&self) -> bool {
        let says_enough = self.ec.is_some() && !self.is_elsewhere();
        self.status.is_some() && self.code.is_none() && !says_enough
    }

    /// Whether the bucket lies at another endpoint than the one that was asked.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.ec.as_deref() == Some(ELSEWHERE)
    }

    /// What it means and what to do next.
    pub fn explain(&self) -> Explanation {
        explain::explain(self)
    }
}

/// The EC of a request for a bucket of another region.
const ELSEWHERE: &str = "0003-00001403";

pub(super) const WEB_PAGE: &str = "this is not an OSS reply but a web page (a login portal?)";

/// Whether `body` begins as HTML does.
pub(super) fn is_web_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let begins =
        |text: &[u8]| start.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
    begins(b"<!doctype html") || begins(b"<html")
}

/// S3 V2 signs the session token, so the text holds it in clear.
fn without_token(text: &str) -> String {
    let mut lines = text.lines().map(|line| {
        if line.starts_with("x-amz-security-token:") {
            "x-amz-security-token:[redacted]"
        } else {
            line
        }
    });
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + "\n" + line)
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.action, visible(&self.message))?;
        if let Some(code) = &self.code {
            write!(f, " ({}", visible(code))?;
            if let Some(ec) = &self.ec {
                write!(f, ", EC {}", visible(ec))?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Error {
        let meta = Meta { status, ..Meta::default() };
        Error::from_answer("list objects", meta, None, body.as_bytes())
    }

    #[test]
    fn the_endpoint_element_is_the_advice() {
        let error = answer(
            403,
            "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>The bucket you are \
             attempting to access must be addressed using the specified endpoint.</Message>\
             <RequestId>65A1</RequestId><HostId>b.oss-cn-hangzhou.aliyuncs.com</HostId>\
             <Bucket>b</Bucket><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>\
             <EC>0003-00001403</EC></Error>",
        );
        assert_eq!(error.kind, Kind::Settings);
        assert_eq!(error.endpoint.as_deref(), Some("oss-cn-beijing.aliyuncs.com"));
        assert!(error.explain().next.contains("oss-cn-beijing.aliyuncs.com"));
        let other = answer(403, "<Error><Code>AccessDenied</Code><EC>0003-00000001</EC></Error>");
        assert_eq!(other.kind, Kind::Permission);
    }

    #[test]
    fn a_web_page_is_not_oss_whatever_its_status() {
        assert_eq!(answer(403, "<!DOCTYPE HTML><p>").kind, Kind::NotOss);
        assert_eq!(answer(404, "").kind, Kind::NotFound);
        assert_eq!(answer(503, "busy").kind, Kind::Retry);
    }

    #[test]
    fn tokens_are_cut_out_of_what_was_signed() {
        let text = "GET\n\n\nDate\nx-amz-security-token:canary\n/b/";
        let body = format!(
            "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>{text}</StringToSign></Error>"
        );
        let error = answer(403, &body).with_signed_text(text);
        assert_eq!(error.kind, Kind::Credentials);
        assert_eq!(error.string_to_sign, error.our_string_to_sign);
        assert!(!format!("{error:?}").contains("canary"));
    }

    #[test]
    fn control_characters_of_the_server_do_not_reach_the_screen() {
        let error = answer(400, "<Error><Code>X</Code><Message>a&#27;[2Jb</Message></Error>");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
