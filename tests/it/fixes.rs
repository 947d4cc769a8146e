//! Fixes, policies and the history of checks, on the command line and at the screens, against the
//! sandbox.

use std::sync::Arc;

use osstack::base::job::{Context, Job as _};
use osstack::base::secret_string::SecretString;
use osstack::keystore::keyring::NoKeyring;
use osstack::keystore::{Identity, Keystore, Put, Settings};
use osstack::model::endpoint::{EndpointChoice, EndpointKind};
use osstack::model::fix::Fix;
use osstack::model::name::Name;
use osstack::model::secret::{Credentials, KeyNames, Secret};
use osstack::ops::failure::FailureKind;
use osstack::ops::fix::ApplyFix;
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SeededEntropy;
use osstack::ports::paths::Paths;
use serde_json::{Value, json};

use crate::cli::bench::Bench;
use crate::pictures::still;
use crate::user::User;

const CATALOG: &str = "config/stacks.toml";

/// What the check says of one rung.
fn rung<'v>(check: &'v Value, id: &str) -> &'v Value {
    check["checks"].as_array().unwrap().iter().find(|rung| rung["id"] == id).unwrap()
}

fn comment(bench: &Bench) {
    let catalog = bench.read(CATALOG);
    let (before, after) = catalog.split_once("[artifact_store.demo_store]").unwrap();
    let text = format!("{before}# mine: ask Ann\n[artifact_store.demo_store]{after}# the end\n");
    bench.write(CATALOG, &text);
}

#[test]
fn a_wrong_region_is_shown_mended_and_checked_again() {
    let bench = Bench::demo();
    let [right, wrong] = [0, 1].map(|at| bench.sandbox.regions[at].endpoint.clone());
    bench.run(&["store", "update", "demo_store", "--endpoint", &wrong]).ok();
    comment(&bench);
    let before = bench.read(CATALOG);

    let check = bench.run(&["check", "demo_store", "--json"]);
    assert_eq!(check.code, 1);
    let check = check.json();
    let changes = json!([{ "field": "endpoint", "old": wrong, "new": right }]);
    assert_eq!(rung(&check, "bucket-region")["fix"]["changes"], changes, "{check:#}");

    // nobody is there to say yes: nothing is written
    let asked = bench.run(&["check", "demo_store", "--fix"]);
    assert_eq!(asked.code, 2, "{asked:?}");
    assert!(asked.err.contains("--yes"), "{asked:?}");
    assert_eq!(bench.read(CATALOG), before);

    let mended = bench.run(&["check", "demo_store", "--fix", "--yes"]).ok();
    let [goes, comes] = [wrong, right].map(|url| format!("endpoint = \"{url}\""));
    assert!(mended.out.contains(&format!("- {goes}")), "{}", mended.out);
    assert!(mended.out.contains(&format!("+ {comes}")), "{}", mended.out);
    assert!(mended.out.contains("store/demo_store: warned"), "{}", mended.out);
    // what was shown is what is written, and nothing else
    assert_eq!(bench.read(CATALOG), before.replace(&goes, &comes));
}

#[test]
fn the_other_signature_is_found_by_one_fix() {
    let bench = Bench::demo();
    bench.faults.change(|faults| faults.v2_off = true);
    let mended = bench.run(&["check", "demo_store", "--fix", "--yes", "--json"]).ok().json();
    assert_eq!(mended["outcome"], "warned", "{mended:#}");
    let changes = json!([{ "field": "signature", "old": "v2", "new": "v4" }]);
    assert_eq!(mended["fixed"][0]["changes"], changes);
    assert_eq!(mended["fixed"].as_array().unwrap().len(), 1);
    assert!(bench.read(CATALOG).contains("signature = \"v4\""));
}

#[test]
fn fixes_that_lead_in_circles_end() {
    let bench = Bench::demo();
    bench.faults.change(|faults| (faults.v2_off, faults.v4_off) = (true, true));
    let mended = bench.run(&["check", "demo_store", "--fix", "--yes", "--json"]);
    assert_eq!(mended.code, 1);
    assert!(mended.json()["fixed"].as_array().unwrap().len() <= 1, "{mended:?}");
}

#[test]
fn an_oss_prefix_and_an_address_for_a_region_are_slips() {
    let bench = Bench::demo();
    let catalog = bench.read(CATALOG);
    let store = catalog.find("[artifact_store.demo_store]").unwrap();
    let (before, after) = catalog.split_at(store);
    let end = after.find("\n\n").map_or(after.len(), |end| end + 1);
    let (entry, rest) = after.split_at(end);
    let kept: String =
        entry.split_inclusive('\n').filter(|line| !line.starts_with("region")).collect();
    let slips = "region = \"https://oss-eu-central-1.aliyuncs.com/\" # pasted\n\
                 client_kwargs = { region_name = \"oss-eu-central-1\" }\n";
    bench.write(CATALOG, &format!("{before}{kept}{slips}{rest}"));

    let check = bench.run(&["check", "demo_store", "--json"]);
    assert_eq!(check.code, 1);
    assert_eq!(rung(&check.json(), "store")["state"], "failed");
    let mended = bench.run(&["check", "store/demo_store", "--fix", "--yes"]).ok();
    assert!(mended.out.contains("+ region = \"eu-central-1\""), "{}", mended.out);
    let catalog = bench.read(CATALOG);
    assert!(catalog.contains("region = \"eu-central-1\" # pasted"), "{catalog}");
    assert!(catalog.contains("region_name = \"eu-central-1\""), "{catalog}");
}

#[test]
fn blanks_in_a_secret_are_taken_out_of_the_keystore() {
    let bench = Bench::demo();
    let (id, secret) = (&bench.sandbox.access_key_id, &bench.sandbox.secret_access_key);
    let (paths, identity) = (Paths::below(&bench.path("")), bench.path("identity.txt"));
    let keystore = || {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SeededEntropy::new(9)));
        let settings = Settings::default();
        let keystore = Keystore::new(&paths, clock, entropy, Arc::new(NoKeyring), settings);
        let text = std::fs::read_to_string(&identity).unwrap();
        keystore.unlock_with_identity(Identity::parse(&text).unwrap()).unwrap();
        keystore
    };
    // no form lets such values in, but a file may hold them: a line that was wrapped, a paste
    let (start, end) = secret.split_at(11);
    let pasted = Secret {
        name: Name::parse("demo_secret").unwrap(),
        credentials: Credentials {
            access_key_id: id.clone(),
            secret_access_key: SecretString::new(format!(" {start}\t{end} \n")),
            session_token: None,
            expires_at: None,
        },
        key_names: KeyNames::Oss,
    };
    keystore().put(pasted, Put::Update).unwrap();
    let check = bench.run(&["check", "demo_store", "--json"]);
    assert_eq!(check.code, 1);
    assert_eq!(rung(&check.json(), "secret")["state"], "failed", "{check:?}");
    let mended = bench.run(&["check", "demo_store", "--fix", "--yes"]).ok();
    assert!(mended.out.contains("4 blanks removed"), "{}", mended.out);
    assert!(!mended.out.contains(secret.as_str()) && !mended.err.contains(secret.as_str()));
    let kept = keystore().get("demo_secret").unwrap();
    assert_eq!(kept.credentials.secret_access_key.expose(), secret);
}

/// The command that the recipe of the custom domain gives.
fn name_it(check: &Value) -> String {
    let steps = rung(check, "public-endpoint")["steps"].as_array().unwrap();
    let step = steps.iter().find_map(|step| step.as_str()?.strip_prefix("Name it: "));
    step.unwrap_or_else(|| panic!("{check:#}")).split(". ZenML").next().unwrap().to_owned()
}

#[test]
fn the_recipe_of_a_custom_domain_holds_word_for_word() {
    let bench = Bench::with_a_domain();
    bench.faults.change(|faults| faults.public_endpoint_forbidden = true);
    let check = bench.run(&["check", "demo_store", "--json"]);
    assert_eq!(check.code, 1);
    let check = check.json();
    let error = &rung(&check, "public-endpoint")["error"];
    assert_eq!(error["code"], "PublicEndpointForbidden", "{check:#}");
    let command = name_it(&check);
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    bench.run(&words).ok();
    let catalog = bench.read(CATALOG);
    assert!(catalog.contains("endpoint = { custom_domain = \"oss.example.com\" }"), "{catalog}");

    let check = bench.run(&["check", "demo_store", "--json"]).ok().json();
    for id in ["proxy", "access-key", "public-endpoint", "write", "read-range", "multipart"] {
        assert_eq!(rung(&check, id)["state"], "passed", "{check:#}");
    }
    let plan = bench.run(&["plan", "demo_stack", "--script"]).ok().out;
    assert!(plan.contains("\"endpoint_url\":\"https://oss.example.com\""), "{plan}");
    bench.run(&["ls", "demo_store:"]).ok();
}

#[test]
fn the_recipe_of_a_custom_domain_can_be_rehearsed() {
    let bench = Bench::demo();
    bench.faults.change(|faults| faults.public_endpoint_forbidden = true);
    let check = bench.run(&["check", "demo_store", "--json"]);
    assert_eq!(check.code, 1);
    let check = check.json();
    let said = rung(&check, "public-endpoint");
    assert_eq!(
        (&said["state"], &said["error"]["code"]),
        (&json!("failed"), &json!("PublicEndpointForbidden"))
    );
    let steps = said["steps"].as_array().unwrap();
    let step = |what: &str| {
        let step = steps.iter().map(|step| step.as_str().unwrap()).find(|step| step.contains(what));
        step.unwrap_or_else(|| panic!("{what}: {said:#}"))
    };
    assert!(step("bind").contains("zenml-demo.oss.example.com"));
    // as it says, with the name that the rehearsal has
    let command = name_it(&check);
    let (_, port) = bench.sandbox.endpoint.rsplit_once(':').unwrap();
    let rehearsed = step("To rehearse it");
    let endpoint =
        rehearsed.split_whitespace().find(|word| word.starts_with("http://cname")).unwrap();
    let endpoint = endpoint.trim_end_matches('.').replace("PORT", port);
    let command = command.replace("domain:oss.example.com", &endpoint);
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    bench.run(&words).ok();
    let check = bench.run(&["check", "demo_store", "--json"]).ok().json();
    assert_eq!(rung(&check, "public-endpoint")["state"], "passed", "{check:#}");
    assert_eq!(rung(&check, "write")["state"], "passed");
    let plan = bench.run(&["plan", "demo_stack", "--script"]).ok().out;
    assert!(plan.contains(&format!("\"endpoint_url\":\"{endpoint}\"")), "{plan}");
}

#[tokio::test]
async fn an_internal_endpoint_keeps_its_place_in_production() {
    let user = User::of_demo();
    let store = user.world.store("demo_store").await.unwrap();
    let public = EndpointChoice::Kind(EndpointKind::Public);
    let eu = |draft: &mut osstack::model::store::StoreDraft| {
        (draft.region, draft.endpoint) = ("eu-central-1".into(), "internal".into());
    };
    let inside = Fix::of(&store, "inside", eu).unwrap();
    let apply = async |fix: &Fix| {
        ApplyFix { fix: fix.clone() }.run(Context::alone(Arc::clone(&user.world))).await
    };
    apply(&inside).await.unwrap();
    let store = user.world.store("demo_store").await.unwrap();
    let offered = osstack::doctor::fix::from_outside(&store).unwrap();
    assert_eq!(offered, Fix::access(&store, &public).unwrap());
    apply(&offered).await.unwrap();
    let mended = user.world.store("demo_store").await.unwrap();
    assert_eq!((&mended.endpoint, mended.access), (&store.endpoint, Some(public)));
    // the entry no longer says what the fix begins with
    assert_eq!(apply(&offered).await.unwrap_err().kind, FailureKind::Conflict);
}

#[tokio::test]
async fn a_plan_that_lacks_its_check_says_so_at_the_top() {
    let mut user = User::of_demo();
    let file = user.path(CATALOG);
    let text = std::fs::read_to_string(&file).unwrap();
    let asks = text.replace("[stack.demo_stack]\n", "[stack.demo_stack]\nrequire_check = true\n");
    assert_ne!(asks, text);
    let options = osstack::base::atomic_file::Options::default();
    osstack::base::atomic_file::write(&file, asks.as_bytes(), 1, &options).unwrap();
    let picture = user.keys("1E").await;
    assert!(picture.contains("(require_check)") && picture.contains("never checked"), "{picture}");
    insta::assert_snapshot!("plan_check_required", still(&picture));
    insta::assert_snapshot!("plan_check_required_wide", still(&user.wide()));
    // the check itself takes the warning away
    user.start_anew();
    user.keys("1c<esc>").await;
    let picture = user.keys("E").await;
    assert!(picture.contains("Plan for demo_stack"), "{picture}");
    assert!(!picture.contains("require_check"), "{picture}");
}

#[test]
fn history_verdict_and_a_required_check() {
    let bench = Bench::demo();
    bench.run(&["stack", "update", "demo_stack", "--require-check"]).ok();
    assert!(bench.read(CATALOG).contains("require_check = true"));
    let plan = || bench.run(&["plan", "demo_stack", "--script"]).ok();
    assert!(plan().err.contains("require_check") && plan().err.contains("never checked"));
    let json = bench.run(&["plan", "demo_stack", "--json"]).ok().json();
    assert_eq!(
        (&json["check"]["required"], &json["check"]["verdict"]),
        (&json!(true), &json!("never"))
    );

    bench.run(&["check", "stack/demo_stack"]).ok();
    assert_eq!(plan().err, "");
    bench.faults.change(|faults| faults.writing_denied = true);
    assert_eq!(bench.run(&["check", "demo_store"]).code, 1);
    let history = || bench.run(&["check", "demo_store", "--history", "--json"]).ok().json();
    let said = history();
    assert_eq!(said["verdict"], "failed");
    let checks = said["checks"].as_array().unwrap();
    let outcomes: Vec<_> = checks.iter().map(|check| &check["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "warned"]);
    assert_eq!(checks[0]["problems"][0]["id"], "write");
    assert!(plan().err.contains("failed"));

    bench.run(&["store", "update", "demo_store", "--signature", "v4"]).ok();
    assert_eq!(history()["verdict"], "outdated");
    let shown = bench.run(&["check", "demo_stack", "--history"]).ok();
    assert!(shown.out.contains("older than its definition"), "{}", shown.out);
    let file = bench.read("state/checks.json");
    assert!(!file.contains(&bench.sandbox.secret_access_key));
    assert!(!file.contains(&bench.sandbox.access_key_id));

    // a history that cannot be read is said, and never overwritten; checks go on
    bench.write("state/checks.json", "{");
    let broken = bench.run(&["check", "demo_store", "--history"]);
    assert_eq!(broken.code, 1);
    assert!(broken.err.contains("rm '"), "{}", broken.err);
    bench.faults.change(|faults| faults.writing_denied = false);
    bench.run(&["check", "demo_store"]).ok();
    assert_eq!(bench.read("state/checks.json"), "{");
}

#[test]
fn rights_vantage_and_the_smallest_policy() {
    let bench = Bench::demo();
    let check = bench.run(&["check", "demo_store", "--json"]).ok().json();
    for right in ["oss:ListObjects", "oss:GetObject", "oss:PutObject", "oss:DeleteObject"] {
        assert_eq!(check["permissions"][right], "worked", "{check:#}");
    }
    assert!(check["vantage"]["seen_from"].as_str().unwrap().starts_with("this machine"));
    assert!(check["vantage"]["does_not_prove"][0].as_str().unwrap().contains("pods"));
    let policy = bench.run(&["artifact-store", "policy", "demo_store"]).ok().json();
    assert_eq!(policy, check["policy"]);
    assert_eq!(policy, bench.run(&["store", "policy", "s3://zenml-demo/zenml"]).ok().json());
    assert_eq!(policy["Version"], "1");

    bench.faults.change(|faults| faults.listing_denied = true);
    let check = bench.run(&["check", "demo_store"]);
    assert!(check.out.contains("rights that were denied: oss:ListObjects"), "{}", check.out);
    assert_eq!(bench.run(&["store", "policy", "s3://Bad_Bucket"]).code, 2);
}

/// The demo, whose store points to the other region.
fn misdirected() -> User {
    let user = User::of_demo();
    let [right, wrong] = [0, 1].map(|at| user.sandbox.description.regions[at].endpoint.clone());
    let catalog = std::fs::read_to_string(user.path(CATALOG)).unwrap();
    write(&user, &catalog.replace(&right, &wrong));
    user
}

#[expect(clippy::disallowed_methods, reason = "the user's own editor is played here")]
fn write(user: &User, catalog: &str) {
    std::fs::write(user.path(CATALOG), catalog).unwrap();
}

#[tokio::test]
async fn one_key_shows_a_fix_and_applies_it() {
    let mut user = misdirected();
    let [right, wrong] = [0, 1].map(|at| user.sandbox.description.regions[at].endpoint.clone());
    user.keys("2c").await;
    let picture = user.wide();
    assert!(picture.contains("does not work") && picture.contains("fix…"), "{picture}");
    let picture = user.keys("f").await;
    assert!(picture.contains(&format!("- endpoint = \"{wrong}\"")), "{picture}");
    assert!(picture.contains(&format!("+ endpoint = \"{right}\"")), "{picture}");
    let catalog = || std::fs::read_to_string(user.path(CATALOG)).unwrap();
    assert!(catalog().contains(&wrong), "shown is not applied");
    user.keys("<enter>").await;
    let picture = user.wide();
    assert!(picture.contains("works, with") && !picture.contains("fix…"), "{picture}");
    let catalog = std::fs::read_to_string(user.path(CATALOG)).unwrap();
    assert_eq!(catalog.matches(&wrong).count(), 1, "the other store is as it was: {catalog}");
    let picture = user.keys("<esc>").await;
    assert!(picture.contains("last check warned just now"), "{picture}");
}

#[tokio::test]
async fn a_draft_is_mended_in_its_form() {
    let mut user = misdirected();
    let right = user.sandbox.description.endpoint.clone();
    let picture = user.keys("2e<ctrl-t>f<enter><esc>").await;
    assert!(picture.contains("Store demo_store") && picture.contains(&right), "{picture}");
    let before = std::fs::read_to_string(user.path(CATALOG)).unwrap();
    assert!(!before.contains(&format!("demo_store]\nendpoint = \"{right}")), "not saved yet");
    user.keys("<ctrl-s>").await;
    let after = std::fs::read_to_string(user.path(CATALOG)).unwrap();
    assert!(after != before && after.contains(&right), "{after}");
}

#[tokio::test]
async fn any_error_is_explained_by_one_key() {
    let mut user = User::of_demo();
    let catalog = std::fs::read_to_string(user.path(CATALOG)).unwrap();
    write(&user, &catalog.replace("s3://zenml-demo/zenml", "s3://no-such-bucket/zenml"));
    let picture = user.keys("2c!").await;
    assert!(picture.contains(" means") && picture.contains("cause"), "{picture}");
    assert!(picture.contains("NoSuchBucket"), "{picture}");
    let picture = user.keys("<esc><esc>").await;
    assert!(!picture.contains("explain…"), "no error, no key: {picture}");
}

#[tokio::test]
async fn policies_are_shown_for_a_store_and_before_any_key() {
    let mut user = User::of_demo();
    let picture = user.keys("2cp").await;
    assert!(picture.contains("oss:PutObject") && picture.contains("worked"), "{picture}");
    let end = user.keys("G").await;
    assert!(end.contains("acs:oss:*:*:zenml-demo/zenml/*"), "{end}");

    let mut user = User::new();
    let picture = user.keys("3n<ctrl-o>Bad_Bucket<ctrl-s>").await;
    assert!(picture.contains("RAM policy"), "{picture}");
    user.keys("<ctrl-u>my-bucket<tab>zenml<ctrl-s>").await;
    let wide = user.wide();
    assert!(wide.contains("acs:oss:*:*:my-bucket/zenml/*"), "{wide}");
    assert!(wide.contains("oss:Prefix"), "{wide}");
    let picture = user.keys("<esc><esc>").await;
    assert!(picture.contains("AccessKey ID"), "{picture}");
}

/// The window in front, without the check behind it, which is not the same twice.
fn front(picture: &str) -> String {
    let picture = still(picture);
    let lines: Vec<Vec<char>> = picture.lines().map(|line| line.chars().collect()).collect();
    let corner = |line: &Vec<char>| (2..line.len()).find(|at| line[*at] == '┌');
    let Some((top, left)) = lines.iter().enumerate().find_map(|(y, line)| Some((y, corner(line)?)))
    else {
        return picture;
    };
    let right = (left..lines[top].len()).find(|at| lines[top][*at] == '┐').unwrap();
    let end = (top..lines.len()).find(|y| lines[*y][left] == '└').unwrap();
    let window = lines[top..=end].iter().map(|line| line[left..=right].iter().collect::<String>());
    window.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn fix_policy_and_explanation_look_like_this() {
    for (name, misdirect, keys) in [
        ("fix", true, "2cf"),
        ("policy", false, "2cp"),
        ("policy_form", false, "3n<ctrl-o>"),
        ("explain", true, "2c!"),
    ] {
        let mut user = if misdirect { misdirected() } else { User::of_demo() };
        let picture = user.keys(keys).await;
        insta::assert_snapshot!(name, front(&picture));
        let wide = user.stage.resize(160, 48).picture();
        insta::assert_snapshot!(format!("{name}_wide"), front(&wide));
    }
}
