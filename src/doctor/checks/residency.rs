//! The data lies, and travels, where the store says that it may.

use crate::base::visible::visible;
use crate::doctor::case::Case;
use crate::doctor::check::{Check, Verdict, failed, passed, skipped, warned};
use crate::model::finding::{Finding, State};
use crate::model::region::{self, Region};
use crate::model::store::ArtifactStore;

pub(super) const CHECK: Check = Check {
    id: "residency",
    title: "data stays where it may lie",
    about: "The region lies in the jurisdictions that the store names, and so does the bucket \
            where the server tells; transfer acceleration goes through points elsewhere.",
    needs: &["oss-server"],
    run: |case| Box::pin(async move { run(&case).into() }),
};

fn run(case: &Case) -> Verdict {
    let store = case.store()?;
    if store.residency.is_empty() {
        return Ok(skipped("the store names no residency"));
    }
    let told = match &case.first()?.answer {
        Ok(answer) => Told::of(answer.value.as_deref().map(|id| (id, region::find(id)))),
        Err(error) => Told::of(error.endpoint.as_deref().map(|host| (host, region::of_host(host)))),
    };
    let finding = judge(store, &told);
    let finding = if finding.state == State::Failed {
        // the place is wrong or the word is: which of them only the data's owner knows
        finding.next(format!(
            "Name a bucket in {}, or where else the data may lie: {}",
            store.residency,
            case.change("residency", "AREA,AREA"),
        ))
    } else {
        finding
    };
    Ok(finding.fact("residency", store.residency.to_string()))
}

/// Where the server said that the bucket lies.
enum Told<'a> {
    Nothing,
    Somewhere(&'a str),
    Region(&'static Region),
}

impl<'a> Told<'a> {
    fn of(said: Option<(&'a str, Option<&'static Region>)>) -> Self {
        match said {
            None => Self::Nothing,
            Some((_, Some(region))) => Self::Region(region),
            Some((text, None)) => Self::Somewhere(text),
        }
    }
}

fn judge(store: &ArtifactStore, told: &Told<'_>) -> Finding {
    let ArtifactStore { bucket, residency, .. } = store;
    let ways = [store.zenml_endpoint(), store.access_endpoint()];
    if let Some(refusal) = ways.iter().flatten().find_map(|way| residency.refusal_of(way)) {
        return failed("The data leaves where it may lie.").because(format!("{refusal}."));
    }
    if let Told::Region(region) = told {
        let Region { id, .. } = region;
        if let Some(refusal) = residency.refusal(region) {
            return failed(format!("The bucket {bucket} lies in {id}."))
                .because(format!("{refusal}."));
        }
        let lies = format!("The bucket {bucket} lies in {id}, in {}.", region.area());
        return passed(lies).fact("region", id);
    }
    let Some(doubt) = store.residency_doubt() else {
        // an endpoint of a region serves no bucket of another one (EC 0003-00001403)
        return passed(format!("The endpoint's region lies in {residency}."));
    };
    let said = match told {
        Told::Somewhere(text) => {
            format!("the server says {}, which the table does not know", visible(text))
        }
        _ => "the server does not tell (the right is oss:GetBucketLocation)".to_owned(),
    };
    warned(format!("Nothing proves that {bucket} lies in {residency}."))
        .because(format!("{doubt}, and {said}."))
        .next("Ask whoever made the bucket, or let the key ask where it lies.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::store::StoreDraft;

    fn store(endpoint: &str) -> ArtifactStore {
        let draft = StoreDraft {
            name: "alibaba_store".into(),
            bucket: "your-bucket-name".into(),
            secret: "alibaba_secret".into(),
            region: "eu-central-1".into(),
            endpoint: endpoint.into(),
            residency: "EU".into(),
            ..StoreDraft::default()
        };
        draft.validate().unwrap()
    }

    #[test]
    fn what_the_server_says_counts_more_than_a_name() {
        let own = "https://oss.example.com";
        let state = |endpoint, said: Option<&str>| {
            let told = Told::of(said.map(|id| (id, region::find(id))));
            judge(&store(endpoint), &told).state
        };
        assert_eq!(state("public", None), State::Passed);
        assert_eq!(state("public", Some("oss-eu-west-2")), State::Passed);
        assert_eq!(state("public", Some("oss-cn-hangzhou")), State::Failed);
        assert_eq!(state(own, Some("oss-eu-central-1")), State::Passed);
        assert_eq!(state(own, Some("oss-cn-hangzhou")), State::Failed);
        assert_eq!(state(own, Some("oss-atlantis")), State::Warned);
        assert_eq!(state(own, None), State::Warned);
    }

    #[test]
    fn a_way_that_leads_elsewhere_fails_whatever_the_server_says() {
        let at = |id| Told::of(Some((id, region::find(id))));
        let mut store = store("public");
        let accelerate = StoreDraft {
            endpoint: "accelerate".into(),
            residency: String::new(),
            ..StoreDraft::from(&store)
        };
        store.endpoint = accelerate.validate().unwrap().endpoint;
        let finding = judge(&store, &at("oss-eu-central-1"));
        assert_eq!(finding.state, State::Failed);
        assert!(finding.because.unwrap().contains("acceleration"));
    }
}
