//! What went wrong, out of what `zenml` and Python say of it.

use crate::base::secret_string::SecretString;
use crate::zenml::rest::Kind;

/// Longest message that is kept, in characters.
const LONGEST: usize = 300;

/// The last thing said: `Error: text`, or the exception at the end of a traceback; its kind and
/// its words, none of which is a value of `secrets`.
pub(super) fn read(output: &[u8], secrets: &[&SecretString]) -> (Kind, String) {
    let text = without_colours(&String::from_utf8_lossy(output));
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let last = lines.iter().rposition(|line| begin(line).is_some());
    let begun = last.and_then(|at| Some((at, begin(lines.get(at)?)?)));
    let (class, message) = if let Some((at, (class, first))) = begun {
        // what pydantic says goes on below: the field, then what is wrong with it
        let more = lines.iter().skip(at + 1).take(3).map(|line| line.trim());
        let more = more.take_while(|line| !line.is_empty() && !line.starts_with("For further"));
        let all: Vec<&str> = std::iter::once(first).chain(more).collect();
        (class, all.join(" "))
    } else {
        let last = lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty());
        ("", last.unwrap_or("nothing was said").to_owned())
    };
    // pydantic repeats what it was given
    let message = message.split(" [type=").next().unwrap_or_default().trim();
    // a KeyError's message is a repr
    let bare =
        ['\'', '"'].iter().find_map(|quote| message.strip_prefix(*quote)?.strip_suffix(*quote));
    let message = bare.unwrap_or(message);
    let mut message: String = message.chars().take(LONGEST).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        message = message.replace(secret.expose(), "…");
    }
    (kind(&[class], &message), message)
}

/// Class and message of a line that begins an error: `Error: x`, `zenml.exceptions.XError: x`.
fn begin(line: &str) -> Option<(&str, &str)> {
    let (head, message) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    let class = head.rsplit('.').next()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let is_class = head.chars().all(is_name)
        && ["Error", "Exception", "NotValid", "Interrupt"].iter().any(|end| class.ends_with(end));
    is_class.then_some((class, message))
}

/// The kind that the classes of an exception and its words stand for (`zenml/exceptions.py`, 0.98;
/// the words as 0.98 says them).
pub(super) fn kind(classes: &[&str], message: &str) -> Kind {
    let is_one = |names: &[&str]| classes.iter().any(|class| names.contains(class));
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let taken = [
        "already exist",
        "already existing",
        "same name",
        "cannot be deleted as it is part of",
        "unable to deregister active stack",
    ];
    let absent = [
        "not found",
        "does not exist",
        "could not find",
        "have been found",
        "no secret found",
        "was found",
    ];
    if is_one(&["EntityExistsError"]) || says(&taken) {
        Kind::Conflict
    } else if is_one(&["PackageNotFoundError", "ImportError"]) {
        Kind::Command
    } else if is_one(&["AuthorizationException", "CredentialsNotValid"]) {
        Kind::SignIn
    } else if is_one(&["IllegalOperationError"]) {
        Kind::Denied
    } else if is_one(&["EntityCreationError", "OperationalError", "ConnectionError"]) {
        Kind::Server
    } else if says(&absent) || is_one(&["KeyError"]) && says(&["with id"]) {
        Kind::NotFound
    } else {
        Kind::Refused
    }
}

/// `text` without the sequences that colour it (ECMA-48, `ESC [ … letter`).
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.next_if_eq(&'[').is_some() {
            let _parameters = chars.by_ref().find(|c| ('@'..='~').contains(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Kind, String) {
        read(text.as_bytes(), &[])
    }

    #[test]
    fn errors_are_told_apart_by_what_zenml_098_says() {
        for (said, kind, message) in [
            (
                "Expanding…\nError: Secret with name already exists. Found an existing public secret with the same 'sec' name\n",
                Kind::Conflict,
                "Secret with name already exists. Found an existing public secret with the same 'sec' name",
            ),
            (
                "\u{1b}[31mError: \u{1b}[0mNo stack_components have been found  that have an ID prefix that matches the provided string 'x'.",
                Kind::NotFound,
                "No stack_components have been found  that have an ID prefix that matches the provided string 'x'.",
            ),
            (
                "Error: Unable to deregister active stack 'default'. Make sure to designate a new active stack before deleting this one.",
                Kind::Conflict,
                "Unable to deregister active stack 'default'. Make sure to designate a new active stack before deleting this one.",
            ),
            (
                "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    raise EntityExistsError(\nzenml.exceptions.EntityExistsError: Unable to register 'artifact_store' component with name 'default'\n",
                Kind::Conflict,
                "Unable to register 'artifact_store' component with name 'default'",
            ),
            (
                "KeyError: \"No flavor with name 'nonesuch' and type 'artifact_store' exists.\"",
                Kind::Refused,
                "No flavor with name 'nonesuch' and type 'artifact_store' exists.",
            ),
            (
                "pydantic_core._pydantic_core.ValidationError: 1 validation error for S3\npath\n  Field required [type=missing, input_value={'secret': 'v'}, input_type=dict]\n    For further information visit https://errors.pydantic.dev\n",
                Kind::Refused,
                "1 validation error for S3 path Field required",
            ),
            ("Aborted!\n\n", Kind::Refused, "Aborted!"),
            ("", Kind::Refused, "nothing was said"),
        ] {
            assert_eq!(of(said), (kind, message.to_owned()), "{said}");
        }
    }

    #[test]
    fn no_value_of_a_secret_is_repeated() {
        let value = SecretString::new("canary-of-words".into());
        let (_, message) = read(b"ValueError: bad: canary-of-words!", &[&value]);
        assert_eq!(message, "bad: …!");
    }
}
