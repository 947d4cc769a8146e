//! `zenml artifact-store register …` as typed into a shell, with the `zenml secret create …`
//! before it.

use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::read::{HandMade, Unreadable};

/// Options of ZenML's own that take a value and say nothing about the store.
const OTHER_OPTIONS: [&str; 8] =
    ["-l", "--label", "-r", "--resource-id", "--secret", "--env", "-o", "--output"];

/// The stores that the commands in `text` make; nothing where there is no such command.
pub(super) fn read(text: &str) -> Result<Option<Vec<HandMade>>, Unreadable> {
    // a sentence in YAML may hold the word; quotes that do not end are told of a command only
    let is_command = |line: &str| {
        let mut words = line.split_whitespace();
        words.any(|word| word == "zenml")
            && matches!(words.next(), Some("artifact-store" | "secret"))
    };
    if !text.lines().any(is_command) {
        return Ok(None);
    }
    let mut stores: Vec<HandMade> = Vec::new();
    let mut secrets: Vec<(String, Vec<String>)> = Vec::new();
    for words in split(text)? {
        let mut words = words.into_iter().skip_while(|word| word != "zenml").skip(1);
        let (noun, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (noun.as_str(), verb.as_str()) {
            ("artifact-store", "register" | "update") => {
                let mut store = store(words)?;
                store.partial = verb == "update";
                stores.push(store);
            }
            ("secret", "create" | "update") => secrets.push(secret(words)),
            _ => {}
        }
    }
    for store in &mut stores {
        let name = store.text("authentication_secret");
        let secret = secrets.iter().find(|(secret, _)| Some(secret.as_str()) == name);
        store.secret_keys = secret.map(|(_, keys)| keys.clone());
    }
    if stores.is_empty() { Err(Unreadable::NoStore) } else { Ok(Some(stores)) }
}

fn store(words: impl Iterator<Item = String>) -> Result<HandMade, Unreadable> {
    let (mut name, mut flavor, mut connector) = (None, None, None);
    let mut settings = Map::new();
    let mut words = words.peekable();
    let mut only_settings = false;
    while let Some(word) = words.next() {
        if word == "--" {
            only_settings = true;
            continue;
        }
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        if !option.starts_with('-') {
            name.get_or_insert(word);
            continue;
        }
        let value = value.or_else(|| words.next_if(|next| !next.starts_with("--")));
        match option {
            "-f" | "--flavor" if !only_settings => flavor = value,
            "-c" | "--connector" if !only_settings => connector = value,
            other if !only_settings && OTHER_OPTIONS.contains(&other) => {}
            setting => {
                let setting = setting.trim_start_matches('-').to_owned();
                let value = value.unwrap_or_default();
                // ZenML reads `@x` as the contents of the file x, `@@x` as `@x`
                let value = match value.strip_prefix('@') {
                    Some(rest) if rest.starts_with('@') => rest.to_owned(),
                    Some(_) => {
                        return Err(Unreadable::FromFile(
                            crate::base::visible::visible(&setting).into_string(),
                        ));
                    }
                    None => value,
                };
                settings.insert(setting, Value::String(value));
            }
        }
    }
    let store = HandMade::new(name, flavor, settings, connector);
    Ok(HandMade { typed: true, ..store })
}

/// The name of a secret, and the names of the values that stand in the command itself.
fn secret(words: impl Iterator<Item = String>) -> (String, Vec<String>) {
    let mut name = String::new();
    let mut keys = Vec::new();
    for mut word in words {
        if let Some((option, _)) = word.split_once('=') {
            let key = option.trim_start_matches('-').to_owned();
            if key != "values" {
                keys.push(key);
            }
        } else if !word.starts_with('-') && name.is_empty() {
            name.clone_from(&word);
        }
        word.zeroize();
    }
    (name, keys)
}

/// The commands of a shell script, each as its words. Variables and substitutions stay as typed.
fn split(text: &str) -> Result<Vec<Vec<String>>, Unreadable> {
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Unreadable::OpenQuote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Unreadable::OpenQuote)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(Unreadable::OpenQuote)? {
                            '\n' => {}
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                // a line that goes on, also where the text has the line ends of Windows
                let next = chars.next_if(|c| *c != '\r').or_else(|| chars.nth(1));
                if let Some(next) = next.filter(|next| *next != '\n') {
                    word.get_or_insert_default().push(next);
                }
            }
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' => {
                if let Some(last) = commands.last_mut() {
                    last.extend(word.take());
                }
                if matches!(c, '\n' | ';' | '&' | '|') {
                    commands.push(Vec::new());
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    if let Some(last) = commands.last_mut() {
        last.extend(word);
    }
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_a_shell_does() {
        let text = "a 'b c'\"d \\\"e\\n\" \\\n  f\\ g # no\n# no\nh;i&&j''\r\nk \\\r\nl ''";
        let commands: Vec<Vec<String>> =
            split(text).unwrap().into_iter().filter(|words| !words.is_empty()).collect();
        let wanted: [&[&str]; 5] =
            [&["a", "b cd \"e\\n", "f g"], &["h"], &["i"], &["j"], &["k", "l", ""]];
        assert_eq!(commands, wanted);
        assert_eq!(split("a \"b"), Err(Unreadable::OpenQuote));
    }

    #[test]
    fn options_come_in_both_forms() {
        let text = "$ zenml artifact-store register -f s3 --path=s3://a/b mine --authentication_secret keys -l a=b";
        let stores = read(text).unwrap().unwrap();
        let store = &stores[0];
        assert_eq!(store.name.as_deref(), Some("mine"));
        assert_eq!(store.flavor.as_deref(), Some("s3"));
        assert_eq!(store.text("path"), Some("s3://a/b"));
        assert_eq!(store.text("authentication_secret"), Some("keys"));
        assert_eq!(store.settings.len(), 2);
    }

    #[test]
    fn after_two_dashes_all_is_settings() {
        let text =
            "zenml artifact-store register mine -f s3 --secret=no -- --secret=x --path=s3://a";
        let stores = read(text).unwrap().unwrap();
        let settings: Vec<&str> = stores[0].settings.keys().map(String::as_str).collect();
        assert_eq!(settings, ["path"]);
        assert!(stores[0].secret.is_there());
    }
}
