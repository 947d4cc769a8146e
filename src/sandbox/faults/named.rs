//! The names of faults on the command line. Names stay; what a fault does may grow.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{BadCertificate, BadToken, Faults};
use crate::base::visible::visible;

/// A fault that has a name.
#[derive(Debug)]
pub struct Fault {
    /// The name, in kebab case.
    pub name: &'static str,
    /// How it is switched on.
    pub setting: Setting,
    /// What it does, in one sentence.
    pub says: &'static str,
}

/// How a fault is switched on.
#[derive(Debug)]
pub enum Setting {
    /// By its name alone.
    On(fn(&mut Faults)),
    /// By a number.
    Number {
        /// What it counts.
        unit: &'static str,
        /// Which numbers are taken.
        range: RangeInclusive<i64>,
        /// What the name alone means, where it may stand alone.
        default: Option<i64>,
        /// Switches it on.
        set: fn(&mut Faults, i64),
    },
    /// By a prefix of keys; the name alone means all keys.
    Prefix(fn(&mut Faults, &str)),
}

impl Fault {
    /// The name with its value, as `--fault` takes it: `latency=MS`, `archived[=PREFIX]`.
    pub fn usage(&self) -> String {
        let name = self.name;
        match &self.setting {
            Setting::On(_) => name.to_owned(),
            Setting::Number { unit, default: None, .. } => format!("{name}={unit}"),
            Setting::Number { unit, .. } => format!("{name}[={unit}]"),
            Setting::Prefix(_) => format!("{name}[=PREFIX]"),
        }
    }

    fn set(&self, faults: &mut Faults, value: Option<&str>) -> Result<(), FaultError> {
        match (&self.setting, value) {
            (Setting::On(on), None) => on(faults),
            (Setting::On(_), Some(_)) => return Err(FaultError::NoValue { name: self.name }),
            (Setting::Prefix(set), value) => set(faults, value.unwrap_or_default()),
            (Setting::Number { range, default, set, unit }, value) => {
                let number = match value {
                    None => *default,
                    Some(text) => text.parse().ok().filter(|number| range.contains(number)),
                };
                let number = number.ok_or(FaultError::Number {
                    name: self.name,
                    unit,
                    least: *range.start(),
                    most: *range.end(),
                })?;
                set(faults, number);
            }
        }
        Ok(())
    }
}

/// Why a fault is not switched on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Nothing has this name.
    #[error(
        "the sandbox has no fault named {}; `osstack sandbox --fault list` tells all",
        visible(name)
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// The name stands alone.
    #[error("the fault {name} takes no value; write --fault {name}")]
    NoValue {
        /// The name.
        name: &'static str,
    },
    /// The value does not fit.
    #[error(
        "the fault {name} takes a whole number from {least} to {most}; write --fault {name}={unit}"
    )]
    Number {
        /// The name.
        name: &'static str,
        /// What the number counts.
        unit: &'static str,
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
}

impl Faults {
    /// Switches a fault on as `NAME` or `NAME=VALUE`.
    pub fn switch_on(&mut self, text: &str) -> Result<(), FaultError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let fault = FAULTS.iter().find(|fault| fault.name == name);
        let fault = fault.ok_or_else(|| FaultError::Unknown { name: name.to_owned() })?;
        fault.set(self, value)
    }
}

/// At most an hour: what waits longer looks dead to everybody.
const MILLISECONDS: RangeInclusive<i64> = 1..=3_600_000;

const fn on(name: &'static str, set: fn(&mut Faults), says: &'static str) -> Fault {
    Fault { name, setting: Setting::On(set), says }
}

const fn milliseconds(name: &'static str, set: fn(&mut Faults, i64), says: &'static str) -> Fault {
    let setting = Setting::Number { unit: "MS", range: MILLISECONDS, default: None, set };
    Fault { name, setting, says }
}

/// A share of requests; the name alone means all of them.
const fn share(name: &'static str, set: fn(&mut Faults, i64), says: &'static str) -> Fault {
    let setting = Setting::Number { unit: "PERCENT", range: 1..=100, default: Some(100), set };
    Fault { name, setting, says }
}

fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(milliseconds.unsigned_abs())
}

/// A number that its range keeps between 0 and 100.
fn percent(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(100)
}

/// All faults, from the connection up. Where no page of the documentation and no quoted answer
/// tells what OSS answers, the sentence ends in `a guess)`.
pub const FAULTS: &[Fault] = &[
    milliseconds(
        "latency",
        |f, ms| f.latency = duration(ms),
        "Every answer waits so many milliseconds.",
    ),
    milliseconds(
        "slow-first-byte",
        |f, ms| f.slow_first_byte = duration(ms),
        "The head of an answer comes at once, its body after so many milliseconds.",
    ),
    share(
        "connection-closed",
        |f, n| f.closed_share = percent(n),
        "So many of a hundred requests get no answer: the connection is closed.",
    ),
    share(
        "answer-lost",
        |f, n| f.lost_share = percent(n),
        "So many of a hundred requests are done, and the connection closed before the answer.",
    ),
    Fault {
        name: "cut-body",
        setting: Setting::Number {
            unit: "BYTES",
            range: 0..=1 << 30,
            default: None,
            set: |f, bytes| f.cut_body_after = usize::try_from(bytes).ok(),
        },
        says: "The connection breaks after so many bytes of an answer's body.",
    },
    on(
        "tls-expired",
        |f| f.certificate = Some(BadCertificate::Expired),
        "The certificate of --tls ended yesterday.",
    ),
    on(
        "tls-self-signed",
        |f| f.certificate = Some(BadCertificate::SelfSigned),
        "The certificate of --tls is signed by nobody but itself.",
    ),
    on(
        "tls-wrong-name",
        |f| f.certificate = Some(BadCertificate::WrongName),
        "The certificate of --tls is another host's.",
    ),
    share(
        "unavailable",
        |f, n| f.unavailable_share = percent(n),
        "So many of a hundred requests get 503 SlowDown with Retry-After: 1.",
    ),
    share(
        "too-many-requests",
        |f, n| f.too_many_requests_share = percent(n),
        "So many of a hundred requests get 429 QpsLimitExceeded (that it has no EC is a guess).",
    ),
    on(
        "html-page",
        |f| f.html_page = true,
        "A proxy answers every request with a page of its own, with status 200.",
    ),
    on("empty-200", |f| f.empty_answer = true, "Every answer is 200 with nothing in it."),
    on(
        "truncated-listing",
        |f| f.truncated_listing = true,
        "Listings end in the middle, with the Content-Length of what is sent.",
    ),
    Fault {
        name: "skew",
        setting: Setting::Number {
            unit: "MINUTES",
            range: -525_600..=525_600,
            default: None,
            set: |f, minutes| f.clock_offset = time::Duration::minutes(minutes),
        },
        says: "The server's clock is so many minutes ahead, or behind if below zero.",
    },
    on("s3-off", |f| f.s3_off = true, "The account may not sign as S3 does (EC 0002-00000031)."),
    on("v2-off", |f| f.v2_off = true, "S3 V2 signatures are refused (EC 0002-00000032)."),
    on("v4-off", |f| f.v4_off = true, "S3 V4 signatures are refused (EC 0002-00000033)."),
    on("key-disabled", |f| f.key_disabled = true, "Every key is switched off (EC 0002-00000904)."),
    on(
        "token-expired",
        |f| f.token = Some(BadToken::Expired),
        "Every token has expired (SecurityTokenExpired).",
    ),
    on(
        "token-wrong",
        |f| f.token = Some(BadToken::Invalid),
        "No token is valid (InvalidSecurityToken).",
    ),
    on(
        "token-mismatch",
        |f| f.token = Some(BadToken::Mismatch),
        "No token belongs to its key (AccessKeyIdAndSecurityTokenNotMatch).",
    ),
    on(
        "user-disabled",
        |f| f.user_disabled = true,
        "The account is blocked or OSS not activated (UserDisable, EC 0003-00000801).",
    ),
    on(
        "in-debt",
        |f| f.in_debt = true,
        "The account has not paid (InDebt; that it has no EC is a guess).",
    ),
    on(
        "bucket-disabled",
        |f| f.bucket_disabled = true,
        "The bucket is banned (BucketDisable, EC 0003-00000908).",
    ),
    on(
        "policy-deny",
        |f| f.policy_denied = true,
        "The bucket's policy denies every call (EC 0003-00000101).",
    ),
    on(
        "other-account",
        |f| f.other_account = true,
        "The bucket is another account's (EC 0003-00000001).",
    ),
    on(
        "public-endpoint-forbidden",
        |f| f.public_endpoint_forbidden = true,
        "Listings and objects are served under a custom domain only (EC 0048-00000401).",
    ),
    on(
        "read-only",
        |f| f.writing_denied = true,
        "The key may not write or delete objects, nor make buckets.",
    ),
    on("no-list", |f| f.listing_denied = true, "The key may not list a bucket."),
    on(
        "no-versioning",
        |f| f.versioning_denied = true,
        "The key may not ask whether a bucket keeps versions.",
    ),
    on(
        "no-list-buckets",
        |f| f.list_buckets_denied = true,
        "The key may not list the account's buckets, as is usual for a RAM user.",
    ),
    on(
        "no-read",
        |f| f.reading_denied = true,
        "The key may not read objects, neither their content nor their head.",
    ),
    on("no-delete", |f| f.deleting_denied = true, "The key may not delete objects."),
    on(
        "no-head-bucket",
        |f| f.head_bucket_denied = true,
        "HEAD of a bucket is denied, so that s3fs tries to create it, and so is that.",
    ),
    on(
        "missing-403",
        |f| f.missing_denied = true,
        "A missing object is told as 403, as AWS does to whom may not list (a guess).",
    ),
    on(
        "no-multipart",
        |f| f.multipart_off = true,
        "Multipart uploads are not implemented, as on some gateways.",
    ),
    on("no-copy", |f| f.copy_off = true, "Copies are not implemented, as on some gateways."),
    on(
        "no-append-read",
        |f| f.whole_read_denied = true,
        "An object may be read by ranges but not whole, as appending to it needs.",
    ),
    on(
        "quota",
        |f| f.quota_used_up = true,
        "Nothing more may be stored (403 QuotaExceeded: a guess).",
    ),
    Fault {
        name: "archived",
        setting: Setting::Prefix(|f, prefix| f.archived_below = Some(prefix.to_owned())),
        says: "Objects below the prefix, or all, are archived: reading one needs RestoreObject first (the class that listings name is a guess).",
    },
    on(
        "forced-download",
        |f| f.forced_download = true,
        "Objects come as attachments, except under a custom domain (EC 0048-00000113).",
    ),
    on(
        "range-ignored",
        |f| f.range_ignored = true,
        "Range is ignored: the whole object comes with 200.",
    ),
    on("if-match-ignored", |f| f.if_match_ignored = true, "If-Match and its kin are ignored."),
    on(
        "plus-as-space",
        |f| f.plus_as_space = true,
        "A gateway takes the plus in an object's path for a blank.",
    ),
    on(
        "md5-not-required",
        |f| f.md5_not_required = true,
        "Multi-delete is served without Content-MD5.",
    ),
    on(
        "pages-repeat",
        |f| f.pages_repeat = true,
        "A cache in front answers every page of a listing with the first one.",
    ),
    on(
        "no-presign",
        |f| f.presigning_denied = true,
        "Links signed in the query are refused with AccessDenied (a guess).",
    ),
    Fault {
        name: "largest-put",
        setting: Setting::Number {
            unit: "BYTES",
            range: 0..=5 << 30,
            default: None,
            set: |f, bytes| f.largest_put = u64::try_from(bytes).ok(),
        },
        says: "A gateway writes no object of more bytes in one request (EntityTooLarge).",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_sentences_are_sentences() {
        let mut names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAULTS.len());
        for Fault { name, says, .. } in FAULTS {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(name.chars().all(plain), "{name}");
            assert!(says.ends_with('.') && says.chars().next().unwrap().is_uppercase(), "{says}");
        }
    }

    #[test]
    fn what_is_guessed_is_marked() {
        let guessed = FAULTS.iter().filter(|fault| fault.says.ends_with("a guess)."));
        let names: Vec<&str> = guessed.map(|fault| fault.name).collect();
        let all =
            ["too-many-requests", "in-debt", "missing-403", "quota", "archived", "no-presign"];
        assert_eq!(names, all);
    }

    #[test]
    fn every_name_changes_something_and_bad_values_are_told() {
        for fault in FAULTS {
            let value = match &fault.setting {
                Setting::Number { default: None, range, .. } => format!("={}", range.start()),
                _ => String::new(),
            };
            let mut faults = Faults::default();
            faults.switch_on(&format!("{}{value}", fault.name)).unwrap();
            assert_ne!(faults, Faults::default(), "{}", fault.name);
        }
        let fails = |text: &str| Faults::default().switch_on(text).unwrap_err().to_string();
        assert!(fails("nonsense").ends_with("`osstack sandbox --fault list` tells all"));
        assert!(fails("v2-off=1").ends_with("write --fault v2-off"));
        for text in ["latency", "latency=", "latency=x", "latency=0", "latency=3600001"] {
            assert!(fails(text).ends_with("write --fault latency=MS"), "{text}");
        }
    }

    #[test]
    fn values_arrive() {
        let mut faults = Faults::default();
        for text in ["latency=20", "skew=-20", "unavailable", "archived=a=b", "cut-body=0"] {
            faults.switch_on(text).unwrap();
        }
        let expected = Faults {
            latency: Duration::from_millis(20),
            clock_offset: time::Duration::minutes(-20),
            unavailable_share: 100,
            archived_below: Some("a=b".to_owned()),
            cut_body_after: Some(0),
            ..Faults::default()
        };
        assert_eq!(faults, expected);
    }
}
