//! Artifact stores made by hand: each broken one is named right, and a sound one has no finding.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use osstack::zenml::lint::{Linted, Report, Severity, lint};
use osstack::zenml::version::Version;

use super::cli::bench::Bench;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lint")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// File and expected findings.
fn cases() -> BTreeMap<String, Vec<String>> {
    toml::from_str(&read("expected.toml")).unwrap()
}

fn judged(name: &str) -> Report {
    lint(&read(name), None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn ids(store: &Linted) -> Vec<&str> {
    store.findings.iter().map(|finding| finding.id).collect()
}

#[test]
fn each_store_is_named_right() {
    let cases = cases();
    let mut wrong = Vec::new();
    for (name, expected) in &cases {
        let report = judged(name);
        let [store] = report.stores.as_slice() else { panic!("{name}: {report:?}") };
        if ids(store) != *expected {
            wrong.push(format!("{name}: {:?}, not {expected:?}", ids(store)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // every file is a case
    let files = std::fs::read_dir(folder()).unwrap().count() - 1;
    assert_eq!(files, cases.len());
    let broken = cases.values().filter(|expected| !expected.is_empty()).count();
    assert!(broken > 60 && cases.len() - broken > 10, "{broken} of {}", cases.len());
}

#[test]
fn keys_are_shown_nowhere_and_nothing_moves_the_cursor() {
    for name in cases().keys() {
        let report = judged(name);
        assert!(!format!("{report:?}").contains("CANARY"), "{name}: {report:?}");
        for store in &report.stores {
            let texts = store.findings.iter().flat_map(|finding| {
                [Some(&finding.meaning), finding.corrected.as_ref(), store.name.as_ref()]
            });
            for text in texts.flatten() {
                let hides = |c: char| c.is_control() || c == '\u{202e}';
                assert!(!text.contains(hides), "{name}: {text:?}");
            }
        }
    }
}

#[test]
fn every_finding_says_what_it_means_and_errors_what_to_do() {
    for name in cases().keys() {
        for store in judged(name).stores {
            for finding in &store.findings {
                assert!(finding.meaning.ends_with('.'), "{name}: {}", finding.meaning);
                assert!(!finding.meaning.contains("  "), "{name}: {}", finding.meaning);
            }
            let errors = store.findings.iter().filter(|f| f.severity == Severity::Error);
            for finding in errors {
                let told = finding.corrected.is_some() || finding.meaning.len() > 40;
                assert!(told, "{name}: {finding:?}");
            }
            let sound = store.findings.iter().all(|f| f.severity == Severity::Note);
            // quotes around the path are a note that has a cure
            assert!(
                !sound || store.commands.is_empty() || name.starts_with("path-quotes"),
                "{name}"
            );
        }
    }
}

/// What the commands set is sound itself: a second look at them finds no error.
#[test]
fn the_cure_is_sound() {
    let mut cured = 0;
    for name in cases().keys() {
        for store in judged(name).stores {
            let update = store.commands.iter().map(ToString::to_string);
            for command in update.filter(|command| command.contains("artifact-store update")) {
                let again =
                    lint(&command, None).unwrap_or_else(|e| panic!("{name}: {e}: {command}"));
                let errors: Vec<_> = again.stores[0]
                    .findings
                    .iter()
                    .filter(|finding| finding.severity == Severity::Error)
                    .map(|finding| finding.id)
                    .collect();
                // where only the user knows the region or the endpoint, a word stands in its place
                let open = command.contains("REGION");
                assert!(errors.is_empty() || open, "{name}: {errors:?} in {command}");
                cured += 1;
            }
        }
    }
    assert!(cured > 40, "{cured}");
}

#[test]
fn corrected_values() {
    for (name, words) in [
        (
            "endpoint-no-scheme.sh",
            r#"--client_kwargs='{"endpoint_url":"https://oss-eu-central-1.aliyuncs.com"}'"#,
        ),
        ("endpoint-invented-region.txt", "https://oss-cn-huhehaote.aliyuncs.com"),
        (
            "endpoint-http-bucket-path.txt",
            r#"{"endpoint_url":"https://oss-eu-central-1.aliyuncs.com"}"#,
        ),
        ("path-url.sh", "--path='s3://your-bucket-name/zenml'"),
        (
            "no-config-kwargs.txt",
            r#"--config_kwargs='{"signature_version":"s3","s3":{"addressing_style":"virtual"}}'"#,
        ),
        ("signature-v4-no-region.yaml", r#""region_name":"eu-central-1""#),
        ("key-plain.txt", "zenml secret create alibaba_store_secret -i"),
        ("key-plain.txt", "--authentication_secret=alibaba_store_secret"),
        ("key-plain.txt", "zenml artifact-store remove-attribute alibaba_store key secret"),
        ("connector.txt", "zenml artifact-store disconnect alibaba_store"),
        ("proxy-password.json", "http://USER:PASSWORD@proxy:3128"),
        ("hostile-name.json", r"rm -rf ~ #'"),
    ] {
        let commands: Vec<String> =
            judged(name).stores[0].commands.iter().map(ToString::to_string).collect();
        assert!(commands.join("\n").contains(words), "{name}: {commands:?}");
    }
}

#[test]
fn the_botocore_that_runs_decides_what_it_may() {
    let at = |name: &str, botocore: &str| -> Vec<String> {
        let report = lint(&read(name), Version::parse(botocore)).unwrap();
        ids(&report.stores[0]).into_iter().map(str::to_owned).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(at("signature-v4-alone.json", "1.35.93"), none);
    assert_eq!(at("signature-v4-alone.json", "1.43.117"), ["uploads-chunked"]);
    assert_eq!(at("signature-v4.json", "1.43.117"), none);
    assert_eq!(at("signature-v4.json", "1.35.93"), ["checksums-botocore"]);
}

#[test]
fn on_the_command_line() {
    let bench = Bench::bare();
    let path = |name: &str| folder().join(name).to_str().unwrap().to_owned();
    let sound = bench.run(&["lint", &path("sound-table.txt")]).ok();
    assert_eq!(sound.out, "alibaba_store: nothing is wrong\n");
    bench.run(&["lint", &path("endpoint-internal.json")]).ok();

    let broken = bench.feed(&["lint", "-"], &read("key-plain.txt"));
    assert_eq!(broken.code, 0, "a warning is no error: {broken:?}");
    assert!(broken.out.contains("warning key-plaintext (key)"), "{}", broken.out);
    assert!(!broken.out.contains("CANARY"), "{}", broken.out);

    let broken = bench.feed(&["lint", "-", "--json"], &read("endpoint-bucket.json"));
    assert_eq!(broken.code, 1);
    let json = broken.json();
    assert_eq!(json["form"], "json");
    assert_eq!(json["outcome"], "failed");
    let finding = &json["stores"][0]["findings"][0];
    assert_eq!(finding["id"], "endpoint-bucket");
    assert_eq!(finding["corrected"], "https://oss-eu-central-1.aliyuncs.com");
    assert_eq!(json["environment"], Value::Null);

    for (input, words) in [("", "no text"), ("hello", "no artifact store"), ("{", "line 1")] {
        let refused = bench.feed(&["lint", "-"], input);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(words) && refused.err.contains("next:"), "{}", refused.err);
    }
    assert_eq!(bench.run(&["lint", "/nowhere"]).code, 2);
}

#[test]
fn with_a_python() {
    let mut bench = Bench::bare();
    let site = bench.path("venv/lib/python3.11/site-packages");
    for name in [
        "zenml-0.98.0",
        "s3fs-2026.9.0",
        "boto3-1.43.117",
        "botocore-1.43.117",
        "aws_profile_manager-0.7.3",
    ] {
        std::fs::create_dir_all(site.join(format!("{name}.dist-info"))).unwrap();
    }
    bench.set("VIRTUAL_ENV", bench.path("venv").to_str().unwrap().to_owned().as_str());
    let ran =
        bench.feed(&["lint", "-", "--python", "auto", "--json"], &read("signature-v4.json")).ok();
    let json = ran.json();
    assert_eq!(json["stores"][0]["findings"], json!([]));
    assert_eq!(json["environment"]["packages"]["botocore"], "1.43.117");
    assert_eq!(json["environment"]["findings"][0]["id"], "botocore-delete");
    let refused = bench.feed(&["lint", "-", "--python", "/nowhere/python"], &read("sound.json"));
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("there is no /nowhere/python"), "{}", refused.err);
}
