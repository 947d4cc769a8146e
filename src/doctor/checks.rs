//! The checks, in their order.

mod access_key;
mod bucket_region;
mod clock;
mod delete;
mod dns;
mod endpoint;
mod list;
mod oss_server;
mod read_range;
mod residency;
mod secret;
mod store;
mod tcp;
mod tls;
mod write;

use super::check::Check;

/// Every check. The order is the one on screen, in the documentation and in JSON; a check stands
/// below those it needs.
pub const CHECKS: &[Check] = &[
    store::CHECK,
    secret::CHECK,
    endpoint::CHECK,
    dns::CHECK,
    tcp::CHECK,
    tls::CHECK,
    oss_server::CHECK,
    clock::CHECK,
    access_key::CHECK,
    bucket_region::CHECK,
    residency::CHECK,
    list::CHECK,
    write::CHECK,
    read_range::CHECK,
    delete::CHECK,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_kebab_case_and_needs_stand_above() {
        for (at, check) in CHECKS.iter().enumerate() {
            let above = &CHECKS[..at];
            assert!(above.iter().all(|other| other.id != check.id), "{} stands twice", check.id);
            assert!(check.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", check.id);
            for need in check.needs {
                assert!(above.iter().any(|other| other.id == *need), "{} needs {need}", check.id);
            }
        }
    }
}
