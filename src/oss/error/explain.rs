//! What OSS's codes mean, and what to do. The table is `assets/explain.toml`, which also says where
//! each meaning comes from. It is asked by EC first, then by Code, then by status: an EC tells
//! apart what shares a Code.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Error, Kind, Link};
use crate::base::{nearest, visible::visible};

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub next: String,
}

/// What is known of one EC or Code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The EC (`0003-00001403`) or Code (`AccessDenied`).
    pub id: String,
    /// The Code that an EC comes with, where it is known.
    pub code: Option<String>,
    /// The HTTP status it comes with.
    pub status: u16,
    /// What a caller can do.
    pub kind: Kind,
    /// What it means: a sentence.
    pub meaning: String,
    /// What is usually behind it.
    pub cause: String,
    /// The next step.
    pub next: String,
    /// Where the meaning comes from.
    pub source: String,
}

impl Entry {
    /// Whether this is an EC rather than a Code.
    pub fn is_ec(&self) -> bool {
        self.id.as_bytes().first().is_some_and(u8::is_ascii_digit)
    }

    /// Alibaba's own page on an EC: the address that answers of OSS name as `RecommendDoc`.
    pub fn page(&self) -> Option<String> {
        self.is_ec().then(|| format!("https://api.alibabacloud.com/troubleshoot?q={}", self.id))
    }
}

/// Every entry: ECs by number, then Codes by name.
pub fn all() -> &'static [Entry] {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        #[serde(rename = "schema")]
        _schema: u32,
        entry: Vec<Entry>,
    }
    static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "built in; a test parses it")]
        let table: Table =
            toml::from_str(include_str!("../../../assets/explain.toml")).expect("explain.toml");
        table.entry
    });
    &TABLE
}

/// The entry of an EC or a Code, in any case.
pub fn lookup(code_or_ec: &str) -> Option<&'static Entry> {
    let id = code_or_ec.trim();
    all().iter().find(|entry| entry.id.eq_ignore_ascii_case(id))
}

/// The ECs that come with a Code.
pub fn ecs_of(code: &str) -> impl Iterator<Item = &'static Entry> {
    all().iter().filter(move |entry| entry.code.as_deref() == Some(code))
}

/// What `text`, which has no entry, was likely meant to be: the end of an EC, or a word that is
/// spelled much like it.
pub fn nearest(text: &str) -> Option<&'static Entry> {
    let text = text.trim();
    let is_tail = text.len() >= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let by_tail = all().iter().find(|entry| is_tail && entry.is_ec() && entry.id.ends_with(text));
    if by_tail.is_some() || text.len() > LONGEST {
        return by_tail;
    }
    let ids: Vec<String> = ids().map(str::to_ascii_lowercase).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    nearest::nearest(text, &ids).and_then(lookup)
}

/// Nothing longer than this is meant to be a code.
const LONGEST: usize = 64;

fn ids() -> impl Iterator<Item = &'static str> {
    all().iter().map(|entry| entry.id.as_str())
}

fn find(code: Option<&str>, ec: Option<&str>) -> Option<&'static Entry> {
    ec.and_then(lookup).or_else(|| code.and_then(lookup))
}

/// The kind of an answer.
pub(super) fn kind(status: u16, code: Option<&str>, ec: Option<&str>) -> Kind {
    if let Some(entry) = find(code, ec) {
        return entry.kind;
    }
    match status {
        // 200: an <Error> inside a good answer, which names a trouble of the server's own
        200 | 408 | 429 | 500..=599 => Kind::Retry,
        300..=399 => Kind::Settings,
        401 | 403 => Kind::Permission,
        404 => Kind::NotFound,
        409 | 412 => Kind::Precondition,
        _ => Kind::Refused,
    }
}

/// What `error` means, and what to do next.
pub(super) fn explain(error: &Error) -> Explanation {
    let explanation = meaning(error);
    match error.retry_after {
        Some(wait) if error.kind == Kind::Retry => {
            let next = format!("The server asks to wait {} s: try again then.", wait.as_secs());
            Explanation { next, ..explanation }
        }
        _ => explanation,
    }
}

fn meaning(error: &Error) -> Explanation {
    if let Some(entry) = find(error.code.as_deref(), error.ec.as_deref()) {
        let next = match &error.endpoint {
            Some(endpoint) if entry.kind == Kind::Settings => {
                let endpoint = visible(endpoint);
                format!("The bucket lies at {endpoint}: choose that region for this store.")
            }
            _ => entry.next.clone(),
        };
        return Explanation { meaning: entry.meaning.clone(), next };
    }
    let (meaning, next) = by_kind(error.kind);
    let next = match (&error.location, error.kind) {
        (Some(location), Kind::Settings) => {
            let location = visible(location);
            format!("It points to {location}; redirects are not followed. Correct the endpoint.")
        }
        _ => next.to_owned(),
    };
    Explanation { meaning: meaning.to_owned(), next }
}

fn by_kind(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Retry => (
            "The server is busy or failed on its side.",
            "Wait a little and try again; fewer calls at once help.",
        ),
        Kind::Credentials => (
            "The access key was refused.",
            "Copy the AccessKey ID again from the RAM console of Alibaba Cloud; keys of AWS do not work here.",
        ),
        Kind::Settings => {
            ("The server sends the request elsewhere.", "Check the store's region and endpoint.")
        }
        Kind::NotFound => {
            ("What was asked for is not there.", "Check the bucket's name and the key.")
        }
        Kind::Permission => (
            "The key may not do this.",
            "Ask the account's owner for a RAM policy that allows this action on this bucket.",
        ),
        Kind::Clock => (
            "This machine's clock is off.",
            "Set this machine's clock by a time server (timedatectl set-ntp true), then try again.",
        ),
        Kind::Network(Link::Dns) => (
            "The host name does not resolve.",
            "Check the region and the connection; -internal hosts exist inside Alibaba Cloud only.",
        ),
        Kind::Network(Link::Refused) => {
            ("Nothing listens at this address.", "Check the endpoint's host and port.")
        }
        Kind::Network(Link::Unreachable) => {
            ("There is no way to this address.", "Check the connection, VPN or firewall.")
        }
        Kind::Network(Link::Timeout) => (
            "The server does not answer in time.",
            "Check the connection or firewall; -internal hosts answer inside Alibaba Cloud only.",
        ),
        Kind::Network(Link::Tls) => (
            "There is no trusted https connection.",
            "Check the host name; behind a company proxy name its CA in OSSTACK_CA_FILE.",
        ),
        Kind::Network(Link::Proxy) => {
            ("The proxy did not let the request through.", "Check HTTPS_PROXY and NO_PROXY.")
        }
        Kind::Network(Link::Closed) => {
            ("The connection ended in the middle.", "Try again; a proxy or firewall may cut it.")
        }
        Kind::NotOss => (
            "What answered is not OSS.",
            "Open a web page to sign in to the network, or correct the endpoint.",
        ),
        Kind::Truncated => ("The answer is not complete.", "Try again."),
        Kind::TooLarge => (
            "The answer is larger than OSS ever sends.",
            "Check the endpoint: something else may be answering.",
        ),
        Kind::Precondition => {
            ("The object or bucket is not in the state expected.", "Read it again, then repeat.")
        }
        Kind::Refused => {
            ("The server refuses the request.", "Read its message; the request id helps support.")
        }
        Kind::Corrupt => (
            "The bytes do not match their checksum.",
            "Transfer it again; if it stays so, the object or the way to it is damaged.",
        ),
        Kind::Local => {
            ("This machine's disk refuses.", "Check free space, rights and the name of the file.")
        }
        Kind::Cancelled => ("It was stopped.", "Start it again when you like."),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_entry_stands_once_in_order_and_ends_in_what_to_do() {
        let ids: Vec<&str> = ids().collect();
        let sorted: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids, sorted.into_iter().collect::<Vec<_>>(), "each once, in order");
        let is_ec = |id: &str| {
            let (area, number) = id.split_once('-').unwrap_or_default();
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            area.len() == 4 && number.len() == 8 && digits(area) && digits(number)
        };
        for entry in all() {
            let id = &entry.id;
            assert_eq!(entry.is_ec(), is_ec(id), "{id}");
            assert!(entry.is_ec() || id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
            for sentence in [&entry.meaning, &entry.cause, &entry.next] {
                assert!(sentence.len() > 8 && sentence.ends_with('.'), "{id}: {sentence}");
                assert_eq!(sentence.trim(), sentence, "{id}");
            }
            assert!(!entry.source.is_empty() && (200..600).contains(&entry.status), "{id}");
            // the Code of an EC is explained too
            assert!(entry.code.as_deref().is_none_or(|code| lookup(code).is_some()), "{id}");
            assert!(entry.is_ec() || entry.code.is_none(), "{id}");
        }
    }

    #[test]
    fn nothing_that_the_sandbox_or_the_documentation_names_is_missing() {
        for id in [
            // replies quoted by users, and the pages of single ECs
            "0002-00000031",
            "0002-00000032",
            "0002-00000033",
            "0002-00000307",
            "0002-00000418",
            "0002-00000427",
            "0002-00000429",
            "0002-00000501",
            "0002-00000504",
            "0002-00000901",
            "0002-00000902",
            "0002-00000904",
            "0003-00000001",
            "0003-00000005",
            "0003-00000101",
            "0003-00000201",
            "0003-00000801",
            "0003-00000905",
            "0003-00000908",
            "0003-00001401",
            "0003-00001403",
            "0004-00000302",
            "0015-00000001",
            "0015-00000101",
            "0016-00000606",
            "0017-00000804",
            "0026-00000001",
            "0048-00000113",
            "0048-00000401",
            "AccessDenied",
            "BucketAlreadyExists",
            "InvalidAccessKeyId",
            "InvalidArgument",
            "InvalidObjectState",
            "MetaOperationQpsLimitExceeded",
            "MissingArgument",
            "NoSuchBucket",
            "NoSuchKey",
            "NoSuchUpload",
            "PermanentRedirect",
            "PublicEndpointForbidden",
            "QpsLimitExceeded",
            "RequestTimeTooSkewed",
            "SecondLevelDomainForbidden",
            "SecurityTokenExpired",
            "SignatureDoesNotMatch",
            "UserDisable",
        ] {
            assert!(lookup(id).is_some(), "{id}");
        }
    }

    #[test]
    fn the_ec_wins_over_the_code() {
        assert_eq!(kind(403, Some("AccessDenied"), Some("0003-00001403")), Kind::Settings);
        assert_eq!(kind(403, Some("AccessDenied"), Some("9999-00000000")), Kind::Permission);
        assert_eq!(kind(503, None, None), Kind::Retry);
    }

    #[test]
    fn what_is_mistyped_finds_its_entry() {
        let near = |text| nearest(text).map(|entry| entry.id.as_str());
        assert_eq!(lookup(" accessdenied ").map(|entry| entry.status), Some(403));
        assert_eq!(near("AccesDenied"), Some("AccessDenied"));
        assert_eq!(near("00001403"), Some("0003-00001403"));
        assert_eq!(near("0003-0001403"), Some("0003-00001403"));
        assert_eq!(near("weather"), None);
        assert_eq!(near(&"x".repeat(100_000)), None);
        assert_eq!(ecs_of("InvalidAccessKeyId").count(), 3);
    }
}
