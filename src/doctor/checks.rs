//! The checks, in their order.

mod access_key;
mod append;
mod bucket;
mod bucket_region;
mod clock;
mod copy;
mod delete;
mod dns;
mod endpoint;
mod head_bucket;
mod leftovers;
mod list;
mod list_paging;
mod missing_object;
mod multi_delete;
mod multipart;
mod odd_key;
mod oss_server;
mod presign;
mod proxy;
mod public_endpoint;
mod python;
mod rate;
mod read_range;
mod residency;
mod round_trip;
mod secret;
mod session_token;
mod signature;
mod stack_components;
mod storage_class;
mod store;
mod tcp;
mod tls;
mod vantage;
mod versioning;
mod write;

use super::check::Check;

/// The one check that is about more of a stack than its store.
pub(super) const STACK_COMPONENTS: &str = stack_components::ID;

/// Every check. The order is the one on screen, in the documentation and in JSON; a check stands
/// below those it needs.
pub const CHECKS: &[Check] = &[
    store::CHECK,
    secret::CHECK,
    endpoint::CHECK,
    vantage::CHECK,
    proxy::CHECK,
    dns::CHECK,
    tcp::CHECK,
    tls::CHECK,
    oss_server::CHECK,
    clock::CHECK,
    signature::CHECK,
    session_token::CHECK,
    access_key::CHECK,
    bucket::CHECK,
    bucket_region::CHECK,
    residency::CHECK,
    head_bucket::CHECK,
    public_endpoint::CHECK,
    round_trip::CHECK,
    missing_object::CHECK,
    list::CHECK,
    write::CHECK,
    read_range::CHECK,
    append::CHECK,
    copy::CHECK,
    multipart::CHECK,
    list_paging::CHECK,
    odd_key::CHECK,
    presign::CHECK,
    delete::CHECK,
    multi_delete::CHECK,
    versioning::CHECK,
    storage_class::CHECK,
    leftovers::CHECK,
    stack_components::CHECK,
    python::CHECK,
    rate::CHECK,
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
            // the screen's column is as wide
            assert!(check.title.len() <= 33, "{}", check.title);
            assert!(check.about.ends_with('.'), "{}", check.id);
            for need in check.needs {
                assert!(above.iter().any(|other| other.id == *need), "{} needs {need}", check.id);
            }
        }
    }
}
