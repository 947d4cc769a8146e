//! `~/.aliyun/config.json` of aliyun-cli.

use serde_json::Value;
use time::OffsetDateTime;

use super::{Found, Search, region, way_without_a_key};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;

/// The modes `AK` and `StsToken` hold a key, `CloudSSO` and `OAuth` the temporary one that they
/// last made, with its end; the others make one anew each time. The profile in use comes first.
pub(super) fn find(search: &mut Search<'_>) {
    let Some(file) = search.file(None, ".aliyun/config.json") else { return };
    let mut config = serde_json::from_str::<Value>(&file.text).unwrap_or_default();
    let current = text(&mut config, "current");
    let Some(Value::Array(mut profiles)) = config.get_mut("profiles").map(Value::take) else {
        return search.skip_all(format!("{}: not the JSON that aliyun-cli writes", file.place));
    };
    profiles.sort_by_key(|profile| profile.get("name").and_then(Value::as_str) != Some(&*current));
    for profile in profiles {
        take(profile, &file.place, search);
    }
}

fn take(mut profile: Value, file: &str, search: &mut Search<'_>) {
    let name = text(&mut profile, "name");
    let place = format!("{file}, profile {}", visible(&name));
    let mode = text(&mut profile, "mode");
    let mut value = |name: &str| SecretString::new(text(&mut profile, name));
    let (secret, token) = (value("access_key_secret"), value("sts_token"));
    let is_cached = ["CloudSSO", "OAuth"].iter().any(|kept| mode.eq_ignore_ascii_case(kept));
    if let Some(why) = way_without_a_key(&mode).filter(|_| !is_cached || token.is_empty()) {
        return search.skip(&name, &place, &why);
    }
    let id = text(&mut profile, "access_key_id");
    if id.is_empty() || secret.is_empty() {
        return search.skip(&name, &place, "no key is in it yet");
    }
    // in seconds since 1970; 0 where there is no end
    let end = profile.get("sts_expiration").and_then(Value::as_i64).filter(|end| *end > 0);
    let expires_at = end.and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok());
    search.judge(Found {
        source: search.source(&name),
        place,
        access_key_id: id,
        secret_access_key: secret,
        expires_at: expires_at.filter(|_| !token.is_empty()),
        session_token: Some(token).filter(|token| !token.is_empty()),
        region: region(Some(&text(&mut profile, "region_id")), None),
    });
}

/// Takes a text out, so that no copy of a secret stays; empty where there is none.
fn text(of: &mut Value, name: &str) -> String {
    match of.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}
