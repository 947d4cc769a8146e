//! Keys in the environment.

use super::{Found, Search, end, region, secret};

/// RFC 3339; botocore and the other SDKs of AWS read it beside `AWS_SESSION_TOKEN`.
const AWS_END: &str = "AWS_CREDENTIAL_EXPIRATION";

/// Id, secret, token and region, in the order of preference: the SDKs of OSS and ossutil,
/// aliyun-cli, Terraform, what aliyun-cli reads besides, and the AWS tools.
const VARIABLES: [[&str; 4]; 7] = [
    ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN", "OSS_REGION"],
    [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
        "ALIBABA_CLOUD_REGION_ID",
    ],
    [
        "ALIBABACLOUD_ACCESS_KEY_ID",
        "ALIBABACLOUD_ACCESS_KEY_SECRET",
        "ALIBABACLOUD_SECURITY_TOKEN",
        "ALIBABACLOUD_REGION_ID",
    ],
    [
        "ALICLOUD_ACCESS_KEY_ID",
        "ALICLOUD_ACCESS_KEY_SECRET",
        "ALICLOUD_SECURITY_TOKEN",
        "ALICLOUD_REGION_ID",
    ],
    ["ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_SECURITY_TOKEN", "ALICLOUD_REGION"],
    ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "REGION_ID"],
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"],
];

/// With this one ossutil takes on a role with the key of the first row.
const ROLE: &str = "OSS_ROLE_ARN";

/// Where several tools' variables name the same id it is found once.
pub(super) fn find(search: &mut Search<'_>) {
    let env = search.env;
    for [id, secret_name, token, region_name] in VARIABLES {
        let Some(id_value) = env.get(id) else { continue };
        let place = format!("the environment, {id}");
        let is_anybodys = id == "ACCESS_KEY_ID";
        let is_alibabas = ["LTAI", "STS.", "TMP."].iter().any(|begin| id_value.starts_with(begin));
        if is_anybodys && !is_alibabas {
            continue;
        }
        let known = search.found.keys.iter().any(|key| key.access_key_id == id_value);
        if known {
            continue;
        }
        let Some(secret_value) = env.get(secret_name) else {
            search.skip(id, &place, &format!("{secret_name} is not set beside it"));
            continue;
        };
        if id == "OSS_ACCESS_KEY_ID" && env.get(ROLE).is_some() {
            search.skip(id, &place, &format!("with {ROLE} it takes on a role anew each time"));
            continue;
        }
        let token = env.get(token);
        // how long a token lasts only the AWS SDKs have a variable for
        let ends = env.get(AWS_END).filter(|_| id.starts_with("AWS_"));
        search.judge(Found {
            source: search.source(id),
            place,
            access_key_id: id_value.to_owned(),
            secret_access_key: secret(secret_value),
            session_token: token.map(secret),
            expires_at: end(ends).filter(|_| token.is_some()),
            region: region(env.get(region_name), None),
        });
    }
}
