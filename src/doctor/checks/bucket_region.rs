//! The bucket lies where the store says.

use super::bucket::OTHER_REGION;
use crate::base::visible::visible;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, passed, refused, warned};
use crate::doctor::{fix, permissions};
use crate::model::endpoint::{Endpoint, EndpointChoice};
use crate::model::finding::Finding;
use crate::model::permission::Action;
use crate::model::region;
use crate::model::store::RegionId;

pub(super) const CHECK: Check = Check {
    id: "bucket-region",
    title: "the bucket is in this region",
    about: "The bucket lies where the store says. OSS serves a bucket in its own region alone, and \
            names the right endpoint where another is asked.",
    needs: &["bucket"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Verdict {
    let bucket = &case.store()?.bucket;
    let first = &case.first()?.answer;
    let finding = match first {
        Ok(answer) => compare(case, answer.value.as_deref())?,
        Err(error) if error.ec.as_deref() == Some(OTHER_REGION) => {
            let finding = refused(format!("The bucket {bucket} lies in another region."), error);
            let Some(host) = error.endpoint.as_deref() else { return Ok(finding) };
            let finding = finding
                .fact("lies at", visible(host).into_string())
                .fix(fix::go_where_it_lies(case.store()?, case.endpoint()?, host));
            match change_to(case, host)? {
                Some(change) => finding.next(format!("Go where it lies: {change}")),
                None => finding,
            }
        }
        Err(_) => compare(case, None)?,
    };
    Ok(permissions::seen(finding, Action::GetBucketLocation, first))
}

/// How the store is pointed to `host`, which the server named. The answer may be pasted into a
/// shell: `None` where `host` does not read as a host.
fn change_to(case: &Case, host: &str) -> Result<Option<String>, Box<Finding>> {
    let (store, endpoint) = (case.store()?, case.endpoint()?);
    let choice = store.access.as_ref().unwrap_or(&store.endpoint);
    // by its OSS id, since general ids are shared
    let region = region::of_host(host).and_then(|region| RegionId::parse(&region.oss_id).ok());
    if let EndpointChoice::Kind(_) = choice
        && let Some(region) = region
    {
        return Ok(Some(case.change("region", region.as_str())));
    }
    // a URL does not follow the region
    let setting = if store.access.is_some() { "access" } else { "endpoint" };
    let there = Endpoint::parse(&format!("{}://{host}", endpoint.scheme().as_str()));
    Ok(there.ok().map(|there| case.change(setting, &there.to_string())))
}

/// An endpoint for all regions, or a domain, answers for a bucket anywhere; the store's region
/// still goes into S3 V4 scopes and the screens.
fn compare(case: &Case, location: Option<&str>) -> Verdict {
    let store = case.store()?;
    let bucket = &store.bucket;
    let Some(location) = location else {
        return Ok(passed(format!("This endpoint serves the bucket {bucket}."))
            .fact("region", "not told (the key may not ask: oss:GetBucketLocation)"));
    };
    let shown = visible(location).into_string();
    let named = store.region.as_ref();
    let fits = named.is_none_or(|named| is(named, location));
    if fits {
        let finding = passed(format!("The bucket {bucket} lies in {shown}."));
        return Ok(finding.fact("region", shown));
    }
    let named = named.map_or("", RegionId::as_str);
    Ok(warned(format!("The bucket {bucket} lies in {shown}, the store says {named}."))
        .because("The endpoint answers for other regions too; the region is signed with S3 V4.")
        .next(match RegionId::parse(location) {
            Ok(region) => {
                format!("Name the region it lies in: {}", case.change("region", region.as_str()))
            }
            Err(_) => "Name the region it lies in: see osstack regions.".to_owned(),
        })
        .fix(fix::name_the_region(store, location))
        .fact("region", shown))
}

/// `oss-eu-central-1`, as OSS writes it; some gateways leave the `oss-` out.
fn is(named: &RegionId, location: &str) -> bool {
    let oss_id = named.known().map(|region| region.oss_id.as_str());
    Some(location) == oss_id
        || location == named.scope()
        || location.strip_prefix("oss-") == Some(named.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::case::Target;
    use crate::doctor::case::tests::case;
    use crate::model::finding::State;

    #[test]
    fn a_region_that_only_signatures_see_is_compared_too() {
        let case = |subject| case(subject, "eu-central-1", "accelerate");
        let state = |location| compare(&case("store/x"), location).unwrap().state;
        assert_eq!(state(Some("oss-eu-central-1")), State::Passed);
        assert_eq!(state(None), State::Passed);
        assert_eq!(state(Some("oss-cn-beijing")), State::Warned);
        let next = |subject| compare(&case(subject), Some("oss-cn-beijing")).unwrap().next.unwrap();
        assert!(next("store/x").ends_with("update alibaba_store --region cn-beijing"));
        assert!(next(Target::DRAFT).ends_with("set region to cn-beijing"));
    }

    #[test]
    fn words_of_the_server_do_not_become_commands() {
        let case = case("store/x", "eu-central-1", "accelerate");
        let next = compare(&case, Some("x; rm -rf ~")).unwrap().next.unwrap();
        assert!(!next.contains("rm") && next.contains("osstack regions"), "{next}");
        let moved = |host: &str| change_to(&case, host).unwrap();
        let offers = |host: &str, end: &str| moved(host).unwrap().ends_with(end);
        assert!(offers("oss-cn-beijing.aliyuncs.com", "--region cn-beijing"));
        assert!(offers("oss.example.com", "--endpoint https://oss.example.com"));
        assert_eq!(moved("x$(touch y)"), None);
        assert_eq!(moved("oss.example.com; rm -rf ~"), None);
    }
}
