use super::*;
use proptest::prelude::*;

const DAY: Duration = Duration::from_hours(24);

fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + 1000 * DAY
}

/// `model:3`, so many days old, in `s3://b/zen/{place}`.
fn version(label: &str, days: u32, place: &str) -> ArtifactVersion {
    let (artifact, number) = label.split_once(':').unwrap();
    ArtifactVersion {
        id: label.into(),
        artifact: artifact.into(),
        version: number.into(),
        uri: format!("s3://b/zen/{place}"),
        created: Some(now() - days * DAY),
        save_type: "step_output".into(),
        ..ArtifactVersion::default()
    }
}

/// What stands before pruning, as ZenML and the store hold it.
#[derive(Clone, Debug, PartialEq)]
struct Beds {
    versions: Vec<ArtifactVersion>,
    unused: BTreeSet<String>,
    of_models: BTreeSet<String>,
    /// Places that hold data.
    data: BTreeSet<String>,
}

impl Beds {
    /// All unused, all with data.
    fn of(versions: Vec<ArtifactVersion>) -> Self {
        let unused = versions.iter().map(|one| one.id.clone()).collect();
        let data = versions.iter().map(|one| one.uri.clone()).collect();
        Self { versions, unused, of_models: BTreeSet::new(), data }
    }

    fn using(mut self, id: &str) -> Self {
        self.unused.remove(id);
        self
    }

    fn plan(&self, rules: Rules) -> Plan {
        let stock = Stock {
            versions: &self.versions,
            unused: &self.unused,
            of_models: &self.of_models,
            store: ("b", "zen/"),
        };
        plan(&stock, &rules, now())
    }

    /// Carries the plan out until `steps` deeds are done: each version takes two.
    fn prune(&mut self, rules: Rules, steps: usize) {
        let plan = self.plan(rules);
        let deeds = plan.doomed.iter().flat_map(|one| [(one, true), (one, false)]);
        for (one, is_data) in deeds.take(steps) {
            if is_data {
                self.data.remove(&one.version.uri);
            } else {
                self.versions.retain(|other| other.id != one.version.id);
            }
        }
    }
}

fn doomed(plan: &Plan) -> Vec<&str> {
    plan.doomed.iter().map(|one| one.version.id.as_str()).collect()
}

const OLD: Rules =
    Rules { older_than: Some(Duration::from_hours(24 * 30)), keep_last: None, unused: false };
const LAST: Rules = Rules { older_than: None, keep_last: Some(2), unused: false };
const UNUSED: Rules = Rules { older_than: None, keep_last: None, unused: true };

#[test]
fn nothing_goes_without_a_rule() {
    let beds = Beds::of(vec![version("m:1", 900, "m1")]);
    assert_eq!(beds.plan(Rules::default()), Plan::default());
}

#[test]
fn each_rule_takes_what_it_says_and_all_have_to_hold() {
    let days = [("m:1", 90), ("m:2", 40), ("m:3", 20), ("d:1", 31), ("d:2", 30)];
    let beds = Beds::of(days.iter().map(|(label, days)| version(label, *days, label)).collect());
    assert_eq!(doomed(&beds.plan(OLD)), ["m:1", "m:2", "d:1"], "30 days are not more than 30");
    assert_eq!(doomed(&beds.plan(LAST)), ["m:1"]);
    assert_eq!(doomed(&beds.plan(UNUSED)).len(), 5);
    let both = Rules { keep_last: Some(1), ..OLD };
    assert_eq!(doomed(&beds.plan(both)), ["m:1", "m:2", "d:1"]);
    let forever = Rules { older_than: Some(Duration::MAX), ..OLD };
    assert!(doomed(&beds.plan(forever)).is_empty());
}

#[test]
fn what_a_run_uses_stays_and_counts_among_the_last() {
    let beds =
        Beds::of(vec![version("m:1", 90, "1"), version("m:2", 80, "2"), version("m:3", 70, "3")])
            .using("m:1")
            .using("m:3");
    let plan = beds.plan(OLD);
    assert_eq!(doomed(&plan), ["m:2"]);
    assert_eq!(plan.kept.iter().map(|one| &one.why).collect::<Vec<_>>(), [&Why::Used, &Why::Used]);
    assert!(doomed(&beds.plan(LAST)).is_empty(), "the last two are m:3, in use, and m:2");
    let quiet = beds.plan(Rules { unused: true, ..OLD });
    assert_eq!((doomed(&quiet), quiet.kept.len()), (vec!["m:2"], 0));
}

#[test]
fn only_what_lies_in_the_store_and_what_zenml_wrote_goes() {
    let mut elsewhere = version("e:1", 90, "x");
    elsewhere.uri = "s3://b/other/x".into();
    let mut root = version("r:1", 90, "x");
    root.uri = "s3://b/zen/".into();
    let mut another = version("a:1", 90, "x");
    another.uri = "s3://b2/zen/x".into();
    let mut timeless = version("t:1", 90, "t");
    timeless.created = None;
    let mut found = version("p:1", 90, "p");
    found.save_type = "preexisting".into();
    let mut beds =
        Beds::of(vec![elsewhere, root, another, timeless, found, version("m:1", 90, "m")]);
    beds.of_models.insert("m:1".into());
    let plan = beds.plan(OLD);
    assert!(plan.doomed.is_empty(), "{plan:?}");
    let why: Vec<_> = plan.kept.iter().map(|one| &one.why).collect();
    assert_eq!(why, [&Why::Preexisting, &Why::OfModel]);
}

#[test]
fn data_of_two_versions_stays_while_one_of_them_does() {
    let beds = Beds::of(vec![
        version("a:1", 90, "same"),
        version("b:1", 90, "same"),
        version("c:1", 90, "same/within"),
        version("d:1", 90, "same-but-not"),
    ]);
    assert_eq!(doomed(&beds.plan(OLD)).len(), 4, "all of them may go");
    let used = beds.clone().using("c:1");
    let plan = used.plan(OLD);
    assert_eq!(doomed(&plan), ["d:1"]);
    assert!(plan.kept.iter().any(|one| one.why == Why::Shared("c:1".into())));
    let used = beds.using("a:1").plan(Rules { unused: true, ..OLD });
    assert_eq!(doomed(&used), ["d:1"], "one that is not even named saves its neighbours too");
}

/// Killed after each of its deeds and planned anew, it ends as it would have without: nothing
/// dangles at the end, and in between a version without data is one the next plan has.
#[test]
fn killed_at_any_step_the_next_plan_ends_the_work() {
    let fresh = || {
        Beds::of((1..=5).map(|n| version(&format!("m:{n}"), 100 - n, &format!("m/{n}"))).collect())
            .using("m:2")
    };
    for rules in [OLD, LAST, UNUSED] {
        let mut whole = fresh();
        whole.prune(rules, usize::MAX);
        assert!(whole.plan(rules).doomed.is_empty());
        for killed in 0..=8 {
            let mut beds = fresh();
            beds.prune(rules, killed);
            let next = beds.plan(rules);
            for one in beds.versions.iter().filter(|one| !beds.data.contains(&one.uri)) {
                assert!(doomed(&next).contains(&one.id.as_str()), "{} dangles", one.id);
            }
            beds.prune(rules, usize::MAX);
            assert_eq!(beds, Beds { unused: beds.unused.clone(), ..whole.clone() });
        }
    }
}

proptest! {
    #[test]
    fn a_later_plan_never_takes_more(
        days in proptest::collection::vec(0_u32..100, 1..12),
        used in proptest::collection::vec(any::<bool>(), 12),
        keep in proptest::option::of(0_usize..4),
        old in proptest::option::of(0_u64..100),
        killed in 0_usize..20,
    ) {
        let names = ["m", "d", "x"];
        let versions: Vec<_> = days.iter().enumerate()
            .map(|(n, days)| version(&format!("{}:{n}", names[n % 3]), *days, &format!("p/{n}")))
            .collect();
        let mut beds = Beds::of(versions);
        for (n, used) in used.iter().enumerate().take(days.len()) {
            if *used {
                beds.unused.remove(&beds.versions[n].id);
            }
        }
        let older_than = old.map(|days| Duration::from_hours(24 * days));
        let rules = Rules { older_than, keep_last: keep, unused: false };
        let first = beds.plan(rules);
        let first = doomed(&first);
        let before: Vec<String> = first.iter().map(|id| (*id).to_owned()).collect();
        beds.prune(rules, killed);
        let next = beds.plan(rules);
        for id in doomed(&next) {
            prop_assert!(before.iter().any(|other| other == id));
        }
        prop_assert_eq!(next.doomed.len(), before.len().saturating_sub(killed / 2));
    }
}
