//! Secrets that lie elsewhere than in the keystore, and checks of a file on a runner that has none.

use serde_json::{Value, json};

use super::bench::{Bench, stop};

/// A stack whose secret `ci` comes from where `secret` says.
fn catalog(bench: &Bench, secret: &str) -> String {
    let endpoint = &bench.sandbox.endpoint;
    format!(
        "schema = 1\n\n[secret.ci]\n{secret}\n\n[artifact_store.ci_store]\n\
         path = \"s3://zenml-demo/zenml\"\nsecret = \"ci\"\nregion = \"sandbox\"\n\
         endpoint = \"{endpoint}\"\n\n[stack.ci_stack]\n\
         components = {{ artifact_store = [\"ci_store\"], orchestrator = [\"default\"] }}\n"
    )
}

/// A machine without a keystore or an identity, and its key in the environment.
fn runner() -> Bench {
    let mut bench = Bench::bare();
    let (id, secret) =
        (bench.sandbox.access_key_id.clone(), bench.sandbox.secret_access_key.clone());
    bench.set("OSS_ACCESS_KEY_ID", &id);
    bench.set("OSS_ACCESS_KEY_SECRET", &secret);
    bench
}

/// A program that prints the sandbox's key, and counts how often.
fn program(bench: &Bench) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = &bench.sandbox;
    let key = json!({
        "Version": 1,
        "AccessKeyId": sandbox.access_key_id,
        "SecretAccessKey": sandbox.secret_access_key,
    });
    bench.write("get-key", &format!("#!/bin/sh\necho \"$1\" >> calls\necho '{key}'\n"));
    let path = bench.path("get-key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    format!("source = \"process\"\ncommand = [\"{}\", \"once\"]", path.display())
}

#[test]
fn a_runner_checks_a_file_without_a_keystore() {
    let mut bench = runner();
    bench.write("stacks.toml", &catalog(&bench, "source = \"env\""));
    let checked = ["check", "--file", "stacks.toml", "--junit", "found.xml"];
    let ran = bench.run(&checked).ok();
    assert!(ran.out.starts_with("stack/ci_stack\n"), "{ran:?}");
    let xml = bench.read("found.xml");
    assert!(xml.contains("<testsuite name=\"stack/ci_stack\""), "{xml}");
    assert!(xml.contains("failures=\"0\" errors=\"0\""), "{xml}");
    let report = bench.run(&["check", "ci_store", "--file", "stacks.toml", "--json"]).ok().json();
    assert_eq!(report["subject"], "store/ci_store");
    assert!(!bench.path("data").exists(), "no keystore was made");
    assert!(!bench.path("state/checks.json").exists(), "no check of an own store");

    bench.unset("OSS_ACCESS_KEY_SECRET");
    let ran = bench.run(&checked);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("OSS_ACCESS_KEY_SECRET is not set beside it"), "{ran:?}");
    let xml = bench.read("found.xml");
    assert!(xml.contains("<failure") && xml.contains("OSS_ACCESS_KEY_SECRET"), "{xml}");

    let none = bench.run(&["check", "--file", "no.toml"]);
    assert!(none.code == 1 && none.err.contains("no.toml is not there"), "{none:?}");
}

#[test]
fn what_cannot_be_checked_is_an_error_among_what_can() {
    let bench = runner();
    let broken = "\n[artifact_store.broken]\npath = \"nowhere\"\nsecret = \"ci\"\n\
                  [stack.other]\ncomponents = { artifact_store = [\"broken\"] }\n";
    bench.write("stacks.toml", &(catalog(&bench, "source = \"env\"") + broken));
    let ran = bench.run(&["check", "--file", "stacks.toml", "--junit", "found.xml"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let xml = bench.read("found.xml");
    assert!(xml.contains("name=\"stack/ci_stack\"") && xml.contains("errors=\"2\""), "{xml}");
    for left_out in ["artifact_store.broken", "stack.other"] {
        assert!(xml.contains(&format!("<testsuite name=\"{left_out}\"")), "{xml}");
    }
    for more in [&[][..], &["--all"]] {
        let checked = bench.run(&[&["check", "--file", "stacks.toml"], more].concat());
        assert_eq!(checked.code, 1, "{checked:?}");
    }
    let text = bench.read("stacks.toml");
    let lost = bench.run(&["check", "--file", "stacks.toml", "--junit", "stacks.toml"]);
    assert!(lost.code == 2 && bench.read("stacks.toml") == text, "{lost:?}");
    bench.write("stacks.toml", "no = [toml");
    let ran = bench.run(&["check", "--file", "stacks.toml", "--junit", "found.xml"]);
    assert!(ran.code == 1 && bench.read("found.xml").contains("<error"), "{ran:?}");
}

#[test]
fn a_secret_of_the_catalog_may_come_from_a_program() {
    let bench = Bench::empty();
    bench.write("config/stacks.toml", &catalog(&bench, &program(&bench)));
    bench.run(&["check", "ci_stack"]).ok();
    assert_eq!(bench.read("calls"), "once\n", "asked for once, not by every request");
    bench.run(&["ls", "ci_store:"]).ok();
    let listed = bench.run(&["secret", "list", "--json"]).ok().json();
    let source = listed["secrets"][0]["source"].as_str().unwrap();
    assert!(source.ends_with("get-key"), "{listed}");
    assert!(bench.run(&["secret", "list"]).ok().out.contains("get-key"));
    let key = r#"{"access_key_id": "LTAIx", "secret_access_key": "s"}"#;
    bench.feed(&["secret", "create", "kept", "--stdin"], key).ok();
    let get = bench.run(&["secret", "get", "ci"]);
    assert!(get.code == 2 && get.err.contains("[secret.ci]"), "{get:?}");
    let create = bench.feed(&["secret", "create", "ci", "--stdin"], key);
    assert!(create.code == 2 && create.err.contains("[secret.ci]"), "{create:?}");
}

#[test]
fn a_file_of_somebody_elses_runs_nothing_unless_it_is_trusted() {
    let bench = runner();
    let theirs = catalog(&bench, &program(&bench)).replace("schema = 1", "");
    bench.write("theirs.toml", &theirs);
    let ran = bench.run(&["check", "--file", "theirs.toml"]);
    assert!(ran.err.starts_with("theirs.toml: schema"), "{ran:?}");
    assert!(ran.code == 1 && ran.out.contains("--trust"), "{ran:?}");
    assert!(!bench.path("calls").exists(), "it was run");
    bench.run(&["check", "--file", "theirs.toml", "--trust"]).ok();
    assert!(bench.path("calls").exists());
}

/// Neither is a request signed for an address that stands there, nor is a sign-in sent to it.
#[test]
fn a_file_of_somebody_elses_has_no_use_of_the_keystore() {
    let bench = Bench::furnished();
    let zenml = bench.zenml(&[]);
    let own = bench.read("config/stacks.toml");
    bench.write("theirs.toml", &own);
    let ran = bench.run(&["check", "demo_stack", "--file", "theirs.toml"]);
    assert!(ran.out.contains("· the key is accepted"), "nothing was signed: {ran:?}");
    assert!(ran.code == 1 && ran.out.contains("[secret.demo_secret]"), "{ran:?}");
    let secret = "[secret.demo_secret]\nsource = \"zenml\"\nconnection = \"here\"\n";
    bench.write("zenml.toml", &format!("{own}\n{secret}"));
    let ran = bench.run(&["check", "demo_stack", "--file", "zenml.toml"]);
    assert!(ran.code == 1 && ran.out.contains("--trust"), "{ran:?}");
    assert!(ran.out.contains("· the key is accepted"), "nothing was signed: {ran:?}");
    bench.run(&["mb", "demo_store"]);
    bench.run(&["check", "demo_stack", "--file", "theirs.toml", "--trust"]).ok();
    stop(zenml);
}

/// The key of the environment is there for the run, and is not signed with for everybody.
#[test]
fn a_file_of_somebody_elses_names_no_profile_and_no_address() {
    let bench = runner();
    let profile = "source = \"profile\"\nprofile = \"aliyun:default\"";
    bench.write("theirs.toml", &catalog(&bench, profile));
    let ran = bench.run(&["check", "--file", "theirs.toml"]);
    assert!(ran.code == 1 && ran.out.contains("--trust"), "{ran:?}");
    let elsewhere = catalog(&bench, "source = \"env\"")
        .replace(&bench.sandbox.endpoint, "https://oss.example.com");
    bench.write("theirs.toml", &elsewhere);
    let ran = bench.run(&["check", "--file", "theirs.toml"]);
    assert!(ran.code == 1 && ran.out.contains("oss.example.com, which is no address"), "{ran:?}");
    assert!(ran.out.contains("· the key is accepted"), "nothing was signed: {ran:?}");
}

#[test]
fn who_has_a_keystore_is_asked_for_it_where_it_is_needed_alone() {
    let mut bench = Bench::empty();
    let key = r#"{"access_key_id": "LTAIx", "secret_access_key": "another"}"#;
    bench.feed(&["secret", "create", "kept", "--stdin"], key).ok();
    bench.unset("OSSTACK_IDENTITY_FILE");
    bench.write("config/stacks.toml", &catalog(&bench, &program(&bench)));
    bench.run(&["ls", "ci_store:"]).ok();
    assert_eq!(bench.run(&["secret", "list"]).code, 3);
    let by_zenml = "source = \"zenml\"\nconnection = \"here\"";
    bench.write("config/stacks.toml", &catalog(&bench, by_zenml));
    assert_eq!(bench.run(&["ls", "ci_store:"]).code, 3, "what signs in there lies in it");
}

#[test]
fn a_name_means_one_key() {
    let bench = Bench::empty();
    for name in ["ci", "kept"] {
        let key = json!({
            "access_key_id": bench.sandbox.access_key_id,
            "secret_access_key": bench.sandbox.secret_access_key,
        });
        bench.feed(&["secret", "create", name, "--stdin"], &key.to_string()).ok();
    }
    bench.write("config/stacks.toml", &catalog(&bench, "source = \"evn\""));
    let slip = bench.run(&["ls", "ci_store:"]);
    assert!(slip.code == 1 && slip.err.contains("secret.ci"), "the keystore's is used: {slip:?}");
    bench.write("config/stacks.toml", &catalog(&bench, &program(&bench)));
    for renamed in [["secret", "rename", "ci", "other"], ["secret", "rename", "kept", "ci"]] {
        let renamed = bench.run(&renamed);
        assert!(renamed.code == 2 && renamed.err.contains("[secret.ci]"), "{renamed:?}");
    }
}

#[test]
fn a_program_that_gives_no_key_is_told_without_what_it_said() {
    let bench = Bench::bare();
    for (script, said) in [
        ("echo '{\"canary\": 1}'", "not the JSON expected"),
        ("echo canary >&2; exit 7", "exit code 7"),
        ("echo '{\"access_key_id\": \"a b\", \"secret_access_key\": \"canary\"}'", "blank"),
    ] {
        let secret = format!("source = \"process\"\ncommand = [\"sh\", \"-c\", {script:?}]");
        bench.write("config/stacks.toml", &catalog(&bench, &secret));
        let ran = bench.run(&["ls", "ci_store:"]);
        assert!(ran.code == 1 || ran.code == 2, "{ran:?}");
        assert!(ran.err.contains(said) && !ran.err.contains("canary"), "{ran:?}");
    }
}

#[test]
fn a_profile_of_another_tool_is_read_where_it_is() {
    let mut bench = Bench::bare();
    let home = bench.path("").to_str().unwrap().to_owned();
    bench.set("HOME", &home);
    let sandbox = &bench.sandbox;
    let profile = |name: &str, secret: &str| {
        json!({
            "name": name,
            "mode": "AK",
            "access_key_id": sandbox.access_key_id,
            "access_key_secret": secret,
        })
    };
    let profiles = [profile("default", "another"), profile("ci", &sandbox.secret_access_key)];
    let text = json!({ "current": "default", "profiles": profiles }).to_string();
    bench.write(".aliyun/config.json", &text);
    bench.write(
        "config/stacks.toml",
        &catalog(&bench, "source = \"profile\"\nprofile = \"aliyun:ci\""),
    );
    bench.run(&["check", "ci_stack"]).ok();
    let plan = bench.run(&["plan", "ci_stack", "--json"]).ok().json();
    assert_eq!(plan["steps"][0]["kind"], "secret", "ZenML gets the values: {plan}");
    assert_eq!(bench.read(".aliyun/config.json"), text);
    bench.write(
        "config/stacks.toml",
        &catalog(&bench, "source = \"profile\"\nprofile = \"aliyun:gone\""),
    );
    let gone = bench.run(&["ls", "ci_store:"]);
    assert!(gone.code == 1 && gone.err.contains("aliyun:ci"), "{gone:?}");
}

#[test]
fn a_secret_that_only_zenml_has_is_read_there_and_left_there() {
    let bench = Bench::furnished();
    let zenml = bench.zenml(&[]);
    bench.run(&["commit", "demo_stack", "--yes", "--without-check"]).ok();
    let catalog = bench.read("config/stacks.toml");
    let listed = bench.run(&["secret", "list", "--json"]).ok().json();
    let name = listed["secrets"][0]["name"].as_str().unwrap().to_owned();
    let with = format!("{catalog}\n[secret.{name}]\nsource = \"zenml\"\nconnection = \"here\"\n");
    bench.write("config/stacks.toml", &with);
    bench.run(&["secret", "delete", &name, "--yes"]).ok();
    bench.run(&["ls", "scratch_store:"]).ok();
    let plan = bench.run(&["plan", "demo_stack", "--json"]).ok().json();
    let changes: Vec<&Value> = plan["changes"].as_array().into_iter().flatten().collect();
    assert!(changes.iter().all(|one| one["kind"] != "secret"), "{plan}");
    stop(zenml);
}
