//! What OSS's codes mean, and what to do. Asked by EC first, then by Code,
//! then by status: an EC tells apart what shares a Code (facts: OSS's own
//! documentation of EC codes, and replies that users quoted).

use super::{Error, Kind, Link};

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub next: String,
}

struct Row {
    /// EC, or Code.
    key: &'static str,
    kind: Kind,
    meaning: &'static str,
    next: &'static str,
}

const fn row(key: &'static str, kind: Kind, meaning: &'static str, next: &'static str) -> Row {
    Row { key, kind, meaning, next }
}

const WRONG_KEY: &str = "Copy the AccessKey ID again from the RAM console of Alibaba Cloud; keys of AWS do not work here.";
const WRONG_SECRET: &str = "Enter the AccessKey secret again: no blanks, all 30 characters. If it is right, a proxy may be rewriting headers.";
const ASK_RAM: &str =
    "Ask the account's owner for a RAM policy that allows this action on this bucket.";
const OTHER_SIGNATURE: &str = "Choose the other signature for this store (v2 or v4), or ask Alibaba's support to switch this one on.";
const CLOCK: &str =
    "Set this machine's clock by a time server (timedatectl set-ntp true), then try again.";
const PAY: &str = "Sign in to the Alibaba Cloud console: activate OSS, or settle the account.";
const WAIT: &str = "Wait a little and try again; fewer calls at once help.";
const ENDPOINT: &str = "Choose the region of the bucket for this store.";
const TOKEN: &str = "Fetch a new temporary key and enter id, secret and token together.";

/// By EC.
const BY_EC: &[Row] = &[
    row(
        "0003-00001401",
        Kind::Settings,
        "The bucket stood in the path; OSS wants it in front of the host.",
        "Set addressing_style to virtual in the tool that sent this; osstack always does.",
    ),
    row(
        "0003-00001403",
        Kind::Settings,
        "The bucket lies in another region than the endpoint.",
        ENDPOINT,
    ),
    row(
        "0048-00000401",
        Kind::Settings,
        "Accounts opened since March 2025 cannot reach objects in mainland China by public endpoints.",
        "Use the internal endpoint from inside Alibaba Cloud, bind a custom domain to the bucket, or take a region outside the mainland.",
    ),
    row("0002-00000902", Kind::Credentials, "OSS does not know this AccessKey ID.", WRONG_KEY),
    row(
        "0002-00000901",
        Kind::Credentials,
        "The AccessKey ID holds characters that no key has.",
        WRONG_KEY,
    ),
    row(
        "0002-00000904",
        Kind::Credentials,
        "The access key is disabled, or not allowed from this address.",
        "Enable the key in the RAM console, or lift its network restriction.",
    ),
    row(
        "0002-00000307",
        Kind::Credentials,
        "The signature does not match: the secret is wrong.",
        WRONG_SECRET,
    ),
    row(
        "0002-00000429",
        Kind::Credentials,
        "The signature does not match: the secret is wrong.",
        WRONG_SECRET,
    ),
    row(
        "0002-00000031",
        Kind::Settings,
        "S3 signatures are switched off for this account.",
        OTHER_SIGNATURE,
    ),
    row(
        "0002-00000032",
        Kind::Settings,
        "Signature S3 V2 is switched off for this account.",
        OTHER_SIGNATURE,
    ),
    row(
        "0002-00000033",
        Kind::Settings,
        "Signature S3 V4 is switched off for this account.",
        OTHER_SIGNATURE,
    ),
    row("0002-00000501", Kind::Clock, "This machine's clock is more than 15 minutes off.", CLOCK),
    row("0002-00000504", Kind::Clock, "This machine's clock is more than 15 minutes off.", CLOCK),
    row(
        "0002-00000418",
        Kind::Clock,
        "The signed link has expired.",
        "Make a new link; 7 days is the longest with S3 V4.",
    ),
    row(
        "0003-00000001",
        Kind::Permission,
        "The bucket belongs to another account, or its policy refuses this key.",
        "Check the bucket's name and the key's account.",
    ),
    row("0003-00000005", Kind::Permission, "The object's access list refuses this key.", ASK_RAM),
    row("0003-00000101", Kind::Permission, "The bucket's policy refuses this key.", ASK_RAM),
    row("0003-00000201", Kind::Permission, "A RAM policy denies this action.", ASK_RAM),
    row(
        "0003-00000905",
        Kind::Permission,
        "The key lacks the right, or the call was anonymous.",
        ASK_RAM,
    ),
    row(
        "0003-00000801",
        Kind::Permission,
        "The account is blocked: unpaid, OSS not activated, or the RAM user disabled.",
        PAY,
    ),
    row("0003-00000908", Kind::Permission, "The bucket is blocked or unpaid.", PAY),
    row(
        "0017-00000804",
        Kind::Settings,
        "The upload came in aws-chunked pieces, which OSS refuses.",
        "Use signature v2, or set request_checksum_calculation to when_required in the tool that sent it.",
    ),
    row(
        "0016-00000606",
        Kind::Refused,
        "Deleting many objects needs Content-MD5.",
        "Update the tool that sent this; osstack always sends it.",
    ),
    row("0004-00000302", Kind::Retry, "The account sends too many requests.", WAIT),
    row(
        "0048-00000113",
        Kind::Settings,
        "Default domains deliver files as downloads only.",
        "Bind a custom domain to the bucket to open files in a web browser.",
    ),
];

/// By Code.
const BY_CODE: &[Row] = &[
    row(
        "SecondLevelDomainForbidden",
        Kind::Settings,
        "The bucket stood in the path; OSS wants it in front of the host.",
        "Set addressing_style to virtual in the tool that sent this; osstack always does.",
    ),
    row(
        "PublicEndpointForbidden",
        Kind::Settings,
        "This account cannot reach objects by the public endpoint.",
        "Use the internal endpoint from inside Alibaba Cloud, bind a custom domain to the bucket, or take a region outside the mainland.",
    ),
    row("PermanentRedirect", Kind::Settings, "The bucket lies in another region.", ENDPOINT),
    row("InvalidAccessKeyId", Kind::Credentials, "OSS does not know this access key.", WRONG_KEY),
    row(
        "SignatureDoesNotMatch",
        Kind::Credentials,
        "The signature does not match: the secret is wrong.",
        WRONG_SECRET,
    ),
    row("InvalidSecurityToken", Kind::Credentials, "The session token is not valid.", TOKEN),
    row("SecurityTokenExpired", Kind::Credentials, "The temporary key has expired.", TOKEN),
    row(
        "AccessKeyIdAndSecurityTokenNotMatch",
        Kind::Credentials,
        "Access key and session token do not belong together.",
        TOKEN,
    ),
    row(
        "RequestTimeTooSkewed",
        Kind::Clock,
        "This machine's clock is more than 15 minutes off.",
        CLOCK,
    ),
    row("AccessDenied", Kind::Permission, "The key may not do this.", ASK_RAM),
    row(
        "UserDisable",
        Kind::Permission,
        "The account is blocked: unpaid, OSS not activated, or the RAM user disabled.",
        PAY,
    ),
    row("BucketDisable", Kind::Permission, "The bucket is blocked.", PAY),
    row("InDebt", Kind::Permission, "The account is unpaid.", PAY),
    row("InDebtOverdue", Kind::Permission, "The account is unpaid.", PAY),
    row(
        "InvalidObjectState",
        Kind::Refused,
        "The object is archived.",
        "Restore it in the OSS console first; that takes a minute to some hours.",
    ),
    row(
        "NoSuchBucket",
        Kind::NotFound,
        "There is no such bucket at this endpoint.",
        "Check the bucket's name and region, or create it.",
    ),
    row(
        "InvalidBucketName",
        Kind::Settings,
        "OSS takes no bucket of this name, or the endpoint already holds the bucket.",
        "Use 3 to 63 of a-z, 0-9 and -, and an endpoint without the bucket.",
    ),
    row(
        "NoSuchKey",
        Kind::NotFound,
        "There is no such object.",
        "Check the key, or list the folder.",
    ),
    row(
        "NoSuchUpload",
        Kind::NotFound,
        "The upload is no longer there.",
        "Start the upload again.",
    ),
    row(
        "BucketAlreadyExists",
        Kind::Precondition,
        "The bucket's name is taken; names are shared by all accounts.",
        "Choose another name; one that was deleted is free again after 4 to 8 hours.",
    ),
    row(
        "FileAlreadyExists",
        Kind::Precondition,
        "There is an object of this key.",
        "Choose another key, or confirm that it may be replaced.",
    ),
    row(
        "PreconditionFailed",
        Kind::Precondition,
        "The object changed in the meantime.",
        "Read it again, then repeat.",
    ),
    row(
        "RequestTimeout",
        Kind::Retry,
        "The upload was too slow for the server.",
        "Try again; a nearer region or the acceleration endpoint helps.",
    ),
    row(
        "ConnectionTimeout",
        Kind::Retry,
        "The upload was too slow for the server.",
        "Try again; a nearer region or the acceleration endpoint helps.",
    ),
    row("TotalQpsLimitExceeded", Kind::Retry, "The account sends too many requests.", WAIT),
    row("QpsLimitExceeded", Kind::Retry, "The account sends too many requests.", WAIT),
    row(
        "MetaOperationQpsLimitExceeded",
        Kind::Retry,
        "Too many calls on buckets and their settings.",
        WAIT,
    ),
    row("UploadTrafficRateLimitExceeded", Kind::Retry, "The upload bandwidth is used up.", WAIT),
    row(
        "DownloadTrafficRateLimitExceeded",
        Kind::Retry,
        "The download bandwidth is used up.",
        WAIT,
    ),
    row("SlowDown", Kind::Retry, "The server asks for fewer requests.", WAIT),
    row("ServiceUnavailable", Kind::Retry, "OSS is not available at the moment.", WAIT),
    row("InternalError", Kind::Retry, "OSS failed on its side.", WAIT),
];

fn find(code: Option<&str>, ec: Option<&str>) -> Option<&'static Row> {
    let among = |rows: &'static [Row], key: Option<&str>| {
        key.and_then(|key| rows.iter().find(|row| row.key == key))
    };
    among(BY_EC, ec).or_else(|| among(BY_CODE, code))
}

/// The kind of an answer.
pub(super) fn kind(status: u16, code: Option<&str>, ec: Option<&str>) -> Kind {
    if let Some(row) = find(code, ec) {
        return row.kind;
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
pub fn explain(error: &Error) -> Explanation {
    if let Some(row) = find(error.code.as_deref(), error.ec.as_deref()) {
        let next = match &error.endpoint {
            Some(endpoint) if row.kind == Kind::Settings => {
                let endpoint = crate::base::visible::visible(endpoint);
                format!("The bucket lies at {endpoint}: choose that region for this store.")
            }
            _ => row.next.to_owned(),
        };
        return Explanation { meaning: row.meaning.to_owned(), next };
    }
    let (meaning, next) = by_kind(error.kind);
    let next = match (&error.location, error.kind) {
        (Some(location), Kind::Settings) => {
            let location = crate::base::visible::visible(location);
            format!("It points to {location}; redirects are not followed. Correct the endpoint.")
        }
        _ => next.to_owned(),
    };
    Explanation { meaning: meaning.to_owned(), next }
}

fn by_kind(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Retry => ("The server is busy or failed on its side.", WAIT),
        Kind::Credentials => ("The access key was refused.", WRONG_KEY),
        Kind::Settings => {
            ("The server sends the request elsewhere.", "Check the store's region and endpoint.")
        }
        Kind::NotFound => {
            ("What was asked for is not there.", "Check the bucket's name and the key.")
        }
        Kind::Permission => ("The key may not do this.", ASK_RAM),
        Kind::Clock => ("This machine's clock is off.", CLOCK),
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
    use super::*;

    #[test]
    fn every_row_ends_in_what_to_do_and_stands_once() {
        for rows in [BY_EC, BY_CODE] {
            for (at, row) in rows.iter().enumerate() {
                assert!(!row.meaning.is_empty() && row.next.ends_with('.'), "{}", row.key);
                assert!(rows.iter().skip(at + 1).all(|other| other.key != row.key), "{}", row.key);
            }
        }
    }

    #[test]
    fn the_ec_wins_over_the_code() {
        assert_eq!(kind(403, Some("AccessDenied"), Some("0003-00001403")), Kind::Settings);
        assert_eq!(kind(403, Some("AccessDenied"), Some("9999-00000000")), Kind::Permission);
        assert_eq!(kind(503, None, None), Kind::Retry);
    }
}
