//! The README's table of keys is made from the screens' own tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use osstack::app::shell::Shell;
use osstack::ops::world::World;
use osstack::screens::{
    artifact, artifacts, bookmarks, browser, census, check, diff, found, import, objects, plan,
    run, runs, secrets, share, sizes, stacks, stores, transfers, viewer,
};
use osstack::tui::keymap::{KeyRow, key_table};

const START: &str = "cargo test readme` -->\n";
const END: &str = "<!-- /keys -->";

#[test]
#[expect(clippy::disallowed_methods, reason = "it asks for the README to be written anew")]
fn readme_names_the_keys_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let made = made();
    if std::env::var_os("OSSTACK_UPDATE_README").is_some() {
        fs::write(&path, format!("{before}{START}{made}{END}{after}")).unwrap();
    } else {
        assert_eq!(table, made, "run OSSTACK_UPDATE_README=1 cargo test readme");
    }
}

fn made() -> String {
    let screens = [
        ("everywhere", Shell::<World>::key_table()),
        ("stacks", key_table::<stacks::Stacks>()),
        ("found", key_table::<found::FoundScreen>()),
        ("check", key_table::<check::CheckScreen>()),
        ("plan", key_table::<plan::PlanScreen>()),
        ("diff", key_table::<diff::DiffScreen>()),
        ("from ZenML", key_table::<import::Import>()),
        ("stores", key_table::<stores::Stores>()),
        ("secrets", key_table::<secrets::Secrets>()),
        ("browser", key_table::<browser::Browser>()),
        ("objects", key_table::<objects::Objects>()),
        ("bookmarks", key_table::<bookmarks::BookmarksView>()),
        ("artifacts", key_table::<artifacts::Artifacts>()),
        ("artifact", key_table::<artifact::ArtifactView>()),
        ("sizes", key_table::<sizes::SizesView>()),
        ("share", key_table::<share::ShareLink>()),
        ("orphans", key_table::<census::CensusView>()),
        ("runs", key_table::<runs::Runs>()),
        ("run", key_table::<run::RunView>()),
        ("preview", key_table::<viewer::Viewer>()),
        ("transfers", key_table::<transfers::Transfers>()),
    ];
    let mut out = String::from("\n| where | keys |\n|---|---|\n");
    for (name, rows) in screens {
        let own = rows.iter().filter(|row| !row.command.starts_with("move-"));
        // one key of several meanings, each in its time, stands once
        let mut keys: Vec<String> = Vec::new();
        let mut at = BTreeMap::new();
        for row in own {
            if let Some(&index) = at.get(&row.shown()) {
                let key: &mut String = &mut keys[index];
                write!(key, " / {}", hint(row)).unwrap();
            } else {
                at.insert(row.shown(), keys.len());
                keys.push(words(row));
            }
        }
        writeln!(out, "| {name} | {} |", keys.join(" · ")).unwrap();
    }
    out.push('\n');
    out
}

fn words(row: &KeyRow) -> String {
    format!("`{}` {}", row.shown().replace('|', "\\|"), hint(row))
}

fn hint(row: &KeyRow) -> &'static str {
    row.hint.trim_end_matches('…')
}

/// Each `file` of the table's last column is there, and has the tests that are named behind it.
#[test]
fn every_proof_of_the_security_page_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join(".github/SECURITY.md")).unwrap();
    let mut proofs = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let mut source = String::new();
        for word in proof.split('`').skip(1).step_by(2) {
            if word.contains('/') {
                let path = root.join(word);
                assert!(path.exists(), "{word} is not there: {row}");
                source = fs::read_to_string(path).unwrap_or_default();
            } else {
                assert!(source.contains(&format!("fn {word}(")), "{word} is no test: {row}");
                proofs += 1;
            }
        }
    }
    assert!(proofs > 30, "{proofs}");
}
