//! `~/.aws/credentials` and `~/.aws/config` of the AWS tools, which people point at OSS.

use std::collections::{HashMap, HashSet};

use super::ini::{Indented, Section, sections};
use super::{Found, OF_AWS, Search, end, is_of_aws, region, secret};
use crate::base::visible::visible;
use crate::ports::foreign_file::ForeignFile;

/// Who uses AWS has dozens of profiles that are of no use here: so many of them are named.
const MOST_NAMED: usize = 3;

/// What makes a profile one that gets a key anew each time.
const ANEW: [&str; 5] =
    ["rolearn", "ssosession", "ssostarturl", "credentialprocess", "webidentitytokenfile"];

pub(super) fn find(search: &mut Search<'_>) {
    let credentials = search.file(Some("AWS_SHARED_CREDENTIALS_FILE"), ".aws/credentials");
    let config = search.file(Some("AWS_CONFIG_FILE"), ".aws/config");
    let (of_keys, of_config) = (parsed(credentials.as_ref()), parsed(config.as_ref()));
    let of_keys: Profiles<'_> = of_keys.iter().map(|it| (it.name, it)).collect();
    let of_config: Profiles<'_> =
        of_config.iter().filter_map(|it| Some((configured(it)?, it))).collect();
    // regions and endpoints stand in the configuration, whichever file has the key
    let settings: HashMap<&str, &Section<'_>> = of_config.iter().copied().collect();
    let mut met = HashSet::new();
    for (file, profiles) in [(&credentials, &of_keys), (&config, &of_config)] {
        if let Some(file) = file {
            take(&file.place, profiles, &settings, &mut met, search);
        }
    }
}

fn parsed(file: Option<&ForeignFile>) -> Vec<Section<'_>> {
    file.map(|file| sections(&file.text, Indented::GoesOn)).unwrap_or_default()
}

/// Profiles of one file, by name.
type Profiles<'a> = Vec<(&'a str, &'a Section<'a>)>;

/// The profile that a section of the configuration is; services and sessions are none.
fn configured<'a>(section: &Section<'a>) -> Option<&'a str> {
    section.name_after("profile").or(Some(section.name).filter(|name| *name == "default"))
}

fn take<'a>(
    file: &str,
    profiles: &Profiles<'a>,
    settings: &HashMap<&'a str, &'a Section<'a>>,
    met: &mut HashSet<&'a str>,
    search: &mut Search<'_>,
) {
    let (mut of_aws, mut anew) = (Vec::new(), Vec::new());
    for (name, section) in profiles {
        let more = settings.get(name).copied();
        let of_both = |key: &str| section.get(&[key]).or_else(|| more?.get(&[key]));
        let id = section.get(&["awsaccesskeyid"]);
        let value = section.get(&["awssecretaccesskey"]);
        if ANEW.iter().any(|word| of_both(word).is_some()) {
            if met.insert(name) {
                anew.push(*name);
            }
            continue;
        }
        let (Some(id), Some(value)) = (id, value) else { continue };
        // what both files have counts as the credentials have it
        if !met.insert(name) {
            continue;
        }
        if is_of_aws(id) {
            of_aws.push(*name);
            continue;
        }
        let token = section.get(&["awssessiontoken"]);
        // what saml2aws writes beside the three of AWS
        let ends = section.get(&["xsecuritytokenexpires"]);
        let endpoint = of_both("endpointurl");
        search.judge(Found {
            source: search.source(name),
            place: format!("{file}, [{}]", visible(section.name)),
            access_key_id: id.to_owned(),
            secret_access_key: secret(value),
            session_token: token.map(secret),
            expires_at: end(ends).filter(|_| token.is_some()),
            region: region(of_both("region"), endpoint),
        });
    }
    if !of_aws.is_empty() {
        skip(file, &of_aws, OF_AWS, search);
    }
    if !anew.is_empty() {
        skip(file, &anew, "a role, a sign-in or a program, and no key to keep", search);
    }
}

/// Names `profiles` in one sentence: `~/.aws/credentials, [default], [dev] and 9 more: …`.
fn skip(file: &str, profiles: &[&str], why: &str, search: &mut Search<'_>) {
    let names: Vec<String> =
        profiles.iter().take(MOST_NAMED).map(|name| format!("[{}]", visible(name))).collect();
    let more = match profiles.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let sources = profiles.iter().map(|profile| search.source(profile)).collect();
    search.name(sources, format!("{file}, {}{more}: {why}", names.join(", ")));
}
