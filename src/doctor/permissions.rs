//! Rights, proven: what the calls of a diagnosis showed, and the smallest policy that a store
//! takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::bucket::BucketName;
use crate::model::finding::Finding;
use crate::model::permission::{Action, Grant, Level};
use crate::model::store::ArtifactStore;
use crate::oss::{Error, Kind};

/// What was seen of each right. One refusal counts more than any success: rights may hold for
/// some keys only.
pub fn proven(findings: &[Finding]) -> BTreeMap<Action, Grant> {
    let mut rights = BTreeMap::new();
    for (action, grant) in findings.iter().flat_map(|finding| &finding.rights) {
        let known = rights.entry(*action).or_insert(*grant);
        if *grant == Grant::Denied {
            *known = Grant::Denied;
        }
    }
    rights
}

/// What the answer to a call shows of the right that it takes: nothing where it failed for
/// another reason than rights.
pub(super) fn shown<T>(action: Action, answer: &Result<T, Error>) -> Option<(Action, Grant)> {
    match answer {
        Ok(_) => Some((action, Grant::Worked)),
        Err(error) => refusal(error.kind, error.code.as_deref(), error.ec.as_deref())
            .map(|grant| (action, grant)),
    }
}

/// A refusal for want of a right; a blocked account or a bucket of somebody else is none.
fn refusal(kind: Kind, code: Option<&str>, ec: Option<&str>) -> Option<Grant> {
    let of_rights = code.is_none_or(|code| code == "AccessDenied") && ec != Some("0003-00000001");
    (kind == Kind::Permission && of_rights).then_some(Grant::Denied)
}

/// Adds to `finding` what `answer` shows of the right to `action`.
#[must_use]
pub(super) fn seen<T>(finding: Finding, action: Action, answer: &Result<T, Error>) -> Finding {
    match shown(action, answer) {
        Some((action, Grant::Worked)) => finding.worked(action),
        Some((action, Grant::Denied)) => finding.denied(action),
        None => finding,
    }
}

/// The smallest RAM policy with which `ZenML` works on `bucket` below `prefix`, and the check can
/// tell where the bucket lies.
///
/// The form is that of OSS's documentation (alibabacloud.com/help/en/oss/user-guide/
/// authorization-syntax-and-elements and /help/en/oss/user-guide/ram-policy-overview): rights on a
/// bucket and on its objects in statements of their own; `oss:Prefix` limits what may be listed.
pub fn policy(bucket: &BucketName, prefix: &str) -> Value {
    let prefix = prefix.trim_matches('/');
    let resource = |below: &str| format!("acs:oss:*:*:{bucket}{below}");
    let objects = if prefix.is_empty() { "/*".to_owned() } else { format!("/{prefix}/*") };
    let allow = |actions: &[Action], resource: String| {
        let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
        json!({ "Effect": "Allow", "Action": actions, "Resource": [resource] })
    };
    let needed = |level| -> Vec<Action> {
        let wanted =
            |action: &Action| action.is_needed_by_zenml() || *action == Action::GetBucketLocation;
        Action::ALL.into_iter().filter(|a| a.level() == level && wanted(a)).collect()
    };
    let of_bucket = needed(Level::Bucket);
    if prefix.is_empty() {
        return json!({
            "Version": "1",
            "Statement": [
                allow(&of_bucket, resource("")),
                allow(&needed(Level::Object), resource(&objects)),
            ],
        });
    }
    // the condition holds for listings only: other calls on the bucket carry no prefix
    let (listing, others): (Vec<_>, Vec<_>) =
        of_bucket.into_iter().partition(|action| *action == Action::ListObjects);
    let mut list = allow(&listing, resource(""));
    if let Some(list) = list.as_object_mut() {
        let prefixes = json!([prefix, format!("{prefix}/*")]);
        list.insert("Condition".to_owned(), json!({ "StringLike": { "oss:Prefix": prefixes } }));
    }
    json!({
        "Version": "1",
        "Statement": [
            allow(&others, resource("")),
            list,
            allow(&needed(Level::Object), resource(&objects)),
        ],
    })
}

/// The smallest policy for `store`.
pub fn policy_of(store: &ArtifactStore) -> Value {
    policy(&store.bucket, &store.prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::finding::State;

    fn bucket() -> BucketName {
        BucketName::parse("your-bucket-name").unwrap()
    }

    #[test]
    fn the_policy_is_limited_to_the_prefix() {
        let policy = policy(&bucket(), "/zenml/");
        assert_eq!(
            policy,
            json!({
                "Version": "1",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["oss:GetBucketInfo", "oss:GetBucketLocation"],
                        "Resource": ["acs:oss:*:*:your-bucket-name"],
                    },
                    {
                        "Effect": "Allow",
                        "Action": ["oss:ListObjects"],
                        "Resource": ["acs:oss:*:*:your-bucket-name"],
                        "Condition": { "StringLike": { "oss:Prefix": ["zenml", "zenml/*"] } },
                    },
                    {
                        "Effect": "Allow",
                        "Action": [
                            "oss:GetObject",
                            "oss:PutObject",
                            "oss:DeleteObject",
                            "oss:AbortMultipartUpload",
                            "oss:ListParts",
                        ],
                        "Resource": ["acs:oss:*:*:your-bucket-name/zenml/*"],
                    },
                ],
            })
        );
    }

    #[test]
    fn without_a_prefix_the_whole_bucket_may_be_listed() {
        let policy = policy(&bucket(), "");
        let statements = policy["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 2);
        assert!(statements.iter().all(|statement| statement.get("Condition").is_none()));
        assert_eq!(statements[1]["Resource"], json!(["acs:oss:*:*:your-bucket-name/*"]));
        // what a policy never takes for a store: the account's buckets, making one
        assert!(!policy.to_string().contains("ListBuckets"));
        assert!(!policy.to_string().contains("PutBucket"));
    }

    #[test]
    fn one_refusal_counts_more_than_successes() {
        let worked = Finding::new("a", State::Passed, "").worked(Action::GetObject);
        let denied = Finding::new("b", State::Failed, "")
            .denied(Action::GetObject)
            .worked(Action::PutObject);
        let rights = proven(&[worked.clone(), denied, worked]);
        assert_eq!(
            rights.into_iter().collect::<Vec<_>>(),
            [(Action::GetObject, Grant::Denied), (Action::PutObject, Grant::Worked)]
        );
    }

    #[test]
    fn only_refusals_for_want_of_a_right_count() {
        let refused = |code: &str, ec: Option<&str>| refusal(Kind::Permission, Some(code), ec);
        assert_eq!(refused("AccessDenied", Some("0003-00000201")), Some(Grant::Denied));
        assert_eq!(refused("UserDisable", None), None);
        assert_eq!(refused("AccessDenied", Some("0003-00000001")), None);
        assert_eq!(refusal(Kind::Credentials, Some("AccessDenied"), None), None);
        let other = Err(Error::new(Kind::Network(crate::oss::Link::Dns), "list", "no"));
        assert_eq!(shown::<()>(Action::ListObjects, &other), None);
        assert_eq!(shown(Action::ListObjects, &Ok(())), Some((Action::ListObjects, Grant::Worked)));
    }
}
