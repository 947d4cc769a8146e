//! Versions of ZenML and of the libraries below it, and what changed between them.

use std::fmt;

/// `0.98.0`; what follows the third number (`rc1`, `.dev3`) is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Zero so far for ZenML; the year for s3fs.
    pub major: u16,
    /// Grows with every release.
    pub minor: u16,
    /// Corrections.
    pub patch: u16,
}

impl Version {
    /// The oldest server whose API osstack speaks: before it everything lay below workspaces.
    pub const OLDEST: Self = Self { major: 0, minor: 80, patch: 0 };

    /// The first that asks the store's own endpoint whether a bucket keeps versions
    /// (`ZenML` PR #4186).
    pub const ENDPOINT_KEPT: Self = Self { major: 0, minor: 91, patch: 2 };

    /// The newest server that was tried; its corrections count as tried.
    pub const NEWEST_TESTED: Self = Self { major: 0, minor: 98, patch: 0 };

    /// The first that reads `access_key_id` and `secret_access_key` of a
    /// secret; older ones know the `aws_` names only (ZenML PR #4289).
    pub const PLAIN_KEY_NAMES: Self = Self { major: 0, minor: 93, patch: 0 };

    /// The first botocore that knows `request_checksum_calculation`, and that without it sends
    /// uploads over https in chunks and deletes without Content-MD5 (botocore's changelog, 1.36.0).
    pub const NEWER_CHECKSUMS: Self = Self { major: 1, minor: 36, patch: 0 };

    /// Whether it is of a later series than `other`: corrections of one series do not count.
    pub fn is_later_series(self, other: Self) -> bool {
        (self.major, self.minor) > (other.major, other.minor)
    }

    /// The version in `text`, as `GET /api/v1/version` and `zenml version` write it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().trim_start_matches('v').splitn(3, '.');
        let mut number = |needed: bool| {
            let part = match parts.next() {
                None if !needed => return Some(0),
                part => part?,
            };
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part.get(..digits)?.parse().ok()
        };
        Some(Self { major: number(true)?, minor: number(true)?, patch: number(false)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_orders() {
        let read = |text: &str| Version::parse(text).map(|version| version.to_string());
        assert_eq!(read("0.98.0"), Some("0.98.0".into()));
        assert_eq!(read(" v0.93.1rc2\n"), Some("0.93.1".into()));
        assert_eq!(read("0.98"), Some("0.98.0".into()));
        for bad in ["", "zenml", "0", "0.x.1", "0.99999.0"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert!(Version::parse("0.92.9") < Some(Version::PLAIN_KEY_NAMES));
        assert!(Version::parse("0.100.0") > Some(Version::PLAIN_KEY_NAMES));
    }
}
