//! What is made of the words of `--help`: completions and pages for man(1).

use std::collections::BTreeSet;

use serde_json::json;

use super::Bench;

#[test]
fn every_shell_is_offered_every_command() {
    let bench = Bench::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bench.run(&["completions", shell]).ok().out;
        for word in ["artifact-store", "presign", "change-passphrase", "--limit-rate"] {
            // fish has its words without the dashes
            let word = word.trim_start_matches('-');
            assert!(script.contains(word), "{shell} is not offered {word}");
        }
    }
    let none = bench.run(&["completions", "tcsh"]);
    assert!(none.code == 2 && none.err.contains("bash"), "{none:?}");
}

#[test]
fn every_command_has_its_page() {
    let bench = Bench::empty();
    let page = bench.run(&["man", "artifact-store", "register"]).ok().out;
    assert!(page.contains(".TH osstack-artifact-store-register 1"), "{page}");
    assert!(page.contains("the network is not touched") && page.contains("\\-\\-bucket"), "{page}");
    assert!(bench.run(&["man"]).ok().out.contains(".TH osstack 1"));

    let folder = bench.path("man");
    let wrote = bench.run(&["man", "--out", folder.to_str().unwrap(), "--json"]).ok().json();
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(wrote["pages"], json!(files.len()));
    let help = bench.run(&["help"]).ok().out;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    for name in commands.filter_map(|line| line.trim().split(' ').next()) {
        assert_eq!(files.contains(&format!("osstack-{name}.1")), name != "help", "{name}");
    }

    let none = bench.run(&["man", "stack", "\u{1b}[31m"]);
    assert!(none.code == 2 && none.err.contains("osstack --help"), "{none:?}");
    assert!(!none.err.contains('\u{1b}'), "{none:?}");
}
