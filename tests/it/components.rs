//! Components beyond store and orchestrator: described by command and by form, judged with their
//! stack, taken to ZenML's YAML and back.

use serde_json::json;

use crate::cli::bench::{Bench, stop};
use crate::user::User;

const EXPORTED: &str = include_str!("../data/zenml/stack-export.yaml");
const KEY: &str = r#"{"access_key_id": "LTAI5tSandboxSandbox0001",
    "secret_access_key": "sandboxSANDBOX0123456789secret"}"#;

const REGISTER: [&str; 4] = ["component", "register", "orchestrator", "gpu"];

#[test]
fn components_are_described_by_their_flavor() {
    let bench = Bench::empty();
    let none = bench.run(&REGISTER);
    assert!(none.code == 2 && none.err.contains("kubernetes"), "the flavors are named: {none:?}");
    let typo = [&REGISTER[..], &["-f", "kubernetes", "--set", "kubernetes_contxt=prod"]].concat();
    let typo = bench.run(&typo);
    assert_eq!(typo.code, 2);
    assert!(typo.err.contains("did you mean kubernetes_context?"), "{}", typo.err);
    let settings = ["-f", "kubernetes", "--set", "kubernetes_context=prod", "--set"];
    let wrong = bench.run(&[&REGISTER[..], &settings, &["max_parallelism=0"]].concat());
    assert!(wrong.code == 2 && wrong.err.contains("write a whole number above 0"), "{wrong:?}");
    bench.run(&[&REGISTER[..], &settings, &["max_parallelism=4"]].concat()).ok();
    assert_eq!(bench.run(&[&REGISTER[..], &["-f", "kubernetes"]].concat()).code, 1, "it is there");

    let gpu = ["component", "describe", "orchestrator", "gpu"];
    let told = bench.run(&[&gpu[..], &["--json"]].concat()).ok().json();
    let configuration = json!({ "kubernetes_context": "prod", "max_parallelism": 4 });
    assert_eq!(told["configuration"], configuration);
    let update = ["component", "update", "orchestrator", "gpu", "--unset", "max_parallelism"];
    bench.run(&[&update[..], &["--set", "skip_local_validations=yes"]].concat()).ok();
    let told = bench.run(&[&gpu[..], &["--json"]].concat()).ok().json();
    let configuration = json!({ "kubernetes_context": "prod", "skip_local_validations": true });
    assert_eq!(told["configuration"], configuration);
    assert!(bench.run(&gpu).ok().out.contains("a container registry, an image builder"));

    let wrong_type = bench.run(&["component", "describe", "deployer", "gpu"]);
    assert!(wrong_type.err.contains("it is an orchestrator"), "{}", wrong_type.err);
    assert_eq!(bench.run(&["component", "describe", "artifact", "gpu"]).code, 2);
    bench.run(&["stack", "register", "s", "-a", "default", "-o", "gpu"]).ok();
    let used = bench.run(&["component", "delete", "orchestrator", "gpu"]);
    assert!(used.code == 1 && used.err.contains("is used by s"), "{used:?}");
    bench.run(&["stack", "delete", "s"]).ok();
    bench.run(&["component", "delete", "orchestrator", "gpu"]).ok();
    assert_eq!(bench.run(&["component", "list", "--json"]).ok().json()["components"], json!([]));

    let flavors = bench.run(&["component", "flavors", "orchestrator"]).ok().out;
    assert!(flavors.contains("sagemaker") && !flavors.contains("datadog"), "{flavors}");
    let one = bench.run(&["component", "flavors", "alerter", "slack"]).ok().out;
    assert!(one.contains("slack_token") && one.contains("{{SECRET.KEY}}"), "{one}");
    let own = ["component", "register", "alerter", "pager", "-f", "own", "--set", "n=3"];
    let own = bench.run(&own).ok();
    assert!(own.err.contains("no flavor own"), "{own:?}");
}

#[test]
fn a_key_is_taken_from_no_argument_and_shown_from_no_file() {
    let bench = Bench::empty();
    let register = ["component", "register", "alerter", "slack", "-f", "slack", "--set"];
    for set in ["slack_token=xoxb-canary", "xoxb-canary"] {
        let refused = bench.run(&[&register[..], &[set]].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
    }
    bench.run(&[&register[..], &["slack_token={{slack.token}}"]].concat()).ok();
    let catalog = bench.read("config/stacks.toml");
    assert!(catalog.contains("{{slack.token}}"), "{catalog}");
    bench.write("config/stacks.toml", &catalog.replace("{{slack.token}}", "xoxb-canary"));
    for more in [&[][..], &["--json"]] {
        let told = bench.run(&[&["component", "describe", "alerter", "slack"], more].concat()).ok();
        assert!(!format!("{told:?}").contains("canary"), "{told:?}");
        assert!(told.err.contains("configuration.slack_token"), "the catalog warns: {told:?}");
    }
    bench
        .run(&["stack", "register", "s", "-a", "default", "-o", "default", "-c", "alerter=slack"])
        .ok();
    let export = bench.run(&["stack", "export", "s"]);
    assert!(export.code == 1 && export.err.contains("slack_token"), "{export:?}");
    assert!(!format!("{export:?}").contains("canary"), "{export:?}");
}

#[test]
fn what_a_stack_lacks_is_said_before_zenml_says_it() {
    let bench = Bench::furnished();
    let register = [&REGISTER[..], &["-f", "kubernetes", "--set", "incluster=true"]].concat();
    bench.run(&register).ok();
    let stack = ["stack", "register", "gpu_stack", "-a", "demo_store", "-o", "gpu"];
    let registered = bench.run(&stack).ok();
    let lacks = "The orchestrator gpu (kubernetes) needs a container registry.";
    assert!(registered.err.contains(&format!("warning: {lacks}")), "{registered:?}");
    let check = bench.run(&["check", "gpu_stack", "--json"]);
    assert_eq!(check.code, 1);
    let rung = |check: &serde_json::Value| {
        let checks = check["checks"].as_array().unwrap().iter();
        checks.clone().find(|check| check["id"] == "stack-components").unwrap().clone()
    };
    let said = rung(&check.json());
    assert_eq!((&said["state"], &said["summary"]), (&json!("failed"), &json!(lacks)));
    let plan = bench.run(&["plan", "gpu_stack"]).ok().out;
    for note in [lacks, "zenml integration install kubernetes -y", "no service connector"] {
        assert!(plan.contains(note), "no {note}: {plan}");
    }
    let uri = "uri=registry.cn-hangzhou.aliyuncs.com";
    let registry = ["component", "register", "container-registry", "acr", "-f", "default"];
    bench.run(&[&registry[..], &["--set", uri]].concat()).ok();
    bench.run(&["stack", "update", "gpu_stack", "-c", "container_registry=acr"]).ok();
    let said = rung(&bench.run(&["check", "gpu_stack", "--json"]).json());
    assert_eq!(said["state"], "passed", "{said}");
    assert!(said["because"].as_str().unwrap().contains("needs an image builder"), "{said}");
}

#[test]
fn a_stack_of_zenml_comes_into_the_catalog_and_goes_out_again() {
    let bench = Bench::empty();
    bench.feed(&["secret", "create", "alibaba_secret", "--stdin"], KEY).ok();
    let imported = bench.feed(&["stack", "import", "-", "--json"], EXPORTED).ok().json();
    let entries = json!({ "artifact store alibaba_cli": "new", "stack custom_stack": "new" });
    assert_eq!(imported["entries"], entries);
    let store = bench.run(&["store", "describe", "alibaba_cli", "--json"]).ok().json();
    assert_eq!((&store["region"], &store["endpoint"]), (&json!("cn-hangzhou"), &json!("public")));
    assert_eq!((&store["signature"], &store["secret"]), (&json!("v2"), &json!("alibaba_secret")));
    assert!(!bench.read("config/stacks.toml").contains("[component"), "default is ZenML's own");
    assert_eq!(bench.run(&["stack", "export", "custom_stack"]).ok().out, EXPORTED);

    // once more changes nothing, and what differs is a conflict
    let before = bench.read("config/stacks.toml");
    let again = bench.feed(&["stack", "import", "-", "--json"], EXPORTED).ok().json();
    let same = json!({ "artifact store alibaba_cli": "same", "stack custom_stack": "same" });
    assert_eq!(again["entries"], same);
    assert_eq!(bench.read("config/stacks.toml"), before);
    let other = EXPORTED.replace("your-bucket-name", "another-bucket");
    let refused = bench.feed(&["stack", "import", "-"], &other);
    assert_eq!(refused.code, 1);
    let said = "says something else of: artifact store alibaba_cli";
    assert!(refused.err.contains(said) && refused.err.contains("--overwrite"), "{refused:?}");
    assert_eq!(bench.read("config/stacks.toml"), before);
    // what ZenML does not know of stays
    bench.run(&["store", "update", "alibaba_cli", "--residency", "CN"]).ok();
    bench.feed(&["stack", "import", "-", "--overwrite"], &other).ok();
    let store = bench.run(&["store", "describe", "alibaba_cli", "--json"]).ok().json();
    assert_eq!(store["path"], "s3://another-bucket");
    assert_eq!(store["residency"], json!(["CN"]));

    let file = bench.path("out.yaml");
    let file = file.to_str().unwrap();
    bench.run(&["stack", "export", "custom_stack", file, "--zenml-version", "0.97.0"]).ok();
    let written = std::fs::read_to_string(file).unwrap();
    assert!(written.ends_with("zenml_version: 0.97.0\n"), "{written}");
    assert_eq!(bench.run(&["stack", "export", "custom_stack", file]).code, 1, "it is there");
    bench.run(&["stack", "export", "custom_stack", file, "--overwrite"]).ok();
    bench.run(&["stack", "import", file, "--name", "second"]).ok();
    assert!(bench.run(&["stack", "list"]).ok().out.contains("second"));
}

#[test]
fn a_file_with_more_in_it_is_read_as_far_as_it_goes() {
    let bench = Bench::empty();
    let file = "\
stack_name: big
zenml_version: 0.75.0
components:
  artifact_store:
    name: on_aws
    flavor: s3
    configuration: {path: s3://there}
  orchestrator:
    - name: gpu
      flavor: kubernetes
      configuration: {kubernetes_context: prod, odd: 1, max_parallelism: null}
  alerter:
    name: slack
    flavor: slack
    configuration: {slack_token: xoxb-canary}
  teleporter: {name: x, flavor: y}
";
    let imported = bench.feed(&["stack", "import", "-", "--json"], file).ok();
    assert!(!format!("{imported:?}").contains("canary"), "{imported:?}");
    for said in [
        "on_aws (s3) is not on OSS",
        "no such setting",
        "holds a key in slack_token",
        "no component type teleporter",
    ] {
        assert!(imported.err.contains(said), "no {said}: {}", imported.err);
    }
    let catalog = bench.read("config/stacks.toml");
    assert!(!catalog.contains("canary") && catalog.contains("[component.gpu]"), "{catalog}");
    assert!(catalog.contains("type = \"teleporter\""), "{catalog}");
    let stack = bench.run(&["stack", "describe", "big", "--json"]).ok().json();
    assert_eq!(stack["components"]["artifact_store"], json!(["on_aws"]));

    let clash = file.replace("name: slack", "name: gpu").replace("big", "other");
    let clash = bench.feed(&["stack", "import", "-"], &clash);
    assert!(clash.code == 1 && clash.err.contains("has an orchestrator of that name"), "{clash:?}");
    let bomb = bench.feed(&["stack", "import", "-"], "a: &a [x]\ncomponents: {b: *a}\n");
    assert!(bomb.code == 2 && bomb.err.contains("line 2"), "{bomb:?}");
    let none = EXPORTED.replace("      authentication_secret: alibaba_secret\n", "");
    let none = bench.feed(&["stack", "import", "-"], &none);
    assert!(none.code == 2 && none.err.contains("--secret NAME"), "{none:?}");
    bench.feed(&["secret", "create", "mine", "--stdin"], KEY).ok();
    let named = EXPORTED.replace("      authentication_secret: alibaba_secret\n", "");
    bench.feed(&["stack", "import", "-", "--secret", "mine"], &named).ok();
}

/// A type that only a newer ZenML has is taken from that ZenML, and from nowhere else; its own
/// flavors stand beside those of the table, which needs nobody.
#[test]
fn types_and_flavors_of_the_server_count() {
    let bench = Bench::furnished();
    let register = ["component", "register", "quantum-solver", "q", "-f", "hosted"];
    let unknown = bench.run(&register);
    assert!(unknown.code == 2 && unknown.err.contains("osstack zenml login"), "{unknown:?}");
    let zenml = bench.zenml(&["--zenml-fault", "more-type=quantum_solver"]);
    let typo = bench.run(&["component", "register", "quantum-solvers", "q", "-f", "hosted"]);
    assert!(typo.code == 2 && typo.err.contains("here has it not"), "{typo:?}");
    bench.run(&[&register[..], &["--set", "url=http://q"]].concat()).ok();
    let register = ["stack", "register", "s", "-a", "demo_store", "-o", "default", "-c"];
    let refused = bench.run(&[&register[..], &["solver=q"]].concat());
    assert!(refused.code == 2 && refused.err.contains("no component type solver"), "{refused:?}");
    bench.run(&[&register[..], &["quantum_solver=q"]].concat()).ok();
    let stack = bench.run(&["stack", "describe", "s", "--json"]).ok().json();
    assert_eq!(stack["components"]["quantum_solver"], json!(["q"]));
    let plan = bench.run(&["plan", "s", "--script"]).ok().out;
    assert!(plan.contains("zenml quantum-solver register q -f hosted"), "{plan}");
    bench.run(&["commit", "s", "--yes", "--without-check"]).ok();
    let again = bench.run(&["plan", "s"]).ok().out;
    assert!(again.contains("Nothing to do") && !again.contains("+ "), "{again}");

    let flavors = bench.run(&["component", "flavors"]).ok();
    let own = |name: &str| flavors.out.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(own("batch_queue").ends_with("here") && own("hosted").ends_with("here"), "{flavors:?}");
    assert!(!own("sagemaker").contains("here"), "{flavors:?}");
    let one = bench.run(&["component", "flavors", "step_operator", "batch_queue"]).ok().out;
    assert!(one.contains("Name of the queue"), "{one}");
    let told = bench.run(&["component", "flavors", "step_operator", "--json"]).ok().json();
    let only_in = |name: &str| {
        let all = told["flavors"].as_array().unwrap().iter();
        all.clone().find(|flavor| flavor["name"] == name).unwrap()["only_in"].clone()
    };
    assert_eq!((only_in("batch_queue"), only_in("sagemaker")), (json!("here"), json!(null)));

    // what is known without it is told without it
    stop(zenml);
    let alone = bench.run(&["component", "flavors"]).ok();
    assert!(alone.out.contains("sagemaker") && !alone.out.contains("batch_queue"), "{alone:?}");
    assert!(alone.err.contains("without the flavors of here"), "{alone:?}");
    bench.run(&["component", "describe", "quantum_solver", "q"]).ok();
}

#[tokio::test]
async fn a_component_is_made_on_the_spot() {
    let mut user = User::of_demo();
    let picture = user.keys("1ngpu_stack<tab><enter><enter><ctrl-o>").await;
    insta::assert_snapshot!("component_picker", picture);
    let picture = user.keys("n").await;
    insta::assert_snapshot!("component_form_empty", picture);
    user.keys("gpu<tab><enter>kubernet<enter>").await;
    let picture = user.keys("<tab>prod").await;
    insta::assert_snapshot!("component_form", picture);
    insta::assert_snapshot!("component_form_wide", user.wide());
    user.keys("<tab><enter><tab><right><right>").await;
    insta::assert_snapshot!("component_form_unfolded", user.wide());
    let picture = user.keys("<ctrl-s>").await;
    assert!(picture.contains("the orchestrator gpu is in the catalog"), "{picture}");
    let picture = user.wide();
    assert!(picture.contains("needs a container registry"), "{picture}");
    insta::assert_snapshot!("stack_form_lacks_wide", picture);
    let catalog = std::fs::read_to_string(user.path("config/stacks.toml")).unwrap();
    assert!(catalog.contains("kubernetes_context = \"prod\""), "{catalog}");
    assert!(catalog.contains("synchronous = false"), "a bool by its schema: {catalog}");

    // a registry beside it, and nothing is missing any more
    user.keys("<tab><ctrl-o>").await;
    let picture = user.keys("acr<tab><enter>default<enter><ctrl-s>").await;
    assert!(picture.contains("it is needed"), "the uri is: {picture}");
    user.keys("registry.example.com<ctrl-s>").await;
    let picture = user.wide();
    assert!(
        picture.contains("acr") && !picture.contains("needs a container registry"),
        "{picture}"
    );
    let picture = user.keys("<ctrl-s>").await;
    assert!(picture.contains("saved gpu_stack"), "{picture}");
}

#[tokio::test]
async fn a_pasted_key_does_not_stay_in_the_form() {
    let mut user = User::of_demo();
    // the fold stands fifth, the alerter tenth below it
    let tabs = "<tab>".repeat(10);
    user.keys(&format!("1n<tab><tab><tab><tab><enter>{tabs}")).await;
    user.keys("<ctrl-o>slack<tab><enter>slack<enter>").await;
    let picture = user.paste("xoxb-canary").await;
    assert!(picture.contains("a reference to a secret"), "{picture}");
    assert!(!picture.contains("canary"), "{picture}");
    user.paste("{{slack.token}}").await;
    let picture = user.keys("<ctrl-s>").await;
    assert!(picture.contains("the alerter slack is in the catalog"), "{picture}");
}
