//! The house rules that no compiler knows: who may import whom, how long a
//! file may be, what it may be called. Each breach is named with file and line.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the ground up; those of one row do not know each other. `main.rs` and `lib.rs`
/// see all.
const LAYERS: [&[&str]; 9] = [
    &["base"],
    &["model"],
    &["ports"],
    &["catalog", "keystore", "oss", "zenml"],
    &["sandbox"],
    &["doctor"],
    &["ops"],
    &["screens"],
    &["app"],
];

/// Whether code in `layer` may name things of `target`; `None` where `layer` has no place.
fn may_import(layer: &str, target: &str) -> Option<bool> {
    let rank = |name: &str| LAYERS.iter().position(|row| row.contains(&name));
    Some(match (layer, target) {
        _ if layer == target => true,
        ("tui", _) => target == "base",
        ("cli", "tui") | (_, "cli") => false,
        ("cli", _) => rank(target)? <= rank("ops")?,
        (_, "tui") => matches!(layer, "screens" | "app"),
        _ => rank(target)? < rank(layer)?,
    })
}

fn is_layer(name: &str) -> bool {
    matches!(name, "tui" | "cli") || LAYERS.iter().any(|row| row.contains(&name))
}

/// The design says about 500 lines; this is where about ends.
const MAX_LINES: usize = 600;

/// Names that say nothing about what is in a file.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "mod"];

#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// What matters of Rust's tokens here: names and the punctuation of paths, with their lines.
/// Comments, texts, characters and lifetimes are left out.
fn tokens(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let length = skipped(rest).unwrap_or_else(|| {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match (word, rest.starts_with("::")) {
                (0, true) => 2,
                (0, false) => c.len_utf8(),
                _ => word,
            };
            if !c.is_whitespace() {
                found.push((at, &rest[..length]));
            }
            length
        });
        at += length;
    }
    let mut line = 1;
    let mut from = 0;
    for token in &mut found {
        line += source[from..token.0].matches('\n').count();
        from = token.0;
        token.0 = line;
    }
    found
}

/// The length of a comment, text, character or lifetime that `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let to_end = |end: Option<usize>| Some(end.unwrap_or(rest.len()));
    if rest.starts_with("//") {
        return to_end(rest.find('\n'));
    }
    if rest.starts_with("/*") {
        let mut depth = 0_usize;
        let mut at = 0;
        while at < rest.len() {
            let step = &rest.as_bytes()[at..];
            let (change, length) = if step.starts_with(b"/*") {
                (1, 2)
            } else if step.starts_with(b"*/") {
                (-1, 2)
            } else {
                (0, 1)
            };
            depth = depth.saturating_add_signed(change);
            at += length;
            if depth == 0 {
                return Some(at);
            }
        }
        return Some(rest.len());
    }
    let raw = rest.trim_start_matches(['b', 'c']);
    if let Some(hashes) = raw.strip_prefix('r') {
        let count = hashes.len() - hashes.trim_start_matches('#').len();
        if hashes[count..].starts_with('"') {
            let open = rest.len() - hashes.len() + count + 1;
            let close = format!("\"{}", "#".repeat(count));
            return to_end(rest[open..].find(&close).map(|end| open + end + close.len()));
        }
    }
    if rest.starts_with('"') {
        return to_end(closing(rest, '"'));
    }
    let after = rest.strip_prefix('\'')?;
    let mut chars = after.chars();
    let first = chars.next()?;
    let is_character = first == '\\' || chars.next() == Some('\'');
    if is_character {
        return to_end(closing(rest, '\''));
    }
    Some(1 + after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len()))
}

/// Where the text that begins `rest` is over.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}

/// `["zenml", "plan"]` for `zenml/plan.rs`; nothing for `main.rs` and `lib.rs`.
fn module_of(file: &str) -> Vec<&str> {
    let path: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if matches!(path.as_slice(), ["main" | "lib"]) { Vec::new() } else { path }
}

/// Imports that lead upward, or sideways, in `file` (its path below `src`).
fn upward_imports(file: &str, source: &str) -> Vec<Breach> {
    let module = module_of(file);
    let Some(layer) = module.first() else { return Vec::new() };
    let breach = |line: usize, what: String| Breach { file: format!("src/{file}"), line, what };
    if !is_layer(layer) {
        return vec![breach(1, format!("{layer} is no layer: give it a place in LAYERS"))];
    }
    targets(&tokens(source), module.len())
        .into_iter()
        .filter(|(_, target)| is_layer(target) && may_import(layer, target) == Some(false))
        .map(|(line, target)| breach(line, format!("{layer} may not import {target}")))
        .collect()
}

/// What paths name right below the crate, by `crate::` or by enough `super::`.
fn targets<'a>(tokens: &[(usize, &'a str)], depth: usize) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut supers = 0;
    for (index, (_, token)) in tokens.iter().enumerate() {
        match *token {
            "::" => continue,
            "super" => supers += 1,
            _ => supers = 0,
        }
        // more `super`s than folders stand in a module within the file
        let is_root = *token == "crate" || (*token == "super" && supers >= depth);
        if is_root && tokens.get(index + 1).is_some_and(|(_, next)| *next == "::") {
            found.extend(first_names(&tokens[index + 2..]));
        }
    }
    found
}

/// The name a path goes on with, or those of a group.
fn first_names<'a>(tokens: &[(usize, &'a str)]) -> Vec<(usize, &'a str)> {
    let Some((_, "{")) = tokens.first() else {
        return tokens.first().copied().into_iter().collect();
    };
    let mut found = Vec::new();
    let mut depth = 0;
    for pair in tokens.windows(2) {
        match pair[0].1 {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(pair[0].1, "{" | ",") {
            found.push(pair[1]);
        }
    }
    found
}

/// Everything else that is asked of a file.
fn untidy(file: &str, source: &str) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut note = |line: usize, what: &str| {
        found.push(Breach { file: format!("src/{file}"), line, what: what.to_owned() });
    };
    let lines = source.lines().count();
    if lines > MAX_LINES {
        note(lines, "the file is too long: split it by its nouns");
    }
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rs");
    if stem.split('_').any(|word| EMPTY_NAMES.contains(&word)) {
        note(1, "the name says nothing: name the file for what is in it");
    }
    let is_screen = matches!(module_of(file).first(), Some(&("screens" | "tui")));
    for (line, token) in tokens(source) {
        match token {
            "set_symbol" => note(line, "set_symbol filters nothing: use set_string or a widget"),
            "Mutex" | "static" if is_screen => {
                note(line, "a screen's state is its own: no Mutex and no static here");
            }
            _ => {}
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn breaches_of(rule: fn(&str, &str) -> Vec<Breach>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "the sources are found");
    let breaches = files.iter().flat_map(|path| {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        rule(&file, &fs::read_to_string(path).unwrap())
    });
    breaches.map(|breach| breach.to_string()).collect()
}

#[test]
fn imports_lead_down() {
    let breaches = breaches_of(upward_imports);
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn no_test_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".rs").filter(|name| *name != "main") {
            assert!(main.contains(&format!("\nmod {name};")), "main.rs does not name {name}");
        }
    }
}

#[test]
fn files_are_tidy() {
    let breaches = breaches_of(untidy);
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

fn seen(breaches: Vec<Breach>) -> Vec<String> {
    breaches.into_iter().map(|breach| breach.to_string()).collect()
}

#[test]
fn a_planted_upward_import_is_seen() {
    let source = r##"
//! Not one: [`crate::ops`], `use crate::app`.
use crate::base::units;
/* nor /* this: crate::app */ crate::ops */
use crate::{base::visible, ops::{ListObjects, screens}, model};
const TEXT: &str = r#"crate::app" "#;
fn it<'a>(c: &'a char) -> bool { *c == '"' && crate::doctor::check() }
fn up() { super::super::tui::draw(); super::plan::x(); }
"##;
    assert_eq!(
        seen(upward_imports("zenml/plan.rs", source)),
        [
            "src/zenml/plan.rs:5: zenml may not import ops",
            "src/zenml/plan.rs:7: zenml may not import doctor",
            "src/zenml/plan.rs:8: zenml may not import tui",
        ]
    );
}

#[test]
fn every_pair_of_layers_is_decided() {
    let verdict = |layer: &str, target: &str| {
        upward_imports(&format!("{layer}.rs"), &format!("use crate::{target}::X;")).is_empty()
    };
    for (layer, target) in [
        ("oss", "model"),
        ("zenml", "ports"),
        ("sandbox", "oss"),
        ("ops", "doctor"),
        ("screens", "tui"),
        ("app", "tui"),
        ("app", "screens"),
        ("cli", "ops"),
        ("cli", "base"),
        ("tui", "base"),
    ] {
        assert!(verdict(layer, target), "{layer} -> {target}");
    }
    for (layer, target) in [
        ("base", "model"),
        ("oss", "zenml"),
        ("catalog", "keystore"),
        ("sandbox", "doctor"),
        ("ops", "tui"),
        ("ops", "cli"),
        ("tui", "model"),
        ("tui", "ops"),
        ("cli", "tui"),
        ("cli", "screens"),
        ("cli", "app"),
        ("app", "cli"),
        ("screens", "app"),
    ] {
        assert!(!verdict(layer, target), "{layer} -> {target}");
    }
    assert!(verdict("main", "app") && verdict("lib", "cli"));
    assert_eq!(
        seen(upward_imports("misc.rs", "")),
        ["src/misc.rs:1: misc is no layer: give it a place in LAYERS"]
    );
}

#[test]
fn planted_untidiness_is_seen() {
    let source = "// set_symbol, Mutex\nfn f(x: &'static str) {}\nstatic X: Mutex<u8> = 0;\nc.set_symbol(x);";
    assert_eq!(
        seen(untidy("screens/stacks.rs", source)),
        [
            "src/screens/stacks.rs:3: a screen's state is its own: no Mutex and no static here",
            "src/screens/stacks.rs:3: a screen's state is its own: no Mutex and no static here",
            "src/screens/stacks.rs:4: set_symbol filters nothing: use set_string or a widget",
        ]
    );
    assert_eq!(seen(untidy("oss/retry.rs", "static X: Mutex<u8> = 0;")), Vec::<String>::new());
    for name in ["base/utils.rs", "oss/mod.rs", "ops/task_manager.rs"] {
        assert_eq!(untidy(name, "").len(), 1, "{name}");
    }
    assert_eq!(untidy("oss/listing.rs", &"\n".repeat(601)).len(), 1);
}
