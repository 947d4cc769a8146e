//! What a job does in plain words, made of its type and its `Debug` text: the log is read by
//! people who know what they asked for, not by which structure.

/// `osstack::ops::stores::ListObjects` and `ListObjects { store: "demo", after: None }` as
/// `list objects: store demo`.
pub(super) fn plain(type_name: &str, debug: &str) -> String {
    let path = type_name.split('<').next().unwrap_or_default();
    let name = path.rsplit("::").next().unwrap_or_default();
    let said = match debug.strip_prefix(name) {
        Some(rest) => fields(rest.trim()).join(", "),
        // a variant of an enum does not name the enum
        None => value(debug).unwrap_or_default(),
    };
    let head = spaced(name);
    if said.is_empty() { head } else { format!("{head}: {said}") }
}

/// The fields of `{ a: 1, b: 2 }` or `(1, 2)` that say something.
fn fields(text: &str) -> Vec<String> {
    let Some(inner) = inside(text) else { return Vec::new() };
    let is_named = text.starts_with('{');
    let parts = parts(inner).into_iter();
    parts
        .filter_map(|part| match part.split_once(": ").filter(|_| is_named) {
            Some((name, "true")) => Some(name.replace('_', " ")),
            Some((name, text)) => value(text).map(|it| format!("{} {it}", name.replace('_', " "))),
            None => value(part),
        })
        .collect()
}

/// A value in words; nothing where it says nothing.
fn value(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('"') {
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        return Some(inner.to_owned()).filter(|inner| !inner.is_empty());
    }
    if text.starts_with('[') {
        let all: Vec<String> = parts(inside(text)?).into_iter().filter_map(value).collect();
        let rest = all.len().saturating_sub(3);
        let more = (rest > 0).then(|| format!("and {rest} more"));
        let said: Vec<String> = all.into_iter().take(3).chain(more).collect();
        return Some(said.join(" ")).filter(|said| !said.is_empty());
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let rest = rest.trim();
    match (name, rest.chars().next()) {
        ("None" | "false", None) | ("", _) => None,
        (name, None) if name.starts_with(|c: char| c.is_ascii_digit()) => Some(name.to_owned()),
        (name, None) => Some(spaced(name)),
        // a wrapper is what it holds, a structure is its name
        (_, Some('(')) => Some(fields(rest).join(" ")).filter(|said| !said.is_empty()),
        (_, Some('{')) => {
            let named =
                parts(inside(rest)?).into_iter().find_map(|part| part.strip_prefix("name: "));
            named.and_then(value)
        }
        _ => Some(text.to_owned()),
    }
}

/// What stands between the first bracket and the last.
fn inside(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next()?;
    chars.next_back()?;
    Some(chars.as_str())
}

/// Splits at the commas that stand in no bracket and no text.
fn parts(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut start, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                out.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    out.extend(text.get(start..));
    out.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// `CommitStack` as `commit stack`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            out.push(' ');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_lowercase());
    }
    out.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_job_says_what_it_does() {
        let said = |debug| plain("osstack::ops::CommitStack<X>", debug);
        assert_eq!(said("CommitStack"), "commit stack");
        let debug = r#"CommitStack { stack: "a, \"b\"", against: Named("prod"), aim: Present,
            shown: None, adopt: true, ending_key: false, all: ["x", "y", "z", "u"],
            draft: StoreDraft { bucket: "q", name: "s" }, key: SecretString(..), took: 3.5ms }"#;
        assert_eq!(
            said(debug),
            r#"commit stack: stack a, \"b\", against prod, aim present, adopt, all x y z and 1 more, draft s, took 3.5ms"#
        );
        assert_eq!(plain("m::UnlockKeystore", "Unasked"), "unlock keystore: unasked");
        assert_eq!(plain("m::Latest", "Latest(7)"), "latest: 7");
        for odd in
            ["", "{", "CommitStack {", "CommitStack { a", "CommitStack { a: \"x }", "\u{e9}(", "[["]
        {
            let _never_panics = said(odd);
        }
    }
}
