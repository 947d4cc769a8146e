//! `~/.ossutilconfig` of ossutil 1 and 2.

use super::ini::{Indented, Section, sections};
use super::{Found, Search, region, secret, way_without_a_key};
use crate::base::visible::visible;

const ID: [&str; 2] = ["accesskeyid", "accessid"];
const SECRET: [&str; 2] = ["accesskeysecret", "accesskey"];
const TOKEN: [&str; 1] = ["ststoken"];
/// In version 1 a role or a server's own key stands where version 2 has a mode.
const ROLE: [&str; 1] = ["ramrolearn"];
const SERVER: [&str; 1] = ["ecsak"];

pub(super) fn find(search: &mut Search<'_>) {
    let Some(file) = search.file(Some("OSSUTIL_CONFIG_FILE"), ".ossutilconfig") else { return };
    for section in sections(&file.text, Indented::Counts) {
        take(&section, &file.place, search);
    }
}

fn take(section: &Section<'_>, file: &str, search: &mut Search<'_>) {
    let place = format!("{file}, [{}]", visible(section.name));
    let profile = section.name_after("profile").unwrap_or(section.name);
    let mode = section.get(&["mode"]).unwrap_or_default();
    if let Some(why) = way_without_a_key(mode) {
        return search.skip(profile, &place, &why);
    }
    if section.get(&SERVER).is_some() {
        return search.skip(
            profile,
            &place,
            "asks the ECS machine it runs on each time, so there is no key to keep",
        );
    }
    let (id, secret_value) = (section.get(&ID), section.get(&SECRET));
    // a role's ARN alone says nothing in version 1, where the key takes it on
    if id.is_some() && section.get(&ROLE).is_some() && !mode.eq_ignore_ascii_case("AK") {
        return search.skip(
            profile,
            &place,
            "takes on a role anew each time, so there is no key to keep",
        );
    }
    match (id, secret_value) {
        (Some(id), Some(value)) => search.judge(Found {
            source: search.source(profile),
            place,
            access_key_id: id.to_owned(),
            secret_access_key: secret(value),
            session_token: section.get(&TOKEN).map(secret),
            expires_at: None,
            region: region(section.get(&["region"]), section.get(&["endpoint", "host"])),
        }),
        (Some(_), None) => search.skip(profile, &place, "an id without its secret"),
        (None, Some(_)) => search.skip(profile, &place, "a secret without its id"),
        // buckets, proxies, whatever has no key
        (None, None) => {}
    }
}
